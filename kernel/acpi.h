/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The list of CPUs in the ACPI MADT, if there is one. */
#ifndef KERNEL_ACPI_H
#define KERNEL_ACPI_H

#include "lib.h"

/* Writes up to MAX APIC IDs of enabled CPUs and returns how many there are; 0: no MADT. */
unsigned acpi_cpus(uint32_t *apic_ids, unsigned max);

#endif
