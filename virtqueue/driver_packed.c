/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The driver half of packed virtqueues, VIRTIO 1.2 clause 2.8.
 *
 * Buffer ids are numbers of slots. The flags of the first descriptor of all that was added since the last
 * publish are held back: the device looks at descriptors in order, so it sees none of them before.
 */
#include "vq_internal.h"

static struct pvrom_vq_packed_desc *ring(const struct pvrom_vq_driver *vq)
{
	return vq->config.desc;
}

static bool in_order(const struct pvrom_vq_driver *vq)
{
	return vq_driver_has(vq, PVROM_VQ_F_IN_ORDER);
}

/* ---- to the device ------------------------------------------------------------------------------- */

/* Writes the next descriptor; its flags at once, or at publish if it is the first. */
static inline void put(struct pvrom_vq_driver *vq, uint64_t addr, uint32_t len, uint16_t id,
		       uint32_t flags)
{
	struct pvrom_vq_packed_desc *d = &ring(vq)[vq->avail];

	d->addr = addr;
	flags |= vq_avail_flags(vq->avail_wrap);
	if (vq->added++) {
		vq_store_tail(d, vq_tail_of(len, id, (uint16_t)flags));
	} else {
		vq_store32(&d->len, len);
		vq_store16(&d->id, id);
		vq->first_flags = (uint16_t)flags;
	}
	vq_advance(&vq->avail, &vq->avail_wrap, 1, vq->config.size);
}

void pvrom_vq_driver_packed_add(struct pvrom_vq_driver *vq, const struct pvrom_vq_buf *bufs,
				uint32_t readable, uint32_t count, uint32_t needed, uint32_t bytes,
				void *token)
{
	uint16_t id = vq->free_head;
	struct pvrom_vq_driver_slot *slot = &vq->config.slots[id];
	uint32_t i;

	if (needed == count) {
		for (i = 0; i < count; i++)
			put(vq, bufs[i].addr, bufs[i].len, id,
			    (i >= readable ? PVROM_VQ_DESC_WRITE : 0) |
				    (i + 1 < count ? PVROM_VQ_DESC_NEXT : 0));
	} else {
		uint64_t table = pvrom_vq_driver_table(vq, id, bufs, readable, count);

		put(vq, table, (uint32_t)(count * sizeof(struct pvrom_vq_desc)), id,
		    PVROM_VQ_DESC_INDIRECT);
	}
	slot->token = token;
	slot->writable = bytes;
	slot->count = (uint16_t)needed;
	vq->free_head = slot->next;
}

void pvrom_vq_driver_packed_add_one(struct pvrom_vq_driver *vq, uint64_t addr, uint32_t len,
				    bool writable, void *token)
{
	const uint16_t id = vq->free_head;
	struct pvrom_vq_driver_slot *slot = &vq->config.slots[id];

	put(vq, addr, len, id, writable ? PVROM_VQ_DESC_WRITE : 0);
	slot->token = token;
	slot->writable = writable ? len : 0;
	slot->count = 1;
	vq->free_head = slot->next;
}

/* Does the device want to hear of count descriptors more? 2.8.10 */
static bool wanted(const struct pvrom_vq_driver *vq, uint32_t count)
{
	uint32_t word = vq_load32(vq->config.device);
	uint32_t flags = word >> 16 & 3;

	if (flags != PVROM_VQ_EVENT_DESC || !vq_driver_has(vq, PVROM_VQ_F_EVENT_IDX))
		return flags != PVROM_VQ_EVENT_DISABLE;
	return vq_packed_event_passed((uint16_t)word, vq->avail, vq->avail_wrap, vq->config.size,
				      count);
}

bool pvrom_vq_driver_packed_publish(struct pvrom_vq_driver *vq)
{
	uint32_t count = vq->added;

	if (!count)
		return false;
	/* Release: descriptors before the first one's flags; partner: the device's acquire load of flags
	 * in pvrom_vq_device_packed_pop(). 2.8.21.1.1 */
	vq_store16_release(&ring(vq)[vq->shown].flags, vq->first_flags);
	vq->shown = vq->avail;
	vq->shown_wrap = vq->avail_wrap;
	vq->added = 0;
	/* Flags before the device's wish; partner: the barrier in pvrom_vq_device_notifications_on().
	 * 2.8.21.3.1 */
	vq_barrier();
	return wanted(vq, count);
}

/* ---- from the device ----------------------------------------------------------------------------- */

static bool is_used(const struct pvrom_vq_driver *vq, uint16_t flags)
{
	return (flags & VQ_AVAIL_USED) == vq_used_flags(vq->used_wrap);
}

/* Has the device anything to use? All that is in flight may not yet have been shown. */
static bool nothing_shown(const struct pvrom_vq_driver *vq)
{
	return vq->config.size - vq->free == vq->added;
}

static inline enum pvrom_vq_result read_used(struct pvrom_vq_driver *vq, uint32_t *id,
					     uint32_t *len)
{
	const struct pvrom_vq_packed_desc *d = &ring(vq)[vq->used];
	/* Acquire: data after the flags; partner: the release store in pvrom_vq_device_packed_publish(). */
	const uint64_t tail = vq_load_tail_acquire(d);

	if (!is_used(vq, (uint16_t)(tail >> 48)))
		return PVROM_VQ_EMPTY;
	vq_prefetch_ahead(ring(vq), vq->used, vq->config.size);
	*id = (uint16_t)(tail >> 32);
	/* By 2.8.4 it means nothing without WRITE in the flags; but QEMU 7.2 never sets that. */
	*len = (uint32_t)tail;
	if (VQ_REFUSE(USED_UNSHOWN, nothing_shown(vq)))
		return pvrom_vq_driver_break(vq, PVROM_VQ_REASON_INDEX);
	if (VQ_REFUSE(USED_ID_RANGE, *id >= vq->config.size))
		return pvrom_vq_driver_break(vq, PVROM_VQ_REASON_ID_RANGE);
	if (VQ_REFUSE(USED_ID_FLIGHT, !vq->config.slots[*id].count))
		return pvrom_vq_driver_break(vq, PVROM_VQ_REASON_ID_UNUSED);
	return PVROM_VQ_OK;
}

/* With IN_ORDER a used descriptor stands for all buffers up to its own (2.8.8). */
static enum pvrom_vq_result next_in_order(struct pvrom_vq_driver *vq, uint32_t *id, uint32_t *len)
{
	if (!vq->in_batch) {
		enum pvrom_vq_result result = read_used(vq, id, len);

		if (result)
			return result;
		vq->batch_end = (uint16_t)*id;
		vq->batch_len = *len;
		vq->in_batch = true;
	}
	*id = vq->oldest;
	vq->in_batch = *id != vq->batch_end;
	*len = vq->in_batch ? vq->config.slots[*id].writable : vq->batch_len;
	return PVROM_VQ_OK;
}

/* The descriptors of a buffer, and its id, are free again. */
static inline void release(struct pvrom_vq_driver *vq, uint32_t id)
{
	struct pvrom_vq_driver_slot *slot = &vq->config.slots[id];

	vq->free += slot->count;
	vq_advance(&vq->used, &vq->used_wrap, slot->count, vq->config.size);
	slot->count = 0;
	if (in_order(vq)) { /* ids go round */
		vq->oldest = slot->next;
		return;
	}
	slot->next = vq->free_head;
	vq->free_head = (uint16_t)id;
}

static inline enum pvrom_vq_result give_back(struct pvrom_vq_driver *vq, uint32_t id, uint32_t len,
					     struct pvrom_vq_done *done)
{
	vq_driver_done(&vq->config.slots[id], len, done);
	release(vq, id);
	return PVROM_VQ_OK;
}

/* A function of its own: what it keeps in memory stays out of the way of the others. */
static __attribute__((noinline)) enum pvrom_vq_result get_in_order(struct pvrom_vq_driver *vq,
								   struct pvrom_vq_done *done)
{
	uint32_t id = 0, len = 0;
	enum pvrom_vq_result result = next_in_order(vq, &id, &len);

	return result ? result : give_back(vq, id, len, done);
}

enum pvrom_vq_result pvrom_vq_driver_packed_get(struct pvrom_vq_driver *vq,
						struct pvrom_vq_done *done)
{
	enum pvrom_vq_result result;
	uint32_t id = 0, len = 0;

	if (in_order(vq))
		return get_in_order(vq, done);
	result = read_used(vq, &id, &len);
	return result ? result : give_back(vq, id, len, done);
}

bool pvrom_vq_driver_packed_pending(struct pvrom_vq_driver *vq)
{
	return is_used(vq, vq_load16(&ring(vq)[vq->used].flags));
}

/* ---- interrupts ---------------------------------------------------------------------------------- */

void pvrom_vq_driver_packed_off(struct pvrom_vq_driver *vq)
{
	vq_store32(vq->config.driver, vq_event_word(0, false, PVROM_VQ_EVENT_DISABLE));
}

/* Descriptors of the `after` oldest buffers are not known (any may come first): the event is asked for
 * `after` descriptors on, which comes no later than that many buffers. */
bool pvrom_vq_driver_packed_on(struct pvrom_vq_driver *vq, uint32_t after)
{
	uint32_t out = vq->config.size - vq->free - vq->added;
	uint16_t at = vq->used;
	bool wrap = vq->used_wrap;
	uint32_t flags = PVROM_VQ_EVENT_ENABLE;

	if (after > out)
		after = out;
	if (vq_driver_has(vq, PVROM_VQ_F_EVENT_IDX)) {
		if (after > 1)
			vq_advance(&at, &wrap, after - 1, vq->config.size);
		flags = PVROM_VQ_EVENT_DESC;
	}
	vq_store32(vq->config.driver, vq_event_word(at, wrap, flags));
	/* The wish before the flags; partner: the barrier in pvrom_vq_device_packed_publish(). 2.8.22 */
	vq_barrier();
	return pvrom_vq_driver_packed_pending(vq);
}
