/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The state a virtual CPU begins with: the boot processor's, that of a CPU which
 * waits to be started, and the 64-bit state that the call SMP_START gives it.
 */
#include "run_vcpu.h"
#include "guest_clock.h"
#include "guest_memory.h"
#include "interrupts.h"
#include "kvm_device.h"
#include "pvrom_glue.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define CR0_PE 0x1u
#define CR0_ET 0x10u
#define EFER_LMA 0x400u
#define MSR_PAT 0x277u
#define MSR_EFER 0xc0000080u
#define RFLAGS_ALWAYS 0x2u

/* Selectors of boot_area.c's GDT. */
#define BOOT_CODE 0x10u
#define BOOT_DATA 0x18u
#define BOOT_TSS 0x20u
#define BOOT_GDT_LIMIT 39u

static struct kvm_segment flat(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

static void protected_mode(struct kvm_sregs *sregs)
{
	sregs->cs = flat(BOOT_CODE, 0xb);
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = flat(BOOT_DATA, 0x3);
	sregs->tr = (struct kvm_segment){
		.limit = 0x67,
		.selector = BOOT_TSS,
		.type = 0xb,
		.present = 1,
	};
	sregs->gdt = (struct kvm_dtable){ .base = BOOT_AREA, .limit = BOOT_GDT_LIMIT };
	sregs->idt = (struct kvm_dtable){ 0 };
	sregs->cr0 = CR0_PE | CR0_ET;
}

/* Puts the boot processor into 32-bit protected mode, as PVH, multiboot and Linux want it. */
void vcpu_state_boot(struct vcpu *vcpu, const struct boot_state *boot)
{
	struct kvm_regs regs = {
		.rip = boot->eip,
		.rax = boot->eax,
		.rbx = boot->ebx,
		.rsi = boot->esi,
		.rflags = RFLAGS_ALWAYS,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		fail(EXIT_CANNOT_RUN, "KVM_GET_SREGS: %s", strerror(errno));
	protected_mode(&sregs);
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0)
		fail(EXIT_CANNOT_RUN,
		     "this KVM cannot run the guest: it refuses 32-bit protected "
		     "mode: %s",
		     strerror(errno));
}

/* Puts the boot processor into real mode below 1 MiB, where a guest wants to be woken (ACPI 6.4, 5.2.10). */
void vcpu_state_real(struct vcpu *vcpu, uint32_t at)
{
	struct kvm_regs regs = { .rip = at & 0xf, .rflags = RFLAGS_ALWAYS };
	struct kvm_sregs sregs = vcpu->reset_sregs;

	sregs.cs.selector = (uint16_t)(at >> 4);
	sregs.cs.base = (uint64_t)sregs.cs.selector << 4;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0)
		fail(EXIT_CANNOT_RUN, "this KVM cannot wake the guest: %s", strerror(errno));
}

/* Makes the CPU what it is after a reset, and keeps that for vcpu_state_stop(). */
void vcpu_state_reset(struct vcpu *vcpu)
{
	cpuid_set(vcpu);
	if (ioctl(vcpu->fd, KVM_GET_SREGS, &vcpu->reset_sregs) < 0 ||
	    ioctl(vcpu->fd, KVM_GET_LAPIC, &vcpu->reset_apic) < 0)
		fail(EXIT_CANNOT_RUN, "KVM gives no state of CPU %u: %s", vcpu->index,
		     strerror(errno));
}

/*
 * A CPU whose state is replaced may still have an access to finish, that of its last exit or the
 * OUT of its SMP_STOP, or KVM would finish it on the new state.
 */
static void finish_io(struct vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	ioctl(vcpu->fd, KVM_RUN, 0);
}

/*
 * KVM shall no longer write the EOI word, nor may it still say that an
 * interrupt needs no EOI: the CPU may have been stopped in its handler.
 */
static void clear_pv_eoi(struct vcpu *vcpu)
{
	uint32_t *word = memory_at(vcpu->vm, vcpu->pv_eoi & ~1ull, sizeof(*word));

	interrupts_pv_eoi(vcpu, 0);
	vcpu_times_record(vcpu, 0);
	if (vcpu->pv_eoi != 0 && word != NULL)
		__atomic_store_n(word, 0, __ATOMIC_RELAXED);
}

static void set_waiting(struct vcpu *vcpu)
{
	struct kvm_regs regs = { .rflags = RFLAGS_ALWAYS };
	struct kvm_vcpu_events events = { 0 };
	struct kvm_mp_state waiting = { KVM_MP_STATE_UNINITIALIZED };

	clear_pv_eoi(vcpu);
	ioctl(vcpu->fd, KVM_SET_REGS, &regs);
	ioctl(vcpu->fd, KVM_SET_SREGS, &vcpu->reset_sregs);
	ioctl(vcpu->fd, KVM_SET_LAPIC, &vcpu->reset_apic);
	ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
	ioctl(vcpu->fd, KVM_SET_MP_STATE, &waiting);
}

/* Stops the CPU: it waits for INIT and SIPI, or for the call. On its own thread. */
void vcpu_state_stop(struct vcpu *vcpu)
{
	finish_io(vcpu);
	pvrom_glue_forget_callers(vcpu);
	set_waiting(vcpu);
}

/* True if the CPU waits to be started. On its own thread. */
bool vcpu_state_is_stopped(struct vcpu *vcpu)
{
	struct kvm_mp_state state = { KVM_MP_STATE_RUNNABLE };

	ioctl(vcpu->fd, KVM_GET_MP_STATE, &state);
	return state.mp_state == KVM_MP_STATE_UNINITIALIZED ||
	       state.mp_state == KVM_MP_STATE_INIT_RECEIVED;
}

/* Lets a halted CPU go on behind its HLT; false if it is not halted. On its own thread. */
bool vcpu_state_wake(struct vcpu *vcpu)
{
	struct kvm_mp_state state;

	if (ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) < 0 || state.mp_state != KVM_MP_STATE_HALTED)
		return false;
	state.mp_state = KVM_MP_STATE_RUNNABLE;
	return ioctl(vcpu->fd, KVM_SET_MP_STATE, &state) == 0;
}

/* The core has checked what all processors refuse; KVM knows what this one does. */
static bool set_msrs(struct vcpu *vcpu, const struct pvrom_smp_state *state)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry[2];
	} msrs = {
		.head.nmsrs = 2,
		.entry = { { MSR_PAT, 0, state->pat },
			   { MSR_EFER, 0, state->efer & ~(uint64_t)EFER_LMA } },
	};

	return ioctl(vcpu->fd, KVM_SET_MSRS, &msrs.head) == 2;
}

static struct kvm_sregs long_mode(const struct vcpu *vcpu, const struct pvrom_smp_state *s)
{
	struct kvm_sregs sregs = vcpu->reset_sregs;

	sregs.cs = flat(s->cs, 0xb);
	sregs.cs.l = 1;
	sregs.cs.db = 0;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat(s->ss, 0x3);
	sregs.fs.base = s->fs_base;
	sregs.gs.base = s->gs_base;
	sregs.tr = (struct kvm_segment){ .limit = 0x67, .type = 0xb, .present = 1 };
	sregs.gdt = (struct kvm_dtable){ .base = s->gdt_base, .limit = s->gdt_limit };
	sregs.idt = (struct kvm_dtable){ .base = s->idt_base, .limit = s->idt_limit };
	sregs.cr0 = s->cr0 | CR0_ET;
	sregs.cr3 = s->cr3;
	sregs.cr4 = s->cr4;
	sregs.efer = s->efer;
	return sregs;
}

/*
 * Starts a stopped CPU in the given state, on its own thread. False if the
 * processor would refuse the state; the CPU then waits as before.
 */
bool vcpu_state_start(struct vcpu *vcpu, const struct pvrom_smp_state *state)
{
	struct kvm_regs regs = {
		.rip = state->rip,
		.rsp = state->rsp,
		.rdi = state->rdi,
		.rflags = RFLAGS_ALWAYS,
	};
	struct kvm_sregs sregs = long_mode(vcpu, state);
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };

	finish_io(vcpu);
	pvrom_glue_forget_callers(vcpu);
	set_waiting(vcpu);
	if (!set_msrs(vcpu, state) || ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0) {
		set_waiting(vcpu);
		return false;
	}
	ioctl(vcpu->fd, KVM_SET_REGS, &regs);
	interrupts_pv_eoi(vcpu, vcpu->pv_eoi);
	vcpu_times_record(vcpu, vcpu->steal);
	ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable);
	return true;
}
