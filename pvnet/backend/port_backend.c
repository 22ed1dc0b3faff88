/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A port of a switch that another process serves, or a helper with a network of its own behind it.
 *
 * When the other side dies the link is down, and a port with a path tries again until somebody is there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "net_port.h"
#include "netback_slips.h"

#define PATIENCE 5000	     /* ms for the first hello */
#define OUT_BYTES (1u << 20) /* 650 frames of 1,500 bytes: more than libslirp's window */
#define AGAIN 200000000	     /* ns between attempts to connect again */

struct port {
	struct netback b; /* first */
	char *path;	  /* NULL: a descriptor that was inherited */
	int socket, timer, events;
	bool greeted; /* its hello came */
	struct port_hello own;
	struct net_fifo out; /* what the socket had no room for; opened when it is needed */
	bool asks;	     /* to be told when it has */
	uint32_t waiting;    /* bytes of `frame`; 0: it is empty */
	struct pvrom_net_header header;
	uint8_t frame[PVROM_NET_FRAME_MAX];
};

static struct port *port_of(struct netback *b)
{
	return (struct port *)(void *)b;
}

/* ---- the connection ------------------------------------------------------------------------------------ */

static void watch(const struct port *p, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(p->events, EPOLL_CTL_ADD, fd, &e);
}

static void arm_timer(const struct port *p, long ns)
{
	const struct itimerspec t = { .it_interval.tv_nsec = ns, .it_value.tv_nsec = ns };

	timerfd_settime(p->timer, 0, &t, NULL);
}

static void lost(struct port *p)
{
	close(p->socket);
	p->socket = -1;
	p->greeted = p->asks = false;
	net_fifo_close(&p->out);
	if (!p->b.down)
		netback_say(&p->b, "port %s: the other side has gone", p->path ? p->path : "");
	p->b.down = !NETBACK_SLIP(PORT_DOWN);
	if (p->path && !NETBACK_SLIP(PORT_AGAIN))
		arm_timer(p, AGAIN);
}

static void connect_again(struct port *p)
{
	char message[PVROM_NET_MESSAGE];
	uint64_t count;

	while (read(p->timer, &count, sizeof(count)) > 0)
		;
	p->socket = port_connect(p->path, message);
	if (p->socket < 0)
		return;
	if (!port_send_hello(p->socket, &p->own)) {
		lost(p);
		return;
	}
	watch(p, p->socket);
}

/* The other side is another than before: what was agreed on with the driver must still hold. */
static void hear_hello(struct port *p)
{
	struct port_hello h;

	if (!port_receive_hello(p->socket, &h, 0)) {
		if (errno != EAGAIN)
			lost(p);
		return;
	}
	if (h.text[0] || (p->own.can & ~h.can) || h.mtu < p->b.head.mtu) {
		netback_say(&p->b, "port %s: %s", p->path,
			    h.text[0] ? h.text : "the switch there carries less than before");
		lost(p);
		return;
	}
	p->greeted = true;
	p->b.down = false;
	arm_timer(p, 0);
	netback_say(&p->b, "port %s: connected again", p->path);
}

/* ---- what the socket had no room for ------------------------------------------------------------------- */

static void ask(struct port *p, bool on)
{
	struct epoll_event e = { .events = EPOLLIN | (on ? EPOLLOUT : 0u), .data.fd = p->socket };

	if (p->asks != on && !epoll_ctl(p->events, EPOLL_CTL_MOD, p->socket, &e))
		p->asks = on;
}

static void hand_out(struct port *p)
{
	struct net_arrival a;
	struct iovec vec;
	int result = 1;

	while (result > 0 && net_fifo_peek(&p->out, &a)) {
		vec = (struct iovec){ a.bytes, a.len };
		result = port_send(p->socket, &a.header, &vec, 1);
		if (result > 0)
			net_fifo_pop(&p->out);
	}
	if (result < 0)
		lost(p);
	else
		ask(p, !result);
}

static bool keep(struct port *p, const struct pvrom_net_header *header, const struct iovec *vec,
		 uint32_t count, uint32_t len)
{
	uint8_t *room = NULL;
	uint32_t i;

	if (NETBACK_SLIP(PORT_KEEP))
		return false;
	if (p->out.bytes || net_fifo_open(&p->out, OUT_BYTES))
		room = net_fifo_room(&p->out, len);
	if (!room)
		return false;
	for (i = 0; i < count; room += vec[i++].iov_len)
		memcpy(room, vec[i].iov_base, vec[i].iov_len);
	net_fifo_push(&p->out, header, len);
	ask(p, true);
	return true;
}

static void port_work(struct netback *b)
{
	struct port *p = port_of(b);

	if (p->socket < 0 && p->path)
		connect_again(p);
	if (p->socket >= 0 && !p->greeted)
		hear_hello(p);
	if (p->greeted && p->out.frames)
		hand_out(p);
}

/* ---- frames -------------------------------------------------------------------------------------------- */

static bool port_backend_send(struct netback *b, const struct pvrom_net_header *header,
			      const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip)
{
	struct port *p = port_of(b);
	struct iovec vec[PVROM_NET_PIECES];
	const uint32_t n = netback_vectors(vec, PVROM_NET_PIECES, pieces, count, skip);
	int result;

	if (b->down || !n)
		return false;
	result = p->out.frames ? 0 : port_send(p->socket, header, vec, n);
	if (!result)
		result = keep(p, header, vec, n, (uint32_t)netback_length(pieces, count, skip));
	b->counters.full += result == 0;
	b->counters.failed += result < 0;
	return result > 0;
}

static bool port_peek(struct netback *b, uint32_t pair, struct net_arrival *arrival)
{
	struct port *p = port_of(b);
	int32_t n;

	(void)pair;
	if (!p->waiting) {
		if (!p->greeted)
			return false;
		n = port_receive(p->socket, &p->header, p->frame);
		if (n < 0)
			lost(p);
		p->waiting = n > 0 ? (uint32_t)n : 0;
	}
	*arrival = (struct net_arrival){ p->header, p->waiting, p->frame };
	return p->waiting;
}

static void port_pop(struct netback *b, uint32_t pair)
{
	(void)pair;
	port_of(b)->waiting = 0;
}

static void port_close(struct netback *b)
{
	struct port *p = port_of(b);

	if (p->socket >= 0)
		close(p->socket);
	if (p->timer >= 0)
		close(p->timer);
	if (p->events >= 0)
		close(p->events);
	net_fifo_close(&p->out);
	free(p->path);
	free(p);
}

static const struct netback_ops port_ops = { .send = port_backend_send,
					     .work = port_work,
					     .peek = port_peek,
					     .pop = port_pop,
					     .close = port_close };

/* ---- opening ------------------------------------------------------------------------------------------- */

static bool introduce(struct port *p, const struct netback_words *w, const uint8_t mac[6],
		      char *message)
{
	struct port_hello h;

	p->own = (struct port_hello){ .magic = PORT_MAGIC,
				      .version = PORT_VERSION,
				      .mtu = w->mtu,
				      .vlan = (uint16_t)w->vlan };
	memcpy(p->own.mac, mac, sizeof(p->own.mac));
	if (!port_send_hello(p->socket, &p->own) || !port_receive_hello(p->socket, &h, PATIENCE))
		return netback_complain(message, "port: nobody at the other side answers as a "
						 "switch does");
	if (h.text[0])
		return netback_complain(message, "port: %s", h.text);
	if (h.mtu < PVROM_NET_MTU_LEAST || h.mtu > 65535)
		return netback_complain(message, "port: an MTU of %u cannot be", h.mtu);
	p->greeted = true;
	p->b.head.mtu = h.mtu;
	p->b.natural_mtu = h.own_mtu;
	p->own.can = p->b.head.can = h.can;
	p->b.head.gives = h.gives;
	return true;
}

static bool open_socket(struct port *p, const struct netback_words *w, char *message)
{
	if (!w->port) {
		p->socket = w->port_fd;
		return fcntl(p->socket, F_SETFD, FD_CLOEXEC) >= 0 ||
		       netback_complain(message, "port-fd=%d: %s", w->port_fd, strerror(errno));
	}
	p->path = strdup(w->port);
	p->socket = p->path ? port_connect(p->path, message) : -1;
	return p->socket >= 0;
}

static bool open_events(struct port *p, char *message)
{
	p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	p->events = epoll_create1(EPOLL_CLOEXEC);
	if (p->timer < 0 || p->events < 0)
		return netback_complain(message, "port: %s", strerror(errno));
	watch(p, p->timer);
	watch(p, p->socket);
	return true;
}

struct netback *netback_port_open(const struct netback_words *w, const uint8_t mac[6],
				  char *message)
{
	struct port *p = calloc(1, sizeof(*p));

	if (!p) {
		netback_complain(message, "no memory");
		return NULL;
	}
	p->socket = p->timer = p->events = -1;
	p->b.ops = &port_ops;
	p->b.pairs = 1;
	if (!open_socket(p, w, message) || !introduce(p, w, mac, message) ||
	    !open_events(p, message)) {
		port_close(&p->b);
		return NULL;
	}
	p->b.fd[0] = p->events + 1;
	return &p->b;
}
