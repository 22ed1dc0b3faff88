/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest half of pvmmu/ against the engine: flushes and ranges, one call each. */
#include <string.h>

#include "../cunit_tap.h"
#include "mmu_guest_cases.h"

/* ---- flushes ------------------------------------------------------------------------------------------- */

/* Makes pages 1 and 12 stricter; after the flush CPU 0, and the other one if it is said, sees that. */
static void flush_is_one_call(bool (*flush)(void), const uint32_t *counter, bool other)
{
	uint32_t calls, of_it;

	gw_restore();
	gw_judge();
	gc_store(1, gw.want[1] & ~PTE_W);
	gc_store(12, 0);
	calls = gw.all_calls;
	of_it = *counter;
	CU_ASSERT(flush());
	CU_ASSERT_EQUAL(gw.all_calls, calls + 1);
	CU_ASSERT_EQUAL(*counter, of_it + 1);
	CU_ASSERT_FALSE(gw_touch(0, 1, true, true));
	CU_ASSERT_FALSE(gw_touch(0, 12, false, true));
	gw_touch(1, 1, true, other);
	gw_touch(1, 12, false, other);
}

static bool by_range(void)
{
	return pvrom_mmu_flush_range(&gw.mmu, GW_VA(1), 12);
}

static bool by_all(void)
{
	return pvrom_mmu_flush_all(&gw.mmu);
}

static bool by_set(void)
{
	return pvrom_mmu_flush_set(&gw.mmu, 0, 3, GW_VA(1), 12);
}

static bool by_set_of_everything(void)
{
	return pvrom_mmu_flush_set(&gw.mmu, 0, 3, 0, 0);
}

static bool by_switch(void)
{
	pvrom_mmu_will_switch(&gw.mmu, gw.root);
	return pvrom_call(&gw.guest, PVROM_MMU_SWITCH_ROOT, gw.root, 0, 0, 0, NULL) ==
	       PVROM_STATUS_OK;
}

static void each_flush_is_one_call(void)
{
	gc_begin();
	flush_is_one_call(by_range, &GC_CALLS_OF(FLUSH_RANGE), false);
	flush_is_one_call(by_all, &GC_CALLS_OF(FLUSH_ALL), false);
	flush_is_one_call(by_set, &GC_CALLS_OF(FLUSH_SET), true);
	flush_is_one_call(by_set_of_everything, &GC_CALLS_OF(FLUSH_SET), true);
	flush_is_one_call(by_switch, &GC_CALLS_OF(SWITCH_ROOT), false);
	gc_end();
}

/* Words of one CPU count when another flushes. */
static void other_cpus_words_count(void)
{
	gc_begin();
	gw.self = 1;
	gc_store(5, 0);
	gw.self = 0;
	CU_ASSERT(by_set_of_everything());
	CU_ASSERT_FALSE(gw_touch(0, 5, false, true));
	CU_ASSERT_FALSE(gw_touch(1, 5, false, true));
	gc_end();
}

/* ---- ranges -------------------------------------------------------------------------------------------- */

static uint32_t big_entries_without(uint64_t bit)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < GC_BIG; i++)
		count += !(*gw_entry(GC_BIG_VA(i), 1) & bit);
	return count;
}

/* The host does 1,024 pages at a time. */
static void ranges_of_any_length(void)
{
	uint32_t calls;

	gc_begin();
	gc_map_big();
	CU_ASSERT(gc_touch_at(GC_BIG_VA(0), true, true) &&
		  gc_touch_at(GC_BIG_VA(GC_BIG - 1), true, true));
	calls = GC_CALLS_OF(RANGE);
	CU_ASSERT(pvrom_mmu_range(&gw.mmu, gw.root, PVROM_MMU_RANGE_PROTECT, GC_BIG_VA(0), GC_BIG));
	CU_ASSERT_EQUAL(GC_CALLS_OF(RANGE), calls + 2);
	CU_ASSERT_EQUAL(big_entries_without(PTE_W), GC_BIG);
	CU_ASSERT_FALSE(gc_touch_at(GC_BIG_VA(0), true, true));
	CU_ASSERT_FALSE(gc_touch_at(GC_BIG_VA(GC_BIG - 1), true, true));
	CU_ASSERT(gc_touch_at(GC_BIG_VA(GC_BIG - 1), false, true));
	CU_ASSERT(pvrom_mmu_range(&gw.mmu, gw.root, PVROM_MMU_RANGE_FLUSH, GC_BIG_VA(0), GC_BIG));
	CU_ASSERT(pvrom_mmu_range(&gw.mmu, gw.root, PVROM_MMU_RANGE_CLEAR, GC_BIG_VA(0), GC_BIG));
	CU_ASSERT_EQUAL(big_entries_without(PTE_P), GC_BIG);
	CU_ASSERT_FALSE(gc_touch_at(GC_BIG_VA(1500), false, true));
	gc_end();
}

/* A root that is no table: false, and the kernel does it natively. */
static void refused_ranges(void)
{
	gc_begin();
	CU_ASSERT_FALSE(pvrom_mmu_range(&gw.mmu, gw_data(1), PVROM_MMU_RANGE_CLEAR, GW_VA(0), 4));
	CU_ASSERT_EQUAL(*gw_leaf(0), gw.want[0]);
	gc_end();
}

static uint32_t goes_on_for_ever(uint32_t call)
{
	return call == PVROM_MMU_RANGE ? PVROM_STATUS_CONTINUE : PVROM_STATUS_OK;
}

static void ranges_that_get_nowhere(void)
{
	gc_begin();
	gw.on_call = goes_on_for_ever;
	CU_ASSERT_FALSE(pvrom_mmu_range(&gw.mmu, gw.root, PVROM_MMU_RANGE_CLEAR, GW_VA(0), 4));
	CU_ASSERT_EQUAL(GC_CALLS_OF(RANGE), 1);
	gw.on_call = NULL;
	gc_end();
}

static const struct tap_test tests[] = {
	{ "every kind of flush is one call, and flushes whom it should [PVROM-MMU-1]",
	  each_flush_is_one_call },
	{ "a flush is for the words of all CPUs [PVROM-MMU-7]", other_cpus_words_count },
	{ "ranges longer than the host does at a time", ranges_of_any_length },
	{ "a range that is refused is the kernel's to do", refused_ranges },
	{ "a range of which the host does nothing is given up", ranges_that_get_nowhere },
	{ 0 },
};

int main(void)
{
	return tap_run("flushes", tests);
}
