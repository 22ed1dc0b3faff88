/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The interrupts of a vCPU: what a local APIC would keep for it, and no more. A vector waits, is
 * injected when its class is above CR8 and above all that is in service, and is in service until
 * IRQ_EOI. CR8 is the control block's own (V_TPR), so it costs an exit only while something waits.
 *
 * Where the area's EOI word says that an interrupt needs no end (vcpu.h), the guest ends it without
 * an exit; the host looks at the word when it next needs to know.
 */
#include "hv.h"

#define INTERCEPT_CR8 0x100u

static void set_bit(uint64_t bits[4], uint32_t vector)
{
	__atomic_fetch_or(&bits[vector / 64], 1ull << vector % 64, __ATOMIC_RELEASE);
}

static bool clear_bit(uint64_t bits[4], uint32_t vector)
{
	uint64_t bit = 1ull << vector % 64;

	return __atomic_fetch_and(&bits[vector / 64], ~bit, __ATOMIC_ACQ_REL) & bit;
}

/* The highest vector set; 0 if none is. */
static uint32_t highest(const uint64_t bits[4])
{
	for (uint32_t i = 4; i-- > 0;) {
		uint64_t word = __atomic_load_n(&bits[i], __ATOMIC_ACQUIRE);

		if (word)
			return i * 64 + 63 - (uint32_t)__builtin_clzll(word);
	}
	return 0;
}

/* ---- from anywhere --------------------------------------------------------------------------- */

/* A vector, or PVROM_IRQ_SEND_NMI. A vCPU that is stopped forgets it when it is started. */
void hv_interrupts_send(struct hv_vcpu *vcpu, uint32_t vector)
{
	if (vector == PVROM_IRQ_SEND_NMI)
		__atomic_store_n(&vcpu->irq.nmi_waiting, 1, __ATOMIC_RELEASE);
	else
		set_bit(vcpu->irq.waiting, vector);
	hv_request(vcpu, REQUEST_KICK);
}

/* Takes back a vector that waits. */
void hv_interrupts_withdraw(struct hv_vcpu *vcpu, uint8_t vector)
{
	clear_bit(vcpu->irq.waiting, vector);
}

/* ---- on the vCPU's own CPU ------------------------------------------------------------------- */

/* IRQ_EOI, or its equal. */
void hv_interrupts_end(struct hv_vcpu *vcpu)
{
	clear_bit(vcpu->irq.in_service, highest(vcpu->irq.in_service));
}

/* Has the guest ended what it was told needs no end? If `settle`, the next end exits. */
void hv_interrupts_look(struct hv_vcpu *vcpu, bool settle)
{
	if (pvrom_host_eoi_ended(&hv.host_vcpu[vcpu->id], settle))
		hv_interrupts_end(vcpu);
}

/* A vCPU that starts, or is reset, has none. */
void hv_interrupts_forget(struct hv_vcpu *vcpu)
{
	hv_interrupts_look(vcpu, true);
	vcpu->irq = (struct hv_interrupts){ .nmi = NMI_OPEN };
}

/* The vector that may come in now, by CR8 and what is in service; 0 if none. */
static uint32_t deliverable(const struct hv_vcpu *vcpu)
{
	uint32_t vector = highest(vcpu->irq.waiting);
	uint32_t tpr = vcpu->vmcb->int_control & SVM_INT_TPR;

	return vector >> 4 > tpr && vector >> 4 > highest(vcpu->irq.in_service) >> 4 ? vector : 0;
}

static bool nmi_may_come(const struct hv_vcpu *vcpu)
{
	return vcpu->irq.nmi == NMI_OPEN &&
	       __atomic_load_n(&vcpu->irq.nmi_waiting, __ATOMIC_ACQUIRE);
}

/* Does what waits end a halt? */
bool hv_interrupts_wake(struct hv_vcpu *vcpu)
{
	return nmi_may_come(vcpu) || (vcpu->vmcb->rflags & FLAG_IF && deliverable(vcpu));
}

static void inject(struct hv_vcpu *vcpu, uint64_t event, uint32_t error)
{
	vcpu->vmcb->event_inject = event | SVM_EVENT_VALID | (uint64_t)error << 32;
}

/* What was being delivered when an exception came: not lost, if it was an interrupt or an NMI. */
static void put_back(struct hv_vcpu *vcpu)
{
	uint32_t vector = vcpu->event & 0xff;

	if ((vcpu->event & SVM_EVENT_TYPE) == SVM_EVENT_NMI) {
		vcpu->irq.nmi_waiting = 1;
		vcpu->irq.nmi = NMI_OPEN;
		vcpu->vmcb->intercept1 &= ~SVM_INTERCEPT1_IRET;
	} else if ((vcpu->event & SVM_EVENT_TYPE) == SVM_EVENT_INTERRUPT) {
		hv_interrupts_look(vcpu, true);
		clear_bit(vcpu->irq.in_service, vector);
		set_bit(vcpu->irq.waiting, vector);
	}
}

/* Exceptions that become a double fault together (Intel SDM vol. 3A, 6.15, table 6-5). */
static bool doubles(uint64_t first, uint32_t second)
{
	const uint32_t contributory = 0x3c01, page_fault = 1u << VECTOR_PF;
	uint32_t one = 1u << (first & 31), two = 1u << second;

	if ((first & SVM_EVENT_TYPE) != SVM_EVENT_EXCEPTION)
		return false;
	return (one & page_fault && two & (contributory | page_fault)) ||
	       (one & contributory && two & contributory);
}

/* An exception, as the answer to an exit, which may have come while another event was delivered. */
void hv_inject(struct hv_vcpu *vcpu, uint32_t vector, bool with_error, uint32_t error)
{
	if (doubles(vcpu->event, vector)) {
		vector = VECTOR_DF;
		with_error = true;
		error = 0;
	} else if (vcpu->event) {
		put_back(vcpu);
	}
	vcpu->event = vector | SVM_EVENT_EXCEPTION | (with_error ? SVM_EVENT_ERROR : 0);
	vcpu->event_error = error;
}

static void inject_vector(struct hv_vcpu *vcpu, uint32_t vector)
{
	bool alone = !highest(vcpu->irq.in_service);

	clear_bit(vcpu->irq.waiting, vector);
	set_bit(vcpu->irq.in_service, vector);
	inject(vcpu, vector | SVM_EVENT_INTERRUPT, 0);
	if (alone && !highest(vcpu->irq.waiting))
		pvrom_host_eoi_offer(&hv.host_vcpu[vcpu->id]);
}

/* An exit as soon as the guest can take an interrupt: a virtual one waits, and is intercepted. */
static void open_window(struct hv_vcpu *vcpu, bool open)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;
	const uint32_t window = SVM_INT_IRQ | SVM_INT_IGNORE_TPR;

	vmcb->int_control = (vmcb->int_control & ~window) | (open ? window : 0);
	vmcb->intercept1 =
		(vmcb->intercept1 & ~SVM_INTERCEPT1_VINTR) | (open ? SVM_INTERCEPT1_VINTR : 0);
}

/* Until the IRET of its handler no further NMI comes in. */
static void inject_nmi(struct hv_vcpu *vcpu)
{
	vcpu->irq.nmi_waiting = 0;
	vcpu->irq.nmi = NMI_BLOCKED;
	vcpu->vmcb->intercept1 |= SVM_INTERCEPT1_IRET;
	inject(vcpu, VECTOR_NMI | SVM_EVENT_NMI, 0);
}

/* One event at a time: what an exit interrupted, an exception, an NMI, a vector. */
void hv_interrupts_before_run(struct hv_vcpu *vcpu)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;
	bool waits = highest(vcpu->irq.waiting),
	     open = vmcb->rflags & FLAG_IF && !(vmcb->int_state & SVM_INT_SHADOW);
	uint32_t vector;

	hv_interrupts_look(vcpu, waits);
	vector = deliverable(vcpu);
	vmcb->event_inject = 0;
	if (vcpu->event)
		inject(vcpu, vcpu->event, vcpu->event_error);
	else if (nmi_may_come(vcpu))
		inject_nmi(vcpu);
	else if (vector && open)
		inject_vector(vcpu, vector);
	vcpu->event = 0;
	open_window(vcpu, deliverable(vcpu));
	if (highest(vcpu->irq.waiting))
		vmcb->intercept_cr_write |= INTERCEPT_CR8;
	else
		vmcb->intercept_cr_write &= (uint16_t)~INTERCEPT_CR8;
}

/* A software interrupt is executed again; all else that was being delivered is injected again. */
void hv_interrupts_after_run(struct hv_vcpu *vcpu)
{
	uint64_t info = vcpu->vmcb->exit_int_info;

	hv_interrupts_look(vcpu, false);
	if (!(info & SVM_EVENT_VALID) || (info & SVM_EVENT_TYPE) == SVM_EVENT_SOFTWARE)
		return;
	vcpu->event = info & (SVM_EVENT_TYPE | SVM_EVENT_ERROR | 0xff);
	vcpu->event_error = (uint32_t)(info >> 32);
}

/* ---- the end of an NMI ----------------------------------------------------------------------- */

/*
 * IRET is about to be executed, by itself, under the trap flag, which it takes from the stack: an
 * NMI before its end would overwrite the frame that it returns by.
 */
void hv_interrupts_iret(struct hv_vcpu *vcpu)
{
	vcpu->irq.nmi = NMI_STEPPING;
	vcpu->vmcb->intercept1 &= ~SVM_INTERCEPT1_IRET;
	vcpu->vmcb->intercept_exceptions |= 1u << VECTOR_DB;
	vcpu->vmcb->rflags |= FLAG_TF;
}

/* True if the #DB was that of the IRET, and not one of the guest's own. */
bool hv_interrupts_stepped(struct hv_vcpu *vcpu)
{
	const uint64_t step = 0x4000;

	if (vcpu->irq.nmi != NMI_STEPPING)
		return false;
	vcpu->irq.nmi = NMI_OPEN;
	vcpu->vmcb->intercept_exceptions &= ~(1u << VECTOR_DB);
	vcpu->vmcb->dr6 &= ~step;
	return true;
}
