/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the manuals say and known software CPUs do not do. Printed apart as
 * "# quirk: name conforms" or "deviates"; which machine is expected to do what
 * stands in the test's own table. At most ten.
 */
#include "cpu.h"
#include "fact.h"
#include "probe.h"

SNIPPET(snip_int_far, "int $0x3f");

QUIRK(idt_error_code, "int.error_code", "SDM 3A 6.13",
      "INT n beyond the IDT's limit is #GP(n * 8 + 2)")
{
	struct table_pointer small = { .limit = 0x3f * 16 - 1, .base = (uint64_t)trap_idt };
	struct trap_catch caught;

	cpu_cli();
	cpu_lidt(&small);
	trap_try(&caught, snip_int_far, 0);
	traps_load();
	EXPECT_TRAP(caught, TRAP_GP, 0x3f * 8 + 2);
	return FACT_PASS;
}

SNIPPET(snip_stack_read, "push %rbp\nmov %rdi, %rbp\nmov (%rbp), %rax\npop %rbp");

QUIRK(ss_canonical, "ss.canonical", "SDM 3A 6.15 #SS",
      "a stack reference to a non-canonical address is #SS(0)")
{
	struct trap_catch caught;

	trap_try(&caught, snip_stack_read, 0x800000000000);
	EXPECT_TRAP(caught, TRAP_SS, 0);
	return FACT_PASS;
}

/* The word that MXCSR is loaded from; not below RSP, where an interrupt would write. */
static uint32_t mxcsr_word __attribute__((used));
static const uint32_t one_float __attribute__((used)) = 0x3f800000;
#define MXCSR_DEFAULT 0x1f80
#define MXCSR_ZERO_DIVIDE_UNMASKED 0x1d80

SNIPPET(snip_sse_zero, "mov %edi, mxcsr_word\nldmxcsr mxcsr_word\n"
		       "movss one_float, %xmm0\nxorps %xmm1, %xmm1\ndivss %xmm1, %xmm0");
SNIPPET(snip_ldmxcsr, "mov %edi, mxcsr_word\nldmxcsr mxcsr_word");

QUIRK(sse_exceptions, "sse.exceptions", "SDM 3A 6.15 #XM, SDM 2A LDMXCSR",
      "an unmasked SSE zero-divide is #XM, a reserved bit of MXCSR #GP(0)")
{
	struct trap_catch caught;

	trap_try(&caught, snip_sse_zero, MXCSR_ZERO_DIVIDE_UNMASKED);
	snip_ldmxcsr(MXCSR_DEFAULT);
	EXPECT_TRAP(caught, TRAP_XM, 0);
	trap_try(&caught, snip_ldmxcsr, BIT(16));
	snip_ldmxcsr(MXCSR_DEFAULT);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	return FACT_PASS;
}

static void write_unknown_msr(uint64_t value)
{
	cpu_wrmsr(0x4ff, value);
}

static void read_unknown_msr(uint64_t argument)
{
	(void)argument;
	cpu_rdmsr(0x4ff);
}

QUIRK(msr_unknown, "msr.unknown", "SDM 2B RDMSR, WRMSR", "an MSR that does not exist is #GP(0)")
{
	struct trap_catch caught;

	trap_try(&caught, read_unknown_msr, 0);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	trap_try(&caught, write_unknown_msr, 0);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	return FACT_PASS;
}

static const uint64_t *msr_pair;

/* Writes the value and, where the CPU took it, the old one again. */
static void write_msr_pair(uint64_t old)
{
	cpu_wrmsr((uint32_t)msr_pair[0], msr_pair[1]);
	cpu_wrmsr((uint32_t)msr_pair[0], old);
}

static enum verdict expect_msr_refused(const uint64_t *pairs, unsigned count)
{
	struct trap_catch caught;

	for (unsigned i = 0; i < count; i++) {
		msr_pair = pairs + 2 * i;
		trap_try(&caught, write_msr_pair, cpu_rdmsr((uint32_t)msr_pair[0]));
		EXPECT(caught.vector == TRAP_GP, "MSR %lx took %lx", msr_pair[0], msr_pair[1]);
	}
	return FACT_PASS;
}

QUIRK(msr_reserved, "msr.reserved_bits", "SDM 2B WRMSR",
      "a reserved bit of EFER or a reserved memory type in PAT is #GP(0)")
{
	static const uint64_t pairs[] = { MSR_EFER,
					  BIT(1) | EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE,
					  MSR_PAT, 0x0007040600070402 };

	return expect_msr_refused(pairs, 2);
}

QUIRK(msr_canonical, "msr.canonical", "SDM 2B WRMSR", "a non-canonical FS_BASE or LSTAR is #GP(0)")
{
	static const uint64_t pairs[] = { MSR_FS_BASE, 0x0080000000000000, MSR_LSTAR,
					  0x0080000000000000 };

	return expect_msr_refused(pairs, 2);
}

QUIRK(paging_reserved, "paging.reserved", "SDM 3A 4.7",
      "a reserved bit in an entry is #PF with error code 9 on a read")
{
	struct trap_catch caught;

	probe_page(1, PTE_P | PTE_W | PTE_NX);
	*paging_entry(paging_root, probe_va(1), 2) |= BIT(51);
	cpu_invlpg((void *)probe_va(1));
	trap_try(&caught, probe_read, probe_va(1));
	*paging_entry(paging_root, probe_va(1), 2) &= ~BIT(51);
	cpu_invlpg((void *)probe_va(1));
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_RSVD);
	return FACT_PASS;
}

SNIPPET(snip_lock, "push %rdi\n.byte 0xf0\nmov %rdi, (%rsp)\npop %rdi");

QUIRK(lock_mov, "lock.mov", "SDM 2A LOCK", "LOCK on an instruction that takes none is #UD")
{
	struct trap_catch caught;

	trap_try(&caught, snip_lock, 0);
	EXPECT_TRAP(caught, TRAP_UD, 0);
	return FACT_PASS;
}

static void write_cr0_high(uint64_t cr0)
{
	cpu_write_cr0(cr0 | BIT(63));
	cpu_write_cr0(cr0);
}

static void write_cr8_high(uint64_t cr8)
{
	cpu_write_cr8(cr8 | 0x10);
	cpu_write_cr8(cr8);
}

QUIRK(cr_reserved, "cr.reserved_bits", "SDM 2B MOV to control registers",
      "a reserved high bit of CR0, or one of CR8, is #GP(0)")
{
	struct trap_catch caught;

	trap_try(&caught, write_cr0_high, cpu_read_cr0());
	EXPECT_TRAP(caught, TRAP_GP, 0);
	trap_try(&caught, write_cr8_high, 0);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	return FACT_PASS;
}

USER_CODE(user_misaligned, "pushfq\norl $0x40000, (%rsp)\npopfq\nmov 1(%rdi), %rax");

QUIRK(ac_user, "ac.user", "SDM 3A 6.15 #AC",
      "a misaligned access in user mode with CR0.AM and RFLAGS.AC is #AC(0)")
{
	struct user_run run;
	uint64_t cr0 = cpu_read_cr0();

	cpu_write_cr0(cr0 | CR0_AM);
	user_call(&run, user_misaligned, USER_DATA, 0, 0);
	cpu_write_cr0(cr0);
	EXPECT_TRAP(run, TRAP_AC, 0);
	return FACT_PASS;
}
