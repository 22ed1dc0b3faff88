/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about time: the TSC never goes back, and alarms are never early. */
#include "cpu.h"
#include "fact.h"
#include "cpu_features.h"
#include "fact_tools.h"
#include "irq.h"
#include "probe.h"
#include "smp.h"
#include "time.h"

#define PATIENCE_US 5000000

static uint64_t alarms(void)
{
	return probe_irqs(this_cpu()->index, VECTOR_ALARM);
}

static uint64_t alarm_at;

static void note_time(struct trap_frame *frame)
{
	(void)frame;
	alarm_at = cpu_rdtsc();
}

FACT(tsc_forward, "clock.tsc.forward", "SDM 3B 17.17",
     "the TSC of a CPU never goes back, and moves")
{
	uint64_t first = cpu_rdtsc(), last = first;

	for (unsigned i = 0; i < 10000; i++) {
		uint64_t now = cpu_rdtsc();

		EXPECT(now >= last, "%lx after %lx", now, last);
		last = now;
	}
	EXPECT(last > first, "it stands still");
	return FACT_PASS;
}

FACT(tsc_smp, "clock.tsc.across_cpus", "SDM 3B 17.17",
     "the TSC never goes back from one CPU to another")
{
	EXPECT_EQ(times_gone_back(cpu_rdtsc), 0);
	return FACT_PASS;
}

static uint64_t rdtscp(uint32_t *aux)
{
	uint32_t low, high;

	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(*aux)::"memory");
	return (uint64_t)high << 32 | low;
}

FACT(tscp, "clock.rdtscp", "SDM 2B RDTSCP", "RDTSCP gives the TSC, and TSC_AUX in ECX")
{
	uint64_t before = cpu_rdtsc(), got;
	uint32_t aux;

	NEED(RDTSCP);
	cpu_wrmsr(MSR_TSC_AUX, 0x12345);
	got = rdtscp(&aux);
	EXPECT_EQ(aux, 0x12345);
	EXPECT(got >= before && got <= cpu_rdtsc(), "%lx", got);
	return FACT_PASS;
}

static enum verdict alarm_after(uint64_t us)
{
	uint64_t before = alarms(), deadline;

	irq_set(VECTOR_ALARM, note_time);
	cpu_cli();
	alarm_at = 0;
	deadline = cpu_rdtsc() + time_us(us);
	irq_alarm_set(deadline);
	cpu_sti();
	EXPECT(probe_wait_irq(this_cpu()->index, VECTOR_ALARM, before + 1, us + PATIENCE_US),
	       "no alarm after %lu us", us);
	EXPECT(alarm_at >= deadline, "%lu ticks early", deadline - alarm_at);
	return FACT_PASS;
}

FACT(alarm_short, "clock.alarm.short", "SDM 3A 11.5.4", "an alarm of 100 us comes, and not early")
{
	return alarm_after(100);
}

FACT(alarm_long, "clock.alarm.long", "SDM 3A 11.5.4", "an alarm of 20 ms comes, and not early")
{
	return alarm_after(20000);
}

FACT(alarm_many, "clock.alarm.many", "SDM 3A 11.5.4",
     "of fifty alarms of different lengths none is early, none is lost")
{
	for (uint64_t us = 10; us <= 500; us += 10) {
		enum verdict verdict = alarm_after(us);

		if (verdict != FACT_PASS)
			return verdict;
	}
	return FACT_PASS;
}

/* PVROM-ALARM-2 */
FACT(alarm_past, "clock.alarm.past", "SDM 3A 11.5.4.1", "an alarm in the past comes at once")
{
	uint64_t before = alarms(), start;

	cpu_cli();
	start = cpu_rdtsc();
	irq_alarm_set(start - time_us(1000));
	cpu_sti();
	EXPECT(probe_wait_irq(this_cpu()->index, VECTOR_ALARM, before + 1, PATIENCE_US),
	       "it did not come");
	return FACT_PASS;
}

/* PVROM-ALARM-1 */
FACT(alarm_once, "clock.alarm.once", "SDM 3A 11.5.4", "an alarm comes once")
{
	uint64_t before = alarms();
	enum verdict verdict = alarm_after(100);

	if (verdict != FACT_PASS)
		return verdict;
	time_spin_us(5000);
	EXPECT_EQ(alarms(), before + 1);
	return FACT_PASS;
}

/* PVROM-ALARM-4 */
FACT(alarm_cancel, "clock.alarm.cancel", "SDM 3A 11.5.4", "a cancelled alarm does not come")
{
	uint64_t before = alarms();

	cpu_cli();
	irq_alarm_set(cpu_rdtsc() + time_us(20000));
	irq_alarm_cancel();
	cpu_sti();
	time_spin_us(40000);
	EXPECT_EQ(alarms(), before);
	return FACT_PASS;
}

/* PVROM-ALARM-3 */
/* When it comes is judged by the TSC alone, however long the machine took to get there. */
FACT(alarm_replace_later, "clock.alarm.replace_later", "SDM 3A 11.5.4",
     "a later alarm replaces an earlier one")
{
	uint64_t before = alarms(), deadline;

	irq_set(VECTOR_ALARM, note_time);
	cpu_cli();
	irq_alarm_set(cpu_rdtsc() + time_us(20000));
	deadline = cpu_rdtsc() + time_us(100000);
	irq_alarm_set(deadline);
	cpu_sti();
	EXPECT(probe_wait_irq(this_cpu()->index, VECTOR_ALARM, before + 1, PATIENCE_US),
	       "it did not come");
	EXPECT(alarm_at >= deadline, "%lu ticks early", deadline - alarm_at);
	time_spin_us(5000);
	EXPECT_EQ(alarms(), before + 1);
	return FACT_PASS;
}

FACT(alarm_replace_sooner, "clock.alarm.replace_sooner", "SDM 3A 11.5.4",
     "an earlier alarm replaces a later one")
{
	uint64_t before = alarms();

	cpu_cli();
	irq_alarm_set(cpu_rdtsc() + time_us(60000000));
	irq_alarm_set(cpu_rdtsc() + time_us(1000));
	cpu_sti();
	EXPECT(probe_wait_irq(this_cpu()->index, VECTOR_ALARM, before + 1, PATIENCE_US),
	       "it did not come");
	return FACT_PASS;
}

FACT(alarm_masked, "clock.alarm.cli", "SDM 3A 6.8.1",
     "an alarm that ends while IF is clear comes at STI")
{
	uint64_t before = alarms();

	cpu_cli();
	irq_alarm_set(cpu_rdtsc() + time_us(100));
	time_spin_us(20000);
	EXPECT_EQ(alarms(), before);
	cpu_sti();
	EXPECT(probe_wait_irq(this_cpu()->index, VECTOR_ALARM, before + 1, PATIENCE_US),
	       "it did not come");
	return FACT_PASS;
}

static unsigned chain;

static void set_again(struct trap_frame *frame)
{
	(void)frame;
	if (++chain < 10)
		irq_alarm_set(cpu_rdtsc() + time_us(200));
}

FACT(alarm_again, "clock.alarm.from_handler", "SDM 3A 11.5.4",
     "an alarm can be set again from its own handler")
{
	uint64_t before = alarms();

	chain = 0;
	irq_set(VECTOR_ALARM, set_again);
	cpu_cli();
	irq_alarm_set(cpu_rdtsc() + time_us(200));
	cpu_sti();
	EXPECT(probe_wait_irq(this_cpu()->index, VECTOR_ALARM, before + 10, PATIENCE_US),
	       "%u of 10 came", chain);
	return FACT_PASS;
}

static uint32_t early, late;

static void alarm_here(void *unused)
{
	uint64_t before, deadline, seen;

	(void)unused;
	cpu_cli();
	before = alarms();
	deadline = cpu_rdtsc() + time_us(1000);
	irq_alarm_set(deadline);
	cpu_sti();
	if (!probe_wait_irq(this_cpu()->index, VECTOR_ALARM, before + 1, PATIENCE_US))
		__atomic_fetch_add(&late, 1, __ATOMIC_RELAXED);
	seen = cpu_rdtsc();
	if (seen < deadline)
		__atomic_fetch_add(&early, 1, __ATOMIC_RELAXED);
}

FACT(alarm_each, "clock.alarm.each_cpu", "SDM 3A 11.5.4",
     "each CPU has its own alarm, all at the same time")
{
	early = late = 0;
	for (uint32_t i = 1; i < smp_cpus; i++)
		smp_post(i, alarm_here, NULL);
	alarm_here(NULL);
	for (uint32_t i = 1; i < smp_cpus; i++)
		EXPECT(smp_wait(i), "cpu %u did not end", i);
	EXPECT_EQ(early, 0);
	EXPECT_EQ(late, 0);
	return FACT_PASS;
}

USER_CODE(user_count, "1: inc %rbx\ncmpq $0, (%rdi)\nje 1b");

static void stop_user(struct trap_frame *frame)
{
	(void)frame;
	*(volatile uint64_t *)user_alias(USER_DATA) = 1;
}

FACT(alarm_user, "clock.alarm.user", "SDM 3A 11.5.4", "an alarm interrupts user mode")
{
	struct user_run run;

	irq_set(VECTOR_ALARM, stop_user);
	*(volatile uint64_t *)user_alias(USER_DATA) = 0;
	cpu_cli();
	irq_alarm_set(cpu_rdtsc() + time_us(2000));
	user_call(&run, user_count, USER_DATA, 0, 0);
	EXPECT_EQ(run.vector, VECTOR_USER_EXIT);
	EXPECT(run.frame.rbx > 0, "user mode did not run");
	return FACT_PASS;
}
