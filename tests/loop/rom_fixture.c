/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Builds ROM images from a description.
 */
#include "rom_fixture.h"

#include <string.h>

#define ENDBR64 0xf3, 0x0f, 0x1e, 0xfa
#define RETURN 0xc3, 0xcc, 0xcc, 0xcc, 0xcc

/* ---- the usual image ---------------------------------------------------------------------------- */

/* mov $0x1234,%eax; ret */
static const uint8_t read_cr0_text[] = { ENDBR64, 0xb8, 0x34, 0x12, 0, 0, RETURN };
static const struct fixture_reloc read_cr0_relocs[] = { { PVROM_RELOC_RETURN, 0, 9, 0 } };
/* mov $0x5678,%eax */
static const uint8_t read_cr2_template[] = { 0xb8, 0x78, 0x56, 0, 0 };
/* mov $0x9abc,%eax */
static const uint8_t read_cr3_template[] = { 0xb8, 0xbc, 0x9a, 0, 0 };
/* xor %eax,%eax: shorter than a site */
static const uint8_t read_cr8_template[] = { 0x31, 0xc0 };
/* movabs $0x1122334455667788,%rax: ten bytes, longer than most sites; and the same as text */
static const uint8_t read_dr6_template[] = { 0x48, 0xb8, 0x88, 0x77, 0x66,
					     0x55, 0x44, 0x33, 0x22, 0x11 };
static const uint8_t read_dr6_text[] = { ENDBR64, 0x48, 0xb8, 0x88, 0x77, 0x66,
					 0x55,	  0x44, 0x33, 0x22, 0x11, RETURN };
static const struct fixture_reloc read_dr6_relocs[] = { { PVROM_RELOC_RETURN, 0, 14, 0 } };
/* iretq */
static const uint8_t iret_text[] = { ENDBR64, 0x48, 0xcf };
/* btrl $0,%gs:eoi; ret */
static const uint8_t eoi_text[] = { ENDBR64, 0x65, 0x0f, 0xba, 0x34, 0x25, 0, 0, 0, 0, 0, RETURN };
static const struct fixture_reloc eoi_relocs[] = {
	{ PVROM_RELOC_SEGMENT, 0, 4, 0 },
	{ PVROM_RELOC_ADDRESS, 0, 7, PVROM_VCPU_AREA_EOI },
	{ PVROM_RELOC_RETURN, 0, 14, 0 },
};
/* mov %gs:vcpu,%eax: an access to the area in a template */
static const uint8_t store_tr_template[] = { 0x65, 0x8b, 0x04, 0x25, 0, 0, 0, 0 };
static const uint8_t store_tr_text[] = { ENDBR64, 0x65, 0x8b, 0x04, 0x25, 0, 0, 0, 0, RETURN };
static const struct fixture_reloc store_tr_relocs[] = {
	{ PVROM_RELOC_SEGMENT, 0, 4, 0 },    { PVROM_RELOC_ADDRESS, 0, 6, 0x10 },
	{ PVROM_RELOC_RETURN, 0, 12, 0 },    { PVROM_RELOC_SEGMENT, 1, 0, 0 },
	{ PVROM_RELOC_ADDRESS, 1, 2, 0x10 },
};
/* nothing but a return */
static const uint8_t plain_text[] = { ENDBR64, RETURN };
static const struct fixture_reloc plain_relocs[] = { { PVROM_RELOC_RETURN, 0, 4, 0 } };
/* xor %eax,%eax; ret */
static const uint8_t alarm_text[] = { ENDBR64, 0x31, 0xc0, RETURN };
static const struct fixture_reloc alarm_relocs[] = { { PVROM_RELOC_RETURN, 0, 6, 0 } };
/* the instruction itself, padded as a site is */
static const uint8_t swapgs_template[] = { 0x2e, 0x2e, 0x0f, 0x01, 0xf8 };

#define TEXT(name) .text = name##_text, .text_size = sizeof(name##_text)
#define TEMPLATE(name) .template = name##_template, .template_size = sizeof(name##_template)
#define RELOCS(name)                                                                               \
	.relocs = name##_relocs, .reloc_count = sizeof(name##_relocs) / sizeof(name##_relocs[0])

static const struct fixture_slot usual_slots[] = {
	{ .call = PVROM_CPU_CLI,
	  .form = PVROM_FORM_CALL,
	  TEXT(plain),
	  RELOCS(plain),
	  .symbol = "pvrom_text_cli" },
	{ .call = PVROM_CPU_STI, .form = PVROM_FORM_NATIVE },
	{ .call = PVROM_CPU_PAUSE, .form = PVROM_FORM_NOP },
	{ .call = PVROM_CPU_READ_CR0,
	  .form = PVROM_FORM_CALL,
	  .clobbers = PVROM_RAX,
	  TEXT(read_cr0),
	  RELOCS(read_cr0),
	  .symbol = "pvrom_text_read_cr0" },
	{ .call = PVROM_CPU_READ_CR2,
	  .form = PVROM_FORM_INLINE,
	  .clobbers = PVROM_RAX,
	  TEMPLATE(read_cr2) },
	{ .call = PVROM_CPU_READ_CR3,
	  .form = PVROM_FORM_INLINE,
	  .clobbers = PVROM_RAX,
	  TEMPLATE(read_cr3) },
	{ .call = PVROM_CPU_READ_CR8,
	  .form = PVROM_FORM_INLINE,
	  .clobbers = PVROM_RAX,
	  TEMPLATE(read_cr8) },
	{ .call = PVROM_CPU_READ_DR6,
	  .form = PVROM_FORM_INLINE,
	  .clobbers = PVROM_RAX,
	  TEXT(read_dr6),
	  TEMPLATE(read_dr6),
	  RELOCS(read_dr6),
	  .symbol = "pvrom_text_read_dr6" },
	{ .call = PVROM_CPU_IRET,
	  .form = PVROM_FORM_CALL,
	  TEXT(iret),
	  .symbol = "pvrom_text_iret" },
	{ .call = PVROM_CPU_SWAPGS, .form = PVROM_FORM_INLINE, TEMPLATE(swapgs) },
	{ .call = PVROM_CPU_WBINVD,
	  .form = PVROM_FORM_CALL,
	  .flags = PVROM_SLOT_NOPREEMPT,
	  TEXT(plain),
	  RELOCS(plain),
	  .symbol = "pvrom_text_wbinvd" },
	{ .call = PVROM_CPU_STORE_TR,
	  .form = PVROM_FORM_INLINE,
	  .clobbers = PVROM_RAX,
	  TEXT(store_tr),
	  TEMPLATE(store_tr),
	  RELOCS(store_tr),
	  .symbol = "pvrom_text_store_tr" },
	{ .call = PVROM_IRQ_EOI,
	  .form = PVROM_FORM_CALL,
	  TEXT(eoi),
	  RELOCS(eoi),
	  .symbol = "pvrom_text_eoi" },
	{ .call = PVROM_CLOCK_ALARM_CANCEL,
	  .form = PVROM_FORM_CALL,
	  .clobbers = PVROM_RAX,
	  TEXT(alarm),
	  RELOCS(alarm),
	  .symbol = "pvrom_text_alarm" },
};

const struct fixture_rom fixture_usual = {
	.transport = PVROM_TRANSPORT_PORT,
	.transport_port = 0x50,
	.live_port = 0x510,
	.live_key = 0x70767230,
	.slots = usual_slots,
	.slot_count = sizeof(usual_slots) / sizeof(usual_slots[0]),
};

/* ---- building ----------------------------------------------------------------------------------- */

struct pvrom_rom_header *fixture_header(uint8_t *image)
{
	return (struct pvrom_rom_header *)image;
}

struct pvrom_slot *fixture_slot(uint8_t *image, uint32_t call)
{
	struct pvrom_rom_header *h = fixture_header(image);
	struct pvrom_slot *slot = (struct pvrom_slot *)(image + h->slot_offset);

	for (uint32_t i = 0; i < h->slot_count; i++)
		if (slot[i].call == call)
			return &slot[i];
	return NULL;
}

struct pvrom_reloc *fixture_reloc(uint8_t *image, uint32_t index)
{
	return (struct pvrom_reloc *)(image + fixture_header(image)->reloc_offset) + index;
}

/* CRC-32 bit by bit, from the words of the specification. */
static uint32_t crc32_slow(const uint8_t *data, size_t size)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

void fixture_seal(uint8_t *image)
{
	struct pvrom_rom_header *h = fixture_header(image);
	uint8_t sum = 0;

	h->checksum = 0;
	h->option_fixup = 0;
	h->checksum = crc32_slow(image, h->rom_size);
	for (uint32_t i = 0; i < h->rom_size; i++)
		sum = (uint8_t)(sum + image[i]);
	h->option_fixup = (uint8_t)-sum;
}

static uint32_t align_up(uint32_t value, uint32_t align)
{
	return (value + align - 1) / align * align;
}

static void put_header(uint8_t *image, const struct fixture_rom *rom)
{
	struct pvrom_rom_header *h = fixture_header(image);

	h->option_signature = PVROM_ROM_OPTION_SIGNATURE;
	h->option_entry = PVROM_ROM_RETF;
	h->pci_offset = offsetof(struct pvrom_rom_header, pci);
	h->signature = PVROM_ROM_SIGNATURE;
	h->major = PVROM_MAJOR;
	h->minor = PVROM_MINOR;
	h->header_size = sizeof(*h);
	h->slot_size = sizeof(struct pvrom_slot);
	h->slot_count = rom->slot_count;
	h->transport = rom->transport;
	h->transport_port = rom->transport_port;
	h->live_port = rom->live_port;
	h->live_key = rom->live_key;
	memcpy(h->pci, "PCIR", 4);
	h->pci[0x0a] = 0x18;
	h->pci[0x15] = 0x80;
}

/* Where each part begins: tables first, then strings, templates and text. */
static void lay_out(uint8_t *image, const struct fixture_rom *rom)
{
	struct pvrom_rom_header *h = fixture_header(image);

	for (uint32_t i = 0; i < rom->slot_count; i++) {
		h->reloc_count += rom->slots[i].reloc_count;
		h->symbol_count += rom->slots[i].symbol != NULL;
		h->template_size += rom->slots[i].template_size;
		h->text_size += align_up(rom->slots[i].text_size, PVROM_TEXT_ALIGN);
		if (rom->slots[i].symbol)
			h->string_size += (uint32_t)strlen(rom->slots[i].symbol) + 1;
	}
	h->slot_offset = sizeof(*h);
	h->reloc_offset = h->slot_offset + h->slot_count * (uint32_t)sizeof(struct pvrom_slot);
	h->symbol_offset = h->reloc_offset + h->reloc_count * (uint32_t)sizeof(struct pvrom_reloc);
	h->string_offset =
		h->symbol_offset + h->symbol_count * (uint32_t)sizeof(struct pvrom_symbol);
	h->template_offset = h->string_offset + h->string_size;
	h->text_offset = align_up(h->template_offset + h->template_size, PVROM_TEXT_ALIGN);
	h->rom_size = align_up(h->text_offset + h->text_size, PVROM_ROM_BLOCK);
	if (h->rom_size < rom->pad_to)
		h->rom_size = align_up(rom->pad_to, PVROM_ROM_BLOCK);
	if (h->rom_size / PVROM_ROM_BLOCK <= 0xff)
		h->option_blocks = (uint8_t)(h->rom_size / PVROM_ROM_BLOCK);
	h->pci[0x10] = (uint8_t)(h->rom_size / PVROM_ROM_BLOCK);
	h->pci[0x11] = (uint8_t)(h->rom_size / PVROM_ROM_BLOCK >> 8);
}

/* The next free place of each part while slots are put in. */
struct cursor {
	uint32_t slot, reloc, symbol, string, template, text;
};

static void put_relocs(uint8_t *image, struct cursor *at, const struct fixture_slot *from,
		       struct pvrom_slot *slot)
{
	slot->reloc_first = (uint16_t)at->reloc;
	slot->reloc_count = from->reloc_count;
	for (uint32_t i = 0; i < from->reloc_count; i++) {
		struct pvrom_reloc *reloc = fixture_reloc(image, at->reloc++);

		reloc->kind = from->relocs[i].kind;
		reloc->addend = from->relocs[i].addend;
		reloc->offset = from->relocs[i].offset +
				(from->relocs[i].in_template ? slot->template_offset : slot->text);
	}
}

static void put_symbol(uint8_t *image, struct cursor *at, const char *name,
		       const struct pvrom_slot *slot)
{
	struct pvrom_rom_header *h = fixture_header(image);
	struct pvrom_symbol *symbol =
		(struct pvrom_symbol *)(image + h->symbol_offset) + at->symbol++;

	symbol->offset = slot->text;
	symbol->size = slot->text_size;
	symbol->name = at->string;
	strcpy((char *)image + h->string_offset + at->string, name);
	at->string += (uint32_t)strlen(name) + 1;
}

static void put_slot(uint8_t *image, struct cursor *at, const struct fixture_slot *from)
{
	struct pvrom_rom_header *h = fixture_header(image);
	struct pvrom_slot *slot = (struct pvrom_slot *)(image + h->slot_offset) + at->slot++;

	slot->call = from->call;
	slot->form = from->form;
	slot->flags = from->flags;
	slot->clobbers = from->clobbers;
	slot->text_size = from->text_size;
	slot->template_size = from->template_size;
	if (from->text_size) {
		slot->text = h->text_offset + at->text;
		memcpy(image + slot->text, from->text, from->text_size);
		at->text += align_up(from->text_size, PVROM_TEXT_ALIGN);
	}
	if (from->template_size) {
		slot->template_offset = h->template_offset + at->template;
		memcpy(image + slot->template_offset, from->template, from->template_size);
		at->template += from->template_size;
	}
	put_relocs(image, at, from, slot);
	if (from->symbol)
		put_symbol(image, at, from->symbol, slot);
}

size_t fixture_build(uint8_t *image, const struct fixture_rom *rom)
{
	struct cursor at = { 0 };

	memset(image, 0, FIXTURE_MAX);
	put_header(image, rom);
	lay_out(image, rom);
	for (uint32_t i = 0; i < rom->slot_count; i++)
		put_slot(image, &at, &rom->slots[i]);
	fixture_seal(image);
	return fixture_header(image)->rom_size;
}
