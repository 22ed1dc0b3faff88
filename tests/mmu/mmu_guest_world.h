/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest half of pvmmu/ on the machine of mmu_world.h: its calls reach the engine, its tables are that
 * machine's memory, and its accesses are judged by the oracle. One CPU runs at a time: `self`.
 *
 * Address space: one root for all CPUs, seventeen pages. Pages 0 to 7 have the last entries of one leaf table,
 * 8 to 15 the first of the next one, which lies behind it in memory; page 16 has no table of its own yet. All
 * memory is at GW_DIRECT too, by large pages: through that the kernel stores.
 */
#ifndef TESTS_MMU_GUEST_WORLD_H
#define TESTS_MMU_GUEST_WORLD_H

#include <pvrom/mmu.h>
#include <pvrom/mmu_guest.h>

#include "mmu_world.h"

#define PTE_P 0x001ull
#define PTE_W 0x002ull
#define PTE_U 0x004ull
#define PTE_A 0x020ull
#define PTE_D 0x040ull
#define PTE_PS 0x080ull
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull
#define PTE_TABLE (PTE_P | PTE_W | PTE_U | PTE_A)
#define PTE_DATA (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)

#define GW_BASE 0x500000000000ull
#define GW_VA(i) ((i) < 16 ? GW_BASE + (504ull + (i)) * 4096 : GW_BASE + 0x600000)
#define GW_PAGES 17
#define GW_DIRECT 0xffff800000000000ull

struct gw {
	struct pvrom_guest guest;
	struct pvrom_mmu_guest mmu;
	struct pvrom_mmu_cpu cpu[WORLD_VCPUS];
	uint32_t self;
	uint32_t slots;	     /* of each ring */
	uint32_t calls[256]; /* of group mmu, by the low byte of their number */
	uint32_t all_calls;
	/* Comes before each call; a status other than OK is the answer, and the host does not see the call. */
	uint32_t (*on_call)(uint32_t call);
	bool in_host;  /* a call is under way */
	bool deaf;     /* calls are answered OK, and the host does not see them */
	uint64_t root; /* gpa */
	bool table_used[WORLD_DATA];
	bool has_resident; /* the test has declared a resident set */
	uint64_t rip;	   /* of the access that is under way */
	uint64_t want[GW_PAGES];
};
extern struct gw gw;

/* Opens the machine. calls: the features are sealed, rings registered, tables too. */
void gw_open(uint32_t vcpus, uint32_t pool, uint32_t slots, bool calls);
void gw_close(void);
/* Another kernel starts in the same memory: nothing of the guest half's state is kept. */
void gw_boot_again(void);
/* Proposes and commits the set on this CPU, until the epoch rests; a status. */
uint32_t gw_negotiate(uint64_t wanted);
/* As a kernel does after a change of the sealed set. */
void gw_update(void);
/* Faults straight to all CPUs, with a resident set of one page unless the test has declared its own. */
bool gw_faults(bool on);

/* Memory as this process sees it. */
uint64_t *gw_at(uint64_t gpa);
/* A free page for a table; it is not registered. */
uint64_t gw_take(void);
uint64_t *gw_table_new(uint32_t level);
void gw_table_free(uint64_t *table);
/* The entry for an address at a level; NULL if its table is not there. */
uint64_t *gw_entry(uint64_t va, uint32_t level);
uint64_t *gw_leaf(uint32_t page);
/* gpa of the data of a page. */
uint64_t gw_data(uint32_t page);

/* Maps pages 0 to 15 anew, for reading and writing, and flushes. */
void gw_restore(void);
/* Stores an entry by the guest half, as a kernel does: a host that watches the table notices. */
void gw_store(uint64_t *entry, uint64_t value);
/* The same for the entry of a page, which is from now on what is wanted there. */
void gw_set(uint32_t page, uint64_t value);
/* All CPUs flush all pages; each is then read and written on each CPU and compared with the oracle. */
void gw_judge(void);
void gw_flush(void);
/* One access, judged; strict: nothing changed is unflushed. True if it was allowed. */
bool gw_touch(uint32_t vcpu, uint32_t page, bool write, bool strict);

#endif
