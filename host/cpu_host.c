/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The cpu group: privileged instructions. The processor does them for the guest, so the host
 * serves none of them as a call; what the feature grants is the ROM's slots.
 */
#include "host_internal.h"

static uint32_t offer(const struct pvrom_host *host)
{
	(void)host;
	return PVROM_REASON_NONE;
}

static PVROM_HOT uint32_t call(struct pvrom_host *host, struct pvrom_host_vcpu *vcpu,
			       uint32_t number, const uint64_t arg[4], uint64_t *value)
{
	(void)host;
	(void)vcpu;
	(void)number;
	(void)arg;
	(void)value;
	return PVROM_STATUS_NOT_REQUIRED;
}

const struct pvrom_host_feature pvrom_host_cpu = {
	.number = PVROM_FEATURE_CPU,
	.group = PVROM_GROUP_CPU,
	.offer = offer,
	.call = call,
};
