/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest half of pvmmu/ against the engine: what each function says to the host, and that no change is lost
 * whatever the host refuses, however full the ring is, and wherever a call is no use.
 */
#include <string.h>

#include "../cunit_tap.h"
#include "mmu_guest_world.h"

#define VCPUS 2
#define POOL 512
#define SLOTS 64
#define CALLS_OF(NAME) gw.calls[PVROM_MMU_##NAME & 0xff]

static void begin(void)
{
	gw_open(VCPUS, POOL, SLOTS, true);
	gw_judge();
}

static void end(void)
{
	gw_judge();
	if (world.wrong[0])
		tap_note("%s", world.wrong);
	CU_ASSERT_STRING_EQUAL(world.wrong, "");
	gw_close();
}

static struct pvrom_mmu_stats stats(void)
{
	struct pvrom_mmu_stats s;

	pvrom_mmu_get_stats(world.mmu, &s);
	return s;
}

static struct pvrom_mmu_ring *ring(void)
{
	return gw.cpu[0].ring;
}

static void store(uint32_t page, uint64_t value)
{
	pvrom_mmu_store(gw_leaf(page), gw.want[page] = value);
}

/* ---- tables ----------------------------------------------------------------------------------------- */

static void registers_and_releases(void)
{
	uint64_t *table;
	uint32_t before, calls;

	begin();
	before = stats().registered;
	CU_ASSERT_EQUAL(before, 7); /* of the map */
	calls = gw.all_calls;
	table = gw_table_new(1);
	CU_ASSERT_EQUAL(gw.all_calls, calls);
	pvrom_mmu_drain(&gw.mmu);
	CU_ASSERT_EQUAL(stats().registered, before + 1);
	gw_table_free(table);
	pvrom_mmu_drain(&gw.mmu);
	CU_ASSERT_EQUAL(stats().registered, before);
	CU_ASSERT_EQUAL(ring()->refused, 0);
	end();
}

static void wrong_registrations_change_nothing(void)
{
	uint64_t *table;
	uint32_t before;

	begin();
	table = gw_table_new(1);
	pvrom_mmu_drain(&gw.mmu);
	before = stats().registered;
	pvrom_mmu_register(&gw.mmu, table, 1, PVROM_MMU_PLAIN, NULL);
	pvrom_mmu_register(&gw.mmu, table, 2, PVROM_MMU_PLAIN, NULL);
	pvrom_mmu_release(&gw.mmu, gw_at(gw_data(3)));
	pvrom_mmu_release(&gw.mmu, gw_at(gw.root)); /* it is loaded */
	pvrom_mmu_drain(&gw.mmu);
	CU_ASSERT_EQUAL(stats().registered, before);
	CU_ASSERT_EQUAL(ring()->refused, 4);
	CU_ASSERT_STRING_EQUAL(world.wrong, "");
	gw_close();
}

/* The child of a fork: its leaf table is a copy, and is filled without a fault where the parent's was. */
static void clones_are_filled_ahead(void)
{
	uint64_t *table, *from;

	begin();
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
	end();
}

/* ---- entries ---------------------------------------------------------------------------------------- */

static void stores_without_a_crossing(void)
{
	uint32_t calls;

	begin();
	calls = gw.all_calls;
	store(1, gw.want[1] & ~PTE_W);
	store(2, 0);
	CU_ASSERT_EQUAL(gw.all_calls, calls);
	CU_ASSERT_EQUAL(ring()->start, ring()->done);
	CU_ASSERT_EQUAL(ring()->start - ring()->retired, 2);
	end();
}

static void swap_returns_what_was_there(void)
{
	const uint64_t bare = gw_data(3) | PTE_P | PTE_W | PTE_U;

	begin();
	store(3, bare);
	gw_flush();
	CU_ASSERT_EQUAL(pvrom_mmu_exchange(gw_leaf(3), bare), bare);
	gw_flush();
	CU_ASSERT(gw_touch(1, 3, false, true));
	CU_ASSERT_EQUAL(pvrom_mmu_exchange(gw_leaf(3), bare), bare | PTE_A);
	gw_flush();
	CU_ASSERT(gw_touch(1, 3, true, true));
	CU_ASSERT_EQUAL(pvrom_mmu_exchange(gw_leaf(3), gw.want[3] = 0), bare | PTE_A | PTE_D);
	end();
}

static void many_entries_have_one_word(void)
{
	uint64_t *first;
	uint32_t start;

	begin();
	first = gw_leaf(8);
	start = ring()->start;
	CU_ASSERT(pvrom_mmu_change_begin(first, 8));
	for (uint32_t i = 0; i < 8; i++)
		first[i] = gw.want[8 + i] &= ~PTE_W;
	pvrom_mmu_change_end();
	CU_ASSERT_EQUAL(ring()->start, start + 1);
	CU_ASSERT_EQUAL(ring()->done, start + 1);
	end();
}

/* ---- lazy sections ---------------------------------------------------------------------------------- */

static void neighbours_share_a_word(void)
{
	uint32_t start;

	begin();
	start = ring()->start;
	pvrom_mmu_lazy_begin();
	/* Pages 7 and 8 are neighbours in memory, but in different tables. */
	for (uint32_t i = 4; i < 12; i++)
		store(i, gw.want[i] & ~PTE_W);
	CU_ASSERT_EQUAL(ring()->start, start + 2);
	CU_ASSERT_EQUAL(ring()->done, start);
	pvrom_mmu_lazy_end();
	CU_ASSERT_EQUAL(ring()->done, start + 2);
	end();
}

/* All of it is stored already: the host and other CPUs see it, and the section reads it back. */
static void flush_in_a_lazy_section(void)
{
	begin();
	pvrom_mmu_lazy_begin();
	pvrom_mmu_lazy_begin();
	store(4, gw.want[4] & ~PTE_W);
	CU_ASSERT_EQUAL(*gw_leaf(4), gw.want[4]);
	pvrom_mmu_lazy_end();
	CU_ASSERT(pvrom_mmu_flush_range(&gw.mmu, GW_VA(4), 1));
	CU_ASSERT_EQUAL(ring()->retired, ring()->start);
	CU_ASSERT_FALSE(gw_touch(0, 4, true, true));
	/* The next one starts a word of its own. */
	store(5, gw.want[5] & ~PTE_W);
	pvrom_mmu_lazy_end();
	end();
}

/* The entry just queued is touched: the fault finds what is there. */
static void touch_in_a_lazy_section(void)
{
	begin();
	store(6, 0);
	gw_flush();
	CU_ASSERT_FALSE(gw_touch(0, 6, false, true));
	pvrom_mmu_lazy_begin();
	store(6, gw_data(6) | PTE_DATA);
	CU_ASSERT(gw_touch(0, 6, true, true));
	CU_ASSERT(gw_touch(1, 6, true, true));
	pvrom_mmu_lazy_end();
	end();
}

/* ---- a full ring ------------------------------------------------------------------------------------- */

static void full_ring(void)
{
	begin();
	for (uint32_t i = 0; i < 5 * SLOTS; i++)
		store(i % 16, gw_data((i + 1) % 16) | PTE_DATA);
	CU_ASSERT(gw.cpu[0].full >= 4);
	CU_ASSERT_EQUAL(CALLS_OF(LAZY_END), gw.cpu[0].full);
	CU_ASSERT_EQUAL(CALLS_OF(SET_ENTRY), 0);
	end();
}

static void full_ring_in_a_lazy_section(void)
{
	begin();
	pvrom_mmu_lazy_begin();
	/* Never neighbours. */
	for (uint32_t i = 0; i < 5 * SLOTS; i++)
		store(i * 7 % 16, 0);
	store(9, gw_data(9) | PTE_DATA);
	pvrom_mmu_lazy_end();
	CU_ASSERT(gw.cpu[0].full >= 4);
	end();
}

/* Inside another store no room can be made: what comes then is done by calls. */
static void full_ring_inside_a_store(void)
{
	uint64_t *table;

	begin();
	CU_ASSERT(pvrom_mmu_change_begin(gw_leaf(0), 1));
	for (uint32_t i = 0; i < 2 * SLOTS; i++)
		store(1, gw_data(1 + i % 2) | PTE_DATA);
	CU_ASSERT(CALLS_OF(SET_ENTRY) >= SLOTS);
	CU_ASSERT_EQUAL(pvrom_mmu_exchange(gw_leaf(1), gw.want[1] = 0), gw_data(2) | PTE_DATA);
	CU_ASSERT_EQUAL(CALLS_OF(SWAP_ENTRY), 1);
	CU_ASSERT_FALSE(pvrom_mmu_change_begin(gw_leaf(2), 2));
	table = gw_table_new(1);
	CU_ASSERT_EQUAL(CALLS_OF(REGISTER_TABLE), 1);
	gw_table_free(table);
	CU_ASSERT_EQUAL(CALLS_OF(RELEASE_TABLE), 1);
	*gw_leaf(0) = gw.want[0] = 0;
	pvrom_mmu_change_end();
	end();
}

/* ---- flushes ------------------------------------------------------------------------------------------ */

/* Makes pages 1 and 12 stricter; after the flush CPU 0, and the other one if it is said, sees that. */
static void flush_is_one_call(bool (*flush)(void), const uint32_t *counter, bool other)
{
	uint32_t calls, of_it;

	gw_restore();
	gw_judge();
	store(1, gw.want[1] & ~PTE_W);
	store(12, 0);
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
	begin();
	flush_is_one_call(by_range, &CALLS_OF(FLUSH_RANGE), false);
	flush_is_one_call(by_all, &CALLS_OF(FLUSH_ALL), false);
	flush_is_one_call(by_set, &CALLS_OF(FLUSH_SET), true);
	flush_is_one_call(by_set_of_everything, &CALLS_OF(FLUSH_SET), true);
	flush_is_one_call(by_switch, &CALLS_OF(SWITCH_ROOT), false);
	end();
}

/* Words of one CPU count when another flushes. */
static void other_cpus_words_count(void)
{
	begin();
	gw.self = 1;
	store(5, 0);
	gw.self = 0;
	CU_ASSERT(by_set_of_everything());
	CU_ASSERT_FALSE(gw_touch(0, 5, false, true));
	CU_ASSERT_FALSE(gw_touch(1, 5, false, true));
	end();
}

/* ---- ranges ------------------------------------------------------------------------------------------- */

#define BIG 2048u
#define BIG_VA(i) (GW_BASE + 0x40000000ull + (i)*4096ull)

static uint64_t gpa_of(const uint64_t *table)
{
	return (uint64_t)table - gw.mmu.linear;
}

/* 2,048 pages in four tables, all with the data of page 0. */
static void map_big(void)
{
	pvrom_mmu_store(gw_entry(BIG_VA(0), 3), gpa_of(gw_table_new(2)) | PTE_TABLE);
	for (uint32_t i = 0; i < BIG; i += 512)
		pvrom_mmu_store(gw_entry(BIG_VA(i), 2), gpa_of(gw_table_new(1)) | PTE_TABLE);
	for (uint32_t i = 0; i < BIG; i++)
		pvrom_mmu_store(gw_entry(BIG_VA(i), 1), gw_data(0) | PTE_DATA);
	gw_flush();
}

static uint32_t big_entries_without(uint64_t bit)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < BIG; i++)
		count += !(*gw_entry(BIG_VA(i), 1) & bit);
	return count;
}

static bool touch_at(uint64_t va, bool write, bool user)
{
	struct oracle_access access = { .write = write, .user = user };

	gw.rip++;
	return world_judge(0, va, access, true).result == WORLD_OK;
}

/* The host does 1,024 pages at a time. */
static void ranges_of_any_length(void)
{
	uint32_t calls;

	begin();
	map_big();
	CU_ASSERT(touch_at(BIG_VA(0), true, true) && touch_at(BIG_VA(BIG - 1), true, true));
	calls = CALLS_OF(RANGE);
	CU_ASSERT(pvrom_mmu_range(&gw.mmu, gw.root, PVROM_MMU_RANGE_PROTECT, BIG_VA(0), BIG));
	CU_ASSERT_EQUAL(CALLS_OF(RANGE), calls + 2);
	CU_ASSERT_EQUAL(big_entries_without(PTE_W), BIG);
	CU_ASSERT_FALSE(touch_at(BIG_VA(0), true, true));
	CU_ASSERT_FALSE(touch_at(BIG_VA(BIG - 1), true, true));
	CU_ASSERT(touch_at(BIG_VA(BIG - 1), false, true));
	CU_ASSERT(pvrom_mmu_range(&gw.mmu, gw.root, PVROM_MMU_RANGE_FLUSH, BIG_VA(0), BIG));
	CU_ASSERT(pvrom_mmu_range(&gw.mmu, gw.root, PVROM_MMU_RANGE_CLEAR, BIG_VA(0), BIG));
	CU_ASSERT_EQUAL(big_entries_without(PTE_P), BIG);
	CU_ASSERT_FALSE(touch_at(BIG_VA(1500), false, true));
	end();
}

/* A root that is no table: false, and the kernel does it natively. */
static void refused_ranges(void)
{
	begin();
	CU_ASSERT_FALSE(pvrom_mmu_range(&gw.mmu, gw_data(1), PVROM_MMU_RANGE_CLEAR, GW_VA(0), 4));
	CU_ASSERT_EQUAL(*gw_leaf(0), gw.want[0]);
	end();
}

static uint32_t goes_on_for_ever(uint32_t call)
{
	return call == PVROM_MMU_RANGE ? PVROM_STATUS_CONTINUE : PVROM_STATUS_OK;
}

static void ranges_that_get_nowhere(void)
{
	begin();
	gw.on_call = goes_on_for_ever;
	CU_ASSERT_FALSE(pvrom_mmu_range(&gw.mmu, gw.root, PVROM_MMU_RANGE_CLEAR, GW_VA(0), 4));
	CU_ASSERT_EQUAL(CALLS_OF(RANGE), 1);
	gw.on_call = NULL;
	end();
}

/* ---- faults that come straight to the guest -------------------------------------------------------------- */

static void begin_faults(void)
{
	begin();
	CU_ASSERT(gw_faults(true));
	gw_judge();
	world.faults = 0;
	store(3, gw.want[3] & ~(PTE_A | PTE_D));
	gw_flush();
}

static void hidden_faults_are_filled(void)
{
	uint64_t hidden;
	uint32_t fills;

	begin_faults();
	hidden = gw.cpu[0].hidden;
	CU_ASSERT(gw_touch(0, 3, true, true));
	CU_ASSERT_EQUAL(world.faults, 0);
	CU_ASSERT_EQUAL(gw.cpu[0].hidden, hidden + 1);
	CU_ASSERT_EQUAL(*gw_leaf(3), gw.want[3] | PTE_A | PTE_D);
	/* The guest's own fault reaches its kernel, with nothing filled. */
	store(3, 0);
	gw_flush();
	fills = CALLS_OF(FILL);
	CU_ASSERT_FALSE(gw_touch(0, 3, true, true));
	CU_ASSERT_EQUAL(CALLS_OF(FILL), fills);
	CU_ASSERT_EQUAL(gw.cpu[0].fallbacks, 0);
	end();
}

static uint32_t fill_does_nothing(uint32_t call)
{
	gw.deaf = call == PVROM_MMU_FILL;
	return PVROM_STATUS_OK;
}

/* A host that says "filled" and has not: after two faults of the same instruction it takes them itself. */
static void no_progress_falls_back(void)
{
	begin_faults();
	gw.on_call = fill_does_nothing;
	CU_ASSERT(gw_touch(0, 3, true, true));
	CU_ASSERT_EQUAL(gw.cpu[0].fallbacks, 1);
	CU_ASSERT_FALSE(gw.cpu[0].faults);
	CU_ASSERT(gw.cpu[1].faults);
	CU_ASSERT_EQUAL(world.faults, 1);
	gw.on_call = NULL;
	gw.deaf = false;
	CU_ASSERT(gw_faults(true));
	end();
}

static uint32_t fill_refuses(uint32_t call)
{
	return call == PVROM_MMU_FILL ? PVROM_STATUS_NO_SPACE : PVROM_STATUS_OK;
}

static void refused_fill_falls_back(void)
{
	begin_faults();
	gw.on_call = fill_refuses;
	CU_ASSERT(gw_touch(0, 3, true, true));
	CU_ASSERT_EQUAL(gw.cpu[0].fallbacks, 1);
	CU_ASSERT_FALSE(gw.cpu[0].faults);
	gw.on_call = NULL;
	end();
}

/* In the old root there is nothing any more: the filter walks the one that is loaded. */
static void filter_follows_the_root(void)
{
	uint64_t *other;

	begin_faults();
	other = gw_at(gw_take());
	memcpy(other, gw_at(gw.root), 4096);
	pvrom_mmu_register(&gw.mmu, other, 4, PVROM_MMU_PLAIN, gw_at(gw.root));
	pvrom_mmu_store(gw_entry(GW_BASE, 4), 0);
	pvrom_mmu_will_switch(&gw.mmu, gpa_of(other));
	CU_ASSERT_EQUAL(pvrom_call(&gw.guest, PVROM_MMU_SWITCH_ROOT, gpa_of(other), 0, 0, 0, NULL),
			PVROM_STATUS_OK);
	CU_ASSERT(gw_touch(0, 3, true, true));
	CU_ASSERT_STRING_EQUAL(world.wrong, "");
	gw_close();
}

/* In the resident set no fault is hidden, whatever else wants the host's pages. */
static void resident_set_has_no_hidden_faults(void)
{
	uint64_t own;

	gw_open(VCPUS, pvrom_mmu_pool_min(VCPUS) + 24, SLOTS, true);
	CU_ASSERT_EQUAL(
		pvrom_mmu_resident(&gw.mmu, GW_DIRECT, 64 * 4096ull, PVROM_MMU_RESIDENT_ADD),
		PVROM_STATUS_OK);
	gw.has_resident = true;
	CU_ASSERT(gw_faults(true));
	map_big();
	for (uint32_t i = 0; i < BIG; i++) {
		CU_ASSERT(touch_at(BIG_VA(i * 513 % BIG), true, true));
		own = world.own_faults;
		CU_ASSERT(touch_at(GW_DIRECT + i % 64 * 4096ull, false, false));
		CU_ASSERT_EQUAL(world.own_faults, own);
	}
	CU_ASSERT_EQUAL(gw.cpu[0].fallbacks, 0);
	end();
}

/* Too much for the pool: a status, and the host goes on taking the faults. */
static void resident_set_that_does_not_fit(void)
{
	uint32_t status;

	gw_open(VCPUS, pvrom_mmu_pool_min(VCPUS), SLOTS, true);
	map_big();
	status = pvrom_mmu_resident(&gw.mmu, BIG_VA(0), BIG * 4096ull, PVROM_MMU_RESIDENT_ADD);
	gw.has_resident = true;
	if (status == PVROM_STATUS_OK)
		CU_ASSERT_FALSE(gw_faults(true));
	CU_ASSERT_FALSE(gw.cpu[0].faults);
	CU_ASSERT(touch_at(BIG_VA(77), true, true));
	CU_ASSERT_EQUAL(world.own_faults, 0);
	end();
}

/* ---- without the host --------------------------------------------------------------------------------- */

static void nothing_is_said_when_not_granted(void)
{
	gw_open(VCPUS, POOL, SLOTS, false);
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
	end();
}

static uint32_t denied(uint32_t call)
{
	(void)call;
	return PVROM_STATUS_DENIED;
}

/* The set is gone and the kernel does not know yet: stores are stored, flushes are said to be the kernel's. */
static void a_host_that_denies(void)
{
	begin();
	CU_ASSERT_EQUAL(gw_negotiate(0), PVROM_STATUS_OK);
	gw.on_call = denied;
	for (uint32_t i = 0; i < 3 * SLOTS; i++)
		gw_set(i % 16, gw_data((i + 3) % 16) | PTE_DATA);
	CU_ASSERT_FALSE(pvrom_mmu_flush_all(&gw.mmu));
	CU_ASSERT_FALSE(pvrom_mmu_flush_range(&gw.mmu, GW_VA(0), 1));
	gw.on_call = NULL;
	gw_update();
	end();
}

static void a_cpu_that_goes(void)
{
	begin();
	gw.self = 1;
	store(5, 0);
	pvrom_mmu_cpu_stop(&gw.cpu[1]);
	CU_ASSERT_FALSE(gw.cpu[1].on);
	CU_ASSERT_EQUAL(gw.cpu[1].ring->retired, gw.cpu[1].ring->start);
	gw.self = 0;
	gw_flush();
	CU_ASSERT_FALSE(gw_touch(0, 5, false, true));
	end();
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
	{ "every kind of flush is one call, and flushes whom it should [PVROM-MMU-1]",
	  each_flush_is_one_call },
	{ "a flush is for the words of all CPUs [PVROM-MMU-7]", other_cpus_words_count },
	{ "ranges longer than the host does at a time", ranges_of_any_length },
	{ "a range that is refused is the kernel's to do", refused_ranges },
	{ "a range of which the host does nothing is given up", ranges_that_get_nowhere },
	{ "hidden faults are filled, the kernel's own reach it", hidden_faults_are_filled },
	{ "two hidden faults without progress: intercepted again, and counted",
	  no_progress_falls_back },
	{ "a fill that is refused: intercepted again", refused_fill_falls_back },
	{ "the filter walks the root that was switched to", filter_follows_the_root },
	{ "no hidden fault in the resident set, in a small pool [PVROM-MMU-9]",
	  resident_set_has_no_hidden_faults },
	{ "a resident set that does not fit: faults stay with the host",
	  resident_set_that_does_not_fit },
	{ "without the feature no call is made", nothing_is_said_when_not_granted },
	{ "a host that denies every call", a_host_that_denies },
	{ "a CPU that goes offline", a_cpu_that_goes },
	{ 0 },
};

int main(void)
{
	return tap_run("guest half", tests);
}
