/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The boot area: 64 KiB of reserved guest memory that holds the first GDT and
 * whatever record, map and strings the boot protocol needs.
 */
#include "guest_memory.h"

#include <string.h>

/* Null, unused, flat 4 GiB code (0x10), flat data (0x18), 32-bit TSS (0x20): see vcpu_state.c. */
static const uint64_t boot_gdt[] = {
	0, 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00008b0000000067,
};

/* Begins an area with the GDT at its start. */
void boot_area_start(struct boot_area *area, struct vm *vm)
{
	*area = (struct boot_area){ vm, BOOT_AREA };
	memcpy(memory_at(vm, boot_area_take(area, sizeof(boot_gdt), 8), sizeof(boot_gdt)), boot_gdt,
	       sizeof(boot_gdt));
}

/* Takes zeroed bytes at a multiple of `align`, a power of two; returns their address. */
uint64_t boot_area_take(struct boot_area *area, uint64_t size, uint64_t align)
{
	uint64_t at = (area->next + align - 1) & ~(align - 1);

	if (size > BOOT_AREA_END - at)
		fail(EXIT_CANNOT_RUN,
		     "the command lines and modules do not fit the boot area (%u KiB)",
		     (BOOT_AREA_END - BOOT_AREA) / 1024);
	area->next = at + size;
	return at;
}

/* Takes room for a string and puts it there; returns its address. */
uint64_t boot_area_string(struct boot_area *area, const char *text)
{
	size_t size = strlen(text) + 1;
	uint64_t at = boot_area_take(area, size, 1);

	memcpy(memory_at(area->vm, at, size), text, size);
	return at;
}
