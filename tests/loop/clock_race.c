/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Readers that race with a writer who updates as fast as it can: no read mixes two updates, none is less than one
 * that was finished before, on whatever threads. And the same with seeded bugs (clock_bugs.h), which must be found.
 *
 *	clock_race READS [THREADS]
 *
 * Each update is a migration to a host whose TSC runs half as fast or half again as fast, with another time,
 * offset, leap second, bound, status and marker; all of them are made from the update's number, so that a
 * reading tells by itself whether it is whole. TAP on standard output.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pvrom/clock_guest.h>
#include <pvrom/clock_host.h>

#include "../../pvclock/clock_bugs.h"

#define THREADS_MAX 64
/* Seconds of TAI between two updates; a reading is never so old. */
#define STRIDE 1000
/* A seeded bug is looked for so long, in seconds. */
#define PATIENCE 60

static uint64_t hz;
static uint8_t page[PVROM_CLOCK_PAGE_SIZE] __attribute__((aligned(4096)));
static struct pvrom_vcpu_area area;
static uint64_t made[PVROM_COUNTER_COUNT];
static struct pvrom_clock_writer writer;
/* Each in a line of its own. */
static struct {
	uint64_t ns;
	uint64_t fill[7];
} latest __attribute__((aligned(64)));
static struct {
	bool stop;
	uint64_t fill[7];
} end __attribute__((aligned(64)));

static uint64_t rdtsc(void *ctx)
{
	uint64_t zero;

	(void)ctx;
	return pvrom_clock_tsc_(&zero);
}

static bool stopped(void)
{
	return __atomic_load_n(&end.stop, __ATOMIC_RELAXED);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the writer -------------------------------------------------------------------------------- */

static uint64_t updates;

/* What update n says; n is its leap second's day. */
static struct pvrom_clock_sample sample(uint64_t n)
{
	return (struct pvrom_clock_sample){
		.tsc = rdtsc(NULL),
		.tai_sec = n * STRIDE,
		.maxerror_ns = n % 1000 * 1000000,
		.rate_ticks = hz / 2 * (1 + n % 3),
		.rate_ns = 1000000000,
		.rate_error_ppb = 1000,
		.status = PVROM_CLOCK_SYNCHRONIZED + (uint32_t)(n & 1),
		.flags = PVROM_CLOCK_SAMPLE_OFFSET | PVROM_CLOCK_SAMPLE_DISRUPTED,
		.smearing = (uint8_t)(n % 3),
		.leap_utc_sec = (int64_t)n * 86400,
		.utc_offset_sec = (int32_t)(n % 10000),
		.leap_sign = 1,
	};
}

static void update(void)
{
	const struct pvrom_clock_sample s = sample(++updates);
	const struct pvrom_clock_vcpu_times times = { .tsc = updates,
						      .stolen_ns = updates,
						      .halted_ns = updates,
						      .fresh_ns = updates,
						      .state = (uint32_t)updates % 3 };

	if (pvrom_clock_writer_update(&writer, &s) != PVROM_CLOCK_OK)
		abort();
	made[0] = made[PVROM_COUNTER_CLOCK] = made[PVROM_COUNTER_COUNT - 1] = updates;
	pvrom_clock_vcpu_write(&area, updates, &times, made);
}

static void *write_on(void *ctx)
{
	(void)ctx;
	while (!stopped())
		update();
	return NULL;
}

static void set_up(void)
{
	const struct pvrom_clock_config config = { .tsc = rdtsc,
						   .rate_ticks = hz,
						   .rate_ns = 1000000000 };

	memset(page, 0, sizeof(page));
	memset(&area, 0, sizeof(area));
	updates = 0;
	latest.ns = 0;
	end.stop = false;
	if (pvrom_clock_writer_init(&writer, &config, 1) != PVROM_CLOCK_OK)
		abort();
	pvrom_clock_writer_attach(&writer, page);
	update();
}

/* ---- readers ----------------------------------------------------------------------------------- */

struct reader {
	pthread_t thread;
	uint64_t wanted, reads, torn, back, unavailable, worst;
	bool patient; /* stops at the first thing that is wrong */
};

/* Is all of it of one update? */
static bool whole(const struct pvrom_clock_reading *r, uint64_t marker_before)
{
	const uint64_t n = (uint64_t)r->leap_utc_sec / 86400;

	return r->leap_utc_sec == (int64_t)n * 86400 && n && r->marker == n + 1 &&
	       r->tai_sec - n * STRIDE < STRIDE - 1 && r->tai_nsec < 1000000000 &&
	       r->status == PVROM_CLOCK_SYNCHRONIZED + (n & 1) && r->smearing == n % 3 &&
	       r->maxerror_ns - n % 1000 * 1000000 < 100000000 &&
	       r->utc_offset_sec == (int32_t)(n % 10000) && r->leap_sign == 1 && r->offset_known &&
	       r->disrupted == (marker_before && r->marker != marker_before);
}

static bool whole_area(const struct pvrom_clock_vcpu_reading *r)
{
	return r->tsc == r->real_ns && r->tsc == r->stolen_ns && !r->available_ns &&
	       r->tsc == r->halted_ns && r->tsc == r->fresh_ns && r->state == (uint32_t)r->tsc % 3;
}

/* Not less than what anybody had finished to read before this read began. */
static void compare(struct reader *reader, uint64_t floor, uint64_t ns)
{
	uint64_t now = floor;

	if (ns < floor) {
		reader->back++;
		if (floor - ns > reader->worst)
			reader->worst = floor - ns;
	}
	while (ns > now && !__atomic_compare_exchange_n(&latest.ns, &now, ns, true,
							__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
}

static void read_time(struct reader *reader)
{
	const uint64_t floor = __atomic_load_n(&latest.ns, __ATOMIC_ACQUIRE);
	const uint64_t ns =
		pvrom_clock_page_monotonic((const struct pvrom_clock_page *)(void *)page);

	if (ns == PVROM_CLOCK_NONE)
		reader->unavailable++;
	else
		compare(reader, floor, ns);
}

static void read_all(struct reader *reader, struct pvrom_clock_reading *r)
{
	const uint64_t floor = __atomic_load_n(&latest.ns, __ATOMIC_ACQUIRE);
	const uint64_t marker = r->marker;

	if (pvrom_clock_page_read((const struct pvrom_clock_page *)(void *)page, r) ==
	    PVROM_CLOCK_UNAVAILABLE) {
		reader->unavailable++;
		return;
	}
	reader->torn += !whole(r, marker);
	compare(reader, floor, r->monotonic_ns);
}

/* [PVROM-CLOCK-49] */
static void read_calls(struct reader *reader)
{
	struct pvrom_clock_vcpu_calls c;

	if (pvrom_clock_vcpu_calls(&area, &c))
		reader->torn += c.made[0] != c.tsc || c.made[PVROM_COUNTER_CLOCK] != c.tsc ||
				c.made[PVROM_COUNTER_COUNT - 1] != c.tsc;
	else
		reader->unavailable++;
}

static void read_area(struct reader *reader)
{
	struct pvrom_clock_vcpu_reading r;

	if (pvrom_clock_vcpu_read(&area, &r))
		reader->torn += !whole_area(&r);
	else
		reader->unavailable++;
}

static void *read_on(void *ctx)
{
	struct pvrom_clock_reading r = { .marker = 0 };
	struct reader *reader = ctx;

	for (; reader->reads < reader->wanted; reader->reads++) {
		if (reader->reads % 64 == 31)
			read_calls(reader);
		else if (reader->reads % 16 == 15)
			read_area(reader);
		else if (reader->reads & 1)
			read_all(reader, &r);
		else
			read_time(reader);
		if (reader->patient && (reader->torn || reader->back || stopped()))
			break;
	}
	return NULL;
}

/* ---- runs -------------------------------------------------------------------------------------- */

static uint32_t threads = 2;
static uint32_t line;

static struct reader run(uint64_t reads, bool patient)
{
	static struct reader readers[THREADS_MAX];
	struct reader sum = { .wanted = reads };
	pthread_t thread;
	uint32_t i;

	set_up();
	memset(readers, 0, sizeof(readers));
	pthread_create(&thread, NULL, write_on, NULL);
	for (i = 0; i < threads; i++) {
		readers[i].wanted = reads / threads;
		readers[i].patient = patient;
		pthread_create(&readers[i].thread, NULL, read_on, &readers[i]);
	}
	for (i = 0; i < threads; i++) {
		pthread_join(readers[i].thread, NULL);
		sum.reads += readers[i].reads;
		sum.torn += readers[i].torn;
		sum.back += readers[i].back;
		sum.unavailable += readers[i].unavailable;
		if (readers[i].worst > sum.worst)
			sum.worst = readers[i].worst;
	}
	__atomic_store_n(&end.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return sum;
}

static int result(bool good, const char *name)
{
	printf("%s %u - %s\n", good ? "ok" : "not ok", ++line, name);
	return !good;
}

static void figures(const struct reader *sum)
{
	printf("# %" PRIu64 " reads on %u threads, %" PRIu64 " updates meanwhile: %" PRIu64
	       " torn, %" PRIu64 " back (at most %" PRIu64 " ns), %" PRIu64 " gave up\n",
	       sum->reads, threads, updates, sum->torn, sum->back, sum->worst, sum->unavailable);
	fflush(stdout);
}

/* Reads that gave up are right, but if all did nothing was tested. [PVROM-CLOCK-1] [PVROM-CLOCK-9]
 * [PVROM-CLOCK-10] [PVROM-CLOCK-20] */
static int good_writer(uint64_t reads)
{
	const double begin = seconds();
	const struct reader sum = run(reads, false);
	int failed;

	failed = result(!sum.torn, "no read mixes two updates, or two hosts");
	failed += result(!sum.back, "no read is less than one that was finished before");
	failed += result(sum.reads >= reads / threads * threads &&
				 sum.unavailable < sum.reads / 100 && updates > 1000,
			 "the writer updates and the readers read");
	figures(&sum);
	printf("# %.1f s\n", seconds() - begin);
	return failed;
}

/* Each as often as it takes. */
static int seeded_bug(uint32_t number, const char *name)
{
	const double begin = seconds();
	struct reader sum;
	char what[80];

	pvrom_clock_bug = number;
	do
		sum = run(1000000, true);
	while (!sum.torn && !sum.back && seconds() - begin < PATIENCE);
	pvrom_clock_bug = 0;
	snprintf(what, sizeof(what), "planted: %s", name);
	number = (uint32_t)result(sum.torn || sum.back, what);
	figures(&sum);
	return (int)number;
}

static int seeded_bugs(void)
{
	static const struct {
		enum pvrom_clock_bug_finder by;
		uint32_t number;
		const char *name;
	} bugs[] = {
#define BUG_LINE(NAME, number, by, name, text) { PVROM_CLOCK_BY_##by, number, name },
		PVROM_CLOCK_BUG_TABLE(BUG_LINE)
	};
	int failed = 0;
	size_t i;

	for (i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++)
		if (bugs[i].by == PVROM_CLOCK_BY_RACE)
			failed += seeded_bug(bugs[i].number, bugs[i].name);
	return failed;
}

/* ---- does the TSC do for this? --------------------------------------------------------------------- */

static void *read_tsc(void *ctx)
{
	struct reader *reader = ctx;

	for (; reader->reads < reader->wanted; reader->reads++) {
		const uint64_t floor = __atomic_load_n(&latest.ns, __ATOMIC_ACQUIRE);

		compare(reader, floor, rdtsc(NULL));
	}
	return NULL;
}

/* Also how quick it is. */
static bool tsc_agrees(void)
{
	static struct reader readers[THREADS_MAX];
	const double begin = seconds();
	const uint64_t before = rdtsc(NULL);
	uint64_t back = 0;
	uint32_t i;

	memset(readers, 0, sizeof(readers));
	for (i = 0; i < threads; i++) {
		readers[i].wanted = 1000000;
		pthread_create(&readers[i].thread, NULL, read_tsc, &readers[i]);
	}
	for (i = 0; i < threads; i++) {
		pthread_join(readers[i].thread, NULL);
		back += readers[i].back;
	}
	hz = (uint64_t)((double)(rdtsc(NULL) - before) / (seconds() - begin));
	return !back;
}

int main(int argc, char **argv)
{
	const uint64_t reads = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;
	int failed;

	if (argc > 2)
		threads = (uint32_t)strtoul(argv[2], NULL, 0);
	if (threads < 2 || threads > THREADS_MAX)
		return 2;
	printf("TAP version 13\n");
	if (!tsc_agrees()) {
		printf("1..0 # SKIP the TSCs of this machine's processors do not agree\n");
		return 0;
	}
	printf("1..6\n");
	failed = good_writer(reads);
	failed += seeded_bugs();
	return failed != 0;
}
