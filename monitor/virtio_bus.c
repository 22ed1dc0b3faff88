/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The virtual machine's devices on pvrom's device bus: the same as on virtio-mmio. Who has one here keeps it until it is
 * reset; who finds the status of one not zero leaves it to the driver that has it there. A bell is a port write that
 * ends in KVM (ioeventfd), an interrupt a message (irqfd).
 */
#include <errno.h>
#include <pvrom/dev.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "virtio_device.h"
#include "interrupts.h"
#include "pc_devices.h"
#include "pvrom_glue.h"

#define BUS_PORT 0x5660u
#define BELL(device, queue) ((uint64_t)((device) << 8 | (queue)) << 32 | BUS_PORT)

/* ---- what a call asks, on the device's thread ----------------------------------------------------- */

struct bus_request {
	struct virtio_device *device;
	uint32_t op, index;
	uint64_t word, value;
	uint32_t status;
};

static uint64_t config_word(struct virtio_device *device, uint32_t offset)
{
	uint64_t word = 0;

	device->kind->config_read(device, offset, &word, sizeof(word));
	return word;
}

/* Vector 0: no message any more. */
static bool set_vector(struct vm *vm, unsigned int message, uint64_t word)
{
	interrupts_message(vm, message, (uint8_t)word, (uint32_t)(word >> 32));
	return (uint8_t)word != 0;
}

/* Interrupts move at any time: KVM's table of routes is replaced as a whole, and what is on its way arrives. */
static uint32_t set_queue_vector(const struct bus_request *r, struct virtio_queue *queue)
{
	struct virtio_device *device = r->device;

	queue->has_vector = set_vector(device->vm, MESSAGE_OF(device->number, r->index), r->word);
	return PVROM_STATUS_OK;
}

/* Where a queue lies and how long it is stays as it is while the device uses it. */
static uint32_t set_queue(struct bus_request *r, struct virtio_queue *queue)
{
	if (r->op == PVROM_DEV_OP_QUEUE_INTERRUPT)
		return set_queue_vector(r, queue);
	if (queue->ready)
		return PVROM_STATUS_BUSY;
	switch (r->op) {
	case PVROM_DEV_OP_QUEUE_SIZE:
		if (r->word > VIRTIO_QUEUE_SIZE)
			return PVROM_STATUS_INVALID;
		queue->size = (uint32_t)r->word;
		break;
	case PVROM_DEV_OP_QUEUE_DESC: queue->desc_gpa = r->word; break;
	case PVROM_DEV_OP_QUEUE_DRIVER: queue->driver_gpa = r->word; break;
	case PVROM_DEV_OP_QUEUE_DEVICE: queue->device_gpa = r->word; break;
	default:
		virtio_set_ready(r->device, queue, true);
		r->value = BELL(r->device->number, r->index);
	}
	return PVROM_STATUS_OK;
}

static void serve(void *argument)
{
	struct bus_request *r = argument;
	struct virtio_device *device = r->device;
	uint8_t byte = (uint8_t)r->word;

	r->status = PVROM_STATUS_OK;
	switch (r->op) {
	case PVROM_DEV_OP_STATUS: r->value = device->status; break;
	case PVROM_DEV_OP_SET_STATUS:
		device->on_bus = true;
		virtio_set_status(device, (uint32_t)r->word);
		break;
	case PVROM_DEV_OP_ACCEPT:
		if (!(device->status & VIRTIO_FEATURES_OK))
			device->features = r->word;
		break;
	case PVROM_DEV_OP_CONFIG_READ: r->value = config_word(device, r->index); break;
	case PVROM_DEV_OP_CONFIG_WRITE:
		device->kind->config_write(device, r->index, &byte, 1);
		break;
	case PVROM_DEV_OP_GENERATION: r->value = device->generation; break;
	case PVROM_DEV_OP_CONFIG_INTERRUPT:
		device->has_vector =
			set_vector(device->vm, MESSAGE_OF(device->number, VIRTIO_QUEUES), r->word);
		break;
	default: r->status = set_queue(r, &device->queue[r->index]);
	}
}

/* ---- the way from a CPU to there ------------------------------------------------------------------ */

struct list_request {
	struct virtio_device *device;
	uint64_t features;
};

static void ask_features(void *argument)
{
	struct list_request *r = argument;

	r->features = virtio_offered(r->device);
}

static uint64_t list(void *ctx, uint32_t number, uint32_t what)
{
	struct list_request r = { .device = ((struct vm *)ctx)->virtio[number] };

	if (what == PVROM_DEV_KIND)
		return bus_bug_kind(number, r.device->kind->id | (uint64_t)r.device->queues << 32 |
						    (uint64_t)VIRTIO_QUEUE_SIZE << 48);
	device_thread_do(&r.device->thread, ask_features, &r);
	return r.features;
}

static uint32_t configure(void *ctx, uint32_t number, uint32_t op, uint32_t index, uint64_t word,
			  uint64_t *value)
{
	struct bus_request r = {
		.device = ((struct vm *)ctx)->virtio[number],
		.op = op,
		.index = index,
		.word = word,
	};

	device_thread_do(&r.device->thread, serve, &r);
	*value = bus_bug_value(number, op, r.value);
	return r.status;
}

static uint32_t notify(void *ctx, uint64_t doorbell)
{
	const struct vm *vm = ctx;
	uint64_t name = doorbell >> 32, number = name >> 8, queue = name & 0xff;

	if ((uint32_t)doorbell != BUS_PORT || number >= vm->virtio_count ||
	    queue >= vm->virtio[number]->queues)
		return PVROM_STATUS_INVALID;
	irqfd_raise(vm->virtio[number]->queue[queue].notified.fd);
	return PVROM_STATUS_OK;
}

static void stop_device(void *argument)
{
	struct virtio_device *device = argument;

	if (device->on_bus)
		virtio_set_status(device, 0);
}

/* A driver on virtio-mmio has nothing to do with what becomes of the bus. */
static void stop(void *ctx, uint32_t number)
{
	struct virtio_device *device = ((struct vm *)ctx)->virtio[number];

	device_thread_do(&device->thread, stop_device, device);
}

static const struct pvrom_bus_ops bus_ops = { list, configure, notify, stop };

/* Before the host core is set up; the devices come later, before any CPU runs. */
void virtio_bus_offer(struct vm *vm)
{
	pvrom_bus_host_init(&vm->bus, &bus_ops, vm, options_devices(vm->opt),
			    (vm->opt->disk_count > 0 ? PVROM_BUS_DISKS : 0) |
				    (vm->opt->net_count > 0 ? PVROM_BUS_CARDS : 0));
}

/* ---- life ------------------------------------------------------------------------------------------ */

void virtio_bus_create(struct virtio_device *device, unsigned int number)
{
	device->number = number;
	device->message_fd =
		irqfd_open(device->vm, MESSAGE_LINE(MESSAGE_OF(number, VIRTIO_QUEUES)));
	for (unsigned int i = 0; i < device->queues; i++) {
		const struct doorbell bell = {
			.address = BUS_PORT,
			.size = 4,
			.is_port = true,
			.one_value = true,
			.value = BELL(number, i) >> 32,
		};

		doorbell_attach(device->vm, &bell, device->queue[i].notified.fd);
		device->queue[i].message_fd =
			irqfd_open(device->vm, MESSAGE_LINE(MESSAGE_OF(number, i)));
	}
}

void virtio_bus_destroy(struct virtio_device *device)
{
	close(device->message_fd);
	for (unsigned int i = 0; i < device->queues; i++)
		close(device->queue[i].message_fd);
}
