/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of the block device's host half know in common: the list of what is refused.
 */
#ifndef PVROM_BLK_HOST_INTERNAL_H
#define PVROM_BLK_HOST_INTERNAL_H

#include <pvrom/blk_host.h>

#include "../limits/limit_slips.h"

/* Each refusal of a request. Test builds can take out one, to see that a test notices. */
#define BLK_CHECK_TABLE(X)                                                                         \
	X(FAULT, "the ring found the buffer malformed")                                            \
	X(NO_STATUS, "there is no byte for a status")                                              \
	X(HEADER_SHORT, "fewer than 16 readable bytes")                                            \
	X(WRONG_WAY, "data in the direction that the type has not")                                \
	X(SECTORS, "data that is no whole sectors")                                                \
	X(CAPACITY, "beyond the end of the disk")                                                  \
	X(SIZE_MAX, "a segment longer than was told")                                              \
	X(FLUSH_DATA, "a flush with data")                                                         \
	X(ID_DATA, "GET_ID with less than 20 bytes to write")                                      \
	X(RANGE_FEATURE, "ranges without their feature")                                           \
	X(RANGE_COUNT, "no range, half a range, or too many")                                      \
	X(RANGE_WAY, "ranges with data to be written")                                             \
	X(RANGE_FLAGS, "flags that do not exist, or unmap where it may not be")                    \
	X(RANGE_LENGTH, "a range longer than was told")                                            \
	X(RANGE_CAPACITY, "a range beyond the end of the disk")                                    \
	X(READ_ONLY, "a change of a read-only disk")                                               \
	X(UNKNOWN_TYPE, "a type that does not exist")
enum blk_check {
	BLK_CHECK_NONE,
#define BLK_CHECK_NAME(name, text) BLK_CHECK_##name,
	BLK_CHECK_TABLE(BLK_CHECK_NAME)
#undef BLK_CHECK_NAME
		BLK_CHECK_COUNT
};

/* Mistakes that test builds can make on purpose, one at a time, to see that a test notices. */
#define BLK_SLIP_TABLE(X)                                                                          \
	LIMIT_SLIP_TABLE(X) /* first: the numbers are the limiter's own */                         \
	X(LIMIT_EARLY, "all that waits is let go at once")                                         \
	X(LIMIT_ZEROES, "zeroes cost nothing")                                                     \
	X(STABLE, "a write-through write is given to the disk as any other")                       \
	X(FLUSH_ALONE, "a flush is answered without the disk")                                     \
	X(FLUSH_FAILED, "a flush that failed is answered as done")                                 \
	X(DIRTY_STATUS, "the page of the status is not logged")                                    \
	X(DIRTY_DATA, "the pages of data are not logged")                                          \
	X(STATE_SUM, "a damaged saved state is taken")                                             \
	X(STATE_WRITEBACK, "the cache mode is not loaded")                                         \
	X(STATE_LIMIT, "how full the limit is is not loaded")                                      \
	X(STATE_COUNTERS, "counters are not loaded")                                               \
	X(ERASE_AS_DISCARD, "a secure erase is a discard to the disk")                             \
	X(ZEROES_QUIET, "write-zeroes is answered without the disk")                               \
	X(DISCARD_QUIET, "discard is answered without the disk")                                   \
	X(RESET_WRITEBACK, "a reset leaves the cache mode as it is")                               \
	X(FILE_LOCK, "a file is not locked")                                                       \
	X(FILE_SHORT, "nothing read counts as read")                                               \
	X(FILE_SPACE, "a disk without space counts as written")                                    \
	X(FILE_SYNC, "the disk fails the first flush")                                             \
	X(FILE_SYNC_FORGOTTEN, "the disk fails the first flush, and that is forgotten")            \
	X(FILE_EIO, "the disk cannot read or write its second MiB")                                \
	X(FILE_EIO_DONE, "the disk cannot read or write its second MiB, and it counts as done")    \
	X(FILE_ANY, "what cannot be opened, or is no disk, is a disk of nothing")                  \
	X(FILE_ERASE, "files promise secure erase")                                                \
	X(NULL_READS, "a disk of nothing reads zeros")                                             \
	X(FAULT_THROUGH, "an operation that is to fail, or to wait, does not")                     \
	X(MEMORY_ERASE, "a secure erase of memory leaves it as it is")                             \
	X(STATE_IN_WORK, "a device is saved and loaded while requests are in work")                \
	X(TOPOLOGY, "the topology is offered and not told")                                        \
	X(FILE_PARTS, "the disk reads and writes a part of what it is asked for")                  \
	X(FILE_PARTS_DONE, "it reads and writes a part, which counts as all")                      \
	X(GROUP, "each disk of a group has a limit of its own")                                    \
	X(OUT_OF_ORDER, "the first of several requests is shown when the others are")              \
	X(WORDS, "words of an export are not judged together")                                     \
	X(RESIZE_QUIET, "nobody is told of a resize")                                              \
	X(LOOKS_UNASKED, "a server looks on for work though it was told not to")                   \
	X(LOOKS_ALWAYS, "it looks on though that has not paid")                                    \
	X(LOOKS_FOREVER, "it never sleeps")                                                        \
	X(LISTEN_LATE, "it is slow to listen again")                                               \
	X(LISTEN_LOST, "it is slow to listen again, and misses what came meanwhile")               \
	X(OPTION_ANY, "any number of microseconds is taken")
enum blk_slip {
	BLK_SLIP_NONE,
#define BLK_SLIP_NAME(name, text) BLK_SLIP_##name,
	BLK_SLIP_TABLE(BLK_SLIP_NAME)
#undef BLK_SLIP_NAME
		BLK_SLIP_COUNT
};

#ifdef PVROM_TEST
/* Makes the mistake, or leaves out the check, of that name; false: there is none. */
bool pvrom_blk_slip(const char *name);
extern enum blk_slip pvrom_blk_slipped;
/* The same by its number; BLK_SLIP_NONE: none any more. */
void pvrom_blk_slip_set(enum blk_slip slip);
#define BLK_SLIP(name) (pvrom_blk_slipped == BLK_SLIP_##name)
extern enum blk_check pvrom_blk_removed;
#define BLK_REFUSE(name, when) ((when) && pvrom_blk_removed != BLK_CHECK_##name)
#else
#define BLK_SLIP(name) false
#define BLK_REFUSE(name, when) (when)
#endif

#endif
