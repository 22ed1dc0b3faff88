/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What clock_machine.h says. */
#include "clock_machine.h"

static uint64_t tsc(void *ctx)
{
	return ((struct clock_machine *)ctx)->w.tsc;
}

static const struct pvrom_host_feature *features[6];

void clock_machine_again(struct clock_machine *m)
{
	CU_ASSERT_EQUAL_FATAL(pvrom_clock_host_init(&m->clock, &m->config), PVROM_CLOCK_OK);
	features[0] = &pvrom_host_cpu;
	features[1] = &pvrom_host_irq;
	features[2] = &pvrom_host_smp;
	features[3] = &pvrom_host_alarm;
	features[4] = &m->clock.feature;
	m->w.config.features = features;
	CU_ASSERT_EQUAL_FATAL(world_again(&m->w), PVROM_HOST_OK);
}

void clock_machine_open(struct clock_machine *m, uint32_t vcpus)
{
	world_open(&m->w, vcpus);
	m->w.tsc = 1000;
	m->config = (struct pvrom_clock_config){
		.tsc = tsc, .ctx = m, .rate_ticks = CLOCK_HZ, .rate_ns = 1000000000
	};
	clock_machine_again(m);
	CU_ASSERT_EQUAL_FATAL(world_negotiate(&m->w, CLOCK_FEATURES), PVROM_STATUS_OK);
	clock_machine_update(m);
}

struct pvrom_clock_sample clock_machine_sample(const struct clock_machine *m)
{
	return (struct pvrom_clock_sample){
		.tsc = m->w.tsc,
		.tai_sec = CLOCK_DAY + m->w.tsc / CLOCK_HZ,
		.maxerror_ns = UINT64_C(2000000000),
		.rate_ticks = CLOCK_HZ,
		.rate_ns = 1000000000,
		.rate_error_ppb = 1000,
		.status = PVROM_CLOCK_SYNCHRONIZED,
		.flags = PVROM_CLOCK_SAMPLE_OFFSET,
		.utc_offset_sec = -37,
	};
}

void clock_machine_update(struct clock_machine *m)
{
	const struct pvrom_clock_sample sample = clock_machine_sample(m);

	CU_ASSERT_EQUAL(pvrom_clock_host_update(&m->w.host, &sample), PVROM_CLOCK_OK);
}

uint32_t clock_register(struct clock_machine *m, uint64_t gpa, uint64_t size)
{
	return world_call(&m->w, 0, PVROM_CLOCK_PAGE, gpa, size, 0);
}

uint32_t clock_release(struct clock_machine *m)
{
	return clock_register(m, PVROM_CLOCK_PAGE_NONE, 0);
}

const struct pvrom_clock_page *clock_page(struct clock_machine *m, uint64_t gpa)
{
	return world_at(&m->w, gpa);
}

uint64_t clock_mono(const struct pvrom_clock_page *page, uint64_t tsc_value)
{
	const struct pvrom_clock_mono_ mono = pvrom_clock_mono_load_(page);

	return mono.kept ? pvrom_clock_mono_at_(&mono, tsc_value) : PVROM_CLOCK_NONE;
}
