/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Ports: COM1, the PIT with its gate and the clock of the day are the guest's own. One ends the
 * machine, one is for tests. At all others there is nothing: reads are ones, writes are lost.
 */
#include "hv.h"

#define COM1 0x3f8
#define PIT 0x40
#define PIT_GATE 0x61
#define CMOS 0x70
#define STATUS_PORT 0xf4    /* QEMU's isa-debug-exit, as machines of this project have it */
#define CHANGE_PORT 0x5655  /* write HV_WANT_x: done before the next instruction */
#define COUNTER_PORT 0x5654 /* write the number of a counter, read its low half */

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
		allow(CMOS, 2);
	}
	return (uint64_t)permissions;
}

/* For a guest that measures itself: counters of its own vCPU, this exit included. */
static uint32_t counter(const struct hv_vcpu *vcpu)
{
	return vcpu->counter < SUMS ? (uint32_t)vcpu->counts.sum[vcpu->counter] : UINT32_MAX;
}

/* Ones into AL or AX; EAX clears the high half. */
static void read(struct hv_vcpu *vcpu, uint16_t port, uint32_t bytes)
{
	uint64_t mask = (1ull << 8 * bytes) - 1;

	if (bytes == 4)
		vcpu->gpr[RAX] = port == COUNTER_PORT ? counter(vcpu) : mask;
	else
		vcpu->gpr[RAX] |= mask;
}

static void write(struct hv_vcpu *vcpu, uint16_t port)
{
	if (port == STATUS_PORT)
		hv_finish((uint8_t)vcpu->gpr[RAX]);
	if (port == CHANGE_PORT)
		hv_change_want((uint32_t)vcpu->gpr[RAX] & (HV_WANT_PAGING | HV_WANT_RELOAD));
	if (port == COUNTER_PORT)
		vcpu->counter = (uint32_t)vcpu->gpr[RAX];
}

/* The exit brings the next RIP. String instructions do nothing at a port where nothing is. */
void hv_port_access(struct hv_vcpu *vcpu)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	uint64_t info = vmcb->exit_info1;

	hv_change_count();
	if (!(info & SVM_IO_STRING) && info & SVM_IO_IN)
		read(vcpu, SVM_IO_PORT(info), SVM_IO_SIZE(info));
	else if (!(info & SVM_IO_STRING))
		write(vcpu, SVM_IO_PORT(info));
	hv_skip(vcpu, (uint32_t)(vmcb->exit_info2 - vmcb->rip));
}
