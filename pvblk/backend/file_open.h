/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Opening the file behind a disk: what may be wrong with it is found and said here. */
#ifndef PVROM_FILE_OPEN_H
#define PVROM_FILE_OPEN_H

#include <pvrom/blk_backend.h>

struct file_opened {
	int fd;		 /* with the lock; O_DIRECT if direct */
	int buffered_fd; /* the same file through the page cache; fd itself without O_DIRECT */
	bool direct, device;
	uint32_t offset_align, memory_align, discard_align; /* bytes, powers of two */
	uint64_t sectors;
};

/* false: message says why. */
bool pvrom_file_open(struct file_opened *f, const struct pvrom_blk_file_setup *setup,
		     char *message);
void pvrom_file_close(struct file_opened *f);
uint64_t pvrom_file_sectors(const struct file_opened *f);

#endif
