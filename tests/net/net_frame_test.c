/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvnet's checksums and segments against the oracle, over random frames; hashes against
 * published ones.
 *
 *	net_frame_test [PACKETS [SEED]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pvrom/net_frame.h>

#include "../cunit_tap.h"
#include "frame_oracle.h"

static uint8_t payload[66000], frame[ORACLE_FRAME_ROOM], want[ORACLE_FRAME_ROOM],
	got[ORACLE_FRAME_ROOM];
static uint32_t packets = 20000;
static uint64_t seed = 1;

static uint32_t draw(uint32_t below)
{
	return oracle_random(&seed, below);
}

/* Key, and frames and hashes below: Microsoft, "Verifying the RSS Hash Calculation" (Windows drivers). */
static const uint8_t key[PVROM_NET_HASH_KEY_BYTES] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

/* ---- segments ------------------------------------------------------------------------------------------ */

/* Lengths: mostly some segments, at times as long as IP allows; sizes from 1. */
static uint32_t draw_length(const struct frame_plan *p)
{
	const uint32_t most = 65535 - (uint32_t)oracle_headers(p) + 14;

	return draw(50) ? draw(4000) : most - draw(64);
}

static bool cuts_as_the_oracle(const struct frame_plan *p, uint32_t len, uint16_t size)
{
	const struct pvrom_net_header header = oracle_header(p, size);
	const size_t whole = oracle_build_partial(p, payload, len, frame);
	struct pvrom_net_segments s;
	uint32_t n, at = 0;

	if (pvrom_net_header_check(&header, frame, whole) != PVROM_NET_TAKEN)
		return false;
	pvrom_net_segments_begin(&s, &header, frame, whole);
	for (n = 0; !n || at < len; n++) {
		const uint32_t part = len - at < size ? len - at : size;
		const struct frame_plan plan = oracle_segment(p, n, at, at + part == len);
		const size_t bytes = oracle_build(&plan, payload + at, part, want);

		if (pvrom_net_segments_next(&s, got) != bytes || memcmp(want, got, bytes) != 0)
			return false;
		at += part;
	}
	return pvrom_net_segments_next(&s, got) == 0;
}

static void segments(void)
{
	uint32_t i, wrong = 0, per_kind[3] = { 0 };

	for (i = 0; i < packets; i++) {
		struct frame_plan p;
		uint32_t len, least;

		oracle_draw(&p, &seed);
		p.padding = draw(4) ? 0 : draw(20);
		len = draw_length(&p);
		p.padding = len > 60000 ? 0 : p.padding;
		least = len / PVROM_NET_SEGMENTS_MAX + 1;
		wrong += !cuts_as_the_oracle(&p, len, (uint16_t)(least + draw(3000)));
		per_kind[p.tcp ? p.ip == 6 : 2]++;
	}
	tap_note("%u frames cut: %u TCP over IPv4, %u over IPv6, %u UDP", packets, per_kind[0],
		 per_kind[1], per_kind[2]);
	CU_ASSERT_EQUAL(wrong, 0);
	for (i = 0; i < 3; i++)
		CU_ASSERT(per_kind[i] > packets / 10);
}

/* ---- one checksum --------------------------------------------------------------------------------------- */

static void fills(void)
{
	uint32_t i, wrong = 0;

	for (i = 0; i < packets; i++) {
		const uint32_t len = draw(2000);
		struct pvrom_net_header header;
		struct frame_plan p;
		size_t bytes;

		oracle_draw(&p, &seed);
		header = oracle_header(&p, 0);
		header.gso_type = PVROM_NET_GSO_NONE;
		bytes = oracle_build_partial(&p, payload, len, frame);
		oracle_build(&p, payload, len, want);
		wrong += pvrom_net_header_check(&header, frame, bytes) != PVROM_NET_TAKEN;
		pvrom_net_csum_fill(&header, frame, bytes);
		wrong += memcmp(frame, want, bytes) != 0;
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

/* What is in the checksum's place of a frame with this plan. */
static unsigned sum_in(const struct frame_plan *p, const uint8_t *bytes)
{
	const uint8_t *place = bytes + oracle_transport(p) + (p->tcp ? 16 : 6);

	return place[0] * 256u + place[1];
}

/* A payload of `len` bytes, an even number, whose frame adds up to a checksum of zero. */
static void make_zero_payload(const struct frame_plan *p, uint8_t *bytes, uint32_t len)
{
	unsigned sum;

	memcpy(bytes, payload, len);
	bytes[len - 2] = bytes[len - 1] = 0;
	oracle_build(p, bytes, len, want);
	sum = sum_in(p, want);
	bytes[len - 2] = (uint8_t)(sum >> 8);
	bytes[len - 1] = (uint8_t)sum;
}

/*
 * Filled in alone, and as the first of two segments: 0 for TCP, which takes the other zero as well (RFC 1071),
 * 0xffff for UDP, whose 0 says that there is none (RFC 768).
 */
static void check_zero(const struct frame_plan *p)
{
	struct pvrom_net_header header = oracle_header(p, 40);
	const size_t place = oracle_transport(p) + header.csum_offset;
	struct pvrom_net_segments s;
	uint8_t bytes[80] = { 0 };
	size_t len;

	make_zero_payload(p, bytes, 40);
	len = oracle_build_partial(p, bytes, 80, frame);
	pvrom_net_segments_begin(&s, &header, frame, len);
	CU_ASSERT_EQUAL(pvrom_net_segments_next(&s, got), oracle_headers(p) + 40);
	CU_ASSERT_EQUAL(sum_in(p, got), p->tcp ? 0 : 0xffff);
	header.gso_type = PVROM_NET_GSO_NONE;
	len = oracle_build_partial(p, bytes, 40, frame);
	pvrom_net_csum_fill(&header, frame, len);
	CU_ASSERT_EQUAL(sum_in(p, frame), p->tcp ? 0 : 0xffff);
	CU_ASSERT_EQUAL(pvrom_net_frame_judge(frame, len), PVROM_NET_GOOD);
	frame[place] ^= 0xff;
	frame[place + 1] ^= 0xff;
	CU_ASSERT(p->tcp == (pvrom_net_frame_judge(frame, len) == PVROM_NET_GOOD));
}

static void zero_sums(void)
{
	uint32_t i;

	for (i = 0; i < 4; i++) {
		struct frame_plan p = {
			.ip = i & 1 ? 4 : 6, .tcp = i & 2, .fill = 5, .sequence = 77
		};

		check_zero(&p);
	}
}

/* Pieces of any length, odd ones among them, sum up as the whole does. */
static void pieces(void)
{
	uint32_t i, wrong = 0;

	for (i = 0; i < packets; i++) {
		const uint32_t len = draw(300), from = draw(8);
		struct pvrom_net_sum whole = { 0 }, parts = { 0 };
		uint32_t at = 0;

		pvrom_net_sum_add(&whole, payload + from, len);
		while (at < len) {
			const uint32_t part = 1 + draw(len - at);

			pvrom_net_sum_add(&parts, payload + from + at, part);
			at += part;
		}
		wrong += pvrom_net_sum_end(&whole) != pvrom_net_sum_end(&parts);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

/* ---- judging ---------------------------------------------------------------------------------------------- */

static void judges_good_and_bad(void)
{
	uint32_t i, wrong = 0, missed = 0;

	for (i = 0; i < packets; i++) {
		const uint32_t len = draw(1500);
		struct frame_plan p;
		size_t bytes, at;

		oracle_draw(&p, &seed);
		p.padding = draw(2) ? 0 : draw(60);
		bytes = oracle_build(&p, payload, len, frame);
		wrong += pvrom_net_frame_judge(frame, bytes) != PVROM_NET_GOOD;
		/* One bit of what is summed, the checksum's own and UDP's length left alone. */
		at = oracle_headers(&p) + (len ? draw(len) : 0);
		at = len ? at : oracle_transport(&p);
		frame[at] ^= (uint8_t)(1u << draw(8));
		missed += pvrom_net_frame_judge(frame, bytes) != PVROM_NET_BAD;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(missed, 0);
}

/* Every frame cut off at every byte, and with every byte of its headers changed: an answer, no more. */
static void survives_anything(void)
{
	uint32_t i, cut;

	for (i = 0; i < packets / 100; i++) {
		struct pvrom_net_header header;
		struct frame_plan p;
		uint16_t report;
		uint8_t *exact;
		size_t bytes;

		oracle_draw(&p, &seed);
		bytes = oracle_build(&p, payload, draw(40), frame);
		header = oracle_header(&p, 7);
		for (cut = 0; cut < 20; cut++) {
			frame[draw((uint32_t)bytes)] = (uint8_t)draw(256);
			bytes -= draw(3) || !bytes ? 0 : draw((uint32_t)bytes);
			if (!bytes)
				break;
			exact = malloc(bytes); /* so that a sanitizer sees one byte too far */
			memcpy(exact, frame, bytes);
			CU_ASSERT(pvrom_net_frame_judge(exact, bytes) <= PVROM_NET_UNKNOWN);
			pvrom_net_frame_hash(exact, ~0u, exact, 0, &report);
			if (bytes >= PVROM_NET_HASH_KEY_BYTES)
				pvrom_net_frame_hash(exact, ~0u, exact, bytes, &report);
			if (pvrom_net_header_check(&header, exact, bytes) == PVROM_NET_TAKEN) {
				struct pvrom_net_segments s;

				pvrom_net_segments_begin(&s, &header, exact, bytes);
				while (pvrom_net_segments_next(&s, got))
					CU_ASSERT(s.index <= PVROM_NET_SEGMENTS_MAX);
			}
			free(exact);
		}
	}
}

/* ---- hashes ---------------------------------------------------------------------------------------------------- */

struct hash_case {
	uint8_t ip;
	uint8_t addresses[32]; /* source, destination */
	uint16_t ports[2];
	uint32_t plain, with_ports;
};

static const struct hash_case hashes[] = {
	{ 4, { 66, 9, 149, 187, 161, 142, 100, 80 }, { 2794, 1766 }, 0x323e8fc2, 0x51ccc178 },
	{ 4, { 199, 92, 111, 2, 65, 69, 140, 83 }, { 14230, 4739 }, 0xd718262a, 0xc626b0ea },
	{ 4, { 24, 19, 198, 95, 12, 22, 207, 184 }, { 12898, 38024 }, 0xd2d0a5de, 0x5c2b394a },
	{ 4, { 38, 27, 205, 30, 209, 142, 163, 6 }, { 48228, 2217 }, 0x82989176, 0xafc7327f },
	{ 4, { 153, 39, 163, 191, 202, 188, 127, 2 }, { 44251, 1303 }, 0x5d1809c5, 0x10e828a2 },
	{ 6,
	  { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, [15] = 0x07, 0x3f, 0xfe, 0x25, 0x01,
	    0x02, 0x00, 0x00, 0x03, [31] = 0x01 },
	  { 2794, 1766 },
	  0x2cc18cd5,
	  0x40207d3d },
	{ 6,
	  { 0x3f, 0xfe, 0x05, 0x01, 0x00, 0x08, 0x00, 0x00, 0x02, 0x60, 0x97, 0xff, 0xfe, 0x40,
	    0xef, 0xab, 0xff, 0x02, [31] = 0x01 },
	  { 14230, 4739 },
	  0x0f0c461c,
	  0xdde51bbf },
	{ 6,
	  { 0x3f, 0xfe, 0x19, 0x00, 0x45, 0x45, 0x00, 0x03, 0x02, 0x00, 0xf8,
	    0xff, 0xfe, 0x21, 0x67, 0xcf, 0xfe, 0x80, 0,    0,	  0,	0,
	    0,	  0,	0x02, 0x00, 0xf8, 0xff, 0xfe, 0x21, 0x67, 0xcf },
	  { 44251, 38024 },
	  0x4b61e985,
	  0x02d1feef },
};

static size_t hash_frame(const struct hash_case *c, bool tcp, uint16_t fragment)
{
	const struct frame_plan p = { .ip = c->ip,
				      .tcp = tcp,
				      .ipv4_fragment = fragment,
				      .ports = { c->ports[0], c->ports[1] } };
	const size_t len = oracle_build(&p, payload, 10, frame);

	memcpy(frame + 14 + (c->ip == 4 ? 12 : 8), c->addresses, c->ip == 4 ? 8 : 32);
	return len;
}

static void check_hash(const struct hash_case *c, bool tcp, uint32_t types, uint32_t hash,
		       uint16_t report)
{
	const size_t len = hash_frame(c, tcp, 0);
	uint16_t said;

	CU_ASSERT_EQUAL(pvrom_net_frame_hash(key, types, frame, len, &said), hash);
	CU_ASSERT_EQUAL(said, report);
}

static void published_hashes(void)
{
	uint32_t i;

	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		const struct hash_case *c = &hashes[i];
		const bool four = c->ip == 4;

		check_hash(c, true, 0x3f, c->with_ports, four ? 2 : 5);
		check_hash(c, false, 0x3f, c->with_ports, four ? 3 : 6);
		check_hash(c, true, 0x3f & ~0x12u, c->plain, four ? 1 : 4);
		check_hash(c, false, 0x3f & ~0x24u, c->plain, four ? 1 : 4);
		check_hash(c, true, four ? 0x38 : 0x07, 0, 0);
	}
}

static void fragments_have_no_ports(void)
{
	const size_t len = hash_frame(&hashes[0], true, 0x2000);
	uint16_t said;

	CU_ASSERT_EQUAL(pvrom_net_frame_hash(key, 0x3f, frame, len, &said), hashes[0].plain);
	CU_ASSERT_EQUAL(said, PVROM_NET_HASH_REPORT_IPV4);
}

/* ---- VLAN -------------------------------------------------------------------------------------------------------- */

static void outermost_vlan(void)
{
	struct frame_plan p = { .ip = 4, .vlans = 2, .fill = 9 };
	struct pvrom_net_frame f;

	CU_ASSERT(pvrom_net_frame_read(&f, frame, oracle_build(&p, payload, 4, frame)));
	CU_ASSERT_EQUAL(f.vlan, 9);
	p.vlans = 0;
	CU_ASSERT(pvrom_net_frame_read(&f, frame, oracle_build(&p, payload, 4, frame)));
	CU_ASSERT_EQUAL(f.vlan, PVROM_NET_NO_VLAN);
	CU_ASSERT_FALSE(pvrom_net_frame_read(&f, frame, 13));
}

static const struct tap_test tests[] = {
	{ "cut frames are the oracle's, byte for byte", segments },
	{ "checksums that are filled in are the oracle's", fills },
	{ "a checksum of zero is 0 for TCP and 0xffff for UDP", zero_sums },
	{ "a sum over pieces is the sum of the whole", pieces },
	{ "right checksums are good, one changed bit is bad", judges_good_and_bad },
	{ "random frames, cut off anywhere, get an answer", survives_anything },
	{ "hashes are the published ones", published_hashes },
	{ "a fragment is hashed by its addresses", fragments_have_no_ports },
	{ "the outermost VLAN is found", outermost_vlan },
	{ 0 }
};

int main(int argc, char **argv)
{
	size_t i;

	packets = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : packets;
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : seed;
	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)oracle_random(&(uint64_t){ i * 2654435761u + 99 }, 256);
	return tap_run("net.frame", tests);
}
