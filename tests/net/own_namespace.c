/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A network of a test's own. */
#define _GNU_SOURCE
#include "own_namespace.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void write_file(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		printf("# %s cannot be written\n", path);
	close(fd);
}

static void bring_up_loopback(void)
{
	const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { .ifr_flags = IFF_UP | IFF_RUNNING };

	strcpy(r.ifr_name, "lo");
	if (ioctl(s, SIOCSIFFLAGS, &r))
		printf("# no loopback\n");
	close(s);
}

/* A user namespace first, which anybody may make; as root a network namespace alone will do. */
bool own_namespace(void)
{
	const unsigned int user = geteuid(), group = getegid();
	char map[64];

	if (!unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		write_file("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", user);
		write_file("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "0 %u 1", group);
		write_file("/proc/self/gid_map", map);
	} else if (unshare(CLONE_NEWNET)) {
		printf("# no network namespace of our own\n");
		return false;
	}
	bring_up_loopback();
	return true;
}
