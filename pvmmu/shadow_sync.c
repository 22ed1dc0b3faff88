/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the entries of the shadow should be, given the guest's; tables that are read again as a whole; and
 * which guest pages are watched. Nothing here writes to guest memory.
 */
#include "mmu_internal.h"

#define RIGHTS (PTE_W | PTE_U | PTE_NX | PTE_G)
#define THERE (PTE_P | PTE_A)

/* ---- what an entry should be ------------------------------------------------------------------------ */

/*
 * The rights with which an entry of the guest maps a page, as bits of ours. With CR0.WP clear (which the
 * processor must not know, for it would write watched pages) a page that only the supervisor may write is
 * either readable for the user or writable for the supervisor, as it was last needed. In the second form
 * SMEP is kept by NX; SMAP is not kept.
 */
static uint64_t rights_without_wp(uint16_t role, uint64_t entry, bool supervisor_write)
{
	uint64_t rights = entry & (PTE_U | PTE_NX | PTE_G);
	const bool dirty = (entry & PTE_D) || BUG(WRITE_WITHOUT_D);

	if (!(role & ROLE_U))
		rights &= ~PTE_U;
	if (!dirty ||
	    ((rights & PTE_U) && !((role & ROLE_W) && (entry & PTE_W)) && !supervisor_write))
		return rights;
	if ((rights & PTE_U) && !((role & ROLE_W) && (entry & PTE_W)))
		rights = (rights & ~PTE_U) | (role & ROLE_SMEP ? PTE_NX : 0);
	return rights | PTE_W;
}

static inline uint64_t rights_of(uint16_t role, uint64_t entry, bool supervisor_write)
{
	const uint64_t rights = entry & (PTE_U | PTE_NX | PTE_G);

	if (role & ROLE_WP0)
		return rights_without_wp(role, entry, supervisor_write);
	return rights | ((entry & PTE_D) || BUG(WRITE_WITHOUT_D) ? entry & PTE_W : 0);
}

uint64_t pvrom_shadow_rights(uint16_t role, uint64_t entry, bool supervisor_write)
{
	return rights_of(role, entry, supervisor_write);
}

/* The entry that maps a page of the guest with these rights; 0 if there is no memory. */
static inline uint64_t leaf_of(struct pvrom_mmu *mmu, uint64_t gfn, uint64_t rights)
{
	struct pvrom_mmu_memory memory;

	if (!guest_page(mmu, gfn, &memory))
		return 0;
	if ((memory.read_only && !BUG(ROM_WRITABLE)) || is_watched(&mmu->gfn[gfn]))
		rights &= ~PTE_W;
	return memory.hpa | THERE | (rights & RIGHTS) | (rights & PTE_W ? PTE_D : 0);
}

uint64_t pvrom_shadow_leaf(struct pvrom_mmu *mmu, uint64_t gfn, uint64_t rights)
{
	return leaf_of(mmu, gfn, rights);
}

/* The rights in the role of a SPLIT as an entry of the guest that had them. */
static uint64_t part_entry(uint16_t role)
{
	return (role & ROLE_W ? PTE_W : 0) | ((role & ROLE_U) || BUG(LARGE_USER) ? PTE_U : 0) |
	       ((role & ROLE_NX) && !BUG(LARGE_NX) ? PTE_NX : 0) | (role & ROLE_G ? PTE_G : 0) |
	       (role & ROLE_D ? PTE_D : 0);
}

/* What a slot of a level-1 SPLIT should be. */
uint64_t pvrom_shadow_part(struct pvrom_mmu *mmu, uint32_t page, uint32_t slot,
			   bool supervisor_write)
{
	const struct shadow_page *p = &mmu->page[page];
	const uint64_t rights = pvrom_shadow_rights(p->role | ROLE_W | ROLE_U, part_entry(p->role),
						    supervisor_write);

	return pvrom_shadow_leaf(mmu, (uint64_t)p->gfn + slot, rights);
}

/* The role of what a non-leaf entry points to. */
uint16_t pvrom_shadow_child_role(uint16_t role, uint64_t entry)
{
	uint32_t child = (role & ROLE_MODE) | ((role & ROLE_LEVEL) - 1u);
	uint32_t rights = (entry & PTE_W ? ROLE_W : 0) | (entry & PTE_U ? ROLE_U : 0);

	if (role & ROLE_WP0)
		rights &= role;
	if (!(entry & PTE_PS))
		return (uint16_t)(child | (role & ROLE_WP0 ? rights : 0));
	rights |= (entry & PTE_NX ? ROLE_NX : 0) | (entry & PTE_G ? ROLE_G : 0) |
		  (entry & PTE_D ? ROLE_D : 0);
	return (uint16_t)(child | ROLE_SPLIT | rights);
}

/* The first page of what a non-leaf entry of this level points to. */
static uint64_t child_gfn(uint32_t level, uint64_t entry)
{
	const uint64_t gfn = (entry & PTE_ADDRESS) >> 12;

	return entry & PTE_PS ? gfn & ~((UINT64_C(1) << (9 * (level - 1))) - 1) : gfn;
}

/* The rights of a large page are in its parts. */
uint64_t pvrom_shadow_link_value(const struct pvrom_mmu *mmu, uint16_t role, uint64_t entry,
				 uint32_t child)
{
	const uint64_t hpa = shadow_hpa(mmu, child) | THERE;

	if (entry & PTE_PS)
		return hpa | PTE_W | PTE_U;
	return hpa | (entry & (PTE_U | PTE_NX)) | (role & ROLE_WP0 ? PTE_W : entry & PTE_W);
}

/* What a slot of a level-2 SPLIT points to: parts of 2 MiB. */
uint32_t pvrom_shadow_part_child(struct pvrom_mmu *mmu, uint32_t page, uint32_t slot, bool needed)
{
	const struct shadow_page *p = &mmu->page[page];

	if (BUG(GIB_OFFSET))
		slot = 0;
	return pvrom_shadow_get(mmu, p->gfn + ((uint64_t)slot << 9),
				(uint16_t)((p->role & ~ROLE_LEVEL) | 1), needed);
}

static void settle_below(struct pvrom_mmu *mmu, uint32_t page);

/* ---- one entry --------------------------------------------------------------------------------------- */

static void sync_leaf(struct pvrom_mmu *mmu, uint32_t entry, uint16_t role, uint64_t e)
{
	const uint64_t gfn = (e & PTE_ADDRESS) >> 12;

	pvrom_shadow_set(mmu, entry, leaf_of(mmu, gfn, rights_of(role, e, false)), (uint32_t)gfn);
}

/* The functions from here to settle_below() call each other one level further down each time: four deep. */
/* NOLINTBEGIN(misc-no-recursion) */
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

static uint64_t *guest_table(struct pvrom_mmu *mmu, uint64_t gfn)
{
	struct pvrom_mmu_memory memory;

	return guest_page(mmu, gfn, &memory) ? memory.at : NULL;
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
			if (old && want && !((old ^ want) & PTE_ADDRESS))
				pvrom_shadow_regrade(mmu, p, &shadow[slot], want);
			else
				pvrom_shadow_set(mmu, page * 512 + slot, want, (uint32_t)gfn);
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

/* A page that was mapped just now in a range of the resident set, without A or D: filling sets them. */
static void note_resident(struct pvrom_mmu *mmu, const uint64_t *table, uint32_t slot,
			  uint32_t count)
{
	for (; count; slot++, count--) {
		const uint64_t e = __atomic_load_n(&table[slot], __ATOMIC_RELAXED);

		if ((e & THERE) == PTE_P || (e & (PTE_P | PTE_W | PTE_D)) == (PTE_P | PTE_W))
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
		/* Whoever runs on this root must have no fault for want of it. */
		if (mmu->page[page].roots)
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
		note_resident(mmu, table, run->slot[i], run->count[i]);
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

static bool sync_table(struct pvrom_mmu *mmu, uint64_t gfn, bool ahead)
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

/* ---- watched and out of sync ------------------------------------------------------------------------ */

/* From here on each write to the page faults: none is missed once this returns. */
static void watch(struct pvrom_mmu *mmu, uint64_t gfn)
{
	uint32_t entry;

	mmu->gfn[gfn].flags &= (uint8_t)~GFN_UNSYNC;
	for (entry = mmu->gfn[gfn].mapped; entry; entry = mmu->link[entry].next) {
		const uint64_t old = shadow_table(mmu, PAGE_OF(entry))[SLOT_OF(entry)];

		pvrom_shadow_set(mmu, entry, old & ~(PTE_W | PTE_D), (uint32_t)gfn);
	}
	if (!BUG(FLUSH_WATCH))
		pvrom_shadow_flush_stale(mmu, ~UINT64_C(0));
}

static void drop_unsync(struct pvrom_mmu *mmu, uint32_t i)
{
	mmu->unsync[i] = mmu->unsync[--mmu->unsync_count];
}

static void note_unsync(struct pvrom_mmu *mmu, uint64_t gfn)
{
	uint32_t i = 0;

	mmu->gfn[gfn].flags |= GFN_UNSYNC;
	/* It may be in the list from an earlier life. */
	while (i < mmu->unsync_count && mmu->unsync[i].gfn != gfn)
		i++;
	if (i == mmu->unsync_count)
		mmu->unsync_count++;
	mmu->unsync[i].gfn = (uint32_t)gfn;
	mmu->unsync[i].idle = 0;
}

/* A page of the resident set that may be a table: no write to it may fault. False: there are too many. */
bool pvrom_shadow_keep_unsync(struct pvrom_mmu *mmu, uint64_t gfn)
{
	struct shadow_gfn *g = &mmu->gfn[gfn];

	if (!(g->flags & GFN_UNSYNC) || (g->flags & GFN_RESIDENT))
		return true;
	if (mmu->resident_tables == UNSYNC_RESIDENT_MAX)
		return false;
	g->flags |= GFN_RESIDENT;
	mmu->resident_tables++;
	return true;
}

void pvrom_shadow_keep_not(struct pvrom_mmu *mmu, uint64_t gfn)
{
	if (!(mmu->gfn[gfn].flags & GFN_RESIDENT))
		return;
	mmu->gfn[gfn].flags &= (uint8_t)~GFN_RESIDENT;
	mmu->resident_tables--;
}

/* One of those out of sync is watched again, to make room: there are more than those that are kept. */
static void watch_one(struct pvrom_mmu *mmu)
{
	uint32_t i = 0;
	uint64_t gfn;

	while (mmu->gfn[mmu->unsync[i].gfn].flags & GFN_RESIDENT)
		i++;
	gfn = mmu->unsync[i].gfn;
	drop_unsync(mmu, i);
	if (!mmu->gfn[gfn].shadows || mmu->gfn[gfn].level || !(mmu->gfn[gfn].flags & GFN_UNSYNC))
		return;
	watch(mmu, gfn);
	sync_table(mmu, gfn, false);
}

/* A watched page is about to be written. */
void pvrom_shadow_unwatch(struct pvrom_mmu *mmu, uint64_t gfn)
{
	mmu->stats.unsynced++;
	if (BUG(NOT_WATCHED)) {
		mmu->gfn[gfn].flags |= GFN_UNSYNC;
		return;
	}
	pvrom_shadow_zap_dead(mmu, gfn, 0);
	if (!mmu->gfn[gfn].shadows)
		return;
	if (mmu->unsync_count == UNSYNC_MAX)
		watch_one(mmu);
	note_unsync(mmu, gfn);
}

/* Shadows that nothing leads to: what is written to them meanwhile need not be known. */
static void zap_orphans(struct pvrom_mmu *mmu, uint64_t gfn)
{
	uint32_t page, next;

	for (page = pvrom_shadow_first(mmu, gfn); page; page = next) {
		next = pvrom_shadow_next(mmu, page);
		if (!mmu->page[page].parents && !mmu->page[page].roots)
			pvrom_shadow_zap(mmu, page);
	}
}

/* Reads a table that is out of sync; true if it is not so any more. */
static bool settle(struct pvrom_mmu *mmu, uint32_t i)
{
	const uint64_t gfn = mmu->unsync[i].gfn;
	const struct shadow_gfn *g = &mmu->gfn[gfn];

	if (!g->shadows || g->level || !(g->flags & GFN_UNSYNC))
		return true;
	zap_orphans(mmu, gfn);
	if (!g->shadows)
		return true;
	if (sync_table(mmu, gfn, true) || (g->flags & GFN_RESIDENT))
		mmu->unsync[i].idle = 0;
	else if (++mmu->unsync[i].idle > UNSYNC_IDLE) {
		watch(mmu, gfn);
		sync_table(mmu, gfn, true);
		return true;
	}
	return false;
}

/* The guest flushes everything it may: all that is out of sync is read again. */
void pvrom_shadow_sync_all(struct pvrom_mmu *mmu)
{
	uint32_t i = 0;

	while (i < mmu->unsync_count)
		if (settle(mmu, i))
			drop_unsync(mmu, i);
		else
			i++;
}

/*
 * The guest flushes one address: the entries that lead there, and all upper tables, for INVLPG also flushes
 * the processor's cache of those, whatever the address (Intel SDM vol. 3A, 4.10.4.1).
 */
void pvrom_shadow_sync_address(struct pvrom_mmu *mmu, uint32_t root, uint64_t address)
{
	uint32_t i, level, page;

	for (i = 0; i < mmu->unsync_count; i++) {
		page = pvrom_shadow_first(mmu, mmu->unsync[i].gfn);
		for (; page; page = pvrom_shadow_next(mmu, page))
			if ((mmu->page[page].role & ROLE_LEVEL) > 1)
				break;
		if (page)
			sync_table(mmu, mmu->unsync[i].gfn, true);
	}
	for (page = root, level = 4; page && level; level--) {
		const uint32_t slot = slot_at(address, level);
		uint64_t e;

		pvrom_shadow_sync_entry(mmu, page * 512 + slot, true);
		e = shadow_table(mmu, page)[slot];
		page = e ? shadow_child(mmu, e) : 0;
		if (level == 1)
			break;
	}
}

/* What maps the page is looked at again: it is not watched any more, and may be written at once. */
void pvrom_shadow_refresh_mapped(struct pvrom_mmu *mmu, uint64_t gfn)
{
	uint32_t entry, next;

	for (entry = mmu->gfn[gfn].mapped; entry; entry = next) {
		const uint32_t page = PAGE_OF(entry);

		next = mmu->link[entry].next;
		if (mmu->page[page].role & ROLE_SPLIT)
			pvrom_shadow_set(mmu, entry,
					 pvrom_shadow_part(mmu, page, SLOT_OF(entry), false),
					 (uint32_t)gfn);
		else
			pvrom_shadow_sync_entry(mmu, entry, false);
	}
}

/* ---- new shadows -------------------------------------------------------------------------------------- */

static void fill_parts(struct pvrom_mmu *mmu, uint32_t page)
{
	uint32_t slot;

	for (slot = 0; slot < 512; slot++)
		pvrom_shadow_set(mmu, page * 512 + slot, pvrom_shadow_part(mmu, page, slot, false),
				 mmu->page[page].gfn + slot);
}

/* The first shadow of a table that is not registered: tables are mostly written when they are new. */
static void begin_watching(struct pvrom_mmu *mmu, uint64_t gfn)
{
	if (mmu->gfn[gfn].shadows != 1 || mmu->gfn[gfn].level)
		return;
	if (mmu->unsync_count < UNSYNC_MAX)
		note_unsync(mmu, gfn);
	else
		watch(mmu, gfn);
}

/* Filling ahead goes a level down each time too, and no more tables at once than mmu->ahead says. */
/* NOLINTBEGIN(misc-no-recursion) */
static void fill_table(struct pvrom_mmu *mmu, uint32_t page, uint64_t gfn)
{
	const uint64_t *table = guest_table(mmu, gfn);

	begin_watching(mmu, gfn);
	if (table && !(mmu->gfn[gfn].flags & GFN_ZEROED))
		sync_page(mmu, page, table, 0, 512, true);
}

/*
 * The shadow of a guest table, or of a large page, in a role: the one there is, or a new one that is filled
 * as far as the guest's A bits allow. 0 if there is no memory, or no page to be had.
 */
uint32_t pvrom_shadow_get(struct pvrom_mmu *mmu, uint64_t gfn, uint16_t role, bool needed)
{
	uint32_t page = pvrom_shadow_find(mmu, gfn, role);

	if (page)
		return page;
	if (gfn >= mmu->config.guest_pages || (!(role & ROLE_SPLIT) && !guest_table(mmu, gfn)))
		return 0;
	/* What was shadowed at another level, and is not now, has been made into another table. */
	if (!(role & ROLE_SPLIT) && mmu->gfn[gfn].shadows)
		pvrom_shadow_zap_dead(mmu, gfn, role & ROLE_LEVEL);
	page = pvrom_shadow_take(mmu, gfn, role, needed);
	if (!page)
		return 0;
	mmu->page[page].flags |= PAGE_PINNED;
	if (!(role & ROLE_SPLIT))
		fill_table(mmu, page, gfn);
	else if ((role & ROLE_LEVEL) == 1)
		fill_parts(mmu, page);
	mmu->page[page].flags &= (uint8_t)~PAGE_PINNED;
	return page;
}
/* NOLINTEND(misc-no-recursion) */
