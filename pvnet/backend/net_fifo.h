/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A queue of frames in memory, any length each, in the order of arrival: records in a ring of bytes, each in one piece. One
 * thread at a time. What is done for each frame stands here, for a call is a part of what that costs.
 */
#ifndef NET_FIFO_H
#define NET_FIFO_H

#include <pvrom/net.h>

#include <stdbool.h>
#include <stdint.h>

struct net_fifo {
	uint8_t *bytes;
	uint32_t size; /* a power of two */
	uint32_t head; /* where the oldest lies; both counted on, not wrapped */
	uint32_t tail; /* where the next one goes */
	uint32_t frames;
};

/* The frame follows. */
struct net_fifo_record {
	struct pvrom_net_header header;
	uint32_t len; /* NET_FIFO_SKIP: nothing, the next one lies at the beginning of the memory */
};
#define NET_FIFO_SKIP UINT32_MAX
#define NET_FIFO_UNIT 64u /* records begin at multiples: a cache line */
_Static_assert(sizeof(struct net_fifo_record) == 16, "record");

/* A frame as it lies in a backend's memory, until it is taken off. */
struct net_arrival {
	struct pvrom_net_header header;
	uint32_t len;
	uint8_t *bytes;
};

bool net_fifo_open(struct net_fifo *fifo, uint32_t size);
void net_fifo_close(struct net_fifo *fifo);
/* Room for a frame of `len` bytes at the end; NULL: full. It is there once net_fifo_push() is called. */
uint8_t *net_fifo_room(struct net_fifo *fifo, uint32_t len);

static inline uint32_t net_fifo_units(uint32_t len)
{
	return (uint32_t)(sizeof(struct net_fifo_record) + len + NET_FIFO_UNIT - 1) &
	       ~(NET_FIFO_UNIT - 1);
}

static inline struct net_fifo_record *net_fifo_at(const struct net_fifo *f, uint32_t at)
{
	return (struct net_fifo_record *)(void *)(f->bytes + (at & (f->size - 1)));
}

static inline void net_fifo_push(struct net_fifo *f, const struct pvrom_net_header *header,
				 uint32_t len)
{
	*net_fifo_at(f, f->tail) = (struct net_fifo_record){ .header = *header, .len = len };
	f->tail += net_fifo_units(len);
	f->frames++;
}

/* The oldest frame; NULL: there is none. */
static inline struct net_fifo_record *net_fifo_oldest(const struct net_fifo *f)
{
	struct net_fifo_record *r = f->frames ? net_fifo_at(f, f->head) : NULL;

	return r && r->len == NET_FIFO_SKIP ? (struct net_fifo_record *)(void *)f->bytes : r;
}

/* The same to be looked at. */
static inline bool net_fifo_peek(const struct net_fifo *f, struct net_arrival *arrival)
{
	struct net_fifo_record *const r = net_fifo_oldest(f);

	if (!r)
		return false;
	*arrival = (struct net_arrival){ r->header, r->len, (uint8_t *)(r + 1) };
	return true;
}

static inline void net_fifo_pop(struct net_fifo *f)
{
	if (net_fifo_at(f, f->head)->len == NET_FIFO_SKIP)
		f->head += f->size - (f->head & (f->size - 1));
	f->head += net_fifo_units(net_fifo_at(f, f->head)->len);
	f->frames--;
}

#endif
