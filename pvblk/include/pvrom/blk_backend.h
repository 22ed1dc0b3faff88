/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Hosted backends of the block device: files and block devices by io_uring, memory, nothing, and one
 * that fails on purpose.
 *
 * Each open gives a backend that is allocated and that pvrom_blk_backend_close() frees, when no
 * operation is in it. One thread at a time uses one, the loop's if it has one.
 */
#ifndef PVROM_BLK_BACKEND_H
#define PVROM_BLK_BACKEND_H

#include <pvrom/blk_host.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pvrom_loop;

#define PVROM_BLK_MESSAGE 512 /* bytes that a message of an open may have */

/* A disk of zeroed memory, of `sectors`; contents go with it. NULL: no memory. */
struct pvrom_blk_backend *pvrom_blk_memory_open(uint64_t sectors);
/* The contents, for tests. */
uint8_t *pvrom_blk_memory_bytes(struct pvrom_blk_backend *backend);

/* Does nothing at once: reads leave the buffer as it is. For measuring what is left then. */
struct pvrom_blk_backend *pvrom_blk_null_open(uint64_t sectors);

struct pvrom_blk_file_setup {
	const char *path;
	int fd; /* >= 0: already open (and locked), handed over by another server; path is for messages */
	bool read_only;
	bool direct;  /* O_DIRECT: past the page cache */
	bool no_lock; /* take no advisory lock */
};

/*
 * A regular file or block device, locked against other processes by an advisory lock (fcntl's open file
 * description lock: readers share). NULL, and a sentence in message[PVROM_BLK_MESSAGE]: missing, a directory, no
 * permission, locked, no whole sectors ... Its work is done in `loop`, which stays.
 *
 * A write or flush that the disk failed may have lost data that the kernel then forgets: from the first failed
 * flush on all flushes fail.
 */
struct pvrom_blk_backend *pvrom_blk_file_open(const struct pvrom_blk_file_setup *setup,
					      struct pvrom_loop *loop, char *message);
/* The descriptor with the lock, for a hand-over. */
int pvrom_blk_file_fd(const struct pvrom_blk_backend *backend);
/* The length of the file now, in sectors, for a resize; 0 if it cannot be told. */
uint64_t pvrom_blk_file_sectors(const struct pvrom_blk_backend *backend);

/* What the fault backend does with an operation. */
#define PVROM_BLK_FAULT_NONE 0u	 /* hands it on */
#define PVROM_BLK_FAULT_FAIL 1u	 /* fails it, nothing done */
#define PVROM_BLK_FAULT_SPACE 2u /* fails it for want of space */
#define PVROM_BLK_FAULT_HOLD 3u	 /* keeps it until pvrom_blk_fault_go() */
/* In front of another backend, which stays the caller's. choose is asked at each submit. */
struct pvrom_blk_backend *pvrom_blk_fault_open(struct pvrom_blk_backend *below,
					       uint32_t (*choose)(void *ctx,
								  const struct pvrom_blk_io *io),
					       void *ctx);
/* Hands on what is held: number `which` of it (0: the oldest). false: there is none. */
bool pvrom_blk_fault_go(struct pvrom_blk_backend *backend, uint32_t which);

/* Frees any of them. */
void pvrom_blk_backend_close(struct pvrom_blk_backend *backend);

#ifdef __cplusplus
}
#endif

#endif
