/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A machine for the block device alone: an array as guest memory with a hole in it, a ring between the two
 * halves of the virtqueue, a disk that remembers what it was asked, and a clock that a test moves.
 */
#ifndef BLK_WORLD_H
#define BLK_WORLD_H

#include <pvrom/blk_backend.h>
#include <pvrom/virtqueue_driver.h>

#define WORLD_MEMORY 0x400000u /* bytes of guest memory, from guest-physical 0 on */
#define WORLD_BORDER 0x200000u /* here it goes on elsewhere in the host */
#define WORLD_SECTORS 2048u
#define WORLD_QUEUE 64u
#define WORLD_HELD 64u

/* What the disk was asked. */
struct asked {
	uint32_t op, flags;
	uint64_t offset, length;
	uint32_t vecs;
};

struct world {
	struct pvrom_blk_host host;
	struct pvrom_blk_host_setup setup;
	struct pvrom_limit limit;
	struct pvrom_blk_backend backend;
	struct pvrom_blk_queue queue;
	struct pvrom_vq_driver driver;
	struct pvrom_blk_request pool[WORLD_QUEUE];
	struct pvrom_vq_device_slot slots[WORLD_QUEUE];
	struct pvrom_vq_driver_slot driver_slots[WORLD_QUEUE];
	uint64_t ring_features;
	uint64_t time;	    /* ns */
	uint32_t hold;	    /* the disk keeps operations until world_go() */
	uint32_t fail_with; /* what the disk answers; PVROM_BLK_DONE */
	struct pvrom_blk_io *held[WORLD_HELD];
	uint32_t held_count;
	struct asked asked[256];
	uint32_t asked_count;
	uint32_t changes, interrupts, cancelled;
	uint64_t dirty[WORLD_MEMORY / 4096 / 64];
	uint8_t disk[WORLD_SECTORS * 512];
	uint8_t *memory; /* as the driver sees it: contiguous */
};

/* A world with that device; fields of setup left 0 get what is usual. NULL: it cannot be. */
struct world *world_open(const struct pvrom_blk_host_setup *setup, uint64_t ring_features,
			 uint64_t accept);
void world_close(struct world *w);

/* One buffer by hand: pieces of guest memory, readable ones first. */
struct piece {
	uint64_t gpa;
	uint32_t len;
};
bool world_put(struct world *w, const struct piece *piece, uint32_t readable, uint32_t writable,
	       void *token);
/* The device looks at its queue, and shows what is done. */
void world_run(struct world *w);
/* A buffer that came back; false: none. */
bool world_get(struct world *w, struct pvrom_vq_done *done);
/* Lets one held operation go. */
bool world_go(struct world *w, uint32_t which, uint32_t result);

/*
 * A request in the usual form (header, data, status), begun and run: its status, 0x100 when the status was not
 * written, -1 when the buffer did not come back. Data lies at WORLD_DATA, `length` long.
 */
#define WORLD_HEADER 0x10000u
#define WORLD_STATUS 0x11000u
#define WORLD_DATA 0x20000u
int world_request(struct world *w, uint32_t type, uint64_t sector, uint32_t length);
/* DISCARD and its kin. */
int world_ranges(struct world *w, uint32_t type, const struct pvrom_blk_range *range,
		 uint32_t count);
/* Length of the last buffer that came back. */
extern uint32_t world_length;

void *world_at(struct world *w, uint64_t gpa);

#endif
