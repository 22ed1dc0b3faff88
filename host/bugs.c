/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Which seeded bug is on (test builds only; otherwise this file is empty). */
#include "bugs.h"

#ifdef PVROM_TEST
uint32_t pvrom_host_bug;

static const struct {
	const char *name;
	uint32_t number;
} bugs[] = {
#define BUG_LINE(GROUP, NAME, number, name, text) { name, number },
	PVROM_HOST_BUG_TABLE(BUG_LINE)
};

static int same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

uint32_t pvrom_host_bug_number(const char *name)
{
	uint32_t i;

	for (i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++)
		if (same(bugs[i].name, name))
			return bugs[i].number;
	return 0;
}
#else
/* ISO C wants a declaration in every file. */
extern int pvrom_no_bugs;
#endif
