/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Small acts that several families of facts provoke, and what they need around them. */
#ifndef KERNEL_SUITE_PROBE_H
#define KERNEL_SUITE_PROBE_H

#include "paging.h"
#include "traps.h"
#include "user.h"

/* Snippets for trap_try(): the argument is the address. */
void probe_read(uint64_t address);
void probe_write(uint64_t address);
void probe_call(uint64_t address);
extern const char probe_read_at[], probe_write_at[];

/* The same in user mode, and the exit alone: arguments a, b, c in RDI, RSI, RDX. */
extern const char probe_user_read[], probe_user_write[], probe_user_jump[], probe_user_nothing[];
extern const char probe_user_read_at[], probe_user_write_at[];

/*
 * Runs WORK with interrupts on until CPU's count of VECTOR has grown by COUNT, at
 * most US microseconds. True if it did.
 */
bool probe_wait_irq(uint32_t cpu, unsigned vector, uint64_t count, uint64_t us);
/* Counts how often VECTOR has come to CPU. */
uint64_t probe_irqs(uint32_t cpu, unsigned vector);

/* An address for test number SLOT, 1 GiB apart. Slot 0 is never mapped. */
uint64_t probe_va(unsigned slot);
/* Maps a fresh zeroed page at probe_va(SLOT) with FLAGS and returns its kernel alias. */
uint64_t *probe_page(unsigned slot, uint64_t flags);

#endif
