/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Guest physical memory: where what is, and what boot leaves in it. */
#ifndef PVRUN_GUEST_MEMORY_H
#define PVRUN_GUEST_MEMORY_H

#include "machine.h"

/*
 * Guest physical memory:
 *
 *   0x00000000  usable
 *   0x00090000  reserved: GDT, boot record, memory map, command line (BOOT_AREA)
 *   0x000a0000  reserved: what a PC has there; plain memory here, all zero
 *   0x00100000  usable, as far as 3 GiB
 *   top of low  reserved: the ROM's pages and VMClock's, read-only to the guest
 *   0xc0000000  the PCI hole: virtio-mmio from 0xd0000000, IOAPIC, local APIC, KVM's own pages (Intel)
 *   0x100000000 usable: what did not fit below the hole
 */
#define BOOT_AREA 0x90000u
#define BOOT_AREA_END 0xa0000u
#define HIGH_START MIB(1)
#define LOW_LIMIT GIB(3)
#define ABOVE_HOLE GIB(4)

/* A range of guest memory, in the numbering of e820 (1 usable, 2 reserved). */
struct map_entry {
	uint64_t start;
	uint64_t size;
	uint32_t type;
};
#define MAP_USABLE 1u
#define MAP_RESERVED 2u
#define MAX_MAP_ENTRIES 8u

/* guest_memory.c */
void memory_create(struct vm *vm, uint8_t *kept);
void memory_destroy(struct vm *vm);
void *memory_span(const struct vm *vm, uint64_t gpa, uint64_t *len);
void *memory_at(const struct vm *vm, uint64_t gpa, uint64_t size);
void *memory_for(const struct vm *vm, uint64_t gpa, uint64_t size, const char *what);
unsigned int memory_map(const struct vm *vm, struct map_entry map[MAX_MAP_ENTRIES]);

/* boot_area.c */
struct boot_area {
	struct vm *vm;
	uint64_t next; /* first free byte of the boot area */
};
void boot_area_start(struct boot_area *area, struct vm *vm);
uint64_t boot_area_take(struct boot_area *area, uint64_t size, uint64_t align);
uint64_t boot_area_string(struct boot_area *area, const char *text);

/* acpi_tables.c */
#define ACPI_RSDP 0xf0000u
void acpi_tables_create(struct vm *vm);

#endif
