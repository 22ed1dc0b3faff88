/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames for the driver: filtered, made as plain as the driver wants them, steered to a queue, and put
 * into as many of its buffers as they need.
 */
#include "net_bytes.h"
#include "net_host_internal.h"

/* ---- buffers ------------------------------------------------------------------------------------------- */

struct pvrom_net_buffer *pvrom_net_held_buffer(const struct pvrom_net_queue *q, uint32_t n)
{
	return &q->buffer[(q->first + n) % q->buffers];
}

void pvrom_net_give_back_first(struct pvrom_net_queue *q, uint64_t written)
{
	pvrom_net_buffer_done(q, pvrom_net_held_buffer(q, 0), written);
	q->first = (q->first + 1) % q->buffers;
	q->held--;
}

static void give_back_all(struct pvrom_net_queue *q)
{
	while (q->held)
		pvrom_net_give_back_first(q, 0);
}

/* The youngest first, for that is what a ring takes back. */
void pvrom_net_queue_drain(struct pvrom_net_queue *queue)
{
	struct pvrom_net_queue *q = queue;

	pvrom_net_queue_forget(q);
	while (q->held &&
	       pvrom_vq_device_unpop(&q->ring, &pvrom_net_held_buffer(q, q->held - 1)->request) ==
		       PVROM_VQ_OK)
		q->held--;
	give_back_all(q);
}

void pvrom_net_queue_stop(struct pvrom_net_queue *queue)
{
	struct pvrom_net_host *host = queue->host;
	const uint32_t pair = queue->number / 2;

	pvrom_net_queue_drain(queue);
	if (pair < PVROM_NET_PAIRS_MAX && host->receive[pair] == queue)
		host->receive[pair] = NULL;
}

bool pvrom_net_queue_await(struct pvrom_net_queue *queue)
{
	if (!queue->starved || queue->broken)
		return false;
	/* Each time anew: the place at which the driver rings lies behind what was taken since. */
	queue->starved = !pvrom_vq_device_notifications_on(&queue->ring);
	return !queue->starved;
}

/* Takes one more buffer in hand; what cannot even hold a header goes back at once. */
bool pvrom_net_hold_one_more(struct pvrom_net_queue *q)
{
	struct pvrom_net_buffer *buffer = pvrom_net_held_buffer(q, q->held);

	while (pvrom_net_queue_pop(q, buffer)) {
		if (buffer->request.fault == PVROM_VQ_FAULT_NONE &&
		    buffer->request.writable >= pvrom_net_header_bytes(q->host)) {
			q->held++;
			return true;
		}
		q->host->counters.malformed++;
		pvrom_net_buffer_done(q, buffer, 0);
	}
	return false;
}

/* How many of the buffers in hand `need` bytes take; NO_BUFFER: the driver has to give more first. */
static enum pvrom_net_fate gather(struct pvrom_net_queue *q, uint64_t need, uint32_t *count)
{
	const uint32_t most = has(q->host, PVROM_NET_F_MRG_RXBUF) ? q->buffers : 1;
	uint64_t room = 0;

	for (*count = 0; room < need; ++*count) {
		if (*count == most)
			return PVROM_NET_DROPPED;
		if (*count == q->held && !pvrom_net_hold_one_more(q))
			return PVROM_NET_NO_BUFFER;
		room += pvrom_net_held_buffer(q, *count)->request.writable;
	}
	return PVROM_NET_DELIVERED;
}

/* ---- one frame into one queue ---------------------------------------------------------------------------- */

static void fill(struct pvrom_net_queue *q, uint32_t count, const struct pvrom_net_prefix *prefix,
		 const uint8_t *bytes, size_t len)
{
	uint64_t at = pvrom_net_header_bytes(q->host);
	size_t done = 0;

	pvrom_vq_request_write(&q->ring, &pvrom_net_held_buffer(q, 0)->request, 0, prefix, at);
	for (; count; count--) {
		const struct pvrom_net_buffer *b = pvrom_net_held_buffer(q, 0);
		const uint64_t room = b->request.writable - at;
		const size_t part = len - done < room ? len - done : (size_t)room;

		pvrom_vq_request_write(&q->ring, &b->request, at, bytes + done, part);
		pvrom_net_give_back_first(q, at + part);
		done += part;
		at = 0;
	}
}

/*
 * With one buffer. Put together in registers: a header of which a part was just stored could be read again only once
 * the store is through, and before it all those to lines that the driver's CPU still has. Drivers that send on what
 * they received leave the header as it was: then its line need not go to and fro.
 */
static void write_header(uint8_t *to, const struct pvrom_net_header *header)
{
	const uint32_t last = header->csum_offset | 1u << 16;
	uint64_t first, there;
	uint32_t there_last;

	__builtin_memcpy(&first, header, sizeof(first));
	__builtin_memcpy(&there, to, sizeof(there));
	__builtin_memcpy(&there_last, to + sizeof(there), sizeof(there_last));
	if (there == first && there_last == last)
		return;
	__builtin_memcpy(to, &first, sizeof(first));
	__builtin_memcpy(to + sizeof(first), &last, sizeof(last));
}

/* Into the next buffer, if that is one descriptor and long enough. */
static bool put_plain(struct pvrom_net_queue *q, const struct pvrom_net_prefix *prefix,
		      uint32_t before, const uint8_t *bytes, size_t len)
{
	struct pvrom_vq_plain *p;

	if (q->filled == q->looked) {
		if (q->held || q->broken)
			return false;
		pvrom_net_queue_forget(q);
		q->starved = false;
		q->looked = pvrom_vq_device_burst(&q->ring, q->plain, PVROM_NET_BURST);
		if (!q->looked)
			return false;
	}
	pvrom_net_look_ahead(q->plain, q->filled, q->looked);
	p = &q->plain[q->filled];
	if (!p->writable || p->len < before + len)
		return false;
	write_header(p->at, &prefix->header);
	if (before > sizeof(prefix->header))
		__builtin_memcpy(p->at + sizeof(prefix->header), &prefix->hash,
				 sizeof(prefix->hash));
	__builtin_memcpy(p->at + before, bytes, len);
	p->written = (uint32_t)(before + len);
	q->filled++;
	q->unpublished++;
	return true;
}

static enum pvrom_net_fate put_merged(struct pvrom_net_queue *q,
				      const struct pvrom_net_prefix *prefix, const uint8_t *bytes,
				      size_t len)
{
	struct pvrom_net_counters *counters = &q->host->counters;
	struct pvrom_net_prefix whole;
	enum pvrom_net_fate fate;
	uint32_t count;

	pvrom_net_queue_forget(q);
	fate = gather(q, pvrom_net_header_bytes(q->host) + (uint64_t)len, &count);
	q->starved = fate == PVROM_NET_NO_BUFFER;
	counters->no_buffer += q->starved;
	if (fate == PVROM_NET_DROPPED) {
		counters->too_small++;
		if (q->held == q->buffers) /* no hand is free for larger ones */
			give_back_all(q);
	}
	if (fate != PVROM_NET_DELIVERED)
		return fate;
	whole = *prefix;
	whole.header.num_buffers = (uint16_t)count;
	fill(q, count, &whole, bytes, len);
	return PVROM_NET_DELIVERED;
}

static enum pvrom_net_fate put(struct pvrom_net_queue *q, const struct pvrom_net_prefix *prefix,
			       const uint8_t *bytes, size_t len)
{
	struct pvrom_net_counters *counters = &q->host->counters;
	const uint32_t before = pvrom_net_header_bytes(q->host);
	enum pvrom_net_fate fate = PVROM_NET_DELIVERED;

	if (!put_plain(q, prefix, before, bytes, len))
		fate = put_merged(q, prefix, bytes, len);
	if (fate == PVROM_NET_DELIVERED) {
		counters->received++;
		counters->received_bytes += len;
	}
	return fate;
}

/* ---- what the driver was told ------------------------------------------------------------------------------ */

/* VIRTIO 1.2, 5.1.4.1: not more than the driver was told, VLAN tags aside, but for what is still to be cut.
 * Of the len bytes the first are there. */
bool pvrom_net_is_over_mtu(const struct pvrom_net_host *host, const struct pvrom_net_header *header,
			   const uint8_t *bytes, size_t there, size_t len)
{
	struct pvrom_net_frame frame;

	if (header->gso_type || !has(host, PVROM_NET_F_MTU) ||
	    len <= (size_t)host->setup.mtu + ETHERNET_BYTES)
		return false;
	pvrom_net_frame_read(&frame, bytes, there);
	return NET_REFUSE(OVER_MTU, len > (size_t)host->setup.mtu + frame.network);
}

static enum pvrom_net_fate deliver(struct pvrom_net_host *host,
				   const struct pvrom_net_header *header, const uint8_t *bytes,
				   size_t len)
{
	struct pvrom_net_prefix prefix = { .header = *header };
	struct pvrom_net_queue *q;

	if (pvrom_net_is_over_mtu(host, header, bytes, len, len)) {
		host->counters.over_mtu++;
		return PVROM_NET_DROPPED;
	}
	q = pvrom_net_steer(host, bytes, len, &prefix.hash);
	if (q)
		return put(q, &prefix, bytes, len);
	host->counters.no_buffer++;
	return PVROM_NET_NO_BUFFER;
}

/* ---- what the driver can take ------------------------------------------------------------------------------- */

static bool driver_takes_gso(const struct pvrom_net_host *host,
			     const struct pvrom_net_header *header,
			     const struct pvrom_net_frame *frame)
{
	const uint64_t o = host->driver.offloads;

	/* Their checksums are open: at run time a driver may ask for the one without the other. */
	if (!(o & PVROM_NET_F_GUEST_CSUM))
		return false;
	if (header->gso_type & PVROM_NET_GSO_ECN && !(o & PVROM_NET_F_GUEST_ECN))
		return false;
	switch (header->gso_type & ~PVROM_NET_GSO_ECN) {
	case PVROM_NET_GSO_TCPV4: return o & PVROM_NET_F_GUEST_TSO4;
	case PVROM_NET_GSO_TCPV6: return o & PVROM_NET_F_GUEST_TSO6;
	default: return o & (frame->ip == 4 ? PVROM_NET_F_GUEST_USO4 : PVROM_NET_F_GUEST_USO6);
	}
}

static enum pvrom_net_fate deliver_cut(struct pvrom_net_host *host,
				       const struct pvrom_net_header *header, const uint8_t *bytes,
				       size_t len)
{
	const struct pvrom_net_header plain = { 0 };
	struct pvrom_net_segments segments;
	enum pvrom_net_fate fate;
	size_t part;

	pvrom_net_segments_begin(&segments, header, bytes, len);
	while ((part = pvrom_net_segments_next(&segments, host->setup.segment)) != 0) {
		fate = deliver(host, &plain, host->setup.segment, part);
		if (fate != PVROM_NET_DELIVERED)
			return segments.index > 1 ? PVROM_NET_DROPPED : fate;
	}
	return PVROM_NET_DELIVERED;
}

static enum pvrom_net_fate deliver_summed(struct pvrom_net_host *host,
					  const struct pvrom_net_header *header,
					  const uint8_t *bytes, size_t len)
{
	const struct pvrom_net_header plain = { 0 };

	__builtin_memcpy(host->setup.whole, bytes, len);
	pvrom_net_csum_fill(header, host->setup.whole, len);
	return deliver(host, &plain, host->setup.whole, len);
}

/* Only what has a meaning for the driver goes on to it. */
struct pvrom_net_header pvrom_net_passed_on(const struct pvrom_net_host *host,
					    const struct pvrom_net_header *header)
{
	struct pvrom_net_header h = *header;

	h.flags &= PVROM_NET_HDR_NEEDS_CSUM | PVROM_NET_HDR_DATA_VALID;
	if (!(host->driver.offloads & PVROM_NET_F_GUEST_CSUM))
		h.flags = 0;
	if (!(h.flags & PVROM_NET_HDR_NEEDS_CSUM))
		h.csum_start = h.csum_offset = 0;
	if (!h.gso_type)
		h.gso_size = h.hdr_len = 0;
	return h;
}

/* A frame that asks for nothing, for a driver that wants every one, in the one queue that there is. */
static bool goes_straight(const struct pvrom_net_host *host, const struct pvrom_net_header *header,
			  size_t len)
{
	const struct pvrom_net_steering *s = &host->driver.steering;

	return !header->flags && !header->gso_type && host->link_up && host->driver.promiscuous &&
	       s->pairs == 1 && !s->rss && host->receive[0] && len >= ETHERNET_BYTES &&
	       len <= (has(host, PVROM_NET_F_MTU) ? host->setup.mtu + ETHERNET_BYTES
						  : PVROM_NET_FRAME_MAX) &&
	       !pvrom_net_reports_hashes(host);
}

static enum pvrom_net_fate receive(struct pvrom_net_host *host,
				   const struct pvrom_net_header *header, const uint8_t *bytes,
				   size_t len)
{
	struct pvrom_net_header h;
	struct pvrom_net_frame frame;

	if (goes_straight(host, header, len)) {
		static const struct pvrom_net_prefix plain;

		return put(host->receive[0], &plain, bytes, len);
	}
	if (!host->link_up) {
		host->counters.link_down++;
		return PVROM_NET_FILTERED;
	}
	if (pvrom_net_header_check(header, bytes, len) != PVROM_NET_TAKEN) {
		host->counters.refused++;
		return PVROM_NET_DROPPED;
	}
	pvrom_net_frame_read(&frame, bytes, len);
	if (!pvrom_net_filter_passes(host, bytes, &frame)) {
		host->counters.filtered++;
		return PVROM_NET_FILTERED;
	}
	if (NET_REFUSE(DRIVER_TAKES, header->gso_type && !driver_takes_gso(host, header, &frame)))
		return deliver_cut(host, header, bytes, len);
	if (header->flags & PVROM_NET_HDR_NEEDS_CSUM &&
	    !(host->driver.offloads & PVROM_NET_F_GUEST_CSUM))
		return deliver_summed(host, header, bytes, len);
	h = pvrom_net_passed_on(host, header);
	return deliver(host, &h, bytes, len);
}

enum pvrom_net_fate pvrom_net_receive(struct pvrom_net_host *host,
				      const struct pvrom_net_header *header, const uint8_t *bytes,
				      size_t len)
{
	const enum pvrom_net_fate fate = receive(host, header, bytes, len);

	if (host->setup.receive_limit && fate == PVROM_NET_DELIVERED)
		pvrom_net_spend(host, host->setup.receive_limit, len, &host->receive_at);
	return fate;
}

enum pvrom_net_fate pvrom_net_receive_from(struct pvrom_net_host *host, uint32_t pair,
					   const struct pvrom_net_header *header,
					   const uint8_t *bytes, size_t len)
{
	enum pvrom_net_fate fate;

	host->from = pair + 1;
	fate = pvrom_net_receive(host, header, bytes, len);
	host->from = 0;
	return fate;
}
