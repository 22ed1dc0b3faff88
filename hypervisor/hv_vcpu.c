/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The life of a vCPU: how it begins, and the loop around the guest's runs. */
#include "hv.h"

/* Segment attributes: type, S, DPL and P in bits 7:0, then AVL, L, D/B and G. */
#define CODE_32 0xc9b
#define CODE_64 0xa9b
#define DATA 0xc93
#define LDT 0x082
#define TSS_BUSY 0x08b
#define DR6_AT_RESET 0xffff0ff0ull
#define DR7_AT_RESET 0x400ull
#define FLAGS_AT_RESET 0x2ull
#define EFER_ALLOWED (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR)

/* ---- its beginning -------------------------------------------------------------------------- */

static void set_intercepts(struct svm_vmcb *vmcb)
{
	vmcb->intercept1 = SVM_INTERCEPT1_INTR | SVM_INTERCEPT1_NMI | SVM_INTERCEPT1_CPUID |
			   SVM_INTERCEPT1_HLT | SVM_INTERCEPT1_INVLPGA | SVM_INTERCEPT1_IO |
			   SVM_INTERCEPT1_MSR | SVM_INTERCEPT1_SHUTDOWN;
	vmcb->intercept2 = SVM_INTERCEPT2_SVM | SVM_INTERCEPT2_MONITOR | SVM_INTERCEPT2_MWAIT;
	vmcb->iopm = hv_port_permissions();
	vmcb->msrpm = hv_msr_permissions();
}

static struct svm_segment segment(uint16_t selector, uint16_t attributes)
{
	return (struct svm_segment){ selector, attributes, UINT32_MAX, 0 };
}

/* What both beginnings have in common; the code segment is the caller's. */
static void reset(struct hv_vcpu *vcpu, uint16_t data)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;

	memset(vmcb, 0, sizeof(*vmcb));
	memset(vcpu->gpr, 0, sizeof(vcpu->gpr));
	set_intercepts(vmcb);
	vmcb->asid = 1; /* one guest a CPU; its translations are forgotten when it starts */
	vmcb->int_control = SVM_INT_MASKING;
	vmcb->ds = vmcb->es = vmcb->ss = vmcb->fs = vmcb->gs = segment(data, DATA);
	vmcb->ldtr.attributes = LDT;
	vmcb->tr.attributes = TSS_BUSY;
	vmcb->dr6 = DR6_AT_RESET;
	vmcb->dr7 = DR7_AT_RESET;
	vmcb->rflags = FLAGS_AT_RESET;
	vmcb->pat = PAT_AT_RESET;
	vcpu->halted = vcpu->kicked = false;
	vcpu->event = 0;
	vcpu->fresh = true;
	hv_interrupts_forget(vcpu);
}

/* As PVH says: flat 32-bit protected mode, no paging, RBX the start info. */
void hv_vcpu_boot(struct hv_vcpu *vcpu, uint32_t entry, uint32_t info)
{
	struct pvrom_mmu_regs control = { .cr0 = CR0_PE | CR0_ET };

	reset(vcpu, HV_DATA);
	vcpu->vmcb->cs = segment(HV_CODE, CODE_32);
	vcpu->vmcb->rip = entry;
	vcpu->gpr[RBX] = info;
	hv_control_set(vcpu, &control);
	vcpu->state = VCPU_RUNNING;
}

/* What the core, which does not know the processor, has left to us. */
bool hv_vcpu_state_ok(const struct pvrom_smp_state *state)
{
	return !(state->cr4 & ~hv_cr4_allowed()) && !(state->efer & ~EFER_ALLOWED) &&
	       !(state->cr3 >> hv_physical_bits());
}

static struct svm_segment descriptor_table(uint64_t base, uint16_t limit)
{
	return (struct svm_segment){ .base = base, .limit = limit };
}

/* SMP_START: the vCPU is not running, and the state has been checked. */
void hv_vcpu_load(struct hv_vcpu *vcpu, const struct pvrom_smp_state *state)
{
	struct pvrom_mmu_regs control = { state->cr0, state->cr3, state->cr4, state->efer };
	struct svm_vmcb *vmcb = vcpu->vmcb;

	reset(vcpu, state->ss);
	vmcb->cs = segment(state->cs, CODE_64);
	vmcb->gdtr = descriptor_table(state->gdt_base, state->gdt_limit);
	vmcb->idtr = descriptor_table(state->idt_base, state->idt_limit);
	vmcb->fs.base = state->fs_base;
	vmcb->gs.base = state->gs_base;
	vmcb->pat = state->pat;
	vmcb->rip = state->rip;
	vcpu->gpr[RSP] = state->rsp;
	vcpu->gpr[RDI] = state->rdi;
	hv_control_set(vcpu, &control);
}

/* ---- its runs ------------------------------------------------------------------------------- */

/* On its own CPU. */
void hv_vcpu_stop(struct hv_vcpu *vcpu)
{
	hv_alarm_cancel(vcpu);
	pvrom_mmu_leave(hv.mmu, vcpu->id);
	/* Release: whoever sees it stopped may start it; partner: smp_start() in hv_ops.c. */
	__atomic_store_n(&vcpu->state, VCPU_STOPPED, __ATOMIC_RELEASE);
}

static bool is_running(const struct hv_vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE) == VCPU_RUNNING;
}

static void serve_requests(struct hv_vcpu *vcpu)
{
	uint32_t requests = __atomic_exchange_n(&vcpu->requests, 0, __ATOMIC_SEQ_CST);

	if (requests & REQUEST_POLL)
		hv_shadow_poll();
	if (requests & REQUEST_PAUSE)
		hv_change_wait(vcpu);
	if (requests & REQUEST_STOP && is_running(vcpu))
		hv_vcpu_stop(vcpu);
	if (requests & REQUEST_WAKE)
		vcpu->kicked = true;
	if (requests & REQUEST_FLUSH)
		vcpu->vmcb->tlb_control = SVM_TLB_FLUSH_ALL;
}

/* x87 and XCR0 are not in the control block: they are this CPU's. */
static void begin(struct hv_vcpu *vcpu)
{
	vcpu->fresh = false;
	vcpu->vmcb->tlb_control = SVM_TLB_FLUSH_ALL;
	__asm__ volatile("fninit");
	if (read_cr4() & CR4_OSXSAVE)
		xsetbv(0, 1);
}

/* One run of the guest, to its next exit. */
static void enter(struct hv_vcpu *vcpu)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;

	hv_interrupts_before_run(vcpu);
	vcpu->asked = false;
	vmcb->rax = vcpu->gpr[RAX];
	vmcb->rsp = vcpu->gpr[RSP];
	hv_enter(vcpu->gpr, (uint64_t)vmcb, (uint64_t)&hv_host_page[vcpu->id]);
	vcpu->gpr[RAX] = vmcb->rax;
	vcpu->gpr[RSP] = vmcb->rsp;
	vmcb->tlb_control = 0;
}

/*
 * From CLGI on a kick waits for VMRUN, and then ends the run at once. False if somebody had
 * asked for something before.
 */
static bool run(struct hv_vcpu *vcpu)
{
	bool asked;

	clgi();
	__atomic_store_n(&vcpu->in_guest, 1, __ATOMIC_SEQ_CST);
	asked = __atomic_load_n(&vcpu->requests, __ATOMIC_SEQ_CST);
	if (!asked)
		enter(vcpu);
	__atomic_store_n(&vcpu->in_guest, 0, __ATOMIC_SEQ_CST);
	stgi();
	take_interrupts();
	return !asked;
}

static void sleep_and_count(struct hv_vcpu *vcpu)
{
	uint64_t start = rdtsc();

	sleep_until_interrupt();
	vcpu->halted_tsc += rdtsc() - start;
}

/* A halted vCPU whose interrupts are off still wakes by NMI and kick. */
static void sleep(struct hv_vcpu *vcpu)
{
	if (vcpu->kicked || hv_interrupts_wake(vcpu))
		vcpu->halted = vcpu->kicked = false;
	else if (!__atomic_load_n(&vcpu->requests, __ATOMIC_SEQ_CST))
		sleep_and_count(vcpu);
}

static void step(struct hv_vcpu *vcpu)
{
	hv_alarm_check(vcpu);
	serve_requests(vcpu);
	hv_clock_visit(vcpu);
	if (!is_running(vcpu)) {
		if (!__atomic_load_n(&vcpu->requests, __ATOMIC_SEQ_CST))
			sleep_until_interrupt();
		return;
	}
	if (!hv_change_now(vcpu))
		return;
	if (vcpu->fresh)
		begin(vcpu);
	if (vcpu->halted) {
		sleep(vcpu);
		return;
	}
	if (!hv.nested)
		hv_shadow_before_run(vcpu);
	if (run(vcpu)) {
		hv_interrupts_after_run(vcpu);
		hv_exit_handle(vcpu);
	}
}

/* Each CPU ends up here. */
void hv_vcpu_main(struct hv_vcpu *vcpu)
{
	for (;;)
		step(vcpu);
}
