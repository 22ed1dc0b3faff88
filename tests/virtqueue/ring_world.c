/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * See ring_world.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ring_world.h"

#define RING_BYTES (RING_END - RING_BASE + RING_GAP)

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	struct ring_world *world = ctx;

	world->translated++;
	world->violations += !*len || *len > UINT64_MAX - gpa.gpa;
	if (world->on_translate)
		world->on_translate(world);
	if (gpa.gpa < RING_BASE || gpa.gpa >= RING_END)
		return NULL;
	if (gpa.gpa < world->seam) {
		if (*len > world->seam - gpa.gpa)
			*len = world->seam - gpa.gpa;
		return world->memory + (gpa.gpa - RING_BASE);
	}
	if (*len > RING_END - gpa.gpa)
		*len = RING_END - gpa.gpa;
	return world->memory + RING_GAP + (gpa.gpa - RING_BASE);
}

static void dirty(void *ctx, struct pvrom_gpa gpa, uint64_t len)
{
	struct ring_world *world = ctx;

	world->dirty_calls++;
	world->dirty_gpa = gpa.gpa;
	world->dirty_len = len;
}

static void step(void *ctx, enum pvrom_vq_step number)
{
	struct ring_world *world = ctx;

	world->steps[number]++;
	if (world->step)
		world->step(world, number);
}

static const struct pvrom_vq_device_ops ops = { .translate = translate,
						.dirty = dirty,
						.step = step };

/* Exactly so many bytes, so that a sanitizer sees the first one behind. */
static void *get(size_t bytes)
{
	void *memory = calloc(1, bytes);

	if (!memory) {
		perror("ring_world");
		exit(2);
	}
	return memory;
}

/* Guest memory begins on a page. */
static uint8_t *get_pages(size_t bytes)
{
	void *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("ring_world");
		exit(2);
	}
	return memory;
}

void *ring_at(struct ring_world *world, uint64_t gpa)
{
	uint64_t len = 1;

	return translate(world, (struct pvrom_gpa){ gpa }, &len);
}

static void setup_driver(struct ring_world *world, uint64_t features, uint32_t size)
{
	struct pvrom_vq_driver_config config = { .features = features,
						 .size = size,
						 .queue = 3,
						 .desc = ring_at(world, RING_DESC),
						 .driver = ring_at(world, RING_DRIVER),
						 .device = ring_at(world, RING_DEVICE),
						 .slots = world->driver_slots };

	if (features & PVROM_VQ_F_INDIRECT_DESC) {
		config.tables = ring_at(world, RING_TABLES);
		config.tables_addr = RING_TABLES;
		config.each = size <= 4096 ? RING_EACH : 0;
	}
	if (pvrom_vq_driver_init(&world->driver, &config)) {
		fprintf(stderr, "ring_world: the driver refuses\n");
		exit(2);
	}
}

uint64_t ring_some_features(uint8_t what)
{
	return F_SPLIT | (what & 1 ? PVROM_VQ_F_RING_PACKED : 0) |
	       (what & 2 ? PVROM_VQ_F_INDIRECT_DESC : 0) | (what & 4 ? PVROM_VQ_F_EVENT_IDX : 0) |
	       (what & 8 ? PVROM_VQ_F_IN_ORDER : 0);
}

void ring_world_init(struct ring_world *world, uint64_t features, uint32_t size, bool record)
{
	if (!world->memory)
		world->memory = get_pages(RING_BYTES);
	free(world->driver_slots);
	free(world->device_slots);
	free(world->record);
	world->driver_slots = get(size * sizeof(*world->driver_slots));
	world->device_slots = get(size * sizeof(*world->device_slots));
	world->record = record ? get(pvrom_vq_inflight_bytes(features, size)) : NULL;
	world->seam = RING_SEAM;
	setup_driver(world, features, size);
	world->device_config = (struct pvrom_vq_device_config){ .ops = &ops,
								.ops_ctx = world,
								.features = features,
								.size = size,
								.desc = { RING_DESC },
								.driver = { RING_DRIVER },
								.device = { RING_DEVICE },
								.slots = world->device_slots,
								.inflight = world->record };
	if (ring_world_restart(world)) {
		fprintf(stderr, "ring_world: the device refuses\n");
		exit(2);
	}
}

enum pvrom_vq_result ring_world_restart(struct ring_world *world)
{
	enum pvrom_vq_result result = pvrom_vq_device_init(&world->device, &world->device_config);

	return result ? result : pvrom_vq_device_resume(&world->device);
}

void ring_world_free(struct ring_world *world)
{
	munmap(world->memory, RING_BYTES);
	free(world->driver_slots);
	free(world->device_slots);
	free(world->record);
	memset(world, 0, sizeof(*world));
}

void *ring_token(uint32_t n)
{
	return (void *)(uintptr_t)(n + 1);
}

uint32_t ring_number(const void *token)
{
	return (uint32_t)((uintptr_t)token - 1);
}

enum pvrom_vq_result ring_add(struct ring_world *world, uint32_t n, uint32_t readable,
			      uint32_t writable, uint32_t len)
{
	struct pvrom_vq_buf bufs[256];
	uint32_t i;

	for (i = 0; i < readable + writable; i++)
		bufs[i] = (struct pvrom_vq_buf){ .addr = RING_DATA + 64ull * (n & 0xffff) + i,
						 .len = len };
	return pvrom_vq_driver_add(&world->driver, bufs, readable, writable, ring_token(n));
}
