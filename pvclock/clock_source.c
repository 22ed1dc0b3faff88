/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Chooses a kernel's clock, and reads the time from whichever it is. */
#include <pvrom/clock_source.h>

#include <pvrom/abi.h>

#include "foreign.h"

#define MSR_KVM_WALL 0x4b564d00u
#define MSR_KVM_TIME 0x4b564d01u
#define MSR_HYPERV_TSC 0x40000021u
#define ENABLE 1u
#define NS UINT64_C(1000000000)

/* ---- words ---------------------------------------------------------------------------------- */

uint32_t pvrom_clock_source(const struct pvrom_clock *clock)
{
	return clock->source;
}

const char *pvrom_clock_source_words(uint32_t source)
{
	switch (source) {
#define WORDS_(NAME, number, words)                                                                \
	case number: return words;
		PVROM_CLOCK_SOURCE_TABLE(WORDS_)
#undef WORDS_
	}
	return "unknown";
}

uint64_t pvrom_clock_tsc_hz(const struct pvrom_clock *clock)
{
	return clock->tsc_hz;
}

/* ---- a page of our own: the time as a fixed function of the TSC -------------------------------- */

/* VMClock's part: a time of day from elsewhere. Its error grows by what nobody knows: no bound. */
static void fill_wall(struct pvrom_clock_page *own, uint64_t hz,
		      const struct pvrom_clock_offer *offer)
{
	uint8_t shift = 0;

	/* 2^(64 + shift) / hz has 64 bits where 2^shift is below hz. */
	while (hz >> (shift + 1))
		shift++;
	own->counter_id = PVROM_VMCLOCK_COUNTER_TSC;
	own->time_type = PVROM_VMCLOCK_TIME_UTC;
	own->clock_status = PVROM_CLOCK_UNKNOWN;
	own->counter_period_shift = shift;
	own->counter_period_frac_sec = pvrom_shift_divide(UINT64_C(1) << shift, 64, hz);
	own->counter_value = offer->wall_tsc;
	own->time_sec = offer->wall_utc_sec;
	own->time_frac_sec = 0;
	own->flags = 0;
}

/* The page is written once, before anybody reads it. */
static bool fill_own(struct pvrom_clock *clock, uint64_t hz, const struct pvrom_clock_offer *offer)
{
	if (!offer->own || !pvrom_clock_page_make(offer->own, pvrom_tsc_after_loads(), hz, NS))
		return false;
	if (offer->has_wall)
		fill_wall(offer->own, hz, offer);
	clock->page = offer->own;
	clock->tsc_hz = hz;
	return true;
}

/* ---- choosing: each returns true if the source is there, and then has set it up ----------------- */

/* Rate = 2^(64 + shift) / period. */
static uint64_t vmclock_hz(const struct pvrom_clock_page *page)
{
	uint64_t period = PVROM_ONCE(page->counter_period_frac_sec), hz;
	uint8_t shift = PVROM_ONCE(page->counter_period_shift);

	if (!period || shift > 63)
		return 0;
	hz = pvrom_shift_divide(UINT64_C(1) << shift, 64, period);
	return pvrom_is_tsc_hz(hz) ? hz : 0;
}

static bool start_page(struct pvrom_clock *clock, const struct pvrom_clock_offer *offer)
{
	if (!offer->page || !(pvrom_clock_page_check(offer->page, PVROM_CLOCK_PAGE_SIZE) &
			      PVROM_CLOCK_HAS_MONOTONIC))
		return false;
	clock->page = offer->page;
	clock->tsc_hz = vmclock_hz(offer->page);
	return true;
}

/* VMClock's time may step, so monotonic time is our own, at the rate that the page states now. */
static bool start_vmclock(struct pvrom_clock *clock, const struct pvrom_clock_offer *offer)
{
	struct pvrom_clock_reading first = { 0 };
	uint64_t hz;

	if (!offer->vmclock ||
	    !(pvrom_clock_page_check(offer->vmclock, PVROM_CLOCK_PAGE_SIZE) & PVROM_CLOCK_HAS_TAI))
		return false;
	hz = vmclock_hz(offer->vmclock);
	if (!hz || pvrom_clock_page_read(offer->vmclock, &first) == PVROM_CLOCK_UNAVAILABLE ||
	    !fill_own(clock, hz, offer))
		return false;
	clock->page = offer->vmclock;
	clock->marker = first.marker;
	return true;
}

static void *slot(const struct pvrom_clock_offer *offer, uint32_t number)
{
	return (char *)offer->shared + number * PVROM_CLOCK_SLOT;
}

static uint64_t slot_gpa(const struct pvrom_clock *clock, uint32_t number)
{
	return clock->shared_gpa + (uint64_t)number * PVROM_CLOCK_SLOT;
}

/* The time of day at the source's nanosecond 0, from a time of day at some later moment of it. */
static void wall_at(struct pvrom_clock *clock, uint64_t sec, uint64_t nsec, uint64_t ns)
{
	clock->wall_sec = (int64_t)(sec - ns / NS);
	ns %= NS;
	clock->wall_sec -= nsec < ns;
	clock->wall_nsec = (uint32_t)(nsec < ns ? nsec + NS - ns : nsec - ns);
	clock->has_wall = true;
}

static void wall_of_offer(struct pvrom_clock *clock, const struct pvrom_clock_offer *offer,
			  bool known, uint64_t ns)
{
	if (known && offer->has_wall)
		wall_at(clock, offer->wall_utc_sec, 0, ns);
}

static bool start_kvm(struct pvrom_clock *clock, const struct pvrom_clock_offer *offer)
{
	struct pvrom_kvm_page first;
	struct pvrom_kvm_wall wall;
	uint64_t tsc, ns;

	if (!offer->shared || !pvrom_kvm_promised(offer->os))
		return false;
	offer->os->write_msr(MSR_KVM_TIME, slot_gpa(clock, 0) | ENABLE);
	offer->os->write_msr(MSR_KVM_WALL, slot_gpa(clock, offer->cpus));
	if (!pvrom_kvm_take(slot(offer, 0), &first, &tsc) || !pvrom_kvm_ns(&first, tsc, &ns)) {
		offer->os->write_msr(MSR_KVM_TIME, 0);
		return false;
	}
	clock->page = offer->shared;
	clock->tsc_hz = pvrom_kvm_hz(&first);
	if (pvrom_kvm_take_wall(slot(offer, offer->cpus), &wall))
		wall_at(clock, wall.sec, wall.nsec, 0);
	else
		wall_of_offer(clock, offer, pvrom_kvm_ns(&first, offer->wall_tsc, &ns), ns);
	return true;
}

static bool start_hyperv(struct pvrom_clock *clock, const struct pvrom_clock_offer *offer)
{
	struct pvrom_hyperv_page first;
	uint64_t tsc, ns;

	if (!offer->shared || !pvrom_hyperv_promised(offer->os))
		return false;
	offer->os->write_msr(MSR_HYPERV_TSC, clock->shared_gpa | ENABLE);
	if (!pvrom_hyperv_take(offer->shared, &first, &tsc) || !pvrom_hyperv_ns(&first, tsc, &ns)) {
		offer->os->write_msr(MSR_HYPERV_TSC, 0);
		return false;
	}
	clock->page = offer->shared;
	clock->tsc_hz = pvrom_hyperv_hz(&first);
	wall_of_offer(clock, offer, pvrom_hyperv_ns(&first, offer->wall_tsc, &ns), ns);
	return true;
}

/* Only the leaf that is asked for: the other may be barred. */
static bool start_stated(struct pvrom_clock *clock, const struct pvrom_clock_offer *offer,
			 uint32_t wanted)
{
	uint64_t hz = pvrom_clock_leaf_hz(offer->os, wanted);

	return hz && fill_own(clock, hz, offer);
}

static bool start_measured(struct pvrom_clock *clock, const struct pvrom_clock_offer *offer)
{
	return pvrom_is_tsc_hz(offer->measured_hz) && fill_own(clock, offer->measured_hz, offer);
}

static bool start_source(struct pvrom_clock *clock, const struct pvrom_clock_offer *offer,
			 uint32_t source)
{
	switch (source) {
	case PVROM_CLOCK_SOURCE_PAGE: return start_page(clock, offer);
	case PVROM_CLOCK_SOURCE_VMCLOCK: return start_vmclock(clock, offer);
	case PVROM_CLOCK_SOURCE_KVMCLOCK: return start_kvm(clock, offer);
	case PVROM_CLOCK_SOURCE_HYPERV: return start_hyperv(clock, offer);
	case PVROM_CLOCK_SOURCE_CPUID_15:
	case PVROM_CLOCK_SOURCE_CPUID_40000010: return start_stated(clock, offer, source);
	case PVROM_CLOCK_SOURCE_MEASURED: return start_measured(clock, offer);
	}
	return false;
}

uint32_t pvrom_clock_start(struct pvrom_clock *clock, const struct pvrom_clock_offer *offer)
{
	uint32_t source;

	*clock = (struct pvrom_clock){ .os = offer->os,
				       .own = offer->own,
				       .shared_gpa = offer->shared_gpa,
				       .cpus = offer->cpus };
	for (source = 1; source < PVROM_CLOCK_SOURCE_COUNT; source++)
		if (!(offer->barred & PVROM_CLOCK_SOURCE_BIT(source)) &&
		    start_source(clock, offer, source)) {
			clock->source = source;
			return source;
		}
	clock->source = PVROM_CLOCK_SOURCE_NONE;
	return PVROM_CLOCK_SOURCE_NONE;
}

void pvrom_clock_start_cpu(struct pvrom_clock *clock, uint32_t cpu)
{
	if (clock->source == PVROM_CLOCK_SOURCE_KVMCLOCK && cpu && cpu < clock->cpus)
		clock->os->write_msr(MSR_KVM_TIME, slot_gpa(clock, cpu) | ENABLE);
}

void pvrom_clock_stop_cpu(struct pvrom_clock *clock, uint32_t cpu)
{
	if (clock->source == PVROM_CLOCK_SOURCE_KVMCLOCK && cpu < clock->cpus)
		clock->os->write_msr(MSR_KVM_TIME, 0);
	if (clock->source == PVROM_CLOCK_SOURCE_HYPERV && !cpu)
		clock->os->write_msr(MSR_HYPERV_TSC, 0);
}

/* ---- reading -------------------------------------------------------------------------------- */

/*
 * Neither of the two promises that a new reference does not set its time back, so the clock sees to it. No
 * order is needed beyond that of one word: whoever has seen a time has seen it here.
 */
static uint64_t never_back(struct pvrom_clock *clock, uint64_t ns)
{
	uint64_t last = __atomic_load_n(&clock->last_ns, __ATOMIC_RELAXED);

	while (last < ns)
		if (__atomic_compare_exchange_n(&clock->last_ns, &last, ns, false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return ns;
	return last;
}

/* A reading of a source that tells nanoseconds and nothing else. */
static uint32_t plain(struct pvrom_clock *clock, bool known, uint64_t tsc, uint64_t ns,
		      struct pvrom_clock_reading *time)
{
	uint64_t sum;

	*time = (struct pvrom_clock_reading){
		.marker = 1,
		.tsc = tsc,
		.monotonic_ns = known ? never_back(clock, ns) : PVROM_CLOCK_NONE,
		.status = PVROM_CLOCK_UNAVAILABLE,
		.maxerror_ns = PVROM_CLOCK_NONE,
	};
	if (!known || !clock->has_wall)
		return time->status;
	sum = time->monotonic_ns % NS + clock->wall_nsec;
	time->tai_sec = (uint64_t)clock->wall_sec + time->monotonic_ns / NS + sum / NS;
	time->tai_nsec = (uint32_t)(sum % NS);
	time->status = PVROM_CLOCK_UNKNOWN;
	return time->status;
}

static uint32_t now_kvm(struct pvrom_clock *clock, uint32_t cpu, struct pvrom_clock_reading *time)
{
	const char *first = clock->page;
	struct pvrom_kvm_page page;
	uint64_t tsc = 0, ns = 0;
	bool known = cpu < clock->cpus &&
		     pvrom_kvm_take(first + cpu * PVROM_CLOCK_SLOT, &page, &tsc) &&
		     pvrom_kvm_ns(&page, tsc, &ns);

	return plain(clock, known, tsc, ns, time);
}

static uint32_t now_hyperv(struct pvrom_clock *clock, struct pvrom_clock_reading *time)
{
	struct pvrom_hyperv_page page;
	uint64_t tsc = 0, ns = 0;
	bool known =
		pvrom_hyperv_take(clock->page, &page, &tsc) && pvrom_hyperv_ns(&page, tsc, &ns);

	return plain(clock, known, tsc, ns, time);
}

/* The monotonic function of our own page, which only pvrom_clock_resume() changes. */
static uint64_t own_ns(const struct pvrom_clock_page *own, uint64_t tsc)
{
	uint64_t ticks = tsc > own->mono_tsc ? tsc - own->mono_tsc : 0;
	pvrom_clock_wide sum = (pvrom_clock_wide)ticks * own->mono_period + own->mono_low;

	return own->mono_ns + (uint64_t)(sum >> own->mono_shift);
}

/* Both readings are of one TSC value: the page's, put into our own function. */
static uint32_t now_vmclock(struct pvrom_clock *clock, struct pvrom_clock_reading *time)
{
	pvrom_clock_page_read(clock->page, time);
	time->monotonic_ns = PVROM_CLOCK_NONE;
	time->disrupted = time->marker != clock->marker;
	if (!time->disrupted && time->status != PVROM_CLOCK_UNAVAILABLE)
		time->monotonic_ns = never_back(clock, own_ns(clock->own, time->tsc));
	return time->status;
}

void pvrom_clock_resume(struct pvrom_clock *clock)
{
	struct pvrom_clock_reading now = { 0 };
	uint64_t hz;

	if (clock->source != PVROM_CLOCK_SOURCE_VMCLOCK)
		return;
	hz = vmclock_hz(clock->page);
	if (!hz || pvrom_clock_page_read(clock->page, &now) == PVROM_CLOCK_UNAVAILABLE ||
	    !pvrom_clock_page_make(clock->own, now.tsc, hz, NS))
		return;
	clock->own->mono_ns = clock->last_ns;
	clock->tsc_hz = hz;
	clock->marker = now.marker;
}

uint32_t pvrom_clock_read(struct pvrom_clock *clock, uint32_t cpu, struct pvrom_clock_reading *time)
{
	switch (clock->source) {
	case PVROM_CLOCK_SOURCE_NONE: return plain(clock, false, 0, 0, time);
	case PVROM_CLOCK_SOURCE_KVMCLOCK: return now_kvm(clock, cpu, time);
	case PVROM_CLOCK_SOURCE_HYPERV: return now_hyperv(clock, time);
	case PVROM_CLOCK_SOURCE_VMCLOCK: return now_vmclock(clock, time);
	default: return pvrom_clock_page_read(clock->page, time);
	}
}
