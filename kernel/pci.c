/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Configuration mechanism 1 (PCI Local Bus 3.0, 3.2.2.3.2), first bus only: where QEMU puts devices unless
 * told otherwise. Firmware has given the BARs their addresses. Where there is no PCI the ports read
 * all ones, and nothing is found.
 */
#include "pci.h"

#include "cpu.h"
#include "paging.h"

#define ADDRESS_PORT 0xcf8
#define DATA_PORT 0xcfc
#define ENABLE 0x80000000u
#define COMMAND 0x04
#define COMMAND_MEMORY 2u
#define COMMAND_NO_INTX 0x400u
#define HEADER_TYPE 0x0e
#define BAR(n) (0x10 + 4 * (n))
#define CAPABILITIES 0x34
#define CAPABILITY_MSIX 0x11
#define MSIX_ENABLE 0x8000u
#define MSIX_MASK_ALL 0x4000u
#define MSI_ADDRESS 0xfee00000u

static void select(const struct pci_function *at, uint32_t offset)
{
	cpu_out32(ADDRESS_PORT, ENABLE | (uint32_t)at->device << 11 | (uint32_t)at->function << 8 |
					(offset & 0xfc));
}

uint32_t pci_read(const struct pci_function *at, uint32_t offset, uint32_t bytes)
{
	uint32_t value;

	select(at, offset);
	value = cpu_in32(DATA_PORT) >> 8 * (offset & 3);
	return bytes == 4 ? value : value & ((1u << 8 * bytes) - 1);
}

void pci_write(const struct pci_function *at, uint32_t offset, uint32_t bytes, uint32_t value)
{
	uint16_t port = (uint16_t)(DATA_PORT + (offset & 3));

	select(at, offset);
	if (bytes == 4)
		cpu_out32(port, value);
	else if (bytes == 2)
		cpu_out16(port, (uint16_t)value);
	else
		cpu_out8(port, (uint8_t)value);
}

static bool is_there(const struct pci_function *at)
{
	return pci_read(at, 0, 2) != 0xffff;
}

bool pci_next(struct pci_function *at)
{
	unsigned number = at->device == 0xff ? 0 : at->device * 8u + at->function + 1;

	for (; number < 256; number++) {
		*at = (struct pci_function){ (uint8_t)(number / 8), (uint8_t)(number % 8) };
		if (is_there(at))
			return true;
	}
	return false;
}

/* The bits of a BAR that can be written say how long it is; meanwhile it must not decode anything. */
static uint64_t bar_length(const struct pci_function *at, uint32_t bar, bool wide)
{
	uint32_t command = pci_read(at, COMMAND, 2), low = pci_read(at, BAR(bar), 4), high = 0;
	uint64_t mask;

	pci_write(at, COMMAND, 2, command & ~COMMAND_MEMORY);
	pci_write(at, BAR(bar), 4, 0xffffffff);
	mask = 0xffffffff00000000ull | (pci_read(at, BAR(bar), 4) & ~0xfu);
	pci_write(at, BAR(bar), 4, low);
	if (wide) {
		high = pci_read(at, BAR(bar + 1), 4);
		pci_write(at, BAR(bar + 1), 4, 0xffffffff);
		mask = (mask & 0xffffffff) | (uint64_t)pci_read(at, BAR(bar + 1), 4) << 32;
		pci_write(at, BAR(bar + 1), 4, high);
	}
	pci_write(at, COMMAND, 2, command);
	return ~mask + 1;
}

volatile void *pci_map(const struct pci_function *at, uint32_t bar, uint64_t *length)
{
	uint32_t low = pci_read(at, BAR(bar), 4);
	bool wide = (low & 6) == 4;
	uint64_t address = low & ~0xfu;

	if (low & 1 || (wide && bar == 5))
		return NULL;
	if (wide)
		address |= (uint64_t)pci_read(at, BAR(bar + 1), 4) << 32;
	*length = bar_length(at, bar, wide);
	if (!address || !*length)
		return NULL;
	paging_map_device(ALIGN_DOWN(address, PAGE_SIZE), ALIGN_UP(*length, PAGE_SIZE));
	return (volatile void *)address;
}

static uint32_t find_msix(const struct pci_function *at)
{
	uint32_t cap = pci_read(at, CAPABILITIES, 1) & 0xfc;

	for (unsigned n = 0; cap >= 0x40 && n < 48; n++) {
		if (pci_read(at, cap, 1) == CAPABILITY_MSIX)
			return cap;
		cap = pci_read(at, cap + 1, 1) & 0xfc;
	}
	return 0;
}

/* Each entry: address, data, mask (PCI Local Bus 3.0, 6.8.2). */
static void fill_table(volatile uint32_t *table, uint32_t size, uint32_t entry, unsigned vector,
		       uint32_t apic_id)
{
	for (uint32_t i = 0; i < size; i++, table += 4) {
		table[3] = 1;
		if (i != entry)
			continue;
		table[0] = MSI_ADDRESS | apic_id << 12;
		table[1] = 0;
		table[2] = vector;
		table[3] = 0;
	}
}

bool pci_msix(const struct pci_function *at, uint32_t entry, unsigned vector, uint32_t apic_id)
{
	uint32_t cap = find_msix(at), place, size;
	volatile uint8_t *bar;
	uint64_t length;

	if (!cap)
		return false;
	size = (pci_read(at, cap + 2, 2) & 0x7ff) + 1;
	place = pci_read(at, cap + 4, 4);
	bar = pci_map(at, place & 7, &length);
	if (!bar || entry >= size || (place & ~7u) + 16ull * size > length)
		return false;
	pci_write(at, COMMAND, 2, pci_read(at, COMMAND, 2) | COMMAND_MEMORY | COMMAND_NO_INTX);
	pci_write(at, cap + 2, 2, MSIX_ENABLE | MSIX_MASK_ALL);
	fill_table((volatile uint32_t *)(volatile void *)(bar + (place & ~7u)), size, entry, vector,
		   apic_id);
	pci_write(at, cap + 2, 2, MSIX_ENABLE);
	return true;
}
