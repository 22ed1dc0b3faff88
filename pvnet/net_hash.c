/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The hash by which received frames are spread over queues: VIRTIO 1.2, 5.1.6.4.3.
 */
#include <pvrom/net_frame.h>

#include "net_bytes.h"

/* For each bit of the input that is set, the 32 bits of the key that begin at the same place. */
uint32_t pvrom_net_toeplitz(const uint8_t key[PVROM_NET_HASH_KEY_BYTES], const uint8_t *bytes,
			    size_t len)
{
	uint32_t window = wire32(key), hash = 0;
	size_t i;
	int bit;

	for (i = 0; i < len; i++) {
		for (bit = 7; bit >= 0; bit--) {
			hash ^= bytes[i] >> bit & 1 ? window : 0;
			window = window << 1 | (key[i + 4] >> bit & 1u);
		}
	}
	return hash;
}

struct choice {
	uint8_t ip;
	uint8_t protocol; /* 0: any, addresses only */
	uint16_t report;
	uint32_t type;
};

/* The ports are better than the addresses alone. */
static const struct choice choices[] = {
	{ 4, PROTOCOL_TCP, PVROM_NET_HASH_REPORT_TCPV4, PVROM_NET_HASH_TCPV4 },
	{ 4, PROTOCOL_UDP, PVROM_NET_HASH_REPORT_UDPV4, PVROM_NET_HASH_UDPV4 },
	{ 4, 0, PVROM_NET_HASH_REPORT_IPV4, PVROM_NET_HASH_IPV4 },
	{ 6, PROTOCOL_TCP, PVROM_NET_HASH_REPORT_TCPV6, PVROM_NET_HASH_TCPV6 },
	{ 6, PROTOCOL_UDP, PVROM_NET_HASH_REPORT_UDPV6, PVROM_NET_HASH_UDPV6 },
	{ 6, 0, PVROM_NET_HASH_REPORT_IPV6, PVROM_NET_HASH_IPV6 },
};

/* Fragments have no ports, or only the first has: they would go to different queues. */
static bool has_ports(const struct pvrom_net_frame *f)
{
	return f->transport && !f->fragment && f->end - f->transport >= 4;
}

static bool choice_fits(const struct choice *c, const struct pvrom_net_frame *f, uint32_t types)
{
	return c->type & types && c->ip == f->ip &&
	       (!c->protocol || (c->protocol == f->protocol && has_ports(f)));
}

static uint32_t hash_fields(const uint8_t *key, const struct choice *c,
			    const struct pvrom_net_frame *f, const uint8_t *bytes)
{
	const uint32_t addresses = c->ip == 4 ? 8 : 32;
	uint8_t input[36];

	__builtin_memcpy(input, bytes + f->network + (c->ip == 4 ? IPV4_ADDRESSES : IPV6_ADDRESSES),
			 addresses);
	if (!c->protocol)
		return pvrom_net_toeplitz(key, input, addresses);
	__builtin_memcpy(input + addresses, bytes + f->transport, 4);
	return pvrom_net_toeplitz(key, input, addresses + 4);
}

uint32_t pvrom_net_frame_hash(const uint8_t key[PVROM_NET_HASH_KEY_BYTES], uint32_t types,
			      const uint8_t *bytes, size_t len, uint16_t *report)
{
	struct pvrom_net_frame f;
	uint32_t i;

	*report = PVROM_NET_HASH_REPORT_NONE;
	pvrom_net_frame_read(&f, bytes, len);
	for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (!choice_fits(&choices[i], &f, types))
			continue;
		*report = choices[i].report;
		return hash_fields(key, &choices[i], &f, bytes);
	}
	return 0;
}
