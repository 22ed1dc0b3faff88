/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Random calls of the paravirtual MMU, drawn so that each gives each status that it can give at least 100 times, and
 * never another. The histogram is printed. What any of them left behind maps nothing that is not the guest's.
 *
 * PVROM_SEED repeats a run; "new" draws a seed, which is printed.
 */
#include <CUnit/CUnit.h>
#include <string.h>

#include "../cunit_tap.h"
#include "../random_calls.h"
#include "mmu_os.h"
#include "mmu_world_internal.h"

#define ROUNDS (1u << 19)
#define LIFE 512u /* calls of one machine: they leave less and less that works */
#define VCPUS 2u
#define NONE PVROM_MMU_NONE

#define S(NAME) (1u << PVROM_STATUS_##NAME)
#define ALWAYS S(OK) | S(MODE) | S(DENIED)

static const struct {
	uint32_t number;
	const char *name;
	uint32_t possible;
} calls[] = {
	{ PVROM_MMU_REGISTER_TABLE, "REGISTER_TABLE", ALWAYS | S(INVALID) | S(ADDRESS) },
	{ PVROM_MMU_RELEASE_TABLE, "RELEASE_TABLE", ALWAYS | S(INVALID) | S(ADDRESS) | S(BUSY) },
	{ PVROM_MMU_SET_ENTRY, "SET_ENTRY", ALWAYS | S(INVALID) | S(ADDRESS) },
	{ PVROM_MMU_SWAP_ENTRY, "SWAP_ENTRY", ALWAYS | S(INVALID) | S(ADDRESS) },
	{ PVROM_MMU_NOTIFY, "NOTIFY", ALWAYS | S(INVALID) | S(ADDRESS) },
	{ PVROM_MMU_ENTRIES, "ENTRIES", ALWAYS | S(INVALID) | S(ADDRESS) },
	{ PVROM_MMU_RANGE, "RANGE", ALWAYS | S(INVALID) | S(ADDRESS) | S(CONTINUE) },
	{ PVROM_MMU_SWITCH_ROOT, "SWITCH_ROOT", ALWAYS | S(INVALID) | S(ADDRESS) },
	{ PVROM_MMU_FLUSH_ONE, "FLUSH_ONE", ALWAYS },
	{ PVROM_MMU_FLUSH_RANGE, "FLUSH_RANGE", ALWAYS | S(INVALID) },
	{ PVROM_MMU_FLUSH_ALL, "FLUSH_ALL", ALWAYS },
	{ PVROM_MMU_FLUSH_SET, "FLUSH_SET", ALWAYS | S(INVALID) },
	{ PVROM_MMU_LAZY_END, "LAZY_END", ALWAYS },
	{ PVROM_MMU_RING, "RING", ALWAYS | S(INVALID) | S(ADDRESS) },
	{ PVROM_MMU_FILL, "FILL", ALWAYS | S(INVALID) | S(ADDRESS) },
	{ PVROM_MMU_RESIDENT, "RESIDENT", ALWAYS | S(INVALID) | S(NO_SPACE) },
	{ PVROM_MMU_FAULTS, "FAULTS", ALWAYS | S(INVALID) | S(NO_SPACE) },
	{ PVROM_MMU_MAP, "MAP", ALWAYS | S(INVALID) | S(ADDRESS) },
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static uint32_t histogram[CALLS][PVROM_STATUS_COUNT];
static uint64_t seed;
static bool sealed;

/* ---- drawing ------------------------------------------------------------------------------------------------- */

static uint64_t wild(void)
{
	return (uint64_t)os_below(0x7fffffff) << 33 ^ (uint64_t)os_below(0x7fffffff) << 8 ^
	       os_below(0x100);
}

/* Mostly a page that is a table or may become one, sometimes an edge or nothing. */
static uint64_t page(void)
{
	static const uint64_t edges[] = { WORLD_HOLE, WORLD_ROM, WORLD_PAGES - 1, WORLD_PAGES };

	switch (os_below(8)) {
	case 0: return edges[os_below(4)] << 12;
	case 1: return os_once_in(4) ? wild() : os_data() & ~4095ull;
	case 2: return os.root[0];
	default: return (WORLD_TABLES + os_below(40)) << 12;
	}
}

static uint64_t entry_gpa(void)
{
	return page() + os_below(512) * 8u + os_once_in(16);
}

static uint64_t address(void)
{
	switch (os_below(4)) {
	case 0: return os_address(os_below(OS_VAS));
	case 1:
		return OS_DIRECT +
		       ((uint64_t)(os_once_in(4) ? WORLD_HOLE : os_below(WORLD_PAGES)) << 12);
	case 2: return OS_KERNEL + ((uint64_t)os_below(OS_KERNEL_PAGES) << 12);
	default: return os_once_in(2) ? wild() : os_large_address(os_below(OS_LARGE_VAS));
	}
}

/* As RANGE, FLUSH_RANGE and RESIDENT take it. */
static uint64_t range(void)
{
	return (address() & ~4095ull) | (os_once_in(2) ? os_below(8) : os_below(4096));
}

static void draw_table(uint64_t arg[4])
{
	arg[0] = page() | os_once_in(16);
	arg[1] = os_once_in(16) ? wild()
				: os_below(6) | (os_once_in(4) ? PVROM_MMU_TABLE_ZEROED : 0);
	arg[2] = os_once_in(4) ? page() : NONE;
}

static void draw_range(uint64_t arg[4])
{
	arg[0] = (os_once_in(8) ? page() : os.root[0]) | os_below(4);
	arg[1] = range();
	arg[2] = os_once_in(2)	 ? NONE
		 : os_once_in(2) ? (uint64_t)WORLD_HOLE << 12
				 : os_data() & ~7ull;
	arg[3] = os_below(os_once_in(8) ? 8 : 1u << VCPUS);
}

static void draw_set(uint64_t arg[4])
{
	arg[0] = os_below(VCPUS + 1);
	arg[1] = os_below(1u << VCPUS);
	arg[2] = range();
	arg[3] = os_below(4);
}

/* A header in a page of its own is good, or nearly. */
static void draw_ring(uint64_t arg[4])
{
	const uint64_t gpa = 0x8000;

	memset(world.memory[gpa >> 12], 0, 4096);
	*world_word(gpa) = os_once_in(4) ? os_below(2000) : 256;
	arg[0] = os_once_in(4) ? page() | os_below(2) * 32 : os_once_in(8) ? NONE : gpa;
	arg[1] = os_below(os_once_in(8) ? 4 : 2);
}

static void draw_map(uint64_t arg[4])
{
	arg[0] = os_once_in(4) ? page() : 0x9000;
	arg[1] = os_below(os_once_in(8) ? WORLD_PAGES * 2 : WORLD_TABLES + 40);
	arg[2] = os_below(os_once_in(8) ? WORLD_PAGES * 2 : 64);
}

static void draw(uint32_t number, uint64_t arg[4])
{
	uint32_t i;

	for (i = 0; i < 4; i++)
		arg[i] = wild();
	switch (number) {
	case PVROM_MMU_REGISTER_TABLE: draw_table(arg); break;
	case PVROM_MMU_RELEASE_TABLE: arg[0] = page() | os_once_in(16); break;
	case PVROM_MMU_SET_ENTRY:
	case PVROM_MMU_SWAP_ENTRY:
		arg[0] = entry_gpa();
		arg[1] = os_once_in(4) ? wild() : page() | os_random_flags();
		break;
	case PVROM_MMU_NOTIFY:
		arg[0] = entry_gpa();
		arg[1] = os_below(os_once_in(4) ? 600 : 4);
		break;
	case PVROM_MMU_ENTRIES:
		arg[0] = page() + os_below(512) * 8u + os_once_in(16);
		arg[1] = os_below(os_once_in(4) ? 600 : 4);
		break;
	case PVROM_MMU_RANGE: draw_range(arg); break;
	case PVROM_MMU_SWITCH_ROOT: arg[0] = os_once_in(2) ? os.root[0] : page(); break;
	case PVROM_MMU_FLUSH_ONE: arg[0] = address(); break;
	case PVROM_MMU_FLUSH_RANGE: arg[0] = range(); break;
	case PVROM_MMU_FLUSH_SET: draw_set(arg); break;
	case PVROM_MMU_RING: draw_ring(arg); break;
	case PVROM_MMU_FILL:
		arg[0] = address();
		arg[1] = os_below(os_once_in(4) ? 64 : 8) & ~1u;
		break;
	case PVROM_MMU_RESIDENT:
		arg[0] = range();
		arg[1] = os_below(os_once_in(8) ? 5 : 2);
		break;
	case PVROM_MMU_FAULTS: arg[0] = os_below(3); break;
	case PVROM_MMU_MAP: draw_map(arg); break;
	default: break;
	}
}

/* ---- machines ------------------------------------------------------------------------------------------------ */

/* Every other one has no more pages for shadows than it must. */
static void open_machine(uint32_t n)
{
	const uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15) + n;

	world.gib_pages = false;
	world_open(VCPUS, n % 2 ? 512 : pvrom_mmu_pool_min(VCPUS), true, random);
	os_boot(random);
	sealed = true;
}

static void stir(void)
{
	struct pvrom_mmu_regs regs = os_regs(0, 0);

	if (!os_once_in(sealed ? 200 : 40))
		return;
	sealed = !sealed;
	world_seal(sealed, false);
	world_set_regs(0, &regs);
}

static uint32_t call(uint32_t vcpu, uint32_t number, const uint64_t arg[4])
{
	struct pvrom_host_regs regs = { .call = number, .mode64 = 1, .status = 0xeeee };

	memcpy(regs.arg, arg, sizeof(regs.arg));
	if (os_once_in(20))
		regs.cpl = (uint8_t)(1 + os_below(3));
	world_leave(vcpu);
	pvrom_host_call(&world.host_vcpu[vcpu], &regs);
	if (number == PVROM_MMU_SWITCH_ROOT && !regs.status)
		world.vcpu[vcpu].regs.cr3 = arg[0];
	return regs.status;
}

static void one_round(void)
{
	const uint32_t line = os_below(CALLS), vcpu = os_below(VCPUS);
	uint64_t arg[4];
	uint32_t status;

	draw(calls[line].number, arg);
	status = call(vcpu, calls[line].number, arg);
	CU_ASSERT_FATAL(status < PVROM_STATUS_COUNT);
	histogram[line][status]++;
}

static bool sound(void)
{
	uint32_t i;

	for (i = 0; i < VCPUS; i++)
		if (!world_owns_all(i))
			return false;
	return !world.wrong[0] && !world.locked;
}

static void random_calls(void)
{
	uint32_t i;

	seed = random_calls_seed(20261122);
	open_machine(0);
	for (i = 0; i < ROUNDS; i++) {
		stir();
		one_round();
		if (i % 64 == 63)
			CU_ASSERT_FATAL(sound());
		if (i % LIFE == LIFE - 1) {
			world_close();
			open_machine(i / LIFE);
		}
	}
	world_close();
	for (i = 0; i < CALLS; i++) {
		random_calls_note(calls[i].name, histogram[i], 0);
		random_calls_check(histogram[i], calls[i].possible);
	}
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "2^19 random calls [PVROM-SEC-1 PVROM-SEC-2]", random_calls },
		{ 0 },
	};

	return tap_run("mmu.calls", tests);
}
