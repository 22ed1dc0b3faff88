/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the host knows of time, with its error bound: the kernel's TAI clock at one TSC value, and
 * what adjtimex() says of it (adjtimex(2); the fields are those of RFC 5905's kernel interface).
 */
#include "guest_clock.h"

#include <sys/timex.h>
#include <time.h>
#include <x86intrin.h>

#define NS 1000000000ull
#define DAY 86400
#define PAIRS 5
/* TAI was 10 s ahead of UTC when that began, in 1972: less has a kernel that was never told, and only counts leap
 * seconds. Its CLOCK_TAI is none. */
#define TAI_LEAST 10
/* The kernel lets its own bound grow by as much a second: MAXFREQ of its NTP code. */
#define KERNEL_PPB 500000u
/* A rate that was never compared with the clock: what a calibration against a PIT may be wrong by. */
#define UNTRIED_PPB 1000000u
/* A rate is taken from two samples so far apart at least. */
#define RATE_NS (NS / 2)

static uint64_t ns_of(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * NS + (uint64_t)time->tv_nsec;
}

struct pair {
	uint64_t tsc, tai_ns, width;
};

/* The clock between two readings of the TSC; of some, the one that was disturbed least. */
static struct pair read_pair(void)
{
	struct pair best = { .width = UINT64_MAX };
	struct timespec tai;

	for (unsigned int i = 0; i < PAIRS; i++) {
		uint64_t before, after;
		unsigned int cpu;

		before = __rdtscp(&cpu);
		clock_gettime(CLOCK_TAI, &tai);
		after = __rdtscp(&cpu);
		if (after - before < best.width)
			best = (struct pair){ before + (after - before) / 2, ns_of(&tai),
					      after - before };
	}
	return best;
}

/*
 * The rate since the sample before, if that is far enough away and the clock was not set meanwhile (a rate that
 * is more than 500 ppm off the one of before was made by setting it); else the one of before.
 */
static void note_rate(struct host_clock *clock, const struct pair *now)
{
	uint64_t ticks = now->tsc - clock->last_tsc, ns = now->tai_ns - clock->last_ns;
	double was = (double)clock->rate_ticks / (double)clock->rate_ns;
	double is = (double)ticks / (double)ns;

	if (clock->last_tsc != 0 && ns < RATE_NS)
		return;
	if (clock->last_tsc != 0 && now->tai_ns > clock->last_ns && is > was * 0.9995 &&
	    is < was * 1.0005) {
		clock->rate_ticks = ticks;
		clock->rate_ns = ns;
		clock->rate_ppb = KERNEL_PPB;
	}
	clock->last_tsc = now->tsc;
	clock->last_ns = now->tai_ns;
}

/*
 * The leap second of today's end: the kernel is told a day before, inserts it itself, then counts a second
 * more of TAI - UTC, and waits until it is no longer told, may that last for days.
 */
static void note_leap(struct host_clock *clock, struct pvrom_clock_sample *sample,
		      const struct timex *state, int result)
{
	int64_t today = ((int64_t)sample->tai_sec - state->tai) / DAY * DAY, leap = today + DAY;
	bool done = result == TIME_OOP || result == TIME_WAIT;

	sample->utc_offset_sec = -state->tai;
	if (!(state->status & (STA_INS | STA_DEL)))
		return;
	if (result == TIME_WAIT)
		leap = clock->leap_utc_sec != 0 ? clock->leap_utc_sec : today;
	else if (result != TIME_ERROR) /* which hides whether it has come */
		clock->leap_utc_sec = leap;
	sample->leap_sign = state->status & STA_INS ? 1 : -1;
	sample->leap_utc_sec = leap;
	if (done)
		sample->utc_offset_sec += sample->leap_sign;
}

void host_clock_start(struct host_clock *clock, uint64_t tsc_khz)
{
	*clock = (struct host_clock){
		.rate_ticks = tsc_khz,
		.rate_ns = NS / 1000,
		.rate_ppb = UNTRIED_PPB,
	};
}

/* A sample for a guest whose TSC is the host's plus `offset`: of TAI, or of UTC where the kernel was not told TAI. */
struct pvrom_clock_sample host_clock_sample(struct host_clock *clock, uint64_t offset)
{
	struct timex state = { 0 };
	int result = adjtimex(&state);
	struct pair now = read_pair();
	bool lost = result < 0 || result == TIME_ERROR || (state.status & STA_UNSYNC);
	bool knows_tai = state.tai >= TAI_LEAST;
	struct pvrom_clock_sample sample;

	note_rate(clock, &now);
	if (!knows_tai)
		now.tai_ns -= (uint64_t)(state.tai * (int64_t)NS);
	sample = (struct pvrom_clock_sample){
		.tsc = now.tsc + offset,
		.tai_sec = now.tai_ns / NS,
		.tai_frac_sec = pvrom_clock_frac((uint32_t)(now.tai_ns % NS)),
		/* The width of the pair is in ticks; a tick is less than a nanosecond, or little more. */
		.maxerror_ns = (uint64_t)state.maxerror * 1000 +
			       now.width * clock->rate_ns / clock->rate_ticks + 1,
		.rate_ticks = clock->rate_ticks,
		.rate_ns = clock->rate_ns,
		.rate_error_ppb = clock->rate_ppb,
		.status = lost ? PVROM_CLOCK_UNRELIABLE : PVROM_CLOCK_SYNCHRONIZED,
	};
	if (knows_tai) {
		sample.flags |= PVROM_CLOCK_SAMPLE_OFFSET;
		note_leap(clock, &sample, &state, result);
	}
	return sample;
}
