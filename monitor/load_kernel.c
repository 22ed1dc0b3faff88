/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What kind of kernel a file is, and the files that come with it. */
#include "load_kernel.h"

#include <string.h>

static _Noreturn void not_a_kernel(const struct file_image *file)
{
	if (elf_is(file))
		fail(EXIT_NOT_A_KERNEL,
		     "%s is an ELF file but not a kernel: it has neither a PVH entry "
		     "note nor a multiboot header",
		     file->path);
	fail(EXIT_NOT_A_KERNEL,
	     "%s is not a kernel: neither ELF with a PVH note, nor multiboot, nor "
	     "a Linux bzImage",
	     file->path);
}

static void load_by(struct vm *vm, const struct file_image *file, enum boot_method method)
{
	uint32_t entry;

	if (method != BOOT_MULTIBOOT && elf_is(file) && elf_pvh_entry(file, &entry))
		load_pvh(vm, file, entry);
	else if (method != BOOT_PVH && multiboot_is(file))
		load_multiboot(vm, file);
	else if (method == BOOT_AUTO && linux_is(file))
		load_linux(vm, file);
	else
		not_a_kernel(file);
}

/*
 * Loads the kernel with its modules and boot record, and sets the state the
 * boot processor starts in. A file that is PVH and multiboot at once (as the
 * reference kernel) is booted by PVH unless --boot says otherwise.
 */
void load_kernel(struct vm *vm)
{
	struct file_image file;

	file_open(&file, vm->opt->kernel);
	load_by(vm, &file, vm->opt->boot);
	file_close(&file);
}

static uint64_t load_module(struct vm *vm, const char *path, uint64_t at, struct module_gpa *out)
{
	struct file_image file;

	file_open(&file, path);
	if (file.size > 0)
		memcpy(memory_for(vm, at, file.size, path), file.data, file.size);
	*out = (struct module_gpa){ .start = at, .size = file.size };
	file_close(&file);
	return page_up(at + out->size);
}

/*
 * Puts the initrd (the first module by the PVH convention) and the modules into
 * memory from `from` on, each at a page, with its command line in the boot area.
 * Returns how many there are.
 */
unsigned int load_modules(struct boot_area *area, uint64_t from, struct module_gpa *out)
{
	const struct options *opt = area->vm->opt;
	unsigned int n = 0;
	uint64_t at = page_up(from);

	if (opt->initrd != NULL) {
		at = load_module(area->vm, opt->initrd, at, &out[n]);
		out[n++].cmdline = boot_area_string(area, "");
	}
	for (unsigned int i = 0; i < opt->module_count; i++) {
		at = load_module(area->vm, opt->modules[i].path, at, &out[n]);
		out[n++].cmdline = boot_area_string(area, opt->modules[i].cmdline);
	}
	return n;
}
