/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The kernel as a client of the guest shim: what it wants, and what it got. */
#ifndef KERNEL_ROM_H
#define KERNEL_ROM_H

#include <pvrom/guest.h>

#include "lib.h"

struct trap_frame;

extern struct pvrom_guest kernel_rom;

/*
 * On the first CPU, with all CPUs online: finds a ROM, negotiates, patches, registers the vCPU
 * areas, and prints "# rom:" and "# feature" lines. Whatever fails, the kernel goes on natively.
 */
void kernel_rom_start(void);
/* On a CPU that comes up: registers its area if a host is there. */
void kernel_rom_init_cpu(void);
/*
 * May the code that FRAME interrupted wait while sites are written? Not in the middle of a site, and not
 * in ROM text. Behind the work of either, before a NOP or a return, FRAME is moved on to where it
 * may. False: let it go on and interrupt it again. Executes no site.
 */
bool kernel_rom_may_wait(struct trap_frame *frame);
/* Between facts: negotiates again if the host has raised the epoch. */
void kernel_rom_poll(void);
/* From now on the sites of a call that no slot serves call FUNCTION, or are native (NULL). */
void kernel_rom_own(uint32_t call, void (*function)(void));
/* The first site of a call; NULL if there is none. */
const uint8_t *kernel_rom_site(uint32_t call);
/* True if calls of a feature (PVROM_FEATURE_x) go to a host. */
bool kernel_rom_granted(unsigned feature);

#endif
