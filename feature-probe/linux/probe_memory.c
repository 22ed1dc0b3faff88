/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The ROM in physical memory, by /dev/mem, which takes root: where CPUID says, and in the option ROM window.
 * It is read and never executed. Expansion ROMs of PCI devices are left alone: to read one, its device's
 * decoder has to be switched over under a driver that may be using it.
 */
#include "probe_linux.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

/*
 * All of it or nothing. By a mapping, for read() ends where the kernel's memory does (valid_phys_addr_range()), and a
 * ROM may lie above that.
 */
static bool read_at(int fd, uint64_t gpa, void *to, size_t size)
{
	uint64_t begin = gpa & ~(uint64_t)(PAGE - 1);
	size_t length = (size_t)(gpa - begin) + size;
	void *map;

	if (gpa > INT64_MAX - size)
		return false;
	map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, (off_t)begin);
	if (map == MAP_FAILED)
		return false;
	memcpy(to, (char *)map + (gpa - begin), size);
	munmap(map, length);
	return true;
}

static bool take(struct pvrom_probe_evidence *evidence, int fd, uint64_t gpa, uint32_t size,
		 uint32_t route)
{
	if (size < PVROM_ROM_SIZE_MIN || size > evidence->rom_room ||
	    !read_at(fd, gpa, evidence->rom, size))
		return false;
	evidence->rom_size = size;
	evidence->rom_route = route;
	return true;
}

/* The leaves of pvrom: address and size of the ROM. */
static const uint32_t *leaves(const struct pvrom_probe_evidence *evidence, uint32_t which)
{
	for (uint32_t i = 0; i < evidence->leaves; i++) {
		const struct pvrom_probe_leaf *leaf = &evidence->leaf[i];

		if (leaf->leaf >= PVROM_CPUID_BASE_FIRST && leaf->leaf <= PVROM_CPUID_BASE_LAST &&
		    leaf->regs[1] == PVROM_CPUID_SIGNATURE_EBX &&
		    leaf->regs[2] == PVROM_CPUID_SIGNATURE_ECX &&
		    leaf->regs[3] == PVROM_CPUID_SIGNATURE_EDX)
			return pvrom_probe_leaf(evidence, leaf->leaf + which, 0);
	}
	return NULL;
}

static bool take_by_cpuid(struct pvrom_probe_evidence *evidence, int fd)
{
	const uint32_t *size = leaves(evidence, 1), *where = leaves(evidence, 2);

	return size != NULL && where != NULL &&
	       take(evidence, fd, (uint64_t)where[1] << 32 | where[0], size[2], PVROM_ROUTE_CPUID);
}

/* 55 AA at a multiple of 2 KiB, and our signature behind it. */
static bool take_in_window(struct pvrom_probe_evidence *evidence, int fd)
{
	struct pvrom_rom_header header;

	for (uint32_t at = PVROM_WINDOW_FIRST; at < PVROM_WINDOW_END; at += PVROM_WINDOW_STEP)
		if (read_at(fd, at, &header, sizeof(header)) &&
		    header.option_signature == PVROM_ROM_OPTION_SIGNATURE &&
		    header.signature == PVROM_ROM_SIGNATURE &&
		    header.rom_size <= PVROM_WINDOW_END - at &&
		    take(evidence, fd, at, header.rom_size, PVROM_ROUTE_WINDOW))
			return true;
	return false;
}

void gather_rom(struct pvrom_probe_evidence *evidence)
{
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	evidence->look = PVROM_PROBE_LOOKED;
	if (!take_by_cpuid(evidence, fd))
		take_in_window(evidence, fd);
	close(fd);
}
