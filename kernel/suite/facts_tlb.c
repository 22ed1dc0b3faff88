/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Facts about cached translations: what must be forgotten after each kind of flush, on this CPU
 * and on another. What a CPU may keep without a flush is not judged; that it may is the reason
 * why every fact here first makes sure that the old translation has been used.
 */
#include "fact_tools.h"
#include "irq.h"
#include "smp.h"
#include "time.h"

#define VA TEST_BASE
#define SECOND (VA + PAGE_SIZE)
#define OLD 0x01d01d01dull
#define NEW 0x2e32e32e3ull

static uint64_t value_at(uint64_t va)
{
	return READ_ONCE(*(uint64_t *)va);
}

/* Maps a page with OLD in it at VA, uses that, and returns another one with NEW in it. */
static uint64_t *used_mapping(uint64_t flags)
{
	uint64_t *fresh = memory_page();

	test_clear();
	*test_page(VA, flags) = OLD;
	*fresh = NEW;
	for (unsigned i = 0; i < 4; i++)
		probe_read(VA);
	return fresh;
}

static void reload_cr3(void)
{
	cpu_write_cr3(cpu_read_cr3());
}

/* ---- a changed leaf ---------------------------------------------------------------------------- */

FACT(invlpg_remap, "tlb.invlpg.remap", "SDM 3A 4.10.4.1", "after invlpg a changed address counts")
{
	uint64_t *fresh = used_mapping(K_RW);

	test_set_flush(VA, 1, (uint64_t)fresh | K_RW);
	EXPECT_EQ(value_at(VA), NEW);
	return FACT_PASS;
}

FACT(cr3_remap, "tlb.cr3.remap", "SDM 3A 4.10.4.1", "after a write to CR3 a changed address counts")
{
	uint64_t *fresh = used_mapping(K_RW);

	test_set(VA, 1, (uint64_t)fresh | K_RW);
	reload_cr3();
	EXPECT_EQ(value_at(VA), NEW);
	return FACT_PASS;
}

FACT(invlpg_unmap, "tlb.invlpg.unmap", "SDM 3A 4.10.4.2", "after invlpg an absent page faults")
{
	struct trap_catch caught;

	used_mapping(K_RW);
	test_set_flush(VA, 1, 0);
	trap_try(&caught, probe_read, VA);
	EXPECT_TRAP(caught, TRAP_PF, 0);
	return FACT_PASS;
}

FACT(cr3_unmap, "tlb.cr3.unmap", "SDM 3A 4.10.4.2",
     "after a write to CR3 all pages that were taken away fault")
{
	struct trap_catch caught;

	used_mapping(K_RW);
	for (unsigned i = 1; i < 32; i++) {
		test_page(VA + i * PAGE_SIZE, K_RW);
		probe_read(VA + i * PAGE_SIZE);
	}
	for (unsigned i = 0; i < 32; i++)
		test_set(VA + i * PAGE_SIZE, 1, 0);
	reload_cr3();
	for (unsigned i = 0; i < 32; i++)
		EXPECT(trap_try(&caught, probe_read, VA + i * PAGE_SIZE) == TRAP_PF,
		       "page %u is still there", i);
	return FACT_PASS;
}

FACT(invlpg_readonly, "tlb.invlpg.readonly", "SDM 3A 4.10.4.2",
     "after invlpg a page that became read-only refuses writes")
{
	struct trap_catch caught;

	used_mapping(K_RW);
	probe_write(VA);
	test_set_flush(VA, 1, *test_entry(VA, 1) & ~PTE_W);
	trap_try(&caught, probe_write, VA);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_W);
	EXPECT_EQ(value_at(VA), VA);
	return FACT_PASS;
}

FACT(cr3_readonly, "tlb.cr3.readonly", "SDM 3A 4.10.4.2",
     "after a write to CR3 a page that became read-only refuses writes")
{
	struct trap_catch caught;

	used_mapping(K_RW);
	probe_write(VA);
	test_set(VA, 1, *test_entry(VA, 1) & ~PTE_W);
	reload_cr3();
	trap_try(&caught, probe_write, VA);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_W);
	return FACT_PASS;
}

FACT(invlpg_nx, "tlb.invlpg.nx", "SDM 3A 4.10.4.2",
     "after invlpg a page that became NX cannot be executed")
{
	struct trap_catch caught;

	test_clear();
	*test_page(VA, K_RX) = CODE_RET;
	EXPECT(trap_try(&caught, probe_call, VA) == TRAP_NONE, "the code page does not run");
	test_set_flush(VA, 1, *test_entry(VA, 1) | PTE_NX);
	trap_try(&caught, probe_call, VA);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_I);
	return FACT_PASS;
}

FACT(invlpg_supervisor, "tlb.invlpg.supervisor", "SDM 3A 4.10.4.2",
     "after invlpg a page that became the kernel's refuses user mode")
{
	struct user_run run;

	test_clear();
	test_page(VA, U_RW);
	user_call(&run, probe_user_write, VA, 0, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	test_set_flush(VA, 1, *test_entry(VA, 1) & ~PTE_U);
	user_call(&run, probe_user_write, VA, 0, 0);
	EXPECT_TRAP(run, TRAP_PF, PF_P | PF_W | PF_U);
	return FACT_PASS;
}

/* ---- changes in upper levels ------------------------------------------------------------------- */

FACT(upper_unmap, "tlb.upper.unmap", "SDM 3A 4.10.4.1",
     "invlpg forgets the upper entries too: a table taken away at any level is gone")
{
	struct trap_catch caught;

	for (int level = 2; level <= 4; level++) {
		used_mapping(K_RW);
		test_set_flush(VA, level, 0);
		trap_try(&caught, probe_read, VA);
		EXPECT(caught.vector == TRAP_PF && !caught.error, "level %d: %s, error %lx", level,
		       fact_vector(caught.vector), caught.error);
	}
	return FACT_PASS;
}

FACT(upper_replace, "tlb.upper.replace", "SDM 3A 4.10.4.1",
     "after invlpg a level-2 entry that points to another table counts")
{
	uint64_t *fresh = used_mapping(K_RW), *table = memory_page();

	table[0] = (uint64_t)fresh | K_RW;
	test_set_flush(VA, 2, (uint64_t)table | PTE_P | PTE_W);
	EXPECT_EQ(value_at(VA), NEW);
	return FACT_PASS;
}

FACT(upper_replace_cr3, "tlb.upper.replace_cr3", "SDM 3A 4.10.4.1",
     "after a write to CR3 a level-3 entry that points to another table counts")
{
	uint64_t *fresh = used_mapping(K_RW), *table = memory_page(), *upper = memory_page();

	table[0] = (uint64_t)fresh | K_RW;
	upper[0] = (uint64_t)table | PTE_P | PTE_W;
	test_set(VA, 3, (uint64_t)upper | PTE_P | PTE_W);
	reload_cr3();
	EXPECT_EQ(value_at(VA), NEW);
	return FACT_PASS;
}

FACT(upper_readonly, "tlb.upper.readonly", "SDM 3A 4.10.4.2",
     "W = 0 in a level-3 entry counts for all pages below after a write to CR3")
{
	struct trap_catch caught;

	used_mapping(K_RW);
	test_page(VA + 5 * LARGE_SIZE, K_RW);
	probe_write(VA);
	probe_write(VA + 5 * LARGE_SIZE);
	test_set(VA, 3, *test_entry(VA, 3) & ~PTE_W);
	reload_cr3();
	EXPECT(trap_try(&caught, probe_write, VA) == TRAP_PF, "the first page is writable");
	trap_try(&caught, probe_write, VA + 5 * LARGE_SIZE);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_W);
	return FACT_PASS;
}

/* ---- changes that need no flush ---------------------------------------------------------------- */

FACT(appear, "tlb.none.appear", "SDM 3A 4.10.4.3", "a page that appears needs no flush")
{
	struct trap_catch caught;

	used_mapping(K_RW);
	trap_try(&caught, probe_read, SECOND);
	EXPECT_TRAP(caught, TRAP_PF, 0);
	*test_page(SECOND, K_RW) = NEW;
	trap_try(&caught, probe_read, SECOND);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	EXPECT_EQ(value_at(SECOND), NEW);
	return FACT_PASS;
}

FACT(appear_upper, "tlb.none.appear_upper", "SDM 3A 4.10.4.3",
     "a table that appears at any level needs no flush")
{
	struct trap_catch caught;
	uint64_t entry;

	for (int level = 2; level <= 4; level++) {
		used_mapping(K_RW);
		entry = *test_entry(VA, level);
		test_set_flush(VA, level, 0);
		trap_try(&caught, probe_read, VA);
		test_set(VA, level, entry);
		trap_try(&caught, probe_read, VA);
		EXPECT(caught.vector == TRAP_NONE, "level %d: %s", level,
		       fact_vector(caught.vector));
	}
	return FACT_PASS;
}

/* The fault itself forgets the old translation (4.10.4.1), so there can be one and no second. */
FACT(upgrade, "tlb.none.upgrade", "SDM 3A 4.10.4.3",
     "a page that became writable without a flush gives one spurious fault at most")
{
	struct trap_catch caught;

	used_mapping(K_RO);
	trap_try(&caught, probe_write, VA);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_W);
	probe_read(VA);
	test_set(VA, 1, *test_entry(VA, 1) | PTE_W);
	if (trap_try(&caught, probe_write, VA) != TRAP_NONE)
		trap_try(&caught, probe_write, VA);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	EXPECT_EQ(value_at(VA), VA);
	return FACT_PASS;
}

FACT(upgrade_nx, "tlb.none.upgrade_nx", "SDM 3A 4.10.4.3",
     "a page that lost NX without a flush gives one spurious fault at most")
{
	struct trap_catch caught;

	test_clear();
	*test_page(VA, K_RO) = CODE_RET;
	trap_try(&caught, probe_call, VA);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_I);
	probe_read(VA);
	test_set(VA, 1, *test_entry(VA, 1) & ~PTE_NX);
	if (trap_try(&caught, probe_call, VA) != TRAP_NONE)
		trap_try(&caught, probe_call, VA);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	return FACT_PASS;
}

/* ---- invlpg itself ----------------------------------------------------------------------------- */

static void invalidate(uint64_t va)
{
	cpu_invlpg((void *)va);
}

FACT(invlpg_any, "tlb.invlpg.any_address", "SDM 2A INVLPG",
     "invlpg of an unmapped, a user, or a non-canonical address does not fault")
{
	struct trap_catch caught;

	test_clear();
	trap_try(&caught, invalidate, VA);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	trap_try(&caught, invalidate, USER_DATA);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	trap_try(&caught, invalidate, 0x0000800000000000);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	return FACT_PASS;
}

FACT(invlpg_inside, "tlb.invlpg.inside", "SDM 2A INVLPG",
     "any address in a page will do for invlpg")
{
	uint64_t *fresh = used_mapping(K_RW);

	test_set(VA, 1, (uint64_t)fresh | K_RW);
	invalidate(VA + 0xabd);
	EXPECT_EQ(value_at(VA), NEW);
	return FACT_PASS;
}

/* ---- global pages ------------------------------------------------------------------------------ */

FACT(global_invlpg, "tlb.global.invlpg", "SDM 3A 4.10.4.1", "invlpg forgets global pages")
{
	uint64_t *fresh = used_mapping(K_RW | PTE_G);

	test_set_flush(VA, 1, (uint64_t)fresh | K_RW | PTE_G);
	EXPECT_EQ(value_at(VA), NEW);
	return FACT_PASS;
}

FACT(global_pge, "tlb.global.pge", "SDM 3A 4.10.4.1", "changing CR4.PGE forgets global pages")
{
	uint64_t *fresh = used_mapping(K_RW | PTE_G);

	test_set(VA, 1, (uint64_t)fresh | K_RW | PTE_G);
	test_flush_all();
	EXPECT_EQ(value_at(VA), NEW);
	return FACT_PASS;
}

FACT(global_off, "tlb.global.pge_off", "SDM 3A 4.10.2.4",
     "with CR4.PGE = 0 the G bit means nothing: a write to CR3 forgets the page")
{
	uint64_t cr4 = cpu_read_cr4(), seen;
	uint64_t *fresh;

	cpu_write_cr4(cr4 & ~CR4_PGE);
	fresh = used_mapping(K_RW | PTE_G);
	/* test_clear() turned PGE on and off again; it is off here. */
	test_set(VA, 1, (uint64_t)fresh | K_RW | PTE_G);
	reload_cr3();
	seen = value_at(VA);
	cpu_write_cr4(cr4);
	EXPECT_EQ(seen, NEW);
	return FACT_PASS;
}

/* ---- large pages ------------------------------------------------------------------------------- */

FACT(large_invlpg, "tlb.large.invlpg", "SDM 2A INVLPG",
     "invlpg anywhere in a 2 MiB page forgets all of it")
{
	uint64_t at = LARGE_SIZE - 64;

	test_clear();
	test_block(0)[at / 8] = OLD;
	test_block(1)[at / 8] = NEW;
	paging_map(paging_root, VA, (uint64_t)test_block(0), K_RW | PTE_PS, 2);
	EXPECT_EQ(value_at(VA + at), OLD);
	EXPECT_EQ(value_at(VA), test_block(0)[0]);
	test_set(VA, 2, (uint64_t)test_block(1) | K_RW | PTE_PS);
	invalidate(VA + 0x11123);
	EXPECT_EQ(value_at(VA + at), NEW);
	return FACT_PASS;
}

FACT(large_split, "tlb.large.split", "SDM 3A 4.10.4.2",
     "a 2 MiB page split into 4 KiB pages, one of them elsewhere, is seen so after a flush")
{
	uint64_t *table = memory_page(), *fresh = memory_page(), *block = test_block(0);

	test_clear();
	paging_map(paging_root, VA, (uint64_t)block, K_RW | PTE_PS, 2);
	block[0] = block[1024] = OLD;
	*fresh = NEW;
	probe_read(VA);
	for (uint64_t i = 0; i < 512; i++)
		table[i] = ((uint64_t)block + i * PAGE_SIZE) | K_RW;
	table[2] = (uint64_t)fresh | K_RW;
	test_set(VA, 2, (uint64_t)table | PTE_P | PTE_W);
	reload_cr3();
	EXPECT_EQ(value_at(VA), OLD);
	EXPECT_EQ(value_at(VA + 2 * PAGE_SIZE), NEW);
	return FACT_PASS;
}

FACT(large_merge, "tlb.large.merge", "SDM 3A 4.10.4.2",
     "4 KiB pages merged into a 2 MiB page are seen so after a flush, with its permissions")
{
	struct trap_catch caught;

	used_mapping(K_RW);
	test_page(SECOND, K_RW);
	probe_write(SECOND);
	test_block(1)[0] = NEW;
	test_set(VA, 2, (uint64_t)test_block(1) | K_RO | PTE_PS);
	reload_cr3();
	EXPECT_EQ(value_at(VA), NEW);
	trap_try(&caught, probe_write, SECOND);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_W);
	return FACT_PASS;
}

/* ---- several address spaces -------------------------------------------------------------------- */

/* A root of its own: the kernel's entries, and a page with VALUE in it at VA. */
static uint64_t *other_root(uint64_t value)
{
	uint64_t *root = memory_page(), *page = memory_page();

	memcpy(root, paging_root, PAGE_SIZE);
	root[VA >> 39 & 511] = 0;
	paging_map(root, VA, (uint64_t)page, K_RW, 1);
	*page = value;
	return root;
}

/* The stack is in both, so that a site may be a call. PVROM-SITE-10 */
static uint64_t value_in(const uint64_t *root)
{
	uint64_t value;

	pvrom_switch_root((uint64_t)root);
	value = value_at(VA);
	pvrom_switch_root((uint64_t)paging_root);
	return value;
}

FACT(root_switch, "tlb.root.switch", "SDM 3A 4.10.4.1",
     "each of two address spaces shows its own page at one address, however often they change")
{
	uint64_t *a, *b;

	test_clear();
	a = other_root(OLD);
	b = other_root(NEW);
	for (unsigned i = 0; i < 50; i++) {
		EXPECT_EQ(value_in(a), OLD);
		EXPECT_EQ(value_in(b), NEW);
	}
	return FACT_PASS;
}

FACT(root_idle_change, "tlb.root.idle_change", "SDM 3A 4.10.4.1",
     "changes to the tables of an address space that is not loaded count when it is loaded")
{
	uint64_t *a, *fresh = memory_page();

	test_clear();
	a = other_root(OLD);
	*fresh = NEW;
	EXPECT_EQ(value_in(a), OLD);
	pvrom_set_entry(paging_entry(a, VA, 1), (uint64_t)fresh | K_RW);
	EXPECT_EQ(value_in(a), NEW);
	return FACT_PASS;
}

FACT(root_copy, "tlb.root.copy", "SDM 3A 4.5",
     "an address space made by copying the root shares the tables below it")
{
	uint64_t *copy, *fresh, seen;

	fresh = used_mapping(K_RW);
	copy = memory_page();
	memcpy(copy, paging_root, PAGE_SIZE);
	EXPECT_EQ(value_in(copy), OLD);
	test_set_flush(VA, 1, (uint64_t)fresh | K_RW);
	seen = value_in(copy);
	EXPECT_EQ(seen, NEW);
	EXPECT_EQ(value_at(VA), NEW);
	return FACT_PASS;
}

FACT(table_reuse, "tlb.table.reuse", "SDM 3A 4.10.4.2",
     "a page that was a table is plain memory afterwards, and can become a table again")
{
	struct trap_catch caught;
	uint64_t entry, *table, *fresh = used_mapping(K_RW);

	entry = *test_entry(VA, 2);
	table = test_entry(VA, 1);
	test_set_flush(VA, 2, 0);
	test_map(VA + LARGE_SIZE, table, K_RW);
	for (unsigned i = 0; i < 512; i++)
		WRITE_ONCE(((uint64_t *)(VA + LARGE_SIZE))[i], 0x1234567 + i);
	for (unsigned i = 0; i < 512; i++)
		EXPECT(table[i] == 0x1234567 + i, "word %u is %lx", i, table[i]);
	trap_try(&caught, probe_read, VA);
	EXPECT_TRAP(caught, TRAP_PF, 0);
	test_set_flush(VA + LARGE_SIZE, 1, 0);
	memset(table, 0, PAGE_SIZE);
	table[0] = (uint64_t)fresh | K_RW;
	test_set_flush(VA, 2, entry);
	EXPECT_EQ(value_at(VA), NEW);
	return FACT_PASS;
}

/* ---- another CPU ------------------------------------------------------------------------------- */

#define FLUSH_VECTOR VECTOR_FIRST_FREE
#define PATIENCE_US 5000000

/* The other CPU reads, or writes, at VA until a fault or until once after it is told to stop. */
static struct spin {
	uint32_t running, stop, flushed, writes;
	uint64_t last, vector, error;
} spin;

static void spin_body(uint64_t argument)
{
	uint32_t stop;

	(void)argument;
	do {
		stop = READ_ONCE(spin.stop);
		if (spin.writes)
			WRITE_ONCE(*(uint64_t *)VA, OLD);
		spin.last = value_at(VA);
		WRITE_ONCE(spin.running, 1);
	} while (!stop);
}

static void spin_work(void *argument)
{
	struct trap_catch caught;

	(void)argument;
	trap_try(&caught, spin_body, 0);
	spin.vector = caught.vector;
	spin.error = caught.error;
}

static void flush_page(struct trap_frame *frame)
{
	(void)frame;
	invalidate(VA);
	/* Release: the flush is done before the word that says so; partner: shoot_down(). */
	__atomic_store_n(&spin.flushed, 1, __ATOMIC_RELEASE);
}

static void flush_space(struct trap_frame *frame)
{
	(void)frame;
	reload_cr3();
	__atomic_store_n(&spin.flushed, 1, __ATOMIC_RELEASE);
}

/* test_clear() flushed this CPU only; the other one may remember earlier facts. */
static void flush_work(void *argument)
{
	(void)argument;
	test_flush_all();
}

/*
 * Lets the other CPU use VA, then changes the entry, flushes by IPI, and lets the CPU go on for
 * a while before it is stopped. With one CPU: use, change, flush by an interrupt, use again.
 */
static bool shoot_down(uint64_t entry, irq_fn *flush, uint32_t writes)
{
	uint32_t cpu = other_cpu();
	bool done;

	spin = (struct spin){ .writes = writes, .stop = !cpu };
	irq_set(FLUSH_VECTOR, flush);
	smp_run(cpu, flush_work, NULL);
	if (cpu)
		smp_post(cpu, spin_work, NULL);
	else
		spin_work(NULL);
	done = time_wait_for(&spin.running, 1, PATIENCE_US);
	test_set(VA, 1, entry);
	irq_send(FLUSH_VECTOR, BIT(cpu));
	/* The acquire is in time_wait_for()'s volatile read on x86; partner: flush_page(). */
	done &= time_wait_for(&spin.flushed, 1, PATIENCE_US);
	time_spin_us(100);
	WRITE_ONCE(spin.stop, 1);
	if (cpu)
		done &= smp_wait(cpu);
	else
		spin_work(NULL);
	return done;
}

FACT(remote_remap, "tlb.remote.invlpg", "SDM 3A 4.10.5",
     "after invlpg in an interrupt on another CPU that CPU sees the changed page")
{
	uint64_t *fresh = used_mapping(K_RW);
	bool done = shoot_down((uint64_t)fresh | K_RW, flush_page, 0);

	EXPECT(done, "the other CPU did not answer");
	EXPECT(spin.vector == TRAP_NONE, "it took %s", fact_vector(spin.vector));
	EXPECT_EQ(spin.last, NEW);
	return FACT_PASS;
}

FACT(remote_cr3, "tlb.remote.cr3", "SDM 3A 4.10.5",
     "after a write to CR3 in an interrupt on another CPU that CPU sees the changed page")
{
	uint64_t *fresh = used_mapping(K_RW);
	bool done = shoot_down((uint64_t)fresh | K_RW, flush_space, 0);

	EXPECT(done, "the other CPU did not answer");
	EXPECT(spin.vector == TRAP_NONE, "it took %s", fact_vector(spin.vector));
	EXPECT_EQ(spin.last, NEW);
	return FACT_PASS;
}

FACT(remote_unmap, "tlb.remote.unmap", "SDM 3A 4.10.5",
     "a page taken away and flushed there by interrupt faults on another CPU")
{
	bool done;

	used_mapping(K_RW);
	done = shoot_down(0, flush_page, 0);
	EXPECT(done, "the other CPU did not answer");
	EXPECT(spin.vector == TRAP_PF && !spin.error, "it took %s, error %lx",
	       fact_vector(spin.vector), spin.error);
	return FACT_PASS;
}

FACT(remote_readonly, "tlb.remote.readonly", "SDM 3A 4.10.5",
     "a page made read-only and flushed there by interrupt refuses another CPU's writes")
{
	bool done;

	used_mapping(K_RW);
	done = shoot_down(*test_entry(VA, 1) & ~PTE_W, flush_page, 1);
	EXPECT(done, "the other CPU did not answer");
	EXPECT(spin.vector == TRAP_PF && spin.error == (PF_P | PF_W), "it took %s, error %lx",
	       fact_vector(spin.vector), spin.error);
	return FACT_PASS;
}

static void remote_write(void *argument)
{
	(void)argument;
	probe_write(VA);
}

FACT(remote_dirty, "tlb.remote.dirty", "SDM 3A 4.8",
     "A and D set by another CPU are seen in the entry here")
{
	test_clear();
	test_page(VA, K_RW);
	smp_run(other_cpu(), flush_work, NULL);
	smp_run(other_cpu(), remote_write, NULL);
	EXPECT_EQ(*test_entry(VA, 1) & (PTE_A | PTE_D), PTE_A | PTE_D);
	EXPECT_EQ(value_at(VA), VA);
	return FACT_PASS;
}
