/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The tiny guest's acts about what may be lost while an alarm is taken back. */
#include "tiny.h"

#define SENDS 500
#define PIT_SHOTS 300
#define PIT_TICKS 3579 /* 3 ms */
#define MSR_ICR 0x830

static volatile uint64_t lost, sent;

static void send_by_call(void)
{
	call(PVROM_IRQ_SEND, VECTOR_SENT, 0, 1);
}

/* What KVM does by itself: to APIC id 0, fixed, edge. */
static void send_by_icr(void)
{
	write_msr(MSR_ICR, VECTOR_SENT);
}

/* On the second CPU: sends, and waits until it has come. */
static void send_for_ever(void (*send)(void))
{
	uint64_t start;

	for (uint64_t i = 1; i <= SENDS && !lost; i++) {
		send();
		for (start = tsc(); count[VECTOR_SENT] < i && !lost;)
			lost = tsc() - start > 2000 * MS;
		sent = i;
	}
	for (;;)
		__asm__ volatile("pause");
}

static void call_for_ever(uint64_t id)
{
	(void)id;
	send_for_ever(send_by_call);
}

static void icr_for_ever(uint64_t id)
{
	(void)id;
	turn_on_x2apic();
	send_for_ever(send_by_icr);
}

static void withdraw_one(void)
{
	set_alarm(1);
	wait(MS / 50);
	call(PVROM_CLOCK_ALARM_CANCEL, 0, 0, 0);
	__asm__ volatile("sti; nop; cli");
}

static void lose_ipis(void (*sender)(uint64_t id))
{
	check(start_at(1, sender) == PVROM_STATUS_OK, "the sender");
	while (sent < SENDS && !lost)
		withdraw_one();
}

/* Pin 2 of the I/O APIC to this CPU, the 8259 masked. */
static void open_pit_pin(void)
{
	volatile uint32_t *select = (volatile uint32_t *)0xfec00000, *window = select + 4;

	out8(0x21, 0xff);
	*select = 0x10 + 2 * 2 + 1;
	*window = 0;
	*select = 0x10 + 2 * 2;
	*window = VECTOR_PIT;
}

/* One interrupt in so many of the PIT's ticks: channel 0, mode 0. */
static void start_pit_once(uint16_t ticks)
{
	out8(0x43, 0x30);
	out8(0x40, (uint8_t)ticks);
	out8(0x40, (uint8_t)(ticks >> 8));
}

/* A tick may come once too often near another; so that none is taken for the next, some time goes by. */
static void lose_ticks(void)
{
	open_pit_pin();
	for (unsigned shot = 0; shot < PIT_SHOTS && !lost; shot++) {
		uint64_t before, start;

		came(VECTOR_PIT, ~0ull, 3 * MS);
		before = count[VECTOR_PIT];
		start_pit_once(PIT_TICKS);
		for (start = tsc(); count[VECTOR_PIT] == before && !lost;) {
			withdraw_one();
			lost = tsc() - start > 2000 * MS;
		}
	}
}

/*
 * Takes due alarms back while another CPU sends interrupts by call or by its APIC, or the PIT does: what is
 * sent at that moment must come too.
 */
void try_lost(char how)
{
	const uint64_t features = PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ) |
				  PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM) |
				  PVROM_FEATURE_BIT(PVROM_FEATURE_SMP);

	interrupts_set_up();
	check(seal(features, VECTOR_ALARM) == PVROM_STATUS_OK, "irq, alarm and smp sealed");
	if (how == 'p')
		lose_ticks();
	else
		lose_ipis(how == 'i' ? icr_for_ever : call_for_ever);
	check(!lost, "none lost");
	check_end();
}
