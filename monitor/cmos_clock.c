/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The CMOS clock of a PC (MC146818), read-only: the host's time in UTC. Guests
 * read the date there when they boot, and wait for seconds if it is not there.
 */
#include "pc_devices.h"

#include <time.h>

#define REGISTER_A 0x0a
#define REGISTER_B 0x0b
#define REGISTER_D 0x0d
#define CENTURY 0x32	/* where PCs have it, and the FADT usually points */
#define A_RATE 0x26	/* 32 kHz divider, 1024 Hz; no update in progress, ever */
#define B_24_HOURS 0x02 /* and BCD */
#define D_VALID 0x80

static uint8_t bcd(int value)
{
	return (uint8_t)(value / 10 % 10 << 4 | value % 10);
}

static int field(const struct tm *now, uint8_t index)
{
	switch (index) {
	case 0: return now->tm_sec;
	case 2: return now->tm_min;
	case 4: return now->tm_hour;
	case 6: return now->tm_wday + 1;
	case 7: return now->tm_mday;
	case 8: return now->tm_mon + 1;
	case 9: return now->tm_year % 100;
	case CENTURY: return now->tm_year / 100 + 19;
	default: return 0;
	}
}

/* A register; alarms, memory cells and whatever else there may be read as 0. */
uint8_t cmos_clock_read(uint8_t index)
{
	time_t seconds = time(NULL);
	struct tm now;

	if (index == REGISTER_A)
		return A_RATE;
	if (index == REGISTER_B)
		return B_24_HOURS;
	if (index == REGISTER_D)
		return D_VALID;
	gmtime_r(&seconds, &now);
	return bcd(field(&now, index));
}
