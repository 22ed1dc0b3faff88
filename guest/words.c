/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Words for people, from the tables of abi/. Each table is one string, its entries ended by zero
 * bytes: that takes half the room of an array of pointers. The number of an entry is its position,
 * because numbers begin at 0 and retired ones keep their line; the tests compare.
 */
#include "guest_internal.h"

/* Not aligned to 32 bytes, as compilers like to do. */
#define UNALIGNED __attribute__((aligned(1)))

#define ENTRY_(NAME, number, words) words "\0"
#define ENTRY_REASON_(NAME, number, words, text) words "\0"
#define ENTRY_FEATURE_(NAME, number, needs, name, text) name "\0"

static const char *entry(const char *words, size_t size, uint32_t number)
{
	const char *end = words + size - 1;

	for (; number && words < end; number--)
		while (*words++)
			;
	return words < end ? words : "unknown";
}

PVROM_COLD const char *pvrom_verdict_words(uint32_t verdict)
{
	static const char words[] UNALIGNED = PVROM_VERDICT_TABLE(ENTRY_);

	return entry(words, sizeof(words), verdict);
}

PVROM_COLD const char *pvrom_status_words(uint32_t status)
{
	static const char words[] UNALIGNED = PVROM_STATUS_TABLE(ENTRY_);

	return entry(words, sizeof(words), status);
}

PVROM_COLD const char *pvrom_reason_words(uint32_t reason)
{
	static const char words[] UNALIGNED = PVROM_REASON_TABLE(ENTRY_REASON_);

	return entry(words, sizeof(words), reason);
}

PVROM_COLD const char *pvrom_route_words(uint32_t route)
{
	static const char words[] UNALIGNED = PVROM_ROUTE_TABLE(ENTRY_);

	return entry(words, sizeof(words), route);
}

PVROM_COLD const char *pvrom_feature_name(uint32_t feature)
{
	static const char words[] UNALIGNED = PVROM_FEATURE_TABLE(ENTRY_FEATURE_);

	return entry(words, sizeof(words), feature);
}
