/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the shadow engine costs its host, for callgrind to count the instructions of:
 *
 *	mmu_host entry N	N drains of a ring of 500 words, each of one entry of its own
 *	mmu_host table N	N drains of one word for all 512 entries of a table
 *	mmu_host moved N	the same, and each entry gets another frame
 *
 * Every entry changes its rights each time. Only what happens inside measured() is to be
 * counted (--toggle-collect=measured*).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pvrom/host.h>
#include <pvrom/mmu_host.h>

#define PAGES 2048u
#define POOL 256u
#define TABLE 0x4000u /* the leaf table; 0x1000 to 0x3000 lead to it */
#define RING 0x6000u
#define SLOTS 1024u
#define WORDS 500u

static uint8_t memory[PAGES][4096] __attribute__((aligned(4096)));
static uint8_t pool[POOL][4096] __attribute__((aligned(4096)));
static struct pvrom_mmu *mmu;
static struct pvrom_host host;
static struct pvrom_host_vcpu vcpu;

static bool op_page(void *ctx, uint64_t gfn, struct pvrom_mmu_memory *page)
{
	(void)ctx;
	*page = (struct pvrom_mmu_memory){ memory[gfn], 0x100000000ull + (gfn << 12), false };
	return true;
}

static void op_kick(void *ctx, uint64_t vcpus)
{
	(void)ctx;
	(void)vcpus;
}

static void op_lock(void *ctx)
{
	(void)ctx;
}

static void *op_translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx;
	*len = sizeof(memory) - gpa.gpa < *len ? sizeof(memory) - gpa.gpa : *len;
	return memory[0] + gpa.gpa;
}

static uint64_t op_tsc(void *ctx, uint32_t id)
{
	(void)ctx;
	return id;
}

static uint64_t *word(uint64_t gpa)
{
	return (uint64_t *)(void *)(memory[0] + gpa);
}

static struct pvrom_host_regs call(uint32_t number, uint64_t a, uint64_t b, uint64_t c)
{
	struct pvrom_host_regs regs = { .call = number, .arg = { a, b, c }, .mode64 = 1 };

	pvrom_host_call(&vcpu, &regs);
	return regs;
}

static const struct pvrom_mmu_ops ops = {
	.page = op_page, .kick = op_kick, .lock = op_lock, .unlock = op_lock
};
static const struct pvrom_host_ops host_ops = {
	.translate = op_translate, .lock = op_lock, .unlock = op_lock, .tsc = op_tsc
};

static bool open_host(void)
{
	static const struct pvrom_host_feature *features[2];
	static uint8_t engine[4 << 20] __attribute__((aligned(16)));
	static const struct pvrom_mmu_config config = {
		.ops = &ops,
		.pool = pool,
		.pool_hpa = 0x700000000ull,
		.pool_pages = POOL,
		.vcpus = 1,
		.guest_pages = PAGES,
		.physical_bits = 40,
		.memory = engine,
		.memory_size = sizeof(engine),
	};
	static const struct pvrom_host_config host_config = { .ops = &host_ops,
							      .features = features,
							      .hardware = PVROM_HW_OWNS_MMU,
							      .transport = PVROM_TRANSPORT_VMMCALL,
							      .vcpus = 1 };

	mmu = pvrom_mmu_init(&config);
	if (!mmu)
		return false;
	features[0] = pvrom_mmu_feature(mmu, PVROM_FEATURE_MMU);
	return pvrom_host_init(&host, &host_config, &vcpu) == PVROM_HOST_OK;
}

static bool seal(void)
{
	struct pvrom_negotiation *n = (struct pvrom_negotiation *)(void *)memory[0];

	*n = (struct pvrom_negotiation){ .size = sizeof(*n),
					 .major = PVROM_MAJOR,
					 .epoch = 1,
					 .wanted = PVROM_FEATURE_BIT(PVROM_FEATURE_MMU) };
	return !call(PVROM_BASE_NEGOTIATE, 0, PVROM_NEGOTIATE_PROPOSE, 0).status &&
	       !call(PVROM_BASE_NEGOTIATE, 0, PVROM_NEGOTIATE_COMMIT, 0).status;
}

/* A root, a table of each level below it, a ring; and the leaf table has its shadow. */
static bool open_guest(void)
{
	const struct pvrom_mmu_regs regs = { 0x80010001, 0x1000, 0xa0, 0xd00 };
	struct pvrom_mmu_fault fault;
	uint32_t i;

	for (i = 1; i <= 3; i++)
		*word(i * 0x1000) = (i + 1) * 0x1000 | 0x67;
	*word(TABLE) = 0x100000 | 0x67;
	*(uint32_t *)(void *)word(RING) = SLOTS;
	for (i = 1; i <= 4; i++)
		if (call(PVROM_MMU_REGISTER_TABLE, i * 0x1000, 5 - i, PVROM_MMU_NONE).status)
			return false;
	return !call(PVROM_MMU_RING, RING, 0, 0).status && pvrom_mmu_set_regs(mmu, 0, &regs) &&
	       pvrom_mmu_fault(mmu, 0, 0, 2, &fault) == PVROM_MMU_RETRY;
}

/* Rights, as a fork or a mprotect changes them; or another frame besides, as when memory is moved. */
static void change_entries(uint32_t round, uint32_t count, bool frames)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		word(TABLE)[i] = (uint64_t)(256 + (frames ? (i + round) & 1023 : i)) << 12 |
				 (round & 1 ? 0x67 : 0x65);
}

static void announce(uint32_t *index, uint64_t value)
{
	word(RING + PVROM_MMU_RING_WORDS)[(*index)++ & (SLOTS - 1)] = value;
}

static void announce_all(bool one_by_one)
{
	static uint32_t index;
	uint32_t *header = (uint32_t *)(void *)word(RING), i;

	for (i = 0; i < WORDS && one_by_one; i++)
		announce(&index, TABLE + i * 8);
	if (!one_by_one)
		announce(&index, TABLE | 511ull << PVROM_MMU_WORD_MORE_SHIFT);
	header[PVROM_MMU_RING_START / 4] = header[PVROM_MMU_RING_DONE / 4] = index;
}

__attribute__((noinline)) static uint32_t measured(void)
{
	const uint32_t status = call(PVROM_MMU_LAZY_END, 0, 0, 0).status;

	/* Keep this a call: a jump would hide the end of the function from callgrind. */
	__asm__ volatile("" : : : "memory");
	return status;
}

int main(int argc, char **argv)
{
	const bool one_by_one = argc == 3 && !strcmp(argv[1], "entry");
	uint32_t i, count = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 0) : 0;

	if (!count || !open_host() || !seal() || !open_guest())
		return 2;
	for (i = 0; i < count; i++) {
		change_entries(i, one_by_one ? WORDS : 512, !strcmp(argv[1], "moved"));
		announce_all(one_by_one);
		if (measured())
			return 1;
	}
	return 0;
}
