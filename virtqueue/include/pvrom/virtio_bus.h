/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device bus, host half: puts an embedder's VIRTIO devices behind the calls of <pvrom/dev.h>.
 *
 * An embedder sets up a struct pvrom_bus_host before pvrom_host_init(), and names &bus.dev, and &bus.blk and &bus.net if
 * it has such devices, in its table of features. The bus checks what a guest says of devices, queues, vectors and vCPUs; the devices do the rest.
 */
#ifndef PVROM_VIRTIO_BUS_H
#define PVROM_VIRTIO_BUS_H

#include <pvrom/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What the embedder does. device is below the number given at init. Called by the thread of a vCPU, with the lock
 * of the core held: a reset waits for what the device has in flight, so a device takes no lock that is
 * held by who waits for the core's. None may call back into the core.
 */
struct pvrom_bus_ops {
	/* PVROM_DEV_KIND and PVROM_DEV_FEATURES; constant until the device is reset. */
	uint64_t (*list)(void *ctx, uint32_t device, uint32_t what);
	/*
	 * PVROM_DEV_OP_x. index is one of the device's queues where it names a queue; a vector is 0 or 32 to 255,
	 * and its vCPU exists. A status; value is 0 before.
	 */
	uint32_t (*configure)(void *ctx, uint32_t device, uint32_t op, uint32_t index,
			      uint64_t word, uint64_t *value);
	/* Rings a bell; INVALID if there is none of that name. */
	uint32_t (*notify)(void *ctx, uint64_t doorbell);
	/*
	 * The guest gives the bus up: resets the device if its driver drives it over the bus, and leaves it alone if
	 * that is over another transport of the embedder's. With the lock of the core held, as for a reset.
	 */
	void (*stop)(void *ctx, uint32_t device);
};

/* Which kinds of device there are. */
#define PVROM_BUS_DISKS 1u /* blk is offered */
#define PVROM_BUS_CARDS 2u /* net is offered */

/* The caller's memory; it stays as long as the host. */
struct pvrom_bus_host {
	struct pvrom_host_feature dev; /* first */
	struct pvrom_host_feature blk;
	struct pvrom_host_feature net;
	const struct pvrom_bus_ops *ops;
	void *ctx;
	uint32_t devices;
	uint32_t kinds; /* PVROM_BUS_x */
};

/* devices: how many there are; dev is offered if there are any. kinds: PVROM_BUS_x. */
void pvrom_bus_host_init(struct pvrom_bus_host *bus, const struct pvrom_bus_ops *ops, void *ctx,
			 uint32_t devices, uint32_t kinds);

#ifdef __cplusplus
}
#endif

#endif
