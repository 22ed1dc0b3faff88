/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest half of the paravirtual MMU: page tables that the host shadows without watching them.
 *
 * A kernel that has this in it writes its page tables everywhere in the same way:
 *
 *	pvrom_mmu_register(mmu, table, level, ...)	before a page is used as a table
 *	pvrom_set_entry(), pvrom_swap_entry()		one entry (sites of <pvrom/sites.h>)
 *	pvrom_mmu_change_begin(), stores, _end()	many entries of one table
 *	pvrom_mmu_release(mmu, table)			when it is none any more
 *
 * and flushes as it would natively, by pvrom_mmu_flush_*() where these answer true and by its own
 * means where they answer false. Where the feature is not granted the sites are the plain store, and
 * each of the functions here is a test of a word. With a map (pvrom_mmu_guest_map()) registering and
 * releasing are a store in it besides, so that a host that has lost its nested paging finds the tables.
 *
 * Start, after pvrom_guest_start(), and again after each pvrom_guest_renegotiate():
 *
 *	pvrom_mmu_guest_start()		once, if PVROM_FEATURE_MMU is granted
 *	pvrom_mmu_cpu_start()		on each CPU, and on each that comes up later
 *	pvrom_mmu_guest_use()		once all CPUs have done that: from now on tables are registered
 *
 * or pvrom_mmu_guest_stop() once the feature is not granted any more. While these run no CPU may be inside
 * a function of this header or a site of group mmu: pvrom_mmu_is_busy() says so of a CPU that a rendezvous
 * has interrupted, which must then go on and be interrupted again.
 *
 * Preemption is off in all functions that work on a CPU, and from pvrom_mmu_change_begin() to _end() and
 * pvrom_mmu_lazy_begin() to _end(); interrupts may be on. Interrupt handlers may use all of it; NMI and #MC
 * handlers nothing.
 */
#ifndef PVROM_MMU_GUEST_H
#define PVROM_MMU_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/guest.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One for a kernel; the kernel supplies the memory and reads it only. */
struct pvrom_mmu_guest {
	const struct pvrom_guest *guest;
	/* Linear address less physical address, for all pages that are tables and for rings. */
	uint64_t linear;
	/* One byte a page from page map_first on (PVROM_MMU_MAP_x), NULL: none is kept. */
	uint8_t *map;
	uint64_t map_gpa;
	uint64_t map_first;
	uint64_t map_pages;
	bool on;		/* granted: rings are in use */
	bool registering;	/* tables are registered with the host */
	bool gibibyte_pages;	/* the processor has them */
	bool polls;		/* pvrom_mmu_guest_poll() */
	uint32_t physical_bits; /* of the processor: higher bits of an entry are reserved */
};

/* One for each CPU; the kernel supplies the memory, zeroed, and reads it only. */
struct pvrom_mmu_cpu {
	struct pvrom_mmu_guest *mmu;
	struct pvrom_mmu_ring *ring;
	uint64_t *words; /* behind the ring's header */
	uint32_t mask;	 /* slots - 1 */
	uint32_t depth;	 /* stores that have begun and are not done, a lazy section included */
	uint32_t lazy;
	bool on;     /* the host knows the ring */
	bool faults; /* page faults come straight to this CPU */
	uint16_t reserved;
	/* For the filter: what this CPU has in CR3 (address only), CR0, CR4 and EFER. */
	uint64_t root, cr0, cr4, efer;
	uint64_t last_address, last_rip; /* of the hidden fault before; 0: none */
	uint32_t last_start;		 /* of the ring, at that time */
	uint32_t reserved2;
	/* Counters. */
	uint64_t hidden;    /* faults of which the kernel need not know */
	uint64_t fallbacks; /* returns to the intercepted mode, for want of progress or of room */
	uint64_t full;	    /* a ring was full */
};

/*
 * The kernel's: the pvrom_mmu_cpu of the CPU that this runs on, NULL if it has none yet. Called with
 * preemption off, in any context but NMI and #MC; executes no site of group mmu.
 */
struct pvrom_mmu_cpu *pvrom_os_mmu_cpu(void);

/*
 * Fills in mmu; guest need not have started. physical_bits and gibibyte_pages are what CPUID says
 * (leaves 80000008h EAX[7:0], 80000001h EDX[26]).
 */
void pvrom_mmu_guest_init(struct pvrom_mmu_guest *mmu, const struct pvrom_guest *guest,
			  uint64_t linear, uint32_t physical_bits, bool gibibyte_pages);

/*
 * From now on a map of tables is kept, one byte for each of count pages from page first on; at map, zeroed,
 * contiguous at physical address gpa, and the kernel's no more. Before the first pvrom_mmu_register().
 */
void pvrom_mmu_guest_map(struct pvrom_mmu_guest *mmu, uint8_t *map, uint64_t gpa, uint64_t first,
			 uint64_t count);

/*
 * The host may poll the rings: the kernel knows that INVLPG then is no exit, and does not serve for a table that it
 * has not registered (<pvrom/mmu.h>). Before the first pvrom_mmu_cpu_start().
 */
void pvrom_mmu_guest_poll(struct pvrom_mmu_guest *mmu);

/*
 * What the kernel's policy (struct pvrom_policy, own) must name for the sites of group mmu: set and swap
 * become calls of these where the feature is granted. Assembler; they keep all registers that the
 * instruction keeps.
 */
void pvrom_mmu_set_entry_call(void);
void pvrom_mmu_swap_entry_call(void);
#define PVROM_MMU_OWN_CALLS                                                                        \
	{ PVROM_MMU_SET_ENTRY, pvrom_mmu_set_entry_call },                                         \
	{                                                                                          \
		PVROM_MMU_SWAP_ENTRY, pvrom_mmu_swap_entry_call                                    \
	}

/* The feature is granted (or is still). True if there is something to do for each CPU. */
bool pvrom_mmu_guest_start(struct pvrom_mmu_guest *mmu);

/*
 * On the CPU itself: registers its ring. ring: PVROM_MMU_RING_ALIGN-aligned, room for the header and slots
 * words, slots a power of two. root and the control registers are what this CPU has now. A status.
 */
uint32_t pvrom_mmu_cpu_start(struct pvrom_mmu_guest *mmu, struct pvrom_mmu_cpu *cpu, void *ring,
			     uint32_t slots, uint64_t root, uint64_t cr0, uint64_t cr4,
			     uint64_t efer);

/* The CPU goes offline: gives the ring back. On the CPU itself. */
void pvrom_mmu_cpu_stop(struct pvrom_mmu_cpu *cpu);

/*
 * All CPUs push words: hands the map to the host, if there is one, and registers tables from now on. A
 * status; if it is not OK, tables are not registered and the host shadows them plainly.
 */
uint32_t pvrom_mmu_guest_use(struct pvrom_mmu_guest *mmu);

/* The feature is no longer granted. cpus[count]: all of them (NULL where there is none). */
void pvrom_mmu_guest_stop(struct pvrom_mmu_guest *mmu, struct pvrom_mmu_cpu *const *cpus,
			  uint32_t count);

/* Is this CPU inside a store, or a lazy section? Any context. */
static inline bool pvrom_mmu_is_busy(const struct pvrom_mmu_cpu *cpu)
{
	return *(const volatile uint32_t *)&cpu->depth != 0;
}

/* ---- tables ---- */

#define PVROM_MMU_PLAIN 0  /* entries are there, or come later */
#define PVROM_MMU_ZEROED 1 /* all entries are zero now */

/*
 * The page at table is a table of level (1 to 4) from now on, before any entry leads to it. how: one of
 * the above. clone_of, if not NULL: a registered table of which this one is a copy now (how is PLAIN).
 */
void pvrom_mmu_register(struct pvrom_mmu_guest *mmu, const void *table, uint32_t level,
			uint32_t how, const void *clone_of);

/*
 * No entry leads to the table any more and no CPU has it as its root. Flush before the page gets other use; before
 * another CPU registers it again, pvrom_mmu_drain() at least: rings of CPUs have no order among them.
 */
void pvrom_mmu_release(struct pvrom_mmu_guest *mmu, const void *table);

/* ---- entries ---- */

/*
 * Announces plain stores to count entries, 1 to 512, of one table; they follow, in any order, and
 * may be read back at once. Ends with pvrom_mmu_change_end() on the same CPU. Nests. False: an interrupted
 * store fills the ring; store one by one, by pvrom_set_entry(), and without _end().
 */
bool pvrom_mmu_change_begin(const volatile uint64_t *first, uint32_t count);
void pvrom_mmu_change_end(void);

/*
 * In a lazy section neighbouring stores share a word of the ring. Nothing is put off: entries are
 * stored at once, and a flush in the section or by another CPU sees them. Nests.
 */
void pvrom_mmu_lazy_begin(void);
void pvrom_mmu_lazy_end(void);

/* Has the host look at all words now, so that entries that became present need not be faulted in. */
void pvrom_mmu_drain(struct pvrom_mmu_guest *mmu);

/* What the sites of set and swap lead to; also for kernels that run no patched sites. */
void pvrom_mmu_store(volatile uint64_t *entry, uint64_t value);
uint64_t pvrom_mmu_exchange(volatile uint64_t *entry, uint64_t value);

/* ---- flushes: true if done; false: not granted, do it natively ---- */

/*
 * Has the host seen all that this CPU has stored, although nobody called? Waits for one that polls, not for long.
 * Then nothing is owed for entries that were not present, and for others that no other CPU uses INVLPG: the
 * instruction, not its site, which would be a call.
 */
bool pvrom_mmu_is_seen(struct pvrom_mmu_guest *mmu);
/* root (physical) is loaded next on this CPU, by the site pvrom_switch_root(), say. */
void pvrom_mmu_will_switch(struct pvrom_mmu_guest *mmu, uint64_t root);
bool pvrom_mmu_flush_range(struct pvrom_mmu_guest *mmu, uint64_t va, uint64_t pages);
/* Global pages too. */
bool pvrom_mmu_flush_all(struct pvrom_mmu_guest *mmu);
/*
 * On the vCPUs base + n for each bit n of mask: pages from va on, or (pages 0) all that a load of CR3 flushes.
 * Returns when all of them have.
 */
bool pvrom_mmu_flush_set(struct pvrom_mmu_guest *mmu, uint32_t base, uint64_t mask, uint64_t va,
			 uint64_t pages);
/*
 * One call changes the entries that map a range below root (physical), and flushes it where root is loaded:
 * PVROM_MMU_RANGE_PROTECT, _CLEAR or _FLUSH. False: some of it may be done; do all of it natively.
 */
bool pvrom_mmu_range(struct pvrom_mmu_guest *mmu, uint64_t root, uint32_t what, uint64_t va,
		     uint64_t pages);

/* ---- page faults straight to the guest ---- */

/*
 * A range of linear addresses in which no fault is ever hidden: what the handler of #PF needs until
 * pvrom_mmu_filter() has returned, and what NMI and #MC handlers need. how: PVROM_MMU_RESIDENT_x.
 */
uint32_t pvrom_mmu_resident(struct pvrom_mmu_guest *mmu, uint64_t va, uint64_t bytes, uint32_t how);

/*
 * Turns the delivery on or off for this CPU. On only with all of the resident set declared, and if
 * PVROM_FEATURE_MMU_FAULT is granted. A status; if it is not OK it stays off.
 */
uint32_t pvrom_mmu_faults(struct pvrom_mmu_guest *mmu, bool on);

/* This CPU's CR0, CR4 and EFER change to these; before the instruction that changes them. */
void pvrom_mmu_controls(struct pvrom_mmu_guest *mmu, uint64_t cr0, uint64_t cr4, uint64_t efer);

/* A page fault as the processor brought it. */
struct pvrom_mmu_trap {
	uint64_t address; /* CR2 */
	uint64_t error;	  /* in: as pushed; out, for a real fault: as the architecture gives it */
	uint64_t rip, cs, rflags;
};

/*
 * The first thing that the handler of #PF calls, interrupts off, on each fault. True: the fault was hidden
 * from the guest's own tables and is mended: return to the instruction. False: a fault for the
 * kernel, with trap->error. Always false while the delivery is off.
 */
bool pvrom_mmu_filter(struct pvrom_mmu_guest *mmu, struct pvrom_mmu_trap *trap);

#ifdef __cplusplus
}
#endif

#endif
