/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The hosted backends of the network card, in one process and in a network namespace that it makes for itself.
 *
 *	netback_test DIRECTORY [NAME]	NAME: cases that have this in their names; "plain": without mistakes
 */
#define _GNU_SOURCE
#include "netback_cases.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../pvnet/backend/netback_slips.h"
#include "../../pvnet/net_checks.h"
#include "../tap_lines.h"
#include "own_namespace.h"

bool netback_namespace;
const char *netback_directory;
uint8_t netback_payload[66000], netback_frame[ORACLE_FRAME_ROOM], netback_want[ORACLE_FRAME_ROOM];
struct world_received netback_got;
uint64_t netback_seed = 11;
char netback_message[PVROM_NET_MESSAGE];
static const char *skipped;

/* ---- what the cases use -------------------------------------------------------------------------------- */

bool netback_holds(bool good, int line, const char *text)
{
	if (!good && !netback_slipped && !pvrom_net_removed)
		printf("# line %d: %s (%s)\n", line, text, netback_message);
	return good;
}

bool netback_cannot(const char *why)
{
	skipped = why;
	return true;
}

struct pvrom_net_backend *netback_open(const char *words)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

	netback_message[0] = 0;
	return pvrom_net_backend_open(words, mac, netback_message);
}

bool netback_refuses(const char *words, const char *part)
{
	struct pvrom_net_backend *b = netback_open(words);

	if (!b)
		return strstr(netback_message, part);
	pvrom_net_backend_close(b);
	snprintf(netback_message, sizeof(netback_message), "%s was taken", words);
	return false;
}

void netback_give(struct net_world *w, uint32_t pair)
{
	while (net_world_give(w, pair, 4096))
		;
}

bool netback_take(struct net_world *w, struct pvrom_net_backend *b, uint32_t pair, int ms)
{
	bool stalled;

	for (;; ms--) {
		pvrom_net_backend_receive(b, &w->host, pair, 64, &stalled);
		if (net_world_take(w, pair, &netback_got))
			return true;
		if (ms <= 0)
			return false;
		usleep(1000);
	}
}

bool netback_same(const uint8_t *want, size_t len)
{
	return netback_got.len == len && !memcmp(netback_got.bytes, want, len);
}

/* ---- running ---------------------------------------------------------------------------------------------- */

/* A mistake of the backends, or a check of the card that is left out. */
static bool plant(const char *name)
{
	static const char *const checks[] = { "",
#define NAME(name, text) #name,
					      NET_CHECK_TABLE(NAME)
#undef NAME
	};
	unsigned int i;

	for (i = 1; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (!strcmp(checks[i], name))
			pvrom_net_removed = (enum net_check)i;
	return netback_slip(name) || pvrom_net_removed;
}

static void run(const struct netback_case *c, bool plain)
{
	const char *const *slip;
	bool good;

	skipped = NULL;
	good = c->run();
	tap_line(good, skipped, "%s", c->name);
	for (slip = c->slip; !plain && !skipped && slip < c->slip + 3 && *slip; slip++) {
		good = plant(*slip) && !c->run();
		netback_slipped = NETBACK_SLIP_NONE;
		pvrom_net_removed = NET_CHECK_NONE;
		tap_line(good, skipped, "%s: notices %s", c->name, *slip);
	}
}

int main(int argc, char **argv)
{
	const struct netback_case *const lists[] = { netback_plain_cases,   netback_switch_cases,
						     netback_capture_cases, netback_limit_cases,
						     netback_tap_cases,	    netback_user_cases };
	const bool plain = argc > 2 && !strcmp(argv[2], "plain");
	const char *only = argc > 2 && !plain ? argv[2] : "";
	const struct netback_case *c;
	size_t i;

	if (argc < 2)
		return 2;
	netback_directory = argv[1];
	signal(SIGPIPE, SIG_IGN);
	netback_namespace = own_namespace();
	for (i = 0; i < sizeof(netback_payload); i++)
		netback_payload[i] = (uint8_t)oracle_random(&netback_seed, 256);
	tap_begin();
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (c = lists[i]; c->name; c++)
			if (strstr(c->name, only))
				run(c, plain);
	return tap_end();
}
