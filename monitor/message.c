/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What pvrun says on stderr, always with its name in front. */
#include "basics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void say(const char *format, va_list args)
{
	flockfile(stderr);
	fputs("pvrun: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	funlockfile(stderr);
}

/* Says what went wrong and ends pvrun; for what is found before the guest runs. */
void fail(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	exit(status);
}

/* Says what went wrong and returns. */
void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}
