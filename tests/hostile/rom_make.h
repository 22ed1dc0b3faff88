/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* ROM images out of the bytes of an input: all that <pvrom/rom.h> allows, and right in every respect. */
#ifndef TESTS_ROM_MAKE_H
#define TESTS_ROM_MAKE_H

#include <pvrom/abi.h>

#include "hostile.h"

#define ROM_ROOM 0x4000

struct rom_choice {
	uint16_t transport, transport_port;
	uint16_t live_port;
	uint32_t live_key;
};

/* Makes an image in rom[ROM_ROOM]; its size. */
size_t rom_make(struct input *in, const struct rom_choice *choice, uint8_t *rom);

/* Puts the fixup and the checksum of an image right; size is that of the image. */
void rom_fix(uint8_t *rom, size_t size);

/* What is wrong with an image that a shim would patch from; NULL if nothing. */
const char *rom_verify(const uint8_t *rom, size_t size);

#endif
