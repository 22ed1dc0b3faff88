/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The block driver and the block device in one process: a transport of function calls between the two halves of
 * pvblk over an array of bytes, whose answers a test may falsify.
 */
#ifndef GUEST_WORLD_H
#define GUEST_WORLD_H

#include <pvrom/blk_backend.h>
#include <pvrom/blk_guest.h>

#define GW_MEMORY 0x1000000u
#define GW_DATA 0x800000u /* from here on: the requests' data; below: the queues */
#define GW_QUEUES 4u
#define GW_SECTORS 4096u
#define GW_LONGEST 256u /* of a queue */

struct guest_world {
	struct pvrom_virtio virtio;  /* first */
	struct pvrom_virtio_ops ops; /* a test may put in its own */
	uint8_t *memory;	     /* guest-physical 0 on */
	uint64_t free;		     /* memory for queues from here on */
	uint64_t ring_features;
	uint64_t offered_too; /* bits that the transport adds */
	struct pvrom_blk_backend *disk, *backend;
	struct pvrom_blk_host host;
	struct pvrom_blk_queue device[GW_QUEUES];
	struct pvrom_vq_device_slot slots[GW_QUEUES][GW_LONGEST];
	struct pvrom_blk_request *pool[GW_QUEUES];
	struct pvrom_blk_guest blk;
	struct pvrom_blk_guest_queue queue[GW_QUEUES];
	void *own[GW_QUEUES];
	uint32_t status, generation, why, longest;
	uint32_t bells, interrupts, changes;
	bool alive[GW_QUEUES];
};

/* A device with the usual setup, not yet begun; setup may be NULL. Ends the program if that cannot be. */
void guest_world_open(struct guest_world *w, const struct pvrom_blk_host_setup *setup,
		      uint64_t ring_features);
/* begin, memory, queues, go: what begin answers, or MALFORMED if a queue cannot be had. */
enum pvrom_virtio_result guest_world_begin(struct guest_world *w,
					   const struct pvrom_blk_guest_config *settings);
/* The device works on what was shown to it. */
void guest_world_run(struct guest_world *w);
void guest_world_close(struct guest_world *w);

/* Submits to queue 0, kicks, lets the device run, polls; what became of it, or what submit said. */
enum pvrom_blk_guest_result guest_world_do(struct guest_world *w,
					   struct pvrom_blk_guest_request *request);
/* The same for one piece of data at GW_DATA + offset. */
enum pvrom_blk_guest_result guest_world_one(struct guest_world *w, uint32_t type, uint64_t sector,
					    uint32_t offset, uint32_t len);

#endif
