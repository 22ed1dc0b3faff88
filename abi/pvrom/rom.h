/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The ROM: a header, a table of slots, relocations, templates, text and symbols, in one image.
 *
 *	+0x000  header (also a legacy option ROM header and a PCI data structure)
 *	        slot table          struct pvrom_slot, one for each call served otherwise than natively
 *	        relocation table    struct pvrom_reloc
 *	        symbol table        struct pvrom_symbol, for stack traces
 *	        strings             names of symbols, each ended by a zero byte
 *	        templates           bytes to be copied to sites
 *	        text                code to be called from sites
 *
 * All offsets count from the start of the image. The parts lie inside the image, in any order,
 * and do not overlap. A host writes the image once; a guest copies it once and looks at the copy only.
 */
#ifndef PVROM_ROM_H
#define PVROM_ROM_H

#include <pvrom/constants.h>

/* Option ROM header: PCI Firmware Specification 3.0, chapter 5; BIOS Boot Specification 1.01, 3.3. */
PVROM_CONSTANTS_BEGIN
PVROM_CONSTANT(PVROM_ROM_OPTION_SIGNATURE, 0xaa55)
PVROM_CONSTANT(PVROM_ROM_RETF, 0xcb)
PVROM_CONSTANT(PVROM_ROM_BLOCK, 512)
/* Least and most bytes of an image. */
PVROM_CONSTANT(PVROM_ROM_SIZE_MIN, 0xa0)
PVROM_CONSTANT(PVROM_ROM_SIZE_MAX, 0x100000)
PVROM_CONSTANTS_END

/* "pvROM\r\n" and a byte that is no text, so that a transfer as text is noticed. */
#define PVROM_ROM_SIGNATURE PVROM_U64(0x1a0a0d4d4f527670)

/* How a hypercall leaves the guest: the transport, a choice of the host. */
#define PVROM_TRANSPORT_TABLE(X)                                                                   \
	X(NONE, 0, "none")                                                                         \
	X(VMCALL, 1, "vmcall")                                                                     \
	X(VMMCALL, 2, "vmmcall")                                                                   \
	X(PORT, 3, "out")

#define PVROM_TRANSPORT_CONSTANT_(NAME, number, name) PVROM_CONSTANT(PVROM_TRANSPORT_##NAME, number)
PVROM_CONSTANTS_BEGIN
PVROM_TRANSPORT_TABLE(PVROM_TRANSPORT_CONSTANT_)
PVROM_CONSTANT(PVROM_TRANSPORT_COUNT, 4)
PVROM_CONSTANTS_END

/* What a shim does with the sites of a call. */
#define PVROM_FORM_TABLE(X)                                                                        \
	X(NATIVE, 0, "native", "leave the instruction")                                            \
	X(NOP, 1, "nop", "do nothing at all")                                                      \
	X(INLINE, 2, "inline", "copy the template to the site")                                    \
	X(CALL, 3, "call", "call (or jump to) the text")

#define PVROM_FORM_CONSTANT_(NAME, number, name, text) PVROM_CONSTANT(PVROM_FORM_##NAME, number)
PVROM_CONSTANTS_BEGIN
PVROM_FORM_TABLE(PVROM_FORM_CONSTANT_)
PVROM_CONSTANT(PVROM_FORM_COUNT, 4)
PVROM_CONSTANTS_END

PVROM_CONSTANTS_BEGIN
/* Slot flag: the text reads per-CPU data more than once; called only with preemption off. */
PVROM_CONSTANT(PVROM_SLOT_NOPREEMPT, 0x01)
/* Slot flag: text or template accesses MSRs of the local APIC; used only where that is in x2APIC mode. */
PVROM_CONSTANT(PVROM_SLOT_X2APIC, 0x02)
/* Every site has at least this many bytes, so a template of this size or less fits anywhere. */
PVROM_CONSTANT(PVROM_SITE_MIN, 5)
/* The most bytes of a site, and so of a template. */
PVROM_CONSTANT(PVROM_SITE_MAX, 15)
/* Text entries are aligned to this and begin with endbr64 (f3 0f 1e fa). */
PVROM_CONSTANT(PVROM_TEXT_ALIGN, 16)
PVROM_CONSTANTS_END

/*
 * Relocations, applied to the copy.
 *
 * SEGMENT  one byte, a GS prefix (65) in the image: the prefix of the guest's per-CPU area.
 * ADDRESS  six bytes, ModRM (mod 00, rm 100), SIB (25) and disp32 in the image: the address of a
 *          field of the vCPU area; addend is the field's offset there. For a guest whose area is
 *          found through a register, ModRM gets mod 10 and SIB the register as base.
 * RETURN   five bytes, `ret; int3; int3; int3; int3` in the image: a guest may make it a jump to
 *          its own return thunk.
 */
PVROM_CONSTANTS_BEGIN
PVROM_CONSTANT(PVROM_RELOC_SEGMENT, 1)
PVROM_CONSTANT(PVROM_RELOC_ADDRESS, 2)
PVROM_CONSTANT(PVROM_RELOC_RETURN, 3)
PVROM_CONSTANTS_END

#ifndef __ASSEMBLER__
/*
 * The header. All of it is written by the host; reserved fields are zero and are checked.
 *
 *	0x00	option_signature	55 AA
 *	0x02	option_blocks		image size in 512-byte blocks, 0 if over 255 of them
 *	0x03	option_entry		cb (retf): firmware may execute it, so it must return
 *	0x04	option_fixup		makes the sum of all bytes of the image 0 modulo 256
 *	0x05	reserved0[19]
 *	0x18	pci_offset		0x80, of the PCI data structure
 *	0x1a	reserved1[6]
 *	0x20	signature		PVROM_ROM_SIGNATURE
 *	0x28	major			of the interface
 *	0x2a	minor
 *	0x2c	header_size		0xa0 in this version; later minors may add at the end
 *	0x30	rom_size		bytes of the whole image, a multiple of 512
 *	0x34	checksum		CRC-32 (IEEE 802.3) of the image with this field and option_fixup 0
 *	0x38	slot_offset		multiple of 8
 *	0x3c	slot_count
 *	0x3e	slot_size		bytes of a slot, 0x18 in this version
 *	0x40	reloc_offset		multiple of 8
 *	0x44	reloc_count
 *	0x48	symbol_offset		multiple of 4
 *	0x4c	symbol_count
 *	0x50	string_offset
 *	0x54	string_size
 *	0x58	template_offset
 *	0x5c	template_size
 *	0x60	text_offset		multiple of 16
 *	0x64	text_size
 *	0x68	transport		PVROM_TRANSPORT_x
 *	0x6a	transport_port		for PVROM_TRANSPORT_PORT: 0 to 255; otherwise 0
 *	0x6c	live_port		port of the live answer (discovery.h), 0 if there is none
 *	0x6e	reserved2
 *	0x70	live_key		what it answers
 *	0x74	reserved3
 *	0x78	reserved4
 *	0x80	pci[0x18]		PCI data structure, PCI Firmware Specification 3.0, 5.1.2
 *	0x98	reserved5
 *	0xa0
 */
struct pvrom_rom_header {
	uint16_t option_signature;
	uint8_t option_blocks;
	uint8_t option_entry;
	uint8_t option_fixup;
	uint8_t reserved0[19];
	uint16_t pci_offset;
	uint8_t reserved1[6];
	uint64_t signature;
	uint16_t major;
	uint16_t minor;
	uint32_t header_size;
	uint32_t rom_size;
	uint32_t checksum;
	uint32_t slot_offset;
	uint16_t slot_count;
	uint16_t slot_size;
	uint32_t reloc_offset;
	uint32_t reloc_count;
	uint32_t symbol_offset;
	uint32_t symbol_count;
	uint32_t string_offset;
	uint32_t string_size;
	uint32_t template_offset;
	uint32_t template_size;
	uint32_t text_offset;
	uint32_t text_size;
	uint16_t transport;
	uint16_t transport_port;
	uint16_t live_port;
	uint16_t reserved2;
	uint32_t live_key;
	uint32_t reserved3;
	uint64_t reserved4;
	uint8_t pci[0x18];
	uint64_t reserved5;
};
PVROM_OFFSET_IS(pvrom_rom_header, option_blocks, 0x02);
PVROM_OFFSET_IS(pvrom_rom_header, option_entry, 0x03);
PVROM_OFFSET_IS(pvrom_rom_header, option_fixup, 0x04);
PVROM_OFFSET_IS(pvrom_rom_header, pci_offset, 0x18);
PVROM_OFFSET_IS(pvrom_rom_header, signature, 0x20);
PVROM_OFFSET_IS(pvrom_rom_header, major, 0x28);
PVROM_OFFSET_IS(pvrom_rom_header, minor, 0x2a);
PVROM_OFFSET_IS(pvrom_rom_header, header_size, 0x2c);
PVROM_OFFSET_IS(pvrom_rom_header, rom_size, 0x30);
PVROM_OFFSET_IS(pvrom_rom_header, checksum, 0x34);
PVROM_OFFSET_IS(pvrom_rom_header, slot_offset, 0x38);
PVROM_OFFSET_IS(pvrom_rom_header, slot_count, 0x3c);
PVROM_OFFSET_IS(pvrom_rom_header, slot_size, 0x3e);
PVROM_OFFSET_IS(pvrom_rom_header, reloc_offset, 0x40);
PVROM_OFFSET_IS(pvrom_rom_header, reloc_count, 0x44);
PVROM_OFFSET_IS(pvrom_rom_header, symbol_offset, 0x48);
PVROM_OFFSET_IS(pvrom_rom_header, symbol_count, 0x4c);
PVROM_OFFSET_IS(pvrom_rom_header, string_offset, 0x50);
PVROM_OFFSET_IS(pvrom_rom_header, string_size, 0x54);
PVROM_OFFSET_IS(pvrom_rom_header, template_offset, 0x58);
PVROM_OFFSET_IS(pvrom_rom_header, template_size, 0x5c);
PVROM_OFFSET_IS(pvrom_rom_header, text_offset, 0x60);
PVROM_OFFSET_IS(pvrom_rom_header, text_size, 0x64);
PVROM_OFFSET_IS(pvrom_rom_header, transport, 0x68);
PVROM_OFFSET_IS(pvrom_rom_header, transport_port, 0x6a);
PVROM_OFFSET_IS(pvrom_rom_header, live_port, 0x6c);
PVROM_OFFSET_IS(pvrom_rom_header, live_key, 0x70);
PVROM_OFFSET_IS(pvrom_rom_header, pci, 0x80);
PVROM_SIZE_IS(pvrom_rom_header, 0xa0);

/*
 * A slot: how the sites of one call are served. A call without a slot is native. No two slots
 * name one call.
 *
 *	0x00	call		call number
 *	0x02	form		PVROM_FORM_x
 *	0x03	flags		PVROM_SLOT_x
 *	0x04	text		offset of its text, multiple of 16; 0 if it has none
 *	0x08	text_size	bytes, at most
 *	0x0a	template_size	bytes, at most PVROM_SITE_MAX
 *	0x0c	template_offset	offset of its template; 0 if it has none
 *	0x10	reloc_first	index of its first relocation; they all lie in its text or template,
 *				in each of them in ascending order, without overlap
 *	0x12	reloc_count
 *	0x14	clobbers	registers (PVROM_RAX ...) that text or template change: a subset of
 *				what the native form changes (calls.h)
 *	0x16	reserved	zero
 *	0x18
 *
 * CALL needs a text, INLINE a template. An INLINE slot whose template is longer than
 * PVROM_SITE_MIN has a text as well, which serves the sites that are too short for it.
 */
struct pvrom_slot {
	uint16_t call;
	uint8_t form;
	uint8_t flags;
	uint32_t text;
	uint16_t text_size;
	uint16_t template_size;
	uint32_t template_offset;
	uint16_t reloc_first;
	uint16_t reloc_count;
	uint16_t clobbers;
	uint16_t reserved;
};
PVROM_OFFSET_IS(pvrom_slot, call, 0x00);
PVROM_OFFSET_IS(pvrom_slot, form, 0x02);
PVROM_OFFSET_IS(pvrom_slot, flags, 0x03);
PVROM_OFFSET_IS(pvrom_slot, text, 0x04);
PVROM_OFFSET_IS(pvrom_slot, text_size, 0x08);
PVROM_OFFSET_IS(pvrom_slot, template_size, 0x0a);
PVROM_OFFSET_IS(pvrom_slot, template_offset, 0x0c);
PVROM_OFFSET_IS(pvrom_slot, reloc_first, 0x10);
PVROM_OFFSET_IS(pvrom_slot, reloc_count, 0x12);
PVROM_OFFSET_IS(pvrom_slot, clobbers, 0x14);
PVROM_SIZE_IS(pvrom_slot, 0x18);

/*
 *	0x00	offset		of the first byte it changes
 *	0x04	kind		PVROM_RELOC_x
 *	0x05	reserved	zero
 *	0x06	addend		for ADDRESS: offset in the vCPU area; otherwise zero
 *	0x08
 */
struct pvrom_reloc {
	uint32_t offset;
	uint8_t kind;
	uint8_t reserved;
	uint16_t addend;
};
PVROM_OFFSET_IS(pvrom_reloc, kind, 0x04);
PVROM_OFFSET_IS(pvrom_reloc, addend, 0x06);
PVROM_SIZE_IS(pvrom_reloc, 0x08);

/*
 *	0x00	offset		of its first byte, in the text
 *	0x04	size		bytes
 *	0x08	name		offset in the strings
 *	0x0c
 */
struct pvrom_symbol {
	uint32_t offset;
	uint32_t size;
	uint32_t name;
};
PVROM_SIZE_IS(pvrom_symbol, 0x0c);

/*
 * A record in a kernel's section .pvrom_sites: one call site. Written by the compiler through
 * the site macros and read by the shim of the same kernel; it does not cross the interface, but
 * stands here because tools read it too.
 *
 *	0x00	offset		address of the site less the address of this record, signed
 *	0x04	call		call number
 *	0x06	length		bytes of the site, PVROM_SITE_MIN to PVROM_SITE_MAX
 *	0x07	saved		1 once native[] holds the bytes of the native form
 *	0x08	native[16]	filled in by the shim before the first patch
 *	0x18
 */
struct pvrom_site {
	int32_t offset;
	uint16_t call;
	uint8_t length;
	uint8_t saved;
	uint8_t native[16];
};
PVROM_OFFSET_IS(pvrom_site, call, 0x04);
PVROM_OFFSET_IS(pvrom_site, length, 0x06);
PVROM_OFFSET_IS(pvrom_site, saved, 0x07);
PVROM_OFFSET_IS(pvrom_site, native, 0x08);
PVROM_SIZE_IS(pvrom_site, 0x18);
#endif

#endif
