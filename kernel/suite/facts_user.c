/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about user mode: what it may not do, how it comes to the kernel, and how it goes back. */
#include "fact_tools.h"
#include "irq.h"

#define INT_VECTOR 0x31
#define GATE_INTERRUPT_DPL3 0xee
#define GATE_INTERRUPT_DPL0 0x8e
#define PORT 0x80 /* power-on diagnostics: harmless on every machine */

/* ---- privileged instructions ------------------------------------------------------------------- */

static enum verdict refused(const char *code)
{
	struct user_run run;

	user_call(&run, code, USER_DATA, 0, 0);
	EXPECT_TRAP(run, TRAP_GP, 0);
	EXPECT_EQ(run.frame.rip, user_address(code));
	return FACT_PASS;
}

#define REFUSED_FACT(id, text)                                                                     \
	USER_CODE(user_refused_##id, text);                                                        \
	FACT(refused_##id, "user.refused." #id, "SDM 3A 5.9", text " in user mode is #GP(0)")      \
	{                                                                                          \
		return refused(user_refused_##id);                                                 \
	}
REFUSED_FACT(hlt, "hlt")
REFUSED_FACT(mov_to_cr3, "mov %rax, %cr3")
REFUSED_FACT(wrmsr, "wrmsr")
REFUSED_FACT(lgdt, "lgdt (%rdi)")
REFUSED_FACT(lidt, "lidt (%rdi)")
REFUSED_FACT(invlpg, "invlpg (%rdi)")
REFUSED_FACT(clts, "clts")
REFUSED_FACT(wbinvd, "wbinvd")

USER_CODE(user_read_cr0, "mov %cr0, %rax");
USER_CODE(user_read_cr4, "mov %cr4, %rax");
USER_CODE(user_read_cr8, "mov %cr8, %rax");
USER_CODE(user_write_cr8, "mov %rax, %cr8");
USER_CODE(user_read_dr7, "mov %dr7, %rax");
USER_CODE(user_write_dr0, "mov %rax, %dr0");

static enum verdict all_refused(const char *const *codes, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (refused(codes[i]) != FACT_PASS)
			return fact_fail("instruction %u of the list is not refused", i);
	return FACT_PASS;
}

FACT(refused_registers, "user.refused.registers", "SDM 3A 5.9",
     "user mode can neither read nor write control and debug registers: #GP(0)")
{
	static const char *const codes[] = { user_read_cr0,  user_read_cr4, user_read_cr8,
					     user_write_cr8, user_read_dr7, user_write_dr0 };

	return all_refused(codes, ARRAY_SIZE(codes));
}

USER_CODE(user_rdmsr, "rdmsr");
USER_CODE(user_lldt, "lldt %ax");
USER_CODE(user_ltr, "ltr %ax");
USER_CODE(user_lmsw, "lmsw %ax");
USER_CODE(user_swapgs, "swapgs");
USER_CODE(user_sysret, "sysretq");
USER_CODE(user_invd, "invd");

FACT(refused_system, "user.refused.system", "SDM 3A 5.9",
     "rdmsr, lldt, ltr, lmsw, swapgs, sysret and invd in user mode are #GP(0)")
{
	static const char *const codes[] = { user_rdmsr,  user_lldt,   user_ltr, user_lmsw,
					     user_swapgs, user_sysret, user_invd };

	return all_refused(codes, ARRAY_SIZE(codes));
}

/* ---- IOPL and the I/O permission map ----------------------------------------------------------- */

USER_CODE(user_cli, "cli");
USER_CODE(user_sti, "sti");
USER_CODE(user_in, "mov %edi, %edx\nin %dx, %al");
USER_CODE(user_in16, "mov %edi, %edx\nin %dx, %ax");
USER_CODE(user_out, "mov %edi, %edx\nout %al, %dx");

FACT(iopl0_cli, "user.iopl0.cli", "SDM 2A CLI", "cli and sti at IOPL 0 are #GP(0)")
{
	return refused(user_cli) == FACT_PASS ? refused(user_sti) : FACT_FAIL;
}

static uint64_t call_with_iopl3(struct user_run *run, const char *code, uint64_t argument)
{
	user_prepare(run, code, argument, 0, 0);
	run->frame.rflags |= FLAG_IOPL;
	return user_go(run);
}

USER_CODE(user_cli_sti, "cli\npushf\npop %rax\nsti\npushf\npop %rdx");

FACT(iopl3_cli, "user.iopl3.cli", "SDM 2A CLI",
     "at IOPL 3 they change IF, and iret gives user mode IOPL 3")
{
	struct user_run run;

	call_with_iopl3(&run, user_cli_sti, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax & (FLAG_IF | FLAG_IOPL), FLAG_IOPL);
	EXPECT_EQ(run.frame.rdx & (FLAG_IF | FLAG_IOPL), FLAG_IOPL | FLAG_IF);
	return FACT_PASS;
}

USER_CODE(user_popf, "push %rdi\npopf\npushf\npop %rax");

FACT(iopl0_popf, "user.iopl0.popf", "SDM 2B POPF",
     "popf at IOPL 0 silently leaves IF and IOPL alone")
{
	struct user_run run;

	user_call(&run, user_popf, FLAG_IOPL | FLAG_CF | 2, 0, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax & (FLAG_IF | FLAG_IOPL | FLAG_CF), FLAG_IF | FLAG_CF);
	return FACT_PASS;
}

FACT(iopl3_popf, "user.iopl3.popf", "SDM 2B POPF",
     "popf in user mode at IOPL 3 changes IF and cannot change IOPL")
{
	struct user_run run;

	call_with_iopl3(&run, user_popf, FLAG_CF | 2);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax & (FLAG_IF | FLAG_IOPL | FLAG_CF), FLAG_IOPL | FLAG_CF);
	return FACT_PASS;
}

FACT(io_refused, "user.io.refused", "SDM 1 19.5.1",
     "in and out at IOPL 0 without a permission map are #GP(0)")
{
	struct user_run in, out;

	user_call(&in, user_in, PORT, 0, 0);
	user_call(&out, user_out, PORT, 0, 0);
	EXPECT_TRAP(in, TRAP_GP, 0);
	EXPECT_TRAP(out, TRAP_GP, 0);
	return FACT_PASS;
}

FACT(io_iopl3, "user.io.iopl3", "SDM 1 19.5.1", "at IOPL 3 user mode reaches any port")
{
	struct user_run in, out;

	call_with_iopl3(&in, user_in, PORT);
	call_with_iopl3(&out, user_out, PORT);
	EXPECT_TRAP(in, VECTOR_USER_EXIT, 0);
	EXPECT_TRAP(out, VECTOR_USER_EXIT, 0);
	return FACT_PASS;
}

/* Runs CODE with a permission map in which only PORTS ports from PORT on are allowed. */
static void call_with_map(struct user_run *run, const char *code, uint64_t port, unsigned ports)
{
	struct tss *tss = &this_cpu()->tss;

	for (unsigned p = PORT; p < PORT + ports; p++)
		tss->io_bits[p / 8] &= (uint8_t) ~(1u << p % 8);
	tss->io_map = offsetof(struct tss, io_bits);
	user_call(run, code, port, 0, 0);
	tss->io_map = sizeof(*tss);
	memset(tss->io_bits, 0xff, sizeof(tss->io_bits));
}

FACT(io_map_allows, "user.io.map_allows", "SDM 1 19.5.2",
     "a 0 bit in the TSS's map allows its port to user mode")
{
	struct user_run in, out;

	call_with_map(&in, user_in, PORT, 1);
	call_with_map(&out, user_out, PORT, 1);
	EXPECT_TRAP(in, VECTOR_USER_EXIT, 0);
	EXPECT_TRAP(out, VECTOR_USER_EXIT, 0);
	return FACT_PASS;
}

FACT(io_map_refuses, "user.io.map_refuses", "SDM 1 19.5.2",
     "a 1 bit in the map, or a port beyond it, is #GP(0)")
{
	struct user_run run;

	call_with_map(&run, user_in, PORT + 1, 1);
	EXPECT_TRAP(run, TRAP_GP, 0);
	EXPECT_EQ(run.frame.rip, user_address(user_in) + 2);
	call_with_map(&run, user_in, PORT - 1, 1);
	EXPECT_TRAP(run, TRAP_GP, 0);
	call_with_map(&run, user_in, 0xfff0, 1);
	EXPECT_TRAP(run, TRAP_GP, 0);
	return FACT_PASS;
}

FACT(io_map_wide, "user.io.map_wide", "SDM 1 19.5.2",
     "a 16-bit access needs the bits of both its ports")
{
	struct user_run half, whole;

	call_with_map(&half, user_in16, PORT, 1);
	call_with_map(&whole, user_in16, PORT, 2);
	EXPECT_TRAP(half, TRAP_GP, 0);
	EXPECT_TRAP(whole, VECTOR_USER_EXIT, 0);
	return FACT_PASS;
}

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

/* ---- SYSCALL and SYSRET ------------------------------------------------------------------------ */

#define FLAG_ID BIT(21)

/* What the CPU has at the first instruction of LSTAR's target; then the usual entry goes on. */
struct syscall_spy {
	uint64_t rsp, rcx, r11, rax, cs, ss;
};
extern struct syscall_spy facts_spy;
struct syscall_spy facts_spy;
extern const char facts_spy_entry[];
__asm__(".pushsection .text\n"
	".balign 16\n"
	"facts_spy_entry:\n"
	"	mov %rsp, facts_spy\n"
	"	mov %rcx, facts_spy + 8\n"
	"	mov %r11, facts_spy + 16\n"
	"	mov %rax, facts_spy + 24\n"
	"	mov %cs, facts_spy + 32\n"
	"	mov %ss, facts_spy + 40\n"
	"	jmp trap_syscall_entry\n"
	".popsection");

static uint64_t entry_flags;

static bool note_flags(struct user_run *run, struct trap_frame *frame)
{
	(void)run;
	(void)frame;
	entry_flags = cpu_save_flags();
	return false;
}

/* Runs CODE up to its first SYSCALL with SFMASK as it is or with EXTRA bits. */
static void spy_on(struct user_run *run, const char *code, uint64_t extra)
{
	uint64_t lstar = cpu_rdmsr(MSR_LSTAR), sfmask = cpu_rdmsr(MSR_SFMASK);

	facts_spy = (struct syscall_spy){ 0 };
	user_prepare(run, code, FLAG_ID | FLAG_AC | FLAG_DF | FLAG_CF | 2, 0, 0);
	run->on_syscall = note_flags;
	cpu_wrmsr(MSR_LSTAR, (uint64_t)facts_spy_entry);
	cpu_wrmsr(MSR_SFMASK, sfmask | extra);
	user_go(run);
	cpu_wrmsr(MSR_LSTAR, lstar);
	cpu_wrmsr(MSR_SFMASK, sfmask);
}

/* popf loads the flags in RDI; nothing after it changes them. */
USER_CODE(user_syscall_flags, "mov $0x1234, %eax\npush %rdi\npopf\nsyscall");

FACT(syscall_entry, "user.syscall.lstar", "SDM 2B SYSCALL",
     "syscall goes to LSTAR and leaves RSP and RAX as they are")
{
	struct user_run run;

	spy_on(&run, user_syscall_flags, 0);
	EXPECT_TRAP(run, TRAP_SYSCALL, 0);
	EXPECT_EQ(facts_spy.rsp, USER_STACK_TOP - 64);
	EXPECT_EQ(facts_spy.rax, 0x1234);
	return FACT_PASS;
}

/* 5 bytes of mov, 1 of push, 1 of popf, 2 of syscall. */
FACT(syscall_rcx, "user.syscall.rcx", "SDM 2B SYSCALL",
     "syscall puts the address behind it into RCX")
{
	struct user_run run;

	spy_on(&run, user_syscall_flags, 0);
	EXPECT_EQ(facts_spy.rcx, user_address(user_syscall_flags) + 9);
	return FACT_PASS;
}

FACT(syscall_r11, "user.syscall.r11", "SDM 2B SYSCALL", "syscall puts RFLAGS, unmasked, into R11")
{
	struct user_run run;

	spy_on(&run, user_syscall_flags, 0);
	EXPECT_EQ(facts_spy.r11, FLAG_ID | FLAG_AC | FLAG_DF | FLAG_CF | FLAG_IF | 2);
	return FACT_PASS;
}

FACT(syscall_selectors, "user.syscall.selectors", "SDM 2B SYSCALL",
     "syscall takes CS from STAR[47:32] and SS from behind it")
{
	struct user_run run;

	spy_on(&run, user_syscall_flags, 0);
	EXPECT_EQ(facts_spy.cs & 0xffff, SEL_KCODE);
	EXPECT_EQ(facts_spy.ss & 0xffff, SEL_KCODE + 8);
	return FACT_PASS;
}

FACT(syscall_sfmask, "user.syscall.sfmask", "SDM 2B SYSCALL",
     "syscall clears the flags that are set in SFMASK, and no others")
{
	struct user_run run;

	spy_on(&run, user_syscall_flags, 0);
	EXPECT_EQ(entry_flags & (FLAG_ID | FLAG_AC | FLAG_IF), FLAG_ID);
	spy_on(&run, user_syscall_flags, FLAG_ID);
	EXPECT_EQ(entry_flags & (FLAG_ID | FLAG_AC | FLAG_IF), 0);
	EXPECT_EQ(facts_spy.r11 & FLAG_ID, FLAG_ID);
	return FACT_PASS;
}

static bool go_on(struct user_run *run, struct trap_frame *frame)
{
	(void)run;
	(void)frame;
	return true;
}

static uint64_t call_and_return(struct user_run *run, const char *code, uint64_t a, uint64_t b,
				bool (*on_syscall)(struct user_run *, struct trap_frame *))
{
	user_prepare(run, code, a, b, 0);
	run->on_syscall = on_syscall;
	return user_go(run);
}

USER_CODE(user_sysret_selectors, "syscall\nmov %cs, %eax\nmov %ss, %edx");

FACT(sysret_selectors, "user.sysret.selectors", "SDM 2B SYSRET",
     "sysret takes CS from STAR[63:48] + 16 and SS from STAR[63:48] + 8, with RPL 3")
{
	struct user_run run;

	call_and_return(&run, user_sysret_selectors, 0, 0, go_on);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax, SEL_UCODE | 3);
	EXPECT_EQ(run.frame.rdx, SEL_UDATA | 3);
	return FACT_PASS;
}

static bool skip_five(struct user_run *run, struct trap_frame *frame)
{
	(void)run;
	frame->rip += 5;
	return true;
}

USER_CODE(user_sysret_rip, "mov $1, %eax\nsyscall\nmov $2, %eax");

FACT(sysret_rip, "user.sysret.rip", "SDM 2B SYSRET", "sysret goes to the address in RCX")
{
	struct user_run run;

	call_and_return(&run, user_sysret_rip, 0, 0, skip_five);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax, 1);
	return FACT_PASS;
}

static bool change_flags(struct user_run *run, struct trap_frame *frame)
{
	(void)run;
	frame->rflags = FLAG_IF | FLAG_ID | FLAG_DF | FLAG_RF | 2;
	return true;
}

USER_CODE(user_sysret_flags, "stc\nsyscall\npushf\npop %rax\ncld");

FACT(sysret_flags, "user.sysret.flags", "SDM 2B SYSRET", "sysret loads RFLAGS from R11, but for RF")
{
	struct user_run run;

	call_and_return(&run, user_sysret_flags, 0, 0, change_flags);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax & ~0x8d4ull, FLAG_IF | FLAG_ID | FLAG_DF | 2);
	return FACT_PASS;
}

USER_CODE(user_sysret_loop, "mov $0x1111, %ebx\nmov $0x2222, %ebp\nmov $0x3333, %r8d\n"
			    "mov $0x4444, %r15d\nmov $1000, %r12d\n"
			    "1: syscall\nadd $1, %r13\ndec %r12d\njnz 1b");

FACT(sysret_registers, "user.sysret.registers", "SDM 2B SYSRET",
     "a thousand times syscall and sysret change no register but RCX and R11")
{
	struct user_run run;

	call_and_return(&run, user_sysret_loop, 0x5555, 0x6666, go_on);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.r13, 1000);
	EXPECT_EQ(run.frame.rbx, 0x1111);
	EXPECT_EQ(run.frame.rbp, 0x2222);
	EXPECT_EQ(run.frame.r8, 0x3333);
	EXPECT_EQ(run.frame.r15, 0x4444);
	EXPECT_EQ(run.frame.rdi, 0x5555);
	EXPECT_EQ(run.frame.rsi, 0x6666);
	EXPECT_EQ(run.frame.rsp, USER_STACK_TOP - 64);
	return FACT_PASS;
}

/* ---- the rest ---------------------------------------------------------------------------------- */

USER_CODE(user_cpuid, "mov %edi, %eax\nxor %ecx, %ecx\ncpuid");

FACT(same_cpuid, "user.cpuid", "SDM 2A CPUID",
     "cpuid in user mode says what the kernel's own cpuid says")
{
	static const uint32_t leaves[] = { 0, 1, 7, 0xd, 0x80000000, 0x80000001, 0x80000008 };
	struct cpuid_regs kernel;
	struct user_run run;

	for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
		kernel = cpu_cpuid(leaves[i], 0);
		user_call(&run, user_cpuid, leaves[i], 0, 0);
		EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
		EXPECT(run.frame.rax == kernel.eax && run.frame.rbx == kernel.ebx &&
			       run.frame.rcx == kernel.ecx && run.frame.rdx == kernel.edx,
		       "leaf %x: %lx %lx %lx %lx, and %x %x %x %x", leaves[i], run.frame.rax,
		       run.frame.rbx, run.frame.rcx, run.frame.rdx, kernel.eax, kernel.ebx,
		       kernel.ecx, kernel.edx);
	}
	return FACT_PASS;
}

USER_CODE(user_load_gs, "mov $0x23, %eax\nmov %eax, %gs\nmov %gs, %edx");

FACT(gs_load, "user.gs_load", "SDM 2B SWAPGS",
     "user mode loading GS changes its own base, not the one that swapgs keeps for the kernel")
{
	struct user_run run;

	cpu_wrmsr(MSR_KERNEL_GS_BASE, 0x12345000);
	user_call(&run, user_load_gs, 0, 0, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rdx, SEL_UDATA | 3);
	EXPECT_EQ(cpu_rdmsr(MSR_KERNEL_GS_BASE), 0);
	EXPECT_EQ(cpu_rdmsr(MSR_GS_BASE), this_cpu());
	return FACT_PASS;
}

#define COMPAT_VA 0xe0000000ull

/* mov $0x7fffffff, %eax; inc %eax; inc %eax; int $0x80. In 64-bit mode 40 is a REX prefix. */
static const uint8_t compat_code[] = { 0xb8, 0xff, 0xff, 0xff, 0x7f, 0x40, 0x40, 0xcd, 0x80 };

FACT(compat, "user.compat", "SDM 3A 2.2",
     "a 32-bit code segment runs 32-bit code: bytes 40 are inc, and a trap from it saves its CS")
{
	struct user_run run;

	memcpy(test_page(COMPAT_VA, U_RX), compat_code, sizeof(compat_code));
	user_prepare(&run, probe_user_nothing, 0, 0, 0);
	run.frame.rip = COMPAT_VA;
	run.frame.cs = SEL_UCODE32 | 3;
	run.frame.rsp = COMPAT_VA + 0x800;
	run.frame.rax = ~0ull;
	user_go(&run);
	test_set_flush(COMPAT_VA, 1, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax, 0x80000001);
	EXPECT_EQ(run.frame.cs, SEL_UCODE32 | 3);
	EXPECT_EQ(run.frame.rip, COMPAT_VA + sizeof(compat_code));
	return FACT_PASS;
}

USER_CODE(user_null_ss, "xor %eax, %eax\nmov %eax, %ss");
USER_CODE(user_kernel_ss, "mov $0x10, %eax\nmov %eax, %ss");
USER_CODE(user_kernel_ds, "mov $0x10, %eax\nmov %eax, %ds");

FACT(user_segments, "user.segments", "SDM 2B MOV",
     "user mode cannot load a null SS (#GP(0)) or the kernel's data segment (#GP with its "
     "selector)")
{
	struct user_run run;

	user_call(&run, user_null_ss, 0, 0, 0);
	EXPECT_TRAP(run, TRAP_GP, 0);
	user_call(&run, user_kernel_ss, 0, 0, 0);
	EXPECT_TRAP(run, TRAP_GP, SEL_KDATA);
	user_call(&run, user_kernel_ds, 0, 0, 0);
	EXPECT_TRAP(run, TRAP_GP, SEL_KDATA);
	return FACT_PASS;
}
