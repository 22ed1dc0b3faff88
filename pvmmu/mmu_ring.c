/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the guest announces in its rings of words. A word says "look there again" and no more: whatever is in
 * it, only the guest's own tables decide what is mapped.
 */
#include "mmu_internal.h"

/* ---- words --------------------------------------------------------------------------------------------- */

static bool changed_word(struct pvrom_mmu *mmu, uint64_t word)
{
	const uint64_t gfn = (word & PTE_ADDRESS) >> 12;
	const uint32_t slot = (uint32_t)(word >> 3) & 511;
	const uint32_t count = (uint32_t)(word >> PVROM_MMU_WORD_MORE_SHIFT) + 1;

	if (gfn >= mmu->config.guest_pages || slot + count > 512)
		return false;
	mmu->gfn[gfn].flags &= (uint8_t)~GFN_ZEROED;
	pvrom_shadow_sync_slots(mmu, gfn, slot, count);
	return mmu->gfn[gfn].level != 0;
}

/* What may stand in a word beside its operation. */
static uint64_t used_bits(uint64_t word)
{
	switch (word & PVROM_MMU_WORD_MASK) {
	case PVROM_MMU_WORD_CHANGED: return ~UINT64_C(0);
	case PVROM_MMU_WORD_REGISTER:
		return PTE_ADDRESS | PVROM_MMU_WORD_MASK | PVROM_MMU_WORD_ZEROED |
		       3 << PVROM_MMU_WORD_LEVEL_SHIFT;
	default: return PTE_ADDRESS | PVROM_MMU_WORD_MASK;
	}
}

static bool table_word(struct pvrom_mmu *mmu, uint64_t word, uint32_t *registered)
{
	const uint64_t gfn = (word & PTE_ADDRESS) >> 12;
	const uint32_t last = *registered;

	*registered = 0;
	switch (word & PVROM_MMU_WORD_MASK) {
	case PVROM_MMU_WORD_REGISTER:
		if (pvrom_shadow_register(mmu, gfn,
					  ((uint32_t)(word >> PVROM_MMU_WORD_LEVEL_SHIFT) & 3) + 1,
					  word & PVROM_MMU_WORD_ZEROED))
			return false;
		*registered = (uint32_t)gfn;
		return true;
	case PVROM_MMU_WORD_RELEASE: return !pvrom_shadow_release(mmu, gfn);
	case PVROM_MMU_WORD_CLONE_OF: return last && !pvrom_mmu_clone(mmu, last, gfn);
	default: return false;
	}
}

/* False if the word means nothing. *registered is the page of the REGISTER word before it, 0 if none. */
bool pvrom_mmu_word(struct pvrom_mmu *mmu, uint64_t word, uint32_t *registered)
{
	if (word & ~used_bits(word)) {
		*registered = 0;
		return false;
	}
	if ((word & PVROM_MMU_WORD_MASK) != PVROM_MMU_WORD_CHANGED)
		return table_word(mmu, word, registered);
	*registered = 0;
	return changed_word(mmu, word);
}

/* ---- rings ---------------------------------------------------------------------------------------------- */

static void *ring_at(struct pvrom_mmu *mmu, uint64_t gpa)
{
	struct pvrom_mmu_memory memory;

	if (!guest_page(mmu, gpa >> 12, &memory) || memory.read_only)
		return NULL;
	return (uint8_t *)memory.at + (gpa & 4095);
}

static uint32_t read_index(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

/* Words for entries of one table, one behind the other, are handled together: it is looked up once. */
struct run {
	uint64_t gfn;
	struct shadow_run entries;
};

static void run_end(struct pvrom_mmu *mmu, struct run *run)
{
	if (run->entries.parts)
		pvrom_shadow_sync_run(mmu, run->gfn, &run->entries);
	run->entries.parts = 0;
}

/* False if the CHANGED word means nothing. */
static bool run_add(struct pvrom_mmu *mmu, struct run *run, uint64_t word)
{
	const uint64_t gfn = (word & PTE_ADDRESS) >> 12;
	const uint32_t slot = (uint32_t)(word >> 3) & 511;
	const uint32_t count = (uint32_t)(word >> PVROM_MMU_WORD_MORE_SHIFT) + 1;
	uint32_t i;

	if (gfn >= mmu->config.guest_pages || slot + count > 512)
		return false;
	if (run->gfn != gfn || run->entries.parts == RUN_MAX)
		run_end(mmu, run);
	i = run->entries.parts++;
	run->gfn = gfn;
	run->entries.slot[i] = (uint16_t)slot;
	run->entries.count[i] = (uint16_t)count;
	mmu->gfn[gfn].flags &= (uint8_t)~GFN_ZEROED;
	return mmu->gfn[gfn].level != 0;
}

/* Words before done are retired; CHANGED words behind it, up to start, may announce a store still to come. */
static void drain_words(struct pvrom_mmu *mmu, struct shadow_vcpu *v, uint32_t start, uint32_t done)
{
	struct run run = { .entries.parts = 0 };
	const uint64_t *words = NULL;
	uint32_t i;

	for (i = v->retired; i != start; i++) {
		const uint64_t gpa = v->ring + PVROM_MMU_RING_WORDS + (i & (v->slots - 1)) * 8u;
		const bool retired = (int32_t)(i - done) < 0;
		uint64_t word;

		/* Its first word, and where the ring crosses into another page or begins anew. */
		if (!words || !(gpa & 4095) || !(i & (v->slots - 1)))
			words = ring_at(mmu, gpa & ~UINT64_C(4095));
		if (!words)
			break;
		word = __atomic_load_n(&words[(gpa & 4095) / 8], __ATOMIC_RELAXED);
		if ((word & PVROM_MMU_WORD_MASK) == PVROM_MMU_WORD_CHANGED) {
			v->refused += !run_add(mmu, &run, word) && retired;
			if (retired)
				v->registered = 0;
		} else if (retired) {
			run_end(mmu, &run);
			v->refused += !pvrom_mmu_word(mmu, word, &v->registered);
		}
	}
	run_end(mmu, &run);
}

/* Indices that cannot be are taken for the nearest that can. */
static void drain_ring(struct pvrom_mmu *mmu, struct shadow_vcpu *v)
{
	struct pvrom_mmu_ring *ring = ring_at(mmu, v->ring);
	uint32_t start, done, refused = v->refused;

	if (!ring)
		return;
	done = read_index(&ring->done);
	start = read_index(&ring->start);
	if (start == v->retired)
		return;
	if (start - v->retired > v->slots)
		start = v->retired + v->slots;
	if (done - v->retired > start - v->retired)
		done = done - v->retired > UINT32_MAX / 2 ? v->retired : start;
	if (BUG(RETIRE_EARLY))
		done = start;
	if (!(BUG(POLL_BLIND) && !mmu->self))
		drain_words(mmu, v, start, done);
	mmu->stats.words += done - v->retired;
	mmu->stats.refused += v->refused - refused;
	v->retired = done;
	__atomic_store_n(&ring->refused, v->refused, __ATOMIC_RELAXED);
	__atomic_store_n(&ring->retired, done, __ATOMIC_RELEASE);
}

/* All rings: whoever flushes must see every store that was visible before. */
void pvrom_shadow_drain(struct pvrom_mmu *mmu)
{
	uint32_t i;

	for (i = 0; i < mmu->config.vcpus; i++)
		if (mmu->vcpu[i].ring != PVROM_MMU_NONE &&
		    !(BUG(OTHER_RINGS) && shadow_bit(i) != mmu->self))
			drain_ring(mmu, &mmu->vcpu[i]);
}

static bool slots_ok(uint32_t slots)
{
	return slots >= PVROM_MMU_RING_SLOTS_MIN && slots <= PVROM_MMU_RING_SLOTS_MAX &&
	       !(slots & (slots - 1));
}

static bool ring_is_memory(struct pvrom_mmu *mmu, uint64_t gpa, uint32_t slots)
{
	const uint64_t last = gpa + PVROM_MMU_RING_WORDS + (uint64_t)slots * 8 - 1;
	uint64_t gfn;

	if ((gpa & (PVROM_MMU_RING_ALIGN - 1)) || gpa >> 12 >= mmu->config.guest_pages)
		return false;
	for (gfn = gpa >> 12; gfn <= last >> 12; gfn++)
		if (!guest_page_is_writable(mmu, gfn))
			return false;
	return true;
}

/* May there be such a ring? */
bool pvrom_mmu_ring_ok(struct pvrom_mmu *mmu, uint64_t gpa, uint32_t slots)
{
	return slots_ok(slots) && ring_is_memory(mmu, gpa, slots);
}

/* May the guest count on somebody who looks at the ring? */
bool pvrom_mmu_is_polled(const struct pvrom_mmu *mmu, const struct shadow_vcpu *v)
{
	return v->may_poll && v->ring != PVROM_MMU_NONE && (mmu->config.flags & PVROM_MMU_POLLED);
}

void pvrom_mmu_say_polled(struct pvrom_mmu *mmu, const struct shadow_vcpu *v)
{
	struct pvrom_mmu_ring *ring = v->ring == PVROM_MMU_NONE ? NULL : ring_at(mmu, v->ring);

	if (ring)
		__atomic_store_n(&ring->polled, pvrom_mmu_is_polled(mmu, v), __ATOMIC_RELAXED);
}

static bool header_ok(const struct pvrom_mmu_ring *ring)
{
	return slots_ok(ring->slots) && !ring->reserved0 && ring->start == ring->done &&
	       ring->start == ring->retired && !ring->polled && !ring->reserved1 &&
	       !ring->reserved2[0] && !ring->reserved2[1] && !ring->reserved2[2] &&
	       !ring->reserved2[3];
}

/* RING: what stands in the old ring has been drained by then. */
uint32_t pvrom_mmu_ring_set(struct pvrom_mmu *mmu, uint32_t vcpu, uint64_t gpa, uint64_t how)
{
	struct shadow_vcpu *v = &mmu->vcpu[vcpu];
	struct pvrom_mmu_ring ring;

	if (how > PVROM_MMU_RING_POLL)
		return PVROM_STATUS_INVALID;
	if (gpa == PVROM_MMU_NONE) {
		v->ring = gpa;
		return PVROM_STATUS_OK;
	}
	if ((gpa & (PVROM_MMU_RING_ALIGN - 1)) || gpa >> 12 >= mmu->config.guest_pages ||
	    !guest_page_is_writable(mmu, gpa >> 12))
		return PVROM_STATUS_ADDRESS;
	__builtin_memcpy(&ring, ring_at(mmu, gpa), sizeof(ring));
	__asm__ volatile("" : : : "memory");
	if (!header_ok(&ring))
		return PVROM_STATUS_INVALID;
	if (!ring_is_memory(mmu, gpa, ring.slots))
		return PVROM_STATUS_ADDRESS;
	v->ring = gpa;
	v->slots = ring.slots;
	v->retired = ring.start;
	v->refused = ring.refused;
	v->registered = 0;
	v->may_poll = how & PVROM_MMU_RING_POLL;
	pvrom_mmu_say_polled(mmu, v);
	return PVROM_STATUS_OK;
}

/* ---- without an exit -------------------------------------------------------------------------------------- */

static bool has_words(struct pvrom_mmu *mmu, const struct shadow_vcpu *v)
{
	const struct pvrom_mmu_ring *ring = ring_at(mmu, v->ring);

	return ring && read_index(&ring->done) != v->retired;
}

/*
 * Nobody has left the guest for this: what a TLB may hold that is no more stays noted, and is flushed by the vCPU's
 * own INVLPG, by FLUSH_SET, or before it runs again.
 */
bool pvrom_mmu_poll(struct pvrom_mmu *mmu)
{
	bool any = false;
	uint32_t i;

	pvrom_shadow_enter(mmu, 0);
	mmu->self = 0;
	for (i = 0; i < mmu->config.vcpus && !any; i++)
		any = pvrom_mmu_is_polled(mmu, &mmu->vcpu[i]) && has_words(mmu, &mmu->vcpu[i]);
	if (any)
		pvrom_shadow_drain(mmu);
	pvrom_shadow_exit(mmu);
	return any;
}
