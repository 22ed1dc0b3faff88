/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* From a multiboot loader's 32-bit state to kernel_main() in 64-bit mode, first GiB mapped 1:1. */
#include <pvrom/abi.h>
	.section .multiboot, "a"
header:	.long 0x1badb002, 0x10000, -(0x1badb002 + 0x10000) /* flag: the addresses below */
	.long header, header, load_end, kernel_end, entry

	/* tag::note[] */
	.section .note.pvrom, "a", @note
	.long 6, 0x20, PVROM_NOTE_TYPE
	.ascii PVROM_NOTE_OWNER, "\0\0\0"
	.long 0x20, PVROM_MAJOR | PVROM_MINOR << 16
	.quad PVROM_FEATURE_BIT(PVROM_FEATURE_CPU), 0, 0 /* wanted, required */
	/* end::note[] */

	.text
	.code32
	.globl entry, directory
entry:	mov $0x20, %eax /* CR4: PAE */
	mov %eax, %cr4
	mov $pml4, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx /* EFER: LME, NXE */
	rdmsr
	or $0x900, %eax
	wrmsr
	mov $0x80010011, %eax /* CR0: PG, WP, ET, PE */
	mov %eax, %cr0
	lgdt gdt
	ljmp $8, $1f
	.code64
1:	mov $stack_top, %rsp
	call kernel_main

	.data
	.balign 4096
pml4:	.quad pdpt + 3 ; .balign 4096
pdpt:	.quad directory + 3 ; .balign 4096
directory:
	.rept 512 /* pages of 2 MiB: present, writable */
	.quad (. - directory) / 8 * 0x200000 + 0x83
	.endr
gdt:	.word 23 /* the null descriptor is free to hold GDTR's image */
	.long gdt
	.word 0
	.quad 0x00af9b000000ffff, 0x00cf93000000ffff
	.bss
	.skip 16384
stack_top:
