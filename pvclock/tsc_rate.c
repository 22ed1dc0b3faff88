/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What CPUID says of the TSC's rate, and which foreign clocks it promises. */
#include "foreign.h"

#include <pvrom/discovery.h>

/* SDM vol. 2, CPUID, leaf 15H: EBX/EAX is the ratio of the TSC to the crystal, ECX the crystal's Hz. */
static uint64_t hz_of_leaf_15(const struct pvrom_clock_os *os)
{
	uint32_t regs[4];
	unsigned __int128 hz;

	os->cpuid(0, 0, regs);
	if (regs[0] < 0x15)
		return 0;
	os->cpuid(0x15, 0, regs);
	/* A processor may keep its crystal to itself; to guess by the model is not for us. */
	if (!regs[0] || !regs[1] || !regs[2])
		return 0;
	hz = (unsigned __int128)regs[2] * regs[1];
	return hz > UINT64_MAX ? 0 : (uint64_t)hz / regs[0];
}

static bool is(const uint32_t regs[4], const char signature[12])
{
	uint32_t word;
	int i, byte;

	for (i = 0; i < 3; i++) {
		for (word = 0, byte = 3; byte >= 0; byte--)
			word = word << 8 | (uint8_t)signature[4 * i + byte];
		if (regs[i + 1] != word)
			return false;
	}
	return true;
}

static bool has_hypervisor(const struct pvrom_clock_os *os)
{
	uint32_t regs[4];

	os->cpuid(1, 0, regs);
	return regs[2] >> PVROM_CPUID_HYPERVISOR_BIT & 1;
}

/* As VMware defined it and KVM's monitors show it: EAX is the TSC's rate in kHz. */
static uint64_t hz_of_leaf_40000010(const struct pvrom_clock_os *os)
{
	uint32_t regs[4];

	if (!has_hypervisor(os))
		return 0;
	os->cpuid(PVROM_CPUID_BASE_FIRST, 0, regs);
	if (regs[0] < 0x40000010 || regs[0] > 0x400000ff)
		return 0;
	if (!is(regs, "VMwareVMware") && !is(regs, "KVMKVMKVM\0\0\0"))
		return 0;
	os->cpuid(0x40000010, 0, regs);
	return (uint64_t)regs[0] * 1000;
}

uint64_t pvrom_clock_leaf_hz(const struct pvrom_clock_os *os, uint32_t source)
{
	uint64_t hz = source == PVROM_CLOCK_SOURCE_CPUID_15	    ? hz_of_leaf_15(os)
		      : source == PVROM_CLOCK_SOURCE_CPUID_40000010 ? hz_of_leaf_40000010(os)
								    : 0;

	return pvrom_is_tsc_hz(hz) ? hz : 0;
}

uint64_t pvrom_clock_stated_hz(const struct pvrom_clock_os *os, uint32_t *source)
{
	uint64_t hz;

	*source = PVROM_CLOCK_SOURCE_CPUID_15;
	hz = pvrom_clock_leaf_hz(os, *source);
	if (hz)
		return hz;
	*source = PVROM_CLOCK_SOURCE_CPUID_40000010;
	hz = pvrom_clock_leaf_hz(os, *source);
	if (!hz)
		*source = PVROM_CLOCK_SOURCE_NONE;
	return hz;
}

/* KVM's leaves stand at 0x40000000, or above those of Hyper-V: Documentation/virt/kvm/x86/cpuid.rst. */
bool pvrom_kvm_promised(const struct pvrom_clock_os *os)
{
	const uint32_t clocksource2 = 1u << 3;
	uint32_t regs[4], base;

	if (!has_hypervisor(os))
		return false;
	for (base = PVROM_CPUID_BASE_FIRST; base <= PVROM_CPUID_BASE_LAST;
	     base += PVROM_CPUID_BASE_STEP) {
		os->cpuid(base, 0, regs);
		/* Old hosts say 0 for base + 1. */
		if (!is(regs, "KVMKVMKVM\0\0\0") || (regs[0] && regs[0] - base - 1 > 0xfe))
			continue;
		os->cpuid(base + 1, 0, regs);
		return regs[0] & clocksource2;
	}
	return false;
}

/* TLFS, "Hypervisor Discovery" and "Feature Identification": privilege AccessPartitionReferenceTsc. */
bool pvrom_hyperv_promised(const struct pvrom_clock_os *os)
{
	const uint32_t interface = 0x31237648 /* "Hv#1" */, reference_tsc = 1u << 9;
	uint32_t regs[4];

	if (!has_hypervisor(os))
		return false;
	os->cpuid(PVROM_CPUID_BASE_FIRST, 0, regs);
	if (regs[0] < 0x40000003 || regs[0] > 0x400000ff)
		return false;
	os->cpuid(0x40000001, 0, regs);
	if (regs[0] != interface)
		return false;
	os->cpuid(0x40000003, 0, regs);
	return regs[0] & reference_tsc;
}
