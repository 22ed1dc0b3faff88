/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The tiny guest's entries, PVH and multiboot 1 in one ELF64 file, and its way
 * to 64-bit mode: the first 8 GiB mapped one to one by pages of 2 MiB.
 */
#include "tiny_sleep.h"

#define HEADER_MAGIC	0x1badb002
#define HEADER_FLAGS	0x00010003	/* page-aligned modules, memory map, address fields */
#define PVH_ENTRY_NOTE	18
#define TABLES		8		/* page directories, a GiB each */

	.section .header, "a"
	.align 4
header:	.long HEADER_MAGIC, HEADER_FLAGS, -(HEADER_MAGIC + HEADER_FLAGS)
	.long header, image_start, image_end, bss_end, entry

	.section .note.pvh, "a", @note
	.align 4
	.long 4, 4, PVH_ENTRY_NOTE
	.asciz "Xen"
	.long entry

	.section .text.entry, "ax"
	.code32
	.globl entry
entry:	mov	$stack_end, %esp
	mov	%eax, %ebp			/* multiboot's magic; 0 by PVH */
	cld
	/* PML4 -> PDPT -> 8 page directories */
	movl	$(pdpt + 3), pml4
	mov	$pdpt, %edi
	mov	$(directories + 3), %eax
	mov	$TABLES, %ecx
1:	mov	%eax, (%edi)
	add	$0x1000, %eax
	add	$8, %edi
	loop	1b
	mov	$directories, %edi
	xor	%edx, %edx			/* high half of the address */
	mov	$0x83, %eax			/* present, writable, 2 MiB */
	mov	$(TABLES * 512), %ecx
1:	mov	%eax, (%edi)
	mov	%edx, 4(%edi)
	add	$8, %edi
	add	$0x200000, %eax
	adc	$0, %edx
	loop	1b
	mov	%cr4, %eax
	or	$0x20, %eax			/* PAE */
	mov	%eax, %cr4
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80000000, %eax		/* PG */
	mov	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$8, $start64

	.code64
start64:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%ebp, %edi
	mov	%ebx, %esi
	call	tiny_main
1:	hlt
	jmp	1b

	/* The call VERSION from compatibility mode; returns its status. */
	.globl call_from_32_bit
call_from_32_bit:
	push	$24
	push	$1f
	lretq
	.code32
1:	xor	%eax, %eax
	out	%eax, $0xe4
	mov	%eax, %ecx
	ljmp	$8, $2f
	.code64
2:	mov	%ecx, %eax
	ret

	/* The same by one OUT for both modes, which has its way back in rbx. */
	.globl call_shared, call_shared_from_32_bit
call_shared:
	push	%rbx
	xor	%eax, %eax
	lea	1f, %rbx
	jmp	shared_out
1:	pop	%rbx
	ret
shared_out:
	out	%eax, $0xe4
	jmp	*%rbx
call_shared_from_32_bit:
	push	%rbx
	push	$24
	push	$1f
	lretq
	.code32
1:	xor	%eax, %eax
	mov	$2f, %ebx
	jmp	shared_out
2:	mov	%eax, %ecx
	ljmp	$8, $3f
	.code64
3:	mov	%ecx, %eax
	pop	%rbx
	ret

	/* What a started CPU does, copied to 0x8000: says so and halts. Real mode. */
	.code16
	.globl other_cpu, other_cpu_end
other_cpu:
	xor	%ax, %ax
	mov	%ax, %ds
	lock incl 0x7000
1:	hlt
	jmp	1b
other_cpu_end:

	/*
	 * Where tiny_sleep.c has itself woken, copied there: real mode, the address as CS:IP, memory as it was, and PM1 says so until
	 * it is told that it was read. Ends with 0, or with the number of what is not so.
	 */
	.globl woken, woken_end
woken:	call	1f
1:	pop	%si
	sub	$(1b - woken), %si
	mov	$1, %al
	cmp	$WAKE_IP, %si
	jne	9f
	mov	$2, %al
	mov	%cs, %bx
	cmp	$WAKE_CS, %bx
	jne	9f
	mov	$3, %al
	xor	%cx, %cx
	mov	%cx, %ds
	cmpl	$WAKE_KEPT, 0x7000
	jne	9f
	mov	$0x600, %dx
	in	%dx, %ax
	cmp	$0x8000, %ax
	mov	$4, %al
	jne	9f
	mov	$0x8000, %ax
	out	%ax, %dx
	in	%dx, %ax
	test	%ax, %ax
	mov	$5, %al
	jnz	9f
	mov	$0x604, %dx
	in	%dx, %ax
	cmp	$1, %ax			/* ACPI mode, no sleep type */
	mov	$6, %al
	jne	9f
	mov	$0, %al
9:	out	%al, $0xf4
woken_end:

	.section .rodata
	.align 8
gdt:	.quad 0, 0x00209b0000000000, 0x0000930000000000	/* 8 code, 16 data */
	.quad 0x00cf9b000000ffff			/* 24 32-bit code */
gdt_pointer:
	.word . - gdt - 1
	.long gdt

	.bss
	.align 4096
pml4:	.skip 4096
pdpt:	.skip 4096
directories:
	.skip TABLES * 4096
	.skip 8192
stack_end:

	.section .note.GNU-stack, "", @progbits
