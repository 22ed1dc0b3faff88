/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The machine around a block device. */
#include "blk_world.h"

#include <stdlib.h>
#include <string.h>

#define RING_DESC 0x1000u
#define RING_DRIVER 0x3000u
#define RING_DEVICE 0x5000u

uint32_t world_length;

void *world_at(struct world *w, uint64_t gpa)
{
	return w->memory + gpa;
}

/* ---- what the device asks of its embedder ------------------------------------------------------------ */

/* Contiguous in the array, but said to end at the border: pieces are split there. */
static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	struct world *w = ctx;
	const uint64_t end = gpa.gpa < WORLD_BORDER ? WORLD_BORDER : WORLD_MEMORY;

	if (gpa.gpa >= end)
		return NULL;
	if (*len > end - gpa.gpa)
		*len = end - gpa.gpa;
	return w->memory + gpa.gpa;
}

static void dirty(void *ctx, struct pvrom_gpa gpa, uint64_t len)
{
	struct world *w = ctx;
	uint64_t page;

	for (page = gpa.gpa / 4096; len && page <= (gpa.gpa + len - 1) / 4096; page++)
		w->dirty[page / 64] |= 1ull << page % 64;
}

static void complete(void *ctx, struct pvrom_blk_request *request, uint64_t written)
{
	struct world *w = ctx;

	w->cancelled += request->cancelled;
	pvrom_blk_queue_complete(request, written);
}

static void config_changed(void *ctx)
{
	((struct world *)ctx)->changes++;
}

static uint64_t now(void *ctx)
{
	return ((struct world *)ctx)->time;
}

static const struct pvrom_blk_host_ops ops = { complete, config_changed, now };
static const struct pvrom_vq_device_ops ring_ops = { .translate = translate, .dirty = dirty };

/* ---- the disk ---------------------------------------------------------------------------------------- */

static struct world *world_of(struct pvrom_blk_backend *backend)
{
	return (struct world *)(void *)((char *)backend - offsetof(struct world, backend));
}

static void transfer(struct world *w, const struct pvrom_blk_io *io)
{
	uint8_t *at = w->disk + io->offset;
	uint32_t i;

	for (i = 0; i < io->vecs; at += io->vec[i++].len)
		if (io->op == PVROM_BLK_IO_READ)
			memcpy(io->vec[i].base, at, io->vec[i].len);
		else
			memcpy(at, io->vec[i].base, io->vec[i].len);
}

/* A test that takes out a check gets here with what must never come here: it is remembered, not done. */
static void finish(struct world *w, struct pvrom_blk_io *io, uint32_t result)
{
	const bool inside =
		io->offset <= sizeof(w->disk) && io->length <= sizeof(w->disk) - io->offset;

	if (result == PVROM_BLK_DONE && inside && io->op <= PVROM_BLK_IO_WRITE)
		transfer(w, io);
	else if (result == PVROM_BLK_DONE && inside && io->op != PVROM_BLK_IO_FLUSH)
		memset(w->disk + io->offset, 0, io->length);
	pvrom_blk_io_done(io, result);
}

static void submit(struct pvrom_blk_backend *backend, struct pvrom_blk_io *io)
{
	struct world *w = world_of(backend);

	if (w->asked_count < sizeof(w->asked) / sizeof(w->asked[0]))
		w->asked[w->asked_count++] =
			(struct asked){ io->op, io->flags, io->offset, io->length, io->vecs };
	if (w->hold && w->held_count < WORLD_HELD)
		w->held[w->held_count++] = io;
	else
		finish(w, io, w->fail_with);
}

static const struct pvrom_blk_backend_ops disk_ops = { .submit = submit };

bool world_go(struct world *w, uint32_t which, uint32_t result)
{
	struct pvrom_blk_io *io;

	if (which >= w->held_count)
		return false;
	io = w->held[which];
	for (; which + 1 < w->held_count; which++)
		w->held[which] = w->held[which + 1];
	w->held_count--;
	finish(w, io, result);
	return true;
}

/* ---- set-up ------------------------------------------------------------------------------------------ */

static void usual(struct pvrom_blk_host_setup *s, struct world *w)
{
	s->ops = &ops;
	s->ops_ctx = w;
	if (!s->backend)
		s->backend = &w->backend;
	if (!s->queues)
		s->queues = 1;
	if (!s->seg_max)
		s->seg_max = 32;
	if (!s->id[0])
		memcpy(s->id, "twenty bytes of name", 20);
}

static bool open_rings(struct world *w)
{
	const struct pvrom_vq_driver_config driver = { .features = w->ring_features,
						       .size = WORLD_QUEUE,
						       .desc = w->memory + RING_DESC,
						       .driver = w->memory + RING_DRIVER,
						       .device = w->memory + RING_DEVICE,
						       .slots = w->driver_slots };
	const struct pvrom_vq_device_config device = { .ops = &ring_ops,
						       .ops_ctx = w,
						       .features = w->ring_features,
						       .size = WORLD_QUEUE,
						       .desc = { RING_DESC },
						       .driver = { RING_DRIVER },
						       .device = { RING_DEVICE },
						       .slots = w->slots };

	return pvrom_vq_driver_init(&w->driver, &driver) == PVROM_VQ_OK &&
	       pvrom_blk_queue_init(&w->queue, &w->host, &device, w->pool, WORLD_QUEUE) ==
		       PVROM_VQ_OK;
}

struct world *world_open(const struct pvrom_blk_host_setup *setup, uint64_t ring_features,
			 uint64_t accept)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->memory = calloc(1, WORLD_MEMORY);
	w->backend = (struct pvrom_blk_backend){ &disk_ops, WORLD_SECTORS, 0x3f, 512, 4096, true };
	if (setup)
		w->setup = *setup;
	usual(&w->setup, w);
	if (setup && setup->limit)
		w->setup.limit = setup->limit;
	w->ring_features = ring_features | PVROM_VQ_F_VERSION_1;
	if (w->memory && pvrom_blk_host_init(&w->host, &w->setup) &&
	    pvrom_blk_host_accept(&w->host, accept) && open_rings(w))
		return w;
	world_close(w);
	return NULL;
}

void world_close(struct world *w)
{
	free(w->memory);
	free(w);
}

/* ---- requests ---------------------------------------------------------------------------------------- */

bool world_put(struct world *w, const struct piece *piece, uint32_t readable, uint32_t writable,
	       void *token)
{
	struct pvrom_vq_buf buf[WORLD_QUEUE];
	uint32_t i;

	for (i = 0; i < readable + writable; i++)
		buf[i] = (struct pvrom_vq_buf){ piece[i].gpa, piece[i].len, 0 };
	if (pvrom_vq_driver_add(&w->driver, buf, readable, writable, token) != PVROM_VQ_OK)
		return false;
	pvrom_vq_driver_publish(&w->driver);
	return true;
}

void world_run(struct world *w)
{
	while (pvrom_blk_queue_run(&w->queue, 16))
		;
	pvrom_blk_host_kick(&w->host);
	w->interrupts += pvrom_blk_queue_publish(&w->queue);
}

bool world_get(struct world *w, struct pvrom_vq_done *done)
{
	return pvrom_vq_driver_get(&w->driver, done) == PVROM_VQ_OK;
}

static int outcome(struct world *w)
{
	struct pvrom_vq_done done;

	world_run(w);
	if (!world_get(w, &done))
		return -1;
	world_length = done.len;
	return w->memory[WORLD_STATUS] == 0xff ? 0x100 : w->memory[WORLD_STATUS];
}

static struct pvrom_blk_header *header_of(struct world *w)
{
	return (struct pvrom_blk_header *)(void *)(w->memory + WORLD_HEADER);
}

int world_request(struct world *w, uint32_t type, uint64_t sector, uint32_t length)
{
	const bool in = type == PVROM_BLK_T_IN || type == PVROM_BLK_T_GET_ID;
	struct piece piece[3] = { { WORLD_HEADER, 16 },
				  { WORLD_DATA, length },
				  { WORLD_STATUS, 1 } };

	if (!length)
		piece[1] = piece[2];
	*header_of(w) = (struct pvrom_blk_header){ type, 0, sector };
	w->memory[WORLD_STATUS] = 0xff;
	if (!world_put(w, piece, length && !in ? 2 : 1, length && in ? 2 : 1, w))
		return -2;
	return outcome(w);
}

int world_ranges(struct world *w, uint32_t type, const struct pvrom_blk_range *range,
		 uint32_t count)
{
	memcpy(w->memory + WORLD_DATA, range, count * sizeof(*range));
	return world_request(w, type, 0, count * (uint32_t)sizeof(*range));
}
