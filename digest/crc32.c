/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * CRC-32, four bits at a time: a table of 16 words where the usual one has 256.
 */
#include "digest.h"

#include <pvrom/abi.h>

/* Entry n is n shifted through the reflected polynomial edb88320 four times. */
static const uint32_t step[16] = {
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
	0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
	0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t pvrom_crc32(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *byte = (const uint8_t *)data;

	crc = ~crc;
	for (; size; size--) {
		crc ^= *byte++;
		crc = crc >> 4 ^ step[crc & 15];
		crc = crc >> 4 ^ step[crc & 15];
	}
	return ~crc;
}

uint32_t pvrom_rom_checksum(const void *rom, size_t size)
{
	const size_t fixup = offsetof(struct pvrom_rom_header, option_fixup);
	const size_t field = offsetof(struct pvrom_rom_header, checksum);
	const uint8_t *byte = (const uint8_t *)rom;
	const uint8_t zero[4] = { 0 };
	uint32_t crc;

	crc = pvrom_crc32(0, byte, fixup);
	crc = pvrom_crc32(crc, zero, 1);
	crc = pvrom_crc32(crc, byte + fixup + 1, field - fixup - 1);
	crc = pvrom_crc32(crc, zero, 4);
	return pvrom_crc32(crc, byte + field + 4, size - field - 4);
}
