/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Page faults of the work load's processes: a page at the first touch, a copy at the first write. */
#include "console.h"
#include "cpu.h"
#include "load.h"
#include "paging.h"
#include "tables.h"

struct load_cpu load_cpus[MAX_CPUS];

static const struct load_area *area_of(const struct load_space *space, uint64_t va)
{
	for (unsigned i = 0; space && i < space->area_count; i++)
		if (va >= space->areas[i].start && va < space->areas[i].end)
			return &space->areas[i];
	return NULL;
}

/* New pages are zeroed, accessed, and dirty where they are writable. */
static uint64_t fresh_entry(const struct load_area *area)
{
	uint64_t flags = PTE_P | PTE_U | PTE_A | PTE_NX;

	return (uint64_t)memory_page() | flags | (area->writable ? PTE_W | PTE_D : 0);
}

static void bring(const struct load_space *space, const struct load_area *area, uint64_t va)
{
	uint64_t size = area->around * PAGE_SIZE;
	uint64_t at = ALIGN_DOWN(va, size), end = at + size;

	for (at = at < area->start ? area->start : at; at < end && at < area->end;
	     at += PAGE_SIZE) {
		uint64_t *entry = load_space_entry(space, at, true);

		if (!(*entry & PTE_P))
			table_set(entry, fresh_entry(area));
	}
	table_new_entries();
}

/* The planted fault of test builds: a copy on write is forgotten. */
#ifdef PVROM_TEST
#define COPIES false
#else
#define COPIES true
#endif

/* The last user of a page need not copy it. */
static void own(uint64_t *entry, uint64_t va)
{
	uint64_t page = *entry & PTE_ADDRESS, copy = page;

	if (COPIES && load_page_is_shared(page))
		copy = (uint64_t)memcpy(memory_page(), (void *)page, PAGE_SIZE);
	table_set(entry, copy | (*entry & ~PTE_ADDRESS) | PTE_W | PTE_D | PTE_A);
	table_flush_page(va);
	if (copy != page)
		load_page_put(page);
}

static bool solve(struct load_cpu *cpu, uint64_t va, uint64_t error)
{
	const struct load_area *area = area_of(cpu->space, va);
	uint64_t *entry = area ? load_space_entry(cpu->space, va, true) : NULL;

	if (!area || (error & PF_W && !area->writable))
		return false;
	if (!(*entry & PTE_P))
		bring(cpu->space, area, va);
	else if (error & PF_W && !(*entry & PTE_W))
		own(entry, ALIGN_DOWN(va, PAGE_SIZE));
	else
		cpu->needless++;
	cpu->faults++;
	return true;
}

void load_fault(struct trap_frame *frame)
{
	struct load_cpu *cpu = load_this_cpu();
	uint64_t va = cpu_read_cr2();

	if (!solve(cpu, va, frame->error))
		panic("the load: page fault at %lx, error %lx, from %lx:%lx", va, frame->error,
		      frame->cs, frame->rip);
}
