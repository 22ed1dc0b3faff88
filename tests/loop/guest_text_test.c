/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What sites lead to: per-CPU areas, return thunks, data-only mode, faults inside ROM text, symbols. */
#include "patch_tools.h"

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
	/* A user's stack pointer, as before a sysret: it leads nowhere. */
	rip = (uint64_t)(uintptr_t)copy_of(PVROM_CPU_IRET) + 4;
	rsp = 0x8000000000000001;
	CU_ASSERT_TRUE(pvrom_guest_fault_site(m->guest, &rip, &rsp));
	CU_ASSERT_EQUAL(rsp, 0x8000000000000001);
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
		TAP_TEST(area_by_gs),
		TAP_TEST(area_by_fs),
		TAP_TEST(area_by_register),
		TAP_TEST(area_by_register_runs),
		{ "no_area_no_slots_that_need_it [PVROM-ROM-24]", no_area_no_slots_that_need_it },
		TAP_TEST(return_thunk),
		TAP_TEST(return_thunk_out_of_reach),
		{ "data_only_runs_no_foreign_code [PVROM-ROM-30]", data_only_runs_no_foreign_code },
		TAP_TEST(data_only_still_checks),
		{ "fault_in_called_text [PVROM-CPU-2]", fault_in_called_text },
		TAP_TEST(fault_in_text_reached_by_jump),
		TAP_TEST(fault_elsewhere),
		TAP_TEST(symbols),
		{ 0 },
	};

	return tap_run("guest_text", tests);
}
