/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* One update of the page: odd, the TSC, both functions with it as their base, even. */
#include "clock_internal.h"

#define SLEW_NS_USUAL (4 * UINT64_C(1000000000))
#define FIRST_WORD (offsetof(struct pvrom_clock_page, disruption_marker) / 8)
#define WORDS (sizeof(struct pvrom_clock_page) / 8)

/* ---- stores ---------------------------------------------------------------------------------- */

/* The sequence becomes odd. Ordered before the TSC is read, and so before all stores of the update. */
static void begin(struct pvrom_clock_writer *writer)
{
	writer->now.seq_count |= 1;
	if (writer->page && !PVROM_CLOCK_BUG(BUMPED_ONCE))
		__atomic_store_n(&writer->page->seq_count, writer->now.seq_count, __ATOMIC_RELAXED);
	/*
	 * The store is visible everywhere before the TSC is read (Intel SDM vol. 2, RDTSC): a reader that
	 * finds the old sequence after its own TSC has a smaller TSC than the base. Partner: the
	 * reader's second load of the sequence, which depends on its TSC.
	 */
	__asm__ volatile("mfence\n\tlfence" : : : "memory");
}

/* Stores the type of time and all words behind the sequence, each once and whole. */
static void store_words(const struct pvrom_clock_page *from, struct pvrom_clock_page *to)
{
	const uint64_t *words = (const uint64_t *)(const void *)from;
	uint64_t *out = (uint64_t *)(void *)to;
	size_t i;

	__atomic_store_n(&to->time_type, from->time_type, __ATOMIC_RELAXED);
	for (i = FIRST_WORD; i < WORDS; i++) {
		if (PVROM_CLOCK_BUG(EVEN_EARLY) && i == WORDS / 2)
			__atomic_store_n(&to->seq_count, from->seq_count, __ATOMIC_RELEASE);
		__atomic_store_n(&out[i], words[i], __ATOMIC_RELAXED);
	}
}

/* The sequence becomes even: a release, so after all stores of the update. Partner: the reader's first
 * load of it, an acquire. x86 keeps both orders by itself. */
static void end(struct pvrom_clock_writer *writer)
{
	writer->now.seq_count++;
	if (!writer->page)
		return;
	store_words(&writer->now, writer->page);
	__atomic_store_n(&writer->page->seq_count, writer->now.seq_count, __ATOMIC_RELEASE);
}

static uint64_t tsc_now(const struct pvrom_clock_writer *writer)
{
	return writer->config.tsc(writer->config.ctx);
}

/* The constant fields, and the rest of the page. The sequence is odd. */
static void store_head(struct pvrom_clock_writer *writer)
{
	struct pvrom_clock_page *page = writer->page;
	uint64_t *rest = (uint64_t *)(void *)(page + 1);
	size_t i;

	page->magic = writer->now.magic;
	page->size = writer->now.size;
	page->version = writer->now.version;
	page->counter_id = writer->now.counter_id;
	for (i = 0; i < (PVROM_CLOCK_PAGE_SIZE - sizeof(*page)) / 8; i++)
		rest[i] = 0;
}

/* Writes all of `now` out; the page may have been written by others meanwhile. */
static void write_all(struct pvrom_clock_writer *writer)
{
	begin(writer);
	if (writer->page)
		store_head(writer);
	end(writer);
}

void pvrom_clock_writer_attach(struct pvrom_clock_writer *writer, void *where)
{
	writer->page = where;
	/* Whoever reads there already sees a number that he has not seen before. */
	writer->now.seq_count = __atomic_load_n(&writer->page->seq_count, __ATOMIC_RELAXED) & ~1u;
	writer->now.clock_flags |= PVROM_CLOCK_KEPT;
	write_all(writer);
}

void pvrom_clock_writer_detach(struct pvrom_clock_writer *writer)
{
	const uint8_t status = writer->now.clock_status;

	begin(writer);
	writer->now.clock_flags &= ~(uint32_t)(PVROM_CLOCK_KEPT | PVROM_CLOCK_TSC_ALONE);
	writer->now.clock_status = PVROM_CLOCK_UNRELIABLE;
	writer->now.disruption_marker++;
	end(writer);
	writer->page = NULL;
	writer->now.clock_status = status;
	if (writer->config.flags & PVROM_CLOCK_HOST_TSC_ALONE)
		writer->now.clock_flags |= PVROM_CLOCK_TSC_ALONE;
}

/* ---- setting up ------------------------------------------------------------------------------ */

static void first_page(struct pvrom_clock_page *now, const struct pvrom_clock_config *config,
		       uint64_t epoch)
{
	*now = (struct pvrom_clock_page){
		.magic = PVROM_VMCLOCK_MAGIC,
		.size = PVROM_CLOCK_PAGE_SIZE,
		.version = PVROM_VMCLOCK_VERSION,
		.counter_id = PVROM_VMCLOCK_COUNTER_TSC,
		.time_type = PVROM_VMCLOCK_TIME_UTC,
		.disruption_marker = 1,
		.flags = PVROM_VMCLOCK_GENERATION_PRESENT,
		.clock_status = PVROM_CLOCK_INITIALIZING,
		.vm_generation_counter = 1,
		.clock_magic = PVROM_CLOCK_MAGIC,
		.clock_size = sizeof(*now) - PVROM_CLOCK_PART,
		.clock_major = PVROM_MAJOR,
		.clock_minor = PVROM_MINOR,
		.epoch = epoch,
	};
	if (config->flags & PVROM_CLOCK_HOST_TSC_ALONE)
		now->clock_flags = PVROM_CLOCK_TSC_ALONE;
}

enum pvrom_clock_result pvrom_clock_writer_init(struct pvrom_clock_writer *writer,
						const struct pvrom_clock_config *config,
						uint64_t epoch)
{
	struct pvrom_clock_period period;

	if (!config->tsc || !pvrom_clock_rate_ok(config->rate_ticks, config->rate_ns) ||
	    (config->flags & ~(uint32_t)PVROM_CLOCK_HOST_TSC_ALONE))
		return PVROM_CLOCK_BAD_CONFIG;
	*writer = (struct pvrom_clock_writer){ .config = *config };
	if (!writer->config.slew_ns)
		writer->config.slew_ns = SLEW_NS_USUAL;
	first_page(&writer->now, config, epoch);
	pvrom_clock_rate(config->rate_ticks, config->rate_ns, &period);
	writer->now.mono_tsc = writer->last_tsc = tsc_now(writer);
	writer->now.mono_shift = period.mono_shift;
	writer->now.mono_period = period.mono;
	writer->now.counter_value = writer->now.mono_tsc;
	writer->now.counter_period_frac_sec = period.tai;
	writer->now.counter_period_shift = (uint8_t)period.tai_shift;
	return PVROM_CLOCK_OK;
}

/* A help for those who fill in samples. */
uint64_t pvrom_clock_frac(uint32_t ns)
{
	uint64_t rest;

	return pvrom_clock_div(ns % NS_PER_SEC, 0, NS_PER_SEC, &rest);
}

/* ---- updating -------------------------------------------------------------------------------- */

#define SAMPLE_FLAGS                                                                               \
	(PVROM_CLOCK_SAMPLE_OFFSET | PVROM_CLOCK_SAMPLE_STEPPED | PVROM_CLOCK_SAMPLE_DISRUPTED)
#define SAMPLE_LIMIT (UINT64_C(1) << 62)

static bool leap_ok(const struct pvrom_clock_sample *sample)
{
	return sample->leap_sign >= -1 && sample->leap_sign <= 1 &&
	       sample->utc_offset_sec >= -10000 && sample->utc_offset_sec <= 10000 &&
	       !(sample->leap_utc_sec % 86400) && sample->leap_utc_sec >= 0 &&
	       sample->leap_utc_sec < (int64_t)SAMPLE_LIMIT;
}

static bool sample_ok(const struct pvrom_clock_sample *sample)
{
	return sample->tai_sec < SAMPLE_LIMIT && sample->maxerror_ns < SAMPLE_LIMIT &&
	       pvrom_clock_rate_ok(sample->rate_ticks, sample->rate_ns) &&
	       sample->rate_error_ppb < 100000000 && sample->status <= PVROM_CLOCK_UNRELIABLE &&
	       !(sample->flags & ~(uint32_t)SAMPLE_FLAGS) &&
	       sample->smearing <= PVROM_CLOCK_UTC_SLS &&
	       (!(sample->flags & PVROM_CLOCK_SAMPLE_OFFSET) || leap_ok(sample));
}

/* One update on its way. */
struct update {
	const struct pvrom_clock_sample *sample;
	struct pvrom_clock_period period;
	uint64_t tsc;	  /* the base */
	uint64_t old_tsc; /* the same moment as the TSC would have had it without a step */
	bool anew;	  /* nothing that was said about TAI holds any more */
	bool elsewhere;	  /* the TSC is another, whatever value it happens to have */
};

/* A TSC that goes back without having been announced: the last value seen is all that is known. */
static void find_step(const struct pvrom_clock_writer *writer, struct update *u)
{
	pvrom_time old = (pvrom_time)u->tsc;

	if (u->sample->flags & PVROM_CLOCK_SAMPLE_STEPPED)
		old -= PVROM_CLOCK_BUG(STEP_SIGN) ? -u->sample->tsc_step : u->sample->tsc_step;
	if (PVROM_CLOCK_BUG(BACK_UNSEEN) && u->tsc < writer->last_tsc)
		old = (pvrom_time)writer->last_tsc;
	else if (old < (pvrom_time)writer->last_tsc || old >> 64) {
		old = (pvrom_time)writer->last_tsc;
		u->anew = true;
	}
	u->old_tsc = (uint64_t)old;
}

static void move_mono(struct pvrom_clock_writer *writer, const struct update *u)
{
	const struct pvrom_clock_value value = pvrom_clock_mono_value(&writer->now, u->old_tsc);
	const pvrom_time tai =
		pvrom_clock_estimate(u->sample, u->period.tai, u->period.tai_shift, u->tsc);
	int64_t slew = 0;

	if (writer->config.flags & PVROM_CLOCK_HOST_TSC_ALONE) {
		/* Only another TSC makes another function, whatever happens to TAI. */
		if (u->old_tsc == u->tsc && !u->elsewhere)
			return;
	} else if (pvrom_clock_claims(u->sample->status)) {
		slew = pvrom_clock_slew(writer, tai, value, u->anew);
	} else {
		writer->offset_valid = false;
	}
	pvrom_clock_mono_update(writer, &u->period, u->tsc, value, slew);
}

/* The sequence is odd. */
static void apply(struct pvrom_clock_writer *writer, struct update *u)
{
	if (pvrom_clock_tai_update(writer, u->sample, &u->period, u->tsc, u->anew))
		u->anew = true;
	if (u->anew && !PVROM_CLOCK_BUG(STEP_QUIET))
		writer->now.disruption_marker++;
	if (u->anew && PVROM_CLOCK_BUG(MARKER_BACK))
		writer->now.disruption_marker &= 1;
	move_mono(writer, u);
	writer->now.clock_status = (uint8_t)u->sample->status;
	pvrom_clock_leap(&writer->now, u->sample);
	writer->last_tsc = u->tsc;
}

/* Does the sample count TAI, and the page UTC, or the other way? */
static bool counts_another(const struct pvrom_clock_writer *writer,
			   const struct pvrom_clock_sample *sample)
{
	return writer->now.time_type !=
	       pvrom_clock_time_type(sample->flags & PVROM_CLOCK_SAMPLE_OFFSET);
}

/* Then no promise of the one says anything of the other, however wide it is. */
static bool makes_void(const struct pvrom_clock_writer *writer,
		       const struct pvrom_clock_sample *sample)
{
	if (sample->flags & (PVROM_CLOCK_SAMPLE_STEPPED | PVROM_CLOCK_SAMPLE_DISRUPTED))
		return true;
	return writer->claim.valid && counts_another(writer, sample) && !PVROM_CLOCK_BUG(TAI_QUIET);
}

enum pvrom_clock_result pvrom_clock_writer_update(struct pvrom_clock_writer *writer,
						  const struct pvrom_clock_sample *sample)
{
	struct update u = { .sample = sample };

	if (!sample_ok(sample))
		return PVROM_CLOCK_BAD_SAMPLE;
	if (writer->paused)
		return PVROM_CLOCK_PAUSED;
	u.anew = makes_void(writer, sample);
	pvrom_clock_rate(sample->rate_ticks, sample->rate_ns, &u.period);
	if (PVROM_CLOCK_BUG(TSC_FIRST))
		u.tsc = tsc_now(writer);
	begin(writer);
	if (!PVROM_CLOCK_BUG(TSC_FIRST))
		u.tsc = tsc_now(writer);
	if (PVROM_CLOCK_BUG(SAMPLE_BASE))
		u.tsc = sample->tsc;
	find_step(writer, &u);
	apply(writer, &u);
	end(writer);
	return PVROM_CLOCK_OK;
}

void pvrom_clock_writer_set_epoch(struct pvrom_clock_writer *writer, uint64_t epoch)
{
	if (writer->now.epoch == epoch)
		return;
	begin(writer);
	writer->now.epoch = epoch;
	end(writer);
}

/* ---- pausing --------------------------------------------------------------------------------- */

enum pvrom_clock_result pvrom_clock_writer_pause(struct pvrom_clock_writer *writer)
{
	const uint64_t tsc = tsc_now(writer);
	const pvrom_time tai = pvrom_clock_tai_value(&writer->now, tsc);

	if (writer->paused)
		return PVROM_CLOCK_PAUSED;
	if (tsc > writer->last_tsc)
		writer->last_tsc = tsc;
	writer->paused = true;
	writer->paused_tai_valid = pvrom_clock_claims(writer->now.clock_status);
	writer->paused_tai_sec = (uint64_t)(tai >> 64);
	writer->paused_tai_frac = (uint64_t)tai;
	return PVROM_CLOCK_OK;
}

/* Time between the pause and now goes to the suspended, if it is known and not negative. */
static void count_suspended(struct pvrom_clock_writer *writer, const struct update *u)
{
	const pvrom_time before = pvrom_clock_time(writer->paused_tai_sec, writer->paused_tai_frac);
	const pvrom_time time =
		pvrom_clock_estimate(u->sample, u->period.tai, u->period.tai_shift, u->tsc) -
		before;

	if (!writer->paused_tai_valid || !pvrom_clock_claims(u->sample->status) ||
	    counts_another(writer, u->sample) || time < 0 || time >> 64 >= INT64_C(1) << 33)
		return;
	writer->now.suspended_ns += (uint64_t)(time >> 64) * NS_PER_SEC +
				    (uint64_t)(pvrom_clock_mul((uint64_t)time, NS_PER_SEC) >> 64);
}

/* Another TSC: monotonic time goes on from where it was when the vCPUs stopped. */
static void resume_elsewhere(struct pvrom_clock_writer *writer,
			     const struct pvrom_clock_sample *sample)
{
	struct update u = { .sample = sample, .old_tsc = writer->last_tsc };

	if (PVROM_CLOCK_BUG(MOVE_QUIET))
		writer->now.disruption_marker--;
	if (PVROM_CLOCK_BUG(PAUSE_RUNS))
		u.old_tsc += sample->rate_ticks / sample->rate_ns + 1000;

	u.anew = u.elsewhere = true;
	pvrom_clock_rate(sample->rate_ticks, sample->rate_ns, &u.period);
	begin(writer);
	u.tsc = tsc_now(writer);
	count_suspended(writer, &u);
	apply(writer, &u);
	end(writer);
}

enum pvrom_clock_result pvrom_clock_writer_resume(struct pvrom_clock_writer *writer,
						  const struct pvrom_clock_sample *sample,
						  bool continuous)
{
	if (!writer->paused)
		return PVROM_CLOCK_PAUSED;
	if (sample ? !sample_ok(sample) : !continuous)
		return PVROM_CLOCK_BAD_SAMPLE;
	writer->paused = false;
	if (writer->page)
		writer->now.clock_flags |= PVROM_CLOCK_KEPT;
	write_all(writer);
	if (!continuous)
		resume_elsewhere(writer, sample);
	else if (sample)
		return pvrom_clock_writer_update(writer, sample);
	return PVROM_CLOCK_OK;
}
