/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include "random_calls.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cunit_tap.h"

uint64_t random_calls_seed(uint64_t usual)
{
	const char *text = getenv("PVROM_SEED");
	uint64_t seed = usual;

	if (text)
		seed = !strcmp(text, "new") ? (uint64_t)time(NULL) : strtoull(text, NULL, 0);
	tap_note("PVROM_SEED=%llu", (unsigned long long)seed);
	return seed;
}

void random_calls_note(const char *call, const uint32_t count[PVROM_STATUS_COUNT], uint32_t voids)
{
	static const char *const names[] = {
#define STATUS(NAME, number, text) #NAME,
		PVROM_STATUS_TABLE(STATUS)
	};
	char text[256] = "";
	size_t at = 0;
	uint32_t i;

	if (voids)
		at = (size_t)snprintf(text, sizeof(text), " void %u", voids);
	for (i = 0; i < PVROM_STATUS_COUNT; i++)
		if (count[i])
			at += (size_t)snprintf(text + at, sizeof(text) - at, " %s %u", names[i],
					       count[i]);
	tap_note("%-20s%s", call, text);
}

void random_calls_check(const uint32_t count[PVROM_STATUS_COUNT], uint32_t possible)
{
	uint32_t i;

	for (i = 0; i < PVROM_STATUS_COUNT; i++) {
		const bool may = possible & 1u << i;

		CU_ASSERT_TRUE(may ? count[i] >= RANDOM_CALLS_LEAST : count[i] == 0);
	}
}
