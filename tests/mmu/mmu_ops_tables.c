/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Operations on whole tables and large pages. */
#include "mmu_ops.h"

#define LARGE_FRAMES 2

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
	const uint32_t vcpu = os_any_vcpu(), parent = os_any_space(), child = free_space();
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
	os_load(os_any_vcpu(), child);
	return true;
}

static bool op_exit(void)
{
	const uint32_t vcpu = os_any_vcpu(), space = os_below(OS_SPACES);
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

/* Large pages of either size: 2 MiB where level is 2, 1 GiB where it is 3. */
static uint64_t large_place(uint32_t *level, uint64_t *address, uint32_t space, uint32_t vcpu)
{
	*level = os_once_in(4) ? 3 : 2;
	*address = *level == 3 ? os_gib_address(os_below(OS_GIB_VAS))
			       : os_large_address(os_below(OS_LARGE_VAS));
	return os_have_tables(8) ? os_entry(vcpu, space, *address, *level, true) : 0;
}

/* Mostly the first GiB, where there is memory. */
static uint64_t large_value(uint32_t level)
{
	const uint64_t frame = level == 2 ? large_frame() : (uint64_t)os_once_in(8) << 30;

	return frame | os_random_flags() | PTE_PS;
}

static uint64_t large_touch(uint32_t level, uint64_t address)
{
	return address + (level == 2 ? os_below(1u << 21) : os_below(20u << 20));
}

static bool op_large(void)
{
	const uint32_t vcpu = os_any_vcpu(), space = os_any_space();
	uint32_t level, i;
	uint64_t address, e;
	const uint64_t gpa = large_place(&level, &address, space, vcpu);

	if (!gpa || ((os_get(gpa) & PTE_P) && !(os_get(gpa) & PTE_PS)))
		return false;
	os_warm(large_touch(level, address));
	e = os_once_in(4) && os_get(gpa) ? 0 : large_value(level);
	if (os_once_in(16))
		e |= 1ull << (13 + os_below(level == 2 ? 8 : 17)); /* reserved */
	os_store(vcpu, gpa, e);
	os_touch();
	os.changed_upper = true;
	os_flush(vcpu);
	for (i = 0; i < 3; i++)
		os_focus(large_touch(level, address));
	return true;
}

/* A large page becomes a table of its parts. */
static bool op_split(void)
{
	const uint32_t vcpu = os_any_vcpu(), space = os_any_space();
	uint32_t level, i;
	uint64_t address, e, table, parts, entries[512];
	const uint64_t gpa = large_place(&level, &address, space, vcpu);

	if (!gpa || ((os_get(gpa) & PTE_P) && !(os_get(gpa) & PTE_PS)))
		return false;
	if (!(os_get(gpa) & PTE_P))
		os_store(vcpu, gpa, large_value(level));
	os_warm(large_touch(level, address));
	e = os_get(gpa);
	parts = (1ull << (3 + 9 * level)) - 8192;
	table = os_new_table(vcpu, level - 1, 0);
	for (i = 0; i < 512; i++)
		entries[i] = (e & ~(parts | (level == 2 ? PTE_PS : 0))) +
			     ((uint64_t)i << (3 + 9 * (level - 1)));
	os_store_page(vcpu, table, entries);
	os_store(vcpu, gpa, table | PTE_P | PTE_W | PTE_U | PTE_A);
	os.changed_upper = true;
	os_touch();
	os_flush(vcpu);
	os_focus(large_touch(level, address));
	return true;
}

/* A table becomes a large page. */
static bool op_merge(void)
{
	const uint32_t vcpu = os_any_vcpu(), space = os_any_space();
	uint32_t level;
	uint64_t address, e;
	const uint64_t gpa = large_place(&level, &address, space, vcpu);

	if (!gpa || (os_get(gpa) & (PTE_P | PTE_PS)) != PTE_P)
		return false;
	os_warm(large_touch(level, address));
	e = os_get(gpa);
	os_store(vcpu, gpa, large_value(level));
	os_free_below(vcpu, e, level);
	os.changed_upper = true;
	os_touch();
	os_flush(vcpu);
	os_focus(large_touch(level, address));
	return true;
}

/*
 * A table is taken out, and what it maps is changed while nothing leads there: no flush is owed for that. Then
 * it is put in again, and nothing of the old is to be seen.
 */
static bool op_relink(void)
{
	const uint32_t vcpu = os_any_vcpu(), space = os_any_space(), level = 2 + os_below(3);
	const uint64_t address = os_address(os_below(OS_VAS));
	const uint64_t gpa = os_entry(vcpu, space, address, level, false);
	const uint64_t leaf = os_entry(vcpu, space, address, 1, false);
	uint64_t e;
	uint32_t i;

	if (!gpa || !leaf || !(os_get(leaf) & PTE_P) || os.refs[leaf >> 12] != 1)
		return false;
	e = os_get(gpa);
	if (!(e & PTE_P) || (e & PTE_PS) || (e & PTE_ADDRESS) >> 12 >= WORLD_DATA)
		return false;
	for (i = 0; i < 3; i++)
		os_warm(address);
	if (os_once_in(2)) /* so that the leaf table is out of sync */
		os_store(vcpu, leaf, os_get(leaf) | PTE_A);
	os_store(vcpu, gpa, 0);
	os.changed_upper = true;
	os_flush(vcpu);
	os_store(vcpu, leaf, os_once_in(2) ? 0 : os_data() | os_random_flags());
	os_forget_changed();
	os_store(vcpu, gpa, e | PTE_A);
	for (i = 0; i < world.vcpus; i++)
		os_judge(i, address);
	return true;
}

const struct os_operation os_table_operations[] = {
	{ "fork", op_fork, 18, true },	 { "exit", op_exit, 40, false },
	{ "large", op_large, 7, false }, { "split", op_split, 19, true },
	{ "merge", op_merge, 19, true }, { "relink", op_relink, 8, false },
	{ NULL, NULL, 0, false },
};
