/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Which operations, how often, on which CPUs: "load=NAME,ROUNDS", NAME being an operation or `all`;
 * with "loadcpus=N" N CPUs run it at the same time, each with address spaces of its own.
 *
 *	# load NAME rounds R units U exits E idle I kicks K continued C faults F
 *
 * is the sum over all rounds and CPUs; exits and idle are "-" where nobody counts.
 */
#include "load.h"

#include "boot_record.h"
#include "console.h"
#include "kernel_mmu.h"
#include "kernel_rom.h"
#include "smp.h"
#include "tables.h"

#define ROUNDS 100

struct result {
	struct load_count count, idle;
	uint64_t faults;
	const char *wrong;
	unsigned rounds;
};

static struct result results[MAX_CPUS];
static const struct load_op *running;
static unsigned rounds_wanted;
static bool counted;

bool load_wanted(void)
{
	return boot_option("load=");
}

/* Is NAME the word that VALUE begins with, up to a comma or a space? */
static bool names(const char *value, const char *name)
{
	while (*name && *value == *name)
		value++, name++;
	return !*name && (!*value || *value == ',' || *value == ' ');
}

static unsigned rounds_of(const char *value)
{
	while (*value && *value != ',' && *value != ' ')
		value++;
	return *value == ',' ? (unsigned)lib_number(value + 1) : ROUNDS;
}

/* An idle time as long as the operation follows each round, under the same conditions. */
static void run_rounds(void *argument)
{
	struct result *result = &results[this_cpu()->index];
	struct load_cpu *cpu = load_this_cpu();

	(void)argument;
	*result = (struct result){ 0 };
	cpu->needless = 0;
	load_count_init();
	load_space_switch(NULL);
	while (!result->wrong && result->rounds < rounds_wanted) {
		uint64_t ticks = result->count.ticks;

		cpu->faults = 0;
		result->wrong = running->round(&result->count, result->rounds++);
		result->faults += cpu->faults;
		if (counted)
			load_count_idle(&result->idle, result->count.ticks - ticks);
	}
	if (!result->wrong && cpu->needless)
		result->wrong = "a fault without a reason: an entry was not what was last written";
}

static void print_figures(const struct load_op *op, const struct result *r)
{
	char exits[24] = "-", idle[24] = "-";

	if (counted) {
		lib_format(exits, sizeof(exits), "%lu", r->count.exits);
		lib_format(idle, sizeof(idle), "%lu", r->idle.exits);
	}
	kprintf("# load %s rounds %u units %u exits %s idle %s kicks %lu continued %lu faults "
		"%lu\n",
		op->name, r->rounds, op->units, exits, idle, r->count.kicks, r->count.continued,
		r->faults);
}

static struct result sum_of_all(unsigned n)
{
	struct result sum = { 0 };

	for (unsigned i = 0; i < n; i++) {
		sum.count.exits += results[i].count.exits;
		sum.count.kicks += results[i].count.kicks;
		sum.count.continued += results[i].count.continued;
		sum.idle.exits += results[i].idle.exits;
		sum.faults += results[i].faults;
		sum.rounds += results[i].rounds;
	}
	return sum;
}

static unsigned cpus_wanted(void)
{
	const char *value = boot_option("loadcpus=");
	unsigned wanted = value ? (unsigned)lib_number(value) : 1;

	return wanted < 1 ? 1 : wanted < smp_cpus ? wanted : smp_cpus;
}

/* CPU 0 polls for renegotiation while it waits for the others. */
static const char *run_everywhere(void)
{
	unsigned n = cpus_wanted();
	const char *wrong;

	for (unsigned i = 1; i < n; i++)
		smp_post(i, run_rounds, NULL);
	run_rounds(NULL);
	wrong = results[0].wrong;
	for (unsigned i = 1; i < n; i++) {
		while (__atomic_load_n(&cpus[i].work, __ATOMIC_ACQUIRE))
			kernel_rom_poll();
		wrong = wrong ? wrong : results[i].wrong;
	}
	return wrong;
}

static bool run_op(const struct load_op *op, unsigned number)
{
	const char *wrong;
	struct result sum;

	running = op;
	kernel_rom_poll();
	wrong = run_everywhere();
	kprintf("%sok %u - load.%s\n", wrong ? "not " : "", number, op->name);
	if (wrong)
		kprintf("  # %s, in round %u of CPU 0's\n", wrong, results[0].rounds);
	sum = sum_of_all(cpus_wanted());
	print_figures(op, &sum);
	return !wrong;
}

static bool selected(const char *value, const struct load_op *op)
{
	return names(value, "all") || names(value, op->name);
}

bool load_run(void)
{
	const char *value = boot_option("load=");
	unsigned count = 0, number = 0;
	bool passed = true;

	tables_init();
	load_space_init();
	rounds_wanted = rounds_of(value);
	counted = load_count_init();
	irq_set(TRAP_PF, load_fault);
	kernel_mmu_want_faults();
	for (unsigned i = 0; i < load_op_count; i++)
		count += selected(value, &load_ops[i]);
	kprintf("1..%u\n", count);
	for (unsigned i = 0; i < load_op_count; i++)
		if (selected(value, &load_ops[i]))
			passed = run_op(&load_ops[i], ++number) && passed;
	irq_set(TRAP_PF, NULL);
	kprintf("# end\n");
	return passed && count;
}
