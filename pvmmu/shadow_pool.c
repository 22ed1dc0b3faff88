/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The pages of the pool: found by what they shadow, taken, and given back. A page that was given back
 * stays in limbo until no TLB can know it: a processor may walk it through its cache of upper levels.
 */
#include "mmu_internal.h"

/* Pages taken back at a time, so that one flush does for several. */
#define RECLAIM_BATCH 8

/* ---- by what they shadow ------------------------------------------------------------------------- */

/* Fibonacci hashing: the upper bits of a product with 2^32 divided by the golden ratio. */
static uint32_t *bucket(const struct pvrom_mmu *mmu, uint64_t gfn)
{
	return &mmu->hash[((uint32_t)gfn * UINT32_C(2654435769)) >> (32 - mmu->hash_bits)];
}

uint32_t pvrom_shadow_find(const struct pvrom_mmu *mmu, uint64_t gfn, uint16_t role)
{
	uint32_t page = *bucket(mmu, gfn);

	while (page && (mmu->page[page].gfn != gfn || mmu->page[page].role != role))
		page = mmu->page[page].hash_next;
	return page;
}

/* From this page of a bucket on, the first that shadows gfn as a table. */
static uint32_t table_of(const struct pvrom_mmu *mmu, uint32_t page, uint64_t gfn)
{
	while (page && (mmu->page[page].gfn != gfn || (mmu->page[page].role & ROLE_SPLIT)))
		page = mmu->page[page].hash_next;
	return page;
}

/* All shadows of a guest table: pages taken meanwhile may be left out, pages zapped must not be gone on from. */
uint32_t pvrom_shadow_first(const struct pvrom_mmu *mmu, uint64_t gfn)
{
	return table_of(mmu, *bucket(mmu, gfn), gfn);
}

uint32_t pvrom_shadow_next(const struct pvrom_mmu *mmu, uint32_t page)
{
	return table_of(mmu, mmu->page[page].hash_next, mmu->page[page].gfn);
}

static void hash_in(struct pvrom_mmu *mmu, uint32_t page)
{
	uint32_t *first = bucket(mmu, mmu->page[page].gfn);

	mmu->page[page].hash_next = *first;
	*first = page;
}

static void hash_out(struct pvrom_mmu *mmu, uint32_t page)
{
	uint32_t *at = bucket(mmu, mmu->page[page].gfn);

	while (*at != page)
		at = &mmu->page[*at].hash_next;
	*at = mmu->page[page].hash_next;
}

/* ---- by age ----------------------------------------------------------------------------------------- */

static void age_in(struct pvrom_mmu *mmu, uint32_t page)
{
	mmu->page[page].older = mmu->newest;
	mmu->page[page].newer = 0;
	if (mmu->newest)
		mmu->page[mmu->newest].newer = page;
	else
		mmu->oldest = page;
	mmu->newest = page;
}

static void age_out(struct pvrom_mmu *mmu, uint32_t page)
{
	const struct shadow_page *p = &mmu->page[page];

	if (p->older)
		mmu->page[p->older].newer = p->newer;
	else
		mmu->oldest = p->newer;
	if (p->newer)
		mmu->page[p->newer].older = p->older;
	else
		mmu->newest = p->older;
}

/* It is needed: the last to be taken back. */
void pvrom_shadow_touch(struct pvrom_mmu *mmu, uint32_t page)
{
	if (mmu->newest == page)
		return;
	age_out(mmu, page);
	age_in(mmu, page);
}

/* ---- given back --------------------------------------------------------------------------------------- */

static void forget_gfn(struct pvrom_mmu *mmu, const struct shadow_page *p)
{
	struct shadow_gfn *g = &mmu->gfn[p->gfn];

	if ((p->role & ROLE_SPLIT) || --g->shadows)
		return;
	pvrom_shadow_keep_not(mmu, p->gfn);
	g->flags &= (uint8_t)~GFN_UNSYNC;
}

static void clear_parents(struct pvrom_mmu *mmu, uint32_t page)
{
	while (mmu->page[page].parents && !BUG(RECLAIM_PARENT))
		pvrom_shadow_set(mmu, mmu->page[page].parents, 0, 0);
}

/* The page must not be the root of a vCPU. */
void pvrom_shadow_zap(struct pvrom_mmu *mmu, uint32_t page)
{
	struct shadow_page *p = &mmu->page[page];

	clear_parents(mmu, page);
	pvrom_shadow_empty(mmu, page);
	if (p->flags & PAGE_RESIDENT) {
		mmu->resident_pages--;
		mmu->resident_dirty = true;
	}
	hash_out(mmu, page);
	age_out(mmu, page);
	forget_gfn(mmu, p);
	mmu->used--;
	p->flags = 0;
	p->newer = mmu->limbo;
	mmu->limbo = page;
}

/* Parents of a page that are looked at before it is taken for live. */
#define LIVE_LOOK 16

/* NOLINTNEXTLINE(misc-no-recursion): a parent is one level up, so no deeper than there are levels. */
static bool leads_from_root(const struct pvrom_mmu *mmu, uint32_t page, uint32_t *look)
{
	uint32_t entry;

	if (mmu->page[page].roots)
		return true;
	for (entry = mmu->page[page].parents; entry; entry = mmu->link[entry].next)
		if (!(*look)-- || leads_from_root(mmu, PAGE_OF(entry), look))
			return true;
	return false;
}

/*
 * Does the root of a vCPU lead to this page, or has the guest said itself that it is such a table? If not, the guest
 * page may be anything by now: a table of another level, or none.
 */
bool pvrom_shadow_is_live(const struct pvrom_mmu *mmu, uint32_t page)
{
	uint32_t look = LIVE_LOOK;

	return mmu->gfn[mmu->page[page].gfn].level == (mmu->page[page].role & ROLE_LEVEL) ||
	       leads_from_root(mmu, page, &look);
}

/* Shadows of a table to which nothing leads, but for those of one level (0: of all levels). */
void pvrom_shadow_zap_dead(struct pvrom_mmu *mmu, uint64_t gfn, uint32_t level)
{
	uint32_t page, next;

	for (page = pvrom_shadow_first(mmu, gfn); page; page = next) {
		const struct shadow_page *p = &mmu->page[page];

		next = pvrom_shadow_next(mmu, page);
		if ((p->role & ROLE_LEVEL) != level &&
		    !(p->flags & (PAGE_PINNED | PAGE_RESIDENT)) && !pvrom_shadow_is_live(mmu, page))
			pvrom_shadow_zap(mmu, page);
	}
}

/* All shadows of a table but those that are roots of a vCPU, which are emptied. */
void pvrom_shadow_zap_gfn(struct pvrom_mmu *mmu, uint64_t gfn)
{
	uint32_t page, next;

	for (page = pvrom_shadow_first(mmu, gfn); page; page = next) {
		next = pvrom_shadow_next(mmu, page);
		if (mmu->page[page].roots)
			pvrom_shadow_empty(mmu, page);
		else
			pvrom_shadow_zap(mmu, page);
	}
}

void pvrom_shadow_zap_all(struct pvrom_mmu *mmu)
{
	uint32_t i;

	for (i = 0; i < mmu->config.vcpus; i++) {
		if (mmu->vcpu[i].root)
			mmu->page[mmu->vcpu[i].root].roots--;
		mmu->vcpu[i].root = 0;
	}
	while (mmu->oldest)
		pvrom_shadow_zap(mmu, mmu->oldest);
	/* Who runs on one of these roots has to come out before it is used again. */
	mmu->stale |= mmu->ran;
	mmu->unsync_count = 0;
}

/* ---- taken ---------------------------------------------------------------------------------------------- */

static void free_limbo(struct pvrom_mmu *mmu)
{
	uint32_t page, next;

	for (page = mmu->limbo; page; page = next) {
		next = mmu->page[page].newer;
		mmu->page[page].newer = mmu->free;
		mmu->free = page;
		mmu->free_count++;
	}
	mmu->limbo = 0;
}

static bool may_reclaim(const struct shadow_page *p)
{
	return !p->roots && !(p->flags & (PAGE_PINNED | PAGE_RESIDENT));
}

/* Takes back the oldest pages that can be had. */
static void reclaim(struct pvrom_mmu *mmu)
{
	uint32_t look = mmu->used, got = 0;

	while (look-- && got < RECLAIM_BATCH) {
		uint32_t page = mmu->oldest;

		if (may_reclaim(&mmu->page[page])) {
			pvrom_shadow_zap(mmu, page);
			got++;
		} else {
			pvrom_shadow_touch(mmu, page);
		}
	}
	mmu->stats.reclaimed += got;
}

/* A page that is free for good. Ahead of need no vCPU is stopped and the last eighth is left alone. */
static bool have_free(struct pvrom_mmu *mmu, bool needed)
{
	const uint32_t keep = needed ? 0 : mmu->config.pool_pages / 8;
	const uint64_t running = mmu->stale & ~mmu->self;

	if (mmu->free_count > keep)
		return true;
	if (needed && !mmu->limbo)
		reclaim(mmu);
	if (!mmu->limbo || (!needed && running))
		return false;
	if (!BUG(FLUSH_REUSE))
		pvrom_shadow_flush_stale(mmu, ~UINT64_C(0));
	free_limbo(mmu);
	return mmu->free_count > keep;
}

/* An empty page for a role, in use from now on; 0 if there is none. */
uint32_t pvrom_shadow_take(struct pvrom_mmu *mmu, uint64_t gfn, uint16_t role, bool needed)
{
	uint32_t page;

	if (!have_free(mmu, needed))
		return 0;
	page = mmu->free;
	mmu->free = mmu->page[page].newer;
	mmu->free_count--;
	mmu->used++;
	__builtin_memset(shadow_table(mmu, page), 0, 4096);
	mmu->page[page] = (struct shadow_page){ .gfn = (uint32_t)gfn, .role = role };
	hash_in(mmu, page);
	age_in(mmu, page);
	if (!(role & ROLE_SPLIT))
		mmu->gfn[gfn].shadows++;
	return page;
}

void pvrom_shadow_pool_init(struct pvrom_mmu *mmu)
{
	uint32_t page;

	for (page = mmu->config.pool_pages; page; page--) {
		mmu->page[page].newer = mmu->free;
		mmu->free = page;
	}
	mmu->free_count = mmu->config.pool_pages;
}
