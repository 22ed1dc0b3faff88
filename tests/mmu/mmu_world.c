/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The machine of the tests of pvmmu/: its memory, its engine and its host. */
#define _GNU_SOURCE /* madvise */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mmu_world_internal.h"

struct world world;

/* ---- memory --------------------------------------------------------------------------------------- */

bool world_is_memory(uint64_t gfn)
{
	return gfn < WORLD_PAGES && !(gfn >= WORLD_HOLE && gfn < WORLD_ROM);
}

bool world_is_rom(uint64_t gfn)
{
	return gfn >= WORLD_ROM && gfn < WORLD_DATA2;
}

uint64_t *world_word(uint64_t gpa)
{
	if (!world_is_memory(gpa >> 12))
		return NULL;
	return (uint64_t *)(void *)&world.memory[gpa >> 12][gpa & 4088];
}

void world_wrong(const char *format, ...)
{
	va_list arguments;

	if (world.wrong[0])
		return;
	va_start(arguments, format);
	vsnprintf(world.wrong, sizeof(world.wrong), format, arguments);
	va_end(arguments);
}

const uint64_t *world_shadow_at(uint64_t hpa)
{
	const uint64_t page = (hpa - WORLD_POOL_HPA) >> 12;

	return hpa >= WORLD_POOL_HPA && page < world.config.pool_pages
		       ? (const uint64_t *)(const void *)world.pool[page]
		       : NULL;
}

/* The guest page that lies at hpa; false if what lies there is not the guest's. */
bool world_owner(uint64_t hpa, uint64_t *gpa)
{
	const uint64_t page = (hpa >> 12) - 0x100000;
	/* 5 * 0xccd is 1 modulo 0x1000. */
	const uint64_t gfn = page * 0xccd & 0xfff;

	*gpa = gfn << 12 | (hpa & 4095);
	return page < WORLD_PAGES && world_is_memory(gfn);
}

/* ---- what the engine asks for --------------------------------------------------------------------- */

static bool op_page(void *ctx, uint64_t gfn, struct pvrom_mmu_memory *memory)
{
	(void)ctx;
	world.asked++;
	if (gfn >= WORLD_PAGES)
		world_wrong("the engine asks for page %#llx", (unsigned long long)gfn);
	if (!world_is_memory(gfn))
		return false;
	*memory = (struct pvrom_mmu_memory){ world.memory[gfn], WORLD_HPA(gfn), world_is_rom(gfn) };
	return true;
}

static void op_kick(void *ctx, uint64_t vcpus)
{
	(void)ctx;
	if (vcpus >> world.self & 1 && !world.sealing)
		world_wrong("the engine kicks the caller");
	for (uint32_t i = 0; i < world.vcpus; i++)
		if (vcpus >> i & 1)
			world.vcpu[i].in_guest = false;
}

static void op_lock(void *ctx)
{
	(void)ctx;
	if (world.locked++)
		world_wrong("locked twice");
}

static void op_unlock(void *ctx)
{
	(void)ctx;
	world.locked--;
}

static void *op_translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	const uint64_t left = 4096 - (gpa.gpa & 4095);

	(void)ctx;
	if (!world_is_memory(gpa.gpa >> 12) || world_is_rom(gpa.gpa >> 12))
		return NULL;
	if (*len > left)
		*len = left;
	return &world.memory[gpa.gpa >> 12][gpa.gpa & 4095];
}

static void op_nothing(void *ctx)
{
	(void)ctx;
}

static uint64_t op_tsc(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	(void)vcpu;
	return 1;
}

/* The others stop before a RESET. */
static void op_park_others(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	for (uint32_t i = 0; i < world.vcpus; i++)
		if (i != vcpu)
			world.vcpu[i].in_guest = false;
}

/* ---- opening --------------------------------------------------------------------------------------- */

void world_open_engine(uint32_t vcpus, uint32_t pool)
{
	world.ops = (struct pvrom_mmu_ops){ op_page, op_kick, NULL, op_lock, op_unlock };
	world.config = (struct pvrom_mmu_config){
		.ops = &world.ops,
		.pool = world.pool,
		.pool_hpa = WORLD_POOL_HPA,
		.pool_pages = pool,
		.vcpus = vcpus,
		.guest_pages = WORLD_PAGES,
		.physical_bits = WORLD_BITS,
		.flags = (world.gib_pages ? PVROM_MMU_GIB_PAGES : 0u) |
			 (world.polls ? PVROM_MMU_POLLED : 0u),
	};
	world.config.memory_size = pvrom_mmu_size(&world.config);
	world.config.memory = world.engine = aligned_alloc(16, world.config.memory_size);
	world.mmu = pvrom_mmu_init(&world.config);
	if (!world.mmu)
		abort();
}

void world_open_host(uint32_t vcpus)
{
	static uint8_t rom[65536];
	size_t size;

	world.features[0] = pvrom_mmu_feature(world.mmu, PVROM_FEATURE_MMU);
	world.features[1] = pvrom_mmu_feature(world.mmu, PVROM_FEATURE_MMU_FAULT);
	world.features[2] = NULL;
	world.host_ops = (struct pvrom_host_ops){
		.translate = op_translate,
		.lock = op_nothing,
		.unlock = op_nothing,
		.tsc = op_tsc,
		.park_others = op_park_others,
	};
	world.host_config = (struct pvrom_host_config){ .ops = &world.host_ops,
							.features = world.features,
							.hardware = PVROM_HW_OWNS_MMU,
							.transport = PVROM_TRANSPORT_VMMCALL,
							.vcpus = vcpus };
	if (pvrom_host_init(&world.host, &world.host_config, world.host_vcpu) ||
	    pvrom_host_build_rom(&world.host, rom, sizeof(rom), &size))
		abort();
}

static uint32_t negotiate(uint64_t form)
{
	uint32_t status;

	world.sealing = true;
	status = world_call(0, PVROM_BASE_NEGOTIATE, 0, form, 0, 0);
	world.sealing = false;
	return status;
}

static uint32_t propose(bool mmu)
{
	struct pvrom_negotiation *n = (struct pvrom_negotiation *)(void *)world.memory[0];

	*n = (struct pvrom_negotiation){ .size = sizeof(*n),
					 .major = PVROM_MAJOR,
					 .epoch = world.host.epoch };
	if (mmu)
		n->wanted = PVROM_FEATURE_BIT(PVROM_FEATURE_MMU) |
			    PVROM_FEATURE_BIT(PVROM_FEATURE_MMU_FAULT);
	n->required = n->wanted;
	return negotiate(PVROM_NEGOTIATE_PROPOSE);
}

void world_seal(bool mmu, bool reload)
{
	uint32_t i;

	if (propose(mmu))
		world_wrong("a proposal is refused");
	if (reload) {
		world_reload();
		/* What was proposed, was proposed to another host; the empty set is always accepted. */
		if ((negotiate(PVROM_NEGOTIATE_COMMIT) == PVROM_STATUS_OK) == mmu)
			world_wrong("a commit of a proposal to another host");
		world_seal(mmu, false);
		return;
	}
	if (negotiate(PVROM_NEGOTIATE_COMMIT))
		world_wrong("a commit is refused");
	world.calls = mmu;
	for (i = 0; i < world.vcpus && mmu; i++) {
		memset(world.memory[1 + i], 0, 4096);
		*world_word((1 + i) << 12) = 256;
		world.vcpu[i].start = world.vcpu[i].done = 0;
		if (world_call(i, PVROM_MMU_RING, (1 + i) << 12,
			       world.polls ? PVROM_MMU_RING_POLL : 0, 0, 0))
			world_wrong("a ring is refused");
	}
}

/* Whole pages; those that were never touched cost nothing. */
static void clear(void *at, size_t size)
{
	if (madvise(at, size, MADV_DONTNEED))
		memset(at, 0, size);
}

void world_open(uint32_t vcpus, uint32_t pool, bool calls, uint64_t seed)
{
	const bool gib_pages = world.gib_pages;
	uint32_t i;

	clear(world.memory, sizeof(world.memory));
	clear(world.mirror, sizeof(world.mirror));
	memset(world.pool, 0xff, (size_t)pool * 4096);
	world.wrong[0] = 0;
	world.locked = 0;
	world.resident = NULL;
	world.faults = world.own_faults = 0;
	world.vcpus = vcpus;
	world.calls = calls;
	world.nested = world.sealing = false;
	world.gib_pages = gib_pages;
	for (i = 0; i < vcpus; i++) {
		tlb_init(&world.vcpu[i].tlb, world_shadow_at, seed + i * 77);
		world.vcpu[i].in_guest = false;
		world.vcpu[i].start = world.vcpu[i].done = 0;
		memset(&world.vcpu[i].regs, 0, sizeof(world.vcpu[i].regs));
	}
	world_open_engine(vcpus, pool);
	world_open_host(vcpus);
	if (calls)
		world_seal(true, false);
}

void world_close(void)
{
	free(world.engine);
	world.engine = NULL;
}
