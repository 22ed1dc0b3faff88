/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Random histories of a host, and a judge in exact rational arithmetic who shares no code with the writer.
 *
 *	clock_histories COUNT [SEED]
 *
 * A history is a world (true time as a rational function of the guest's TSC, and a host whose clock is off by
 * so much) to which things happen: drift, slews, steps within and beyond the promised bound, TSC steps announced
 * and not, pauses, migrations to hosts whose TSC runs up to half faster or slower, a host that loses and finds
 * its synchronisation, save and load. After each the judge looks at the page alone. TAP on standard output.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gmp.h>

#include <pvrom/clock_host.h>

/* ---- chance ------------------------------------------------------------------------------------ */

static uint64_t state;

static uint64_t random64(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t below(uint64_t n)
{
	return random64() % n;
}

/* About as often of each length: 1 to 2^bits. */
static uint64_t any_length(unsigned int bits)
{
	return (random64() >> (64 - 1 - below(bits))) + 1;
}

/* ---- rationals --------------------------------------------------------------------------------- */

static void set_u64(mpq_t q, uint64_t value)
{
	mpq_set_ui(q, value, 1);
}

/* q = value / 2^shift */
static void set_scaled(mpq_t q, uint64_t value, unsigned int shift)
{
	mpq_set_ui(q, value, 1);
	mpq_div_2exp(q, q, shift);
}

static void set_ns(mpq_t q, uint64_t ns)
{
	mpq_set_ui(q, ns, 1000000000);
	mpq_canonicalize(q);
}

/* ---- what the page says ------------------------------------------------------------------------ */

struct told {
	uint32_t seq;
	uint64_t marker, flags, generation, suspended;
	uint8_t status;
	uint64_t mono_tsc, tai_tsc;
	unsigned int mono_shift;
	mpq_t mono, mono_rate;	   /* ns at mono_tsc; ns a tick */
	mpq_t low, high;	   /* bounds of TAI at tai_tsc, s */
	mpq_t low_rate, high_rate; /* s a tick */
};

static void told_init(struct told *t)
{
	mpq_inits(t->mono, t->mono_rate, t->low, t->high, t->low_rate, t->high_rate, NULL);
}

/* The page as plain words at the offsets of the specification. */
static uint64_t word(const uint8_t *page, unsigned int at, unsigned int size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | page[at + size];
	return value;
}

static void read_page(const uint8_t *page, struct told *t)
{
	const unsigned int shift = 64 + (unsigned int)word(page, 0x27, 1);
	const unsigned int mono_shift = (unsigned int)word(page, 0x214, 4);
	mpq_t a, b;

	mpq_inits(a, b, NULL);
	t->seq = (uint32_t)word(page, 0x0c, 4);
	t->marker = word(page, 0x10, 8);
	t->flags = word(page, 0x18, 8);
	t->status = page[0x22];
	t->generation = word(page, 0x68, 8);
	t->suspended = word(page, 0x238, 8);
	t->mono_shift = mono_shift;
	t->mono_tsc = word(page, 0x218, 8);
	t->tai_tsc = word(page, 0x28, 8);
	set_scaled(t->mono_rate, word(page, 0x220, 8), mono_shift);
	set_u64(a, word(page, 0x228, 8));
	set_scaled(t->mono, word(page, 0x230, 8), mono_shift);
	mpq_add(t->mono, t->mono, a);

	set_u64(a, word(page, 0x48, 8));
	set_scaled(b, word(page, 0x50, 8), 64);
	mpq_add(a, a, b);
	set_ns(b, word(page, 0x60, 8));
	mpq_sub(t->low, a, b);
	mpq_add(t->high, a, b);
	set_scaled(a, word(page, 0x30, 8), shift);
	set_scaled(b, word(page, 0x40, 8), shift);
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
static void along(mpq_t out, const mpq_t at, const mpq_t rate, uint64_t ticks)
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

/* ---- the world --------------------------------------------------------------------------------- */

static struct world {
	uint64_t tsc;	    /* the guest's, now */
	uint64_t delay;	    /* ticks from a sample to the writer's own reading */
	mpq_t time;	    /* true TAI at tsc, s */
	mpq_t rate;	    /* true, s a tick */
	mpq_t off;	    /* of the host's clock, s */
	mpq_t least_off;    /* the bound within which a truthful host keeps it: maxerror_ns */
	uint64_t ticks, ns; /* the rate that the host states */
	uint32_t ppb;
	uint64_t maxerror_ns;
	uint32_t status;
	bool lied; /* since the marker changed, some promise was false */
} w;

static struct pvrom_clock_writer writer;
static uint8_t page[PVROM_CLOCK_PAGE_SIZE] __attribute__((aligned(64)));
static struct told was, is;
static mpq_t t1, t2, t3, t4, stated_rate;
static uint64_t histories, updates, changes;
static const char *what;

static uint64_t tsc(void *ctx)
{
	(void)ctx;
	return w.tsc + w.delay;
}

/* The host states a rate near the true one: within ppb / 2 of it, with that half to spare for drift. */
static void state_rate(double hz)
{
	w.ns = 1000000000 + below(1000);
	w.ticks = (uint64_t)(hz * (double)w.ns / 1e9);
	w.ppb = 10 + (uint32_t)below(1000000);
	if (!below(4))
		w.ppb = 10 + (uint32_t)below(100);
	mpq_set_ui(stated_rate, w.ns, w.ticks);
	mpq_canonicalize(stated_rate);
	set_ns(t1, 1);
	mpq_mul(stated_rate, stated_rate, t1);
	/* true = stated * (1 + x), |x| <= ppb / 2 */
	mpq_set_si(t1, (long)below(w.ppb + 1) - (long)(w.ppb / 2), 1000000000);
	mpq_canonicalize(t1);
	set_u64(t2, 1);
	mpq_add(t1, t1, t2);
	mpq_mul(w.rate, stated_rate, t1);
}

/* The host's clock is off by anything up to its bound. */
static void state_off(uint64_t maxerror_ns)
{
	w.maxerror_ns = maxerror_ns;
	set_ns(w.off, below(maxerror_ns + 1));
	if (below(2))
		mpq_neg(w.off, w.off);
}

static void pass(uint64_t ticks)
{
	if (ticks > UINT64_MAX / 4 - w.tsc)
		return;
	along(w.time, w.time, w.rate, ticks);
	w.tsc += ticks;
}

/* The host's clock as a sample has it: seconds and 2^-64 s, cut off, within the bound all the same. */
static void sample(struct pvrom_clock_sample *s)
{
	mpz_t z, sec;

	mpz_inits(z, sec, NULL);
	memset(s, 0, sizeof(*s));
	mpq_add(t1, w.time, w.off);
	mpq_mul_2exp(t1, t1, 64);
	mpz_fdiv_q(z, mpq_numref(t1), mpq_denref(t1));
	mpz_fdiv_q_2exp(sec, z, 64);
	mpz_fdiv_r_2exp(z, z, 64);
	s->tsc = w.tsc;
	s->tai_sec = mpz_get_ui(sec);
	s->tai_frac_sec = mpz_get_ui(z);
	s->maxerror_ns = w.maxerror_ns + 1; /* what was cut off */
	s->rate_ticks = w.ticks;
	s->rate_ns = w.ns;
	s->rate_error_ppb = w.ppb;
	s->status = w.status;
	mpz_clears(z, sec, NULL);
}

/* ---- the judge --------------------------------------------------------------------------------- */

static void die(const char *why)
{
	printf("not ok 1 - %s: %s\n# history %" PRIu64 ", update %" PRIu64 "\n", what, why,
	       histories, updates);
	printf("# %.18g %.18g %.18g %.18g\n", mpq_get_d(t1), mpq_get_d(t2), mpq_get_d(t3),
	       mpq_get_d(t4));
	exit(1);
}

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

/* From the base on the new interval lies inside the old: there, and its bounds do not run out of it. */
static void judge_containment(void)
{
	bounds(t1, t2, &was, w.tsc + w.delay);
	bounds(t3, t4, &is, w.tsc + w.delay);
	if (mpq_cmp(t3, t1) < 0 || mpq_cmp(t4, t2) > 0)
		die("the new interval reaches out of the old one");
	if (mpq_cmp(is.low_rate, was.low_rate) < 0 || mpq_cmp(is.high_rate, was.high_rate) > 0)
		die("the new interval will reach out of the old one");
}

/* The truth is in the interval, unless a promise was false. */
static void judge_truth(void)
{
	bounds(t1, t2, &is, w.tsc + w.delay);
	along(t3, w.time, w.rate, w.delay);
	if (mpq_cmp(t3, t1) < 0 || mpq_cmp(t3, t2) > 0)
		die("true time is not in the interval");
}

/* Must the marker change because the sample has nothing in common with the promise? By 3 ns, 0 if neither
 * answer would be wrong. */
static int contradicts(const struct pvrom_clock_sample *s, const struct told *promise)
{
	int result = 0;
	mpq_t low, high, n;

	mpq_inits(low, high, n, NULL);
	bounds(t1, t2, promise, w.tsc + w.delay);
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
static bool rates_contradict(const struct told *promise)
{
	bool result;
	mpq_t low, high, n;

	mpq_inits(low, high, n, NULL);
	mpq_set_ui(n, w.ppb, 1000000000);
	mpq_canonicalize(n);
	mpq_mul(n, n, stated_rate);
	mpq_add(high, stated_rate, n);
	mpq_sub(low, stated_rate, n);
	result = mpq_cmp(high, promise->low_rate) < 0 || mpq_cmp(low, promise->high_rate) > 0;
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

/* The last page that promised anything: a promise outlives a time without one. */
static struct told promise;
static bool promised;

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

/* After an update with sample s. forced: the marker must change; old_tsc: the same moment by the old TSC. */
static void judge(const struct pvrom_clock_sample *s, bool forced, uint64_t old_tsc, bool exact)
{
	const bool says = s->status == 2 || s->status == 3;
	bool changed;
	int wrong = -1;

	updates++;
	read_page(page, &is);
	if (is.seq & 1 || is.seq == was.seq)
		die("the sequence did not go on");
	changed = is.marker != was.marker;
	changes += changed;
	if (!forced && says && promised)
		wrong = rates_contradict(&promise) ? 1 : contradicts(s, &promise);
	if ((forced || wrong > 0) && !changed)
		die("the marker did not change");
	if (!forced && wrong < 0 && changed)
		die("the marker changed without a reason");
	judge_mono(old_tsc, exact);
	if (changed)
		promised = w.lied = false;
	if (!promises(&is) != !says)
		die("the promise is not passed on");
	if (promises(&was) && promises(&is) && !changed)
		judge_containment();
	if (says && promised && !changed) {
		judge_width(s, &promise);
		/* inside the last promise too, if that is further back */
		bounds(t1, t2, &promise, w.tsc + w.delay);
		bounds(t3, t4, &is, w.tsc + w.delay);
		if (mpq_cmp(t3, t1) < 0 || mpq_cmp(t4, t2) > 0)
			die("the interval reaches out of the last promise");
	}
	set_ns(t1, w.maxerror_ns);
	mpq_abs(t2, w.off);
	if (says && mpq_cmp(t2, t1) > 0)
		w.lied = true;
	if (says && !w.lied)
		judge_truth();
	if (says)
		keep_promise(&is);
}

static void next(void)
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

/* ---- what happens ------------------------------------------------------------------------------ */

static void must(enum pvrom_clock_result result)
{
	if (result != PVROM_CLOCK_OK)
		die("the writer refuses");
}

static uint32_t old_shift, old_shift_before;

static bool same_shift(void)
{
	old_shift_before = old_shift;
	old_shift = (uint32_t)word(page, 0x214, 4);
	return old_shift == old_shift_before;
}

static void update(uint32_t flags, int64_t step)
{
	struct pvrom_clock_sample s;
	uint64_t old_tsc;

	sample(&s);
	s.flags = flags;
	s.tsc_step = step;
	w.delay = below(3) ? below(10000) : 0;
	must(pvrom_clock_writer_update(&writer, &s));
	old_tsc = w.tsc + w.delay;
	if (flags & PVROM_CLOCK_SAMPLE_STEPPED)
		old_tsc -= (uint64_t)step;
	judge(&s, flags, old_tsc, same_shift());
	pass(w.delay);
	w.delay = 0;
	next();
}

/* The TSC was moved, and the embedder saw it. */
static void announced_step(void)
{
	int64_t step = (int64_t)any_length(40);

	what = "announced TSC step";
	if (below(2) && (uint64_t)step < w.tsc)
		step = -step;
	w.tsc += (uint64_t)step;
	update(PVROM_CLOCK_SAMPLE_STEPPED, step);
}

/* The TSC went back, and nobody said so: monotonic time goes on from the last value that is known. */
static void unseen_step(void)
{
	struct pvrom_clock_sample s;
	const uint64_t last = writer.last_tsc;

	what = "TSC back";
	if (last < 2)
		return;
	w.tsc = below(last); /* less far, nobody could know */
	sample(&s);
	must(pvrom_clock_writer_update(&writer, &s));
	judge(&s, true, last, same_shift());
	next();
}

static void migrate(void)
{
	struct pvrom_clock_sample s;
	double hz;
	uint64_t old_tsc = w.tsc;
	uint64_t down;

	what = "migration";
	must(pvrom_clock_writer_pause(&writer));
	/* The time of the pause, in seconds, passes without the guest's TSC. */
	down = any_length(34);
	set_ns(t1, down);
	mpq_add(w.time, w.time, t1);
	hz = (double)w.ticks / (double)w.ns * 1e9 * (0.5 + (double)below(1001) / 1000);
	if (hz < 2e6)
		hz = 2e6;
	if (hz > 17e9)
		hz = 17e9;
	state_rate(hz);
	state_off(any_length(31));
	if (below(2))
		w.tsc = below(3) ? any_length(60) : w.tsc / 2;
	sample(&s);
	must(pvrom_clock_writer_resume(&writer, &s, false));
	judge(&s, true, old_tsc, same_shift());
	if (is.suspended < was.suspended)
		die("suspended time goes back");
	next();
}

/* Away and back on the same host, to the last bit the same functions. */
static void save_load(void)
{
	uint8_t image[PVROM_CLOCK_IMAGE_SIZE], before[PVROM_CLOCK_PAGE_SIZE];
	struct pvrom_clock_writer other;

	what = "save and load";
	must(pvrom_clock_writer_pause(&writer));
	pvrom_clock_writer_save(&writer, image);
	memcpy(before, page, sizeof(page));
	other = writer;
	must(pvrom_clock_writer_init(&writer, &other.config, 1));
	must(pvrom_clock_writer_load(&writer, image, sizeof(image)));
	writer.page = (struct pvrom_clock_page *)(void *)page;
	pass(any_length(34));
	must(pvrom_clock_writer_resume(&writer, NULL, true));
	if (word(page, 0x0c, 4) != word(before, 0x0c, 4) + 2)
		die("the sequence did not go on");
	if (word(page, 0x68, 8) == word(before, 0x68, 8))
		die("the generation counter did not change");
	memcpy(before + 0x0c, page + 0x0c, 4);
	memcpy(before + 0x68, page + 0x68, 8);
	if (memcmp(before, page, sizeof(page)))
		die("the functions changed");
	was.seq = (uint32_t)word(page, 0x0c, 4);
}

/* The true rate is another now: was that promised? */
static void rate_changed(void)
{
	if (promised &&
	    (mpq_cmp(w.rate, promise.low_rate) < 0 || mpq_cmp(w.rate, promise.high_rate) > 0))
		w.lied = true;
}

static void one_event(void)
{
	what = "update";
	pass(any_length(below(4) ? 32 : 42));
	switch (below(32)) {
	case 0: announced_step(); return;
	case 1: unseen_step(); return;
	case 2:
	case 3: migrate(); return;
	case 4: save_load(); return;
	case 5:
		what = "disruption";
		update(PVROM_CLOCK_SAMPLE_DISRUPTED, 0);
		return;
	case 6:
	case 7: /* a step of the host's clock, mostly beyond what it promises */
		what = "host step";
		set_ns(t1, any_length(34));
		if (below(2))
			mpq_neg(t1, t1);
		mpq_add(w.off, w.off, t1);
		break;
	case 8: w.status = (uint32_t)below(5); break;
	case 9: w.status = 2 + (uint32_t)below(2); break;
	case 10: /* the host's clock is set right */
	case 11: state_off(any_length(31)); break;
	case 12:
		state_rate((double)w.ticks / (double)w.ns * 1e9);
		rate_changed();
		break;
	case 13: /* the rate the host states changes a little: within, or out of, what it promised */
		w.ticks += below(w.ticks / 1000) - w.ticks / 2000;
		mpq_set_ui(stated_rate, w.ns, w.ticks);
		mpq_canonicalize(stated_rate);
		set_ns(t1, 1);
		mpq_mul(stated_rate, stated_rate, t1);
		mpq_set(w.rate, stated_rate);
		rate_changed();
		break;
	default: /* slews within the bound */ state_off(w.maxerror_ns);
	}
	update(0, 0);
}

static void begin(void)
{
	static const uint64_t seconds[] = { 0,
					    1700000000,
					    UINT64_C(0x7fffffff),
					    UINT64_C(0xffffffff),
					    UINT64_C(9223372036),
					    UINT64_C(1) << 40 };
	static const double rates[] = { 1e6 * 1.1, 1e9, 2.5e9, 5e9, 17e9, 999999999, 2147483648.0 };
	struct pvrom_clock_config config = { .tsc = tsc };
	struct pvrom_clock_sample s;

	histories++;
	what = "beginning";
	set_u64(w.time, seconds[below(6)] + 10 + below(1000000));
	w.tsc = below(4) ? any_length(62) : 0;
	w.delay = 0;
	w.status = 2 + (uint32_t)below(2);
	w.lied = promised = false;
	state_rate(below(2) ? rates[below(7)] : 1e7 + (double)below(UINT64_C(5000000000)));
	state_off(any_length(31));
	config.rate_ticks = w.ticks;
	config.rate_ns = w.ns;
	config.slew_ns = below(2) ? 0 : any_length(34);
	must(pvrom_clock_writer_init(&writer, &config, 1));
	pvrom_clock_writer_attach(&writer, page);
	read_page(page, &was);
	old_shift = (uint32_t)word(page, 0x214, 4);
	sample(&s);
	must(pvrom_clock_writer_update(&writer, &s));
	judge(&s, false, w.tsc, same_shift());
	next();
}

int main(int argc, char **argv)
{
	const uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000;
	uint64_t n, i;

	state = argc > 2 && strcmp(argv[2], "new") ? strtoull(argv[2], NULL, 0)
		: argc > 2			   ? (uint64_t)time(NULL)
						   : 1;
	printf("TAP version 13\n1..1\n# seed %" PRIu64 "\n", state);
	told_init(&was);
	told_init(&is);
	told_init(&promise);
	mpq_inits(t1, t2, t3, t4, stated_rate, w.time, w.rate, w.off, w.least_off, NULL);
	for (n = 0; n < count; n++) {
		begin();
		for (i = 2 + below(10); i; i--)
			one_event();
	}
	printf("ok 1 - %" PRIu64 " random host histories: %" PRIu64 " updates, %" PRIu64
	       " changes of the marker, 0 violations\n",
	       histories, updates, changes);
	return 0;
}
