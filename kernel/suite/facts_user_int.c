/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about the ways from user mode to the kernel by interrupts, and back by IRET and far returns. */
#include "fact_tools.h"
#include "irq.h"

#define INT_VECTOR 0x31
#define GATE_INTERRUPT_DPL3 0xee
#define GATE_INTERRUPT_DPL0 0x8e

/* ---- interrupts from user mode ----------------------------------------------------------------- */

/* What a handler saw when it was called. */
static struct seen {
	unsigned count;
	uint64_t cs, ss, flags, frame, rsp0;
	struct trap_frame at;
} seen;

static void look_around(struct trap_frame *frame)
{
	seen.count++;
	seen.flags = cpu_save_flags();
	seen.frame = (uint64_t)frame;
	seen.rsp0 = this_cpu()->tss.rsp[0];
	seen.at = *frame;
	__asm__ volatile("mov %%cs, %0\n\tmov %%ss, %1" : "=r"(seen.cs), "=r"(seen.ss));
}

USER_CODE(user_int, "int $0x31\nmov $0x77, %eax");
USER_CODE(user_int3, "int3\nmov $0x77, %eax");

static void int_from_user(struct user_run *run, uint8_t gate, uint8_t ist)
{
	seen = (struct seen){ 0 };
	irq_set(INT_VECTOR, look_around);
	trap_gate(INT_VECTOR, gate, ist);
	user_call(run, user_int, 0, 0, 0);
	trap_gate(INT_VECTOR, GATE_INTERRUPT_DPL0, 0);
	irq_set(INT_VECTOR, NULL);
}

/* The rest of the error code is the quirk int.error_code. */
FACT(int_dpl0, "user.int.dpl0", "SDM 3A 6.12.1.2",
     "INT n in user mode through a gate of DPL 0 is #GP with the IDT bit in its error code")
{
	struct user_run run;

	int_from_user(&run, GATE_INTERRUPT_DPL0, 0);
	EXPECT(run.vector == TRAP_GP && (run.error & 7) == 2, "%s, error %lx",
	       fact_vector(run.vector), run.error);
	EXPECT_EQ(run.frame.rip, user_address(user_int));
	EXPECT_EQ(seen.count, 0);
	return FACT_PASS;
}

FACT(int_dpl3, "user.int.dpl3", "SDM 3A 6.12.1.2",
     "through a gate of DPL 3 it calls the handler and goes on behind it")
{
	struct user_run run;

	int_from_user(&run, GATE_INTERRUPT_DPL3, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(seen.count, 1);
	EXPECT_EQ(seen.at.rip, user_address(user_int) + 2);
	EXPECT_EQ(run.frame.rax, 0x77);
	return FACT_PASS;
}

FACT(int_frame, "user.int.frame", "SDM 3A 6.14.2",
     "the frame of a trap from user mode has its SS, RSP, RFLAGS and CS")
{
	struct user_run run;

	int_from_user(&run, GATE_INTERRUPT_DPL3, 0);
	EXPECT_EQ(seen.at.ss, SEL_UDATA | 3);
	EXPECT_EQ(seen.at.cs, SEL_UCODE | 3);
	EXPECT_EQ(seen.at.rsp, USER_STACK_TOP - 64);
	EXPECT_EQ(seen.at.rflags & (FLAG_IF | FLAG_IOPL | 2), FLAG_IF | 2);
	return FACT_PASS;
}

FACT(int_rsp0, "user.int.rsp0", "SDM 3A 8.7",
     "a trap from user mode begins its stack at the TSS's RSP0")
{
	struct user_run run;

	int_from_user(&run, GATE_INTERRUPT_DPL3, 0);
	EXPECT_EQ(seen.frame + sizeof(struct trap_frame), seen.rsp0);
	return FACT_PASS;
}

FACT(int_segments, "user.int.segments", "SDM 3A 6.14.4",
     "the handler of a trap from user mode has CS from the gate, a null SS, and IF = 0")
{
	struct user_run run;

	int_from_user(&run, GATE_INTERRUPT_DPL3, 0);
	EXPECT_EQ(seen.cs, SEL_KCODE);
	EXPECT_EQ(seen.ss & 0xffff, 0);
	EXPECT_EQ(seen.flags & FLAG_IF, 0);
	return FACT_PASS;
}

static uint64_t ist_begin(unsigned ist)
{
	return this_cpu()->tss.ist[ist - 1];
}

FACT(int_ist, "user.int.ist", "SDM 3A 6.14.5",
     "a gate with an IST number uses that stack, from user mode")
{
	struct user_run run;

	int_from_user(&run, GATE_INTERRUPT_DPL3, IST_DF);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(seen.frame + sizeof(struct trap_frame), ist_begin(IST_DF));
	return FACT_PASS;
}

SNIPPET(snippet_int, "int $0x31");

FACT(kernel_ist, "user.int.ist_kernel", "SDM 3A 6.14.5",
     "a gate with an IST number uses that stack, from the kernel too, and keeps SS and RSP")
{
	seen = (struct seen){ 0 };
	irq_set(INT_VECTOR, look_around);
	trap_gate(INT_VECTOR, GATE_INTERRUPT_DPL0, IST_DF);
	snippet_int(0);
	trap_gate(INT_VECTOR, GATE_INTERRUPT_DPL0, 0);
	irq_set(INT_VECTOR, NULL);
	EXPECT_EQ(seen.frame + sizeof(struct trap_frame), ist_begin(IST_DF));
	EXPECT_EQ(seen.at.ss, SEL_KDATA);
	EXPECT(seen.at.rsp != ist_begin(IST_DF), "the old stack pointer was lost");
	return FACT_PASS;
}

static uint64_t outer_frame, inner_frame, inner_ss;

static void inner(struct trap_frame *frame)
{
	inner_frame = (uint64_t)frame;
	inner_ss = frame->ss;
}

static void outer(struct trap_frame *frame)
{
	outer_frame = (uint64_t)frame;
	snippet_int(0);
}

USER_CODE(user_int30, "int $0x30\nmov $0x77, %eax");

FACT(int_nested, "user.int.nested", "SDM 3A 6.14.4",
     "a trap in the handler stays on its stack, saves the null SS, and iret takes that")
{
	struct user_run run;

	irq_set(0x30, outer);
	irq_set(INT_VECTOR, inner);
	trap_gate(0x30, GATE_INTERRUPT_DPL3, 0);
	user_call(&run, user_int30, 0, 0, 0);
	trap_gate(0x30, GATE_INTERRUPT_DPL0, 0);
	irq_set(0x30, NULL);
	irq_set(INT_VECTOR, NULL);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax, 0x77);
	EXPECT(inner_frame < outer_frame && outer_frame - inner_frame < 4096,
	       "frames at %lx and %lx", outer_frame, inner_frame);
	EXPECT_EQ(inner_ss & 0xffff, 0);
	return FACT_PASS;
}

FACT(int3_user, "user.int3", "SDM 3A 6.15 #BP", "int3 in user mode is #BP with RIP behind it")
{
	struct user_run run;

	user_call(&run, user_int3, 0, 0, 0);
	EXPECT_TRAP(run, TRAP_BP, 0);
	EXPECT_EQ(run.frame.rip, user_address(user_int3) + 1);
	return FACT_PASS;
}

USER_CODE(user_bad_rsp, "mov %rdi, %rsp");

FACT(bad_rsp, "user.int.bad_rsp", "SDM 3A 6.14.4",
     "whatever user mode has in RSP does not matter to a trap, and is saved")
{
	struct user_run run;

	user_call(&run, user_bad_rsp, 0x8000000000000001, 0, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rsp, 0x8000000000000001);
	return FACT_PASS;
}

USER_CODE(user_flags, "std\nstc\nint $0x31\npushf\npop %rax\ncld");

FACT(flags_kept, "user.int.flags", "SDM 2A IRET",
     "iret brings back the flags of user mode: DF and CF")
{
	struct user_run run;

	irq_set(INT_VECTOR, look_around);
	trap_gate(INT_VECTOR, GATE_INTERRUPT_DPL3, 0);
	user_call(&run, user_flags, 0, 0, 0);
	trap_gate(INT_VECTOR, GATE_INTERRUPT_DPL0, 0);
	irq_set(INT_VECTOR, NULL);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax & (FLAG_CF | FLAG_DF | FLAG_IF), FLAG_CF | FLAG_DF | FLAG_IF);
	return FACT_PASS;
}

USER_CODE(user_wait, "1: pause\ncmpl $0, (%rdi)\nje 1b");

static void release_user(struct trap_frame *frame)
{
	look_around(frame);
	*(uint32_t *)user_alias(USER_DATA) = 1;
}

FACT(irq_pending, "user.irq.pending", "SDM 3A 6.8.1",
     "an interrupt that waits with IF = 0 comes as soon as iret has gone to user mode with IF = 1")
{
	struct user_run run;

	seen = (struct seen){ 0 };
	irq_set(VECTOR_FIRST_FREE, release_user);
	*(uint32_t *)user_alias(USER_DATA) = 0;
	cpu_cli();
	irq_send(VECTOR_FIRST_FREE, BIT(this_cpu()->index));
	user_call(&run, user_wait, USER_DATA, 0, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(seen.count, 1);
	EXPECT_EQ(seen.at.cs, SEL_UCODE | 3);
	return FACT_PASS;
}

/* ---- IRET and far returns of user mode --------------------------------------------------------- */

/* SMAP is off meanwhile: a software CPU reads the user's stack with the kernel's rights here. */
static void call_without_smap(struct user_run *run, const char *code, uint64_t a, uint64_t b)
{
	uint64_t cr4 = cpu_read_cr4();

	cpu_write_cr4(cr4 & ~CR4_SMAP);
	user_call(run, code, a, b, 0);
	cpu_write_cr4(cr4);
}

USER_CODE(user_iret, "mov %rsp, %rcx\nmov %ss, %eax\npush %rax\npush %rcx\npush %rdi\npush %rsi\n"
		     "lea 1f(%rip), %rax\npush %rax\nmov $0, %eax\niretq\n"
		     "1: pushf\npop %rax");

FACT(iret_same, "user.iret.same_level", "SDM 2A IRET",
     "iret within user mode works, and leaves IF and IOPL alone")
{
	struct user_run run;

	call_without_smap(&run, user_iret, FLAG_IOPL | FLAG_CF | 2, SEL_UCODE | 3);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax & (FLAG_IF | FLAG_IOPL | FLAG_CF), FLAG_IF | FLAG_CF);
	return FACT_PASS;
}

FACT(iret_inward, "user.iret.to_kernel", "SDM 2A IRET",
     "iret from user mode to the kernel's code segment is #GP with its selector")
{
	struct user_run run;

	call_without_smap(&run, user_iret, 2, SEL_KCODE);
	EXPECT_TRAP(run, TRAP_GP, SEL_KCODE);
	return FACT_PASS;
}

USER_CODE(user_lret, "push %rsi\nlea 1f(%rip), %rax\npush %rax\nlretq\n1:");

FACT(lret_inward, "user.lret.to_kernel", "SDM 2B RET",
     "so is a far return; one to its own segment works")
{
	struct user_run run;

	call_without_smap(&run, user_lret, 0, SEL_UCODE | 3);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	call_without_smap(&run, user_lret, 0, SEL_KCODE);
	EXPECT_TRAP(run, TRAP_GP, SEL_KCODE);
	return FACT_PASS;
}
