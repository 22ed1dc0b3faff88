/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "rom": images of a ROM that no honest host has built. An input is an image.
 *
 * Promised (PVROM-ROM-26): of an image that pvrom_rom_check() calls READY a second opinion finds nothing wrong; the
 * check reads no byte outside of the image and has an answer that is in the table.
 */
#include <pvrom/guest.h>

#include "rom_make.h"

static uint32_t forgotten; /* planted: a verdict that the check does not know */

const char *const hostile_faults[] = {
	"check-forgets-header",
	"check-forgets-slots",
	"check-forgets-text",
	"check-forgets-relocations",
	"check-forgets-checksum",
	"check-forgets-truncation",
	NULL,
};

void hostile_plant(const char *fault)
{
	static const uint32_t verdicts[] = {
		PVROM_VERDICT_BAD_HEADER,     PVROM_VERDICT_BAD_SLOTS,	  PVROM_VERDICT_BAD_TEXT,
		PVROM_VERDICT_BAD_RELOCATION, PVROM_VERDICT_BAD_CHECKSUM, PVROM_VERDICT_TRUNCATED,
	};
	uint32_t i;

	for (i = 0; hostile_faults[i]; i++)
		if (!strcmp(fault, hostile_faults[i]))
			forgotten = verdicts[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t verdict = pvrom_rom_check(data, size);
	const char *wrong;

	PROMISE(verdict < PVROM_VERDICT_COUNT);
	if (forgotten && verdict == forgotten)
		verdict = PVROM_VERDICT_READY;
	if (verdict != PVROM_VERDICT_READY)
		return 0;
	wrong = rom_verify(data, size);
	if (wrong)
		fprintf(stderr, "%s\n", wrong);
	PROMISE(!wrong);
	return 0;
}

/* ---- the mutator: a right image, changed, and its sums put right -------------------------------------------- */

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static size_t right_image(uint8_t *data, size_t room, uint32_t *seed)
{
	const struct rom_choice choice = { PVROM_TRANSPORT_PORT, 0xe4, 0xe8, 0x1234 };
	static uint8_t rom[ROM_ROOM];
	uint8_t bytes[256];
	struct input in = { bytes, sizeof(bytes) };
	size_t i, size;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)next(seed);
	bytes[0] &= 3;
	size = rom_make(&in, &choice, rom);
	size = size > room ? room : size;
	memcpy(data, rom, size);
	return size;
}

/* One field gets a value that is near a border. */
static void change_field(uint8_t *at, uint32_t width, size_t size, uint32_t *seed)
{
	const uint32_t values[] = {
		0,    1,  3,	  0xffffffff, 0x80000000, (uint32_t)size, (uint32_t)size - 1,
		0xa0, 16, 0xffff,
	};
	uint32_t value = next(seed) & 1 ? values[next(seed) % 10] : 0, old = 0;

	memcpy(&old, at, width);
	if (!value)
		value = old + (next(seed) % 33) - 16;
	memcpy(at, &value, width);
}

static void change_table(uint8_t *data, size_t size, uint32_t *seed)
{
	static const uint8_t wide[] = { 0, 2, 3, 4, 8, 10, 12, 16, 18, 20 };
	struct pvrom_rom_header h;
	size_t at;

	memcpy(&h, data, sizeof(h));
	if (next(seed) & 1 && h.slot_count)
		at = h.slot_offset + (size_t)(next(seed) % h.slot_count) * h.slot_size +
		     wide[next(seed) % sizeof(wide)];
	else if (h.reloc_count)
		at = h.reloc_offset + (size_t)(next(seed) % h.reloc_count) * 8 + (next(seed) & 6);
	else
		at = h.symbol_offset + (next(seed) & 12);
	if (at + 4 <= size)
		change_field(data + at, 2, size, seed);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed)
{
	uint32_t random = seed;
	struct pvrom_rom_header h;

	if (size < sizeof(h) || next(&random) % 64 == 0)
		size = right_image(data, room, &random);
	else if (next(&random) % 3 == 0)
		size = LLVMFuzzerMutate(data, size, room);
	else if (size >= sizeof(h) && next(&random) & 1)
		change_field(data + 0x28 + 4 * (next(&random) % 20), 4, size, &random);
	else if (size >= sizeof(h))
		change_table(data, size, &random);
	if (size < sizeof(h) || next(&random) % 16 == 0)
		return size;
	memcpy(&h, data, sizeof(h));
	if (h.rom_size <= size && h.rom_size >= sizeof(h))
		rom_fix(data, h.rom_size);
	return size;
}
