/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Facts about the kernel's clock, whatever its source: the same call everywhere, so the same verdicts. Where
 * nothing states the TSC's rate and there is nothing to measure it against there is no such clock, and
 * the facts say n/a.
 */
#include "cpu.h"
#include "fact.h"
#include "fact_tools.h"
#include "irq.h"
#include "kernel_clock.h"
#include "kernel_rom.h"
#include "paging.h"
#include "percpu.h"
#include "probe.h"
#include "rtc.h"
#include "time.h"
#include "user.h"

/* 2020-01-01 and 2100-01-01: a clock that says anything else has lost its battery. */
#define SANE_FROM 1577836800ull
#define SANE_TO 4102444800ull
/* What the TSC's rate of two sources may differ by: a measured one is good to a percent, on a busy host. */
#define RATE_PERCENT 5

#define NEED_CLOCK()                                                                               \
	do {                                                                                       \
		if (clock_monotonic() == PVROM_CLOCK_NONE)                                         \
			return fact_without("clock and nobody who states the TSC's rate");         \
	} while (0)

/* PVROM-CLOCK-1 */
FACT(clock_forward, "clock.monotonic.forward", "PVROM clock",
     "monotonic time never goes back, and moves")
{
	uint64_t first, last;

	NEED_CLOCK();
	first = last = clock_monotonic();
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t now = clock_monotonic();

		EXPECT(now != PVROM_CLOCK_NONE && now >= last, "%lu after %lu", now, last);
		last = now;
	}
	EXPECT(last > first, "it stands still");
	return FACT_PASS;
}

FACT(clock_smp, "clock.monotonic.across_cpus", "PVROM clock",
     "monotonic time never goes back from one CPU to another")
{
	NEED_CLOCK();
	EXPECT_EQ(times_gone_back(clock_monotonic), 0);
	return FACT_PASS;
}

/* PVROM-CLOCK-36 */
/* Where the host says that the TSC alone is good enough, what is called reads neither page nor lock. */
FACT(clock_patched, "clock.now.patched", "PVROM clock",
     "the site that reads the clock calls what the host's word allows")
{
	const struct pvrom_clock_page *page = clock_user_page();
	const uint8_t *site = kernel_rom_site(PVROM_CLOCK_NOW);
	bool alone = kernel_rom_granted(PVROM_FEATURE_CLOCK) && page &&
		     page->clock_flags & PVROM_CLOCK_TSC_ALONE;
	int32_t distance;

	EXPECT(site, "there is no site");
	memcpy(&distance, site + 1, sizeof(distance));
	EXPECT_EQ(site[0], 0xe8);
	EXPECT_EQ(site + 5 + distance, clock_now_function());
	EXPECT_EQ(alone, clock_now_function() != (const void *)pvrom_native_clock_now);
	return FACT_PASS;
}

FACT(clock_now_agrees, "clock.now.agrees", "PVROM clock",
     "the site tells a time between two readings of everything")
{
	struct pvrom_clock_reading before = { 0 }, after = { 0 };

	NEED_CLOCK();
	for (unsigned i = 0; i < 100; i++) {
		uint64_t now;

		clock_read(&before);
		now = clock_monotonic();
		clock_read(&after);
		EXPECT(before.monotonic_ns <= now && now <= after.monotonic_ns,
		       "%lu, not %lu to %lu", now, before.monotonic_ns, after.monotonic_ns);
	}
	return FACT_PASS;
}

FACT(clock_rate, "clock.monotonic.rate", "PVROM clock",
     "monotonic time runs at the rate that the kernel waits by")
{
	struct pvrom_clock_reading from = { 0 }, to = { 0 };
	uint64_t ns, wanted;

	NEED_CLOCK();
	clock_read(&from);
	time_spin_us(50000);
	clock_read(&to);
	ns = to.monotonic_ns - from.monotonic_ns;
	wanted = (to.tsc - from.tsc) * 1000 / (time_tsc_hz / 1000000);
	EXPECT(ns > wanted - wanted * RATE_PERCENT / 100 &&
		       ns < wanted + wanted * RATE_PERCENT / 100,
	       "%lu ns went by, %lu by the TSC", ns, wanted);
	return FACT_PASS;
}

FACT(clock_together, "clock.reading.at_one_tsc", "PVROM clock",
     "a reading's TSC lies between the TSC before it and the TSC after it")
{
	struct pvrom_clock_reading now = { 0 };

	NEED_CLOCK();
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t before = cpu_rdtsc(), after;

		clock_read(&now);
		after = cpu_rdtsc();
		EXPECT(now.tsc >= before && now.tsc <= after, "%lx, not from %lx to %lx", now.tsc,
		       before, after);
	}
	return FACT_PASS;
}

FACT(clock_wall, "clock.wall.sane", "PVROM clock", "the time of day is one of this century")
{
	struct pvrom_clock_reading now = { 0 };
	struct pvrom_clock_date utc = { 0 };
	uint64_t cmos = 0;

	NEED_CLOCK();
	/* Without a date the clock says so; it may not be without one where the machine has one. */
	if (clock_read(&now) == PVROM_CLOCK_UNAVAILABLE) {
		EXPECT(!pvrom_clock_utc(&now, PVROM_CLOCK_STRICT, &utc), "%ld, unavailable",
		       utc.sec);
		EXPECT(!rtc_read(&cmos), "there is none, but a CMOS clock says %lu", cmos);
		return fact_without("time of day");
	}
	EXPECT(pvrom_clock_utc(&now, PVROM_CLOCK_STRICT, &utc), "there is none");
	EXPECT(utc.sec > (int64_t)SANE_FROM && utc.sec < (int64_t)SANE_TO, "it is %ld", utc.sec);
	EXPECT(utc.nsec < 1000000000, "%u nanoseconds", utc.nsec);
	return FACT_PASS;
}

/* Both of one reading, so that nobody's speed matters. */
FACT(clock_wall_runs, "clock.wall.runs", "PVROM clock",
     "the time of day and monotonic time go on together")
{
	struct pvrom_clock_reading from = { 0 }, to = { 0 };
	uint64_t mono, wall;

	NEED_CLOCK();
	if (clock_read(&from) == PVROM_CLOCK_UNAVAILABLE)
		return fact_without("time of day");
	time_spin_us(20000);
	to.marker = from.marker;
	clock_read(&to);
	mono = to.monotonic_ns - from.monotonic_ns;
	wall = (to.tai_sec - from.tai_sec) * 1000000000 + to.tai_nsec - from.tai_nsec;
	/* 500 ppm of slew, and what a host may step its clock by within its bound. */
	EXPECT(to.disrupted || wall + 10000000 > mono, "%lu ns of day, %lu monotonic", wall, mono);
	return FACT_PASS;
}

/* ---- user mode ------------------------------------------------------------------------------- */

#define USER_CLOCK (USER_BASE + 0x8000000ull)

/* The pages behind the first are not the clock's; its reader is the one of <pvrom/clock_guest.h>. */
USER_CODE(user_read_clock, "mov (%rdi), %rax\nmov 0x0c(%rdi), %ebx");
USER_CODE(user_write_clock, "movl $1, 0x0c(%rdi)");

/* As a kernel maps it for its processes: user, read-only, not executable. */
static void map_for_user(const void *page)
{
	paging_map(paging_root, USER_CLOCK, (uint64_t)page, PTE_P | PTE_U | PTE_NX, 1);
	cpu_invlpg((void *)USER_CLOCK);
}

/* Sources that have no page for user mode are no worse: a kernel then reads for its processes. */
static const void *page_for_user(void)
{
	static uint8_t none[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
	const void *page = clock_user_page();

	return page ? page : none;
}

FACT(clock_user_read, "clock.page.user_reads", "PVROM clock", "user mode can read the clock page")
{
	const struct pvrom_clock_page *page = page_for_user();
	struct user_run run;

	NEED_CLOCK();
	map_for_user(page);
	user_call(&run, user_read_clock, USER_CLOCK, 0, 0);
	EXPECT_EQ(run.vector, VECTOR_USER_EXIT);
	EXPECT_EQ((uint32_t)run.frame.rax, page->magic);
	return FACT_PASS;
}

FACT(clock_user_write, "clock.page.user_cannot_write", "PVROM clock",
     "user mode cannot write the clock page")
{
	const struct pvrom_clock_page *page = page_for_user();
	struct user_run run;

	NEED_CLOCK();
	map_for_user(page);
	user_call(&run, user_write_clock, USER_CLOCK, 0, 0);
	EXPECT_TRAP(run, TRAP_PF, PF_P | PF_W | PF_U);
	EXPECT_EQ(run.cr2, USER_CLOCK + 0x0c);
	return FACT_PASS;
}

/* ---- stolen time ----------------------------------------------------------------------------- */

/*
 * Where a host keeps the vCPU areas: available time is real time less stolen time, and neither ever goes
 * back. Without one nothing is stolen, which is as true.
 */
FACT(clock_stolen, "clock.stolen.sane", "PVROM clock",
     "stolen and halted time fit into real time, and none goes back")
{
	struct pvrom_clock_vcpu_reading from = { 0 }, to = { 0 };

	if (!pvrom_clock_vcpu_read(&this_cpu()->area, &from))
		return FACT_PASS;
	for (unsigned i = 0; i < 20; i++) {
		time_spin_us(2000);
		/* An exit, at which the host may write. */
		pvrom_call(&kernel_rom, PVROM_BASE_VERSION, 0, 0, 0, 0, NULL);
		EXPECT(pvrom_clock_vcpu_read(&this_cpu()->area, &to), "it does not settle");
		EXPECT(to.stolen_ns <= to.real_ns, "%lu stolen of %lu", to.stolen_ns, to.real_ns);
		EXPECT_EQ(to.available_ns, to.real_ns - to.stolen_ns);
		EXPECT(to.real_ns >= from.real_ns && to.stolen_ns >= from.stolen_ns &&
			       to.halted_ns >= from.halted_ns,
		       "real %lu after %lu, stolen %lu after %lu, halted %lu after %lu", to.real_ns,
		       from.real_ns, to.stolen_ns, from.stolen_ns, to.halted_ns, from.halted_ns);
		from = to;
	}
	return FACT_PASS;
}

/* Makes calls until a snapshot is younger than the last of them, and returns how many; 0: none came. */
static unsigned calls_until_now(struct pvrom_clock_vcpu_calls *calls)
{
	for (unsigned made = 1; made <= 100; made++) {
		uint64_t before;

		time_spin_us(2000);
		before = cpu_rdtsc();
		pvrom_call(&kernel_rom, PVROM_BASE_VERSION, 0, 0, 0, 0, NULL);
		if (pvrom_clock_vcpu_calls(&this_cpu()->area, calls) && calls->tsc > before)
			return made;
	}
	return 0;
}

/* Where no host keeps them nothing is miscounted. PVROM-CLOCK-37 */
FACT(clock_counters, "clock.area.calls", "PVROM clock",
     "the host counts each call by itself, and leaves none out")
{
	static const struct {
		uint32_t call, times;
	} plan[] = { { PVROM_BASE_VERSION, 5 }, { PVROM_CLOCK_STOLEN, 3 }, { PVROM_CLOCK_NOW, 2 } };
	static struct pvrom_clock_vcpu_calls from, to;
	unsigned more;

	if (!kernel_rom_granted(PVROM_FEATURE_CLOCK))
		return FACT_PASS;
	EXPECT(calls_until_now(&from), "no snapshot comes");
	for (unsigned i = 0; i < sizeof(plan) / sizeof(plan[0]); i++)
		for (unsigned n = 0; n < plan[i].times; n++)
			pvrom_call(&kernel_rom, plan[i].call, this_cpu()->vcpu, 0, 0, 0, NULL);
	more = calls_until_now(&to);
	EXPECT(more, "no snapshot comes");
	to.made[pvrom_clock_counter(PVROM_BASE_VERSION)] -= more;
	for (unsigned i = 0; i < sizeof(plan) / sizeof(plan[0]); i++) {
		uint32_t n = pvrom_clock_counter(plan[i].call);

		EXPECT_EQ(to.made[n] - from.made[n], plan[i].times);
	}
	for (uint32_t call = PVROM_BASE_QUERY; call <= PVROM_BASE_SHUTDOWN; call++)
		EXPECT_EQ(to.made[pvrom_clock_counter(call)], from.made[pvrom_clock_counter(call)]);
	return FACT_PASS;
}

/* ---- alarms on available time ---------------------------------------------------------------- */

static uint64_t available_alarms(void)
{
	return probe_irqs(this_cpu()->index, VECTOR_ALARM);
}

static uint32_t alarm_available(uint64_t ns)
{
	return pvrom_call(&kernel_rom, PVROM_CLOCK_ALARM_AVAILABLE, ns, 0, 0, 0, NULL);
}

/* PVROM-CLOCK-33 */
FACT(alarm_on_available, "clock.alarm.available", "PVROM clock",
     "an alarm on available time comes and is not early, or the host declines it")
{
	struct pvrom_clock_vcpu_reading from = { 0 }, to = { 0 };
	uint64_t before = available_alarms();
	uint32_t status;

	if (!pvrom_clock_vcpu_read(&this_cpu()->area, &from))
		return FACT_PASS;
	status = alarm_available(from.available_ns + 2000000);
	if (status != PVROM_STATUS_OK) {
		EXPECT(status == PVROM_STATUS_NOT_SUPPORTED ||
			       (status == PVROM_STATUS_DENIED &&
				!kernel_rom_granted(PVROM_FEATURE_ALARM)),
		       "status %u", status);
		time_spin_us(5000);
		EXPECT_EQ(available_alarms(), before);
		return FACT_PASS;
	}
	EXPECT(probe_wait_irq(this_cpu()->index, VECTOR_ALARM, before + 1, 5000000), "none came");
	pvrom_call(&kernel_rom, PVROM_BASE_VERSION, 0, 0, 0, 0, NULL);
	EXPECT(pvrom_clock_vcpu_read(&this_cpu()->area, &to), "it does not settle");
	EXPECT(to.available_ns >= from.available_ns + 2000000, "%lu ns after it was set",
	       to.available_ns - from.available_ns);
	return FACT_PASS;
}
