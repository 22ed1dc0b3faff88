/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Reads the multiboot 1 information structure and the PVH start info. */
#include "boot_record.h"

#include "boot_layout.h"

struct boot_record boot_record;

struct pvh_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, command_line, rsdp, map;
	uint32_t map_count, reserved;
};

struct pvh_module {
	uint64_t start, size, command_line, reserved;
};

struct pvh_range {
	uint64_t start, size;
	uint32_t type, reserved;
};

#define PVH_MAGIC 0x336ec578

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, command_line, module_count, modules;
	uint32_t symbols[4], map_bytes, map;
};

struct multiboot_module {
	uint32_t start, end, text, reserved;
};

#define MULTIBOOT_HAS_COMMAND_LINE BIT(2)
#define MULTIBOOT_HAS_MODULES BIT(3)
#define MULTIBOOT_HAS_MAP BIT(6)

static void *at(uint64_t physical)
{
	return (void *)physical;
}

static void record_text(const char *text)
{
	lib_format(boot_record.command_line, BOOT_COMMAND_LINE, "%s", text);
}

static void record_range(uint64_t start, uint64_t size, uint32_t type)
{
	if (boot_record.range_count < BOOT_RANGES && size)
		boot_record.ranges[boot_record.range_count++] =
			(struct boot_range){ start, size, type };
}

static void record_module(uint64_t start, uint64_t size)
{
	if (boot_record.module_count < BOOT_MODULES)
		boot_record.modules[boot_record.module_count++] =
			(struct boot_module){ start, size };
}

static void fill_pvh(const struct pvh_info *info)
{
	const struct pvh_module *module = at(info->modules);
	const struct pvh_range *range = at(info->map);

	boot_record.loader = "pvh";
	if (info->magic != PVH_MAGIC)
		return;
	if (info->command_line)
		record_text(at(info->command_line));
	boot_record.rsdp = info->rsdp;
	for (uint32_t i = 0; i < info->module_count; i++)
		record_module(module[i].start, module[i].size);
	for (uint32_t i = 0; info->version >= 1 && i < info->map_count; i++)
		record_range(range[i].start, range[i].size, range[i].type);
}

/* Map entries are packed: a size that does not count itself, address, length, type. */
static void fill_multiboot_map(const char *entry, const char *end)
{
	uint64_t start, length;
	uint32_t size, type;

	for (; entry + 24 <= end; entry += size + 4) {
		memcpy(&size, entry, 4);
		memcpy(&start, entry + 4, 8);
		memcpy(&length, entry + 12, 8);
		memcpy(&type, entry + 20, 4);
		record_range(start, length, type);
	}
}

static void fill_multiboot(const struct multiboot_info *info)
{
	const struct multiboot_module *module = at(info->modules);

	boot_record.loader = "multiboot";
	if (info->flags & MULTIBOOT_HAS_COMMAND_LINE)
		record_text(at(info->command_line));
	for (uint32_t i = 0; (info->flags & MULTIBOOT_HAS_MODULES) && i < info->module_count; i++)
		record_module(module[i].start, module[i].end - module[i].start);
	if (info->flags & MULTIBOOT_HAS_MAP)
		fill_multiboot_map(at(info->map), (char *)at(info->map) + info->map_bytes);
}

void boot_record_fill(unsigned kind, uint64_t info)
{
	if (kind == BOOT_PVH)
		fill_pvh(at(info));
	else
		fill_multiboot(at(info));
}

const char *boot_option(const char *name)
{
	const char *p = boot_record.command_line;

	for (;; p++) {
		while (*p == ' ')
			p++;
		if (!*p)
			return NULL;
		if (lib_starts(p, name))
			return p + lib_strlen(name);
		while (*p && *p != ' ')
			p++;
		if (!*p)
			return NULL;
	}
}

bool boot_option_is(const char *name, const char *value)
{
	const char *p = boot_option(name);
	size_t n = lib_strlen(value);

	return p && lib_starts(p, value) && (!p[n] || p[n] == ' ');
}
