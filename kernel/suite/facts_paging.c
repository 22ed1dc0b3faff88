/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about what entries forbid, level by level: W, U, P and NX, and the error codes. */
#include "fact_tools.h"

#define VA TEST_BASE
#define SECOND (VA + PAGE_SIZE)

/* ---- permissions, level by level --------------------------------------------------------------- */

static enum verdict write_denied_at(int level)
{
	struct trap_catch caught;

	test_clear();
	test_page(VA, PTE_P | PTE_W | PTE_NX);
	test_set(VA, level, *test_entry(VA, level) & ~PTE_W);
	EXPECT(trap_try(&caught, probe_read, VA + 8) == TRAP_NONE, "the read faulted too");
	trap_try(&caught, probe_write, VA + 8);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_W);
	EXPECT_EQ(caught.cr2, VA + 8);
	return FACT_PASS;
}

static enum verdict user_denied_at(int level)
{
	struct user_run run;

	test_clear();
	test_page(VA, U_RW);
	user_call(&run, probe_user_read, VA + 16, 0, 0);
	EXPECT(run.vector == VECTOR_USER_EXIT, "the read faulted before U was cleared");
	test_set_flush(VA, level, *test_entry(VA, level) & ~PTE_U);
	user_call(&run, probe_user_read, VA + 16, 0, 0);
	EXPECT_TRAP(run, TRAP_PF, PF_P | PF_U);
	EXPECT_EQ(run.cr2, VA + 16);
	return FACT_PASS;
}

#define LEVEL_FACT(what, level, text)                                                              \
	FACT(what##_denied_##level, "paging." #what ".level" #level, "SDM 3A 4.6.1",               \
	     text " in the entry of level " #level " alone is enough to forbid it")                \
	{                                                                                          \
		return what##_denied_at(level);                                                    \
	}
LEVEL_FACT(write, 1, "W = 0")
LEVEL_FACT(write, 2, "W = 0")
LEVEL_FACT(write, 3, "W = 0")
LEVEL_FACT(write, 4, "W = 0")
LEVEL_FACT(user, 1, "U = 0")
LEVEL_FACT(user, 2, "U = 0")
LEVEL_FACT(user, 3, "U = 0")
LEVEL_FACT(user, 4, "U = 0")

FACT(user_write_denied, "paging.user.write", "SDM 3A 4.7",
     "a user write to a read-only user page is #PF with P, W and U")
{
	struct user_run run;

	test_clear();
	test_page(VA, U_RO);
	user_call(&run, probe_user_write, VA + 24, 0, 0);
	EXPECT_TRAP(run, TRAP_PF, PF_P | PF_W | PF_U);
	EXPECT_EQ(run.cr2, VA + 24);
	return FACT_PASS;
}

FACT(user_not_present, "paging.user.not_present", "SDM 3A 4.7",
     "a user write to nothing is #PF with W and U, without P")
{
	struct user_run run;

	test_clear();
	user_call(&run, probe_user_write, VA + 3, 0, 0);
	EXPECT_TRAP(run, TRAP_PF, PF_W | PF_U);
	EXPECT_EQ(run.cr2, VA + 3);
	return FACT_PASS;
}

FACT(user_exec_kernel, "paging.user.exec_kernel", "SDM 3A 4.7",
     "a user jump to kernel code is #PF with P, U and I, at the target")
{
	struct user_run run;
	uint64_t target = (uint64_t)&trap_try;

	user_call(&run, probe_user_jump, target, 0, 0);
	EXPECT_TRAP(run, TRAP_PF, PF_P | PF_U | PF_I);
	EXPECT_EQ(run.frame.rip, target);
	EXPECT_EQ(run.cr2, target);
	return FACT_PASS;
}

FACT(user_nx, "paging.user.nx", "SDM 3A 4.6.1",
     "a user jump into a user page with NX is #PF with P, U and I")
{
	struct user_run run;

	test_clear();
	*test_page(VA, U_RO) = CODE_RET;
	user_call(&run, probe_user_jump, VA, 0, 0);
	EXPECT_TRAP(run, TRAP_PF, PF_P | PF_U | PF_I);
	EXPECT_EQ(run.cr2, VA);
	return FACT_PASS;
}

/* ---- not present ------------------------------------------------------------------------------- */

FACT(absent_read, "paging.not_present.read", "SDM 3A 4.7",
     "a read of nothing is #PF with error code 0, whichever level ends the walk")
{
	struct trap_catch caught;

	for (int level = 1; level <= 4; level++) {
		test_clear();
		test_page(VA, K_RW);
		test_set_flush(VA, level, 0);
		trap_try(&caught, probe_read, VA + 0x123);
		EXPECT_TRAP(caught, TRAP_PF, 0);
		EXPECT(caught.cr2 == VA + 0x123, "level %d: CR2 is %lx", level, caught.cr2);
	}
	return FACT_PASS;
}

FACT(absent_write, "paging.not_present.write", "SDM 3A 4.7",
     "a write to nothing is #PF with W alone")
{
	struct trap_catch caught;

	test_clear();
	trap_try(&caught, probe_write, VA + 0xff7);
	EXPECT_TRAP(caught, TRAP_PF, PF_W);
	EXPECT_EQ(caught.cr2, VA + 0xff7);
	return FACT_PASS;
}

FACT(absent_exec, "paging.not_present.exec", "SDM 3A 4.7",
     "with EFER.NXE set, a jump to nothing is #PF with I alone, at the target")
{
	struct trap_catch caught;

	test_clear();
	trap_try(&caught, probe_call, VA + 5);
	EXPECT_TRAP(caught, TRAP_PF, PF_I);
	EXPECT_EQ(caught.cr2, VA + 5);
	EXPECT_EQ(caught.frame.rip, VA + 5);
	return FACT_PASS;
}

FACT(absent_garbage, "paging.not_present.other_bits", "SDM 3A 4.5.4",
     "with P = 0 all other bits of an entry are ignored")
{
	struct trap_catch caught;

	for (int level = 1; level <= 4; level++) {
		test_clear();
		test_page(VA, K_RW);
		test_set_flush(VA, level, ~PTE_P);
		trap_try(&caught, probe_read, VA);
		EXPECT_TRAP(caught, TRAP_PF, 0);
		test_set(VA, level, 0);
	}
	return FACT_PASS;
}

/* ---- NX ---------------------------------------------------------------------------------------- */

FACT(nx_leaf, "paging.nx.leaf", "SDM 3A 4.6.1", "a jump into a page with NX is #PF with P and I")
{
	struct trap_catch caught;

	test_clear();
	*test_page(VA, K_RO) = CODE_RET;
	trap_try(&caught, probe_call, VA);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_I);
	EXPECT_EQ(caught.frame.rip, VA);
	EXPECT_EQ(caught.cr2, VA);
	return FACT_PASS;
}

FACT(nx_upper, "paging.nx.upper", "SDM 3A 4.6.1",
     "NX in the entry of any upper level forbids execution below it, and no reads")
{
	struct trap_catch caught;

	for (int level = 2; level <= 4; level++) {
		test_clear();
		*test_page(VA, K_RX) = CODE_RET;
		EXPECT(trap_try(&caught, probe_call, VA) == TRAP_NONE, "code page does not run");
		test_set_flush(VA, level, *test_entry(VA, level) | PTE_NX);
		EXPECT(test_reads(VA, CODE_RET), "level %d: reads something else", level);
		trap_try(&caught, probe_call, VA);
		EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_I);
	}
	return FACT_PASS;
}

FACT(nx_crossing, "paging.nx.crossing", "SDM 3A 4.7",
     "an instruction whose second half lies in an NX page faults: RIP at its start, CR2 at the "
     "half")
{
	static const uint8_t mov_eax[] = { 0xb8, 1, 2, 3, 4, CODE_RET };
	struct trap_catch caught;
	uint8_t *page;

	test_clear();
	page = (uint8_t *)test_page(VA, K_RX);
	memcpy(page + PAGE_SIZE - 2, mov_eax, 2);
	test_page(SECOND, K_RO);
	trap_try(&caught, probe_call, SECOND - 2);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_I);
	EXPECT_EQ(caught.frame.rip, SECOND - 2);
	EXPECT_EQ(caught.cr2, SECOND);
	return FACT_PASS;
}
