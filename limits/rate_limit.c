/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Limits: leaking buckets kept as the time at which each will have run out.
 *
 * A request takes its units at once and is told when it may begin, so nothing has to be looked at
 * twice, order is the order of arrival, and what was refused once is not refused again. Divisions
 * keep their remainders: after any number of requests the rate is exact.
 */
#include <pvrom/limit.h>

#include "limit_slips.h"

#ifdef PVROM_TEST
enum limit_slip pvrom_limit_slipped;
#endif

#define SECOND 1000000000ull
#define RATE_MAX (1ull << 40)
/* Units are taken in portions whose product with SECOND fits in 64 bits. */
#define PORTION (1ull << 33)
/* No time is later than this (146 years): sums stay far from wrapping. */
#define NEVER (1ull << 62)

static void lock(const struct pvrom_limit *limit)
{
	if (limit->lock && !LIMIT_SLIP(LIMIT_LOCK))
		limit->lock(limit->ctx);
}

static void unlock(const struct pvrom_limit *limit)
{
	if (limit->unlock && !LIMIT_SLIP(LIMIT_LOCK))
		limit->unlock(limit->ctx);
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* How long `units` take at `rate`, in ns; *rest carries what did not make a whole one. */
static uint64_t time_of(uint64_t units, uint64_t rate, uint64_t *rest)
{
	uint64_t time = 0, part, product;

	for (; units; units -= part) {
		part = units < PORTION ? units : PORTION;
		product = part * SECOND + *rest;
		time += product / rate;
		*rest = LIMIT_SLIP(LIMIT_REST) ? 0 : product % rate;
		if (time > NEVER)
			return NEVER;
	}
	return time;
}

/* When the bucket lets the next request begin. */
static uint64_t opens(const struct pvrom_bucket *b)
{
	uint64_t rest = 0, burst, at = 0;

	if (!b->rate.rate)
		return 0;
	burst = time_of(b->rate.burst, b->rate.rate, &rest);
	if (LIMIT_SLIP(LIMIT_BURST))
		burst = 0;
	if (b->full_until > burst)
		at = b->full_until - burst;
	return b->rate.burst_rate && !LIMIT_SLIP(LIMIT_BURST_RATE) ? later(at, b->burst_until) : at;
}

/* The bucket was empty until `at`: what is left over of an earlier division belongs to the past. */
static void pour(uint64_t *until, uint64_t *rest, uint64_t units, uint64_t rate, uint64_t at)
{
	if (*until < at && !LIMIT_SLIP(LIMIT_IDLE)) {
		*until = at;
		*rest = 0;
	}
	*until += time_of(units, rate, rest);
	if (*until > NEVER && !LIMIT_SLIP(LIMIT_WRAP))
		*until = NEVER;
}

static void take(struct pvrom_bucket *b, uint64_t units, uint64_t at)
{
	if (!b->rate.rate)
		return;
	pour(&b->full_until, &b->full_rest, units, b->rate.rate, at);
	if (b->rate.burst_rate)
		pour(&b->burst_until, &b->burst_rest, units, b->rate.burst_rate, at);
}

uint64_t pvrom_limit_take(struct pvrom_limit *limit, uint64_t bytes, uint64_t now)
{
	uint64_t at;

	lock(limit);
	at = later(LIMIT_SLIP(LIMIT_ORDER) ? now : later(now, limit->last), opens(&limit->bytes));
	if (!LIMIT_SLIP(LIMIT_ONE) || !limit->bytes.rate.rate)
		at = later(at, opens(&limit->requests));
	take(&limit->bytes, bytes, at);
	take(&limit->requests, 1, at);
	limit->last = at;
	limit->held += at > now && !LIMIT_SLIP(LIMIT_HELD);
	limit->held_time += at - now;
	limit->passed++;
	limit->passed_bytes += bytes;
	unlock(limit);
	return at;
}

static bool rate_is_valid(const struct pvrom_rate *r)
{
	if (!r->rate)
		return !r->burst && !r->burst_rate;
	return r->rate <= RATE_MAX && r->burst <= RATE_MAX && r->burst_rate <= RATE_MAX &&
	       (!r->burst_rate || r->burst_rate >= r->rate);
}

static void set(struct pvrom_bucket *b, const struct pvrom_rate *rate, uint64_t now)
{
	b->rate = *rate;
	b->full_until = b->burst_until = now;
	b->full_rest = b->burst_rest = 0;
}

bool pvrom_limit_set(struct pvrom_limit *limit, const struct pvrom_rate *bytes,
		     const struct pvrom_rate *requests, uint64_t now)
{
	if ((!rate_is_valid(bytes) || !rate_is_valid(requests)) && !LIMIT_SLIP(LIMIT_BOUNDS))
		return false;
	lock(limit);
	set(&limit->bytes, bytes, later(now, limit->last));
	set(&limit->requests, requests, later(now, limit->last));
	unlock(limit);
	return true;
}
