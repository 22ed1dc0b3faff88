/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * --bug rom-changes of test builds (empty otherwise): a ROM that is another at the second look. Its pages are
 * no memory then, so that each read comes here. The header holds, or the guest would not look twice.
 */
#include "pvrom_glue.h"
#include "guest_memory.h"

#ifdef PVROM_TEST
#include <string.h>

bool rom_bug;
static uint8_t looked[KIB(64)];

/* Answers a read of the ROM's pages; false: it is none. On a CPU's own thread. */
bool rom_bug_read(struct vm *vm, uint64_t gpa, uint8_t *data, uint32_t len)
{
	const uint8_t *rom = memory_at(vm, gpa, len);
	uint64_t offset = gpa - vm->rom_gpa;

	if (!rom_bug || rom == NULL || gpa < vm->rom_gpa || offset + len > sizeof(looked))
		return false;
	memcpy(data, rom, len);
	for (uint32_t i = 0; i < len; i++)
		if (offset + i >= PVROM_ROM_SIZE_MIN && looked[offset + i]++ != 0)
			data[i] ^= 1;
	return true;
}
#endif
