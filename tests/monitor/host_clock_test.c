/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What pvrun takes from its host's clock (monitor/host_clock.c), over a kernel whose adjtimex() and CLOCK_TAI are this
 * file's: bounds, a clock that is lost, TAI that is not known, and leap seconds before, while and after they happen.
 */
#include <sys/timex.h>
#include <time.h>

#include "../../monitor/guest_clock.h"
#include "../cunit_tap.h"

/* 2017-01-01 00:00:00 UTC, before which a second was inserted; TAI - UTC was 36 and became 37. */
#define MIDNIGHT INT64_C(1483228800)
#define DAY 86400
#define KHZ UINT64_C(2500000)

/* The kernel: what it answers. */
static struct timex kernel;
static int result;
static int64_t kernel_tai;
static struct host_clock host;
static struct pvrom_clock_sample s;

/* In the place of the C library's. */
int adjtimex(struct timex *state)
{
	CU_ASSERT_EQUAL(state->modes, 0);
	*state = kernel;
	return result;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	CU_ASSERT_EQUAL(id, CLOCK_TAI);
	*now = (struct timespec){ .tv_sec = kernel_tai, .tv_nsec = 500000000 };
	return 0;
}

/* A sample of a kernel that is synchronized to 2 ms, at a second of UTC. */
static void take(int64_t utc, int tai, int status, int state)
{
	kernel = (struct timex){ .maxerror = 2000, .tai = tai, .status = status };
	result = state;
	kernel_tai = utc + tai;
	s = host_clock_sample(&host, 0);
}

static void begin(void)
{
	host_clock_start(&host, KHZ);
}

static void synchronized(void)
{
	begin();
	take(MIDNIGHT, 36, 0, TIME_OK);
	CU_ASSERT_EQUAL(s.status, PVROM_CLOCK_SYNCHRONIZED);
	CU_ASSERT_EQUAL(s.tai_sec, MIDNIGHT + 36);
	CU_ASSERT_EQUAL(s.tai_frac_sec, pvrom_clock_frac(500000000));
	CU_ASSERT_EQUAL(s.flags, PVROM_CLOCK_SAMPLE_OFFSET);
	CU_ASSERT_EQUAL(s.utc_offset_sec, -36);
	CU_ASSERT_EQUAL(s.leap_sign, 0);
	/* The kernel's bound, and what lies between two readings of the TSC. */
	CU_ASSERT_TRUE(s.maxerror_ns > 2000000);
	CU_ASSERT_EQUAL(s.rate_ticks * 1000000, KHZ * s.rate_ns);
}

static void lost(void)
{
	begin();
	take(MIDNIGHT, 36, STA_UNSYNC, TIME_OK);
	CU_ASSERT_EQUAL(s.status, PVROM_CLOCK_UNRELIABLE);
	take(MIDNIGHT, 36, 0, TIME_ERROR);
	CU_ASSERT_EQUAL(s.status, PVROM_CLOCK_UNRELIABLE);
	take(MIDNIGHT, 36, 0, -1);
	CU_ASSERT_EQUAL(s.status, PVROM_CLOCK_UNRELIABLE);
	take(MIDNIGHT, 36, STA_INS, TIME_INS);
	CU_ASSERT_EQUAL(s.status, PVROM_CLOCK_SYNCHRONIZED);
}

/* A kernel that nobody told counts from 0, also where a leap second came or was left out. [PVROM-CLOCK-46] */
static void tai_not_known(void)
{
	int tai;

	begin();
	for (tai = -1; tai < 10; tai++) {
		take(MIDNIGHT, tai, STA_INS, TIME_INS);
		CU_ASSERT_EQUAL(s.tai_sec, MIDNIGHT);
		CU_ASSERT_EQUAL(s.tai_frac_sec, pvrom_clock_frac(500000000));
		CU_ASSERT_EQUAL(s.flags, 0);
		CU_ASSERT_EQUAL(s.status, PVROM_CLOCK_SYNCHRONIZED);
	}
	take(MIDNIGHT, 10, 0, TIME_OK);
	CU_ASSERT_EQUAL(s.flags, PVROM_CLOCK_SAMPLE_OFFSET);
	CU_ASSERT_EQUAL(s.tai_sec, MIDNIGHT + 10);
}

static bool says(int32_t sign, int64_t leap, int32_t offset)
{
	return s.leap_sign == sign && s.leap_utc_sec == leap && s.utc_offset_sec == offset;
}

/* The kernel counts 23:59:59 twice, and TAI goes on. */
static void second_inserted(void)
{
	int day;

	begin();
	take(MIDNIGHT - DAY, 36, STA_INS, TIME_INS);
	CU_ASSERT_TRUE(says(1, MIDNIGHT, -36));
	take(MIDNIGHT - 1, 37, STA_INS, TIME_OOP);
	CU_ASSERT_TRUE(says(1, MIDNIGHT, -36));
	/* Told so for days: it is the one of before, and there is none at each midnight. */
	for (day = 0; day < 3; day++) {
		take(MIDNIGHT + day * DAY, 37, STA_INS | STA_UNSYNC, TIME_ERROR);
		CU_ASSERT_EQUAL(s.utc_offset_sec, -37);
		take(MIDNIGHT + day * DAY, 37, STA_INS, TIME_WAIT);
		CU_ASSERT_TRUE(says(1, MIDNIGHT, -36));
	}
	take(MIDNIGHT + 3 * DAY, 37, 0, TIME_OK);
	CU_ASSERT_TRUE(says(0, 0, -37));
}

static void second_left_out(void)
{
	begin();
	take(MIDNIGHT - 2, 36, STA_DEL, TIME_DEL);
	CU_ASSERT_TRUE(says(-1, MIDNIGHT, -36));
	take(MIDNIGHT, 35, STA_DEL, TIME_WAIT);
	CU_ASSERT_TRUE(says(-1, MIDNIGHT, -36));
}

/* Whoever was not there when it was inserted takes it for today's. */
static void come_late(void)
{
	begin();
	take(MIDNIGHT + 100, 37, STA_INS, TIME_WAIT);
	CU_ASSERT_TRUE(says(1, MIDNIGHT, -36));
}

/* The guest's TSC is the host's and an offset. */
static void offset_of_the_tsc(void)
{
	const uint64_t offset = UINT64_C(1) << 62;

	begin();
	take(MIDNIGHT, 37, 0, TIME_OK);
	CU_ASSERT_TRUE(host_clock_sample(&host, offset).tsc - s.tsc >= offset);
}

int main(void)
{
	static const struct tap_test tests[] = { { "synchronized", synchronized },
						 { "lost", lost },
						 { "TAI is not known", tai_not_known },
						 { "a second is inserted", second_inserted },
						 { "a second is left out", second_left_out },
						 { "after it was inserted", come_late },
						 { "the TSC's offset", offset_of_the_tsc },
						 { 0 } };

	return tap_run("host_clock", tests);
}
