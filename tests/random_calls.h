/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What CUnit tests that draw calls at random have in common: the seed, and how often each status came out. */
#ifndef TESTS_RANDOM_CALLS_H
#define TESTS_RANDOM_CALLS_H

#include <pvrom/status.h>
#include <stdint.h>

/* What may come out came out as often, or the drawing says little. */
#define RANDOM_CALLS_LEAST 100

/* The one of the environment's PVROM_SEED, which may be "new", else the usual one. It is printed. */
uint64_t random_calls_seed(uint64_t usual);
/* Prints one call's line of the histogram; voids: how often it had no status to give. */
void random_calls_note(const char *call, const uint32_t count[PVROM_STATUS_COUNT], uint32_t voids);
/* Each status of the set, a bit a status, came often enough; no other came. */
void random_calls_check(const uint32_t count[PVROM_STATUS_COUNT], uint32_t possible);

#endif
