/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Discovery by CPUID leaves and in the option ROM window, versions, live hosts and dead ones. Each refusal
 * leaves the kernel's text as it was (machine_expect_native).
 */
#include "find_tools.h"

static uint8_t other[FIXTURE_MAX] __attribute__((aligned(16)));

/* ---- nothing there ------------------------------------------------------------------------------- */

static void no_rom(void)
{
	begin();
	machine_expect_native(m, PVROM_VERDICT_NO_ROM);
	CU_ASSERT_EQUAL(m->cpuids, 1); /* on bare metal no hypervisor leaf is read */
	CU_ASSERT_EQUAL(m->port_accesses, 0);
	CU_ASSERT_EQUAL(m->hypercalls, 0);
	machine_free(m);
}

static void no_rom_under_a_stranger(void)
{
	begin();
	m->leaves[m->leaf_count++] = (struct machine_leaves){
		.base = 0x40000000, /* "KVMKVMKVM" */
		.regs = { { 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d } },
	};
	m->hypervisor_bit = true;
	machine_expect_native(m, PVROM_VERDICT_NO_ROM);
	CU_ASSERT_EQUAL(m->port_accesses, 0);
	CU_ASSERT_EQUAL(m->hypercalls, 0);
	machine_free(m);
}

static void switched_off(void)
{
	begin_with_host();
	m->policy->flags = PVROM_POLICY_OFF;
	machine_expect_native(m, PVROM_VERDICT_SWITCHED_OFF);
	CU_ASSERT_EQUAL(m->cpuids, 0);
	CU_ASSERT_EQUAL(m->maps, 0);
	machine_free(m);
}

/* ---- route 1 ------------------------------------------------------------------------------------- */

static void cpuid_route(void)
{
	begin_with_host();
	expect_ready(PVROM_ROUTE_CPUID);
	CU_ASSERT_EQUAL(m->port_accesses, 0);
	CU_ASSERT_EQUAL(m->guest->transport, PVROM_TRANSPORT_PORT);
	CU_ASSERT_EQUAL(m->guest->transport_port, 0x50);
	machine_free(m);
}

static void cpuid_route_at_each_base(void)
{
	for (uint32_t base = 0x40000000; base <= 0x4000ff00; base += 0x3f00) {
		begin_with_host();
		m->leaves[0].base = base;
		m->leaves[0].regs[0][0] = base + 0xff;
		expect_ready(PVROM_ROUTE_CPUID);
		machine_free(m);
	}
	begin_with_host();
	m->leaves[0].base = 0x40010000; /* one past the last */
	m->leaves[0].regs[0][0] = 0x40010002;
	expect(PVROM_VERDICT_NO_ROM);
}

static void cpuid_needs_the_hypervisor_bit(void)
{
	begin_with_host();
	m->hypervisor_bit = false;
	expect(PVROM_VERDICT_NO_ROM);
}

/* The signature with a maximum outside the block is the data of some other leaf. */
static void cpuid_maximum_outside_its_block(void)
{
	static const uint32_t wrong[] = { 0x16, 0x40000000, 0x40000101, 0x40000200, 0xffffffff };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		begin_with_host();
		m->leaves[0].regs[0][0] = wrong[i];
		expect(PVROM_VERDICT_NO_ROM);
	}
}

/* Each word of the leaves that can lie, lies. */
static void cpuid_leaves_lie(void)
{
	static const struct {
		uint8_t leaf, reg;
		uint32_t flip;
	} lie[] = {
		{ 1, 0, 1 },	      /* minor */
		{ 1, 1, 1 },	      /* reserved */
		{ 1, 2, 0x200 },      /* size, a right one */
		{ 1, 2, 1 },	      /* size, an impossible one */
		{ 1, 2, 0x80000000 }, /* size, a huge one */
		{ 1, 3, 1 },	      /* checksum */
		{ 2, 0, 0x1000 },     /* address: nothing there */
		{ 2, 1, 1 },	      /* address: no memory there */
		{ 2, 1, 0xffffffff }, /* address: wraps */
		{ 2, 2, 3 },	      /* transport: none, with a port */
		{ 2, 2, 4 },	      /* transport: unknown */
		{ 2, 2, 0x10000 },    /* port: another */
		{ 2, 2, 0x1000000 },  /* port: too large */
		{ 2, 3, 1 },	      /* reserved */
	};

	for (size_t i = 0; i < sizeof(lie) / sizeof(lie[0]); i++) {
		begin_with_host();
		m->leaves[0].regs[lie[i].leaf][lie[i].reg] ^= lie[i].flip;
		machine_expect_native(m, PVROM_VERDICT_CPUID_LIES);
		CU_ASSERT_EQUAL(m->hypercalls, 0);
		CU_ASSERT_EQUAL(pvrom_call(m->guest, PVROM_BASE_VERSION, 0, 0, 0, 0, NULL),
				PVROM_STATUS_NOT_SUPPORTED);
		CU_ASSERT_EQUAL(m->hypercalls, 0);
		machine_free(m);
	}
}

static void cpuid_names_what_is_no_rom(void)
{
	begin_with_host();
	memset(machine_at(m, MACHINE_HOST_ROM + 0x20), 0, 8);
	expect(PVROM_VERDICT_CPUID_LIES);
}

/* ---- versions ------------------------------------------------------------------------------------ */

static void wrong_major(void)
{
	begin();
	fixture_header(image)->major = PVROM_MAJOR + 1;
	fixture_seal(image);
	fake_host_attach(m, &host, image);
	machine_expect_native(m, PVROM_VERDICT_WRONG_MAJOR);
	CU_ASSERT_EQUAL(m->hypercalls, 0);
	machine_free(m);

	begin();
	fixture_header(image)->major = 0;
	fixture_seal(image);
	machine_put_rom(m, 0xd0000, image);
	expect(PVROM_VERDICT_WRONG_MAJOR);
}

static void old_minor(void)
{
	begin_with_host();
	m->policy->minor_min = PVROM_MINOR + 1;
	expect(PVROM_VERDICT_OLD_MINOR);
}

static void newer_minor(void)
{
	begin();
	fixture_header(image)->minor = PVROM_MINOR + 7;
	fixture_seal(image);
	fake_host_attach(m, &host, image);
	m->policy->minor_min = PVROM_MINOR + 1;
	expect_ready(PVROM_ROUTE_CPUID);
	CU_ASSERT_EQUAL(m->guest->rom_minor, PVROM_MINOR + 7);
	machine_free(m);
}

/* Several majors side by side: the one that we know, whatever the order. */
static void several_majors(void)
{
	for (int order = 0; order < 2; order++) {
		begin_with_host();
		fixture_build(other, &fixture_usual);
		fixture_header(other)->major = PVROM_MAJOR + 1;
		fixture_seal(other);
		machine_put_rom(m, MACHINE_LOADER_ROM, other);
		machine_name_rom(m, order ? 0x40000000 : 0x40000200, MACHINE_LOADER_ROM, other);
		expect_ready(PVROM_ROUTE_CPUID);
		machine_free(m);
	}
}

/* What leaves of another major say is nobody's business. */
static void other_major_may_say_what_it_likes(void)
{
	begin_with_host();
	fixture_build(other, &fixture_usual);
	fixture_header(other)->major = PVROM_MAJOR + 1;
	machine_name_rom(m, 0x40000200, 0, other)->regs[1][2] = 7;
	expect_ready(PVROM_ROUTE_CPUID);
	machine_free(m);
}

/* Where several things are wrong, the first route that found one says what. */
static void first_reason_is_kept(void)
{
	begin();
	fixture_header(image)->major = PVROM_MAJOR + 1;
	machine_put_rom(m, 0xd0000, image);
	m->policy->loader_gpa = MACHINE_LOADER_ROM; /* where nothing is */
	expect(PVROM_VERDICT_WRONG_MAJOR);
}

static void two_roms(void)
{
	begin_with_host();
	fixture_build(other, &fixture_usual);
	fixture_header(other)->live_key ^= 1;
	fixture_seal(other);
	machine_put_rom(m, MACHINE_LOADER_ROM, other);
	machine_name_rom(m, 0x40000300, MACHINE_LOADER_ROM, other);
	expect(PVROM_VERDICT_TWO_ROMS);

	begin_with_host(); /* the second one in the window */
	machine_put_rom(m, 0xd0000, other);
	expect(PVROM_VERDICT_TWO_ROMS);

	begin(); /* both in the window */
	machine_put_rom(m, 0xc8000, image);
	machine_put_rom(m, 0xd0000, other);
	expect(PVROM_VERDICT_TWO_ROMS);
}

/* One ROM found twice is one ROM. */
static void same_rom_twice(void)
{
	begin_with_host();
	machine_put_rom(m, 0xd0000, image);
	machine_name_rom(m, 0x40000300, MACHINE_HOST_ROM, image);
	m->policy->loader_gpa = MACHINE_LOADER_ROM;
	machine_put_rom(m, MACHINE_LOADER_ROM, image);
	expect_ready(PVROM_ROUTE_CPUID);
	machine_free(m);
}

/* ---- route 2 ------------------------------------------------------------------------------------- */

static void window_with_live_port(void)
{
	static const uint32_t places[] = { 0xc0000, 0xc0800, 0xd7800 };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		begin();
		put_with_port(places[i]);
		expect_ready(PVROM_ROUTE_WINDOW);
		CU_ASSERT_EQUAL(m->port_accesses, 3);
		machine_free(m);
	}
}

/* The leaf may name another copy than the one in the window: same size and checksum. */
static void window_with_leaf(void)
{
	begin();
	fake_host_attach(m, &host, image);
	m->leaves[0].regs[2][0] = 0x3f0000; /* and it may be gone there */
	fake_host_set_rom(m, &host, 0xd0000, image);
	expect_ready(PVROM_ROUTE_WINDOW);
	CU_ASSERT_EQUAL(m->port_accesses, 0);
	machine_free(m);
}

static void window_without_host(void)
{
	begin();
	machine_put_rom(m, 0xd0000, image);
	machine_expect_native(m, PVROM_VERDICT_NO_HOST);
	CU_ASSERT_EQUAL(m->guest->route, PVROM_ROUTE_WINDOW);
	CU_ASSERT_EQUAL(m->guest->rom_major, PVROM_MAJOR);
	CU_ASSERT_EQUAL(m->hypercalls, 0);
	CU_ASSERT_EQUAL(m->port_accesses, 1); /* the port that the ROM declares, once */
	CU_ASSERT_EQUAL(pvrom_call(m->guest, PVROM_BASE_VERSION, 0, 0, 0, 0, NULL),
			PVROM_STATUS_NOT_SUPPORTED);
	machine_free(m);
}

static void window_without_port(void)
{
	begin();
	fixture_header(image)->live_port = 0;
	fixture_seal(image);
	machine_put_rom(m, 0xd0000, image);
	machine_expect_native(m, PVROM_VERDICT_NO_HOST);
	CU_ASSERT_EQUAL(m->port_accesses, 0);
	machine_free(m);
}

/* Things that answer a port and are not our host: a wrong key, a latch that keeps what is written. */
static void port_that_is_something_else(void)
{
	begin();
	put_with_port(0xd0000);
	m->live_key ^= 0x100;
	expect(PVROM_VERDICT_NO_HOST);

	begin();
	fixture_header(image)->live_key = 0xffffffff; /* what an empty bus reads */
	fixture_seal(image);
	machine_put_rom(m, 0xd0000, image);
	expect(PVROM_VERDICT_NO_HOST);
}

/* Without the leaf vmcall and vmmcall are never executed, whatever the port says. */
static void port_but_no_leaf_for_vmcall(void)
{
	for (uint16_t transport = 0; transport < PVROM_TRANSPORT_PORT; transport++) {
		begin();
		fixture_header(image)->transport = transport;
		fixture_header(image)->transport_port = 0;
		fixture_seal(image);
		put_with_port(0xd0000);
		machine_expect_native(m, PVROM_VERDICT_NO_TRANSPORT);
		CU_ASSERT_EQUAL(m->hypercalls, 0);
		machine_free(m);
	}
}

static void leaf_for_vmcall(void)
{
	begin();
	fixture_header(image)->transport = PVROM_TRANSPORT_VMMCALL;
	fixture_header(image)->transport_port = 0;
	fixture_seal(image);
	fake_host_attach(m, &host, image);
	expect_ready(PVROM_ROUTE_CPUID);
	CU_ASSERT_EQUAL(m->guest->transport, PVROM_TRANSPORT_VMMCALL);
	machine_free(m);

	begin();
	fixture_header(image)->transport = PVROM_TRANSPORT_NONE;
	fixture_header(image)->transport_port = 0;
	fixture_seal(image);
	fake_host_attach(m, &host, image);
	expect(PVROM_VERDICT_NO_TRANSPORT);
}

/* Other people's option ROMs: right, with a wrong checksum, with an absurd length. */
static void strangers_in_the_window(void)
{
	begin();
	for (uint32_t gpa = 0xc0000; gpa < 0xd8000; gpa += 0x800) {
		uint8_t *p = machine_at(m, gpa);

		p[0] = 0x55;
		p[1] = 0xaa;
		p[2] = (uint8_t)(gpa >> 8);
		memset(p + 3, (int)(gpa >> 12), 0x100);
		memcpy(p + 0x30, "\x00\x40\x00\x00", 4); /* not a size: it is no ROM of ours */
	}
	put_with_port(0xd8000);
	expect_ready(PVROM_ROUTE_WINDOW);
	machine_free(m);
}

static void window_bad_checksum(void)
{
	begin();
	put_with_port(0xd0000);
	((uint8_t *)machine_at(m, 0xd0000))[image[2] * 512 - 1] ^= 1;
	machine_expect_native(m, PVROM_VERDICT_BAD_CHECKSUM);
	CU_ASSERT_EQUAL(m->port_accesses, 0); /* a header that may be wrong names no port */
	machine_free(m);
}

static void window_truncated(void)
{
	struct fixture_rom large = fixture_usual;

	large.pad_to = 0x1000;
	begin();
	fixture_build(image, &large);
	machine_put_rom(m, 0xef800, image); /* reaches past the window */
	expect(PVROM_VERDICT_TRUNCATED);
}

static void window_bad_size(void)
{
	begin();
	fixture_header(image)->rom_size += 4;
	machine_put_rom(m, 0xd0000, image);
	expect(PVROM_VERDICT_BAD_HEADER);
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "no_rom [PVROM-DISC-1 PVROM-SEC-5]", no_rom },
		TAP_TEST(no_rom_under_a_stranger),
		TAP_TEST(switched_off),
		TAP_TEST(cpuid_route),
		{ "cpuid_route_at_each_base [PVROM-DISC-2]", cpuid_route_at_each_base },
		{ "cpuid_needs_the_hypervisor_bit [PVROM-DISC-1]", cpuid_needs_the_hypervisor_bit },
		{ "cpuid_maximum_outside_its_block [PVROM-DISC-3]",
		  cpuid_maximum_outside_its_block },
		{ "cpuid_leaves_lie [PVROM-DISC-6 PVROM-DISC-16]", cpuid_leaves_lie },
		TAP_TEST(cpuid_names_what_is_no_rom),
		{ "wrong_major [PVROM-CONF-9]", wrong_major },
		TAP_TEST(old_minor),
		{ "newer_minor [PVROM-CONF-10]", newer_minor },
		{ "several_majors [PVROM-DISC-14]", several_majors },
		TAP_TEST(other_major_may_say_what_it_likes),
		TAP_TEST(first_reason_is_kept),
		{ "two_roms [PVROM-DISC-15]", two_roms },
		TAP_TEST(same_rom_twice),
		{ "window_with_live_port [PVROM-DISC-8 PVROM-DISC-20]", window_with_live_port },
		TAP_TEST(window_with_leaf),
		{ "window_without_host [PVROM-DISC-16 PVROM-DISC-18]", window_without_host },
		TAP_TEST(window_without_port),
		{ "port_that_is_something_else [PVROM-DISC-20]", port_that_is_something_else },
		{ "port_but_no_leaf_for_vmcall [PVROM-DISC-17]", port_but_no_leaf_for_vmcall },
		TAP_TEST(leaf_for_vmcall),
		{ "strangers_in_the_window [PVROM-DISC-9]", strangers_in_the_window },
		{ "window_bad_checksum [PVROM-DISC-21]", window_bad_checksum },
		TAP_TEST(window_truncated),
		TAP_TEST(window_bad_size),
		{ 0 },
	};

	return tap_run("guest_find", tests);
}
