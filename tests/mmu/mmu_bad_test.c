/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Bad input: what a guest may not ask for is answered with a status, and nothing has changed: neither what is
 * registered, nor the guest's memory, nor what its accesses come to.
 */
#include <CUnit/CUnit.h>
#include <string.h>

#include "../cunit_tap.h"
#include "mmu_os.h"

#define NONE PVROM_MMU_NONE
#define TABLE 0x20000ull /* a page for a table that the guest does not use yet */
#define RING 0x3000ull	 /* for a ring of vCPU 1's; its own one is elsewhere */

static uint8_t before[WORLD_PAGES][4096];
static struct pvrom_mmu_stats stats_before;

static void open_world(uint32_t vcpus)
{
	world.gib_pages = true;
	world_open(vcpus, 2048, true, 1);
	os_boot(1);
}

static void remember(void)
{
	memcpy(before, world.memory, sizeof(before));
	pvrom_mmu_get_stats(world.mmu, &stats_before);
}

static void nothing_changed(void)
{
	struct pvrom_mmu_stats now;

	pvrom_mmu_get_stats(world.mmu, &now);
	CU_ASSERT_EQUAL(now.registered, stats_before.registered);
	CU_ASSERT_EQUAL(now.resident, stats_before.resident);
	CU_ASSERT_FALSE(memcmp(before, world.memory, sizeof(before)));
	/* And what the guest maps is there. */
	world_judge(0, OS_DIRECT + 0x5000, (struct oracle_access){ .write = false }, true);
	CU_ASSERT_FALSE(world.wrong[0]);
}

static void refused(uint32_t status, uint32_t number, uint64_t a, uint64_t b, uint64_t c,
		    uint64_t d)
{
	uint32_t got;

	remember();
	got = world_call(0, number, a, b, c, d);
	if (got != status)
		tap_note("call %#x(%#llx, %#llx, %#llx, %#llx): status %u, wanted %u", number,
			 (unsigned long long)a, (unsigned long long)b, (unsigned long long)c,
			 (unsigned long long)d, got, status);
	CU_ASSERT_EQUAL(got, status);
	nothing_changed();
}

#define INVALID(...) refused(PVROM_STATUS_INVALID, __VA_ARGS__)
#define ADDRESS(...) refused(PVROM_STATUS_ADDRESS, __VA_ARGS__)

static void registering(void)
{
	const uint64_t hole = (uint64_t)WORLD_HOLE << 12, rom = (uint64_t)WORLD_ROM << 12;

	open_world(1);
	CU_ASSERT_EQUAL(world_call(0, PVROM_MMU_REGISTER_TABLE, TABLE, 1, NONE, 0), 0);
	INVALID(PVROM_MMU_REGISTER_TABLE, TABLE, 1, NONE, 0); /* twice */
	INVALID(PVROM_MMU_REGISTER_TABLE, TABLE, 2, NONE, 0); /* at two levels */
	INVALID(PVROM_MMU_REGISTER_TABLE, TABLE + 0x1000, 0, NONE, 0);
	INVALID(PVROM_MMU_REGISTER_TABLE, TABLE + 0x1000, 5, NONE, 0);
	INVALID(PVROM_MMU_REGISTER_TABLE, TABLE + 0x1000, 0x201, NONE, 0);
	INVALID(PVROM_MMU_REGISTER_TABLE, TABLE + 0x1000, 1ull << 32 | 1, NONE, 0);
	ADDRESS(PVROM_MMU_REGISTER_TABLE, TABLE + 0x1008, 1, NONE, 0);
	ADDRESS(PVROM_MMU_REGISTER_TABLE, hole, 1, NONE, 0);
	ADDRESS(PVROM_MMU_REGISTER_TABLE, rom, 1, NONE, 0);
	ADDRESS(PVROM_MMU_REGISTER_TABLE, (uint64_t)WORLD_PAGES << 12, 1, NONE, 0);
	ADDRESS(PVROM_MMU_REGISTER_TABLE, ~4095ull, 1, NONE, 0);
	/* A template that is itself, of another level, not registered, no page, or nowhere. */
	INVALID(PVROM_MMU_REGISTER_TABLE, TABLE + 0x1000, 1, TABLE + 0x1000, 0);
	INVALID(PVROM_MMU_REGISTER_TABLE, TABLE + 0x1000, 2, TABLE, 0);
	INVALID(PVROM_MMU_REGISTER_TABLE, TABLE + 0x1000, 1, TABLE + 0x2000, 0);
	ADDRESS(PVROM_MMU_REGISTER_TABLE, TABLE + 0x1000, 1, TABLE + 8, 0);
	ADDRESS(PVROM_MMU_REGISTER_TABLE, TABLE + 0x1000, 1, (uint64_t)WORLD_PAGES << 12, 0);
	world_close();
}

static void releasing(void)
{
	open_world(2);
	refused(PVROM_STATUS_BUSY, PVROM_MMU_RELEASE_TABLE, os.root[0], 0, 0, 0);
	INVALID(PVROM_MMU_RELEASE_TABLE, TABLE, 0, 0, 0);
	ADDRESS(PVROM_MMU_RELEASE_TABLE, os.direct_l3 + 8, 0, 0, 0);
	ADDRESS(PVROM_MMU_RELEASE_TABLE, (uint64_t)WORLD_PAGES << 12, 0, 0, 0);
	ADDRESS(PVROM_MMU_RELEASE_TABLE, ~4095ull, 0, 0, 0);
	/* In use, but no root: it is a plain page from then on, and what it maps stays. */
	CU_ASSERT_EQUAL(world_call(0, PVROM_MMU_RELEASE_TABLE, os.direct_l3, 0, 0, 0), 0);
	remember();
	nothing_changed();
	world_close();
}

static void entries(void)
{
	open_world(1);
	CU_ASSERT_EQUAL(world_call(0, PVROM_MMU_REGISTER_TABLE, TABLE, 1, NONE, 0), 0);
	/* A page that is no table. */
	INVALID(PVROM_MMU_SET_ENTRY, TABLE + 0x1000, 3, 0, 0);
	INVALID(PVROM_MMU_SWAP_ENTRY, TABLE + 0x1000, 3, 0, 0);
	ADDRESS(PVROM_MMU_SET_ENTRY, TABLE + 4, 3, 0, 0);
	ADDRESS(PVROM_MMU_SWAP_ENTRY, (uint64_t)WORLD_HOLE << 12, 3, 0, 0);
	ADDRESS(PVROM_MMU_SWAP_ENTRY, ~7ull, 3, 0, 0);
	INVALID(PVROM_MMU_NOTIFY, TABLE, 0, 0, 0);
	INVALID(PVROM_MMU_NOTIFY, TABLE, 513, 0, 0);
	INVALID(PVROM_MMU_NOTIFY, TABLE + 8, 512, 0, 0);
	INVALID(PVROM_MMU_NOTIFY, TABLE + 8, ~0ull, 0, 0);
	INVALID(PVROM_MMU_NOTIFY, TABLE + 0x1000, 1, 0, 0);
	INVALID(PVROM_MMU_ENTRIES, TABLE, PVROM_MMU_ENTRIES_MAX + 1, 0, 0);
	ADDRESS(PVROM_MMU_ENTRIES, TABLE + 4, 1, 0, 0);
	ADDRESS(PVROM_MMU_ENTRIES, ~7ull, 2, 0, 0);
	ADDRESS(PVROM_MMU_ENTRIES, ((uint64_t)WORLD_HOLE << 12) - 8, 2, 0, 0);
	world_close();
}

static void ranges(void)
{
	const uint64_t bad[] = {
		1ull << 47,		   /* not canonical */
		0x00007ffffffff001ull,	   /* over the edge */
		0xfffffffffffff001ull,	   /* wraps */
		0xffff7ffffffff000ull,	   /* just below what is canonical */
		0x00007fffffff0000ull | 16 /* one page too many */
	};
	uint32_t i;

	open_world(1);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		INVALID(PVROM_MMU_FLUSH_RANGE, bad[i], 0, 0, 0);
		INVALID(PVROM_MMU_FLUSH_SET, 0, 1, bad[i], PVROM_MMU_FLUSH_PAGES);
		INVALID(PVROM_MMU_RANGE, os.root[0], bad[i], NONE, 0);
		INVALID(PVROM_MMU_RESIDENT, bad[i], PVROM_MMU_RESIDENT_ADD, 0, 0);
	}
	INVALID(PVROM_MMU_RANGE, os.root[0] | 3, 0, NONE, 0); /* there is no such act */
	INVALID(PVROM_MMU_RANGE, os.root[0] | 1ull << 52, 0, NONE, 0);
	INVALID(PVROM_MMU_RANGE, os.direct_l3, 0, NONE, 0); /* no root */
	INVALID(PVROM_MMU_RANGE, (uint64_t)WORLD_PAGES << 12, 0, NONE, 0);
	INVALID(PVROM_MMU_RANGE, os.root[0], 0, NONE, 2); /* no such vCPU */
	ADDRESS(PVROM_MMU_RANGE, os.root[0], 0, 4, 0);
	ADDRESS(PVROM_MMU_RANGE, os.root[0], 0, (uint64_t)WORLD_ROM << 12, 0);
	ADDRESS(PVROM_MMU_RANGE, os.root[0], 7, ~7ull, 0);
	/* A part of a large page. */
	INVALID(PVROM_MMU_RANGE, os.root[0] | PVROM_MMU_RANGE_CLEAR, OS_DIRECT, NONE, 0);
	world_close();
}

static void sets_and_roots(void)
{
	open_world(2);
	INVALID(PVROM_MMU_FLUSH_SET, 0, 4, 0, PVROM_MMU_FLUSH_NONGLOBAL);
	INVALID(PVROM_MMU_FLUSH_SET, 1, 2, 0, PVROM_MMU_FLUSH_NONGLOBAL);
	INVALID(PVROM_MMU_FLUSH_SET, 2, 1, 0, PVROM_MMU_FLUSH_NONGLOBAL);
	INVALID(PVROM_MMU_FLUSH_SET, ~0ull, 1, 0, PVROM_MMU_FLUSH_NONGLOBAL);
	INVALID(PVROM_MMU_FLUSH_SET, 0, 1, 0, PVROM_MMU_FLUSH_EVERYTHING + 1);
	INVALID(PVROM_MMU_SWITCH_ROOT, 1ull << WORLD_BITS, 0, 0, 0);
	ADDRESS(PVROM_MMU_SWITCH_ROOT, (uint64_t)WORLD_HOLE << 12, 0, 0, 0);
	ADDRESS(PVROM_MMU_SWITCH_ROOT, (uint64_t)WORLD_PAGES << 12, 0, 0, 0);
	INVALID(PVROM_MMU_FILL, 1ull << 47, 0, 0, 0);
	INVALID(PVROM_MMU_FILL, OS_DIRECT, 8, 0, 0);
	INVALID(PVROM_MMU_FILL, 0x400000, PVROM_MMU_FILL_USER, 0, 0);
	INVALID(PVROM_MMU_MAP, TABLE, 0, PVROM_MMU_MAP_MAX + 1, 0);
	INVALID(PVROM_MMU_MAP, TABLE, WORLD_PAGES, 1, 0);
	INVALID(PVROM_MMU_MAP, TABLE, ~0ull, 2, 0);
	ADDRESS(PVROM_MMU_MAP, ((uint64_t)WORLD_HOLE << 12) - 1, 0, 2, 0);
	ADDRESS(PVROM_MMU_MAP, ~0ull, 0, 1, 0);
	refused(PVROM_STATUS_NOT_SUPPORTED, PVROM_GROUP_MMU << 8 | 0xff, 0, 0, 0, 0);
	world_close();
}

/* ---- rings ------------------------------------------------------------------------------------------------- */

static void ring_header(uint64_t gpa, uint32_t slots, uint32_t start, uint32_t done,
			uint32_t retired)
{
	struct pvrom_mmu_ring *ring = (struct pvrom_mmu_ring *)(void *)world_word(gpa);

	*ring = (struct pvrom_mmu_ring){
		.slots = slots, .start = start, .done = done, .retired = retired
	};
}

static void ring_refused(uint32_t status, uint64_t gpa, uint32_t slots, uint32_t start,
			 uint32_t done)
{
	ring_header(gpa & ~63ull, slots, start, done, start);
	refused(status, PVROM_MMU_RING, gpa, 0, 0, 0);
}

static void ring_places(void)
{
	const uint64_t last = ((uint64_t)WORLD_HOLE << 12) - 4096;
	struct pvrom_mmu_ring *ring;

	open_world(1);
	ring_refused(PVROM_STATUS_ADDRESS, RING + 8, 16, 0, 0);
	ring_refused(PVROM_STATUS_INVALID, RING, 8, 0, 0);
	ring_refused(PVROM_STATUS_INVALID, RING, 2048, 0, 0);
	ring_refused(PVROM_STATUS_INVALID, RING, 24, 0, 0);
	ring_refused(PVROM_STATUS_INVALID, RING, 16, 1, 0);
	ring_refused(PVROM_STATUS_INVALID, RING, 16, 0, 1);
	ring_refused(PVROM_STATUS_ADDRESS, last, 1024, 0, 0); /* its words reach into the hole */
	ADDRESS(PVROM_MMU_RING, (uint64_t)WORLD_HOLE << 12, 0, 0, 0);
	ADDRESS(PVROM_MMU_RING, (uint64_t)WORLD_ROM << 12, 0, 0, 0);
	ADDRESS(PVROM_MMU_RING, ~4095ull, 0, 0, 0);
	ring_header(RING, 16, 0, 0, 0);
	ring = (struct pvrom_mmu_ring *)(void *)world_word(RING);
	ring->reserved0 = 1;
	INVALID(PVROM_MMU_RING, RING, 0, 0, 0);
	ring->reserved0 = 0;
	ring->reserved1 = 1;
	INVALID(PVROM_MMU_RING, RING, 0, 0, 0);
	ring->reserved1 = 0;
	ring->reserved2[3] = 1;
	INVALID(PVROM_MMU_RING, RING, 0, 0, 0);
	ring->reserved2[3] = 0;
	ring->polled = 1;
	INVALID(PVROM_MMU_RING, RING, PVROM_MMU_RING_POLL, 0, 0);
	ring->polled = 0;
	INVALID(PVROM_MMU_RING, RING, PVROM_MMU_RING_POLL + 1, 0, 0);
	world_close();
}

static uint32_t *ring_field(uint32_t offset)
{
	return (uint32_t *)(void *)&world.memory[RING >> 12][offset];
}

/* Whatever the indices are: bounded work, never further than what was announced at most. */
static void ring_indices(void)
{
	static const uint32_t bad[] = {
		17, 100, 1u << 31, (1u << 31) + 1, UINT32_MAX, UINT32_MAX - 15, UINT32_MAX - 16
	};
	uint32_t i, j;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
			open_world(1);
			ring_header(RING, 16, 0, 0, 0);
			CU_ASSERT_EQUAL(world_call(0, PVROM_MMU_RING, RING, 0, 0, 0), 0);
			*ring_field(PVROM_MMU_RING_START) = bad[i];
			*ring_field(PVROM_MMU_RING_DONE) = bad[j];
			CU_ASSERT_EQUAL(world_call(0, PVROM_MMU_LAZY_END, 0, 0, 0, 0), 0);
			/* Retired is one of 0 to 16 then: no index beyond what the slots hold. */
			CU_ASSERT_TRUE(*ring_field(PVROM_MMU_RING_RETIRED) <= 16);
			world_judge(0, OS_DIRECT + 0x5000, (struct oracle_access){ .ac = true },
				    true);
			CU_ASSERT_FALSE(world.wrong[0]);
			world_close();
		}
}

/* Words that mean nothing are counted and left out; those between them are done. */
static void ring_words(void)
{
	static const uint64_t bad[] = {
		4,
		5,
		6,
		7,					      /* no such operation */
		PVROM_MMU_WORD_REGISTER | 1ull << 52 | TABLE, /* a bit that means nothing */
		PVROM_MMU_WORD_REGISTER | 0x000ffffffffff000ull,
		PVROM_MMU_WORD_RELEASE | 0x30000,	   /* not registered */
		PVROM_MMU_WORD_CLONE_OF | 0x10000,	   /* of nothing */
		1ull << PVROM_MMU_WORD_MORE_SHIFT | 0xff8, /* over the end of its page */
		0x000ffffffffff000ull,
		0x30000, /* a page that is no table */
	};
	const uint32_t count = sizeof(bad) / sizeof(bad[0]);
	struct pvrom_mmu_stats stats;
	uint32_t i;

	open_world(1);
	ring_header(RING, 16, 0xfffffffa, 0xfffffffa, 0xfffffffa); /* the indices wrap on the way */
	CU_ASSERT_EQUAL(world_call(0, PVROM_MMU_RING, RING, 0, 0, 0), 0);
	for (i = 0; i < count; i++)
		*world_word(RING + PVROM_MMU_RING_WORDS + ((0xfffffffa + i) & 15) * 8) = bad[i];
	*world_word(RING + PVROM_MMU_RING_WORDS + ((0xfffffffa + count) & 15) * 8) =
		TABLE | PVROM_MMU_WORD_REGISTER;
	pvrom_mmu_get_stats(world.mmu, &stats_before);
	*ring_field(PVROM_MMU_RING_START) = *ring_field(PVROM_MMU_RING_DONE) =
		0xfffffffa + count + 1;
	CU_ASSERT_EQUAL(world_call(0, PVROM_MMU_LAZY_END, 0, 0, 0, 0), 0);
	pvrom_mmu_get_stats(world.mmu, &stats);
	CU_ASSERT_EQUAL(*ring_field(PVROM_MMU_RING_RETIRED), 0xfffffffa + count + 1);
	CU_ASSERT_EQUAL(*ring_field(0x14), count);
	CU_ASSERT_EQUAL(stats.refused - stats_before.refused, count);
	CU_ASSERT_EQUAL(stats.registered, stats_before.registered + 1);
	CU_ASSERT_FALSE(world.wrong[0]);
	world_close();
}

/* ---- pools and resident sets ---------------------------------------------------------------------------------- */

static void small_pools(void)
{
	struct pvrom_mmu_config config;
	uint32_t vcpus;

	open_world(1);
	config = world.config;
	for (vcpus = 1; vcpus <= PVROM_MMU_VCPUS_MAX; vcpus++) {
		config.vcpus = vcpus;
		config.pool_pages = pvrom_mmu_pool_min(vcpus) - 1;
		CU_ASSERT_EQUAL(pvrom_mmu_size(&config), 0);
		CU_ASSERT_PTR_NULL(pvrom_mmu_init(&config));
	}
	world_close();
}

/* What the pool cannot hold is refused, and the set is what it was. */
static void resident_sets(void)
{
	uint32_t i;

	world.gib_pages = true;
	world_open(1, pvrom_mmu_pool_min(1) + 8, true, 1);
	os_boot(1);
	/* Faults that nothing keeps from hitting what the handler itself needs. */
	INVALID(PVROM_MMU_FAULTS, 1, 0, 0, 0);
	INVALID(PVROM_MMU_FAULTS, 2, 0, 0, 0);
	INVALID(PVROM_MMU_RESIDENT, OS_DIRECT, 3, 0, 0);
	INVALID(PVROM_MMU_RESIDENT, OS_DIRECT, PVROM_MMU_RESIDENT_DROP, 0, 0);
	CU_ASSERT_EQUAL(
		world_call(0, PVROM_MMU_RESIDENT, OS_DIRECT | 7, PVROM_MMU_RESIDENT_ADD, 0, 0), 0);
	CU_ASSERT_EQUAL(world_call(0, PVROM_MMU_FAULTS, 1, 0, 0, 0), 0);
	/* 16 MiB of it need eight tables of their own, and more. */
	CU_ASSERT_EQUAL(
		world_call(0, PVROM_MMU_RESIDENT, OS_DIRECT | 4095, PVROM_MMU_RESIDENT_ADD, 0, 0),
		PVROM_STATUS_NO_SPACE);
	world_judge(0, OS_DIRECT + 0x100, (struct oracle_access){ .ac = true }, true);
	for (i = 1; i < PVROM_MMU_RESIDENT_MAX; i++)
		CU_ASSERT_EQUAL(world_call(0, PVROM_MMU_RESIDENT, OS_DIRECT | 7,
					   PVROM_MMU_RESIDENT_ADD, 0, 0),
				0);
	refused(PVROM_STATUS_NO_SPACE, PVROM_MMU_RESIDENT, OS_DIRECT | 7, PVROM_MMU_RESIDENT_ADD, 0,
		0);
	CU_ASSERT_FALSE(world.wrong[0]);
	world_close();
}

/* So many pages and no more: what a call may make the host look through is bounded. */
static void largest_resident_set(void)
{
	uint32_t pages;

	open_world(1);
	for (pages = 0; pages < PVROM_MMU_RESIDENT_PAGES_MAX; pages += 4096)
		CU_ASSERT_EQUAL(world_call(0, PVROM_MMU_RESIDENT, OS_DIRECT | 4095,
					   PVROM_MMU_RESIDENT_ADD, 0, 0),
				0);
	refused(PVROM_STATUS_NO_SPACE, PVROM_MMU_RESIDENT, OS_DIRECT, PVROM_MMU_RESIDENT_ADD, 0, 0);
	world_close();
}

static const struct tap_test tests[] = {
	{ "a page is not registered twice, at two levels, or where there is none [PVROM-MMU-4]",
	  registering },
	{ "a root in use is not released [PVROM-MMU-4]", releasing },
	{ "entries are changed in registered tables only [PVROM-MMU-4]", entries },
	{ "ranges neither wrap nor leave what is canonical [PVROM-MMU-4]", ranges },
	{ "sets of vCPUs, roots, FILL and MAP [PVROM-MMU-4]", sets_and_roots },
	{ "a ring lies in memory, has a size, and begins empty [PVROM-MMU-4]", ring_places },
	{ "indices that cannot be are bounded [PVROM-MMU-5]", ring_indices },
	{ "words that mean nothing are counted and left out [PVROM-MMU-5]", ring_words },
	{ "a pool below the least is refused", small_pools },
	{ "a resident set that does not fit is refused, and none is no set [PVROM-MMU-6]",
	  resident_sets },
	{ "a resident set of more pages than there may be is refused", largest_resident_set },
	{ NULL, NULL },
};

int main(void)
{
	return tap_run("mmu.bad", tests);
}
