/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the files of the guest half know of each other, under the names of the files. */
#ifndef PVROM_MMU_GUEST_INTERNAL_H
#define PVROM_MMU_GUEST_INTERNAL_H

#include <pvrom/mmu_guest.h>

#include "mmu_guest_bugs.h"

#define MMU_ONCE(x) (*(volatile __typeof__(x) *)&(x))
#define MMU_PAGE 4096ull

/* mmu_words.c */
/* This CPU's half, NULL while its words go nowhere. */
struct pvrom_mmu_cpu *pvrom_mmu_this(const struct pvrom_mmu_guest *mmu);
/* Between these, stores that words have announced are under way. */
void pvrom_mmu_enter(struct pvrom_mmu_cpu *cpu);
void pvrom_mmu_exit(struct pvrom_mmu_cpu *cpu);
/*
 * Puts a word, or count words side by side, into the ring. False: there is no room and none can be made now,
 * because this interrupted another store; the caller makes a call instead. Inside enter and exit.
 */
bool pvrom_mmu_put(struct pvrom_mmu_cpu *cpu, const uint64_t *words, uint32_t count);
/* What this CPU has stored so far is done, also in its own lazy section. */
void pvrom_mmu_settle(struct pvrom_mmu_cpu *cpu);

#endif
