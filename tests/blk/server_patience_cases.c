/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* How long a server looks on for work before it sleeps: never for nothing, never without end, and no bell is missed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server_world.h"

#define CPU_MOST 20000000u /* ns that a server may spend on sleeping */

/* Of the counters that the server prints, the one behind that word; UINT64_MAX: none. */
static uint64_t counter(const char *name)
{
	char line[1024] = { 0 };
	const char *at;
	ssize_t n = 0;
	int fd;

	if (truncate(log_path, 0) || kill(pid, SIGUSR1) || !file_says(log_path, " in vain ", 10000))
		return UINT64_MAX;
	fd = open(log_path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, line, sizeof(line) - 1);
		close(fd);
	}
	at = n > 0 ? strstr(line, name) : NULL;
	return at ? strtoull(at + strlen(name), NULL, 10) : UINT64_MAX;
}

/* Requests with a pause behind each in which nobody comes. */
static bool lone_requests(unsigned int count)
{
	bool good = true;

	for (; count && good; count--) {
		good = HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 0, NULL, 4096) == 0);
		usleep(1000);
	}
	return good;
}

/* ---- what nobody uses ------------------------------------------------------------------------------------------- */

static uint64_t cpu_time(void)
{
	struct timespec t = { 0, 0 };
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return UINT64_MAX;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* One that does not sleep is waited for until it has had the CPU for long enough to be seen. */
bool idle_server(void)
{
	bool good = HOLDS(serve("memory=16M", PVROM_VQ_F_EVENT_IDX)) && HOLDS(works(&client));
	const uint64_t cpu = cpu_time(),
		       limit = vu_client_now() + (slipped ? 10000000000u : 300000000u);

	while (cpu_time() - cpu < CPU_MOST && vu_client_now() < limit)
		usleep(10000);
	good = good && HOLDS(cpu != UINT64_MAX) && HOLDS(cpu_time() - cpu < CPU_MOST);
	end();
	return good;
}

/* 300 times in vain: at the first, and then ever less often, which is ten times in all. */
bool looks_in_vain(void)
{
	uint64_t looks;
	bool good;

	poll_us = "32";
	good = HOLDS(serve("memory=16M", PVROM_VQ_F_EVENT_IDX)) && lone_requests(300);
	looks = counter("looks ");
	good = good && HOLDS(looks > 0) && HOLDS(looks <= 60) && HOLDS(counter("sleeps ") >= 100);
	end();
	poll_us = NULL;
	return good;
}

/* ---- where it is not wanted ------------------------------------------------------------------------------------- */

static bool never_looks(void)
{
	bool good = HOLDS(serve("memory=16M", PVROM_VQ_F_EVENT_IDX)) && lone_requests(20) &&
		    HOLDS(counter("looks ") == 0);

	end();
	return good;
}

/* The file from which the C library counts CPUs, for the servers of this test alone. */
static bool on_one_cpu(void)
{
	static const char online[] = "/sys/devices/system/cpu/online";
	char path[300];
	bool good;
	int fd;

	snprintf(path, sizeof(path), "%s/online", directory);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	good = HOLDS(write(fd, "0\n", 2) == 2) && HOLDS(!close(fd)) &&
	       HOLDS(!mount(path, online, NULL, MS_BIND, NULL));
	if (!good)
		return false;
	good = never_looks();
	umount2(online, MNT_DETACH);
	return good;
}

bool no_looks(void)
{
	bool good;

	poll_us = "0";
	good = never_looks();
	poll_us = NULL;
	return good && on_one_cpu();
}

/* ---- the option --------------------------------------------------------------------------------------------------- */

static bool refused(const char *us)
{
	char option[64];
	const char *argv[] = { program, slipped ? "--slip" : "-q",	  slipped ? slipped : "-q",
			       option,	"socket=/nowhere/at/all,null=1M", NULL };
	int status;

	snprintf(option, sizeof(option), "--poll-us=%s", us);
	status = server_stop(server_start(argv, log_path), 0, PATIENCE);
	return HOLDS(WIFEXITED(status) && WEXITSTATUS(status) == 2) &&
	       HOLDS(file_says(log_path, "not a number of microseconds", 100));
}

bool patience_option(void)
{
	static const char *const bad[] = {
		"", "x", "-1", "+1", " 1", "1x", "0x20", "1.5", "99999999999999999999", "1000000001"
	};
	static const char *const fine[] = { "0", "1", "1000000000" };
	bool good = true;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]) && good; i++)
		good = refused(bad[i]);
	for (i = 0; i < sizeof(fine) / sizeof(fine[0]) && good; i++) {
		poll_us = fine[i];
		good = HOLDS(serve("memory=16M", 0)) && HOLDS(works(&client));
		end();
	}
	poll_us = NULL;
	return good;
}

/* ---- between looking and sleeping ----------------------------------------------------------------------------------- */

/* One to four requests together; false: one of them has no end. */
static bool some_requests(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (!blk_client_submit(&client, 0, blk_client_free(&client, 0), PVROM_BLK_T_IN, 0,
				       512))
			return false;
	blk_client_publish(&client, 0);
	for (i = 0; i < count; i++)
		if (!blk_client_wait(&client, 0, PATIENCE))
			return false;
	return true;
}

/* Some at each moment between the last look, the switch of the bell, and the sleep, which is slow here. */
static bool each_is_seen(uint64_t features)
{
	unsigned int i, random = 1;
	bool good = HOLDS(serve("null=16M", features));

	for (i = 0; i < 200 && good; i++) {
		const uint64_t until = vu_client_now() + (random >> 16) % 400 * 1000;

		while (vu_client_now() < until)
			;
		random = random * 1103515245 + 12345;
		good = HOLDS(some_requests(1 + (random >> 20) % 4));
	}
	end();
	return good;
}

bool none_is_missed(void)
{
	bool good;

	poll_us = "20";
	good = each_is_seen(0) && each_is_seen(PVROM_VQ_F_EVENT_IDX) &&
	       each_is_seen(PVROM_VQ_F_RING_PACKED) &&
	       each_is_seen(PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_EVENT_IDX);
	poll_us = NULL;
	return good;
}
