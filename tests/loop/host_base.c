/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The base group: who may call, version, query, shutdown, and the borders of memory. */
#include "host_world.h"

static struct world w;

#define CALL(call, a, b) world_call(&w, 0, PVROM_BASE_##call, a, b, 0)

/* ---- who may call ------------------------------------------------------------------------------ */

static void from_user_mode(void)
{
	world_open(&w, 1);
	w.regs = (struct pvrom_host_regs){ .call = PVROM_BASE_VERSION, .cpl = 3, .mode64 = 1 };
	CU_ASSERT_EQUAL(world_call_regs(&w, 0), PVROM_STATUS_MODE);
	CU_ASSERT_EQUAL(w.regs.value, 0);
	w.regs = (struct pvrom_host_regs){ .call = 0xffff, .cpl = 1, .mode64 = 1 };
	CU_ASSERT_EQUAL(world_call_regs(&w, 0), PVROM_STATUS_MODE);
	world_close(&w);
}

static void from_compatibility_mode(void)
{
	world_open(&w, 1);
	w.regs = (struct pvrom_host_regs){ .call = PVROM_BASE_SHUTDOWN, .cpl = 0, .mode64 = 0 };
	CU_ASSERT_EQUAL(world_call_regs(&w, 0), PVROM_STATUS_MODE);
	CU_ASSERT_EQUAL(w.action, PVROM_ACTION_RESUME);
	world_close(&w);
}

/* A void call has no status to answer with: it does nothing. */
static void void_from_user_mode(void)
{
	world_open(&w, 1);
	w.config.transport = PVROM_TRANSPORT_VMMCALL;
	w.config.transport_port = 0;
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(IRQ)), PVROM_STATUS_OK);
	w.regs = (struct pvrom_host_regs){ .call = PVROM_IRQ_EOI, .cpl = 3, .mode64 = 1 };
	world_call_regs(&w, 0);
	CU_ASSERT_EQUAL(w.action, PVROM_ACTION_VOID);
	CU_ASSERT_PTR_NULL(world_event(&w, W_EOI, 0));
	w.regs.cpl = 0;
	world_call_regs(&w, 0);
	CU_ASSERT_PTR_NOT_NULL(world_event(&w, W_EOI, 0));
	world_close(&w);
}

static void unknown_numbers(void)
{
	static const uint32_t numbers[] = { 0x0008, 0x00ff, 0x0132,  0x0204,	 0x0303,
					    0x0407, 0x0513, 0x0603,  0x0704,	 0x0800,
					    0x7fff, 0xffff, 0x10000, 0x80000000, 0xffffffff };
	uint32_t i;

	world_open(&w, 1);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		CU_ASSERT_EQUAL(world_call(&w, 0, numbers[i], 0, 0, 0), PVROM_STATUS_NOT_SUPPORTED);
		CU_ASSERT_EQUAL(w.action, PVROM_ACTION_RESUME);
		CU_ASSERT_EQUAL(w.regs.value, 0);
		CU_ASSERT_PTR_NULL(pvrom_host_call_name(numbers[i]));
		CU_ASSERT_FALSE(pvrom_host_call_is_void(numbers[i]));
	}
	world_close(&w);
}

/* The lines of the table that these tests need. */
static const struct {
	uint32_t number;
	uint32_t feature;
	uint32_t properties;
} calls[] = {
#define LINE(GROUP, NAME, number, feature, args, native, properties, regs, insn, text)             \
	{ number, PVROM_FEATURE_##feature, properties },
	PVROM_CALL_TABLE(LINE)
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static void reserved_numbers(void)
{
	uint32_t i;

	world_open(&w, 1);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	for (i = 0; i < CALLS; i++)
		if (calls[i].properties & PVROM_CALL_RESERVED)
			CU_ASSERT_EQUAL(world_call(&w, 0, calls[i].number, 0x1000, 0, 0),
					PVROM_STATUS_NOT_SUPPORTED);
	world_close(&w);
}

static void all_denied_but(uint64_t set)
{
	uint32_t i;

	for (i = 0; i < CALLS; i++) {
		if (calls[i].feature == PVROM_FEATURE_BASE ||
		    (set & PVROM_FEATURE_BIT(calls[i].feature)) ||
		    (calls[i].properties & (PVROM_CALL_RESERVED | PVROM_CALL_VOID)))
			continue;
		CU_ASSERT_EQUAL(world_call(&w, 0, calls[i].number, 1, 32, 0), PVROM_STATUS_DENIED);
	}
}

/* Nothing but the base group before the guest has negotiated, and nothing more than it has sealed. */
static void outside_the_sealed_set(void)
{
	static const uint64_t sets[] = { 0, FEATURE(CPU), FEATURE(SMP), FEATURE(IRQ),
					 FEATURE(IRQ) | FEATURE(ALARM) };
	uint32_t i;

	world_open(&w, 2);
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		CU_ASSERT_EQUAL(world_negotiate(&w, sets[i]), PVROM_STATUS_OK);
		world_forget(&w);
		all_denied_but(sets[i]);
		CU_ASSERT_EQUAL(w.events, 0);
	}
	world_close(&w);
}

static void void_outside_the_sealed_set(void)
{
	world_open(&w, 1);
	world_call(&w, 0, PVROM_IRQ_EOI, 0, 0, 0);
	CU_ASSERT_EQUAL(w.action, PVROM_ACTION_VOID);
	CU_ASSERT_EQUAL(w.events, 0);
	world_close(&w);
}

static void dead_registers(void)
{
	uint32_t i;

	world_open(&w, 1);
	CALL(VERSION, 1, 2);
	CU_ASSERT_EQUAL(w.regs.arg[0], 1);
	CU_ASSERT_EQUAL(w.regs.arg[1], 2);
	w.config.flags = PVROM_HOST_POISON;
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	CALL(VERSION, 1, 2);
	for (i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(w.regs.arg[i] >> 16, UINT64_C(0xdeaddeaddead));
	world_close(&w);
}

/* Whatever the transport, a void call keeps the registers, and the embedder is told so. */
static void void_keeps_registers(void)
{
	struct pvrom_host_regs before;

	world_open(&w, 1);
	w.config.flags = PVROM_HOST_POISON;
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	memset(&w.regs, 0x5a, sizeof(w.regs));
	w.regs.call = PVROM_IRQ_EOI;
	before = w.regs;
	world_call_regs(&w, 0);
	CU_ASSERT_EQUAL(w.action, PVROM_ACTION_VOID);
	CU_ASSERT_EQUAL(memcmp(&before, &w.regs, sizeof(before)), 0);
	CU_ASSERT_PTR_NOT_NULL(world_event(&w, W_EOI, 0));
	CU_ASSERT_TRUE(pvrom_host_call_is_void(PVROM_IRQ_EOI));
	CU_ASSERT_TRUE(pvrom_host_call_is_void(PVROM_CPU_PAUSE));
	CU_ASSERT_FALSE(pvrom_host_call_is_void(PVROM_BASE_VERSION));
	world_close(&w);
}

/* ---- the watch --------------------------------------------------------------------------------- */

/* world_close() asserts that both counters are 0; here, that they count. */
static void the_watch_counts_double_fetches(void)
{
	uint8_t bytes[32];

	world_open(&w, 1);
	pvrom_host_trace_begin();
	pvrom_host_read(&w.host, (struct pvrom_gpa){ 0x2000 }, bytes, 32);
	pvrom_host_read(&w.host, (struct pvrom_gpa){ 0x2020 }, bytes, 32);
	CU_ASSERT_EQUAL(pvrom_host_trace.double_fetches, 0);
	pvrom_host_read(&w.host, (struct pvrom_gpa){ 0x201e }, bytes, 5);
	CU_ASSERT_EQUAL(pvrom_host_trace.double_fetches, 5);
	pvrom_host_trace_begin();
	pvrom_host_read(&w.host, (struct pvrom_gpa){ 0x2000 }, bytes, 32);
	CU_ASSERT_EQUAL(pvrom_host_trace.double_fetches, 5);
	pvrom_host_trace.double_fetches = 0;
	world_close(&w);
}

static void *too_long(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	*len += 1;
	return world_at(ctx, gpa.gpa);
}

static void the_watch_counts_strays(void)
{
	uint8_t bytes[32] = { 0 };

	world_open(&w, 1);
	w.ops.translate = too_long;
	memset(world_at(&w, 0x2000), 0x11, 33);
	CU_ASSERT_EQUAL(pvrom_host_read(&w.host, (struct pvrom_gpa){ 0x2000 }, bytes, 31),
			PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(bytes[31], 0);
	CU_ASSERT_TRUE(pvrom_host_trace.strays > 0);
	pvrom_host_trace.strays = 0;
	world_close(&w);
}

/* ---- version, query, shutdown -------------------------------------------------------------------- */

static void version(void)
{
	world_open(&w, 1);
	CU_ASSERT_EQUAL(CALL(VERSION, ~0ull, ~0ull), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.regs.value, (uint64_t)PVROM_MAJOR << 16 | PVROM_MINOR);
	world_close(&w);
}

static void query_writes_the_offer(void)
{
	const struct pvrom_offer *offer;
	struct pvrom_offer eyes;

	world_open(&w, 3);
	world_note(&w);
	CU_ASSERT_EQUAL(CALL(QUERY, 0x2000, 0x1000), PVROM_STATUS_OK);
	CU_ASSERT_TRUE(world_unchanged(&w, 0x2000, sizeof(*offer)));
	offer = world_at(&w, 0x2000);
	pvrom_host_offer(&w.host, &eyes);
	CU_ASSERT_EQUAL(memcmp(offer, &eyes, sizeof(eyes)), 0);
	CU_ASSERT_EQUAL(offer->size, sizeof(*offer));
	CU_ASSERT_EQUAL(offer->major, PVROM_MAJOR);
	CU_ASSERT_EQUAL(offer->minor, PVROM_MINOR);
	CU_ASSERT_EQUAL(offer->epoch, 1);
	CU_ASSERT_EQUAL(offer->vcpus, 3);
	CU_ASSERT_EQUAL(offer->tsc_hz, 1000000000);
	CU_ASSERT_EQUAL(offer->offered, ALL_FEATURES);
	world_close(&w);
}

static void query_room(void)
{
	const struct pvrom_offer *offer;
	uint64_t room;

	world_open(&w, 1);
	CU_ASSERT_EQUAL(CALL(QUERY, 0x2000, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(QUERY, 0x2000, 0x3f), PVROM_STATUS_INVALID);
	offer = world_at(&w, 0x2000);
	for (room = 0x40; room < 0x90; room++) {
		memset(world_at(&w, 0x2000), 0xa5, 0x100);
		world_note(&w);
		CU_ASSERT_EQUAL(CALL(QUERY, 0x2000, room), PVROM_STATUS_OK);
		CU_ASSERT_EQUAL(offer->size, room < 0x80 ? room : 0x80);
		CU_ASSERT_TRUE(world_unchanged(&w, 0x2000, room));
	}
	CU_ASSERT_EQUAL(CALL(QUERY, 0x2000, ~0ull), PVROM_STATUS_OK);
	world_close(&w);
}

/* Each way in which a structure of len bytes can miss memory, and two in which it just does not. */
static void borders(uint32_t call, uint64_t len, uint64_t second)
{
	static const uint64_t wrong[] = { WORLD_LOW_END,  WORLD_HOLE,	  WORLD_MID - 8,
					  WORLD_MID_END,  WORLD_HIGH_END, WORLD_BACK_END,
					  WORLD_HIGH - 8, ~7ull,	  ~0ull << 63,
					  ~0ull << 52,	  0xfffffff8 };
	static const uint64_t ends[] = { WORLD_LOW_END, WORLD_MID_END, WORLD_HIGH_END };
	uint32_t i;

	world_note(&w);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CU_ASSERT_EQUAL(world_call(&w, 0, call, wrong[i], second, 0), PVROM_STATUS_ADDRESS);
	CU_ASSERT_EQUAL(world_call(&w, 0, call, -(len & ~7ull), second, 0), PVROM_STATUS_ADDRESS);
	CU_ASSERT_EQUAL(world_call(&w, 0, call, 0x2001, second, 0), PVROM_STATUS_ADDRESS);
	CU_ASSERT_EQUAL(world_call(&w, 0, call, 0x2004, second, 0), PVROM_STATUS_ADDRESS);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		uint64_t last = (ends[i] - len) & ~7ull;

		CU_ASSERT_EQUAL(world_call(&w, 0, call, last + 8, second, 0), PVROM_STATUS_ADDRESS);
		CU_ASSERT_TRUE(world_unchanged(&w, 0, 0));
		CU_ASSERT_NOT_EQUAL(world_call(&w, 0, call, last, second, 0), PVROM_STATUS_ADDRESS);
		world_note(&w);
	}
}

static void query_borders(void)
{
	world_open(&w, 1);
	borders(PVROM_BASE_QUERY, sizeof(struct pvrom_offer), sizeof(struct pvrom_offer));
	borders(PVROM_BASE_QUERY, 0x40, 0x40);
	world_close(&w);
}

static void negotiate_borders(void)
{
	world_open(&w, 1);
	borders(PVROM_BASE_NEGOTIATE, sizeof(struct pvrom_negotiation), PVROM_NEGOTIATE_PROPOSE);
	borders(PVROM_BASE_NEGOTIATE, sizeof(struct pvrom_negotiation), PVROM_NEGOTIATE_COMMIT);
	world_close(&w);
}

static void batch_borders(void)
{
	world_open(&w, 1);
	borders(PVROM_BASE_BATCH, 3 * sizeof(struct pvrom_batch_entry), 3);
	world_close(&w);
}

/* A structure over pages that do not lie together in the host, and one handed out byte by byte. */
static void in_pieces(void)
{
	struct pvrom_offer whole, parts;
	const uint64_t gpa = WORLD_BACK + 0x1000 - 0x28;
	uint64_t i;

	world_open(&w, 1);
	pvrom_host_offer(&w.host, &whole);
	for (w.longest = 0; w.longest < 130; w.longest += 1 + w.longest / 8) {
		CU_ASSERT_EQUAL(CALL(QUERY, gpa, sizeof(parts)), PVROM_STATUS_OK);
		for (i = 0; i < sizeof(parts); i++)
			((uint8_t *)&parts)[i] = *(uint8_t *)world_at(&w, gpa + i);
		CU_ASSERT_EQUAL(memcmp(&whole, &parts, sizeof(whole)), 0);
	}
	world_close(&w);
}

static void shutdown(void)
{
	static const uint64_t kinds[] = { PVROM_SHUTDOWN_OFF, PVROM_SHUTDOWN_RESTART,
					  PVROM_SHUTDOWN_CRASH };
	uint32_t i;

	world_open(&w, 1);
	w.config.flags = PVROM_HOST_POISON;
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	for (i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(CALL(SHUTDOWN, kinds[i], 127), PVROM_STATUS_OK);
		CU_ASSERT_EQUAL(w.action, PVROM_ACTION_SHUTDOWN);
		CU_ASSERT_EQUAL(w.regs.arg[0], kinds[i]);
		CU_ASSERT_EQUAL(w.regs.arg[1], 127);
	}
	CU_ASSERT_EQUAL(CALL(SHUTDOWN, 3, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(w.action, PVROM_ACTION_RESUME);
	CU_ASSERT_EQUAL(CALL(SHUTDOWN, 0, 128), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(SHUTDOWN, 1ull << 32, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(w.action, PVROM_ACTION_RESUME);
	world_close(&w);
}

static const struct tap_test tests[] = {
	{ "a call from user mode is answered MODE [PVROM-CALL-8]", from_user_mode },
	{ "a call from compatibility mode is answered MODE [PVROM-CALL-8]",
	  from_compatibility_mode },
	{ "a void call from user mode does nothing", void_from_user_mode },
	{ "unknown numbers are NOT_SUPPORTED [PVROM-CALL-7]", unknown_numbers },
	{ "reserved numbers are NOT_SUPPORTED [PVROM-CALL-7]", reserved_numbers },
	{ "calls outside the sealed set are DENIED [PVROM-NEG-20 PVROM-NEG-21]",
	  outside_the_sealed_set },
	{ "a void call outside the sealed set does nothing", void_outside_the_sealed_set },
	{ "dead registers are destroyed when asked for [PVROM-CALL-4]", dead_registers },
	{ "a void call keeps all registers [PVROM-CALL-5]", void_keeps_registers },
	{ "the watch counts double fetches [PVROM-SEC-2]", the_watch_counts_double_fetches },
	{ "the watch counts stray accesses [PVROM-SEC-1]", the_watch_counts_strays },
	{ "VERSION [PVROM-BASE-1]", version },
	{ "QUERY writes the offer", query_writes_the_offer },
	{ "QUERY and the room it has [PVROM-BASE-2 PVROM-BASE-3]", query_room },
	{ "QUERY at the borders of memory [PVROM-CALL-9 PVROM-CALL-10]", query_borders },
	{ "NEGOTIATE at the borders of memory [PVROM-CALL-9]", negotiate_borders },
	{ "BATCH at the borders of memory [PVROM-CALL-9]", batch_borders },
	{ "memory that lies in pieces in the host", in_pieces },
	{ "SHUTDOWN [PVROM-BASE-24 PVROM-BASE-25]", shutdown },
	{ 0 }
};

int main(void)
{
	return world_main("host_base", tests);
}
