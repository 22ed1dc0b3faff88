/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A second opinion on ROM images, written after <pvrom/rom.h> and by other means than the shim's: each byte of
 * the image is painted with what it belongs to, and nothing may be painted twice.
 */
#include "rom_make.h"

/* What a byte belongs to. */
enum { FREE, HEADER, SLOTS, RELOCS, SYMBOLS, STRINGS, TEMPLATES, TEXT, A_TEXT, RELOCATED };

static uint8_t paint[PVROM_ROM_SIZE_MAX];

/* All of the range had the old colour and gets the new one; false if not. */
static bool repaint(uint64_t offset, uint64_t size, uint8_t old, uint8_t colour, size_t image)
{
	uint64_t i;

	if (offset > image || size > image - offset)
		return false;
	for (i = offset; i < offset + size; i++) {
		if (paint[i] != old)
			return false;
		paint[i] = colour;
	}
	return true;
}

static bool is_painted(uint64_t offset, uint64_t size, uint8_t colour, size_t image)
{
	return size && repaint(offset, size, colour, colour, image);
}

static bool paint_parts(const struct pvrom_rom_header *h, size_t size)
{
	memset(paint, FREE, size);
	return repaint(0, h->header_size, FREE, HEADER, size) &&
	       repaint(h->slot_offset, (uint64_t)h->slot_count * h->slot_size, FREE, SLOTS, size) &&
	       repaint(h->reloc_offset, (uint64_t)h->reloc_count * 8, FREE, RELOCS, size) &&
	       repaint(h->symbol_offset, (uint64_t)h->symbol_count * 12, FREE, SYMBOLS, size) &&
	       repaint(h->string_offset, h->string_size, FREE, STRINGS, size) &&
	       repaint(h->template_offset, h->template_size, FREE, TEMPLATES, size) &&
	       repaint(h->text_offset, h->text_size, FREE, TEXT, size);
}

/* A part of size 0 may say that it is anywhere. */
static void forget_empty(struct pvrom_rom_header *h)
{
	h->slot_offset = h->slot_count ? h->slot_offset : 0;
	h->reloc_offset = h->reloc_count ? h->reloc_offset : 0;
	h->symbol_offset = h->symbol_count ? h->symbol_offset : 0;
	h->string_offset = h->string_size ? h->string_offset : 0;
	h->template_offset = h->template_size ? h->template_offset : 0;
	h->text_offset = h->text_size ? h->text_offset : 0;
}

/* ---- slots ------------------------------------------------------------------------------------------- */

struct line {
	uint16_t call, regs;
	uint8_t native, flags;
};
static const struct line lines[] = {
#define LINE(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)                  \
	{ number, regs, PVROM_NATIVE_##native, flags },
	PVROM_CALL_TABLE(LINE)
};

static const struct line *line_of(uint16_t call)
{
	uint32_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].call == call)
			return &lines[i];
	return NULL;
}

static const char *verify_form(const struct pvrom_slot *s, const struct line *line)
{
	const bool jump = line->flags & PVROM_CALL_JUMP, value = line->flags & PVROM_CALL_VALUE;

	if (s->form >= PVROM_FORM_COUNT)
		return "a form that does not exist";
	if (s->form == PVROM_FORM_NOP && (jump || value))
		return "a NOP where something is expected";
	if (s->form == PVROM_FORM_CALL && !s->text_size)
		return "a CALL without text";
	if (s->form == PVROM_FORM_CALL && line->flags & PVROM_CALL_NOCALL && !jump)
		return "a CALL where there is no stack";
	if (s->form == PVROM_FORM_INLINE && !s->template_size)
		return "an INLINE without template";
	if (s->form == PVROM_FORM_INLINE && s->template_size > PVROM_SITE_MIN && !s->text_size)
		return "a template that fits not everywhere, and no text";
	return NULL;
}

static const char *verify_slot(const uint8_t *rom, size_t size, const struct pvrom_slot *s,
			       const struct line *line)
{
	uint16_t allowed = line->regs;

	if (line->native == PVROM_NATIVE_NOTHING)
		allowed = PVROM_RAX | PVROM_RDX | PVROM_RSI | PVROM_RDI | PVROM_R8 | PVROM_R9;
	if (s->clobbers & ~allowed)
		return "clobbers more than the native form";
	if (s->template_size > PVROM_SITE_MAX)
		return "a template longer than any site";
	if (s->template_size && !is_painted(s->template_offset, s->template_size, TEMPLATES, size))
		return "a template outside of the templates";
	if (s->text_size && !repaint(s->text, s->text_size, TEXT, A_TEXT, size))
		return "a text outside of the text, or on top of another";
	if (s->text_size &&
	    (s->text % 16 || s->text_size < 4 || memcmp(rom + s->text, "\xf3\x0f\x1e\xfa", 4)))
		return "a text that does not begin as one";
	return verify_form(s, line);
}

/* ---- relocations --------------------------------------------------------------------------------------- */

static uint32_t reloc_size(uint8_t kind)
{
	return kind == PVROM_RELOC_SEGMENT ? 1 : kind == PVROM_RELOC_ADDRESS ? 6 : 5;
}

static bool is_in(uint64_t offset, uint64_t size, uint64_t begin, uint64_t room)
{
	return offset >= begin && offset + size <= begin + room;
}

static bool bytes_fit(const uint8_t *at, const struct pvrom_reloc *r)
{
	if (r->kind == PVROM_RELOC_SEGMENT)
		return at[0] == 0x65;
	if (r->kind == PVROM_RELOC_ADDRESS)
		return (at[0] & 0xc7) == 4 && at[1] == 0x25 && r->addend < PVROM_VCPU_AREA_SIZE;
	return r->kind == PVROM_RELOC_RETURN && !memcmp(at, "\xc3\xcc\xcc\xcc\xcc", 5);
}

static const char *verify_reloc(const uint8_t *rom, size_t size, const struct pvrom_slot *s,
				const struct pvrom_reloc *r)
{
	const uint32_t span = reloc_size(r->kind);
	const bool text = is_in(r->offset, span, s->text, s->text_size);
	const bool template = is_in(r->offset, span, s->template_offset, s->template_size);

	if (!text && !template)
		return "a relocation outside of its slot";
	if (!bytes_fit(rom + r->offset, r))
		return "a relocation of something else";
	if (!repaint(r->offset, span, text ? A_TEXT : TEMPLATES, RELOCATED, size))
		return "two relocations of one byte";
	return NULL;
}

/* Templates may be shared, so the paint of their relocations goes with the slot. */
static const char *verify_relocs(const uint8_t *rom, size_t size, const struct pvrom_rom_header *h,
				 const struct pvrom_slot *s)
{
	const char *wrong = NULL;
	struct pvrom_reloc r;
	uint32_t i;

	if (s->reloc_count && (uint64_t)s->reloc_first + s->reloc_count > h->reloc_count)
		return "relocations outside of their table";
	for (i = 0; i < s->reloc_count && !wrong; i++) {
		memcpy(&r, rom + h->reloc_offset + (size_t)(s->reloc_first + i) * 8, sizeof(r));
		wrong = verify_reloc(rom, size, s, &r);
	}
	for (i = 0; i < s->template_size; i++)
		paint[s->template_offset + i] = TEMPLATES;
	return wrong;
}

static const char *verify_slots(const uint8_t *rom, size_t size, const struct pvrom_rom_header *h)
{
	static uint8_t seen[0x10000];
	const char *wrong = NULL;
	struct pvrom_slot s;
	uint32_t i;

	memset(seen, 0, sizeof(seen));
	for (i = 0; i < h->slot_count && !wrong; i++) {
		memcpy(&s, rom + h->slot_offset + (size_t)i * h->slot_size, sizeof(s));
		if (!line_of(s.call) && h->minor > PVROM_MINOR)
			continue;
		if (!line_of(s.call) || seen[s.call]++)
			return "a slot of no call, or a second one";
		wrong = verify_slot(rom, size, &s, line_of(s.call));
		if (!wrong)
			wrong = verify_relocs(rom, size, h, &s);
	}
	return wrong;
}

/* ---- symbols, sums and all -------------------------------------------------------------------------------- */

static bool ends(const uint8_t *rom, const struct pvrom_rom_header *h, uint32_t name)
{
	for (; name < h->string_size; name++)
		if (!rom[h->string_offset + name])
			return true;
	return false;
}

static const char *verify_symbols(const uint8_t *rom, const struct pvrom_rom_header *h)
{
	struct pvrom_symbol s;
	uint32_t i;

	for (i = 0; i < h->symbol_count; i++) {
		memcpy(&s, rom + h->symbol_offset + (size_t)i * sizeof(s), sizeof(s));
		if (!is_in(s.offset, s.size, h->text_offset, h->text_size))
			return "a symbol outside of the text";
		if (!ends(rom, h, s.name))
			return "a name without an end";
	}
	return NULL;
}

/* CRC-32 a bit at a time, of the image with the two fields 0. */
static uint32_t slow_crc(const uint8_t *rom, size_t size)
{
	uint32_t crc = 0xffffffff, bit;
	size_t i;

	for (i = 0; i < size; i++) {
		crc ^= i == 4 || i - 0x34 < 4 ? 0 : rom[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static const char *verify_header(const uint8_t *rom, size_t size, const struct pvrom_rom_header *h)
{
	uint8_t sum = 0;
	size_t i;

	if (h->rom_size > size || h->rom_size % 512 || h->rom_size > PVROM_ROM_SIZE_MAX)
		return "a size that cannot be";
	for (i = 0; i < h->rom_size; i++)
		sum = (uint8_t)(sum + rom[i]);
	if (sum || slow_crc(rom, h->rom_size) != h->checksum)
		return "wrong sums";
	if (h->signature != PVROM_ROM_SIGNATURE || h->major != PVROM_MAJOR || rom[3] != 0xcb)
		return "not a ROM of this interface";
	if (h->header_size < sizeof(*h) || h->slot_size < sizeof(struct pvrom_slot))
		return "structures cut short";
	return NULL;
}

const char *rom_verify(const uint8_t *rom, size_t size)
{
	struct pvrom_rom_header h;
	const char *wrong;

	if (size < sizeof(h))
		return "no room for a header";
	memcpy(&h, rom, sizeof(h));
	wrong = verify_header(rom, size, &h);
	if (wrong)
		return wrong;
	forget_empty(&h);
	if (!paint_parts(&h, h.rom_size))
		return "a part outside of the image, or on top of another";
	wrong = verify_slots(rom, h.rom_size, &h);
	return wrong ? wrong : verify_symbols(rom, &h);
}
