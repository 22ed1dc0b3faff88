/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* For the tests of the feature clock: a machine of the host tests with a clock in its table. */
#ifndef TESTS_CLOCK_MACHINE_H
#define TESTS_CLOCK_MACHINE_H

#include <pvrom/clock_guest.h>
#include <pvrom/clock_host.h>

#include "host_world.h"

#define CLOCK_HZ UINT64_C(2600000000)
/* 2026-11-21 12:00:37 TAI. */
#define CLOCK_DAY 1795262437
/* Where the tests register a page. */
#define CLOCK_AT UINT64_C(0x8000)
#define CLOCK_FEATURES (ALL_FEATURES | FEATURE(CLOCK))

struct clock_machine {
	struct world w;
	struct pvrom_clock_host clock;
	struct pvrom_clock_config config;
};

/* A machine of so many vCPUs with the clock in its sealed set and one sample taken, no page registered. The TSC is
 * m->w.tsc, the same for the clock and for vCPUs. Close with world_close(&m->w). */
void clock_machine_open(struct clock_machine *m, uint32_t vcpus);
/* The same machine as new, after m->config or m->w.config were changed; nothing is negotiated. */
void clock_machine_again(struct clock_machine *m);
/* A sample for it: synchronized, exact to 1 us and 1 ppm, TAI - UTC = 37. */
struct pvrom_clock_sample clock_machine_sample(const struct clock_machine *m);
void clock_machine_update(struct clock_machine *m);

/* CLOCK_PAGE, by vCPU 0. */
uint32_t clock_register(struct clock_machine *m, uint64_t gpa, uint64_t size);
uint32_t clock_release(struct clock_machine *m);
const struct pvrom_clock_page *clock_page(struct clock_machine *m, uint64_t gpa);
/* Monotonic time as that page tells it at a TSC value, PVROM_CLOCK_NONE if it is not kept. */
uint64_t clock_mono(const struct pvrom_clock_page *page, uint64_t tsc);

#endif
