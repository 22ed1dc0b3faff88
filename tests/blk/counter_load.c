/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Counters in blocks. */
#include "counter_load.h"

#include <stdio.h>
#include <string.h>

static uint64_t draw(struct counter_load *l)
{
	l->seed ^= l->seed << 13;
	l->seed ^= l->seed >> 7;
	l->seed ^= l->seed << 17;
	return l->seed;
}

/* A user word: what the request is and which block it is for. */
#define FLUSH 0xffffu

static void fill(uint8_t *data, uint64_t block, uint64_t counter)
{
	uint64_t word[2] = { block, counter };
	uint32_t at;

	for (at = 0; at < LOAD_BLOCK; at += sizeof(word))
		memcpy(data + at, word, sizeof(word));
}

static bool holds(const uint8_t *data, uint64_t block, uint64_t counter)
{
	uint64_t word[2];
	uint32_t at;

	for (at = 0; at < LOAD_BLOCK; at += sizeof(word)) {
		memcpy(word, data + at, sizeof(word));
		if (word[1] != counter || (counter && word[0] != block))
			return false;
	}
	return true;
}

static bool put(struct counter_load *l, uint32_t queue, struct vu_client_request *r)
{
	const uint64_t what = draw(l), block = (what >> 8) % LOAD_BLOCKS;
	const bool write = what % 16 < 10;
	bool good;

	r->user = FLUSH;
	if (what % 16 == 15)
		return blk_client_submit(l->client, queue, r, PVROM_BLK_T_FLUSH, 0, 0);
	if (l->busy[block])
		return false;
	if (write)
		fill(r->data, block, l->written[block] + 1);
	r->user = block;
	good = blk_client_submit(l->client, queue, r, write ? PVROM_BLK_T_OUT : PVROM_BLK_T_IN,
				 block * (LOAD_BLOCK / 512), LOAD_BLOCK);
	l->busy[block] = good;
	return good;
}

void load_fill(struct counter_load *l)
{
	uint32_t queue, i;

	for (queue = 0; queue < l->client->queues; queue++) {
		for (i = 0; i < l->client->depth && l->to_do; i++) {
			struct vu_client_request *r = &l->client->queue[queue].request[i];

			if (r->busy || !put(l, queue, r))
				continue;
			l->to_do--;
			l->in_flight++;
		}
		blk_client_publish(l->client, queue);
	}
}

static void judge(struct counter_load *l, struct vu_client_request *r)
{
	const uint64_t took = vu_client_now() - r->began, block = r->user;

	if (took > l->longest)
		l->longest = took;
	if (*r->status != PVROM_BLK_S_OK)
		snprintf(l->wrong, sizeof(l->wrong), "a request of type %u got status %u",
			 r->header->type, *r->status);
	if (block == FLUSH)
		return;
	l->busy[block] = false;
	if (r->header->type == PVROM_BLK_T_OUT)
		l->written[block]++;
	else if (!holds(r->data, block, l->written[block]))
		snprintf(l->wrong, sizeof(l->wrong),
			 "block %llu holds counter %llu, written was %llu",
			 (unsigned long long)block,
			 (unsigned long long)((uint64_t *)(void *)r->data)[1],
			 (unsigned long long)l->written[block]);
}

uint32_t load_take(struct counter_load *l)
{
	struct vu_client_request *r;
	uint32_t queue, n = 0;

	for (queue = 0; queue < l->client->queues; queue++) {
		while ((r = blk_client_done(l->client, queue)) != NULL) {
			judge(l, r);
			l->in_flight--;
			l->done++;
			n++;
		}
		/* Asks for interrupts, so that the server's way to them is gone too. */
		pvrom_vq_driver_interrupts_on(&l->client->queue[queue].vq, 1);
		if (l->client->queue[queue].vq.reason != PVROM_VQ_REASON_NONE && !l->wrong[0])
			snprintf(l->wrong, sizeof(l->wrong), "the ring is broken: %s",
				 pvrom_vq_reason_text(l->client->queue[queue].vq.reason));
	}
	return n;
}

bool load_verify(struct counter_load *l)
{
	static uint8_t data[LOAD_BLOCK];
	uint32_t block;

	for (block = 0; block < LOAD_BLOCKS && !l->wrong[0]; block++) {
		if (blk_client_do(l->client, 0, PVROM_BLK_T_IN, block * (LOAD_BLOCK / 512), data,
				  LOAD_BLOCK) != PVROM_BLK_S_OK)
			snprintf(l->wrong, sizeof(l->wrong), "block %u cannot be read", block);
		else if (!holds(data, block, l->written[block]))
			snprintf(l->wrong, sizeof(l->wrong),
				 "at the end block %u is not as written", block);
	}
	return !l->wrong[0];
}
