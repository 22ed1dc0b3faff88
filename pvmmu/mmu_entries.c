/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The calls of group mmu that are about tables and their entries. */
#include "mmu_internal.h"

uint32_t pvrom_mmu_call_register(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
				 uint64_t *value)
{
	const uint64_t gfn = arg[0] >> 12, template_gfn = arg[2] >> 12;
	uint32_t status;

	(void)vcpu;
	(void)value;
	if ((arg[0] & 4095) || (arg[2] != PVROM_MMU_NONE && (arg[2] & 4095)))
		return PVROM_STATUS_ADDRESS;
	if (arg[1] & ~UINT64_C(0x107))
		return PVROM_STATUS_INVALID;
	if (arg[2] != PVROM_MMU_NONE) {
		if (template_gfn >= mmu->config.guest_pages)
			return PVROM_STATUS_ADDRESS;
		if (template_gfn == gfn || mmu->gfn[template_gfn].level != (arg[1] & 7))
			return PVROM_STATUS_INVALID;
	}
	status = pvrom_shadow_register(mmu, gfn, arg[1] & 7, arg[1] & PVROM_MMU_TABLE_ZEROED);
	if (!status && arg[2] != PVROM_MMU_NONE)
		pvrom_mmu_clone(mmu, gfn, template_gfn);
	return status;
}

uint32_t pvrom_mmu_call_release(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
				uint64_t *value)
{
	(void)vcpu;
	(void)value;
	return arg[0] & 4095 ? PVROM_STATUS_ADDRESS : pvrom_shadow_release(mmu, arg[0] >> 12);
}

/* Entries of a registered table, all in one page; NULL with the reason if they are not. */
static uint64_t *entries_at(struct pvrom_mmu *mmu, uint64_t gpa, uint64_t count, uint32_t *status)
{
	struct pvrom_mmu_memory memory;

	*status = PVROM_STATUS_ADDRESS;
	if ((gpa & 7) || !guest_page(mmu, gpa >> 12, &memory))
		return NULL;
	*status = PVROM_STATUS_INVALID;
	if (!count || count > 512 - (gpa & 4095) / 8 || !mmu->gfn[gpa >> 12].level)
		return NULL;
	*status = PVROM_STATUS_OK;
	return (uint64_t *)memory.at + (gpa & 4095) / 8;
}

static void entries_changed(struct pvrom_mmu *mmu, uint64_t gpa, uint32_t count)
{
	mmu->gfn[gpa >> 12].flags &= (uint8_t)~GFN_ZEROED;
	pvrom_shadow_sync_slots(mmu, gpa >> 12, (uint32_t)(gpa & 4095) / 8, count);
}

uint32_t pvrom_mmu_call_set(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
			    uint64_t *value)
{
	uint32_t status;
	uint64_t *at = entries_at(mmu, arg[0], 1, &status);

	(void)vcpu;
	(void)value;
	if (!at)
		return status;
	__atomic_store_n(at, arg[1], __ATOMIC_RELEASE);
	entries_changed(mmu, arg[0], 1);
	return status;
}

uint32_t pvrom_mmu_call_swap(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
			     uint64_t *value)
{
	uint32_t status;
	uint64_t *at = entries_at(mmu, arg[0], 1, &status);

	(void)vcpu;
	if (!at)
		return status;
	*value = __atomic_exchange_n(at, arg[1], __ATOMIC_ACQ_REL);
	entries_changed(mmu, arg[0], 1);
	return status;
}

uint32_t pvrom_mmu_call_notify(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
			       uint64_t *value)
{
	uint32_t status;

	(void)vcpu;
	(void)value;
	if (entries_at(mmu, arg[0], arg[1], &status))
		entries_changed(mmu, arg[0], (uint32_t)arg[1]);
	return status;
}

uint32_t pvrom_mmu_call_entries(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
				uint64_t *value)
{
	struct pvrom_mmu_memory memory;
	uint32_t registered = 0;
	uint64_t i, at;

	(void)vcpu;
	(void)value;
	if (arg[1] > PVROM_MMU_ENTRIES_MAX)
		return PVROM_STATUS_INVALID;
	if ((arg[0] & 7) || arg[0] > UINT64_MAX - arg[1] * 8)
		return PVROM_STATUS_ADDRESS;
	for (at = arg[0] & ~UINT64_C(4095); at < arg[0] + arg[1] * 8; at += 4096)
		if (!guest_page(mmu, at >> 12, &memory))
			return PVROM_STATUS_ADDRESS;
	for (i = 0; i < arg[1]; i++) {
		at = arg[0] + i * 8;
		if (!guest_page(mmu, at >> 12, &memory))
			return PVROM_STATUS_ADDRESS;
		if (!pvrom_mmu_word(mmu,
				    __atomic_load_n((uint64_t *)memory.at + (at & 4095) / 8,
						    __ATOMIC_RELAXED),
				    &registered))
			mmu->stats.refused++;
	}
	return PVROM_STATUS_OK;
}

/* A page that the map says is a table, and that is not registered, is from now on. */
uint32_t pvrom_mmu_call_map(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
			    uint64_t *value)
{
	struct pvrom_mmu_memory memory;
	uint64_t i, at;

	(void)vcpu;
	(void)value;
	if (arg[2] > PVROM_MMU_MAP_MAX || arg[1] > mmu->config.guest_pages ||
	    arg[2] > mmu->config.guest_pages - arg[1])
		return PVROM_STATUS_INVALID;
	if (arg[0] > UINT64_MAX - arg[2])
		return PVROM_STATUS_ADDRESS;
	for (at = arg[0] & ~UINT64_C(4095); at < arg[0] + arg[2]; at += 4096)
		if (!guest_page(mmu, at >> 12, &memory))
			return PVROM_STATUS_ADDRESS;
	for (i = 0; i < arg[2]; i++) {
		uint8_t byte;

		at = arg[0] + i;
		if ((!i || !(at & 4095)) && !guest_page(mmu, at >> 12, &memory))
			return PVROM_STATUS_ADDRESS;
		byte = __atomic_load_n((uint8_t *)memory.at + (at & 4095), __ATOMIC_RELAXED);
		if (byte & PVROM_MMU_MAP_TABLE)
			pvrom_shadow_register(mmu, arg[1] + i,
					      ((uint32_t)byte >> PVROM_MMU_MAP_LEVEL_SHIFT & 3) + 1,
					      false);
	}
	return PVROM_STATUS_OK;
}
