/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Random histories of a host, and a judge in exact rational arithmetic who shares no code with the writer.
 *
 *	clock_histories COUNT [SEED]
 *	clock_histories --bugs		lists the seeded bugs (clock_bugs.h) that he should find
 *
 * PVROM_CLOCK_BUG=NAME in the environment switches one of these on.
 *
 * A history is a world (true time as a rational function of the guest's TSC, and a host whose clock is off by
 * so much) to which things happen: drift, slews, steps within and beyond the promised bound, TAI that gets known
 * and forgotten, TSC steps announced and not, pauses, migrations to hosts whose TSC runs up to half faster or slower, a host that loses and finds
 * its synchronisation, save and load. After each the judge looks at the page alone. TAP on standard output.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../pvclock/clock_bugs.h"
#include "clock_judge.h"

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

/* ---- the world --------------------------------------------------------------------------------- */

static struct pvrom_clock_writer writer;
static mpq_t t1, t2;

#define TAI_LESS_UTC 37

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
	s->flags = w.knows_tai ? PVROM_CLOCK_SAMPLE_OFFSET : 0;
	s->utc_offset_sec = w.knows_tai ? -TAI_LESS_UTC : 0;
	mpz_clears(z, sec, NULL);
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
	old_shift = (uint32_t)page_word(page, 0x214, 4);
	return old_shift == old_shift_before;
}

static void update(uint32_t flags, int64_t step)
{
	struct pvrom_clock_sample s;
	uint64_t old_tsc;

	sample(&s);
	s.flags |= flags;
	s.tsc_step = step;
	w.delay = below(3) ? below(10000) : 0;
	must(pvrom_clock_writer_update(&writer, &s));
	old_tsc = w.tsc + w.delay;
	if (flags & PVROM_CLOCK_SAMPLE_STEPPED)
		old_tsc -= (uint64_t)step;
	judge(&s, flags || w.another, old_tsc, same_shift());
	pass(w.delay);
	w.delay = 0;
	w.another = false;
	next();
}

/* What the host counts is TAI from now on, or UTC again: all that was promised is void. [PVROM-CLOCK-47] */
static void learn_tai(void)
{
	what = "TAI known or not";
	set_u64(t1, TAI_LESS_UTC);
	if (w.knows_tai)
		mpq_neg(t1, t1);
	mpq_add(w.time, w.time, t1);
	w.knows_tai = !w.knows_tai;
	w.another = promised;
	update(0, 0);
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
	if (page_word(page, 0x0c, 4) != page_word(before, 0x0c, 4) + 2)
		die("the sequence did not go on");
	if (page_word(page, 0x68, 8) == page_word(before, 0x68, 8))
		die("the generation counter did not change");
	memcpy(before + 0x0c, page + 0x0c, 4);
	memcpy(before + 0x68, page + 0x68, 8);
	if (memcmp(before, page, sizeof(page)))
		die("the functions changed");
	was.seq = (uint32_t)page_word(page, 0x0c, 4);
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
	case 14: learn_tai(); return;
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
	w.lied = promised = w.another = false;
	w.knows_tai = below(2);
	state_rate(below(2) ? rates[below(7)] : 1e7 + (double)below(UINT64_C(5000000000)));
	state_off(any_length(below(2) ? 31 : 37));
	config.rate_ticks = w.ticks;
	config.rate_ns = w.ns;
	config.slew_ns = below(2) ? 0 : any_length(34);
	must(pvrom_clock_writer_init(&writer, &config, 1));
	pvrom_clock_writer_attach(&writer, page);
	read_page(page, &was);
	old_shift = (uint32_t)page_word(page, 0x214, 4);
	sample(&s);
	must(pvrom_clock_writer_update(&writer, &s));
	judge(&s, false, w.tsc, same_shift());
	next();
}

/* One line for each seeded bug that histories should find. */
static int list_bugs(void)
{
#define BUG_LINE(NAME, number, by, name, text) { PVROM_CLOCK_BY_##by, name },
	static const struct {
		enum pvrom_clock_bug_finder by;
		const char *name;
	} bugs[] = { PVROM_CLOCK_BUG_TABLE(BUG_LINE) };
	size_t i;

	for (i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++)
		if (bugs[i].by == PVROM_CLOCK_BY_HISTORIES)
			puts(bugs[i].name);
	return 0;
}

static void plant(const char *wanted)
{
#define BUG_IF(NAME, number, by, name, text)                                                       \
	if (!strcmp(wanted, name))                                                                 \
		pvrom_clock_bug = number;
	PVROM_CLOCK_BUG_TABLE(BUG_IF)
	if (pvrom_clock_bug)
		return;
	fprintf(stderr, "clock_histories: no such bug: %s\n", wanted);
	exit(2);
}

int main(int argc, char **argv)
{
	const uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000;
	uint64_t n, i;

	if (argc > 1 && !strcmp(argv[1], "--bugs"))
		return list_bugs();
	if (getenv("PVROM_CLOCK_BUG"))
		plant(getenv("PVROM_CLOCK_BUG"));
	state = argc > 2 && strcmp(argv[2], "new") ? strtoull(argv[2], NULL, 0)
		: argc > 2			   ? (uint64_t)time(NULL)
						   : 1;
	printf("TAP version 13\n1..1\n# seed %" PRIu64 "\n", state);
	judge_init();
	mpq_inits(t1, t2, NULL);
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
