/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The calls: one table for guest stubs, host dispatch, ROM slots, names, tests and the specification.
 *
 * A call goes in registers, whatever the transport:
 *
 *	eax		call number
 *	rdi rsi r8 r9	arguments 0 to 3
 *	edx		the port, if the transport is `out %eax,%dx`; otherwise nothing
 *
 * and comes back with
 *
 *	eax		status (status.h)
 *	rdx		value, 0 unless the call's line has PVROM_CALL_VALUE
 *
 * rdi, rsi, r8 and r9 are dead after the call: a host may leave them or destroy them, and one
 * that looks for bugs destroys them. Every other register and the flags are kept.
 * A call whose line has PVROM_CALL_VOID has no arguments and returns nothing: all registers but
 * eax and edx are kept, and those two are undefined.
 */
#ifndef PVROM_CALLS_H
#define PVROM_CALLS_H

#include <pvrom/constants.h>

/* General registers as bits of a clobber mask, numbered as the processor encodes them. */
PVROM_CONSTANTS_BEGIN
PVROM_CONSTANT(PVROM_RAX, 0x0001)
PVROM_CONSTANT(PVROM_RCX, 0x0002)
PVROM_CONSTANT(PVROM_RDX, 0x0004)
PVROM_CONSTANT(PVROM_RBX, 0x0008)
PVROM_CONSTANT(PVROM_RSI, 0x0040)
PVROM_CONSTANT(PVROM_RDI, 0x0080)
PVROM_CONSTANT(PVROM_R8, 0x0100)
PVROM_CONSTANT(PVROM_R9, 0x0200)
PVROM_CONSTANT(PVROM_R10, 0x0400)
PVROM_CONSTANT(PVROM_R11, 0x0800)
/* What a function of the System V ABI may change: rax rcx rdx rsi rdi r8 to r11. */
PVROM_CONSTANT(PVROM_REGS_SYSV, 0x0fc7)
PVROM_CONSTANTS_END

/* Properties of a call; the seventh column of the table. */
PVROM_CONSTANTS_BEGIN
/* Returns something in rdx. */
PVROM_CONSTANT(PVROM_CALL_VALUE, 0x01)
/* Takes and returns nothing in registers: see above. */
PVROM_CONSTANT(PVROM_CALL_VOID, 0x02)
/* Control does not come back to the site, which is patched with a jump instead of a call. */
PVROM_CONSTANT(PVROM_CALL_JUMP, 0x04)
/* The site may have no kernel stack, or the instruction uses it: never patched with a call. */
PVROM_CONSTANT(PVROM_CALL_NOCALL, 0x08)
/* Not defined by this version: the number is reserved and answered NOT_SUPPORTED. */
PVROM_CONSTANT(PVROM_CALL_RESERVED, 0x10)
PVROM_CONSTANTS_END

/* What stands at a site of the call in a kernel that runs native; the sixth column. */
PVROM_CONSTANTS_BEGIN
PVROM_CONSTANT(PVROM_NATIVE_NOTHING, 0) /* no native form: the call exists only on a host */
PVROM_CONSTANT(PVROM_NATIVE_INSN, 1)	/* the instruction, operands in fixed registers */
PVROM_CONSTANT(PVROM_NATIVE_CALL, 2)	/* a call of the kernel's own function (System V) */
PVROM_CONSTANTS_END

/*
 * X(GROUP, NAME, number, feature, arguments, native form, properties,
 *   registers that the native form changes, native form for people, what it does)
 *
 * The number is the group in bits 15:8 and an index in bits 7:0. FEATURE is the feature bit that
 * must be in the sealed set; BASE calls need none.
 */
#define PVROM_BASE_CALLS(X)                                                                        \
	X(BASE, VERSION, 0x0000, BASE, 0, NOTHING, 0x01, 0, "",                                    \
	  "the version served: major in bits 31:16, minor in bits 15:0")                           \
	X(BASE, QUERY, 0x0001, BASE, 2, NOTHING, 0, 0, "", "fill in struct pvrom_offer")           \
	X(BASE, NEGOTIATE, 0x0002, BASE, 2, NOTHING, 0, 0, "", "propose or commit a set")          \
	X(BASE, VCPU_AREA, 0x0003, BASE, 2, NOTHING, 0, 0, "",                                     \
	  "register or release this vCPU's area")                                                  \
	X(BASE, LOG, 0x0004, BASE, 2, NOTHING, 0, 0, "", "a line of text for the host's log")      \
	X(BASE, BATCH, 0x0005, BASE, 2, NOTHING, 0x01, 0, "", "several calls with one crossing")   \
	X(BASE, RESET, 0x0006, BASE, 1, NOTHING, 0, 0, "", "give everything back")                 \
	X(BASE, SHUTDOWN, 0x0007, BASE, 2, NOTHING, 0, 0, "",                                      \
	  "power off, restart or report a crash")

#define PVROM_CPU_CALLS(X)                                                                         \
	X(CPU, CLI, 0x0100, CPU, 0, INSN, 0, 0, "cli", "interrupts off")                           \
	X(CPU, STI, 0x0101, CPU, 0, INSN, 0, 0, "sti", "interrupts on")                            \
	X(CPU, SAVE_FLAGS, 0x0102, CPU, 0, INSN, 0x09, 0x0001, "pushfq; pop %rax", "read rflags")  \
	X(CPU, RESTORE_FLAGS, 0x0103, CPU, 1, INSN, 0x08, 0, "push %rdi; popfq", "write rflags")   \
	X(CPU, STI_HALT, 0x0104, CPU, 0, INSN, 0, 0, "sti; hlt",                                   \
	  "interrupts on and wait for one, with no gap between")                                   \
	X(CPU, HALT, 0x0105, CPU, 0, INSN, 0, 0, "hlt", "wait")                                    \
	X(CPU, IRET, 0x0106, CPU, 0, INSN, 0x0c, 0, "iretq", "return from an interrupt")           \
	X(CPU, SYSRET, 0x0107, CPU, 0, INSN, 0x0c, 0, "sysretq", "return from a system call")      \
	X(CPU, SWAPGS, 0x0108, CPU, 0, INSN, 0x08, 0, "swapgs", "exchange the GS bases")           \
	X(CPU, READ_CR0, 0x0109, CPU, 0, INSN, 0x01, 0x0001, "mov %cr0,%rax", "read CR0")          \
	X(CPU, WRITE_CR0, 0x010a, CPU, 1, INSN, 0, 0, "mov %rdi,%cr0", "write CR0")                \
	X(CPU, CLTS, 0x010b, CPU, 0, INSN, 0, 0, "clts", "clear CR0.TS")                           \
	X(CPU, READ_CR2, 0x010c, CPU, 0, INSN, 0x01, 0x0001, "mov %cr2,%rax", "read CR2")          \
	X(CPU, WRITE_CR2, 0x010d, CPU, 1, INSN, 0, 0, "mov %rdi,%cr2", "write CR2")                \
	X(CPU, READ_CR3, 0x010e, CPU, 0, INSN, 0x01, 0x0001, "mov %cr3,%rax", "read CR3")          \
	X(CPU, WRITE_CR3, 0x010f, CPU, 1, INSN, 0, 0, "mov %rdi,%cr3", "write CR3")                \
	X(CPU, READ_CR4, 0x0110, CPU, 0, INSN, 0x01, 0x0001, "mov %cr4,%rax", "read CR4")          \
	X(CPU, WRITE_CR4, 0x0111, CPU, 1, INSN, 0, 0, "mov %rdi,%cr4", "write CR4")                \
	X(CPU, READ_CR8, 0x0112, CPU, 0, INSN, 0x01, 0x0001, "mov %cr8,%rax", "read CR8")          \
	X(CPU, WRITE_CR8, 0x0113, CPU, 1, INSN, 0, 0, "mov %rdi,%cr8", "write CR8")                \
	X(CPU, READ_DR6, 0x0114, CPU, 0, INSN, 0x01, 0x0001, "mov %dr6,%rax", "read DR6")          \
	X(CPU, WRITE_DR6, 0x0115, CPU, 1, INSN, 0, 0, "mov %rdi,%dr6", "write DR6")                \
	X(CPU, READ_DR7, 0x0116, CPU, 0, INSN, 0x01, 0x0001, "mov %dr7,%rax", "read DR7")          \
	X(CPU, WRITE_DR7, 0x0117, CPU, 1, INSN, 0, 0, "mov %rdi,%dr7", "write DR7")                \
	X(CPU, WRITE_DR0, 0x0118, CPU, 1, INSN, 0, 0, "mov %rdi,%dr0", "write DR0")                \
	X(CPU, WRITE_DR1, 0x0119, CPU, 1, INSN, 0, 0, "mov %rdi,%dr1", "write DR1")                \
	X(CPU, WRITE_DR2, 0x011a, CPU, 1, INSN, 0, 0, "mov %rdi,%dr2", "write DR2")                \
	X(CPU, WRITE_DR3, 0x011b, CPU, 1, INSN, 0, 0, "mov %rdi,%dr3", "write DR3")                \
	X(CPU, READ_MSR, 0x011c, CPU, 1, INSN, 0x01, 0x0005, "rdmsr", "read the MSR in ecx")       \
	X(CPU, WRITE_MSR, 0x011d, CPU, 2, INSN, 0, 0, "wrmsr", "write edx:eax to the MSR in ecx")  \
	X(CPU, CPUID, 0x011e, CPU, 2, INSN, 0x01, 0x000f, "cpuid", "leaf eax, subleaf ecx")        \
	X(CPU, LOAD_GDT, 0x011f, CPU, 1, INSN, 0, 0, "lgdt (%rdi)", "load GDTR")                   \
	X(CPU, LOAD_IDT, 0x0120, CPU, 1, INSN, 0, 0, "lidt (%rdi)", "load IDTR")                   \
	X(CPU, LOAD_LDT, 0x0121, CPU, 1, INSN, 0, 0, "lldt %di", "load LDTR")                      \
	X(CPU, LOAD_TR, 0x0122, CPU, 1, INSN, 0, 0, "ltr %di", "load TR")                          \
	X(CPU, STORE_GDT, 0x0123, CPU, 1, INSN, 0, 0, "sgdt (%rdi)", "store GDTR")                 \
	X(CPU, STORE_IDT, 0x0124, CPU, 1, INSN, 0, 0, "sidt (%rdi)", "store IDTR")                 \
	X(CPU, STORE_TR, 0x0125, CPU, 0, INSN, 0x01, 0x0001, "str %rax", "store TR")               \
	X(CPU, STORE_LDT, 0x0126, CPU, 0, INSN, 0x01, 0x0001, "sldt %rax", "store LDTR")           \
	X(CPU, IN8, 0x0127, CPU, 1, INSN, 0x01, 0x0001, "in %dx,%al", "read a port, 8 bits")       \
	X(CPU, IN16, 0x0128, CPU, 1, INSN, 0x01, 0x0001, "in %dx,%ax", "read a port, 16 bits")     \
	X(CPU, IN32, 0x0129, CPU, 1, INSN, 0x01, 0x0001, "in %dx,%eax", "read a port, 32 bits")    \
	X(CPU, OUT8, 0x012a, CPU, 2, INSN, 0, 0, "out %al,%dx", "write a port, 8 bits")            \
	X(CPU, OUT16, 0x012b, CPU, 2, INSN, 0, 0, "out %ax,%dx", "write a port, 16 bits")          \
	X(CPU, OUT32, 0x012c, CPU, 2, INSN, 0, 0, "out %eax,%dx", "write a port, 32 bits")         \
	X(CPU, WBINVD, 0x012d, CPU, 0, INSN, 0, 0, "wbinvd", "write back and empty the caches")    \
	X(CPU, PAUSE, 0x012e, CPU, 0, INSN, 0x02, 0, "pause", "this CPU spins: let others run")    \
	X(CPU, WRITE_XCR, 0x012f, CPU, 2, INSN, 0, 0, "xsetbv", "write edx:eax to the XCR in ecx") \
	X(CPU, STAC, 0x0130, CPU, 0, INSN, 0x08, 0, "stac", "allow access to user pages")          \
	X(CPU, CLAC, 0x0131, CPU, 0, INSN, 0x08, 0, "clac", "forbid access to user pages")

#define PVROM_IRQ_CALLS(X)                                                                         \
	X(IRQ, ROUTE, 0x0200, IRQ, 3, CALL, 0, 0x0fc7, "I/O APIC entry",                           \
	  "deliver an interrupt source as a vector to a vCPU")                                     \
	X(IRQ, MASK, 0x0201, IRQ, 2, CALL, 0, 0x0fc7, "I/O APIC entry", "mask or unmask a source") \
	X(IRQ, EOI, 0x0202, IRQ, 0, CALL, 0x02, 0x0fc7, "local APIC EOI",                          \
	  "end the interrupt in service")                                                          \
	X(IRQ, SEND, 0x0203, IRQ, 3, CALL, 0, 0x0fc7, "local APIC ICR",                            \
	  "send a vector, or NMI, to a set of vCPUs")

#define PVROM_SMP_CALLS(X)                                                                         \
	X(SMP, START, 0x0300, SMP, 2, CALL, 0, 0x0fc7, "INIT, SIPI",                               \
	  "start a vCPU in a given 64-bit state")                                                  \
	X(SMP, STOP, 0x0301, SMP, 0, CALL, 0, 0x0fc7, "cli; hlt", "stop the calling vCPU")         \
	X(SMP, KICK, 0x0302, SMP, 1, CALL, 0, 0x0fc7, "IPI", "wake a vCPU from halt")

#define PVROM_CLOCK_CALLS(X)                                                                       \
	X(CLOCK, PAGE, 0x0400, CLOCK, 2, NOTHING, 0, 0, "", "register or release the clock page")  \
	X(CLOCK, WALL, 0x0401, CLOCK, 1, NOTHING, 0, 0, "", "the time of day, once")               \
	X(CLOCK, ALARM_SET, 0x0402, ALARM, 1, CALL, 0, 0x0fc7, "TSC deadline or local APIC timer", \
	  "interrupt this vCPU when its TSC reaches a value")                                      \
	X(CLOCK, ALARM_CANCEL, 0x0403, ALARM, 0, CALL, 0, 0x0fc7,                                  \
	  "TSC deadline or local APIC timer", "no alarm after this returns")                       \
	X(CLOCK, STOLEN, 0x0404, CLOCK, 1, NOTHING, 0x01, 0, "", "stolen nanoseconds of a vCPU")   \
	X(CLOCK, ALARM_AVAILABLE, 0x0405, CLOCK, 1, NOTHING, 0, 0, "",                             \
	  "interrupt this vCPU when its available time reaches a value")                           \
	X(CLOCK, NOW, 0x0406, CLOCK, 0, CALL, 0x01, 0x0fc7, "the clock page or the TSC",           \
	  "monotonic nanoseconds; where there is a page that is read instead")

#define PVROM_MMU_CALLS(X)                                                                         \
	X(MMU, REGISTER_TABLE, 0x0500, MMU, 3, NOTHING, 0, 0, "", "a page becomes a table")        \
	X(MMU, RELEASE_TABLE, 0x0501, MMU, 1, NOTHING, 0, 0, "", "a page is no table any more")    \
	X(MMU, SET_ENTRY, 0x0502, MMU, 2, INSN, 0, 0, "mov %rsi,(%rdi)",                           \
	  "store an entry; the call takes its gpa")                                                \
	X(MMU, SWAP_ENTRY, 0x0503, MMU, 2, INSN, 0x01, 0x0001, "xchg %rax,(%rdi)",                 \
	  "exchange an entry and return the old one with its A and D bits")                        \
	X(MMU, NOTIFY, 0x0504, MMU, 2, NOTHING, 0, 0, "",                                          \
	  "entries were written: gpa of the first, how many")                                      \
	X(MMU, ENTRIES, 0x0505, MMU, 2, NOTHING, 0, 0, "",                                         \
	  "words as in a ring: gpa of the first, how many")                                        \
	X(MMU, RANGE, 0x0506, MMU, 4, NOTHING, 0x01, 0, "",                                        \
	  "protect, clear or flush a range of an address space")                                   \
	X(MMU, SWITCH_ROOT, 0x0507, MMU, 1, INSN, 0, 0, "mov %rdi,%cr3", "switch address space")   \
	X(MMU, FLUSH_ONE, 0x0508, MMU, 1, INSN, 0, 0, "invlpg (%rdi)", "flush one page")           \
	X(MMU, FLUSH_RANGE, 0x0509, MMU, 1, NOTHING, 0, 0, "", "flush a range of pages")           \
	X(MMU, FLUSH_ALL, 0x050a, MMU, 0, NOTHING, 0, 0, "", "flush everything")                   \
	X(MMU, FLUSH_SET, 0x050b, MMU, 4, NOTHING, 0, 0, "", "flush on a set of CPUs")             \
	X(MMU, LAZY_BEGIN, 0x050c, MMU, 0, NOTHING, 0x10, 0, "",                                   \
	  "updates may wait: needs no call, the ring holds them")                                  \
	X(MMU, LAZY_END, 0x050d, MMU, 0, NOTHING, 0, 0, "", "updates are due: drain the rings")    \
	X(MMU, RING, 0x050e, MMU, 1, NOTHING, 0, 0, "", "register or release this vCPU's ring")    \
	X(MMU, FILL, 0x050f, MMU_FAULT, 2, NOTHING, 0, 0, "", "make a hidden entry visible")       \
	X(MMU, RESIDENT, 0x0510, MMU_FAULT, 2, NOTHING, 0, 0, "",                                  \
	  "pages that must never be hidden")                                                       \
	X(MMU, FAULTS, 0x0511, MMU_FAULT, 1, NOTHING, 0, 0, "",                                    \
	  "page faults go straight to this vCPU, or not")                                          \
	X(MMU, MAP, 0x0512, MMU, 3, NOTHING, 0, 0, "", "take over a map of table pages")

#define PVROM_DEV_CALLS(X)                                                                         \
	X(DEV, LIST, 0x0600, DEV, 2, NOTHING, 0x01, 0, "", "what devices there are")               \
	X(DEV, CONFIGURE, 0x0601, DEV, 3, NOTHING, 0x01, 0, "", "configure a device")              \
	X(DEV, NOTIFY, 0x0602, DEV, 1, NOTHING, 0, 0, "", "ring a doorbell")

#define PVROM_MEM_CALLS(X)                                                                         \
	X(MEM, BALLOON_OUT, 0x0700, MEM, 2, NOTHING, 0x10, 0, "", "give pages back to the host")   \
	X(MEM, BALLOON_IN, 0x0701, MEM, 2, NOTHING, 0x10, 0, "", "take pages from the host")       \
	X(MEM, REPORT_FREE, 0x0702, MEM, 2, NOTHING, 0x10, 0, "", "report free pages")             \
	X(MEM, SHARE, 0x0703, MEM, 2, NOTHING, 0x10, 0, "", "hint that pages are alike")

#define PVROM_CALL_TABLE(X)                                                                        \
	PVROM_BASE_CALLS(X)                                                                        \
	PVROM_CPU_CALLS(X)                                                                         \
	PVROM_IRQ_CALLS(X)                                                                         \
	PVROM_SMP_CALLS(X)                                                                         \
	PVROM_CLOCK_CALLS(X)                                                                       \
	PVROM_MMU_CALLS(X)                                                                         \
	PVROM_DEV_CALLS(X)                                                                         \
	PVROM_MEM_CALLS(X)

/*
 * X(NAME, number, version of the group: major in bits 15:8, minor in bits 7:0, name for people,
 *   counter of its first call, counters)
 *
 * Each call has a counter in the vCPU area (vcpu.h): that of its group's first call, plus its index.
 * A group has more of them than calls, for those of later versions, and keeps its place.
 */
#define PVROM_GROUP_TABLE(X)                                                                       \
	X(BASE, 0, 0x0100, "base", 0, 16)                                                          \
	X(CPU, 1, 0x0100, "cpu", 16, 80)                                                           \
	X(IRQ, 2, 0x0100, "irq", 96, 16)                                                           \
	X(SMP, 3, 0x0100, "smp", 112, 16)                                                          \
	X(CLOCK, 4, 0x0100, "clock", 128, 16)                                                      \
	X(MMU, 5, 0x0100, "mmu", 144, 48)                                                          \
	X(DEV, 6, 0x0100, "dev", 192, 16)                                                          \
	X(MEM, 7, 0x0000, "mem", 208, 16)

/* The constants: PVROM_CPU_CLI and so on. */
#define PVROM_CALL_CONSTANT_(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)  \
	PVROM_CONSTANT(PVROM_##GROUP##_##NAME, number)
#define PVROM_GROUP_CONSTANT_(NAME, number, version, name, first, counters)                        \
	PVROM_CONSTANT(PVROM_GROUP_##NAME, number)                                                 \
	PVROM_CONSTANT(PVROM_COUNTER_##NAME, first)                                                \
	PVROM_CONSTANT(PVROM_COUNTERS_##NAME, counters)
PVROM_CONSTANTS_BEGIN
PVROM_CALL_TABLE(PVROM_CALL_CONSTANT_)
PVROM_GROUP_TABLE(PVROM_GROUP_CONSTANT_)
PVROM_CONSTANT(PVROM_GROUP_COUNT, 8)
PVROM_CONSTANT(PVROM_COUNTER_COUNT, 224)
PVROM_CONSTANTS_END

/* The arguments of single calls. */
PVROM_CONSTANTS_BEGIN
/* NEGOTIATE, argument 1. */
PVROM_CONSTANT(PVROM_NEGOTIATE_PROPOSE, 0)
PVROM_CONSTANT(PVROM_NEGOTIATE_COMMIT, 1)
/* LOG: most bytes in a line. */
PVROM_CONSTANT(PVROM_LOG_MAX, 256)
/* BATCH: most entries in a batch, and most that are done before the call returns CONTINUE. */
PVROM_CONSTANT(PVROM_BATCH_MAX, 4096)
PVROM_CONSTANT(PVROM_BATCH_BOUND, 64)
/* RESET, argument 0. */
PVROM_CONSTANT(PVROM_RESET_FORCE, 1)
/* SHUTDOWN, argument 0. Argument 1 is a code of 0 to 127 for whoever started the machine. */
PVROM_CONSTANT(PVROM_SHUTDOWN_OFF, 0)
PVROM_CONSTANT(PVROM_SHUTDOWN_RESTART, 1)
PVROM_CONSTANT(PVROM_SHUTDOWN_CRASH, 2)
/* IRQ_SEND, argument 0: a vector from 32 to 255, or this alone. */
PVROM_CONSTANT(PVROM_IRQ_SEND_NMI, 0x100)
/* The lowest vector that a guest may name anywhere. */
PVROM_CONSTANT(PVROM_VECTOR_MIN, 32)
PVROM_CONSTANTS_END
/* VCPU_AREA, argument 0: release the area of this vCPU. */
#define PVROM_VCPU_AREA_NONE PVROM_U64(0xffffffffffffffff)

#ifndef __ASSEMBLER__
/* The counters of the groups stand one behind the other, and each call has its own. */
#define PVROM_COUNTERS_FIT_(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)   \
	PVROM_STATIC_ASSERT(((number)&0xff) < (int)PVROM_COUNTERS_##GROUP, #GROUP "." #NAME);
PVROM_CALL_TABLE(PVROM_COUNTERS_FIT_)
#define PVROM_COUNTERS_SUM_(NAME, number, version, name, first, counters) +(counters)
PVROM_STATIC_ASSERT((0 PVROM_GROUP_TABLE(PVROM_COUNTERS_SUM_)) == (int)PVROM_COUNTER_COUNT,
		    "counters");
#define PVROM_COUNTERS_BEHIND_(ONE, OTHER)                                                         \
	PVROM_STATIC_ASSERT((int)PVROM_COUNTER_##OTHER ==                                          \
				    (int)PVROM_COUNTER_##ONE + (int)PVROM_COUNTERS_##ONE,          \
			    #OTHER);
PVROM_COUNTERS_BEHIND_(BASE, CPU)
PVROM_COUNTERS_BEHIND_(CPU, IRQ)
PVROM_COUNTERS_BEHIND_(IRQ, SMP)
PVROM_COUNTERS_BEHIND_(SMP, CLOCK)
PVROM_COUNTERS_BEHIND_(CLOCK, MMU)
PVROM_COUNTERS_BEHIND_(MMU, DEV)
PVROM_COUNTERS_BEHIND_(DEV, MEM)

/*
 * One entry of a batch. The entries are done in order, whatever status each of them gets; BATCH
 * returns how many it has reached: all (OK), or PVROM_BATCH_BOUND of them (CONTINUE; the guest calls
 * again with the rest). NEGOTIATE, BATCH, RESET, SHUTDOWN and SMP_STOP are INVALID in an entry.
 *
 *	0x00	call		guest	call number
 *	0x04	status		host	its status; untouched for entries not reached
 *	0x08	arg[4]		guest
 *	0x28	value		host
 *	0x30
 */
struct pvrom_batch_entry {
	uint32_t call;
	uint32_t status;
	uint64_t arg[4];
	uint64_t value;
};
PVROM_OFFSET_IS(pvrom_batch_entry, call, 0x00);
PVROM_OFFSET_IS(pvrom_batch_entry, status, 0x04);
PVROM_OFFSET_IS(pvrom_batch_entry, arg, 0x08);
PVROM_OFFSET_IS(pvrom_batch_entry, value, 0x28);
PVROM_SIZE_IS(pvrom_batch_entry, 0x30);

/*
 * SMP_START: the state in which a vCPU begins. It begins at rip in 64-bit mode at privilege level
 * 0, with interrupts off, flat code and data segments whose selectors are given, and all
 * registers not named here zero. A host refuses (INVALID) a state that the processor refuses.
 *
 *	0x00	size		guest	bytes of this structure, 0x80
 *	0x04	reserved	guest	zero
 *	0x08	rip		guest	canonical
 *	0x10	rsp		guest
 *	0x18	rdi		guest	handed to the code at rip
 *	0x20	cr0		guest	PE, PG set
 *	0x28	cr3		guest
 *	0x30	cr4		guest	PAE set
 *	0x38	efer		guest	LME and LMA set
 *	0x40	gdt_base	guest	GDTR
 *	0x48	idt_base	guest	IDTR
 *	0x50	gs_base		guest
 *	0x58	fs_base		guest
 *	0x60	pat		guest	IA32_PAT
 *	0x68	gdt_limit	guest
 *	0x6a	idt_limit	guest
 *	0x6c	cs		guest	selector of a 64-bit code segment
 *	0x6e	ss		guest	selector of a data segment; also DS, ES, FS, GS
 *	0x70	reserved2[2]	guest	zero
 *	0x80
 */
struct pvrom_smp_state {
	uint32_t size;
	uint32_t reserved;
	uint64_t rip;
	uint64_t rsp;
	uint64_t rdi;
	uint64_t cr0;
	uint64_t cr3;
	uint64_t cr4;
	uint64_t efer;
	uint64_t gdt_base;
	uint64_t idt_base;
	uint64_t gs_base;
	uint64_t fs_base;
	uint64_t pat;
	uint16_t gdt_limit;
	uint16_t idt_limit;
	uint16_t cs;
	uint16_t ss;
	uint64_t reserved2[2];
};
PVROM_OFFSET_IS(pvrom_smp_state, size, 0x00);
PVROM_OFFSET_IS(pvrom_smp_state, rip, 0x08);
PVROM_OFFSET_IS(pvrom_smp_state, rsp, 0x10);
PVROM_OFFSET_IS(pvrom_smp_state, rdi, 0x18);
PVROM_OFFSET_IS(pvrom_smp_state, cr0, 0x20);
PVROM_OFFSET_IS(pvrom_smp_state, cr3, 0x28);
PVROM_OFFSET_IS(pvrom_smp_state, cr4, 0x30);
PVROM_OFFSET_IS(pvrom_smp_state, efer, 0x38);
PVROM_OFFSET_IS(pvrom_smp_state, gdt_base, 0x40);
PVROM_OFFSET_IS(pvrom_smp_state, idt_base, 0x48);
PVROM_OFFSET_IS(pvrom_smp_state, gs_base, 0x50);
PVROM_OFFSET_IS(pvrom_smp_state, fs_base, 0x58);
PVROM_OFFSET_IS(pvrom_smp_state, pat, 0x60);
PVROM_OFFSET_IS(pvrom_smp_state, gdt_limit, 0x68);
PVROM_OFFSET_IS(pvrom_smp_state, idt_limit, 0x6a);
PVROM_OFFSET_IS(pvrom_smp_state, cs, 0x6c);
PVROM_OFFSET_IS(pvrom_smp_state, ss, 0x6e);
PVROM_OFFSET_IS(pvrom_smp_state, reserved2, 0x70);
PVROM_SIZE_IS(pvrom_smp_state, 0x80);
#endif

#endif
