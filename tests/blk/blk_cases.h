/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Cases with the mistakes that they are there to find: each is run as it is, and once for each mistake, which must
 * make it fail.
 */
#ifndef BLK_CASES_H
#define BLK_CASES_H

#include "../../pvblk/blk_host_internal.h"

#define CASE_SLIPS 4

struct blk_case {
	const char *name;
	bool (*run)(void);
	enum blk_slip slip[CASE_SLIPS]; /* ended by BLK_SLIP_NONE */
};

/* Prints TAP without a plan; returns how many lines. bad: how many of them were failures. */
unsigned int run_blk_cases(const struct blk_case *cases, unsigned int count, unsigned int *bad);

/* Prints which line of a case failed, unless a failure is what is wanted. */
bool blk_case_holds(bool good, const char *file, int line, const char *text);
#define HOLDS(what) blk_case_holds((what), __FILE__, __LINE__, #what)

#endif
