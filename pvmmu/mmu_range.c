/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * RANGE: one call that protects, clears or flushes a range of an address space. All is looked at first, so
 * that a call that is refused has changed nothing; then the guest's entries are changed by single atomic
 * instructions, and the shadow follows.
 */
#include "mmu_internal.h"

struct range {
	uint64_t root; /* gfn */
	uint64_t address;
	uint32_t pages;
	uint32_t what;
	uint64_t buffer; /* gpa for the old entries, PVROM_MMU_NONE if they are not wanted */
};

/* The entry that maps an address, found in the guest's tables; level 0: there is none. */
struct place {
	uint64_t *at;
	uint64_t gfn; /* of the table */
	uint32_t slot, level;
};

static struct place find(struct pvrom_mmu *mmu, uint64_t table, uint64_t address)
{
	struct place p = { .level = 5 };
	struct pvrom_mmu_memory memory;
	uint64_t e;

	do {
		p.level--;
		if (!guest_page(mmu, table, &memory) || memory.read_only)
			return (struct place){ .level = 0 };
		p.gfn = table;
		p.slot = slot_at(address, p.level);
		p.at = (uint64_t *)memory.at + p.slot;
		e = __atomic_load_n(p.at, __ATOMIC_ACQUIRE);
		table = (e & PTE_ADDRESS) >> 12;
		if (p.level == 1 || ((e & PTE_P) && (e & PTE_PS) && p.level < 4))
			return p;
	} while (e & PTE_P);
	return (struct place){ .level = 0, .slot = p.level };
}

/* How many pages from this address on one entry at the level covers. */
static uint32_t pages_below(uint64_t address, uint32_t level)
{
	const uint64_t size = UINT64_C(1) << (9 * (level - 1));

	return (uint32_t)(size - ((address >> 12) & (size - 1)));
}

/* How far one step goes: to the end of the leaf table, the large page, or what is not mapped at all. */
static uint32_t step_of(const struct place *p, uint64_t address, uint32_t left)
{
	const uint32_t level = p->level ? (p->level == 1 ? 2 : p->level) : p->slot ? p->slot : 1;
	const uint32_t pages = pages_below(address, level);

	return pages < left ? pages : left;
}

/* Every large page must be in the range as a whole, unless nothing is changed. */
static bool large_pages_are_whole(struct pvrom_mmu *mmu, const struct range *r)
{
	uint32_t done = 0, step;

	for (; done < r->pages; done += step) {
		const uint64_t address = r->address + ((uint64_t)done << 12);
		const struct place p = find(mmu, r->root, address);

		step = step_of(&p, address, r->pages - done);
		if (p.level > 1 && step < (UINT32_C(1) << (9 * (p.level - 1))))
			return false;
	}
	return true;
}

static uint64_t *buffer_at(struct pvrom_mmu *mmu, uint64_t gpa)
{
	struct pvrom_mmu_memory memory;

	if (!guest_page(mmu, gpa >> 12, &memory) || memory.read_only)
		return NULL;
	return (uint64_t *)memory.at + (gpa & 4095) / 8;
}

static bool buffer_is_memory(struct pvrom_mmu *mmu, const struct range *r)
{
	const uint64_t bytes = (uint64_t)r->pages * 8;
	uint64_t at;

	if (r->buffer == PVROM_MMU_NONE)
		return true;
	if ((r->buffer & 7) || r->buffer > UINT64_MAX - bytes)
		return false;
	for (at = r->buffer & ~UINT64_C(4095); at < r->buffer + bytes; at += 4096)
		if (!buffer_at(mmu, at))
			return false;
	return true;
}

static void hand_back(struct pvrom_mmu *mmu, const struct range *r, uint32_t index, uint64_t old)
{
	uint64_t *at;

	if (r->buffer == PVROM_MMU_NONE)
		return;
	at = buffer_at(mmu, r->buffer + index * UINT64_C(8));
	if (at)
		__atomic_store_n(at, old, __ATOMIC_RELAXED);
}

static uint64_t change(uint64_t *at, uint32_t what)
{
	switch (what) {
	case PVROM_MMU_RANGE_PROTECT: return __atomic_fetch_and(at, ~PTE_W, __ATOMIC_ACQ_REL);
	case PVROM_MMU_RANGE_CLEAR: return __atomic_exchange_n(at, 0, __ATOMIC_ACQ_REL);
	default: return __atomic_load_n(at, __ATOMIC_ACQUIRE);
	}
}

/* The entries of one leaf table, or one large page, or nothing. Returns how many pages that was. */
static uint32_t do_step(struct pvrom_mmu *mmu, const struct range *r, uint32_t done)
{
	const uint64_t address = r->address + ((uint64_t)done << 12);
	const struct place p = find(mmu, r->root, address);
	const uint32_t step = step_of(&p, address, r->pages - done);
	uint32_t i, entries = p.level == 1 ? step : p.level ? 1 : 0;

	/* A large page that was not there when all was looked at is left alone if it reaches out. */
	if (p.level > 1 && r->what != PVROM_MMU_RANGE_FLUSH &&
	    step < UINT32_C(1) << (9 * (p.level - 1)))
		entries = 0;
	for (i = 0; i < step; i++)
		hand_back(mmu, r, done + i, i < entries ? change(p.at + i, r->what) : 0);
	if (entries && !(BUG(RANGE_SHADOW) && r->what == PVROM_MMU_RANGE_PROTECT))
		pvrom_shadow_sync_slots(mmu, p.gfn, p.slot, entries);
	return step;
}

static bool decode(const uint64_t arg[4], struct range *r)
{
	*r = (struct range){
		.root = (arg[0] & PTE_ADDRESS) >> 12,
		.what = (uint32_t)arg[0] & 7,
		.address = arg[1] & ~UINT64_C(4095),
		.pages = (uint32_t)(arg[1] & 4095) + 1,
		.buffer = arg[2],
	};
	return !(arg[0] & ~(PTE_ADDRESS | 7)) && r->what <= PVROM_MMU_RANGE_FLUSH &&
	       range_is_valid(arg[1]);
}

static uint64_t all_vcpus(const struct pvrom_mmu *mmu)
{
	return ~UINT64_C(0) >> (64 - mmu->config.vcpus);
}

uint32_t pvrom_shadow_range(struct pvrom_mmu *mmu, const uint64_t arg[4], uint64_t *value)
{
	const uint32_t bound = PVROM_MMU_RANGE_BOUND;
	struct range r;
	uint32_t done = 0, now;

	if (!decode(arg, &r) || (arg[3] & ~all_vcpus(mmu)) || r.root >= mmu->config.guest_pages ||
	    mmu->gfn[r.root].level != 4)
		return PVROM_STATUS_INVALID;
	if (!buffer_is_memory(mmu, &r))
		return PVROM_STATUS_ADDRESS;
	if (r.what != PVROM_MMU_RANGE_FLUSH && !large_pages_are_whole(mmu, &r))
		return PVROM_STATUS_INVALID;
	now = r.pages < bound ? r.pages : bound;
	/* A large page is never cut. */
	while (done < now)
		done += do_step(mmu, &r, done);
	pvrom_shadow_sync_all(mmu);
	if (!BUG(FLUSH_RANGE))
		pvrom_shadow_flush_stale(mmu, arg[3] | mmu->self);
	*value = done;
	return done < r.pages ? PVROM_STATUS_CONTINUE : PVROM_STATUS_OK;
}
