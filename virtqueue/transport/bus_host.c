/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device bus, host half: what a guest says is checked here, once for all devices. Devices are stopped when
 * the feature leaves the sealed set, so that none uses guest memory after a RESET.
 */
#include <pvrom/dev.h>
#include <pvrom/virtio_bus.h>

#define VECTOR_FIRST 32u

/* The bus of a machine: the structure around the feature that its embedder named. */
static const struct pvrom_bus_host *bus_of(const struct pvrom_host *host)
{
	const struct pvrom_host_feature *const *list = host->config.features;

	while ((*list)->number != PVROM_FEATURE_DEV)
		list++;
	return (const struct pvrom_bus_host *)(const void *)*list; /* its first member */
}

static uint32_t offer_dev(const struct pvrom_host *host)
{
	return bus_of(host)->devices ? PVROM_REASON_NONE : PVROM_REASON_NOT_SUPPORTED;
}

static uint32_t offer_blk(const struct pvrom_host *host)
{
	return bus_of(host)->kinds & PVROM_BUS_DISKS ? PVROM_REASON_NONE
						     : PVROM_REASON_NOT_SUPPORTED;
}

static uint32_t offer_net(const struct pvrom_host *host)
{
	return bus_of(host)->kinds & PVROM_BUS_CARDS ? PVROM_REASON_NONE
						     : PVROM_REASON_NOT_SUPPORTED;
}

/* The lock is held. */
static void stop(struct pvrom_host *host)
{
	const struct pvrom_bus_host *bus = bus_of(host);
	uint32_t i;

	for (i = 0; i < bus->devices; i++)
		bus->ops->stop(bus->ctx, i);
}

/* ---- calls --------------------------------------------------------------------------------------- */

static uint32_t list(const struct pvrom_bus_host *bus, uint64_t device, uint64_t what,
		     uint64_t *value)
{
	if (what == PVROM_DEV_COUNT && !device) {
		*value = bus->devices;
		return PVROM_STATUS_OK;
	}
	if (device >= bus->devices || (what != PVROM_DEV_KIND && what != PVROM_DEV_FEATURES))
		return PVROM_STATUS_INVALID;
	*value = bus->ops->list(bus->ctx, (uint32_t)device, (uint32_t)what);
	return PVROM_STATUS_OK;
}

static bool names_a_queue(uint32_t op)
{
	return op >= PVROM_DEV_OP_QUEUE_SIZE;
}

static bool interrupt_is_good(const struct pvrom_host *host, uint64_t word)
{
	uint64_t vector = word & 0xffffffff, vcpu = word >> 32;

	return (!vector || (vector >= VECTOR_FIRST && vector <= 255)) && vcpu < host->config.vcpus;
}

/* What is wrong with it whatever the device is. */
static bool request_is_good(const struct pvrom_host *host, const struct pvrom_bus_host *bus,
			    uint64_t device, uint32_t op, uint32_t index, uint64_t word)
{
	if (device >= bus->devices || op >= PVROM_DEV_OP_COUNT)
		return false;
	if (names_a_queue(op) &&
	    index >= (bus->ops->list(bus->ctx, (uint32_t)device, PVROM_DEV_KIND) >> 32 & 0xffff))
		return false;
	if (op == PVROM_DEV_OP_CONFIG_WRITE && word > 255)
		return false;
	if (op == PVROM_DEV_OP_CONFIG_INTERRUPT || op == PVROM_DEV_OP_QUEUE_INTERRUPT)
		return interrupt_is_good(host, word);
	return true;
}

static uint32_t configure(const struct pvrom_host *host, const struct pvrom_bus_host *bus,
			  const uint64_t arg[4], uint64_t *value)
{
	uint32_t op = (uint32_t)arg[1], index = (uint32_t)(arg[1] >> 32);

	if (!request_is_good(host, bus, arg[0], op, index, arg[2]))
		return PVROM_STATUS_INVALID;
	return bus->ops->configure(bus->ctx, (uint32_t)arg[0], op, index, arg[2], value);
}

static uint32_t do_call(const struct pvrom_host *host, uint32_t number, const uint64_t arg[4],
			uint64_t *value)
{
	const struct pvrom_bus_host *bus = bus_of(host);

	switch (number) {
	case PVROM_DEV_LIST: return list(bus, arg[0], arg[1], value);
	case PVROM_DEV_CONFIGURE: return configure(host, bus, arg, value);
	case PVROM_DEV_NOTIFY: return bus->ops->notify(bus->ctx, arg[0]);
	default: return PVROM_STATUS_NOT_SUPPORTED;
	}
}

/* Under the lock, for another vCPU may just be committing a set without the bus. */
static uint32_t call(struct pvrom_host *host, struct pvrom_host_vcpu *vcpu, uint32_t number,
		     const uint64_t arg[4], uint64_t *value)
{
	uint32_t status = PVROM_STATUS_DENIED;

	(void)vcpu;
	host->config.ops->lock(host->config.ops_ctx);
	if (host->started & PVROM_FEATURE_BIT(PVROM_FEATURE_DEV))
		status = do_call(host, number, arg, value);
	host->config.ops->unlock(host->config.ops_ctx);
	return status;
}

void pvrom_bus_host_init(struct pvrom_bus_host *bus, const struct pvrom_bus_ops *ops, void *ctx,
			 uint32_t devices, uint32_t kinds)
{
	*bus = (struct pvrom_bus_host){
		.dev = { .number = PVROM_FEATURE_DEV,
			 .group = PVROM_GROUP_DEV,
			 .offer = offer_dev,
			 .stop = stop,
			 .call = call },
		.blk = { .number = PVROM_FEATURE_BLK,
			 .group = PVROM_GROUP_COUNT,
			 .offer = offer_blk },
		.net = { .number = PVROM_FEATURE_NET,
			 .group = PVROM_GROUP_COUNT,
			 .offer = offer_net },
		.ops = ops,
		.ctx = ctx,
		.devices = devices,
		.kinds = kinds,
	};
}
