/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device half of packed virtqueues, VIRTIO 1.2 clause 2.8.
 *
 * A batch of used descriptors becomes visible by the flags of its first one, written last. With a record
 * of buffers in flight a batch is one used descriptor: after a crash the record tells whether that
 * one was shown, and cannot tell more.
 */
#include "vq_walk.h"

static struct pvrom_vq_packed_desc *ring(const struct pvrom_vq_device *vq)
{
	return vq->desc_at;
}

/* ---- taking -------------------------------------------------------------------------------------- */

static bool is_available(const struct pvrom_vq_device *vq, uint16_t flags)
{
	return (flags & VQ_AVAIL_USED) == vq_avail_flags(vq->avail_wrap);
}

/* A descriptor's second word, by whose flags the first one of a list is available. */
static inline uint64_t read_tail(const struct pvrom_vq_device *vq, uint32_t i)
{
	/* Acquire: the address, and the descriptors behind; partner: the release store in
	 * pvrom_vq_driver_packed_publish(). 2.8.21.1.1 */
	return vq_load_tail_acquire(&ring(vq)[i]);
}

static inline uint64_t read_addr(const struct pvrom_vq_device *vq, uint32_t i)
{
	return vq_load64(&ring(vq)[i].addr);
}

/* A descriptor out of its two words, each of which was read once. */
static inline struct vq_element element_of(uint64_t addr, uint64_t tail)
{
	return (struct vq_element){ .addr = addr,
				    .len = (uint32_t)tail,
				    .flags = (uint16_t)(tail >> 48),
				    .next = (uint16_t)(tail >> 32) };
}

/* One descriptor of a list; a table must be a list of its own (2.8.5, 2.8.19). */
static void walk_one(struct vq_walk *walk, const struct vq_element *element, uint32_t n)
{
	if (!(element->flags & PVROM_VQ_DESC_INDIRECT))
		vq_walk_buffer(walk, element);
	else if (VQ_REFUSE(TABLE_NEXT, n))
		vq_walk_fault(walk, PVROM_VQ_FAULT_INDIRECT_NEXT);
	else
		pvrom_vq_walk_table(walk, element);
	if (VQ_REFUSE(CHAIN_LENGTH, n >= walk->vq->chain_max))
		vq_walk_fault(walk, PVROM_VQ_FAULT_LOOP);
}

/*
 * Follows the list that begins at avail, to its end even if it is faulty, for the last descriptor has
 * the id (2.8.6). Sets how many descriptors it has; 0 if there is no end among those that are free.
 */
static uint16_t gather(struct pvrom_vq_device *vq, struct vq_element element,
		       struct pvrom_vq_request *request, uint32_t *count, uint16_t *record)
{
	uint32_t free = vq->config.size - vq->taken, n = 0, at = vq->avail;
	struct vq_walk walk;
	uint64_t tail;
	bool last;

	vq_walk_begin(&walk, vq, request);
	*count = 0;
	for (;;) {
		last = !(element.flags & PVROM_VQ_DESC_NEXT);
		*record = vq->config.inflight
				  ? pvrom_vq_record_packed_taken(vq, &element, n == 0, last)
				  : 0;
		walk_one(&walk, &element, n++);
		if (last)
			break;
		if (VQ_REFUSE(PACKED_END, n >= free))
			return 0;
		at = at + 1 < vq->config.size ? at + 1 : 0;
		tail = read_tail(vq, at);
		element = element_of(read_addr(vq, at), tail);
	}
	*count = n;
	return element.next;
}

/* The buffer at avail becomes a request. */
static inline void take(struct pvrom_vq_device *vq, struct pvrom_vq_request *request, uint16_t id,
			uint32_t count)
{
	const uint32_t slot = vq->free_slot;

	vq_device_take(vq, request, slot, id, (uint16_t)count);
	vq->free_slot = vq->config.slots[slot].next;
	vq->taken += count;
	vq_advance(&vq->avail, &vq->avail_wrap, count, vq->config.size);
	vq_step(vq, PVROM_VQ_STEP_POP_DONE);
}

/* Any list of descriptors, of which the first is read. */
static __attribute__((noinline)) enum pvrom_vq_result pop_list(struct pvrom_vq_device *vq,
							       uint64_t addr, uint64_t tail,
							       struct pvrom_vq_request *request)
{
	uint16_t id, record;
	uint32_t count;

	id = gather(vq, element_of(addr, tail), request, &count, &record);
	if (!count)
		return pvrom_vq_device_break(vq, PVROM_VQ_REASON_NO_END);
	vq->config.slots[vq->free_slot].record = record;
	take(vq, request, id, count);
	return PVROM_VQ_OK;
}

enum pvrom_vq_result pvrom_vq_device_packed_pop(struct pvrom_vq_device *vq,
						struct pvrom_vq_request *request)
{
	const uint64_t tail = read_tail(vq, vq->avail);
	struct vq_element element;

	if (!is_available(vq, (uint16_t)(tail >> 48)))
		return PVROM_VQ_EMPTY;
	if (VQ_REFUSE(PACKED_OVERRUN, vq->taken >= vq->config.size))
		return pvrom_vq_device_break(vq, PVROM_VQ_REASON_OVERRUN);
	vq_prefetch_ahead(ring(vq), vq->avail, vq->config.size);
	vq_step(vq, PVROM_VQ_STEP_POP_SEEN);
	element = element_of(read_addr(vq, vq->avail), tail);
	if (vq->config.inflight || !vq_walk_plain(vq, &element, request))
		return pop_list(vq, element.addr, tail, request);
	take(vq, request, element.next, 1);
	return PVROM_VQ_OK;
}

/* The last buffer that was popped is in the ring again, at the position where it was. */
void pvrom_vq_device_packed_unpop(struct pvrom_vq_device *vq, uint32_t slot)
{
	struct pvrom_vq_device_slot *s = &vq->config.slots[slot];
	const uint32_t back = vq->config.size - s->count;

	/* Back is forward by a lap less the descriptors; a lap turns the counter, which back does not. */
	vq_advance(&vq->avail, &vq->avail_wrap, back, vq->config.size);
	vq->avail_wrap = !vq->avail_wrap;
	vq->taken -= s->count;
	s->next = vq->free_slot;
	vq->free_slot = (uint16_t)slot;
}

/* A buffer of before a crash: its descriptors may be overwritten, the record has them. */
enum pvrom_vq_result pvrom_vq_device_packed_again(struct pvrom_vq_device *vq,
						  struct pvrom_vq_request *request, uint32_t slot)
{
	uint16_t entry = vq->config.slots[slot].record;
	uint32_t count = vq->config.slots[slot].count, n;
	struct vq_element element = { 0, 0, 0, 0 };
	struct vq_walk walk;

	vq_walk_begin(&walk, vq, request);
	for (n = 0; n < count; n++) {
		pvrom_vq_record_packed_get(vq, &entry, &element);
		walk_one(&walk, &element, n);
	}
	vq_device_take(vq, request, slot, element.next, (uint16_t)count);
	return PVROM_VQ_OK;
}

bool pvrom_vq_device_packed_pending(struct pvrom_vq_device *vq)
{
	return is_available(vq, vq_load16(&ring(vq)[vq->avail].flags));
}

/* ---- giving back --------------------------------------------------------------------------------- */

/* How many descriptors were used and not shown. */
static uint32_t unshown(const struct pvrom_vq_device *vq)
{
	const uint32_t lap = vq->used_wrap != vq->shown_wrap ? vq->config.size : 0;

	return vq->used + lap - vq->shown;
}

/* Makes the batch visible. */
static void show(struct pvrom_vq_device *vq)
{
	const uint32_t count = unshown(vq);

	if (!count)
		return;
	pvrom_vq_record_packed_index(vq);
	/* Release: the batch and its data before the first one's flags; partner: the acquire load in
	 * driver_packed.c, read_used(). */
	vq_store16_release(&ring(vq)[vq->shown].flags, vq->first_flags);
	vq_step(vq, PVROM_VQ_STEP_USED_SHOWN);
	vq_dirty(vq, vq->config.desc, 16ull * vq->shown, 16);
	pvrom_vq_record_packed_shown(vq);
	vq->shown = vq->used;
	vq->shown_wrap = vq->used_wrap;
	vq->taken -= count;
	vq->skip = false;
	pvrom_vq_device_release_batch(vq);
}

/* A used descriptor at position at (2.8.2): address left alone, flags held back if it is the first; then false. */
static inline bool write_used(struct pvrom_vq_device *vq, uint16_t at, bool wrap, uint16_t id,
			      uint32_t len)
{
	struct pvrom_vq_packed_desc *d = &ring(vq)[at];
	uint16_t flags = (uint16_t)(vq_used_flags(wrap) | (len ? PVROM_VQ_DESC_WRITE : 0));

	if (at == vq->shown) {
		vq_store16(&d->id, id);
		vq_store32(&d->len, len);
		vq->first_flags = flags;
		return false;
	}
	vq_store_tail(d, vq_tail_of(len, id, flags));
	return true;
}

/* The same, logged if it was written in full; the first of a batch is logged when it is shown. */
static void use_at(struct pvrom_vq_device *vq, uint16_t at, bool wrap,
		   const struct pvrom_vq_device_slot *s)
{
	if (write_used(vq, at, wrap, s->id, s->len))
		vq_dirty(vq, vq->config.desc, 16ull * at, sizeof(struct pvrom_vq_packed_desc));
	vq_step(vq, PVROM_VQ_STEP_USED_WRITTEN);
}

/* The descriptors of a buffer are behind. */
static inline void pass(struct pvrom_vq_device *vq, uint32_t count)
{
	vq_advance(&vq->used, &vq->used_wrap, count, vq->config.size);
	vq->unjudged += count;
}

/* So are the slot's, and it joins the batch. */
static void join_batch(struct pvrom_vq_device *vq, uint32_t slot)
{
	struct pvrom_vq_device_slot *s = &vq->config.slots[slot];

	pass(vq, s->count);
	s->next = vq->batch;
	vq->batch = (uint16_t)slot;
}

/*
 * With IN_ORDER a buffer that was used completely needs no descriptor of its own if one behind it in the batch
 * has one, which then stands at the place of the first (2.8.8).
 */
static void used_in_order(struct pvrom_vq_device *vq, uint32_t slot)
{
	struct pvrom_vq_device_slot *s = &vq->config.slots[slot];

	if (vq->config.inflight && !vq->skip)
		show(vq);
	if (!vq->skip) {
		vq->skip_from = vq->used;
		vq->skip_wrap = vq->used_wrap;
	}
	if (vq->config.inflight)
		pvrom_vq_record_packed_used(vq, slot);
	use_at(vq, vq->skip_from, vq->skip_wrap, s);
	vq->skip = vq_may_skip(vq, s);
	join_batch(vq, slot);
}

/* With a record each is a batch of its own. */
static void used_recorded(struct pvrom_vq_device *vq, uint32_t slot)
{
	show(vq);
	pvrom_vq_record_packed_used(vq, slot);
	use_at(vq, vq->used, vq->used_wrap, &vq->config.slots[slot]);
	join_batch(vq, slot);
	show(vq);
}

/* Nobody asks for the slot again: it is free at once, still in this CPU's cache. */
static inline void free_slot(struct pvrom_vq_device *vq, struct pvrom_vq_device_slot *s,
			     uint32_t slot)
{
	s->state = VQ_FREE;
	s->next = vq->free_slot;
	vq->free_slot = (uint16_t)slot;
}

enum pvrom_vq_result pvrom_vq_device_packed_used_quick(struct pvrom_vq_device *vq,
						       struct pvrom_vq_device_slot *s,
						       uint32_t slot, uint32_t len)
{
	write_used(vq, vq->used, vq->used_wrap, s->id, len);
	vq_step(vq, PVROM_VQ_STEP_USED_WRITTEN);
	pass(vq, s->count);
	free_slot(vq, s, slot);
	return PVROM_VQ_OK;
}

void pvrom_vq_device_packed_used(struct pvrom_vq_device *vq, uint32_t slot)
{
	struct pvrom_vq_device_slot *s = &vq->config.slots[slot];

	if (vq_device_has(vq, PVROM_VQ_F_IN_ORDER)) {
		used_in_order(vq, slot);
	} else if (vq->config.inflight) {
		used_recorded(vq, slot);
	} else {
		use_at(vq, vq->used, vq->used_wrap, s);
		pass(vq, s->count);
		free_slot(vq, s, slot);
	}
}

/* Does the driver want an interrupt for the last count descriptors? 2.8.10 */
static bool wanted(struct pvrom_vq_device *vq, uint32_t count)
{
	uint32_t word = vq_load32(vq->driver_at);
	uint32_t flags = word >> 16 & 3;
	bool first = !vq->signalled;

	vq->signalled = true;
	if (flags != PVROM_VQ_EVENT_DESC || !vq_device_has(vq, PVROM_VQ_F_EVENT_IDX))
		return flags != PVROM_VQ_EVENT_DISABLE;
	return first || count >= vq->config.size ||
	       vq_packed_event_passed((uint16_t)word, vq->used, vq->used_wrap, vq->config.size,
				      count);
}

bool pvrom_vq_device_packed_publish(struct pvrom_vq_device *vq)
{
	uint32_t count = vq->unjudged;
	bool interrupt;

	show(vq);
	if (!count)
		return false;
	vq->unjudged = 0;
	/* The flags before the driver's wish; partner: the barrier in pvrom_vq_driver_packed_on(). 2.8.10 */
	vq_barrier();
	interrupt = wanted(vq, count);
	vq_step(vq, PVROM_VQ_STEP_USED_JUDGED);
	return interrupt;
}

/* ---- notifications ------------------------------------------------------------------------------- */

void pvrom_vq_device_packed_notify(struct pvrom_vq_device *vq, bool on)
{
	uint32_t flags = vq_device_has(vq, PVROM_VQ_F_EVENT_IDX) ? PVROM_VQ_EVENT_DESC
								 : PVROM_VQ_EVENT_ENABLE;

	vq_store32(vq->device_at,
		   vq_event_word(vq->avail, vq->avail_wrap, on ? flags : PVROM_VQ_EVENT_DISABLE));
	vq_dirty(vq, vq->config.device, 0, sizeof(struct pvrom_vq_event));
}
