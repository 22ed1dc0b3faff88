/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Files, and the kernels and modules in them. */
#ifndef PVRUN_LOAD_KERNEL_H
#define PVRUN_LOAD_KERNEL_H

#include "guest_memory.h"

/* A whole file, mapped read-only. */
struct file_image {
	const char *path;
	const uint8_t *data;
	size_t size;
};

/* Where a module went. */
struct module_gpa {
	uint64_t start;
	uint64_t size;
	uint64_t cmdline;
};

/* file_image.c */
void file_open(struct file_image *file, const char *path);
void file_close(struct file_image *file);

/* load_kernel.c */
void load_kernel(struct vm *vm);
unsigned int load_modules(struct boot_area *area, uint64_t from, struct module_gpa *out);

/* load_elf.c */
bool elf_is(const struct file_image *file);
uint64_t elf_load(struct vm *vm, const struct file_image *file, uint64_t *entry);
bool elf_pvh_entry(const struct file_image *file, uint32_t *entry);

/* load_pvh.c */
void load_pvh(struct vm *vm, const struct file_image *file, uint32_t entry);

/* load_multiboot.c */
bool multiboot_is(const struct file_image *file);
void load_multiboot(struct vm *vm, const struct file_image *file);

/* load_linux.c */
bool linux_is(const struct file_image *file);
void load_linux(struct vm *vm, const struct file_image *file);

#endif
