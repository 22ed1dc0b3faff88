/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The cpu group: the instructions themselves, as templates and as texts. A host serves these only
 * when a test asks for it, to try the forms; otherwise all of them are native.
 *
 *	INSN	template and text
 *	ALONE	template only: the instruction uses the stack, or there may be none, or
 *		(sti) its effect on the instruction after the site would be lost
 *	LEAVE	template and text, which is jumped to and does not return
 */
	.macro INSN name, call, clobbers, insn:vararg
	PIECE \name, \call, \clobbers, PVROM_FEATURE_CPU, PVROM_PIECE_TEST
	TEMPLATE_BEGIN \name
	\insn
	TEMPLATE_END \name
	TEXT_BEGIN \name
	\insn
	RETURN
	TEXT_END \name
	PIECE_END \name
	.endm

	.macro ALONE name, call, clobbers, insn:vararg
	PIECE \name, \call, \clobbers, PVROM_FEATURE_CPU, PVROM_PIECE_TEST
	TEMPLATE_BEGIN \name
	\insn
	TEMPLATE_END \name
	PIECE_END \name
	.endm

	.macro LEAVE name, call, insn:vararg
	PIECE \name, \call, 0, PVROM_FEATURE_CPU, PVROM_PIECE_TEST
	TEMPLATE_BEGIN \name
	\insn
	TEMPLATE_END \name
	TEXT_BEGIN \name
	\insn
	TEXT_END \name
	PIECE_END \name
	.endm

	.macro push_rdi_popf
	push %rdi
	popfq
	.endm
	.macro pushf_pop_rax
	pushfq
	pop %rax
	.endm
	.macro sti_hlt
	sti
	hlt
	.endm

#define CPU(NAME) NUMBER_CPU_##NAME, CLOBBERS_CPU_##NAME

	INSN cli, CPU(CLI), cli
	ALONE sti, CPU(STI), sti
	ALONE save_flags, CPU(SAVE_FLAGS), pushf_pop_rax
	ALONE restore_flags, CPU(RESTORE_FLAGS), push_rdi_popf
	INSN sti_halt, CPU(STI_HALT), sti_hlt
	INSN halt, CPU(HALT), hlt
	LEAVE iret, NUMBER_CPU_IRET, iretq
	LEAVE sysret, NUMBER_CPU_SYSRET, sysretq
	ALONE swapgs, CPU(SWAPGS), swapgs
	INSN read_cr0, CPU(READ_CR0), mov %cr0, %rax
	INSN write_cr0, CPU(WRITE_CR0), mov %rdi, %cr0
	INSN clts, CPU(CLTS), clts
	INSN read_cr2, CPU(READ_CR2), mov %cr2, %rax
	INSN write_cr2, CPU(WRITE_CR2), mov %rdi, %cr2
	INSN read_cr3, CPU(READ_CR3), mov %cr3, %rax
	INSN write_cr3, CPU(WRITE_CR3), mov %rdi, %cr3
	INSN read_cr4, CPU(READ_CR4), mov %cr4, %rax
	INSN write_cr4, CPU(WRITE_CR4), mov %rdi, %cr4
	INSN read_cr8, CPU(READ_CR8), mov %cr8, %rax
	INSN write_cr8, CPU(WRITE_CR8), mov %rdi, %cr8
	INSN read_dr6, CPU(READ_DR6), mov %dr6, %rax
	INSN write_dr6, CPU(WRITE_DR6), mov %rdi, %dr6
	INSN read_dr7, CPU(READ_DR7), mov %dr7, %rax
	INSN write_dr7, CPU(WRITE_DR7), mov %rdi, %dr7
	INSN write_dr0, CPU(WRITE_DR0), mov %rdi, %dr0
	INSN write_dr1, CPU(WRITE_DR1), mov %rdi, %dr1
	INSN write_dr2, CPU(WRITE_DR2), mov %rdi, %dr2
	INSN write_dr3, CPU(WRITE_DR3), mov %rdi, %dr3
	INSN read_msr, CPU(READ_MSR), rdmsr
	INSN write_msr, CPU(WRITE_MSR), wrmsr
	INSN cpuid, CPU(CPUID), cpuid
	INSN load_gdt, CPU(LOAD_GDT), lgdt (%rdi)
	INSN load_idt, CPU(LOAD_IDT), lidt (%rdi)
	INSN load_ldt, CPU(LOAD_LDT), lldt %di
	INSN load_tr, CPU(LOAD_TR), ltr %di
	INSN store_gdt, CPU(STORE_GDT), sgdt (%rdi)
	INSN store_idt, CPU(STORE_IDT), sidt (%rdi)
	/* Into a 32-bit register: the same effect, and the same bytes from every assembler. */
	INSN store_tr, CPU(STORE_TR), str %eax
	INSN store_ldt, CPU(STORE_LDT), sldt %eax
	INSN in8, CPU(IN8), in %dx, %al
	INSN in16, CPU(IN16), in %dx, %ax
	INSN in32, CPU(IN32), in %dx, %eax
	INSN out8, CPU(OUT8), out %al, %dx
	INSN out16, CPU(OUT16), out %ax, %dx
	INSN out32, CPU(OUT32), out %eax, %dx
	INSN wbinvd, CPU(WBINVD), wbinvd
	INSN pause, CPU(PAUSE), pause
	INSN write_xcr, CPU(WRITE_XCR), xsetbv
	ALONE stac, CPU(STAC), stac
	ALONE clac, CPU(CLAC), clac
