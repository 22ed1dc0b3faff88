/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* ROMs that lie to pvrom-probe.efi, in a process: each is refused with its own reason, and nobody is called. */
#include "efi_world.h"

#include <string.h>

#include "../../digest/digest.h"

static void make_sums_right(uint8_t *copy)
{
	struct pvrom_rom_header *header = (struct pvrom_rom_header *)(void *)copy;
	uint8_t sum = 0;

	header->checksum = pvrom_rom_checksum(copy, world.rom_size);
	for (size_t i = 0; i < world.rom_size; i++)
		sum = (uint8_t)(sum + copy[i]);
	header->option_fixup = (uint8_t)(header->option_fixup - sum);
}

/* A copy with one byte changed, as a PCI device's of that room. */
static void expect_refused(size_t at, uint8_t byte, int64_t more, bool sums, const char *why)
{
	uint8_t *copy;

	world_start();
	copy = world_copy(4096);
	copy[at] = byte;
	if (sums)
		make_sums_right(copy);
	world_pci(copy, (uint64_t)((int64_t)world.rom_size + more));
	CU_ASSERT_EQUAL(world_run("--try"), EFI_SECURITY_VIOLATION);
	if (!world_said(why))
		tap_note("at %zu: no \"%s\" but %s", at, why, world.console);
	CU_ASSERT_TRUE(world_said(why));
	CU_ASSERT_TRUE(world_said("\nfeatures    none: the ROM is refused\r\n"));
	CU_ASSERT_EQUAL(world.calls, 0);
}

#define AT(field) __builtin_offsetof(struct pvrom_rom_header, field)

static void each_lie_has_its_reason(void)
{
	world_start();
	expect_refused(world.rom_size - 1, (uint8_t)~world.rom[world.rom_size - 1], 0, false,
		       "\nROM         refused: bad checksum\r\n");
	expect_refused(AT(rom_size) + 1, 0x7e, 0, false,
		       "\nROM         refused: truncated ROM\r\n");
	expect_refused(0, 0x55, -16, false, "\nROM         refused: truncated ROM\r\n");
	expect_refused(AT(major), PVROM_MAJOR + 1, 0, true,
		       "\nROM         refused: wrong major version\r\n");
	expect_refused(AT(rom_size), 1, 0, false,
		       "\nROM         refused: malformed ROM header\r\n");
	expect_refused(AT(pci_offset) + 1, 0xff, 0, true,
		       "\nROM         refused: malformed ROM header\r\n");
	expect_refused(AT(slot_offset) + 1, 0xff, 0, true,
		       "\nROM         refused: slot table outside the ROM or malformed\r\n");
}

/* What is no ROM of ours is nobody's business, however it lies. */
static void strangers_are_stepped_over(void)
{
	uint8_t *copy;

	world_start();
	copy = world_copy(0);
	copy[AT(signature)] ^= 1;
	copy[AT(pci_offset)] = copy[AT(pci_offset) + 1] = 0xff;
	world_pci(copy, world.rom_size);
	CU_ASSERT_EQUAL(world_run("--try"), EFI_NOT_FOUND);
	made_up.rom[0].size = 8;
	CU_ASSERT_NOT_EQUAL(world_run(""), EFI_SUCCESS);
	world_start();
	world_table((const uint8_t *)(uintptr_t)0xdead000);
	world_pci((const uint8_t *)(uintptr_t)0xdead000, 4096);
	CU_ASSERT_EQUAL(world_run("--try"), EFI_NOT_FOUND);
}

static void two_that_differ(void)
{
	uint8_t *copy;

	world_start();
	world.fault.silent = true;
	world_pci(world.rom, world.rom_size);
	copy = world_copy(0);
	copy[AT(live_key)] ^= 1;
	make_sums_right(copy);
	world_table(copy);
	CU_ASSERT_EQUAL(world_run(""), EFI_SECURITY_VIOLATION);
	CU_ASSERT_TRUE(world_said("\nROM         refused: two ROMs of one major version\r\n"));
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(each_lie_has_its_reason),
		TAP_TEST(strangers_are_stepped_over),
		TAP_TEST(two_that_differ),
		{ 0 },
	};

	return tap_run("probe_efi_rom", tests);
}
