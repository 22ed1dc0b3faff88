/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The resident set: ranges in which a fault that the guest's own tables would not raise never happens, so
 * that the guest can take page faults itself. Pages of the shadow that hold a part of it are marked and not
 * taken back; every root is filled before it runs without interception, and again when a part was lost.
 */
#include "mmu_internal.h"

/* What must be left of the pool for everything else. */
static bool leaves_enough(const struct pvrom_mmu *mmu)
{
	return mmu->resident_pages + pvrom_mmu_pool_min(mmu->config.vcpus) <=
	       mmu->config.pool_pages;
}

/*
 * One page of the set. Of one that is not mapped the tables are held, so that it is noticed when it is. False: no
 * room. *to is the last page that is done by it.
 */
static bool fill_page(struct pvrom_mmu *mmu, const struct shadow_vcpu *v, uint64_t address,
		      uint64_t *to)
{
	struct shadow_walk walk = { .last = 4, .leaf = 0 };
	enum pvrom_mmu_outcome outcome =
		pvrom_shadow_fill(mmu, v, address, ACCESS_ANY, PAGE_RESIDENT, &walk);

	if (outcome != PVROM_MMU_RETRY) {
		if (!walk.leaf) /* nothing is mapped by the whole entry */
			*to |= (UINT64_C(1) << (3 + 9 * walk.last)) - 4096;
		return pvrom_shadow_hold_path(mmu, v, address, PAGE_RESIDENT, &walk) &&
		       leaves_enough(mmu);
	}
	return walk.leaf && leaves_enough(mmu) && pvrom_shadow_keep_unsync(mmu, walk.gpa >> 12);
}

/* ---- what need not be walked: a set is filled again and again, and most of it is there --------------------- */

/* A page that is written at any time without a fault, and stays so. */
static bool stays_writable(const struct pvrom_mmu *mmu, uint64_t gfn)
{
	const struct shadow_gfn *g = &mmu->gfn[gfn];

	return !is_watched(g) && (!(g->flags & GFN_UNSYNC) || (g->flags & GFN_RESIDENT));
}

/* Does a leaf entry of the shadow allow all that the guest's own one does? */
static bool leaf_is_full(struct pvrom_mmu *mmu, uint32_t page, uint32_t slot)
{
	const struct shadow_page *p = &mmu->page[page];
	const uint64_t shadow = shadow_table(mmu, page)[slot];
	struct pvrom_mmu_memory memory;
	uint64_t e;

	if (p->role & ROLE_WP0)
		return false;
	if (p->role & ROLE_SPLIT)
		return shadow && ((shadow & PTE_W) || !(p->role & ROLE_W)) &&
		       stays_writable(mmu, (uint64_t)p->gfn + slot);
	if (!guest_page(mmu, p->gfn, &memory))
		return false;
	e = __atomic_load_n((uint64_t *)memory.at + slot, __ATOMIC_RELAXED);
	if (!((shadow | e) & PTE_P))
		return true;
	return shadow && (e & (PTE_P | PTE_A)) == (PTE_P | PTE_A) &&
	       ((shadow & PTE_W) || !(e & PTE_W)) &&
	       shadow == pvrom_shadow_leaf(mmu, (e & PTE_ADDRESS) >> 12,
					   pvrom_shadow_rights(p->role, e, false)) &&
	       stays_writable(mmu, (e & PTE_ADDRESS) >> 12);
}

/* Is an address of the set there, by pages that are marked? */
static bool is_held(struct pvrom_mmu *mmu, uint32_t root, uint64_t address)
{
	uint32_t page = root, level;

	for (level = 4; level > 1; level--) {
		const uint64_t e = shadow_table(mmu, page)[slot_at(address, level)];

		if (!e)
			return false;
		page = shadow_child(mmu, e);
		if (!(mmu->page[page].flags & PAGE_RESIDENT))
			return false;
	}
	return leaf_is_full(mmu, page, slot_at(address, 1));
}

/* What a root shares with others: the table below it that an address is in; 0: none yet. */
static uint32_t below_root(const struct pvrom_mmu *mmu, uint32_t root, uint64_t address)
{
	const uint64_t e = shadow_table(mmu, root)[slot_at(address, 4)];

	return e ? shadow_child(mmu, e) : 0;
}

/* Has that table all of the set that is in it, because another root was filled? */
static bool is_shared(const struct pvrom_mmu *mmu, uint32_t root, uint64_t address)
{
	const uint32_t page = below_root(mmu, root, address);

	return page && mmu->page[page].resident == mmu->resident_set;
}

static uint64_t last_page(uint64_t range)
{
	return (range & ~UINT64_C(4095)) + ((range & 4095) << 12);
}

/* The last page below the same entry of the root. */
static uint64_t end_of_slot(uint64_t address)
{
	return address | (((UINT64_C(1) << 39) - 1) & ~UINT64_C(4095));
}

/*
 * The root holds all of the set: so do the tables below it, for other roots. But not one that is reached without
 * the right to write: D is not set for what is in it.
 */
static void note_shared(struct pvrom_mmu *mmu, uint32_t root)
{
	uint32_t i;

	for (i = 0; i < mmu->resident_count; i++) {
		const uint64_t range = mmu->resident[i], last = last_page(range);
		uint64_t address = range & ~UINT64_C(4095);

		for (;; address = end_of_slot(address) + 4096) {
			const uint64_t e = shadow_table(mmu, root)[slot_at(address, 4)];

			if (e & PTE_W)
				mmu->page[shadow_child(mmu, e)].resident = mmu->resident_set;
			if (end_of_slot(address) >= last)
				break;
		}
	}
}

/* ---- filling ------------------------------------------------------------------------------------------------ */

static bool fill_range(struct pvrom_mmu *mmu, const struct shadow_vcpu *v, uint64_t range)
{
	const uint64_t last = last_page(range);
	uint64_t address = range & ~UINT64_C(4095);

	for (;; address += 4096) {
		if (is_shared(mmu, v->root, address))
			address = end_of_slot(address);
		else if (!is_held(mmu, v->root, address) && !fill_page(mmu, v, address, &address))
			return false;
		if (address >= last)
			return true;
	}
}

/* Fills the vCPU's root; it runs with faults intercepted if that fails. */
bool pvrom_mmu_resident_fill(struct pvrom_mmu *mmu, uint32_t vcpu)
{
	struct shadow_vcpu *v = &mmu->vcpu[vcpu];
	uint32_t i;

	if (!v->root || mmu->gfn[mmu->page[v->root].gfn].level != 4)
		return false;
	if (mmu->page[v->root].resident == mmu->resident_set)
		return true;
	for (i = 0; i < mmu->resident_count; i++)
		if (!fill_range(mmu, v, mmu->resident[i]))
			return false;
	mmu->page[v->root].resident = mmu->resident_set;
	note_shared(mmu, v->root);
	return true;
}

/*
 * Entries of a root have changed: if a part of the set is there it is filled again, now if a vCPU has it loaded.
 * Seldom: a kernel's own entries stay what they are.
 */
void pvrom_mmu_resident_root(struct pvrom_mmu *mmu, uint32_t root, uint32_t slot, uint32_t count)
{
	uint32_t i;

	if (mmu->page[root].resident != mmu->resident_set)
		return;
	for (i = 0; i < mmu->resident_count; i++) {
		const uint64_t range = mmu->resident[i];

		if (slot > slot_at(last_page(range), 4) || slot + count <= slot_at(range, 4))
			continue;
		mmu->page[root].resident = 0;
		if (!mmu->page[root].roots)
			return;
		mmu->resident_dirty = mmu->resident_looser = true;
		mmu->stale |= mmu->ran;
	}
}

static uint64_t vcpus_with_faults(const struct pvrom_mmu *mmu)
{
	uint64_t set = 0;
	uint32_t i;

	for (i = 0; i < mmu->config.vcpus; i++)
		if (mmu->vcpu[i].faults)
			set |= shadow_bit(i);
	return set;
}

/*
 * A part of the set is about to be lost. Who takes his own faults must not see that: he comes out before it
 * goes, and waits for the lock, on his way in again, until it has been made good.
 */
void pvrom_mmu_resident_hold(struct pvrom_mmu *mmu)
{
	const uint64_t set = vcpus_with_faults(mmu) & mmu->ran & ~mmu->self;

	if (!mmu->resident_dirty && set)
		mmu->config.ops->kick(mmu->config.ctx, set);
	mmu->resident_dirty = true;
}

/* A part of the set was lost: no root is known to hold it all. */
static void refill_all(struct pvrom_mmu *mmu)
{
	uint32_t i;

	mmu->resident_set++;
	for (i = 0; i < mmu->config.vcpus; i++)
		if (mmu->vcpu[i].faults && mmu->vcpu[i].root && !pvrom_mmu_resident_fill(mmu, i)) {
			/* It has to come out, to go in again with interception. */
			mmu->stale |= mmu->ran & shadow_bit(i);
			pvrom_shadow_flush_stale(mmu, shadow_bit(i));
		}
}

/* Before the lock is given back: what happened to the set meanwhile is made good. */
void pvrom_mmu_resident_repair(struct pvrom_mmu *mmu)
{
	if (mmu->resident_dirty)
		refill_all(mmu);
	if (mmu->resident_looser)
		pvrom_shadow_flush_stale(mmu, vcpus_with_faults(mmu));
	mmu->resident_dirty = mmu->resident_looser = false;
}

static void unmark_all(struct pvrom_mmu *mmu)
{
	uint32_t page, i;

	for (page = mmu->oldest; page; page = mmu->page[page].newer)
		mmu->page[page].flags &= (uint8_t)~PAGE_RESIDENT;
	for (i = 0; i < mmu->unsync_count; i++)
		pvrom_shadow_keep_not(mmu, mmu->unsync[i].gfn);
	mmu->resident_pages = 0;
}

/* The set changed: marks are made anew, in the roots that are in use. */
static bool refill(struct pvrom_mmu *mmu)
{
	bool all = true;
	uint32_t i;

	unmark_all(mmu);
	mmu->resident_set++;
	for (i = 0; i < mmu->config.vcpus; i++)
		if (mmu->vcpu[i].faults && mmu->vcpu[i].root && !pvrom_mmu_resident_fill(mmu, i))
			all = false;
	return all;
}

void pvrom_mmu_resident_drop_all(struct pvrom_mmu *mmu)
{
	mmu->resident_count = 0;
	refill(mmu);
}

static uint32_t pages_of_all(const struct pvrom_mmu *mmu)
{
	uint32_t i, pages = 0;

	for (i = 0; i < mmu->resident_count; i++)
		pages += (uint32_t)(mmu->resident[i] & 4095) + 1;
	return pages;
}

static uint32_t add(struct pvrom_mmu *mmu, uint64_t range)
{
	const uint32_t pages = (uint32_t)(range & 4095) + 1;

	if (mmu->resident_count == PVROM_MMU_RESIDENT_MAX ||
	    pages_of_all(mmu) + pages > PVROM_MMU_RESIDENT_PAGES_MAX)
		return PVROM_STATUS_NO_SPACE;
	mmu->resident[mmu->resident_count++] = range;
	if (refill(mmu))
		return PVROM_STATUS_OK;
	mmu->resident_count--;
	refill(mmu);
	return PVROM_STATUS_NO_SPACE;
}

static uint32_t drop(struct pvrom_mmu *mmu, uint64_t range)
{
	uint32_t i;

	for (i = 0; i < mmu->resident_count; i++)
		if (mmu->resident[i] == range)
			break;
	if (i == mmu->resident_count)
		return PVROM_STATUS_INVALID;
	mmu->resident[i] = mmu->resident[--mmu->resident_count];
	refill(mmu);
	return PVROM_STATUS_OK;
}

/* RESIDENT. */
uint32_t pvrom_mmu_resident_call(struct pvrom_mmu *mmu, uint64_t range, uint64_t what)
{
	if (what == PVROM_MMU_RESIDENT_DROP_ALL) {
		pvrom_mmu_resident_drop_all(mmu);
		return PVROM_STATUS_OK;
	}
	if (!range_is_valid(range) || what > PVROM_MMU_RESIDENT_DROP)
		return PVROM_STATUS_INVALID;
	return what == PVROM_MMU_RESIDENT_ADD ? add(mmu, range) : drop(mmu, range);
}

/* FAULTS. */
uint32_t pvrom_mmu_faults_call(struct pvrom_mmu *mmu, uint32_t vcpu, uint64_t on)
{
	struct shadow_vcpu *v = &mmu->vcpu[vcpu];

	if (on > 1)
		return PVROM_STATUS_INVALID;
	if (on && (!mmu->resident_count || !v->root || mmu->gfn[mmu->page[v->root].gfn].level != 4))
		return PVROM_STATUS_INVALID;
	v->faults = on;
	if (!on || pvrom_mmu_resident_fill(mmu, vcpu))
		return PVROM_STATUS_OK;
	v->faults = false;
	refill(mmu);
	return PVROM_STATUS_NO_SPACE;
}
