/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What is known of each call, by number: the table of abi/ in the form that the dispatch needs. */
#include "host_internal.h"

/* Where each group's lines begin, END where the last one's end. */
#define ONE(...) +1
enum {
	BASE_FIRST = 0,
	CPU_FIRST = BASE_FIRST PVROM_BASE_CALLS(ONE),
	IRQ_FIRST = CPU_FIRST PVROM_CPU_CALLS(ONE),
	SMP_FIRST = IRQ_FIRST PVROM_IRQ_CALLS(ONE),
	CLOCK_FIRST = SMP_FIRST PVROM_SMP_CALLS(ONE),
	MMU_FIRST = CLOCK_FIRST PVROM_CLOCK_CALLS(ONE),
	DEV_FIRST = MMU_FIRST PVROM_MMU_CALLS(ONE),
	MEM_FIRST = DEV_FIRST PVROM_DEV_CALLS(ONE),
	END = MEM_FIRST PVROM_MEM_CALLS(ONE),
};

/* Linkers put it where they put hot functions. */
#define HOT_TABLE __attribute__((section(".text.hot.pvrom_host_tables")))

/* The index in its group is the low byte of a call's number. */
#define CALL_LINE(GROUP, NAME, number, feature, args, native, properties, regs, insn, text)        \
	[GROUP##_FIRST + ((number)&0xff)] = { PVROM_FEATURE_##feature, args, properties,           \
					      PVROM_COUNTER_##GROUP + ((number)&0xff) },
HOT_TABLE const struct pvrom_host_call_info pvrom_host_call_infos[END] = { PVROM_CALL_TABLE(
	CALL_LINE) };

#define GROUP_LINE(GROUP, NEXT) [PVROM_GROUP_##GROUP] = { GROUP##_FIRST, NEXT - GROUP##_FIRST }
HOT_TABLE const struct pvrom_host_group pvrom_host_groups[PVROM_GROUP_COUNT] = {
	GROUP_LINE(BASE, CPU_FIRST),  GROUP_LINE(CPU, IRQ_FIRST),   GROUP_LINE(IRQ, SMP_FIRST),
	GROUP_LINE(SMP, CLOCK_FIRST), GROUP_LINE(CLOCK, MMU_FIRST), GROUP_LINE(MMU, DEV_FIRST),
	GROUP_LINE(DEV, MEM_FIRST),   GROUP_LINE(MEM, END),
};

bool pvrom_host_call_is_void(uint32_t call)
{
	const struct pvrom_host_call_info *info = pvrom_host_call_info(call);

	return info && (info->properties & PVROM_CALL_VOID);
}

const char *pvrom_host_call_name(uint32_t call)
{
	const char *name = pvrom_host_call_names;
	uint32_t skip = call & 0xff;
	uint32_t group;

	if (!pvrom_host_call_info(call))
		return NULL;
	for (group = 0; group < call >> 8; group++)
		skip += pvrom_host_groups[group].count;
	for (; skip; skip--)
		while (*name++)
			;
	return name;
}
