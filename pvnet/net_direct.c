/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames that a backend writes straight into the driver's buffers: room for one, and what becomes of it.
 */
#include "net_bytes.h"
#include "net_host_internal.h"

/* The queue, if all that comes may go into it as it is. */
static struct pvrom_net_queue *direct_queue(const struct pvrom_net_host *host, uint32_t pair)
{
	if (!host->link_up || host->driver.steering.rss || pvrom_net_reports_hashes(host) ||
	    pair >= host->driver.steering.pairs)
		return NULL;
	return host->receive[pair];
}

/* The writable parts of a buffer behind `skip` bytes. */
static uint32_t add_parts(const struct pvrom_net_buffer *b, uint64_t skip,
			  struct pvrom_net_vec *vec, uint32_t most, uint64_t *room)
{
	const struct pvrom_vq_piece *p = b->request.piece + b->request.readable_pieces;
	uint32_t i, n = 0;

	for (i = 0; i < b->request.writable_pieces && n < most; i++) {
		const uint64_t pass = skip < p[i].len ? skip : p[i].len;

		skip -= pass;
		if (pass == p[i].len)
			continue;
		vec[n++] = (struct pvrom_net_vec){ (uint8_t *)p[i].at + pass, p[i].len - pass };
		*room += p[i].len - pass;
	}
	return n;
}

uint32_t pvrom_net_room(struct pvrom_net_host *host, uint32_t pair, struct pvrom_net_vec *vec,
			uint32_t most, size_t want)
{
	struct pvrom_net_queue *q = direct_queue(host, pair);
	const uint32_t buffers = has(host, PVROM_NET_F_MRG_RXBUF) ? (q ? q->buffers : 0) : 1;
	uint64_t skip = pvrom_net_header_bytes(host), room = 0;
	uint32_t n = 0, i;

	for (i = 0; q && room < want; i++, skip = 0) {
		if (i == buffers || n == most || (i == q->held && !pvrom_net_hold_one_more(q)))
			return 0;
		n += add_parts(pvrom_net_held_buffer(q, i), skip, vec + n, most - n, &room);
	}
	return room < want ? 0 : n;
}

#define LOOKED_AT (ETHERNET_BYTES + PVROM_NET_VLANS_MAX * VLAN_BYTES)

static void read_back(const struct pvrom_net_buffer *b, uint64_t skip, uint8_t *to, size_t len)
{
	struct pvrom_net_vec vec[LOOKED_AT];
	uint64_t room = 0;
	uint32_t n = add_parts(b, skip, vec, LOOKED_AT, &room), i;

	for (i = 0; i < n && len; i++) {
		const size_t part = vec[i].len < len ? vec[i].len : len;

		__builtin_memcpy(to, vec[i].base, part);
		to += part;
		len -= part;
	}
}

/* By the frame's first bytes, copied once: the driver may write to its buffers meanwhile. */
static enum pvrom_net_fate judge_direct(struct pvrom_net_host *host,
					const struct pvrom_net_header *header,
					const struct pvrom_net_buffer *b, size_t len)
{
	uint8_t first[LOOKED_AT] = { 0 };
	struct pvrom_net_frame frame;

	if (host->driver.promiscuous && len <= (size_t)host->setup.mtu + ETHERNET_BYTES)
		return PVROM_NET_DELIVERED;
	read_back(b, pvrom_net_header_bytes(host), first, len < LOOKED_AT ? len : LOOKED_AT);
	if (pvrom_net_is_over_mtu(host, header, first, LOOKED_AT, len)) {
		host->counters.over_mtu++;
		return PVROM_NET_DROPPED;
	}
	pvrom_net_frame_read(&frame, first, LOOKED_AT);
	if (pvrom_net_filter_passes(host, first, &frame))
		return PVROM_NET_DELIVERED;
	host->counters.filtered++;
	return PVROM_NET_FILTERED;
}

static void give_direct(struct pvrom_net_queue *q, const struct pvrom_net_header *header,
			size_t len)
{
	uint64_t at = pvrom_net_header_bytes(q->host), left = len + at;
	struct pvrom_net_prefix prefix = { .header = pvrom_net_passed_on(q->host, header) };
	struct pvrom_net_buffer *first = pvrom_net_held_buffer(q, 0);
	uint32_t count = 0;

	uint16_t *const buffers = &prefix.header.num_buffers;

	for (*buffers = 0; left; ++*buffers) {
		const struct pvrom_net_buffer *b = pvrom_net_held_buffer(q, *buffers);

		left -= left < b->request.writable ? left : b->request.writable;
	}
	pvrom_vq_request_write(&q->ring, &first->request, 0, &prefix, at);
	for (left = len + at; count < *buffers; count++, at = 0) {
		const struct pvrom_net_buffer *b = pvrom_net_held_buffer(q, 0);
		const uint64_t part = left < b->request.writable ? left : b->request.writable;

		pvrom_vq_request_dirty(&q->ring, &b->request, at, part - at);
		pvrom_net_give_back_first(q, part);
		left -= part;
	}
}

enum pvrom_net_fate pvrom_net_arrived(struct pvrom_net_host *host, uint32_t pair,
				      const struct pvrom_net_header *header, size_t len)
{
	struct pvrom_net_queue *q = direct_queue(host, pair);
	enum pvrom_net_fate fate;

	if (!q || !q->held)
		return PVROM_NET_DROPPED;
	fate = judge_direct(host, header, pvrom_net_held_buffer(q, 0), len);
	if (fate != PVROM_NET_DELIVERED)
		return fate;
	give_direct(q, header, len);
	q->starved = false;
	host->counters.received++;
	host->counters.received_bytes += len;
	if (host->setup.receive_limit)
		pvrom_net_spend(host, host->setup.receive_limit, len, &host->receive_at);
	return PVROM_NET_DELIVERED;
}
