/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Page tables of address spaces that come and go: their pages, and every change of them, in the
 * order in which a kernel must do these things whether or not anybody is told of them.
 */
#ifndef KERNEL_TABLES_H
#define KERNEL_TABLES_H

#include "lib.h"

/* Sets memory aside for table pages. Once; before any other function here. */
void tables_init(void);
/* A table of LEVEL (1 to 4) without entries. Panics when there are no more. */
uint64_t *table_new(int level);
/* A table of LEVEL with the entries that FROM has now. */
uint64_t *table_clone(int level, const uint64_t *from);
/* TABLE is no longer reachable from any entry, and no CPU has it loaded. */
void table_free(uint64_t *table);
/* Writes one entry. What it replaces may stay in TLBs until a flush. */
void table_set(uint64_t *entry, uint64_t value);
/* The same in one step with reading what it replaces, A and D of any access before among it. */
uint64_t table_swap(uint64_t *entry, uint64_t value);
/* Takes PTE_W from COUNT entries of one table, from FIRST; absent ones stay. No flush. */
void table_protect(uint64_t *first, unsigned count);
/* Makes COUNT entries of one table, from FIRST, writable (and dirty) again; absent ones stay. */
void table_unprotect(uint64_t *first, unsigned count);
/* Makes COUNT entries of one table, from FIRST, absent. No flush. */
void table_clear(uint64_t *first, unsigned count);
/* Loads ROOT on this CPU, which flushes what the root before has left. */
void table_switch(uint64_t *root);
/* Flushes one page, some, or all, of the root loaded on this CPU, which was loaded by table_switch(). */
void table_flush_page(uint64_t va);
/* Entries have been set that were not present: nothing to flush, but whoever shadows them may look ahead. */
void table_new_entries(void);
void table_flush_range(uint64_t va, uint64_t pages);
void table_flush(void);

#endif
