/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What clock_world.h says. */
#include "clock_world.h"

static uint64_t tsc(void *ctx)
{
	return ((struct clock_world *)ctx)->tsc;
}

void clock_open(struct clock_world *w, uint64_t hz, uint32_t flags)
{
	memset(w, 0, sizeof(*w));
	w->tsc = 1000;
	w->config = (struct pvrom_clock_config){
		.tsc = tsc, .ctx = w, .rate_ticks = hz, .rate_ns = 1000000000, .flags = flags
	};
	CU_ASSERT_EQUAL_FATAL(pvrom_clock_writer_init(&w->writer, &w->config, 1), PVROM_CLOCK_OK);
	pvrom_clock_writer_attach(&w->writer, w->page);
}

void clock_sample(const struct clock_world *w, uint64_t tai_sec, struct pvrom_clock_sample *sample)
{
	*sample = (struct pvrom_clock_sample){
		.tsc = w->tsc,
		.tai_sec = tai_sec,
		.maxerror_ns = 1000,
		.rate_ticks = w->config.rate_ticks,
		.rate_ns = w->config.rate_ns,
		.rate_error_ppb = 1000,
		.status = PVROM_CLOCK_SYNCHRONIZED,
		.flags = PVROM_CLOCK_SAMPLE_OFFSET,
		.utc_offset_sec = -37,
	};
}

void clock_set(struct clock_world *w, uint64_t tai_sec)
{
	struct pvrom_clock_sample sample;

	clock_sample(w, tai_sec, &sample);
	CU_ASSERT_EQUAL(pvrom_clock_writer_update(&w->writer, &sample), PVROM_CLOCK_OK);
}

void read_at(const struct pvrom_clock_page *page, uint64_t tsc_value, struct pvrom_clock_reading *r)
{
	const uint64_t before = r->marker;
	const struct pvrom_clock_tai_ tai = pvrom_clock_tai_load_(page);
	const struct pvrom_clock_mono_ mono = pvrom_clock_mono_load_(page);

	pvrom_clock_plain_(page, r);
	r->tsc = tsc_value;
	r->status = tai.status;
	r->disrupted = before && r->marker != before;
	pvrom_clock_tai_at_(&tai, tsc_value, r);
	r->monotonic_ns = pvrom_clock_mono_at_(&mono, tsc_value);
	if (!mono.kept)
		pvrom_clock_unusual_(page, r);
}

uint64_t mono_at(const struct pvrom_clock_page *page, uint64_t tsc_value)
{
	const struct pvrom_clock_mono_ mono = pvrom_clock_mono_load_(page);

	return mono.kept ? pvrom_clock_mono_at_(&mono, tsc_value) : PVROM_CLOCK_NONE;
}

uint64_t clock_random(void)
{
	static uint64_t state;
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}
