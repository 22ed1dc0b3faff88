/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* One entry of a shadow table: how it is changed, which lists it is in, and what TLBs may know of it. */
#include "mmu_internal.h"

#ifdef PVROM_TEST
uint32_t pvrom_mmu_bug;
#endif

/* ---- the lists ---------------------------------------------------------------------------------- */

/* Where the list of the entries that point to a target begins. */
static inline uint32_t *list_of(struct pvrom_mmu *mmu, bool leaf, uint32_t target)
{
	return leaf ? &mmu->gfn[target].mapped : &mmu->page[target].parents;
}

static inline void link_entry(struct pvrom_mmu *mmu, uint32_t entry, bool leaf, uint32_t target)
{
	uint32_t *first = list_of(mmu, leaf, target);
	const uint32_t next = *first;

	mmu->link[entry].next = next;
	mmu->link[entry].prev = LINK_HEAD | target;
	if (next)
		mmu->link[next].prev = entry;
	*first = entry;
}

static inline void unlink_entry(struct pvrom_mmu *mmu, uint32_t entry, bool leaf)
{
	const struct shadow_link l = mmu->link[entry];

	if (l.next)
		mmu->link[l.next].prev = l.prev;
	if (l.prev & LINK_HEAD)
		*list_of(mmu, leaf, l.prev & ~LINK_HEAD) = l.next;
	else
		mmu->link[l.prev].next = l.next;
}

/* ---- what TLBs know ------------------------------------------------------------------------------- */

#ifdef PVROM_TEST
static bool flush_left_out(uint64_t old, uint64_t want)
{
	if (!want)
		return BUG(FLUSH_GONE);
	if ((old ^ want) & PTE_ADDRESS)
		return BUG(FLUSH_MOVED);
	if ((want & ~old) & PTE_NX)
		return BUG(FLUSH_NX) || BUG(FLUSH_STRICT);
	return BUG(FLUSH_STRICT);
}
#else
static bool flush_left_out(uint64_t old, uint64_t want)
{
	(void)old;
	(void)want;
	return false;
}
#endif

/* In a page of the resident set: what a TLB does not allow yet would be a hidden fault there. */
static void note_resident_change(struct pvrom_mmu *mmu, bool stricter)
{
	if (stricter) {
		mmu->resident_dirty = true;
	} else {
		mmu->resident_looser = true;
		mmu->stale |= mmu->ran;
	}
}

static inline void note_change(struct pvrom_mmu *mmu, const struct shadow_page *p, uint64_t old,
			       uint64_t want)
{
	const bool stricter = shadow_is_stricter(old, want);

	if (p->flags & PAGE_RESIDENT)
		note_resident_change(mmu, stricter);
	if (stricter && !flush_left_out(old, want))
		mmu->stale |= mmu->ran;
}

/*
 * Those of the vCPUs whose TLB may hold what is no more forget everything: before they run again, and
 * those that run now are made to stop. The own one does not run.
 */
void pvrom_shadow_flush_stale(struct pvrom_mmu *mmu, uint64_t vcpus)
{
	uint64_t set = mmu->stale & vcpus, left;

	for (left = set; left; left &= left - 1)
		mmu->vcpu[__builtin_ctzll(left)].tlb = PVROM_MMU_TLB_ALL;
	mmu->stale &= ~set;
	mmu->ran &= ~set;
	set &= ~mmu->self;
	if (!set)
		return;
	for (left = set; left; left &= left - 1)
		mmu->stats.kicks++;
	mmu->config.ops->kick(mmu->config.ctx, set);
}

/* Before the store: a part of the resident set is lost by it. */
static inline void hold_back(struct pvrom_mmu *mmu, const struct shadow_page *p, uint64_t old,
			     uint64_t want)
{
	if (old && (p->flags & PAGE_RESIDENT) && shadow_is_stricter(old, want))
		pvrom_mmu_resident_hold(mmu);
}

/* ---- the entry ----------------------------------------------------------------------------------- */

/* The processor reads it meanwhile: one store. */
static inline void store(uint64_t *at, uint64_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

void pvrom_shadow_set(struct pvrom_mmu *mmu, uint32_t entry, uint64_t want, uint32_t target)
{
	uint64_t *at = shadow_table(mmu, PAGE_OF(entry)) + SLOT_OF(entry);
	struct shadow_page *p = &mmu->page[PAGE_OF(entry)];
	const bool leaf = (p->role & ROLE_LEVEL) == 1;
	const uint64_t old = *at;

	if (old == want)
		return;
	hold_back(mmu, p, old, want);
	store(at, want);
	if (!old) {
		p->present++;
		link_entry(mmu, entry, leaf, target);
		return;
	}
	note_change(mmu, p, old, want);
	if (want && !((old ^ want) & PTE_ADDRESS))
		return;
	unlink_entry(mmu, entry, leaf);
	if (want)
		link_entry(mmu, entry, leaf, target);
	else
		p->present--;
}

/* A leaf entry points to another page from now on; nothing of the resident set is in its table. */
void pvrom_shadow_move(struct pvrom_mmu *mmu, uint32_t entry, uint64_t *at, uint64_t want,
		       uint32_t gfn)
{
	store(at, want);
	mmu->stale |= mmu->ran;
	unlink_entry(mmu, entry, true);
	link_entry(mmu, entry, true, gfn);
}

void pvrom_shadow_empty(struct pvrom_mmu *mmu, uint32_t page)
{
	const uint64_t *table = shadow_table(mmu, page);
	uint32_t slot;

	for (slot = 0; slot < 512 && mmu->page[page].present; slot++)
		if (table[slot])
			pvrom_shadow_set(mmu, page * 512 + slot, 0, 0);
	mmu->page[page].resident = 0;
}
