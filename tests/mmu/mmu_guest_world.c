/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A kernel in little around the guest half of pvmmu/, for its tests. */
#include "mmu_guest_world.h"

#include <stdlib.h>
#include <string.h>

#include "../../pvmmu/mmu_guest_bugs.h"

#define FLAG_AC (1ull << 18)

struct gw gw;

/* ---- what the guest half asks of a kernel and of the shim ------------------------------------------ */

struct pvrom_mmu_cpu *pvrom_os_mmu_cpu(void)
{
	return &gw.cpu[gw.self];
}

static uint32_t call(uint32_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
		     uint64_t *value)
{
	uint32_t status = PVROM_STATUS_OK;

	if (number >> 8 == PVROM_MMU_RING >> 8)
		gw.calls[number & 0xff]++;
	gw.all_calls++;
	if (gw.on_call)
		status = gw.on_call(number);
	if (status != PVROM_STATUS_OK || gw.deaf)
		return status;
	status = world_call(gw.self, number, a, b, c, d);
	if (value)
		*value = world.value;
	return status;
}

uint32_t pvrom_call(const struct pvrom_guest *guest, uint32_t number, uint64_t a, uint64_t b,
		    uint64_t c, uint64_t d, uint64_t *value)
{
	bool in_host = gw.in_host;
	uint32_t status;

	(void)guest;
	gw.in_host = true;
	status = call(number, a, b, c, d, value);
	gw.in_host = in_host;
	return status;
}

/* ---- page faults that come straight to the guest --------------------------------------------------- */

static bool take_fault(uint32_t vcpu, uint64_t address, struct oracle_access a, uint32_t error,
		       struct world_outcome *out)
{
	struct pvrom_mmu_trap trap = {
		.address = address,
		.error = error,
		.rip = gw.rip,
		.cs = a.user ? 3 : 0,
		.rflags = a.ac ? FLAG_AC : 0,
	};
	uint32_t self = gw.self;
	bool hidden;

	world.own_faults++;
	gw.self = vcpu;
	hidden = pvrom_mmu_filter(&gw.mmu, &trap);
	gw.self = self;
	*out = (struct world_outcome){ WORLD_FAULT, 0, (uint32_t)trap.error };
	return !hidden;
}

/* ---- memory ---------------------------------------------------------------------------------------- */

uint64_t *gw_at(uint64_t gpa)
{
	return (uint64_t *)(void *)((uint8_t *)world.memory + gpa);
}

uint64_t gw_take(void)
{
	uint64_t gfn = WORLD_TABLES;

	while (gw.table_used[gfn])
		if (++gfn == WORLD_DATA)
			abort();
	gw.table_used[gfn] = true;
	memset(gw_at(gfn << 12), 0, 4096);
	return gfn << 12;
}

uint64_t *gw_table_new(uint32_t level)
{
	uint64_t *table = gw_at(gw_take());

	pvrom_mmu_register(&gw.mmu, table, level, PVROM_MMU_ZEROED, NULL);
	return table;
}

void gw_table_free(uint64_t *table)
{
	pvrom_mmu_release(&gw.mmu, table);
	gw.table_used[((uint64_t)table - gw.mmu.linear) >> 12] = false;
}

uint64_t *gw_entry(uint64_t va, uint32_t level)
{
	uint64_t table = gw.root, *entry;
	uint32_t at = 4;

	for (;; at--) {
		entry = gw_at(table) + (va >> (12 + 9 * (at - 1)) & 511);
		if (at == level)
			return entry;
		if (!(*entry & PTE_P))
			return NULL;
		table = *entry & PTE_ADDRESS;
	}
}

uint64_t *gw_leaf(uint32_t page)
{
	return gw_entry(GW_VA(page), 1);
}

uint64_t gw_data(uint32_t page)
{
	return (uint64_t)(WORLD_DATA + page) << 12;
}

/* ---- start ------------------------------------------------------------------------------------------ */

static void lay_direct(void)
{
	uint64_t l3 = gw_take(), l2 = gw_take();

	*gw_entry(GW_DIRECT, 4) = l3 | PTE_TABLE;
	*gw_entry(GW_DIRECT, 3) = l2 | PTE_TABLE;
	for (uint64_t at = 0; at < WORLD_PAGES << 12; at += 0x200000)
		*gw_entry(GW_DIRECT + at, 2) = at | PTE_P | PTE_W | PTE_A | PTE_D | PTE_PS;
}

/* Table after table in the order of memory. */
static void lay_tables(void)
{
	uint64_t l3, l2, first, second;

	gw.root = gw_take();
	l3 = gw_take();
	l2 = gw_take();
	first = gw_take();
	second = gw_take();
	*gw_entry(GW_BASE, 4) = l3 | PTE_TABLE;
	*gw_entry(GW_BASE, 3) = l2 | PTE_TABLE;
	*gw_entry(GW_BASE, 2) = first | PTE_TABLE;
	*gw_entry(GW_BASE + 0x200000, 2) = second | PTE_TABLE;
	for (uint32_t i = 0; i < 16; i++)
		*gw_leaf(i) = gw.want[i] = gw_data(i) | PTE_DATA;
	lay_direct();
}

static void start_cpus(void)
{
	struct pvrom_mmu_regs regs = { 0x80010033, gw.root, 0x3000a0, 0xd01 };
	uint64_t ring;

	for (gw.self = 0; gw.self < world.vcpus; gw.self++) {
		ring = (1ull + gw.self) << 12;
		if (pvrom_mmu_cpu_start(&gw.mmu, &gw.cpu[gw.self], gw_at(ring), gw.slots, gw.root,
					regs.cr0, regs.cr4, regs.efer) != PVROM_STATUS_OK)
			world_wrong("cpu %u has no ring", gw.self);
	}
	gw.self = 0;
}

uint32_t gw_negotiate(uint64_t wanted)
{
	struct pvrom_negotiation *n = (struct pvrom_negotiation *)(void *)gw_at(0);
	uint32_t status = PVROM_STATUS_STALE, tries;

	world.sealing = true;
	for (tries = 0; status == PVROM_STATUS_STALE && tries < 10; tries++) {
		*n = (struct pvrom_negotiation){ .size = sizeof(*n),
						 .major = PVROM_MAJOR,
						 .epoch = world.host.epoch,
						 .wanted = wanted };
		status = pvrom_call(&gw.guest, PVROM_BASE_NEGOTIATE, 0, PVROM_NEGOTIATE_PROPOSE, 0,
				    0, NULL);
		if (status == PVROM_STATUS_OK)
			status = pvrom_call(&gw.guest, PVROM_BASE_NEGOTIATE, 0,
					    PVROM_NEGOTIATE_COMMIT, 0, 0, NULL);
	}
	world.sealing = false;
	if (status == PVROM_STATUS_OK) {
		gw.guest.granted = n->granted;
		gw.guest.epoch = n->epoch;
	}
	return status;
}

void gw_update(void)
{
	struct pvrom_mmu_cpu *all[WORLD_VCPUS];
	bool was_on = gw.mmu.on;

	for (uint32_t i = 0; i < WORLD_VCPUS; i++)
		all[i] = i < world.vcpus ? &gw.cpu[i] : NULL;
	if (!(gw.guest.granted >> PVROM_FEATURE_MMU & 1)) {
		pvrom_mmu_guest_stop(&gw.mmu, all, WORLD_VCPUS);
		return;
	}
	pvrom_mmu_guest_start(&gw.mmu);
	if (was_on)
		return;
	start_cpus();
	if (pvrom_mmu_guest_use(&gw.mmu) != PVROM_STATUS_OK)
		world_wrong("no tables are registered");
}

bool gw_faults(bool on)
{
	bool all = true;

	if (on && !gw.has_resident) {
		pvrom_mmu_resident(&gw.mmu, 0, 4096, PVROM_MMU_RESIDENT_DROP_ALL);
		pvrom_mmu_resident(&gw.mmu, GW_DIRECT, 4096, PVROM_MMU_RESIDENT_ADD);
	}
	for (gw.self = 0; gw.self < world.vcpus; gw.self++)
		all = pvrom_mmu_faults(&gw.mmu, on) == PVROM_STATUS_OK && all;
	gw.self = 0;
	return all;
}

/* Tables that are there before the guest half is have been said by the map. */
static void init_guest_half(void)
{
	static const uint32_t levels[] = { 4, 3, 2, 1, 1, 3, 2 };

	pvrom_mmu_guest_init(&gw.mmu, &gw.guest, (uint64_t)world.memory, WORLD_BITS,
			     world.gib_pages);
	if (world.polls)
		pvrom_mmu_guest_poll(&gw.mmu);
	memset(gw_at(0x8000), 0, WORLD_DATA);
	pvrom_mmu_guest_map(&gw.mmu, (uint8_t *)gw_at(0x8000), 0x8000, 0, WORLD_DATA);
	for (uint32_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		pvrom_mmu_register(&gw.mmu, gw_at((uint64_t)(WORLD_TABLES + i) << 12), levels[i],
				   PVROM_MMU_PLAIN, NULL);
}

static void seed_bug(void)
{
	const char *bug = getenv("PVROM_MMU_GUEST_BUG");

	pvrom_mmu_guest_bug = bug ? (uint32_t)strtoul(bug, NULL, 10) : 0;
}

static void boot(uint32_t slots)
{
	struct pvrom_mmu_regs regs;

	memset(&gw, 0, sizeof(gw));
	seed_bug();
	world.take_fault = take_fault;
	gw.slots = slots;
	gw.mmu.linear = (uint64_t)world.memory;
	lay_tables();
	init_guest_half();
	regs = (struct pvrom_mmu_regs){ 0x80010033, gw.root, 0x3000a0, 0xd01 };
	for (uint32_t i = 0; i < world.vcpus; i++)
		world_set_regs(i, &regs);
}

/* The tables are laid where there may be old ones, by a kernel that runs on its own for so long. */
void gw_boot_again(void)
{
	uint32_t slots = gw.slots;

	for (uint32_t i = 0; !world.nested && i < world.vcpus; i++)
		pvrom_mmu_leave(world.mmu, i);
	if (!world.nested)
		pvrom_mmu_forget(world.mmu);
	boot(slots);
}

void gw_open(uint32_t vcpus, uint32_t pool, uint32_t slots, bool calls)
{
	world_open(vcpus, pool, false, 1);
	boot(slots);
	if (!calls)
		return;
	if (gw_negotiate(PVROM_FEATURE_BIT(PVROM_FEATURE_MMU) |
			 PVROM_FEATURE_BIT(PVROM_FEATURE_MMU_FAULT)) != PVROM_STATUS_OK)
		world_wrong("the features are not granted");
	gw_update();
}

void gw_close(void)
{
	world.take_fault = NULL;
	world_close();
}

/* ---- pages ------------------------------------------------------------------------------------------ */

void gw_store(uint64_t *entry, uint64_t value)
{
	struct oracle_access access = { .write = true };

	gw.rip++;
	world_judge(gw.self, (uint64_t)entry - gw.mmu.linear + GW_DIRECT, access, false);
	pvrom_mmu_store(entry, value);
}

void gw_set(uint32_t page, uint64_t value)
{
	gw.want[page] = value;
	gw_store(gw_leaf(page), value);
}

/* Without the calls each CPU flushes for itself. */
void gw_flush(void)
{
	uint64_t mask = ~0ull >> (64 - world.vcpus);

	if (pvrom_mmu_flush_set(&gw.mmu, 0, mask, 0, 0))
		return;
	for (uint32_t i = 0; i < world.vcpus; i++)
		world_flush(i);
}

void gw_restore(void)
{
	for (uint32_t i = 0; i < 16; i++)
		gw_set(i, gw_data(i) | PTE_DATA);
	gw_flush();
}

bool gw_touch(uint32_t vcpu, uint32_t page, bool write, bool strict)
{
	struct oracle_access access = { .write = write, .user = true };

	gw.rip++;
	return world_judge(vcpu, GW_VA(page), access, strict).result == WORLD_OK;
}

static void judge_page(uint32_t page)
{
	uint64_t *entry = gw_leaf(page);

	for (uint32_t vcpu = 0; vcpu < world.vcpus; vcpu++) {
		gw_touch(vcpu, page, false, true);
		gw_touch(vcpu, page, true, true);
	}
	if (entry && (*entry ^ gw.want[page]) & ~(PTE_A | PTE_D))
		world_wrong("the entry of page %u is %#llx, not %#llx", page,
			    (unsigned long long)*entry, (unsigned long long)gw.want[page]);
}

static void judge_rings(void)
{
	for (uint32_t i = 0; i < world.vcpus; i++) {
		const struct pvrom_mmu_cpu *cpu = &gw.cpu[i];

		if (cpu->depth || cpu->lazy)
			world_wrong("cpu %u: depth %u, lazy %u", i, cpu->depth, cpu->lazy);
		if (cpu->on &&
		    (cpu->ring->start != cpu->ring->done || cpu->ring->done != cpu->ring->retired))
			world_wrong("cpu %u: its ring is at %u, %u, %u", i, cpu->ring->start,
				    cpu->ring->done, cpu->ring->retired);
		if (cpu->on && cpu->ring->refused)
			world_wrong("cpu %u: %u words meant nothing", i, cpu->ring->refused);
	}
}

void gw_judge(void)
{
	gw_flush();
	judge_rings();
	for (uint32_t i = 0; i < GW_PAGES; i++)
		judge_page(i);
}
