/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * 2^20 random calls, drawn so that each call gives each status that it can give at least 100
 * times, and never another. The histogram is printed. Clock and device bus answer with their own halves;
 * the calls of the paravirtual MMU are those of a host without it (with it: tests/mmu/mmu_calls_test.c).
 *
 * PVROM_SEED repeats a run; "new" draws a seed, which is printed.
 */
#include "host_random.h"

#include <pvrom/clock_host.h>
#include <pvrom/virtio_bus.h>

#include "../random_calls.h"

#define ROUNDS (1u << 20)

static struct world w;

/* ---- clock and device bus of the embedder ------------------------------------------------------- */

static struct pvrom_clock_host clock_host;
static struct pvrom_bus_host bus;
static bool has_times; /* of its vCPUs: stolen and available */

static uint64_t clock_tsc(void *ctx)
{
	(void)ctx;
	return w.tsc;
}

static uint32_t clock_stolen(void *ctx, uint32_t vcpu, uint64_t *ns)
{
	(void)ctx;
	*ns = vcpu;
	return has_times ? PVROM_STATUS_OK : PVROM_STATUS_NOT_SUPPORTED;
}

static uint32_t clock_alarm(void *ctx, uint32_t vcpu, uint64_t ns, uint8_t vector)
{
	(void)ctx;
	(void)ns;
	if (!has_times)
		return PVROM_STATUS_NOT_SUPPORTED;
	return w.ops.alarm_set(&w, vcpu, w.tsc + 1, vector);
}

static uint64_t bus_list(void *ctx, uint32_t device, uint32_t what)
{
	(void)ctx;
	(void)device;
	return what == PVROM_DEV_KIND ? 2 | (uint64_t)QUEUES << 32 : 0;
}

/* What is left to a device: a queue that cannot begin. */
static uint32_t bus_configure(void *ctx, uint32_t device, uint32_t op, uint32_t index,
			      uint64_t word, uint64_t *value)
{
	(void)ctx;
	CU_ASSERT(device < DEVICES && op < PVROM_DEV_OP_COUNT);
	*value = op == PVROM_DEV_OP_STATUS;
	return op == PVROM_DEV_OP_QUEUE_ENABLE && (index || !word) ? PVROM_STATUS_INVALID
								   : PVROM_STATUS_OK;
}

static uint32_t bus_notify(void *ctx, uint64_t doorbell)
{
	(void)ctx;
	return doorbell == BELL ? PVROM_STATUS_OK : PVROM_STATUS_INVALID;
}

static void bus_stop(void *ctx, uint32_t device)
{
	(void)ctx;
	(void)device;
}

static void open_all(void)
{
	static const struct pvrom_bus_ops ops = { bus_list, bus_configure, bus_notify, bus_stop };
	static const struct pvrom_host_feature *const features[] = {
		&pvrom_host_cpu,     &pvrom_host_irq, &pvrom_host_smp, &pvrom_host_alarm,
		&clock_host.feature, &bus.dev,	      &bus.blk,	       NULL
	};
	const struct pvrom_clock_config config = { .tsc = clock_tsc,
						   .stolen = clock_stolen,
						   .alarm_available = clock_alarm,
						   .rate_ticks = 2600000000,
						   .rate_ns = 1000000000 };

	world_open(&w, VCPUS);
	w.tsc = 1000;
	CU_ASSERT_EQUAL_FATAL(pvrom_clock_host_init(&clock_host, &config), PVROM_CLOCK_OK);
	pvrom_bus_host_init(&bus, &ops, NULL, DEVICES, PVROM_BUS_DISKS);
	w.config.features = features;
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
}

/* ---- what may come out ------------------------------------------------------------------------- */

#define S(NAME) (1u << PVROM_STATUS_##NAME)
#define ALWAYS_BASE S(OK) | S(MODE)
#define ALWAYS_FEATURE S(OK) | S(MODE) | S(DENIED)

static uint32_t possible(uint32_t call)
{
	switch (call) {
	case PVROM_BASE_VERSION: return ALWAYS_BASE;
	case PVROM_BASE_QUERY: return ALWAYS_BASE | S(INVALID) | S(ADDRESS);
	case PVROM_BASE_NEGOTIATE:
		return ALWAYS_BASE | S(INVALID) | S(ADDRESS) | S(STALE) | S(REFUSED) | S(VERSION);
	case PVROM_BASE_VCPU_AREA:
	case PVROM_BASE_LOG: return ALWAYS_BASE | S(INVALID) | S(ADDRESS) | S(BUSY);
	case PVROM_BASE_BATCH: return ALWAYS_BASE | S(INVALID) | S(ADDRESS) | S(CONTINUE);
	case PVROM_BASE_RESET: return ALWAYS_BASE | S(INVALID) | S(BUSY);
	case PVROM_BASE_SHUTDOWN: return ALWAYS_BASE | S(INVALID);
	case PVROM_IRQ_ROUTE:
	case PVROM_IRQ_MASK: /* NOT_SUPPORTED is the embedder's word for a source it does not have */
		return ALWAYS_FEATURE | S(INVALID) | S(NOT_SUPPORTED);
	case PVROM_IRQ_SEND:
	case PVROM_SMP_KICK: return ALWAYS_FEATURE | S(INVALID);
	case PVROM_SMP_START: return ALWAYS_FEATURE | S(INVALID) | S(ADDRESS) | S(BUSY);
	case PVROM_SMP_STOP:
	case PVROM_CLOCK_ALARM_SET:
	case PVROM_CLOCK_ALARM_CANCEL: return ALWAYS_FEATURE;
	case PVROM_CLOCK_PAGE: return ALWAYS_FEATURE | S(INVALID) | S(ADDRESS) | S(BUSY);
	case PVROM_CLOCK_WALL: return ALWAYS_FEATURE | S(INVALID) | S(ADDRESS);
	case PVROM_CLOCK_STOLEN: return ALWAYS_FEATURE | S(INVALID) | S(NOT_SUPPORTED);
	case PVROM_CLOCK_ALARM_AVAILABLE: return ALWAYS_FEATURE | S(NOT_SUPPORTED);
	case PVROM_CLOCK_NOW: return ALWAYS_FEATURE;
	case PVROM_DEV_LIST:
	case PVROM_DEV_CONFIGURE:
	case PVROM_DEV_NOTIFY: return ALWAYS_FEATURE | S(INVALID);
	case PVROM_MMU_LAZY_BEGIN: return S(NOT_SUPPORTED) | S(MODE);
	default:
		/* no half here */
		if (call >> 8 == PVROM_GROUP_MMU)
			return S(DENIED) | S(MODE);
		return call >> 8 == PVROM_GROUP_CPU ? S(NOT_REQUIRED) | S(DENIED) | S(MODE)
						    : S(NOT_SUPPORTED) | S(MODE);
	}
}

/* One more line for all numbers that are no calls. */
const struct random_call calls[CALLS] = {
#define LINE(GROUP, NAME, number, feature, args, native, properties, regs, insn, text)             \
	{ number, properties, #GROUP "_" #NAME },
	PVROM_CALL_TABLE(LINE){ NO_CALL, PVROM_CALL_RESERVED, "unknown" },
};

static uint32_t histogram[CALLS][PVROM_STATUS_COUNT];
static uint32_t voids[CALLS];

/* ---- a call -------------------------------------------------------------------------------------- */

/* What happens between calls: the machine lives on. */
static void stir(void)
{
	if (once_in(8))
		w.running[1 + below(VCPUS - 1)] = !once_in(3);
	if (once_in(16))
		memset(w.running + 1, 0, VCPUS - 1);
	if (once_in(8192))
		pvrom_host_refill_log(&w.host);
	if (once_in(1024))
		pvrom_host_raise_epoch(&w.host);
	if (once_in(1024))
		pvrom_host_set_hardware(&w.host, below(16));
	if (once_in(4096))
		*(uint64_t *)world_at(&w, below((uint32_t)WORLD_LOW_END / 8) * 8u) = random64();
	if (once_in(4))
		world_negotiate(&w, once_in(4) ? random64() : EVERYTHING);
	if (once_in(16))
		has_times = !has_times;
	world_forget(&w);
}

/* ---- counting ---------------------------------------------------------------------------------- */

/* What must be so after every call, whatever it was. */
static bool sound(void)
{
	uint32_t i, j;

	for (i = 0; i < VCPUS; i++)
		for (j = 0; j < i; j++)
			if (w.vcpu[i].area_gpa == w.vcpu[j].area_gpa &&
			    w.vcpu[i].area_gpa != PVROM_VCPU_AREA_NONE)
				return false;
	for (i = 0; i < VCPUS; i++)
		if (w.alarm[i] && !(w.host.sealed & FEATURE(ALARM)))
			return false;
	return !(w.host.sealed & ~EVERYTHING) && w.host.sealed == w.host.started &&
	       pvrom_host_close(w.host.sealed) == w.host.sealed && w.locked == 0 &&
	       pvrom_host_trace.double_fetches == 0 && pvrom_host_trace.strays == 0;
}

/* The registers hold the status, a value only where there is one, and what the guest had there. */
static bool tells_nothing_else(const uint64_t arg[4], uint32_t properties)
{
	if (memcmp(w.regs.arg, arg, sizeof(w.regs.arg)))
		return false;
	return !w.regs.value || (properties & PVROM_CALL_VALUE);
}

static void one_round(void)
{
	uint32_t line = below(CALLS), vcpu = below(VCPUS);
	uint32_t number = draw_number(line);
	uint64_t arg[4];

	w.regs = (struct pvrom_host_regs){ .call = number, .mode64 = 1, .status = 0xeeee };
	draw_arguments(&w, number, w.regs.arg);
	if (once_in(10))
		w.regs.cpl = (uint8_t)(1 + below(3));
	else if (once_in(20))
		w.regs.mode64 = 0;
	memcpy(arg, w.regs.arg, sizeof(arg));
	world_call_regs(&w, vcpu);
	if (calls[line].properties & PVROM_CALL_VOID) {
		voids[line]++;
		if (w.action != PVROM_ACTION_VOID)
			CU_FAIL_FATAL("a void call with a result");
		return;
	}
	if (w.regs.status >= PVROM_STATUS_COUNT)
		CU_FAIL_FATAL("no such status");
	if (!tells_nothing_else(arg, calls[line].properties))
		CU_FAIL_FATAL("registers tell more than they should");
	histogram[line][w.regs.status]++;
}

static void check_line(uint32_t line)
{
	random_calls_note(calls[line].name, histogram[line], voids[line]);
	if (calls[line].properties & PVROM_CALL_VOID) {
		CU_ASSERT_TRUE(voids[line] >= RANDOM_CALLS_LEAST);
	} else {
		random_calls_check(histogram[line], possible(calls[line].number));
	}
}

static void random_calls(void)
{
	uint32_t i;

	random_from(random_calls_seed(20261121));
	open_all();
	w.hide_every = 16;
	for (i = 0; i < ROUNDS; i++) {
		stir();
		one_round();
		if (!sound())
			CU_FAIL_FATAL("the machine is not sound any more");
	}
	for (i = 0; i < CALLS; i++)
		check_line(i);
	world_close(&w);
}

/* ---- a guest that writes while the host reads --------------------------------------------------- */

static volatile bool done;

static void *scribble(void *unused)
{
	/* Where the calls' structures are most of the time, and no more than that: words in use. */
	volatile uint64_t *words = world_at(&w, 0);
	uint64_t mix = random64() | 1;

	(void)unused;
	while (!done) {
		mix = mix * UINT64_C(6364136223846793005) + 1;
		words[(mix >> 40) % (WORLD_LOW_END / 16)] ^= 1ull << (mix >> 58);
	}
	return NULL;
}

static void racing_writer(void)
{
	pthread_t thread;
	uint32_t i;

	open_all();
	w.racing = true;
	w.hide_every = UINT32_MAX;
	done = false;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, scribble, NULL), 0);
	for (i = 0; i < ROUNDS / 8 && sound(); i++) {
		stir();
		one_round();
	}
	done = true;
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(i, ROUNDS / 8);
	world_close(&w);
}

static const struct tap_test tests[] = {
	{ "2^20 random calls [PVROM-CALL-11 PVROM-SEC-1 PVROM-SEC-2 PVROM-SEC-4]", random_calls },
	{ "a guest that writes while the host reads [PVROM-SEC-2]", racing_writer },
	{ 0 }
};

int main(void)
{
	return world_main("host_random", tests);
}
