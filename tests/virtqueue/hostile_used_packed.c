/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Hostile devices, packed rings, and the main program of all hostile devices.
 */
#include "hostile_device.h"

#define SIZE 5

/* ---- used, but never shown ----------------------------------------------------------------------- */

static void unshown_case(uint64_t features, uint32_t size, uint32_t turns, uint32_t add)
{
	dv_begin(features, size);
	dv_turns(turns);
	while (add--)
		dv_add(0, 1);
	dv_used(0, 1, 1);
	dv_broken(PVROM_VQ_REASON_INDEX);
}

#define UNSHOWN_CASE(name, features, size, turns, add)                                             \
	static void name(void)                                                                     \
	{                                                                                          \
		unshown_case(features, size, turns, add);                                          \
	}

UNSHOWN_CASE(used_without_any, F_PACKED, SIZE, 0, 0)
UNSHOWN_CASE(used_not_shown, F_PACKED, SIZE, 0, 2)
UNSHOWN_CASE(used_after_all, F_PACKED, SIZE, 3, 0)
UNSHOWN_CASE(used_second_lap, F_PACKED, SIZE, SIZE + 1, 1)
UNSHOWN_CASE(used_in_order, F_PACKED | F_IN_ORDER, SIZE, 0, 1)
UNSHOWN_CASE(used_smallest, F_PACKED, 1, 0, 1)

/* ---- ids ----------------------------------------------------------------------------------------- */

static void id_case(uint64_t features, uint32_t size, uint32_t turns, uint32_t id,
		    enum pvrom_vq_reason reason)
{
	dv_begin(features, size);
	dv_turns(turns);
	dv_send(0, 1);
	dv_used(id, 1, 1);
	dv_broken(reason);
}

#define ID_CASE(name, features, size, turns, id, reason)                                           \
	static void name(void)                                                                     \
	{                                                                                          \
		id_case(features, size, turns, id, PVROM_VQ_REASON_##reason);                      \
	}

ID_CASE(id_size, F_PACKED, SIZE, 0, SIZE, ID_RANGE)
ID_CASE(id_all_ones, F_PACKED, SIZE, 0, 0xffff, ID_RANGE)
ID_CASE(id_smallest, F_PACKED, 1, 0, 1, ID_RANGE)
ID_CASE(id_in_order, F_PACKED | F_IN_ORDER, SIZE, 0, SIZE, ID_RANGE)
ID_CASE(id_second_lap, F_PACKED, SIZE, SIZE + 2, SIZE, ID_RANGE)
ID_CASE(id_free, F_PACKED, SIZE, 0, 3, ID_UNUSED)
ID_CASE(id_free_in_order, F_PACKED | F_IN_ORDER, SIZE, 0, 2, ID_UNUSED)
ID_CASE(id_of_before, F_PACKED | F_IN_ORDER, SIZE, 2, 0, ID_UNUSED)
ID_CASE(id_free_second_lap, F_PACKED, SIZE, SIZE + 1, 4, ID_UNUSED)

static void id_behind_good_one(void)
{
	dv_begin(F_PACKED, SIZE);
	dv_send(0, 1);
	dv_send(0, 1);
	dv_used(0, 1, 1);
	dv_used(77, 1, 1);
	dv_get(0, 1, false);
	dv_broken(PVROM_VQ_REASON_ID_RANGE);
}

static void id_twice(void)
{
	dv_begin(F_PACKED, SIZE);
	dv_send(0, 1);
	dv_send(0, 1);
	dv_used(1, 1, 1);
	dv_used(1, 1, 1);
	dv_get(1, 1, false);
	dv_broken(PVROM_VQ_REASON_ID_UNUSED);
}

/* Positions are not ids: the list has three descriptors and one id. */
static void id_is_position(void)
{
	dv_begin(F_PACKED, SIZE);
	dv_send(1, 2);
	dv_used(2, 1, 3);
	dv_broken(PVROM_VQ_REASON_ID_UNUSED);
}

static void id_end_of_batch(void)
{
	dv_begin(F_PACKED | F_IN_ORDER, SIZE);
	dv_send(0, 1);
	dv_send(0, 1);
	dv_used(4, 1, 2);
	dv_broken(PVROM_VQ_REASON_ID_UNUSED);
}

/* ---- lengths ------------------------------------------------------------------------------------- */

LENGTH_CASE(length_more, F_PACKED, 0, 1, 2)
LENGTH_CASE(length_readable, F_PACKED, 1, 0, 1)
LENGTH_CASE(length_counts_readable, F_PACKED, 2, 2, 4)
LENGTH_CASE(length_all_ones, F_PACKED, 0, 1, 0xffffffff)
LENGTH_CASE(length_table, F_PACKED | F_INDIRECT, 3, 3, 6)
LENGTH_CASE(length_in_order, F_PACKED | F_IN_ORDER, 0, 1, 2)

static void length_last_of_batch(void)
{
	dv_begin(F_PACKED | F_IN_ORDER, SIZE);
	dv_send(0, 1);
	dv_send(0, 2);
	dv_used(1, 9, 3);
	dv_get(0, 1, false);
	dv_get(1, 2, true);
}

/* QEMU 7.2 never sets WRITE in a used descriptor: the length counts all the same, and is cut all the same. */
static void no_write_case(uint64_t features, uint32_t readable, uint32_t writable)
{
	dv_begin(features, SIZE);
	dv_send(readable, writable);
	dv_used_flags(0, 9, readable + writable, 0);
	dv_get(0, writable, true);
}

static void no_write(void)
{
	no_write_case(F_PACKED, 0, 1);
}
static void no_write_list(void)
{
	no_write_case(F_PACKED, 1, 2);
}
static void no_write_readable(void)
{
	no_write_case(F_PACKED, 1, 0);
}
static void no_write_in_order(void)
{
	no_write_case(F_PACKED | F_IN_ORDER, 0, 1);
}

/* ---- broken is broken ---------------------------------------------------------------------------- */

static void mended(void)
{
	struct pvrom_vq_packed_desc *desc;
	struct pvrom_vq_done done;

	dv_begin(F_PACKED, SIZE);
	desc = ring_at(&world, RING_DESC);
	dv_send(0, 1);
	dv_used(9, 1, 1);
	EXPECT(pvrom_vq_driver_get(&world.driver, &done) == PVROM_VQ_BROKEN);
	desc[0].id = 0;
	EXPECT(pvrom_vq_driver_get(&world.driver, &done) == PVROM_VQ_BROKEN);
}

static void added_after(void)
{
	struct pvrom_vq_done done;

	dv_begin(F_PACKED, SIZE);
	dv_used(0, 1, 1);
	EXPECT(pvrom_vq_driver_get(&world.driver, &done) == PVROM_VQ_BROKEN);
	EXPECT(ring_add(&world, 0, 1, 0, 1) == PVROM_VQ_BROKEN);
}

const struct hostile_case hostile_device_packed[] = {
	CASE(USED_UNSHOWN, used_without_any, "packed: used, nothing was sent"),
	CASE(USED_UNSHOWN, used_not_shown, "packed: used before it was shown"),
	CASE(USED_UNSHOWN, used_after_all, "packed: used when all had come back"),
	CASE(USED_UNSHOWN, used_second_lap, "packed: used before it was shown, second lap"),
	CASE(USED_UNSHOWN, used_in_order, "packed: used before it was shown, in order"),
	CASE(USED_UNSHOWN, used_smallest, "packed: used before it was shown, in a ring of one"),
	CASE(USED_ID_RANGE, id_size, "packed: id just outside"),
	CASE(USED_ID_RANGE, id_all_ones, "packed: id of all ones"),
	CASE(USED_ID_RANGE, id_smallest, "packed: id 1 in a ring of one"),
	CASE(USED_ID_RANGE, id_in_order, "packed: id outside, in order"),
	CASE(USED_ID_RANGE, id_second_lap, "packed: id outside, second lap"),
	CASE(USED_ID_RANGE, id_behind_good_one, "packed: id outside behind a good one"),
	CASE(USED_ID_FLIGHT, id_free, "packed: id that is free"),
	CASE(USED_ID_FLIGHT, id_free_in_order, "packed: id that is free, in order"),
	CASE(USED_ID_FLIGHT, id_of_before, "packed: id that came back before"),
	CASE(USED_ID_FLIGHT, id_free_second_lap, "packed: id that is free, second lap"),
	CASE(USED_ID_FLIGHT, id_twice, "packed: id twice"),
	CASE(USED_ID_FLIGHT, id_is_position, "packed: position in the place of an id"),
	CASE(USED_ID_FLIGHT, id_end_of_batch, "packed: batch that ends with a free id"),
	CASE(USED_LENGTH, length_more, "packed: length of one byte more"),
	CASE(USED_LENGTH, length_readable, "packed: length in a readable buffer"),
	CASE(USED_LENGTH, length_counts_readable, "packed: length that counts readable bytes"),
	CASE(USED_LENGTH, length_all_ones, "packed: length of all ones"),
	CASE(USED_LENGTH, length_table, "packed: length too large, with tables"),
	CASE(USED_LENGTH, length_in_order, "packed: length too large, in order"),
	CASE(USED_LENGTH, length_last_of_batch, "packed: length too large at the end of a batch"),
	CASE(USED_LENGTH, no_write, "packed: length too large, without the flag"),
	CASE(USED_LENGTH, no_write_list, "packed: length of a list too large, without the flag"),
	CASE(USED_LENGTH, no_write_readable,
	     "packed: length of a readable buffer, without the flag"),
	CASE(USED_LENGTH, no_write_in_order,
	     "packed: length too large, without the flag, in order"),
	CASE(DRIVER_BROKEN, mended, "packed: id mended behind the driver's back"),
	CASE(DRIVER_BROKEN, added_after, "packed: a buffer for a queue that is broken"),
	{ 0 }
};

/* [PVROM-VQ-8] [PVROM-VQ-9] */
int main(void)
{
	static const struct hostile_case *const lists[] = { hostile_device_split,
							    hostile_device_packed, 0 };

	return hostile_run(lists);
}
