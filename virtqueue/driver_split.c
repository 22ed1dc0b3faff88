/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The driver half of split virtqueues, VIRTIO 1.2 clause 2.7.
 *
 * Free descriptors are a list through the private slots; with IN_ORDER they are simply the next ones in
 * the table (2.7.5). Which descriptors a buffer has is in the slots too, since the table is shared.
 */
#include "vq_internal.h"

static struct pvrom_vq_avail *avail_ring(const struct pvrom_vq_driver *vq)
{
	return vq->config.driver;
}

static struct pvrom_vq_used *used_ring(const struct pvrom_vq_driver *vq)
{
	return vq->config.device;
}

/* used_event lies behind the available ring, avail_event behind the used one (2.7.6, 2.7.8). */
static uint16_t *used_event(const struct pvrom_vq_driver *vq)
{
	return &avail_ring(vq)->ring[vq->config.size];
}

static const uint16_t *avail_event(const struct pvrom_vq_driver *vq)
{
	return (const uint16_t *)(const void *)&used_ring(vq)->ring[vq->config.size];
}

static bool in_order(const struct pvrom_vq_driver *vq)
{
	return vq_driver_has(vq, PVROM_VQ_F_IN_ORDER);
}

/* ---- to the device ------------------------------------------------------------------------------- */

/* Fills descriptors from at on, linked as the slots are; returns the one behind the last. */
static uint16_t fill_chain(struct pvrom_vq_driver *vq, uint16_t at, const struct pvrom_vq_buf *bufs,
			   uint32_t readable, uint32_t count)
{
	struct pvrom_vq_desc *table = vq->config.desc;
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint32_t flags = (i >= readable ? PVROM_VQ_DESC_WRITE : 0) |
				 (i + 1 < count ? PVROM_VQ_DESC_NEXT : 0);
		uint16_t next = vq->config.slots[at].next;

		table[at].addr = bufs[i].addr;
		table[at].len = bufs[i].len;
		table[at].flags = (uint16_t)flags;
		/* What 2.7.5.2 demands of IN_ORDER, 0 behind the end, is what the slots say. */
		table[at].next = i + 1 < count ? next : 0;
		at = next;
	}
	return at;
}

void pvrom_vq_driver_split_add(struct pvrom_vq_driver *vq, const struct pvrom_vq_buf *bufs,
			       uint32_t readable, uint32_t count, uint32_t needed, uint32_t bytes,
			       void *token)
{
	uint16_t head = vq->free_head;
	struct pvrom_vq_driver_slot *slot = &vq->config.slots[head];
	struct pvrom_vq_desc *table = vq->config.desc;

	if (needed == count) {
		vq->free_head = fill_chain(vq, head, bufs, readable, count);
	} else {
		table[head].addr = pvrom_vq_driver_table(vq, head, bufs, readable, count);
		table[head].len = (uint32_t)(count * sizeof(*table));
		table[head].flags = PVROM_VQ_DESC_INDIRECT;
		table[head].next = 0;
		vq->free_head = slot->next;
	}
	slot->token = token;
	slot->writable = bytes;
	slot->count = (uint16_t)needed;
	vq_store16(&avail_ring(vq)->ring[vq->avail & (vq->config.size - 1)], head);
	vq->avail++;
}

void pvrom_vq_driver_split_add_one(struct pvrom_vq_driver *vq, uint64_t addr, uint32_t len,
				   bool writable, void *token)
{
	const uint16_t head = vq->free_head;
	struct pvrom_vq_driver_slot *slot = &vq->config.slots[head];
	struct pvrom_vq_desc *desc = (struct pvrom_vq_desc *)vq->config.desc + head;

	desc->addr = addr;
	desc->len = len;
	desc->flags = writable ? PVROM_VQ_DESC_WRITE : 0;
	desc->next = 0;
	vq->free_head = slot->next;
	slot->token = token;
	slot->writable = writable ? len : 0;
	slot->count = 1;
	vq_store16(&avail_ring(vq)->ring[vq->avail & (vq->config.size - 1)], head);
	vq->avail++;
}

bool pvrom_vq_driver_split_publish(struct pvrom_vq_driver *vq)
{
	uint16_t old = vq->shown;

	if (vq->avail == old)
		return false;
	/* Release: the descriptors and ring entries before the index; partner: the device's acquire
	 * load of it in device_split.c, pvrom_vq_device_split_pop(). 2.7.13.3.1 */
	vq_store16_release(&avail_ring(vq)->idx, vq->avail);
	vq->shown = vq->avail;
	/* The index before the device's wish; partner: the barrier in pvrom_vq_device_notifications_on(),
	 * its wish before the index. One of the two sides sees the other's. 2.7.13.4.1 */
	vq_barrier();
	if (vq_driver_has(vq, PVROM_VQ_F_EVENT_IDX))
		return vq_event_passed(vq_load16(avail_event(vq)), vq->shown, old);
	return !(vq_load16(&used_ring(vq)->flags) & PVROM_VQ_USED_NO_NOTIFY);
}

/* ---- from the device ----------------------------------------------------------------------------- */

/* Sees whether used entries are there that were not seen before. */
static enum pvrom_vq_result look(struct pvrom_vq_driver *vq)
{
	uint16_t ahead;

	if (vq->used_seen != vq->used)
		return PVROM_VQ_OK;
	/* Acquire: entries and data after the index; partner: the release store in
	 * pvrom_vq_device_split_publish(). */
	vq->used_seen = vq_load16_acquire(&used_ring(vq)->idx);
	ahead = (uint16_t)(vq->used_seen - vq->used);
	if (!ahead)
		return PVROM_VQ_EMPTY;
	if (VQ_REFUSE(SPLIT_USED_INDEX, ahead > (uint16_t)(vq->shown - vq->used)))
		return pvrom_vq_driver_break(vq, PVROM_VQ_REASON_INDEX);
	return PVROM_VQ_OK;
}

/* Reads a used entry, once: which buffer it is, and its length. */
static enum pvrom_vq_result read_used(struct pvrom_vq_driver *vq, uint32_t *id, uint32_t *len)
{
	const struct pvrom_vq_used_elem *elem =
		&used_ring(vq)->ring[vq->used & (vq->config.size - 1)];

	*id = vq_load32(&elem->id);
	*len = vq_load32(&elem->len);
	if (VQ_REFUSE(USED_ID_RANGE, *id >= vq->config.size))
		return pvrom_vq_driver_break(vq, PVROM_VQ_REASON_ID_RANGE);
	if (VQ_REFUSE(USED_ID_FLIGHT, !vq->config.slots[*id].count))
		return pvrom_vq_driver_break(vq, PVROM_VQ_REASON_ID_UNUSED);
	return PVROM_VQ_OK;
}

/*
 * With IN_ORDER a used entry stands for all buffers up to its own (2.7.9). The oldest is taken; those
 * before the last were used completely.
 */
static enum pvrom_vq_result next_in_order(struct pvrom_vq_driver *vq, uint32_t *id, uint32_t *len)
{
	enum pvrom_vq_result result;

	if (!vq->in_batch) {
		result = read_used(vq, id, len);
		if (result)
			return result;
		vq->batch_end = (uint16_t)*id;
		vq->batch_len = *len;
		vq->in_batch = true;
	}
	*id = vq->oldest;
	if (*id == vq->batch_end) {
		vq->in_batch = false;
		*len = vq->batch_len;
		return PVROM_VQ_OK;
	}
	/* The index must cover the batch: the last one cannot be the last that was seen. */
	if (VQ_REFUSE(USED_ORDER, (uint16_t)(vq->used_seen - vq->used) == 1))
		return pvrom_vq_driver_break(vq, PVROM_VQ_REASON_ORDER);
	*len = vq->config.slots[*id].writable;
	return PVROM_VQ_OK;
}

/* The descriptors of a buffer are free again. */
static void release(struct pvrom_vq_driver *vq, uint32_t head)
{
	struct pvrom_vq_driver_slot *slots = vq->config.slots;
	uint32_t count = slots[head].count, last = head, i;

	slots[head].count = 0;
	vq->free += count;
	for (i = 1; i < count; i++)
		last = slots[last].next;
	if (in_order(vq)) { /* they are freed in the order of the table: the links stay */
		vq->oldest = slots[last].next;
		return;
	}
	slots[last].next = vq->free_head;
	vq->free_head = (uint16_t)head;
}

enum pvrom_vq_result pvrom_vq_driver_split_get(struct pvrom_vq_driver *vq,
					       struct pvrom_vq_done *done)
{
	enum pvrom_vq_result result = look(vq);
	uint32_t id = 0, len = 0;

	if (result)
		return result;
	result = in_order(vq) ? next_in_order(vq, &id, &len) : read_used(vq, &id, &len);
	if (result)
		return result;
	vq_driver_done(&vq->config.slots[id], len, done);
	release(vq, id);
	vq->used++;
	return PVROM_VQ_OK;
}

bool pvrom_vq_driver_split_pending(struct pvrom_vq_driver *vq)
{
	return vq->used_seen != vq->used || vq_load16(&used_ring(vq)->idx) != vq->used;
}

/* ---- interrupts ---------------------------------------------------------------------------------- */

void pvrom_vq_driver_split_off(struct pvrom_vq_driver *vq)
{
	if (vq_driver_has(vq, PVROM_VQ_F_EVENT_IDX)) /* as far away as can be */
		vq_store16(used_event(vq), (uint16_t)(vq->used - 1));
	else
		vq_store16(&avail_ring(vq)->flags, PVROM_VQ_AVAIL_NO_INTERRUPT);
}

bool pvrom_vq_driver_split_on(struct pvrom_vq_driver *vq, uint32_t after)
{
	uint32_t out = (uint16_t)(vq->shown - vq->used);

	if (after > out)
		after = out;
	if (!after || !vq_driver_has(vq, PVROM_VQ_F_EVENT_IDX))
		after = 1;
	if (vq_driver_has(vq, PVROM_VQ_F_EVENT_IDX))
		vq_store16(used_event(vq), (uint16_t)(vq->used + after - 1));
	else
		vq_store16(&avail_ring(vq)->flags, 0);
	/* The wish before the index; partner: the barrier in pvrom_vq_device_split_publish(). 2.7.14 */
	vq_barrier();
	return (uint16_t)(vq_load16(&used_ring(vq)->idx) - vq->used) >= after;
}
