/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about halting: what wakes a CPU, and that nothing is lost on the way into HLT. */
#include "cpu.h"
#include "fact.h"
#include "irq.h"
#include "probe.h"
#include "smp.h"
#include "time.h"

#define VECTOR 0x52
#define SOON_US 2000
#define RESCUE_US 500000
#define PATIENCE_US 5000000

static uint32_t me(void)
{
	return this_cpu()->index;
}

/* If a wake-up is lost, the alarm ends the halt, and the fact sees that it was late. */
static void arm_rescue(void)
{
	cpu_cli();
	irq_alarm_set(cpu_rdtsc() + time_us(RESCUE_US));
}

static uint64_t halt_and_time(void)
{
	uint64_t start = cpu_rdtsc();

	cpu_sti_halt();
	return cpu_rdtsc() - start;
}

FACT(pending, "halt.pending", "SDM 2B STI", "an interrupt that waits before STI; HLT ends the halt at once")
{
	uint64_t before, took;

	before = probe_irqs(me(), VECTOR);
	arm_rescue();
	irq_send(VECTOR, BIT(me()));
	time_spin_us(SOON_US);
	EXPECT_EQ(probe_irqs(me(), VECTOR), before);
	took = halt_and_time();
	EXPECT_EQ(probe_irqs(me(), VECTOR), before + 1);
	EXPECT(took < time_us(RESCUE_US / 2), "it took %lu ticks", took);
	return FACT_PASS;
}

FACT(pending_many, "halt.pending.many", "SDM 2B STI", "a hundred times over, no wake-up that waits at STI; HLT is lost")
{
	for (unsigned i = 0; i < 100; i++) {
		uint64_t before = probe_irqs(me(), VECTOR), took;

		arm_rescue();
		irq_send(VECTOR, BIT(me()));
		took = halt_and_time();
		EXPECT(probe_irqs(me(), VECTOR) == before + 1, "round %u: not woken by it", i);
		EXPECT(took < time_us(RESCUE_US / 2), "round %u: it took %lu ticks", i, took);
	}
	return FACT_PASS;
}

FACT(if_after, "halt.if", "SDM 2A HLT", "after STI; HLT interrupts are on")
{
	arm_rescue();
	irq_send(VECTOR, BIT(me()));
	cpu_sti_halt();
	EXPECT_EQ(cpu_save_flags() & FLAG_IF, FLAG_IF);
	return FACT_PASS;
}

FACT(alarm_wakes, "halt.alarm", "SDM 2A HLT", "an alarm wakes a halted CPU")
{
	uint64_t before = probe_irqs(me(), VECTOR_ALARM);

	cpu_cli();
	irq_alarm_set(cpu_rdtsc() + time_us(SOON_US));
	cpu_sti_halt();
	EXPECT(probe_irqs(me(), VECTOR_ALARM) > before, "woken by something else");
	return FACT_PASS;
}

static uint32_t sleeping, woken;

static void sleeper(void *unused)
{
	uint64_t before = probe_irqs(me(), VECTOR);

	(void)unused;
	cpu_cli();
	__atomic_store_n(&sleeping, 1, __ATOMIC_RELEASE);
	while (probe_irqs(me(), VECTOR) == before) {
		cpu_sti_halt();
		cpu_cli();
	}
	cpu_sti();
	__atomic_store_n(&woken, 1, __ATOMIC_RELEASE);
}

/* With one CPU: the sleeper is this CPU, and what wakes it waits already. */
FACT(ipi_wakes, "halt.ipi", "SDM 2A HLT", "an interrupt from another CPU wakes a halted one, fifty times")
{
	for (unsigned i = 0; i < 50; i++) {
		sleeping = woken = 0;
		if (smp_cpus == 1) {
			cpu_cli();
			irq_send(VECTOR, 1);
			cpu_sti_halt();
			continue;
		}
		smp_post(1, sleeper, NULL);
		EXPECT(time_wait_for(&sleeping, 1, PATIENCE_US), "cpu 1 did not start");
		time_spin_us(i * 10);
		irq_send(VECTOR, BIT(1));
		EXPECT(time_wait_for(&woken, 1, PATIENCE_US), "round %u: cpu 1 sleeps on", i);
		EXPECT(smp_wait(1), "cpu 1 did not end");
	}
	return FACT_PASS;
}

static void answer(struct trap_frame *frame)
{
	(void)frame;
	if (me() != 0)
		irq_send(VECTOR, BIT(0));
}

/* Waits in HLT for an answer that may come before the HLT: the gap between STI and HLT. */
FACT(ping_pong, "halt.ping_pong", "SDM 2B STI", "a CPU that halts for an answer always gets it, two hundred times")
{
	uint32_t peer = smp_cpus - 1;

	irq_set(VECTOR + 1, answer);
	for (unsigned i = 0; i < 200; i++) {
		uint64_t before = probe_irqs(0, VECTOR), start;

		arm_rescue();
		if (peer)
			irq_send(VECTOR + 1, BIT(peer));
		else
			irq_send(VECTOR, BIT(0));
		start = cpu_rdtsc();
		while (probe_irqs(0, VECTOR) == before) {
			cpu_sti_halt();
			cpu_cli();
			EXPECT(cpu_rdtsc() - start < time_us(RESCUE_US / 2), "round %u: lost", i);
		}
		cpu_sti();
	}
	return FACT_PASS;
}

FACT(masked_sleeps, "halt.masked", "SDM 2A HLT", "a vector held back by CR8 does not wake a halted CPU; the alarm does")
{
	uint64_t vector_before = probe_irqs(me(), 0x41), alarm_before = probe_irqs(me(), VECTOR_ALARM);

	cpu_cli();
	cpu_write_cr8(5);
	irq_alarm_set(cpu_rdtsc() + time_us(5 * SOON_US));
	irq_send(0x41, BIT(me()));
	cpu_sti_halt();
	EXPECT_EQ(probe_irqs(me(), 0x41), vector_before);
	EXPECT(probe_irqs(me(), VECTOR_ALARM) > alarm_before, "woken without the alarm");
	cpu_write_cr8(0);
	EXPECT(probe_wait_irq(me(), 0x41, vector_before + 1, PATIENCE_US), "it never came");
	return FACT_PASS;
}
