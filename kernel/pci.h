/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* PCI functions of the first bus: configuration space by ports, BARs, and MSI-X. */
#ifndef KERNEL_PCI_H
#define KERNEL_PCI_H

#include "lib.h"

struct pci_function {
	uint8_t device, function;
};

/* 1, 2 or 4 bytes of configuration space, aligned, below 256. One CPU at a time. */
uint32_t pci_read(const struct pci_function *at, uint32_t offset, uint32_t bytes);
void pci_write(const struct pci_function *at, uint32_t offset, uint32_t bytes, uint32_t value);
/* Moves on to the next function that is there; begin with device and function 0xff. False at the end. */
bool pci_next(struct pci_function *at);
/* A memory BAR (0 to 5), mapped uncached, and its length; NULL if it is none or has no address. */
volatile void *pci_map(const struct pci_function *at, uint32_t bar, uint64_t *length);
/* Entry ENTRY of the MSI-X table sends VECTOR to the CPU with APIC_ID; all others are masked. */
bool pci_msix(const struct pci_function *at, uint32_t entry, unsigned vector, uint32_t apic_id);

#endif
