/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * From descriptors to host memory: each range is checked, piece by contiguous piece. In a header, for it is on
 * the way of each buffer, and a call into another file is a tenth of that.
 *
 * The first fault is kept. After it nothing is translated any more but the last writable byte, so a chain
 * costs at most its descriptors and the pieces that the request has room for.
 */
#ifndef PVROM_VQ_WALK_H
#define PVROM_VQ_WALK_H

#include "vq_internal.h"

/* A chain on its way to pieces. */
struct vq_walk {
	const struct pvrom_vq_device *vq;
	struct pvrom_vq_request *request;
	uint64_t bytes;
	uint32_t descriptors;
	bool writable; /* one was seen */
	bool over;     /* not worth looking at more */
};

static inline void vq_walk_begin(struct vq_walk *walk, const struct pvrom_vq_device *vq,
				 struct pvrom_vq_request *request)
{
	*walk = (struct vq_walk){ .vq = vq, .request = request };
	request->readable_pieces = 0;
	request->writable_pieces = 0;
	request->readable = 0;
	request->writable = 0;
	request->fault = PVROM_VQ_FAULT_NONE;
	request->last = NULL;
	request->last_gpa.gpa = 0;
}

/* Faults after which nothing is to be had from the rest of the chain. */
static inline bool vq_walk_ends(enum pvrom_vq_fault fault)
{
	return fault != PVROM_VQ_FAULT_ADDRESS && fault != PVROM_VQ_FAULT_TOO_MANY;
}

static inline void vq_walk_fault(struct vq_walk *walk, enum pvrom_vq_fault fault)
{
	if (!walk->request->fault)
		walk->request->fault = fault;
	if (vq_walk_ends(fault)) {
		walk->over = true;
		walk->request->last = NULL;
	}
}

/* ---- guest memory -------------------------------------------------------------------------------- */

/* Where gpa lies; lowers *len to what is contiguous there. False where there is no memory. */
static inline bool vq_walk_piece(const struct pvrom_vq_device *vq, uint64_t gpa, uint64_t *len,
				 uint8_t **at)
{
	uint64_t wanted = *len;

	*at = vq->config.ops->translate(vq->config.ops_ctx, (struct pvrom_gpa){ gpa }, len);
	if (VQ_REFUSE(BUFFER_MEMORY, !*at || !*len))
		return false;
	if (!VQ_REFUSE(BUFFER_PIECE, *len < wanted))
		*len = wanted;
	return true;
}

static inline void vq_walk_add_piece(struct vq_walk *walk, uint8_t *at, uint64_t gpa, uint64_t len)
{
	struct pvrom_vq_request *r = walk->request;

	r->piece[r->readable_pieces + r->writable_pieces] =
		(struct pvrom_vq_piece){ .at = at, .len = len, .gpa = { gpa } };
	if (walk->writable) {
		r->writable_pieces++;
		r->writable += len;
	} else {
		r->readable_pieces++;
		r->readable += len;
	}
}

/* All pieces of a buffer. */
static inline void vq_walk_add(struct vq_walk *walk, uint64_t gpa, uint64_t left)
{
	struct pvrom_vq_request *r = walk->request;

	while (left) {
		uint64_t len = left;
		uint8_t *at;

		if (VQ_REFUSE(CHAIN_ROOM, r->readable_pieces + r->writable_pieces >= r->room)) {
			vq_walk_fault(walk, PVROM_VQ_FAULT_TOO_MANY);
			return;
		}
		if (!vq_walk_piece(walk->vq, gpa, &len, &at)) {
			vq_walk_fault(walk, PVROM_VQ_FAULT_ADDRESS);
			return;
		}
		vq_walk_add_piece(walk, at, gpa, len);
		gpa += len;
		left -= len;
	}
}

/* The last byte of a writable buffer, for a status: of the last piece, or, of a faulty chain, asked for. */
static inline void vq_walk_last(struct vq_walk *walk, const struct vq_element *element)
{
	struct pvrom_vq_request *r = walk->request;
	const struct pvrom_vq_piece *p;
	uint64_t len = 1;
	uint8_t *at = NULL;

	r->last_gpa.gpa = element->addr + element->len - 1;
	if (!r->fault) {
		p = &r->piece[r->readable_pieces + r->writable_pieces - 1];
		r->last = (uint8_t *)p->at + p->len - 1;
		return;
	}
	if (element->addr > UINT64_MAX - element->len ||
	    !vq_walk_piece(walk->vq, r->last_gpa.gpa, &len, &at))
		at = NULL;
	r->last = at;
}

/* What is wrong with the buffer as such. */
static inline enum pvrom_vq_fault vq_walk_judge(struct vq_walk *walk,
						const struct vq_element *element)
{
	bool writable = element->flags & PVROM_VQ_DESC_WRITE;

	/* 2.7.4.2, 2.8.17 */
	if (VQ_REFUSE(CHAIN_ORDER, walk->writable && !writable))
		return PVROM_VQ_FAULT_WRITABLE_FIRST;
	walk->writable |= writable;
	/* 2.7.5.2 */
	walk->bytes += element->len;
	if (VQ_REFUSE(CHAIN_BYTES, walk->bytes > 1ull << 32))
		return PVROM_VQ_FAULT_TOO_BIG;
	/* The byte at 2^64 - 1 cannot be memory: no processor has that many address bits. */
	if (VQ_REFUSE(BUFFER_WRAP, element->addr > UINT64_MAX - element->len))
		return PVROM_VQ_FAULT_ADDRESS;
	return PVROM_VQ_FAULT_NONE;
}

static inline void vq_walk_buffer(struct vq_walk *walk, const struct vq_element *element)
{
	enum pvrom_vq_fault fault;

	if (walk->over)
		return;
	fault = vq_walk_judge(walk, element);
	if (fault)
		vq_walk_fault(walk, fault);
	if (walk->over || !element->len)
		return;
	if (!walk->request->fault)
		vq_walk_add(walk, element->addr, element->len);
	if (element->flags & PVROM_VQ_DESC_WRITE)
		vq_walk_last(walk, element);
}

/*
 * A buffer that is one descriptor and one piece, taken without a walk: what small messages are. False: it is not, or
 * something is odd about it, which the walk will see then.
 */
static inline bool vq_walk_plain(const struct pvrom_vq_device *vq, const struct vq_element *element,
				 struct pvrom_vq_request *r)
{
	uint64_t len = element->len;
	uint8_t *at;

	if ((element->flags & (PVROM_VQ_DESC_NEXT | PVROM_VQ_DESC_INDIRECT)) || !len || !r->room ||
	    element->addr > UINT64_MAX - len)
		return false;
	at = vq->config.ops->translate(vq->config.ops_ctx, (struct pvrom_gpa){ element->addr },
				       &len);
	if (!at || len < element->len)
		return false;
	r->piece[0] = (struct pvrom_vq_piece){ at, element->len, { element->addr } };
	r->fault = PVROM_VQ_FAULT_NONE;
	if (element->flags & PVROM_VQ_DESC_WRITE) {
		r->readable_pieces = 0;
		r->writable_pieces = 1;
		r->readable = 0;
		r->writable = element->len;
		r->last = at + element->len - 1;
		r->last_gpa.gpa = element->addr + element->len - 1;
	} else {
		r->readable_pieces = 1;
		r->writable_pieces = 0;
		r->readable = element->len;
		r->writable = 0;
		r->last = NULL;
		r->last_gpa.gpa = 0;
	}
	return true;
}

/* The descriptors of a short chain, which are copied before anything is done with them. */
#define VQ_FEW 4u

/*
 * The same for a chain of a few descriptors, each in one piece, as a disk's small requests are: half the instructions
 * of the walk, which has to be ready for the next descriptor to be wrong.
 */
static inline bool vq_walk_few(const struct pvrom_vq_device *vq, const struct vq_element *element,
			       uint32_t n, struct pvrom_vq_request *r)
{
	uint64_t bytes = 0, readable = 0;
	uint32_t i, turn = n;
	uint8_t *at = NULL;

	if (n > r->room || n > vq->chain_max)
		return false;
	for (i = 0; i < n; i++) {
		const struct vq_element *e = &element[i];
		uint64_t len = e->len;

		if (e->flags & PVROM_VQ_DESC_WRITE && turn == n) {
			turn = i;
			readable = bytes;
		}
		if (!len || e->addr > UINT64_MAX - len ||
		    (!(e->flags & PVROM_VQ_DESC_WRITE) && turn < n))
			return false;
		at = vq->config.ops->translate(vq->config.ops_ctx, (struct pvrom_gpa){ e->addr },
					       &len);
		if (!at || len < e->len)
			return false;
		r->piece[i] = (struct pvrom_vq_piece){ at, e->len, { e->addr } };
		bytes += e->len;
	}
	if (bytes > 1ull << 32)
		return false;
	r->readable_pieces = turn;
	r->writable_pieces = n - turn;
	r->readable = turn < n ? readable : bytes;
	r->writable = bytes - r->readable;
	r->fault = PVROM_VQ_FAULT_NONE;
	r->last = turn < n ? at + element[n - 1].len - 1 : NULL;
	r->last_gpa.gpa = turn < n ? element[n - 1].addr + element[n - 1].len - 1 : 0;
	return true;
}

/* One more descriptor that is an indirect table: all of its buffers. vq_chain.c */
void pvrom_vq_walk_table(struct vq_walk *walk, const struct vq_element *element);

/* The slot becomes a request's, in its place in the order. */
static inline void vq_device_take(struct pvrom_vq_device *vq, struct pvrom_vq_request *request,
				  uint32_t slot, uint16_t id, uint16_t count)
{
	struct pvrom_vq_device_slot *s = &vq->config.slots[slot];
	const uint32_t generation = vq->generation + 1 ? vq->generation + 1 : 1;
	const uint64_t writable = request->writable;
	const bool faulty = request->fault != PVROM_VQ_FAULT_NONE;

	vq->generation = generation;
	vq->in_flight++;
	s->writable = writable;
	s->generation = generation;
	s->id = id;
	s->count = count;
	s->state = VQ_POPPED;
	s->faulty = faulty;
	request->generation = generation;
	request->slot = (uint16_t)slot;
	if (__builtin_expect(vq_device_has(vq, PVROM_VQ_F_IN_ORDER), 0)) {
		vq->config.slots[vq->youngest].order = slot;
		vq->youngest = vq_next_place(vq, vq->youngest);
	}
}

#endif
