/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Into the guest and back, and the host's interrupt entries. */
#include "hv_layout.h"

	.text
/*
 * hv_enter(gpr, vmcb, host): runs the guest until its next exit. gpr: its general registers as
 * the processor numbers them, but RAX and RSP, which VMRUN itself loads from the control block.
 * vmcb, host: physical addresses of the guest's control block and of the page that keeps what
 * VMLOAD and VMSAVE exchange (FS, GS, TR, the SYSCALL MSRs) for the host.
 *
 * GIF is 0 on entry, so that no interrupt comes between the last look at the vCPU's requests and
 * VMRUN; IF is set, so that those that wait then end the guest's run at once (APM vol. 2, 15.13.1).
 */
	.globl hv_enter
hv_enter:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	push %rdx
	push %rdi
	mov %rsi, %rax
	sti
	vmload %rax
	mov 1 * 8(%rdi), %rcx
	mov 2 * 8(%rdi), %rdx
	mov 3 * 8(%rdi), %rbx
	mov 5 * 8(%rdi), %rbp
	mov 6 * 8(%rdi), %rsi
	mov 8 * 8(%rdi), %r8
	mov 9 * 8(%rdi), %r9
	mov 10 * 8(%rdi), %r10
	mov 11 * 8(%rdi), %r11
	mov 12 * 8(%rdi), %r12
	mov 13 * 8(%rdi), %r13
	mov 14 * 8(%rdi), %r14
	mov 15 * 8(%rdi), %r15
	mov 7 * 8(%rdi), %rdi
	vmrun %rax
	vmsave %rax
	xchg %rdi, (%rsp)
	mov %rcx, 1 * 8(%rdi)
	mov %rdx, 2 * 8(%rdi)
	mov %rbx, 3 * 8(%rdi)
	mov %rbp, 5 * 8(%rdi)
	mov %rsi, 6 * 8(%rdi)
	mov %r8, 8 * 8(%rdi)
	mov %r9, 9 * 8(%rdi)
	mov %r10, 10 * 8(%rdi)
	mov %r11, 11 * 8(%rdi)
	mov %r12, 12 * 8(%rdi)
	mov %r13, 13 * 8(%rdi)
	mov %r14, 14 * 8(%rdi)
	mov %r15, 15 * 8(%rdi)
	pop %rcx
	mov %rcx, 7 * 8(%rdi)
	pop %rax
	vmload %rax
	cld
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

/* 256 entries of 16 bytes: an error code for all, the vector, and on. */
	.balign 16
	.globl hv_idt_entries
hv_idt_entries:
	.set vector, 0
	.rept 256
	.balign 16
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
	.else
	pushq $0
	.endif
	pushq $vector
	jmp interrupted
	.set vector, vector + 1
	.endr

interrupted:
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	cld
	lea 9 * 8(%rsp), %rdi
	call hv_interrupted
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rax
	add $16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
