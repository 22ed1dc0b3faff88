/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Route 3 as far as a module can go it: the expansion ROMs of PCI devices. UEFI's configuration table is told to no
 * module; its address stands in /sys/firmware/efi, and who finds the ROM there names it by the parameter rom.
 */
#include "linux_module.h"

#include <linux/pci.h>

#include <pvrom/kernel_api.h>

#define OPEN_MAX 16

static struct {
	struct pci_dev *device;
	void __iomem *where;
	uint64_t gpa;
	size_t size;
} opened[OPEN_MAX];
static unsigned int opened_count;

/*
 * Some devices have one decoder for their ROM and their registers, so those with a driver are left alone; and real
 * machines too, for a ROM is worth nothing without a host. A shadowed ROM is in the window anyway.
 */
static bool may_open(struct pci_dev *device)
{
	return boot_cpu_has(X86_FEATURE_HYPERVISOR) && !device->driver &&
	       pci_resource_len(device, PCI_ROM_RESOURCE) &&
	       !(pci_resource_flags(device, PCI_ROM_RESOURCE) & IORESOURCE_ROM_SHADOW);
}

/* Decoded, and locked so that no driver comes, until linux_rom_close(). */
static void open_rom(struct pci_dev *device)
{
	void __iomem *where;
	size_t size;

	if (!device_trylock(&device->dev))
		return;
	where = may_open(device) ? pci_map_rom(device, &size) : NULL;
	if (!where) {
		device_unlock(&device->dev);
		return;
	}
	opened[opened_count].device = pci_dev_get(device);
	opened[opened_count].where = where;
	opened[opened_count].size = size;
	opened[opened_count++].gpa = pci_resource_start(device, PCI_ROM_RESOURCE);
}

static void open_all(void)
{
	struct pci_dev *device = NULL;

	while (opened_count < OPEN_MAX &&
	       (device = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, device)) != NULL)
		open_rom(device);
	pci_dev_put(device); /* the one at which it was enough */
}

bool pvrom_os_firmware_rom(void *os, unsigned int n, uint64_t *gpa, uint64_t *size)
{
	if (n == 0 && !opened_count)
		open_all();
	if (n >= opened_count)
		return false;
	*gpa = opened[n].gpa;
	*size = opened[n].size;
	return true;
}

/* With plain loads, as the shim reads all that it maps. */
static const char *start_of(unsigned int i)
{
	return (const char __force *)opened[i].where;
}

const void *linux_rom_at(uint64_t gpa, size_t size)
{
	unsigned int i;

	for (i = 0; i < opened_count; i++)
		if (gpa >= opened[i].gpa && size <= opened[i].size &&
		    gpa - opened[i].gpa <= opened[i].size - size)
			return start_of(i) + (gpa - opened[i].gpa);
	return NULL;
}

bool linux_rom_has(const void *where)
{
	const char *at = where;
	unsigned int i;

	for (i = 0; i < opened_count; i++)
		if (at >= start_of(i) && at < start_of(i) + opened[i].size)
			return true;
	return false;
}

void linux_rom_close(void)
{
	while (opened_count) {
		opened_count--;
		pci_unmap_rom(opened[opened_count].device, opened[opened_count].where);
		device_unlock(&opened[opened_count].device->dev);
		pci_dev_put(opened[opened_count].device);
	}
}
