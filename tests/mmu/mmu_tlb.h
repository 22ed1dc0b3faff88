/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A processor that runs on the shadow tables: it walks them, and its TLB forgets nothing until it is told to,
 * neither translations nor upper levels. Where the manuals leave it the choice between what it
 * remembers and what is in memory, it takes what it remembers, mostly.
 */
#ifndef TESTS_MMU_TLB_H
#define TESTS_MMU_TLB_H

#include <stdbool.h>
#include <stdint.h>

#define TLB_BUCKETS 4096
#define TLB_ENTRIES 65536

struct tlb_entry {
	uint64_t page; /* address >> 12; of an upper level: address >> its low bit */
	uint64_t
		value; /* the entry, with the rights of the whole path; address of the page or table */
	uint32_t next;
	uint16_t asid;
	uint8_t level; /* 1: a translation; 2 to 4: what leads to the table of the level below */
	bool global;
};

struct tlb {
	uint32_t first[TLB_BUCKETS];
	struct tlb_entry entry[TLB_ENTRIES];
	uint32_t count;
	uint64_t random;
	uint16_t asid;
	/* Where the shadow tables are: pages of the pool by host-physical address. NULL: not a page of it. */
	const uint64_t *(*table)(uint64_t hpa);
};

struct tlb_access {
	bool write, fetch, user, ac;
	bool smep, smap; /* as in CR4; CR0.WP and EFER.NXE are always set */
};

void tlb_init(struct tlb *tlb, const uint64_t *(*table)(uint64_t hpa), uint64_t seed);
void tlb_forget(struct tlb *tlb, bool global_too);
/* A page fault makes the processor forget what it knows of the address (SDM vol. 3A, 4.10.4.1). */
void tlb_forget_address(struct tlb *tlb, uint64_t address);

/* True and the host-physical address; or false and the error code. *strange: it met what is no table. */
bool tlb_access(struct tlb *tlb, uint64_t root, uint64_t address, struct tlb_access access,
		uint64_t *hpa, uint32_t *error, bool *strange);

/* What tlb_access() would answer, or could; nothing is remembered by it. False also if it is not known. */
bool tlb_peek(struct tlb *tlb, uint64_t root, uint64_t address, struct tlb_access access,
	      uint64_t *hpa);

#endif
