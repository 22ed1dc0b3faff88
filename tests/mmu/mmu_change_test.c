/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The host changes between nested paging and shadow tables under a kernel that works: at each call that the kernel
 * makes, at every k-th of them, and while it negotiates. After each operation of the kernel, and at the end, every
 * translation is what its own tables say; the tables that the map shows are those that it has.
 * Likewise a host that is saved and loaded at each call, and a kernel that resets it at each call and starts anew.
 */
#include <setjmp.h>

#include "../cunit_tap.h"
#include "mmu_guest_world.h"

#define VCPUS 4
#define SLOTS 16
#define ROUNDS 12
#define WANTED (PVROM_FEATURE_BIT(PVROM_FEATURE_MMU) | PVROM_FEATURE_BIT(PVROM_FEATURE_MMU_FAULT))

/* ---- what happens at which calls ------------------------------------------------------------------------- */

static struct {
	uint32_t first, every; /* at call number first, and at each every-th after it; 0: never */
	void (*act)(void);
	uint32_t calls, acts;
} plan;
static jmp_buf new_kernel;

static uint32_t at_call(uint32_t call)
{
	(void)call;
	plan.calls++;
	if (!plan.act || plan.calls < plan.first ||
	    (plan.calls != plan.first && (!plan.every || (plan.calls - plan.first) % plan.every)))
		return PVROM_STATUS_OK;
	plan.acts++;
	plan.act();
	return PVROM_STATUS_OK;
}

static void change_paging(void)
{
	world_nest(!world.nested);
}

/* Saved, and loaded into another engine behind another host. */
static void move(void)
{
	world_reload();
	if (world.nested)
		pvrom_host_set_hardware(&world.host, PVROM_HW_NESTED_PAGING);
}

static void crash(void)
{
	longjmp(new_kernel, 1);
}

/* ---- the kernel: it looks for a new epoch between its operations ------------------------------------------- */

static bool faults_wanted;
static uint32_t change_overs;

static uint32_t tables_in_use(void)
{
	uint32_t count = 0;

	for (uint32_t gfn = WORLD_TABLES; gfn < WORLD_DATA; gfn++)
		count += gw.table_used[gfn];
	return count;
}

static uint32_t registered(void)
{
	struct pvrom_mmu_stats s;

	pvrom_mmu_drain(&gw.mmu);
	pvrom_mmu_get_stats(world.mmu, &s);
	return s.registered;
}

/* The host has just this moment the same idea of what a table is, if the epoch still rests. */
static void check_registrations(void)
{
	uint32_t epoch = (uint32_t)world.host.epoch, count = registered();

	if (epoch != world.host.epoch || epoch != gw.guest.epoch)
		return;
	if (gw.mmu.on && count != tables_in_use())
		world_wrong("%u tables are registered, there are %u", count, tables_in_use());
	if (!gw.mmu.on && count)
		world_wrong("%u tables are registered with no feature", count);
}

/* One change-over at a time: where the epoch does not rest, the kernel works with the set that it has. */
static void poll(void)
{
	if (world.host.epoch != gw.guest.epoch) {
		if (gw_negotiate(WANTED) != PVROM_STATUS_OK)
			world_wrong("no set is sealed");
		gw_update();
		if (gw.mmu.on && faults_wanted)
			gw_faults(true);
		change_overs++;
	}
	check_registrations();
}

/* A switch of root may be the host's call or the instruction. */
static void load_root(uint32_t cpu)
{
	struct pvrom_mmu_regs regs = world.vcpu[cpu].regs;

	gw.self = cpu;
	pvrom_mmu_will_switch(&gw.mmu, gw.root);
	regs.cr3 = gw.root;
	world_set_regs(cpu, &regs);
	gw.self = 0;
}

static void table_comes(uint32_t cpu)
{
	uint64_t *table;

	gw.self = cpu;
	table = gw_table_new(1);
	gw_store(table, gw.want[16] = gw_data(16) | PTE_DATA);
	gw_store(gw_entry(GW_VA(16), 2), ((uint64_t)table - gw.mmu.linear) | PTE_TABLE);
}

static void table_goes(uint32_t cpu)
{
	uint64_t *table = gw_leaf(16);

	gw.self = cpu;
	gw_store(gw_entry(GW_VA(16), 2), 0);
	gw.want[16] = 0;
	gw_flush();
	gw_table_free(table);
	/* Its page gets other use. */
	table[0] = ~0ull;
}

static void lazily(uint32_t cpu, uint32_t first, uint64_t bits)
{
	gw.self = cpu;
	pvrom_mmu_lazy_begin();
	for (uint32_t i = first; i < first + 3; i++)
		gw_set(i, gw_data(i) | bits);
	pvrom_mmu_lazy_end();
}

static void work(uint32_t cpu, uint32_t round)
{
	uint32_t page = (round * 5 + cpu) % 13;

	poll();
	gw.self = cpu;
	gw_set(page, gw_data((page + round) % 16) | PTE_DATA);
	gw_touch(cpu, page, true, false);
	lazily(cpu, page, (PTE_DATA & ~PTE_W));
	gw_flush();
	for (uint32_t other = 0; other < VCPUS; other++)
		CU_ASSERT_FALSE(gw_touch(other, page + 1, true, true));
	if (round % 3 == cpu % 3)
		load_root(cpu);
	gw.self = cpu;
	if (gw_leaf(16))
		table_goes(cpu);
	else
		table_comes(cpu);
	gw_flush();
	lazily(cpu, page, PTE_DATA);
	gw_touch((cpu + 1) % VCPUS, page, false, false);
	gw_set(page + 1, 0);
	gw_flush();
	gw.self = 0;
	gw_judge();
}

static void run_kernel(void)
{
	for (uint32_t round = 0; round < ROUNDS && !world.wrong[0]; round++)
		work(round % VCPUS, round);
	plan.act = NULL;
	gw.on_call = NULL;
	poll();
	gw_judge();
}

static void open_with(void (*act)(void), uint32_t first, uint32_t every)
{
	gw_open(VCPUS, 256, SLOTS, true);
	if (faults_wanted)
		gw_faults(true);
	plan.first = first;
	plan.every = every;
	plan.act = act;
	plan.calls = plan.acts = 0;
	gw.on_call = at_call;
}

static bool close_right(void)
{
	bool right = !world.wrong[0];

	if (!right)
		tap_note("first at call %u, then each %u: %s", plan.first, plan.every, world.wrong);
	CU_ASSERT(right);
	gw_close();
	return right;
}

static uint32_t calls_of_a_run(void)
{
	open_with(NULL, 0, 0);
	run_kernel();
	close_right();
	return plan.calls;
}

/* ---- the tests -------------------------------------------------------------------------------------------- */

/* One act at each call of the run in turn; changes of paging also a second time, some calls later. */
static void at_each_call(void (*act)(void))
{
	uint32_t calls = calls_of_a_run(), first;

	CU_ASSERT(calls > 60);
	for (first = 1; first <= calls; first++) {
		open_with(act, first, 0);
		run_kernel();
		CU_ASSERT_EQUAL(plan.acts, 1);
		if (!close_right())
			break;
	}
	tap_note("%u runs", first - 1);
}

static void at_every_kth_call(void (*act)(void))
{
	uint32_t before = change_overs;

	for (uint32_t every = 3; every <= 40; every++)
		for (uint32_t first = 1; first <= every; first += 5) {
			open_with(act, first, every);
			run_kernel();
			if (!close_right())
				return;
		}
	tap_note("%u change-overs", change_overs - before);
}

static void paging_at_each_call(void)
{
	at_each_call(change_paging);
}

static void paging_at_every_kth_call(void)
{
	at_every_kth_call(change_paging);
}

static void paging_with_own_faults(void)
{
	faults_wanted = true;
	at_each_call(change_paging);
	at_every_kth_call(change_paging);
	faults_wanted = false;
}

static void moved_at_each_call(void)
{
	at_each_call(move);
}

static void moved_at_every_kth_call(void)
{
	faults_wanted = true;
	for (uint32_t every = 3; every <= 40; every += 7) {
		open_with(move, every, every);
		run_kernel();
		if (!close_right())
			break;
	}
	faults_wanted = false;
}

/* While the kernel negotiates: between propose and commit, several times in one change-over. */
static void paging_inside_the_rendezvous(void)
{
	for (uint32_t times = 1; times <= 6; times++) {
		open_with(change_paging, 1, 2);
		change_paging();
		/* Each propose and each commit is a call: every second one finds the epoch moved. */
		plan.first = 2;
		while (plan.acts < times) {
			CU_ASSERT(gw_negotiate(WANTED) == PVROM_STATUS_OK ||
				  world.host.epoch != gw.guest.epoch);
			CU_ASSERT_STRING_EQUAL(world.wrong, "");
			gw_update();
		}
		run_kernel();
		close_right();
	}
}

/* What the old kernel's rings were is ordinary memory now. */
static void rings_are_left_alone(void)
{
	for (uint32_t i = 1; i <= VCPUS; i++)
		gw_at((uint64_t)i << 12)[PVROM_MMU_RING_START / 8] = 0x1234500000007;
	pvrom_mmu_drain(&gw.mmu);
	for (uint32_t i = 0; i < VCPUS; i++)
		world_call(i, PVROM_BASE_VERSION, 0, 0, 0, 0);
	gw_flush();
	for (uint32_t i = 1; i <= VCPUS; i++) {
		CU_ASSERT_EQUAL(gw_at((uint64_t)i << 12)[PVROM_MMU_RING_START / 8],
				0x1234500000007);
		gw_at((uint64_t)i << 12)[PVROM_MMU_RING_START / 8] = 0;
	}
}

/* A kernel crashes before its call; the next one gives everything back and starts from nothing. */
static void run_until_crash(uint32_t at, bool nested)
{
	open_with(crash, at, 0);
	if (nested)
		change_paging();
	if (!setjmp(new_kernel)) {
		run_kernel();
		return;
	}
	world.sealing = true;
	CU_ASSERT_EQUAL(world_call(0, PVROM_BASE_RESET, PVROM_RESET_FORCE, 0, 0, 0),
			PVROM_STATUS_OK);
	world.sealing = false;
	gw_boot_again();
	CU_ASSERT_EQUAL(registered(), 0);
	rings_are_left_alone();
	if (nested)
		change_paging();
	run_kernel();
}

static void reset_at_each_call(void)
{
	uint32_t calls = calls_of_a_run(), resets = 0;
	bool right = true;

	for (uint32_t at = 1; right && at <= calls; at++) {
		run_until_crash(at, false);
		right = close_right();
		resets++;
	}
	for (uint32_t at = 1; right && at <= 2; at++) {
		run_until_crash(at, true);
		right = close_right();
		resets++;
	}
	tap_note("%u resets", resets);
}

static const struct tap_test tests[] = {
	{ "paging changes at each call of a kernel on four CPUs", paging_at_each_call },
	{ "paging changes at every k-th call, k from 3 to 40", paging_at_every_kth_call },
	{ "likewise with faults straight to the guest", paging_with_own_faults },
	{ "paging changes again while the kernel negotiates", paging_inside_the_rendezvous },
	{ "the host is saved and loaded at each call [PVROM-MMU-11]", moved_at_each_call },
	{ "and at every k-th, with faults straight to the guest", moved_at_every_kth_call },
	{ "RESET at each call, and another kernel [PVROM-MMU-10]", reset_at_each_call },
	{ 0 },
};

int main(void)
{
	return tap_run("change-over", tests);
}
