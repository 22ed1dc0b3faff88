/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The ROM image under every configuration, checked by a small reader of its own (it shares no
 * code with the builder or the guest shim): header, sums, parts, symbols, the building.
 * The slots: host_rom_slots.c.
 */
#include "rom_reader.h"

#include <pvrom/guest.h>
#include <stdlib.h>

/* ---- header ------------------------------------------------------------------------------------ */

static void check_header(void)
{
	uint32_t i, sum = 0;

	CU_ASSERT_EQUAL(size % 512, 0);
	CU_ASSERT_TRUE(size <= 16384);
	CU_ASSERT_EQUAL(word(0, 2), 0xaa55);
	CU_ASSERT_EQUAL(rom[2], size / 512);
	CU_ASSERT_EQUAL(rom[3], 0xcb);
	for (i = 0; i < size; i++)
		sum += rom[i];
	CU_ASSERT_EQUAL(sum % 256, 0);
	CU_ASSERT_EQUAL(word(0x18, 2), 0x80);
	CU_ASSERT_EQUAL(memcmp(rom + 0x20, "pvROM\r\n\x1a", 8), 0);
	CU_ASSERT_EQUAL(word(0x28, 2), PVROM_MAJOR);
	CU_ASSERT_EQUAL(word(0x2a, 2), PVROM_MINOR);
	CU_ASSERT_EQUAL(word(0x2c, 4), 0xa0);
	CU_ASSERT_EQUAL(word(0x30, 4), size);
	CU_ASSERT_EQUAL(word(0x68, 2), w.config.transport);
	CU_ASSERT_EQUAL(word(0x6a, 2), w.config.transport_port);
	CU_ASSERT_EQUAL(word(0x6c, 2), 0x52);
	CU_ASSERT_EQUAL(word(0x70, 4), 0x12345678);
	CU_ASSERT_EQUAL(memcmp(rom + 0x80, "PCIR", 4), 0);
	CU_ASSERT_EQUAL(word(0x90, 2), size / 512);
	CU_ASSERT_EQUAL(rom[0x95], 0x80);
	/* Reserved fields are zero. */
	for (i = 5; i < 0x18; i++)
		CU_ASSERT_EQUAL(rom[i], 0);
	for (i = 0x1a; i < 0x20; i++)
		CU_ASSERT_EQUAL(rom[i], 0);
	CU_ASSERT_EQUAL(word(0x6e, 2) | word(0x74, 4) | word(0x78, 8) | word(0x98, 8), 0);
}

static void header(void)
{
	for_all(check_header);
}

/* CRC-32 bit by bit, as the standard writes it. */
static uint32_t crc32_by_bits(const uint8_t *bytes, size_t length)
{
	uint32_t crc = ~0u, bit;
	size_t i;

	for (i = 0; i < length; i++) {
		uint8_t byte = (i >= 0x34 && i < 0x38) || i == 4 ? 0 : bytes[i];

		crc ^= byte;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

static void check_checksum(void)
{
	CU_ASSERT_EQUAL(word(0x34, 4), crc32_by_bits(rom, size));
	CU_ASSERT_EQUAL(w.host.rom_checksum, word(0x34, 4));
	CU_ASSERT_EQUAL(w.host.rom_size, size);
}

static void checksum(void)
{
	for_all(check_checksum);
}

/* ---- parts ------------------------------------------------------------------------------------- */

/* Marks bytes as belonging to a part; counts those that belong to two. */
static uint8_t owner[0x8000];
static uint32_t overlaps;

static void own(uint64_t at, uint64_t length)
{
	for (; length; length--, at++) {
		if (at >= size || owner[at])
			overlaps++;
		else
			owner[at] = 1;
	}
}

static void check_parts(void)
{
	memset(owner, 0, sizeof(owner));
	overlaps = 0;
	own(0, 0xa0);
	own(word(0x38, 4), word(0x3c, 2) * 0x18);
	own(word(0x40, 4), word(0x44, 4) * 8);
	own(word(0x48, 4), word(0x4c, 4) * 12);
	own(word(0x50, 4), word(0x54, 4));
	own(word(0x58, 4), word(0x5c, 4));
	own(word(0x60, 4), word(0x64, 4));
	CU_ASSERT_EQUAL(overlaps, 0);
	CU_ASSERT_EQUAL(word(0x3e, 2), 0x18);
	CU_ASSERT_EQUAL(word(0x38, 4) % 8, 0);
	CU_ASSERT_EQUAL(word(0x40, 4) % 8, 0);
	CU_ASSERT_EQUAL(word(0x48, 4) % 4, 0);
	CU_ASSERT_EQUAL(word(0x60, 4) % 16, 0);
}

static void parts(void)
{
	for_all(check_parts);
}
/* Texts of two slots never share a byte. */
static void check_texts_apart(void)
{
	size_t at = word(0x38, 4), end = at + word(0x3c, 2) * 0x18;

	memset(owner, 0, sizeof(owner));
	overlaps = 0;
	for (; at < end; at += 0x18)
		own(word(at + 4, 4), word(at + 8, 2));
	CU_ASSERT_EQUAL(overlaps, 0);
}

static void texts_apart(void)
{
	for_all(check_texts_apart);
}

/* ---- what guests say --------------------------------------------------------------------------- */

static void check_by_the_shim(void)
{
	CU_ASSERT_EQUAL(pvrom_rom_check(rom, size), PVROM_VERDICT_READY);
	rom[size - 1] ^= 1;
	CU_ASSERT_EQUAL(pvrom_rom_check(rom, size), PVROM_VERDICT_BAD_CHECKSUM);
}

static void by_the_shim(void)
{
	for_all(check_by_the_shim);
}

/* ---- symbols ----------------------------------------------------------------------------------- */

static void check_symbols(void)
{
	uint64_t count = word(0x4c, 4), i, texts = 0;
	size_t at = word(0x38, 4), end = at + word(0x3c, 2) * 0x18;

	for (; at < end; at += 0x18)
		texts += word(at + 8, 2) != 0;
	CU_ASSERT_EQUAL(count, texts);
	for (i = 0; i < count; i++) {
		size_t symbol = word(0x48, 4) + i * 12;
		const char *name = (const char *)rom + word(0x50, 4) + word(symbol + 8, 4);

		CU_ASSERT_TRUE_FATAL(word(symbol + 8, 4) < word(0x54, 4));
		for (at = word(0x38, 4); at < end && word(at + 4, 4) != word(symbol, 4);)
			at += 0x18;
		CU_ASSERT_TRUE_FATAL(at < end);
		CU_ASSERT_EQUAL(word(symbol + 4, 4), word(at + 8, 2));
		CU_ASSERT_STRING_EQUAL(name, pvrom_host_call_name((uint32_t)word(at, 2)));
	}
	if (count)
		CU_ASSERT_EQUAL(rom[word(0x50, 4) + word(0x54, 4) - 1], 0);
}

static void symbols(void)
{
	for_all(check_symbols);
}

/* The names are those of the table, in small letters. */
static void names(void)
{
	static const struct {
		uint32_t number;
		const char *name;
	} capitals[] = {
#define NAME(GROUP, NAME, number, feature, args, native, properties, regs, insn, text)             \
	{ number, #GROUP "." #NAME },
		PVROM_CALL_TABLE(NAME)
	};
	uint32_t i;

	for (i = 0; i < sizeof(capitals) / sizeof(capitals[0]); i++) {
		const char *name = pvrom_host_call_name(capitals[i].number);
		const char *c;

		CU_ASSERT_EQUAL(strcasecmp(name, capitals[i].name), 0);
		for (c = name; *c; c++)
			CU_ASSERT_FALSE(*c >= 'A' && *c <= 'Z');
	}
}

/* ---- building ---------------------------------------------------------------------------------- */

static void check_twice(void)
{
	static uint8_t first[0x8000];
	size_t first_size = size;

	memcpy(first, rom, size);
	build();
	CU_ASSERT_EQUAL(size, first_size);
	CU_ASSERT_EQUAL(memcmp(first, rom, size), 0);
}

static void same_bytes(void)
{
	for_all(check_twice);
}

static void room(void)
{
	size_t need, left;
	uint8_t *tight;

	world_open(&w, 1);
	build();
	for (left = 0; left < size; left += 37) {
		tight = malloc(left + 1);
		CU_ASSERT_EQUAL(pvrom_host_build_rom(&w.host, tight, left, &need),
				PVROM_HOST_NO_ROOM);
		CU_ASSERT_EQUAL(need, size);
		free(tight);
	}
	tight = malloc(size);
	CU_ASSERT_EQUAL(pvrom_host_build_rom(&w.host, tight, size, &need), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(memcmp(tight, rom, size), 0);
	free(tight);
	CU_ASSERT_EQUAL(pvrom_host_build_rom(&w.host, NULL, 0x8000, &need), PVROM_HOST_NO_ROOM);
	world_close(&w);
}
static const struct tap_test tests[] = {
	{ "header [PVROM-ROM-1 PVROM-ROM-2 PVROM-ROM-3]", header },
	{ "checksum [PVROM-ROM-4]", checksum },
	{ "parts inside and apart [PVROM-ROM-5]", parts },
	{ "texts do not overlap", texts_apart },
	{ "the guest shim takes it, and does not when a bit is wrong", by_the_shim },
	{ "symbols", symbols },
	{ "names of calls", names },
	{ "the same bytes each time [PVROM-ROM-7]", same_bytes },
	{ "room for the image", room },
	{ 0 }
};

int main(void)
{
	return world_main("host_rom", tests);
}
