/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * An independent reader of a guest's page tables: what the processor would do without any hypervisor.
 * It shares nothing with pvmmu/ but the names of the registers.
 */
#ifndef TESTS_MMU_ORACLE_H
#define TESTS_MMU_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include <pvrom/mmu_host.h>

/* Physical memory as the oracle sees it: NULL where there is none. */
typedef uint64_t *oracle_memory_fn(uint64_t gpa);

struct oracle_access {
	bool write, fetch, user, ac;
};

struct oracle_step {
	uint64_t gpa;	/* of the entry */
	uint64_t entry; /* as it is now */
	uint64_t marks; /* A, and D, that a success sets in it */
};

struct oracle_answer {
	bool allowed;
	bool no_table;	/* a table is where there is no memory */
	uint64_t gpa;	/* if allowed */
	uint32_t error; /* if not */
	uint32_t steps; /* entries that were looked at, from the root down */
	struct oracle_step step[4];
};

/* Intel SDM vol. 3A, chapter 4; physical_bits and GiB pages as the guest's CPUID says. */
void oracle_judge(oracle_memory_fn *memory, const struct pvrom_mmu_regs *regs,
		  unsigned int physical_bits, bool gib_pages, uint64_t address,
		  struct oracle_access access, struct oracle_answer *answer);

#endif
