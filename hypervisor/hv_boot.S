/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * From the loader to hv_main(): 32-bit protected mode by multiboot 1 (flag bit 16, the address
 * fields: loaders refuse a 64-bit ELF file without them), then 64-bit mode with 4 GiB mapped one to
 * one. Further processors come by INIT and SIPI through a copy of hv_ap_start at HV_AP_PAGE.
 */
#include "hv_layout.h"

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_LOADED 0x2badb002
#define MULTIBOOT_FLAGS 0x00010003 /* modules on pages, memory map, address fields */
#define EFER_LME 0x100
#define CR0_ON 0x80010033 /* PG WP NE ET MP PE */

	.section .multiboot, "a"
	.balign 4
header:
	.long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
	.long header, hv_image_start, hv_load_end, hv_image_end, hv_boot

	.text
	.code16
	.globl hv_ap_start, hv_ap_end
hv_ap_start:
	cli
	mov %cs, %ax
	mov %ax, %ds
	lgdtl gdt_pointer - hv_ap_start
	mov $0x33, %eax
	mov %eax, %cr0
	xor %ebx, %ebx
	ljmpl $HV_CODE32, $enter_long_mode
	.balign 4
gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt
hv_ap_end:

	.code32
	.globl hv_boot
hv_boot:
	cli
	cmp $MULTIBOOT_LOADED, %eax
	jne sleep
	lgdt gdt_pointer
/* EBX: the loader's structure, or 0 on a further processor. */
enter_long_mode:
	mov $HV_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $0x20, %eax
	mov %eax, %cr4
	mov $pml4, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	mov $EFER_LME, %eax
	xor %edx, %edx
	wrmsr
	mov $CR0_ON, %eax
	mov %eax, %cr0
	ljmp $HV_CODE, $1f
	.code64
1:	cld
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov %ebx, %edi
	mov $hv_stacks + HV_STACK, %esp
	test %ebx, %ebx
	jz 2f
	call hv_main
/* The next free number is this processor's; one too many sleeps for good. */
2:	mov $1, %edi
	lock xadd %edi, hv_cpus_arrived
	cmp $HV_MAX_CPUS, %edi
	jae sleep
	lea 1(%rdi), %eax
	imul $HV_STACK, %rax, %rax
	lea hv_stacks(%rax), %rsp
	call hv_ap_main
sleep:	cli
	hlt
	jmp sleep

	.section .rodata
	.balign 8
gdt:	.quad 0
	.quad 0x00af9b000000ffff	/* HV_CODE */
	.quad 0x00cf93000000ffff	/* HV_DATA */
	.quad 0x00cf9b000000ffff	/* HV_CODE32 */
gdt_end:

	.data
	.balign 4
	.globl hv_cpus_arrived
hv_cpus_arrived:
	.long 1

/* 4 GiB by 2048 large pages; the devices, in the last quarter, uncached. */
	.balign 4096
pml4:	.quad pdpt + 3
	.balign 4096
pdpt:	.quad pd + 0x0003, pd + 0x1003, pd + 0x2003, pd + 0x3003
	.balign 4096
pd:	.set page, 0
	.rept 2048
	.quad page << 21 | 0x83 | ((page >= 3 * 512) & 0x18)
	.set page, page + 1
	.endr

	.bss
	.balign 4096
	.globl hv_stacks
hv_stacks:
	.skip HV_STACK * HV_MAX_CPUS
	.section .note.GNU-stack, "", @progbits
