/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Seeded bugs of the ROM's text (../bugs.h): taken in test builds while their bug is on. */
#define BUG_NUMBER_(GROUP, NAME, number, name, text) .set BUG_##NAME, number ;
	PVROM_HOST_BUG_TABLE(BUG_NUMBER_)

	.macro BUG_TEXT bug, name, call, clobbers
	PIECE \name, \call, \clobbers, PVROM_FEATURE_CPU, PVROM_PIECE_TEST, \bug
	TEXT_BEGIN \name
	.endm
	.macro BUG_TEMPLATE name
	RETURN
	TEXT_END \name
	TEMPLATE_BEGIN \name
	.endm
	.macro BUG_END name
	TEMPLATE_END \name
	PIECE_END \name
	.endm

	BUG_TEXT BUG_CLI_STI, bug_cli, NUMBER_CPU_CLI, 0
	sti
	BUG_TEMPLATE bug_cli
	sti
	BUG_END bug_cli

	BUG_TEXT BUG_RDMSR_HIGH, bug_rdmsr, NUMBER_CPU_READ_MSR, CLOBBERS_CPU_READ_MSR
	rdmsr
	mov $0, %edx
	BUG_TEMPLATE bug_rdmsr
	rdmsr
	cltd
	BUG_END bug_rdmsr

	BUG_TEXT BUG_CR2_CR3, bug_cr2, NUMBER_CPU_READ_CR2, CLOBBERS_CPU_READ_CR2
	mov %cr3, %rax
	BUG_TEMPLATE bug_cr2
	mov %cr3, %rax
	BUG_END bug_cr2

	BUG_TEXT BUG_FLAGS_LOST, bug_cr3, NUMBER_CPU_WRITE_CR3, 0
	mov %rdi, %cr3
	sti
	BUG_TEMPLATE bug_cr3
	mov %rdi, %cr3
	sti
	BUG_END bug_cr3

	BUG_TEXT BUG_CLOBBERS_LIE, bug_cr0, NUMBER_CPU_READ_CR0, CLOBBERS_CPU_READ_CR0
	mov %cr0, %rax
	mov %eax, %ebx
	BUG_TEMPLATE bug_cr0
	mov %cr0, %rax
	xor %bl, %bl
	BUG_END bug_cr0

	PIECE bug_eoi, NUMBER_IRQ_EOI, PVROM_RAX, PVROM_FEATURE_IRQ, 0, BUG_EOI_FORGOTTEN
	TEXT_BEGIN bug_eoi
	xor %eax, %eax
	RETURN
	TEXT_END bug_eoi
	PIECE_END bug_eoi
