/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Hostile drivers, packed rings: lists without an end, descriptors that are not free, wrap counters.
 */
#include "hostile_ring.h"
#include "hostile_lists.h"

/* ---- lists without an end ------------------------------------------------------------------------ */

static void endless(void)
{
	uint32_t i;

	hd_begin(F_PACKED, 5);
	req.room = 64;
	for (i = 0; i < 5; i++)
		hd_put(DATA, 8, 0, NEXT);
	hd_broken(PVROM_VQ_REASON_NO_END);
}

static void endless_into_flight(void)
{
	hd_begin(F_PACKED, 4);
	req.room = 64;
	hd_put(DATA, 8, 0, 0);
	hd_put(DATA, 8, 1, 0);
	hd_pop(1, 0);
	hd_pop(1, 0);
	hd_put(DATA, 8, 2, NEXT);
	hd_put(DATA, 8, 2, NEXT);
	hd_put(DATA, 8, 2, 0); /* a place that is in flight */
	hd_broken(PVROM_VQ_REASON_NO_END);
}

static void endless_of_one(void)
{
	hd_begin(F_PACKED, 1);
	req.room = 64;
	hd_put(DATA, 8, 0, NEXT);
	hd_broken(PVROM_VQ_REASON_NO_END);
}

static void endless_over_wrap(void)
{
	uint32_t i;

	hd_begin(F_PACKED, 5);
	req.room = 64;
	hd_good();
	hd_good();
	hd_good();
	for (i = 0; i < 5; i++)
		hd_put(DATA, 8, 0, NEXT);
	hd_broken(PVROM_VQ_REASON_NO_END);
}

static void endless_in_order(void)
{
	uint32_t i;

	hd_begin(F_PACKED | F_IN_ORDER, 3);
	req.room = 64;
	for (i = 0; i < 3; i++)
		hd_put(DATA, 8, 0, NEXT | WRITE);
	hd_broken(PVROM_VQ_REASON_NO_END);
}

/* A fault in the list does not let it go on for ever. */
static void endless_and_faulty(void)
{
	uint32_t i;

	hd_begin(F_PACKED, 6);
	hd_put(DATA, 8, 0, NEXT | WRITE);
	for (i = 0; i < 5; i++)
		hd_put(DATA, 8, 0, NEXT);
	hd_broken(PVROM_VQ_REASON_NO_END);
}

static void endless_tables(void)
{
	uint32_t i;

	hd_begin(F_PACKED | F_INDIRECT, 4);
	hd_table(TABLE, 0, DATA, 8, 0, 0);
	for (i = 0; i < 4; i++)
		hd_put(TABLE, 16, 0, NEXT | INDIRECT);
	hd_broken(PVROM_VQ_REASON_NO_END);
}

static void endless_unfinished(void)
{
	uint32_t i;

	hd_begin(F_PACKED, 4);
	for (i = 0; i < 3; i++)
		hd_put(DATA, 8, i, 0);
	for (i = 0; i < 3; i++) {
		hd_pop(1, 0);
		pvrom_vq_device_complete(&world.device, &req, 0); /* but not shown */
	}
	hd_put(DATA, 8, 3, NEXT);
	hd_put(DATA, 8, 3, 0);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_BROKEN);
	EXPECT(pvrom_vq_device_reason(&world.device) == PVROM_VQ_REASON_NO_END);
}

/* ---- more than is free --------------------------------------------------------------------------- */

static void fill(uint32_t size)
{
	uint32_t i;

	for (i = 0; i < size; i++)
		hd_put(DATA, 8, i, 0);
	for (i = 0; i < size; i++)
		hd_pop(1, 0);
}

static void overrun(void)
{
	hd_begin(F_PACKED, 5);
	fill(5);
	hd_put(DATA, 8, 0, 0);
	hd_broken(PVROM_VQ_REASON_OVERRUN);
}

static void overrun_of_one(void)
{
	hd_begin(F_PACKED, 1);
	fill(1);
	hd_put(DATA, 8, 0, 0);
	hd_broken(PVROM_VQ_REASON_OVERRUN);
}

static void overrun_list(void)
{
	hd_begin(F_PACKED, 4);
	fill(4);
	hd_put(DATA, 8, 0, NEXT);
	hd_put(DATA, 8, 0, 0);
	hd_broken(PVROM_VQ_REASON_OVERRUN);
}

static void overrun_in_order(void)
{
	hd_begin(F_PACKED | F_IN_ORDER, 4);
	fill(4);
	hd_put(DATA, 8, 0, 0);
	hd_broken(PVROM_VQ_REASON_OVERRUN);
}

static void overrun_by_a_list(void)
{
	uint32_t i;

	hd_begin(F_PACKED, 4);
	for (i = 0; i < 4; i++)
		hd_put(DATA, 8, 0, i < 3 ? NEXT : 0);
	hd_pop(4, 0);
	hd_put(DATA, 8, 1, 0);
	hd_broken(PVROM_VQ_REASON_OVERRUN);
}

static void overrun_not_shown(void)
{
	hd_begin(F_PACKED, 2);
	hd_put(DATA, 8, 0, 0);
	hd_put(DATA, 8, 1, 0);
	hd_pop(1, 0);
	pvrom_vq_device_complete(&world.device, &req, 0);
	hd_pop(1, 0);
	pvrom_vq_device_complete(&world.device, &req, 0);
	hd_put(DATA, 8, 0, 0);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_BROKEN);
	EXPECT(pvrom_vq_device_reason(&world.device) == PVROM_VQ_REASON_OVERRUN);
}

static void overrun_second_lap(void)
{
	hd_begin(F_PACKED, 3);
	hd_good();
	hd_good();
	fill(3);
	hd_put(DATA, 8, 0, 0);
	hd_broken(PVROM_VQ_REASON_OVERRUN);
}

static void overrun_after_crash(void)
{
	hd_begin(F_PACKED, 3);
	ring_world_init(&world, F_PACKED, 3, true);
	fill(3);
	EXPECT(ring_world_restart(&world) == PVROM_VQ_OK);
	hd_pop(1, 0);
	hd_pop(1, 0);
	hd_pop(1, 0);
	hd_put(DATA, 8, 0, 0);
	hd_broken(PVROM_VQ_REASON_OVERRUN);
}

const struct hostile_case hostile_packed[] = {
	CASE(PACKED_END, endless, "packed: list without an end"),
	CASE(PACKED_END, endless_into_flight, "packed: list that goes on into what is in flight"),
	CASE(PACKED_END, endless_of_one, "packed: list without an end in a ring of one"),
	CASE(PACKED_END, endless_over_wrap, "packed: list without an end over the ring's end"),
	CASE(PACKED_END, endless_in_order, "packed: list without an end, in order"),
	CASE(PACKED_END, endless_and_faulty, "packed: faulty list without an end"),
	CASE(PACKED_END, endless_tables, "packed: list of tables without an end"),
	CASE(PACKED_END, endless_unfinished, "packed: list into what was not yet shown as used"),
	CASE(PACKED_OVERRUN, overrun, "packed: one more while all are in flight"),
	CASE(PACKED_OVERRUN, overrun_of_one, "packed: one more in a ring of one"),
	CASE(PACKED_OVERRUN, overrun_list, "packed: a list more while all are in flight"),
	CASE(PACKED_OVERRUN, overrun_in_order,
	     "packed: one more while all are in flight, in order"),
	CASE(PACKED_OVERRUN, overrun_by_a_list, "packed: one more behind a list of the whole ring"),
	CASE(PACKED_OVERRUN, overrun_not_shown, "packed: one more before any was shown as used"),
	CASE(PACKED_OVERRUN, overrun_second_lap, "packed: one more in the second lap"),
	CASE(PACKED_OVERRUN, overrun_after_crash, "packed: one more than a crash left free"),
	{ 0 }
};
