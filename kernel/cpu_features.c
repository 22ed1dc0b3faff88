/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Switches on, by sites, what the boot code did not need. */
#include "cpu_features.h"

#include "cpu.h"

bool features_cpuid(uint32_t leaf, uint32_t sub, unsigned reg, unsigned bit)
{
	uint32_t regs[4];

	pvrom_cpuid(leaf & 0x80000000, 0, regs);
	if (regs[0] < leaf)
		return false;
	pvrom_cpuid(leaf, sub, regs);
	return regs[reg] >> bit & 1;
}

/* x87, SSE and AVX are all that the kernel knows; the others stay off. */
static void init_xsave(void)
{
	pvrom_write_xcr(0, cpu_cpuid(0xd, 0).eax & 7);
}

void features_init_cpu(void)
{
	uint64_t cr4 = cpu_read_cr4() | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	if (HAS_SMEP)
		cr4 |= CR4_SMEP;
	if (HAS_SMAP)
		cr4 |= CR4_SMAP;
	if (HAS_UMIP)
		cr4 |= CR4_UMIP;
	if (HAS_XSAVE)
		cr4 |= CR4_OSXSAVE;
	cpu_write_cr4(cr4);
	if (HAS_XSAVE)
		init_xsave();
	__asm__ volatile("fninit");
}
