/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Control registers. With nested paging they are the guest's own and cost no exit, but CR8 while an
 * interrupt waits for it.
 */
#include "hv.h"

/* A vCPU's control registers as its guest sees them. */
struct hv_control hv_control_of(const struct hv_vcpu *vcpu)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;

	return (struct hv_control){ vmcb->cr0, vmcb->cr3, vmcb->cr4, vmcb->efer & ~EFER_SVME };
}

/* Sets all of them, as one act; the values are such as the processor accepts. */
void hv_control_set(struct hv_vcpu *vcpu, const struct hv_control *control)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;

	vmcb->nested_control = SVM_NESTED_ON;
	vmcb->nested_root = hv_nested_root();
	vmcb->cr0 = control->cr0;
	vmcb->cr3 = control->cr3;
	vmcb->cr4 = control->cr4;
	vmcb->efer = control->efer | EFER_SVME;
}

uint32_t hv_physical_bits(void)
{
	uint32_t regs[4];

	cpuid(0x80000008, 0, regs);
	return regs[0] & 0xff;
}

/* The bits of CR4 whose features CPUID shows to the guest. */
uint64_t hv_cr4_allowed(void)
{
	/* VME PVI TSD DE PSE PAE PGE PCE OSFXSR OSXMMEXCPT: all processors with SVM */
	uint64_t allowed = 0x7bf;
	uint32_t regs[4];

	cpuid(1, 0, regs);
	allowed |= regs[2] >> 26 & 1 ? CR4_OSXSAVE : 0;
	cpuid(7, 0, regs);
	allowed |= (regs[1] & 1ull) << 16;	 /* FSGSBASE */
	allowed |= (regs[1] >> 7 & 1ull) << 20;	 /* SMEP */
	allowed |= (regs[1] >> 20 & 1ull) << 21; /* SMAP */
	allowed |= (regs[2] >> 2 & 1ull) << 11;	 /* UMIP */
	return allowed;
}

static bool write_cr8(struct hv_vcpu *vcpu, uint64_t value)
{
	uint32_t *control = &vcpu->vmcb->int_control;

	if (value & ~(uint64_t)SVM_INT_TPR)
		return false;
	*control = (*control & ~SVM_INT_TPR) | (uint32_t)value;
	return true;
}

/* A control register was read or written; the instruction says which and how. */
void hv_control_exit(struct hv_vcpu *vcpu)
{
	struct hv_insn insn;

	if (!hv_decode(vcpu, &insn) || insn.kind != INSN_REG_TO_CR || insn.control != 8)
		hv_inject(vcpu, VECTOR_UD, false, 0);
	else if (write_cr8(vcpu, vcpu->gpr[insn.reg]))
		hv_skip(vcpu, insn.length);
	else
		hv_inject(vcpu, VECTOR_GP, true, 0);
}
