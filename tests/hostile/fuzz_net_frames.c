/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "net_frames": a driver sends the network card anything, and anything arrives from outside, while the
 * driver's buffers, its offloads and the link change, queues are drained and the card is saved and loaded. An input
 * is a card (features, backend, ring), then acts of one byte and their operands.
 *
 * Promised: the backend is asked only for what it can and the driver negotiated, for pieces in guest memory or
 * in the card's own, and by one buffer for at most 2,048 frames; what the driver gets asks only for what it
 * takes, fits its header and is no longer than the MTU; every buffer comes back; nothing is written behind the
 * card's own two buffers.
 */
#include "../net/frame_oracle.h"
#include "../net/net_world.h"
#include "hostile.h"

#include "../../pvnet/net_checks.h"

#define ACTS 60u
#define GUARD 256u

static struct net_world *w;
static uint8_t whole[PVROM_NET_FRAME_MAX + GUARD], segment[PVROM_NET_FRAME_MAX + GUARD];
static uint8_t frame[ORACLE_FRAME_ROOM], payload[66000];
static uint32_t sent; /* of one buffer */
static struct world_received got;

/* ---- what the backend sees ------------------------------------------------------------------------------------ */

static bool inside(const void *at, uint64_t len, const uint8_t *area, uint64_t size)
{
	const uint8_t *p = at;

	return p >= area && len <= size && p - area <= (ptrdiff_t)(size - len);
}

static uint64_t asked_for(const struct pvrom_net_header *h)
{
	uint64_t f = h->flags & PVROM_NET_HDR_NEEDS_CSUM ? PVROM_NET_F_CSUM : 0;

	switch (h->gso_type & ~PVROM_NET_GSO_ECN) {
	case PVROM_NET_GSO_NONE: break;
	case PVROM_NET_GSO_TCPV4: f |= PVROM_NET_F_HOST_TSO4; break;
	case PVROM_NET_GSO_TCPV6: f |= PVROM_NET_F_HOST_TSO6; break;
	default: f |= PVROM_NET_F_HOST_USO; break;
	}
	return f | (h->gso_type & PVROM_NET_GSO_ECN ? PVROM_NET_F_HOST_ECN : 0);
}

static bool judge(struct pvrom_net_backend *backend, const struct pvrom_net_header *header,
		  const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip)
{
	const uint64_t asked = asked_for(header);
	uint64_t len = 0;
	uint32_t i;

	PROMISE(!(asked & ~backend->can) && !(asked & ~w->host.driver.accepted));
	PROMISE(!(header->flags & ~PVROM_NET_HDR_NEEDS_CSUM) && !header->num_buffers);
	for (i = 0; i < count; i++) {
		PROMISE(inside(pieces[i].at, pieces[i].len, w->memory, WORLD_MEMORY) ||
			inside(pieces[i].at, pieces[i].len, whole, PVROM_NET_FRAME_MAX) ||
			inside(pieces[i].at, pieces[i].len, segment, PVROM_NET_FRAME_MAX));
		len += pieces[i].len;
	}
	PROMISE(len >= skip + 14 && len <= skip + PVROM_NET_FRAME_MAX);
	PROMISE(++sent <= PVROM_NET_SEGMENTS_MAX);
	return sent % 7;
}

static void offloads(struct pvrom_net_backend *backend, uint64_t guest)
{
	(void)backend;
	PROMISE(!(guest & ~w->host.driver.accepted));
}

static const struct pvrom_net_backend_ops judging = { .send = judge, .offloads = offloads };

static void look_at_guards(void)
{
	uint32_t i;

	for (i = 0; i < GUARD; i++)
		PROMISE(whole[PVROM_NET_FRAME_MAX + i] == 0xa5 &&
			segment[PVROM_NET_FRAME_MAX + i] == 0xa5);
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */

/* A frame as it should be, then perhaps some words of it or of its header as they should not. */
static size_t build(struct input *in, struct pvrom_net_header *h)
{
	const uint8_t shape = take8(in);
	uint64_t seed = take16(in) + 1u;
	uint32_t len = shape & 1 ? take16(in) : take8(in), changes = shape >> 5, i;
	uint16_t size = take16(in);
	struct frame_plan p;
	size_t bytes;

	oracle_draw(&p, &seed);
	if (!(shape & 2)) /* what arrives may be a fragment, what is cut not */
		p.ipv4_fragment = 0;
	if (len > 65535 - 300)
		len -= 300;
	bytes = oracle_build_partial(&p, payload, len, frame);
	*h = oracle_header(&p, size);
	if (shape & 4)
		h->gso_type = PVROM_NET_GSO_NONE;
	if (shape & 8)
		h->flags = 0;
	for (i = 0; i < changes; i++) {
		const uint8_t where = take8(in), what = take8(in);

		if (where < 0x20)
			((uint8_t *)h)[where % sizeof(*h)] = what;
		else
			frame[where - 0x20] = what;
	}
	return shape & 16 && bytes ? take16(in) % bytes : bytes;
}

static void driver_sends(struct input *in)
{
	const uint32_t piece = 1200u + take8(in) * 16u;
	struct pvrom_net_header h;
	const size_t len = build(in, &h);

	sent = 0;
	PROMISE(net_world_send(w, 0, &h, frame, len, piece));
	look_at_guards();
}

static void frame_arrives(struct input *in)
{
	struct pvrom_net_header h;
	const size_t len = build(in, &h);

	pvrom_net_receive(&w->host, &h, frame, len);
	look_at_guards();
}

/* ---- what the driver gets ---------------------------------------------------------------------------------------- */

static uint64_t needed(const struct pvrom_net_header *h)
{
	switch (h->gso_type & ~PVROM_NET_GSO_ECN) {
	case PVROM_NET_GSO_NONE: return 0;
	case PVROM_NET_GSO_TCPV4: return PVROM_NET_F_GUEST_TSO4;
	case PVROM_NET_GSO_TCPV6: return PVROM_NET_F_GUEST_TSO6;
	default: return PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6;
	}
}

static void judge_received(uint64_t offloads_before)
{
	const struct pvrom_net_header *h = &got.header;
	const uint64_t may = offloads_before | w->host.driver.offloads;
	const bool told = w->host.driver.accepted & PVROM_NET_F_MTU;

	PROMISE(!h->flags || may & PVROM_NET_F_GUEST_CSUM);
	PROMISE(!h->gso_type || may & needed(h));
	PROMISE(!(h->gso_type & PVROM_NET_GSO_ECN) || may & PVROM_NET_F_GUEST_ECN);
	PROMISE(pvrom_net_header_check(h, got.bytes, got.len) == PVROM_NET_TAKEN);
	PROMISE(!told || h->gso_type || got.len <= 1500u + 14 + 8);
}

static void driver_takes(uint64_t offloads_before)
{
	do { /* a buffer that came back empty is no end */
		if (net_world_take(w, 0, &got) && got.len)
			judge_received(offloads_before);
	} while (pvrom_vq_driver_pending(&w->queue[0].driver));
}

static void driver_gives(struct input *in)
{
	static const uint16_t len[] = { 1, 11, 12, 13, 20, 26, 64, 300, 1526, 1600, 4096, 9000 };
	const uint32_t which = take8(in) % 12, count = 1 + take8(in) % 32;
	uint32_t i;

	/* In order one without room for a header comes back in the midst of a frame: the driver's own fault. */
	if (len[which] < 20 && w->queue[0].queue.ring.config.features & PVROM_VQ_F_IN_ORDER)
		return;
	for (i = 0; i < count; i++)
		net_world_give(w, 0, len[which]);
}

/* ---- the rest ------------------------------------------------------------------------------------------------------ */

static void save_and_load(void)
{
	static uint8_t state[8192];
	const size_t size = pvrom_net_host_save(&w->host, state, sizeof(state));

	PROMISE(pvrom_net_host_load(&w->host, state, size));
}

static void change_offloads(struct input *in)
{
	const uint64_t all = w->host.driver.accepted, picked = take64(in);
	const uint64_t before = w->host.driver.offloads;

	driver_takes(before);
	pvrom_net_host_set_link(&w->host, picked & 1);
	if (all & PVROM_NET_F_CTRL_GUEST_OFFLOADS)
		net_world_command(w, 5, 0, &picked, sizeof(picked));
}

static void act(struct input *in)
{
	switch (take8(in) % 8) {
	case 0:
	case 1:
	case 2: driver_sends(in); break;
	case 3: frame_arrives(in); break;
	case 4: driver_gives(in); break;
	case 5: change_offloads(in); break;
	case 6: pvrom_net_queue_drain(&w->queue[0].queue); break;
	default: save_and_load();
	}
	driver_takes(w->host.driver.offloads);
}

static bool open_world(struct input *in)
{
	const uint8_t what = take8(in);
	const uint64_t can = what & 1 ? take64(in) : what & 2 ? UINT64_MAX : 0;
	uint64_t without = what & 4 ? 1ull << take8(in) % 64 : 0;

	without |= what & 4 ? 1ull << take8(in) % 64 : 0;
	w = net_world_open_without(1, can, without,
				   PVROM_VQ_F_VERSION_1 | (what & 8 ? PVROM_VQ_F_RING_PACKED : 0) |
					   (what & 16 ? PVROM_VQ_F_IN_ORDER : 0));
	if (!w)
		return false;
	w->backend.ops = &judging;
	memset(whole + PVROM_NET_FRAME_MAX, 0xa5, GUARD);
	memset(segment + PVROM_NET_FRAME_MAX, 0xa5, GUARD);
	w->host.setup.whole = whole;
	w->host.setup.segment = segment;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input in = { bytes, size };
	uint32_t i;

	if (!open_world(&in))
		return 0;
	for (i = 0; i < ACTS && in.left; i++)
		act(&in);
	for (i = 0; i < 2; i++)
		PROMISE(!w->queue[i].queue.broken);
	pvrom_net_queue_drain(&w->queue[0].queue);
	driver_takes(w->host.driver.offloads);
	PROMISE(!pvrom_vq_device_in_flight(&w->queue[0].queue.ring));
	net_world_close(w);
	return 0;
}

HOSTILE_PLAIN_MUTATOR

/* ---- planted faults: a check of the card taken out ------------------------------------------------------------- */

#define FAULTS(X)                                                                                  \
	X("a checksum outside the frame", NET_CHECK_CSUM_PLACE)                                    \
	X("segments of no bytes", NET_CHECK_GSO_SIZE)                                              \
	X("a frame without an Ethernet header", NET_CHECK_FRAME_SHORT)                             \
	X("what was not negotiated", NET_CHECK_GSO_FEATURE)                                        \
	X("what a driver has no right to say", NET_CHECK_ONLY_ASKED)                               \
	X("a frame that the driver does not take", NET_CHECK_DRIVER_TAKES)                         \
	X("a frame longer than the MTU", NET_CHECK_OVER_MTU)

HOSTILE_FAULTS(FAULTS, pvrom_net_removed)
