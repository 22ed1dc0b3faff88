/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* TAP, line by line; see tap_lines.h. */
#include "tap_lines.h"

#include <stdarg.h>
#include <stdio.h>

static unsigned int number, failures;

void tap_begin(void)
{
	printf("TAP version 13\n");
}

void tap_line(bool good, const char *skip, const char *format, ...)
{
	va_list list;

	failures += !good;
	printf("%sok %u - ", good ? "" : "not ", ++number);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	if (skip)
		printf(" # SKIP %s", skip);
	printf("\n");
	fflush(stdout);
}

int tap_end(void)
{
	printf("1..%u\n", number);
	return failures != 0;
}
