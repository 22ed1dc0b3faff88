/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Others who can reach the record of buffers in flight: what a server finds there after a crash.
 */
#include <string.h>

#include "hostile_ring.h"
#include "hostile_lists.h"

/* Offsets of vhost-user's QueueRegionSplit and QueueRegionPacked. */
#define VERSION 8
#define DESC_NUM 10
#define LAST_BATCH_HEAD 12
#define SPLIT_USED_IDX 14
#define SPLIT_ENTRY(i) (16 + 16 * (i))
#define FREE_HEAD 12
#define OLD_FREE_HEAD 14
#define USED_IDX 16
#define OLD_USED_IDX 18
#define OLD_USED_WRAP 21
#define PACKED_ENTRY(i) (32 + 32 * (i))
#define INFLIGHT 0
#define SPLIT_NEXT 6
#define PACKED_NEXT 2
#define LAST 4
#define NUM 6

static uint8_t *record(uint32_t offset)
{
	return (uint8_t *)world.record + offset;
}

static void put16(uint32_t offset, uint16_t value)
{
	memcpy(record(offset), &value, 2);
}

/* A queue of 8 with two buffers in flight. */
static void begin(uint64_t features)
{
	hd_begin(features, 8);
	ring_world_init(&world, features, 8, true);
	hd_one(0, DATA, 8, 0);
	hd_one(1, DATA, 8, 0);
	hd_pop(1, 0);
	hd_pop(1, 0);
}

static void refuses(void)
{
	EXPECT(ring_world_restart(&world) == PVROM_VQ_BROKEN);
	EXPECT(pvrom_vq_device_reason(&world.device) == PVROM_VQ_REASON_INFLIGHT);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_BROKEN);
}

#define RECORD_CASE(name, features, ...)                                                           \
	static void name(void)                                                                     \
	{                                                                                          \
		begin(features);                                                                   \
		__VA_ARGS__;                                                                       \
		refuses();                                                                         \
	}

static void guest_used(uint16_t idx)
{
	((struct pvrom_vq_used *)ring_at(&world, RING_DEVICE))->idx = idx;
}

RECORD_CASE(version_split, F_SPLIT, put16(VERSION, 2))
RECORD_CASE(version_packed, F_PACKED, put16(VERSION, 2))
RECORD_CASE(size_split, F_SPLIT, put16(DESC_NUM, 4))
RECORD_CASE(size_packed, F_PACKED, put16(DESC_NUM, 16))
RECORD_CASE(batch_too_long, F_SPLIT, put16(SPLIT_USED_IDX, 100))
RECORD_CASE(used_index_lies, F_SPLIT, guest_used(9))
RECORD_CASE(batch_head_outside, F_SPLIT, guest_used(1), put16(LAST_BATCH_HEAD, 8))
RECORD_CASE(batch_next_outside, F_SPLIT, guest_used(2), put16(SPLIT_ENTRY(0) + SPLIT_NEXT, 30000))
RECORD_CASE(used_outside, F_PACKED, put16(USED_IDX, 8))
RECORD_CASE(old_head_outside, F_PACKED, put16(OLD_FREE_HEAD, 8))
RECORD_CASE(no_descriptors, F_PACKED, put16(PACKED_ENTRY(0) + NUM, 0))
RECORD_CASE(too_many_descriptors, F_PACKED, put16(PACKED_ENTRY(0) + NUM, 9))
RECORD_CASE(sum_too_large, F_PACKED, put16(PACKED_ENTRY(0) + NUM, 5),
	    put16(PACKED_ENTRY(1) + NUM, 4))
RECORD_CASE(lists_overlap, F_PACKED, put16(PACKED_ENTRY(0) + NUM, 2))
RECORD_CASE(list_is_loop, F_PACKED, put16(PACKED_ENTRY(1) + NUM, 2),
	    put16(PACKED_ENTRY(1) + PACKED_NEXT, 1))
RECORD_CASE(list_leaves, F_PACKED, put16(PACKED_ENTRY(1) + NUM, 2),
	    put16(PACKED_ENTRY(1) + PACKED_NEXT, 0xffff))

/* A batch was being shown: the first descriptor is used, and the record says so many were. */
static void being_shown(uint16_t used)
{
	struct pvrom_vq_packed_desc *desc = ring_at(&world, RING_DESC);

	desc[0].flags = PVROM_VQ_DESC_AVAIL | PVROM_VQ_DESC_USED;
	put16(USED_IDX, used);
	put16(FREE_HEAD, 0);
}

/* One lap on, so that the distance is one; and the rest is as it would be. */
RECORD_CASE(old_used_outside, F_PACKED, being_shown(2), put16(OLD_USED_IDX, 9),
	    *record(OLD_USED_WRAP) = 0)
/* What lies behind the record looks like an entry. */
RECORD_CASE(shown_head_outside, F_PACKED, being_shown(1), put16(FREE_HEAD, 8),
	    put16(PACKED_ENTRY(8) + NUM, 1))
RECORD_CASE(shown_last_outside, F_PACKED, being_shown(1), put16(PACKED_ENTRY(0) + LAST, 8))
RECORD_CASE(shown_nothing, F_PACKED, being_shown(1), put16(PACKED_ENTRY(0) + NUM, 0))
RECORD_CASE(shown_too_much, F_PACKED, being_shown(1), put16(PACKED_ENTRY(0) + NUM, 3))
RECORD_CASE(shown_next_outside, F_PACKED, being_shown(2), put16(PACKED_ENTRY(0) + PACKED_NEXT, 8),
	    put16(PACKED_ENTRY(8) + NUM, 1))
RECORD_CASE(shown_backwards, F_PACKED, put16(USED_IDX, 1), put16(OLD_USED_IDX, 2))

const struct hostile_case hostile_record[] = {
	CASE(RECORD_HEADER, version_split, "split: record of another version"),
	CASE(RECORD_HEADER, version_packed, "packed: record of another version"),
	CASE(RECORD_HEADER, size_split, "split: record of another size"),
	CASE(RECORD_HEADER, size_packed, "packed: record of another size"),
	CASE(RECORD_BATCH, batch_too_long, "split: record's batch longer than the ring"),
	CASE(RECORD_BATCH, used_index_lies, "split: used index further than the record can be"),
	CASE(RECORD_LINK, batch_head_outside, "split: record's batch begins outside"),
	CASE(RECORD_LINK, batch_next_outside, "split: record's batch goes on outside"),
	CASE(RECORD_POSITION, used_outside, "packed: record's position outside the ring"),
	CASE(RECORD_POSITION, old_used_outside, "packed: record's old position outside the ring"),
	CASE(RECORD_LINK, old_head_outside, "packed: record's free entries begin outside"),
	CASE(RECORD_COUNT, no_descriptors, "packed: record's list of no descriptors"),
	CASE(RECORD_LINK, too_many_descriptors, "packed: record's list longer than the ring"),
	CASE(RECORD_LINK, sum_too_large, "packed: record's lists longer than the ring together"),
	CASE(RECORD_LINK, lists_overlap, "packed: record's lists overlap"),
	CASE(RECORD_LINK, list_is_loop, "packed: record's list is a loop"),
	CASE(RECORD_LINK, list_leaves, "packed: record's list goes on outside"),
	CASE(RECORD_LINK, shown_head_outside, "packed: record's last batch begins outside"),
	CASE(RECORD_LINK, shown_last_outside, "packed: record's last batch ends outside"),
	CASE(RECORD_BATCH, shown_nothing, "packed: record's last batch has a list of nothing"),
	CASE(RECORD_BATCH, shown_too_much, "packed: record's last batch has a list too long"),
	CASE(RECORD_LINK, shown_next_outside, "packed: record's last batch goes on outside"),
	CASE(RECORD_BATCH, shown_backwards, "packed: record's position goes backwards"),
	{ 0 }
};
