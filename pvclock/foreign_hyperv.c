/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Hyper-V's reference TSC page: taking a copy of it that belongs together, and its arithmetic. */
#include "foreign.h"

/* A sequence of 0 says that the page is not valid; the MSR is the kernel's way out. */
bool pvrom_hyperv_take(const void *page, struct pvrom_hyperv_page *copy, uint64_t *tsc)
{
	const struct pvrom_hyperv_page *shared = page;
	uint32_t tries;

	for (tries = 0; tries < PVROM_FOREIGN_TRIES; tries++) {
		copy->sequence = PVROM_ONCE(shared->sequence);
		if (!copy->sequence)
			return false;
		PVROM_LOADS_STAY();
		copy->scale = PVROM_ONCE(shared->scale);
		copy->offset = PVROM_ONCE(shared->offset);
		*tsc = pvrom_tsc_after_loads();
		if (PVROM_ONCE(shared->sequence) == copy->sequence)
			return true;
		__asm__ volatile("pause");
	}
	return false;
}

/* The sum is taken modulo 2^64, as the specification's is: a negative one comes out as too much. */
bool pvrom_hyperv_ns(const struct pvrom_hyperv_page *page, uint64_t tsc, uint64_t *ns)
{
	uint64_t units = (uint64_t)((unsigned __int128)tsc * page->scale >> 64);

	units += (uint64_t)page->offset;
	if (!page->scale || units > UINT64_MAX / 100)
		return false;
	*ns = units * 100;
	return true;
}

/* 10^7 * 2^64 / scale */
uint64_t pvrom_hyperv_hz(const struct pvrom_hyperv_page *page)
{
	uint64_t hz = page->scale ? pvrom_shift_divide(10000000, 64, page->scale) : 0;

	return pvrom_is_tsc_hz(hz) ? hz : 0;
}
