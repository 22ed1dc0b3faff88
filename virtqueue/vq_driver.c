/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The driver half, what both formats have in common.
 */
#include "vq_internal.h"

static bool is_packed(const struct pvrom_vq_driver *vq)
{
	return vq_driver_has(vq, PVROM_VQ_F_RING_PACKED);
}

static bool config_is_good(const struct pvrom_vq_driver_config *c, struct pvrom_vq_layout *layout)
{
	if (!(c->features & PVROM_VQ_F_VERSION_1) || !pvrom_vq_layout(c->features, c->size, layout))
		return false;
	if (!c->desc || !c->driver || !c->device || !c->slots || (c->each && !c->tables))
		return false;
	return pvrom_vq_aligned(layout, (uintptr_t)c->desc, (uintptr_t)c->driver,
				(uintptr_t)c->device);
}

enum pvrom_vq_result pvrom_vq_driver_init(struct pvrom_vq_driver *vq,
					  const struct pvrom_vq_driver_config *config)
{
	struct pvrom_vq_layout layout;
	uint32_t i;

	if (!config_is_good(config, &layout))
		return PVROM_VQ_BAD_CONFIG;
	*vq = (struct pvrom_vq_driver){ .config = *config,
					.free = config->size,
					.avail_wrap = true,
					.used_wrap = true,
					.shown_wrap = true,
					.interrupts = true };
	__builtin_memset(config->desc, 0, layout.desc_bytes);
	__builtin_memset(config->driver, 0, layout.driver_bytes);
	__builtin_memset(config->device, 0, layout.device_bytes);
	for (i = 0; i < config->size; i++)
		config->slots[i] = (struct pvrom_vq_driver_slot){
			.next = (uint16_t)(i + 1 < config->size ? i + 1 : 0)
		};
	return PVROM_VQ_OK;
}

enum pvrom_vq_result pvrom_vq_driver_break(struct pvrom_vq_driver *vq, enum pvrom_vq_reason reason)
{
	vq->reason = reason;
	return PVROM_VQ_BROKEN;
}

/* Sums of the pieces; false if they are not a buffer (2.7.5.2). */
static bool buffer_is_good(const struct pvrom_vq_buf *bufs, uint32_t readable, uint32_t writable,
			   uint32_t *bytes)
{
	uint64_t all = 0, in = 0;
	uint32_t i;

	if (!readable && !writable)
		return false;
	for (i = 0; i < readable + writable; i++) {
		all += bufs[i].len;
		in += i >= readable ? bufs[i].len : 0;
	}
	*bytes = (uint32_t)in;
	return in <= UINT32_MAX && all <= 1ull << 32;
}

/* Descriptors of the ring that a buffer of count pieces takes. */
static uint32_t descriptors(const struct pvrom_vq_driver *vq, uint32_t count)
{
	bool table = vq_driver_has(vq, PVROM_VQ_F_INDIRECT_DESC) && count > 1 &&
		     count <= vq->config.each;

	return table ? 1 : count;
}

/* A buffer of one piece: always a good one, of one descriptor. */
static inline enum pvrom_vq_result add_one(struct pvrom_vq_driver *vq, uint64_t addr, uint32_t len,
					   bool writable, void *token)
{
	if (VQ_REFUSE(DRIVER_BROKEN, vq->reason))
		return PVROM_VQ_BROKEN;
	if (!vq->free)
		return PVROM_VQ_FULL;
	vq->free--;
	if (is_packed(vq))
		pvrom_vq_driver_packed_add_one(vq, addr, len, writable, token);
	else
		pvrom_vq_driver_split_add_one(vq, addr, len, writable, token);
	return PVROM_VQ_OK;
}

enum pvrom_vq_result pvrom_vq_driver_add_one(struct pvrom_vq_driver *vq, uint64_t addr,
					     uint32_t len, bool writable, void *token)
{
	return add_one(vq, addr, len, writable, token);
}

enum pvrom_vq_result pvrom_vq_driver_add(struct pvrom_vq_driver *vq,
					 const struct pvrom_vq_buf *bufs, uint32_t readable,
					 uint32_t writable, void *token)
{
	uint32_t count = readable + writable, needed, bytes;

	if (count == 1)
		return add_one(vq, bufs->addr, bufs->len, writable, token);
	if (VQ_REFUSE(DRIVER_BROKEN, vq->reason))
		return PVROM_VQ_BROKEN;
	/* No buffer has as many pieces as would let the sum wrap: the array would fill memory. */
	if (!buffer_is_good(bufs, readable, writable, &bytes))
		return PVROM_VQ_BAD_BUFFER;
	needed = descriptors(vq, count);
	if (needed > vq->config.size)
		return PVROM_VQ_TOO_LONG;
	if (needed > vq->free)
		return PVROM_VQ_FULL;
	if (is_packed(vq))
		pvrom_vq_driver_packed_add(vq, bufs, readable, count, needed, bytes, token);
	else
		pvrom_vq_driver_split_add(vq, bufs, readable, count, needed, bytes, token);
	vq->free -= needed;
	return PVROM_VQ_OK;
}

uint64_t pvrom_vq_driver_table(struct pvrom_vq_driver *vq, uint32_t index,
			       const struct pvrom_vq_buf *bufs, uint32_t readable, uint32_t count)
{
	uint64_t offset = (uint64_t)index * vq->config.each;
	struct pvrom_vq_desc *table = vq->config.tables + offset;
	bool packed = is_packed(vq);
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint32_t flags = i >= readable ? PVROM_VQ_DESC_WRITE : 0;

		table[i].addr = bufs[i].addr;
		table[i].len = bufs[i].len;
		if (packed) { /* WRITE alone is valid there, and the id is reserved (2.8.7) */
			struct pvrom_vq_packed_desc *d = (void *)&table[i];

			d->id = 0;
			d->flags = (uint16_t)flags;
			continue;
		}
		table[i].flags = (uint16_t)(flags | (i + 1 < count ? PVROM_VQ_DESC_NEXT : 0));
		table[i].next = (uint16_t)(i + 1 < count ? i + 1 : 0);
	}
	return vq->config.tables_addr + offset * sizeof(*table);
}

bool pvrom_vq_driver_publish(struct pvrom_vq_driver *vq)
{
	if (vq->reason)
		return false;
	return is_packed(vq) ? pvrom_vq_driver_packed_publish(vq)
			     : pvrom_vq_driver_split_publish(vq);
}

uint32_t pvrom_vq_driver_notification(const struct pvrom_vq_driver *vq)
{
	struct pvrom_vq_notification n = { .queue = vq->config.queue,
					   .next = vq->shown,
					   .wrap = vq->shown_wrap };

	return pvrom_vq_notification_encode(vq->config.features, &n);
}

enum pvrom_vq_result pvrom_vq_driver_get(struct pvrom_vq_driver *vq, struct pvrom_vq_done *done)
{
	if (VQ_REFUSE(DRIVER_BROKEN, vq->reason))
		return PVROM_VQ_BROKEN;
	return is_packed(vq) ? pvrom_vq_driver_packed_get(vq, done)
			     : pvrom_vq_driver_split_get(vq, done);
}

bool pvrom_vq_driver_pending(struct pvrom_vq_driver *vq)
{
	if (vq->reason || vq->in_batch)
		return true;
	return is_packed(vq) ? pvrom_vq_driver_packed_pending(vq)
			     : pvrom_vq_driver_split_pending(vq);
}

void pvrom_vq_driver_interrupts_off(struct pvrom_vq_driver *vq)
{
	if (!vq->interrupts)
		return;
	vq->interrupts = false;
	if (is_packed(vq))
		pvrom_vq_driver_packed_off(vq);
	else
		pvrom_vq_driver_split_off(vq);
}

bool pvrom_vq_driver_interrupts_on(struct pvrom_vq_driver *vq, uint32_t after)
{
	bool there;

	vq->interrupts = true;
	there = is_packed(vq) ? pvrom_vq_driver_packed_on(vq, after)
			      : pvrom_vq_driver_split_on(vq, after);
	return there || vq->reason || vq->in_batch;
}

enum pvrom_vq_result pvrom_vq_driver_detach(struct pvrom_vq_driver *vq, void **token)
{
	for (; vq->reset_next < vq->config.size; vq->reset_next++) {
		struct pvrom_vq_driver_slot *slot = &vq->config.slots[vq->reset_next];

		if (!slot->count)
			continue;
		slot->count = 0;
		*token = slot->token;
		return PVROM_VQ_OK;
	}
	return PVROM_VQ_EMPTY;
}

uint32_t pvrom_vq_driver_free(const struct pvrom_vq_driver *vq)
{
	return vq->free;
}
