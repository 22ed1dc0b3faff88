/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the files of the ACPI tables share: parts of the FADT, and what --s3 puts into the tables (ACPI 6.4). */
#ifndef PVRUN_ACPI_PARTS_H
#define PVRUN_ACPI_PARTS_H

#include <stdint.h>

#include "aml.h"

#define ACPI_SPACE_PORT 1u

/* Where a register is (5.2.3.2). */
struct acpi_address {
	uint8_t space, bits, offset, access;
	uint64_t at;
} __attribute__((packed));

/* Of the FADT (table 5.9): the power management hardware, all zero in the hardware-reduced model ... */
struct acpi_hardware {
	uint16_t sci;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2, timer, gpe0, gpe1;
	uint8_t pm1_event_bytes, pm1_control_bytes, pm2_bytes, timer_bytes, gpe0_bytes, gpe1_bytes;
	uint8_t gpe1_base, cst;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width;
} __attribute__((packed));

/* ... and the same blocks by address. */
enum { ACPI_PM1A_EVENT, ACPI_PM1B_EVENT, ACPI_PM1A_CONTROL, ACPI_BLOCKS = 8 };

/* acpi_sleep.c */
uint32_t acpi_sleep_flags(void);
void acpi_sleep_describe(struct acpi_hardware *hardware, struct acpi_address block[ACPI_BLOCKS]);
void acpi_sleep_type(struct aml *aml, const char *name, uint8_t type);
void acpi_sleep_facs(void *at);

#endif
