/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What an entry of the shadow should be, given the guest's. Nothing here changes anything. */
#include "mmu_internal.h"

#define RIGHTS (PTE_W | PTE_U | PTE_NX | PTE_G)
#define THERE (PTE_P | PTE_A)

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

uint64_t pvrom_shadow_rights(uint16_t role, uint64_t entry, bool supervisor_write)
{
	const uint64_t rights = entry & (PTE_U | PTE_NX | PTE_G);

	if (role & ROLE_WP0)
		return rights_without_wp(role, entry, supervisor_write);
	return rights | ((entry & PTE_D) || BUG(WRITE_WITHOUT_D) ? entry & PTE_W : 0);
}

/* The entry that maps a page of the guest with these rights; 0 if there is no memory. */
uint64_t pvrom_shadow_leaf(struct pvrom_mmu *mmu, uint64_t gfn, uint64_t rights)
{
	struct pvrom_mmu_memory memory;

	if (!guest_page(mmu, gfn, &memory))
		return 0;
	if ((memory.read_only && !BUG(ROM_WRITABLE)) || is_watched(&mmu->gfn[gfn]))
		rights &= ~PTE_W;
	return memory.hpa | THERE | (rights & RIGHTS) | (rights & PTE_W ? PTE_D : 0);
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

/* The rights of a large page are in its parts. */
uint64_t pvrom_shadow_link_value(const struct pvrom_mmu *mmu, uint16_t role, uint64_t entry,
				 uint32_t child)
{
	const uint64_t hpa = shadow_hpa(mmu, child) | THERE;

	if (entry & PTE_PS)
		return hpa | PTE_W | PTE_U;
	return hpa | (entry & (PTE_U | PTE_NX)) | (role & ROLE_WP0 ? PTE_W : entry & PTE_W);
}
