/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A machine that is no more than pvrun's disk and its driver, and that can be saved and loaded at any moment. */
#ifndef TESTS_NOTIFY_WORLD_H
#define TESTS_NOTIFY_WORLD_H

#include "../../monitor/virtio_device.h"

#include <pvrom/virtqueue_driver.h>
#include <stdbool.h>
#include <stdint.h>

#define WORLD_LOOKS 100000u /* of 100 us: what a busy machine may take */

struct notify_world {
	struct virtio_device *disk; /* another one after each loading */
	struct pvrom_vq_driver vq;  /* of the driver, which knows nothing of all this */
	uint64_t features;	    /* what it takes */
	bool messages;		    /* its interrupts are, by the bus; else they are the line's */
};
extern struct notify_world world;

/* A file for the disk; false: it cannot be made. */
bool world_open(void);
void world_close(void);

/* A machine whose driver has begun, and its end. */
void world_begin(uint64_t features, bool messages);
void world_end(void);
/* Bytes a second from the next beginning on; 0: as many as it does. */
void world_limit(uint64_t bps);

/* The CPUs stand; what they had done when the device came to rest may be put in before and after it. */
void world_rest(void);
void world_reload(void);
/* Until the device has looked, and found nothing more. */
void world_settle(void);

/* Registers of the window. */
void driver_set(uint32_t reg, uint32_t value);
uint32_t driver_get(uint32_t reg);
/* Shows read number I, below 128, to the device; true: it wants its bell. */
bool driver_show(uint32_t i);
void driver_ring(void);
/* false: not even after a long time. */
bool driver_sees_used(void);
/* Request I is done, and the next to be taken. */
bool driver_take(uint32_t i);
/* An interrupt for the queue, or for a change of the configuration. */
bool driver_interrupted(void);
bool driver_interrupted_by_change(void);

#endif
