/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a VIRTIO device is on every transport: status, features and queues (VIRTIO 1.2, 2.1, 3.1), and how it
 * tells the driver. On the device's thread, but for its beginning and end.
 */
#include "virtio_device.h"
#include "guest_memory.h"
#include "interrupts.h"
#include "pc_devices.h"

#include <stdlib.h>

#define INTERRUPT_USED 1u
#define INTERRUPT_CONFIG 2u

#define F_EVENT_IDX (1ull << 29)
#define F_INDIRECT_DESC (1ull << 28)
#define F_VERSION_1 (1ull << 32)
#define F_RING_PACKED (1ull << 34)
#define TRANSPORT_FEATURES (F_EVENT_IDX | F_INDIRECT_DESC | F_VERSION_1 | F_RING_PACKED)

/* ---- beginning and end --------------------------------------------------------------------------- */

void virtio_begin(struct virtio_device *device, unsigned int number, void (*begin)(void *device))
{
	virtio_mmio_create(device, number);
	virtio_bus_create(device, number);
	device_thread_do(&device->thread, begin, device);
}

void virtio_end(struct virtio_device *device, void (*end)(void *device))
{
	virtio_mmio_destroy(device);
	virtio_bus_destroy(device);
	device_thread_do(&device->thread, end, device);
	device_thread_stop(&device->thread);
	for (unsigned int i = 0; i < VIRTIO_QUEUES; i++)
		free(device->queue[i].slots);
}

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	return memory_span(ctx, gpa.gpa, len);
}

bool virtio_ring_config(struct virtio_queue *queue, struct pvrom_vq_device_config *config)
{
	static const struct pvrom_vq_device_ops ops = { .translate = translate };

	if (queue->size == 0 || queue->size > VIRTIO_QUEUE_SIZE)
		return false;
	free(queue->slots);
	queue->slots = calloc(queue->size, sizeof(*queue->slots));
	*config = (struct pvrom_vq_device_config){
		.ops = &ops,
		.ops_ctx = queue->device->vm,
		.features = queue->device->features,
		.size = queue->size,
		.desc = { queue->desc_gpa },
		.driver = { queue->driver_gpa },
		.device = { queue->device_gpa },
		.slots = queue->slots,
	};
	return queue->slots != NULL;
}

/* ---- what the device tells ---------------------------------------------------------------------- */

static void interrupt(struct virtio_device *device, uint32_t reason)
{
	__atomic_fetch_or(&device->interrupts, reason, __ATOMIC_SEQ_CST);
	pvrom_loop_signal(&device->thread.loop, device->line_fd);
}

void virtio_used(struct virtio_device *device)
{
	interrupt(device, INTERRUPT_USED);
}

/* A queue that was set up on the bus has an interrupt of its own. */
bool virtio_queue_used(struct virtio_queue *queue)
{
	if (queue->message_fd < 0 || !queue->has_vector)
		return false;
	pvrom_loop_signal(&queue->device->thread.loop, queue->message_fd);
	return true;
}

void virtio_changed(struct virtio_device *device)
{
	device->generation++;
	if (device->has_vector)
		pvrom_loop_signal(&device->thread.loop, device->message_fd);
	else
		interrupt(device, INTERRUPT_CONFIG);
}

/* One of its own may have been lost; a driver that finds nothing new does nothing. From any thread. */
static void interrupt_again(const struct virtio_device *device)
{
	if (__atomic_load_n(&device->interrupts, __ATOMIC_SEQ_CST) != 0)
		irqfd_raise(device->line_fd);
	irqfd_raise(device->message_fd);
	for (unsigned int i = 0; i < device->queues; i++)
		irqfd_raise(device->queue[i].message_fd);
}

/* All devices, by every line and message that leads anywhere. */
void virtio_interrupt_again(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->virtio_count; i++)
		interrupt_again(vm->virtio[i]);
}

void virtio_broken(struct virtio_device *device)
{
	if (device->status & VIRTIO_NEEDS_RESET)
		return;
	device->status |= VIRTIO_NEEDS_RESET;
	if (device->status & VIRTIO_DRIVER_OK)
		virtio_changed(device);
}

/* ---- what the driver says ------------------------------------------------------------------------ */

uint64_t virtio_offered(struct virtio_device *device)
{
	return device->kind->features(device) | TRANSPORT_FEATURES;
}

static void start_queue(struct virtio_device *device, struct virtio_queue *queue)
{
	if (!queue->ready || queue->started)
		return;
	queue->started = device->kind->queue_start(device, queue);
	/* The driver may have filled it before, and rung when nobody listened. */
	queue->pending = true;
	if (!queue->started)
		virtio_broken(device);
}

static void stop_queue(struct virtio_device *device, struct virtio_queue *queue)
{
	if (queue->started)
		device->kind->queue_stop(device, queue);
	queue->started = false;
}

void virtio_set_ready(struct virtio_device *device, struct virtio_queue *queue, bool ready)
{
	queue->ready = ready;
	if (!ready)
		stop_queue(device, queue);
	else if (device->status & VIRTIO_DRIVER_OK)
		start_queue(device, queue);
}

static void reset(struct virtio_device *device)
{
	device->kind->reset(device);
	for (unsigned int i = 0; i < device->queues; i++) {
		struct virtio_queue *queue = &device->queue[i];

		queue->started = queue->ready = queue->pending = queue->has_vector = false;
		queue->desc_gpa = queue->driver_gpa = queue->device_gpa = queue->size = 0;
	}
	device->features = 0;
	device->has_vector = false;
	device->status = 0;
	device->features_sel = device->driver_features_sel = device->queue_sel = 0;
	__atomic_store_n(&device->interrupts, 0, __ATOMIC_SEQ_CST);
}

/* 3.1.1, step 5: the driver reads the bit back; it is not set when its choice will not do. */
static bool features_do(struct virtio_device *device)
{
	uint64_t features = device->features;

	return (features & F_VERSION_1) && !(features & ~virtio_offered(device)) &&
	       device->kind->accept(device, features);
}

/* Bits are only ever added, but for 0, which is a reset (2.1.1). */
void virtio_set_status(struct virtio_device *device, uint32_t value)
{
	uint32_t added = value & ~device->status;

	if (value == 0) {
		reset(device);
		return;
	}
	if ((added & VIRTIO_FEATURES_OK) && !features_do(device))
		added &= ~VIRTIO_FEATURES_OK;
	if ((added & VIRTIO_DRIVER_OK) && !((device->status | added) & VIRTIO_FEATURES_OK))
		added &= ~VIRTIO_DRIVER_OK;
	device->status |= added & ~VIRTIO_NEEDS_RESET;
	if (added & VIRTIO_DRIVER_OK)
		for (unsigned int i = 0; i < device->queues; i++)
			start_queue(device, &device->queue[i]);
}
