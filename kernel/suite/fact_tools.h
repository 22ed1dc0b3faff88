/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What many facts need beside probe.h: pages to provoke the MMU with, and a second CPU. */
#ifndef KERNEL_SUITE_FACT_TOOLS_H
#define KERNEL_SUITE_FACT_TOOLS_H

#include "cpu.h"
#include "fact.h"
#include "cpu_features.h"
#include "paging.h"
#include "probe.h"
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
 * Empties the test area (512 GiB from TEST_BASE; probe_va() is elsewhere) on this CPU, TLB included.
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
/* The A and D bits of the entry of LEVEL. */
uint64_t test_accessed_dirty(uint64_t va, int level);
/* Does a read of 8 bytes give VALUE? */
bool test_reads(uint64_t va, uint64_t value);
/* Flushes all TLB entries of this CPU, global ones too (SDM vol. 3A 4.10.4.1). */
void test_flush_all(void);

/* CPU 1 if there is one, else CPU 0. */
uint32_t other_cpu(void);
/*
 * STI; HLT that an alarm ends, US microseconds from now; returns with interrupts on. QEMU's software
 * CPU as a host may forget the shadow of STI; an alarm that comes just there would leave the CPU
 * asleep for good, so a second one follows. True if the first one did.
 */
bool halt_for_alarm(uint64_t us);
/*
 * All CPUs ask NOW for the time, each after another; how often one was told an earlier time than was
 * told before, anywhere. UINT32_MAX if a CPU did not come to an end.
 */
uint32_t times_gone_back(uint64_t (*now)(void));
/* An interrupt of VECTOR to this CPU, which has interrupts on, taken before it returns. */
bool self_interrupt(unsigned vector);

#endif
