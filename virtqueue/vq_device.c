/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device half, what both formats have in common.
 */
#include "vq_internal.h"

/* Longest chain that a queue takes unless told otherwise: what QEMU and Linux (UIO_MAXIOV) take too. */
#define CHAIN_DEFAULT 1024u

static bool is_packed(const struct pvrom_vq_device *vq)
{
	return vq_device_has(vq, PVROM_VQ_F_RING_PACKED);
}

static bool in_order(const struct pvrom_vq_device *vq)
{
	return vq_device_has(vq, PVROM_VQ_F_IN_ORDER);
}

/* ---- setting up ---------------------------------------------------------------------------------- */

/* An area of the queue, in one piece. */
static bool map_area(const struct pvrom_vq_device_config *c, struct pvrom_gpa gpa, uint64_t bytes,
		     void **at)
{
	uint64_t len = bytes;

	if (VQ_REFUSE(AREA_WRAP, gpa.gpa > UINT64_MAX - bytes))
		return false;
	*at = c->ops->translate(c->ops_ctx, gpa, &len);
	return !VQ_REFUSE(AREA_MEMORY, !*at) && !VQ_REFUSE(AREA_PIECE, *at && len < bytes);
}

enum pvrom_vq_result pvrom_vq_device_map(struct pvrom_vq_device *vq)
{
	const struct pvrom_vq_device_config *c = &vq->config;
	struct pvrom_vq_layout layout;
	void *desc, *driver, *device;

	pvrom_vq_layout(c->features, c->size, &layout);
	if (!map_area(c, c->desc, layout.desc_bytes, &desc) ||
	    !map_area(c, c->driver, layout.driver_bytes, &driver) ||
	    !map_area(c, c->device, layout.device_bytes, &device))
		return PVROM_VQ_NO_MEMORY;
	vq->desc_at = desc;
	vq->driver_at = driver;
	vq->device_at = device;
	return PVROM_VQ_OK;
}

static bool config_is_good(const struct pvrom_vq_device_config *c)
{
	struct pvrom_vq_layout layout;

	if (VQ_REFUSE(CONFIG_VERSION, !(c->features & PVROM_VQ_F_VERSION_1)))
		return false;
	if (!pvrom_vq_layout(c->features, c->size, &layout) || !c->slots)
		return false;
	return !VQ_REFUSE(CONFIG_ALIGN,
			  !pvrom_vq_aligned(&layout, c->desc.gpa, c->driver.gpa, c->device.gpa));
}

static uint32_t chain_limit(const struct pvrom_vq_device_config *c)
{
	if (c->chain_max)
		return c->chain_max;
	return c->size > CHAIN_DEFAULT ? c->size : CHAIN_DEFAULT;
}

static void clear_slots(struct pvrom_vq_device *vq)
{
	uint32_t i;

	for (i = 0; i < vq->config.size; i++) {
		vq->config.slots[i] = (struct pvrom_vq_device_slot){
			.next = (uint16_t)(i + 1 < vq->config.size ? i + 1 : VQ_NO_SLOT)
		};
	}
}

/* Is it a queue of the common kind, whose buffers need nothing but their descriptors? */
static void judge_quick(struct pvrom_vq_device *vq)
{
	vq->quick =
		is_packed(vq) && !in_order(vq) && !vq->config.inflight && !vq->reason && !vq->log;
}

enum pvrom_vq_result pvrom_vq_device_init(struct pvrom_vq_device *vq,
					  const struct pvrom_vq_device_config *config)
{
	/* It goes on, so that requests of before are known as such. */
	uint32_t generation = vq->generation;
	bool log = vq->log;

	if (!config_is_good(config))
		return PVROM_VQ_BAD_CONFIG;
	*vq = (struct pvrom_vq_device){ .config = *config,
					.generation = generation,
					.chain_max = chain_limit(config),
					.batch = VQ_NO_SLOT,
					.avail_wrap = true,
					.used_wrap = true,
					.shown_wrap = true,
					.notify = true,
					.log = log };
	judge_quick(vq);
	clear_slots(vq);
	return pvrom_vq_device_map(vq);
}

enum pvrom_vq_result pvrom_vq_device_break(struct pvrom_vq_device *vq, enum pvrom_vq_reason reason)
{
	vq->reason = reason;
	judge_quick(vq);
	return PVROM_VQ_BROKEN;
}

enum pvrom_vq_reason pvrom_vq_device_reason(const struct pvrom_vq_device *vq)
{
	return vq->reason;
}

/* ---- taking -------------------------------------------------------------------------------------- */

/* A buffer of before the crash. */
static enum pvrom_vq_result pop_again(struct pvrom_vq_device *vq, struct pvrom_vq_request *request)
{
	uint32_t slot = vq->resubmit_head;

	vq->resubmit_head = vq->config.slots[slot].next;
	vq->resubmit--;
	return is_packed(vq) ? pvrom_vq_device_packed_again(vq, request, slot)
			     : pvrom_vq_device_split_again(vq, request, slot);
}

enum pvrom_vq_result pvrom_vq_device_pop(struct pvrom_vq_device *vq,
					 struct pvrom_vq_request *request)
{
	if (vq->quick)
		return pvrom_vq_device_packed_pop(vq, request);
	if (VQ_REFUSE(BROKEN_STAYS, vq->reason))
		return PVROM_VQ_BROKEN;
	if (vq->resubmit)
		return pop_again(vq, request);
	return is_packed(vq) ? pvrom_vq_device_packed_pop(vq, request)
			     : pvrom_vq_device_split_pop(vq, request);
}

bool pvrom_vq_device_pending(struct pvrom_vq_device *vq)
{
	if (vq->reason || vq->resubmit)
		return true;
	return is_packed(vq) ? pvrom_vq_device_packed_pending(vq)
			     : pvrom_vq_device_split_pending(vq);
}

uint32_t pvrom_vq_device_in_flight(const struct pvrom_vq_device *vq)
{
	return vq->in_flight + vq->resubmit;
}

/* ---- giving back --------------------------------------------------------------------------------- */

static void use(struct pvrom_vq_device *vq, uint32_t slot)
{
	if (is_packed(vq))
		pvrom_vq_device_packed_used(vq, slot);
	else
		pvrom_vq_device_split_used(vq, slot);
}

static bool is_stale(const struct pvrom_vq_device *vq, const struct pvrom_vq_request *request)
{
	const struct pvrom_vq_device_slot *s;

	if (request->slot >= vq->config.size)
		return true;
	s = &vq->config.slots[request->slot];
	return s->state != VQ_POPPED || s->generation != request->generation;
}

/*
 * complete() counts in both. Side by side a compiler reads them as one word, half of which pop has just written: the load
 * then waits until that, and each store to the ring before it, has left the CPU. It was a third of the time of a buffer.
 */
_Static_assert(offsetof(struct pvrom_vq_device, unshown) -
			       offsetof(struct pvrom_vq_device, in_flight) >
		       sizeof(uint32_t),
	       "in_flight and unshown are apart");

enum pvrom_vq_result pvrom_vq_device_complete(struct pvrom_vq_device *vq,
					      const struct pvrom_vq_request *request,
					      uint64_t written)
{
	struct pvrom_vq_device_slot *s;
	uint32_t len;

	if (VQ_REFUSE(REQUEST_STALE, is_stale(vq, request)))
		return PVROM_VQ_STALE;
	s = &vq->config.slots[request->slot];
	if (VQ_REFUSE(WRITTEN_CUT, written > s->writable))
		written = s->writable;
	/* 2^32 bytes do not fit the used entry; less may be said (2.7.8.2). */
	len = written > UINT32_MAX ? UINT32_MAX : (uint32_t)written;
	vq->in_flight--;
	vq->unshown++;
	if (vq->quick)
		return pvrom_vq_device_packed_used_quick(vq, s, request->slot, len);
	s->len = len;
	s->state = VQ_DONE;
	if (!in_order(vq))
		use(vq, request->slot);
	return PVROM_VQ_OK;
}

enum pvrom_vq_result pvrom_vq_device_unpop(struct pvrom_vq_device *vq,
					   const struct pvrom_vq_request *request)
{
	struct pvrom_vq_device_slot *s;

	if (VQ_REFUSE(REQUEST_STALE,
		      is_stale(vq, request) || request->generation != vq->generation))
		return PVROM_VQ_STALE;
	if (vq->config.inflight)
		return PVROM_VQ_BUSY;
	s = &vq->config.slots[request->slot];
	s->state = VQ_FREE;
	s->generation = 0;
	vq->in_flight--;
	/* So that the one before is the last again. */
	if (!--vq->generation)
		vq->generation = UINT32_MAX;
	if (in_order(vq))
		vq->youngest = (uint16_t)((vq->youngest ? vq->youngest : vq->config.size) - 1u);
	if (is_packed(vq))
		pvrom_vq_device_packed_unpop(vq, request->slot);
	else
		vq->avail--;
	return PVROM_VQ_OK;
}

/* In order: all that is done from the oldest on. */
static void use_in_order(struct pvrom_vq_device *vq)
{
	struct pvrom_vq_device_slot *slots = vq->config.slots;
	uint32_t n;

	for (n = 0; n < vq->config.size; n++) {
		uint32_t slot = slots[vq->oldest].order;

		if (slots[slot].state != VQ_DONE || (vq->oldest == vq->youngest && n))
			return;
		vq->oldest = vq_next_place(vq, vq->oldest);
		use(vq, slot);
	}
}

bool pvrom_vq_device_publish(struct pvrom_vq_device *vq)
{
	if (!vq->unshown && !vq->unjudged)
		return false;
	if (in_order(vq))
		use_in_order(vq);
	return is_packed(vq) ? pvrom_vq_device_packed_publish(vq)
			     : pvrom_vq_device_split_publish(vq);
}

void pvrom_vq_device_release_batch(struct pvrom_vq_device *vq)
{
	struct pvrom_vq_device_slot *slots = vq->config.slots;
	bool packed = is_packed(vq);
	uint32_t count = vq->burst;

	vq->burst = 0;
	while (vq->batch != VQ_NO_SLOT) {
		uint16_t slot = vq->batch;

		vq->batch = slots[slot].next;
		slots[slot].state = VQ_FREE;
		count++;
		if (packed) {
			slots[slot].next = vq->free_slot;
			vq->free_slot = slot;
		}
	}
	/* In order some that are complete may still wait for older ones. */
	vq->unshown = in_order(vq) ? vq->unshown - count : 0;
}

/* ---- notifications ------------------------------------------------------------------------------- */

static void set_notify(struct pvrom_vq_device *vq, bool on)
{
	vq->notify = on;
	if (is_packed(vq))
		pvrom_vq_device_packed_notify(vq, on);
	else
		pvrom_vq_device_split_notify(vq, on);
}

void pvrom_vq_device_notifications_off(struct pvrom_vq_device *vq)
{
	if (vq->notify)
		set_notify(vq, false);
}

bool pvrom_vq_device_notifications_on(struct pvrom_vq_device *vq)
{
	set_notify(vq, true);
	/* The wish before the ring; partner: the barrier in pvrom_vq_driver_split_publish() and
	 * pvrom_vq_driver_packed_publish(), the ring before the wish. 2.7.10, 2.8.10 */
	vq_barrier();
	return pvrom_vq_device_pending(vq);
}

void pvrom_vq_device_log(struct pvrom_vq_device *vq, bool on)
{
	vq->log = on;
	judge_quick(vq);
}
