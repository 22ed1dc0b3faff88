/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A hostile device's hands; see hostile_device.h.
 */
#include <string.h>

#include "hostile_device.h"

static uint32_t next, got;
static uint8_t back[1u << 17];
static uint16_t position;
static bool wrap;

static bool is_packed(void)
{
	return world.device_config.features & PVROM_VQ_F_RING_PACKED;
}

void dv_begin(uint64_t features, uint32_t size)
{
	ring_world_init(&world, features, size, false);
	next = got = 0;
	memset(back, 0, sizeof(back));
	position = 0;
	wrap = true;
}

uint32_t dv_add(uint32_t readable, uint32_t writable)
{
	EXPECT(ring_add(&world, next, readable, writable, 1) == PVROM_VQ_OK);
	return next++;
}

uint32_t dv_send(uint32_t readable, uint32_t writable)
{
	uint32_t n = dv_add(readable, writable);

	pvrom_vq_driver_publish(&world.driver);
	return n;
}

uint16_t *dv_index(void)
{
	return &((struct pvrom_vq_used *)ring_at(&world, RING_DEVICE))->idx;
}

void dv_used_flags(uint32_t id, uint32_t len, uint32_t count, uint32_t flags)
{
	struct pvrom_vq_packed_desc *desc = ring_at(&world, RING_DESC);
	struct pvrom_vq_used *used = ring_at(&world, RING_DEVICE);

	if (!is_packed()) {
		used->ring[used->idx & (world.device_config.size - 1)] =
			(struct pvrom_vq_used_elem){ id, len };
		used->idx++;
		return;
	}
	flags |= wrap ? PVROM_VQ_DESC_AVAIL | PVROM_VQ_DESC_USED : 0;
	desc[position].id = (uint16_t)id;
	desc[position].len = len;
	desc[position].flags = (uint16_t)flags;
	position = (uint16_t)(position + count);
	if (position >= world.device_config.size) {
		position = (uint16_t)(position - world.device_config.size);
		wrap = !wrap;
	}
}

void dv_used(uint32_t id, uint32_t len, uint32_t count)
{
	dv_used_flags(id, len, count, len ? WRITE : 0);
}

static void note(uint32_t n)
{
	EXPECT(n < next && !back[n]);
	back[n] = 1;
	got++;
}

void dv_get(uint32_t n, uint32_t len, bool overlong)
{
	struct pvrom_vq_done done;

	EXPECT(pvrom_vq_driver_get(&world.driver, &done) == PVROM_VQ_OK);
	EXPECT(ring_number(done.token) == n && done.len == len && done.overlong == overlong);
	note(n);
}

void dv_turns(uint32_t count)
{
	while (count--) {
		uint32_t n = dv_send(0, 1);

		/* The id is the driver's choice: the device reads it. */
		if (is_packed()) {
			struct pvrom_vq_packed_desc *desc = ring_at(&world, RING_DESC);

			dv_used(desc[position].id, 1, 1);
		} else {
			struct pvrom_vq_avail *avail = ring_at(&world, RING_DRIVER);

			dv_used(avail->ring[n & (world.device_config.size - 1)], 1, 1);
		}
		dv_get(n, 1, false);
	}
}

void dv_broken(enum pvrom_vq_reason reason)
{
	struct pvrom_vq_buf buf = { .addr = DATA, .len = 1 };
	struct pvrom_vq_done done;
	void *token;

	EXPECT(pvrom_vq_driver_pending(&world.driver)); /* nobody waits for it in vain */
	EXPECT(pvrom_vq_driver_get(&world.driver, &done) == PVROM_VQ_BROKEN);
	EXPECT(world.driver.reason == reason);
	EXPECT(pvrom_vq_driver_get(&world.driver, &done) == PVROM_VQ_BROKEN);
	EXPECT(pvrom_vq_driver_add(&world.driver, &buf, 1, 0, &token) == PVROM_VQ_BROKEN);
	EXPECT(!pvrom_vq_driver_publish(&world.driver));
	while (pvrom_vq_driver_detach(&world.driver, &token) == PVROM_VQ_OK)
		note(ring_number(token));
	EXPECT(got == next);
	dv_begin(world.device_config.features, world.device_config.size);
	dv_turns(3);
}

void dv_length_case(uint64_t features, uint32_t size, uint32_t readable, uint32_t writable,
		    uint32_t len)
{
	dv_begin(features, size);
	dv_send(readable, writable);
	dv_used(0, len, readable + writable);
	dv_get(0, writable, true);
}
