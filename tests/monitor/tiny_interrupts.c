/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The tiny guest's acts about interrupts: sent, routed, ended and alarmed by calls. */
#include "tiny.h"

#define VECTOR_CALL_EOI 0x42
#define VECTOR_ROUTED 0x43
#define VECTOR_NMI 2
#define COM1_SOURCE 4
#define MSR_APIC_BASE 0x1b
#define MSR_SPURIOUS 0x80f
#define MSR_EOI 0x80b
#define MSR_STEAL_TIME 0x4b564d03
#define MSR_PV_EOI 0x4b564d04

struct interrupt_frame;
typedef void handler_fn(struct interrupt_frame *frame);

static struct {
	uint64_t low, high;
} idt[256];
volatile uint64_t count[256];
static volatile uint64_t when, without_eoi;
static struct pvrom_vcpu_area area __attribute__((aligned(PVROM_VCPU_AREA_ALIGN)));

void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static uint64_t read_msr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

/* Ends an interrupt as vcpu.h says: not at all if the host has set the bit. */
static void end_interrupt(void)
{
	bool idle;

	__asm__ volatile("btrl $0, %0" : "+m"(area.eoi), "=@ccc"(idle));
	if (idle)
		without_eoi++;
	else
		write_msr(MSR_EOI, 0);
}

__attribute__((interrupt)) static void on_alarm(struct interrupt_frame *frame)
{
	(void)frame;
	when = tsc();
	count[VECTOR_ALARM]++;
	end_interrupt();
}

__attribute__((interrupt)) static void on_sent(struct interrupt_frame *frame)
{
	(void)frame;
	count[VECTOR_SENT]++;
	end_interrupt();
}

__attribute__((interrupt)) static void on_call_eoi(struct interrupt_frame *frame)
{
	(void)frame;
	count[VECTOR_CALL_EOI]++;
	call(PVROM_IRQ_EOI, 0, 0, 0);
}

__attribute__((interrupt)) static void on_routed(struct interrupt_frame *frame)
{
	(void)frame;
	count[VECTOR_ROUTED]++;
	in8(0x3fa); /* takes the transmitter's interrupt back */
	end_interrupt();
}

__attribute__((interrupt)) static void on_pit(struct interrupt_frame *frame)
{
	(void)frame;
	count[VECTOR_PIT]++;
	end_interrupt();
}

__attribute__((interrupt)) static void on_nmi(struct interrupt_frame *frame)
{
	(void)frame;
	count[VECTOR_NMI]++;
}

static void set_gate(unsigned int vector, handler_fn *handler)
{
	uint64_t at = (uint64_t)handler;

	idt[vector].low = (at & 0xffff) | 8u << 16 | 0x8e00ull << 32 | (at >> 16 & 0xffff) << 48;
	idt[vector].high = at >> 32;
}

void turn_on_x2apic(void)
{
	write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) | 0x400);
	write_msr(MSR_SPURIOUS, 0x1ff);
}

void interrupts_set_up(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint64_t)idt };

	set_gate(VECTOR_ALARM, on_alarm);
	set_gate(VECTOR_SENT, on_sent);
	set_gate(VECTOR_CALL_EOI, on_call_eoi);
	set_gate(VECTOR_ROUTED, on_routed);
	set_gate(VECTOR_PIT, on_pit);
	set_gate(VECTOR_NMI, on_nmi);
	__asm__ volatile("lidt %0" : : "m"(pointer));
	turn_on_x2apic();
}

bool came(unsigned int vector, uint64_t times, uint64_t patience)
{
	uint64_t start = tsc();

	__asm__ volatile("sti");
	while (count[vector] < times && tsc() - start < patience)
		__asm__ volatile("pause");
	__asm__ volatile("cli");
	return count[vector] >= times;
}

/* Several seconds: the machine may be a slow one that is busy. */
bool comes(unsigned int vector, uint64_t times)
{
	return came(vector, times, 5000 * MS);
}

static bool stays_away(unsigned int vector, uint64_t times)
{
	return !came(vector, times, 100 * MS);
}

void wait(uint64_t ticks)
{
	uint64_t start = tsc();

	while (tsc() - start < ticks)
		__asm__ volatile("pause");
}

void set_alarm(uint64_t at)
{
	if (call(PVROM_CLOCK_ALARM_SET, at, 0, 0) != PVROM_STATUS_OK)
		check(false, "an alarm is set");
}

static void try_alarms(void)
{
	uint64_t early = 0, lost = 0;

	for (uint64_t i = 1; i <= 100; i++) {
		uint64_t at = tsc() + i * 50000;

		set_alarm(at);
		lost += !comes(VECTOR_ALARM, i);
		early += when < at;
	}
	check(lost == 0, "a hundred alarms come");
	check(early == 0, "none early");
	set_alarm(1);
	check(comes(VECTOR_ALARM, 101), "one whose time has passed comes at once");
	set_alarm(tsc());
	wait(10 * MS);
	call(PVROM_CLOCK_ALARM_CANCEL, 0, 0, 0);
	check(stays_away(VECTOR_ALARM, 102), "one that is due and cancelled does not come");
	set_alarm(tsc());
	wait(10 * MS);
	set_alarm(tsc() + 10000000 * MS);
	check(stays_away(VECTOR_ALARM, 102), "nor one that is due and replaced");
	set_alarm(~0ull);
	check(stays_away(VECTOR_ALARM, 102), "nor one at the end of time");
	set_alarm(tsc() + MS);
	check(comes(VECTOR_ALARM, 102), "the next one does");
}

static void try_sending(void)
{
	for (uint64_t i = 1; i <= 20; i++) {
		call(PVROM_IRQ_SEND, VECTOR_SENT, 0, 1);
		if (!comes(VECTOR_SENT, i))
			check(false, "an interrupt sent to oneself");
	}
	check(without_eoi > 0, "KVM says in the area that an interrupt needs no EOI");
	call(PVROM_IRQ_SEND, PVROM_IRQ_SEND_NMI, 0, 1);
	wait(MS);
	check(count[VECTOR_NMI] == 1, "an NMI, with interrupts off");
	/* No area, so that each interrupt has to be ended. */
	call(PVROM_BASE_VCPU_AREA, PVROM_VCPU_AREA_NONE, 0, 0);
	call(PVROM_IRQ_SEND, VECTOR_CALL_EOI, 0, 1);
	check(comes(VECTOR_CALL_EOI, 1), "an interrupt that a call ends");
	call(PVROM_IRQ_SEND, VECTOR_CALL_EOI, 0, 1);
	check(comes(VECTOR_CALL_EOI, 2), "and the next");
}

/* Where the guest itself has told KVM to write stays; else KVM writes in the area. */
static void try_records(void)
{
	static uint64_t own[8] __attribute__((aligned(64)));
	static const struct {
		uint32_t msr, place;
	} record[] = { { MSR_STEAL_TIME, PVROM_VCPU_AREA_STEAL },
		       { MSR_PV_EOI, PVROM_VCPU_AREA_EOI } };
	bool kept = true, given = true;
	uint64_t i, mine = (uint64_t)own | 1;

	for (i = 0; i < 2; i++) {
		write_msr(record[i].msr, mine);
		call(PVROM_BASE_VCPU_AREA, (uint64_t)&area, sizeof(area), 0);
		kept &= read_msr(record[i].msr) == mine;
		call(PVROM_BASE_VCPU_AREA, PVROM_VCPU_AREA_NONE, 0, 0);
		kept &= read_msr(record[i].msr) == mine;
		write_msr(record[i].msr, 0);
		call(PVROM_BASE_VCPU_AREA, (uint64_t)&area, sizeof(area), 0);
		given &= read_msr(record[i].msr) == (((uint64_t)&area + record[i].place) | 1);
		call(PVROM_BASE_VCPU_AREA, PVROM_VCPU_AREA_NONE, 0, 0);
		given &= read_msr(record[i].msr) == 0;
	}
	check(kept, "records that the guest asked KVM for itself stay where they are");
	check(given, "else they are in the area, while there is one");
}

/* What is printed makes interrupts of the transmitter too: nothing is while these are on. */
static void try_route(void)
{
	bool routed, masked, unmasked;

	check(call(PVROM_IRQ_ROUTE, 99, VECTOR_ROUTED, 0) == PVROM_STATUS_NOT_SUPPORTED,
	      "a source that is not there");
	check(call(PVROM_IRQ_ROUTE, COM1_SOURCE, VECTOR_ROUTED, 0) == PVROM_STATUS_OK,
	      "COM1 is routed");
	out8(0x3fc, 0x0b);
	out8(0x3f9, 0x02); /* the transmitter is empty: an interrupt at once */
	routed = comes(VECTOR_ROUTED, 1);
	call(PVROM_IRQ_MASK, COM1_SOURCE, 1, 0);
	out8(0x3f8, '\n');
	masked = stays_away(VECTOR_ROUTED, 2);
	call(PVROM_IRQ_MASK, COM1_SOURCE, 0, 0);
	unmasked = comes(VECTOR_ROUTED, 2);
	out8(0x3f9, 0);
	check(routed, "and its interrupt comes by the vector");
	check(masked, "masked it does not come");
	check(unmasked, "unmasked what waited comes");
}

/* KVM's PIT, which is source 2 of the I/O APIC: its ticks do not wait for an end that KVM never sees. */
static void try_pit(void)
{
	check(call(PVROM_IRQ_ROUTE, 2, VECTOR_PIT, 0) == PVROM_STATUS_OK, "the PIT is routed");
	out8(0x21, 0xff);
	out8(0x43, 0x34);
	out8(0x40, 0x55);
	out8(0x40, 0x2e); /* 10 ms */
	check(comes(VECTOR_PIT, 1) && comes(VECTOR_PIT, count[VECTOR_PIT] + 4),
	      "and its ticks come by the vector");
	call(PVROM_IRQ_MASK, 2, 1, 0);
}

void try_interrupts(void)
{
	const uint64_t features =
		PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ) | PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM);

	interrupts_set_up();
	check(seal(features, VECTOR_ALARM) == PVROM_STATUS_OK, "irq and alarm sealed");
	check(call(PVROM_BASE_VCPU_AREA, (uint64_t)&area, sizeof(area), 0) == PVROM_STATUS_OK,
	      "the area");
	try_alarms();
	try_sending();
	try_records();
	try_route();
	try_pit();
	check_end();
}
