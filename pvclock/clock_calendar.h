/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The one question about the calendar that leap seconds need: which month a day is in. */
#ifndef PVROM_CLOCK_CALENDAR_H
#define PVROM_CLOCK_CALENDAR_H

#include <stdint.h>

#define SEC_PER_DAY 86400

/* The day of a time in seconds since 1970, rounded down. */
static inline int64_t pvrom_clock_day(int64_t sec)
{
	return (sec - (sec < 0 ? SEC_PER_DAY - 1 : 0)) / SEC_PER_DAY;
}

/*
 * The number of the month that a day (since 1970-01-01) is in, counted from March of the year 0, and in *left
 * the days from it to the month's end, itself included. Years are taken from March to February, so that
 * the day that comes and goes is the last one; in these, 153 days are five months.
 */
static inline int64_t pvrom_clock_month(int64_t day, int64_t *left)
{
	const int64_t since = day + 719468; /* from 0000-03-01 */
	const int64_t era = (since - (since < 0 ? 146096 : 0)) / 146097;
	const int64_t in_era = since - era * 146097;
	const int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	const int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	const int64_t month = (5 * in_year + 2) / 153;
	const int64_t leap = year % 4 == 3 && (year % 100 != 99 || year == 399);
	const int64_t end = month == 11 ? 365 + leap : (153 * (month + 1) + 2) / 5;

	*left = end - in_year;
	return (era * 400 + year) * 12 + month;
}

#endif
