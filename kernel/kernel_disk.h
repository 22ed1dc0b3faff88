/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The kernel's disk: a VIRTIO block device, by whatever way it is reached, over pvblk's driver. */
#ifndef KERNEL_DISK_H
#define KERNEL_DISK_H

#include <pvrom/blk_guest.h>

#include "pci.h"

#define DISK_QUEUES 4u
#define DISK_VECTOR 0x5a /* of its interrupts, on CPU 0 */

struct disk {
	struct pvrom_blk_guest blk;
	union {
		struct pvrom_virtio_mmio mmio;
		struct pvrom_virtio_pci pci;
		struct pvrom_virtio_bus bus;
	} transport;
	struct pci_function function;
	struct pvrom_blk_guest_queue queue[DISK_QUEUES];
	const char *way; /* "virtio-pci", "virtio-mmio", "pvrom bus" */
	uint32_t line;	 /* of virtio-mmio, at the I/O APIC */
	uint16_t
		entry; /* what a queue is told: a vector, an entry of the MSI-X table, or NO_VECTOR */
};

/* The disk, NULL if there is none. */
extern struct disk *disk;

/*
 * On CPU 0, when CPUs and calls are there: looks for PCI functions, on pvrom's device bus (unless "disk=mmio")
 * and for what "virtio_mmio.device=SIZE@ADDRESS:LINE" of the command line names, as Linux reads it, and
 * takes the first disk. Prints a line about it. "disk_avoid=HEX": feature bits not to be taken; "disk_bounce": by
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
