/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Macros with which rom/ writes its pieces: text, template, relocations and a line in the table
 * for each (struct pvrom_rom_piece). Assembler only.
 *
 *	PIECE name, NUMBER_x, CLOBBERS_x, PVROM_FEATURE_x, when, bug
 *	TEMPLATE_BEGIN name ... TEMPLATE_END name	either may be left out
 *	TEXT_BEGIN name ... TEXT_END name
 *	PIECE_END name
 */
#ifndef PVROM_PIECE_H
#define PVROM_PIECE_H

#include <pvrom/abi.h>

#include "../bugs.h"
#include "rom_layout.h"

/* Numbers and clobbers from the table of calls: NUMBER_CPU_CLI, CLOBBERS_CPU_CLI and so on. */
#define PIECE_NUMBERS_(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)        \
	.set NUMBER_##GROUP##_##NAME, number;                                                      \
	.set CLOBBERS_##GROUP##_##NAME, regs;
	PVROM_CALL_TABLE(PIECE_NUMBERS_)

/* What a hypercall with arguments may change (calls.h). */
#define PVROM_HYPERCALL_REGS (PVROM_RAX | PVROM_RDX | PVROM_RSI | PVROM_RDI | PVROM_R8 | PVROM_R9)

/* The bytes are data to the host: they are never executed where they lie. */
#define BLOB .section .rodata.pvrom_blob, "a", @progbits
#define PIECES .section .rodata.pvrom_pieces, "a", @progbits
#define RELOCS .section .rodata.pvrom_relocs, "a", @progbits

	.macro PIECE name, call, clobbers, feature, when, bug=0
	.set piece_call, \call
	.set piece_clobbers, \clobbers
	.set piece_feature, \feature
	.set piece_when, \when
	.set piece_bug, \bug
	.set piece_has_text, 0
	.set piece_has_template, 0
	RELOCS
.Lrelocs_\name:
	BLOB
	.endm

	.macro TEMPLATE_BEGIN name
	.set piece_has_template, 1
.Ltemplate_\name:
	.endm

	.macro TEMPLATE_END name
.Ltemplate_end_\name:
	.endm

	.macro TEXT_BEGIN name
	.set piece_has_text, 1
	.balign PVROM_TEXT_ALIGN, 0xcc
.Ltext_\name:
	endbr64
	.endm

	.macro TEXT_END name
.Ltext_end_\name:
	.endm

	.macro PIECE_END name
	RELOCS
.Lrelocs_end_\name:
	PIECES
	.short piece_call, piece_clobbers
	.byte piece_feature, piece_when, piece_bug, 0
	.if piece_has_text
	.long .Ltext_\name - pvrom_rom_blob, .Ltext_end_\name - pvrom_rom_blob
	.else
	.long 0, 0
	.endif
	.if piece_has_template
	.long .Ltemplate_\name - pvrom_rom_blob, .Ltemplate_end_\name - pvrom_rom_blob
	.else
	.long 0, 0
	.endif
	.long .Lrelocs_\name - pvrom_rom_relocs, .Lrelocs_end_\name - pvrom_rom_relocs
	BLOB
	.endm

	/* A relocation (struct pvrom_reloc) for the next byte. */
	.macro RELOC kind, addend=0
.Lreloc_\@:
	RELOCS
	.long .Lreloc_\@ - pvrom_rom_blob
	.byte \kind, 0
	.short \addend
	BLOB
	.endm

	/* The transport: three bytes that the builder replaces. */
	.macro HYPERCALL
	RELOC PVROM_RELOC_HYPERCALL
	vmcall
	.endm

	/* The only way out of a text. */
	.macro RETURN
	RELOC PVROM_RELOC_RETURN
	ret
	int3
	int3
	int3
	int3
	.endm

#endif
