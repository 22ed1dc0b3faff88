/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's TSC: the host's plus an offset, the same for all CPUs. KVM tells the offset only while the
 * CPU is out of the guest, so it is kept here; a guest that writes its TSC comes out
 * (KVM_X86_SET_MSR_FILTER), and whoever counts on the offset learns of it. Where KVM has no such filter the
 * writes go unseen: then the guest's clock is what the guest has made of it.
 */
#include "guest_clock.h"
#include "kvm_device.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <x86intrin.h>

#define MSR_TSC 0x10u
#define MSR_TSC_ADJUST 0x3bu

static struct kvm_device_attr offset_attribute(uint64_t *offset)
{
	return (struct kvm_device_attr){
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uint64_t)(uintptr_t)offset,
	};
}

static bool read_offset(const struct vcpu *vcpu, uint64_t *offset)
{
	struct kvm_device_attr attribute = offset_attribute(offset);

	return ioctl(vcpu->fd, KVM_GET_DEVICE_ATTR, &attribute) == 0;
}

/* Sets the CPU's offset; on its own thread, or while it does not run. */
bool guest_tsc_set_offset(struct vcpu *vcpu, uint64_t offset)
{
	struct kvm_device_attr attribute = offset_attribute(&offset);

	if (ioctl(vcpu->fd, KVM_SET_DEVICE_ATTR, &attribute) < 0)
		return false;
	__atomic_store_n(&vcpu->tsc_offset, offset, __ATOMIC_RELAXED);
	return true;
}

/* Writes of these two come to us, reads do not; all other MSRs stay KVM's. */
static bool watch_writes(struct vm *vm)
{
	struct kvm_enable_cap enable = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args = { KVM_MSR_EXIT_REASON_FILTER },
	};
	uint8_t refused = 0;
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges = { { KVM_MSR_FILTER_WRITE, 1, MSR_TSC, &refused },
			    { KVM_MSR_FILTER_WRITE, 1, MSR_TSC_ADJUST, &refused } },
	};

	return ioctl(vm->fd, KVM_ENABLE_CAP, &enable) == 0 &&
	       ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter) == 0;
}

/*
 * Gives all CPUs one offset, that of the first; the CPUs exist and have not run. KVM does so itself where they
 * are made within a second.
 */
void guest_tsc_create(struct vm *vm)
{
	uint64_t offset;
	int khz = ioctl(vm->vcpus[0].fd, KVM_GET_TSC_KHZ, 0);

	vm->tsc_khz = khz > 0 ? (uint64_t)khz : 0;
	vm->tsc_known = read_offset(&vm->vcpus[0], &offset);
	for (unsigned int i = 0; vm->tsc_known && i < vm->opt->cpus; i++)
		vm->tsc_known = guest_tsc_set_offset(&vm->vcpus[i], offset);
	if (vm->tsc_known)
		watch_writes(vm);
}

/* The guest's TSC less the host's; from any thread. */
uint64_t guest_tsc_offset(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->tsc_offset, __ATOMIC_RELAXED);
}

/* The TSC as the CPU would read it now; from any thread. */
uint64_t guest_tsc_now(const struct vcpu *vcpu)
{
	return __rdtsc() + guest_tsc_offset(vcpu);
}

static bool access_adjust(struct vcpu *vcpu, unsigned long request, uint64_t *value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = { .head.nmsrs = 1, .entry = { MSR_TSC_ADJUST, 0, *value } };
	bool done = ioctl(vcpu->fd, request, &msrs.head) == 1;

	*value = msrs.entry.data;
	return done;
}

/* SDM vol. 3B 17.17.3: a write of one of the two MSRs moves the other by as much. */
static bool move(struct vcpu *vcpu, uint32_t msr, uint64_t data)
{
	uint64_t adjust = 0, step;
	bool has_adjust = cpuid_supported_bit(vcpu->vm->kvm, 7, 1, 1) &&
			  access_adjust(vcpu, KVM_GET_MSRS, &adjust);

	if (msr == MSR_TSC_ADJUST && !has_adjust)
		return false;
	step = data - (msr == MSR_TSC ? guest_tsc_now(vcpu) : adjust);
	adjust += step;
	if (!guest_tsc_set_offset(vcpu, vcpu->tsc_offset + step))
		return false;
	if (has_adjust)
		access_adjust(vcpu, KVM_SET_MSRS, &adjust);
	alarms_move(vcpu);
	clock_tsc_moved(vcpu, (int64_t)step);
	return true;
}

/* The guest writes its TSC; on the CPU's own thread. What KVM would refuse is #GP. */
void guest_tsc_write(struct vcpu *vcpu)
{
	uint32_t msr = vcpu->run->msr.index;
	bool ours = msr == MSR_TSC || msr == MSR_TSC_ADJUST;

	vcpu->run->msr.error = !ours || !move(vcpu, msr, vcpu->run->msr.data);
}
