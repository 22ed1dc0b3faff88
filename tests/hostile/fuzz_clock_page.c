/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "clock_page": a guest that reads a clock page which no honest host has written. An input is a list of
 * changes to a page that was right: where (2 bytes), how wide, what.
 *
 * Promised (PVROM-CLOCK-21, PVROM-CLOCK-22, PVROM-CLOCK-25), whatever the bytes: each read ends; what it says is what a
 * second opinion, made from the text of the specification, says of the page at the same TSC; a page
 * that cannot be read gives neither a time nor a part of one; times of day are in range.
 */
#define PVROM_CLOCK_TRIES 3
/* The source itself, for its number of tries is a constant of it. */
#include "../../pvclock/clock_guest.c" /* NOLINT(bugprone-suspicious-include) */

#include <pvrom/vcpu.h>

#include "hostile.h"

#define ROOM 0x280

static union {
	struct pvrom_clock_page page;
	struct pvrom_vcpu_area area;
	uint8_t byte[PVROM_CLOCK_PAGE_SIZE];
} u;

/* ---- planted faults: what a reader would say that has made a mistake ------------------------------ */

const char *const hostile_faults[] = {
	"takes-odd-sequence",
	"takes-period-0",
	"takes-any-shift",
	"takes-any-status",
	"seconds-of-32-bits",
	"bound-made-up",
	"below-the-base",
	"low-part-forgotten",
	"not-kept-is-taken",
	"part-of-a-reading",
	NULL,
};

enum { ODD = 1, PERIOD_0, ANY_SHIFT, ANY_STATUS, SECONDS_32, BOUND, BELOW, LOW, NOT_KEPT, PART };
static uint32_t planted;

void hostile_plant(const char *fault)
{
	uint32_t i;

	for (i = 0; hostile_faults[i]; i++)
		if (!strcmp(fault, hostile_faults[i]))
			planted = i + 1;
}

/* ---- the second opinion ------------------------------------------------------------------------ */

static uint64_t at(uint32_t offset, uint32_t size)
{
	struct input in = { u.byte + offset, size };

	return take(&in, size);
}

static uint64_t ticks_since(uint64_t tsc, uint64_t base)
{
	if (tsc < base && planted != BELOW)
		return 0;
	return tsc - base;
}

static bool has_tai(void)
{
	if (planted == PERIOD_0 && !at(0x30, 8))
		return true;
	if (planted == ANY_SHIFT && at(0x27, 1) > 63)
		return true;
	if (planted == ANY_STATUS && at(0x22, 1) > 4)
		return true;
	return at(0x00, 4) == 0x4b4c4356 && at(0x0a, 1) == 1 && at(0x0b, 1) <= 1 &&
	       at(0x22, 1) <= 4 && at(0x27, 1) <= 63 && at(0x30, 8);
}

static bool is_pvroms(void)
{
	return at(0x200, 8) == UINT64_C(0x6b6c634d4f527670);
}

static bool has_mono(void)
{
	const uint64_t shift = at(0x214, 4);

	if (planted == NOT_KEPT && is_pvroms())
		return true;
	return is_pvroms() && at(0x210, 4) & 1 && shift >= 1 && shift <= 64 && at(0x220, 8);
}

/* In full: the reader tells the low half. */
static unsigned __int128 mono_wide(uint64_t tsc)
{
	const uint32_t shift = (uint32_t)at(0x214, 4);
	unsigned __int128 sum;

	sum = (unsigned __int128)ticks_since(tsc, at(0x218, 8)) * at(0x220, 8);
	if (planted != LOW)
		sum += at(0x230, 8);
	return (sum >> (shift & 127)) + at(0x228, 8);
}

static uint64_t mono(uint64_t tsc)
{
	return has_mono() ? (uint64_t)mono_wide(tsc) : UINT64_MAX;
}

static uint32_t status(void)
{
	if (!has_tai() || (is_pvroms() && !has_mono()))
		return PVROM_CLOCK_UNAVAILABLE;
	return (uint32_t)at(0x22, 1);
}

/* Of TAI as VMClock counts it: 2^-64 s. A VMClock of UTC without pvrom's part is told as TAI. */
static void check_tai(const struct pvrom_clock_reading *r)
{
	const unsigned __int128 sum =
		((unsigned __int128)ticks_since(r->tsc, at(0x28, 8)) * at(0x30, 8) >>
		 (at(0x27, 1) & 63)) +
		at(0x50, 8);
	uint64_t sec = at(0x48, 8) + (uint64_t)(sum >> 64);

	if (!is_pvroms() && !at(0x0b, 1) && at(0x18, 8) & 1)
		sec -= (uint64_t)(int64_t)(int16_t)at(0x24, 2);
	if (planted == SECONDS_32)
		sec = (uint32_t)sec;
	PROMISE(r->tai_sec == sec);
	PROMISE(r->tai_nsec == (uint32_t)((sum & UINT64_MAX) * 1000000000 >> 64));
}

/* A bound where both parts of it are valid, and never less than the page says. */
static void check_bound(const struct pvrom_clock_reading *r)
{
	const unsigned __int128 growth =
		(unsigned __int128)ticks_since(r->tsc, at(0x28, 8)) * at(0x40, 8) >>
		(at(0x27, 1) & 63);
	const uint64_t error = at(0x60, 8);
	const uint64_t told = planted == BOUND ? 0 : r->maxerror_ns;

	if ((at(0x18, 8) & 0x50) != 0x50)
		PROMISE(told == UINT64_MAX);
	if (told == UINT64_MAX || growth >> 96)
		return;
	PROMISE(told >= error && told - error >= (uint64_t)(growth >> 64) * 1000000000);
}

/* ---- reading ----------------------------------------------------------------------------------- */

static void check_nothing(const struct pvrom_clock_reading *r, uint64_t ns)
{
	if (planted == ODD)
		ns = 5;
	PROMISE(r->status == PVROM_CLOCK_UNAVAILABLE && r->maxerror_ns == UINT64_MAX);
	PROMISE(ns == UINT64_MAX && (planted == PART ? 0 : r->monotonic_ns) == UINT64_MAX);
}

static void check_dates(const struct pvrom_clock_reading *r)
{
	struct pvrom_clock_date date = { .sec = 1 };
	uint32_t smearing;

	for (smearing = 0; smearing < 4; smearing++) {
		if (!pvrom_clock_utc(r, smearing, &date))
			continue;
		PROMISE(r->status != PVROM_CLOCK_UNAVAILABLE);
		PROMISE(date.nsec < 1000000000 && date.leap <= 1);
		if (!r->leap_sign)
			PROMISE(date.sec == (int64_t)r->tai_sec + r->utc_offset_sec);
	}
}

static void check_reading(void)
{
	struct pvrom_clock_reading r = { .marker = 7 };
	uint64_t zero, before = pvrom_clock_tsc_(&zero), ns = pvrom_clock_page_monotonic(&u.page);
	const uint64_t between = pvrom_clock_tsc_(&zero);
	const uint32_t said = pvrom_clock_page_read(&u.page, &r);

	PROMISE(said == r.status);
	if (at(0x0c, 4) & 1) {
		check_nothing(&r, ns);
		return;
	}
	PROMISE(r.tsc >= between && r.tsc <= pvrom_clock_tsc_(&zero));
	PROMISE(r.status == status() && r.monotonic_ns == mono(r.tsc));
	PROMISE(r.marker == at(0x10, 8) && r.disrupted == (r.marker != 7));
	if (has_tai())
		check_tai(&r);
	if (r.status != PVROM_CLOCK_UNAVAILABLE)
		check_bound(&r);
	/* At some TSC between the two; where the function does not wrap, so are the times. */
	if (!has_mono())
		PROMISE(ns == UINT64_MAX);
	else if (!(mono_wide(between) >> 64))
		PROMISE(ns >= mono(before) && ns <= mono(between));
	check_dates(&r);
}

static void check_others(size_t size)
{
	const uint32_t has = pvrom_clock_page_check(&u.page, size);
	struct pvrom_clock_vcpu_reading vcpu;
	struct pvrom_clock_vcpu_calls calls;
	struct pvrom_clock_alone alone;

	PROMISE(!(has & ~(uint32_t)(PVROM_CLOCK_HAS_TAI | PVROM_CLOCK_HAS_MONOTONIC)));
	if (has & PVROM_CLOCK_HAS_TAI)
		PROMISE(has_tai());
	if (has & PVROM_CLOCK_HAS_MONOTONIC)
		PROMISE(has_mono() && size >= ROOM);
	if (pvrom_clock_alone_take(&u.page, &alone))
		PROMISE(has_mono() && at(0x210, 4) & 2 && alone.epoch == at(0x240, 8));
	if (pvrom_clock_vcpu_read(&u.area, &vcpu))
		PROMISE(!(at(0x80, 4) & 1) && vcpu.available_ns + vcpu.stolen_ns == vcpu.real_ns);
	if (pvrom_clock_vcpu_calls(&u.area, &calls))
		PROMISE(!(at(0x80, 4) & 1) && !memcmp(calls.made, u.byte + 0x100, 0x700));
}

/* ---- pages ------------------------------------------------------------------------------------- */

/* Synchronized since a few seconds, whatever the TSC is. */
static void right_page(void)
{
	uint64_t zero, tsc = pvrom_clock_tsc_(&zero);

	memset(&u, 0, sizeof(u));
	pvrom_clock_page_make(&u.page, tsc - tsc / 4, 2600000000, 1000000000);
	u.page.counter_id = PVROM_VMCLOCK_COUNTER_TSC;
	u.page.clock_status = PVROM_CLOCK_SYNCHRONIZED;
	u.page.flags = 0x151;
	u.page.counter_period_shift = 31;
	u.page.counter_value = tsc - tsc / 4;
	u.page.counter_period_frac_sec = UINT64_C(0xd2e0d2e0d2e0d2e0);
	u.page.counter_period_maxerror_rate_frac_sec = 1 << 20;
	u.page.time_sec = 1795262437;
	u.page.time_maxerror_nanosec = 1000;
	u.page.tai_offset_sec = -37;
	u.page.utc_offset_sec = -37;
}

static void change(struct input *in)
{
	const uint32_t where = take16(in) % (ROOM - 7), size = 1u << (take8(in) & 3);
	const uint64_t what = take(in, size);

	memcpy(u.byte + where, &what, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	right_page();
	while (in.left)
		change(&in);
	check_reading();
	check_others(PVROM_CLOCK_PAGE_SIZE);
	check_others(size % 0x300);
	return 0;
}
