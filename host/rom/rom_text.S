/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The pieces of the ROM: the code that guests run in place of their own.
 *
 * It runs on a guest's CPU with a guest's stack, so: position-independent but for its relocations;
 * each text begins with endbr64 and ends in RETURN or with an instruction that goes elsewhere; no
 * stack beyond the return address, no call, no indirect branch, no state, and it changes only the
 * registers in its clobbers (calls.h: what the native form changes). Interrupts and NMIs may arrive
 * anywhere in it.
 */
#include "piece.h"

	BLOB
	.globl pvrom_rom_blob
	.hidden pvrom_rom_blob
	.type pvrom_rom_blob, @object
pvrom_rom_blob:
	RELOCS
	.balign 8
	.globl pvrom_rom_relocs
	.hidden pvrom_rom_relocs
	.type pvrom_rom_relocs, @object
pvrom_rom_relocs:
	PIECES
	.balign 8
	.globl pvrom_rom_pieces
	.hidden pvrom_rom_pieces
	.type pvrom_rom_pieces, @object
pvrom_rom_pieces:
	BLOB

/* Where several pieces fit, the first is taken: so the seeded bugs come first. */
#ifdef PVROM_TEST
#include "rom_bugs.h"
#endif
#include "irq_text.h"
#include "smp_text.h"
#include "alarm_text.h"
#include "cpu_text.h"

	BLOB
	.size pvrom_rom_blob, . - pvrom_rom_blob
	RELOCS
	.size pvrom_rom_relocs, . - pvrom_rom_relocs
	PIECES
	.size pvrom_rom_pieces, . - pvrom_rom_pieces
	.globl pvrom_rom_pieces_end
	.hidden pvrom_rom_pieces_end
pvrom_rom_pieces_end:

	.section .note.GNU-stack, "", @progbits
