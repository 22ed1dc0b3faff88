/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The TAI function, as an interval that only narrows: what was promised before and what is promised now are
 * both true, so the truth lies in their intersection, and that is what the page says next. Where the two have
 * nothing in common one of them was false: the new one replaces the old, and the marker changes.
 *
 * Bounds of the old promise are rounded inward, those of the new one outward, so that what is published
 * is, exactly, inside the old interval at every later TSC value and contains the whole intersection.
 */
#include "clock_internal.h"

/* A promise with a greater error than this (272 years) is none. */
#define MAXERROR_SEC (INT64_C(1) << 33)

/* Bounds of a time, or of a rate. */
struct span {
	pvrom_time low, high;
};
struct rates {
	uint64_t low, high;
};

/* Nanoseconds in 2^-64 s. */
static pvrom_time from_ns(uint64_t ns, bool up)
{
	uint64_t rest, frac = pvrom_clock_div(ns % NS_PER_SEC, 0, NS_PER_SEC, &rest);

	return pvrom_clock_time(ns / NS_PER_SEC, frac) + (up && rest);
}

/* The least number of nanoseconds that is not less than a time; for less than 2^64 ns. */
static uint64_t to_ns_up(pvrom_time time)
{
	const uint64_t sec = (uint64_t)(time >> 64), frac = (uint64_t)time;
	const pvrom_wide ns = pvrom_clock_mul(frac, NS_PER_SEC);

	return sec * NS_PER_SEC + (uint64_t)(ns >> 64) + ((uint64_t)ns != 0);
}

static pvrom_time span_of_ticks(uint64_t ticks, uint64_t rate, uint32_t shift, bool up)
{
	const pvrom_wide product = pvrom_clock_mul(ticks, rate);

	return (pvrom_time)(up ? pvrom_clock_shift_up(product, shift) : product >> shift);
}

pvrom_time pvrom_clock_tai_value(const struct pvrom_clock_page *page, uint64_t tsc)
{
	const uint64_t ticks = tsc < page->counter_value ? 0 : tsc - page->counter_value;

	return pvrom_clock_time(page->time_sec, page->time_frac_sec) +
	       span_of_ticks(ticks, page->counter_period_frac_sec, page->counter_period_shift,
			     false);
}

/* ---- what the sample says -------------------------------------------------------------------- */

pvrom_time pvrom_clock_estimate(const struct pvrom_clock_sample *sample, uint64_t period,
				uint32_t shift, uint64_t tsc)
{
	const pvrom_time time = pvrom_clock_time(sample->tai_sec, sample->tai_frac_sec);

	if (tsc < sample->tsc)
		return time - span_of_ticks(sample->tsc - tsc, period, shift, false);
	return time + span_of_ticks(tsc - sample->tsc, period, shift, false);
}

/* The rates that a sample allows, rounded outward. */
static struct rates sample_rates(const struct pvrom_clock_sample *sample, uint64_t period)
{
	uint64_t rest;
	const pvrom_wide product = pvrom_clock_mul(period, sample->rate_error_ppb);
	const uint64_t error =
		pvrom_clock_div((uint64_t)(product >> 64), (uint64_t)product, NS_PER_SEC, &rest) +
		1;

	return (struct rates){ period - error, period + 1 + error };
}

/* The times that a sample allows at a TSC value, rounded outward; by a nanosecond, so that the roundings
 * of 2^-64 s that follow, however many, never make a true promise false. */
static struct span sample_span(const struct pvrom_clock_sample *sample, struct rates rate,
			       uint32_t shift, uint64_t tsc)
{
	const pvrom_time time = pvrom_clock_time(sample->tai_sec, sample->tai_frac_sec);
	const pvrom_time error = from_ns(sample->maxerror_ns + 1, true);
	const bool back = tsc < sample->tsc;
	const uint64_t ticks = PVROM_CLOCK_BUG(STALE) ? 0
			       : back		      ? sample->tsc - tsc
						      : tsc - sample->tsc;
	const pvrom_time least = span_of_ticks(ticks, rate.low, shift, false);
	const pvrom_time most = span_of_ticks(ticks, rate.high, shift, true);

	if (back)
		return (struct span){ time - error - most, time + error - least };
	return (struct span){ time - error + least, time + error + most };
}

/* ---- what was promised ----------------------------------------------------------------------- */

static struct span claim_span(const struct pvrom_clock_claim *claim, uint64_t tsc)
{
	const pvrom_time time = pvrom_clock_time(claim->sec, claim->frac);
	const pvrom_time error = from_ns(claim->maxerror_ns, false);
	const uint64_t ticks = tsc - claim->tsc;
	const bool in = !PVROM_CLOCK_BUG(OUTWARD);

	return (struct span){
		time - error + span_of_ticks(ticks, claim->period - claim->rate, claim->shift, in),
		time + error + span_of_ticks(ticks, claim->period + claim->rate, claim->shift, !in),
	};
}

static struct rates claim_rates(const struct pvrom_clock_claim *claim)
{
	return (struct rates){ claim->period - claim->rate, claim->period + claim->rate };
}

/* ---- both ------------------------------------------------------------------------------------ */

/* The middle of the rates, and how far they reach, within outer: if the width is odd, one side has
 * room for one more, or the two would be the same and the width even. */
static void set_rate(struct pvrom_clock_claim *claim, struct rates rate, struct rates outer)
{
	const uint64_t half = (rate.high - rate.low + 1) / 2;

	claim->rate = half;
	claim->period = rate.low + half <= outer.high - half ? rate.low + half : rate.high - half;
}

/* The nanoseconds that cover `inner` from middle, or UINT64_MAX. */
static uint64_t cover(pvrom_time middle, struct span inner)
{
	const pvrom_time up = inner.high - middle, down = middle - inner.low;
	const pvrom_time reach = up > down ? up : down;

	return reach < 0 || reach >> 64 >= MAXERROR_SEC ? UINT64_MAX : to_ns_up(reach);
}

/* Sets time and error; false if that reaches out of `outer`. */
static bool set_time(struct pvrom_clock_claim *claim, pvrom_time middle, uint64_t error_ns,
		     struct span outer)
{
	const pvrom_time error = from_ns(error_ns, true);

	if (error_ns == UINT64_MAX || middle < 0 || middle - error < outer.low ||
	    middle + error > outer.high)
		return false;
	claim->maxerror_ns = error_ns;
	claim->sec = (uint64_t)(middle >> 64);
	claim->frac = (uint64_t)middle;
	return true;
}

/*
 * Around the estimate, if that fits. Else around the middle, moved as far inward as whole nanoseconds of error
 * need; it covers `inner` still, for the other end only moves outward.
 */
static bool set_time_inside(struct pvrom_clock_claim *claim, pvrom_time estimate, struct span inner,
			    struct span outer)
{
	pvrom_time middle = inner.low + (inner.high - inner.low) / 2, error;
	const uint64_t error_ns = cover(middle, inner);

	if (set_time(claim, estimate, cover(estimate, inner), outer))
		return true;
	if (error_ns == UINT64_MAX)
		return false;
	error = from_ns(error_ns, true);
	if (middle - error < outer.low)
		middle = outer.low + error;
	if (middle + error > outer.high)
		middle = outer.high - error;
	return set_time(claim, middle, error_ns, outer);
}

/* The first promise, or one that replaces what proved false. */
static void claim_anew(struct pvrom_clock_claim *claim, const struct pvrom_clock_sample *sample,
		       const struct pvrom_clock_period *period, uint64_t tsc)
{
	const struct rates rate = sample_rates(sample, period->tai);
	const struct rates all = { 0, UINT64_MAX };
	const struct span everything = { -((pvrom_time)1 << 126), (pvrom_time)1 << 126 };
	const struct span span = sample_span(sample, rate, period->tai_shift, tsc);
	const pvrom_time estimate =
		pvrom_clock_estimate(sample, period->tai, period->tai_shift, tsc);

	claim->tsc = tsc;
	claim->shift = period->tai_shift;
	set_rate(claim, rate, all);
	claim->valid = set_time(claim, estimate, cover(estimate, span), everything);
}

/*
 * Can the two be of one rate? Promised periods are below 2^63 * 1.1, so one above 2^63 * 1.5, which with its
 * own error would no longer fit 64 bits, cannot.
 */
static bool same_scale(const struct pvrom_clock_claim *claim,
		       const struct pvrom_clock_period *period)
{
	if (period->tai_shift >= claim->shift)
		return period->tai_shift - claim->shift < 2;
	return claim->shift - period->tai_shift == 1 && period->tai < UINT64_C(3) << 61;
}

/* Narrows the promise by the sample; false if the two contradict each other. */
static bool claim_more(struct pvrom_clock_claim *claim, const struct pvrom_clock_sample *sample,
		       uint64_t tsc)
{
	struct pvrom_clock_claim next = { .tsc = tsc, .shift = claim->shift, .valid = true };
	const uint64_t period =
		pvrom_clock_rate_at(sample->rate_ticks, sample->rate_ns, claim->shift);
	const struct rates said = sample_rates(sample, period), outer_rate = claim_rates(claim);
	const struct span outer = claim_span(claim, tsc);
	struct rates rate = said;
	struct span span = sample_span(sample, said, claim->shift, tsc);

	if (rate.low < outer_rate.low && !PVROM_CLOCK_BUG(RATE_ALONE))
		rate.low = outer_rate.low;
	if (rate.high > outer_rate.high && !PVROM_CLOCK_BUG(RATE_ALONE))
		rate.high = outer_rate.high;
	if (span.low < outer.low)
		span.low = outer.low;
	if (span.high > outer.high)
		span.high = outer.high;
	if (rate.low > rate.high || span.low > span.high)
		return false;
	set_rate(&next, rate, outer_rate);
	/* Nothing to be gained, not even a nanosecond for rounding? The old function stands. */
	if (set_time_inside(&next, pvrom_clock_estimate(sample, period, claim->shift, tsc), span,
			    outer))
		*claim = next;
	return true;
}

static void publish_claim(struct pvrom_clock_page *now, const struct pvrom_clock_claim *claim)
{
	now->flags |= PVROM_VMCLOCK_TIME_MAXERROR_VALID | PVROM_VMCLOCK_PERIOD_MAXERROR_VALID;
	now->counter_period_shift = (uint8_t)claim->shift;
	now->counter_value = claim->tsc;
	now->counter_period_frac_sec = claim->period;
	now->counter_period_maxerror_rate_frac_sec = claim->rate;
	now->time_sec = claim->sec;
	now->time_frac_sec = claim->frac;
	now->time_maxerror_nanosec = claim->maxerror_ns;
}

/* The host's guess, without a promise. */
static void publish_guess(struct pvrom_clock_page *now, const struct pvrom_clock_sample *sample,
			  const struct pvrom_clock_period *period, uint64_t tsc)
{
	const pvrom_time time = pvrom_clock_estimate(sample, period->tai, period->tai_shift, tsc);
	const pvrom_time shown = time < 0 ? 0 : time;

	if (!PVROM_CLOCK_BUG(GUESS_BOUND))
		now->flags &= ~(uint64_t)(PVROM_VMCLOCK_TIME_MAXERROR_VALID |
					  PVROM_VMCLOCK_PERIOD_MAXERROR_VALID);
	now->counter_period_shift = (uint8_t)period->tai_shift;
	now->counter_value = tsc;
	now->counter_period_frac_sec = period->tai;
	now->counter_period_maxerror_rate_frac_sec = 0;
	now->time_sec = (uint64_t)(shown >> 64);
	now->time_frac_sec = (uint64_t)shown;
	now->time_maxerror_nanosec = 0;
}

/*
 * Takes the sample over into `now`, with base tsc. anew: what was promised before is void. Returns true if a
 * promise that was made is broken: the caller changes the marker. A promise outlives a time without one.
 */
bool pvrom_clock_tai_update(struct pvrom_clock_writer *writer,
			    const struct pvrom_clock_sample *sample,
			    const struct pvrom_clock_period *period, uint64_t tsc, bool anew)
{
	struct pvrom_clock_claim *claim = &writer->claim;
	bool broken = false;

	if (anew || PVROM_CLOCK_BUG(NEVER_NARROWS) ||
	    (PVROM_CLOCK_BUG(FORGETFUL) && !pvrom_clock_claims(sample->status)))
		claim->valid = false;
	if (pvrom_clock_claims(sample->status)) {
		broken = claim->valid &&
			 (!same_scale(claim, period) || !claim_more(claim, sample, tsc));
		if (broken || !claim->valid)
			claim_anew(claim, sample, period, tsc);
	}
	if (pvrom_clock_claims(sample->status) && claim->valid)
		publish_claim(&writer->now, claim);
	else
		publish_guess(&writer->now, sample, period, tsc);
	return broken;
}
