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
#include "smp.h"

void boot_bare_invlpg(const void *address);

/* Enough for four CPUs with seventeen spaces each; two large pages. */
#define TABLES 1024

/* Natively, from how many pages on all of them are flushed at once. */
#define FLUSH_CEILING 32

static char *arena;
/*
 * A list of free tables for each CPU: what one has freed it registers again itself, since rings have no order
 * among them. Numbers from 1; 0 ends a list.
 */
static uint16_t free_first[MAX_CPUS], free_next[TABLES + 1];
static struct lock arena_lock;

static void put_on(unsigned cpu, unsigned number)
{
	free_next[number] = free_first[cpu];
	free_first[cpu] = (uint16_t)number;
}

static unsigned take_from(unsigned cpu)
{
	unsigned number = free_first[cpu];

	free_first[cpu] = free_next[number];
	return number;
}

void tables_init(void)
{
	if (arena)
		return;
	arena = memory_pages(TABLES, LARGE_SIZE);
	for (unsigned i = TABLES; i; i--)
		put_on(i % smp_cpus, i);
	kernel_mmu_keep_map((uint64_t)arena / PAGE_SIZE, TABLES);
}

/* A table of this CPU's list, or of another's, whose words about it the host has to see first. */
static uint64_t *take(void)
{
	uint64_t flags = cpu_save_flags_cli();
	unsigned mine = this_cpu()->index, cpu = mine;
	unsigned number;

	lock_take(&arena_lock);
	while (!free_first[cpu] && (cpu + 1) % MAX_CPUS != mine)
		cpu = (cpu + 1) % MAX_CPUS;
	number = take_from(cpu);
	lock_release(&arena_lock);
	if (cpu != mine)
		pvrom_mmu_drain(&kernel_mmu);
	cpu_restore_flags(flags);
	if (!number)
		panic("no more than %u page tables", TABLES);
	return (uint64_t *)(arena + (number - 1) * PAGE_SIZE);
}

static void give_back(const uint64_t *table)
{
	uint64_t flags = cpu_save_flags_cli();

	lock_take(&arena_lock);
	put_on(this_cpu()->index, (unsigned)(((uint64_t)table - (uint64_t)arena) / PAGE_SIZE) + 1);
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

/* The instruction (boot_bare.S), and not the site, which would be a call. */
static void flush_own(uint64_t va)
{
	boot_bare_invlpg((const void *)va);
}

void table_flush_page(uint64_t va)
{
	if (pvrom_mmu_is_seen(&kernel_mmu))
		flush_own(va);
	else
		pvrom_flush_one(va);
}

void table_new_entries(void)
{
	pvrom_mmu_is_seen(&kernel_mmu);
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
	if (pages <= FLUSH_CEILING && pvrom_mmu_is_seen(&kernel_mmu)) {
		for (; pages; va += PAGE_SIZE, pages--)
			flush_own(va);
		return;
	}
	if (pvrom_mmu_flush_range(&kernel_mmu, va, pages))
		return;
	if (pages > FLUSH_CEILING) {
		flush_native();
		return;
	}
	for (; pages; va += PAGE_SIZE, pages--)
		pvrom_flush_one(va);
}
