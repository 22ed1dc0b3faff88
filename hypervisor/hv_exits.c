/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Why the guest stopped running, and who sees to it. The software CPU has no next-RIP save, so what
 * is done for the guest is decoded for its length (hv_decode.c).
 */
#include "hv.h"

#define DR6_STEP 0x4000u

/* Over an instruction that has been done for the guest, with the trap that it would have made. */
void hv_skip(struct hv_vcpu *vcpu, uint32_t bytes)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;

	vmcb->rip += bytes;
	if (!(vmcb->cs.attributes & SVM_CODE_64))
		vmcb->rip = (uint32_t)vmcb->rip;
	vmcb->int_state &= ~(uint64_t)SVM_INT_SHADOW;
	if (vmcb->rflags & FLAG_TF) {
		vmcb->dr6 |= DR6_STEP;
		hv_inject(vcpu, VECTOR_DB, false, 0);
	}
}

/* What a person needs who looks for the reason. */
void hv_dump(const struct hv_vcpu *vcpu, const char *why)
{
	const struct svm_vmcb *v = vcpu->vmcb;
	struct pvrom_mmu_regs c = hv_control_of(vcpu);

	hv_print("hypervisor: CPU %u: %s\n  exit %lx, information %lx %lx\n"
		 "  cs %x rip %lx rsp %lx flags %lx cr2 %lx\n",
		 vcpu->id, why, v->exit_code, v->exit_info1, v->exit_info2,
		 (uint32_t)v->cs.selector, v->rip, v->rsp, v->rflags, v->cr2);
	hv_print("  cr0 %lx cr3 %lx cr4 %lx efer %lx, of the CPU itself %lx %lx %lx %lx\n", c.cr0,
		 c.cr3, c.cr4, c.efer, v->cr0, v->cr3, v->cr4, v->efer);
	for (unsigned i = 0; i < 16; i += 4)
		hv_print("  r%u %lx %lx %lx %lx\n", i, vcpu->gpr[i], vcpu->gpr[i + 1],
			 vcpu->gpr[i + 2], vcpu->gpr[i + 3]);
}

static void give_up(const struct hv_vcpu *vcpu, const char *why)
{
	hv_dump(vcpu, why);
	hv_finish(HV_EXIT_LOST);
}

static void undefined(struct hv_vcpu *vcpu)
{
	hv_inject(vcpu, VECTOR_UD, false, 0);
}

/* The instruction that caused the exit must still be there; another CPU may have changed it. */
static bool decoded(struct hv_vcpu *vcpu, struct hv_insn *insn, unsigned kind)
{
	if (hv_decode(vcpu, insn) && insn->kind == kind)
		return true;
	undefined(vcpu);
	return false;
}

static void exit_cpuid(struct hv_vcpu *vcpu)
{
	uint32_t regs[4] = { (uint32_t)vcpu->gpr[RAX], 0, (uint32_t)vcpu->gpr[RCX], 0 };
	struct hv_insn insn;

	if (!decoded(vcpu, &insn, INSN_TWO_BYTES))
		return;
	hv_cpuid(vcpu, regs);
	vcpu->gpr[RAX] = regs[0];
	vcpu->gpr[RBX] = regs[1];
	vcpu->gpr[RCX] = regs[2];
	vcpu->gpr[RDX] = regs[3];
	hv_skip(vcpu, insn.length);
}

static void exit_msr(struct hv_vcpu *vcpu)
{
	uint64_t value = vcpu->gpr[RDX] << 32 | (uint32_t)vcpu->gpr[RAX];
	uint32_t msr = (uint32_t)vcpu->gpr[RCX];
	bool write = vcpu->vmcb->exit_info1 & 1;
	struct hv_insn insn;

	if (!decoded(vcpu, &insn, INSN_TWO_BYTES))
		return;
	if (!(write ? hv_msr_write(vcpu, msr, value) : hv_msr_read(vcpu, msr, &value))) {
		hv_inject(vcpu, VECTOR_GP, true, 0);
		return;
	}
	if (!write) {
		vcpu->gpr[RAX] = (uint32_t)value;
		vcpu->gpr[RDX] = value >> 32;
	}
	hv_skip(vcpu, insn.length);
}

static void halt(struct hv_vcpu *vcpu, uint32_t length)
{
	hv_skip(vcpu, length);
	vcpu->halted = true;
}

static void exit_hlt(struct hv_vcpu *vcpu)
{
	struct hv_insn insn;

	if (decoded(vcpu, &insn, INSN_HLT))
		halt(vcpu, insn.length);
}

static void exit_vmmcall(struct hv_vcpu *vcpu)
{
	struct hv_insn insn;

	if (!decoded(vcpu, &insn, INSN_TWO_BYTES))
		return;
	hv_skip(vcpu, insn.length);
	hv_pvrom_call(vcpu);
}

static void exit_exception(struct hv_vcpu *vcpu, uint32_t vector)
{
	if (vector == VECTOR_PF && hv_shadow_fault(vcpu))
		return;
	if (vector == VECTOR_DB && hv_interrupts_stepped(vcpu))
		return;
	if (vector == VECTOR_DB)
		hv_inject(vcpu, VECTOR_DB, false, 0);
	else if (vector == VECTOR_DF)
		give_up(vcpu, "a double fault where page faults go straight to the guest");
	else
		give_up(vcpu, "an access where no memory is");
}

static void exit_invlpg(struct hv_vcpu *vcpu)
{
	struct hv_insn insn;

	if (!decoded(vcpu, &insn, INSN_INVLPG))
		return;
	pvrom_mmu_invlpg(hv.mmu, vcpu->id, insn.address);
	hv_skip(vcpu, insn.length);
}

static void dispatch(struct hv_vcpu *vcpu, uint32_t code)
{
	switch (code) {
	case SVM_EXIT_INTR:
	case SVM_EXIT_NMI:
	case SVM_EXIT_VINTR: return; /* looked at before the next run */
	case SVM_EXIT_CPUID: exit_cpuid(vcpu); return;
	case SVM_EXIT_MSR: exit_msr(vcpu); return;
	case SVM_EXIT_HLT: exit_hlt(vcpu); return;
	case SVM_EXIT_VMMCALL: exit_vmmcall(vcpu); return;
	case SVM_EXIT_IO: hv_port_access(vcpu); return;
	case SVM_EXIT_INVLPG: exit_invlpg(vcpu); return;
	case SVM_EXIT_IRET: hv_interrupts_iret(vcpu); return;
	case SVM_EXIT_NPF: give_up(vcpu, "a write where no memory is"); return;
	case SVM_EXIT_SHUTDOWN: give_up(vcpu, "the guest's CPU has shut down"); return;
	case SVM_EXIT_INVALID: give_up(vcpu, "the CPU refuses the guest's state"); return;
	default: break;
	}
	if (code < SVM_EXIT_WRITE_CR + 16)
		hv_control_exit(vcpu);
	else if (code >= SVM_EXIT_EXCEPTION && code < SVM_EXIT_EXCEPTION + 32)
		exit_exception(vcpu, code - SVM_EXIT_EXCEPTION);
	else
		undefined(vcpu); /* SVM's own, MONITOR, MWAIT: this CPU has none of them */
}

/*
 * An exit between STI and HLT: QEMU's VMRUN forgets the shadow (it does not load it), and an
 * interrupt that came before the HLT would leave the vCPU asleep. So the HLT is done here.
 */
static void keep_sti_and_hlt_together(struct hv_vcpu *vcpu)
{
	struct hv_insn insn;

	if (vcpu->vmcb->int_state & SVM_INT_SHADOW && !vcpu->event && !vcpu->vmcb->cpl &&
	    hv_decode(vcpu, &insn) && insn.kind == INSN_HLT)
		halt(vcpu, insn.length);
}

static void count(struct hv_vcpu *vcpu, uint32_t code)
{
	vcpu->counts.sum[SUM_EXITS]++;
	if (code == SVM_EXIT_INTR && vcpu->asked)
		vcpu->counts.sum[SUM_KICKS]++;
	else if (code == SVM_EXIT_INTR)
		vcpu->counts.sum[SUM_INTERRUPTS]++;
	vcpu->counts.exits[code < EXIT_CODES	  ? code
			   : code == SVM_EXIT_NPF ? EXIT_CODES
						  : EXIT_CODES + 1]++;
}

void hv_exit_handle(struct hv_vcpu *vcpu)
{
	uint32_t code = (uint32_t)vcpu->vmcb->exit_code;

	count(vcpu, code);
	dispatch(vcpu, code);
	keep_sti_and_hlt_together(vcpu);
}
