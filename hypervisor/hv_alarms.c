/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Alarms: a TSC value and a vector for each vCPU, on the timer of its CPU. Never early. */
#include "hv.h"

/* The alarm is gone, and its vector too if the guest has not taken it; the lock is held. */
static void disarm(struct hv_vcpu *vcpu)
{
	if (vcpu->alarm.sent)
		hv_interrupts_withdraw(vcpu, vcpu->alarm.vector);
	vcpu->alarm.sent = false;
	vcpu->alarm.deadline = 0;
}

/* The guest's TSC is the CPU's plus the control block's offset. */
static uint64_t host_tsc(const struct hv_vcpu *vcpu, uint64_t tsc)
{
	uint64_t now = rdtsc(), guest_now = now + vcpu->vmcb->tsc_offset;

	if (tsc <= guest_now)
		return now;
	return tsc - guest_now < UINT64_MAX - now ? now + (tsc - guest_now) : UINT64_MAX;
}

/* Replaces the alarm; on the vCPU's own CPU. */
void hv_alarm_set(struct hv_vcpu *vcpu, uint64_t tsc, uint8_t vector)
{
	hv_lock_take(&vcpu->alarm.lock);
	disarm(vcpu);
	vcpu->alarm.deadline = host_tsc(vcpu, tsc);
	vcpu->alarm.vector = vector;
	hv_lock_release(&vcpu->alarm.lock);
	hv_timer_set(vcpu->alarm.deadline);
}

/* From any CPU. A timer that comes for nothing does no harm. */
void hv_alarm_cancel(struct hv_vcpu *vcpu)
{
	hv_lock_take(&vcpu->alarm.lock);
	disarm(vcpu);
	hv_lock_release(&vcpu->alarm.lock);
}

/* The timer has come: is the alarm due? The timer is not the TSC, and may be early. */
static void timer_came(struct hv_vcpu *vcpu)
{
	struct hv_alarm *alarm = &vcpu->alarm;

	if (rdtsc() < alarm->deadline) {
		hv_timer_set(alarm->deadline);
	} else if (alarm->deadline) {
		alarm->deadline = 0;
		alarm->sent = true;
		hv_interrupts_send(vcpu, alarm->vector);
	}
}

/* Before each run; on the vCPU's own CPU. */
void hv_alarm_check(struct hv_vcpu *vcpu)
{
	if (!vcpu->alarm.timer_came)
		return;
	vcpu->alarm.timer_came = false;
	hv_lock_take(&vcpu->alarm.lock);
	timer_came(vcpu);
	hv_lock_release(&vcpu->alarm.lock);
}
