/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Page tables of address spaces. Table pages lie side by side in memory of their own, and the list
 * of free ones is apart from them, so that freeing a table does not write to it.
 */
#include "tables.h"

#include "console.h"
#include "cpu.h"
#include "kernel_mmu.h"
#include "memory.h"
#include "paging.h"
#include "percpu.h"

/* Enough for four CPUs with seventeen spaces each; two large pages. */
#define TABLES 1024

/* Natively, from how many pages on all of them are flushed at once. */
#define FLUSH_CEILING 32

static char *arena;
static uint16_t free_tables[TABLES];
static unsigned free_count;
static struct lock arena_lock;

void tables_init(void)
{
	if (arena)
		return;
	arena = memory_pages(TABLES, LARGE_SIZE);
	for (unsigned i = TABLES; i-- > 0;)
		free_tables[free_count++] = (uint16_t)i;
	kernel_mmu_keep_map((uint64_t)arena / PAGE_SIZE, TABLES);
}

static uint64_t *take(void)
{
	uint64_t flags = cpu_save_flags_cli();
	uint64_t *table = NULL;

	lock_take(&arena_lock);
	if (free_count)
		table = (uint64_t *)(arena + free_tables[--free_count] * PAGE_SIZE);
	lock_release(&arena_lock);
	cpu_restore_flags(flags);
	if (!table)
		panic("no more than %u page tables", TABLES);
	return table;
}

static void give_back(const uint64_t *table)
{
	uint64_t flags = cpu_save_flags_cli();

	lock_take(&arena_lock);
	free_tables[free_count++] = (uint16_t)(((uint64_t)table - (uint64_t)arena) / PAGE_SIZE);
	lock_release(&arena_lock);
	cpu_restore_flags(flags);
}

uint64_t *table_new(int level)
{
	uint64_t *table = memset(take(), 0, PAGE_SIZE);

	pvrom_mmu_register(&kernel_mmu, table, (uint32_t)level, PVROM_MMU_ZEROED, NULL);
	return table;
}

/* Of the kernel's own tables the root alone is registered: there is nothing else to clone. */
static bool is_registered(const uint64_t *table)
{
	return table == paging_root || (uint64_t)table - (uint64_t)arena < TABLES * PAGE_SIZE;
}

uint64_t *table_clone(int level, const uint64_t *from)
{
	uint64_t *table = memcpy(take(), from, PAGE_SIZE);

	pvrom_mmu_register(&kernel_mmu, table, (uint32_t)level, PVROM_MMU_PLAIN,
			   is_registered(from) ? from : NULL);
	return table;
}

void table_free(uint64_t *table)
{
	pvrom_mmu_release(&kernel_mmu, table);
	give_back(table);
}

void table_set(uint64_t *entry, uint64_t value)
{
	pvrom_set_entry(entry, value);
}

uint64_t table_swap(uint64_t *entry, uint64_t value)
{
	return pvrom_swap_entry(entry, value);
}

/* ---- several entries of one table: announced together, stored one by one ---- */

typedef uint64_t change_fn(uint64_t entry);

static void change(uint64_t *first, unsigned count, change_fn *changed)
{
	bool announced = pvrom_mmu_change_begin(first, count);

	for (uint64_t *entry = first; entry < first + count; entry++) {
		uint64_t now = READ_ONCE(*entry), value = changed(now);

		if (value == now)
			continue;
		if (announced)
			WRITE_ONCE(*entry, value);
		else
			pvrom_set_entry(entry, value);
	}
	if (announced)
		pvrom_mmu_change_end();
}

static uint64_t protected(uint64_t entry)
{
	return entry & ~PTE_W;
}

static uint64_t unprotected(uint64_t entry)
{
	return entry & PTE_P ? entry | PTE_W | PTE_D : entry;
}

static uint64_t cleared(uint64_t entry)
{
	(void)entry;
	return 0;
}

void table_protect(uint64_t *first, unsigned count)
{
	change(first, count, protected);
}

void table_unprotect(uint64_t *first, unsigned count)
{
	change(first, count, unprotected);
}

void table_clear(uint64_t *first, unsigned count)
{
	change(first, count, cleared);
}

/* ---- flushes ---- */

void table_switch(uint64_t *root)
{
	pvrom_mmu_will_switch(&kernel_mmu, (uint64_t)root);
	pvrom_switch_root((uint64_t)root);
}

void table_flush_page(uint64_t va)
{
	pvrom_flush_one(va);
}

/* The kernel knows what it has loaded: reading CR3 may cost an exit. */
static void flush_native(void)
{
	pvrom_switch_root(this_cpu()->mmu.root);
}

void table_flush(void)
{
	pvrom_mmu_will_switch(&kernel_mmu, this_cpu()->mmu.root);
	flush_native();
}

void table_flush_range(uint64_t va, uint64_t pages)
{
	if (pvrom_mmu_flush_range(&kernel_mmu, va, pages))
		return;
	if (pages > FLUSH_CEILING) {
		flush_native();
		return;
	}
	for (; pages; va += PAGE_SIZE, pages--)
		pvrom_flush_one(va);
}
