/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Test builds: mistakes and left-out checks by their names. */
#include "blk_host_internal.h"

#ifdef PVROM_TEST
enum blk_check pvrom_blk_removed;
enum blk_slip pvrom_blk_slipped;

#define NAME(name, text) #name,
static const char *const slips[] = { "", BLK_SLIP_TABLE(NAME) };
static const char *const checks[] = { "", BLK_CHECK_TABLE(NAME) };

static unsigned int find(const char *const *names, unsigned int count, const char *name)
{
	unsigned int i, at;

	for (i = 1; i < count; i++) {
		for (at = 0; names[i][at] && names[i][at] == name[at];)
			at++;
		if (names[i][at] == name[at])
			return i;
	}
	return 0;
}

void pvrom_blk_slip_set(enum blk_slip slip)
{
	pvrom_blk_slipped = slip;
	pvrom_limit_slipped =
		(unsigned int)slip < LIMIT_SLIP_COUNT ? (enum limit_slip)slip : LIMIT_SLIP_NONE;
}

bool pvrom_blk_slip(const char *name)
{
	const unsigned int slip = find(slips, BLK_SLIP_COUNT, name);
	const unsigned int check = find(checks, BLK_CHECK_COUNT, name);

	if (slip)
		pvrom_blk_slip_set((enum blk_slip)slip);
	if (check)
		pvrom_blk_removed = (enum blk_check)check;
	return slip || check;
}
#else
/* ISO C wants a declaration in every file. */
extern int pvrom_blk_no_slips;
#endif
