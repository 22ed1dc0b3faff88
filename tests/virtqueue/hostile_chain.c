/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Hostile drivers, chains in either format: order, addresses, pieces, indirect tables.
 *
 * Packed and split reach this by different code (device_packed.c, device_split.c), so a case of both is two.
 */
#include "hostile_ring.h"
#include "hostile_lists.h"

static const uint64_t formats[] = { F_SPLIT, F_PACKED };

/* Two functions, one for each format, of one that takes the features. */
#define BOTH(fn)                                                                                   \
	static void fn##_split(void)                                                               \
	{                                                                                          \
		fn(formats[0]);                                                                    \
	}                                                                                          \
	static void fn##_packed(void)                                                              \
	{                                                                                          \
		fn(formats[1]);                                                                    \
	}
#define CASES(check, fn, name)                                                                     \
	CASE(check, fn##_split, "split: " name), CASE(check, fn##_packed, "packed: " name)

/* Two descriptors, made available as one chain with id 0. */
static void two(uint64_t a, uint32_t a_len, uint32_t a_flags, uint64_t b, uint32_t b_len,
		uint32_t b_flags)
{
	if (world.device_config.features & PVROM_VQ_F_RING_PACKED) {
		hd_put(a, a_len, 0, a_flags | NEXT);
		hd_put(b, b_len, 0, b_flags);
		return;
	}
	hd_desc(0, a, a_len, a_flags | NEXT, 7);
	hd_desc(7, b, b_len, b_flags, 0);
	hd_avail(0);
}

/* ---- order --------------------------------------------------------------------------------------- */

static void readable_last(uint64_t features)
{
	hd_begin(features, 8);
	two(DATA, 8, WRITE, DATA, 8, 0);
	hd_fault(PVROM_VQ_FAULT_WRITABLE_FIRST, 0);
}
BOTH(readable_last)

static void readable_nothing_last(uint64_t features)
{
	hd_begin(features, 8);
	two(DATA, 8, WRITE, DATA, 0, 0);
	hd_fault(PVROM_VQ_FAULT_WRITABLE_FIRST, 0);
}
BOTH(readable_nothing_last)

static void readable_last_in_table(uint64_t features)
{
	hd_begin(features | F_INDIRECT, 8);
	hd_table(TABLE, 0, DATA, 8, WRITE | NEXT, 1);
	hd_table(TABLE, 1, DATA, 8, 0, 0);
	hd_one(0, TABLE, 32, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_WRITABLE_FIRST, 0);
}
BOTH(readable_last_in_table)

/* ---- how much ------------------------------------------------------------------------------------ */

/* 1025 entries of 4 MiB, the same memory each time. */
static void too_big(uint64_t features)
{
	uint32_t i;

	hd_begin(features | F_INDIRECT, 8);
	world.device_config.chain_max = 2000;
	EXPECT(ring_world_restart(&world) == PVROM_VQ_OK);
	req.room = PIECES_MAX;
	for (i = 0; i < 1025; i++)
		hd_table(TABLE, i, RING_BASE, 4u << 20, NEXT, i + 1);
	hd_table(TABLE, 1025, RING_BASE, 1, 0, 0);
	hd_one(0, TABLE, 1026 * 16, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_TOO_BIG, 0);
}
BOTH(too_big)

static void too_long_table(uint64_t features)
{
	uint32_t i;

	hd_begin(features | F_INDIRECT, 8);
	req.room = PIECES_MAX;
	for (i = 0; i < 1025; i++)
		hd_table(TABLE, i, DATA, 1, i < 1024 ? NEXT : 0, i + 1);
	hd_one(0, TABLE, 1025 * 16, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_LOOP, 0);
}
BOTH(too_long_table)

static void own_limit(uint64_t features)
{
	hd_begin(features, 8);
	world.device_config.chain_max = 1;
	EXPECT(ring_world_restart(&world) == PVROM_VQ_OK);
	two(DATA, 8, 0, DATA, 8, WRITE);
	hd_fault(PVROM_VQ_FAULT_LOOP, 0);
}
BOTH(own_limit)

static void no_room(uint64_t features)
{
	hd_begin(features, 8);
	req.room = 1;
	two(DATA, 8, 0, DATA, 8, 0);
	hd_fault(PVROM_VQ_FAULT_TOO_MANY, 0);
}
BOTH(no_room)

static void no_room_at_all(uint64_t features)
{
	hd_begin(features, 8);
	req.room = 0;
	hd_one(0, DATA, 8, 0);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_OK);
	EXPECT(req.fault == PVROM_VQ_FAULT_TOO_MANY);
	hd_back(0, 0);
}
BOTH(no_room_at_all)

/* One descriptor, but two pieces. */
static void no_room_at_seam(uint64_t features)
{
	hd_begin(features, 8);
	req.room = 1;
	hd_one(0, RING_SEAM - 8, 16, WRITE);
	hd_fault(PVROM_VQ_FAULT_TOO_MANY, 0);
}
BOTH(no_room_at_seam)

static void no_room_in_table(uint64_t features)
{
	hd_begin(features | F_INDIRECT, 8);
	req.room = 1;
	hd_table(TABLE, 0, DATA, 8, NEXT, 1);
	hd_table(TABLE, 1, DATA, 8, 0, 0);
	hd_one(0, TABLE, 32, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_TOO_MANY, 0);
}
BOTH(no_room_in_table)

/* A status can still be given. */
static void status_without_room(uint64_t features)
{
	hd_begin(features, 8);
	req.room = 1;
	two(DATA, 8, 0, DATA + 100, 8, WRITE);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_OK);
	EXPECT(req.fault == PVROM_VQ_FAULT_TOO_MANY);
	EXPECT(req.last == ring_at(&world, DATA + 107) && req.last_gpa.gpa == DATA + 107);
	hd_back(0, 0);
}
BOTH(status_without_room)

/* ---- where --------------------------------------------------------------------------------------- */

static void buffer_wraps(uint64_t features)
{
	hd_begin(features, 8);
	hd_one(0, UINT64_MAX - 7, 16, 0);
	hd_fault(PVROM_VQ_FAULT_ADDRESS, 0);
	EXPECT(!world.violations);
}
BOTH(buffer_wraps)

static void buffer_ends_at_top(uint64_t features)
{
	hd_begin(features, 8);
	hd_one(0, UINT64_MAX - 15, 16, WRITE);
	hd_fault(PVROM_VQ_FAULT_ADDRESS, 0);
	EXPECT(!world.violations);
}
BOTH(buffer_ends_at_top)

static void buffer_wraps_in_table(uint64_t features)
{
	hd_begin(features | F_INDIRECT, 8);
	hd_table(TABLE, 0, UINT64_MAX - 7, 0xffffffff, 0, 0);
	hd_one(0, TABLE, 16, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_ADDRESS, 0);
	EXPECT(!world.violations);
}
BOTH(buffer_wraps_in_table)

static void buffer_at_zero(uint64_t features)
{
	hd_begin(features, 8);
	hd_one(0, 0, 16, 0);
	hd_fault(PVROM_VQ_FAULT_ADDRESS, 0);
}
BOTH(buffer_at_zero)

static void buffer_behind_end(uint64_t features)
{
	hd_begin(features, 8);
	hd_one(0, RING_END, 1, WRITE);
	hd_fault(PVROM_VQ_FAULT_ADDRESS, 0);
}
BOTH(buffer_behind_end)

static void buffer_over_end(uint64_t features)
{
	hd_begin(features, 8);
	hd_one(0, RING_END - 16, 17, WRITE);
	hd_fault(PVROM_VQ_FAULT_ADDRESS, 0);
}
BOTH(buffer_over_end)

static void buffer_huge(uint64_t features)
{
	hd_begin(features, 8);
	hd_one(0, DATA, 0xffffffff, WRITE);
	hd_fault(PVROM_VQ_FAULT_ADDRESS, 0);
}
BOTH(buffer_huge)

static void buffer_outside_in_table(uint64_t features)
{
	hd_begin(features | F_INDIRECT, 8);
	hd_table(TABLE, 0, DATA, 8, NEXT, 1);
	hd_table(TABLE, 1, RING_BASE - 1, 2, WRITE, 0);
	hd_one(0, TABLE, 32, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_ADDRESS, 0);
}
BOTH(buffer_outside_in_table)

/* The byte for a status is outside, the rest is all right. */
static void status_outside(uint64_t features)
{
	hd_begin(features, 8);
	two(DATA, 8, 0, RING_END, 1, WRITE);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_OK);
	EXPECT(req.fault == PVROM_VQ_FAULT_ADDRESS && !req.last);
	hd_back(0, 0);
	hd_good();
}
BOTH(status_outside)

/* The data is outside, the status is not. */
static void data_outside(uint64_t features)
{
	hd_begin(features, 8);
	two(RING_END, 8, WRITE, DATA, 1, WRITE);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_OK);
	EXPECT(req.fault == PVROM_VQ_FAULT_ADDRESS && req.last == ring_at(&world, DATA));
	hd_back(0, 0);
	hd_good();
}
BOTH(data_outside)

static void seam_read(uint64_t features)
{
	uint8_t bytes[16];

	hd_begin(features, 8);
	*(uint8_t *)ring_at(&world, RING_SEAM) = 77;
	hd_one(0, RING_SEAM - 8, 16, 0);
	hd_pop(2, 0);
	EXPECT(pvrom_vq_request_read(&req, 0, bytes, 16) == 16 && bytes[8] == 77);
	hd_back(0, 0);
}
BOTH(seam_read)

static void seam_write(uint64_t features)
{
	static const uint8_t bytes[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

	hd_begin(features, 8);
	hd_one(0, RING_SEAM - 8, 16, WRITE);
	hd_pop(0, 2);
	EXPECT(pvrom_vq_request_write(&world.device, &req, 0, bytes, 16) == 16);
	EXPECT(*(uint8_t *)ring_at(&world, RING_SEAM) == 9);
	EXPECT(*((uint8_t *)ring_at(&world, RING_SEAM - 1) + 1) == 0);
	hd_back(0, 16);
}
BOTH(seam_write)

static void seam_in_table(uint64_t features)
{
	hd_begin(features | F_INDIRECT, 8);
	hd_table(TABLE, 0, RING_SEAM - 1, 2, WRITE, 0);
	hd_one(0, TABLE, 16, INDIRECT);
	hd_pop(0, 2);
	hd_back(0, 2);
}
BOTH(seam_in_table)

/* ---- tables -------------------------------------------------------------------------------------- */

static void table_not_negotiated(uint64_t features)
{
	hd_begin(features, 8);
	hd_table(TABLE, 0, DATA, 8, 0, 0);
	hd_one(0, TABLE, 16, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_NOT_NEGOTIATED, 0);
}
BOTH(table_not_negotiated)

/* A length that is no number of descriptors. */
#define TABLE_LENGTH_CASE(name, len)                                                               \
	static void name(uint64_t features)                                                        \
	{                                                                                          \
		hd_begin(features | F_INDIRECT, 8);                                                \
		hd_table(TABLE, 0, DATA, 8, 0, 0);                                                 \
		hd_one(0, TABLE, len, INDIRECT);                                                   \
		hd_fault(PVROM_VQ_FAULT_TABLE_SIZE, 0);                                            \
	}                                                                                          \
	BOTH(name)

TABLE_LENGTH_CASE(table_empty, 0)
TABLE_LENGTH_CASE(table_cut, 31)
TABLE_LENGTH_CASE(table_below_one, 15)

static void table_outside(uint64_t features)
{
	hd_begin(features | F_INDIRECT, 8);
	hd_one(0, RING_END, 16, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_TABLE_ADDRESS, 0);
}
BOTH(table_outside)

static void table_half_outside(uint64_t features)
{
	hd_begin(features | F_INDIRECT, 8);
	hd_table(RING_END - 24, 0, DATA, 8, NEXT, 1);
	hd_one(0, RING_END - 24, 32, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_TABLE_ADDRESS, 0);
}
BOTH(table_half_outside)

static void table_wraps(uint64_t features)
{
	hd_begin(features | F_INDIRECT, 8);
	hd_one(0, UINT64_MAX - 15, 32, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_TABLE_ADDRESS, 0);
	EXPECT(!world.violations);
}
BOTH(table_wraps)

/* ---- only one format ----------------------------------------------------------------------------- */

static void table_in_table(void)
{
	hd_begin(F_SPLIT | F_INDIRECT, 8);
	hd_table(TABLE, 0, TABLE, 16, INDIRECT, 0);
	hd_one(0, TABLE, 16, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_NESTED, 0);
}

static void table_in_table_later(void)
{
	hd_begin(F_SPLIT | F_INDIRECT, 8);
	hd_table(TABLE, 0, DATA, 8, NEXT, 1);
	hd_table(TABLE, 1, TABLE + 64, 16, INDIRECT, 0);
	hd_table(TABLE + 64, 0, DATA, 8, 0, 0);
	hd_one(0, TABLE, 32, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_NESTED, 0);
}

static void table_has_next(void)
{
	hd_begin(F_SPLIT | F_INDIRECT, 8);
	hd_table(TABLE, 0, DATA, 8, 0, 0);
	hd_desc(0, TABLE, 16, INDIRECT | NEXT, 1);
	hd_desc(1, DATA, 8, WRITE, 0);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_INDIRECT_NEXT, 0);
}

static void chain_then_table_not_negotiated(void)
{
	hd_begin(F_SPLIT, 8);
	hd_table(TABLE, 0, DATA, 8, WRITE, 0);
	two(DATA, 8, 0, TABLE, 16, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_NOT_NEGOTIATED, 0);
}

/* 2.7.5.3.2 wants the device to take this, but not in the wrong order. */
static void chain_then_table_order(void)
{
	hd_begin(F_SPLIT | F_INDIRECT, 8);
	hd_table(TABLE, 0, DATA, 8, 0, 0);
	two(DATA, 8, WRITE, TABLE, 16, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_WRITABLE_FIRST, 0);
}

static void chain_then_table_length(void)
{
	hd_begin(F_SPLIT | F_INDIRECT, 8);
	world.device_config.chain_max = 2;
	EXPECT(ring_world_restart(&world) == PVROM_VQ_OK);
	hd_table(TABLE, 0, DATA, 8, NEXT, 1);
	hd_table(TABLE, 1, DATA, 8, 0, 0);
	hd_desc(0, DATA, 8, NEXT, 7);
	hd_desc(7, TABLE, 32, INDIRECT, 0);
	hd_avail(0);
	hd_fault(PVROM_VQ_FAULT_LOOP, 0);
}

static void list_with_table_first(void)
{
	hd_begin(F_PACKED | F_INDIRECT, 8);
	hd_table(TABLE, 0, DATA, 8, 0, 0);
	two(TABLE, 16, INDIRECT, DATA, 8, WRITE);
	hd_fault(PVROM_VQ_FAULT_INDIRECT_NEXT, 0);
}

static void list_with_table_last(void)
{
	hd_begin(F_PACKED | F_INDIRECT, 8);
	hd_table(TABLE, 0, DATA, 8, WRITE, 0);
	two(DATA, 8, 0, TABLE, 16, INDIRECT);
	hd_fault(PVROM_VQ_FAULT_INDIRECT_NEXT, 0);
}

const struct hostile_case hostile_chain[] = {
	CASES(CHAIN_ORDER, readable_last, "readable behind writable"),
	CASES(CHAIN_ORDER, readable_nothing_last, "readable of no bytes behind writable"),
	CASES(CHAIN_ORDER, readable_last_in_table, "readable behind writable in a table"),
	CASES(CHAIN_BYTES, too_big, "more than 2^32 bytes"),
	CASES(CHAIN_LENGTH, too_long_table, "table longer than a chain may be"),
	CASES(CHAIN_LENGTH, own_limit, "chain longer than the device's own limit"),
	CASES(CHAIN_ROOM, no_room, "more descriptors than room"),
	CASES(CHAIN_ROOM, no_room_at_all, "no room at all"),
	CASES(CHAIN_ROOM, no_room_at_seam, "one descriptor that needs two pieces"),
	CASES(CHAIN_ROOM, no_room_in_table, "more entries of a table than room"),
	CASES(CHAIN_ROOM, status_without_room, "more descriptors than room, and a status"),
	CASES(BUFFER_WRAP, buffer_wraps, "buffer that wraps around"),
	CASES(BUFFER_WRAP, buffer_ends_at_top, "buffer up to the last byte of all"),
	CASES(BUFFER_WRAP, buffer_wraps_in_table, "buffer in a table that wraps around"),
	CASES(BUFFER_MEMORY, buffer_at_zero, "buffer where no memory begins"),
	CASES(BUFFER_MEMORY, buffer_behind_end, "buffer behind the end of memory"),
	CASES(BUFFER_MEMORY, buffer_over_end, "buffer one byte over the end of memory"),
	CASES(BUFFER_MEMORY, buffer_huge, "buffer of 4 GiB"),
	CASES(BUFFER_MEMORY, buffer_outside_in_table, "buffer outside memory, in a table"),
	CASES(BUFFER_MEMORY, status_outside, "status outside memory"),
	CASES(BUFFER_MEMORY, data_outside, "data outside memory, status inside"),
	CASES(BUFFER_PIECE, seam_read, "readable buffer over a seam of memory"),
	CASES(BUFFER_PIECE, seam_write, "writable buffer over a seam of memory"),
	CASES(BUFFER_PIECE, seam_in_table, "buffer in a table over a seam of memory"),
	CASES(TABLE_FEATURE, table_not_negotiated, "table without the feature"),
	CASES(TABLE_SIZE, table_empty, "table of no bytes"),
	CASES(TABLE_SIZE, table_cut, "table with half an entry"),
	CASES(TABLE_SIZE, table_below_one, "table of less than one entry"),
	CASES(TABLE_MEMORY, table_outside, "table outside memory"),
	CASES(TABLE_MEMORY, table_half_outside, "table over the end of memory"),
	CASES(TABLE_WRAP, table_wraps, "table that wraps around"),
	CASE(TABLE_NESTED, table_in_table, "split: table in itself"),
	CASE(TABLE_NESTED, table_in_table_later, "split: table in a table"),
	CASE(TABLE_NEXT, table_has_next, "split: table with a next descriptor"),
	CASE(TABLE_FEATURE, chain_then_table_not_negotiated,
	     "split: chain, then a table without the feature"),
	CASE(CHAIN_ORDER, chain_then_table_order, "split: writable chain, then a readable table"),
	CASE(CHAIN_LENGTH, chain_then_table_length, "split: chain and table longer than the limit"),
	CASE(TABLE_NEXT, list_with_table_first, "packed: list that begins with a table"),
	CASE(TABLE_NEXT, list_with_table_last, "packed: list that ends with a table"),
	{ 0 }
};
