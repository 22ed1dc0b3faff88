/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * --bug bus-lies of test builds (empty otherwise): a host that says what makes no sense of its devices. Each lies about
 * one thing, by its number; the first is honest.
 */
#include "pvrom_glue.h"

#ifdef PVROM_TEST
#include <pvrom/dev.h>

bool bus_bug;

/* What DEV_LIST is answered for PVROM_DEV_KIND. */
uint64_t bus_bug_kind(unsigned int device, uint64_t kind)
{
	static const uint64_t lie[] = {
		[1] = 0x0000000100000000, /* no queue is longer than nothing */
		[2] = 0xffff000100000000, /* longer than VIRTIO has, and no power of two */
		[3] = 0x0100000000000000, /* no queues */
		[4] = 0x0100ffff00000000, /* more than it has */
	};

	if (!bus_bug || device == 0 || device >= sizeof(lie) / sizeof(lie[0]))
		return kind;
	return (uint32_t)kind | lie[device];
}

/* What DEV_CONFIGURE answers. */
uint64_t bus_bug_value(unsigned int device, uint32_t op, uint64_t value)
{
	if (!bus_bug)
		return value;
	if (device == 5 && op == PVROM_DEV_OP_STATUS)
		return UINT64_MAX;
	if (device == 6 && op == PVROM_DEV_OP_STATUS)
		return 0; /* whatever was written */
	if (device == 7 && op == PVROM_DEV_OP_QUEUE_ENABLE)
		return UINT64_MAX; /* no doorbell */
	return value;
}
#endif
