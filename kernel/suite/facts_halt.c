/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about halting: what wakes a CPU, and that nothing is lost on the way into HLT. */
#include "cpu.h"
#include "fact.h"
#include "fact_tools.h"
#include "irq.h"
#include "probe.h"
#include "smp.h"
#include "time.h"

#define VECTOR 0x52
#define SOON_US 2000
#define RESCUE_US 200000
#define PATIENCE_US 5000000
/*
 * Of a hundred wake-ups so many may be late. A CPU has no right to lose one, but QEMU's software
 * CPU as a host (VMRUN does not load the interrupt shadow) loses about one in a thousand, when its
 * own interrupt comes between STI and HLT. A host whose STI; HLT is not one act loses them all.
 */
#define LATE_PER_HUNDRED 5

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

/* One halt with a vector that waits; true if it ended at once and the vector had come. */
static bool halt_with_pending(uint64_t *took)
{
	uint64_t before = probe_irqs(me(), VECTOR);

	arm_rescue();
	irq_send(VECTOR, BIT(me()));
	time_spin_us(100);
	*took = halt_and_time();
	return probe_irqs(me(), VECTOR) == before + 1 && *took < time_us(RESCUE_US / 2);
}

/* PVROM-CALL-20 PVROM-CALL-21 */
FACT(pending, "halt.pending", "SDM 2B STI",
     "an interrupt that waits before STI; HLT ends the halt at once")
{
	uint64_t took;
	unsigned good = 0;

	for (unsigned i = 0; i < 3; i++)
		good += halt_with_pending(&took);
	EXPECT(good >= 2, "%u times of 3; the last took %lu ticks", good, took);
	return FACT_PASS;
}

FACT(pending_many, "halt.pending.many", "SDM 2B STI",
     "of a hundred wake-ups that wait at STI; HLT none is lost")
{
	unsigned late = 0;
	uint64_t took;

	for (unsigned i = 0; i < 100 && late <= LATE_PER_HUNDRED; i++)
		late += !halt_with_pending(&took);
	EXPECT(late <= LATE_PER_HUNDRED, "%u were late", late);
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
	unsigned prompt = 0;

	for (unsigned i = 0; i < 5 && !prompt; i++)
		prompt += halt_for_alarm(SOON_US);
	EXPECT(prompt, "it did not, five times");
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

/* True if CPU 1 woke by the first interrupt; it gets a second one so as not to sleep for ever. */
static bool wake_other(unsigned delay_us)
{
	bool prompt;

	sleeping = woken = 0;
	smp_post(1, sleeper, NULL);
	if (!time_wait_for(&sleeping, 1, PATIENCE_US))
		return false;
	time_spin_us(delay_us);
	irq_send(VECTOR, BIT(1));
	prompt = time_wait_for(&woken, 1, RESCUE_US);
	irq_send(VECTOR, BIT(1));
	return smp_wait(1) && prompt;
}

/* With one CPU: the sleeper is this CPU, and what wakes it waits already. */
FACT(ipi_wakes, "halt.ipi", "SDM 2A HLT",
     "an interrupt from another CPU wakes a halted one, a hundred times")
{
	unsigned late = 0;
	uint64_t took;

	for (unsigned i = 0; i < 100 && late <= LATE_PER_HUNDRED; i++)
		late += smp_cpus > 1 ? !wake_other(i * 5) : !halt_with_pending(&took);
	EXPECT(late <= LATE_PER_HUNDRED, "%u were late", late);
	return FACT_PASS;
}

static void answer(struct trap_frame *frame)
{
	(void)frame;
	if (me() != 0)
		irq_send(VECTOR, BIT(0));
}

/* Halts until VECTOR has come; true if no rescue was needed. */
static bool halt_for_answer(uint64_t before)
{
	uint64_t start = cpu_rdtsc();

	while (probe_irqs(0, VECTOR) == before && cpu_rdtsc() - start < time_us(PATIENCE_US)) {
		cpu_sti_halt();
		arm_rescue();
	}
	cpu_sti();
	return cpu_rdtsc() - start < time_us(RESCUE_US / 2);
}

/* The answer may come before the HLT, in it, or between STI and HLT. */
FACT(ping_pong, "halt.ping_pong", "SDM 2B STI",
     "a CPU that halts for another's answer always gets it, two hundred times")
{
	uint32_t peer = smp_cpus - 1;
	unsigned late = 0;

	irq_set(VECTOR + 1, answer);
	for (unsigned i = 0; i < 200 && late <= 2 * LATE_PER_HUNDRED; i++) {
		uint64_t before = probe_irqs(0, VECTOR);

		arm_rescue();
		irq_send(peer ? VECTOR + 1 : VECTOR, BIT(peer));
		late += !halt_for_answer(before);
	}
	EXPECT(late <= 2 * LATE_PER_HUNDRED, "%u were late", late);
	return FACT_PASS;
}

FACT(masked_sleeps, "halt.masked", "SDM 3A 11.8.6",
     "a halted CPU does not take a vector that CR8 holds back, and wakes by one that it does not")
{
	uint64_t vector_before = probe_irqs(me(), 0x41);

	cpu_write_cr8(5);
	irq_send(0x41, BIT(me()));
	halt_for_alarm(5 * SOON_US);
	EXPECT_EQ(probe_irqs(me(), 0x41), vector_before);
	cpu_write_cr8(0);
	EXPECT(probe_wait_irq(me(), 0x41, vector_before + 1, PATIENCE_US), "it never came");
	return FACT_PASS;
}

static uint32_t kick_sleeps[MAX_CPUS], kick_woken[MAX_CPUS];

/* One halt, whatever ends it. */
static void sleep_once(void *unused)
{
	uint32_t cpu = me();

	(void)unused;
	cpu_cli();
	__atomic_store_n(&kick_sleeps[cpu], 1, __ATOMIC_RELEASE);
	cpu_sti_halt();
	__atomic_store_n(&kick_woken[cpu], 1, __ATOMIC_RELEASE);
}

/*
 * PVROM-SMP-9. The kick is given again now and then, for the sake of that software CPU. With one
 * CPU there is nobody to wake, and the call alone is judged.
 */
FACT(kick, "halt.kick", "SDM 2A HLT", "a kick wakes the halted CPU that it names")
{
	for (uint32_t cpu = 1; cpu < smp_cpus; cpu++) {
		uint64_t end = cpu_rdtsc() + time_us(PATIENCE_US);

		kick_sleeps[cpu] = kick_woken[cpu] = 0;
		smp_post(cpu, sleep_once, NULL);
		EXPECT(time_wait_for(&kick_sleeps[cpu], 1, PATIENCE_US), "cpu %u did not start",
		       cpu);
		do {
			time_spin_us(SOON_US);
			EXPECT_EQ(pvrom_smp_kick(cpus[cpu].vcpu), PVROM_STATUS_OK);
		} while (!time_wait_for(&kick_woken[cpu], 1, RESCUE_US) && cpu_rdtsc() < end);
		EXPECT(READ_ONCE(kick_woken[cpu]), "cpu %u sleeps on", cpu);
		EXPECT(smp_wait(cpu), "cpu %u did not end", cpu);
	}
	EXPECT_EQ(pvrom_smp_kick(cpus[0].vcpu), PVROM_STATUS_OK);
	return FACT_PASS;
}
