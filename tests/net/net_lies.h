/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Devices that lie to the network driver: what the cases share. One that belongs to a check of the driver's is also
 * run with that check taken out, where it must go wrong. (What a device can do to the rings alone:
 * tests/virtqueue.)
 */
#ifndef TESTS_NET_LIES_H
#define TESTS_NET_LIES_H

#include "net_guest_world.h"

#include "../../pvnet/net_guest_internal.h"

/* A device; run answers whether the driver bore it. The world has two pairs and an MTU of 1,500. */
struct net_lie {
	const char *name; /* NULL: the end of a list */
	bool (*run)(struct net_guest_world *w);
	uint32_t check;
};
#define CASE(run, check)                                                                           \
	{                                                                                          \
#run, run, check                                                                   \
	}
#define CHECK(name) PVROM_NET_GUEST_CHECK_##name
#define NO_CHECK 0u

extern const struct net_lie net_lies_begin[], net_lies_frames[], net_lies_headers[],
	net_lies_rings[], net_lies_commands[];

/* ---- beginning ------------------------------------------------------------------------------------- */

#define LIE_BUFFERS 80u /* of each receive queue */

bool lie_begun_as(struct net_guest_world *w, const struct pvrom_net_guest_config *settings);
bool lie_begun(struct net_guest_world *w);

/* What a false transport adds to the truth: bytes that lie_mask sets are those of the lie. */
extern struct pvrom_net_config lie, lie_mask;
extern struct pvrom_virtio_ops honest;
void lie_use(struct net_guest_world *w);

#define LIE(field, value)                                                                          \
	do {                                                                                       \
		memset(&lie_mask, 0, sizeof(lie_mask));                                            \
		memset(&lie_mask.field, 0xff, sizeof(lie_mask.field));                             \
		lie.field = value;                                                                 \
		lie_use(w);                                                                        \
	} while (0)

/* A generation that never stays, and a status that never becomes 0. */
uint32_t lie_restless(struct pvrom_virtio *virtio);
uint32_t lie_status_never_0(struct pvrom_virtio *virtio);

/* ---- the test is the device, of split rings ---------------------------------------------------------- */

#define HEADER 12u

/* Entry n of the used ring of a queue. */
void lie_use_entry(struct net_guest_world *w, uint32_t queue, uint16_t n, uint32_t id,
		   uint32_t len);
/* Buffer n of pair 0, in entry n, with a header; len with it. */
void lie_bring(struct net_guest_world *w, uint16_t n, const struct pvrom_net_header *h,
	       uint32_t len);
/* What receive says of at most 8 frames, which are in lie_frames; UINT32_MAX: broken. */
extern struct pvrom_net_guest_frame lie_frames[8];
uint32_t lie_taken(struct net_guest_world *w);
/* A header of one buffer, and that nothing more. */
extern const struct pvrom_net_header lie_one;
/* A good frame comes through behind n others; all buffers of those are with the device again. */
bool lie_goes_on(struct net_guest_world *w, uint16_t n);
/* A frame, of one buffer if the header does not say, brings nothing. */
bool lie_drops(struct net_guest_world *w, struct pvrom_net_header h, uint32_t len);
#define COUNTED(which) (w->queue[0].counters.which == 1)

/* Counts in lie_loads, as hook of reads of shared memory. */
extern uint32_t lie_loads;
void lie_count_loads(const void *at, size_t bytes);

#endif
