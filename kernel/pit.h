/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Channel 0 of the 8254 PIT: to measure with, and for alarms where there is nothing else. */
#ifndef KERNEL_PIT_H
#define KERNEL_PIT_H

#include "lib.h"

#define PIT_HZ 1193182ull

/* Does channel 0 count? Looked at once, which starts it; later calls leave it alone. */
bool pit_is_there(void);
/*
 * A pair of moments about 10 ms apart: PIT ticks from the first to the second, and both TSC values.
 * False if it does not count. Interrupts off.
 */
bool pit_measure(uint64_t *ticks, uint64_t *tsc_start, uint64_t *tsc_end);

/*
 * Alarms of all CPUs by one PIT: its interrupt comes to the first CPU, which sends VECTOR_ALARM to
 * those whose pit_deadline has come. pit_alarm_update() after a CPU's deadline changed, interrupts off.
 */
void pit_alarm_init(void);
void pit_alarm_update(void);

#endif
