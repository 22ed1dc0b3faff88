/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Random work of a guest kernel on 1 to 4 vCPUs, with and without calls, in large pools and the smallest:
 * after each operation every translation, right and A and D bit must be what the oracle says.
 *
 *	mmu_random OPERATIONS [BUG]		PVROM_SEED chooses the seed; "new": of the day
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../pvmmu/mmu_bugs.h"
#include "mmu_os.h"

#define LARGE_FRAMES 2

/* ---- operations; each returns whether it found something to do ---------------------------------------- */

static uint32_t any_vcpu(void)
{
	return os_below(world.vcpus);
}

/* A space that is there. */
static uint32_t any_space(void)
{
	uint32_t space = os_below(OS_SPACES);

	while (!os.root[space])
		space = (space + 1) % OS_SPACES;
	return space;
}

static uint64_t random_flags(void)
{
	return PTE_P | (os_once_in(4) ? 0 : PTE_W) | (os_once_in(6) ? 0 : PTE_U) |
	       (os_once_in(2) ? PTE_A : 0) | (os_once_in(3) ? PTE_D : 0) |
	       (os_once_in(8) ? PTE_NX : 0) | (os_once_in(8) ? 1ull << (9 + os_below(3)) : 0);
}

static bool op_map(void)
{
	const uint32_t vcpu = any_vcpu(), space = any_space();
	uint32_t count = 1 + os_below(8), i = os_below(OS_VAS);
	bool did = false;

	for (; count && os_have_tables(8); count--, i = (i + 1) % OS_VAS) {
		const uint64_t gpa = os_entry(vcpu, space, os_address(i), 1, true);

		if (!gpa || (os_get(gpa) & PTE_P))
			continue;
		os_store(vcpu, gpa, os_data() | random_flags());
		did = true;
	}
	return did;
}

static void changed_leaf(uint64_t address)
{
	os.address = address;
}

static bool op_unmap(void)
{
	const uint32_t vcpu = any_vcpu(), space = any_space();
	uint32_t count = 1 + os_below(6), i = os_below(OS_VAS), look = OS_VAS;
	bool did = false;

	for (; count && look; look--, i = (i + 1) % OS_VAS) {
		const uint64_t gpa = os_entry(vcpu, space, os_address(i), 1, false);

		if (!gpa || !(os_get(gpa) & PTE_P))
			continue;
		os_store(vcpu, gpa, os_once_in(4) ? os_get(gpa) & ~PTE_P : 0);
		if (os_once_in(2)) /* what goes after it may be what shows a mistake */
			os_touch();
		changed_leaf(os_address(i));
		did = true;
		count--;
	}
	if (did)
		os_flush(vcpu);
	return did;
}

/* Rights, A and D, the frame: of leaf entries. */
static bool op_rights(void)
{
	static const uint64_t bits[] = { PTE_W, PTE_W, PTE_U, PTE_NX, PTE_A, PTE_D, 1ull << 45 };
	const uint32_t vcpu = any_vcpu(), space = any_space();
	uint32_t count = 1 + os_below(6), i = os_below(OS_VAS), look = OS_VAS;
	bool did = false;

	for (; count && look; look--, i = (i + 1) % OS_VAS) {
		const uint64_t gpa = os_entry(vcpu, space, os_address(i), 1, false);
		uint64_t e;

		if (!gpa || !(os_get(gpa) & PTE_P))
			continue;
		e = os_get(gpa);
		if (os_once_in(6))
			e = (e & ~PTE_ADDRESS) | os_data();
		else
			e ^= bits[os_below(os_once_in(20) ? 7 : 6)];
		os_store(vcpu, gpa, e);
		if (os_once_in(3))
			os_touch();
		changed_leaf(os_address(i));
		did = true;
		count--;
	}
	if (did)
		os_flush(vcpu);
	return did;
}

/* The same of upper entries. */
static bool op_upper(void)
{
	static const uint64_t bits[] = { PTE_W, PTE_U, PTE_NX, PTE_A };
	const uint32_t vcpu = any_vcpu(), space = any_space(), level = 2 + os_below(3);
	const uint64_t gpa = os_entry(vcpu, space, os_address(os_below(OS_VAS)), level, false);

	if (!gpa || !(os_get(gpa) & PTE_P) || (os_get(gpa) & PTE_PS))
		return false;
	/* Mostly back to what allows things. */
	os_store(vcpu, gpa,
		 os_once_in(3) ? os_get(gpa) ^ bits[os_below(4)]
			       : (os_get(gpa) & ~PTE_NX) | PTE_W | PTE_U | PTE_A);
	os.changed_upper = true;
	os_touch();
	os_flush(vcpu);
	return true;
}

static uint32_t free_space(void)
{
	uint32_t space = os_below(OS_SPACES), tries = 0;

	while (os.root[space] && tries++ < OS_SPACES)
		space = (space + 1) % OS_SPACES;
	return os.root[space] ? OS_SPACES : space;
}

static bool is_loaded(uint32_t space)
{
	uint32_t i;

	for (i = 0; i < world.vcpus; i++)
		if (os.space[i] == space)
			return true;
	return false;
}

/* Copies the tables below an entry; pages that may be written become read-only in both. */
static uint64_t fork_below(uint32_t vcpu, uint64_t entry, unsigned int level)
{
	const uint64_t table = entry & PTE_ADDRESS;
	uint64_t copy, e;
	uint32_t i;

	if (!(entry & PTE_P) || (entry & PTE_PS) || level == 1 || table >> 12 >= WORLD_DATA)
		return entry;
	if (level == 2)
		for (i = 0; i < 512; i++) {
			e = os_get(table + i * 8);
			if ((e & (PTE_P | PTE_W)) == (PTE_P | PTE_W))
				os_store(vcpu, table + i * 8, e & ~PTE_W);
		}
	copy = os_new_table(vcpu, level - 1, table);
	for (i = 0; i < 512 && level > 2; i++) {
		e = os_get(table + i * 8);
		if (e & PTE_P)
			os_store(vcpu, copy + i * 8, fork_below(vcpu, e, level - 1));
	}
	return (entry & ~PTE_ADDRESS) | copy;
}

static bool op_fork(void)
{
	const uint32_t vcpu = any_vcpu(), parent = any_space(), child = free_space();
	uint64_t root;
	uint32_t i;

	if (child == OS_SPACES || !os_have_tables(200))
		return false;
	root = os_new_root(vcpu, 0);
	for (i = 0; i < 2; i++)
		os_store(vcpu, root + i * 8, fork_below(vcpu, os_get(os.root[parent] + i * 8), 4));
	os.root[child] = root;
	os.changed_upper = true;
	os_flush(vcpu);
	os_load(any_vcpu(), child);
	return true;
}

static bool op_exit(void)
{
	const uint32_t vcpu = any_vcpu(), space = os_below(OS_SPACES);
	uint32_t i;

	if (!os.root[space] || is_loaded(space))
		return false;
	for (i = 0; i < 2; i++)
		os_free_below(vcpu, os_get(os.root[space] + i * 8), 4);
	os_free_table(vcpu, os.root[space]);
	os.root[space] = 0;
	os.changed_all = true;
	os_flush(vcpu);
	return true;
}

static uint64_t large_frame(void)
{
	return os_once_in(12) ? 6ull << 21
			      : (uint64_t)(WORLD_LARGE + os_below(LARGE_FRAMES) * 512) << 12;
}

static bool op_large(void)
{
	const uint32_t vcpu = any_vcpu(), space = any_space();
	const uint64_t address = os_large_address(os_below(OS_LARGE_VAS));
	const uint64_t gpa = os_have_tables(8) ? os_entry(vcpu, space, address, 2, true) : 0;
	uint64_t e;

	if (!gpa || ((os_get(gpa) & PTE_P) && !(os_get(gpa) & PTE_PS)))
		return false;
	e = os_once_in(4) && os_get(gpa) ? 0 : large_frame() | random_flags() | PTE_PS;
	if (os_once_in(16))
		e |= 1ull << (13 + os_below(8)); /* reserved */
	os_store(vcpu, gpa, e);
	os_touch();
	os.changed_upper = true;
	os_flush(vcpu);
	return true;
}

/* A large page becomes a table of its parts, or the table a large page again. */
static bool op_split_merge(void)
{
	const uint32_t vcpu = any_vcpu(), space = any_space();
	const uint64_t address = os_large_address(os_below(OS_LARGE_VAS));
	const uint64_t gpa = os_have_tables(8) ? os_entry(vcpu, space, address, 2, true) : 0;
	uint64_t e, table, entries[512];
	uint32_t i;

	if (!gpa)
		return false;
	e = os_get(gpa);
	if (!(e & PTE_P)) {
		os_store(vcpu, gpa, large_frame() | random_flags() | PTE_PS);
		e = os_get(gpa);
	}
	if (e & PTE_PS) {
		table = os_new_table(vcpu, 1, 0);
		for (i = 0; i < 512; i++)
			entries[i] = ((e & ~(PTE_PS | 0x1fe000)) + ((uint64_t)i << 12));
		os_store_page(vcpu, table, entries);
		os_store(vcpu, gpa, table | PTE_P | PTE_W | PTE_U | PTE_A);
	} else {
		os_store(vcpu, gpa, large_frame() | random_flags() | PTE_PS);
		os_free_below(vcpu, e, 2);
	}
	os.changed_upper = true;
	os_touch();
	os_flush(vcpu);
	return true;
}

/* A page, or a whole leaf table, at a second place. */
static bool op_alias(void)
{
	const uint32_t vcpu = any_vcpu(), space = any_space(), level = 1 + os_once_in(3);
	const uint64_t from = os_entry(vcpu, space, os_address(os_below(OS_VAS)), level, false);
	const uint64_t address = os_address(os_below(OS_VAS));
	const uint64_t to = os_have_tables(8) ? os_entry(vcpu, space, address, level, true) : 0;
	uint64_t e, old;

	if (!from || !to || from == to || !(os_get(from) & PTE_P))
		return false;
	e = os_get(from);
	old = os_get(to);
	if (level == 2 && ((e & PTE_PS) || (e & PTE_ADDRESS) >> 12 >= WORLD_DATA ||
			   os.refs[(e & PTE_ADDRESS) >> 12] > 3))
		return false;
	if (level == 2)
		os.refs[(e & PTE_ADDRESS) >> 12]++;
	os_store(vcpu, to, level == 1 ? e ^ (os_once_in(2) ? PTE_W : 0) : e);
	if (level == 2) {
		os_free_below(vcpu, old, 2);
		os.changed_upper = true;
	}
	changed_leaf(address);
	if (old & PTE_P)
		os_flush(vcpu);
	return true;
}

static bool op_switch(void)
{
	os_load(any_vcpu(), any_space());
	return true;
}

static bool op_mode(void)
{
	static const uint64_t cr4[] = { 0xa0, 0x20, 0x1000a0, 0x2000a0, 0x3000a0 };
	const uint32_t vcpu = any_vcpu();
	struct pvrom_mmu_regs regs = os_regs(vcpu, os.space[vcpu]);

	regs.cr4 = cr4[os_below(5)] | (os.pcid ? 1 << 17 : 0);
	regs.cr0 = os_once_in(3) ? 0x80000001 : 0x80010001;
	regs.efer = os_once_in(6) ? 0x500 : 0xd00;
	if (!(regs.cr0 & 0x10000)) /* SMAP is not kept with WP clear: a known shortcoming */
		regs.cr4 &= ~0x200000ull;
	if (!world_set_regs(vcpu, &regs))
		world_wrong("registers refused");
	return true;
}

static bool op_kernel(void)
{
	const uint32_t vcpu = any_vcpu();
	const uint64_t gpa = os.kernel_l1 + os_below(OS_KERNEL_PAGES) * 8;

	os_store(vcpu, gpa, os_once_in(5) ? 0 : os_data() | ((random_flags() | PTE_G) & ~PTE_U));
	os_touch();
	os_flush(vcpu);
	return true;
}

static bool op_garbage(void)
{
	const uint32_t vcpu = any_vcpu(), space = any_space(), level = 1 + os_below(2);
	const uint64_t address = os_address(os_below(OS_VAS));
	const uint64_t gpa = os_entry(vcpu, space, address, level, false);
	uint64_t old, e = (uint64_t)os_below(UINT32_MAX) << 32 | os_below(UINT32_MAX);

	if (!gpa)
		return false;
	old = os_get(gpa);
	if (level == 1 && os_once_in(2))
		e &= PTE_ADDRESS >> 8 | 0xfff;
	if (level == 2 &&
	    (e & PTE_P)) /* a table that is none, but none of ours: A bits would spoil them */
		e = (e & ~PTE_ADDRESS) | (WORLD_DATA2 + 40 + os_below(100)) << 12;
	os_store(vcpu, gpa, e);
	if (level == 2)
		os_free_below(vcpu, old, 2);
	os.changed_upper |= level == 2;
	changed_leaf(address);
	os_touch();
	os_touch();
	os_store(vcpu, gpa, 0);
	os_flush(vcpu);
	return true;
}

/* Without calls: a sweep, as a kernel makes that looks for pages not used. */
static bool sweep(uint32_t vcpu, uint32_t space)
{
	bool did = false;
	uint32_t i;

	for (i = 0; i < OS_VAS; i++) {
		const uint64_t gpa = os_entry(vcpu, space, os_address(i), 1, false);

		if (!gpa || (os_get(gpa) & (PTE_P | PTE_A)) != (PTE_P | PTE_A))
			continue;
		os_store(vcpu, gpa, os_get(gpa) & ~PTE_A);
		did = true;
	}
	os.changed_upper = true;
	if (did)
		os_flush(vcpu);
	return did;
}

/* What RANGE does to the mirror: the same, by the book. */
static uint64_t range_entry(uint64_t e, uint32_t what)
{
	if (what == PVROM_MMU_RANGE_PROTECT)
		return e & ~PTE_W;
	return what == PVROM_MMU_RANGE_CLEAR ? 0 : e;
}

static bool op_range(void)
{
	const uint32_t vcpu = any_vcpu(), space = any_space(), what = os_below(3);
	const uint32_t first = os_below(OS_VAS) & ~7u, pages = os_once_in(2) ? 4 : 512;
	const uint64_t address = os_address(first), all = (1ull << world.vcpus) - 1;
	uint64_t gpa, e;
	uint32_t i, status;

	if (!world.calls || os_once_in(4))
		return sweep(vcpu, space);
	status = world_call(vcpu, PVROM_MMU_RANGE, os.root[space] | what, address | (pages - 1),
			    os_once_in(2) ? PVROM_MMU_NONE : 0x9000, all);
	if (status == PVROM_STATUS_INVALID)
		return true; /* a root that was not announced */
	if (status != PVROM_STATUS_OK || world.value != pages)
		world_wrong("RANGE: status %u, %llu pages", status,
			    (unsigned long long)world.value);
	gpa = os_entry(vcpu, space, address, 1, false);
	for (i = 0; gpa && i < pages; i++, gpa += 8) {
		uint64_t *mirror = (uint64_t *)(void *)&world.mirror[gpa >> 12][gpa & 4088];

		e = range_entry(*mirror, what);
		*mirror = e;
		if (os_get(gpa) != e)
			world_wrong("RANGE %u left %#llx", what, (unsigned long long)os_get(gpa));
	}
	return true;
}

/* ---- the mixture ------------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	bool (*run)(void);
	uint32_t weight;
} ops[] = {
	{ "map", op_map, 16 },	      { "unmap", op_unmap, 12 },
	{ "rights", op_rights, 14 },  { "upper", op_upper, 7 },
	{ "fork", op_fork, 14 },      { "exit", op_exit, 40 },
	{ "large", op_large, 7 },     { "split_merge", op_split_merge, 9 },
	{ "alias", op_alias, 24 },    { "switch", op_switch, 12 },
	{ "mode", op_mode, 3 },	      { "kernel", op_kernel, 5 },
	{ "garbage", op_garbage, 4 }, { "range", op_range, 12 },
};
#define OPS (sizeof(ops) / sizeof(ops[0]))

static uint64_t histogram[OPS];

static uint32_t choose(void)
{
	uint32_t total = 0, at;
	size_t i;

	for (i = 0; i < OPS; i++)
		total += ops[i].weight;
	at = os_below(total);
	for (i = 0; at >= ops[i].weight; i++)
		at -= ops[i].weight;
	return (uint32_t)i;
}

static void one_operation(void)
{
	uint32_t op, i;

	do
		op = choose();
	while (!ops[op].run());
	histogram[op]++;
	for (i = 0; i < 4; i++)
		os_touch();
}

/* ---- machines ---------------------------------------------------------------------------------------------- */

struct machine {
	uint32_t vcpus, pool;
	bool calls, pcid, gib;
};

static bool work(const struct machine *m, uint64_t operations, uint64_t seed)
{
	uint64_t i;

	world.gib_pages = m->gib;
	world_open(m->vcpus, m->pool ? m->pool : pvrom_mmu_pool_min(m->vcpus), m->calls, seed);
	os_boot(seed);
	os.pcid = m->pcid;
	for (i = 0; i < operations && !world.wrong[0]; i++) {
		one_operation();
		if (i % 256 == 0)
			world_compare();
	}
	world_compare();
	if (world.wrong[0])
		printf("# operation %llu: %s\n", (unsigned long long)i, world.wrong);
	world_close();
	return !world.wrong[0];
}

static const struct machine machines[] = {
	{ 1, 2048, true, false, false }, { 4, 2048, true, false, true },
	{ 2, 0, true, false, false },	 { 4, 0, true, true, false },
	{ 1, 2048, false, false, true }, { 4, 2048, false, false, false },
	{ 2, 0, false, true, false },	 { 3, 300, false, false, false },
};
#define MACHINES (sizeof(machines) / sizeof(machines[0]))

static uint64_t choose_seed(void)
{
	const char *text = getenv("PVROM_SEED");

	if (!text)
		return 20261121;
	return !strcmp(text, "new") ? (uint64_t)time(NULL) : strtoull(text, NULL, 0);
}

static void name_machine(const struct machine *m, bool ok, size_t number)
{
	printf("%sok %zu - %u vCPUs, %s, pool of %u%s%s%s\n", ok ? "" : "not ", number, m->vcpus,
	       m->calls ? "calls" : "no calls", m->pool ? m->pool : pvrom_mmu_pool_min(m->vcpus),
	       m->pool ? "" : " (the least)", m->pcid ? ", PCID" : "",
	       " [PVROM-MMU-1 PVROM-MMU-2 PVROM-MMU-3]");
	fflush(stdout);
}

static bool print_histogram(uint64_t total)
{
	static const char *const often[] = { "fork",	    "unmap", "rights",
					     "split_merge", "alias", "switch" };
	bool ok = true;
	size_t i, j;

	for (i = 0; i < OPS; i++) {
		printf("# %-12s %10llu  %4.1f %%\n", ops[i].name, (unsigned long long)histogram[i],
		       100.0 * (double)histogram[i] / (double)total);
		for (j = 0; j < sizeof(often) / sizeof(often[0]); j++)
			if (!strcmp(ops[i].name, often[j]) && histogram[i] * 20 < total)
				ok = false;
	}
	return ok;
}

int main(int argc, char **argv)
{
	const uint64_t operations = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000;
	const uint64_t seed = choose_seed();
	bool all = true, ok;
	size_t i;

	pvrom_mmu_bug = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 0;
	printf("# PVROM_SEED=%llu\n", (unsigned long long)seed);
	for (i = 0; i < MACHINES; i++) {
		ok = work(&machines[i], operations / MACHINES, seed + i);
		name_machine(&machines[i], ok, i + 1);
		all &= ok;
		if (pvrom_mmu_bug && !ok)
			return 1; /* found */
	}
	ok = print_histogram(operations / MACHINES * MACHINES);
	printf("%sok %zu - each kind of operation is often enough\n", ok ? "" : "not ", i + 1);
	printf("1..%zu\n", i + 1);
	return all && ok ? 0 : 1;
}
