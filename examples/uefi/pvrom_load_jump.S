/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* From 64-bit mode to flat 32-bit mode without paging, EBX the start info: copied below 4 GiB, load_jump(entry, info). */
	.globl load_jump, load_jump_end
load_jump:
	cli
	lea gdt(%rip), %rax
	sub $16, %rsp
	movw $(load_jump_end - gdt - 1), 6(%rsp)
	mov %rax, 8(%rsp)
	lgdt 6(%rsp)
	lea 1f(%rip), %rax
	push $8
	push %rax
	lretq
	.code32
1:	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %cr0, %eax
	and $0x7fffffff, %eax	/* no paging */
	mov %eax, %cr0
	mov $0xc0000080, %ecx
	xor %eax, %eax
	xor %edx, %edx
	wrmsr			/* no long mode */
	mov %eax, %cr4
	mov %esi, %ebx
	jmp *%edi
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff	/* code, data: 4 GiB each */
load_jump_end:
	.section .note.GNU-stack, "", @progbits
