/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about the control registers: what reads back, what each bit does, what is refused. */
#include "apic.h"
#include "fact_tools.h"
#include "irq.h"
#include "smp.h"
#include "time.h"

#define CR0_ET BIT(4)
#define CR4_OSFXSR BIT(9)

/* Runs user CODE with CR4 changed by SET and CLEAR. */
static void user_with_cr4(struct user_run *run, const char *code, uint64_t set, uint64_t clear)
{
	uint64_t cr4 = cpu_read_cr4();

	cpu_write_cr4((cr4 | set) & ~clear);
	user_call(run, code, USER_DATA, 0, 0);
	cpu_write_cr4(cr4);
}

static uint64_t try_with_cr4(struct trap_catch *caught, trap_snippet_fn *snippet, uint64_t set,
			     uint64_t clear)
{
	uint64_t cr4 = cpu_read_cr4();

	cpu_write_cr4((cr4 | set) & ~clear);
	trap_try(caught, snippet, 0);
	cpu_write_cr4(cr4);
	return caught->vector;
}

/* ---- CR0 --------------------------------------------------------------------------------------- */

FACT(cr0_readback, "cr.cr0.readback", "SDM 3A 2.5", "MP, TS, AM and WP read back as written")
{
	uint64_t old = cpu_read_cr0(), bits = CR0_MP | CR0_TS | CR0_AM | CR0_WP;
	uint64_t clear, set;

	cpu_write_cr0(old & ~bits);
	clear = cpu_read_cr0();
	cpu_write_cr0(old | bits);
	set = cpu_read_cr0();
	cpu_write_cr0(old);
	EXPECT_EQ(clear, old & ~bits);
	EXPECT_EQ(set, old | bits);
	EXPECT_EQ(cpu_read_cr0(), old);
	return FACT_PASS;
}

FACT(cr0_et, "cr.cr0.et", "SDM 3A 2.5", "ET is 1 and stays 1")
{
	uint64_t old = cpu_read_cr0(), after;

	cpu_write_cr0(old & ~CR0_ET);
	after = cpu_read_cr0();
	cpu_write_cr0(old);
	EXPECT_EQ(after & CR0_ET, CR0_ET);
	EXPECT_EQ(old & CR0_ET, CR0_ET);
	return FACT_PASS;
}

FACT(cr0_clts, "cr.cr0.clts", "SDM 2A CLTS", "clts clears TS and nothing else")
{
	uint64_t old = cpu_read_cr0(), after;

	cpu_write_cr0(old | CR0_TS);
	pvrom_clts();
	after = cpu_read_cr0();
	cpu_write_cr0(old);
	EXPECT_EQ(after, old & ~CR0_TS);
	return FACT_PASS;
}

USER_CODE(user_fld1, "fld1\nfstp %st(0)");

FACT(ts_user, "cr.ts.user", "SDM 3A 2.5",
     "TS makes x87 instructions in user mode #NM, clts ends that")
{
	struct user_run with, without;
	uint64_t old = cpu_read_cr0();

	cpu_write_cr0((old | CR0_TS) & ~CR0_EM);
	user_call(&with, user_fld1, 0, 0, 0);
	pvrom_clts();
	user_call(&without, user_fld1, 0, 0, 0);
	cpu_write_cr0(old);
	EXPECT_TRAP(with, TRAP_NM, 0);
	EXPECT_EQ(with.frame.rip, user_address(user_fld1));
	EXPECT_TRAP(without, VECTOR_USER_EXIT, 0);
	return FACT_PASS;
}

SNIPPET(snippet_wait, "fwait");

FACT(mp_wait, "cr.mp.wait", "SDM 3A 2.5",
     "wait is #NM when MP and TS are set, and not with TS alone")
{
	struct trap_catch with, without;
	uint64_t old = cpu_read_cr0() & ~CR0_EM;

	cpu_write_cr0(old | CR0_TS | CR0_MP);
	trap_try(&with, snippet_wait, 0);
	cpu_write_cr0((old | CR0_TS) & ~CR0_MP);
	trap_try(&without, snippet_wait, 0);
	cpu_write_cr0(old);
	EXPECT_TRAP(with, TRAP_NM, 0);
	EXPECT_TRAP(without, TRAP_NONE, 0);
	return FACT_PASS;
}

SNIPPET(snippet_unaligned, "lea -15(%rsp), %rax\nmov (%rax), %eax");

FACT(am_kernel, "cr.am.kernel", "SDM 3A 6.15 #AC",
     "with AM and AC set the kernel still reads unaligned words: #AC is for user mode")
{
	struct trap_catch caught;
	uint64_t old = cpu_read_cr0(), flags = cpu_save_flags();

	cpu_write_cr0(old | CR0_AM);
	cpu_restore_flags(flags | FLAG_AC);
	trap_try(&caught, snippet_unaligned, 0);
	cpu_restore_flags(flags);
	cpu_write_cr0(old);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	return FACT_PASS;
}

/* ---- CR2, CR3 ---------------------------------------------------------------------------------- */

FACT(cr2_readback, "cr.cr2.readback", "SDM 3A 2.5", "CR2 holds any 64-bit value")
{
	static const uint64_t values[] = { 0, 1, 0x123456789abcdef0, ~0ull };

	for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
		cpu_write_cr2(values[i]);
		EXPECT_EQ(cpu_read_cr2(), values[i]);
	}
	return FACT_PASS;
}

FACT(cr3_readback, "cr.cr3.readback", "SDM 3A 4.5.2",
     "CR3 reads back as written, PWT and PCD included")
{
	uint64_t old = cpu_read_cr3(), with;

	cpu_write_cr3((uint64_t)paging_root | PTE_PWT | PTE_PCD);
	with = cpu_read_cr3();
	cpu_write_cr3(old);
	EXPECT_EQ(with, (uint64_t)paging_root | PTE_PWT | PTE_PCD);
	EXPECT_EQ(cpu_read_cr3(), old);
	return FACT_PASS;
}

/* ---- CR4 --------------------------------------------------------------------------------------- */

FACT(cr4_readback, "cr.cr4.readback", "SDM 3A 2.5", "TSD, DE, PGE and PCE read back as written")
{
	uint64_t old = cpu_read_cr4(), bits = CR4_TSD | CR4_DE | CR4_PGE | CR4_PCE;
	uint64_t clear, set;

	cpu_write_cr4(old & ~bits);
	clear = cpu_read_cr4();
	cpu_write_cr4(old | bits);
	set = cpu_read_cr4();
	cpu_write_cr4(old);
	EXPECT_EQ(clear, old & ~bits);
	EXPECT_EQ(set, old | bits);
	return FACT_PASS;
}

USER_CODE(user_rdtsc, "rdtsc");

FACT(tsd_user, "cr.tsd.user", "SDM 2B RDTSC",
     "rdtsc in user mode is #GP(0) with TSD, and works without")
{
	struct user_run run;

	user_with_cr4(&run, user_rdtsc, CR4_TSD, 0);
	EXPECT_TRAP(run, TRAP_GP, 0);
	user_with_cr4(&run, user_rdtsc, 0, CR4_TSD);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	return FACT_PASS;
}

SNIPPET(snippet_rdtsc, "rdtsc");

FACT(tsd_kernel, "cr.tsd.kernel", "SDM 2B RDTSC", "TSD does not keep the kernel from rdtsc")
{
	struct trap_catch caught;

	try_with_cr4(&caught, snippet_rdtsc, CR4_TSD, 0);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	return FACT_PASS;
}

USER_CODE(user_rdpmc, "xor %ecx, %ecx\nrdpmc");

FACT(pce_user, "cr.pce.user", "SDM 2B RDPMC", "rdpmc in user mode is #GP(0) without PCE")
{
	struct user_run run;

	user_with_cr4(&run, user_rdpmc, 0, CR4_PCE);
	EXPECT_TRAP(run, TRAP_GP, 0);
	return FACT_PASS;
}

SNIPPET(snippet_movaps, "movaps %xmm0, %xmm0");

FACT(osfxsr, "cr.osfxsr", "SDM 3A 2.5", "SSE instructions are #UD without CR4.OSFXSR")
{
	struct trap_catch caught;

	EXPECT(try_with_cr4(&caught, snippet_movaps, CR4_OSFXSR, 0) == TRAP_NONE, "%s with it",
	       fact_vector(caught.vector));
	try_with_cr4(&caught, snippet_movaps, 0, CR4_OSFXSR);
	EXPECT_TRAP(caught, TRAP_UD, 0);
	return FACT_PASS;
}

SNIPPET(snippet_xgetbv, "xor %ecx, %ecx\nxgetbv");

FACT(osxsave, "cr.osxsave", "SDM 3A 2.5",
     "xgetbv is #UD without CR4.OSXSAVE, and CPUID shows the bit")
{
	struct trap_catch caught;
	uint64_t old = cpu_read_cr4();
	bool off, on;

	NEED(XSAVE);
	EXPECT(try_with_cr4(&caught, snippet_xgetbv, CR4_OSXSAVE, 0) == TRAP_NONE, "%s with it",
	       fact_vector(caught.vector));
	try_with_cr4(&caught, snippet_xgetbv, 0, CR4_OSXSAVE);
	EXPECT_TRAP(caught, TRAP_UD, 0);
	cpu_write_cr4(old & ~CR4_OSXSAVE);
	off = features_cpuid(1, 0, 2, 27);
	cpu_write_cr4(old | CR4_OSXSAVE);
	on = features_cpuid(1, 0, 2, 27);
	cpu_write_cr4(old);
	EXPECT(!off && on, "CPUID says %d without and %d with it", off, on);
	return FACT_PASS;
}

USER_CODE(user_sgdt, "sgdt (%rdi)");
USER_CODE(user_sidt, "sidt (%rdi)");
USER_CODE(user_sldt, "sldt %eax");
USER_CODE(user_str, "str %eax");
USER_CODE(user_smsw, "smsw %eax");

static const char *const umip_codes[] = { user_sgdt, user_sidt, user_sldt, user_str, user_smsw };

FACT(umip_on, "cr.umip.on", "SDM 3A 2.5",
     "with UMIP sgdt, sidt, sldt, str and smsw are #GP(0) in user mode")
{
	struct user_run run;

	NEED(UMIP);
	for (unsigned i = 0; i < ARRAY_SIZE(umip_codes); i++) {
		user_with_cr4(&run, umip_codes[i], CR4_UMIP, 0);
		EXPECT(run.vector == TRAP_GP && !run.error, "instruction %u: %s, error %lx", i,
		       fact_vector(run.vector), run.error);
	}
	return FACT_PASS;
}

FACT(umip_off, "cr.umip.off", "SDM 2B SMSW, STR, SGDT",
     "without UMIP user mode may execute them: smsw shows CR0, str TR, and sgdt the GDT's base")
{
	struct user_run run;
	uint64_t base;

	user_with_cr4(&run, user_smsw, 0, CR4_UMIP);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax & 0xffff, cpu_read_cr0() & 0xffff);
	user_with_cr4(&run, user_str, 0, CR4_UMIP);
	EXPECT_EQ(run.frame.rax, SEL_TSS);
	user_with_cr4(&run, user_sgdt, 0, CR4_UMIP);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	memcpy(&base, (char *)user_alias(USER_DATA) + 2, 8);
	EXPECT_EQ(base, this_cpu()->gdt);
	return FACT_PASS;
}

USER_CODE(user_wrfsbase, "wrfsbase %rdi\nrdfsbase %rax");

FACT(fsgsbase, "cr.fsgsbase", "SDM 2B WRFSBASE",
     "wrfsbase and rdfsbase work in user mode with CR4.FSGSBASE and are #UD without")
{
	struct user_run run;

	NEED(FSGSBASE);
	user_with_cr4(&run, user_wrfsbase, 0, CR4_FSGSBASE);
	EXPECT_TRAP(run, TRAP_UD, 0);
	user_with_cr4(&run, user_wrfsbase, CR4_FSGSBASE, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax, USER_DATA);
	EXPECT_EQ(cpu_rdmsr(MSR_FS_BASE), USER_DATA);
	return FACT_PASS;
}

/* ---- CR8 --------------------------------------------------------------------------------------- */

FACT(cr8_tpr, "cr.cr8.tpr", "SDM 3A 11.8.6.1", "CR8 is bits 7:4 of the local APIC's TPR, both ways")
{
	NEED(APIC);
	cpu_write_cr8(9);
	EXPECT_EQ(apic_read(APIC_TPR), 0x90);
	apic_write(APIC_TPR, 0x30);
	EXPECT_EQ(cpu_read_cr8(), 3);
	return FACT_PASS;
}

#define LOW_VECTOR 0x4f
#define HIGH_VECTOR 0x50

static uint64_t taken(unsigned vector)
{
	return READ_ONCE(this_cpu()->irq_count[vector]);
}

/* CR8 is never written with an interrupt pending and IF = 0: a software SVM dies of that. */
FACT(cr8_masks, "cr.cr8.masks", "SDM 3A 11.8.3.1",
     "CR8 = n holds back vectors of class n, which come when CR8 falls; class n + 1 comes at once")
{
	uint64_t low = taken(LOW_VECTOR), held;

	cpu_write_cr8(LOW_VECTOR >> 4);
	irq_send(LOW_VECTOR, BIT(this_cpu()->index));
	EXPECT(self_interrupt(HIGH_VECTOR), "the vector of the higher class did not come");
	time_spin_us(1000);
	held = taken(LOW_VECTOR);
	cpu_write_cr8((LOW_VECTOR >> 4) - 1);
	time_spin_us(1000);
	EXPECT_EQ(held, low);
	EXPECT_EQ(taken(LOW_VECTOR), low + 1);
	return FACT_PASS;
}

/* ---- the interrupt flag ------------------------------------------------------------------------ */

static unsigned if_is_not(uint64_t wanted)
{
	return (cpu_save_flags() & FLAG_IF) != wanted;
}

/* Writes each control register with its own value; a bit for each after which IF is not IF_WANTED. */
static unsigned writes_that_lose(uint64_t if_wanted)
{
	unsigned lost = 0;

	cpu_write_cr0(cpu_read_cr0());
	lost |= if_is_not(if_wanted) << 0;
	cpu_write_cr2(0);
	lost |= if_is_not(if_wanted) << 2;
	cpu_write_cr3(cpu_read_cr3());
	lost |= if_is_not(if_wanted) << 3;
	cpu_write_cr4(cpu_read_cr4());
	lost |= if_is_not(if_wanted) << 4;
	cpu_write_cr8(cpu_read_cr8());
	lost |= if_is_not(if_wanted) << 8;
	return lost;
}

FACT(keeps_if_clear, "cr.keeps.if_clear", "SDM 2B MOV CR",
     "writes to control registers leave interrupts off")
{
	unsigned lost;

	cpu_cli();
	lost = writes_that_lose(0);
	EXPECT(!lost, "registers %x (bit n: CRn) switched interrupts on", lost);
	return FACT_PASS;
}

FACT(keeps_if_set, "cr.keeps.if_set", "SDM 2B MOV CR",
     "writes to control registers leave interrupts on")
{
	unsigned lost;

	cpu_sti();
	lost = writes_that_lose(FLAG_IF);
	EXPECT(!lost, "registers %x (bit n: CRn) switched interrupts off", lost);
	return FACT_PASS;
}

/* ---- one CPU's registers are its own ----------------------------------------------------------- */

static void change_cr(void *argument)
{
	uint64_t *seen = argument;
	uint64_t cr0 = cpu_read_cr0(), cr4 = cpu_read_cr4();

	cpu_write_cr0(cr0 | CR0_TS | CR0_AM);
	cpu_write_cr4(cr4 | CR4_TSD);
	cpu_write_cr2(0x777);
	seen[0] = cpu_read_cr0() & (CR0_TS | CR0_AM);
	seen[1] = cpu_read_cr4() & CR4_TSD;
	if (!this_cpu()->index) {
		cpu_write_cr0(cr0);
		cpu_write_cr4(cr4);
	}
}

static void change_back(void *argument)
{
	const uint64_t *old = argument;

	cpu_write_cr0(old[0]);
	cpu_write_cr4(old[1]);
}

FACT(cr_per_cpu, "cr.per_cpu", "SDM 3A 9.7.1",
     "control registers changed on another CPU stay as they were here")
{
	uint64_t old[2] = { cpu_read_cr0(), cpu_read_cr4() }, seen[2], here[2];

	smp_run(other_cpu(), change_cr, seen);
	here[0] = cpu_read_cr0();
	here[1] = cpu_read_cr4();
	smp_run(other_cpu(), change_back, old);
	EXPECT_EQ(here[0], old[0]);
	EXPECT_EQ(here[1], old[1]);
	EXPECT_EQ(seen[0], CR0_TS | CR0_AM);
	EXPECT_EQ(seen[1], CR4_TSD);
	return FACT_PASS;
}
