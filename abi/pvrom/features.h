/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Features, which are negotiated one by one, and the reasons why a host withholds one.
 */
#ifndef PVROM_FEATURES_H
#define PVROM_FEATURES_H

#include <pvrom/constants.h>

/*
 * X(NAME, bit, features it depends on (mask of bits), name for people, what it is)
 *
 * A granted set is closed under dependencies. Bits 11 to 63 are not assigned: a host never
 * offers one and a guest that wants one is not granted it.
 */
#define PVROM_FEATURE_TABLE(X)                                                                     \
	X(CPU, 0, 0, "cpu", "privileged instructions served by the ROM")                           \
	X(IRQ, 1, 0, "irq", "interrupts: route, mask, end, send to a set of CPUs")                 \
	X(SMP, 2, 0, "smp", "starting, stopping and kicking CPUs")                                 \
	X(ALARM, 3, 1 << 1, "alarm", "one-shot alarms at an absolute TSC value")                   \
	X(CLOCK, 4, 0, "clock", "the clock page, wall clock and stolen time")                      \
	X(MMU, 5, 0, "mmu", "page tables built together with the host")                            \
	X(DEV, 6, 1 << 1, "dev", "the device bus")                                                 \
	X(BLK, 7, 1 << 6, "blk", "disks on the device bus")                                        \
	X(NET, 8, 1 << 6, "net", "network cards on the device bus")                                \
	X(MEM, 9, 0, "mem", "memory given back, taken again and shared")                           \
	X(MMU_FAULT, 10, 1 << 5, "mmu-fault", "page faults delivered straight to the guest")

#define PVROM_FEATURE_CONSTANT_(NAME, bit, needs, name, text)                                      \
	PVROM_CONSTANT(PVROM_FEATURE_##NAME, bit)
PVROM_CONSTANTS_BEGIN
PVROM_FEATURE_TABLE(PVROM_FEATURE_CONSTANT_)
PVROM_CONSTANT(PVROM_FEATURE_COUNT, 11)
PVROM_CONSTANT(PVROM_FEATURE_MAX, 64)
PVROM_CONSTANTS_END

#define PVROM_FEATURE_BIT(number) (PVROM_U64(1) << (number))

/*
 * X(NAME, number, words for people, explanation)
 *
 * Everybody who tells people why a feature is off uses the words, to the letter.
 * Where several reasons hold, a host gives the one that stands first in this table:
 * the operator's wish, then nested paging, then better hardware, then ownership.
 */
#define PVROM_REASON_TABLE(X)                                                                      \
	X(NONE, 0, "offered", "The feature is offered.")                                           \
	X(OPERATOR, 1, "switched off by the operator",                                             \
	  "Whoever runs this machine asked the host not to offer the feature.")                    \
	X(NESTED_PAGING, 2, "nested paging present",                                               \
	  "The processor walks the guest's own page tables (EPT or NPT), so that every call "      \
	  "about them would only cost time.")                                                      \
	X(HARDWARE, 3, "the hardware does it better",                                              \
	  "The processor does this for the guest without the host, and faster.")                   \
	X(NOT_OWNED, 4, "not owned by this host",                                                  \
	  "Another layer below this host (a kernel's hypervisor module, say) owns the resource.")  \
	X(DEPENDENCY, 5, "a feature it depends on is missing",                                     \
	  "The feature is built on another one that is itself not offered.")                       \
	X(NOT_SUPPORTED, 6, "not supported by this host",                                          \
	  "This host, or this version of it, has no such feature.")

#define PVROM_REASON_CONSTANT_(NAME, number, words, text)                                          \
	PVROM_CONSTANT(PVROM_REASON_##NAME, number)
PVROM_CONSTANTS_BEGIN
PVROM_REASON_TABLE(PVROM_REASON_CONSTANT_)
PVROM_CONSTANT(PVROM_REASON_COUNT, 7)
PVROM_CONSTANTS_END

#endif
