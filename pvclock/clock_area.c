/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The clock's part of a vCPU area: one vCPU's real, stolen and halted time at one TSC value. */
#include "clock_internal.h"

static void store(uint64_t *to, uint64_t value)
{
	__atomic_store_n(to, value, __ATOMIC_RELAXED);
}

void pvrom_clock_vcpu_write(struct pvrom_vcpu_area *area, uint64_t real_ns,
			    const struct pvrom_clock_vcpu_times *times,
			    const uint64_t calls[PVROM_COUNTER_COUNT])
{
	/* Read once; whatever the guest made of it, the next two values are odd and even. */
	const uint32_t seq = __atomic_load_n(&area->clock_seq, __ATOMIC_RELAXED) | 1;
	uint32_t i;

	__atomic_store_n(&area->clock_seq, seq, __ATOMIC_RELAXED);
	/* The odd sequence before the fields, the fields before the even one: stores stay in order on
	 * x86, so only the compiler is held. Partner: the two loads in pvrom_clock_vcpu_read(). */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&area->clock_state, times->state, __ATOMIC_RELAXED);
	store(&area->clock_tsc, times->tsc);
	store(&area->clock_real, real_ns);
	store(&area->clock_stolen, times->stolen_ns < real_ns ? times->stolen_ns : real_ns);
	store(&area->clock_halted, times->halted_ns);
	store(&area->clock_fresh, times->fresh_ns);
	for (i = 0; i < PVROM_COUNTER_COUNT; i++)
		store(&area->calls[i], calls ? calls[i] : 0);
	/* Not 0, which says that there was no snapshot yet. */
	__atomic_store_n(&area->clock_seq, seq == UINT32_MAX ? 2 : seq + 1, __ATOMIC_RELEASE);
}
