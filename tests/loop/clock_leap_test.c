/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Leap seconds of both signs: strict UTC, both smears, and what a reader makes of VMClock's part alone. */
#include "clock_world.h"

#include <time.h>

#include "../../pvclock/clock_calendar.h"

/* 2017-01-01 00:00:00 UTC, before which a second was inserted; TAI - UTC was 36 and became 37. */
#define MIDNIGHT INT64_C(1483228800)
#define BEFORE 36

static struct clock_world w;

/* A reading `since` seconds (of TAI) after the last second before the leap has ended, at nsec. */
static struct pvrom_clock_reading at(int32_t sign, int64_t since, uint32_t nsec)
{
	return (struct pvrom_clock_reading){
		.status = PVROM_CLOCK_SYNCHRONIZED,
		.tai_sec = (uint64_t)(MIDNIGHT + BEFORE - (sign < 0) + since),
		.tai_nsec = nsec,
		.offset_known = true,
		.utc_offset_sec = -BEFORE,
		.leap_sign = sign,
		.leap_utc_sec = MIDNIGHT,
	};
}

static bool is(int32_t sign, uint32_t smearing, int64_t since, uint32_t nsec, int64_t sec,
	       uint32_t want_nsec, uint32_t leap)
{
	const struct pvrom_clock_reading r = at(sign, since, nsec);
	struct pvrom_clock_date date;

	if (pvrom_clock_utc(&r, smearing, &date) && date.sec == MIDNIGHT + sec &&
	    date.nsec == want_nsec && date.leap == leap)
		return true;
	tap_note("sign %d smear %u since %lld.%09u: %lld.%09u leap %u", sign, smearing,
		 (long long)since, nsec, (long long)(date.sec - MIDNIGHT), date.nsec, date.leap);
	return false;
}

#define IS(...) CU_ASSERT_TRUE(is(__VA_ARGS__))

static void inserted(void)
{
	IS(1, PVROM_CLOCK_STRICT, -1, 999999999, -1, 999999999, 0);
	IS(1, PVROM_CLOCK_STRICT, 0, 0, -1, 0, 1);
	IS(1, PVROM_CLOCK_STRICT, 0, 999999999, -1, 999999999, 1);
	IS(1, PVROM_CLOCK_STRICT, 1, 0, 0, 0, 0);
	IS(1, PVROM_CLOCK_STRICT, 100000, 5, 99999, 5, 0);
	IS(1, PVROM_CLOCK_STRICT, -100000, 5, -100000, 5, 0);
}

static void left_out(void)
{
	IS(-1, PVROM_CLOCK_STRICT, -1, 999999999, -2, 999999999, 0);
	IS(-1, PVROM_CLOCK_STRICT, 0, 0, 0, 0, 0);
	IS(-1, PVROM_CLOCK_STRICT, 100000, 7, 100000, 7, 0);
}

static void no_leap(void)
{
	IS(0, PVROM_CLOCK_STRICT, 0, 3, 0, 3, 0);
	IS(0, PVROM_CLOCK_NOON_LINEAR, 0, 3, 0, 3, 0);
	IS(0, PVROM_CLOCK_UTC_SLS, 0, 3, 0, 3, 0);
}

/* 86,401 seconds pass while 86,400 are counted, or 86,399: half of the leap at midnight. */
static void noon_linear(void)
{
	IS(1, PVROM_CLOCK_NOON_LINEAR, -43200, 0, -43200, 0, 0);
	IS(1, PVROM_CLOCK_NOON_LINEAR, -43201, 5, -43201, 5, 0);
	IS(1, PVROM_CLOCK_NOON_LINEAR, 0, 500000000, 0, 0, 0);
	IS(1, PVROM_CLOCK_NOON_LINEAR, 43201, 0, 43200, 0, 0);
	IS(1, PVROM_CLOCK_NOON_LINEAR, 43201, 9, 43200, 9, 0);
	IS(-1, PVROM_CLOCK_NOON_LINEAR, -43199, 0, -43200, 0, 0);
	IS(-1, PVROM_CLOCK_NOON_LINEAR, 0, 500000000, 0, 0, 0);
	IS(-1, PVROM_CLOCK_NOON_LINEAR, 43200, 0, 43200, 0, 0);
}

/* 1,000 seconds, each 1 ms longer or shorter, ending at midnight. */
static void utc_sls(void)
{
	IS(1, PVROM_CLOCK_UTC_SLS, -999, 0, -999, 0, 0);
	IS(1, PVROM_CLOCK_UTC_SLS, -499, 0, -500, 500000000, 0);
	IS(1, PVROM_CLOCK_UTC_SLS, 0, 0, -1, 1000000, 0);
	IS(1, PVROM_CLOCK_UTC_SLS, 1, 0, 0, 0, 0);
	IS(-1, PVROM_CLOCK_UTC_SLS, -1000, 0, -1001, 0, 0);
	IS(-1, PVROM_CLOCK_UTC_SLS, -500, 0, -501, 500000000, 0);
	IS(-1, PVROM_CLOCK_UTC_SLS, 0, 0, 0, 0, 0);
}

/* A smeared clock never goes back, never runs off by more than its rate, and meets UTC at both ends. */
static void smears_are_continuous(void)
{
	struct pvrom_clock_reading r;
	struct pvrom_clock_date date, last;
	uint32_t smearing;
	int64_t i, step;
	int32_t sign;

	for (smearing = PVROM_CLOCK_NOON_LINEAR; smearing <= PVROM_CLOCK_UTC_SLS; smearing++)
		for (sign = -1; sign <= 1; sign += 2) {
			r = at(sign, -50000, 0);
			CU_ASSERT_TRUE(pvrom_clock_utc(&r, smearing, &last));
			for (i = -100000 + 1; i < 100000; i++) {
				r = at(sign, (i - (i & 1)) / 2, i & 1 ? 500000000 : 0);
				CU_ASSERT_TRUE(pvrom_clock_utc(&r, smearing, &date));
				step = (date.sec - last.sec) * 1000000000 + date.nsec - last.nsec;
				if (step < 499000000 || step > 501000000) {
					CU_FAIL("a step");
					return;
				}
				last = date;
			}
		}
}

/* ---- months ------------------------------------------------------------------------------------ */

/* Against the C library, from 1900 to 2500: the month changes when it should, and its days left are right. */
static void months(void)
{
	int64_t day, left, month, last = 0;

	for (day = -25567; day < 193000; day++) {
		time_t seconds = day * SEC_PER_DAY;
		struct tm tm, end;

		gmtime_r(&seconds, &tm);
		month = pvrom_clock_month(day, &left);
		if (day > -25567 && (month == last + 1) != (tm.tm_mday == 1)) {
			CU_FAIL("a month began on another day");
			return;
		}
		seconds += (left - 1) * SEC_PER_DAY;
		gmtime_r(&seconds, &end);
		seconds += SEC_PER_DAY;
		gmtime_r(&seconds, &tm);
		if (tm.tm_mday != 1 || end.tm_mday == 1) {
			CU_FAIL("a month ends on another day");
			return;
		}
		last = month;
	}
	CU_ASSERT_EQUAL(pvrom_clock_day(-1), -1);
	CU_ASSERT_EQUAL(pvrom_clock_day(0), 0);
	CU_ASSERT_EQUAL(pvrom_clock_day(-86400), -1);
	CU_ASSERT_EQUAL(pvrom_clock_day(86399), 0);
}

/* ---- VMClock's fields -------------------------------------------------------------------------- */

/* Writes a page with its base `since` seconds after the leap. */
static void write_page(int32_t sign, int64_t since)
{
	struct pvrom_clock_sample sample;

	clock_open(&w, HZ, 0);
	clock_sample(&w, (uint64_t)(MIDNIGHT + BEFORE - (sign < 0) + since), &sample);
	sample.utc_offset_sec = -BEFORE;
	sample.leap_sign = sign;
	sample.leap_utc_sec = sign ? MIDNIGHT : 0;
	sample.smearing = PVROM_CLOCK_UTC_SLS;
	CU_ASSERT_EQUAL(pvrom_clock_writer_update(&w.writer, &sample), PVROM_CLOCK_OK);
}

/* [PVROM-CLOCK-29] */
static void indicator(void)
{
	static const struct {
		int32_t sign;
		int64_t since;
		uint8_t indicator;
		int16_t offset;
	} lines[] = {
		{ 1, -86400 * 31 - 1, PVROM_VMCLOCK_LEAP_NONE, -36 },
		{ 1, -86400 * 31, PVROM_VMCLOCK_LEAP_PRE_POS, -36 },
		{ 1, -1, PVROM_VMCLOCK_LEAP_PRE_POS, -36 },
		{ 1, 0, PVROM_VMCLOCK_LEAP_POS, -36 },
		{ 1, 1, PVROM_VMCLOCK_LEAP_POST_POS, -37 },
		{ 1, 86400 * 31, PVROM_VMCLOCK_LEAP_POST_POS, -37 },
		{ 1, 86400 * 31 + 1, PVROM_VMCLOCK_LEAP_NONE, -37 },
		{ -1, -86400 * 31, PVROM_VMCLOCK_LEAP_NONE, -36 },
		{ -1, -86400 * 31 + 1, PVROM_VMCLOCK_LEAP_PRE_NEG, -36 },
		{ -1, -1, PVROM_VMCLOCK_LEAP_PRE_NEG, -36 },
		{ -1, 0, PVROM_VMCLOCK_LEAP_POST_NEG, -35 },
		{ -1, 86400 * 31 - 1, PVROM_VMCLOCK_LEAP_POST_NEG, -35 },
		{ -1, 86400 * 31, PVROM_VMCLOCK_LEAP_NONE, -35 },
		{ 0, 0, PVROM_VMCLOCK_LEAP_NONE, -36 },
	};
	uint32_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		write_page(lines[i].sign, lines[i].since);
		CU_ASSERT_EQUAL(page_of(&w)->leap_indicator, lines[i].indicator);
		CU_ASSERT_EQUAL(page_of(&w)->tai_offset_sec, lines[i].offset);
		CU_ASSERT_EQUAL(page_of(&w)->leap_second_smearing_hint, PVROM_CLOCK_UTC_SLS);
	}
}

/* The page, and the same without pvrom's part: for bases and times around the leap, the same UTC. */
static void vmclock_alone(void)
{
	static const int64_t times[] = {
		-86400, -43200, -1001, -500, -1, 0, 1, 2, 500, 43200, 86400
	};
	struct pvrom_clock_reading r, v;
	struct pvrom_clock_date a, b;
	uint32_t i, j, smearing;
	int32_t sign;

	for (sign = -1; sign <= 1; sign++)
		for (i = 0; i < 11; i++)
			for (j = i; j < 11; j++) {
				write_page(sign, times[i]);
				memset(&r, 0, sizeof(r));
				memset(&v, 0, sizeof(v));
				read_at(page_of(&w), 1001 + (uint64_t)(times[j] - times[i]) * HZ,
					&r);
				page_of(&w)->clock_magic = 0;
				read_at(page_of(&w), 1001 + (uint64_t)(times[j] - times[i]) * HZ,
					&v);
				CU_ASSERT_EQUAL(v.monotonic_ns, PVROM_CLOCK_NONE);
				for (smearing = 0; smearing <= PVROM_CLOCK_UTC_SLS; smearing++) {
					CU_ASSERT_TRUE(pvrom_clock_utc(&r, smearing, &a));
					CU_ASSERT_TRUE(pvrom_clock_utc(&v, smearing, &b));
					CU_ASSERT_TRUE(a.sec == b.sec && a.nsec == b.nsec &&
						       a.leap == b.leap);
				}
			}
}

/* Whatever the hint says, a second of TAI is a second, before, in and after a leap second. [PVROM-CLOCK-27] */
static void tai_is_not_smeared(void)
{
	struct pvrom_clock_reading r = { .marker = 0 };
	struct pvrom_clock_sample sample;
	uint32_t hint, second;

	for (hint = PVROM_CLOCK_STRICT; hint <= PVROM_CLOCK_UTC_SLS; hint++) {
		clock_open(&w, HZ, 0);
		for (second = 0; second < 2000; second += 100) {
			const uint64_t tai = (uint64_t)MIDNIGHT + BEFORE - 1000 + second;

			clock_sample(&w, tai, &sample);
			sample.smearing = (uint8_t)hint;
			sample.utc_offset_sec = -BEFORE;
			sample.leap_utc_sec = MIDNIGHT;
			sample.leap_sign = 1;
			CU_ASSERT_EQUAL(pvrom_clock_writer_update(&w.writer, &sample),
					PVROM_CLOCK_OK);
			read_at(page_of(&w), w.tsc, &r);
			CU_ASSERT_TRUE((r.tai_sec == tai && r.tai_nsec < 10) ||
				       (r.tai_sec == tai - 1 && r.tai_nsec > 999999990));
			CU_ASSERT_EQUAL(r.smearing, hint);
			w.tsc += 100 * HZ;
		}
	}
}

/* A VMClock that counts UTC, which its text advises against. */
static void vmclock_of_utc(void)
{
	struct pvrom_clock_reading r = { .marker = 0 };
	struct pvrom_clock_date date;

	write_page(0, 0);
	page_of(&w)->clock_magic = 0;
	page_of(&w)->time_type = PVROM_VMCLOCK_TIME_UTC;
	read_at(page_of(&w), 1001, &r);
	CU_ASSERT_TRUE(r.offset_known);
	CU_ASSERT_EQUAL(r.tai_sec, (uint64_t)MIDNIGHT + BEFORE + BEFORE);
	CU_ASSERT_TRUE(pvrom_clock_utc(&r, PVROM_CLOCK_STRICT, &date));
	CU_ASSERT_EQUAL(date.sec, MIDNIGHT + BEFORE);
	page_of(&w)->flags &= ~(uint64_t)PVROM_VMCLOCK_TAI_OFFSET_VALID;
	read_at(page_of(&w), 1001, &r);
	CU_ASSERT_FALSE(r.offset_known);
	CU_ASSERT_TRUE(pvrom_clock_utc(&r, PVROM_CLOCK_STRICT, &date));
	CU_ASSERT_EQUAL(date.sec, MIDNIGHT + BEFORE);
}

/* What a sample says, from a host that is off by a minute at most. */
static void say(int64_t sec, bool known, uint32_t status)
{
	struct pvrom_clock_sample sample;

	clock_sample(&w, (uint64_t)sec, &sample);
	sample.flags = known ? PVROM_CLOCK_SAMPLE_OFFSET : 0;
	sample.maxerror_ns = UINT64_C(60000000000);
	sample.status = status;
	CU_ASSERT_EQUAL(pvrom_clock_writer_update(&w.writer, &sample), PVROM_CLOCK_OK);
}

/* A host that does not know TAI counts UTC, and says so. [PVROM-CLOCK-46] */
static void offset_not_known(void)
{
	struct pvrom_clock_reading r = { .marker = 0 };
	struct pvrom_clock_date date;

	clock_open(&w, HZ, 0);
	CU_ASSERT_EQUAL(page_of(&w)->time_type, PVROM_VMCLOCK_TIME_UTC);
	say(MIDNIGHT, false, PVROM_CLOCK_SYNCHRONIZED);
	CU_ASSERT_EQUAL(page_of(&w)->time_type, PVROM_VMCLOCK_TIME_UTC);
	read_at(page_of(&w), 1001, &r);
	CU_ASSERT_FALSE(r.offset_known);
	CU_ASSERT_TRUE(pvrom_clock_utc(&r, PVROM_CLOCK_NOON_LINEAR, &date));
	CU_ASSERT_EQUAL(date.sec, MIDNIGHT);
	/* To a reader of VMClock alone it is a page of UTC. */
	page_of(&w)->clock_magic = 0;
	read_at(page_of(&w), 1001, &r);
	CU_ASSERT_TRUE(pvrom_clock_utc(&r, PVROM_CLOCK_STRICT, &date));
	CU_ASSERT_EQUAL(date.sec, MIDNIGHT);
}

/* The marker changes with the time that is counted, though the bounds of both would fit each other; and by 37 s
 * more or less the machine was not suspended, nor is monotonic time slewed for it. [PVROM-CLOCK-47] */
static void offset_gets_known(void)
{
	struct pvrom_clock_sample sample;
	struct pvrom_clock_reading r = { .marker = 0 };
	uint64_t period;

	clock_open(&w, HZ, 0);
	say(MIDNIGHT, false, PVROM_CLOCK_SYNCHRONIZED);
	period = page_of(&w)->mono_period;
	read_at(page_of(&w), w.tsc, &r);
	say(MIDNIGHT, false, PVROM_CLOCK_SYNCHRONIZED);
	read_at(page_of(&w), w.tsc, &r);
	CU_ASSERT_FALSE(r.disrupted);
	say(MIDNIGHT + 37, true, PVROM_CLOCK_SYNCHRONIZED);
	CU_ASSERT_EQUAL(page_of(&w)->time_type, PVROM_VMCLOCK_TIME_TAI);
	CU_ASSERT_EQUAL(page_of(&w)->mono_period, period);
	read_at(page_of(&w), w.tsc, &r);
	CU_ASSERT_TRUE(r.disrupted && r.offset_known);
	CU_ASSERT_TRUE(r.tai_sec == (uint64_t)MIDNIGHT + 37 || r.tai_nsec > 999999990);
	CU_ASSERT_TRUE(r.maxerror_ns < UINT64_C(60000000100));
	/* Without a promise it is void as soon. */
	say(MIDNIGHT, false, PVROM_CLOCK_UNRELIABLE);
	read_at(page_of(&w), w.tsc, &r);
	CU_ASSERT_TRUE(r.disrupted);
	say(MIDNIGHT + 37, true, PVROM_CLOCK_SYNCHRONIZED);
	CU_ASSERT_EQUAL(pvrom_clock_writer_pause(&w.writer), PVROM_CLOCK_OK);
	clock_sample(&w, (uint64_t)MIDNIGHT + 100, &sample);
	sample.flags = 0;
	CU_ASSERT_EQUAL(pvrom_clock_writer_resume(&w.writer, &sample, false), PVROM_CLOCK_OK);
	CU_ASSERT_EQUAL(page_of(&w)->suspended_ns, 0);
	CU_ASSERT_EQUAL(page_of(&w)->time_type, PVROM_VMCLOCK_TIME_UTC);
}

/* A saved clock counts what it counted. */
static void offset_saved(void)
{
	uint8_t image[PVROM_CLOCK_IMAGE_SIZE];
	uint32_t known;

	for (known = 0; known < 2; known++) {
		clock_open(&w, HZ, 0);
		say(MIDNIGHT, known, PVROM_CLOCK_SYNCHRONIZED);
		CU_ASSERT_EQUAL(pvrom_clock_writer_pause(&w.writer), PVROM_CLOCK_OK);
		pvrom_clock_writer_save(&w.writer, image);
		clock_open(&w, HZ, 0);
		say(MIDNIGHT, !known, PVROM_CLOCK_SYNCHRONIZED);
		CU_ASSERT_EQUAL(pvrom_clock_writer_load(&w.writer, image, sizeof(image)),
				PVROM_CLOCK_OK);
		CU_ASSERT_EQUAL(pvrom_clock_writer_resume(&w.writer, NULL, true), PVROM_CLOCK_OK);
		CU_ASSERT_EQUAL(page_of(&w)->time_type,
				known ? PVROM_VMCLOCK_TIME_TAI : PVROM_VMCLOCK_TIME_UTC);
	}
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "a second is inserted", inserted },
		{ "a second is left out", left_out },
		{ "no leap second is near", no_leap },
		{ "linear from noon to noon", noon_linear },
		{ "UTC-SLS", utc_sls },
		{ "smears never step", smears_are_continuous },
		{ "months are those of the calendar", months },
		{ "VMClock's indicator and offset", indicator },
		{ "VMClock's part alone tells the same UTC", vmclock_alone },
		{ "TAI is not smeared", tai_is_not_smeared },
		{ "a VMClock of UTC", vmclock_of_utc },
		{ "a host without the offset", offset_not_known },
		{ "it gets to know the offset", offset_gets_known },
		{ "and is saved with and without it", offset_saved },
		{ 0 }
	};

	return tap_run("clock_leap", tests);
}
