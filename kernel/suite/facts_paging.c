/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about page faults: which accesses fault, with which address and error code. */
#include "cpu.h"
#include "fact.h"
#include "features.h"
#include "probe.h"

#define KERNEL_RW (PTE_P | PTE_W | PTE_NX)
#define USER_RW (PTE_P | PTE_W | PTE_U | PTE_NX)

/* A #PF with this error code at exactly this address. */
#define EXPECT_FAULT(caught, code, address)                                                        \
	do {                                                                                       \
		EXPECT_TRAP(caught, TRAP_PF, code);                                                \
		EXPECT_EQ((caught).cr2, address);                                                  \
	} while (0)

#define EXPECT_NO_TRAP(caught)                                                                     \
	EXPECT((caught).vector == TRAP_NONE, "%s(%lx) at cr2 %lx", fact_vector((caught).vector),   \
	       (caught).error, (caught).cr2)

#define EXPECT_EXIT(run)                                                                           \
	EXPECT((run).vector == VECTOR_USER_EXIT, "user run ended by %s(%lx) at cr2 %lx",           \
	       fact_vector((run).vector), (run).error, (run).cr2)

FACT(pf_read, "paging.fault.read_absent", "SDM 3A 4.7", "reading a page that is not present is #PF(0)")
{
	struct trap_catch caught;

	trap_try(&caught, probe_read, probe_va(0) + 0x123);
	EXPECT_FAULT(caught, 0, probe_va(0) + 0x123);
	EXPECT_EQ(caught.frame.rip, (uint64_t)probe_read_at);
	return FACT_PASS;
}

FACT(pf_write, "paging.fault.write_absent", "SDM 3A 4.7", "writing a page that is not present is #PF(W)")
{
	struct trap_catch caught;

	trap_try(&caught, probe_write, probe_va(0) + 0x777);
	EXPECT_FAULT(caught, PF_W, probe_va(0) + 0x777);
	EXPECT_EQ(caught.frame.rip, (uint64_t)probe_write_at);
	return FACT_PASS;
}

FACT(pf_exec, "paging.fault.fetch_absent", "SDM 3A 4.7",
     "fetching from a page that is not present is #PF(I), with RIP at the target")
{
	struct trap_catch caught;

	trap_try(&caught, probe_call, probe_va(0) + 0x10);
	EXPECT_FAULT(caught, PF_I, probe_va(0) + 0x10);
	EXPECT_EQ(caught.frame.rip, probe_va(0) + 0x10);
	return FACT_PASS;
}

FACT(pf_user_read, "paging.fault.user_read_absent", "SDM 3A 4.7", "the same read in user mode is #PF(U)")
{
	struct user_run run;

	user_call(&run, probe_user_read, probe_va(0) + 8, 0, 0);
	EXPECT_FAULT(run, PF_U, probe_va(0) + 8);
	EXPECT_EQ(run.frame.rip, user_address(probe_user_read_at));
	return FACT_PASS;
}

FACT(pf_user_write, "paging.fault.user_write_absent", "SDM 3A 4.7", "the same write in user mode is #PF(U W)")
{
	struct user_run run;

	user_call(&run, probe_user_write, probe_va(0) + 16, 0, 0);
	EXPECT_FAULT(run, PF_U | PF_W, probe_va(0) + 16);
	return FACT_PASS;
}

FACT(pf_user_fetch, "paging.fault.user_fetch_absent", "SDM 3A 4.7", "the same fetch in user mode is #PF(U I)")
{
	struct user_run run;

	user_call(&run, probe_user_jump, probe_va(0), 0, 0);
	EXPECT_FAULT(run, PF_U | PF_I, probe_va(0));
	return FACT_PASS;
}

FACT(pf_user_supervisor, "paging.fault.user_reads_kernel", "SDM 3A 4.6",
     "a user read of a supervisor page is #PF(P U)")
{
	struct user_run run;

	probe_page(1, KERNEL_RW);
	user_call(&run, probe_user_read, probe_va(1), 0, 0);
	EXPECT_FAULT(run, PF_P | PF_U, probe_va(1));
	return FACT_PASS;
}

FACT(pf_user_writes_kernel, "paging.fault.user_writes_kernel", "SDM 3A 4.6",
     "a user write of a supervisor page is #PF(P U W)")
{
	struct user_run run;

	probe_page(1, KERNEL_RW);
	user_call(&run, probe_user_write, probe_va(1), 0, 0);
	EXPECT_FAULT(run, PF_P | PF_U | PF_W, probe_va(1));
	return FACT_PASS;
}

FACT(user_rw, "paging.user.access", "SDM 3A 4.6", "a user page can be read and written in user mode")
{
	uint64_t *page = probe_page(1, USER_RW);
	struct user_run run;

	page[0] = 42;
	user_call(&run, probe_user_read, probe_va(1), 0, 0);
	EXPECT_EXIT(run);
	EXPECT_EQ(run.frame.rax, 42);
	user_call(&run, probe_user_write, probe_va(1) + 8, 0, 0);
	EXPECT_EXIT(run);
	EXPECT_EQ(page[1], probe_va(1) + 8);
	return FACT_PASS;
}

FACT(user_read_only, "paging.fault.user_writes_readonly", "SDM 3A 4.6",
     "a user write of a read-only page is #PF(P U W), whatever CR0.WP says")
{
	struct user_run run;
	uint64_t cr0 = cpu_read_cr0();

	probe_page(1, PTE_P | PTE_U | PTE_NX);
	user_call(&run, probe_user_write, probe_va(1), 0, 0);
	EXPECT_FAULT(run, PF_P | PF_U | PF_W, probe_va(1));
	cpu_write_cr0(cr0 & ~CR0_WP);
	user_call(&run, probe_user_write, probe_va(1), 0, 0);
	cpu_write_cr0(cr0);
	EXPECT_FAULT(run, PF_P | PF_U | PF_W, probe_va(1));
	return FACT_PASS;
}

FACT(wp_set, "paging.wp.set", "SDM 3A 4.6", "with CR0.WP a supervisor write of a read-only page is #PF(P W)")
{
	struct trap_catch caught;

	probe_page(1, PTE_P | PTE_NX);
	trap_try(&caught, probe_write, probe_va(1));
	EXPECT_FAULT(caught, PF_P | PF_W, probe_va(1));
	return FACT_PASS;
}

FACT(wp_clear, "paging.wp.clear", "SDM 3A 4.6", "without CR0.WP a supervisor may write a read-only page")
{
	struct trap_catch caught;
	uint64_t *page = probe_page(1, PTE_P | PTE_NX);
	uint64_t cr0 = cpu_read_cr0();

	cpu_write_cr0(cr0 & ~CR0_WP);
	trap_try(&caught, probe_write, probe_va(1));
	cpu_write_cr0(cr0);
	EXPECT_NO_TRAP(caught);
	EXPECT_EQ(page[0], probe_va(1));
	return FACT_PASS;
}

FACT(wp_again, "paging.wp.set_again", "SDM 3A 4.6", "a write allowed while WP was clear faults once it is set")
{
	struct trap_catch caught;
	uint64_t cr0 = cpu_read_cr0();

	probe_page(1, PTE_P | PTE_NX);
	cpu_write_cr0(cr0 & ~CR0_WP);
	trap_try(&caught, probe_write, probe_va(1));
	cpu_write_cr0(cr0);
	EXPECT_NO_TRAP(caught);
	trap_try(&caught, probe_write, probe_va(1));
	EXPECT_FAULT(caught, PF_P | PF_W, probe_va(1));
	return FACT_PASS;
}

FACT(nx_kernel, "paging.nx.kernel", "SDM 3A 4.6", "fetching from an NX page in kernel mode is #PF(P I)")
{
	struct trap_catch caught;
	void *code = probe_code_page();

	paging_map(paging_root, probe_va(1), (uint64_t)code, PTE_P | PTE_NX, 1);
	cpu_invlpg((void *)probe_va(1));
	trap_try(&caught, probe_call, probe_va(1));
	EXPECT_FAULT(caught, PF_P | PF_I, probe_va(1));
	probe_remap(probe_va(1), (uint64_t)code, PTE_P);
	trap_try(&caught, probe_call, probe_va(1));
	EXPECT_NO_TRAP(caught);
	return FACT_PASS;
}

FACT(nx_user, "paging.nx.user", "SDM 3A 4.6", "fetching from an NX page in user mode is #PF(P U I)")
{
	struct user_run run;
	void *code = probe_code_page();

	paging_map(paging_root, probe_va(1), (uint64_t)code, PTE_P | PTE_U | PTE_NX, 1);
	cpu_invlpg((void *)probe_va(1));
	user_call(&run, probe_user_jump, probe_va(1), 0, 0);
	EXPECT_FAULT(run, PF_P | PF_U | PF_I, probe_va(1));
	probe_remap(probe_va(1), (uint64_t)code, PTE_P | PTE_U);
	user_call(&run, probe_user_jump, probe_va(1), 0, 0);
	EXPECT_EXIT(run);
	return FACT_PASS;
}

FACT(nx_upper, "paging.nx.upper_level", "SDM 3A 4.6", "NX in a directory entry forbids fetches below it")
{
	struct trap_catch caught;
	uint64_t *directory;

	paging_map(paging_root, probe_va(1), (uint64_t)probe_code_page(), PTE_P, 1);
	directory = paging_entry(paging_root, probe_va(1), 2);
	*directory |= PTE_NX;
	cpu_invlpg((void *)probe_va(1));
	trap_try(&caught, probe_call, probe_va(1));
	*directory &= ~PTE_NX;
	cpu_invlpg((void *)probe_va(1));
	EXPECT_FAULT(caught, PF_P | PF_I, probe_va(1));
	return FACT_PASS;
}

FACT(ro_upper, "paging.upper_level.readonly", "SDM 3A 4.6",
     "a read-only directory entry makes what is below read-only")
{
	struct trap_catch caught;
	uint64_t *directory;

	probe_page(1, KERNEL_RW);
	directory = paging_entry(paging_root, probe_va(1), 2);
	*directory &= ~PTE_W;
	cpu_invlpg((void *)probe_va(1));
	trap_try(&caught, probe_write, probe_va(1));
	*directory |= PTE_W;
	cpu_invlpg((void *)probe_va(1));
	EXPECT_FAULT(caught, PF_P | PF_W, probe_va(1));
	return FACT_PASS;
}

FACT(user_upper, "paging.upper_level.supervisor", "SDM 3A 4.6",
     "a supervisor directory entry keeps user mode from what is below")
{
	struct user_run run;
	uint64_t *directory;

	probe_page(1, USER_RW);
	directory = paging_entry(paging_root, probe_va(1), 2);
	*directory &= ~PTE_U;
	cpu_invlpg((void *)probe_va(1));
	user_call(&run, probe_user_read, probe_va(1), 0, 0);
	*directory |= PTE_U;
	cpu_invlpg((void *)probe_va(1));
	EXPECT_FAULT(run, PF_P | PF_U, probe_va(1));
	return FACT_PASS;
}

FACT(absent_upper, "paging.upper_level.absent", "SDM 3A 4.7",
     "a directory entry that is not present faults with P clear, at the access's address")
{
	struct trap_catch caught;
	uint64_t *directory;

	probe_page(1, KERNEL_RW);
	directory = paging_entry(paging_root, probe_va(1), 2);
	*directory &= ~PTE_P;
	cpu_invlpg((void *)probe_va(1));
	trap_try(&caught, probe_write, probe_va(1) + 0x5008);
	*directory |= PTE_P;
	cpu_invlpg((void *)probe_va(1));
	EXPECT_FAULT(caught, PF_W, probe_va(1) + 0x5008);
	return FACT_PASS;
}

FACT(smep, "paging.smep", "SDM 3A 4.6", "with CR4.SMEP a supervisor fetch from a user page is #PF(P I)")
{
	struct trap_catch caught;
	uint64_t cr4 = cpu_read_cr4();

	NEED(SMEP);
	paging_map(paging_root, probe_va(1), (uint64_t)probe_code_page(), PTE_P | PTE_U, 1);
	cpu_invlpg((void *)probe_va(1));
	trap_try(&caught, probe_call, probe_va(1));
	EXPECT_FAULT(caught, PF_P | PF_I, probe_va(1));
	cpu_write_cr4(cr4 & ~CR4_SMEP);
	trap_try(&caught, probe_call, probe_va(1));
	cpu_write_cr4(cr4);
	EXPECT_NO_TRAP(caught);
	return FACT_PASS;
}

FACT(smap_read, "paging.smap.read", "SDM 3A 4.6", "with CR4.SMAP a supervisor read of a user page is #PF(P)")
{
	struct trap_catch caught;
	uint64_t cr4 = cpu_read_cr4();

	NEED(SMAP);
	probe_page(1, USER_RW);
	trap_try(&caught, probe_read, probe_va(1));
	EXPECT_FAULT(caught, PF_P, probe_va(1));
	cpu_write_cr4(cr4 & ~CR4_SMAP);
	trap_try(&caught, probe_read, probe_va(1));
	cpu_write_cr4(cr4);
	EXPECT_NO_TRAP(caught);
	return FACT_PASS;
}

FACT(smap_write, "paging.smap.write", "SDM 3A 4.6", "with CR4.SMAP a supervisor write of a user page is #PF(P W)")
{
	struct trap_catch caught;

	NEED(SMAP);
	probe_page(1, USER_RW);
	trap_try(&caught, probe_write, probe_va(1));
	EXPECT_FAULT(caught, PF_P | PF_W, probe_va(1));
	return FACT_PASS;
}

static void write_with_stac(uint64_t address)
{
	pvrom_stac();
	*(volatile uint64_t *)address = 77;
	pvrom_clac();
	*(volatile uint64_t *)address = 78;
}

FACT(smap_stac, "paging.smap.stac", "SDM 2B STAC, 2A CLAC",
     "STAC allows a supervisor the user page, CLAC forbids it again")
{
	struct trap_catch caught;
	uint64_t *page;

	NEED(SMAP);
	page = probe_page(1, USER_RW);
	trap_try(&caught, write_with_stac, probe_va(1));
	EXPECT_FAULT(caught, PF_P | PF_W, probe_va(1));
	EXPECT_EQ(page[0], 77);
	EXPECT_EQ(cpu_save_flags() & FLAG_AC, 0);
	return FACT_PASS;
}

SNIPPET(snip_cross, "snip_cross_at: mov %rdi, 0xffc(%rdi)");

FACT(pf_crossing, "paging.fault.crossing", "SDM 3A 4.7",
     "a write across two pages faults at the first byte of the absent one, and writes nothing")
{
	struct trap_catch caught;
	uint64_t *page = probe_page(1, KERNEL_RW);

	trap_try(&caught, snip_cross, probe_va(1));
	EXPECT_TRAP(caught, TRAP_PF, PF_W);
	EXPECT_EQ(caught.cr2, probe_va(1) + PAGE_SIZE);
	EXPECT_EQ(page[511], 0);
	return FACT_PASS;
}

SNIPPET(snip_xadd, "mov $1, %eax\nsnip_xadd_at: lock xadd %rax, (%rdi)");

FACT(pf_rmw, "paging.fault.read_modify_write", "SDM 3A 4.7",
     "an atomic read-modify-write faults as a write")
{
	struct trap_catch caught;

	trap_try(&caught, snip_xadd, probe_va(0) + 64);
	EXPECT_FAULT(caught, PF_W, probe_va(0) + 64);
	return FACT_PASS;
}

SNIPPET(snip_push, "mov %rsp, %rax\nmov %rdi, %rsp\nsnip_push_at: push %rbx\nmov %rax, %rsp");

FACT(pf_push, "paging.fault.push", "SDM 2B PUSH",
     "a PUSH that faults leaves RSP as it was; CR2 is where it would have written")
{
	struct trap_catch caught;

	/* The handler needs a stack: #PF takes the one of #DF for this once. */
	cpu_cli();
	trap_gate(TRAP_PF, 0x8e, IST_MC);
	trap_try(&caught, snip_push, probe_va(0) + 0x1000);
	trap_gate(TRAP_PF, 0x8e, 0);
	EXPECT_FAULT(caught, PF_W, probe_va(0) + 0xff8);
	EXPECT_EQ(caught.frame.rsp, probe_va(0) + 0x1000);
	return FACT_PASS;
}

SNIPPET(snip_movs, "mov %rdi, %rsi\nlea 0xff0(%rdi), %rdi\nmov $32, %ecx\nsnip_movs_at: rep movsb");

FACT(pf_rep, "paging.fault.rep", "SDM 2B REP", "a REP MOVS that faults half way says in RCX, RSI, RDI how far it came")
{
	struct trap_catch caught;

	probe_page(1, KERNEL_RW);
	trap_try(&caught, snip_movs, probe_va(1));
	EXPECT_FAULT(caught, PF_W, probe_va(1) + PAGE_SIZE);
	EXPECT_EQ(caught.frame.rcx, 16);
	EXPECT_EQ(caught.frame.rsi, probe_va(1) + 16);
	EXPECT_EQ(caught.frame.rdi, probe_va(1) + PAGE_SIZE);
	EXPECT_EQ(caught.frame.rip, (uint64_t)snip_movs_at);
	return FACT_PASS;
}

FACT(kernel_text_ro, "paging.kernel.text_readonly", "SDM 3A 4.6", "the kernel's own text cannot be written: #PF(P W)")
{
	struct trap_catch caught;

	trap_try(&caught, probe_write, (uint64_t)probe_read & ~7ull);
	EXPECT_FAULT(caught, PF_P | PF_W, (uint64_t)probe_read & ~7ull);
	return FACT_PASS;
}

FACT(kernel_data_nx, "paging.kernel.data_nx", "SDM 3A 4.6", "the kernel's data cannot be executed: #PF(P I)")
{
	static uint8_t code[16] = {0xc3};
	struct trap_catch caught;

	trap_try(&caught, probe_call, (uint64_t)code);
	EXPECT_FAULT(caught, PF_P | PF_I, (uint64_t)code);
	return FACT_PASS;
}

FACT(null_page, "paging.kernel.null", "SDM 3A 4.7", "address 0 is not mapped")
{
	struct trap_catch caught;

	trap_try(&caught, probe_read, 0);
	EXPECT_FAULT(caught, 0, 0);
	return FACT_PASS;
}

FACT(upper_half, "paging.canonical.upper_half", "SDM 1 3.3.7.1",
     "an upper-half address can be mapped; CR2 shows it sign-extended")
{
	struct trap_catch caught;
	uint64_t va = 0xffffff8000000000;
	uint64_t *page = memory_page();

	trap_try(&caught, probe_read, va + 0x2fff);
	EXPECT_FAULT(caught, 0, va + 0x2fff);
	paging_map(paging_root, va, (uint64_t)page, KERNEL_RW, 1);
	trap_try(&caught, probe_write, va);
	EXPECT_NO_TRAP(caught);
	EXPECT_EQ(page[0], va);
	probe_remap(va, 0, 0);
	return FACT_PASS;
}

FACT(cr2_kept, "paging.cr2.kept", "SDM 3A 6.15 #PF", "an exception other than #PF leaves CR2 alone")
{
	struct trap_catch caught;

	trap_try(&caught, probe_read, probe_va(0) + 0x40);
	trap_try(&caught, probe_read, 0x800000000000);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	EXPECT_EQ(caught.cr2, probe_va(0) + 0x40);
	return FACT_PASS;
}
