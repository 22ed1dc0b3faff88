/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The native alarm: one shot at an absolute TSC, on the TSC deadline (SDM vol. 3A 11.5.4.1), on the
 * local APIC timer, or on the PIT where there is nothing else. Never early, whatever the timer does:
 * the TSC is looked at when the interrupt has come, and what is too early is armed again.
 */
#include "time.h"

#include "apic.h"
#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "percpu.h"
#include "pit.h"
#include "traps.h"

#define MSR_TSC_DEADLINE 0x6e0
#define LVT_TSC_DEADLINE 0x40000u
#define LVT_TIMER_MASKED 0x10000u
#define DIVIDE_BY_1 0xb
#define SAMPLE_US 2000

enum timer { TIMER_NONE, TIMER_DEADLINE, TIMER_APIC, TIMER_PIT };
static enum timer timer;
static const char *const timer_names[] = { "none", "deadline", "apic", "pit" };
const char *time_alarm_timer = "none";
/* Ticks of the APIC timer in 2^20 of the TSC, rounded up; 0 if it was not seen to count. */
static uint64_t apic_rate;

/* The rate is wanted in ticks of the TSC alone, so that it can be had where nobody knows a second. */
static uint64_t measure_apic(void)
{
	uint64_t start, tsc;
	uint32_t left;

	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, LVT_TIMER_MASKED | VECTOR_ALARM);
	apic_write(APIC_TIMER_INITIAL, 0xffffffff);
	start = cpu_rdtsc();
	time_spin_us(SAMPLE_US);
	left = apic_read(APIC_TIMER_CURRENT);
	tsc = cpu_rdtsc() - start;
	apic_write(APIC_TIMER_INITIAL, 0);
	return left == 0xffffffff ? 0 : ((uint64_t)(0xffffffff - left) << 20) / tsc + 1;
}

static bool has_deadline(void)
{
	return cpu_cpuid(1, 0).ecx >> 24 & 1;
}

static bool wanted(enum timer which)
{
	return !boot_option("timer=") || boot_option_is("timer=", timer_names[which]);
}

static enum timer choose(void)
{
	if (has_deadline() && wanted(TIMER_DEADLINE))
		return TIMER_DEADLINE;
	if (apic_rate && wanted(TIMER_APIC))
		return TIMER_APIC;
	if (pit_is_there() && wanted(TIMER_PIT))
		return TIMER_PIT;
	return TIMER_NONE;
}

/* Where APICs are hidden there is none: whoever hides them has alarms of his own. */
void time_alarm_init(void)
{
	if (!apic_is_there())
		return;
	if (!has_deadline() || !wanted(TIMER_DEADLINE))
		apic_rate = measure_apic();
	timer = choose();
	time_alarm_timer = timer_names[timer];
	if (timer == TIMER_PIT)
		pit_alarm_init();
}

/* Never 0, which would stop the timer; a far deadline is armed again when this ends. */
static uint32_t apic_ticks(uint64_t tsc_ticks)
{
	const uint64_t far = 1ull << 31;
	uint64_t ticks = ((tsc_ticks < far ? tsc_ticks : far) * apic_rate >> 20) + 1;

	return ticks > 0xffffffff ? 0xffffffff : (uint32_t)ticks;
}

static void arm(uint64_t deadline)
{
	uint64_t now = cpu_rdtsc();

	switch (timer) {
	case TIMER_DEADLINE:
		apic_write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | VECTOR_ALARM);
		/* The LVT write must be seen before the deadline is (SDM vol. 3A 11.5.4.1). */
		__asm__ volatile("mfence" ::: "memory");
		cpu_wrmsr(MSR_TSC_DEADLINE, deadline);
		return;
	case TIMER_APIC:
		apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
		apic_write(APIC_LVT_TIMER, VECTOR_ALARM);
		apic_write(APIC_TIMER_INITIAL, apic_ticks(deadline > now ? deadline - now : 0));
		return;
	case TIMER_PIT:
		WRITE_ONCE(this_cpu()->pit_deadline, deadline);
		pit_alarm_update();
		return;
	case TIMER_NONE: panic("an alarm, and no timer for it");
	}
}

void time_native_alarm_set(uint64_t deadline)
{
	this_cpu()->alarm_native = true;
	/* 0 says that none is set; the past is the past. */
	this_cpu()->alarm_deadline = deadline ? deadline : 1;
	arm(this_cpu()->alarm_deadline);
}

void time_native_alarm_cancel(void)
{
	this_cpu()->alarm_deadline = 0;
	if (timer == TIMER_DEADLINE)
		cpu_wrmsr(MSR_TSC_DEADLINE, 0);
	else if (timer == TIMER_APIC)
		apic_write(APIC_TIMER_INITIAL, 0);
	else
		WRITE_ONCE(this_cpu()->pit_deadline, 0);
}

static void count(struct cpu *cpu, uint64_t now)
{
	uint64_t late = now - cpu->alarm_deadline;

	cpu->alarm_count++;
	if (late > cpu->alarm_latest)
		cpu->alarm_latest = late;
}

/*
 * A host's alarms are never early, and none comes after cancel: if one does, the facts shall see it.
 * The native one may be either: the timer is not the TSC, and what was pending stays pending.
 */
bool time_alarm_due(void)
{
	struct cpu *cpu = this_cpu();
	uint64_t now = cpu_rdtsc();

	if (!cpu->alarm_deadline)
		return !cpu->alarm_native;
	if (now >= cpu->alarm_deadline) {
		count(cpu, now);
	} else if (cpu->alarm_native) {
		arm(cpu->alarm_deadline);
		return false;
	} else {
		cpu->alarm_early++;
	}
	cpu->alarm_deadline = 0;
	return true;
}

void time_alarm_print(void)
{
	uint64_t number = 0, early = 0, latest = 0;

	for (unsigned i = 0; i < MAX_CPUS; i++) {
		number += cpus[i].alarm_count;
		early += cpus[i].alarm_early;
		if (cpus[i].alarm_latest > latest)
			latest = cpus[i].alarm_latest;
	}
	kprintf("# alarms: %lu, early %lu, the latest by %lu %s\n", number + early, early,
		time_rate_known ? latest / (time_tsc_hz / 1000000) : latest,
		time_rate_known ? "us" : "ticks");
}
