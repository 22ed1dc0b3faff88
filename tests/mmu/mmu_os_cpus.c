/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest kernel of the random tests: flushes, roots, accesses, and how it begins. */
#include <string.h>

#include "mmu_os.h"

/* ---- flushes -------------------------------------------------------------------------------------------- */

/* One entry, at one address: its table is not shared. */
static bool is_one_leaf(void)
{
	return os.changed_count == 1 && !os.changed_all && !os.changed_upper &&
	       !os.changed_kernel && os.refs[os.changed[0] >> 12] == 1;
}

/* For entries that words have announced: by the call where the instruction says nothing to the host. */
void os_invlpg(uint32_t vcpu, uint64_t address)
{
	if (world.polls && world.calls)
		world_call(vcpu, PVROM_MMU_FLUSH_ONE, address, 0, 0, 0);
	else
		world_invlpg(vcpu, address);
}

static void flush_natively(uint32_t vcpu)
{
	const struct pvrom_mmu_regs regs = os_regs(vcpu, os.space[vcpu]);

	if (os.changed_kernel || os.pcid)
		world_flush(vcpu);
	else if (is_one_leaf() && os_once_in(2))
		os_invlpg(vcpu, os.address);
	else
		world_set_regs(vcpu, &regs);
}

static void flush_by_calls(uint32_t vcpu)
{
	const uint64_t all = (1ull << world.vcpus) - 1;
	uint32_t i;

	if (is_one_leaf() && os_once_in(2)) {
		if (os_once_in(2))
			world_call(vcpu, PVROM_MMU_FLUSH_SET, 0, all, os.address & ~4095ull,
				   PVROM_MMU_FLUSH_PAGES);
		for (i = 0; i < world.vcpus; i++)
			world_call(i, os_once_in(2) ? PVROM_MMU_FLUSH_ONE : PVROM_MMU_FLUSH_RANGE,
				   os.address & ~4095ull, 0, 0, 0);
		return;
	}
	switch (os_below(4)) {
	case 0: world_call(vcpu, PVROM_MMU_FLUSH_SET, 0, all, 0, PVROM_MMU_FLUSH_EVERYTHING); break;
	case 1:
		world_call(vcpu, PVROM_MMU_FLUSH_SET, 1, all >> 1 & ~(1ull << vcpu >> 1), 0,
			   os.changed_kernel ? PVROM_MMU_FLUSH_EVERYTHING
					     : PVROM_MMU_FLUSH_NONGLOBAL);
		world_call(vcpu, PVROM_MMU_FLUSH_ALL, 0, 0, 0, 0);
		if (vcpu)
			world_call(0, PVROM_MMU_FLUSH_ALL, 0, 0, 0, 0);
		break;
	case 2:
		for (i = 0; i < world.vcpus; i++)
			world_call(i, PVROM_MMU_FLUSH_ALL, 0, 0, 0, 0);
		break;
	default:
		for (i = 0; i < world.vcpus; i++)
			flush_natively(i);
	}
}

void os_forget_changed(void)
{
	os.changed_count = 0;
	os.changed_all = os.changed_kernel = os.changed_upper = false;
}

void os_flush(uint32_t vcpu)
{
	uint32_t i;

	if (world.calls)
		flush_by_calls(vcpu);
	for (i = 0; i < world.vcpus && !world.calls; i++)
		flush_natively(i);
	os_forget_changed();
}

struct pvrom_mmu_regs os_regs(uint32_t vcpu, uint32_t space)
{
	struct pvrom_mmu_regs regs = world.vcpu[vcpu].regs;

	/* With PCIDs, what is known of this one may be kept: all changes are flushed everywhere. */
	regs.cr3 = os.root[space];
	if (os.pcid)
		regs.cr3 |= (space + 1) | (uint64_t)os_below(2) << 63;
	return regs;
}

void os_load(uint32_t vcpu, uint32_t space)
{
	const struct pvrom_mmu_regs regs = os_regs(vcpu, space);

	os.space[vcpu] = space;
	if (world.calls && os_once_in(2)) {
		if (world_call(vcpu, PVROM_MMU_SWITCH_ROOT, regs.cr3, 0, 0, 0))
			world_wrong("SWITCH_ROOT refused");
	} else if (!world_set_regs(vcpu, &regs)) {
		world_wrong("the root is refused");
	}
}

/* ---- accesses ------------------------------------------------------------------------------------------- */

/* Does the path to an address go through something that was changed and not flushed? */
static bool is_strict(uint32_t vcpu, uint64_t address)
{
	struct oracle_answer o;
	uint32_t i, j;

	if (os.changed_all)
		return false;
	if (!os.changed_count)
		return true;
	oracle_judge(world_word, &world.vcpu[vcpu].regs, WORLD_BITS, world.gib_pages, address,
		     (struct oracle_access){ .write = false }, &o);
	for (i = 0; i < o.steps; i++)
		for (j = 0; j < os.changed_count; j++)
			if (o.step[i].gpa == os.changed[j])
				return false;
	return true;
}

static uint64_t any_address(void)
{
	switch (os_below(8)) {
	case 0: return OS_KERNEL + ((uint64_t)os_below(OS_KERNEL_PAGES) << 12);
	case 1: return OS_DIRECT + ((uint64_t)os_below(WORLD_PAGES) << 12) + os_below(4096);
	case 2: return os_large_address(os_below(OS_LARGE_VAS)) + os_below(1u << 21);
	case 3: return os_gib_address(os_below(OS_GIB_VAS)) + os_below(20u << 20);
	default: return os_address(os_below(OS_VAS)) + os_below(4096);
	}
}

static struct oracle_access any_access(void)
{
	const uint32_t how = os_below(8);

	return (struct oracle_access){
		.write = how < 3, .fetch = how == 3, .user = os_once_in(2), .ac = os_once_in(2)
	};
}

void os_focus(uint64_t address)
{
	os.recent[os.recent_next++ % OS_RECENT] = address;
}

void os_look(uint32_t vcpu, uint64_t address)
{
	world_judge(vcpu, address, any_access(), is_strict(vcpu, address));
}

void os_judge(uint32_t vcpu, uint64_t address)
{
	world_judge(vcpu, address, any_access(), true);
}

void os_touch(void)
{
	const bool recent = os.recent_next && os_once_in(2);

	os_look(os_any_vcpu(), recent ? os.recent[os_below(OS_RECENT)] : any_address());
}

void os_warm(uint64_t address)
{
	uint32_t i;

	os_focus(address);
	for (i = 0; i < 1 + world.vcpus; i++)
		os_look(os_any_vcpu(), address);
}

static void audit_vcpu(uint32_t vcpu)
{
	uint32_t i;

	for (i = 0; i < OS_VAS; i++)
		world_audit(vcpu, os_address(i));
	for (i = 0; i < OS_LARGE_VAS; i++)
		world_audit(vcpu, os_large_address(i) + os_below(1u << 21));
	for (i = 0; i < OS_GIB_VAS; i++)
		world_audit(vcpu, os_gib_address(i) + os_below(20u << 20));
	for (i = 0; i < OS_KERNEL_PAGES; i++)
		world_audit(vcpu, OS_KERNEL + ((uint64_t)i << 12));
	for (i = 0; i < OS_RECENT; i++)
		world_audit(vcpu, os.recent[i]);
}

void os_audit(void)
{
	uint32_t i;

	for (i = 0; i < world.vcpus && !os.changed_all && !os.changed_count; i++)
		audit_vcpu(i);
}

/* ---- the beginning ---------------------------------------------------------------------------------------- */

static uint64_t boot_table(uint32_t *next)
{
	const uint64_t gpa = (uint64_t)(*next)++ << 12;

	os.refs[gpa >> 12] = 1;
	return gpa;
}

static void boot_tables(void)
{
	uint32_t next = WORLD_TABLES, i;
	const uint64_t root = boot_table(&next), direct_l2 = 0x12000;
	const uint64_t kernel_l2 = 0x14000;

	os.direct_l3 = boot_table(&next);
	boot_table(&next);
	os.kernel_l3 = boot_table(&next);
	boot_table(&next);
	os.kernel_l1 = boot_table(&next);
	os.root[0] = root;
	os_write_word(root + 256 * 8, os.direct_l3 | PTE_P | PTE_W | PTE_A);
	os_write_word(root + 511 * 8, os.kernel_l3 | PTE_P | PTE_W | PTE_A);
	os_write_word(os.direct_l3, direct_l2 | PTE_P | PTE_W | PTE_A);
	os_write_word(os.kernel_l3, kernel_l2 | PTE_P | PTE_W | PTE_A);
	os_write_word(kernel_l2, os.kernel_l1 | PTE_P | PTE_W | PTE_A);
	for (i = 0; i < WORLD_PAGES / 512; i++)
		os_write_word(direct_l2 + i * 8,
			      (uint64_t)i << 21 | PTE_P | PTE_W | PTE_PS | PTE_G);
	for (i = 0; i < OS_KERNEL_PAGES; i++)
		os_write_word(os.kernel_l1 + i * 8,
			      (uint64_t)(WORLD_DATA + 100 + i) << 12 | PTE_P | PTE_W | PTE_G);
}

static const uint8_t levels[6] = { 4, 3, 2, 3, 2, 1 };

static void announce_boot_tables(void)
{
	uint32_t i;

	for (i = 0; i < 6; i++)
		if (world_call(0, PVROM_MMU_REGISTER_TABLE, (uint64_t)(WORLD_TABLES + i) << 12,
			       levels[i], PVROM_MMU_NONE, 0))
			world_wrong("a first table is refused");
}

void os_boot(uint64_t seed)
{
	struct pvrom_mmu_regs regs = { 0x80010001, (uint64_t)WORLD_TABLES << 12, 0xa0, 0xd00 };
	uint32_t i;

	memset(&os, 0, sizeof(os));
	os.random = seed * 2 + 1;
	os_below(1);
	boot_tables();
	memcpy(&os.level[WORLD_TABLES], levels, sizeof(levels));
	os.wants_calls = world.calls;
	if (world.calls)
		announce_boot_tables();
	for (i = 0; i < world.vcpus; i++)
		if (!world_set_regs(i, &regs))
			world_wrong("the first root is refused");
}
