/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The model processor's translation of addresses, through a TLB with a perfect memory. */
#include <stddef.h>
#include <string.h>

#include "mmu_tlb.h"

#define P 0x001ull
#define W 0x002ull
#define U 0x004ull
#define G 0x100ull
#define NX (1ull << 63)
#define ADDRESS 0x000ffffffffff000ull

static unsigned int low_bit(unsigned int level)
{
	return 3 + 9 * level;
}

static uint32_t *bucket(struct tlb *tlb, unsigned int level, uint64_t page)
{
	const uint64_t hash = (page * 8 + level) * 0x9e3779b97f4a7c15ull;

	return &tlb->first[hash >> 52];
}

void tlb_init(struct tlb *tlb, const uint64_t *(*table)(uint64_t hpa), uint64_t seed)
{
	memset(tlb->first, 0, sizeof(tlb->first));
	tlb->count = 1;
	tlb->table = table;
	tlb->random = seed | 1;
	tlb->asid = 1;
}

static struct tlb_entry *find(struct tlb *tlb, unsigned int level, uint64_t page)
{
	uint32_t i = *bucket(tlb, level, page);

	for (; i; i = tlb->entry[i].next)
		if (tlb->entry[i].level == level && tlb->entry[i].page == page &&
		    (tlb->entry[i].global || tlb->entry[i].asid == tlb->asid))
			return &tlb->entry[i];
	return NULL;
}

static void remember(struct tlb *tlb, unsigned int level, uint64_t page, uint64_t value)
{
	uint32_t *first = bucket(tlb, level, page);

	if (find(tlb, level, page))
		return;
	if (tlb->count == TLB_ENTRIES)
		tlb_forget(tlb, true);
	tlb->entry[tlb->count] = (struct tlb_entry){
		.page = page,
		.value = value,
		.level = (uint8_t)level,
		.asid = tlb->asid,
		.global = level == 1 && (value & G),
		.next = *first,
	};
	*first = tlb->count++;
}

/* What is not global gets an ASID that will never be used again. */
void tlb_forget(struct tlb *tlb, bool global_too)
{
	if (global_too || tlb->asid == UINT16_MAX) {
		memset(tlb->first, 0, sizeof(tlb->first));
		tlb->count = 1;
		tlb->asid = 0;
	}
	tlb->asid++;
}

static void drop(struct tlb *tlb, unsigned int level, uint64_t page)
{
	uint32_t *at = bucket(tlb, level, page);

	while (*at) {
		struct tlb_entry *e = &tlb->entry[*at];

		if (e->level == level && e->page == page)
			*at = e->next;
		else
			at = &e->next;
	}
}

void tlb_forget_address(struct tlb *tlb, uint64_t address)
{
	unsigned int level;

	for (level = 1; level <= 4; level++)
		drop(tlb, level, address >> low_bit(level));
}

static bool often(struct tlb *tlb)
{
	tlb->random = tlb->random * 6364136223846793005ull + 1442695040888963407ull;
	return tlb->random >> 61 != 0;
}

/* From the lowest level that is remembered, or from the root. */
static unsigned int where_to_begin(struct tlb *tlb, uint64_t root, uint64_t address, uint64_t *path)
{
	unsigned int level;

	for (level = 2; level <= 4; level++) {
		const struct tlb_entry *e = find(tlb, level, address >> low_bit(level));

		if (e && often(tlb)) {
			*path = e->value;
			return level - 1;
		}
	}
	*path = (root & ADDRESS) | P | W | U;
	return 4;
}

/* Rights add up: W and U where all have them, NX where any has it. */
static uint64_t join(uint64_t path, uint64_t entry)
{
	return (entry & (ADDRESS | P | G)) | (path & entry & (W | U)) | ((path | entry) & NX);
}

/* The translation of an address with the rights of its path; not present: 0. */
static uint64_t walk(struct tlb *tlb, uint64_t root, uint64_t address, bool *strange)
{
	uint64_t path, entry;
	unsigned int level = where_to_begin(tlb, root, address, &path);

	for (;; level--) {
		const uint64_t *table = tlb->table(path & ADDRESS);

		if (!table) {
			*strange = true;
			return 0;
		}
		entry = table[address >> low_bit(level) & 511];
		if (!(entry & P))
			return 0;
		path = join(path, entry);
		remember(tlb, level, address >> low_bit(level), path);
		if (level == 1)
			return path;
		if (entry & 0x80)
			*strange = true; /* the engine makes no large pages */
	}
}

static bool allows(uint64_t path, struct tlb_access a)
{
	const bool user_page = path & U;

	if (!(path & P) || (a.user && !user_page))
		return false;
	if (a.fetch)
		return !(path & NX) && !(!a.user && user_page && a.smep);
	if (!a.user && user_page && a.smap && !a.ac)
		return false;
	return !a.write || (path & W);
}

bool tlb_access(struct tlb *tlb, uint64_t root, uint64_t address, struct tlb_access access,
		uint64_t *hpa, uint32_t *error, bool *strange)
{
	const struct tlb_entry *known = find(tlb, 1, address >> 12);
	const uint64_t path = known ? known->value : walk(tlb, root, address, strange);

	if (allows(path, access)) {
		*hpa = (path & ADDRESS) | (address & 4095);
		return true;
	}
	*error = (path & P ? 1u : 0) | (access.write ? 2u : 0) | (access.user ? 4u : 0) |
		 (access.fetch ? 16u : 0);
	tlb_forget_address(tlb, address);
	return false;
}

static uint64_t peek_path(struct tlb *tlb, uint64_t root, uint64_t address)
{
	const struct tlb_entry *known = find(tlb, 1, address >> 12);
	uint64_t path = (root & ADDRESS) | P | W | U;
	unsigned int level;

	if (known)
		return known->value;
	for (level = 4; level && (path & P); level--) {
		const uint64_t *table = tlb->table(path & ADDRESS);

		path = table ? join(path, table[address >> low_bit(level) & 511]) : 0;
	}
	return path;
}

bool tlb_peek(struct tlb *tlb, uint64_t root, uint64_t address, struct tlb_access access,
	      uint64_t *hpa)
{
	const uint64_t path = peek_path(tlb, root, address);

	*hpa = (path & ADDRESS) | (address & 4095);
	return allows(path, access);
}
