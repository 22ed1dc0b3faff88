/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Entries of the shadow, and tables as a whole, read again from the guest's. Nothing here writes to guest memory.
 */
#include "mmu_internal.h"

#define THERE (PTE_P | PTE_A)

static void settle_below(struct pvrom_mmu *mmu, uint32_t page);

/* ---- one entry --------------------------------------------------------------------------------------- */

static void sync_leaf(struct pvrom_mmu *mmu, uint32_t entry, uint16_t role, uint64_t e)
{
	const uint64_t gfn = (e & PTE_ADDRESS) >> 12;

	pvrom_shadow_set(mmu, entry,
			 pvrom_shadow_leaf(mmu, gfn, pvrom_shadow_rights(role, e, false)),
			 (uint32_t)gfn);
}

/* NOLINTBEGIN(misc-no-recursion): each of these to settle_below() calls the next one level further down, four deep. */
/*
 * Points an entry to a shadow page. A page that was not reached from here may hold tables that are out of
 * sync from an earlier life: the guest owes no flush for what it wrote while nothing led there. So they are
 * read again before they can be reached.
 */
void pvrom_shadow_link(struct pvrom_mmu *mmu, uint32_t entry, uint64_t e, uint32_t child)
{
	const uint64_t old = shadow_table(mmu, PAGE_OF(entry))[SLOT_OF(entry)];
	const uint16_t role = mmu->page[PAGE_OF(entry)].role;

	if (mmu->unsync_count && (!old || shadow_child(mmu, old) != child) && !BUG(LINK_BLIND))
		settle_below(mmu, child);
	pvrom_shadow_set(mmu, entry, pvrom_shadow_link_value(mmu, role, e, child), child);
}

/* What the guest has said to be a table of another level is left to a fault. */
static bool may_be(const struct pvrom_mmu *mmu, uint64_t gfn, uint16_t role)
{
	return gfn >= mmu->config.guest_pages || (role & ROLE_SPLIT) || !mmu->gfn[gfn].level ||
	       mmu->gfn[gfn].level == (role & ROLE_LEVEL);
}

/* The first page of what a non-leaf entry of this level points to. */
static uint64_t child_gfn(uint32_t level, uint64_t entry)
{
	const uint64_t gfn = (entry & PTE_ADDRESS) >> 12;

	return entry & PTE_PS ? gfn & ~((UINT64_C(1) << (9 * ((level - 1) & 3))) - 1) : gfn;
}

static void sync_link(struct pvrom_mmu *mmu, uint32_t entry, uint16_t role, uint64_t e, bool ahead)
{
	const uint64_t gfn = child_gfn(role & ROLE_LEVEL, e);
	const uint16_t child_role = pvrom_shadow_child_role(role, e);
	uint32_t child = 0;

	if (gfn < mmu->config.guest_pages)
		child = pvrom_shadow_find(mmu, gfn, child_role);
	if (!child && ahead && mmu->ahead && may_be(mmu, gfn, child_role)) {
		mmu->ahead--;
		child = pvrom_shadow_get(mmu, gfn, child_role, false);
	}
	if (child)
		pvrom_shadow_link(mmu, entry, e, child);
	else
		pvrom_shadow_set(mmu, entry, 0, 0);
}

/* The guest's entry is e: what has no A, or what the processor would refuse, is left to a fault. */
static void sync_value(struct pvrom_mmu *mmu, uint32_t entry, uint64_t e, bool ahead)
{
	const struct shadow_page *p = &mmu->page[PAGE_OF(entry)];
	const uint32_t level = p->role & ROLE_LEVEL;

	if (!(e & PTE_P) || (!(e & PTE_A) && !BUG(FILL_WITHOUT_A)) ||
	    !pvrom_shadow_valid(mmu, p->role, level, e)) {
		if (!(BUG(STALE_LEAF) && level == 1 && !e))
			pvrom_shadow_set(mmu, entry, 0, 0);
	} else if (level == 1) {
		sync_leaf(mmu, entry, p->role, e);
	} else {
		sync_link(mmu, entry, p->role, e, ahead);
	}
}

/*
 * The leaf entries of a table with CR0.WP set: what sync_value() does, as fast as can be, for this is what a fork
 * and a mprotect cost. Returns whether any changed.
 */
static bool sync_leaves(struct pvrom_mmu *mmu, uint32_t page, const uint64_t *table,
			const struct shadow_run *run)
{
	const struct shadow_page *p = &mmu->page[page];
	const uint64_t refused = mmu->reserved | (p->role & ROLE_NXE ? 0 : PTE_NX);
	uint64_t *shadow = shadow_table(mmu, page);
	struct pvrom_mmu_memory memory;
	bool changed = false;
	uint32_t part, slot, end;

	for (part = 0; part < run->parts; part++)
		for (slot = run->slot[part], end = slot + run->count[part]; slot < end; slot++) {
			const uint64_t e = __atomic_load_n(&table[slot], __ATOMIC_RELAXED);
			const uint64_t old = shadow[slot], gfn = (e & PTE_ADDRESS) >> 12;
			uint64_t want = 0;

			if (!((old | e) & PTE_P))
				continue;
			if ((e & THERE) == THERE && !(e & refused) &&
			    guest_page(mmu, gfn, &memory)) {
				want = memory.hpa | THERE | (e & (PTE_U | PTE_NX | PTE_G));
				if ((e & (PTE_W | PTE_D)) == (PTE_W | PTE_D) && !memory.read_only &&
				    !is_watched(&mmu->gfn[gfn]))
					want |= PTE_W | PTE_D;
			}
			if (want == old)
				continue;
			changed = true;
			if (!old || !want || (p->flags & PAGE_RESIDENT)) {
				pvrom_shadow_set(mmu, page * 512 + slot, want, (uint32_t)gfn);
			} else if ((old ^ want) & PTE_ADDRESS) {
				pvrom_shadow_move(mmu, page * 512 + slot, &shadow[slot], want,
						  (uint32_t)gfn);
			} else {
				__atomic_store_n(&shadow[slot], want, __ATOMIC_RELEASE);
				if (shadow_is_stricter(old, want))
					mmu->stale |= mmu->ran;
			}
		}
	return changed;
}

static bool has_fast_leaves(const struct pvrom_mmu *mmu, uint32_t page)
{
	return (mmu->page[page].role & (ROLE_LEVEL | ROLE_WP0)) == 1 && !ANY_BUG;
}

static struct shadow_run run_of(uint32_t slot, uint32_t count)
{
	struct shadow_run run;

	run.parts = 1;
	run.slot[0] = (uint16_t)slot;
	run.count[0] = (uint16_t)count;
	return run;
}

/* Entries of one shadow of a guest table are read again. Returns whether any changed. */
static bool sync_page(struct pvrom_mmu *mmu, uint32_t page, const uint64_t *table, uint32_t slot,
		      uint32_t count, bool ahead)
{
	const uint64_t *shadow = shadow_table(mmu, page);
	bool changed = false;

	if (has_fast_leaves(mmu, page)) {
		const struct shadow_run run = run_of(slot, count);

		return sync_leaves(mmu, page, table, &run);
	}
	for (; count; slot++, count--) {
		const uint64_t old = shadow[slot];
		const uint64_t e = __atomic_load_n(&table[slot], __ATOMIC_RELAXED);

		if (!old && !(e & PTE_P))
			continue;
		sync_value(mmu, page * 512 + slot, e, ahead);
		changed |= shadow[slot] != old;
	}
	return changed;
}

/* No deeper than there are levels. */
static void settle_below(struct pvrom_mmu *mmu, uint32_t page)
{
	const struct shadow_page *p = &mmu->page[page];
	const uint64_t *shadow = shadow_table(mmu, page), *table;
	uint32_t slot;

	if (p->role & ROLE_SPLIT)
		return;
	table = mmu->gfn[p->gfn].flags & GFN_UNSYNC ? guest_table(mmu, p->gfn) : NULL;
	if (table)
		sync_page(mmu, page, table, 0, 512, false);
	for (slot = 0; slot < 512 && (p->role & ROLE_LEVEL) > 1; slot++)
		if (shadow[slot])
			settle_below(mmu, shadow_child(mmu, shadow[slot]));
}

/* NOLINTEND(misc-no-recursion) */

void pvrom_shadow_sync_entry(struct pvrom_mmu *mmu, uint32_t entry, bool ahead)
{
	const uint32_t page = PAGE_OF(entry);
	const uint64_t *table;

	if (mmu->page[page].role & ROLE_SPLIT)
		return;
	table = guest_table(mmu, mmu->page[page].gfn);
	if (table)
		sync_page(mmu, page, table, SLOT_OF(entry), 1, ahead);
}

/*
 * What was mapped just now in a range of the resident set, without A or D, or by a table that may have such
 * entries: filling sets them.
 */
static void note_resident(struct pvrom_mmu *mmu, uint32_t level, const uint64_t *table,
			  uint32_t slot, uint32_t count)
{
	for (; count; slot++, count--) {
		const uint64_t e = __atomic_load_n(&table[slot], __ATOMIC_RELAXED);

		if (level > 1 ? e & PTE_P
			      : (e & THERE) == PTE_P ||
					(e & (PTE_P | PTE_W | PTE_D)) == (PTE_P | PTE_W))
			mmu->resident_dirty = true;
	}
}

static uint32_t run_entries(const struct shadow_run *run)
{
	uint32_t i, count = 0;

	for (i = 0; i < run->parts; i++)
		count += run->count[i];
	return count;
}

/* Those entries in one shadow; or nothing is kept of it if that would be too much. */
static void sync_run_in(struct pvrom_mmu *mmu, uint32_t page, const uint64_t *table,
			const struct shadow_run *run)
{
	const bool live = pvrom_shadow_is_live(mmu, page);
	const uint32_t entries = run_entries(run);
	uint32_t i;

	if (!table || mmu->drain < entries) {
		/* Whoever runs on it must have no fault for want of it, and it has not been read. */
		if (mmu->page[page].roots || (mmu->page[page].flags & PAGE_RESIDENT))
			pvrom_mmu_resident_hold(mmu);
		pvrom_shadow_empty(mmu, page);
		return;
	}
	mmu->drain -= entries;
	if (has_fast_leaves(mmu, page))
		sync_leaves(mmu, page, table, run);
	else
		for (i = 0; i < run->parts; i++)
			sync_page(mmu, page, table, run->slot[i],
				  BUG(MORE_IGNORED) ? 1 : run->count[i], live);
	for (i = 0; i < run->parts && (mmu->page[page].flags & PAGE_RESIDENT); i++)
		note_resident(mmu, mmu->page[page].role & ROLE_LEVEL, table, run->slot[i],
			      run->count[i]);
	for (i = 0; i < run->parts && (mmu->page[page].role & ROLE_LEVEL) == 4; i++)
		pvrom_mmu_resident_root(mmu, page, run->slot[i], run->count[i]);
}

/* Entries of a guest table that were announced, in all its shadows. */
void pvrom_shadow_sync_run(struct pvrom_mmu *mmu, uint64_t gfn, const struct shadow_run *run)
{
	uint32_t page = pvrom_shadow_first(mmu, gfn);
	const uint64_t *table = page ? guest_table(mmu, gfn) : NULL;

	for (; page; page = pvrom_shadow_next(mmu, page))
		sync_run_in(mmu, page, table, run);
}

void pvrom_shadow_sync_slots(struct pvrom_mmu *mmu, uint64_t gfn, uint32_t slot, uint32_t count)
{
	const struct shadow_run run = run_of(slot, count);

	pvrom_shadow_sync_run(mmu, gfn, &run);
}

bool pvrom_shadow_sync_table(struct pvrom_mmu *mmu, uint64_t gfn, bool ahead)
{
	const uint64_t *table = guest_table(mmu, gfn);
	bool changed = false;
	uint32_t page;

	for (page = pvrom_shadow_first(mmu, gfn); page; page = pvrom_shadow_next(mmu, page))
		if (table && sync_page(mmu, page, table, 0, BUG(SYNC_SHORT) ? 511 : 512,
				       ahead && pvrom_shadow_is_live(mmu, page)))
			changed = true;
	mmu->stats.syncs++;
	return changed;
}

/* A new shadow, filled as far as the guest's A bits allow. */
void pvrom_shadow_sync_new(struct pvrom_mmu *mmu, uint32_t page)
{
	const uint64_t gfn = mmu->page[page].gfn, *table = guest_table(mmu, gfn);

	if (table && !(mmu->gfn[gfn].flags & GFN_ZEROED))
		sync_page(mmu, page, table, 0, 512, true);
}
