/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the KVM below does in hardware, found out from itself: the parameters of
 * its module, and CPUID where these cannot be read. Never from an option.
 */
#include "kvm_device.h"

#include <cpuid.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { EAX, EBX, ECX, EDX };

/* 1 or 0 as a parameter of a module says, -1 if there is none. */
static int parameter(const char *module, const char *name)
{
	char path[96], value = 0;
	int fd;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (read(fd, &value, 1) != 1)
		value = 0;
	close(fd);
	return value == 'Y' || value == '1' ? 1 : value == 'N' || value == '0' ? 0 : -1;
}

static bool has_bit(uint32_t leaf, unsigned int reg, unsigned int bit)
{
	uint32_t regs[4];

	if (!__get_cpuid(leaf, &regs[EAX], &regs[EBX], &regs[ECX], &regs[EDX]))
		return false;
	return regs[reg] >> bit & 1;
}

static bool has_svm(void)
{
	return has_bit(0x80000001, ECX, 2);
}

static bool has_vmx(void)
{
	return has_bit(1, ECX, 5);
}

/* The module that drives this processor; "kvm" if neither AMD's nor Intel's does. */
const char *hardware_module(void)
{
	return has_svm() ? "kvm_amd" : has_vmx() ? "kvm_intel" : "kvm";
}

/*
 * True if the guest's page tables are walked by the processor. Without a
 * readable parameter it is what the module would do by itself: NPT where the
 * processor has it (AMD APM vol. 3, Fn8000_000A_EDX[0]), EPT on Intel, where
 * CPUID does not tell. A KVM with neither SVM nor VMX has to use shadow tables.
 */
bool hardware_nested_paging(void)
{
	int told;

	if (has_svm()) {
		told = parameter("kvm_amd", "npt");
		return told >= 0 ? told : has_bit(0x8000000a, EDX, 0);
	}
	if (has_vmx())
		return parameter("kvm_intel", "ept") != 0;
	return false;
}

static bool virtual_apic(void)
{
	return has_svm() ? parameter("kvm_amd", "avic") == 1
			 : has_vmx() && parameter("kvm_intel", "enable_apicv") == 1;
}

/* PVROM_HW_x for the host core; KVM builds the page tables, so OWNS_MMU never. */
uint32_t hardware_facts(const struct vm *vm)
{
	uint32_t facts = 0;

	if (hardware_nested_paging())
		facts |= PVROM_HW_NESTED_PAGING;
	if (virtual_apic())
		facts |= PVROM_HW_APIC;
	if (cpuid_supported_bit(vm->kvm, 0x80000007, EDX, 8))
		facts |= PVROM_HW_INVARIANT_TSC;
	return facts;
}
