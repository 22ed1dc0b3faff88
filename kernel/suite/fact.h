/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * How a fact is written: a yes-or-no statement about the machine, the section of
 * the manual that says so, and a function that looks.
 *
 *	FACT(cli_clears_if, "flags.cli.clears_if", "SDM 2A CLI", "cli clears IF")
 *	{
 *		cpu_cli();
 *		EXPECT(!(cpu_save_flags() & FLAG_IF), "IF still set");
 *		return FACT_PASS;
 *	}
 *
 * A fact runs on CPU 0 with interrupts on and no catch; it may leave interrupts
 * off, its own handlers set and its test mappings in place: facts_run() cleans up.
 */
#ifndef KERNEL_SUITE_FACT_H
#define KERNEL_SUITE_FACT_H

#include "lib.h"

enum verdict { FACT_PASS, FACT_FAIL, FACT_NA };

struct fact {
	const char *name;
	const char *manual;
	const char *statement;
	const char *file; /* facts run in the order of their files' names and lines */
	uint32_t line;
	enum verdict (*look)(void);
};

#define FACT_ROW(section_name, id, name, manual, statement)                                        \
	static enum verdict fact_##id(void);                                                       \
	static const struct fact fact_row_##id __attribute__((                                     \
		used, aligned(8), section(section_name))) = { name,	manual,	  statement,       \
							      __FILE__, __LINE__, fact_##id };     \
	static enum verdict fact_##id(void)

#define FACT(id, name, manual, statement) FACT_ROW(".facts", id, name, manual, statement)
/* As FACT, for what a known software CPU gets wrong: printed apart, not counted. */
#define QUIRK(id, name, manual, statement) FACT_ROW(".quirks", id, name, manual, statement)

/* Record why, and return the verdict. */
enum verdict fact_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The reason is the CPUID feature that is not there: "CPUID feature SMAP hidden". */
enum verdict fact_na(const char *feature);
/* The same where the machine lacks something else: "no PIT here". */
enum verdict fact_without(const char *what);

#define EXPECT(condition, ...)                                                                     \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return fact_fail(__VA_ARGS__);                                             \
	} while (0)

/* Both sides as 64-bit numbers, shown in hexadecimal. */
#define EXPECT_EQ(got, want)                                                                       \
	do {                                                                                       \
		uint64_t got_ = (uint64_t)(got), want_ = (uint64_t)(want);                         \
		if (got_ != want_)                                                                 \
			return fact_fail(#got " is %lx, expected %lx", got_, want_);               \
	} while (0)

/* CAUGHT is a struct trap_catch or a struct user_run. */
#define EXPECT_TRAP(caught, wanted_vector, wanted_error)                                           \
	do {                                                                                       \
		EXPECT((caught).vector == (wanted_vector), "vector %s, expected %s",               \
		       fact_vector((caught).vector), fact_vector(wanted_vector));                  \
		EXPECT((caught).error == (wanted_error), "%s error code %lx, expected %lx",        \
		       fact_vector(wanted_vector), (caught).error, (uint64_t)(wanted_error));      \
	} while (0)

#define NEED(feature)                                                                              \
	do {                                                                                       \
		if (!HAS_##feature)                                                                \
			return fact_na(#feature);                                                  \
	} while (0)

/* "#PF", "none", "0x40" ... */
const char *fact_vector(uint64_t vector);

/*
 * Kernel code to be tried, entered as name(argument) with the argument in RDI:
 * SNIPPET(name, "assembly"). name_at, if the text defines it, is where it is to fault.
 */
#define SNIPPET(name, text)                                                                        \
	void name(uint64_t argument);                                                              \
	extern const char name##_at[];                                                             \
	__asm__(".pushsection .text\n.balign 16\n" #name ":\n" text "\n\tret\n.popsection")

/* Runs what the command line selects; prints TAP; true if nothing failed. */
bool facts_run(void);

#endif
