/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The record of buffers in flight, in the form of vhost-user's INFLIGHT_SHMFD ("Inflight I/O tracking" in
 * its document): its layout, and how it is read and written. For vq_inflight.c and vq_resume.c.
 *
 * x86 keeps the order of the stores; the compiler must, so each store is a release.
 */
#ifndef VQ_RECORD_H
#define VQ_RECORD_H

#include "vq_internal.h"

/*	offset size  field of struct record_split_entry
 *	0      1     inflight
 *	1      5     reserved
 *	6      2     next      the entry before it in the batch
 *	8      8     counter
 */
struct record_split_entry {
	uint8_t inflight;
	uint8_t reserved[5];
	uint16_t next;
	uint64_t counter;
};

struct record_split {
	uint64_t features;
	uint16_t version; /* 1; 0: a new record */
	uint16_t desc_num;
	uint16_t last_batch_head;
	uint16_t used_idx;
	struct record_split_entry desc[];
};

struct record_packed_entry {
	uint8_t inflight;
	uint8_t reserved;
	uint16_t next; /* in a list, or of the free ones */
	uint16_t last; /* of a head: the end of its list */
	uint16_t num;  /* of a head: descriptors */
	uint64_t counter;
	uint16_t id;
	uint16_t flags;
	uint32_t len;
	uint64_t addr;
};

/* The document's used_idx, old_used_idx, used_wrap_counter, old_used_wrap_counter and its padding are two
 * words here, so that one store changes what belongs together. */
struct record_packed {
	uint64_t features;
	uint16_t version;
	uint16_t desc_num;
	uint16_t free_head;
	uint16_t old_free_head;
	uint64_t index;
	uint64_t reserved;
	struct record_packed_entry desc[];
};
_Static_assert(sizeof(struct record_split_entry) == 16 && sizeof(struct record_split) == 16,
	       "QueueRegionSplit");
_Static_assert(sizeof(struct record_packed_entry) == 32 && sizeof(struct record_packed) == 32,
	       "QueueRegionPacked");

#define RECORD_VERSION 1

#ifdef PVROM_TEST
/* Between any two stores the process may die: a test makes it so. */
#define STORED() (pvrom_vq_store_hook ? pvrom_vq_store_hook() : (void)0)
#else
#define STORED() ((void)0)
#endif

#define PUT(field, value)                                                                          \
	do {                                                                                       \
		__atomic_store_n(&(field), (value), __ATOMIC_RELEASE);                             \
		STORED();                                                                          \
	} while (0)
#define GET(field) __atomic_load_n(&(field), __ATOMIC_ACQUIRE)

static inline struct record_split *split(const struct pvrom_vq_device *vq)
{
	return vq->config.inflight;
}

static inline struct record_packed *packed(const struct pvrom_vq_device *vq)
{
	return vq->config.inflight;
}

static inline bool is_packed(const struct pvrom_vq_device *vq)
{
	return vq_device_has(vq, PVROM_VQ_F_RING_PACKED);
}

/* A position and its wrap counter. */
struct place {
	uint16_t at;
	bool wrap;
};

static inline uint64_t index_word(struct place used, struct place old)
{
	return used.at | (uint64_t)old.at << 16 | (used.wrap ? 1ull << 32 : 0) |
	       (old.wrap ? 1ull << 40 : 0);
}

#endif
