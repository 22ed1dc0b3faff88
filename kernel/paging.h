/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Four-level page tables: the kernel's own, and entries for whoever tests the MMU. */
#ifndef KERNEL_PAGING_H
#define KERNEL_PAGING_H

#include "lib.h"
#include "memory.h"

/*
 *	0x0000000000000000  all memory, one to one; text r-x, constants r--, the rest rw-; not the page below a stack
 *	0x0000400000000000  user pages (USER_BASE): text, then data
 *	0x0000600000000000  test mappings (TEST_BASE), nobody's in between
 *	0x0000700000000000  alias windows for writing kernel text, one pair of pages a CPU
 */
#define USER_BASE 0x0000400000000000ull
#define TEST_BASE 0x0000600000000000ull
#define ALIAS_BASE 0x0000700000000000ull

#define PTE_P BIT(0)
#define PTE_W BIT(1)
#define PTE_U BIT(2)
#define PTE_PWT BIT(3)
#define PTE_PCD BIT(4)
#define PTE_A BIT(5)
#define PTE_D BIT(6)
#define PTE_PS BIT(7)
#define PTE_G BIT(8)
#define PTE_NX BIT(63)
#define PTE_ADDRESS 0x000ffffffffff000ull

/* Error-code bits of #PF (SDM vol. 3A 4.7). */
#define PF_P BIT(0)
#define PF_W BIT(1)
#define PF_U BIT(2)
#define PF_RSVD BIT(3)
#define PF_I BIT(4)

/* Builds the kernel's tables and loads them on this CPU; call after memory_init(). */
void paging_init(void);
/* Loads the kernel's tables on a CPU that came through the trampoline. */
void paging_init_ap(void);
extern uint64_t *paging_root;

/*
 * The entry of level LEVEL (1: 4 KiB, 2: 2 MiB, 3: 1 GiB, 4) for VA below ROOT,
 * or NULL if a table on the way is missing or a large page stands there.
 */
uint64_t *paging_entry(uint64_t *root, uint64_t va, int level);
/*
 * Writes the entry PA | FLAGS at LEVEL, making the tables on the way (present,
 * writable, user; the leaf decides). Flushes nothing.
 */
void paging_map(uint64_t *root, uint64_t va, uint64_t pa, uint64_t flags, int level);
/* Maps [pa, pa + size) uncached at its own address on all CPUs' tables, NX. */
void paging_map_device(uint64_t pa, uint64_t size);
/* Changes the permission bits (PTE_W, PTE_NX) of whole 4 KiB pages of the one-to-one map here. */
void paging_protect(uint64_t start, uint64_t bytes, uint64_t flags);
/*
 * Writes kernel text, or any read-only kernel page, through a writable alias
 * that only this CPU has, until paging_poke_end(). One CPU at a time, with
 * interrupts off from the first poke to the end; what other CPUs do at that
 * address is the caller's business.
 */
void paging_poke(void *to, const void *from, size_t bytes);
void paging_poke_end(void);

#endif
