/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Counting VM exits: whoever runs this machine may answer the counter port (write the number of a
 * counter, read its low 32 bits). On machines without it there is nothing to read but ones.
 */
#include "cpu.h"
#include "load.h"

#define COUNTER_PORT 0x5654
#define COUNTER_EXITS 0
#define COUNTER_KICKS 1
#define NO_COUNTER 0xffffffffu
#define TRIES 16

/* Exits between two readings with nothing in between, and where a measurement began; per CPU. */
static uint32_t cost[MAX_CPUS];
static struct {
	uint32_t exits, kicks;
	uint64_t ticks;
} began[MAX_CPUS];

static uint32_t counter(uint32_t number)
{
	cpu_out32(COUNTER_PORT, number);
	return cpu_in32(COUNTER_PORT);
}

bool load_count_init(void)
{
	uint32_t cpu = this_cpu()->index, least = NO_COUNTER;

	if (counter(COUNTER_EXITS) == NO_COUNTER)
		return false;
	for (unsigned i = 0; i < TRIES; i++) {
		struct load_count nothing = { 0 };

		cost[cpu] = 0;
		load_count_begin(&nothing);
		load_count_end(&nothing);
		least = nothing.exits < least ? (uint32_t)nothing.exits : least;
	}
	cost[cpu] = least;
	return true;
}

/* The number of exits is read last before the operation and first after it. */
void load_count_begin(struct load_count *count)
{
	uint32_t cpu = this_cpu()->index;

	(void)count;
	began[cpu].kicks = counter(COUNTER_KICKS);
	began[cpu].ticks = cpu_rdtsc();
	began[cpu].exits = counter(COUNTER_EXITS);
}

void load_count_end(struct load_count *count)
{
	uint32_t cpu = this_cpu()->index, exits = counter(COUNTER_EXITS), kicks;

	count->ticks += cpu_rdtsc() - began[cpu].ticks;
	kicks = counter(COUNTER_KICKS);
	if (exits == NO_COUNTER)
		return;
	count->exits += exits - began[cpu].exits - cost[cpu];
	if (kicks != NO_COUNTER)
		count->kicks += kicks - began[cpu].kicks;
}

/* No instruction in here is one that a hypervisor would intercept. */
void load_count_idle(struct load_count *idle, uint64_t ticks)
{
	uint64_t start;

	load_count_begin(idle);
	start = cpu_rdtsc();
	while (cpu_rdtsc() - start < ticks)
		;
	load_count_end(idle);
}
