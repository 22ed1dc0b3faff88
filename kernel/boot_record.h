/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the loader told us, in one form whichever loader it was. */
#ifndef KERNEL_BOOT_RECORD_H
#define KERNEL_BOOT_RECORD_H

#include "lib.h"

#define BOOT_RANGES 64
#define BOOT_MODULES 8
#define BOOT_COMMAND_LINE 1024

/* Types as in E820: 1 is usable memory, everything else is not ours. */
#define RANGE_USABLE 1

struct boot_range {
	uint64_t start, size;
	uint32_t type;
};

struct boot_module {
	uint64_t start, size;
};

struct boot_record {
	const char *loader;
	char command_line[BOOT_COMMAND_LINE];
	struct boot_range ranges[BOOT_RANGES];
	unsigned range_count;
	struct boot_module modules[BOOT_MODULES];
	unsigned module_count;
	uint64_t rsdp; /* 0: not told */
};

extern struct boot_record boot_record;

/* Copies all that is wanted out of the loader's memory. KIND is BOOT_MULTIBOOT or BOOT_PVH. */
void boot_record_fill(unsigned kind, uint64_t info);
/*
 * The text after NAME where NAME begins a word of the command line, else NULL.
 * The value ends at a space; boot_option("cpus=") of "x cpus=4 y" is "4 y".
 */
const char *boot_option(const char *name);
/* True if the word's value is exactly VALUE. */
bool boot_option_is(const char *name, const char *value);

#endif
