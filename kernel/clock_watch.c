/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * "watch=N" on the command line: N times, a quarter of a second apart, prints what the clock says, the
 * function of the TSC that its page holds, and what this CPU's area says; and of each CPU when its area was written
 * last, and what that says that it does. "spin=CPU": that one is busy all the while. For tests in which the host's clock is set, the
 * machine is saved, or its CPUs are kept busy meanwhile.
 */
#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "kernel_clock.h"
#include "kernel_rom.h"
#include "percpu.h"
#include "smp.h"
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

/* All that is printed, taken before anything is: printing takes long. */
struct look {
	struct pvrom_clock_reading now;
	struct pvrom_clock_page page; /* zero where the source has none */
	struct pvrom_clock_vcpu_reading mine;
	uint64_t recorded;
	uint64_t calls; /* of VERSION, of which each look makes one */
	/* Of each CPU: when its snapshot was written, and PVROM_VCPU_x; all ones: there is none. */
	uint64_t real[MAX_CPUS];
	uint32_t state[MAX_CPUS];
};

/* KVM's record begins with its nanoseconds; Documentation/virt/kvm/x86/msr.rst. */
static void look(struct look *at)
{
	static struct pvrom_clock_vcpu_calls calls;
	const struct pvrom_vcpu_area *area = &this_cpu()->area;
	const struct pvrom_clock_page *page = clock_user_page();

	*at = (struct look){ .now.marker = at->now.marker };
	/* An exit, at which the host may write. */
	if (kernel_rom_granted(PVROM_FEATURE_CLOCK))
		pvrom_call(&kernel_rom, PVROM_BASE_VERSION, 0, 0, 0, 0, NULL);
	clock_read(&at->now);
	if (page)
		at->page = take(page);
	pvrom_clock_vcpu_read(area, &at->mine);
	if (pvrom_clock_vcpu_calls(area, &calls))
		at->calls = calls.made[pvrom_clock_counter(PVROM_BASE_VERSION)];
	at->recorded = *(const volatile uint64_t *)area->steal;
	for (uint32_t i = 0; i < smp_cpus; i++) {
		struct pvrom_clock_vcpu_reading other;
		bool there = pvrom_clock_vcpu_read(&cpus[i].area, &other);

		at->real[i] = there ? other.real_ns : UINT64_MAX;
		at->state[i] = there ? other.state : UINT32_MAX;
	}
}

static void print(const struct look *at)
{
	const struct pvrom_clock_page *page = &at->page;

	kprintf("# watch: tsc=%lu mono=%lu tai=%lu nsec=%u status=%u error=%lu marker=%lu "
		"offset=%d type=%u generation=%lu",
		at->now.tsc, at->now.monotonic_ns, at->now.tai_sec, at->now.tai_nsec,
		at->now.status, at->now.maxerror_ns, at->now.marker, at->now.utc_offset_sec,
		page->time_type, page->vm_generation_counter);
	kprintf(" base=%lu period=%lu shift=%u ns=%lu low=%lu suspended=%lu", page->mono_tsc,
		page->mono_period, page->mono_shift, page->mono_ns, page->mono_low,
		page->suspended_ns);
	kprintf(" real=%lu stolen=%lu available=%lu halted=%lu fresh=%lu recorded=%lu calls=%lu",
		at->mine.real_ns, at->mine.stolen_ns, at->mine.available_ns, at->mine.halted_ns,
		at->mine.fresh_ns, at->recorded, at->calls);
	for (uint32_t i = 0; i < smp_cpus; i++)
		kprintf(" real%u=%lu", i, at->real[i]);
	for (uint32_t i = 0; i < smp_cpus; i++)
		kprintf(" state%u=%u", i, at->state[i]);
	kprintf("\n");
}

static bool spin;

static void spin_on(void *unused)
{
	(void)unused;
	while (READ_ONCE(spin))
		cpu_relax();
}

/* The CPU that is named, if there is one: has it something to do? */
static uint32_t begin_to_spin(void)
{
	const char *value = boot_option("spin=");
	uint64_t cpu = value ? lib_number(value) : 0;

	spin = cpu && cpu < smp_cpus;
	if (spin)
		smp_post((uint32_t)cpu, spin_on, NULL);
	return spin ? (uint32_t)cpu : 0;
}

bool clock_watch_wanted(void)
{
	return boot_option("watch=");
}

void clock_watch(void)
{
	uint64_t count = lib_number(boot_option("watch="));
	uint32_t spinning = begin_to_spin();
	struct look at = { 0 };

	for (uint64_t i = 0; i < count; i++) {
		look(&at);
		print(&at);
		time_spin_us(PAUSE_US);
		kernel_rom_poll();
	}
	__atomic_store_n(&spin, false, __ATOMIC_RELAXED);
	if (spinning)
		smp_wait(spinning);
	kprintf("# end\n");
}
