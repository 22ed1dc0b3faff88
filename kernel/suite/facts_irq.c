/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Facts about interrupts between CPUs: to whom they come, how often, in which order.
 * With one CPU the sets are those of one CPU, and the facts still have their verdict.
 */
#include "cpu.h"
#include "fact.h"
#include "irq.h"
#include "probe.h"
#include "smp.h"
#include "time.h"

#define VECTOR 0x51
#define LOW 0x42
#define HIGH 0x73
#define SOON_US 2000
#define PATIENCE_US 5000000

static uint32_t me(void)
{
	return this_cpu()->index;
}

static uint64_t all_cpus(void)
{
	return smp_cpus == 64 ? ~0ull : BIT(smp_cpus) - 1;
}

static void count_all(uint64_t counts[MAX_CPUS])
{
	for (uint32_t i = 0; i < smp_cpus; i++)
		counts[i] = probe_irqs(i, VECTOR);
}

/* Sends VECTOR to SET and expects exactly one more on each member and none elsewhere. */
static enum verdict exactly(uint64_t set)
{
	uint64_t before[MAX_CPUS] = { 0 };

	count_all(before);
	irq_send(VECTOR, set);
	for (uint32_t i = 0; i < smp_cpus; i++)
		if (set & BIT(i))
			EXPECT(probe_wait_irq(i, VECTOR, before[i] + 1, PATIENCE_US),
			       "set %lx: cpu %u did not get it", set, i);
	time_spin_us(200);
	for (uint32_t i = 0; i < smp_cpus; i++)
		EXPECT(probe_irqs(i, VECTOR) == before[i] + (set >> i & 1),
		       "set %lx: cpu %u got %lu", set, i, probe_irqs(i, VECTOR) - before[i]);
	return FACT_PASS;
}

/* PVROM-IRQ-10 */
FACT(send_self, "irq.send.self", "SDM 3A 11.6.1", "a vector sent to the sender comes to it, once")
{
	return exactly(BIT(me()));
}

/* PVROM-IRQ-7 */
FACT(send_each, "irq.send.each", "SDM 3A 11.6.1",
     "a vector sent to one CPU comes to that one alone, for each of them")
{
	for (uint32_t i = 0; i < smp_cpus; i++) {
		enum verdict verdict = exactly(BIT(i));

		if (verdict != FACT_PASS)
			return verdict;
	}
	return FACT_PASS;
}

FACT(send_all, "irq.send.all", "SDM 3A 11.6.1", "a vector sent to all CPUs comes once to each")
{
	return exactly(all_cpus());
}

FACT(send_others, "irq.send.others", "SDM 3A 11.6.1",
     "a vector sent to all others does not come to the sender")
{
	return exactly(all_cpus() & ~BIT(me()));
}

FACT(send_sets, "irq.send.sets", "SDM 3A 11.6.1",
     "a vector sent to a set of CPUs comes to exactly these, for each set of the first four")
{
	for (uint64_t set = 1; set <= (all_cpus() & 15); set++) {
		enum verdict verdict = exactly(set);

		if (verdict != FACT_PASS)
			return verdict;
	}
	return FACT_PASS;
}

/* PVROM-IRQ-9 */
FACT(send_none, "irq.send.empty", "SDM 3A 11.6.1", "a vector sent to the empty set comes to nobody")
{
	uint64_t before[MAX_CPUS] = { 0 };

	count_all(before);
	pvrom_irq_send(VECTOR, 0, 0);
	time_spin_us(SOON_US);
	for (uint32_t i = 0; i < smp_cpus; i++)
		EXPECT_EQ(probe_irqs(i, VECTOR), before[i]);
	return FACT_PASS;
}

static void send_from(void *argument)
{
	irq_send(VECTOR, *(uint64_t *)argument);
}

FACT(send_from_each, "irq.send.from_each", "SDM 3A 11.6.1", "each CPU can send to this one")
{
	uint64_t set = BIT(me());

	for (uint32_t i = 0; i < smp_cpus; i++) {
		uint64_t before = probe_irqs(me(), VECTOR);

		smp_run(i, send_from, &set);
		EXPECT(probe_wait_irq(me(), VECTOR, before + 1, PATIENCE_US), "nothing from cpu %u",
		       i);
	}
	return FACT_PASS;
}

FACT(send_many, "irq.send.many", "SDM 3A 11.8.4",
     "none of 200 vectors sent one after the other is lost")
{
	uint32_t target = smp_cpus - 1;

	for (unsigned n = 0; n < 200; n++) {
		uint64_t before = probe_irqs(target, VECTOR);

		irq_send(VECTOR, BIT(target));
		EXPECT(probe_wait_irq(target, VECTOR, before + 1, PATIENCE_US),
		       "number %u was lost", n);
	}
	return FACT_PASS;
}

FACT(send_lowest, "irq.vector.each", "SDM 3A 11.5.2",
     "every vector from 0x40 to 0x7f arrives under its own number")
{
	for (unsigned vector = VECTOR_FIRST_FREE; vector <= VECTOR_LAST_FREE; vector++) {
		uint64_t before = probe_irqs(me(), vector);

		irq_send(vector, BIT(me()));
		EXPECT(probe_wait_irq(me(), vector, before + 1, PATIENCE_US),
		       "vector %x did not come", vector);
	}
	return FACT_PASS;
}

FACT(coalesce, "irq.pending.once", "SDM 3A 11.8.4",
     "a vector sent three times while it waits comes once or twice, not more")
{
	uint64_t before = probe_irqs(me(), VECTOR), got;

	cpu_cli();
	for (unsigned i = 0; i < 3; i++)
		irq_send(VECTOR, BIT(me()));
	time_spin_us(SOON_US);
	cpu_sti();
	time_spin_us(SOON_US);
	got = probe_irqs(me(), VECTOR) - before;
	EXPECT(got == 1 || got == 2, "it came %lu times", got);
	return FACT_PASS;
}

static unsigned order[4], order_count;

static void note_order(struct trap_frame *frame)
{
	if (order_count < ARRAY_SIZE(order))
		order[order_count++] = (unsigned)frame->vector;
}

static void send_low_then_high(void)
{
	order_count = 0;
	irq_set(LOW, note_order);
	irq_set(HIGH, note_order);
	cpu_cli();
	irq_send(LOW, BIT(me()));
	irq_send(HIGH, BIT(me()));
	time_spin_us(SOON_US);
}

FACT(priority, "irq.priority.order", "SDM 3A 11.8.3",
     "of two vectors that wait the higher comes first")
{
	send_low_then_high();
	cpu_sti();
	time_spin_us(SOON_US);
	EXPECT_EQ(order_count, 2);
	EXPECT_EQ(order[0], HIGH);
	EXPECT_EQ(order[1], LOW);
	return FACT_PASS;
}

FACT(tpr_holds, "irq.priority.cr8", "SDM 3A 11.8.6",
     "CR8 holds back vectors of its class and below, and no others")
{
	/*
	 * CR8 is set while nothing waits: a software CPU under KVM (QEMU 7.2's SVM) aborts
	 * when it is written with an interrupt window requested.
	 */
	cpu_write_cr8(LOW >> 4);
	send_low_then_high();
	cpu_sti();
	time_spin_us(SOON_US);
	EXPECT_EQ(order_count, 1);
	EXPECT_EQ(order[0], HIGH);
	cpu_write_cr8(0);
	time_spin_us(SOON_US);
	EXPECT_EQ(order_count, 2);
	EXPECT_EQ(order[1], LOW);
	return FACT_PASS;
}

FACT(cr8_reads, "irq.priority.cr8_reads", "SDM 3A 11.8.6", "CR8 reads back what was written")
{
	for (uint64_t value = 0; value < 16; value += 5) {
		cpu_write_cr8(value);
		EXPECT_EQ(cpu_read_cr8(), value);
	}
	cpu_write_cr8(0);
	return FACT_PASS;
}

static uint64_t nested_seen;

/* Interrupts on inside the handler of LOW: HIGH comes in at once, LOW itself not again. */
static void nest(struct trap_frame *frame)
{
	note_order(frame);
	if (order_count > 1)
		return;
	irq_send(LOW, BIT(me()));
	irq_send(HIGH, BIT(me()));
	cpu_sti();
	time_spin_us(SOON_US);
	cpu_cli();
	nested_seen = order_count;
}

FACT(nesting, "irq.priority.nesting", "SDM 3A 11.8.4",
     "before its EOI a vector's class waits, and a higher one interrupts the handler")
{
	order_count = 0;
	nested_seen = 0;
	irq_set(LOW, nest);
	irq_set(HIGH, note_order);
	irq_send(LOW, BIT(me()));
	time_spin_us(2 * SOON_US);
	EXPECT_EQ(nested_seen, 2);
	EXPECT_EQ(order_count, 3);
	EXPECT_EQ(order[1], HIGH);
	EXPECT_EQ(order[2], LOW);
	return FACT_PASS;
}

static uint64_t handler_flags, handler_rsp;

static void note_state(struct trap_frame *frame)
{
	handler_flags = cpu_save_flags();
	handler_rsp = (uint64_t)frame;
}

FACT(handler_state, "irq.handler.state", "SDM 3A 6.12.1",
     "an interrupt's handler runs with IF clear, on the interrupted stack")
{
	uint64_t here = (uint64_t)&here;

	irq_set(VECTOR, note_state);
	handler_flags = FLAG_IF;
	irq_send(VECTOR, BIT(me()));
	time_spin_us(SOON_US);
	EXPECT_EQ(handler_flags & FLAG_IF, 0);
	EXPECT(here - handler_rsp < STACK_SIZE, "frame at %lx, stack at %lx", handler_rsp, here);
	return FACT_PASS;
}

static struct trap_frame user_frame;

static void note_user(struct trap_frame *frame)
{
	user_frame = *frame;
}

USER_CODE(user_spin_flag, "1: pause\ncmpq $0, (%rdi)\nje 1b\nmov $0x77, %ebx");

static void release_user(struct trap_frame *frame)
{
	note_user(frame);
	*(volatile uint64_t *)user_alias(USER_DATA) = 1;
}

FACT(user_interrupted, "irq.user", "SDM 3A 6.14.2",
     "an interrupt in user mode changes to the kernel's stack and comes back")
{
	struct user_run run;

	irq_set(VECTOR, release_user);
	*(volatile uint64_t *)user_alias(USER_DATA) = 0;
	cpu_cli();
	irq_send(VECTOR, BIT(me()));
	user_call(&run, user_spin_flag, USER_DATA, 0, 0);
	EXPECT_EQ(run.vector, VECTOR_USER_EXIT);
	EXPECT_EQ(run.frame.rbx, 0x77);
	EXPECT_EQ(user_frame.cs, SEL_UCODE | 3);
	EXPECT_EQ(user_frame.ss, SEL_UDATA | 3);
	EXPECT_EQ(user_frame.rsp, USER_STACK_TOP - 64);
	return FACT_PASS;
}

FACT(registers_kept, "irq.registers", "SDM 3A 6.12",
     "interrupts in the middle of a loop change no register of it")
{
	uint64_t a = 1, b = 2, rounds = 20000;
	uint64_t before = probe_irqs(me(), VECTOR);

	for (unsigned i = 0; i < 20; i++) {
		irq_send(VECTOR, BIT(me()));
		for (uint64_t n = 0; n < rounds / 20; n++)
			__asm__ volatile("add $3, %0\nlea 1(%1, %0), %1" : "+r"(a), "+r"(b)::"cc");
	}
	EXPECT_EQ(a, 1 + 3 * rounds);
	EXPECT_EQ(b, 2 + rounds + rounds + 3 * (rounds * (rounds + 1) / 2));
	EXPECT(probe_wait_irq(me(), VECTOR, before + 1, PATIENCE_US), "no interrupt came");
	return FACT_PASS;
}

/* PVROM-IRQ-5 */
FACT(eoi_lower, "irq.eoi.lower", "SDM 3A 11.8.5",
     "once a handler has ended, vectors of its own class and below come again")
{
	static const unsigned later[] = { HIGH, HIGH - 1, LOW, VECTOR_FIRST_FREE };
	uint64_t before = probe_irqs(me(), HIGH);

	irq_send(HIGH, BIT(me()));
	EXPECT(probe_wait_irq(me(), HIGH, before + 1, PATIENCE_US), "it did not come");
	for (unsigned i = 0; i < ARRAY_SIZE(later); i++) {
		before = probe_irqs(me(), later[i]);
		irq_send(later[i], BIT(me()));
		EXPECT(probe_wait_irq(me(), later[i], before + 1, PATIENCE_US),
		       "vector %x is blocked", later[i]);
	}
	return FACT_PASS;
}
