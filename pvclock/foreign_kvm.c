/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* kvmclock's page: taking a copy of it that belongs together, and its arithmetic. */
#include "foreign.h"

bool pvrom_kvm_take(const void *page, struct pvrom_kvm_page *copy, uint64_t *tsc)
{
	const struct pvrom_kvm_page *shared = page;
	uint32_t tries;

	for (tries = 0; tries < PVROM_FOREIGN_TRIES; tries++) {
		copy->version = PVROM_ONCE(shared->version);
		PVROM_LOADS_STAY();
		copy->tsc_timestamp = PVROM_ONCE(shared->tsc_timestamp);
		copy->system_time = PVROM_ONCE(shared->system_time);
		copy->mul = PVROM_ONCE(shared->mul);
		copy->shift = PVROM_ONCE(shared->shift);
		copy->flags = PVROM_ONCE(shared->flags);
		*tsc = pvrom_tsc_after_loads();
		if (!(copy->version & 1) && PVROM_ONCE(shared->version) == copy->version)
			return true;
		__asm__ volatile("pause");
	}
	return false;
}

bool pvrom_kvm_take_wall(const void *page, struct pvrom_kvm_wall *copy)
{
	const struct pvrom_kvm_wall *shared = page;
	uint32_t tries;

	for (tries = 0; tries < PVROM_FOREIGN_TRIES; tries++) {
		copy->version = PVROM_ONCE(shared->version);
		PVROM_LOADS_STAY();
		copy->sec = PVROM_ONCE(shared->sec);
		copy->nsec = PVROM_ONCE(shared->nsec);
		PVROM_LOADS_STAY();
		if (!(copy->version & 1) && PVROM_ONCE(shared->version) == copy->version)
			return copy->version && copy->nsec < 1000000000;
		__asm__ volatile("pause");
	}
	return false;
}

/* Shifts of a host are between -31 and 31: mul has 32 bits, and no TSC is that slow or quick. */
static bool makes_sense(const struct pvrom_kvm_page *page)
{
	return page->version && page->mul && page->shift > -32 && page->shift < 32;
}

bool pvrom_kvm_ns(const struct pvrom_kvm_page *page, uint64_t tsc, uint64_t *ns)
{
	/* A CPU may be a little behind the one on which the host took its timestamp. */
	uint64_t ticks = tsc > page->tsc_timestamp ? tsc - page->tsc_timestamp : 0;
	unsigned __int128 sum;

	if (!makes_sense(page))
		return false;
	/* The host's own arithmetic: the product loses the fraction, the shift loses bits. */
	if (page->shift < 0)
		ticks >>= -page->shift;
	else if (ticks >> (63 - page->shift))
		return false;
	else
		ticks <<= page->shift;
	sum = ((unsigned __int128)ticks * page->mul >> 32) + page->system_time;
	*ns = (uint64_t)sum;
	return sum <= UINT64_MAX;
}

/* 10^9 * 2^32 / (mul * 2^shift) */
uint64_t pvrom_kvm_hz(const struct pvrom_kvm_page *page)
{
	const uint64_t ns = UINT64_C(1000000000) << 32;
	uint64_t hz;

	if (!makes_sense(page))
		return 0;
	if (page->shift < 0)
		hz = pvrom_shift_divide(ns, (uint32_t)-page->shift, page->mul);
	else
		hz = pvrom_shift_divide(ns, 0, (uint64_t)page->mul << page->shift);
	return pvrom_is_tsc_hz(hz) ? hz : 0;
}
