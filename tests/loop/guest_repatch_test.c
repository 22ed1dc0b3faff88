/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Un-patching gives back every byte, patching again is the same again, and what cannot be patched is refused. */
#include "patch_tools.h"

/* ---- back and again ------------------------------------------------------------------------------ */

static void unpatched_is_identical(void)
{
	begin_ready();
	CU_ASSERT_FALSE(machine_text_is_unchanged(m));
	pvrom_guest_unpatch(m->guest);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	CU_ASSERT_EQUAL(m->guest->patched, 0);
	CU_ASSERT_PTR_NULL(m->guest->text);
	CU_ASSERT_NOT_EQUAL(host.sealed, 0); /* the set stays */
	end();
}

/* One site that cannot be written back does not keep the others from it. */
static void unpatching_tries_every_site(void)
{
	begin_ready();
	m->fail_write = 2;
	pvrom_guest_unpatch(m->guest);
	CU_ASSERT_EQUAL(m->guest->patched, 1);
	pvrom_guest_unpatch(m->guest);
	CU_ASSERT_EQUAL(m->guest->patched, 0);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	end();
}

static void patching_is_repeatable(void)
{
	static uint8_t patched[MACHINE_TEXT_SIZE];
	uint32_t writes;

	begin_ready();
	memcpy(patched, machine_at(m, MACHINE_TEXT), sizeof(patched));
	for (int i = 0; i < 3; i++) {
		pvrom_guest_unpatch(m->guest);
		CU_ASSERT_TRUE(machine_text_is_unchanged(m));
		CU_ASSERT_EQUAL(pvrom_guest_patch(m->guest, m->sites, m->site_count),
				PVROM_VERDICT_READY);
		CU_ASSERT_EQUAL(memcmp(patched, machine_at(m, MACHINE_TEXT), sizeof(patched)), 0);
	}
	/* Twice in a row writes nothing: the bytes are there. */
	writes = m->writes;
	CU_ASSERT_EQUAL(pvrom_guest_patch(m->guest, m->sites, m->site_count), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->writes, writes);
	end();
}

static void one_rendezvous_for_all_sites(void)
{
	begin_ready();
	CU_ASSERT_EQUAL(m->rendezvous, 1);
	CU_ASSERT_EQUAL(host.commits, 1);
	CU_ASSERT_EQUAL(m->writes, m->guest->patched);
	end();
}

static void thousand_sites(void)
{
	begin();
	for (uint32_t i = 0; i < 1000; i++)
		machine_add_site(m, i % 2 ? PVROM_CPU_CLI : PVROM_CPU_READ_CR2,
				 i % 2 ? "\x2e\x2e\x2e\x2e\xfa" : "\x2e\x2e\x0f\x20\xd0", 5);
	machine_seal_text(m);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->patched, 1000);
	for (uint32_t i = 1; i < 1000; i += 2)
		expect_branch(&m->sites[i], 0xe8);
	pvrom_guest_unpatch(m->guest);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	end();
}

/* The steps of a start, one by one, with the sites named only at the last. */
static void step_by_step(void)
{
	begin();
	machine_add_usual_sites(m);
	fake_host_attach(m, &host, image);
	pvrom_guest_init(m->guest, m->policy, m);
	CU_ASSERT_EQUAL(pvrom_guest_find(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->hypercalls, 0);
	CU_ASSERT_EQUAL(pvrom_guest_load(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->hypercalls, 0);
	CU_ASSERT_EQUAL(pvrom_guest_query(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_negotiate(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(host.sealed, 0);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	CU_ASSERT_EQUAL(pvrom_guest_patch(m->guest, m->sites, m->site_count), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(host.sealed, m->policy->wanted);
	expect_branch(site_of(PVROM_CPU_CLI, 0), 0xe8);
	end();
}

/* A proposal that comes too late is repeated here already, with a new offer. */
static void stale_step(void)
{
	begin();
	machine_add_usual_sites(m);
	fake_host_attach(m, &host, image);
	pvrom_guest_init(m->guest, m->policy, m);
	CU_ASSERT_EQUAL(pvrom_guest_find(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_load(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_query(m->guest), PVROM_VERDICT_READY);
	host.moves_before_propose = 2;
	CU_ASSERT_EQUAL(pvrom_guest_negotiate(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(host.proposals, 3);
	CU_ASSERT_EQUAL(host.queries, 3);
	end();
}

/* A record goes bad while sites are patched: then all go native. */
static void record_goes_bad_later(void)
{
	begin_ready();
	site_of(PVROM_CPU_PAUSE, 0)->call = 0x01f0;
	CU_ASSERT_EQUAL(pvrom_guest_patch(m->guest, m->sites, m->site_count),
			PVROM_VERDICT_BAD_SITE);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	CU_ASSERT_EQUAL(m->guest->patched, 0);
	CU_ASSERT_EQUAL(host.sealed, 0);
	end();
}

static void stop_with_sites_that_stay(void)
{
	begin_ready();
	m->fail_write_from = m->writes + 1;
	CU_ASSERT_EQUAL(pvrom_guest_stop(m->guest, 0), PVROM_STATUS_OK);
	CU_ASSERT_NOT_EQUAL(m->guest->patched, 0);
	CU_ASSERT_PTR_NOT_NULL(m->guest->copy); /* where they lead */
	CU_ASSERT_EQUAL(m->frees, 0);
	end();
}

static void stop_gives_everything_back(void)
{
	begin_ready();
	host.reset_status = PVROM_STATUS_BUSY;
	CU_ASSERT_EQUAL(pvrom_guest_stop(m->guest, 0), PVROM_STATUS_BUSY);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	CU_ASSERT_PTR_NOT_NULL(m->guest->copy);
	CU_ASSERT_NOT_EQUAL(m->guest->granted, 0);
	host.reset_status = PVROM_STATUS_OK;
	CU_ASSERT_EQUAL(pvrom_guest_stop(m->guest, PVROM_RESET_FORCE), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(host.resets, 2);
	CU_ASSERT_PTR_NULL(m->guest->copy);
	CU_ASSERT_EQUAL(m->guest->granted, 0);
	CU_ASSERT_EQUAL(m->allocs, m->frees);
	end();
}

/* ---- what cannot be patched ---------------------------------------------------------------------- */

/* One bad record among good ones: nothing at all is patched, and the host is told so. */
static void expect_refusal(uint32_t verdict)
{
	machine_seal_text(m);
	fake_host_attach(m, &host, image);
	machine_expect_native(m, verdict);
	CU_ASSERT_EQUAL(host.sealed, 0);
	CU_ASSERT_EQUAL(host.commits, 0);
	CU_ASSERT_EQUAL(m->writes, 0);
	end();
}

/* Moves a site so that it begins so many bytes behind the beginning of another. */
static void move_site(struct pvrom_site *site, const struct pvrom_site *other, int32_t bytes)
{
	site->offset += (int32_t)(machine_site_text(other) - machine_site_text(site)) + bytes;
}

/* Two of them among others, by one byte, wholly, and the same one; by a later and by an earlier address. */
static void sites_that_overlap(void)
{
	static const int32_t behind[] = { 4, 1, 0, -1, -4 };

	for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
		struct pvrom_site *middle, *last;

		begin();
		machine_add_site(m, PVROM_CPU_CLI, "\x2e\x2e\x2e\x2e\xfa", 5);
		middle = machine_add_site(m, PVROM_CPU_CLI, "\x2e\x2e\x2e\x2e\xfa", 5);
		machine_add_site(m, PVROM_CPU_CLI, "\x2e\x2e\x2e\x2e\xfa", 5);
		last = machine_add_site(m, PVROM_CPU_CLI, "\x2e\x2e\x2e\x2e\xfa", 5);
		move_site(last, middle, behind[i]);
		expect_refusal(PVROM_VERDICT_SITES_OVERLAP);
	}
}

/* Side by side, and not in the order of their addresses. */
static void sites_that_touch(void)
{
	struct pvrom_site *first, *second;
	int32_t first_offset;

	begin();
	first = machine_add_site(m, PVROM_CPU_CLI, "\x2e\x2e\x2e\x2e\xfa", 5);
	second = machine_add_site(m, PVROM_CPU_CLI, "\x2e\x2e\x2e\x2e\xfa", 5);
	first_offset = first->offset;
	move_site(first, second, 0);
	second->offset += first_offset - first->offset;
	machine_seal_text(m);
	fake_host_attach(m, &host, image);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	end();
}

static void bad_sites(void)
{
	static const struct {
		uint16_t call;
		uint8_t length, saved;
		uint8_t first;
	} bad[] = {
		{ PVROM_CPU_CLI, 4, 0, 0x2e },	{ PVROM_CPU_CLI, 0, 0, 0x2e },
		{ PVROM_CPU_CLI, 16, 0, 0x2e }, { PVROM_CPU_CLI, 255, 0, 0x2e },
		{ 0x01f0, 5, 0, 0x2e },		{ 0xffff, 5, 0, 0x2e },
		{ PVROM_BASE_LOG, 5, 0, 0x2e }, { PVROM_MMU_NOTIFY, 5, 0, 0x2e },
		{ PVROM_IRQ_EOI, 5, 0, 0x2e },	{ PVROM_IRQ_EOI, 5, 0, 0xe9 },
		{ PVROM_CPU_CLI, 5, 2, 0x2e },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pvrom_site *site;
		uint8_t native[16] = { bad[i].first };

		begin();
		machine_add_site(m, PVROM_CPU_CLI, "\x2e\x2e\x2e\x2e\xfa", 5);
		site = machine_add_site(m, bad[i].call, native, 16);
		machine_add_site(m, PVROM_CPU_CLI, "\x2e\x2e\x2e\x2e\xfa", 5);
		site->length = bad[i].length;
		site->saved = bad[i].saved;
		expect_refusal(PVROM_VERDICT_BAD_SITE);
	}
}

/* The copy lies more than 2 GiB away. */
static void site_out_of_reach(void)
{
	const size_t room = (size_t)6 << 30;
	uint8_t *far =
		mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *place = far + room - MACHINE_SIZE;

	CU_ASSERT_PTR_NOT_EQUAL_FATAL(far, MAP_FAILED);
	begin();
	/* Text and records far from the copies: at the other end of the reservation. */
	munmap(m->memory, MACHINE_SIZE);
	m->memory = mmap(far, MACHINE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	m->far_copies = mmap(place, MACHINE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	machine_lay_out(m);
	machine_add_usual_sites(m);
	fake_host_attach(m, &host, image);
	machine_expect_native(m, PVROM_VERDICT_BAD_SITE);
	CU_ASSERT_EQUAL(host.sealed, 0);
	CU_ASSERT_EQUAL(m->writes, 0);
	munmap(far + MACHINE_SIZE, room - MACHINE_SIZE);
	end();
}

/* The kernel cannot write its n-th site, for each n. */
static void write_fails(void)
{
	for (uint32_t n = 1; n < 12; n++) {
		begin();
		machine_add_usual_sites(m);
		m->fail_write = n;
		fake_host_attach(m, &host, image);
		machine_expect_native(m, PVROM_VERDICT_PATCH_FAILED);
		CU_ASSERT_EQUAL(host.sealed, 0);
		CU_ASSERT_EQUAL(host.commits, 0);
		CU_ASSERT_EQUAL(host.empty_commits > 0, 1);
		end();
	}
}

/* Neither can it be undone: then the copy, where sites lead, must stay. */
static void write_and_unpatch_fail(void)
{
	begin();
	machine_add_usual_sites(m);
	m->fail_write_from = 4;
	fake_host_attach(m, &host, image);
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_PATCH_FAILED);
	CU_ASSERT_EQUAL(m->guest->patched, 3);
	CU_ASSERT_PTR_NOT_NULL(m->guest->copy);
	CU_ASSERT_PTR_EQUAL(m->guest->text, m->guest->copy);
	CU_ASSERT_EQUAL(m->frees, 0);
	expect_branch(site_of(PVROM_CPU_CLI, 0), 0xe8);
	m->fail_write_from = 0; /* and it can still be undone later */
	pvrom_guest_unpatch(m->guest);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	end();
}

static void no_sites_at_all(void)
{
	begin();
	machine_seal_text(m);
	fake_host_attach(m, &host, image);
	pvrom_guest_init(m->guest, m->policy, m);
	CU_ASSERT_EQUAL(pvrom_guest_start(m->guest, NULL, 0), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(host.sealed, m->policy->wanted);
	pvrom_guest_unpatch(m->guest);
	end();
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "unpatched_is_identical [PVROM-SITE-5]", unpatched_is_identical },
		TAP_TEST(unpatching_tries_every_site),
		{ "patching_is_repeatable [PVROM-SITE-5]", patching_is_repeatable },
		{ "one_rendezvous_for_all_sites [PVROM-NEG-28]", one_rendezvous_for_all_sites },
		TAP_TEST(thousand_sites),
		{ "stop_gives_everything_back [PVROM-BASE-18]", stop_gives_everything_back },
		TAP_TEST(step_by_step),
		TAP_TEST(stale_step),
		TAP_TEST(record_goes_bad_later),
		TAP_TEST(stop_with_sites_that_stay),
		{ "bad_sites [PVROM-SITE-8]", bad_sites },
		{ "sites_that_overlap [PVROM-SITE-9]", sites_that_overlap },
		TAP_TEST(sites_that_touch),
		{ "site_out_of_reach [PVROM-SITE-8]", site_out_of_reach },
		{ "write_fails [PVROM-NEG-31 PVROM-NEG-32]", write_fails },
		TAP_TEST(write_and_unpatch_fail),
		TAP_TEST(no_sites_at_all),
		{ 0 },
	};

	return tap_run("guest_repatch", tests);
}
