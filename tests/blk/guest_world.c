/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The transport of function calls, and the machine around it. */
#include "guest_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct guest_world *world_of(struct pvrom_virtio *virtio)
{
	return (struct guest_world *)virtio; /* its first member */
}

/* ---- the device's embedder ------------------------------------------------------------------------- */

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	struct guest_world *w = ctx;

	if (gpa.gpa >= GW_MEMORY)
		return NULL;
	if (*len > GW_MEMORY - gpa.gpa)
		*len = GW_MEMORY - gpa.gpa;
	return w->memory + gpa.gpa;
}

static void complete(void *ctx, struct pvrom_blk_request *request, uint64_t written)
{
	(void)ctx;
	pvrom_blk_queue_complete(request, written);
}

static void config_changed(void *ctx)
{
	struct guest_world *w = ctx;

	w->generation++;
	w->changes++;
	w->why |= PVROM_VIRTIO_CHANGED;
}

static const struct pvrom_blk_host_ops host_ops = { complete, config_changed, NULL };
static const struct pvrom_vq_device_ops ring_ops = { .translate = translate };

/* ---- the transport ----------------------------------------------------------------------------------- */

static uint64_t features(struct pvrom_virtio *virtio)
{
	struct guest_world *w = world_of(virtio);

	return pvrom_blk_host_features(&w->host) | w->ring_features | w->offered_too;
}

static void accept(struct pvrom_virtio *virtio, uint64_t chosen)
{
	struct guest_world *w = world_of(virtio);

	if (!pvrom_blk_host_accept(&w->host, chosen & 0xffffff))
		abort();
}

static uint32_t status(struct pvrom_virtio *virtio)
{
	return world_of(virtio)->status;
}

static void set_status(struct pvrom_virtio *virtio, uint32_t value)
{
	struct guest_world *w = world_of(virtio);

	w->status = value;
	if (value)
		return;
	pvrom_blk_host_reset(&w->host);
	memset(w->alive, 0, sizeof(w->alive));
}

static uint32_t queue_max(struct pvrom_virtio *virtio, uint32_t queue)
{
	return queue < GW_QUEUES ? world_of(virtio)->longest : 0;
}

static bool queue_start(struct pvrom_virtio *virtio, uint32_t queue,
			const struct pvrom_virtio_queue *where)
{
	struct guest_world *w = world_of(virtio);
	const struct pvrom_vq_device_config config = { .ops = &ring_ops,
						       .ops_ctx = w,
						       .features = virtio->accepted,
						       .size = where->size,
						       .desc = { where->desc_gpa },
						       .driver = { where->driver_gpa },
						       .device = { where->device_gpa },
						       .slots = w->slots[queue] };

	w->alive[queue] = pvrom_blk_queue_init(&w->device[queue], &w->host, &config, w->pool[queue],
					       GW_LONGEST) == PVROM_VQ_OK;
	return w->alive[queue];
}

static void notify(struct pvrom_virtio *virtio, uint32_t queue, uint32_t data)
{
	struct pvrom_vq_notification n;

	pvrom_vq_notification_decode(virtio->accepted, data, &n);
	if (n.queue != queue)
		abort();
	world_of(virtio)->bells++;
}

static uint32_t interrupt(struct pvrom_virtio *virtio)
{
	uint32_t why = world_of(virtio)->why;

	world_of(virtio)->why = 0;
	return why;
}

static uint32_t generation(struct pvrom_virtio *virtio)
{
	return world_of(virtio)->generation;
}

static void config_read(struct pvrom_virtio *virtio, uint32_t offset, void *to, uint32_t len)
{
	pvrom_blk_host_config_read(&world_of(virtio)->host, offset, to, len);
}

static void config_write(struct pvrom_virtio *virtio, uint32_t offset, const void *from,
			 uint32_t len)
{
	pvrom_blk_host_config_write(&world_of(virtio)->host, offset, from, len);
}

static const struct pvrom_virtio_ops honest = {
	.features = features,
	.accept = accept,
	.status = status,
	.set_status = set_status,
	.queue_max = queue_max,
	.queue_start = queue_start,
	.notify = notify,
	.interrupt = interrupt,
	.generation = generation,
	.config_read = config_read,
	.config_write = config_write,
};

/* ---- life ------------------------------------------------------------------------------------------- */

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void usual(struct pvrom_blk_host_setup *s, struct guest_world *w)
{
	s->ops = &host_ops;
	s->ops_ctx = w;
	s->backend = w->backend;
	s->queues = s->queues ? s->queues : 1;
	s->seg_max = s->seg_max ? s->seg_max : 32;
	memcpy(s->id, "twenty bytes of name", 20);
}

void guest_world_open(struct guest_world *w, const struct pvrom_blk_host_setup *setup,
		      uint64_t ring_features)
{
	struct pvrom_blk_host_setup s = { 0 };
	uint32_t i;

	*w = (struct guest_world){ .ops = honest, .ring_features = ring_features, .longest = 128 };
	w->virtio = (struct pvrom_virtio){ .ops = &w->ops, .id = PVROM_BLK_DEVICE_ID };
	w->ring_features |= PVROM_VQ_F_VERSION_1;
	w->memory = must(calloc(1, GW_MEMORY));
	w->disk = must(pvrom_blk_memory_open(GW_SECTORS));
	w->backend = w->disk;
	for (i = 0; i < GW_QUEUES; i++)
		w->pool[i] = must(calloc(GW_LONGEST, sizeof(*w->pool[i])));
	if (setup)
		s = *setup;
	usual(&s, w);
	if (!pvrom_blk_host_init(&w->host, &s))
		abort();
}

static bool open_queue(struct guest_world *w, uint16_t number)
{
	struct pvrom_virtio_memory m;

	if (!pvrom_blk_guest_memory(&w->blk, number, &m))
		return false;
	m.shared = w->memory + w->free;
	m.shared_gpa = w->free;
	w->free += (m.shared_bytes + 4095) / 4096 * 4096;
	if (w->free > GW_DATA)
		abort();
	free(w->own[number]);
	w->own[number] = m.own = must(malloc(m.own_bytes));
	return pvrom_blk_guest_queue(&w->blk, number, &w->queue[number], &m);
}

enum pvrom_virtio_result guest_world_begin(struct guest_world *w,
					   const struct pvrom_blk_guest_config *settings)
{
	const struct pvrom_blk_guest_config usual_settings = { .queues = GW_QUEUES };
	enum pvrom_virtio_result result =
		pvrom_blk_guest_begin(&w->blk, &w->virtio, settings ? settings : &usual_settings);
	uint16_t i;

	w->free = 0x1000;
	for (i = 0; !result && i < w->blk.queues; i++)
		if (!open_queue(w, i))
			return PVROM_VIRTIO_MALFORMED;
	if (!result)
		pvrom_blk_guest_go(&w->blk);
	return result;
}

void guest_world_run(struct guest_world *w)
{
	uint32_t i;

	for (i = 0; i < GW_QUEUES; i++) {
		if (!w->alive[i])
			continue;
		pvrom_blk_queue_run(&w->device[i], GW_LONGEST);
		pvrom_blk_host_kick(&w->host);
		if (pvrom_blk_queue_publish(&w->device[i]))
			w->interrupts++;
	}
}

void guest_world_close(struct guest_world *w)
{
	uint32_t i;

	for (i = 0; i < GW_QUEUES; i++) {
		free(w->pool[i]);
		free(w->own[i]);
	}
	if (w->backend != w->disk)
		pvrom_blk_backend_close(w->backend);
	pvrom_blk_backend_close(w->disk);
	free(w->memory);
}

/* ---- one request --------------------------------------------------------------------------------------- */

static void note_done(struct pvrom_blk_guest_request *request)
{
	*(uint32_t *)request->context += 1;
}

enum pvrom_blk_guest_result guest_world_do(struct guest_world *w,
					   struct pvrom_blk_guest_request *request)
{
	enum pvrom_blk_guest_result result;
	uint32_t times = 0;
	bool broken = false;

	request->done = note_done;
	/* cppcheck-suppress autoVariables; nobody looks at it after the test */
	request->context = &times;
	result = pvrom_blk_guest_submit(&w->queue[0], request);
	if (result)
		return result;
	pvrom_blk_guest_kick(&w->queue[0]);
	guest_world_run(w);
	pvrom_blk_guest_poll(&w->queue[0], 4, &broken);
	if (broken)
		return PVROM_BLK_GUEST_BROKEN;
	return times == 1 ? request->result : PVROM_BLK_GUEST_STUCK;
}

enum pvrom_blk_guest_result guest_world_one(struct guest_world *w, uint32_t type, uint64_t sector,
					    uint32_t offset, uint32_t len)
{
	const struct pvrom_blk_guest_piece piece = { GW_DATA + offset, w->memory + GW_DATA + offset,
						     len, 0 };
	struct pvrom_blk_guest_request request = {
		.type = type, .sector = sector, .piece = &piece, .pieces = len ? 1 : 0
	};

	return guest_world_do(w, &request);
}
