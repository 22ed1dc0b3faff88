/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* How a guest finds the ROM and sees that the host is alive: CPUID leaves and the live port. */
#include "host_internal.h"

static bool base_ok(uint32_t base)
{
	return base >= PVROM_CPUID_BASE_FIRST && base <= PVROM_CPUID_BASE_LAST &&
	       !(base % PVROM_CPUID_BASE_STEP);
}

static void set(uint32_t regs[4], uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	regs[0] = eax;
	regs[1] = ebx;
	regs[2] = ecx;
	regs[3] = edx;
}

bool pvrom_host_cpuid(const struct pvrom_host *host, uint32_t base, uint32_t leaf, uint32_t regs[4])
{
	const struct pvrom_host_config *config = &host->config;
	uint32_t last = base + PVROM_CPUID_LEAVES - 1;

	if (!base_ok(base) || leaf < base || leaf > last)
		return false;
	if (leaf == base)
		set(regs, PVROM_BUG(CPUID_LEAVES) ? last + PVROM_CPUID_BASE_STEP : last,
		    PVROM_CPUID_SIGNATURE_EBX, PVROM_CPUID_SIGNATURE_ECX,
		    PVROM_CPUID_SIGNATURE_EDX);
	else if (leaf == base + 1)
		set(regs, (uint32_t)PVROM_MAJOR << 16 | PVROM_MINOR, 0, host->rom_size,
		    host->rom_checksum + PVROM_BUG(CPUID_CHECKSUM));
	else
		set(regs, (uint32_t)config->rom_gpa, (uint32_t)(config->rom_gpa >> 32),
		    config->transport | (uint32_t)config->transport_port << 16, 0);
	return true;
}

uint32_t pvrom_host_live_read(struct pvrom_host_vcpu *vcpu)
{
	uint32_t answer = vcpu->host->config.live_key ^ vcpu->live_nonce;

	vcpu->live_nonce = 0;
	return answer;
}

void pvrom_host_live_write(struct pvrom_host_vcpu *vcpu, uint32_t nonce)
{
	if (!PVROM_BUG(LIVE_DEAF))
		vcpu->live_nonce = nonce;
}
