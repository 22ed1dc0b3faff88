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

uint32_t os_any_vcpu(void)
{
	return os_below(world.vcpus);
}

uint32_t os_any_space(void)
{
	uint32_t space = os_below(OS_SPACES);

	while (!os.root[space])
		space = (space + 1) % OS_SPACES;
	return space;
}

uint64_t os_random_flags(void)
{
	return PTE_P | (os_once_in(4) ? 0 : PTE_W) | (os_once_in(6) ? 0 : PTE_U) |
	       (os_once_in(2) ? PTE_A : 0) | (os_once_in(3) ? PTE_D : 0) |
	       (os_once_in(8) ? PTE_NX : 0) | (os_once_in(8) ? 1ull << (9 + os_below(3)) : 0);
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

/* Beside the regions of the others. */
uint64_t os_gib_address(uint32_t i)
{
	return (uint64_t)(i & 1) << 39 | (i & 2 ? 300ull << 30 : 4ull << 30);
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

static void mirror_word(uint64_t gpa, uint64_t value)
{
	*(uint64_t *)(void *)&world.mirror[gpa >> 12][gpa & 4088] = value;
}

void os_write_word(uint64_t gpa, uint64_t value)
{
	*world_word(gpa) = value;
	mirror_word(gpa, value);
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
		os_write_word(gpa, value);
		return;
	}
	/* By a call, unless the table is one that was not announced. */
	if (os_once_in(32) && !world_call(vcpu, PVROM_MMU_SET_ENTRY, gpa, value, 0, 0)) {
		mirror_word(gpa, value);
		return;
	}
	push(vcpu, gpa | PVROM_MMU_WORD_CHANGED);
	meddle();
	os_write_word(gpa, value);
	meddle();
	done(vcpu);
}

void os_store_unseen(uint32_t vcpu, uint64_t gpa, uint64_t value)
{
	if (world.calls)
		push(vcpu, gpa | PVROM_MMU_WORD_CHANGED);
	os_write_word(gpa, value);
	if (world.calls)
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
		os_write_word(table_gpa + i * 8, entries[i]);
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

/* Nobody uses the new table yet, so nothing needs be said of what is not as in the template. */
static void change_copy(uint64_t gpa)
{
	uint32_t i;

	for (i = 0; i < 512; i++) {
		const uint64_t e = os_get(gpa + i * 8);

		if ((e & PTE_P) && os_once_in(2))
			os_write_word(gpa + i * 8, e & ~(os_once_in(2) ? PTE_W : PTE_A));
	}
}

/* A page for a table, zero or nearly a copy of its template. */
uint64_t os_new_table(uint32_t vcpu, unsigned int level, uint64_t template_gpa)
{
	const uint64_t gpa = free_page();

	if (!gpa) {
		world_wrong("out of tables");
		return (uint64_t)WORLD_TABLES << 12;
	}
	os.refs[gpa >> 12] = 1;
	os.level[gpa >> 12] = (uint8_t)level;
	reach(vcpu, gpa);
	if (template_gpa)
		memcpy(world.memory[gpa >> 12], world.memory[template_gpa >> 12], 4096);
	else
		memset(world.memory[gpa >> 12], 0, 4096);
	memcpy(world.mirror[gpa >> 12], world.memory[gpa >> 12], 4096);
	if (template_gpa && os_once_in(2))
		change_copy(gpa);
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
