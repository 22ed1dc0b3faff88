/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * How long one read of the clock takes, in user mode and as a kernel compiles it, beside `lfence; rdtsc`, which is the least that
 * any ordered read of this counter costs, and beside the vDSO's clock_gettime.
 *
 * Interleaved blocks, each of the ways in turn, so that all see the same machine; the medians are
 * printed as `NAME ticks` lines. Every result is used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <pvrom/clock_guest.h>
#include <pvrom/clock_host.h>

#include "clock_read_kernel.h"

#define BLOCKS 50
#define READS 2000

static uint8_t page[PVROM_CLOCK_PAGE_SIZE] __attribute__((aligned(4096)));

static inline uint64_t fenced_tsc(void)
{
	uint64_t low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	return high << 32 | low;
}

static uint64_t tsc(void *ctx)
{
	(void)ctx;
	return fenced_tsc();
}

/* A page as a host with a TSC of 2.6 GHz would have written it. */
static void write_page(void)
{
	static struct pvrom_clock_writer writer;
	const struct pvrom_clock_config config = {
		.tsc = tsc, .rate_ticks = 26, .rate_ns = 10, .flags = PVROM_CLOCK_HOST_TSC_ALONE
	};
	const struct pvrom_clock_sample sample = {
		.tsc = fenced_tsc(),
		.tai_sec = 1800000037,
		.maxerror_ns = 20000,
		.rate_ticks = 26,
		.rate_ns = 10,
		.rate_error_ppb = 1000,
		.status = PVROM_CLOCK_SYNCHRONIZED,
		.flags = PVROM_CLOCK_SAMPLE_OFFSET,
		.utc_offset_sec = -37,
	};

	if (pvrom_clock_writer_init(&writer, &config, 1) != PVROM_CLOCK_OK)
		exit(1);
	pvrom_clock_writer_attach(&writer, page);
	if (pvrom_clock_writer_update(&writer, &sample) != PVROM_CLOCK_OK)
		exit(1);
}

/* ---- the ways ---------------------------------------------------------------------------------- */

static uint64_t sum;

static void bare(void)
{
	uint32_t i;

	for (i = 0; i < READS; i++)
		sum += fenced_tsc();
}

static void monotonic(void)
{
	uint32_t i;

	for (i = 0; i < READS; i++)
		sum += pvrom_clock_page_monotonic((const struct pvrom_clock_page *)(void *)page);
}

static void everything(void)
{
	struct pvrom_clock_reading now = { .marker = 0 };
	uint32_t i;

	for (i = 0; i < READS; i++)
		sum += pvrom_clock_page_read((const struct pvrom_clock_page *)(void *)page, &now) +
		       now.tai_sec + now.tai_nsec + now.maxerror_ns + now.monotonic_ns;
}

static void vdso(void)
{
	struct timespec now;
	uint32_t i;

	for (i = 0; i < READS; i++) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		sum += (uint64_t)now.tv_nsec;
	}
}

/* The kernel's function of the TSC alone is the page's. */
static void give_to_kernel(void)
{
	kernel_page = (const struct pvrom_clock_page *)(void *)page;
	if (!pvrom_clock_alone_take(kernel_page, &kernel_alone))
		exit(1);
}

static void in_kernel_bare(void)
{
	sum += kernel_bare(READS);
}

static void in_kernel_now(void)
{
	sum += kernel_now(READS);
}

static void in_kernel_monotonic(void)
{
	sum += kernel_monotonic(READS);
}

static void in_kernel_everything(void)
{
	sum += kernel_everything(READS);
}

static const struct {
	const char *name;
	void (*read)(void);
} ways[] = { { "lfence_rdtsc", bare },
	     { "monotonic", monotonic },
	     { "with_bound_and_status", everything },
	     { "vdso_clock_gettime", vdso },
	     { "kernel_lfence_rdtsc", in_kernel_bare },
	     { "kernel_now", in_kernel_now },
	     { "kernel_monotonic", in_kernel_monotonic },
	     { "kernel_with_bound_and_status", in_kernel_everything } };
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	static double ticks[WAYS][BLOCKS];
	volatile uint64_t used;
	uint32_t block, way;

	write_page();
	give_to_kernel();
	for (block = 0; block < BLOCKS; block++)
		for (way = 0; way < WAYS; way++) {
			const uint64_t begin = fenced_tsc();

			ways[way].read();
			ticks[way][block] = (double)(fenced_tsc() - begin) / READS;
		}
	used = sum;
	(void)used;
	for (way = 0; way < WAYS; way++) {
		qsort(ticks[way], BLOCKS, sizeof(double), by_size);
		printf("%s %.2f\n", ways[way].name, ticks[way][BLOCKS / 2]);
	}
	return 0;
}
