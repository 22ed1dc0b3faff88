/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's end of the ring: words in, and single stores with their word.
 *
 * The ring is the CPU's, so only interrupts come between. Whoever interrupts a store adds words behind it but
 * leaves `done` alone, as depth says; the store that was interrupted first raises it over all of them.
 */
#include "mmu_guest_internal.h"

#include <pvrom/mmu.h>

#ifdef PVROM_TEST
uint32_t pvrom_mmu_guest_bug;
#endif

/* Slots that only a store may use which has interrupted another. */
#define MMU_SPARE 8u

struct pvrom_mmu_cpu *pvrom_mmu_this(const struct pvrom_mmu_guest *mmu)
{
	return mmu->on ? pvrom_os_mmu_cpu() : NULL;
}

/* Order for the compiler; the processor keeps stores in order (Intel SDM vol. 3A, 8.2.2). */
static inline void mmu_order(void)
{
	__asm__ volatile("" ::: "memory");
}

/* One instruction, so that an interrupt is before it or behind it; no other CPU writes there. */
static bool mmu_raise(uint32_t *index, uint32_t from, uint32_t to)
{
	bool done;

	if (GUEST_BUG(RAISE_SLOW)) {
		done = MMU_ONCE(*index) == from;
		if (done)
			MMU_ONCE(*index) = to;
		return done;
	}
#ifdef PVROM_TEST
	(void)MMU_ONCE(*index); /* so that tests that interrupt at accesses do it here too */
#endif
	__asm__ volatile("cmpxchgl %3, %1"
			 : "=@ccz"(done), "+m"(*index), "+a"(from)
			 : "r"(to)
			 : "memory");
	return done;
}

void pvrom_mmu_enter(struct pvrom_mmu_cpu *cpu)
{
	MMU_ONCE(cpu->depth) = cpu->depth + 1;
	mmu_order();
}

/*
 * All stores before are done, but for those that this one may have interrupted. If an interrupt raises
 * done between the two readings and the exchange, it has raised it over all of ours.
 */
static void mmu_raise_done(struct pvrom_mmu_ring *ring)
{
	uint32_t done = MMU_ONCE(ring->done);
	uint32_t start = MMU_ONCE(ring->start);

	if (done != start)
		mmu_raise(&ring->done, done, start);
}

void pvrom_mmu_exit(struct pvrom_mmu_cpu *cpu)
{
	mmu_order();
	MMU_ONCE(cpu->depth) = cpu->depth - 1;
	mmu_order();
	if ((MMU_ONCE(cpu->depth) == 0 || GUEST_BUG(DONE_INNER)) && cpu->on)
		mmu_raise_done(cpu->ring);
}

/* Only this CPU's own lazy section and this store itself are open: what was stored before is done. */
static bool mmu_alone(const struct pvrom_mmu_cpu *cpu)
{
	return cpu->depth == cpu->lazy + 1;
}

/* Those that interrupt a store may use slots that others leave free for them. */
static bool mmu_has_room(const struct pvrom_mmu_cpu *cpu, uint32_t count)
{
	uint32_t used = MMU_ONCE(cpu->ring->start) - MMU_ONCE(cpu->ring->retired);
	uint32_t spare = mmu_alone(cpu) ? MMU_SPARE : 0;

	return used + count + spare <= cpu->mask + 1 || GUEST_BUG(FULL_BLIND);
}

/* The host retires what is done, which is nothing while an interrupted store is not. */
static bool mmu_make_room(struct pvrom_mmu_cpu *cpu, uint32_t count)
{
	if (mmu_has_room(cpu, count))
		return true;
	if (!mmu_alone(cpu))
		return false;
	cpu->full++;
	mmu_raise_done(cpu->ring);
	return pvrom_call(cpu->mmu->guest, PVROM_MMU_LAZY_END, 0, 0, 0, 0, NULL) ==
		       PVROM_STATUS_OK &&
	       mmu_has_room(cpu, count);
}

/*
 * Slots are claimed first, in one instruction. A host that looks before the word is there finds an
 * old one, which means no more than "look there"; it retires none of them before done is raised.
 */
bool pvrom_mmu_put(struct pvrom_mmu_cpu *cpu, const uint64_t *words, uint32_t count)
{
	uint32_t start, i;

	do {
		start = MMU_ONCE(cpu->ring->start);
		if (!mmu_make_room(cpu, count))
			return false;
	} while (!mmu_raise(&cpu->ring->start, start, start + count));
	for (i = 0; i < count; i++)
		MMU_ONCE(cpu->words[(start + i) & cpu->mask]) = words[i];
	mmu_order();
	return true;
}

/* The word for count changed entries. */
static uint64_t mmu_changed(const struct pvrom_mmu_cpu *cpu, const volatile uint64_t *first,
			    uint32_t count)
{
	uint64_t gpa = (uint64_t)(uintptr_t)first - cpu->mmu->linear;

	return gpa | (uint64_t)(count - 1) << PVROM_MMU_WORD_MORE_SHIFT | PVROM_MMU_WORD_CHANGED;
}

/*
 * In a lazy section: does the last word end right before this entry, in the same page? Then it takes it
 * in. The word is not before done, so the host has not retired it, nor will it while the section lasts.
 */
static bool mmu_extend(struct pvrom_mmu_cpu *cpu, uint64_t gpa)
{
	uint32_t last = cpu->ring->start - 1;
	uint64_t *slot = &cpu->words[last & cpu->mask], word = *slot, more;

	if (!cpu->lazy || !mmu_alone(cpu) ||
	    ((int32_t)(last - cpu->ring->done) < 0 && !GUEST_BUG(EXTEND_DONE)))
		return false;
	more = word >> PVROM_MMU_WORD_MORE_SHIFT;
	word &= ((uint64_t)1 << PVROM_MMU_WORD_MORE_SHIFT) - 1;
	if ((word & PVROM_MMU_WORD_MASK) != PVROM_MMU_WORD_CHANGED ||
	    (gpa % MMU_PAGE == 0 && !GUEST_BUG(EXTEND_PAGE)) || word + 8 * (more + 1) != gpa)
		return false;
	MMU_ONCE(*slot) = word | (more + 1) << PVROM_MMU_WORD_MORE_SHIFT;
	mmu_order();
	return true;
}

static bool mmu_announce(struct pvrom_mmu_cpu *cpu, const volatile uint64_t *entry)
{
	uint64_t word = mmu_changed(cpu, entry, 1);
	bool said = mmu_extend(cpu, word) || pvrom_mmu_put(cpu, &word, 1);

	if (said && GUEST_BUG(DONE_EARLY))
		mmu_raise_done(cpu->ring);
	return said || GUEST_BUG(FULL_DROPS);
}

/* The host itself stores, so that no drain can come between; on a page that is no table, we do. */
static uint64_t mmu_store_by_call(struct pvrom_mmu_cpu *cpu, uint32_t call,
				  volatile uint64_t *entry, uint64_t value)
{
	uint64_t old = 0;

	if (cpu->on && pvrom_call(cpu->mmu->guest, call, mmu_changed(cpu, entry, 1), value, 0, 0,
				  &old) == PVROM_STATUS_OK)
		return old;
	return __atomic_exchange_n(entry, value, __ATOMIC_ACQ_REL);
}

void pvrom_mmu_store(volatile uint64_t *entry, uint64_t value)
{
	struct pvrom_mmu_cpu *cpu = pvrom_os_mmu_cpu();

	if (!cpu) {
		*entry = value;
		return;
	}
	pvrom_mmu_enter(cpu);
	if (!cpu->on || mmu_announce(cpu, entry))
		*entry = value;
	else
		mmu_store_by_call(cpu, PVROM_MMU_SET_ENTRY, entry, value);
	pvrom_mmu_exit(cpu);
}

/* The host keeps A and D in the guest's own entries, so the old one has them. */
uint64_t pvrom_mmu_exchange(volatile uint64_t *entry, uint64_t value)
{
	struct pvrom_mmu_cpu *cpu = pvrom_os_mmu_cpu();
	uint64_t old;

	if (!cpu)
		return __atomic_exchange_n(entry, value, __ATOMIC_ACQ_REL);
	pvrom_mmu_enter(cpu);
	if (!cpu->on || GUEST_BUG(SWAP_SILENT) || mmu_announce(cpu, entry))
		old = __atomic_exchange_n(entry, value, __ATOMIC_ACQ_REL);
	else
		old = mmu_store_by_call(cpu, PVROM_MMU_SWAP_ENTRY, entry, value);
	pvrom_mmu_exit(cpu);
	return old;
}

bool pvrom_mmu_change_begin(const volatile uint64_t *first, uint32_t count)
{
	struct pvrom_mmu_cpu *cpu = pvrom_os_mmu_cpu();
	uint64_t word;

	if (!cpu)
		return true;
	pvrom_mmu_enter(cpu);
	if (!cpu->on)
		return true;
	word = mmu_changed(cpu, first, count);
	if (pvrom_mmu_put(cpu, &word, 1))
		return true;
	pvrom_mmu_exit(cpu);
	return false;
}

void pvrom_mmu_change_end(void)
{
	struct pvrom_mmu_cpu *cpu = pvrom_os_mmu_cpu();

	if (cpu)
		pvrom_mmu_exit(cpu);
}

void pvrom_mmu_lazy_begin(void)
{
	struct pvrom_mmu_cpu *cpu = pvrom_os_mmu_cpu();

	if (!cpu)
		return;
	pvrom_mmu_enter(cpu);
	cpu->lazy++;
}

void pvrom_mmu_lazy_end(void)
{
	struct pvrom_mmu_cpu *cpu = pvrom_os_mmu_cpu();

	if (!cpu)
		return;
	cpu->lazy--;
	pvrom_mmu_exit(cpu);
}

/* A flush in a lazy section is for what was stored in it, too. */
void pvrom_mmu_settle(struct pvrom_mmu_cpu *cpu)
{
	if (cpu->depth == cpu->lazy && !GUEST_BUG(SETTLE_NOT))
		mmu_raise_done(cpu->ring);
}

void pvrom_mmu_drain(struct pvrom_mmu_guest *mmu)
{
	struct pvrom_mmu_cpu *cpu = pvrom_mmu_this(mmu);

	if (!cpu || !cpu->on)
		return;
	pvrom_mmu_settle(cpu);
	pvrom_call(mmu->guest, PVROM_MMU_LAZY_END, 0, 0, 0, 0, NULL);
}
