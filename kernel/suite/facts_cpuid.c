/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about CPUID: that it agrees with itself and with what the CPU does. */
#include "cpu.h"
#include "fact.h"
#include "cpu_features.h"

FACT(max_leaf, "cpuid.leaf0", "SDM 2A CPUID",
     "leaf 0 names a vendor in letters and at least leaf 1")
{
	struct cpuid_regs r = cpu_cpuid(0, 0);
	const uint32_t words[3] = { r.ebx, r.edx, r.ecx };
	const char *text = (const char *)words;

	EXPECT(r.eax >= 1, "maximum leaf %x", r.eax);
	for (unsigned i = 0; i < 12; i++)
		EXPECT(text[i] >= ' ' && text[i] <= '~', "byte %u of the vendor is %x", i,
		       (unsigned)(uint8_t)text[i]);
	return FACT_PASS;
}

FACT(extended, "cpuid.extended", "SDM 2A CPUID",
     "leaf 0x80000000 counts leaves up to at least 0x80000008")
{
	uint32_t max = cpu_cpuid(0x80000000, 0).eax;

	EXPECT(max >= 0x80000008 && max <= 0x8000ffff, "maximum extended leaf %x", max);
	return FACT_PASS;
}

FACT(long_mode, "cpuid.long_mode", "SDM 2A CPUID",
     "CPUID shows long mode, NX and SYSCALL, which this kernel uses")
{
	EXPECT(features_cpuid(0x80000001, 0, 3, 29), "no long mode");
	EXPECT(features_cpuid(0x80000001, 0, 3, 20), "no NX");
	EXPECT(features_cpuid(0x80000001, 0, 3, 11), "no SYSCALL");
	return FACT_PASS;
}

FACT(basics, "cpuid.basics", "SDM 2A CPUID",
     "CPUID shows FPU, TSC, MSR, PAE, CX8, PGE, PAT, FXSR, SSE and SSE2")
{
	static const uint8_t bits[] = { 0, 4, 5, 6, 8, 13, 16, 24, 25, 26 };
	uint32_t edx = cpu_cpuid(1, 0).edx;

	for (unsigned i = 0; i < ARRAY_SIZE(bits); i++)
		EXPECT(edx >> bits[i] & 1, "leaf 1 EDX[%u] is clear", bits[i]);
	return FACT_PASS;
}

FACT(osxsave, "cpuid.osxsave", "SDM 2A CPUID", "CPUID.1:ECX.OSXSAVE shows CR4.OSXSAVE as it is now")
{
	uint64_t cr4 = cpu_read_cr4();
	bool off, on;

	NEED(XSAVE);
	cpu_write_cr4(cr4 & ~CR4_OSXSAVE);
	off = features_cpuid(1, 0, 2, 27);
	cpu_write_cr4(cr4 | CR4_OSXSAVE);
	on = features_cpuid(1, 0, 2, 27);
	EXPECT(!off, "set with CR4.OSXSAVE clear");
	EXPECT(on, "clear with CR4.OSXSAVE set");
	return FACT_PASS;
}

FACT(widths, "cpuid.address_widths", "SDM 2A CPUID",
     "leaf 0x80000008 gives 36 to 52 physical and 48 or 57 linear address bits")
{
	uint32_t eax = cpu_cpuid(0x80000008, 0).eax;

	EXPECT((eax & 0xff) >= 36 && (eax & 0xff) <= 52, "%u physical bits", eax & 0xff);
	EXPECT((eax >> 8 & 0xff) == 48 || (eax >> 8 & 0xff) == 57, "%u linear bits",
	       eax >> 8 & 0xff);
	return FACT_PASS;
}

FACT(xsave_leaf, "cpuid.xsave_leaf", "SDM 2A CPUID",
     "leaf 0xd has x87 and SSE in its mask, and a size for at least those")
{
	struct cpuid_regs r;

	NEED(XSAVE);
	r = cpu_cpuid(0xd, 0);
	EXPECT_EQ(r.eax & 3, 3);
	EXPECT(r.ebx >= 576 && r.ecx >= r.ebx, "sizes %u and %u", r.ebx, r.ecx);
	return FACT_PASS;
}

SNIPPET(snip_cpuid_high, "push %rbx\nmov $0xffffffff00000000, %rax\nmov %rax, %rcx\n"
			 "mov %rax, %rbx\ncpuid\n"
			 "mov %rax, (%rdi)\nmov %rbx, 8(%rdi)\nmov %rcx, 16(%rdi)\n"
			 "mov %rdx, 24(%rdi)\npop %rbx");

FACT(high_halves, "cpuid.high_halves", "SDM 2A CPUID",
     "CPUID ignores the high half of RAX and clears those of its four results")
{
	uint64_t got[4];
	struct cpuid_regs r = cpu_cpuid(0, 0);

	snip_cpuid_high((uint64_t)got);
	EXPECT_EQ(got[0], r.eax);
	EXPECT_EQ(got[1], r.ebx);
	EXPECT_EQ(got[2], r.ecx);
	EXPECT_EQ(got[3], r.edx);
	return FACT_PASS;
}

FACT(constant, "cpuid.constant", "SDM 2A CPUID", "a leaf gives the same answer each time")
{
	static const uint32_t leaves[] = { 0, 1, 7, 0x80000001, 0x80000008 };

	for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
		struct cpuid_regs a = cpu_cpuid(leaves[i], 0), b = cpu_cpuid(leaves[i], 0);

		EXPECT(!memcmp(&a, &b, sizeof(a)), "leaf %x", leaves[i]);
	}
	return FACT_PASS;
}

FACT(hypervisor, "cpuid.hypervisor", "AMD APM 3 Fn0000_0001_ECX[31]",
     "if the hypervisor bit is set, leaf 0x40000000 has a maximum in its own range")
{
	struct cpuid_regs r = cpu_cpuid(0x40000000, 0);

	if (!features_cpuid(1, 0, 2, 31))
		return FACT_PASS;
	/* Old KVM says 0 for "the next leaf". */
	EXPECT(!r.eax || (r.eax >= 0x40000000 && r.eax <= 0x4fffffff), "maximum %x", r.eax);
	return FACT_PASS;
}
