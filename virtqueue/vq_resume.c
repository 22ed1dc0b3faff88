/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Going on after the death of a process, by the record that it left: what was shown and not noted is ended, what is
 * in flight is to be taken again. Anything may stand in a record.
 */
#include "vq_record.h"

/* ---- what is to be taken again, in order --------------------------------------------------------- */

/*
 * slots[0 to count - 1].order are numbers of slots whose .writable is a counter: sorts them. A heap, for the
 * counters are whatever stands in the record.
 */
static bool later(const struct pvrom_vq_device_slot *s, uint32_t a, uint32_t b)
{
	return s[s[a].order].writable > s[s[b].order].writable;
}

static void swap(struct pvrom_vq_device_slot *s, uint32_t a, uint32_t b)
{
	uint32_t order = s[a].order;

	s[a].order = s[b].order;
	s[b].order = order;
}

static void sift(struct pvrom_vq_device_slot *s, uint32_t i, uint32_t count)
{
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= count)
			return;
		if (child + 1 < count && later(s, child + 1, child))
			child++;
		if (!later(s, child, i))
			return;
		swap(s, i, child);
		i = child;
	}
}

static void sort(struct pvrom_vq_device_slot *s, uint32_t count)
{
	uint32_t i;

	for (i = count / 2; i--;)
		sift(s, i, count);
	for (i = count; i-- > 1;) {
		swap(s, 0, i);
		sift(s, 0, i);
	}
}

static void found(struct pvrom_vq_device *vq, uint32_t number, uint64_t counter)
{
	struct pvrom_vq_device_slot *s = vq->config.slots;

	s[vq->resubmit++].order = number;
	s[number].writable = counter;
	if (counter >= vq->counter)
		vq->counter = counter + 1;
}

/* ---- split, after a crash ------------------------------------------------------------------------ */

static void new_split(struct pvrom_vq_device *vq)
{
	struct record_split *r = split(vq);
	uint32_t i;

	for (i = 0; i < vq->config.size; i++)
		r->desc[i] = (struct record_split_entry){ 0 };
	r->features = 0;
	r->desc_num = (uint16_t)vq->config.size;
	r->last_batch_head = 0;
	r->used_idx = vq->used;
	PUT(r->version, RECORD_VERSION);
}

/* The batch that was shown may still be marked; false if that makes no sense. */
static bool end_batch(struct pvrom_vq_device *vq, uint16_t used)
{
	struct record_split *r = split(vq);
	uint16_t count = (uint16_t)(used - GET(r->used_idx));
	uint16_t head = GET(r->last_batch_head);

	if (VQ_REFUSE(RECORD_BATCH, count > vq->config.size))
		return false;
	for (; count; count--) {
		if (VQ_REFUSE(RECORD_LINK, head >= vq->config.size))
			return false;
		PUT(r->desc[head].inflight, 0);
		head = GET(r->desc[head].next);
	}
	PUT(r->used_idx, used);
	return true;
}

static void find_split(struct pvrom_vq_device *vq)
{
	struct record_split *r = split(vq);
	uint32_t i;

	for (i = 0; i < vq->config.size; i++)
		if (GET(r->desc[i].inflight))
			found(vq, i, GET(r->desc[i].counter));
}

static void list_split(struct pvrom_vq_device *vq)
{
	struct pvrom_vq_device_slot *s = vq->config.slots;
	uint32_t i;

	sort(s, vq->resubmit);
	vq->resubmit_head = vq->resubmit ? (uint16_t)s[0].order : VQ_NO_SLOT;
	for (i = 0; i < vq->resubmit; i++) {
		s[s[i].order].state = VQ_LEFT;
		s[s[i].order].next =
			i + 1 < vq->resubmit ? (uint16_t)s[i + 1].order : (uint16_t)VQ_NO_SLOT;
	}
}

static enum pvrom_vq_result resume_split(struct pvrom_vq_device *vq)
{
	uint16_t used = pvrom_vq_device_split_shown(vq);

	if (!end_batch(vq, used))
		return pvrom_vq_device_break(vq, PVROM_VQ_REASON_INFLIGHT);
	find_split(vq);
	list_split(vq);
	vq->record_head = GET(split(vq)->last_batch_head);
	vq->used = vq->shown = used;
	/* Each entry that was taken is either used or in flight. */
	vq->avail = vq->avail_seen = (uint16_t)(used + vq->resubmit);
	return PVROM_VQ_OK;
}

/* ---- packed, after a crash ----------------------------------------------------------------------- */

static void new_packed(struct pvrom_vq_device *vq)
{
	struct record_packed *r = packed(vq);
	struct place used = { vq->used, vq->used_wrap };
	uint32_t i;

	for (i = 0; i < vq->config.size; i++) {
		uint16_t next = (uint16_t)(i + 1 < vq->config.size ? i + 1 : 0);

		r->desc[i] = (struct record_packed_entry){ .next = next };
		vq->config.slots[i].link = next;
	}
	r->features = 0;
	r->desc_num = (uint16_t)vq->config.size;
	r->free_head = r->old_free_head = 0;
	r->index = index_word(used, used);
	r->reserved = 0;
	vq->record_head = vq->record_old = 0;
	PUT(r->version, RECORD_VERSION);
}

/* The batch between old and used was shown: it is no longer in flight. */
static bool commit(struct pvrom_vq_device *vq, uint32_t count)
{
	struct record_packed *r = packed(vq);
	uint16_t head = GET(r->free_head);

	while (count) {
		uint16_t num, last;

		if (VQ_REFUSE(RECORD_LINK, head >= vq->config.size))
			return false;
		num = GET(r->desc[head].num);
		last = GET(r->desc[head].last);
		if (VQ_REFUSE(RECORD_BATCH, !num || num > count))
			return false;
		if (VQ_REFUSE(RECORD_LINK, last >= vq->config.size))
			return false;
		PUT(r->desc[head].inflight, 0);
		head = GET(r->desc[last].next);
		count -= num;
	}
	PUT(r->old_free_head, GET(r->free_head));
	return true;
}

/* Where the last batch began and ended, from the word; false if not in the ring. */
static bool read_index(const struct pvrom_vq_device *vq, struct place *used, struct place *old)
{
	uint64_t word = GET(packed(vq)->index);

	*used = (struct place){ (uint16_t)word, word >> 32 & 1 };
	*old = (struct place){ (uint16_t)(word >> 16), word >> 40 & 1 };
	return !VQ_REFUSE(RECORD_POSITION,
			  used->at >= vq->config.size || old->at >= vq->config.size);
}

/* Ends the batch that was being shown, or takes it back. */
static bool end_packed(struct pvrom_vq_device *vq)
{
	const struct pvrom_vq_packed_desc *ring = vq->desc_at;
	struct place used, old;

	if (!read_index(vq, &used, &old))
		return false;
	if (used.at != old.at || used.wrap != old.wrap) {
		uint32_t lap = used.wrap != old.wrap ? vq->config.size : 0;
		uint32_t count = used.at + lap - old.at;
		uint16_t flags = vq_load16_acquire(&ring[old.at].flags) & VQ_AVAIL_USED;

		if (VQ_REFUSE(RECORD_BATCH, !count || count > vq->config.size))
			return false;
		if (flags == vq_avail_flags(old.wrap))
			used = old;
		else if (!commit(vq, count))
			return false;
		PUT(packed(vq)->index, index_word(used, used));
	}
	vq->used = vq->shown = used.at;
	vq->used_wrap = vq->shown_wrap = used.wrap;
	return true;
}

/* Descriptors of the lists that are marked, but for the one at but. */
static uint32_t marked(const struct pvrom_vq_device *vq, uint32_t but)
{
	const struct record_packed *r = packed(vq);
	uint32_t i, sum = 0;

	for (i = 0; i < vq->config.size; i++)
		if (i != but && GET(r->desc[i].inflight))
			sum += GET(r->desc[i].num);
	return sum;
}

/*
 * A list that was being taken stands at the head of the free ones, marked: it was not taken, the ring still
 * has it. If nothing is free it was noted in full, or that head means nothing: then it stays.
 */
static bool end_list(struct pvrom_vq_device *vq)
{
	struct record_packed *r = packed(vq);
	uint16_t head = GET(r->old_free_head);

	if (VQ_REFUSE(RECORD_LINK, head >= vq->config.size))
		return false;
	if (GET(r->desc[head].inflight) &&
	    marked(vq, head) + GET(r->desc[head].num) < vq->config.size)
		PUT(r->desc[head].inflight, 0);
	return true;
}

/* Follows a list that is in flight and notes it in private memory. generation 1: seen; no entry is in two
 * lists, so all of them are not longer than the ring. */
static bool follow(struct pvrom_vq_device *vq, uint32_t head, uint32_t count)
{
	struct pvrom_vq_device_slot *s = vq->config.slots;
	const struct record_packed *r = packed(vq);
	uint32_t at = head, n;

	for (n = 0; n < count; n++) {
		if (VQ_REFUSE(RECORD_LINK, at >= vq->config.size || s[at].generation))
			return false;
		s[at].generation = 1;
		s[head].tail = (uint16_t)at;
		s[at].link = GET(r->desc[at].next);
		at = s[at].link;
	}
	return true;
}

static bool find_packed(struct pvrom_vq_device *vq)
{
	struct pvrom_vq_device_slot *s = vq->config.slots;
	const struct record_packed *r = packed(vq);
	uint32_t i;

	for (i = 0; i < vq->config.size; i++) {
		uint32_t num = GET(r->desc[i].num);

		if (!GET(r->desc[i].inflight))
			continue;
		if (VQ_REFUSE(RECORD_COUNT, !num))
			return false;
		if (!follow(vq, i, num))
			return false;
		s[i].len = num;
		vq->taken += num;
		found(vq, i, GET(r->desc[i].counter));
	}
	return true;
}

/* All entries that no list has are free: linked anew, in private memory and in the record. */
static void free_rest(struct pvrom_vq_device *vq)
{
	struct pvrom_vq_device_slot *s = vq->config.slots;
	struct record_packed *r = packed(vq);
	uint16_t head = 0;
	uint32_t i;

	for (i = vq->config.size; i--;) {
		if (!s[i].generation) {
			s[i].link = head;
			PUT(r->desc[i].next, head);
			head = (uint16_t)i;
		}
		s[i].generation = 0;
	}
	vq->record_head = vq->record_old = head;
	PUT(r->free_head, head);
	PUT(r->old_free_head, head);
}

/* Slots 0 to resubmit - 1 are those that are to be taken again, in order. .len is by entry. */
static void list_packed(struct pvrom_vq_device *vq)
{
	struct pvrom_vq_device_slot *s = vq->config.slots;
	uint32_t i;

	sort(s, vq->resubmit);
	for (i = 0; i < vq->resubmit; i++) {
		s[i].record = (uint16_t)s[i].order;
		s[i].count = (uint16_t)s[s[i].order].len;
		s[i].state = VQ_LEFT;
	}
	vq->resubmit_head = 0;
	vq->free_slot = (uint16_t)(vq->resubmit < vq->config.size ? vq->resubmit : VQ_NO_SLOT);
}

static enum pvrom_vq_result resume_packed(struct pvrom_vq_device *vq)
{
	if (!end_packed(vq) || !end_list(vq) || !find_packed(vq))
		return pvrom_vq_device_break(vq, PVROM_VQ_REASON_INFLIGHT);
	free_rest(vq);
	list_packed(vq);
	vq->avail = vq->used;
	vq->avail_wrap = vq->used_wrap;
	vq_advance(&vq->avail, &vq->avail_wrap, vq->taken, vq->config.size);
	return PVROM_VQ_OK;
}

/* The process that died may have shown something and not logged it: all that a device writes of a queue counts. */
static void log_areas(const struct pvrom_vq_device *vq)
{
	struct pvrom_vq_layout layout;

	pvrom_vq_layout(vq->config.features, vq->config.size, &layout);
	vq_dirty(vq, vq->config.device, 0, layout.device_bytes);
	if (is_packed(vq))
		vq_dirty(vq, vq->config.desc, 0, layout.desc_bytes);
}

/* Both records begin alike. */
enum pvrom_vq_result pvrom_vq_device_resume(struct pvrom_vq_device *vq)
{
	struct record_split *r = split(vq);
	uint16_t version;

	if (!r)
		return PVROM_VQ_OK;
	vq->signalled = false;
	version = GET(r->version);
	if (!version) {
		if (is_packed(vq))
			new_packed(vq);
		else
			new_split(vq);
		return PVROM_VQ_OK;
	}
	if (VQ_REFUSE(RECORD_HEADER,
		      version != RECORD_VERSION || GET(r->desc_num) != vq->config.size))
		return pvrom_vq_device_break(vq, PVROM_VQ_REASON_INFLIGHT);
	log_areas(vq);
	return is_packed(vq) ? resume_packed(vq) : resume_split(vq);
}
