/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The life of the server: killed under load and started anew, words that cannot be, what it says.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netd_world.h"

static struct vu_client client;
static pid_t server;
static char words[500];

static bool serve(const char *more)
{
	snprintf(words, sizeof(words), "socket=%s,%s", netd_path("life.socket"), more);
	server = netd_start(netd_path("life.log"), true, words, NULL);
	return server > 0;
}

/* ---- killed -------------------------------------------------------------------------------------------- */

/* Frames with numbers in them; each that comes back is whole, and none comes twice in one life of the server. */
struct load {
	uint32_t sent, came, torn, last;
};

static void exchange(struct load *load, uint32_t frames)
{
	const struct pvrom_net_header plain = { 0 };
	struct pvrom_net_header h;
	uint8_t frame[1200];
	uint32_t i, n, number;

	for (i = 0; i < frames; i++) {
		memset(frame, (int)load->sent, sizeof(frame));
		frame[0] = 2;
		memcpy(frame + 20, &load->sent, 4);
		load->sent += net_client_send(&client, 0, &plain, frame, 60 + load->sent % 1100);
		n = net_client_take(&client, 0, &h, frame, sizeof(frame), 0);
		if (!n)
			continue;
		memcpy(&number, frame + 20, 4);
		load->came++;
		load->torn += n != 60 + number % 1100 || frame[19] != (uint8_t)number ||
			      frame[n - 1] != (uint8_t)number;
	}
}

/* All that the dead server has shown is taken before the next one is told where to go on. */
static void take_the_rest(struct load *load)
{
	struct pvrom_net_header h;
	struct pvrom_vq_done done;
	uint8_t frame[1200];

	while (net_client_take(&client, 0, &h, frame, sizeof(frame), 0))
		load->came++;
	while (pvrom_vq_driver_get(&client.queue[1].vq, &done) == PVROM_VQ_OK)
		((struct vu_client_request *)done.token)->busy = false;
}

static bool killed_with(uint64_t ring, bool record, bool loses_place)
{
	struct load load = { 0 };
	uint32_t round, before, i;
	bool good;

	serve("loop");
	client = (struct vu_client){ .path = netd_path("life.socket"),
				     .features = RING | ring,
				     .protocol = ALL_PROTOCOL |
						 (record ? VU_PROTOCOL_INFLIGHT_SHMFD : 0),
				     .loses_place = loses_place,
				     .queues = 2,
				     .size = 256,
				     .depth = 128,
				     .data_bytes = 2048 };
	good = HOLDS(vu_client_open(&client)) && HOLDS(vu_client_connect(&client, 10000));
	for (round = 0; good && round < 8; round++) {
		net_client_give(&client, 0);
		before = load.came;
		for (i = 0; i < (uint32_t)PATIENCE && load.came < before + 300; i++) {
			exchange(&load, 100);
			usleep(100);
		}
		good = HOLDS(load.came >= before + 300) && HOLDS(!load.torn);
		kill(server, SIGKILL);
		exchange(&load, 50);
		server_stop(server, 0, 5000);
		vu_client_disconnect(&client);
		take_the_rest(&load);
		serve("loop");
		good = good && HOLDS(vu_client_connect(&client, PATIENCE));
	}
	vu_client_close(&client);
	netd_end(server);
	return good;
}

static bool killed(void)
{
	return killed_with(0, false, false) && killed_with(PVROM_VQ_F_EVENT_IDX, false, false) &&
	       killed_with(PVROM_VQ_F_EVENT_IDX, true, false) &&
	       killed_with(PVROM_VQ_F_RING_PACKED, true, false) &&
	       killed_with(PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_EVENT_IDX, true, false);
}

static bool killed_and_lost(void)
{
	return killed_with(PVROM_VQ_F_RING_PACKED, false, true) &&
	       killed_with(PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_EVENT_IDX, false, true);
}

/* ---- what is said -------------------------------------------------------------------------------------- */

static bool ends_with(int status, const char *says, const char *a, const char *b)
{
	const pid_t pid = netd_start(netd_path("life.log"), false, a, b);
	const int got = server_stop(pid, 0, 10000);

	return HOLDS(WIFEXITED(got) && WEXITSTATUS(got) == status) &&
	       HOLDS(!says || file_says(netd_path("life.log"), says, 100));
}

static bool wrong_usage(void)
{
	static const struct {
		int status;
		const char *says, *a, *b;
	} wrong[] = {
		{ 2, "no card", NULL, NULL },
		{ 2, "socket=PATH is missing", "loop", NULL },
		{ 1, "a backend is missing", "socket=@", NULL },
		{ 1, "no such word: lop", "socket=@,lop", NULL },
		{ 2, "mac: not the address of a card: 01:00:00:00:00:00",
		  "socket=@,loop,mac=01:00:00:00:00:00", NULL },
		{ 2, "mac: not the address of a card: 2:0:0", "socket=@,loop,mac=2:0:0", NULL },
		{ 2, "queues: 1 to 8, not 9", "socket=@,loop,queues=9", NULL },
		{ 2, "without: no such feature: tsso", "socket=@,loop,without=tsso", NULL },
		{ 2, "another card has this MAC address", "socket=@,loop,mac=02:00:00:00:00:01",
		  "socket=other,loop,mac=02:00:00:00:00:01" },
		{ 2, "--switch: not PATH", "--switch=", NULL },
		{ 2, "--port-fd: not a descriptor", "--port-fd=x", NULL },
		{ 2, "one network alone", "--port-fd=1", NULL },
		{ 2, "not a number of microseconds", "--poll-us=x", NULL },
		{ 2, "unrecognized option", "--nothing", NULL },
		{ 1, "/nowhere/x", "socket=/nowhere/x,loop", NULL },
		{ 1, "no switch there", "socket=@,port=/nowhere/x", NULL },
		{ 0, NULL, "--help", NULL },
		{ 0, NULL, "--version", NULL },
	};
	char a[400];
	bool good = true;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *at = wrong[i].a ? strchr(wrong[i].a, '@') : NULL;

		if (at)
			snprintf(a, sizeof(a), "%.*s%s%s", (int)(at - wrong[i].a), wrong[i].a,
				 netd_path("life.socket"), at + 1);
		if (!ends_with(wrong[i].status, wrong[i].says, at ? a : wrong[i].a, wrong[i].b)) {
			printf("# of: %s\n", wrong[i].a ? wrong[i].a : "nothing");
			good = false;
		}
	}
	return good;
}

static bool socket_in_use(void)
{
	bool good = serve("loop");

	good = good && ends_with(1, "another", words, NULL);
	/* What a dead one left is replaced. */
	server_stop(server, SIGKILL, 5000);
	good = good && HOLDS(serve("loop")) &&
	       netd_connect(&client, netd_path("life.socket"), 0, 2) &&
	       netd_loop_works(&client, 0, 5);
	vu_client_close(&client);
	netd_end(server);
	return good && HOLDS(access(netd_path("life.socket"), F_OK));
}

static bool counters(void)
{
	struct stat st;
	char more[400];
	bool good;

	snprintf(more, sizeof(more), "loop,pcap=%s", netd_path("life.pcapng"));
	good = serve(more) && netd_connect(&client, netd_path("life.socket"), 0, 2) &&
	       netd_loop_works(&client, 0, 20);
	usleep(20000);
	kill(server, SIGUSR1);
	good = good &&
	       HOLDS(file_says(netd_path("life.log"), "life.socket: sent 20 (", PATIENCE)) &&
	       HOLDS(file_says(netd_path("life.log"), "captured 40 capture-lost 0", PATIENCE)) &&
	       HOLDS(!stat(netd_path("life.pcapng"), &st) && st.st_size > 40 * 60) &&
	       netd_loop_works(&client, 0, 20);
	vu_client_close(&client);
	netd_end(server);
	return good;
}

/* ---- tap ----------------------------------------------------------------------------------------------- */

static bool interface_up(const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_UP | IFF_RUNNING };
	const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good;

	strncpy(r.ifr_name, name, IFNAMSIZ - 1);
	good = !ioctl(s, SIOCSIFFLAGS, &r);
	close(s);
	return good;
}

/* Linux asks for routers and neighbours when an interface comes up: frames of its own. */
static bool hears_linux(int ms)
{
	struct pvrom_net_header h;
	uint8_t frame[2048];

	for (; ms > 0; ms -= 100)
		if (net_client_take(&client, 0, &h, frame, sizeof(frame), 100))
			return true;
	return false;
}

static bool tap_killed(void)
{
	bool good = !netd_namespace ||
		    (serve("tap=pvd0,mac=02:00:00:00:00:01") &&
		     netd_connect(&client, netd_path("life.socket"), PVROM_VQ_F_EVENT_IDX, 2) &&
		     HOLDS(interface_up("pvd0")) && HOLDS(hears_linux(PATIENCE)));

	if (!netd_namespace) {
		printf("# not run: no network namespace\n");
		return true;
	}

	server_stop(server, SIGKILL, 5000);
	vu_client_disconnect(&client);
	good = good && HOLDS(serve("tap=pvd0,mac=02:00:00:00:00:01")) &&
	       HOLDS(vu_client_connect(&client, PATIENCE)) && HOLDS(interface_up("pvd0")) &&
	       HOLDS(hears_linux(PATIENCE));
	vu_client_close(&client);
	netd_end(server);
	return good;
}

const struct netd_case netd_life_cases[] = {
	{ "killed under load and started anew, both kinds of ring [PVROM-NET-28]",
	  killed,
	  { NULL } },
	{ "killed under load before a front end that loses its place in packed rings",
	  killed_and_lost,
	  { "SEEK" } },
	{ "words that cannot be end it with a sentence", wrong_usage, { NULL } },
	{ "a socket that is in use, and one that a dead server left", socket_in_use, { NULL } },
	{ "counters and a capture", counters, { NULL } },
	{ "tap: killed and started anew", tap_killed, { NULL } },
	{ NULL, NULL, { NULL } },
};
