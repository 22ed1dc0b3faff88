/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The block device as such: set-up, features, configuration space, resize, reset.
 */
#include "blk_host_internal.h"

#define DEVICE_BITS 0xffffffull /* VIRTIO 1.2, 2.2: bits 0 to 23 belong to the device type */

static bool backend_can(const struct pvrom_blk_host *host, uint32_t op)
{
	return host->setup.backend->can & (1u << op);
}

static bool setup_is_valid(const struct pvrom_blk_host_setup *s)
{
	const struct pvrom_blk_backend *b = s->backend;

	return s->ops && s->ops->complete && b && b->ops && b->ops->submit &&
	       (!s->limit || s->ops->now) && s->queues >= 1 && s->queues <= PVROM_BLK_QUEUES_MAX &&
	       s->seg_max >= 1 && s->seg_max <= PVROM_BLK_SEG_MAX &&
	       s->size_max % PVROM_BLK_SECTOR == 0 && s->discard_ranges <= PVROM_BLK_RANGES &&
	       s->zeroes_ranges <= PVROM_BLK_RANGES && s->erase_ranges <= PVROM_BLK_RANGES &&
	       b->blk_size >= PVROM_BLK_SECTOR && !(b->blk_size & (b->blk_size - 1)) &&
	       b->align % PVROM_BLK_SECTOR == 0 && b->capacity <= UINT64_MAX >> 10 &&
	       (b->can & (1u << PVROM_BLK_IO_READ)) && (b->can & (1u << PVROM_BLK_IO_FLUSH)) &&
	       (s->read_only || (b->can & (1u << PVROM_BLK_IO_WRITE)));
}

/* A bound of 0 means: as the field allows. */
static uint32_t bound(uint32_t sectors)
{
	/* Whole gigabytes, below what fits in 32 bits; drivers round their requests down to blocks. */
	return sectors ? sectors : 0xffffffff & ~(PVROM_BLK_SECTOR * 8 - 1);
}

static void config_ranges(struct pvrom_blk_host *host)
{
	const struct pvrom_blk_host_setup *s = &host->setup;
	struct pvrom_blk_config *c = &host->config;
	const uint32_t align = s->backend->align / PVROM_BLK_SECTOR;

	if (s->discard_ranges && backend_can(host, PVROM_BLK_IO_DISCARD)) {
		c->max_discard_sectors = bound(s->discard_sectors);
		c->max_discard_seg = s->discard_ranges;
		c->discard_sector_alignment = align ? align : 1;
	}
	if (s->zeroes_ranges && backend_can(host, PVROM_BLK_IO_ZEROES)) {
		c->max_write_zeroes_sectors = bound(s->zeroes_sectors);
		c->max_write_zeroes_seg = s->zeroes_ranges;
		c->write_zeroes_may_unmap = backend_can(host, PVROM_BLK_IO_DISCARD);
	}
	if (s->erase_ranges && backend_can(host, PVROM_BLK_IO_ERASE)) {
		c->max_secure_erase_sectors = bound(s->erase_sectors);
		c->max_secure_erase_seg = s->erase_ranges;
		c->secure_erase_sector_alignment = align ? align : 1;
	}
}

bool pvrom_blk_host_init(struct pvrom_blk_host *host, const struct pvrom_blk_host_setup *setup)
{
	struct pvrom_blk_config *c = &host->config;

	if (!setup_is_valid(setup))
		return false;
	*host = (struct pvrom_blk_host){ .setup = *setup };
	host->waiting_end = &host->waiting;
	c->capacity = setup->backend->capacity;
	c->size_max = setup->size_max;
	c->seg_max = setup->seg_max;
	c->blk_size = setup->backend->blk_size;
	c->physical_block_exp = setup->physical_block_exp;
	c->alignment_offset = setup->alignment_offset;
	c->min_io_size = setup->min_io_size;
	c->opt_io_size = BLK_SLIP(TOPOLOGY) ? 0 : setup->opt_io_size;
	c->num_queues = setup->queues;
	c->writeback = setup->backend->volatile_cache;
	config_ranges(host);
	return true;
}

uint64_t pvrom_blk_host_features(const struct pvrom_blk_host *host)
{
	const struct pvrom_blk_config *c = &host->config;
	uint64_t features = PVROM_BLK_F_SEG_MAX | PVROM_BLK_F_BLK_SIZE | PVROM_BLK_F_FLUSH |
			    PVROM_BLK_F_TOPOLOGY | PVROM_BLK_F_CONFIG_WCE;

	if (c->size_max)
		features |= PVROM_BLK_F_SIZE_MAX;
	if (c->num_queues > 1)
		features |= PVROM_BLK_F_MQ;
	if (host->setup.read_only)
		return features | PVROM_BLK_F_RO;
	if (c->max_discard_seg)
		features |= PVROM_BLK_F_DISCARD;
	if (c->max_write_zeroes_seg)
		features |= PVROM_BLK_F_WRITE_ZEROES;
	if (c->max_secure_erase_seg)
		features |= PVROM_BLK_F_SECURE_ERASE;
	return features;
}

/* VIRTIO 1.2, 5.2.5.2: CONFIG_WCE without FLUSH begins as write-through. */
static uint8_t first_writeback(const struct pvrom_blk_host *host, uint64_t features)
{
	if ((features & PVROM_BLK_F_CONFIG_WCE) && !(features & PVROM_BLK_F_FLUSH))
		return 0;
	return host->setup.backend->volatile_cache;
}

bool pvrom_blk_host_accept(struct pvrom_blk_host *host, uint64_t features)
{
	features &= DEVICE_BITS;
	if (features & ~pvrom_blk_host_features(host))
		return false;
	host->accepted = features;
	host->config.writeback = first_writeback(host, features);
	return true;
}

void pvrom_blk_host_config_read(const struct pvrom_blk_host *host, uint32_t offset, void *to,
				uint32_t len)
{
	const uint8_t *bytes = (const uint8_t *)&host->config;
	uint8_t *out = to;
	uint32_t i;

	for (i = 0; i < len; i++)
		out[i] = (uint64_t)offset + i < sizeof(host->config) ? bytes[offset + i] : 0;
}

bool pvrom_blk_host_config_write(struct pvrom_blk_host *host, uint32_t offset, const void *from,
				 uint32_t len)
{
	const uint32_t place = offsetof(struct pvrom_blk_config, writeback);

	if (offset > place || len <= place - offset || !(host->accepted & PVROM_BLK_F_CONFIG_WCE))
		return false;
	host->config.writeback = ((const uint8_t *)from)[place - offset] != 0;
	return true;
}

/*
 * VIRTIO 1.2, 5.2.6.2, of a write that has completed: it is stable at once in case 1 (neither feature
 * was taken, FLUSH was offered) and case 2 (CONFIG_WCE, and writeback was 0 all the while). What is
 * stable now may end volatile when the driver changes `writeback` meanwhile; that is undefined there.
 */
bool pvrom_blk_host_writes_stable(const struct pvrom_blk_host *host)
{
	if (BLK_SLIP(STABLE))
		return false;
	if (host->accepted & PVROM_BLK_F_CONFIG_WCE)
		return !host->config.writeback;
	return !(host->accepted & PVROM_BLK_F_FLUSH);
}

void pvrom_blk_host_resize(struct pvrom_blk_host *host, uint64_t capacity)
{
	host->config.capacity = capacity;
	host->generation++;
	if (host->setup.ops->config_changed && !BLK_SLIP(RESIZE_QUIET))
		host->setup.ops->config_changed(host->setup.ops_ctx);
}

void pvrom_blk_host_kick(struct pvrom_blk_host *host)
{
	struct pvrom_blk_backend *backend = host->setup.backend;

	if (backend->ops->kick)
		backend->ops->kick(backend);
}

void pvrom_blk_host_reset(struct pvrom_blk_host *host)
{
	host->epoch++;
	pvrom_blk_host_drain(host);
	host->accepted = 0;
	if (!BLK_SLIP(RESET_WRITEBACK))
		host->config.writeback = first_writeback(host, 0);
}
