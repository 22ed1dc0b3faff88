/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The kernel as a client of the guest shim. */
#ifndef KERNEL_ROM_H
#define KERNEL_ROM_H

#include "lib.h"

static inline void kernel_rom_init_cpu(void) {}
static inline void kernel_rom_start(void) {}

#endif
