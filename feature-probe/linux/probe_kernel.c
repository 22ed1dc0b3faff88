/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What a kernel file says that it wants: the ELF note of <pvrom/note.h>, found by its program or section headers. */
#include "probe_linux.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

struct file {
	const char *data;
	size_t size;
};

static bool has(const struct file *file, uint64_t offset, uint64_t size)
{
	return offset <= file->size && size <= file->size - offset;
}

static uint64_t up(uint64_t value, uint64_t align)
{
	return (value + align - 1) / align * align;
}

/* Names and descriptors are padded to 4, as those who make notes do. */
static bool find_in_notes(const struct file *file, uint64_t at, uint64_t end,
			  struct pvrom_note *found)
{
	Elf64_Nhdr head;

	for (; has(file, at, sizeof(head)) && at + sizeof(head) <= end;) {
		uint64_t name = at + sizeof(head), desc;

		memcpy(&head, file->data + at, sizeof(head));
		desc = name + up(head.n_namesz, 4);
		if (!has(file, name, head.n_namesz) || !has(file, desc, head.n_descsz))
			return false;
		if (head.n_type == PVROM_NOTE_TYPE && head.n_namesz == sizeof(PVROM_NOTE_OWNER) &&
		    memcmp(file->data + name, PVROM_NOTE_OWNER, head.n_namesz) == 0) {
			/* The owner has six bytes with its end, and the descriptor begins behind eight. */
			if (head.n_descsz < sizeof(*found))
				return false;
			memcpy(found, file->data + desc, sizeof(*found));
			return true;
		}
		at = desc + up(head.n_descsz, 4);
	}
	return false;
}

static bool find_by_segments(const struct file *file, const Elf64_Ehdr *elf,
			     struct pvrom_note *found)
{
	Elf64_Phdr p;

	for (uint64_t i = 0; i < elf->e_phnum; i++) {
		uint64_t at = elf->e_phoff + i * sizeof(p);

		if (!has(file, at, sizeof(p)))
			return false;
		memcpy(&p, file->data + at, sizeof(p));
		if (p.p_type == PT_NOTE && has(file, p.p_offset, p.p_filesz) &&
		    find_in_notes(file, p.p_offset, p.p_offset + p.p_filesz, found))
			return true;
	}
	return false;
}

static bool find_by_sections(const struct file *file, const Elf64_Ehdr *elf,
			     struct pvrom_note *found)
{
	Elf64_Shdr s;

	for (uint64_t i = 0; i < elf->e_shnum; i++) {
		uint64_t at = elf->e_shoff + i * sizeof(s);

		if (!has(file, at, sizeof(s)))
			return false;
		memcpy(&s, file->data + at, sizeof(s));
		if (s.sh_type == SHT_NOTE && has(file, s.sh_offset, s.sh_size) &&
		    find_in_notes(file, s.sh_offset, s.sh_offset + s.sh_size, found))
			return true;
	}
	return false;
}

void gather_kernel(struct pvrom_probe_evidence *evidence, const char *path)
{
	struct pvrom_note note;
	struct file file;
	Elf64_Ehdr elf;
	char *data = file_take(path, &file.size);

	file.data = data;
	if (file.size < sizeof(elf) || memcmp(data, ELFMAG, SELFMAG) != 0 ||
	    data[EI_CLASS] != ELFCLASS64)
		fail(EXIT_USAGE, "%s is not a 64-bit ELF file", path);
	memcpy(&elf, data, sizeof(elf));
	if ((elf.e_phentsize != sizeof(Elf64_Phdr) || !find_by_segments(&file, &elf, &note)) &&
	    (elf.e_shentsize != sizeof(Elf64_Shdr) || !find_by_sections(&file, &elf, &note)))
		fail(EXIT_USAGE, "%s has no note of pvrom: it runs native everywhere", path);
	evidence->has_wants = true;
	evidence->wanted = note.wanted;
	evidence->required = note.required;
	pvrom_probe_add_fact(evidence, "wants", path);
	free(data);
}
