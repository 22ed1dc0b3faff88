/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A rate, so many ticks in so many nanoseconds, as the fixed-point periods of the two functions. */
#include "clock_math.h"

#define RATE_LIMIT (UINT64_C(1) << 62)

/* 1 MHz to 18 GHz: far beyond any TSC, and within what the shifts below can say. */
bool pvrom_clock_rate_ok(uint64_t ticks, uint64_t ns)
{
	return ticks && ns && ticks < RATE_LIMIT && ns < RATE_LIMIT &&
	       pvrom_clock_mul(ticks, 1000) >= ns && (pvrom_wide)ticks <= pvrom_clock_mul(ns, 18);
}

/* (num << bits) / by, rounded down; num < by < 2^126, and the result has 64 bits. Bit by bit: a
 * freestanding host has no division of 128 bits, and this is done only when a rate changes. */
static uint64_t divide(pvrom_wide num, pvrom_wide by, uint32_t bits)
{
	uint64_t quotient = 0;

	for (; bits; bits--) {
		num <<= 1;
		quotient <<= 1;
		if (num >= by) {
			num -= by;
			quotient |= 1;
		}
	}
	return quotient;
}

/*
 * The greatest shift, up to 64, at which a period still fits 64 bits when it is slewed up by 1/1024.
 * A step of the period is then 2^-64 ns a tick over 1 GHz, and less than 2^-62 of it below.
 */
static uint32_t mono_shift(uint64_t ticks, uint64_t ns)
{
	const pvrom_wide most = (pvrom_wide)ns + ns / 1024 + 1;
	uint32_t shift = 64;

	while (most >= (pvrom_wide)ticks << (64 - shift))
		shift--;
	return shift;
}

/* The shift that puts the period of TAI between 2^62 and 2^63: room for its error, and for a rate that
 * drifts by half until the shift is chosen anew. */
static uint32_t tai_shift(uint64_t ticks, uint64_t ns)
{
	const pvrom_wide by = pvrom_clock_mul(ticks, NS_PER_SEC);
	uint32_t shift = 0;

	while ((pvrom_wide)ns << (shift + 2) < by)
		shift++;
	return shift;
}

/* The period of TAI with a given shift, rounded down. */
uint64_t pvrom_clock_rate_at(uint64_t ticks, uint64_t ns, uint32_t shift)
{
	return divide(ns, pvrom_clock_mul(ticks, NS_PER_SEC), 64 + shift);
}

void pvrom_clock_rate(uint64_t ticks, uint64_t ns, struct pvrom_clock_period *period)
{
	period->mono_shift = mono_shift(ticks, ns);
	period->mono = divide(ns, (pvrom_wide)ticks << (64 - period->mono_shift), 64);
	period->tai_shift = tai_shift(ticks, ns);
	period->tai = pvrom_clock_rate_at(ticks, ns, period->tai_shift);
}
