/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Makes the kernel's clock what a time daemon would make of it, in the lab: nobody else may be hurt.
 *
 *	set_clock sync MAXERROR_US TAI	synchronized, with that bound, TAI - UTC known
 *	set_clock lost			not synchronized
 *	set_clock step SECONDS		set forward
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

static int change(unsigned int modes, int status, long value)
{
	struct timex change = {
		.modes = modes, .status = status, .maxerror = value, .constant = value
	};

	return adjtimex(&change) < 0;
}

static int step(long seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += seconds;
	return clock_settime(CLOCK_REALTIME, &now) < 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "sync") == 0)
		return change(ADJ_TAI, 0, strtol(argv[3], NULL, 10)) ||
		       change(ADJ_STATUS, STA_PLL, 0) ||
		       change(ADJ_MAXERROR, 0, strtol(argv[2], NULL, 10));
	if (argc == 2 && strcmp(argv[1], "lost") == 0)
		return change(ADJ_STATUS, STA_UNSYNC, 0);
	if (argc == 3 && strcmp(argv[1], "step") == 0)
		return step(strtol(argv[2], NULL, 10));
	fprintf(stderr, "usage: set_clock sync MAXERROR_US TAI | lost | step SECONDS\n");
	return 2;
}
