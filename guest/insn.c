/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The instructions of the shim that a hypervisor sees. There are no others: whoever wants to run the
 * shim elsewhere (the loop tests do) replaces this file.
 */
#include "guest_internal.h"

void pvrom_insn_cpuid(uint32_t leaf, uint32_t regs[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
			 : "a"(leaf), "c"(0));
}

uint32_t pvrom_insn_in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %%dx,%%eax" : "=a"(value) : "d"(port) : "memory");
	return value;
}

void pvrom_insn_out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %%eax,%%dx" : : "d"(port), "a"(value) : "memory");
}

uint32_t pvrom_insn_nonce(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | 1;
}

/* The registers are those of <pvrom/calls.h>; the host may destroy all that are operands here. */
#define HYPERCALL(insn)                                                                            \
	__asm__ volatile(insn                                                                      \
			 : "+a"(status), "+d"(rdx), "+D"(rdi), "+S"(rsi), "+r"(r8), "+r"(r9)       \
			 :                                                                         \
			 : "memory", "cc")

uint32_t pvrom_insn_hypercall(uint32_t transport, uint16_t port, uint32_t call,
			      const uint64_t arg[4], uint64_t *value)
{
	const uint64_t arg2 = arg[2], arg3 = arg[3];
	uint64_t rdi = arg[0], rsi = arg[1], rdx = port;
	uint32_t status = call;
	/* Last, and from no memory: a sanitizer's call at a load would destroy them. */
	register uint64_t r8 __asm__("r8") = arg2;
	register uint64_t r9 __asm__("r9") = arg3;

	if (transport == PVROM_TRANSPORT_VMCALL)
		HYPERCALL("vmcall");
	else if (transport == PVROM_TRANSPORT_VMMCALL)
		HYPERCALL("vmmcall");
	else
		HYPERCALL("outl %%eax,%%dx");
	*value = rdx;
	return status;
}
