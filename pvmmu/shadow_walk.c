/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's own tables, walked as the processor would: each entry is read once. What is allowed and
 * which error code a fault has: Intel SDM vol. 3A, 4.6 and 4.7; AMD APM vol. 2, 5.6 and 8.4.2.
 */
#include "mmu_internal.h"

/* How often a walk begins anew because the guest changed an entry meanwhile. */
#define WALK_TRIES 8

static bool is_last(uint32_t level, uint64_t entry)
{
	return level == 1 || (level < 4 && (entry & PTE_PS));
}

/* ---- down the tree ------------------------------------------------------------------------------------ */

struct rights {
	bool write, user, fetch;
};

static uint32_t error_code(const struct shadow_vcpu *v, uint32_t error, uint32_t why)
{
	uint32_t code = why | (error & (ERROR_W | ERROR_U));

	if (!(v->mode & ROLE_NXE) && !(v->regs.cr4 & CR4_SMEP))
		return code;
	if (BUG(ERROR_USER))
		code &= ~ERROR_U;
	return code | (error & ERROR_I);
}

static bool is_allowed(const struct shadow_vcpu *v, uint32_t error, const struct rights *r)
{
	const bool user = error & ERROR_U;

	if (error & ACCESS_ANY)
		return true;
	if (user && !r->user)
		return false;
	if (error & ERROR_I)
		return r->fetch && (user || !r->user || !(v->regs.cr4 & CR4_SMEP));
	if (!user && r->user && (v->regs.cr4 & CR4_SMAP) && !(error & PVROM_MMU_ACCESS_AC))
		return false;
	if (!(error & ERROR_W) || r->write)
		return true;
	return !user && !(v->regs.cr0 & CR0_WP) && !BUG(WP_IGNORED);
}

static bool read_entry(struct pvrom_mmu *mmu, uint64_t table, uint32_t level, uint64_t address,
		       struct shadow_walk *w)
{
	struct pvrom_mmu_memory memory;

	w->gpa = (table << 12) + slot_at(address, level) * 8;
	if (!guest_page(mmu, table, &memory))
		return false;
	w->table[level] = (uint32_t)table;
	w->read_only[level] = memory.read_only;
	w->at[level] = (uint64_t *)memory.at + slot_at(address, level);
	w->entry[level] = __atomic_load_n(w->at[level], __ATOMIC_ACQUIRE);
	w->last = level;
	return true;
}

/* What the tables say of an access; nothing is changed. */
enum pvrom_mmu_outcome pvrom_shadow_walk(struct pvrom_mmu *mmu, const struct shadow_vcpu *v,
					 uint64_t address, uint32_t error, struct shadow_walk *w)
{
	struct rights r = { true, true, true };
	uint64_t table = (v->regs.cr3 & PTE_ADDRESS) >> 12, e;
	uint32_t level = 5;

	do {
		if (!read_entry(mmu, table, --level, address, w))
			return PVROM_MMU_TABLES;
		e = w->entry[level];
		w->error = error_code(v, error, e & PTE_P ? ERROR_P | ERROR_RSVD : 0);
		if (!(e & PTE_P) || !pvrom_shadow_valid(mmu, v->mode, level, e))
			return PVROM_MMU_INJECT;
		r.write = r.write && (e & PTE_W);
		r.user = r.user && (e & PTE_U);
		r.fetch = r.fetch && !(e & PTE_NX);
		table = (e & PTE_ADDRESS) >> 12;
	} while (!is_last(level, e));
	w->leaf = level;
	e = (UINT64_C(1) << (3 + 9 * level)) - 1;
	w->gpa = (w->entry[level] & PTE_ADDRESS & ~e) | (address & e);
	w->error = error_code(v, error, ERROR_P);
	if ((error & ACCESS_ANY) && r.write)
		w->error |= ACCESS_ANY; /* a write would be allowed */
	return is_allowed(v, error, &r) ? PVROM_MMU_RETRY : PVROM_MMU_INJECT;
}

/* ---- A and D ------------------------------------------------------------------------------------------- */

/* Sets bits of the entry as it was read; false if it is not that any more. */
static bool mark_entry(struct shadow_walk *w, uint32_t level, uint64_t bits)
{
	uint64_t old = w->entry[level];

	if ((old & bits) == bits)
		return true;
	if (!__atomic_compare_exchange_n(w->at[level], &old, old | bits, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return false;
	w->entry[level] = old | bits;
	return true;
}

static bool mark(struct shadow_walk *w, bool write)
{
	uint32_t level;

	for (level = 4; level > w->leaf; level--)
		if (!BUG(LOST_A) && !mark_entry(w, level, PTE_A))
			return false;
	return mark_entry(w, level, write && !BUG(LOST_D) ? PTE_A | PTE_D : PTE_A);
}

bool pvrom_shadow_mark_upper(struct shadow_walk *w)
{
	uint32_t level;

	for (level = 4; level > w->last; level--)
		if ((w->read_only[level] && !(w->entry[level] & PTE_A)) ||
		    !mark_entry(w, level, PTE_A))
			return false;
	return true;
}

/* A table in a ROM cannot take its bits. */
static bool can_mark(const struct shadow_walk *w, bool write, uint64_t *gpa)
{
	uint32_t level;

	for (level = 4; level >= w->leaf; level--) {
		const uint64_t bits = level == w->leaf && write ? PTE_A | PTE_D : PTE_A;

		*gpa = (uint64_t)w->table[level] << 12;
		if (w->read_only[level] && (w->entry[level] & bits) != bits)
			return false;
	}
	return true;
}

/* The same, and if the access is allowed A and D are set as it sets them. */
enum pvrom_mmu_outcome pvrom_shadow_walk_mark(struct pvrom_mmu *mmu, const struct shadow_vcpu *v,
					      uint64_t address, uint32_t error,
					      struct shadow_walk *w)
{
	enum pvrom_mmu_outcome outcome;
	uint32_t tries;
	uint64_t gpa;
	bool write;

	for (tries = 0; tries < WALK_TRIES; tries++) {
		outcome = pvrom_shadow_walk(mmu, v, address, error, w);
		if (outcome != PVROM_MMU_RETRY)
			return outcome;
		write = (error & ACCESS_ANY ? w->error & ACCESS_ANY : error & ERROR_W) != 0;
		if (!can_mark(w, write, &gpa)) {
			w->gpa = gpa;
			return PVROM_MMU_TABLES;
		}
		if (mark(w, write))
			return PVROM_MMU_RETRY;
	}
	w->leaf = 0; /* the guest writes there all the time: it may try again */
	return PVROM_MMU_RETRY;
}
