/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "clock_calls": a guest that registers and releases clock pages as it likes and scribbles over them, and a
 * host that samples, pauses, saves and loads meanwhile. An input is a list of steps.
 *
 * Promised (PVROM-CLOCK-2, PVROM-CLOCK-3, PVROM-CLOCK-4, PVROM-CLOCK-7, PVROM-CLOCK-18, PVROM-CLOCK-30): each call is
 * answered as a model of the registration says; only the registered page, the wall clock's structure and the
 * vCPU area change; after an update the page holds a clock that can be read, whose monotonic time has not
 * gone back; a clock that was saved can be loaded and is the same, and of other bytes none makes it unreadable.
 */
#include <pvrom/clock_guest.h>
#include <pvrom/clock_host.h>

#include "../../pvclock/clock_bugs.h"
#include "hostile_machine.h"

#define STEPS_MAX 64
#define AREA 0x2000
#define FEATURES (PVROM_FEATURE_BIT(PVROM_FEATURE_CLOCK) | PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ))

/* A machine with a clock, and what the model knows of it. */
static struct world w;
static struct pvrom_clock_host clock_host;
static uint64_t guest_tsc;
static uint64_t registered; /* PVROM_CLOCK_PAGE_NONE: none */
static bool sealed, paused;
static uint64_t last_ns;
static bool made_up; /* a state that nobody saved was loaded: its times may be any */

const char *const hostile_faults[] = {
	"two-pages", "unaligned", "kept-page", "released", "wall-size", "loads-any", NULL,
};

void hostile_plant(const char *fault)
{
#define BUG_IF(NAME, number, by, name, text)                                                       \
	if (!strcmp(fault, name))                                                                  \
		pvrom_clock_bug = number;
	PVROM_CLOCK_BUG_TABLE(BUG_IF)
}

static uint64_t tsc(void *ctx)
{
	(void)ctx;
	return guest_tsc;
}

/* ---- the machine ------------------------------------------------------------------------------- */

static void start(void)
{
	static const struct pvrom_host_feature *features[] = { &pvrom_host_cpu, &pvrom_host_irq,
							       &clock_host.feature, NULL };
	const struct pvrom_clock_config config = { .tsc = tsc,
						   .rate_ticks = 2600000000,
						   .rate_ns = 1000000000 };

	PROMISE(pvrom_clock_host_init(&clock_host, &config) == PVROM_CLOCK_OK);
	w.config.features = features;
	world_start(&w);
	sealed = paused = false;
	registered = PVROM_CLOCK_PAGE_NONE;
}

static uint32_t make_call(uint32_t number, uint64_t arg0, uint64_t arg1)
{
	struct pvrom_host_regs regs = { .call = number, .arg = { arg0, arg1 }, .mode64 = 1 };

	PROMISE(pvrom_host_call(&w.vcpu[0], &regs) == PVROM_ACTION_RESUME);
	return regs.status;
}

/* ---- what the model says ----------------------------------------------------------------------- */

static uint32_t page_status(uint64_t gpa, uint64_t size)
{
	if (!sealed)
		return PVROM_STATUS_DENIED;
	if (gpa == PVROM_CLOCK_PAGE_NONE)
		return PVROM_STATUS_OK;
	if (size != PVROM_CLOCK_PAGE_SIZE)
		return PVROM_STATUS_INVALID;
	if (gpa % PVROM_CLOCK_PAGE_SIZE)
		return PVROM_STATUS_ADDRESS;
	if (registered != PVROM_CLOCK_PAGE_NONE)
		return PVROM_STATUS_BUSY;
	if (gpa == UINT64_C(0xfffffffffffff000))
		return PVROM_STATUS_ADDRESS; /* its end has no address */
	return world_at(&w, gpa, size) ? PVROM_STATUS_OK : PVROM_STATUS_ADDRESS;
}

/* The page, if there is one, can be read, and its time has not gone back. */
static void check_page(void)
{
	const struct pvrom_clock_page *page;
	struct pvrom_clock_mono_ mono;
	uint64_t ns;

	if (registered == PVROM_CLOCK_PAGE_NONE)
		return;
	page = (const struct pvrom_clock_page *)(const void *)world_at(&w, registered,
								       PVROM_CLOCK_PAGE_SIZE);
	PROMISE(!(page->seq_count & 1) && page->clock_status <= PVROM_CLOCK_UNRELIABLE);
	PROMISE(page->counter_period_shift <= 63 && page->counter_period_frac_sec);
	mono = pvrom_clock_mono_load_(page);
	ns = pvrom_clock_mono_at_(&mono, guest_tsc);
	PROMISE(mono.period && mono.shift - 1 <= 63 && page->clock_flags & PVROM_CLOCK_KEPT);
	PROMISE(ns >= last_ns || made_up);
	last_ns = ns;
}

static void check_memory(uint64_t gpa, uint64_t len)
{
	const struct range allowed[] = {
		{ registered == PVROM_CLOCK_PAGE_NONE ? 0 : registered,
		  registered == PVROM_CLOCK_PAGE_NONE ? 0 : PVROM_CLOCK_PAGE_SIZE },
		{ gpa, len },
	};

	world_check(&w, allowed, 2);
}

/* ---- steps of the guest ------------------------------------------------------------------------ */

static void page_step(struct input *in)
{
	const uint8_t how = take8(in);
	const uint64_t gpa = how & 1   ? PVROM_CLOCK_PAGE_NONE
			     : how & 2 ? take_gpa(in)
				       : (uint64_t)(how >> 4) * 0x1000;
	const uint64_t size = how & 4 ? take_word(in) : PVROM_CLOCK_PAGE_SIZE;
	const uint32_t status = page_status(gpa, size);
	const uint64_t before = registered;

	world_watch(&w);
	PROMISE(make_call(PVROM_CLOCK_PAGE, gpa, size) == status);
	if (status == PVROM_STATUS_OK)
		registered = gpa;
	if (registered == PVROM_CLOCK_PAGE_NONE && before != PVROM_CLOCK_PAGE_NONE)
		check_memory(before, PVROM_CLOCK_PAGE_SIZE);
	else
		check_memory(0, 0);
}

/* The registered page has to bear what the guest wrote there; so the wall clock is not put into it. */
static void wall_step(struct input *in)
{
	const uint64_t gpa = take_gpa(in);
	const uint32_t size = take8(in) & 1 ? 0x40 : take32(in);
	uint32_t status, expected = PVROM_STATUS_OK;
	uint8_t there[4];
	bool memory;

	world_poke(&w, gpa, &size, sizeof(size));
	world_peek(&w, gpa, there, sizeof(there));
	memory = !memcmp(there, &size, sizeof(size)) && world_at(&w, gpa, 4);
	world_watch(&w);
	status = make_call(PVROM_CLOCK_WALL, gpa, 0);
	if (!sealed)
		expected = PVROM_STATUS_DENIED;
	else if (gpa % 8 || !memory)
		expected = PVROM_STATUS_ADDRESS;
	else if (size != 0x40)
		expected = PVROM_STATUS_INVALID;
	else if (gpa > UINT64_MAX - 0x40)
		expected = PVROM_STATUS_ADDRESS; /* its end has no address */
	/* Partly memory, or over a seam: either answer, but nothing else. */
	if (expected == PVROM_STATUS_OK && !world_at(&w, gpa, 0x40))
		PROMISE(status == PVROM_STATUS_OK || status == PVROM_STATUS_ADDRESS);
	else
		PROMISE(status == expected);
	check_memory(gpa, status == PVROM_STATUS_OK ? 0x40 : 0);
}

/* A value in registers; nothing is written. */
static void now_step(void)
{
	struct pvrom_host_regs regs = { .call = PVROM_CLOCK_NOW, .mode64 = 1 };

	world_watch(&w);
	PROMISE(pvrom_host_call(&w.vcpu[0], &regs) == PVROM_ACTION_RESUME);
	PROMISE(regs.status == (sealed ? PVROM_STATUS_OK : PVROM_STATUS_DENIED));
	PROMISE(sealed || !regs.value);
	check_memory(0, 0);
}

static void other_step(struct input *in)
{
	const uint8_t how = take8(in);
	const uint64_t vcpu = take_word(in);
	const uint32_t denied = sealed ? PVROM_STATUS_NOT_SUPPORTED : PVROM_STATUS_DENIED;

	if (how & 2)
		now_step();
	world_watch(&w);
	if (how & 1)
		PROMISE(make_call(PVROM_CLOCK_STOLEN, vcpu, 0) ==
			(sealed && vcpu >= WORLD_VCPUS ? PVROM_STATUS_INVALID : denied));
	else
		PROMISE(make_call(PVROM_CLOCK_ALARM_AVAILABLE, vcpu, 0) == PVROM_STATUS_DENIED);
	check_memory(0, 0);
}

static void negotiate(uint64_t wanted)
{
	const struct pvrom_negotiation n = {
		.size = sizeof(n),
		.major = PVROM_MAJOR,
		.wanted = wanted,
		.epoch = w.host.epoch,
		.epoch_vector = 0x40,
		.alarm_vector = 0x41,
		.kick_vector = 0x42,
	};

	world_poke(&w, 0x1f00, &n, sizeof(n));
	make_call(PVROM_BASE_NEGOTIATE, 0x1f00, PVROM_NEGOTIATE_PROPOSE);
	make_call(PVROM_BASE_NEGOTIATE, 0x1f00, PVROM_NEGOTIATE_COMMIT);
	sealed = wanted & PVROM_FEATURE_BIT(PVROM_FEATURE_CLOCK);
	if (!sealed)
		registered = PVROM_CLOCK_PAGE_NONE;
}

static void set_step(struct input *in)
{
	const uint8_t how = take8(in);

	if (how & 1) {
		pvrom_host_raise_epoch(&w.host);
		negotiate(how & 2 ? FEATURES : 0);
	} else if (how & 2) {
		PROMISE(make_call(PVROM_BASE_RESET, 0, 0) == PVROM_STATUS_OK);
		sealed = false;
		registered = PVROM_CLOCK_PAGE_NONE;
	} else {
		make_call(PVROM_BASE_VCPU_AREA, how & 4 ? AREA : PVROM_VCPU_AREA_NONE,
			  PVROM_VCPU_AREA_SIZE);
	}
}

static void scribble_step(struct input *in)
{
	uint64_t gpa = take_gpa(in), what = take64(in);

	world_poke(&w, gpa, &what, sizeof(what));
}

/* ---- steps of the host ------------------------------------------------------------------------- */

static struct pvrom_clock_sample take_sample(struct input *in)
{
	const uint8_t how = take8(in);
	struct pvrom_clock_sample s = {
		.tsc = how & 1 ? take_word(in) : guest_tsc,
		.tai_sec = take_word(in),
		.tai_frac_sec = how & 2 ? take64(in) : 0,
		.maxerror_ns = take_word(in),
		.rate_ticks = 2600000000,
		.rate_ns = 1000000000,
		.rate_error_ppb = how & 4 ? take32(in) : 1000,
		.status = how >> 4,
		.smearing = how & 3,
	};

	if (how & 8) {
		s.rate_ticks = take_word(in);
		s.rate_ns = take_word(in);
		s.flags = take8(in);
		s.leap_utc_sec = (int64_t)take_word(in) / 86400 * 86400;
		s.leap_sign = (int32_t)(take8(in) & 7) - 3;
		s.utc_offset_sec = (int32_t)take32(in);
		s.tsc_step = (int32_t)take32(in);
	}
	return s;
}

/* The TSC goes on, not so far that monotonic time wraps. */
static void tick(struct input *in)
{
	guest_tsc += take_word(in) >> 16;
	if (guest_tsc >> 50)
		guest_tsc = UINT64_C(1) << 50;
}

static void update_step(struct input *in)
{
	struct pvrom_clock_sample s;
	enum pvrom_clock_result result;

	tick(in);
	s = take_sample(in);
	world_watch(&w);
	result = pvrom_clock_host_update(&w.host, &s);
	PROMISE(result == PVROM_CLOCK_OK || result == PVROM_CLOCK_BAD_SAMPLE ||
		(paused && result == PVROM_CLOCK_PAUSED));
	check_memory(0, 0);
	if (result == PVROM_CLOCK_OK)
		check_page();
}

static void vcpu_step(struct input *in)
{
	struct pvrom_clock_vcpu_times times = { .tsc = take_word(in),
						.stolen_ns = take_word(in),
						.halted_ns = take_word(in),
						.fresh_ns = take_word(in),
						.state = take8(in) };

	world_watch(&w);
	pvrom_clock_host_vcpu(&w.vcpu[0], &times);
	check_memory(AREA + PVROM_VCPU_AREA_CLOCK,
		     sealed ? PVROM_VCPU_AREA_SIZE - PVROM_VCPU_AREA_CLOCK : 0);
}

/* With a sample, or as it was. */
static void resume(struct input *in)
{
	const uint8_t how = take8(in);
	enum pvrom_clock_result result;
	struct pvrom_clock_sample s;

	if (how & 1) {
		result = pvrom_clock_host_resume(&w.host, NULL, true);
	} else {
		s = take_sample(in);
		result = pvrom_clock_host_resume(&w.host, &s, how & 2);
	}
	PROMISE(result == PVROM_CLOCK_OK || result == PVROM_CLOCK_BAD_SAMPLE);
	paused = result != PVROM_CLOCK_OK;
}

static void pause_step(struct input *in)
{
	tick(in);
	PROMISE(pvrom_clock_host_pause(&w.host) == (paused ? PVROM_CLOCK_PAUSED : PVROM_CLOCK_OK));
	paused = true;
	resume(in);
	if (!paused)
		check_page();
}

/* Saved as it is, and loaded, in the same memory; or with words changed, and refused or readable. */
static void load_step(struct input *in)
{
	static uint8_t image[PVROM_CLOCK_IMAGE_SIZE];
	struct pvrom_clock_writer before;
	uint32_t changes = take8(in) & 3, i;

	/* Only a paused clock may be saved for another TSC. */
	pvrom_clock_host_pause(&w.host);
	paused = true;
	pvrom_clock_writer_save(&clock_host.writer, image);
	for (i = 0; i < changes; i++) {
		const uint32_t at = 8 * (take8(in) % (PVROM_CLOCK_IMAGE_SIZE / 8));
		const uint64_t what = take_word(in);

		memcpy(image + at, &what, 8);
	}
	before = clock_host.writer;
	if (pvrom_clock_writer_load(&clock_host.writer, image, sizeof(image)) != PVROM_CLOCK_OK) {
		PROMISE(changes && !memcmp(&before, &clock_host.writer, sizeof(before)));
		resume(in);
		return;
	}
	/* As pause_step() goes on. */
	paused = true;
	made_up |= changes != 0;
	resume(in);
	if (!changes && !paused)
		PROMISE(clock_host.writer.now.disruption_marker >= before.now.disruption_marker);
	if (!paused)
		check_page();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const steps[])(struct input * in) = {
		page_step,     page_step,   wall_step,	other_step, set_step,
		scribble_step, update_step, pause_step, vcpu_step,  load_step,
	};
	struct input in = { data, size };
	uint32_t i;

	world_init(&w);
	guest_tsc = 1000;
	last_ns = 0;
	made_up = false;
	start();
	negotiate(FEATURES);
	for (i = 0; i < STEPS_MAX && in.left; i++)
		steps[take8(&in) % (sizeof(steps) / sizeof(steps[0]))](&in);
	world_end(&w);
	return 0;
}
