/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * VIRTIO over registers in memory, the driver's side: VIRTIO 1.2, 4.2. Registers are 32 bits wide.
 */
#include <pvrom/virtio_guest.h>
#include <pvrom/virtio_mmio.h>

#include "transport_registers.h"

static struct pvrom_virtio_mmio *mmio_of(struct pvrom_virtio *dev)
{
	return (struct pvrom_virtio_mmio *)(void *)dev; /* its first member */
}

static volatile uint8_t *at(struct pvrom_virtio *dev)
{
	return mmio_of(dev)->registers;
}

static uint32_t read32(struct pvrom_virtio *dev, uint32_t reg)
{
	return register_read32(at(dev), reg);
}

static void write32(struct pvrom_virtio *dev, uint32_t reg, uint32_t value)
{
	register_write32(at(dev), reg, value);
}

/* ---- the device as a whole ----------------------------------------------------------------------- */

static uint64_t features(struct pvrom_virtio *dev)
{
	return register_read_features(at(dev), PVROM_MMIO_DEVICE_FEATURES_SEL,
				      PVROM_MMIO_DEVICE_FEATURES);
}

static void accept(struct pvrom_virtio *dev, uint64_t chosen)
{
	register_write_features(at(dev), PVROM_MMIO_DRIVER_FEATURES_SEL, PVROM_MMIO_DRIVER_FEATURES,
				chosen);
}

static uint32_t status(struct pvrom_virtio *dev)
{
	return read32(dev, PVROM_MMIO_STATUS) & 0xff;
}

static void set_status(struct pvrom_virtio *dev, uint32_t value)
{
	write32(dev, PVROM_MMIO_STATUS, value);
}

/* ---- queues -------------------------------------------------------------------------------------- */

/* 4.2.3.2: one that is in use already is none to be had. */
static uint32_t queue_max(struct pvrom_virtio *dev, uint32_t queue)
{
	write32(dev, PVROM_MMIO_QUEUE_SEL, queue);
	return read32(dev, PVROM_MMIO_QUEUE_READY) ? 0 : read32(dev, PVROM_MMIO_QUEUE_NUM_MAX);
}

static bool queue_start(struct pvrom_virtio *dev, uint32_t queue,
			const struct pvrom_virtio_queue *where)
{
	write32(dev, PVROM_MMIO_QUEUE_SEL, queue);
	write32(dev, PVROM_MMIO_QUEUE_NUM, where->size);
	register_write64(at(dev), PVROM_MMIO_QUEUE_DESC, where->desc_gpa);
	register_write64(at(dev), PVROM_MMIO_QUEUE_DRIVER, where->driver_gpa);
	register_write64(at(dev), PVROM_MMIO_QUEUE_DEVICE, where->device_gpa);
	write32(dev, PVROM_MMIO_QUEUE_READY, 1);
	return read32(dev, PVROM_MMIO_QUEUE_READY) == 1;
}

/* The data names the queue. */
static void notify(struct pvrom_virtio *dev, uint32_t queue, uint32_t data)
{
	(void)queue;
	write32(dev, PVROM_MMIO_QUEUE_NOTIFY, data);
}

static uint32_t interrupt(struct pvrom_virtio *dev)
{
	uint32_t why = read32(dev, PVROM_MMIO_INTERRUPT_STATUS) &
		       (PVROM_VIRTIO_USED | PVROM_VIRTIO_CHANGED);

	if (why)
		write32(dev, PVROM_MMIO_INTERRUPT_ACK, why);
	return why;
}

/* ---- configuration ------------------------------------------------------------------------------- */

static uint32_t generation(struct pvrom_virtio *dev)
{
	return read32(dev, PVROM_MMIO_CONFIG_GENERATION);
}

static void config_read(struct pvrom_virtio *dev, uint32_t offset, void *to, uint32_t len)
{
	register_read_config(at(dev) + PVROM_MMIO_CONFIG, dev->config_bytes, offset, to, len);
}

static void config_write(struct pvrom_virtio *dev, uint32_t offset, const void *from, uint32_t len)
{
	register_write_config(at(dev) + PVROM_MMIO_CONFIG, dev->config_bytes, offset, from, len);
}

static const struct pvrom_virtio_ops mmio_ops = {
	.features = features,
	.accept = accept,
	.status = status,
	.set_status = set_status,
	.queue_max = queue_max,
	.queue_start = queue_start,
	.notify = notify,
	.interrupt = interrupt,
	.generation = generation,
	.config_read = config_read,
	.config_write = config_write,
};

enum pvrom_virtio_result pvrom_virtio_mmio_open(struct pvrom_virtio_mmio *dev,
						volatile void *registers, uint32_t bytes)
{
	uint32_t version;

	*dev = (struct pvrom_virtio_mmio){ .virtio = { .ops = &mmio_ops,
						       .config_bytes = bytes - PVROM_MMIO_CONFIG },
					   .registers = registers,
					   .bytes = bytes };
	if (bytes < PVROM_MMIO_CONFIG ||
	    read32(&dev->virtio, PVROM_MMIO_MAGIC_VALUE) != PVROM_MMIO_MAGIC)
		return PVROM_VIRTIO_NO_DEVICE;
	version = read32(&dev->virtio, PVROM_MMIO_VERSION);
	dev->virtio.id = read32(&dev->virtio, PVROM_MMIO_DEVICE_ID);
	if (!dev->virtio.id)
		return PVROM_VIRTIO_NO_DEVICE;
	if (version != PVROM_MMIO_MODERN)
		return version == 1 ? PVROM_VIRTIO_LEGACY : PVROM_VIRTIO_MALFORMED;
	return PVROM_VIRTIO_OK;
}
