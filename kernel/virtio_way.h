/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The ways to a VIRTIO device: PCI, pvrom's device bus, registers in memory; and its interrupts. */
#ifndef KERNEL_VIRTIO_WAY_H
#define KERNEL_VIRTIO_WAY_H

#include <pvrom/virtio_guest.h>

#include "pci.h"

struct virtio_way {
	union {
		struct pvrom_virtio_mmio mmio;
		struct pvrom_virtio_pci pci;
		struct pvrom_virtio_bus bus;
	} transport;
	struct pci_function function;
	const char *name; /* "virtio-pci", "virtio-mmio", "pvrom bus" */
	unsigned vector;  /* on CPU 0 */
	uint32_t line;	  /* of virtio-mmio, at the I/O APIC */
	uint16_t
		entry; /* what a queue is told: a vector, an entry of the MSI-X table, or NO_VECTOR */
};

/*
 * The first device of a kind (VIRTIO 1.2, 5), NULL if there is none: among PCI functions; on pvrom's device bus if
 * FEATURE is granted (unless the word OPTION has the value "mmio"); and where "virtio_mmio.device=SIZE@ADDRESS:LINE"
 * of the command line says, as Linux reads it. One CPU at a time.
 */
struct pvrom_virtio *virtio_way_find(struct virtio_way *way, uint32_t kind, unsigned feature,
				     const char *option, unsigned vector);
/* Is it pvrom's device bus? */
bool virtio_way_is_bus(const struct virtio_way *way);
/* Lets the device's interrupts through to this kernel, or not. */
bool virtio_way_interrupts(struct virtio_way *way, struct pvrom_virtio *virtio, bool on);

#endif
