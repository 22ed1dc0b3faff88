/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The other end of a port: a network of this process for a card of another one, over a socket that was inherited.
 * So a program that cannot or shall not have libslirp in it has user-mode networking.
 */
#define _GNU_SOURCE
#include "netd_helper.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "../backend/net_port.h"

#define BATCH 64u
#define PATIENCE 10000 /* ms for the hello */

static struct netback *open_backend(const char *words, const struct port_hello *hello,
				    struct port_hello *answer)
{
	char message[PVROM_NET_MESSAGE];
	struct pvrom_net_backend *head = pvrom_net_backend_open(words, hello->mac, message);
	struct netback *b = netback_of(head);
	const char *why;

	if (head && b->ops->peek && !b->limits)
		return b;
	why = !head	  ? message
	      : b->limits ? "limits are the card's, and not its helper's"
			  : "this network is no one for a helper: user and loop are";
	memcpy(answer->text, why, strnlen(why, sizeof(answer->text) - 1));
	pvrom_net_backend_close(head);
	return NULL;
}

static struct netback *greet(int socket, const char *words)
{
	struct port_hello hello, answer = { .magic = PORT_MAGIC, .version = PORT_VERSION };
	struct netback *b;

	if (!port_receive_hello(socket, &hello, PATIENCE)) {
		netd_say("nobody at the other end says hello");
		return NULL;
	}
	b = open_backend(words, &hello, &answer);
	if (b) {
		answer.mtu = b->head.mtu;
		answer.own_mtu = (uint16_t)b->natural_mtu;
		answer.can = b->head.can;
		answer.gives = b->head.gives;
	} else {
		netd_say("%s", answer.text);
	}
	if (port_send_hello(socket, &answer) && b)
		return b;
	if (b)
		pvrom_net_backend_close(&b->head);
	return NULL;
}

/* What the card may not ask of the network it must have done itself: such a frame is none. */
static bool asks_for_nothing_else(const struct netback *b, const struct pvrom_net_header *h)
{
	if (h->flags & PVROM_NET_HDR_NEEDS_CSUM && !(b->head.can & PVROM_NET_F_CSUM))
		return false;
	return !h->gso_type || b->head.can & PVROM_NET_F_HOST_TSO4;
}

/* false: the other side has gone. */
static bool take_in(struct netback *b, int socket)
{
	static uint8_t frame[PVROM_NET_FRAME_MAX];
	struct pvrom_net_header header;
	struct pvrom_vq_piece piece = { .at = frame };
	uint32_t i;
	int32_t n = 0;

	for (i = 0; i < BATCH; i++) {
		n = port_receive(socket, &header, frame);
		if (n <= 0)
			break;
		piece.len = (uint64_t)n;
		if (n < 14 || !asks_for_nothing_else(b, &header))
			b->counters.refused++;
		else
			b->head.ops->send(&b->head, &header, &piece, 1, 0);
	}
	pvrom_net_backend_flush(&b->head);
	return n >= 0;
}

/* 1: all, 0: the socket is full, -1: the other side has gone. */
static int hand_out(struct netback *b, int socket)
{
	struct net_arrival a;
	struct iovec vec;
	int sent;

	while (b->ops->peek(b, 0, &a)) {
		vec = (struct iovec){ a.bytes, a.len };
		sent = port_send(socket, &a.header, &vec, 1);
		if (sent <= 0)
			return sent;
		b->ops->pop(b, 0);
	}
	return 1;
}

int netd_help(int socket, const char *words)
{
	struct netback *b = greet(socket, words);
	struct pollfd fd[2] = { { .fd = socket, .events = POLLIN }, { .events = POLLIN } };
	int room = 1;

	if (!b)
		return 1;
	fd[1].fd = pvrom_net_backend_fd(&b->head, 0);
	while (room >= 0) {
		fd[0].events = (short)(POLLIN | (room ? 0 : POLLOUT));
		fd[1].events = room ? POLLIN : 0;
		if (poll(fd, 2, -1) < 0 && errno != EINTR)
			break;
		if (fd[0].revents & (POLLIN | POLLHUP) && !take_in(b, socket))
			break;
		if (b->ops->work)
			b->ops->work(b);
		room = hand_out(b, socket);
	}
	pvrom_net_backend_close(&b->head);
	return 0;
}
