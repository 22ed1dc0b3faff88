/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The TSC's rate and waiting by it, and the native one-shot alarm. */
#ifndef KERNEL_TIME_H
#define KERNEL_TIME_H

#include "lib.h"

/*
 * On the BSP with interrupts off: takes the TSC's rate from whoever states it, else measures it
 * against the PIT. Where neither is to be had the kernel goes on without knowing.
 */
void time_init(void);
/*
 * Ticks a second. Where nobody knows it is a rate that no TSC exceeds, so that waiting is never too
 * short; time_rate_known then is false.
 */
extern uint64_t time_tsc_hz;
extern bool time_rate_known;
/* For people: "CPUID leaf 0x15", "measured against the PIT", "stated by nobody" ... */
extern const char *time_rate_source;
/* TSC ticks of so many microseconds. */
uint64_t time_us(uint64_t us);
/* Spins so long. */
void time_spin_us(uint64_t us);
/* Spins until *WORD is VALUE; false if US microseconds were not enough. */
bool time_wait_for(const volatile uint32_t *word, uint32_t value, uint64_t us);

/*
 * How long to look on for something that must come. Between two looks a tenth of a second passes at most: a machine
 * that was saved and loaded meanwhile has not looked, though its TSC may have gone on.
 */
struct patience {
	uint64_t left, last;
};
struct patience patience_of(uint64_t us);
/* After each look in vain; false: it is over. */
bool patience_lasts(struct patience *p);

/*
 * The native alarm, by the best timer there is: the TSC deadline, the local APIC timer, the PIT. The word
 * "timer=" of the command line (deadline, apic, pit) asks for one. time_alarm_timer names it.
 */
extern const char *time_alarm_timer;
void time_alarm_init(void);
/*
 * VECTOR_ALARM on this CPU not before its TSC reaches
 * DEADLINE; replaces one that is set. Interrupts off.
 */
void time_native_alarm_set(uint64_t deadline);
void time_native_alarm_cancel(void);
/*
 * VECTOR_ALARM has come: true if an alarm has ended, false if this was too early (it is then armed
 * again) or cancelled meanwhile. Counts how late it is.
 */
bool time_alarm_due(void);
/* A line about all alarms so far. */
void time_alarm_print(void);

#endif
