/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames from plans. A writer goes from the first byte to the last; nothing is parsed back.
 */
#include "frame_oracle.h"

#include <string.h>

struct writer {
	uint8_t *to;
	size_t at;
};

static void put8(struct writer *w, unsigned value)
{
	w->to[w->at++] = (uint8_t)value;
}

static void put16(struct writer *w, unsigned value)
{
	put8(w, value >> 8);
	put8(w, value & 255);
}

static void put32(struct writer *w, uint32_t value)
{
	put16(w, value >> 16);
	put16(w, value & 0xffff);
}

/* ---- the definition of the checksum ----------------------------------------------------------------- */

/* Adds two-byte numbers, modulo 65,535; an odd last byte counts as if a zero followed. */
static uint32_t add_numbers(uint32_t sum, const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum = (sum + (i % 2 ? bytes[i] : bytes[i] * 256u)) % 65535;
	return sum;
}

/* A sum modulo 65,535 that is 0 stands for 65,535 unless all that was added was zero. */
static unsigned complement(uint32_t sum)
{
	return (65535 - sum) % 65535;
}

/* ---- headers ---------------------------------------------------------------------------------------- */

static size_t extension_bytes(const struct frame_plan *p, uint8_t number)
{
	if (number == 44)
		return 8;
	return number == 51 ? (p->extension_units + 2u) * 4 : (p->extension_units + 1u) * 8;
}

static size_t network_bytes(const struct frame_plan *p)
{
	size_t bytes = 40, i;

	if (p->ip == 4)
		return 20 + 4u * p->option_words;
	for (i = 0; i < p->extensions; i++)
		bytes += extension_bytes(p, p->extension[i]);
	return bytes;
}

size_t oracle_transport(const struct frame_plan *plan)
{
	return 14 + 4u * plan->vlans + network_bytes(plan);
}

/* Where the checksum is in the transport header. */
static size_t sum_offset(const struct frame_plan *plan)
{
	return plan->tcp ? 16 : 6;
}

static size_t transport_bytes(const struct frame_plan *p)
{
	return p->tcp ? 20 + 4u * p->tcp_option_words : 8;
}

size_t oracle_headers(const struct frame_plan *plan)
{
	return oracle_transport(plan) + transport_bytes(plan);
}

static void put_ethernet(struct writer *w, const struct frame_plan *p)
{
	unsigned i;

	for (i = 0; i < 12; i++)
		put8(w, 2 + p->fill * i);
	for (i = 0; i < p->vlans; i++) {
		put16(w, i + 1 < p->vlans ? 0x88a8 : 0x8100);
		put16(w, 0x6000 + p->fill + i);
	}
	put16(w, p->ip == 4 ? 0x0800 : 0x86dd);
}

static void put_ipv4(struct writer *w, const struct frame_plan *p, size_t payload)
{
	const size_t begin = w->at;
	unsigned i, sum;

	put8(w, 0x45u + p->option_words);
	put8(w, p->fill);
	put16(w, (unsigned)(network_bytes(p) + transport_bytes(p) + payload));
	put16(w, p->id);
	put16(w, p->ipv4_fragment);
	put8(w, 64);
	put8(w, p->tcp ? 6 : 17);
	put16(w, 0);
	for (i = 0; i < 8; i++)
		put8(w, 10 + p->fill * (i + 3));
	for (i = 0; i < 4u * p->option_words; i++)
		put8(w, 1);
	sum = complement(add_numbers(0, w->to + begin, w->at - begin));
	w->to[begin + 10] = (uint8_t)(sum >> 8);
	w->to[begin + 11] = (uint8_t)sum;
}

static unsigned next_header(const struct frame_plan *p, unsigned behind)
{
	if (behind < p->extensions)
		return p->extension[behind];
	return p->tcp ? 6 : 17;
}

static void put_extension(struct writer *w, const struct frame_plan *p, unsigned n)
{
	const size_t end = w->at + extension_bytes(p, p->extension[n]);

	put8(w, next_header(p, n + 1));
	put8(w, p->extension[n] == 44 ? 0 : p->extension_units);
	put16(w, 0); /* no segments left, no fragment offset */
	while (w->at < end)
		put8(w, 0);
}

static void put_ipv6(struct writer *w, const struct frame_plan *p, size_t payload)
{
	unsigned i;

	put32(w, 0x60000000u + p->fill);
	put16(w, (unsigned)(network_bytes(p) - 40 + transport_bytes(p) + payload));
	put8(w, next_header(p, 0));
	put8(w, 64);
	for (i = 0; i < 32; i++)
		put8(w, 0xfe + p->fill * i);
	for (i = 0; i < p->extensions; i++)
		put_extension(w, p, i);
}

static void put_transport(struct writer *w, const struct frame_plan *p, size_t payload)
{
	unsigned i;

	put16(w, p->ports[0]);
	put16(w, p->ports[1]);
	if (!p->tcp) {
		put16(w, (unsigned)(8 + payload));
		put16(w, 0);
		return;
	}
	put32(w, p->sequence);
	put32(w, p->fill * 77u);
	put8(w, (5u + p->tcp_option_words) << 4);
	put8(w, p->tcp_flags);
	put16(w, 512);
	put32(w, 0); /* checksum, urgent pointer */
	for (i = 0; i < 4u * p->tcp_option_words; i++)
		put8(w, 1);
}

/* Addresses, length, protocol: RFC 9293, 3.1; RFC 768; RFC 8200, 8.1. */
static uint32_t pseudo_sum(const struct frame_plan *p, const uint8_t *frame, size_t length)
{
	const uint8_t *ip = frame + 14 + 4u * p->vlans;
	uint32_t sum;

	sum = p->ip == 4 ? add_numbers(0, ip + 12, 8) : add_numbers(0, ip + 8, 32);
	return (uint32_t)((sum + length + (p->tcp ? 6 : 17)) % 65535);
}

/* ---- frames ------------------------------------------------------------------------------------------ */

static size_t put_all(const struct frame_plan *p, const uint8_t *payload, size_t len, uint8_t *to)
{
	struct writer w = { .to = to };

	put_ethernet(&w, p);
	if (p->ip == 4)
		put_ipv4(&w, p, len);
	else
		put_ipv6(&w, p, len);
	put_transport(&w, p, len);
	memcpy(to + w.at, payload, len);
	return w.at + len;
}

static void set_sum(const struct frame_plan *p, uint8_t *to, unsigned sum)
{
	const size_t place = oracle_transport(p) + sum_offset(p);

	to[place] = (uint8_t)(sum >> 8);
	to[place + 1] = (uint8_t)sum;
}

static size_t pad(const struct frame_plan *p, uint8_t *to, size_t len)
{
	memset(to + len, 0xa5, p->padding);
	return len + p->padding;
}

size_t oracle_build(const struct frame_plan *plan, const uint8_t *payload, size_t len, uint8_t *to)
{
	const size_t size = put_all(plan, payload, len, to), begin = oracle_transport(plan);
	unsigned sum;

	sum = complement(add_numbers(pseudo_sum(plan, to, size - begin), to + begin, size - begin));
	if (!plan->udp_without_sum)
		set_sum(plan, to, sum || plan->tcp ? sum : 0xffff); /* UDP's 0 says none: RFC 768 */
	return pad(plan, to, size);
}

size_t oracle_build_partial(const struct frame_plan *plan, const uint8_t *payload, size_t len,
			    uint8_t *to)
{
	const size_t size = put_all(plan, payload, len, to);

	set_sum(plan, to, pseudo_sum(plan, to, size - oracle_transport(plan)));
	return pad(plan, to, size);
}

/* ---- the header before a frame ------------------------------------------------------------------ */

struct pvrom_net_header oracle_header(const struct frame_plan *p, uint16_t size)
{
	uint8_t type = PVROM_NET_GSO_UDP_L4;

	if (p->tcp)
		type = p->ip == 4 ? PVROM_NET_GSO_TCPV4 : PVROM_NET_GSO_TCPV6;
	return (struct pvrom_net_header){
		.flags = PVROM_NET_HDR_NEEDS_CSUM,
		.gso_type = type | (p->tcp && p->tcp_flags & 0x80 ? PVROM_NET_GSO_ECN : 0),
		.gso_size = size,
		.csum_start = (uint16_t)oracle_transport(p),
		.csum_offset = (uint16_t)sum_offset(p),
	};
}

/* The plan of segment `n`, which begins `at` bytes behind the first. */
struct frame_plan oracle_segment(const struct frame_plan *p, uint32_t n, uint32_t at, bool last)
{
	struct frame_plan s = *p;

	s.id = (uint16_t)(p->id + n);
	s.sequence = p->sequence + at;
	if (n)
		s.tcp_flags &= 0x7f;
	if (!last)
		s.tcp_flags &= (uint8_t)~0x09;
	s.padding = 0;
	return s;
}

/* ---- drawing ----------------------------------------------------------------------------------------- */

uint32_t oracle_random(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((*seed >> 33) % below);
}

void oracle_draw(struct frame_plan *plan, uint64_t *seed)
{
	static const uint8_t kinds[] = { 0, 43, 44, 51, 60 };
	unsigned i;

	*plan = (struct frame_plan){
		.vlans = (uint8_t)oracle_random(seed, 3),
		.ip = oracle_random(seed, 2) ? 4 : 6,
		.option_words = (uint8_t)(oracle_random(seed, 2) ? oracle_random(seed, 11) : 0),
		.extensions = (uint8_t)(oracle_random(seed, 2) ? oracle_random(seed, 9) : 0),
		.extension_units = (uint8_t)(oracle_random(seed, 20) ? 0 : oracle_random(seed, 40)),
		.tcp = oracle_random(seed, 2),
		.tcp_option_words = (uint8_t)oracle_random(seed, 11),
		.tcp_flags = (uint8_t)oracle_random(seed, 256),
		.sequence = oracle_random(seed, 8) ? oracle_random(seed, 1u << 31) : 0xfffffff0u,
		.id = (uint16_t)oracle_random(seed, 65536),
		.ports = { (uint16_t)oracle_random(seed, 65536),
			   (uint16_t)oracle_random(seed, 65536) },
		.fill = (uint8_t)oracle_random(seed, 256),
		.ipv4_fragment = oracle_random(seed, 2) ? 0x4000 : 0, /* don't fragment */
	};
	for (i = 0; i < plan->extensions; i++)
		plan->extension[i] = kinds[oracle_random(seed, 5)];
}
