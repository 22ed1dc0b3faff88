/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What clock_judge.h says. */
#include "clock_judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct clock_truth w;
mpq_t stated_rate;
uint8_t page[PVROM_CLOCK_PAGE_SIZE] __attribute__((aligned(64)));
struct told was, is, promise;
bool promised;
const char *what;
uint64_t histories, updates, changes;

static mpq_t t1, t2, t3, t4;

/* ---- what the page says ------------------------------------------------------------------------ */

static void told_init(struct told *t)
{
	mpq_inits(t->mono, t->mono_rate, t->low, t->high, t->low_rate, t->high_rate, NULL);
}

void judge_init(void)
{
	told_init(&was);
	told_init(&is);
	told_init(&promise);
	mpq_inits(t1, t2, t3, t4, stated_rate, w.time, w.rate, w.off, NULL);
}

/* The page as plain words at the offsets of the specification. */
uint64_t page_word(const uint8_t *from, unsigned int at, unsigned int size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | from[at + size];
	return value;
}

void read_page(const uint8_t *from, struct told *t)
{
	const unsigned int shift = 64 + (unsigned int)page_word(from, 0x27, 1);
	const unsigned int mono_shift = (unsigned int)page_word(from, 0x214, 4);
	mpq_t a, b;

	mpq_inits(a, b, NULL);
	t->seq = (uint32_t)page_word(from, 0x0c, 4);
	t->marker = page_word(from, 0x10, 8);
	t->flags = page_word(from, 0x18, 8);
	t->status = from[0x22];
	t->time_type = from[0x0b];
	t->generation = page_word(from, 0x68, 8);
	t->suspended = page_word(from, 0x238, 8);
	t->mono_shift = mono_shift;
	t->mono_tsc = page_word(from, 0x218, 8);
	t->tai_tsc = page_word(from, 0x28, 8);
	set_scaled(t->mono_rate, page_word(from, 0x220, 8), mono_shift);
	set_u64(a, page_word(from, 0x228, 8));
	set_scaled(t->mono, page_word(from, 0x230, 8), mono_shift);
	mpq_add(t->mono, t->mono, a);

	set_u64(a, page_word(from, 0x48, 8));
	set_scaled(b, page_word(from, 0x50, 8), 64);
	mpq_add(a, a, b);
	set_ns(b, page_word(from, 0x60, 8));
	mpq_sub(t->low, a, b);
	mpq_add(t->high, a, b);
	set_scaled(a, page_word(from, 0x30, 8), shift);
	set_scaled(b, page_word(from, 0x40, 8), shift);
	mpq_sub(t->low_rate, a, b);
	mpq_add(t->high_rate, a, b);
	mpq_clears(a, b, NULL);
}

/* Does the page promise an interval? */
static bool promises(const struct told *t)
{
	return (t->status == 2 || t->status == 3) && (t->flags & 0x50) == 0x50;
}

/* out = at + rate * ticks */
void along(mpq_t out, const mpq_t at, const mpq_t rate, uint64_t ticks)
{
	mpq_t n;

	mpq_init(n);
	set_u64(n, ticks);
	mpq_mul(n, n, rate);
	mpq_add(out, at, n);
	mpq_clear(n);
}

static void mono_at(mpq_t out, const struct told *t, uint64_t tsc)
{
	along(out, t->mono, t->mono_rate, tsc < t->mono_tsc ? 0 : tsc - t->mono_tsc);
}

/* ---- the judge --------------------------------------------------------------------------------- */

_Noreturn void die(const char *why)
{
	printf("not ok 1 - %s: %s\n# history %" PRIu64 ", update %" PRIu64 "\n", what, why,
	       histories, updates);
	printf("# %.18g %.18g %.18g %.18g\n", mpq_get_d(t1), mpq_get_d(t2), mpq_get_d(t3),
	       mpq_get_d(t4));
	exit(1);
}

/* [PVROM-CLOCK-12] [PVROM-CLOCK-13] */
static void judge_mono(uint64_t old_tsc, bool exact)
{
	mpz_t a, b;

	mpz_inits(a, b, NULL);
	mono_at(t1, &was, old_tsc);
	mono_at(t2, &is, w.tsc + w.delay);
	mpz_fdiv_q(a, mpq_numref(t1), mpq_denref(t1));
	mpz_fdiv_q(b, mpq_numref(t2), mpq_denref(t2));
	if (mpz_cmp(a, b))
		die("monotonic time stepped by a nanosecond or more");
	mpq_sub(t3, t1, t2);
	/* With another shift what is less than its step is cut off. */
	set_scaled(t4, exact ? 0 : 1, is.mono_shift);
	if (mpq_cmp(t3, t4) > 0 || mpq_sgn(t3) < 0)
		die("monotonic time is not continuous");
	/* |rate - stated| <= stated * 500 / 10^6, in ns a tick */
	mpq_set_ui(t1, w.ns, w.ticks);
	mpq_canonicalize(t1);
	mpq_sub(t2, is.mono_rate, t1);
	mpq_abs(t2, t2);
	mpq_set_ui(t3, 1, 2000);
	mpq_mul(t3, t3, t1);
	if (mpq_cmp(t2, t3) > 0)
		die("monotonic time is slewed by more than 500 ppm");
	mpz_clears(a, b, NULL);
}

/* The bounds of a promise at a TSC value. */
static void bounds(mpq_t low, mpq_t high, const struct told *t, uint64_t at)
{
	along(low, t->low, t->low_rate, at - t->tai_tsc);
	along(high, t->high, t->high_rate, at - t->tai_tsc);
}

/* From the base on the new interval lies inside the old: there, and its bounds do not run out of it.
 * [PVROM-CLOCK-5] */
static void judge_containment(void)
{
	bounds(t1, t2, &was, w.tsc + w.delay);
	bounds(t3, t4, &is, w.tsc + w.delay);
	if (mpq_cmp(t3, t1) < 0 || mpq_cmp(t4, t2) > 0)
		die("the new interval reaches out of the old one");
	if (mpq_cmp(is.low_rate, was.low_rate) < 0 || mpq_cmp(is.high_rate, was.high_rate) > 0)
		die("the new interval will reach out of the old one");
}

/* The truth is in the interval, unless a promise was false. [PVROM-CLOCK-14] */
static void judge_truth(void)
{
	bounds(t1, t2, &is, w.tsc + w.delay);
	along(t3, w.time, w.rate, w.delay);
	if (mpq_cmp(t3, t1) < 0 || mpq_cmp(t3, t2) > 0)
		die("true time is not in the interval");
}

/* Must the marker change because the sample has nothing in common with the promise? By 3 ns, 0 if neither
 * answer would be wrong. */
static int contradicts(const struct pvrom_clock_sample *s)
{
	int result = 0;
	mpq_t low, high, n;

	mpq_inits(low, high, n, NULL);
	bounds(t1, t2, &promise, w.tsc + w.delay);
	mpq_add(low, w.time, w.off);
	set_u64(n, w.delay);
	mpq_mul(n, n, stated_rate);
	mpq_add(low, low, n);
	set_ns(n, s->maxerror_ns);
	mpq_add(high, low, n);
	mpq_sub(low, low, n);
	/* what rate_error_ppb adds on the way to the base */
	mpq_set_ui(n, s->rate_error_ppb, 1000000000);
	mpq_canonicalize(n);
	mpq_mul(n, n, stated_rate);
	set_u64(t3, w.delay);
	mpq_mul(n, n, t3);
	mpq_add(high, high, n);
	mpq_sub(low, low, n);
	set_ns(n, 3);
	mpq_add(t3, high, n);
	mpq_sub(t4, low, n);
	if (mpq_cmp(t3, t1) < 0 || mpq_cmp(t4, t2) > 0)
		result = 1;
	mpq_sub(t3, high, n);
	mpq_add(t4, low, n);
	if (mpq_cmp(t3, t1) > 0 && mpq_cmp(t4, t2) < 0)
		result = -1;
	mpq_clears(low, high, n, NULL);
	return result;
}

/* Do the stated rates have anything in common with the promise? */
static bool rates_contradict(void)
{
	bool result;
	mpq_t low, high, n;

	mpq_inits(low, high, n, NULL);
	mpq_set_ui(n, w.ppb, 1000000000);
	mpq_canonicalize(n);
	mpq_mul(n, n, stated_rate);
	mpq_add(high, stated_rate, n);
	mpq_sub(low, stated_rate, n);
	result = mpq_cmp(high, promise.low_rate) < 0 || mpq_cmp(low, promise.high_rate) > 0;
	mpq_clears(low, high, n, NULL);
	return result;
}

/* Nothing is given away: the interval is no wider than the old one or the sample's, but for rounding. */
static void judge_width(const struct pvrom_clock_sample *s, const struct told *old)
{
	bounds(t1, t2, &is, w.tsc + w.delay);
	mpq_sub(t2, t2, t1);
	bounds(t3, t4, old, w.tsc + w.delay);
	mpq_sub(t4, t4, t3);
	set_ns(t1, 6);
	mpq_add(t4, t4, t1);
	if (mpq_cmp(t2, t4) > 0)
		die("the interval got wider");
	set_ns(t4, 2 * s->maxerror_ns + 6);
	mpq_set_ui(t3, s->rate_error_ppb, 500000000);
	mpq_canonicalize(t3);
	mpq_mul(t3, t3, stated_rate);
	set_u64(t1, w.delay);
	mpq_mul(t3, t3, t1);
	mpq_add(t4, t4, t3);
	if (mpq_cmp(t2, t4) > 0)
		die("the sample is not made use of");
}

static void keep_promise(const struct told *from)
{
	promise.tai_tsc = from->tai_tsc;
	promise.marker = from->marker;
	mpq_set(promise.low, from->low);
	mpq_set(promise.high, from->high);
	mpq_set(promise.low_rate, from->low_rate);
	mpq_set(promise.high_rate, from->high_rate);
	promised = true;
}

/* [PVROM-CLOCK-9] A page that is written anew first goes on by 2 more. */
static void judge_sequence(void)
{
	if (is.seq & 1 || (is.seq != was.seq + 2 && is.seq != was.seq + 4))
		die("the sequence did not go on");
}

/* Did the marker change, and was there a reason to? */
static bool judge_marker(const struct pvrom_clock_sample *s, bool forced, bool says)
{
	const bool changed = is.marker != was.marker;
	int wrong = -1;

	/* [PVROM-CLOCK-16] All before were less. */
	if (is.marker < was.marker)
		die("the marker came back");
	changes += changed;
	if (!forced && says && promised)
		wrong = rates_contradict() ? 1 : contradicts(s);
	if ((forced || wrong > 0) && !changed)
		die("the marker did not change");
	if (!forced && wrong < 0 && changed)
		die("the marker changed without a reason");
	return changed;
}

static void judge_flags(bool says)
{
	/* [PVROM-CLOCK-46] */
	if (is.time_type != w.knows_tai || (is.flags & 1) != w.knows_tai)
		die("the page calls UTC TAI, or TAI UTC");
	if (!promises(&is) != !says)
		die("the promise is not passed on");
	if (!says && is.flags & 0x50) /* [PVROM-CLOCK-15] */
		die("a guess is told with a bound");
}

/* The interval is inside the last promise too, if that is further back. */
static void judge_promise(const struct pvrom_clock_sample *s)
{
	judge_width(s, &promise);
	bounds(t1, t2, &promise, w.tsc + w.delay);
	bounds(t3, t4, &is, w.tsc + w.delay);
	if (mpq_cmp(t3, t1) < 0 || mpq_cmp(t4, t2) > 0)
		die("the interval reaches out of the last promise");
}

/* What a sample says that is wrong itself nobody can pass on rightly. */
static bool sample_lies(void)
{
	set_ns(t1, w.maxerror_ns);
	mpq_abs(t2, w.off);
	return mpq_cmp(t2, t1) > 0;
}

void judge(const struct pvrom_clock_sample *s, bool forced, uint64_t old_tsc, bool exact)
{
	const bool says = s->status == 2 || s->status == 3;
	bool changed;

	updates++;
	read_page(page, &is);
	judge_sequence();
	changed = judge_marker(s, forced, says);
	judge_mono(old_tsc, exact);
	if (changed)
		promised = w.lied = false;
	judge_flags(says);
	if (promises(&was) && promises(&is) && !changed)
		judge_containment();
	if (says && promised && !changed)
		judge_promise(s);
	if (says && sample_lies())
		w.lied = true;
	if (says && !w.lied)
		judge_truth();
	if (says)
		keep_promise(&is);
}

void next(void)
{
	was.seq = is.seq;
	was.marker = is.marker;
	was.flags = is.flags;
	was.status = is.status;
	was.mono_tsc = is.mono_tsc;
	was.tai_tsc = is.tai_tsc;
	was.suspended = is.suspended;
	was.generation = is.generation;
	mpq_set(was.mono, is.mono);
	mpq_set(was.mono_rate, is.mono_rate);
	mpq_set(was.low, is.low);
	mpq_set(was.high, is.high);
	mpq_set(was.low_rate, is.low_rate);
	mpq_set(was.high_rate, is.high_rate);
}
