/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's clock page: a function of the TSC, and the date that the CMOS clock told once. Nobody
 * corrects this host's clock, and the page says so.
 */
#include "hv.h"

#define CMOS 0x70
#define CPUID_POWER 0x80000007
#define RATE_ERROR_PPB 500000 /* of a measurement against the PIT for 10 ms */

static uint64_t date, date_tsc; /* seconds since 1970 at that TSC of the host; 0: not known */

static uint8_t cmos(uint8_t index)
{
	out8(CMOS, index);
	return in8(CMOS + 1);
}

static struct pvrom_clock_sample sample(void)
{
	uint64_t now = rdtsc();

	return (struct pvrom_clock_sample){
		.tsc = now + hv.vcpu[0].vmcb->tsc_offset,
		.tai_sec = date ? date + (now - date_tsc) / hv.tsc_hz : 0,
		.rate_ticks = hv.tsc_hz,
		.rate_ns = 1000000000,
		.rate_error_ppb = RATE_ERROR_PPB,
		.status = date ? PVROM_CLOCK_UNRELIABLE : PVROM_CLOCK_UNKNOWN,
	};
}

static uint64_t op_tsc(void *ctx)
{
	return rdtsc() + hv.vcpu[0].vmcb->tsc_offset;
}

/* A vCPU has its CPU for itself. */
static uint32_t op_stolen(void *ctx, uint32_t vcpu, uint64_t *ns)
{
	*ns = 0;
	return PVROM_STATUS_OK;
}

/* Before the host core is set up. */
void hv_clock_init(void)
{
	/* An invariant TSC, or one for which the operator vouches; each vCPU has the offset of the first. */
	bool alone = hv.options.tsc_alone || cpuid_of(CPUID_POWER, EDX) >> 8 & 1;
	struct pvrom_clock_config config = {
		.tsc = op_tsc, .stolen = op_stolen, .rate_ticks = hv.tsc_hz, .rate_ns = 1000000000
	};

	config.flags = alone ? PVROM_CLOCK_HOST_TSC_ALONE : 0;
	pvrom_clock_host_init(&hv.clock, &config);
	if (date_tsc)
		return;
	date = pvrom_clock_cmos(cmos);
	date_tsc = rdtsc();
}

/* The first sample, or, for a clock that was loaded and so is paused, the next: the TSC ran on. */
void hv_clock_go_on(void)
{
	struct pvrom_clock_sample now = sample();

	if (pvrom_clock_host_resume(&hv.host, &now, true) == PVROM_CLOCK_PAUSED)
		pvrom_clock_host_update(&hv.host, &now);
}

/* The guest has moved a TSC; that of the first vCPU is the one of the page. */
void hv_clock_moved(const struct hv_vcpu *vcpu, uint64_t step)
{
	struct pvrom_clock_sample now = sample();

	now.flags = PVROM_CLOCK_SAMPLE_STEPPED;
	now.tsc_step = (int64_t)step;
	if (vcpu->id == 0)
		pvrom_clock_host_update(&hv.host, &now);
	/* Who kept the function of the TSC must take it anew. */
	if (vcpu->id == 0 && hv.clock.writer.config.flags & PVROM_CLOCK_HOST_TSC_ALONE)
		pvrom_host_raise_epoch(&hv.host);
}

/* Outside calls, on the vCPU's own CPU: its times, once a millisecond, and when it halts or goes on. */
void hv_clock_visit(struct hv_vcpu *vcpu)
{
	uint64_t now = rdtsc(), khz = hv.tsc_hz / 1000;
	bool halted = vcpu->halted || vcpu->state != VCPU_RUNNING;
	const struct pvrom_clock_vcpu_times times = {
		.tsc = now + vcpu->vmcb->tsc_offset,
		.halted_ns =
			vcpu->halted_tsc / khz * 1000000 + vcpu->halted_tsc % khz * 1000000 / khz,
		.fresh_ns = UINT64_MAX,
		.state = halted ? PVROM_VCPU_HALTED : PVROM_VCPU_RUNNING,
	};

	/* Not before it has ever run; and when it goes on that is written at once. */
	if (halted ? !vcpu->visited : now - vcpu->visited < khz)
		return;
	vcpu->visited = halted ? 1 : now;
	pvrom_clock_host_vcpu(&hv.host_vcpu[vcpu->id], &times);
}
