/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Disks, as the rest of pvrun sees them. disk_absent.c stands in where liburing is missing. */
#ifndef PVRUN_DISK_H
#define PVRUN_DISK_H

#include "machine.h"

struct virtio_device *disk_create(struct vm *vm, const struct disk_arg *arg, unsigned int number);
void disk_destroy(struct virtio_device *device);

#endif
