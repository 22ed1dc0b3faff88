/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Control registers. With nested paging they are the guest's own and cost no exit. Without, writes
 * of CR0, CR3 and CR4 are followed: from an unpaged start into long mode, and never back. Writes of
 * CR8 are intercepted while an interrupt waits.
 */
#include "hv.h"

/* A vCPU's control registers as its guest sees them. */
struct pvrom_mmu_regs hv_control_of(const struct hv_vcpu *vcpu)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;

	if (!hv.nested)
		return vcpu->control;
	return (struct pvrom_mmu_regs){ vmcb->cr0, vmcb->cr3, vmcb->cr4, vmcb->efer & ~EFER_SVME };
}

/*
 * Sets all of them, as one act; the values are such as the processor accepts. False, and nothing
 * has changed for the guest, if they are not such as this hypervisor follows.
 */
bool hv_control_set(struct hv_vcpu *vcpu, const struct pvrom_mmu_regs *control)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;

	if (!hv.nested)
		return hv_shadow_control(vcpu, control);
	vmcb->intercept_cr_read = 0;
	vmcb->intercept_cr_write = 0;
	vmcb->intercept1 &= ~SVM_INTERCEPT1_INVLPG;
	vmcb->intercept_exceptions &= ~(1u << VECTOR_PF | 1u << VECTOR_DF);
	vmcb->nested_control = SVM_NESTED_ON;
	vmcb->nested_root = (uint64_t)hv_nested_root;
	vmcb->cr0 = control->cr0;
	vmcb->cr3 = control->cr3;
	vmcb->cr4 = control->cr4;
	vmcb->efer = control->efer | EFER_SVME;
	return true;
}

uint32_t hv_physical_bits(void)
{
	return cpuid_of(0x80000008, EAX) & 0xff;
}

/* The bits of CR4 whose features CPUID shows to the guest. */
uint64_t hv_cr4_allowed(void)
{
	/* VME PVI TSD DE PSE PAE PGE PCE OSFXSR OSXMMEXCPT: all processors with SVM */
	uint64_t allowed = 0x7bf, features = cpuid_of(7, EBX);

	allowed |= cpuid_of(1, ECX) >> 26 & 1 ? CR4_OSXSAVE : 0;
	allowed |= (features & 1) << 16;		 /* FSGSBASE */
	allowed |= (features >> 7 & 1) << 20;		 /* SMEP */
	allowed |= (features >> 20 & 1) << 21;		 /* SMAP */
	allowed |= (cpuid_of(7, ECX) >> 2 & 1ull) << 11; /* UMIP */
	return allowed;
}

/* What MOV to CR0 refuses natively, and what is not followed: the end of paging, other kinds of it.
 */
static bool set_cr0(struct hv_vcpu *vcpu, struct pvrom_mmu_regs *c, uint64_t value)
{
	bool pages = value & CR0_PG, paged = c->cr0 & CR0_PG;

	if (value >> 32 || (pages && !(value & CR0_PE)) || (value & CR0_NW && !(value & CR0_CD)))
		return false;
	if (pages != paged && (paged || !(c->efer & EFER_LME) || !(c->cr4 & CR4_PAE)))
		return false;
	c->cr0 = value | CR0_ET;
	if (pages)
		c->efer |= EFER_LMA;
	return hv_control_set(vcpu, c);
}

static bool set_cr3(struct hv_vcpu *vcpu, struct pvrom_mmu_regs *c, uint64_t value)
{
	if (value >> hv_physical_bits())
		return false;
	c->cr3 = value;
	return hv_control_set(vcpu, c);
}

static bool set_cr4(struct hv_vcpu *vcpu, struct pvrom_mmu_regs *c, uint64_t value)
{
	if (value & ~hv_cr4_allowed() || (c->efer & EFER_LMA && !(value & CR4_PAE)))
		return false;
	c->cr4 = value;
	return hv_control_set(vcpu, c);
}

static bool set_cr8(struct hv_vcpu *vcpu, uint64_t value)
{
	uint32_t *control = &vcpu->vmcb->int_control;

	if (value & ~(uint64_t)SVM_INT_TPR)
		return false;
	*control = (*control & ~SVM_INT_TPR) | (uint32_t)value;
	return true;
}

static bool write_register(struct hv_vcpu *vcpu, unsigned number, uint64_t value)
{
	struct pvrom_mmu_regs control = hv_control_of(vcpu);

	switch (number) {
	case 0: return set_cr0(vcpu, &control, value);
	case 3: return set_cr3(vcpu, &control, value);
	case 4: return set_cr4(vcpu, &control, value);
	default: return number == 8 && set_cr8(vcpu, value);
	}
}

static uint64_t read_register(const struct hv_vcpu *vcpu, unsigned number)
{
	struct pvrom_mmu_regs control = hv_control_of(vcpu);

	return number == 0 ? control.cr0 : number == 3 ? control.cr3 : control.cr4;
}

/* A control register was read or written; the instruction says which and how. False: #GP. */
static bool serve(struct hv_vcpu *vcpu, const struct hv_insn *insn)
{
	uint64_t *gpr = &vcpu->gpr[insn->reg], cr0 = hv_control_of(vcpu).cr0;

	switch (insn->kind) {
	case INSN_REG_TO_CR: return write_register(vcpu, insn->control, *gpr);
	case INSN_CR_TO_REG: *gpr = read_register(vcpu, insn->control); return true;
	case INSN_CLTS: return write_register(vcpu, 0, cr0 & ~CR0_TS);
	case INSN_LMSW: /* PE can be set by it, and not cleared */
		return write_register(vcpu, 0, (cr0 & ~0xeull) | (*gpr & 0xf));
	case INSN_SMSW: *gpr = (*gpr & ~0xffffull) | (cr0 & 0xffff); return true;
	default: return false;
	}
}

void hv_control_exit(struct hv_vcpu *vcpu)
{
	struct hv_insn insn;

	if (hv_decode(vcpu, &insn) && serve(vcpu, &insn))
		hv_skip(vcpu, insn.length);
	else
		hv_inject(vcpu, VECTOR_GP, true, 0);
}
