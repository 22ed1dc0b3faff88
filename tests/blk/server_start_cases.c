/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Servers that are asked for what cannot be, and say so before they begin. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server_world.h"

/* A second server with those words; does it end with that status and those words? */
static bool second_ends(const char *words, int wanted, const char *why)
{
	const char *argv[] = { program, words, slipped ? "--slip" : NULL, slipped, NULL };
	char log[280];
	pid_t second;
	int status;

	snprintf(log, sizeof(log), "%s.second", log_path);
	second = server_start(argv, log);
	status = server_stop(second, 0, PATIENCE);
	return HOLDS(WIFEXITED(status) && WEXITSTATUS(status) == wanted) &&
	       HOLDS(file_says(log, why, 100));
}

static void leave(void)
{
	vu_client_close(&client);
	memset(&client, 0, sizeof(client));
}

/* The socket of a server that was killed takes connections for a moment more, and drops them. */
static bool connect_to_next(void)
{
	const uint64_t limit = vu_client_now() + 10000000000u;
	bool good;

	for (good = false; !good && vu_client_now() < limit;) {
		leave();
		good = connect_to(&client, socket_path, 0);
	}
	return good;
}

/* The one that was there goes on serving; what a dead one left is no hindrance. */
bool socket_taken(void)
{
	char words[300];
	int status, fd;
	bool good;

	snprintf(words, sizeof(words), "socket=%s,memory=16M", socket_path);
	good = HOLDS(serve("memory=16M", 0)) &&
	       HOLDS(second_ends(words, 1, "another server listens")) && HOLDS(works(&client));
	leave();
	good = good && HOLDS(connect_to(&client, socket_path, 0)) && HOLDS(works(&client));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	pid = server_start((const char *const[]){ program, words, NULL }, log_path);
	good = good && HOLDS(connect_to_next()) && HOLDS(works(&client));
	end();
	fd = open(socket_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	good = good && HOLDS(second_ends(words, 1, "is no socket"));
	close(fd);
	unlink(socket_path);
	return good;
}

bool wrong_words(void)
{
	static const struct {
		const char *words, *why;
	} bad[] = { { "memory=16M", "socket=PATH is missing" },
		    { "socket=/tmp/x", "one of file=PATH" },
		    { "socket=/tmp/x,memory=16M,null=1M", "one of file=PATH" },
		    { "socket=/tmp/x,memory=16M,fast", "no such word: fast" },
		    { "socket=/tmp/x,memory=", "memory: not a value" },
		    { "socket=/tmp/x,memory=16Q", "memory: not a value: 16Q" },
		    { "socket=/tmp/x,memory=16M,queues=0", "queues: not a value: 0" },
		    { "socket=/tmp/x,memory=16M,queues=65", "queues: not a value: 65" },
		    { "socket=/tmp/x,memory=16M,ro=1", "ro: not a value" },
		    { "socket=/tmp/x,memory=16M,size-max=1000", "not a multiple of 512" },
		    { "socket=/tmp/x,memory=16M,iops-burst=5", "a burst without a rate" },
		    { "socket=/tmp/x,memory=16M,bps=9,bps-burst-rate=5", "a burst rate below" } };
	size_t i;
	bool good = true;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]) && good; i++)
		good = HOLDS(second_ends(bad[i].words, 2, bad[i].why));
	return good;
}
