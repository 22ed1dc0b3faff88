/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Judges a ROM image against the chapter "The ROM", in the order of its requirements, each in a
 * function of its own. It trusts its caller that size bytes are there, and the image in nothing.
 */
#include "rom_judge.h"

#include <stdbool.h>
#include <string.h>

#include <pvrom/abi.h>

#define FIXUP offsetof(struct pvrom_rom_header, option_fixup)
#define CHECKSUM offsetof(struct pvrom_rom_header, checksum)

struct call_line {
	uint16_t number, regs;
	uint8_t native, flags;
};
static const struct call_line calls[] = {
#define CALL_LINE(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)             \
	{ number, regs, PVROM_NATIVE_##native, flags },
	PVROM_CALL_TABLE(CALL_LINE)
};

static const struct call_line *find_call(uint32_t number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

static struct pvrom_rom_header header_of(const uint8_t *rom)
{
	struct pvrom_rom_header h;

	memcpy(&h, rom, sizeof(h));
	return h;
}

static struct pvrom_slot slot_of(const uint8_t *rom, uint32_t index)
{
	struct pvrom_slot slot;

	memcpy(&slot, rom + header_of(rom).slot_offset + index * sizeof(slot), sizeof(slot));
	return slot;
}

static struct pvrom_reloc reloc_of(const uint8_t *rom, uint32_t index)
{
	struct pvrom_reloc reloc;

	memcpy(&reloc, rom + header_of(rom).reloc_offset + index * sizeof(reloc), sizeof(reloc));
	return reloc;
}

/* ---- sums ---- */

static uint8_t sum_of(const uint8_t *rom, size_t size)
{
	uint8_t sum = 0;

	while (size--)
		sum = (uint8_t)(sum + *rom++);
	return sum;
}

static uint32_t crc_step(uint32_t crc, uint8_t byte)
{
	crc ^= byte;
	for (int bit = 0; bit < 8; bit++)
		crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	return crc;
}

static uint32_t crc_of(const uint8_t *rom, size_t size)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < size; i++) {
		bool skipped = i == FIXUP || (i >= CHECKSUM && i < CHECKSUM + 4);

		crc = crc_step(crc, skipped ? 0 : rom[i]);
	}
	return ~crc;
}

void rom_settle(uint8_t *rom, size_t size)
{
	uint32_t crc = crc_of(rom, size);

	memcpy(rom + CHECKSUM, &crc, sizeof(crc));
	rom[FIXUP] = (uint8_t)(rom[FIXUP] - sum_of(rom, size));
}

/* ---- the whole ---- */

static bool reserved_is_zero(const struct pvrom_rom_header *h)
{
	static const uint8_t zero[sizeof(h->reserved0)];

	return !memcmp(h->reserved0, zero, sizeof(h->reserved0)) &&
	       !memcmp(h->reserved1, zero, sizeof(h->reserved1)) && !h->reserved2 &&
	       !h->reserved3 && !h->reserved4 && !h->reserved5;
}

struct part {
	uint64_t offset, size, align;
};

static bool parts_apart(const struct part *a, const struct part *b)
{
	return !a->size || !b->size || a->offset + a->size <= b->offset ||
	       b->offset + b->size <= a->offset;
}

static bool parts_fit(const struct pvrom_rom_header *h)
{
	const struct part part[] = {
		{ 0, h->header_size, 1 },
		{ h->slot_offset, (uint64_t)h->slot_count * sizeof(struct pvrom_slot), 8 },
		{ h->reloc_offset, (uint64_t)h->reloc_count * sizeof(struct pvrom_reloc), 8 },
		{ h->symbol_offset, (uint64_t)h->symbol_count * sizeof(struct pvrom_symbol), 4 },
		{ h->string_offset, h->string_size, 1 },
		{ h->template_offset, h->template_size, 1 },
		{ h->text_offset, h->text_size, 16 },
	};

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (part[i].offset % part[i].align || part[i].offset + part[i].size > h->rom_size)
			return false;
		for (size_t j = 0; j < i; j++)
			if (!parts_apart(&part[i], &part[j]))
				return false;
	}
	return h->header_size == sizeof(*h) && h->slot_size == sizeof(struct pvrom_slot);
}

static const char *judge_whole(const uint8_t *rom, size_t size)
{
	struct pvrom_rom_header h;

	if (size < sizeof(h) || rom[0] != 0x55 || rom[1] != 0xaa || rom[3] != 0xcb)
		return "PVROM-ROM-1";
	h = header_of(rom);
	if (h.rom_size != size || size % 512 || size > 0x100000)
		return "PVROM-ROM-2";
	if (sum_of(rom, size))
		return "PVROM-ROM-3";
	if (crc_of(rom, size) != h.checksum)
		return "PVROM-ROM-4";
	if (!reserved_is_zero(&h))
		return "PVROM-CONF-4";
	return parts_fit(&h) ? NULL : "PVROM-ROM-5";
}

/* ---- slots ---- */

static bool is_only(const uint8_t *rom, uint32_t index)
{
	for (uint32_t i = 0; i < index; i++)
		if (slot_of(rom, i).call == slot_of(rom, index).call)
			return false;
	return true;
}

static uint32_t may_change(const struct call_line *call)
{
	return call->native == PVROM_NATIVE_NOTHING ? PVROM_REGS_SYSV : call->regs;
}

static const char *judge_form(const struct pvrom_slot *slot, const struct call_line *call)
{
	bool is_inline = slot->form == PVROM_FORM_INLINE;

	if (is_inline && (!slot->template_size || slot->template_size > PVROM_SITE_MAX ||
			  (slot->template_size > PVROM_SITE_MIN && !slot->text_size)))
		return "PVROM-ROM-10";
	if (slot->form == PVROM_FORM_CALL && !slot->text_size)
		return "PVROM-ROM-11";
	if (!call || slot->clobbers & ~may_change(call))
		return "PVROM-ROM-12";
	if (slot->form == PVROM_FORM_NOP && call->flags & PVROM_CALL_VALUE)
		return "PVROM-ROM-13";
	if (call->flags & PVROM_CALL_NOCALL && !(call->flags & PVROM_CALL_JUMP) && slot->text_size)
		return "PVROM-ROM-14";
	return NULL;
}

/* ---- text ---- */

static bool text_begins_well(const uint8_t *rom, const struct pvrom_slot *slot)
{
	struct pvrom_rom_header h = header_of(rom);

	return slot->text % 16 == 0 && slot->text >= h.text_offset && slot->text_size >= 4 &&
	       slot->text + slot->text_size <= h.text_offset + h.text_size &&
	       !memcmp(rom + slot->text, "\xf3\x0f\x1e\xfa", 4);
}

static bool is_return(const uint8_t *p)
{
	return !memcmp(p, "\xc3\xcc\xcc\xcc\xcc", 5);
}

/* Does a text that comes back end in a return that a relocation names? */
static bool text_ends_well(const uint8_t *rom, const struct pvrom_slot *slot,
			   const struct call_line *call)
{
	uint32_t last = slot->text + slot->text_size - 5u;

	if (call->flags & PVROM_CALL_JUMP)
		return true;
	for (uint32_t i = slot->reloc_first; i < slot->reloc_first + slot->reloc_count; i++)
		if (reloc_of(rom, i).kind == PVROM_RELOC_RETURN && reloc_of(rom, i).offset == last)
			return slot->text_size >= 9 && is_return(rom + last);
	return false;
}

/* ---- relocations ---- */

/* How many bytes it changes, 0 if these are not the bytes that its kind says. */
static uint32_t reloc_bytes(const uint8_t *rom, const struct pvrom_reloc *reloc)
{
	const uint8_t *p = rom + reloc->offset;

	if (reloc->kind == PVROM_RELOC_SEGMENT)
		return p[0] == 0x65;
	if (reloc->kind == PVROM_RELOC_ADDRESS)
		return (p[0] & 0xc7) == 0x04 && p[1] == 0x25 && reloc->addend < 0x100 ? 6 : 0;
	return reloc->kind == PVROM_RELOC_RETURN && is_return(p) ? 5 : 0;
}

static bool lies_in(const struct pvrom_reloc *reloc, uint32_t bytes, uint32_t offset, uint32_t size)
{
	return reloc->offset >= offset && reloc->offset + bytes <= offset + size;
}

static bool reloc_is_right(const uint8_t *rom, const struct pvrom_slot *slot, uint32_t index)
{
	struct pvrom_reloc reloc = reloc_of(rom, index), before;
	uint32_t bytes;

	/* Six bytes behind it are there, or it is not one of ours. */
	if (reloc.offset > header_of(rom).rom_size - 6)
		return false;
	bytes = reloc_bytes(rom, &reloc);
	if (!bytes || reloc.reserved ||
	    (!lies_in(&reloc, bytes, slot->text, slot->text_size) &&
	     !lies_in(&reloc, bytes, slot->template_offset, slot->template_size)))
		return false;
	for (uint32_t i = slot->reloc_first; i < index; i++) {
		before = reloc_of(rom, i);
		if (before.offset < reloc.offset + bytes &&
		    reloc.offset < before.offset + reloc_bytes(rom, &before))
			return false;
	}
	return true;
}

static const char *judge_slot(const uint8_t *rom, uint32_t index)
{
	struct pvrom_slot slot = slot_of(rom, index);
	const struct call_line *call = find_call(slot.call);
	const char *broken;

	if (!is_only(rom, index))
		return "PVROM-ROM-8";
	broken = judge_form(&slot, call);
	if (broken)
		return broken;
	if (slot.text_size && !text_begins_well(rom, &slot))
		return "PVROM-ROM-15";
	if (slot.reloc_first + slot.reloc_count > header_of(rom).reloc_count)
		return "PVROM-ROM-23";
	for (uint32_t i = slot.reloc_first; i < slot.reloc_first + slot.reloc_count; i++)
		if (!reloc_is_right(rom, &slot, i))
			return "PVROM-ROM-23";
	if (slot.text_size && !text_ends_well(rom, &slot, call))
		return "PVROM-ROM-19";
	return slot.reserved ? "PVROM-CONF-4" : NULL;
}

const char *rom_judge(const uint8_t *rom, size_t size)
{
	const char *broken = judge_whole(rom, size);

	for (uint32_t i = 0; !broken && i < header_of(rom).slot_count; i++)
		broken = judge_slot(rom, i);
	return broken;
}
