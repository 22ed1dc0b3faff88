/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Both halves of the clock over one page: what the writer is told, the reader says. */
#include "clock_world.h"

static struct clock_world w;
static struct pvrom_clock_reading r;

static void again(uint64_t hz)
{
	clock_open(&w, hz, 0);
	memset(&r, 0, sizeof(r));
}

/* ---- the page ---------------------------------------------------------------------------------- */

static uint64_t word(unsigned int at, unsigned int size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | w.page[at + size];
	return value;
}

/* VMClock's first version, at the offsets of Linux's vmclock-abi.h. */
static void vmclock_layout(void)
{
	again(HZ);
	clock_set(&w, SOME_DAY);
	CU_ASSERT_EQUAL(memcmp(w.page, "VCLK", 4), 0);
	CU_ASSERT_EQUAL(word(0x04, 4), 0x1000);
	CU_ASSERT_EQUAL(word(0x08, 2), 1);
	CU_ASSERT_EQUAL(word(0x0a, 1), 1);
	CU_ASSERT_EQUAL(word(0x0b, 1), 1);
	CU_ASSERT_EQUAL(word(0x0c, 4) & 1, 0);
	CU_ASSERT_NOT_EQUAL(word(0x10, 8), 0);
	CU_ASSERT_EQUAL(word(0x18, 8), 0x151);
	CU_ASSERT_EQUAL(word(0x22, 1), 2);
	CU_ASSERT_EQUAL((int16_t)word(0x24, 2), -37);
	CU_ASSERT_EQUAL(word(0x28, 8), 1000);
	CU_ASSERT_EQUAL(word(0x48, 8), SOME_DAY);
	CU_ASSERT_TRUE(word(0x60, 8) >= 1000 && word(0x60, 8) <= 1005);
	CU_ASSERT_EQUAL(word(0x68, 8), 1);
}

/* A reader who knows VMClock alone computes the same TAI, by the formula of its text. */
static void vmclock_reader(void)
{
	unsigned __int128 sum;
	uint64_t ticks = 12345678901234;

	again(HZ);
	clock_set(&w, SOME_DAY);
	sum = ((unsigned __int128)ticks * word(0x30, 8) >> word(0x27, 1)) + word(0x50, 8);
	read_at(page_of(&w), 1000 + ticks, &r);
	CU_ASSERT_EQUAL(r.tai_sec, word(0x48, 8) + (uint64_t)(sum >> 64));
	CU_ASSERT_EQUAL(r.tai_nsec, (uint64_t)((sum & UINT64_MAX) * 1000000000 >> 64));
	CU_ASSERT_EQUAL(r.tai_sec - SOME_DAY, ticks / HZ);
}

static void time_passes(void)
{
	again(HZ);
	clock_set(&w, SOME_DAY);
	read_at(page_of(&w), 1000, &r);
	CU_ASSERT_EQUAL(r.status, PVROM_CLOCK_SYNCHRONIZED);
	CU_ASSERT_EQUAL(r.tai_sec, SOME_DAY);
	CU_ASSERT_EQUAL(r.tai_nsec, 0);
	CU_ASSERT_EQUAL(r.monotonic_ns, 0);
	CU_ASSERT_TRUE(r.offset_known);
	CU_ASSERT_FALSE(r.disrupted);
	CU_ASSERT_TRUE(r.maxerror_ns >= 1001 && r.maxerror_ns < 1010);
	read_at(page_of(&w), 1000 + HZ * 10, &r);
	/* Cut off: a nanosecond less is right too. */
	CU_ASSERT_TRUE(r.tai_sec == SOME_DAY + 10 || r.tai_nsec == 999999999);
	CU_ASSERT_TRUE(r.monotonic_ns + 1 - UINT64_C(10000000000) <= 1);
	/* 1 us at the base and 1 ppm of ten seconds. */
	CU_ASSERT_TRUE(r.maxerror_ns >= 11000 && r.maxerror_ns < 11100);
}

/* The functions of the writer for the host's own use are those of the page. */
static void host_sees_the_same(void)
{
	uint32_t i;

	again(HZ);
	clock_set(&w, SOME_DAY);
	for (i = 0; i < 10000; i++) {
		const uint64_t tsc = 1000 + (clock_random() >> (i % 50));
		const uint64_t ns = clock_random() >> (i % 40 + 10);
		uint64_t at;

		CU_ASSERT_EQUAL(pvrom_clock_writer_mono_at(&w.writer, tsc),
				mono_at(page_of(&w), tsc));
		at = pvrom_clock_writer_tsc_at(&w.writer, ns);
		CU_ASSERT_TRUE(at == UINT64_MAX || mono_at(page_of(&w), at) >= ns);
		if (ns && at != UINT64_MAX)
			CU_ASSERT_TRUE(mono_at(page_of(&w), at - 1) < ns);
	}
	CU_ASSERT_EQUAL(pvrom_clock_writer_tsc_at(&w.writer, 0), 1000);
}

/* ---- how exact --------------------------------------------------------------------------------- */

/* One step of a multiplier, over 100 years of ticks: less than a nanosecond, at any rate. [PVROM-CLOCK-26] */
static void step_of_the_multiplier(void)
{
	const uint64_t seconds = UINT64_C(100) * 36525 * 864;
	uint64_t hz;

	for (hz = 1000000; hz < UINT64_C(5800000000); hz += hz / 7 + 1) {
		const unsigned __int128 ticks = (unsigned __int128)seconds * hz;

		again(hz);
		clock_set(&w, SOME_DAY);
		CU_ASSERT_TRUE(ticks >> page_of(&w)->mono_shift == 0);
		CU_ASSERT_TRUE(ticks * 1000000000 >> page_of(&w)->counter_period_shift >> 64 == 0);
	}
}

/* And so 100 years without an update are exact to two nanoseconds. */
static void hundred_years(void)
{
	const uint64_t seconds = UINT64_C(100) * 36525 * 864;

	again(HZ);
	clock_set(&w, SOME_DAY);
	CU_ASSERT_TRUE(mono_at(page_of(&w), 1000 + seconds * HZ) + 2 - seconds * 1000000000 <= 2);
	read_at(page_of(&w), 1000 + seconds * HZ, &r);
	CU_ASSERT_TRUE(r.tai_sec == SOME_DAY + seconds ||
		       (r.tai_sec == SOME_DAY + seconds - 1 && r.tai_nsec >= 999999998));
}

/* Ends of 32-bit seconds, signed and not, of 64-bit nanoseconds, of the year 9999. [PVROM-CLOCK-28] */
static void range(void)
{
	static const uint64_t ends[] = { UINT64_C(0x7fffffff), UINT64_C(0xffffffff),
					 UINT64_C(9223372036), UINT64_C(18446744073),
					 UINT64_C(253402300799) };
	struct pvrom_clock_date date;
	uint32_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		again(HZ);
		clock_set(&w, ends[i] + 37 - 1);
		read_at(page_of(&w), 1000 + HZ * 5 / 2, &r);
		CU_ASSERT_TRUE(pvrom_clock_utc(&r, PVROM_CLOCK_STRICT, &date));
		CU_ASSERT_EQUAL(date.sec, (int64_t)ends[i] + 1);
		CU_ASSERT_TRUE(date.nsec >= 499999999 && date.nsec <= 500000000);
		CU_ASSERT_EQUAL(date.leap, 0);
	}
}

/* ---- the host's status ------------------------------------------------------------------------- */

/* [PVROM-CLOCK-15] */
static void status_is_passed_on(void)
{
	struct pvrom_clock_sample sample;
	uint32_t status;

	again(HZ);
	for (status = PVROM_CLOCK_UNKNOWN; status <= PVROM_CLOCK_UNRELIABLE; status++) {
		clock_sample(&w, SOME_DAY, &sample);
		sample.status = status;
		CU_ASSERT_EQUAL(pvrom_clock_writer_update(&w.writer, &sample), PVROM_CLOCK_OK);
		read_at(page_of(&w), w.tsc, &r);
		CU_ASSERT_EQUAL(r.status, status);
		CU_ASSERT_EQUAL(r.tai_sec, SOME_DAY);
		CU_ASSERT_EQUAL(r.maxerror_ns == PVROM_CLOCK_NONE,
				status != PVROM_CLOCK_SYNCHRONIZED &&
					status != PVROM_CLOCK_FREE_RUNNING);
	}
}

/* A host step within the bound narrows the interval; one beyond it changes the marker, and monotonic
 * time does not care. [PVROM-CLOCK-5] [PVROM-CLOCK-6] [PVROM-CLOCK-19] */
static void host_steps(void)
{
	struct pvrom_clock_sample sample;
	uint64_t marker;

	again(HZ);
	clock_set(&w, SOME_DAY);
	read_at(page_of(&w), w.tsc, &r);
	marker = r.marker;
	clock_sample(&w, SOME_DAY, &sample);
	sample.tai_frac_sec = pvrom_clock_frac(900);
	pvrom_clock_writer_update(&w.writer, &sample);
	read_at(page_of(&w), w.tsc, &r);
	CU_ASSERT_EQUAL(r.marker, marker);
	CU_ASSERT_FALSE(r.disrupted);
	CU_ASSERT_TRUE(r.tai_nsec > 440 && r.tai_nsec < 460);
	CU_ASSERT_TRUE(r.maxerror_ns > 550 && r.maxerror_ns < 570);
	CU_ASSERT_EQUAL(r.monotonic_ns, 0);
	sample.tai_sec += 5;
	pvrom_clock_writer_update(&w.writer, &sample);
	read_at(page_of(&w), w.tsc, &r);
	CU_ASSERT_NOT_EQUAL(r.marker, marker);
	CU_ASSERT_TRUE(r.disrupted);
	CU_ASSERT_EQUAL(r.tai_sec, SOME_DAY + 5);
	CU_ASSERT_EQUAL(r.monotonic_ns, 0);
	read_at(page_of(&w), w.tsc, &r);
	CU_ASSERT_FALSE(r.disrupted);
}

/* Monotonic time comes back to the host's by a slew, in about the time that the configuration says. */
static void slew_comes_back(void)
{
	struct pvrom_clock_sample sample;
	uint64_t i, ns = 0;
	int64_t late = 0;

	again(HZ);
	for (i = 0; i < 40; i++) {
		clock_sample(&w, SOME_DAY + i, &sample);
		sample.maxerror_ns = 100000000;
		/* after a second the host's clock is a millisecond ahead */
		sample.tai_frac_sec = pvrom_clock_frac(i ? 1000000 : 0);
		CU_ASSERT_EQUAL(pvrom_clock_writer_update(&w.writer, &sample), PVROM_CLOCK_OK);
		CU_ASSERT_EQUAL(page_of(&w)->disruption_marker, 1);
		ns = mono_at(page_of(&w), w.tsc);
		late = (int64_t)(i * 1000000000 + (i ? 1000000 : 0)) - (int64_t)ns;
		if (i == 1)
			CU_ASSERT_TRUE(late >= 999999 && late <= 1000001);
		if (i == 2)
			CU_ASSERT_TRUE(late >= 700000 && late < 800000);
		w.tsc += HZ;
	}
	CU_ASSERT_TRUE(late < 1000 && late > -1000);
}

/* ---- pausing ----------------------------------------------------------------------------------- */

/* [PVROM-CLOCK-39] [PVROM-CLOCK-40] */
static void migration(void)
{
	struct pvrom_clock_sample sample;
	uint64_t marker;

	again(HZ);
	clock_set(&w, SOME_DAY);
	read_at(page_of(&w), w.tsc, &r);
	marker = r.marker;
	w.tsc += HZ;
	CU_ASSERT_EQUAL(pvrom_clock_writer_pause(&w.writer), PVROM_CLOCK_OK);
	CU_ASSERT_EQUAL(pvrom_clock_writer_pause(&w.writer), PVROM_CLOCK_PAUSED);
	clock_sample(&w, SOME_DAY + 8, &sample);
	CU_ASSERT_EQUAL(pvrom_clock_writer_update(&w.writer, &sample), PVROM_CLOCK_PAUSED);
	/* Seven seconds later on a machine whose TSC is elsewhere and half as quick. */
	w.tsc = sample.tsc = 77;
	sample.rate_ticks /= 2;
	CU_ASSERT_EQUAL(pvrom_clock_writer_resume(&w.writer, NULL, false), PVROM_CLOCK_BAD_SAMPLE);
	CU_ASSERT_EQUAL(pvrom_clock_writer_resume(&w.writer, &sample, false), PVROM_CLOCK_OK);
	CU_ASSERT_EQUAL(pvrom_clock_writer_resume(&w.writer, &sample, false), PVROM_CLOCK_PAUSED);
	read_at(page_of(&w), 77 + HZ / 2, &r);
	CU_ASSERT_NOT_EQUAL(r.marker, marker);
	CU_ASSERT_TRUE(r.disrupted);
	CU_ASSERT_TRUE(r.tai_sec == SOME_DAY + 9 || r.tai_nsec == 999999999);
	CU_ASSERT_TRUE(r.monotonic_ns + 2 - 2000000000 <= 2);
	CU_ASSERT_TRUE(r.suspended_ns + 2 - UINT64_C(7000000000) <= 4);
}

/* On the same host, with the TSC going on: the same functions at every value. [PVROM-CLOCK-23]
 * [PVROM-CLOCK-24] */
static void save_load_is_exact(void)
{
	uint8_t image[PVROM_CLOCK_IMAGE_SIZE];
	struct pvrom_clock_page before;
	struct pvrom_clock_reading s = { .marker = 0 };
	uint32_t i;

	again(HZ);
	clock_set(&w, SOME_DAY);
	w.tsc += 1234567;
	clock_set(&w, SOME_DAY);
	pvrom_clock_writer_pause(&w.writer);
	pvrom_clock_writer_save(&w.writer, image);
	before = *page_of(&w);
	CU_ASSERT_EQUAL(pvrom_clock_writer_init(&w.writer, &w.config, 9), PVROM_CLOCK_OK);
	CU_ASSERT_EQUAL(pvrom_clock_writer_load(&w.writer, image, sizeof(image)), PVROM_CLOCK_OK);
	w.writer.page = page_of(&w);
	w.tsc += HZ * 100;
	CU_ASSERT_EQUAL(pvrom_clock_writer_resume(&w.writer, NULL, true), PVROM_CLOCK_OK);
	CU_ASSERT_EQUAL(page_of(&w)->seq_count, before.seq_count + 2);
	CU_ASSERT_EQUAL(page_of(&w)->vm_generation_counter, before.vm_generation_counter + 1);
	for (i = 0; i < 100000; i++) {
		const uint64_t tsc = clock_random() >> (i % 64);

		read_at(&before, tsc, &r);
		read_at(page_of(&w), tsc, &s);
		CU_ASSERT_TRUE(r.tai_sec == s.tai_sec && r.tai_nsec == s.tai_nsec &&
			       r.monotonic_ns == s.monotonic_ns && r.maxerror_ns == s.maxerror_ns &&
			       r.marker == s.marker && r.status == s.status);
	}
}

/* ---- the TSC alone ----------------------------------------------------------------------------- */

/* [PVROM-CLOCK-35] */
static void tsc_alone(void)
{
	struct pvrom_clock_alone alone;
	uint64_t before, now, after;

	again(HZ);
	clock_set(&w, SOME_DAY);
	CU_ASSERT_FALSE(pvrom_clock_alone_take(page_of(&w), &alone));
	clock_open(&w, HZ, PVROM_CLOCK_HOST_TSC_ALONE);
	clock_set(&w, SOME_DAY);
	CU_ASSERT_TRUE(pvrom_clock_alone_take(page_of(&w), &alone));
	CU_ASSERT_EQUAL(alone.epoch, 1);
	before = pvrom_clock_page_monotonic(page_of(&w));
	now = pvrom_clock_alone_ns(&alone);
	after = pvrom_clock_page_monotonic(page_of(&w));
	CU_ASSERT_TRUE(before <= now && now <= after);
	/* However late the host finds itself, the function stays. */
	w.tsc += HZ;
	clock_set(&w, SOME_DAY + 1);
	CU_ASSERT_EQUAL(page_of(&w)->mono_tsc, alone.tsc);
	CU_ASSERT_EQUAL(page_of(&w)->mono_period, alone.period);
	/* Nor when TAI is disrupted. */
	clock_set(&w, SOME_DAY + 1000);
	CU_ASSERT_EQUAL(page_of(&w)->disruption_marker, 2);
	CU_ASSERT_EQUAL(page_of(&w)->mono_tsc, alone.tsc);
	/* Another host's TSC makes another function, even if it has the very value of before. */
	{
		struct pvrom_clock_sample sample;

		CU_ASSERT_EQUAL(pvrom_clock_writer_pause(&w.writer), PVROM_CLOCK_OK);
		clock_sample(&w, SOME_DAY + 1000, &sample);
		sample.rate_ticks /= 2;
		CU_ASSERT_EQUAL(pvrom_clock_writer_resume(&w.writer, &sample, false),
				PVROM_CLOCK_OK);
		CU_ASSERT_TRUE(mono_at(page_of(&w), w.tsc) + 1 - 1000000000 <= 1);
		CU_ASSERT_TRUE(mono_at(page_of(&w), w.tsc + HZ / 2) + 2 - 2000000000 <= 2);
	}
	pvrom_clock_writer_detach(&w.writer);
	CU_ASSERT_FALSE(pvrom_clock_alone_take(page_of(&w), &alone));
}

/* The real TSC through the real reader: in order, and about as much as clock_gettime says is not asked
 * here, since this writer's rate is made up. */
static void reads_in_order(void)
{
	uint64_t last = 0, ns, i;

	again(HZ);
	clock_set(&w, SOME_DAY);
	for (i = 0; i < 100000; i++) {
		ns = pvrom_clock_page_monotonic(page_of(&w));
		CU_ASSERT_TRUE(ns >= last && ns != PVROM_CLOCK_NONE);
		last = ns;
		CU_ASSERT_EQUAL(pvrom_clock_page_read(page_of(&w), &r), PVROM_CLOCK_SYNCHRONIZED);
		CU_ASSERT_TRUE(r.monotonic_ns >= last);
		CU_ASSERT_TRUE(r.tai_sec >= SOME_DAY && r.tai_nsec < 1000000000);
		last = r.monotonic_ns;
	}
}

/* A page that a kernel makes for itself. */
static void page_made_by_the_guest(void)
{
	struct pvrom_clock_page page;

	memset(&r, 0, sizeof(r));
	CU_ASSERT_FALSE(pvrom_clock_page_make(&page, 0, 0, 1));
	CU_ASSERT_FALSE(pvrom_clock_page_make(&page, 0, 999, 1000000));
	CU_ASSERT_FALSE(pvrom_clock_page_make(&page, 0, 19, 1));
	CU_ASSERT_TRUE(pvrom_clock_page_make(&page, 5000, 3, 1));
	CU_ASSERT_EQUAL(mono_at(&page, 5000), 0);
	CU_ASSERT_TRUE(mono_at(&page, 5000 + 3000000) + 1 - 1000000 <= 1);
	CU_ASSERT_EQUAL(mono_at(&page, 0), 0);
	read_at(&page, 5000, &r);
	CU_ASSERT_EQUAL(r.status, PVROM_CLOCK_UNAVAILABLE);
	CU_ASSERT_EQUAL(r.monotonic_ns, 0);
	CU_ASSERT_EQUAL(r.maxerror_ns, PVROM_CLOCK_NONE);
	CU_ASSERT_EQUAL(pvrom_clock_page_check(&page, sizeof(page)), PVROM_CLOCK_HAS_MONOTONIC);
}

/* ---- the vCPU area ----------------------------------------------------------------------------- */

/* [PVROM-CLOCK-34] [PVROM-CLOCK-41] */
static void vcpu_area(void)
{
	const struct pvrom_clock_vcpu_times times = { .tsc = 99,
						      .stolen_ns = 300,
						      .halted_ns = 200,
						      .fresh_ns = 1000,
						      .state = PVROM_VCPU_HALTED };
	struct pvrom_clock_vcpu_reading reading;
	uint64_t calls[PVROM_COUNTER_COUNT];
	struct pvrom_clock_vcpu_calls read;
	struct pvrom_vcpu_area area;
	uint32_t i;

	for (i = 0; i < PVROM_COUNTER_COUNT; i++)
		calls[i] = UINT64_C(0x100000001) * (i + 1);
	memset(&area, 0, sizeof(area));
	CU_ASSERT_FALSE(pvrom_clock_vcpu_read(&area, &reading));
	CU_ASSERT_FALSE(pvrom_clock_vcpu_calls(&area, &read));
	pvrom_clock_vcpu_write(&area, 1000, &times, calls);
	CU_ASSERT_TRUE(pvrom_clock_vcpu_read(&area, &reading));
	CU_ASSERT_EQUAL(reading.tsc, 99);
	CU_ASSERT_EQUAL(reading.real_ns, 1000);
	CU_ASSERT_EQUAL(reading.stolen_ns, 300);
	CU_ASSERT_EQUAL(reading.available_ns, 700);
	CU_ASSERT_EQUAL(reading.halted_ns, 200);
	CU_ASSERT_EQUAL(reading.fresh_ns, 1000);
	CU_ASSERT_EQUAL(reading.state, PVROM_VCPU_HALTED);
	CU_ASSERT_TRUE(pvrom_clock_vcpu_calls(&area, &read));
	CU_ASSERT_EQUAL(read.tsc, 99);
	CU_ASSERT_EQUAL(memcmp(read.made, calls, sizeof(calls)), 0);
	for (i = 0; i < sizeof(area.reserved1) / sizeof(area.reserved1[0]); i++)
		CU_ASSERT_EQUAL(area.reserved1[i], 0);
	/* A writer that died in the middle. */
	area.clock_seq |= 1;
	CU_ASSERT_FALSE(pvrom_clock_vcpu_read(&area, &reading));
	CU_ASSERT_FALSE(pvrom_clock_vcpu_calls(&area, &read));
	/* The next one mends it, whatever stood there. */
	area.clock_seq = UINT32_MAX;
	pvrom_clock_vcpu_write(&area, 2000, &times, NULL);
	CU_ASSERT_TRUE(pvrom_clock_vcpu_read(&area, &reading));
	CU_ASSERT_TRUE(pvrom_clock_vcpu_calls(&area, &read));
	CU_ASSERT_EQUAL(read.made[0] | read.made[PVROM_COUNTER_COUNT - 1], 0);
	/* Never more stolen than there was. */
	pvrom_clock_vcpu_write(&area, 200, &times, NULL);
	CU_ASSERT_TRUE(pvrom_clock_vcpu_read(&area, &reading));
	CU_ASSERT_EQUAL(reading.available_ns, 0);
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "vmclock_layout", vmclock_layout },
		{ "vmclock_reader", vmclock_reader },
		{ "time_passes", time_passes },
		TAP_TEST(host_sees_the_same),
		{ "step_of_the_multiplier", step_of_the_multiplier },
		{ "hundred_years", hundred_years },
		TAP_TEST(range),
		{ "status_is_passed_on", status_is_passed_on },
		{ "host_steps", host_steps },
		{ "slew_comes_back", slew_comes_back },
		{ "migration", migration },
		{ "save_load_is_exact", save_load_is_exact },
		{ "tsc_alone", tsc_alone },
		TAP_TEST(reads_in_order),
		TAP_TEST(page_made_by_the_guest),
		{ "vcpu_area", vcpu_area },
		{ 0 },
	};

	return tap_run("clock_loop", tests);
}
