/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Calibration against PIT channel 0, read by latching (so that port 0x61 is not
 * needed), and the native alarm on the TSC deadline or the APIC timer.
 */
#include "time.h"

#include "apic.h"
#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "percpu.h"
#include "traps.h"

#define PIT_HZ 1193182ull
#define PIT_CHANNEL0 0x40
#define PIT_MODE 0x43
#define PIT_SAMPLE 11932 /* 10 ms */
#define MSR_TSC_DEADLINE 0x6e0
#define LVT_TSC_DEADLINE 0x40000u
#define LVT_TIMER_MASKED 0x10000u
#define DIVIDE_BY_1 0xb

uint64_t time_tsc_hz, time_apic_hz;
static bool has_deadline;

static uint16_t pit_count(void)
{
	uint16_t low;

	cpu_out8(PIT_MODE, 0x00);
	low = cpu_in8(PIT_CHANNEL0);
	return (uint16_t)(low | cpu_in8(PIT_CHANNEL0) << 8);
}

/* Mode 2, reload 65536: counts down for 55 ms, time enough for the sample. */
static void pit_start(void)
{
	cpu_out8(PIT_MODE, 0x34);
	cpu_out8(PIT_CHANNEL0, 0);
	cpu_out8(PIT_CHANNEL0, 0);
}

struct sample {
	uint64_t pit, tsc, apic;
};

static struct sample sample_now(void)
{
	uint16_t pit = pit_count();

	return (struct sample){ 0x10000u - pit, cpu_rdtsc(),
				0xffffffffu - apic_read(APIC_TIMER_CURRENT) };
}

/* One sample's ticks a second; preempted samples are all too long or too short, so take a median. */
static void measure_once(uint64_t *tsc_hz, uint64_t *apic_hz)
{
	struct sample a, b;
	unsigned patience = 10000000;

	pit_start();
	do
		a = sample_now();
	while (a.pit > 0x4000 && --patience);
	do
		b = sample_now();
	while (b.pit < a.pit + PIT_SAMPLE && --patience);
	if (!patience)
		panic("the PIT does not count");
	*tsc_hz = (b.tsc - a.tsc) * PIT_HZ / (b.pit - a.pit);
	*apic_hz = (b.apic - a.apic) * PIT_HZ / (b.pit - a.pit);
}

static uint64_t median3(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t low = a < b ? a : b, high = a < b ? b : a;

	return c < low ? low : c > high ? high : c;
}

void time_init(void)
{
	uint64_t tsc[3], apic[3];

	has_deadline = cpu_cpuid(1, 0).ecx >> 24 & 1;
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, LVT_TIMER_MASKED | VECTOR_ALARM);
	apic_write(APIC_TIMER_INITIAL, 0xffffffff);
	for (unsigned i = 0; i < 3; i++)
		measure_once(&tsc[i], &apic[i]);
	apic_write(APIC_TIMER_INITIAL, 0);
	time_tsc_hz = median3(tsc[0], tsc[1], tsc[2]);
	time_apic_hz = median3(apic[0], apic[1], apic[2]);
}

uint64_t time_us(uint64_t us)
{
	return us * (time_tsc_hz / 1000) / 1000;
}

void time_spin_us(uint64_t us)
{
	uint64_t end = cpu_rdtsc() + time_us(us);

	while (cpu_rdtsc() < end)
		cpu_relax();
}

bool time_wait_for(const volatile uint32_t *word, uint32_t value, uint64_t us)
{
	uint64_t end = cpu_rdtsc() + time_us(us);

	while (*word != value) {
		if (cpu_rdtsc() > end)
			return false;
		cpu_relax();
	}
	return true;
}

/* Rounded up and never 0, which would stop the timer; a far deadline is armed again when it ends. */
static uint32_t apic_ticks(uint64_t tsc_ticks)
{
	uint64_t far = time_tsc_hz;
	uint64_t near = tsc_ticks < far ? tsc_ticks : far;
	/* Calibrated before anything is armed. NOLINTNEXTLINE(clang-analyzer-core.DivideZero) */
	uint64_t ticks = near * (time_apic_hz / 1024) / (time_tsc_hz / 1024) + 1;

	return ticks > 0xffffffff ? 0xffffffff : (uint32_t)ticks;
}

static void arm(uint64_t deadline)
{
	uint64_t now = cpu_rdtsc();

	if (has_deadline) {
		apic_write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | VECTOR_ALARM);
		/* The LVT write must be seen before the deadline is (SDM vol. 3A 11.5.4.1). */
		__asm__ volatile("mfence" ::: "memory");
		cpu_wrmsr(MSR_TSC_DEADLINE, deadline ? deadline : 1);
		return;
	}
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, VECTOR_ALARM);
	apic_write(APIC_TIMER_INITIAL, apic_ticks(deadline > now ? deadline - now : 0));
}

void time_native_alarm_set(uint64_t deadline)
{
	this_cpu()->alarm_native = true;
	/* 0 says that none is set; the past is the past. */
	this_cpu()->alarm_deadline = deadline ? deadline : 1;
	arm(deadline);
}

void time_native_alarm_cancel(void)
{
	this_cpu()->alarm_deadline = 0;
	if (has_deadline)
		cpu_wrmsr(MSR_TSC_DEADLINE, 0);
	else
		apic_write(APIC_TIMER_INITIAL, 0);
}

/*
 * A host's alarms are never early, and none comes after cancel. The native one
 * may be either: the timer is not the TSC, and what was pending stays pending.
 */
bool time_alarm_due(void)
{
	struct cpu *cpu = this_cpu();

	if (!cpu->alarm_native)
		return true;
	if (!cpu->alarm_deadline)
		return false;
	if (cpu_rdtsc() < cpu->alarm_deadline) {
		arm(cpu->alarm_deadline);
		return false;
	}
	cpu->alarm_deadline = 0;
	return true;
}
