/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Page faults: whose they are, and the path through the shadow that makes an allowed access possible. */
#include "mmu_internal.h"

/* Entries of a table that are looked at together when one of them is needed: a power of two. */
#define AROUND 16

/* ---- the path --------------------------------------------------------------------------------------------- */

struct path {
	uint32_t page[5]; /* by level */
	uint8_t mark;	  /* for the pages below the root: PAGE_RESIDENT or 0 */
};

static void pin(struct pvrom_mmu *mmu, struct path *path, uint32_t level, uint32_t page)
{
	struct shadow_page *p = &mmu->page[page];

	path->page[level] = page;
	if (level < 4 && (path->mark & ~p->flags)) {
		p->flags |= path->mark;
		mmu->resident_pages++;
	}
	p->flags |= PAGE_PINNED;
	pvrom_shadow_touch(mmu, page);
}

static void unpin(struct pvrom_mmu *mmu, const struct path *path)
{
	uint32_t level;

	for (level = 1; level <= 4; level++)
		mmu->page[path->page[level]].flags &= (uint8_t)~PAGE_PINNED;
}

/* The next page of the path, linked to. Page 0 is none. */
static uint32_t descend(struct pvrom_mmu *mmu, uint32_t page, uint64_t address,
			const struct shadow_walk *walk)
{
	const uint16_t role = mmu->page[page].role;
	const uint32_t level = role & ROLE_LEVEL, slot = slot_at(address, level);
	uint64_t e = PTE_PS, gfn;
	uint32_t child;

	if (role & ROLE_SPLIT) {
		child = pvrom_shadow_part_child(mmu, page, slot, true);
	} else {
		e = walk->entry[level];
		gfn = (e & PTE_ADDRESS) >> 12;
		if (level == walk->leaf)
			gfn &= ~((UINT64_C(1) << (9 * (level - 1))) - 1);
		child = pvrom_shadow_get(mmu, gfn, pvrom_shadow_child_role(role, e), true);
	}
	if (child)
		pvrom_shadow_link(mmu, page * 512 + slot, e, child);
	return child;
}

static void fill_around(struct pvrom_mmu *mmu, uint32_t entry)
{
	const uint64_t *shadow = shadow_table(mmu, PAGE_OF(entry));
	const uint32_t first = SLOT_OF(entry) & ~(AROUND - 1u);
	uint32_t i;

	for (i = first; i < first + AROUND; i++)
		if (!shadow[i])
			pvrom_shadow_sync_entry(mmu, PAGE_OF(entry) * 512 + i, false);
}

static void set_leaf(struct pvrom_mmu *mmu, uint32_t page, uint64_t address, uint32_t error,
		     const struct shadow_walk *walk)
{
	const bool supervisor_write = (error & (ERROR_W | ERROR_U)) == ERROR_W;
	const uint16_t role = mmu->page[page].role;
	const uint32_t slot = slot_at(address, 1);
	const uint64_t gfn = walk->gpa >> 12;
	uint64_t value;

	if (role & ROLE_SPLIT)
		value = pvrom_shadow_part(mmu, page, slot, supervisor_write);
	else
		value = pvrom_shadow_leaf(
			mmu, gfn, pvrom_shadow_rights(role, walk->entry[1], supervisor_write));
	pvrom_shadow_set(mmu, page * 512 + slot, value, (uint32_t)gfn);
	if (!(role & ROLE_SPLIT))
		fill_around(mmu, page * 512 + slot);
}

static bool build(struct pvrom_mmu *mmu, uint32_t root, uint64_t address, uint32_t error,
		  uint8_t mark, const struct shadow_walk *walk)
{
	struct path path = { .mark = mark };
	uint32_t level, page = root;

	for (level = 4; page && level > 1; level--) {
		pin(mmu, &path, level, page);
		page = descend(mmu, page, address, walk);
	}
	if (page) {
		pin(mmu, &path, 1, page);
		set_leaf(mmu, page, address, error, walk);
	}
	unpin(mmu, &path);
	return page != 0;
}

/*
 * The tables that lead to an entry which maps nothing, as far as they go, with the mark. The entry itself is left
 * out. False: no page was to be had, or the guest writes there.
 */
bool pvrom_shadow_hold_path(struct pvrom_mmu *mmu, const struct shadow_vcpu *v, uint64_t address,
			    uint8_t mark, struct shadow_walk *walk)
{
	struct path path = { .mark = mark };
	uint32_t level, page = v->root;

	if (!pvrom_shadow_mark_upper(walk))
		return false;
	for (level = 4; page && level > walk->last; level--) {
		pin(mmu, &path, level, page);
		page = descend(mmu, page, address, walk);
	}
	if (page)
		pin(mmu, &path, level, page);
	unpin(mmu, &path);
	return page != 0;
}

/* ---- an access --------------------------------------------------------------------------------------------- */

/*
 * Makes an access possible that the guest's tables allow: A and D set, the path built, a watched page out of
 * sync if it is written. mark goes to the pages of the path. RETRY with walk->leaf 0 if no page was to be had.
 */
enum pvrom_mmu_outcome pvrom_shadow_fill(struct pvrom_mmu *mmu, const struct shadow_vcpu *v,
					 uint64_t address, uint32_t error, uint8_t mark,
					 struct shadow_walk *walk)
{
	enum pvrom_mmu_outcome outcome = pvrom_shadow_walk_mark(mmu, v, address, error, walk);
	struct pvrom_mmu_memory memory;

	if (outcome != PVROM_MMU_RETRY || !walk->leaf)
		return outcome;
	if (!guest_page(mmu, walk->gpa >> 12, &memory))
		return PVROM_MMU_MEMORY;
	/* Of a ROM that is mapped writable, what can be had is held. */
	if (error & ACCESS_ANY)
		error = (walk->error & ACCESS_ANY) && !memory.read_only ? ERROR_W : 0;
	if ((error & ERROR_W) && memory.read_only)
		return PVROM_MMU_MEMORY;
	if ((error & ERROR_W) && is_watched(&mmu->gfn[walk->gpa >> 12]))
		pvrom_shadow_unwatch(mmu, walk->gpa >> 12);
	mmu->stats.fills++;
	/* What was announced before the entries of this walk were written. */
	pvrom_shadow_drain(mmu);
	if (!build(mmu, v->root, address, error, mark, walk))
		walk->leaf = 0;
	return PVROM_MMU_RETRY;
}

static enum pvrom_mmu_outcome fault(struct pvrom_mmu *mmu, const struct shadow_vcpu *v,
				    uint64_t address, uint32_t error, struct shadow_walk *walk)
{
	enum pvrom_mmu_outcome outcome;

	mmu->stats.faults++;
	pvrom_shadow_drain(mmu);
	outcome = pvrom_shadow_fill(mmu, v, address, error, 0, walk);
	if (outcome == PVROM_MMU_INJECT)
		mmu->stats.injected++;
	/* With the smallest pool that is allowed there is always a page; this is for a miscount. */
	if (outcome == PVROM_MMU_RETRY && !walk->leaf && !mmu->free_count && !mmu->limbo)
		pvrom_shadow_zap_all(mmu);
	return outcome;
}

enum pvrom_mmu_outcome pvrom_mmu_fault(struct pvrom_mmu *mmu, uint32_t vcpu, uint64_t address,
				       uint32_t error, struct pvrom_mmu_fault *out)
{
	const struct shadow_vcpu *v = &mmu->vcpu[vcpu];
	enum pvrom_mmu_outcome outcome = PVROM_MMU_RETRY;
	struct shadow_walk walk = { .leaf = 0 };

	pvrom_shadow_enter(mmu, vcpu);
	if (v->root)
		outcome = fault(mmu, v, address,
				error & (ERROR_W | ERROR_U | ERROR_I | PVROM_MMU_ACCESS_AC), &walk);
	pvrom_shadow_exit(mmu);
	*out = (struct pvrom_mmu_fault){ .gpa = walk.gpa, .error = walk.error };
	return outcome;
}

enum pvrom_mmu_outcome pvrom_mmu_translate(struct pvrom_mmu *mmu, uint32_t vcpu, uint64_t address,
					   uint32_t error, struct pvrom_mmu_fault *out)
{
	struct shadow_walk walk = { .leaf = 0 };
	enum pvrom_mmu_outcome outcome;

	pvrom_shadow_enter(mmu, vcpu);
	outcome = pvrom_shadow_walk(mmu, &mmu->vcpu[vcpu], address,
				    error & (ERROR_W | ERROR_U | ERROR_I | PVROM_MMU_ACCESS_AC),
				    &walk);
	pvrom_shadow_exit(mmu);
	*out = (struct pvrom_mmu_fault){ .gpa = walk.gpa, .error = walk.error };
	return outcome;
}
