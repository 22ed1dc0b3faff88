/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The host's own interrupt controllers: the local xAPIC in memory (Intel SDM vol. 3A, chapter 11),
 * its timer, the I/O APIC (82093AA) and the silenced 8259s. The guest sees none of them.
 */
#include "hv.h"

#define APIC 0xfee00000ull
enum { APIC_ID = 0x20, APIC_TPR = 0x80, APIC_EOI = 0xb0, APIC_SPURIOUS = 0xf0 };
enum { APIC_ICR = 0x300, APIC_ICR_HIGH = 0x310, APIC_LVT_TIMER = 0x320, APIC_LVT_LINT0 = 0x350 };
enum { APIC_LVT_LINT1 = 0x360, APIC_LVT_ERROR = 0x370, APIC_TIMER_INITIAL = 0x380 };
enum { APIC_TIMER_CURRENT = 0x390, APIC_TIMER_DIVIDE = 0x3e0 };
#define MASKED 0x10000u
#define SOFTWARE_ENABLE 0x100u
#define DIVIDE_BY_1 0xbu
#define ICR_PENDING 0x1000u
#define INIT_OTHERS 0xc4500u
#define SIPI_OTHERS (0xc4600u | HV_AP_PAGE >> 12)

#define IOAPIC 0xfec00000ull
#define IOAPIC_WINDOW 0x10
#define IOAPIC_ENTRY(pin) (0x10 + 2 * (pin))

#define PIT_HZ 1193182ull
#define PIT_CHANNEL0 0x40
#define PIT_MODE 0x43
#define PIT_SAMPLE 11932u /* 10 ms */

static uint32_t apic_read(uint32_t reg)
{
	return *(volatile uint32_t *)(APIC + reg);
}

static void apic_write(uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)(APIC + reg) = value;
}

static void ioapic_write(uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)IOAPIC = reg;
	*(volatile uint32_t *)(IOAPIC + IOAPIC_WINDOW) = value;
}

/* ---- set up ---------------------------------------------------------------------------------- */

/*
 * Their vectors out of the way of exceptions, and all their inputs shut. Before the local APIC's
 * input from them is: QEMU else never takes back an interrupt that the firmware's timer has raised.
 */
void hv_8259_silence(void)
{
	static const uint8_t words[][2] = {
		{ 0x20, 0x11 }, { 0x21, PIC_VECTOR },	  { 0x21, 0x04 }, { 0x21, 0x01 },
		{ 0xa0, 0x11 }, { 0xa1, PIC_VECTOR + 8 }, { 0xa1, 0x02 }, { 0xa1, 0x01 },
		{ 0x21, 0xff }, { 0xa1, 0xff },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		out8(words[i][0], words[i][1]);
}

static uint16_t pit_count(void)
{
	uint8_t low;

	out8(PIT_MODE, 0x00);
	low = in8(PIT_CHANNEL0);
	return (uint16_t)(low | in8(PIT_CHANNEL0) << 8);
}

struct sample {
	uint16_t pit;
	uint64_t tsc;
	uint32_t timer;
};

static struct sample sample_at(uint16_t count)
{
	uint16_t pit;

	do
		pit = pit_count();
	while (pit > count);
	return (struct sample){ pit, rdtsc(), apic_read(APIC_TIMER_CURRENT) };
}

/* Both clocks against the PIT: 55 ms of it, counting down from 65536, of which 10 are used. */
static void measure(void)
{
	struct sample a, b;
	uint64_t ticks;

	out8(PIT_MODE, 0x34);
	out8(PIT_CHANNEL0, 0);
	out8(PIT_CHANNEL0, 0);
	apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
	a = sample_at(0xf000);
	b = sample_at((uint16_t)(a.pit - PIT_SAMPLE));
	apic_write(APIC_TIMER_INITIAL, 0);
	ticks = (uint64_t)a.pit - b.pit;
	hv.tsc_hz = (b.tsc - a.tsc) * PIT_HZ / ticks;
	hv.timer_hz = ((uint64_t)a.timer - b.timer) * PIT_HZ / ticks;
}

/* On the first CPU, after its own half. */
void hv_apic_init(void)
{
	for (uint32_t pin = 0; pin < PINS; pin++)
		hv_pin_set(pin, true, 0);
	measure();
}

/* On each CPU: nothing comes in but what is sent, and the timer. */
void hv_apic_init_cpu(void)
{
	apic_write(APIC_SPURIOUS, SOFTWARE_ENABLE | SPURIOUS_VECTOR);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_LINT0, MASKED);
	apic_write(APIC_LVT_LINT1, MASKED);
	apic_write(APIC_LVT_ERROR, MASKED);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
}

/* ---- use ------------------------------------------------------------------------------------- */

uint32_t hv_apic_id(void)
{
	return apic_read(APIC_ID) >> 24;
}

void hv_apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void hv_apic_send(uint32_t apic_id, uint32_t command)
{
	while (apic_read(APIC_ICR) & ICR_PENDING)
		relax();
	apic_write(APIC_ICR_HIGH, apic_id << 24);
	apic_write(APIC_ICR, command);
}

/* SDM vol. 3A 9.4.4.1: 10 ms after INIT, 200 us after a SIPI. */
void hv_apic_start_others(void)
{
	apic_write(APIC_ICR, INIT_OTHERS);
	hv_spin_us(10000);
	for (unsigned i = 0; i < 2; i++) {
		apic_write(APIC_ICR, SIPI_OTHERS);
		hv_spin_us(200);
	}
}

/*
 * The timer of this CPU at a TSC, or (0) never. The timer is not the TSC: whoever set it looks
 * at the TSC when it has come, and sets it again if it was early.
 */
void hv_timer_set(uint64_t tsc)
{
	uint64_t now = rdtsc(), ticks;

	if (!tsc) {
		apic_write(APIC_TIMER_INITIAL, 0);
		return;
	}
	ticks = tsc > now ? tsc - now : 0;
	if (ticks > hv.tsc_hz) /* a second: no product below overflows, no count does */
		ticks = hv.tsc_hz;
	ticks = ticks * (hv.timer_hz / 1024) / (hv.tsc_hz / 1024) + 1;
	apic_write(APIC_TIMER_INITIAL, ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}

/* An input of the I/O APIC: edge-triggered, its own vector, to one CPU. hv.routes is held. */
void hv_pin_set(uint32_t pin, bool masked, uint32_t apic_id)
{
	ioapic_write(IOAPIC_ENTRY(pin) + 1, apic_id << 24);
	ioapic_write(IOAPIC_ENTRY(pin), (PIN_VECTOR + pin) | (masked ? MASKED : 0));
}

void hv_spin_us(uint64_t us)
{
	uint64_t end = rdtsc() + us * (hv.tsc_hz / 1000) / 1000;

	while (rdtsc() < end)
		relax();
}
