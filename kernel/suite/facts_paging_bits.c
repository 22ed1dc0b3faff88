/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about the accessed and dirty bits: which access sets which, and where. */
#include "fact_tools.h"

#define VA TEST_BASE

FACT(ad_read, "paging.ad.read", "SDM 3A 4.8", "a read sets A and not D")
{
	test_clear();
	test_page(VA, K_RW);
	EXPECT_EQ(test_accessed_dirty(VA, 1), 0);
	probe_read(VA);
	EXPECT_EQ(test_accessed_dirty(VA, 1), PTE_A);
	return FACT_PASS;
}

FACT(ad_write, "paging.ad.write", "SDM 3A 4.8", "a write sets A and D")
{
	test_clear();
	test_page(VA, K_RW);
	probe_write(VA);
	EXPECT_EQ(test_accessed_dirty(VA, 1), PTE_A | PTE_D);
	return FACT_PASS;
}

FACT(ad_write_after_read, "paging.ad.write_after_read", "SDM 3A 4.10.2.2",
     "a write sets D also where a read has cached the translation")
{
	test_clear();
	test_page(VA, K_RW);
	for (unsigned i = 0; i < 100; i++)
		probe_read(VA + 8 * i);
	EXPECT_EQ(test_accessed_dirty(VA, 1), PTE_A);
	probe_write(VA);
	EXPECT_EQ(test_accessed_dirty(VA, 1), PTE_A | PTE_D);
	return FACT_PASS;
}

FACT(ad_exec, "paging.ad.exec", "SDM 3A 4.8", "execution sets A and not D")
{
	test_clear();
	*test_page(VA, PTE_P | PTE_W) = CODE_RET;
	probe_call(VA);
	EXPECT_EQ(test_accessed_dirty(VA, 1), PTE_A);
	return FACT_PASS;
}

FACT(ad_user, "paging.ad.user", "SDM 3A 4.8", "a user write sets A and D")
{
	struct user_run run;

	test_clear();
	test_page(VA, U_RW);
	user_call(&run, probe_user_write, VA, 0, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(test_accessed_dirty(VA, 1), PTE_A | PTE_D);
	return FACT_PASS;
}

FACT(ad_upper, "paging.ad.upper", "SDM 3A 4.8",
     "an access sets A in the entries of all levels; D only in the leaf")
{
	test_clear();
	test_page(VA, K_RW);
	for (int level = 2; level <= 4; level++)
		test_set_flush(VA, level, *test_entry(VA, level) & ~PTE_A);
	for (int level = 2; level <= 4; level++)
		EXPECT(!test_accessed_dirty(VA, level), "level %d: set before any access", level);
	probe_write(VA);
	for (int level = 2; level <= 4; level++)
		EXPECT(test_accessed_dirty(VA, level) == PTE_A, "level %d: A and D are %lx", level,
		       test_accessed_dirty(VA, level));
	return FACT_PASS;
}

FACT(ad_denied, "paging.ad.denied_write", "SDM 3A 4.8", "a write that faults does not set D")
{
	struct trap_catch caught;

	test_clear();
	test_page(VA, K_RO);
	trap_try(&caught, probe_write, VA);
	EXPECT(caught.vector == TRAP_PF, "the write did not fault");
	EXPECT_EQ(test_accessed_dirty(VA, 1) & PTE_D, 0);
	return FACT_PASS;
}

FACT(ad_again, "paging.ad.cleared", "SDM 3A 4.10.4.2",
     "A and D that were cleared and flushed are set again, each by its own kind of access")
{
	test_clear();
	test_page(VA, K_RW);
	probe_write(VA);
	test_set_flush(VA, 1, *test_entry(VA, 1) & ~(PTE_A | PTE_D));
	probe_read(VA);
	EXPECT_EQ(test_accessed_dirty(VA, 1), PTE_A);
	probe_write(VA);
	EXPECT_EQ(test_accessed_dirty(VA, 1), PTE_A | PTE_D);
	return FACT_PASS;
}

SNIPPET(snippet_cmpxchg, "mov $1, %eax\nmov $2, %ecx\nlock cmpxchg %rcx, (%rdi)");

FACT(ad_cmpxchg, "paging.ad.failed_cmpxchg", "SDM 2A CMPXCHG",
     "lock cmpxchg writes, and so sets D, also when the comparison fails")
{
	test_clear();
	test_page(VA, K_RW);
	snippet_cmpxchg(VA);
	EXPECT_EQ(test_accessed_dirty(VA, 1), PTE_A | PTE_D);
	EXPECT(test_reads(VA, 0), "the failed comparison stored %lx", *(uint64_t *)VA);
	return FACT_PASS;
}

FACT(ad_swap, "paging.ad.swap_entry", "SDM 3A 4.8",
     "exchanging an entry returns the A and D bits that accesses have set")
{
	uint64_t old;

	test_clear();
	test_page(VA, K_RW);
	probe_write(VA);
	old = pvrom_swap_entry(test_entry(VA, 1), 0);
	cpu_invlpg((void *)VA);
	EXPECT_EQ(old & 0xfff, PTE_P | PTE_W | PTE_A | PTE_D);
	EXPECT_EQ(*test_entry(VA, 1), 0);
	return FACT_PASS;
}

FACT(ad_large, "paging.ad.large", "SDM 3A 4.8", "a 2 MiB page has its A and D in the level-2 entry")
{
	test_clear();
	paging_map(paging_root, VA, (uint64_t)test_block(0), K_RW | PTE_PS, 2);
	probe_read(VA + 0x12340);
	EXPECT_EQ(test_accessed_dirty(VA, 2), PTE_A);
	probe_write(VA + 0x54320);
	EXPECT_EQ(test_accessed_dirty(VA, 2), PTE_A | PTE_D);
	return FACT_PASS;
}
