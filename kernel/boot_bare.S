/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Two privileged acts that must not be sites: they are executed while sites
 * are being written. Ordinary kernel code has no business here.
 */
	.section .boot.text, "ax"
/* Forgets the non-global TLB entries of this CPU and serializes it (MOV to CR3 does both). */
	.globl boot_bare_serialize
boot_bare_serialize:
	mov %cr3, %rax
	mov %rax, %cr3
	ret

/* boot_bare_invlpg(address) */
	.globl boot_bare_invlpg
boot_bare_invlpg:
	invlpg (%rdi)
	ret
