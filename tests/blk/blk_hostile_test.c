/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Drivers that ask what may not be asked. Each case belongs to a check of the device, and is also run with that
 * check taken out, where it must go wrong.
 */
#include <stdio.h>
#include <string.h>

#include "../cunit_tap.h"
#include "../../pvblk/blk_host_internal.h"
#include "blk_world.h"

#define DISK_FEATURES                                                                              \
	(PVROM_BLK_F_FLUSH | PVROM_BLK_F_DISCARD | PVROM_BLK_F_WRITE_ZEROES |                      \
	 PVROM_BLK_F_SECURE_ERASE | PVROM_BLK_F_SIZE_MAX)

static const struct pvrom_blk_host_setup ranged = { .size_max = 65536,
						    .discard_ranges = 4,
						    .discard_sectors = 100,
						    .zeroes_ranges = 4,
						    .zeroes_sectors = 100,
						    .erase_ranges = 2,
						    .erase_sectors = 50 };
static const struct pvrom_blk_host_setup read_only = { .read_only = true };

/* Refused with that status, and the disk was not touched. */
static bool refused(const struct world *w, int status, int wanted)
{
	return status == wanted && !w->asked_count;
}

static bool one(struct world *w, uint32_t type, uint64_t sector, uint32_t length, int wanted)
{
	return refused(w, world_request(w, type, sector, length), wanted);
}

static bool range(struct world *w, uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags,
		  int wanted)
{
	const struct pvrom_blk_range r = { sector, sectors, flags };

	return refused(w, world_ranges(w, type, &r, 1), wanted);
}

/* A buffer by hand: whatever came of it, it came back, with `length`, and the disk was not touched. */
static bool by_hand(struct world *w, const struct piece *piece, uint32_t readable,
		    uint32_t writable, int status, uint32_t length)
{
	struct pvrom_vq_done done = { .len = 0 };
	struct pvrom_blk_header *h = world_at(w, WORLD_HEADER);

	*h = (struct pvrom_blk_header){ PVROM_BLK_T_OUT, 0, 1 };
	*(uint8_t *)world_at(w, WORLD_STATUS) = 0xff;
	if (!world_put(w, piece, readable, writable, w))
		return false;
	world_run(w);
	return world_get(w, &done) && done.len == length && !w->asked_count &&
	       *(uint8_t *)world_at(w, WORLD_STATUS) == status;
}

/* ---- the cases ----------------------------------------------------------------------------------------- */

static bool data_outside_memory(struct world *w)
{
	const struct piece p[] = { { WORLD_HEADER, 16 },
				   { WORLD_MEMORY, 512 },
				   { WORLD_STATUS, 1 } };

	return by_hand(w, p, 2, 1, PVROM_BLK_S_IOERR, 0);
}
static bool data_across_the_end(struct world *w)
{
	const struct piece p[] = { { WORLD_HEADER, 16 },
				   { WORLD_MEMORY - 256, 512 },
				   { WORLD_STATUS, 1 } };

	return by_hand(w, p, 2, 1, PVROM_BLK_S_IOERR, 0);
}
static bool data_wraps(struct world *w)
{
	const struct piece p[] = { { WORLD_HEADER, 16 },
				   { UINT64_MAX - 255, 512 },
				   { WORLD_STATUS, 1 } };

	return by_hand(w, p, 2, 1, PVROM_BLK_S_IOERR, 0);
}
static bool no_writable_byte(struct world *w)
{
	const struct piece p[] = { { WORLD_HEADER, 16 }, { WORLD_DATA, 512 } };

	return by_hand(w, p, 2, 0, 0xff, 0);
}
static bool header_alone(struct world *w)
{
	const struct piece p[] = { { WORLD_HEADER, 16 } };

	return by_hand(w, p, 1, 0, 0xff, 0);
}
static bool status_alone(struct world *w)
{
	const struct piece p[] = { { WORLD_STATUS, 1 } };

	return by_hand(w, p, 0, 1, PVROM_BLK_S_IOERR, 1);
}
static bool header_of_15(struct world *w)
{
	const struct piece p[] = { { WORLD_HEADER, 15 }, { WORLD_STATUS, 1 } };

	return by_hand(w, p, 1, 1, PVROM_BLK_S_IOERR, 1);
}
static bool header_of_15_and_data_in(struct world *w)
{
	const struct piece p[] = { { WORLD_HEADER, 15 }, { WORLD_DATA, 512 }, { WORLD_STATUS, 1 } };

	return by_hand(w, p, 1, 2, PVROM_BLK_S_IOERR, 0);
}
static bool write_with_data_in(struct world *w)
{
	const struct piece p[] = { { WORLD_HEADER, 16 },
				   { WORLD_DATA, 512 },
				   { WORLD_DATA + 512, 512 },
				   { WORLD_STATUS, 1 } };

	return by_hand(w, p, 2, 2, PVROM_BLK_S_IOERR, 0);
}
static bool write_of_511(struct world *w)
{
	return one(w, PVROM_BLK_T_OUT, 0, 511, PVROM_BLK_S_IOERR);
}
static bool write_of_513(struct world *w)
{
	return one(w, PVROM_BLK_T_OUT, 0, 513, PVROM_BLK_S_IOERR);
}
static bool read_of_1(struct world *w)
{
	return one(w, PVROM_BLK_T_IN, 0, 1, PVROM_BLK_S_IOERR);
}
static bool read_past_the_end(struct world *w)
{
	return one(w, PVROM_BLK_T_IN, WORLD_SECTORS, 512, PVROM_BLK_S_IOERR);
}
static bool read_across_the_end(struct world *w)
{
	return one(w, PVROM_BLK_T_IN, WORLD_SECTORS - 1, 1024, PVROM_BLK_S_IOERR);
}
static bool write_far_away(struct world *w)
{
	return one(w, PVROM_BLK_T_OUT, UINT64_MAX, 512, PVROM_BLK_S_IOERR);
}
static bool write_where_bytes_wrap(struct world *w)
{
	return one(w, PVROM_BLK_T_OUT, 1ull << 55, 512, PVROM_BLK_S_IOERR);
}
static bool write_where_sectors_wrap(struct world *w)
{
	return one(w, PVROM_BLK_T_OUT, UINT64_MAX - 1, 4096, PVROM_BLK_S_IOERR);
}
static bool segment_too_long(struct world *w)
{
	return one(w, PVROM_BLK_T_IN, 0, 65536 + 512, PVROM_BLK_S_IOERR);
}
static bool flush_with_data(struct world *w)
{
	return one(w, PVROM_BLK_T_FLUSH, 0, 512, PVROM_BLK_S_IOERR);
}
static bool id_into_19(struct world *w)
{
	return one(w, PVROM_BLK_T_GET_ID, 0, 19, PVROM_BLK_S_IOERR);
}
static bool id_into_0(struct world *w)
{
	return one(w, PVROM_BLK_T_GET_ID, 0, 0, PVROM_BLK_S_IOERR);
}
static bool discard_not_negotiated(struct world *w)
{
	w->host.accepted &= ~PVROM_BLK_F_DISCARD;
	return range(w, PVROM_BLK_T_DISCARD, 0, 8, 0, PVROM_BLK_S_UNSUPP);
}
static bool zeroes_not_negotiated(struct world *w)
{
	w->host.accepted &= ~PVROM_BLK_F_WRITE_ZEROES;
	return range(w, PVROM_BLK_T_WRITE_ZEROES, 0, 8, 0, PVROM_BLK_S_UNSUPP);
}
static bool erase_not_negotiated(struct world *w)
{
	w->host.accepted &= ~PVROM_BLK_F_SECURE_ERASE;
	return range(w, PVROM_BLK_T_SECURE_ERASE, 0, 8, 0, PVROM_BLK_S_UNSUPP);
}
static bool no_range(struct world *w)
{
	return one(w, PVROM_BLK_T_DISCARD, 0, 0, PVROM_BLK_S_IOERR);
}
static bool half_a_range(struct world *w)
{
	memset(world_at(w, WORLD_DATA), 0, 64);
	((struct pvrom_blk_range *)world_at(w, WORLD_DATA))->num_sectors = 8;
	return one(w, PVROM_BLK_T_DISCARD, 0, 24, PVROM_BLK_S_IOERR);
}
static bool five_ranges(struct world *w)
{
	const struct pvrom_blk_range r[5] = { { 0, 8, 0 }, { 8, 8, 0 } };

	return refused(w, world_ranges(w, PVROM_BLK_T_DISCARD, r, 5), PVROM_BLK_S_IOERR);
}
static bool three_erasures(struct world *w)
{
	const struct pvrom_blk_range r[3] = { { 0, 8, 0 }, { 8, 8, 0 } };

	return refused(w, world_ranges(w, PVROM_BLK_T_SECURE_ERASE, r, 3), PVROM_BLK_S_IOERR);
}
static bool a_thousand_ranges(struct world *w)
{
	static const struct pvrom_blk_range r[1000] = { { 0, 8, 0 } };

	return refused(w, world_ranges(w, PVROM_BLK_T_WRITE_ZEROES, r, 1000), PVROM_BLK_S_IOERR);
}
static bool ranges_with_data_in(struct world *w)
{
	const struct piece p[] = { { WORLD_HEADER, 16 },
				   { WORLD_DATA, 16 },
				   { WORLD_DATA + 512, 512 },
				   { WORLD_STATUS, 1 } };
	struct pvrom_vq_done done;

	*(struct pvrom_blk_header *)world_at(w, WORLD_HEADER) =
		(struct pvrom_blk_header){ PVROM_BLK_T_DISCARD, 0, 0 };
	*(struct pvrom_blk_range *)world_at(w, WORLD_DATA) = (struct pvrom_blk_range){ 0, 8, 0 };
	world_put(w, p, 2, 2, w);
	world_run(w);
	return world_get(w, &done) && !w->asked_count;
}
static bool discard_with_unmap(struct world *w)
{
	return range(w, PVROM_BLK_T_DISCARD, 0, 8, PVROM_BLK_RANGE_UNMAP, PVROM_BLK_S_UNSUPP);
}
static bool erase_with_unmap(struct world *w)
{
	return range(w, PVROM_BLK_T_SECURE_ERASE, 0, 8, PVROM_BLK_RANGE_UNMAP, PVROM_BLK_S_UNSUPP);
}
static bool zeroes_with_unknown_flag(struct world *w)
{
	return range(w, PVROM_BLK_T_WRITE_ZEROES, 0, 8, 2, PVROM_BLK_S_UNSUPP);
}
static bool discard_with_all_flags(struct world *w)
{
	return range(w, PVROM_BLK_T_DISCARD, 0, 8, 0xffffffff, PVROM_BLK_S_UNSUPP);
}
static bool bad_flag_in_second_range(struct world *w)
{
	const struct pvrom_blk_range r[2] = { { 0, 8, 0 }, { 8, 8, 4 } };

	return refused(w, world_ranges(w, PVROM_BLK_T_WRITE_ZEROES, r, 2), PVROM_BLK_S_UNSUPP);
}
static bool discard_too_long(struct world *w)
{
	return range(w, PVROM_BLK_T_DISCARD, 0, 101, 0, PVROM_BLK_S_IOERR);
}
static bool erase_too_long(struct world *w)
{
	return range(w, PVROM_BLK_T_SECURE_ERASE, 0, 51, 0, PVROM_BLK_S_IOERR);
}
static bool discard_past_the_end(struct world *w)
{
	return range(w, PVROM_BLK_T_DISCARD, WORLD_SECTORS, 1, 0, PVROM_BLK_S_IOERR);
}
static bool zeroes_across_the_end(struct world *w)
{
	return range(w, PVROM_BLK_T_WRITE_ZEROES, WORLD_SECTORS - 4, 8, 0, PVROM_BLK_S_IOERR);
}
static bool zeroes_where_sectors_wrap(struct world *w)
{
	return range(w, PVROM_BLK_T_WRITE_ZEROES, UINT64_MAX - 4, 8, 0, PVROM_BLK_S_IOERR);
}
static bool second_range_past_the_end(struct world *w)
{
	const struct pvrom_blk_range r[2] = { { 0, 8, 0 }, { WORLD_SECTORS, 8, 0 } };

	return refused(w, world_ranges(w, PVROM_BLK_T_DISCARD, r, 2), PVROM_BLK_S_IOERR);
}
static bool write_read_only(struct world *w)
{
	return one(w, PVROM_BLK_T_OUT, 0, 512, PVROM_BLK_S_IOERR);
}
static bool discard_read_only(struct world *w)
{
	return range(w, PVROM_BLK_T_DISCARD, 0, 8, 0, PVROM_BLK_S_IOERR);
}
static bool type_of_nothing(struct world *w)
{
	return one(w, 77, 0, 0, PVROM_BLK_S_UNSUPP);
}
static bool type_of_scsi(struct world *w)
{
	return one(w, 2, 0, 0, PVROM_BLK_S_UNSUPP);
}
static bool type_with_high_bits(struct world *w)
{
	return one(w, 0x80000000u | PVROM_BLK_T_OUT, 0, 512, PVROM_BLK_S_UNSUPP);
}
static bool type_lifetime(struct world *w)
{
	return one(w, PVROM_BLK_T_GET_LIFETIME, 0, 0, PVROM_BLK_S_UNSUPP);
}

static const struct hostile {
	const char *name;
	enum blk_check check;
	bool (*run)(struct world *w);
	const struct pvrom_blk_host_setup *setup;
} cases[] = {
#define CASE(name, check)                                                                          \
	{                                                                                          \
#name, BLK_CHECK_##check, name, &ranged                                            \
	}
	CASE(data_outside_memory, FAULT),
	CASE(data_across_the_end, NONE),
	CASE(data_wraps, FAULT),
	CASE(no_writable_byte, NO_STATUS),
	CASE(header_alone, NONE),
	CASE(status_alone, HEADER_SHORT),
	CASE(header_of_15, HEADER_SHORT),
	CASE(header_of_15_and_data_in, NONE),
	CASE(write_with_data_in, WRONG_WAY),
	CASE(write_of_511, SECTORS),
	CASE(write_of_513, SECTORS),
	CASE(read_of_1, SECTORS),
	CASE(read_past_the_end, CAPACITY),
	CASE(read_across_the_end, CAPACITY),
	CASE(write_far_away, CAPACITY),
	CASE(write_where_bytes_wrap, CAPACITY),
	CASE(write_where_sectors_wrap, CAPACITY),
	CASE(segment_too_long, SIZE_MAX),
	CASE(flush_with_data, FLUSH_DATA),
	CASE(id_into_19, ID_DATA),
	CASE(id_into_0, ID_DATA),
	CASE(discard_not_negotiated, RANGE_FEATURE),
	CASE(zeroes_not_negotiated, RANGE_FEATURE),
	CASE(erase_not_negotiated, RANGE_FEATURE),
	CASE(no_range, RANGE_COUNT),
	CASE(half_a_range, RANGE_COUNT),
	CASE(five_ranges, RANGE_COUNT),
	CASE(three_erasures, RANGE_COUNT),
	CASE(a_thousand_ranges, RANGE_COUNT),
	CASE(ranges_with_data_in, RANGE_WAY),
	CASE(discard_with_unmap, RANGE_FLAGS),
	CASE(erase_with_unmap, RANGE_FLAGS),
	CASE(zeroes_with_unknown_flag, RANGE_FLAGS),
	CASE(discard_with_all_flags, RANGE_FLAGS),
	CASE(bad_flag_in_second_range, RANGE_FLAGS),
	CASE(discard_too_long, RANGE_LENGTH),
	CASE(erase_too_long, RANGE_LENGTH),
	CASE(discard_past_the_end, RANGE_CAPACITY),
	CASE(zeroes_across_the_end, RANGE_CAPACITY),
	CASE(zeroes_where_sectors_wrap, RANGE_CAPACITY),
	CASE(second_range_past_the_end, RANGE_CAPACITY),
	{ "write_read_only", BLK_CHECK_READ_ONLY, write_read_only, &read_only },
	{ "discard_read_only", BLK_CHECK_READ_ONLY, discard_read_only, &read_only },
	CASE(type_of_nothing, UNKNOWN_TYPE),
	CASE(type_of_scsi, UNKNOWN_TYPE),
	CASE(type_with_high_bits, UNKNOWN_TYPE),
	CASE(type_lifetime, UNKNOWN_TYPE),
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

/* After it the device still works: a case that jams it fails. */
static bool run_case(const struct hostile *h, uint64_t ring)
{
	const uint64_t accept = h->setup == &read_only ? PVROM_BLK_F_RO : DISK_FEATURES;
	struct world *w = world_open(h->setup, ring, accept);
	bool good;

	if (!w)
		return false;
	good = h->run(w) && world_request(w, PVROM_BLK_T_IN, 3, 512) == PVROM_BLK_S_OK &&
	       !w->host.in_work;
	world_close(w);
	return good;
}

static void all_cases(uint64_t ring)
{
	size_t i;

	for (i = 0; i < CASES; i++) {
		const bool good = run_case(&cases[i], ring);

		if (!good)
			tap_note("%s", cases[i].name);
		CU_ASSERT_TRUE(good);
	}
}

static void split_ring(void)
{
	all_cases(PVROM_VQ_F_EVENT_IDX);
}

static void packed_ring(void)
{
	all_cases(PVROM_VQ_F_RING_PACKED);
}

/* Some are refused by a second check too, once the first one is out. */
static bool has_two_checks(const struct hostile *h)
{
	return h->run == discard_read_only || h->check == BLK_CHECK_NONE;
}

static void each_check_is_needed(void)
{
	bool noticed[BLK_CHECK_COUNT] = { false };
	size_t i;

	for (i = 0; i < CASES; i++) {
		if (has_two_checks(&cases[i]))
			continue;
		pvrom_blk_removed = cases[i].check;
		noticed[cases[i].check] = true;
		if (run_case(&cases[i], 0)) {
			tap_note("%s passes without its check", cases[i].name);
			CU_FAIL("a case that proves nothing");
		}
	}
	pvrom_blk_removed = BLK_CHECK_NONE;
	for (i = 1; i < BLK_CHECK_COUNT; i++)
		CU_ASSERT_TRUE(noticed[i]);
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "47 hostile requests, split ring [PVROM-BLK-1] [PVROM-BLK-2]", split_ring },
		{ "the same, packed ring [PVROM-BLK-5] [PVROM-BLK-7] [PVROM-BLK-8]", packed_ring },
		{ "each goes wrong without its check", each_check_is_needed },
		{ 0 }
	};

	_Static_assert(CASES == 47, "as the name says");
	return tap_run("blk hostile", tests);
}
