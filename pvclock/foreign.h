/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Clocks that are not pvrom's: how their pages look, as numbers on the page, and their arithmetic.
 * Nothing here is for kernels. Each page is written by a host at any moment and believed in
 * nothing: words are read once, and every value of every field has an answer.
 */
#ifndef PVROM_FOREIGN_H
#define PVROM_FOREIGN_H

#include <pvrom/clock_source.h>

/*
 * kvmclock, one for each vCPU: Linux, Documentation/virt/kvm/x86/msr.rst, MSR_KVM_SYSTEM_TIME_NEW.
 *
 *	0x00	version		odd while the host writes
 *	0x04	pad
 *	0x08	tsc_timestamp	the TSC at which system_time held
 *	0x10	system_time	nanoseconds since the machine was made
 *	0x18	mul		nanoseconds a tick, times 2^32, after the shift
 *	0x1c	shift		signed: ticks are shifted left by it, or right by its negative
 *	0x1d	flags		bit 0: alike on all vCPUs
 *	0x1e	pad[2]
 */
struct pvrom_kvm_page {
	uint32_t version;
	uint32_t reserved0;
	uint64_t tsc_timestamp;
	uint64_t system_time;
	uint32_t mul;
	int8_t shift;
	uint8_t flags;
	uint8_t reserved1[2];
};
_Static_assert(sizeof(struct pvrom_kvm_page) == 0x20, "msr.rst");
#define PVROM_KVM_STABLE 0x01

/* MSR_KVM_WALL_CLOCK_NEW: UTC at system_time 0, in 32 bits of seconds: it ends in 2106. */
struct pvrom_kvm_wall {
	uint32_t version;
	uint32_t sec;
	uint32_t nsec;
};

/*
 * Hyper-V's reference TSC page: Hypervisor Top Level Functional Specification, "Partition
 * Reference Time Enlightenment". Units of 100 ns: (TSC * scale >> 64) + offset.
 *
 *	0x00	sequence	0: not valid, ask the MSR; changes with every update
 *	0x04	reserved
 *	0x08	scale
 *	0x10	offset		signed
 */
struct pvrom_hyperv_page {
	uint32_t sequence;
	uint32_t reserved;
	uint64_t scale;
	int64_t offset;
};

/* How often a page that is being written is looked at before the answer is "not now". */
#define PVROM_FOREIGN_TRIES 1000

/* Reads the page together with the TSC at one moment; false if it never settled. */
bool pvrom_kvm_take(const void *page, struct pvrom_kvm_page *copy, uint64_t *tsc);
bool pvrom_kvm_take_wall(const void *page, struct pvrom_kvm_wall *copy);
bool pvrom_hyperv_take(const void *page, struct pvrom_hyperv_page *copy, uint64_t *tsc);

/* Nanoseconds at a TSC value; false if the page makes no sense or the time does not fit. */
bool pvrom_kvm_ns(const struct pvrom_kvm_page *page, uint64_t tsc, uint64_t *ns);
bool pvrom_hyperv_ns(const struct pvrom_hyperv_page *page, uint64_t tsc, uint64_t *ns);

/* The TSC's rate that the page states, in Hz; 0 if none or no rate of a TSC. */
uint64_t pvrom_kvm_hz(const struct pvrom_kvm_page *page);
uint64_t pvrom_hyperv_hz(const struct pvrom_hyperv_page *page);

/* Does CPUID promise that the host's MSR is there? */
bool pvrom_kvm_promised(const struct pvrom_clock_os *os);
bool pvrom_hyperv_promised(const struct pvrom_clock_os *os);

/* Rates below and above these are no TSC's: such a page or leaf is not believed. */
#define PVROM_TSC_HZ_MIN UINT64_C(1000000)
#define PVROM_TSC_HZ_MAX UINT64_C(100000000000)

static inline bool pvrom_is_tsc_hz(uint64_t hz)
{
	return hz >= PVROM_TSC_HZ_MIN && hz <= PVROM_TSC_HZ_MAX;
}

/*
 * value * 2^shift / divisor, rounded down; UINT64_MAX if it does not fit. divisor is not 0, shift is at
 * most 64. By hand, for a kernel has no library that divides 128 bits.
 */
uint64_t pvrom_shift_divide(uint64_t value, uint32_t shift, uint64_t divisor);

/* One load of a word that a host may write at that moment. */
#define PVROM_ONCE(word) (*(const volatile __typeof__(word) *)&(word))

/* Keeps the compiler from moving loads; the processor does not move a load before a load. */
#define PVROM_LOADS_STAY() __asm__ volatile("" ::: "memory")

/*
 * The TSC after all loads before it: LFENCE waits for them (SDM vol. 2, LFENCE; AMD processors that
 * pvrom runs on have it dispatch-serializing). A load after it in program order may run before it,
 * which the second look at the sequence finds harmless: it only makes the moment wider.
 */
static inline uint64_t pvrom_tsc_after_loads(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

#endif
