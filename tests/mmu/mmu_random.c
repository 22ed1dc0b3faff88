/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Random work of a guest kernel on 1 to 4 vCPUs, with and without calls, in large pools and the smallest:
 * after each operation every translation, right and A and D bit must be what the oracle says.
 *
 *	mmu_random OPERATIONS [BUG]		PVROM_SEED chooses the seed; "new": of the day
 *						PVROM_MACHINE, from 1: that one alone, to look for what was wrong
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../pvmmu/mmu_bugs.h"
#include "mmu_ops.h"

/* ---- the mixture ------------------------------------------------------------------------------------------ */

static struct os_operation ops[32];
static uint32_t op_count, total_weight;
static uint64_t histogram[32];

static void take_operations(const struct os_operation *list)
{
	for (; list->name; list++) {
		total_weight += list->weight;
		ops[op_count++] = *list;
	}
}

static uint32_t choose(void)
{
	uint32_t at = os_below(total_weight), i;

	for (i = 0; at >= ops[i].weight; i++)
		at -= ops[i].weight;
	return i;
}

static void one_operation(void)
{
	uint32_t op, i;

	do
		op = choose();
	while (!ops[op].run());
	histogram[op]++;
	for (i = 0; i < 4; i++)
		os_touch();
	if (os_once_in(8))
		os_audit();
}

/* ---- machines ---------------------------------------------------------------------------------------------- */

struct machine {
	uint32_t vcpus, pool;
	bool calls, pcid, gib, polls;
};

static bool work(const struct machine *m, uint64_t operations, uint64_t seed)
{
	uint64_t i;

	world.gib_pages = m->gib;
	world.polls = m->polls;
	world_open(m->vcpus, m->pool ? m->pool : pvrom_mmu_pool_min(m->vcpus), m->calls, seed);
	os_boot(seed);
	os.pcid = m->pcid;
	for (i = 0; i < operations && !world.wrong[0]; i++) {
		one_operation();
		if (i % 256 == 0)
			world_compare();
	}
	world_compare();
	if (world.wrong[0])
		printf("# operation %llu: %s\n", (unsigned long long)i, world.wrong);
	world_close();
	return !world.wrong[0];
}

static const struct machine machines[] = {
	{ 1, 2048, true, false, false, false }, { 4, 2048, true, false, true, true },
	{ 2, 0, true, false, false, true },	{ 4, 0, true, true, false, false },
	{ 1, 2048, false, false, true, false }, { 4, 2048, false, false, false, false },
	{ 2, 0, false, true, false, false },	{ 3, 300, false, false, false, false },
};
#define MACHINES (sizeof(machines) / sizeof(machines[0]))

static uint64_t choose_seed(void)
{
	const char *text = getenv("PVROM_SEED");

	if (!text)
		return 20261121;
	return !strcmp(text, "new") ? (uint64_t)time(NULL) : strtoull(text, NULL, 0);
}

static void name_machine(const struct machine *m, bool ok, size_t number)
{
	printf("%sok %zu - %u vCPUs, %s, pool of %u%s%s%s\n", ok ? "" : "not ", number, m->vcpus,
	       m->polls	  ? "polled rings"
	       : m->calls ? "calls"
			  : "no calls",
	       m->pool ? m->pool : pvrom_mmu_pool_min(m->vcpus), m->pool ? "" : " (the least)",
	       m->pcid ? ", PCID" : "",
	       m->pool ? " [PVROM-MMU-1 PVROM-MMU-2 PVROM-MMU-3]"
		       : " [PVROM-MMU-1 PVROM-MMU-2 PVROM-MMU-3 PVROM-MMU-12]");
	fflush(stdout);
}

static bool print_histogram(void)
{
	uint64_t total = 0;
	bool ok = true;
	uint32_t i;

	for (i = 0; i < op_count; i++)
		total += histogram[i];
	for (i = 0; i < op_count; i++) {
		printf("# %-12s %10llu  %4.1f %%\n", ops[i].name, (unsigned long long)histogram[i],
		       100.0 * (double)histogram[i] / (double)total);
		ok &= !ops[i].often || histogram[i] * 20 >= total;
	}
	return ok;
}

static int run_all(uint64_t operations, uint64_t seed)
{
	const char *only = getenv("PVROM_MACHINE");
	bool all = true, ok;
	size_t i;

	for (i = 0; i < MACHINES; i++) {
		if (only && strtoul(only, NULL, 0) != i + 1)
			continue;
		ok = work(&machines[i], operations / MACHINES, seed + i);
		name_machine(&machines[i], ok, i + 1);
		all &= ok;
	}
	ok = print_histogram();
	printf("%sok %zu - each kind of operation is often enough\n", ok ? "" : "not ", i + 1);
	printf("1..%zu\n", i + 1);
	return all && ok ? 0 : 1;
}

/* Some mistakes show in one operation only: there it is chosen more often. */
static void favour(void)
{
	static const struct {
		uint32_t bug;
		const char *name;
	} favourites[] = {
		{ PVROM_MMU_BUG_FLUSH_REUSE, "crowd" }, { PVROM_MMU_BUG_FLUSH_WATCH, "writer" },
		{ PVROM_MMU_BUG_OTHER_RINGS, "other" }, { PVROM_MMU_BUG_LINK_BLIND, "relink" },
		{ PVROM_MMU_BUG_FLUSH_RANGE, "range" }, { PVROM_MMU_BUG_POLL_BLIND, "polled" },
	};
	uint32_t i, j;

	for (i = 0; i < sizeof(favourites) / sizeof(favourites[0]); i++)
		for (j = 0; j < op_count; j++)
			if (favourites[i].bug == pvrom_mmu_bug &&
			    !strcmp(favourites[i].name, ops[j].name)) {
				ops[j].weight += 60;
				total_weight += 60;
			}
}

/* A seeded bug: short lives of all machines in turn, until one shows it. */
static int find_bug(uint64_t operations, uint64_t seed)
{
	uint64_t done;
	size_t i = 0;

	favour();
	for (done = 0; done < operations; done += 2000, i++)
		if (!work(&machines[i % MACHINES], 2000, seed + i))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	const uint64_t operations = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000;
	const uint64_t seed = choose_seed();

	pvrom_mmu_bug = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 0;
	printf("# PVROM_SEED=%llu\n", (unsigned long long)seed);
	take_operations(os_page_operations);
	take_operations(os_table_operations);
	take_operations(os_cpu_operations);
	take_operations(os_host_operations);
	return pvrom_mmu_bug ? find_bug(operations, seed) : run_all(operations, seed);
}
