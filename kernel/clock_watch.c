/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * "watch=N" on the command line: N times, a quarter of a second apart, prints what the clock says, the
 * function of the TSC that its page holds, and what this CPU's area says. For tests in which the host's
 * clock is set, the machine is saved, or its CPUs are kept busy meanwhile.
 */
#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "kernel_clock.h"
#include "kernel_rom.h"
#include "percpu.h"
#include "time.h"

#define PAUSE_US 250000

/* The page in one piece, or what there is of it after so many tries. */
static struct pvrom_clock_page take(const struct pvrom_clock_page *page)
{
	struct pvrom_clock_page copy;
	uint32_t seq, tries = 0;

	do {
		seq = pvrom_clock_seq_(&page->seq_count);
		copy = *page;
		__asm__ volatile("" ::: "memory");
	} while ((seq & 1 || READ_ONCE(page->seq_count) != seq) && ++tries < PVROM_CLOCK_TRIES);
	return copy;
}

/* All zero where the source has no page. */
static void print_function(void)
{
	const struct pvrom_clock_page *page = clock_user_page();
	struct pvrom_clock_page copy = { 0 };

	if (page)
		copy = take(page);
	kprintf(" base=%lu period=%lu shift=%u ns=%lu low=%lu suspended=%lu", copy.mono_tsc,
		copy.mono_period, copy.mono_shift, copy.mono_ns, copy.mono_low, copy.suspended_ns);
}

/* KVM's record begins with its nanoseconds; Documentation/virt/kvm/x86/msr.rst. */
static void print_area(void)
{
	const struct pvrom_vcpu_area *area = &this_cpu()->area;
	struct pvrom_clock_vcpu_reading mine = { 0 };

	/* An exit, at which the host may write. */
	if (kernel_rom_granted(PVROM_FEATURE_CLOCK))
		pvrom_call(&kernel_rom, PVROM_BASE_VERSION, 0, 0, 0, 0, NULL);
	pvrom_clock_vcpu_read(area, &mine);
	kprintf(" real=%lu stolen=%lu available=%lu halted=%lu recorded=%lu calls=%lu",
		mine.real_ns, mine.stolen_ns, mine.available_ns, mine.halted_ns,
		*(const volatile uint64_t *)area->steal, mine.calls[PVROM_GROUP_BASE]);
}

bool clock_watch_wanted(void)
{
	return boot_option("watch=");
}

void clock_watch(void)
{
	uint64_t count = lib_number(boot_option("watch="));
	struct pvrom_clock_reading now = { 0 };

	for (uint64_t i = 0; i < count; i++) {
		clock_read(&now);
		kprintf("# watch: tsc=%lu mono=%lu tai=%lu nsec=%u status=%u error=%lu marker=%lu "
			"offset=%d",
			now.tsc, now.monotonic_ns, now.tai_sec, now.tai_nsec, now.status,
			now.maxerror_ns, now.marker, now.utc_offset_sec);
		print_function();
		print_area();
		kprintf("\n");
		time_spin_us(PAUSE_US);
	}
	kprintf("# end\n");
}
