/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the guest shim needs of a kernel (<pvrom/kernel_api.h>), by this kernel's means. */
#include <pvrom/kernel_api.h>

#include "cpu.h"
#include "memory.h"
#include "paging.h"
#include "smp.h"

/* Physical addresses below this are mapped one to one on request; the rest is user and test area. */
#define MAP_END BIT(46)
#define REACH BIT(31)

static bool is_mapped(uint64_t address)
{
	uint64_t *large = paging_entry(paging_root, address, 2);
	uint64_t *small = paging_entry(paging_root, address, 1);

	return small ? *small & PTE_P : large && (*large & PTE_P);
}

/* What a table entry may point to: an address of more bits than the processor has faults when used. */
static uint64_t map_end(void)
{
	uint64_t end = BIT(cpu_cpuid(0x80000008, 0).eax & 63);

	return end < MAP_END ? end : MAP_END;
}

/* What the kernel has not mapped at boot (a ROM in no range of the loader's map) is mapped here. */
const void *pvrom_os_map(void *os, uint64_t gpa, size_t size)
{
	const uint64_t end = map_end();

	(void)os;
	if (gpa < PAGE_SIZE || gpa >= end || size > end - gpa)
		return NULL;
	for (uint64_t at = ALIGN_DOWN(gpa, PAGE_SIZE); at < gpa + size; at += PAGE_SIZE)
		if (!is_mapped(at))
			paging_map(paging_root, at, at, PTE_P | PTE_NX, 1);
	return (const void *)gpa;
}

/* Stays mapped: read-only and not executable, it harms nobody. */
void pvrom_os_unmap(void *os, const void *where, size_t size)
{
	(void)os;
	(void)where;
	(void)size;
}

uint64_t pvrom_os_gpa(void *os, const void *where, size_t size)
{
	uint64_t address = (uint64_t)where;

	(void)os;
	return address < MAP_END && size <= MAP_END - address ? address : 0;
}

void *pvrom_os_text_alloc(void *os, size_t size)
{
	uint64_t pages = ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE;
	uint64_t memory = (uint64_t)memory_pages(pages, PAGE_SIZE);

	(void)os;
	return memory + size < REACH ? (void *)memory : NULL;
}

static void nothing(void *unused)
{
	(void)unused;
}

/* A rendezvous ends with a CR3 load on every CPU, and no kernel page is global. */
static void protect_everywhere(void *where, size_t size, uint64_t flags)
{
	paging_protect((uint64_t)where, ALIGN_UP(size, PAGE_SIZE), flags);
	smp_rendezvous(nothing, NULL);
}

void pvrom_os_text_free(void *os, void *where, size_t size)
{
	(void)os;
	protect_everywhere(where, size, PTE_W | PTE_NX);
	for (size_t at = 0; at < size; at += PAGE_SIZE)
		memory_free((char *)where + at);
}

bool pvrom_os_text_seal(void *os, void *where, size_t size)
{
	(void)os;
	protect_everywhere(where, size, 0);
	return true;
}

bool pvrom_os_text_write(void *os, void *where, const void *bytes, size_t size)
{
	(void)os;
	paging_poke(where, bytes, size);
	return true;
}

struct act {
	void (*act)(void *argument);
	void *argument;
};

/* The writable alias is gone before the first CPU goes on. */
static void act_and_close(void *argument)
{
	struct act *a = argument;

	a->act(a->argument);
	paging_poke_end();
}

void pvrom_os_rendezvous(void *os, void (*act)(void *argument), void *argument)
{
	struct act both = { act, argument };

	(void)os;
	smp_rendezvous(act_and_close, &both);
}

/* This kernel is booted by PVH or multiboot: there is no UEFI table, and it looks at no PCI. */
bool pvrom_os_firmware_rom(void *os, unsigned int n, uint64_t *gpa, uint64_t *size)
{
	(void)os;
	(void)n;
	(void)gpa;
	(void)size;
	return false;
}
