/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Discovery and loading: the four routes, live hosts and dead ones, and everything found that is no
 * good. Each refusal leaves the kernel's text as it was (machine_expect_native).
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <pvrom/guest.h>

#include "../cunit_tap.h"
#include "fake_host.h"
#include "guest_machine.h"
#include "recorded_firmware.h"

static uint8_t image[FIXTURE_MAX] __attribute__((aligned(16)));
static uint8_t other[FIXTURE_MAX] __attribute__((aligned(16)));
static struct machine *m;
static struct fake_host host;

/* A machine with sites, an image that is nowhere yet, and no host. */
static void begin(void)
{
	m = machine_new();
	machine_add_usual_sites(m);
	fixture_build(image, &fixture_usual);
}

/* The same with a host that names the image by CPUID. */
static void begin_with_host(void)
{
	begin();
	fake_host_attach(m, &host, image);
}

static void expect(uint32_t verdict)
{
	machine_expect_native(m, verdict);
	machine_free(m);
}

/* Starts and expects READY by a route. Leaves the machine for more questions. */
static void expect_ready(uint32_t route)
{
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->route, route);
	CU_ASSERT_EQUAL(m->guest->rom_checksum, fixture_header(image)->checksum);
	CU_ASSERT_EQUAL(m->guest->rom_size, fixture_header(image)->rom_size);
	CU_ASSERT_NOT_EQUAL(m->guest->patched, 0);
	CU_ASSERT_EQUAL(m->maps, m->unmaps);
}

/* Puts the image somewhere without leaves, with a live port and a host behind it. */
static void put_with_port(uint64_t gpa)
{
	fake_host_attach(m, &host, image);
	m->leaf_count = 0;
	m->hypervisor_bit = false;
	memset(machine_at(m, MACHINE_HOST_ROM), 0, FIXTURE_MAX);
	fake_host_set_rom(m, &host, gpa, image);
	machine_answer_port(m, image);
}

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

/* ---- route 3 ------------------------------------------------------------------------------------- */

/* The pointer of a UEFI configuration table entry is the address of a ROM, of unknown size. */
static void uefi_table(void)
{
	begin();
	put_with_port(MACHINE_PCI_ROM);
	m->firmware[m->firmware_count++].gpa = MACHINE_PCI_ROM;
	expect_ready(PVROM_ROUTE_FIRMWARE);
	machine_free(m);
}

/* Where the recorded tables lie in the memory of this machine. */
static uint8_t *recorded(uint64_t gpa)
{
	return machine_at(m, MACHINE_PCI_ROM + gpa % 0x10000);
}

static void put_uefi_tables(void)
{
	memcpy(recorded(RECORDED_SYSTEM_TABLE_GPA), recorded_system_table,
	       sizeof(recorded_system_table));
	memcpy(recorded(RECORDED_CONFIGURATION_GPA), recorded_configuration,
	       sizeof(recorded_configuration));
}

/* One more entry of the configuration table, as firmware that carries a ROM would make it. */
static void add_uefi_entry(uint64_t rom_gpa)
{
	static const uint8_t guid[16] = PVROM_UEFI_GUID_BYTES;
	uint8_t *table = recorded(RECORDED_SYSTEM_TABLE_GPA), *entry;
	uint64_t count;

	memcpy(&count, table + 0x68, 8);
	entry = recorded(RECORDED_CONFIGURATION_GPA) + 24 * count++;
	memcpy(entry, guid, 16);
	memcpy(entry + 16, &rom_gpa, 8);
	memcpy(table + 0x68, &count, 8);
}

/* What a kernel does for pvrom_os_firmware_rom(): the pointers of the entries with pvrom's GUID. */
static void look_in_uefi_tables(void)
{
	static const uint8_t guid[16] = PVROM_UEFI_GUID_BYTES;
	const uint8_t *table = recorded(RECORDED_SYSTEM_TABLE_GPA), *entry;
	uint64_t count, where;

	CU_ASSERT_EQUAL(memcmp(table, "IBI SYST", 8), 0);
	memcpy(&count, table + 0x68, 8);
	memcpy(&where, table + 0x70, 8);
	for (entry = recorded(where); count; count--, entry += 24)
		if (!memcmp(entry, guid, 16))
			memcpy(&m->firmware[m->firmware_count++].gpa, entry + 16, 8);
}

static void recorded_uefi_tables_without_rom(void)
{
	begin();
	put_uefi_tables();
	look_in_uefi_tables();
	CU_ASSERT_EQUAL(m->firmware_count, 0);
	expect(PVROM_VERDICT_NO_ROM);
}

static void recorded_uefi_tables_with_rom(void)
{
	begin();
	put_uefi_tables();
	add_uefi_entry(MACHINE_PCI_ROM + 0x20000);
	put_with_port(MACHINE_PCI_ROM + 0x20000);
	look_in_uefi_tables();
	CU_ASSERT_EQUAL(m->firmware_count, 1);
	expect_ready(PVROM_ROUTE_FIRMWARE);
	CU_ASSERT_EQUAL(m->guest->rom_gpa, MACHINE_PCI_ROM + 0x20000);
	machine_free(m);

	begin(); /* the entry is there, and points to nothing */
	put_uefi_tables();
	add_uefi_entry(MACHINE_PCI_ROM + 0x20000);
	look_in_uefi_tables();
	expect(PVROM_VERDICT_NO_ROM);
}

static void put_recorded_pci_rom(void)
{
	memcpy(machine_at(m, MACHINE_PCI_ROM), recorded_pci_first, sizeof(recorded_pci_first));
	memcpy(machine_at(m, MACHINE_PCI_ROM + RECORDED_PCI_SECOND), recorded_pci_second,
	       sizeof(recorded_pci_second));
	m->firmware[m->firmware_count++].gpa = MACHINE_PCI_ROM;
}

/* A card's own ROM: two images, none of them ours; and with ours behind them. */
static void recorded_pci_rom(void)
{
	begin();
	put_recorded_pci_rom();
	m->firmware[0].size = RECORDED_PCI_SIZE;
	expect(PVROM_VERDICT_NO_ROM);

	begin();
	put_with_port(MACHINE_PCI_ROM + RECORDED_PCI_SIZE);
	put_recorded_pci_rom();
	expect(PVROM_VERDICT_NO_ROM); /* the second image says that it is the last */

	begin();
	put_with_port(MACHINE_PCI_ROM + RECORDED_PCI_SIZE);
	put_recorded_pci_rom();
	((uint8_t *)machine_at(m, MACHINE_PCI_ROM + RECORDED_PCI_SECOND))[0x1c + 0x15] = 0;
	expect_ready(PVROM_ROUTE_FIRMWARE);
	CU_ASSERT_EQUAL(m->guest->rom_gpa, MACHINE_PCI_ROM + RECORDED_PCI_SIZE);
	machine_free(m);
}

/* A PCI expansion ROM of three images: x86 BIOS code, EFI, and ours (PCI Firmware Spec. 3.0, 5.1). */
static void put_pci_image(uint64_t gpa, uint8_t type, uint16_t blocks, bool last)
{
	uint8_t *p = machine_at(m, gpa);

	memset(p, 0, 0x60);
	memcpy(p, "\x55\xaa", 2);
	p[2] = (uint8_t)blocks;
	p[0x18] = 0x1c;
	memcpy(p + 0x1c, "PCIR\x86\x80\x39\x10", 8);
	p[0x1c + 0x0a] = 0x18;
	p[0x1c + 0x10] = (uint8_t)blocks;
	p[0x1c + 0x11] = (uint8_t)(blocks >> 8);
	p[0x1c + 0x14] = type;
	p[0x1c + 0x15] = last ? 0x80 : 0;
}

static void pci_rom_of_three_images(void)
{
	begin();
	put_with_port(MACHINE_PCI_ROM + 0x800 + 0x10000);
	put_pci_image(MACHINE_PCI_ROM, 0, 4, false);
	put_pci_image(MACHINE_PCI_ROM + 0x800, 3, 0x80, false);
	m->firmware[0].gpa = 0x3c0000; /* another card, with nothing for us */
	put_pci_image(0x3c0000, 0, 4, true);
	m->firmware[1].gpa = MACHINE_PCI_ROM;
	m->firmware[1].size = 0x20000;
	m->firmware_count = 2;
	expect_ready(PVROM_ROUTE_FIRMWARE);
	CU_ASSERT_EQUAL(m->guest->rom_gpa, MACHINE_PCI_ROM + 0x800 + 0x10000);
	machine_free(m);
}

/* Chains that end, leave the ROM, or go round. */
static void pci_rom_that_leads_nowhere(void)
{
	begin();
	put_pci_image(MACHINE_PCI_ROM, 0, 4, true); /* the last: what follows is not looked at */
	machine_put_rom(m, MACHINE_PCI_ROM + 0x800, image);
	put_pci_image(MACHINE_PCI_ROM + 0x10000, 0, 0, false);	    /* length 0 */
	put_pci_image(MACHINE_PCI_ROM + 0x20000, 0, 0xffff, false); /* leaves the memory */
	put_pci_image(MACHINE_PCI_ROM + 0x30000, 0, 4, false);	    /* leaves the ROM's room */
	machine_put_rom(m, MACHINE_PCI_ROM + 0x30800, image);
	for (uint32_t i = 0; i < 4; i++)
		m->firmware[i].gpa = MACHINE_PCI_ROM + i * 0x10000;
	m->firmware[3].size = 0x800;
	m->firmware_count = 4;
	expect(PVROM_VERDICT_NO_ROM);

	for (uint32_t i = 0; i < 4; i++) { /* no PCI data structure: one letter is wrong */
		begin();
		put_pci_image(MACHINE_PCI_ROM, 0, 4, false);
		((uint8_t *)machine_at(m, MACHINE_PCI_ROM))[0x1c + i] ^= 1;
		machine_put_rom(m, MACHINE_PCI_ROM + 0x800, image);
		m->firmware[m->firmware_count++].gpa = MACHINE_PCI_ROM;
		expect(PVROM_VERDICT_NO_ROM);
	}
}

static void pci_rom_smaller_than_its_image(void)
{
	begin();
	machine_put_rom(m, MACHINE_PCI_ROM, image);
	m->firmware[0].gpa = MACHINE_PCI_ROM;
	m->firmware[0].size = fixture_header(image)->rom_size - 1;
	m->firmware_count = 1;
	expect(PVROM_VERDICT_TRUNCATED);
}

/* ---- route 4 ------------------------------------------------------------------------------------- */

static void loader(void)
{
	begin();
	put_with_port(MACHINE_LOADER_ROM);
	m->policy->loader_gpa = MACHINE_LOADER_ROM;
	m->policy->loader_size = fixture_header(image)->rom_size;
	expect_ready(PVROM_ROUTE_LOADER);
	machine_free(m);

	begin(); /* at an odd address, size not known: a module of a boot loader */
	put_with_port(MACHINE_LOADER_ROM + 3);
	m->policy->loader_gpa = MACHINE_LOADER_ROM + 3;
	expect_ready(PVROM_ROUTE_LOADER);
	machine_free(m);
}

static void loader_truncated(void)
{
	begin();
	put_with_port(MACHINE_LOADER_ROM);
	m->policy->loader_gpa = MACHINE_LOADER_ROM;
	m->policy->loader_size = fixture_header(image)->rom_size - 1;
	expect(PVROM_VERDICT_TRUNCATED);

	begin();
	m->policy->loader_gpa = MACHINE_LOADER_ROM;
	m->policy->loader_size = 0x9f;
	expect(PVROM_VERDICT_TRUNCATED);
}

static void loader_without_rom(void)
{
	begin();
	m->policy->loader_gpa = MACHINE_LOADER_ROM;
	expect(PVROM_VERDICT_BAD_SIGNATURE);

	begin();
	m->policy->loader_gpa = MACHINE_SIZE;
	expect(PVROM_VERDICT_NO_ROM);

	begin();
	m->policy->loader_gpa = UINT64_MAX - 8;
	expect(PVROM_VERDICT_NO_ROM);
}

static void loader_rom_without_memory_behind(void)
{
	begin();
	fixture_header(image)->rom_size = 0x1000; /* the header in memory, the rest not */
	memcpy(machine_at(m, MACHINE_SIZE - 0x200), image, 0x200);
	m->policy->loader_gpa = MACHINE_SIZE - 0x200;
	expect(PVROM_VERDICT_TRUNCATED);
}

/* ---- loading ------------------------------------------------------------------------------------- */

static void truncated(void)
{
	begin();
	fake_host_attach(m, &host, image);
	memcpy(machine_at(m, MACHINE_SIZE - 0x200), image, 0x200);
	m->leaves[0].regs[2][0] = MACHINE_SIZE - 0x200;
	expect(PVROM_VERDICT_TRUNCATED);
}

static void bad_checksum(void)
{
	begin_with_host();
	((uint8_t *)machine_at(m, MACHINE_HOST_ROM))[0x1ff] ^= 1;
	machine_expect_native(m, PVROM_VERDICT_BAD_CHECKSUM);
	CU_ASSERT_EQUAL(m->hypercalls, 0);
	machine_free(m);
}

/* A few of guest_check_test.c's, to see that loading asks for the same. */
static void malformed(void)
{
	static const struct {
		uint32_t offset, value, verdict;
	} wrong[] = {
		{ 0x38, 0x100000, PVROM_VERDICT_BAD_SLOTS },
		{ 0x60, 0x20, PVROM_VERDICT_BAD_TEXT },
		{ 0x60, 0xfffffff0, PVROM_VERDICT_BAD_TEXT },
		{ 0x40, 0x100000, PVROM_VERDICT_BAD_RELOCATION },
		{ 0x74, 1, PVROM_VERDICT_BAD_HEADER },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		begin();
		memcpy(image + wrong[i].offset, &wrong[i].value, 4);
		fixture_seal(image);
		fake_host_attach(m, &host, image);
		machine_expect_native(m, wrong[i].verdict);
		CU_ASSERT_EQUAL(m->hypercalls, 0);
		machine_free(m);
	}
}

static void relocation_that_leaves_its_slot(void)
{
	begin();
	fixture_reloc(image, 0)->offset = fixture_slot(image, PVROM_CPU_READ_CR0)->text;
	fixture_seal(image);
	fake_host_attach(m, &host, image);
	expect(PVROM_VERDICT_BAD_RELOCATION);
}

static void no_memory(void)
{
	begin_with_host();
	m->fail_alloc = 1;
	expect(PVROM_VERDICT_NO_MEMORY);
}

static void seal_fails(void)
{
	begin_with_host();
	m->fail_seal = 1;
	expect(PVROM_VERDICT_PATCH_FAILED);
}

/* ---- a ROM that changes -------------------------------------------------------------------------- */

/* Between finding and loading, in the header, as if the host had put another one there. */
static void change_header(struct machine *machine, uint64_t gpa, size_t size)
{
	(void)gpa;
	if (size == fixture_header(image)->rom_size)
		fixture_header(machine_at(machine, MACHINE_HOST_ROM))->checksum ^= 1;
}

static void rom_replaced_before_loading(void)
{
	begin_with_host();
	m->on_map = change_header;
	expect(PVROM_VERDICT_ROM_CHANGED);
}

/*
 * While it is read: the last page of the ROM cannot be touched until the reader has come that far;
 * then a byte in the first page, which has been read, changes. (The page after the header's, so
 * that nothing but the second reading can notice.)
 */
static uint8_t *trap_page;
static size_t traps;

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	if ((uintptr_t)info->si_addr - (uintptr_t)trap_page >= 0x1000 || traps++)
		_Exit(3);
	trap_page[-0x800] ^= 1;
	mprotect(trap_page, 0x1000, PROT_READ | PROT_WRITE);
}

static void arm_trap(struct machine *machine, uint64_t gpa, size_t size)
{
	(void)gpa;
	if (size == fixture_header(image)->rom_size && !traps)
		mprotect(trap_page, 0x1000, PROT_NONE);
	(void)machine;
}

static void rom_changes_while_it_is_read(void)
{
	const struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	struct fixture_rom large = fixture_usual;
	struct sigaction before;

	large.pad_to = 0x2000;
	begin();
	fixture_build(image, &large);
	fake_host_attach(m, &host, image);
	trap_page = machine_at(m, MACHINE_HOST_ROM + 0x1000);
	traps = 0;
	m->on_map = arm_trap;
	sigaction(SIGSEGV, &action, &before);
	machine_expect_native(m, PVROM_VERDICT_ROM_CHANGED);
	sigaction(SIGSEGV, &before, NULL);
	CU_ASSERT_EQUAL(traps, 1);
	machine_free(m);
}

/* After it was read nobody looks there any more. */
static void rom_that_changes_later_does_not_matter(void)
{
	uint8_t *copy_before;

	begin_with_host();
	expect_ready(PVROM_ROUTE_CPUID);
	copy_before = m->guest->copy;
	memset(machine_at(m, MACHINE_HOST_ROM), 0xff, 0x2000);
	pvrom_guest_unpatch(m->guest);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	CU_ASSERT_EQUAL(pvrom_guest_patch(m->guest, m->sites, m->site_count), PVROM_VERDICT_READY);
	CU_ASSERT_PTR_EQUAL(m->guest->copy, copy_before);
	machine_free(m);
}

/* ---- the list of allowed digests ----------------------------------------------------------------- */

/* By sha256sum of a file with the usual image: taken from the shim's own answer, and compared with
 * the independent vectors in tests/unit/digest_test.c. */
static void allow_list(void)
{
	static uint8_t allowed[2][PVROM_DIGEST_SIZE];

	begin_with_host();
	expect_ready(PVROM_ROUTE_CPUID);
	memcpy(allowed[1], m->guest->digest, PVROM_DIGEST_SIZE);
	machine_free(m);

	begin_with_host();
	m->policy->allowed = (const uint8_t(*)[PVROM_DIGEST_SIZE])allowed;
	m->policy->allowed_count = 2;
	expect_ready(PVROM_ROUTE_CPUID);
	machine_free(m);

	begin_with_host();
	allowed[1][31] ^= 1;
	m->policy->allowed = (const uint8_t(*)[PVROM_DIGEST_SIZE])allowed;
	m->policy->allowed_count = 2;
	machine_expect_native(m, PVROM_VERDICT_NOT_ALLOWED);
	CU_ASSERT_EQUAL(m->hypercalls, 0);
	CU_ASSERT_EQUAL(m->guest->digest[31], allowed[1][31] ^ 1); /* for the log */
	machine_free(m);

	begin_with_host(); /* behind the end of the list there is nothing */
	allowed[1][31] ^= 1;
	m->policy->allowed = (const uint8_t(*)[PVROM_DIGEST_SIZE])allowed;
	m->policy->allowed_count = 1;
	expect(PVROM_VERDICT_NOT_ALLOWED);

	begin_with_host(); /* an empty list allows none */
	m->policy->allowed = (const uint8_t(*)[PVROM_DIGEST_SIZE])allowed;
	expect(PVROM_VERDICT_NOT_ALLOWED);
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
		{ "uefi_table [PVROM-DISC-10]", uefi_table },
		{ "recorded_uefi_tables_without_rom [PVROM-DISC-10]",
		  recorded_uefi_tables_without_rom },
		{ "recorded_uefi_tables_with_rom [PVROM-DISC-10]", recorded_uefi_tables_with_rom },
		{ "recorded_pci_rom [PVROM-DISC-11]", recorded_pci_rom },
		{ "pci_rom_of_three_images [PVROM-DISC-11]", pci_rom_of_three_images },
		TAP_TEST(pci_rom_that_leads_nowhere),
		TAP_TEST(pci_rom_smaller_than_its_image),
		{ "loader [PVROM-DISC-13]", loader },
		TAP_TEST(loader_truncated),
		TAP_TEST(loader_without_rom),
		TAP_TEST(loader_rom_without_memory_behind),
		TAP_TEST(truncated),
		{ "bad_checksum [PVROM-ROM-26 PVROM-DISC-23]", bad_checksum },
		{ "malformed [PVROM-ROM-26 PVROM-DISC-23]", malformed },
		TAP_TEST(relocation_that_leaves_its_slot),
		TAP_TEST(no_memory),
		{ "seal_fails [PVROM-ROM-28]", seal_fails },
		{ "rom_replaced_before_loading [PVROM-ROM-27]", rom_replaced_before_loading },
		{ "rom_changes_while_it_is_read [PVROM-ROM-27]", rom_changes_while_it_is_read },
		{ "rom_that_changes_later_does_not_matter [PVROM-ROM-25]",
		  rom_that_changes_later_does_not_matter },
		{ "allow_list [PVROM-ROM-29]", allow_list },
		{ 0 },
	};

	return tap_run("guest_find", tests);
}
