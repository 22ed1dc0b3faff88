/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames out of our driver and back into it, through our card and the backend that returns what it gets: the driver's
 * part alone is in the function driver_turn(), for callgrind to count. A frame goes out of the buffer it came in,
 * its header in front of it, and is not copied.
 *
 *	net_guest_turns split|packed|inorder FRAMES [copy]
 *
 * copy: it is copied by the driver both ways instead. One thread: a burst of the driver's, then the card's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pvrom/net_backend.h>
#include <pvrom/net_guest.h>

#define SIZE 256u
#define BURST 32u
#define BUFFERS (4 * BURST)
#define ROOM 2048u
#define QUEUES 0x10000u /* memory from here on, 0x100000 of each */
#define FRAMES 0x400000u
#define MEMORY 0x600000u
#define FRAME_BYTES 64u

static struct pvrom_virtio virtio;
static struct pvrom_net_guest net;
static struct pvrom_net_guest_queue receive, transmit;
static struct pvrom_net_guest_buffer buffers[BUFFERS];
static struct pvrom_net_host host;
static struct pvrom_net_backend *backend;
static struct pvrom_net_queue card[2];
static struct pvrom_net_buffer pool[2][64];
static struct pvrom_vq_device_slot slots[2][SIZE];
static uint8_t memory[MEMORY] __attribute__((aligned(4096)));
static uint8_t whole[PVROM_NET_FRAME_MAX], segment[PVROM_NET_FRAME_MAX];
static uint64_t ring_features;
static uint32_t status_now;

/* ---- the card, and a transport of function calls --------------------------------------------------------- */

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx;
	if (gpa.gpa >= MEMORY)
		return NULL;
	if (*len > MEMORY - gpa.gpa)
		*len = MEMORY - gpa.gpa;
	return memory + gpa.gpa;
}

static uint64_t features(struct pvrom_virtio *dev)
{
	(void)dev;
	return PVROM_NET_F_MRG_RXBUF | PVROM_NET_F_CSUM | PVROM_VQ_F_VERSION_1 | ring_features;
}

static void accept(struct pvrom_virtio *dev, uint64_t chosen)
{
	(void)dev;
	pvrom_net_host_accept(&host, chosen);
}

static uint32_t status(struct pvrom_virtio *dev)
{
	(void)dev;
	return status_now;
}

static void set_status(struct pvrom_virtio *dev, uint32_t value)
{
	(void)dev;
	status_now = value;
}

static uint32_t queue_max(struct pvrom_virtio *dev, uint32_t queue)
{
	(void)dev;
	return queue < 2 ? SIZE : 0;
}

static bool queue_start(struct pvrom_virtio *dev, uint32_t queue,
			const struct pvrom_virtio_queue *where)
{
	static const struct pvrom_vq_device_ops ops = { .translate = translate };
	const struct pvrom_vq_device_config config = { .ops = &ops,
						       .features = dev->accepted,
						       .size = where->size,
						       .desc = { where->desc_gpa },
						       .driver = { where->driver_gpa },
						       .device = { where->device_gpa },
						       .slots = slots[queue] };

	return !pvrom_net_queue_init(&card[queue], &host, queue, &config, pool[queue], 64);
}

static void notify(struct pvrom_virtio *dev, uint32_t queue, uint32_t data)
{
	(void)dev;
	(void)queue;
	(void)data;
}

static uint32_t generation(struct pvrom_virtio *dev)
{
	(void)dev;
	return 0;
}

static void config_read(struct pvrom_virtio *dev, uint32_t offset, void *to, uint32_t len)
{
	(void)dev;
	pvrom_net_host_config_read(&host, offset, to, len);
}

static const struct pvrom_virtio_ops ops = { .features = features,
					     .accept = accept,
					     .status = status,
					     .set_status = set_status,
					     .queue_max = queue_max,
					     .queue_start = queue_start,
					     .notify = notify,
					     .generation = generation,
					     .config_read = config_read };

static void card_turn(void)
{
	uint64_t again;
	bool stalled;

	pvrom_net_transmit(&card[1], 64);
	pvrom_net_backend_flush(backend);
	pvrom_net_backend_receive(backend, &host, 0, 64, &stalled);
	pvrom_net_queue_publish(&card[1], 0, &again);
	pvrom_net_queue_publish(&card[0], 0, &again);
}

/* ---- the driver ------------------------------------------------------------------------------------------ */

static void send_one(struct pvrom_net_guest_buffer *b, uint8_t *at, uint32_t len)
{
	const struct pvrom_net_guest_piece piece = { (uint64_t)(at - memory), at, len, 0 };
	struct pvrom_net_guest_packet p = {
		.piece = &piece, .pieces = 1, .headroom = b != NULL, .token = b
	};

	if (pvrom_net_guest_send(&transmit, &p)) {
		fprintf(stderr, "net_guest_turns: no room in the ring\n");
		exit(1);
	}
}

__attribute__((noinline)) uint32_t driver_turn(void);
uint32_t driver_turn(void)
{
	static uint8_t small[BURST][FRAME_BYTES];
	static struct pvrom_net_guest_frame frame[BURST];
	void *sent[BURST];
	bool broken = false;
	uint32_t n, i, back = pvrom_net_guest_reclaim(&transmit, sent, BURST, &broken);

	for (i = 0; i < back; i++) /* what went out is room for what comes */
		pvrom_net_guest_give(&receive, sent[i]);
	for (i = 0; i < BURST; i++)
		frame[i].small = small[i];
	n = pvrom_net_guest_receive(&receive, frame, BURST, &broken);
	for (i = 0; i < n; i++)
		send_one(frame[i].buffers, frame[i].at, frame[i].len);
	pvrom_net_guest_kick(&receive);
	pvrom_net_guest_kick(&transmit);
	return n;
}

/* ---- set-up ------------------------------------------------------------------------------------------------ */

static bool open_queue(uint16_t number, struct pvrom_net_guest_queue *queue)
{
	struct pvrom_virtio_memory m;

	if (!pvrom_net_guest_memory(&net, number, &m))
		return false;
	m.shared_gpa = QUEUES + number * 0x100000u;
	m.shared = memory + m.shared_gpa;
	m.own = calloc(1, m.own_bytes);
	return m.own && pvrom_net_guest_queue(&net, number, queue, &m) &&
	       !pvrom_net_guest_interrupts(queue, 0);
}

static bool open_all(const char *ring, bool copy)
{
	const struct pvrom_net_guest_config settings = { .receive_copy = copy ? FRAME_BYTES : 0,
							 .send_copy = copy ? FRAME_BYTES : 0 };
	struct pvrom_net_host_setup setup = {
		.mac = { 2 }, .pairs = 1, .whole = whole, .segment = segment
	};
	char message[PVROM_NET_MESSAGE];

	if (strcmp(ring, "split") != 0)
		ring_features |= PVROM_VQ_F_RING_PACKED;
	if (!strcmp(ring, "inorder"))
		ring_features |= PVROM_VQ_F_IN_ORDER;
	backend = pvrom_net_backend_open("loop,swap", setup.mac, message);
	setup.backend = backend;
	virtio = (struct pvrom_virtio){ .ops = &ops, .id = PVROM_NET_DEVICE_ID };
	return backend && pvrom_net_host_init(&host, &setup) &&
	       !pvrom_net_guest_begin(&net, &virtio, &settings) && open_queue(0, &receive) &&
	       open_queue(1, &transmit);
}

static void begin(bool copy)
{
	uint32_t i;

	pvrom_net_guest_go(&net);
	for (i = 0; i < BUFFERS; i++) {
		struct pvrom_net_guest_buffer *b = &buffers[i];

		b->gpa = FRAMES + i * ROOM;
		b->at = memory + b->gpa;
		b->len = ROOM;
		memset(b->at, 2, ROOM);
		if (i < BURST)
			send_one(copy ? NULL : b, b->at + net.header_bytes, FRAME_BYTES);
		else
			pvrom_net_guest_give(&receive, b);
	}
	pvrom_net_guest_kick(&receive);
	pvrom_net_guest_kick(&transmit);
}

int main(int argc, char **argv)
{
	const bool copy = argc > 3 && !strcmp(argv[3], "copy");
	uint32_t total, count = 0;

	if (argc < 3 || !open_all(argv[1], copy)) {
		fprintf(stderr, "usage: net_guest_turns split|packed|inorder FRAMES [copy]\n");
		return 2;
	}
	total = (uint32_t)strtoul(argv[2], NULL, 0);
	begin(copy);
	while (count < total) {
		card_turn();
		count += driver_turn();
	}
	pvrom_net_backend_close(backend);
	return 0;
}
