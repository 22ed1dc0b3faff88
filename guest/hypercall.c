/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Plain calls, by the shim's own hypercall sequences.
 */
#include "guest_internal.h"

uint32_t pvrom_call(const struct pvrom_guest *guest, uint32_t call, uint64_t arg0, uint64_t arg1,
		    uint64_t arg2, uint64_t arg3, uint64_t *value)
{
	const struct pvrom_call_info *info = pvrom_call_info(call);
	const uint64_t arg[4] = { arg0, arg1, arg2, arg3 };
	uint64_t result = 0;
	uint32_t status = PVROM_STATUS_NOT_SUPPORTED;

	if (guest->transport != PVROM_TRANSPORT_NONE) {
		status = pvrom_insn_hypercall(guest->transport, guest->transport_port, call, arg,
					      &result);
		/* Such a call answers nothing: what is in the registers has no meaning. */
		if (info && info->flags & PVROM_CALL_VOID) {
			status = PVROM_STATUS_OK;
			result = 0;
		}
	}
	if (value)
		*value = result;
	return status;
}
