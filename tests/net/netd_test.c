/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom-netd as a process: cards, networks, life.
 *
 *	netd_test SERVER DIRECTORY [NAME]	NAME: cases that have this in their names
 */
#define _GNU_SOURCE
#include "netd_world.h"
#include "own_namespace.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tap_lines.h"

bool netd_namespace;
const char *netd_program, *netd_directory, *netd_slipped;
#define NAMES 32u /* of files, in all cases together */

/* ---- what the cases share ------------------------------------------------------------------------------ */

bool netd_holds(bool good, int line, const char *text)
{
	if (!good && !netd_slipped)
		printf("# line %d: %s\n", line, text);
	return good;
}

const char *netd_path(const char *name)
{
	static char path[NAMES][300];
	const size_t before = strlen(netd_directory) + 1;
	unsigned int i;

	for (i = 0; i < NAMES - 1 && path[i][0] && strcmp(path[i] + before, name); i++)
		;
	snprintf(path[i], sizeof(path[i]), "%s/%s", netd_directory, name);
	return path[i];
}

pid_t netd_start(const char *log, bool ready, const char *first, const char *second)
{
	const char *argv[6] = { netd_program };
	unsigned int n = 1;
	pid_t pid;

	if (netd_slipped) {
		argv[n++] = "--slip";
		argv[n++] = netd_slipped;
	}
	argv[n++] = first;
	if (first)
		argv[n++] = second;
	/* Not by connecting: a server that was killed may still listen for a moment. */
	unlink(log);
	pid = server_start(argv, log);
	if (ready && !file_says(log, "ready", 10000))
		printf("# not ready: %s\n", log);
	return pid;
}

void netd_end(pid_t pid)
{
	server_stop(pid, SIGTERM, 5000);
}

bool netd_connect(struct vu_client *c, const char *socket, uint64_t features, uint32_t queues)
{
	uint32_t i;

	*c = (struct vu_client){ .path = socket,
				 .features = features | RING,
				 .protocol = ALL_PROTOCOL,
				 .queues = queues,
				 .size = 256,
				 .depth = 128,
				 .data_bytes = 2048 };
	if (!HOLDS(vu_client_open(c)) || !HOLDS(vu_client_connect(c, 10000)))
		return false;
	for (i = 0; i < queues / 2; i++)
		net_client_give(c, i);
	return true;
}

void netd_frame(uint8_t *frame, uint32_t len, uint8_t to, uint8_t from)
{
	static const uint8_t mac[4] = { 2, 0, 0, 0 };
	static uint32_t seed = 1;
	uint32_t i;

	for (i = 0; i < len; i++)
		frame[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
	memcpy(frame, mac, 4);
	frame[4] = 0;
	frame[5] = to;
	if (to == 0xff)
		memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 4);
	frame[10] = 0;
	frame[11] = from;
	memcpy(frame + 12, "\x88\xb5", 2);
}

bool netd_gets(struct vu_client *c, uint32_t pair, const uint8_t *frame, uint32_t len, int ms)
{
	static uint8_t got[65536];
	struct pvrom_net_header h;
	uint32_t n;

	do
		n = net_client_take(c, pair, &h, got, sizeof(got), ms);
	while (n && !memcmp(got + 12, "\x80\x35", 2));
	return n == len && !memcmp(got, frame, len);
}

bool netd_loop_works(struct vu_client *c, uint32_t pair, uint32_t frames)
{
	const struct pvrom_net_header plain = { 0 };
	uint8_t frame[2048];
	uint32_t i, len;

	for (i = 0; i < frames; i++) {
		len = 60 + i * 97 % 1900;
		netd_frame(frame, len, 1, 2);
		if (!HOLDS(net_client_send(c, pair, &plain, frame, len)) ||
		    !HOLDS(netd_gets(c, pair, frame, len, PATIENCE)))
			return false;
	}
	return true;
}

bool netd_config(struct vu_client *c, struct pvrom_net_config *config)
{
	union vu_payload p = { .config = { .offset = 0, .size = sizeof(*config) } };

	if (vu_client_message(c, VU_GET_CONFIG, &p, 12 + sizeof(*config), NULL, 0, &p, NULL) !=
	    12 + (int)sizeof(*config))
		return false;
	memcpy(config, p.config.bytes, sizeof(*config));
	return true;
}

/* ---- running ------------------------------------------------------------------------------------------- */

static void run(const struct netd_case *c)
{
	const char *const *slip;
	bool good;

	tap_line(c->run(), NULL, "%s", c->name);
	for (slip = c->slip; slip < c->slip + 3 && *slip; slip++) {
		netd_slipped = *slip;
		good = !c->run();
		netd_slipped = NULL;
		tap_line(good, NULL, "%s: notices %s", c->name, *slip);
	}
}

int main(int argc, char **argv)
{
	const struct netd_case *const lists[] = { netd_card_cases, netd_net_cases,
						  netd_life_cases };
	const struct netd_case *c;
	size_t i;

	if (argc < 3)
		return 2;
	netd_program = argv[1];
	netd_directory = argv[2];
	signal(SIGPIPE, SIG_IGN);
	tap_begin();
	/* Nothing here is meant for any network but that one. */
	netd_namespace = own_namespace();
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (c = lists[i]; c->name; c++)
			if (argc < 4 || strstr(c->name, argv[3]))
				run(c);
	return tap_end();
}
