/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Limits on a clock that the test moves: exact to 1 % over any mixture, bursts, groups, counters.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blk_cases.h"
#include "blk_world.h"

#define SECOND 1000000000ull

static const struct pvrom_rate none = { 0, 0, 0 };

static bool set(struct pvrom_limit *l, struct pvrom_rate bytes, struct pvrom_rate requests)
{
	*l = (struct pvrom_limit){ 0 };
	return pvrom_limit_set(l, &bytes, &requests, 0);
}

/* Within 1 %, and a nanosecond. */
static bool about(uint64_t is, uint64_t wanted)
{
	const uint64_t apart = is > wanted ? is - wanted : wanted - is;

	return apart <= wanted / 100 + 1;
}

/* When the last of `count` requests of `bytes`, all of which come at `now`, may begin. */
static uint64_t last_of(struct pvrom_limit *l, uint64_t bytes, uint32_t count, uint64_t now)
{
	uint64_t at = now;

	while (count--)
		at = pvrom_limit_take(l, bytes, now);
	return at;
}

static bool requests_a_second(void)
{
	static const uint64_t rates[] = { 1, 7, 1000, 999983, 600000000, 1ull << 40 };
	struct pvrom_limit l;
	size_t i;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		const uint32_t count = rates[i] < 100 ? 1000 : 1000000;
		const uint64_t time = (uint64_t)((double)count / (double)rates[i] * 1e9);

		if (!HOLDS(set(&l, none, (struct pvrom_rate){ rates[i], 0, 0 })) ||
		    !HOLDS(about(last_of(&l, 4096, count + 1, 0), time)))
			return false;
	}
	return true;
}

static bool bytes_a_second(void)
{
	static const struct {
		uint64_t rate, bytes;
		uint32_t count;
	} c[] = { { 1, 512, 3 },
		  { 1048576, 4096, 10000 },
		  { 99999999999, 512, 1000000 },
		  { 1ull << 40, 512, 1000000 },
		  { 1ull << 40, 1u << 31, 1000 },
		  { 12345, 65536, 77 } };
	struct pvrom_limit l;
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		const double time = (double)c[i].bytes * c[i].count / (double)c[i].rate * 1e9;

		if (!HOLDS(set(&l, (struct pvrom_rate){ c[i].rate, 0, 0 }, none)) ||
		    !HOLDS(about(last_of(&l, c[i].bytes, c[i].count + 1, 0), (uint64_t)time)))
			return false;
	}
	return true;
}

/* The stricter of the two counts. */
static bool both_limits(void)
{
	struct pvrom_limit l;
	bool good = HOLDS(
		set(&l, (struct pvrom_rate){ 1u << 20, 0, 0 }, (struct pvrom_rate){ 100, 0, 0 }));

	/* 512 bytes each: the requests count; 65,536 each: the bytes. */
	good = good && HOLDS(about(last_of(&l, 512, 1001, 0), 10 * SECOND));
	good = good && HOLDS(set(&l, (struct pvrom_rate){ 1u << 20, 0, 0 },
				 (struct pvrom_rate){ 100, 0, 0 }));
	return good && HOLDS(about(last_of(&l, 65536, 161, 0), 10 * SECOND));
}

/* Of a burst of 100: that many go at once, then 10 a second; what rested for 5 s has 50; never more than 100. */
static bool burst_size(void)
{
	struct pvrom_limit l;
	bool good = HOLDS(set(&l, none, (struct pvrom_rate){ 10, 100, 0 }));

	good = good && HOLDS(last_of(&l, 512, 101, 0) == 0);
	good = good && HOLDS(last_of(&l, 512, 1, 0) == SECOND / 10);
	good = good && HOLDS(last_of(&l, 512, 10, 0) == 11 * SECOND / 10);
	good = good && HOLDS(last_of(&l, 512, 39, 5 * SECOND) == 5 * SECOND);
	good = good && HOLDS(last_of(&l, 512, 1, 5 * SECOND) == 51 * SECOND / 10);
	good = good && HOLDS(last_of(&l, 512, 101, 10000 * SECOND) == 10000 * SECOND);
	return good && HOLDS(last_of(&l, 512, 1, 10000 * SECOND) == 10000 * SECOND + SECOND / 10);
}

/* The burst itself goes at 50 a second: 100 of them take 2 s, the rest 10 a second. */
static bool burst_rate(void)
{
	struct pvrom_limit l;
	bool good = HOLDS(set(&l, none, (struct pvrom_rate){ 10, 100, 50 }));

	good = good && HOLDS(last_of(&l, 512, 101, 0) == 2 * SECOND);
	/* In these two seconds 20 more have become free. */
	good = good && HOLDS(last_of(&l, 512, 25, 0) == 5 * SECOND / 2);
	return good && HOLDS(about(last_of(&l, 512, 1000, 0), 102 * SECOND + SECOND / 2));
}

/* A new limit does not let anybody overtake: who came first begins first. */
static bool order_over_a_change(void)
{
	struct pvrom_limit l;
	const struct pvrom_rate wide = { 10, 100, 0 };
	bool good = HOLDS(set(&l, none, (struct pvrom_rate){ 10, 0, 0 }));
	const uint64_t first = last_of(&l, 512, 11, 0);

	good = good && HOLDS(pvrom_limit_set(&l, &none, &wide, 0));
	return good && HOLDS(last_of(&l, 512, 1, 0) >= first);
}

static bool counters(void)
{
	struct pvrom_limit l;
	bool good = HOLDS(set(&l, none, (struct pvrom_rate){ 10, 0, 0 }));

	last_of(&l, 1000, 4, 0); /* at 0, 0.1, 0.2 and 0.3 s */
	return good && HOLDS(l.passed == 4) && HOLDS(l.passed_bytes == 4000) &&
	       HOLDS(l.held == 3) && HOLDS(l.held_time == 6 * SECOND / 10);
}

static bool bounds(void)
{
	static const struct pvrom_rate bad[] = { { 0, 1, 0 },
						 { 0, 0, 1 },
						 { (1ull << 40) + 1, 0, 0 },
						 { 1, (1ull << 40) + 1, 0 },
						 { 1, 0, (1ull << 40) + 1 },
						 { 10, 5, 9 } };
	struct pvrom_limit l;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!HOLDS(!set(&l, bad[i], none)) || !HOLDS(!set(&l, none, bad[i])))
			return false;
	return HOLDS(set(&l, (struct pvrom_rate){ 1ull << 40, 1ull << 40, 1ull << 40 }, none));
}

/* However much is asked for, times do not wrap. */
static bool no_wrap(void)
{
	struct pvrom_limit l;
	uint64_t at, before = 0;
	int i;

	if (!HOLDS(set(&l, (struct pvrom_rate){ 1, 0, 0 }, none)))
		return false;
	for (i = 0; i < 100; i++, before = at) {
		at = pvrom_limit_take(&l, UINT64_MAX, SECOND);
		if (!HOLDS(at >= before) || !HOLDS(at <= 1ull << 62))
			return false;
	}
	return true;
}

/* ---- groups -------------------------------------------------------------------------------------------- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint32_t locked; /* how often; under the mutex itself */

static void lock(void *ctx)
{
	pthread_mutex_lock(ctx);
	locked++;
}

static void unlock(void *ctx)
{
	pthread_mutex_unlock(ctx);
}

static void *take_many(void *limit)
{
	last_of(limit, 512, 20000, 0);
	return NULL;
}

static bool threads_share(void)
{
	struct pvrom_limit l;
	pthread_t thread[4];
	int i;

	if (!HOLDS(set(&l, none, (struct pvrom_rate){ 1000, 0, 0 })))
		return false;
	l.lock = lock;
	l.unlock = unlock;
	l.ctx = &mutex;
	locked = 0;
	for (i = 0; i < 4; i++)
		if (pthread_create(&thread[i], NULL, take_many, &l))
			return HOLDS(false);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	return HOLDS(locked == 80000) && HOLDS(l.passed == 80000) &&
	       HOLDS(l.last == 79999 * (SECOND / 1000));
}

/* ---- through the device ----------------------------------------------------------------------------------- */

static struct world *limited(struct pvrom_limit *l)
{
	const struct pvrom_blk_host_setup s = { .limit = l,
						.zeroes_ranges = 4,
						.discard_ranges = 4 };

	return world_open(&s, PVROM_VQ_F_EVENT_IDX,
			  PVROM_BLK_F_WRITE_ZEROES | PVROM_BLK_F_DISCARD | PVROM_BLK_F_FLUSH);
}

/* Moves the clock to where the device wants to be called, until a buffer comes back. */
static bool await(struct world *w)
{
	struct pvrom_vq_done done;
	uint64_t at;

	for (;;) {
		at = pvrom_blk_host_release(&w->host);
		pvrom_blk_queue_publish(&w->queue);
		if (world_get(w, &done))
			return w->memory[WORLD_STATUS] == PVROM_BLK_S_OK;
		if (at == UINT64_MAX || at <= w->time)
			return false;
		w->time = at;
	}
}

/* A driver with one request at a time for `count` of them; how long it took. */
static uint64_t run_device(struct world *w, uint32_t type, uint32_t bytes, uint32_t count)
{
	uint64_t began = w->time;

	for (; count; count--) {
		int status = world_request(w, type, 0, bytes);

		if (status == -1 && !await(w))
			return 0;
	}
	return w->time - began;
}

static bool device_is_held(void)
{
	struct pvrom_limit l;
	struct world *w;
	bool good = set(&l, (struct pvrom_rate){ 1000000, 0, 0 }, (struct pvrom_rate){ 100, 0, 0 });

	w = limited(&l);
	if (!w)
		return HOLDS(false);
	good = good && HOLDS(about(run_device(w, PVROM_BLK_T_OUT, 512, 1001), 10 * SECOND));
	good = good &&
	       HOLDS(about(run_device(w, PVROM_BLK_T_IN, 100 * 512, 200), 200 * 51200 * 1000ull));
	good = good && HOLDS(w->host.counters.held == 1200 || w->host.counters.held == 1199) &&
	       HOLDS(l.passed == 1201);
	world_close(w);
	return good;
}

/* Not before its time, however often the device is asked; and nobody who came later overtakes. */
static bool not_early(void)
{
	struct pvrom_limit l;
	struct world *w;
	bool good = set(&l, none, (struct pvrom_rate){ 1, 0, 0 });

	w = limited(&l);
	if (!w)
		return HOLDS(false);
	good = good && HOLDS(world_request(w, PVROM_BLK_T_OUT, 0, 512) == PVROM_BLK_S_OK);
	good = good && HOLDS(world_request(w, PVROM_BLK_T_OUT, 0, 512) == -1);
	good = good && HOLDS(pvrom_blk_host_release(&w->host) == SECOND) &&
	       HOLDS(w->asked_count == 1);
	w->time = SECOND - 1;
	good = good && HOLDS(pvrom_blk_host_release(&w->host) == SECOND) &&
	       HOLDS(w->asked_count == 1);
	w->time = SECOND;
	good = good && HOLDS(pvrom_blk_host_release(&w->host) == UINT64_MAX) &&
	       HOLDS(w->asked_count == 2);
	world_close(w);
	return good;
}

/* Zeroes are bytes that are written; a discard is one request. */
static bool what_ranges_cost(void)
{
	const struct pvrom_blk_range r[2] = { { 0, 1000, 0 }, { 1024, 1000, 0 } };
	struct pvrom_limit l;
	struct world *w;
	bool good = set(&l, (struct pvrom_rate){ 1u << 20, 0, 0 }, none);

	w = limited(&l);
	if (!w)
		return HOLDS(false);
	good = good && HOLDS(world_ranges(w, PVROM_BLK_T_DISCARD, r, 2) == PVROM_BLK_S_OK) &&
	       HOLDS(l.passed_bytes == 0);
	good = good && HOLDS(world_ranges(w, PVROM_BLK_T_WRITE_ZEROES, r, 2) == PVROM_BLK_S_OK) &&
	       HOLDS(l.passed_bytes == 2000 * 512);
	world_close(w);
	return good;
}

/* Two devices, one group: together they get what one would. */
static bool devices_share(void)
{
	struct pvrom_limit l;
	struct world *a, *b;
	bool good = set(&l, none, (struct pvrom_rate){ 100, 0, 0 });
	int i;

	a = limited(&l);
	b = limited(&l);
	if (!a || !b)
		return HOLDS(false);
	for (i = 0; i < 500 && good; i++) {
		good = world_request(a, PVROM_BLK_T_OUT, 0, 512) != -1 || await(a);
		b->time = a->time;
		good = good && (world_request(b, PVROM_BLK_T_OUT, 0, 512) != -1 || await(b));
		a->time = b->time;
	}
	good = HOLDS(good) && HOLDS(about(a->time, 999 * (SECOND / 100)));
	world_close(a);
	world_close(b);
	return good;
}

int main(void)
{
	static const struct blk_case cases[] = {
		{ "requests a second, from 1 to 2^40, to 1 % [PVROM-BLK-12]",
		  requests_a_second,
		  { BLK_SLIP_LIMIT_REST } },
		{ "bytes a second, to 1 % [PVROM-BLK-12]",
		  bytes_a_second,
		  { BLK_SLIP_LIMIT_REST } },
		{ "of two limits the stricter one counts [PVROM-BLK-12]",
		  both_limits,
		  { BLK_SLIP_LIMIT_ONE } },
		{ "the size of a burst",
		  burst_size,
		  { BLK_SLIP_LIMIT_BURST, BLK_SLIP_LIMIT_IDLE } },
		{ "the rate of a burst", burst_rate, { BLK_SLIP_LIMIT_BURST_RATE } },
		{ "a change of the limit keeps the order [PVROM-BLK-13]",
		  order_over_a_change,
		  { BLK_SLIP_LIMIT_ORDER } },
		{ "the counters of a limit", counters, { BLK_SLIP_LIMIT_HELD } },
		{ "rates out of bounds are refused", bounds, { BLK_SLIP_LIMIT_BOUNDS } },
		{ "no time wraps", no_wrap, { BLK_SLIP_LIMIT_WRAP } },
		{ "four threads share a limit", threads_share, { BLK_SLIP_LIMIT_LOCK } },
		{ "a device is held to both limits [PVROM-BLK-12]",
		  device_is_held,
		  { BLK_SLIP_LIMIT_EARLY } },
		{ "a request is not begun before its time [PVROM-BLK-13]",
		  not_early,
		  { BLK_SLIP_LIMIT_EARLY } },
		{ "what discards and zeroes cost", what_ranges_cost, { BLK_SLIP_LIMIT_ZEROES } },
		{ "devices of a group share", devices_share, { BLK_SLIP_LIMIT_EARLY } },
	};
	unsigned int bad = 0, n;

	printf("TAP version 13\n");
	n = run_blk_cases(cases, sizeof(cases) / sizeof(cases[0]), &bad);
	printf("1..%u\n", n);
	return bad != 0;
}
