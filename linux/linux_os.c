/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the shim needs of a kernel (<pvrom/kernel_api.h>), by Linux. The module runs no foreign code and has no
 * call sites, so the ROM is looked at and never made executable, and there is no text to write.
 */
#include "linux_module.h"

#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include <asm/e820/types.h>
#include <asm/processor.h>

#include <pvrom/kernel_api.h>

/* The window of option ROMs is always in Linux's map of all memory. */
static bool is_in_window(uint64_t gpa, size_t size)
{
	return gpa >= ISA_START_ADDRESS && gpa + size <= ISA_END_ADDRESS;
}

static bool is_all_ram(uint64_t gpa, uint64_t end)
{
	uint64_t page;

	for (page = gpa >> PAGE_SHIFT; page <= (end - 1) >> PAGE_SHIFT; page++)
		if (!page_is_ram(page))
			return false;
	return true;
}

/*
 * memremap() warns, loudly, of what is no address and of what is half memory and half something else. What is half memory
 * and half nothing that Linux knows it takes for memory, and who reads on faults.
 */
static bool can_be_mapped(uint64_t gpa, size_t size)
{
	uint64_t end = gpa + size;

	if (!size || end <= gpa || end > 1ULL << boot_cpu_data.x86_phys_bits)
		return false;
	switch (region_intersects(gpa, size, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE)) {
	case REGION_DISJOINT: return true;
	case REGION_INTERSECTS: return is_all_ram(gpa, end);
	default: return false;
	}
}

const void *pvrom_os_map(void *os, uint64_t gpa, size_t size)
{
	const void *rom = linux_rom_at(gpa, size);

	if (rom)
		return rom;
	/* On the way back from suspend nothing can be mapped. */
	if (irqs_disabled() || !can_be_mapped(gpa, size))
		return NULL;
	if (is_in_window(gpa, size))
		return phys_to_virt(gpa);
	return memremap(gpa, size, MEMREMAP_WB);
}

/* Does nothing for what is in the map of all memory. */
void pvrom_os_unmap(void *os, const void *where, size_t size)
{
	if (!linux_rom_has(where))
		memunmap((void *)where);
}

/* Linux's map of all memory is contiguous; what is mapped elsewhere (a module's own variables) is refused. */
uint64_t pvrom_os_gpa(void *os, const void *where, size_t size)
{
	return virt_addr_valid(where) ? virt_to_phys((void *)where) : 0;
}

void *pvrom_os_text_alloc(void *os, size_t size)
{
	return vmalloc(size);
}

void pvrom_os_text_free(void *os, void *where, size_t size)
{
	vfree(where);
}

bool pvrom_os_text_seal(void *os, void *where, size_t size)
{
	return false;
}

bool pvrom_os_text_write(void *os, void *where, const void *bytes, size_t size)
{
	return false;
}

/* No CPU can be in the middle of a site where there is none. */
void pvrom_os_rendezvous(void *os, void (*act)(void *argument), void *argument)
{
	act(argument);
}
