/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* --svg: the picture of --dot, drawn by Graphviz, whose `dot' is called as a program. */
#include "probe_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* It reads from the pipe, and writes where this program would. */
static pid_t start_dot(int from)
{
	static char name[] = "dot", form[] = "-Tsvg";
	char *const arguments[] = { name, form, NULL };
	posix_spawn_file_actions_t actions;
	pid_t child = 0;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, from, STDIN_FILENO);
	error = posix_spawnp(&child, name, &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error == ENOENT)
		fail(EXIT_USAGE, "--svg is drawn by Graphviz's program `dot', which is not "
				 "installed; --dot needs nothing");
	if (error != 0)
		fail(EXIT_UNREADABLE, "cannot run dot: %s", strerror(error));
	return child;
}

static void write_line(void *ctx, const char *text)
{
	fprintf(ctx, "%s\n", text);
}

void print_svg(const struct pvrom_probe_verdict *verdict)
{
	int ends[2], status = -1;
	pid_t child;
	FILE *to;

	if (pipe2(ends, O_CLOEXEC) < 0)
		fail(EXIT_UNREADABLE, "no pipe: %s", strerror(errno));
	fflush(stdout);
	child = start_dot(ends[0]);
	close(ends[0]);
	/* A dot that ends early says so by its status. */
	signal(SIGPIPE, SIG_IGN);
	to = fdopen(ends[1], "w");
	if (to != NULL) {
		pvrom_probe_dot(verdict, write_line, to);
		fclose(to);
	}
	if (waitpid(child, &status, 0) != child || status != 0)
		fail(EXIT_UNREADABLE, "dot has failed: there is no picture");
}
