/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The change-over when the epoch moves, and its failure at each step. */
#include "guest_host_tools.h"

/* ---- change-over --------------------------------------------------------------------------------- */

/* A second image in which pause is no longer a NOP but text, and cli native. */
static void build_second(void)
{
	struct pvrom_slot *pause, *cli;

	fixture_build(second, &fixture_usual);
	pause = fixture_slot(second, PVROM_CPU_PAUSE);
	cli = fixture_slot(second, PVROM_CPU_CLI);
	pause->form = PVROM_FORM_CALL;
	pause->text = cli->text;
	pause->text_size = cli->text_size;
	pause->reloc_first = cli->reloc_first;
	pause->reloc_count = cli->reloc_count;
	cli->form = PVROM_FORM_NATIVE;
	cli->text = cli->text_size = cli->reloc_first = cli->reloc_count = 0;
	fixture_seal(second);
}

/* The host has moved: it names that one. */
static void name_second(void)
{
	build_second();
	fake_host_set_rom(m, &host, 0x280000, second);
	host.epoch++;
}

static struct pvrom_site *site_of(uint32_t call)
{
	for (size_t i = 0; i < m->site_count; i++)
		if (m->sites[i].call == call)
			return &m->sites[i];
	return NULL;
}

static uint8_t first_byte(uint32_t call)
{
	return machine_site_text(site_of(call))[0];
}

/* Where the pause site leads, from the second image. */
static bool pause_leads_into(const uint8_t *copy)
{
	const uint8_t *p = machine_site_text(site_of(PVROM_CPU_PAUSE));
	int32_t rel;

	memcpy(&rel, p + 1, 4);
	return p[0] == 0xe8 &&
	       (uintptr_t)p + 5 + (uintptr_t)(intptr_t)rel ==
		       (uintptr_t)copy + fixture_slot(second, PVROM_CPU_PAUSE)->text;
}

static void epoch_moves_and_nothing_else(void)
{
	static uint8_t before[MACHINE_TEXT_SIZE];

	begin_ready();
	memcpy(before, machine_at(m, MACHINE_TEXT), sizeof(before));
	m->area->epoch = ++host.epoch;
	CU_ASSERT_TRUE(pvrom_guest_epoch_moved(m->guest, m->area));
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_FALSE(pvrom_guest_epoch_moved(m->guest, m->area));
	CU_ASSERT_EQUAL(memcmp(before, machine_at(m, MACHINE_TEXT), sizeof(before)), 0);
	CU_ASSERT_EQUAL(m->allocs, 1);
	end();
}

static void features_come_and_go(void)
{
	begin_ready();
	CU_ASSERT_EQUAL(first_byte(PVROM_IRQ_EOI), 0xe8);
	host.offered &= ~(BIT(CPU));
	host.epoch++;
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->granted, BIT(IRQ) | BIT(SMP) | BIT(ALARM));
	CU_ASSERT_EQUAL(host.sealed, m->guest->granted);
	CU_ASSERT_EQUAL(first_byte(PVROM_CPU_CLI), 0x2e); /* native again */
	CU_ASSERT_EQUAL(m->guest->patched, 2);
	host.offered = BIT(CPU);
	host.epoch++;
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(first_byte(PVROM_CPU_CLI), 0xe8);
	pvrom_guest_unpatch(m->guest);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	end();
}

static void new_rom(void)
{
	const uint8_t *old_copy;

	begin_ready();
	old_copy = m->guest->copy;
	name_second();
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_PTR_NOT_EQUAL(m->guest->copy, old_copy);
	CU_ASSERT_PTR_EQUAL(m->guest->text, m->guest->copy);
	CU_ASSERT_TRUE(pause_leads_into(m->guest->copy));
	CU_ASSERT_EQUAL(first_byte(PVROM_CPU_CLI), 0x2e);
	CU_ASSERT_EQUAL(m->guest->rom_gpa, 0x280000);
	CU_ASSERT_EQUAL(m->guest->rom_size, fixture_header(second)->rom_size);
	CU_ASSERT_EQUAL(m->allocs, 2);
	CU_ASSERT_EQUAL(m->frees, 1);
	CU_ASSERT_EQUAL(m->guest->epoch, 2);
	pvrom_guest_unpatch(m->guest);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	end();
}

/* A refusal leaves the old set in force: sites, copy, epoch, features. */
static void refusal_changes_nothing(void)
{
	static uint8_t before[MACHINE_TEXT_SIZE];
	uint64_t granted;

	begin();
	m->policy->required = BIT(SMP);
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	memcpy(before, machine_at(m, MACHINE_TEXT), sizeof(before));
	granted = m->guest->granted;
	host.offered &= ~BIT(SMP);
	host.epoch++;
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_REQUIRED_MISSING);
	CU_ASSERT_EQUAL(m->guest->missing, BIT(SMP));
	CU_ASSERT_EQUAL(m->guest->granted, granted);
	CU_ASSERT_EQUAL(host.sealed, granted);
	CU_ASSERT_EQUAL(m->guest->epoch, 1);
	CU_ASSERT_EQUAL(memcmp(before, machine_at(m, MACHINE_TEXT), sizeof(before)), 0);
	CU_ASSERT_EQUAL(m->frees, 0);
	CU_ASSERT_EQUAL(host.empty_commits, 0);
	host.offered |= BIT(SMP); /* and it can be had later */
	host.epoch++;
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_READY);
	end();
}

/* What was in force is gone, for the first commit was stale; and then the host refuses. */
static void refuse_from_now_on(struct pvrom_offer *offer)
{
	if (host.commits > 1) {
		offer->offered &= ~BIT(SMP);
		offer->reason[PVROM_FEATURE_SMP] = PVROM_REASON_OPERATOR;
		host.offered &= ~BIT(SMP);
	}
}

static void refusal_after_a_stale_commit(void)
{
	begin();
	m->policy->required = BIT(SMP);
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	host.epoch++;
	host.moves_before_commit = 1;
	host.on_offer = refuse_from_now_on;
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_REQUIRED_MISSING);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	CU_ASSERT_EQUAL(m->guest->granted, 0);
	CU_ASSERT_EQUAL(host.sealed, 0);
	CU_ASSERT_EQUAL(m->allocs, m->frees);
	end();
}

/* After a failed change-over: native, the empty set, no memory kept, and it says why. */
static void expect_gone_native(uint32_t verdict)
{
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), verdict);
	CU_ASSERT_EQUAL(m->guest->verdict, verdict);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	CU_ASSERT_EQUAL(m->guest->granted, 0);
	CU_ASSERT_EQUAL(m->guest->patched, 0);
	CU_ASSERT_EQUAL(host.sealed, 0);
	CU_ASSERT_TRUE(host.empty_commits > 0);
	CU_ASSERT_PTR_NULL(m->guest->copy);
	CU_ASSERT_PTR_NULL(m->guest->text);
	CU_ASSERT_EQUAL(m->allocs, m->frees);
}

/* The host mends its ways: the guest can come back. */
static void expect_to_come_back(void)
{
	host.epoch++;
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(host.sealed, m->guest->granted);
	CU_ASSERT_NOT_EQUAL(m->guest->patched, 0);
	end();
}

static void change_over_fails_at_query(void)
{
	begin_ready();
	host.epoch++;
	host.query_status = PVROM_STATUS_DENIED;
	expect_gone_native(PVROM_VERDICT_HOST_ERROR);
	host.query_status = UINT32_MAX;
	expect_to_come_back();
}

static void change_over_fails_at_propose(void)
{
	begin_ready();
	host.epoch++;
	host.on_propose = grant_unwanted;
	expect_gone_native(PVROM_VERDICT_HOST_ERROR);
	host.on_propose = NULL;
	expect_to_come_back();
}

static void change_over_fails_at_the_new_rom(void)
{
	begin_ready();
	build_second();
	second[0x1ff] ^= 1; /* checksum */
	fake_host_set_rom(m, &host, 0x280000, second);
	host.epoch++;
	expect_gone_native(PVROM_VERDICT_BAD_CHECKSUM);
	build_second();
	fake_host_set_rom(m, &host, 0x280000, second);
	expect_to_come_back();
}

static void change_over_fails_at_memory(void)
{
	begin_ready();
	name_second();
	m->fail_alloc = 1;
	expect_gone_native(PVROM_VERDICT_NO_MEMORY);
	expect_to_come_back();
}

/* The host names a ROM, by a checksum that is not its own, at gpa; then the right one again. */
static void change_over_to_a_rom_at(uint64_t gpa, uint32_t verdict)
{
	begin_ready();
	host.epoch++;
	host.rom_gpa = gpa;
	host.rom_checksum ^= 1;
	m->maps = m->unmaps = 0;
	expect_gone_native(verdict);
	CU_ASSERT_EQUAL(m->maps, verdict == PVROM_VERDICT_ROM_CHANGED);
	host.rom_checksum ^= 1;
	host.rom_gpa = MACHINE_HOST_ROM;
	expect_to_come_back();
}

/* Which ROM that is, is what the host says: one that is not there, or is another, is not used. */
static void change_over_to_a_rom_that_is_not_there(void)
{
	change_over_to_a_rom_at(MACHINE_HOST_ROM, PVROM_VERDICT_ROM_CHANGED);
	change_over_to_a_rom_at(MACHINE_SIZE, PVROM_VERDICT_TRUNCATED);
	change_over_to_a_rom_at(UINT64_MAX - 0x1ff, PVROM_VERDICT_TRUNCATED); /* wraps */
}

static void change_over_to_another_transport(void)
{
	begin_ready();
	build_second();
	fixture_header(second)->transport = PVROM_TRANSPORT_VMCALL;
	fixture_header(second)->transport_port = 0;
	fixture_seal(second);
	fake_host_set_rom(m, &host, 0x280000, second);
	host.epoch++;
	expect_gone_native(PVROM_VERDICT_NO_TRANSPORT);
	fake_host_set_rom(m, &host, MACHINE_HOST_ROM, image);
	expect_to_come_back();
}

static void change_over_to_an_older_minor(void)
{
	begin();
	fixture_header(image)->minor = PVROM_MINOR + 1;
	fixture_seal(image);
	m->leaf_count = 0;
	fake_host_attach(m, &host, image);
	m->policy->minor_min = PVROM_MINOR + 1;
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	name_second();
	expect_gone_native(PVROM_VERDICT_OLD_MINOR);
	end();
}

static void change_over_to_a_rom_not_allowed(void)
{
	static uint8_t allowed[1][PVROM_DIGEST_SIZE];

	begin_ready();
	memcpy(allowed[0], m->guest->digest, PVROM_DIGEST_SIZE);
	machine_free(m);
	begin();
	m->policy->allowed = (const uint8_t(*)[PVROM_DIGEST_SIZE])allowed;
	m->policy->allowed_count = 1;
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	name_second();
	expect_gone_native(PVROM_VERDICT_NOT_ALLOWED);
	host.epoch++;
	expect_gone_native(PVROM_VERDICT_NOT_ALLOWED); /* nor at the second try */
	fake_host_set_rom(m, &host, MACHINE_HOST_ROM, image);
	expect_to_come_back();
}

static void change_over_fails_at_a_write(void)
{
	for (uint32_t n = 1; n < 3; n++) {
		begin_ready();
		name_second();
		m->fail_write = n;
		expect_gone_native(PVROM_VERDICT_PATCH_FAILED);
		expect_to_come_back();
	}
}

static void change_over_fails_at_commit(void)
{
	begin_ready();
	name_second();
	host.commit_status = PVROM_STATUS_INVALID;
	expect_gone_native(PVROM_VERDICT_HOST_ERROR);
	host.commit_status = UINT32_MAX;
	expect_to_come_back();
}

static void change_over_is_stale_at_commit(void)
{
	begin_ready();
	name_second();
	host.moves_before_commit = 1;
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_TRUE(pause_leads_into(m->guest->copy));
	CU_ASSERT_EQUAL(m->guest->epoch, 3);
	end();
}

/* Sites that cannot be written back keep the text of the old ROM where it is. */
static void old_text_stays_while_sites_lead_there(void)
{
	const uint8_t *old_copy;

	begin_ready();
	old_copy = m->guest->copy;
	name_second();
	m->fail_write_from = m->writes + 1;
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_PATCH_FAILED);
	CU_ASSERT_NOT_EQUAL(m->guest->patched, 0);
	CU_ASSERT_EQUAL(old_copy[0], 0x55); /* still mapped */
	CU_ASSERT_EQUAL(host.sealed, 0);
	end();
}

static void data_only_change_over(void)
{
	begin();
	m->policy->flags = PVROM_POLICY_DATA_ONLY;
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	name_second();
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	CU_ASSERT_EQUAL(m->guest->rom_checksum, fixture_header(second)->checksum);
	CU_ASSERT_EQUAL(m->allocs, m->frees);
	second[0x1ff] ^= 1;
	fixture_header(second)->checksum ^= 1;
	fake_host_set_rom(m, &host, 0x280000, second);
	host.epoch++;
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_BAD_CHECKSUM);
	host.epoch++; /* the same bad ROM does not become right by being named twice */
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_BAD_CHECKSUM);
	CU_ASSERT_EQUAL(m->guest->granted, 0);
	CU_ASSERT_EQUAL(host.sealed, 0);
	end();
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "epoch_moves_and_nothing_else [PVROM-NEG-26]", epoch_moves_and_nothing_else },
		TAP_TEST(features_come_and_go),
		TAP_TEST(new_rom),
		{ "refusal_changes_nothing [PVROM-NEG-22]", refusal_changes_nothing },
		{ "refusal_after_a_stale_commit [PVROM-NEG-32]", refusal_after_a_stale_commit },
		TAP_TEST(change_over_fails_at_query),
		{ "change_over_fails_at_propose [PVROM-NEG-32]", change_over_fails_at_propose },
		TAP_TEST(change_over_fails_at_the_new_rom),
		TAP_TEST(change_over_fails_at_memory),
		TAP_TEST(change_over_to_a_rom_that_is_not_there),
		TAP_TEST(change_over_to_another_transport),
		TAP_TEST(change_over_to_an_older_minor),
		TAP_TEST(change_over_to_a_rom_not_allowed),
		{ "change_over_fails_at_a_write [PVROM-NEG-32]", change_over_fails_at_a_write },
		{ "change_over_fails_at_commit [PVROM-NEG-31 PVROM-NEG-32]",
		  change_over_fails_at_commit },
		TAP_TEST(change_over_is_stale_at_commit),
		TAP_TEST(old_text_stays_while_sites_lead_there),
		TAP_TEST(data_only_change_over),
		{ 0 },
	};

	return tap_run("guest_change", tests);
}
