/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * For the tests of the clock: a guest's TSC that stands where the test puts it, a writer over one page, and
 * reads of the page at a given TSC.
 */
#ifndef TESTS_CLOCK_WORLD_H
#define TESTS_CLOCK_WORLD_H

#include <string.h>

#include <pvrom/clock_guest.h>
#include <pvrom/clock_host.h>

#include "../cunit_tap.h"

#define HZ UINT64_C(2600000000)
/* 2026-11-21 12:00:37 TAI. */
#define SOME_DAY 1795262437

struct clock_world {
	uint64_t tsc;
	struct pvrom_clock_config config;
	struct pvrom_clock_writer writer;
	uint8_t page[PVROM_CLOCK_PAGE_SIZE] __attribute__((aligned(64)));
};

/* The page as its readers have it. */
static inline struct pvrom_clock_page *page_of(struct clock_world *w)
{
	return (struct pvrom_clock_page *)(void *)w->page;
}

/* A writer with a page, whose TSC has that rate and is 1000 now. */
void clock_open(struct clock_world *w, uint64_t hz, uint32_t flags);
/* A good sample: synchronized, exact to 1 us and 1 ppm, TAI - UTC = 37, no leap second near. */
void clock_sample(const struct clock_world *w, uint64_t tai_sec, struct pvrom_clock_sample *sample);
/* Updates with it. */
void clock_set(struct clock_world *w, uint64_t tai_sec);
/* pvrom_clock_page_read(), but at that TSC: the same pieces in the same order. */
void read_at(const struct pvrom_clock_page *page, uint64_t tsc, struct pvrom_clock_reading *r);
uint64_t mono_at(const struct pvrom_clock_page *page, uint64_t tsc);

/* A generator of numbers: the same on each run. */
uint64_t clock_random(void);

#endif
