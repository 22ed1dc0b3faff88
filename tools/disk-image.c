/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A disk whose every sector says what it is: makes one, as it is before the kernel or after, so that the file
 * that a kernel has written can be compared with what it must be.
 *
 *	disk-image FILE [written]
 */
#include <stdio.h>
#include <string.h>

#include "../kernel/disk_pattern.h"

#define SECTORS 4096u /* 2 MiB */

int main(int argc, char **argv)
{
	const bool written = argc == 3 && !strcmp(argv[2], "written");
	uint64_t word[DISK_WORDS], sector;
	FILE *file;

	if (argc < 2 || argc > 3 || (argc == 3 && !written)) {
		fprintf(stderr, "usage: disk-image FILE [written]\n");
		return 2;
	}
	file = fopen(argv[1], "wb");
	if (!file) {
		perror(argv[1]);
		return 1;
	}
	for (sector = 0; sector < SECTORS; sector++) {
		disk_fill(word, sector,
			  written && sector >= SECTORS / 2 ? DISK_AS_WRITTEN : DISK_AS_MADE);
		if (fwrite(word, sizeof(word), 1, file) != 1)
			break;
	}
	if (fclose(file) || sector < SECTORS) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
