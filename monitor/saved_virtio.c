/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Virtio devices of a saved machine, on either transport. Before anything is written they finish what they have begun;
 * afterwards they are told of their driver as it told them. Notifications and interrupts that were on their way
 * are not saved: a loaded device looks at all of its queues, and interrupts for all of them, once.
 */
#include "saved_machine.h"
#include "interrupts.h"
#include "virtio_device.h"

#include <pvrom/virtqueue_device.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND_MOST 4096u

struct saved_queue {
	uint64_t desc_gpa, driver_gpa, device_gpa;
	uint32_t size;
	bool ready, started, has_vector;
	struct route route;
	struct pvrom_vq_state position;
};

struct saved_virtio {
	uint32_t id, queues;
	uint32_t status, generation, interrupts;
	uint32_t features_sel, driver_features_sel, queue_sel;
	uint64_t features;
	bool has_vector, on_bus;
	struct route route;
	struct saved_queue queue[VIRTIO_QUEUES];
	uint32_t kind_size;
	uint8_t kind[KIND_MOST];
};

struct transfer {
	struct virtio_device *device;
	struct saved_virtio *saved;
	const char *wrong;
};

/* ---- before --------------------------------------------------------------------------------------- */

static void pause_device(void *argument)
{
	struct virtio_device *device = argument;

	for (unsigned int i = 0; i < device->queues; i++)
		if (device->queue[i].started)
			device->kind->queue_stop(device, &device->queue[i]);
	device->thread.work = device_thread_rest;
}

/* All that they wrote to guest memory is there when it returns, and they write no more. The CPUs stand. */
void saved_pause_virtio(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->virtio_count; i++)
		device_thread_do(&vm->virtio[i]->thread, pause_device, vm->virtio[i]);
}

/* ---- saving --------------------------------------------------------------------------------------- */

static const struct route *route_of(const struct virtio_device *device, unsigned int queue)
{
	return &device->vm->routes.message[MESSAGE_OF(device->number, queue)];
}

static void save_queue(const struct virtio_queue *queue, struct saved_queue *saved)
{
	struct virtio_device *device = queue->device;
	const struct pvrom_vq_device *ring = device->kind->ring(device, queue->index);

	saved->desc_gpa = queue->desc_gpa;
	saved->driver_gpa = queue->driver_gpa;
	saved->device_gpa = queue->device_gpa;
	saved->size = queue->size;
	saved->ready = queue->ready;
	saved->has_vector = queue->has_vector;
	saved->route = *route_of(device, queue->index);
	/* One that its driver broke stays without a device until that is reset. */
	saved->started = queue->started && !pvrom_vq_device_reason(ring) &&
			 pvrom_vq_device_get_state(ring, &saved->position) == PVROM_VQ_OK;
}

static void save_device(void *argument)
{
	struct transfer *t = argument;
	struct virtio_device *device = t->device;
	struct saved_virtio *saved = t->saved;

	memset(saved, 0, sizeof(*saved));
	saved->id = device->kind->id;
	saved->queues = device->queues;
	saved->status = device->status;
	saved->generation = device->generation;
	saved->interrupts = __atomic_load_n(&device->interrupts, __ATOMIC_SEQ_CST);
	saved->features_sel = device->features_sel;
	saved->driver_features_sel = device->driver_features_sel;
	saved->queue_sel = device->queue_sel;
	saved->features = device->features;
	saved->has_vector = device->has_vector;
	saved->on_bus = device->on_bus;
	saved->route = *route_of(device, VIRTIO_QUEUES);
	for (unsigned int i = 0; i < device->queues; i++)
		save_queue(&device->queue[i], &saved->queue[i]);
	saved->kind_size = (uint32_t)device->kind->save(device, saved->kind, KIND_MOST);
	if (saved->kind_size == 0 || saved->kind_size > KIND_MOST)
		t->wrong = "its state cannot be saved";
}

static void transfer(struct transfer *t, void (*run)(void *argument), const char *path)
{
	device_thread_do(&t->device->thread, run, t);
	if (t->wrong != NULL)
		fail(EXIT_CANNOT_RUN, "%s: virtio device %u: %s", path, t->device->number,
		     t->wrong);
}

void saved_put_virtio(struct vm *vm, FILE *file)
{
	static struct saved_virtio saved;

	for (unsigned int i = 0; i < vm->virtio_count; i++) {
		struct transfer t = { vm->virtio[i], &saved, NULL };

		transfer(&t, save_device, vm->opt->save);
		saved_put(file, &saved, sizeof(saved));
	}
}

/* ---- loading -------------------------------------------------------------------------------------- */

static bool load_features(struct virtio_device *device, const struct saved_virtio *saved)
{
	device->features = saved->features;
	if (!(saved->status & VIRTIO_FEATURES_OK))
		return true;
	return !(saved->features & ~virtio_offered(device)) &&
	       device->kind->accept(device, saved->features);
}

/* A vector of the bus is a route of KVM's, too. */
static void load_route(struct virtio_device *device, unsigned int queue, const struct route *route)
{
	if (route->routed)
		interrupts_message(device->vm, MESSAGE_OF(device->number, queue),
				   (uint8_t)route->vector, route->vcpu);
}

static bool load_queue(struct virtio_queue *queue, const struct saved_queue *saved)
{
	struct virtio_device *device = queue->device;

	queue->desc_gpa = saved->desc_gpa;
	queue->driver_gpa = saved->driver_gpa;
	queue->device_gpa = saved->device_gpa;
	queue->size = saved->size;
	queue->ready = saved->ready;
	queue->has_vector = saved->has_vector;
	load_route(device, queue->index, &saved->route);
	if (!saved->started)
		return true;
	queue->started = device->kind->queue_start(device, queue) &&
			 pvrom_vq_device_set_state(device->kind->ring(device, queue->index),
						   &saved->position) == PVROM_VQ_OK;
	queue->pending = true;
	return queue->started;
}

/* What may have been on its way to the driver. */
static void interrupt_all(struct virtio_device *device)
{
	for (unsigned int i = 0; i < device->queues; i++)
		if (device->queue[i].started && !virtio_queue_used(&device->queue[i]))
			virtio_used(device);
	/* Of registers in memory the line and its status, which were saved, tell of a change too. */
	if ((device->status & VIRTIO_DRIVER_OK) &&
	    (device->has_vector || (device->status & VIRTIO_NEEDS_RESET)))
		virtio_changed(device);
}

static bool queue_makes_sense(const struct vm *vm, const struct saved_queue *saved)
{
	return saved_is_bool(&saved->ready) && saved_is_bool(&saved->started) &&
	       saved_is_bool(&saved->has_vector) && saved_is_route(vm, &saved->route) &&
	       saved_is_bool(&saved->position.avail_wrap) &&
	       saved_is_bool(&saved->position.used_wrap);
}

static bool is_same(const struct virtio_device *device, const struct saved_virtio *saved)
{
	if (saved->id != device->kind->id || saved->queues != device->queues ||
	    saved->kind_size > KIND_MOST || !saved_is_bool(&saved->has_vector) ||
	    !saved_is_bool(&saved->on_bus) || !saved_is_route(device->vm, &saved->route))
		return false;
	for (unsigned int i = 0; i < device->queues; i++)
		if (!queue_makes_sense(device->vm, &saved->queue[i]))
			return false;
	return true;
}

static void load_device(void *argument)
{
	struct transfer *t = argument;
	struct virtio_device *device = t->device;
	const struct saved_virtio *saved = t->saved;

	t->wrong = "it is not the one that was saved";
	if (!is_same(device, saved) || !load_features(device, saved) ||
	    !device->kind->load(device, saved->kind, saved->kind_size))
		return;
	device->status = saved->status;
	device->generation = saved->generation;
	device->features_sel = saved->features_sel;
	device->driver_features_sel = saved->driver_features_sel;
	device->queue_sel = saved->queue_sel;
	device->has_vector = saved->has_vector;
	device->on_bus = saved->on_bus;
	load_route(device, VIRTIO_QUEUES, &saved->route);
	__atomic_store_n(&device->interrupts, saved->interrupts, __ATOMIC_SEQ_CST);
	t->wrong = "its queues do not make sense";
	for (unsigned int i = 0; i < device->queues; i++)
		if (!load_queue(&device->queue[i], &saved->queue[i]))
			return;
	interrupt_all(device);
	t->wrong = NULL;
}

/* Last of all: they begin to work at once, in memory and with interrupts. */
void saved_take_virtio(struct vm *vm, FILE *file)
{
	static struct saved_virtio saved;

	for (unsigned int i = 0; i < vm->virtio_count; i++) {
		struct transfer t = { vm->virtio[i], &saved, NULL };

		saved_take(vm, file, &saved, sizeof(saved));
		transfer(&t, load_device, vm->opt->load);
	}
}
