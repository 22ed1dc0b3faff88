/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The TSC's rate: stated by an interface, or measured against the PIT. */
#include "time.h"

#include "cpu.h"
#include "kernel_clock.h"
#include "pit.h"

/* No TSC is quicker: what waits by this waits long enough. */
#define QUICKEST_HZ 10000000000ull

uint64_t time_tsc_hz = QUICKEST_HZ;
bool time_rate_known;
const char *time_rate_source = "";

static uint64_t median3(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t low = a < b ? a : b, high = a < b ? b : a;

	return c < low ? low : c > high ? high : c;
}

/* Preempted samples are all too long or too short: so a median. */
static uint64_t measure(void)
{
	uint64_t hz[3], ticks, start, end;

	if (!pit_is_there())
		return 0;
	for (unsigned i = 0; i < 3; i++) {
		if (!pit_measure(&ticks, &start, &end))
			return 0;
		hz[i] = (end - start) * PIT_HZ / ticks;
	}
	return median3(hz[0], hz[1], hz[2]);
}

void time_init(void)
{
	uint64_t hz = clock_init(&time_rate_source);

	if (!hz) {
		hz = measure();
		time_rate_source = hz ? "measured against the PIT" : "stated by nobody";
		clock_measured(hz);
	}
	time_rate_known = hz;
	if (hz)
		time_tsc_hz = hz;
}

uint64_t time_us(uint64_t us)
{
	return us * (time_tsc_hz / 1000) / 1000;
}

void time_spin_us(uint64_t us)
{
	uint64_t end = cpu_rdtsc() + time_us(us);

	while (cpu_rdtsc() < end)
		cpu_relax();
}

#define LOOK_US 100000u

struct patience patience_of(uint64_t us)
{
	return (struct patience){ time_us(us), cpu_rdtsc() };
}

bool patience_lasts(struct patience *p)
{
	uint64_t now = cpu_rdtsc(), most = time_us(LOOK_US);
	uint64_t passed = now - p->last < most ? now - p->last : most;

	p->last = now;
	if (p->left <= passed)
		return false;
	p->left -= passed;
	return true;
}

bool time_wait_for(const volatile uint32_t *word, uint32_t value, uint64_t us)
{
	struct patience patience = patience_of(us);

	while (*word != value) {
		if (!patience_lasts(&patience))
			return false;
		cpu_relax();
	}
	return true;
}
