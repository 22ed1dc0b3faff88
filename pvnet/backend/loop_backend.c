/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Two backends that are no network: one takes all and brings nothing, the other brings back what it took.
 */
#define _GNU_SOURCE
#include "netback.h"

#include <stdlib.h>
#include <string.h>

#include "netback_slips.h"

#define ALL_OFFLOADS                                                                               \
	(PVROM_NET_F_CSUM | PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 | PVROM_NET_F_HOST_ECN | \
	 PVROM_NET_F_HOST_USO)
#define ALL_LARGE                                                                                  \
	(PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 | PVROM_NET_F_GUEST_ECN |                 \
	 PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6)

/* ---- nothing ----------------------------------------------------------------------------------------- */

static bool null_send(struct netback *b, const struct pvrom_net_header *header,
		      const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip)
{
	(void)b;
	(void)header;
	(void)pieces;
	(void)count;
	(void)skip;
	return true;
}

static void null_close(struct netback *b)
{
	free(b);
}

static const struct netback_ops null_ops = { .send = null_send, .close = null_close };

struct netback *netback_null_open(const struct netback_words *w, char *message)
{
	struct netback *b = calloc(1, sizeof(*b));

	(void)w;
	if (!b) {
		netback_complain(message, "no memory");
		return NULL;
	}
	b->ops = &null_ops;
	b->head.can = ALL_OFFLOADS;
	b->pairs = PVROM_NET_PAIRS_MAX;
	return b;
}

/* ---- a loop ------------------------------------------------------------------------------------------ */

/* Holds four frames of the greatest length, or 4,096 small ones. */
#define LOOP_BYTES (512u << 10)

struct loop {
	struct netback b; /* first */
	bool swap;
	struct net_fifo fifo[PVROM_NET_PAIRS_MAX]; /* each opened when it is first used */
};

static struct loop *loop_of(struct netback *b)
{
	return (struct loop *)(void *)b;
}

static void exchange_macs(uint8_t *frame)
{
	uint8_t to[6];

	memcpy(to, frame, 6);
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, to, 6);
}

static bool loop_send(struct netback *b, const struct pvrom_net_header *header,
		      const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip)
{
	struct loop *l = loop_of(b);
	struct net_fifo *f = &l->fifo[b->head.pair];
	const uint32_t len =
		(uint32_t)(count == 1 ? pieces->len - skip : netback_length(pieces, count, skip));
	uint8_t *room;

	if (!f->bytes && !net_fifo_open(f, LOOP_BYTES))
		return false;
	room = net_fifo_room(f, len);
	if (!room) {
		b->counters.full++;
		return false;
	}
	if (count == 1)
		memcpy(room, (const uint8_t *)pieces->at + skip, len);
	else
		netback_gather(room, len, pieces, count, skip);
	if (l->swap && !NETBACK_SLIP(LOOP_SWAP))
		exchange_macs(room);
	net_fifo_push(f, header, len);
	return true;
}

static struct net_fifo *loop_fifo(struct netback *b, uint32_t pair)
{
	return &loop_of(b)->fifo[pair];
}

static void loop_close(struct netback *b)
{
	struct loop *l = loop_of(b);
	uint32_t i;

	for (i = 0; i < PVROM_NET_PAIRS_MAX; i++)
		net_fifo_close(&l->fifo[i]);
	free(l);
}

static const struct netback_ops loop_ops = { .send = loop_send,
					     .fifo = loop_fifo,
					     .close = loop_close };

struct netback *netback_loop_open(const struct netback_words *w, char *message)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l) {
		netback_complain(message, "no memory");
		return NULL;
	}
	l->swap = w->swap;
	l->b.ops = &loop_ops;
	l->b.head.can = ALL_OFFLOADS;
	l->b.head.gives = ALL_LARGE;
	l->b.pairs = PVROM_NET_PAIRS_MAX;
	return &l->b;
}
