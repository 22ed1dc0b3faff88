/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Bad input of the clock: pages that no host wrote, writers that died, samples and images that cannot be. */
#define PVROM_CLOCK_TRIES 20
#define _GNU_SOURCE
#include "clock_world.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

static struct clock_world w;
static struct pvrom_clock_reading r;

static void again(void)
{
	clock_open(&w, HZ, 0);
	clock_set(&w, SOME_DAY);
	memset(&r, 0, sizeof(r));
}

/* ---- pages ------------------------------------------------------------------------------------- */

/* One field of a good page spoiled, and what is still to be had of it. */
static const struct spoiled {
	const char *name;
	uint32_t at, size;
	uint64_t value;
	bool tai, mono;
} spoiled[] = {
	{ "magic", 0x00, 4, 0x4b4c4357, false, true },
	{ "counter of another machine", 0x0a, 1, 0, false, true },
	{ "no counter", 0x0a, 1, 0xff, false, true },
	{ "time of no kind", 0x0b, 1, 2, false, true },
	{ "status 5", 0x22, 1, 5, false, true },
	{ "status 255", 0x22, 1, 255, false, true },
	{ "shift 64", 0x27, 1, 64, false, true },
	{ "shift 255", 0x27, 1, 255, false, true },
	{ "period 0", 0x30, 8, 0, false, true },
	{ "pvrom's magic", 0x200, 8, 1, true, false },
	{ "not kept", 0x210, 4, 0, false, false },
	{ "monotonic shift 0", 0x214, 4, 0, false, false },
	{ "monotonic shift 65", 0x214, 4, 65, false, false },
	{ "monotonic shift 255", 0x214, 4, 255, false, false },
	{ "monotonic shift 2^32 - 1", 0x214, 4, 0xffffffff, false, false },
	{ "monotonic period 0", 0x220, 8, 0, false, false },
};

/* [PVROM-CLOCK-22] */
static void spoiled_fields(void)
{
	uint32_t i;

	for (i = 0; i < sizeof(spoiled) / sizeof(spoiled[0]); i++) {
		const struct spoiled *s = &spoiled[i];
		bool tai, mono;

		again();
		memcpy(w.page + s->at, &s->value, s->size);
		tai = pvrom_clock_page_read(page_of(&w), &r) != PVROM_CLOCK_UNAVAILABLE;
		mono = r.monotonic_ns != PVROM_CLOCK_NONE;
		if (tai != s->tai || mono != s->mono) {
			tap_note("%s: tai %d monotonic %d", s->name, tai, mono);
			CU_FAIL("spoiled");
		}
		CU_ASSERT_EQUAL(pvrom_clock_page_monotonic(page_of(&w)) != PVROM_CLOCK_NONE, mono);
	}
}

static void check_of_a_page(void)
{
	const uint32_t both = PVROM_CLOCK_HAS_TAI | PVROM_CLOCK_HAS_MONOTONIC;

	again();
	CU_ASSERT_EQUAL(pvrom_clock_page_check(w.page, sizeof(w.page)), both);
	CU_ASSERT_EQUAL(pvrom_clock_page_check(w.page, 0xfff), 0);
	CU_ASSERT_EQUAL(pvrom_clock_page_check(w.page, 0), 0);
	page_of(&w)->size = 0x70;
	CU_ASSERT_EQUAL(pvrom_clock_page_check(w.page, 0x70), PVROM_CLOCK_HAS_TAI);
	page_of(&w)->size = 0x67;
	CU_ASSERT_EQUAL(pvrom_clock_page_check(w.page, sizeof(w.page)), 0);
	page_of(&w)->size = 0x27f;
	CU_ASSERT_EQUAL(pvrom_clock_page_check(w.page, sizeof(w.page)), PVROM_CLOCK_HAS_TAI);
	page_of(&w)->size = 0x1001;
	CU_ASSERT_EQUAL(pvrom_clock_page_check(w.page, sizeof(w.page)), 0);
	again();
	page_of(&w)->version = 2;
	CU_ASSERT_EQUAL(pvrom_clock_page_check(w.page, sizeof(w.page)), 0);
	again();
	page_of(&w)->clock_major = 2;
	CU_ASSERT_EQUAL(pvrom_clock_page_check(w.page, sizeof(w.page)), PVROM_CLOCK_HAS_TAI);
}

/* Any bytes: an answer, in range. Mostly with the magic words, or nothing would be looked at. */
static void random_pages(void)
{
	struct pvrom_clock_vcpu_reading vcpu;
	struct pvrom_clock_vcpu_calls calls;
	struct pvrom_clock_alone alone;
	struct pvrom_clock_date date;
	uint64_t *words = (uint64_t *)(void *)w.page;
	uint32_t n, i, smearing;

	for (n = 0; n < 20000; n++) {
		for (i = 0; i < 0x280 / 8; i++)
			words[i] = clock_random() >> (clock_random() % 64);
		if (n % 4)
			page_of(&w)->magic = PVROM_VMCLOCK_MAGIC;
		if (n % 3)
			page_of(&w)->clock_magic = PVROM_CLOCK_MAGIC;
		if (n % 5) {
			page_of(&w)->counter_id = 1;
			page_of(&w)->time_type &= 1;
			page_of(&w)->clock_status &= 3;
			page_of(&w)->leap_indicator &= 7;
			page_of(&w)->counter_period_shift &= 63;
			page_of(&w)->seq_count &= ~1u;
		}
		CU_ASSERT_TRUE(pvrom_clock_page_read(page_of(&w), &r) <= PVROM_CLOCK_UNAVAILABLE);
		for (smearing = 0; smearing < 4; smearing++)
			if (pvrom_clock_utc(&r, smearing, &date))
				CU_ASSERT_TRUE(date.nsec < 1000000000 && date.leap <= 1);
		pvrom_clock_page_monotonic(page_of(&w));
		pvrom_clock_page_check(w.page, sizeof(w.page));
		if (n % 2500 == 0) { /* these try a million times where the sequence is odd */
			pvrom_clock_alone_take(page_of(&w), &alone);
			pvrom_clock_vcpu_read((const struct pvrom_vcpu_area *)(const void *)w.page,
					      &vcpu);
			pvrom_clock_vcpu_calls((const struct pvrom_vcpu_area *)(const void *)w.page,
					       &calls);
		}
	}
}

/* ---- the sequence ------------------------------------------------------------------------------ */

/* [PVROM-CLOCK-21] */
static void writer_died(void)
{
	again();
	page_of(&w)->seq_count |= 1;
	CU_ASSERT_EQUAL(pvrom_clock_page_read(page_of(&w), &r), PVROM_CLOCK_UNAVAILABLE);
	CU_ASSERT_EQUAL(r.monotonic_ns, PVROM_CLOCK_NONE);
	CU_ASSERT_EQUAL(r.maxerror_ns, PVROM_CLOCK_NONE);
	CU_ASSERT_EQUAL(pvrom_clock_page_monotonic(page_of(&w)), PVROM_CLOCK_NONE);
	/* Another writer takes the page over: the sequence goes on, and is even. */
	{
		const uint32_t seq = page_of(&w)->seq_count;

		CU_ASSERT_EQUAL(pvrom_clock_writer_init(&w.writer, &w.config, 1), PVROM_CLOCK_OK);
		pvrom_clock_writer_attach(&w.writer, w.page);
		CU_ASSERT_EQUAL(page_of(&w)->seq_count, seq + 1);
	}
	CU_ASSERT_EQUAL(pvrom_clock_page_read(page_of(&w), &r), PVROM_CLOCK_INITIALIZING);
}

/*
 * A sequence that never settles: each load of it finds another even number. The page is not accessible, so that
 * each load of it faults; it is made so for one instruction, with the next number in it.
 */
static struct pvrom_clock_page *unsettled;
static uint32_t loads;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)signal;
	(void)info;
	mprotect(unsettled, PVROM_CLOCK_PAGE_SIZE, PROT_READ | PROT_WRITE);
	unsettled->seq_count += 2;
	loads++;
	c->uc_mcontext.gregs[REG_EFL] |= 0x100;
}

static void on_step(int signal, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)signal;
	(void)info;
	mprotect(unsettled, PVROM_CLOCK_PAGE_SIZE, PROT_NONE);
	c->uc_mcontext.gregs[REG_EFL] &= ~0x100;
}

static void never_settles(void)
{
	struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO }, old_fault;
	struct sigaction step = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO }, old_step;
	uint32_t status;
	uint64_t ns;

	again();
	unsettled = mmap(NULL, PVROM_CLOCK_PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_PTR_NOT_EQUAL_FATAL(unsettled, MAP_FAILED);
	memcpy(unsettled, w.page, PVROM_CLOCK_PAGE_SIZE);
	CU_ASSERT_EQUAL(pvrom_clock_page_read(unsettled, &r), PVROM_CLOCK_SYNCHRONIZED);
	loads = 0;
	sigaction(SIGSEGV, &fault, &old_fault);
	sigaction(SIGTRAP, &step, &old_step);
	mprotect(unsettled, PVROM_CLOCK_PAGE_SIZE, PROT_NONE);
	status = pvrom_clock_page_read(unsettled, &r);
	ns = pvrom_clock_page_monotonic(unsettled);
	sigaction(SIGSEGV, &old_fault, NULL);
	sigaction(SIGTRAP, &old_step, NULL);
	CU_ASSERT_EQUAL(status, PVROM_CLOCK_UNAVAILABLE);
	CU_ASSERT_EQUAL(r.monotonic_ns, PVROM_CLOCK_NONE);
	CU_ASSERT_EQUAL(r.maxerror_ns, PVROM_CLOCK_NONE);
	CU_ASSERT_EQUAL(ns, PVROM_CLOCK_NONE);
	/* Two loads of the sequence a try at least, and not many more of what is between. */
	CU_ASSERT_TRUE(loads >= 4 * PVROM_CLOCK_TRIES && loads < 100 * PVROM_CLOCK_TRIES);
	munmap(unsettled, PVROM_CLOCK_PAGE_SIZE);
}

static void released(void)
{
	uint8_t copy[PVROM_CLOCK_PAGE_SIZE];
	uint64_t marker;

	again();
	pvrom_clock_page_read(page_of(&w), &r);
	marker = r.marker;
	pvrom_clock_writer_detach(&w.writer);
	CU_ASSERT_EQUAL(pvrom_clock_page_read(page_of(&w), &r), PVROM_CLOCK_UNAVAILABLE);
	CU_ASSERT_NOT_EQUAL(r.marker, marker);
	CU_ASSERT_EQUAL(pvrom_clock_page_monotonic(page_of(&w)), PVROM_CLOCK_NONE);
	memcpy(copy, w.page, sizeof(copy));
	clock_set(&w, SOME_DAY);
	CU_ASSERT_EQUAL(memcmp(copy, w.page, sizeof(copy)), 0);
	/* And registered anew: all of it is there again. */
	pvrom_clock_writer_attach(&w.writer, w.page);
	CU_ASSERT_EQUAL(pvrom_clock_page_read(page_of(&w), &r), PVROM_CLOCK_SYNCHRONIZED);
}

/* The guest scribbles over the page: the host writes it as it is, and does not read it. [PVROM-CLOCK-11] */
static void scribbled(void)
{
	again();
	memset(w.page, 0xff, sizeof(w.page));
	clock_set(&w, SOME_DAY);
	memcpy(w.page, "VCLK", 4);
	page_of(&w)->size = PVROM_CLOCK_PAGE_SIZE;
	page_of(&w)->version = 1;
	page_of(&w)->counter_id = 1;
	page_of(&w)->time_type = 1;
	CU_ASSERT_EQUAL(pvrom_clock_page_read(page_of(&w), &r), PVROM_CLOCK_SYNCHRONIZED);
}

/* A TSC below the base gives the base's values, not those of 2^64 ticks later. [PVROM-CLOCK-25] */
static void tsc_below_the_base(void)
{
	again();
	w.tsc = HZ;
	clock_set(&w, SOME_DAY + 1);
	read_at(page_of(&w), 5, &r);
	CU_ASSERT_EQUAL(r.tai_sec, page_of(&w)->time_sec);
	CU_ASSERT_EQUAL(r.monotonic_ns, page_of(&w)->mono_ns);
}

/* ---- the host's own side ----------------------------------------------------------------------- */

static void bad_configurations(void)
{
	struct pvrom_clock_writer writer;
	struct pvrom_clock_config config;

#define BAD(change)                                                                                \
	config = w.config;                                                                         \
	change;                                                                                    \
	CU_ASSERT_EQUAL(pvrom_clock_writer_init(&writer, &config, 1), PVROM_CLOCK_BAD_CONFIG)
	again();
	BAD(config.tsc = NULL);
	BAD(config.rate_ticks = 0);
	BAD(config.rate_ns = 0);
	BAD(config.rate_ticks = 999999);
	BAD(config.rate_ticks = UINT64_C(18000000001));
	BAD(config.rate_ticks = UINT64_MAX);
	BAD(config.rate_ns = UINT64_MAX);
	BAD(config.flags = 2);
#undef BAD
}

static void bad_samples(void)
{
	struct pvrom_clock_sample sample;
	uint8_t before[PVROM_CLOCK_PAGE_SIZE];

#define BAD(change)                                                                                \
	clock_sample(&w, SOME_DAY, &sample);                                                       \
	change;                                                                                    \
	CU_ASSERT_EQUAL(pvrom_clock_writer_update(&w.writer, &sample), PVROM_CLOCK_BAD_SAMPLE)
	again();
	memcpy(before, w.page, sizeof(before));
	BAD(sample.tai_sec = UINT64_C(1) << 62);
	BAD(sample.maxerror_ns = UINT64_C(1) << 62);
	BAD(sample.rate_ticks = 0);
	BAD(sample.rate_ns = 0);
	BAD(sample.rate_ticks = UINT64_C(1) << 62);
	BAD(sample.rate_ticks = 1000);
	BAD(sample.rate_error_ppb = 100000000);
	BAD(sample.status = 5);
	BAD(sample.flags = 8);
	BAD(sample.smearing = 3);
	BAD(sample.leap_sign = 2);
	BAD(sample.leap_sign = -2);
	BAD(sample.leap_utc_sec = 86401);
	BAD(sample.leap_utc_sec = -86400);
	BAD(sample.leap_utc_sec = INT64_MAX / 86400 * 86400);
	BAD(sample.utc_offset_sec = 10001);
	BAD(sample.utc_offset_sec = INT32_MIN);
#undef BAD
	CU_ASSERT_EQUAL(memcmp(before, w.page, sizeof(before)), 0);
}

/* Extremes that are allowed: nothing overflows (the sanitizers look on), and reads are in range. */
static void extreme_samples(void)
{
	static const uint64_t values[] = { 0, 1, UINT64_C(0xffffffff), (UINT64_C(1) << 62) - 1 };
	struct pvrom_clock_sample sample;
	uint32_t i;

	for (i = 0; i < 4096; i++) {
		if (i % 16 == 0)
			again();
		w.tsc = i & 1 ? UINT64_MAX - 1000 + i : values[i >> 1 & 3];
		clock_sample(&w, values[i >> 3 & 3], &sample);
		sample.maxerror_ns = values[i >> 5 & 3];
		sample.tsc = i & 128 ? UINT64_MAX : 0;
		sample.rate_error_ppb = i & 256 ? 99999999 : 0;
		if (i & 512)
			sample.rate_ticks = i & 1024 ? 1000000 : UINT64_C(17999999999);
		if (i & 2048) {
			sample.flags |= PVROM_CLOCK_SAMPLE_STEPPED;
			sample.tsc_step = i & 64 ? INT64_MIN : INT64_MAX;
		}
		CU_ASSERT_EQUAL(pvrom_clock_writer_update(&w.writer, &sample), PVROM_CLOCK_OK);
		CU_ASSERT_TRUE(pvrom_clock_page_read(page_of(&w), &r) <= PVROM_CLOCK_UNRELIABLE);
	}
}

/* Every word of an image changed in its highest and lowest bits: refused, or a clock that can be read. */
static void bad_images(void)
{
	uint8_t good[PVROM_CLOCK_IMAGE_SIZE + 1], image[sizeof(good)];
	struct pvrom_clock_writer before;
	uint32_t i, refused = 0;

	again();
	pvrom_clock_writer_pause(&w.writer);
	memset(good, 0, sizeof(good));
	pvrom_clock_writer_save(&w.writer, good);
	before = w.writer;
#define LOAD(size) pvrom_clock_writer_load(&w.writer, image, size)
	memcpy(image, good, sizeof(image));
	CU_ASSERT_EQUAL(LOAD(PVROM_CLOCK_IMAGE_SIZE - 1), PVROM_CLOCK_BAD_IMAGE);
	CU_ASSERT_EQUAL(LOAD(PVROM_CLOCK_IMAGE_SIZE + 1), PVROM_CLOCK_BAD_IMAGE);
	CU_ASSERT_EQUAL(LOAD(0), PVROM_CLOCK_BAD_IMAGE);
	CU_ASSERT_EQUAL(memcmp(&before, &w.writer, sizeof(before)), 0);
	for (i = 0; i < PVROM_CLOCK_IMAGE_SIZE * 8; i++) {
		struct pvrom_clock_sample sample;

		memcpy(image, good, sizeof(image));
		image[i / 8] ^= (uint8_t)(1u << i % 8);
		w.writer = before;
		if (LOAD(PVROM_CLOCK_IMAGE_SIZE) == PVROM_CLOCK_BAD_IMAGE) {
			CU_ASSERT_EQUAL(memcmp(&before, &w.writer, sizeof(before)), 0);
			refused++;
			continue;
		}
		w.writer.page = page_of(&w);
		clock_sample(&w, SOME_DAY, &sample);
		CU_ASSERT_EQUAL(pvrom_clock_writer_resume(&w.writer, &sample, i & 1),
				PVROM_CLOCK_OK);
		CU_ASSERT_TRUE(pvrom_clock_page_read(page_of(&w), &r) <= PVROM_CLOCK_UNAVAILABLE);
	}
#undef LOAD
	tap_note("%u of %u refused", refused, PVROM_CLOCK_IMAGE_SIZE * 8);
	CU_ASSERT_TRUE(refused > 600);
}

int main(void)
{
	static const struct tap_test tests[] = { { "spoiled fields", spoiled_fields },
						 TAP_TEST(check_of_a_page),
						 { "random pages", random_pages },
						 { "a writer died in mid-update", writer_died },
						 { "a sequence that never settles", never_settles },
						 { "a released page", released },
						 TAP_TEST(scribbled),
						 { "a TSC below the base", tsc_below_the_base },
						 TAP_TEST(bad_configurations),
						 TAP_TEST(bad_samples),
						 TAP_TEST(extreme_samples),
						 { "bad images [PVROM-STATE-3]", bad_images },
						 { 0 } };

	return tap_run("clock_bad", tests);
}
