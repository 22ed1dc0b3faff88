/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The judge of clock pages: knows true time as a rational function of the guest's TSC, reads a page as bytes at
 * the offsets of the specification, computes in exact rational arithmetic (GMP), and shares no code with
 * the writer. He ends the program with a line "not ok" at the first thing that is wrong.
 */
#ifndef TESTS_CLOCK_JUDGE_H
#define TESTS_CLOCK_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include <gmp.h>

#include <pvrom/clock_host.h>

/* What a page says. */
struct told {
	uint32_t seq;
	uint64_t marker, flags, generation, suspended;
	uint8_t status, time_type;
	uint64_t mono_tsc, tai_tsc;
	unsigned int mono_shift;
	mpq_t mono, mono_rate;	   /* ns at mono_tsc; ns a tick */
	mpq_t low, high;	   /* bounds of TAI at tai_tsc, s */
	mpq_t low_rate, high_rate; /* s a tick */
};

/* The world, and the host in it: what is so, and what that host says. */
extern struct clock_truth {
	uint64_t tsc;	    /* the guest's, now */
	uint64_t delay;	    /* ticks from a sample to the writer's own reading */
	mpq_t time;	    /* true TAI (see knows_tai) at tsc, s */
	mpq_t rate;	    /* true, s a tick */
	mpq_t off;	    /* of the host's clock, s */
	uint64_t ticks, ns; /* the rate that the host states */
	uint32_t ppb;
	uint64_t maxerror_ns;
	uint32_t status;
	bool knows_tai; /* the host; else it counts UTC, which time is then */
	bool another;	/* and has promised something of the other of the two */
	bool lied;	/* since the marker changed, some promise was false */
} w;
/* The rate that the host states, exactly: s a tick. */
extern mpq_t stated_rate;
/* The page that is judged, what it said before and what it says now. */
extern uint8_t page[PVROM_CLOCK_PAGE_SIZE];
extern struct told was, is;
/* Is there a promise of an interval, and is it in `promise`: it outlives a time without one. */
extern struct told promise;
extern bool promised;
/* For messages: what is being done; how often it was done. */
extern const char *what;
extern uint64_t histories, updates, changes;

static inline void set_u64(mpq_t q, uint64_t value)
{
	mpq_set_ui(q, value, 1);
}

/* q = value / 2^shift */
static inline void set_scaled(mpq_t q, uint64_t value, unsigned int shift)
{
	mpq_set_ui(q, value, 1);
	mpq_div_2exp(q, q, shift);
}

static inline void set_ns(mpq_t q, uint64_t ns)
{
	mpq_set_ui(q, ns, 1000000000);
	mpq_canonicalize(q);
}

void judge_init(void);

/* size bytes of the page, little-endian. */
uint64_t page_word(const uint8_t *from, unsigned int at, unsigned int size);
void read_page(const uint8_t *from, struct told *t);
/* out = at + rate * ticks */
void along(mpq_t out, const mpq_t at, const mpq_t rate, uint64_t ticks);
_Noreturn void die(const char *why);

/*
 * After an update with sample s: forced: the marker must change; old_tsc: the same moment by the old TSC; exact: the
 * shift of monotonic time is the same. Then next() makes `is` the old page.
 */
void judge(const struct pvrom_clock_sample *s, bool forced, uint64_t old_tsc, bool exact);
void next(void);

#endif
