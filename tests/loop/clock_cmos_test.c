/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The date of a CMOS clock that is an array here, against the C library's calendar. */
#include <string.h>
#include <time.h>

#include <pvrom/clock_host.h>

#include "../cunit_tap.h"

static uint8_t cmos[0x80];
static unsigned reads, change_at;

static uint8_t bcd(int value)
{
	return (uint8_t)(value / 10 << 4 | value % 10);
}

static void set(time_t seconds)
{
	struct tm tm;

	gmtime_r(&seconds, &tm);
	memset(cmos, 0, sizeof(cmos));
	cmos[0] = bcd(tm.tm_sec);
	cmos[2] = bcd(tm.tm_min);
	cmos[4] = bcd(tm.tm_hour);
	cmos[7] = bcd(tm.tm_mday);
	cmos[8] = bcd(tm.tm_mon + 1);
	cmos[9] = bcd(tm.tm_year % 100);
	cmos[0x32] = bcd(19 + tm.tm_year / 100);
	cmos[0x0b] = 0x02;
	change_at = 0;
	reads = 0;
}

/* A second passes, and with it the year, in the middle of a reading. */
static uint8_t read_cmos(uint8_t index)
{
	if (change_at && ++reads == change_at)
		set(1798761600); /* 2027-01-01 00:00:00 */
	return cmos[index];
}

static uint8_t never_still(uint8_t index)
{
	cmos[0] = bcd((int)(++reads % 60));
	return cmos[index];
}

static void every_day(void)
{
	unsigned wrong = 0;

	for (time_t t = 946684800; t < 4133980800; t += 86399) {
		set(t);
		wrong += pvrom_clock_cmos(read_cmos) != (uint64_t)t;
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void update_in_a_reading(void)
{
	for (unsigned n = 1; n <= 14; n++) {
		set(1798761599);
		change_at = n;
		CU_ASSERT_EQUAL(pvrom_clock_cmos(read_cmos), 1798761600);
	}
}

static void no_clock(void)
{
	memset(cmos, 0xff, sizeof(cmos));
	CU_ASSERT_EQUAL(pvrom_clock_cmos(read_cmos), 0);
	set(1798761600);
	cmos[8] = 0x13;
	CU_ASSERT_EQUAL(pvrom_clock_cmos(read_cmos), 0);
	set(1798761600);
	cmos[0x0b] = 0x06;
	CU_ASSERT_EQUAL(pvrom_clock_cmos(read_cmos), 0);
	set(1798761600);
	CU_ASSERT_EQUAL(pvrom_clock_cmos(never_still), 0);
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "every day of a century", every_day },
		{ "an update in the middle of a reading", update_in_a_reading },
		{ "no clock, or none that makes sense", no_clock },
		{ 0 },
	};

	return tap_run("clock_cmos", tests);
}
