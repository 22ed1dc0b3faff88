/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about SYSCALL and SYSRET. */
#include "fact_tools.h"

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
