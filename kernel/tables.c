/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Page tables of address spaces. Table pages lie side by side in memory of their own, and the list
 * of free ones is apart from them, so that freeing a table does not write to it.
 */
#include "tables.h"

#include "console.h"
#include "cpu.h"
#include "memory.h"
#include "paging.h"

/* Enough for four CPUs with seventeen spaces each; two large pages. */
#define TABLES 1024

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
	uint64_t *table = take();

	(void)level;
	return memset(table, 0, PAGE_SIZE);
}

uint64_t *table_clone(int level, const uint64_t *from)
{
	uint64_t *table = take();

	(void)level;
	return memcpy(table, from, PAGE_SIZE);
}

void table_free(uint64_t *table)
{
	give_back(table);
}

void table_set(uint64_t *entry, uint64_t value)
{
	pvrom_set_entry(entry, value);
}

void table_protect(uint64_t *first, unsigned count)
{
	for (uint64_t *entry = first; entry < first + count; entry++)
		if (*entry & PTE_W)
			pvrom_set_entry(entry, *entry & ~PTE_W);
}

void table_unprotect(uint64_t *first, unsigned count)
{
	for (uint64_t *entry = first; entry < first + count; entry++)
		if ((*entry & (PTE_P | PTE_W)) == PTE_P)
			pvrom_set_entry(entry, *entry | PTE_W | PTE_D);
}

void table_clear(uint64_t *first, unsigned count)
{
	for (uint64_t *entry = first; entry < first + count; entry++)
		if (*entry)
			pvrom_set_entry(entry, 0);
}

void table_switch(uint64_t *root)
{
	pvrom_switch_root((uint64_t)root);
}

void table_flush_page(uint64_t va)
{
	pvrom_flush_one(va);
}

void table_flush(void)
{
	pvrom_switch_root(cpu_read_cr3());
}
