/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* --try of pvrom-probe.efi, in a process: what it negotiates with the real host half, and with one that has faults. */
#include "efi_world.h"

#include <string.h>

#define CLOCK_WORKS "\nclock       yes  yes      no       yes      yes      yes\r\n"

static void start(void)
{
	world_start();
	world_pci(world.rom, world.rom_size);
}

/* ---- a host as it should be ---------------------------------------------------------------------- */

static void negotiates_and_gives_all_back(void)
{
	start();
	CU_ASSERT_EQUAL(world_run("--try --why"), EFI_SUCCESS);
	CU_ASSERT_TRUE(world_said("\nROM         valid, with a live host\r\n"));
	CU_ASSERT_TRUE(
		world_said("\ntrial       negotiated as a kernel does, and all given back\r\n"));
	CU_ASSERT_TRUE(world_said("the host was asked what it offers"));
	CU_ASSERT_TRUE(world_said("\ncpu         yes"));
	CU_ASSERT_TRUE(world_said(CLOCK_WORKS));
	CU_ASSERT_NOT_EQUAL(world.calls, 0);
	CU_ASSERT_EQUAL(world.host.sealed, 0);
	CU_ASSERT_EQUAL(world.clock.page_gpa, PVROM_CLOCK_PAGE_NONE);
	CU_ASSERT_EQUAL(world.vcpu.area_gpa, PVROM_VCPU_AREA_NONE);
	CU_ASSERT_EQUAL(made_up.allocated, made_up.freed);
}

static void again_and_by_the_table(void)
{
	start();
	made_up.roms = 0;
	world_table(world.rom);
	CU_ASSERT_EQUAL(world_run("--try"), EFI_SUCCESS);
	CU_ASSERT_EQUAL(world_run("--try"), EFI_SUCCESS);
	CU_ASSERT_TRUE(world_said(CLOCK_WORKS));
	CU_ASSERT_EQUAL(world.host.sealed, 0);
}

static void asks_nothing_without_the_word(void)
{
	start();
	CU_ASSERT_EQUAL(world_run("--why"), EFI_SUCCESS);
	CU_ASSERT_EQUAL(world.calls, 0);
	CU_ASSERT_TRUE(world_said("\ntrial       none: --try asks the host"));
	CU_ASSERT_TRUE(world_said("not known: the host was not asked"));
}

/* ---- nobody to negotiate with --------------------------------------------------------------------- */

static void a_rom_without_host(void)
{
	start();
	world.fault.silent = true;
	CU_ASSERT_EQUAL(world_run("--try"), EFI_SECURITY_VIOLATION);
	CU_ASSERT_TRUE(world_said("\ntrial       not done: no host answers for this ROM\r\n"));
	CU_ASSERT_EQUAL(world.calls, 0);
}

static void no_rom(void)
{
	world_start();
	CU_ASSERT_EQUAL(world_run("--try"), EFI_NOT_FOUND);
	CU_ASSERT_TRUE(world_said("\ntrial       not done: no ROM\r\n"));
	CU_ASSERT_EQUAL(world.calls, 0);
}

static void a_damaged_rom(void)
{
	uint8_t *copy;

	world_start();
	copy = world_copy(0);
	copy[world.rom_size / 2] ^= 1;
	world_pci(copy, world.rom_size);
	CU_ASSERT_EQUAL(world_run("--try"), EFI_SECURITY_VIOLATION);
	CU_ASSERT_TRUE(world_said("\ntrial       not done: bad checksum\r\n"));
	CU_ASSERT_EQUAL(world.calls, 0);
}

/* ---- a host that refuses -------------------------------------------------------------------------- */

static void expect_failure(const char *said)
{
	CU_ASSERT_EQUAL(world_run("--try"), EFI_PROTOCOL_ERROR);
	CU_ASSERT_TRUE(world_said(said));
	CU_ASSERT_FALSE(world_said("all given back"));
	CU_ASSERT_EQUAL(world.host.sealed, 0);
	CU_ASSERT_EQUAL(world.clock.page_gpa, PVROM_CLOCK_PAGE_NONE);
	CU_ASSERT_EQUAL(made_up.allocated, made_up.freed);
}

static void refuses_each_step(void)
{
	static const char failed[] =
		"\ntrial       failed: the host answered against the specification\r\n"
		"            the host said: the call is outside the sealed set of features\r\n";

	start();
	world.fault.query = PVROM_STATUS_DENIED;
	expect_failure(failed);
	CU_ASSERT_EQUAL(world.calls, 1);
	start();
	world.fault.propose = PVROM_STATUS_DENIED;
	expect_failure(failed);
	start();
	world.fault.commit = PVROM_STATUS_DENIED;
	expect_failure(failed);
}

static void serves_another_major(void)
{
	start();
	world.fault.query = PVROM_STATUS_VERSION;
	expect_failure(
		"\ntrial       failed: wrong major version\r\n"
		"            the host said: this host does not serve that major version\r\n");
}

/* The shim asks again, and not for ever. */
static void epoch_moves_for_ever(void)
{
	start();
	world.fault.moves = true;
	expect_failure("the host said: the epoch has moved; look at the offer again\r\n");
	CU_ASSERT_TRUE(world.calls < 1000);
}

/* ---- a host that lies ------------------------------------------------------------------------------ */

static void offers_nonsense(void)
{
	start();
	world.fault.reasons = true;
	expect_failure("\ntrial       failed: the host answered against the specification\r\n");
	CU_ASSERT_TRUE(world_said("the host was not asked")); /* nothing that it said is shown */
}

static void grants_what_nobody_asked_for(void)
{
	start();
	world.fault.grants_more = true;
	expect_failure("\ntrial       failed: the host answered against the specification\r\n");
}

static void grants_less_than_it_offers(void)
{
	start();
	world.fault.grants_less = true;
	expect_failure("\ntrial       negotiated: the host grants less than it offers\r\n");
}

/* "Works" is what was seen, not what was said. */
static void clock_does_nothing(void)
{
	static const char unseen[] = "\nclock       yes  yes      no       yes      yes      no\r\n"
				     "   off: tried, and no effect was seen\r\n";

	start();
	world.fault.page_stands = true;
	CU_ASSERT_EQUAL(world_run("--try"), EFI_SUCCESS);
	CU_ASSERT_TRUE(world_said(unseen));
	start();
	world.fault.page_opened = true;
	CU_ASSERT_EQUAL(world_run("--try"), EFI_SUCCESS);
	CU_ASSERT_TRUE(world_said(unseen));
	start();
	world.fault.page = PVROM_STATUS_NO_SPACE;
	CU_ASSERT_EQUAL(world_run("--try"), EFI_SUCCESS);
	CU_ASSERT_TRUE(world_said(unseen));
}

/* ---- a host that never resets ---------------------------------------------------------------------- */

static void no_reset_but_the_empty_set(void)
{
	start();
	world.fault.reset = PVROM_STATUS_BUSY;
	expect_failure("\ntrial       negotiated; no RESET, but the empty set took all back\r\n"
		       "            the host said: other vCPUs or a pending operation");
}

/* Its page is not given to anybody else: the host may write there. */
static void keeps_what_it_granted(void)
{
	start();
	world.fault.reset = PVROM_STATUS_BUSY;
	world.fault.commit_nothing = PVROM_STATUS_DENIED;
	CU_ASSERT_EQUAL(world_run("--try"), EFI_PROTOCOL_ERROR);
	CU_ASSERT_TRUE(world_said(
		"\ntrial       negotiated; the host does not take back what it granted\r\n"));
	CU_ASSERT_NOT_EQUAL(world.host.sealed, 0);
	CU_ASSERT_EQUAL(world.clock.page_gpa, PVROM_CLOCK_PAGE_NONE);
	CU_ASSERT_EQUAL(made_up.allocated, made_up.freed + 1);
}

/* ---- what firmware has ----------------------------------------------------------------------------- */

static void too_little_memory(void)
{
	start();
	made_up.memory_size = 0x10000;
	CU_ASSERT_EQUAL(world_run("--try"), EFI_OUT_OF_RESOURCES);
	CU_ASSERT_TRUE(world_said("not enough memory"));
	CU_ASSERT_EQUAL(world.calls, 0);
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(negotiates_and_gives_all_back),
		TAP_TEST(again_and_by_the_table),
		TAP_TEST(asks_nothing_without_the_word),
		TAP_TEST(a_rom_without_host),
		TAP_TEST(no_rom),
		TAP_TEST(a_damaged_rom),
		TAP_TEST(refuses_each_step),
		TAP_TEST(serves_another_major),
		TAP_TEST(epoch_moves_for_ever),
		TAP_TEST(offers_nonsense),
		TAP_TEST(grants_what_nobody_asked_for),
		TAP_TEST(grants_less_than_it_offers),
		TAP_TEST(clock_does_nothing),
		TAP_TEST(no_reset_but_the_empty_set),
		TAP_TEST(keeps_what_it_granted),
		TAP_TEST(too_little_memory),
		{ 0 },
	};

	return tap_run("probe_efi_try", tests);
}
