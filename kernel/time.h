/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The TSC as the kernel's clock, and one-shot alarms from the local APIC timer. */
#ifndef KERNEL_TIME_H
#define KERNEL_TIME_H

#include "lib.h"

/* On the BSP with interrupts off: measures TSC and APIC timer against the PIT. */
void time_init(void);
extern uint64_t time_tsc_hz;
extern uint64_t time_apic_hz; /* of the APIC timer, divided by 1; 0 if it was not seen to count */
/* TSC ticks of so many microseconds. */
uint64_t time_us(uint64_t us);
/* Spins so long. */
void time_spin_us(uint64_t us);
/* Spins until *WORD is VALUE; false if US microseconds were not enough. */
bool time_wait_for(const volatile uint32_t *word, uint32_t value, uint64_t us);

/*
 * The native alarm: VECTOR_ALARM on this CPU not before its TSC reaches
 * DEADLINE; replaces one that is set. Interrupts off.
 */
void time_native_alarm_set(uint64_t deadline);
void time_native_alarm_cancel(void);
/*
 * VECTOR_ALARM has come: true if an alarm has ended, false if this was too early (it is then armed
 * again) or cancelled meanwhile.
 */
bool time_alarm_due(void);

#endif
