/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the tests of the guest half do again and again. */
#include "mmu_guest_cases.h"

#include "../cunit_tap.h"

void gc_begin(void)
{
	gw_open(GC_VCPUS, GC_POOL, GC_SLOTS, true);
	gw_judge();
}

void gc_end(void)
{
	gw_judge();
	if (world.wrong[0])
		tap_note("%s", world.wrong);
	CU_ASSERT_STRING_EQUAL(world.wrong, "");
	gw_close();
}

struct pvrom_mmu_stats gc_stats(void)
{
	struct pvrom_mmu_stats s;

	pvrom_mmu_get_stats(world.mmu, &s);
	return s;
}

struct pvrom_mmu_ring *gc_ring(void)
{
	return gw.cpu[0].ring;
}

void gc_store(uint32_t page, uint64_t value)
{
	pvrom_mmu_store(gw_leaf(page), gw.want[page] = value);
}

uint64_t gc_gpa_of(const uint64_t *table)
{
	return (uint64_t)table - gw.mmu.linear;
}

/* 2,048 pages in four tables, all with the data of page 0. */
void gc_map_big(void)
{
	pvrom_mmu_store(gw_entry(GC_BIG_VA(0), 3), gc_gpa_of(gw_table_new(2)) | PTE_TABLE);
	for (uint32_t i = 0; i < GC_BIG; i += 512)
		pvrom_mmu_store(gw_entry(GC_BIG_VA(i), 2), gc_gpa_of(gw_table_new(1)) | PTE_TABLE);
	for (uint32_t i = 0; i < GC_BIG; i++)
		pvrom_mmu_store(gw_entry(GC_BIG_VA(i), 1), gw_data(0) | PTE_DATA);
	gw_flush();
}

bool gc_touch_at(uint64_t va, bool write, bool user)
{
	struct oracle_access access = { .write = write, .user = user };

	gw.rip++;
	return world_judge(0, va, access, true).result == WORLD_OK;
}
