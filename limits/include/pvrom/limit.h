/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Limits on bytes and on requests (or frames) a second, for one device or a group of them.
 *
 * Exact over any time: a request takes its units at once and is told when it may begin. Freestanding, no allocation, no
 * clock: times are ns of any clock that never steps back.
 */
#ifndef PVROM_LIMIT_H
#define PVROM_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A rate, in units (bytes or requests) a second. All zero: no limit. */
struct pvrom_rate {
	uint64_t rate; /* in the long run; at most 2^40 */
	uint64_t
		burst; /* units that may go before `rate` counts, after a time of rest; at most 2^40 */
	uint64_t burst_rate; /* rate during a burst, not below `rate`; 0: as quick as it goes */
};

struct pvrom_bucket {
	struct pvrom_rate rate;
	uint64_t full_until, full_rest;	  /* when the bucket has run out; ns and remainder */
	uint64_t burst_until, burst_rest; /* the same at burst_rate */
};

/*
 * A group of devices that share one limit; or one device's own. The caller's memory, zeroed, then
 * pvrom_limit_set(). Requests are held in the order in which they came, over all of the group.
 */
struct pvrom_limit {
	void (*lock)(void *ctx); /* both NULL: one thread only */
	void (*unlock)(void *ctx);
	void *ctx;
	struct pvrom_bucket bytes, requests;
	uint64_t last;		       /* when the newest request may begin, ns */
	uint64_t held;		       /* counter: requests that had to wait */
	uint64_t held_time;	       /* counter: for how long in all, ns */
	uint64_t passed, passed_bytes; /* counters: what was asked for */
};

/* New rates from now (ns) on; who waits goes on waiting as was said. false: a rate out of bounds. */
bool pvrom_limit_set(struct pvrom_limit *limit, const struct pvrom_rate *bytes,
		     const struct pvrom_rate *requests, uint64_t now);

/* Takes the units of one request, and returns when (ns, not before now) it may begin. Any thread. */
uint64_t pvrom_limit_take(struct pvrom_limit *limit, uint64_t bytes, uint64_t now);

#ifdef __cplusplus
}
#endif
#endif
