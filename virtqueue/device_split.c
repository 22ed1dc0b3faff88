/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device half of split virtqueues, VIRTIO 1.2 clause 2.7. A buffer's slot is its head's number.
 */
#include "vq_walk.h"

static const struct pvrom_vq_avail *avail_ring(const struct pvrom_vq_device *vq)
{
	return vq->driver_at;
}

static struct pvrom_vq_used *used_ring(const struct pvrom_vq_device *vq)
{
	return vq->device_at;
}

static const uint16_t *used_event(const struct pvrom_vq_device *vq)
{
	return &avail_ring(vq)->ring[vq->config.size];
}

static uint16_t *avail_event(const struct pvrom_vq_device *vq)
{
	return (uint16_t *)(void *)&used_ring(vq)->ring[vq->config.size];
}

/* ---- taking -------------------------------------------------------------------------------------- */

/* Descriptor i of the table, copied once. */
static inline void read_desc(const struct pvrom_vq_device *vq, uint32_t i,
			     struct vq_element *element)
{
	const struct pvrom_vq_desc *d = (const struct pvrom_vq_desc *)vq->desc_at + i;

	element->addr = vq_load64(&d->addr);
	element->len = vq_load32(&d->len);
	element->flags = vq_load16(&d->flags);
	element->next = vq_load16(&d->next);
}

/*
 * Follows the chain, of which `have` descriptors are copied. Zero or more buffers, then perhaps a table
 * (2.7.5.3.2). By a pointer: a copy of what was just written in smaller parts waits until all of that left the CPU's
 * store buffer.
 */
static __attribute__((noinline)) void gather(struct pvrom_vq_device *vq,
					     const struct vq_element *copied, uint32_t have,
					     struct pvrom_vq_request *request)
{
	const struct vq_element *element = copied;
	struct vq_element other;
	struct vq_walk walk;
	uint32_t n = 0;

	vq_walk_begin(&walk, vq, request);
	for (;;) {
		if (VQ_REFUSE(CHAIN_LENGTH,
			      n++ >= vq->config.size || ++walk.descriptors > vq->chain_max)) {
			vq_walk_fault(&walk, PVROM_VQ_FAULT_LOOP);
			return;
		}
		if (element->flags & PVROM_VQ_DESC_INDIRECT) {
			pvrom_vq_walk_table(&walk, element);
			return;
		}
		vq_walk_buffer(&walk, element);
		if (walk.over || !(element->flags & PVROM_VQ_DESC_NEXT))
			return;
		if (VQ_REFUSE(CHAIN_NEXT, element->next >= vq->config.size)) {
			vq_walk_fault(&walk, PVROM_VQ_FAULT_NEXT_RANGE);
			return;
		}
		if (n < have) {
			element = &copied[n];
		} else {
			read_desc(vq, element->next, &other);
			element = &other;
		}
	}
}

/* Copies further descriptors of a chain that begins with copied[0]; how many there are then. *whole: that is all of it. */
static inline uint32_t copy_few(const struct pvrom_vq_device *vq, struct vq_element *copied,
				bool *whole)
{
	const uint16_t on = PVROM_VQ_DESC_NEXT | PVROM_VQ_DESC_INDIRECT;
	uint32_t n = 0;

	while ((copied[n].flags & on) == PVROM_VQ_DESC_NEXT && copied[n].next < vq->config.size &&
	       n + 1 < VQ_FEW) {
		read_desc(vq, copied[n].next, &copied[n + 1]);
		n++;
	}
	*whole = !(copied[n].flags & on);
	return n + 1;
}

static void take_chain(struct pvrom_vq_device *vq, uint32_t head, struct pvrom_vq_request *request)
{
	struct vq_element copied[VQ_FEW];
	uint32_t n;
	bool whole;

	read_desc(vq, head, copied);
	if (vq_walk_plain(vq, copied, request))
		return;
	n = copy_few(vq, copied, &whole);
	if (!whole || !vq_walk_few(vq, copied, n, request))
		gather(vq, copied, n, request);
}

/* Sees whether buffers are there that were not seen before. */
static enum pvrom_vq_result look(struct pvrom_vq_device *vq)
{
	uint16_t ahead;

	if (vq->avail_seen != vq->avail)
		return PVROM_VQ_OK;
	/* Acquire: entries and descriptors after the index; partner: the release store in
	 * pvrom_vq_driver_split_publish(). 2.7.13.3.1 */
	vq->avail_seen = vq_load16_acquire(&avail_ring(vq)->idx);
	ahead = (uint16_t)(vq->avail_seen - vq->avail);
	if (!ahead)
		return PVROM_VQ_EMPTY;
	if (VQ_REFUSE(SPLIT_AVAIL_INDEX, ahead > vq->config.size))
		return pvrom_vq_device_break(vq, PVROM_VQ_REASON_INDEX);
	return PVROM_VQ_OK;
}

enum pvrom_vq_result pvrom_vq_device_split_pop(struct pvrom_vq_device *vq,
					       struct pvrom_vq_request *request)
{
	enum pvrom_vq_result result = look(vq);
	uint16_t head;

	if (result)
		return result;
	head = vq_load16(&avail_ring(vq)->ring[vq->avail & (vq->config.size - 1)]);
	if (VQ_REFUSE(SPLIT_HEAD_RANGE, head >= vq->config.size))
		return pvrom_vq_device_break(vq, PVROM_VQ_REASON_HEAD_RANGE);
	if (VQ_REFUSE(SPLIT_HEAD_TWICE, vq->config.slots[head].state != VQ_FREE))
		return pvrom_vq_device_break(vq, PVROM_VQ_REASON_HEAD_TWICE);
	vq_step(vq, PVROM_VQ_STEP_POP_SEEN);
	if (vq->config.inflight)
		pvrom_vq_record_split_taken(vq, head);
	take_chain(vq, head, request);
	vq->avail++;
	vq_device_take(vq, request, head, head, 1);
	vq_step(vq, PVROM_VQ_STEP_POP_DONE);
	return PVROM_VQ_OK;
}

enum pvrom_vq_result pvrom_vq_device_split_again(struct pvrom_vq_device *vq,
						 struct pvrom_vq_request *request, uint32_t slot)
{
	take_chain(vq, slot, request);
	vq_device_take(vq, request, slot, (uint16_t)slot, 1);
	return PVROM_VQ_OK;
}

bool pvrom_vq_device_split_pending(struct pvrom_vq_device *vq)
{
	return vq->avail_seen != vq->avail || vq_load16(&avail_ring(vq)->idx) != vq->avail;
}

/* ---- giving back --------------------------------------------------------------------------------- */

/*
 * The used entry of a buffer, at the next place of the ring. With IN_ORDER a buffer that was used completely
 * needs none if one behind it in the batch has one, which then stands in the first place (2.7.9).
 */
void pvrom_vq_device_split_used(struct pvrom_vq_device *vq, uint32_t slot)
{
	struct pvrom_vq_device_slot *s = &vq->config.slots[slot];
	uint32_t at = (vq->skip ? vq->skip_from : vq->used) & (vq->config.size - 1);
	struct pvrom_vq_used_elem *elem = &used_ring(vq)->ring[at];

	vq_store32(&elem->id, s->id);
	vq_store32(&elem->len, s->len);
	vq_dirty(vq, vq->config.device, 4 + 8ull * at, sizeof(*elem));
	vq_step(vq, PVROM_VQ_STEP_USED_WRITTEN);
	if (vq->config.inflight)
		pvrom_vq_record_split_used(vq, s->id);
	if (vq_may_skip(vq, s)) {
		if (!vq->skip)
			vq->skip_from = vq->used;
		vq->skip = true;
	} else {
		vq->skip = false;
	}
	vq->used++;
	s->next = vq->batch;
	vq->batch = (uint16_t)slot;
}

/* Does the driver want an interrupt for what was shown since old? 2.7.7.2 */
static bool wanted(struct pvrom_vq_device *vq, uint16_t old)
{
	bool first = !vq->signalled;

	vq->signalled = true;
	if (!vq_device_has(vq, PVROM_VQ_F_EVENT_IDX))
		return !(vq_load16(&avail_ring(vq)->flags) & PVROM_VQ_AVAIL_NO_INTERRUPT);
	/* After a load or a crash nobody knows whether the event was passed before: say it once more. */
	return first || vq_event_passed(vq_load16(used_event(vq)), vq->shown, old);
}

bool pvrom_vq_device_split_publish(struct pvrom_vq_device *vq)
{
	uint16_t old = vq->shown;
	bool interrupt;

	if (vq->used == old)
		return false;
	vq->skip = false;
	/* Release: entries and data before the index; partner: the acquire load in driver_split.c, look().
	 * 2.7.8.2 */
	vq_store16_release(&used_ring(vq)->idx, vq->used);
	vq->shown = vq->used;
	vq_step(vq, PVROM_VQ_STEP_USED_SHOWN);
	vq_dirty(vq, vq->config.device, 2, 2);
	pvrom_vq_record_split_shown(vq);
	pvrom_vq_device_release_batch(vq);
	/* The index before the driver's wish; partner: the barrier in pvrom_vq_driver_split_on(). 2.7.7 */
	vq_barrier();
	interrupt = wanted(vq, old);
	vq_step(vq, PVROM_VQ_STEP_USED_JUDGED);
	return interrupt;
}

/* ---- notifications ------------------------------------------------------------------------------- */

void pvrom_vq_device_split_notify(struct pvrom_vq_device *vq, bool on)
{
	if (vq_device_has(vq, PVROM_VQ_F_EVENT_IDX)) {
		/* Off: as far away as can be. */
		vq_store16(avail_event(vq), (uint16_t)(on ? vq->avail : vq->avail - 1));
		vq_dirty(vq, vq->config.device, 4 + 8ull * vq->config.size, 2);
		return;
	}
	vq_store16(&used_ring(vq)->flags, (uint16_t)(on ? 0 : PVROM_VQ_USED_NO_NOTIFY));
	vq_dirty(vq, vq->config.device, 0, 2);
}

/* The used index as it stands in guest memory. */
uint16_t pvrom_vq_device_split_shown(const struct pvrom_vq_device *vq)
{
	return vq_load16(&used_ring(vq)->idx);
}
