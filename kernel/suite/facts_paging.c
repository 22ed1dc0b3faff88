/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about translation: permissions at each level, error codes, CR2, A and D bits, page sizes. */
#include "fact_tools.h"

#define VA TEST_BASE
#define SECOND (VA + PAGE_SIZE)

static bool reads(uint64_t va, uint64_t value)
{
	return READ_ONCE(*(uint64_t *)va) == value;
}

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
		EXPECT(reads(VA, CODE_RET), "level %d: reads something else", level);
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

/* ---- CR2 and the state at the fault ------------------------------------------------------------ */

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

/* ---- accessed and dirty ------------------------------------------------------------------------ */

static uint64_t accessed_dirty(uint64_t va, int level)
{
	return READ_ONCE(*test_entry(va, level)) & (PTE_A | PTE_D);
}

FACT(ad_read, "paging.ad.read", "SDM 3A 4.8", "a read sets A and not D")
{
	test_clear();
	test_page(VA, K_RW);
	EXPECT_EQ(accessed_dirty(VA, 1), 0);
	probe_read(VA);
	EXPECT_EQ(accessed_dirty(VA, 1), PTE_A);
	return FACT_PASS;
}

FACT(ad_write, "paging.ad.write", "SDM 3A 4.8", "a write sets A and D")
{
	test_clear();
	test_page(VA, K_RW);
	probe_write(VA);
	EXPECT_EQ(accessed_dirty(VA, 1), PTE_A | PTE_D);
	return FACT_PASS;
}

FACT(ad_write_after_read, "paging.ad.write_after_read", "SDM 3A 4.10.2.2",
     "a write sets D also where a read has cached the translation")
{
	test_clear();
	test_page(VA, K_RW);
	for (unsigned i = 0; i < 100; i++)
		probe_read(VA + 8 * i);
	EXPECT_EQ(accessed_dirty(VA, 1), PTE_A);
	probe_write(VA);
	EXPECT_EQ(accessed_dirty(VA, 1), PTE_A | PTE_D);
	return FACT_PASS;
}

FACT(ad_exec, "paging.ad.exec", "SDM 3A 4.8", "execution sets A and not D")
{
	test_clear();
	*test_page(VA, PTE_P | PTE_W) = CODE_RET;
	probe_call(VA);
	EXPECT_EQ(accessed_dirty(VA, 1), PTE_A);
	return FACT_PASS;
}

FACT(ad_user, "paging.ad.user", "SDM 3A 4.8", "a user write sets A and D")
{
	struct user_run run;

	test_clear();
	test_page(VA, U_RW);
	user_call(&run, probe_user_write, VA, 0, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(accessed_dirty(VA, 1), PTE_A | PTE_D);
	return FACT_PASS;
}

FACT(ad_upper, "paging.ad.upper", "SDM 3A 4.8",
     "an access sets A in the entries of all levels; D only in the leaf")
{
	test_clear();
	test_page(VA, K_RW);
	for (int level = 2; level <= 4; level++)
		test_set_flush(VA, level, *test_entry(VA, level) & ~PTE_A);
	for (int level = 2; level <= 4; level++)
		EXPECT(!accessed_dirty(VA, level), "level %d: set before any access", level);
	probe_write(VA);
	for (int level = 2; level <= 4; level++)
		EXPECT(accessed_dirty(VA, level) == PTE_A, "level %d: A and D are %lx", level,
		       accessed_dirty(VA, level));
	return FACT_PASS;
}

FACT(ad_denied, "paging.ad.denied_write", "SDM 3A 4.8", "a write that faults does not set D")
{
	struct trap_catch caught;

	test_clear();
	test_page(VA, K_RO);
	trap_try(&caught, probe_write, VA);
	EXPECT(caught.vector == TRAP_PF, "the write did not fault");
	EXPECT_EQ(accessed_dirty(VA, 1) & PTE_D, 0);
	return FACT_PASS;
}

FACT(ad_again, "paging.ad.cleared", "SDM 3A 4.10.4.2",
     "A and D that were cleared and flushed are set again, each by its own kind of access")
{
	test_clear();
	test_page(VA, K_RW);
	probe_write(VA);
	test_set_flush(VA, 1, *test_entry(VA, 1) & ~(PTE_A | PTE_D));
	probe_read(VA);
	EXPECT_EQ(accessed_dirty(VA, 1), PTE_A);
	probe_write(VA);
	EXPECT_EQ(accessed_dirty(VA, 1), PTE_A | PTE_D);
	return FACT_PASS;
}

SNIPPET(snippet_cmpxchg, "mov $1, %eax\nmov $2, %ecx\nlock cmpxchg %rcx, (%rdi)");

FACT(ad_cmpxchg, "paging.ad.failed_cmpxchg", "SDM 2A CMPXCHG",
     "lock cmpxchg writes, and so sets D, also when the comparison fails")
{
	test_clear();
	test_page(VA, K_RW);
	snippet_cmpxchg(VA);
	EXPECT_EQ(accessed_dirty(VA, 1), PTE_A | PTE_D);
	EXPECT(reads(VA, 0), "the failed comparison stored %lx", *(uint64_t *)VA);
	return FACT_PASS;
}

FACT(ad_swap, "paging.ad.swap_entry", "SDM 3A 4.8",
     "exchanging an entry returns the A and D bits that accesses have set")
{
	uint64_t old;

	test_clear();
	test_page(VA, K_RW);
	probe_write(VA);
	old = pvrom_swap_entry(test_entry(VA, 1), 0);
	cpu_invlpg((void *)VA);
	EXPECT_EQ(old & 0xfff, PTE_P | PTE_W | PTE_A | PTE_D);
	EXPECT_EQ(*test_entry(VA, 1), 0);
	return FACT_PASS;
}

FACT(ad_large, "paging.ad.large", "SDM 3A 4.8", "a 2 MiB page has its A and D in the level-2 entry")
{
	test_clear();
	paging_map(paging_root, VA, (uint64_t)test_block(0), K_RW | PTE_PS, 2);
	probe_read(VA + 0x12340);
	EXPECT_EQ(accessed_dirty(VA, 2), PTE_A);
	probe_write(VA + 0x54320);
	EXPECT_EQ(accessed_dirty(VA, 2), PTE_A | PTE_D);
	return FACT_PASS;
}

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
	EXPECT_EQ(accessed_dirty(VA, 1), PTE_A | PTE_D);
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

/* ---- large pages ------------------------------------------------------------------------------- */

FACT(large_2m, "paging.large.2m", "SDM 3A 4.5.4", "a 2 MiB page maps 2 MiB, the last byte included")
{
	uint64_t *block = test_block(0), last = LARGE_SIZE / 8 - 1;

	test_clear();
	paging_map(paging_root, VA, (uint64_t)block, K_RW | PTE_PS, 2);
	block[0] = 0x11;
	block[last] = 0x22;
	block[0x12345] = 0x33;
	EXPECT(reads(VA, 0x11), "first word");
	EXPECT(reads(VA + LARGE_SIZE - 8, 0x22), "last word");
	EXPECT(reads(VA + 8 * 0x12345, 0x33), "a word in between");
	return FACT_PASS;
}

FACT(large_1g, "paging.large.1g", "SDM 3A 4.5.4",
     "a 1 GiB page maps 1 GiB: the kernel's memory appears at its offset")
{
	static uint64_t word;

	NEED(1G_PAGES);
	test_clear();
	paging_map(paging_root, VA, 0, K_RW | PTE_PS, 3);
	word = 0x1234567;
	EXPECT(reads(VA + (uint64_t)&word, 0x1234567), "word not found");
	probe_write(VA + (uint64_t)&word);
	EXPECT_EQ(READ_ONCE(word), VA + (uint64_t)&word);
	EXPECT_EQ(accessed_dirty(VA, 3), PTE_A | PTE_D);
	return FACT_PASS;
}

FACT(large_neighbour, "paging.large.crossing", "SDM 3A 4.5.4",
     "an access may cross from a 2 MiB page into a 4 KiB page")
{
	uint64_t end = VA + LARGE_SIZE;
	uint64_t *small;

	test_clear();
	paging_map(paging_root, VA, (uint64_t)test_block(0), K_RW | PTE_PS, 2);
	small = test_page(end, K_RW);
	test_block(0)[LARGE_SIZE / 8 - 1] = 0xaabbccdd00000000;
	*small = 0x11223344;
	EXPECT(reads(end - 4, 0x11223344aabbccdd), "read %lx", *(uint64_t *)(end - 4));
	WRITE_ONCE(*(uint64_t *)(end - 4), 0x5566778899aabbcc);
	EXPECT_EQ(*small, 0x55667788);
	return FACT_PASS;
}

/* ---- the shape of the tables ------------------------------------------------------------------- */

FACT(ignored_bits, "paging.ignored_bits", "SDM 3A 4.5.4",
     "bits 11:9 and 58:52 of a present entry are the kernel's own, at each level")
{
	uint64_t own = 0x07f0000000000e00;

	for (int level = 1; level <= 4; level++) {
		test_clear();
		*test_page(VA, K_RW) = 77;
		test_set(VA, level, *test_entry(VA, level) | own);
		EXPECT(reads(VA, 77), "level %d: reads something else", level);
		probe_write(VA);
		EXPECT((*test_entry(VA, level) & own) == own, "level %d: bits lost", level);
	}
	return FACT_PASS;
}

FACT(high_half, "paging.high_half", "SDM 1 3.3.7.1",
     "the top page of the address space is mapped like any other")
{
	uint64_t va = 0xfffffffffffff000;
	uint64_t *page = test_page(va, K_RW);

	cpu_invlpg((void *)va);
	page[511] = 0x77;
	EXPECT(reads(va + 0xff8, 0x77), "read %lx", *(uint64_t *)(va + 0xff8));
	test_set_flush(va, 1, 0);
	return FACT_PASS;
}

FACT(alias, "paging.alias", "SDM 3A 4.2", "two addresses of one page are the same memory")
{
	uint64_t *page;

	test_clear();
	page = test_page(VA, K_RW);
	test_map(VA + BIT(30), page, K_RW);
	probe_write(VA + 0x100);
	EXPECT(reads(VA + BIT(30) + 0x100, VA + 0x100), "not seen by the other address");
	EXPECT_EQ(page[0x100 / 8], VA + 0x100);
	return FACT_PASS;
}

FACT(alias_permissions, "paging.alias_permissions", "SDM 3A 4.6.1",
     "permissions belong to the address: a page may be read-only here and writable there")
{
	struct trap_catch here, there;
	uint64_t *page;

	test_clear();
	page = test_page(VA, K_RO);
	test_map(SECOND, page, K_RW);
	trap_try(&there, probe_write, SECOND);
	trap_try(&here, probe_write, VA);
	EXPECT_TRAP(there, TRAP_NONE, 0);
	EXPECT_TRAP(here, TRAP_PF, PF_P | PF_W);
	EXPECT_EQ(accessed_dirty(VA, 1) & PTE_D, 0);
	return FACT_PASS;
}

FACT(shared_table, "paging.shared_table", "SDM 3A 4.6.1",
     "one table below two entries serves both, each with its own permissions")
{
	struct trap_catch caught;
	uint64_t second = VA + LARGE_SIZE;
	uint64_t *page;

	test_clear();
	page = test_page(VA, K_RW);
	test_page(second, K_RW);
	test_set(second, 2, *test_entry(VA, 2) & ~PTE_W);
	*page = 0x99;
	EXPECT(reads(VA, 0x99), "by the first entry");
	EXPECT(reads(second, 0x99), "by the second entry");
	EXPECT(trap_try(&caught, probe_write, VA) == TRAP_NONE, "the writable one faulted");
	trap_try(&caught, probe_write, second);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_W);
	return FACT_PASS;
}

#define SELF_SLOT 0x1a0ull /* a free entry of the root: upper half */
#define SELF_VA (0xffff000000000000 | SELF_SLOT << 39)

/* Through a root entry that points to the root, table entries are data at computable addresses. */
static uint64_t *self_entry(uint64_t va)
{
	return (uint64_t *)(SELF_VA | (va >> 9 & 0x7ffffffff8));
}

FACT(self_map, "paging.self_map", "SDM 3A 4.5",
     "a root that contains itself shows its tables as memory, and changes by that way count")
{
	uint64_t *one, *other, seen;

	test_clear();
	one = test_page(VA, K_RW);
	other = memory_page();
	*other = 0x4711;
	test_set(SELF_VA, 4, (uint64_t)paging_root | PTE_P | PTE_W | PTE_NX);
	probe_read(VA);
	seen = READ_ONCE(*self_entry(VA));
	WRITE_ONCE(*self_entry(VA), (uint64_t)other | K_RW);
	cpu_invlpg((void *)VA);
	test_set(SELF_VA, 4, 0);
	EXPECT_EQ(seen, (uint64_t)one | K_RW | PTE_A);
	EXPECT(reads(VA, 0x4711), "the change did not count");
	return FACT_PASS;
}

FACT(alias_code, "paging.alias_code", "SDM 3A 9.1.3",
     "code changed by another address runs changed after a serializing instruction")
{
	static const uint8_t first[] = { 0xb8, 1, 0, 0, 0, CODE_RET };
	uint64_t (*code)(void) = (uint64_t(*)(void))VA;
	uint8_t *page;

	test_clear();
	page = (uint8_t *)test_page(VA, K_RX);
	memcpy(page, first, sizeof(first));
	EXPECT_EQ(code(), 1);
	WRITE_ONCE(page[1], 2);
	cpu_cpuid(0, 0);
	EXPECT_EQ(code(), 2);
	return FACT_PASS;
}

/* ---- canonical addresses ----------------------------------------------------------------------- */

#define NOT_CANONICAL 0x0000800000000000ull

FACT(canonical_data, "paging.canonical.data", "SDM 1 3.3.7.1",
     "a reference to a non-canonical address is #GP(0)")
{
	struct trap_catch caught;

	trap_try(&caught, probe_read, NOT_CANONICAL);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	trap_try(&caught, probe_write, ~NOT_CANONICAL);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	return FACT_PASS;
}

/* Whether the saved RIP is the jump or its target differs between makers of CPUs. */
FACT(canonical_jump, "paging.canonical.jump", "SDM 2A JMP",
     "a jump to a non-canonical address is #GP(0)")
{
	struct trap_catch caught;
	struct user_run run;

	trap_try(&caught, probe_call, NOT_CANONICAL);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	user_call(&run, probe_user_jump, NOT_CANONICAL, 0, 0);
	EXPECT_TRAP(run, TRAP_GP, 0);
	return FACT_PASS;
}

FACT(canonical_cr2, "paging.canonical.keeps_cr2", "SDM 3A 6.15 #GP",
     "a non-canonical reference does not change CR2")
{
	struct trap_catch caught;

	cpu_write_cr2(0x1234567);
	trap_try(&caught, probe_read, NOT_CANONICAL);
	EXPECT_EQ(caught.cr2, 0x1234567);
	return FACT_PASS;
}
