/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The transport between our network driver and a vhost-user server. */
#define _GNU_SOURCE
#include "net_front.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct net_front *front_of(struct pvrom_virtio *dev)
{
	return (struct net_front *)(void *)dev;
}

/* ---- the transport ---------------------------------------------------------------------------------------- */

static uint64_t features(struct pvrom_virtio *dev)
{
	return front_of(dev)->client.offered & front_of(dev)->client.features;
}

static void take_features(struct pvrom_virtio *dev, uint64_t chosen)
{
	struct vu_client *c = &front_of(dev)->client;

	c->accepted = chosen | (c->offered & VU_F_PROTOCOL_FEATURES);
	if (vu_client_ack(c, VU_SET_FEATURES, &c->accepted, 8, NULL, 0))
		errx(1, "the server refuses its features");
}

static uint32_t status(struct pvrom_virtio *dev)
{
	return front_of(dev)->status;
}

static void set_status(struct pvrom_virtio *dev, uint32_t value)
{
	front_of(dev)->status = value;
}

static uint32_t queue_max(struct pvrom_virtio *dev, uint32_t queue)
{
	(void)dev;
	return queue < 2 ? NET_FRONT_SIZE : 0;
}

static bool queue_start(struct pvrom_virtio *dev, uint32_t queue,
			const struct pvrom_virtio_queue *where)
{
	const bool packed = dev->accepted & PVROM_VQ_F_RING_PACKED;
	struct vu_client *c = &front_of(dev)->client;
	struct vu_client_queue *q = &c->queue[queue];

	q->desc = c->memory + (where->desc_gpa - VU_CLIENT_GPA);
	q->driver = c->memory + (where->driver_gpa - VU_CLIENT_GPA);
	q->device = c->memory + (where->device_gpa - VU_CLIENT_GPA);
	c->size = where->size;
	/* Packed: both positions 0, both wrap counters 1. */
	return vu_client_start(c, queue, packed ? 0x80008000u : 0);
}

static void notify(struct pvrom_virtio *dev, uint32_t queue, uint32_t data)
{
	const uint64_t one = 1;

	(void)data;
	front_of(dev)->bells++;
	if (write(front_of(dev)->client.queue[queue].kick, &one, sizeof(one)) != sizeof(one))
		err(1, "kick");
}

static uint32_t generation(struct pvrom_virtio *dev)
{
	(void)dev;
	return 0;
}

static void config_read(struct pvrom_virtio *dev, uint32_t offset, void *to, uint32_t len)
{
	(void)dev;
	(void)offset;
	memset(to, 0, len);
}

static const struct pvrom_virtio_ops ops = { .features = features,
					     .accept = take_features,
					     .status = status,
					     .set_status = set_status,
					     .queue_max = queue_max,
					     .queue_start = queue_start,
					     .notify = notify,
					     .generation = generation,
					     .config_read = config_read };

/* ---- set-up ------------------------------------------------------------------------------------------------ */

static void open_queue(struct net_front *f, uint16_t number, struct pvrom_net_guest_queue *queue)
{
	struct pvrom_virtio_memory m;

	if (!pvrom_net_guest_memory(&f->net, number, &m))
		errx(1, "no queue %u", number);
	m.shared = vu_client_alloc(&f->client, m.shared_bytes, 4096);
	m.own = calloc(1, m.own_bytes);
	if (!m.shared || !m.own)
		errx(1, "no memory");
	m.shared_gpa = vu_client_gpa(&f->client, m.shared);
	if (!pvrom_net_guest_queue(&f->net, number, queue, &m))
		errx(1, "the server refuses queue %u", number);
	pvrom_net_guest_interrupts(queue, 0);
}

static void give_buffers(struct net_front *f, uint8_t *memory)
{
	uint32_t i;

	for (i = 0; i < NET_FRONT_BUFFERS; i++) {
		struct pvrom_net_guest_buffer *b = &f->buffer[i];

		b->at = memory + (size_t)i * NET_FRONT_ROOM;
		b->gpa = vu_client_gpa(&f->client, b->at);
		b->len = NET_FRONT_ROOM;
		pvrom_net_guest_give(&f->receive, b);
	}
	pvrom_net_guest_kick(&f->receive);
}

void net_front_open(struct net_front *f, const char *path, uint64_t wanted, uint32_t bytes,
		    const struct pvrom_net_guest_config *settings, int seconds)
{
	const uint32_t buffers = NET_FRONT_BUFFERS * NET_FRONT_ROOM;
	enum pvrom_virtio_result result;
	uint8_t *memory;

	f->client = (struct vu_client){ .path = path,
					.features = wanted,
					.protocol = VU_PROTOCOL_REPLY_ACK,
					.queues = 2,
					.size = NET_FRONT_SIZE,
					.depth = 1,
					.data_bytes = bytes > buffers ? bytes : buffers };
	f->virtio = (struct pvrom_virtio){ .ops = &ops, .id = PVROM_NET_DEVICE_ID };
	if (!vu_client_open(&f->client))
		err(1, "no memory");
	memory = f->client.queue[0].request[0].data;
	f->packets = f->client.queue[1].request[0].data;
	f->client.queues = 0; /* the driver brings its own rings */
	if (!vu_client_connect(&f->client, seconds * 1000))
		errx(1, "%s: %s", path, f->client.what);
	result = pvrom_net_guest_begin(&f->net, &f->virtio, settings);
	if (result)
		errx(1, "%s", pvrom_virtio_result_text(result));
	open_queue(f, 0, &f->receive);
	open_queue(f, 1, &f->transmit);
	give_buffers(f, memory);
	pvrom_net_guest_go(&f->net);
}
