/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Guest memory: one sparse mapping of the host, shown to the guest below the
 * PCI hole and above 4 GiB (see the picture in guest_memory.h).
 */
#include "guest_memory.h"
#include "pvrom_glue.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define LARGE_PAGE (UINT64_C(2) << 20)

static void set_slot(struct vm *vm, uint32_t slot, uint64_t gpa, uint64_t offset, uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uint64_t)(uintptr_t)(vm->ram + offset),
	};

	if (size == 0)
		return;
	if (gpa == vm->rom_gpa)
		region.flags = KVM_MEM_READONLY;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		fail(EXIT_CANNOT_RUN, "KVM does not take %llu MiB of guest memory at 0x%llx: %s",
		     (unsigned long long)(size >> 20), (unsigned long long)gpa, strerror(errno));
}

/*
 * Where the low bits of the guest's and of the host's address agree, one entry of NPT or EPT maps a
 * large page of the host: one exit instead of 512. A host that has none gives small ones.
 */
static void *reserve(uint64_t size)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	char *ram = mmap(NULL, size + LARGE_PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
	size_t before;

	if (ram == MAP_FAILED)
		fail(EXIT_CANNOT_RUN, "out of memory: cannot reserve %llu MiB for the guest: %s",
		     (unsigned long long)(size >> 20), strerror(errno));
	before = -(uintptr_t)ram & (LARGE_PAGE - 1);
	if (before > 0)
		munmap(ram, before);
	munmap(ram + before + size, LARGE_PAGE - before);
	madvise(ram + before, size, MADV_HUGEPAGE);
	return ram + before;
}

/*
 * Reserves the memory without touching it (the guest's use makes it real), or takes what a machine has kept, and
 * gives it to KVM. The last pages below the hole are set aside for the ROM and VMClock.
 */
void memory_create(struct vm *vm, uint8_t *kept)
{
	uint64_t size = vm->opt->memory;

	vm->ram = kept != NULL ? kept : reserve(size);
	vm->ram_size = size;
	vm->low_size = size < LOW_LIMIT ? size : LOW_LIMIT;
	vm->vmclock_gpa = vm->opt->vmclock ? vm->low_size - PAGE_SIZE : 0;
	vm->rom_gpa = vm->low_size - vm->rom_size - (vm->opt->vmclock ? PAGE_SIZE : 0);
	set_slot(vm, 0, 0, 0, vm->rom_gpa);
	if (!rom_bug)
		set_slot(vm, 1, vm->rom_gpa, vm->rom_gpa, vm->low_size - vm->rom_gpa);
	set_slot(vm, 2, ABOVE_HOLE, vm->low_size, size - vm->low_size);
}

void memory_destroy(struct vm *vm)
{
	munmap(vm->ram, vm->ram_size);
}

/*
 * Where the guest's byte at gpa is, or NULL if there is no memory. Lowers *len
 * to what follows it there; the two parts of guest memory are apart.
 */
void *memory_span(const struct vm *vm, uint64_t gpa, uint64_t *len)
{
	uint64_t offset = gpa, room;

	if (gpa < vm->low_size) {
		room = vm->low_size - gpa;
	} else if (gpa >= ABOVE_HOLE && gpa - ABOVE_HOLE < vm->ram_size - vm->low_size) {
		offset = vm->low_size + (gpa - ABOVE_HOLE);
		room = vm->ram_size - offset;
	} else {
		return NULL;
	}
	if (*len > room)
		*len = room;
	return vm->ram + offset;
}

/* Where the guest's bytes gpa ... gpa + size - 1 are, or NULL if not all are memory. */
void *memory_at(const struct vm *vm, uint64_t gpa, uint64_t size)
{
	uint64_t len = size ? size : 1;
	void *at = memory_span(vm, gpa, &len);

	return len >= size ? at : NULL;
}

/* The same for a loader: memory the guest may have, outside the boot area and the ROM. */
void *memory_for(const struct vm *vm, uint64_t gpa, uint64_t size, const char *what)
{
	uint64_t end = gpa + size;
	bool in_boot_area = gpa < HIGH_START && end > BOOT_AREA;
	bool in_rom = gpa < vm->low_size && end > vm->rom_gpa;
	void *at = memory_at(vm, gpa, size);

	if (at == NULL || in_boot_area || in_rom)
		fail(EXIT_CANNOT_RUN, "%s does not fit: it needs 0x%llx bytes at 0x%llx, and %s",
		     what, (unsigned long long)size, (unsigned long long)gpa,
		     at ? "that is reserved" : "the guest has no memory there (see --memory)");
	return at;
}

/* Writes the memory map a guest is told; returns the number of entries. */
unsigned int memory_map(const struct vm *vm, struct map_entry map[MAX_MAP_ENTRIES])
{
	unsigned int n = 0;

	map[n++] = (struct map_entry){ 0, BOOT_AREA, MAP_USABLE };
	map[n++] = (struct map_entry){ BOOT_AREA, HIGH_START - BOOT_AREA, MAP_RESERVED };
	map[n++] = (struct map_entry){ HIGH_START, vm->rom_gpa - HIGH_START, MAP_USABLE };
	if (vm->rom_gpa < vm->low_size)
		map[n++] =
			(struct map_entry){ vm->rom_gpa, vm->low_size - vm->rom_gpa, MAP_RESERVED };
	if (vm->ram_size > vm->low_size)
		map[n++] =
			(struct map_entry){ ABOVE_HOLE, vm->ram_size - vm->low_size, MAP_USABLE };
	return n;
}
