/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Operations on processors: roots, modes, and what one of them does while the others go on. */
#include "mmu_ops.h"

static bool op_switch(void)
{
	os_load(os_any_vcpu(), os_any_space());
	return true;
}

static bool op_mode(void)
{
	static const uint64_t cr4[] = { 0xa0, 0x20, 0x1000a0, 0x2000a0, 0x3000a0 };
	const uint32_t vcpu = os_any_vcpu();
	struct pvrom_mmu_regs regs = os_regs(vcpu, os.space[vcpu]);

	os_warm(OS_KERNEL + ((uint64_t)os_below(OS_KERNEL_PAGES) << 12));
	regs.cr4 = cr4[os_below(5)] | (os.pcid ? 1 << 17 : 0);
	regs.cr0 = os_once_in(3) ? 0x80000001 : 0x80010001;
	regs.efer = os_once_in(6) ? 0x500 : 0xd00;
	if (!(regs.cr0 & 0x10000)) /* SMAP is not kept with WP clear: see mmu_host.h */
		regs.cr4 &= ~0x200000ull;
	if (!world_set_regs(vcpu, &regs))
		world_wrong("registers refused");
	return true;
}

/* Two vCPUs that run in one space; false if there is only one vCPU. */
static bool pair(uint32_t *a, uint32_t *b)
{
	if (world.vcpus < 2)
		return false;
	*a = os_any_vcpu();
	*b = (*a + 1 + os_below(world.vcpus - 1)) % world.vcpus;
	if (os.space[*a] != os.space[*b])
		os_load(*b, os.space[*a]);
	return true;
}

static void flush_alone(uint32_t vcpu, uint64_t address)
{
	const struct pvrom_mmu_regs regs = os_regs(vcpu, os.space[vcpu]);

	switch (world.calls ? os_below(6) : os_below(3)) {
	case 0: os_invlpg(vcpu, address); break;
	case 1: world_set_regs(vcpu, &regs); break;
	case 2: world_flush(vcpu); break;
	case 3: world_call(vcpu, PVROM_MMU_FLUSH_ONE, address, 0, 0, 0); break;
	case 4: world_call(vcpu, PVROM_MMU_FLUSH_RANGE, address & ~4095ull, 0, 0, 0); break;
	default: world_call(vcpu, PVROM_MMU_SWITCH_ROOT, regs.cr3, 0, 0, 0); break;
	}
}

/* One vCPU makes an entry stricter and does not flush yet; another one flushes itself, and must see it. */
static bool op_other(void)
{
	const uint64_t address = os_address(os_below(OS_VAS));
	uint32_t a, b, i;
	uint64_t gpa;

	if (!pair(&a, &b))
		return false;
	gpa = os_entry(a, os.space[a], address, 1, false);
	if (!gpa || !(os_get(gpa) & PTE_P))
		return false;
	for (i = 0; i < 3; i++)
		os_look(b, address);
	os_store(a, gpa, os_once_in(2) ? 0 : os_get(gpa) & ~(PTE_W | PTE_U));
	flush_alone(b, address);
	for (i = 0; i < 3; i++)
		os_judge(b, address);
	os.address = address;
	os_flush(a);
	return true;
}

/*
 * One vCPU goes on writing a table that it wrote before, while another flushes itself until an engine might
 * think that the table rests. What was written is to be seen after the writer's own flush.
 */
static bool op_writer(void)
{
	const uint64_t address = os_address(os_below(OS_VAS));
	const uint32_t flushes = os_below(6);
	uint32_t writer, other, i;
	uint64_t gpa;

	if (!pair(&other, &writer))
		return false;
	gpa = os_entry(writer, os.space[writer], address, 1, false);
	if (!gpa || !(os_get(gpa) & PTE_P))
		return false;
	os_store(writer, gpa, os_get(gpa) | PTE_A);
	os_look(other, address);
	for (i = 0; i < flushes; i++)
		flush_alone(other, os_address(0));
	os_store(writer, gpa, os_once_in(2) ? 0 : os_data() | os_random_flags());
	os.address = address;
	os_flush(writer);
	for (i = 0; i < 2; i++) {
		os_judge(writer, address);
		os_judge(other, address);
	}
	return true;
}

/*
 * One vCPU stays in the guest, with upper levels of its tables remembered, while another needs so many tables that
 * those of the first may be taken back.
 */
static bool op_crowd(void)
{
	const uint32_t region = os_below(OS_VAS / 8) * 8;
	uint32_t a, b, i, space;

	if (!pair(&a, &b))
		return false;
	for (i = 0; i < 4; i++)
		os_judge(a, os_address(region + i));
	for (space = 0; space < OS_SPACES; space++) {
		if (!os.root[space])
			continue;
		os_load(b, space);
		for (i = 0; i < OS_VAS; i += 1 + os_below(4))
			os_judge(b, os_address(i));
	}
	for (i = 0; i < 8; i++)
		os_judge(a, os_address(region + i));
	return true;
}

/* Nobody makes a call: the host has looked by itself, and INVLPG flushes if something was mapped there. */
static bool op_polled(void)
{
	const uint32_t vcpu = os_any_vcpu();
	const uint64_t address = os_address(os_below(OS_VAS));
	const uint64_t gpa = os_entry(vcpu, os.space[vcpu], address, 1, false);
	bool was_mapped;
	uint32_t i;

	/* Not of a table that is not registered. */
	if (!world.polls || !world.calls || !gpa ||
	    world_call(vcpu, PVROM_MMU_NOTIFY, gpa, 1, 0, 0))
		return false;
	for (i = 0; i < 3; i++)
		os_look(vcpu, address);
	was_mapped = os_get(gpa) & PTE_P;
	os_store(vcpu, gpa, os_once_in(4) ? 0 : os_data() | os_random_flags());
	world_poll();
	if (was_mapped)
		world_invlpg(vcpu, address);
	for (i = 0; i < 3; i++)
		os_judge(vcpu, address);
	os.address = address;
	os_flush(vcpu);
	return true;
}

const struct os_operation os_cpu_operations[] = {
	{ "switch", op_switch, 14, true }, { "mode", op_mode, 3, false },
	{ "other", op_other, 6, false },   { "writer", op_writer, 6, false },
	{ "crowd", op_crowd, 2, false },   { "polled", op_polled, 4, false },
	{ NULL, NULL, 0, false },
};
