/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * User-mode networking, with a guest of frames made by hand and this machine's loopback as the world.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netback_cases.h"

static struct pvrom_net_backend *backend;
static struct net_world *world;
static const uint8_t guest_mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };
static uint8_t host_mac[6];
static const uint8_t guest_ip[4] = { 10, 0, 2, 15 }, host_ip[4] = { 10, 0, 2, 2 };

/* ---- frames by hand ------------------------------------------------------------------------------------ */

static bool send_bytes(const uint8_t *bytes, size_t len)
{
	const struct pvrom_net_header plain = { 0 };
	const bool sent = net_world_send(world, 0, &plain, bytes, len, 2000);

	pvrom_net_backend_flush(backend);
	return sent;
}

static void put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static uint32_t get16(const uint8_t *from)
{
	return (uint32_t)from[0] << 8 | from[1];
}

static void put_sum(uint8_t *to, const struct pvrom_net_sum *sum)
{
	put16(to, (uint16_t)~pvrom_net_sum_end(sum));
}

/* Ethernet and IPv4 before what stands at 34, with its checksum at sum_at (0: none). */
static size_t wrap(uint8_t *f, const uint8_t *to, const uint8_t from[4], const uint8_t ip[4],
		   uint8_t protocol, size_t len, size_t sum_at)
{
	struct pvrom_net_sum sum = { 0 };
	uint8_t pseudo[4] = { 0, protocol, 0, 0 };

	memcpy(f, to, 6);
	memcpy(f + 6, guest_mac, 6);
	memcpy(f + 12, "\x08\x00\x45\x00", 4);
	put16(f + 16, (uint32_t)(20 + len));
	memcpy(f + 18, "\x00\x01\x00\x00\x40", 5);
	f[23] = protocol;
	put16(f + 24, 0);
	memcpy(f + 26, from, 4);
	memcpy(f + 30, ip, 4);
	pvrom_net_sum_add(&sum, f + 14, 20);
	put_sum(f + 24, &sum);
	if (!sum_at)
		return 34 + len;
	put16(f + 34 + sum_at, 0);
	put16(pseudo + 2, (uint32_t)len);
	sum = (struct pvrom_net_sum){ 0 };
	pvrom_net_sum_add(&sum, f + 26, 8);
	pvrom_net_sum_add(&sum, pseudo, 4);
	pvrom_net_sum_add(&sum, f + 34, len);
	put_sum(f + 34 + sum_at, &sum);
	return 34 + len;
}

static void make_arp(uint8_t f[42], uint8_t op, const uint8_t target[4])
{
	static const uint8_t head[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0 };

	memset(f, 0xff, 6);
	memcpy(f + 6, guest_mac, 6);
	memcpy(f + 12, head, sizeof(head));
	f[21] = op;
	memcpy(f + 22, guest_mac, 6);
	memcpy(f + 28, guest_ip, 4);
	memset(f + 32, 0, 6);
	memcpy(f + 38, target, 4);
}

/* The next frame that is no neighbour search of IPv6 or ARP; requests of ARP for us are answered. */
static bool hear(int ms)
{
	uint8_t answer[42];

	for (;;) {
		netback_give(world, 0);
		if (!netback_take(world, backend, 0, ms))
			return false;
		if (get16(netback_got.bytes + 12) == 0x86dd)
			continue;
		if (get16(netback_got.bytes + 12) != 0x806)
			return true;
		memcpy(host_mac, netback_got.bytes + 6, 6);
		if (netback_got.bytes[21] == 2)
			return true;
		make_arp(answer, 2, netback_got.bytes + 28);
		memcpy(answer, host_mac, 6);
		memcpy(answer + 32, host_mac, 6);
		send_bytes(answer, 42);
	}
}

static bool arp_works(void)
{
	uint8_t f[42];

	make_arp(f, 1, host_ip);
	return send_bytes(f, 42) && hear(3000) && get16(netback_got.bytes + 12) == 0x806 &&
	       !memcmp(netback_got.bytes + 28, host_ip, 4);
}

static bool open_user(const char *words)
{
	netback_user = netback_user_open;
	backend = netback_open(words);
	world = HOLDS(backend) ? net_world_open_on(backend, 1, 0, SPLIT) : NULL;
	return HOLDS(world);
}

static void close_user(void)
{
	if (world)
		net_world_close(world);
	pvrom_net_backend_close(backend);
	world = NULL;
	backend = NULL;
}

/* ---- ARP, DHCP ----------------------------------------------------------------------------------------- */

#define DHCP 34 + 8

static size_t make_discover(uint8_t *f)
{
	static const uint8_t none[4], all[4] = { 255, 255, 255, 255 };
	static const uint8_t options[] = { 99, 130, 83, 99, 53, 1, 1, 255 };
	uint8_t to[6];

	memset(to, 0xff, 6);
	memset(f, 0, 400);
	put16(f + 34, 68);
	put16(f + 36, 67);
	put16(f + 38, 8 + 300);
	f[DHCP] = f[DHCP + 1] = 1;
	f[DHCP + 2] = 6;
	memcpy(f + DHCP + 4, "xid1", 4);
	memcpy(f + DHCP + 28, guest_mac, 6);
	memcpy(f + DHCP + 236, options, sizeof(options));
	return wrap(f, to, none, all, 17, 308, 6);
}

static bool arp_and_dhcp(void)
{
	uint8_t f[500];
	bool good = open_user("user");

	good = good && HOLDS(arp_works()) && HOLDS(send_bytes(f, make_discover(f))) &&
	       HOLDS(hear(3000)) && HOLDS(netback_got.bytes[23] == 17) &&
	       HOLDS(!memcmp(netback_got.bytes + DHCP + 16, guest_ip, 4)) &&
	       HOLDS(pvrom_net_frame_judge(netback_got.bytes, netback_got.len) != PVROM_NET_BAD) &&
	       HOLDS(pvrom_net_backend_mtu(backend) == 1500);
	close_user();
	return good;
}

/* Frames cut short, with lengths that lie and options that end nowhere. */
static bool malformed(void)
{
	uint8_t f[700], g[700];
	bool good = open_user("user");
	size_t len, cut;
	uint32_t i;

	for (cut = 14; good && cut < 42; cut++) {
		make_arp(f, (uint8_t)cut, host_ip);
		send_bytes(f, cut);
	}
	len = good ? make_discover(f) : 0;
	for (cut = 14; good && cut < len; cut += 3) {
		send_bytes(f, cut);
		/* The same with lengths that fit the rest. */
		memcpy(g, f, len);
		if (cut > DHCP)
			put16(g + 38, (uint32_t)(cut - 34));
		if (cut > DHCP)
			send_bytes(g, wrap(g, g, guest_ip, host_ip, 17, cut - 34, 6));
	}
	for (i = 0; good && i < 2000; i++) {
		len = make_discover(g);
		g[DHCP + 236 + oracle_random(&netback_seed, 60)] =
			(uint8_t)oracle_random(&netback_seed, 256);
		g[14 + oracle_random(&netback_seed, 300)] =
			(uint8_t)oracle_random(&netback_seed, 256);
		send_bytes(g, len);
		netback_give(world, 0);
		netback_take(world, backend, 0, 0);
	}
	while (good && netback_take(world, backend, 0, 20))
		netback_give(world, 0);
	good = good && HOLDS(arp_works());
	close_user();
	return good;
}

/* ---- UDP and TCP --------------------------------------------------------------------------------------- */

static int listen_at(int type, uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(*port) };
	socklen_t len = sizeof(a);
	const int s = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) ||
	    getsockname(s, (struct sockaddr *)&a, &len) || (type == SOCK_STREAM && listen(s, 1)))
		return -1;
	*port = ntohs(a.sin_port);
	return s;
}

static size_t make_udp(uint8_t *f, uint16_t from, uint16_t to, const char *text)
{
	const size_t len = strlen(text);

	put16(f + 34, from);
	put16(f + 36, to);
	put16(f + 38, (uint32_t)(8 + len));
	memcpy(f + 42, text, len);
	return wrap(f, host_mac, guest_ip, host_ip, 17, 8 + len, 6);
}

/* Waits on a socket while the network goes on. */
static bool readable(int s)
{
	struct pollfd p = { .fd = s, .events = POLLIN };
	int ms;
	bool stalled;

	for (ms = 0; ms < 3000; ms++) {
		pvrom_net_backend_receive(backend, &world->host, 0, 8, &stalled);
		if (poll(&p, 1, 1) == 1)
			return true;
	}
	return false;
}

static bool udp_out(void)
{
	struct sockaddr_in a;
	socklen_t alen = sizeof(a);
	uint16_t port = 0;
	const int s = listen_at(SOCK_DGRAM, &port);
	char text[64] = "";
	uint8_t f[200];
	bool good = open_user("user") && HOLDS(s >= 0) && HOLDS(arp_works());

	good = good && HOLDS(send_bytes(f, make_udp(f, 5000, port, "to the host"))) &&
	       HOLDS(readable(s)) &&
	       HOLDS(recvfrom(s, text, sizeof(text), 0, (struct sockaddr *)&a, &alen) == 11) &&
	       HOLDS(!strcmp(text, "to the host")) &&
	       HOLDS(sendto(s, "and back", 8, 0, (struct sockaddr *)&a, alen) == 8) &&
	       HOLDS(hear(3000)) && HOLDS(get16(netback_got.bytes + 36) == 5000) &&
	       HOLDS(!memcmp(netback_got.bytes + 42, "and back", 8)) &&
	       HOLDS(pvrom_net_frame_judge(netback_got.bytes, netback_got.len) == PVROM_NET_GOOD);
	close(s);
	close_user();
	return good;
}

/* A descriptor tells of what comes, by itself and as an answer. */
static bool told(void)
{
	struct pollfd p = { .events = POLLIN };
	bool good = open_user("user"), stalled;
	uint8_t f[42];
	int i;

	netback_give(world, 0);
	p.fd = good ? pvrom_net_backend_fd(backend, 0) : -1;
	/* Its own timers come first. */
	for (i = 0; good && i < 50 && poll(&p, 1, 20) == 1; i++)
		pvrom_net_backend_receive(backend, &world->host, 0, 64, &stalled);
	make_arp(f, 1, host_ip);
	good = good && HOLDS(i < 50) && HOLDS(send_bytes(f, 42)) && HOLDS(poll(&p, 1, 200) == 1) &&
	       HOLDS(pvrom_net_backend_receive(backend, &world->host, 0, 64, &stalled) == 1);
	close_user();
	return good;
}

static bool udp_in(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint16_t port = 0;
	int s = listen_at(SOCK_DGRAM, &port);
	char words[128];
	bool good;

	close(s); /* its number is free for the forward */
	snprintf(words, sizeof(words), "user,hostfwd=udp:127.0.0.1:%u-:7", port);
	good = open_user(words) && HOLDS(arp_works());
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	a.sin_port = htons(port);
	good = good &&
	       HOLDS(sendto(s, "hello guest", 11, 0, (struct sockaddr *)&a, sizeof(a)) == 11) &&
	       HOLDS(hear(3000)) && HOLDS(netback_got.bytes[23] == 17) &&
	       HOLDS(!memcmp(netback_got.bytes + 30, guest_ip, 4)) &&
	       HOLDS(get16(netback_got.bytes + 36) == 7) &&
	       HOLDS(!memcmp(netback_got.bytes + 42, "hello guest", 11));
	close(s);
	snprintf(words, sizeof(words), "user,hostfwd=tcp::%u-:80,hostfwd=tcp::%u-:81", port, port);
	close_user();
	return good && HOLDS(netback_refuses(words, "Address already in use"));
}

/* Looks at the sockets without taking a frame. */
static void look_only(void)
{
	bool stalled;

	pvrom_net_backend_receive(backend, &world->host, 0, 0, &stalled);
}

/* What comes in by edges of the descriptor alone until that has been silent; frames are too long for the driver. */
static uint64_t come_by_edges(int edges, int ms)
{
	struct epoll_event e;
	bool stalled;

	do
		while (pvrom_net_backend_receive(backend, &world->host, 0, 64, &stalled) == 64)
			;
	while (epoll_wait(edges, &e, 1, ms) == 1);
	return world->host.counters.over_mtu;
}

#define LONG 60000u
#define FILL 9u /* of them are more than half of what the backend keeps */

/* Sockets are left alone while much is kept, and looked at again when it has been taken. */
static bool room_again(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int edges = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	uint16_t port = 0;
	int s = listen_at(SOCK_DGRAM, &port);
	char text[128];
	uint32_t i;
	bool good;

	close(s);
	snprintf(text, sizeof(text), "user,mtu=65521,hostfwd=udp:127.0.0.1:%u-:7", port);
	good = open_user(text) && HOLDS(arp_works()) &&
	       HOLDS(!epoll_ctl(edges, EPOLL_CTL_ADD, pvrom_net_backend_fd(backend, 0), &e));
	netback_give(world, 0);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	a.sin_port = htons(port);
	for (i = 0; good && i < FILL + 2; i++) {
		good = HOLDS(sendto(s, netback_payload, LONG, 0, (struct sockaddr *)&a,
				    sizeof(a)) == LONG);
		look_only();
	}
	/* All that the descriptor has to say is heard. */
	while (good && epoll_wait(edges, &e, 1, 1200) == 1)
		look_only();
	good = good && HOLDS(come_by_edges(edges, 300) == FILL + 2);
	close(s);
	close(edges);
	close_user();
	return good;
}

static size_t make_tcp(uint8_t *f, uint16_t to, uint32_t seq, uint32_t ack, uint8_t flags,
		       const char *text)
{
	const size_t len = strlen(text);

	memset(f + 34, 0, 20);
	put16(f + 34, 6000);
	put16(f + 36, to);
	put16(f + 38, seq >> 16);
	put16(f + 40, seq);
	put16(f + 42, ack >> 16);
	put16(f + 44, ack);
	f[46] = 0x50;
	f[47] = flags;
	put16(f + 48, 60000);
	memcpy(f + 54, text, len);
	return wrap(f, host_mac, guest_ip, host_ip, 6, 20 + len, 16);
}

#define SYN 2
#define PSH_ACK 0x18
#define ACK 0x10

static bool tcp_out(void)
{
	uint16_t port = 0;
	const int s = listen_at(SOCK_STREAM, &port);
	char text[64] = "";
	uint8_t f[200];
	uint32_t theirs = 0;
	int c = -1;
	bool good = open_user("user") && HOLDS(s >= 0) && HOLDS(arp_works());

	good = good && HOLDS(send_bytes(f, make_tcp(f, port, 1000, 0, SYN, ""))) &&
	       HOLDS(readable(s));
	c = good ? accept(s, NULL, NULL) : -1;
	good = good && HOLDS(c >= 0) && HOLDS(hear(3000)) &&
	       HOLDS(netback_got.bytes[47] == (SYN | ACK));
	theirs = (get16(netback_got.bytes + 38) << 16 | get16(netback_got.bytes + 40)) + 1;
	good = good && HOLDS(send_bytes(f, make_tcp(f, port, 1001, theirs, PSH_ACK, "GET /"))) &&
	       HOLDS(readable(c)) && HOLDS(read(c, text, sizeof(text)) == 5) &&
	       HOLDS(!strcmp(text, "GET /")) && HOLDS(write(c, "page", 4) == 4);
	/* Acknowledgements may come before it. */
	do
		good = good && HOLDS(hear(3000));
	while (good && netback_got.len < 58);
	good = good && HOLDS(!memcmp(netback_got.bytes + 54, "page", 4)) &&
	       HOLDS(pvrom_net_frame_judge(netback_got.bytes, netback_got.len) == PVROM_NET_GOOD);
	if (c >= 0)
		close(c);
	close(s);
	close_user();
	return good;
}

/* Nothing outside is reached. */
static bool restricted(void)
{
	uint16_t port = 0;
	const int s = listen_at(SOCK_DGRAM, &port);
	struct pollfd p = { .fd = s, .events = POLLIN };
	uint8_t f[200];
	bool good = open_user("user,restrict") && HOLDS(arp_works()), stalled;
	uint32_t i;

	good = good && HOLDS(send_bytes(f, make_udp(f, 5000, port, "to the host")));
	for (i = 0; good && i < 20; i++)
		pvrom_net_backend_receive(backend, &world->host, 0, 8, &stalled);
	good = good && HOLDS(poll(&p, 1, 50) == 0);
	close(s);
	close_user();
	return good;
}

static bool wrong_words(void)
{
	bool good;

	netback_user = netback_user_open;
	good = HOLDS(netback_refuses("user,hostfwd=80-80", "hostfwd=80-80: it is [tcp:|udp:]")) &&
	       HOLDS(netback_refuses("user,hostfwd=tcp::0-:80", "it is")) &&
	       HOLDS(netback_refuses("user,hostfwd=tcp:1.2.3:80-:80", "it is")) &&
	       HOLDS(netback_refuses("user,net=10.0.2.0", "not a network")) &&
	       HOLDS(netback_refuses("user,net=10.0.2.0/28", "not a network")) &&
	       HOLDS(netback_refuses("user,dns=here", "not an IPv4 address")) &&
	       HOLDS(netback_refuses("user,mtu=65535", "65521 at most"));
	netback_user = NULL;
	return good && HOLDS(netback_refuses("user", "without libslirp"));
}

const struct netback_case netback_user_cases[] = {
	{ "user: ARP and DHCP are answered", arp_and_dhcp, { NULL } },
	{ "user: malformed ARP and DHCP do no harm", malformed, { NULL } },
	{ "user: a descriptor tells of answers", told, { "USER_FLUSH" } },
	{ "user: UDP to the host and back", udp_out, { NULL } },
	{ "user: UDP by a forwarded port", udp_in, { NULL } },
	{ "user: sockets are looked at again when there is room", room_again, { NULL } },
	{ "user: TCP to the host and back", tcp_out, { NULL } },
	{ "user: nothing is reached when that is wanted", restricted, { NULL } },
	{ "user: words that cannot be", wrong_words, { NULL } },
	{ NULL, NULL, { NULL } },
};
