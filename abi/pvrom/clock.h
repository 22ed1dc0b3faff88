/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The clock page: memory of the guest that the host keeps right and that everybody in the guest may read.
 *
 * The guest registers one page of 4096 bytes with CLOCK_PAGE (argument 0: gpa, a multiple of 4096;
 * argument 1: bytes, PVROM_CLOCK_PAGE_SIZE) and releases it with argument 0 PVROM_CLOCK_PAGE_NONE. It may map
 * it read-only into user mode. Its first part is the VMClock structure, version 1, as Linux has it
 * (include/uapi/linux/vmclock-abi.h), so that readers of VMClock understand the page; pvrom's part
 * follows at PVROM_CLOCK_PART. Where the written text UAPI.13 1.0 differs (place of the generation
 * counter, sign of the TAI offset, numbers of the flags above 6) Linux is right; its 1.1 says as Linux.
 *
 * Two functions of the TSC stand in it, each with its own base, period and shift. All
 * products have 128 bits and are cut off; ticks is the TSC less the base, 0 if the TSC is below the base:
 *
 *	TAI		time_sec + (time_frac_sec + (ticks * counter_period_frac_sec >>
 *			counter_period_shift)) / 2^64 seconds since 1970-01-01 00:00:00 TAI,
 *			true to +- (time_maxerror_nanosec + ticks *
 *			counter_period_maxerror_rate_frac_sec / 2^(64 + counter_period_shift) s)
 *	monotonic	mono_ns + ((ticks * mono_period + mono_low) >> mono_shift) nanoseconds
 *
 * Both are protected by the one sequence counter, which is odd while the host writes:
 * read it, then the TSC (ordered after it) and the fields, then the counter again (ordered after the TSC).
 */
#ifndef PVROM_CLOCK_H
#define PVROM_CLOCK_H

#include <pvrom/constants.h>

PVROM_CONSTANTS_BEGIN
PVROM_CONSTANT(PVROM_CLOCK_PAGE_SIZE, 0x1000)
/* Where pvrom's part begins, and its sequence counter. */
PVROM_CONSTANT(PVROM_CLOCK_PART, 0x200)
PVROM_CONSTANT(PVROM_CLOCK_SEQ_COUNT, 0x0c)
PVROM_CONSTANTS_END
#define PVROM_CLOCK_PAGE_NONE PVROM_U64(0xffffffffffffffff)

/* VMClock's numbers. */
PVROM_CONSTANTS_BEGIN
PVROM_CONSTANT(PVROM_VMCLOCK_MAGIC, 0x4b4c4356) /* "VCLK" */
PVROM_CONSTANT(PVROM_VMCLOCK_VERSION, 1)
/* counter_id */
PVROM_CONSTANT(PVROM_VMCLOCK_COUNTER_TSC, 1)
PVROM_CONSTANT(PVROM_VMCLOCK_COUNTER_INVALID, 0xff)
/* time_type */
PVROM_CONSTANT(PVROM_VMCLOCK_TIME_UTC, 0)
PVROM_CONSTANT(PVROM_VMCLOCK_TIME_TAI, 1)
PVROM_CONSTANT(PVROM_VMCLOCK_TIME_MONOTONIC, 2)
/* flags */
PVROM_CONSTANT(PVROM_VMCLOCK_TAI_OFFSET_VALID, 0x001)
PVROM_CONSTANT(PVROM_VMCLOCK_DISRUPTION_SOON, 0x002)
PVROM_CONSTANT(PVROM_VMCLOCK_DISRUPTION_IMMINENT, 0x004)
PVROM_CONSTANT(PVROM_VMCLOCK_PERIOD_ESTERROR_VALID, 0x008)
PVROM_CONSTANT(PVROM_VMCLOCK_PERIOD_MAXERROR_VALID, 0x010)
PVROM_CONSTANT(PVROM_VMCLOCK_TIME_ESTERROR_VALID, 0x020)
PVROM_CONSTANT(PVROM_VMCLOCK_TIME_MAXERROR_VALID, 0x040)
PVROM_CONSTANT(PVROM_VMCLOCK_TIME_IS_MONOTONIC, 0x080)
PVROM_CONSTANT(PVROM_VMCLOCK_GENERATION_PRESENT, 0x100)
PVROM_CONSTANT(PVROM_VMCLOCK_NOTIFICATION_PRESENT, 0x200)
/* clock_status; a reader of pvrom adds UNAVAILABLE and never finds it in a page. */
PVROM_CONSTANT(PVROM_CLOCK_UNKNOWN, 0)
PVROM_CONSTANT(PVROM_CLOCK_INITIALIZING, 1)
PVROM_CONSTANT(PVROM_CLOCK_SYNCHRONIZED, 2)
PVROM_CONSTANT(PVROM_CLOCK_FREE_RUNNING, 3)
PVROM_CONSTANT(PVROM_CLOCK_UNRELIABLE, 4)
PVROM_CONSTANT(PVROM_CLOCK_UNAVAILABLE, 5)
/* leap_second_smearing_hint: UTC as it is, linear from noon to noon, UTC-SLS. */
PVROM_CONSTANT(PVROM_CLOCK_STRICT, 0)
PVROM_CONSTANT(PVROM_CLOCK_NOON_LINEAR, 1)
PVROM_CONSTANT(PVROM_CLOCK_UTC_SLS, 2)
/* leap_indicator */
PVROM_CONSTANT(PVROM_VMCLOCK_LEAP_NONE, 0)
PVROM_CONSTANT(PVROM_VMCLOCK_LEAP_PRE_POS, 1)
PVROM_CONSTANT(PVROM_VMCLOCK_LEAP_PRE_NEG, 2)
PVROM_CONSTANT(PVROM_VMCLOCK_LEAP_POS, 3)
PVROM_CONSTANT(PVROM_VMCLOCK_LEAP_POST_POS, 4)
PVROM_CONSTANT(PVROM_VMCLOCK_LEAP_POST_NEG, 5)
PVROM_CONSTANTS_END

/* pvrom's part: its first word, and clock_flags. */
#define PVROM_CLOCK_MAGIC PVROM_U64(0x6b6c634d4f527670) /* "pvROMclk" */
PVROM_CONSTANTS_BEGIN
/* The host keeps this page; clear after it was released. */
PVROM_CONSTANT(PVROM_CLOCK_KEPT, 0x1)
/*
 * The TSC alone is good enough: the monotonic function will not change while the epoch stands (field
 * epoch, and that of the vCPU areas), so a reader may keep base, period and shift and read the TSC only.
 */
PVROM_CONSTANT(PVROM_CLOCK_TSC_ALONE, 0x2)
PVROM_CONSTANTS_END

/* vCPU area, clock_state. */
PVROM_CONSTANTS_BEGIN
PVROM_CONSTANT(PVROM_VCPU_RUNNING, 0) /* on a processor when the snapshot was taken */
PVROM_CONSTANT(PVROM_VCPU_HALTED, 1)  /* waiting for an interrupt, or stopped: available time */
PVROM_CONSTANT(PVROM_VCPU_READY, 2)   /* would run, but the host runs others: stolen time */
PVROM_CONSTANTS_END

#ifndef __ASSEMBLER__
/*
 * The host writes all of it, fields up to counter_id and from clock_magic to clock_minor at registration only.
 *
 *	0x000	magic		PVROM_VMCLOCK_MAGIC
 *	0x004	size		0x1000: both parts
 *	0x008	version		1
 *	0x00a	counter_id	PVROM_VMCLOCK_COUNTER_TSC
 *	0x00b	time_type	PVROM_VMCLOCK_TIME_TAI; _UTC while the host does not know TAI: what is
 *				called TAI below is UTC then
 *	0x00c	seq_count	raised by 1 before and after each update; odd meanwhile
 *	0x010	disruption_marker	changes when the TSC or the time was disrupted; never comes back
 *	0x018	flags		PVROM_VMCLOCK_x
 *	0x020	pad[2]		zero
 *	0x022	clock_status	PVROM_CLOCK_x
 *	0x023	leap_second_smearing_hint	the way of smearing that is usual around here
 *	0x024	tai_offset_sec	what is added to TAI to get UTC at the base: -37 in 2017
 *	0x026	leap_indicator	at the base
 *	0x027	counter_period_shift	0 to 63
 *	0x028	counter_value	base: the TSC
 *	0x030	counter_period_frac_sec	seconds a tick, in 2^-(64 + counter_period_shift)
 *	0x038	counter_period_esterror_rate_frac_sec	zero
 *	0x040	counter_period_maxerror_rate_frac_sec	greatest error of the period, in its unit
 *	0x048	time_sec	base: TAI, seconds since 1970-01-01 00:00:00 TAI
 *	0x050	time_frac_sec	base: TAI, 2^-64 s
 *	0x058	time_esterror_nanosec	zero
 *	0x060	time_maxerror_nanosec	greatest error at the base
 *	0x068	vm_generation_counter	changes when the machine was loaded from a saved state
 *	0x070	reserved0[50]	zero; room for VMClock
 *	0x200	clock_magic	PVROM_CLOCK_MAGIC
 *	0x208	clock_size	bytes of pvrom's part, 0x80
 *	0x20c	clock_major	version of the interface
 *	0x20e	clock_minor
 *	0x210	clock_flags	PVROM_CLOCK_KEPT, PVROM_CLOCK_TSC_ALONE
 *	0x214	mono_shift	1 to 64
 *	0x218	mono_tsc	base: the TSC
 *	0x220	mono_period	nanoseconds a tick, in 2^-mono_shift
 *	0x228	mono_ns		base: monotonic time, whole nanoseconds
 *	0x230	mono_low	base: the rest, in 2^-mono_shift ns
 *	0x238	suspended_ns	time for which the machine was stopped and that is not in monotonic time
 *	0x240	epoch		of the host, as in the vCPU areas
 *	0x248	leap_utc_sec	the midnight (UTC, in seconds since 1970) at whose end or beginning the leap
 *				second nearest in time stands; a multiple of 86400
 *	0x250	utc_offset_sec	what is added to TAI to get UTC before that leap second, or at all times
 *				if leap_sign is 0
 *	0x254	leap_sign	1: 23:59:60 is inserted before that midnight; -1: 23:59:59 is left
 *				out; 0: no leap second is near
 *	0x258	reserved1[5]	zero
 *	0x280
 */
struct pvrom_clock_page {
	uint32_t magic;
	uint32_t size;
	uint16_t version;
	uint8_t counter_id;
	uint8_t time_type;
	uint32_t seq_count;
	uint64_t disruption_marker;
	uint64_t flags;
	uint8_t pad[2];
	uint8_t clock_status;
	uint8_t leap_second_smearing_hint;
	int16_t tai_offset_sec;
	uint8_t leap_indicator;
	uint8_t counter_period_shift;
	uint64_t counter_value;
	uint64_t counter_period_frac_sec;
	uint64_t counter_period_esterror_rate_frac_sec;
	uint64_t counter_period_maxerror_rate_frac_sec;
	uint64_t time_sec;
	uint64_t time_frac_sec;
	uint64_t time_esterror_nanosec;
	uint64_t time_maxerror_nanosec;
	uint64_t vm_generation_counter;
	uint64_t reserved0[50];
	uint64_t clock_magic;
	uint32_t clock_size;
	uint16_t clock_major;
	uint16_t clock_minor;
	uint32_t clock_flags;
	uint32_t mono_shift;
	uint64_t mono_tsc;
	uint64_t mono_period;
	uint64_t mono_ns;
	uint64_t mono_low;
	uint64_t suspended_ns;
	uint64_t epoch;
	int64_t leap_utc_sec;
	int32_t utc_offset_sec;
	int32_t leap_sign;
	uint64_t reserved1[5];
};
PVROM_OFFSET_IS(pvrom_clock_page, magic, 0x000);
PVROM_OFFSET_IS(pvrom_clock_page, size, 0x004);
PVROM_OFFSET_IS(pvrom_clock_page, version, 0x008);
PVROM_OFFSET_IS(pvrom_clock_page, counter_id, 0x00a);
PVROM_OFFSET_IS(pvrom_clock_page, time_type, 0x00b);
PVROM_OFFSET_IS(pvrom_clock_page, seq_count, PVROM_CLOCK_SEQ_COUNT);
PVROM_OFFSET_IS(pvrom_clock_page, disruption_marker, 0x010);
PVROM_OFFSET_IS(pvrom_clock_page, flags, 0x018);
PVROM_OFFSET_IS(pvrom_clock_page, pad, 0x020);
PVROM_OFFSET_IS(pvrom_clock_page, clock_status, 0x022);
PVROM_OFFSET_IS(pvrom_clock_page, leap_second_smearing_hint, 0x023);
PVROM_OFFSET_IS(pvrom_clock_page, tai_offset_sec, 0x024);
PVROM_OFFSET_IS(pvrom_clock_page, leap_indicator, 0x026);
PVROM_OFFSET_IS(pvrom_clock_page, counter_period_shift, 0x027);
PVROM_OFFSET_IS(pvrom_clock_page, counter_value, 0x028);
PVROM_OFFSET_IS(pvrom_clock_page, counter_period_frac_sec, 0x030);
PVROM_OFFSET_IS(pvrom_clock_page, counter_period_esterror_rate_frac_sec, 0x038);
PVROM_OFFSET_IS(pvrom_clock_page, counter_period_maxerror_rate_frac_sec, 0x040);
PVROM_OFFSET_IS(pvrom_clock_page, time_sec, 0x048);
PVROM_OFFSET_IS(pvrom_clock_page, time_frac_sec, 0x050);
PVROM_OFFSET_IS(pvrom_clock_page, time_esterror_nanosec, 0x058);
PVROM_OFFSET_IS(pvrom_clock_page, time_maxerror_nanosec, 0x060);
PVROM_OFFSET_IS(pvrom_clock_page, vm_generation_counter, 0x068);
PVROM_OFFSET_IS(pvrom_clock_page, reserved0, 0x070);
PVROM_OFFSET_IS(pvrom_clock_page, clock_magic, PVROM_CLOCK_PART);
PVROM_OFFSET_IS(pvrom_clock_page, clock_size, 0x208);
PVROM_OFFSET_IS(pvrom_clock_page, clock_major, 0x20c);
PVROM_OFFSET_IS(pvrom_clock_page, clock_minor, 0x20e);
PVROM_OFFSET_IS(pvrom_clock_page, clock_flags, 0x210);
PVROM_OFFSET_IS(pvrom_clock_page, mono_shift, 0x214);
PVROM_OFFSET_IS(pvrom_clock_page, mono_tsc, 0x218);
PVROM_OFFSET_IS(pvrom_clock_page, mono_period, 0x220);
PVROM_OFFSET_IS(pvrom_clock_page, mono_ns, 0x228);
PVROM_OFFSET_IS(pvrom_clock_page, mono_low, 0x230);
PVROM_OFFSET_IS(pvrom_clock_page, suspended_ns, 0x238);
PVROM_OFFSET_IS(pvrom_clock_page, epoch, 0x240);
PVROM_OFFSET_IS(pvrom_clock_page, leap_utc_sec, 0x248);
PVROM_OFFSET_IS(pvrom_clock_page, utc_offset_sec, 0x250);
PVROM_OFFSET_IS(pvrom_clock_page, leap_sign, 0x254);
PVROM_OFFSET_IS(pvrom_clock_page, reserved1, 0x258);
PVROM_SIZE_IS(pvrom_clock_page, 0x280);

/*
 * CLOCK_WALL: the time of day once, for kernels that keep no page. The guest gives the gpa of one such
 * structure, aligned to 8; the host fills it in.
 *
 *	0x00	size		guest	bytes of this structure, 0x40
 *	0x04	status		host	PVROM_CLOCK_x
 *	0x08	tsc		host	the TSC of the calling vCPU at which the rest holds
 *	0x10	tai_sec		host	seconds since 1970-01-01 00:00:00 TAI; see flags
 *	0x18	tai_frac_sec	host	2^-64 s
 *	0x20	maxerror_nanosec	host	greatest error; all ones if none can be named
 *	0x28	monotonic_ns	host	as from the clock page
 *	0x30	utc_offset_sec	host	what is added to TAI to get UTC; see flags
 *	0x34	flags		host	PVROM_VMCLOCK_TAI_OFFSET_VALID; 0: tai_sec is UTC
 *	0x38	reserved	host	zero
 *	0x40
 */
struct pvrom_clock_wall {
	uint32_t size;
	uint32_t status;
	uint64_t tsc;
	uint64_t tai_sec;
	uint64_t tai_frac_sec;
	uint64_t maxerror_nanosec;
	uint64_t monotonic_ns;
	int32_t utc_offset_sec;
	uint32_t flags;
	uint64_t reserved;
};
PVROM_OFFSET_IS(pvrom_clock_wall, size, 0x00);
PVROM_OFFSET_IS(pvrom_clock_wall, status, 0x04);
PVROM_OFFSET_IS(pvrom_clock_wall, tsc, 0x08);
PVROM_OFFSET_IS(pvrom_clock_wall, tai_sec, 0x10);
PVROM_OFFSET_IS(pvrom_clock_wall, tai_frac_sec, 0x18);
PVROM_OFFSET_IS(pvrom_clock_wall, maxerror_nanosec, 0x20);
PVROM_OFFSET_IS(pvrom_clock_wall, monotonic_ns, 0x28);
PVROM_OFFSET_IS(pvrom_clock_wall, utc_offset_sec, 0x30);
PVROM_OFFSET_IS(pvrom_clock_wall, flags, 0x34);
PVROM_OFFSET_IS(pvrom_clock_wall, reserved, 0x38);
PVROM_SIZE_IS(pvrom_clock_wall, 0x40);
#endif

#endif
