/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a queue looks like in memory, how a notification is written, and the texts of results.
 */
#include "vq_internal.h"

#ifdef PVROM_TEST
uint32_t pvrom_vq_check_off;
void (*pvrom_vq_load_hook)(const void *at, size_t bytes);
#endif

/* Is size one that the format allows? 2.7, 2.8.10.1. */
static bool size_is_allowed(uint64_t features, uint32_t size)
{
	if (!size || size > PVROM_VQ_SIZE_MAX)
		return false;
	return (features & PVROM_VQ_F_RING_PACKED) || !(size & (size - 1));
}

bool pvrom_vq_layout(uint64_t features, uint32_t size, struct pvrom_vq_layout *layout)
{
	if (VQ_REFUSE(CONFIG_SIZE, !size_is_allowed(features, size)))
		return false;
	if (!layout)
		return true;
	*layout = (struct pvrom_vq_layout){ .desc_bytes = 16 * size, .desc_align = 16 };
	if (features & PVROM_VQ_F_RING_PACKED) {
		layout->driver_bytes = layout->device_bytes = sizeof(struct pvrom_vq_event);
		layout->driver_align = layout->device_align = 4;
		return true;
	}
	/* Each ring with the event index behind it, which is there with and without EVENT_IDX. */
	layout->driver_bytes = 6 + 2 * size;
	layout->device_bytes = 6 + 8 * size;
	layout->driver_align = 2;
	layout->device_align = 4;
	return true;
}

bool pvrom_vq_aligned(const struct pvrom_vq_layout *layout, uint64_t desc, uint64_t driver,
		      uint64_t device)
{
	return !(desc & (layout->desc_align - 1u)) && !(driver & (layout->driver_align - 1u)) &&
	       !(device & (layout->device_align - 1u));
}

uint32_t pvrom_vq_notification_encode(uint64_t features, const struct pvrom_vq_notification *n)
{
	if (!(features & PVROM_VQ_F_NOTIFICATION_DATA))
		return n->queue;
	if (!(features & PVROM_VQ_F_RING_PACKED))
		return n->queue | (uint32_t)n->next << 16;
	return n->queue | (uint32_t)(n->next & 0x7fff) << 16 | (uint32_t)n->wrap << 31;
}

void pvrom_vq_notification_decode(uint64_t features, uint32_t data, struct pvrom_vq_notification *n)
{
	*n = (struct pvrom_vq_notification){ .queue = (uint16_t)data };
	if (!(features & PVROM_VQ_F_NOTIFICATION_DATA))
		return;
	n->next = (uint16_t)(data >> 16);
	if (features & PVROM_VQ_F_RING_PACKED) {
		n->wrap = n->next >> 15;
		n->next &= 0x7fff;
	}
}

#define TEXT_CASE(name, number, text)                                                              \
	case number: return text;

const char *pvrom_vq_result_text(enum pvrom_vq_result result)
{
	switch ((uint32_t)result) {
		PVROM_VQ_RESULT_TABLE(TEXT_CASE)
	default: return "?";
	}
}

const char *pvrom_vq_reason_text(enum pvrom_vq_reason reason)
{
	switch ((uint32_t)reason) {
		PVROM_VQ_REASON_TABLE(TEXT_CASE)
	default: return "?";
	}
}

const char *pvrom_vq_fault_text(enum pvrom_vq_fault fault)
{
	switch ((uint32_t)fault) {
		PVROM_VQ_FAULT_TABLE(TEXT_CASE)
	default: return "?";
	}
}
