/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Several calls with one crossing; no more than PVROM_BATCH_BOUND before the guest may breathe. */
#include "host_internal.h"

/* Where the host's two fields of an entry lie. */
#define ENTRY_SIZE sizeof(struct pvrom_batch_entry)
#define ENTRY_GUEST __builtin_offsetof(struct pvrom_batch_entry, value)
#define ENTRY_STATUS __builtin_offsetof(struct pvrom_batch_entry, status)
#define ENTRY_VALUE __builtin_offsetof(struct pvrom_batch_entry, value)

/* Calls whose outcome is more than a status, or that change what the other entries mean. */
static bool allowed(uint32_t number)
{
	switch (number) {
	case PVROM_BASE_NEGOTIATE:
	case PVROM_BASE_BATCH:
	case PVROM_BASE_RESET:
	case PVROM_BASE_SHUTDOWN:
	case PVROM_SMP_STOP: return false;
	default: return true;
	}
}

static uint32_t do_call(struct pvrom_host_vcpu *vcpu, const struct pvrom_batch_entry *entry,
			uint64_t *value)
{
	struct pvrom_host_request call = {
		.number = entry->call,
		.arg = entry->arg,
	};
	uint32_t status = PVROM_STATUS_INVALID;

	if (allowed(call.number))
		status = pvrom_host_dispatch(vcpu, &call);
	*value = call.value;
	return status;
}

static uint32_t do_entry(struct pvrom_host_vcpu *vcpu, uint64_t gpa)
{
	struct pvrom_batch_entry entry;
	uint64_t value;
	uint32_t status;

	pvrom_host_trace_begin();
	if (pvrom_host_read(vcpu->host, (struct pvrom_gpa){ gpa }, &entry, ENTRY_GUEST))
		return PVROM_STATUS_ADDRESS;
	status = do_call(vcpu, &entry, &value);
	if (pvrom_host_write(vcpu->host, (struct pvrom_gpa){ gpa + ENTRY_STATUS }, &status, 4))
		return PVROM_STATUS_ADDRESS;
	return pvrom_host_write(vcpu->host, (struct pvrom_gpa){ gpa + ENTRY_VALUE }, &value, 8);
}

/* Argument 0: gpa of the entries; argument 1: how many. The value says how many were reached. */
uint32_t pvrom_base_batch(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call)
{
	uint64_t gpa = call->arg[0];
	uint64_t count = call->arg[1];
	uint64_t now;

	if (count > PVROM_BATCH_MAX)
		return PVROM_STATUS_INVALID;
	if ((gpa & 7) ||
	    pvrom_host_check(vcpu->host, (struct pvrom_gpa){ gpa }, count * ENTRY_SIZE))
		return PVROM_STATUS_ADDRESS;
	now = count < PVROM_BATCH_BOUND ? count : PVROM_BATCH_BOUND;
	if (PVROM_BUG(BATCH_SHORT) && now > 1)
		now--;
	for (; call->value < now; call->value++)
		if (do_entry(vcpu, gpa + call->value * ENTRY_SIZE))
			return PVROM_STATUS_ADDRESS;
	return call->value < count ? PVROM_STATUS_CONTINUE : PVROM_STATUS_OK;
}
