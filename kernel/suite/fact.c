/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Runs the facts and then the quirks, each list in the order of its sources, and prints TAP 13. */
#include "fact.h"

#include "apic.h"
#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "kernel_rom.h"
#include "percpu.h"
#include "smp.h"
#include "time.h"
#include "traps.h"

extern const struct fact facts_start[], facts_end[], quirks_start[], quirks_end[];

#define FACTS_MAX 600

static char detail[256];
static const struct fact *sorted_facts[FACTS_MAX];

enum verdict fact_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	lib_vformat(detail, sizeof(detail), format, args);
	va_end(args);
	return FACT_FAIL;
}

enum verdict fact_na(const char *feature)
{
	lib_format(detail, sizeof(detail), "CPUID feature %s hidden", feature);
	return FACT_NA;
}

enum verdict fact_without(const char *what)
{
	lib_format(detail, sizeof(detail), "no %s here", what);
	return FACT_NA;
}

const char *fact_vector(uint64_t vector)
{
	static const char *const names[] = { "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD",
					     "#NM", "#DF", "9",	  "#TS", "#NP", "#SS", "#GP",
					     "#PF", "15",  "#MF", "#AC", "#MC", "#XM" };
	static char text[2][16];
	static unsigned turn;

	if (vector < ARRAY_SIZE(names))
		return names[vector];
	if (vector == TRAP_NONE)
		return "none";
	if (vector == TRAP_SYSCALL)
		return "SYSCALL";
	turn ^= 1;
	lib_format(text[turn], sizeof(text[turn]), "0x%lx", vector);
	return text[turn];
}

/* A fact may leave much behind; the next one starts from the same state. */
static void clean_up(void)
{
	struct cpu *cpu = this_cpu();

	cpu_cli();
	for (unsigned vector = 0; vector < 32; vector++)
		irq_set(vector, NULL);
	for (unsigned vector = VECTOR_FIRST_FREE; vector <= VECTOR_LAST_FREE; vector++)
		irq_set(vector, NULL);
	cpu->catch = NULL;
	cpu->user = NULL;
	cpu->nmi_hook = NULL;
	irq_alarm_cancel();
	irq_set(VECTOR_ALARM, NULL);
	if (cpu_read_cr8())
		cpu_write_cr8(0);
	cpu_restore_flags(FLAG_IF | 2);
}

static enum verdict look_at(const struct fact *fact)
{
	enum verdict verdict;

	detail[0] = 0;
	clean_up();
	verdict = fact->look();
	clean_up();
	return verdict;
}

static void print_failure(const struct fact *fact)
{
	kprintf("  # %s\n  # statement: %s\n  # manual: %s\n", detail, fact->statement,
		fact->manual);
}

struct tally {
	unsigned number, passed, failed, na;
};

/* A fact that leaves a CPU behind makes all later verdicts worthless, and slow to come. */
static void check_cpus(const struct fact *fact)
{
	for (uint32_t i = 1; i < smp_cpus; i++)
		if (READ_ONCE(cpus[i].state) != SMP_ONLINE || !smp_wait(i))
			panic("cpu %u is lost after %s", i, fact->name);
}

static void run_fact(const struct fact *fact, struct tally *tally)
{
	enum verdict verdict = look_at(fact);

	tally->number++;
	tally->passed += verdict == FACT_PASS;
	tally->failed += verdict == FACT_FAIL;
	tally->na += verdict == FACT_NA;
	if (verdict == FACT_NA)
		kprintf("ok %u - %s # SKIP n/a: %s\n", tally->number, fact->name, detail);
	else
		kprintf("%sok %u - %s\n", verdict == FACT_PASS ? "" : "not ", tally->number,
			fact->name);
	if (verdict == FACT_FAIL)
		print_failure(fact);
	check_cpus(fact);
}

/* "only=" selects by prefix, so that it can name a fact or a family. */
static bool selected(const struct fact *fact)
{
	const char *only = boot_option("only=");
	const char *name = fact->name;

	if (!only)
		return true;
	while (*only && *only != ' ')
		if (*only++ != *name++)
			return false;
	return true;
}

static bool comes_before(const struct fact *a, const struct fact *b)
{
	int files = lib_strcmp(a->file, b->file);

	return files ? files < 0 : a->line < b->line;
}

/* Compilers and linkers emit the rows in any order they like. */
static unsigned sort_facts(const struct fact **sorted, const struct fact *from,
			   const struct fact *to)
{
	unsigned count = 0, at;

	for (; from < to; from++) {
		if (!selected(from))
			continue;
		if (count == FACTS_MAX)
			panic("more than %u facts", FACTS_MAX);
		for (at = count++; at && comes_before(from, sorted[at - 1]); at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = from;
	}
	return count;
}

/* One line for each that is seen; a quirk that is gone is missed by who compares the lists. */
static unsigned run_quirk(const struct fact *quirk)
{
	if (look_at(quirk) != FACT_FAIL)
		return 0;
	kprintf("# quirk %s %s\n", quirk->name, detail);
	return 1;
}

static void run_facts(struct tally *tally)
{
	unsigned count = sort_facts(sorted_facts, facts_start, facts_end);

	kprintf("1..%u\n", count);
	for (unsigned i = 0; i < count; i++) {
		kernel_rom_poll();
		run_fact(sorted_facts[i], tally);
	}
	kprintf("# facts %u passed of %u\n", tally->passed, tally->passed + tally->failed);
}

static void run_quirks(void)
{
	unsigned count = sort_facts(sorted_facts, quirks_start, quirks_end), seen = 0;

	for (unsigned i = 0; i < count; i++)
		seen += run_quirk(sorted_facts[i]);
	kprintf("# quirks %u\n", seen);
}

bool facts_run(void)
{
	struct tally tally = { 0 };

	if (!boot_option("facts") && !boot_option("only=")) {
		kprintf("1..0 # SKIP the suite was not asked for\n# end\n");
		return true;
	}
	run_facts(&tally);
	run_quirks();
	time_alarm_print();
	kprintf("# end\n");
	return !tally.failed;
}
