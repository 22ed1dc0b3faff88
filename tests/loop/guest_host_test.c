/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Negotiation with right and with hostile hosts, refusals; plain calls, areas, words. */
#include "guest_host_tools.h"

/* ---- right hosts --------------------------------------------------------------------------------- */

static void grants_what_is_wanted_and_offered(void)
{
	begin();
	m->policy->wanted |= BIT(NET); /* not offered */
	host.offered &= ~(BIT(SMP) | BIT(NET));
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->granted, BIT(CPU) | BIT(IRQ) | BIT(ALARM));
	CU_ASSERT_EQUAL(host.sealed, m->guest->granted);
	CU_ASSERT_EQUAL(m->guest->epoch, 1);
	CU_ASSERT_EQUAL(m->guest->offer.reason[PVROM_FEATURE_SMP], PVROM_REASON_NOT_SUPPORTED);
	end();
}

static void takes_only_what_is_advised(void)
{
	begin();
	host.advised = BIT(IRQ);
	m->policy->flags = PVROM_POLICY_ADVISED;
	m->policy->required = BIT(SMP);
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->granted, BIT(IRQ) | BIT(SMP));
	end();
}

static void required_feature_missing(void)
{
	begin();
	m->policy->required = BIT(CPU) | BIT(SMP);
	host.offered &= ~BIT(SMP);
	expect_native(PVROM_VERDICT_REQUIRED_MISSING);
	CU_ASSERT_EQUAL(m->guest->missing, BIT(SMP));
	CU_ASSERT_EQUAL(m->guest->call_status, PVROM_STATUS_REFUSED);
	CU_ASSERT_EQUAL(host.commits, 0);
	end();
}

/* What is required is wanted, even if the kernel forgot to say so. */
static void required_is_wanted(void)
{
	begin();
	m->policy->wanted = BIT(CPU);
	m->policy->required = BIT(SMP);
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->granted, BIT(CPU) | BIT(SMP));
	end();
}

static void stale_proposals_are_repeated(void)
{
	begin();
	host.moves_before_propose = 3;
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(host.proposals, 4);
	CU_ASSERT_EQUAL(m->guest->epoch, 4);
	end();
}

static void stale_commits_are_repeated(void)
{
	begin();
	host.moves_before_commit = 2;
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(host.commits, 3);
	CU_ASSERT_EQUAL(m->rendezvous,
			1); /* where the next might need what the host has not granted yet */
	CU_ASSERT_EQUAL(m->guest->epoch, 3);
	CU_ASSERT_EQUAL(host.sealed, m->policy->wanted);
	CU_ASSERT_NOT_EQUAL(m->guest->patched, 0);
	end();
}

static void epoch_that_never_rests(void)
{
	begin();
	host.moves_before_propose = UINT32_MAX;
	expect_native(PVROM_VERDICT_HOST_ERROR);
	CU_ASSERT_EQUAL(m->guest->call_status, PVROM_STATUS_STALE);
	CU_ASSERT_TRUE(host.proposals < 100);
	end();

	begin();
	host.moves_before_commit = UINT32_MAX;
	expect_native(PVROM_VERDICT_HOST_ERROR);
	CU_ASSERT_EQUAL(m->guest->call_status, PVROM_STATUS_STALE);
	CU_ASSERT_TRUE(host.commits < 100);
	end();
}

/* ---- hostile hosts ------------------------------------------------------------------------------- */

static void offer_size(struct pvrom_offer *o)
{
	o->size = 0x40;
}
static void offer_no_size(struct pvrom_offer *o)
{
	o->size = 0;
}
static void offer_huge(struct pvrom_offer *o)
{
	o->size = 0xffffffff;
}
static void offer_major(struct pvrom_offer *o)
{
	o->major++;
}
static void offer_no_epoch(struct pvrom_offer *o)
{
	o->epoch = 0;
}
static void offer_more_than_can(struct pvrom_offer *o)
{
	o->can = 0;
}
static void offer_reason(struct pvrom_offer *o)
{
	o->reason[PVROM_FEATURE_CPU] = PVROM_REASON_OPERATOR;
}
static void offer_no_reason(struct pvrom_offer *o)
{
	o->reason[PVROM_FEATURE_MEM] = PVROM_REASON_NONE;
}
static void offer_open(struct pvrom_offer *o)
{
	o->offered &= ~BIT(IRQ);
	o->reason[PVROM_FEATURE_IRQ] = PVROM_REASON_OPERATOR;
}
static void offer_nothing_written(struct pvrom_offer *o)
{
	memset(o, 0, sizeof(*o));
}

static void hostile_offers(void)
{
	static void (*const lie[])(struct pvrom_offer *) = {
		offer_size,	offer_no_size,	       offer_huge,   offer_major,
		offer_no_epoch, offer_more_than_can,   offer_reason, offer_no_reason,
		offer_open,	offer_nothing_written,
	};

	for (size_t i = 0; i < sizeof(lie) / sizeof(lie[0]); i++) {
		begin();
		host.on_offer = lie[i];
		expect_native(PVROM_VERDICT_HOST_ERROR);
		CU_ASSERT_EQUAL(host.proposals, 0);
		end();
	}
}

static void hostile_statuses(void)
{
	static const uint32_t statuses[] = {
		PVROM_STATUS_NOT_SUPPORTED, PVROM_STATUS_DENIED, PVROM_STATUS_INVALID,
		PVROM_STATUS_ADDRESS,	    PVROM_STATUS_BUSY,	 PVROM_STATUS_CONTINUE,
		PVROM_STATUS_MODE,	    PVROM_STATUS_COUNT,	 0xfffffffe
	};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		begin();
		host.query_status = statuses[i];
		expect_native(PVROM_VERDICT_HOST_ERROR);
		CU_ASSERT_EQUAL(host.queries, 1); /* it is not asked again */
		CU_ASSERT_EQUAL(m->guest->call_status, statuses[i]);
		end();

		begin();
		host.propose_status = statuses[i];
		expect_native(PVROM_VERDICT_HOST_ERROR);
		CU_ASSERT_EQUAL(m->guest->call_status, statuses[i]);
		end();

		begin();
		host.commit_status = statuses[i];
		expect_native(PVROM_VERDICT_HOST_ERROR);
		CU_ASSERT_EQUAL(m->guest->call_status, statuses[i]);
		end();
	}
}

static void host_of_another_major(void)
{
	begin();
	host.propose_status = PVROM_STATUS_VERSION;
	expect_native(PVROM_VERDICT_WRONG_MAJOR);
	CU_ASSERT_EQUAL(m->guest->call_status, PVROM_STATUS_VERSION);
	end();
}

static void grant_unknown(struct pvrom_negotiation *n)
{
	n->granted |= PVROM_U64(1) << 63;
}
static void grant_open(struct pvrom_negotiation *n)
{
	n->granted &= ~BIT(IRQ);
}
static void grant_rom_of_no_size(struct pvrom_negotiation *n)
{
	n->rom_size = 0;
}
static void grant_rom_of_odd_size(struct pvrom_negotiation *n)
{
	n->rom_size++;
}
static void grant_huge_rom(struct pvrom_negotiation *n)
{
	n->rom_size = 0xfffffe00;
}

static void hostile_grants(void)
{
	static void (*const lie[])(struct pvrom_negotiation *) = {
		grant_unwanted,	      grant_unknown,	     grant_open,
		grant_rom_of_no_size, grant_rom_of_odd_size, grant_huge_rom,
	};

	for (size_t i = 0; i < sizeof(lie) / sizeof(lie[0]); i++) {
		begin();
		host.on_propose = lie[i];
		expect_native(PVROM_VERDICT_HOST_ERROR);
		CU_ASSERT_EQUAL(host.commits, 0);
		end();
	}
}

static void grant_too_little(struct pvrom_negotiation *n)
{
	n->granted = n->missing = 0;
}

static void grant_without_what_is_required(void)
{
	begin();
	m->policy->required = BIT(CPU);
	host.on_propose = grant_too_little;
	expect_native(PVROM_VERDICT_REQUIRED_MISSING);
	CU_ASSERT_EQUAL(m->guest->missing, BIT(CPU));
	end();
}

/* REFUSED, and nothing missing that was required. */
static void refusal_without_reason(void)
{
	begin();
	host.propose_status = PVROM_STATUS_REFUSED;
	expect_native(PVROM_VERDICT_HOST_ERROR);
	CU_ASSERT_EQUAL(m->guest->call_status, PVROM_STATUS_REFUSED);
	end();
}

static void kernel_without_physical_addresses(void)
{
	begin();
	m->fail_gpa = true;
	expect_native(PVROM_VERDICT_HOST_ERROR);
	CU_ASSERT_EQUAL(m->guest->call_status, PVROM_STATUS_ADDRESS);
	CU_ASSERT_EQUAL(m->hypercalls, 0);
	end();
}

/* The host names another ROM than the one that was found, before anything is patched. */
static void other_rom_at_the_first_negotiation(void)
{
	begin();
	fixture_build(second, &fixture_usual);
	fixture_header(second)->live_key ^= 1;
	fixture_seal(second);
	fake_host_set_rom(m, &host, 0x280000, second);
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->rom_gpa, 0x280000);
	CU_ASSERT_EQUAL(m->guest->rom_checksum, fixture_header(second)->checksum);
	CU_ASSERT_EQUAL(m->allocs, m->frees + 1);
	end();
}

/* ---- calls, areas, words ------------------------------------------------------------------------- */

static void plain_calls(void)
{
	uint64_t value = 1;

	begin_ready();
	CU_ASSERT_EQUAL(pvrom_call(m->guest, PVROM_BASE_VERSION, 0, 0, 0, 0, &value),
			PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(value, (uint64_t)PVROM_MAJOR << 16 | PVROM_MINOR);
	CU_ASSERT_EQUAL(pvrom_call(m->guest, 0x7fff, 1, 2, 3, 4, &value), PVROM_STATUS_DENIED);
	CU_ASSERT_EQUAL(value, 0x123456789a);
	CU_ASSERT_EQUAL(pvrom_call(m->guest, 0x7fff, 1, 2, 3, 4, NULL), PVROM_STATUS_DENIED);
	/* Such a call answers nothing, so what the registers hold is no answer. */
	CU_ASSERT_EQUAL(pvrom_call(m->guest, PVROM_IRQ_EOI, 0, 0, 0, 0, &value), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(value, 0);
	CU_ASSERT_EQUAL(host.others, 3);
	end();
}

static void no_hypercall_before_a_host_is_found(void)
{
	begin();
	pvrom_guest_init(m->guest, m->policy, m);
	CU_ASSERT_EQUAL(pvrom_call(m->guest, PVROM_BASE_VERSION, 0, 0, 0, 0, NULL),
			PVROM_STATUS_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(m->guest, m->area), PVROM_STATUS_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(pvrom_guest_stop(m->guest, 0), PVROM_STATUS_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(m->hypercalls, 0);
	end();
}

static void areas(void)
{
	begin_ready();
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(m->guest, m->area), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(host.area, machine_gpa(m, m->area));
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(m->guest, NULL), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(host.area, PVROM_VCPU_AREA_NONE);
	/* Misaligned: refused here already. */
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(m->guest, machine_at(m, machine_gpa(m, m->area) + 8)),
			PVROM_STATUS_ADDRESS);
	m->fail_gpa = true;
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(m->guest, m->area), PVROM_STATUS_ADDRESS);
	CU_ASSERT_EQUAL(host.area, PVROM_VCPU_AREA_NONE);
	end();
}

/* The shim finds words and calls by position: so each number must be its position in its table. */
static void words_are_those_of_the_tables(void)
{
#define SAME_(function) CU_ASSERT_STRING_EQUAL(function(number), words)
#define VERDICT_(NAME, n, w)                                                                       \
	{                                                                                          \
		uint32_t number = n;                                                               \
		const char *words = w;                                                             \
		SAME_(pvrom_verdict_words);                                                        \
	}
#define STATUS_(NAME, n, w)                                                                        \
	{                                                                                          \
		uint32_t number = n;                                                               \
		const char *words = w;                                                             \
		SAME_(pvrom_status_words);                                                         \
	}
#define REASON_(NAME, n, w, t)                                                                     \
	{                                                                                          \
		uint32_t number = n;                                                               \
		const char *words = w;                                                             \
		SAME_(pvrom_reason_words);                                                         \
	}
#define ROUTE_(NAME, n, w)                                                                         \
	{                                                                                          \
		uint32_t number = n;                                                               \
		const char *words = w;                                                             \
		SAME_(pvrom_route_words);                                                          \
	}
#define FEATURE_(NAME, n, d, w, t)                                                                 \
	{                                                                                          \
		uint32_t number = n;                                                               \
		const char *words = w;                                                             \
		SAME_(pvrom_feature_name);                                                         \
	}
	PVROM_VERDICT_TABLE(VERDICT_)
	PVROM_STATUS_TABLE(STATUS_)
	PVROM_REASON_TABLE(REASON_)
	PVROM_ROUTE_TABLE(ROUTE_)
	PVROM_FEATURE_TABLE(FEATURE_)
	CU_ASSERT_STRING_EQUAL(pvrom_verdict_words(PVROM_VERDICT_COUNT), "unknown");
	CU_ASSERT_STRING_EQUAL(pvrom_status_words(PVROM_STATUS_COUNT), "unknown");
	CU_ASSERT_STRING_EQUAL(pvrom_reason_words(PVROM_REASON_COUNT), "unknown");
	CU_ASSERT_STRING_EQUAL(pvrom_route_words(UINT32_MAX), "unknown");
	CU_ASSERT_STRING_EQUAL(pvrom_feature_name(PVROM_FEATURE_COUNT), "unknown");
}

static void calls_are_found_by_number(void)
{
	static uint8_t known[0x10000];
	const struct pvrom_call_info *info;

#define CALL_(GROUP, NAME, number, feature, args, native_form, properties, changes, insn, text)    \
	info = pvrom_call_info(number);                                                            \
	CU_ASSERT_PTR_NOT_NULL_FATAL(info);                                                        \
	CU_ASSERT_EQUAL(info->regs, changes);                                                      \
	CU_ASSERT_EQUAL(info->flags, properties);                                                  \
	CU_ASSERT_EQUAL(info->native, PVROM_NATIVE_##native_form);                                 \
	known[number] = 1;
	PVROM_CALL_TABLE(CALL_)
	for (uint32_t number = 0; number < 0x10000; number++)
		CU_ASSERT_EQUAL(pvrom_call_info(number) != NULL, known[number]);
	CU_ASSERT_PTR_NULL(pvrom_call_info(0x10000));
	CU_ASSERT_PTR_NULL(pvrom_call_info(UINT32_MAX));
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(grants_what_is_wanted_and_offered),
		TAP_TEST(takes_only_what_is_advised),
		{ "required_feature_missing [PVROM-NEG-22]", required_feature_missing },
		TAP_TEST(required_is_wanted),
		TAP_TEST(stale_proposals_are_repeated),
		TAP_TEST(stale_commits_are_repeated),
		TAP_TEST(epoch_that_never_rests),
		{ "hostile_offers [PVROM-SEC-6]", hostile_offers },
		{ "hostile_statuses [PVROM-SEC-6]", hostile_statuses },
		TAP_TEST(host_of_another_major),
		{ "hostile_grants [PVROM-SEC-6]", hostile_grants },
		TAP_TEST(grant_without_what_is_required),
		TAP_TEST(refusal_without_reason),
		TAP_TEST(kernel_without_physical_addresses),
		TAP_TEST(other_rom_at_the_first_negotiation),
		TAP_TEST(plain_calls),
		{ "no_hypercall_before_a_host_is_found [PVROM-DISC-16]",
		  no_hypercall_before_a_host_is_found },
		{ "areas [PVROM-VCPU-1]", areas },
		{ "words_are_those_of_the_tables [PVROM-NEG-3 PVROM-DISC-22]",
		  words_are_those_of_the_tables },
		TAP_TEST(calls_are_found_by_number),
		{ 0 },
	};

	return tap_run("guest_host", tests);
}
