/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * clock_facts NAME [SECONDS]. In the guest, for NAME the clocksource that Linux uses now: lines "RATE NAME ticks of the TSC a second by
 * CLOCK_MONOTONIC, steps back" over so many seconds (three), "READS NAME how often it was read meanwhile", and "PTP seconds by which the clock called pvrom is before
 * CLOCK_REALTIME" or "PTP none".
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

static int64_t now_ns(clockid_t clock)
{
	struct timespec now = { 0, 0 };

	return clock_gettime(clock, &now) ? -1 : now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The time and the TSC, which a busy machine may read far apart: the nearest of a hundred pairs. */
static int64_t now_and_tsc(uint64_t *tsc)
{
	uint64_t before, after, least = UINT64_MAX;
	int64_t ns = 0, now;
	int i;

	for (i = 0; i < 100; i++) {
		before = __rdtsc();
		now = now_ns(CLOCK_MONOTONIC);
		after = __rdtsc();
		if (after - before >= least)
			continue;
		least = after - before;
		*tsc = before + least / 2;
		ns = now;
	}
	return ns;
}

static void rate(const char *name, int seconds)
{
	uint64_t first = 0, end = 0;
	const int64_t start = now_and_tsc(&first);
	int64_t last = start, now = start;
	unsigned int back = 0;
	unsigned long reads = 0;

	while (now < start + seconds * INT64_C(1000000000)) {
		now = now_ns(CLOCK_MONOTONIC);
		back += now < last;
		last = now;
		reads++;
	}
	now = now_and_tsc(&end);
	printf("RATE %s %.0f %u\n", name, (double)(end - first) * 1e9 / (double)(now - start),
	       back);
	printf("READS %s %lu\n", name, reads);
}

/* The device whose name in sysfs is pvrom; of the first few. */
static int open_ptp(void)
{
	char path[64], name[16];
	FILE *file;
	int i;

	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "/sys/class/ptp/ptp%d/clock_name", i);
		file = fopen(path, "r");
		if (!file)
			continue;
		name[0] = 0;
		if (!fgets(name, sizeof(name), file))
			name[0] = 0;
		fclose(file);
		snprintf(path, sizeof(path), "/dev/ptp%d", i);
		if (!strcmp(name, "pvrom\n"))
			return open(path, O_RDONLY);
	}
	return -1;
}

int main(int argc, char **argv)
{
	/* The clock of a file: clock_gettime(2), "Dynamic clocks". */
	const int fd = open_ptp();
	const int64_t ptp = fd < 0 ? -1 : now_ns((clockid_t)(~(unsigned int)fd << 3 | 3));

	if (ptp < 0)
		puts("PTP none");
	else
		printf("PTP %.3f\n", (double)(ptp - now_ns(CLOCK_REALTIME)) / 1e9);
	rate(argc > 1 ? argv[1] : "?", argc > 2 ? (int)strtol(argv[2], NULL, 10) : 3);
	return 0;
}
