/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Patching: the bytes of each form at each kind of site, that they run, and that un-patching gives back
 * every byte; per-CPU areas, return thunks, faults inside ROM text; and what cannot be patched.
 */
#include <string.h>
#include <sys/mman.h>

#include <pvrom/guest.h>

#include "../cunit_tap.h"
#include "fake_host.h"
#include "guest_machine.h"

static uint8_t image[FIXTURE_MAX] __attribute__((aligned(16)));
static struct machine *m;
static struct fake_host host;

static void begin(void)
{
	m = machine_new();
	fixture_build(image, &fixture_usual);
}

/* Attaches the host with the image as it is now, and starts. */
static uint32_t start(void)
{
	fake_host_attach(m, &host, image);
	return machine_start(m);
}

static void begin_ready(void)
{
	begin();
	machine_add_usual_sites(m);
	CU_ASSERT_EQUAL_FATAL(start(), PVROM_VERDICT_READY);
}

static void end(void)
{
	CU_ASSERT_FALSE(m->written_outside);
	machine_free(m);
}

/* The n-th site of a call, from 0. */
static struct pvrom_site *site_of(uint32_t call, uint32_t n)
{
	for (size_t i = 0; i < m->site_count; i++)
		if (m->sites[i].call == call && !n--)
			return &m->sites[i];
	return NULL;
}

static const uint8_t *site_text(uint32_t call)
{
	return machine_site_text(site_of(call, 0));
}

static void expect_bytes(const struct pvrom_site *site, const char *bytes)
{
	const uint8_t *p = machine_site_text(site);

	CU_ASSERT_EQUAL(memcmp(p, bytes, site->length), 0);
	CU_ASSERT_EQUAL(p[site->length], 0xcc); /* and not one more */
	if (memcmp(p, bytes, site->length))
		tap_note("call %04x: %02x %02x %02x %02x %02x", site->call, p[0], p[1], p[2], p[3],
			 p[4]);
}

static void expect_native(const struct pvrom_site *site)
{
	const uint8_t *p = machine_site_text(site);

	CU_ASSERT_EQUAL(
		memcmp(p, m->text_before + (machine_gpa(m, p) - MACHINE_TEXT), site->length), 0);
}

/* A branch with this opcode at the end of the site, after prefixes, to the text of its call. */
static void expect_branch(const struct pvrom_site *site, uint8_t opcode)
{
	const uint8_t *p = machine_site_text(site), *end = p + site->length;
	int32_t rel;

	for (; p < end - 5; p++)
		CU_ASSERT_EQUAL(*p, 0x2e);
	CU_ASSERT_EQUAL(*p, opcode);
	memcpy(&rel, p + 1, 4);
	CU_ASSERT_PTR_EQUAL((const void *)((uintptr_t)end + (uintptr_t)(intptr_t)rel),
			    m->guest->copy + fixture_slot(image, site->call)->text);
}

/* ---- forms --------------------------------------------------------------------------------------- */

static void native_form(void)
{
	begin_ready();
	expect_native(site_of(PVROM_CPU_STI, 0));
	end();
}

static void call_without_slot_is_native(void)
{
	begin_ready();
	expect_native(site_of(PVROM_CPU_HALT, 0));
	expect_native(site_of(PVROM_MMU_SET_ENTRY, 0));
	end();
}

static void nop_form(void)
{
	static const char *const nops[] = {
		"\x0f\x1f\x44\x00\x00",
		"\x2e\x0f\x1f\x44\x00\x00",
		"\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x0f\x1f\x44\x00\x00",
	};

	begin();
	machine_add_site(m, PVROM_CPU_PAUSE, "\x2e\x2e\x2e\xf3\x90", 5);
	machine_add_site(m, PVROM_CPU_PAUSE, "\x2e\x2e\x2e\x2e\xf3\x90", 6);
	machine_add_site(m, PVROM_CPU_PAUSE,
			 "\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\xf3\x90", 15);
	machine_seal_text(m);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	for (uint32_t i = 0; i < 3; i++)
		expect_bytes(&m->sites[i], nops[i]);
	CU_ASSERT_EQUAL(m->guest->patched, 3);
	end();
}

static void inline_form(void)
{
	begin_ready();
	expect_bytes(site_of(PVROM_CPU_READ_CR2, 0), "\xb8\x78\x56\x00\x00");
	/* Shorter than the site: NOPs behind. */
	expect_bytes(site_of(PVROM_CPU_READ_CR3, 0), "\xb8\xbc\x9a\x00\x00\x90");
	expect_bytes(site_of(PVROM_CPU_READ_CR8, 0), "\x31\xc0\x0f\x1f\x00");
	expect_bytes(site_of(PVROM_CPU_READ_DR6, 1),
		     "\x48\xb8\x88\x77\x66\x55\x44\x33\x22\x11\x66\x90");
	expect_bytes(site_of(PVROM_CPU_SWAPGS, 0), "\x2e\x2e\x0f\x01\xf8");
	end();
}

/* Too long for the site: the slot's text. */
static void inline_form_that_does_not_fit(void)
{
	begin_ready();
	expect_branch(site_of(PVROM_CPU_READ_DR6, 0), 0xe8);
	end();
}

static void call_form(void)
{
	begin_ready();
	expect_branch(site_of(PVROM_CPU_CLI, 0), 0xe8);
	expect_branch(site_of(PVROM_CPU_READ_CR0, 0), 0xe8);
	expect_branch(site_of(PVROM_IRQ_EOI, 0), 0xe8);
	end();

	begin();
	machine_add_site(m, PVROM_CPU_READ_CR0, "\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x0f\x20\xc0", 10);
	machine_seal_text(m);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	expect_branch(&m->sites[0], 0xe8);
	end();
}

static void jump_form(void)
{
	begin_ready();
	expect_branch(site_of(PVROM_CPU_IRET, 0), 0xe9);
	end();
}

/* Text that another kernel preempts may be in the middle of its two accesses. */
static void nopreempt_slots(void)
{
	begin_ready();
	expect_native(site_of(PVROM_CPU_WBINVD, 0));
	end();

	begin();
	machine_add_usual_sites(m);
	m->policy->flags = PVROM_POLICY_NOPREEMPT;
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	expect_branch(site_of(PVROM_CPU_WBINVD, 0), 0xe8);
	end();
}

/* Only what was granted: without irq neither EOI nor, for it depends on irq, the alarm. */
static void only_the_granted_set_is_patched(void)
{
	begin();
	machine_add_usual_sites(m);
	m->policy->wanted &= ~PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->granted, PVROM_FEATURE_BIT(PVROM_FEATURE_CPU) |
						   PVROM_FEATURE_BIT(PVROM_FEATURE_SMP));
	CU_ASSERT_EQUAL(host.sealed, m->guest->granted);
	expect_native(site_of(PVROM_IRQ_EOI, 0));
	expect_native(site_of(PVROM_CLOCK_ALARM_CANCEL, 0));
	expect_branch(site_of(PVROM_CPU_CLI, 0), 0xe8);
	end();
}

/* ---- calls of the kernel's own ----------------------------------------------------------------- */

static struct pvrom_own_call own_call;

/* The function stands in the text: any address within reach will do. */
static void begin_own(uint32_t call, uint32_t flags)
{
	begin();
	machine_add_usual_sites(m);
	own_call.call = call;
	own_call.function = (void (*)(void))(uintptr_t)(site_text(PVROM_CPU_CLI) + 0x800);
	m->policy->own = &own_call;
	m->policy->own_count = 1;
	m->policy->flags = flags;
	m->policy->wanted |= PVROM_FEATURE_BIT(PVROM_FEATURE_MMU);
}

static bool leads_to_own(uint32_t call)
{
	const uint8_t *p = site_text(call);
	int32_t rel;

	memcpy(&rel, p + 1, 4);
	return *p == 0xe8 &&
	       (uintptr_t)p + 5 + (uintptr_t)(intptr_t)rel == (uintptr_t)own_call.function;
}

static void own_call_without_slot(void)
{
	begin_own(PVROM_MMU_SET_ENTRY, 0);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_TRUE(leads_to_own(PVROM_MMU_SET_ENTRY));
	pvrom_guest_unpatch(m->guest);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	end();
}

/* The kernel's own code is no foreign code. */
static void own_call_with_data_only(void)
{
	begin_own(PVROM_MMU_SET_ENTRY, PVROM_POLICY_DATA_ONLY);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_TRUE(leads_to_own(PVROM_MMU_SET_ENTRY));
	CU_ASSERT_EQUAL(m->writes, 1);
	pvrom_guest_unpatch(m->guest);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	end();
}

static void own_call_is_behind_a_slot(void)
{
	begin_own(PVROM_CPU_CLI, 0);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	expect_branch(site_of(PVROM_CPU_CLI, 0), 0xe8);
	expect_native(site_of(PVROM_MMU_SET_ENTRY, 0));
	end();
}

static void own_call_only_if_granted(void)
{
	begin_own(PVROM_MMU_SET_ENTRY, 0);
	m->policy->wanted &= ~PVROM_FEATURE_BIT(PVROM_FEATURE_MMU);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	expect_native(site_of(PVROM_MMU_SET_ENTRY, 0));
	end();
}

/* An instruction that uses the stack can be no call. */
static void own_call_never_for_nocall(void)
{
	begin_own(PVROM_CPU_SWAPGS, PVROM_POLICY_DATA_ONLY);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	expect_native(site_of(PVROM_CPU_SWAPGS, 0));
	end();
}

static void own_call_out_of_reach(void)
{
	begin_own(PVROM_MMU_SET_ENTRY, 0);
	own_call.function = (void (*)(void))((uintptr_t)own_call.function ^ (uintptr_t)1 << 46);
	fake_host_attach(m, &host, image);
	machine_expect_native(m, PVROM_VERDICT_BAD_SITE);
	CU_ASSERT_EQUAL(m->writes, 0);
	end();
}

/* ---- it runs ------------------------------------------------------------------------------------- */

static uint64_t run(const void *where)
{
	uint64_t value;

	__asm__ volatile("call *%1" : "=a"(value) : "r"(where) : "memory", "cc");
	return value;
}

/* Functions of one site and a ret. */
static void *add_function(uint32_t call, const char *native, uint8_t length)
{
	struct pvrom_site *site = machine_add_site(m, call, native, length);

	m->text_used--; /* over the int3 */
	machine_add_text(m, "\xc3", 1);
	return machine_site_text(site);
}

static void patched_sites_run(void)
{
	void *cr0, *cr2, *cr8, *dr6_short, *dr6_long, *pause;

	begin();
	cr0 = add_function(PVROM_CPU_READ_CR0, "\x2e\x2e\x0f\x20\xc0", 5);
	cr2 = add_function(PVROM_CPU_READ_CR2, "\x2e\x2e\x0f\x20\xd0", 5);
	cr8 = add_function(PVROM_CPU_READ_CR8, "\x2e\x44\x0f\x20\xc0", 5);
	dr6_short = add_function(PVROM_CPU_READ_DR6, "\x2e\x2e\x0f\x21\xf0", 5);
	dr6_long = add_function(PVROM_CPU_READ_DR6,
				"\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x0f\x21\xf0", 12);
	pause = add_function(PVROM_CPU_PAUSE, "\x2e\x2e\x2e\xf3\x90", 5);
	machine_seal_text(m);
	run(pause);
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(run(cr0), 0x1234);
	CU_ASSERT_EQUAL(run(cr2), 0x5678);
	CU_ASSERT_EQUAL(run(cr8), 0);
	CU_ASSERT_EQUAL(run(dr6_short), PVROM_U64(0x1122334455667788));
	CU_ASSERT_EQUAL(run(dr6_long), PVROM_U64(0x1122334455667788));
	run(pause);
	end();
}

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

/* ---- per-CPU area and return thunk ----------------------------------------------------------------- */

static const uint8_t *copy_of(uint32_t call)
{
	return m->guest->copy + fixture_slot(image, call)->text;
}

static void area_by_gs(void)
{
	begin_ready(); /* offset 0x100, eoi at 0x14, vcpu at 0x10 */
	CU_ASSERT_EQUAL(memcmp(copy_of(PVROM_IRQ_EOI) + 4,
			       "\x65\x0f\xba\x34\x25\x14\x01\x00\x00\x00\xc3", 11),
			0);
	expect_bytes(site_of(PVROM_CPU_STORE_TR, 0), "\x65\x8b\x04\x25\x10\x01\x00\x00");
	end();
}

static void area_by_fs(void)
{
	begin();
	machine_add_usual_sites(m);
	m->policy->percpu = PVROM_PERCPU_FS;
	m->policy->percpu_offset = -0x100;
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(memcmp(copy_of(PVROM_IRQ_EOI) + 4,
			       "\x64\x0f\xba\x34\x25\x14\xff\xff\xff\x00\xc3", 11),
			0);
	expect_bytes(site_of(PVROM_CPU_STORE_TR, 0), "\x64\x8b\x04\x25\x10\xff\xff\xff");
	end();
}

static void area_by_register(void)
{
	begin();
	machine_add_usual_sites(m);
	m->policy->percpu = PVROM_PERCPU_REGISTER;
	m->policy->percpu_offset = 3; /* rbx */
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	/* btrl $0,0x14(%rbx): mod 10, SIB base 3, no index */
	CU_ASSERT_EQUAL(memcmp(copy_of(PVROM_IRQ_EOI) + 4,
			       "\x2e\x0f\xba\xb4\x23\x14\x00\x00\x00\x00\xc3", 11),
			0);
	expect_bytes(site_of(PVROM_CPU_STORE_TR, 0), "\x2e\x8b\x84\x23\x10\x00\x00\x00");
	end();
}

/* The relocated access, executed: the area found through rbx. */
static void area_by_register_runs(void)
{
	static struct pvrom_vcpu_area area = { .vcpu = 77 };
	uint64_t value;
	void *store;

	begin();
	store = add_function(PVROM_CPU_STORE_TR, "\x2e\x2e\x2e\x2e\x48\x0f\x00\xc8", 8);
	machine_seal_text(m);
	m->policy->percpu = PVROM_PERCPU_REGISTER;
	m->policy->percpu_offset = 3;
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	__asm__ volatile("call *%1" : "=a"(value) : "r"(store), "b"(&area) : "memory", "cc");
	CU_ASSERT_EQUAL(value, 77);
	end();
}

static void no_area_no_slots_that_need_it(void)
{
	begin();
	machine_add_usual_sites(m);
	m->policy->percpu = PVROM_PERCPU_NONE;
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	expect_native(site_of(PVROM_IRQ_EOI, 0));
	expect_native(site_of(PVROM_CPU_STORE_TR, 0));
	expect_branch(site_of(PVROM_CPU_CLI, 0), 0xe8);
	/* Not for the relocations of the slot behind it, either. */
	expect_branch(site_of(PVROM_CPU_IRET, 0), 0xe9);
	end();
}

static void return_thunk(void)
{
	const uint8_t *at;
	uint8_t *thunk;
	int32_t rel;
	void *cr0;

	begin();
	cr0 = add_function(PVROM_CPU_READ_CR0, "\x2e\x2e\x0f\x20\xc0", 5);
	thunk = machine_add_text(m, "\x05\x00\x00\x01\x00\xc3", 6); /* add $0x10000,%eax; ret */
	machine_seal_text(m);
	m->policy->return_thunk = thunk;
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	at = copy_of(PVROM_CPU_READ_CR0) + 9;
	CU_ASSERT_EQUAL(at[0], 0xe9);
	memcpy(&rel, at + 1, 4);
	CU_ASSERT_PTR_EQUAL(at + 5 + rel, thunk);
	CU_ASSERT_EQUAL(run(cr0), 0x11234);
	end();
}

static void return_thunk_out_of_reach(void)
{
	begin();
	machine_add_usual_sites(m);
	m->policy->return_thunk = m->memory + PVROM_U64(0x100000000);
	fake_host_attach(m, &host, image);
	machine_expect_native(m, PVROM_VERDICT_PATCH_FAILED);
	end();
}

/* ---- data-only mode ------------------------------------------------------------------------------ */

static void data_only_runs_no_foreign_code(void)
{
	uint64_t value;

	begin();
	machine_add_usual_sites(m);
	m->policy->flags = PVROM_POLICY_DATA_ONLY;
	CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->granted, m->policy->wanted);
	CU_ASSERT_EQUAL(host.sealed, m->policy->wanted);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	CU_ASSERT_EQUAL(m->writes, 0);
	CU_ASSERT_PTR_NULL(m->guest->copy);
	CU_ASSERT_EQUAL(m->allocs, m->frees);
	CU_ASSERT_EQUAL(pvrom_call(m->guest, PVROM_BASE_VERSION, 0, 0, 0, 0, &value),
			PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(value, (uint64_t)PVROM_MAJOR << 16 | PVROM_MINOR);
	end();
}

static void data_only_still_checks(void)
{
	begin();
	machine_add_usual_sites(m);
	m->policy->flags = PVROM_POLICY_DATA_ONLY;
	image[fixture_slot(image, PVROM_CPU_CLI)->text] = 0x90;
	fixture_seal(image);
	fake_host_attach(m, &host, image);
	machine_expect_native(m, PVROM_VERDICT_BAD_TEXT);
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

/* ---- faults and symbols -------------------------------------------------------------------------- */

static void fault_in_called_text(void)
{
	const struct pvrom_site *site;
	uint64_t stack[2], rip, rsp = (uint64_t)(uintptr_t)stack;

	begin_ready();
	site = site_of(PVROM_CPU_READ_CR0, 0);
	stack[0] = (uint64_t)(uintptr_t)machine_site_text(site) + site->length;
	for (uint32_t at = 0; at < fixture_slot(image, PVROM_CPU_READ_CR0)->text_size; at++) {
		rip = (uint64_t)(uintptr_t)copy_of(PVROM_CPU_READ_CR0) + at;
		rsp = (uint64_t)(uintptr_t)stack;
		CU_ASSERT_TRUE(pvrom_guest_fault_site(m->guest, &rip, &rsp));
		CU_ASSERT_EQUAL(rip, (uint64_t)(uintptr_t)machine_site_text(site));
		CU_ASSERT_EQUAL(rsp, (uint64_t)(uintptr_t)(stack + 1));
	}
	end();
}

static void fault_in_text_reached_by_jump(void)
{
	uint64_t stack[1] = { 0 }, rip, rsp = (uint64_t)(uintptr_t)stack;

	begin_ready();
	/* The interrupted code stood right behind a site: that is no return address. */
	stack[0] = (uint64_t)(uintptr_t)site_text(PVROM_CPU_CLI) + 5;
	rip = (uint64_t)(uintptr_t)copy_of(PVROM_CPU_IRET) + 4;
	CU_ASSERT_TRUE(pvrom_guest_fault_site(m->guest, &rip, &rsp));
	CU_ASSERT_EQUAL(rip, (uint64_t)(uintptr_t)site_text(PVROM_CPU_IRET));
	CU_ASSERT_EQUAL(rsp, (uint64_t)(uintptr_t)stack);
	end();
}

static void fault_elsewhere(void)
{
	uint64_t stack[1], rip, rsp = (uint64_t)(uintptr_t)stack;

	begin_ready();
	stack[0] = (uint64_t)(uintptr_t)site_text(PVROM_CPU_READ_CR0) + 5;
	rip = stack[0];
	CU_ASSERT_FALSE(pvrom_guest_fault_site(m->guest, &rip, &rsp));
	rip = (uint64_t)(uintptr_t)m->guest->copy; /* the header */
	CU_ASSERT_FALSE(pvrom_guest_fault_site(m->guest, &rip, &rsp));
	rip = (uint64_t)(uintptr_t)m->guest->copy + m->guest->copy_size;
	CU_ASSERT_FALSE(pvrom_guest_fault_site(m->guest, &rip, &rsp));
	/* In the text of another call than that of the site. */
	rip = (uint64_t)(uintptr_t)copy_of(PVROM_CPU_CLI);
	CU_ASSERT_FALSE(pvrom_guest_fault_site(m->guest, &rip, &rsp));
	/* Not returned to any site. */
	rip = (uint64_t)(uintptr_t)copy_of(PVROM_CPU_READ_CR0);
	stack[0]++;
	CU_ASSERT_FALSE(pvrom_guest_fault_site(m->guest, &rip, &rsp));
	CU_ASSERT_EQUAL(rip, (uint64_t)(uintptr_t)copy_of(PVROM_CPU_READ_CR0));
	CU_ASSERT_EQUAL(rsp, (uint64_t)(uintptr_t)stack);
	/* After un-patching nothing is ROM text. */
	stack[0]--;
	pvrom_guest_unpatch(m->guest);
	CU_ASSERT_FALSE(pvrom_guest_fault_site(m->guest, &rip, &rsp));
	end();
}

static void symbols(void)
{
	uint32_t offset = 99;
	const char *name;

	begin_ready();
	name = pvrom_guest_symbol(m->guest, copy_of(PVROM_CPU_READ_CR0) + 7, &offset);
	CU_ASSERT_PTR_NOT_NULL_FATAL(name);
	CU_ASSERT_STRING_EQUAL(name, "pvrom_text_read_cr0");
	CU_ASSERT_EQUAL(offset, 7);
	name = pvrom_guest_symbol(m->guest, copy_of(PVROM_CPU_CLI), &offset);
	CU_ASSERT_PTR_NOT_NULL_FATAL(name);
	CU_ASSERT_STRING_EQUAL(name, "pvrom_text_cli");
	CU_ASSERT_EQUAL(offset, 0);
	CU_ASSERT_PTR_NULL(pvrom_guest_symbol(m->guest, m->guest->copy, &offset));
	CU_ASSERT_PTR_NULL(pvrom_guest_symbol(m->guest, m->sites, &offset));
	/* Behind the end of a text, in the padding. */
	CU_ASSERT_PTR_NULL(pvrom_guest_symbol(m->guest, copy_of(PVROM_CPU_CLI) + 9, &offset));
	end();
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(native_form),
		{ "call_without_slot_is_native [PVROM-ROM-9]", call_without_slot_is_native },
		TAP_TEST(nop_form),
		{ "inline_form [PVROM-SITE-6]", inline_form },
		TAP_TEST(inline_form_that_does_not_fit),
		TAP_TEST(call_form),
		TAP_TEST(jump_form),
		{ "nopreempt_slots [PVROM-ROM-22]", nopreempt_slots },
		{ "only_the_granted_set_is_patched [PVROM-ROM-9]",
		  only_the_granted_set_is_patched },
		TAP_TEST(own_call_without_slot),
		TAP_TEST(own_call_with_data_only),
		TAP_TEST(own_call_is_behind_a_slot),
		TAP_TEST(own_call_only_if_granted),
		TAP_TEST(own_call_never_for_nocall),
		TAP_TEST(own_call_out_of_reach),
		TAP_TEST(patched_sites_run),
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
		TAP_TEST(area_by_gs),
		TAP_TEST(area_by_fs),
		TAP_TEST(area_by_register),
		TAP_TEST(area_by_register_runs),
		{ "no_area_no_slots_that_need_it [PVROM-ROM-24]", no_area_no_slots_that_need_it },
		TAP_TEST(return_thunk),
		TAP_TEST(return_thunk_out_of_reach),
		{ "data_only_runs_no_foreign_code [PVROM-ROM-30]", data_only_runs_no_foreign_code },
		TAP_TEST(data_only_still_checks),
		{ "bad_sites [PVROM-SITE-8]", bad_sites },
		{ "sites_that_overlap [PVROM-SITE-9]", sites_that_overlap },
		TAP_TEST(sites_that_touch),
		{ "site_out_of_reach [PVROM-SITE-8]", site_out_of_reach },
		{ "write_fails [PVROM-NEG-31 PVROM-NEG-32]", write_fails },
		TAP_TEST(write_and_unpatch_fail),
		TAP_TEST(no_sites_at_all),
		{ "fault_in_called_text [PVROM-CPU-2]", fault_in_called_text },
		TAP_TEST(fault_in_text_reached_by_jump),
		TAP_TEST(fault_elsewhere),
		TAP_TEST(symbols),
		{ 0 },
	};

	return tap_run("guest_patch", tests);
}
