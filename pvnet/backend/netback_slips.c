/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Mistakes by name, in test builds. */
#include "netback_slips.h"

#include <string.h>

#ifdef PVROM_TEST
enum netback_slip netback_slipped;

bool netback_slip(const char *name)
{
	static const char *const names[] = { "",
#define NAME(name, text) #name,
					     NETBACK_SLIP_TABLE(NAME)
#undef NAME
	};
	unsigned int i;

	for (i = 1; i < NETBACK_SLIP_COUNT; i++)
		if (!strcmp(names[i], name))
			netback_slipped = (enum netback_slip)i;
	return netback_slipped != NETBACK_SLIP_NONE;
}
#endif
