/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the device's configuration says, and what of it can be believed: VIRTIO 1.2, 5.2.4 and 5.2.5.
 */
#include "blk_guest_internal.h"

/* The most sectors whose bytes 64 bits can count. */
#define SECTORS_MAX (UINT64_MAX >> PVROM_BLK_SECTOR_SHIFT)

static uint32_t at_most(uint32_t value, uint32_t limit)
{
	return value < limit ? value : limit;
}

/* Segments of a request, and bytes of one; 5.2.5: the driver keeps to them. */
static bool segment_limits(struct pvrom_blk_guest *blk)
{
	const struct pvrom_blk_config *c = &blk->config;
	uint64_t all;

	blk->segments = blk->settings.segments;
	blk->segment_bytes = UINT32_MAX & ~(PVROM_BLK_SECTOR - 1);
	if (guest_has(blk, PVROM_BLK_F_SEG_MAX))
		blk->segments = at_most(blk->segments, c->seg_max);
	/* QEMU 7.2's storage daemon offers SIZE_MAX and says 0. */
	if (guest_has(blk, PVROM_BLK_F_SIZE_MAX) && c->size_max)
		blk->segment_bytes = at_most(blk->segment_bytes, c->size_max);
	if (GUEST_REFUSE(CONFIG_SEGMENTS, !blk->segments))
		return false;
	/* A bounce buffer is as many segments as it takes. */
	all = (uint64_t)blk->segments * blk->segment_bytes;
	blk->bounce_bytes = blk->settings.bounce < all ? blk->settings.bounce : (uint32_t)all;
	return !GUEST_REFUSE(CONFIG_BYTES, blk->segment_bytes < PVROM_BLK_SECTOR);
}

static void range_limits(struct pvrom_blk_guest *blk)
{
	const struct pvrom_blk_config *c = &blk->config;

	blk->ranges[0] = guest_has(blk, PVROM_BLK_F_DISCARD) ? c->max_discard_seg : 0;
	blk->ranges[1] = guest_has(blk, PVROM_BLK_F_WRITE_ZEROES) ? c->max_write_zeroes_seg : 0;
	blk->ranges[2] = guest_has(blk, PVROM_BLK_F_SECURE_ERASE) ? c->max_secure_erase_seg : 0;
}

static bool queue_limit(struct pvrom_blk_guest *blk)
{
	uint16_t there = guest_has(blk, PVROM_BLK_F_MQ) ? blk->config.num_queues : 1;

	if (GUEST_REFUSE(CONFIG_QUEUES, !there))
		return false;
	blk->queues = there < blk->settings.queues ? there : blk->settings.queues;
	return true;
}

/* 5.2.5.1: with CONFIG_WCE as it says; else writes are volatile if there is a FLUSH. */
static void cache_mode(struct pvrom_blk_guest *blk)
{
	blk->writeback = guest_has(blk, PVROM_BLK_F_CONFIG_WCE) ? blk->config.writeback & 1
								: guest_has(blk, PVROM_BLK_F_FLUSH);
}

static bool read_all(struct pvrom_blk_guest *blk)
{
	if (!pvrom_virtio_config(blk->virtio, 0, &blk->config, sizeof(blk->config)))
		return false;
	if (GUEST_REFUSE(CONFIG_SECTORS, blk->config.capacity > SECTORS_MAX))
		return false;
	blk->sectors = blk->config.capacity;
	cache_mode(blk);
	return true;
}

bool pvrom_blk_guest_read_config(struct pvrom_blk_guest *blk)
{
	if (!read_all(blk) || !segment_limits(blk) || !queue_limit(blk))
		return false;
	range_limits(blk);
	blk->read_only = guest_has(blk, PVROM_BLK_F_RO);
	return true;
}

/* Limits and the number of queues are those of the beginning: 5.2.5.2 lets only the length change. */
enum pvrom_blk_guest_result pvrom_blk_guest_changed(struct pvrom_blk_guest *blk)
{
	struct pvrom_blk_config before = blk->config;
	uint32_t status = blk->virtio->ops->status(blk->virtio);

	if (GUEST_REFUSE(NEEDS_RESET, status & PVROM_VIRTIO_NEEDS_RESET) || !read_all(blk)) {
		blk->config = before;
		return PVROM_BLK_GUEST_BROKEN;
	}
	return PVROM_BLK_GUEST_OK;
}

enum pvrom_blk_guest_result pvrom_blk_guest_set_writeback(struct pvrom_blk_guest *blk, bool on)
{
	uint8_t value = on, now = !value;
	const uint32_t at = offsetof(struct pvrom_blk_config, writeback);

	if (!guest_has(blk, PVROM_BLK_F_CONFIG_WCE))
		return PVROM_BLK_GUEST_UNSUPPORTED;
	blk->virtio->ops->config_write(blk->virtio, at, &value, 1);
	blk->virtio->ops->config_read(blk->virtio, at, &now, 1);
	blk->writeback = now & 1;
	return blk->writeback == on ? PVROM_BLK_GUEST_OK : PVROM_BLK_GUEST_FAILED;
}
