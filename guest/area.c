/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The vCPU area: registering it, and looking at its epoch.
 */
#include "guest_internal.h"

PVROM_COLD uint32_t pvrom_guest_vcpu_area(struct pvrom_guest *guest, struct pvrom_vcpu_area *area)
{
	uint64_t gpa;

	if (!area)
		return pvrom_call(guest, PVROM_BASE_VCPU_AREA, PVROM_VCPU_AREA_NONE, 0, 0, 0, NULL);
	gpa = pvrom_os_gpa(guest->os, area, PVROM_VCPU_AREA_SIZE);
	if (!gpa || gpa % PVROM_VCPU_AREA_ALIGN)
		return PVROM_STATUS_ADDRESS;
	return pvrom_call(guest, PVROM_BASE_VCPU_AREA, gpa, PVROM_VCPU_AREA_SIZE, 0, 0, NULL);
}

bool pvrom_guest_epoch_moved(const struct pvrom_guest *guest, const struct pvrom_vcpu_area *area)
{
	/* One 64-bit load; the host writes the word at any time. */
	return *(const volatile uint64_t *)&area->epoch != guest->epoch;
}
