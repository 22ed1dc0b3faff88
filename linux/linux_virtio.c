/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A device of the bus for Linux's virtio drivers: status, features, configuration and queues by the shim's half of
 * the bus, a vector of its own for each queue that has a callback and one for changes of the configuration.
 */
#include "linux_bus.h"

#include "linux_compat.h"

#include <linux/log2.h>
#include <linux/module.h>
#include <linux/virtio_ring.h>

#define LONGEST 32768u /* VIRTIO 1.2, 2.7.1 and 2.8.10.1 */

static struct linux_device *device_of(struct virtio_device *virtio)
{
	return container_of(virtio, struct linux_device, virtio);
}

static struct pvrom_virtio *bus_of(struct virtio_device *virtio)
{
	return &device_of(virtio)->bus.virtio;
}

/* ---- configuration, status, features -------------------------------------------------------------------- */

static void get(struct virtio_device *virtio, unsigned int offset, void *to, unsigned int size)
{
	struct pvrom_virtio *bus = bus_of(virtio);

	if (offset <= bus->config_bytes && size <= bus->config_bytes - offset)
		bus->ops->config_read(bus, offset, to, size);
	else
		memset(to, 0, size);
}

static void set(struct virtio_device *virtio, unsigned int offset, const void *from,
		unsigned int size)
{
	struct pvrom_virtio *bus = bus_of(virtio);

	if (offset <= bus->config_bytes && size <= bus->config_bytes - offset)
		bus->ops->config_write(bus, offset, from, size);
}

static u32 generation(struct virtio_device *virtio)
{
	return bus_of(virtio)->ops->generation(bus_of(virtio));
}

static u8 get_status(struct virtio_device *virtio)
{
	return (u8)bus_of(virtio)->ops->status(bus_of(virtio));
}

static void set_status(struct virtio_device *virtio, u8 status)
{
	bus_of(virtio)->ops->set_status(bus_of(virtio), status);
}

/* The handlers that a last interrupt may have begun are over when it returns. */
static void synchronize(struct virtio_device *virtio)
{
	struct linux_device *device = device_of(virtio);
	unsigned int i;

	if (device->changes.irq)
		synchronize_irq(device->changes.irq);
	for (i = 0; i < ARRAY_SIZE(device->queue); i++)
		if (device->queue[i].vector.irq)
			synchronize_irq(device->queue[i].vector.irq);
}

/* Over when the call returns: there is nothing to wait for. */
static void reset(struct virtio_device *virtio)
{
	set_status(virtio, 0);
	synchronize(virtio);
}

static u64 get_features(struct virtio_device *virtio)
{
	return bus_of(virtio)->ops->features(bus_of(virtio));
}

/* What of the transport's features is of use is Linux's rings' to say: packed, events, indirect, addresses by DMA. */
static int finalize_features(struct virtio_device *virtio)
{
	vring_transport_features(virtio);
	if (!__virtio_test_bit(virtio, VIRTIO_F_VERSION_1)) {
		dev_err(&virtio->dev, "the device is of before VIRTIO 1.0\n");
		return -EINVAL;
	}
	bus_of(virtio)->ops->accept(bus_of(virtio), virtio->features);
	return 0;
}

static const char *bus_name(struct virtio_device *virtio)
{
	return "pvrom";
}

/* ---- queues ---------------------------------------------------------------------------------------------- */

static bool notify(struct virtqueue *vq)
{
	struct pvrom_virtio *bus = bus_of(vq->vdev);

	bus->ops->notify(bus, vq->index, 0);
	return true;
}

static irqreturn_t on_change(int irq, void *virtio)
{
	virtio_config_changed(virtio);
	return IRQ_HANDLED;
}

static struct linux_queue *queue_of(const struct virtqueue *vq)
{
	return &device_of(vq->vdev)->queue[vq->index];
}

static void delete_queue(struct virtqueue *vq)
{
	struct linux_queue *queue = queue_of(vq);

	if (queue->vector.irq)
		irq_set_affinity_hint(queue->vector.irq, NULL);
	linux_vector_free(&queue->vector);
	queue->vq = NULL;
	vring_del_virtqueue(vq);
}

static int request_vector(struct virtqueue *vq)
{
	struct linux_vector *vector = &queue_of(vq)->vector;

	vector->bus = &device_of(vq->vdev)->bus;
	vector->queue = vq->index;
	return linux_vector_request(vector, vring_interrupt, vq->name, vq);
}

/* The device is told of a queue, and where it interrupts; a queue without a callback does not. */
static int tell_queue(struct virtqueue *vq)
{
	struct pvrom_virtio *bus = bus_of(vq->vdev);
	struct linux_vector *vector = &queue_of(vq)->vector;
	u64 word = vector->irq ? linux_vector_word(vector) : 0;
	const struct pvrom_virtio_queue where = {
		.desc_gpa = virtqueue_get_desc_addr(vq),
		.driver_gpa = virtqueue_get_avail_addr(vq),
		.device_gpa = virtqueue_get_used_addr(vq),
		.size = (u16)virtqueue_get_vring_size(vq),
		.vector = (u16)word,
		.vcpu = (u32)(word >> 32),
	};

	if (!bus->ops->queue_start(bus, vq->index, &where))
		return -EIO;
	if (vector->irq)
		linux_vector_go(vector, word);
	return 0;
}

/* Split rings have a power of two; what the host says is taken as far as that goes. */
static unsigned int length_of(struct virtio_device *virtio, unsigned int index)
{
	u32 longest = bus_of(virtio)->ops->queue_max(bus_of(virtio), index);

	return longest ? rounddown_pow_of_two(min(longest, LONGEST)) : 0;
}

static struct virtqueue *make_queue(struct virtio_device *virtio, unsigned int index,
				    vq_callback_t *callback, const char *name, bool context)
{
	unsigned int length = length_of(virtio, index);
	struct virtqueue *vq;
	int status = 0;

	if (!length)
		return ERR_PTR(-ENOENT);
	vq = vring_create_virtqueue(index, length, SMP_CACHE_BYTES, virtio, true, true, context,
				    notify, callback, name);
	if (!vq)
		return ERR_PTR(-ENOMEM);
	queue_of(vq)->vq = vq;
	linux_set_longest(vq, length);
	if (callback)
		status = request_vector(vq);
	if (!status)
		status = tell_queue(vq);
	if (!status)
		return vq;
	delete_queue(vq);
	return ERR_PTR(status);
}

static void delete_queues(struct virtio_device *virtio)
{
	struct linux_device *device = device_of(virtio);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(device->queue); i++)
		if (device->queue[i].vq)
			delete_queue(device->queue[i].vq);
	linux_vector_free(&device->changes);
	if (device->bound)
		module_put(THIS_MODULE);
	device->bound = false;
}

/* From here on until delete_queues() a driver works with the device, so the module is in use. */
static int begin(struct virtio_device *virtio)
{
	struct linux_device *device = device_of(virtio);
	int status;

	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	device->bound = true;
	device->changes.bus = &device->bus;
	device->changes.queue = PVROM_VIRTIO_BUS_CHANGES;
	status = linux_vector_request(&device->changes, on_change, dev_name(&virtio->dev), virtio);
	if (!status)
		linux_vector_go(&device->changes, 0);
	return status;
}

/* Queues without a name are not wanted, and have no number. */
static int find_queues(struct virtio_device *virtio, unsigned int count, struct virtqueue *vqs[],
		       LINUX_WISHES, struct irq_affinity *affinity)
{
	unsigned int i, index = 0;
	int status = begin(virtio);

	for (i = 0; i < count && !status; i++) {
		vqs[i] = NULL;
		if (!LINUX_WISHED_NAME(i))
			continue;
		vqs[i] = make_queue(virtio, index++, LINUX_WISHED_CALLBACK(i), LINUX_WISHED_NAME(i),
				    LINUX_WISHED_CONTEXT(i));
		status = PTR_ERR_OR_ZERO(vqs[i]);
	}
	if (status)
		delete_queues(virtio);
	return status;
}

/* Linux moves the vector, and keeps the mask as a hint for those who do so from user mode. */
static int set_vq_affinity(struct virtqueue *vq, const struct cpumask *mask)
{
	struct linux_queue *queue = queue_of(vq);

	if (!queue->vector.irq)
		return -EINVAL;
	if (!mask)
		return irq_set_affinity_hint(queue->vector.irq, NULL);
	cpumask_copy(&queue->hint, mask);
	return irq_set_affinity_hint(queue->vector.irq, &queue->hint);
}

/* synchronize_cbs is left to Linux, whose grace period is as good for handlers that no thread runs; reset() waits itself. */
const struct virtio_config_ops linux_virtio_ops = {
	.get = get,
	.set = set,
	.generation = generation,
	.get_status = get_status,
	.set_status = set_status,
	.reset = reset,
	.find_vqs = find_queues,
	.del_vqs = delete_queues,
	.get_features = get_features,
	.finalize_features = finalize_features,
	.bus_name = bus_name,
	.set_vq_affinity = set_vq_affinity,
};
