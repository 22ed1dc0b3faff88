/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "net_driver": a device writes anything into the rings and buffers of the network driver, at any time, and
 * answers commands as it likes. An input is a set of features, then acts of one byte and their operands.
 *
 * Promised: a frame is as long as its buffers say, no shorter than an Ethernet header and no longer than any, and
 * what its header leaves to the guest is inside it and was negotiated; a buffer comes back once, and only one that was
 * given; so does the token of a packet; commands end; after a reset all that did not come back does.
 */
#include "../net/net_guest_world.h"
#include "hostile.h"

#include <string.h>

#include "../../pvnet/net_guest_internal.h"

#define BUFFERS 40u
#define PACKETS 64u
#define ACTS 300u
#define FRAMES 4u

static struct net_guest_world *w;
static bool given[BUFFERS], in_flight[PACKETS];
static struct pvrom_net_guest_frame frame[FRAMES];
static uint8_t small[FRAMES][256];
static struct input *input;

static bool packed(void)
{
	return w->net.features & PVROM_VQ_F_RING_PACKED;
}

/* ---- the driver ------------------------------------------------------------------------------------------- */

static void judge_buffers(const struct pvrom_net_guest_frame *f)
{
	const struct pvrom_net_guest_buffer *b;
	uint32_t len = 0, count = 0;

	for (b = f->buffers; b; b = b->next, count++) {
		const size_t n = (size_t)(b - w->buffer[0]);

		PROMISE(n < BUFFERS && given[n]);
		PROMISE(b->used <= b->len);
		given[n] = false;
		len += b->used;
	}
	PROMISE(count <= PVROM_NET_GUEST_PIECES);
	PROMISE(f->buffers ? len == f->len : f->at == f->small && f->len <= sizeof(small[0]));
}

static void judge(const struct pvrom_net_guest_frame *f)
{
	PROMISE(f->len >= 14 && f->len <= PVROM_NET_GUEST_FRAME);
	PROMISE(!(f->flags & PVROM_NET_HDR_NEEDS_CSUM) ||
		((uint32_t)f->csum_start + f->csum_offset + 2 <= f->len &&
		 w->net.features & PVROM_NET_F_GUEST_CSUM));
	PROMISE(!f->gso_type ||
		(f->gso_size && f->flags && w->net.features & PVROM_NET_F_GUEST_TSO4));
	PROMISE(f->report <= PVROM_NET_HASH_REPORT_UDPV6);
	judge_buffers(f);
}

static void receive(void)
{
	const bool was_broken = w->queue[0].ring.reason;
	bool broken = false;
	uint32_t i, n;

	for (i = 0; i < FRAMES; i++)
		frame[i] = (struct pvrom_net_guest_frame){ .small = small[i] };
	n = pvrom_net_guest_receive(&w->queue[0], frame, FRAMES, &broken);
	PROMISE(n <= FRAMES && (!was_broken || (broken && !n)));
	for (i = 0; i < n; i++)
		judge(&frame[i]);
	pvrom_net_guest_kick(&w->queue[0]);
}

static void give(struct input *in)
{
	const uint32_t n = take8(in) % BUFFERS;

	if (!given[n] && !pvrom_net_guest_give(&w->queue[0], &w->buffer[0][n]))
		given[n] = true;
	pvrom_net_guest_kick(&w->queue[0]);
}

static void send(struct input *in)
{
	const uint32_t n = take8(in) % PACKETS, len = 14 + take8(in);
	const struct pvrom_net_guest_piece piece[2] = { { NGW_DATA, w->memory + NGW_DATA, len, 0 },
							{ NGW_DATA, w->memory + NGW_DATA, 1, 0 } };
	struct pvrom_net_guest_packet p = { .piece = piece,
					    .pieces = 1 + n % 2,
					    .token = &in_flight[n] };

	if (in_flight[n] || pvrom_net_guest_send(&w->queue[1], &p))
		return;
	in_flight[n] = !p.copied;
	pvrom_net_guest_kick(&w->queue[1]);
}

static void came_back(void *token)
{
	const size_t n = (size_t)((bool *)token - in_flight);

	PROMISE(n < PACKETS && in_flight[n]);
	in_flight[n] = false;
}

static void reclaim(void)
{
	void *token[3];
	bool broken = false;
	uint32_t n = pvrom_net_guest_reclaim(&w->queue[1], token, 3, &broken);

	PROMISE(n <= 3);
	while (n)
		came_back(token[--n]);
}

/* ---- the device ------------------------------------------------------------------------------------------- */

static void use_split(struct pvrom_vq_driver *vq, struct input *in)
{
	struct pvrom_vq_used *used = vq->config.device;
	const uint8_t how = take8(in);
	const uint32_t id = how & 1 ? take8(in) % vq->config.size : take32(in);

	used->ring[used->idx & (vq->config.size - 1)] =
		(struct pvrom_vq_used_elem){ id, how & 2 ? take16(in) % 2100 : take32(in) };
	used->idx++;
}

static void use_packed(struct pvrom_vq_driver *vq, struct input *in)
{
	struct pvrom_vq_packed_desc *d = vq->config.desc;
	const uint8_t how = take8(in);

	d += how & 4 ? take8(in) % vq->config.size : vq->used;
	d->id = (uint16_t)(how & 1 ? take8(in) % vq->config.size : take16(in));
	d->len = how & 2 ? take16(in) % 2100 : take32(in);
	d->flags = how & 8 ? take16(in) : vq->used_wrap ? 0x8080 : 0;
}

static void use(struct pvrom_vq_driver *vq, struct input *in)
{
	packed() ? use_packed(vq, in) : use_split(vq, in);
}

/* A buffer's header: plausible, or anything. */
static void write_header(struct input *in)
{
	struct pvrom_net_header h = { .num_buffers = 1 };
	uint8_t *at = w->buffer[0][take8(in) % BUFFERS].at;
	const uint8_t how = take8(in);

	if (how & 1)
		h.num_buffers = how & 32 ? take16(in) : take8(in) % 8;
	if (how & 2)
		h.flags = take8(in);
	if (how & 4)
		h.gso_type = take8(in);
	if (how & 8)
		h.gso_size = take16(in);
	if (how & 16) {
		h.csum_start = take16(in);
		h.csum_offset = take16(in);
	}
	memcpy(at, &h, sizeof(h));
	if (how & 64)
		at[16] = take8(in);
}

static void scribble(struct input *in)
{
	w->memory[take32(in) % (uint32_t)w->free] = take8(in);
}

/* What the device does while the driver waits for an answer. */
static void answer(struct net_guest_world *world)
{
	struct input *in = input;

	world->net.command[PVROM_NET_GUEST_COMMAND] = take8(in);
	if (take8(in) & 1)
		use(&world->net.control->ring, in);
}

static void command(struct input *in)
{
	w->instead = answer;
	w->patience = 3;
	switch (take8(in) % 4) {
	case 0: pvrom_net_guest_receive_mode(&w->net, take8(in), true); break;
	case 1: pvrom_net_guest_vlan(&w->net, take16(in), false); break;
	case 2: pvrom_net_guest_set_offloads(&w->net, 0); break;
	default: pvrom_net_guest_coalesce(&w->net, true, take8(in), take8(in));
	}
	PROMISE(w->patience <= 3);
}

/* ---- an input --------------------------------------------------------------------------------------------- */

static void act(struct input *in)
{
	switch (take8(in) % 12) {
	case 0: give(in); break;
	case 1:
	case 2: receive(); break;
	case 3: send(in); break;
	case 4: reclaim(); break;
	case 5:
	case 6: use(&w->queue[0].ring, in); break;
	case 7: use(&w->queue[1].ring, in); break;
	case 8:
	case 9: write_header(in); break;
	case 10: scribble(in); break;
	default: command(in);
	}
}

static bool begin(struct input *in)
{
	const uint8_t what = take8(in), how = take8(in);
	const struct pvrom_net_guest_config settings = { .size = 64,
							 .receive_copy = how & 1 ? 200 : 0,
							 .send_copy = how & 2 ? 60 : 0,
							 .hash_report = how & 4 };
	uint32_t i;

	if (!w) /* one world for all inputs: it is large */
		w = net_guest_world_open(NULL);
	w->instead = NULL;
	w->ring_features = PVROM_VQ_F_VERSION_1 | (what & 1 ? PVROM_VQ_F_RING_PACKED : 0) |
			   (what & 2 ? PVROM_VQ_F_IN_ORDER : 0) |
			   (what & 4 ? PVROM_VQ_F_INDIRECT_DESC : 0) |
			   (what & 8 ? PVROM_VQ_F_EVENT_IDX : 0);
	w->host.setup.withhold =
		(what & 16 ? PVROM_NET_F_MRG_RXBUF : 0) | (what & 32 ? PVROM_NET_F_GUEST_CSUM : 0);
	for (i = 0; i < BUFFERS; i++)
		memset(w->memory + NGW_BUFFERS_AT + i * NGW_BUFFER_ROOM, 0, 64);
	for (i = 0; i < BUFFERS; i++)
		given[i] = true;
	memset(in_flight, 0, sizeof(in_flight));
	return net_guest_world_begin(w, &settings, BUFFERS) == PVROM_VIRTIO_OK;
}

/* The device is reset: what is not back comes back now, and each once. */
static void give_up(void)
{
	void *token;
	uint32_t i;

	PROMISE(pvrom_net_guest_stop(&w->net) == PVROM_VIRTIO_OK);
	while (pvrom_net_guest_take_back(&w->queue[0], &token)) {
		const size_t n = (size_t)((struct pvrom_net_guest_buffer *)token - w->buffer[0]);

		PROMISE(n < BUFFERS && given[n]);
		given[n] = false;
	}
	while (pvrom_net_guest_take_back(&w->queue[1], &token))
		came_back(token);
	for (i = 0; i < BUFFERS; i++)
		PROMISE(!given[i]);
	for (i = 0; i < PACKETS; i++)
		PROMISE(!in_flight[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct input in = { data, bytes };
	uint32_t i;

	input = &in;
	if (begin(&in)) {
		for (i = 0; i < ACTS && in.left; i++)
			act(&in);
		give_up();
	}
	return 0;
}

HOSTILE_PLAIN_MUTATOR

/* ---- planted faults: a check of the driver taken out ----------------------------------------------------------- */

#define FAULTS(X)                                                                                  \
	X("a checksum outside the frame", PVROM_NET_GUEST_CHECK_CSUM_PLACE)                        \
	X("segments of no bytes", PVROM_NET_GUEST_CHECK_GSO_SIZE)                                  \
	X("a frame shorter than its Ethernet header", PVROM_NET_GUEST_CHECK_FRAME_SHORT)

HOSTILE_FAULTS(FAULTS, pvrom_net_guest_check_off)
