/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Builds ROM images from a description, right ones and ones that are wrong in one thing. It shares no
 * code with host/: a mistake there is not repeated here.
 */
#ifndef TESTS_LOOP_ROM_FIXTURE_H
#define TESTS_LOOP_ROM_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include <pvrom/abi.h>

/* One slot; what is not named is absent. Relocations: offset counts from the start of the text, or
 * of the template if in_template. */
struct fixture_reloc {
	uint8_t kind;
	uint8_t in_template;
	uint16_t offset;
	uint16_t addend;
};

struct fixture_slot {
	uint16_t call;
	uint8_t form;
	uint8_t flags;
	uint16_t clobbers;
	uint16_t text_size;
	uint16_t template_size;
	uint16_t reloc_count;
	const uint8_t *text;
	const uint8_t *template;
	const struct fixture_reloc *relocs;
	const char *symbol;
};

struct fixture_rom {
	uint16_t transport;
	uint16_t transport_port;
	uint16_t live_port;
	uint16_t slot_count;
	uint32_t live_key;
	uint32_t pad_to; /* least size of the image */
	const struct fixture_slot *slots;
};

#define FIXTURE_MAX 0x8000

/* The usual image: some slots of each form, transport `out` on port 0x50, live port 0x510. */
extern const struct fixture_rom fixture_usual;

/* Builds into image[FIXTURE_MAX], returns the size. The image is right if the description is. */
size_t fixture_build(uint8_t *image, const struct fixture_rom *rom);

/* Makes checksum and option_fixup right again after a change. The size is the one in the header. */
void fixture_seal(uint8_t *image);

/* Of the image: its header, slots, relocations, the slot of a call (NULL if none). */
struct pvrom_rom_header *fixture_header(uint8_t *image);
struct pvrom_slot *fixture_slot(uint8_t *image, uint32_t call);
struct pvrom_reloc *fixture_reloc(uint8_t *image, uint32_t index);

#endif
