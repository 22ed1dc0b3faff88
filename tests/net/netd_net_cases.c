/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Networks between processes: switches, ports that come, go, do not read or talk rubbish, and helpers.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../pvnet/backend/net_port.h"
#include "netd_world.h"

#define CROWD 200u /* more than a switch has ports */

static struct vu_client one, two;
static pid_t first, second;
static char words[2][300];

static const char *card(uint32_t n, const char *more)
{
	snprintf(words[n], sizeof(words[n]), "socket=%s,port=%s,mac=02:00:00:00:00:0%u%s",
		 netd_path(n ? "two.socket" : "one.socket"), netd_path("switch.socket"), n + 1,
		 more);
	return words[n];
}

static const char *the_switch(const char *more)
{
	static char text[300];

	snprintf(text, sizeof(text), "--switch=%s%s", netd_path("switch.socket"), more);
	return text;
}

/* The first serves the switch and a card, the second a card of its own process. */
static bool two_processes(const char *flood, const char *more)
{
	unlink(netd_path("two.socket"));
	first = netd_start(netd_path("one.log"), true, the_switch(flood), card(0, more));
	second = netd_start(netd_path("two.log"), true, card(1, more), NULL);
	return netd_connect(&one, netd_path("one.socket"), PVROM_NET_F_STATUS, 2) &&
	       netd_connect(&two, netd_path("two.socket"), PVROM_NET_F_STATUS, 2);
}

static void end(void)
{
	vu_client_close(&one);
	vu_client_close(&two);
	netd_end(second);
	netd_end(first);
}

static bool goes(struct vu_client *from, struct vu_client *to, uint8_t to_mac, uint8_t from_mac)
{
	const struct pvrom_net_header plain = { 0 };
	uint8_t frame[1500];

	netd_frame(frame, 1000, to_mac, from_mac);
	return net_client_send(from, 0, &plain, frame, 1000) &&
	       netd_gets(to, 0, frame, 1000, PATIENCE);
}

static bool between_processes(void)
{
	bool good = two_processes(",flood=10", "");
	uint32_t i;

	/* Known to each other they send as much as they like. */
	for (i = 0; good && i < 600; i++)
		good = HOLDS(goes(&one, &two, 2, 1)) && HOLDS(goes(&two, &one, 1, 2));
	end();
	return good;
}

static bool stolen(void)
{
	const struct pvrom_net_header plain = { 0 };
	struct vu_client three;
	char third[300];
	uint8_t frame[100];
	pid_t pid;
	bool good = two_processes("", "");

	snprintf(third, sizeof(third), "socket=%s,port=%s,mac=02:00:00:00:00:03",
		 netd_path("three.socket"), netd_path("switch.socket"));
	pid = netd_start(netd_path("three.log"), true, third, NULL);
	good = good && netd_connect(&three, netd_path("three.socket"), 0, 2);
	/* Three pretends to be one, so that two's answers would go there. */
	netd_frame(frame, 100, 2, 1);
	good = good && HOLDS(net_client_send(&three, 0, &plain, frame, 100)) &&
	       HOLDS(!netd_gets(&two, 0, frame, 100, 100)) && HOLDS(goes(&two, &one, 1, 2));
	vu_client_close(&three);
	netd_end(pid);
	end();
	return good;
}

/* The same address twice: a sentence, and the switch goes on. */
static bool clash(void)
{
	char third[300];
	int status;
	bool good = two_processes("", "");
	pid_t pid;

	snprintf(third, sizeof(third), "socket=%s,port=%s,mac=02:00:00:00:00:01",
		 netd_path("three.socket"), netd_path("switch.socket"));
	pid = netd_start(netd_path("three.log"), false, third, NULL);
	status = server_stop(pid, 0, PATIENCE);
	good = good && HOLDS(WIFEXITED(status) && WEXITSTATUS(status) == 1) &&
	       HOLDS(file_says(netd_path("three.log"),
			       "another port of the switch has the MAC address 02:00:00:00:00:01",
			       PATIENCE)) &&
	       HOLDS(goes(&one, &two, 2, 1));
	end();
	return good;
}

static bool vlans(void)
{
	struct vu_client three;
	char third[300];
	pid_t pid;
	const struct pvrom_net_header plain = { 0 };
	uint8_t frame[100];
	bool good = two_processes("", ",vlan=5");

	snprintf(third, sizeof(third), "socket=%s,port=%s,mac=02:00:00:00:00:03,vlan=6",
		 netd_path("three.socket"), netd_path("switch.socket"));
	pid = netd_start(netd_path("three.log"), true, third, NULL);
	good = good && netd_connect(&three, netd_path("three.socket"), 0, 2);
	netd_frame(frame, 100, 0xff, 1);
	good = good && HOLDS(net_client_send(&one, 0, &plain, frame, 100)) &&
	       HOLDS(netd_gets(&two, 0, frame, 100, PATIENCE)) &&
	       HOLDS(!netd_gets(&three, 0, frame, 100, 100));
	vu_client_close(&three);
	netd_end(pid);
	end();
	return good;
}

/* ---- announcing ---------------------------------------------------------------------------------------- */

static bool hears_rarp(struct vu_client *c, const uint8_t mac[6])
{
	struct pvrom_net_header h;
	uint8_t frame[2048];
	uint32_t n;

	while ((n = net_client_take(c, 0, &h, frame, sizeof(frame), PATIENCE > 1000 ? 1000 : 300)))
		if (n == 60 && !memcmp(frame + 12, "\x80\x35", 2) && !memcmp(frame + 6, mac, 6) &&
		    !memcmp(frame + 22, mac, 6))
			return true;
	return false;
}

/* When a front end connects, and when it asks for it after a migration. */
static bool announcing(void)
{
	static const uint8_t mac_two[6] = { 2, 0, 0, 0, 0, 2 }, moved[8] = { 2, 0, 0, 0, 0, 7 };
	bool good = two_processes("", "");

	good = good && HOLDS(hears_rarp(&one, mac_two)) &&
	       HOLDS(two.accepted_protocol & VU_PROTOCOL_RARP) &&
	       HOLDS(!vu_client_ack(&two, VU_SEND_RARP, moved, 8, NULL, 0)) &&
	       HOLDS(hears_rarp(&one, moved));
	end();
	return good;
}

/* ---- a link that goes and comes back --------------------------------------------------------------------- */

static bool link_is(bool up, int ms)
{
	struct pvrom_net_config config;

	for (; ms > 0; ms -= 10) {
		if (!netd_config(&two, &config))
			return false;
		if (!!(config.status & PVROM_NET_S_LINK_UP) == up)
			return true;
		usleep(10000);
	}
	return false;
}

/* A message on the back end's channel: the configuration changed. */
static bool told(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct vu_head head;

	return poll(&p, 1, PATIENCE) == 1 && read(fd, &head, sizeof(head)) == sizeof(head) &&
	       head.request == VU_BACKEND_CONFIG_CHANGE;
}

static bool switch_dies(void)
{
	int channel[2] = { -1, -1 };
	bool good = two_processes("", "");

	good = good && HOLDS(!socketpair(AF_UNIX, SOCK_STREAM, 0, channel)) &&
	       HOLDS(!vu_client_ack(&two, VU_SET_BACKEND_REQ_FD, NULL, 0, &channel[1], 1)) &&
	       HOLDS(goes(&one, &two, 2, 1)) && HOLDS(link_is(true, PATIENCE));
	vu_client_disconnect(&one);
	server_stop(first, SIGKILL, 5000);
	good = good && HOLDS(link_is(false, PATIENCE)) && HOLDS(told(channel[0])) &&
	       HOLDS(file_says(netd_path("two.log"), "the other side has gone", PATIENCE));
	first = netd_start(netd_path("one.log"), true, the_switch(""), card(0, ""));
	good = good && HOLDS(link_is(true, PATIENCE)) && HOLDS(told(channel[0])) &&
	       HOLDS(vu_client_connect(&one, PATIENCE)) && HOLDS(goes(&one, &two, 2, 1)) &&
	       HOLDS(goes(&two, &one, 1, 2));
	close(channel[0]);
	close(channel[1]);
	end();
	return good;
}

/* ---- ports by hand --------------------------------------------------------------------------------------- */

static int join(uint8_t mac)
{
	struct port_hello h = { .magic = PORT_MAGIC,
				.version = PORT_VERSION,
				.mac = { 2, 0, 0, 0, 0, mac } };
	char message[PVROM_NET_MESSAGE];
	const int s = port_connect(netd_path("switch.socket"), message);

	if (s >= 0 && port_send_hello(s, &h) && port_receive_hello(s, &h, PATIENCE) && !h.text[0])
		return s;
	if (s >= 0)
		close(s);
	return -1;
}

static bool ended(int s)
{
	struct pollfd p = { .fd = s, .events = POLLIN };
	char byte;

	return poll(&p, 1, PATIENCE) == 1 && recv(s, &byte, 1, MSG_DONTWAIT) <= 0;
}

/* Hellos that are none, messages that are no frames: that port is closed, the others go on. */
static bool rubbish(void)
{
	struct port_hello h = { .magic = PORT_MAGIC, .version = PORT_VERSION + 1 };
	static uint8_t bytes[400];
	char message[PVROM_NET_MESSAGE];
	bool good = two_processes("", "");
	uint32_t i;
	int s;

	for (i = 0; good && i < 40; i++) {
		s = port_connect(netd_path("switch.socket"), message);
		good = HOLDS(s >= 0);
		bytes[i] = (uint8_t)(i * 7);
		if (i == 0)
			good = good && HOLDS(port_send_hello(s, &h));
		else
			good = good && HOLDS(send(s, bytes, i, MSG_NOSIGNAL) == (ssize_t)i);
		good = good && HOLDS(ended(s));
		close(s);
	}
	s = join(8);
	good = good && HOLDS(s >= 0) && HOLDS(send(s, bytes, 5, MSG_NOSIGNAL) == 5) &&
	       HOLDS(ended(s));
	close(s);
	/* Headers that make no sense go through, and are dropped by the card that they go to. */
	s = join(8);
	memset(bytes, 0xff, 400);
	for (i = 0; good && i < 300; i++)
		good = HOLDS(send(s, bytes, 26 + i, MSG_NOSIGNAL) > 0);
	good = good && HOLDS(goes(&one, &two, 2, 1)) && HOLDS(goes(&two, &one, 1, 2));
	close(s);
	end();
	return good;
}

/* The next connection to a switch of ours; its hello has come. -1: none. */
static int visitor(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	struct port_hello h;
	int s;

	if (poll(&p, 1, PATIENCE) != 1)
		return -1;
	s = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (s >= 0 && port_receive_hello(s, &h, PATIENCE))
		return s;
	close(s);
	return -1;
}

/* A switch that breaks off, answers with rubbish, ends, or is silent, when a card comes back to it: it comes again. */
static bool bad_switch(void)
{
	const struct port_hello h = { .magic = PORT_MAGIC, .version = PORT_VERSION, .mtu = 65535 };
	char message[PVROM_NET_MESSAGE];
	const int listener = port_listen(netd_path("switch.socket"), message);
	const char *log = netd_path("one.log");
	bool good = HOLDS(listener >= 0);
	uint32_t i;
	int s;

	first = netd_start(log, false, card(0, ""), NULL);
	s = visitor(listener);
	good = good && HOLDS(s >= 0) && HOLDS(port_send_hello(s, &h)) &&
	       netd_connect(&one, netd_path("one.socket"), 0, 2);
	for (i = 0; good && i < 7; i++) {
		close(s);
		s = visitor(listener);
		good = HOLDS(s >= 0);
		if (i % 2)
			good = good && HOLDS(send(s, &h, 3, MSG_NOSIGNAL) == 3) && HOLDS(ended(s));
	}
	usleep(300000);
	good = good && HOLDS(port_send_hello(s, &h)) &&
	       HOLDS(file_says(log, "connected again", PATIENCE));
	close(s);
	close(listener);
	vu_client_close(&one);
	netd_end(first);
	return good;
}

/* It comes, among what is left of the flood. */
static bool comes_through(struct vu_client *from, struct vu_client *to, uint8_t to_mac,
			  uint8_t from_mac)
{
	const struct pvrom_net_header plain = { 0 };
	struct pvrom_net_header h;
	uint8_t frame[1500], got[1500];
	uint32_t n;

	netd_frame(frame, 1000, to_mac, from_mac);
	if (!net_client_send(from, 0, &plain, frame, 1000))
		return false;
	while ((n = net_client_take(to, 0, &h, got, sizeof(got), PATIENCE)))
		if (n == 1000 && !memcmp(got, frame, n))
			return true;
	return false;
}

/* A connection to the switch, however many others stand in line. */
static int insist(void)
{
	char message[PVROM_NET_MESSAGE];
	int s = -1, ms;

	for (ms = 0; s < 0 && ms < PATIENCE; ms++) {
		s = port_connect(netd_path("switch.socket"), message);
		if (s < 0)
			usleep(1000);
	}
	return s;
}

/* Connections that say nothing fill up no switch: those that wait longest go. */
static bool silent_crowd(void)
{
	static int crowd[CROWD];
	bool good = two_processes("", "");
	uint32_t i;
	int last;

	memset(crowd, -1, sizeof(crowd));
	for (i = 0; good && i < CROWD; i++)
		good = HOLDS((crowd[i] = insist()) >= 0);
	last = good ? join(9) : -1;
	good = good && HOLDS(last >= 0) && HOLDS(ended(crowd[0])) &&
	       HOLDS(goes(&one, &two, 2, 1)) && HOLDS(goes(&two, &one, 1, 2));
	if (last >= 0)
		close(last);
	for (i = 0; i < CROWD; i++)
		if (crowd[i] >= 0)
			close(crowd[i]);
	end();
	return good;
}

/* A port that does not read, flooded, and one that floods: the other two hardly notice. */
static bool floods(void)
{
	static uint8_t frame[1500];
	const struct pvrom_net_header plain = { 0 };
	const struct iovec vec = { frame, 64 };
	bool good = two_processes(",flood=200", "");
	uint32_t i, came = 0;
	struct pvrom_net_header h;
	int deaf, loud;

	deaf = join(8);
	loud = join(9);
	good = good && HOLDS(deaf >= 0 && loud >= 0) && HOLDS(goes(&one, &two, 2, 1)) &&
	       HOLDS(goes(&two, &one, 1, 2));
	for (i = 0; good && i < 5000; i++) {
		netd_frame(frame, 64, 0xff, 9);
		port_send(loud, &plain, &vec, 1);
		netd_frame(frame, 64, 8, 9);
		port_send(loud, &plain, &vec, 1);
		if (net_client_take(&two, 0, &h, frame, sizeof(frame), 0))
			came++;
	}
	while (net_client_take(&two, 0, &h, frame, sizeof(frame), 100))
		came++;
	while (net_client_take(&one, 0, &h, frame, sizeof(frame), 100))
		;
	/* 256 at once, 200 a second, and to the deaf one none. */
	good = good && HOLDS(came > 100 && came < 2500) && HOLDS(comes_through(&one, &two, 2, 1)) &&
	       HOLDS(comes_through(&two, &one, 1, 2));
	close(deaf);
	close(loud);
	end();
	return good;
}

/* ---- helpers --------------------------------------------------------------------------------------------- */

/* The program with one end of a socket pair as descriptor 5. */
static pid_t start_helper(int ends[2], const char *network)
{
	char fd[32];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) || fcntl(ends[0], F_SETFD, FD_CLOEXEC))
		return -1;
	snprintf(fd, sizeof(fd), "--port-fd=%d", ends[1]);
	pid = netd_start(netd_path("helper.log"), false, fd, network);
	close(ends[1]);
	return pid;
}

static bool helper(void)
{
	static const uint8_t arp[42] = { 255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0,  1, 8, 6,
					 0,   1,   8,	0,   6,	  4,   0, 1, 2, 0, 0,  0, 0, 1,
					 10,  0,   2,	15,  0,	  0,   0, 0, 0, 0, 10, 0, 2, 2 };
	struct port_hello h = { .magic = PORT_MAGIC, .version = PORT_VERSION };
	const struct pvrom_net_header plain = { 0 };
	const struct iovec vec = { (void *)(uintptr_t)arp, sizeof(arp) };
	static uint8_t frame[PVROM_NET_FRAME_MAX];
	struct pvrom_net_header got;
	struct pollfd p = { .events = POLLIN };
	int ends[2], status;
	const pid_t pid = start_helper(ends, "user");
	bool good = HOLDS(pid > 0) && HOLDS(port_send_hello(ends[0], &h)) &&
		    HOLDS(port_receive_hello(ends[0], &h, 10000)) && HOLDS(!h.text[0]) &&
		    HOLDS(h.mtu == 1500 && !h.can);

	p.fd = ends[0];
	good = good && HOLDS(port_send(ends[0], &plain, &vec, 1) == 1);
	do
		good = good && HOLDS(poll(&p, 1, PATIENCE) == 1) &&
		       HOLDS(port_receive(ends[0], &got, frame) > 0);
	while (good && memcmp(frame + 12, "\x08\x06", 2));
	good = good && HOLDS(!memcmp(frame + 28, arp + 38, 4));
	close(ends[0]);
	status = server_stop(pid, 0, PATIENCE);
	return good && HOLDS(WIFEXITED(status) && !WEXITSTATUS(status));
}

static bool helper_refuses(void)
{
	static const char *const wrong[] = { "tap=nothing-for-it-here-0123", "user,hostfwd=1",
					     "null", "user,out-bps=1M" };
	struct port_hello h;
	int ends[2], status;
	bool good = true;
	size_t i;
	pid_t pid;

	for (i = 0; good && i < 4; i++) {
		pid = start_helper(ends, wrong[i]);
		h = (struct port_hello){ .magic = PORT_MAGIC, .version = PORT_VERSION };
		good = HOLDS(pid > 0) && HOLDS(port_send_hello(ends[0], &h)) &&
		       HOLDS(port_receive_hello(ends[0], &h, 10000)) && HOLDS(h.text[0]);
		status = server_stop(pid, 0, PATIENCE);
		good = good && HOLDS(WIFEXITED(status) && WEXITSTATUS(status) == 1);
		close(ends[0]);
	}
	return good;
}

const struct netd_case netd_net_cases[] = {
	{ "switch: cards of two processes", between_processes, { "SWITCH_FIND" } },
	{ "switch: a process does not get the frames of another's card [PVROM-NET-25]",
	  stolen,
	  { "SWITCH_STOLEN" } },
	{ "switch: a card with an address that is taken is refused", clash, { "SWITCH_CLASH" } },
	{ "switch: VLANs over processes", vlans, { "SWITCH_VLAN" } },
	{ "the network is told where a card is", announcing, { "NETD_ANNOUNCE" } },
	{ "a switch that dies: the link goes, is told, and comes back with the next one "
	  "[PVROM-NET-23]",
	  switch_dies,
	  { "PORT_DOWN", "PORT_AGAIN", "NETD_LINK" } },
	{ "switch: ports that talk rubbish are closed, others go on", rubbish, { NULL } },
	{ "a switch that does not answer as one is asked again", bad_switch, { NULL } },
	{ "switch: a crowd that says nothing is let go", silent_crowd, { NULL } },
	{ "switch: floods, and a port that does not read", floods, { "SWITCH_FLOOD" } },
	{ "helper: a network for another process, until that closes", helper, { NULL } },
	{ "helper: networks that cannot be are refused with a sentence", helper_refuses, { NULL } },
	{ NULL, NULL, { NULL } },
};
