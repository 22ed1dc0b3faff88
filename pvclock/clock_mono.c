/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The monotonic function: its value at a TSC, and how it is held to the host's time without a step. */
#include "clock_internal.h"

/* The most that monotonic time may be slewed, less a ten-thousandth of it for what rounding adds. */
#define SLEW_PPB 499950

struct pvrom_clock_value pvrom_clock_mono_value(const struct pvrom_clock_page *page, uint64_t tsc)
{
	const uint64_t ticks = tsc < page->mono_tsc ? 0 : tsc - page->mono_tsc;
	const pvrom_wide sum = pvrom_clock_mul(ticks, page->mono_period) + page->mono_low;
	struct pvrom_clock_value value;

	value.ns = page->mono_ns + (uint64_t)(sum >> page->mono_shift);
	value.low = (uint64_t)sum;
	if (page->mono_shift < 64)
		value.low &= (UINT64_C(1) << page->mono_shift) - 1;
	return value;
}

/* The part below a nanosecond with another shift. Cut off, so that no reader sees a nanosecond more. */
static uint64_t rescale(uint64_t low, uint32_t from, uint32_t to)
{
	return to >= from ? low << (to - from) : low >> (from - to);
}

/* period * (1 + slew / 2^64). */
static uint64_t slewed(uint64_t period, int64_t slew)
{
	if (slew < 0)
		return period - (uint64_t)(pvrom_clock_mul(period, (uint64_t)-slew) >> 64);
	return period + (uint64_t)(pvrom_clock_mul(period, (uint64_t)slew) >> 64);
}

/* The function gets a new base, with the value that it has there, and a new rate. */
void pvrom_clock_mono_update(struct pvrom_clock_writer *writer,
			     const struct pvrom_clock_period *period, uint64_t tsc,
			     struct pvrom_clock_value value, int64_t slew)
{
	struct pvrom_clock_page *now = &writer->now;

	now->mono_tsc = tsc;
	now->mono_ns = value.ns;
	now->mono_low = rescale(value.low, now->mono_shift, period->mono_shift);
	if (PVROM_CLOCK_BUG(LOW_LOST))
		now->mono_low = 0;
	if (PVROM_CLOCK_BUG(RESCALE_UP) && now->mono_shift > period->mono_shift)
		now->mono_low++;
	now->mono_shift = period->mono_shift;
	now->mono_period = slewed(period->mono, slew);
}

/* ns / horizon in 2^-64, not more than SLEW_PPB of 10^-9. */
static uint64_t slew_rate(uint64_t ns, uint64_t horizon)
{
	const uint64_t most = UINT64_MAX / NS_PER_SEC * SLEW_PPB;
	uint64_t rest, rate = most;

	if (ns < horizon)
		rate = pvrom_clock_div(ns, 0, horizon, &rest);
	return rate < most || PVROM_CLOCK_BUG(SLEW_FREE) ? rate : most;
}

static pvrom_time mono_time(struct pvrom_clock_value value)
{
	uint64_t ns, frac, rest;

	frac = pvrom_clock_div(value.ns % NS_PER_SEC, 0, NS_PER_SEC, &rest);
	ns = value.ns / NS_PER_SEC;
	return pvrom_clock_time(ns, frac);
}

/*
 * By how much monotonic time shall run fast or slow, in 2^-64, to come back to the host's: the difference
 * between TAI and monotonic time is held to what it was first. anew: it is first now.
 */
int64_t pvrom_clock_slew(struct pvrom_clock_writer *writer, pvrom_time tai,
			 struct pvrom_clock_value value, bool anew)
{
	const pvrom_time second = (pvrom_time)1 << 64, offset = tai - mono_time(value);
	pvrom_time late;
	uint64_t ns, rate;

	if (anew || !writer->offset_valid) {
		writer->offset_sec = (uint64_t)(offset >> 64);
		writer->offset_frac = (uint64_t)offset;
		writer->offset_valid = true;
	}
	/* Unsigned: a loaded offset may be anything. */
	late = (pvrom_time)((pvrom_wide)offset -
			    (pvrom_wide)pvrom_clock_time(writer->offset_sec, writer->offset_frac));
	if (late >= second || late <= -second)
		ns = NS_PER_SEC;
	else
		ns = (uint64_t)(pvrom_clock_mul((uint64_t)(late < 0 ? -late : late), NS_PER_SEC) >>
				64);
	rate = slew_rate(ns, writer->config.slew_ns);
	return late < 0 ? -(int64_t)rate : (int64_t)rate;
}

uint64_t pvrom_clock_writer_mono_at(const struct pvrom_clock_writer *writer, uint64_t tsc)
{
	return pvrom_clock_mono_value(&writer->now, tsc).ns;
}

uint64_t pvrom_clock_writer_tsc_at(const struct pvrom_clock_writer *writer, uint64_t ns)
{
	const struct pvrom_clock_page *now = &writer->now;
	uint64_t ticks, rest;
	pvrom_wide sum;

	if (ns <= now->mono_ns)
		return now->mono_tsc;
	sum = ((pvrom_wide)(ns - now->mono_ns) << now->mono_shift) - now->mono_low;
	if ((uint64_t)(sum >> 64) >= now->mono_period)
		return UINT64_MAX;
	ticks = pvrom_clock_div((uint64_t)(sum >> 64), (uint64_t)sum, now->mono_period, &rest);
	if (ticks > UINT64_MAX - 1 - now->mono_tsc)
		return UINT64_MAX;
	return now->mono_tsc + ticks + (rest != 0);
}
