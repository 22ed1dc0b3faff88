/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Runs cases with and without their mistakes. */
#include "blk_cases.h"

#include <stdio.h>

static const char *const slip_text[] = { "none",
#define TEXT(name, text) text,
					 BLK_SLIP_TABLE(TEXT)
#undef TEXT
};

bool blk_case_holds(bool good, const char *file, int line, const char *text)
{
	if (!good && pvrom_blk_slipped == BLK_SLIP_NONE)
		printf("# %s:%d: %s\n", file, line, text);
	return good;
}

unsigned int run_blk_cases(const struct blk_case *cases, unsigned int count, unsigned int *bad)
{
	unsigned int i, j, n = 0;
	bool good;

	for (i = 0; i < count; i++) {
		good = cases[i].run();
		*bad += !good;
		printf("%sok %u - %s\n", good ? "" : "not ", ++n, cases[i].name);
		for (j = 0; j < CASE_SLIPS && cases[i].slip[j]; j++) {
			pvrom_blk_slip_set(cases[i].slip[j]);
			good = !cases[i].run();
			pvrom_blk_slip_set(BLK_SLIP_NONE);
			*bad += !good;
			printf("%sok %u - that is noticed: %s\n", good ? "" : "not ", ++n,
			       slip_text[cases[i].slip[j]]);
		}
	}
	return n;
}
