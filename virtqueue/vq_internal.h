/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of virtqueue/ share: accesses to shared memory, barriers, and functions by file.
 *
 * x86 keeps loads in order among themselves, stores likewise, and no store passes an earlier load. So
 * acquire and release cost nothing but the compiler's obedience, and only one pair of barriers
 * is instructions: vq_barrier(), store before load, between showing work and reading the other side's
 * wish (publish) on one side, and between writing the wish and looking for work (..._on) on the other.
 */
#ifndef PVROM_VQ_INTERNAL_H
#define PVROM_VQ_INTERNAL_H

#include <pvrom/virtqueue_device.h>
#include <pvrom/virtqueue_driver.h>

#include "vq_checks.h"

/* ---- shared words: each read or write in the source is one in the machine ------------------------ */

#ifdef PVROM_TEST
/* Called before each read of what the other side can write: that none is read twice. NULL: not. */
extern void (*pvrom_vq_load_hook)(const void *at, size_t bytes);
#define VQ_LOADS(at, bytes) (pvrom_vq_load_hook ? pvrom_vq_load_hook(at, bytes) : (void)0)
#else
#define VQ_LOADS(at, bytes) ((void)0)
#endif

static inline uint16_t vq_load16(const uint16_t *word)
{
	VQ_LOADS(word, sizeof(*word));
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint32_t vq_load32(const uint32_t *word)
{
	VQ_LOADS(word, sizeof(*word));
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint64_t vq_load64(const uint64_t *word)
{
	VQ_LOADS(word, sizeof(*word));
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* What is read after it was written before the release store of the other side that it saw. */
static inline uint16_t vq_load16_acquire(const uint16_t *word)
{
	VQ_LOADS(word, sizeof(*word));
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void vq_store16(uint16_t *word, uint16_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline void vq_store32(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/* What was written before it is seen by whoever sees it with an acquire load. */
static inline void vq_store16_release(uint16_t *word, uint16_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/*
 * Length, id and flags of a packed descriptor as one word, aligned by 2.8.10.1: half the accesses, and what is read
 * is what stood there when the flags did. may_alias: other code has the fields by their names.
 */
typedef uint64_t vq_tail __attribute__((may_alias));

static inline uint64_t vq_tail_of(uint32_t len, uint16_t id, uint16_t flags)
{
	return len | (uint64_t)id << 32 | (uint64_t)flags << 48;
}

static inline uint64_t vq_load_tail_acquire(const struct pvrom_vq_packed_desc *d)
{
	VQ_LOADS(&d->len, sizeof(uint64_t));
	return __atomic_load_n((const vq_tail *)(const void *)&d->len, __ATOMIC_ACQUIRE);
}

static inline void vq_store_tail(struct pvrom_vq_packed_desc *d, uint64_t tail)
{
	__atomic_store_n((vq_tail *)(void *)&d->len, tail, __ATOMIC_RELAXED);
}

/* Store before load. A locked instruction: cheaper than mfence, and orders the same in ordinary memory. */
static inline void vq_barrier(void)
{
	__asm__ volatile("lock; addl $0, (%%rsp)" : : : "memory", "cc");
}

/* Did the other side's event index pass between old and now? 2.7.7.2, 2.7.10.1. */
static inline bool vq_event_passed(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

/*
 * The same for the packed ring (2.8.10): position now with wrap counter wrap, count descriptors further than
 * at the last time. Positions of the lap before count as negative.
 */
static inline bool vq_packed_event_passed(uint16_t off_wrap, uint16_t now, bool wrap, uint32_t size,
					  uint32_t count)
{
	uint16_t event = off_wrap & 0x7fff;

	if ((off_wrap >> 15) != wrap)
		event = (uint16_t)(event - size);
	return vq_event_passed(event, now, (uint16_t)(now - count));
}

/* The word that a side keeps in its event suppression structure. */
static inline uint32_t vq_event_word(uint16_t position, bool wrap, uint32_t flags)
{
	return flags << 16 | (uint32_t)wrap << 15 | position;
}

/* Moves a position in a packed ring on by count (at most size) and turns the wrap counter. */
static inline void vq_advance(uint16_t *position, bool *wrap, uint32_t count, uint32_t size)
{
	uint32_t next = *position + count;

	if (next >= size) {
		next -= size;
		*wrap = !*wrap;
	}
	*position = (uint16_t)next;
}

/*
 * Asks for a line that will be written, for this CPU alone. Not __builtin_prefetch(at, 1), of which compilers make a
 * prefetch for reading unless they are told of a processor; one that does not know PREFETCHW takes it for a NOP.
 */
static inline void vq_prefetch_write(const void *at)
{
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)at));
}

/*
 * Asks for the descriptors two cache lines ahead, once a line: each line of the ring comes from the other side's cache, and
 * waiting for them one by one was a third of the time of a buffer (make bench-ring). Not for writing (prefetchw):
 * that takes lines away that the other side is at, and made buffers that are shown one by one half as fast. Reads
 * nothing: no value of there is used before it is loaded.
 */
static inline void vq_prefetch_ahead(const struct pvrom_vq_packed_desc *ring, uint32_t position,
				     uint32_t size)
{
	if (position % 4 == 0)
		__builtin_prefetch(&ring[position + 8 < size ? position + 8 : 0]);
}

/* AVAIL and USED as a driver with that wrap counter makes a descriptor available (2.8.1). */
static inline uint16_t vq_avail_flags(bool wrap)
{
	return wrap ? PVROM_VQ_DESC_AVAIL : PVROM_VQ_DESC_USED;
}

/* And as a device marks it used. */
static inline uint16_t vq_used_flags(bool wrap)
{
	return wrap ? PVROM_VQ_DESC_AVAIL | PVROM_VQ_DESC_USED : 0;
}

#define VQ_AVAIL_USED (PVROM_VQ_DESC_AVAIL | PVROM_VQ_DESC_USED)

/* ---- vq_layout.c --------------------------------------------------------------------------------- */

/* Are the areas' addresses aligned as they must be? */
bool pvrom_vq_aligned(const struct pvrom_vq_layout *layout, uint64_t desc, uint64_t driver,
		      uint64_t device);

/* ---- vq_driver.c, driver_split.c, driver_packed.c ------------------------------------------------ */

static inline bool vq_driver_has(const struct pvrom_vq_driver *vq, uint64_t feature)
{
	return vq->config.features & feature;
}

/* Writes the indirect table of a buffer; the packed form has no next. Returns its address. */
uint64_t pvrom_vq_driver_table(struct pvrom_vq_driver *vq, uint32_t index,
			       const struct pvrom_vq_buf *bufs, uint32_t readable, uint32_t count);
/* The length of a used buffer as the driver may believe it. */
static inline void vq_driver_done(const struct pvrom_vq_driver_slot *slot, uint32_t len,
				  struct pvrom_vq_done *done)
{
	done->token = slot->token;
	done->overlong = VQ_REFUSE(USED_LENGTH, len > slot->writable);
	done->len = done->overlong ? slot->writable : len;
}
enum pvrom_vq_result pvrom_vq_driver_break(struct pvrom_vq_driver *vq, enum pvrom_vq_reason reason);

void pvrom_vq_driver_split_init(struct pvrom_vq_driver *vq);
void pvrom_vq_driver_split_add(struct pvrom_vq_driver *vq, const struct pvrom_vq_buf *bufs,
			       uint32_t readable, uint32_t count, uint32_t needed, uint32_t bytes,
			       void *token);
void pvrom_vq_driver_split_add_one(struct pvrom_vq_driver *vq, uint64_t addr, uint32_t len,
				   bool writable, void *token);
bool pvrom_vq_driver_split_publish(struct pvrom_vq_driver *vq);
enum pvrom_vq_result pvrom_vq_driver_split_get(struct pvrom_vq_driver *vq,
					       struct pvrom_vq_done *done);
bool pvrom_vq_driver_split_pending(struct pvrom_vq_driver *vq);
void pvrom_vq_driver_split_off(struct pvrom_vq_driver *vq);
bool pvrom_vq_driver_split_on(struct pvrom_vq_driver *vq, uint32_t after);

void pvrom_vq_driver_packed_init(struct pvrom_vq_driver *vq);
void pvrom_vq_driver_packed_add(struct pvrom_vq_driver *vq, const struct pvrom_vq_buf *bufs,
				uint32_t readable, uint32_t count, uint32_t needed, uint32_t bytes,
				void *token);
void pvrom_vq_driver_packed_add_one(struct pvrom_vq_driver *vq, uint64_t addr, uint32_t len,
				    bool writable, void *token);
bool pvrom_vq_driver_packed_publish(struct pvrom_vq_driver *vq);
enum pvrom_vq_result pvrom_vq_driver_packed_get(struct pvrom_vq_driver *vq,
						struct pvrom_vq_done *done);
bool pvrom_vq_driver_packed_pending(struct pvrom_vq_driver *vq);
void pvrom_vq_driver_packed_off(struct pvrom_vq_driver *vq);
bool pvrom_vq_driver_packed_on(struct pvrom_vq_driver *vq, uint32_t after);

/* ---- vq_device.c, device_split.c, device_packed.c ------------------------------------------------ */

/* States of a device slot. A request is in flight from POPPED on; LEFT: from before a crash. */
enum vq_slot_state { VQ_FREE, VQ_LEFT, VQ_POPPED, VQ_DONE };
#define VQ_NO_SLOT 0xffffu

static inline bool vq_device_has(const struct pvrom_vq_device *vq, uint64_t feature)
{
	return vq->config.features & feature;
}

static inline void vq_step(const struct pvrom_vq_device *vq, enum pvrom_vq_step step)
{
#ifdef PVROM_TEST
	if (vq->config.ops->step)
		vq->config.ops->step(vq->config.ops_ctx, step);
#else
	(void)vq;
	(void)step;
#endif
}

/* In order: the place after this one. */
static inline uint16_t vq_next_place(const struct pvrom_vq_device *vq, uint16_t place)
{
	return (uint16_t)(place + 1u < vq->config.size ? place + 1u : 0);
}

/*
 * May a buffer go without a used entry of its own? Only with IN_ORDER, and if it was used completely (2.7.9, 2.8.8);
 * that would include what was written to the end, but a driver must know then that it was: DPDK's, which
 * merges buffers of received frames, waits for an entry of each.
 */
static inline bool vq_may_skip(const struct pvrom_vq_device *vq,
			       const struct pvrom_vq_device_slot *slot)
{
	return vq_device_has(vq, PVROM_VQ_F_IN_ORDER) && !slot->writable && !slot->faulty;
}

/* Guest memory at base + offset was written. */
static inline void vq_dirty(const struct pvrom_vq_device *vq, struct pvrom_gpa base,
			    uint64_t offset, uint64_t len)
{
	if (__builtin_expect(vq->log, 0) && vq->config.ops->dirty && len)
		vq->config.ops->dirty(vq->config.ops_ctx, (struct pvrom_gpa){ base.gpa + offset },
				      len);
}

enum pvrom_vq_result pvrom_vq_device_break(struct pvrom_vq_device *vq, enum pvrom_vq_reason reason);
/* The slots of the batch are free again. */
void pvrom_vq_device_release_batch(struct pvrom_vq_device *vq);

enum pvrom_vq_result pvrom_vq_device_split_pop(struct pvrom_vq_device *vq,
					       struct pvrom_vq_request *request);
enum pvrom_vq_result pvrom_vq_device_split_again(struct pvrom_vq_device *vq,
						 struct pvrom_vq_request *request, uint32_t slot);
/* The used entry of a slot. */
void pvrom_vq_device_split_used(struct pvrom_vq_device *vq, uint32_t slot);
bool pvrom_vq_device_split_publish(struct pvrom_vq_device *vq);
bool pvrom_vq_device_split_pending(struct pvrom_vq_device *vq);
void pvrom_vq_device_split_notify(struct pvrom_vq_device *vq, bool on);
uint16_t pvrom_vq_device_split_shown(const struct pvrom_vq_device *vq);

enum pvrom_vq_result pvrom_vq_device_packed_pop(struct pvrom_vq_device *vq,
						struct pvrom_vq_request *request);
void pvrom_vq_device_packed_unpop(struct pvrom_vq_device *vq, uint32_t slot);
enum pvrom_vq_result pvrom_vq_device_packed_again(struct pvrom_vq_device *vq,
						  struct pvrom_vq_request *request, uint32_t slot);
void pvrom_vq_device_packed_used(struct pvrom_vq_device *vq, uint32_t slot);
/* The same of a quick queue: s is that slot, len what was written. OK. */
enum pvrom_vq_result pvrom_vq_device_packed_used_quick(struct pvrom_vq_device *vq,
						       struct pvrom_vq_device_slot *s,
						       uint32_t slot, uint32_t len);
bool pvrom_vq_device_packed_publish(struct pvrom_vq_device *vq);
bool pvrom_vq_device_packed_pending(struct pvrom_vq_device *vq);
void pvrom_vq_device_packed_notify(struct pvrom_vq_device *vq, bool on);

/* A descriptor in private memory, of either format. */
struct vq_element {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next; /* packed: the id */
};

/* ---- vq_inflight.c ------------------------------------------------------------------------------- */

#ifdef PVROM_TEST
/* Called after each store to a record. */
extern void (*pvrom_vq_store_hook)(void);
#endif

/* Each does nothing without a record. The split ones are named by head. */
void pvrom_vq_record_split_taken(struct pvrom_vq_device *vq, uint16_t head);
void pvrom_vq_record_split_used(struct pvrom_vq_device *vq, uint16_t head);
void pvrom_vq_record_split_shown(struct pvrom_vq_device *vq);

/* The packed ones: each descriptor as it is read, first and last told; the last returns the entry. */
uint16_t pvrom_vq_record_packed_taken(struct pvrom_vq_device *vq, const struct vq_element *element,
				      bool first, bool last);
void pvrom_vq_record_packed_used(struct pvrom_vq_device *vq, uint32_t slot);
void pvrom_vq_record_packed_index(struct pvrom_vq_device *vq);
void pvrom_vq_record_packed_shown(struct pvrom_vq_device *vq);
/* The next descriptor of a list that is in flight, out of the record; moves *entry on. */
void pvrom_vq_record_packed_get(const struct pvrom_vq_device *vq, uint16_t *entry,
				struct vq_element *element);

#endif
