/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device half, many small buffers at a time: looked at without slots, done together. What is odd about a buffer
 * ends the burst before it, and pop finds it again and says what it is.
 */
#include "vq_internal.h"

static bool is_packed(const struct pvrom_vq_device *vq)
{
	return vq_device_has(vq, PVROM_VQ_F_RING_PACKED);
}

static bool in_order(const struct pvrom_vq_device *vq)
{
	return vq_device_has(vq, PVROM_VQ_F_IN_ORDER);
}

/* ---- looking ----------------------------------------------------------------------------------------- */

/* One descriptor, copied once, in one piece of memory. */
static inline bool look(const struct pvrom_vq_device *vq, uint64_t addr, uint32_t bytes,
			uint16_t flags, uint16_t id, struct pvrom_vq_plain *p)
{
	uint64_t len = bytes;

	if (flags & (PVROM_VQ_DESC_NEXT | PVROM_VQ_DESC_INDIRECT) || !bytes ||
	    addr > UINT64_MAX - len)
		return false;
	p->at = vq->config.ops->translate(vq->config.ops_ctx, (struct pvrom_gpa){ addr }, &len);
	if (!p->at || len < bytes)
		return false;
	p->gpa.gpa = addr;
	p->len = bytes;
	p->written = 0;
	p->id = id;
	p->writable = flags & PVROM_VQ_DESC_WRITE;
	return true;
}

static uint32_t look_packed(const struct pvrom_vq_device *vq, struct pvrom_vq_plain *plain,
			    uint32_t most)
{
	const struct pvrom_vq_packed_desc *ring = vq->desc_at;
	const uint32_t size = vq->config.size;
	uint32_t n, at = vq->avail;
	bool wrap = vq->avail_wrap;

	if (most > size - vq->taken)
		most = size - vq->taken;
	for (n = 0; n < most; n++) {
		/* Acquire: the address after the flags; partner: the release store in
		 * pvrom_vq_driver_packed_publish(). 2.8.21.1.1 */
		const uint64_t tail = vq_load_tail_acquire(&ring[at]);
		const uint16_t flags = (uint16_t)(tail >> 48);

		if ((flags & VQ_AVAIL_USED) != vq_avail_flags(wrap) ||
		    !look(vq, vq_load64(&ring[at].addr), (uint32_t)tail, flags,
			  (uint16_t)(tail >> 32), &plain[n]))
			break;
		vq_prefetch_ahead(ring, at, size);
		if (++at == size) {
			at = 0;
			wrap = !wrap;
		}
	}
	return n;
}

/* The lines that the used entries of so many buffers will stand in, which the driver read last. */
static void want_used(const struct pvrom_vq_device *vq, uint32_t count)
{
	const struct pvrom_vq_used *used = vq->device_at;
	uint32_t i;

	for (i = 0; i < count; i += 8)
		vq_prefetch_write(&used->ring[(vq->used + i) & (vq->config.size - 1)]);
}

/* How many heads are in the ring; 0 too if the index makes no sense. */
static uint32_t heads(struct pvrom_vq_device *vq)
{
	const struct pvrom_vq_avail *avail = vq->driver_at;
	uint16_t idx = vq->avail_seen;

	/* Acquire: entries and descriptors after the index; partner: the release store in
	 * pvrom_vq_driver_split_publish(). 2.7.13.3.1 */
	if (idx == vq->avail)
		idx = vq_load16_acquire(&avail->idx);
	if ((uint16_t)(idx - vq->avail) > vq->config.size)
		return 0;
	vq->avail_seen = idx;
	return (uint16_t)(idx - vq->avail);
}

/*
 * A head that is there twice in one burst is not noticed: the driver gets its buffer back twice, as it gave it,
 * and the device is done with the one before it looks at the other.
 */
static uint32_t look_split(struct pvrom_vq_device *vq, struct pvrom_vq_plain *plain, uint32_t most)
{
	const struct pvrom_vq_avail *avail = vq->driver_at;
	const struct pvrom_vq_desc *table = vq->desc_at;
	const uint32_t mask = vq->config.size - 1;
	uint32_t n, there = heads(vq);

	if (most > there)
		most = there;
	for (n = 0; n < most; n++) {
		const uint16_t head = vq_load16(&avail->ring[(vq->avail + n) & mask]);

		if (head > mask || vq->config.slots[head].state != VQ_FREE ||
		    !look(vq, vq_load64(&table[head].addr), vq_load32(&table[head].len),
			  vq_load16(&table[head].flags), head, &plain[n]))
			break;
		/* Most drivers take descriptors in turn. */
		if (head % 4 == 0)
			__builtin_prefetch(&table[(head + 8u) & mask]);
	}
	want_used(vq, n);
	return n;
}

uint32_t pvrom_vq_device_burst(struct pvrom_vq_device *vq, struct pvrom_vq_plain *plain,
			       uint32_t most)
{
	if (vq->reason || vq->resubmit || vq->config.inflight ||
	    (in_order(vq) && (vq->in_flight || vq->unshown != vq->burst)))
		return 0;
	return is_packed(vq) ? look_packed(vq, plain, most) : look_split(vq, plain, most);
}

/* ---- giving back --------------------------------------------------------------------------------------- */

/* May it go without a used entry of its own? As vq_may_skip(). */
static inline bool may_skip(const struct pvrom_vq_plain *p)
{
	return !p->writable;
}

static void use_packed(struct pvrom_vq_device *vq, const struct pvrom_vq_plain *p, uint16_t at,
		       bool wrap)
{
	struct pvrom_vq_packed_desc *d = (struct pvrom_vq_packed_desc *)vq->desc_at + at;
	const uint16_t flags =
		(uint16_t)(vq_used_flags(wrap) | (p->written ? PVROM_VQ_DESC_WRITE : 0));

	if (at == vq->shown) { /* it shows the batch, and so comes last */
		vq_store16(&d->id, p->id);
		vq_store32(&d->len, p->written);
		vq->first_flags = flags;
		return;
	}
	vq_store_tail(d, vq_tail_of(p->written, p->id, flags));
	vq_dirty(vq, vq->config.desc, 16ull * at, sizeof(*d));
}

static void use_split(struct pvrom_vq_device *vq, const struct pvrom_vq_plain *p, uint16_t index)
{
	struct pvrom_vq_used *used = vq->device_at;
	const uint32_t at = index & (vq->config.size - 1);

	vq_store32(&used->ring[at].id, p->id);
	vq_store32(&used->ring[at].len, p->written);
	vq_dirty(vq, vq->config.device, 4 + 8ull * at, sizeof(used->ring[at]));
}

/*
 * In order a run of buffers that were used completely has one entry, of the last, in the first place (2.7.9, 2.8.8);
 * `more`: the next of the burst follows, and may be the last as well.
 */
static void use_in_order(struct pvrom_vq_device *vq, const struct pvrom_vq_plain *p, bool more)
{
	if (!vq->skip) {
		vq->skip_from = vq->used;
		vq->skip_wrap = vq->used_wrap;
	}
	vq->skip = may_skip(p);
	if (!is_packed(vq)) {
		if (!vq->skip || !more)
			use_split(vq, p, vq->skip_from);
		vq->used++;
		return;
	}
	if (!vq->skip || !more)
		use_packed(vq, p, vq->skip_from, vq->skip_wrap);
	vq_advance(&vq->used, &vq->used_wrap, 1, vq->config.size);
}

static void use_all(struct pvrom_vq_device *vq, const struct pvrom_vq_plain *plain, uint32_t count)
{
	uint32_t i;

	if (in_order(vq)) {
		for (i = 0; i < count; i++)
			use_in_order(vq, &plain[i], i + 1 < count);
	} else if (is_packed(vq)) {
		for (i = 0; i < count; i++) {
			use_packed(vq, &plain[i], vq->used, vq->used_wrap);
			vq_advance(&vq->used, &vq->used_wrap, 1, vq->config.size);
		}
	} else {
		for (i = 0; i < count; i++)
			use_split(vq, &plain[i], vq->used++);
	}
}

static void log_written(const struct pvrom_vq_device *vq, const struct pvrom_vq_plain *plain,
			uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		vq_dirty(vq, plain[i].gpa, 0, plain[i].written);
}

void pvrom_vq_device_burst_done(struct pvrom_vq_device *vq, const struct pvrom_vq_plain *plain,
				uint32_t count)
{
	if (vq->log)
		log_written(vq, plain, count);
	if (is_packed(vq)) {
		vq_advance(&vq->avail, &vq->avail_wrap, count, vq->config.size);
		vq->taken += count;
		vq->unjudged += count;
	} else {
		vq->avail = (uint16_t)(vq->avail + count);
	}
	use_all(vq, plain, count);
	vq->unshown += count;
	vq->burst += count;
}
