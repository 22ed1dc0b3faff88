/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about what keeps the kernel itself out: CR0.WP, SMEP and SMAP. */
#include "fact_tools.h"

#define VA TEST_BASE

/* ---- CR0.WP ------------------------------------------------------------------------------------ */

/* With WP = 0: a kernel write at VA. Returns the vector. */
static uint64_t write_without_wp(struct trap_catch *caught, uint64_t va)
{
	uint64_t cr0 = cpu_read_cr0();

	cpu_write_cr0(cr0 & ~CR0_WP);
	trap_try(caught, probe_write, va);
	cpu_write_cr0(cr0);
	return caught->vector;
}

FACT(wp_off, "paging.wp.off", "SDM 3A 4.6.1",
     "with CR0.WP = 0 the kernel writes to read-only kernel pages; with WP = 1 again it does not")
{
	struct trap_catch caught;
	uint64_t *page;

	test_clear();
	page = test_page(VA, K_RO);
	EXPECT(write_without_wp(&caught, VA) == TRAP_NONE, "%s", fact_vector(caught.vector));
	EXPECT_EQ(*page, VA);
	EXPECT_EQ(test_accessed_dirty(VA, 1), PTE_A | PTE_D);
	trap_try(&caught, probe_write, VA);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_W);
	return FACT_PASS;
}

/* Writes a read-only user page by the kernel without WP, and then by USER, with and without WP. */
FACT(wp_off_user, "paging.wp.off_user", "SDM 3A 4.6.1",
     "CR0.WP = 0 does not let user mode write: not before and not after the kernel has written "
     "there")
{
	struct trap_catch caught;
	struct user_run run;
	uint64_t cr0 = cpu_read_cr0();

	test_clear();
	test_page(VA, U_RO);
	if (HAS_SMAP)
		pvrom_stac();
	write_without_wp(&caught, VA);
	if (HAS_SMAP)
		pvrom_clac();
	cpu_write_cr0(cr0 & ~CR0_WP);
	user_call(&run, probe_user_write, VA, 0, 0);
	cpu_write_cr0(cr0);
	EXPECT(caught.vector == TRAP_NONE, "the kernel: %s", fact_vector(caught.vector));
	EXPECT_TRAP(run, TRAP_PF, PF_P | PF_W | PF_U);
	user_call(&run, probe_user_read, VA, 0, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax, VA);
	return FACT_PASS;
}

/* ---- SMEP and SMAP ----------------------------------------------------------------------------- */

FACT(smep_on, "paging.smep.on", "SDM 3A 4.6.1",
     "with CR4.SMEP the kernel cannot execute a user page")
{
	struct trap_catch caught;

	NEED(SMEP);
	test_clear();
	*test_page(VA, U_RX) = CODE_RET;
	trap_try(&caught, probe_call, VA);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_I);
	EXPECT_EQ(caught.cr2, VA);
	return FACT_PASS;
}

FACT(smep_off, "paging.smep.off", "SDM 3A 4.6.1", "without CR4.SMEP it can")
{
	struct trap_catch caught;
	uint64_t cr4 = cpu_read_cr4();

	test_clear();
	*test_page(VA, U_RX) = CODE_RET;
	cpu_write_cr4(cr4 & ~CR4_SMEP);
	trap_try(&caught, probe_call, VA);
	cpu_write_cr4(cr4);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	return FACT_PASS;
}

FACT(smap_read, "paging.smap.read", "SDM 3A 4.6.1",
     "with CR4.SMAP and AC = 0 a kernel read of a user page is #PF with P alone")
{
	struct trap_catch caught;

	NEED(SMAP);
	test_clear();
	test_page(VA, U_RW);
	trap_try(&caught, probe_read, VA + 0x40);
	EXPECT_TRAP(caught, TRAP_PF, PF_P);
	EXPECT_EQ(caught.cr2, VA + 0x40);
	return FACT_PASS;
}

FACT(smap_write, "paging.smap.write", "SDM 3A 4.6.1",
     "with CR4.SMAP and AC = 0 a kernel write to a user page is #PF with P and W")
{
	struct trap_catch caught;

	NEED(SMAP);
	test_clear();
	test_page(VA, U_RW);
	trap_try(&caught, probe_write, VA + 0x48);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_W);
	return FACT_PASS;
}

FACT(smap_stac, "paging.smap.stac", "SDM 2B STAC",
     "stac allows the access and clac forbids it again")
{
	struct trap_catch with, after;

	NEED(SMAP);
	test_clear();
	test_page(VA, U_RW);
	pvrom_stac();
	trap_try(&with, probe_write, VA);
	pvrom_clac();
	trap_try(&after, probe_write, VA);
	EXPECT_TRAP(with, TRAP_NONE, 0);
	EXPECT_TRAP(after, TRAP_PF, PF_P | PF_W);
	return FACT_PASS;
}

FACT(smap_popf, "paging.smap.popf", "SDM 3A 4.6.1", "RFLAGS.AC loaded by popf counts like stac")
{
	struct trap_catch caught;
	uint64_t flags = cpu_save_flags();

	NEED(SMAP);
	test_clear();
	test_page(VA, U_RW);
	cpu_restore_flags(flags | FLAG_AC);
	trap_try(&caught, probe_read, VA);
	cpu_restore_flags(flags);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	return FACT_PASS;
}

FACT(smap_off, "paging.smap.off", "SDM 3A 4.6.1", "without CR4.SMAP the kernel reads user pages")
{
	struct trap_catch caught;
	uint64_t cr4 = cpu_read_cr4();

	test_clear();
	test_page(VA, U_RW);
	cpu_write_cr4(cr4 & ~CR4_SMAP);
	trap_try(&caught, probe_read, VA);
	cpu_write_cr4(cr4);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	return FACT_PASS;
}
