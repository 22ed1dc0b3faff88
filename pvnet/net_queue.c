/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A virtqueue of the card: buffers out of the ring and back, and when to interrupt.
 */
#include "net_host_internal.h"

enum pvrom_vq_result pvrom_net_queue_init(struct pvrom_net_queue *queue,
					  struct pvrom_net_host *host, uint32_t number,
					  const struct pvrom_vq_device_config *config,
					  struct pvrom_net_buffer *pool, uint32_t count)
{
	enum pvrom_vq_result result;
	uint32_t i;

	if (!count)
		return PVROM_VQ_BAD_CONFIG;
	queue->host = host;
	queue->number = number;
	queue->buffer = pool;
	queue->buffers = count;
	queue->first = queue->held = queue->unpublished = queue->unsignalled = 0;
	queue->looked = queue->filled = queue->settled = 0;
	queue->broken = queue->due = queue->starved = false;
	for (i = 0; i < count; i++) {
		pool[i].request.piece = pool[i].piece;
		pool[i].request.room = PVROM_NET_PIECES;
	}
	result = pvrom_vq_device_init(&queue->ring, config);
	if (result == PVROM_VQ_OK && number % 2 == 0 && number / 2 < host->setup.pairs &&
	    number != pvrom_net_control_queue(host))
		host->receive[number / 2] = queue;
	return result;
}

/* The small buffers that were filled are done. */
static void settle(struct pvrom_net_queue *queue)
{
	if (queue->settled == queue->filled)
		return;
	pvrom_vq_device_burst_done(&queue->ring, queue->plain + queue->settled,
				   queue->filled - queue->settled);
	queue->settled = queue->filled;
}

void pvrom_net_queue_forget(struct pvrom_net_queue *queue)
{
	settle(queue);
	queue->looked = queue->filled = queue->settled = 0;
}

bool pvrom_net_queue_pop(struct pvrom_net_queue *queue, struct pvrom_net_buffer *buffer)
{
	enum pvrom_vq_result result;

	if (queue->broken)
		return false;
	pvrom_net_queue_forget(queue);
	result = pvrom_vq_device_pop(&queue->ring, &buffer->request);
	queue->broken = result == PVROM_VQ_BROKEN;
	return result == PVROM_VQ_OK;
}

void pvrom_net_buffer_done(struct pvrom_net_queue *queue, struct pvrom_net_buffer *buffer,
			   uint64_t written)
{
	pvrom_vq_device_complete(&queue->ring, &buffer->request, written);
	queue->unpublished++;
}

/* ---- interrupts: VIRTIO 1.2, 5.1.6.5.8 ------------------------------------------------------------------ */

static struct pvrom_net_coalesce coalescing(const struct pvrom_net_queue *queue)
{
	if (!has(queue->host, PVROM_NET_F_NOTF_COAL) ||
	    queue->number == pvrom_net_control_queue(queue->host))
		return (struct pvrom_net_coalesce){ 0 };
	return queue->number % 2 ? queue->host->driver.transmit : queue->host->driver.receive;
}

/* When an interrupt that is due may be held back until: `now` if it may not. */
static uint64_t hold_until(const struct pvrom_net_queue *queue, uint64_t now)
{
	const struct pvrom_net_coalesce c = coalescing(queue);
	const uint64_t until = queue->since + c.usecs * 1000ull;

	if (queue->unsignalled >= c.packets || until <= now)
		return now;
	return until;
}

bool pvrom_net_queue_publish(struct pvrom_net_queue *queue, uint64_t now, uint64_t *again)
{
	*again = UINT64_MAX;
	settle(queue);
	if (queue->unpublished) {
		if (!queue->unsignalled)
			queue->since = now;
		queue->unsignalled += queue->unpublished;
		queue->unpublished = 0;
		if (pvrom_vq_device_publish(&queue->ring))
			queue->due = true;
		else if (!queue->due)
			queue->unsignalled = 0;
	}
	if (!queue->due)
		return false;
	if (hold_until(queue, now) > now) {
		*again = hold_until(queue, now);
		return false;
	}
	queue->due = false;
	queue->unsignalled = 0;
	return true;
}
