/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the driver gets: as it can take it, against the oracle, in the buffers that it gave.
 */
#include <string.h>
#include <sys/mman.h>

#include "net_card.h"

/* Takes what the driver got, segment by segment if the driver cannot have it whole. */
static bool received_as(struct net_world *w, const struct frame_plan *p, uint32_t len,
			uint16_t size, bool whole)
{
	uint32_t n = 0, at = 0;

	do {
		const uint32_t part = whole || len - at < size ? len - at : size;
		const struct frame_plan plan = oracle_segment(p, n, at, at + part == len);
		const size_t bytes = whole ? oracle_build_partial(p, payload, len, want)
					   : oracle_build(&plan, payload + at, part, want);

		if (!net_world_take(w, 0, &got) || got.len != bytes ||
		    memcmp(got.bytes, want, bytes) != 0 || !!got.header.gso_type != whole ||
		    !!got.header.flags != whole)
			return false;
		at += part;
		n++;
	} while (at < len);
	return !net_world_take(w, 0, &got);
}

static uint64_t offload_for(const struct pvrom_net_header *h, const struct frame_plan *p)
{
	uint64_t o = PVROM_NET_F_GUEST_CSUM;

	if (p->tcp)
		o |= p->ip == 4 ? PVROM_NET_F_GUEST_TSO4 : PVROM_NET_F_GUEST_TSO6;
	else
		o |= p->ip == 4 ? PVROM_NET_F_GUEST_USO4 : PVROM_NET_F_GUEST_USO6;
	return o | (h->gso_type & PVROM_NET_GSO_ECN ? PVROM_NET_F_GUEST_ECN : 0);
}

/* The driver's set of offloads changes with every frame; each is needed and enough, or not. */
static void receives_as_the_driver_can(void)
{
	static const uint64_t rings[] = { SPLIT, PACKED };
	uint32_t i, n, wrong = 0, whole_count = 0;

	for (i = 0; i < 2; i++) {
		struct net_world *w =
			net_world_open(1, 0,
				       PVROM_NET_F_MRG_RXBUF | PVROM_NET_F_CTRL_VQ |
					       PVROM_NET_F_CTRL_GUEST_OFFLOADS | GUEST_OFFLOADS,
				       rings[i]);

		for (n = 0; n < 400; n++) {
			const uint32_t len = 1 + draw(3000);
			const uint16_t size = (uint16_t)(100 + draw(1500));
			struct pvrom_net_header h;
			struct frame_plan p;
			uint64_t offloads;
			size_t bytes;
			bool whole;

			oracle_draw(&p, &seed);
			p.ipv4_fragment = 0;
			h = oracle_header(&p, size);
			offloads = draw(2) ? GUEST_OFFLOADS : draw(2) ? offload_for(&h, &p) : 0;
			/* Take one away that it needs, at times. */
			whole = offloads && draw(3);
			if (offloads && !whole)
				offloads &= ~(offload_for(&h, &p) & ~PVROM_NET_F_GUEST_CSUM);
			wrong += net_world_command(w, 5, 0, &offloads, 8) != PVROM_NET_CTRL_OK;
			wrong += w->told_offloads != offloads;
			while (net_world_give(w, 0, 1600))
				;
			bytes = oracle_build_partial(&p, payload, len, frame);
			wrong += pvrom_net_receive(&w->host, &h, frame, bytes) !=
				 PVROM_NET_DELIVERED;
			wrong += !received_as(w, &p, len, size, whole);
			whole_count += whole;
		}
		net_world_close(w);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(whole_count > 100 && whole_count < 700);
}

static void fills_in_sums_that_the_driver_cannot_have_open(void)
{
	struct net_world *w = net_world_open(1, 0, 0, SPLIT);
	const struct frame_plan p = { .ip = 4, .tcp = false };
	struct pvrom_net_header h = oracle_header(&p, 0);
	const size_t len = oracle_build_partial(&p, payload, 77, frame);

	h.gso_type = PVROM_NET_GSO_NONE;
	oracle_build(&p, payload, 77, want);
	net_world_give(w, 0, 200);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_DELIVERED);
	CU_ASSERT(net_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(memcmp(got.bytes, want, len), 0);
	CU_ASSERT_EQUAL(got.header.flags, 0);
	CU_ASSERT_EQUAL(got.header.num_buffers, 1);
	net_world_close(w);
}

static void spreads_over_buffers_only_with_mergeable_ones(void)
{
	const struct pvrom_net_header plain = { 0 };
	struct net_world *w = net_world_open(1, 0, PVROM_NET_F_MRG_RXBUF, PACKED);
	uint32_t i;

	for (i = 0; i < 10; i++)
		net_world_give(w, 0, 100 + i);
	memset(frame, 3, 14);
	memcpy(frame + 14, payload, 486);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 500), PVROM_NET_DELIVERED);
	CU_ASSERT(net_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(got.header.num_buffers, 6); /* 100 + 101 + ... + 104 is 510, two short */
	CU_ASSERT_EQUAL(got.len, 500);
	CU_ASSERT_EQUAL(memcmp(got.bytes, frame, 500), 0);
	/* Four are left, 430 bytes: not enough, and not lost. */
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 500), PVROM_NET_NO_BUFFER);
	CU_ASSERT_EQUAL(w->host.counters.no_buffer, 1);
	net_world_give(w, 0, 100);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 500), PVROM_NET_DELIVERED);
	CU_ASSERT(net_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(got.header.num_buffers, 5);
	CU_ASSERT_EQUAL(memcmp(got.bytes, frame, 500), 0);
	net_world_close(w);

	w = net_world_open(1, 0, 0, SPLIT);
	net_world_give(w, 0, 511);
	net_world_give(w, 0, 512);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 500), PVROM_NET_DROPPED);
	CU_ASSERT_EQUAL(w->host.counters.too_small, 1);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 499), PVROM_NET_DELIVERED);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 500), PVROM_NET_DELIVERED);
	net_world_close(w);
}

/* Both may be asked for one by one at run time; a frame to be cut always has its sum open. */
static void no_large_frames_without_open_sums(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	const struct frame_plan p = { .ip = 4, .tcp = true };
	const struct pvrom_net_header h = oracle_header(&p, 1000);
	const size_t len = oracle_build_partial(&p, payload, 2000, frame);
	const uint64_t offloads = PVROM_NET_F_GUEST_TSO4;

	CU_ASSERT_EQUAL(net_world_command(w, 5, 0, &offloads, 8), PVROM_NET_CTRL_OK);
	while (net_world_give(w, 0, 1600))
		;
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_DELIVERED);
	CU_ASSERT(received_as(w, &p, 2000, 1000, false));
	net_world_close(w);
}

static enum pvrom_net_fate long_one(struct net_world *w, uint32_t tags, size_t len)
{
	const struct pvrom_net_header plain = { 0 };
	uint32_t i;

	memset(frame, 0, len);
	frame[0] = 2;
	for (i = 0; i < tags; i++)
		memcpy(frame + 12 + 4 * i, "\x81\x00\x00\x07", 4);
	while (net_world_give(w, 0, 1600))
		;
	return pvrom_net_receive(&w->host, &plain, frame, len);
}

static void no_frame_is_longer_than_the_mtu(void)
{
	const struct frame_plan p = { .ip = 4, .tcp = true };
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	struct pvrom_net_header h = oracle_header(&p, 1461);
	uint64_t none = 0;
	size_t len;

	CU_ASSERT_EQUAL(long_one(w, 0, 1514), PVROM_NET_DELIVERED);
	CU_ASSERT_EQUAL(long_one(w, 0, 1515), PVROM_NET_DROPPED);
	CU_ASSERT_EQUAL(long_one(w, 1, 1518), PVROM_NET_DELIVERED);
	CU_ASSERT_EQUAL(long_one(w, 1, 1519), PVROM_NET_DROPPED);
	CU_ASSERT_EQUAL(long_one(w, 2, 1522), PVROM_NET_DELIVERED);
	CU_ASSERT_EQUAL(w->host.counters.over_mtu, 2);
	len = oracle_build_partial(&p, payload, 3000,
				   frame); /* whole: it is for the driver to cut */
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_DELIVERED);
	net_world_command(w, 5, 0, &none, 8);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_DROPPED);
	CU_ASSERT_EQUAL(w->host.counters.over_mtu, 3);
	net_world_close(w);
	w = net_world_open(1, 0, PVROM_NET_F_MRG_RXBUF, SPLIT); /* was not told */
	CU_ASSERT_EQUAL(long_one(w, 0, 1515), PVROM_NET_DELIVERED);
	net_world_close(w);
}

/* A header at the end of a page that cannot be written, its frame on the next one: a write is a SIGSEGV. */
static void a_header_that_is_there_is_not_written(void)
{
	const struct pvrom_net_header plain = { 0 }, there = { .num_buffers = 1 };
	struct net_world *w = net_world_open(1, 0, PVROM_NET_F_MRG_RXBUF, SPLIT);
	const uintptr_t from = (uintptr_t)w->memory + w->queue[0].next_data;
	uint8_t *page = (uint8_t *)((from + 4095) & ~(uintptr_t)4095);
	uint8_t *frame_page = page + 4096;

	memcpy(frame_page - sizeof(there), &there, sizeof(there));
	w->queue[0].next_data = (uint32_t)(frame_page - sizeof(there) - w->memory);
	CU_ASSERT_EQUAL_FATAL(mprotect(page, 4096, PROT_READ), 0);
	net_world_give(w, 0, 1600);
	memset(frame, 3, 64);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 64), PVROM_NET_DELIVERED);
	CU_ASSERT(net_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(got.header.num_buffers, 1);
	CU_ASSERT_EQUAL(memcmp(got.bytes, frame, 64), 0);
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	net_world_close(w);
}

const struct tap_test net_receive_cases[] = {
	{ "frames arrive as the driver can take them [PVROM-NET-5]", receives_as_the_driver_can },
	{ "open sums are filled in for a driver without",
	  fills_in_sums_that_the_driver_cannot_have_open },
	{ "a frame is spread over mergeable buffers only",
	  spreads_over_buffers_only_with_mergeable_ones },
	{ "no frame to be cut without an open sum", no_large_frames_without_open_sums },
	{ "no frame is longer than the MTU [PVROM-NET-6]", no_frame_is_longer_than_the_mtu },
	{ "a header that is there is not written", a_header_that_is_there_is_not_written },
	{ 0 }
};
