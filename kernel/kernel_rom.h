/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The kernel as a client of the guest shim: what it wants, and what it got. */
#ifndef KERNEL_ROM_H
#define KERNEL_ROM_H

#include <pvrom/guest.h>

#include "lib.h"

extern struct pvrom_guest kernel_rom;

/*
 * On the first CPU, with all CPUs online: finds a ROM, negotiates, patches, registers the vCPU
 * areas, and prints "# rom:" and "# feature" lines. Whatever fails, the kernel goes on natively.
 */
void kernel_rom_start(void);
/* On a CPU that comes up: registers its area if a host is there. */
void kernel_rom_init_cpu(void);
/* Between facts: negotiates again if the host has raised the epoch. */
void kernel_rom_poll(void);
/* True if calls of a feature (PVROM_FEATURE_x) go to a host. */
bool kernel_rom_granted(unsigned feature);

#endif
