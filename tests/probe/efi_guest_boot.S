/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* From the state in which PVH enters, EBX the start info, to guest_main() in 64-bit mode, 4 GiB mapped 1:1; and the
 * application, as the file is. */
	.section .note.xen, "a", @note
	.long 4, 4, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long entry

	.section .text.entry, "ax"
	.globl entry
	.code32
entry:	mov $0x20, %eax		/* CR4: PAE */
	mov %eax, %cr4
	mov $pml4, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx	/* EFER: LME */
	rdmsr
	or $0x100, %eax
	wrmsr
	mov $0x80010011, %eax	/* CR0: PG, WP, ET, PE */
	mov %eax, %cr0
	lgdt gdt
	ljmp $8, $1f
	.code64
1:	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	lea stack_end(%rip), %rsp
	mov %ebx, %edi
	call guest_main
2:	hlt
	jmp 2b

	.section .rodata
	.balign 16
	.globl application
application:
	.incbin APPLICATION

	.data
	.balign 4096
pml4:	.quad pdpt + 3
	.balign 4096
pdpt:	.quad directories + 3, directories + 0x1003, directories + 0x2003, directories + 0x3003
	.balign 4096
directories:
	.set page, 0
	.rept 2048		/* of 2 MiB: present, writable */
	.quad page * 0x200000 + 0x83
	.set page, page + 1
	.endr
gdt:	.word 23		/* the null descriptor is free to hold GDTR's image */
	.long gdt
	.word 0
	.quad 0x00af9b000000ffff, 0x00cf93000000ffff
	.bss
	.balign 16
	.skip 0x20000
stack_end:
	.section .note.GNU-stack, "", @progbits
