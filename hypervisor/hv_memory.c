/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Guest-physical memory:
 *
 *	0		the guest's RAM, one piece of the host's
 *	memory_size	nothing
 *	rom_gpa		the ROM, read-only
 *	then		nothing
 *
 * Nothing reads as hv_ones, as on a PC's bus, and without an exit: one page of hv_ones, read-only,
 *stands at all of it. A write there is a fault that ends the guest with a report. The same tables
 *serve nested paging and, while the guest is unpaged and nested paging is off, as its PAE tables:
 *entries of both have one form.
 */
#include "hv.h"

#define PRESENT 0x1ull
#define WRITABLE 0x2ull
#define USER 0x4ull
#define USED 0x60ull /* accessed, dirty: the walker need not set them */
#define LARGE 0x80ull
#define ENTRIES 512u
#define LOW_TABLES 4u /* each of 1 GiB: addresses of 32 bits */

uint64_t hv_nested_root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t directory[ENTRIES] __attribute__((aligned(4096)));
static uint64_t table[LOW_TABLES][ENTRIES] __attribute__((aligned(4096)));
static uint64_t rom_pages[ENTRIES] __attribute__((aligned(4096)));
static uint64_t nothing_pages[ENTRIES] __attribute__((aligned(4096)));
static uint64_t nothing_table[ENTRIES] __attribute__((aligned(4096)));
static uint64_t nothing_directory[ENTRIES] __attribute__((aligned(4096)));
uint64_t hv_unpaged_root[LOW_TABLES] __attribute__((aligned(32)));
uint8_t hv_ones[PAGE] __attribute__((aligned(4096)));
static uint8_t rom[ROM_ROOM] __attribute__((aligned(4096)));

static uint64_t entry(const void *to, uint64_t flags)
{
	return (uint64_t)to | PRESENT | USER | USED | flags;
}

static void fill(uint64_t entries[ENTRIES], uint64_t with)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		entries[i] = with;
}

/* Upper entries with USED would have the dirty bit set, which is ignored there. */
static void map_nothing(void)
{
	memset(hv_ones, 0xff, sizeof(hv_ones));
	fill(nothing_pages, entry(hv_ones, 0));
	fill(nothing_table, entry(nothing_pages, WRITABLE));
	fill(nothing_directory, entry(nothing_table, WRITABLE));
	fill(hv_nested_root, entry(nothing_directory, WRITABLE));
	fill(directory, entry(nothing_table, WRITABLE));
	fill(table[0], entry(nothing_pages, WRITABLE));
	for (unsigned i = 1; i < LOW_TABLES; i++)
		memcpy(table[i], table[0], sizeof(table[0]));
}

static uint64_t *large_entry(uint64_t gpa)
{
	return &table[gpa >> 30][gpa >> 21 & (ENTRIES - 1)];
}

static void map_something(void)
{
	hv_nested_root[0] = entry(directory, WRITABLE);
	for (unsigned i = 0; i < LOW_TABLES; i++) {
		directory[i] = entry(table[i], WRITABLE);
		hv_unpaged_root[i] = (uint64_t)table[i] | PRESENT;
	}
	for (uint64_t gpa = 0; gpa < hv.memory_size; gpa += LARGE_PAGE)
		*large_entry(gpa) = entry(hv.memory + gpa, WRITABLE | LARGE);
	memcpy(rom_pages, nothing_pages, sizeof(rom_pages));
	for (uint64_t at = 0; at < ROM_ROOM; at += PAGE)
		rom_pages[at / PAGE] = entry(rom + at, 0);
	*large_entry(hv.rom_gpa) = entry(rom_pages, WRITABLE);
}

/* The guest's RAM lies in the host's memory from..to; behind it, for the guest, comes the ROM. */
void hv_memory_init(uint64_t from, uint64_t to)
{
	uint64_t start = ALIGN_UP(from, LARGE_PAGE);

	hv.memory_size = ALIGN_UP((uint64_t)hv.options.memory_mib << 20, LARGE_PAGE);
	if (start > to || to - start < hv.memory_size || !hv.memory_size) {
		hv_print("hypervisor: no room for %lu MiB of guest memory\n", hv.memory_size >> 20);
		hv_finish(1);
	}
	hv.memory = (uint8_t *)start;
	hv.rom_gpa = hv.memory_size;
	map_nothing();
	map_something();
}

/*
 * Where a guest-physical address lies in the host; *len is lowered to what is contiguous there.
 * NULL where nothing is.
 */
void *hv_memory_at(uint64_t gpa, uint64_t *len, bool *writable)
{
	bool ram = gpa < hv.memory_size;
	uint64_t offset = gpa - (ram ? 0 : hv.rom_gpa), size = ram ? hv.memory_size : ROM_ROOM;

	if (offset >= size)
		return NULL;
	if (*len > size - offset)
		*len = size - offset;
	*writable = ram;
	return (ram ? hv.memory : rom) + offset;
}

/* ---- what the guest executes ----------------------------------------------------------------- */

static size_t fetch_part(const struct pvrom_mmu_regs *control, uint64_t linear, uint8_t *bytes,
			 size_t size)
{
	uint64_t gpa, len = PAGE - linear % PAGE;
	bool writable;
	const void *at;

	if (len > size)
		len = size;
	if (!(control->cr0 & CR0_PG))
		gpa = linear;
	else if (!pvrom_mmu_locate(hv.mmu, control, linear, &gpa))
		return 0;
	at = hv_memory_at(gpa, &len, &writable);
	if (!at)
		return 0;
	memcpy(bytes, at, len);
	return len;
}

/* The bytes at the guest's RIP; returns how many of them there are. */
size_t hv_fetch(const struct hv_vcpu *vcpu, uint8_t *bytes, size_t size)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	struct pvrom_mmu_regs control = hv_control_of(vcpu);
	uint64_t linear = vmcb->rip;
	size_t got;

	if (!(control.efer & EFER_LMA) || !(vmcb->cs.attributes & SVM_CODE_64))
		linear = (uint32_t)(linear + vmcb->cs.base);
	got = fetch_part(&control, linear, bytes, size);
	if (got && got < size)
		got += fetch_part(&control, linear + got, bytes + got, size - got);
	return got;
}
