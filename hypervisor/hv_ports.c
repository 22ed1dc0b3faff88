/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Ports: COM1, the PIT and its gate are the guest's own. One ends the machine, one is for tests.
 * At all others there is nothing: reads are ones, writes are lost.
 */
#include "hv.h"

#define COM1 0x3f8
#define PIT 0x40
#define PIT_GATE 0x61
#define STATUS_PORT 0xf4 /* QEMU's isa-debug-exit, as machines of this project have it */

/* A bit a port, and room for an access of four ports at the last (APM vol. 2, 15.10.1). */
static uint8_t permissions[0x3000] __attribute__((aligned(4096)));

static void allow(uint32_t first, uint32_t count)
{
	for (uint32_t port = first; port < first + count; port++)
		permissions[port / 8] &= (uint8_t) ~(1u << port % 8);
}

uint64_t hv_port_permissions(void)
{
	if (!permissions[0]) {
		memset(permissions, 0xff, sizeof(permissions));
		allow(COM1, 8);
		allow(PIT, 4);
		allow(PIT_GATE, 1);
	}
	return (uint64_t)permissions;
}

/* All ones into AL or AX, or into EAX, which clears the high half. */
static void read_ones(struct hv_vcpu *vcpu, uint32_t bytes)
{
	uint64_t mask = (1ull << 8 * bytes) - 1;

	vcpu->gpr[RAX] = bytes == 4 ? mask : vcpu->gpr[RAX] | mask;
}

/* The exit brings the next RIP. String instructions do nothing at a port where nothing is. */
void hv_port_access(struct hv_vcpu *vcpu)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	uint64_t info = vmcb->exit_info1;

	if (info & SVM_IO_IN && !(info & SVM_IO_STRING))
		read_ones(vcpu, SVM_IO_SIZE(info));
	else if (SVM_IO_PORT(info) == STATUS_PORT && !(info & SVM_IO_IN))
		hv_finish((uint8_t)vcpu->gpr[RAX]);
	hv_skip(vcpu, (uint32_t)(vmcb->exit_info2 - vmcb->rip));
}
