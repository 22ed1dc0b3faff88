/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One card on one socket: a thread that goes round its queues, its network and its front end.
 */
#define _GNU_SOURCE
#include "netd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../backend/netback_slips.h"

/* Buffers taken from a queue, or frames from a network, before the others are looked at. */
#define BATCH 64u
#define LOOP_ENTRIES 256u
#define FEW 32u	      /* frames of a driver in one round */
#define AFTER_FEW 8u  /* pauses then; and */
#define AFTER_NONE 4u /* where there was nothing */

/* ---- the driver's frames ------------------------------------------------------------------------------- */

static void be_quiet(struct netd_queue *q)
{
	if (q->quiet)
		return;
	pvrom_vq_device_notifications_off(&q->net.ring);
	q->quiet = true;
}

static uint32_t run_queue(struct netd_card *c, uint32_t index)
{
	struct netd_queue *q = &c->queue[index];
	uint32_t n;

	if (!q->live || !pvrom_vu_runs(c->vu, index))
		return 0;
	n = index % 2 ? pvrom_net_transmit(&q->net, BATCH) : pvrom_net_control(&q->net, BATCH);
	if (n)
		be_quiet(q);
	if (q->net.broken)
		pvrom_vu_broken(c->vu, index);
	return n;
}

/* How many. */
static uint32_t send_frames(struct netd_card *c)
{
	const uint32_t control = pvrom_net_control_queue(&c->host);
	uint32_t i, n = 0;

	for (i = 1; i < 2u * c->host.setup.pairs; i += 2)
		n += run_queue(c, i);
	if (n)
		pvrom_net_backend_flush(c->backend);
	if (control != PVROM_NET_NO_QUEUE)
		n += run_queue(c, control);
	return n;
}

/* ---- frames for the driver ----------------------------------------------------------------------------- */

static void arrived(struct pvrom_loop_watch *watch)
{
	((struct netd_arrivals *)(void *)watch)->ready = true;
}

/* Has the driver given buffers where they are lacking, or is nothing known to lack any? */
static bool may_try(struct netd_card *c)
{
	bool starved = false;
	uint32_t i;

	for (i = 0; i < 2u * c->host.setup.pairs; i += 2) {
		if (!c->queue[i].live || !c->queue[i].net.starved)
			continue;
		if (pvrom_vq_device_pending(&c->queue[i].net.ring))
			return true;
		starved = true;
	}
	return !starved;
}

/* Frames are read on only when buffers may be there; until then they wait where they are. */
static bool receive_pair(struct netd_card *c, uint32_t pair)
{
	struct netd_arrivals *a = &c->arrivals[pair];
	bool stalled = false;
	uint32_t n;

	if ((a->watched && !a->ready) || (a->stalled && !may_try(c)) || !pvrom_vu_runs(c->vu, 0) ||
	    pvrom_net_receive_held(&c->host))
		return false;
	n = pvrom_net_backend_receive(c->backend, &c->host, pair, BATCH, &stalled);
	a->stalled = stalled;
	a->ready = n == BATCH || stalled || pvrom_net_receive_held(&c->host);
	return n > 0;
}

static bool any_stalled(const struct netd_card *c)
{
	uint32_t i;

	for (i = 0; i < pvrom_net_backend_pairs(c->backend); i++)
		if (c->arrivals[i].stalled)
			return true;
	return false;
}

static void look_for_broken(struct netd_card *c)
{
	uint32_t i;

	for (i = 0; i < 2u * c->host.setup.pairs; i += 2)
		if (c->queue[i].live && c->queue[i].net.broken)
			pvrom_vu_broken(c->vu, i);
}

static bool receive_frames(struct netd_card *c)
{
	const uint32_t pairs = pvrom_net_backend_pairs(c->backend);
	bool worked = false;
	uint32_t i;

	for (i = 0; i < pairs; i++)
		worked |= receive_pair(c, i);
	if (worked || any_stalled(c))
		look_for_broken(c);
	return worked;
}

/* ---- what else happens to a network -------------------------------------------------------------------- */

static void look_at_link(struct netd_card *c)
{
	if (pvrom_net_host_set_link(&c->host, pvrom_net_backend_link(c->backend)) &&
	    !NETBACK_SLIP(NETD_LINK))
		pvrom_vu_config_changed(c->vu);
}

static void tell_news(struct netd_card *c)
{
	const char *news;

	while ((news = pvrom_net_backend_news(c->backend)))
		netd_say("%s: %s", c->spec.socket, news);
}

/* RFC 903, a request from and for the address, to all: as QEMU and DPDK do it. */
void netd_announce(struct netd_card *c, const uint8_t mac[6])
{
	static const uint8_t head[] = { 0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3 };
	const struct pvrom_net_header plain = { 0 };
	uint8_t frame[60] = { 0 };
	const struct pvrom_vq_piece piece = { .at = frame, .len = sizeof(frame) };

	if (NETBACK_SLIP(NETD_ANNOUNCE))
		return;
	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, head, sizeof(head));
	memcpy(frame + 22, mac, 6);
	memcpy(frame + 32, mac, 6);
	c->backend->pair = 0;
	if (!c->backend->ops->send(c->backend, &plain, &piece, 1, 0))
		return; /* as any frame that is lost */
	pvrom_net_backend_flush(c->backend);
}

/*
 * Who looks again at once finds a frame or two, and each look takes the ring's line away from the driver's CPU. After some
 * hundred cycles there are many, and up to twice as many a second go through (make bench-net).
 */
static void breathe(uint32_t pauses)
{
	for (; pauses; pauses--)
		__builtin_ia32_pause();
}

/* ---- the round ----------------------------------------------------------------------------------------- */

/* true: the driver added something meanwhile, which it will not ring for. */
static bool listen_to(struct netd_queue *q)
{
	if (!q->quiet)
		return false;
	q->quiet = false;
	return pvrom_vq_device_notifications_on(&q->net.ring);
}

/* A driver that gives buffers need not say so while there are enough. true: as listen_to(). */
static bool listen_for_buffers(struct netd_queue *q, bool stalled)
{
	const bool listens = !q->quiet;

	if (!stalled || !q->net.starved) {
		be_quiet(q);
		return false;
	}
	if (NETBACK_SLIP(NETD_LISTEN) || (listens && NETBACK_SLIP(NETD_LISTEN_ONCE)))
		return false;
	q->quiet = false;
	return pvrom_net_queue_await(&q->net);
}

static bool listen_again(struct netd_card *c)
{
	const bool stalled = any_stalled(c);
	bool more = false;
	uint32_t i;

	for (i = 0; i < NETD_QUEUES; i++) {
		struct netd_queue *q = &c->queue[i];

		if (!q->live || !pvrom_vu_runs(c->vu, i))
			continue;
		if (i % 2 == 0 && i != pvrom_net_control_queue(&c->host))
			more |= listen_for_buffers(q, stalled);
		else
			more |= listen_to(q) && !pvrom_net_send_held(&c->host);
	}
	return more;
}

static bool must_poll(const struct netd_card *c)
{
	uint32_t i;

	for (i = 0; i < NETD_QUEUES; i++)
		if (pvrom_vu_polled(c->vu, i))
			return true;
	return c->poll_ns == UINT64_MAX;
}

static void rest(struct netd_card *c, uint64_t deadline)
{
	const uint64_t time = pvrom_loop_now();

	if (time - c->last_work < c->patience || must_poll(c)) {
		pvrom_loop_submit(&c->loop);
		breathe(AFTER_NONE);
		return;
	}
	if (listen_again(c))
		return;
	tell_news(c);
	c->sleeps++;
	pvrom_loop_sleep(&c->loop, deadline == UINT64_MAX ? UINT64_MAX
				   : deadline > time	  ? deadline - time
							  : 0);
	/* Looking on pays if something came sooner than one would have gone to sleep; it is time wasted otherwise. */
	c->patience = pvrom_loop_now() - time < c->poll_ns ? c->poll_ns : 0;
}

/* When a limit lets frames go again, it is looked for them. */
static void mind_limits(const struct netd_card *c, uint64_t *deadline)
{
	const uint64_t send = pvrom_net_send_held(&c->host);
	const uint64_t receive = pvrom_net_receive_held(&c->host);

	if (send && send < *deadline)
		*deadline = send;
	if (receive && receive < *deadline)
		*deadline = receive;
}

static void obey(struct netd_card *c);

/*
 * Interrupts that a round prepared go out with the system call that sleeps, or at the round's end when there is
 * more to do.
 */
static void go_round(struct netd_card *c)
{
	const uint32_t sent = send_frames(c);
	const bool received = receive_frames(c);
	bool worked = sent || received;
	uint64_t deadline;

	netd_publish(c, &deadline);
	mind_limits(c, &deadline);
	if (worked)
		pvrom_loop_submit(&c->loop);
	worked |= pvrom_loop_reap(&c->loop) > 0;
	if (sent && sent < FEW)
		breathe(AFTER_FEW);
	pvrom_vu_look(c->vu);
	look_at_link(c);
	if (atomic_load_explicit(&c->asked, memory_order_acquire))
		obey(c);
	else if (worked)
		c->last_work = c->poll_ns && c->poll_ns != UINT64_MAX ? pvrom_loop_now() : 0;
	else
		rest(c, deadline);
}

/* ---- set-up -------------------------------------------------------------------------------------------- */

static bool open_device(struct netd_card *c, char *message)
{
	const uint32_t wanted = c->spec.queues ? c->spec.queues : 1;
	struct pvrom_net_host_setup setup = {
		.backend = c->backend,
		.mtu = pvrom_net_backend_mtu(c->backend),
		.pairs = (uint16_t)wanted,
		.withhold = NETBACK_SLIP(NETD_WITHHOLD) ? 0 : c->spec.withhold,
	};

	c->whole = malloc(PVROM_NET_FRAME_MAX);
	c->segment = malloc(PVROM_NET_FRAME_MAX);
	setup.whole = c->whole;
	pvrom_net_backend_limits(c->backend, &setup);
	setup.segment = c->segment;
	memcpy(setup.mac, c->spec.mac, sizeof(setup.mac));
	if (c->whole && c->segment && pvrom_net_host_init(&c->host, &setup))
		return true;
	snprintf(message, PVROM_NET_MESSAGE, "the card cannot be set up like that");
	return false;
}

static void watch_backend(struct netd_card *c)
{
	uint32_t i;
	int fd;

	for (i = 0; i < pvrom_net_backend_pairs(c->backend); i++) {
		fd = pvrom_net_backend_fd(c->backend, i);
		if (fd < 0)
			continue;
		pvrom_loop_watch_fd(&c->loop, &c->arrivals[i].watch, fd, arrived);
		c->arrivals[i].watched = c->arrivals[i].ready = true;
	}
}

/* In the card's own thread, for a ring belongs to the thread that made it. */
static bool open_all(struct netd_card *c)
{
	char message[PVROM_NET_MESSAGE > PVROM_VU_MESSAGE ? PVROM_NET_MESSAGE : PVROM_VU_MESSAGE];
	const int result = pvrom_loop_open(&c->loop, LOOP_ENTRIES);

	c->poll_ns = c->patience = netd_options.poll_ns;
	if (result) {
		c->loop.entries = 0;
		netd_say("%s: no io_uring here: %s", c->spec.socket, strerror(-result));
		return false;
	}
	c->backend = pvrom_net_backend_open(c->spec.backend, c->spec.mac, message);
	if (c->backend && open_device(c, message) && netd_front_open(c, message)) {
		watch_backend(c);
		return true;
	}
	netd_say("%s: %s", c->spec.socket, message);
	return false;
}

static void close_all(struct netd_card *c)
{
	uint32_t i;

	if (c->vu)
		pvrom_vu_close(c->vu);
	for (i = 0; i < PVROM_NET_PAIRS_MAX; i++)
		if (c->arrivals[i].watched)
			pvrom_loop_forget(&c->arrivals[i].watch);
	if (c->loop.entries)
		pvrom_loop_close(&c->loop);
	pvrom_net_backend_close(c->backend);
	free(c->whole);
	free(c->segment);
}

/* ---- the thread, and what others ask of it --------------------------------------------------------------- */

#define LL(x) ((unsigned long long)(x))
static void say_counters(const struct netd_card *c)
{
	const struct pvrom_net_counters *n = &c->host.counters;
	struct pvrom_net_backend_counters b;

	pvrom_net_backend_count(c->backend, &b);
	netd_say("%s: sent %llu (%llu bytes) send-failed %llu malformed %llu received %llu (%llu "
		 "bytes) filtered %llu no-buffer %llu too-small %llu refused %llu over-mtu %llu "
		 "link-down %llu commands %llu commands-failed %llu",
		 c->spec.socket, LL(n->sent), LL(n->sent_bytes), LL(n->send_failed),
		 LL(n->malformed), LL(n->received), LL(n->received_bytes), LL(n->filtered),
		 LL(n->no_buffer), LL(n->too_small), LL(n->refused), LL(n->over_mtu),
		 LL(n->link_down), LL(n->commands), LL(n->commands_failed));
	netd_say("%s: backend full %llu failed %llu refused %llu captured %llu capture-lost %llu "
		 "interrupts %llu sleeps %llu enters %llu",
		 c->spec.socket, LL(b.full), LL(b.failed), LL(b.refused), LL(b.captured),
		 LL(b.capture_lost), LL(c->interrupts), LL(c->sleeps), LL(c->loop.enters));
}

static void answer(struct netd_card *c)
{
	pthread_mutex_lock(&c->mutex);
	c->command = NETD_NOTHING;
	atomic_store_explicit(&c->asked, false, memory_order_release);
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->mutex);
}

static void obey(struct netd_card *c)
{
	if (c->command == NETD_STOP)
		c->ends = true;
	else if (c->command == NETD_COUNTERS)
		say_counters(c);
	answer(c);
}

static void *run(void *arg)
{
	struct netd_card *c = arg;

	c->opened = open_all(c);
	c->ends = !c->opened;
	answer(c);
	while (!c->ends)
		go_round(c);
	close_all(c);
	return NULL;
}

bool netd_card_open(struct netd_card *c)
{
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->changed, NULL);
	c->command = NETD_OPEN;
	c->started = !pthread_create(&c->thread, NULL, run, c);
	if (!c->started) {
		netd_say("%s: no thread", c->spec.socket);
		return false;
	}
	pthread_mutex_lock(&c->mutex);
	while (c->command != NETD_NOTHING)
		pthread_cond_wait(&c->changed, &c->mutex);
	pthread_mutex_unlock(&c->mutex);
	return c->opened;
}

void netd_card_ask(struct netd_card *c, enum netd_command command)
{
	pthread_mutex_lock(&c->mutex);
	c->command = command;
	atomic_store_explicit(&c->asked, true, memory_order_release);
	pvrom_loop_wake(&c->loop);
	while (c->command != NETD_NOTHING)
		pthread_cond_wait(&c->changed, &c->mutex);
	pthread_mutex_unlock(&c->mutex);
}

void netd_card_join(struct netd_card *c)
{
	if (c->started)
		pthread_join(c->thread, NULL);
}
