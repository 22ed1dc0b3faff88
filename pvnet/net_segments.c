/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a driver may ask for with a frame: a checksum to be filled in, or the whole to be cut into
 * segments, each with headers and checksums of its own (VIRTIO 1.2, 5.1.6.2).
 */
#include <pvrom/net_frame.h>

#include "net_bytes.h"
#include "net_checks.h"

#ifdef PVROM_TEST
enum net_check pvrom_net_removed;
#endif

/* ---- checks --------------------------------------------------------------------------------------- */

static uint32_t gso_kind(const struct pvrom_net_header *header)
{
	return header->gso_type & (uint8_t)~PVROM_NET_GSO_ECN;
}

static bool kind_is_known(const struct pvrom_net_header *header)
{
	switch (gso_kind(header)) {
	case PVROM_NET_GSO_TCPV4:
	case PVROM_NET_GSO_TCPV6: return true;
	case PVROM_NET_GSO_UDP_L4: return !(header->gso_type & PVROM_NET_GSO_ECN);
	default: return false;
	}
}

static bool kind_fits(uint32_t kind, const struct pvrom_net_frame *f)
{
	switch (kind) {
	case PVROM_NET_GSO_TCPV4: return f->ip == 4 && f->protocol == PROTOCOL_TCP;
	case PVROM_NET_GSO_TCPV6: return f->ip == 6 && f->protocol == PROTOCOL_TCP;
	default: return f->ip && f->protocol == PROTOCOL_UDP;
	}
}

/* Bytes of the frame before the payload; 0: the transport header is not all there. */
static uint32_t headers_of(const struct pvrom_net_frame *f, const uint8_t *bytes)
{
	const uint32_t there = f->end - f->transport;
	uint32_t size = UDP_BYTES;

	if (f->protocol == PROTOCOL_TCP) {
		if (there < TCP_BYTES)
			return 0;
		size = (bytes[f->transport + TCP_OFFSET] >> 4) * 4u;
		if (size < TCP_BYTES)
			return 0;
	}
	return size <= there ? f->transport + size : 0;
}

static enum pvrom_net_refusal gso_check(const struct pvrom_net_header *header, const uint8_t *bytes,
					size_t len)
{
	struct pvrom_net_frame f;
	uint32_t headers;

	if (!kind_is_known(header))
		return PVROM_NET_GSO_TYPE;
	if (!(header->flags & PVROM_NET_HDR_NEEDS_CSUM))
		return PVROM_NET_GSO_NO_CSUM;
	if (!pvrom_net_frame_read(&f, bytes, len) || !kind_fits(gso_kind(header), &f) ||
	    !f.transport || f.fragment || f.cut || f.transport != header->csum_start)
		return PVROM_NET_GSO_HEADERS;
	headers = headers_of(&f, bytes);
	if (!headers || header->csum_offset != (f.protocol == PROTOCOL_TCP ? TCP_SUM : UDP_SUM))
		return PVROM_NET_GSO_HEADERS;
	if (NET_REFUSE(GSO_SIZE,
		       !header->gso_size || f.end - headers > (uint32_t)header->gso_size *
								      PVROM_NET_SEGMENTS_MAX))
		return PVROM_NET_GSO_SIZE;
	return PVROM_NET_TAKEN;
}

enum pvrom_net_refusal pvrom_net_header_check(const struct pvrom_net_header *header,
					      const uint8_t *bytes, size_t len)
{
	const uint32_t place = (uint32_t)header->csum_start + header->csum_offset;

	if (NET_REFUSE(FRAME_SHORT, len < ETHERNET_BYTES) || len > PVROM_NET_FRAME_MAX)
		return PVROM_NET_SHORT;
	if (header->flags & PVROM_NET_HDR_NEEDS_CSUM && NET_REFUSE(CSUM_PLACE, place + 2 > len))
		return PVROM_NET_CSUM_PLACE;
	if (header->gso_type == PVROM_NET_GSO_NONE)
		return PVROM_NET_TAKEN;
	return gso_check(header, bytes, len);
}

/* ---- one checksum --------------------------------------------------------------------------------- */

/*
 * One's complement has two zeros. A sum of zero is sent as 0, as RFC 1071 comes to it (there are receivers that
 * compare rather than add: RFC 1624, 3); but not UDP's, where 0 says that there is none (RFC 768).
 */
static uint16_t as_sent(uint16_t sum, bool udp)
{
	return udp && !sum ? 0xffff : sum;
}

void pvrom_net_csum_fill(const struct pvrom_net_header *header, uint8_t *bytes, size_t len)
{
	struct pvrom_net_sum sum = { 0 };

	pvrom_net_sum_add(&sum, bytes + header->csum_start, len - header->csum_start);
	set_wire16(bytes + header->csum_start + header->csum_offset,
		   as_sent((uint16_t)~pvrom_net_sum_end(&sum), header->csum_offset == UDP_SUM));
}

/* ---- segments ------------------------------------------------------------------------------------- */

static uint32_t sum_place(const struct pvrom_net_segments *s)
{
	return s->frame.transport + (s->frame.protocol == PROTOCOL_TCP ? TCP_SUM : UDP_SUM);
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

void pvrom_net_segments_begin(struct pvrom_net_segments *segments,
			      const struct pvrom_net_header *header, const uint8_t *bytes,
			      size_t len)
{
	struct pvrom_net_segments *s = segments;
	uint16_t length;

	*s = (struct pvrom_net_segments){ .bytes = bytes, .size = header->gso_size };
	pvrom_net_frame_read(&s->frame, bytes, len);
	s->headers = headers_of(&s->frame, bytes);
	s->at = s->headers;
	/* The driver left the pseudo header's sum in the checksum: take its length out (RFC 1624). */
	length = (uint16_t)(s->frame.end - s->frame.transport);
	s->pseudo = fold((uint32_t)wire16(bytes + sum_place(s)) + (uint16_t)~length);
}

static void set_ip(const struct pvrom_net_segments *s, uint8_t *to, uint32_t payload)
{
	uint8_t *ip = to + s->frame.network;
	const uint32_t total = s->headers - s->frame.network + payload;
	struct pvrom_net_sum sum = { 0 };

	if (s->frame.ip == 6) {
		set_wire16(ip + IPV6_PAYLOAD, total - IPV6_BYTES);
		return;
	}
	set_wire16(ip + IPV4_TOTAL, total);
	set_wire16(ip + IPV4_ID, wire16(ip + IPV4_ID) + s->index);
	set_wire16(ip + IPV4_SUM, 0);
	pvrom_net_sum_add(&sum, ip, (ip[0] & 15u) * 4);
	set_wire16(ip + IPV4_SUM, (uint16_t)~pvrom_net_sum_end(&sum));
}

/* CWR belongs to the first (RFC 3168, 6.1.2), PSH and FIN to the last. */
static void set_tcp(const struct pvrom_net_segments *s, uint8_t *to, bool last)
{
	uint8_t *tcp = to + s->frame.transport;
	uint32_t clear = 0;

	set_wire32(tcp + TCP_SEQUENCE, wire32(tcp + TCP_SEQUENCE) + (s->at - s->headers));
	if (s->index)
		clear |= TCP_CWR;
	if (!last)
		clear |= TCP_FIN | TCP_PSH;
	tcp[TCP_FLAGS] = (uint8_t)(tcp[TCP_FLAGS] & ~clear);
}

static void set_sum(const struct pvrom_net_segments *s, uint8_t *to, uint32_t payload)
{
	const uint32_t length = s->headers - s->frame.transport + payload;
	struct pvrom_net_sum sum = { 0 };
	uint8_t *place = to + sum_place(s);

	set_wire16(place, fold(s->pseudo + length));
	pvrom_net_sum_add(&sum, to + s->frame.transport, length);
	set_wire16(place,
		   as_sent((uint16_t)~pvrom_net_sum_end(&sum), s->frame.protocol == PROTOCOL_UDP));
}

size_t pvrom_net_segments_next(struct pvrom_net_segments *segments, uint8_t *to)
{
	struct pvrom_net_segments *s = segments;
	const uint32_t rest = s->frame.end - s->at;
	const uint32_t payload = rest < s->size ? rest : s->size;

	if (!rest && s->index)
		return 0;
	__builtin_memcpy(to, s->bytes, s->headers);
	__builtin_memcpy(to + s->headers, s->bytes + s->at, payload);
	set_ip(s, to, payload);
	if (s->frame.protocol == PROTOCOL_TCP)
		set_tcp(s, to, payload == rest);
	else
		set_wire16(to + s->frame.transport + UDP_LENGTH, UDP_BYTES + payload);
	set_sum(s, to, payload);
	s->at += payload;
	s->index++;
	return s->headers + payload;
}
