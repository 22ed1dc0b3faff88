/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The reader's parts that need not be quick: looking at a page, leap seconds, times of day, the vCPU area. */
#include <pvrom/abi.h>
#include <pvrom/clock_guest.h>

#include "clock_calendar.h"
#include "clock_math.h"

/* VMClock's first version, before it had a generation counter. */
#define VMCLOCK_SIZE_MIN 0x68

/* ---- making a page, and looking at one ------------------------------------------------------- */

bool pvrom_clock_page_make(struct pvrom_clock_page *page, uint64_t tsc, uint64_t rate_ticks,
			   uint64_t rate_ns)
{
	struct pvrom_clock_period period;

	if (!pvrom_clock_rate_ok(rate_ticks, rate_ns))
		return false;
	pvrom_clock_rate(rate_ticks, rate_ns, &period);
	*page = (struct pvrom_clock_page){
		.magic = PVROM_VMCLOCK_MAGIC,
		.size = sizeof(*page),
		.version = PVROM_VMCLOCK_VERSION,
		.counter_id = PVROM_VMCLOCK_COUNTER_INVALID,
		.time_type = PVROM_VMCLOCK_TIME_TAI,
		.disruption_marker = 1,
		.clock_magic = PVROM_CLOCK_MAGIC,
		.clock_size = sizeof(*page) - PVROM_CLOCK_PART,
		.clock_major = PVROM_MAJOR,
		.clock_minor = PVROM_MINOR,
		.clock_flags = PVROM_CLOCK_KEPT,
		.mono_shift = period.mono_shift,
		.mono_tsc = tsc,
		.mono_period = period.mono,
	};
	return true;
}

uint32_t pvrom_clock_page_check(const void *where, size_t size)
{
	const struct pvrom_clock_page *page = where;
	uint32_t told, found = 0;

	if (size < VMCLOCK_SIZE_MIN || page->magic != PVROM_VMCLOCK_MAGIC)
		return 0;
	told = page->size;
	if (told < VMCLOCK_SIZE_MIN || told > size || page->version != PVROM_VMCLOCK_VERSION)
		return 0;
	if (pvrom_clock_tai_kept_(page))
		found |= PVROM_CLOCK_HAS_TAI;
	if (told >= sizeof(*page) && page->clock_major == PVROM_MAJOR &&
	    pvrom_clock_mono_load_(page).kept)
		found |= PVROM_CLOCK_HAS_MONOTONIC;
	return found;
}

bool pvrom_clock_alone_take(const struct pvrom_clock_page *page, struct pvrom_clock_alone *alone)
{
	uint32_t tries;

	for (tries = 0; tries < PVROM_CLOCK_TRIES; tries++) {
		const uint32_t seq = pvrom_clock_seq_(&page->seq_count);
		const bool good = pvrom_clock_mono_load_(page).kept &&
				  (page->clock_flags & PVROM_CLOCK_TSC_ALONE);

		*alone = (struct pvrom_clock_alone){
			.tsc = page->mono_tsc,
			.period = page->mono_period,
			.ns = page->mono_ns,
			.low = page->mono_low,
			.epoch = page->epoch,
			.shift = page->mono_shift,
		};
		if (pvrom_clock_same_(&page->seq_count, 0, seq))
			return good;
		__builtin_ia32_pause();
	}
	return false;
}

/* ---- leap seconds ---------------------------------------------------------------------------- */

/* The base as UTC, whatever its type; the offset is as Linux has it, added to TAI. */
static int64_t base_utc(const struct pvrom_clock_page *page, int32_t offset)
{
	const int64_t base = (int64_t)page->time_sec;

	return page->time_type == PVROM_VMCLOCK_TIME_UTC ? base : base + offset;
}

/* The midnight that the indicator means, and the sign of the leap second there. */
static void from_indicator(const struct pvrom_clock_page *page, uint8_t indicator,
			   struct pvrom_clock_reading *reading)
{
	/* In the inserted second some count 23:59:59 still and some midnight already. */
	const bool in_it = indicator == PVROM_VMCLOCK_LEAP_POS;
	const int64_t day = pvrom_clock_day(base_utc(page, page->tai_offset_sec) - in_it);
	const bool after = indicator >= PVROM_VMCLOCK_LEAP_POST_POS;
	int64_t left, first;

	pvrom_clock_month(day, &left);
	if (after) {
		for (first = day; pvrom_clock_month(first - 1, &left), left != 1; first--)
			; /* at most 30 times: the day after the last one of a month */
		reading->leap_utc_sec = first * SEC_PER_DAY;
	} else {
		reading->leap_utc_sec = (day + left) * SEC_PER_DAY;
	}
	reading->leap_sign =
		indicator == PVROM_VMCLOCK_LEAP_PRE_NEG || indicator == PVROM_VMCLOCK_LEAP_POST_NEG
			? -1
			: 1;
	/* The offset stands for the base: behind the leap second it is the one of after. */
	if (after)
		reading->utc_offset_sec += reading->leap_sign;
}

void pvrom_clock_vmclock_leap_(const struct pvrom_clock_page *page,
			       struct pvrom_clock_reading *reading)
{
	const uint8_t indicator = page->leap_indicator;

	reading->utc_offset_sec = reading->offset_known ? page->tai_offset_sec : 0;
	reading->leap_utc_sec = 0;
	reading->leap_sign = 0;
	/* UTC that the host calls UTC: as TAI, where the offset is known. */
	if (page->time_type == PVROM_VMCLOCK_TIME_UTC)
		reading->tai_sec -= (uint64_t)(int64_t)reading->utc_offset_sec;
	if (!reading->offset_known)
		return;
	if (indicator >= PVROM_VMCLOCK_LEAP_PRE_POS && indicator <= PVROM_VMCLOCK_LEAP_POST_NEG &&
	    page->time_sec < UINT64_C(1) << 62)
		from_indicator(page, indicator, reading);
}

/* ---- times of day ---------------------------------------------------------------------------- */

/* Seconds of a smear: where it begins, counted from the leap second's midnight; how many seconds UTC as
 * smeared counts; how many pass meanwhile. */
struct smear {
	int64_t begin, counted, passed;
};

static struct smear smear_of(uint32_t smearing, int32_t sign)
{
	if (smearing == PVROM_CLOCK_NOON_LINEAR)
		return (struct smear){ -SEC_PER_DAY / 2, SEC_PER_DAY, SEC_PER_DAY + sign };
	/* The last 1,000 s of the day, each 1 ms longer or shorter. */
	return (struct smear){ -1000 + sign, 1000 - sign, 1000 };
}

/* Strict UTC of a TAI second. */
static void strict(const struct pvrom_clock_reading *r, int64_t tai, struct pvrom_clock_date *utc)
{
	const int64_t before = tai + r->utc_offset_sec;

	utc->leap = 0;
	utc->sec = before;
	if (r->leap_sign > 0 && before >= r->leap_utc_sec) {
		utc->leap = before == r->leap_utc_sec;
		utc->sec = before - 1;
	} else if (r->leap_sign < 0 && before >= r->leap_utc_sec - 1) {
		utc->sec = before + 1;
	}
}

/* In the smear, `since` seconds and nsec after its beginning: less than a day and a bit, so in ns it is below
 * 2^47, and times 86,400 below 2^63. */
static void smeared(const struct smear *smear, int64_t midnight, int64_t since, uint32_t nsec,
		    struct pvrom_clock_date *utc)
{
	const int64_t ns =
		(since * 1000000000 + nsec) / smear->passed * smear->counted +
		(since * 1000000000 + nsec) % smear->passed * smear->counted / smear->passed;

	utc->leap = 0;
	utc->sec = midnight + smear->begin + ns / 1000000000;
	utc->nsec = (uint32_t)(ns % 1000000000);
}

bool pvrom_clock_utc(const struct pvrom_clock_reading *reading, uint32_t smearing,
		     struct pvrom_clock_date *utc)
{
	const int64_t tai = (int64_t)reading->tai_sec;
	const struct smear smear = smear_of(smearing, reading->leap_sign);
	int64_t since;

	if (reading->status >= PVROM_CLOCK_UNAVAILABLE || tai < 0 || tai >> 62 ||
	    reading->leap_utc_sec >> 62)
		return false;
	since = tai + reading->utc_offset_sec - reading->leap_utc_sec - smear.begin;
	utc->nsec = reading->tai_nsec;
	if (reading->leap_sign && since >= 0 && since < smear.passed &&
	    (smearing == PVROM_CLOCK_NOON_LINEAR || smearing == PVROM_CLOCK_UTC_SLS))
		smeared(&smear, reading->leap_utc_sec, since, reading->tai_nsec, utc);
	else
		strict(reading, tai, utc);
	return true;
}

/* ---- the vCPU area --------------------------------------------------------------------------- */

static void take_times(const struct pvrom_vcpu_area *area, void *to)
{
	struct pvrom_clock_vcpu_reading *reading = to;

	reading->state = area->clock_state;
	reading->tsc = area->clock_tsc;
	reading->real_ns = area->clock_real;
	reading->stolen_ns = area->clock_stolen;
	reading->available_ns = reading->real_ns - reading->stolen_ns;
	reading->halted_ns = area->clock_halted;
	reading->fresh_ns = area->clock_fresh;
	if (reading->state == PVROM_VCPU_RUNNING && pvrom_clock_vcpu_preempted(area))
		reading->state = PVROM_VCPU_READY;
}

static void take_calls(const struct pvrom_vcpu_area *area, void *to)
{
	struct pvrom_clock_vcpu_calls *calls = to;
	uint32_t i;

	calls->tsc = area->clock_tsc;
	for (i = 0; i < PVROM_COUNTER_COUNT; i++)
		calls->made[i] = area->calls[i];
}

/* Takes a part of one snapshot. */
static bool settled(const struct pvrom_vcpu_area *area,
		    void (*take)(const struct pvrom_vcpu_area *area, void *to), void *to)
{
	uint32_t tries;

	for (tries = 0; tries < PVROM_CLOCK_TRIES; tries++) {
		const uint32_t seq = pvrom_clock_seq_(&area->clock_seq);

		if (!seq)
			return false;
		take(area, to);
		if (pvrom_clock_same_(&area->clock_seq, 0, seq))
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

bool pvrom_clock_vcpu_read(const struct pvrom_vcpu_area *area,
			   struct pvrom_clock_vcpu_reading *reading)
{
	return settled(area, take_times, reading);
}

bool pvrom_clock_vcpu_calls(const struct pvrom_vcpu_area *area,
			    struct pvrom_clock_vcpu_calls *calls)
{
	return settled(area, take_calls, calls);
}
