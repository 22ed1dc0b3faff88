/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What KVM_RUN returned for. */
#include "run_vcpu.h"
#include "guest_clock.h"
#include "pc_devices.h"
#include "pvrom_glue.h"

#include <string.h>

static void crash(struct vcpu *vcpu)
{
	vcpu_dump_all(vcpu);
	machine_finish(vcpu->vm, ENDED, EXIT_CRASHED);
}

/* A device, or nothing: then reads give ones, as on a bus. */
static __attribute__((noinline)) void mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	bool write = run->mmio.is_write;

	vcpu->exits.mmio++;
	if (!virtio_mmio_access(vcpu->vm, run->mmio.phys_addr, run->mmio.data, run->mmio.len,
				write) &&
	    !write && !rom_bug_read(vcpu->vm, run->mmio.phys_addr, run->mmio.data, run->mmio.len))
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
}

static void shutdown(struct vcpu *vcpu)
{
	complain("CPU %u: triple fault", vcpu->index);
	if (vcpu->run->kvm_valid_regs)
		vcpu_dump_last(vcpu);
	crash(vcpu);
}

static void internal_error(struct vcpu *vcpu)
{
	const char *what = "";

	if (vcpu->run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
		what = ": it cannot emulate an instruction";
	complain("CPU %u: internal error %u of KVM%s", vcpu->index, vcpu->run->internal.suberror,
		 what);
	crash(vcpu);
}

static void entry_failed(struct vcpu *vcpu)
{
	complain("CPU %u: the processor refuses this state (hardware reason 0x%llx)", vcpu->index,
		 (unsigned long long)vcpu->run->fail_entry.hardware_entry_failure_reason);
	crash(vcpu);
}

static void unexpected(struct vcpu *vcpu)
{
	complain("CPU %u: KVM returned for an unknown reason (%u)", vcpu->index,
		 vcpu->run->exit_reason);
	crash(vcpu);
}

static __attribute__((noinline)) void rare_exit(struct vcpu *vcpu)
{
	vcpu->exits.other++;
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_SHUTDOWN: shutdown(vcpu); return;
	case KVM_EXIT_INTERNAL_ERROR: internal_error(vcpu); return;
	case KVM_EXIT_FAIL_ENTRY: entry_failed(vcpu); return;
	case KVM_EXIT_X86_WRMSR: guest_tsc_write(vcpu); return;
	default: unexpected(vcpu);
	}
}

/*
 * Handles the exit that is in vcpu->run; on the CPU's own thread. It is the first
 * of the hot functions, and all of them together are less than a page.
 */
HOT __attribute__((aligned(PAGE_SIZE))) void exit_handle(struct vcpu *vcpu)
{
	if (vcpu->run->exit_reason == KVM_EXIT_IO) {
		vcpu->exits.io++;
		port_access(vcpu);
	} else if (vcpu->run->exit_reason == KVM_EXIT_MMIO) {
		mmio(vcpu);
	} else {
		rare_exit(vcpu);
	}
}
