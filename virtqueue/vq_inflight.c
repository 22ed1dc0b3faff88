/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Writing the record of buffers in flight: what the next process needs to go on where this one died.
 *
 * While the queue runs, the record is only written; what would have to be read back stands in private
 * memory too, for others can reach the record. Only pvrom_vq_device_resume() reads it, and checks.
 */
#include "vq_record.h"

#ifdef PVROM_TEST
void (*pvrom_vq_store_hook)(void);
#endif

size_t pvrom_vq_inflight_bytes(uint64_t features, uint32_t size)
{
	size_t bytes;

	if (!pvrom_vq_layout(features, size, NULL))
		return 0;
	if (features & PVROM_VQ_F_RING_PACKED)
		bytes = sizeof(struct record_packed) + sizeof(struct record_packed_entry) * size;
	else
		bytes = sizeof(struct record_split) + sizeof(struct record_split_entry) * size;
	/* Rounded up, so that regions of several queues can follow one another. */
	return (bytes + 63) & ~(size_t)63;
}

/* ---- split, while it runs ------------------------------------------------------------------------ */

void pvrom_vq_record_split_taken(struct pvrom_vq_device *vq, uint16_t head)
{
	if (!vq->config.inflight)
		return;
	PUT(split(vq)->desc[head].counter, vq->counter++);
	vq_step(vq, PVROM_VQ_STEP_POP_COUNTED);
	PUT(split(vq)->desc[head].inflight, 1);
	vq_step(vq, PVROM_VQ_STEP_POP_MARKED);
}

void pvrom_vq_record_split_used(struct pvrom_vq_device *vq, uint16_t head)
{
	if (!vq->config.inflight)
		return;
	PUT(split(vq)->desc[head].next, vq->record_head);
	vq_step(vq, PVROM_VQ_STEP_USED_LINKED);
	vq->record_head = head;
	PUT(split(vq)->last_batch_head, head);
	vq_step(vq, PVROM_VQ_STEP_USED_HEAD);
}

void pvrom_vq_record_split_shown(struct pvrom_vq_device *vq)
{
	uint16_t slot;

	if (!vq->config.inflight)
		return;
	for (slot = vq->batch; slot != VQ_NO_SLOT; slot = vq->config.slots[slot].next)
		PUT(split(vq)->desc[slot].inflight, 0);
	vq_step(vq, PVROM_VQ_STEP_USED_CLEARED);
	PUT(split(vq)->used_idx, vq->shown);
	vq_step(vq, PVROM_VQ_STEP_USED_NOTED);
}

/* ---- packed, while it runs ----------------------------------------------------------------------- */

/* The head of a list that is being noted: what the record calls old_free_head. */
static void begin_list(struct pvrom_vq_device *vq)
{
	struct record_packed_entry *e = &packed(vq)->desc[vq->record_old];

	vq->record_num = 0;
	PUT(e->num, 0);
	PUT(e->counter, vq->counter++);
	vq_step(vq, PVROM_VQ_STEP_POP_COUNTED);
	PUT(e->inflight, 1);
	vq_step(vq, PVROM_VQ_STEP_POP_MARKED);
}

uint16_t pvrom_vq_record_packed_taken(struct pvrom_vq_device *vq, const struct vq_element *element,
				      bool first, bool last)
{
	struct record_packed *r = packed(vq);
	uint16_t head = vq->record_old;
	uint16_t at = vq->record_head;

	if (!r)
		return 0;
	if (first)
		begin_list(vq);
	/* The copy before the number, so that a list that is counted in full is one that is noted in full. */
	PUT(r->desc[at].addr, element->addr);
	PUT(r->desc[at].len, element->len);
	PUT(r->desc[at].flags, element->flags);
	PUT(r->desc[at].id, element->next);
	if (last) {
		vq->config.slots[head].tail = at;
		PUT(r->desc[head].last, at);
	}
	PUT(r->desc[head].num, ++vq->record_num);
	vq_step(vq, PVROM_VQ_STEP_POP_COPIED);
	vq->record_head = vq->config.slots[at].link;
	PUT(r->free_head, vq->record_head);
	if (last) {
		vq->record_old = vq->record_head;
		PUT(r->old_free_head, vq->record_old);
	}
	return head;
}

void pvrom_vq_record_packed_used(struct pvrom_vq_device *vq, uint32_t slot)
{
	struct record_packed *r = packed(vq);
	uint16_t entry = vq->config.slots[slot].record, tail;

	if (!r)
		return;
	tail = vq->config.slots[entry].tail;
	vq->config.slots[tail].link = vq->record_head;
	PUT(r->desc[tail].next, vq->record_head);
	vq_step(vq, PVROM_VQ_STEP_USED_LINKED);
	vq->record_head = entry;
	PUT(r->free_head, entry);
	vq_step(vq, PVROM_VQ_STEP_USED_HEAD);
}

void pvrom_vq_record_packed_index(struct pvrom_vq_device *vq)
{
	if (!vq->config.inflight)
		return;
	PUT(packed(vq)->index, index_word((struct place){ vq->used, vq->used_wrap },
					  (struct place){ vq->shown, vq->shown_wrap }));
	vq_step(vq, PVROM_VQ_STEP_USED_INDEX);
}

void pvrom_vq_record_packed_shown(struct pvrom_vq_device *vq)
{
	struct record_packed *r = packed(vq);
	uint16_t slot;

	if (!r)
		return;
	for (slot = vq->batch; slot != VQ_NO_SLOT; slot = vq->config.slots[slot].next)
		PUT(r->desc[vq->config.slots[slot].record].inflight, 0);
	vq_step(vq, PVROM_VQ_STEP_USED_CLEARED);
	vq->record_old = vq->record_head;
	PUT(r->old_free_head, vq->record_old);
	PUT(r->index, index_word((struct place){ vq->used, vq->used_wrap },
				 (struct place){ vq->used, vq->used_wrap }));
	vq_step(vq, PVROM_VQ_STEP_USED_NOTED);
}

void pvrom_vq_record_packed_get(const struct pvrom_vq_device *vq, uint16_t *entry,
				struct vq_element *element)
{
	const struct record_packed_entry *e = &packed(vq)->desc[*entry];

	element->addr = GET(e->addr);
	element->len = GET(e->len);
	element->flags = GET(e->flags);
	element->next = GET(e->id);
	*entry = vq->config.slots[*entry].link;
}
