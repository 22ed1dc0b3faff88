/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A virtqueue of the block device: buffers go from the ring into requests of a pool, and back.
 */
#include "blk_host_internal.h"

enum pvrom_vq_result pvrom_blk_queue_init(struct pvrom_blk_queue *queue,
					  struct pvrom_blk_host *host,
					  const struct pvrom_vq_device_config *config,
					  struct pvrom_blk_request *pool, uint32_t count)
{
	uint32_t i;

	queue->host = host;
	queue->free = NULL;
	queue->requests = count;
	queue->in_work = 0;
	queue->broken = queue->dirty = false;
	for (i = count; i > 0; i--) {
		struct pvrom_blk_request *r = &pool[i - 1];

		r->vq.piece = r->piece;
		r->vq.room = PVROM_BLK_PIECES;
		r->ring = &queue->ring;
		r->queue = queue;
		r->free = queue->free;
		queue->free = r;
	}
	return pvrom_vq_device_init(&queue->ring, config);
}

uint32_t pvrom_blk_queue_run(struct pvrom_blk_queue *queue, uint32_t budget)
{
	struct pvrom_blk_request *r;
	enum pvrom_vq_result result;
	uint32_t n;

	for (n = 0; n < budget && !queue->broken; n++) {
		r = queue->free;
		if (!r)
			break;
		result = pvrom_vq_device_pop(&queue->ring, &r->vq);
		queue->broken = result == PVROM_VQ_BROKEN;
		if (result != PVROM_VQ_OK)
			break;
		queue->free = r->free;
		queue->in_work++;
		pvrom_blk_host_start(queue->host, r);
	}
	return n;
}

/* A request of before a reset of the queue is STALE to the ring, which then does nothing. */
static void give_back(struct pvrom_blk_request *r, uint64_t written)
{
	struct pvrom_blk_queue *queue = r->queue;

	if (!r->cancelled) {
		pvrom_vq_device_complete(&queue->ring, &r->vq, written);
		queue->dirty = true;
	}
	queue->in_work--;
	r->free = queue->free;
	queue->free = r;
}

#ifdef PVROM_TEST
/* OUT_OF_ORDER: in the place of the used index a server without a record then has another request than the lost one. */
static struct pvrom_blk_request *kept;
static uint64_t kept_written;

static bool keeps(struct pvrom_blk_request *r, uint64_t written)
{
	if (!BLK_SLIP(OUT_OF_ORDER) || kept || r->queue->in_work < 2)
		return false;
	kept = r;
	kept_written = written;
	return true;
}

static void let_go(const struct pvrom_blk_queue *queue)
{
	struct pvrom_blk_request *r = kept;

	if (!r || r->queue != queue || queue->in_work > 1)
		return;
	kept = NULL;
	give_back(r, kept_written);
}
#else
#define keeps(r, written) false
#define let_go(queue) ((void)0)
#endif

void pvrom_blk_queue_complete(struct pvrom_blk_request *r, uint64_t written)
{
	if (keeps(r, written))
		return;
	give_back(r, written);
	let_go(r->queue);
}

bool pvrom_blk_queue_publish(struct pvrom_blk_queue *queue)
{
	if (!queue->dirty)
		return false;
	queue->dirty = false;
	return pvrom_vq_device_publish(&queue->ring);
}
