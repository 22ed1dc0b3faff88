/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the driver sends: summed and cut as asked, against the oracle.
 */
#include <string.h>

#include "net_card.h"

/* The frames that the driver's one becomes; the card may only be asked for what it has to do itself. */
static bool sent_as_segments(struct net_world *w, const struct frame_plan *p, uint32_t len,
			     uint16_t size)
{
	uint32_t n = 0, at = 0;

	do {
		const uint32_t part = !size || len - at < size ? len - at : size;
		const struct frame_plan plan = oracle_segment(p, n, at, at + part == len);
		const size_t bytes = oracle_build(&plan, payload + at, part, want);
		const struct world_frame *f = &w->sent[n];

		if (n >= w->sent_count || f->len != bytes || memcmp(f->bytes, want, bytes) != 0 ||
		    f->header.flags || f->header.gso_type)
			return false;
		at += part;
		n++;
	} while (at < len);
	return n == w->sent_count;
}

static void sends_what_was_asked_for(void)
{
	static const uint64_t rings[] = { SPLIT, PACKED };
	uint32_t i, wrong = 0;

	for (i = 0; i < 2; i++) {
		struct net_world *w = net_world_open(2, 0, NET_ALL, rings[i]);
		uint32_t n;

		for (n = 0; n < 400; n++) {
			const uint32_t len = draw(20) ? draw(3000) : 20000 + draw(40000);
			const uint16_t size = (uint16_t)(draw(3) ? 40 + draw(2000) : 0);
			struct pvrom_net_header h;
			struct frame_plan p;
			size_t bytes;

			oracle_draw(&p, &seed);
			h = oracle_header(&p, size);
			h.gso_type = size ? h.gso_type : PVROM_NET_GSO_NONE;
			bytes = oracle_build_partial(&p, payload, len, frame);
			wrong += !net_world_send(w, n & 1, &h, frame, bytes,
						 (uint32_t)bytes / 20 + 1 + draw(3000));
			wrong += !sent_as_segments(w, &p, len, size);
			net_world_forget_sent(w);
		}
		CU_ASSERT_EQUAL(w->host.counters.malformed, 0);
		net_world_close(w);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void backend_that_can_gets_it_as_it_is(void)
{
	const struct frame_plan p = { .ip = 4, .tcp = true };
	struct net_world *w = net_world_open(1, HOST_OFFLOADS, NET_ALL, SPLIT);
	const struct pvrom_net_header h = oracle_header(&p, 500);
	const size_t len = oracle_build_partial(&p, payload, 4000, frame);

	CU_ASSERT(net_world_send(w, 0, &h, frame, len, 1000));
	CU_ASSERT_EQUAL_FATAL(w->sent_count, 1);
	CU_ASSERT_EQUAL(w->sent[0].len, len);
	CU_ASSERT_EQUAL(memcmp(w->sent[0].bytes, frame, len), 0);
	CU_ASSERT_EQUAL(memcmp(&w->sent[0].header, &h, sizeof(h)), 0);
	w->refuse = true;
	CU_ASSERT(net_world_send(w, 0, &h, frame, len,
				 1000)); /* the buffer comes back all the same */
	CU_ASSERT_EQUAL(w->host.counters.send_failed, 1);
	CU_ASSERT_EQUAL(w->host.counters.sent, 1);
	w->refuse = false;
	pvrom_net_host_set_link(&w->host, false);
	CU_ASSERT(net_world_send(w, 0, &h, frame, len, 1000));
	CU_ASSERT_EQUAL(w->host.counters.link_down, 1);
	CU_ASSERT_EQUAL(w->sent_count, 1);
	net_world_close(w);
}

/* What a driver has no right to say of what it sends, a switch would hand on to another driver. */
static void nothing_else_gets_to_the_backend(void)
{
	struct net_world *w = net_world_open(1, HOST_OFFLOADS, NET_ALL, SPLIT);
	const struct frame_plan p = { .ip = 4, .tcp = true };
	struct pvrom_net_header h, none = { 0 };
	const size_t len = oracle_build_partial(&p, payload, 400, frame);

	memset(&h, 0xff, sizeof(h));
	h.flags = (uint8_t)~PVROM_NET_HDR_NEEDS_CSUM;
	h.gso_type = PVROM_NET_GSO_NONE;
	CU_ASSERT(net_world_send(w, 0, &h, frame, len, 70000));
	CU_ASSERT_EQUAL_FATAL(w->sent_count, 1);
	CU_ASSERT_EQUAL(memcmp(&w->sent[0].header, &none, sizeof(none)), 0);
	h = oracle_header(&p, 100);
	h.gso_type = PVROM_NET_GSO_NONE;
	h.flags = 0xff;
	h.num_buffers = 77;
	CU_ASSERT(net_world_send(w, 0, &h, frame, len, 70000));
	none.flags = PVROM_NET_HDR_NEEDS_CSUM;
	none.csum_start = h.csum_start;
	none.csum_offset = h.csum_offset;
	CU_ASSERT_EQUAL(memcmp(&w->sent[1].header, &none, sizeof(none)), 0);
	net_world_close(w);
}

const struct tap_test net_send_cases[] = {
	{ "frames are summed and cut as asked [PVROM-NET-3] [PVROM-NET-4]",
	  sends_what_was_asked_for },
	{ "a backend that can gets them as they are", backend_that_can_gets_it_as_it_is },
	{ "of the header only what is asked for gets to the backend [PVROM-NET-7]",
	  nothing_else_gets_to_the_backend },
	{ 0 }
};
