/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Mistakes that test builds of the limiter can make on purpose, one at a time, to see that a test notices. */
#ifndef LIMIT_SLIPS_H
#define LIMIT_SLIPS_H

#include <stdbool.h>

#define LIMIT_SLIP_TABLE(X)                                                                        \
	X(LIMIT_REST, "divisions of a rate lose their remainders")                                 \
	X(LIMIT_BURST, "the size of a burst is not looked at")                                     \
	X(LIMIT_BURST_RATE, "the rate of a burst is not looked at")                                \
	X(LIMIT_ORDER, "a small request may begin before a large one that came first")             \
	X(LIMIT_IDLE, "a time of rest is saved up without end")                                    \
	X(LIMIT_HELD, "nobody counts who had to wait")                                             \
	X(LIMIT_BOUNDS, "rates out of bounds are taken")                                           \
	X(LIMIT_ONE, "the limit of requests is not looked at where there is one of bytes")         \
	X(LIMIT_WRAP, "times may become later than the last one there is")                         \
	X(LIMIT_LOCK, "a limit that is shared is not locked")
enum limit_slip {
	LIMIT_SLIP_NONE,
#define LIMIT_SLIP_NAME(name, text) SLIP_##name,
	LIMIT_SLIP_TABLE(LIMIT_SLIP_NAME)
#undef LIMIT_SLIP_NAME
		LIMIT_SLIP_COUNT
};

#ifdef PVROM_TEST
extern enum limit_slip pvrom_limit_slipped;
#define LIMIT_SLIP(name) (pvrom_limit_slipped == SLIP_##name)
#else
#define LIMIT_SLIP(name) false
#endif

#endif
