/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * VIRTIO over memory-mapped registers (VIRTIO 1.2, 4.2). A CPU that touches a register waits for the
 * device's thread, but for the three that a driver needs all the time: notifications never leave
 * KVM (ioeventfd), and the two of interrupts are one atomic word.
 */
#include "virtio_device.h"
#include "interrupts.h"
#include "pc_devices.h"

#include <pvrom/virtio_mmio.h>

#include <string.h>
#include <unistd.h>

#define VENDOR 0x6f727670u /* "pvro" */

/* ---- registers, on the device's thread ------------------------------------------------------------ */

static struct virtio_queue *selected(struct virtio_device *device)
{
	return device->queue_sel < device->queues ? &device->queue[device->queue_sel] : NULL;
}

/*
 * Who has a device on the bus keeps it until it is reset there. Here is none meanwhile, which a driver knows by its ID,
 * 0 (4.2.2): Linux's comes by itself, and resets what it finds before it asks.
 */
static bool is_on_bus(const struct virtio_device *device)
{
	return device->on_bus && device->status != 0;
}

static uint32_t read_register(struct virtio_device *device, uint32_t reg)
{
	const struct virtio_queue *queue = selected(device);

	switch (reg) {
	case PVROM_MMIO_MAGIC_VALUE: return PVROM_MMIO_MAGIC;
	case PVROM_MMIO_VERSION: return PVROM_MMIO_MODERN;
	case PVROM_MMIO_DEVICE_ID: return is_on_bus(device) ? 0 : device->kind->id;
	case PVROM_MMIO_VENDOR_ID: return VENDOR;
	case PVROM_MMIO_DEVICE_FEATURES:
		return device->features_sel > 1
			       ? 0
			       : (uint32_t)(virtio_offered(device) >> 32 * device->features_sel);
	case PVROM_MMIO_QUEUE_NUM_MAX: return queue ? VIRTIO_QUEUE_SIZE : 0;
	case PVROM_MMIO_QUEUE_READY: return queue && queue->ready;
	case PVROM_MMIO_STATUS: return device->status;
	/* There is no shared memory: all ones (4.2.2.1). */
	case PVROM_MMIO_SHM_LEN:
	case PVROM_MMIO_SHM_LEN + 4:
	case PVROM_MMIO_SHM_BASE:
	case PVROM_MMIO_SHM_BASE + 4: return UINT32_MAX;
	case PVROM_MMIO_CONFIG_GENERATION: return device->generation;
	default: return 0;
	}
}

static void set_half(uint64_t *word, bool high, uint32_t value)
{
	*word = high ? (*word & UINT32_MAX) | (uint64_t)value << 32
		     : (*word & ~(uint64_t)UINT32_MAX) | value;
}

/* Where a queue lies and how long it is stays as it is while the device uses it (4.2.2.2). */
static void set_queue(struct virtio_device *device, uint32_t reg, uint32_t value)
{
	struct virtio_queue *queue = selected(device);

	if (queue == NULL)
		return;
	if (reg == PVROM_MMIO_QUEUE_READY) {
		virtio_set_ready(device, queue, value & 1);
		return;
	}
	if (queue->ready)
		return;
	switch (reg & ~4u) {
	case PVROM_MMIO_QUEUE_NUM & ~4u: queue->size = value; break;
	case PVROM_MMIO_QUEUE_DESC: set_half(&queue->desc_gpa, reg & 4, value); break;
	case PVROM_MMIO_QUEUE_DRIVER: set_half(&queue->driver_gpa, reg & 4, value); break;
	case PVROM_MMIO_QUEUE_DEVICE: set_half(&queue->device_gpa, reg & 4, value); break;
	}
}

static void notify(struct virtio_device *device, uint32_t number)
{
	if (number < device->queues)
		device->queue[number].pending = true;
}

static void write_register(struct virtio_device *device, uint32_t reg, uint32_t value)
{
	switch (reg) {
	case PVROM_MMIO_DEVICE_FEATURES_SEL: device->features_sel = value; break;
	case PVROM_MMIO_DRIVER_FEATURES_SEL: device->driver_features_sel = value; break;
	case PVROM_MMIO_DRIVER_FEATURES:
		if (!(device->status & VIRTIO_FEATURES_OK) && device->driver_features_sel < 2)
			set_half(&device->features, device->driver_features_sel, value);
		break;
	case PVROM_MMIO_QUEUE_SEL: device->queue_sel = value; break;
	case PVROM_MMIO_QUEUE_NOTIFY: notify(device, value); break;
	case PVROM_MMIO_STATUS:
		device->on_bus = false;
		virtio_set_status(device, value);
		break;
	default: set_queue(device, reg, value);
	}
}

/* ---- the way from a CPU to there ------------------------------------------------------------------ */

struct access {
	struct virtio_device *device;
	void *data;
	uint32_t offset, len;
	bool write;
};

static void touch_config(const struct access *a)
{
	if (a->write)
		a->device->kind->config_write(a->device, a->offset - PVROM_MMIO_CONFIG, a->data,
					      a->len);
	else
		a->device->kind->config_read(a->device, a->offset - PVROM_MMIO_CONFIG, a->data,
					     a->len);
}

static void touch(void *argument)
{
	struct access *a = argument;
	uint32_t value;

	if (a->write && is_on_bus(a->device))
		return;
	if (a->offset >= PVROM_MMIO_CONFIG) {
		touch_config(a);
	} else if (a->write) {
		memcpy(&value, a->data, sizeof(value));
		write_register(a->device, a->offset, value);
	} else {
		value = read_register(a->device, a->offset);
		memcpy(a->data, &value, sizeof(value));
	}
}

/* What needs no thread; false: something else. */
static bool touch_interrupts(const struct access *a)
{
	uint32_t value;

	if (a->offset == PVROM_MMIO_INTERRUPT_STATUS && !a->write) {
		value = __atomic_load_n(&a->device->interrupts, __ATOMIC_SEQ_CST);
		memcpy(a->data, &value, sizeof(value));
		return true;
	}
	if (a->offset == PVROM_MMIO_INTERRUPT_ACK && a->write) {
		memcpy(&value, a->data, sizeof(value));
		__atomic_fetch_and(&a->device->interrupts, ~value, __ATOMIC_SEQ_CST);
		return true;
	}
	return false;
}

/* Registers are 32 bits wide and aligned (4.2.2.2); the configuration is read as it is laid out. */
static void access_device(struct access *a)
{
	if (a->offset < PVROM_MMIO_CONFIG && (a->len != 4 || a->offset % 4 != 0)) {
		if (!a->write)
			memset(a->data, 0, a->len);
		return;
	}
	if (!touch_interrupts(a))
		device_thread_do(&a->device->thread, touch, a);
}

/* An access of a CPU to a place without memory: true if a device is there. On the CPU's thread. */
bool virtio_mmio_access(struct vm *vm, uint64_t gpa, void *data, uint32_t len, bool write)
{
	uint64_t number = (gpa - VIRTIO_MMIO_BASE) / VIRTIO_MMIO_SIZE;
	struct access a = { .data = data, .len = len, .write = write };

	if (gpa < VIRTIO_MMIO_BASE || number >= vm->virtio_count)
		return false;
	a.device = vm->virtio[number];
	a.offset = (uint32_t)(gpa % VIRTIO_MMIO_SIZE);
	access_device(&a);
	return true;
}

/* ---- life ------------------------------------------------------------------------------------------ */

static void notified(struct pvrom_loop_watch *watch)
{
	struct virtio_queue *queue =
		(struct virtio_queue *)((char *)watch - offsetof(struct virtio_queue, notified));

	queue->rung += doorbell_rung(watch->fd);
	queue->pending = true;
}

static void watch_queues(void *argument)
{
	struct virtio_device *device = argument;

	for (unsigned int i = 0; i < device->queues; i++)
		pvrom_loop_watch_fd(&device->thread.loop, &device->queue[i].notified,
				    device->queue[i].notified.fd, notified);
}

static void forget_queues(void *argument)
{
	struct virtio_device *device = argument;

	virtio_set_status(device, 0);
	for (unsigned int i = 0; i < device->queues; i++) {
		int fd = device->queue[i].notified.fd;

		pvrom_loop_forget(&device->queue[i].notified);
		close(fd);
	}
}

/* The queue's number written to QueueNotify rings its bell, and leaves KVM for nobody. */
static int doorbell(const struct virtio_device *device, unsigned int queue)
{
	const struct doorbell bell = {
		.address = device->gpa + PVROM_MMIO_QUEUE_NOTIFY,
		.size = 4,
		.one_value = true,
		.value = queue,
	};

	return doorbell_open(device->vm, &bell);
}

/* Gives a device, whose thread runs, its registers, its line and its notifications. */
void virtio_mmio_create(struct virtio_device *device, unsigned int number)
{
	device->gpa = VIRTIO_MMIO_BASE + number * VIRTIO_MMIO_SIZE;
	device->line = VIRTIO_MMIO_LINE + number;
	device->line_fd = irqfd_open(device->vm, device->line);
	for (unsigned int i = 0; i < device->queues; i++) {
		device->queue[i].device = device;
		device->queue[i].index = i;
		device->queue[i].notified.fd = doorbell(device, i);
	}
	device_thread_do(&device->thread, watch_queues, device);
}

/* Takes all that back; the device is reset first. */
void virtio_mmio_destroy(struct virtio_device *device)
{
	device_thread_do(&device->thread, forget_queues, device);
	close(device->line_fd);
}
