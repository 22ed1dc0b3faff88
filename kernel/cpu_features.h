/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* CPU features that the kernel uses or tests, and switching them on. */
#ifndef KERNEL_FEATURES_H
#define KERNEL_FEATURES_H

#include "lib.h"

/*
 * On each CPU: CR4.PGE, SMEP, SMAP, UMIP where CPUID has them; x87, SSE and AVX on and reset.
 * PAT and the like stay as they are after reset.
 */
void features_init_cpu(void);
/* CPUID.leaf(sub).REGISTER[bit], register 0..3 for eax..edx; false where the leaf does not exist. */
bool features_cpuid(uint32_t leaf, uint32_t sub, unsigned reg, unsigned bit);

#define HAS_APIC features_cpuid(1, 0, 3, 9)
#define HAS_TSC_DEADLINE features_cpuid(1, 0, 2, 24)
#define HAS_X2APIC features_cpuid(1, 0, 2, 21)
#define HAS_XSAVE features_cpuid(1, 0, 2, 26)
#define HAS_AVX features_cpuid(1, 0, 2, 28)
#define HAS_PCID features_cpuid(1, 0, 2, 17)
#define HAS_FSGSBASE features_cpuid(7, 0, 1, 0)
#define HAS_SMEP features_cpuid(7, 0, 1, 7)
#define HAS_SMAP features_cpuid(7, 0, 1, 20)
#define HAS_UMIP features_cpuid(7, 0, 2, 2)
#define HAS_PKU features_cpuid(7, 0, 2, 3)
#define HAS_RDTSCP features_cpuid(0x80000001, 0, 3, 27)
#define HAS_1G_PAGES features_cpuid(0x80000001, 0, 3, 26)

#endif
