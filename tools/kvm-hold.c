/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Keeps two idle virtual machines, one with KVM's interrupt controllers and one without, in the
 * background for as long as the Linux of the lab lives.
 *
 * Linux switches code paths of KVM and of its scheduler on with the first such machine and off with
 * the last, by writing into its own running text. QEMU 7.2's software CPU sometimes goes on executing
 * the breakpoint that stands there meanwhile, for ever: the lab freezes. With these two machines
 * there never is a first one or a last one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The descriptors stay open. */
static int hold(int kvm, int irqchip)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0 || (irqchip && ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0))
		return -1;
	return ioctl(vm, KVM_CREATE_VCPU, 0);
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR);
	pid_t child;

	if (kvm < 0 || hold(kvm, 1) < 0 || hold(kvm, 0) < 0 || (child = fork()) < 0) {
		fprintf(stderr, "kvm-hold: %s\n", strerror(errno));
		return 1;
	}
	if (child != 0)
		return 0;
	for (;;)
		pause();
}
