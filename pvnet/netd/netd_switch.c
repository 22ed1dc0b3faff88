/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A switch on a socket: one thread for all ports of other processes; cards of this one join it directly.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netd_switch.h"

#define BATCH 64u	    /* frames of one port before the others are looked at */
#define SILENT SWITCH_PORTS /* connections that have not said hello */
#define FLOOD 10000u /* frames a second that one port may send to all, unless said otherwise */

/* A port that another process has. */
struct remote {
	struct remote *next;
	struct netd_switch *owner;
	int socket;
	struct switch_port *port; /* NULL: it has not said hello */
	bool waits;		  /* for room in the socket */
	bool gone;
};

struct netd_switch {
	struct netd_switch *next;
	char path[108];
	struct net_switch *sw;
	struct remote *remotes;
	int listener, events, end;
	pthread_t thread;
	uint8_t frame[PVROM_NET_FRAME_MAX];
};

static struct netd_switch *switches;

/* ---- one port ------------------------------------------------------------------------------------------ */

static void watch(const struct netd_switch *s, int op, int fd, uint32_t events, void *what)
{
	struct epoll_event e = { .events = events, .data.ptr = what };

	if (epoll_ctl(s->events, op, fd, &e))
		netd_say("switch %s: %s", s->path, strerror(errno));
}

static void greet(struct remote *r)
{
	struct port_hello h, own = { .magic = PORT_MAGIC,
				     .version = PORT_VERSION,
				     .mtu = 65535,
				     .can = PORT_CAN,
				     .gives = PORT_GIVES };

	if (!port_receive_hello(r->socket, &h, 0) || h.vlan > 4094) {
		r->gone = true;
		return;
	}
	r->port = switch_join(r->owner->sw, h.mac, h.vlan ? h.vlan : SWITCH_ALL_VLANS, own.text);
	if (!port_send_hello(r->socket, &own) || !r->port)
		r->gone = true;
	else
		watch(r->owner, EPOLL_CTL_ADD, r->port->event, EPOLLIN, r);
}

static void take_in(struct remote *r)
{
	struct pvrom_net_header header;
	struct iovec vec = { r->owner->frame, 0 };
	int32_t n;
	uint32_t i;

	for (i = 0; i < BATCH; i++) {
		n = port_receive(r->socket, &header, r->owner->frame);
		r->gone |= n < 0;
		if (n <= 0)
			break;
		vec.iov_len = (size_t)n;
		switch_send(r->port, &header, &vec, 1);
	}
	switch_flush(r->port);
}

/* There is more, for which nobody will wake us. */
static void come_again(const struct remote *r)
{
	const uint64_t one = 1;

	if (write(r->port->event, &one, sizeof(one)) < 0)
		return; /* full: it is awake */
}

/* A port whose process does not read fills its own queue and nobody else's; one for which much comes has its turn. */
static void hand_out(struct remote *r)
{
	struct net_arrival a;
	struct iovec vec;
	bool waited = r->waits;
	int sent = 1;
	uint32_t i;

	r->waits = false;
	switch_woken(r->port);
	for (i = 0; i < BATCH && switch_peek(r->port, &a); i++) {
		vec = (struct iovec){ a.bytes, a.len };
		sent = port_send(r->socket, &a.header, &vec, 1);
		if (sent <= 0)
			break;
		switch_pop(r->port);
	}
	if (i == BATCH)
		come_again(r);
	r->gone |= sent < 0;
	r->waits = !sent;
	if (r->waits != waited)
		watch(r->owner, EPOLL_CTL_MOD, r->socket, EPOLLIN | (r->waits ? EPOLLOUT : 0u), r);
}

static void serve(struct remote *r)
{
	if (!r->port) {
		greet(r);
		return;
	}
	take_in(r);
	if (!r->gone)
		hand_out(r);
}

/* ---- all of them --------------------------------------------------------------------------------------- */

/* Of too many connections that say nothing the oldest goes. */
static void bound_silent(struct netd_switch *s)
{
	struct remote *r, *oldest = NULL;
	uint32_t n = 0;

	for (r = s->remotes; r; r = r->next) {
		if (r->port || r->gone)
			continue;
		oldest = r;
		n++;
	}
	if (n >= SILENT)
		oldest->gone = true;
}

static void accept_one(struct netd_switch *s)
{
	const int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct remote *r = fd < 0 ? NULL : calloc(1, sizeof(*r));

	if (!r) {
		if (fd >= 0)
			close(fd);
		return;
	}
	bound_silent(s);
	*r = (struct remote){ .next = s->remotes, .owner = s, .socket = fd };
	s->remotes = r;
	watch(s, EPOLL_CTL_ADD, fd, EPOLLIN, r);
}

static void part(struct remote *r)
{
	if (r->port)
		switch_leave(r->port);
	close(r->socket);
	free(r);
}

static void sweep(struct netd_switch *s, bool all)
{
	struct remote **at = &s->remotes, *r;

	while ((r = *at)) {
		if (!r->gone && !all) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		part(r);
	}
}

/* Closing a descriptor takes it out of epoll; an event of before may still name a port that has gone. */
static void *run(void *arg)
{
	struct netd_switch *s = arg;
	struct epoll_event e[16];
	int n, i;
	bool ends = false;

	while (!ends) {
		n = epoll_wait(s->events, e, 16, -1);
		for (i = 0; i < n; i++) {
			struct remote *r = e[i].data.ptr;

			if (!r)
				ends = true;
			else if (e[i].data.ptr == s)
				accept_one(s);
			else if (!r->gone)
				serve(r);
		}
		sweep(s, ends);
	}
	return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static struct net_switch *find(const char *path)
{
	struct netd_switch *s;

	for (s = switches; s; s = s->next)
		if (!strcmp(s->path, path))
			return s->sw;
	return NULL;
}

static bool start(struct netd_switch *s, uint32_t flood, char *message)
{
	s->sw = switch_open(flood ? flood : FLOOD);
	s->events = epoll_create1(EPOLL_CLOEXEC);
	s->end = eventfd(0, EFD_CLOEXEC);
	if (!s->sw || s->events < 0 || s->end < 0) {
		snprintf(message, PVROM_NET_MESSAGE, "%s: no memory", s->path);
		return false;
	}
	s->listener = port_listen(s->path, message);
	if (s->listener < 0)
		return false;
	watch(s, EPOLL_CTL_ADD, s->listener, EPOLLIN, s);
	watch(s, EPOLL_CTL_ADD, s->end, EPOLLIN, NULL);
	if (!pthread_create(&s->thread, NULL, run, s))
		return true;
	unlink(s->path);
	snprintf(message, PVROM_NET_MESSAGE, "%s: no thread", s->path);
	return false;
}

static void close_one(struct netd_switch *s)
{
	if (s->listener >= 0)
		close(s->listener);
	if (s->events >= 0)
		close(s->events);
	if (s->end >= 0)
		close(s->end);
	switch_close(s->sw);
	free(s);
}

/* For cards of this process. */
struct netback *netd_switch_port(const struct netback_words *w, const uint8_t mac[6], char *message)
{
	struct net_switch *sw = find(w->port);

	if (!sw)
		return NULL;
	return netback_switch_open(sw, w->vlan ? (uint16_t)w->vlan : SWITCH_ALL_VLANS, mac,
				   message);
}

bool netd_switch_open(const char *path, uint32_t flood, char *message)
{
	struct netd_switch *s = calloc(1, sizeof(*s));

	if (!s || strlen(path) >= sizeof(s->path)) {
		snprintf(message, PVROM_NET_MESSAGE, "%s: too long for a socket", path);
		free(s);
		return false;
	}
	memcpy(s->path, path, strlen(path) + 1);
	s->listener = s->events = s->end = -1;
	if (!start(s, flood, message)) {
		close_one(s);
		return false;
	}
	s->next = switches;
	switches = s;
	return true;
}

void netd_switch_close_all(void)
{
	const uint64_t one = 1;
	struct netd_switch *s;

	while ((s = switches)) {
		switches = s->next;
		if (write(s->end, &one, sizeof(one)) == (ssize_t)sizeof(one))
			pthread_join(s->thread, NULL);
		unlink(s->path);
		close_one(s);
	}
}
