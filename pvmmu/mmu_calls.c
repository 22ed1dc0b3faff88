/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The calls of group mmu, and the two features as the host core sees them. */
#include "mmu_internal.h"

/* Bit 63 of what is written to CR3 with PCIDs on: what is known of that PCID may be kept. */
#define PCID_KEEP (UINT64_C(1) << 63)

typedef uint32_t call_fn(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
			 uint64_t *value);

/* ---- tables and entries --------------------------------------------------------------------------- */

static uint32_t register_table(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
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

static uint32_t release_table(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
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

static uint32_t set_entry(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
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

static uint32_t swap_entry(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
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

static uint32_t notify(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4], uint64_t *value)
{
	uint32_t status;

	(void)vcpu;
	(void)value;
	if (entries_at(mmu, arg[0], arg[1], &status))
		entries_changed(mmu, arg[0], (uint32_t)arg[1]);
	return status;
}

static uint32_t entries(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4],
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
static uint32_t map(struct pvrom_mmu *mmu, uint32_t vcpu, const uint64_t arg[4], uint64_t *value)
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
	return pvrom_mmu_ring_set(mmu, vcpu, arg[0]);
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

static call_fn *const calls[] = {
	[PVROM_MMU_REGISTER_TABLE & 0xff] = register_table,
	[PVROM_MMU_RELEASE_TABLE & 0xff] = release_table,
	[PVROM_MMU_SET_ENTRY & 0xff] = set_entry,
	[PVROM_MMU_SWAP_ENTRY & 0xff] = swap_entry,
	[PVROM_MMU_NOTIFY & 0xff] = notify,
	[PVROM_MMU_ENTRIES & 0xff] = entries,
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
	[PVROM_MMU_MAP & 0xff] = map,
};

/* Whatever a call is about, what has been announced comes first. */
static uint32_t call(struct pvrom_host *host, struct pvrom_host_vcpu *vcpu, uint32_t number,
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

/* ---- the features ------------------------------------------------------------------------------------------- */

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
		.call = call,
		.save = pvrom_mmu_save,
		.load = pvrom_mmu_load,
	};
	mmu->half[1] = (struct pvrom_host_feature){
		.number = PVROM_FEATURE_MMU_FAULT,
		.group = PVROM_GROUP_MMU,
		.offer = offer,
		.stop = stop_mmu_fault,
		.call = call,
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
