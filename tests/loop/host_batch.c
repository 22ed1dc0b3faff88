/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The base group: lines logged, batches, RESET; each status that they can answer. */
#include "host_world.h"

static struct world w;

#define CALL(call, a, b) world_call(&w, 0, PVROM_BASE_##call, a, b, 0)

/* ---- log ----------------------------------------------------------------------------------------- */

static uint32_t log_text(const char *text)
{
	memcpy(world_at(&w, 0x4000), text, strlen(text));
	return CALL(LOG, 0x4000, strlen(text));
}

static void log_is_cleaned(void)
{
	world_open(&w, 2);
	CU_ASSERT_EQUAL(log_text("plain ~ text"), PVROM_STATUS_OK);
	CU_ASSERT_STRING_EQUAL(w.text, "plain ~ text");
	CU_ASSERT_EQUAL(log_text("a\x1b[2J\x7f\t\xc2\x9b\xff\nb\n"), PVROM_STATUS_OK);
	CU_ASSERT_STRING_EQUAL(w.text, "a?[2J??????b");
	CU_ASSERT_EQUAL(CALL(LOG, 0x4000, 0), PVROM_STATUS_OK);
	CU_ASSERT_STRING_EQUAL(w.text, "");
	w.ops.log = NULL;
	CU_ASSERT_EQUAL(log_text("dropped"), PVROM_STATUS_OK);
	world_close(&w);
}

static void log_length(void)
{
	world_open(&w, 1);
	memset(world_at(&w, WORLD_LOW_END - 256), 'x', 256);
	CU_ASSERT_EQUAL(CALL(LOG, WORLD_LOW_END - 256, 256), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_arg(&w, W_LOG, 0, 1), 256);
	CU_ASSERT_EQUAL(CALL(LOG, 0x4000, 257), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(LOG, 0x4000, 0x100000001), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(LOG, WORLD_LOW_END - 255, 256), PVROM_STATUS_ADDRESS);
	CU_ASSERT_EQUAL(CALL(LOG, ~0ull, 1), PVROM_STATUS_ADDRESS);
	CU_ASSERT_EQUAL(CALL(LOG, ~0ull, 2), PVROM_STATUS_ADDRESS);
	CU_ASSERT_EQUAL(CALL(LOG, WORLD_LOW_END - 1, 1), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(CALL(LOG, WORLD_BACK + 0xfff, 2), PVROM_STATUS_OK);
	world_close(&w);
}

static void log_is_limited(void)
{
	uint32_t i;

	world_open(&w, 2);
	for (i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(log_text("line"), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(log_text("line"), PVROM_STATUS_BUSY);
	/* What is refused for another reason costs no line, and another vCPU has its own. */
	CU_ASSERT_EQUAL(CALL(LOG, WORLD_HOLE, 1), PVROM_STATUS_ADDRESS);
	CU_ASSERT_EQUAL(world_call(&w, 1, PVROM_BASE_LOG, 0x4000, 4, 0), PVROM_STATUS_OK);
	CU_ASSERT_PTR_NULL(world_event(&w, W_LOG, 5));
	pvrom_host_refill_log(&w.host);
	CU_ASSERT_EQUAL(log_text("line"), PVROM_STATUS_OK);
	world_close(&w);
}

/* ---- batch --------------------------------------------------------------------------------------- */

static struct pvrom_batch_entry *entries(uint64_t gpa, uint32_t count, uint32_t call)
{
	struct pvrom_batch_entry *e = world_at(&w, gpa);
	uint32_t i;

	for (i = 0; i < count; i++)
		e[i] = (struct pvrom_batch_entry){ .call = call,
						   .status = 0xeeee,
						   .value = 0xdddd };
	return e;
}

static void batch_does_all(void)
{
	struct pvrom_batch_entry *e;

	world_open(&w, 1);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(IRQ)), PVROM_STATUS_OK);
	e = entries(0x5000, 6, PVROM_BASE_VERSION);
	e[1].call = 0x4321;
	e[2].call = PVROM_IRQ_MASK;
	e[2].arg[0] = 3;
	e[2].arg[1] = 1;
	e[3].call = PVROM_SMP_KICK;
	e[4].call = PVROM_IRQ_EOI;
	CU_ASSERT_EQUAL(CALL(BATCH, 0x5000, 6), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.regs.value, 6);
	CU_ASSERT_EQUAL(e[0].status, PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(e[0].value, 0x10000);
	CU_ASSERT_EQUAL(e[1].status, PVROM_STATUS_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(e[1].value, 0);
	CU_ASSERT_EQUAL(e[2].status, PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(e[3].status, PVROM_STATUS_DENIED);
	CU_ASSERT_EQUAL(e[4].status, PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(e[5].status, PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(e[5].value, 0x10000);
	CU_ASSERT_EQUAL(world_arg(&w, W_MASK, 0, 0), 3);
	CU_ASSERT_PTR_NOT_NULL(world_event(&w, W_EOI, 0));
	world_close(&w);
}

static void batch_has_a_bound(void)
{
	const struct pvrom_batch_entry *e;
	uint32_t i;

	world_open(&w, 1);
	e = entries(0x5000, 150, PVROM_BASE_VERSION);
	CU_ASSERT_EQUAL(CALL(BATCH, 0x5000, 150), PVROM_STATUS_CONTINUE);
	CU_ASSERT_EQUAL(w.regs.value, PVROM_BATCH_BOUND);
	for (i = 0; i < 150; i++)
		CU_ASSERT_EQUAL(e[i].status, i < PVROM_BATCH_BOUND ? PVROM_STATUS_OK : 0xeeee);
	CU_ASSERT_EQUAL(CALL(BATCH, 0x5000 + 64 * 0x30, 86), PVROM_STATUS_CONTINUE);
	CU_ASSERT_EQUAL(CALL(BATCH, 0x5000 + 128 * 0x30, 22), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.regs.value, 22);
	CU_ASSERT_EQUAL(e[149].status, PVROM_STATUS_OK);
	entries(0x5000, 64, PVROM_BASE_VERSION);
	CU_ASSERT_EQUAL(CALL(BATCH, 0x5000, 64), PVROM_STATUS_OK);
	world_close(&w);
}

static void batch_count(void)
{
	world_open(&w, 1);
	world_note(&w);
	CU_ASSERT_EQUAL(CALL(BATCH, 0x5000, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.regs.value, 0);
	CU_ASSERT_EQUAL(CALL(BATCH, 0x5000, PVROM_BATCH_MAX + 1), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(BATCH, 0x5000, 1ull << 60), PVROM_STATUS_INVALID);
	/* All entries must be there, not only those that this call will reach. */
	CU_ASSERT_EQUAL(CALL(BATCH, WORLD_LOW_END - 64 * 0x30, 65), PVROM_STATUS_ADDRESS);
	CU_ASSERT_EQUAL(w.regs.value, 0);
	CU_ASSERT_TRUE(world_unchanged(&w, 0, 0));
	entries(0x5000, PVROM_BATCH_MAX, PVROM_BASE_VERSION);
	CU_ASSERT_EQUAL(CALL(BATCH, 0x5000, PVROM_BATCH_MAX), PVROM_STATUS_CONTINUE);
	world_close(&w);
}

static void batch_refuses_some(void)
{
	static const uint32_t refused[] = { PVROM_BASE_NEGOTIATE, PVROM_BASE_BATCH,
					    PVROM_BASE_RESET, PVROM_BASE_SHUTDOWN, PVROM_SMP_STOP };
	struct pvrom_batch_entry *e;
	uint32_t i;

	world_open(&w, 1);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	e = entries(0x5000, 5, 0);
	for (i = 0; i < 5; i++)
		e[i].call = refused[i];
	CU_ASSERT_EQUAL(CALL(BATCH, 0x5000, 5), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.action, PVROM_ACTION_RESUME);
	for (i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(e[i].status, PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(w.host.sealed, ALL_FEATURES);
	world_close(&w);
}

/* An entry whose call writes over the entries behind it: they are read when they are reached. */
static void batch_over_itself(void)
{
	struct pvrom_batch_entry *e;

	world_open(&w, 1);
	e = entries(0x5000, 4, PVROM_BASE_VERSION);
	e[0].call = PVROM_BASE_QUERY;
	e[0].arg[0] = 0x5000;
	e[0].arg[1] = 0x80;
	CU_ASSERT_EQUAL(CALL(BATCH, 0x5000, 4), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(e[0].status, PVROM_STATUS_OK);
	/* What was VERSION is now QUERY (one vCPU) to an address (TSC frequency) in a hole. */
	CU_ASSERT_EQUAL(e[1].status, PVROM_STATUS_ADDRESS);
	CU_ASSERT_EQUAL(e[3].status, PVROM_STATUS_OK);
	world_close(&w);
}

/* ---- reset --------------------------------------------------------------------------------------- */

static void reset_gives_all_back(void)
{
	world_open(&w, 2);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, 0x3000, 0x800), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 1, PVROM_BASE_VCPU_AREA, 0x3800, 0x800, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_CLOCK_ALARM_SET, 5, 0, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 1, PVROM_CLOCK_ALARM_SET, 5, 0, 0), PVROM_STATUS_OK);
	world_forget(&w);
	world_note(&w);
	CU_ASSERT_EQUAL(CALL(RESET, 0, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.host.sealed, 0);
	CU_ASSERT_EQUAL(w.host.epoch, 2);
	CU_ASSERT_FALSE(w.alarm[0]);
	CU_ASSERT_FALSE(w.alarm[1]);
	CU_ASSERT_EQUAL(world_arg(&w, W_AREA, 0, 1), PVROM_VCPU_AREA_NONE);
	CU_ASSERT_EQUAL(world_arg(&w, W_AREA, 1, 1), PVROM_VCPU_AREA_NONE);
	CU_ASSERT_PTR_NOT_NULL(world_event(&w, W_RESET, 0));
	CU_ASSERT_PTR_NULL(world_event(&w, W_EVENT, 0));
	/* Nothing was written, and nothing is sent later. */
	pvrom_host_raise_epoch(&w.host);
	CU_ASSERT_PTR_NULL(world_event(&w, W_EVENT, 0));
	CU_ASSERT_TRUE(world_unchanged(&w, 0, 0));
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_CLOCK_ALARM_SET, 5, 0, 0), PVROM_STATUS_DENIED);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	world_close(&w);
}

static void reset_while_others_run(void)
{
	world_open(&w, 2);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	w.running[1] = true;
	CU_ASSERT_EQUAL(CALL(RESET, 0, 0), PVROM_STATUS_BUSY);
	CU_ASSERT_EQUAL(w.host.sealed, ALL_FEATURES);
	CU_ASSERT_EQUAL(w.host.epoch, 1);
	CU_ASSERT_EQUAL(CALL(RESET, PVROM_RESET_FORCE, 0), PVROM_STATUS_OK);
	CU_ASSERT_PTR_NOT_NULL(world_event(&w, W_PARK, 0));
	CU_ASSERT_FALSE(w.running[1]);
	CU_ASSERT_EQUAL(w.host.sealed, 0);
	world_close(&w);
}

static void reset_flags(void)
{
	world_open(&w, 1);
	CU_ASSERT_EQUAL(CALL(RESET, 2, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(RESET, 1ull << 63 | 1, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(w.host.epoch, 1);
	CU_ASSERT_EQUAL(CALL(RESET, PVROM_RESET_FORCE, 0), PVROM_STATUS_OK);
	CU_ASSERT_PTR_NULL(world_event(&w, W_PARK, 0));
	world_close(&w);
}

/* An embedder that cannot tell or cannot park: BUSY with several vCPUs, fine with one. */
static void reset_without_callbacks(void)
{
	world_open(&w, 2);
	w.ops.park_others = NULL;
	w.running[1] = true;
	CU_ASSERT_EQUAL(CALL(RESET, PVROM_RESET_FORCE, 0), PVROM_STATUS_BUSY);
	w.ops.others_run = NULL;
	w.running[1] = false;
	CU_ASSERT_EQUAL(CALL(RESET, 0, 0), PVROM_STATUS_BUSY);
	w.config.vcpus = 1;
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(CALL(RESET, 0, 0), PVROM_STATUS_OK);
	world_close(&w);
}

static struct pvrom_host_regs second_reset;

/* While the first vCPU's RESET waits for the others, the second of them calls RESET too. */
static void park_while_another_resets(void *ctx, uint32_t vcpu)
{
	struct world *world = ctx;

	if (vcpu == 0)
		pvrom_host_call(&world->vcpu[1], &second_reset);
	world->running[0] = vcpu == 0;
	world->running[1] = vcpu == 1;
}

static void reset_while_another_resets(void)
{
	world_open(&w, 2);
	w.running[0] = w.running[1] = true;
	w.ops.park_others = park_while_another_resets;
	second_reset = (struct pvrom_host_regs){
		.call = PVROM_BASE_RESET,
		.arg = { PVROM_RESET_FORCE },
		.mode64 = 1,
	};
	CU_ASSERT_EQUAL(CALL(RESET, PVROM_RESET_FORCE, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(second_reset.status, PVROM_STATUS_BUSY);
	CU_ASSERT_TRUE(w.running[0]);
	CU_ASSERT_EQUAL(w.host.epoch, 2);
	CU_ASSERT_EQUAL(CALL(RESET, 0, 0), PVROM_STATUS_OK);
	world_close(&w);
}

/* The next kernel asks the live port first, before it writes anything there. */
static void reset_forgets_nonces(void)
{
	world_open(&w, 2);
	pvrom_host_live_write(&w.vcpu[1], 0x1234);
	CU_ASSERT_EQUAL(CALL(RESET, 0, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(pvrom_host_live_read(&w.vcpu[1]), w.config.live_key);
	world_close(&w);
}

/* A proposal of the time before the reset cannot be committed after it. */
static void reset_forgets_proposals(void)
{
	struct pvrom_negotiation *n;

	world_open(&w, 1);
	n = world_proposal(&w, 0x1000, ALL_FEATURES, 0);
	CU_ASSERT_EQUAL(CALL(NEGOTIATE, 0x1000, PVROM_NEGOTIATE_PROPOSE), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(CALL(RESET, 0, 0), PVROM_STATUS_OK);
	n->epoch = 2;
	CU_ASSERT_EQUAL(CALL(NEGOTIATE, 0x1000, PVROM_NEGOTIATE_COMMIT), PVROM_STATUS_INVALID);
	world_close(&w);
}

static const struct tap_test tests[] = {
	{ "LOG cleans the text [PVROM-BASE-12]", log_is_cleaned },
	{ "LOG and lengths [PVROM-BASE-10]", log_length },
	{ "LOG has a limit [PVROM-BASE-11 PVROM-SEC-3]", log_is_limited },
	{ "BATCH does all entries [PVROM-BASE-13 PVROM-BASE-14]", batch_does_all },
	{ "BATCH has a bound [PVROM-BASE-15 PVROM-CALL-15 PVROM-SEC-3]", batch_has_a_bound },
	{ "BATCH and counts [PVROM-BASE-17]", batch_count },
	{ "BATCH refuses some calls [PVROM-BASE-16]", batch_refuses_some },
	{ "BATCH that is written over", batch_over_itself },
	{ "RESET gives all back [PVROM-BASE-21 PVROM-BASE-22]", reset_gives_all_back },
	{ "RESET while others run [PVROM-BASE-19 PVROM-BASE-20]", reset_while_others_run },
	{ "RESET and flags", reset_flags },
	{ "RESET without the callbacks", reset_without_callbacks },
	{ "RESET forgets proposals", reset_forgets_proposals },
	{ "RESET while another vCPU is in RESET is BUSY [PVROM-BASE-19]",
	  reset_while_another_resets },
	{ "RESET forgets the live port's nonces", reset_forgets_nonces },
	{ 0 }
};

int main(void)
{
	return world_main("host_batch", tests);
}
