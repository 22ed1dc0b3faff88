/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Hostile drivers, split rings: indices and heads, chains of the table.
 */
#include "hostile_ring.h"
#include "hostile_lists.h"

static struct pvrom_vq_avail *avail(void)
{
	return ring_at(&world, RING_DRIVER);
}

/* ---- the available index ------------------------------------------------------------------------- */

static void index_jumps(void)
{
	hd_begin(F_SPLIT, 8);
	avail()->idx = 9;
	hd_broken(PVROM_VQ_REASON_INDEX);
}

static void index_back_from_zero(void)
{
	hd_begin(F_SPLIT, 8);
	avail()->idx = 0xffff;
	hd_broken(PVROM_VQ_REASON_INDEX);
}

static void index_back_after_use(void)
{
	hd_begin(F_SPLIT, 8);
	hd_good();
	hd_good();
	avail()->idx--;
	hd_broken(PVROM_VQ_REASON_INDEX);
}

static void index_back_in_flight(void)
{
	hd_begin(F_SPLIT, 8);
	hd_one(0, DATA, 8, 0);
	hd_pop(1, 0);
	avail()->idx--;
	hd_broken(PVROM_VQ_REASON_INDEX);
}

static void index_smallest_ring(void)
{
	hd_begin(F_SPLIT, 1);
	avail()->idx = 2;
	hd_broken(PVROM_VQ_REASON_INDEX);
}

static void index_largest_ring(void)
{
	hd_begin(F_SPLIT, 32768);
	avail()->idx = 32769;
	hd_broken(PVROM_VQ_REASON_INDEX);
}

static void index_at_wrap(void)
{
	struct pvrom_vq_state state = { .avail = 0xfffe, .used = 0xfffe };

	hd_begin(F_SPLIT, 8);
	pvrom_vq_device_set_state(&world.device, &state);
	avail()->idx = 0xfffe;
	hd_good();
	avail()->idx = 8; /* 0xffff + 9 */
	hd_broken(PVROM_VQ_REASON_INDEX);
}

static void index_event(void)
{
	hd_begin(F_SPLIT | F_EVENT, 8);
	EXPECT(!pvrom_vq_device_notifications_on(&world.device));
	avail()->idx = 100;
	EXPECT(pvrom_vq_device_notifications_on(&world.device));
	hd_broken(PVROM_VQ_REASON_INDEX);
}

static void index_in_order(void)
{
	hd_begin(F_SPLIT | F_IN_ORDER, 8);
	hd_good();
	avail()->idx = (uint16_t)(avail()->idx + 9);
	hd_broken(PVROM_VQ_REASON_INDEX);
}

/* ---- heads --------------------------------------------------------------------------------------- */

static void head_first_outside(void)
{
	hd_begin(F_SPLIT, 8);
	hd_avail(8);
	hd_broken(PVROM_VQ_REASON_HEAD_RANGE);
}

static void head_far_outside(void)
{
	hd_begin(F_SPLIT, 8);
	hd_avail(0xffff);
	hd_broken(PVROM_VQ_REASON_HEAD_RANGE);
}

static void head_outside_in_batch(void)
{
	hd_begin(F_SPLIT, 8);
	hd_one(0, DATA, 8, 0);
	hd_avail(9);
	hd_pop(1, 0);
	hd_back(0, 0);
	hd_broken(PVROM_VQ_REASON_HEAD_RANGE);
}

static void head_outside_smallest(void)
{
	hd_begin(F_SPLIT, 1);
	hd_avail(1);
	hd_broken(PVROM_VQ_REASON_HEAD_RANGE);
}

static void head_outside_at_wrap(void)
{
	struct pvrom_vq_state state = { .avail = 0xffff, .used = 0xffff };

	hd_begin(F_SPLIT, 4);
	pvrom_vq_device_set_state(&world.device, &state);
	avail()->idx = 0xffff;
	hd_avail(4);
	hd_broken(PVROM_VQ_REASON_HEAD_RANGE);
}

static void head_outside_in_order(void)
{
	hd_begin(F_SPLIT | F_IN_ORDER, 8);
	hd_avail(0x1001);
	hd_broken(PVROM_VQ_REASON_HEAD_RANGE);
}

static void head_twice_in_batch(void)
{
	hd_begin(F_SPLIT, 8);
	hd_one(3, DATA, 8, 0);
	hd_avail(3);
	hd_pop(1, 0);
	hd_broken(PVROM_VQ_REASON_HEAD_TWICE);
}

static void head_twice_later(void)
{
	hd_begin(F_SPLIT, 8);
	hd_one(3, DATA, 8, 0);
	hd_pop(1, 0);
	hd_one(4, DATA, 8, 0);
	hd_avail(3);
	hd_pop(1, 0);
	hd_broken(PVROM_VQ_REASON_HEAD_TWICE);
}

static void head_twice_not_shown(void)
{
	hd_begin(F_SPLIT, 8);
	hd_one(3, DATA, 8, 0);
	hd_pop(1, 0);
	pvrom_vq_device_complete(&world.device, &req, 0);
	hd_avail(3);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_BROKEN);
	EXPECT(pvrom_vq_device_reason(&world.device) == PVROM_VQ_REASON_HEAD_TWICE);
}

static void head_twice_in_order(void)
{
	hd_begin(F_SPLIT | F_IN_ORDER, 8);
	hd_one(0, DATA, 8, 0);
	hd_avail(0);
	hd_pop(1, 0);
	hd_broken(PVROM_VQ_REASON_HEAD_TWICE);
}

static void head_twice_after_crash(void)
{
	hd_begin(F_SPLIT, 8);
	ring_world_init(&world, F_SPLIT, 8, true);
	hd_one(3, DATA, 8, 0);
	hd_pop(1, 0);
	EXPECT(ring_world_restart(&world) == PVROM_VQ_OK);
	hd_avail(3);
	hd_pop(1, 0);
	hd_broken(PVROM_VQ_REASON_HEAD_TWICE);
}

static void head_twice_fills_ring(void)
{
	uint32_t i;

	hd_begin(F_SPLIT, 4);
	hd_one(2, DATA, 8, 0);
	for (i = 0; i < 3; i++)
		hd_avail(2);
	hd_pop(1, 0);
	hd_broken(PVROM_VQ_REASON_HEAD_TWICE);
}

/* ---- next ---------------------------------------------------------------------------------------- */

static void next_first_outside(void)
{
	hd_begin(F_SPLIT, 8);
	hd_desc(0, DATA, 8, NEXT, 8);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_NEXT_RANGE, 0);
}

static void next_far_outside(void)
{
	hd_begin(F_SPLIT, 8);
	hd_desc(0, DATA, 8, NEXT, 0xffff);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_NEXT_RANGE, 0);
}

static void next_outside_later(void)
{
	hd_begin(F_SPLIT, 8);
	hd_desc(0, DATA, 8, NEXT, 2);
	hd_desc(2, DATA, 8, NEXT | WRITE, 9);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_NEXT_RANGE, 0);
	EXPECT(!req.last || req.last_gpa.gpa == DATA + 63); /* of hd_good() */
}

static void next_outside_smallest(void)
{
	hd_begin(F_SPLIT, 1);
	hd_desc(0, DATA, 8, NEXT, 1);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_NEXT_RANGE, 0);
}

static void next_outside_in_order(void)
{
	hd_begin(F_SPLIT | F_IN_ORDER, 8);
	hd_desc(7, DATA, 8, NEXT, 8);
	hd_avail(7);
	hd_fault(PVROM_VQ_FAULT_NEXT_RANGE, 7);
}

static void next_outside_table(void)
{
	hd_begin(F_SPLIT | F_INDIRECT, 8);
	hd_table(TABLE, 0, DATA, 8, NEXT, 2);
	hd_one(0, TABLE, 32, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_NEXT_RANGE, 0);
}

/* It would be in the ring, which is longer than the table. */
static void next_outside_table_in_ring(void)
{
	hd_begin(F_SPLIT | F_INDIRECT, 64);
	hd_desc(5, DATA, 8, 0, 0);
	hd_table(TABLE, 0, DATA, 8, NEXT, 1);
	hd_table(TABLE, 1, DATA, 8, NEXT, 5);
	hd_one(0, TABLE, 32, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_NEXT_RANGE, 0);
}

/* ---- loops --------------------------------------------------------------------------------------- */

static void loop_to_itself(void)
{
	hd_begin(F_SPLIT, 8);
	req.room = 64;
	hd_desc(0, DATA, 8, NEXT, 0);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_LOOP, 0);
}

static void loop_of_two(void)
{
	hd_begin(F_SPLIT, 8);
	req.room = 64;
	hd_desc(0, DATA, 8, NEXT, 1);
	hd_desc(1, DATA, 8, NEXT, 0);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_LOOP, 0);
}

static void loop_behind_head(void)
{
	hd_begin(F_SPLIT, 8);
	req.room = 64;
	hd_desc(0, DATA, 8, NEXT, 1);
	hd_desc(1, DATA, 8, NEXT | WRITE, 2);
	hd_desc(2, DATA, 8, NEXT | WRITE, 1);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_LOOP, 0);
}

static void loop_of_all(void)
{
	uint32_t i;

	hd_begin(F_SPLIT, 8);
	req.room = 64;
	for (i = 0; i < 8; i++)
		hd_desc(i, DATA, 8, NEXT, (i + 1) % 8);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_LOOP, 0);
}

static void loop_of_nothing(void)
{
	hd_begin(F_SPLIT, 8);
	hd_desc(0, DATA, 0, NEXT, 0);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_LOOP, 0);
}

/* The fault of the address comes first, and the loop must end all the same. */
static void loop_outside_memory(void)
{
	hd_begin(F_SPLIT, 8);
	hd_desc(0, 8, 8, NEXT, 0);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_ADDRESS, 0);
}

static void loop_without_room(void)
{
	hd_begin(F_SPLIT, 8);
	req.room = 2;
	hd_desc(0, DATA, 8, NEXT | WRITE, 0);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_TOO_MANY, 0);
}

static void loop_in_smallest(void)
{
	hd_begin(F_SPLIT, 1);
	hd_desc(0, DATA, 8, NEXT, 0);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_LOOP, 0);
}

static void loop_in_table(void)
{
	hd_begin(F_SPLIT | F_INDIRECT, 8);
	req.room = 64;
	hd_table(TABLE, 0, DATA, 8, NEXT, 0);
	hd_one(0, TABLE, 64, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_LOOP, 0);
}

static void loop_of_two_in_table(void)
{
	hd_begin(F_SPLIT | F_INDIRECT, 8);
	req.room = 64;
	hd_table(TABLE, 0, DATA, 8, NEXT, 1);
	hd_table(TABLE, 1, DATA, 8, NEXT, 0);
	hd_one(0, TABLE, 32, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_LOOP, 0);
}

const struct hostile_case hostile_split[] = {
	CASE(SPLIT_AVAIL_INDEX, index_jumps, "split: index one more than the size ahead"),
	CASE(SPLIT_AVAIL_INDEX, index_back_from_zero, "split: index before the first buffer"),
	CASE(SPLIT_AVAIL_INDEX, index_back_after_use, "split: index taken back after use"),
	CASE(SPLIT_AVAIL_INDEX, index_back_in_flight, "split: index taken back while in flight"),
	CASE(SPLIT_AVAIL_INDEX, index_smallest_ring, "split: index two ahead in a ring of one"),
	CASE(SPLIT_AVAIL_INDEX, index_largest_ring, "split: index jumps in the largest ring"),
	CASE(SPLIT_AVAIL_INDEX, index_at_wrap, "split: index jumps where it wraps"),
	CASE(SPLIT_AVAIL_INDEX, index_event, "split: index jumps while the device goes to sleep"),
	CASE(SPLIT_AVAIL_INDEX, index_in_order, "split: index jumps in order"),
	CASE(SPLIT_HEAD_RANGE, head_first_outside, "split: head just outside the table"),
	CASE(SPLIT_HEAD_RANGE, head_far_outside, "split: head 65535"),
	CASE(SPLIT_HEAD_RANGE, head_outside_in_batch, "split: head outside behind a good one"),
	CASE(SPLIT_HEAD_RANGE, head_outside_smallest, "split: head 1 in a ring of one"),
	CASE(SPLIT_HEAD_RANGE, head_outside_at_wrap, "split: head outside where the index wraps"),
	CASE(SPLIT_HEAD_RANGE, head_outside_in_order, "split: head outside, in order"),
	CASE(SPLIT_HEAD_TWICE, head_twice_in_batch, "split: head twice in a batch"),
	CASE(SPLIT_HEAD_TWICE, head_twice_later, "split: head again while in flight"),
	CASE(SPLIT_HEAD_TWICE, head_twice_not_shown,
	     "split: head again before it was shown as used"),
	CASE(SPLIT_HEAD_TWICE, head_twice_in_order, "split: head twice, in order"),
	CASE(SPLIT_HEAD_TWICE, head_twice_after_crash,
	     "split: head again that a crash left in flight"),
	CASE(SPLIT_HEAD_TWICE, head_twice_fills_ring, "split: one head in every entry of the ring"),
	CASE(CHAIN_NEXT, next_first_outside, "split: next just outside the table"),
	CASE(CHAIN_NEXT, next_far_outside, "split: next 65535"),
	CASE(CHAIN_NEXT, next_outside_later, "split: next outside behind a good descriptor"),
	CASE(CHAIN_NEXT, next_outside_smallest, "split: next 1 in a ring of one"),
	CASE(CHAIN_NEXT, next_outside_in_order, "split: next behind the last descriptor, in order"),
	CASE(CHAIN_NEXT, next_outside_table, "split: next outside an indirect table"),
	CASE(CHAIN_NEXT, next_outside_table_in_ring,
	     "split: next outside a table, inside the ring"),
	CASE(CHAIN_LENGTH, loop_to_itself, "split: descriptor that follows itself"),
	CASE(CHAIN_LENGTH, loop_of_two, "split: two descriptors that follow each other"),
	CASE(CHAIN_LENGTH, loop_behind_head, "split: loop that leaves out the head"),
	CASE(CHAIN_LENGTH, loop_of_all, "split: loop of all descriptors"),
	CASE(CHAIN_LENGTH, loop_of_nothing, "split: loop of empty buffers"),
	CASE(CHAIN_LENGTH, loop_outside_memory, "split: loop outside guest memory"),
	CASE(CHAIN_LENGTH, loop_without_room, "split: loop longer than the room for pieces"),
	CASE(CHAIN_LENGTH, loop_in_smallest, "split: loop in a ring of one"),
	CASE(CHAIN_LENGTH, loop_in_table, "split: entry of a table that follows itself"),
	CASE(CHAIN_LENGTH, loop_of_two_in_table, "split: loop through a whole table"),
	{ 0 }
};
