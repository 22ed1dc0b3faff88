/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Finds VIRTIO devices, whatever carries them. */
#include "virtio_way.h"

#include "boot_record.h"
#include "cpu.h"
#include "irq.h"
#include "kernel_rom.h"
#include "memory.h"
#include "paging.h"
#include "percpu.h"

#define MMIO_OPTION "virtio_mmio.device="

/* ---- PCI ----------------------------------------------------------------------------------------- */

static uint32_t os_read(void *ctx, uint32_t offset, uint32_t bytes)
{
	return pci_read(ctx, offset, bytes);
}

static void os_write(void *ctx, uint32_t offset, uint32_t bytes, uint32_t value)
{
	pci_write(ctx, offset, bytes, value);
}

static volatile void *os_map(void *ctx, uint32_t bar, uint64_t *length)
{
	return pci_map(ctx, bar, length);
}

static const struct pvrom_virtio_pci_os pci_os = { os_read, os_write, os_map };

static struct pvrom_virtio *find_pci(struct virtio_way *w, uint32_t kind)
{
	w->function = (struct pci_function){ 0xff, 0xff };
	while (pci_next(&w->function)) {
		if (pvrom_virtio_pci_open(&w->transport.pci, &pci_os, &w->function) ||
		    w->transport.pci.virtio.id != kind)
			continue;
		w->name = "virtio-pci";
		w->entry = pci_msix(&w->function, 0, w->vector, cpus[0].apic_id)
				   ? 0
				   : PVROM_VIRTIO_NO_VECTOR;
		return &w->transport.pci.virtio;
	}
	return NULL;
}

/* ---- the bus -------------------------------------------------------------------------------------- */

static uint32_t os_call(void *ctx, uint32_t number, uint64_t arg0, uint64_t arg1, uint64_t arg2,
			uint64_t *value)
{
	(void)ctx;
	return pvrom_call(&kernel_rom, number, arg0, arg1, arg2, 0, value);
}

static void os_out(void *ctx, uint16_t port, uint32_t value)
{
	(void)ctx;
	cpu_out32(port, value);
}

static const struct pvrom_virtio_bus_os bus_os = { os_call, os_out };

static const char bus_name[] = "pvrom bus";

bool virtio_way_is_bus(const struct virtio_way *way)
{
	return way->name == bus_name;
}

static struct pvrom_virtio *find_bus(struct virtio_way *w, uint32_t kind)
{
	uint32_t number = 0;

	w->name = bus_name;
	w->entry = (uint16_t)w->vector;
	while (pvrom_virtio_bus_open(&w->transport.bus, number++, &bus_os, NULL) == PVROM_VIRTIO_OK)
		if (w->transport.bus.virtio.id == kind)
			return &w->transport.bus.virtio;
	return NULL;
}

/* ---- registers in memory ----------------------------------------------------------------------------- */

static const char *behind(const char *text, char sign)
{
	while (*text && *text != ' ' && *text != sign)
		text++;
	return *text == sign ? text + 1 : NULL;
}

/* SIZE@ADDRESS:LINE */
static bool open_mmio(struct virtio_way *w, uint32_t kind, const char *text)
{
	uint64_t size = lib_number(text), address;
	const char *at = behind(text, '@'), *line = at ? behind(at, ':') : NULL;

	if (!line)
		return false;
	address = lib_number(at);
	w->line = (uint32_t)lib_number(line);
	paging_map_device(ALIGN_DOWN(address, PAGE_SIZE), PAGE_SIZE);
	return pvrom_virtio_mmio_open(&w->transport.mmio, (volatile void *)address,
				      (uint32_t)size) == PVROM_VIRTIO_OK &&
	       w->transport.mmio.virtio.id == kind;
}

static struct pvrom_virtio *find_mmio(struct virtio_way *w, uint32_t kind)
{
	const char *text = boot_record.command_line;

	w->name = "virtio-mmio";
	w->entry = PVROM_VIRTIO_NO_VECTOR;
	for (; *text; text++)
		if (lib_starts(text, MMIO_OPTION) &&
		    open_mmio(w, kind, text + sizeof(MMIO_OPTION) - 1))
			return &w->transport.mmio.virtio;
	return NULL;
}

/* ---- any of these --------------------------------------------------------------------------------- */

struct pvrom_virtio *virtio_way_find(struct virtio_way *way, uint32_t kind, unsigned feature,
				     const char *option, unsigned vector)
{
	struct pvrom_virtio *virtio;

	way->vector = vector;
	virtio = find_pci(way, kind);
	if (!virtio && kernel_rom_granted(feature) && !boot_option_is(option, "mmio"))
		virtio = find_bus(way, kind);
	return virtio ? virtio : find_mmio(way, kind);
}

bool virtio_way_interrupts(struct virtio_way *way, struct pvrom_virtio *virtio, bool on)
{
	if (way->entry != PVROM_VIRTIO_NO_VECTOR)
		return true;
	if (way->name[7] != 'm') /* a PCI line: which one it is only firmware knows */
		return false;
	virtio->ops->interrupt(virtio);
	return (!on || pvrom_irq_route(way->line, way->vector, cpus[0].vcpu) == PVROM_STATUS_OK) &&
	       pvrom_irq_mask(way->line, !on) == PVROM_STATUS_OK;
}
