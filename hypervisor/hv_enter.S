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
	.irp reg, rbx, rbp, r12, r13, r14, r15, rdx, rdi
	push %\reg
	.endr
	mov %rsi, %rax
	sti
	vmload %rax
	mov 1 * 8(%rdi), %rcx
	mov 2 * 8(%rdi), %rdx
	mov 3 * 8(%rdi), %rbx
	mov 5 * 8(%rdi), %rbp
	mov 6 * 8(%rdi), %rsi
	.irp n, 8, 9, 10, 11, 12, 13, 14, 15
	mov \n * 8(%rdi), %r\n
	.endr
	mov 7 * 8(%rdi), %rdi
	vmrun %rax
	vmsave %rax
	xchg %rdi, (%rsp)
	mov %rcx, 1 * 8(%rdi)
	mov %rdx, 2 * 8(%rdi)
	mov %rbx, 3 * 8(%rdi)
	mov %rbp, 5 * 8(%rdi)
	mov %rsi, 6 * 8(%rdi)
	.irp n, 8, 9, 10, 11, 12, 13, 14, 15
	mov %r\n, \n * 8(%rdi)
	.endr
	pop %rcx
	mov %rcx, 7 * 8(%rdi)
	pop %rax
	vmload %rax
	cld
	.irp reg, r15, r14, r13, r12, rbp, rbx
	pop %\reg
	.endr
	ret

/* 256 entries of 16 bytes: an error code for all, the vector, and on. */
	.balign 16
	.globl hv_idt_entries
hv_idt_entries:
	.set vector, 0
	.rept 256
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
	pushq $0
	.endif
	pushq $vector
	jmp interrupted
	.set vector, vector + 1
	.endr

interrupted:
	.irp reg, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
	push %\reg
	.endr
	cld
	lea 9 * 8(%rsp), %rdi
	call hv_interrupted
	.irp reg, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
	pop %\reg
	.endr
	add $16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
