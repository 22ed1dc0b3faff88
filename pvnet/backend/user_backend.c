/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * User-mode networking: libslirp ends the guest's connections here and opens sockets of this process in their
 * place. No privileges, no interface.
 *
 * libslirp keeps some of its state in the process, so one lock is for all instances.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "netback_slips.h"
#include "user_words.h"

#define FIFO_BYTES (1u << 20)
#define SOCKETS 1024u /* more are looked at only when others have work */
#define TIMERS 4u
#define ROUNDS 16u	/* of looking at sockets in one call */
#define MTU_MOST 65521u /* libslirp's own bound */

struct user_timer {
	SlirpTimerId id;
	void *cb_opaque;
	int64_t at; /* ms; -1: off */
	bool used;
};

struct user {
	struct netback b; /* first */
	Slirp *slirp;
	struct net_fifo fifo;
	int events, timer;
	bool touched; /* frames went in since the sockets were last looked at */
	struct user_timer timers[TIMERS];
	struct pollfd polled[SOCKETS];
	uint32_t polls;
	struct watched {
		int fd;
		short events;
	} watched[SOCKETS];
	uint32_t watches;
	uint8_t frame[PVROM_NET_FRAME_MAX];
};

static pthread_mutex_t slirp_lock = PTHREAD_MUTEX_INITIALIZER;

static struct user *user_of(struct netback *b)
{
	return (struct user *)(void *)b;
}

/* ---- what libslirp asks for ------------------------------------------------------------------------------ */

static ssize_t send_packet(const void *bytes, size_t len, void *opaque)
{
	static const struct pvrom_net_header plain = { 0 };
	struct user *u = opaque;
	uint8_t *room = NULL;

	if (len && len <= PVROM_NET_FRAME_MAX)
		room = net_fifo_room(&u->fifo, (uint32_t)len);
	if (!room) {
		u->b.counters.full++;
		return (ssize_t)len; /* as a network loses it */
	}
	memcpy(room, bytes, len);
	net_fifo_push(&u->fifo, &plain, (uint32_t)len);
	return (ssize_t)len;
}

/* What a guest may cause any number of times is counted. */
static void guest_error(const char *message, void *opaque)
{
	(void)message;
	((struct user *)opaque)->b.counters.refused++;
}

static int64_t clock_ns(void *opaque)
{
	struct timespec t;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *timer_new(SlirpTimerId id, void *cb_opaque, void *opaque)
{
	struct user *u = opaque;
	uint32_t i;

	for (i = 0; i < TIMERS; i++)
		if (!u->timers[i].used) {
			u->timers[i] = (struct user_timer){ id, cb_opaque, -1, true };
			return &u->timers[i];
		}
	return NULL;
}

static void timer_free(void *timer, void *opaque)
{
	(void)opaque;
	if (timer)
		((struct user_timer *)timer)->used = false;
}

static void timer_mod(void *timer, int64_t ms, void *opaque)
{
	(void)opaque;
	if (timer)
		((struct user_timer *)timer)->at = ms;
}

static void register_fd(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

/* It is about to be closed, and its number may come back for another one. */
static void unregister_fd(int fd, void *opaque)
{
	struct user *u = opaque;
	uint32_t i;

	for (i = 0; i < u->watches; i++)
		if (u->watched[i].fd == fd) {
			epoll_ctl(u->events, EPOLL_CTL_DEL, fd, NULL);
			u->watched[i--] = u->watched[--u->watches];
		}
}

static void notify(void *opaque)
{
	((struct user *)opaque)->touched = true;
}

static const SlirpCb callbacks = { .send_packet = send_packet,
				   .guest_error = guest_error,
				   .clock_get_ns = clock_ns,
				   .timer_free = timer_free,
				   .timer_mod = timer_mod,
				   .register_poll_fd = register_fd,
				   .unregister_poll_fd = unregister_fd,
				   .notify = notify,
				   .timer_new_opaque = timer_new };

/* ---- its sockets ----------------------------------------------------------------------------------------- */

/* SLIRP_POLL_x and POLLx, each with the other. */
static const struct {
	int slirp;
	short poll;
} bits[] = { { SLIRP_POLL_IN, POLLIN },
	     { SLIRP_POLL_OUT, POLLOUT },
	     { SLIRP_POLL_PRI, POLLPRI },
	     { SLIRP_POLL_ERR, POLLERR },
	     { SLIRP_POLL_HUP, POLLHUP } };
#define BITS (sizeof(bits) / sizeof(bits[0]))

static int add_poll(int fd, int events, void *opaque)
{
	struct user *u = opaque;
	struct pollfd *p = &u->polled[u->polls];
	size_t i;

	if (u->polls == SOCKETS)
		return -1;
	*p = (struct pollfd){ .fd = fd };
	for (i = 0; i < BITS; i++)
		if (events & bits[i].slirp)
			p->events = (short)(p->events | bits[i].poll);
	return (int)u->polls++;
}

static int get_events(int index, void *opaque)
{
	const struct user *u = opaque;
	int events = 0;
	size_t i;

	for (i = 0; index >= 0 && i < BITS; i++)
		if (u->polled[index].revents & bits[i].poll)
			events |= bits[i].slirp;
	return events;
}

static int64_t run_timers(struct user *u)
{
	const int64_t now = clock_ns(NULL) / 1000000;
	int64_t next = -1;
	uint32_t i;

	for (i = 0; i < TIMERS; i++) {
		struct user_timer *t = &u->timers[i];

		if (t->used && t->at >= 0 && t->at <= now) {
			t->at = -1;
			slirp_handle_timer(u->slirp, t->id, t->cb_opaque);
		}
		if (t->used && t->at >= 0 && (next < 0 || t->at - now < next))
			next = t->at - now;
	}
	return next;
}

/* Watches what `polled` has, and nothing else. */
static void watch_sockets(struct user *u)
{
	struct epoll_event e;
	uint32_t i;

	for (i = 0; i < u->polls; i++) {
		const struct pollfd *p = &u->polled[i];

		if (i < u->watches && u->watched[i].fd == p->fd) {
			if (u->watched[i].events == p->events)
				continue;
		} else if (i < u->watches) {
			unregister_fd(u->watched[i].fd, u);
			i--;
			continue;
		}
		e = (struct epoll_event){ .events = (uint32_t)p->events, .data.fd = p->fd };
		if (epoll_ctl(u->events, i < u->watches ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, p->fd,
			      &e) &&
		    errno == EEXIST)
			epoll_ctl(u->events, EPOLL_CTL_MOD, p->fd, &e);
		u->watched[i] = (struct watched){ p->fd, p->events };
		if (i == u->watches)
			u->watches++;
	}
	while (u->watches > u->polls)
		unregister_fd(u->watched[u->watches - 1].fd, u);
}

static void arm(const struct user *u, uint64_t ms)
{
	struct itimerspec t = { .it_value = { .tv_sec = (time_t)(ms / 1000),
					      .tv_nsec = (long)(ms % 1000 * 1000000) } };

	if (!ms)
		t.it_value.tv_nsec = 1;
	timerfd_settime(u->timer, 0, &t, NULL);
}

/* What libslirp waits for, found out anew; returns after how many ms it wants to be called. */
static uint64_t fill(struct user *u)
{
	const int64_t timers = run_timers(u);
	uint32_t ms = timers < 0 ? 1000 : (uint32_t)timers;

	u->polls = 0;
	slirp_pollfds_fill(u->slirp, &ms, add_poll, u);
	return ms;
}

static bool has_room(const struct user *u)
{
	return u->fifo.tail - u->fifo.head < FIFO_BYTES / 2;
}

static void look(struct user *u)
{
	uint64_t ms = fill(u), count;
	uint32_t n;

	while (read(u->timer, &count, sizeof(count)) > 0)
		;
	for (n = 0; n < ROUNDS && has_room(u); n++) {
		const int ready = poll(u->polled, u->polls, 0);

		slirp_pollfds_poll(u->slirp, ready < 0, get_events, u);
		ms = fill(u);
		if (ready <= 0)
			break;
	}
	watch_sockets(u);
	arm(u, n == ROUNDS ? 0 : ms);
	u->touched = false;
}

/* ---- frames ---------------------------------------------------------------------------------------------- */

static void user_work(struct netback *b)
{
	pthread_mutex_lock(&slirp_lock);
	if (has_room(user_of(b)))
		look(user_of(b));
	pthread_mutex_unlock(&slirp_lock);
}

static bool user_send(struct netback *b, const struct pvrom_net_header *header,
		      const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip)
{
	struct user *u = user_of(b);
	/* A copy: libslirp looks at a frame more than once. */
	const size_t len = netback_gather(u->frame, sizeof(u->frame), pieces, count, skip);

	(void)header;
	pthread_mutex_lock(&slirp_lock);
	slirp_input(u->slirp, u->frame, (int)len);
	pthread_mutex_unlock(&slirp_lock);
	u->touched = true;
	return true;
}

/* What the frames made libslirp wait for, and its answers. */
static void user_flush(struct netback *b)
{
	struct user *u = user_of(b);

	if (!u->touched)
		return;
	if (!NETBACK_SLIP(USER_FLUSH))
		arm(u, 0);
	u->touched = false;
}

static bool user_peek(struct netback *b, uint32_t pair, struct net_arrival *arrival)
{
	(void)pair;
	return net_fifo_peek(&user_of(b)->fifo, arrival);
}

/* With room again the sockets are looked at, which nothing else may tell of any more. */
static void user_pop(struct netback *b, uint32_t pair)
{
	struct user *u = user_of(b);
	const bool had_room = has_room(u);

	(void)pair;
	net_fifo_pop(&u->fifo);
	if (!had_room && has_room(u))
		arm(u, 0);
}

static void user_close(struct netback *b)
{
	struct user *u = user_of(b);

	pthread_mutex_lock(&slirp_lock);
	if (u->slirp)
		slirp_cleanup(u->slirp);
	pthread_mutex_unlock(&slirp_lock);
	if (u->timer >= 0)
		close(u->timer);
	if (u->events >= 0)
		close(u->events);
	net_fifo_close(&u->fifo);
	free(u);
}

static const struct netback_ops user_ops = { .send = user_send,
					     .work = user_work,
					     .peek = user_peek,
					     .pop = user_pop,
					     .flush = user_flush,
					     .close = user_close };

/* ---- opening --------------------------------------------------------------------------------------------- */

static bool open_slirp(struct user *u, const struct netback_words *w, char *message)
{
	struct epoll_event e = { .events = EPOLLIN };
	SlirpConfig config;

	u->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	u->events = epoll_create1(EPOLL_CLOEXEC);
	if (u->timer < 0 || u->events < 0 || !net_fifo_open(&u->fifo, FIFO_BYTES) ||
	    epoll_ctl(u->events, EPOLL_CTL_ADD, u->timer, &e))
		return netback_complain(message, "user: %s", strerror(errno));
	if (w->mtu > MTU_MOST)
		return netback_complain(message, "mtu=%u: user carries %u at most", w->mtu,
					MTU_MOST);
	if (!user_configure(&config, w, message))
		return false;
	u->slirp = slirp_new(&config, &callbacks, u);
	if (!u->slirp)
		return netback_complain(message, "user: libslirp does not take that");
	arm(u, 0);
	return user_add_forwards(u->slirp, w, message);
}

struct netback *netback_user_open(const struct netback_words *w, char *message)
{
	struct user *u = calloc(1, sizeof(*u));
	bool good;

	if (!u) {
		netback_complain(message, "no memory");
		return NULL;
	}
	u->b.ops = &user_ops;
	u->b.pairs = 1;
	u->timer = u->events = -1;
	pthread_mutex_lock(&slirp_lock);
	good = open_slirp(u, w, message);
	pthread_mutex_unlock(&slirp_lock);
	if (!good) {
		user_close(&u->b);
		return NULL;
	}
	u->b.natural_mtu = w->mtu ? w->mtu : 1500;
	u->b.head.mtu = u->b.natural_mtu;
	u->b.fd[0] = u->events + 1;
	return &u->b;
}
