/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The local APIC, as MMIO (xAPIC) or as MSRs (x2APIC), whichever the CPU has. */
#ifndef KERNEL_APIC_H
#define KERNEL_APIC_H

#include "lib.h"

#define APIC_ID 0x20
#define APIC_VERSION 0x30
#define APIC_TPR 0x80
#define APIC_EOI 0xb0
#define APIC_LDR 0xd0
#define APIC_SPURIOUS 0xf0
#define APIC_ISR 0x100
#define APIC_IRR 0x200
#define APIC_ESR 0x280
#define APIC_ICR 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_LVT_ERROR 0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0

#define ICR_FIXED 0x00000u
#define ICR_NMI 0x00400u
#define ICR_INIT 0x00500u
#define ICR_STARTUP 0x00600u
#define ICR_PENDING 0x01000u
#define ICR_ASSERT 0x04000u
#define ICR_LEVEL 0x08000u
#define ICR_SELF 0x40000u
#define ICR_OTHERS 0xc0000u

/* On the BSP, once: chooses the mode, masks the 8259s, maps the registers. */
void apic_init(void);
/* False where CPUID hides it: then the host's calls stand in for it (irq.c). */
bool apic_is_there(void);
/* On each CPU that has one: the same mode, software-enabled, all LVT entries masked but LINT1 (NMI). */
void apic_init_cpu(void);
bool apic_is_x2apic(void);
uint32_t apic_read(uint32_t reg);
void apic_write(uint32_t reg, uint32_t value);
/* Of a CPU whose APIC is hidden, what CPUID says. */
uint32_t apic_own_id(void);
/* Sends ICR low word COMMAND to APIC ID, and waits until an xAPIC has taken it. Interrupts off. */
void apic_send(uint32_t apic_id, uint32_t command);

#endif
