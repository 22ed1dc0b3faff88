/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Numbers that the pieces of rom/ and rom_build.c share. */
#ifndef PVROM_ROM_LAYOUT_H
#define PVROM_ROM_LAYOUT_H

/* When a piece is taken. */
#define PVROM_PIECE_TEST 0x1   /* the native form is as good: only where a test asks for forms */
#define PVROM_PIECE_X2APIC 0x2 /* only with PVROM_HOST_EOI_X2APIC; the slot has PVROM_SLOT_X2APIC */
#define PVROM_PIECE_XAPIC 0x4  /* only without it */

/* A relocation that the builder itself carries out: three bytes, `vmcall` in the blob, become the
 * transport's instruction. */
#define PVROM_RELOC_HYPERCALL 0x80

#endif
