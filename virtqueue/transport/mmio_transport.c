/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * VIRTIO over registers in memory, the driver's side: VIRTIO 1.2, 4.2. Registers are 32 bits wide, each read
 * or write in the source is one on the bus.
 */
#include <pvrom/virtio_guest.h>
#include <pvrom/virtio_mmio.h>

static struct pvrom_virtio_mmio *mmio_of(struct pvrom_virtio *dev)
{
	return (struct pvrom_virtio_mmio *)(void *)dev; /* its first member */
}

static uint32_t read32(struct pvrom_virtio *dev, uint32_t reg)
{
	return *(volatile uint32_t *)(volatile void *)(mmio_of(dev)->registers + reg);
}

static void write32(struct pvrom_virtio *dev, uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)(volatile void *)(mmio_of(dev)->registers + reg) = value;
}

static void write64(struct pvrom_virtio *dev, uint32_t reg, uint64_t value)
{
	write32(dev, reg, (uint32_t)value);
	write32(dev, reg + 4, (uint32_t)(value >> 32));
}

/* ---- the device as a whole ----------------------------------------------------------------------- */

static uint64_t features(struct pvrom_virtio *dev)
{
	uint64_t low;

	write32(dev, PVROM_MMIO_DEVICE_FEATURES_SEL, 0);
	low = read32(dev, PVROM_MMIO_DEVICE_FEATURES);
	write32(dev, PVROM_MMIO_DEVICE_FEATURES_SEL, 1);
	return low | (uint64_t)read32(dev, PVROM_MMIO_DEVICE_FEATURES) << 32;
}

static void accept(struct pvrom_virtio *dev, uint64_t chosen)
{
	write32(dev, PVROM_MMIO_DRIVER_FEATURES_SEL, 0);
	write32(dev, PVROM_MMIO_DRIVER_FEATURES, (uint32_t)chosen);
	write32(dev, PVROM_MMIO_DRIVER_FEATURES_SEL, 1);
	write32(dev, PVROM_MMIO_DRIVER_FEATURES, (uint32_t)(chosen >> 32));
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
	write64(dev, PVROM_MMIO_QUEUE_DESC, where->desc_gpa);
	write64(dev, PVROM_MMIO_QUEUE_DRIVER, where->driver_gpa);
	write64(dev, PVROM_MMIO_QUEUE_DEVICE, where->device_gpa);
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

/* Bytes: always allowed by 4.2.2.2, and what is read together is held together by the generation. */
static void config_read(struct pvrom_virtio *dev, uint32_t offset, void *to, uint32_t len)
{
	uint8_t *bytes = to;
	uint32_t i;

	for (i = 0; i < len; i++)
		bytes[i] = offset + i < dev->config_bytes
				   ? mmio_of(dev)->registers[PVROM_MMIO_CONFIG + offset + i]
				   : 0;
}

static void config_write(struct pvrom_virtio *dev, uint32_t offset, const void *from, uint32_t len)
{
	const uint8_t *bytes = from;
	uint32_t i;

	for (i = 0; i < len && offset + i < dev->config_bytes; i++)
		mmio_of(dev)->registers[PVROM_MMIO_CONFIG + offset + i] = bytes[i];
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
