/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Seeded bugs: mistakes that a writer of the clock page could make, for trying whether the tests find them.
 * They exist in test builds (PVROM_TEST) only, and there only while pvrom_clock_bug names one.
 */
#ifndef PVROM_CLOCK_BUGS_H
#define PVROM_CLOCK_BUGS_H

/* X(NAME, number, who finds it, name for people, what the host does wrong) */
#define PVROM_CLOCK_BUG_TABLE(X)                                                                   \
	X(SLEW_FREE, 1, HISTORIES, "slew-free", "monotonic time is slewed without a limit")        \
	X(LOW_LOST, 2, HISTORIES, "low-lost", "an update drops what is less than a nanosecond")    \
	X(RESCALE_UP, 3, HISTORIES, "rescale-up", "a new shift rounds up")                         \
	X(SAMPLE_BASE, 4, HISTORIES, "sample-base", "the sample's TSC becomes the base")           \
	X(OUTWARD, 5, HISTORIES, "outward", "the old promise is rounded outward")                  \
	X(RATE_ALONE, 6, HISTORIES, "rate-alone", "the rate promised before is forgotten")         \
	X(FORGETFUL, 7, HISTORIES, "forgetful", "a time without a promise ends the one before")    \
	X(NEVER_NARROWS, 8, HISTORIES, "never-narrows", "each sample replaces the promise")        \
	X(STALE, 9, HISTORIES, "stale", "the sample is taken to be true at the base")              \
	X(STEP_SIGN, 10, HISTORIES, "step-sign", "a TSC step is taken for its opposite")           \
	X(STEP_QUIET, 11, HISTORIES, "step-quiet", "a TSC step does not change the marker")        \
	X(BACK_UNSEEN, 12, HISTORIES, "back-unseen", "a TSC that went back is not noticed")        \
	X(MOVE_QUIET, 13, HISTORIES, "move-quiet", "a migration does not change the marker")       \
	X(MARKER_BACK, 14, HISTORIES, "marker-back", "the marker comes back to what it was")       \
	X(GUESS_BOUND, 15, HISTORIES, "guess-bound", "a guess is told with a bound")               \
	X(PAUSE_RUNS, 16, HISTORIES, "pause-runs", "monotonic time runs on in a migration")        \
	X(SAVE_LOW, 17, HISTORIES, "save-low", "a saved clock loses a part of a nanosecond")       \
	X(SAME_GENERATION, 18, HISTORIES, "same-generation", "loading keeps the generation")       \
	X(TAI_QUIET, 28, HISTORIES, "tai-quiet", "TAI that gets known does not change the marker") \
	X(BUMPED_ONCE, 19, RACE, "bumped-once", "the sequence is raised once, at the end")         \
	X(EVEN_EARLY, 20, RACE, "even-early", "the sequence is even before the last stores")       \
	X(TSC_FIRST, 21, RACE, "tsc-first", "the TSC is read before the sequence is odd")          \
	X(TWO_PAGES, 22, CALLS, "two-pages", "a second page is registered")                        \
	X(UNALIGNED, 23, CALLS, "unaligned", "a page is registered that is not aligned")           \
	X(KEPT_PAGE, 24, CALLS, "kept-page", "RESET, or a set without the clock, keep the page")   \
	X(RELEASED, 25, CALLS, "released", "a released page is written")                           \
	X(WALL_SIZE, 26, CALLS, "wall-size", "the size of a wall clock is not looked at")          \
	X(LOADS_ANY, 27, CALLS, "loads-any", "a saved clock is taken as it is")

#ifdef PVROM_TEST
#include <stdint.h>
enum pvrom_clock_bug_finder {
	PVROM_CLOCK_BY_HISTORIES, /* tests/model/clock_histories.c */
	PVROM_CLOCK_BY_RACE,	  /* tests/loop/clock_race.c */
	PVROM_CLOCK_BY_CALLS,	  /* tests/hostile/fuzz_clock_calls.c */
};
enum pvrom_clock_bug_number {
#define PVROM_CLOCK_BUG_NAME_(NAME, number, by, name, text) PVROM_CLOCK_BUG_##NAME = number,
	PVROM_CLOCK_BUG_TABLE(PVROM_CLOCK_BUG_NAME_)
#undef PVROM_CLOCK_BUG_NAME_
};
/* The one that is switched on, 0 for none. */
extern uint32_t pvrom_clock_bug;
#define PVROM_CLOCK_BUG(NAME) (pvrom_clock_bug == PVROM_CLOCK_BUG_##NAME)
#else
#define PVROM_CLOCK_BUG(NAME) 0
#endif

#endif
