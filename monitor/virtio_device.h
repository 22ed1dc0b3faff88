/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A VIRTIO device as its transports see it. What a device is told and asked here happens on its own
 * thread; its transport forwards what the guest does.
 */
#ifndef PVRUN_VIRTIO_DEVICE_H
#define PVRUN_VIRTIO_DEVICE_H

#include <pvrom/virtqueue_device.h>

#include "device_thread.h"
#include "machine.h"

#define VIRTIO_QUEUES 17u /* of one device at most: eight pairs of a card, and its control queue */
#define VIRTIO_QUEUE_SIZE 256u /* the longest that is offered */

/* VIRTIO 1.2, 2.1 */
#define VIRTIO_ACKNOWLEDGE 1u
#define VIRTIO_DRIVER 2u
#define VIRTIO_DRIVER_OK 4u
#define VIRTIO_FEATURES_OK 8u
#define VIRTIO_NEEDS_RESET 64u
#define VIRTIO_FAILED 128u

struct virtio_device;

/* A queue as the driver set it up. */
struct virtio_queue {
	struct virtio_device *device;
	struct pvrom_loop_watch notified; /* its fd is the ioeventfd */
	uint64_t desc_gpa, driver_gpa, device_gpa;
	uint32_t size;
	unsigned int index;
	bool ready;			    /* the driver says so */
	bool started;			    /* the device uses it */
	bool pending;			    /* there may be buffers in it */
	bool has_vector;		    /* its interrupt is a message, by the bus */
	int message_fd;			    /* an irqfd; -1: none */
	uint64_t rung;			    /* how often, so far */
	struct pvrom_vq_device_slot *slots; /* of its ring, as long as it was when last started */
};

/* What a kind of device does. */
struct virtio_kind {
	uint32_t id; /* VIRTIO 1.2, 5 */
	uint64_t (*features)(struct virtio_device *device);
	bool (*accept)(struct virtio_device *device, uint64_t features);
	void (*config_read)(struct virtio_device *device, uint32_t offset, void *to, uint32_t len);
	void (*config_write)(struct virtio_device *device, uint32_t offset, const void *from,
			     uint32_t len);
	/* false: the rings are not as they must be. */
	bool (*queue_start)(struct virtio_device *device, struct virtio_queue *queue);
	/* Returns when nothing of the queue, or of the device, is in flight any more. */
	void (*queue_stop)(struct virtio_device *device, struct virtio_queue *queue);
	void (*reset)(struct virtio_device *device);
	/* For --save and --load (saved_virtio.c). A started queue; and the state beside features, status and queues:
	 * save returns its size, 0 if there is none to be had; load comes after accept, before queue_start. */
	struct pvrom_vq_device *(*ring)(struct virtio_device *device, unsigned int index);
	size_t (*save)(struct virtio_device *device, void *buffer, size_t room);
	bool (*load)(struct virtio_device *device, const void *buffer, size_t size);
};

struct virtio_device {
	const struct virtio_kind *kind;
	struct vm *vm;
	struct device_thread thread;
	struct virtio_queue queue[VIRTIO_QUEUES];
	unsigned int queues;
	uint64_t features;   /* the driver's */
	uint32_t generation; /* of the configuration */
	uint32_t status;
	bool has_vector; /* as of a queue, for changes */
	bool on_bus;	 /* its status was last written there */
	int message_fd;
	unsigned int number;
	/* Of the transport. */
	uint64_t gpa; /* of its registers */
	uint32_t line;
	int line_fd;
	uint32_t interrupts; /* set by the device, taken by CPUs: atomic */
	uint32_t features_sel, driver_features_sel, queue_sel;
};

/*
 * virtio_device.c. Of a device whose thread runs and rests: shows it to the guest by both transports as its virtio
 * device `number`, then has `begin` done by the thread. And the end, when no CPU runs: hides it, has `end`
 * done, stops the thread and frees what is of a device of any kind. Both are given the device.
 */
void virtio_begin(struct virtio_device *device, unsigned int number, void (*begin)(void *device));
void virtio_end(struct virtio_device *device, void (*end)(void *device));

/* On the device's thread, as the ones below. What a ring is to be made with, for queue_start; false: it makes no sense. */
bool virtio_ring_config(struct virtio_queue *queue, struct pvrom_vq_device_config *config);

uint64_t virtio_offered(struct virtio_device *device);
/* 0: a reset, which is over when it returns. */
void virtio_set_status(struct virtio_device *device, uint32_t status);
void virtio_set_ready(struct virtio_device *device, struct virtio_queue *queue, bool ready);

/* virtio_bus.c: the same devices on pvrom's device bus. */
void virtio_bus_create(struct virtio_device *device, unsigned int number);
void virtio_bus_destroy(struct virtio_device *device);

/* virtio_mmio.c */
void virtio_mmio_create(struct virtio_device *device, unsigned int number);
void virtio_mmio_destroy(struct virtio_device *device);

/* From the device, on its thread: interrupts the driver for its queues, or for a change of configuration or status. */
void virtio_used(struct virtio_device *device);
/* The same for one queue with a message of its own; false: it has none, virtio_used() it is. */
bool virtio_queue_used(struct virtio_queue *queue);
void virtio_changed(struct virtio_device *device);
/* The driver broke the rules; nothing goes on until it resets the device. */
void virtio_broken(struct virtio_device *device);

#endif
