/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Booting a Linux bzImage by its 32-bit boot protocol (Documentation/arch/x86/
 * boot.rst): the protected-mode part goes to 1 MiB, esi = the zero page.
 */
#include "load_kernel.h"

#include <asm/bootparam.h>
#include <string.h>

#define SETUP_HEADER 0x1f1u
#define SECTOR 512u
#define BOOT_FLAG 0xaa55u
#define HDRS 0x53726448u /* "HdrS" */
#define OLDEST 0x0206u	 /* the first with cmdline_size: Linux 2.6.22 */
#define LOADER_UNKNOWN 0xffu

/* The file's setup header; what a short file lacks is zero. */
static struct setup_header read_header(const struct file_image *file)
{
	struct setup_header header = { 0 };

	if (file->size >= SETUP_HEADER + sizeof(header))
		memcpy(&header, file->data + SETUP_HEADER, sizeof(header));
	return header;
}

bool linux_is(const struct file_image *file)
{
	struct setup_header header = read_header(file);

	return header.boot_flag == BOOT_FLAG && header.header == HDRS;
}

static void check_header(const struct vm *vm, const struct file_image *file,
			 const struct setup_header *header)
{
	if (header->version < OLDEST || !(header->loadflags & LOADED_HIGH))
		fail(EXIT_NOT_A_KERNEL,
		     "%s is a Linux kernel too old for pvrun (boot protocol %u.%u)", file->path,
		     header->version >> 8, header->version & 0xff);
	if (strlen(vm->opt->append) > header->cmdline_size)
		fail(EXIT_CANNOT_RUN,
		     "the command line is longer than this kernel takes (%u bytes)",
		     header->cmdline_size);
	if (vm->opt->module_count > 0)
		fail(EXIT_USAGE, "a Linux kernel takes no --module, only an --initrd");
}

/* Copies the protected-mode part; the decompressor moves itself to where it wants to be. */
static void load_payload(struct vm *vm, const struct file_image *file,
			 const struct setup_header *header)
{
	uint64_t setup = (header->setup_sects ? header->setup_sects + 1u : 5u) * SECTOR;
	uint64_t room;

	if (setup >= file->size || (uint64_t)header->syssize * 16 > file->size - setup + 15)
		fail(EXIT_NOT_A_KERNEL, "%s is a truncated Linux kernel", file->path);
	room = header->pref_address + header->init_size - HIGH_START;
	if (room < file->size - setup)
		room = file->size - setup;
	memcpy(memory_for(vm, HIGH_START, room, file->path), file->data + setup,
	       file->size - setup);
}

/* Puts the initrd as high as the kernel allows, below the hole. */
static void load_initrd(struct vm *vm, struct setup_header *header)
{
	uint64_t most = (uint64_t)header->initrd_addr_max + 1;
	uint64_t end = most < vm->rom_gpa ? most : vm->rom_gpa;
	uint64_t lowest = header->pref_address + header->init_size;
	struct file_image file;
	uint64_t at;

	if (vm->opt->initrd == NULL)
		return;
	file_open(&file, vm->opt->initrd);
	at = file.size < end ? (end - file.size) & ~(uint64_t)(PAGE_SIZE - 1) : 0;
	if (at < lowest)
		fail(EXIT_CANNOT_RUN,
		     "%s does not fit: the guest has too little memory for it and the "
		     "kernel (see --memory)",
		     file.path);
	memcpy(memory_for(vm, at, file.size, file.path), file.data, file.size);
	header->ramdisk_image = (uint32_t)at;
	header->ramdisk_size = (uint32_t)file.size;
	file_close(&file);
}

static void put_map(const struct vm *vm, struct boot_params *params)
{
	struct map_entry map[MAX_MAP_ENTRIES];

	params->e820_entries = (uint8_t)memory_map(vm, map);
	for (unsigned int i = 0; i < params->e820_entries; i++)
		params->e820_table[i] =
			(struct boot_e820_entry){ map[i].start, map[i].size, map[i].type };
}

/* Loads a bzImage with initrd and command line. */
void load_linux(struct vm *vm, const struct file_image *file)
{
	struct boot_params params = { .hdr = read_header(file), .acpi_rsdp_addr = ACPI_RSDP };
	struct boot_area area;
	uint64_t at;

	check_header(vm, file, &params.hdr);
	load_payload(vm, file, &params.hdr);
	load_initrd(vm, &params.hdr);
	boot_area_start(&area, vm);
	at = boot_area_take(&area, sizeof(params), PAGE_SIZE);
	params.hdr.type_of_loader = LOADER_UNKNOWN;
	params.hdr.cmd_line_ptr = (uint32_t)boot_area_string(&area, vm->opt->append);
	put_map(vm, &params);
	memcpy(memory_at(vm, at, sizeof(params)), &params, sizeof(params));
	vm->boot = (struct boot_state){ .eip = params.hdr.code32_start, .esi = (uint32_t)at };
}
