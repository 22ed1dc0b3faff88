/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Tables that the guest does not register: watched (mapped read-only everywhere), or out of sync (read again as a
 * whole when the guest flushes). Nothing here writes to guest memory.
 */
#include "mmu_internal.h"

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
	pvrom_shadow_sync_table(mmu, gfn, false);
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
	if (pvrom_shadow_sync_table(mmu, gfn, true) || (g->flags & GFN_RESIDENT))
		mmu->unsync[i].idle = 0;
	else if (++mmu->unsync[i].idle > UNSYNC_IDLE) {
		watch(mmu, gfn);
		pvrom_shadow_sync_table(mmu, gfn, true);
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
			pvrom_shadow_sync_table(mmu, mmu->unsync[i].gfn, true);
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

/* The first shadow of a table that is not registered: tables are mostly written when they are new. */
void pvrom_shadow_begin_watching(struct pvrom_mmu *mmu, uint64_t gfn)
{
	if (mmu->gfn[gfn].shadows != 1 || mmu->gfn[gfn].level)
		return;
	if (mmu->unsync_count < UNSYNC_MAX)
		note_unsync(mmu, gfn);
	else
		watch(mmu, gfn);
}
