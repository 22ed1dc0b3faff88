/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Indirect tables, and what devices read and write of a request. Buffers themselves: vq_walk.h.
 */
#include "vq_walk.h"

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
		vq_walk_fault(walk, PVROM_VQ_FAULT_NEXT_RANGE);
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
		vq_walk_fault(walk, PVROM_VQ_FAULT_NESTED);
	vq_walk_buffer(walk, &element);
}

static void walk_chain(struct vq_walk *walk, struct table *table)
{
	struct pvrom_vq_desc desc;
	uint32_t i = 0, n;

	for (n = 0; !walk->over; n++) {
		if (VQ_REFUSE(CHAIN_LENGTH,
			      n >= table->count || ++walk->descriptors > walk->vq->chain_max)) {
			vq_walk_fault(walk, PVROM_VQ_FAULT_LOOP);
			return;
		}
		if (!read_table(walk->vq, table, i, &desc)) {
			vq_walk_fault(walk, PVROM_VQ_FAULT_TABLE_ADDRESS);
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
		vq_walk_fault(walk, fault);
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
	const struct pvrom_vq_piece *first = request->piece;

	if (!request->readable_pieces || offset > first->len || len > first->len - offset)
		return copy(first, request->readable_pieces, offset, buffer, NULL, len);
	/* A header mostly lies in one piece. */
	VQ_LOADS((uint8_t *)first->at + offset, len);
	__builtin_memcpy(buffer, (uint8_t *)first->at + offset, len);
	__asm__ volatile("" : : : "memory");
	return len;
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
