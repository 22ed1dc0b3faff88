/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* New shadows: of tables, and of the parts of large pages. */
#include "mmu_internal.h"

/* What a slot of a level-2 SPLIT points to: parts of 2 MiB. */
uint32_t pvrom_shadow_part_child(struct pvrom_mmu *mmu, uint32_t page, uint32_t slot, bool needed)
{
	const struct shadow_page *p = &mmu->page[page];

	if (BUG(GIB_OFFSET))
		slot = 0;
	return pvrom_shadow_get(mmu, p->gfn + ((uint64_t)slot << 9),
				(uint16_t)((p->role & ~ROLE_LEVEL) | 1), needed);
}

static void fill_parts(struct pvrom_mmu *mmu, uint32_t page)
{
	uint32_t slot;

	for (slot = 0; slot < 512; slot++)
		pvrom_shadow_set(mmu, page * 512 + slot, pvrom_shadow_part(mmu, page, slot, false),
				 mmu->page[page].gfn + slot);
}

/* Filling ahead goes a level down each time too, and no more tables at once than mmu->ahead says. */
static void fill_table(struct pvrom_mmu *mmu, uint32_t page, uint64_t gfn)
{
	pvrom_shadow_begin_watching(mmu, gfn);
	pvrom_shadow_sync_new(mmu, page);
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
