/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * How a guest finds the ROM, and how it knows that a live host stands behind it.
 *
 * Four routes, tried in this order:
 *
 *	1  CPUID leaves, at each base 0x40000000 to 0x4000ff00 in steps of 0x100
 *	2  the option ROM window 0xc0000 to 0xeffff, in steps of 2 KiB
 *	3  a UEFI configuration table, or a PCI expansion ROM
 *	4  an address handed over by the boot loader
 *
 * Route 1 is its own proof of a live host. A ROM found by another route is believed only after the
 * CPUID leaves name the same ROM (size and checksum), or after the live port answers.
 */
#ifndef PVROM_DISCOVERY_H
#define PVROM_DISCOVERY_H

#include <pvrom/constants.h>

/* X(NAME, number, words for people) */
#define PVROM_ROUTE_TABLE(X)                                                                       \
	X(NONE, 0, "nowhere")                                                                      \
	X(CPUID, 1, "CPUID leaves")                                                                \
	X(WINDOW, 2, "option ROM window")                                                          \
	X(FIRMWARE, 3, "UEFI table or PCI expansion ROM")                                          \
	X(LOADER, 4, "boot loader")

#define PVROM_ROUTE_CONSTANT_(NAME, number, words) PVROM_CONSTANT(PVROM_ROUTE_##NAME, number)
PVROM_CONSTANTS_BEGIN
PVROM_ROUTE_TABLE(PVROM_ROUTE_CONSTANT_)
PVROM_CONSTANT(PVROM_ROUTE_COUNT, 5)
PVROM_CONSTANTS_END

PVROM_CONSTANTS_BEGIN
/* Route 1 looks only if this bit of CPUID.1:ECX is set (Intel SDM vol. 2A, CPUID: reserved for
 * hypervisors; AMD APM vol. 3, Fn0000_0001_ECX[31]). */
PVROM_CONSTANT(PVROM_CPUID_HYPERVISOR_BIT, 31)
PVROM_CONSTANT(PVROM_CPUID_BASE_FIRST, 0x40000000)
PVROM_CONSTANT(PVROM_CPUID_BASE_LAST, 0x4000ff00)
PVROM_CONSTANT(PVROM_CPUID_BASE_STEP, 0x100)
/*
 * At a base B whose leaves are pvrom's:
 *
 *	B+0	eax	the highest leaf, B+2 to B+0xff
 *		ebx ecx edx	"pvRO" "M/pv" "ROM/"
 *	B+1	eax	major in bits 31:16, minor in bits 15:0
 *		ebx	reserved, zero
 *		ecx	rom_size
 *		edx	checksum
 *	B+2	eax	ROM address, bits 31:0
 *		ebx	ROM address, bits 63:32
 *		ecx	transport in bits 15:0, its port in bits 31:16
 *		edx	reserved, zero
 */
PVROM_CONSTANT(PVROM_CPUID_SIGNATURE_EBX, 0x4f527670)
PVROM_CONSTANT(PVROM_CPUID_SIGNATURE_ECX, 0x76702f4d)
PVROM_CONSTANT(PVROM_CPUID_SIGNATURE_EDX, 0x2f4d4f52)
PVROM_CONSTANT(PVROM_CPUID_LEAVES, 3)

PVROM_CONSTANT(PVROM_WINDOW_FIRST, 0xc0000)
PVROM_CONSTANT(PVROM_WINDOW_END, 0xf0000)
PVROM_CONSTANT(PVROM_WINDOW_STEP, 0x800)
PVROM_CONSTANTS_END

/*
 * The live port: a 32-bit port named in the ROM header. A read answers
 *
 *	live_key ^ nonce
 *
 * where the nonce is what the same vCPU last wrote there, and 0 if it has not written since its
 * last read. A guest reads, writes a nonce other than 0, reads again and compares both answers.
 */

/*
 * Route 3: the vendor GUID of the entry in the UEFI configuration table whose pointer is the
 * physical address of the ROM: {7a3fd0c6-52ab-4c0e-9d41-70764f524d31}, as it lies in memory.
 */
#define PVROM_UEFI_GUID_BYTES                                                                      \
	{                                                                                          \
		0xc6, 0xd0, 0x3f, 0x7a, 0xab, 0x52, 0x0e, 0x4c, 0x9d, 0x41, 0x70, 0x76, 0x4f,      \
			0x52, 0x4d, 0x31                                                           \
	}

#endif
