/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* ELF files: checking them, their segments, and the PVH entry note. */
#include "monitor.h"

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

/* The 64-bit file header, or the end of pvrun with the reason. */
static Elf64_Ehdr elf_check(const struct file_image *file)
{
	Elf64_Ehdr header;

	if (file->size < sizeof(header))
		fail(EXIT_NOT_A_KERNEL, "%s is a truncated ELF file", file->path);
	memcpy(&header, file->data, sizeof(header));
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != EM_X86_64)
		fail(EXIT_NOT_A_KERNEL, "%s is an ELF file for another machine than x86-64",
		     file->path);
	if (header.e_type != ET_EXEC)
		fail(EXIT_NOT_A_KERNEL,
		     "%s is an ELF file but not a linked kernel (its type is not "
		     "EXEC)",
		     file->path);
	if (header.e_phentsize != sizeof(Elf64_Phdr) ||
	    !inside(file, header.e_phoff, (uint64_t)header.e_phnum * sizeof(Elf64_Phdr)))
		fail(EXIT_NOT_A_KERNEL, "%s is a truncated ELF file: no program headers",
		     file->path);
	return header;
}

static Elf64_Phdr segment(const struct file_image *file, const Elf64_Ehdr *header, unsigned int i)
{
	Elf64_Phdr phdr;

	memcpy(&phdr, file->data + header->e_phoff + i * sizeof(phdr), sizeof(phdr));
	if ((phdr.p_type == PT_LOAD || phdr.p_type == PT_NOTE) &&
	    !inside(file, phdr.p_offset, phdr.p_filesz))
		fail(EXIT_NOT_A_KERNEL, "%s is a truncated ELF file: segment %u ends beyond it",
		     file->path, i);
	return phdr;
}

static void load_segment(struct vm *vm, const struct file_image *file, const Elf64_Phdr *phdr)
{
	void *to;

	if (phdr->p_filesz > phdr->p_memsz)
		fail(EXIT_NOT_A_KERNEL,
		     "%s is damaged: a segment is larger in the file than in memory", file->path);
	to = memory_for(vm, phdr->p_paddr, phdr->p_memsz, file->path);
	memcpy(to, file->data + phdr->p_offset, phdr->p_filesz);
}

/*
 * Loads the segments at their physical addresses; what the file does not fill is
 * zero, as all guest memory is at the start. Returns the first address after
 * the kernel and puts its entry point into *entry.
 */
uint64_t elf_load(struct vm *vm, const struct file_image *file, uint64_t *entry)
{
	Elf64_Ehdr header = elf_check(file);
	uint64_t end = HIGH_START;

	for (unsigned int i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr phdr = segment(file, &header, i);

		if (phdr.p_type != PT_LOAD || phdr.p_memsz == 0)
			continue;
		load_segment(vm, file, &phdr);
		if (phdr.p_paddr + phdr.p_memsz > end)
			end = phdr.p_paddr + phdr.p_memsz;
	}
	*entry = header.e_entry;
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
	Elf64_Ehdr header = elf_check(file);

	for (unsigned int i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr phdr = segment(file, &header, i);

		if (phdr.p_type == PT_NOTE &&
		    find_note(file->data + phdr.p_offset, phdr.p_filesz, entry))
			return true;
	}
	return false;
}
