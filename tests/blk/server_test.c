/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom-blkd as a process, with our own front end: what no stock front end uses, front ends that send rubbish or
 * vanish, and disks that fail. Each case runs against the server as it is, and against one with a mistake in it, where
 * it must fail.
 *
 *	server_test SERVER DIRECTORY
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tap_lines.h"
#include "server_world.h"

struct server_case {
	const char *name;
	bool (*run)(void);
	const char *slip
		[3]; /* mistakes that it must notice; the first may begin with `=`: it is needed to run it */
};

/* clang-format off: one case a line */
static const struct server_case cases[] = {
	{ "a socket at which another server listens, and a file in its place",
	  socket_taken,
	  { "TAKEN" } },
	{ "words that do not make an export", wrong_words, { "WORDS" } },
	{ "never offered: INBAND_NOTIFICATIONS, RING_RESET [PVROM-BLK-16]",
	  never_offered,
	  { "OFFER_INBAND", "OFFER_RESET" } },
	{ "CONFIG: read in one piece, writeback alone is written",
	  configuration,
	  { "CONFIG_SET" } },
	{ "STATUS: kept, resets with 0, no FEATURES_OK without VERSION_1",
	  device_status,
	  { "STATUS" } },
	{ "RESET_DEVICE: the rings stop where they began", reset_device, { "RESET" } },
	{ "SECURE_ERASE erases, within its limits [PVROM-BLK-6]",
	  secure_erase,
	  { "MEMORY_ERASE", "RANGE_COUNT" } },
	{ "SECURE_ERASE is not offered for files", no_secure_erase_on_files, { "FILE_ERASE" } },
	{ "IN_ORDER, split and packed, over a file", in_order, { "IN_ORDER" } },
	{ "NOTIFICATION_DATA, split and packed, over a file", notification_data, { "NO_DATA" } },
	{ "memory by ADD_MEM_REG, in two regions", two_regions, { "REGIONS" } },
	{ "LOG_SHMFD: exactly the pages written, request by request [PVROM-BLK-9]",
	  dirty_log,
	  { "LOG_RING", "LOG_ON", "DIRTY_STATUS" } },
	{ "a resize is told and holds [PVROM-BLK-11]", resize, { "CONFIG_TOLD" } },
	{ "a limit of requests holds on a real clock [PVROM-BLK-12]", limited, { "LIMIT_EARLY" } },
	{ "a limit holds for its group", group_is_limited, { "GROUP" } },
	{ "10 MB of rubbish, others undisturbed", megabytes_of_rubbish, { "RUBBISH" } },
	{ "messages of a wrong length end the connection [PVROM-BLK-15]",
	  wrong_lengths,
	  { "LENGTH" } },
	{ "heads that cannot be end the connection", wrong_heads, { "RUBBISH" } },
	{ "wrong numbers of descriptors end the connection, and none leaks [PVROM-BLK-15]",
	  wrong_descriptor_counts,
	  { "FDS" } },
	{ "descriptors of a wrong kind", wrong_descriptors, { "EVENTFD" } },
	{ "size, position and features change under a ring that runs",
	  running_ring,
	  { "RUNNING" } },
	{ "front ends that vanish", vanishing, { "OWNED" } },
	{ "memory cut short under the server [PVROM-BLK-22]", cut_memory, { "CUT" } },
	{ "the log cut short under the server [PVROM-BLK-22]", cut_log, { "CUT" } },
	{ "a huge page cut off under the server [PVROM-BLK-22]", cut_huge_page, { "HUGE_PAGE" } },
	{ "the record of what is in flight cut short under the server [PVROM-BLK-22]",
	  cut_record,
	  { "CUT" } },
	{ "disks that are missing, a directory, a device, too short",
	  disks_that_cannot_be,
	  { "FILE_ANY" } },
	{ "a disk without permission", no_permission, { "FILE_ANY" } },
	{ "a disk that another process has locked [PVROM-BLK-19]", locked_file, { "FILE_LOCK" } },
	{ "a disk that becomes shorter", shrinking_file, { "FILE_SHORT" } },
	{ "a disk that is full", full_disk, { "FILE_SPACE" } },
	{ "a disk that reads and writes less than it is asked for",
	  partial_disk,
	  { "=FILE_PARTS", "FILE_PARTS_DONE" } },
	{ "a disk that cannot read or write a part of itself: that is told, the rest works",
	  failing_disk,
	  { "=FILE_EIO", "FILE_EIO_DONE" } },
	{ "a flush that failed: none is good after it [PVROM-BLK-20]",
	  failed_flush,
	  { "=FILE_SYNC", "FILE_SYNC_FORGOTTEN" } },
	{ "what nobody uses costs no CPU time", idle_server, { "LOOKS_FOREVER" } },
	{ "looking on that does not pay becomes rare", looks_in_vain, { "LOOKS_ALWAYS" } },
	{ "no looking on with --poll-us=0, nor where there is one CPU",
	  no_looks,
	  { "LOOKS_UNASKED" } },
	{ "numbers of microseconds, and what is none", patience_option, { "OPTION_ANY" } },
	{ "what comes between looking and sleeping is seen, split and packed",
	  none_is_missed,
	  { "=LISTEN_LATE", "LISTEN_LOST" } },
};
/* clang-format on */

static void run(const struct server_case *c)
{
	const char *const *slip = c->slip;
	bool good;

	if (*slip && **slip == '=') {
		slipped = *slip++ + 1;
		tap_line(c->run(), NULL, "%s", c->name);
	} else {
		slipped = NULL;
		tap_line(c->run(), NULL, "%s", c->name);
	}
	for (; slip < c->slip + 3 && *slip; slip++) {
		slipped = *slip;
		good = !c->run();
		tap_line(good, NULL, "%s: notices %s", c->name, *slip);
	}
	slipped = NULL;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 3)
		return 2;
	program = argv[1];
	directory = argv[2];
	snprintf(socket_path, sizeof(socket_path), "%s/server.socket", directory);
	snprintf(other_path, sizeof(other_path), "%s/other.socket", directory);
	snprintf(file_path, sizeof(file_path), "%s/server.disk", directory);
	snprintf(log_path, sizeof(log_path), "%s/server.log", directory);
	signal(SIGPIPE, SIG_IGN);
	/* For full_disk(); nothing outside sees it. */
	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		printf("# no mount namespace of our own\n");
	tap_begin();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (argc < 4 || strstr(cases[i].name, argv[3]))
			run(&cases[i]);
	return tap_end();
}
