/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * TCP through a vhost-user server and its tap interface, without a guest: the reference kernel's stack on our driver at
 * one end, which leaves segments of 16 KiB to be cut, and a socket of this machine at the other. One thread does both.
 *
 *	net_tso SOCKET split|packed ADDRESS OTHER MEGABYTES
 *
 * ADDRESS is that of the interface, OTHER the stack's. Prints bytes a second.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../kernel/net/stack.h"
#include "../vhost-user/client/net_front.h"

#define BATCH 32u
#define SLICES 128u
#define SLICE 16896u /* a frame of the stack's */
#define PORT 5001u
#define MTU                                                                                        \
	1486u /* DPDK's tap port (22.11) takes no segment longer than the MTU of 1,500, Ethernet's header included */
#define PATIENCE_S 30

#define WANTED                                                                                     \
	(PVROM_NET_F_CSUM | PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_HOST_TSO4 |                       \
	 PVROM_NET_F_MRG_RXBUF | PVROM_VQ_F_INDIRECT_DESC | PVROM_VQ_F_EVENT_IDX |                 \
	 PVROM_VQ_F_VERSION_1)

static struct net_front f;
static uint32_t free_slice[SLICES], frees;
static struct stack s;
static int listener, peer = -1;
static uint64_t came; /* bytes out of the socket */

static void open_front(const char *path, bool packed)
{
	const struct pvrom_net_guest_config settings = { .receive_copy = 128 };
	uint32_t i;

	net_front_open(&f, path, WANTED | (packed ? PVROM_VQ_F_RING_PACKED : 0), SLICES * SLICE,
		       &settings, PATIENCE_S);
	if (!(f.net.features & PVROM_NET_F_HOST_TSO4))
		errx(1, "the server does not cut segments");
	for (i = 0; i < SLICES; i++)
		free_slice[frees++] = i;
}

/* ---- frames -------------------------------------------------------------------------------------------------- */

static void reclaim(void)
{
	void *token[BATCH];
	bool broken = false;
	uint32_t n, i;

	while ((n = pvrom_net_guest_reclaim(&f.transmit, token, BATCH, &broken)) != 0)
		for (i = 0; i < n; i++)
			free_slice[frees++] = (uint32_t)((uintptr_t)token[i] - 1);
	if (broken)
		errx(1, "broken: %s", pvrom_vq_reason_text(f.transmit.ring.reason));
}

static bool send_frame(void *ctx, const struct pvrom_net_header *header, const uint8_t *frame,
		       uint32_t len)
{
	struct pvrom_net_guest_piece piece;
	struct pvrom_net_guest_packet p = { .piece = &piece,
					    .pieces = 1,
					    .flags = header->flags,
					    .gso_type = header->gso_type,
					    .gso_size = header->gso_size,
					    .hdr_len = header->hdr_len,
					    .csum_start = header->csum_start,
					    .csum_offset = header->csum_offset,
					    .headroom = true };
	uint32_t slice;
	uint8_t *to;

	(void)ctx;
	if (!frees)
		reclaim();
	if (!frees)
		return false;
	slice = free_slice[--frees];
	to = f.packets + (size_t)slice * SLICE + 64;
	memcpy(to, frame, len);
	piece = (struct pvrom_net_guest_piece){ vu_client_gpa(&f.client, to), to, len, 0 };
	p.token = (void *)(uintptr_t)(slice + 1);
	if (pvrom_net_guest_send(&f.transmit, &p) == PVROM_NET_GUEST_OK)
		return true;
	free_slice[frees++] = slice;
	return false;
}

static void take_frames(void)
{
	static uint8_t small[BATCH][128];
	struct pvrom_net_guest_frame frame[BATCH];
	struct pvrom_net_guest_buffer *b, *next;
	bool broken = false;
	uint32_t i, n;

	for (i = 0; i < BATCH; i++)
		frame[i].small = small[i];
	n = pvrom_net_guest_receive(&f.receive, frame, BATCH, &broken);
	if (broken)
		errx(1, "broken: %s", pvrom_vq_reason_text(f.receive.ring.reason));
	for (i = 0; i < n; i++) {
		/* What is longer than its buffer is nothing of ours: acknowledgements are short. */
		if (!frame[i].buffers || !frame[i].buffers->next)
			stack_input(&s, frame[i].at, frame[i].len, true);
		for (b = frame[i].buffers; b; b = next) {
			next = b->next;
			pvrom_net_guest_give(&f.receive, b);
		}
	}
	if (n)
		pvrom_net_guest_kick(&f.receive);
}

/* ---- both ends of the connection --------------------------------------------------------------------------- */

static void give_zeros(struct stack_tcp *tcp, uint32_t offset, uint8_t *to, uint32_t len)
{
	(void)tcp;
	(void)offset;
	memset(to, 0, len);
}

static void take_nothing(struct stack_tcp *tcp, const uint8_t *bytes, uint32_t len)
{
	(void)tcp;
	(void)bytes;
	(void)len;
}

static void ended(struct stack_tcp *tcp, enum stack_tcp_end how)
{
	(void)tcp;
	if (how != TCP_WELL)
		errx(1, "the connection was lost");
}

static void listen_at(const char *address)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons(PORT),
					.sin_addr = { inet_addr(address) } };

	const int one = 1;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(listener, (const struct sockaddr *)&at, sizeof(at)) || listen(listener, 1))
		err(1, "%s", address);
}

/* MSG_TRUNC: Linux throws the bytes away, which costs neither server anything. */
static void drain_socket(void)
{
	ssize_t n;

	if (peer < 0)
		peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (peer < 0)
		return;
	while ((n = recv(peer, NULL, 1u << 20, MSG_TRUNC)) > 0)
		came += (uint64_t)n;
}

static void go_round(void)
{
	take_frames();
	drain_socket();
	stack_tick(&s, vu_client_now() / 1000000);
	pvrom_net_guest_kick(&f.transmit);
	reclaim();
}

static struct stack_tcp *connect_stack(uint32_t to)
{
	static const struct stack_user user = { give_zeros, take_nothing, ended };
	const uint64_t end = vu_client_now() + PATIENCE_S * 1000000000ull;
	struct stack_tcp *t = NULL;

	while (!t || t->state != TCP_OPEN) {
		if (!t)
			t = stack_connect(&s, to, PORT, &user, NULL);
		go_round();
		if (vu_client_now() > end)
			errx(1, "no connection");
	}
	return t;
}

int main(int argc, char **argv)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };
	const struct stack_link link = { .send = send_frame, .sums = true, .segments = true };
	struct stack_tcp *t;
	uint64_t bytes, start;

	if (argc != 6)
		errx(2, "usage: net_tso SOCKET split|packed ADDRESS OTHER MEGABYTES");
	bytes = strtoull(argv[5], NULL, 10) << 20;
	open_front(argv[1], !strcmp(argv[2], "packed"));
	listen_at(argv[3]);
	stack_init(&s, &link, mac, MTU, 1);
	s.address = ntohl(inet_addr(argv[4]));
	s.mask = 0xffffff00;
	t = connect_stack(ntohl(inet_addr(argv[3])));
	start = vu_client_now();
	t->total = (uint32_t)bytes;
	while (came < bytes) {
		go_round();
		if (vu_client_now() - start > PATIENCE_S * 1000000000ull)
			errx(1, "%lu of %lu bytes in %u s", (unsigned long)came,
			     (unsigned long)bytes, PATIENCE_S);
	}
	printf("%.0f\n", (double)bytes * 1e9 / (double)(vu_client_now() - start));
	warnx("%u segments were sent again", (unsigned int)s.counters.resent);
	return 0;
}
