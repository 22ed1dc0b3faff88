/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Propose, commit, and epochs that go on meanwhile. */
#include "host_world.h"

static struct world w;

#define AT UINT64_C(0x1000)

static uint32_t propose(void)
{
	return world_call(&w, 0, PVROM_BASE_NEGOTIATE, AT, PVROM_NEGOTIATE_PROPOSE, 0);
}

static uint32_t commit(void)
{
	return world_call(&w, 0, PVROM_BASE_NEGOTIATE, AT, PVROM_NEGOTIATE_COMMIT, 0);
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
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_BASE_VCPU_AREA, 0x3000, 0x800, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 2, PVROM_BASE_VCPU_AREA, 0x4000, 0x800, 0), PVROM_STATUS_OK);
	world_forget(&w);
	world_note(&w);
	pvrom_host_raise_epoch(&w.host);
	CU_ASSERT_EQUAL(area_epoch(0x3000), 2);
	CU_ASSERT_EQUAL(area_epoch(0x4000), 2);
	CU_ASSERT_TRUE(world_unchanged(&w, 0x3008, 0x1008));
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
	struct pvrom_offer offer;

	world_open(&w, 1);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	pvrom_host_set_hardware(&w.host, PVROM_HW_NESTED_PAGING | PVROM_HW_APIC);
	CU_ASSERT_EQUAL(w.host.epoch, 2);
	pvrom_host_offer(&w.host, &offer);
	CU_ASSERT_EQUAL(offer.epoch, 2);
	CU_ASSERT_EQUAL(offer.reason[PVROM_FEATURE_MMU], PVROM_REASON_NESTED_PAGING);
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

static const struct tap_test tests[] = {
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
	{ 0 }
};

int main(void)
{
	return world_main("host_negotiate", tests);
}
