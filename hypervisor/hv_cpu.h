/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The host's own privileged instructions, and the bits of the registers that they touch. */
#ifndef HYPERVISOR_HV_CPU_H
#define HYPERVISOR_HV_CPU_H

#include <stdint.h>

#define CR0_PE 0x1ull
#define CR0_TS 0x8ull
#define CR0_ET 0x10ull
#define CR0_WP 0x10000ull
#define CR0_NW 0x20000000ull
#define CR0_CD 0x40000000ull
#define CR0_PG 0x80000000ull
#define CR4_PAE 0x20ull
#define CR4_OSXSAVE 0x40000ull

#define MSR_TSC 0x10
#define MSR_PAT 0x277
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_EIP 0x176
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_TSC_AUX 0xc0000103
#define EFER_SCE 0x1ull
#define EFER_LME 0x100ull
#define EFER_LMA 0x400ull
#define EFER_NXE 0x800ull
#define EFER_SVME 0x1000ull
#define EFER_FFXSR 0x4000ull
#define PAT_AT_RESET 0x0007040600070406ull

#define FLAG_TF 0x100ull
#define FLAG_IF 0x200ull

/* Registers as the processor numbers them. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9 };

enum { VECTOR_DB = 1, VECTOR_NMI = 2, VECTOR_UD = 6 };
enum { VECTOR_DF = 8, VECTOR_GP = 13, VECTOR_PF = 14 };

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

/* regs: eax, ebx, ecx, edx. */
static inline void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
			 : "0"(leaf), "2"(subleaf)
			 : "memory");
}

/* One register of a leaf, counted as they are in cpuid(). */
enum { EAX, EBX, ECX, EDX };

static inline uint32_t cpuid_of(uint32_t leaf, unsigned reg)
{
	uint32_t regs[4];

	cpuid(leaf, 0, regs);
	return regs[reg];
}

static inline void write_cr4(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(value) : "memory");
}

#define READ_CR(n)                                                                                 \
	static inline uint64_t read_cr##n(void)                                                    \
	{                                                                                          \
		uint64_t value;                                                                    \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(value)::"memory");                    \
		return value;                                                                      \
	}
READ_CR(2)
READ_CR(4)

static inline void xsetbv(uint32_t index, uint64_t value)
{
	__asm__ volatile("xsetbv" ::"c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("in %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("out %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static inline void cli(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void clgi(void)
{
	__asm__ volatile("clgi" ::: "memory");
}

static inline void stgi(void)
{
	__asm__ volatile("stgi" ::: "memory");
}

/* Takes what interrupts are waiting; the NOP is where STI's shadow ends. */
static inline void take_interrupts(void)
{
	__asm__ volatile("sti\n\tnop\n\tcli" ::: "memory");
}

/* Waits for an interrupt and takes it. */
static inline void sleep_until_interrupt(void)
{
	__asm__ volatile("sti\n\thlt\n\tcli" ::: "memory");
}

static inline void relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#endif
