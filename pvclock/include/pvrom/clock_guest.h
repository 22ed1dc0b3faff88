/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Reading the clock page (<pvrom/clock.h>), in a kernel or in user mode: no privileged instruction, no
 * lock, no state but what the caller hands over. Everything here may be called in any context, NMI and #MC
 * included, on any CPU, at any time, with any bytes in the page; each read is bounded.
 *
 *	const struct pvrom_clock_page *page;		the page, mapped; may be read-only
 *	struct pvrom_clock_reading now = { 0 };
 *
 *	ns = pvrom_clock_page_monotonic(page);		nanoseconds, alone: the quick one
 *	pvrom_clock_page_read(page, &now);			all that the page tells, at one TSC value
 *	pvrom_clock_utc(&now, PVROM_CLOCK_STRICT, &utc);
 *
 * The inline functions need nothing else; those further below are in pvclock/clock_guest.c (freestanding).
 *
 * The TSC of all CPUs must agree for times read on two of them to be in order: that is what the host says
 * of it by offering the page.
 */
#ifndef PVROM_CLOCK_GUEST_H
#define PVROM_CLOCK_GUEST_H

#ifndef __x86_64__
#error "the clock page counts the TSC of an x86-64 processor"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/clock.h>
#include <pvrom/vcpu.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * How often a read begins anew before it gives up with "unavailable". An update takes the host
 * well under a microsecond unless the writer is descheduled or killed in it; a million tries with a
 * `pause` between them are tens of milliseconds.
 */
#ifndef PVROM_CLOCK_TRIES
#define PVROM_CLOCK_TRIES 1000000
#endif

/* "No such time": what pvrom_clock_page_monotonic() and the fields of a reading say. */
#define PVROM_CLOCK_NONE UINT64_MAX

/* What a page said at one value of the TSC. */
struct pvrom_clock_reading {
	/*
	 * In and out. In: the marker of the reading before, as this function left it, 0 for the first
	 * time. Out: the page's disruption marker.
	 */
	uint64_t marker;
	uint64_t tsc;
	uint64_t monotonic_ns; /* PVROM_CLOCK_NONE: this page has no monotonic function */
	uint64_t suspended_ns; /* time in which the machine stood still and monotonic_ns with it */
	uint64_t tai_sec;      /* since 1970-01-01 00:00:00 TAI; see offset_known */
	uint32_t tai_nsec;     /* 0 to 999,999,999 */
	/*
	 * PVROM_CLOCK_x. SYNCHRONIZED, FREE_RUNNING: true time is within maxerror_ns of tai. UNRELIABLE,
	 * UNKNOWN, INITIALIZING: tai is the host's guess. UNAVAILABLE: there is no tai.
	 */
	uint32_t status;
	uint64_t maxerror_ns; /* PVROM_CLOCK_NONE: the host names no bound */
	int64_t leap_utc_sec; /* the leap second nearest in time: see struct pvrom_clock_page */
	int32_t utc_offset_sec;
	int32_t leap_sign;
	uint8_t smearing; /* the way of smearing that the host advises: PVROM_CLOCK_STRICT, ... */
	/* The marker is not the one of the reading before: what was calibrated against the TSC is void. */
	bool disrupted;
	/* False: the host does not know TAI - UTC, and tai is UTC. */
	bool offset_known;
};

/* A time of day. */
struct pvrom_clock_date {
	int64_t sec; /* since 1970-01-01 00:00:00 UTC as POSIX counts; 23:59:60 counts like 23:59:59 */
	uint32_t nsec; /* 0 to 999,999,999 */
	uint32_t leap; /* 1 during the inserted second, 23:59:60 */
};

/* Products of two 64-bit words; no ISO type is wide enough. */
__extension__ typedef unsigned __int128 pvrom_clock_wide;

/* ---- ordered pieces -------------------------------------------------------------------------- */

/* One load of the sequence counter that the compiler neither moves nor repeats. */
static inline uint32_t pvrom_clock_seq_(const uint32_t *seq)
{
	return __atomic_load_n(seq, __ATOMIC_ACQUIRE);
}

/*
 * The TSC, ordered after all loads before it: `lfence` waits for these (AMD APM vol. 2, 7.4.2 with
 * LFENCE made serializing, as all kernels set it up; Intel SDM vol. 2, LFENCE and RDTSC). *zero is 0, but made
 * from the result: a load whose address contains it is ordered after the TSC was read, without a second
 * fence. Its partner is the `mfence; lfence` between the odd sequence and the TSC in the writer.
 */
static inline uint64_t pvrom_clock_tsc_(uint64_t *zero)
{
	uint64_t low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	*zero = high;
	__asm__ volatile("shrq $32, %0" : "+r"(*zero) : : "cc");
	return high << 32 | low;
}

/* True if the page did not change meanwhile: partner of the writer's two stores of the counter. */
static inline bool pvrom_clock_same_(const uint32_t *seq, uint64_t zero, uint32_t before)
{
	__asm__ volatile("" : : : "memory");
	return pvrom_clock_seq_((const uint32_t *)((const char *)seq + zero)) == before &&
	       !(before & 1);
}

/* In what hardly ever happens: keeps a compiler from making a conditional move, which is waited for, of a
 * branch, which is foreseen. */
static inline void pvrom_clock_rarely_(void)
{
	__asm__ volatile("");
}

/* Ticks since the base. None, not 2^64 less a few, if the TSC is below it: TSCs that do not quite agree. */
static inline uint64_t pvrom_clock_ticks_(uint64_t tsc, uint64_t base)
{
	uint64_t ticks = tsc - base;

	if (__builtin_expect(tsc < base, 0)) {
		pvrom_clock_rarely_();
		ticks = 0;
	}
	return ticks;
}

/* ticks * period >> shift, for a shift below 64. */
static inline pvrom_clock_wide pvrom_clock_scale_(uint64_t ticks, uint64_t period, uint8_t shift)
{
	const pvrom_clock_wide product = (pvrom_clock_wide)ticks * period;
	uint64_t low = (uint64_t)product, high = (uint64_t)(product >> 64);

	__asm__("shrdq %%cl, %1, %0" : "+r"(low) : "r"(high), "c"(shift) : "cc");
	high >>= shift & 63;
	return (pvrom_clock_wide)high << 64 | low;
}

/* ---- monotonic time -------------------------------------------------------------------------- */

/*
 * The fields are loaded before the TSC: between the two loads of the sequence is all that is asked of them,
 * and so they are there when the TSC comes, with all that does not depend on it already computed.
 */

/* The monotonic function, out of a page. */
struct pvrom_clock_mono_ {
	uint64_t tsc, period, ns, low;
	uint32_t shift;
	bool kept;
};

/* Numbers that make no sense are no function. */
static inline struct pvrom_clock_mono_ pvrom_clock_mono_load_(const struct pvrom_clock_page *page)
{
	struct pvrom_clock_mono_ mono;

	mono.tsc = page->mono_tsc;
	mono.period = page->mono_period;
	mono.ns = page->mono_ns;
	mono.low = page->mono_low;
	mono.shift = page->mono_shift;
	mono.kept = page->clock_magic == PVROM_CLOCK_MAGIC &&
		    (page->clock_flags & PVROM_CLOCK_KEPT) && mono.period && mono.shift - 1 <= 63;
	return mono;
}

static inline uint64_t pvrom_clock_mono_at_(const struct pvrom_clock_mono_ *mono, uint64_t tsc)
{
	const uint64_t ticks = pvrom_clock_ticks_(tsc, mono->tsc);
	const pvrom_clock_wide sum = (pvrom_clock_wide)ticks * mono->period + mono->low;

	/* The rate of nearly all machines, over 1 GHz, needs no shift. */
	if (__builtin_expect(mono->shift != 64, 0)) {
		pvrom_clock_rarely_();
		return mono->ns + (uint64_t)(sum >> (mono->shift & 63));
	}
	return mono->ns + (uint64_t)(sum >> 64);
}

/*
 * Monotonic time in nanoseconds, ordered after everything before it in the program: never less than any
 * CPU has read before. PVROM_CLOCK_NONE if there is none: the page is not kept, is VMClock's
 * first part alone, or is never settled.
 */
static inline uint64_t pvrom_clock_page_monotonic(const struct pvrom_clock_page *page)
{
	uint32_t tries;

	for (tries = 0; tries < PVROM_CLOCK_TRIES; tries++) {
		const uint32_t seq = pvrom_clock_seq_(&page->seq_count);
		uint64_t zero;
		const uint64_t tsc = pvrom_clock_tsc_(&zero);
		const struct pvrom_clock_mono_ mono = pvrom_clock_mono_load_(page);
		const uint64_t ns = pvrom_clock_mono_at_(&mono, tsc);

		if (__builtin_expect(pvrom_clock_same_(&page->seq_count, zero, seq), 1))
			return __builtin_expect(mono.kept, 1) ? ns : PVROM_CLOCK_NONE;
		__builtin_ia32_pause();
	}
	return PVROM_CLOCK_NONE;
}

/* ---- everything ------------------------------------------------------------------------------ */

/* Out of line, for pages that are VMClock's first part alone: utc_offset_sec and the leap second. */
void pvrom_clock_vmclock_leap_(const struct pvrom_clock_page *page,
			       struct pvrom_clock_reading *reading);

/* The TAI function, out of a page. */
struct pvrom_clock_tai_ {
	uint64_t tsc, period, sec, frac;
	uint64_t error;	     /* ns at the base, and 2 for what is cut off */
	uint64_t error_rate; /* 2^-64 ns a tick, rounded up */
	uint32_t status;
	uint8_t shift;
	bool bounded;
};

/* Is there a TAI function of the TSC to be read? Numbers that make no sense are none. */
static inline bool pvrom_clock_tai_kept_(const struct pvrom_clock_page *page)
{
	return page->magic == PVROM_VMCLOCK_MAGIC &&
	       page->counter_id == PVROM_VMCLOCK_COUNTER_TSC &&
	       page->time_type <= PVROM_VMCLOCK_TIME_TAI && page->counter_period_shift <= 63 &&
	       page->counter_period_frac_sec && page->clock_status <= PVROM_CLOCK_UNRELIABLE;
}

static inline struct pvrom_clock_tai_ pvrom_clock_tai_load_(const struct pvrom_clock_page *page)
{
	const uint64_t valid =
		PVROM_VMCLOCK_TIME_MAXERROR_VALID | PVROM_VMCLOCK_PERIOD_MAXERROR_VALID;
	const uint64_t rate = page->counter_period_maxerror_rate_frac_sec;
	const uint64_t error = page->time_maxerror_nanosec;
	struct pvrom_clock_tai_ tai;
	pvrom_clock_wide ns_rate;

	tai.shift = page->counter_period_shift & 63;
	ns_rate = pvrom_clock_scale_(rate, 1000000000, tai.shift) + 1;
	tai.tsc = page->counter_value;
	tai.period = page->counter_period_frac_sec;
	tai.sec = page->time_sec;
	tai.frac = page->time_frac_sec;
	tai.error = error + 2;
	tai.error_rate = (uint64_t)ns_rate;
	tai.bounded = (page->flags & valid) == valid && !(error >> 62) && !(ns_rate >> 62);
	tai.status = pvrom_clock_tai_kept_(page) ? page->clock_status
						 : (uint32_t)PVROM_CLOCK_UNAVAILABLE;
	return tai;
}

static inline void pvrom_clock_tai_at_(const struct pvrom_clock_tai_ *tai, uint64_t tsc,
				       struct pvrom_clock_reading *reading)
{
	const uint64_t ticks = pvrom_clock_ticks_(tsc, tai->tsc);
	const pvrom_clock_wide sum = pvrom_clock_scale_(ticks, tai->period, tai->shift) + tai->frac;
	const uint64_t growth = (uint64_t)((pvrom_clock_wide)ticks * tai->error_rate >> 64);

	reading->tai_sec = tai->sec + (uint64_t)(sum >> 64);
	reading->tai_nsec = (uint32_t)((pvrom_clock_wide)(uint64_t)sum * 1000000000 >> 64);
	reading->maxerror_ns = tai->error + growth;
	if (__builtin_expect(!tai->bounded, 0)) {
		pvrom_clock_rarely_();
		reading->maxerror_ns = PVROM_CLOCK_NONE;
	}
}

/* The fields that stand in the page as they are wanted. */
static inline void pvrom_clock_plain_(const struct pvrom_clock_page *page,
				      struct pvrom_clock_reading *reading)
{
	reading->marker = page->disruption_marker;
	reading->smearing = page->leap_second_smearing_hint;
	reading->offset_known = page->flags & PVROM_VMCLOCK_TAI_OFFSET_VALID;
	reading->suspended_ns = page->suspended_ns;
	reading->leap_utc_sec = page->leap_utc_sec;
	reading->utc_offset_sec = page->utc_offset_sec;
	reading->leap_sign = page->leap_sign;
}

/* Pages that are VMClock's first part alone, or not kept any more. */
static inline void pvrom_clock_unusual_(const struct pvrom_clock_page *page,
					struct pvrom_clock_reading *reading)
{
	/* A copy, so that the compiler may keep the original in registers. */
	struct pvrom_clock_reading copy = *reading;

	copy.monotonic_ns = PVROM_CLOCK_NONE;
	if (page->clock_magic == PVROM_CLOCK_MAGIC)
		copy.status = PVROM_CLOCK_UNAVAILABLE;
	else
		pvrom_clock_vmclock_leap_(page, &copy);
	*reading = copy;
}

/*
 * Reads all that the page tells, at one value of the TSC that is ordered after everything before it in the
 * program, into *reading (whose field marker is looked at first). Returns reading->status. After a
 * migration the reading is wholly the new host's, with disrupted set; a page that is being written for good
 * gives UNAVAILABLE without monotonic time, and then no other field but marker means anything.
 */
static inline uint32_t pvrom_clock_page_read(const struct pvrom_clock_page *page,
					     struct pvrom_clock_reading *reading)
{
	const uint64_t before = reading->marker;
	struct pvrom_clock_reading now;
	uint32_t tries;

	for (tries = 0; tries < PVROM_CLOCK_TRIES; tries++) {
		const uint32_t seq = pvrom_clock_seq_(&page->seq_count);
		uint64_t zero;
		const uint64_t tsc = pvrom_clock_tsc_(&zero);
		const struct pvrom_clock_tai_ tai = pvrom_clock_tai_load_(page);
		const struct pvrom_clock_mono_ mono = pvrom_clock_mono_load_(page);

		now.tsc = tsc;
		pvrom_clock_plain_(page, &now);
		now.status = tai.status;
		now.disrupted = before && now.marker != before;
		pvrom_clock_tai_at_(&tai, now.tsc, &now);
		now.monotonic_ns = pvrom_clock_mono_at_(&mono, now.tsc);
		if (__builtin_expect(!mono.kept, 0))
			pvrom_clock_unusual_(page, &now);
		if (__builtin_expect(pvrom_clock_same_(&page->seq_count, zero, seq), 1)) {
			*reading = now;
			return now.status;
		}
		__builtin_ia32_pause();
	}
	reading->status = PVROM_CLOCK_UNAVAILABLE;
	reading->monotonic_ns = PVROM_CLOCK_NONE;
	reading->maxerror_ns = PVROM_CLOCK_NONE;
	return PVROM_CLOCK_UNAVAILABLE;
}

/* ---- the TSC alone --------------------------------------------------------------------------- */

/* The monotonic function, taken out of the page: see PVROM_CLOCK_TSC_ALONE. */
struct pvrom_clock_alone {
	uint64_t tsc, period, ns, low;
	uint64_t epoch; /* for which it holds */
	uint32_t shift;
	uint32_t reserved;
};

/*
 * If the host says that the TSC alone is good enough, takes the monotonic function out of the page and returns
 * true. It holds until the host raises the epoch over alone->epoch (the vCPU area tells, and the
 * event renegotiate); then it must be taken again.
 */
bool pvrom_clock_alone_take(const struct pvrom_clock_page *page, struct pvrom_clock_alone *alone);

/* Monotonic time from the TSC alone, ordered as pvrom_clock_page_monotonic() and equal to it. */
static inline uint64_t pvrom_clock_alone_ns(const struct pvrom_clock_alone *alone)
{
	uint64_t zero;
	const uint64_t tsc = pvrom_clock_tsc_(&zero);
	const uint64_t ticks = pvrom_clock_ticks_(tsc, alone->tsc);
	const pvrom_clock_wide sum = (pvrom_clock_wide)ticks * alone->period + alone->low;

	if (__builtin_expect(alone->shift == 64, 1))
		return alone->ns + (uint64_t)(sum >> 64);
	return alone->ns + (uint64_t)(sum >> (alone->shift & 63));
}

/* ---- making, looking at a page; times of day --------------------------------------------------------- */

/*
 * Makes *page (the kernel's own memory, which nobody reads yet) a page of a machine whose TSC takes rate_ns
 * nanoseconds for rate_ticks ticks, both below 2^62, and which knows no other clock: monotonic time is 0
 * at tsc, and there is no TAI. False, and nothing written, for a rate outside 1 MHz to 18 GHz.
 */
bool pvrom_clock_page_make(struct pvrom_clock_page *page, uint64_t tsc, uint64_t rate_ticks,
			   uint64_t rate_ns);

/* What pvrom_clock_page_check() finds. */
#define PVROM_CLOCK_HAS_TAI 0x1	      /* VMClock's part: pvrom_clock_page_read() will tell TAI */
#define PVROM_CLOCK_HAS_MONOTONIC 0x2 /* pvrom's part */

/*
 * Looks once at a page of unknown origin (a page registered with a host, or one that firmware or a
 * boot loader called VMClock) of which size bytes are mapped, 4096 or less. Returns PVROM_CLOCK_HAS_x, 0
 * if it is none. What it says of a page that changes meanwhile may be void; the reads are safe all the same.
 */
uint32_t pvrom_clock_page_check(const void *page, size_t size);

/*
 * UTC of a reading: PVROM_CLOCK_STRICT as it is; PVROM_CLOCK_NOON_LINEAR with a leap second smeared evenly
 * from the noon before it to the noon after it; PVROM_CLOCK_UTC_SLS with it smeared over the last 1,000
 * seconds of its day (M. Kuhn, draft-kuhn-leapsecond-00). Another number is taken as STRICT. Computed from the
 * unsmeared time; maxerror_ns is its bound too. Returns false, with *utc untouched, if the reading
 * has no time (status UNAVAILABLE).
 */
bool pvrom_clock_utc(const struct pvrom_clock_reading *reading, uint32_t smearing,
		     struct pvrom_clock_date *utc);

/* ---- the vCPU area --------------------------------------------------------------------------- */

/* What a vCPU area said: see <pvrom/vcpu.h>. */
struct pvrom_clock_vcpu_reading {
	uint64_t tsc;
	uint64_t real_ns;
	uint64_t stolen_ns;
	uint64_t available_ns; /* real_ns - stolen_ns */
	uint64_t halted_ns;
	/* When this is older than that, by real_ns, the host does not keep up; UINT64_MAX: it does not say. */
	uint64_t fresh_ns;
	/* PVROM_VCPU_x at the snapshot; but READY where pvrom_clock_vcpu_preempted() says so. */
	uint32_t state;
	uint32_t reserved;
};

/*
 * Has the layer below taken this vCPU off its processor just now, though it would run? Under KVM its own record
 * tells (Documentation/virt/kvm/x86/msr.rst, MSR_KVM_STEAL_TIME); where there is no such record never. One
 * load: for who waits for what that vCPU holds. A KVM before Linux 5.19 says it of halted vCPUs too.
 */
static inline bool pvrom_clock_vcpu_preempted(const struct pvrom_vcpu_area *area)
{
	return __atomic_load_n((const uint8_t *)area + PVROM_VCPU_AREA_STEAL +
				       PVROM_VCPU_STEAL_PREEMPTED,
			       __ATOMIC_RELAXED) &
	       1;
}

/*
 * Reads the clock's part of a vCPU area, of any vCPU, tear-free. False if the host has not written it
 * yet or does not settle. Any context.
 */
bool pvrom_clock_vcpu_read(const struct pvrom_vcpu_area *area,
			   struct pvrom_clock_vcpu_reading *reading);

/* What pvrom_clock_counter() returns for a call that has none. */
#define PVROM_CLOCK_NO_COUNTER 0xffffffffu

/* The index of a call, PVROM_x_y, in pvrom_clock_vcpu_calls.made, below PVROM_COUNTER_COUNT; PVROM_CLOCK_NO_COUNTER for a
 * number that no group has room for. Any context. */
static inline uint32_t pvrom_clock_counter(uint32_t call)
{
#define PVROM_CLOCK_GROUP_(NAME, number, version, name, first, counters) { first, counters },
	static const struct {
		uint8_t first, counters;
	} groups[] = { PVROM_GROUP_TABLE(PVROM_CLOCK_GROUP_) };
#undef PVROM_CLOCK_GROUP_
	const uint32_t group = call >> 8, index = call & 0xff;

	if (group >= PVROM_GROUP_COUNT || index >= groups[group].counters)
		return PVROM_CLOCK_NO_COUNTER;
	return groups[group].first + index;
}

/* How often a vCPU had made each call when its snapshot was taken, modulo 2^64, by pvrom_clock_counter(). 1,800 bytes: too
 * much for some stacks. */
struct pvrom_clock_vcpu_calls {
	uint64_t tsc; /* of the snapshot */
	uint64_t made[PVROM_COUNTER_COUNT];
};

/* As pvrom_clock_vcpu_read(), for the calls: all of them of one snapshot. What it returns, and contexts: as there. */
bool pvrom_clock_vcpu_calls(const struct pvrom_vcpu_area *area,
			    struct pvrom_clock_vcpu_calls *calls);

#ifdef __cplusplus
}
#endif

#endif
