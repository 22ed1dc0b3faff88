/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The vCPU area: memory of the guest that host and guest share, one for each vCPU.
 *
 * The guest registers it with VCPU_AREA on that vCPU (argument 0: gpa, a multiple of 2048;
 * argument 1: bytes, at least PVROM_VCPU_AREA_SIZE and at most 4096) and declares to its shim how
 * it is found: at an offset from GS or FS, or through a register. Argument 0 PVROM_VCPU_AREA_NONE
 * releases it.
 */
#ifndef PVROM_VCPU_H
#define PVROM_VCPU_H

#include <pvrom/calls.h>
#include <pvrom/constants.h>

/* Offsets that ROM text needs in assembler. */
PVROM_CONSTANTS_BEGIN
PVROM_CONSTANT(PVROM_VCPU_AREA_SIZE, 0x800)
PVROM_CONSTANT(PVROM_VCPU_AREA_ALIGN, 0x800)
PVROM_CONSTANT(PVROM_VCPU_AREA_EPOCH, 0x08)
PVROM_CONSTANT(PVROM_VCPU_AREA_EOI, 0x14)
PVROM_CONSTANT(PVROM_VCPU_AREA_STEAL, 0x40)
PVROM_CONSTANT(PVROM_VCPU_AREA_CLOCK, 0x80)
PVROM_CONSTANT(PVROM_VCPU_AREA_CALLS, 0x100)
/* Within steal: a byte that KVM sets when the vCPU is taken off its processor and clears when it is back. */
PVROM_CONSTANT(PVROM_VCPU_STEAL_PREEMPTED, 0x10)
/* Bit 0 of eoi. */
PVROM_CONSTANT(PVROM_VCPU_EOI_IDLE, 0x1)
PVROM_CONSTANTS_END

#ifndef __ASSEMBLER__
/*
 *	0x00	size		host, at registration	0x800
 *	0x04	major		host, at registration
 *	0x06	minor		host, at registration
 *	0x08	epoch		host, whenever it raises the epoch; a guest reads it with one 64-bit load
 *	0x10	vcpu		host, at registration	id of this vCPU
 *	0x14	eoi		both: the host sets bit 0 when the interrupt it has just injected
 *				needs no EOI; the guest tests and clears it with one instruction (btr)
 *				where it would end the interrupt, and if it was set ends nothing
 *	0x18	reserved0[5]	host, at registration	zero
 *	0x40	steal[64]	the layer below: under KVM its own record of stolen time
 *				(MSR_KVM_STEAL_TIME), else zero
 *	0x80	clock_seq	host	raised by 1 before and after each snapshot, which is all from here on;
 *				odd meanwhile; 0 until the first
 *	0x84	clock_state	host	PVROM_VCPU_RUNNING, _HALTED or _READY: what the vCPU was doing when its
 *				thread came to write this snapshot
 *	0x88	clock_tsc	host	the TSC at which the next three hold
 *	0x90	clock_real	host	monotonic nanoseconds, as from the clock page
 *	0x98	clock_stolen	host	nanoseconds of these for which the vCPU was ready and did not run
 *	0xa0	clock_halted	host	nanoseconds of these for which it was halted
 *	0xa8	clock_fresh	host	the next snapshot comes so many nanoseconds after this one at the latest,
 *				whatever the vCPU does, as far as the host itself is let run; all ones: the
 *				host does not say
 *	0xb0	reserved1[10]	zero
 *	0x100	calls[224]	host	how often this vCPU has made each call, in batches too: call number n of
 *				group G at PVROM_COUNTER_G + (n & 0xff); taken with the snapshot; modulo
 *				2^64; they go on where the machine was saved
 *	0x800
 *
 * At registration the host writes all of it. The fields from clock_seq on are for the kernel only, are
 * written by the host's thread of this vCPU while the feature clock is in the sealed set, and are zero before.
 * Available time is clock_real - clock_stolen: halted time is available.
 * Fields not named here stay zero in this version.
 */
struct pvrom_vcpu_area {
	uint32_t size;
	uint16_t major;
	uint16_t minor;
	uint64_t epoch;
	uint32_t vcpu;
	uint32_t eoi;
	uint64_t reserved0[5];
	uint8_t steal[64];
	uint32_t clock_seq;
	uint32_t clock_state;
	uint64_t clock_tsc;
	uint64_t clock_real;
	uint64_t clock_stolen;
	uint64_t clock_halted;
	uint64_t clock_fresh;
	uint64_t reserved1[10];
	uint64_t calls[224];
};
PVROM_OFFSET_IS(pvrom_vcpu_area, size, 0x00);
PVROM_OFFSET_IS(pvrom_vcpu_area, major, 0x04);
PVROM_OFFSET_IS(pvrom_vcpu_area, minor, 0x06);
PVROM_OFFSET_IS(pvrom_vcpu_area, epoch, PVROM_VCPU_AREA_EPOCH);
PVROM_OFFSET_IS(pvrom_vcpu_area, vcpu, 0x10);
PVROM_OFFSET_IS(pvrom_vcpu_area, eoi, PVROM_VCPU_AREA_EOI);
PVROM_OFFSET_IS(pvrom_vcpu_area, reserved0, 0x18);
PVROM_OFFSET_IS(pvrom_vcpu_area, steal, PVROM_VCPU_AREA_STEAL);
PVROM_OFFSET_IS(pvrom_vcpu_area, clock_seq, PVROM_VCPU_AREA_CLOCK);
PVROM_OFFSET_IS(pvrom_vcpu_area, clock_state, 0x84);
PVROM_OFFSET_IS(pvrom_vcpu_area, clock_tsc, 0x88);
PVROM_OFFSET_IS(pvrom_vcpu_area, clock_real, 0x90);
PVROM_OFFSET_IS(pvrom_vcpu_area, clock_stolen, 0x98);
PVROM_OFFSET_IS(pvrom_vcpu_area, clock_halted, 0xa0);
PVROM_OFFSET_IS(pvrom_vcpu_area, clock_fresh, 0xa8);
PVROM_OFFSET_IS(pvrom_vcpu_area, reserved1, 0xb0);
PVROM_OFFSET_IS(pvrom_vcpu_area, calls, PVROM_VCPU_AREA_CALLS);
PVROM_SIZE_IS(pvrom_vcpu_area, PVROM_VCPU_AREA_SIZE);
PVROM_STATIC_ASSERT((int)PVROM_VCPU_AREA_CALLS + 8 * (int)PVROM_COUNTER_COUNT ==
			    (int)PVROM_VCPU_AREA_SIZE,
		    "calls");
#endif

#endif
