/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Booting by PVH: the direct boot of Xen's public/arch-x86/hvm/start_info.h.
 * 32-bit protected mode, paging off, ebx = address of the start info.
 */
#include "load_kernel.h"

#include <string.h>

#define START_INFO_MAGIC 0x336ec578u

struct start_info {
	uint32_t magic;
	uint32_t version; /* 1: with a memory map */
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modlist_paddr;
	uint64_t cmdline_paddr;
	uint64_t rsdp_paddr;
	uint64_t memmap_paddr;
	uint32_t memmap_entries;
	uint32_t reserved;
};

struct start_module {
	uint64_t paddr;
	uint64_t size;
	uint64_t cmdline_paddr;
	uint64_t reserved;
};

struct start_map {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

static void put_modules(struct boot_area *area, struct start_info *info, uint64_t from)
{
	struct module_gpa modules[MAX_MODULES + 1];
	struct start_module *list;

	info->nr_modules = load_modules(area, from, modules);
	if (info->nr_modules == 0)
		return;
	info->modlist_paddr = boot_area_take(area, info->nr_modules * sizeof(*list), 8);
	list = memory_at(area->vm, info->modlist_paddr, info->nr_modules * sizeof(*list));
	for (uint32_t i = 0; i < info->nr_modules; i++)
		list[i] = (struct start_module){ modules[i].start, modules[i].size,
						 modules[i].cmdline, 0 };
}

static void put_map(struct boot_area *area, struct start_info *info)
{
	struct map_entry map[MAX_MAP_ENTRIES];
	struct start_map *list;

	info->memmap_entries = memory_map(area->vm, map);
	info->memmap_paddr = boot_area_take(area, info->memmap_entries * sizeof(*list), 8);
	list = memory_at(area->vm, info->memmap_paddr, info->memmap_entries * sizeof(*list));
	for (uint32_t i = 0; i < info->memmap_entries; i++)
		list[i] = (struct start_map){ map[i].start, map[i].size, map[i].type, 0 };
}

/* Loads an ELF kernel whose PVH note names `entry`. */
void load_pvh(struct vm *vm, const struct file_image *file, uint32_t entry)
{
	struct start_info info = { .magic = START_INFO_MAGIC,
				   .version = 1,
				   .rsdp_paddr = ACPI_RSDP };
	struct boot_area area;
	uint64_t ignored, at, end = elf_load(vm, file, &ignored);

	boot_area_start(&area, vm);
	at = boot_area_take(&area, sizeof(info), 8);
	info.cmdline_paddr = boot_area_string(&area, vm->opt->append);
	put_modules(&area, &info, end);
	put_map(&area, &info);
	memcpy(memory_at(vm, at, sizeof(info)), &info, sizeof(info));
	vm->boot = (struct boot_state){ .eip = entry, .ebx = (uint32_t)at };
}
