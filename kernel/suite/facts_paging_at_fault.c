/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about the state at a page fault: CR2, RIP, registers, and accesses that cross a boundary. */
#include "fact_tools.h"

#define VA TEST_BASE
#define SECOND (VA + PAGE_SIZE)

FACT(crossing_second, "paging.crossing.second_absent", "SDM 3A 6.15 #PF",
     "a read across a page boundary into nothing reports an address in the page that is missing")
{
	struct trap_catch caught;

	test_clear();
	test_page(VA, K_RW);
	trap_try(&caught, probe_read, SECOND - 3);
	EXPECT_TRAP(caught, TRAP_PF, 0);
	EXPECT_EQ(caught.cr2, SECOND);
	return FACT_PASS;
}

FACT(crossing_first, "paging.crossing.first_absent", "SDM 3A 6.15 #PF",
     "a read across a page boundary out of nothing reports its own address")
{
	struct trap_catch caught;

	test_clear();
	test_page(SECOND, K_RW);
	trap_try(&caught, probe_read, SECOND - 3);
	EXPECT_TRAP(caught, TRAP_PF, 0);
	EXPECT_EQ(caught.cr2, SECOND - 3);
	return FACT_PASS;
}

FACT(crossing_write, "paging.crossing.write", "SDM 3A 6.15 #PF",
     "a write across into a read-only page faults there and writes nothing in the first page")
{
	struct trap_catch caught;
	uint64_t *first;

	test_clear();
	first = test_page(VA, K_RW);
	test_page(SECOND, K_RO);
	trap_try(&caught, probe_write, SECOND - 4);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_W);
	EXPECT_EQ(caught.cr2, SECOND);
	EXPECT_EQ(first[511], 0);
	return FACT_PASS;
}

FACT(fault_registers, "paging.fault.registers", "SDM 3A 6.15 #PF",
     "the saved RIP is that of the faulting instruction, and registers are as before it")
{
	struct trap_catch caught;

	test_clear();
	trap_try(&caught, probe_read, VA);
	EXPECT_EQ(caught.frame.rip, probe_read_at);
	EXPECT_EQ(caught.frame.rdi, VA);
	trap_try(&caught, probe_write, VA);
	EXPECT_EQ(caught.frame.rip, probe_write_at);
	return FACT_PASS;
}

SNIPPET(snippet_copy, "lea 16(%rdi), %rsi\nlea -6(%rdi), %rdi\nmov $16, %ecx\nrep movsb");

FACT(fault_rep, "paging.fault.rep_movs", "SDM 2B REP",
     "a fault inside rep movs leaves RCX, RSI and RDI at the element that faulted")
{
	struct trap_catch caught;

	test_clear();
	test_page(VA, K_RW);
	test_page(SECOND, K_RO);
	trap_try(&caught, snippet_copy, SECOND);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_W);
	EXPECT_EQ(caught.frame.rcx, 10);
	EXPECT_EQ(caught.frame.rdi, SECOND);
	EXPECT_EQ(caught.frame.rsi, SECOND + 16 + 6);
	return FACT_PASS;
}

USER_CODE(user_push, "mov %rdi, %rsp\npush %rsi");

FACT(fault_push, "paging.fault.push", "SDM 2B PUSH",
     "a push that faults leaves RSP as it was and reports the address below it")
{
	struct user_run run;

	test_clear();
	test_page(VA, U_RW);
	user_call(&run, user_push, VA, 0, 0);
	EXPECT_TRAP(run, TRAP_PF, PF_W | PF_U);
	EXPECT_EQ(run.cr2, VA - 8);
	EXPECT_EQ(run.frame.rsp, VA);
	return FACT_PASS;
}
