/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about exceptions in kernel mode: vector, error code, and the saved RIP. */
#include "cpu.h"
#include "fact.h"
#include "probe.h"

#define FAULT_AT(caught, name) EXPECT_EQ((caught).frame.rip, (uint64_t)name##_at)

SNIPPET(snip_div_zero, "xor %ecx, %ecx\nmov $1, %eax\nxor %edx, %edx\nsnip_div_zero_at: div %ecx");

FACT(de_zero, "exception.de.zero", "SDM 3A 6.15 #DE", "division by zero is #DE at the instruction")
{
	struct trap_catch caught;

	trap_try(&caught, snip_div_zero, 0);
	EXPECT_TRAP(caught, TRAP_DE, 0);
	FAULT_AT(caught, snip_div_zero);
	return FACT_PASS;
}

SNIPPET(snip_idiv, "mov $1, %ecx\nneg %ecx\nmov $0x80000000, %eax\ncltd\nsnip_idiv_at: idiv %ecx");

FACT(de_overflow, "exception.de.overflow", "SDM 2A IDIV", "a quotient that does not fit is #DE")
{
	struct trap_catch caught;

	trap_try(&caught, snip_idiv, 0);
	EXPECT_TRAP(caught, TRAP_DE, 0);
	FAULT_AT(caught, snip_idiv);
	return FACT_PASS;
}

SNIPPET(snip_int3, "int3\nsnip_int3_at: nop");

FACT(bp_int3, "exception.bp.int3", "SDM 3A 6.15 #BP", "INT3 is #BP, a trap: RIP is behind it")
{
	struct trap_catch caught;

	trap_try(&caught, snip_int3, 0);
	EXPECT_TRAP(caught, TRAP_BP, 0);
	FAULT_AT(caught, snip_int3);
	return FACT_PASS;
}

SNIPPET(snip_int4, "int $4\nsnip_int4_at: nop");

FACT(of_int4, "exception.of.int4", "SDM 2A INT n", "INT 4 reaches vector 4 with RIP behind it")
{
	struct trap_catch caught;

	trap_try(&caught, snip_int4, 0);
	EXPECT_TRAP(caught, TRAP_OF, 0);
	FAULT_AT(caught, snip_int4);
	return FACT_PASS;
}

SNIPPET(snip_ud2, "snip_ud2_at: ud2");

FACT(ud_ud2, "exception.ud.ud2", "SDM 2B UD", "UD2 is #UD at the instruction")
{
	struct trap_catch caught;

	trap_try(&caught, snip_ud2, 0);
	EXPECT_TRAP(caught, TRAP_UD, 0);
	FAULT_AT(caught, snip_ud2);
	return FACT_PASS;
}

SNIPPET(snip_into, ".byte 0xce");
SNIPPET(snip_push_cs, ".byte 0x0e");
SNIPPET(snip_aaa, ".byte 0x37");
SNIPPET(snip_daa, ".byte 0x27");
SNIPPET(snip_pusha, ".byte 0x60");
SNIPPET(snip_callf, ".byte 0x9a, 0, 0, 0, 0, 0, 0");
SNIPPET(snip_mov_cs, ".byte 0x8e, 0xc8");

FACT(ud_removed, "exception.ud.removed", "SDM 2A INTO, AAA, PUSHA ...",
     "opcodes that 64-bit mode removed, and MOV to CS, are #UD")
{
	static trap_snippet_fn *const removed[] = { snip_into,	snip_push_cs, snip_aaa,	  snip_daa,
						    snip_pusha, snip_callf,   snip_mov_cs };
	struct trap_catch caught;

	for (unsigned i = 0; i < ARRAY_SIZE(removed); i++) {
		trap_try(&caught, removed[i], 0);
		EXPECT(caught.vector == TRAP_UD, "opcode %u of the list: %s", i,
		       fact_vector(caught.vector));
	}
	return FACT_PASS;
}

SNIPPET(snip_fld1, "snip_fld1_at: fld1");

FACT(nm_ts, "exception.nm.ts", "SDM 3A 2.5 CR0.TS", "x87 with CR0.TS is #NM; CLTS ends that")
{
	struct trap_catch caught;

	cpu_write_cr0(cpu_read_cr0() | CR0_TS);
	trap_try(&caught, snip_fld1, 0);
	pvrom_clts();
	EXPECT_TRAP(caught, TRAP_NM, 0);
	FAULT_AT(caught, snip_fld1);
	trap_try(&caught, snip_fld1, 0);
	__asm__ volatile("fninit");
	EXPECT(caught.vector == TRAP_NONE, "%s after clts", fact_vector(caught.vector));
	return FACT_PASS;
}

FACT(nm_em, "exception.nm.em", "SDM 3A 2.5 CR0.EM", "x87 with CR0.EM is #NM")
{
	struct trap_catch caught;
	uint64_t cr0 = cpu_read_cr0();

	cpu_write_cr0(cr0 | CR0_EM);
	trap_try(&caught, snip_fld1, 0);
	cpu_write_cr0(cr0);
	EXPECT_TRAP(caught, TRAP_NM, 0);
	return FACT_PASS;
}

SNIPPET(snip_xorps, "snip_xorps_at: xorps %xmm0, %xmm0");

FACT(ud_sse_em, "exception.ud.sse_em", "SDM 3A 13.1.3", "SSE with CR0.EM is #UD")
{
	struct trap_catch caught;
	uint64_t cr0 = cpu_read_cr0();

	cpu_write_cr0(cr0 | CR0_EM);
	trap_try(&caught, snip_xorps, 0);
	cpu_write_cr0(cr0);
	EXPECT_TRAP(caught, TRAP_UD, 0);
	return FACT_PASS;
}

FACT(nm_sse_ts, "exception.nm.sse_ts", "SDM 3A 13.1.3", "SSE with CR0.TS is #NM")
{
	struct trap_catch caught;

	cpu_write_cr0(cpu_read_cr0() | CR0_TS);
	trap_try(&caught, snip_xorps, 0);
	pvrom_clts();
	EXPECT_TRAP(caught, TRAP_NM, 0);
	return FACT_PASS;
}

SNIPPET(snip_load_ds, "mov %ds, %rax\nsnip_load_ds_at: mov %edi, %ds\nmov %eax, %ds");
SNIPPET(snip_load_ss, "mov %ss, %rax\nsnip_load_ss_at: mov %edi, %ss\nmov %eax, %ss");

#define DATA_NOT_PRESENT 0x00cf13000000ffffull

FACT(np_ds, "exception.np.segment", "SDM 3A 6.15 #NP",
     "loading DS with a segment that is not present is #NP(selector)")
{
	struct trap_catch caught;
	uint16_t selector = percpu_descriptor(0, DATA_NOT_PRESENT);

	trap_try(&caught, snip_load_ds, selector);
	EXPECT_TRAP(caught, TRAP_NP, selector);
	FAULT_AT(caught, snip_load_ds);
	return FACT_PASS;
}

/* #NP twice, which no hypervisor has to intercept: what one injects again loses its history. */
FACT(df_gate, "exception.df.missing_gate", "SDM 3A 6.15 #DF",
     "an #NP whose gate is not present becomes #DF with error code 0, on its own stack")
{
	struct trap_catch caught;
	uint16_t selector = percpu_descriptor(0, DATA_NOT_PRESENT);

	trap_gate(TRAP_NP, 0x0e, 0);
	trap_try(&caught, snip_load_ds, selector);
	trap_gate(TRAP_NP, 0x8e, 0);
	EXPECT_TRAP(caught, TRAP_DF, 0);
	return FACT_PASS;
}

FACT(ss_np, "exception.ss.not_present", "SDM 3A 6.15 #SS",
     "loading SS with a segment that is not present is #SS(selector)")
{
	struct trap_catch caught;
	uint16_t selector = percpu_descriptor(0, DATA_NOT_PRESENT);

	trap_try(&caught, snip_load_ss, selector);
	EXPECT_TRAP(caught, TRAP_SS, selector);
	return FACT_PASS;
}

FACT(gp_canonical, "exception.gp.canonical", "SDM 1 3.3.7.1",
     "a data reference to a non-canonical address is #GP(0)")
{
	struct trap_catch caught;

	trap_try(&caught, probe_read, 0x800000000000);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	FAULT_AT(caught, probe_read);
	trap_try(&caught, probe_write, 0xffff7fffffffffff);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	return FACT_PASS;
}

FACT(gp_canonical_jump, "exception.gp.canonical_jump", "SDM 2A JMP, CALL",
     "a call of a non-canonical address is #GP(0)")
{
	struct trap_catch caught;

	trap_try(&caught, probe_call, 0x800000000000);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	return FACT_PASS;
}

FACT(gp_limit, "exception.gp.gdt_limit", "SDM 3A 6.15 #GP",
     "a selector beyond the GDT's limit is #GP(selector)")
{
	struct trap_catch caught;

	trap_try(&caught, snip_load_ds, 0xff8);
	EXPECT_TRAP(caught, TRAP_GP, 0xff8);
	return FACT_PASS;
}

FACT(gp_code_ss, "exception.gp.code_in_ss", "SDM 2B MOV",
     "loading SS with a code segment is #GP(selector)")
{
	struct trap_catch caught;

	trap_try(&caught, snip_load_ss, SEL_KCODE);
	EXPECT_TRAP(caught, TRAP_GP, SEL_KCODE);
	return FACT_PASS;
}

FACT(gp_ss_dpl, "exception.gp.ss_dpl", "SDM 2B MOV",
     "loading SS at CPL 0 with a segment of DPL 3 is #GP(selector)")
{
	struct trap_catch caught;

	trap_try(&caught, snip_load_ss, SEL_UDATA);
	EXPECT_TRAP(caught, TRAP_GP, SEL_UDATA);
	return FACT_PASS;
}

FACT(gp_ldt_null, "exception.gp.ldt_null", "SDM 3A 6.13",
     "a selector into an LDT that is not there is #GP(selector with TI)")
{
	struct trap_catch caught;

	trap_try(&caught, snip_load_ds, 0x0c);
	EXPECT_TRAP(caught, TRAP_GP, 0x0c);
	return FACT_PASS;
}

SNIPPET(snip_movaps, "snip_movaps_at: movaps 8(%rdi), %xmm0");

FACT(gp_movaps, "exception.gp.movaps", "SDM 2B MOVAPS", "a misaligned MOVAPS is #GP(0)")
{
	static uint64_t words[4] __attribute__((aligned(16)));
	struct trap_catch caught;

	trap_try(&caught, snip_movaps, (uint64_t)words);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	FAULT_AT(caught, snip_movaps);
	return FACT_PASS;
}

SNIPPET(snip_x87_zero, "fninit\n"
		       "pushq $0x37b\nfldcw (%rsp)\npop %rax\n" /* zero-divide unmasked */
		       "fld1\nfldz\nfdivrp\n"
		       "snip_x87_zero_at: fwait");

FACT(mf_zero, "exception.mf.fwait", "SDM 3A 6.15 #MF",
     "an unmasked x87 zero-divide is #MF at the next waiting instruction")
{
	struct trap_catch caught;

	trap_try(&caught, snip_x87_zero, 0);
	__asm__ volatile("fninit");
	EXPECT_TRAP(caught, TRAP_MF, 0);
	FAULT_AT(caught, snip_x87_zero);
	return FACT_PASS;
}

SNIPPET(snip_registers, "mov %rdi, %r11\nmov %rdi, %rcx\nnot %rcx\nsnip_registers_at: ud2");

FACT(frame_registers, "exception.frame.registers", "SDM 3A 6.14",
     "the handler finds registers, CS, SS and RSP as they were")
{
	struct trap_catch caught;

	trap_try(&caught, snip_registers, 0x1122334455667788);
	EXPECT_EQ(caught.frame.r11, 0x1122334455667788);
	EXPECT_EQ(caught.frame.rcx, ~0x1122334455667788ull);
	EXPECT_EQ(caught.frame.cs, SEL_KCODE);
	EXPECT_EQ(caught.frame.ss, SEL_KDATA);
	EXPECT_EQ(caught.frame.rsp, caught.rsp - 8);
	return FACT_PASS;
}

static uint64_t frame_rsp;

static void note_frame(struct trap_frame *frame)
{
	frame_rsp = (uint64_t)(&frame->ss + 1);
}

SNIPPET(snip_int30, "int $0x30");
SNIPPET(snip_int30_odd, "sub $8, %rsp\nint $0x30\nadd $8, %rsp");

FACT(frame_aligned, "exception.frame.aligned", "SDM 3A 6.14.2",
     "the stack is aligned to 16 bytes before a frame is pushed")
{
	irq_set(VECTOR_SOFTWARE, note_frame);
	snip_int30(0);
	EXPECT_EQ(frame_rsp & 15, 0);
	snip_int30_odd(0);
	EXPECT_EQ(frame_rsp & 15, 0);
	irq_set(VECTOR_SOFTWARE, NULL);
	return FACT_PASS;
}

static uint64_t flags_inside;

static void note_flags(struct trap_frame *frame)
{
	(void)frame;
	flags_inside = cpu_save_flags();
}

FACT(gate_if, "exception.gate.interrupt", "SDM 3A 6.12.1.3",
     "an interrupt gate clears IF and TF in the handler; IRET brings IF back")
{
	irq_set(VECTOR_SOFTWARE, note_flags);
	snip_int30(0);
	irq_set(VECTOR_SOFTWARE, NULL);
	EXPECT_EQ(flags_inside & (FLAG_IF | FLAG_TF | FLAG_NT | FLAG_RF), 0);
	EXPECT_EQ(cpu_save_flags() & FLAG_IF, FLAG_IF);
	return FACT_PASS;
}

FACT(gate_trap, "exception.gate.trap", "SDM 3A 6.12.1.3", "a trap gate leaves IF as it was")
{
	irq_set(VECTOR_SOFTWARE, note_flags);
	trap_gate(VECTOR_SOFTWARE, 0x8f, 0);
	snip_int30(0);
	trap_gate(VECTOR_SOFTWARE, 0x8e, 0);
	irq_set(VECTOR_SOFTWARE, NULL);
	EXPECT_EQ(flags_inside & FLAG_IF, FLAG_IF);
	return FACT_PASS;
}
