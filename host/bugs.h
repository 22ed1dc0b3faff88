/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Seeded bugs: mistakes that a host could make, for trying whether the tests find them.
 *
 * They exist in test builds (PVROM_TEST) only, and there only while pvrom_host_bug names one. Each
 * is a mistake that a guest can see. At most three in a group.
 */
#ifndef PVROM_HOST_BUGS_H
#define PVROM_HOST_BUGS_H

/* X(GROUP, NAME, number, name for people, what the host does wrong) */
#define PVROM_HOST_BUG_TABLE(X)                                                                    \
	X(BASE, AREA_SHIFTED, 1, "area-shifted", "the vCPU id stands one field too far")           \
	X(BASE, BATCH_SHORT, 2, "batch-short", "a batch leaves out its last entry")                \
	X(BASE, RESET_ALARM, 3, "reset-alarm", "RESET leaves an alarm running")                    \
	X(CPU, CLI_STI, 4, "cli-sti", "the ROM's cli switches interrupts on")                      \
	X(CPU, RDMSR_HIGH, 5, "rdmsr-high", "the ROM's rdmsr loses the high half")                 \
	X(CPU, CR2_CR3, 6, "cr2-cr3", "the ROM's read of CR2 reads CR3")                           \
	X(IRQ, SEND_SHORT, 7, "send-short", "an IPI misses the last CPU of its set")               \
	X(IRQ, EOI_FORGOTTEN, 8, "eoi-forgotten", "the end of an interrupt is not passed on")      \
	X(IRQ, MASK_INVERTED, 9, "mask-inverted", "masking a source unmasks it")                   \
	X(SMP, START_RDI, 10, "start-rdi", "a started CPU finds 0 in rdi")                         \
	X(SMP, STOP_RUNS, 11, "stop-runs", "a stopped CPU runs on")                                \
	X(SMP, KICK_SELF, 12, "kick-self", "a kick wakes the caller")                              \
	X(CLOCK, ALARM_EARLY, 13, "alarm-early", "alarms come fifty million ticks early")          \
	X(CLOCK, CANCEL_IGNORED, 14, "cancel-ignored", "a cancelled alarm comes all the same")     \
	X(CLOCK, ALARM_VECTOR, 15, "alarm-vector", "alarms come by the epoch's vector")            \
	X(DISCOVERY, CPUID_CHECKSUM, 16, "cpuid-checksum", "the CPUID leaf has another checksum")  \
	X(DISCOVERY, LIVE_DEAF, 17, "live-deaf", "the live port does not listen to the nonce")     \
	X(DISCOVERY, CPUID_LEAVES, 18, "cpuid-leaves", "the maximum leaf lies in the next block")  \
	X(NEGOTIATION, NOT_CLOSED, 19, "not-closed", "a set is granted without what it needs")     \
	X(NEGOTIATION, EPOCH_STUCK, 20, "epoch-stuck", "the areas do not get the new epoch")       \
	X(NEGOTIATION, MMU_NESTED, 21, "mmu-nested", "mmu is offered in spite of nested paging")   \
	X(SAVE, SEALED_LOST, 22, "sealed-lost", "a saved state forgets the sealed set")            \
	X(SAVE, LOAD_EPOCH, 23, "load-epoch", "the epoch does not rise when a state is loaded")    \
	X(SAVE, LOAD_ANYTHING, 24, "load-anything", "a damaged saved state is taken")              \
	X(PATCHING, FLAGS_LOST, 25, "flags-lost", "the ROM's write of CR3 switches interrupts on") \
	X(PATCHING, CLOBBERS_LIE, 26, "clobbers-lie", "the ROM's read of CR0 destroys rbx")        \
	X(PATCHING, TEXT_OVERLAP, 27, "text-overlap", "a slot's text reaches into the next")

#ifdef PVROM_TEST
#ifndef __ASSEMBLER__
#include <stdint.h>
enum pvrom_host_bug {
#define PVROM_HOST_BUG_NAME_(GROUP, NAME, number, name, text) PVROM_BUG_##NAME = number,
	PVROM_HOST_BUG_TABLE(PVROM_HOST_BUG_NAME_)
#undef PVROM_HOST_BUG_NAME_
};
/* The one that is switched on, 0 for none. Set it before the machine is set up. */
extern uint32_t pvrom_host_bug;
/* The number of a bug by its name for people, 0 if there is none. */
uint32_t pvrom_host_bug_number(const char *name);
#endif
#define PVROM_BUG(NAME) (pvrom_host_bug == PVROM_BUG_##NAME)
#else
#define PVROM_BUG(NAME) 0
#endif

#endif
