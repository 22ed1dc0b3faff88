/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Right ROM images out of the bytes of an input. */
#include "rom_make.h"

#include "../../digest/digest.h"

#define SLOTS_MAX 10

struct line {
	uint16_t call, regs;
	uint8_t native, flags;
};
static const struct line lines[] = {
#define LINE(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)                  \
	{ number, regs, PVROM_NATIVE_##native, flags },
	PVROM_CALL_TABLE(LINE)
};
#define LINES (sizeof(lines) / sizeof(lines[0]))

/* An image in the making: its slots and relocations, and the bytes of its templates and texts. */
struct making {
	struct pvrom_slot slot[SLOTS_MAX];
	struct pvrom_reloc reloc[64];
	uint8_t templates[256], texts[0x1000];
	uint32_t slots, relocs, template_size, text_size;
};

static void add_reloc(struct making *m, uint32_t offset, uint8_t kind, uint16_t addend)
{
	if (m->relocs < 64)
		m->reloc[m->relocs++] = (struct pvrom_reloc){ offset, kind, 0, addend };
}

/* `lock btr $0, %gs:field` and the like: a prefix, an opcode and the address of a field. */
static uint32_t put_access(struct making *m, uint8_t *to, uint32_t offset, uint8_t field)
{
	static const uint8_t access[] = { 0x65, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0 };

	memcpy(to, access, sizeof(access));
	add_reloc(m, offset, PVROM_RELOC_SEGMENT, 0);
	add_reloc(m, offset + 3, PVROM_RELOC_ADDRESS, field);
	return sizeof(access);
}

/* Texts and templates count from their own beginnings until the image is laid out. */
static void add_text(struct making *m, struct pvrom_slot *slot, struct input *in)
{
	static const uint8_t begin[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const uint8_t end[] = { 0xc3, 0xcc, 0xcc, 0xcc, 0xcc };
	uint8_t *to = m->texts + m->text_size;
	uint32_t at = sizeof(begin), accesses = take8(in) & 3, filler = take8(in) & 31;

	slot->text = m->text_size;
	memcpy(to, begin, sizeof(begin));
	while (accesses--)
		at += put_access(m, to + at, slot->text + at, take8(in));
	for (; filler--; at++)
		to[at] = take8(in);
	memcpy(to + at, end, sizeof(end));
	add_reloc(m, slot->text + at, PVROM_RELOC_RETURN, 0);
	at += sizeof(end);
	slot->text_size = (uint16_t)at;
	m->text_size += (at + 15) & ~15u;
}

static void add_template(struct making *m, struct pvrom_slot *slot, struct input *in, bool small)
{
	uint8_t *to = m->templates + m->template_size;
	uint32_t how = take8(in), at = 0,
		 size = 1 + how % (small ? PVROM_SITE_MIN : PVROM_SITE_MAX);

	slot->template_offset = m->template_size;
	if (size >= 9 && how & 0x80)
		at = put_access(m, to, 0x10000 + slot->template_offset, take8(in));
	for (; at < size; at++)
		to[at] = take8(in);
	slot->template_size = (uint16_t)size;
	m->template_size += size;
}

static uint8_t form_of(const struct line *line, uint8_t wish, bool callable)
{
	const bool plain = !(line->flags & (PVROM_CALL_VALUE | PVROM_CALL_JUMP));

	if (wish == PVROM_FORM_NOP && plain &&
	    (line->native == PVROM_NATIVE_INSN || line->flags & PVROM_CALL_VOID))
		return PVROM_FORM_NOP;
	if (wish == PVROM_FORM_CALL && callable)
		return PVROM_FORM_CALL;
	return wish == PVROM_FORM_NATIVE ? PVROM_FORM_NATIVE : PVROM_FORM_INLINE;
}

static bool has_slot(const struct making *m, uint16_t call)
{
	uint32_t i;

	for (i = 0; i < m->slots; i++)
		if (m->slot[i].call == call)
			return true;
	return false;
}

static void add_slot(struct making *m, struct input *in)
{
	const struct line *line = &lines[take8(in) % LINES];
	const uint8_t how = take8(in);
	const bool callable = !(line->flags & PVROM_CALL_NOCALL) || line->flags & PVROM_CALL_JUMP;
	struct pvrom_slot *slot = &m->slot[m->slots];

	if (has_slot(m, line->call))
		return;
	*slot = (struct pvrom_slot){ .call = line->call, .reloc_first = (uint16_t)m->relocs };
	slot->form = form_of(line, how & 3, callable);
	slot->flags = how & 4 ? PVROM_SLOT_NOPREEMPT : how >> 3 == 31 ? PVROM_SLOT_X2APIC : 0;
	slot->clobbers = line->native == PVROM_NATIVE_NOTHING ? PVROM_RAX : line->regs;
	if (callable && (how & 8 || slot->form == PVROM_FORM_CALL))
		add_text(m, slot, in);
	if (slot->form == PVROM_FORM_INLINE)
		add_template(m, slot, in, !slot->text_size);
	slot->reloc_count = (uint16_t)(m->relocs - slot->reloc_first);
	m->slots++;
}

/* ---- layout ---------------------------------------------------------------------------------------- */

static void lay_out(const struct making *m, struct pvrom_rom_header *h)
{
	static const char strings[] = "\0text";
	uint32_t at = sizeof(*h);

	h->slot_offset = at;
	h->slot_count = (uint16_t)m->slots;
	at += m->slots * (uint32_t)sizeof(struct pvrom_slot);
	h->reloc_offset = at;
	h->reloc_count = m->relocs;
	at += m->relocs * (uint32_t)sizeof(struct pvrom_reloc);
	h->symbol_offset = at;
	h->symbol_count = m->text_size != 0;
	at += h->symbol_count * (uint32_t)sizeof(struct pvrom_symbol);
	h->string_offset = at;
	h->string_size = sizeof(strings);
	at += h->string_size;
	h->template_offset = at;
	h->template_size = m->template_size;
	h->text_offset = (at + m->template_size + 15) & ~15u;
	h->text_size = m->text_size;
	h->rom_size = (h->text_offset + h->text_size + 511) & ~511u;
}

static void fill_header(struct pvrom_rom_header *h, const struct rom_choice *choice)
{
	h->option_signature = PVROM_ROM_OPTION_SIGNATURE;
	h->option_blocks = (uint8_t)(h->rom_size / PVROM_ROM_BLOCK);
	h->option_entry = PVROM_ROM_RETF;
	h->pci_offset = offsetof(struct pvrom_rom_header, pci);
	h->signature = PVROM_ROM_SIGNATURE;
	h->major = PVROM_MAJOR;
	h->minor = PVROM_MINOR;
	h->header_size = sizeof(*h);
	h->slot_size = sizeof(struct pvrom_slot);
	h->transport = choice->transport;
	h->transport_port = choice->transport_port;
	h->live_port = choice->live_port;
	h->live_key = choice->live_key;
	memcpy(h->pci, "PCIR", 4);
	h->pci[0x0a] = sizeof(h->pci);
	h->pci[0x10] = h->option_blocks;
	h->pci[0x15] = 0x80;
}

static void move(struct making *m, const struct pvrom_rom_header *h)
{
	uint32_t i;

	for (i = 0; i < m->slots; i++) {
		m->slot[i].text += m->slot[i].text_size ? h->text_offset : 0;
		m->slot[i].template_offset += m->slot[i].template_size ? h->template_offset : 0;
	}
	for (i = 0; i < m->relocs; i++)
		m->reloc[i].offset = m->reloc[i].offset >= 0x10000
					     ? m->reloc[i].offset - 0x10000 + h->template_offset
					     : m->reloc[i].offset + h->text_offset;
}

static void write_image(const struct making *m, const struct pvrom_rom_header *h, uint8_t *rom)
{
	const struct pvrom_symbol symbol = { h->text_offset, h->text_size, 1 };

	memset(rom, 0, ROM_ROOM);
	memcpy(rom, h, sizeof(*h));
	memcpy(rom + h->slot_offset, m->slot, m->slots * sizeof(m->slot[0]));
	memcpy(rom + h->reloc_offset, m->reloc, m->relocs * sizeof(m->reloc[0]));
	if (h->symbol_count)
		memcpy(rom + h->symbol_offset, &symbol, sizeof(symbol));
	memcpy(rom + h->string_offset + 1, "text", 4);
	memcpy(rom + h->template_offset, m->templates, m->template_size);
	memcpy(rom + h->text_offset, m->texts, m->text_size);
}

size_t rom_make(struct input *in, const struct rom_choice *choice, uint8_t *rom)
{
	struct pvrom_rom_header h;
	struct making m;
	uint32_t slots = take8(in) % (SLOTS_MAX + 1);

	memset(&m, 0, sizeof(m));
	memset(&h, 0, sizeof(h));
	while (slots--)
		add_slot(&m, in);
	lay_out(&m, &h);
	fill_header(&h, choice);
	move(&m, &h);
	write_image(&m, &h, rom);
	rom_fix(rom, h.rom_size);
	return h.rom_size;
}

void rom_fix(uint8_t *rom, size_t size)
{
	struct pvrom_rom_header h;
	uint8_t sum = 0;
	size_t i;

	memcpy(&h, rom, sizeof(h));
	h.option_fixup = 0;
	h.checksum = pvrom_rom_checksum(rom, size);
	memcpy(rom, &h, sizeof(h));
	for (i = 0; i < size; i++)
		sum = (uint8_t)(sum + rom[i]);
	h.option_fixup = (uint8_t)-sum;
	memcpy(rom, &h, sizeof(h));
}
