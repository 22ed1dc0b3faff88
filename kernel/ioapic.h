/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The I/O APIC: what IRQ_ROUTE and IRQ_MASK are natively. */
#ifndef KERNEL_IOAPIC_H
#define KERNEL_IOAPIC_H

#include "lib.h"

/* On the first CPU, after paging_init(): maps it and masks all of its entries. */
void ioapic_init(void);
/*
 * Delivers SOURCE (its number at the I/O APIC) as VECTOR to the CPU with APIC_ID, edge-triggered and
 * active high, as the ISA bus has it; masked or not as before. False if there is no such source.
 */
bool ioapic_route(uint64_t source, uint32_t vector, uint32_t apic_id);
bool ioapic_mask(uint64_t source, bool masked);

#endif
