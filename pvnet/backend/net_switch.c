/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The switch: ports, and frames from one to another.
 */
#define _GNU_SOURCE
#include "switch_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../net_bytes.h"
#include "netback_slips.h"

#define QUEUE_BYTES                                                                                \
	(1u << 20)	 /* of a port: 15 frames of the greatest length, or 8,000 small ones */
#define FLOOD_BURST 256u /* frames */
#define HEAD 18u	 /* bytes of a frame that are judged: addresses, a tag, a type */
#define VECTORS (PVROM_NET_PIECES + 2)

/* A frame on its way. */
struct frame {
	uint8_t head[HEAD]; /* copied once: what is judged is what goes on */
	uint32_t head_len, len;
	const struct pvrom_net_header *header;
	const struct iovec *vec;
	uint32_t count;
	uint16_t vlan; /* 0: without a tag, between ports of all VLANs */
	bool tagged;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- judging a frame ------------------------------------------------------------------------------------- */

static void read_head(struct frame *f)
{
	uint32_t i;

	for (i = 0; i < f->count; i++) {
		const size_t part = f->vec[i].iov_len < HEAD - f->head_len ? f->vec[i].iov_len
									   : HEAD - f->head_len;

		memcpy(f->head + f->head_len, f->vec[i].iov_base, part);
		f->head_len += (uint32_t)part;
		f->len += (uint32_t)f->vec[i].iov_len;
	}
}

static bool find_vlan(struct frame *f, const struct switch_port *port)
{
	const uint32_t vlan = f->head_len == HEAD && wire16(f->head + ETHERNET_TYPE) == TYPE_VLAN
				      ? wire16(f->head + ETHERNET_BYTES) & 0xfffu
				      : 0;

	f->tagged = vlan;
	f->vlan = (uint16_t)vlan;
	if (port->vlan == SWITCH_ALL_VLANS)
		return vlan != 0xfff;
	f->vlan = port->vlan;
	return !f->tagged || NETBACK_SLIP(SWITCH_TAGGED);
}

static bool same(const uint8_t *a, const uint8_t *b)
{
	return !memcmp(a, b, 6);
}

static bool is_zero(const uint8_t *mac)
{
	static const uint8_t zero[6];

	return same(mac, zero);
}

/* The address of a card at another port: that one's frames must not go here. */
static bool is_stolen(const struct switch_port *port, const uint8_t *mac)
{
	const struct net_switch *sw = port->sw;
	uint32_t i;

	if (same(mac, port->mac) || NETBACK_SLIP(SWITCH_STOLEN))
		return false;
	for (i = 0; i < sw->top; i++)
		if (sw->port[i] && sw->port[i] != port && same(sw->port[i]->mac, mac))
			return true;
	return false;
}

static bool judge(struct frame *f, const struct switch_port *port)
{
	read_head(f);
	if (f->len < ETHERNET_BYTES || f->len > PVROM_NET_FRAME_MAX || !find_vlan(f, port))
		return false;
	return !(f->head[6] & 1) && !is_zero(f->head + 6) && !is_stolen(port, f->head + 6);
}

/* ---- into the queue of a port ---------------------------------------------------------------------------- */

/* Bytes copied, but for those in front of which `skip` says that they are there already. */
static void copy_body(uint8_t *to, const struct frame *f, uint32_t skip)
{
	uint32_t i;

	for (i = 0; i < f->count; i++) {
		const size_t pass = skip < f->vec[i].iov_len ? skip : f->vec[i].iov_len;

		skip -= (uint32_t)pass;
		memcpy(to, (uint8_t *)f->vec[i].iov_base + pass, f->vec[i].iov_len - pass);
		to += f->vec[i].iov_len - pass;
	}
}

/* How a port's frames differ: 4 a tag more, -4 one less. */
static int tag_change(const struct switch_port *to, const struct frame *f)
{
	const bool wants = to->vlan == SWITCH_ALL_VLANS && f->vlan;

	return wants == f->tagged || NETBACK_SLIP(SWITCH_TAG) ? 0 : wants ? 4 : -4;
}

static struct pvrom_net_header moved(const struct pvrom_net_header *header, int by)
{
	struct pvrom_net_header h = *header;

	if (h.flags & PVROM_NET_HDR_NEEDS_CSUM)
		h.csum_start = (uint16_t)(h.csum_start + by);
	if (h.hdr_len)
		h.hdr_len = (uint16_t)(h.hdr_len + by);
	return h;
}

static void write_frame(uint8_t *to, const struct frame *f, int change)
{
	uint32_t done = f->head_len;

	if (change > 0) {
		memcpy(to, f->head, ETHERNET_TYPE);
		set_wire16(to + ETHERNET_TYPE, TYPE_VLAN);
		set_wire16(to + ETHERNET_BYTES, f->vlan);
		memcpy(to + 16, f->head + ETHERNET_TYPE, f->head_len - ETHERNET_TYPE);
		to += 4;
	} else if (change < 0) {
		memcpy(to, f->head, ETHERNET_TYPE);
		memcpy(to + ETHERNET_TYPE, f->head + 16, HEAD - 16);
		to -= 4;
	} else {
		memcpy(to, f->head, f->head_len);
	}
	copy_body(to + done, f, done);
}

static bool put(struct switch_port *to, const struct frame *f, bool *was_empty)
{
	const int change = tag_change(to, f);
	const uint32_t len = (uint32_t)((int)f->len + change);
	const struct pvrom_net_header h = moved(f->header, change);
	uint8_t *room = NULL;

	pthread_mutex_lock(&to->lock);
	if (len <= PVROM_NET_FRAME_MAX)
		room = net_fifo_room(&to->fifo, len);
	*was_empty = room && !to->fifo.frames;
	if (room) {
		write_frame(room, f, change);
		net_fifo_push(&to->fifo, &h, len);
	} else {
		to->counters.full++;
	}
	pthread_mutex_unlock(&to->lock);
	return room;
}

static bool deliver(struct switch_port *from, struct switch_port *to, const struct frame *f)
{
	bool was_empty;

	if (!put(to, f, &was_empty))
		return false;
	if (was_empty)
		from->empty_before |= 1ull << to->index;
	return true;
}

/* ---- to one or to all ------------------------------------------------------------------------------------ */

/* A bucket of FLOOD_BURST frames that fills up at the switch's rate. */
static bool may_flood(struct switch_port *port, uint64_t time)
{
	const uint64_t each = 1000000000u / port->sw->flood;

	if (port->tokens_at < time)
		port->tokens_at = time;
	if (port->tokens_at - time > FLOOD_BURST * each && !NETBACK_SLIP(SWITCH_FLOOD))
		return false;
	port->tokens_at += each;
	return true;
}

static bool is_member(const struct switch_port *to, const struct frame *f)
{
	return to->vlan == SWITCH_ALL_VLANS || to->vlan == f->vlan || NETBACK_SLIP(SWITCH_VLAN);
}

static bool flood(struct switch_port *from, const struct frame *f, uint64_t time)
{
	struct net_switch *sw = from->sw;
	uint32_t i;

	if (!may_flood(from, time)) {
		from->counters.refused++;
		return false;
	}
	for (i = 0; i < sw->top; i++)
		if (sw->port[i] && sw->port[i] != from && is_member(sw->port[i], f))
			deliver(from, sw->port[i], f);
	return true;
}

static bool forward(struct switch_port *from, const struct frame *f)
{
	struct net_switch *sw = from->sw;
	const uint64_t time = now_ns();
	uint32_t port = 0;

	switch_learn(from, f->head + 6, f->vlan, time);
	if (!(f->head[0] & 1) && !NETBACK_SLIP(SWITCH_FIND))
		port = switch_find(sw, f->head, f->vlan);
	if (!port)
		return flood(from, f, time);
	if (port == from->index + 1) /* it is where it came from */
		return true;
	return !is_member(sw->port[port - 1], f) || deliver(from, sw->port[port - 1], f);
}

bool switch_send(struct switch_port *port, const struct pvrom_net_header *header,
		 const struct iovec *vec, uint32_t count)
{
	struct frame f = { .header = header, .vec = vec, .count = count };
	bool sent;

	pthread_rwlock_rdlock(&port->sw->ports_lock);
	sent = judge(&f, port);
	if (sent)
		sent = forward(port, &f);
	else
		port->counters.refused++;
	pthread_rwlock_unlock(&port->sw->ports_lock);
	return sent;
}

void switch_flush(struct switch_port *port)
{
	const uint64_t one = 1;
	uint32_t i;

	if (!port->empty_before)
		return;
	pthread_rwlock_rdlock(&port->sw->ports_lock);
	for (; port->empty_before; port->empty_before &= port->empty_before - 1) {
		i = (uint32_t)__builtin_ctzll(port->empty_before);
		if (port->sw->port[i] && write(port->sw->port[i]->event, &one, sizeof(one)) < 0)
			continue; /* full: it is awake */
	}
	pthread_rwlock_unlock(&port->sw->ports_lock);
}

/* ---- out of a port ----------------------------------------------------------------------------------------- */

void switch_woken(struct switch_port *port)
{
	uint64_t count;

	if (read(port->event, &count, sizeof(count)) < 0)
		return; /* nobody had to wake us */
}

/* What lies at the front stays there while others add to the end. */
bool switch_peek(struct switch_port *port, struct net_arrival *arrival)
{
	bool there;

	pthread_mutex_lock(&port->lock);
	there = net_fifo_peek(&port->fifo, arrival);
	pthread_mutex_unlock(&port->lock);
	return there;
}

void switch_pop(struct switch_port *port)
{
	pthread_mutex_lock(&port->lock);
	net_fifo_pop(&port->fifo);
	pthread_mutex_unlock(&port->lock);
}

void switch_counters(struct switch_port *port, struct pvrom_net_backend_counters *counters)
{
	pthread_mutex_lock(&port->lock);
	*counters = port->counters;
	pthread_mutex_unlock(&port->lock);
}

/* ---- ports that come and go -------------------------------------------------------------------------------- */

static bool find_index(struct switch_port *port, char *text)
{
	const struct net_switch *sw = port->sw;
	uint32_t i, free_one = SWITCH_PORTS;

	for (i = 0; i < SWITCH_PORTS; i++) {
		if (!sw->port[i])
			free_one = free_one < i ? free_one : i;
		else if (!is_zero(port->mac) && same(sw->port[i]->mac, port->mac) &&
			 !NETBACK_SLIP(SWITCH_CLASH))
			return !snprintf(text, PORT_TEXT,
					 "another port of the switch has the MAC address "
					 "%02x:%02x:%02x:%02x:%02x:%02x",
					 port->mac[0], port->mac[1], port->mac[2], port->mac[3],
					 port->mac[4], port->mac[5]);
	}
	port->index = free_one;
	return free_one < SWITCH_PORTS ||
	       !snprintf(text, PORT_TEXT, "the switch has no port left of its %u", SWITCH_PORTS);
}

static bool enter(struct switch_port *port, char *text)
{
	bool found;

	pthread_rwlock_wrlock(&port->sw->ports_lock);
	found = find_index(port, text);
	if (found) {
		port->sw->port[port->index] = port;
		if (port->sw->top <= port->index)
			port->sw->top = port->index + 1;
	}
	pthread_rwlock_unlock(&port->sw->ports_lock);
	return found;
}

static void free_port(struct switch_port *port)
{
	if (port->event >= 0)
		close(port->event);
	net_fifo_close(&port->fifo);
	pthread_mutex_destroy(&port->lock);
	free(port);
}

struct switch_port *switch_join(struct net_switch *sw, const uint8_t mac[6], uint16_t vlan,
				char *text)
{
	struct switch_port *port = calloc(1, sizeof(*port));

	snprintf(text, PORT_TEXT, "no memory");
	if (!port)
		return NULL;
	pthread_mutex_init(&port->lock, NULL);
	port->sw = sw;
	port->vlan = vlan;
	memcpy(port->mac, mac, 6);
	port->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (port->event >= 0 && net_fifo_open(&port->fifo, QUEUE_BYTES) && enter(port, text)) {
		*text = 0;
		return port;
	}
	free_port(port);
	return NULL;
}

void switch_leave(struct switch_port *port)
{
	pthread_rwlock_wrlock(&port->sw->ports_lock);
	port->sw->port[port->index] = NULL;
	switch_forget(port);
	pthread_rwlock_unlock(&port->sw->ports_lock);
	free_port(port);
}

struct net_switch *switch_open(uint32_t flood)
{
	struct net_switch *sw = calloc(1, sizeof(*sw));

	if (!sw)
		return NULL;
	pthread_rwlock_init(&sw->ports_lock, NULL);
	pthread_mutex_init(&sw->table_lock, NULL);
	sw->flood = flood;
	return sw;
}

void switch_close(struct net_switch *sw)
{
	if (!sw)
		return;
	pthread_rwlock_destroy(&sw->ports_lock);
	pthread_mutex_destroy(&sw->table_lock);
	free(sw);
}
