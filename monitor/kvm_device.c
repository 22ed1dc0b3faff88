/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* /dev/kvm: opening it, what it must be able to do, and a virtual machine on it. */
#include "kvm_device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

static const struct {
	long cap;
	const char *name;
} needed[] = {
	{ KVM_CAP_IRQCHIP, "an in-kernel interrupt controller" },
	{ KVM_CAP_USER_MEMORY, "user memory regions" },
	{ KVM_CAP_SET_TSS_ADDR, "KVM_SET_TSS_ADDR" },
	{ KVM_CAP_EXT_CPUID, "KVM_GET_SUPPORTED_CPUID" },
	{ KVM_CAP_PIT2, "an in-kernel PIT" },
	{ KVM_CAP_MP_STATE, "KVM_SET_MP_STATE" },
	{ KVM_CAP_IMMEDIATE_EXIT, "immediate_exit" },
	{ KVM_CAP_SYNC_REGS, "synchronized registers" },
	{ KVM_CAP_SIGNAL_MSI, "KVM_SIGNAL_MSI" },
	{ KVM_CAP_READONLY_MEM, "read-only memory" },
	{ KVM_CAP_IRQFD, "KVM_IRQFD" },
	{ KVM_CAP_IOEVENTFD, "KVM_IOEVENTFD" },
};

/* The value of a capability; 0 when absent. */
int kvm_extension(int fd, long cap)
{
	int value = ioctl(fd, KVM_CHECK_EXTENSION, cap);

	return value < 0 ? 0 : value;
}

static void explain_open(void)
{
	int error = errno;

	if (error == ENOENT || error == ENXIO || error == ENODEV)
		fail(EXIT_CANNOT_RUN,
		     "no /dev/kvm here: load the module kvm-amd or kvm-intel, or switch "
		     "on virtualization in the firmware (or in the machine around this one)");
	if (error == EACCES || error == EPERM)
		fail(EXIT_CANNOT_RUN,
		     "no permission to use /dev/kvm: be a member of its group (see "
		     "`ls -l /dev/kvm`), or root");
	fail(EXIT_CANNOT_RUN, "cannot open /dev/kvm: %s", strerror(error));
}

/* Opens /dev/kvm and checks it; ends pvrun with a message if it will not do. */
int kvm_open(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		explain_open();
	if (ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		fail(EXIT_CANNOT_RUN, "/dev/kvm is not KVM with interface version %d",
		     KVM_API_VERSION);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (kvm_extension(fd, needed[i].cap) == 0)
			fail(EXIT_CANNOT_RUN, "this KVM cannot run the guest: it lacks %s",
			     needed[i].name);
	return fd;
}

static void set_up(struct vm *vm, unsigned long request, void *argument, const char *what)
{
	if (ioctl(vm->fd, request, argument) < 0)
		fail(EXIT_CANNOT_RUN, "this KVM cannot run the guest: %s: %s", what,
		     strerror(errno));
}

/*
 * Creates the virtual machine with PIC, IOAPIC, local APICs and PIT in the
 * kernel. The two addresses are pages that KVM itself needs on Intel; they lie
 * in the PCI hole, below the firmware's usual place. The PIT ticks when it is time, as a real one: it does not
 * keep ticks until the last was ended, which it would not hear of where its line is routed by a call.
 */
void kvm_create_machine(struct vm *vm)
{
	uint64_t identity_map = 0xfffbc000;
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct kvm_reinject_control no_ticks_later = { 0 };
	int most = kvm_extension(vm->kvm, KVM_CAP_MAX_VCPUS);

	if ((int)vm->opt->cpus > most)
		fail(EXIT_CANNOT_RUN,
		     "this KVM cannot run the guest: %u CPUs asked, it has at most %d",
		     vm->opt->cpus, most);
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		fail(EXIT_CANNOT_RUN, "KVM makes no virtual machine: %s", strerror(errno));
	set_up(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map, "KVM_SET_IDENTITY_MAP_ADDR");
	set_up(vm, KVM_SET_TSS_ADDR, (void *)0xfffbd000, "KVM_SET_TSS_ADDR");
	set_up(vm, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP");
	set_up(vm, KVM_CREATE_PIT2, &pit, "KVM_CREATE_PIT2");
	set_up(vm, KVM_REINJECT_CONTROL, &no_ticks_later, "KVM_REINJECT_CONTROL");
}
