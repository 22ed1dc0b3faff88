/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The ELF note in which a kernel file says what it wants of pvrom, so that tools can tell what it
 * would get on a machine without booting it. Section .note.pvrom, owner "pvrom", type 1.
 */
#ifndef PVROM_NOTE_H
#define PVROM_NOTE_H

#include <pvrom/constants.h>

#define PVROM_NOTE_OWNER "pvrom"
PVROM_CONSTANTS_BEGIN
PVROM_CONSTANT(PVROM_NOTE_TYPE, 1)
PVROM_CONSTANTS_END

#ifndef __ASSEMBLER__
/*
 * The note's descriptor. It begins 20 bytes into the note (three words, and the owner padded to 8),
 * aligned to 4, as ELF notes are by those who make and read them (Linux, Xen; those of 8 are GNU
 * properties alone): a reader copies it out, and a structure for the whole note has to be packed.
 *
 *	0x00	size		0x20
 *	0x04	major		interface version the kernel was built for
 *	0x06	minor
 *	0x08	wanted		feature bits
 *	0x10	required	feature bits, a subset of wanted: without them it runs native
 *	0x18	reserved	zero
 *	0x20
 */
struct pvrom_note {
	uint32_t size;
	uint16_t major;
	uint16_t minor;
	uint64_t wanted;
	uint64_t required;
	uint64_t reserved;
};
PVROM_OFFSET_IS(pvrom_note, major, 0x04);
PVROM_OFFSET_IS(pvrom_note, minor, 0x06);
PVROM_OFFSET_IS(pvrom_note, wanted, 0x08);
PVROM_OFFSET_IS(pvrom_note, required, 0x10);
PVROM_SIZE_IS(pvrom_note, 0x20);
#endif

#endif
