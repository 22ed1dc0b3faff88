/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The kernel's page tables: all memory one to one, W^X. The first
 * 2 MiB-multiple that holds the kernel is mapped in 4 KiB pages, the rest large.
 */
#include "paging.h"

#include "boot_layout.h"
#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "kernel_mmu.h"
#include "percpu.h"
#include "stacks.h"

void boot_bare_invlpg(const void *address);
extern char kernel_start[], text_end[], rodata_end[], kernel_end[];

uint64_t *paging_root;

static unsigned index_at(uint64_t va, int level)
{
	return (unsigned)(va >> (3 + 9 * level)) & 511;
}

static uint64_t *table_below(uint64_t entry)
{
	return (uint64_t *)(entry & PTE_ADDRESS);
}

uint64_t *paging_entry(uint64_t *root, uint64_t va, int level)
{
	uint64_t *table = root;

	for (int l = 4; l > level; l--) {
		uint64_t entry = table[index_at(va, l)];

		if (!(entry & PTE_P) || (entry & PTE_PS))
			return NULL;
		table = table_below(entry);
	}
	return &table[index_at(va, level)];
}

void paging_map(uint64_t *root, uint64_t va, uint64_t pa, uint64_t flags, int level)
{
	uint64_t *table = root;

	for (int l = 4; l > level; l--) {
		uint64_t *entry = &table[index_at(va, l)];

		if (!(*entry & PTE_P))
			*entry = (uint64_t)memory_page() | PTE_P | PTE_W | PTE_U | PTE_A;
		else if (*entry & PTE_PS)
			panic("page table: a large page is in the way at %lx", va);
		table = table_below(*entry);
	}
	WRITE_ONCE(table[index_at(va, level)], pa | flags);
}

/* Accessed and dirty from the start: nobody has to set the bits later, and a shadow may be filled ahead. */
static uint64_t kernel_flags(uint64_t pa)
{
	if (pa >= (uint64_t)kernel_start && pa < (uint64_t)text_end)
		return PTE_P | PTE_A;
	if (pa >= (uint64_t)text_end && pa < (uint64_t)rodata_end)
		return PTE_P | PTE_NX | PTE_A;
	return PTE_P | PTE_W | PTE_NX | PTE_A | PTE_D;
}

static void map_small(uint64_t start, uint64_t end)
{
	for (uint64_t pa = start; pa < end; pa += PAGE_SIZE)
		if (!stacks_is_guard(pa))
			paging_map(paging_root, pa, pa, kernel_flags(pa), 1);
}

/* A 2 MiB page may already be there when two ranges of the loader's map share one. */
static void map_large(uint64_t start, uint64_t end)
{
	for (uint64_t pa = ALIGN_DOWN(start, LARGE_SIZE); pa < end; pa += LARGE_SIZE)
		if (!paging_entry(paging_root, pa, 1))
			paging_map(paging_root, pa, pa,
				   PTE_P | PTE_W | PTE_NX | PTE_A | PTE_D | PTE_PS, 2);
}

void paging_init(void)
{
	uint64_t small_end = ALIGN_UP((uint64_t)kernel_end, LARGE_SIZE);

	paging_root = memory_page();
	map_small(PAGE_SIZE, small_end);
	for (unsigned i = 0; i < boot_record.range_count; i++) {
		uint64_t start = boot_record.ranges[i].start;
		uint64_t end = start + boot_record.ranges[i].size;

		/* Tables that firmware left (ACPI) lie in ranges that are not usable memory. */
		if (start >= BIT(32) && boot_record.ranges[i].type != RANGE_USABLE)
			continue;
		map_large(start < small_end ? small_end : start, end);
	}
	/* Makes the tables of the alias windows now, so that paging_poke() never has to. */
	paging_map(paging_root, ALIAS_BASE, 0, 0, 1);
	paging_init_ap();
}

void paging_init_ap(void)
{
	cpu_write_cr3((uint64_t)paging_root);
}

void paging_map_device(uint64_t pa, uint64_t size)
{
	for (uint64_t end = pa + size; pa < end; pa += PAGE_SIZE) {
		uint64_t *large = paging_entry(paging_root, pa, 2);

		if (large && (*large & PTE_PS)) {
			WRITE_ONCE(*large, *large | PTE_PCD | PTE_PWT);
			cpu_write_cr3(cpu_read_cr3());
			continue;
		}
		paging_map(paging_root, pa, pa, PTE_P | PTE_W | PTE_NX | PTE_PCD | PTE_PWT, 1);
	}
}

static void split_large(uint64_t va)
{
	uint64_t *large = paging_entry(paging_root, va, 2);
	uint64_t *table = memory_page();
	uint64_t base = *large & PTE_ADDRESS, flags = *large & ~(PTE_ADDRESS | PTE_PS);

	for (unsigned i = 0; i < 512; i++)
		table[i] = (base + i * PAGE_SIZE) | flags;
	WRITE_ONCE(*large, (uint64_t)table | PTE_P | PTE_W | PTE_A);
}

void paging_protect(uint64_t start, uint64_t bytes, uint64_t flags)
{
	for (uint64_t va = start; va < start + bytes; va += PAGE_SIZE) {
		uint64_t *entry = paging_entry(paging_root, va, 1);

		if (!entry) {
			split_large(va);
			entry = paging_entry(paging_root, va, 1);
		}
		WRITE_ONCE(*entry, (*entry & ~(PTE_W | PTE_NX)) | flags);
	}
	/* Not global: a CR3 load forgets them here; see kernel_rom.c for other CPUs. */
	cpu_write_cr3(cpu_read_cr3());
}

/* What the alias window of the poking CPU shows now; 0: nothing. */
static uint64_t alias_page;

static uint64_t alias_va(void)
{
	return ALIAS_BASE + this_cpu()->index * PAGE_SIZE;
}

/* No site is executed here, since sites are patched by this; and the table is not registered. */
static void flush_alias(void)
{
	if (!kernel_mmu_flush_plain(alias_va()))
		boot_bare_invlpg((void *)alias_va());
}

/* A table entry costs a hypervisor with shadow paging an exit, so the window moves as seldom as it can. */
static void poke_page(uint64_t to, const char *from, size_t bytes)
{
	uint64_t page = ALIGN_DOWN(to, PAGE_SIZE);

	if (page != alias_page) {
		paging_map(paging_root, alias_va(), page, PTE_P | PTE_W | PTE_NX, 1);
		flush_alias();
		alias_page = page;
	}
	memcpy((char *)alias_va() + to % PAGE_SIZE, from, bytes);
}

void paging_poke_end(void)
{
	if (!alias_page)
		return;
	WRITE_ONCE(*paging_entry(paging_root, alias_va(), 1), 0);
	flush_alias();
	alias_page = 0;
}

void paging_poke(void *to, const void *from, size_t bytes)
{
	uint64_t target = (uint64_t)to;
	const char *source = from;

	while (bytes) {
		size_t part = PAGE_SIZE - target % PAGE_SIZE;

		part = part < bytes ? part : bytes;
		poke_page(target, source, part);
		target += part;
		source += part;
		bytes -= part;
	}
}
