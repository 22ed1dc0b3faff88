/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device bus: finds the devices that the host has, and gives them to Linux's virtio drivers. What the host says of
 * how many and of what kind they are is a number to be looked at; a device that somebody drives already, over
 * another transport of the host's, is left alone.
 */
#include "linux_bus.h"

#include <linux/crash_dump.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pm.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include <pvrom/dev.h>

#define DEVICES_MOST 64u

static struct linux_device *devices[DEVICES_MOST];
static unsigned int count;
static struct device *parent; /* NULL: there is no bus */
static bool broken;

/* ---- what the shim's half of the bus needs ----------------------------------------------------------------- */

static uint32_t call(void *unused, uint32_t number, uint64_t arg0, uint64_t arg1, uint64_t arg2,
		     uint64_t *value)
{
	return pvrom_call(&linux_pvrom->guest, number, arg0, arg1, arg2, 0, value);
}

static void out(void *unused, uint16_t port, uint32_t value)
{
	outl(value, port);
}

static const struct pvrom_virtio_bus_os os = { call, out };

/* ---- a device ------------------------------------------------------------------------------------------------ */

static void release(struct device *dev)
{
	complete(&container_of(dev, struct linux_device, virtio.dev)->released);
}

/* Nobody has it any more when this returns, so that the module may go. */
static void forget(struct linux_device *device)
{
	wait_for_completion(&device->released);
	kvfree(device);
}

/* Who drives one while a crash kernel starts was the Linux that has died. */
static bool is_free(struct linux_device *device, unsigned int number)
{
	if (!device->bus.virtio.ops->status(&device->bus.virtio) || is_kdump_kernel())
		return true;
	pr_info("device %u is driven over another transport: left alone\n", number);
	return false;
}

static int register_device(struct linux_device *device)
{
	int status;

	init_completion(&device->released);
	device->virtio.dev.parent = parent;
	device->virtio.dev.release = release;
	device->virtio.config = &linux_virtio_ops;
	device->virtio.id.device = device->bus.virtio.id;
	status = register_virtio_device(&device->virtio);
	if (!status)
		return 0;
	put_device(&device->virtio.dev);
	wait_for_completion(&device->released);
	return status;
}

/* A device that cannot be had is left out. With a mask of CPUs for each queue it is long: not in one piece of memory. */
static void add(unsigned int number)
{
	struct linux_device *device = kvzalloc(sizeof(*device), GFP_KERNEL);

	if (!device)
		return;
	if (pvrom_virtio_bus_open(&device->bus, number, &os, NULL) == PVROM_VIRTIO_OK &&
	    is_free(device, number) && !register_device(device))
		devices[count++] = device;
	else
		kvfree(device);
}

/* ---- sleep ---------------------------------------------------------------------------------------------------- */

/* Drivers give their queues back, and set the device up again: whatever became of it meanwhile. */
static int __maybe_unused freeze(struct device *unused)
{
	unsigned int i;
	int status = 0;

	for (i = 0; i < count && !status; i++)
		status = virtio_device_freeze(&devices[i]->virtio);
	while (status && --i)
		virtio_device_restore(&devices[i - 1]->virtio);
	return status;
}

static int __maybe_unused restore(struct device *unused)
{
	unsigned int i;
	int one, status = 0;

	/* What could not be settled with interrupts off, for the devices need it: linux_suspend.c. */
	linux_look();
	for (i = 0; i < count; i++) {
		one = virtio_device_restore(&devices[i]->virtio);
		if (one)
			status = one;
	}
	return status;
}

static SIMPLE_DEV_PM_OPS(sleep_ops, freeze, restore);
static const struct device_type parent_type = { .name = "pvrom", .pm = &sleep_ops };

/* ---- all of them ---------------------------------------------------------------------------------------------- */

static DECLARE_COMPLETION(parent_freed);

static void free_parent(struct device *dev)
{
	kfree(dev);
	complete(&parent_freed);
}

/* Nobody has it any more when this returns, as with a device. */
static void remove_parent(void (*remove)(struct device *dev))
{
	remove(parent);
	parent = NULL;
	wait_for_completion(&parent_freed);
}

/* The parent of the devices, and whose view of memory they have: all of it. */
static int add_parent(void)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int status;

	if (!dev)
		return -ENOMEM;
	device_initialize(dev);
	dev->type = &parent_type;
	dev->release = free_parent;
	dev->coherent_dma_mask = DMA_BIT_MASK(64);
	dev->dma_mask = &dev->coherent_dma_mask;
	status = dev_set_name(dev, "pvrom") ?: device_add(dev);
	parent = dev;
	if (status)
		remove_parent(put_device);
	return status;
}

static unsigned int count_devices(void)
{
	uint64_t there = 0;

	if (call(NULL, PVROM_DEV_LIST, 0, PVROM_DEV_COUNT, 0, &there) != PVROM_STATUS_OK)
		return 0;
	if (there > DEVICES_MOST)
		pr_warn("%llu devices, of which %u are used\n", there, DEVICES_MOST);
	return (unsigned int)min_t(uint64_t, there, DEVICES_MOST);
}

static bool is_granted(void)
{
	return linux_pvrom->guest.granted & PVROM_FEATURE_BIT(PVROM_FEATURE_DEV);
}

int linux_bus_start(void)
{
	unsigned int i, there = is_granted() ? count_devices() : 0;
	int status;

	if (!there)
		return 0;
	status = linux_vectors_start();
	if (status)
		return status;
	status = add_parent();
	if (status) {
		linux_vectors_stop();
		return status;
	}
	for (i = 0; i < there; i++)
		add(i);
	return 0;
}

/* Devices that the host has taken away answer nobody; those who wait for them would wait for ever. */
void linux_bus_settle(void)
{
	unsigned int i;

	if (broken || is_granted())
		return;
	broken = true;
	for (i = 0; i < count; i++)
		virtio_break_device(&devices[i]->virtio);
}

/* No driver has one of them, or the module would not be unloaded. */
void linux_bus_stop(void)
{
	if (!parent)
		return;
	while (count) {
		unregister_virtio_device(&devices[--count]->virtio);
		forget(devices[count]);
	}
	remove_parent(device_unregister);
	linux_vectors_stop();
}
