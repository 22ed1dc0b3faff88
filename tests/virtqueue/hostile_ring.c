/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Runs hostile cases; see hostile_ring.h. TAP, one line a case.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile_ring.h"

/* CPU time after which a case without its check is taken to run for ever. */
#define WITHOUT_US 50000
#define WITH_S 60

struct ring_world world;
struct pvrom_vq_request req;
static bool quiet;

void hostile_fail(const char *file, int line, const char *what)
{
	if (!quiet)
		fprintf(stderr, "# %s:%d: %s\n", file, line, what);
	_exit(1);
}

static void limit(bool with)
{
	struct itimerval timer = { .it_value = { .tv_sec = with ? WITH_S : 0,
						 .tv_usec = with ? 0 : WITHOUT_US } };

	setitimer(ITIMER_PROF, &timer, NULL);
}

/* Whether the case passes. */
static bool passes(const struct hostile_case *c, bool with)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		quiet = !with;
		if (!with && !freopen("/dev/null", "w", stderr))
			_exit(2);
		limit(with);
		pvrom_vq_check_off = with ? 0 : c->check;
		c->run();
		EXPECT(world.violations == 0);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("fork");
		exit(2);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool is_known(const struct hostile_case *const *lists, const struct hostile_case *c)
{
	const struct hostile_case *other;
	size_t i;

	for (i = 0; lists[i]; i++)
		for (other = lists[i]; other->name; other++)
			if (other != c && !strcmp(other->name, c->name))
				return true;
	return false;
}

int hostile_run(const struct hostile_case *const *lists)
{
	const struct hostile_case *c;
	uint32_t n = 0, bad = 0;
	size_t i;

	for (i = 0; lists[i]; i++) {
		for (c = lists[i]; c->name; c++) {
			const char *why = "";

			if (!passes(c, true))
				why = " (failed)";
			else if (passes(c, false))
				why = " (also passes without its check)";
			else if (is_known(lists, c))
				why = " (the name is there twice)";
			bad += *why != '\0';
			printf("%sok %u - %s%s\n", *why ? "not " : "", ++n, c->name, why);
		}
	}
	printf("1..%u\n", n);
	return bad ? 1 : 0;
}
