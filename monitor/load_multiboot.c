/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Booting by multiboot 1 (the Multiboot Specification 0.6.96): a header in the
 * first 8 KiB; by its address fields, or else as an ELF file. 32-bit protected
 * mode, eax = magic, ebx = address of the information structure.
 */
#include "load_kernel.h"

#include <string.h>

#define HEADER_MAGIC 0x1badb002u
#define LOADER_MAGIC 0x2badb002u
#define HEADER_SEARCH 8192u
#define WANTS_ADDRESSES (1u << 16)
#define KNOWN_NEEDS 0x3u /* page-aligned modules, memory information */

struct header {
	uint32_t magic, flags, checksum;
	uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};

struct information {
	uint32_t flags;
	uint32_t mem_lower, mem_upper;	     /* KiB, flag 0 */
	uint32_t boot_device;		     /* flag 1 */
	uint32_t cmdline;		     /* flag 2 */
	uint32_t mods_count, mods_addr;	     /* flag 3 */
	uint32_t syms[4];		     /* flags 4, 5 */
	uint32_t mmap_length, mmap_addr;     /* flag 6 */
	uint32_t drives_length, drives_addr; /* flag 7 */
	uint32_t config_table;		     /* flag 8 */
	uint32_t boot_loader_name;	     /* flag 9 */
	uint32_t apm_table;		     /* flag 10 */
};
#define INFO_FLAGS (1u << 0 | 1u << 2 | 1u << 3 | 1u << 6 | 1u << 9)

struct module_entry {
	uint32_t start, end, string, reserved;
};

/* The specification's entry: `size` does not count itself. */
struct mmap_entry {
	uint32_t size;
	uint32_t addr_low, addr_high, len_low, len_high;
	uint32_t type;
};

/* Finds the header and its offset; fields beyond the end of the file are zero. */
static bool find_header(const struct file_image *file, struct header *header, uint64_t *offset)
{
	for (uint64_t at = 0; at + 12 <= file->size && at < HEADER_SEARCH; at += 4) {
		uint64_t rest = file->size - at;

		*header = (struct header){ 0 };
		memcpy(header, file->data + at, rest < sizeof(*header) ? rest : sizeof(*header));
		if (header->magic == HEADER_MAGIC &&
		    header->magic + header->flags + header->checksum == 0) {
			*offset = at;
			return true;
		}
	}
	return false;
}

bool multiboot_is(const struct file_image *file)
{
	struct header header = { 0 };
	uint64_t offset;

	return find_header(file, &header, &offset);
}

static void check_addresses(const struct file_image *file, const struct header *h, uint64_t offset)
{
	bool good = h->load_addr <= h->header_addr && h->header_addr - h->load_addr <= offset &&
		    (h->load_end_addr == 0 || h->load_end_addr >= h->load_addr) &&
		    (h->bss_end_addr == 0 || h->bss_end_addr >= h->load_end_addr);

	if (!good)
		fail(EXIT_NOT_A_KERNEL,
		     "%s has a multiboot header whose address fields contradict "
		     "each other",
		     file->path);
}

/* Loads as the address fields say; returns the end of the kernel. */
static uint64_t load_raw(struct vm *vm, const struct file_image *file, const struct header *h,
			 uint64_t offset)
{
	uint64_t from = offset - (h->header_addr - h->load_addr);
	uint64_t size = file->size - from, end;

	check_addresses(file, h, offset);
	if (h->load_end_addr != 0)
		size = h->load_end_addr - h->load_addr;
	if (size > file->size - from)
		fail(EXIT_NOT_A_KERNEL, "%s is truncated: its multiboot header names %llu bytes",
		     file->path, (unsigned long long)size);
	end = h->load_addr + size;
	if (h->bss_end_addr > end)
		end = h->bss_end_addr;
	memcpy(memory_for(vm, h->load_addr, end - h->load_addr, file->path), file->data + from,
	       size);
	return end;
}

static uint64_t load_image(struct vm *vm, const struct file_image *file, uint32_t *entry)
{
	struct header header = { 0 };
	uint64_t offset = 0, end, elf_entry;

	find_header(file, &header, &offset);
	if (header.flags & 0xffff & ~KNOWN_NEEDS)
		fail(EXIT_NOT_A_KERNEL,
		     "%s asks for multiboot features that are not here (flags 0x%x)", file->path,
		     header.flags);
	if (header.flags & WANTS_ADDRESSES) {
		*entry = header.entry_addr;
		return load_raw(vm, file, &header, offset);
	}
	if (!elf_is(file))
		fail(EXIT_NOT_A_KERNEL,
		     "%s has a multiboot header without address fields and is not "
		     "an ELF file",
		     file->path);
	end = elf_load(vm, file, &elf_entry);
	if (elf_entry > UINT32_MAX || end > UINT32_MAX)
		fail(EXIT_NOT_A_KERNEL, "%s is not a multiboot kernel: it does not lie below 4 GiB",
		     file->path);
	*entry = (uint32_t)elf_entry;
	return end;
}

static void put_modules(struct boot_area *area, struct information *info, uint64_t from)
{
	struct module_gpa modules[MAX_MODULES + 1];
	struct module_entry *list;
	uint64_t at;

	info->mods_count = load_modules(area, from, modules);
	at = boot_area_take(area, info->mods_count * sizeof(*list), 4);
	list = memory_at(area->vm, at, info->mods_count * sizeof(*list));
	info->mods_addr = (uint32_t)at;
	for (uint32_t i = 0; i < info->mods_count; i++)
		list[i] = (struct module_entry){
			.start = (uint32_t)modules[i].start,
			.end = (uint32_t)(modules[i].start + modules[i].size),
			.string = (uint32_t)modules[i].cmdline,
		};
}

static void put_map(struct boot_area *area, struct information *info)
{
	struct map_entry map[MAX_MAP_ENTRIES];
	struct mmap_entry *list;
	unsigned int n = memory_map(area->vm, map);
	uint64_t at = boot_area_take(area, n * sizeof(*list), 4);

	info->mmap_addr = (uint32_t)at;
	info->mmap_length = (uint32_t)(n * sizeof(*list));
	list = memory_at(area->vm, at, n * sizeof(*list));
	for (unsigned int i = 0; i < n; i++)
		list[i] = (struct mmap_entry){
			.size = sizeof(*list) - sizeof(list->size),
			.addr_low = (uint32_t)map[i].start,
			.addr_high = (uint32_t)(map[i].start >> 32),
			.len_low = (uint32_t)map[i].size,
			.len_high = (uint32_t)(map[i].size >> 32),
			.type = map[i].type,
		};
	info->mem_lower = BOOT_AREA / 1024;
	info->mem_upper = (uint32_t)((area->vm->rom_gpa - HIGH_START) / 1024);
}

/* Loads a kernel that has a multiboot header. */
void load_multiboot(struct vm *vm, const struct file_image *file)
{
	struct information info = { .flags = INFO_FLAGS };
	struct boot_area area;
	uint32_t entry;
	uint64_t at, end = load_image(vm, file, &entry);

	boot_area_start(&area, vm);
	at = boot_area_take(&area, sizeof(info), 8);
	info.cmdline = (uint32_t)boot_area_string(&area, vm->opt->append);
	info.boot_loader_name = (uint32_t)boot_area_string(&area, "pvrun");
	put_modules(&area, &info, end);
	put_map(&area, &info);
	memcpy(memory_at(vm, at, sizeof(info)), &info, sizeof(info));
	vm->boot = (struct boot_state){ .eip = entry, .eax = LOADER_MAGIC, .ebx = (uint32_t)at };
}
