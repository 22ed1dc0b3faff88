/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest kernel of the random tests: stores, announcements, tables, flushes. */
#include <string.h>

#include "mmu_os.h"

struct os os;

/* ---- chance ------------------------------------------------------------------------------------------ */

static uint64_t random64(void)
{
	os.random ^= os.random << 13;
	os.random ^= os.random >> 7;
	os.random ^= os.random << 17;
	return os.random * 0x2545f4914f6cdd1dull;
}

uint32_t os_below(uint32_t n)
{
	return (uint32_t)((random64() >> 32) % n);
}

bool os_once_in(uint32_t n)
{
	return !os_below(n);
}

/* ---- addresses --------------------------------------------------------------------------------------- */

static uint64_t large_region(uint32_t i)
{
	return (uint64_t)(i & 1) << 39 | (i & 2 ? 511ull << 30 : 0) | (i & 4 ? 5ull << 21 : 0);
}

uint64_t os_address(uint32_t i)
{
	static const uint16_t slots[8] = { 0, 1, 2, 3, 17, 300, 510, 511 };

	return large_region(i >> 3) | (uint64_t)slots[i & 7] << 12;
}

uint64_t os_large_address(uint32_t i)
{
	return large_region(i) + (6ull << 21);
}

uint64_t os_data(void)
{
	if (os_once_in(40))
		return (uint64_t)(WORLD_HOLE + os_below(WORLD_DATA2 - WORLD_HOLE)) << 12;
	if (os_once_in(3))
		return (uint64_t)(WORLD_DATA2 + os_below(16)) << 12;
	return (uint64_t)(WORLD_DATA + os_below(64)) << 12;
}

/* ---- announcements ------------------------------------------------------------------------------------- */

static uint32_t *ring_field(uint32_t vcpu, uint32_t offset)
{
	return (uint32_t *)(void *)&world.memory[1 + vcpu][offset];
}

static void push(uint32_t vcpu, uint64_t word)
{
	struct world_vcpu *v = &world.vcpu[vcpu];

	if (v->start - *ring_field(vcpu, PVROM_MMU_RING_RETIRED) == 256)
		world_call(vcpu, PVROM_MMU_LAZY_END, 0, 0, 0, 0);
	if (v->start - *ring_field(vcpu, PVROM_MMU_RING_RETIRED) == 256)
		world_wrong("the ring is full after LAZY_END");
	*world_word(((1ull + vcpu) << 12) + PVROM_MMU_RING_WORDS + (v->start & 255) * 8) = word;
	*ring_field(vcpu, PVROM_MMU_RING_START) = ++v->start;
}

static void done(uint32_t vcpu)
{
	struct world_vcpu *v = &world.vcpu[vcpu];

	v->done = v->start;
	*ring_field(vcpu, PVROM_MMU_RING_DONE) = v->done;
}

/* Another processor makes the host look at the rings just now. */
static void meddle(void)
{
	const uint32_t other = os_below(world.vcpus);

	if (!os_once_in(64))
		return;
	if (os_once_in(2))
		world_call(other, PVROM_MMU_LAZY_END, 0, 0, 0, 0);
	else
		world_call(other, PVROM_MMU_FLUSH_ALL, 0, 0, 0, 0);
}

/* ---- stores --------------------------------------------------------------------------------------------- */

uint64_t os_get(uint64_t gpa)
{
	return *world_word(gpa);
}

/* The kernel's own mapping lets it write there. */
static void reach(uint32_t vcpu, uint64_t gpa)
{
	const struct world_outcome o = world_judge(
		vcpu, OS_DIRECT + gpa, (struct oracle_access){ .write = true, .ac = true }, true);

	if (o.result != WORLD_OK || o.gpa != gpa)
		world_wrong("no way to write %#llx", (unsigned long long)gpa);
}

static void write_word(uint64_t gpa, uint64_t value)
{
	*world_word(gpa) = value;
	*(uint64_t *)(void *)&world.mirror[gpa >> 12][gpa & 4088] = value;
}

static void note_changed(uint64_t gpa)
{
	if (os.changed_count == sizeof(os.changed) / sizeof(os.changed[0]))
		os.changed_all = true;
	else
		os.changed[os.changed_count++] = gpa;
	if (os_get(gpa) & PTE_G) /* only the kernel's are, and what op_garbage makes */
		os.changed_kernel = true;
}

void os_store(uint32_t vcpu, uint64_t gpa, uint64_t value)
{
	if (os_get(gpa) & PTE_P)
		note_changed(gpa);
	reach(vcpu, gpa);
	if (!world.calls) {
		write_word(gpa, value);
		return;
	}
	/* By a call, unless the table is one that was not announced. */
	if (os_once_in(32) && !world_call(vcpu, PVROM_MMU_SET_ENTRY, gpa, value, 0, 0)) {
		write_word(gpa, value);
		return;
	}
	push(vcpu, gpa | PVROM_MMU_WORD_CHANGED);
	meddle();
	write_word(gpa, value);
	meddle();
	done(vcpu);
}

void os_store_page(uint32_t vcpu, uint64_t table_gpa, const uint64_t entries[512])
{
	uint32_t i;

	for (i = 0; i < 512; i++)
		if (os_get(table_gpa + i * 8) & PTE_P)
			os.changed_all = true;
	reach(vcpu, table_gpa);
	if (world.calls)
		push(vcpu, table_gpa | 511ull << PVROM_MMU_WORD_MORE_SHIFT);
	for (i = 0; i < 512; i++)
		write_word(table_gpa + i * 8, entries[i]);
	if (world.calls)
		done(vcpu);
}

/* ---- tables --------------------------------------------------------------------------------------------- */

static uint64_t free_page(void)
{
	uint32_t gfn = WORLD_TABLES + os_below(WORLD_DATA - WORLD_TABLES), tries;

	for (tries = 0; tries < WORLD_DATA; tries++) {
		if (!os.refs[gfn])
			return (uint64_t)gfn << 12;
		gfn = gfn + 1 == WORLD_DATA ? WORLD_TABLES : gfn + 1;
	}
	return 0;
}

bool os_have_tables(uint32_t count)
{
	uint32_t gfn, have = 0;

	for (gfn = WORLD_TABLES; gfn < WORLD_DATA && have < count; gfn++)
		have += !os.refs[gfn];
	return have >= count;
}

static void announce_table(uint32_t vcpu, uint64_t gpa, unsigned int level, uint64_t template_gpa)
{
	const bool zeroed = !template_gpa && os_once_in(2);

	if (os_once_in(8)) {
		uint32_t status;
		const uint64_t how = level | (zeroed ? PVROM_MMU_TABLE_ZEROED : 0u);

		/* The template may be one that was not announced. */
		if (template_gpa &&
		    !world_call(vcpu, PVROM_MMU_REGISTER_TABLE, gpa, how, template_gpa, 0))
			return;
		status = world_call(vcpu, PVROM_MMU_REGISTER_TABLE, gpa, how, PVROM_MMU_NONE, 0);
		if (status)
			world_wrong("REGISTER_TABLE %#llx level %u template %#llx: status %u",
				    (unsigned long long)gpa, level,
				    (unsigned long long)template_gpa, status);
		return;
	}
	push(vcpu, gpa | PVROM_MMU_WORD_REGISTER |
			   (uint64_t)(level - 1) << PVROM_MMU_WORD_LEVEL_SHIFT |
			   (zeroed ? PVROM_MMU_WORD_ZEROED : 0u));
	if (template_gpa)
		push(vcpu, template_gpa | PVROM_MMU_WORD_CLONE_OF);
	done(vcpu);
}

/* A page for a table, zero or a copy of its template. */
uint64_t os_new_table(uint32_t vcpu, unsigned int level, uint64_t template_gpa)
{
	const uint64_t gpa = free_page();

	if (!gpa) {
		world_wrong("out of tables");
		return (uint64_t)WORLD_TABLES << 12;
	}
	os.refs[gpa >> 12] = 1;
	reach(vcpu, gpa);
	if (template_gpa)
		memcpy(world.memory[gpa >> 12], world.memory[template_gpa >> 12], 4096);
	else
		memset(world.memory[gpa >> 12], 0, 4096);
	memcpy(world.mirror[gpa >> 12], world.memory[gpa >> 12], 4096);
	if (world.calls &&
	    !os_once_in(50)) /* some kernels forget one: it is watched as in other guests */
		announce_table(vcpu, gpa, level, template_gpa);
	return gpa;
}

void os_free_table(uint32_t vcpu, uint64_t gpa)
{
	if (--os.refs[gpa >> 12])
		return;
	if (!world.calls)
		return;
	/* Its REGISTER may still be in the ring of another CPU, and rings have no order among them. */
	world_call(vcpu, PVROM_MMU_LAZY_END, 0, 0, 0, 0);
	push(vcpu, gpa | PVROM_MMU_WORD_RELEASE);
	done(vcpu);
}

void os_free_below(uint32_t vcpu, uint64_t entry, unsigned int level)
{
	const uint64_t table = entry & PTE_ADDRESS;
	uint32_t i;

	if (!(entry & PTE_P) || (entry & PTE_PS) || level == 1 || table >> 12 >= WORLD_DATA)
		return;
	for (i = 0; i < 512 && os.refs[table >> 12] == 1; i++)
		os_free_below(vcpu, os_get(table + i * 8), level - 1);
	os_free_table(vcpu, table);
}

uint64_t os_entry(uint32_t vcpu, uint32_t space, uint64_t address, unsigned int level, bool create)
{
	uint64_t gpa = os.root[space], e;
	unsigned int at = 4;

	for (;; at--) {
		gpa += (address >> (3 + 9 * at) & 511) * 8;
		if (at == level)
			return gpa;
		e = os_get(gpa);
		if ((e & PTE_P) && (e & PTE_PS))
			return 0;
		if (!(e & PTE_P)) {
			if (!create || e)
				return 0;
			e = os_new_table(vcpu, at - 1, 0) | PTE_P | PTE_W | PTE_U |
			    (os_once_in(8) ? 0 : PTE_A);
			os_store(vcpu, gpa, e);
		}
		gpa = e & PTE_ADDRESS;
		if (gpa >> 12 >= WORLD_DATA || gpa >> 12 < WORLD_TABLES)
			return 0;
	}
}

/* The kernel's part is the same in all spaces. */
uint64_t os_new_root(uint32_t vcpu, uint64_t template_gpa)
{
	const uint64_t root = os_new_table(vcpu, 4, template_gpa);

	os_store(vcpu, root + 256 * 8, os.direct_l3 | PTE_P | PTE_W | PTE_A);
	os_store(vcpu, root + 511 * 8, os.kernel_l3 | PTE_P | PTE_W | PTE_A);
	return root;
}

/* ---- flushes -------------------------------------------------------------------------------------------- */

static void flush_natively(uint32_t vcpu)
{
	const struct pvrom_mmu_regs regs = os_regs(vcpu, os.space[vcpu]);

	if (os.changed_kernel || os.pcid)
		world_flush(vcpu);
	else if (os.changed_count == 1 && !os.changed_all && !os.changed_upper && os_once_in(2))
		world_invlpg(vcpu, os.address);
	else
		world_set_regs(vcpu, &regs);
}

static void flush_by_calls(uint32_t vcpu)
{
	const uint64_t all = (1ull << world.vcpus) - 1;
	uint32_t i;

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

void os_flush(uint32_t vcpu)
{
	uint32_t i;

	if (world.calls)
		flush_by_calls(vcpu);
	for (i = 0; i < world.vcpus && !world.calls; i++)
		flush_natively(i);
	os.changed_count = 0;
	os.changed_all = os.changed_kernel = os.changed_upper = false;
}

struct pvrom_mmu_regs os_regs(uint32_t vcpu, uint32_t space)
{
	struct pvrom_mmu_regs regs = world.vcpu[vcpu].regs;

	regs.cr3 = os.root[space] | (os.pcid ? space + 1 : 0);
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
	default: return os_address(os_below(OS_VAS)) + os_below(4096);
	}
}

void os_touch(void)
{
	const uint32_t vcpu = os_below(world.vcpus), how = os_below(8);
	const struct oracle_access a = {
		.write = how < 3, .fetch = how == 3, .user = os_once_in(2), .ac = os_once_in(2)
	};
	const uint64_t address = any_address();

	world_judge(vcpu, address, a, is_strict(vcpu, address));
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
	write_word(root + 256 * 8, os.direct_l3 | PTE_P | PTE_W | PTE_A);
	write_word(root + 511 * 8, os.kernel_l3 | PTE_P | PTE_W | PTE_A);
	write_word(os.direct_l3, direct_l2 | PTE_P | PTE_W | PTE_A);
	write_word(os.kernel_l3, kernel_l2 | PTE_P | PTE_W | PTE_A);
	write_word(kernel_l2, os.kernel_l1 | PTE_P | PTE_W | PTE_A);
	for (i = 0; i < WORLD_PAGES / 512; i++)
		write_word(direct_l2 + i * 8, (uint64_t)i << 21 | PTE_P | PTE_W | PTE_PS | PTE_G);
	for (i = 0; i < OS_KERNEL_PAGES; i++)
		write_word(os.kernel_l1 + i * 8,
			   (uint64_t)(WORLD_DATA + 100 + i) << 12 | PTE_P | PTE_W | PTE_G);
}

static void announce_boot_tables(void)
{
	static const uint8_t levels[6] = { 4, 3, 2, 3, 2, 1 };
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
	random64();
	boot_tables();
	if (world.calls)
		announce_boot_tables();
	for (i = 0; i < world.vcpus; i++)
		if (!world_set_regs(i, &regs))
			world_wrong("the first root is refused");
}
