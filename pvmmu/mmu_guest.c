/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Starting and stopping the guest half, table pages, and the map of them that outlives a change of hosts. */
#include "mmu_guest_internal.h"

#include <pvrom/mmu.h>

void pvrom_mmu_guest_init(struct pvrom_mmu_guest *mmu, const struct pvrom_guest *guest,
			  uint64_t linear, uint32_t physical_bits, bool gibibyte_pages)
{
	*mmu = (struct pvrom_mmu_guest){
		.guest = guest,
		.linear = linear,
		.physical_bits = physical_bits,
		.gibibyte_pages = gibibyte_pages,
	};
}

void pvrom_mmu_guest_map(struct pvrom_mmu_guest *mmu, uint8_t *map, uint64_t gpa, uint64_t first,
			 uint64_t count)
{
	mmu->map = map;
	mmu->map_gpa = gpa;
	mmu->map_first = first;
	mmu->map_pages = count;
}

void pvrom_mmu_guest_poll(struct pvrom_mmu_guest *mmu)
{
	mmu->polls = true;
}

/* ---- start and stop ---- */

bool pvrom_mmu_guest_start(struct pvrom_mmu_guest *mmu)
{
	mmu->on = mmu->guest->granted >> PVROM_FEATURE_MMU & 1;
	return mmu->on;
}

static void mmu_clear_ring(struct pvrom_mmu_ring *ring, uint32_t slots)
{
	*ring = (struct pvrom_mmu_ring){ .slots = slots };
}

/* Once more after a change of hosts: whatever the ring held is of no use to the new one. */
uint32_t pvrom_mmu_cpu_start(struct pvrom_mmu_guest *mmu, struct pvrom_mmu_cpu *cpu, void *ring,
			     uint32_t slots, uint64_t root, uint64_t cr0, uint64_t cr4,
			     uint64_t efer)
{
	uint32_t status;

	cpu->mmu = mmu;
	cpu->ring = (struct pvrom_mmu_ring *)ring;
	cpu->words = (uint64_t *)ring + PVROM_MMU_RING_WORDS / sizeof(uint64_t);
	cpu->mask = slots - 1;
	cpu->root = root;
	cpu->cr0 = cr0;
	cpu->cr4 = cr4;
	cpu->efer = efer;
	if (cpu->on)
		return PVROM_STATUS_OK;
	mmu_clear_ring(cpu->ring, slots);
	status = pvrom_call(mmu->guest, PVROM_MMU_RING, (uint64_t)(uintptr_t)ring - mmu->linear,
			    mmu->polls ? PVROM_MMU_RING_POLL : 0, 0, 0, NULL);
	cpu->on = status == PVROM_STATUS_OK;
	return status;
}

void pvrom_mmu_cpu_stop(struct pvrom_mmu_cpu *cpu)
{
	if (!cpu->on)
		return;
	pvrom_mmu_drain(cpu->mmu);
	cpu->on = false;
	cpu->faults = false;
	pvrom_call(cpu->mmu->guest, PVROM_MMU_RING, PVROM_MMU_NONE, 0, 0, 0, NULL);
}

/* In pieces of what one call may take. */
static uint32_t mmu_hand_over_map(const struct pvrom_mmu_guest *mmu)
{
	uint32_t status = PVROM_STATUS_OK;
	uint64_t at, count;

	for (at = 0; status == PVROM_STATUS_OK && mmu->map && at < mmu->map_pages; at += count) {
		count = mmu->map_pages - at;
		if (count > PVROM_MMU_MAP_MAX)
			count = PVROM_MMU_MAP_MAX;
		status = pvrom_call(mmu->guest, PVROM_MMU_MAP, mmu->map_gpa + at,
				    mmu->map_first + at, count, 0, NULL);
	}
	return status;
}

uint32_t pvrom_mmu_guest_use(struct pvrom_mmu_guest *mmu)
{
	uint32_t status;

	if (!mmu->on)
		return PVROM_STATUS_DENIED;
	if (mmu->registering)
		return PVROM_STATUS_OK;
	mmu->registering = true;
	if (GUEST_BUG(USE_SILENT))
		return PVROM_STATUS_OK;
	status = mmu_hand_over_map(mmu);
	if (status != PVROM_STATUS_OK)
		mmu->registering = false;
	return status;
}

/* The host has dropped all of it with the feature: nothing is to be said to it. */
void pvrom_mmu_guest_stop(struct pvrom_mmu_guest *mmu, struct pvrom_mmu_cpu *const *cpus,
			  uint32_t count)
{
	uint32_t i;

	mmu->on = false;
	mmu->registering = false;
	for (i = 0; i < count; i++) {
		if (!cpus[i])
			continue;
		cpus[i]->on = GUEST_BUG(STOP_FORGETS) && cpus[i]->on;
		cpus[i]->faults = false;
	}
}

/* ---- tables ---- */

static void mmu_mark(const struct pvrom_mmu_guest *mmu, uint64_t gpa, uint8_t mark)
{
	uint64_t page = gpa / MMU_PAGE - mmu->map_first;

	if (GUEST_BUG(MAP_KEEPS) && !mark)
		return;
	if (GUEST_BUG(MAP_LEVEL))
		mark ^= 1 << PVROM_MMU_MAP_LEVEL_SHIFT;
	if (mmu->map && page < mmu->map_pages)
		MMU_ONCE(mmu->map[page]) = mark;
}

static uint64_t mmu_gpa(const struct pvrom_mmu_guest *mmu, const void *table)
{
	return (uint64_t)(uintptr_t)table - mmu->linear;
}

/* Words, or the call that says the same where there is no room for them. */
static void mmu_say(struct pvrom_mmu_cpu *cpu, const uint64_t *words, uint32_t count, uint32_t call,
		    uint64_t arg0, uint64_t arg1, uint64_t arg2)
{
	pvrom_mmu_enter(cpu);
	if (cpu->on && !pvrom_mmu_put(cpu, words, count))
		pvrom_call(cpu->mmu->guest, call, arg0, arg1, arg2, 0, NULL);
	pvrom_mmu_exit(cpu);
}

/* A call registers and clones in one; a host that refuses either shadows the page plainly. */
void pvrom_mmu_register(struct pvrom_mmu_guest *mmu, const void *table, uint32_t level,
			uint32_t how, const void *clone_of)
{
	uint64_t gpa = mmu_gpa(mmu, table), from = PVROM_MMU_NONE, words[2];
	struct pvrom_mmu_cpu *cpu;

	mmu_mark(mmu, gpa,
		 (uint8_t)(PVROM_MMU_MAP_TABLE | (level - 1) << PVROM_MMU_MAP_LEVEL_SHIFT));
	if (!mmu->registering)
		return;
	cpu = pvrom_mmu_this(mmu);
	if (!cpu)
		return;
	words[0] = gpa | (uint64_t)(level - 1) << PVROM_MMU_WORD_LEVEL_SHIFT |
		   (how == PVROM_MMU_ZEROED ? PVROM_MMU_WORD_ZEROED : 0) | PVROM_MMU_WORD_REGISTER;
	if (clone_of) {
		from = mmu_gpa(mmu, clone_of);
		words[1] = from | PVROM_MMU_WORD_CLONE_OF;
	}
	mmu_say(cpu, words, clone_of ? 2 : 1, PVROM_MMU_REGISTER_TABLE, gpa,
		level | (how == PVROM_MMU_ZEROED ? PVROM_MMU_TABLE_ZEROED : 0), from);
}

void pvrom_mmu_release(struct pvrom_mmu_guest *mmu, const void *table)
{
	uint64_t gpa = mmu_gpa(mmu, table), word = gpa | PVROM_MMU_WORD_RELEASE;
	struct pvrom_mmu_cpu *cpu;

	mmu_mark(mmu, gpa, 0);
	if (!mmu->registering || GUEST_BUG(RELEASE_SILENT))
		return;
	cpu = pvrom_mmu_this(mmu);
	if (cpu)
		mmu_say(cpu, &word, 1, PVROM_MMU_RELEASE_TABLE, gpa, 0, 0);
}
