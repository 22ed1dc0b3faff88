/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames that wait: their memory, and room in it.
 */
#include "net_fifo.h"

#include <stdlib.h>

#include "netback_slips.h"

bool net_fifo_open(struct net_fifo *f, uint32_t size)
{
	*f = (struct net_fifo){ .bytes = aligned_alloc(NET_FIFO_UNIT, size), .size = size };
	return f->bytes;
}

void net_fifo_close(struct net_fifo *f)
{
	free(f->bytes);
	*f = (struct net_fifo){ .size = 0 };
}

uint8_t *net_fifo_room(struct net_fifo *f, uint32_t len)
{
	const uint32_t need = net_fifo_units(len);
	uint32_t before_end;

	if (!f->frames) /* the beginning is still in the cache */
		f->head = f->tail = 0;
	before_end = f->size - (f->tail & (f->size - 1));
	if (need <= before_end)
		return f->size - (f->tail - f->head) >= need || NETBACK_SLIP(FIFO_FULL)
			       ? (uint8_t *)(net_fifo_at(f, f->tail) + 1)
			       : NULL;
	if (f->size - (f->tail - f->head) < before_end + need)
		return NULL;
	net_fifo_at(f, f->tail)->len = NET_FIFO_SKIP;
	f->tail += before_end;
	return (uint8_t *)(net_fifo_at(f, f->tail) + 1);
}
