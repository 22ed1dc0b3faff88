/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Patching: the bytes of each form at each kind of site, and that they run. */
#include "patch_tools.h"

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

/* Text for local APICs in x2APIC mode faults in any other. */
static void x2apic_slots(void)
{
	for (uint32_t x2apic = 0; x2apic < 2; x2apic++) {
		begin();
		machine_add_usual_sites(m);
		fixture_slot(image, PVROM_IRQ_EOI)->flags = PVROM_SLOT_X2APIC;
		fixture_seal(image);
		m->policy->flags = x2apic ? PVROM_POLICY_X2APIC : PVROM_POLICY_NOPREEMPT;
		CU_ASSERT_EQUAL(start(), PVROM_VERDICT_READY);
		if (x2apic)
			expect_branch(site_of(PVROM_IRQ_EOI, 0), 0xe8);
		else
			expect_native(site_of(PVROM_IRQ_EOI, 0));
		end();
	}
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
		{ "x2apic_slots [PVROM-ROM-33]", x2apic_slots },
		{ "only_the_granted_set_is_patched [PVROM-ROM-9]",
		  only_the_granted_set_is_patched },
		TAP_TEST(own_call_without_slot),
		TAP_TEST(own_call_with_data_only),
		TAP_TEST(own_call_is_behind_a_slot),
		TAP_TEST(own_call_only_if_granted),
		TAP_TEST(own_call_never_for_nocall),
		TAP_TEST(own_call_out_of_reach),
		TAP_TEST(patched_sites_run),
		{ 0 },
	};

	return tap_run("guest_patch", tests);
}
