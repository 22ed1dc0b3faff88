/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * User-mode networking in a process of its own: pvrom-netd, which stands beside pvrun or in the PATH, has
 * libslirp, and pvrun is one static file without it. What reads the guest's packets and the network's thus has
 * none of the guest's memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net_device.h"

#define PROGRAM "pvrom-netd"
#define SOCKET_ROOM (4 << 20)
#define PATIENCE 200u /* times 10 ms: for the helper to end by itself */

/* The program beside this one if it is there, else its bare name, for the PATH. */
static void find_program(char *path, size_t room)
{
	ssize_t length = readlink("/proc/self/exe", path, room - sizeof(PROGRAM));
	char *name;

	path[length > 0 ? length : 0] = '\0';
	name = strrchr(path, '/');
	name = name ? name + 1 : path;
	memcpy(name, PROGRAM, sizeof(PROGRAM));
	if (access(path, X_OK) != 0)
		memcpy(path, PROGRAM, sizeof(PROGRAM));
}

/* A guest's output goes to our standard output, so nothing else may. */
static void arrange(posix_spawn_file_actions_t *files, posix_spawnattr_t *how, int socket)
{
	sigset_t none, usual;

	posix_spawn_file_actions_init(files);
	posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(files, STDERR_FILENO, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(files, socket, socket); /* takes its CLOEXEC off */
	sigemptyset(&none);
	sigfillset(&usual);
	posix_spawnattr_init(how);
	posix_spawnattr_setsigmask(how, &none);
	posix_spawnattr_setsigdefault(how, &usual);
	/* A group of its own: keys that interrupt pvrun end the helper by its socket alone. */
	posix_spawnattr_setpgroup(how, 0);
	posix_spawnattr_setflags(how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
					      POSIX_SPAWN_SETPGROUP);
}

static int spawn(struct net_helper *helper, int socket, const char *words)
{
	char path[4096], option[32], copy[4096];
	char *argv[] = { path, option, copy, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	int error;

	find_program(path, sizeof(path));
	snprintf(option, sizeof(option), "--port-fd=%d", socket);
	if ((size_t)snprintf(copy, sizeof(copy), "%s", words) >= sizeof(copy))
		return E2BIG;
	arrange(&files, &how, socket);
	error = posix_spawnp(&helper->pid, path, &files, &how, argv, environ);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

/* For as many frames as the host allows: a guest sends them in bursts. */
static void make_room(int socket)
{
	const int bytes = SOCKET_ROOM;

	if (setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

bool net_helper_start(struct net_helper *helper, const char *words, char *message, size_t room)
{
	int pair[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		snprintf(message, room, "no socket: %s", strerror(errno));
		return false;
	}
	make_room(pair[0]);
	make_room(pair[1]);
	error = spawn(helper, pair[1], words);
	close(pair[1]);
	helper->socket = pair[0];
	if (error == 0)
		return true;
	snprintf(message, room, "%s, which has it, cannot be started: %s", PROGRAM,
		 strerror(error));
	close(pair[0]);
	return false;
}

static bool has_ended(const struct net_helper *helper)
{
	return waitpid(helper->pid, NULL, WNOHANG) != 0;
}

void net_helper_stop(struct net_helper *helper)
{
	const struct timespec ten_ms = { .tv_nsec = 10000000 };

	for (unsigned int i = 0; i < PATIENCE; i++) {
		if (has_ended(helper))
			return;
		nanosleep(&ten_ms, NULL);
	}
	kill(helper->pid, SIGKILL);
	waitpid(helper->pid, NULL, 0);
}
