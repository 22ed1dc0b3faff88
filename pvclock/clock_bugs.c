/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Which seeded bug of the clock's writer is on (test builds only; otherwise this file is empty). */
#include "clock_bugs.h"

#ifdef PVROM_TEST
uint32_t pvrom_clock_bug;
#endif
