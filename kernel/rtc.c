/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The MC146818 (Motorola data sheet): registers by index and data port, in BCD or binary. Where there is
 * none all reads are ones. An update in progress is waited for only so long.
 */
#include "rtc.h"

#include "cpu.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define REGISTER_A 0x0a
#define A_UPDATING BIT(7)
/* Updating, with the divider held in reset: no such clock. */
#define A_NOBODY 0xff
#define REGISTER_B 0x0b
#define B_24_HOURS BIT(1)
#define B_BINARY BIT(2)
#define CENTURY 0x32 /* on PCs; the FADT may name another place */
#define PM BIT(7)
/* An update takes 2 ms; an access to the ports a microsecond at least. */
#define PATIENCE 10000

static uint8_t read(uint8_t index)
{
	cpu_out8(CMOS_INDEX, index);
	return cpu_in8(CMOS_DATA);
}

struct date {
	uint8_t second, minute, hour, day, month, year, century;
};

static bool wait_for_update(void)
{
	uint8_t a = A_UPDATING;

	for (unsigned i = 0; i < PATIENCE && a & A_UPDATING && a != A_NOBODY; i++)
		a = read(REGISTER_A);
	return !(a & A_UPDATING);
}

static struct date read_date(void)
{
	return (struct date){ .second = read(0),
			      .minute = read(2),
			      .hour = read(4),
			      .day = read(7),
			      .month = read(8),
			      .year = read(9),
			      .century = read(CENTURY) };
}

static uint8_t binary(uint8_t value)
{
	return (uint8_t)((value >> 4) * 10 + (value & 15));
}

static void normalize(struct date *date, uint8_t mode)
{
	uint8_t *value = &date->second;
	bool pm = !(mode & B_24_HOURS) && date->hour & PM;

	if (!(mode & B_24_HOURS))
		date->hour &= (uint8_t)~PM;
	for (unsigned i = 0; !(mode & B_BINARY) && i < sizeof(*date); i++)
		value[i] = binary(value[i]);
	if (!(mode & B_24_HOURS))
		date->hour = (uint8_t)(date->hour % 12 + (pm ? 12 : 0));
}

static bool makes_sense(const struct date *date)
{
	return date->second < 60 && date->minute < 60 && date->hour < 24 && date->day >= 1 &&
	       date->day <= 31 && date->month >= 1 && date->month <= 12 && date->year < 100;
}

/* Days since 1970-01-01 of a date in the Gregorian calendar; years begin with March here. */
static uint64_t days(uint64_t year, uint64_t month, uint64_t day)
{
	uint64_t march_year = year - (month <= 2), march = (month + 9) % 12;

	return 365 * march_year + march_year / 4 - march_year / 100 + march_year / 400 +
	       (153 * march + 2) / 5 + day - 1 - 719468;
}

bool rtc_read(uint64_t *seconds)
{
	struct date date, again;
	unsigned tries = 0;

	do {
		if (!wait_for_update() || ++tries > 4)
			return false;
		date = read_date();
		again = read_date();
	} while (memcmp(&date, &again, sizeof(date)));
	normalize(&date, read(REGISTER_B));
	if (!makes_sense(&date))
		return false;
	/* A clock without a century, or one before 1970, is of this one. */
	if (date.century < 20 || date.century > 99)
		date.century = 20;
	*seconds = days(date.century * 100u + date.year, date.month, date.day) * 86400 +
		   date.hour * 3600u + date.minute * 60u + date.second;
	return true;
}
