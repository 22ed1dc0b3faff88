/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * VIRTIO over pvrom's device bus, the driver's side: each register of the other transports is a call
 * (<pvrom/dev.h>), but a bell is one OUT.
 */
#include <pvrom/calls.h>
#include <pvrom/dev.h>
#include <pvrom/status.h>
#include <pvrom/virtio_guest.h>

/* Configuration space as the bus has it: as far as drivers ask. */
#define CONFIG_BYTES 4096u

static struct pvrom_virtio_bus *bus_of(struct pvrom_virtio *dev)
{
	return (struct pvrom_virtio_bus *)(void *)dev; /* its first member */
}

/* Value 0 if the host does not answer OK. */
static bool do_op(struct pvrom_virtio *dev, uint32_t op, uint32_t index, uint64_t word,
		  uint64_t *value)
{
	struct pvrom_virtio_bus *bus = bus_of(dev);

	*value = 0;
	return bus->os->call(bus->ctx, PVROM_DEV_CONFIGURE, bus->device, op | (uint64_t)index << 32,
			     word, value) == PVROM_STATUS_OK;
}

static uint64_t ask(struct pvrom_virtio *dev, uint32_t op, uint32_t index, uint64_t word)
{
	uint64_t value;

	return do_op(dev, op, index, word, &value) ? value : 0;
}

static bool list(struct pvrom_virtio_bus *bus, uint32_t what, uint64_t *value)
{
	*value = 0;
	return bus->os->call(bus->ctx, PVROM_DEV_LIST, bus->device, what, 0, value) ==
	       PVROM_STATUS_OK;
}

/* ---- the device as a whole ----------------------------------------------------------------------- */

static uint64_t features(struct pvrom_virtio *dev)
{
	uint64_t value;

	return list(bus_of(dev), PVROM_DEV_FEATURES, &value) ? value : 0;
}

static void accept(struct pvrom_virtio *dev, uint64_t chosen)
{
	ask(dev, PVROM_DEV_OP_ACCEPT, 0, chosen);
}

static uint32_t status(struct pvrom_virtio *dev)
{
	return (uint32_t)ask(dev, PVROM_DEV_OP_STATUS, 0, 0) & 0xff;
}

static void set_status(struct pvrom_virtio *dev, uint32_t value)
{
	ask(dev, PVROM_DEV_OP_SET_STATUS, 0, value);
}

static uint32_t generation(struct pvrom_virtio *dev)
{
	return (uint32_t)ask(dev, PVROM_DEV_OP_GENERATION, 0, 0);
}

/* ---- queues -------------------------------------------------------------------------------------- */

static uint32_t queue_max(struct pvrom_virtio *dev, uint32_t queue)
{
	const struct pvrom_virtio_bus *bus = bus_of(dev);

	return queue < bus->queues && queue < PVROM_VIRTIO_BUS_QUEUES ? bus->longest : 0;
}

static bool queue_start(struct pvrom_virtio *dev, uint32_t queue,
			const struct pvrom_virtio_queue *where)
{
	const uint32_t vector = where->vector == PVROM_VIRTIO_NO_VECTOR ? 0 : where->vector;
	uint64_t *bell = &bus_of(dev)->bell[queue], none;

	return do_op(dev, PVROM_DEV_OP_QUEUE_SIZE, queue, where->size, &none) &&
	       do_op(dev, PVROM_DEV_OP_QUEUE_DESC, queue, where->desc_gpa, &none) &&
	       do_op(dev, PVROM_DEV_OP_QUEUE_DRIVER, queue, where->driver_gpa, &none) &&
	       do_op(dev, PVROM_DEV_OP_QUEUE_DEVICE, queue, where->device_gpa, &none) &&
	       do_op(dev, PVROM_DEV_OP_QUEUE_INTERRUPT, queue, vector | (uint64_t)where->vcpu << 32,
		     &none) &&
	       do_op(dev, PVROM_DEV_OP_QUEUE_ENABLE, queue, 0, bell) && !(*bell >> 16 & 0xffff);
}

/* The bell says itself what is to be written where. */
static void notify(struct pvrom_virtio *dev, uint32_t queue, uint32_t data)
{
	const struct pvrom_virtio_bus *bus = bus_of(dev);

	(void)data;
	bus->os->out(bus->ctx, (uint16_t)bus->bell[queue], (uint32_t)(bus->bell[queue] >> 32));
}

bool pvrom_virtio_bus_interrupt(struct pvrom_virtio_bus *dev, uint32_t queue, uint32_t vector,
				uint32_t vcpu)
{
	const uint64_t word = vector | (uint64_t)vcpu << 32;
	uint64_t none;

	if (queue == PVROM_VIRTIO_BUS_CHANGES)
		return do_op(&dev->virtio, PVROM_DEV_OP_CONFIG_INTERRUPT, 0, word, &none);
	return do_op(&dev->virtio, PVROM_DEV_OP_QUEUE_INTERRUPT, queue, word, &none);
}

/* There is no line: a vector of its own says what an interrupt is for. */
static uint32_t interrupt(struct pvrom_virtio *dev)
{
	(void)dev;
	return PVROM_VIRTIO_USED;
}

/* ---- configuration ------------------------------------------------------------------------------- */

static void config_read(struct pvrom_virtio *dev, uint32_t offset, void *to, uint32_t len)
{
	uint8_t *bytes = to;
	uint64_t word = 0;
	uint32_t i;

	for (i = 0; i < len; i++) {
		if (i % 8 == 0)
			word = ask(dev, PVROM_DEV_OP_CONFIG_READ, offset + i, 0);
		bytes[i] = (uint8_t)(word >> i % 8 * 8);
	}
}

static void config_write(struct pvrom_virtio *dev, uint32_t offset, const void *from, uint32_t len)
{
	const uint8_t *bytes = from;
	uint32_t i;

	for (i = 0; i < len; i++)
		ask(dev, PVROM_DEV_OP_CONFIG_WRITE, offset + i, bytes[i]);
}

static const struct pvrom_virtio_ops bus_ops = {
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

enum pvrom_virtio_result pvrom_virtio_bus_open(struct pvrom_virtio_bus *dev, uint32_t device,
					       const struct pvrom_virtio_bus_os *os, void *ctx)
{
	uint64_t kind;

	*dev = (struct pvrom_virtio_bus){ .virtio = { .ops = &bus_ops,
						      .config_bytes = CONFIG_BYTES },
					  .os = os,
					  .ctx = ctx,
					  .device = device };
	if (!list(dev, PVROM_DEV_KIND, &kind) || !(uint32_t)kind)
		return PVROM_VIRTIO_NO_DEVICE;
	dev->virtio.id = (uint32_t)kind;
	dev->queues = (uint32_t)(kind >> 32 & 0xffff);
	dev->longest = (uint32_t)(kind >> 48);
	return PVROM_VIRTIO_OK;
}
