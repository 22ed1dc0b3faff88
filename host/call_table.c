/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What is known of each call, by number: the table of abi/ in the form that the dispatch needs. */
#include "host_internal.h"

/* The index in its group is the low byte of a call's number. */
#define CALL_LINE(GROUP, NAME, number, feature, args, native, properties, regs, insn, text)        \
	[(number)&0xff] = { PVROM_FEATURE_##feature, args, properties },
static const struct pvrom_host_call_info base_group[] = { PVROM_BASE_CALLS(CALL_LINE) };
static const struct pvrom_host_call_info cpu_group[] = { PVROM_CPU_CALLS(CALL_LINE) };
static const struct pvrom_host_call_info irq_group[] = { PVROM_IRQ_CALLS(CALL_LINE) };
static const struct pvrom_host_call_info smp_group[] = { PVROM_SMP_CALLS(CALL_LINE) };
static const struct pvrom_host_call_info clock_group[] = { PVROM_CLOCK_CALLS(CALL_LINE) };
static const struct pvrom_host_call_info mmu_group[] = { PVROM_MMU_CALLS(CALL_LINE) };
static const struct pvrom_host_call_info dev_group[] = { PVROM_DEV_CALLS(CALL_LINE) };
static const struct pvrom_host_call_info mem_group[] = { PVROM_MEM_CALLS(CALL_LINE) };

#define GROUP_LINE(calls)                                                                          \
	{                                                                                          \
		calls, sizeof(calls) / sizeof((calls)[0])                                          \
	}
static const struct {
	const struct pvrom_host_call_info *calls;
	uint32_t count;
} groups[PVROM_GROUP_COUNT] = {
	[PVROM_GROUP_BASE] = GROUP_LINE(base_group),   [PVROM_GROUP_CPU] = GROUP_LINE(cpu_group),
	[PVROM_GROUP_IRQ] = GROUP_LINE(irq_group),     [PVROM_GROUP_SMP] = GROUP_LINE(smp_group),
	[PVROM_GROUP_CLOCK] = GROUP_LINE(clock_group), [PVROM_GROUP_MMU] = GROUP_LINE(mmu_group),
	[PVROM_GROUP_DEV] = GROUP_LINE(dev_group),     [PVROM_GROUP_MEM] = GROUP_LINE(mem_group),
};

/* NULL for a number that is not in the table. */
const struct pvrom_host_call_info *pvrom_host_call_info(uint32_t number)
{
	uint32_t group = number >> 8;
	uint32_t index = number & 0xff;

	if (group >= PVROM_GROUP_COUNT || index >= groups[group].count)
		return NULL;
	return &groups[group].calls[index];
}

PVROM_HOT bool pvrom_host_call_is_void(uint32_t call)
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
		skip += groups[group].count;
	for (; skip; skip--)
		while (*name++)
			;
	return name;
}
