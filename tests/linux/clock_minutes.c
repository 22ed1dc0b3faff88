/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * In the guest, for the clocksource that Linux uses now: compares CLOCK_MONOTONIC_RAW with the TSC for SECONDS, on every
 * CPU in turn, all of them at a time besides, and prints
 *	MINUTES seconds samples back off-line-ns width-ns rate-first rate-last
 * back: readings below one that any CPU had before; off-line-ns: how far a pair of readings is from the straight line
 * through the first and the last one, the pair's own width taken off; width-ns: the widest pair that counted; the rates
 * in ticks a second, of the first and the last quarter.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define NS_PER_S INT64_C(1000000000)
#define SAMPLES_MAX 20000
#define CPUS_MAX 64
#define TRIES 50

/* At `ns` the TSC was within `width` of `tsc`. */
struct pair {
	int64_t ns;
	uint64_t tsc, width;
};

static struct pair pairs[SAMPLES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t latest;
static unsigned long back;
static atomic_int ended;

static int64_t now_ns(void)
{
	struct timespec now = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* The narrowest of some: a busy machine may be away in the middle of one. */
static struct pair take_pair(void)
{
	struct pair best = { 0, 0, UINT64_MAX };
	uint64_t before, after;
	int64_t ns;

	for (int i = 0; i < TRIES; i++) {
		before = __rdtsc();
		ns = now_ns();
		after = __rdtsc();
		if (after - before < best.width)
			best = (struct pair){ ns, before + (after - before) / 2, after - before };
	}
	return best;
}

static void go_to_cpu(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* One a CPU: what one reads under the lock is never before what another one read under it earlier. */
static void *watch(void *cpu)
{
	int64_t now;

	go_to_cpu((long)(intptr_t)cpu);
	while (!ended) {
		for (int i = 0; i < 100; i++) {
			pthread_mutex_lock(&lock);
			now = now_ns();
			back += now < latest;
			latest = now;
			pthread_mutex_unlock(&lock);
		}
		usleep(2000);
	}
	return NULL;
}

static double ticks_per_ns(const struct pair *from, const struct pair *to)
{
	return (double)(to->tsc - from->tsc) / (double)(to->ns - from->ns);
}

static void report(int count)
{
	const struct pair *first = &pairs[0], *last = &pairs[count - 1];
	const double rate = ticks_per_ns(first, last);
	double off, worst = 0;
	uint64_t width = 0;

	for (int i = 0; i < count; i++) {
		off = (double)(pairs[i].tsc - first->tsc) -
		      (double)(pairs[i].ns - first->ns) * rate;
		off = (off < 0 ? -off : off) - (double)pairs[i].width;
		worst = off > worst ? off : worst;
		width = pairs[i].width > width ? pairs[i].width : width;
	}
	printf("MINUTES %.0f %d %lu %.0f %.0f %.0f %.0f\n", (double)(last->ns - first->ns) / 1e9,
	       count, back, worst / rate, (double)width / rate,
	       ticks_per_ns(first, &pairs[count / 4]) * 1e9,
	       ticks_per_ns(&pairs[count - 1 - count / 4], last) * 1e9);
}

int main(int argc, char **argv)
{
	const long seconds = argc > 1 ? strtol(argv[1], NULL, 10) : 10;
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const int64_t end = now_ns() + seconds * NS_PER_S;
	pthread_t threads[CPUS_MAX];
	long cpu;
	int count;

	for (cpu = 0; cpu < cpus && cpu < CPUS_MAX; cpu++)
		if (pthread_create(&threads[cpu], NULL, watch, (void *)(intptr_t)cpu))
			return 1;
	for (count = 0; count < SAMPLES_MAX && (count < 8 || pairs[count - 1].ns < end); count++) {
		go_to_cpu(count % cpus);
		pairs[count] = take_pair();
		usleep(100000);
	}
	ended = 1;
	while (cpu > 0)
		pthread_join(threads[--cpu], NULL);
	report(count);
	return 0;
}
