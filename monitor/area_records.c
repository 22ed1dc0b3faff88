/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What KVM itself writes into a vCPU area: its record of stolen time, and where it says that an interrupt needs no
 * EOI. A guest may ask KVM for either by KVM's own MSRs too, as Linux does; it then looks there, and there
 * they stay, whatever area it registers.
 */
#include "pvrom_glue.h"
#include "guest_clock.h"
#include "interrupts.h"
#include "run_vcpu.h"

#include <sys/ioctl.h>

#define MSR_STEAL_TIME 0x4b564d03u /* Documentation/virt/kvm/x86/msr.rst */
#define MSR_PV_EOI 0x4b564d04u
#define ENABLED 1u

static uint64_t get_msr(const struct vcpu *vcpu, uint32_t index)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = { .head.nmsrs = 1, .entry = { index, 0, 0 } };

	return ioctl(vcpu->fd, KVM_GET_MSRS, &msrs.head) == 1 ? msrs.entry.data : 0;
}

/* Whoever has set it last, if that was not the monitor. */
static bool is_the_guests(const struct vcpu *vcpu, uint32_t index, uint64_t ours)
{
	uint64_t now = get_msr(vcpu, index);

	return (now & ENABLED) && now != ours;
}

/* On the CPU's own thread. */
static void change(struct vcpu *vcpu, uint64_t eoi, uint64_t steal)
{
	if (is_the_guests(vcpu, MSR_PV_EOI, vcpu->pv_eoi))
		eoi = 0;
	else
		interrupts_pv_eoi(vcpu, eoi);
	if (is_the_guests(vcpu, MSR_STEAL_TIME, vcpu->steal))
		steal = 0;
	else
		vcpu_times_record(vcpu, steal);
	vcpu->pv_eoi = eoi;
	vcpu->steal = steal;
}

/*
 * The CPU has an area there now, or none. A CPU registers its own; when RESET releases those of the others they are
 * stopped, and KVM does not know them then; and the CPUs of a machine that is loaded do not run yet.
 */
void area_records_change(struct vcpu *vcpu, uint64_t area_gpa)
{
	bool none = area_gpa == PVROM_VCPU_AREA_NONE;
	uint64_t eoi = none ? 0 : (area_gpa + PVROM_VCPU_AREA_EOI) | ENABLED;
	uint64_t steal = none ? 0 : (area_gpa + PVROM_VCPU_AREA_STEAL) | ENABLED;

	if (vcpu_is_mine(vcpu)) {
		change(vcpu, eoi, steal);
	} else {
		vcpu->pv_eoi = eoi;
		vcpu->steal = steal;
	}
}
