/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A guest kernel in little: address spaces in guest memory, changed as kernels change them, by stores
 * through its own mappings, with the announcements and flushes that the interface or the architecture asks for.
 *
 *	L4 slot 0, 1	user: up to 64 pages and 8 large pages, far apart and close by
 *	L4 slot 256	all memory, in large pages (OS_DIRECT)
 *	L4 slot 511	16 global pages (OS_KERNEL), in tables that all spaces share
 */
#ifndef TESTS_MMU_OS_H
#define TESTS_MMU_OS_H

#include "mmu_world.h"

#define PTE_P 0x001ull
#define PTE_W 0x002ull
#define PTE_U 0x004ull
#define PTE_A 0x020ull
#define PTE_D 0x040ull
#define PTE_PS 0x080ull
#define PTE_G 0x100ull
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

#define OS_DIRECT 0xffff800000000000ull
#define OS_KERNEL 0xffffff8000000000ull
#define OS_KERNEL_PAGES 16u
#define OS_SPACES 6
#define OS_VAS 64u
#define OS_LARGE_VAS 8u
#define OS_GIB_VAS 4u
#define OS_RECENT 8u
#define OS_RESIDENT 6u

struct os {
	uint64_t root[OS_SPACES];    /* gpa; 0: there is no such space */
	uint32_t space[WORLD_VCPUS]; /* that the vCPU has loaded */
	uint64_t kernel_l3, direct_l3, kernel_l1;
	uint8_t refs[WORLD_DATA]; /* of table pages */
	uint64_t changed[2048];	  /* entries that got stricter, not flushed yet */
	uint32_t changed_count;
	bool changed_all;	    /* too many, or too high up, to tell */
	bool changed_kernel;	    /* global pages among them */
	bool changed_upper;	    /* not only leaf entries */
	uint64_t address;	    /* of the last leaf that changed */
	uint64_t recent[OS_RECENT]; /* addresses that something was done to */
	uint32_t recent_next;
	uint64_t random;
	bool pcid;
	bool wants_calls;		/* makes calls whenever it can */
	uint8_t level[WORLD_DATA];	/* of table pages */
	uint64_t resident[OS_RESIDENT]; /* as in RESIDENT */
	uint32_t resident_count;
};
extern struct os os;

uint32_t os_below(uint32_t n);
bool os_once_in(uint32_t n);
uint32_t os_any_vcpu(void);
uint32_t os_any_space(void);	/* that is there */
uint64_t os_random_flags(void); /* of an entry that is present */

/* Sets up tables and loads space 0 on each vCPU. */
void os_boot(uint64_t seed);
uint64_t os_address(uint32_t i);       /* of user page i */
uint64_t os_large_address(uint32_t i); /* of large user page i */
uint64_t os_gib_address(uint32_t i);   /* of GiB page i */
uint64_t os_gib_address(uint32_t i);   /* of GiB page i */
uint64_t os_data(void);		       /* gpa of any data page */
struct pvrom_mmu_regs os_regs(uint32_t vcpu, uint32_t space);

/* gpa of the entry of a level that leads to address, 0 if its table is not there; create makes it. */
uint64_t os_entry(uint32_t vcpu, uint32_t space, uint64_t address, unsigned int level, bool create);
uint64_t os_get(uint64_t gpa);
/* A word of memory and of its mirror, whoever writes it. */
void os_write_word(uint64_t gpa, uint64_t value);
void os_store(uint32_t vcpu, uint64_t gpa, uint64_t value);
/* The same while no host looks: announced, but not by calls. */
void os_store_unseen(uint32_t vcpu, uint64_t gpa, uint64_t value);
void os_store_page(uint32_t vcpu, uint64_t table_gpa, const uint64_t entries[512]);

uint64_t os_new_table(uint32_t vcpu, unsigned int level, uint64_t template_gpa);
void os_free_table(uint32_t vcpu, uint64_t gpa);
bool os_have_tables(uint32_t count);
uint64_t os_new_root(uint32_t vcpu, uint64_t template_gpa);
/* Frees what an entry of a level points to, and all below it. */
void os_free_below(uint32_t vcpu, uint64_t entry, unsigned int level);

/* INVLPG, or what stands for it where that instruction is no exit. */
void os_invlpg(uint32_t vcpu, uint64_t address);
/* After it no processor uses what has been changed. */
void os_flush(uint32_t vcpu);
/* Nothing of what has been changed could be reached: no flush is owed. */
void os_forget_changed(void);
void os_load(uint32_t vcpu, uint32_t space);
/* One access anywhere, mostly where something was done lately, judged. */
void os_touch(void);
/* Something is done to the address: it is touched more often from now on. */
void os_focus(uint64_t address);
/* The same, and some vCPUs remember what is there now. */
void os_warm(uint64_t address);
/* One access of the vCPU, of any kind; judged as far as what is not flushed allows, or in full. */
void os_look(uint32_t vcpu, uint64_t address);
void os_judge(uint32_t vcpu, uint64_t address);
/* All that processors remember and the shadow holds of the addresses in use is allowed by the guest's tables. */
void os_audit(void);

#endif
