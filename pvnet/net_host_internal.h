/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of the network card's host half share.
 */
#ifndef PVNET_NET_HOST_INTERNAL_H
#define PVNET_NET_HOST_INTERNAL_H

#include <pvrom/net_host.h>

#include "net_checks.h"

#define GUEST_OFFLOADS                                                                             \
	(PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 |                \
	 PVROM_NET_F_GUEST_ECN | PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6)

/* What stands before a frame for the driver. */
struct pvrom_net_prefix {
	struct pvrom_net_header header;
	struct pvrom_net_hash hash; /* with HASH_REPORT */
};

/* The header of a frame in the driver's memory: copied once, never looked at again. */
static inline struct pvrom_net_header pvrom_net_copy_header(const void *from)
{
	struct pvrom_net_header h;

	__builtin_memcpy(&h, from, sizeof(h));
	__asm__ volatile("" : : : "memory");
	return h;
}

#define PVROM_NET_AHEAD 8u /* small buffers that are on their way from the driver's cache */

/* Buffer `at` of a burst of `count` is next: asks for one that comes later, and in the beginning for all before it. */
static inline void pvrom_net_look_ahead(const struct pvrom_vq_plain *plain, uint32_t at,
					uint32_t count)
{
	uint32_t i = at ? at + PVROM_NET_AHEAD - 1 : 0;

	for (; i < count && i < at + PVROM_NET_AHEAD; i++)
		pvrom_vq_plain_prefetch(&plain[i], sizeof(struct pvrom_net_header));
}

static inline bool has(const struct pvrom_net_host *host, uint64_t features)
{
	return host->driver.accepted & features;
}

/* Bytes of the header before a frame: VIRTIO 1.2, 5.1.6. */
static inline uint32_t pvrom_net_header_bytes(const struct pvrom_net_host *host)
{
	return (uint32_t)sizeof(struct pvrom_net_header) +
	       (has(host, PVROM_NET_F_HASH_REPORT) ? (uint32_t)sizeof(struct pvrom_net_hash) : 0);
}

/* Does the driver want to see any hash? */
static inline bool pvrom_net_reports_hashes(const struct pvrom_net_host *host)
{
	return has(host, PVROM_NET_F_HASH_REPORT) && host->driver.steering.types;
}

/* A frame went: takes its bytes from the limit, which then says when the next one may. */
void pvrom_net_spend(const struct pvrom_net_host *host, struct pvrom_limit *limit, uint64_t bytes,
		     uint64_t *at);

/* Takes the driver's new set of offloads into force. */
void pvrom_net_set_offloads(struct pvrom_net_host *host, uint64_t offloads);

/* May the driver have this frame? */
bool pvrom_net_filter_passes(const struct pvrom_net_host *host, const uint8_t *bytes,
			     const struct pvrom_net_frame *frame);

/* Takes the next buffer of the driver's; false: none, or the queue is broken. */
bool pvrom_net_queue_pop(struct pvrom_net_queue *queue, struct pvrom_net_buffer *buffer);

/* The small buffers that were filled are done, and those that were only looked at are not in hand any more. */
void pvrom_net_queue_forget(struct pvrom_net_queue *queue);

/* One buffer is complete, `written` bytes long. */
void pvrom_net_buffer_done(struct pvrom_net_queue *queue, struct pvrom_net_buffer *buffer,
			   uint64_t written);

/* ---- net_steering.c --------------------------------------------------------------------------------- */

/* Is this a steering that the card can follow? */
bool pvrom_net_steering_valid(const struct pvrom_net_host *host,
			      const struct pvrom_net_steering *steering);
/* The queue that a frame goes to, NULL: none is there; and the hash that the driver is told. */
struct pvrom_net_queue *pvrom_net_steer(const struct pvrom_net_host *host, const uint8_t *bytes,
					size_t len, struct pvrom_net_hash *hash);

/* ---- net_receive.c ---------------------------------------------------------------------------------- */

/* Of the buffers in hand the n-th. */
struct pvrom_net_buffer *pvrom_net_held_buffer(const struct pvrom_net_queue *queue, uint32_t n);
/* Takes one more in hand; false: there is none. */
bool pvrom_net_hold_one_more(struct pvrom_net_queue *queue);
/* The oldest in hand is complete. */
void pvrom_net_give_back_first(struct pvrom_net_queue *queue, uint64_t written);
/* Is it longer than the driver was told? Of its len bytes the first are there. */
bool pvrom_net_is_over_mtu(const struct pvrom_net_host *host, const struct pvrom_net_header *header,
			   const uint8_t *bytes, size_t there, size_t len);
/* What of a header has a meaning for the driver. */
struct pvrom_net_header pvrom_net_passed_on(const struct pvrom_net_host *host,
					    const struct pvrom_net_header *header);

#endif
