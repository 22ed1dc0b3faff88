/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A tap interface, with the kernel's own view of it at the other side: a packet socket that sees and makes frames
 * with everything left to do.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netback_cases.h"

#define NAME "pvt0"
#define VNET_HEADER 10u /* of a packet socket: without num_buffers */

static struct pvrom_net_backend *backend;
static struct net_world *world;
static int outside = -1;

/* ---- the kernel's side --------------------------------------------------------------------------------- */

static bool interface_ioctl(unsigned long request, struct ifreq *r)
{
	const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good;

	strcpy(r->ifr_name, NAME);
	good = !ioctl(s, request, r);
	close(s);
	return good;
}

/* Up, and without frames of its own. */
static bool bring_up(void)
{
	struct ifreq r = { .ifr_flags = IFF_UP | IFF_RUNNING | IFF_NOARP };
	const int fd = open("/proc/sys/net/ipv6/conf/" NAME "/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, "1", 1) < 0)
			printf("# IPv6 stays on\n");
		close(fd);
	}
	return interface_ioctl(SIOCSIFFLAGS, &r);
}

static bool open_outside(void)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_ALL),
				       .sll_ifindex = (int)if_nametoindex(NAME) };
	const int one = 1;

	outside = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
	return outside >= 0 &&
	       !setsockopt(outside, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) &&
	       !setsockopt(outside, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) &&
	       !bind(outside, (struct sockaddr *)&address, sizeof(address));
}

/* The next frame that the kernel got: its bytes, 0 after a second without. */
static size_t outside_gets(struct pvrom_net_header *h, uint8_t *bytes, size_t room)
{
	struct iovec vec[2] = { { h, VNET_HEADER }, { bytes, room } };
	struct msghdr m = { .msg_iov = vec, .msg_iovlen = 2 };
	struct pollfd p = { .fd = outside, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, 1000) != 1)
		return 0;
	n = recvmsg(outside, &m, 0);
	return n < (ssize_t)VNET_HEADER ? 0 : (size_t)n - VNET_HEADER;
}

static bool outside_sends(const struct pvrom_net_header *h, const uint8_t *bytes, size_t len)
{
	const struct iovec vec[2] = { { (void *)(uintptr_t)h, VNET_HEADER },
				      { (void *)(uintptr_t)bytes, len } };
	const struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)vec, .msg_iovlen = 2 };

	return sendmsg(outside, &m, 0) == (ssize_t)(VNET_HEADER + len);
}

/* ---- set-up -------------------------------------------------------------------------------------------- */

static bool open_tap(const char *more, uint32_t pairs, uint64_t without, uint64_t ring)
{
	char words[128];

	snprintf(words, sizeof(words), "tap=" NAME "%s", more);
	backend = netback_open(words);
	world = HOLDS(backend) ? net_world_open_on(backend, pairs, without, ring) : NULL;
	return HOLDS(world) && HOLDS(bring_up()) && HOLDS(open_outside());
}

static void close_tap(void)
{
	if (world)
		net_world_close(world);
	pvrom_net_backend_close(backend);
	if (outside >= 0)
		close(outside);
	world = NULL;
	backend = NULL;
	outside = -1;
}

/* How a driver takes frames: those of which it wants to see hashes the card looks at on their way in. */
static const struct way {
	uint64_t without;
	bool hashes;
} ways[] = {
	{ 0, true },
	{ GUEST_ALL, true },
	{ 0, false },
	{ GUEST_ALL, false },
	{ PVROM_NET_F_HASH_REPORT, false },
	{ PVROM_NET_F_HASH_REPORT | GUEST_ALL, false },
	{ PVROM_NET_F_HASH_REPORT | PVROM_NET_F_MRG_RXBUF, false },
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static bool ask_for_hashes(void)
{
	const struct {
		uint32_t types;
		uint16_t reserved[4];
		uint8_t length, key[PVROM_NET_HASH_KEY_BYTES];
	} __attribute__((packed))
	c = { .types = PVROM_NET_HASH_ALL, .length = PVROM_NET_HASH_KEY_BYTES, .key = { 7 } };

	return HOLDS(net_world_command(world, PVROM_NET_CTRL_MQ, PVROM_NET_CTRL_MQ_HASH_CONFIG, &c,
				       sizeof(c)) == PVROM_NET_CTRL_OK);
}

static bool open_way(const char *more, uint32_t pairs, const struct way *way, uint64_t ring)
{
	return open_tap(more, pairs, way->without, ring) && (!way->hashes || ask_for_hashes());
}

/* A frame that Linux looks into: IP without extension headers, TCP. */
static void draw_tcp(struct frame_plan *plan)
{
	do
		oracle_draw(plan, &netback_seed);
	while (!plan->tcp || plan->vlans || plan->extensions);
	plan->tcp_flags &= 0x3f; /* of ECN: only where it was agreed on */
}

/* ---- the cases ----------------------------------------------------------------------------------------- */

static bool plain_frame(size_t len)
{
	const struct pvrom_net_header plain = { 0 };
	struct pvrom_net_header h;

	netback_give(world, 0);
	memcpy(netback_frame, netback_payload, len);
	memset(netback_frame, 2, 6);
	memcpy(netback_frame + 12, "\x88\xb5", 2);
	return HOLDS(net_world_send(world, 0, &plain, netback_frame, len, 300)) &&
	       HOLDS(outside_gets(&h, netback_want, sizeof(netback_want)) == len) &&
	       HOLDS(!memcmp(netback_frame, netback_want, len)) &&
	       HOLDS(outside_sends(&plain, netback_frame, len)) &&
	       HOLDS(netback_take(world, backend, 0, 1000)) &&
	       HOLDS(netback_same(netback_frame, len));
}

static bool plain_frames(void)
{
	static const uint64_t ring[] = { SPLIT, PACKED };
	bool good = true;
	uint32_t i, n;

	if (!netback_namespace)
		return netback_cannot("no network namespace");
	for (i = 0; good && i < 2 * WAYS; i++) {
		good = open_way("", 1, &ways[i / 2], ring[i % 2]);
		for (n = 0; good && n < 20; n++)
			good = plain_frame(60 + oracle_random(&netback_seed, 1454));
		close_tap();
	}
	return good;
}

/* What the driver leaves to do arrives at the kernel as such, or done by the card. */
static bool sent_with_work(void)
{
	struct pvrom_net_header h, seen;
	struct frame_plan plan;
	bool good;
	size_t len;
	uint32_t i;

	if (!netback_namespace)
		return netback_cannot("no network namespace");
	good = open_tap("", 1, 0, SPLIT);
	for (i = 0; good && i < 50; i++) {
		draw_tcp(&plan);
		h = oracle_header(&plan, 1200);
		len = oracle_build_partial(&plan, netback_payload, 1201 + i * 500, netback_frame);
		memset(&seen, 0, sizeof(seen));
		good = HOLDS(net_world_send(world, 0, &h, netback_frame, len, 4096)) &&
		       HOLDS(outside_gets(&seen, netback_want, sizeof(netback_want)) == len) &&
		       HOLDS(!memcmp(netback_frame, netback_want, len)) &&
		       HOLDS(seen.gso_type == h.gso_type && seen.gso_size == 1200) &&
		       HOLDS(seen.flags & PVROM_NET_HDR_NEEDS_CSUM) &&
		       HOLDS(seen.csum_start == h.csum_start);
	}
	close_tap();
	return good;
}

static bool segments_arrive(const struct frame_plan *plan, uint32_t payload, uint32_t size)
{
	struct frame_plan s;
	uint32_t at, n, part;

	for (n = 0, at = 0; at < payload; n++, at += part) {
		part = payload - at < size ? payload - at : size;
		s = oracle_segment(plan, n, at, at + part == payload);
		netback_give(world, 0);
		if (!HOLDS(netback_take(world, backend, 0, 1000)) ||
		    !HOLDS(netback_same(netback_want, oracle_build(&s, netback_payload + at, part,
								   netback_want))))
			return false;
	}
	return true;
}

/* From outside with work left: to a driver that takes it whole, and to one that wants it done. */
static bool received_with_work(void)
{
	struct pvrom_net_header h;
	struct frame_plan plan;
	bool good = true;
	uint32_t i, n, payload;
	size_t len;

	if (!netback_namespace)
		return netback_cannot("no network namespace");
	for (i = 0; good && i < 2 * (WAYS - 1); i++) { /* the last has no buffers for them */
		good = open_way("", 1, &ways[i / 2], i % 2 ? SPLIT : PACKED);
		for (n = 0; good && n < 20; n++) {
			draw_tcp(&plan);
			payload = 1201 + oracle_random(&netback_seed, 20000);
			h = oracle_header(&plan, 1200);
			len = oracle_build_partial(&plan, netback_payload, payload, netback_frame);
			h.hdr_len = (uint16_t)(len - payload);
			netback_give(world, 0);
			good = HOLDS(outside_sends(&h, netback_frame, len));
			if (good && ways[i / 2].without & GUEST_ALL)
				good = segments_arrive(&plan, payload, 1200);
			else if (good)
				good = HOLDS(netback_take(world, backend, 0, 1000)) &&
				       HOLDS(netback_same(netback_frame, len)) &&
				       HOLDS(netback_got.header.gso_type == h.gso_type) &&
				       HOLDS(netback_got.header.gso_size == 1200);
		}
		close_tap();
	}
	return good;
}

/* A frame that the kernel had queued for a driver that took it whole; the next driver does not. */
static bool driver_changes(void)
{
	struct frame_plan plan;
	struct pvrom_net_header h;
	size_t len;
	bool good;

	if (!netback_namespace)
		return netback_cannot("no network namespace");
	good = open_tap("", 1, PVROM_NET_F_HASH_REPORT, SPLIT);
	draw_tcp(&plan);
	h = oracle_header(&plan, 700);
	len = oracle_build_partial(&plan, netback_payload, 1300, netback_frame);
	h.hdr_len = (uint16_t)(len - 1300);
	good = good && HOLDS(outside_sends(&h, netback_frame, len)) &&
	       HOLDS(pvrom_net_host_accept(&world->host,
					   world->host.driver.accepted & ~GUEST_ALL)) &&
	       segments_arrive(&plan, 1300, 700);
	close_tap();
	return good;
}

static void swap_ends(uint8_t *to, const uint8_t *from, const struct frame_plan *plan, size_t len)
{
	const size_t ports = oracle_transport(plan);

	memcpy(to, from, len);
	memcpy(to + 26, from + 30, 4);
	memcpy(to + 30, from + 26, 4);
	memcpy(to + ports, from + ports + 2, 2);
	memcpy(to + ports + 2, from + ports, 2);
}

/* A frame from one queue, and its answer. */
static bool flow_comes_back(uint32_t pair)
{
	const struct pvrom_net_header plain = { 0 };
	struct pvrom_net_header h;
	struct frame_plan plan;
	size_t len;

	do
		draw_tcp(&plan);
	while (plan.ip != 4);
	netback_give(world, pair);
	len = oracle_build(&plan, netback_payload, 500, netback_frame);
	if (!HOLDS(net_world_send(world, pair, &plain, netback_frame, len, 4096)) ||
	    !HOLDS(outside_gets(&h, netback_want, sizeof(netback_want)) == len))
		return false;
	swap_ends(netback_want, netback_frame, &plan, len);
	return HOLDS(outside_sends(&plain, netback_want, len)) &&
	       HOLDS(netback_take(world, backend, pair, 1000)) &&
	       HOLDS(netback_same(netback_want, len));
}

/* A flow comes back in the queue in which it was sent, whether the card looks at it or not. */
static bool several_queues(void)
{
	uint32_t pair, i;
	bool good = true;

	if (!netback_namespace)
		return netback_cannot("no network namespace");
	for (i = 0; good && i < WAYS; i++) {
		good = open_way(",queues=4", 4, &ways[i], i % 2 ? SPLIT : PACKED) &&
		       HOLDS(pvrom_net_backend_pairs(backend) == 4) &&
		       HOLDS(pvrom_net_host_use_pairs(&world->host, 4));
		for (pair = 0; good && pair < 4; pair++)
			good = flow_comes_back(pair);
		close_tap();
	}
	return good;
}

static bool mtu(void)
{
	struct ifreq r = { .ifr_mtu = 0 };
	bool good;

	if (!netback_namespace)
		return netback_cannot("no network namespace");
	good = open_tap(",mtu=9000", 1, 0, SPLIT) && HOLDS(interface_ioctl(SIOCGIFMTU, &r)) &&
	       HOLDS(r.ifr_mtu == 9000) && HOLDS(pvrom_net_backend_mtu(backend) == 9000);
	close_tap();
	good = good && open_tap("", 1, 0, SPLIT) && HOLDS(pvrom_net_backend_mtu(backend) == 1500);
	close_tap();
	return good && HOLDS(netback_refuses("tap=" NAME ",mtu=65535", "carries 1500 at most"));
}

/* ---- what may be wrong --------------------------------------------------------------------------------- */

static void delete_interface(void)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} m = { .head = { .nlmsg_len = sizeof(m),
			  .nlmsg_type = RTM_DELLINK,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.info = { .ifi_index = (int)if_nametoindex(NAME) } };
	const int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	char answer[256];

	if (send(s, &m, sizeof(m), 0) < 0 || recv(s, answer, sizeof(answer), 0) < 0)
		printf("# the interface cannot be deleted\n");
	close(s);
}

static bool interface_goes(void)
{
	const struct pvrom_net_header plain = { 0 };
	const char *news;
	bool good, stalled;

	if (!netback_namespace)
		return netback_cannot("no network namespace");
	good = open_tap("", 1, 0, SPLIT) && plain_frame(100);
	if (good)
		delete_interface();
	netback_give(world, 0);
	good = good && HOLDS(net_world_send(world, 0, &plain, netback_frame, 100, 100)) &&
	       HOLDS(world->host.counters.send_failed == 1);
	if (good)
		pvrom_net_backend_receive(backend, &world->host, 0, 8, &stalled);
	news = good ? pvrom_net_backend_news(backend) : NULL;
	good = good && HOLDS(!pvrom_net_backend_link(backend)) &&
	       HOLDS(news && strstr(news, "tap " NAME ": the interface has gone")) &&
	       HOLDS(!pvrom_net_backend_news(backend));
	close_tap();
	return good;
}

static int without_rights(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	if (syscall(SYS_capset, &h, none))
		return 2;
	if (!netback_refuses("tap=" NAME, "no permission"))
		return 1;
	return strstr(netback_message, "ip tuntap add dev " NAME " mode tap") ? 0 : 1;
}

static bool no_permission(void)
{
	pid_t child;
	int status = -1;

	if (!netback_namespace)
		return netback_cannot("no network namespace");
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(without_rights());
	waitpid(child, &status, 0);
	return HOLDS(status == 0);
}

static bool wrong_interfaces(void)
{
	bool good;

	if (!netback_namespace)
		return netback_cannot("no network namespace");
	good = open_tap("", 1, 0, SPLIT) && HOLDS(netback_refuses("tap=" NAME, "in use")) &&
	       HOLDS(netback_refuses("tap=" NAME ",queues=2", "is no tap interface of several")) &&
	       HOLDS(netback_refuses("tap=lo", "tap lo: "));
	close_tap();
	return good;
}

const struct netback_case netback_tap_cases[] = {
	{ "tap: frames both ways, straight and by way of the card", plain_frames, { NULL } },
	{ "tap: what is left to do goes to the kernel as it is", sent_with_work, { NULL } },
	{ "tap: frames from outside are as the driver takes them",
	  received_with_work,
	  { "TAP_OFFLOADS" } },
	{ "tap: frames queued for the driver before this one", driver_changes, { "TAP_PLAIN" } },
	{ "tap: several queues, flows keep to theirs", several_queues, { "TAP_PAIR" } },
	{ "tap: the MTU is set, told, and refused", mtu, { "TAP_MTU" } },
	{ "tap: the interface goes", interface_goes, { "TAP_GONE" } },
	{ "tap: no permission", no_permission, { "TAP_PERMISSION" } },
	{ "tap: interfaces that are in use, of another kind, or none", wrong_interfaces, { NULL } },
	{ NULL, NULL, { NULL } },
};
