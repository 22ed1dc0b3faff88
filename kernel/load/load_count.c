/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Counting VM exits: whoever runs this machine may answer the counter port (write the number of a
 * counter, read its low 32 bits). On machines without it there is nothing to read but ones.
 */
#include "cpu.h"
#include "load.h"

#define COUNTER_PORT 0x5654
#define COUNTERS 3
#define NO_COUNTER 0xffffffffu
#define TRIES 16

/* Numbers of counters: all exits; of them, those by another CPU's kick, and calls to be continued. */
enum { EXITS, KICKS, CONTINUED };

/* Exits between two readings with nothing in between, and where a measurement began; per CPU. */
static uint32_t cost[MAX_CPUS];
static struct {
	uint32_t at[COUNTERS];
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

	if (counter(EXITS) == NO_COUNTER)
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
	began[cpu].at[KICKS] = counter(KICKS);
	began[cpu].at[CONTINUED] = counter(CONTINUED);
	began[cpu].ticks = cpu_rdtsc();
	began[cpu].at[EXITS] = counter(EXITS);
}

/* Since the begin; 0 where nobody counts that. */
static uint32_t since(uint32_t number)
{
	uint32_t now = counter(number);

	return now == NO_COUNTER ? 0 : now - began[this_cpu()->index].at[number];
}

/* A kick while the counters are read is in one of them at most. */
void load_count_end(struct load_count *count)
{
	uint32_t cpu = this_cpu()->index, exits = since(EXITS), kicks, continued;

	count->ticks += cpu_rdtsc() - began[cpu].ticks;
	kicks = since(KICKS);
	continued = since(CONTINUED);
	exits = exits > cost[cpu] + kicks + continued ? exits - cost[cpu] - kicks - continued : 0;
	count->exits += exits;
	count->kicks += kicks;
	count->continued += continued;
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
