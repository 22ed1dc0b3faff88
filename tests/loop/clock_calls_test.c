/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The calls of the feature clock: registration and release of the page, wall clock, stolen time, available time. */
#include "clock_machine.h"

static struct clock_machine m;

#define CALL(NAME, a, b) world_call(&m.w, 0, PVROM_CLOCK_##NAME, a, b, 0)
#define OK PVROM_STATUS_OK

static void open_machine(void)
{
	clock_machine_open(&m, 2);
}

static void open_with_page(void)
{
	open_machine();
	CU_ASSERT_EQUAL_FATAL(clock_register(&m, CLOCK_AT, PVROM_CLOCK_PAGE_SIZE), OK);
}

static void close_machine(void)
{
	world_close(&m.w);
}

/* ---- the offer ----------------------------------------------------------------------------------- */

static uint32_t reason(void)
{
	struct pvrom_offer offer;

	pvrom_host_offer(&m.w.host, &offer);
	return offer.reason[PVROM_FEATURE_CLOCK];
}

static void offered(void)
{
	open_machine();
	CU_ASSERT_EQUAL(reason(), PVROM_REASON_NONE);
	m.w.config.operator_off = FEATURE(CLOCK);
	clock_machine_again(&m);
	CU_ASSERT_EQUAL(reason(), PVROM_REASON_OPERATOR);
	close_machine();
}

static void denied_outside_the_set(void)
{
	open_machine();
	clock_machine_again(&m);
	CU_ASSERT_EQUAL(world_negotiate(&m.w, ALL_FEATURES), OK);
	clock_machine_update(&m);
	world_note(&m.w);
	CU_ASSERT_EQUAL(clock_register(&m, CLOCK_AT, PVROM_CLOCK_PAGE_SIZE), PVROM_STATUS_DENIED);
	CU_ASSERT_EQUAL(CALL(WALL, 0x2000, 0), PVROM_STATUS_DENIED);
	CU_ASSERT_EQUAL(CALL(STOLEN, 0, 0), PVROM_STATUS_DENIED);
	CU_ASSERT_EQUAL(CALL(NOW, 0, 0), PVROM_STATUS_DENIED);
	CU_ASSERT_EQUAL(CALL(ALARM_AVAILABLE, 0, 0), PVROM_STATUS_DENIED);
	CU_ASSERT_TRUE(world_unchanged(&m.w, 0, 0));
	close_machine();
}

/* ---- registration ------------------------------------------------------------------------------ */

/* All of the page is written [PVROM-CLOCK-8], and the sequence goes on from what stands there. */
static void registered(void)
{
	struct pvrom_clock_page *page;

	open_machine();
	page = world_at(&m.w, CLOCK_AT);
	memset(page, 0xff, PVROM_CLOCK_PAGE_SIZE);
	page->seq_count = 77;
	CU_ASSERT_EQUAL(clock_register(&m, CLOCK_AT, PVROM_CLOCK_PAGE_SIZE), OK);
	CU_ASSERT_EQUAL(page->seq_count, 78);
	CU_ASSERT_EQUAL(pvrom_clock_page_check(page, PVROM_CLOCK_PAGE_SIZE),
			PVROM_CLOCK_HAS_TAI | PVROM_CLOCK_HAS_MONOTONIC);
	CU_ASSERT_EQUAL(page->epoch, m.w.host.epoch);
	CU_ASSERT_EQUAL(page->reserved0[49] | page->reserved1[4], 0);
	CU_ASSERT_EQUAL(((uint64_t *)(void *)page)[511], 0);
	m.w.tsc += CLOCK_HZ;
	clock_machine_update(&m);
	CU_ASSERT_EQUAL(page->seq_count, 80);
	CU_ASSERT_EQUAL(page->mono_tsc, m.w.tsc);
	close_machine();
}

/* [PVROM-CLOCK-2] */
static void second_registration(void)
{
	open_with_page();
	world_note(&m.w);
	CU_ASSERT_EQUAL(clock_register(&m, 0x9000, PVROM_CLOCK_PAGE_SIZE), PVROM_STATUS_BUSY);
	CU_ASSERT_EQUAL(clock_register(&m, CLOCK_AT, PVROM_CLOCK_PAGE_SIZE), PVROM_STATUS_BUSY);
	CU_ASSERT_TRUE(world_unchanged(&m.w, 0, 0));
	clock_machine_update(&m);
	CU_ASSERT_TRUE(world_unchanged(&m.w, CLOCK_AT, PVROM_CLOCK_PAGE_SIZE));
	CU_ASSERT_EQUAL(clock_release(&m), OK);
	CU_ASSERT_EQUAL(clock_register(&m, 0x9000, PVROM_CLOCK_PAGE_SIZE), OK);
	close_machine();
}

/* [PVROM-CLOCK-3] [PVROM-CLOCK-7] */
static void hostile_arguments(void)
{
	static const struct {
		uint64_t gpa, size;
		uint32_t status;
	} cases[] = {
		{ CLOCK_AT, 0, PVROM_STATUS_INVALID },
		{ CLOCK_AT, 0xfff, PVROM_STATUS_INVALID },
		{ CLOCK_AT, 0x1001, PVROM_STATUS_INVALID },
		{ CLOCK_AT, 0x2000, PVROM_STATUS_INVALID },
		{ CLOCK_AT, UINT64_MAX, PVROM_STATUS_INVALID },
		{ CLOCK_AT, UINT64_C(0x100001000), PVROM_STATUS_INVALID },
		{ CLOCK_AT + 1, 0x1000, PVROM_STATUS_ADDRESS },
		{ CLOCK_AT + 8, 0x1000, PVROM_STATUS_ADDRESS },
		{ CLOCK_AT + 0x800, 0x1000, PVROM_STATUS_ADDRESS },
		{ UINT64_MAX - 1, 0x1000, PVROM_STATUS_ADDRESS },
		{ UINT64_C(0xfffffffffffff000), 0x1000, PVROM_STATUS_ADDRESS },
		{ UINT64_C(1) << 63, 0x1000, PVROM_STATUS_ADDRESS },
		{ WORLD_HOLE, 0x1000, PVROM_STATUS_ADDRESS },
		{ WORLD_LOW_END, 0x1000, PVROM_STATUS_ADDRESS },
		{ WORLD_MID - 0x1000, 0x1000, PVROM_STATUS_ADDRESS },
		{ WORLD_BACK_END, 0x1000, PVROM_STATUS_ADDRESS },
		{ WORLD_HIGH_END, 0x1000, PVROM_STATUS_ADDRESS },
	};
	static const uint64_t good[] = { 0, WORLD_LOW_END - 0x1000, WORLD_BACK, WORLD_HIGH,
					 WORLD_HIGH_END - 0x1000 };
	uint32_t i;

	open_machine();
	world_note(&m.w);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (clock_register(&m, cases[i].gpa, cases[i].size) != cases[i].status) {
			tap_note("case %u: status %u", i, m.w.regs.status);
			CU_FAIL("hostile arguments");
		}
	CU_ASSERT_TRUE(world_unchanged(&m.w, 0, 0));
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CU_ASSERT_EQUAL(clock_register(&m, good[i], 0x1000), OK);
		CU_ASSERT_TRUE(pvrom_clock_page_check(clock_page(&m, good[i]), 0x1000) != 0);
		CU_ASSERT_EQUAL(clock_release(&m), OK);
	}
	close_machine();
}

/* A page that lies in two pieces in the host. [PVROM-CLOCK-3] */
static void straddling_regions(void)
{
	open_machine();
	world_note(&m.w);
	m.w.longest = 0xfff;
	CU_ASSERT_EQUAL(clock_register(&m, CLOCK_AT, 0x1000), PVROM_STATUS_ADDRESS);
	CU_ASSERT_TRUE(world_unchanged(&m.w, 0, 0));
	m.w.longest = 0x1000;
	CU_ASSERT_EQUAL(clock_register(&m, CLOCK_AT, 0x1000), OK);
	/* And one that becomes two afterwards, or goes away: nothing is written, the clock goes on. */
	world_note(&m.w);
	m.w.longest = 0x800;
	m.w.tsc += CLOCK_HZ;
	clock_machine_update(&m);
	CU_ASSERT_EQUAL(CALL(WALL, 0x2001, 0), PVROM_STATUS_ADDRESS);
	CU_ASSERT_TRUE(world_unchanged(&m.w, 0, 0));
	m.w.longest = 0;
	clock_machine_update(&m);
	CU_ASSERT_EQUAL(clock_page(&m, CLOCK_AT)->mono_tsc, m.w.tsc);
	m.w.longest = 0x800;
	CU_ASSERT_EQUAL(clock_release(&m), OK);
	close_machine();
}

/* ---- release --------------------------------------------------------------------------------------- */

static void is_left_alone(uint64_t marker)
{
	const struct pvrom_clock_page *page = clock_page(&m, CLOCK_AT);

	CU_ASSERT_FALSE(page->clock_flags & PVROM_CLOCK_KEPT);
	CU_ASSERT_NOT_EQUAL(page->disruption_marker, marker);
	CU_ASSERT_EQUAL(page->seq_count & 1, 0);
	CU_ASSERT_EQUAL(clock_mono(page, m.w.tsc), PVROM_CLOCK_NONE);
	world_note(&m.w);
	m.w.tsc += CLOCK_HZ;
	clock_machine_update(&m);
	CU_ASSERT_TRUE(world_unchanged(&m.w, 0, 0));
}

/* [PVROM-CLOCK-4] [PVROM-CLOCK-17] */
static void released(void)
{
	uint64_t marker;

	open_with_page();
	marker = clock_page(&m, CLOCK_AT)->disruption_marker;
	CU_ASSERT_EQUAL(clock_release(&m), OK);
	is_left_alone(marker);
	/* Nothing to release is no error. */
	CU_ASSERT_EQUAL(clock_release(&m), OK);
	CU_ASSERT_TRUE(world_unchanged(&m.w, 0, 0));
	close_machine();
}

/* [PVROM-CLOCK-18] */
static void released_by_reset(void)
{
	uint64_t marker;

	open_with_page();
	marker = clock_page(&m, CLOCK_AT)->disruption_marker;
	CU_ASSERT_EQUAL(world_call(&m.w, 0, PVROM_BASE_RESET, 0, 0, 0), OK);
	is_left_alone(marker);
	close_machine();
}

/* [PVROM-CLOCK-18] */
static void released_by_a_set_without_it(void)
{
	uint64_t marker;

	open_with_page();
	marker = clock_page(&m, CLOCK_AT)->disruption_marker;
	pvrom_host_raise_epoch(&m.w.host);
	CU_ASSERT_EQUAL(world_negotiate(&m.w, ALL_FEATURES), OK);
	is_left_alone(marker);
	CU_ASSERT_EQUAL(clock_register(&m, CLOCK_AT, 0x1000), PVROM_STATUS_DENIED);
	/* With the clock again: from now on, not from where it was left. */
	pvrom_host_raise_epoch(&m.w.host);
	CU_ASSERT_EQUAL(world_negotiate(&m.w, CLOCK_FEATURES), OK);
	CU_ASSERT_EQUAL(clock_register(&m, CLOCK_AT, 0x1000), OK);
	CU_ASSERT_EQUAL(clock_page(&m, CLOCK_AT)->epoch, m.w.host.epoch);
	close_machine();
}

/* The page stays over a set that has the clock still, and gets the new epoch. */
static void kept_by_a_set_with_it(void)
{
	open_with_page();
	pvrom_host_raise_epoch(&m.w.host);
	CU_ASSERT_EQUAL(world_negotiate(&m.w, CLOCK_FEATURES), OK);
	CU_ASSERT_EQUAL(clock_register(&m, CLOCK_AT, 0x1000), PVROM_STATUS_BUSY);
	clock_machine_update(&m);
	CU_ASSERT_EQUAL(clock_page(&m, CLOCK_AT)->epoch, m.w.host.epoch);
	close_machine();
}

/* ---- wall clock -------------------------------------------------------------------------------- */

/* Writes the size, calls, returns the structure. */
static const struct pvrom_clock_wall *wall(uint64_t gpa, uint32_t size, uint32_t status)
{
	struct pvrom_clock_wall *where = world_at(&m.w, gpa);

	memset(where, 0xee, sizeof(*where));
	where->size = size;
	CU_ASSERT_EQUAL(CALL(WALL, gpa, 0), status);
	return where;
}

/* Is what a reader of the page would compute at that TSC. [PVROM-CLOCK-31] */
static void wall_clock(void)
{
	const struct pvrom_clock_page *page;
	const struct pvrom_clock_wall *now;
	struct pvrom_clock_reading r = { .marker = 0 };
	struct pvrom_clock_tai_ tai;

	open_with_page();
	page = clock_page(&m, CLOCK_AT);
	m.w.tsc += CLOCK_HZ * 5 / 2;
	now = wall(0x2008, 0x40, OK);
	tai = pvrom_clock_tai_load_(page);
	pvrom_clock_tai_at_(&tai, m.w.tsc, &r);
	CU_ASSERT_EQUAL(now->size, 0x40);
	CU_ASSERT_EQUAL(now->status, PVROM_CLOCK_SYNCHRONIZED);
	CU_ASSERT_EQUAL(now->tsc, m.w.tsc);
	CU_ASSERT_EQUAL(now->tai_sec, r.tai_sec);
	CU_ASSERT_EQUAL((uint32_t)((pvrom_clock_wide)now->tai_frac_sec * 1000000000 >> 64),
			r.tai_nsec);
	CU_ASSERT_EQUAL(now->monotonic_ns, clock_mono(page, m.w.tsc));
	CU_ASSERT_EQUAL(CALL(NOW, 0, 0), OK);
	CU_ASSERT_EQUAL(m.w.regs.value, clock_mono(page, m.w.tsc));
	/* Each rounds up by a nanosecond or two of its own. */
	CU_ASSERT_TRUE(now->maxerror_nanosec + 3 - r.maxerror_ns <= 6);
	CU_ASSERT_EQUAL(now->utc_offset_sec, -37);
	CU_ASSERT_EQUAL(now->flags, PVROM_VMCLOCK_TAI_OFFSET_VALID);
	CU_ASSERT_EQUAL(now->reserved, 0);
	close_machine();
}

/* [PVROM-CLOCK-30] */
static void wall_clock_refused(void)
{
	static const uint64_t nowhere[] = {
		1,
		4,
		0x2007,
		WORLD_HOLE,
		WORLD_LOW_END,
		WORLD_LOW_END - 8,
		WORLD_LOW_END - 0x38,
		WORLD_HIGH_END - 0x38,
		UINT64_MAX & ~7ull,
		UINT64_C(0xffffffffffffffc0),
	};
	uint32_t i;

	open_machine();
	memset(world_at(&m.w, WORLD_LOW_END - 0x38), 0x40, 4);
	for (i = 0; i < 0x38; i += 8) {
		*(uint32_t *)world_at(&m.w, WORLD_LOW_END - 0x38 + i) = 0x40;
		*(uint32_t *)world_at(&m.w, WORLD_HIGH_END - 0x38 + i) = 0x40;
	}
	world_note(&m.w);
	for (i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		CU_ASSERT_EQUAL(CALL(WALL, nowhere[i], 0), PVROM_STATUS_ADDRESS);
	CU_ASSERT_TRUE(world_unchanged(&m.w, 0, 0));
	CU_ASSERT_EQUAL(wall(0x2000, 0x3f, PVROM_STATUS_INVALID)->tsc,
			UINT64_C(0xeeeeeeeeeeeeeeee));
	CU_ASSERT_EQUAL(wall(0x2000, 0x41, PVROM_STATUS_INVALID)->size, 0x41);
	wall(0x2000, 0, PVROM_STATUS_INVALID);
	wall(0x2000, UINT32_MAX, PVROM_STATUS_INVALID);
	wall(WORLD_LOW_END - 0x40, 0x40, OK);
	/* Over a border between pages that are not neighbours in the host. */
	*(uint32_t *)world_at(&m.w, WORLD_BACK + 0xfe0) = 0x40;
	CU_ASSERT_EQUAL(CALL(WALL, WORLD_BACK + 0xfe0, 0), OK);
	CU_ASSERT_EQUAL(*(uint64_t *)world_at(&m.w, WORLD_BACK + 0xfe8), m.w.tsc);
	CU_ASSERT_EQUAL(*(int32_t *)world_at(&m.w, WORLD_BACK + 0x1010), -37);
	close_machine();
}

/* Without a bound none is told; with a leap second the offset changes behind it. */
static void wall_clock_status(void)
{
	struct pvrom_clock_sample sample;
	const struct pvrom_clock_wall *now;

	open_machine();
	sample = clock_machine_sample(&m);
	sample.status = PVROM_CLOCK_UNRELIABLE;
	sample.tai_sec = 86400 * 20000 + 37 - 1;
	sample.leap_utc_sec = 86400 * 20000;
	sample.leap_sign = 1;
	CU_ASSERT_EQUAL(pvrom_clock_host_update(&m.w.host, &sample), PVROM_CLOCK_OK);
	now = wall(0x2000, 0x40, OK);
	CU_ASSERT_EQUAL(now->status, PVROM_CLOCK_UNRELIABLE);
	CU_ASSERT_EQUAL(now->maxerror_nanosec, UINT64_MAX);
	CU_ASSERT_EQUAL(now->utc_offset_sec, -37);
	m.w.tsc += 2 * CLOCK_HZ + 10;
	CU_ASSERT_EQUAL(wall(0x2000, 0x40, OK)->utc_offset_sec, -38);
	close_machine();
}

/* The monotonic time of the page, for kernels that keep none. [PVROM-CLOCK-43] */
static void now(void)
{
	open_with_page();
	m.w.tsc += 123456789;
	CU_ASSERT_EQUAL(CALL(NOW, 0, 0), OK);
	CU_ASSERT_EQUAL(m.w.regs.value, clock_mono(clock_page(&m, CLOCK_AT), m.w.tsc));
	CU_ASSERT_EQUAL(clock_release(&m), OK);
	m.w.tsc += 123456789;
	CU_ASSERT_EQUAL(CALL(NOW, 0, 0), OK);
	CU_ASSERT_EQUAL(m.w.regs.value, pvrom_clock_writer_mono_at(&m.clock.writer, m.w.tsc));
	close_machine();
}

/* ---- stolen and available time --------------------------------------------------------------------- */

static uint64_t asked[4];

static uint32_t stolen(void *ctx, uint32_t vcpu, uint64_t *ns)
{
	CU_ASSERT_EQUAL(ctx, &m);
	asked[0] = vcpu;
	*ns = 12345 + vcpu;
	return PVROM_STATUS_OK;
}

static uint32_t alarm_available(void *ctx, uint32_t vcpu, uint64_t ns, uint8_t vector)
{
	CU_ASSERT_EQUAL(ctx, &m);
	asked[1] = vcpu;
	asked[2] = ns;
	asked[3] = vector;
	return PVROM_STATUS_OK;
}

/* [PVROM-CLOCK-32] [PVROM-CLOCK-33] */
static void what_the_embedder_declines(void)
{
	open_machine();
	CU_ASSERT_EQUAL(CALL(STOLEN, 0, 0), PVROM_STATUS_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(m.w.regs.value, 0);
	CU_ASSERT_EQUAL(CALL(STOLEN, 2, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(ALARM_AVAILABLE, 1000, 0), PVROM_STATUS_NOT_SUPPORTED);
	CU_ASSERT_PTR_NULL(world_event(&m.w, W_ALARM_SET, 0));
	close_machine();
}

/* [PVROM-CLOCK-32] [PVROM-CLOCK-33] */
static void what_it_does(void)
{
	open_machine();
	m.config.stolen = stolen;
	m.config.alarm_available = alarm_available;
	clock_machine_again(&m);
	CU_ASSERT_EQUAL(world_negotiate(&m.w, CLOCK_FEATURES), OK);
	CU_ASSERT_EQUAL(CALL(STOLEN, 1, 0), OK);
	CU_ASSERT_EQUAL(m.w.regs.value, 12346);
	CU_ASSERT_EQUAL(CALL(STOLEN, 2, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(STOLEN, UINT64_C(0x100000001), 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(STOLEN, UINT64_MAX, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(asked[0], 1);
	m.w.running[1] = true;
	CU_ASSERT_EQUAL(world_call(&m.w, 1, PVROM_CLOCK_ALARM_AVAILABLE, 777, 0, 0), OK);
	CU_ASSERT_EQUAL(asked[1], 1);
	CU_ASSERT_EQUAL(asked[2], 777);
	CU_ASSERT_EQUAL(asked[3], WORLD_ALARM_VECTOR);
	/* Without the feature alarm there is no vector that it could come by. */
	pvrom_host_raise_epoch(&m.w.host);
	CU_ASSERT_EQUAL(world_negotiate(&m.w, FEATURE(CLOCK)), OK);
	CU_ASSERT_EQUAL(CALL(ALARM_AVAILABLE, 1000, 0), PVROM_STATUS_DENIED);
	CU_ASSERT_EQUAL(world_call(&m.w, 0, 0x0407, 0, 0, 0), PVROM_STATUS_NOT_SUPPORTED);
	close_machine();
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "offered, or withheld by the operator", offered },
		{ "denied outside the sealed set", denied_outside_the_set },
		{ "a page registered", registered },
		{ "a second registration", second_registration },
		{ "registrations with hostile arguments", hostile_arguments },
		{ "a page that straddles regions of the host", straddling_regions },
		{ "a page released", released },
		{ "released by RESET", released_by_reset },
		{ "released by a set without the clock", released_by_a_set_without_it },
		{ "kept by a set with the clock", kept_by_a_set_with_it },
		{ "the wall clock is the page's", wall_clock },
		{ "wall clock refused", wall_clock_refused },
		{ "wall clock without a bound, and over a leap second", wall_clock_status },
		{ "monotonic time by a call", now },
		{ "stolen time, and alarms on available time, declined",
		  what_the_embedder_declines },
		{ "stolen time, and alarms on available time", what_it_does },
		{ 0 },
	};

	return world_main("clock_calls", tests);
}
