/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* ELF files: checking them, their segments, and the PVH entry note. */
#include "load_kernel.h"

#include <elf.h>
#include <string.h>

#define PVH_NOTE_TYPE 18u /* XEN_ELFNOTE_PHYS32_ENTRY in Xen's public/elfnote.h */

static bool inside(const struct file_image *file, uint64_t offset, uint64_t size)
{
	return offset <= file->size && size <= file->size - offset;
}

/* True if the file begins as ELF does; elf_check() says whether it is whole. */
bool elf_is(const struct file_image *file)
{
	return file->size >= SELFMAG && memcmp(file->data, ELFMAG, SELFMAG) == 0;
}

/* What a loader wants of a file header, of either class. */
struct elf_file {
	const struct file_image *image;
	bool is_64;
	uint64_t entry;
	uint64_t table; /* offset of the program headers */
	unsigned int count;
};

struct segment {
	uint32_t type;
	uint64_t offset, paddr, file_size, memory_size;
};

static _Noreturn void refuse(const struct file_image *file, const char *why)
{
	fail(EXIT_NOT_A_KERNEL, "%s is %s", file->path, why);
}

static struct elf_file read_64(const struct file_image *file)
{
	Elf64_Ehdr h;

	if (file->size < sizeof(h))
		refuse(file, "a truncated ELF file");
	memcpy(&h, file->data, sizeof(h));
	if (h.e_machine != EM_X86_64)
		refuse(file, "an ELF file for another machine than x86-64");
	if (h.e_type != ET_EXEC)
		refuse(file, "an ELF file but not a linked kernel (its type is not EXEC)");
	return (struct elf_file){ file, true, h.e_entry, h.e_phoff,
				  h.e_phentsize == sizeof(Elf64_Phdr) ? h.e_phnum : 0 };
}

static struct elf_file read_32(const struct file_image *file)
{
	Elf32_Ehdr h;

	if (file->size < sizeof(h))
		refuse(file, "a truncated ELF file");
	memcpy(&h, file->data, sizeof(h));
	if (h.e_machine != EM_386)
		refuse(file, "an ELF file for another machine than x86");
	if (h.e_type != ET_EXEC)
		refuse(file, "an ELF file but not a linked kernel (its type is not EXEC)");
	return (struct elf_file){ file, false, h.e_entry, h.e_phoff,
				  h.e_phentsize == sizeof(Elf32_Phdr) ? h.e_phnum : 0 };
}

/* The file header, or the end of pvrun with the reason. */
static struct elf_file elf_check(const struct file_image *file)
{
	struct elf_file elf;

	if (file->size < EI_NIDENT)
		refuse(file, "a truncated ELF file");
	if (file->data[EI_DATA] != ELFDATA2LSB)
		refuse(file, "an ELF file for another machine than x86-64");
	elf = file->data[EI_CLASS] == ELFCLASS64 ? read_64(file) : read_32(file);
	if (elf.count == 0 ||
	    !inside(file, elf.table,
		    elf.count * (elf.is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr))))
		refuse(file, "a truncated ELF file: no program headers");
	return elf;
}

static struct segment read_segment(const struct elf_file *elf, unsigned int i)
{
	Elf64_Phdr p64;
	Elf32_Phdr p32;

	if (elf->is_64) {
		memcpy(&p64, elf->image->data + elf->table + i * sizeof(p64), sizeof(p64));
		return (struct segment){ p64.p_type, p64.p_offset, p64.p_paddr, p64.p_filesz,
					 p64.p_memsz };
	}
	memcpy(&p32, elf->image->data + elf->table + i * sizeof(p32), sizeof(p32));
	return (struct segment){ p32.p_type, p32.p_offset, p32.p_paddr, p32.p_filesz, p32.p_memsz };
}

static struct segment checked_segment(const struct elf_file *elf, unsigned int i)
{
	struct segment segment = read_segment(elf, i);

	if ((segment.type == PT_LOAD || segment.type == PT_NOTE) &&
	    !inside(elf->image, segment.offset, segment.file_size))
		fail(EXIT_NOT_A_KERNEL, "%s is a truncated ELF file: segment %u ends beyond it",
		     elf->image->path, i);
	if (segment.type == PT_LOAD && segment.file_size > segment.memory_size)
		fail(EXIT_NOT_A_KERNEL,
		     "%s is damaged: a segment is larger in the file than in memory",
		     elf->image->path);
	return segment;
}

/*
 * Loads the segments at their physical addresses; what the file does not fill is
 * zero, as all guest memory is at the start. Returns the first address after
 * the kernel and puts its entry point into *entry.
 */
uint64_t elf_load(struct vm *vm, const struct file_image *file, uint64_t *entry)
{
	struct elf_file elf = elf_check(file);
	uint64_t end = HIGH_START;

	for (unsigned int i = 0; i < elf.count; i++) {
		struct segment s = checked_segment(&elf, i);

		if (s.type != PT_LOAD || s.memory_size == 0)
			continue;
		memcpy(memory_for(vm, s.paddr, s.memory_size, file->path), file->data + s.offset,
		       s.file_size);
		if (s.paddr + s.memory_size > end)
			end = s.paddr + s.memory_size;
	}
	*entry = elf.entry;
	return end;
}

static uint64_t note_padded(uint32_t size)
{
	return ((uint64_t)size + 3) & ~3ull;
}

/* Looks for the note in one PT_NOTE segment; an entry address of 4 or of 8 bytes is valid. */
static bool find_note(const uint8_t *notes, uint64_t size, uint32_t *entry)
{
	uint64_t at = 0;

	while (size - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;
		uint64_t name = at + sizeof(note), desc, next;

		memcpy(&note, notes + at, sizeof(note));
		desc = name + note_padded(note.n_namesz);
		next = desc + note_padded(note.n_descsz);
		if (next > size)
			return false;
		if (note.n_type == PVH_NOTE_TYPE && note.n_namesz == 4 && note.n_descsz >= 4 &&
		    memcmp(notes + name, "Xen", 4) == 0) {
			memcpy(entry, notes + desc, sizeof(*entry));
			return true;
		}
		at = next;
	}
	return false;
}

/* True if the ELF file has a PVH entry, which goes to *entry. */
bool elf_pvh_entry(const struct file_image *file, uint32_t *entry)
{
	struct elf_file elf = elf_check(file);

	for (unsigned int i = 0; i < elf.count; i++) {
		struct segment s = checked_segment(&elf, i);

		if (s.type == PT_NOTE && find_note(file->data + s.offset, s.file_size, entry))
			return true;
	}
	return false;
}
