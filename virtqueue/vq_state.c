/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Where a queue stands: for saving, for loading, and in vhost-user's form.
 */
#include "vq_internal.h"

static bool is_packed(const struct pvrom_vq_device *vq)
{
	return vq_device_has(vq, PVROM_VQ_F_RING_PACKED);
}

enum pvrom_vq_result pvrom_vq_device_get_state(const struct pvrom_vq_device *vq,
					       struct pvrom_vq_state *state)
{
	*state = (struct pvrom_vq_state){ .avail = vq->avail,
					  .used = vq->used,
					  .avail_wrap = vq->avail_wrap,
					  .used_wrap = vq->used_wrap };
	return vq->in_flight || vq->resubmit || vq->unshown ? PVROM_VQ_BUSY : PVROM_VQ_OK;
}

/* How far the available position is ahead of the used one: at most the size. */
static uint32_t distance(const struct pvrom_vq_device *vq, const struct pvrom_vq_state *state)
{
	if (!is_packed(vq))
		return (uint16_t)(state->avail - state->used);
	if (state->avail_wrap ==
	    state->used_wrap) /* a lap behind would be out of range: it wraps */
		return (uint32_t)state->avail - state->used;
	return state->avail + vq->config.size - state->used;
}

enum pvrom_vq_result pvrom_vq_device_set_state(struct pvrom_vq_device *vq,
					       const struct pvrom_vq_state *state)
{
	uint32_t size = vq->config.size;

	if (VQ_REFUSE(STATE_RANGE, is_packed(vq) && (state->avail >= size || state->used >= size)))
		return pvrom_vq_device_break(vq, PVROM_VQ_REASON_STATE);
	if (VQ_REFUSE(STATE_DISTANCE, distance(vq, state) > size))
		return pvrom_vq_device_break(vq, PVROM_VQ_REASON_STATE);
	vq->avail = vq->avail_seen = state->avail;
	vq->used = vq->shown = state->used;
	if (is_packed(vq)) {
		vq->avail_wrap = state->avail_wrap;
		vq->used_wrap = vq->shown_wrap = state->used_wrap;
	}
	vq->signalled = false;
	return PVROM_VQ_OK;
}

uint32_t pvrom_vq_device_base(const struct pvrom_vq_device *vq)
{
	if (!is_packed(vq))
		return vq->avail;
	return vq->avail | (uint32_t)vq->avail_wrap << 15 |
	       (vq->used | (uint32_t)vq->used_wrap << 15) << 16;
}

enum pvrom_vq_result pvrom_vq_device_set_base(struct pvrom_vq_device *vq, uint32_t base)
{
	struct pvrom_vq_state state = { .avail = (uint16_t)base,
					.avail_wrap = true,
					.used_wrap = true };

	/* DPDK's virtio-user knows no upper half. There it would say that the whole ring is in flight, or that
	 * the used position is a lap behind, which no queue that was stopped is without a record. */
	if (is_packed(vq) && !(base >> 16) && !vq->config.inflight)
		base |= base << 16;
	if (is_packed(vq)) {
		state.avail = base & 0x7fff;
		state.avail_wrap = base >> 15 & 1;
		state.used = base >> 16 & 0x7fff;
		state.used_wrap = base >> 31;
	} else {
		state.used = pvrom_vq_device_split_shown(vq);
	}
	return pvrom_vq_device_set_state(vq, &state);
}

/* ---- a position that was forgotten ---------------------------------------------------------------- */

static bool used_bit(const struct pvrom_vq_device *vq, uint32_t i)
{
	const struct pvrom_vq_packed_desc *d = (const struct pvrom_vq_packed_desc *)vq->desc_at + i;

	return vq_load16(&d->flags) & PVROM_VQ_DESC_USED;
}

/*
 * Where the used bit turns: what the device has used, and what the driver made available of the next lap, has this lap's;
 * what is still to be used has the other (2.8.1).
 */
bool pvrom_vq_device_seek(struct pvrom_vq_device *vq)
{
	const bool at_start = !vq->avail && !vq->used && vq->avail_wrap && vq->used_wrap;
	struct pvrom_vq_state state;
	bool first;
	uint32_t i, turn;

	if (!is_packed(vq) || !at_start || vq->config.inflight)
		return false;
	first = used_bit(vq, 0);
	for (turn = 1; turn < vq->config.size && used_bit(vq, turn) == first; turn++)
		;
	for (i = turn; i < vq->config.size; i++)
		if (used_bit(vq, i) == first)
			return false;
	turn %= vq->config.size;
	state = (struct pvrom_vq_state){ .avail = (uint16_t)turn,
					 .used = (uint16_t)turn,
					 .avail_wrap = turn ? first : !first,
					 .used_wrap = turn ? first : !first };
	return pvrom_vq_device_set_state(vq, &state) == PVROM_VQ_OK;
}
