/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Counts the calls that this Linux makes, each by itself, beside the host's own counts in the vCPU areas. The
 * shim's pvrom_call() is compiled under another name (Kbuild), so that its own calls come here too.
 */
#include "linux_module.h"

#include <linux/atomic.h>
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/sysfs.h>

uint32_t pvrom_call_uncounted(const struct pvrom_guest *guest, uint32_t call, uint64_t arg0,
			      uint64_t arg1, uint64_t arg2, uint64_t arg3, uint64_t *value);

static struct {
	uint32_t number;
	const char *name; /* in capitals, as the table of abi/ has it */
	atomic_long_t made;
} calls[] = {
#define LINE(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)                  \
	{ number, #GROUP "." #NAME, ATOMIC_LONG_INIT(0) },
	PVROM_CALL_TABLE(LINE)
};

/* Any context. A search is little beside a call, which leaves the machine. */
static void count(uint32_t call)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].number != call)
			continue;
		atomic_long_inc(&calls[i].made);
		return;
	}
}

uint32_t pvrom_call(const struct pvrom_guest *guest, uint32_t call, uint64_t arg0, uint64_t arg1,
		    uint64_t arg2, uint64_t arg3, uint64_t *value)
{
	if (guest->transport != PVROM_TRANSPORT_NONE)
		count(call);
	return pvrom_call_uncounted(guest, call, arg0, arg1, arg2, arg3, value);
}

/* A line for each call that was made: as host has counted, or, where that is NULL, as was counted here. */
ssize_t linux_calls_emit(char *out, const struct pvrom_clock_vcpu_calls *host)
{
	ssize_t at, size = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		u64 made = host ? host->made[pvrom_clock_counter(calls[i].number)]
				: (u64)atomic_long_read(&calls[i].made);

		if (!made)
			continue;
		at = size;
		size += sysfs_emit_at(out, size, "%s %llu\n", calls[i].name, made);
		for (; at < size; at++)
			out[at] = tolower(out[at]);
	}
	return size;
}
