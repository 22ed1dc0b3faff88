/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about model-specific registers: what they hold, and what they do to user mode and SYSCALL. */
#include "fact_tools.h"
#include "smp.h"

#define APIC_BASE_BSP BIT(8)
#define APIC_BASE_ENABLED BIT(11)

/* Writes VALUE, reads it back and restores the old one, all before a trap could need the old one. */
static enum verdict reads_back(uint32_t msr, uint64_t value)
{
	uint64_t old, seen, after;

	cpu_cli();
	old = cpu_rdmsr(msr);
	cpu_wrmsr(msr, value);
	seen = cpu_rdmsr(msr);
	cpu_wrmsr(msr, old);
	after = cpu_rdmsr(msr);
	cpu_sti();
	EXPECT_EQ(seen, value);
	EXPECT_EQ(after, old);
	return FACT_PASS;
}

#define READBACK_FACT(id, msr, value, manual)                                                      \
	FACT(readback_##id, "msr.readback." #id, manual,                                           \
	     #msr " reads back all 64 bits as written")                                            \
	{                                                                                          \
		return reads_back(msr, value);                                                     \
	}
READBACK_FACT(star, MSR_STAR, 0x123456789abcdef0, "SDM 3A 5.8.8")
READBACK_FACT(lstar, MSR_LSTAR, 0xffffabcd12345678, "SDM 3A 5.8.8")
READBACK_FACT(cstar, MSR_CSTAR, 0x00007bcd12345678, "APM 2 6.1.1")
READBACK_FACT(sfmask, MSR_SFMASK, 0x00000000003f7fd5, "SDM 3A 5.8.8")
READBACK_FACT(fs_base, MSR_FS_BASE, 0xffff8765deadbeef, "SDM 3A 3.4.4")
READBACK_FACT(gs_base, MSR_GS_BASE, 0x00007fff00000001, "SDM 3A 3.4.4")
READBACK_FACT(kernel_gs_base, MSR_KERNEL_GS_BASE, 0xffffffff80000007, "SDM 3A 5.8.8")
READBACK_FACT(pat, MSR_PAT, 0x0007050100070406, "SDM 3A 12.12.2")

/* ---- RDMSR and WRMSR themselves ---------------------------------------------------------------- */

static uint64_t rdmsr_registers(uint32_t msr, uint64_t *rdx)
{
	uint64_t rax = ~0ull, rcx = 0xabcdef0100000000 | msr;

	*rdx = ~0ull;
	PVROM_ASM(PVROM_SITE(PVROM_PAD_3 "rdmsr")
		  : "+a"(rax), "+d"(*rdx), "+c"(rcx)
		  : PVROM_SITE_OF(PVROM_CPU_READ_MSR)
		  : "memory", "cc");
	return rax;
}

FACT(rdmsr_high, "msr.rdmsr.high_halves", "SDM 2B RDMSR",
     "rdmsr ignores the upper half of RCX and clears those of RAX and RDX")
{
	uint64_t value = 0xffff8888cccc4444, rax, rdx;

	cpu_wrmsr(MSR_FS_BASE, value);
	rax = rdmsr_registers(MSR_FS_BASE, &rdx);
	cpu_wrmsr(MSR_FS_BASE, 0);
	EXPECT_EQ(rax, value & 0xffffffff);
	EXPECT_EQ(rdx, value >> 32);
	return FACT_PASS;
}

FACT(wrmsr_high, "msr.wrmsr.high_halves", "SDM 2D WRMSR",
     "wrmsr ignores the upper halves of RAX, RCX and RDX")
{
	uint64_t rcx = 0x7777777700000000 | MSR_FS_BASE;
	uint64_t seen;

	PVROM_ASM(PVROM_SITE(PVROM_PAD_3 "wrmsr")
		  :
		  : PVROM_SITE_OF(PVROM_CPU_WRITE_MSR), "c"(rcx), "a"(0x9999999912345678),
		    "d"(0x8888888800001234)
		  : "memory", "cc");
	seen = cpu_rdmsr(MSR_FS_BASE);
	cpu_wrmsr(MSR_FS_BASE, 0);
	EXPECT_EQ(seen, 0x123412345678);
	return FACT_PASS;
}

FACT(msr_keeps_if, "msr.keeps_if", "SDM 2D WRMSR", "rdmsr and wrmsr leave IF alone, off and on")
{
	uint64_t off, on;

	cpu_cli();
	cpu_wrmsr(MSR_FS_BASE, cpu_rdmsr(MSR_FS_BASE));
	off = cpu_save_flags();
	cpu_sti();
	cpu_wrmsr(MSR_FS_BASE, cpu_rdmsr(MSR_FS_BASE));
	on = cpu_save_flags();
	EXPECT_EQ(off & FLAG_IF, 0);
	EXPECT_EQ(on & FLAG_IF, FLAG_IF);
	return FACT_PASS;
}

/* ---- segment bases ----------------------------------------------------------------------------- */

static uint64_t fs_word(void)
{
	uint64_t word;

	__asm__ volatile("mov %%fs:8, %0" : "=r"(word)::"memory");
	return word;
}

FACT(fs_base_use, "msr.fs_base.use", "SDM 3A 3.4.4",
     "FS_BASE is what %fs: addresses, all 64 bits of it")
{
	uint64_t low[2] = { 0, 0x1111 }, seen_low, seen_high;

	test_clear();
	test_page(TEST_BASE, K_RW)[1] = 0x2222;
	cpu_wrmsr(MSR_FS_BASE, (uint64_t)low);
	seen_low = fs_word();
	cpu_wrmsr(MSR_FS_BASE, TEST_BASE);
	seen_high = fs_word();
	cpu_wrmsr(MSR_FS_BASE, 0);
	EXPECT_EQ(seen_low, 0x1111);
	EXPECT_EQ(seen_high, 0x2222);
	return FACT_PASS;
}

USER_CODE(user_bases, "mov %fs:0, %rax\nmov %gs:8, %rdx");

FACT(user_bases_use, "msr.user_bases", "SDM 2B SWAPGS",
     "user mode sees FS_BASE as it is and, after swapgs, KERNEL_GS_BASE as its GS base")
{
	struct user_run run;
	uint64_t *data = user_alias(USER_DATA);

	data[0] = 0x3333;
	data[3] = 0x4444;
	cpu_wrmsr(MSR_FS_BASE, USER_DATA);
	cpu_wrmsr(MSR_KERNEL_GS_BASE, USER_DATA + 16);
	user_call(&run, user_bases, 0, 0, 0);
	cpu_wrmsr(MSR_FS_BASE, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax, 0x3333);
	EXPECT_EQ(run.frame.rdx, 0x4444);
	EXPECT_EQ(cpu_rdmsr(MSR_KERNEL_GS_BASE), USER_DATA + 16);
	cpu_wrmsr(MSR_KERNEL_GS_BASE, 0);
	return FACT_PASS;
}

/* The GS base between two swapgs; interrupts are off, and there is no trap in between. */
static uint64_t swapped_word(void)
{
	uint64_t word;

	PVROM_ASM(PVROM_SITE(PVROM_PAD_2 "swapgs") "\n\tmov %%gs:0, %0\n\t" PVROM_SITE(PVROM_PAD_2
										       "swapgs")
		  : "=&r"(word)
		  : PVROM_SITE_OF(PVROM_CPU_SWAPGS)
		  : "memory", "cc");
	return word;
}

FACT(swapgs, "msr.swapgs", "SDM 2B SWAPGS", "swapgs exchanges GS_BASE and KERNEL_GS_BASE")
{
	uint64_t word = 0x5555, gs = cpu_rdmsr(MSR_GS_BASE), seen, kernel_gs;

	cpu_cli();
	cpu_wrmsr(MSR_KERNEL_GS_BASE, (uint64_t)&word);
	seen = swapped_word();
	kernel_gs = cpu_rdmsr(MSR_KERNEL_GS_BASE);
	cpu_wrmsr(MSR_KERNEL_GS_BASE, 0);
	cpu_sti();
	EXPECT_EQ(seen, 0x5555);
	EXPECT_EQ(kernel_gs, &word);
	EXPECT_EQ(cpu_rdmsr(MSR_GS_BASE), gs);
	return FACT_PASS;
}

USER_CODE(user_load_fs, "mov $0x23, %eax\nmov %eax, %fs\nmov %fs, %edx");

FACT(fs_load, "msr.fs_base.load", "SDM 3A 3.4.4",
     "loading a data selector into FS sets FS_BASE from the descriptor, upper half zero")
{
	struct user_run run;

	cpu_wrmsr(MSR_FS_BASE, 0xffff880000001000);
	user_call(&run, user_load_fs, 0, 0, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rdx, SEL_UDATA | 3);
	EXPECT_EQ(cpu_rdmsr(MSR_FS_BASE), 0);
	return FACT_PASS;
}

/* ---- EFER -------------------------------------------------------------------------------------- */

FACT(efer_bits, "msr.efer.bits", "SDM 3A 2.2.1", "EFER shows LME, LMA and NXE in a 64-bit kernel")
{
	uint64_t bits = EFER_LME | EFER_LMA | EFER_NXE;

	EXPECT_EQ(cpu_rdmsr(MSR_EFER) & bits, bits);
	return FACT_PASS;
}

USER_CODE(user_syscall, "syscall");

FACT(efer_sce, "msr.efer.sce", "SDM 2B SYSCALL",
     "syscall is #UD without EFER.SCE, and works with it")
{
	struct user_run without, with;
	uint64_t efer = cpu_rdmsr(MSR_EFER);

	cpu_wrmsr(MSR_EFER, efer & ~EFER_SCE);
	user_call(&without, user_syscall, 0, 0, 0);
	cpu_wrmsr(MSR_EFER, efer | EFER_SCE);
	user_call(&with, user_syscall, 0, 0, 0);
	EXPECT_TRAP(without, TRAP_UD, 0);
	EXPECT_TRAP(with, TRAP_SYSCALL, 0);
	EXPECT_EQ(cpu_rdmsr(MSR_EFER), efer | EFER_SCE);
	return FACT_PASS;
}

/* ---- TSC_AUX, APIC base ------------------------------------------------------------------------ */

SNIPPET(snippet_rdtscp, "rdtscp\nmov %rcx, (%rdi)");
USER_CODE(user_rdtscp, "rdtscp");

FACT(tsc_aux, "msr.tsc_aux", "SDM 2B RDTSCP", "rdtscp returns TSC_AUX in ECX, to user mode too")
{
	struct user_run run;
	uint64_t seen = ~0ull;

	NEED(RDTSCP);
	cpu_wrmsr(MSR_TSC_AUX, 0x98765432);
	snippet_rdtscp((uint64_t)&seen);
	user_call(&run, user_rdtscp, 0, 0, 0);
	EXPECT_EQ(cpu_rdmsr(MSR_TSC_AUX), 0x98765432);
	cpu_wrmsr(MSR_TSC_AUX, 0);
	EXPECT_EQ(seen, 0x98765432);
	EXPECT_EQ(run.frame.rcx, 0x98765432);
	return FACT_PASS;
}

static void read_apic_base(void *argument)
{
	*(uint64_t *)argument = cpu_rdmsr(MSR_APIC_BASE);
}

FACT(apic_base, "msr.apic_base", "SDM 3A 11.4.4",
     "IA32_APIC_BASE says on each CPU that its APIC is on, and on the first that it is the BSP")
{
	uint64_t base;

	NEED(APIC);
	for (uint32_t i = 0; i < smp_cpus; i++) {
		smp_run(i, read_apic_base, &base);
		EXPECT(base & APIC_BASE_ENABLED, "CPU %u: %lx", i, base);
		EXPECT(!(base & APIC_BASE_BSP) == (i != 0), "CPU %u: %lx", i, base);
	}
	return FACT_PASS;
}

/* ---- one CPU's registers are its own ----------------------------------------------------------- */

struct per_cpu_msrs {
	uint64_t fs, kernel_gs, cstar;
};

static void read_msrs(void *argument)
{
	*(struct per_cpu_msrs *)argument =
		(struct per_cpu_msrs){ cpu_rdmsr(MSR_FS_BASE), cpu_rdmsr(MSR_KERNEL_GS_BASE),
				       cpu_rdmsr(MSR_CSTAR) };
}

static void write_msrs(void *argument)
{
	const struct per_cpu_msrs *msrs = argument;

	cpu_wrmsr(MSR_FS_BASE, msrs->fs);
	cpu_wrmsr(MSR_KERNEL_GS_BASE, msrs->kernel_gs);
	cpu_wrmsr(MSR_CSTAR, msrs->cstar);
}

FACT(msr_per_cpu, "msr.per_cpu", "SDM 3A 9.7.1",
     "each CPU keeps its own FS_BASE, KERNEL_GS_BASE and CSTAR while another's change")
{
	struct per_cpu_msrs zero = { 0 }, ours = { 0x1000, 0x2000, 0x3000 },
			    theirs = { 0x4000, 0x5000, 0x6000 };
	struct per_cpu_msrs here, there;
	uint32_t other = other_cpu();

	smp_run(other, write_msrs, &theirs);
	smp_run(other, read_msrs, &there);
	write_msrs(&ours);
	read_msrs(&here);
	if (other)
		smp_run(other, read_msrs, &there);
	write_msrs(&zero);
	smp_run(other, write_msrs, &zero);
	EXPECT(!memcmp(&here, &ours, sizeof(ours)), "here %lx %lx %lx", here.fs, here.kernel_gs,
	       here.cstar);
	EXPECT(!memcmp(&there, &theirs, sizeof(theirs)), "there %lx %lx %lx", there.fs,
	       there.kernel_gs, there.cstar);
	return FACT_PASS;
}
