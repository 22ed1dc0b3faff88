/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the sites of set and swap become: calls of the C functions that keep what the instruction keeps.
 * A site may stand at any alignment of the stack.
 */
	.text

	.macro MMU_KEEP
	push %rbp
	mov %rsp, %rbp
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	.endm

	.macro MMU_GIVE_BACK
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbp
	.endm

/* mov %rsi, (%rdi) */
	.globl pvrom_mmu_set_entry_call
	.type pvrom_mmu_set_entry_call, @function
	.balign 16
pvrom_mmu_set_entry_call:
	endbr64
	MMU_KEEP
	push %rax
	and $-16, %rsp
	call pvrom_mmu_store
	lea -72(%rbp), %rsp
	pop %rax
	MMU_GIVE_BACK
	ret
	.size pvrom_mmu_set_entry_call, . - pvrom_mmu_set_entry_call

/* xchg %rax, (%rdi) */
	.globl pvrom_mmu_swap_entry_call
	.type pvrom_mmu_swap_entry_call, @function
	.balign 16
pvrom_mmu_swap_entry_call:
	endbr64
	MMU_KEEP
	and $-16, %rsp
	mov %rax, %rsi
	call pvrom_mmu_exchange
	lea -64(%rbp), %rsp
	MMU_GIVE_BACK
	ret
	.size pvrom_mmu_swap_entry_call, . - pvrom_mmu_swap_entry_call

	.section .note.GNU-stack, "", @progbits
