/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Discovery by firmware tables, PCI expansion ROMs and the boot loader, from recorded and made-up images. */
#include "find_tools.h"
#include "recorded_firmware.h"

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

int main(void)
{
	static const struct tap_test tests[] = {
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
		{ 0 },
	};

	return tap_run("guest_firmware", tests);
}
