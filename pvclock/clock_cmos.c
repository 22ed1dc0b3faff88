/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The date that a PC's CMOS clock shows (Motorola MC146818), for hosts without any other. */
#include <pvrom/clock_host.h>

#define MODE 0x0b /* register B: 24 hours, binary */
#define MODE_MASK 0x06
#define MODE_24_HOURS_BCD 0x02
#define FIELDS 7u
#define TRIES 100u /* a reading takes longer than the update of the clock that spoils it */

enum { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, CENTURY };

static void read_once(uint8_t (*read)(uint8_t index), uint8_t value[FIELDS])
{
	static const uint8_t index[FIELDS] = { 0, 2, 4, 7, 8, 9, 0x32 };
	uint32_t i;

	for (i = 0; i < FIELDS; i++) {
		uint8_t bcd = read(index[i]);

		value[i] = (uint8_t)((bcd >> 4) * 10 + (bcd & 15));
	}
}

static bool are_equal(const uint8_t a[FIELDS], const uint8_t b[FIELDS])
{
	uint32_t i;

	for (i = 0; i < FIELDS; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static bool is_date(const uint8_t v[FIELDS])
{
	return v[SECOND] < 60 && v[MINUTE] < 60 && v[HOUR] < 24 && v[DAY] >= 1 && v[DAY] <= 31 &&
	       v[MONTH] >= 1 && v[MONTH] <= 12 && v[YEAR] < 100;
}

/* Days since 1970-01-01. Years begin with March, so that the day that comes and goes is their last. */
static uint64_t days(uint64_t year, uint64_t month, uint64_t day)
{
	const uint64_t early = month <= 2, march = month + 12 * early - 3;

	year -= early;
	return 365 * year + year / 4 - year / 100 + year / 400 + (153 * march + 2) / 5 + day - 1 -
	       719468;
}

/* A clock whose century is none, or before this project, is of this one. */
static uint64_t seconds(const uint8_t v[FIELDS])
{
	const uint64_t century = v[CENTURY] >= 20 && v[CENTURY] < 100 ? v[CENTURY] : 20;

	return ((days(century * 100 + v[YEAR], v[MONTH], v[DAY]) * 24 + v[HOUR]) * 60 + v[MINUTE]) *
		       60 +
	       v[SECOND];
}

uint64_t pvrom_clock_cmos(uint8_t (*read)(uint8_t index))
{
	uint8_t now[FIELDS], before[FIELDS];
	uint32_t tries;

	if ((read(MODE) & MODE_MASK) != MODE_24_HOURS_BCD)
		return 0;
	read_once(read, now);
	for (tries = 0; tries < TRIES; tries++) {
		__builtin_memcpy(before, now, sizeof(now));
		read_once(read, now);
		if (are_equal(now, before))
			return is_date(now) ? seconds(now) : 0;
	}
	return 0;
}
