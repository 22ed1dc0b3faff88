/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The life of a queue: it starts when size, addresses and kick are there, and stops when its base is asked for.
 */
#define _GNU_SOURCE
#include "vu_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef PVROM_TEST
void (*pvrom_vu_step)(const char *name);

static void report(void *ctx, enum pvrom_vq_step which)
{
	static const char *const name[] = {
#define NAME(name, number, formats, text) [number] = #name,
		PVROM_VQ_STEP_TABLE(NAME)
#undef NAME
	};

	(void)ctx;
	if (pvrom_vu_step)
		pvrom_vu_step(name[which]);
}
#define REPORT report
#else
#define REPORT NULL
#endif

/* A kick or call descriptor is written and polled by us: a file that would block, or never end, is not one. */
bool vu_is_eventfd(int fd)
{
	char path[64], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = 0;
	return !strcmp(target, "anon_inode:[eventfd]");
}

void vu_ring_init(struct pvrom_vu_server *server, uint32_t index)
{
	struct vu_ring *ring = &server->ring[index];

	*ring = (struct vu_ring){
		.server = server, .index = index, .kick = -1, .call = -1, .error = -1
	};
}

bool vu_ring_is_enabled(const struct vu_ring *ring)
{
	/* Without protocol features there is no message to enable a ring with. */
	return ring->enabled || !(ring->server->features & VU_F_PROTOCOL_FEATURES);
}

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	struct vu_ring *ring = ctx;

	return vu_memory_at(&ring->server->memory, gpa.gpa, len);
}

/* The used ring has an address of its own in the log, for it may lie in memory under several. */
static void dirty(void *ctx, struct pvrom_gpa gpa, uint64_t len)
{
	const struct vu_ring *ring = ctx;
	const uint64_t offset = gpa.gpa - ring->device_gpa;
	uint64_t at = gpa.gpa;

	if (gpa.gpa >= ring->device_gpa && offset < ring->device_bytes) {
		if (!(ring->addr.flags & VU_VRING_LOG) || VU_SLIP(LOG_RING))
			return;
		at = ring->addr.log + offset;
	}
	vu_log_mark(&ring->server->log, at, len);
}

static bool find_areas(struct vu_ring *ring, struct pvrom_vq_device_config *config)
{
	const struct vu_memory *memory = &ring->server->memory;
	struct pvrom_vq_layout layout;

	if (!vu_memory_gpa(memory, ring->addr.desc, &config->desc.gpa) ||
	    !vu_memory_gpa(memory, ring->addr.avail, &config->driver.gpa) ||
	    !vu_memory_gpa(memory, ring->addr.used, &config->device.gpa) ||
	    !pvrom_vq_layout(ring->server->features, ring->size, &layout))
		return false;
	ring->device_gpa = config->device.gpa;
	ring->device_bytes = layout.device_bytes;
	return true;
}

static bool set_position(struct vu_ring *ring, bool record)
{
	if (record)
		return pvrom_vq_device_set_base(ring->vq, ring->base) == PVROM_VQ_OK &&
		       pvrom_vq_device_resume(ring->vq) == PVROM_VQ_OK;
	if (pvrom_vq_device_set_base(ring->vq, ring->base) != PVROM_VQ_OK)
		return false;
	/* QEMU (7.2) says of a packed ring whose server has died that it stands at its beginning. */
	if (ring->server->setup.seek && !VU_SLIP(SEEK))
		pvrom_vq_device_seek(ring->vq);
	return true;
}

static bool start(struct vu_ring *ring)
{
	static const struct pvrom_vq_device_ops ops = { .translate = translate,
							.dirty = dirty,
							.step = REPORT };
	struct pvrom_vu_server *server = ring->server;
	struct pvrom_vq_device_config config = {
		.ops = &ops, .ops_ctx = ring, .features = server->features, .size = ring->size
	};

	if (!find_areas(ring, &config))
		return false;
	if (VU_SLIP(IN_ORDER))
		config.features &= ~PVROM_VQ_F_IN_ORDER;
	config.inflight =
		vu_inflight_queue(&server->inflight, server->features, ring->index, ring->size);
	ring->vq = server->setup.ops->queue_start(server->setup.ctx, ring->index, &config);
	if (!ring->vq)
		return false;
	if (!VU_SLIP(LOG_RESUMED))
		pvrom_vq_device_log(ring->vq, server->features & VU_F_LOG_ALL);
	if (!set_position(ring, config.inflight != NULL)) {
		server->setup.ops->queue_stop(server->setup.ctx, ring->index);
		ring->vq = NULL;
		return false;
	}
	pvrom_vq_device_log(ring->vq, server->features & VU_F_LOG_ALL);
	server->setup.ops->queue_ready(server->setup.ctx, ring->index);
	return true;
}

bool vu_ring_start(struct vu_ring *ring)
{
	if (ring->vq || !ring->size || !ring->has_addr || !ring->has_kick || ring->broken)
		return true;
	if (start(ring))
		return true;
	vu_say(ring->server, "queue %u cannot start: %s", ring->index,
	       ring->server->features & PVROM_VQ_F_VERSION_1
		       ? "its size, addresses or position make no sense"
		       : "the driver is one for legacy devices");
	ring->broken = true;
	return false;
}

/* The record is of no more use: a driver that comes back may begin with other rings. */
void vu_ring_stop(struct vu_ring *ring)
{
	struct pvrom_vu_server *server = ring->server;
	void *record;

	if (!ring->vq)
		return;
	server->setup.ops->queue_stop(server->setup.ctx, ring->index);
	ring->base = pvrom_vq_device_base(ring->vq);
	record = vu_inflight_queue(&server->inflight, server->features, ring->index, ring->size);
	if (record && !pvrom_vq_device_in_flight(ring->vq))
		memset(record, 0, pvrom_vq_inflight_bytes(server->features, ring->size));
	ring->vq = NULL;
}

bool vu_ring_remap(struct vu_ring *ring)
{
	struct pvrom_vq_device_config areas;

	if (!ring->vq)
		return true;
	if (find_areas(ring, &areas) && areas.desc.gpa == ring->vq->config.desc.gpa &&
	    areas.driver.gpa == ring->vq->config.driver.gpa &&
	    areas.device.gpa == ring->vq->config.device.gpa &&
	    pvrom_vq_device_map(ring->vq) == PVROM_VQ_OK)
		return true;
	vu_ring_stop(ring);
	return false;
}

static void ready(struct pvrom_loop_watch *watch)
{
	struct vu_ring *ring =
		(struct vu_ring *)(void *)((char *)watch - offsetof(struct vu_ring, watch));

	if (ring->vq)
		ring->server->setup.ops->kicked(ring->server->setup.ctx, ring->index);
}

void vu_ring_set_kick(struct vu_ring *ring, int fd)
{
	if (ring->kick >= 0)
		pvrom_loop_forget(&ring->watch);
	vu_close_fd(&ring->kick);
	ring->kick = fd;
	ring->has_kick = true;
	ring->polled = fd < 0;
	if (fd >= 0)
		pvrom_loop_watch_fd(ring->server->setup.loop, &ring->watch, fd, ready);
}

void vu_ring_clear(struct vu_ring *ring)
{
	vu_ring_stop(ring);
	if (ring->kick >= 0)
		pvrom_loop_forget(&ring->watch);
	/* Interrupts that were prepared go out before their descriptor is closed. */
	pvrom_loop_submit(ring->server->setup.loop);
	vu_close_fd(&ring->kick);
	vu_close_fd(&ring->call);
	vu_close_fd(&ring->error);
	vu_ring_init(ring->server, ring->index);
}
