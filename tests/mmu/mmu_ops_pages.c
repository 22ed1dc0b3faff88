/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Operations on the pages of an address space: single entries, ranges, and what is no entry at all. */
#include "mmu_ops.h"

static bool op_map(void)
{
	const uint32_t vcpu = os_any_vcpu(), space = os_any_space();
	uint32_t count = 1 + os_below(8), i = os_below(OS_VAS);
	bool did = false;

	for (; count && os_have_tables(8); count--, i = (i + 1) % OS_VAS) {
		const uint64_t gpa = os_entry(vcpu, space, os_address(i), 1, true);

		if (!gpa || (os_get(gpa) & PTE_P))
			continue;
		os_focus(os_address(i));
		os_store(vcpu, gpa, os_data() | os_random_flags());
		did = true;
	}
	return did;
}

static bool op_unmap(void)
{
	const uint32_t vcpu = os_any_vcpu(), space = os_any_space();
	uint32_t count = 1 + os_below(6), i = os_below(OS_VAS), look = OS_VAS;
	bool did = false;

	for (; count && look; look--, i = (i + 1) % OS_VAS) {
		const uint64_t gpa = os_entry(vcpu, space, os_address(i), 1, false);

		if (!gpa || !(os_get(gpa) & PTE_P))
			continue;
		os_warm(os_address(i));
		os_store(vcpu, gpa, os_once_in(4) ? os_get(gpa) & ~PTE_P : 0);
		if (os_once_in(2)) /* what goes after it may be what shows a mistake */
			os_touch();
		os.address = os_address(i);
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
	const uint32_t vcpu = os_any_vcpu(), space = os_any_space();
	uint32_t count = 1 + os_below(6), i = os_below(OS_VAS), look = OS_VAS;
	bool did = false;

	for (; count && look; look--, i = (i + 1) % OS_VAS) {
		const uint64_t gpa = os_entry(vcpu, space, os_address(i), 1, false);
		uint64_t e;

		if (!gpa || !(os_get(gpa) & PTE_P))
			continue;
		os_warm(os_address(i));
		e = os_get(gpa);
		if (os_once_in(6))
			e = (e & ~PTE_ADDRESS) | os_data();
		else
			e ^= bits[os_below(os_once_in(20) ? 7 : 6)];
		os_store(vcpu, gpa, e);
		if (os_once_in(3))
			os_touch();
		os.address = os_address(i);
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
	const uint32_t vcpu = os_any_vcpu(), space = os_any_space(), level = 2 + os_below(3);
	const uint64_t address = os_address(os_below(OS_VAS));
	const uint64_t gpa = os_entry(vcpu, space, address, level, false);

	if (!gpa || !(os_get(gpa) & PTE_P) || (os_get(gpa) & PTE_PS))
		return false;
	os_warm(address);
	/* Mostly back to what allows things. */
	os_store(vcpu, gpa,
		 os_once_in(3) ? os_get(gpa) ^ bits[os_below(4)]
			       : (os_get(gpa) & ~PTE_NX) | PTE_W | PTE_U | PTE_A);
	os.changed_upper = true;
	os_touch();
	os_flush(vcpu);
	return true;
}

static bool op_kernel(void)
{
	const uint32_t vcpu = os_any_vcpu();
	const uint32_t i = os_below(OS_KERNEL_PAGES);
	const uint64_t gpa = os.kernel_l1 + i * 8;

	os_warm(OS_KERNEL + ((uint64_t)i << 12));
	os_store(vcpu, gpa, os_once_in(5) ? 0 : os_data() | ((os_random_flags() | PTE_G) & ~PTE_U));
	os_touch();
	os_flush(vcpu);
	return true;
}

static bool op_garbage(void)
{
	const uint32_t vcpu = os_any_vcpu(), space = os_any_space(), level = 1 + os_below(2);
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
	os.address = address;
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
	const uint32_t vcpu = os_any_vcpu(), space = os_any_space(), what = os_below(3);
	const uint32_t first = os_below(OS_VAS) & ~7u, pages = os_once_in(2) ? 4 : 512;
	const uint64_t address = os_address(first), all = (1ull << world.vcpus) - 1;
	uint64_t gpa, e;
	uint32_t i, status;

	if (!world.calls || os_once_in(4))
		return sweep(vcpu, space);
	os_warm(address);
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

/* A page, or a whole leaf table, at a second place. */
static bool op_alias(void)
{
	const uint32_t vcpu = os_any_vcpu(), space = os_any_space(), level = 1 + os_once_in(3);
	const uint64_t from = os_entry(vcpu, space, os_address(os_below(OS_VAS)), level, false);
	const uint64_t address = os_address(os_below(OS_VAS));
	const uint64_t to = os_have_tables(8) ? os_entry(vcpu, space, address, level, true) : 0;
	uint64_t e, old;

	if (!from || !to || from == to || !(os_get(from) & PTE_P))
		return false;
	e = os_get(from);
	old = os_get(to);
	os_warm(address);
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
	os.address = address;
	if (old & PTE_P)
		os_flush(vcpu);
	return true;
}

const struct os_operation os_page_operations[] = {
	{ "map", op_map, 16, false },
	{ "unmap", op_unmap, 14, true },
	{ "rights", op_rights, 16, true },
	{ "upper", op_upper, 7, false },
	{ "alias", op_alias, 28, true },
	{ "kernel", op_kernel, 5, false },
	{ "garbage", op_garbage, 4, false },
	{ "range", op_range, 12, false },
	{ NULL, NULL, 0, false },
};
