/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about the flags register and the instructions that move it. */
#include "cpu.h"
#include "fact.h"

FACT(cli_clears_if, "flags.cli.clears_if", "SDM 2A CLI", "cli clears IF and nothing else")
{
	uint64_t before = cpu_save_flags(), after;

	cpu_cli();
	after = cpu_save_flags();
	EXPECT_EQ((before ^ after) & ~0x8d5ull, FLAG_IF);
	return FACT_PASS;
}

FACT(sti_sets_if, "flags.sti.sets_if", "SDM 2B STI", "sti sets IF and nothing else")
{
	uint64_t before, after;

	cpu_cli();
	before = cpu_save_flags();
	cpu_sti();
	after = cpu_save_flags();
	EXPECT_EQ((before ^ after) & ~0x8d5ull, FLAG_IF);
	return FACT_PASS;
}
