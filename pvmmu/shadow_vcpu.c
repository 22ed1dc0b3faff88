/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Setting up, the paging registers of a vCPU, its root, and what its TLB must forget before it runs. */
#include "mmu_internal.h"

/*
 * One instruction may need some ten pages mapped at once (two each of code, source and destination, and what an
 * interrupt in it needs), each with three tables of its own below the root.
 */
#define POOL_VCPU 32u
#define POOL_SHARED 32u

/* ---- setting up --------------------------------------------------------------------------------------------- */

uint32_t pvrom_mmu_pool_min(uint32_t vcpus)
{
	return POOL_SHARED + POOL_VCPU * vcpus;
}

static bool numbers_ok(const struct pvrom_mmu_config *c)
{
	return c->vcpus && c->vcpus <= PVROM_MMU_VCPUS_MAX &&
	       c->pool_pages >= pvrom_mmu_pool_min(c->vcpus) &&
	       c->pool_pages <= PVROM_MMU_POOL_MAX && c->guest_pages &&
	       c->guest_pages < LINK_HEAD && c->physical_bits >= 32 && c->physical_bits <= 52 &&
	       !(c->flags & ~(uint32_t)(PVROM_MMU_GIB_PAGES | PVROM_MMU_POLLED));
}

/* Buckets: as many as pages, rounded up to a power of two. */
static uint32_t hash_bits(uint32_t pages)
{
	return 32 - (uint32_t)__builtin_clz(pages);
}

static size_t up(size_t size)
{
	return (size + 15) & ~(size_t)15;
}

static size_t pages_size(const struct pvrom_mmu_config *c)
{
	return up(((size_t)c->pool_pages + 1) * sizeof(struct shadow_page));
}

static size_t links_size(const struct pvrom_mmu_config *c)
{
	return ((size_t)c->pool_pages + 1) * 512 * sizeof(struct shadow_link);
}

static size_t gfns_size(const struct pvrom_mmu_config *c)
{
	return up((size_t)c->guest_pages * sizeof(struct shadow_gfn));
}

size_t pvrom_mmu_size(const struct pvrom_mmu_config *c)
{
	if (!numbers_ok(c))
		return 0;
	return up(sizeof(struct pvrom_mmu)) + pages_size(c) + links_size(c) + gfns_size(c) +
	       (sizeof(uint32_t) << hash_bits(c->pool_pages));
}

static bool pointers_ok(const struct pvrom_mmu_config *c)
{
	const struct pvrom_mmu_ops *ops = c->ops;

	return ops && ops->page && ops->kick && ops->lock && ops->unlock && c->pool &&
	       !((uintptr_t)c->pool & 4095) && !(c->pool_hpa & 4095) && c->memory &&
	       !((uintptr_t)c->memory & 15);
}

/* All but the links is zeroed: those are written before they are read, and they are most of it. */
static void lay_out(struct pvrom_mmu *mmu, const struct pvrom_mmu_config *c)
{
	uint8_t *at = (uint8_t *)c->memory + up(sizeof(*mmu));

	__builtin_memset(c->memory, 0, up(sizeof(*mmu)) + pages_size(c));
	mmu->page = (struct shadow_page *)(void *)at;
	at += pages_size(c);
	mmu->link = (struct shadow_link *)(void *)at;
	at += links_size(c);
	mmu->gfn = (struct shadow_gfn *)(void *)at;
	__builtin_memset(at, 0, gfns_size(c));
	at += gfns_size(c);
	mmu->hash = (uint32_t *)(void *)at;
	mmu->hash_bits = hash_bits(c->pool_pages);
	__builtin_memset(at, 0, sizeof(uint32_t) << mmu->hash_bits);
}

struct pvrom_mmu *pvrom_mmu_init(const struct pvrom_mmu_config *c)
{
	const size_t size = pvrom_mmu_size(c);
	struct pvrom_mmu *mmu = c->memory;
	uint32_t i;

	if (!size || !pointers_ok(c) || c->memory_size < size)
		return NULL;
	lay_out(mmu, c);
	mmu->config = *c;
	mmu->reserved = PTE_ADDRESS & ~((UINT64_C(1) << c->physical_bits) - 1);
	mmu->resident_set = 1;
	for (i = 0; i < c->vcpus; i++)
		mmu->vcpu[i].ring = PVROM_MMU_NONE;
	pvrom_shadow_pool_init(mmu);
	pvrom_mmu_features_init(mmu);
	return mmu;
}

/* ---- in and out ----------------------------------------------------------------------------------------------- */

void pvrom_shadow_enter(struct pvrom_mmu *mmu, uint32_t vcpu)
{
	mmu->config.ops->lock(mmu->config.ctx);
	mmu->self = shadow_bit(vcpu);
	mmu->ahead = AHEAD_MAX;
	mmu->drain = DRAIN_MAX;
}

void pvrom_shadow_exit(struct pvrom_mmu *mmu)
{
	pvrom_mmu_resident_repair(mmu);
	mmu->config.ops->unlock(mmu->config.ctx);
}

/* ---- registers -------------------------------------------------------------------------------------------------- */

static bool is_four_level(const struct pvrom_mmu_regs *r)
{
	return (r->cr0 & CR0_PG) && (r->cr4 & CR4_PAE) && !(r->cr4 & CR4_LA57) &&
	       (r->efer & EFER_LMA);
}

static uint16_t mode_of(const struct pvrom_mmu_regs *r)
{
	uint32_t mode = r->efer & EFER_NXE ? ROLE_NXE : 0;

	if (!(r->cr0 & CR0_WP) && !BUG(WP_IGNORED))
		mode |= r->cr4 & CR4_SMEP ? ROLE_WP0 | ROLE_SMEP : ROLE_WP0;
	return (uint16_t)mode;
}

static void drop_root(struct pvrom_mmu *mmu, struct shadow_vcpu *v)
{
	if (v->root)
		mmu->page[v->root].roots--;
	v->root = 0;
}

/* The root that the registers ask for; the old one stays till the new one is there. */
static bool find_root(struct pvrom_mmu *mmu, struct shadow_vcpu *v)
{
	const uint16_t rights = v->mode & ROLE_WP0 ? ROLE_W | ROLE_U : 0;
	const uint64_t gfn = (v->regs.cr3 & PTE_ADDRESS) >> 12;
	uint32_t root = pvrom_shadow_get(mmu, gfn, (uint16_t)(v->mode | rights | 4), true);

	if (root)
		mmu->page[root].roots++;
	drop_root(mmu, v);
	v->root = root;
	if (root)
		pvrom_shadow_touch(mmu, root);
	return root != 0;
}

static void want_flush(struct shadow_vcpu *v, uint8_t tlb)
{
	if (v->tlb < tlb)
		v->tlb = tlb;
}

static void load_regs(struct pvrom_mmu *mmu, struct shadow_vcpu *v, const struct pvrom_mmu_regs *r)
{
	const bool same = v->paged && v->regs.cr0 == r->cr0 && v->regs.cr4 == r->cr4 &&
			  v->regs.efer == r->efer;

	pvrom_shadow_drain(mmu);
	pvrom_shadow_sync_all(mmu);
	v->regs = *r;
	v->mode = mode_of(r);
	want_flush(v, same || BUG(FLUSH_MODE) ? PVROM_MMU_TLB_NONGLOBAL : PVROM_MMU_TLB_ALL);
	v->paged = is_four_level(r) && find_root(mmu, v);
	if (!v->paged)
		drop_root(mmu, v);
}

bool pvrom_shadow_set_regs(struct pvrom_mmu *mmu, uint32_t vcpu, const struct pvrom_mmu_regs *regs)
{
	struct shadow_vcpu *v = &mmu->vcpu[vcpu];

	load_regs(mmu, v, regs);
	if (v->paged && v->faults)
		pvrom_mmu_resident_fill(mmu, vcpu);
	return v->paged;
}

/* The vCPU is made for the walk; the engine's own may have left. */
bool pvrom_mmu_locate(struct pvrom_mmu *mmu, const struct pvrom_mmu_regs *regs, uint64_t address,
		      uint64_t *gpa)
{
	const struct shadow_vcpu v = { .regs = *regs, .mode = mode_of(regs) };
	struct shadow_walk walk = { .leaf = 0 };

	if (!is_four_level(regs) ||
	    pvrom_shadow_walk(mmu, &v, address, ACCESS_ANY, &walk) != PVROM_MMU_RETRY)
		return false;
	*gpa = walk.gpa;
	return true;
}

bool pvrom_mmu_set_regs(struct pvrom_mmu *mmu, uint32_t vcpu, const struct pvrom_mmu_regs *regs)
{
	bool paged;

	pvrom_shadow_enter(mmu, vcpu);
	paged = pvrom_shadow_set_regs(mmu, vcpu, regs);
	pvrom_shadow_exit(mmu);
	return paged;
}

void pvrom_mmu_leave(struct pvrom_mmu *mmu, uint32_t vcpu)
{
	struct shadow_vcpu *v = &mmu->vcpu[vcpu];

	pvrom_shadow_enter(mmu, vcpu);
	drop_root(mmu, v);
	v->paged = false;
	v->last_root = 0;
	want_flush(v, PVROM_MMU_TLB_ALL);
	mmu->ran &= ~shadow_bit(vcpu);
	mmu->stale &= ~shadow_bit(vcpu);
	pvrom_shadow_exit(mmu);
}

/* ---- before it runs ----------------------------------------------------------------------------------------------- */

/* With CR0.WP clear the shadow cannot hold all that the supervisor may do. */
static bool has_resident_root(const struct pvrom_mmu *mmu, const struct shadow_vcpu *v)
{
	const struct shadow_page *root = &mmu->page[v->root];

	return v->root && !(v->mode & ROLE_WP0) && mmu->resident_count &&
	       mmu->gfn[root->gfn].level == 4 && root->resident == mmu->resident_set;
}

static uint32_t take_flush(struct pvrom_mmu *mmu, uint32_t vcpu)
{
	struct shadow_vcpu *v = &mmu->vcpu[vcpu];
	const uint64_t bit = shadow_bit(vcpu);
	uint32_t tlb = v->tlb;

	if (v->last_root != v->root && !tlb)
		tlb = PVROM_MMU_TLB_NONGLOBAL;
	if (BUG(FLUSH_ROOT) && tlb == PVROM_MMU_TLB_NONGLOBAL)
		tlb = PVROM_MMU_TLB_KEEP;
	if (mmu->stale & bit)
		tlb = BUG(FLUSH_GLOBAL) ? PVROM_MMU_TLB_NONGLOBAL : PVROM_MMU_TLB_ALL;
	mmu->stale &= ~bit;
	mmu->ran |= bit;
	v->last_root = v->root;
	v->tlb = PVROM_MMU_TLB_KEEP;
	return tlb;
}

void pvrom_mmu_run(struct pvrom_mmu *mmu, uint32_t vcpu, struct pvrom_mmu_run *run)
{
	struct shadow_vcpu *v = &mmu->vcpu[vcpu];

	pvrom_shadow_enter(mmu, vcpu);
	*run = (struct pvrom_mmu_run){ .intercept_faults = true, .intercept_invlpg = true };
	if (v->paged && !v->root && find_root(mmu, v) && v->faults)
		pvrom_mmu_resident_fill(mmu, vcpu);
	pvrom_mmu_resident_repair(mmu);
	if (v->root) {
		run->root = shadow_hpa(mmu, v->root);
		run->tlb = take_flush(mmu, vcpu);
		run->intercept_faults = !v->faults || !has_resident_root(mmu, v);
		run->intercept_invlpg = run->intercept_faults || !pvrom_mmu_is_polled(mmu, v);
	}
	pvrom_shadow_exit(mmu);
}

/* ---- the guest's flushes --------------------------------------------------------------------------------------------- */

void pvrom_mmu_invlpg(struct pvrom_mmu *mmu, uint32_t vcpu, uint64_t address)
{
	pvrom_shadow_enter(mmu, vcpu);
	pvrom_shadow_drain(mmu);
	pvrom_shadow_sync_address(mmu, mmu->vcpu[vcpu].root, address);
	pvrom_shadow_exit(mmu);
}

/* What did not get stricter in the shadow needs no flush of the TLB: take_flush() knows. */
void pvrom_mmu_flush(struct pvrom_mmu *mmu, uint32_t vcpu, uint32_t tlb)
{
	(void)tlb;
	pvrom_shadow_enter(mmu, vcpu);
	pvrom_shadow_drain(mmu);
	pvrom_shadow_sync_all(mmu);
	pvrom_shadow_exit(mmu);
}

void pvrom_mmu_forget(struct pvrom_mmu *mmu)
{
	pvrom_shadow_enter(mmu, 0);
	mmu->self = 0;
	pvrom_shadow_zap_all(mmu);
	pvrom_shadow_flush_stale(mmu, ~UINT64_C(0));
	mmu->config.ops->unlock(mmu->config.ctx);
}

void pvrom_mmu_get_stats(struct pvrom_mmu *mmu, struct pvrom_mmu_stats *stats)
{
	mmu->config.ops->lock(mmu->config.ctx);
	*stats = mmu->stats;
	stats->used = mmu->used;
	stats->registered = mmu->registered;
	stats->resident = mmu->resident_count;
	stats->out_of_sync = mmu->unsync_count;
	mmu->config.ops->unlock(mmu->config.ctx);
}
