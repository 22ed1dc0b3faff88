/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The filter of page faults against the oracle: every combination of P, W, U, NX, A and a reserved bit in one
 * entry of any level, for 4 KiB, 2 MiB and 1 GiB pages, each kind of access, and CR0.WP, EFER.NXE, CR4.SMEP,
 * CR4.SMAP and RFLAGS.AC. Whatever the processor pushed of P and RSVD must not matter.
 */
#include "../cunit_tap.h"
#include "mmu_guest_world.h"

#define VA 0x0000123456789000ull
#define CR0_WP (1ull << 16)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)
#define EFER_NXE (1ull << 11)
#define FLAG_AC (1ull << 18)

/* What is tried: the entry, the access, the processor. */
struct
try {
	uint32_t leaf, level; /* the level that maps, and that of the entry which varies */
	uint64_t bits;
	struct oracle_access access;
	bool implicit; /* the processor's own access, to a descriptor, made at privilege level 3 */
	struct pvrom_mmu_regs regs;
};

static uint64_t tables[5]; /* by level: gpa */
static uint64_t tried, hidden_faults, wrong;

static void begin(bool gib_pages)
{
	world.gib_pages = gib_pages;
	gw_open(1, 256, 64, true);
	CU_ASSERT(gw_faults(true));
	gw.deaf = true;
	for (uint32_t level = 1; level <= 4; level++)
		tables[level] = gw_take();
	tried = hidden_faults = wrong = 0;
}

static uint64_t *entry_of(uint32_t level)
{
	return gw_at(tables[level]) + (VA >> (12 + 9 * (level - 1)) & 511);
}

/* Everything is allowed but what the entry that varies forbids. */
static void lay(const struct try *t)
{
	for (uint32_t level = t->leaf; level <= 4; level++) {
		uint64_t to = level == t->leaf ? 0 : tables[level - 1];
		uint64_t size = level == t->leaf && level > 1 ? PTE_PS : 0;

		*entry_of(level) = to | size | PTE_P | PTE_W | PTE_U;
		if (level == t->level)
			*entry_of(level) = to | size | t->bits;
	}
}

static bool entries_are(const struct oracle_answer *o)
{
	for (uint32_t i = 0; i < o->steps; i++)
		if (*gw_at(o->step[i].gpa) !=
		    (o->step[i].entry | (o->allowed ? o->step[i].marks : 0)))
			return false;
	return true;
}

static void report(const struct try *t, bool hidden, uint64_t error, const struct oracle_answer *o)
{
	if (wrong++)
		return;
	tap_note("entry %#llx of level %u, leaf %u, %s%s%s%s cr0 %#llx cr4 %#llx efer %#llx: "
		 "hidden %d error %#llx; oracle: allowed %d error %#x",
		 (unsigned long long)t->bits, t->level, t->leaf, t->access.user ? "user " : "",
		 t->access.write ? "write" : "", t->access.fetch ? "fetch" : "",
		 t->access.ac ? " AC" : "", (unsigned long long)t->regs.cr0,
		 (unsigned long long)t->regs.cr4, (unsigned long long)t->regs.efer, hidden,
		 (unsigned long long)error, o->allowed, o->error);
}

/* The shadow knows of the entry or not, and has reserved bits or not. */
static void one_hint(const struct try *t, const struct oracle_answer *o, uint64_t hint)
{
	struct pvrom_mmu_trap trap = {
		.address = VA,
		.error = hint | (t->access.write ? 2u : 0u) | (t->access.user ? 4u : 0u) |
			 (t->access.fetch ? 16u : 0u),
		.rip = ++gw.rip,
		.cs = t->access.user || t->implicit ? 3 : 0,
		.rflags = t->access.ac || t->implicit ? FLAG_AC : 0,
	};
	bool hidden;

	lay(t);
	pvrom_mmu_controls(&gw.mmu, t->regs.cr0, t->regs.cr4, t->regs.efer);
	gw.cpu[0].root = t->regs.cr3;
	hidden = pvrom_mmu_filter(&gw.mmu, &trap);
	tried++;
	hidden_faults += hidden;
	if (hidden != o->allowed || (!hidden && trap.error != o->error) || !entries_are(o))
		report(t, hidden, trap.error, o);
}

static void one(const struct try *t)
{
	struct oracle_answer o;

	lay(t);
	oracle_judge(world_word, &t->regs, WORLD_BITS, world.gib_pages, VA, t->access, &o);
	one_hint(t, &o, 0);
	one_hint(t, &o, 1);
	one_hint(t, &o, 9);
}

static void each_processor(struct try *t)
{
	for (uint32_t i = 0; i < 16; i++) {
		t->regs = (struct pvrom_mmu_regs){
			.cr0 = 0x80000033 | (i & 1 ? CR0_WP : 0),
			.cr3 = tables[4],
			.cr4 = 0xa0 | (i & 2 ? CR4_SMEP : 0) | (i & 4 ? CR4_SMAP : 0),
			.efer = 0x501 | (i & 8 ? EFER_NXE : 0),
		};
		one(t);
	}
}

static void each_access(struct try *t)
{
	for (uint32_t i = 0; i < 16; i++) {
		t->access = (struct oracle_access){
			.write = (i & 3) == 1, .fetch = (i & 3) == 2, .user = i & 4, .ac = i & 8
		};
		t->implicit = false;
		if ((i & 3) == 3) {
			/* A fourth kind: a read or a write of the processor's own. */
			t->access = (struct oracle_access){ .write = i & 4 };
			t->implicit = true;
		}
		each_processor(t);
	}
}

static void each_entry(uint32_t leaf, uint32_t level)
{
	for (uint32_t i = 0; i < 128; i++) {
		struct try t = { .leaf = leaf, .level = level };

		t.bits = (i & 1 ? PTE_P : 0) | (i & 2 ? PTE_W : 0) | (i & 4 ? PTE_U : 0) |
			 (i & 8 ? PTE_NX : 0) | (i & 16 ? PTE_A : 0) |
			 (i & 32 ? 1ull << (WORLD_BITS + 3) : 0);
		/* Bit 7 of a root entry is reserved; a large page is aligned. */
		if (i & 64)
			t.bits |= level == 4 ? PTE_PS : level == leaf && level > 1 ? 1ull << 20 : 0;
		each_access(&t);
	}
}

static void all_of(bool gib_pages)
{
	begin(gib_pages);
	for (uint32_t leaf = 1; leaf <= 3; leaf++)
		for (uint32_t level = leaf; level <= 4; level++)
			each_entry(leaf, level);
	tap_note("%llu faults, %llu of them hidden", (unsigned long long)tried,
		 (unsigned long long)hidden_faults);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(tried > 800000);
	CU_ASSERT(hidden_faults > 50000);
	CU_ASSERT_STRING_EQUAL(world.wrong, "");
	gw_close();
}

static void agrees_with_the_oracle(void)
{
	all_of(true);
}

static void agrees_without_gib_pages(void)
{
	all_of(false);
}

static const struct tap_test tests[] = {
	{ "each fault has the architecture's outcome and error code", agrees_with_the_oracle },
	{ "likewise on a processor without 1 GiB pages", agrees_without_gib_pages },
	{ 0 },
};

int main(void)
{
	return tap_run("filter", tests);
}
