/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * TAP for tests with cases of their own, which run each case several times: a line for each run.
 */
#ifndef TAP_LINES_H
#define TAP_LINES_H

#include <stdbool.h>

/* The first line. */
void tap_begin(void);
/* One result, with its name in printf's style. skip: why it could not be found out, or NULL. */
void tap_line(bool good, const char *skip, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The plan. Returns what main() shall: 0 when all were good, 1 when not. */
int tap_end(void);

#endif
