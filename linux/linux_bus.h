/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device bus in Linux: what its three files know of each other. A device of the bus is a virtio_device of Linux's
 * over the shim's half of the bus (<pvrom/virtio_guest.h>).
 */
#ifndef LINUX_BUS_H
#define LINUX_BUS_H

#include "linux_module.h"

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>

#include <pvrom/virtio_guest.h>

/* ---- linux_vectors.c: a vector of some CPU's, which the host is told --------------------------------- */

struct linux_vector {
	struct pvrom_virtio_bus *bus;
	u32 queue; /* or PVROM_VIRTIO_BUS_CHANGES */
	void *argument;
	unsigned int irq; /* Linux's number of it, 0: none */
	raw_spinlock_t lock;
	u64 word;  /* where it is now: the vector, and the vCPU from bit 32 on */
	u64 told;  /* what the host knows */
	bool live; /* the host is to be told of each change */
};

int linux_vectors_start(void);
void linux_vectors_stop(void);

/* bus and queue are set. The handler gets argument; the host is told nothing before linux_vector_go(). */
int linux_vector_request(struct linux_vector *vector, irq_handler_t handler, const char *name,
			 void *argument);
u64 linux_vector_word(struct linux_vector *vector);
/* The host knows told, and from now on each change. */
void linux_vector_go(struct linux_vector *vector, u64 told);
/* Does nothing to one that was not requested. No handler runs when it returns. */
void linux_vector_free(struct linux_vector *vector);

/* ---- linux_virtio.c: a device ------------------------------------------------------------------------ */

struct linux_queue {
	struct virtqueue *vq; /* NULL: none */
	struct linux_vector vector;
	cpumask_t hint; /* Linux keeps a pointer to it */
};

struct linux_device {
	struct virtio_device virtio;
	struct pvrom_virtio_bus bus;
	struct linux_vector changes;
	struct linux_queue queue[PVROM_VIRTIO_BUS_QUEUES];
	bool bound; /* a driver has queues, and the module stays */
	struct completion released;
};

extern const struct virtio_config_ops linux_virtio_ops;

#endif
