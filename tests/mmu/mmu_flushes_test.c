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

/* ---- a host that looks at the rings by itself -------------------------------------------------------------- */

static void begin_polled(void)
{
	world.polls = true;
	gc_begin();
	CU_ASSERT(gw_faults(true));
	gw_judge();
}

static void end_polled(void)
{
	gc_end();
	world.polls = false;
}

/* An entry that is stricter, and one that is new: no call, no exit, and they are as stored. */
static void seen_without_a_crossing(void)
{
	uint64_t exits;
	uint32_t calls;

	begin_polled();
	gc_store(5, 0);
	gw_flush();
	calls = gw.all_calls;
	exits = world.faults + world.own_faults;
	gc_store(3, gw.want[3] & ~PTE_W);
	gc_store(5, gw_data(5) | PTE_DATA);
	world_poll();
	CU_ASSERT(pvrom_mmu_is_seen(&gw.mmu));
	world_invlpg(0, GW_VA(3));
	CU_ASSERT(gw_touch(0, 5, true, true));
	CU_ASSERT(gw_touch(0, 3, false, true));
	CU_ASSERT(world.vcpu[0].in_guest);
	CU_ASSERT_EQUAL(gw.all_calls, calls);
	CU_ASSERT_EQUAL(world.faults + world.own_faults, exits);
	CU_ASSERT_FALSE(gw_touch(0, 3, true, true));
	end_polled();
}

/* What the host has not looked at yet, or cannot retire yet, is not seen; nor where it has ceased to look. */
static void not_seen_yet(void)
{
	begin_polled();
	gc_store(3, gw.want[3] & ~PTE_W);
	CU_ASSERT_FALSE(pvrom_mmu_is_seen(&gw.mmu));
	world_poll();
	CU_ASSERT(pvrom_mmu_is_seen(&gw.mmu));
	CU_ASSERT(pvrom_mmu_change_begin(gw_leaf(4), 1));
	world_poll();
	CU_ASSERT_FALSE(pvrom_mmu_is_seen(&gw.mmu));
	pvrom_mmu_change_end();
	world_poll();
	CU_ASSERT(pvrom_mmu_is_seen(&gw.mmu));
	gc_ring()->polled = 0;
	CU_ASSERT_FALSE(pvrom_mmu_is_seen(&gw.mmu));
	end_polled();
}

/* In a lazy section all that is stored is seen, too. */
static void seen_in_a_lazy_section(void)
{
	begin_polled();
	pvrom_mmu_lazy_begin();
	gc_store(4, gw.want[4] & ~PTE_W);
	world_poll();
	CU_ASSERT_FALSE(pvrom_mmu_is_seen(&gw.mmu));
	/* It has said now that its stores are done. */
	world_poll();
	CU_ASSERT(pvrom_mmu_is_seen(&gw.mmu));
	pvrom_mmu_lazy_end();
	end_polled();
}

/* The guest allows it, and the host has no CPU for it: INVLPG is an exit, and nothing is waited for. */
static void host_without_a_cpu_to_spare(void)
{
	gw_open(GC_VCPUS, GC_POOL, GC_SLOTS, false);
	pvrom_mmu_guest_poll(&gw.mmu);
	CU_ASSERT_EQUAL(gw_negotiate(PVROM_FEATURE_BIT(PVROM_FEATURE_MMU) |
				     PVROM_FEATURE_BIT(PVROM_FEATURE_MMU_FAULT)),
			PVROM_STATUS_OK);
	gw_update();
	CU_ASSERT(gw_faults(true));
	CU_ASSERT_EQUAL(gc_ring()->polled, 0);
	gc_store(3, gw.want[3] & ~PTE_W);
	CU_ASSERT_FALSE(pvrom_mmu_is_seen(&gw.mmu));
	world_poll();
	CU_ASSERT_NOT_EQUAL(gc_ring()->retired, gc_ring()->start);
	world_invlpg(0, GW_VA(3));
	CU_ASSERT_EQUAL(gc_ring()->retired, gc_ring()->start);
	CU_ASSERT_FALSE(gw_touch(0, 3, true, true));
	gc_end();
}

static const struct tap_test tests[] = {
	{ "every kind of flush is one call, and flushes whom it should [PVROM-MMU-1]",
	  each_flush_is_one_call },
	{ "a flush is for the words of all CPUs [PVROM-MMU-7]", other_cpus_words_count },
	{ "ranges longer than the host does at a time", ranges_of_any_length },
	{ "a range that is refused is the kernel's to do", refused_ranges },
	{ "a range of which the host does nothing is given up", ranges_that_get_nowhere },
	{ "a host that polls: seen without a crossing [PVROM-MMU-13]", seen_without_a_crossing },
	{ "not seen before it has looked, and retired [PVROM-MMU-8]", not_seen_yet },
	{ "and what a lazy section has stored", seen_in_a_lazy_section },
	{ "a host that does not poll: INVLPG is an exit [PVROM-MMU-7 PVROM-MMU-14]",
	  host_without_a_cpu_to_spare },
	{ 0 },
};

int main(void)
{
	return tap_run("flushes", tests);
}
