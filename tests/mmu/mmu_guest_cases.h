/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the tests of the guest half do again and again, on the machine of mmu_guest_world.h. */
#ifndef TESTS_MMU_GUEST_CASES_H
#define TESTS_MMU_GUEST_CASES_H

#include "mmu_guest_world.h"

#define GC_VCPUS 2
#define GC_POOL 512
#define GC_SLOTS 64
/* How often a call was made. */
#define GC_CALLS_OF(NAME) gw.calls[PVROM_MMU_##NAME & 0xff]

/* A machine with the calls, all of it right; and its end, where all of it must be right still. */
void gc_begin(void);
void gc_end(void);
struct pvrom_mmu_stats gc_stats(void);
/* Of CPU 0. */
struct pvrom_mmu_ring *gc_ring(void);
/* An entry of a page is stored as a kernel does, and wanted from now on. */
void gc_store(uint32_t page, uint64_t value);
uint64_t gc_gpa_of(const uint64_t *table);

/* 2,048 pages more, in four tables, all with the data of page 0. */
#define GC_BIG 2048u
#define GC_BIG_VA(i) (GW_BASE + 0x40000000ull + (i)*4096ull)
void gc_map_big(void);
/* An access of CPU 0, judged in full; true if it was allowed. */
bool gc_touch_at(uint64_t va, bool write, bool user);

#endif
