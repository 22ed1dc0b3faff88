/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest half of pvmmu/ against the engine: page faults straight to the guest, and the resident set. */
#include <string.h>

#include "../cunit_tap.h"
#include "mmu_guest_cases.h"

/* ---- faults that come straight to the guest ------------------------------------------------------------ */

static void begin_faults(void)
{
	gc_begin();
	CU_ASSERT(gw_faults(true));
	gw_judge();
	world.faults = 0;
	gc_store(3, gw.want[3] & ~(PTE_A | PTE_D));
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
	gc_store(3, 0);
	gw_flush();
	fills = GC_CALLS_OF(FILL);
	CU_ASSERT_FALSE(gw_touch(0, 3, true, true));
	CU_ASSERT_EQUAL(GC_CALLS_OF(FILL), fills);
	CU_ASSERT_EQUAL(gw.cpu[0].fallbacks, 0);
	gc_end();
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
	gc_end();
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
	gc_end();
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
	pvrom_mmu_will_switch(&gw.mmu, gc_gpa_of(other));
	CU_ASSERT_EQUAL(
		pvrom_call(&gw.guest, PVROM_MMU_SWITCH_ROOT, gc_gpa_of(other), 0, 0, 0, NULL),
		PVROM_STATUS_OK);
	CU_ASSERT(gw_touch(0, 3, true, true));
	CU_ASSERT_STRING_EQUAL(world.wrong, "");
	gw_close();
}

/* In the resident set no fault is hidden, whatever else wants the host's pages. */
static void resident_set_has_no_hidden_faults(void)
{
	uint64_t own;

	gw_open(GC_VCPUS, pvrom_mmu_pool_min(GC_VCPUS) + 24, GC_SLOTS, true);
	CU_ASSERT_EQUAL(
		pvrom_mmu_resident(&gw.mmu, GW_DIRECT, 64 * 4096ull, PVROM_MMU_RESIDENT_ADD),
		PVROM_STATUS_OK);
	gw.has_resident = true;
	CU_ASSERT(gw_faults(true));
	gc_map_big();
	for (uint32_t i = 0; i < GC_BIG; i++) {
		CU_ASSERT(gc_touch_at(GC_BIG_VA(i * 513 % GC_BIG), true, true));
		own = world.own_faults;
		CU_ASSERT(gc_touch_at(GW_DIRECT + i % 64 * 4096ull, false, false));
		CU_ASSERT_EQUAL(world.own_faults, own);
	}
	CU_ASSERT_EQUAL(gw.cpu[0].fallbacks, 0);
	gc_end();
}

/* Too much for the pool: a status, and the host goes on taking the faults. */
static void resident_set_that_does_not_fit(void)
{
	uint32_t status;

	gw_open(GC_VCPUS, pvrom_mmu_pool_min(GC_VCPUS), GC_SLOTS, true);
	gc_map_big();
	status =
		pvrom_mmu_resident(&gw.mmu, GC_BIG_VA(0), GC_BIG * 4096ull, PVROM_MMU_RESIDENT_ADD);
	gw.has_resident = true;
	if (status == PVROM_STATUS_OK)
		CU_ASSERT_FALSE(gw_faults(true));
	CU_ASSERT_FALSE(gw.cpu[0].faults);
	CU_ASSERT(gc_touch_at(GC_BIG_VA(77), true, true));
	CU_ASSERT_EQUAL(world.own_faults, 0);
	gc_end();
}

/* ---- the set and the roots ------------------------------------------------------------------------------ */

/* An entry of the root of its own, for kernel pages. */
#define FAR 0x600000000000ull
#define FAR_PAGES 4u

/* The set is there, and faults come straight, before anything is mapped in it. */
static void begin_far(void)
{
	gc_begin();
	CU_ASSERT_EQUAL(
		pvrom_mmu_resident(&gw.mmu, FAR, FAR_PAGES * 4096ull, PVROM_MMU_RESIDENT_ADD),
		PVROM_STATUS_OK);
	gw.has_resident = true;
	CU_ASSERT(gw_faults(true));
}

/* Pages that nobody has used: neither A nor D is set. rights: of the root's entry. */
static void map_far(uint64_t rights)
{
	uint64_t *leaf;

	pvrom_mmu_store(gw_entry(FAR, 4), gc_gpa_of(gw_table_new(3)) | rights);
	pvrom_mmu_store(gw_entry(FAR, 3), gc_gpa_of(gw_table_new(2)) | PTE_TABLE);
	pvrom_mmu_store(gw_entry(FAR, 2), gc_gpa_of(gw_table_new(1)) | PTE_TABLE);
	leaf = gw_entry(FAR, 1);
	for (uint32_t i = 0; i < FAR_PAGES; i++)
		pvrom_mmu_store(&leaf[i], gw_data(i) | PTE_P | PTE_W);
	gw_flush();
}

/* No fault is hidden from the kernel in FAR, whether it reads or writes. */
static void far_is_there(void)
{
	const uint64_t own = world.own_faults;

	for (uint32_t i = 0; i < FAR_PAGES; i++) {
		CU_ASSERT(gc_touch_at(FAR + i * 4096ull, false, false));
		CU_ASSERT(gc_touch_at(FAR + i * 4096ull, true, false));
	}
	CU_ASSERT_EQUAL(world.own_faults, own);
}

static void end_far(void)
{
	CU_ASSERT_EQUAL(gw.cpu[0].fallbacks, 0);
	CU_ASSERT_STRING_EQUAL(world.wrong, "");
	gw_close();
}

/* The tables are there when the set is declared, the pages come later. */
static void pages_that_come_later(void)
{
	uint64_t *leaf;

	begin_far();
	map_far(PTE_TABLE);
	leaf = gw_entry(FAR, 1);
	for (uint32_t i = 0; i < FAR_PAGES; i++)
		pvrom_mmu_store(&leaf[i], 0);
	gw_flush();
	pvrom_mmu_resident(&gw.mmu, 0, 4096, PVROM_MMU_RESIDENT_DROP_ALL);
	CU_ASSERT_EQUAL(
		pvrom_mmu_resident(&gw.mmu, FAR, FAR_PAGES * 4096ull, PVROM_MMU_RESIDENT_ADD),
		PVROM_STATUS_OK);
	for (uint32_t i = 0; i < FAR_PAGES; i++)
		pvrom_mmu_store(&leaf[i], gw_data(i) | PTE_P | PTE_W);
	gw_flush();
	far_is_there();
	end_far();
}

/* It may be read; the entry says that it may be written, which it may not. */
static void rom_that_is_mapped_writable(void)
{
	const uint64_t va = FAR + 64 * 4096ull;
	uint64_t own;

	begin_far();
	map_far(PTE_TABLE);
	CU_ASSERT_EQUAL(pvrom_mmu_resident(&gw.mmu, va, 4096, PVROM_MMU_RESIDENT_ADD),
			PVROM_STATUS_OK);
	pvrom_mmu_store(gw_entry(va, 1), (uint64_t)WORLD_ROM << 12 | PTE_P | PTE_W);
	gw_flush();
	own = world.own_faults;
	CU_ASSERT(gc_touch_at(va, false, false));
	CU_ASSERT_EQUAL(world.own_faults, own);
	end_far();
}

static uint64_t *copy_of_the_root(void)
{
	uint64_t *other = gw_at(gw_take());

	memcpy(other, gw_at(gw.root), 4096);
	pvrom_mmu_register(&gw.mmu, other, 4, PVROM_MMU_PLAIN, gw_at(gw.root));
	return other;
}

static void switch_to(const uint64_t *root)
{
	pvrom_mmu_will_switch(&gw.mmu, gc_gpa_of(root));
	CU_ASSERT_EQUAL(
		pvrom_call(&gw.guest, PVROM_MMU_SWITCH_ROOT, gc_gpa_of(root), 0, 0, 0, NULL),
		PVROM_STATUS_OK);
}

/* What was announced is filled, although nothing led there when the set was declared. */
static void set_below_a_new_entry_of_the_root(void)
{
	begin_far();
	map_far(PTE_TABLE);
	far_is_there();
	end_far();
}

static void root_gets_the_right_to_write(void)
{
	begin_far();
	map_far(PTE_TABLE & ~PTE_W);
	pvrom_mmu_store(gw_entry(FAR, 4), *gw_entry(FAR, 4) | PTE_W);
	gw_flush();
	far_is_there();
	end_far();
}

/* While it is not loaded nobody fills it; when it is, it is not taken for full. */
static void root_changes_while_another_is_loaded(void)
{
	uint64_t *first, *other;

	begin_far();
	map_far(PTE_TABLE & ~PTE_W);
	first = gw_at(gw.root);
	other = copy_of_the_root();
	for (gw.self = 0; gw.self < GC_VCPUS; gw.self++)
		switch_to(other);
	gw.self = 0;
	pvrom_mmu_store(&first[FAR >> 39 & 511], first[FAR >> 39 & 511] | PTE_W);
	gw_flush();
	switch_to(first);
	far_is_there();
	end_far();
}

/* D is set for neither, as the first root has no right to write; the second one has. */
static void second_root_may_write(void)
{
	uint64_t *other;

	begin_far();
	map_far(PTE_TABLE & ~PTE_W);
	other = copy_of_the_root();
	other[FAR >> 39 & 511] |= PTE_W;
	switch_to(other);
	far_is_there();
	end_far();
}

/* What is there already is not walked again: a root more does not cost what the set did. */
static void second_root_is_cheap(void)
{
	uint32_t first, second;

	gc_begin();
	gc_map_big();
	gw.has_resident = true;
	CU_ASSERT_EQUAL(
		pvrom_mmu_resident(&gw.mmu, GC_BIG_VA(0), 512 * 4096ull, PVROM_MMU_RESIDENT_ADD),
		PVROM_STATUS_OK);
	world.asked = 0;
	CU_ASSERT(gw_faults(true));
	first = world.asked;
	world.asked = 0;
	switch_to(copy_of_the_root());
	second = world.asked;
	tap_note("pages asked for: %u by the first root, %u by the second", first, second);
	CU_ASSERT(first > 512 && second < 100);
	end_far();
}

static const struct tap_test tests[] = {
	{ "hidden faults are filled, the kernel's own reach it", hidden_faults_are_filled },
	{ "two hidden faults without progress: intercepted again, and counted",
	  no_progress_falls_back },
	{ "a fill that is refused: intercepted again", refused_fill_falls_back },
	{ "the filter walks the root that was switched to", filter_follows_the_root },
	{ "no hidden fault in the resident set, in a small pool [PVROM-MMU-9]",
	  resident_set_has_no_hidden_faults },
	{ "a resident set that does not fit: faults stay with the host",
	  resident_set_that_does_not_fit },
	{ "no hidden fault below an entry that the root gets later [PVROM-MMU-9]",
	  set_below_a_new_entry_of_the_root },
	{ "nor where pages come later", pages_that_come_later },
	{ "nor in a ROM that is mapped writable", rom_that_is_mapped_writable },
	{ "nor when the root gets the right to write later", root_gets_the_right_to_write },
	{ "nor when it gets that while another root is loaded",
	  root_changes_while_another_is_loaded },
	{ "nor in a second root that may write where the first may not", second_root_may_write },
	{ "a second root does not cost what the set did", second_root_is_cheap },
	{ 0 },
};

int main(void)
{
	return tap_run("own faults", tests);
}
