/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Finds the parts of a frame, and judges its checksum.
 */
#include <pvrom/net_frame.h>

#include "net_bytes.h"

/* ---- IPv4 ---------------------------------------------------------------------------------------- */

static void read_ipv4(struct pvrom_net_frame *f, const uint8_t *bytes, size_t len)
{
	const uint8_t *ip = bytes + f->network;
	const size_t there = len - f->network;
	uint32_t header, total, fragment;

	if (there < IPV4_BYTES || ip[0] >> 4 != 4)
		return;
	header = (ip[0] & 15u) * 4;
	total = wire16(ip + IPV4_TOTAL);
	if (header < IPV4_BYTES || header > there || total < header)
		return;
	fragment = wire16(ip + IPV4_FRAGMENT) & 0x3fff; /* more to come, and the offset */
	f->ip = 4;
	f->protocol = ip[IPV4_PROTOCOL];
	f->fragment = fragment;
	f->cut = total > there;
	f->end = f->network + (f->cut ? (uint32_t)there : total);
	if (!(fragment & 0x1fff))
		f->transport = (uint16_t)(f->network + header);
}

/* ---- IPv6: RFC 8200, 4 --------------------------------------------------------------------------- */

enum extension {
	HOP_BY_HOP = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	AUTHENTICATION = 51,
	NO_NEXT = 59,
	DESTINATION = 60,
};

/* The bytes of the extension header `next` at `at`; 0: it is none of those that can be looked behind. */
static uint32_t extension_bytes(uint8_t next, const uint8_t *at)
{
	switch (next) {
	case HOP_BY_HOP:
	case ROUTING:
	case DESTINATION: return (at[1] + 1u) * 8;
	case FRAGMENT: return 8;
	case AUTHENTICATION: return (at[1] + 2u) * 4; /* RFC 4302, 2.2 */
	default: return 0;
	}
}

static void read_extension(struct pvrom_net_frame *f, uint8_t next, const uint8_t *at)
{
	if (next == ROUTING && at[3]) /* segments left */
		f->routed = true;
	if (next == FRAGMENT && wire16(at + 2) & 0xfff9)
		f->fragment = true;
}

static bool is_later_fragment(uint8_t next, const uint8_t *at)
{
	return next == FRAGMENT && wire16(at + 2) & 0xfff8;
}

/* Walks the chain of extension headers; sets protocol, and transport when its end was found. */
static void read_chain(struct pvrom_net_frame *f, const uint8_t *bytes)
{
	uint32_t at = f->network + IPV6_BYTES, n;
	uint8_t next = bytes[f->network + IPV6_NEXT];

	for (n = 0; n <= PVROM_NET_EXTENSIONS_MAX; n++) {
		const bool whole = at + 8 <= f->end;
		const uint32_t size = whole ? extension_bytes(next, bytes + at) : 0;

		f->protocol = next;
		if (!size) {
			/* An extension header that is cut off is no transport header. */
			if (whole || !extension_bytes(next, (const uint8_t[8]){ 0 }))
				f->transport = next == NO_NEXT ? 0 : (uint16_t)at;
			return;
		}
		if (size > f->end - at)
			return;
		read_extension(f, next, bytes + at);
		if (is_later_fragment(next, bytes + at)) {
			f->protocol = bytes[at];
			return;
		}
		next = bytes[at];
		at += size;
	}
}

static void read_ipv6(struct pvrom_net_frame *f, const uint8_t *bytes, size_t len)
{
	const uint8_t *ip = bytes + f->network;
	const size_t there = len - f->network;
	uint32_t total;

	if (there < IPV6_BYTES || ip[0] >> 4 != 6)
		return;
	total = IPV6_BYTES + wire16(ip + IPV6_PAYLOAD);
	f->ip = 6;
	f->cut = total > there;
	f->end = f->network + (f->cut ? (uint32_t)there : total);
	read_chain(f, bytes);
}

/* ---- Ethernet ------------------------------------------------------------------------------------- */

/* Steps over the VLAN tags; returns the type behind them, 0 where the frame ends before. */
static uint32_t read_tags(struct pvrom_net_frame *f, const uint8_t *bytes, size_t len)
{
	uint32_t type = wire16(bytes + ETHERNET_TYPE), n;

	f->network = ETHERNET_BYTES;
	for (n = 0; n < PVROM_NET_VLANS_MAX && (type == TYPE_VLAN || type == TYPE_VLAN_OUTER);
	     n++) {
		if (len < f->network + VLAN_BYTES)
			return 0;
		if (f->vlan == PVROM_NET_NO_VLAN)
			f->vlan = wire16(bytes + f->network) & 0xfff;
		type = wire16(bytes + f->network + 2);
		f->network = (uint16_t)(f->network + VLAN_BYTES);
	}
	return type;
}

bool pvrom_net_frame_read(struct pvrom_net_frame *frame, const uint8_t *bytes, size_t len)
{
	uint32_t type;

	*frame = (struct pvrom_net_frame){ .vlan = PVROM_NET_NO_VLAN };
	if (len < ETHERNET_BYTES)
		return false;
	type = read_tags(frame, bytes, len);
	if (type == TYPE_IPV4)
		read_ipv4(frame, bytes, len);
	else if (type == TYPE_IPV6)
		read_ipv6(frame, bytes, len);
	return true;
}

/* ---- judging -------------------------------------------------------------------------------------- */

/* The whole sum over pseudo header (RFC 9293, 3.1; RFC 8200, 8.1), header and data: 0xffff if right. */
static uint16_t sum_with_pseudo(const struct pvrom_net_frame *f, const uint8_t *bytes,
				uint32_t length)
{
	const uint8_t *ip = bytes + f->network;
	uint8_t rest[4] = { 0, f->protocol };
	struct pvrom_net_sum sum = { 0 };

	set_wire16(rest + 2, length);
	if (f->ip == 4)
		pvrom_net_sum_add(&sum, ip + IPV4_ADDRESSES, 8);
	else
		pvrom_net_sum_add(&sum, ip + IPV6_ADDRESSES, 32);
	pvrom_net_sum_add(&sum, rest, sizeof(rest));
	pvrom_net_sum_add(&sum, bytes + f->transport, length);
	return pvrom_net_sum_end(&sum);
}

static enum pvrom_net_verdict judge_udp(const struct pvrom_net_frame *f, const uint8_t *bytes)
{
	const uint32_t there = f->end - f->transport;
	const uint8_t *udp = bytes + f->transport;
	uint32_t length;

	if (there < UDP_BYTES)
		return PVROM_NET_BAD;
	if (!wire16(udp + UDP_SUM)) /* RFC 8200, 8.1: over IPv6 there must be one */
		return f->ip == 4 ? PVROM_NET_UNKNOWN : PVROM_NET_BAD;
	length = wire16(udp + UDP_LENGTH);
	if (length < UDP_BYTES || length > there)
		return PVROM_NET_BAD;
	return sum_with_pseudo(f, bytes, length) == 0xffff ? PVROM_NET_GOOD : PVROM_NET_BAD;
}

static enum pvrom_net_verdict judge_tcp(const struct pvrom_net_frame *f, const uint8_t *bytes)
{
	const uint32_t there = f->end - f->transport;

	if (there < TCP_BYTES)
		return PVROM_NET_BAD;
	return sum_with_pseudo(f, bytes, there) == 0xffff ? PVROM_NET_GOOD : PVROM_NET_BAD;
}

enum pvrom_net_verdict pvrom_net_frame_judge(const uint8_t *bytes, size_t len)
{
	struct pvrom_net_frame f;

	if (!pvrom_net_frame_read(&f, bytes, len) || !f.transport || f.fragment || f.cut ||
	    f.routed)
		return PVROM_NET_UNKNOWN;
	if (f.protocol == PROTOCOL_TCP)
		return judge_tcp(&f, bytes);
	if (f.protocol == PROTOCOL_UDP)
		return judge_udp(&f, bytes);
	return PVROM_NET_UNKNOWN;
}
