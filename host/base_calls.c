/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The three simplest calls of the base group: version, query, shutdown. */
#include "host_internal.h"

/* The least that QUERY writes: everything before the reasons. */
#define OFFER_MIN __builtin_offsetof(struct pvrom_offer, reason)

/* The null call: what a crossing costs is measured with it. */
PVROM_HOT uint32_t pvrom_base_version(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call)
{
	(void)vcpu;
	call->value = (uint64_t)PVROM_MAJOR << 16 | PVROM_MINOR;
	return PVROM_STATUS_OK;
}

/* Argument 0: gpa for struct pvrom_offer; argument 1: room there. */
uint32_t pvrom_base_query(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call)
{
	struct pvrom_offer offer;

	if (call->arg[1] < OFFER_MIN)
		return PVROM_STATUS_INVALID;
	if (call->arg[0] & 7)
		return PVROM_STATUS_ADDRESS;
	pvrom_host_lock(vcpu->host);
	pvrom_host_offer(vcpu->host, &offer);
	pvrom_host_unlock(vcpu->host);
	if (call->arg[1] < sizeof(offer))
		offer.size = (uint32_t)call->arg[1];
	return pvrom_host_write(vcpu->host, (struct pvrom_gpa){ call->arg[0] }, &offer, offer.size);
}

/* Argument 0: PVROM_SHUTDOWN_x; argument 1: code of 0 to 127. */
uint32_t pvrom_base_shutdown(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call)
{
	(void)vcpu;
	if (call->arg[0] > PVROM_SHUTDOWN_CRASH || call->arg[1] > 127)
		return PVROM_STATUS_INVALID;
	call->action = PVROM_ACTION_SHUTDOWN;
	return PVROM_STATUS_OK;
}
