/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * "cost=READS" on the command line: what a read of the clock costs in this kernel, beside `lfence; rdtsc`,
 * which is the least that any ordered read costs. Interleaved blocks of so many reads; the medians
 * are printed, in ticks of the TSC for a thousand reads. Every result is used.
 */
#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "kernel_clock.h"
#include "load.h"

#define BLOCKS 50

static uint64_t reads, sum;

static inline uint64_t fenced_tsc(void)
{
	uint64_t low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	return high << 32 | low;
}

static void bare(void)
{
	for (uint64_t i = 0; i < reads; i++)
		sum += fenced_tsc();
}

/* The site, whatever it calls. */
static void now(void)
{
	for (uint64_t i = 0; i < reads; i++)
		sum += clock_monotonic();
}

/* Where there is a page: time alone, and with bound and status, as a kernel reads its own page. */
static const struct pvrom_clock_page *page;

static void page_monotonic(void)
{
	for (uint64_t i = 0; i < reads; i++)
		sum += pvrom_clock_page_monotonic(page);
}

static void page_everything(void)
{
	struct pvrom_clock_reading all = { 0 };

	for (uint64_t i = 0; i < reads; i++)
		sum += pvrom_clock_page_read(page, &all) + all.tai_sec + all.tai_nsec +
		       all.maxerror_ns + all.monotonic_ns;
}

static const struct {
	const char *name;
	void (*read)(void);
} ways[] = { { "lfence_rdtsc", bare },
	     { "clock_now", now },
	     { "page_monotonic", page_monotonic },
	     { "page_with_bound", page_everything } };

static uint64_t ticks[ARRAY_SIZE(ways)][BLOCKS];

static uint64_t median(uint64_t *of)
{
	for (unsigned i = 1; i < BLOCKS; i++)
		for (unsigned j = i; j && of[j] < of[j - 1]; j--) {
			uint64_t swap = of[j];

			of[j] = of[j - 1];
			of[j - 1] = swap;
		}
	return of[BLOCKS / 2];
}

static unsigned ways_here(void)
{
	page = clock_user_page();
	return page ? ARRAY_SIZE(ways) : ARRAY_SIZE(ways) - 2;
}

static void run_block(unsigned block, unsigned way)
{
	uint64_t start = fenced_tsc();

	ways[way].read();
	ticks[way][block] = (fenced_tsc() - start) * 1000 / reads;
}

/* Reads of the clock alone, between two looks at the number of exits. */
static void count_exits(unsigned way)
{
	struct load_count count = { 0 }, idle = { 0 };

	if (!load_count_init())
		return;
	load_count_begin(&count);
	for (unsigned block = 0; block < BLOCKS; block++)
		ways[way].read();
	load_count_end(&count);
	load_count_idle(&idle, count.ticks);
	kprintf("# exits: %s %lu reads, %lu exits, idle %lu\n", ways[way].name, reads * BLOCKS,
		count.exits, idle.exits);
}

bool clock_cost_wanted(void)
{
	return boot_option("cost=");
}

void clock_cost(void)
{
	unsigned count = ways_here();

	reads = lib_number(boot_option("cost="));
	if (!reads)
		reads = 1;
	for (unsigned block = 0; block < BLOCKS; block++)
		for (unsigned way = 0; way < count; way++)
			run_block(block, way);
	for (unsigned way = 0; way < count; way++)
		kprintf("# cost: %s %lu ticks a thousand\n", ways[way].name, median(ticks[way]));
	for (unsigned way = 1; way < count; way++)
		count_exits(way);
	kprintf("# sum: %lx\n# end\n", sum);
}
