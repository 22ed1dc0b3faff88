/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The 8254 (Intel data sheet 231164), channel 0 only, read by latching so that port 0x61 is not
 * needed. A host without one answers all ones, which is a counter that stands still.
 */
#include "pit.h"

#include "cpu.h"
#include "ioapic.h"
#include "irq.h"
#include "percpu.h"
#include "time.h"
#include "traps.h"

#define PIT_CHANNEL0 0x40
#define PIT_MODE 0x43
#define MODE_LATCH 0x00
#define MODE_ONE_SHOT 0x30 /* low byte, high byte, mode 0: the output rises at the end */
#define MODE_RATE 0x34	   /* the same, mode 2: starts again */
#define SAMPLE 11932	   /* 10 ms */
#define FAR 0xffff	   /* 54.9 ms: the counter has 16 bits */
#define PIN 2		   /* of the I/O APIC, on every PC */
/* A read takes a microsecond at least, in which the counter moves: it is an access to a bus of 8 MHz. */
#define READS_THAT_MOVE 1000

static uint16_t count_now(void)
{
	uint16_t low;

	cpu_out8(PIT_MODE, MODE_LATCH);
	low = cpu_in8(PIT_CHANNEL0);
	return (uint16_t)(low | cpu_in8(PIT_CHANNEL0) << 8);
}

static void start(uint8_t mode, uint16_t count)
{
	cpu_out8(PIT_MODE, mode);
	cpu_out8(PIT_CHANNEL0, (uint8_t)count);
	cpu_out8(PIT_CHANNEL0, (uint8_t)(count >> 8));
}

/* Reload 65536: counts down for 55 ms, time enough for a sample. */
static bool counts(void)
{
	uint16_t first;

	start(MODE_RATE, 0);
	first = count_now();
	for (unsigned i = 0; i < READS_THAT_MOVE; i++)
		if (count_now() != first)
			return true;
	return false;
}

bool pit_is_there(void)
{
	static enum { NOT_LOOKED, THERE, ABSENT } found;

	if (found == NOT_LOOKED)
		found = counts() ? THERE : ABSENT;
	return found == THERE;
}

struct moment {
	uint64_t pit, tsc;
};

static struct moment now(void)
{
	uint16_t count = count_now();

	return (struct moment){ 0x10000u - count, cpu_rdtsc() };
}

bool pit_measure(uint64_t *ticks, uint64_t *tsc_start, uint64_t *tsc_end)
{
	struct moment a, b;
	unsigned patience = 10000000;

	start(MODE_RATE, 0);
	do
		a = now();
	while (a.pit > 0x4000 && --patience);
	do
		b = now();
	while (b.pit < a.pit + SAMPLE && --patience);
	*ticks = b.pit - a.pit;
	*tsc_start = a.tsc;
	*tsc_end = b.tsc;
	return patience;
}

static struct lock pit_lock;

/* Rounded up, at least one; what is farther than the counter reaches is looked at again then. */
static uint16_t ticks_until(uint64_t deadline)
{
	uint64_t tsc = cpu_rdtsc(), left = deadline > tsc ? deadline - tsc : 0;
	uint64_t ticks = left / (time_tsc_hz / PIT_HZ + 1) + 1;

	return ticks > FAR ? FAR : (uint16_t)ticks;
}

/* The next deadline of all CPUs, 0 if none has one; lock held. */
static uint64_t next_deadline(void)
{
	uint64_t next = 0, deadline;

	for (unsigned i = 0; i < MAX_CPUS; i++) {
		deadline = READ_ONCE(cpus[i].pit_deadline);
		if (deadline && (!next || deadline < next))
			next = deadline;
	}
	return next;
}

static void restart(void)
{
	uint64_t next = next_deadline();

	if (next)
		start(MODE_ONE_SHOT, ticks_until(next));
}

void pit_alarm_update(void)
{
	lock_take(&pit_lock);
	restart();
	lock_release(&pit_lock);
}

/* Marks those that are due as sent; lock held. */
static uint64_t take_due(void)
{
	uint64_t due = 0, tsc = cpu_rdtsc();

	for (unsigned i = 0; i < MAX_CPUS; i++) {
		uint64_t deadline = READ_ONCE(cpus[i].pit_deadline);

		if (deadline && deadline <= tsc) {
			due |= BIT(i);
			WRITE_ONCE(cpus[i].pit_deadline, 0);
		}
	}
	return due;
}

static void pit_interrupt(struct trap_frame *frame)
{
	uint64_t due;

	(void)frame;
	lock_take(&pit_lock);
	due = take_due();
	restart();
	lock_release(&pit_lock);
	irq_send(VECTOR_ALARM, due);
}

void pit_alarm_init(void)
{
	irq_set(VECTOR_PIT, pit_interrupt);
	ioapic_route(PIN, VECTOR_PIT, cpus[0].apic_id);
	ioapic_mask(PIN, false);
}
