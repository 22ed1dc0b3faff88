/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Sites in assembly, by the names trap_entry.S uses. */
#ifndef KERNEL_CPU_ASM_H
#define KERNEL_CPU_ASM_H

#include <pvrom/sites.h>

#define CPU_SWAPGS PVROM_SITE_SWAPGS
#define CPU_IRETQ PVROM_SITE_IRET
#define CPU_SYSRETQ PVROM_SITE_SYSRET

#endif
