/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Hostile devices, split rings.
 */
#include "hostile_device.h"

#define SIZE 8

/* ---- the used index ------------------------------------------------------------------------------ */

static void index_case(uint64_t features, uint32_t size, uint32_t sent, uint32_t add)
{
	uint32_t i;

	dv_begin(features, size);
	for (i = 0; i < sent; i++)
		dv_send(0, 1);
	*dv_index() = (uint16_t)(*dv_index() + add);
	dv_broken(PVROM_VQ_REASON_INDEX);
}

#define INDEX_CASE(name, features, size, sent, add)                                                \
	static void name(void)                                                                     \
	{                                                                                          \
		index_case(features, size, sent, add);                                             \
	}

INDEX_CASE(index_without_any, F_SPLIT, SIZE, 0, 1)
INDEX_CASE(index_one_more, F_SPLIT, SIZE, 3, 4)
INDEX_CASE(index_back, F_SPLIT, SIZE, 3, 0xffff)
INDEX_CASE(index_lap, F_SPLIT, SIZE, 8, 9)
INDEX_CASE(index_smallest, F_SPLIT, 1, 1, 2)
INDEX_CASE(index_largest, F_SPLIT, 32768, 2, 32768)
INDEX_CASE(index_in_order, F_SPLIT | F_IN_ORDER, SIZE, 3, 5)
INDEX_CASE(index_tables, F_SPLIT | F_INDIRECT, SIZE, 2, 3)

static void index_after_use(void)
{
	dv_begin(F_SPLIT, SIZE);
	dv_turns(5);
	dv_send(0, 1);
	*dv_index() = 4;
	dv_broken(PVROM_VQ_REASON_INDEX);
}

static void index_not_shown(void)
{
	dv_begin(F_SPLIT, SIZE);
	dv_add(0, 1);
	dv_used(0, 1, 1);
	dv_broken(PVROM_VQ_REASON_INDEX);
}

static void index_partly_shown(void)
{
	dv_begin(F_SPLIT, SIZE);
	dv_send(0, 1);
	dv_add(0, 1);
	dv_used(0, 1, 1);
	dv_used(1, 1, 1);
	dv_broken(PVROM_VQ_REASON_INDEX);
}

static void index_at_wrap(void)
{
	dv_begin(F_SPLIT, SIZE);
	dv_turns(65535);
	dv_send(0, 1);
	*dv_index() = 1; /* 65535 + 2 */
	dv_broken(PVROM_VQ_REASON_INDEX);
}

static void index_event(void)
{
	dv_begin(F_SPLIT | F_EVENT, SIZE);
	dv_send(0, 1);
	EXPECT(!pvrom_vq_driver_interrupts_on(&world.driver, 1));
	*dv_index() = 3;
	EXPECT(pvrom_vq_driver_interrupts_on(&world.driver, 1));
	dv_broken(PVROM_VQ_REASON_INDEX);
}

/* ---- ids ----------------------------------------------------------------------------------------- */

static void id_case(uint64_t features, uint32_t size, uint32_t id, enum pvrom_vq_reason reason)
{
	dv_begin(features, size);
	dv_send(0, 1);
	dv_used(id, 1, 1);
	dv_broken(reason);
}

#define ID_CASE(name, features, size, id, reason)                                                  \
	static void name(void)                                                                     \
	{                                                                                          \
		id_case(features, size, id, PVROM_VQ_REASON_##reason);                             \
	}

ID_CASE(id_size, F_SPLIT, SIZE, SIZE, ID_RANGE)
ID_CASE(id_all_ones, F_SPLIT, SIZE, 0xffffffff, ID_RANGE)
ID_CASE(id_high_half, F_SPLIT, SIZE, 0x10000, ID_RANGE)
ID_CASE(id_smallest, F_SPLIT, 1, 1, ID_RANGE)
ID_CASE(id_in_order, F_SPLIT | F_IN_ORDER, SIZE, SIZE, ID_RANGE)
ID_CASE(id_free, F_SPLIT, SIZE, 1, ID_UNUSED)
ID_CASE(id_free_last, F_SPLIT, SIZE, SIZE - 1, ID_UNUSED)
ID_CASE(id_free_in_order, F_SPLIT | F_IN_ORDER, SIZE, 1, ID_UNUSED)
ID_CASE(id_free_tables, F_SPLIT | F_INDIRECT, SIZE, 5, ID_UNUSED)

static void id_second_in_batch(void)
{
	dv_begin(F_SPLIT, SIZE);
	dv_send(0, 1);
	dv_send(0, 1);
	dv_used(0, 1, 1);
	dv_used(100, 1, 1);
	dv_get(0, 1, false);
	dv_broken(PVROM_VQ_REASON_ID_RANGE);
}

static void id_after_wrap(void)
{
	dv_begin(F_SPLIT, SIZE);
	dv_turns(65536);
	dv_send(0, 1);
	dv_used(SIZE, 1, 1);
	dv_broken(PVROM_VQ_REASON_ID_RANGE);
}

static void id_twice(void)
{
	dv_begin(F_SPLIT, SIZE);
	dv_send(0, 1);
	dv_send(0, 1);
	dv_used(0, 1, 1);
	dv_used(0, 1, 1);
	dv_get(0, 1, false);
	dv_broken(PVROM_VQ_REASON_ID_UNUSED);
}

static void id_of_before(void)
{
	dv_begin(F_SPLIT | F_IN_ORDER, SIZE);
	dv_turns(2);
	dv_send(0, 1);
	dv_used(0, 1, 1);
	dv_broken(PVROM_VQ_REASON_ID_UNUSED);
}

static void id_inside_chain(void)
{
	dv_begin(F_SPLIT, SIZE);
	dv_send(1, 2);
	dv_used(1, 1, 1);
	dv_broken(PVROM_VQ_REASON_ID_UNUSED);
}

static void id_end_of_chain(void)
{
	dv_begin(F_SPLIT | F_IN_ORDER, SIZE);
	dv_send(1, 2);
	dv_used(2, 1, 1);
	dv_broken(PVROM_VQ_REASON_ID_UNUSED);
}

/* ---- lengths ------------------------------------------------------------------------------------- */

LENGTH_CASE(length_more, F_SPLIT, 0, 1, 2)
LENGTH_CASE(length_readable, F_SPLIT, 2, 0, 1)
LENGTH_CASE(length_counts_readable, F_SPLIT, 2, 3, 5)
LENGTH_CASE(length_all_ones, F_SPLIT, 1, 1, 0xffffffff)
LENGTH_CASE(length_table, F_SPLIT | F_INDIRECT, 3, 3, 6)
LENGTH_CASE(length_in_order, F_SPLIT | F_IN_ORDER, 1, 1, 2)

static void length_last_of_batch(void)
{
	dv_begin(F_SPLIT | F_IN_ORDER, SIZE);
	dv_send(0, 1);
	dv_send(0, 2); /* head 1 */
	dv_used(1, 9, 1);
	(*dv_index())++; /* two buffers, one entry */
	dv_get(0, 1, false);
	dv_get(1, 2, true);
}

/* ---- order --------------------------------------------------------------------------------------- */

static void batch_beyond_index(void)
{
	dv_begin(F_SPLIT | F_IN_ORDER, SIZE);
	dv_send(0, 1);
	dv_send(0, 1);
	dv_used(1, 1, 1); /* of the second, but the index moves by one */
	dv_broken(PVROM_VQ_REASON_ORDER);
}

static void batch_far_beyond_index(void)
{
	uint32_t i;

	dv_begin(F_SPLIT | F_IN_ORDER, SIZE);
	for (i = 0; i < SIZE; i++)
		dv_send(0, 1);
	dv_used(SIZE - 1, 1, 1);
	(*dv_index())++;
	dv_get(0, 1, false);
	dv_broken(PVROM_VQ_REASON_ORDER);
}

static void second_batch_beyond_index(void)
{
	dv_begin(F_SPLIT | F_IN_ORDER, SIZE);
	dv_send(0, 1);
	dv_send(0, 1);
	dv_send(0, 1);
	dv_used(0, 1, 1);
	dv_used(2, 1, 1);
	dv_get(0, 1, false);
	dv_broken(PVROM_VQ_REASON_ORDER);
}

static void batch_over_wrap(void)
{
	dv_begin(F_SPLIT | F_IN_ORDER, SIZE);
	dv_turns(65535);
	dv_send(0, 1);
	dv_send(0, 1);
	dv_used(65536 % SIZE, 1, 1);
	dv_broken(PVROM_VQ_REASON_ORDER);
}

/* ---- broken is broken ---------------------------------------------------------------------------- */

static void mended(void)
{
	struct pvrom_vq_done done;

	dv_begin(F_SPLIT, SIZE);
	dv_send(0, 1);
	*dv_index() = 7;
	EXPECT(pvrom_vq_driver_get(&world.driver, &done) == PVROM_VQ_BROKEN);
	*dv_index() = 0;
	dv_used(0, 1, 1);
	EXPECT(pvrom_vq_driver_get(&world.driver, &done) == PVROM_VQ_BROKEN);
}

static void added_after(void)
{
	struct pvrom_vq_done done;

	dv_begin(F_SPLIT, SIZE);
	*dv_index() = 7;
	EXPECT(pvrom_vq_driver_get(&world.driver, &done) == PVROM_VQ_BROKEN);
	EXPECT(ring_add(&world, 0, 1, 0, 1) == PVROM_VQ_BROKEN);
}

const struct hostile_case hostile_device_split[] = {
	CASE(SPLIT_USED_INDEX, index_without_any, "split: used index moves, nothing was sent"),
	CASE(SPLIT_USED_INDEX, index_one_more, "split: used index one too far"),
	CASE(SPLIT_USED_INDEX, index_back, "split: used index goes back from 0"),
	CASE(SPLIT_USED_INDEX, index_lap, "split: used index a lap too far"),
	CASE(SPLIT_USED_INDEX, index_smallest, "split: used index too far in a ring of one"),
	CASE(SPLIT_USED_INDEX, index_largest, "split: used index too far in the largest ring"),
	CASE(SPLIT_USED_INDEX, index_in_order, "split: used index too far, in order"),
	CASE(SPLIT_USED_INDEX, index_tables, "split: used index too far, with tables"),
	CASE(SPLIT_USED_INDEX, index_after_use, "split: used index taken back"),
	CASE(SPLIT_USED_INDEX, index_not_shown, "split: used before it was shown"),
	CASE(SPLIT_USED_INDEX, index_partly_shown, "split: used behind the last one shown"),
	CASE(SPLIT_USED_INDEX, index_at_wrap, "split: used index too far where it wraps"),
	CASE(SPLIT_USED_INDEX, index_event,
	     "split: used index jumps while the driver goes to sleep"),
	CASE(USED_ID_RANGE, id_size, "split: id just outside"),
	CASE(USED_ID_RANGE, id_all_ones, "split: id of all ones"),
	CASE(USED_ID_RANGE, id_high_half, "split: id right in its low half only"),
	CASE(USED_ID_RANGE, id_smallest, "split: id 1 in a ring of one"),
	CASE(USED_ID_RANGE, id_in_order, "split: id outside, in order"),
	CASE(USED_ID_RANGE, id_second_in_batch, "split: id outside behind a good one"),
	CASE(USED_ID_RANGE, id_after_wrap, "split: id outside after the index wrapped"),
	CASE(USED_ID_FLIGHT, id_free, "split: id that is free"),
	CASE(USED_ID_FLIGHT, id_free_last, "split: id of the last descriptor, which is free"),
	CASE(USED_ID_FLIGHT, id_free_in_order, "split: id that is free, in order"),
	CASE(USED_ID_FLIGHT, id_free_tables, "split: id that is free, with tables"),
	CASE(USED_ID_FLIGHT, id_twice, "split: id twice"),
	CASE(USED_ID_FLIGHT, id_of_before, "split: id that came back before"),
	CASE(USED_ID_FLIGHT, id_inside_chain, "split: id from inside a chain"),
	CASE(USED_ID_FLIGHT, id_end_of_chain, "split: id of the end of a chain, in order"),
	CASE(USED_LENGTH, length_more, "split: length of one byte more"),
	CASE(USED_LENGTH, length_readable, "split: length in a readable buffer"),
	CASE(USED_LENGTH, length_counts_readable, "split: length that counts readable bytes"),
	CASE(USED_LENGTH, length_all_ones, "split: length of all ones"),
	CASE(USED_LENGTH, length_table, "split: length too large, with tables"),
	CASE(USED_LENGTH, length_in_order, "split: length too large, in order"),
	CASE(USED_LENGTH, length_last_of_batch, "split: length too large at the end of a batch"),
	CASE(USED_ORDER, batch_beyond_index, "split: batch one longer than the index says"),
	CASE(USED_ORDER, batch_far_beyond_index, "split: batch of the whole ring, index of two"),
	CASE(USED_ORDER, second_batch_beyond_index,
	     "split: second batch longer than the index says"),
	CASE(USED_ORDER, batch_over_wrap, "split: batch too long where the index wraps"),
	CASE(DRIVER_BROKEN, mended, "split: used index mended behind the driver's back"),
	CASE(DRIVER_BROKEN, added_after, "split: a buffer for a queue that is broken"),
	{ 0 }
};
