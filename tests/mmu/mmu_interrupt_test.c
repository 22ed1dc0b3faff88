/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Interrupts in the guest half of pvmmu/, and other CPUs: each operation is run again and again, and
 * before another of its memory accesses each time something comes between (mmu_points.h). Nothing that
 * was stored may be lost to the host, by the operation or by what came between.
 */
#include "../cunit_tap.h"
#include "mmu_guest_world.h"
#include "mmu_points.h"

#define VCPUS 2
#define SLOTS 32

/* ---- operations on pages 0 to 11, and 16 ------------------------------------------------------------- */

static uint64_t *leaf[GW_PAGES];
static uint64_t data[GW_PAGES];
static uint64_t swapped;

static void op_store(void)
{
	pvrom_mmu_store(leaf[1], data[1] & ~PTE_W);
}

static void op_exchange(void)
{
	swapped = pvrom_mmu_exchange(leaf[2], 0);
}

static void op_change(void)
{
	bool said = pvrom_mmu_change_begin(leaf[3], 3);

	for (uint32_t i = 3; i < 6; i++)
		if (said)
			*(volatile uint64_t *)leaf[i] = data[i] & ~PTE_W;
		else
			pvrom_mmu_store(leaf[i], data[i] & ~PTE_W);
	if (said)
		pvrom_mmu_change_end();
}

static void op_lazy(void)
{
	pvrom_mmu_lazy_begin();
	for (uint32_t i = 6; i < 10; i++)
		pvrom_mmu_store(leaf[i], data[i] & ~PTE_W);
	pvrom_mmu_lazy_end();
}

static void op_lazy_flush(void)
{
	pvrom_mmu_lazy_begin();
	pvrom_mmu_store(leaf[10], 0);
	pvrom_mmu_flush_range(&gw.mmu, GW_VA(10), 1);
	pvrom_mmu_store(leaf[11], 0);
	pvrom_mmu_lazy_end();
}

/* A table comes and goes. */
static void op_table(void)
{
	static uint64_t *table, *upper;

	upper = gw_entry(GW_VA(16), 2);
	table = gw_table_new(1);
	pvrom_mmu_store(table, data[16]);
	pvrom_mmu_store(upper, ((uint64_t)table - gw.mmu.linear) | PTE_TABLE);
	pvrom_mmu_store(upper, 0);
	pvrom_mmu_flush_set(&gw.mmu, 0, 3, GW_VA(16), 1);
	gw_table_free(table);
}

/* ---- what comes between: on pages 12 to 15 --------------------------------------------------------------- */

static void other_cpu_drains(void)
{
	gw.self = 1;
	pvrom_mmu_drain(&gw.mmu);
	gw.self = 0;
}

static void interrupt_stores(void)
{
	pvrom_mmu_store(leaf[12], data[12] & ~PTE_W);
}

static void interrupt_stores_and_flushes(void)
{
	pvrom_mmu_store(leaf[12], data[12] & ~PTE_W);
	pvrom_mmu_flush_range(&gw.mmu, GW_VA(12), 1);
}

static void interrupt_is_lazy(void)
{
	pvrom_mmu_lazy_begin();
	pvrom_mmu_store(leaf[12], data[12] & ~PTE_W);
	pvrom_mmu_store(leaf[13], data[13] & ~PTE_W);
	pvrom_mmu_lazy_end();
}

static void interrupt_fills_the_ring(void)
{
	for (uint32_t i = 0; i < 2 * SLOTS; i++)
		pvrom_mmu_store(leaf[14], 0);
}

static void interrupt_registers(void)
{
	uint64_t *table = gw_table_new(1);

	gw_table_free(table);
}

static void touch_all(uint32_t vcpu)
{
	for (uint32_t i = 0; i < 12; i++)
		gw_touch(vcpu, i, true, false);
	gw_touch(vcpu, 16, true, false);
}

static void interrupt_touches(void)
{
	touch_all(0);
}

static void other_cpu_touches(void)
{
	touch_all(1);
}

static void other_cpu_stores_and_flushes(void)
{
	gw.self = 1;
	pvrom_mmu_store(leaf[15], 0);
	pvrom_mmu_flush_set(&gw.mmu, 0, 3, GW_VA(15), 1);
	gw.self = 0;
}

/* ---- all of them, at every access ------------------------------------------------------------------- */

struct act {
	const char *name;
	void (*run)(void);
	uint32_t first, last; /* pages that it changes, */
	uint64_t left;	      /* and what of their entries it leaves */
};

#define READ_ONLY (~PTE_W)
static const struct act ops[] = {
	{ "a store", op_store, 1, 1, READ_ONLY },
	{ "an exchange", op_exchange, 2, 2, 0 },
	{ "announced stores", op_change, 3, 5, READ_ONLY },
	{ "a lazy section", op_lazy, 6, 9, READ_ONLY },
	{ "a flush in a lazy section", op_lazy_flush, 10, 11, 0 },
	{ "a table", op_table, 16, 16, 0 },
};
#define OPS (sizeof(ops) / sizeof(ops[0]))

static const struct act between[] = {
	{ "another CPU drains", other_cpu_drains, 1, 0, 0 },
	{ "an interrupt stores", interrupt_stores, 12, 12, READ_ONLY },
	{ "an interrupt stores and flushes", interrupt_stores_and_flushes, 12, 12, READ_ONLY },
	{ "an interrupt has a lazy section", interrupt_is_lazy, 12, 13, READ_ONLY },
	{ "an interrupt fills the ring", interrupt_fills_the_ring, 14, 14, 0 },
	{ "an interrupt registers a table", interrupt_registers, 1, 0, 0 },
	{ "an interrupt touches the pages", interrupt_touches, 1, 0, 0 },
	{ "another CPU touches the pages", other_cpu_touches, 1, 0, 0 },
	{ "another CPU stores and flushes", other_cpu_stores_and_flushes, 15, 15, 0 },
};
#define BETWEEN (sizeof(between) / sizeof(between[0]))

static void begin(bool faults)
{
	gw_open(VCPUS, 512, SLOTS, true);
	for (uint32_t i = 0; i < 16; i++) {
		leaf[i] = gw_leaf(i);
		data[i] = gw_data(i) | PTE_DATA;
	}
	data[16] = gw_data(16) | PTE_DATA;
	CU_ASSERT_EQUAL(gw_faults(faults), true);
}

static void want(const struct act *act)
{
	for (uint32_t i = act->first; i <= act->last; i++)
		gw.want[i] = data[i] & act->left;
}

/* D of a page that may be written is clear, so that a write comes as a fault, if it comes at all. */
static void prepare(void)
{
	for (uint32_t i = 0; i < 16; i++) {
		gw.want[i] = data[i];
		pvrom_mmu_store(leaf[i], data[i]);
	}
	gw.want[16] = 0;
	gw_judge();
	pvrom_mmu_store(leaf[2], gw.want[2] = data[2] & ~PTE_D);
	gw_flush();
}

/* True: the operation has that many accesses. */
static bool once(const struct act *op, const struct act *act, uint32_t point)
{
	bool hit;

	prepare();
	hit = points_run(op->run, point, act->run);
	want(op);
	if (hit)
		want(act);
	gw_judge();
	if (world.wrong[0])
		tap_note("%s, %s, access %u: %s", op->name, act->name, point, world.wrong);
	CU_ASSERT_STRING_EQUAL(world.wrong, "");
	return hit && !world.wrong[0];
}

static void all_between(const struct act *act, bool faults)
{
	uint32_t places = 0, point;

	for (uint32_t i = 0; i < OPS; i++) {
		begin(faults);
		for (point = 1; once(&ops[i], act, point);)
			point++;
		places += point - 1;
		gw_close();
	}
	tap_note("%u places", places);
	CU_ASSERT(places > 300);
}

static void run(uint32_t number)
{
	all_between(&between[number % BETWEEN], number >= BETWEEN);
}

/* A write of another CPU that has come through before the exchange has left D in what it returned. */
static bool written;

static void other_cpu_writes(void)
{
	written = gw_touch(1, 2, true, false);
}

static void exchange_loses_no_dirty(void)
{
	static const struct act act = { "another CPU writes", other_cpu_writes, 1, 0, 0 };
	uint32_t point = 1, came_through = 0;
	bool more = true;

	begin(false);
	for (; more; point++) {
		written = false;
		more = once(&ops[1], &act, point);
		came_through += written;
		CU_ASSERT_EQUAL(written, (swapped & PTE_D) != 0);
	}
	CU_ASSERT(came_through > 2 && came_through < point - 1);
	gw_close();
}

#define CASE(n)                                                                                    \
	static void case_##n(void)                                                                 \
	{                                                                                          \
		run(n);                                                                            \
	}
/* clang-format off */
CASE(0) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14) CASE(15) CASE(16) CASE(17)
	/* clang-format on */

	static const struct tap_test tests[] = {
		{ "another CPU drains, at every access of each operation [PVROM-MMU-8]", case_0 },
		{ "an interrupt stores", case_1 },
		{ "an interrupt stores and flushes", case_2 },
		{ "an interrupt has a lazy section", case_3 },
		{ "an interrupt fills the ring", case_4 },
		{ "an interrupt registers a table", case_5 },
		{ "an interrupt touches the pages", case_6 },
		{ "another CPU touches the pages", case_7 },
		{ "another CPU stores and flushes", case_8 },
		{ "faults straight to the guest: another CPU drains", case_9 },
		{ "likewise: an interrupt stores", case_10 },
		{ "likewise: an interrupt stores and flushes", case_11 },
		{ "likewise: an interrupt has a lazy section", case_12 },
		{ "likewise: an interrupt fills the ring", case_13 },
		{ "likewise: an interrupt registers a table", case_14 },
		{ "likewise: an interrupt touches the pages", case_15 },
		{ "likewise: another CPU touches the pages", case_16 },
		{ "likewise: another CPU stores and flushes", case_17 },
		{ "an exchange loses no D", exchange_loses_no_dirty },
		{ 0 },
	};

int main(void)
{
	return tap_run("interrupts", tests);
}
