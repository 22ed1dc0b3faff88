/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of pvblk's guest half share; and the checks against a hostile device, by name, which
 * test builds can take out one at a time to see the test of it fail.
 */
#ifndef PVROM_BLK_GUEST_INTERNAL_H
#define PVROM_BLK_GUEST_INTERNAL_H

#include <pvrom/blk_guest.h>

/* X(NAME, number, what it keeps out) */
#define PVROM_BLK_GUEST_CHECK_TABLE(X)                                                             \
	X(CONFIG_SEGMENTS, 1, "a device that takes no segment at all")                             \
	X(CONFIG_BYTES, 2, "segments shorter than a sector")                                       \
	X(CONFIG_QUEUES, 3, "a device without queues")                                             \
	X(CONFIG_SECTORS, 4, "more sectors than 64 bits have bytes")                               \
	X(STATUS_VALUE, 5, "a status that is none")                                                \
	X(READ_SHORT, 6, "a read that says it is done and is not")                                 \
	X(BROKEN_SUBMIT, 7, "work for a device that is broken")                                    \
	X(NEEDS_RESET, 8, "a device that asks for a reset")                                        \
	X(STUCK_MEMORY, 9, "memory given back that the device still has")

#ifdef PVROM_TEST
enum pvrom_blk_guest_check {
#define PVROM_BLK_GUEST_CHECK_(NAME, number, text) PVROM_BLK_GUEST_CHECK_##NAME = number,
	PVROM_BLK_GUEST_CHECK_TABLE(PVROM_BLK_GUEST_CHECK_)
#undef PVROM_BLK_GUEST_CHECK_
};
/* The one that is taken out, 0 for none. */
extern uint32_t pvrom_blk_guest_check_off;
#define GUEST_REFUSE(NAME, condition)                                                              \
	(pvrom_blk_guest_check_off != PVROM_BLK_GUEST_CHECK_##NAME && (condition))
#else
#define GUEST_REFUSE(NAME, condition) __builtin_expect(!!(condition), 0)
#endif

static inline bool guest_has(const struct pvrom_blk_guest *blk, uint64_t feature)
{
	return blk->features & feature;
}

/* blk_guest_config.c */
/* Reads the configuration and derives the limits; false: it makes no sense. */
bool pvrom_blk_guest_read_config(struct pvrom_blk_guest *blk);

/* blk_guest_request.c */
/* A request is over: its place is free, done is called. */
void pvrom_blk_guest_finish(struct pvrom_blk_guest_queue *queue,
			    struct pvrom_blk_guest_request *request,
			    enum pvrom_blk_guest_result result);

#endif
