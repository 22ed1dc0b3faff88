/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* MSRs: those that VMLOAD and VMRUN switch, and TSC_AUX, are the guest's; three are served; no
 * more. */
#include "hv.h"

#define EFER_WRITABLE (EFER_SCE | EFER_LME | EFER_NXE | EFER_FFXSR)

/* Two bits an MSR: reads, writes. Three ranges of 8192 (APM vol. 2, 15.11). */
static uint8_t permissions[0x2000] __attribute__((aligned(4096)));

static void allow(uint32_t first, uint32_t last)
{
	for (uint32_t msr = first; msr <= last; msr++) {
		uint32_t bit = (msr & 0x1fff) * 2 + (msr >> 30 ? 0x4000 : 0);

		permissions[bit / 8] &= (uint8_t) ~(3u << bit % 8);
	}
}

uint64_t hv_msr_permissions(void)
{
	if (!permissions[0]) {
		memset(permissions, 0xff, sizeof(permissions));
		allow(MSR_SYSENTER_CS, MSR_SYSENTER_EIP);
		allow(MSR_STAR, MSR_SFMASK);
		allow(MSR_FS_BASE, MSR_TSC_AUX);
	}
	return (uint64_t)permissions;
}

static bool write_efer(struct hv_vcpu *vcpu, uint64_t value)
{
	struct pvrom_mmu_regs control = hv_control_of(vcpu);

	if (value & ~(EFER_WRITABLE | EFER_LMA) ||
	    ((value ^ control.efer) & EFER_LME && control.cr0 & CR0_PG))
		return false;
	control.efer = (control.efer & EFER_LMA) | (value & EFER_WRITABLE);
	return hv_control_set(vcpu, &control);
}

/* Eight memory types: 0, 1, 4, 5, 6 or 7. */
static bool write_pat(struct hv_vcpu *vcpu, uint64_t value)
{
	for (unsigned shift = 0; shift < 64; shift += 8) {
		uint64_t type = value >> shift & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	vcpu->vmcb->pat = value;
	return true;
}

/* False: #GP. */
bool hv_msr_read(struct hv_vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	switch (msr) {
	case MSR_EFER: *value = hv_control_of(vcpu).efer; return true;
	case MSR_PAT: *value = vcpu->vmcb->pat; return true;
	case MSR_TSC: *value = rdtsc() + vcpu->vmcb->tsc_offset; return true;
	default: return false;
	}
}

bool hv_msr_write(struct hv_vcpu *vcpu, uint32_t msr, uint64_t value)
{
	switch (msr) {
	case MSR_EFER: return write_efer(vcpu, value);
	case MSR_PAT: return write_pat(vcpu, value);
	case MSR_TSC:
		value -= rdtsc() + vcpu->vmcb->tsc_offset;
		vcpu->vmcb->tsc_offset += value;
		hv_clock_moved(vcpu, value);
		return true;
	default: return false;
	}
}
