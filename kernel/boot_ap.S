/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The way of a further CPU from SIPI to smp_ap_main(index) in 64-bit mode.
 *
 * boot_ap_start..boot_ap_end is copied to AP_PAGE. A CPU finds its index by its
 * APIC ID in smp_apic_ids[], or, if it is not there, takes the next free one:
 * so one trampoline serves a broadcast to CPUs nobody has listed, a directed
 * start, and the second start of a CPU that was stopped.
 */
#include "boot_layout.h"

	.section .boot.text, "ax"
	.code16
	.globl boot_ap_start
boot_ap_start:
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	lgdtl boot_ap_gdt_pointer - boot_ap_start
	mov $0x33, %eax
	mov %eax, %cr0
	ljmpl $SEL_BOOT_CODE32, $(boot_ap_32 - boot_ap_start + AP_PAGE)

	.code32
boot_ap_32:
	mov $SEL_KDATA, %eax
	mov %eax, %ds
	mov $0x20, %eax
	mov %eax, %cr4
	mov $boot_pml4, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	mov $0x901, %eax
	xor %edx, %edx
	wrmsr
	mov $0x80010033, %eax
	mov %eax, %cr0
	ljmp $SEL_KCODE, $boot_ap_64

	.balign 4
boot_ap_gdt_pointer:
	.word 31
	.long boot_gdt
	.globl boot_ap_end
boot_ap_end:

	.code64
/*
 * EAX = this CPU's APIC ID: leaf 0xb if it says anything, else leaf 1. There is
 * no stack yet.
 */
boot_ap_64:
	xor %eax, %eax
	cpuid
	cmp $0xb, %eax
	jb 4f
	mov $0xb, %eax
	xor %ecx, %ecx
	cpuid
	mov %edx, %eax
	test %ebx, %ebx
	jnz 5f
4:	mov $1, %eax
	cpuid
	mov %ebx, %eax
	shr $24, %eax
5:
	mov smp_slots, %ecx
	xor %esi, %esi
1:	cmp %ecx, %esi
	jae 2f
	cmp %eax, smp_apic_ids(, %rsi, 4)
	je 3f
	inc %esi
	jmp 1b
2:	mov $1, %esi
	lock xadd %esi, smp_slots
	cmp $MAX_CPUS, %esi
	jae boot_ap_park
	mov %eax, smp_apic_ids(, %rsi, 4)
3:	mov %esi, %eax
	inc %eax
	imul $STACK_SIZE, %rax, %rax
	lea stacks_of_others(%rax), %rsp
	call boot_segments
	mov %esi, %edi
	xor %ebp, %ebp
	call smp_ap_main
boot_ap_park:
	hlt
	jmp boot_ap_park
