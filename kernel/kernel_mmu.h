/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The paravirtual MMU as this kernel uses it: started and stopped with the sealed set. */
#ifndef KERNEL_MMU_H
#define KERNEL_MMU_H

#include <pvrom/mmu_guest.h>

#include "lib.h"

extern struct pvrom_mmu_guest kernel_mmu;

/* Once, before any table is registered: pages [first, first + pages) are where tables lie. */
void kernel_mmu_keep_map(uint64_t first, uint64_t pages);
/* After negotiation, the first and each later one: starts or stops what the sealed set says. */
void kernel_mmu_update(void);
/* On a CPU that has come up, and on one that goes. */
void kernel_mmu_start_cpu(void);
void kernel_mmu_stop_cpu(void);
/* Asks for page faults to come straight to all CPUs, whenever they may. */
void kernel_mmu_want_faults(void);
/* For an entry of a table that is not registered, where no sites may run. False: INVLPG itself is to be used. */
bool kernel_mmu_flush_plain(uint64_t va);
/* The first thing on a #PF: true if the kernel has nothing to do with it. Else *error is right. */
bool kernel_mmu_filter(uint64_t *error, uint64_t rip, uint64_t cs, uint64_t rflags);

#endif
