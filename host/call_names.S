/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The names of the calls, "group.name", made from the table of abi/. In assembler, because the C
 * preprocessor cannot make lower case of CAPITALS.
 */
#include <pvrom/calls.h>

	/* .Lower_A = 'a' and so on. */
	.set .Lnext, 0x61
	.irpc c, ABCDEFGHIJKLMNOPQRSTUVWXYZ
	.set .Lower_\c, .Lnext
	.set .Lnext, .Lnext + 1
	.endr
	.set .Lnext, 0x30
	.irpc c, 0123456789
	.set .Lower_\c, .Lnext
	.set .Lnext, .Lnext + 1
	.endr
	.set .Lower__, 0x5f

	.macro lower word
	.irpc c, \word
	.byte .Lower_\c
	.endr
	.endm

	.macro call_name group, name
	lower \group
	.byte 0x2e
	lower \name
	.byte 0
	.endm

	.section .rodata
	.globl pvrom_host_call_names
	.hidden pvrom_host_call_names
	.type pvrom_host_call_names, @object
pvrom_host_call_names:
#define NAME_LINE(GROUP, NAME, number, feature, args, native, properties, regs, insn, text)        \
	call_name GROUP, NAME ;
	PVROM_CALL_TABLE(NAME_LINE)
	.size pvrom_host_call_names, . - pvrom_host_call_names

	.section .note.GNU-stack, "", @progbits
