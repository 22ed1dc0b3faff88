/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The reads of clock_read.c as a kernel has them: compiled with a kernel's flags, time alone by the site of
 * CLOCK_NOW, which is a call of a function of the kernel's, patched or not. It is linked into an ordinary
 * process, because the processor that runs kernels in the lab is software: there a fence costs nothing.
 */
#include "clock_read_kernel.h"

#include <pvrom/sites.h>

const struct pvrom_clock_page *kernel_page;
struct pvrom_clock_alone kernel_alone;

/* As the kernel's own: the site becomes a call of this where the TSC alone is good enough. */
uint64_t pvrom_native_clock_now(void)
{
	return pvrom_clock_alone_ns(&kernel_alone);
}

uint64_t kernel_bare(uint32_t reads)
{
	uint64_t sum = 0, low, high;

	for (; reads; reads--) {
		__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
		sum += high << 32 | low;
	}
	return sum;
}

uint64_t kernel_now(uint32_t reads)
{
	uint64_t sum = 0;

	for (; reads; reads--)
		sum += pvrom_clock_now();
	return sum;
}

uint64_t kernel_monotonic(uint32_t reads)
{
	uint64_t sum = 0;

	for (; reads; reads--)
		sum += pvrom_clock_page_monotonic(kernel_page);
	return sum;
}

uint64_t kernel_everything(uint32_t reads)
{
	struct pvrom_clock_reading now = { .marker = 0 };
	uint64_t sum = 0;

	for (; reads; reads--)
		sum += pvrom_clock_page_read(kernel_page, &now) + now.tai_sec + now.tai_nsec +
		       now.maxerror_ns + now.monotonic_ns;
	return sum;
}
