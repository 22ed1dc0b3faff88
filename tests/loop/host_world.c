/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The machine of host_world.h. */
#define _GNU_SOURCE
#include "host_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#define HIDE(p, len) __asan_poison_memory_region(p, len)
#define SHOW(p, len) __asan_unpoison_memory_region(p, len)
#else
#define HIDE(p, len) ((void)(p), (void)(len))
#define SHOW(p, len) ((void)(p), (void)(len))
#endif

#define PAGE 0x1000
#define REGIONS 4

/* Memory is one for all tests of a program, which runs them one after another. */
static struct region {
	uint64_t first, end;
	uint8_t *bytes;
	uint8_t *noted;
	bool backward;
} regions[REGIONS] = {
	{ 0, WORLD_LOW_END, NULL, NULL, false },
	{ WORLD_MID, WORLD_MID_END, NULL, NULL, false },
	{ WORLD_BACK, WORLD_BACK_END, NULL, NULL, true },
	{ WORLD_HIGH, WORLD_HIGH_END, NULL, NULL, false },
};

static size_t region_size(const struct region *r)
{
	return (size_t)(r->end - r->first);
}

static void map_regions(void)
{
	uint32_t i;

	for (i = 0; i < REGIONS && !regions[i].bytes; i++) {
		size_t size = region_size(&regions[i]);
		uint8_t *all =
			mmap(NULL, size + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (all == MAP_FAILED || mprotect(all + PAGE, size, PROT_READ | PROT_WRITE)) {
			perror("mmap");
			exit(2);
		}
		regions[i].bytes = all + PAGE;
		regions[i].noted = malloc(size);
	}
}

static void hide_all(void)
{
	uint32_t i;

	for (i = 0; i < REGIONS; i++)
		HIDE(regions[i].bytes, region_size(&regions[i]));
}

static void show_all(void)
{
	uint32_t i;

	for (i = 0; i < REGIONS; i++)
		SHOW(regions[i].bytes, region_size(&regions[i]));
}

/* Where gpa is, and how many bytes follow each other there. */
static uint8_t *find(uint64_t gpa, uint64_t *len)
{
	uint32_t i;

	for (i = 0; i < REGIONS; i++) {
		const struct region *r = &regions[i];
		uint64_t offset = gpa - r->first;

		if (gpa < r->first || gpa >= r->end)
			continue;
		*len = r->end - gpa;
		if (r->backward) {
			*len = PAGE - gpa % PAGE;
			offset = region_size(r) - PAGE - (offset & ~(uint64_t)(PAGE - 1)) +
				 gpa % PAGE;
		}
		return r->bytes + offset;
	}
	return NULL;
}

void *world_at(struct world *w, uint64_t gpa)
{
	uint64_t len;

	(void)w;
	return find(gpa, &len);
}

void world_note(struct world *w)
{
	uint32_t i;

	(void)w;
	for (i = 0; i < REGIONS; i++)
		memcpy(regions[i].noted, regions[i].bytes, region_size(&regions[i]));
}

/* Bytes in [except, except + len) may differ; never used on memory that lies backward. */
bool world_unchanged(struct world *w, uint64_t except, uint64_t len)
{
	uint32_t i;
	uint64_t at;

	(void)w;
	for (i = 0; i < REGIONS; i++)
		for (at = 0; at < region_size(&regions[i]); at++)
			if (regions[i].bytes[at] != regions[i].noted[at] &&
			    (regions[i].first + at < except ||
			     regions[i].first + at >= except + len))
				return false;
	return true;
}

/* ---- the embedder ---------------------------------------------------------------------------- */

static void note(struct world *w, enum world_what what, uint64_t a, uint64_t b, uint64_t c,
		 uint64_t d)
{
	if (!w->racing && w->events < sizeof(w->event) / sizeof(w->event[0]))
		w->event[w->events++] = (struct world_event){ what, { a, b, c, d } };
}

static void *op_translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	struct world *w = ctx;
	uint64_t there;
	uint8_t *where = find(gpa.gpa, &there);

	if (!where)
		return NULL;
	if (w->longest && there > w->longest)
		there = w->longest;
	if (*len > there)
		*len = there;
	if (!w->racing)
		SHOW(where, *len);
	return where;
}

static void op_lock(void *ctx)
{
	struct world *w = ctx;

	pthread_mutex_lock(&w->mutex);
	w->locked++;
}

static void op_unlock(void *ctx)
{
	struct world *w = ctx;

	w->locked--;
	pthread_mutex_unlock(&w->mutex);
}

static uint64_t op_tsc(void *ctx, uint32_t vcpu)
{
	const struct world *w = ctx;

	(void)vcpu;
	return w->tsc;
}

static void op_log(void *ctx, uint32_t vcpu, const char *text, uint32_t len)
{
	struct world *w = ctx;

	if (w->racing)
		return;
	memcpy(w->text, text, len);
	w->text[len] = 0;
	note(w, W_LOG, vcpu, len, 0, 0);
}

static void op_event(void *ctx, uint32_t vcpu, uint8_t vector)
{
	note(ctx, W_EVENT, vcpu, vector, 0, 0);
}

static uint32_t op_route(void *ctx, uint64_t source, uint8_t vector, uint32_t vcpu)
{
	if (source >= WORLD_SOURCES)
		return PVROM_STATUS_NOT_SUPPORTED;
	note(ctx, W_ROUTE, source, vector, vcpu, 0);
	return PVROM_STATUS_OK;
}

static uint32_t op_mask(void *ctx, uint64_t source, bool masked)
{
	if (source >= WORLD_SOURCES)
		return PVROM_STATUS_NOT_SUPPORTED;
	note(ctx, W_MASK, source, masked, 0, 0);
	return PVROM_STATUS_OK;
}

static void op_eoi(void *ctx, uint32_t vcpu)
{
	note(ctx, W_EOI, vcpu, 0, 0, 0);
}

static uint32_t op_send(void *ctx, uint32_t vector, uint32_t base, uint64_t mask)
{
	note(ctx, W_SEND, vector, base, mask, 0);
	return PVROM_STATUS_OK;
}

static uint32_t op_start(void *ctx, uint32_t vcpu, const struct pvrom_smp_state *state)
{
	struct world *w = ctx;

	if (w->running[vcpu])
		return PVROM_STATUS_BUSY;
	w->running[vcpu] = true;
	w->started = *state;
	note(w, W_START, vcpu, 0, 0, 0);
	return PVROM_STATUS_OK;
}

static uint32_t op_kick(void *ctx, uint32_t vcpu)
{
	note(ctx, W_KICK, vcpu, 0, 0, 0);
	return PVROM_STATUS_OK;
}

static uint32_t op_alarm_set(void *ctx, uint32_t vcpu, uint64_t tsc, uint8_t vector)
{
	struct world *w = ctx;

	w->alarm[vcpu] = true;
	w->alarm_tsc[vcpu] = tsc;
	w->alarm_vector[vcpu] = vector;
	note(w, W_ALARM_SET, vcpu, tsc, vector, 0);
	return PVROM_STATUS_OK;
}

static void op_alarm_cancel(void *ctx, uint32_t vcpu)
{
	struct world *w = ctx;

	w->alarm[vcpu] = false;
	note(w, W_ALARM_CANCEL, vcpu, 0, 0, 0);
}

static bool op_others_run(void *ctx, uint32_t vcpu)
{
	const struct world *w = ctx;
	uint32_t i;

	for (i = 0; i < w->config.vcpus; i++)
		if (i != vcpu && w->running[i])
			return true;
	return false;
}

static void op_park_others(void *ctx, uint32_t vcpu)
{
	struct world *w = ctx;
	uint32_t i;

	for (i = 0; i < w->config.vcpus; i++)
		if (i != vcpu)
			w->running[i] = false;
	note(w, W_PARK, vcpu, 0, 0, 0);
}

static void op_area_changed(void *ctx, uint32_t vcpu, struct pvrom_gpa area)
{
	note(ctx, W_AREA, vcpu, area.gpa, 0, 0);
}

static void op_reset(void *ctx, uint32_t vcpu)
{
	note(ctx, W_RESET, vcpu, 0, 0, 0);
}

static const struct pvrom_host_ops all_ops = {
	.translate = op_translate,
	.lock = op_lock,
	.unlock = op_unlock,
	.tsc = op_tsc,
	.log = op_log,
	.event = op_event,
	.irq_route = op_route,
	.irq_mask = op_mask,
	.irq_eoi = op_eoi,
	.irq_send = op_send,
	.smp_start = op_start,
	.smp_kick = op_kick,
	.alarm_set = op_alarm_set,
	.alarm_cancel = op_alarm_cancel,
	.others_run = op_others_run,
	.park_others = op_park_others,
	.area_changed = op_area_changed,
	.reset = op_reset,
};

/* ---- the machine ----------------------------------------------------------------------------- */

static const struct pvrom_host_feature *const all_features[] = {
	&pvrom_host_cpu, &pvrom_host_irq, &pvrom_host_smp, &pvrom_host_alarm, NULL,
};

void world_open(struct world *w, uint32_t vcpus)
{
	memset(w, 0, sizeof(*w));
	map_regions();
	pthread_mutex_init(&w->mutex, NULL);
	w->ops = all_ops;
	w->config = (struct pvrom_host_config){
		.ops = &w->ops,
		.ops_ctx = w,
		.features = all_features,
		.tsc_hz = 1000000000,
		.rom_gpa = WORLD_ROM,
		.vcpus = vcpus,
		.log_burst = 4,
		.transport = PVROM_TRANSPORT_PORT,
		.transport_port = 0x51,
		.live_port = 0x52,
		.live_key = 0x12345678,
	};
	CU_ASSERT_EQUAL_FATAL(world_again(w), PVROM_HOST_OK);
}

enum pvrom_host_result world_again(struct world *w)
{
	enum pvrom_host_result result = pvrom_host_init(&w->host, &w->config, w->vcpu);
	size_t size;

	show_all();
	memset(w->running, 0, sizeof(w->running));
	memset(w->alarm, 0, sizeof(w->alarm));
	w->running[0] = true;
	world_forget(w);
	if (result == PVROM_HOST_OK)
		result = pvrom_host_build_rom(&w->host, world_at(w, WORLD_ROM),
					      WORLD_MID_END - WORLD_ROM, &size);
	memset(&pvrom_host_trace, 0, sizeof(pvrom_host_trace));
	return result;
}

void world_close(struct world *w)
{
	CU_ASSERT_EQUAL(w->locked, 0);
	CU_ASSERT_EQUAL(pvrom_host_trace.double_fetches, 0);
	CU_ASSERT_EQUAL(pvrom_host_trace.strays, 0);
	pthread_mutex_destroy(&w->mutex);
}

uint32_t world_call_regs(struct world *w, uint32_t vcpu)
{
	bool hide = !w->hide_every || ++w->calls % w->hide_every == 0;

	if (hide)
		hide_all();
	w->action = pvrom_host_call(&w->vcpu[vcpu], &w->regs);
	if (hide)
		show_all();
	return w->regs.status;
}

uint32_t world_call(struct world *w, uint32_t vcpu, uint32_t call, uint64_t a, uint64_t b,
		    uint64_t c)
{
	/* What is no argument of a call holds rubbish. */
	w->regs = (struct pvrom_host_regs){
		.call = call,
		.status = 0xeeee,
		.arg = { a, b, c, 0x99999999 },
		.value = 0x77777777,
		.mode64 = 1,
	};
	return world_call_regs(w, vcpu);
}

struct pvrom_negotiation *world_proposal(struct world *w, uint64_t gpa, uint64_t wanted,
					 uint64_t required)
{
	struct pvrom_negotiation *n = world_at(w, gpa);

	*n = (struct pvrom_negotiation){
		.size = sizeof(*n),
		.major = PVROM_MAJOR,
		.minor = PVROM_MINOR,
		.epoch_vector = WORLD_EPOCH_VECTOR,
		.alarm_vector = WORLD_ALARM_VECTOR,
		.kick_vector = WORLD_KICK_VECTOR,
		.epoch = w->host.epoch,
		.wanted = wanted,
		.required = required,
	};
	return n;
}

uint32_t world_negotiate(struct world *w, uint64_t wanted)
{
	const uint64_t gpa = 0x1000;
	uint32_t status;

	world_proposal(w, gpa, wanted, 0);
	status = world_call(w, 0, PVROM_BASE_NEGOTIATE, gpa, PVROM_NEGOTIATE_PROPOSE, 0);
	if (status != PVROM_STATUS_OK)
		return status;
	return world_call(w, 0, PVROM_BASE_NEGOTIATE, gpa, PVROM_NEGOTIATE_COMMIT, 0);
}

const struct world_event *world_event(const struct world *w, enum world_what what, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < w->events; i++)
		if (w->event[i].what == what && !n--)
			return &w->event[i];
	return NULL;
}

uint64_t world_arg(const struct world *w, enum world_what what, uint32_t n, uint32_t index)
{
	const struct world_event *event = world_event(w, what, n);

	return event ? event->arg[index] : 0xbad0bad0bad0bad0;
}

void world_forget(struct world *w)
{
	w->events = 0;
}

int world_main(const char *suite, const struct tap_test *tests)
{
	const char *bug = getenv("PVROM_BUG");

	if (bug) {
		pvrom_host_bug = pvrom_host_bug_number(bug);
		if (!pvrom_host_bug) {
			fprintf(stderr, "%s: no such bug: %s\n", suite, bug);
			return 2;
		}
	}
	return tap_run(suite, tests);
}
