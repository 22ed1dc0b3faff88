/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * CRC-32 and SHA-256, for the guest shim and the host handler. Internal to both.
 */
#ifndef PVROM_DIGEST_H
#define PVROM_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* Both run rarely, over little: the compiler shall make them small, not fast. */
#define PVROM_DIGEST_FN __attribute__((cold))

/*
 * CRC-32 of IEEE 802.3 (polynomial 04c11db7, reflected) of size bytes at data, going on from crc:
 * 0 at the start, or the result for the bytes before. Any context.
 */
PVROM_DIGEST_FN uint32_t pvrom_crc32(uint32_t crc, const void *data, size_t size);

/* SHA-256 (FIPS 180-4) of size bytes at data. Any context; about 200 bytes of stack. */
PVROM_DIGEST_FN void pvrom_sha256(const void *data, size_t size, uint8_t digest[32]);

/*
 * The checksum of a ROM image (struct pvrom_rom_header, checksum): its CRC-32 with the fields
 * checksum and option_fixup taken as 0. size is at least PVROM_ROM_SIZE_MIN.
 */
PVROM_DIGEST_FN uint32_t pvrom_rom_checksum(const void *rom, size_t size);

#endif
