/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * From the loader's 32-bit state to kernel_main(kind, info) in 64-bit mode.
 *
 * Two ways in, one way on: multiboot 1 (its header carries the address fields,
 * flag bit 16: without them loaders refuse a 64-bit ELF file) and PVH (an ELF
 * note names the entry). Both arrive in flat 32-bit protected mode without
 * paging and with the loader's structure in EBX.
 *
 * The boot page tables map the first 4 GiB one to one, writable and executable.
 * They are left as soon as the kernel has its own, and every CPU started later
 * passes through them for a moment, because its trampoline must be executable.
 */
#include "boot_layout.h"

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_LOADED 0x2badb002
#define MULTIBOOT_FLAGS 0x00010003

	.section .multiboot, "a"
	.balign 4
multiboot_header:
	.long MULTIBOOT_MAGIC
	.long MULTIBOOT_FLAGS
	.long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
	.long multiboot_header
	.long kernel_start
	.long load_end
	.long kernel_end
	.long boot_multiboot_entry

	/* XEN_ELFNOTE_PHYS32_ENTRY (18): the PVH entry point. */
	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long boot_pvh_entry

	.section .boot.text, "ax"
	.code32
	.globl boot_multiboot_entry
boot_multiboot_entry:
	cli
	cld
	cmp $MULTIBOOT_LOADED, %eax
	jne boot_hang
	mov $BOOT_MULTIBOOT, %ebp
	jmp boot_common

	.globl boot_pvh_entry
boot_pvh_entry:
	cli
	cld
	mov $BOOT_PVH, %ebp

boot_common:
	mov $boot_stack_top, %esp
	mov %ebx, %esi
	call boot_need_long_mode
	call boot_fill_tables
	call boot_enter_long_mode
	lgdt boot_gdt_pointer
	ljmp $SEL_KCODE, $boot_64

/* A CPU without long mode gets a sentence on COM1, not a triple fault. */
boot_need_long_mode:
	mov $0x80000000, %eax
	cpuid
	cmp $0x80000001, %eax
	jb 1f
	mov $0x80000001, %eax
	cpuid
	bt $29, %edx
	jnc 1f
	bt $20, %edx
	jnc 1f
	ret
1:	mov $boot_sorry, %esi
	mov $0x3f8, %edx
2:	lodsb
	test %al, %al
	jz boot_hang
	out %al, %dx
	jmp 2b
boot_hang:
	hlt
	jmp boot_hang

/* 4 GiB one to one in 2 MiB pages. */
boot_fill_tables:
	movl $(boot_pdpt + 3), boot_pml4
	xor %ecx, %ecx
1:	mov %ecx, %eax
	shl $12, %eax
	add $(boot_pd + 3), %eax
	mov %eax, boot_pdpt(, %ecx, 8)
	inc %ecx
	cmp $4, %ecx
	jne 1b
	xor %ecx, %ecx
2:	mov %ecx, %eax
	shl $21, %eax
	or $0x83, %eax
	mov %eax, boot_pd(, %ecx, 8)
	inc %ecx
	cmp $2048, %ecx
	jne 2b
	ret

/*
 * CR4.PAE; EFER.SCE, LME and NXE; CR0.PG, WP, NE, MP and PE. The trampoline in
 * boot_ap.S takes the same steps, so that all CPUs start with equal registers.
 */
boot_enter_long_mode:
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
	ret

	.code64
boot_64:
	call boot_segments
	mov %ebp, %edi
	mov %esi, %esi
	xor %ebp, %ebp
	mov $boot_stack_top, %rsp
	call kernel_main
1:	hlt
	jmp 1b

/* Flat data segments and no LDT, on each CPU. Keeps RSI, RDI and RBP. */
	.globl boot_segments
boot_segments:
	mov $SEL_KDATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	lldt %ax
	ret

	.section .rodata
boot_sorry:
	.asciz "pvrom-kernel: this CPU has no 64-bit mode with NX; cannot run\r\n"
	.balign 8
	.globl boot_gdt
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* 64-bit code */
	.quad 0x00cf93000000ffff	/* data */
	.quad 0x00cf9b000000ffff	/* 32-bit code, for the trampoline */
boot_gdt_end:
	.balign 8
	.word 0, 0, 0
	.globl boot_gdt_pointer
boot_gdt_pointer:
	.word boot_gdt_end - boot_gdt - 1
	.quad boot_gdt

	.bss
	.balign 4096
	.globl boot_pml4
boot_pml4:
	.skip 4096
boot_pdpt:
	.skip 4096
boot_pd:
	.skip 4 * 4096
	.globl boot_stack
boot_stack:
	.skip STACK_SIZE
boot_stack_top:
