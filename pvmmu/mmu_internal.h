/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of the shadow engine share; nothing here is for embedders.
 *
 *	guest tables                    shadow (pages of the pool)
 *	root, level 4   <--- gfn -----  TABLE, level 4     <-- vcpu[].root
 *	  table, 3      <--- gfn -----    TABLE, 3
 *	    table, 2    <--- gfn -----      TABLE, 2
 *	      table, 1  <--- gfn -----        TABLE, 1 -----> host pages of guest memory
 *	      2 MiB page                      SPLIT, 1 -----> its 512 parts
 *
 * A TABLE shadows one guest table at one level, entry for entry; any number of parents share it. A SPLIT holds
 * the parts of a large page, all with the rights in its role. An entry of the shadow is there only if the
 * guest's is present with A set, and writable only if D is set too: so the guest's bits are always right.
 *
 * Three ways in which a TABLE is kept right: its guest page is *registered* (the guest says what changed),
 * *watched* (mapped read-only everywhere, so that a write shows) or *out of sync* (writable; read again as a
 * whole at each flush). An access through a missing entry always walks the guest's own tables.
 */
#ifndef PVROM_MMU_INTERNAL_H
#define PVROM_MMU_INTERNAL_H

#include <pvrom/host.h>
#include <pvrom/mmu_host.h>

#include "mmu_bugs.h"

/* ---- entries, the guest's and ours (Intel SDM vol. 3A, 4.5; AMD APM vol. 2, 5.3) ---------------- */

#define PTE_P UINT64_C(0x001)
#define PTE_W UINT64_C(0x002)
#define PTE_U UINT64_C(0x004)
#define PTE_A UINT64_C(0x020)
#define PTE_D UINT64_C(0x040)
#define PTE_PS UINT64_C(0x080)
#define PTE_G UINT64_C(0x100)
#define PTE_NX (UINT64_C(1) << 63)
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)

#define CR0_WP UINT64_C(0x00010000)
#define CR0_PG UINT64_C(0x80000000)
#define CR4_PAE UINT64_C(0x20)
#define CR4_LA57 UINT64_C(0x1000)
#define CR4_SMEP UINT64_C(0x100000)
#define CR4_SMAP UINT64_C(0x200000)
#define EFER_LMA UINT64_C(0x400)
#define EFER_NXE UINT64_C(0x800)

#define ERROR_P 0x01u
#define ERROR_W 0x02u
#define ERROR_U 0x04u
#define ERROR_RSVD 0x08u
#define ERROR_I 0x10u

/* ---- the engine's own structures ----------------------------------------------------------------- */

/*
 * Pages of the pool have numbers from 1, and an entry's number is 512 times that of its page plus its
 * slot: below 2^31. 0 is none.
 */
#define PAGE_OF(entry) ((entry) >> 9)
#define SLOT_OF(entry) ((entry)&511)

/*
 * All entries that map one guest page, and all that point to one shadow page, form a list. The first one's
 * prev is LINK_HEAD and the guest page's or shadow page's number.
 */
struct shadow_link {
	uint32_t next;
	uint32_t prev;
};
#define LINK_HEAD 0x80000000u

/* What a shadow page is for; equal roles of one gfn share a page. */
#define ROLE_LEVEL 0x0007
#define ROLE_SPLIT 0x0008
#define ROLE_NXE 0x0010
#define ROLE_WP0 0x0020	 /* CR0.WP is clear */
#define ROLE_SMEP 0x0040 /* and CR4.SMEP is set */
#define ROLE_MODE (ROLE_NXE | ROLE_WP0 | ROLE_SMEP)
/* Rights of the path so far (TABLE; only with ROLE_WP0) or of the large page (SPLIT). */
#define ROLE_W 0x0100
#define ROLE_U 0x0200
#define ROLE_NX 0x0400
#define ROLE_G 0x0800
#define ROLE_D 0x1000

#define PAGE_PINNED 0x01   /* being filled, or on the path that is being built */
#define PAGE_RESIDENT 0x02 /* holds a part of the resident set */

struct shadow_page {
	uint32_t gfn; /* the guest table, or the first page of the large one */
	uint32_t hash_next;
	uint32_t older,
		newer;	  /* pages in use, by when they were last needed; or newer alone: free */
	uint32_t parents; /* first of the entries that point here */
	uint32_t
		resident; /* which resident set it holds as a whole: a root, or what is below one */
	uint16_t role;
	uint16_t present; /* entries that are */
	uint8_t flags;
	uint8_t roots; /* vCPUs whose root this is */
	uint16_t reserved;
};

/* What is known of a page of the guest. */
#define GFN_UNSYNC 0x01	  /* its shadows may lag behind it */
#define GFN_ZEROED 0x02	  /* registered as zero, and nothing announced since */
#define GFN_RESIDENT 0x04 /* a table in the resident set: it stays out of sync */
struct shadow_gfn {
	uint32_t mapped; /* first of the entries that map it */
	uint16_t shadows;
	uint8_t level; /* as registered; 0: not registered */
	uint8_t flags;
};

struct shadow_vcpu {
	struct pvrom_mmu_regs regs;
	uint64_t ring; /* gpa, PVROM_MMU_NONE if there is none */
	uint32_t slots, retired, refused;
	uint32_t registered; /* gfn of the last REGISTER word, if a CLONE_OF may follow; else 0 */
	uint32_t root;	     /* page, 0: none */
	uint32_t last_root;  /* with which it ran last */
	uint16_t mode;	     /* ROLE_MODE bits */
	uint8_t tlb;	     /* PVROM_MMU_TLB_x to do before it runs */
	bool paged;	     /* the registers ask for a root */
	bool faults;	     /* the guest asked for its faults */
	bool may_poll;	     /* its ring may be polled */
};

/* Tables out of sync at a time: each costs a read of 512 entries at each flush. */
#define UNSYNC_MAX 64
/* Of them, those that the resident set keeps there. */
#define UNSYNC_RESIDENT_MAX 32
/* A table that did not change for so many flushes is watched instead. */
#define UNSYNC_IDLE 2
/* Shadow pages that one flush or fault may set up ahead of need. */
#define AHEAD_MAX 64
/* Changed entries that one drain reads one by one; beyond that it drops whole tables. */
#define DRAIN_MAX 8192

struct pvrom_mmu {
	struct pvrom_mmu_config config;
	struct pvrom_host_feature half[2];
	struct shadow_page *page; /* [pool_pages + 1] */
	struct shadow_link *link; /* [(pool_pages + 1) * 512] */
	struct shadow_gfn *gfn;	  /* [guest_pages] */
	uint32_t *hash;
	uint32_t hash_bits;
	uint64_t reserved; /* bits of an address that the guest's processor does not have */
	uint64_t
		self; /* the vCPU on whose behalf the engine works now, as a bit: it does not run */
	uint32_t free, free_count;
	uint32_t limbo; /* freed, but a TLB may still know of them */
	uint32_t oldest, newest;
	uint32_t used;
	uint32_t ahead; /* shadow pages that may still be set up ahead */
	uint32_t drain; /* entries that may still be read one by one */
	uint64_t ran;	/* vCPUs that ran since they last forgot everything */
	uint64_t stale; /* of them, those whose TLB may hold what the shadow does not any more */
	struct {
		uint32_t gfn, idle;
	} unsync[UNSYNC_MAX];
	uint32_t unsync_count;
	uint32_t registered;
	uint32_t resident_count, resident_pages;
	uint32_t resident_tables; /* GFN_RESIDENT */
	uint32_t resident_set;	  /* number of the present set; from 1 */
	bool resident_dirty;	  /* a part of it has gone from a shadow */
	bool resident_looser;	  /* a part of it may be used in more ways than a TLB may know */
	uint64_t resident[PVROM_MMU_RESIDENT_MAX];
	struct pvrom_mmu_stats stats;
	struct shadow_vcpu vcpu[PVROM_MMU_VCPUS_MAX];
};

static inline uint64_t *shadow_table(const struct pvrom_mmu *mmu, uint32_t page)
{
	return (uint64_t *)mmu->config.pool + (uint64_t)(page - 1) * 512;
}

static inline uint64_t shadow_hpa(const struct pvrom_mmu *mmu, uint32_t page)
{
	return mmu->config.pool_hpa + (uint64_t)(page - 1) * 4096;
}

/* The page that a non-leaf entry points to. */
static inline uint32_t shadow_child(const struct pvrom_mmu *mmu, uint64_t entry)
{
	return (uint32_t)(((entry & PTE_ADDRESS) - mmu->config.pool_hpa) >> 12) + 1;
}

static inline uint64_t shadow_bit(uint32_t vcpu)
{
	return UINT64_C(1) << vcpu;
}

static inline uint32_t slot_at(uint64_t address, uint32_t level)
{
	return (uint32_t)(address >> (3 + 9 * level)) & 511;
}

static inline bool is_canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/* A range in one word: canonical, and not over an edge of what is. */
static inline bool range_is_valid(uint64_t range)
{
	const uint64_t first = range & ~UINT64_C(4095), last = first + ((range & 4095) << 12);

	return is_canonical(first) && is_canonical(last) && first >> 47 == last >> 47;
}

/*
 * May a TLB that knows the old entry allow what the new one does not? With SMAP and SMEP a change of U
 * takes something away either way, and a global entry that is global no more would survive too much.
 */
static inline bool shadow_is_stricter(uint64_t old, uint64_t want)
{
	return ((old & ~want & (PTE_P | PTE_W | PTE_G)) | (want & ~old & PTE_NX) |
		((old ^ want) & (PTE_ADDRESS | PTE_U))) != 0;
}

/* Mapped read-only, so that no write is missed. */
static inline bool is_watched(const struct shadow_gfn *g)
{
	return g->shadows && !g->level && !(g->flags & GFN_UNSYNC);
}

/* The memory of a guest page; false if there is none. */
static inline bool guest_page(struct pvrom_mmu *mmu, uint64_t gfn, struct pvrom_mmu_memory *memory)
{
	return gfn < mmu->config.guest_pages && mmu->config.ops->page(mmu->config.ctx, gfn, memory);
}

static inline bool guest_page_is_writable(struct pvrom_mmu *mmu, uint64_t gfn)
{
	struct pvrom_mmu_memory memory;

	return guest_page(mmu, gfn, &memory) && !memory.read_only;
}

/* The entries of a table of the guest; NULL if there is no memory. */
static inline uint64_t *guest_table(struct pvrom_mmu *mmu, uint64_t gfn)
{
	struct pvrom_mmu_memory memory;

	return guest_page(mmu, gfn, &memory) ? memory.at : NULL;
}

/* ---- shadow_entry.c: one entry, the lists it is in, and what TLBs know of it ---------------------- */
/* target: the gfn or the shadow page that `want` points to. */
void pvrom_shadow_set(struct pvrom_mmu *mmu, uint32_t entry, uint64_t want, uint32_t target);
void pvrom_shadow_move(struct pvrom_mmu *mmu, uint32_t entry, uint64_t *at, uint64_t want,
		       uint32_t gfn);
void pvrom_shadow_empty(struct pvrom_mmu *mmu, uint32_t page);
void pvrom_shadow_flush_stale(struct pvrom_mmu *mmu, uint64_t vcpus);

/* ---- shadow_pool.c: pages, found, taken and given back --------------------------------------------- */
void pvrom_shadow_pool_init(struct pvrom_mmu *mmu);
uint32_t pvrom_shadow_find(const struct pvrom_mmu *mmu, uint64_t gfn, uint16_t role);
uint32_t pvrom_shadow_first(const struct pvrom_mmu *mmu, uint64_t gfn);
uint32_t pvrom_shadow_next(const struct pvrom_mmu *mmu, uint32_t page);
uint32_t pvrom_shadow_take(struct pvrom_mmu *mmu, uint64_t gfn, uint16_t role, bool reclaim);
void pvrom_shadow_zap(struct pvrom_mmu *mmu, uint32_t page);
void pvrom_shadow_zap_gfn(struct pvrom_mmu *mmu, uint64_t gfn);
void pvrom_shadow_zap_dead(struct pvrom_mmu *mmu, uint64_t gfn, uint32_t level);
bool pvrom_shadow_is_live(const struct pvrom_mmu *mmu, uint32_t page);
void pvrom_shadow_zap_all(struct pvrom_mmu *mmu);
void pvrom_shadow_touch(struct pvrom_mmu *mmu, uint32_t page);

/* ---- shadow_walk.c: the guest's own tables ---------------------------------------------------------- */
struct shadow_walk {
	uint64_t entry[5]; /* by level; as read, A and D as they are now */
	uint64_t *at[5];   /* where they lie */
	uint32_t table[5]; /* in which guest page */
	bool read_only[5]; /* in a page that cannot be written */
	uint32_t last;	   /* level of the last entry that was read */
	uint32_t leaf;	   /* level of the entry that maps the page */
	uint64_t gpa;	   /* of the address; of a table that is not there */
	uint32_t error;	   /* INJECT */
};
/* Has an entry that is present no reserved bit set? (Intel SDM vol. 3A, 4.5.4) */
static inline bool pvrom_shadow_valid(const struct pvrom_mmu *mmu, uint16_t role, uint32_t level,
				      uint64_t entry)
{
	uint64_t bits = mmu->reserved | (role & ROLE_NXE ? 0 : PTE_NX);

	if (level == 4 || (level == 3 && !(mmu->config.flags & PVROM_MMU_GIB_PAGES)))
		bits |= PTE_PS;
	else if (level > 1 && (entry & PTE_PS) && !BUG(RESERVED_BITS))
		bits |= (UINT64_C(1) << (3 + 9 * level)) - (UINT64_C(1) << 13);
	return !(entry & bits);
}
enum pvrom_mmu_outcome pvrom_shadow_walk(struct pvrom_mmu *mmu, const struct shadow_vcpu *v,
					 uint64_t address, uint32_t error,
					 struct shadow_walk *walk);
enum pvrom_mmu_outcome pvrom_shadow_walk_mark(struct pvrom_mmu *mmu, const struct shadow_vcpu *v,
					      uint64_t address, uint32_t error,
					      struct shadow_walk *walk);
/* A of the entries above the last one that was read; false if one has changed meanwhile, or cannot be written. */
bool pvrom_shadow_mark_upper(struct shadow_walk *walk);
/* An access that any table allows, that of the host itself: for pvrom_shadow_walk(). */
#define ACCESS_ANY 0x20000u

/* ---- shadow_value.c: what an entry should be ------------------------------------------------------------ */
uint64_t pvrom_shadow_leaf(struct pvrom_mmu *mmu, uint64_t gfn, uint64_t rights);
uint64_t pvrom_shadow_rights(uint16_t role, uint64_t entry, bool supervisor_write);
uint64_t pvrom_shadow_part(struct pvrom_mmu *mmu, uint32_t page, uint32_t slot,
			   bool supervisor_write);
uint16_t pvrom_shadow_child_role(uint16_t role, uint64_t entry);
uint64_t pvrom_shadow_link_value(const struct pvrom_mmu *mmu, uint16_t role, uint64_t entry,
				 uint32_t child);

/* ---- shadow_sync.c: entries and tables, read again ------------------------------------------------------- */
void pvrom_shadow_link(struct pvrom_mmu *mmu, uint32_t entry, uint64_t e, uint32_t child);
void pvrom_shadow_sync_entry(struct pvrom_mmu *mmu, uint32_t entry, bool ahead);
/* Entries of one table that were announced by several words. */
#define RUN_MAX 32
struct shadow_run {
	uint32_t parts;
	uint16_t slot[RUN_MAX], count[RUN_MAX];
};
void pvrom_shadow_sync_run(struct pvrom_mmu *mmu, uint64_t gfn, const struct shadow_run *run);
void pvrom_shadow_sync_slots(struct pvrom_mmu *mmu, uint64_t gfn, uint32_t slot, uint32_t count);
bool pvrom_shadow_sync_table(struct pvrom_mmu *mmu, uint64_t gfn, bool ahead);
void pvrom_shadow_sync_new(struct pvrom_mmu *mmu, uint32_t page);

/* ---- shadow_new.c ----------------------------------------------------------------------------------------- */
uint32_t pvrom_shadow_part_child(struct pvrom_mmu *mmu, uint32_t page, uint32_t slot, bool needed);
uint32_t pvrom_shadow_get(struct pvrom_mmu *mmu, uint64_t gfn, uint16_t role, bool needed);

/* ---- shadow_watch.c: tables that are not registered ------------------------------------------------------- */
bool pvrom_shadow_keep_unsync(struct pvrom_mmu *mmu, uint64_t gfn);
void pvrom_shadow_keep_not(struct pvrom_mmu *mmu, uint64_t gfn);
void pvrom_shadow_unwatch(struct pvrom_mmu *mmu, uint64_t gfn);
void pvrom_shadow_sync_all(struct pvrom_mmu *mmu);
void pvrom_shadow_sync_address(struct pvrom_mmu *mmu, uint32_t root, uint64_t address);
void pvrom_shadow_refresh_mapped(struct pvrom_mmu *mmu, uint64_t gfn);
void pvrom_shadow_begin_watching(struct pvrom_mmu *mmu, uint64_t gfn);

/* ---- shadow_fault.c --------------------------------------------------------------------------------- */
enum pvrom_mmu_outcome pvrom_shadow_fill(struct pvrom_mmu *mmu, const struct shadow_vcpu *v,
					 uint64_t address, uint32_t error, uint8_t mark,
					 struct shadow_walk *walk);

bool pvrom_shadow_hold_path(struct pvrom_mmu *mmu, const struct shadow_vcpu *v, uint64_t address,
			    uint8_t mark, struct shadow_walk *walk);

/* ---- shadow_vcpu.c ----------------------------------------------------------------------------------- */
void pvrom_shadow_enter(struct pvrom_mmu *mmu, uint32_t vcpu);
void pvrom_shadow_exit(struct pvrom_mmu *mmu);
bool pvrom_shadow_set_regs(struct pvrom_mmu *mmu, uint32_t vcpu, const struct pvrom_mmu_regs *regs);

/* ---- mmu_ring.c: what the guest announces ------------------------------------------------------------- */
void pvrom_shadow_drain(struct pvrom_mmu *mmu);
uint32_t pvrom_mmu_ring_set(struct pvrom_mmu *mmu, uint32_t vcpu, uint64_t gpa, uint64_t how);
bool pvrom_mmu_is_polled(const struct pvrom_mmu *mmu, const struct shadow_vcpu *v);
void pvrom_mmu_say_polled(struct pvrom_mmu *mmu, const struct shadow_vcpu *v);
bool pvrom_mmu_ring_ok(struct pvrom_mmu *mmu, uint64_t gpa, uint32_t slots);
bool pvrom_mmu_word(struct pvrom_mmu *mmu, uint64_t word, uint32_t *registered);

/* ---- mmu_tables.c --------------------------------------------------------------------------------------- */
uint32_t pvrom_shadow_register(struct pvrom_mmu *mmu, uint64_t gfn, uint32_t level, bool zeroed);
uint32_t pvrom_shadow_release(struct pvrom_mmu *mmu, uint64_t gfn);
uint32_t pvrom_mmu_clone(struct pvrom_mmu *mmu, uint64_t gfn, uint64_t template_gfn);

/* ---- mmu_range.c, mmu_resident.c, mmu_save.c ------------------------------------------------------------ */
uint32_t pvrom_shadow_range(struct pvrom_mmu *mmu, const uint64_t arg[4], uint64_t *value);
bool pvrom_mmu_resident_fill(struct pvrom_mmu *mmu, uint32_t vcpu);
void pvrom_mmu_resident_hold(struct pvrom_mmu *mmu);
void pvrom_mmu_resident_repair(struct pvrom_mmu *mmu);
void pvrom_mmu_resident_root(struct pvrom_mmu *mmu, uint32_t root, uint32_t slot, uint32_t count);
uint32_t pvrom_mmu_resident_call(struct pvrom_mmu *mmu, uint64_t range, uint64_t what);
uint32_t pvrom_mmu_faults_call(struct pvrom_mmu *mmu, uint32_t vcpu, uint64_t on);
void pvrom_mmu_resident_drop_all(struct pvrom_mmu *mmu);
size_t pvrom_mmu_save(const struct pvrom_host *host, void *buffer, size_t room);
bool pvrom_mmu_load(struct pvrom_host *host, const void *buffer, size_t size);

/* ---- mmu_entries.c, mmu_calls.c: the calls; mmu_features.c ----------------------------------------------------- */
typedef uint32_t pvrom_mmu_call_fn(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
				   uint64_t *value);
pvrom_mmu_call_fn pvrom_mmu_call_register, pvrom_mmu_call_release, pvrom_mmu_call_set;
pvrom_mmu_call_fn pvrom_mmu_call_swap, pvrom_mmu_call_notify, pvrom_mmu_call_entries;
pvrom_mmu_call_fn pvrom_mmu_call_map;
uint32_t pvrom_mmu_call(struct pvrom_host *host, struct pvrom_host_vcpu *vcpu, uint32_t number,
			const uint64_t arg[4], uint64_t *value);
void pvrom_mmu_features_init(struct pvrom_mmu *mmu);
struct pvrom_mmu *pvrom_mmu_of(const struct pvrom_host *host);
void pvrom_mmu_forget_tables(struct pvrom_mmu *mmu);

#endif
