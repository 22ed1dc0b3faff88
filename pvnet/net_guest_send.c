/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Packets to the card: judged, a header before them, and copied if they are short: VIRTIO 1.2, 5.1.6.2.
 */
#include "net_guest_internal.h"

/* ---- may it be asked? ------------------------------------------------------------------------------ */

static uint64_t segment_feature(uint8_t type)
{
	switch (type) {
	case PVROM_NET_GSO_TCPV4: return PVROM_NET_F_HOST_TSO4;
	case PVROM_NET_GSO_TCPV6: return PVROM_NET_F_HOST_TSO6;
	case PVROM_NET_GSO_UDP_L4: return PVROM_NET_F_HOST_USO;
	default: return 0;
	}
}

static enum pvrom_net_guest_result judge_segments(const struct pvrom_net_guest *net,
						  const struct pvrom_net_guest_packet *p,
						  uint32_t bytes)
{
	const uint8_t type = p->gso_type & (uint8_t)~PVROM_NET_GSO_ECN;

	if (!guest_has(net, segment_feature(type)))
		return PVROM_NET_GUEST_UNSUPPORTED;
	if (p->gso_type & PVROM_NET_GSO_ECN &&
	    (type == PVROM_NET_GSO_UDP_L4 || !guest_has(net, PVROM_NET_F_HOST_ECN)))
		return PVROM_NET_GUEST_UNSUPPORTED;
	if (!p->gso_size || !(p->flags & PVROM_NET_HDR_NEEDS_CSUM) || p->hdr_len > bytes)
		return PVROM_NET_GUEST_BAD_REQUEST;
	return PVROM_NET_GUEST_OK;
}

static enum pvrom_net_guest_result judge_offloads(const struct pvrom_net_guest *net,
						  const struct pvrom_net_guest_packet *p,
						  uint32_t bytes)
{
	if (p->flags & ~PVROM_NET_HDR_NEEDS_CSUM)
		return PVROM_NET_GUEST_BAD_REQUEST;
	if (p->flags) {
		if (!guest_has(net, PVROM_NET_F_CSUM))
			return PVROM_NET_GUEST_UNSUPPORTED;
		if ((uint32_t)p->csum_start + p->csum_offset + 2 > bytes)
			return PVROM_NET_GUEST_BAD_REQUEST;
	}
	return p->gso_type ? judge_segments(net, p, bytes) : PVROM_NET_GUEST_OK;
}

/* The sum of the pieces; 0: they are none. */
static uint32_t sum_pieces(const struct pvrom_net_guest *net,
			   const struct pvrom_net_guest_packet *p)
{
	uint64_t bytes = 0;
	uint32_t i;

	if (!p->pieces || p->pieces > net->settings.pieces)
		return 0;
	for (i = 0; i < p->pieces; i++) {
		if (!p->piece[i].len)
			return 0;
		bytes += p->piece[i].len;
	}
	return bytes <= PVROM_NET_GUEST_FRAME ? (uint32_t)bytes : 0;
}

static enum pvrom_net_guest_result judge(const struct pvrom_net_guest *net,
					 const struct pvrom_net_guest_packet *p, uint32_t bytes)
{
	if (bytes < ETHERNET_HEADER)
		return PVROM_NET_GUEST_BAD_REQUEST;
	/* 5.1.4.2: what is not cut is no longer than the device takes. */
	if (!p->gso_type && guest_has(net, PVROM_NET_F_MTU) &&
	    bytes > ETHERNET_HEADER + VLAN_TAGS + net->mtu)
		return PVROM_NET_GUEST_BAD_REQUEST;
	return p->flags | p->gso_type ? judge_offloads(net, p, bytes) : PVROM_NET_GUEST_OK;
}

/* ---- into the ring --------------------------------------------------------------------------------- */

static void write_header(const struct pvrom_net_guest *net, const struct pvrom_net_guest_packet *p,
			 uint8_t *at)
{
	const struct pvrom_net_header header = {
		.flags = p->flags,
		.gso_type = p->gso_type,
		.hdr_len = p->gso_type ? p->hdr_len : 0,
		.gso_size = p->gso_type ? p->gso_size : 0,
		.csum_start = p->flags ? p->csum_start : 0,
		.csum_offset = p->flags ? p->csum_offset : 0,
	};

	__builtin_memcpy(at, &header, sizeof(header));
	if (net->header_bytes > sizeof(header))
		__builtin_memset(at + sizeof(header), 0, sizeof(struct pvrom_net_hash));
}

static void copy_in(const struct pvrom_net_guest_packet *p, uint8_t *to)
{
	uint32_t i;

	for (i = 0; i < p->pieces; to += p->piece[i++].len)
		__builtin_memcpy(to, p->piece[i].at, p->piece[i].len);
}

static uint64_t header_gpa(const struct pvrom_net_guest_queue *queue)
{
	return queue->headers_gpa + (uint64_t)queue->free * queue->stride;
}

/* Header and packet in one piece: copied behind each other, or the header where there is room for it. */
static enum pvrom_vq_result add_whole(struct pvrom_net_guest_queue *queue,
				      const struct pvrom_net_guest_packet *p, uint32_t bytes,
				      struct pvrom_net_guest_place *place)
{
	const uint32_t before = queue->net->header_bytes;
	uint8_t *at = queue->headers + (size_t)queue->free * queue->stride;

	if (p->copied) {
		write_header(queue->net, p, at);
		copy_in(p, at + before);
		return pvrom_vq_driver_add_one(&queue->ring, header_gpa(queue), before + bytes,
					       false, place);
	}
	write_header(queue->net, p, p->piece[0].at - before);
	return pvrom_vq_driver_add_one(&queue->ring, p->piece[0].gpa - before, before + bytes,
				       false, place);
}

static enum pvrom_vq_result add_pieces(struct pvrom_net_guest_queue *queue,
				       const struct pvrom_net_guest_packet *p,
				       struct pvrom_net_guest_place *place)
{
	struct pvrom_vq_buf buf[PVROM_NET_GUEST_PIECES + 1];
	const uint32_t before = queue->net->header_bytes;
	uint32_t n = !p->headroom, i;

	write_header(queue->net, p,
		     p->headroom ? p->piece[0].at - before
				 : queue->headers + (size_t)queue->free * queue->stride);
	buf[0] = (struct pvrom_vq_buf){ header_gpa(queue), before, 0 };
	for (i = 0; i < p->pieces; i++, n++)
		buf[n] = (struct pvrom_vq_buf){ p->piece[i].gpa, p->piece[i].len, 0 };
	if (p->headroom) {
		buf[0].addr -= before;
		buf[0].len += before;
	}
	return pvrom_vq_driver_add(&queue->ring, buf, n, 0, place);
}

static enum pvrom_net_guest_result add(struct pvrom_net_guest_queue *queue,
				       struct pvrom_net_guest_packet *p, uint32_t bytes)
{
	struct pvrom_net_guest_place *place = &queue->place[queue->free];
	enum pvrom_vq_result result;

	p->copied = bytes <= queue->net->settings.send_copy;
	if (p->copied || (p->headroom && p->pieces == 1))
		result = add_whole(queue, p, bytes, place);
	else
		result = add_pieces(queue, p, place);
	if (result) {
		p->copied = false;
		return result == PVROM_VQ_FULL	   ? PVROM_NET_GUEST_FULL
		       : result == PVROM_VQ_BROKEN ? PVROM_NET_GUEST_BROKEN
						   : PVROM_NET_GUEST_BAD_REQUEST;
	}
	queue->free = place->next;
	place->token = p->token;
	place->copied = p->copied;
	queue->counters.frames++;
	queue->counters.bytes += bytes;
	queue->counters.copied += p->copied;
	return PVROM_NET_GUEST_OK;
}

/* There are as many places as descriptors: without a free one no packet can be added. */
enum pvrom_net_guest_result pvrom_net_guest_send(struct pvrom_net_guest_queue *queue,
						 struct pvrom_net_guest_packet *packet)
{
	const uint32_t bytes = sum_pieces(queue->net, packet);
	const enum pvrom_net_guest_result result = judge(queue->net, packet, bytes);

	packet->copied = false;
	if (queue->ring.reason || !queue->net->running)
		return PVROM_NET_GUEST_BROKEN;
	if (result)
		return result;
	if (!pvrom_vq_driver_free(&queue->ring))
		return PVROM_NET_GUEST_FULL;
	return add(queue, packet, bytes);
}

/* ---- and back -------------------------------------------------------------------------------------- */

uint32_t pvrom_net_guest_reclaim(struct pvrom_net_guest_queue *queue, void **tokens, uint32_t count,
				 bool *broken)
{
	uint32_t turns, n = 0;

	/* Copied packets have no token: no more come back than there are descriptors. */
	for (turns = 0; n < count && turns < queue->ring.config.size; turns++) {
		struct pvrom_net_guest_place *place;
		struct pvrom_vq_done done;
		const enum pvrom_vq_result result = pvrom_vq_driver_get(&queue->ring, &done);

		if (result) {
			*broken |= result == PVROM_VQ_BROKEN;
			break;
		}
		place = done.token;
		place->next = queue->free;
		queue->free = (uint16_t)(place - queue->place);
		if (!place->copied)
			tokens[n++] = place->token;
	}
	return n;
}
