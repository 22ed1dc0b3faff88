/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Prints the rate of this machine's TSC in kHz. QEMU's software CPU hands that TSC on, and a Linux that has to
 * measure it there against timers of QEMU is off by a factor now and then, when this machine is busy.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define TRIES 200
#define BETWEEN_NS 100000000

struct moment {
	uint64_t tsc, ns;
};

/* The best of many: with the least time between the two readings of the TSC around that of the clock. */
static struct moment now(void)
{
	struct moment best = { 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = __rdtsc(), after;
		struct timespec t;

		clock_gettime(CLOCK_MONOTONIC_RAW, &t);
		after = __rdtsc();
		if (after - before >= least)
			continue;
		least = after - before;
		best.tsc = before + least / 2;
		best.ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	}
	return best;
}

int main(void)
{
	const struct timespec between = { .tv_nsec = BETWEEN_NS };
	struct moment start = now(), end;

	nanosleep(&between, NULL);
	end = now();
	printf("%llu\n",
	       (unsigned long long)((end.tsc - start.tsc) * 1000000 / (end.ns - start.ns)));
	return 0;
}
