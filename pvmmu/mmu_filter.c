/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Page faults that the host does not see. A fault reaches the guest for one of two reasons: its own tables
 * say so, or the host has not yet shadowed an entry that would allow the access. Only a walk of the
 * guest's own tables can tell; the error code that the processor pushed speaks of the shadow.
 *
 * Rules of translation and of the error code: Intel SDM vol. 3A, 4.5 to 4.7; AMD APM vol. 2, 5.3 to 5.6.
 */
#include "mmu_guest_internal.h"

#include <pvrom/mmu.h>

#define PTE_P ((uint64_t)1)
#define PTE_W ((uint64_t)1 << 1)
#define PTE_U ((uint64_t)1 << 2)
#define PTE_A ((uint64_t)1 << 5)
#define PTE_D ((uint64_t)1 << 6)
#define PTE_PS ((uint64_t)1 << 7)
#define PTE_NX ((uint64_t)1 << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

#define FAULT_P ((uint64_t)1)
#define FAULT_W ((uint64_t)1 << 1)
#define FAULT_U ((uint64_t)1 << 2)
#define FAULT_RSVD ((uint64_t)1 << 3)
#define FAULT_I ((uint64_t)1 << 4)

#define CR0_WP ((uint64_t)1 << 16)
#define CR4_SMEP ((uint64_t)1 << 20)
#define CR4_SMAP ((uint64_t)1 << 21)
#define EFER_NXE ((uint64_t)1 << 11)
#define FLAG_AC ((uint64_t)1 << 18)

/* A walk that came to a leaf. */
struct walk {
	volatile uint64_t *at[4]; /* the entries, from the root */
	uint64_t entry[4];	  /* as they were read, each once */
	uint32_t count;
	uint64_t all; /* W and U only if all have them */
	bool nx;
};

/* Bits of an entry that must be clear at this level (1: the last). */
static uint64_t reserved_bits(const struct pvrom_mmu_cpu *cpu, uint64_t entry, uint32_t level)
{
	uint64_t bits = PTE_ADDRESS & ~(((uint64_t)1 << cpu->mmu->physical_bits) - 1);

	if (GUEST_BUG(FILTER_RSVD))
		return 0;
	if (!(cpu->efer & EFER_NXE))
		bits |= PTE_NX;
	if (level == 4 || (level == 3 && !cpu->mmu->gibibyte_pages))
		bits |= PTE_PS;
	/* A large page is aligned; bit 12 of its entry is PAT. */
	else if (level > 1 && entry & PTE_PS)
		bits |= (((uint64_t)1 << (12 + 9 * (level - 1))) - 1) & ~(uint64_t)0x1fff;
	return bits;
}

/* 0, or P and RSVD of the fault that the tables themselves are the reason for; *ok is false then. */
static uint64_t walk(const struct pvrom_mmu_cpu *cpu, uint64_t va, struct walk *w, bool *ok)
{
	uint64_t table = cpu->root & PTE_ADDRESS, entry;
	uint32_t level;

	w->all = PTE_W | PTE_U;
	w->nx = false;
	*ok = false;
	for (level = 4, w->count = 0; level; level--, w->count++) {
		w->at[w->count] = (volatile uint64_t *)(uintptr_t)(table + cpu->mmu->linear) +
				  (va >> (12 + 9 * (level - 1)) & 511);
		w->entry[w->count] = entry = *w->at[w->count];
		if (!(entry & PTE_P))
			return 0;
		if (entry & reserved_bits(cpu, entry, level))
			return FAULT_P | FAULT_RSVD;
		w->all &= entry;
		w->nx = entry >> 63 || (w->nx && !GUEST_BUG(FILTER_NX));
		if (level == 1 || (level < 4 && entry & PTE_PS))
			break;
		table = entry & PTE_ADDRESS;
	}
	w->count++;
	*ok = true;
	return 0;
}

/* An access of the processor's own (to a descriptor, say) made at privilege level 3 counts as AC clear. */
static bool is_smap_violation(const struct pvrom_mmu_cpu *cpu, const struct pvrom_mmu_trap *trap)
{
	return cpu->cr4 & CR4_SMAP && !(trap->error & FAULT_I) &&
	       ((trap->cs & 3) == 3 || !(trap->rflags & FLAG_AC) || GUEST_BUG(FILTER_SMAP));
}

static bool is_allowed(const struct pvrom_mmu_cpu *cpu, const struct pvrom_mmu_trap *trap,
		       const struct walk *w)
{
	if (trap->error & FAULT_I && w->nx)
		return false;
	if (trap->error & FAULT_U)
		return w->all & PTE_U && (!(trap->error & FAULT_W) || w->all & PTE_W);
	if (trap->error & FAULT_W && !(w->all & PTE_W) &&
	    (cpu->cr0 & CR0_WP || GUEST_BUG(FILTER_WP)))
		return false;
	if (!(w->all & PTE_U))
		return true;
	return trap->error & FAULT_I ? !(cpu->cr4 & CR4_SMEP) || GUEST_BUG(FILTER_SMEP)
				     : !is_smap_violation(cpu, trap);
}

/* An entry that has changed since it was read is left alone: the access comes again. */
static void set_accessed(const struct pvrom_mmu_trap *trap, struct walk *w)
{
	uint64_t bits, entry;
	uint32_t i;

	for (i = 0; i < w->count; i++) {
		bits = PTE_A;
		if (i + 1 == w->count && trap->error & FAULT_W && !GUEST_BUG(NO_DIRTY))
			bits |= PTE_D;
		entry = w->entry[i];
		if ((entry & bits) != bits)
			__atomic_compare_exchange_n(w->at[i], &entry, entry | bits, false,
						    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
}

/* From here on the host takes the faults of this CPU. */
static void fall_back(struct pvrom_mmu_guest *mmu, struct pvrom_mmu_cpu *cpu)
{
	cpu->fallbacks++;
	pvrom_mmu_faults(mmu, false);
}

/* Any fault of the kernel's, flush, switch or store of this CPU in between counts as progress. */
static bool is_stuck(struct pvrom_mmu_cpu *cpu, const struct pvrom_mmu_trap *trap)
{
	uint32_t start = MMU_ONCE(cpu->ring->start);
	bool same = cpu->last_address == trap->address && cpu->last_rip == trap->rip &&
		    cpu->last_start == start;

	cpu->last_address = trap->address;
	cpu->last_rip = trap->rip;
	cpu->last_start = start;
	return same && !GUEST_BUG(NEVER_STUCK);
}

static void mend(struct pvrom_mmu_guest *mmu, struct pvrom_mmu_cpu *cpu,
		 const struct pvrom_mmu_trap *trap, struct walk *w)
{
	cpu->hidden++;
	if (is_stuck(cpu, trap)) {
		fall_back(mmu, cpu);
		return;
	}
	set_accessed(trap, w);
	if (pvrom_call(mmu->guest, PVROM_MMU_FILL, trap->address,
		       trap->error & (FAULT_W | FAULT_U | FAULT_I), 0, 0, NULL) != PVROM_STATUS_OK)
		fall_back(mmu, cpu);
}

/* The host runs the processor with NX on: I that it pushed for want of the guest's own NX and SMEP is taken out. */
static uint64_t real_error(const struct pvrom_mmu_cpu *cpu, uint64_t pushed, uint64_t present)
{
	uint64_t kept = FAULT_W | FAULT_U;

	if (cpu->efer & EFER_NXE || cpu->cr4 & CR4_SMEP || GUEST_BUG(FILTER_I))
		kept |= FAULT_I;
	if (GUEST_BUG(FILTER_P))
		kept |= FAULT_P, present &= ~FAULT_P;
	return (pushed & kept) | present;
}

bool pvrom_mmu_filter(struct pvrom_mmu_guest *mmu, struct pvrom_mmu_trap *trap)
{
	struct pvrom_mmu_cpu *cpu = pvrom_mmu_this(mmu);
	uint64_t error;
	struct walk w;
	bool ok;

	if (!cpu || !cpu->faults)
		return false;
	error = walk(cpu, trap->address, &w, &ok);
	if (ok && is_allowed(cpu, trap, &w)) {
		mend(mmu, cpu, trap, &w);
		return true;
	}
	cpu->last_rip = 0;
	trap->error = real_error(cpu, trap->error, error | (ok ? FAULT_P : 0));
	return false;
}

/* ---- the resident set, and on and off ---- */

uint32_t pvrom_mmu_resident(struct pvrom_mmu_guest *mmu, uint64_t va, uint64_t bytes, uint32_t how)
{
	uint64_t end = (va + bytes + MMU_PAGE - 1) & ~(MMU_PAGE - 1), pages, part;
	uint32_t status = PVROM_STATUS_OK;

	va &= ~(MMU_PAGE - 1);
	for (pages = (end - va) / MMU_PAGE; pages && status == PVROM_STATUS_OK; pages -= part) {
		part = pages < PVROM_MMU_RANGE_MAX ? pages : PVROM_MMU_RANGE_MAX;
		status = pvrom_call(mmu->guest, PVROM_MMU_RESIDENT, va | (part - 1), how, 0, 0,
				    NULL);
		va += part * MMU_PAGE;
	}
	return status;
}

/* A fault may come as soon as the call is done, so the filter must be in order before; and off after. */
uint32_t pvrom_mmu_faults(struct pvrom_mmu_guest *mmu, bool on)
{
	struct pvrom_mmu_cpu *cpu = pvrom_mmu_this(mmu);
	uint32_t status;

	if (!cpu || !cpu->on)
		return PVROM_STATUS_DENIED;
	if (on)
		cpu->faults = true;
	status = pvrom_call(mmu->guest, PVROM_MMU_FAULTS, on, 0, 0, 0, NULL);
	cpu->faults = on && status == PVROM_STATUS_OK;
	return status;
}

void pvrom_mmu_controls(struct pvrom_mmu_guest *mmu, uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	struct pvrom_mmu_cpu *cpu = pvrom_mmu_this(mmu);

	if (!cpu)
		return;
	cpu->cr0 = cr0;
	cpu->cr4 = cr4;
	cpu->efer = efer;
}
