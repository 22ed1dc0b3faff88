/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * clock_facts NAME [SECONDS]. In the guest, for NAME the clocksource that Linux uses now: lines "RATE NAME ticks of the TSC a second by
 * CLOCK_MONOTONIC, steps back" over so many seconds (three), "READS NAME how often it was read meanwhile"; "PTP seconds by which the clock
 * called pvrom is before CLOCK_REALTIME", and "CROSS" the same of one instant, which Linux can only say while that clock's
 * clocksource is in use; and, where no seconds are named, "EXITS NAME of the machine for a thousand reads". Any but RATE and READS
 * may be "none".
 */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <time.h>
#include <x86intrin.h>

#include <linux/ptp_clock.h>

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

static double seconds_of(const struct ptp_clock_time *time)
{
	return (double)time->sec + (double)time->nsec / 1e9;
}

static void cross(int fd)
{
	struct ptp_sys_offset_precise both;

	memset(&both, 0, sizeof(both));
	if (fd < 0 || ioctl(fd, PTP_SYS_OFFSET_PRECISE, &both))
		puts("CROSS none");
	else
		printf("CROSS %.3f\n", seconds_of(&both.device) - seconds_of(&both.sys_realtime));
}

/* pvrun's counter port (pvrun(1)): KVM's exits of this CPU so far; all ones where there is none. */
#define COUNTER_PORT 0x5654
#define COUNTER_NONE UINT32_MAX

static uint32_t exits_now(void)
{
	outl(0, COUNTER_PORT);
	return inl(COUNTER_PORT);
}

/* Of some tries the one with the fewest, for ticks and the host's own interrupts come in between. */
static uint32_t fewest_exits(int reads)
{
	uint32_t before, took, least = UINT32_MAX;

	for (int i = 0; i < 50; i++) {
		before = exits_now();
		for (int n = 0; n < reads; n++)
			now_ns(CLOCK_MONOTONIC);
		took = exits_now() - before;
		least = took < least ? took : least;
	}
	return least;
}

/* On one CPU, whose counter it is. */
static void exits(const char *name)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here) || iopl(3) || exits_now() == COUNTER_NONE)
		printf("EXITS %s none\n", name);
	else
		printf("EXITS %s %d\n", name, (int)(fewest_exits(1000) - fewest_exits(0)));
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
	cross(fd);
	rate(argc > 1 ? argv[1] : "?", argc > 2 ? (int)strtol(argv[2], NULL, 10) : 3);
	if (argc <= 2)
		exits(argc > 1 ? argv[1] : "?");
	return 0;
}
