/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom-probe.efi in a process, on firmware that lacks things: no console, no keyboard, no serial port, no file system;
 * what it says where, page by page.
 */
#include "efi_world.h"

#include <pvrom/feature_probe.h>
#include <stdio.h>
#include <string.h>

static void start(void)
{
	world_start();
	world.fault.silent = true;
	world_pci(world.rom, world.rom_size);
}

/* ---- where it says it ---------------------------------------------------------------------------- */

static void expect_whole(const char *text)
{
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "machine     "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nfeatures    none: no live host\r\n"));
}

static void the_port_says_what_the_console_says(void)
{
	start();
	made_up.serial = true;
	CU_ASSERT_EQUAL(world_run("--why"), EFI_SECURITY_VIOLATION);
	expect_whole(world.console);
	CU_ASSERT_STRING_EQUAL(world.console, world.serial);
}

/* A terminal is there: what is written to the console comes out of the port already. */
static void a_used_port_is_left_alone(void)
{
	start();
	made_up.serial = made_up.serial_used = true;
	world_run("");
	expect_whole(world.console);
	CU_ASSERT_EQUAL(world.serial_size, 0);
}

static void no_console(void)
{
	start();
	made_up.console = false;
	made_up.serial = true;
	CU_ASSERT_EQUAL(world_run("--why"), EFI_SECURITY_VIOLATION);
	expect_whole(world.serial);
	made_up.from_shell = false; /* booted: nobody is waited for */
	CU_ASSERT_EQUAL(world_run(""), EFI_SECURITY_VIOLATION);
	expect_whole(world.serial);
	CU_ASSERT_EQUAL(made_up.waits, 0);
}

static void neither_console_nor_port(void)
{
	start();
	made_up.console = false;
	CU_ASSERT_EQUAL(world_run("--try --why"), EFI_SECURITY_VIOLATION);
	CU_ASSERT_EQUAL(world_run("--list"), EFI_SUCCESS);
	CU_ASSERT_EQUAL(world_run("--wrong"), EFI_INVALID_PARAMETER);
	made_up.from_shell = false;
	CU_ASSERT_EQUAL(world_run(""), EFI_SECURITY_VIOLATION);
	CU_ASSERT_EQUAL(world.console_size + world.serial_size, 0);
	CU_ASSERT_EQUAL(made_up.waits, 0);
}

/* A port at whose other end nobody is costs one time-out, not one a line. */
static void a_port_that_takes_no_more(void)
{
	start();
	made_up.serial = true;
	made_up.serial_room = 100;
	world_run("--why");
	expect_whole(world.console);
	CU_ASSERT_EQUAL(world.serial_size, 100);
	CU_ASSERT_EQUAL(made_up.timeouts, 1);
	made_up.serial_room = 0;
	world_run("--why");
	CU_ASSERT_EQUAL(world.serial_size, 0);
}

static void quiet_on_both(void)
{
	start();
	made_up.serial = true;
	CU_ASSERT_EQUAL(world_run("-q"), EFI_SECURITY_VIOLATION);
	CU_ASSERT_EQUAL(world_run("--try --why -q"), EFI_SECURITY_VIOLATION);
	CU_ASSERT_EQUAL(world.console_size + world.serial_size, 0);
}

/* ---- files --------------------------------------------------------------------------------------- */

static char again[65536];
static size_t again_size;

static void take_line(void *ctx, const char *line)
{
	(void)ctx;
	again_size +=
		(size_t)snprintf(again + again_size, sizeof(again) - again_size, "%s\n", line);
}

/* It came from nowhere that has files. */
static void no_file_system(void)
{
	start();
	CU_ASSERT_EQUAL(world_run("--json out.txt"), EFI_UNSUPPORTED);
	CU_ASSERT_TRUE(world_said("pvrom-probe: cannot write the file\r\n"));
	CU_ASSERT_EQUAL(world_run("--record out.txt"), EFI_UNSUPPORTED);
}

static void a_recording_gives_the_same_verdict(void)
{
	static char volume[65536], verdict[65536];
	static struct pvrom_probe_evidence evidence;
	static uint8_t rom[PVROM_ROM_SIZE_MAX];
	struct pvrom_probe_verdict judged;

	start();
	world.fault.silent = false;
	made_up.volume = volume;
	made_up.volume_room = sizeof(volume);
	CU_ASSERT_EQUAL(world_run("--try --json verdict"), EFI_SUCCESS);
	memcpy(verdict, volume, made_up.volume_used);
	CU_ASSERT_EQUAL(world_run("--try --json verdict --record evidence"), EFI_SUCCESS);
	CU_ASSERT_EQUAL(made_up.opened, 4);
	CU_ASSERT_EQUAL(made_up.closed, 4);
	evidence.rom = rom;
	evidence.rom_room = sizeof(rom);
	CU_ASSERT_EQUAL(pvrom_probe_read(&evidence, volume, made_up.volume_used), 0);
	pvrom_probe_judge(&evidence, &judged);
	again_size = 0;
	pvrom_probe_json(&judged, take_line, NULL);
	CU_ASSERT_STRING_EQUAL(again, verdict);
}

static void cannot_write(uint32_t room, const char *words, EFI_STATUS why)
{
	static char volume[65536];

	start();
	made_up.volume = volume;
	made_up.volume_room = room;
	CU_ASSERT_EQUAL(world_run(words), why);
	CU_ASSERT_TRUE(world_said("pvrom-probe: cannot write the file\r\n"));
	CU_ASSERT_EQUAL(made_up.opened, made_up.closed);
}

static void a_name_that_cannot_be(void)
{
	cannot_write(65536, "--json verdict --record ?", EFI_NOT_FOUND);
}

static void a_full_volume(void)
{
	cannot_write(100, "--json verdict --record evidence", EFI_VOLUME_FULL);
}

/* ---- page by page -------------------------------------------------------------------------------- */

struct pages {
	uint32_t pages, most_rows, most_columns;
};

static struct pages count_pages(const char *text)
{
	struct pages p = { 0 };
	uint32_t rows = 0;

	while (*text) {
		const size_t length = strcspn(text, "\r\n");

		if (!strncmp(text, "-- more", 7)) {
			p.pages++;
			rows = 0;
		} else {
			rows++;
		}
		p.most_rows = rows > p.most_rows ? rows : p.most_rows;
		p.most_columns = length > p.most_columns ? (uint32_t)length : p.most_columns;
		text += length;
		text += *text == '\r';
		text += *text == '\n';
	}
	return p;
}

static struct pages list_on(uint32_t columns, uint32_t rows, const char *keys)
{
	start();
	made_up.columns = columns;
	made_up.rows = rows;
	made_up.keys = true;
	made_up.key = keys;
	CU_ASSERT_EQUAL(world_run("--list"), EFI_SUCCESS);
	return count_pages(world.console);
}

static void pages_of_the_screen(void)
{
	struct pages p = list_on(80, 25, "          ");

	CU_ASSERT_TRUE(p.pages >= 1 && p.pages < 10);
	CU_ASSERT_TRUE(p.most_rows <= 24 && p.most_columns < 80);
	CU_ASSERT_TRUE(world_said("tried, and no effect was seen"));
	p = list_on(40, 10, "                                        ");
	CU_ASSERT_TRUE(p.pages > 5);
	CU_ASSERT_TRUE(p.most_rows <= 9 && p.most_columns < 40);
	CU_ASSERT_TRUE(world_said("tried, and no effect"));
}

/* The rows of a line that is too long stand in; no word is cut, none is lost. */
static void long_lines(void)
{
	list_on(40, 1000, "");
	CU_ASSERT_TRUE(world_said("\n  nested paging present: The processor\r\n"
				  "    walks the guest's own page tables\r\n    (EPT or NPT), so"));
	list_on(80, 1000, "");
	CU_ASSERT_TRUE(
		world_said("\n  switched off by the operator: Whoever runs this machine asked "
			   "the host not to\r\n    offer the feature.\r\n"));
	list_on(4, 1000, "");
	CU_ASSERT_TRUE(world_said("\r\ntried\r\n") || world_said("\r\ntri\r\ned,"));
}

/* No prompt stays on the screen. */
static void prompts_go(void)
{
	list_on(80, 25, "          ");
	CU_ASSERT_TRUE(
		world_said("-- more: any key; q: no more --\r                               \r"));
}

static void q_ends_it(void)
{
	struct pages p = list_on(80, 25, "q");

	CU_ASSERT_EQUAL(p.pages, 1);
	CU_ASSERT_FALSE(world_said("tried, and no effect was seen"));
}

/* The first wait is the last, and all is said. */
static void nobody_is_there(void)
{
	struct pages p = list_on(80, 10, "");

	CU_ASSERT_EQUAL(p.pages, 1);
	CU_ASSERT_EQUAL(made_up.waits, 1);
	CU_ASSERT_TRUE(world_said("tried, and no effect was seen"));
}

static void no_keyboard(void)
{
	start();
	made_up.rows = 10;
	CU_ASSERT_EQUAL(world_run("--list"), EFI_SUCCESS);
	CU_ASSERT_EQUAL(made_up.waits, 0);
	CU_ASSERT_EQUAL(count_pages(world.console).pages, 0);
	CU_ASSERT_TRUE(world_said("tried, and no effect was seen"));
}

static void a_console_that_does_not_know_its_size(void)
{
	struct pages p;

	start();
	made_up.no_modes = made_up.keys = true;
	made_up.key = "          ";
	CU_ASSERT_EQUAL(world_run("--list"), EFI_SUCCESS);
	p = count_pages(world.console);
	CU_ASSERT_TRUE(p.pages >= 1 && p.most_rows <= 24 && p.most_columns < 80);
}

static void pages_are_not_for_the_port(void)
{
	list_on(80, 25, "          ");
	made_up.serial = true;
	made_up.key = "          ";
	world_run("--list");
	CU_ASSERT_EQUAL(count_pages(world.serial).pages, 0);
	CU_ASSERT_NOT_EQUAL(count_pages(world.console).pages, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(world.serial, "tried, and no effect was seen"));
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(the_port_says_what_the_console_says),
		TAP_TEST(a_used_port_is_left_alone),
		TAP_TEST(no_console),
		TAP_TEST(neither_console_nor_port),
		TAP_TEST(a_port_that_takes_no_more),
		TAP_TEST(quiet_on_both),
		TAP_TEST(no_file_system),
		TAP_TEST(a_recording_gives_the_same_verdict),
		TAP_TEST(a_name_that_cannot_be),
		TAP_TEST(a_full_volume),
		TAP_TEST(pages_of_the_screen),
		TAP_TEST(long_lines),
		TAP_TEST(prompts_go),
		TAP_TEST(q_ends_it),
		TAP_TEST(nobody_is_there),
		TAP_TEST(no_keyboard),
		TAP_TEST(a_console_that_does_not_know_its_size),
		TAP_TEST(pages_are_not_for_the_port),
		{ 0 },
	};

	return tap_run("probe_efi_face", tests);
}
