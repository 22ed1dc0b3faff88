/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The calls of group mmu, but those of mmu_entries.c; and their table. */
#include "mmu_internal.h"

/* Bit 63 of what is written to CR3 with PCIDs on: what is known of that PCID may be kept. */
#define PCID_KEEP (UINT64_C(1) << 63)

/* ---- roots and flushes -------------------------------------------------------------------------------- */

static uint32_t range(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4], uint64_t *value)
{
	(void)vcpu;
	return pvrom_shadow_range(mmu, arg, value);
}

static uint32_t switch_root(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
			    uint64_t *value)
{
	struct pvrom_mmu_regs regs = mmu->vcpu[vcpu].regs;
	struct pvrom_mmu_memory memory;

	(void)value;
	if (arg[0] & ~PCID_KEEP & ~((UINT64_C(1) << mmu->config.physical_bits) - 1))
		return PVROM_STATUS_INVALID;
	if (!guest_page(mmu, (arg[0] & PTE_ADDRESS) >> 12, &memory))
		return PVROM_STATUS_ADDRESS;
	regs.cr3 = arg[0];
	if (mmu->vcpu[vcpu].paged)
		pvrom_shadow_set_regs(mmu, vcpu, &regs);
	if (mmu->config.ops->root)
		mmu->config.ops->root(mmu->config.ctx, vcpu, arg[0]);
	return PVROM_STATUS_OK;
}

static uint32_t flush_one(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
			  uint64_t *value)
{
	(void)value;
	pvrom_shadow_sync_address(mmu, mmu->vcpu[vcpu].root, arg[0]);
	return PVROM_STATUS_OK;
}

static uint32_t flush_range(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
			    uint64_t *value)
{
	(void)vcpu;
	(void)value;
	if (!range_is_valid(arg[0]))
		return PVROM_STATUS_INVALID;
	pvrom_shadow_sync_all(mmu);
	return PVROM_STATUS_OK;
}

static uint32_t flush_all(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
			  uint64_t *value)
{
	(void)vcpu;
	(void)arg;
	(void)value;
	pvrom_shadow_sync_all(mmu);
	return PVROM_STATUS_OK;
}

/* Only a TLB that may hold what is no more is flushed, and only its vCPU has to come out. */
static uint32_t flush_set(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
			  uint64_t *value)
{
	const uint32_t vcpus = mmu->config.vcpus;

	(void)vcpu;
	(void)value;
	if (arg[3] > PVROM_MMU_FLUSH_EVERYTHING ||
	    (arg[3] == PVROM_MMU_FLUSH_PAGES && !range_is_valid(arg[2])))
		return PVROM_STATUS_INVALID;
	if (arg[1] && (arg[0] >= vcpus || arg[1] > ~UINT64_C(0) >> (64 - vcpus + arg[0])))
		return PVROM_STATUS_INVALID;
	pvrom_shadow_sync_all(mmu);
	if (arg[1] && !BUG(FLUSH_OTHERS))
		pvrom_shadow_flush_stale(mmu, arg[1] << arg[0]);
	return PVROM_STATUS_OK;
}

static uint32_t lazy_end(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
			 uint64_t *value)
{
	(void)mmu; /* drained already */
	(void)vcpu;
	(void)arg;
	(void)value;
	return PVROM_STATUS_OK;
}

static uint32_t ring(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4], uint64_t *value)
{
	(void)value;
	return pvrom_mmu_ring_set(mmu, vcpu, arg[0], arg[1]);
}

/* ---- faults that go straight to the guest ----------------------------------------------------------------- */

static uint32_t fill(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4], uint64_t *value)
{
	const struct shadow_vcpu *v = &mmu->vcpu[vcpu];
	struct shadow_walk walk = { .leaf = 0 };

	(void)value;
	if ((arg[1] &
	     ~(uint64_t)(PVROM_MMU_FILL_WRITE | PVROM_MMU_FILL_USER | PVROM_MMU_FILL_FETCH)) ||
	    !is_canonical(arg[0]) || !v->root)
		return PVROM_STATUS_INVALID;
	/* The guest has judged SMAP itself. */
	switch (pvrom_shadow_fill(mmu, v, arg[0], (uint32_t)arg[1] | PVROM_MMU_ACCESS_AC, 0,
				  &walk)) {
	case PVROM_MMU_RETRY: return PVROM_STATUS_OK;
	case PVROM_MMU_INJECT: return PVROM_STATUS_INVALID;
	default: return PVROM_STATUS_ADDRESS;
	}
}

static uint32_t resident(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
			 uint64_t *value)
{
	(void)vcpu;
	(void)value;
	return pvrom_mmu_resident_call(mmu, arg[0], arg[1]);
}

static uint32_t faults(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4], uint64_t *value)
{
	(void)value;
	return pvrom_mmu_faults_call(mmu, vcpu, arg[0]);
}

/* ---- dispatch --------------------------------------------------------------------------------------------- */

static pvrom_mmu_call_fn *const calls[] = {
	[PVROM_MMU_REGISTER_TABLE & 0xff] = pvrom_mmu_call_register,
	[PVROM_MMU_RELEASE_TABLE & 0xff] = pvrom_mmu_call_release,
	[PVROM_MMU_SET_ENTRY & 0xff] = pvrom_mmu_call_set,
	[PVROM_MMU_SWAP_ENTRY & 0xff] = pvrom_mmu_call_swap,
	[PVROM_MMU_NOTIFY & 0xff] = pvrom_mmu_call_notify,
	[PVROM_MMU_ENTRIES & 0xff] = pvrom_mmu_call_entries,
	[PVROM_MMU_RANGE & 0xff] = range,
	[PVROM_MMU_SWITCH_ROOT & 0xff] = switch_root,
	[PVROM_MMU_FLUSH_ONE & 0xff] = flush_one,
	[PVROM_MMU_FLUSH_RANGE & 0xff] = flush_range,
	[PVROM_MMU_FLUSH_ALL & 0xff] = flush_all,
	[PVROM_MMU_FLUSH_SET & 0xff] = flush_set,
	[PVROM_MMU_LAZY_END & 0xff] = lazy_end,
	[PVROM_MMU_RING & 0xff] = ring,
	[PVROM_MMU_FILL & 0xff] = fill,
	[PVROM_MMU_RESIDENT & 0xff] = resident,
	[PVROM_MMU_FAULTS & 0xff] = faults,
	[PVROM_MMU_MAP & 0xff] = pvrom_mmu_call_map,
};

/* Whatever a call is about, what has been announced comes first. */
uint32_t pvrom_mmu_call(struct pvrom_host *host, struct pvrom_host_vcpu *vcpu, uint32_t number,
			const uint64_t arg[4], uint64_t *value)
{
	struct pvrom_mmu *mmu = pvrom_mmu_of(host);
	const uint32_t index = number & 0xff;
	uint32_t status;

	if (index >= sizeof(calls) / sizeof(calls[0]) || !calls[index])
		return PVROM_STATUS_NOT_SUPPORTED;
	pvrom_shadow_enter(mmu, vcpu->id);
	pvrom_shadow_drain(mmu);
	status = calls[index](mmu, vcpu->id, arg, value);
	pvrom_shadow_exit(mmu);
	return status;
}
