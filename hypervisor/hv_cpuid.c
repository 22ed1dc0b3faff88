/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The CPU that the guest sees: the physical one, less what this hypervisor does not virtualize, and
 * pvrom's leaves at the first hypervisor base.
 */
#include "hv.h"

#define PVROM_BASE 0x40000000u
#define TSC_LEAF 0x15
#define HYPERVISOR_LEAVES 0x10000000u /* 0x40000000 to 0x4fffffff */

/* X(leaf, subleaf or ANY, register, bits): hidden. Intel SDM vol. 2A and AMD APM vol. 3, CPUID. */
#define ANY UINT32_MAX
static const struct {
	uint32_t leaf, subleaf, reg, bits;
} hidden[] = {
	/* MONITOR, PCID, x2APIC, TSC deadline, OSXSAVE (the guest's, below) */
	{ 0x1, ANY, ECX, 1u << 3 | 1u << 17 | 1u << 21 | 1u << 24 | 1u << 27 },
	/* machine checks, APIC, MTRRs */
	{ 0x1, ANY, EDX, 1u << 7 | 1u << 9 | 1u << 12 | 1u << 14 },
	/* PKU, OSPKE, LA57, protection keys of the supervisor */
	{ 0x7, 0, ECX, 3u << 3 | 1u << 16 | 1u << 31 },
	{ 0x7, 0, EDX, UINT32_MAX },   /* MSRs of speculation, CET and the like */
	{ 0xa, ANY, EAX, UINT32_MAX }, /* performance counters */
	{ 0xd, 1, EAX, 1u << 3 },      /* XSAVES */
	/* SVM, extended APIC space, IBS, SKINIT, watchdog, counters, monitors */
	{ 0x80000001, ANY, ECX, 1u << 2 | 1u << 3 | 0x07801c00 },
	{ 0x80000001, ANY, EDX, 1u << 7 | 1u << 9 | 1u << 12 | 1u << 14 },
	{ 0x8000000a, ANY, EAX, UINT32_MAX },
	{ 0x8000000a, ANY, EBX, UINT32_MAX },
	{ 0x8000000a, ANY, EDX, UINT32_MAX },
};

static void hide(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (hidden[i].leaf == leaf &&
		    (hidden[i].subleaf == ANY || hidden[i].subleaf == subleaf))
			regs[hidden[i].reg] &= ~hidden[i].bits;
}

/* Each vCPU its number, by which the interface knows it too. */
static void number(const struct hv_vcpu *vcpu, uint32_t leaf, uint32_t regs[4])
{
	if (leaf == 1)
		regs[EBX] = (regs[EBX] & 0xffff) | hv.cpus << 16 | vcpu->id << 24;
	else if (leaf == 0xb || leaf == 0x1f)
		regs[EDX] = vcpu->id;
	else if (leaf == 0x8000001e)
		regs[EAX] = vcpu->id;
}

/* The rate of the TSC, in the leaf that Intel has for it; leaves before it that the CPU has not are
 * empty. */
static void tell_tsc(uint32_t leaf, uint32_t regs[4])
{
	const uint32_t ratio[4] = { 1000000, (uint32_t)(hv.tsc_hz / 1000), 1000000000, 0 };
	uint32_t last = cpuid_of(0, EAX);

	if (leaf == 0 && last < TSC_LEAF)
		regs[EAX] = TSC_LEAF;
	else if (leaf == TSC_LEAF)
		memcpy(regs, ratio, sizeof(ratio));
	else if (leaf > last && leaf < TSC_LEAF)
		memset(regs, 0, sizeof(ratio));
}

static void show(const struct hv_vcpu *vcpu, uint32_t leaf, uint32_t regs[4])
{
	if (leaf != 1)
		return;
	regs[ECX] |= 1u << PVROM_CPUID_HYPERVISOR_BIT;
	if (hv_control_of(vcpu).cr4 & CR4_OSXSAVE)
		regs[ECX] |= 1u << 27;
}

/* regs: EAX and ECX of the guest in, all four out. */
void hv_cpuid(const struct hv_vcpu *vcpu, uint32_t regs[4])
{
	uint32_t leaf = regs[EAX], subleaf = regs[ECX];

	if (leaf - PVROM_BASE < HYPERVISOR_LEAVES) {
		if (!pvrom_host_cpuid(&hv.host, PVROM_BASE, leaf, regs))
			memset(regs, 0, 4 * sizeof(regs[0]));
		return;
	}
	cpuid(leaf, subleaf, regs);
	hide(leaf, subleaf, regs);
	number(vcpu, leaf, regs);
	tell_tsc(leaf, regs);
	show(vcpu, leaf, regs);
}
