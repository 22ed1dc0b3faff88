/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest half of pvmmu/ against the engine: what its functions for tables and entries say to the host, and that
 * no change is lost whatever the host refuses, however full the ring is, and wherever a call is no use.
 */
#include <string.h>

#include "../cunit_tap.h"
#include "mmu_guest_cases.h"

/* ---- tables -------------------------------------------------------------------------------------------- */

static void registers_and_releases(void)
{
	uint64_t *table;
	uint32_t before, calls;

	gc_begin();
	before = gc_stats().registered;
	CU_ASSERT_EQUAL(before, 7); /* of the map */
	calls = gw.all_calls;
	table = gw_table_new(1);
	CU_ASSERT_EQUAL(gw.all_calls, calls);
	pvrom_mmu_drain(&gw.mmu);
	CU_ASSERT_EQUAL(gc_stats().registered, before + 1);
	gw_table_free(table);
	pvrom_mmu_drain(&gw.mmu);
	CU_ASSERT_EQUAL(gc_stats().registered, before);
	CU_ASSERT_EQUAL(gc_ring()->refused, 0);
	gc_end();
}

static void wrong_registrations_change_nothing(void)
{
	uint64_t *table;
	uint32_t before;

	gc_begin();
	table = gw_table_new(1);
	pvrom_mmu_drain(&gw.mmu);
	before = gc_stats().registered;
	pvrom_mmu_register(&gw.mmu, table, 1, PVROM_MMU_PLAIN, NULL);
	pvrom_mmu_register(&gw.mmu, table, 2, PVROM_MMU_PLAIN, NULL);
	pvrom_mmu_release(&gw.mmu, gw_at(gw_data(3)));
	pvrom_mmu_release(&gw.mmu, gw_at(gw.root)); /* it is loaded */
	pvrom_mmu_drain(&gw.mmu);
	CU_ASSERT_EQUAL(gc_stats().registered, before);
	CU_ASSERT_EQUAL(gc_ring()->refused, 4);
	CU_ASSERT_STRING_EQUAL(world.wrong, "");
	gw_close();
}

/* The child of a fork: its leaf table is a copy, and is filled without a fault where the parent's was. */
static void clones_are_filled_ahead(void)
{
	uint64_t *table, *from;

	gc_begin();
	from = gw_leaf(8) - (GW_VA(8) >> 12 & 511);
	table = gw_at(gw_take());
	memcpy(table, from, 4096);
	pvrom_mmu_register(&gw.mmu, table, 1, PVROM_MMU_PLAIN, from);
	pvrom_mmu_store(gw_entry(GW_VA(8), 2), ((uint64_t)table - gw.mmu.linear) | PTE_TABLE);
	gw_flush();
	CU_ASSERT(gw_touch(0, 8, true, true)); /* the upper entry, perhaps */
	world.faults = 0;
	for (uint32_t i = 9; i < 16; i++)
		CU_ASSERT(gw_touch(0, i, true, true));
	CU_ASSERT_EQUAL(world.faults, 0);
	gc_end();
}

/* ---- entries ------------------------------------------------------------------------------------------- */

static void stores_without_a_crossing(void)
{
	uint32_t calls;

	gc_begin();
	calls = gw.all_calls;
	gc_store(1, gw.want[1] & ~PTE_W);
	gc_store(2, 0);
	CU_ASSERT_EQUAL(gw.all_calls, calls);
	CU_ASSERT_EQUAL(gc_ring()->start, gc_ring()->done);
	CU_ASSERT_EQUAL(gc_ring()->start - gc_ring()->retired, 2);
	gc_end();
}

static void swap_returns_what_was_there(void)
{
	const uint64_t bare = gw_data(3) | PTE_P | PTE_W | PTE_U;

	gc_begin();
	gc_store(3, bare);
	gw_flush();
	CU_ASSERT_EQUAL(pvrom_mmu_exchange(gw_leaf(3), bare), bare);
	gw_flush();
	CU_ASSERT(gw_touch(1, 3, false, true));
	CU_ASSERT_EQUAL(pvrom_mmu_exchange(gw_leaf(3), bare), bare | PTE_A);
	gw_flush();
	CU_ASSERT(gw_touch(1, 3, true, true));
	CU_ASSERT_EQUAL(pvrom_mmu_exchange(gw_leaf(3), gw.want[3] = 0), bare | PTE_A | PTE_D);
	gc_end();
}

static void many_entries_have_one_word(void)
{
	uint64_t *first;
	uint32_t start;

	gc_begin();
	first = gw_leaf(8);
	start = gc_ring()->start;
	CU_ASSERT(pvrom_mmu_change_begin(first, 8));
	for (uint32_t i = 0; i < 8; i++)
		first[i] = gw.want[8 + i] &= ~PTE_W;
	pvrom_mmu_change_end();
	CU_ASSERT_EQUAL(gc_ring()->start, start + 1);
	CU_ASSERT_EQUAL(gc_ring()->done, start + 1);
	gc_end();
}

/* ---- lazy sections ------------------------------------------------------------------------------------- */

static void neighbours_share_a_word(void)
{
	uint32_t start;

	gc_begin();
	start = gc_ring()->start;
	pvrom_mmu_lazy_begin();
	/* Pages 7 and 8 are neighbours in memory, but in different tables. */
	for (uint32_t i = 4; i < 12; i++)
		gc_store(i, gw.want[i] & ~PTE_W);
	CU_ASSERT_EQUAL(gc_ring()->start, start + 2);
	CU_ASSERT_EQUAL(gc_ring()->done, start);
	pvrom_mmu_lazy_end();
	CU_ASSERT_EQUAL(gc_ring()->done, start + 2);
	gc_end();
}

/* All of it is stored already: the host and other CPUs see it, and the section reads it back. */
static void flush_in_a_lazy_section(void)
{
	gc_begin();
	pvrom_mmu_lazy_begin();
	pvrom_mmu_lazy_begin();
	gc_store(4, gw.want[4] & ~PTE_W);
	CU_ASSERT_EQUAL(*gw_leaf(4), gw.want[4]);
	pvrom_mmu_lazy_end();
	CU_ASSERT(pvrom_mmu_flush_range(&gw.mmu, GW_VA(4), 1));
	CU_ASSERT_EQUAL(gc_ring()->retired, gc_ring()->start);
	CU_ASSERT_FALSE(gw_touch(0, 4, true, true));
	/* The next one starts a word of its own. */
	gc_store(5, gw.want[5] & ~PTE_W);
	pvrom_mmu_lazy_end();
	gc_end();
}

/* The entry just queued is touched: the fault finds what is there. */
static void touch_in_a_lazy_section(void)
{
	gc_begin();
	gc_store(6, 0);
	gw_flush();
	CU_ASSERT_FALSE(gw_touch(0, 6, false, true));
	pvrom_mmu_lazy_begin();
	gc_store(6, gw_data(6) | PTE_DATA);
	CU_ASSERT(gw_touch(0, 6, true, true));
	CU_ASSERT(gw_touch(1, 6, true, true));
	pvrom_mmu_lazy_end();
	gc_end();
}

/* ---- a full ring --------------------------------------------------------------------------------------- */

static void full_ring(void)
{
	gc_begin();
	for (uint32_t i = 0; i < 5 * GC_SLOTS; i++)
		gc_store(i % 16, gw_data((i + 1) % 16) | PTE_DATA);
	CU_ASSERT(gw.cpu[0].full >= 4);
	CU_ASSERT_EQUAL(GC_CALLS_OF(LAZY_END), gw.cpu[0].full);
	CU_ASSERT_EQUAL(GC_CALLS_OF(SET_ENTRY), 0);
	gc_end();
}

static void full_ring_in_a_lazy_section(void)
{
	gc_begin();
	pvrom_mmu_lazy_begin();
	/* Never neighbours. */
	for (uint32_t i = 0; i < 5 * GC_SLOTS; i++)
		gc_store(i * 7 % 16, 0);
	gc_store(9, gw_data(9) | PTE_DATA);
	pvrom_mmu_lazy_end();
	CU_ASSERT(gw.cpu[0].full >= 4);
	gc_end();
}

/* Inside another store no room can be made: what comes then is done by calls. */
static void full_ring_inside_a_store(void)
{
	uint64_t *table;

	gc_begin();
	CU_ASSERT(pvrom_mmu_change_begin(gw_leaf(0), 1));
	for (uint32_t i = 0; i < 2 * GC_SLOTS; i++)
		gc_store(1, gw_data(1 + i % 2) | PTE_DATA);
	CU_ASSERT(GC_CALLS_OF(SET_ENTRY) >= GC_SLOTS);
	CU_ASSERT_EQUAL(pvrom_mmu_exchange(gw_leaf(1), gw.want[1] = 0), gw_data(2) | PTE_DATA);
	CU_ASSERT_EQUAL(GC_CALLS_OF(SWAP_ENTRY), 1);
	CU_ASSERT_FALSE(pvrom_mmu_change_begin(gw_leaf(2), 2));
	table = gw_table_new(1);
	CU_ASSERT_EQUAL(GC_CALLS_OF(REGISTER_TABLE), 1);
	gw_table_free(table);
	CU_ASSERT_EQUAL(GC_CALLS_OF(RELEASE_TABLE), 1);
	*gw_leaf(0) = gw.want[0] = 0;
	pvrom_mmu_change_end();
	gc_end();
}

/* ---- without the host ---------------------------------------------------------------------------------- */

static void nothing_is_said_when_not_granted(void)
{
	gw_open(GC_VCPUS, GC_POOL, GC_SLOTS, false);
	gw_set(1, 0);
	gw_table_free(gw_table_new(1));
	pvrom_mmu_lazy_begin();
	CU_ASSERT_EQUAL(pvrom_mmu_exchange(gw_leaf(2), 7), gw.want[2]);
	pvrom_mmu_exchange(gw_leaf(2), gw.want[2]);
	pvrom_mmu_lazy_end();
	CU_ASSERT(pvrom_mmu_change_begin(gw_leaf(3), 2));
	pvrom_mmu_change_end();
	pvrom_mmu_drain(&gw.mmu);
	pvrom_mmu_will_switch(&gw.mmu, gw.root);
	CU_ASSERT_FALSE(pvrom_mmu_flush_range(&gw.mmu, GW_VA(0), 1));
	CU_ASSERT_FALSE(pvrom_mmu_flush_all(&gw.mmu));
	CU_ASSERT_FALSE(pvrom_mmu_flush_set(&gw.mmu, 0, 3, 0, 0));
	CU_ASSERT_FALSE(pvrom_mmu_range(&gw.mmu, gw.root, PVROM_MMU_RANGE_CLEAR, GW_VA(0), 1));
	CU_ASSERT_NOT_EQUAL(pvrom_mmu_faults(&gw.mmu, true), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(gw.all_calls, 0);
	gc_end();
}

static uint32_t denied(uint32_t call)
{
	(void)call;
	return PVROM_STATUS_DENIED;
}

/* The set is gone and the kernel does not know yet: stores are stored, flushes are said to be the kernel's. */
static void a_host_that_denies(void)
{
	gc_begin();
	CU_ASSERT_EQUAL(gw_negotiate(0), PVROM_STATUS_OK);
	gw.on_call = denied;
	for (uint32_t i = 0; i < 3 * GC_SLOTS; i++)
		gw_set(i % 16, gw_data((i + 3) % 16) | PTE_DATA);
	CU_ASSERT_FALSE(pvrom_mmu_flush_all(&gw.mmu));
	CU_ASSERT_FALSE(pvrom_mmu_flush_range(&gw.mmu, GW_VA(0), 1));
	gw.on_call = NULL;
	gw_update();
	gc_end();
}

static void a_cpu_that_goes(void)
{
	gc_begin();
	gw.self = 1;
	gc_store(5, 0);
	pvrom_mmu_cpu_stop(&gw.cpu[1]);
	CU_ASSERT_FALSE(gw.cpu[1].on);
	CU_ASSERT_EQUAL(gw.cpu[1].ring->retired, gw.cpu[1].ring->start);
	gw.self = 0;
	gw_flush();
	CU_ASSERT_FALSE(gw_touch(0, 5, false, true));
	gc_end();
}

static const struct tap_test tests[] = {
	{ "tables are registered and released by words, without a crossing",
	  registers_and_releases },
	{ "a table twice, at two levels, no table, a loaded root: refused and counted "
	  "[PVROM-MMU-4]",
	  wrong_registrations_change_nothing },
	{ "a copy of a table is filled as far as its template was", clones_are_filled_ahead },
	{ "stores have their words and no crossing", stores_without_a_crossing },
	{ "an exchange returns A and D as they are [PVROM-MMU-2]", swap_returns_what_was_there },
	{ "entries announced together have one word", many_entries_have_one_word },
	{ "in a lazy section neighbours of one table share a word", neighbours_share_a_word },
	{ "a flush in a lazy section counts for what was stored in it", flush_in_a_lazy_section },
	{ "an entry just queued is touched", touch_in_a_lazy_section },
	{ "a full ring", full_ring },
	{ "a full ring in a lazy section", full_ring_in_a_lazy_section },
	{ "a full ring inside a store: calls", full_ring_inside_a_store },
	{ "without the feature no call is made", nothing_is_said_when_not_granted },
	{ "a host that denies every call", a_host_that_denies },
	{ "a CPU that goes offline", a_cpu_that_goes },
	{ 0 },
};

int main(void)
{
	return tap_run("guest half", tests);
}
