/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The checks that keep a hostile other side harmless, by name, so that a test build can take one out
 * and show that the test of it fails then.
 *
 * VQ_REFUSE(NAME, condition) is the condition; in test builds (PVROM_TEST) it is false while
 * pvrom_vq_check_off names it.
 */
#ifndef PVROM_VQ_CHECKS_H
#define PVROM_VQ_CHECKS_H

#include <stdint.h>

/* X(NAME, number, half, what it keeps out) */
#define PVROM_VQ_CHECK_TABLE(X)                                                                    \
	X(SPLIT_AVAIL_INDEX, 1, device, "an available index more than the size ahead")             \
	X(SPLIT_HEAD_RANGE, 2, device, "a head outside the table")                                 \
	X(SPLIT_HEAD_TWICE, 3, device, "a head that is in flight")                                 \
	X(CHAIN_NEXT, 4, device, "a next outside the table")                                       \
	X(CHAIN_LENGTH, 5, device, "a chain longer than allowed")                                  \
	X(CHAIN_ORDER, 6, device, "readable behind writable")                                      \
	X(CHAIN_BYTES, 7, device, "more than 2^32 bytes")                                          \
	X(CHAIN_ROOM, 8, device, "more pieces than there is room for")                             \
	X(BUFFER_WRAP, 9, device, "a buffer that wraps around 2^64")                               \
	X(BUFFER_MEMORY, 10, device, "a buffer outside guest memory")                              \
	X(BUFFER_PIECE, 11, device, "the part of a buffer that is not contiguous")                 \
	X(TABLE_FEATURE, 12, device, "an indirect table that was not negotiated")                  \
	X(TABLE_NEXT, 13, device, "an indirect descriptor inside or before a chain")               \
	X(TABLE_NESTED, 14, device, "a table in a table")                                          \
	X(TABLE_SIZE, 15, device, "a table of no or of broken descriptors")                        \
	X(TABLE_MEMORY, 16, device, "a table outside guest memory")                                \
	X(TABLE_WRAP, 17, device, "a table that wraps around 2^64")                                \
	X(PACKED_END, 18, device, "a list without an end")                                         \
	X(PACKED_OVERRUN, 19, device, "more descriptors than are free")                            \
	X(REQUEST_STALE, 20, device, "a request of before the reset, or completed twice")          \
	X(WRITTEN_CUT, 21, device, "more written than writable")                                   \
	X(CONFIG_SIZE, 22, device, "a size that the format does not allow")                        \
	X(CONFIG_ALIGN, 23, device, "an area that is not aligned")                                 \
	X(AREA_MEMORY, 24, device, "an area outside guest memory")                                 \
	X(AREA_PIECE, 25, device, "an area that is not contiguous")                                \
	X(AREA_WRAP, 26, device, "an area that wraps around 2^64")                                 \
	X(STATE_RANGE, 27, device, "saved positions outside the ring")                             \
	X(STATE_DISTANCE, 28, device, "saved positions too far apart")                             \
	X(RECORD_HEADER, 29, device, "a record of another version or size")                        \
	X(RECORD_LINK, 30, device, "a link of the record that leaves it")                          \
	X(RECORD_BATCH, 31, device, "a record's batch longer than the ring")                       \
	X(RECORD_COUNT, 32, device, "a record of a list of no descriptors")                        \
	X(RECORD_POSITION, 33, device, "a record's position outside the ring")                     \
	X(CONFIG_VERSION, 34, device, "a driver without VERSION_1")                                \
	X(BROKEN_STAYS, 35, device, "use of a queue that is broken")                               \
	X(SPLIT_USED_INDEX, 64, driver, "a used index ahead of what was shown")                    \
	X(USED_ID_RANGE, 65, driver, "a used id outside the queue")                                \
	X(USED_ID_FLIGHT, 66, driver, "a used id that is not in flight")                           \
	X(USED_LENGTH, 67, driver, "more bytes written than writable")                             \
	X(USED_ORDER, 68, driver, "a used batch longer than what was used")                        \
	X(USED_UNSHOWN, 69, driver, "a used buffer that was never shown")                          \
	X(DRIVER_BROKEN, 70, driver, "use of a queue that is broken")

#ifdef PVROM_TEST
enum pvrom_vq_check {
#define PVROM_VQ_CHECK_NAME_(NAME, number, half, text) PVROM_VQ_CHECK_##NAME = number,
	PVROM_VQ_CHECK_TABLE(PVROM_VQ_CHECK_NAME_)
#undef PVROM_VQ_CHECK_NAME_
};
/* The one that is taken out, 0 for none. */
extern uint32_t pvrom_vq_check_off;
#define VQ_REFUSE(NAME, condition) (pvrom_vq_check_off != PVROM_VQ_CHECK_##NAME && (condition))
#else
#define VQ_REFUSE(NAME, condition) __builtin_expect(!!(condition), 0)
#endif

#endif
