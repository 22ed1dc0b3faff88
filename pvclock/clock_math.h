/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Arithmetic of the clock with 128 bits, and rates as fixed-point periods; for both halves.
 */
#ifndef PVROM_CLOCK_MATH_H
#define PVROM_CLOCK_MATH_H

#include <stdbool.h>
#include <stdint.h>

typedef unsigned __int128 pvrom_wide;

#define NS_PER_SEC 1000000000u

static inline pvrom_wide pvrom_clock_mul(uint64_t a, uint64_t b)
{
	return (pvrom_wide)a * b;
}

/* wide >> shift, rounded up. */
static inline pvrom_wide pvrom_clock_shift_up(pvrom_wide wide, uint32_t shift)
{
	const pvrom_wide down = wide >> shift;

	return down + (down << shift != wide);
}

/* (high:low) / by, for high < by: one instruction, where C would call a library. */
static inline uint64_t pvrom_clock_div(uint64_t high, uint64_t low, uint64_t by, uint64_t *rest)
{
	uint64_t quotient;

	__asm__("divq %4" : "=a"(quotient), "=d"(*rest) : "a"(low), "d"(high), "rm"(by) : "cc");
	return quotient;
}

/* A rate as both functions want it. */
struct pvrom_clock_period {
	uint64_t mono;	     /* ns a tick in 2^-mono_shift */
	uint64_t tai;	     /* s a tick in 2^-(64 + tai_shift), rounded down */
	uint32_t mono_shift; /* 1 to 64 */
	uint32_t tai_shift;
};

/* clock_rate.c */
bool pvrom_clock_rate_ok(uint64_t ticks, uint64_t ns);
void pvrom_clock_rate(uint64_t ticks, uint64_t ns, struct pvrom_clock_period *period);
uint64_t pvrom_clock_rate_at(uint64_t ticks, uint64_t ns, uint32_t tai_shift);

#endif
