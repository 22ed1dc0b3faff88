/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * From one process to the next: what a server is, as bytes and descriptors, with the queues at rest.
 */
#define _GNU_SOURCE
#include "vu_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x7265766fu
#define VERSION 1u

struct ring_image {
	struct vu_vring_addr addr;
	uint32_t size, base;
	uint8_t has_addr, has_kick, enabled, broken;
	uint8_t kick, call, error, reserved; /* whether there is a descriptor */
};

struct image {
	uint32_t magic, version;
	uint64_t features, protocol;
	uint32_t status, queues, regions;
	uint8_t owned, connection, backend, log;
	uint64_t log_offset, log_bytes;
	uint64_t inflight_offset, inflight_size;
	uint16_t inflight_queues, inflight_queue_size;
	uint32_t inflight;
	char path[112];
	struct ring_image ring[PVROM_VU_QUEUES_MAX];
	struct vu_region region[PVROM_VU_REGIONS_MAX];
};
_Static_assert(sizeof(struct image) <= PVROM_VU_HANDOVER_BYTES, "room for it");

/* ---- away --------------------------------------------------------------------------------------------- */

static uint8_t put_fd(struct pvrom_vu_handover *h, int fd)
{
	if (fd < 0)
		return 0;
	h->fd[h->fds++] = fd;
	return 1;
}

static void put_ring(struct pvrom_vu_handover *h, struct ring_image *image, const struct vu_ring *r)
{
	*image = (struct ring_image){ .addr = r->addr,
				      .size = r->size,
				      .base = r->base,
				      .has_addr = r->has_addr,
				      .has_kick = r->has_kick,
				      .enabled = r->enabled,
				      .broken = r->broken };
	image->kick = put_fd(h, r->kick);
	image->call = put_fd(h, r->call);
	image->error = put_fd(h, r->error);
}

static void put_shared(const struct pvrom_vu_server *s, struct pvrom_vu_handover *h,
		       struct image *image)
{
	uint32_t i;

	image->regions = s->memory.count;
	for (i = 0; i < s->memory.count; i++) {
		image->region[i] = s->memory.map[i].region;
		put_fd(h, s->memory.map[i].fd);
	}
	if (s->log.bits) {
		image->log = put_fd(h, s->log.fd);
		image->log_offset = s->log.offset;
		image->log_bytes = s->log.bytes;
	}
	if (s->inflight.at) {
		image->inflight = put_fd(h, s->inflight.fd);
		image->inflight_offset = s->inflight.offset;
		image->inflight_size = s->inflight.size;
		image->inflight_queues = s->inflight.queues;
		image->inflight_queue_size = s->inflight.queue_size;
	}
}

static void stop_watching(struct pvrom_vu_server *s)
{
	uint32_t i;

	pvrom_loop_forget(&s->listener);
	if (s->connection_fd >= 0)
		pvrom_loop_forget(&s->connection);
	for (i = 0; i < s->setup.queues; i++) {
		vu_ring_stop(&s->ring[i]);
		if (s->ring[i].kick >= 0)
			pvrom_loop_forget(&s->ring[i].watch);
	}
	pvrom_loop_submit(s->setup.loop);
}

void pvrom_vu_hand_over(struct pvrom_vu_server *s, struct pvrom_vu_handover *h)
{
	struct image image = { .magic = MAGIC,
			       .version = VERSION,
			       .features = s->features,
			       .protocol = s->protocol,
			       .status = s->status,
			       .queues = s->setup.queues,
			       .owned = s->owned };
	uint32_t i;

	stop_watching(s);
	h->fds = 0;
	put_fd(h, s->listen_fd);
	image.connection = put_fd(h, s->connection_fd);
	image.backend = put_fd(h, s->backend_fd);
	put_shared(s, h, &image);
	for (i = 0; i < s->setup.queues; i++)
		put_ring(h, &image.ring[i], &s->ring[i]);
	memcpy(image.path, s->path, sizeof(s->path));
	h->size = sizeof(image);
	memcpy(h->bytes, &image, sizeof(image));
}

void pvrom_vu_leave(struct pvrom_vu_server *s)
{
	uint32_t i;

	for (i = 0; i < s->setup.queues; i++) {
		vu_close_fd(&s->ring[i].kick);
		vu_close_fd(&s->ring[i].call);
		vu_close_fd(&s->ring[i].error);
	}
	vu_memory_clear(&s->memory);
	vu_log_clear(&s->log);
	vu_inflight_clear(&s->inflight);
	vu_close_fd(&s->connection_fd);
	vu_close_fd(&s->backend_fd);
	vu_close_fd(&s->listen_fd);
	free(s);
}

void pvrom_vu_go_on(struct pvrom_vu_server *s)
{
	uint32_t i;

	vu_watch_sockets(s);
	for (i = 0; i < s->setup.queues; i++) {
		struct vu_ring *ring = &s->ring[i];
		int fd = ring->kick;

		ring->kick = -1;
		if (ring->has_kick)
			vu_ring_set_kick(ring, fd);
		vu_ring_start(ring);
	}
}

/* ---- and in ------------------------------------------------------------------------------------------- */

struct reader {
	const struct pvrom_vu_handover *h;
	uint32_t at;
	bool short_of;
};

static int get_fd(struct reader *r, bool there)
{
	if (!there)
		return -1;
	if (r->at == r->h->fds) {
		r->short_of = true;
		return -1;
	}
	return r->h->fd[r->at++];
}

static bool get_shared(struct pvrom_vu_server *s, struct reader *r, const struct image *image)
{
	bool good = image->regions <= PVROM_VU_REGIONS_MAX;
	uint32_t i;

	for (i = 0; good && i < image->regions; i++)
		good = !vu_memory_add(&s->memory, &image->region[i], get_fd(r, true));
	if (good && image->log)
		good = !vu_log_set(&s->log, get_fd(r, true), image->log_offset, image->log_bytes);
	if (good && image->inflight)
		good = !vu_inflight_set(&s->inflight, s->features, get_fd(r, true),
					image->inflight_offset, image->inflight_size,
					image->inflight_queues, image->inflight_queue_size);
	return good;
}

static void get_ring(struct vu_ring *ring, struct reader *r, const struct ring_image *image)
{
	ring->addr = image->addr;
	ring->size = image->size;
	ring->base = image->base;
	ring->has_addr = image->has_addr;
	ring->has_kick = image->has_kick;
	ring->enabled = image->enabled;
	ring->broken = image->broken;
	ring->kick = get_fd(r, image->kick);
	ring->call = get_fd(r, image->call);
	ring->error = get_fd(r, image->error);
	ring->polled = ring->has_kick && ring->kick < 0;
}

static bool fill(struct pvrom_vu_server *s, struct reader *r, const struct image *image)
{
	const uint64_t own = VU_F_PROTOCOL_FEATURES | VU_F_LOG_ALL;
	uint32_t i;

	s->features = image->features;
	s->protocol = image->protocol;
	s->status = image->status;
	s->owned = image->owned;
	memcpy(s->path, image->path, sizeof(s->path));
	s->listen_fd = get_fd(r, true);
	s->connection_fd = get_fd(r, image->connection);
	s->backend_fd = get_fd(r, image->backend);
	if (!get_shared(s, r, image))
		return false;
	for (i = 0; i < s->setup.queues; i++)
		get_ring(&s->ring[i], r, &image->ring[i]);
	return !r->short_of && !(s->features & ~vu_offered_features(s)) &&
	       s->setup.ops->accept(s->setup.ctx, s->features & ~own);
}

struct pvrom_vu_server *pvrom_vu_take_over(const struct pvrom_vu_setup *setup,
					   const struct pvrom_vu_handover *h, char *message)
{
	struct pvrom_vu_server *s = vu_new(setup);
	struct reader reader = { .h = h };
	struct image image;
	uint32_t i;

	memcpy(&image, h->bytes, sizeof(image));
	image.path[sizeof(s->path) - 1] = 0;
	if (s && h->size == sizeof(image) && image.magic == MAGIC && image.version == VERSION &&
	    image.queues == setup->queues && fill(s, &reader, &image))
		return s;
	snprintf(message, PVROM_VU_MESSAGE, "what the other server handed over cannot be taken up");
	for (i = reader.at; i < h->fds; i++) {
		int fd = h->fd[i];

		vu_close_fd(&fd);
	}
	if (s)
		pvrom_vu_leave(s);
	return NULL;
}
