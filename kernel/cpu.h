/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The names the kernel uses for privileged acts: each is one site of the shim, and nothing else in
 * the kernel may execute a privileged instruction (tests/guests/privileged.sh sees to it).
 */
#ifndef KERNEL_CPU_H
#define KERNEL_CPU_H

#include <pvrom/sites.h>

#include "lib.h"

#define FLAG_CF BIT(0)
#define FLAG_TF BIT(8)
#define FLAG_IF BIT(9)
#define FLAG_DF BIT(10)
#define FLAG_IOPL (3ull << 12)
#define FLAG_NT BIT(14)
#define FLAG_RF BIT(16)
#define FLAG_AC BIT(18)

#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)
#define CR4_TSD BIT(2)
#define CR4_DE BIT(3)
#define CR4_PGE BIT(7)
#define CR4_PCE BIT(8)
#define CR4_OSFXSR BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP BIT(11)
#define CR4_FSGSBASE BIT(16)
#define CR4_OSXSAVE BIT(18)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)

#define MSR_APIC_BASE 0x1b
#define MSR_PAT 0x277
#define MSR_VMX_PROCBASED_CTLS 0x482
#define MSR_VMX_PROCBASED_CTLS2 0x48b
#define MSR_X2APIC 0x800
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103
#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

struct table_pointer {
	uint16_t reserved[3];
	uint16_t limit;
	uint64_t base;
};

static inline void cpu_cli(void)
{
	pvrom_cli();
}

static inline void cpu_sti(void)
{
	pvrom_sti();
}

static inline void cpu_halt(void)
{
	pvrom_halt();
}

static inline void cpu_sti_halt(void)
{
	pvrom_sti_halt();
}

static inline uint64_t cpu_save_flags(void)
{
	return pvrom_save_flags();
}

static inline void cpu_restore_flags(uint64_t flags)
{
	pvrom_restore_flags(flags);
}

static inline uint64_t cpu_save_flags_cli(void)
{
	uint64_t flags = pvrom_save_flags();

	pvrom_cli();
	return flags;
}

#define CPU_CONTROL_REGISTER(n)                                                                    \
	static inline uint64_t cpu_read_cr##n(void)                                                \
	{                                                                                          \
		return pvrom_read_cr##n();                                                         \
	}                                                                                          \
	static inline void cpu_write_cr##n(uint64_t value)                                         \
	{                                                                                          \
		pvrom_write_cr##n(value);                                                          \
	}
CPU_CONTROL_REGISTER(0)
CPU_CONTROL_REGISTER(2)
CPU_CONTROL_REGISTER(3)
CPU_CONTROL_REGISTER(4)
CPU_CONTROL_REGISTER(8)

static inline uint64_t cpu_rdmsr(uint32_t msr)
{
	return pvrom_read_msr(msr);
}

static inline void cpu_wrmsr(uint32_t msr, uint64_t value)
{
	pvrom_write_msr(msr, value);
}

static inline struct cpuid_regs cpu_cpuid(uint32_t leaf, uint32_t subleaf)
{
	uint32_t regs[4];

	pvrom_cpuid(leaf, subleaf, regs);
	return (struct cpuid_regs){ regs[0], regs[1], regs[2], regs[3] };
}

static inline void cpu_lgdt(const struct table_pointer *pointer)
{
	pvrom_load_gdt(&pointer->limit);
}

static inline void cpu_lidt(const struct table_pointer *pointer)
{
	pvrom_load_idt(&pointer->limit);
}

static inline void cpu_ltr(uint16_t selector)
{
	pvrom_load_tr(selector);
}

static inline void cpu_invlpg(const void *address)
{
	pvrom_flush_one((uint64_t)address);
}

#define CPU_PORT(bits)                                                                             \
	static inline uint##bits##_t cpu_in##bits(uint16_t port)                                   \
	{                                                                                          \
		return pvrom_in##bits(port);                                                       \
	}                                                                                          \
	static inline void cpu_out##bits(uint16_t port, uint##bits##_t value)                      \
	{                                                                                          \
		pvrom_out##bits(port, value);                                                      \
	}
CPU_PORT(8)
CPU_PORT(16)
CPU_PORT(32)

#endif
