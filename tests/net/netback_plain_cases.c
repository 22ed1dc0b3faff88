/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Words, queues of frames, and the backends that are no network.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../pvnet/backend/net_port.h"
#include "netback_cases.h"

static struct pvrom_net_backend *port_end_backend;
static int port_end_socket; /* the backend's */

/* ---- words --------------------------------------------------------------------------------------------- */

static bool wrong_words(void)
{
	static const struct {
		const char *words, *part;
	} wrong[] = {
		{ "", "a backend is missing" },
		{ "loop,", "no such word" },
		{ "mtu=1500", "a backend is missing" },
		{ "loop,null", "two backends" },
		{ "loop,lop", "no such word: lop" },
		{ "loop=1", "loop: not a value: 1" },
		{ "tap", "tap: not a value: none" },
		{ "tap=", "tap: not a value" },
		{ "tap=an-interface-too-long", "characters at most" },
		{ "null,swap", "swap belongs behind loop" },
		{ "loop,swap=1", "swap: not a value" },
		{ "loop,queues=0", "queues: not a value: 0" },
		{ "loop,queues=17", "queues: not a value: 17" },
		{ "loop,mtu=67", "at least 68" },
		{ "loop,mtu=65536", "mtu: not a value" },
		{ "loop,mtu=1x", "mtu: not a value" },
		{ "loop,mtu=-1", "mtu: not a value" },
		{ "loop,out-bps=17179869185G", "out-bps: not a value" }, /* 2^64 and a little */
		{ "loop,pcap-snap=64", "pcap=FILE is missing" },
		{ "loop,pcap=/nowhere/x", "pcap=/nowhere/x: No such file" },
		{ "port=/nowhere/switch", "no switch there: No such file" },
		{ "port-fd=999999", "Bad file descriptor" },
		{ "loop,vlan=5", "vlan belongs behind port" },
		{ "port=x,vlan=4095", "vlan: not a value" },
		{ "loop,hostfwd=:1-:2", "hostfwd belongs behind user" },
	};
	bool good = true;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		good &= HOLDS(netback_refuses(wrong[i].words, wrong[i].part));
	return good;
}

/* ---- the queue ----------------------------------------------------------------------------------------- */

#define FIFO_BYTES 4096u
#define KEPT 256u

/* Against a plain list of what went in: any lengths, the queue filled up and emptied at random. */
static bool queue_of_frames(void)
{
	static struct {
		uint32_t len, seed;
	} kept[KEPT];
	struct pvrom_net_header h = { 0 };
	uint32_t first = 0, count = 0, i, n, fill = 0, longest = 0;
	struct net_arrival a = { 0 };
	struct net_fifo f;
	bool good = HOLDS(net_fifo_open(&f, FIFO_BYTES));

	for (n = 0; n < 200000 && good; n++) {
		const uint32_t len = 14 + oracle_random(&netback_seed, n % 3 ? 100 : 1500);
		uint8_t *room = oracle_random(&netback_seed, 100) < (n / 1000 % 2 ? 60 : 40)
					? net_fifo_room(&f, len)
					: NULL;

		if (room && count < KEPT) {
			memset(room, (int)n, len);
			h.csum_start = (uint16_t)n;
			net_fifo_push(&f, &h, len);
			kept[(first + count) % KEPT].len = len;
			kept[(first + count++) % KEPT].seed = n;
			fill += len;
			longest = fill > longest ? fill : longest;
			continue;
		}
		good &= HOLDS(net_fifo_peek(&f, &a) == (count > 0));
		if (!count)
			continue;
		good &= HOLDS(a.len == kept[first].len &&
			      a.header.csum_start == (uint16_t)kept[first].seed);
		for (i = 0; i < a.len && good; i++)
			good &= HOLDS(a.bytes[i] == (uint8_t)kept[first].seed);
		net_fifo_pop(&f);
		fill -= kept[first].len;
		first = (first + 1) % KEPT;
		count--;
	}
	good &= HOLDS(longest > FIFO_BYTES / 2 && longest <= FIFO_BYTES);
	net_fifo_close(&f);
	return good;
}

/* ---- a loop -------------------------------------------------------------------------------------------- */

static bool comes_back(struct net_world *w, struct pvrom_net_backend *b, bool swapped)
{
	const struct pvrom_net_header plain = { 0 };
	const uint32_t len = 60 + oracle_random(&netback_seed, 1400);
	uint8_t sent[1500];

	memcpy(sent, netback_payload + oracle_random(&netback_seed, 1000), len);
	sent[0] &= 0xfe;
	if (!HOLDS(net_world_send(w, 0, &plain, sent, len, 700)) ||
	    !HOLDS(netback_take(w, b, 0, 0)))
		return false;
	if (swapped) {
		memcpy(netback_want, sent + 6, 6);
		memcpy(netback_want + 6, sent, 6);
		memcpy(sent, netback_want, 12);
	}
	return HOLDS(netback_same(sent, len));
}

static bool loop_with(const char *words, bool swapped, uint64_t ring)
{
	struct pvrom_net_backend *b = netback_open(words);
	struct net_world *w = HOLDS(b) ? net_world_open_on(b, 1, 0, ring) : NULL;
	bool good = HOLDS(w);
	uint32_t i;

	for (i = 0; good && i < 500; i++) {
		netback_give(w, 0);
		good = comes_back(w, b, swapped);
	}
	if (w)
		net_world_close(w);
	pvrom_net_backend_close(b);
	return good;
}

static bool loop_plain(void)
{
	return loop_with("loop", false, SPLIT) && loop_with("loop", false, PACKED);
}

static bool loop_swapped(void)
{
	return loop_with("loop,swap", true, SPLIT) && loop_with("loop,swap", true, PACKED);
}

/* What a frame of a plan is worth at the driver: as it went, or its segments. */
static bool segments_come(struct net_world *w, struct pvrom_net_backend *b,
			  const struct frame_plan *plan, size_t payload, uint16_t size)
{
	uint32_t at = 0, n;

	for (n = 0; at < payload || !n; n++, at += size) {
		const uint32_t part = payload - at < size ? (uint32_t)(payload - at) : size;
		const struct frame_plan s = oracle_segment(plan, n, at, at + part == payload);

		netback_give(w, 0);
		if (!HOLDS(netback_take(w, b, 0, 0)) ||
		    !HOLDS(netback_same(netback_want, oracle_build(&s, netback_payload + at, part,
								   netback_want))))
			return false;
		if (at + part == payload)
			break;
	}
	return true;
}

static bool loop_cuts(uint64_t without, uint64_t ring)
{
	struct pvrom_net_backend *b = netback_open("loop");
	struct net_world *w = HOLDS(b) ? net_world_open_on(b, 1, without, ring) : NULL;
	bool good = HOLDS(w);
	struct pvrom_net_header h;
	struct frame_plan plan;
	uint32_t i;

	for (i = 0; good && i < 60; i++) {
		const uint16_t size = (uint16_t)(200 + oracle_random(&netback_seed, 1200));
		const size_t payload = 1 + oracle_random(&netback_seed, 20000);
		size_t len;

		oracle_draw(&plan, &netback_seed);
		h = oracle_header(&plan, size);
		len = oracle_build_partial(&plan, netback_payload, payload, netback_frame);
		netback_give(w, 0);
		good = HOLDS(net_world_send(w, 0, &h, netback_frame, len, 4096));
		if (!good)
			break;
		if (without & PVROM_NET_F_GUEST_CSUM)
			good = segments_come(w, b, &plan, payload, size);
		else
			good = HOLDS(netback_take(w, b, 0, 0)) &&
			       HOLDS(netback_same(netback_frame, len)) &&
			       HOLDS(netback_got.header.gso_type == h.gso_type &&
				     netback_got.header.gso_size == size &&
				     netback_got.header.csum_start == h.csum_start);
	}
	if (w)
		net_world_close(w);
	pvrom_net_backend_close(b);
	return good;
}

/* Sent with everything left to do: to a driver that takes that, and to one that takes nothing. */
static bool loop_offloads(void)
{
	return loop_cuts(0, SPLIT) && loop_cuts(0, PACKED) && loop_cuts(GUEST_ALL, SPLIT) &&
	       loop_cuts(GUEST_ALL, PACKED);
}

/* A driver without buffers: frames wait, the last ones are lost and counted, and none is torn. */
static bool loop_full(void)
{
	const struct pvrom_net_header plain = { 0 };
	struct pvrom_net_backend *b = netback_open("loop");
	struct net_world *w = HOLDS(b) ? net_world_open_on(b, 1, 0, SPLIT) : NULL;
	struct pvrom_net_backend_counters c = { 0 };
	uint32_t sent = 0, came = 0;
	bool good = HOLDS(w), stalled = false;
	uint8_t frame[1500];

	for (; good && sent < 1000 && !c.full; sent++) {
		memset(frame, (int)sent, sizeof(frame));
		frame[0] = 2;
		good = HOLDS(net_world_send(w, 0, &plain, frame, sizeof(frame), 2000));
		pvrom_net_backend_count(b, &c);
	}
	good = good && HOLDS(c.full == 1);
	if (good)
		good = HOLDS(!pvrom_net_backend_receive(b, &w->host, 0, 64, &stalled) && stalled);
	while (good) {
		netback_give(w, 0);
		if (!netback_take(w, b, 0, 0))
			break;
		memset(frame, (int)came, sizeof(frame));
		frame[0] = 2;
		good = HOLDS(netback_same(frame, sizeof(frame)));
		came++;
	}
	good = good && HOLDS(came == sent - 1);
	if (w)
		net_world_close(w);
	pvrom_net_backend_close(b);
	return good;
}

static bool nothing(void)
{
	const struct pvrom_net_header plain = { 0 };
	struct pvrom_net_backend *b = netback_open("null,mtu=9000");
	struct net_world *w = HOLDS(b) ? net_world_open_on(b, 2, 0, SPLIT) : NULL;
	bool good = HOLDS(w);

	if (good) {
		netback_give(w, 0);
		good = HOLDS(net_world_send(w, 1, &plain, netback_payload, 60, 60)) &&
		       HOLDS(!netback_take(w, b, 0, 1)) && HOLDS(w->host.counters.sent == 1) &&
		       HOLDS(pvrom_net_backend_mtu(b) == 9000) &&
		       HOLDS(pvrom_net_backend_fd(b, 0) < 0);
		net_world_close(w);
	}
	pvrom_net_backend_close(b);
	return good;
}

/* ---- a port -------------------------------------------------------------------------------------------- */

/* The other end of a port by hand, which has answered the hello before it came. */
static int open_port_end(const char *refusal)
{
	struct port_hello h = { .magic = PORT_MAGIC, .version = PORT_VERSION, .mtu = 9000 };
	char words[64];
	int ends[2];

	if (!HOLDS(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)))
		return -1;
	snprintf(h.text, sizeof(h.text), "%s", refusal);
	port_send_hello(ends[0], &h);
	snprintf(words, sizeof(words), "port-fd=%d", ends[1]);
	port_end_socket = ends[1];
	port_end_backend = netback_open(words);
	return ends[0];
}

/* More than the socket has room for: all of it comes, in order, when the other side reads. */
static bool port_full(void)
{
	static uint8_t frame[PVROM_NET_FRAME_MAX];
	const struct pvrom_net_header plain = { 0 };
	struct pvrom_net_header h;
	struct port_hello hello;
	const int end = open_port_end("");
	struct net_world *w =
		HOLDS(port_end_backend) ? net_world_open_on(port_end_backend, 1, 0, SPLIT) : NULL;
	bool good = HOLDS(w) && HOLDS(port_receive_hello(end, &hello, 0)), stalled;
	uint32_t i, n;
	int32_t len;

	for (i = 0; good && i < 600; i++) {
		memset(frame, (int)i, 1400);
		frame[0] = 2;
		good = HOLDS(net_world_send(w, 0, &plain, frame, 1400, 2000)) &&
		       HOLDS(w->host.counters.sent == i + 1);
	}
	for (i = n = 0; good && i < 600 && n < 100; n++) {
		for (; (len = port_receive(end, &h, frame)) > 0; i++, n = 0)
			good &= HOLDS(len == 1400 && frame[1399] == (uint8_t)i);
		pvrom_net_backend_receive(port_end_backend, &w->host, 0, 8, &stalled);
	}
	good = good && HOLDS(i == 600);
	close(end);
	if (w)
		net_world_close(w);
	pvrom_net_backend_close(port_end_backend);
	return good;
}

/* A frame longer than the socket ever takes is lost, and those behind it are not. */
static bool port_too_long(void)
{
	static uint8_t frame[PVROM_NET_FRAME_MAX];
	const struct pvrom_net_header plain = { 0 };
	const int end = open_port_end(""), room = 8192;
	struct net_world *w =
		HOLDS(port_end_backend) ? net_world_open_on(port_end_backend, 1, 0, SPLIT) : NULL;
	struct pvrom_net_header h;
	struct port_hello hello;
	bool good = HOLDS(w) && HOLDS(port_receive_hello(end, &hello, 0)), stalled;

	frame[0] = 2;
	good = good &&
	       HOLDS(!setsockopt(port_end_socket, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room))) &&
	       HOLDS(net_world_send(w, 0, &plain, frame, 60000, 2000)) &&
	       HOLDS(net_world_send(w, 0, &plain, frame, 100, 2000));
	if (good)
		pvrom_net_backend_receive(port_end_backend, &w->host, 0, 8, &stalled);
	good = good && HOLDS(port_receive(end, &h, frame) == 100);
	close(end);
	if (w)
		net_world_close(w);
	pvrom_net_backend_close(port_end_backend);
	return good;
}

static bool port_refused(void)
{
	const int end = open_port_end("no room here");
	const bool good =
		HOLDS(!port_end_backend) && HOLDS(strstr(netback_message, "no room here"));

	close(end);
	pvrom_net_backend_close(port_end_backend);
	return good;
}

const struct netback_case netback_plain_cases[] = {
	{ "words that cannot be are refused with a sentence", wrong_words, { NULL } },
	{ "a queue of frames keeps order, lengths and bytes", queue_of_frames, { "FIFO_FULL" } },
	{ "loop: frames come back, split and packed", loop_plain, { NULL } },
	{ "loop,swap: with their addresses exchanged", loop_swapped, { "LOOP_SWAP" } },
	{ "loop: frames with open work, to drivers that take them and that do not",
	  loop_offloads,
	  { NULL } },
	{ "loop: a driver without buffers loses the newest frames alone", loop_full, { NULL } },
	{ "null: takes all, brings nothing", nothing, { NULL } },
	{ "port: what the socket has no room for is kept, in order", port_full, { "PORT_KEEP" } },
	{ "port: a frame that no socket of that size takes", port_too_long, { NULL } },
	{ "port: refused by the other side", port_refused, { NULL } },
	{ NULL, NULL, { NULL } },
};
