/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "mmu": a guest that writes any bytes into its tables and rings, loads any paging registers and makes any
 * call of group mmu. The first bytes of an input choose the machine, the rest is what the guest does.
 *
 * Promised: whatever the processor reaches through the shadow is the guest's memory, and not writable if it is a
 * ROM; the engine writes neither there nor where there is no memory; the work of one step is bounded.
 */
#include "../mmu/mmu_world.h"

#include "../../pvmmu/mmu_bugs.h"
#include "hostile.h"

#define STEPS 256
/* Most pages that are asked for in one step: every page of the largest resident set, walked twice. */
#define ASKED_MAX (2u * PVROM_MMU_RESIDENT_PAGES_MAX * 6u)

const char *const hostile_faults[] = { "rom-writable", "reclaim-parent", NULL };

void hostile_plant(const char *fault)
{
	pvrom_mmu_bug = strcmp(fault, "rom-writable") ? PVROM_MMU_BUG_RECLAIM_PARENT
						      : PVROM_MMU_BUG_ROM_WRITABLE;
}

/* ---- what the guest makes up ------------------------------------------------------------------------------- */

/* Mostly a page that is used as a table, or one at an edge of what there is. */
static uint64_t take_page(struct input *in)
{
	static const uint64_t edges[] = { WORLD_HOLE - 1, WORLD_HOLE,	  WORLD_ROM - 1,
					  WORLD_ROM,	  WORLD_DATA2,	  WORLD_PAGES,
					  WORLD_LARGE,	  WORLD_PAGES - 1 };
	const uint8_t byte = take8(in);

	if (byte < 0x80)
		return byte & 0x1f;
	if (byte < 0xf0)
		return edges[byte & 7];
	return take64(in) >> 12;
}

static uint64_t take_entry(struct input *in)
{
	const uint64_t page = take_page(in);
	const uint16_t flags = take16(in);

	return page << 12 | (flags & 0xfff) | (uint64_t)(flags >> 15) << 63;
}

/* The few addresses that differ in one index only, so that paths meet. */
static uint64_t take_address(struct input *in)
{
	const uint8_t byte = take8(in);

	if (byte >= 0xf0)
		return take64(in);
	return (byte & 0x40 ? 0xffff800000000000ull : 0) | (uint64_t)(byte & 3) << 39 |
	       (uint64_t)(byte >> 2 & 3) << 30 | (uint64_t)(byte >> 4 & 3) << 21 |
	       (uint64_t)(byte & 7) << 12;
}

static uint64_t take_argument(struct input *in)
{
	switch (take8(in) & 7) {
	case 0: return take8(in);
	case 1: return take_page(in) << 12;
	case 2: return take_page(in) << 12 | take16(in);
	case 3: return take_address(in) | (take16(in) & 4095);
	case 4: return PVROM_MMU_NONE;
	case 5: return take_entry(in);
	default: return take64(in);
	}
}

/* Has it a root? Without one it is not run. */
static bool rooted[WORLD_VCPUS];

/* ---- steps --------------------------------------------------------------------------------------------------- */

static void step_store(struct input *in)
{
	const uint64_t gpa = (take_page(in) & 0x1f) << 12 | (uint64_t)(take8(in) & 31) << 3;
	uint64_t *word = world_word(gpa);

	*word = take8(in) & 1 ? take64(in) : take_entry(in);
}

static void step_word(struct input *in, uint32_t vcpu)
{
	uint32_t *ring = (uint32_t *)(void *)world.memory[1 + vcpu];
	const uint32_t start = ring[PVROM_MMU_RING_START / 4];
	const uint8_t how = take8(in);

	*world_word(((1ull + vcpu) << 12) + PVROM_MMU_RING_WORDS + (start & 255) * 8) =
		how & 1 ? take64(in) : take_entry(in);
	ring[PVROM_MMU_RING_START / 4] = how & 2 ? take32(in) : start + 1;
	ring[PVROM_MMU_RING_DONE / 4] = how & 4 ? take32(in) : ring[PVROM_MMU_RING_START / 4];
}

static void step_call(struct input *in, uint32_t vcpu)
{
	const uint32_t number = PVROM_GROUP_MMU << 8 | (take8(in) & 31);
	uint64_t arg[4];
	uint32_t i;

	for (i = 0; i < 4; i++)
		arg[i] = take_argument(in);
	world_call(vcpu, number, arg[0], arg[1], arg[2], arg[3]);
}

static void step_regs(struct input *in, uint32_t vcpu)
{
	const uint8_t how = take8(in);
	const struct pvrom_mmu_regs regs = {
		.cr0 = how & 1 ? 0x80000001 : 0x80010001,
		.cr3 = take_page(in) << 12 & ((1ull << WORLD_BITS) - 1),
		.cr4 = 0xa0 | (how & 2 ? 0x100000u : 0) | (how & 4 ? 0x200000u : 0),
		.efer = how & 8 ? 0x500 : 0xd00,
	};

	rooted[vcpu] = world_set_regs(vcpu, &regs);
}

static void step_move(void)
{
	uint32_t i;

	world_leave_all();
	pvrom_mmu_forget(world.mmu);
	for (i = 0; i < world.vcpus; i++)
		rooted[i] = world_set_regs(i, &world.vcpu[i].regs);
}

static void step_access(struct input *in, uint32_t vcpu)
{
	const uint8_t how = take8(in);
	const struct oracle_access access = { how & 1, (how & 3) == 2, how & 4, how & 8 };

	if (rooted[vcpu])
		PROMISE(world_access(vcpu, take_address(in), access).result != WORLD_STRAY);
}

static void step(struct input *in)
{
	const uint8_t how = take8(in);
	const uint32_t vcpu = (how >> 4) % world.vcpus;

	world.asked = 0;
	switch (how & 15) {
	case 0:
	case 1:
	case 2: step_store(in); break;
	case 3:
	case 4: step_word(in, vcpu); break;
	case 5:
	case 6:
	case 7: step_call(in, vcpu); break;
	case 8: step_regs(in, vcpu); break;
	case 9: world_invlpg(vcpu, take_address(in)); break;
	case 10:
		if (how & 0x80)
			world_poll();
		else
			world_flush(vcpu);
		break;
	case 11: step_move(); break;
	default: step_access(in, vcpu);
	}
	PROMISE(world.asked <= ASKED_MAX);
	PROMISE(!world.wrong[0]);
}

/* ---- what must hold ---------------------------------------------------------------------------------------- */

static void nothing_foreign_written(void)
{
	static const uint8_t zero[4096];
	uint32_t gfn;

	for (gfn = WORLD_HOLE; gfn < WORLD_DATA2; gfn++)
		PROMISE(!memcmp(world.memory[gfn], zero, sizeof(zero)));
}

/* A vCPU without a root has nothing to be looked at. */
static void nothing_foreign_mapped(void)
{
	uint32_t i;

	for (i = 0; i < world.vcpus; i++)
		PROMISE(world_owns_all(i));
}

static void begin(struct input *in)
{
	static const struct pvrom_mmu_regs regs = { 0x80010001, 0x10000, 0xa0, 0xd00 };
	const uint8_t how = take8(in);
	const uint32_t vcpus = 1 + (how & 1);
	uint32_t i;

	world.gib_pages = how & 2;
	world.polls = how & 16;
	world_open(vcpus, pvrom_mmu_pool_min(vcpus) + (how & 8 ? 64 : 0), !(how & 4), 1);
	for (i = 0; i < vcpus; i++)
		rooted[i] = world_set_regs(i, &regs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint32_t steps;

	begin(&in);
	for (steps = 0; in.left && steps < STEPS; steps++) {
		step(&in);
		if (steps % 8 == 7)
			nothing_foreign_mapped();
	}
	nothing_foreign_mapped();
	nothing_foreign_written();
	PROMISE(!world.locked);
	world_close();
	return 0;
}
