/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The beginning of a driver's life with a device, alike on all transports: VIRTIO 1.2, 3.1.1.
 */
#include <pvrom/virtio_guest.h>
#include <pvrom/virtqueue.h>

/* Looks at a status that must become 0; at some 100 ns or more a look, a tenth of a second at least. */
#define RESET_LOOKS 1000000u
/* A device whose configuration changes between two looks this often does it on purpose. */
#define CONFIG_LOOKS 100u

#define TEXT_CASE(name, number, text)                                                              \
	case number: return text;

const char *pvrom_virtio_result_text(enum pvrom_virtio_result result)
{
	switch ((uint32_t)result) {
		PVROM_VIRTIO_RESULT_TABLE(TEXT_CASE)
	default: return "?";
	}
}

/* 2.1.2: the driver waits for 0 before it goes on (4.1.4.3.2). */
enum pvrom_virtio_result pvrom_virtio_reset(struct pvrom_virtio *dev)
{
	uint32_t looks;

	dev->accepted = 0;
	dev->ops->set_status(dev, 0);
	for (looks = 0; looks < RESET_LOOKS; looks++) {
		if (!dev->ops->status(dev))
			return PVROM_VIRTIO_OK;
		__asm__ volatile("pause" : : : "memory");
	}
	return PVROM_VIRTIO_STUCK;
}

/* Tells the device a further step; those before stay told. */
static uint32_t step(struct pvrom_virtio *dev, uint32_t status, uint32_t bit)
{
	dev->ops->set_status(dev, status | bit);
	return status | bit;
}

static enum pvrom_virtio_result choose(struct pvrom_virtio *dev, uint64_t wanted, uint64_t required)
{
	uint64_t offered = dev->ops->features(dev);

	if (required & ~offered)
		return PVROM_VIRTIO_FEATURES;
	/* 6.1: a driver should accept it; one that does not translate addresses cannot. */
	if (offered & ~wanted & PVROM_VIRTIO_F_ACCESS_PLATFORM)
		return PVROM_VIRTIO_FEATURES;
	dev->accepted = offered & wanted;
	dev->ops->accept(dev, dev->accepted);
	return PVROM_VIRTIO_OK;
}

enum pvrom_virtio_result pvrom_virtio_begin(struct pvrom_virtio *dev, uint64_t wanted,
					    uint64_t required)
{
	enum pvrom_virtio_result result = pvrom_virtio_reset(dev);
	uint32_t status = 0;

	if (result)
		return result;
	status = step(dev, status, PVROM_VIRTIO_ACKNOWLEDGE);
	status = step(dev, status, PVROM_VIRTIO_DRIVER);
	required |= PVROM_VQ_F_VERSION_1;
	result = choose(dev, wanted | required, required);
	if (!result) {
		status = step(dev, status, PVROM_VIRTIO_FEATURES_OK);
		/* The device says by it whether it takes the set (3.1.1, step 6). */
		if (dev->ops->status(dev) & PVROM_VIRTIO_FEATURES_OK)
			return PVROM_VIRTIO_OK;
		result = PVROM_VIRTIO_FEATURES;
	}
	step(dev, status, PVROM_VIRTIO_FAILED);
	dev->accepted = 0;
	return result;
}

void pvrom_virtio_ready(struct pvrom_virtio *dev)
{
	step(dev, PVROM_VIRTIO_ACKNOWLEDGE | PVROM_VIRTIO_DRIVER | PVROM_VIRTIO_FEATURES_OK,
	     PVROM_VIRTIO_DRIVER_OK);
}

bool pvrom_virtio_config(struct pvrom_virtio *dev, uint32_t offset, void *to, uint32_t len)
{
	uint32_t looks, before = dev->ops->generation(dev), after;

	for (looks = 0; looks < CONFIG_LOOKS; looks++, before = after) {
		dev->ops->config_read(dev, offset, to, len);
		after = dev->ops->generation(dev);
		if (before == after)
			return true;
	}
	return false;
}
