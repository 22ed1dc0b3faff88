/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What many facts need: pages to provoke the MMU with, the simplest accesses, a second CPU. */
#ifndef KERNEL_SUITE_FACT_TOOLS_H
#define KERNEL_SUITE_FACT_TOOLS_H

#include "cpu.h"
#include "fact.h"
#include "cpu_features.h"
#include "paging.h"
#include "traps.h"
#include "user.h"

/* Leaf flags of test pages: kernel or user, read, write, execute. */
#define K_RW (PTE_P | PTE_W | PTE_NX)
#define K_RO (PTE_P | PTE_NX)
#define K_RX PTE_P
#define U_RW (PTE_P | PTE_W | PTE_U | PTE_NX)
#define U_RO (PTE_P | PTE_U | PTE_NX)
#define U_RX (PTE_P | PTE_U)

#define CODE_RET 0xc3

/*
 * Empties the test area (512 GiB from TEST_BASE) on this CPU, TLB included.
 * Old tables and pages are not given back: a run of the suite is short.
 */
void test_clear(void);
/* A fresh zeroed page, mapped at VA with FLAGS; returns it by the one-to-one map. */
uint64_t *test_page(uint64_t va, uint64_t flags);
/* Maps PAGE there. Flushes nothing. */
void test_map(uint64_t va, const void *page, uint64_t flags);
/* One of two 2 MiB blocks, zeroed at the first call only, the same ones for all facts. */
uint64_t *test_block(unsigned which);
/* The entry of LEVEL for VA, and writing it, by the shim, with and without INVLPG. */
uint64_t *test_entry(uint64_t va, int level);
void test_set(uint64_t va, int level, uint64_t value);
void test_set_flush(uint64_t va, int level, uint64_t value);
/* Flushes all TLB entries of this CPU, global ones too (SDM vol. 3A 4.10.4.1). */
void test_flush_all(void);

/* For trap_try(): 8 bytes read, or 8 bytes (0x5a) written, or a call. */
void try_read(uint64_t va);
void try_write(uint64_t va);
void try_call(uint64_t va);
extern const char try_read_at[], try_write_at[];
#define TRY_WRITES 0x5aull

/* For user_call(): the same in user mode; RDX keeps what was read. */
extern const char user_read[], user_write[], user_jump[], user_nothing[];

/* CPU 1 if there is one, else CPU 0. */
uint32_t other_cpu(void);
/* An interrupt of VECTOR to this CPU, which has interrupts on, taken before it returns. */
bool self_interrupt(unsigned vector);

#endif
