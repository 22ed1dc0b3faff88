/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The two features as the host core sees them: offered, stopped, and found again. */
#include "mmu_internal.h"

static uint32_t offer(const struct pvrom_host *host)
{
	return host->config.vcpus == pvrom_mmu_of(host)->config.vcpus ? PVROM_REASON_NONE
								      : PVROM_REASON_NOT_SUPPORTED;
}

static void stop_faults(struct pvrom_mmu *mmu)
{
	uint32_t i;

	for (i = 0; i < mmu->config.vcpus; i++) {
		if (mmu->vcpu[i].faults)
			mmu->stale |= mmu->ran & shadow_bit(i);
		mmu->vcpu[i].faults = false;
	}
	pvrom_mmu_resident_drop_all(mmu);
	/* Who runs with faults of his own comes out, to go in again without. */
	pvrom_shadow_flush_stale(mmu, ~UINT64_C(0));
}

/* No table is registered any more, no ring looked at: the guest is one that makes no calls. */
void pvrom_mmu_forget_tables(struct pvrom_mmu *mmu)
{
	uint64_t gfn;
	uint32_t i;

	stop_faults(mmu);
	for (i = 0; i < mmu->config.vcpus; i++)
		mmu->vcpu[i].ring = PVROM_MMU_NONE;
	pvrom_shadow_zap_all(mmu);
	pvrom_shadow_flush_stale(mmu, ~UINT64_C(0));
	for (gfn = 0; gfn < mmu->config.guest_pages && mmu->registered; gfn++) {
		if (!mmu->gfn[gfn].level)
			continue;
		mmu->gfn[gfn].level = 0;
		mmu->gfn[gfn].flags = 0;
		mmu->registered--;
	}
}

static void enter_alone(struct pvrom_mmu *mmu)
{
	pvrom_shadow_enter(mmu, 0);
	mmu->self = 0; /* whose call this is, is not known: nobody is taken for stopped */
}

static void stop_mmu(struct pvrom_host *host)
{
	struct pvrom_mmu *mmu = pvrom_mmu_of(host);

	enter_alone(mmu);
	pvrom_shadow_drain(mmu);
	pvrom_mmu_forget_tables(mmu);
	pvrom_shadow_exit(mmu);
}

static void stop_mmu_fault(struct pvrom_host *host)
{
	struct pvrom_mmu *mmu = pvrom_mmu_of(host);

	enter_alone(mmu);
	stop_faults(mmu);
	pvrom_shadow_exit(mmu);
}

void pvrom_mmu_features_init(struct pvrom_mmu *mmu)
{
	mmu->half[0] = (struct pvrom_host_feature){
		.number = PVROM_FEATURE_MMU,
		.group = PVROM_GROUP_MMU,
		.offer = offer,
		.stop = stop_mmu,
		.call = pvrom_mmu_call,
		.save = pvrom_mmu_save,
		.load = pvrom_mmu_load,
	};
	mmu->half[1] = (struct pvrom_host_feature){
		.number = PVROM_FEATURE_MMU_FAULT,
		.group = PVROM_GROUP_MMU,
		.offer = offer,
		.stop = stop_mmu_fault,
		.call = pvrom_mmu_call,
	};
}

const struct pvrom_host_feature *pvrom_mmu_feature(struct pvrom_mmu *mmu, uint32_t feature)
{
	switch (feature) {
	case PVROM_FEATURE_MMU: return &mmu->half[0];
	case PVROM_FEATURE_MMU_FAULT: return &mmu->half[1];
	default: return NULL;
	}
}

/* The engine that a machine's table of features names: its halves are part of it. */
struct pvrom_mmu *pvrom_mmu_of(const struct pvrom_host *host)
{
	const struct pvrom_host_feature *const *list = host->config.features;

	while ((*list)->number != PVROM_FEATURE_MMU && (*list)->number != PVROM_FEATURE_MMU_FAULT)
		list++;
	return (struct pvrom_mmu *)(void *)((char *)(uintptr_t)(*list -
								((*list)->number ==
										 PVROM_FEATURE_MMU
									 ? 0
									 : 1)) -
					    __builtin_offsetof(struct pvrom_mmu, half));
}
