/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Checks a ROM image, all of it, in private memory: what passes here may be relocated and patched from.
 *
 * Nothing is taken from an image before it has been checked, and images may lie at any address, so
 * structures are copied out before they are looked at.
 */
#include "guest_internal.h"

/* Eight groups of at most 256 calls, and no two slots name one call: this also bounds the work. */
#define SLOTS_MAX 2048

void pvrom_copy_bytes(void *to, const void *from, size_t size)
{
	uint8_t *t = (uint8_t *)to;
	const uint8_t *f = (const uint8_t *)from;

	while (size--)
		*t++ = *f++;
}

void pvrom_read_header(const uint8_t *rom, struct pvrom_rom_header *header)
{
	pvrom_copy_bytes(header, rom, sizeof(*header));
}

void pvrom_read_slot(const uint8_t *rom, const struct pvrom_rom_header *header, uint32_t index,
		     struct pvrom_slot *slot)
{
	__builtin_memcpy(slot, rom + header->slot_offset + (size_t)index * header->slot_size,
			 sizeof(*slot));
}

void pvrom_read_reloc(const uint8_t *rom, const struct pvrom_rom_header *header, uint32_t index,
		      struct pvrom_reloc *reloc)
{
	__builtin_memcpy(reloc, rom + header->reloc_offset + (size_t)index * sizeof(*reloc),
			 sizeof(*reloc));
}

bool pvrom_size_is_valid(uint64_t size)
{
	return size >= PVROM_ROM_SIZE_MIN && size <= PVROM_ROM_SIZE_MAX &&
	       size % PVROM_ROM_BLOCK == 0;
}

bool pvrom_transport_is_valid(uint32_t transport, uint32_t port)
{
	if (transport == PVROM_TRANSPORT_PORT)
		return port <= 0xff;
	return transport < PVROM_TRANSPORT_COUNT && port == 0;
}

static uint16_t word_at(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

/* PCI Firmware Specification 3.0, 5.1.2: "PCIR", and at 0x10 the length in blocks of 512 bytes. */
static bool pci_is_valid(const struct pvrom_rom_header *h)
{
	return h->pci_offset == offsetof(struct pvrom_rom_header, pci) && h->pci[0] == 'P' &&
	       h->pci[1] == 'C' && h->pci[2] == 'I' && h->pci[3] == 'R' &&
	       word_at(h->pci + 0x10) == h->rom_size / PVROM_ROM_BLOCK;
}

static bool reserved_is_zero(const struct pvrom_rom_header *h)
{
	uint32_t i, any = 0;

	for (i = 0; i < sizeof(h->reserved0); i++)
		any |= h->reserved0[i];
	for (i = 0; i < sizeof(h->reserved1); i++)
		any |= h->reserved1[i];
	return !(any | h->reserved2 | h->reserved3 | (h->reserved4 != 0) | (h->reserved5 != 0));
}

/* Sizes of structures are exact for versions that this shim knows; later ones may only be larger. */
static bool sizes_are_valid(const struct pvrom_rom_header *h)
{
	if (h->minor <= PVROM_MINOR)
		return h->header_size == sizeof(*h) && h->slot_size == sizeof(struct pvrom_slot);
	return h->header_size >= sizeof(*h) && h->header_size <= h->rom_size &&
	       h->slot_size >= sizeof(struct pvrom_slot) && h->slot_size % 8 == 0;
}

static bool option_is_valid(const struct pvrom_rom_header *h)
{
	uint32_t blocks = h->rom_size / PVROM_ROM_BLOCK;

	return h->option_blocks == (blocks <= 0xff ? blocks : 0) &&
	       h->option_entry == PVROM_ROM_RETF;
}

static PVROM_APART bool header_is_valid(const struct pvrom_rom_header *h)
{
	return sizes_are_valid(h) && option_is_valid(h) && pci_is_valid(h) && reserved_is_zero(h) &&
	       h->slot_count <= SLOTS_MAX &&
	       pvrom_transport_is_valid(h->transport, h->transport_port);
}

/* The sum of all bytes is what firmware checks, and the CRC what tells one ROM from another. */
static bool sums_are_right(const uint8_t *rom, const struct pvrom_rom_header *h)
{
	uint32_t i, sum = 0;

	for (i = 0; i < h->rom_size; i++)
		sum += rom[i];
	return (sum & 0xff) == 0 && pvrom_rom_checksum(rom, h->rom_size) == h->checksum;
}

static bool range_is_inside(uint64_t offset, uint64_t size, uint64_t begin, uint64_t length)
{
	return offset >= begin && offset + size <= begin + length;
}

static bool ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* A part of the image: where the header says where it is, and what is wrong if it is not inside the
 * image or overlaps a part before it in the list. */
struct part {
	uint8_t offset_field;
	uint8_t size_field; /* 32 bits: bytes, or the number of entries */
	uint8_t entry;	    /* bytes of an entry */
	uint8_t align;
	uint8_t verdict;
};

/* In this order, so that what the text overlaps is said of the text, and then of the slots. */
#define FIELD_(name) offsetof(struct pvrom_rom_header, name)
static const struct part parts[] = {
	/* The header itself: its offset is a reserved field, which is 0. */
	{ FIELD_(reserved3), FIELD_(header_size), 1, 1, PVROM_VERDICT_BAD_HEADER },
	{ FIELD_(string_offset), FIELD_(string_size), 1, 1, PVROM_VERDICT_BAD_HEADER },
	{ FIELD_(symbol_offset), FIELD_(symbol_count), sizeof(struct pvrom_symbol), 4,
	  PVROM_VERDICT_BAD_HEADER },
	{ FIELD_(template_offset), FIELD_(template_size), 1, 1, PVROM_VERDICT_BAD_HEADER },
	{ FIELD_(reloc_offset), FIELD_(reloc_count), sizeof(struct pvrom_reloc), 8,
	  PVROM_VERDICT_BAD_RELOCATION },
	{ FIELD_(slot_offset), FIELD_(slot_count), 0, 8, PVROM_VERDICT_BAD_SLOTS },
	{ FIELD_(text_offset), FIELD_(text_size), 1, PVROM_TEXT_ALIGN, PVROM_VERDICT_BAD_TEXT },
};

static uint32_t field_at(const struct pvrom_rom_header *h, uint32_t at)
{
	uint32_t value;

	__builtin_memcpy(&value, (const uint8_t *)h + at, sizeof(value));
	return value;
}

/* The number of slots has 16 bits, and their size is in the header. */
static uint64_t part_size(const struct pvrom_rom_header *h, const struct part *part)
{
	if (!part->entry)
		return (uint64_t)h->slot_count * h->slot_size;
	return (uint64_t)field_at(h, part->size_field) * part->entry;
}

static bool part_is_valid(const struct pvrom_rom_header *h, const struct part *part)
{
	uint64_t offset = field_at(h, part->offset_field), size = part_size(h, part);
	const struct part *other;

	if (!size)
		return true;
	if (offset % part->align || !range_is_inside(offset, size, 0, h->rom_size))
		return false;
	for (other = parts; other < part; other++)
		if (ranges_overlap(offset, size, field_at(h, other->offset_field),
				   part_size(h, other)))
			return false;
	return true;
}

static uint32_t check_parts(const struct pvrom_rom_header *h)
{
	uint32_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!part_is_valid(h, &parts[i]))
			return parts[i].verdict;
	return PVROM_VERDICT_READY;
}

/* A hypercall alone may change its argument registers, where no native form says less. */
static uint32_t registers_allowed(const struct pvrom_call_info *info)
{
	if (info->native == PVROM_NATIVE_NOTHING)
		return PVROM_RAX | PVROM_RDX | PVROM_RSI | PVROM_RDI | PVROM_R8 | PVROM_R9;
	return info->regs;
}

static bool form_is_valid(const struct pvrom_slot *slot, const struct pvrom_call_info *info)
{
	bool jump = info->flags & PVROM_CALL_JUMP;
	bool callable = slot->text_size && (jump || !(info->flags & PVROM_CALL_NOCALL));

	switch (slot->form) {
	case PVROM_FORM_NATIVE: return true;
	case PVROM_FORM_NOP: /* only where nothing is expected back */
		return !jump && !(info->flags & PVROM_CALL_VALUE) &&
		       (info->native == PVROM_NATIVE_INSN || info->flags & PVROM_CALL_VOID);
	case PVROM_FORM_INLINE:
		return slot->template_size && (callable || slot->template_size <= PVROM_SITE_MIN);
	case PVROM_FORM_CALL: return callable;
	}
	return false;
}

static bool slot_is_valid(const struct pvrom_rom_header *h, const struct pvrom_slot *slot,
			  const struct pvrom_call_info *info)
{
	if (slot->reserved || slot->flags & ~(PVROM_SLOT_NOPREEMPT | PVROM_SLOT_X2APIC))
		return false;
	if (slot->clobbers & ~registers_allowed(info) || !form_is_valid(slot, info))
		return false;
	if (!slot->template_size)
		return !slot->template_offset;
	return slot->template_size <= PVROM_SITE_MAX &&
	       range_is_inside(slot->template_offset, slot->template_size, h->template_offset,
			       h->template_size);
}

/* Text is in the text, aligned, and begins with endbr64. */
static bool text_is_valid(const uint8_t *rom, const struct pvrom_rom_header *h,
			  const struct pvrom_slot *slot)
{
	const uint8_t *p = rom + slot->text;

	if (!slot->text_size)
		return !slot->text;
	return slot->text % PVROM_TEXT_ALIGN == 0 && slot->text_size >= 4 &&
	       range_is_inside(slot->text, slot->text_size, h->text_offset, h->text_size) &&
	       p[0] == 0xf3 && p[1] == 0x0f && p[2] == 0x1e && p[3] == 0xfa;
}

/* `ret; int3; int3; int3; int3` */
static bool is_return(const uint8_t *p)
{
	return p[0] == 0xc3 && p[1] == 0xcc && p[2] == 0xcc && p[3] == 0xcc && p[4] == 0xcc;
}

/* ModRM with mod 00 and rm 100, and SIB 25; disp32 follows. */
static bool is_address(const uint8_t *p)
{
	return (p[0] & 0xc7) == 0x04 && p[1] == 0x25;
}

/* How many bytes a relocation changes; 0 if the bytes there are not what its kind says. */
static uint32_t reloc_span(const uint8_t *rom, const struct pvrom_reloc *reloc, uint32_t room)
{
	const uint8_t *p = rom + reloc->offset;

	if (reloc->kind == PVROM_RELOC_ADDRESS)
		return room >= 6 && is_address(p) && reloc->addend < PVROM_VCPU_AREA_SIZE ? 6 : 0;
	if (reloc->addend)
		return 0;
	if (reloc->kind == PVROM_RELOC_SEGMENT)
		return p[0] == 0x65;
	return reloc->kind == PVROM_RELOC_RETURN && room >= 5 && is_return(p) ? 5 : 0;
}

/* Inside the text or the template of its slot; a template does not return. 0 if not, else the span. */
static uint32_t check_reloc(const uint8_t *rom, const struct pvrom_slot *slot,
			    const struct pvrom_reloc *reloc)
{
	uint32_t in_text = reloc->offset - slot->text;
	uint32_t in_template = reloc->offset - slot->template_offset;

	if (reloc->reserved)
		return 0;
	if (slot->text_size && in_text < slot->text_size)
		return reloc_span(rom, reloc, slot->text_size - in_text);
	if (slot->template_size && in_template < slot->template_size &&
	    reloc->kind != PVROM_RELOC_RETURN)
		return reloc_span(rom, reloc, slot->template_size - in_template);
	return 0;
}

/* All of a slot's relocations are right, and in ascending order in its text and in its template: so
 * none overlaps another, and no number of them makes the check dear. */
static PVROM_APART bool relocs_are_valid(const uint8_t *rom, const struct pvrom_rom_header *h,
					 const struct pvrom_slot *slot)
{
	uint32_t i, end = (uint32_t)slot->reloc_first + slot->reloc_count;
	struct pvrom_reloc reloc;
	uint32_t span, *from, free_from[2] = { 0, 0 }; /* template, text */

	if (slot->reloc_count && end > h->reloc_count)
		return false;
	for (i = slot->reloc_first; i < end; i++) {
		pvrom_read_reloc(rom, h, i, &reloc);
		span = check_reloc(rom, slot, &reloc);
		from = &free_from[reloc.offset - slot->text < slot->text_size];
		if (!span || reloc.offset < *from)
			return false;
		*from = reloc.offset + span;
	}
	return true;
}

/* A slot against those before it: no second one for its call, no text of two slots overlaps. */
static uint32_t check_neighbours(const uint8_t *rom, const struct pvrom_rom_header *h, uint32_t at,
				 const struct pvrom_slot *slot)
{
	struct pvrom_slot other;
	uint32_t i;

	for (i = 0; i < at; i++) {
		pvrom_read_slot(rom, h, i, &other);
		if (other.call == slot->call)
			return PVROM_VERDICT_BAD_SLOTS;
		if (ranges_overlap(slot->text, slot->text_size, other.text, other.text_size))
			return PVROM_VERDICT_BAD_TEXT;
	}
	return PVROM_VERDICT_READY;
}

/* Calls that a later minor version added are not looked at, for nothing is patched from them. */
static uint32_t check_slot(const uint8_t *rom, const struct pvrom_rom_header *h, uint32_t at)
{
	const struct pvrom_call_info *info;
	struct pvrom_slot slot;

	pvrom_read_slot(rom, h, at, &slot);
	info = pvrom_call_info(slot.call);
	if (!info && h->minor > PVROM_MINOR)
		return PVROM_VERDICT_READY;
	if (!info || !slot_is_valid(h, &slot, info))
		return PVROM_VERDICT_BAD_SLOTS;
	if (!text_is_valid(rom, h, &slot))
		return PVROM_VERDICT_BAD_TEXT;
	if (!relocs_are_valid(rom, h, &slot))
		return PVROM_VERDICT_BAD_RELOCATION;
	return check_neighbours(rom, h, at, &slot);
}

/* Symbols lie in the text, and their names are strings that end. */
static bool symbols_are_valid(const uint8_t *rom, const struct pvrom_rom_header *h)
{
	struct pvrom_symbol symbol;
	uint32_t i;

	if (h->string_size && rom[h->string_offset + h->string_size - 1])
		return false;
	for (i = 0; i < h->symbol_count; i++) {
		__builtin_memcpy(&symbol, rom + h->symbol_offset + (size_t)i * sizeof(symbol),
				 sizeof(symbol));
		if (symbol.name >= h->string_size ||
		    !range_is_inside(symbol.offset, symbol.size, h->text_offset, h->text_size))
			return false;
	}
	return true;
}

static PVROM_APART uint32_t check_contents(const uint8_t *rom, const struct pvrom_rom_header *h)
{
	uint32_t i, verdict = check_parts(h);

	for (i = 0; i < h->slot_count && verdict == PVROM_VERDICT_READY; i++)
		verdict = check_slot(rom, h, i);
	if (verdict == PVROM_VERDICT_READY && !symbols_are_valid(rom, h))
		verdict = PVROM_VERDICT_BAD_HEADER;
	return verdict;
}

/* What is wrong is named in this order: the first thing that does not let one look further. */
uint32_t pvrom_check_image(const uint8_t *rom, size_t size)
{
	struct pvrom_rom_header h;

	if (size < PVROM_ROM_SIZE_MIN)
		return PVROM_VERDICT_TRUNCATED;
	pvrom_read_header(rom, &h);
	if (h.option_signature != PVROM_ROM_OPTION_SIGNATURE || h.signature != PVROM_ROM_SIGNATURE)
		return PVROM_VERDICT_BAD_SIGNATURE;
	if (h.major != PVROM_MAJOR)
		return PVROM_VERDICT_WRONG_MAJOR;
	if (!pvrom_size_is_valid(h.rom_size))
		return PVROM_VERDICT_BAD_HEADER;
	if (h.rom_size > size)
		return PVROM_VERDICT_TRUNCATED;
	if (!sums_are_right(rom, &h))
		return PVROM_VERDICT_BAD_CHECKSUM;
	if (!header_is_valid(&h))
		return PVROM_VERDICT_BAD_HEADER;
	return check_contents(rom, &h);
}

PVROM_COLD uint32_t pvrom_rom_check(const void *rom, size_t size)
{
	return pvrom_check_image((const uint8_t *)rom, size);
}
