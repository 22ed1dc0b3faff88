/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's kernel: a 64-bit ELF file with a PVH note, as the boot loader left it, put into guest
 * memory; and the start info it is to find (Xen's public/arch-x86/hvm/start_info.h).
 */
#include "hv.h"

#define START_INFO 0x1000u /* where it goes; memory map and command line follow in the same page */
#define START_INFO_MAGIC 0x336ec578u
#define NOTE_PVH_ENTRY 18u
#define NOTE_XEN 0x006e6558u /* "Xen" */
#define LOW_END 0xa0000ull   /* RAM of a PC ends here and goes on ... */
#define HIGH_START 0x100000ull
#define MAP_RAM 1u
#define MAP_RESERVED 2u
#define LOADED 1u /* kinds of program headers */
#define NOTES 4u

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, headers, sections;
	uint32_t flags;
	uint16_t size, header_size, header_count;
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, virtual, physical, file_size, memory_size, align;
};

struct start_info {
	uint32_t magic, version, flags, modules;
	uint64_t module_list, command_line, rsdp, map;
	uint32_t map_entries, reserved;
};

struct map_entry {
	uint64_t start, size;
	uint32_t type, reserved;
};

static bool inside(const struct hv_module *file, uint64_t offset, uint64_t size)
{
	return offset <= file->size && size <= file->size - offset;
}

/* Notes are words: sizes of name and descriptor, type, name, descriptor. Here the name is one word
 * too. */
static bool find_entry(const struct hv_module *file, uint64_t at, uint64_t size, uint32_t *entry)
{
	uint32_t note[5];

	for (uint64_t end = at + size; end - at >= sizeof(note); at += 4) {
		memcpy(note, file->start + at, sizeof(note));
		*entry = note[4];
		if (note[0] == 4 && note[2] == NOTE_PVH_ENTRY && note[3] == NOTE_XEN)
			return true;
	}
	return false;
}

static bool load_segment(const struct hv_module *file, const struct elf_segment *segment)
{
	uint64_t at = segment->physical, size = segment->memory_size;

	if (at < HIGH_START || at > hv.memory_size || size > hv.memory_size - at ||
	    segment->file_size > size)
		return false;
	memcpy(hv.memory + at, file->start + segment->offset, segment->file_size);
	memset(hv.memory + at + segment->file_size, 0, size - segment->file_size);
	return true;
}

static bool read_segments(const struct hv_module *file, const struct elf_header *header,
			  uint32_t *entry)
{
	struct elf_segment segment;
	bool found = false;

	for (uint64_t i = 0; i < header->header_count; i++) {
		uint64_t at = header->headers + i * sizeof(segment);

		if (header->headers > file->size || !inside(file, at, sizeof(segment)))
			return false;
		memcpy(&segment, file->start + at, sizeof(segment));
		if (!inside(file, segment.offset, segment.file_size) ||
		    (segment.type == LOADED && !load_segment(file, &segment)))
			return false;
		if (segment.type == NOTES && !found)
			found = find_entry(file, segment.offset, segment.file_size, entry);
	}
	return found;
}

static uint32_t put_start_info(void)
{
	const struct map_entry map[] = {
		{ 0, LOW_END, MAP_RAM, 0 },
		{ LOW_END, HIGH_START - LOW_END, MAP_RESERVED, 0 },
		{ HIGH_START, hv.memory_size - HIGH_START, MAP_RAM, 0 },
		{ hv.rom_gpa, ROM_ROOM, MAP_RESERVED, 0 },
	};
	struct start_info info = {
		.magic = START_INFO_MAGIC,
		.version = 1,
		.map = START_INFO + sizeof(info),
		.map_entries = ARRAY_SIZE(map),
		.command_line = START_INFO + sizeof(info) + sizeof(map),
	};
	size_t room = PAGE - sizeof(info) - sizeof(map) - 1, length = 0;

	memcpy(hv.memory + START_INFO, &info, sizeof(info));
	memcpy(hv.memory + info.map, map, sizeof(map));
	while (length < room && hv.options.guest[length])
		length++;
	memcpy(hv.memory + info.command_line, hv.options.guest, length);
	hv.memory[info.command_line + length] = 0;
	return START_INFO;
}

/* False if the module is no kernel that this hypervisor can start. Other memory is as it was. */
bool hv_load(const struct hv_module *module, uint32_t *entry, uint32_t *info)
{
	struct elf_header header;

	if (!inside(module, 0, sizeof(header)))
		return false;
	memcpy(&header, module->start, sizeof(header));
	if (memcmp(header.ident, "\177ELF\2\1", 6) ||
	    header.header_size != sizeof(struct elf_segment))
		return false;
	*info = put_start_info();
	return read_segments(module, &header, entry);
}
