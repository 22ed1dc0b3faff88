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
	.long MULTIBOOT_MAGIC
	.long MULTIBOOT_FLAGS
	.long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
	.long header
	.long hv_image_start
	.long hv_load_end
	.long hv_image_end
	.long hv_boot

	.text
	.code32
	.globl hv_boot
hv_boot:
	cli
	cld
	cmp $MULTIBOOT_LOADED, %eax
	jne 1f
	mov $hv_stacks + HV_STACK, %esp
	mov %ebx, %edi
	call fill_tables
	call enter_long_mode
	ljmp $HV_CODE, $2f
1:	hlt
	jmp 1b
	.code64
2:	call load_segments
	mov %edi, %edi
	call hv_main
3:	hlt
	jmp 3b

	.code32
/* Four tables of 512 large pages; the last has the devices, uncached. */
fill_tables:
	movl $pdpt + 3, pml4
	xor %ecx, %ecx
1:	mov %ecx, %eax
	shl $12, %eax
	add $pd + 3, %eax
	mov %eax, pdpt(, %ecx, 8)
	inc %ecx
	cmp $4, %ecx
	jne 1b
	xor %ecx, %ecx
2:	mov %ecx, %eax
	shl $21, %eax
	or $0x83, %eax
	cmp $3 * 512, %ecx
	jb 3f
	or $0x18, %eax
3:	mov %eax, pd(, %ecx, 8)
	inc %ecx
	cmp $2048, %ecx
	jne 2b
	ret

enter_long_mode:
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
	lgdt gdt_pointer
	ret

	.code64
load_segments:
	mov $HV_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	ret

	.code16
	.globl hv_ap_start, hv_ap_end
hv_ap_start:
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	lgdtl gdt_low_pointer - hv_ap_start
	mov $0x33, %eax
	mov %eax, %cr0
	ljmpl $HV_CODE32, $ap_32
	.balign 4
gdt_low_pointer:
	.word gdt_end - gdt - 1
	.long gdt
hv_ap_end:

	.code32
ap_32:
	mov $HV_DATA, %eax
	mov %eax, %ds
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
	ljmp $HV_CODE, $ap_64
	.code64
/* The next free number is this processor's; one too many sleeps for good. */
ap_64:
	mov $1, %edi
	lock xadd %edi, hv_cpus_arrived
	cmp $HV_MAX_CPUS, %edi
	jae 1f
	lea 1(%rdi), %eax
	imul $HV_STACK, %rax, %rax
	lea hv_stacks(%rax), %rsp
	call load_segments
	call hv_ap_main
1:	cli
	hlt
	jmp 1b

	.section .rodata
	.balign 8
gdt:	.quad 0
	.quad 0x00af9b000000ffff	/* HV_CODE */
	.quad 0x00cf93000000ffff	/* HV_DATA */
	.quad 0x00cf9b000000ffff	/* HV_CODE32 */
gdt_end:
	.balign 8
	.word 0, 0, 0
gdt_pointer:
	.word gdt_end - gdt - 1
	.quad gdt

	.data
	.balign 4
	.globl hv_cpus_arrived
hv_cpus_arrived:
	.long 1

	.bss
	.balign 4096
pml4:	.skip 4096
pdpt:	.skip 4096
pd:	.skip 4 * 4096
	.globl hv_stacks
hv_stacks:
	.skip HV_STACK * HV_MAX_CPUS
