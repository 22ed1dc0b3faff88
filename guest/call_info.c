/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The table of calls as data, found by number without a search.
 */
#include "guest_internal.h"

enum { PVROM_FEATURE_BASE = PVROM_FEATURE_NONE };

#define LINE_(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)                 \
	{ regs, PVROM_FEATURE_##feature, flags, PVROM_NATIVE_##native },
const struct pvrom_call_info pvrom_call_table[PVROM_CALL_COUNT] = { PVROM_CALL_TABLE(LINE_) };

#define COUNT_(...) +1
static const uint8_t group_size[PVROM_GROUP_COUNT] = {
	PVROM_BASE_CALLS(COUNT_), PVROM_CPU_CALLS(COUNT_),   PVROM_IRQ_CALLS(COUNT_),
	PVROM_SMP_CALLS(COUNT_),  PVROM_CLOCK_CALLS(COUNT_), PVROM_MMU_CALLS(COUNT_),
	PVROM_DEV_CALLS(COUNT_),  PVROM_MEM_CALLS(COUNT_),
};

/* Calls of a group are numbered from 0 and stand in the table in that order, and groups likewise:
 * retired numbers keep their line. The tests compare each number with its position. */
const struct pvrom_call_info *pvrom_call_info(uint32_t call)
{
	uint32_t group = call >> 8, at = call & 0xff;

	if (group >= PVROM_GROUP_COUNT || at >= group_size[group])
		return NULL;
	while (group)
		at += group_size[--group];
	return &pvrom_call_table[at];
}
