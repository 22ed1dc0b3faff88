/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What ACPI's tables say of sleep (ACPI 6.4): with --s3 the machine is not of the hardware-reduced kind, in which
 * Linux has no place for its waking vector, but has the fixed registers that S3 needs, and none that may be left out.
 */
#include "machine_sleep.h"

#include <string.h>

#include "acpi_parts.h"

#define SCI_LINE 9u /* nothing ever raises it: there is no event but the waking */

/* FADT flags (table 5.10): buttons and the alarm of the CMOS clock are not among the fixed registers. */
#define WBINVD 0x1u
#define C1_ON_ALL 0x4u
#define NO_POWER_BUTTON 0x10u
#define NO_SLEEP_BUTTON 0x20u
#define NO_RTC_EVENT 0x40u
#define NO_LATENCY 0xffffu /* no C2, no C3 */

struct facs {
	char signature[4];
	uint32_t length, hardware, waking_vector, global_lock, flags;
	uint64_t x_waking_vector;
	uint8_t version; /* 0: the 32-bit vector alone */
	uint8_t reserved[31];
} __attribute__((packed));
_Static_assert(sizeof(struct facs) == 64, "ACPI 6.4, table 5.12");
_Static_assert(sizeof(struct acpi_hardware) == 60, "ACPI 6.4, table 5.9");

uint32_t acpi_sleep_flags(void)
{
	return WBINVD | C1_ON_ALL | NO_POWER_BUTTON | NO_SLEEP_BUTTON | NO_RTC_EVENT;
}

static struct acpi_address block_at(uint16_t port, uint8_t bytes)
{
	return (struct acpi_address){
		.space = ACPI_SPACE_PORT, .bits = (uint8_t)(8 * bytes), .access = 2, .at = port
	};
}

/* The PM1 registers, twice, as the FADT has them. */
void acpi_sleep_describe(struct acpi_hardware *hardware, struct acpi_address block[ACPI_BLOCKS])
{
	*hardware = (struct acpi_hardware){
		.sci = SCI_LINE,
		.pm1a_event = PM1_PORT,
		.pm1a_control = PM1_PORT + PM1_CONTROL,
		.pm1_event_bytes = PM1_CONTROL,
		.pm1_control_bytes = PM1_BYTES - PM1_CONTROL,
		.c2_latency = NO_LATENCY,
		.c3_latency = NO_LATENCY,
	};
	block[ACPI_PM1A_EVENT] = block_at(PM1_PORT, PM1_CONTROL);
	block[ACPI_PM1A_CONTROL] = block_at(PM1_PORT + PM1_CONTROL, PM1_BYTES - PM1_CONTROL);
}

/* A package \_Sx_: what to write as sleep type (7.4.2). */
void acpi_sleep_type(struct aml *aml, const char *name, uint8_t type)
{
	const uint8_t package[] = { 0x12, 7, 4, 0x0a, type, 0, 0, 0 };

	aml_byte(aml, 0x08);
	aml_name(aml, name);
	aml_bytes(aml, package, sizeof(package));
}

void acpi_sleep_facs(void *at)
{
	const struct facs facs = { .signature = { 'F', 'A', 'C', 'S' }, .length = sizeof(facs) };

	memcpy(at, &facs, sizeof(facs));
}

/* Where the guest wants to be woken, 0: nowhere. It is the guest's memory, and any number may be there. */
uint32_t acpi_sleep_vector(const struct vm *vm)
{
	const uint8_t *facs = memory_at(vm, ACPI_FACS, sizeof(struct facs));
	uint32_t vector;

	memcpy(&vector, facs + offsetof(struct facs, waking_vector), sizeof(vector));
	return vector;
}
