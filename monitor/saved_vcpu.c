/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One CPU's state on its way to a file and back: all that KVM keeps of it, its TSC's offset, its alarm and
 * its times. The CPU's thread has ended, or has not begun.
 */
#include "saved_machine.h"
#include "guest_clock.h"
#include "run_vcpu.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define MSR_TSC 0x10u
#define MSR_DE_CFG 0xc0011029u /* AMD's, by which Linux makes LFENCE wait */
#define MOST_MSRS 256u

struct msr_list {
	struct kvm_msr_list head;
	uint32_t index[MOST_MSRS];
};

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

static void demand(struct vcpu *vcpu, unsigned long request, void *state, const char *what)
{
	if (ioctl(vcpu->fd, request, state) < 0)
		fail(EXIT_CANNOT_RUN, "CPU %u cannot be saved or loaded: %s: %s", vcpu->index, what,
		     strerror(errno));
}
#define DEMAND(vcpu, request, state) demand(vcpu, request, state, #request)

static bool access_msr(struct vcpu *vcpu, unsigned long request, uint32_t index, uint64_t *value)
{
	struct one_msr msr = { .head.nmsrs = 1, .entry = { index, 0, *value } };
	bool done = ioctl(vcpu->fd, request, &msr.head) == 1;

	*value = msr.entry.data;
	return done;
}

/* Not the TSC: that is the host's plus an offset. */
static void save_msr(struct vcpu *vcpu, struct saved_vcpu *saved, uint32_t index)
{
	struct saved_msr msr = { .index = index };

	if (index != MSR_TSC && access_msr(vcpu, KVM_GET_MSRS, index, &msr.value))
		saved->msr[saved->msr_count++] = msr;
}

/*
 * All that KVM names, and one that it keeps without naming it: a guest that finds it at 0 and writes that
 * back, as Linux does when it wakes from S3, gets a fault.
 */
static void save_msrs(struct vcpu *vcpu, struct saved_vcpu *saved)
{
	struct msr_list list = { .head.nmsrs = MOST_MSRS - 1 };

	if (ioctl(vcpu->vm->kvm, KVM_GET_MSR_INDEX_LIST, &list.head) < 0)
		fail(EXIT_CANNOT_RUN, "KVM_GET_MSR_INDEX_LIST: %s", strerror(errno));
	for (uint32_t i = 0; i < list.head.nmsrs; i++)
		save_msr(vcpu, saved, list.head.indices[i]);
	save_msr(vcpu, saved, MSR_DE_CFG);
}

/* KVM refuses to write some that hold what they always do. */
static void load_msrs(struct vcpu *vcpu, const struct saved_vcpu *saved)
{
	for (uint32_t i = 0; i < saved->msr_count && i < MOST_MSRS; i++) {
		uint64_t value = saved->msr[i].value, now = 0;

		if (access_msr(vcpu, KVM_SET_MSRS, saved->msr[i].index, &value))
			continue;
		if (!access_msr(vcpu, KVM_GET_MSRS, saved->msr[i].index, &now) ||
		    now != saved->msr[i].value)
			fail(EXIT_CANNOT_RUN, "CPU %u: this KVM does not take MSR 0x%x",
			     vcpu->index, saved->msr[i].index);
	}
}

/* An access that the CPU's last exit has begun is finished first: KVM has no place for half of one. */
static void finish_exit(struct vcpu *vcpu)
{
	do
		vcpu->run->immediate_exit = 1;
	while (ioctl(vcpu->fd, KVM_RUN, 0) == 0 && (exit_handle(vcpu), true));
	vcpu->run->immediate_exit = 0;
}

void saved_vcpu_take(struct vcpu *vcpu, struct saved_vcpu *saved)
{
	memset(saved, 0, sizeof(*saved));
	finish_exit(vcpu);
	DEMAND(vcpu, KVM_GET_MP_STATE, &saved->mp_state);
	DEMAND(vcpu, KVM_GET_REGS, &saved->regs);
	DEMAND(vcpu, KVM_GET_SREGS, &saved->sregs);
	DEMAND(vcpu, KVM_GET_XSAVE, &saved->xsave);
	DEMAND(vcpu, KVM_GET_XCRS, &saved->xcrs);
	DEMAND(vcpu, KVM_GET_DEBUGREGS, &saved->debugregs);
	DEMAND(vcpu, KVM_GET_LAPIC, &saved->lapic);
	DEMAND(vcpu, KVM_GET_VCPU_EVENTS, &saved->events);
	save_msrs(vcpu, saved);
	saved->tsc_offset = guest_tsc_offset(vcpu);
	saved->alarm = vcpu->vm->alarms.of[vcpu->index];
	saved->past = vcpu->past;
}

/* The local APIC before the MSRs: a deadline is taken in that mode of its timer only. */
void saved_vcpu_give(struct vcpu *vcpu, const struct saved_vcpu *from, uint64_t tsc_offset)
{
	struct saved_vcpu saved = *from;

	if (!guest_tsc_set_offset(vcpu, tsc_offset))
		fail(EXIT_CANNOT_RUN, "CPU %u: this KVM does not set the TSC's offset",
		     vcpu->index);
	DEMAND(vcpu, KVM_SET_SREGS, &saved.sregs);
	DEMAND(vcpu, KVM_SET_REGS, &saved.regs);
	DEMAND(vcpu, KVM_SET_XCRS, &saved.xcrs);
	DEMAND(vcpu, KVM_SET_XSAVE, &saved.xsave);
	DEMAND(vcpu, KVM_SET_DEBUGREGS, &saved.debugregs);
	DEMAND(vcpu, KVM_SET_LAPIC, &saved.lapic);
	load_msrs(vcpu, &saved);
	DEMAND(vcpu, KVM_SET_MP_STATE, &saved.mp_state);
	DEMAND(vcpu, KVM_SET_VCPU_EVENTS, &saved.events);
	vcpu->vm->alarms.of[vcpu->index] = saved.alarm;
	vcpu->past = saved.past;
	alarms_move(vcpu);
}
