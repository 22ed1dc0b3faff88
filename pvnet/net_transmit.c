/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames of the driver: to the backend as they are when it can do what they ask for, else copied and
 * made plain first.
 */
#include "net_bytes.h"
#include "net_host_internal.h"

/* The feature without which a frame may not ask for this; 0: nothing is asked. */
static uint64_t gso_feature(uint8_t type)
{
	switch (type & ~PVROM_NET_GSO_ECN) {
	case PVROM_NET_GSO_TCPV4: return PVROM_NET_F_HOST_TSO4;
	case PVROM_NET_GSO_TCPV6: return PVROM_NET_F_HOST_TSO6;
	case PVROM_NET_GSO_UDP_L4: return PVROM_NET_F_HOST_USO;
	default: return 0;
	}
}

static uint64_t features_wanted(const struct pvrom_net_header *h)
{
	uint64_t wanted = gso_feature(h->gso_type);

	if (h->flags & PVROM_NET_HDR_NEEDS_CSUM)
		wanted |= PVROM_NET_F_CSUM;
	if (h->gso_type & PVROM_NET_GSO_ECN)
		wanted |= PVROM_NET_F_HOST_ECN;
	return wanted;
}

/* What is asked for, and nothing else of what the driver wrote. */
static struct pvrom_net_header only_asked(const struct pvrom_net_header *from)
{
	struct pvrom_net_header h = { .flags = from->flags & PVROM_NET_HDR_NEEDS_CSUM };

	if (h.flags) {
		h.csum_start = from->csum_start;
		h.csum_offset = from->csum_offset;
	}
	if (from->gso_type) {
		h.gso_type = from->gso_type;
		h.gso_size = from->gso_size;
		h.hdr_len = from->hdr_len;
	}
	return h;
}

static void send(struct pvrom_net_host *host, const struct pvrom_net_header *header,
		 const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip, uint64_t len)
{
	struct pvrom_net_backend *backend = host->setup.backend;

	if (!backend->ops->send(backend, header, pieces, count, skip)) {
		host->counters.send_failed++;
		return;
	}
	host->counters.sent++;
	host->counters.sent_bytes += len;
}

static void send_private(struct pvrom_net_host *host, uint8_t *bytes, size_t len)
{
	const struct pvrom_net_header plain = { 0 };
	const struct pvrom_vq_piece piece = { .at = bytes, .len = len };

	send(host, &plain, &piece, 1, 0, len);
}

/* A buffer of the driver's, header and frame. */
struct buffer {
	const struct pvrom_vq_piece *piece;
	uint32_t pieces, skip; /* bytes of the header */
	uint64_t bytes;
};

/* Does what the backend cannot, on a copy. */
static bool send_made_plain(struct pvrom_net_host *host, const struct pvrom_net_header *h,
			    const struct buffer *b)
{
	const struct pvrom_vq_request r = { .piece = (struct pvrom_vq_piece *)(uintptr_t)b->piece,
					    .readable_pieces = b->pieces,
					    .readable = b->bytes };
	uint8_t *whole = host->setup.whole;
	const size_t len = (size_t)(b->bytes - b->skip);
	struct pvrom_net_segments segments;
	size_t bytes;

	pvrom_vq_request_read(&r, b->skip, whole, len);
	if (pvrom_net_header_check(h, whole, len) != PVROM_NET_TAKEN)
		return false;
	if (!gso_feature(h->gso_type)) {
		pvrom_net_csum_fill(h, whole, len);
		send_private(host, whole, len);
		return true;
	}
	pvrom_net_segments_begin(&segments, h, whole, len);
	while ((bytes = pvrom_net_segments_next(&segments, host->setup.segment)) != 0)
		send_private(host, host->setup.segment, bytes);
	return true;
}

/* A frame whose header asks for something. */
static bool transmit_asking(struct pvrom_net_host *host, struct pvrom_net_header h,
			    const struct buffer *b)
{
	const uint64_t wanted = features_wanted(&h);

	if (NET_REFUSE(GSO_FEATURE, wanted & ~host->driver.accepted) ||
	    (h.gso_type && !gso_feature(h.gso_type)))
		return false;
	if (!host->link_up) {
		host->counters.link_down++;
		return true;
	}
	if (NET_REFUSE(ONLY_ASKED, true))
		h = only_asked(&h);
	if (wanted & ~host->setup.backend->can)
		return send_made_plain(host, &h, b);
	send(host, &h, b->piece, b->pieces, b->skip, b->bytes - b->skip);
	return true;
}

/* Most frames ask for nothing. */
static bool transmit_frame(struct pvrom_net_host *host, const struct pvrom_net_header *h,
			   const struct buffer *b)
{
	static const struct pvrom_net_header plain;
	const uint64_t len = b->bytes - b->skip;

	if (NET_REFUSE(FRAME_SHORT, len < ETHERNET_BYTES) || len > PVROM_NET_FRAME_MAX)
		return false;
	if (h->flags & PVROM_NET_HDR_NEEDS_CSUM || h->gso_type || !host->link_up ||
	    !NET_REFUSE(ONLY_ASKED, true))
		return transmit_asking(host, *h, b);
	send(host, &plain, b->piece, b->pieces, b->skip, len);
	return true;
}

static bool transmit_request(struct pvrom_net_host *host, const struct pvrom_vq_request *r)
{
	const struct buffer b = { r->piece, r->readable_pieces, pvrom_net_header_bytes(host),
				  r->readable };
	struct pvrom_net_header h;

	if (r->fault != PVROM_VQ_FAULT_NONE || b.bytes < b.skip)
		return false;
	pvrom_vq_request_read(r, 0, &h, sizeof(h));
	return transmit_frame(host, &h, &b);
}

static bool transmit_plain(struct pvrom_net_host *host, const struct pvrom_vq_plain *p,
			   uint32_t skip)
{
	const struct pvrom_vq_piece piece = { .at = p->at, .len = p->len, .gpa = p->gpa };
	const struct buffer b = { &piece, 1, skip, p->len };
	struct pvrom_net_header h;

	if (p->writable || p->len < skip)
		return false;
	h = pvrom_net_copy_header(p->at);
	return transmit_frame(host, &h, &b);
}

/* Buffers of one descriptor, all that are there; the next one is another or none. */
static uint32_t transmit_burst(struct pvrom_net_queue *q, uint32_t budget)
{
	const uint32_t most = budget < PVROM_NET_BURST ? budget : PVROM_NET_BURST;
	const uint32_t count = pvrom_vq_device_burst(&q->ring, q->plain, most);
	const uint32_t skip = pvrom_net_header_bytes(q->host);
	uint32_t i;

	for (i = 0; i < count; i++) {
		pvrom_net_look_ahead(q->plain, i, count);
		if (!transmit_plain(q->host, &q->plain[i], skip))
			q->host->counters.malformed++;
	}
	pvrom_vq_device_burst_done(&q->ring, q->plain, count);
	q->unpublished += count;
	return count;
}

static uint32_t transmit_one(struct pvrom_net_queue *q)
{
	struct pvrom_net_buffer *buffer = &q->buffer[0];

	if (!pvrom_net_queue_pop(q, buffer))
		return 0;
	if (!transmit_request(q->host, &buffer->request))
		q->host->counters.malformed++;
	pvrom_net_buffer_done(q, buffer, 0);
	return 1;
}

/* One by one, while the limit lets them. */
static uint32_t transmit_limited(struct pvrom_net_queue *q, uint32_t budget)
{
	struct pvrom_net_host *host = q->host;
	uint64_t before;
	uint32_t n;

	for (n = 0; n < budget && !pvrom_net_send_held(host); n++) {
		before = host->counters.sent_bytes;
		if (!transmit_burst(q, 1) && !transmit_one(q))
			break;
		if (host->counters.sent_bytes > before)
			pvrom_net_spend(host, host->setup.send_limit,
					host->counters.sent_bytes - before, &host->send_at);
	}
	return n;
}

uint32_t pvrom_net_transmit(struct pvrom_net_queue *queue, uint32_t budget)
{
	uint32_t n = 0, some = 1;

	queue->host->setup.backend->pair = queue->number / 2;
	if (queue->host->setup.send_limit)
		return transmit_limited(queue, budget);
	while (n < budget && some) {
		some = transmit_burst(queue, budget - n);
		if (!some)
			some = transmit_one(queue);
		n += some;
	}
	return n;
}
