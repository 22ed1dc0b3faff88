/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "calls": a guest that makes any calls with any arguments, over memory that changes while the
 * handler looks at it.
 *
 * Promised, whatever the guest does (PVROM-SEC-1, PVROM-SEC-2, PVROM-SEC-4): each call is answered with a status that its page names; calls outside the
 * sealed set are DENIED; only the bytes change that the call's page names; nothing outside the
 * guest's memory is touched and no byte of it is read twice in a call; callbacks get arguments that make sense.
 */
#include "hostile_machine.h"

#include "../../host/host_internal.h"

#define OPS_MAX 48
#define STATUS(name) (1u << PVROM_STATUS_##name)

/* ---- what the table says of calls -------------------------------------------------------------- */

struct call_line {
	uint32_t number, feature, flags;
};
#define FEATURE_NUMBER_BASE 64
#define FEATURE_NUMBER_CPU PVROM_FEATURE_CPU
#define FEATURE_NUMBER_IRQ PVROM_FEATURE_IRQ
#define FEATURE_NUMBER_SMP PVROM_FEATURE_SMP
#define FEATURE_NUMBER_ALARM PVROM_FEATURE_ALARM
#define FEATURE_NUMBER_CLOCK PVROM_FEATURE_CLOCK
#define FEATURE_NUMBER_MMU PVROM_FEATURE_MMU
#define FEATURE_NUMBER_MMU_FAULT PVROM_FEATURE_MMU_FAULT
#define FEATURE_NUMBER_DEV PVROM_FEATURE_DEV
#define FEATURE_NUMBER_MEM PVROM_FEATURE_MEM
static const struct call_line lines[] = {
#define LINE(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)                  \
	{ number, FEATURE_NUMBER_##feature, flags },
	PVROM_CALL_TABLE(LINE)
};
#define LINES (sizeof(lines) / sizeof(lines[0]))

static const struct call_line *line_of(uint32_t number)
{
	uint32_t i;

	for (i = 0; i < LINES; i++)
		if (lines[i].number == number)
			return &lines[i];
	return NULL;
}

/* The statuses that a call may answer once it has come to whoever serves it. */
static uint32_t statuses_of(const struct world *world, uint32_t number)
{
	const uint32_t back_end = 1u << world->status;

	switch (number) {
	case PVROM_BASE_VERSION:
	case PVROM_SMP_STOP:
	case PVROM_CLOCK_ALARM_SET:
	case PVROM_CLOCK_ALARM_CANCEL: return STATUS(OK);
	case PVROM_BASE_QUERY: return STATUS(OK) | STATUS(INVALID) | STATUS(ADDRESS);
	case PVROM_BASE_NEGOTIATE:
		return STATUS(OK) | STATUS(INVALID) | STATUS(ADDRESS) | STATUS(VERSION) |
		       STATUS(STALE) | STATUS(REFUSED);
	case PVROM_BASE_VCPU_AREA:
	case PVROM_BASE_LOG: return STATUS(OK) | STATUS(INVALID) | STATUS(ADDRESS) | STATUS(BUSY);
	case PVROM_BASE_BATCH:
		return STATUS(OK) | STATUS(CONTINUE) | STATUS(INVALID) | STATUS(ADDRESS);
	case PVROM_BASE_RESET: return STATUS(OK) | STATUS(INVALID) | STATUS(BUSY);
	case PVROM_BASE_SHUTDOWN: return STATUS(OK) | STATUS(INVALID);
	case PVROM_IRQ_MASK:
	case PVROM_IRQ_ROUTE:
	case PVROM_SMP_KICK: return back_end | STATUS(INVALID);
	case PVROM_IRQ_SEND: return back_end | STATUS(INVALID) | STATUS(OK);
	case PVROM_SMP_START: return back_end | STATUS(INVALID) | STATUS(ADDRESS) | STATUS(BUSY);
	default: return STATUS(NOT_REQUIRED); /* the cpu group: the processor does it */
	}
}

/* What the status must be before anybody serves the call, or COUNT if it comes so far. */
static uint32_t status_before(uint64_t sealed, const struct call_line *line,
			      const struct pvrom_host_regs *regs)
{
	if (regs->cpl || !regs->mode64)
		return PVROM_STATUS_MODE;
	if (!line || line->flags & PVROM_CALL_RESERVED)
		return PVROM_STATUS_NOT_SUPPORTED;
	if (line->feature < 64 && !(sealed >> line->feature & 1))
		return PVROM_STATUS_DENIED;
	return PVROM_STATUS_COUNT;
}

/* ---- one call and what is promised of it -------------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What a call may write; the entries of a batch may do it anywhere in memory. */
static uint32_t may_write(const struct pvrom_host_regs *regs, struct range *range)
{
	const uint64_t gpa = regs->arg[0];

	switch (regs->call) {
	case PVROM_BASE_QUERY:
		*range = (struct range){ gpa, least(regs->arg[1], sizeof(struct pvrom_offer)) };
		return 1;
	case PVROM_BASE_NEGOTIATE: *range = (struct range){ gpa + 0x28, 0x28 }; return 1;
	case PVROM_BASE_VCPU_AREA: *range = (struct range){ gpa, PVROM_VCPU_AREA_SIZE }; return 1;
	case PVROM_BASE_BATCH: *range = (struct range){ 0, UINT64_MAX }; return 1;
	default: return 0;
	}
}

static void check_action(const struct pvrom_host_regs *in, const struct pvrom_host_regs *out,
			 enum pvrom_host_action action)
{
	const bool ok = out->status == PVROM_STATUS_OK;
	enum pvrom_host_action expected = PVROM_ACTION_RESUME;

	if (ok && in->call == PVROM_SMP_STOP)
		expected = PVROM_ACTION_STOP;
	if (ok && in->call == PVROM_BASE_SHUTDOWN)
		expected = PVROM_ACTION_SHUTDOWN;
	PROMISE(action == expected);
	if (action == PVROM_ACTION_SHUTDOWN)
		PROMISE(out->arg[0] <= PVROM_SHUTDOWN_CRASH && out->arg[1] <= 127);
}

/* A batch says how many entries it has reached. */
static void check_value(const struct pvrom_host_regs *in, const struct pvrom_host_regs *out,
			const struct call_line *line)
{
	if (!line || !(line->flags & PVROM_CALL_VALUE))
		PROMISE(!out->value);
	if (in->call == PVROM_BASE_BATCH && out->status == PVROM_STATUS_OK)
		PROMISE(out->value == in->arg[1]);
	if (in->call == PVROM_BASE_BATCH && out->status == PVROM_STATUS_CONTINUE)
		PROMISE(out->value == PVROM_BATCH_BOUND && in->arg[1] > PVROM_BATCH_BOUND);
}

/* Dead registers hold what the guest put there, or what is the same for all. */
static void check_registers(const struct world *world, const struct pvrom_host_regs *in,
			    const struct pvrom_host_regs *out, enum pvrom_host_action action)
{
	const bool poison =
		world->config.flags & PVROM_HOST_POISON && action == PVROM_ACTION_RESUME;
	uint32_t i;

	for (i = 0; i < 4; i++)
		PROMISE(out->arg[i] == (poison ? UINT64_C(0xdeaddeaddead0000) + i : in->arg[i]));
	PROMISE(out->call == in->call &&
		!memcmp(out->reserved, in->reserved, sizeof(in->reserved)));
}

static void check_back_end(const struct world *world, const struct pvrom_host_regs *in,
			   const struct pvrom_host_regs *out)
{
	if (in->call == PVROM_IRQ_SEND && out->status == PVROM_STATUS_OK)
		PROMISE(world->sent_mask == in->arg[2] && world->sends == (in->arg[2] != 0));
	if (in->call == PVROM_BASE_RESET)
		PROMISE(world->resets == (out->status == PVROM_STATUS_OK) && !world->events);
	if (in->call == PVROM_BASE_VERSION && out->status == PVROM_STATUS_OK)
		PROMISE(out->value == ((uint64_t)PVROM_MAJOR << 16 | PVROM_MINOR));
}

static void check_answer(struct world *world, uint64_t sealed, const struct pvrom_host_regs *in,
			 const struct pvrom_host_regs *out, enum pvrom_host_action action)
{
	const struct call_line *line = line_of(in->call);
	const uint32_t before = status_before(sealed, line, in);

	if (line && line->flags & PVROM_CALL_VOID) {
		PROMISE(action == PVROM_ACTION_VOID && !memcmp(in, out, sizeof(*in)));
		return;
	}
	if (before < PVROM_STATUS_COUNT)
		PROMISE(out->status == before);
	else
		PROMISE(out->status < 32 && statuses_of(world, in->call) >> out->status & 1);
	check_registers(world, in, out, action);
	check_action(in, out, action);
	check_value(in, out, line);
	check_back_end(world, in, out);
}

/* The sealed set is what a guest commits, and nothing else moves it. */
static void check_sealed(const struct world *world, uint64_t before,
			 const struct pvrom_host_regs *in, const struct pvrom_host_regs *out)
{
	if (world->host.sealed == before || out->status != PVROM_STATUS_OK)
		PROMISE(world->host.sealed == before);
	else
		PROMISE(in->call == PVROM_BASE_NEGOTIATE || in->call == PVROM_BASE_RESET);
}

static void make_call(struct world *world, uint32_t vcpu, const struct pvrom_host_regs *in)
{
	const uint64_t sealed = world->host.sealed;
	struct pvrom_host_regs out = *in;
	enum pvrom_host_action action;
	struct range range = { 0, 0 };
	uint32_t ranges = may_write(in, &range);

	world_watch(world);
	pvrom_host_trace.double_fetches = pvrom_host_trace.strays = 0;
	action = pvrom_host_call(&world->vcpu[vcpu], &out);
	check_answer(world, sealed, in, &out, action);
	check_sealed(world, sealed, in, &out);
	world_check(world, &range, ranges);
	PROMISE(!pvrom_host_trace.double_fetches && !pvrom_host_trace.strays);
}

/* ---- what a guest does -------------------------------------------------------------------------- */

static uint32_t take_call(struct input *in)
{
	uint8_t how = take8(in);

	return how < LINES ? lines[how].number : take32(in);
}

static void op_call(struct world *world, struct input *in)
{
	const uint8_t who = take8(in);
	struct pvrom_host_regs regs = { .mode64 = !(who & 0x40), .cpl = who >> 7 ? 3 : 0 };
	uint32_t i;

	regs.call = take_call(in);
	for (i = 0; i < 4; i++)
		regs.arg[i] = take_word(in);
	make_call(world, who % WORLD_VCPUS, &regs);
}

static void call2(struct world *world, uint32_t call, uint64_t arg0, uint64_t arg1)
{
	const struct pvrom_host_regs regs = { .call = call, .arg = { arg0, arg1 }, .mode64 = 1 };

	make_call(world, 0, &regs);
}

static void op_poke(struct world *world, struct input *in)
{
	const uint64_t gpa = take_gpa(in);
	uint8_t bytes[32], len = take8(in) & 31;
	uint32_t i;

	for (i = 0; i < len; i++)
		bytes[i] = take8(in);
	world_poke(world, gpa, bytes, len);
}

/* Overwrites one byte of a structure that was right. */
static void spoil(struct input *in, void *structure, size_t size)
{
	const uint8_t at = take8(in), value = take8(in);

	if (at < size)
		((uint8_t *)structure)[at] = value;
}

static void op_negotiate(struct world *world, struct input *in)
{
	const uint64_t gpa = take_gpa(in);
	struct pvrom_negotiation n = {
		.size = sizeof(n),
		.major = PVROM_MAJOR,
		.epoch_vector = 0x40,
		.alarm_vector = 0x41,
		.epoch = world->host.epoch,
		.wanted = take16(in),
	};

	spoil(in, &n, sizeof(n));
	world_poke(world, gpa, &n, sizeof(n));
	call2(world, PVROM_BASE_NEGOTIATE, gpa, PVROM_NEGOTIATE_PROPOSE);
	call2(world, PVROM_BASE_NEGOTIATE, gpa, PVROM_NEGOTIATE_COMMIT);
}

static void op_start(struct world *world, struct input *in)
{
	const uint64_t gpa = take_gpa(in), vcpu = take8(in) & 3;
	struct pvrom_smp_state state = {
		.size = sizeof(state),
		.rip = 0x100000,
		.cr0 = 0x80000001,
		.cr3 = 0x1000,
		.cr4 = 0x20,
		.efer = 0x500,
		.pat = 0x0007040600070406,
		.cs = 8,
		.ss = 16,
	};

	spoil(in, &state, sizeof(state));
	world_poke(world, gpa, &state, sizeof(state));
	call2(world, PVROM_SMP_START, vcpu, gpa);
}

/* Calls whose arguments are seldom right by chance. */
static void op_likely(struct world *world, struct input *in)
{
	const uint8_t what = take8(in), a = take8(in), b = take8(in);
	struct pvrom_host_regs send = { .call = PVROM_IRQ_SEND, .mode64 = 1 };

	send.arg[0] = a < 32 ? PVROM_IRQ_SEND_NMI : a;
	send.arg[1] = b & 3;
	send.arg[2] = b >> 2;
	if (what & 1)
		make_call(world, (what >> 6) % WORLD_VCPUS, &send);
	if (what & 2)
		call2(world, PVROM_CLOCK_ALARM_SET, a, b);
	if (what & 4)
		call2(world, PVROM_BASE_RESET, a & 1, 0);
	if (what & 8)
		call2(world, PVROM_BASE_VCPU_AREA, (uint64_t)a << 9,
		      PVROM_VCPU_AREA_SIZE - 1 + (uint64_t)b);
	if (what & 16)
		call2(world, PVROM_BASE_LOG, (uint64_t)a << 8, b);
}

static void op_batch(struct world *world, struct input *in)
{
	const uint64_t gpa = take_gpa(in);
	const uint8_t count = take8(in), filled = count & 7;
	uint32_t i, a;

	for (i = 0; i < filled; i++) {
		struct pvrom_batch_entry entry = { .call = take_call(in), .status = 0xaa };

		for (a = 0; a < 4; a++)
			entry.arg[a] = take_word(in);
		world_poke(world, gpa + i * sizeof(entry), &entry, sizeof(entry));
	}
	call2(world, PVROM_BASE_BATCH, gpa, count);
}

static void op_race(struct world *world, struct input *in)
{
	world->race_in = take8(in) & 7;
	world->race_at = take16(in);
	world->race_byte = take8(in);
}

/* What an embedder does between calls. */
static void op_embedder(struct world *world, struct input *in)
{
	const uint8_t what = take8(in);
	uint32_t regs[4];

	if (what & 1)
		pvrom_host_raise_epoch(&world->host);
	if (what & 2)
		pvrom_host_refill_log(&world->host);
	if (what & 4)
		pvrom_host_set_hardware(&world->host, what >> 4);
	if (what & 8)
		pvrom_host_cpuid(&world->host, take32(in), take32(in), regs);
	world->others_run = what & 0x80;
	world->status = take8(in) % PVROM_STATUS_COUNT;
}

static void op_live(struct world *world, struct input *in)
{
	struct pvrom_host_vcpu *vcpu = &world->vcpu[take8(in) % WORLD_VCPUS];
	const uint32_t nonce = take32(in);

	pvrom_host_live_write(vcpu, nonce);
	PROMISE(pvrom_host_live_read(vcpu) == (world->config.live_key ^ nonce));
	PROMISE(pvrom_host_live_read(vcpu) == world->config.live_key);
}

static void run_op(struct world *world, struct input *in)
{
	static void (*const ops[])(struct world *, struct input *) = {
		op_call, op_call,     op_poke, op_negotiate, op_start,	op_batch,
		op_race, op_embedder, op_live, op_likely,    op_likely,
	};

	ops[take8(in) % (sizeof(ops) / sizeof(ops[0]))](world, in);
}

/* ---- planted faults ------------------------------------------------------------------------------ */

static bool reads_twice, writes_beyond, keeps_the_lock;

/* An smp group as its author should not have written it. */
static uint32_t bad_smp(struct pvrom_host *host, struct pvrom_host_vcpu *vcpu, uint32_t number,
			const uint64_t arg[4], uint64_t *value)
{
	uint32_t size;

	if (reads_twice)
		pvrom_host_read(host, (struct pvrom_gpa){ arg[1] }, &size, sizeof(size));
	if (writes_beyond)
		pvrom_host_write(host, (struct pvrom_gpa){ arg[1] + 0x80 }, "x", 1);
	if (keeps_the_lock)
		host->config.ops->lock(host->config.ops_ctx);
	return pvrom_host_smp.call(host, vcpu, number, arg, value);
}

static struct pvrom_host_feature smp;
static const struct pvrom_host_feature *const features[] = {
	&pvrom_host_cpu, &pvrom_host_irq, &smp, &pvrom_host_alarm, NULL,
};

const char *const hostile_faults[] = {
	"reads-twice", "writes-beyond", "keeps-the-lock", "batch-short",
	"send-short",  "stop-runs",	"reset-alarm",	  NULL,
};

void hostile_plant(const char *fault)
{
	reads_twice = !strcmp(fault, "reads-twice");
	writes_beyond = !strcmp(fault, "writes-beyond");
	keeps_the_lock = !strcmp(fault, "keeps-the-lock");
	pvrom_host_bug = pvrom_host_bug_number(fault);
}

/* ---- the target --------------------------------------------------------------------------------- */

static void setup(struct world *world, uint8_t how)
{
	smp = pvrom_host_smp;
	smp.call = bad_smp;
	world_init(world);
	world->config.features = features;
	world->config.flags = how & 2 ? PVROM_HOST_POISON : 0;
	if (how & 4) {
		world->config.transport = PVROM_TRANSPORT_VMMCALL;
		world->config.transport_port = 0;
	}
	world_start(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const uint8_t how = take8(&in);
	struct world world;
	uint32_t i;

	setup(&world, how);
	if (how & 1) {
		struct input everything = { (const uint8_t *)"\0\0\xff\xff\xff", 5 };

		op_negotiate(&world, &everything);
	}
	for (i = 0; i < OPS_MAX && in.left; i++)
		run_op(&world, &in);
	world_end(&world);
	return 0;
}
