/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * VIRTIO over PCI, the driver's side: VIRTIO 1.2, 4.1. Capabilities say in which BAR, and where in it, the
 * device has its registers; every place is checked against the BAR before it is touched.
 */
#include <pvrom/virtio_guest.h>
#include <pvrom/virtqueue.h>

#include "transport_registers.h"

/* PCI 3.0, chapter 6. */
#define PCI_VENDOR 0x00u
#define PCI_COMMAND 0x04u
#define PCI_STATUS 0x06u
#define PCI_CAPABILITIES 0x34u
#define COMMAND_MEMORY 2u
#define COMMAND_MASTER 4u
#define STATUS_CAPABILITIES 0x10u
#define CAPABILITY_VENDOR 0x09u
/* 48 capabilities of 4 bytes fill what is behind the header: more is a loop. */
#define CAPABILITIES_MAX 48u

/* 4.1.2, 4.1.4 */
#define VIRTIO_VENDOR 0x1af4u
#define TRANSITIONAL_FIRST 0x1000u
#define MODERN_FIRST 0x1040u
#define MODERN_LAST 0x107fu
#define CAP_COMMON 1u
#define CAP_NOTIFY 2u
#define CAP_ISR 3u
#define CAP_DEVICE 4u

/* struct virtio_pci_common_cfg, 4.1.4.3 */
#define DEVICE_FEATURE_SELECT 0u
#define DEVICE_FEATURE 4u
#define DRIVER_FEATURE_SELECT 8u
#define DRIVER_FEATURE 12u
#define CONFIG_VECTOR 16u
#define NUM_QUEUES 18u
#define DEVICE_STATUS 20u
#define CONFIG_GENERATION 21u
#define QUEUE_SELECT 22u
#define QUEUE_SIZE 24u
#define QUEUE_VECTOR 26u
#define QUEUE_ENABLE 28u
#define QUEUE_NOTIFY_OFF 30u
#define QUEUE_DESC 32u
#define QUEUE_DRIVER 40u
#define QUEUE_DEVICE 48u
#define COMMON_BYTES 56u

#define BELLS (sizeof(((struct pvrom_virtio_pci *)NULL)->bell) / sizeof(volatile uint8_t *))

static struct pvrom_virtio_pci *pci_of(struct pvrom_virtio *dev)
{
	return (struct pvrom_virtio_pci *)(void *)dev; /* its first member */
}

/* ---- the common configuration, each field by an access of its own width (4.1.3.1) ------------------ */

#define COMMON_ACCESS(bits)                                                                        \
	static uint##bits##_t read##bits(struct pvrom_virtio *dev, uint32_t field)                 \
	{                                                                                          \
		volatile void *at = pci_of(dev)->common.at + field;                                \
		return *(volatile uint##bits##_t *)at;                                             \
	}                                                                                          \
	static void write##bits(struct pvrom_virtio *dev, uint32_t field, uint##bits##_t value)    \
	{                                                                                          \
		volatile void *at = pci_of(dev)->common.at + field;                                \
		*(volatile uint##bits##_t *)at = value;                                            \
	}
COMMON_ACCESS(8)
COMMON_ACCESS(16)

static uint64_t features(struct pvrom_virtio *dev)
{
	return register_read_features(pci_of(dev)->common.at, DEVICE_FEATURE_SELECT,
				      DEVICE_FEATURE);
}

static void accept(struct pvrom_virtio *dev, uint64_t chosen)
{
	register_write_features(pci_of(dev)->common.at, DRIVER_FEATURE_SELECT, DRIVER_FEATURE,
				chosen);
	write16(dev, CONFIG_VECTOR, PVROM_VIRTIO_NO_VECTOR);
}

static uint32_t status(struct pvrom_virtio *dev)
{
	return read8(dev, DEVICE_STATUS);
}

static void set_status(struct pvrom_virtio *dev, uint32_t value)
{
	write8(dev, DEVICE_STATUS, (uint8_t)value);
}

static uint32_t generation(struct pvrom_virtio *dev)
{
	return read8(dev, CONFIG_GENERATION);
}

/* ---- queues -------------------------------------------------------------------------------------- */

static uint32_t queue_max(struct pvrom_virtio *dev, uint32_t queue)
{
	if (queue >= pci_of(dev)->queues || queue >= BELLS)
		return 0;
	write16(dev, QUEUE_SELECT, (uint16_t)queue);
	return read16(dev, QUEUE_ENABLE) ? 0 : read16(dev, QUEUE_SIZE);
}

/* 4.1.4.4: the bell may take 32 bits, with NOTIFICATION_DATA. */
static bool find_bell(struct pvrom_virtio_pci *pci, uint32_t queue)
{
	uint64_t offset = (uint64_t)read16(&pci->virtio, QUEUE_NOTIFY_OFF) * pci->notify_multiplier;

	if (offset % 2 || offset + 4 > pci->notify.len)
		return false;
	pci->bell[queue] = pci->notify.at + offset;
	return true;
}

static bool queue_start(struct pvrom_virtio *dev, uint32_t queue,
			const struct pvrom_virtio_queue *where)
{
	write16(dev, QUEUE_SELECT, (uint16_t)queue);
	if (!find_bell(pci_of(dev), queue))
		return false;
	write16(dev, QUEUE_SIZE, where->size);
	write16(dev, QUEUE_VECTOR, where->vector);
	if (read16(dev, QUEUE_VECTOR) != where->vector) /* 4.1.5.1.3 */
		return false;
	register_write64(pci_of(dev)->common.at, QUEUE_DESC, where->desc_gpa);
	register_write64(pci_of(dev)->common.at, QUEUE_DRIVER, where->driver_gpa);
	register_write64(pci_of(dev)->common.at, QUEUE_DEVICE, where->device_gpa);
	write16(dev, QUEUE_ENABLE, 1);
	return read16(dev, QUEUE_ENABLE) == 1;
}

/* 4.1.5.2: 16 bits unless there is data beside the number. */
static void notify(struct pvrom_virtio *dev, uint32_t queue, uint32_t data)
{
	volatile void *bell = pci_of(dev)->bell[queue];

	if (dev->accepted & PVROM_VQ_F_NOTIFICATION_DATA)
		*(volatile uint32_t *)bell = data;
	else
		*(volatile uint16_t *)bell = (uint16_t)data;
}

/* Reading acknowledges (4.1.4.5). */
static uint32_t interrupt(struct pvrom_virtio *dev)
{
	return *pci_of(dev)->isr.at & (PVROM_VIRTIO_USED | PVROM_VIRTIO_CHANGED);
}

/* ---- the device's own configuration --------------------------------------------------------------- */

static void config_read(struct pvrom_virtio *dev, uint32_t offset, void *to, uint32_t len)
{
	register_read_config(pci_of(dev)->config.at, dev->config_bytes, offset, to, len);
}

static void config_write(struct pvrom_virtio *dev, uint32_t offset, const void *from, uint32_t len)
{
	register_write_config(pci_of(dev)->config.at, dev->config_bytes, offset, from, len);
}

static const struct pvrom_virtio_ops pci_ops = {
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

/* ---- finding the registers ------------------------------------------------------------------------ */

static uint32_t pci_read(const struct pvrom_virtio_pci *pci, uint32_t offset, uint32_t bytes)
{
	return pci->os->read(pci->ctx, offset, bytes);
}

/* struct virtio_pci_cap (4.1.4) at `cap`: the region that it names; at is NULL if that is outside its BAR. */
static struct pvrom_virtio_pci_region region(const struct pvrom_virtio_pci *pci, uint32_t cap)
{
	struct pvrom_virtio_pci_region r = { NULL, pci_read(pci, cap + 12, 4) };
	uint32_t offset = pci_read(pci, cap + 8, 4), bar = pci_read(pci, cap + 4, 1);
	volatile uint8_t *at;
	uint64_t len = 0;

	if (bar > 5 || offset % 4)
		return r;
	at = pci->os->map(pci->ctx, bar, &len);
	if (at && offset <= len && r.len <= len - offset)
		r.at = at + offset;
	/* cppcheck-suppress returnDanglingLifetime; it is an address in the BAR */
	return r;
}

/* The first capability of a type that can be used counts (4.1.4.1). */
static void take(struct pvrom_virtio_pci_region *into, const struct pvrom_virtio_pci *pci,
		 uint32_t cap, uint32_t least)
{
	struct pvrom_virtio_pci_region r;

	if (into->at)
		return;
	r = region(pci, cap);
	if (r.at && r.len >= least)
		*into = r;
}

static void look_at_capability(struct pvrom_virtio_pci *pci, uint32_t cap)
{
	/* A notification capability is 20 bytes long, the others 16. */
	if (cap > 256 - 20 || pci_read(pci, cap, 1) != CAPABILITY_VENDOR)
		return;
	switch (pci_read(pci, cap + 3, 1)) {
	case CAP_COMMON: take(&pci->common, pci, cap, COMMON_BYTES); break;
	case CAP_NOTIFY:
		if (!pci->notify.at)
			pci->notify_multiplier = pci_read(pci, cap + 16, 4);
		take(&pci->notify, pci, cap, 4);
		break;
	case CAP_ISR: take(&pci->isr, pci, cap, 1); break;
	case CAP_DEVICE: take(&pci->config, pci, cap, 4); break;
	default: break;
	}
}

static void walk_capabilities(struct pvrom_virtio_pci *pci)
{
	uint32_t cap, n;

	if (!(pci_read(pci, PCI_STATUS, 2) & STATUS_CAPABILITIES))
		return;
	cap = pci_read(pci, PCI_CAPABILITIES, 1) & 0xfc;
	for (n = 0; cap >= 0x40 && n < CAPABILITIES_MAX; n++) {
		look_at_capability(pci, cap);
		cap = pci_read(pci, cap + 1, 1) & 0xfc;
	}
}

/* 4.1.2.1: the device id says the kind; a transitional one by its subsystem id. */
static uint32_t kind(const struct pvrom_virtio_pci *pci)
{
	uint32_t ids = pci_read(pci, PCI_VENDOR, 4), device = ids >> 16;

	if ((ids & 0xffff) != VIRTIO_VENDOR || device < TRANSITIONAL_FIRST || device > MODERN_LAST)
		return 0;
	return device >= MODERN_FIRST ? device - MODERN_FIRST : pci_read(pci, 0x2e, 2);
}

enum pvrom_virtio_result pvrom_virtio_pci_open(struct pvrom_virtio_pci *dev,
					       const struct pvrom_virtio_pci_os *os, void *ctx)
{
	*dev = (struct pvrom_virtio_pci){ .virtio = { .ops = &pci_ops }, .os = os, .ctx = ctx };
	dev->virtio.id = kind(dev);
	if (!dev->virtio.id)
		return PVROM_VIRTIO_NO_DEVICE;
	os->write(ctx, PCI_COMMAND, 2,
		  pci_read(dev, PCI_COMMAND, 2) | COMMAND_MEMORY | COMMAND_MASTER);
	walk_capabilities(dev);
	if (!dev->common.at && !dev->notify.at)
		return PVROM_VIRTIO_LEGACY;
	if (!dev->common.at || !dev->notify.at || !dev->isr.at)
		return PVROM_VIRTIO_MALFORMED;
	dev->virtio.config_bytes = dev->config.at ? dev->config.len : 0;
	dev->queues = read16(&dev->virtio, NUM_QUEUES);
	return PVROM_VIRTIO_OK;
}
