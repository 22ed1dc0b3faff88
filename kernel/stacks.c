/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Where each CPU's first stack ends. */
#include "stacks.h"

#include "boot_layout.h"
#include "boot_record.h"
#include "memory.h"
#include "smp.h"

/* Used by boot_ap.S. CPU 0 boots on one of its own, and has one here for when it should be started again. */
extern char stacks_of_others[MAX_CPUS][STACK_SIZE];
char stacks_of_others[MAX_CPUS][STACK_SIZE] __attribute__((aligned(PAGE_SIZE)));

extern char boot_stack[];

uint64_t stacks_top(uint32_t index)
{
	return (uint64_t)stacks_of_others[index] + STACK_SIZE;
}

bool stacks_is_guard(uint64_t va)
{
	uint64_t at = va - (uint64_t)stacks_of_others;

	if (at < sizeof(stacks_of_others))
		return at % STACK_SIZE < PAGE_SIZE;
	return va - (uint64_t)boot_stack < PAGE_SIZE;
}

/* The planted fault of test builds: a recursion that has no end. */
#ifdef PVROM_TEST
static unsigned deeper(volatile const unsigned *end, unsigned depth)
{
	volatile unsigned room[16] = { depth };

	return depth == *end ? 0 : deeper(end, depth + 1) + room[0];
}

static void recurse(void *argument)
{
	unsigned never = 0xffffffff;

	(void)argument;
	deeper(&never, 0);
}

void stacks_overflow(void)
{
	const char *index = boot_option("overflow=");

	if (index)
		smp_run((uint32_t)lib_number(index), recurse, NULL);
}
#else
void stacks_overflow(void)
{
}
#endif
