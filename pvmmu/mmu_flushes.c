/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Flushes and changes of whole ranges: one call each, which drains the rings first. */
#include "mmu_guest_internal.h"

#include <pvrom/mmu.h>

/* One word: the first page, and how many more. */
static uint64_t mmu_range_word(uint64_t va, uint64_t pages)
{
	return (va & ~(MMU_PAGE - 1)) | (pages - 1);
}

/* This CPU's half with all its stores said to be done; NULL: flush natively. */
static struct pvrom_mmu_cpu *mmu_flusher(const struct pvrom_mmu_guest *mmu)
{
	struct pvrom_mmu_cpu *cpu = pvrom_mmu_this(mmu);

	if (!cpu || !cpu->on)
		return NULL;
	pvrom_mmu_settle(cpu);
	cpu->last_rip = 0;
	return cpu;
}

/* Looks at the ring before the host is taken for one that polls no more: some milliseconds. */
#define MMU_PATIENCE 0x10000u

/* False: it may never come to that. An interrupted store, say, whose word nobody can retire before it goes on. */
static bool mmu_wait_retired(struct pvrom_mmu_ring *ring)
{
	uint32_t done = MMU_ONCE(ring->done), tries;

	if (done != MMU_ONCE(ring->start))
		return false;
	for (tries = 0; tries < MMU_PATIENCE && MMU_ONCE(ring->polled); tries++) {
		/* The processor keeps loads in order (Intel SDM vol. 3A, 8.2.2): the host's tables are there. */
		if (MMU_ONCE(ring->retired) == done || GUEST_BUG(SEEN_EARLY))
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

bool pvrom_mmu_is_seen(struct pvrom_mmu_guest *mmu)
{
	struct pvrom_mmu_cpu *cpu = mmu_flusher(mmu);

	return cpu && MMU_ONCE(cpu->ring->polled) && mmu_wait_retired(cpu->ring);
}

void pvrom_mmu_will_switch(struct pvrom_mmu_guest *mmu, uint64_t root)
{
	struct pvrom_mmu_cpu *cpu = pvrom_os_mmu_cpu();

	if (!cpu)
		return;
	if (!GUEST_BUG(ROOT_OLD))
		cpu->root = root;
	mmu_flusher(mmu);
}

bool pvrom_mmu_flush_range(struct pvrom_mmu_guest *mmu, uint64_t va, uint64_t pages)
{
	uint32_t status = PVROM_STATUS_OK;
	uint64_t part;

	if (!mmu_flusher(mmu))
		return false;
	for (; pages && status == PVROM_STATUS_OK; va += part * MMU_PAGE, pages -= part) {
		part = pages < PVROM_MMU_RANGE_MAX ? pages : PVROM_MMU_RANGE_MAX;
		status = pvrom_call(mmu->guest, PVROM_MMU_FLUSH_RANGE, mmu_range_word(va, part), 0,
				    0, 0, NULL);
	}
	return status == PVROM_STATUS_OK;
}

bool pvrom_mmu_flush_all(struct pvrom_mmu_guest *mmu)
{
	return mmu_flusher(mmu) &&
	       pvrom_call(mmu->guest, PVROM_MMU_FLUSH_ALL, 0, 0, 0, 0, NULL) == PVROM_STATUS_OK;
}

bool pvrom_mmu_flush_set(struct pvrom_mmu_guest *mmu, uint32_t base, uint64_t mask, uint64_t va,
			 uint64_t pages)
{
	uint64_t kind = PVROM_MMU_FLUSH_PAGES, range = 0;

	if (!mmu_flusher(mmu))
		return false;
	if (pages && pages <= PVROM_MMU_RANGE_MAX)
		range = mmu_range_word(va, pages);
	else
		kind = PVROM_MMU_FLUSH_NONGLOBAL;
	return pvrom_call(mmu->guest, PVROM_MMU_FLUSH_SET, base, mask, range, kind, NULL) ==
	       PVROM_STATUS_OK;
}

/* The call says how many pages it has reached, and goes on behind them; one that gets nowhere is given up. */
bool pvrom_mmu_range(struct pvrom_mmu_guest *mmu, uint64_t root, uint32_t what, uint64_t va,
		     uint64_t pages)
{
	uint64_t part, done;
	uint32_t status;

	if (!mmu->registering || !mmu_flusher(mmu))
		return false;
	for (; pages; va += done * MMU_PAGE, pages -= done) {
		part = pages < PVROM_MMU_RANGE_MAX ? pages : PVROM_MMU_RANGE_MAX;
		done = 0;
		status = pvrom_call(mmu->guest, PVROM_MMU_RANGE, root | what,
				    mmu_range_word(va, part), PVROM_MMU_NONE, 0, &done);
		if ((status != PVROM_STATUS_OK && status != PVROM_STATUS_CONTINUE) || !done)
			return false;
		if (done > part || GUEST_BUG(RANGE_ONCE))
			done = part;
	}
	return true;
}
