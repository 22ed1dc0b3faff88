/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* No network cards: this pvrun was built without liburing, which the thread of a card is built around. */
#include "net_device.h"

struct virtio_device *net_create(struct vm *vm, const struct net_arg *arg, unsigned int number)
{
	(void)vm;
	(void)number;
	fail(EXIT_CANNOT_RUN, "--net %s: this pvrun was built without liburing", arg->backend);
}

void net_destroy(struct virtio_device *device)
{
	(void)device;
}

void net_count(struct virtio_device *device, struct net_stats *stats)
{
	(void)device;
	(void)stats;
}
