/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Acts that go through the shim but have no single instruction: irq, smp and clock groups. */
#ifndef KERNEL_IRQ_H
#define KERNEL_IRQ_H

#include <pvrom/sites.h>

#include "lib.h"
#include "percpu.h"

/* Instead of a vector: an NMI. */
#define IRQ_NMI PVROM_IRQ_SEND_NMI

/* Ends the interrupt in service on this CPU. */
static inline void irq_eoi(void)
{
	pvrom_irq_eoi();
}

/* VECTOR (32..255, or IRQ_NMI) to every CPU whose index is a bit of SET, this one included. */
void irq_send(unsigned vector, uint64_t set);
/* Starts CPU INDEX, which is stopped, in smp_ap_main(). */
void irq_start_cpu(uint32_t index);
/* The calling CPU goes offline. */
void irq_stop_self(void) __attribute__((noreturn));

/* VECTOR_ALARM here, once, when this CPU's TSC has reached DEADLINE. Interrupts off. */
static inline void irq_alarm_set(uint64_t deadline)
{
	this_cpu()->alarm_native = false;
	this_cpu()->alarm_deadline = deadline ? deadline : 1;
	pvrom_alarm_set(deadline);
}

/* No VECTOR_ALARM after this, but for one that is already pending. */
static inline void irq_alarm_cancel(void)
{
	this_cpu()->alarm_deadline = 0;
	pvrom_alarm_cancel();
}

#endif
