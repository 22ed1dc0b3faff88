/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The ROM, looked for by the shim's own search (guest/find.c), to which this file gives the leaves that were recorded,
 * physical memory by /dev/mem (which takes root), and the places that probe_places.c knows. It is read and never
 * executed, and no port is touched: whether a host answers on one only a kernel can find out.
 */
#include "probe_linux.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../guest/guest_internal.h"

#define PAGE 4096u

static struct pvrom_probe_evidence *found_in;
static int mem = -1;

/* ---- what the shim's search asks of a kernel ---------------------------------------------------------- */

void pvrom_insn_cpuid(uint32_t leaf, uint32_t regs[4])
{
	const uint32_t *recorded = pvrom_probe_leaf(found_in, leaf, 0);

	memset(regs, 0, 4 * sizeof(regs[0]));
	if (recorded != NULL)
		memcpy(regs, recorded, 4 * sizeof(regs[0]));
}

/* No nonce comes back from a port that always says the same. */
uint32_t pvrom_insn_in32(uint16_t port)
{
	(void)port;
	return 0;
}

void pvrom_insn_out32(uint16_t port, uint32_t value)
{
	(void)port;
	(void)value;
}

uint32_t pvrom_insn_nonce(void)
{
	return 1;
}

/* By a mapping, for read() ends where the kernel's memory does (valid_phys_addr_range()), and a ROM may lie above it. */
static bool copy_physical(uint64_t gpa, void *to, size_t size)
{
	uint64_t begin = gpa & ~(uint64_t)(PAGE - 1);
	size_t length = (size_t)(gpa - begin) + size;
	void *map;

	if (mem < 0 || gpa > INT64_MAX - size)
		return false;
	map = mmap(NULL, length, PROT_READ, MAP_SHARED, mem, (off_t)begin);
	if (map == MAP_FAILED)
		return false;
	memcpy(to, (char *)map + (gpa - begin), size);
	munmap(map, length);
	return true;
}

size_t memory_copy(uint64_t gpa, void *to, size_t size)
{
	if (places_own(gpa))
		return places_copy(gpa, to, size);
	return copy_physical(gpa, to, size) ? size : 0;
}

/* A copy: all of it or nothing. */
const void *pvrom_os_map(void *os, uint64_t gpa, size_t size)
{
	void *copy = size <= PVROM_ROM_SIZE_MAX ? malloc(size) : NULL;

	(void)os;
	if (copy != NULL && memory_copy(gpa, copy, size) == size)
		return copy;
	free(copy);
	return NULL;
}

void pvrom_os_unmap(void *os, const void *where, size_t size)
{
	(void)os;
	(void)size;
	free((void *)where);
}

bool pvrom_os_firmware_rom(void *os, unsigned int n, uint64_t *gpa, uint64_t *size)
{
	(void)os;
	return places_get(n, gpa, size);
}

/* ---- all together ------------------------------------------------------------------------------------- */

/* As much as there is: a header may say more. */
static void take(struct pvrom_probe_evidence *evidence, const struct pvrom_guest *guest)
{
	const char *where = places_words(guest->rom_gpa);
	size_t size = guest->rom_size;

	if (size > evidence->rom_room)
		size = evidence->rom_room;
	evidence->rom_size = memory_copy(guest->rom_gpa, evidence->rom, size);
	if (evidence->rom_size == 0)
		return;
	evidence->rom_route = guest->route;
	evidence->two_roms = guest->verdict == PVROM_VERDICT_TWO_ROMS;
	if (guest->route == PVROM_ROUTE_FIRMWARE && where != NULL)
		pvrom_probe_add_fact(evidence, "rom.place", where);
}

void gather_rom(struct pvrom_probe_evidence *evidence, bool devices)
{
	const struct pvrom_policy policy = { .loader_gpa = places_loader() };
	struct pvrom_guest guest = { .policy = &policy };

	found_in = evidence;
	mem = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	if (mem >= 0)
		evidence->look = PVROM_PROBE_LOOKED;
	if (mem < 0 && geteuid() != 0)
		return;
	places_start(evidence, devices);
	pvrom_guest_find(&guest);
	if (guest.rom_size != 0)
		take(evidence, &guest);
	places_stop();
	if (mem >= 0)
		close(mem);
}
