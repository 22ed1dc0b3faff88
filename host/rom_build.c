/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Builds the ROM image from the pieces of rom/: first counts, then lays out, then writes. The same
 * configuration gives the same bytes.
 */
#include "host_internal.h"

#include "../digest/digest.h"
#include "rom/rom_layout.h"

/* PCI data structure (PCI Firmware Specification 3.0, 5.1.2), in the form of revision 0. */
struct pci_data {
	uint8_t signature[4];
	uint16_t vendor, device;
	uint16_t reserved;
	uint16_t length;
	uint8_t revision;
	uint8_t class_code[3];
	uint16_t blocks;
	uint16_t code_revision;
	uint8_t code_type;
	uint8_t indicator;
	uint16_t reserved2;
};
PVROM_STATIC_ASSERT(sizeof(struct pci_data) == sizeof(((struct pvrom_rom_header *)0)->pci), "pci");
#define PCI_CODE_PC 0
#define PCI_LAST_IMAGE 0x80
#define PCI_ANY 0xffff

/* The image: where its parts begin, and how far they are filled in. */
struct image {
	const struct pvrom_host *host;
	uint8_t *bytes; /* NULL while counting */
	uint32_t slots, relocs, symbols, strings, templates, texts;
	uint32_t slot_count, reloc_count, symbol_count;
	uint32_t string_size, template_size, text_size;
};

/* ---- which pieces ---------------------------------------------------------------------------- */

static bool has_text(const struct pvrom_rom_piece *piece)
{
	return piece->text != piece->text_end;
}

static bool has_template(const struct pvrom_rom_piece *piece)
{
	return piece->template != piece->template_end;
}

/* The form in which this configuration serves a piece, NATIVE if not at all. */
static uint8_t piece_form(const struct pvrom_host *host, const struct pvrom_rom_piece *piece)
{
	uint32_t slots = host->config.slots;

	if (slots == PVROM_SLOTS_NATIVE)
		return PVROM_FORM_NATIVE;
	if (slots == PVROM_SLOTS_INLINE && has_template(piece))
		return PVROM_FORM_INLINE;
	if (slots == PVROM_SLOTS_CALL && has_text(piece))
		return PVROM_FORM_CALL;
	if (piece->when & PVROM_PIECE_TEST)
		return PVROM_FORM_NATIVE;
	return has_text(piece) ? PVROM_FORM_CALL : PVROM_FORM_INLINE;
}

static bool wanted(const struct pvrom_host *host, const struct pvrom_rom_piece *piece)
{
	bool x2apic = host->config.flags & PVROM_HOST_EOI_X2APIC;

	if (piece->when & (x2apic ? PVROM_PIECE_XAPIC : PVROM_PIECE_X2APIC))
		return false;
#ifdef PVROM_TEST
	if (piece->bug && piece->bug != pvrom_host_bug)
		return false;
#endif
	return (pvrom_host_can(host) & PVROM_FEATURE_BIT(piece->feature)) &&
	       piece_form(host, piece) != PVROM_FORM_NATIVE;
}

/* Has an earlier piece taken the call? */
static bool taken(const struct pvrom_host *host, const struct pvrom_rom_piece *piece)
{
	const struct pvrom_rom_piece *p;

	for (p = pvrom_rom_pieces; p < piece; p++)
		if (p->call == piece->call && wanted(host, p))
			return true;
	return false;
}

/* ---- the parts of one piece ------------------------------------------------------------------ */

static uint32_t text_place(uint32_t size)
{
	return (size + PVROM_TEXT_ALIGN - 1) & ~(uint32_t)(PVROM_TEXT_ALIGN - 1);
}

/* The transport's instruction, in the three bytes of `vmcall`. */
static void write_hypercall(const struct pvrom_host_config *config, uint8_t *to)
{
	if (config->transport == PVROM_TRANSPORT_PORT) {
		to[0] = 0xe7; /* out %eax, $port */
		to[1] = config->transport_port;
		to[2] = 0x90; /* nop */
	} else {
		to[0] = 0x0f;
		to[1] = 0x01;
		to[2] = config->transport == PVROM_TRANSPORT_VMCALL ? 0xc1 : 0xd9;
	}
}

static void copy(struct image *image, uint32_t to, const void *from, uint32_t size)
{
	if (image->bytes)
		__builtin_memcpy(image->bytes + to, from, size);
}

/* One relocation of something that was copied from blob offset `from` to image offset `to`. */
static void add_reloc(struct image *image, struct pvrom_reloc reloc, uint32_t from, uint32_t to)
{
	reloc.offset = reloc.offset - from + to;
	if (reloc.kind == PVROM_RELOC_HYPERCALL) {
		if (image->bytes)
			write_hypercall(&image->host->config, image->bytes + reloc.offset);
		return;
	}
	copy(image, image->relocs + image->reloc_count * (uint32_t)sizeof(reloc), &reloc,
	     sizeof(reloc));
	image->reloc_count++;
}

/* The relocations of a piece that lie in [from, end) of the blob. */
static void add_relocs(struct image *image, const struct pvrom_rom_piece *piece, uint32_t from,
		       uint32_t end, uint32_t to)
{
	uint32_t i;

	for (i = piece->relocs / sizeof(struct pvrom_reloc);
	     i < piece->relocs_end / sizeof(struct pvrom_reloc); i++)
		if (pvrom_rom_relocs[i].offset >= from && pvrom_rom_relocs[i].offset < end)
			add_reloc(image, pvrom_rom_relocs[i], from, to);
}

/* Appends a name with its zero byte and returns where it begins in the strings. */
static uint32_t add_string(struct image *image, const char *name)
{
	const uint32_t at = image->string_size;

	do
		copy(image, image->strings + image->string_size++, name, 1);
	while (*name++);
	return at;
}

static void add_symbol(struct image *image, const struct pvrom_rom_piece *piece, uint32_t text,
		       uint32_t size)
{
	const struct pvrom_symbol symbol = {
		.offset = text,
		.size = size,
		.name = add_string(image, pvrom_host_call_name(piece->call)),
	};

	copy(image, image->symbols + image->symbol_count * (uint32_t)sizeof(symbol), &symbol,
	     sizeof(symbol));
	image->symbol_count++;
}

static void add_text(struct image *image, const struct pvrom_rom_piece *piece,
		     struct pvrom_slot *slot)
{
	const uint32_t size = piece->text_end - piece->text;

	slot->text = image->texts + image->text_size;
	slot->text_size = (uint16_t)size;
	copy(image, slot->text, pvrom_rom_blob + piece->text, size);
	add_relocs(image, piece, piece->text, piece->text_end, slot->text);
	add_symbol(image, piece, slot->text, size);
	image->text_size += text_place(size);
}

static void add_template(struct image *image, const struct pvrom_rom_piece *piece,
			 struct pvrom_slot *slot)
{
	const uint32_t size = piece->template_end - piece->template;

	slot->template_offset = image->templates + image->template_size;
	slot->template_size = (uint16_t)size;
	copy(image, slot->template_offset, pvrom_rom_blob + piece->template, size);
	add_relocs(image, piece, piece->template, piece->template_end, slot->template_offset);
	image->template_size += size;
}

static void add_slot(struct image *image, const struct pvrom_rom_piece *piece)
{
	struct pvrom_slot slot = {
		.call = piece->call,
		.form = piece_form(image->host, piece),
		.flags = piece->when & PVROM_PIECE_X2APIC ? PVROM_SLOT_X2APIC : 0,
		.reloc_first = (uint16_t)image->reloc_count,
		.clobbers = piece->clobbers,
	};

	if (slot.form == PVROM_FORM_CALL)
		add_text(image, piece, &slot);
	else
		add_template(image, piece, &slot);
	slot.reloc_count = (uint16_t)(image->reloc_count - slot.reloc_first);
	if (PVROM_BUG(TEXT_OVERLAP) && slot.text_size)
		slot.text_size = (uint16_t)(slot.text_size + PVROM_TEXT_ALIGN);
	copy(image, image->slots + image->slot_count * (uint32_t)sizeof(slot), &slot, sizeof(slot));
	image->slot_count++;
}

static void add_pieces(struct image *image)
{
	const struct pvrom_rom_piece *piece;

	for (piece = pvrom_rom_pieces; piece < pvrom_rom_pieces_end; piece++)
		if (wanted(image->host, piece) && !taken(image->host, piece))
			add_slot(image, piece);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Parts one after another; returns the size of the image. */
static uint32_t lay_out(struct image *image)
{
	const struct image counted = *image;
	uint32_t end = sizeof(struct pvrom_rom_header);

	image->slots = end;
	end += counted.slot_count * (uint32_t)sizeof(struct pvrom_slot);
	image->relocs = end; /* a slot is a multiple of 8 bytes */
	end += counted.reloc_count * (uint32_t)sizeof(struct pvrom_reloc);
	image->symbols = end;
	end += counted.symbol_count * (uint32_t)sizeof(struct pvrom_symbol);
	image->strings = end;
	end += counted.string_size;
	image->templates = end;
	end += counted.template_size;
	image->texts = text_place(end);
	end = image->texts + counted.text_size;
	image->slot_count = image->reloc_count = image->symbol_count = 0;
	image->string_size = image->template_size = image->text_size = 0;
	return (end + PVROM_ROM_BLOCK - 1) / PVROM_ROM_BLOCK * PVROM_ROM_BLOCK;
}

static struct pci_data pci_data(uint32_t blocks)
{
	return (struct pci_data){
		.signature = { 'P', 'C', 'I', 'R' },
		.vendor = PCI_ANY,
		.device = PCI_ANY,
		.length = sizeof(struct pci_data),
		.class_code = { 0, 0, 0xff },
		.blocks = (uint16_t)blocks,
		.code_type = PCI_CODE_PC,
		.indicator = PCI_LAST_IMAGE,
	};
}

static struct pvrom_rom_header header(const struct image *image, uint32_t size)
{
	const struct pvrom_host_config *config = &image->host->config;
	const uint32_t blocks = size / PVROM_ROM_BLOCK;
	const struct pci_data pci = pci_data(blocks);
	struct pvrom_rom_header h = {
		.option_signature = PVROM_ROM_OPTION_SIGNATURE,
		.option_blocks = (uint8_t)(blocks <= 255 ? blocks : 0),
		.option_entry = PVROM_ROM_RETF,
		.pci_offset = __builtin_offsetof(struct pvrom_rom_header, pci),
		.signature = PVROM_ROM_SIGNATURE,
		.major = PVROM_MAJOR,
		.minor = PVROM_MINOR,
		.header_size = sizeof(h),
		.rom_size = size,
		.slot_offset = image->slots,
		.slot_count = (uint16_t)image->slot_count,
		.slot_size = sizeof(struct pvrom_slot),
		.reloc_offset = image->relocs,
		.reloc_count = image->reloc_count,
		.symbol_offset = image->symbols,
		.symbol_count = image->symbol_count,
		.string_offset = image->strings,
		.string_size = image->string_size,
		.template_offset = image->templates,
		.template_size = image->template_size,
		.text_offset = image->texts,
		.text_size = image->text_size,
		.transport = config->transport,
		.transport_port = config->transport_port,
		.live_port = config->live_port,
		.live_key = config->live_port ? config->live_key : 0,
	};

	__builtin_memcpy(h.pci, &pci, sizeof(pci));
	return h;
}

/* The two sums, which count each other as the header says. */
static uint32_t write_sums(uint8_t *bytes, uint32_t size)
{
	struct pvrom_rom_header h;
	uint8_t sum = 0;
	uint32_t i;

	__builtin_memcpy(&h, bytes, sizeof(h));
	h.checksum = pvrom_rom_checksum(bytes, size);
	__builtin_memcpy(bytes, &h, sizeof(h));
	for (i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	h.option_fixup = (uint8_t)-sum;
	__builtin_memcpy(bytes, &h, sizeof(h));
	return h.checksum;
}

static void write_image(struct image *image, uint8_t *bytes, uint32_t size)
{
	struct pvrom_rom_header h;

	__builtin_memset(bytes, 0, size);
	image->bytes = bytes;
	/* What lies between texts is never executed, and if it is, it stops. */
	__builtin_memset(bytes + image->texts, 0xcc, size - image->texts);
	add_pieces(image);
	h = header(image, size);
	__builtin_memcpy(bytes, &h, sizeof(h));
}

enum pvrom_host_result pvrom_host_build_rom(struct pvrom_host *host, void *buffer, size_t room,
					    size_t *size)
{
	struct image image = { .host = host };

	add_pieces(&image);
	*size = lay_out(&image);
	if (!buffer || room < *size)
		return PVROM_HOST_NO_ROOM;
	write_image(&image, buffer, (uint32_t)*size);
	host->rom_size = (uint32_t)*size;
	host->rom_checksum = write_sums(buffer, host->rom_size);
	pvrom_sha256(buffer, *size, host->rom_digest);
	return PVROM_HOST_OK;
}
