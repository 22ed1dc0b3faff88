/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames that wait: records in a ring of bytes, each in one piece.
 */
#include "netback.h"

#include <stdlib.h>

#include "netback_slips.h"

struct record {
	struct pvrom_net_header header;
	uint32_t len; /* SKIP: nothing, the next one lies at the beginning of the memory */
};
#define SKIP UINT32_MAX
#define UNIT 64u /* records begin at multiples: a cache line */
_Static_assert(sizeof(struct record) == 16, "record");

static uint32_t units(uint32_t len)
{
	return (uint32_t)(sizeof(struct record) + len + UNIT - 1) & ~(UNIT - 1);
}

static struct record *record_at(const struct net_fifo *f, uint32_t at)
{
	return (struct record *)(void *)(f->bytes + (at & (f->size - 1)));
}

bool net_fifo_open(struct net_fifo *f, uint32_t size)
{
	*f = (struct net_fifo){ .bytes = aligned_alloc(UNIT, size), .size = size };
	return f->bytes;
}

void net_fifo_close(struct net_fifo *f)
{
	free(f->bytes);
	*f = (struct net_fifo){ .size = 0 };
}

uint8_t *net_fifo_room(struct net_fifo *f, uint32_t len)
{
	const uint32_t need = units(len);
	uint32_t before_end;

	if (!f->frames) /* the beginning is still in the cache */
		f->head = f->tail = 0;
	before_end = f->size - (f->tail & (f->size - 1));
	if (need <= before_end)
		return f->size - (f->tail - f->head) >= need || NETBACK_SLIP(FIFO_FULL)
			       ? (uint8_t *)(record_at(f, f->tail) + 1)
			       : NULL;
	if (f->size - (f->tail - f->head) < before_end + need)
		return NULL;
	record_at(f, f->tail)->len = SKIP;
	f->tail += before_end;
	return (uint8_t *)(record_at(f, f->tail) + 1);
}

void net_fifo_push(struct net_fifo *f, const struct pvrom_net_header *header, uint32_t len)
{
	*record_at(f, f->tail) = (struct record){ .header = *header, .len = len };
	f->tail += units(len);
	f->frames++;
}

static struct record *oldest(const struct net_fifo *f)
{
	struct record *r = record_at(f, f->head);

	return r->len == SKIP ? (struct record *)(void *)f->bytes : r;
}

bool net_fifo_peek(const struct net_fifo *f, struct net_arrival *arrival)
{
	struct record *r;

	if (!f->frames)
		return false;
	r = oldest(f);
	*arrival = (struct net_arrival){ r->header, r->len, (uint8_t *)(r + 1) };
	return true;
}

void net_fifo_pop(struct net_fifo *f)
{
	if (record_at(f, f->head)->len == SKIP)
		f->head += f->size - (f->head & (f->size - 1));
	f->head += units(record_at(f, f->head)->len);
	f->frames--;
}
