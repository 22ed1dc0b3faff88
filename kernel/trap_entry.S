/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Entries of the 256 vectors and of SYSCALL, and the ways back.
 *
 * Ordinary vectors run on the current or the RSP0 stack and swap GS when they
 * come from user mode. NMI, #DF and #MC have stacks of their own and trust no GS
 * (the CPU's pointer lies at the top of those stacks). NMI and #MC use no site:
 * they may arrive while one is being patched.
 */
#include "cpu_asm.h"
#include "percpu.h"

#define FRAME_CS (18 * 8)
#define USER_FRAME 8
#define FRAME_END (22 * 8)

	.text
	.macro push_registers
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	.endm

	.macro pop_registers
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	.endm

	.balign 16
	.globl trap_stubs
trap_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || \
		vector == 29 || vector == 30
	.else
	pushq $0
	.endif
	pushq $vector
	.if vector == 8
	jmp trap_double_fault_entry
	.elseif vector == 2 || vector == 18
	jmp trap_nonmaskable_entry
	.else
	jmp trap_common
	.endif
	.set vector, vector + 1
	.endr

trap_common:
	push_registers
	testb $3, FRAME_CS(%rsp)
	jz 1f
	CPU_SWAPGS
1:	cld
	mov %rsp, %rdi
	mov %gs:CPU_SELF, %rsi
	mov %rsp, %rbx
	and $-16, %rsp
	call trap_dispatch
	mov %rbx, %rsp
	.globl trap_return
trap_return:
	testb $3, FRAME_CS(%rsp)
	jz 1f
	CPU_SWAPGS
1:	pop_registers
	add $16, %rsp
	CPU_IRETQ

	.macro own_stack entry, handler
\entry:
	push_registers
	cld
	mov %rsp, %rdi
	mov FRAME_END(%rsp), %rsi
	mov %rsp, %rbx
	and $-16, %rsp
	call \handler
	mov %rbx, %rsp
	pop_registers
	add $16, %rsp
	iretq
	.endm
	own_stack trap_double_fault_entry, trap_double_fault
	own_stack trap_nonmaskable_entry, trap_nonmaskable

/*
 * SYSCALL: builds the same frame as a trap, with vector 0x100; comes back by IRETQ,
 * or by SYSRET if trap_dispatch() returns true.
 */
	.globl trap_syscall_entry
trap_syscall_entry:
	CPU_SWAPGS
	mov %rsp, %gs:CPU_USER_RSP
	mov %gs:CPU_KERNEL_RSP, %rsp
	pushq $(SEL_UDATA | 3)
	pushq %gs:CPU_USER_RSP
	push %r11
	pushq $(SEL_UCODE | 3)
	push %rcx
	pushq $0
	pushq $0x100
	push_registers
	cld
	mov %rsp, %rdi
	mov %gs:CPU_SELF, %rsi
	call trap_dispatch
	test %al, %al
	jz trap_return
	pop_registers
	mov 16(%rsp), %rcx
	mov 32(%rsp), %r11
	mov 40(%rsp), %rsp
	CPU_SWAPGS
	CPU_SYSRETQ

/* user_enter(run): to run->frame in user mode; returns when user_leave() says so. */
	.globl user_enter
user_enter:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	sub $8, %rsp
	mov %rsp, (%rdi)
	mov %rdi, %rbx
	call user_enter_prepare
	lea USER_FRAME(%rbx), %rsi
	sub $FRAME_END, %rsp
	mov %rsp, %rdi
	mov $(FRAME_END / 8), %ecx
	rep movsq
	jmp trap_return
	.globl user_landing
user_landing:
	cld
	add $8, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

/* trap_try(catch, snippet, argument): see traps.h. */
	.globl trap_try
trap_try:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	sub $8, %rsp
	mov %rdi, %rbx
	mov %rsi, %r12
	mov %rdx, %r13
	call trap_catch_begin
	mov %rsp, (%rbx)
	mov %r13, %rdi
	call *%r12
	.globl trap_try_landing
trap_try_landing:
	cld
	call trap_catch_end
	add $8, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret
