/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The clock as a feature of the host handler: registration of the page, and the calls. The page
 * is looked up anew for each update, since what the embedder's translate says is good for one call.
 */
#include "clock_internal.h"

static void lock(const struct pvrom_host *host)
{
	host->config.ops->lock(host->config.ops_ctx);
}

static void unlock(const struct pvrom_host *host)
{
	host->config.ops->unlock(host->config.ops_ctx);
}

/* The clock of a machine: the structure around the feature that its embedder named. NULL: none. */
struct pvrom_clock_host *pvrom_clock_of(const struct pvrom_host *host)
{
	const struct pvrom_host_feature *const *list = host->config.features;

	while (*list && (*list)->number != PVROM_FEATURE_CLOCK)
		list++;
	/* The embedder's own structure is not constant, only its table is. */
	return (struct pvrom_clock_host *)(uintptr_t)*list;
}

static bool started(const struct pvrom_host *host)
{
	return host->started & PVROM_FEATURE_BIT(PVROM_FEATURE_CLOCK);
}

/* size bytes of guest memory that are one piece in the host, or NULL. */
void *pvrom_clock_piece(const struct pvrom_host *host, uint64_t gpa, uint64_t size)
{
	uint64_t len = size;
	void *where;

	if (gpa > UINT64_MAX - size)
		return NULL;
	where = host->config.ops->translate(host->config.ops_ctx, (struct pvrom_gpa){ gpa }, &len);
	return len >= size ? where : NULL;
}

/* Locks, and lets the writer know where its page is now. The epoch goes along. */
static struct pvrom_clock_host *begin(struct pvrom_host *host)
{
	struct pvrom_clock_host *clock = pvrom_clock_of(host);

	lock(host);
	clock->writer.page = NULL;
	if (clock->page_gpa != PVROM_CLOCK_PAGE_NONE) {
		clock->writer.page =
			pvrom_clock_piece(host, clock->page_gpa, PVROM_CLOCK_PAGE_SIZE);
		clock->writer.now.clock_flags |= PVROM_CLOCK_KEPT;
	}
	pvrom_clock_writer_set_epoch(&clock->writer, host->epoch);
	return clock;
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* The lock is held for these. */

static uint32_t release_page(struct pvrom_host *host, struct pvrom_clock_host *clock)
{
	if (clock->page_gpa == PVROM_CLOCK_PAGE_NONE)
		return PVROM_STATUS_OK;
	clock->writer.page = pvrom_clock_piece(host, clock->page_gpa, PVROM_CLOCK_PAGE_SIZE);
	pvrom_clock_writer_detach(&clock->writer);
	if (!PVROM_CLOCK_BUG(RELEASED))
		clock->page_gpa = PVROM_CLOCK_PAGE_NONE;
	return PVROM_STATUS_OK;
}

static uint32_t register_page(struct pvrom_host *host, struct pvrom_clock_host *clock, uint64_t gpa,
			      uint64_t size)
{
	void *where;

	if (gpa == PVROM_CLOCK_PAGE_NONE)
		return release_page(host, clock);
	if (size != PVROM_CLOCK_PAGE_SIZE)
		return PVROM_STATUS_INVALID;
	if (gpa % PVROM_CLOCK_PAGE_SIZE && !PVROM_CLOCK_BUG(UNALIGNED))
		return PVROM_STATUS_ADDRESS;
	if (clock->page_gpa != PVROM_CLOCK_PAGE_NONE && !PVROM_CLOCK_BUG(TWO_PAGES))
		return PVROM_STATUS_BUSY;
	where = pvrom_clock_piece(host, gpa, PVROM_CLOCK_PAGE_SIZE);
	if (!where)
		return PVROM_STATUS_ADDRESS;
	clock->page_gpa = gpa;
	clock->writer.now.epoch = host->epoch;
	pvrom_clock_writer_attach(&clock->writer, where);
	return PVROM_STATUS_OK;
}

/* The bound at a TSC value, in ns rounded up; all ones if there is none. */
static uint64_t maxerror_at(const struct pvrom_clock_page *now, uint64_t tsc)
{
	const uint64_t ticks = tsc < now->counter_value ? 0 : tsc - now->counter_value;
	const pvrom_wide growth = pvrom_clock_shift_up(
		pvrom_clock_mul(ticks, now->counter_period_maxerror_rate_frac_sec),
		now->counter_period_shift);

	/* A bound of more than 272 years is none; it would not fit. */
	if (!(now->flags & PVROM_VMCLOCK_TIME_MAXERROR_VALID) || growth >> 97)
		return UINT64_MAX;
	return now->time_maxerror_nanosec + 1 + (uint64_t)(growth >> 64) * NS_PER_SEC +
	       (uint64_t)(pvrom_clock_mul((uint64_t)growth, NS_PER_SEC) >> 64);
}

/* From the inserted second on the offset is the new one, so that it counts like 23:59:59, as with readers. */
static int32_t utc_offset_at(const struct pvrom_clock_page *now, uint64_t tai_sec)
{
	const int64_t utc = (int64_t)tai_sec + now->utc_offset_sec;

	if (now->leap_sign && utc >= now->leap_utc_sec - (now->leap_sign < 0))
		return now->utc_offset_sec - now->leap_sign;
	return now->utc_offset_sec;
}

/* What a reader of the page would compute. */
static void fill_wall(const struct pvrom_clock_writer *writer, uint64_t tsc,
		      struct pvrom_clock_wall *wall)
{
	const struct pvrom_clock_page *now = &writer->now;
	const pvrom_time tai = pvrom_clock_tai_value(now, tsc);

	*wall = (struct pvrom_clock_wall){
		.size = sizeof(*wall),
		.status = now->clock_status,
		.tsc = tsc,
		.tai_sec = (uint64_t)((pvrom_wide)tai >> 64),
		.tai_frac_sec = (uint64_t)tai,
		.maxerror_nanosec = maxerror_at(now, tsc),
		.monotonic_ns = pvrom_clock_writer_mono_at(writer, tsc),
		.utc_offset_sec = utc_offset_at(now, (uint64_t)((pvrom_wide)tai >> 64)),
		.flags = (uint32_t)now->flags & PVROM_VMCLOCK_TAI_OFFSET_VALID,
	};
}

static uint32_t wall_call(const struct pvrom_host *host, const struct pvrom_clock_host *clock,
			  uint32_t vcpu, uint64_t gpa)
{
	const struct pvrom_gpa where = { gpa };
	struct pvrom_clock_wall wall;
	uint32_t size;

	if (gpa % 8)
		return PVROM_STATUS_ADDRESS;
	if (pvrom_host_read(host, where, &size, sizeof(size)) != PVROM_STATUS_OK)
		return PVROM_STATUS_ADDRESS;
	if (size != sizeof(wall) && !PVROM_CLOCK_BUG(WALL_SIZE))
		return PVROM_STATUS_INVALID;
	fill_wall(&clock->writer, host->config.ops->tsc(host->config.ops_ctx, vcpu), &wall);
	return pvrom_host_write(host, where, &wall, sizeof(wall));
}

static uint32_t stolen_call(const struct pvrom_host *host, const struct pvrom_clock_host *clock,
			    uint64_t vcpu, uint64_t *value)
{
	const struct pvrom_clock_config *config = &clock->writer.config;

	if (vcpu >= host->config.vcpus)
		return PVROM_STATUS_INVALID;
	if (!config->stolen)
		return PVROM_STATUS_NOT_SUPPORTED;
	return config->stolen(config->ctx, (uint32_t)vcpu, value);
}

/* For kernels that keep no page; any other reads that, without a call. */
static uint32_t now_call(const struct pvrom_host *host, const struct pvrom_clock_host *clock,
			 uint32_t vcpu, uint64_t *value)
{
	*value = pvrom_clock_writer_mono_at(&clock->writer,
					    host->config.ops->tsc(host->config.ops_ctx, vcpu));
	return PVROM_STATUS_OK;
}

static uint32_t alarm_call(const struct pvrom_host *host, const struct pvrom_clock_host *clock,
			   uint32_t vcpu, uint64_t ns)
{
	const struct pvrom_clock_config *config = &clock->writer.config;

	if (!(host->started & PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM)))
		return PVROM_STATUS_DENIED;
	if (!config->alarm_available)
		return PVROM_STATUS_NOT_SUPPORTED;
	return config->alarm_available(config->ctx, vcpu, ns, host->alarm_vector);
}

static uint32_t do_call(struct pvrom_host *host, struct pvrom_clock_host *clock, uint32_t vcpu,
			uint32_t number, const uint64_t arg[4], uint64_t *value)
{
	switch (number) {
	case PVROM_CLOCK_PAGE: return register_page(host, clock, arg[0], arg[1]);
	case PVROM_CLOCK_WALL: return wall_call(host, clock, vcpu, arg[0]);
	case PVROM_CLOCK_STOLEN: return stolen_call(host, clock, arg[0], value);
	case PVROM_CLOCK_ALARM_AVAILABLE: return alarm_call(host, clock, vcpu, arg[0]);
	case PVROM_CLOCK_NOW: return now_call(host, clock, vcpu, value);
	default: return PVROM_STATUS_NOT_SUPPORTED;
	}
}

static uint32_t call(struct pvrom_host *host, struct pvrom_host_vcpu *vcpu, uint32_t number,
		     const uint64_t arg[4], uint64_t *value)
{
	uint32_t status = PVROM_STATUS_DENIED;

	/* Looked at again under the lock: another vCPU may just have committed a set without it. */
	lock(host);
	if (started(host))
		status = do_call(host, pvrom_clock_of(host), vcpu->id, number, arg, value);
	unlock(host);
	return status;
}

/* ---- the other entries of the feature -------------------------------------------------------- */

/* Times read on two vCPUs must be in order, so their TSCs must agree: an embedder whose do not leaves the
 * feature out of its table. CPUID's bit of an invariant TSC is not asked for: KVM may vouch for one without it. */
static uint32_t offer(const struct pvrom_host *host)
{
	return pvrom_clock_of(host)->writer.config.tsc ? PVROM_REASON_NONE
						       : PVROM_REASON_NOT_SUPPORTED;
}

/* RESET, or a set without the clock: the lock is held. */
static void stop(struct pvrom_host *host)
{
	if (!PVROM_CLOCK_BUG(KEPT_PAGE))
		release_page(host, pvrom_clock_of(host));
}

enum pvrom_clock_result pvrom_clock_host_init(struct pvrom_clock_host *clock,
					      const struct pvrom_clock_config *config)
{
	clock->feature = (struct pvrom_host_feature){
		.number = PVROM_FEATURE_CLOCK,
		.group = PVROM_GROUP_CLOCK,
		.offer = offer,
		.stop = stop,
		.call = call,
		.save = pvrom_clock_feature_save,
		.load = pvrom_clock_feature_load,
	};
	clock->page_gpa = PVROM_CLOCK_PAGE_NONE;
	return pvrom_clock_writer_init(&clock->writer, config, 0);
}

/* ---- for the embedder ------------------------------------------------------------------------ */

enum pvrom_clock_result pvrom_clock_host_update(struct pvrom_host *host,
						const struct pvrom_clock_sample *sample)
{
	struct pvrom_clock_host *clock = begin(host);
	const enum pvrom_clock_result result = pvrom_clock_writer_update(&clock->writer, sample);

	unlock(host);
	return result;
}

enum pvrom_clock_result pvrom_clock_host_pause(struct pvrom_host *host)
{
	struct pvrom_clock_host *clock = begin(host);
	const enum pvrom_clock_result result = pvrom_clock_writer_pause(&clock->writer);

	unlock(host);
	return result;
}

enum pvrom_clock_result pvrom_clock_host_resume(struct pvrom_host *host,
						const struct pvrom_clock_sample *sample,
						bool continuous)
{
	struct pvrom_clock_host *clock = begin(host);
	const enum pvrom_clock_result result =
		pvrom_clock_writer_resume(&clock->writer, sample, continuous);

	unlock(host);
	return result;
}

void pvrom_clock_host_vcpu(struct pvrom_host_vcpu *vcpu, const struct pvrom_clock_vcpu_times *times)
{
	struct pvrom_host *host = vcpu->host;
	const struct pvrom_clock_writer *writer = &pvrom_clock_of(host)->writer;
	struct pvrom_vcpu_area *area = NULL;

	lock(host);
	if (started(host) && vcpu->area_gpa != PVROM_VCPU_AREA_NONE)
		area = pvrom_clock_piece(host, vcpu->area_gpa, sizeof(*area));
	if (area)
		pvrom_clock_vcpu_write(area, pvrom_clock_writer_mono_at(writer, times->tsc), times,
				       vcpu->calls);
	unlock(host);
}

uint64_t pvrom_clock_host_mono_at(struct pvrom_host *host, uint64_t tsc)
{
	uint64_t ns;

	lock(host);
	ns = pvrom_clock_writer_mono_at(&pvrom_clock_of(host)->writer, tsc);
	unlock(host);
	return ns;
}
