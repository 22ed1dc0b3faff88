/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest's page tables by the book, one bit after the other, with no regard to speed. */
#include "mmu_oracle.h"

static bool bit(uint64_t word, unsigned int number)
{
	return word >> number & 1;
}

static uint64_t field(uint64_t word, unsigned int high, unsigned int low)
{
	return word << (63 - high) >> (63 - high) >> low;
}

/* SDM table 4-15 to 4-20: which bits must be zero in an entry that is present. */
static bool has_reserved(const struct pvrom_mmu_regs *regs, unsigned int physical_bits,
			 bool gib_pages, unsigned int level, uint64_t entry)
{
	if (physical_bits < 52 && field(entry, 51, physical_bits))
		return true;
	if (bit(entry, 63) && !bit(regs->efer, 11))
		return true;
	switch (level) {
	case 4: return bit(entry, 7);
	case 3: return bit(entry, 7) && (!gib_pages || field(entry, 29, 13));
	case 2: return bit(entry, 7) && field(entry, 20, 13);
	default: return false;
	}
}

static void refuse(const struct pvrom_mmu_regs *regs, struct oracle_access access,
		   struct oracle_answer *answer, bool present, bool reserved)
{
	answer->allowed = false;
	answer->error = present ? 1u : 0u;
	if (access.write)
		answer->error |= 2;
	if (access.user)
		answer->error |= 4;
	if (reserved)
		answer->error |= 8;
	/* Bit 4 exists only with no-execute or SMEP on (SDM vol. 3A, 4.7). */
	if (access.fetch && (bit(regs->efer, 11) || bit(regs->cr4, 20)))
		answer->error |= 16;
}

static bool rights_allow(const struct pvrom_mmu_regs *regs, struct oracle_access access,
			 bool all_write, bool all_user, bool any_nx)
{
	if (access.user) {
		if (!all_user)
			return false;
		if (access.fetch)
			return !any_nx;
		return !access.write || all_write;
	}
	if (access.fetch) {
		if (any_nx)
			return false;
		return !(all_user && bit(regs->cr4, 20));
	}
	if (all_user && bit(regs->cr4, 21) && !access.ac)
		return false;
	if (access.write && !all_write)
		return !bit(regs->cr0, 16);
	return true;
}

void oracle_judge(oracle_memory_fn *memory, const struct pvrom_mmu_regs *regs,
		  unsigned int physical_bits, bool gib_pages, uint64_t address,
		  struct oracle_access access, struct oracle_answer *answer)
{
	static const unsigned int low_bit[5] = { 0, 12, 21, 30, 39 };
	uint64_t table = field(regs->cr3, 51, 12) << 12;
	bool all_write = true, all_user = true, any_nx = false;
	unsigned int level;

	*answer = (struct oracle_answer){ .steps = 0 };
	for (level = 4;; level--) {
		const uint64_t index = field(address, low_bit[level] + 8, low_bit[level]);
		struct oracle_step *step = &answer->step[answer->steps];
		const uint64_t *entry = memory(table + index * 8);

		if (!entry) {
			answer->no_table = true;
			return;
		}
		step->gpa = table + index * 8;
		step->entry = *entry;
		step->marks = 0x20;
		answer->steps++;
		if (!bit(step->entry, 0)) {
			refuse(regs, access, answer, false, false);
			return;
		}
		if (has_reserved(regs, physical_bits, gib_pages, level, step->entry)) {
			refuse(regs, access, answer, true, true);
			return;
		}
		all_write &= bit(step->entry, 1);
		all_user &= bit(step->entry, 2);
		any_nx |= bit(step->entry, 63);
		if (level == 1 || bit(step->entry, 7)) {
			answer->gpa = field(step->entry, 51, low_bit[level]) << low_bit[level] |
				      field(address, low_bit[level] - 1, 0);
			if (access.write)
				step->marks |= 0x40;
			break;
		}
		table = field(step->entry, 51, 12) << 12;
	}
	if (rights_allow(regs, access, all_write, all_user, any_nx))
		answer->allowed = true;
	else
		refuse(regs, access, answer, true, false);
}
