/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about the shape of tables: page sizes, aliases, tables in two places, canonical addresses. */
#include "fact_tools.h"

#define VA TEST_BASE
#define SECOND (VA + PAGE_SIZE)

/* ---- large pages ------------------------------------------------------------------------------- */

FACT(large_2m, "paging.large.2m", "SDM 3A 4.5.4", "a 2 MiB page maps 2 MiB, the last byte included")
{
	uint64_t *block = test_block(0), last = LARGE_SIZE / 8 - 1;

	test_clear();
	paging_map(paging_root, VA, (uint64_t)block, K_RW | PTE_PS, 2);
	block[0] = 0x11;
	block[last] = 0x22;
	block[0x12345] = 0x33;
	EXPECT(test_reads(VA, 0x11), "first word");
	EXPECT(test_reads(VA + LARGE_SIZE - 8, 0x22), "last word");
	EXPECT(test_reads(VA + 8 * 0x12345, 0x33), "a word in between");
	return FACT_PASS;
}

FACT(large_1g, "paging.large.1g", "SDM 3A 4.5.4",
     "a 1 GiB page maps 1 GiB: the kernel's memory appears at its offset")
{
	static uint64_t word;

	NEED(1G_PAGES);
	test_clear();
	paging_map(paging_root, VA, 0, K_RW | PTE_PS, 3);
	word = 0x1234567;
	EXPECT(test_reads(VA + (uint64_t)&word, 0x1234567), "word not found");
	probe_write(VA + (uint64_t)&word);
	EXPECT_EQ(READ_ONCE(word), VA + (uint64_t)&word);
	EXPECT_EQ(test_accessed_dirty(VA, 3), PTE_A | PTE_D);
	return FACT_PASS;
}

FACT(large_neighbour, "paging.large.crossing", "SDM 3A 4.5.4",
     "an access may cross from a 2 MiB page into a 4 KiB page")
{
	uint64_t end = VA + LARGE_SIZE;
	uint64_t *small;

	test_clear();
	paging_map(paging_root, VA, (uint64_t)test_block(0), K_RW | PTE_PS, 2);
	small = test_page(end, K_RW);
	test_block(0)[LARGE_SIZE / 8 - 1] = 0xaabbccdd00000000;
	*small = 0x11223344;
	EXPECT(test_reads(end - 4, 0x11223344aabbccdd), "read %lx", *(uint64_t *)(end - 4));
	WRITE_ONCE(*(uint64_t *)(end - 4), 0x5566778899aabbcc);
	EXPECT_EQ(*small, 0x55667788);
	return FACT_PASS;
}

/* ---- the shape of the tables ------------------------------------------------------------------- */

FACT(ignored_bits, "paging.ignored_bits", "SDM 3A 4.5.4",
     "bits 11:9 and 58:52 of a present entry are the kernel's own, at each level")
{
	uint64_t own = 0x07f0000000000e00;

	for (int level = 1; level <= 4; level++) {
		test_clear();
		*test_page(VA, K_RW) = 77;
		test_set(VA, level, *test_entry(VA, level) | own);
		EXPECT(test_reads(VA, 77), "level %d: reads something else", level);
		probe_write(VA);
		EXPECT((*test_entry(VA, level) & own) == own, "level %d: bits lost", level);
	}
	return FACT_PASS;
}

FACT(high_half, "paging.high_half", "SDM 1 3.3.7.1",
     "the top page of the address space is mapped like any other")
{
	uint64_t va = 0xfffffffffffff000;
	uint64_t *page = test_page(va, K_RW);

	cpu_invlpg((void *)va);
	page[511] = 0x77;
	EXPECT(test_reads(va + 0xff8, 0x77), "read %lx", *(uint64_t *)(va + 0xff8));
	test_set_flush(va, 1, 0);
	return FACT_PASS;
}

FACT(alias, "paging.alias", "SDM 3A 4.2", "two addresses of one page are the same memory")
{
	uint64_t *page;

	test_clear();
	page = test_page(VA, K_RW);
	test_map(VA + BIT(30), page, K_RW);
	probe_write(VA + 0x100);
	EXPECT(test_reads(VA + BIT(30) + 0x100, VA + 0x100), "not seen by the other address");
	EXPECT_EQ(page[0x100 / 8], VA + 0x100);
	return FACT_PASS;
}

FACT(alias_permissions, "paging.alias_permissions", "SDM 3A 4.6.1",
     "permissions belong to the address: a page may be read-only here and writable there")
{
	struct trap_catch here, there;
	uint64_t *page;

	test_clear();
	page = test_page(VA, K_RO);
	test_map(SECOND, page, K_RW);
	trap_try(&there, probe_write, SECOND);
	trap_try(&here, probe_write, VA);
	EXPECT_TRAP(there, TRAP_NONE, 0);
	EXPECT_TRAP(here, TRAP_PF, PF_P | PF_W);
	EXPECT_EQ(test_accessed_dirty(VA, 1) & PTE_D, 0);
	return FACT_PASS;
}

FACT(shared_table, "paging.shared_table", "SDM 3A 4.6.1",
     "one table below two entries serves both, each with its own permissions")
{
	struct trap_catch caught;
	uint64_t second = VA + LARGE_SIZE;
	uint64_t *page;

	test_clear();
	page = test_page(VA, K_RW);
	test_page(second, K_RW);
	test_set(second, 2, *test_entry(VA, 2) & ~PTE_W);
	*page = 0x99;
	EXPECT(test_reads(VA, 0x99), "by the first entry");
	EXPECT(test_reads(second, 0x99), "by the second entry");
	EXPECT(trap_try(&caught, probe_write, VA) == TRAP_NONE, "the writable one faulted");
	trap_try(&caught, probe_write, second);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_W);
	return FACT_PASS;
}

#define SELF_SLOT 0x1a0ull /* a free entry of the root: upper half */
#define SELF_VA (0xffff000000000000 | SELF_SLOT << 39)

/* Through a root entry that points to the root, table entries are data at computable addresses. */
static uint64_t *self_entry(uint64_t va)
{
	return (uint64_t *)(SELF_VA | (va >> 9 & 0x7ffffffff8));
}

FACT(self_map, "paging.self_map", "SDM 3A 4.5",
     "a root that contains itself shows its tables as memory, and changes by that way count")
{
	uint64_t *one, *other, seen;

	test_clear();
	one = test_page(VA, K_RW);
	other = memory_page();
	*other = 0x4711;
	test_set(SELF_VA, 4, (uint64_t)paging_root | PTE_P | PTE_W | PTE_NX);
	probe_read(VA);
	seen = READ_ONCE(*self_entry(VA));
	WRITE_ONCE(*self_entry(VA), (uint64_t)other | K_RW);
	cpu_invlpg((void *)VA);
	test_set(SELF_VA, 4, 0);
	EXPECT_EQ(seen, (uint64_t)one | K_RW | PTE_A);
	EXPECT(test_reads(VA, 0x4711), "the change did not count");
	return FACT_PASS;
}

FACT(alias_code, "paging.alias_code", "SDM 3A 9.1.3",
     "code changed by another address runs changed after a serializing instruction")
{
	static const uint8_t first[] = { 0xb8, 1, 0, 0, 0, CODE_RET };
	uint64_t (*code)(void) = (uint64_t(*)(void))VA;
	uint8_t *page;

	test_clear();
	page = (uint8_t *)test_page(VA, K_RX);
	memcpy(page, first, sizeof(first));
	EXPECT_EQ(code(), 1);
	WRITE_ONCE(page[1], 2);
	cpu_cpuid(0, 0);
	EXPECT_EQ(code(), 2);
	return FACT_PASS;
}

/* ---- canonical addresses ----------------------------------------------------------------------- */

#define NOT_CANONICAL 0x0000800000000000ull

FACT(canonical_data, "paging.canonical.data", "SDM 1 3.3.7.1",
     "a reference to a non-canonical address is #GP(0)")
{
	struct trap_catch caught;

	trap_try(&caught, probe_read, NOT_CANONICAL);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	trap_try(&caught, probe_write, ~NOT_CANONICAL);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	return FACT_PASS;
}

/* Whether the saved RIP is the jump or its target differs between makers of CPUs. */
FACT(canonical_jump, "paging.canonical.jump", "SDM 2A JMP",
     "a jump to a non-canonical address is #GP(0)")
{
	struct trap_catch caught;
	struct user_run run;

	trap_try(&caught, probe_call, NOT_CANONICAL);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	user_call(&run, probe_user_jump, NOT_CANONICAL, 0, 0);
	EXPECT_TRAP(run, TRAP_GP, 0);
	return FACT_PASS;
}

FACT(canonical_cr2, "paging.canonical.keeps_cr2", "SDM 3A 6.15 #GP",
     "a non-canonical reference does not change CR2")
{
	struct trap_catch caught;

	cpu_write_cr2(0x1234567);
	trap_try(&caught, probe_read, NOT_CANONICAL);
	EXPECT_EQ(caught.cr2, 0x1234567);
	return FACT_PASS;
}
