/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "negotiation": proposals, commits, resets and calls in any order, while the embedder changes what
 * there is to be had.
 *
 * Promised (PVROM-NEG-8, PVROM-NEG-9, PVROM-NEG-25): what the model here says, which is written after <pvrom/negotiate.h> and <pvrom/features.h> alone.
 * So the sealed set was offered when it was proposed and is closed under dependencies; calls outside of it
 * are DENIED; features start and stop with it; the epoch only rises, and every area and every vCPU learns of it.
 */
#include "hostile_machine.h"

#include "../../host/bugs.h"

#define OPS_MAX 64
#define WORDS_GPA 0x1000u
#define OFFER_GPA 0x2000u
#define AREA_GPA 0x5000u
#define BIT(NAME) PVROM_FEATURE_BIT(PVROM_FEATURE_##NAME)

struct model {
	uint64_t epoch, sealed;
	uint64_t pending, pending_epoch, pending_vectors;
	uint8_t epoch_vector;
	bool is_pending;
	uint64_t offered;	 /* when the pending set was proposed */
	uint64_t sealed_offered; /* when the sealed set was */
	bool area[WORLD_VCPUS];
};

/* What the embedder's features say of themselves, and which of them run. */
static uint32_t own_reason[PVROM_FEATURE_COUNT];
static uint64_t running;

/* ---- features ----------------------------------------------------------------------------------- */

static void start(uint32_t number)
{
	PROMISE(!(running >> number & 1));
	running |= PVROM_FEATURE_BIT(number);
}

static void stop(uint32_t number)
{
	PROMISE(running >> number & 1);
	running &= ~PVROM_FEATURE_BIT(number);
}

static uint32_t call(struct pvrom_host *host, struct pvrom_host_vcpu *vcpu, uint32_t number,
		     const uint64_t arg[4], uint64_t *value)
{
	(void)host;
	(void)vcpu;
	(void)number;
	(void)arg;
	(void)value;
	return PVROM_STATUS_NOT_REQUIRED;
}

#define HALF(NAME, bit, needs, name, text)                                                         \
	static uint32_t offer_##bit(const struct pvrom_host *host)                                 \
	{                                                                                          \
		(void)host;                                                                        \
		return own_reason[bit];                                                            \
	}                                                                                          \
	static void start_##bit(struct pvrom_host *host)                                           \
	{                                                                                          \
		(void)host;                                                                        \
		start(bit);                                                                        \
	}                                                                                          \
	static void stop_##bit(struct pvrom_host *host)                                            \
	{                                                                                          \
		(void)host;                                                                        \
		stop(bit);                                                                         \
	}                                                                                          \
	static const struct pvrom_host_feature half_##bit = {                                      \
		.number = bit,                                                                     \
		.group = PVROM_GROUP_COUNT,                                                        \
		.offer = offer_##bit,                                                              \
		.start = start_##bit,                                                              \
		.stop = stop_##bit,                                                                \
		.call = call,                                                                      \
	};
PVROM_FEATURE_TABLE(HALF)

static const struct pvrom_host_feature *const halves[] = {
#define HALF_LINE(NAME, bit, needs, name, text) &half_##bit,
	PVROM_FEATURE_TABLE(HALF_LINE) NULL,
};

/* ---- the model ----------------------------------------------------------------------------------- */

static uint64_t needs_of(uint32_t number)
{
	static const uint64_t needs[] = {
#define NEEDS(NAME, bit, needs, name, text) [bit] = (needs),
		PVROM_FEATURE_TABLE(NEEDS)
	};

	return needs[number];
}

/* Is the feature in the set, with all that it needs, and what that needs? */
static bool is_whole(uint64_t set, uint32_t number)
{
	uint32_t i;

	if (number >= PVROM_FEATURE_COUNT || !(set >> number & 1))
		return false;
	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		if (needs_of(number) >> i & 1 && !is_whole(set, i))
			return false;
	return true;
}

static uint64_t closed(uint64_t set)
{
	uint64_t whole = 0;
	uint32_t i;

	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		whole |= (uint64_t)is_whole(set, i) << i;
	return whole;
}

/* The first of two reasons, in the order of the table. */
static uint32_t first(uint32_t a, uint32_t b)
{
	if (!a || !b)
		return a | b;
	return a < b ? a : b;
}

static uint32_t reason_alone(const struct world *world, uint32_t number)
{
	const uint32_t hardware = world->host.config.hardware;
	uint32_t reason = own_reason[number];

	if (world->config.operator_off >> number & 1)
		reason = first(reason, PVROM_REASON_OPERATOR);
	if (number == PVROM_FEATURE_MMU && hardware & PVROM_HW_NESTED_PAGING)
		reason = first(reason, PVROM_REASON_NESTED_PAGING);
	if (number == PVROM_FEATURE_MMU && !(hardware & PVROM_HW_OWNS_MMU))
		reason = first(reason, PVROM_REASON_NOT_OWNED);
	if (number == PVROM_FEATURE_IRQ && hardware & PVROM_HW_APIC)
		reason = first(reason, PVROM_REASON_HARDWARE);
	return reason;
}

static uint64_t offered(const struct world *world)
{
	uint64_t alone = 0;
	uint32_t i;

	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		alone |= (uint64_t)!reason_alone(world, i) << i;
	return closed(alone);
}

static uint32_t reason(const struct world *world, uint32_t number)
{
	uint32_t alone = reason_alone(world, number);

	return needs_of(number) & ~offered(world) ? first(alone, PVROM_REASON_DEPENDENCY) : alone;
}

/* What NEGOTIATE propose must answer; changes the model if it is granted. */
static uint32_t model_propose(struct model *m, const struct world *world,
			      const struct pvrom_negotiation *n, uint64_t *missing)
{
	const uint64_t granted = closed(n->wanted & offered(world));

	*missing = 0;
	if ((n->epoch_vector && n->epoch_vector < PVROM_VECTOR_MIN) ||
	    (n->alarm_vector && n->alarm_vector < PVROM_VECTOR_MIN) ||
	    (n->kick_vector && n->kick_vector < PVROM_VECTOR_MIN) ||
	    (!n->alarm_vector && n->wanted & BIT(ALARM)) || n->required & ~n->wanted)
		return PVROM_STATUS_INVALID;
	if (n->epoch != m->epoch)
		return PVROM_STATUS_STALE;
	*missing = n->required & ~granted;
	if (*missing)
		return PVROM_STATUS_REFUSED;
	m->pending = granted;
	m->pending_epoch = m->epoch;
	m->pending_vectors = n->epoch_vector;
	m->is_pending = true;
	m->offered = offered(world);
	return PVROM_STATUS_OK;
}

static uint32_t model_commit(struct model *m, uint64_t granted)
{
	const bool fresh = m->is_pending && m->pending_epoch == m->epoch;

	if (granted && !m->is_pending)
		return PVROM_STATUS_INVALID;
	if (granted && !fresh)
		return PVROM_STATUS_STALE;
	if (granted && granted != m->pending)
		return PVROM_STATUS_INVALID;
	m->sealed = granted;
	m->sealed_offered = m->offered;
	m->epoch_vector = fresh && granted == m->pending ? (uint8_t)m->pending_vectors : 0;
	return PVROM_STATUS_OK;
}

static void model_raise(struct model *m)
{
	m->epoch++;
}

static void model_reset(struct model *m)
{
	m->sealed = 0;
	m->is_pending = false;
	m->epoch_vector = 0;
	memset(m->area, 0, sizeof(m->area));
	model_raise(m);
}

/* ---- promises ------------------------------------------------------------------------------------ */

static void check_areas(struct world *world, const struct model *m)
{
	struct pvrom_vcpu_area area;
	uint32_t i;

	for (i = 0; i < WORLD_VCPUS; i++) {
		world_peek(world, AREA_GPA + i * sizeof(area), &area, sizeof(area));
		if (m->area[i])
			PROMISE(area.epoch == m->epoch && area.vcpu == i);
	}
}

static void check_model(struct world *world, const struct model *m)
{
	PROMISE(world->host.sealed == m->sealed && running == m->sealed);
	PROMISE(world->host.epoch == m->epoch);
	PROMISE(!(m->sealed & ~m->sealed_offered) && closed(m->sealed) == m->sealed);
	check_areas(world, m);
}

/* Every vCPU hears of a new epoch, if the guest wants to hear of it. */
static void check_events(const struct world *world, const struct model *m)
{
	PROMISE(world->events == (m->epoch_vector ? WORLD_VCPUS : 0));
}

/* ---- what guest and embedder do -------------------------------------------------------------------- */

static uint32_t call_on(struct world *world, uint32_t vcpu, uint32_t number, uint64_t arg0,
			uint64_t arg1)
{
	struct pvrom_host_regs regs = { .call = number, .arg = { arg0, arg1 }, .mode64 = 1 };

	pvrom_host_call(&world->vcpu[vcpu], &regs);
	return regs.status;
}

static void op_propose(struct world *world, struct model *m, struct input *in)
{
	const uint8_t how = take8(in);
	struct pvrom_negotiation n = { .size = sizeof(n), .major = PVROM_MAJOR };
	uint64_t missing;
	uint32_t status;

	n.wanted = take16(in);
	n.required = take16(in);
	n.required &= how & 1 ? UINT64_MAX : n.wanted & (n.required >> 8);
	n.epoch = how & 2 ? m->epoch : m->epoch - 1 + (how >> 6);
	n.epoch_vector = how & 4 ? take8(in) : 0x30;
	n.alarm_vector = how & 8 ? take8(in) : 0x31;
	n.kick_vector = how & 16 ? take8(in) : 0x32;
	world_poke(world, WORDS_GPA, &n, sizeof(n));
	status = call_on(world, 0, PVROM_BASE_NEGOTIATE, WORDS_GPA, PVROM_NEGOTIATE_PROPOSE);
	PROMISE(status == model_propose(m, world, &n, &missing));
	world_peek(world, WORDS_GPA, &n, sizeof(n));
	if (status == PVROM_STATUS_OK)
		PROMISE(n.granted == m->pending);
	if (status != PVROM_STATUS_INVALID)
		PROMISE(n.missing == missing && n.host_epoch == m->epoch);
}

static void op_commit(struct world *world, struct model *m, struct input *in)
{
	const uint8_t how = take8(in);
	struct pvrom_negotiation n = { .size = sizeof(n), .major = PVROM_MAJOR };

	n.granted = how & 1 ? m->pending : how & 2 ? 0 : how & 4 ? take16(in) : m->sealed;
	world_poke(world, WORDS_GPA, &n, sizeof(n));
	PROMISE(call_on(world, how % WORLD_VCPUS, PVROM_BASE_NEGOTIATE, WORDS_GPA,
			PVROM_NEGOTIATE_COMMIT) == model_commit(m, n.granted));
}

static void op_query(struct world *world, struct model *m, struct input *in)
{
	struct pvrom_offer offer;
	uint32_t i;

	PROMISE(!call_on(world, take8(in) % WORLD_VCPUS, PVROM_BASE_QUERY, OFFER_GPA,
			 sizeof(offer)));
	world_peek(world, OFFER_GPA, &offer, sizeof(offer));
	PROMISE(offer.epoch == m->epoch && offer.offered == offered(world));
	PROMISE(!(offer.offered & ~offer.can) && !(offer.advised & ~offer.offered));
	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		PROMISE(offer.reason[i] == reason(world, i));
}

/* A call of every group that is not only reserved. */
static void op_feature(struct world *world, struct model *m, struct input *in)
{
	static const struct {
		uint32_t number, feature;
	} calls[] = {
		{ PVROM_CPU_CLI, PVROM_FEATURE_CPU },
		{ PVROM_IRQ_SEND, PVROM_FEATURE_IRQ },
		{ PVROM_SMP_KICK, PVROM_FEATURE_SMP },
		{ PVROM_CLOCK_ALARM_SET, PVROM_FEATURE_ALARM },
	};
	const uint8_t i = take8(in) & 3;

	PROMISE(call_on(world, 0, calls[i].number, 0, 0) == (m->sealed >> calls[i].feature & 1
								     ? PVROM_STATUS_NOT_REQUIRED
								     : PVROM_STATUS_DENIED));
}

static void op_area(struct world *world, struct model *m, struct input *in)
{
	const uint8_t how = take8(in), vcpu = how % WORLD_VCPUS;
	const uint64_t gpa = AREA_GPA + vcpu * (uint64_t)PVROM_VCPU_AREA_SIZE;

	m->area[vcpu] = how >> 7;
	PROMISE(!call_on(world, vcpu, PVROM_BASE_VCPU_AREA,
			 m->area[vcpu] ? gpa : PVROM_VCPU_AREA_NONE, PVROM_VCPU_AREA_SIZE));
}

static void op_reset(struct world *world, struct model *m, struct input *in)
{
	const uint8_t how = take8(in);

	world->others_run = how & 1;
	if (how & 1 && !(how & 2)) {
		PROMISE(call_on(world, 0, PVROM_BASE_RESET, 0, 0) == PVROM_STATUS_BUSY);
		return;
	}
	PROMISE(!call_on(world, 0, PVROM_BASE_RESET, how & 2 ? PVROM_RESET_FORCE : 0, 0));
	PROMISE(!world->events);
	model_reset(m);
}

static void op_raise(struct world *world, struct model *m, struct input *in)
{
	(void)in;
	model_raise(m);
	pvrom_host_raise_epoch(&world->host);
	check_events(world, m);
}

/* The offer changes, and with it the epoch. */
static void op_change(struct world *world, struct model *m, struct input *in)
{
	const uint8_t which = take8(in), why = take8(in) % PVROM_REASON_COUNT;

	if (which & 0x80)
		own_reason[which % PVROM_FEATURE_COUNT] = why;
	model_raise(m);
	pvrom_host_set_hardware(&world->host, which & 15);
	check_events(world, m);
}

static void run_op(struct world *world, struct model *m, struct input *in)
{
	static void (*const ops[])(struct world *, struct model *, struct input *) = {
		op_propose, op_commit, op_query, op_feature, op_area, op_reset, op_raise, op_change,
	};

	world_watch(world);
	ops[take8(in) & 7](world, m, in);
	PROMISE(!world->locked);
	check_model(world, m);
}

/* ---- the target ------------------------------------------------------------------------------------ */

const char *const hostile_faults[] = { "not-closed", "mmu-nested", "epoch-stuck", NULL };

void hostile_plant(const char *fault)
{
	pvrom_host_bug = pvrom_host_bug_number(fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct model m = { .epoch = 1 };
	struct world world;
	uint32_t i;

	running = 0;
	memset(own_reason, 0, sizeof(own_reason));
	world_init(&world);
	world.config.features = halves;
	world.config.hardware = take8(&in) & 15;
	world.config.operator_off = take16(&in);
	world_start(&world);
	for (i = 0; i < OPS_MAX && in.left; i++)
		run_op(&world, &m, &in);
	world_end(&world);
	return 0;
}
