/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Whether memory may be read at an address that somebody wrote into a leaf or a table: by a walk of the page tables
 * that firmware runs on. They map memory one to one (UEFI 2.10, 2.3.4), so they can be read where they lie.
 */
#include "probe_efi.h"

#define PRESENT 0x1u
#define LARGE 0x80u
#define ADDRESS 0x000ffffffffff000ull
#define CR4_LA57 12

static uint64_t read_cr3(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static uint64_t read_cr4(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static void cpuid(uint32_t leaf, uint32_t regs[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
			 : "a"(leaf), "c"(0));
}

/* AMD APM vol. 3, Fn8000_001F: with SEV a bit of each entry says "encrypted", and is no part of the address. */
static uint64_t encryption_bit(void)
{
	uint32_t regs[4];

	cpuid(0x80000000, regs);
	if (regs[0] < 0x8000001f)
		return 0;
	cpuid(0x8000001f, regs);
	return regs[0] >> 1 & 1 ? 1ull << (regs[1] & 0x3f) : 0;
}

/* The bytes from address to the end of its page, 0 if there is no page. */
static uint64_t mapped_from(uint64_t address, uint64_t mask)
{
	uint32_t level = read_cr4() >> CR4_LA57 & 1 ? 5 : 4;
	uint64_t entry = read_cr3();

	if (address >> (12 + 9 * level - 1))
		return 0;
	for (;; level--) {
		const uint32_t shift = 12 + 9 * (level - 1);

		entry = ((const uint64_t *)(entry & mask))[address >> shift & 0x1ff];
		if (!(entry & PRESENT))
			return 0;
		if (level == 1 || (level <= 3 && entry & LARGE))
			return (1ull << shift) - (address & ((1ull << shift) - 1));
	}
}

bool efi_is_mapped(uint64_t address, uint64_t size)
{
	const uint64_t mask = ADDRESS & ~encryption_bit();
	uint64_t there;

	for (; size; size -= there < size ? there : size, address += there) {
		there = mapped_from(address, mask);
		if (!there)
			return false;
	}
	return true;
}
