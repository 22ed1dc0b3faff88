/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about NMI: when it comes, on which stack, and that one at a time is handled. */
#include "cpu.h"
#include "fact.h"
#include "fact_tools.h"
#include "irq.h"
#include "probe.h"
#include "smp.h"
#include "time.h"

#define PATIENCE_US 5000000
#define SOON_US 2000

static uint64_t nmis(uint32_t cpu)
{
	return READ_ONCE(cpus[cpu].nmi_count);
}

static bool wait_nmi(uint32_t cpu, uint64_t count)
{
	uint64_t end = cpu_rdtsc() + time_us(PATIENCE_US);

	while (nmis(cpu) < count) {
		if (cpu_rdtsc() > end)
			return false;
		cpu_relax();
	}
	return true;
}

FACT(self, "nmi.self", "SDM 3A 6.7", "an NMI to oneself comes once")
{
	uint64_t before = nmis(0);

	irq_send(IRQ_NMI, BIT(0));
	EXPECT(wait_nmi(0, before + 1), "it did not come");
	time_spin_us(SOON_US);
	EXPECT_EQ(nmis(0), before + 1);
	return FACT_PASS;
}

FACT(each, "nmi.each", "SDM 3A 6.7", "an NMI to one CPU comes to that one alone")
{
	uint64_t before[MAX_CPUS] = { 0 };

	for (uint32_t target = 0; target < smp_cpus; target++) {
		for (uint32_t i = 0; i < smp_cpus; i++)
			before[i] = nmis(i);
		irq_send(IRQ_NMI, BIT(target));
		EXPECT(wait_nmi(target, before[target] + 1), "cpu %u did not get it", target);
		time_spin_us(200);
		for (uint32_t i = 0; i < smp_cpus; i++)
			EXPECT_EQ(nmis(i), before[i] + (i == target));
	}
	return FACT_PASS;
}

FACT(with_cli, "nmi.cli", "SDM 3A 6.7", "an NMI comes with IF clear")
{
	uint64_t before = nmis(0);

	cpu_cli();
	irq_send(IRQ_NMI, BIT(0));
	EXPECT(wait_nmi(0, before + 1), "it did not come");
	EXPECT_EQ(cpu_save_flags() & FLAG_IF, 0);
	return FACT_PASS;
}

FACT(with_cr8, "nmi.cr8", "SDM 3A 11.8.6", "an NMI is not held back by CR8")
{
	uint64_t before = nmis(0);

	cpu_write_cr8(15);
	irq_send(IRQ_NMI, BIT(0));
	EXPECT(wait_nmi(0, before + 1), "it did not come");
	return FACT_PASS;
}

static uint64_t hook_frame, hook_vector, hook_cs;

static void note_nmi_frame(struct cpu *cpu, struct trap_frame *frame)
{
	(void)cpu;
	hook_frame = (uint64_t)frame;
	hook_vector = frame->vector;
	hook_cs = frame->cs;
}

FACT(own_stack, "nmi.stack", "SDM 3A 6.14.5", "an NMI's frame lies on the stack that the IST names")
{
	uint64_t top = cpus[0].tss.ist[IST_NMI - 1], before = nmis(0);

	hook_frame = 0;
	cpus[0].nmi_hook = note_nmi_frame;
	irq_send(IRQ_NMI, BIT(0));
	EXPECT(wait_nmi(0, before + 1), "it did not come");
	EXPECT_EQ(hook_frame + sizeof(struct trap_frame), top);
	EXPECT_EQ(hook_vector, TRAP_NMI);
	EXPECT_EQ(hook_cs, SEL_KCODE);
	return FACT_PASS;
}

static uint32_t nmi_rounds, nmi_depth, nmi_nested, second_sent;

/* The first NMI stays until a second one has been sent and had time to come; it must not. */
static void stay(struct cpu *cpu, struct trap_frame *frame)
{
	uint64_t end = cpu_rdtsc() + time_us(PATIENCE_US);

	(void)cpu;
	(void)frame;
	nmi_nested += nmi_depth++;
	if (__atomic_fetch_add(&nmi_rounds, 1, __ATOMIC_RELEASE) == 0 && smp_cpus > 1) {
		while (!__atomic_load_n(&second_sent, __ATOMIC_ACQUIRE) && cpu_rdtsc() < end)
			cpu_relax();
		end = cpu_rdtsc() + time_us(SOON_US);
		while (cpu_rdtsc() < end)
			cpu_relax();
	}
	nmi_depth--;
}

static void send_two(void *unused)
{
	(void)unused;
	irq_send(IRQ_NMI, BIT(0));
	time_wait_for(&nmi_rounds, 1, PATIENCE_US);
	irq_send(IRQ_NMI, BIT(0));
	__atomic_store_n(&second_sent, 1, __ATOMIC_RELEASE);
}

/* With one CPU two NMIs are sent from one burst; the second may be merged with the first. */
FACT(blocked, "nmi.blocked_until_iret", "SDM 3A 6.7.1",
     "an NMI that comes while one is handled waits for the IRET")
{
	uint64_t before = nmis(0);

	nmi_rounds = nmi_depth = nmi_nested = second_sent = 0;
	cpus[0].nmi_hook = stay;
	if (smp_cpus > 1) {
		smp_post(1, send_two, NULL);
		EXPECT(smp_wait(1), "cpu 1 did not end");
		EXPECT(wait_nmi(0, before + 2), "the second NMI was lost");
	} else {
		irq_send(IRQ_NMI, BIT(0));
		irq_send(IRQ_NMI, BIT(0));
		EXPECT(wait_nmi(0, before + 1), "it did not come");
		time_spin_us(SOON_US);
	}
	EXPECT_EQ(nmi_nested, 0);
	return FACT_PASS;
}

FACT(unblocked, "nmi.again", "SDM 3A 6.7.1",
     "after the IRET of one NMI the next one comes, a hundred times")
{
	for (unsigned i = 0; i < 100; i++) {
		uint64_t before = nmis(0);

		irq_send(IRQ_NMI, BIT(0));
		EXPECT(wait_nmi(0, before + 1), "number %u did not come", i);
	}
	return FACT_PASS;
}

USER_CODE(user_wait_word, "movq $1, 8(%rdi)\n1: pause\ncmpq $0, (%rdi)\nje 1b\nmov $0x99, %ebx");

static void nmi_releases_user(struct cpu *cpu, struct trap_frame *frame)
{
	note_nmi_frame(cpu, frame);
	*(volatile uint64_t *)user_alias(USER_DATA) = 1;
}

static void nmi_to_first(void *unused)
{
	(void)unused;
	time_wait_for(user_alias(USER_DATA + 8), 1, PATIENCE_US);
	irq_send(IRQ_NMI, BIT(0));
}

static void nmi_by_interrupt(struct trap_frame *frame)
{
	(void)frame;
	irq_send(IRQ_NMI, BIT(0));
}

/* With one CPU it is sent from an interrupt handler, and may come there or in user mode. */
FACT(in_user, "nmi.user", "SDM 3A 6.14.4",
     "an NMI in user mode is handled, and user mode goes on as before")
{
	struct user_run run;

	memset(user_alias(USER_DATA), 0, 16);
	cpus[0].nmi_hook = nmi_releases_user;
	if (smp_cpus > 1) {
		smp_post(1, nmi_to_first, NULL);
	} else {
		irq_set(0x60, nmi_by_interrupt);
		cpu_cli();
		irq_send(0x60, BIT(0));
	}
	user_call(&run, user_wait_word, USER_DATA, 0, 0);
	EXPECT(smp_cpus == 1 || smp_wait(1), "cpu 1 did not end");
	EXPECT_EQ(run.vector, VECTOR_USER_EXIT);
	EXPECT_EQ(run.frame.rbx, 0x99);
	EXPECT_EQ(run.frame.cs, SEL_UCODE | 3);
	EXPECT_EQ(run.frame.rflags & FLAG_IF, FLAG_IF);
	EXPECT(smp_cpus == 1 || hook_cs == (SEL_UCODE | 3), "it came with cs %lx", hook_cs);
	return FACT_PASS;
}

static uint32_t halted, awake;

static void halt_with_cli(void *unused)
{
	(void)unused;
	cpu_cli();
	__atomic_store_n(&halted, 1, __ATOMIC_RELEASE);
	cpu_halt();
	cpu_sti();
	__atomic_store_n(&awake, 1, __ATOMIC_RELEASE);
}

/* With one CPU there is nobody to send it while it halts: STI; HLT after an NMI must then not hang. */
FACT(wakes, "nmi.halt", "SDM 2A HLT", "an NMI ends a HLT with IF clear")
{
	uint64_t before = nmis(0);

	halted = awake = 0;
	if (smp_cpus == 1) {
		irq_send(IRQ_NMI, BIT(0));
		halt_for_alarm(SOON_US);
		EXPECT(wait_nmi(0, before + 1), "it did not come");
		return FACT_PASS;
	}
	smp_post(1, halt_with_cli, NULL);
	EXPECT(time_wait_for(&halted, 1, PATIENCE_US), "cpu 1 did not start");
	time_spin_us(SOON_US);
	EXPECT_EQ(READ_ONCE(awake), 0);
	irq_send(IRQ_NMI, BIT(1));
	EXPECT(time_wait_for(&awake, 1, PATIENCE_US), "cpu 1 sleeps on");
	EXPECT(smp_wait(1), "cpu 1 did not end");
	return FACT_PASS;
}

static uint64_t storm_sum;

static void count_up(struct cpu *cpu, struct trap_frame *frame)
{
	(void)cpu;
	(void)frame;
	storm_sum++;
}

/* PVROM-CALL-18 */
FACT(storm, "nmi.registers", "SDM 3A 6.7",
     "NMIs in the middle of a computation change nothing of it")
{
	uint64_t a = 1, before = nmis(0);

	storm_sum = 0;
	cpus[0].nmi_hook = count_up;
	for (unsigned i = 0; i < 50; i++) {
		irq_send(IRQ_NMI, BIT(0));
		for (unsigned n = 0; n < 200; n++)
			__asm__ volatile("lea 3(%0), %0" : "+r"(a));
	}
	EXPECT(wait_nmi(0, before + 1), "none came");
	EXPECT_EQ(a, 1 + 3 * 50 * 200);
	EXPECT_EQ(storm_sum, nmis(0) - before);
	return FACT_PASS;
}
