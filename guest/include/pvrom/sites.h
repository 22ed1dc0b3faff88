/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Call sites: one inline function for each privileged act, to be used wherever a kernel would
 * otherwise write the instruction; and the same as macros for assembler.
 *
 *	pvrom_cli();                                            C, C++
 *	PVROM_SITE_CLI                                          assembler
 *
 * As compiled, a site is the native instruction (or the two of `pushfq; pop`, `push; popfq`,
 * `sti; hlt`), padded to five bytes by 2e prefixes, which the processor ignores (AMD APM vol. 3,
 * 1.2.4: CS, DS, ES and SS overrides have no effect in 64-bit mode). An act that no single
 * instruction does is a five-byte call of the kernel's own function pvrom_native_x(). Beside it a
 * record in section .pvrom_sites (struct pvrom_site) tells the shim where to patch. Records are
 * written to, so the linker script keeps that section with the data:
 *
 *	.data : { ... sites = .; KEEP(*(.pvrom_sites)) sites_end = .; }
 *
 * Records are looked at again whenever the epoch moves, so code with sites stays in memory: what a kernel
 * frees after its start is compiled with PVROM_SITES=0.
 *
 * What a site may change is what the native instruction changes, the arithmetic flags, and memory.
 * Operands are in fixed registers: those that the table in <pvrom/calls.h> names.
 *
 * Kernel code with sites must be compiled with -mno-red-zone: a patched site may be a call, which
 * pushes its return address. The stack is not aligned to 16 bytes at a site; one that writes CR3 returns by it
 * in the new address space.
 *
 * PVROM_SITES=0 leaves the bare instruction, unpadded, with the same operands and without records.
 */
#ifndef PVROM_SITES_H
#define PVROM_SITES_H

#ifndef __x86_64__
#error "pvrom is for x86-64 kernels in 64-bit mode"
#endif

#include <pvrom/abi.h>

#ifndef PVROM_SITES
#define PVROM_SITES 1
#endif

/* clang-format takes the assembler below for C and spoils it. */
/* clang-format off */
#ifdef __ASSEMBLER__

/*
 * PVROM_SITE(call, instruction) is a site; the instruction begins with as many PVROM_PAD_n as
 * bring it to five bytes (PVROM_SITE_MIN). "?" puts the record into the section group of the code.
 */
#if PVROM_SITES
#define PVROM_SITE(call, ...)                                                                      \
	770: __VA_ARGS__ ;                                                                         \
	771: .pushsection .pvrom_sites, "aw?", @progbits ;                                         \
	.balign 4 ;                                                                                \
	772: .long 770b - 772b ;                                                                   \
	.short call ;                                                                              \
	.byte 771b - 770b ;                                                                        \
	.skip 17, 0 ;                                                                              \
	.popsection ;
#define PVROM_PAD_1 .byte 0x2e ;
#define PVROM_PAD_2 .byte 0x2e, 0x2e ;
#define PVROM_PAD_3 .byte 0x2e, 0x2e, 0x2e ;
#define PVROM_PAD_4 .byte 0x2e, 0x2e, 0x2e, 0x2e ;
#else
#define PVROM_SITE(call, ...) __VA_ARGS__ ;
#define PVROM_PAD_1
#define PVROM_PAD_2
#define PVROM_PAD_3
#define PVROM_PAD_4
#endif

/* Operands as in the table: a value to write in rdi, a value read in rax. */
#define PVROM_SITE_CLI PVROM_SITE(PVROM_CPU_CLI, PVROM_PAD_4 cli)
#define PVROM_SITE_STI PVROM_SITE(PVROM_CPU_STI, PVROM_PAD_4 sti)
#define PVROM_SITE_SAVE_FLAGS PVROM_SITE(PVROM_CPU_SAVE_FLAGS, pushfq ; PVROM_PAD_3 pop %rax)
#define PVROM_SITE_RESTORE_FLAGS PVROM_SITE(PVROM_CPU_RESTORE_FLAGS, push %rdi ; PVROM_PAD_3 popfq)
#define PVROM_SITE_STI_HALT PVROM_SITE(PVROM_CPU_STI_HALT, sti ; PVROM_PAD_3 hlt)
#define PVROM_SITE_HALT PVROM_SITE(PVROM_CPU_HALT, PVROM_PAD_4 hlt)
#define PVROM_SITE_IRET PVROM_SITE(PVROM_CPU_IRET, PVROM_PAD_3 iretq)
#define PVROM_SITE_SYSRET PVROM_SITE(PVROM_CPU_SYSRET, PVROM_PAD_2 sysretq)
#define PVROM_SITE_SWAPGS PVROM_SITE(PVROM_CPU_SWAPGS, PVROM_PAD_2 swapgs)
#define PVROM_SITE_READ_CR0 PVROM_SITE(PVROM_CPU_READ_CR0, PVROM_PAD_2 mov %cr0, %rax)
#define PVROM_SITE_WRITE_CR0 PVROM_SITE(PVROM_CPU_WRITE_CR0, PVROM_PAD_2 mov %rdi, %cr0)
#define PVROM_SITE_CLTS PVROM_SITE(PVROM_CPU_CLTS, PVROM_PAD_3 clts)
#define PVROM_SITE_READ_CR2 PVROM_SITE(PVROM_CPU_READ_CR2, PVROM_PAD_2 mov %cr2, %rax)
#define PVROM_SITE_READ_CR3 PVROM_SITE(PVROM_CPU_READ_CR3, PVROM_PAD_2 mov %cr3, %rax)
#define PVROM_SITE_WRITE_CR3 PVROM_SITE(PVROM_CPU_WRITE_CR3, PVROM_PAD_2 mov %rdi, %cr3)
#define PVROM_SITE_READ_CR4 PVROM_SITE(PVROM_CPU_READ_CR4, PVROM_PAD_2 mov %cr4, %rax)
#define PVROM_SITE_WRITE_CR4 PVROM_SITE(PVROM_CPU_WRITE_CR4, PVROM_PAD_2 mov %rdi, %cr4)
#define PVROM_SITE_READ_MSR PVROM_SITE(PVROM_CPU_READ_MSR, PVROM_PAD_3 rdmsr)
#define PVROM_SITE_WRITE_MSR PVROM_SITE(PVROM_CPU_WRITE_MSR, PVROM_PAD_3 wrmsr)
#define PVROM_SITE_CPUID PVROM_SITE(PVROM_CPU_CPUID, PVROM_PAD_3 cpuid)
#define PVROM_SITE_LOAD_GDT PVROM_SITE(PVROM_CPU_LOAD_GDT, PVROM_PAD_2 lgdt (%rdi))
#define PVROM_SITE_LOAD_IDT PVROM_SITE(PVROM_CPU_LOAD_IDT, PVROM_PAD_2 lidt (%rdi))
#define PVROM_SITE_LOAD_LDT PVROM_SITE(PVROM_CPU_LOAD_LDT, PVROM_PAD_2 lldt %di)
#define PVROM_SITE_LOAD_TR PVROM_SITE(PVROM_CPU_LOAD_TR, PVROM_PAD_2 ltr %di)
#define PVROM_SITE_PAUSE PVROM_SITE(PVROM_CPU_PAUSE, PVROM_PAD_3 pause)
#define PVROM_SITE_STAC PVROM_SITE(PVROM_CPU_STAC, PVROM_PAD_2 stac)
#define PVROM_SITE_CLAC PVROM_SITE(PVROM_CPU_CLAC, PVROM_PAD_2 clac)

#else /* C and C++ */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * PVROM_SITE("instruction") is a site as the text of an asm statement, for kernels that need more
 * around it (an entry in an exception table, say). The text begins with as many PVROM_PAD_n as
 * bring it to five bytes, and the statement has the operand PVROM_SITE_OF(call number).
 * "asm inline" hides the lines of the record from the compiler's guesses at size, so that
 * PVROM_SITES=0 compiles to the same code around the site.
 */
#if PVROM_SITES
#define PVROM_SITE(insn)                                                                           \
	"770:\t" insn "\n"                                                                         \
	"771:\t.pushsection .pvrom_sites,\"aw?\",@progbits\n"                                      \
	"\t.balign 4\n"                                                                            \
	"772:\t.long 770b-772b\n"                                                                  \
	"\t.short %c[pvrom_site]\n"                                                                \
	"\t.byte 771b-770b\n"                                                                      \
	"\t.skip 17,0\n"                                                                           \
	"\t.popsection"
#define PVROM_PAD_1 ".byte 0x2e\n\t"
#define PVROM_PAD_2 ".byte 0x2e,0x2e\n\t"
#define PVROM_PAD_3 ".byte 0x2e,0x2e,0x2e\n\t"
#define PVROM_PAD_4 ".byte 0x2e,0x2e,0x2e,0x2e\n\t"
#else
#define PVROM_SITE(insn) insn
#define PVROM_PAD_1
#define PVROM_PAD_2
#define PVROM_PAD_3
#define PVROM_PAD_4
#endif
#define PVROM_SITE_OF(call) [pvrom_site] "i"(call)
/* __inline and not __inline__: Linux makes a macro of the latter. */
#define PVROM_ASM __asm__ __inline __volatile__

/* No operands. */
#define PVROM_SITE_ACT_(name, CALL, insn)                                                          \
	static inline void pvrom_##name(void)                                                      \
	{                                                                                          \
		PVROM_ASM(PVROM_SITE(insn) : : PVROM_SITE_OF(PVROM_##CALL) : "memory", "cc");      \
	}
PVROM_SITE_ACT_(cli, CPU_CLI, PVROM_PAD_4 "cli")
PVROM_SITE_ACT_(sti, CPU_STI, PVROM_PAD_4 "sti")
PVROM_SITE_ACT_(sti_halt, CPU_STI_HALT, "sti\n\t" PVROM_PAD_3 "hlt")
PVROM_SITE_ACT_(halt, CPU_HALT, PVROM_PAD_4 "hlt")
PVROM_SITE_ACT_(clts, CPU_CLTS, PVROM_PAD_3 "clts")
PVROM_SITE_ACT_(wbinvd, CPU_WBINVD, PVROM_PAD_3 "wbinvd")
PVROM_SITE_ACT_(pause, CPU_PAUSE, PVROM_PAD_3 "pause")
PVROM_SITE_ACT_(stac, CPU_STAC, PVROM_PAD_2 "stac")
PVROM_SITE_ACT_(clac, CPU_CLAC, PVROM_PAD_2 "clac")

/* A value is read, into rax. */
#define PVROM_SITE_READ_(name, CALL, insn)                                                         \
	static inline uint64_t pvrom_##name(void)                                                  \
	{                                                                                          \
		uint64_t value;                                                                    \
                                                                                                   \
		PVROM_ASM(PVROM_SITE(insn)                                                         \
			  : "=a"(value) : PVROM_SITE_OF(PVROM_##CALL) : "memory", "cc");           \
		return value;                                                                      \
	}
PVROM_SITE_READ_(save_flags, CPU_SAVE_FLAGS, "pushfq\n\t" PVROM_PAD_3 "pop %%rax")
PVROM_SITE_READ_(read_cr0, CPU_READ_CR0, PVROM_PAD_2 "mov %%cr0,%%rax")
PVROM_SITE_READ_(read_cr2, CPU_READ_CR2, PVROM_PAD_2 "mov %%cr2,%%rax")
PVROM_SITE_READ_(read_cr3, CPU_READ_CR3, PVROM_PAD_2 "mov %%cr3,%%rax")
PVROM_SITE_READ_(read_cr4, CPU_READ_CR4, PVROM_PAD_2 "mov %%cr4,%%rax")
PVROM_SITE_READ_(read_cr8, CPU_READ_CR8, PVROM_PAD_1 "mov %%cr8,%%rax")
PVROM_SITE_READ_(read_dr6, CPU_READ_DR6, PVROM_PAD_2 "mov %%dr6,%%rax")
PVROM_SITE_READ_(read_dr7, CPU_READ_DR7, PVROM_PAD_2 "mov %%dr7,%%rax")
/* The 32-bit forms clear the upper half as well, and every assembler encodes them alike. */
PVROM_SITE_READ_(store_tr, CPU_STORE_TR, PVROM_PAD_2 "str %%eax")
PVROM_SITE_READ_(store_ldt, CPU_STORE_LDT, PVROM_PAD_2 "sldt %%eax")

/* A value, an address or a selector is written, from rdi. */
#define PVROM_SITE_WRITE_(name, CALL, type, insn)                                                  \
	static inline void pvrom_##name(type value)                                                \
	{                                                                                          \
		PVROM_ASM(PVROM_SITE(insn)                                                         \
			  : : PVROM_SITE_OF(PVROM_##CALL), "D"(value) : "memory", "cc");           \
	}
PVROM_SITE_WRITE_(restore_flags, CPU_RESTORE_FLAGS, uint64_t, "push %%rdi\n\t" PVROM_PAD_3 "popfq")
PVROM_SITE_WRITE_(write_cr0, CPU_WRITE_CR0, uint64_t, PVROM_PAD_2 "mov %%rdi,%%cr0")
PVROM_SITE_WRITE_(write_cr2, CPU_WRITE_CR2, uint64_t, PVROM_PAD_2 "mov %%rdi,%%cr2")
PVROM_SITE_WRITE_(write_cr3, CPU_WRITE_CR3, uint64_t, PVROM_PAD_2 "mov %%rdi,%%cr3")
PVROM_SITE_WRITE_(write_cr4, CPU_WRITE_CR4, uint64_t, PVROM_PAD_2 "mov %%rdi,%%cr4")
PVROM_SITE_WRITE_(write_cr8, CPU_WRITE_CR8, uint64_t, PVROM_PAD_1 "mov %%rdi,%%cr8")
PVROM_SITE_WRITE_(write_dr0, CPU_WRITE_DR0, uint64_t, PVROM_PAD_2 "mov %%rdi,%%dr0")
PVROM_SITE_WRITE_(write_dr1, CPU_WRITE_DR1, uint64_t, PVROM_PAD_2 "mov %%rdi,%%dr1")
PVROM_SITE_WRITE_(write_dr2, CPU_WRITE_DR2, uint64_t, PVROM_PAD_2 "mov %%rdi,%%dr2")
PVROM_SITE_WRITE_(write_dr3, CPU_WRITE_DR3, uint64_t, PVROM_PAD_2 "mov %%rdi,%%dr3")
PVROM_SITE_WRITE_(write_dr6, CPU_WRITE_DR6, uint64_t, PVROM_PAD_2 "mov %%rdi,%%dr6")
PVROM_SITE_WRITE_(write_dr7, CPU_WRITE_DR7, uint64_t, PVROM_PAD_2 "mov %%rdi,%%dr7")
PVROM_SITE_WRITE_(load_gdt, CPU_LOAD_GDT, const void *, PVROM_PAD_2 "lgdt (%%rdi)")
PVROM_SITE_WRITE_(load_idt, CPU_LOAD_IDT, const void *, PVROM_PAD_2 "lidt (%%rdi)")
PVROM_SITE_WRITE_(load_ldt, CPU_LOAD_LDT, uint16_t, PVROM_PAD_2 "lldt %%di")
PVROM_SITE_WRITE_(load_tr, CPU_LOAD_TR, uint16_t, PVROM_PAD_2 "ltr %%di")
PVROM_SITE_WRITE_(store_gdt, CPU_STORE_GDT, void *, PVROM_PAD_2 "sgdt (%%rdi)")
PVROM_SITE_WRITE_(store_idt, CPU_STORE_IDT, void *, PVROM_PAD_2 "sidt (%%rdi)")
PVROM_SITE_WRITE_(switch_root, MMU_SWITCH_ROOT, uint64_t, PVROM_PAD_2 "mov %%rdi,%%cr3")
PVROM_SITE_WRITE_(flush_one, MMU_FLUSH_ONE, uint64_t, PVROM_PAD_2 "invlpg (%%rdi)")

/* The port in edx, the value in eax, ax or al. */
#define PVROM_SITE_PORT_(bits, reg)                                                                \
	static inline uint##bits##_t pvrom_in##bits(uint16_t port)                                 \
	{                                                                                          \
		uint##bits##_t value;                                                              \
                                                                                                   \
		PVROM_ASM(PVROM_SITE(PVROM_PAD_IO##bits##_ "in %%dx," reg)                         \
			  : "=a"(value) : PVROM_SITE_OF(PVROM_CPU_IN##bits), "d"(port)             \
			  : "memory", "cc");                                                       \
		return value;                                                                      \
	}                                                                                          \
	static inline void pvrom_out##bits(uint16_t port, uint##bits##_t value)                    \
	{                                                                                          \
		PVROM_ASM(PVROM_SITE(PVROM_PAD_IO##bits##_ "out " reg ",%%dx")                     \
			  : : PVROM_SITE_OF(PVROM_CPU_OUT##bits), "d"(port), "a"(value)            \
			  : "memory", "cc");                                                       \
	}
#define PVROM_PAD_IO8_ PVROM_PAD_4
#define PVROM_PAD_IO16_ PVROM_PAD_3 /* one prefix, 66, is the instruction's own */
#define PVROM_PAD_IO32_ PVROM_PAD_4
PVROM_SITE_PORT_(8, "%%al")
PVROM_SITE_PORT_(16, "%%ax")
PVROM_SITE_PORT_(32, "%%eax")

static inline uint64_t pvrom_read_msr(uint32_t msr)
{
	uint32_t low, high;

	PVROM_ASM(PVROM_SITE(PVROM_PAD_3 "rdmsr")
		  : "=a"(low), "=d"(high)
		  : PVROM_SITE_OF(PVROM_CPU_READ_MSR), "c"(msr) : "memory", "cc");
	return (uint64_t)high << 32 | low;
}

static inline void pvrom_write_msr(uint32_t msr, uint64_t value)
{
	PVROM_ASM(PVROM_SITE(PVROM_PAD_3 "wrmsr")
		  : : PVROM_SITE_OF(PVROM_CPU_WRITE_MSR), "c"(msr), "a"((uint32_t)value),
		      "d"((uint32_t)(value >> 32)) : "memory", "cc");
}

static inline void pvrom_write_xcr(uint32_t xcr, uint64_t value)
{
	PVROM_ASM(PVROM_SITE(PVROM_PAD_2 "xsetbv")
		  : : PVROM_SITE_OF(PVROM_CPU_WRITE_XCR), "c"(xcr), "a"((uint32_t)value),
		      "d"((uint32_t)(value >> 32)) : "memory", "cc");
}

/* regs: eax, ebx, ecx, edx. */
static inline void pvrom_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	PVROM_ASM(PVROM_SITE(PVROM_PAD_3 "cpuid")
		  : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
		  : PVROM_SITE_OF(PVROM_CPU_CPUID), "a"(leaf), "c"(subleaf) : "memory", "cc");
}

/* Page-table entries: a plain store, and an exchange that returns the old entry. */
static inline void pvrom_set_entry(volatile uint64_t *entry, uint64_t value)
{
	PVROM_ASM(PVROM_SITE(PVROM_PAD_2 "mov %%rsi,(%%rdi)")
		  : : PVROM_SITE_OF(PVROM_MMU_SET_ENTRY), "D"(entry), "S"(value)
		  : "memory", "cc");
}

static inline uint64_t pvrom_swap_entry(volatile uint64_t *entry, uint64_t value)
{
	PVROM_ASM(PVROM_SITE(PVROM_PAD_2 "xchg %%rax,(%%rdi)")
		  : "+a"(value) : PVROM_SITE_OF(PVROM_MMU_SWAP_ENTRY), "D"(entry)
		  : "memory", "cc");
	return value;
}

/*
 * Acts without a native instruction. The kernel supplies pvrom_native_x() for those that it uses:
 * ordinary System V functions that return a status (status.h), leave vector registers alone, do
 * not rely on an aligned stack, and have the attribute `used` where the compiler sees the whole
 * program. Arguments are in rdi, rsi and rdx.
 */
#define PVROM_SITE_CLOBBERS_ "rcx", "r8", "r9", "r10", "r11", "memory", "cc"

/* Ends the interrupt in service. */
void pvrom_native_irq_eoi(void);
static inline void pvrom_irq_eoi(void)
{
	PVROM_ASM(PVROM_SITE("call pvrom_native_irq_eoi")
		  : : PVROM_SITE_OF(PVROM_IRQ_EOI)
		  : "rax", "rdx", "rsi", "rdi", PVROM_SITE_CLOBBERS_);
}

#define PVROM_SITE_CALL0_(name, CALL)                                                              \
	uint32_t pvrom_native_##name(void);                                                        \
	static inline uint32_t pvrom_##name(void)                                                  \
	{                                                                                          \
		uint32_t status;                                                                   \
                                                                                                   \
		PVROM_ASM(PVROM_SITE("call pvrom_native_" #name)                                   \
			  : "=a"(status) : PVROM_SITE_OF(PVROM_##CALL)                             \
			  : "rdx", "rsi", "rdi", PVROM_SITE_CLOBBERS_);                            \
		return status;                                                                     \
	}
#define PVROM_SITE_CALL1_(name, CALL, type0, arg0)                                                 \
	uint32_t pvrom_native_##name(type0 arg0);                                                  \
	static inline uint32_t pvrom_##name(type0 arg0)                                            \
	{                                                                                          \
		uint64_t rdi = arg0;                                                               \
		uint32_t status;                                                                   \
                                                                                                   \
		PVROM_ASM(PVROM_SITE("call pvrom_native_" #name)                                   \
			  : "=a"(status), "+D"(rdi) : PVROM_SITE_OF(PVROM_##CALL)                  \
			  : "rdx", "rsi", PVROM_SITE_CLOBBERS_);                                   \
		return status;                                                                     \
	}
#define PVROM_SITE_CALL2_(name, CALL, type0, arg0, type1, arg1)                                    \
	uint32_t pvrom_native_##name(type0 arg0, type1 arg1);                                      \
	static inline uint32_t pvrom_##name(type0 arg0, type1 arg1)                                \
	{                                                                                          \
		uint64_t rdi = arg0, rsi = arg1;                                                   \
		uint32_t status;                                                                   \
                                                                                                   \
		PVROM_ASM(PVROM_SITE("call pvrom_native_" #name)                                   \
			  : "=a"(status), "+D"(rdi), "+S"(rsi) : PVROM_SITE_OF(PVROM_##CALL)       \
			  : "rdx", PVROM_SITE_CLOBBERS_);                                          \
		return status;                                                                     \
	}
#define PVROM_SITE_CALL3_(name, CALL, type0, arg0, type1, arg1, type2, arg2)                       \
	uint32_t pvrom_native_##name(type0 arg0, type1 arg1, type2 arg2);                          \
	static inline uint32_t pvrom_##name(type0 arg0, type1 arg1, type2 arg2)                    \
	{                                                                                          \
		uint64_t rdi = arg0, rsi = arg1, rdx = arg2;                                       \
		uint32_t status;                                                                   \
                                                                                                   \
		PVROM_ASM(PVROM_SITE("call pvrom_native_" #name)                                   \
			  : "=a"(status), "+D"(rdi), "+S"(rsi), "+d"(rdx)                          \
			  : PVROM_SITE_OF(PVROM_##CALL) : PVROM_SITE_CLOBBERS_);                   \
		return status;                                                                     \
	}

/* Delivers an interrupt source (its number at the I/O APIC) as a vector to a vCPU. */
PVROM_SITE_CALL3_(irq_route, IRQ_ROUTE, uint64_t, source, uint32_t, vector, uint32_t, vcpu)
/* Masks (1) or unmasks (0) a source. */
PVROM_SITE_CALL2_(irq_mask, IRQ_MASK, uint64_t, source, uint32_t, masked)
/* Sends a vector, or PVROM_IRQ_SEND_NMI, to the vCPUs base + n for each bit n of mask. */
PVROM_SITE_CALL3_(irq_send, IRQ_SEND, uint32_t, vector, uint32_t, base, uint64_t, mask)
/* Starts a vCPU in the state at state_gpa (struct pvrom_smp_state). */
PVROM_SITE_CALL2_(smp_start, SMP_START, uint32_t, vcpu, uint64_t, state_gpa)
/* Stops the calling vCPU; returns only if that is refused. */
PVROM_SITE_CALL0_(smp_stop, SMP_STOP)
/* Wakes a vCPU from halt. */
PVROM_SITE_CALL1_(smp_kick, SMP_KICK, uint32_t, vcpu)
/* Interrupts this vCPU once its TSC reaches a value; replaces an earlier alarm. */
PVROM_SITE_CALL1_(alarm_set, CLOCK_ALARM_SET, uint64_t, tsc)
/* No alarm comes after this has returned. */
PVROM_SITE_CALL0_(alarm_cancel, CLOCK_ALARM_CANCEL)

/*
 * Monotonic nanoseconds. No host has a slot for it: pvrom_native_clock_now() reads whatever clock the
 * kernel has, and where the host says that the TSC alone is good enough the kernel names a function that reads
 * nothing else in its policy (own), so that all sites become calls of that.
 */
uint64_t pvrom_native_clock_now(void);
static inline uint64_t pvrom_clock_now(void)
{
	uint64_t ns;

	PVROM_ASM(PVROM_SITE("call pvrom_native_clock_now")
		  : "=a"(ns) : PVROM_SITE_OF(PVROM_CLOCK_NOW)
		  : "rdx", "rsi", "rdi", PVROM_SITE_CLOBBERS_);
	return ns;
}

#ifdef __cplusplus
}
#endif

#endif /* C and C++ */

#endif
