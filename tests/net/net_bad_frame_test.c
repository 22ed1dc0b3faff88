/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames that are not what they say, and what a driver may not ask for: each judged or refused for its
 * own reason. They lie in memory of exactly their length, for a sanitizer to see a byte too far.
 */
#include <stdlib.h>
#include <string.h>

#include <pvrom/net_frame.h>

#include "../cunit_tap.h"
#include "frame_oracle.h"

static uint8_t payload[4000], frame[ORACLE_FRAME_ROOM];
static const uint8_t key[PVROM_NET_HASH_KEY_BYTES] = { 1 };

/* ---- judging --------------------------------------------------------------------------------------- */

static enum pvrom_net_verdict judge_plan(const struct frame_plan *p, uint32_t len)
{
	return pvrom_net_frame_judge(frame, oracle_build(p, payload, len, frame));
}

static void judges_the_rest_unknown(void)
{
	struct frame_plan p = { .ip = 4, .tcp = true };
	size_t bytes;

	p.ipv4_fragment = 0x2000;
	CU_ASSERT_EQUAL(judge_plan(&p, 100), PVROM_NET_UNKNOWN);
	p.ipv4_fragment = 0x0010;
	CU_ASSERT_EQUAL(judge_plan(&p, 100), PVROM_NET_UNKNOWN);
	p = (struct frame_plan){ .ip = 4, .udp_without_sum = true };
	CU_ASSERT_EQUAL(judge_plan(&p, 100), PVROM_NET_UNKNOWN);
	p.ip = 6;
	CU_ASSERT_EQUAL(judge_plan(&p, 100), PVROM_NET_BAD);
	p = (struct frame_plan){ .ip = 6, .tcp = true, .extensions = 1, .extension = { 44 } };
	CU_ASSERT_EQUAL(judge_plan(&p, 100), PVROM_NET_GOOD);
	frame[14 + 40 + 3] = 1; /* more fragments */
	CU_ASSERT_EQUAL(pvrom_net_frame_judge(frame, 14 + 40 + 8 + 20 + 100), PVROM_NET_UNKNOWN);
	p.extension[0] = 43;
	bytes = oracle_build(&p, payload, 100, frame);
	frame[14 + 40 + 3] = 1; /* a segment left: the destination in the sum is another */
	CU_ASSERT_EQUAL(pvrom_net_frame_judge(frame, bytes), PVROM_NET_UNKNOWN);
	p = (struct frame_plan){ .ip = 4, .tcp = true };
	bytes = oracle_build(&p, payload, 100, frame);
	CU_ASSERT_EQUAL(pvrom_net_frame_judge(frame, bytes - 1), PVROM_NET_UNKNOWN);
	CU_ASSERT_EQUAL(pvrom_net_frame_judge(frame, 10), PVROM_NET_UNKNOWN);
}

/* Frames end in the middle of what their headers speak of: in exact memory, for a sanitizer to see. */
static enum pvrom_net_verdict judge_cut(const uint8_t *bytes, size_t len, struct pvrom_net_frame *f,
					uint16_t *report)
{
	uint8_t *exact = malloc(len);
	enum pvrom_net_verdict verdict;

	memcpy(exact, bytes, len);
	pvrom_net_frame_read(f, exact, len);
	verdict = pvrom_net_frame_judge(exact, len);
	pvrom_net_frame_hash(key, 0x3f, exact, len, report);
	free(exact);
	return verdict;
}

static void set_ipv4_total(uint8_t total)
{
	frame[14 + 2] = 0;
	frame[14 + 3] = total;
}

/* Whatever the source port: there is one for which the sum over too few bytes comes out right. */
static bool is_bad_with_any_port(size_t len)
{
	uint32_t port;

	for (port = 0; port < 65536; port++) {
		frame[14 + 20] = (uint8_t)(port >> 8);
		frame[14 + 20 + 1] = (uint8_t)port;
		if (pvrom_net_frame_judge(frame, len) != PVROM_NET_BAD)
			return false;
	}
	return true;
}

static void ends_within_a_header(void)
{
	struct frame_plan p = { .ip = 4, .tcp = true };
	struct pvrom_net_frame f;
	uint16_t report;

	oracle_build(&p, payload, 100, frame);
	set_ipv4_total(20 + 19); /* TCP's header lacks a byte */
	CU_ASSERT_EQUAL(judge_cut(frame, 14 + 39, &f, &report), PVROM_NET_BAD);
	CU_ASSERT_EQUAL(report, PVROM_NET_HASH_REPORT_TCPV4);
	CU_ASSERT(is_bad_with_any_port(14 + 39));
	set_ipv4_total(20 + 3); /* its ports lack one */
	CU_ASSERT_EQUAL(judge_cut(frame, 14 + 23, &f, &report), PVROM_NET_BAD);
	CU_ASSERT_EQUAL(report, PVROM_NET_HASH_REPORT_IPV4);
	p.tcp = false;
	oracle_build(&p, payload, 100, frame);
	set_ipv4_total(20 + 7); /* UDP's header lacks a byte */
	CU_ASSERT_EQUAL(judge_cut(frame, 14 + 27, &f, &report), PVROM_NET_BAD);
	oracle_build(&p, payload, 100, frame);
	frame[14 + 20 + 5]++; /* UDP says one byte more than IP has */
	CU_ASSERT_EQUAL(judge_cut(frame, 14 + 128, &f, &report), PVROM_NET_BAD);
	frame[14 + 20 + 4] = 0;
	frame[14 + 20 + 5] = 7; /* and less than its own header */
	CU_ASSERT(is_bad_with_any_port(14 + 128));
}

static void ends_within_an_extension(void)
{
	struct frame_plan p = { .ip = 6, .tcp = true, .extensions = 8, .extension = { 0, 60, 43 } };
	struct pvrom_net_frame f;
	uint16_t report;
	size_t len = oracle_build(&p, payload, 100, frame);

	pvrom_net_frame_read(&f, frame, len);
	CU_ASSERT_EQUAL(f.transport, oracle_transport(&p));
	p.extensions = 9; /* more than are looked behind */
	len = oracle_build(&p, payload, 100, frame);
	CU_ASSERT_EQUAL(judge_cut(frame, len, &f, &report), PVROM_NET_UNKNOWN);
	CU_ASSERT_EQUAL(f.transport, 0);
	CU_ASSERT_EQUAL(report, PVROM_NET_HASH_REPORT_IPV6);
	p.extensions = 1;
	len = oracle_build(&p, payload, 4, frame);
	frame[14 + 40 + 1] = 200; /* longer than the datagram */
	CU_ASSERT_EQUAL(judge_cut(frame, len, &f, &report), PVROM_NET_UNKNOWN);
	CU_ASSERT_EQUAL(f.transport, 0);
	CU_ASSERT_EQUAL(report, PVROM_NET_HASH_REPORT_IPV6);
	oracle_build(&p, payload, 4, frame);
	frame[14 + 5] = 7; /* the datagram ends in the extension's fixed part */
	CU_ASSERT_EQUAL(judge_cut(frame, 14 + 47, &f, &report), PVROM_NET_UNKNOWN);
	CU_ASSERT_EQUAL(f.transport, 0);
}

/* ---- refusals ------------------------------------------------------------------------------------------------ */

struct refusal_case {
	const char *name;
	enum pvrom_net_refusal want;
	void (*lie)(struct pvrom_net_header *header, uint8_t *bytes, size_t *len);
};

#define LIE(name) static void name(struct pvrom_net_header *h, uint8_t *b, size_t *len)
#define IP 14
#define TCP (14 + 20)
LIE(none)
{
	(void)h, (void)b, (void)len;
}
LIE(no_ethernet)
{
	(void)h, (void)b;
	*len = 13;
}
LIE(too_long)
{
	(void)h, (void)b;
	*len = PVROM_NET_FRAME_MAX + 1;
}
LIE(start_past_the_end)
{
	(void)b;
	h->csum_start = (uint16_t)*len;
}
LIE(start_65535)
{
	(void)b, (void)len;
	h->csum_start = 65535;
	h->csum_offset = 65535;
}
LIE(offset_at_the_end)
{
	(void)b;
	h->csum_offset = (uint16_t)(*len - h->csum_start - 1);
}
LIE(type_2)
{
	(void)b, (void)len;
	h->gso_type = 2;
}
LIE(type_ufo)
{
	(void)b, (void)len;
	h->gso_type = 3;
}
LIE(ecn_alone)
{
	(void)b, (void)len;
	h->gso_type = PVROM_NET_GSO_ECN;
}
LIE(ecn_with_udp)
{
	(void)b, (void)len;
	h->gso_type = PVROM_NET_GSO_ECN | PVROM_NET_GSO_UDP_L4;
}
LIE(no_csum)
{
	(void)b, (void)len;
	h->flags = 0;
}
LIE(size_0)
{
	(void)b, (void)len;
	h->gso_size = 0;
}
LIE(too_many)
{
	(void)b, (void)len;
	h->gso_size = 1;
}
LIE(ipv6_type)
{
	(void)b, (void)len;
	h->gso_type = PVROM_NET_GSO_TCPV6;
}
LIE(udp_type)
{
	(void)b, (void)len;
	h->gso_type = PVROM_NET_GSO_UDP_L4;
}
LIE(arp)
{
	(void)h, (void)len;
	b[13] = 6;
}
LIE(ip_version_5)
{
	(void)h, (void)len;
	b[IP] = 0x55;
}
LIE(ip_header_16)
{
	(void)h, (void)len;
	b[IP] = 0x44;
}
LIE(ip_header_past_tcp)
{
	(void)h, (void)len;
	b[IP] = 0x4f;
}
LIE(ip_longer)
{
	(void)h, (void)len;
	b[IP + 2] = 0xff;
}
LIE(ip_shorter_than_headers)
{
	(void)h, (void)len;
	b[IP + 2] = 0;
	b[IP + 3] = 30;
}

LIE(fragment_first)
{
	(void)h, (void)len;
	b[IP + 6] = 0x20;
}
LIE(fragment_later)
{
	(void)h, (void)len;
	b[IP + 7] = 1;
}
LIE(protocol_icmp)
{
	(void)h, (void)len;
	b[IP + 9] = 1;
}
LIE(tcp_header_16)
{
	(void)h, (void)len;
	b[TCP + 12] = 0x40;
}
LIE(tcp_header_past_end)
{
	(void)h;
	b[IP + 2] = 0;
	b[IP + 3] = 50;
	b[TCP + 12] = 0xf0;
	*len = 14 + 50;
}
LIE(tcp_header_gone)
{
	(void)h;
	b[IP + 2] = 0;
	b[IP + 3] = 30;
	*len = 14 + 30;
	h->csum_offset = 6;
}
LIE(start_elsewhere)
{
	(void)b, (void)len;
	h->csum_start = TCP + 4;
}
LIE(offset_elsewhere)
{
	(void)b, (void)len;
	h->csum_offset = 6;
}
LIE(vlan_cut)
{
	(void)h;
	b[12] = 0x81;
	b[13] = 0;
	*len = 16;
	h->csum_start = 0;
	h->csum_offset = 0;
}

static const struct refusal_case refusals[] = {
	{ "nothing wrong", PVROM_NET_TAKEN, none },
	{ "no Ethernet header", PVROM_NET_SHORT, no_ethernet },
	{ "longer than IP can be", PVROM_NET_SHORT, too_long },
	{ "csum_start past the end", PVROM_NET_CSUM_PLACE, start_past_the_end },
	{ "csum_start and csum_offset that wrap", PVROM_NET_CSUM_PLACE, start_65535 },
	{ "half of the checksum past the end", PVROM_NET_CSUM_PLACE, offset_at_the_end },
	{ "an unknown gso type", PVROM_NET_GSO_TYPE, type_2 },
	{ "UDP fragmentation, never offered", PVROM_NET_GSO_TYPE, type_ufo },
	{ "ECN and nothing else", PVROM_NET_GSO_TYPE, ecn_alone },
	{ "ECN with UDP", PVROM_NET_GSO_TYPE, ecn_with_udp },
	{ "cut without checksum", PVROM_NET_GSO_NO_CSUM, no_csum },
	{ "segments of 0 bytes", PVROM_NET_GSO_SIZE, size_0 },
	{ "more segments than the bound", PVROM_NET_GSO_SIZE, too_many },
	{ "IPv6 said, IPv4 there", PVROM_NET_GSO_HEADERS, ipv6_type },
	{ "UDP said, TCP there", PVROM_NET_GSO_HEADERS, udp_type },
	{ "not IP at all", PVROM_NET_GSO_HEADERS, arp },
	{ "an IP version of 5", PVROM_NET_GSO_HEADERS, ip_version_5 },
	{ "an IP header of 16 bytes", PVROM_NET_GSO_HEADERS, ip_header_16 },
	{ "an IP header that covers TCP's", PVROM_NET_GSO_HEADERS, ip_header_past_tcp },
	{ "an IP length beyond the frame", PVROM_NET_GSO_HEADERS, ip_longer },
	{ "an IP length that cuts TCP's header", PVROM_NET_GSO_HEADERS, ip_shorter_than_headers },
	{ "a first fragment", PVROM_NET_GSO_HEADERS, fragment_first },
	{ "a later fragment", PVROM_NET_GSO_HEADERS, fragment_later },
	{ "another protocol", PVROM_NET_GSO_HEADERS, protocol_icmp },
	{ "a TCP header of 16 bytes", PVROM_NET_GSO_HEADERS, tcp_header_16 },
	{ "a TCP header past the end", PVROM_NET_GSO_HEADERS, tcp_header_past_end },
	{ "a TCP header that ends before its length", PVROM_NET_GSO_HEADERS, tcp_header_gone },
	{ "csum_start not at the TCP header", PVROM_NET_GSO_HEADERS, start_elsewhere },
	{ "csum_offset not TCP's", PVROM_NET_GSO_HEADERS, offset_elsewhere },
	{ "a frame that ends in a VLAN tag", PVROM_NET_GSO_HEADERS, vlan_cut },
};

static void refuses(void)
{
	const struct frame_plan p = { .ip = 4, .tcp = true };
	uint32_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct pvrom_net_header header = oracle_header(&p, 1000);
		size_t len = oracle_build_partial(&p, payload, 4000, frame);
		enum pvrom_net_refusal answer;
		uint8_t *exact;

		refusals[i].lie(&header, frame, &len);
		exact = malloc(len);
		memcpy(exact, frame, len);
		answer = pvrom_net_header_check(&header, exact, len);
		free(exact);
		if (answer != refusals[i].want)
			tap_note("%s: %d, not %d", refusals[i].name, answer, refusals[i].want);
		CU_ASSERT_EQUAL(answer, refusals[i].want);
	}
}

static const struct tap_test tests[] = {
	{ "what has no checksum to judge is unknown", judges_the_rest_unknown },
	{ "frames that end within TCP or UDP", ends_within_a_header },
	{ "frames that end within an extension header, or have too many",
	  ends_within_an_extension },
	{ "what may not be asked for is refused, each by its reason", refuses },
	{ 0 }
};

int main(void)
{
	return tap_run("net.bad_frame", tests);
}
