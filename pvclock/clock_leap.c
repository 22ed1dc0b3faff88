/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the page says of leap seconds: pvrom's fields as the sample has them, and VMClock's made from them. */
#include "clock_internal.h"

#include "clock_calendar.h"

/* The last second of TAI before the offset changes, and one more: where the leap second is. */
static int64_t leap_tai(const struct pvrom_clock_page *page)
{
	return page->leap_utc_sec - page->utc_offset_sec - (page->leap_sign < 0);
}

/* VMClock's indicator at the base: something about a month before and after the leap second. */
static uint8_t indicator(const struct pvrom_clock_page *page, int64_t tai)
{
	const int64_t first = pvrom_clock_day(page->leap_utc_sec);
	const int64_t day = pvrom_clock_day(tai + page->tai_offset_sec);
	const bool positive = page->leap_sign > 0;
	int64_t left;

	if (tai < leap_tai(page)) {
		if (pvrom_clock_month(day, &left) != pvrom_clock_month(first - 1, &left))
			return PVROM_VMCLOCK_LEAP_NONE;
		return positive ? PVROM_VMCLOCK_LEAP_PRE_POS : PVROM_VMCLOCK_LEAP_PRE_NEG;
	}
	if (positive && tai == leap_tai(page))
		return PVROM_VMCLOCK_LEAP_POS;
	if (pvrom_clock_month(day, &left) != pvrom_clock_month(first, &left))
		return PVROM_VMCLOCK_LEAP_NONE;
	return positive ? PVROM_VMCLOCK_LEAP_POST_POS : PVROM_VMCLOCK_LEAP_POST_NEG;
}

/* What is added to TAI at the base; in the inserted second still the value of before. */
static int16_t offset_at(const struct pvrom_clock_page *page, int64_t tai)
{
	const bool after = page->leap_sign && tai >= leap_tai(page) + (page->leap_sign > 0);

	return (int16_t)(page->utc_offset_sec - (after ? page->leap_sign : 0));
}

/* After the TAI fields have been set. */
void pvrom_clock_leap(struct pvrom_clock_page *page, const struct pvrom_clock_sample *sample)
{
	const bool known = sample->flags & PVROM_CLOCK_SAMPLE_OFFSET;
	const int64_t tai = (int64_t)page->time_sec;

	page->time_type = pvrom_clock_time_type(known);
	page->leap_second_smearing_hint = sample->smearing;
	page->utc_offset_sec = known ? sample->utc_offset_sec : 0;
	page->leap_sign = known ? sample->leap_sign : 0;
	page->leap_utc_sec = page->leap_sign ? sample->leap_utc_sec : 0;
	page->flags &= ~(uint64_t)PVROM_VMCLOCK_TAI_OFFSET_VALID;
	if (known)
		page->flags |= PVROM_VMCLOCK_TAI_OFFSET_VALID;
	page->tai_offset_sec = offset_at(page, tai);
	page->leap_indicator = page->leap_sign ? indicator(page, tai) : PVROM_VMCLOCK_LEAP_NONE;
}
