/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Disks that cannot be opened, and disks that fail. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server_world.h"

/* ---- disks ------------------------------------------------------------------------------------------------------------------------ */

/* It does not start, and says why. */
static bool refuses(const char *disk, const char *why)
{
	int status;

	start_server(disk, false);
	status = server_stop(pid, 0, PATIENCE);
	return HOLDS(WIFEXITED(status) && WEXITSTATUS(status) == 1) &&
	       HOLDS(file_says(log_path, why, 100));
}

bool disks_that_cannot_be(void)
{
	char word[400];
	bool good = HOLDS(refuses("file=/nowhere/at/all", "No such file"));

	snprintf(word, sizeof(word), "file=%s", directory);
	good = good && HOLDS(refuses(word, "directory"));
	good = good && HOLDS(refuses("file=/dev/null", "neither a file nor a block device"));
	snprintf(word, sizeof(word), "file=%s", file_path);
	good = good && HOLDS(make_file(file_path, 100)) && HOLDS(refuses(word, "shorter than"));
	return good;
}

/* Root may read everything: the server is started without that right. */
static int refuses_without_rights(const char *word)
{
	const pid_t child = fork();
	int status = -1;

	if (!child) {
		if (geteuid() == 0 && (prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) ||
				       prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH)))
			_exit(2);
		_exit(refuses(word, "Permission denied") ? 0 : 1);
	}
	waitpid(child, &status, 0);
	return status;
}

bool no_permission(void)
{
	char word[400];
	bool good = HOLDS(make_file(file_path, MB)) && HOLDS(!chmod(file_path, 0));

	snprintf(word, sizeof(word), "file=%s", file_path);
	good = good && HOLDS(refuses_without_rights(word) == 0);
	unlink(file_path);
	return good;
}

bool locked_file(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char word[400];
	int fd;
	bool good = HOLDS(make_file(file_path, MB));

	fd = open(file_path, O_RDWR | O_CLOEXEC);
	snprintf(word, sizeof(word), "file=%s", file_path);
	good = good && HOLDS(!fcntl(fd, F_OFD_SETLK, &l)) && HOLDS(refuses(word, "locked"));
	close(fd);
	return good;
}

/* The file becomes shorter: what is gone is an error, also when some of it was read; the rest is there. */
bool shrinking_file(void)
{
	uint8_t data[4096];
	const bool good =
		HOLDS(serve_file("", 0)) && HOLDS(works(&client)) &&
		HOLDS(!truncate(file_path, 1 * MB + 2048)) &&
		HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 2 * MB / 512, data, 4096) == 1) &&
		HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 1 * MB / 512, data, 4096) == 1) &&
		HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 1 * MB / 512, data, 2048) == 0) &&
		HOLDS(works(&client));

	end();
	return good;
}

/* A file system of 1 MiB under a disk of 8 MiB; in a mount namespace of this test's own. */
bool full_disk(void)
{
	char mount_point[280], word[400], path[300];
	uint8_t data[4096] = { 1 };
	int status = PVROM_BLK_S_OK;
	uint64_t sector;
	bool good;

	snprintf(mount_point, sizeof(mount_point), "%s/small", directory);
	snprintf(path, sizeof(path), "%s/disk", mount_point);
	snprintf(word, sizeof(word), "file=%s", path);
	mkdir(mount_point, 0700);
	good = HOLDS(!mount("tmpfs", mount_point, "tmpfs", 0, "size=1m")) &&
	       HOLDS(make_file(path, 8 * MB)) && HOLDS(serve(word, 0));
	for (sector = 0; good && status == PVROM_BLK_S_OK && sector < 8 * MB / 512; sector += 8)
		status = blk_client_do(&client, 0, PVROM_BLK_T_OUT, sector, data, 4096);
	good = good && HOLDS(status == PVROM_BLK_S_IOERR) && HOLDS(sector > 8) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 0, data, 4096) == 0) &&
	       HOLDS(data[0] == 1) && HOLDS(ranges(PVROM_BLK_T_DISCARD, 0, 8, 1) >= 0);
	/* Nothing that was acknowledged is lost. */
	good = good && HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_FLUSH, 0, NULL, 0) == 0);
	end();
	umount2(mount_point, MNT_DETACH);
	return good;
}

/* Run with a server whose disk does half of what it is asked for, again and again: all of it gets done. */
bool partial_disk(void)
{
	static uint8_t data[LOAD_BLOCK], back[LOAD_BLOCK];
	size_t i;
	bool good = HOLDS(serve_file("", PVROM_BLK_F_FLUSH));

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i / 512 + i);
	good = good &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_OUT, 24, data, sizeof(data)) == 0) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 24, back, sizeof(back)) == 0) &&
	       HOLDS(!memcmp(data, back, sizeof(data))) &&
	       HOLDS(!truncate(file_path, 24 * 512 + sizeof(data) / 2)) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 24, back, sizeof(back)) == 1);
	end();
	return good;
}

/* Run with a server whose disk has a second MiB that cannot be read or written. */
bool failing_disk(void)
{
	uint8_t data[4096] = { 7 };
	bool good = HOLDS(serve_file("", PVROM_BLK_F_FLUSH | PVROM_BLK_F_CONFIG_WCE)) &&
		    HOLDS(works(&client));

	good = good &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, MB / 512, data, 4096) == 1) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_OUT, MB / 512, data, 4096) == 1) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_OUT, MB / 512 + 8, data, 512) == 1) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_OUT, 2 * MB / 512, data, 4096) == 0) &&
	       HOLDS(works(&client));
	end();
	return good;
}

/* Run with a server whose disk fails the first flush. */
bool failed_flush(void)
{
	bool good = HOLDS(serve_file("", PVROM_BLK_F_FLUSH));

	good = good && HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_FLUSH, 0, NULL, 0) == 1) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_FLUSH, 0, NULL, 0) == 1) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 0, NULL, 512) == 0);
	end();
	return good;
}
