/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The kernel's disk: a VIRTIO block device, by whatever way it is reached, over pvblk's driver. */
#ifndef KERNEL_DISK_H
#define KERNEL_DISK_H

#include <pvrom/blk_guest.h>

#include "virtio_way.h"

#define DISK_QUEUES 4u
#define DISK_VECTOR 0x5a /* of its interrupts, on CPU 0 */

struct disk {
	struct pvrom_blk_guest blk;
	struct virtio_way way;
	struct pvrom_blk_guest_queue queue[DISK_QUEUES];
};

/* The disk, NULL if there is none. */
extern struct disk *disk;

/*
 * On CPU 0, when CPUs and calls are there: takes the first disk that virtio_way_find() finds (on pvrom's device
 * bus unless "disk=mmio"). Prints a line about it. "disk_avoid=HEX": feature bits not to be taken; "disk_bounce": by
 * bounce buffers.
 */
void disk_init(void);
/* Does one request by queue QUEUE, polling, and waits for its end; CANCELLED if that takes more than ten
 * seconds, and then, as after BROKEN, the disk is stopped. One CPU at a time for a queue. */
enum pvrom_blk_guest_result disk_do(unsigned queue, struct pvrom_blk_guest_request *request);
/* COUNT sectors from SECTOR on, to or from MEMORY. */
enum pvrom_blk_guest_result disk_transfer(unsigned queue, uint32_t type, uint64_t sector,
					  uint32_t count, void *memory);
/* Lets the device's interrupts through to this kernel, or not. */
bool disk_interrupts(bool on);

/* disk_growth.c: is it wanted instead of the suite? Waits for a longer disk, and uses it; true if that was so. */
bool disk_growth_wanted(void);
bool disk_growth(void);

#endif
