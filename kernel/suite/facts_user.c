/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about user mode: what it may not do, and what it may (CPUID, segments, 32-bit code). */
#include "fact_tools.h"

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
