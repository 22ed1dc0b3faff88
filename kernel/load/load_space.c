/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Address spaces as processes have them: areas, pages at the first touch, pages shared after a fork
 * until somebody writes. The rest of the root is the kernel's, the same entries in every space.
 */
#include "console.h"
#include "cpu.h"
#include "load.h"
#include "paging.h"
#include "tables.h"

#define ROOT_SLOT ((LOAD_BASE >> 39) & 511)
#define TABLE_FLAGS (PTE_P | PTE_W | PTE_U | PTE_A)
#define TABLE_BYTES (512 * PAGE_SIZE)
#define ENTRY_BYTES(level) (1ull << (12 + 9 * ((level)-1)))

/* Users of each page beyond the first, by page number. */
static uint8_t *sharers;

void load_space_init(void)
{
	if (!sharers)
		sharers = memory_pages(ALIGN_UP(memory_top() / PAGE_SIZE, PAGE_SIZE) / PAGE_SIZE,
				       PAGE_SIZE);
}

bool load_page_is_shared(uint64_t page)
{
	return __atomic_load_n(&sharers[page / PAGE_SIZE], __ATOMIC_ACQUIRE);
}

/* Only CPUs that share a page count it, and they count it up while it is theirs. */
static void page_share(uint64_t page)
{
	__atomic_fetch_add(&sharers[page / PAGE_SIZE], 1, __ATOMIC_RELEASE);
}

void load_page_put(uint64_t page)
{
	if (load_page_is_shared(page))
		__atomic_fetch_sub(&sharers[page / PAGE_SIZE], 1, __ATOMIC_RELEASE);
	else
		memory_free((void *)page);
}

void load_space_create(struct load_space *space)
{
	*space = (struct load_space){ .root = table_clone(4, paging_root) };
}

uint64_t *load_space_entry(const struct load_space *space, uint64_t va, bool make)
{
	uint64_t *table = space->root;

	for (int level = 4; level > 1; level--) {
		uint64_t *entry = &table[va / ENTRY_BYTES(level) % 512];

		if (!(*entry & PTE_P)) {
			if (!make)
				return NULL;
			table_set(entry, (uint64_t)table_new(level - 1) | TABLE_FLAGS);
		}
		table = (uint64_t *)(*entry & PTE_ADDRESS);
	}
	return &table[va / PAGE_SIZE % 512];
}

const uint64_t *load_space_page(const struct load_space *space, uint64_t va)
{
	uint64_t *entry = load_space_entry(space, va, false);

	return entry && (*entry & PTE_P) ? (uint64_t *)(*entry & PTE_ADDRESS) : NULL;
}

void load_space_map(struct load_space *space, uint64_t start, uint64_t pages, bool writable,
		    uint32_t around)
{
	if (space->area_count == LOAD_AREAS)
		panic("the load: too many areas");
	space->areas[space->area_count++] = (struct load_area){
		.start = start,
		.end = start + pages * PAGE_SIZE,
		.around = around,
		.writable = writable,
	};
}

static struct load_area *area_at(struct load_space *space, uint64_t start)
{
	for (unsigned i = 0; i < space->area_count; i++)
		if (space->areas[i].start == start)
			return &space->areas[i];
	panic("the load: no area at %lx", start);
}

void load_space_populate(struct load_space *space, uint64_t start)
{
	const struct load_area *area = area_at(space, start);

	for (uint64_t va = start; va < area->end; va += PAGE_SIZE)
		table_set(load_space_entry(space, va, true),
			  (uint64_t)memory_page() | PTE_P | PTE_U | PTE_A | PTE_NX |
				  (area->writable ? PTE_W | PTE_D : 0));
}

/* ---- pieces of one table ---- */

/* How many entries of the table of VA lie before END. */
static unsigned in_table(uint64_t va, uint64_t end)
{
	uint64_t table_end = ALIGN_DOWN(va, TABLE_BYTES) + TABLE_BYTES;

	return (unsigned)(((end < table_end ? end : table_end) - va) / PAGE_SIZE);
}

/* Calls ACT for the entries of each table that [start, end) has. */
static void each_table(const struct load_space *space, uint64_t start, uint64_t end,
		       void (*act)(uint64_t *first, unsigned count))
{
	for (uint64_t va = start; va < end;) {
		unsigned count = in_table(va, end);
		uint64_t *first = load_space_entry(space, va, false);

		if (first)
			act(first, count);
		va += count * PAGE_SIZE;
	}
}

void load_space_protect(struct load_space *space, uint64_t start, uint64_t pages, bool writable)
{
	each_table(space, start, start + pages * PAGE_SIZE,
		   writable ? table_unprotect : table_protect);
	table_flush_range(start, pages);
}

/* ---- unmap ---- */

static void put_pages(uint64_t *first, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (first[i])
			load_page_put(first[i] & PTE_ADDRESS);
}

/* The pages of a table that goes away, kept until nobody can reach them any more. */
static void drop_table(struct load_space *space, uint64_t va, uint64_t end)
{
	unsigned count = in_table(va, end), pages = 0;
	uint64_t *first = load_space_entry(space, va, false), *upper;
	static uint64_t kept[MAX_CPUS][512];
	uint64_t *mine = kept[this_cpu()->index];

	if (!first)
		return;
	for (unsigned i = 0; i < count; i++)
		if (first[i])
			mine[pages++] = first[i];
	upper = paging_entry(space->root, va, 2);
	if (count == 512)
		table_set(upper, 0);
	else
		table_clear(first, count);
	table_flush_range(va, count);
	if (count == 512)
		table_free(first);
	put_pages(mine, pages);
}

void load_space_unmap(struct load_space *space, uint64_t start)
{
	struct load_area *area = area_at(space, start);
	uint64_t end = area->end;

	*area = space->areas[--space->area_count];
	for (uint64_t va = start; va < end; va += in_table(va, end) * PAGE_SIZE)
		drop_table(space, va, end);
}

/* ---- fork ---- */

static void share_pages(uint64_t *first, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (first[i] & PTE_P)
			page_share(first[i] & PTE_ADDRESS);
}

/* Level by level, the leaves write-protected before they are copied. */
/* NOLINTNEXTLINE(misc-no-recursion): no deeper than tables are */
static uint64_t fork_table(uint64_t *from, int level)
{
	uint64_t *table;

	if (level == 1) {
		table_protect(from, 512);
		share_pages(from, 512);
		return (uint64_t)table_clone(1, from) | TABLE_FLAGS;
	}
	table = table_new(level);
	for (unsigned i = 0; i < 512; i++)
		if (from[i] & PTE_P)
			table_set(&table[i],
				  fork_table((uint64_t *)(from[i] & PTE_ADDRESS), level - 1));
	return (uint64_t)table | TABLE_FLAGS;
}

void load_space_fork(struct load_space *child, struct load_space *parent)
{
	uint64_t below = parent->root[ROOT_SLOT] & PTE_ADDRESS;

	*child = *parent;
	child->root = table_clone(4, paging_root);
	if (below)
		table_set(&child->root[ROOT_SLOT], fork_table((uint64_t *)below, 3));
	table_flush();
}

/* ---- the end ---- */

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than tables are */
static void free_table(uint64_t *table, int level)
{
	for (unsigned i = 0; level > 1 && i < 512; i++)
		if (table[i] & PTE_P)
			free_table((uint64_t *)(table[i] & PTE_ADDRESS), level - 1);
	if (level == 1)
		put_pages(table, 512);
	table_clear(table, 512);
	table_free(table);
}

void load_space_destroy(struct load_space *space)
{
	if (space->root[ROOT_SLOT] & PTE_P)
		free_table((uint64_t *)(space->root[ROOT_SLOT] & PTE_ADDRESS), 3);
	table_free(space->root);
	space->root = NULL;
}

void load_space_switch(struct load_space *space)
{
	load_this_cpu()->space = space;
	table_switch(space ? space->root : paging_root);
}
