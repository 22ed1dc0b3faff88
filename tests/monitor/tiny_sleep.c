/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The tiny guest suspends itself to memory (ACPI 6.4, 16.1.3), with and without a place to be woken at. */
#include "tiny_sleep.h"

#include "tiny.h"

#define FACS 0xf0040u
#define WAKING_VECTOR (*(volatile uint32_t *)(uint64_t)(FACS + 12))
#define KEPT (*(volatile uint32_t *)0x7000)
#define WAKE ((uint8_t *)(WAKE_CS * 16 + WAKE_IP))
#define PM1_CONTROL 0x604u
#define SLEEP 0x2c00u /* the type of S3, and do it */

extern const uint8_t woken[], woken_end[];

static void sleep(void)
{
	say("sleeping\n");
	__asm__ volatile("outw %0, %1" : : "a"((uint16_t)SLEEP), "Nd"((uint16_t)PM1_CONTROL));
}

/* Woken at its vector it ends by itself; a machine that does not sleep ends with 9. */
void try_sleep(bool vector)
{
	for (const uint8_t *at = woken; vector && at < woken_end; at++)
		WAKE[at - woken] = *at;
	KEPT = WAKE_KEPT;
	if (vector)
		WAKING_VECTOR = (uint32_t)(uint64_t)WAKE;
	sleep();
	end(9);
}
