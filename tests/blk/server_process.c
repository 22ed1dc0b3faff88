/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Servers as processes of a test. */
#define _GNU_SOURCE
#include "server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t server_start(const char *const *argv, const char *log)
{
	const pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (log) {
		fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
		if (fd >= 0)
			dup2(fd, 2);
	}
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

bool server_ended(pid_t pid, int *status)
{
	return waitpid(pid, status, WNOHANG) == pid;
}

int server_stop(pid_t pid, int signal, int ms)
{
	int status = -1;

	if (signal)
		kill(pid, signal);
	for (; ms > 0; ms--) {
		if (server_ended(pid, &status))
			return status;
		usleep(1000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return status;
}

bool server_listens(const char *path, int ms)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	bool listens = false;
	int fd;

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	for (; !listens && ms > 0; ms--) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		listens = !connect(fd, (struct sockaddr *)&address, sizeof(address));
		close(fd);
		if (!listens)
			usleep(1000);
	}
	return listens;
}

bool make_file(const char *path, uint64_t bytes)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const bool made = fd >= 0 && !ftruncate(fd, (off_t)bytes);

	if (fd >= 0)
		close(fd);
	return made;
}

bool file_says(const char *path, const char *text, int ms)
{
	static char content[65536];
	ssize_t n;
	int fd;

	for (; ms >= 0; ms -= 5) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, content, sizeof(content) - 1);
		if (fd >= 0)
			close(fd);
		if (n >= 0) {
			content[n] = 0;
			if (strstr(content, text))
				return true;
		}
		usleep(5000);
	}
	return false;
}
