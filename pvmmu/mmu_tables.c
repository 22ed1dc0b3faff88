/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Which pages of the guest are tables: registered, released, and made as a copy of another. */
#include "mmu_internal.h"

/* What was written before nobody told about, so a shadow that there is already is read again. */
static void begin_registered(struct pvrom_mmu *mmu, uint64_t gfn)
{
	if (!mmu->gfn[gfn].shadows)
		return;
	pvrom_shadow_zap_dead(mmu, gfn, mmu->gfn[gfn].level);
	pvrom_shadow_keep_not(mmu, gfn);
	mmu->gfn[gfn].flags &= (uint8_t)~GFN_UNSYNC;
	pvrom_shadow_sync_slots(mmu, gfn, 0, 512);
	pvrom_shadow_refresh_mapped(mmu, gfn);
}

uint32_t pvrom_shadow_register(struct pvrom_mmu *mmu, uint64_t gfn, uint32_t level, bool zeroed)
{
	struct shadow_gfn *g;

	if (!guest_page_is_writable(mmu, gfn))
		return PVROM_STATUS_ADDRESS;
	g = &mmu->gfn[gfn];
	if (level < 1 || level > 4 || g->level)
		return PVROM_STATUS_INVALID;
	g->level = (uint8_t)level;
	mmu->registered++;
	begin_registered(mmu, gfn);
	if (zeroed && !g->shadows)
		g->flags |= GFN_ZEROED;
	return PVROM_STATUS_OK;
}

static bool is_root(const struct pvrom_mmu *mmu, uint64_t gfn)
{
	uint32_t page = pvrom_shadow_first(mmu, gfn);

	while (page && !mmu->page[page].roots)
		page = pvrom_shadow_next(mmu, page);
	return page != 0;
}

uint32_t pvrom_shadow_release(struct pvrom_mmu *mmu, uint64_t gfn)
{
	if (gfn >= mmu->config.guest_pages)
		return PVROM_STATUS_ADDRESS;
	if (!mmu->gfn[gfn].level)
		return PVROM_STATUS_INVALID;
	if (is_root(mmu, gfn))
		return PVROM_STATUS_BUSY;
	if (!BUG(RELEASE_KEEPS))
		pvrom_shadow_zap_gfn(mmu, gfn);
	mmu->gfn[gfn].level = 0;
	mmu->gfn[gfn].flags = 0;
	mmu->registered--;
	return PVROM_STATUS_OK;
}

#ifdef PVROM_TEST
/* The seeded bug: what the guest's own copy says is not looked at. */
static bool copied_blindly(struct pvrom_mmu *mmu, uint32_t page, uint32_t template_page,
			   uint32_t slot)
{
	struct pvrom_mmu_memory memory;

	if (!BUG(CLONE_BLIND) || (mmu->page[page].role & ROLE_LEVEL) != 1 ||
	    !guest_page(mmu, mmu->page[template_page].gfn, &memory))
		return false;
	pvrom_shadow_set(mmu, page * 512 + slot, shadow_table(mmu, template_page)[slot],
			 (uint32_t)((((uint64_t *)memory.at)[slot] & PTE_ADDRESS) >> 12));
	return true;
}
#else
static bool copied_blindly(struct pvrom_mmu *mmu, uint32_t page, uint32_t template_page,
			   uint32_t slot)
{
	(void)mmu;
	(void)page;
	(void)template_page;
	(void)slot;
	return false;
}
#endif

/* The entries of a new shadow that its template has, and that the guest's new table has too. */
static void fill_from(struct pvrom_mmu *mmu, uint32_t page, uint32_t template_page)
{
	const uint64_t *t = shadow_table(mmu, template_page);
	uint32_t slot;

	for (slot = 0; slot < 512; slot++)
		if (t[slot] && !copied_blindly(mmu, page, template_page, slot))
			pvrom_shadow_sync_entry(mmu, page * 512 + slot, true);
}

/*
 * gfn, just registered, is a copy of a registered table: where that has a shadow, so has this one from now
 * on; a leaf table filled as far as the template's was needed, others as far as their entries have A. Only a
 * hint: without free pages nothing happens.
 */
uint32_t pvrom_mmu_clone(struct pvrom_mmu *mmu, uint64_t gfn, uint64_t template_gfn)
{
	struct shadow_gfn *g;
	uint32_t from, page;

	if (gfn >= mmu->config.guest_pages || template_gfn >= mmu->config.guest_pages)
		return PVROM_STATUS_ADDRESS;
	g = &mmu->gfn[gfn];
	if (gfn == template_gfn || !g->level || g->level != mmu->gfn[template_gfn].level)
		return PVROM_STATUS_INVALID;
	from = pvrom_shadow_first(mmu, template_gfn);
	for (; from && mmu->ahead; from = pvrom_shadow_next(mmu, from)) {
		const uint16_t role = mmu->page[from].role;

		if (pvrom_shadow_find(mmu, gfn, role))
			continue;
		mmu->ahead--;
		if (g->level == 1)
			g->flags |= GFN_ZEROED; /* so that it is not read as a whole */
		mmu->page[from].flags |= PAGE_PINNED;
		page = pvrom_shadow_get(mmu, gfn, role, false);
		g->flags &= (uint8_t)~GFN_ZEROED;
		if (page && g->level == 1)
			fill_from(mmu, page, from);
		mmu->page[from].flags &= (uint8_t)~PAGE_PINNED;
	}
	return PVROM_STATUS_OK;
}
