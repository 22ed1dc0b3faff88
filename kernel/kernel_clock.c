/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Chooses the clock's source twice: at the start, for the TSC's rate, among what needs no ROM; and when a
 * host has granted the feature clock, again, with its page. "clock=NUMBER" on the command line allows only that
 * source (PVROM_CLOCK_SOURCE_x), "vmclock=ADDRESS" names a VMClock page, as a boot loader would.
 */
#include "kernel_clock.h"

#include <pvrom/kernel_api.h>
#include <pvrom/sites.h>

#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "kernel_rom.h"
#include "memory.h"
#include "paging.h"
#include "percpu.h"
#include "rtc.h"
#include "smp.h"
#include "time.h"

#define SHARED_BYTES ALIGN_UP(PVROM_CLOCK_SHARED_SIZE(MAX_CPUS), PAGE_SIZE)

static struct pvrom_clock kernel_clock;
static uint8_t page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static uint8_t own[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static uint8_t shared[SHARED_BYTES] __attribute__((aligned(PAGE_SIZE)));
static bool registered;
/* The page's monotonic function, while the sites of CLOCK_NOW use it. */
static struct pvrom_clock_alone alone;
static bool by_tsc_alone;

static void os_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	pvrom_cpuid(leaf, subleaf, regs);
}

static uint64_t os_read_msr(uint32_t index)
{
	return cpu_rdmsr(index);
}

static void os_write_msr(uint32_t index, uint64_t value)
{
	cpu_wrmsr(index, value);
}

static const struct pvrom_clock_os os = { os_cpuid, os_read_msr, os_write_msr };
static struct pvrom_clock_offer offer = {
	.os = &os,
	.shared = shared,
	.shared_gpa = 0, /* clock_init() */
	.cpus = MAX_CPUS,
	.own = (struct pvrom_clock_page *)own,
};

static const void *vmclock_page(void)
{
	const char *value = boot_option("vmclock=");
	uint64_t gpa = value ? lib_number(value) : 0;

	return gpa && !(gpa & (PAGE_SIZE - 1)) ? pvrom_os_map(NULL, gpa, PAGE_SIZE) : NULL;
}

static uint32_t barred(void)
{
	const char *value = boot_option("clock=");

	return value ? ~PVROM_CLOCK_SOURCE_BIT(lib_number(value)) : 0;
}

/* The pages are zeroed anew: a host that is not there any more has written to them. */
static void start(void)
{
	memset(shared, 0, sizeof(shared));
	pvrom_clock_start(&kernel_clock, &offer);
}

uint64_t clock_init(const char **words)
{
	offer.shared_gpa = (uint64_t)shared;
	offer.vmclock = vmclock_page();
	offer.barred = barred();
	offer.has_wall = rtc_read(&offer.wall_utc_sec);
	offer.wall_tsc = cpu_rdtsc();
	start();
	*words = pvrom_clock_source_words(pvrom_clock_source(&kernel_clock));
	return pvrom_clock_tsc_hz(&kernel_clock);
}

void clock_measured(uint64_t tsc_hz)
{
	offer.measured_hz = tsc_hz;
	start();
}

void clock_init_cpu(void)
{
	pvrom_clock_start_cpu(&kernel_clock, this_cpu()->index);
}

static void init_here(void *unused)
{
	(void)unused;
	clock_init_cpu();
}

static void stop_here(void *unused)
{
	(void)unused;
	pvrom_clock_stop_cpu(&kernel_clock, this_cpu()->index);
}

static bool register_page(uint64_t gpa)
{
	return pvrom_call(&kernel_rom, PVROM_CLOCK_PAGE, gpa, PVROM_CLOCK_PAGE_SIZE, 0, 0, NULL) ==
	       PVROM_STATUS_OK;
}

/* All other CPUs first: the one that starts the clock gives its slot back last. */
static void restart(void)
{
	for (uint32_t i = smp_cpus; i-- > 0;)
		if (READ_ONCE(cpus[i].state) == SMP_ONLINE)
			smp_run(i, stop_here, NULL);
	start();
	smp_run_each(init_here, NULL);
}

static void update_page(void)
{
	bool granted = kernel_rom_granted(PVROM_FEATURE_CLOCK);

	if (granted == registered)
		return;
	registered = granted && register_page((uint64_t)page);
	offer.page = registered ? page : NULL;
	restart();
}

static uint64_t now_by_tsc_alone(void)
{
	return pvrom_clock_alone_ns(&alone);
}

/* Where the host says that the TSC alone is good enough, the sites become calls of what reads that. The
 * function may have changed with the epoch, and is changed while nobody uses it. */
static void update_sites(void)
{
	struct pvrom_clock_alone next;
	bool good = registered && pvrom_clock_alone_take((void *)page, &next);

	if (good && by_tsc_alone && !memcmp(&next, &alone, sizeof(next)))
		return;
	if (by_tsc_alone)
		kernel_rom_own(PVROM_CLOCK_NOW, NULL);
	by_tsc_alone = good;
	if (!good)
		return;
	alone = next;
	kernel_rom_own(PVROM_CLOCK_NOW, (void (*)(void))now_by_tsc_alone);
}

void clock_update(void)
{
	update_page();
	update_sites();
}

static void print_date(const struct pvrom_clock_reading *now)
{
	struct pvrom_clock_date utc;

	if (!pvrom_clock_utc(now, PVROM_CLOCK_STRICT, &utc))
		kprintf("no wall time");
	else if (now->maxerror_ns == PVROM_CLOCK_NONE)
		kprintf("UTC %ld s, no bound", utc.sec);
	else
		kprintf("UTC %ld s +- %lu us", utc.sec, now->maxerror_ns / 1000);
}

void clock_print(void)
{
	static const char *const status[] = { "unknown",      "initializing", "synchronized",
					      "free-running", "unreliable",   "unavailable" };
	struct pvrom_clock_reading now = { 0 };
	uint32_t said = clock_read(&now);

	kprintf("# clock: source=%s, status %s, ",
		pvrom_clock_source_words(pvrom_clock_source(&kernel_clock)),
		said < ARRAY_SIZE(status) ? status[said] : "?");
	print_date(&now);
	kprintf("\n");
	if (by_tsc_alone)
		kprintf("# clock: read by the TSC alone\n");
}

uint32_t clock_read(struct pvrom_clock_reading *time)
{
	return pvrom_clock_read(&kernel_clock, this_cpu()->index, time);
}

uint64_t pvrom_native_clock_now(void)
{
	struct pvrom_clock_reading now = { 0 };

	if (pvrom_clock_source(&kernel_clock) == PVROM_CLOCK_SOURCE_PAGE)
		return pvrom_clock_page_monotonic((const struct pvrom_clock_page *)page);
	clock_read(&now);
	return now.monotonic_ns;
}

uint64_t clock_monotonic(void)
{
	return pvrom_clock_now();
}

const void *clock_now_function(void)
{
	return by_tsc_alone ? (const void *)now_by_tsc_alone : (const void *)pvrom_native_clock_now;
}

const struct pvrom_clock_page *clock_user_page(void)
{
	switch (pvrom_clock_source(&kernel_clock)) {
	case PVROM_CLOCK_SOURCE_PAGE: return (const struct pvrom_clock_page *)page;
	case PVROM_CLOCK_SOURCE_CPUID_15:
	case PVROM_CLOCK_SOURCE_CPUID_40000010:
	case PVROM_CLOCK_SOURCE_MEASURED: return (const struct pvrom_clock_page *)own;
	default: return NULL;
	}
}
