/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Are the loop tests any good? Switches on one seeded bug of the host after the other (host/bugs.h) and
 * runs the tests: the one that is named here must fail, and a bug that none finds fails this test.
 *
 *	host_bugs DIRECTORY	where the test programs are
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../host/bugs.h"
#include "../cunit_tap.h"

/* The programs, by how they are run. */
#define PROGRAM_TEXT "host_rom_text"

/* Which program finds a bug, and the beginning of the name of the test that does. */
static const struct {
	uint32_t bug;
	const char *program, *test;
} finders[] = {
	{ PVROM_BUG_AREA_SHIFTED, "host_area", "VCPU_AREA writes the area" },
	{ PVROM_BUG_BATCH_SHORT, "host_batch", "BATCH does all entries" },
	{ PVROM_BUG_RESET_ALARM, "host_batch", "RESET gives all back" },
	{ PVROM_BUG_CLI_STI, PROGRAM_TEXT, "slots 3" },
	{ PVROM_BUG_RDMSR_HIGH, PROGRAM_TEXT, "slots 3" },
	{ PVROM_BUG_CR2_CR3, PROGRAM_TEXT, "slots 2" },
	{ PVROM_BUG_SEND_SHORT, "host_groups", "irq: send" },
	{ PVROM_BUG_EOI_FORGOTTEN, "host_groups", "irq: eoi" },
	{ PVROM_BUG_MASK_INVERTED, "host_groups", "irq: mask" },
	{ PVROM_BUG_START_RDI, "host_groups", "smp: start" },
	{ PVROM_BUG_STOP_RUNS, "host_groups", "smp: stop" },
	{ PVROM_BUG_KICK_SELF, "host_groups", "smp: kick" },
	{ PVROM_BUG_ALARM_EARLY, "host_groups", "alarm: set" },
	{ PVROM_BUG_CANCEL_IGNORED, "host_groups", "alarm: cancel" },
	{ PVROM_BUG_ALARM_VECTOR, "host_groups", "alarm: set" },
	{ PVROM_BUG_CPUID_CHECKSUM, "host_groups", "discovery: CPUID leaves" },
	{ PVROM_BUG_LIVE_DEAF, "host_groups", "discovery: live port" },
	{ PVROM_BUG_CPUID_LEAVES, "host_groups", "discovery: CPUID leaves" },
	{ PVROM_BUG_NOT_CLOSED, "host_negotiate", "propose closes the set" },
	{ PVROM_BUG_EPOCH_STUCK, "host_negotiate", "a new epoch goes to areas" },
	{ PVROM_BUG_MMU_NESTED, "host_offer", "mmu: nested paging" },
	{ PVROM_BUG_SEALED_LOST, "host_save", "sealed set, areas" },
	{ PVROM_BUG_LOAD_EPOCH, "host_save", "the epoch rises over both" },
	{ PVROM_BUG_LOAD_ANYTHING, "host_save", "every damaged bit" },
	{ PVROM_BUG_FLAGS_LOST, PROGRAM_TEXT, "slots 3" },
	{ PVROM_BUG_CLOBBERS_LIE, PROGRAM_TEXT, "slots 3" },
	{ PVROM_BUG_TEXT_OVERLAP, "host_rom", "texts do not overlap" },
};

static const struct {
	uint32_t number;
	const char *group, *name, *text;
} bugs[] = {
#define LINE(GROUP, NAME, number, name, text) { number, #GROUP, name, text },
	PVROM_HOST_BUG_TABLE(LINE)
};
#define BUGS (sizeof(bugs) / sizeof(bugs[0]))

static const char *directory;

static FILE *run(const char *program, const char *bug, const char *test)
{
	/* "slots 2" is served by templates, "slots 3" by texts. */
	const char *images = strcmp(test, "slots 2") == 0 ? "2 0 3" : "3 0 3";
	char command[512];

	if (strcmp(program, PROGRAM_TEXT) == 0)
		snprintf(command, sizeof(command),
			 "PVROM_BUG='%s' tests/loop/host_rom_text '%s/host_rom_dump' %s 2>&1", bug,
			 directory, images);
	else
		snprintf(command, sizeof(command), "PVROM_BUG='%s' '%s/loop.%s' 2>&1", bug,
			 directory, program);
	/* NOLINTNEXTLINE(cert-env33-c): the command is of this file's own making. */
	return popen(command, "r");
}

/* How many tests of the program fail; *named: among them the one whose name begins so. */
static uint32_t failures(const char *program, const char *bug, const char *test, int *named)
{
	FILE *output = run(program, bug, test);
	char line[512];
	uint32_t count = 0;

	*named = 0;
	while (output && fgets(line, sizeof(line), output)) {
		const char *name = strstr(line, " - ");

		if (strncmp(line, "not ok ", 7) != 0 || !name)
			continue;
		line[strcspn(line, "\n")] = 0;
		tap_note("%s: %s: %s", bug, program, name + 3);
		count++;
		*named |= strncmp(name + 3, test, strlen(test)) == 0;
	}
	if (output)
		pclose(output);
	return count;
}

static void each_is_found(void)
{
	int named;
	uint32_t i;

	for (i = 0; i < BUGS; i++) {
		CU_ASSERT_EQUAL_FATAL(finders[i].bug, bugs[i].number);
		tap_note("%s: %s", bugs[i].name, bugs[i].text);
		CU_ASSERT_TRUE(failures(finders[i].program, bugs[i].name, finders[i].test, &named) >
			       0);
		CU_ASSERT_TRUE(named);
	}
}

static void at_least_twenty(void)
{
	uint32_t i, j, alike;

	CU_ASSERT_EQUAL(sizeof(finders) / sizeof(finders[0]), BUGS);
	CU_ASSERT_TRUE(BUGS >= 20);
	for (i = 0; i < BUGS; i++) {
		alike = 0;
		for (j = 0; j < BUGS; j++)
			alike += strcmp(bugs[i].group, bugs[j].group) == 0;
		CU_ASSERT_TRUE(alike <= 3);
	}
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		{ "at least twenty bugs, at most three a group", at_least_twenty },
		{ "each seeded bug is found by the test that is named", each_is_found },
		{ 0 }
	};

	if (argc != 2)
		return 2;
	directory = argv[1];
	return tap_run("host_bugs", tests);
}
