/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Both halves of a queue against each other (ring_run.h): every combination of features, sizes from 1 to 32,768, out of
 * order and in order, wraps, small buffers in bursts, reset; and a few rings by hand.
 */
#include "../cunit_tap.h"
#include "ring_run.h"

/* [PVROM-VQ-1] [PVROM-VQ-2] [PVROM-VQ-3] */
static void all_features(void)
{
	uint32_t n, record;

	for (n = 0; n < COMBINATIONS; n++) {
		for (record = 0; record < 2; record++) {
			seed = n * 2 + record;
			begin(combination(n), 8, record);
			go(3000);
			/* Or nothing was tested that hangs on notifications. */
			CU_ASSERT(run.asleep_device > 3);
			CU_ASSERT(run.asleep_driver > 10);
			CU_ASSERT(record || run.put_back > 100);
			CU_ASSERT(record ? !run.in_bursts : run.in_bursts > 5);
		}
	}
}

/* Most of them are done in bursts then, some by pop between them. */
static void small_buffers(void)
{
	uint32_t n;

	for (n = 0; n < COMBINATIONS; n++) {
		seed = n;
		begin(combination(n), n & 1 ? 8 : 32, false);
		run.plain = true;
		go(3000);
		CU_ASSERT(run.in_bursts > 100);
	}
}

/* Sizes that split allows, and those that only packed does. */
static void all_sizes(void)
{
	static const uint32_t sizes[] = { 1, 2, 4, 256, 1024, 32768, 3, 5, 7, 100, 32767 };
	uint32_t i, n;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (n = 0; n < 8; n++) {
			uint64_t features = combination(n & 3) | (n & 4 ? PVROM_VQ_F_IN_ORDER : 0) |
					    PVROM_VQ_F_EVENT_IDX;

			if (i >= 6 && !(n & 1))
				continue;
			seed = i * 8 + n;
			begin(features, sizes[i], false);
			/* Without tables, size 1 takes single pieces only. */
			if (sizes[i] < 3 && !(features & PVROM_VQ_F_INDIRECT_DESC)) {
				driver_adds();
				continue;
			}
			go(sizes[i] > 1024 ? 70000 : 3000);
		}
	}
}

/* The 16-bit indices go round several times. */
static void indices_wrap(void)
{
	static const uint64_t features[] = { F_SPLIT | PVROM_VQ_F_EVENT_IDX,
					     F_SPLIT | PVROM_VQ_F_EVENT_IDX | PVROM_VQ_F_IN_ORDER,
					     F_PACKED | PVROM_VQ_F_EVENT_IDX, F_SPLIT };
	uint32_t i;

	for (i = 0; i < 4; i++) {
		seed = i;
		begin(features[i], 16, i & 1);
		go(200000);
	}
}

/* In order, each buffer that was written has an entry of its own, even if it was written to its end. */
static void written_ones_are_told_each(void)
{
	const uint16_t used = PVROM_VQ_DESC_AVAIL | PVROM_VQ_DESC_USED;
	const struct pvrom_vq_packed_desc *d;
	struct pvrom_vq_plain plain[2];
	uint32_t n;

	for (n = 0; n < 2; n++) {
		begin(F_PACKED | PVROM_VQ_F_IN_ORDER, 8, false);
		ring_add(&world, 0, 0, 1, 16);
		ring_add(&world, 1, 0, 1, 16);
		pvrom_vq_driver_publish(&world.driver);
		if (n) {
			CU_ASSERT_EQUAL(pvrom_vq_device_burst(&world.device, plain, 2), 2);
			plain[0].written = plain[1].written = 16;
			pvrom_vq_device_burst_done(&world.device, plain, 2);
		} else {
			struct pvrom_vq_request a = request(), b = request();

			CU_ASSERT_EQUAL(pvrom_vq_device_pop(&world.device, &a), PVROM_VQ_OK);
			CU_ASSERT_EQUAL(pvrom_vq_device_pop(&world.device, &b), PVROM_VQ_OK);
			pvrom_vq_device_complete(&world.device, &a, 16);
			pvrom_vq_device_complete(&world.device, &b, 16);
		}
		pvrom_vq_device_publish(&world.device);
		d = ring_at(&world, RING_DESC);
		CU_ASSERT_EQUAL(d[0].flags & used, used);
		CU_ASSERT_EQUAL(d[1].flags & used, used);
		CU_ASSERT_EQUAL(d[1].len, 16);
	}
}

/* A front end that says one position where there are two, as DPDK's virtio-user does. */
static void half_a_base(void)
{
	begin(F_PACKED, 8, false);
	CU_ASSERT_EQUAL(pvrom_vq_device_set_base(&world.device, 0x8003), PVROM_VQ_OK);
	CU_ASSERT_EQUAL(pvrom_vq_device_base(&world.device), 0x80038003);
	begin(F_PACKED, 8, false);
	CU_ASSERT_EQUAL(pvrom_vq_device_set_base(&world.device, 0x80058003), PVROM_VQ_BROKEN);
	begin(F_PACKED, 8, false);
	CU_ASSERT_EQUAL(pvrom_vq_device_set_base(&world.device, 0x80018003), PVROM_VQ_OK);
	CU_ASSERT_EQUAL(pvrom_vq_device_base(&world.device), 0x80018003);
}

/* 2.7.5.3.2: descriptors of the chain itself, then one that is a table. Our driver makes no such chain, others may. */
static void direct_then_table(void)
{
	struct pvrom_vq_request r = request();
	struct pvrom_vq_desc *desc, *table;
	struct pvrom_vq_avail *avail;
	const struct pvrom_vq_used *used;

	ring_world_init(&world, F_SPLIT | PVROM_VQ_F_INDIRECT_DESC, 8, false);
	desc = ring_at(&world, RING_DESC);
	table = ring_at(&world, RING_TABLES);
	avail = ring_at(&world, RING_DRIVER);
	used = ring_at(&world, RING_DEVICE);
	desc[5] = (struct pvrom_vq_desc){ RING_DATA, 8, PVROM_VQ_DESC_NEXT, 2 };
	desc[2] = (struct pvrom_vq_desc){ RING_DATA + 64, 24, PVROM_VQ_DESC_NEXT, 7 };
	desc[7] = (struct pvrom_vq_desc){ RING_TABLES, 48, PVROM_VQ_DESC_INDIRECT, 0 };
	table[0] = (struct pvrom_vq_desc){ RING_DATA + 128, 16, PVROM_VQ_DESC_NEXT, 2 };
	table[2] = (struct pvrom_vq_desc){ RING_DATA + 256, 32, PVROM_VQ_DESC_WRITE, 0 };
	avail->ring[0] = 5;
	avail->idx = 1;
	CU_ASSERT_EQUAL_FATAL(pvrom_vq_device_pop(&world.device, &r), PVROM_VQ_OK);
	CU_ASSERT_EQUAL(r.fault, PVROM_VQ_FAULT_NONE);
	CU_ASSERT(r.readable_pieces == 3 && r.readable == 48);
	CU_ASSERT(r.writable_pieces == 1 && r.writable == 32);
	CU_ASSERT(r.piece[2].gpa.gpa == RING_DATA + 128 && r.piece[3].gpa.gpa == RING_DATA + 256);
	CU_ASSERT(r.last == (uint8_t *)ring_at(&world, RING_DATA + 287));
	CU_ASSERT_EQUAL(pvrom_vq_device_complete(&world.device, &r, 32), PVROM_VQ_OK);
	pvrom_vq_device_publish(&world.device);
	CU_ASSERT(used->idx == 1 && used->ring[0].id == 5 && used->ring[0].len == 32);
}

/*
 * 2.6.1: a queue is reset in the middle of its work. Each buffer that had not come back does so now, once; what the
 * device still does for one of them goes nowhere; and the queue begins anew.
 */
static void queue_reset(uint64_t features)
{
	const struct pvrom_vq_driver_config config = world.driver.config;
	struct pvrom_vq_request r = request();
	struct pvrom_vq_done done;
	uint32_t i, back = 0;
	bool seen[4] = { false };
	void *token;

	for (i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(ring_add(&world, i, 1, 1, 16), PVROM_VQ_OK);
	pvrom_vq_driver_publish(&world.driver);
	/* The first comes back, the second stays with the device. */
	CU_ASSERT_EQUAL_FATAL(pvrom_vq_device_pop(&world.device, &r), PVROM_VQ_OK);
	pvrom_vq_device_complete(&world.device, &r, 16);
	pvrom_vq_device_publish(&world.device);
	CU_ASSERT_EQUAL_FATAL(pvrom_vq_driver_get(&world.driver, &done), PVROM_VQ_OK);
	CU_ASSERT_EQUAL_FATAL(pvrom_vq_device_pop(&world.device, &r), PVROM_VQ_OK);
	CU_ASSERT_EQUAL(pvrom_vq_device_init(&world.device, &world.device_config), PVROM_VQ_OK);
	while (pvrom_vq_driver_detach(&world.driver, &token) == PVROM_VQ_OK) {
		CU_ASSERT_FATAL(ring_number(token) >= 1 && ring_number(token) < 4);
		CU_ASSERT_FALSE(seen[ring_number(token)]);
		seen[ring_number(token)] = true;
		back++;
	}
	CU_ASSERT_EQUAL(back, 3);
	CU_ASSERT_EQUAL(pvrom_vq_driver_init(&world.driver, &config), PVROM_VQ_OK);
	CU_ASSERT_EQUAL(pvrom_vq_device_complete(&world.device, &r, 16), PVROM_VQ_STALE);
	pvrom_vq_device_publish(&world.device);
	CU_ASSERT_EQUAL(pvrom_vq_driver_get(&world.driver, &done), PVROM_VQ_EMPTY);
	CU_ASSERT_EQUAL(world.driver.config.features, features);
}

static void reset_of_a_queue(void)
{
	uint32_t n;

	for (n = 0; n < COMBINATIONS; n++) {
		begin(combination(n) | PVROM_VQ_F_RING_RESET, 16, false);
		queue_reset(combination(n) | PVROM_VQ_F_RING_RESET);
		go(500);
	}
}

static const struct tap_test tests[] = {
	{ "every combination of features, with and without a record", all_features },
	{ "small buffers in bursts", small_buffers },
	{ "every kind of size", all_sizes },
	{ "indices go round", indices_wrap },
	{ "a queue is reset and begins anew", reset_of_a_queue },
	{ "a chain of descriptors that ends in a table", direct_then_table },
	{ "in order each buffer that was written is told", written_ones_are_told_each },
	{ "half a base is one for both positions", half_a_base },
	{ 0 }
};

int main(void)
{
	int result = tap_run("virtqueue.loop", tests);

	ring_world_free(&world);
	return result;
}
