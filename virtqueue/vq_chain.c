/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * From descriptors to host memory: each range is checked, piece by contiguous piece.
 *
 * The first fault is kept. After it nothing is translated any more but the last writable byte, so a chain
 * costs at most its descriptors and the pieces that the request has room for.
 */
#include "vq_internal.h"

void pvrom_vq_walk_begin(struct vq_walk *walk, const struct pvrom_vq_device *vq,
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
static bool ends_walk(enum pvrom_vq_fault fault)
{
	return fault != PVROM_VQ_FAULT_ADDRESS && fault != PVROM_VQ_FAULT_TOO_MANY;
}

void pvrom_vq_walk_fault(struct vq_walk *walk, enum pvrom_vq_fault fault)
{
	if (!walk->request->fault)
		walk->request->fault = fault;
	if (ends_walk(fault)) {
		walk->over = true;
		walk->request->last = NULL;
	}
}

/* ---- guest memory -------------------------------------------------------------------------------- */

/* Where gpa lies; lowers *len to what is contiguous there. False where there is no memory. */
static bool piece(const struct pvrom_vq_device *vq, uint64_t gpa, uint64_t *len, uint8_t **at)
{
	uint64_t wanted = *len;

	*at = vq->config.ops->translate(vq->config.ops_ctx, (struct pvrom_gpa){ gpa }, len);
	if (VQ_REFUSE(BUFFER_MEMORY, !*at || !*len))
		return false;
	if (!VQ_REFUSE(BUFFER_PIECE, *len < wanted))
		*len = wanted;
	return true;
}

static void add_piece(struct vq_walk *walk, uint8_t *at, uint64_t gpa, uint64_t len)
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
static void add_buffer(struct vq_walk *walk, uint64_t gpa, uint64_t left)
{
	struct pvrom_vq_request *r = walk->request;

	while (left) {
		uint64_t len = left;
		uint8_t *at;

		if (VQ_REFUSE(CHAIN_ROOM, r->readable_pieces + r->writable_pieces >= r->room)) {
			pvrom_vq_walk_fault(walk, PVROM_VQ_FAULT_TOO_MANY);
			return;
		}
		if (!piece(walk->vq, gpa, &len, &at)) {
			pvrom_vq_walk_fault(walk, PVROM_VQ_FAULT_ADDRESS);
			return;
		}
		add_piece(walk, at, gpa, len);
		gpa += len;
		left -= len;
	}
}

/* The last byte of a writable buffer, for a status: of the last piece, or, of a faulty chain, asked for. */
static void note_last(struct vq_walk *walk, const struct vq_element *element)
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
	    !piece(walk->vq, r->last_gpa.gpa, &len, &at))
		at = NULL;
	r->last = at;
}

/* What is wrong with the buffer as such. */
static enum pvrom_vq_fault judge(struct vq_walk *walk, const struct vq_element *element)
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

void pvrom_vq_walk_buffer(struct vq_walk *walk, const struct vq_element *element)
{
	enum pvrom_vq_fault fault;

	if (walk->over)
		return;
	fault = judge(walk, element);
	if (fault)
		pvrom_vq_walk_fault(walk, fault);
	if (walk->over || !element->len)
		return;
	if (!walk->request->fault)
		add_buffer(walk, element->addr, element->len);
	if (element->flags & PVROM_VQ_DESC_WRITE)
		note_last(walk, element);
}

/* ---- indirect tables ----------------------------------------------------------------------------- */

/* A table in guest memory, with the contiguous part that was found last. */
struct table {
	uint64_t gpa;
	uint32_t count;
	uint64_t part_gpa;
	const uint8_t *part;
	uint64_t part_len;
};

/* A contiguous part of the table in which gpa lies. */
static bool find_part(const struct pvrom_vq_device *vq, struct table *table, uint64_t gpa)
{
	uint64_t len = table->gpa + 16ull * table->count - gpa;
	const uint8_t *at;

	if (table->part && gpa >= table->part_gpa && gpa - table->part_gpa < table->part_len)
		return true;
	at = vq->config.ops->translate(vq->config.ops_ctx, (struct pvrom_gpa){ gpa }, &len);
	if (VQ_REFUSE(TABLE_MEMORY, !at || !len))
		return false;
	table->part = at;
	table->part_gpa = gpa;
	table->part_len = len;
	return true;
}

/* Copies descriptor number i, which may lie in two parts, once. False: not in guest memory. */
static bool read_table(const struct pvrom_vq_device *vq, struct table *table, uint32_t i,
		       struct pvrom_vq_desc *desc)
{
	uint64_t gpa = table->gpa + 16ull * i;
	uint32_t have = 0;

	while (have < sizeof(*desc)) {
		uint64_t offset, len;

		if (!find_part(vq, table, gpa + have))
			return false;
		offset = gpa + have - table->part_gpa;
		len = table->part_len - offset;
		if (len > sizeof(*desc) - have)
			len = sizeof(*desc) - have;
		VQ_LOADS(table->part + offset, len);
		__builtin_memcpy((uint8_t *)desc + have, table->part + offset, len);
		have += (uint32_t)len;
	}
	/* The compiler must not read guest memory again where it has a copy. */
	__asm__ volatile("" : : "r"(desc) : "memory");
	return true;
}

/* What is wrong with the descriptor that points to a table: 2.7.5.3.1, 2.8.19. */
static enum pvrom_vq_fault judge_table(const struct vq_walk *walk, const struct vq_element *element)
{
	if (VQ_REFUSE(TABLE_FEATURE, !vq_device_has(walk->vq, PVROM_VQ_F_INDIRECT_DESC)))
		return PVROM_VQ_FAULT_NOT_NEGOTIATED;
	if (VQ_REFUSE(TABLE_NEXT, element->flags & PVROM_VQ_DESC_NEXT))
		return PVROM_VQ_FAULT_INDIRECT_NEXT;
	if (VQ_REFUSE(TABLE_SIZE, !element->len || element->len % 16))
		return PVROM_VQ_FAULT_TABLE_SIZE;
	if (VQ_REFUSE(TABLE_WRAP, element->addr > UINT64_MAX - element->len))
		return PVROM_VQ_FAULT_TABLE_ADDRESS;
	return PVROM_VQ_FAULT_NONE;
}

/* Where a chain in a table goes on; false at its end. A packed table has no links (2.8.7). */
static bool next_in_table(struct vq_walk *walk, const struct table *table,
			  const struct pvrom_vq_desc *desc, uint32_t *i)
{
	if (vq_device_has(walk->vq, PVROM_VQ_F_RING_PACKED))
		return ++*i < table->count;
	if (!(desc->flags & PVROM_VQ_DESC_NEXT))
		return false;
	*i = desc->next;
	if (VQ_REFUSE(CHAIN_NEXT, *i >= table->count)) {
		pvrom_vq_walk_fault(walk, PVROM_VQ_FAULT_NEXT_RANGE);
		return false;
	}
	return true;
}

/* One descriptor of a table, in both formats: flags stand in different places. */
static void walk_entry(struct vq_walk *walk, const struct pvrom_vq_desc *desc)
{
	struct vq_element element = { desc->addr, desc->len, desc->flags, 0 };

	if (vq_device_has(walk->vq, PVROM_VQ_F_RING_PACKED))
		element.flags = desc->next; /* struct pvrom_vq_packed_desc: flags come last */
	else if (VQ_REFUSE(TABLE_NESTED, desc->flags & PVROM_VQ_DESC_INDIRECT))
		pvrom_vq_walk_fault(walk, PVROM_VQ_FAULT_NESTED);
	pvrom_vq_walk_buffer(walk, &element);
}

static void walk_chain(struct vq_walk *walk, struct table *table)
{
	struct pvrom_vq_desc desc;
	uint32_t i = 0, n;

	for (n = 0; !walk->over; n++) {
		if (VQ_REFUSE(CHAIN_LENGTH,
			      n >= table->count || ++walk->descriptors > walk->vq->chain_max)) {
			pvrom_vq_walk_fault(walk, PVROM_VQ_FAULT_LOOP);
			return;
		}
		if (!read_table(walk->vq, table, i, &desc)) {
			pvrom_vq_walk_fault(walk, PVROM_VQ_FAULT_TABLE_ADDRESS);
			return;
		}
		walk_entry(walk, &desc);
		if (walk->over || !next_in_table(walk, table, &desc, &i))
			return;
	}
}

void pvrom_vq_walk_table(struct vq_walk *walk, const struct vq_element *element)
{
	struct table table = { .gpa = element->addr, .count = element->len / 16 };
	enum pvrom_vq_fault fault;

	if (walk->over)
		return;
	fault = judge_table(walk, element);
	if (fault)
		pvrom_vq_walk_fault(walk, fault);
	else
		walk_chain(walk, &table);
}

/* ---- for devices --------------------------------------------------------------------------------- */

/* Goes over count pieces from byte offset on. */
static uint64_t copy(const struct pvrom_vq_piece *p, uint32_t count, uint64_t offset, uint8_t *to,
		     const uint8_t *from, uint64_t len)
{
	uint64_t done = 0;

	for (; count && done < len; count--, p++) {
		uint64_t part;

		if (offset >= p->len) {
			offset -= p->len;
			continue;
		}
		part = p->len - offset;
		if (part > len - done)
			part = len - done;
		if (to) {
			VQ_LOADS((uint8_t *)p->at + offset, part);
			__builtin_memcpy(to + done, (uint8_t *)p->at + offset, part);
		} else {
			__builtin_memcpy((uint8_t *)p->at + offset, from + done, part);
		}
		done += part;
		offset = 0;
	}
	__asm__ volatile("" : : : "memory");
	return done;
}

uint64_t pvrom_vq_request_read(const struct pvrom_vq_request *request, uint64_t offset,
			       void *buffer, uint64_t len)
{
	return copy(request->piece, request->readable_pieces, offset, buffer, NULL, len);
}

uint64_t pvrom_vq_request_write(struct pvrom_vq_device *vq, const struct pvrom_vq_request *request,
				uint64_t offset, const void *buffer, uint64_t len)
{
	uint64_t done = copy(request->piece + request->readable_pieces, request->writable_pieces,
			     offset, NULL, buffer, len);

	pvrom_vq_request_dirty(vq, request, offset, done);
	return done;
}

void pvrom_vq_request_dirty(struct pvrom_vq_device *vq, const struct pvrom_vq_request *request,
			    uint64_t offset, uint64_t len)
{
	const struct pvrom_vq_piece *p = request->piece + request->readable_pieces;
	uint32_t count = request->writable_pieces;

	if (!vq->log)
		return;
	for (; count && len; count--, p++) {
		uint64_t part;

		if (offset >= p->len) {
			offset -= p->len;
			continue;
		}
		part = p->len - offset < len ? p->len - offset : len;
		vq_dirty(vq, p->gpa, offset, part);
		len -= part;
		offset = 0;
	}
}
