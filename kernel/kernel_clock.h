/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The kernel's clock: one of pvrom's guest half, over whatever source this machine has. */
#ifndef KERNEL_CLOCK_H
#define KERNEL_CLOCK_H

#include <pvrom/clock_source.h>

#include "lib.h"

/*
 * On the BSP, before anything waits: takes the best source that needs no ROM and returns the TSC's rate
 * that it states, 0 if none does. *words says what states it.
 */
uint64_t clock_init(const char **words);
/* Nobody states a rate, and the kernel has measured it. */
void clock_measured(uint64_t tsc_hz);
/* The feature clock may have come or gone: registers the page or lets it go, on all CPUs. */
void clock_update(void);
/* On a CPU that comes up. */
void clock_init_cpu(void);
/* Prints which source it is and what it says. */
void clock_print(void);
/* clock_watch.c: is it wanted instead of the suite? Prints the clock again and again. */
bool clock_watch_wanted(void);
void clock_watch(void);
/* clock_cost.c: the same for what a read costs. */
bool clock_cost_wanted(void);
void clock_cost(void);

/* The time now, as pvrom_clock_read(). Any context in which the CPU does not change. */
uint32_t clock_read(struct pvrom_clock_reading *time);
/* Monotonic nanoseconds by the site of CLOCK_NOW; PVROM_CLOCK_NONE if nothing tells them. */
uint64_t clock_monotonic(void);
/* What that site calls now. */
const void *clock_now_function(void);
/* The page that may be mapped read-only into user mode, NULL where the source has none. */
const struct pvrom_clock_page *clock_user_page(void);

#endif
