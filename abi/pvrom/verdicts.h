/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Why a kernel runs native: what a guest shim can find out about a ROM and the host behind it.
 * No call carries these numbers; they are here so that a kernel, a probe and a test say the same words.
 */
#ifndef PVROM_VERDICTS_H
#define PVROM_VERDICTS_H

#include <pvrom/constants.h>

/* X(NAME, number, words for people) */
#define PVROM_VERDICT_TABLE(X)                                                                     \
	X(READY, 0, "ready")                                                                       \
	X(SWITCHED_OFF, 1, "switched off in this kernel")                                          \
	X(NO_ROM, 2, "no ROM")                                                                     \
	X(TRUNCATED, 3, "truncated ROM")                                                           \
	X(BAD_SIGNATURE, 4, "bad signature")                                                       \
	X(BAD_CHECKSUM, 5, "bad checksum")                                                         \
	X(WRONG_MAJOR, 6, "wrong major version")                                                   \
	X(OLD_MINOR, 7, "minor version too old")                                                   \
	X(BAD_HEADER, 8, "malformed ROM header")                                                   \
	X(BAD_SLOTS, 9, "slot table outside the ROM or malformed")                                 \
	X(BAD_TEXT, 10, "ROM text overlapping or out of range")                                    \
	X(BAD_RELOCATION, 11, "relocation leaves its slot")                                        \
	X(TWO_ROMS, 12, "two ROMs of one major version")                                           \
	X(ROM_CHANGED, 13, "ROM changed while it was read")                                        \
	X(CPUID_LIES, 14, "CPUID leaves and ROM do not agree")                                     \
	X(NO_HOST, 15, "ROM without host")                                                         \
	X(NOT_ALLOWED, 16, "ROM not on the list of allowed digests")                               \
	X(NO_TRANSPORT, 17, "no transport that this kernel may use")                               \
	X(NO_MEMORY, 18, "no memory for the copy of the ROM")                                      \
	X(REQUIRED_MISSING, 19, "a required feature is missing")                                   \
	X(HOST_ERROR, 20, "the host answered against the specification")                           \
	X(BAD_SITE, 21, "a call site that cannot be patched")                                      \
	X(PATCH_FAILED, 22, "the kernel could not write its own text")                             \
	X(SITES_OVERLAP, 23, "call sites overlap")

#define PVROM_VERDICT_CONSTANT_(NAME, number, words) PVROM_CONSTANT(PVROM_VERDICT_##NAME, number)
PVROM_CONSTANTS_BEGIN
PVROM_VERDICT_TABLE(PVROM_VERDICT_CONSTANT_)
PVROM_CONSTANT(PVROM_VERDICT_COUNT, 24)
PVROM_CONSTANTS_END

#endif
