/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a call can answer. The numbers are fixed for ever; each call's page in the specification
 * says what a status means for that call.
 */
#ifndef PVROM_STATUS_H
#define PVROM_STATUS_H

#include <pvrom/constants.h>

/* X(name, number, sentence for people) */
#define PVROM_STATUS_TABLE(X)                                                                      \
	X(OK, 0, "done")                                                                           \
	X(NOT_SUPPORTED, 1, "this host knows no such call, form or object")                        \
	X(DENIED, 2, "the call is outside the sealed set of features")                             \
	X(NOT_REQUIRED, 3, "the hardware does it; use the native form")                            \
	X(INVALID, 4, "an argument, size or reserved bit has a value that is not allowed")         \
	X(ADDRESS, 5, "an address range is not wholly guest memory, wraps or is misaligned")       \
	X(BUSY, 6, "other vCPUs or a pending operation stand in the way; try again later")         \
	X(STALE, 7, "the epoch has moved; look at the offer again")                                \
	X(REFUSED, 8, "a required feature is not to be had; the old set stays in force")           \
	X(CONTINUE, 9, "part of the work is done; the value says how much; call again")            \
	X(MODE, 10, "the caller is not in 64-bit mode at privilege level 0")                       \
	X(NO_SPACE, 11, "a fixed resource of the host is used up")                                 \
	X(VERSION, 12, "this host does not serve that major version")

#define PVROM_STATUS_CONSTANT_(name, number, text) PVROM_CONSTANT(PVROM_STATUS_##name, number)
PVROM_CONSTANTS_BEGIN
PVROM_STATUS_TABLE(PVROM_STATUS_CONSTANT_)
PVROM_CONSTANT(PVROM_STATUS_COUNT, 13)
PVROM_CONSTANTS_END

#endif
