/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames to be sent that are none, and headers that do not fit theirs; the same headers from outside.
 */
#include <string.h>

#include "net_hostile.h"

/* Sends it; true when it came back, was counted as malformed, and nothing went out. */
static bool refused(struct net_world *w, const struct pvrom_net_header *h, size_t len)
{
	const uint64_t malformed = w->host.counters.malformed;

	return net_world_send(w, 0, h, frame, len, 70000) && !w->sent_count &&
	       w->host.counters.malformed == malformed + 1;
}

/* 100 bytes from an address of the guest's. */
static bool sends_from(struct net_world *w, uint64_t addr)
{
	const struct pvrom_vq_buf buf = { .addr = addr, .len = 100 };
	struct world_queue *q = &w->queue[1];
	struct pvrom_vq_done done;
	uint64_t again;

	pvrom_vq_driver_add(&q->driver, &buf, 1, 0, w);
	pvrom_vq_driver_publish(&q->driver);
	pvrom_net_transmit(&q->queue, 8);
	pvrom_net_queue_publish(&q->queue, 0, &again);
	return pvrom_vq_driver_get(&q->driver, &done) == PVROM_VQ_OK;
}

static void frames_too_short_or_long(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	const struct pvrom_net_header plain = { 0 };
	uint64_t malformed;

	CU_ASSERT(refused(w, &plain, 0)); /* a header alone */
	CU_ASSERT(refused(w, &plain, 13));
	CU_ASSERT(refused(w, &plain, PVROM_NET_FRAME_MAX + 1));
	malformed = w->host.counters.malformed;
	CU_ASSERT(net_world_send_raw(w, 0, &plain, 11, 11)); /* not even that */
	CU_ASSERT(net_world_send_raw(w, 0, &plain, 0, 1));   /* a buffer to write to */
	CU_ASSERT_EQUAL(w->host.counters.malformed, malformed + 2);
	CU_ASSERT_EQUAL(w->sent_count, 0);
	CU_ASSERT(still_works(w));
	net_world_forget_sent(w);
	CU_ASSERT(sends_from(w, WORLD_MEMORY - 50)); /* ends outside guest memory */
	CU_ASSERT_EQUAL(w->host.counters.malformed, malformed + 3);
	CU_ASSERT_EQUAL(w->sent_count, 0);
	net_world_close(w);
}

static void frames_that_ask_for_what_was_not_negotiated(void)
{
	static const struct {
		uint8_t type;
		uint64_t without;
	} cases[] = {
		{ PVROM_NET_GSO_NONE, PVROM_NET_F_CSUM },
		{ PVROM_NET_GSO_TCPV4, PVROM_NET_F_HOST_TSO4 },
		{ PVROM_NET_GSO_TCPV6, PVROM_NET_F_HOST_TSO6 },
		{ PVROM_NET_GSO_UDP_L4, PVROM_NET_F_HOST_USO },
		{ PVROM_NET_GSO_TCPV4 | PVROM_NET_GSO_ECN, PVROM_NET_F_HOST_ECN },
	};
	const uint64_t all = PVROM_NET_F_CSUM | PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 |
			     PVROM_NET_F_HOST_USO | PVROM_NET_F_HOST_ECN;
	uint32_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const bool udp = cases[i].type == PVROM_NET_GSO_UDP_L4;
		const struct frame_plan p = { .ip = cases[i].type == PVROM_NET_GSO_TCPV6 ? 6 : 4,
					      .tcp = !udp };
		/* A backend that could do everything is not asked either. */
		struct net_world *w =
			net_world_open(1, all, i ? all & ~cases[i].without : 0, SPLIT);
		struct pvrom_net_header h = oracle_header(&p, 500);
		const size_t len = oracle_build_partial(&p, payload, 1000, frame);

		h.gso_type = cases[i].type;
		CU_ASSERT(refused(w, &h, len));
		net_world_close(w);
		w = net_world_open(1, all, all, SPLIT);
		CU_ASSERT(net_world_send(w, 0, &h, frame, len, 70000));
		CU_ASSERT_EQUAL(w->sent_count, 1);
		net_world_close(w);
	}
}

/* ---- headers that do not fit their frame -------------------------------------------------------------------- */

static const struct frame_plan tcp = { .ip = 4, .tcp = true }, udp = { .ip = 4 },
			       tcp6 = { .ip = 6, .tcp = true };
#define PAYLOAD 4000u

/* A frame and its header as they should be, and what is done to them. */
struct lie {
	const char *name;
	const struct frame_plan *plan;
	void (*tell)(struct pvrom_net_header *h, size_t *len);
};

#define TELL(name, what)                                                                           \
	static void name(struct pvrom_net_header *h, size_t *len)                                  \
	{                                                                                          \
		(void)h, (void)len;                                                                \
		what;                                                                              \
	}
TELL(start_past_the_end, h->csum_start = (uint16_t)*len)
TELL(start_far_past_the_end, h->csum_start = 65535)
TELL(start_and_offset_wrap, (h->csum_start = 65535, h->csum_offset = 65535))
TELL(offset_past_the_end, h->csum_offset = (uint16_t)(*len - h->csum_start - 1))
TELL(offset_far_past_the_end, h->csum_offset = 65535)
TELL(start_before_the_header, h->csum_start--)
TELL(start_at_0, h->csum_start = 0)
TELL(start_behind_the_header, h->csum_start = (uint16_t)(h->csum_start + 20))
TELL(offset_of_the_other_protocol, h->csum_offset = h->csum_offset == 16 ? 6 : 16)
TELL(offset_in_the_payload, h->csum_offset = 100)
TELL(size_0, h->gso_size = 0)
TELL(size_1, h->gso_size = 1)
TELL(no_sum_asked, h->flags = 0)
TELL(type_2, h->gso_type = 2)
TELL(type_3, h->gso_type = 3)
TELL(type_127, h->gso_type = 127)
TELL(type_255, h->gso_type = 255)
TELL(ecn_alone, h->gso_type = PVROM_NET_GSO_ECN)
TELL(ecn_and_udp, h->gso_type = PVROM_NET_GSO_UDP_L4 | PVROM_NET_GSO_ECN)
TELL(tcp_over_6, h->gso_type = PVROM_NET_GSO_TCPV6)
TELL(tcp_over_4, h->gso_type = PVROM_NET_GSO_TCPV4)
TELL(as_udp, h->gso_type = PVROM_NET_GSO_UDP_L4)
TELL(cut_in_ethernet, (*len = 14, h->csum_start = 8, h->csum_offset = 2))
TELL(cut_in_ip, (*len = 30, h->csum_start = 14))
TELL(cut_in_tcp, *len = 14 + 20 + 19)
TELL(cut_in_the_options, (*len = 14 + 20 + 20, frame[14 + 20 + 12] = 0xf0))
TELL(cut_in_the_payload, *len -= 1)
TELL(no_ethernet_type, frame[12] = 9)
TELL(ip_of_no_words, frame[14] = 0x40)
TELL(ip_of_15_words, frame[14] = 0x4f)
TELL(ip_version_5, frame[14] = 0x55)
TELL(ip_longer_than_the_frame, (frame[16] = 0xff, frame[17] = 0xff))
TELL(ip_shorter_than_its_header, (frame[16] = 0, frame[17] = 19))
TELL(a_fragment, frame[20] = 0x20)
TELL(a_later_fragment, frame[21] = 1)
TELL(tcp_of_no_words, frame[14 + 20 + 12] = 0)
TELL(tcp_of_4_words, frame[14 + 20 + 12] = 0x40)
TELL(another_protocol, frame[14 + 9] = 1)
TELL(extensions_without_end, frame[14 + 6] = 0)
TELL(vlan_tags_without_end, (frame[12] = 0x81, frame[13] = 0, frame[16] = 0x81, frame[17] = 0,
			     frame[20] = 0x81, frame[21] = 0))

static const struct lie lies[] = {
	{ "csum_start at the end", &tcp, start_past_the_end },
	{ "csum_start past the end", &tcp, start_far_past_the_end },
	{ "csum_start and csum_offset that wrap", &tcp, start_and_offset_wrap },
	{ "a sum with one byte in the frame", &tcp, offset_past_the_end },
	{ "csum_offset past the end", &tcp, offset_far_past_the_end },
	{ "csum_start before the TCP header", &tcp, start_before_the_header },
	{ "csum_start at 0", &tcp, start_at_0 },
	{ "csum_start behind the TCP header", &tcp, start_behind_the_header },
	{ "UDP's csum_offset for TCP", &tcp, offset_of_the_other_protocol },
	{ "TCP's csum_offset for UDP", &udp, offset_of_the_other_protocol },
	{ "csum_offset in the payload", &tcp, offset_in_the_payload },
	{ "segments of 0 bytes", &tcp, size_0 },
	{ "UDP in segments of 0 bytes", &udp, size_0 },
	{ "4,000 segments", &tcp, size_1 },
	{ "no checksum asked for", &tcp, no_sum_asked },
	{ "segmentation of type 2", &tcp, type_2 },
	{ "segmentation of type 3 (UFO)", &udp, type_3 },
	{ "segmentation of type 127", &tcp, type_127 },
	{ "segmentation of type 255", &tcp, type_255 },
	{ "ECN alone", &tcp, ecn_alone },
	{ "ECN and UDP", &udp, ecn_and_udp },
	{ "TCP over IPv4 as over IPv6", &tcp, tcp_over_6 },
	{ "TCP over IPv6 as over IPv4", &tcp6, tcp_over_4 },
	{ "TCP as UDP", &tcp, as_udp },
	{ "UDP as TCP", &udp, tcp_over_4 },
	{ "a frame that ends behind Ethernet's header", &tcp, cut_in_ethernet },
	{ "a frame that ends in IP's header", &tcp, cut_in_ip },
	{ "a frame that ends in TCP's header", &tcp, cut_in_tcp },
	{ "a frame that ends in TCP's options", &tcp, cut_in_the_options },
	{ "a frame that ends a byte early", &tcp, cut_in_the_payload },
	{ "a frame that ends a byte early, IPv6", &tcp6, cut_in_the_payload },
	{ "no IP at all", &tcp, no_ethernet_type },
	{ "an IP header of no words", &tcp, ip_of_no_words },
	{ "an IP header of 15 words", &udp, ip_of_15_words },
	{ "IP of version 5", &tcp, ip_version_5 },
	{ "IP longer than the frame", &tcp, ip_longer_than_the_frame },
	{ "IP shorter than its header", &tcp, ip_shorter_than_its_header },
	{ "a first fragment", &tcp, a_fragment },
	{ "a later fragment", &tcp, a_later_fragment },
	{ "a TCP header of no words", &tcp, tcp_of_no_words },
	{ "a TCP header of 4 words", &tcp, tcp_of_4_words },
	{ "a protocol that is neither", &tcp, another_protocol },
	{ "IPv6, an extension header in TCP's place", &tcp6, extensions_without_end },
	{ "three VLAN tags", &tcp, vlan_tags_without_end },
};

static size_t tell(const struct lie *lie, struct pvrom_net_header *h)
{
	size_t len = oracle_build_partial(lie->plan, payload, PAYLOAD, frame);

	*h = oracle_header(lie->plan, 1000);
	lie->tell(h, &len);
	return len;
}

/* The card, which does it all itself. */
static void headers_that_lie(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	struct pvrom_net_header h;
	uint32_t i;

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		const size_t len = tell(&lies[i], &h);
		const bool fine = refused(w, &h, len);

		if (!fine)
			tap_note("%s", lies[i].name);
		CU_ASSERT(fine);
		net_world_forget_sent(w);
	}
	tap_note("%u headers", i);
	CU_ASSERT(still_works(w));
	net_world_close(w);
}

/* The same from outside: from a switch, say, whose other port believed a driver. */
static void headers_from_outside_that_lie(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	struct pvrom_net_header h;
	uint32_t i;

	while (net_world_give(w, 0, 5000))
		;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		const size_t len = tell(&lies[i], &h);

		CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_DROPPED);
	}
	CU_ASSERT_EQUAL(w->host.counters.refused, i);
	CU_ASSERT_FALSE(net_world_take(w, 0, &got));
	CU_ASSERT(still_works(w));
	net_world_close(w);
}

/* A hint that is wrong is none; a type that nobody knows is not a backend's to judge, whatever it can. */
static void hints_and_types(void)
{
	static const uint16_t hint[] = { 0, 1, 13, 65535 };
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	struct pvrom_net_header h;
	size_t len;
	uint32_t i;

	for (i = 0; i < 4; i++) {
		h = oracle_header(&tcp, 1000);
		h.hdr_len = hint[i];
		len = oracle_build_partial(&tcp, payload, PAYLOAD, frame);
		CU_ASSERT(net_world_send(w, 0, &h, frame, len, 70000));
		CU_ASSERT_EQUAL(w->sent_count, 4);
		net_world_forget_sent(w);
	}
	net_world_close(w);
	w = net_world_open(1, UINT64_MAX, NET_ALL, SPLIT);
	h = oracle_header(&tcp, 1000), h.gso_type = 3;
	len = oracle_build_partial(&tcp, payload, PAYLOAD, frame);
	CU_ASSERT(refused(w, &h, len));
	net_world_close(w);
}

/* 48 bytes each is the least that a frame of 64 KiB may be cut into, and 2,048 the most segments that there are. */
static void as_many_segments_as_may_be(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	struct pvrom_net_header h = oracle_header(&tcp, 1);
	size_t len = oracle_build_partial(&tcp, payload, 2048, frame);

	CU_ASSERT(net_world_send(w, 0, &h, frame, len, 70000));
	CU_ASSERT_EQUAL(w->sent_count, 2048);
	net_world_forget_sent(w);
	len = oracle_build_partial(&tcp, payload, 2049, frame);
	CU_ASSERT(refused(w, &h, len));
	net_world_close(w);
}

const struct tap_test hostile_frames[] = {
	{ "frames too short or too long [PVROM-NET-16]", frames_too_short_or_long },
	{ "frames that ask for what was not negotiated",
	  frames_that_ask_for_what_was_not_negotiated },
	{ "headers that lie are refused whole [PVROM-NET-16] [PVROM-NET-17]", headers_that_lie },
	{ "the same from outside [PVROM-NET-18]", headers_from_outside_that_lie },
	{ "hints are not believed, and types not passed on", hints_and_types },
	{ "as many segments as may be, and one more [PVROM-NET-19]", as_many_segments_as_may_be },
	{ 0 }
};
