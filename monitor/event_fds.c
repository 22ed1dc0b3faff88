/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Files that stand for interrupts and doorbells (Documentation/virt/kvm/api.rst, KVM_IRQFD and
 * KVM_IOEVENTFD): a device's thread raises a line without a CPU's thread, and a guest's write wakes a
 * device's thread without leaving KVM. And one use of the latter that needs no thread: port 0x80.
 */
#include "interrupts.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The port of power-on diagnostics, which guests write to when an old device needs time. */
#define DELAY_PORT 0x80u

static int event_file(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		fail(EXIT_CANNOT_RUN, "no eventfd: %s", strerror(errno));
	return fd;
}

/*
 * A file for irqfd_raise() whose every write is an edge on line `gsi` of the irqchip, by the route
 * that the line has then. The caller closes it, before or after the machine.
 */
int irqfd_open(const struct vm *vm, uint32_t gsi)
{
	struct kvm_irqfd irqfd = { .fd = (uint32_t)event_file(), .gsi = gsi };

	if (ioctl(vm->fd, KVM_IRQFD, &irqfd) < 0)
		fail(EXIT_CANNOT_RUN, "this KVM cannot run the guest: KVM_IRQFD: %s",
		     strerror(errno));
	return (int)irqfd.fd;
}

/* Raises the line; from any thread, with any lock held. The interrupt comes a little later. */
void irqfd_raise(int fd)
{
	const uint64_t one = 1;

	/* It fails only when 2^64 - 2 edges have not been taken, and then there are enough. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

/* Counts in `fd` what a doorbell says, beside what is counted there already. */
void doorbell_attach(const struct vm *vm, const struct doorbell *doorbell, int fd)
{
	struct kvm_ioeventfd request = {
		.datamatch = doorbell->value,
		.addr = doorbell->address,
		.len = doorbell->size,
		.fd = fd,
		.flags = (doorbell->is_port ? KVM_IOEVENTFD_FLAG_PIO : 0u) |
			 (doorbell->one_value ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0u),
	};

	if (ioctl(vm->fd, KVM_IOEVENTFD, &request) < 0)
		fail(EXIT_CANNOT_RUN, "this KVM cannot run the guest: KVM_IOEVENTFD: %s",
		     strerror(errno));
}

/*
 * A file that counts the guest's writes of `size` bytes (1, 2, 4, 8; 0: of any size) to a port or an
 * address: they end in KVM, and their value is lost, but for an access of the one value that may be
 * asked for. To be polled and read by any thread; the caller closes it.
 */
int doorbell_open(const struct vm *vm, const struct doorbell *doorbell)
{
	int fd = event_file();

	doorbell_attach(vm, doorbell, fd);
	return fd;
}

/* How often it was rung since the last time; does not wait. */
uint64_t doorbell_rung(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

/* Lets writes to the delay port end in KVM: there is nobody there, and their exit is delay enough. */
void delay_port_create(struct vm *vm)
{
	const struct doorbell bell = { .address = DELAY_PORT, .size = 1, .is_port = true };

	vm->delay_port = doorbell_open(vm, &bell);
}
