/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One clock for a kernel, whatever the machine has: the pvrom clock page, or what other hosts give
 * (a VMClock page, kvmclock, Hyper-V's TSC page, a rate stated by CPUID), or a TSC whose rate the
 * kernel has measured. The kernel chooses once with pvrom_clock_start() and from then on makes the same
 * call, pvrom_clock_read(), everywhere.
 *
 * Freestanding; no global state; nothing is allocated. What needs privilege (CPUID is among it,
 * for a kernel may want its own site there) comes from the kernel as three functions.
 */
#ifndef PVROM_CLOCK_SOURCE_H
#define PVROM_CLOCK_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/clock.h>
#include <pvrom/clock_guest.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(NAME, number, words for people); what stands higher is taken if it is there. */
#define PVROM_CLOCK_SOURCE_TABLE(X)                                                                \
	X(NONE, 0, "none")                                                                         \
	X(PAGE, 1, "pvrom clock page")                                                             \
	X(VMCLOCK, 2, "VMClock page")                                                              \
	X(KVMCLOCK, 3, "kvmclock")                                                                 \
	X(HYPERV, 4, "Hyper-V TSC page")                                                           \
	X(CPUID_15, 5, "CPUID leaf 0x15")                                                          \
	X(CPUID_40000010, 6, "CPUID leaf 0x40000010")                                              \
	X(MEASURED, 7, "measured TSC")

#define PVROM_CLOCK_SOURCE_CONSTANT_(NAME, number, words) PVROM_CLOCK_SOURCE_##NAME = number,
enum pvrom_clock_source_number {
	PVROM_CLOCK_SOURCE_TABLE(PVROM_CLOCK_SOURCE_CONSTANT_) PVROM_CLOCK_SOURCE_COUNT
};
#undef PVROM_CLOCK_SOURCE_CONSTANT_

/* What the kernel does for the clock, on the calling CPU. write_msr is only used for MSRs that CPUID
 * has promised. */
struct pvrom_clock_os {
	void (*cpuid)(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);
	uint64_t (*read_msr)(uint32_t index);
	void (*write_msr)(uint32_t index, uint64_t value);
};

/* A bit of pvrom_clock_offer.barred. */
#define PVROM_CLOCK_SOURCE_BIT(source) (UINT32_C(1) << (source))

/* Bytes of shared: a slot of 64 bytes for each CPU, and one for the wall clock. */
#define PVROM_CLOCK_SLOT 64u
#define PVROM_CLOCK_SHARED_SIZE(cpus) (((cpus) + 1) * PVROM_CLOCK_SLOT)

/* What the kernel has to choose from. Pages are the kernel's and stay until pvrom_clock_stop(). */
struct pvrom_clock_offer {
	const struct pvrom_clock_os *os;
	/* The registered pvrom clock page; NULL if there is none. */
	const void *page;
	/* A VMClock page that firmware, a boot loader or the operator named; NULL if there is none. */
	const void *vmclock;
	/* Memory for a host that is not pvrom's to write: zeroed, page aligned, contiguous, 4096 bytes at
	 * least and PVROM_CLOCK_SHARED_SIZE(cpus). May be NULL: then neither kvmclock nor Hyper-V. */
	void *shared;
	uint64_t shared_gpa;
	uint32_t cpus;	 /* that the kernel will ever run, 1 to 4096 */
	uint32_t barred; /* PVROM_CLOCK_SOURCE_BITs that are not to be taken */
	/* 4096 bytes, page aligned: a page in pvrom's form that the clock itself fills in where the
	 * time is a fixed function of the TSC, so that it too can be mapped into user mode. */
	struct pvrom_clock_page *own;
	/* The TSC's rate as the kernel measured it, 0 if it did not. */
	uint64_t measured_hz;
	/* A time of day from elsewhere (a CMOS clock), for sources that have none: UTC seconds since 1970
	 * at TSC wall_tsc. has_wall false: there is none. */
	uint64_t wall_utc_sec;
	uint64_t wall_tsc;
	bool has_wall;
};

/* The kernel's clock; its memory is the caller's, its fields are not. */
struct pvrom_clock {
	const struct pvrom_clock_os *os;
	const void *page; /* of pvrom, VMClock, Hyper-V; for kvmclock the first slot */
	uint64_t shared_gpa;
	struct pvrom_clock_page *own;
	uint64_t tsc_hz;
	uint64_t last_ns; /* kvmclock and Hyper-V: the greatest that was given out */
	uint64_t marker;  /* VMClock: the disruption marker for which own holds */
	int64_t wall_sec; /* UTC at the source's nanosecond 0, if has_wall */
	uint32_t wall_nsec;
	uint32_t source;
	uint32_t cpus;
	bool has_wall;
	uint8_t reserved[3];
};

/*
 * The TSC's rate in Hz as CPUID states it, 0 if it does not; *source says which leaf. Needs no memory: for the
 * very beginning of a kernel. Never executes an MSR instruction.
 */
uint64_t pvrom_clock_stated_hz(const struct pvrom_clock_os *os, uint32_t *source);
/* The same of one leaf: PVROM_CLOCK_SOURCE_CPUID_15 or _40000010. */
uint64_t pvrom_clock_leaf_hz(const struct pvrom_clock_os *os, uint32_t source);

/*
 * Takes the best source there is and returns it (PVROM_CLOCK_SOURCE_x); also into *clock, which may be
 * read from any CPU once this has returned. On the first CPU, once, and again after
 * pvrom_clock_stop(): monotonic time then begins anew.
 */
uint32_t pvrom_clock_start(struct pvrom_clock *clock, const struct pvrom_clock_offer *offer);

/* On each further CPU before it reads: cpu is 1 to cpus - 1 (0 is the one that started the clock). */
void pvrom_clock_start_cpu(struct pvrom_clock *clock, uint32_t cpu);

/* Takes this CPU's slot back from the host; on each CPU, the starting one last. */
void pvrom_clock_stop_cpu(struct pvrom_clock *clock, uint32_t cpu);

/* Which source it is (PVROM_CLOCK_SOURCE_x), and its words; "unknown" for another number. */
uint32_t pvrom_clock_source(const struct pvrom_clock *clock);
const char *pvrom_clock_source_words(uint32_t source);

/* The TSC's rate as the source states it, in Hz; 0 if it does not. */
uint64_t pvrom_clock_tsc_hz(const struct pvrom_clock *clock);

/*
 * The one call: the time now, on CPU number cpu (looked at by kvmclock only; the caller does not change
 * CPUs meanwhile). *time is as with pvrom_clock_page_read(): monotonic_ns may be there without a time of day
 * (status UNAVAILABLE), and the other way round; what a source does not tell reads PVROM_CLOCK_NONE. Any
 * context, bounded, whatever bytes the source's page holds. monotonic_ns never goes back, whichever CPUs ask;
 * where a VMClock page says that the TSC was disrupted there is none until pvrom_clock_resume().
 */
uint32_t pvrom_clock_read(struct pvrom_clock *clock, uint32_t cpu,
			  struct pvrom_clock_reading *time);

/*
 * After a reading with disrupted set, VMClock only (nothing otherwise): monotonic time goes on from
 * the last that was given out, at the new rate. On one CPU, while no other reads.
 */
void pvrom_clock_resume(struct pvrom_clock *clock);

#ifdef __cplusplus
}
#endif

#endif
