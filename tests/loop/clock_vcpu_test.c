/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The clock in vCPU areas, in a saved machine, and under readers while the guest registers and releases it. */
#include "clock_machine.h"

static struct clock_machine m;

#define AREA UINT64_C(0x3000)
#define OK PVROM_STATUS_OK

static uint64_t state = 1;

static uint64_t random64(void)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return state ^ state >> 29;
}

static const struct pvrom_vcpu_area *area(void)
{
	return world_at(&m.w, AREA);
}

static void open_with_area(void)
{
	clock_machine_open(&m, 2);
	CU_ASSERT_EQUAL(clock_register(&m, CLOCK_AT, PVROM_CLOCK_PAGE_SIZE), OK);
	CU_ASSERT_EQUAL(world_call(&m.w, 0, PVROM_BASE_VCPU_AREA, AREA, PVROM_VCPU_AREA_SIZE, 0),
			OK);
}

static void snapshot(uint64_t stolen, uint64_t halted, uint32_t vcpu_state)
{
	const struct pvrom_clock_vcpu_times times = { .tsc = m.w.tsc,
						      .stolen_ns = stolen,
						      .halted_ns = halted,
						      .fresh_ns = 1000000,
						      .state = vcpu_state };

	pvrom_clock_host_vcpu(&m.w.vcpu[0], &times);
}

/* ---- the vCPU area ----------------------------------------------------------------------------- */

/* Real time is the page's, to the nanosecond, and real = available + stolen exactly. [PVROM-CLOCK-34] */
static void identity(void)
{
	struct pvrom_clock_vcpu_reading r;
	uint64_t stolen = 0, i;

	open_with_area();
	CU_ASSERT_FALSE(pvrom_clock_vcpu_read(area(), &r));
	for (i = 0; i < 10000; i++) {
		m.w.tsc += random64() >> (20 + i % 20);
		stolen += random64() >> 44;
		if (i % 100 == 0)
			clock_machine_update(&m);
		snapshot(stolen, i, (uint32_t)(i % 3));
		CU_ASSERT_TRUE_FATAL(pvrom_clock_vcpu_read(area(), &r));
		CU_ASSERT_EQUAL(r.real_ns, clock_mono(clock_page(&m, CLOCK_AT), m.w.tsc));
		CU_ASSERT_EQUAL(r.stolen_ns, stolen < r.real_ns ? stolen : r.real_ns);
		CU_ASSERT_EQUAL(r.available_ns + r.stolen_ns, r.real_ns);
		CU_ASSERT_EQUAL(r.tsc, m.w.tsc);
		CU_ASSERT_EQUAL(r.halted_ns, i);
		CU_ASSERT_EQUAL(r.state, i % 3);
		CU_ASSERT_EQUAL(r.fresh_ns, 1000000);
	}
	world_close(&m.w);
}

/* Who runs, by the snapshot, and is off his processor, by the record of the layer below, is ready. */
static void preempted(void)
{
	static const uint32_t read[][3] = {
		{ PVROM_VCPU_RUNNING, PVROM_VCPU_HALTED, PVROM_VCPU_READY },
		{ PVROM_VCPU_READY, PVROM_VCPU_HALTED, PVROM_VCPU_READY },
	};
	struct pvrom_clock_vcpu_reading r;
	uint8_t *record;
	uint32_t off, said;

	open_with_area();
	record = (uint8_t *)world_at(&m.w, AREA) + PVROM_VCPU_AREA_STEAL;
	/* KVM's structure: 64 bits, twice 32, and then the byte. */
	CU_ASSERT_EQUAL(PVROM_VCPU_STEAL_PREEMPTED, 8 + 4 + 4);
	for (off = 0; off < 2; off++)
		for (said = 0; said < 3; said++) {
			record[PVROM_VCPU_STEAL_PREEMPTED] = (uint8_t)off;
			snapshot(0, 0, said);
			CU_ASSERT_EQUAL(pvrom_clock_vcpu_preempted(area()), off);
			CU_ASSERT_TRUE(pvrom_clock_vcpu_read(area(), &r));
			CU_ASSERT_EQUAL(r.state, read[off][said]);
		}
	world_close(&m.w);
}

/* What the host writes are the clock's fields and no others. [PVROM-CLOCK-38] */
static void fields_of_the_clock_only(void)
{
	uint32_t i;

	open_with_area();
	world_note(&m.w);
	snapshot(1, 2, PVROM_VCPU_RUNNING);
	CU_ASSERT_FALSE(world_unchanged(&m.w, 0, 0));
	CU_ASSERT_TRUE(world_unchanged(&m.w, AREA + PVROM_VCPU_AREA_CLOCK,
				       PVROM_VCPU_AREA_SIZE - PVROM_VCPU_AREA_CLOCK));
	for (i = 0; i < sizeof(area()->reserved1) / sizeof(area()->reserved1[0]); i++)
		CU_ASSERT_EQUAL(area()->reserved1[i], 0);
	CU_ASSERT_EQUAL(area()->clock_seq, 2);
	/* [PVROM-CLOCK-42]: what the embedder does not know is not made up. */
	pvrom_clock_host_vcpu(&m.w.vcpu[0],
			      &(struct pvrom_clock_vcpu_times){ .fresh_ns = UINT64_MAX });
	CU_ASSERT_EQUAL(area()->clock_fresh, UINT64_MAX);
	/* Not without an area, and not without the clock. */
	world_note(&m.w);
	pvrom_clock_host_vcpu(&m.w.vcpu[1], &(struct pvrom_clock_vcpu_times){ .tsc = 5 });
	CU_ASSERT_TRUE(world_unchanged(&m.w, 0, 0));
	pvrom_host_raise_epoch(&m.w.host);
	CU_ASSERT_EQUAL(world_negotiate(&m.w, ALL_FEATURES), OK);
	world_note(&m.w);
	snapshot(3, 4, PVROM_VCPU_RUNNING);
	CU_ASSERT_TRUE(world_unchanged(&m.w, 0, 0));
	CU_ASSERT_EQUAL(world_call(&m.w, 0, PVROM_BASE_VCPU_AREA, PVROM_VCPU_AREA_NONE, 0, 0), OK);
	pvrom_host_raise_epoch(&m.w.host);
	CU_ASSERT_EQUAL(world_negotiate(&m.w, CLOCK_FEATURES), OK);
	world_note(&m.w);
	snapshot(5, 6, PVROM_VCPU_RUNNING);
	CU_ASSERT_TRUE(world_unchanged(&m.w, 0, 0));
	world_close(&m.w);
}

/* ---- the calls --------------------------------------------------------------------------------- */

static const struct call {
	uint32_t number, properties;
} calls[] = {
#define CALL(GROUP, NAME, number, feature, args, native, properties, regs, insn, text)             \
	{ number, properties },
	PVROM_CALL_TABLE(CALL)
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static struct pvrom_clock_vcpu_calls read_calls(const struct pvrom_vcpu_area *from)
{
	struct pvrom_clock_vcpu_calls read;

	CU_ASSERT_TRUE_FATAL(pvrom_clock_vcpu_calls(from, &read));
	return read;
}

/* Each call has a counter of its own, and no other number has one. */
static void numbers_of_counters(void)
{
	bool taken[PVROM_COUNTER_COUNT] = { false };
	uint32_t i;

	for (i = 0; i < CALLS; i++) {
		const uint32_t n = pvrom_clock_counter(calls[i].number);

		CU_ASSERT_TRUE_FATAL(n < PVROM_COUNTER_COUNT);
		CU_ASSERT_FALSE(taken[n]);
		taken[n] = true;
	}
	CU_ASSERT_EQUAL(pvrom_clock_counter(PVROM_CLOCK_NOW), PVROM_COUNTER_CLOCK + 6);
	CU_ASSERT_EQUAL(pvrom_clock_counter(0x000f), PVROM_COUNTER_CPU - 1);
	CU_ASSERT_EQUAL(pvrom_clock_counter(0x0010), PVROM_CLOCK_NO_COUNTER);
	CU_ASSERT_EQUAL(pvrom_clock_counter(0x070f), PVROM_COUNTER_COUNT - 1);
	CU_ASSERT_EQUAL(pvrom_clock_counter(0x0800), PVROM_CLOCK_NO_COUNTER);
	CU_ASSERT_EQUAL(pvrom_clock_counter(0xffffffff), PVROM_CLOCK_NO_COUNTER);
}

/* Makes each call of the table another number of times, with arguments that none of them likes. */
static void make_all(uint64_t made[PVROM_COUNTER_COUNT])
{
	uint32_t i, n;

	for (i = 0; i < CALLS; i++)
		for (n = 0; n < 1 + i * 7 % 11; n++) {
			world_call(&m.w, 0, calls[i].number, 9, 9, 9);
			if (!(calls[i].properties & PVROM_CALL_RESERVED))
				made[pvrom_clock_counter(calls[i].number)]++;
		}
}

static void make_batch(uint64_t made[PVROM_COUNTER_COUNT])
{
	struct pvrom_batch_entry *entry = world_at(&m.w, 0x2000);

	memset(entry, 0, 3 * sizeof(*entry));
	entry[0].call = PVROM_CLOCK_STOLEN;
	entry[1].call = PVROM_BASE_VERSION;
	entry[2].call = PVROM_BASE_RESET; /* not allowed here: not made */
	CU_ASSERT_EQUAL(world_call(&m.w, 0, PVROM_BASE_BATCH, 0x2000, 3, 0), OK);
	made[pvrom_clock_counter(PVROM_BASE_BATCH)]++;
	made[pvrom_clock_counter(PVROM_CLOCK_STOLEN)]++;
	made[pvrom_clock_counter(PVROM_BASE_VERSION)]++;
}

/* [PVROM-CLOCK-37] */
static void counters(void)
{
	struct pvrom_clock_vcpu_calls before, after;
	uint64_t made[PVROM_COUNTER_COUNT] = { 0 };
	uint32_t i;

	open_with_area();
	snapshot(0, 0, PVROM_VCPU_RUNNING);
	before = read_calls(area());
	CU_ASSERT_EQUAL(before.made[pvrom_clock_counter(PVROM_CLOCK_PAGE)], 1);
	CU_ASSERT_EQUAL(before.made[pvrom_clock_counter(PVROM_BASE_VCPU_AREA)], 1);
	make_all(made);
	make_batch(made);
	world_call(&m.w, 0, 0x04ff, 0, 0, 0); /* no such call */
	world_call(&m.w, 0, 0x040f, 0, 0, 0); /* nor this, but for a later version */
	world_call(&m.w, 0, 0xffffffff, 0, 0, 0);
	world_call(&m.w, 1, PVROM_BASE_VERSION, 0, 0, 0); /* another vCPU's */
	CU_ASSERT_EQUAL(memcmp(before.made, read_calls(area()).made, sizeof(before.made)), 0);
	m.w.tsc++;
	snapshot(0, 0, PVROM_VCPU_RUNNING);
	after = read_calls(area());
	CU_ASSERT_EQUAL(after.tsc, m.w.tsc);
	for (i = 0; i < PVROM_COUNTER_COUNT; i++)
		CU_ASSERT_EQUAL(after.made[i] - before.made[i], made[i]);
	world_close(&m.w);
}

/* [PVROM-CLOCK-50] */
static void counter_at_its_end(void)
{
	const uint32_t n = pvrom_clock_counter(PVROM_CLOCK_NOW);
	struct pvrom_clock_vcpu_calls read;

	open_with_area();
	m.w.vcpu[0].calls[n] = UINT64_MAX;
	snapshot(0, 0, PVROM_VCPU_RUNNING);
	CU_ASSERT_EQUAL(read_calls(area()).made[n], UINT64_MAX);
	world_call(&m.w, 0, PVROM_CLOCK_NOW, 0, 0, 0);
	snapshot(0, 0, PVROM_VCPU_RUNNING);
	read = read_calls(area());
	CU_ASSERT_EQUAL(read.made[n], 0);
	CU_ASSERT_EQUAL(read.made[n - 1] | read.made[n + 1], 0);
	world_close(&m.w);
}

/* A guest that overwrites its area has spoiled nothing of the host's and of another vCPU's. [PVROM-VCPU-3] */
static void overwritten(void)
{
	struct pvrom_clock_vcpu_calls mine, others;
	uint32_t round, i;

	open_with_area();
	CU_ASSERT_EQUAL(world_call(&m.w, 1, PVROM_BASE_VCPU_AREA, AREA + PVROM_VCPU_AREA_SIZE,
				   PVROM_VCPU_AREA_SIZE, 0),
			OK);
	pvrom_clock_host_vcpu(&m.w.vcpu[1], &(struct pvrom_clock_vcpu_times){ .tsc = 5 });
	snapshot(0, 0, PVROM_VCPU_RUNNING);
	mine = read_calls(area());
	others = read_calls(area() + 1);
	for (round = 0; round < 100; round++) {
		uint64_t *word = world_at(&m.w, AREA);

		for (i = 0; i < PVROM_VCPU_AREA_SIZE / 8; i++)
			word[i] = round ? random64() : UINT64_MAX;
		world_call(&m.w, 0, PVROM_CLOCK_NOW, 0, 0, 0);
		mine.made[pvrom_clock_counter(PVROM_CLOCK_NOW)]++;
		snapshot(0, 0, PVROM_VCPU_RUNNING);
		CU_ASSERT_EQUAL(memcmp(mine.made, read_calls(area()).made, sizeof(mine.made)), 0);
	}
	CU_ASSERT_EQUAL(memcmp(&others,
			       &(struct pvrom_clock_vcpu_calls[]){ read_calls(area() + 1) },
			       sizeof(others)),
			0);
	CU_ASSERT_EQUAL((area() + 1)->vcpu, 1);
	world_close(&m.w);
}

/* ---- a saved machine ------------------------------------------------------------------------------- */

static uint8_t image[8192];

static size_t save(void)
{
	size_t size = 0;

	CU_ASSERT_EQUAL(pvrom_clock_host_pause(&m.w.host), PVROM_CLOCK_OK);
	CU_ASSERT_EQUAL_FATAL(pvrom_host_save(&m.w.host, image, sizeof(image), &size),
			      PVROM_HOST_OK);
	return size;
}

/* Its memory is there already; the TSC runs on meanwhile, as with KVM_VCPU_TSC_OFFSET. */
static enum pvrom_host_result load(size_t size)
{
	clock_machine_again(&m);
	return pvrom_host_load(&m.w.host, image, size);
}

/* On the same host with the TSC going on: the same function of it, to the last bit, through the handler's own
 * image. [PVROM-CLOCK-23] [PVROM-CLOCK-24] */
static void save_and_load(void)
{
	struct pvrom_clock_page before;
	uint64_t i, different = 0;

	open_with_area();
	m.w.tsc += 123456789;
	clock_machine_update(&m);
	before = *clock_page(&m, CLOCK_AT);
	m.w.tsc += CLOCK_HZ;
	CU_ASSERT_EQUAL(load(save()), PVROM_HOST_OK);
	m.w.tsc += 100 * CLOCK_HZ;
	CU_ASSERT_EQUAL(pvrom_clock_host_resume(&m.w.host, NULL, true), PVROM_CLOCK_OK);
	for (i = 0; i < 100000; i++) {
		const uint64_t tsc = random64() >> (i % 64);

		different += clock_mono(&before, tsc) != clock_mono(clock_page(&m, CLOCK_AT), tsc);
	}
	CU_ASSERT_EQUAL(different, 0);
	CU_ASSERT_EQUAL(before.disruption_marker, clock_page(&m, CLOCK_AT)->disruption_marker);
	CU_ASSERT_NOT_EQUAL(before.vm_generation_counter,
			    clock_page(&m, CLOCK_AT)->vm_generation_counter);
	CU_ASSERT_EQUAL(clock_page(&m, CLOCK_AT)->epoch, m.w.host.epoch);
	CU_ASSERT_EQUAL(clock_register(&m, CLOCK_AT, 0x1000), PVROM_STATUS_BUSY);
	world_close(&m.w);
}

/* Each vCPU's counters go on from where they were. [PVROM-CLOCK-44] */
static void counters_go_on(void)
{
	const uint32_t now = pvrom_clock_counter(PVROM_CLOCK_NOW);
	uint64_t before[2][PVROM_COUNTER_COUNT], made[PVROM_COUNTER_COUNT] = { 0 };
	struct pvrom_clock_vcpu_calls r;
	uint32_t i;

	open_with_area();
	for (i = 0; i < 7; i++)
		world_call(&m.w, 1, PVROM_BASE_VERSION, 0, 0, 0);
	make_all(made);
	for (i = 0; i < 2; i++)
		memcpy(before[i], m.w.vcpu[i].calls, sizeof(before[i]));
	CU_ASSERT_EQUAL(load(save()), PVROM_HOST_OK);
	for (i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(memcmp(before[i], m.w.vcpu[i].calls, sizeof(before[i])), 0);
	CU_ASSERT_EQUAL(pvrom_clock_host_resume(&m.w.host, NULL, true), PVROM_CLOCK_OK);
	world_call(&m.w, 0, PVROM_CLOCK_NOW, 0, 0, 0);
	snapshot(0, 0, PVROM_VCPU_RUNNING);
	r = read_calls(area());
	before[0][now]++;
	CU_ASSERT_EQUAL(memcmp(r.made, before[0], sizeof(r.made)), 0);
	CU_ASSERT_EQUAL(before[1][pvrom_clock_counter(PVROM_BASE_VERSION)], 7);
	world_close(&m.w);
}

/* A loaded page that is no page of this machine's memory: refused, and nothing is changed. */
static void load_without_its_memory(void)
{
	struct pvrom_clock_host before;
	size_t size;

	clock_machine_open(&m, 1);
	CU_ASSERT_EQUAL(clock_register(&m, WORLD_HIGH, PVROM_CLOCK_PAGE_SIZE), OK);
	size = save();
	m.w.longest = 0x800;
	clock_machine_again(&m);
	before = m.clock;
	CU_ASSERT_NOT_EQUAL(pvrom_host_load(&m.w.host, image, size), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(memcmp(&before, &m.clock, sizeof(before)), 0);
	m.w.longest = 0;
	CU_ASSERT_EQUAL(load(size), PVROM_HOST_OK);
	world_close(&m.w);
}

/* ---- readers meanwhile ----------------------------------------------------------------------------- */

static volatile bool stop;
static uint64_t good, none, wrong;

/* Reads as fast as it can, whatever becomes of the page. */
static void *read_on(void *ctx)
{
	const struct pvrom_clock_page *page = ctx;
	struct pvrom_clock_reading r = { .marker = 0 };

	while (!stop) {
		const uint32_t status = pvrom_clock_page_read(page, &r);
		const bool kept = r.monotonic_ns != PVROM_CLOCK_NONE;

		if (status == PVROM_CLOCK_SYNCHRONIZED && kept && r.tai_sec >= CLOCK_DAY)
			good++;
		else if (status == PVROM_CLOCK_UNAVAILABLE && !kept)
			none++;
		else
			wrong++;
	}
	return NULL;
}

/* A read sees a page that is kept, or one that is not; never something between. [PVROM-CLOCK-17] */
static void unregistering_while_readers_read(void)
{
	uint64_t turns = 0;
	pthread_t thread;

	open_with_area();
	m.w.racing = true;
	m.w.hide_every = UINT32_MAX;
	stop = false;
	good = none = wrong = 0;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, read_on, world_at(&m.w, CLOCK_AT)), 0);
	/* Until both were seen often; bounded, for the other thread may hardly run. */
	while ((__atomic_load_n(&good, __ATOMIC_RELAXED) < 1000 ||
		__atomic_load_n(&none, __ATOMIC_RELAXED) < 1000 || turns < 20000) &&
	       turns < 3000000) {
		CU_ASSERT_EQUAL(clock_release(&m), OK);
		clock_machine_update(&m);
		CU_ASSERT_EQUAL(clock_register(&m, CLOCK_AT, PVROM_CLOCK_PAGE_SIZE), OK);
		turns++;
	}
	stop = true;
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(good > 0 && none > 0);
	tap_note("%llu turns, %llu reads of a page, %llu of none", (unsigned long long)turns,
		 (unsigned long long)good, (unsigned long long)none);
	world_close(&m.w);
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "real = available + stolen, exactly, and real is the page's", identity },
		{ "who is off his processor is ready", preempted },
		{ "the clock's fields of an area, and only while it has the clock",
		  fields_of_the_clock_only },
		{ "each call has a counter", numbers_of_counters },
		{ "each call is counted by itself, exactly", counters },
		{ "a counter at its end", counter_at_its_end },
		{ "a guest overwrites its area", overwritten },
		{ "save and load: 0 ns difference at 100,000 values", save_and_load },
		{ "a loaded machine counts on", counters_go_on },
		{ "loading a page that has no memory", load_without_its_memory },
		{ "unregistering while readers read", unregistering_while_readers_read },
		{ 0 },
	};

	return world_main("clock_vcpu", tests);
}
