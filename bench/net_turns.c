/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames out of a driver and back into it, through the card and the backend that returns what it gets: the card's
 * part alone is in the function card_turn(), for callgrind to count.
 *
 *	net_turns split|packed|inorder FRAMES [BYTES]
 *
 * One thread: a burst of the driver, then the card's. Prints nanoseconds a frame, both sides together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pvrom/net_backend.h>
#include <pvrom/virtqueue_driver.h>

#define SIZE 256u
#define BURST 32u
#define BASE 0x10000u
#define STRIDE 0x10000u /* guest memory of one queue's areas */
#define BUFFERS 0x40000u
#define ROOM 2048u /* of one buffer */
#define MEMORY (BUFFERS + 4 * SIZE * ROOM)
#define HEADER 12u

struct queue {
	struct pvrom_net_queue net;
	struct pvrom_vq_driver driver;
	struct pvrom_vq_driver_slot driver_slots[SIZE];
	struct pvrom_vq_device_slot slots[SIZE];
	struct pvrom_net_buffer pool[64];
};

static struct pvrom_net_host host;
static struct pvrom_net_backend *backend;
static struct queue receive, transmit;
static uint8_t memory[MEMORY] __attribute__((aligned(4096)));
static uint8_t whole[PVROM_NET_FRAME_MAX], segment[PVROM_NET_FRAME_MAX];
static uint32_t bytes = 64;

/* ---- the card -------------------------------------------------------------------------------------------- */

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx;
	if (gpa.gpa < BASE || gpa.gpa - BASE >= MEMORY)
		return NULL;
	if (*len > MEMORY - (gpa.gpa - BASE))
		*len = MEMORY - (gpa.gpa - BASE);
	return memory + (gpa.gpa - BASE);
}

__attribute__((noinline)) void card_turn(void);
void card_turn(void)
{
	uint64_t again;
	bool stalled;

	pvrom_net_transmit(&transmit.net, 64);
	pvrom_net_backend_flush(backend);
	pvrom_net_backend_receive(backend, &host, 0, 64, &stalled);
	pvrom_net_queue_publish(&transmit.net, 0, &again);
	pvrom_net_queue_publish(&receive.net, 0, &again);
}

/* ---- the driver ------------------------------------------------------------------------------------------- */

static void add(struct queue *q, uint64_t gpa, uint32_t len, bool writable)
{
	const struct pvrom_vq_buf buf = { .addr = gpa, .len = len };

	if (pvrom_vq_driver_add(&q->driver, &buf, !writable, writable, memory + (gpa - BASE))) {
		fprintf(stderr, "net_turns: no room in the ring\n");
		exit(1);
	}
}

/* What arrived goes out again, and its buffer behind what is there to be filled. */
static uint32_t driver_turn(uint32_t free_frames)
{
	struct pvrom_vq_done done;
	uint32_t n = 0;

	while (!pvrom_vq_driver_get(&transmit.driver, &done))
		free_frames++;
	while (free_frames && !pvrom_vq_driver_get(&receive.driver, &done)) {
		const uint64_t gpa = (uint64_t)((uint8_t *)done.token - memory) + BASE;

		if (done.len != HEADER + bytes) {
			fprintf(stderr, "net_turns: a frame of %u bytes\n", done.len);
			exit(1);
		}
		add(&transmit, gpa, done.len, false);
		add(&receive, gpa, ROOM, true); /* the same memory: it has been taken by then */
		free_frames--;
		n++;
	}
	pvrom_vq_driver_publish(&transmit.driver);
	pvrom_vq_driver_publish(&receive.driver);
	return n;
}

/* ---- set-up -------------------------------------------------------------------------------------------------- */

static bool open_queue(struct queue *q, uint32_t number, uint64_t features)
{
	uint8_t *at = memory + number * STRIDE;
	const uint64_t gpa = BASE + (uint64_t)number * STRIDE;
	static const struct pvrom_vq_device_ops ops = { .translate = translate };
	const struct pvrom_vq_driver_config dr = { .features = features,
						   .size = SIZE,
						   .queue = (uint16_t)number,
						   .desc = at,
						   .driver = at + 0x4000,
						   .device = at + 0x8000,
						   .slots = q->driver_slots };
	const struct pvrom_vq_device_config de = { .ops = &ops,
						   .features = features,
						   .size = SIZE,
						   .desc = { gpa },
						   .driver = { gpa + 0x4000 },
						   .device = { gpa + 0x8000 },
						   .slots = q->slots };

	return !pvrom_vq_driver_init(&q->driver, &dr) &&
	       !pvrom_net_queue_init(&q->net, &host, number, &de, q->pool, 64);
}

static bool open_all(const char *ring)
{
	struct pvrom_net_host_setup setup = {
		.mac = { 2 }, .pairs = 1, .whole = whole, .segment = segment
	};
	uint64_t features = PVROM_VQ_F_VERSION_1;
	char message[PVROM_NET_MESSAGE];

	if (strcmp(ring, "split") != 0)
		features |= PVROM_VQ_F_RING_PACKED;
	if (!strcmp(ring, "inorder"))
		features |= PVROM_VQ_F_IN_ORDER;
	backend = pvrom_net_backend_open("loop,swap", setup.mac, message);
	setup.backend = backend;
	return backend && pvrom_net_host_init(&host, &setup) &&
	       pvrom_net_host_accept(&host, PVROM_NET_F_MRG_RXBUF) &&
	       open_queue(&receive, 0, features) && open_queue(&transmit, 1, features);
}

static void begin(void)
{
	uint32_t i;

	for (i = 0; i < BURST; i++) {
		const uint64_t gpa = BASE + BUFFERS + (uint64_t)i * ROOM;

		memset(memory + (gpa - BASE), 2, HEADER + bytes);
		memset(memory + (gpa - BASE), 0, HEADER);
		add(&transmit, gpa, HEADER + bytes, false);
	}
	for (i = BURST; i < 4 * BURST; i++)
		add(&receive, BASE + BUFFERS + (uint64_t)i * ROOM, ROOM, true);
	pvrom_vq_driver_publish(&transmit.driver);
	pvrom_vq_driver_publish(&receive.driver);
	pvrom_vq_driver_interrupts_off(&transmit.driver);
	pvrom_vq_driver_interrupts_off(&receive.driver);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	uint32_t total, count = 0;
	double start;

	if (argc > 3)
		bytes = (uint32_t)strtoul(argv[3], NULL, 0);
	if (argc < 3 || bytes < 14 || bytes > ROOM - HEADER || !open_all(argv[1])) {
		fprintf(stderr, "usage: net_turns split|packed|inorder FRAMES [BYTES]\n");
		return 2;
	}
	total = (uint32_t)strtoul(argv[2], NULL, 0);
	begin();
	start = now();
	while (count < total) {
		card_turn();
		count += driver_turn(0);
	}
	printf("%.1f\n", (now() - start) / total);
	pvrom_net_backend_close(backend);
	return 0;
}
