/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Facts about what this kernel owes a host: it is prepared for what a host may do to it. They hold without
 * a host too, where it is the machine that does so.
 */
#include "cpu.h"
#include "fact.h"
#include "fact_tools.h"
#include "irq.h"
#include "kernel_rom.h"
#include "probe.h"
#include "smp.h"
#include "time.h"

#define VECTOR 0x53
#define SOON_US 1000
#define PATIENCE_US 5000000
#define NO_SUCH_CALL 0xffff

static uint32_t answer_in_handler;

static uint32_t ask(void)
{
	return pvrom_call(&kernel_rom, NO_SUCH_CALL, 0, 0, 0, 0, NULL);
}

static void ask_in_handler(struct trap_frame *frame)
{
	(void)frame;
	answer_in_handler = ask();
}

/* PVROM-CALL-13 */
FACT(call_anywhere, "duties.call.anywhere", "pvrom: contexts of calls",
     "a call is answered with interrupts on, with interrupts off, and in an interrupt's handler")
{
	uint32_t with_if = ask(), without_if;

	cpu_cli();
	without_if = ask();
	cpu_sti();
	answer_in_handler = 0;
	irq_set(VECTOR, ask_in_handler);
	EXPECT(self_interrupt(VECTOR), "the interrupt did not come");
	EXPECT_EQ(with_if, PVROM_STATUS_NOT_SUPPORTED);
	EXPECT_EQ(without_if, PVROM_STATUS_NOT_SUPPORTED);
	EXPECT_EQ(answer_in_handler, PVROM_STATUS_NOT_SUPPORTED);
	return FACT_PASS;
}

/* With interrupts off long beyond its time, as by a host that was busy. PVROM-ALARM-6 */
FACT(alarm_late, "duties.alarm.late", "SDM 3A 11.5.4",
     "an alarm that comes late is taken, once, and the next one is in time again")
{
	uint32_t me = this_cpu()->index;
	uint64_t before = probe_irqs(me, VECTOR_ALARM), latest = this_cpu()->alarm_latest;

	cpu_cli();
	irq_alarm_set(cpu_rdtsc() + time_us(SOON_US));
	time_spin_us(30 * SOON_US);
	cpu_sti();
	EXPECT(probe_wait_irq(me, VECTOR_ALARM, before + 1, PATIENCE_US), "it never came");
	this_cpu()->alarm_latest = latest; /* this one says nothing about the machine */
	time_spin_us(SOON_US);
	EXPECT_EQ(probe_irqs(me, VECTOR_ALARM), before + 1);
	cpu_cli();
	irq_alarm_set(cpu_rdtsc() + time_us(SOON_US));
	cpu_sti();
	EXPECT(probe_wait_irq(me, VECTOR_ALARM, before + 2, PATIENCE_US), "the next never came");
	return FACT_PASS;
}

static uint32_t worked;

static void work_once(void *unused)
{
	(void)unused;
	__atomic_fetch_add(&worked, 1, __ATOMIC_RELAXED);
}

/* With one CPU the halt is that of this one, and it is the waiting for its alarm that goes on. PVROM-SMP-12 */
FACT(halt_ends, "duties.halt.without_reason", "SDM 2A HLT",
     "CPUs whose halt ends without anything to do for them do nothing, and work when there is work")
{
	uint32_t other = other_cpu();

	worked = 0;
	for (unsigned i = 0; i < 50; i++) {
		irq_send(VECTOR_KICK, BIT(other));
		time_spin_us(20);
	}
	EXPECT_EQ(READ_ONCE(worked), 0);
	smp_run(other, work_once, NULL);
	EXPECT_EQ(READ_ONCE(worked), 1);
	EXPECT(halt_for_alarm(SOON_US) || halt_for_alarm(SOON_US), "no alarm ended a halt");
	return FACT_PASS;
}

/* PVROM-NEG-35 */
FACT(renegotiate, "duties.renegotiate.same_epoch", "pvrom: epochs",
     "the event that asks to negotiate again changes nothing while the epoch has not moved")
{
	uint64_t granted = kernel_rom.granted, epoch = kernel_rom.offer.epoch;
	uint32_t patched = kernel_rom.patched, verdict = kernel_rom.verdict;

	for (uint32_t i = 0; i < smp_cpus; i++) {
		uint64_t before = probe_irqs(i, VECTOR_RENEGOTIATE);

		irq_send(VECTOR_RENEGOTIATE, BIT(i));
		EXPECT(probe_wait_irq(i, VECTOR_RENEGOTIATE, before + 1, PATIENCE_US),
		       "it does not come to cpu %u", i);
		kernel_rom_poll();
	}
	EXPECT_EQ(kernel_rom.granted, granted);
	EXPECT_EQ(kernel_rom.offer.epoch, epoch);
	EXPECT_EQ(kernel_rom.patched, patched);
	EXPECT_EQ(kernel_rom.verdict, verdict);
	return FACT_PASS;
}

static uint32_t eoi_said;

static void look_at_eoi(struct cpu *cpu, struct trap_frame *frame)
{
	(void)frame;
	eoi_said |= READ_ONCE(cpu->area.eoi) & PVROM_VCPU_EOI_IDLE;
}

/*
 * Only an interrupt's handler may find the word set: not what runs when the last one has ended, nor an NMI's.
 * PVROM-VCPU-7
 */
FACT(eoi_word, "duties.eoi.word", "pvrom: vCPU area",
     "nobody is told that no EOI is needed but by the interrupt that needs none")
{
	struct cpu *cpu = this_cpu();
	uint64_t nmis = cpu->nmi_count;

	eoi_said = 0;
	cpu->nmi_hook = look_at_eoi;
	for (unsigned i = 0; i < 50; i++) {
		EXPECT(self_interrupt(VECTOR), "interrupt %u did not come", i);
		cpu_cli();
		EXPECT_EQ(READ_ONCE(cpu->area.eoi) & PVROM_VCPU_EOI_IDLE, 0);
		irq_send(IRQ_NMI, BIT(cpu->index));
		time_spin_us(20);
		cpu_sti();
	}
	EXPECT(READ_ONCE(cpu->nmi_count) > nmis, "no NMI came");
	EXPECT_EQ(eoi_said, 0);
	return FACT_PASS;
}
