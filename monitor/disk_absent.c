/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* No disks: this pvrun was built without liburing, which their files are read and written with. */
#include "disk.h"
#include "pc_devices.h"
#include "saved_machine.h"

#include <stdio.h>

struct virtio_device *disk_create(struct vm *vm, const struct disk_arg *arg, unsigned int number)
{
	(void)vm;
	(void)number;
	fail(EXIT_CANNOT_RUN, "--disk %s: this pvrun was built without liburing", arg->path);
}

void disk_destroy(struct virtio_device *device)
{
	(void)device;
}

bool virtio_mmio_access(struct vm *vm, uint64_t gpa, void *data, uint32_t len, bool write)
{
	(void)vm;
	(void)gpa;
	(void)data;
	(void)len;
	(void)write;
	return false;
}

void virtio_bus_offer(struct vm *vm)
{
	static const struct pvrom_bus_ops none;

	pvrom_bus_host_init(&vm->bus, &none, NULL, 0, 0);
}

void virtio_interrupt_again(struct vm *vm)
{
	(void)vm;
}

void saved_pause_virtio(struct vm *vm)
{
	(void)vm;
}

void saved_put_virtio(struct vm *vm, FILE *file)
{
	(void)vm;
	(void)file;
}

void saved_take_virtio(struct vm *vm, FILE *file)
{
	(void)vm;
	(void)file;
}
