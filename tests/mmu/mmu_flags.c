/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Every combination of flag bits at each level: mapped, changed into every other one (none among them), and at
 * two places at once; with and without calls. After each step all kinds of access are judged.
 *
 *	mmu_flags [BUG]		with a seeded bug of mmu_bugs.h
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../pvmmu/mmu_bugs.h"
#include "mmu_os.h"

#define FLAGS 8u
#define COMBINATIONS (1u << FLAGS)

static const uint64_t flag[FLAGS] = { PTE_P, PTE_W, PTE_U, PTE_A, PTE_D, PTE_PS, PTE_G, PTE_NX };
static const uint64_t address = 0x2000,
		      other_address[5] = { 0, 0x5000, 5ull << 21, 7ull << 30, 1ull << 39 };

static uint32_t results;

static void result(const char *what, unsigned int level)
{
	printf("%sok %u - level %u: %s, %s [PVROM-MMU-1 PVROM-MMU-2]\n",
	       world.wrong[0] ? "not " : "", ++results, level, what,
	       world.calls ? "calls" : "no calls");
	if (world.wrong[0])
		printf("# %s\n", world.wrong);
	fflush(stdout);
}

static void open_world(bool calls)
{
	world.gib_pages = true;
	world_open(1, 2048, calls, 1);
	os_boot(1);
}

static void close_result(const char *what, unsigned int level)
{
	world_compare();
	result(what, level);
	world_close();
}

/* What a combination stands for: the target of the entry, or of a large page if it is one. */
static uint64_t entry_of(uint32_t combination, unsigned int level, uint64_t target)
{
	uint64_t e = 0;
	uint32_t i;

	for (i = 0; i < FLAGS; i++)
		if (combination >> i & 1)
			e |= flag[i];
	if ((e & PTE_PS) && level == 2)
		return e | (uint64_t)WORLD_LARGE << 12;
	return (e & PTE_PS) && level == 3 ? e : e | target;
}

/* Ends in the page that the path ends in, large or not. */
static void judge_all(uint64_t at)
{
	uint32_t how;

	for (how = 0; how < 6; how++)
		world_judge(0, at,
			    (struct oracle_access){ .write = how % 3 == 1,
						    .fetch = how % 3 == 2,
						    .user = how >= 3,
						    .ac = true },
			    true);
}

static void store(uint64_t at, uint64_t gpa, unsigned int level, uint64_t entry)
{
	os.address = at;
	os.changed_upper = level > 1;
	os_store(0, gpa, entry);
	os_flush(0);
}

/* The path to the address, all rights given; returns where its entry of the level is. */
static uint64_t make_path(uint64_t at, unsigned int level)
{
	const uint64_t leaf = os_entry(0, 0, at, 1, true);

	if (!(os_get(leaf) & PTE_P))
		store(at, leaf, 1,
		      (uint64_t)WORLD_DATA << 12 | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D);
	return os_entry(0, 0, at, level, true);
}

/* In every mode of the processor that changes what flags mean. */
static void mapped(unsigned int level)
{
	static const uint64_t cr4[] = { 0xa0, 0x1000a0, 0x2000a0 };
	const uint64_t gpa = make_path(address, level), target = os_get(gpa) & PTE_ADDRESS;
	struct pvrom_mmu_regs regs;
	uint32_t mode, c;

	for (mode = 0; mode < 12 && !world.wrong[0]; mode++) {
		regs = os_regs(0, 0);
		regs.cr4 = cr4[mode % 3];
		regs.efer = mode / 3 & 1 ? 0x500 : 0xd00;
		regs.cr0 = mode / 6 && mode % 3 != 2 ? 0x80000001 : 0x80010001;
		world_set_regs(0, &regs);
		for (c = 0; c < COMBINATIONS && !world.wrong[0]; c++) {
			store(address, gpa, level, entry_of(c, level, target));
			judge_all(address);
			/* And with a bit that is reserved: always, or in a large page. */
			store(address, gpa, level, entry_of(c, level, target) | 1ull << 45);
			judge_all(address);
			if (!(entry_of(c, level, 0) & PTE_PS) || level == 1)
				continue;
			store(address, gpa, level, entry_of(c, level, target) | 1ull << 13);
			judge_all(address);
		}
	}
}

static void changed(unsigned int level)
{
	const uint64_t gpa = make_path(address, level), target = os_get(gpa) & PTE_ADDRESS;
	uint32_t from, to;

	for (from = 0; from < COMBINATIONS; from++)
		for (to = 0; to < COMBINATIONS && !world.wrong[0]; to++) {
			store(address, gpa, level, entry_of(from, level, target));
			judge_all(address);
			store(address, gpa, level, entry_of(to, level, target));
			judge_all(address);
		}
	store(address, gpa, level, 0);
	judge_all(address);
}

/* Two entries that lead to the same, each with flags of its own. */
static void aliased(unsigned int level)
{
	const uint64_t gpa = make_path(address, level), target = os_get(gpa) & PTE_ADDRESS;
	const uint64_t other = other_address[level] + address;
	const uint64_t other_gpa = os_entry(0, 0, other, level, true);
	uint32_t a, b;

	for (a = 0; a < COMBINATIONS && !world.wrong[0]; a++) {
		store(address, gpa, level, entry_of(a, level, target));
		for (b = 0; b < COMBINATIONS && !world.wrong[0]; b++) {
			if (os_get(gpa) != entry_of(a, level, target)) /* A and D of an access */
				store(address, gpa, level, entry_of(a, level, target));
			store(other, other_gpa, level, entry_of(b, level, target));
			judge_all(other);
			judge_all(address);
		}
	}
}

static const struct {
	const char *name;
	void (*run)(unsigned int level);
} tests[] = {
	{ "each combination of flags, in each mode", mapped },
	{ "each changed into each other", changed },
	{ "each beside each other at two places", aliased },
};
#define TESTS (sizeof(tests) / sizeof(tests[0]))

int main(int argc, char **argv)
{
	uint32_t calls, failed = 0;
	unsigned int level;
	size_t i;

	pvrom_mmu_bug = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 0;
	for (calls = 0; calls < 2; calls++)
		for (level = 1; level <= 4; level++)
			for (i = 0; i < TESTS; i++) {
				open_world(calls);
				tests[i].run(level);
				close_result(tests[i].name, level);
				failed += world.wrong[0] != 0;
			}
	printf("1..%u\n", results);
	return failed != 0;
}
