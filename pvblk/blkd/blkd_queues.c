/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the vhost-user side asks of a disk: its features and configuration, and queues that begin and end.
 */
#define _GNU_SOURCE
#include "blkd.h"

#include <stdlib.h>

/* Requests of a queue in work at a time: what the rest of its buffers wait for. */
#define POOL_MOST 256u

static bool vu_accept(void *ctx, uint64_t features)
{
	return pvrom_blk_host_accept(&((struct blkd_export *)ctx)->host, features);
}

static void vu_config_read(void *ctx, uint32_t offset, void *to, uint32_t len)
{
	pvrom_blk_host_config_read(&((struct blkd_export *)ctx)->host, offset, to, len);
}

static bool vu_config_write(void *ctx, uint32_t offset, const void *from, uint32_t len)
{
	return pvrom_blk_host_config_write(&((struct blkd_export *)ctx)->host, offset, from, len);
}

static void free_queue(struct blkd_queue *q)
{
	free(q->pool);
	free(q->slots);
	q->pool = NULL;
	q->slots = NULL;
	q->live = false;
}

static struct pvrom_vq_device *vu_queue_start(void *ctx, uint32_t index,
					      struct pvrom_vq_device_config *config)
{
	struct blkd_export *e = ctx;
	struct blkd_queue *q = &e->queue[index];
	const uint32_t pool = config->size < POOL_MOST ? config->size : POOL_MOST;

	q->slots = calloc(config->size, sizeof(*q->slots));
	q->pool = malloc(pool * sizeof(*q->pool));
	q->blk = (struct pvrom_blk_queue){ .broken = false };
	/* A server before us may have left them off in the ring. */
	q->quiet = true;
	config->slots = q->slots;
	if (q->slots && q->pool &&
	    pvrom_blk_queue_init(&q->blk, &e->host, config, q->pool, pool) == PVROM_VQ_OK)
		return &q->blk.ring;
	free_queue(q);
	return NULL;
}

/* What was in flight when a server died may have been shown without an interrupt. */
static void vu_queue_ready(void *ctx, uint32_t index)
{
	struct blkd_export *e = ctx;

	e->queue[index].live = true;
	pvrom_vu_interrupt(e->vu, index);
}

void blkd_finish_work(struct blkd_export *e, const struct blkd_queue *only)
{
	pvrom_blk_host_drain(&e->host);
	while (only ? only->blk.in_work : e->host.in_work) {
		pvrom_loop_sleep(&e->loop, 100000000);
		pvrom_loop_reap(&e->loop);
	}
	blkd_publish(e);
	pvrom_loop_submit(&e->loop);
}

static void vu_queue_stop(void *ctx, uint32_t index)
{
	struct blkd_export *e = ctx;

	if (e->queue[index].live)
		blkd_finish_work(e, &e->queue[index]);
	free_queue(&e->queue[index]);
}

static void vu_drain(void *ctx)
{
	blkd_finish_work(ctx, NULL);
}

/* The next round looks at all queues. */
static void vu_kicked(void *ctx, uint32_t index)
{
	(void)ctx;
	(void)index;
}

static void vu_reset(void *ctx)
{
	pvrom_blk_host_reset(&((struct blkd_export *)ctx)->host);
}

const struct pvrom_vu_device_ops blkd_vu_ops = { .accept = vu_accept,
						 .config_read = vu_config_read,
						 .config_write = vu_config_write,
						 .queue_start = vu_queue_start,
						 .queue_ready = vu_queue_ready,
						 .queue_stop = vu_queue_stop,
						 .drain = vu_drain,
						 .kicked = vu_kicked,
						 .reset = vu_reset };
