/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the host offers and why not more; propose, commit, epochs; and vCPUs that negotiate at the same time. */
#include "host_world.h"

static struct world w;
static struct pvrom_offer offer;

#define AT UINT64_C(0x1000)

static uint32_t reason(uint32_t feature)
{
	return offer.reason[feature];
}

static void ask(void)
{
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_BASE_QUERY, 0x2000, sizeof(offer), 0),
			PVROM_STATUS_OK);
	memcpy(&offer, world_at(&w, 0x2000), sizeof(offer));
}

static uint32_t propose(void)
{
	return world_call(&w, 0, PVROM_BASE_NEGOTIATE, AT, PVROM_NEGOTIATE_PROPOSE, 0);
}

static uint32_t commit(void)
{
	return world_call(&w, 0, PVROM_BASE_NEGOTIATE, AT, PVROM_NEGOTIATE_COMMIT, 0);
}

/* ---- reasons ----------------------------------------------------------------------------------- */

static void reason_if_and_only_if_withheld(void)
{
	uint32_t hardware, off, i;

	world_open(&w, 1);
	for (hardware = 0; hardware < 16; hardware++)
		for (off = 0; off < 1024; off++) {
			w.config.hardware = hardware;
			w.config.operator_off = off;
			pvrom_host_init(&w.host, &w.config, w.vcpu);
			pvrom_host_offer(&w.host, &offer);
			for (i = 0; i < PVROM_FEATURE_MAX; i++)
				if ((reason(i) == PVROM_REASON_NONE) != ((offer.offered >> i) & 1))
					CU_FAIL_FATAL("reason does not fit the offer");
			if (offer.offered & (off | ~ALL_FEATURES | ~offer.can))
				CU_FAIL_FATAL("offers what it must not");
			if ((offer.offered & FEATURE(ALARM)) && !(offer.offered & FEATURE(IRQ)))
				CU_FAIL_FATAL("not closed");
		}
	world_close(&w);
}

static void mmu_nested_paging(void)
{
	world_open(&w, 1);
	w.config.hardware = PVROM_HW_NESTED_PAGING;
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_MMU), PVROM_REASON_NESTED_PAGING);
	CU_ASSERT_EQUAL(offer.hardware, FEATURE(MMU));
	w.config.hardware = PVROM_HW_NESTED_PAGING | PVROM_HW_OWNS_MMU;
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_MMU), PVROM_REASON_NESTED_PAGING);
	world_close(&w);
}

static void mmu_not_owned(void)
{
	world_open(&w, 1);
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_MMU), PVROM_REASON_NOT_OWNED);
	CU_ASSERT_EQUAL(offer.hardware, 0);
	w.config.hardware = PVROM_HW_OWNS_MMU;
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_MMU), PVROM_REASON_NOT_SUPPORTED);
	world_close(&w);
}

static void mmu_operator_comes_first(void)
{
	uint32_t hardware;

	world_open(&w, 1);
	w.config.operator_off = FEATURE(MMU);
	for (hardware = 0; hardware < 16; hardware++) {
		w.config.hardware = hardware;
		ask();
		CU_ASSERT_EQUAL(reason(PVROM_FEATURE_MMU), PVROM_REASON_OPERATOR);
	}
	world_close(&w);
}

static void hardware_apic(void)
{
	world_open(&w, 1);
	w.config.hardware = PVROM_HW_APIC;
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_IRQ), PVROM_REASON_HARDWARE);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_ALARM), PVROM_REASON_DEPENDENCY);
	CU_ASSERT_EQUAL(offer.offered, FEATURE(CPU) | FEATURE(SMP));
	CU_ASSERT_EQUAL(offer.can, ALL_FEATURES);
	CU_ASSERT_EQUAL(offer.hardware, FEATURE(IRQ));
	w.config.operator_off = FEATURE(IRQ) | FEATURE(ALARM);
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_IRQ), PVROM_REASON_OPERATOR);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_ALARM), PVROM_REASON_OPERATOR);
	world_close(&w);
}

static void no_code_no_feature(void)
{
	world_open(&w, 1);
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_CLOCK), PVROM_REASON_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_DEV), PVROM_REASON_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_BLK), PVROM_REASON_DEPENDENCY);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_NET), PVROM_REASON_DEPENDENCY);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_COUNT), PVROM_REASON_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(reason(63), PVROM_REASON_NOT_SUPPORTED);
	world_close(&w);
}

/* A feature whose callbacks the embedder has not supplied. */
static void no_callbacks_no_feature(void)
{
	world_open(&w, 1);
	w.ops.irq_send = NULL;
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_IRQ), PVROM_REASON_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_ALARM), PVROM_REASON_DEPENDENCY);
	w.ops.smp_kick = NULL;
	w.ops.alarm_set = NULL;
	ask();
	CU_ASSERT_EQUAL(offer.can, FEATURE(CPU));
	CU_ASSERT_EQUAL(offer.offered, FEATURE(CPU));
	world_close(&w);
}

/* ---- propose ----------------------------------------------------------------------------------- */

static void propose_grants(void)
{
	struct pvrom_negotiation *n;

	world_open(&w, 1);
	n = world_proposal(&w, AT, ~0ull, FEATURE(ALARM));
	CU_ASSERT_EQUAL(propose(), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(n->granted, ALL_FEATURES);
	CU_ASSERT_EQUAL(n->missing, 0);
	CU_ASSERT_EQUAL(n->host_epoch, 1);
	CU_ASSERT_EQUAL(n->rom_gpa, WORLD_ROM);
	CU_ASSERT_EQUAL(n->rom_size, w.host.rom_size);
	CU_ASSERT_EQUAL(n->rom_checksum, w.host.rom_checksum);
	CU_ASSERT_EQUAL(n->wanted, ~0ull);
	CU_ASSERT_EQUAL(w.host.sealed, 0);
	world_close(&w);
}

/* Alarms need interrupts: who wants only alarms gets nothing, who requires them is refused. */
static void propose_closes(void)
{
	struct pvrom_negotiation *n;

	world_open(&w, 1);
	n = world_proposal(&w, AT, FEATURE(ALARM) | FEATURE(CPU), 0);
	CU_ASSERT_EQUAL(propose(), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(n->granted, FEATURE(CPU));
	n = world_proposal(&w, AT, FEATURE(ALARM), FEATURE(ALARM));
	CU_ASSERT_EQUAL(propose(), PVROM_STATUS_REFUSED);
	CU_ASSERT_EQUAL(n->missing, FEATURE(ALARM));
	CU_ASSERT_EQUAL(n->host_epoch, 1);
	world_close(&w);
}

static void propose_refused_keeps_the_old_set(void)
{
	struct pvrom_negotiation *n;

	world_open(&w, 1);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(IRQ)), PVROM_STATUS_OK);
	n = world_proposal(&w, AT, ALL_FEATURES | FEATURE(MMU) | 1ull << 40,
			   FEATURE(MMU) | 1ull << 40);
	n->granted = 0x1234;
	CU_ASSERT_EQUAL(propose(), PVROM_STATUS_REFUSED);
	CU_ASSERT_EQUAL(n->missing, FEATURE(MMU) | 1ull << 40);
	CU_ASSERT_EQUAL(n->granted, 0x1234);
	CU_ASSERT_EQUAL(w.host.sealed, FEATURE(IRQ));
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_IRQ_MASK, 1, 1, 0), PVROM_STATUS_OK);
	world_close(&w);
}

static void propose_stale(void)
{
	struct pvrom_negotiation *n;

	world_open(&w, 1);
	n = world_proposal(&w, AT, ALL_FEATURES, 0);
	pvrom_host_raise_epoch(&w.host);
	CU_ASSERT_EQUAL(propose(), PVROM_STATUS_STALE);
	CU_ASSERT_EQUAL(n->host_epoch, 2);
	n->epoch = 3;
	CU_ASSERT_EQUAL(propose(), PVROM_STATUS_STALE);
	n->epoch = 2;
	CU_ASSERT_EQUAL(propose(), PVROM_STATUS_OK);
	world_close(&w);
}

/* Changes a good proposal and says what is answered; nothing but the answer's fields is written. */
#define CHANGED(change, status)                                                                    \
	do {                                                                                       \
		struct pvrom_negotiation *n = world_proposal(&w, AT, ALL_FEATURES, FEATURE(CPU));  \
		change;                                                                            \
		world_note(&w);                                                                    \
		CU_ASSERT_EQUAL(propose(), status);                                                \
		CU_ASSERT_TRUE(world_unchanged(&w, AT + 0x28, 0x28));                              \
	} while (0)

static void propose_words(void)
{
	world_open(&w, 1);
	CHANGED(n->size = 0, PVROM_STATUS_INVALID);
	CHANGED(n->size = 0x5f, PVROM_STATUS_INVALID);
	CHANGED(n->size = 0x68, PVROM_STATUS_OK);
	CHANGED(n->major = 0, PVROM_STATUS_VERSION);
	CHANGED(n->major = PVROM_MAJOR + 1, PVROM_STATUS_VERSION);
	CHANGED(n->minor = PVROM_MINOR + 1, PVROM_STATUS_OK);
	CHANGED(n->reserved0 = 1, PVROM_STATUS_INVALID);
	CHANGED(n->reserved1 = 0x80, PVROM_STATUS_INVALID);
	CHANGED(n->reserved2[0] = 1ull << 63, PVROM_STATUS_INVALID);
	CHANGED(n->reserved2[1] = 1, PVROM_STATUS_INVALID);
	CHANGED(n->epoch_vector = 1, PVROM_STATUS_INVALID);
	CHANGED(n->epoch_vector = 31, PVROM_STATUS_INVALID);
	CHANGED(n->epoch_vector = 32, PVROM_STATUS_OK);
	CHANGED(n->epoch_vector = 0, PVROM_STATUS_OK);
	CHANGED(n->kick_vector = 31, PVROM_STATUS_INVALID);
	CHANGED(n->kick_vector = 32, PVROM_STATUS_OK);
	CHANGED(n->kick_vector = 0, PVROM_STATUS_OK);
	CHANGED(n->alarm_vector = 31, PVROM_STATUS_INVALID);
	CHANGED(n->alarm_vector = 255, PVROM_STATUS_OK);
	CHANGED(n->alarm_vector = 0, PVROM_STATUS_INVALID);
	CHANGED((n->alarm_vector = 0, n->wanted = FEATURE(CPU)), PVROM_STATUS_OK);
	CHANGED(n->wanted = 0, PVROM_STATUS_INVALID);
	CHANGED((n->wanted = 0, n->required = 0), PVROM_STATUS_OK);
	world_close(&w);
}

static void negotiate_form(void)
{
	world_open(&w, 1);
	world_proposal(&w, AT, ALL_FEATURES, 0);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_BASE_NEGOTIATE, AT, 2, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_BASE_NEGOTIATE, AT, 1ull << 32, 0),
			PVROM_STATUS_INVALID);
	world_close(&w);
}

/* ---- commit ------------------------------------------------------------------------------------ */

static void commit_seals(void)
{
	world_open(&w, 1);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(CPU) | FEATURE(SMP)), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.host.sealed, FEATURE(CPU) | FEATURE(SMP));
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_CPU_CLI, 0, 0, 0), PVROM_STATUS_NOT_REQUIRED);
	/* Once more the same is no mistake. */
	CU_ASSERT_EQUAL(commit(), PVROM_STATUS_OK);
	world_close(&w);
}

static void commit_something_else(void)
{
	struct pvrom_negotiation *n;

	world_open(&w, 1);
	n = world_proposal(&w, AT, ALL_FEATURES, 0);
	n->granted = FEATURE(CPU);
	CU_ASSERT_EQUAL(commit(), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(propose(), PVROM_STATUS_OK);
	n->granted &= ~FEATURE(CPU);
	CU_ASSERT_EQUAL(commit(), PVROM_STATUS_INVALID);
	n->granted = ALL_FEATURES | FEATURE(MMU);
	CU_ASSERT_EQUAL(commit(), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(w.host.sealed, 0);
	n->granted = ALL_FEATURES;
	CU_ASSERT_EQUAL(commit(), PVROM_STATUS_OK);
	world_close(&w);
}

static void commit_of_an_old_proposal(void)
{
	struct pvrom_negotiation *n;

	world_open(&w, 1);
	n = world_proposal(&w, AT, ALL_FEATURES, 0);
	CU_ASSERT_EQUAL(propose(), PVROM_STATUS_OK);
	pvrom_host_raise_epoch(&w.host);
	CU_ASSERT_EQUAL(commit(), PVROM_STATUS_STALE);
	CU_ASSERT_EQUAL(n->host_epoch, 2);
	CU_ASSERT_EQUAL(w.host.sealed, 0);
	world_close(&w);
}

static void commit_nothing(void)
{
	struct pvrom_negotiation *n;

	world_open(&w, 1);
	n = world_proposal(&w, AT, 0, 0);
	CU_ASSERT_EQUAL(commit(), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_CLOCK_ALARM_SET, 7, 0, 0), PVROM_STATUS_OK);
	pvrom_host_raise_epoch(&w.host);
	n->granted = 0;
	CU_ASSERT_EQUAL(commit(), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.host.sealed, 0);
	CU_ASSERT_FALSE(w.alarm[0]);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_IRQ_MASK, 0, 0, 0), PVROM_STATUS_DENIED);
	world_close(&w);
}

static void commit_checks_words(void)
{
	struct pvrom_negotiation *n;

	world_open(&w, 1);
	n = world_proposal(&w, AT, ALL_FEATURES, 0);
	CU_ASSERT_EQUAL(propose(), PVROM_STATUS_OK);
	n->reserved0 = 1;
	CU_ASSERT_EQUAL(commit(), PVROM_STATUS_INVALID);
	n->reserved0 = 0;
	n->major = 2;
	CU_ASSERT_EQUAL(commit(), PVROM_STATUS_VERSION);
	n->major = PVROM_MAJOR;
	n->size = 8;
	CU_ASSERT_EQUAL(commit(), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(w.host.sealed, 0);
	world_close(&w);
}

/* ---- epochs ------------------------------------------------------------------------------------ */

static uint64_t area_epoch(uint64_t gpa)
{
	return ((const struct pvrom_vcpu_area *)world_at(&w, gpa))->epoch;
}

static void epoch_goes_to_the_areas(void)
{
	world_open(&w, 3);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(CPU)), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_BASE_VCPU_AREA, 0x3000, 0x100, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 2, PVROM_BASE_VCPU_AREA, 0x3200, 0x100, 0), PVROM_STATUS_OK);
	world_forget(&w);
	world_note(&w);
	pvrom_host_raise_epoch(&w.host);
	CU_ASSERT_EQUAL(area_epoch(0x3000), 2);
	CU_ASSERT_EQUAL(area_epoch(0x3200), 2);
	CU_ASSERT_TRUE(world_unchanged(&w, 0x3008, 0x208));
	/* The event goes to every vCPU, with an area or without. */
	CU_ASSERT_EQUAL(world_arg(&w, W_EVENT, 0, 0), 0);
	CU_ASSERT_EQUAL(world_arg(&w, W_EVENT, 1, 0), 1);
	CU_ASSERT_EQUAL(world_arg(&w, W_EVENT, 2, 0), 2);
	CU_ASSERT_EQUAL(world_arg(&w, W_EVENT, 2, 1), WORLD_EPOCH_VECTOR);
	CU_ASSERT_EQUAL(w.host.sealed, FEATURE(CPU));
	world_close(&w);
}

static void no_vector_no_event(void)
{
	struct pvrom_negotiation *n;

	world_open(&w, 1);
	n = world_proposal(&w, AT, FEATURE(CPU), 0);
	n->epoch_vector = 0;
	CU_ASSERT_EQUAL(propose(), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(commit(), PVROM_STATUS_OK);
	pvrom_host_raise_epoch(&w.host);
	CU_ASSERT_PTR_NULL(world_event(&w, W_EVENT, 0));
	world_close(&w);
}

/* A guest that is granted nothing now may still want to hear that this has changed. */
static void vector_with_an_empty_set(void)
{
	world_open(&w, 1);
	w.config.operator_off = ~0ull;
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.host.sealed, 0);
	pvrom_host_raise_epoch(&w.host);
	CU_ASSERT_PTR_NOT_NULL(world_event(&w, W_EVENT, 0));
	world_close(&w);
}

/* The machine moves to hardware with nested paging: the offer changes, the sealed set does not. */
static void hardware_changes(void)
{
	world_open(&w, 1);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	pvrom_host_set_hardware(&w.host, PVROM_HW_NESTED_PAGING | PVROM_HW_APIC);
	CU_ASSERT_EQUAL(w.host.epoch, 2);
	pvrom_host_offer(&w.host, &offer);
	CU_ASSERT_EQUAL(offer.epoch, 2);
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_MMU), PVROM_REASON_NESTED_PAGING);
	CU_ASSERT_EQUAL(offer.offered, FEATURE(CPU) | FEATURE(SMP));
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_IRQ_SEND, 32, 0, 1), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.host.sealed, FEATURE(CPU) | FEATURE(SMP));
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_IRQ_SEND, 32, 0, 1), PVROM_STATUS_DENIED);
	world_close(&w);
}

/* The vectors of a proposal hold from its commit, not before. */
static void vectors_from_the_commit(void)
{
	struct pvrom_negotiation *n;

	world_open(&w, 1);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	n = world_proposal(&w, AT, ALL_FEATURES, 0);
	n->alarm_vector = 0x44;
	CU_ASSERT_EQUAL(propose(), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_CLOCK_ALARM_SET, 9, 0, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.alarm_vector[0], WORLD_ALARM_VECTOR);
	CU_ASSERT_EQUAL(commit(), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_CLOCK_ALARM_SET, 9, 0, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.alarm_vector[0], 0x44);
	world_close(&w);
}

/* ---- a feature from outside -------------------------------------------------------------------- */

static uint32_t extra_reason, extra_log;

static uint32_t extra_offer(const struct pvrom_host *host)
{
	(void)host;
	return extra_reason;
}

static void extra_start(struct pvrom_host *host)
{
	(void)host;
	extra_log = extra_log * 10 + 1;
}

static void extra_stop(struct pvrom_host *host)
{
	(void)host;
	extra_log = extra_log * 10 + 2;
}

static const struct pvrom_host_feature extra = {
	.number = PVROM_FEATURE_MEM,
	.group = PVROM_GROUP_COUNT,
	.offer = extra_offer,
	.start = extra_start,
	.stop = extra_stop,
};

static void feature_starts_and_stops(void)
{
	static const struct pvrom_host_feature *const list[] = { &pvrom_host_cpu, &extra, NULL };

	world_open(&w, 1);
	w.config.features = list;
	extra_reason = PVROM_REASON_NONE;
	extra_log = 0;
	ask();
	CU_ASSERT_EQUAL(offer.offered, FEATURE(CPU) | FEATURE(MEM));
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(MEM)), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(extra_log, 1);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(MEM) | FEATURE(CPU)), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(extra_log, 1);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(CPU)), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(extra_log, 12);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(MEM)), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_BASE_RESET, 0, 0, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(extra_log, 1212);
	extra_reason = PVROM_REASON_NOT_OWNED;
	ask();
	CU_ASSERT_EQUAL(reason(PVROM_FEATURE_MEM), PVROM_REASON_NOT_OWNED);
	CU_ASSERT_EQUAL(offer.can, FEATURE(CPU) | FEATURE(MEM));
	world_close(&w);
}

/* ---- configurations ---------------------------------------------------------------------------- */

#define BAD(change)                                                                                \
	do {                                                                                       \
		struct world *v = &w;                                                              \
		world_open(v, 2);                                                                  \
		change;                                                                            \
		CU_ASSERT_EQUAL(pvrom_host_init(&v->host, &v->config, v->vcpu),                    \
				PVROM_HOST_BAD_CONFIG);                                            \
		world_close(v);                                                                    \
	} while (0)

static void bad_configurations(void)
{
	static const struct pvrom_host_feature *const twice[] = { &pvrom_host_cpu, &pvrom_host_cpu,
								  NULL };
	static const struct pvrom_host_feature far = { .number = PVROM_FEATURE_COUNT,
						       .group = PVROM_GROUP_COUNT,
						       .offer = extra_offer };
	static const struct pvrom_host_feature mute = { .number = 5,
							.group = PVROM_GROUP_MMU,
							.offer = extra_offer };
	static const struct pvrom_host_feature *const fars[] = { &far, NULL };
	static const struct pvrom_host_feature *const mutes[] = { &mute, NULL };

	BAD(v->config.ops = NULL);
	BAD(v->ops.translate = NULL);
	BAD(v->ops.lock = NULL);
	BAD(v->ops.unlock = NULL);
	BAD(v->ops.tsc = NULL);
	BAD(v->config.features = NULL);
	BAD(v->config.features = twice);
	BAD(v->config.features = fars);
	BAD(v->config.features = mutes);
	BAD(v->config.vcpus = 0);
	BAD(v->config.vcpus = 4097);
	BAD(v->config.transport = PVROM_TRANSPORT_NONE);
	BAD(v->config.transport = PVROM_TRANSPORT_COUNT);
	BAD(v->config.transport = PVROM_TRANSPORT_VMCALL); /* which has no port */
	BAD(v->config.slots = 4);
	BAD(v->config.flags = 4);
	BAD(v->config.hardware = 16);
	BAD(v->config.rom_gpa = 0xa0800);
	BAD(v->config.rom_gpa = ~0xfffull);
}

/* ---- races ------------------------------------------------------------------------------------- */

#define RACE_ROUNDS 4000

struct racer {
	uint32_t vcpu;
	uint64_t wanted;
	uint64_t gpa;
	uint32_t bad;
	uint32_t committed;
};

/* Proposes and commits again and again; whatever the others do, each answer must be one of those
 * that the interface allows, and an OK to a commit means that a granted set was sealed. */
static void *race(void *argument)
{
	struct racer *r = argument;
	struct pvrom_negotiation *n = world_at(&w, r->gpa);
	uint32_t i;

	for (i = 0; i < RACE_ROUNDS; i++) {
		struct pvrom_host_regs regs = { .call = PVROM_BASE_NEGOTIATE,
						.mode64 = 1,
						.arg = { r->gpa, PVROM_NEGOTIATE_PROPOSE } };
		uint64_t epoch = n->host_epoch;

		*n = (struct pvrom_negotiation){ .size = sizeof(*n),
						 .major = PVROM_MAJOR,
						 .alarm_vector = 0x40,
						 .epoch = epoch,
						 .wanted = r->wanted };
		pvrom_host_call(&w.vcpu[r->vcpu], &regs);
		if (regs.status == PVROM_STATUS_STALE)
			continue;
		if (regs.status != PVROM_STATUS_OK || n->granted != r->wanted)
			r->bad++;
		regs = (struct pvrom_host_regs){ .call = PVROM_BASE_NEGOTIATE,
						 .mode64 = 1,
						 .arg = { r->gpa, PVROM_NEGOTIATE_COMMIT } };
		pvrom_host_call(&w.vcpu[r->vcpu], &regs);
		r->committed += regs.status == PVROM_STATUS_OK;
		if (regs.status != PVROM_STATUS_OK && regs.status != PVROM_STATUS_STALE &&
		    regs.status != PVROM_STATUS_INVALID)
			r->bad++;
		regs = (struct pvrom_host_regs){ .call = PVROM_CLOCK_ALARM_SET, .mode64 = 1 };
		pvrom_host_call(&w.vcpu[r->vcpu], &regs);
		if (regs.status != PVROM_STATUS_OK && regs.status != PVROM_STATUS_DENIED)
			r->bad++;
		regs = (struct pvrom_host_regs){ .call = PVROM_BASE_VCPU_AREA,
						 .mode64 = 1,
						 .arg = { 0x8000 + (i & 1) * 0x100, 0x100 } };
		pvrom_host_call(&w.vcpu[r->vcpu], &regs);
		if (regs.status != PVROM_STATUS_OK && regs.status != PVROM_STATUS_BUSY)
			r->bad++;
	}
	return NULL;
}

static void two_vcpus_race(void)
{
	struct racer racer[2] = {
		{ .vcpu = 0, .wanted = ALL_FEATURES, .gpa = 0x1000 },
		{ .vcpu = 1, .wanted = FEATURE(CPU), .gpa = 0x2000 },
	};
	pthread_t thread[2];
	uint32_t i;

	world_open(&w, 2);
	w.racing = true;
	world_proposal(&w, 0x1000, 0, 0)->host_epoch = 1;
	world_proposal(&w, 0x2000, 0, 0)->host_epoch = 1;
	for (i = 0; i < 2; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, race, &racer[i]), 0);
	for (i = 0; i < 200; i++)
		pvrom_host_raise_epoch(&w.host);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	CU_ASSERT_EQUAL(racer[0].bad, 0);
	CU_ASSERT_EQUAL(racer[1].bad, 0);
	CU_ASSERT_TRUE(racer[0].committed + racer[1].committed > 0);
	CU_ASSERT_EQUAL(w.host.epoch, 201);
	CU_ASSERT_EQUAL(w.host.started, w.host.sealed);
	/* Without the feature no alarm is left, with it the alarms are those of the vCPUs. */
	if (!(w.host.sealed & FEATURE(ALARM)))
		CU_ASSERT_FALSE(w.alarm[0] || w.alarm[1]);
	CU_ASSERT_TRUE(w.vcpu[0].area_gpa != w.vcpu[1].area_gpa ||
		       w.vcpu[0].area_gpa == PVROM_VCPU_AREA_NONE);
	world_close(&w);
}

static const struct tap_test tests[] = {
	{ "a reason if and only if withheld [PVROM-NEG-1 PVROM-NEG-7 PVROM-NEG-8]",
	  reason_if_and_only_if_withheld },
	{ "mmu: nested paging present [PVROM-NEG-4]", mmu_nested_paging },
	{ "mmu: not owned, or no code [PVROM-NEG-5]", mmu_not_owned },
	{ "mmu: the operator comes first [PVROM-NEG-2]", mmu_operator_comes_first },
	{ "irq: the hardware does it better [PVROM-NEG-2]", hardware_apic },
	{ "features without code", no_code_no_feature },
	{ "features without callbacks", no_callbacks_no_feature },
	{ "propose grants what is wanted and offered [PVROM-NEG-9 PVROM-NEG-12 PVROM-BASE-5]",
	  propose_grants },
	{ "propose closes the set [PVROM-NEG-9 PVROM-NEG-10]", propose_closes },
	{ "refusal keeps the old set [PVROM-NEG-10 PVROM-NEG-19]",
	  propose_refused_keeps_the_old_set },
	{ "propose for another epoch is STALE [PVROM-NEG-11]", propose_stale },
	{ "propose checks every word [PVROM-NEG-13 PVROM-NEG-14 PVROM-NEG-15 PVROM-BASE-4]",
	  propose_words },
	{ "NEGOTIATE knows two forms [PVROM-BASE-4]", negotiate_form },
	{ "commit seals [PVROM-NEG-16 PVROM-CPU-6]", commit_seals },
	{ "commit of something else is INVALID [PVROM-NEG-18]", commit_something_else },
	{ "commit of an old proposal is STALE [PVROM-NEG-18]", commit_of_an_old_proposal },
	{ "commit of nothing at any time [PVROM-NEG-17]", commit_nothing },
	{ "commit checks the words", commit_checks_words },
	{ "a new epoch goes to areas and vCPUs [PVROM-NEG-25 PVROM-VCPU-4]",
	  epoch_goes_to_the_areas },
	{ "no vector, no event [PVROM-NEG-25]", no_vector_no_event },
	{ "a vector with an empty set", vector_with_an_empty_set },
	{ "the hardware changes under a guest [PVROM-NEG-19 PVROM-NEG-23 PVROM-NEG-27]",
	  hardware_changes },
	{ "vectors hold from the commit", vectors_from_the_commit },
	{ "a feature from outside the core starts and stops", feature_starts_and_stops },
	{ "bad configurations are refused", bad_configurations },
	{ "two vCPUs negotiate at the same time [PVROM-CALL-14]", two_vcpus_race },
	{ 0 }
};

int main(void)
{
	return world_main("host_offer", tests);
}
