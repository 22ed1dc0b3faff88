/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What all hosted backends do alike: opening, bringing frames to the card, telling people.
 */
#define _GNU_SOURCE
#include "netback.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "net_capture.h"

/* ---- pieces of frames -------------------------------------------------------------------------------- */

size_t netback_length(const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip)
{
	size_t len = 0;
	uint32_t i;

	for (i = 0; i < count; i++)
		len += pieces[i].len;
	return len - skip;
}

uint32_t netback_vectors(struct iovec *vec, uint32_t most, const struct pvrom_vq_piece *pieces,
			 uint32_t count, uint64_t skip)
{
	uint32_t i, n = 0;

	for (i = 0; i < count; i++) {
		const uint64_t pass = skip < pieces[i].len ? skip : pieces[i].len;

		skip -= pass;
		if (pass == pieces[i].len)
			continue;
		if (n == most)
			return 0;
		vec[n++] = (struct iovec){ (uint8_t *)pieces[i].at + pass, pieces[i].len - pass };
	}
	return n;
}

size_t netback_gather(uint8_t *to, size_t room, const struct pvrom_vq_piece *pieces, uint32_t count,
		      uint64_t skip)
{
	size_t done = 0, part;
	uint32_t i;

	for (i = 0; i < count && done < room; i++) {
		const uint64_t pass = skip < pieces[i].len ? skip : pieces[i].len;

		skip -= pass;
		part = pieces[i].len - pass;
		if (part > room - done)
			part = room - done;
		memcpy(to + done, (uint8_t *)pieces[i].at + pass, part);
		done += part;
	}
	return done;
}

/* ---- sending ------------------------------------------------------------------------------------------- */

static bool send_one(struct pvrom_net_backend *backend, const struct pvrom_net_header *header,
		     const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip)
{
	struct netback *b = netback_of(backend);

	if (b->capture)
		capture_sent(b->capture, header, pieces, count, skip);
	return b->ops->send(b, header, pieces, count, skip);
}

static void set_offloads(struct pvrom_net_backend *backend, uint64_t guest)
{
	struct netback *b = netback_of(backend);

	if (b->ops->offloads)
		b->ops->offloads(b, guest);
}

void pvrom_net_backend_flush(struct pvrom_net_backend *backend)
{
	struct netback *b = netback_of(backend);

	if (b->ops->flush)
		b->ops->flush(b);
}

/* ---- receiving ----------------------------------------------------------------------------------------- */

/* Frames that lie in the backend's memory. */
static uint32_t bring(struct netback *b, struct pvrom_net_host *host, uint32_t pair,
		      uint32_t budget, bool *stalled)
{
	struct net_arrival a;
	uint32_t n;

	for (n = 0; n < budget && !pvrom_net_receive_held(host) && b->ops->peek(b, pair, &a); n++) {
		if (pvrom_net_receive(host, &a.header, a.bytes, a.len) == PVROM_NET_NO_BUFFER) {
			*stalled = true;
			return n;
		}
		if (b->capture)
			capture_received(b->capture, &a.header, a.bytes, a.len);
		b->ops->pop(b, pair);
	}
	return n;
}

/* The same without a call for each of them. */
static uint32_t bring_all(struct netback *b, struct pvrom_net_host *host, struct net_fifo *f,
			  uint32_t budget, bool *stalled)
{
	const bool limited = host->setup.receive_limit;
	const struct net_fifo_record *r;
	uint32_t n;

	for (n = 0; n < budget && !(limited && pvrom_net_receive_held(host)); n++) {
		r = net_fifo_oldest(f);
		if (!r)
			break;
		if (pvrom_net_receive(host, &r->header, (const uint8_t *)(r + 1), r->len) ==
		    PVROM_NET_NO_BUFFER) {
			*stalled = true;
			break;
		}
		if (b->capture)
			capture_received(b->capture, &r->header, (const uint8_t *)(r + 1), r->len);
		net_fifo_pop(f);
	}
	return n;
}

uint32_t pvrom_net_backend_receive(struct pvrom_net_backend *backend, struct pvrom_net_host *host,
				   uint32_t pair, uint32_t budget, bool *stalled)
{
	struct netback *b = netback_of(backend);
	uint32_t n = 0;

	*stalled = false;
	if (pair >= b->pairs)
		return 0;
	if (b->ops->work && pair == 0)
		b->ops->work(b);
	if (b->ops->receive)
		n = b->ops->receive(b, host, pair, budget, stalled);
	else if (b->ops->fifo)
		n = bring_all(b, host, b->ops->fifo(b, pair), budget, stalled);
	else if (b->ops->peek)
		n = bring(b, host, pair, budget, stalled);
	if (b->capture && !n)
		capture_flush(b->capture);
	return n;
}

/* ---- opening ------------------------------------------------------------------------------------------- */

static const struct pvrom_net_backend_ops backend_ops = { .send = send_one,
							  .offloads = set_offloads };

struct netback *(*netback_user)(const struct netback_words *w, char *message);
struct netback *(*netback_own_port)(const struct netback_words *w, const uint8_t mac[6],
				    char *message);

static struct netback *open_port(const struct netback_words *w, const uint8_t mac[6], char *message)
{
	struct netback *b = NULL;

	*message = 0;
	if (w->port && netback_own_port)
		b = netback_own_port(w, mac, message);
	return b || *message ? b : netback_port_open(w, mac, message);
}

static struct netback *open_kind(const struct netback_words *w, const uint8_t mac[6], char *message)
{
	switch (w->kind[0]) {
	case 'n': return netback_null_open(w, message);
	case 'l': return netback_loop_open(w, message);
	case 't': return netback_tap_open(w, message);
	case 'p': return open_port(w, mac, message);
	default: break;
	}
	if (netback_user)
		return netback_user(w, message);
	netback_complain(message, "user: not in this program, which was built without libslirp");
	return NULL;
}

static bool finish(struct netback *b, const struct netback_words *w, const uint8_t mac[6],
		   char *message)
{
	b->head.ops = &backend_ops;
	if (!b->head.mtu)
		b->head.mtu = 65535;
	if (!b->head.speed)
		b->head.speed = PVROM_NET_SPEED_UNKNOWN;
	memcpy(b->mac, mac, sizeof(b->mac));
	if (w->mtu > b->head.mtu)
		return netback_complain(message, "mtu=%u: %s carries %u at most", w->mtu, w->kind,
					b->head.mtu);
	if (!netback_limits_open(w, &b->limits, message))
		return false;
	b->told_mtu = (uint16_t)(w->mtu ? w->mtu : b->natural_mtu);
	if (!w->capture)
		return true;
	b->capture = capture_open(w->capture, w->capture_snap, w->capture_size, w->capture_files,
				  message);
	return b->capture;
}

struct pvrom_net_backend *pvrom_net_backend_open(const char *text, const uint8_t mac[6],
						 char *message)
{
	struct netback_words words;
	struct netback *b = NULL;

	if (netback_words_read(&words, text, message))
		b = open_kind(&words, mac, message);
	if (b && !finish(b, &words, mac, message)) {
		pvrom_net_backend_close(&b->head);
		b = NULL;
	}
	netback_words_free(&words);
	return b ? &b->head : NULL;
}

void pvrom_net_backend_close(struct pvrom_net_backend *backend)
{
	struct netback *b = netback_of(backend);

	if (!b)
		return;
	capture_close(b->capture);
	netback_limits_close(b->limits);
	b->ops->close(b);
}

/* ---- what it is like ----------------------------------------------------------------------------------- */

uint16_t pvrom_net_backend_pairs(const struct pvrom_net_backend *backend)
{
	return netback_of(backend)->pairs;
}

uint16_t pvrom_net_backend_mtu(const struct pvrom_net_backend *backend)
{
	return netback_of(backend)->told_mtu;
}

void pvrom_net_backend_limits(struct pvrom_net_backend *backend, struct pvrom_net_host_setup *setup)
{
	if (netback_of(backend)->limits)
		netback_limits_set(netback_of(backend)->limits, setup);
}

int pvrom_net_backend_fd(const struct pvrom_net_backend *backend, uint32_t pair)
{
	const struct netback *b = netback_of(backend);

	return pair < b->pairs ? b->fd[pair] - 1 : -1;
}

bool pvrom_net_backend_link(const struct pvrom_net_backend *backend)
{
	return !netback_of(backend)->down;
}

void pvrom_net_backend_count(const struct pvrom_net_backend *backend,
			     struct pvrom_net_backend_counters *counters)
{
	const struct netback *b = netback_of(backend);

	*counters = b->counters;
	if (b->capture)
		capture_count(b->capture, counters);
}

void netback_say(struct netback *b, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(b->news, sizeof(b->news), format, list);
	va_end(list);
	b->has_news = true;
}

const char *pvrom_net_backend_news(struct pvrom_net_backend *backend)
{
	struct netback *b = netback_of(backend);
	const char *news = b->capture ? capture_news(b->capture) : NULL;

	if (news)
		return news;
	if (!b->has_news)
		return NULL;
	b->has_news = false;
	return b->news;
}
