/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * TCP, what goes out: connections, segments, timers, congestion. RFC 9293, 5681 and 6298, the last with a fixed
 * first timeout, since nothing here is worth measuring round trips for.
 */
#include "stack_internal.h"

#define RESEND_MS 1000u /* RFC 6298, 2.1; doubled each time */
#define RESEND_MOST_MS 8000u
#define TRIES 7u
#define HALF_OPEN_TRIES 3u /* of a connection that a stranger begins */
#define LINGER_MS                                                                                  \
	15000u /* four times that the peer may send its end again; the place can be had earlier */
#define MSS_DEFAULT 536u /* RFC 9293, 3.7.1 */
#define WINDOW_FIRST 10u /* segments, RFC 6928 */

/* ---- segments ----------------------------------------------------------------------------------------- */

/* The checksum, by the card if it can. */
static void finish(struct stack *s, uint8_t *tcp, uint32_t to, uint32_t len, uint32_t data,
		   uint32_t mss)
{
	const uint32_t pseudo = stack_pseudo(s->address, to, PROTOCOL_TCP, len);
	struct pvrom_net_header h = { .flags = PVROM_NET_HDR_NEEDS_CSUM,
				      .csum_start = ETHERNET + IPV4,
				      .csum_offset = 16 };

	put16(tcp + 16, 0);
	if (!s->link.sums) {
		put16(tcp + 16, stack_fold(stack_sum(pseudo, tcp, len)));
		stack_end(s, len, NULL);
		return;
	}
	put16(tcp + 16, (uint16_t)~stack_fold(pseudo));
	if (data > mss) {
		h.gso_type = PVROM_NET_GSO_TCPV4;
		h.gso_size = (uint16_t)mss;
		h.hdr_len = (uint16_t)(ETHERNET + IPV4 + len - data);
	}
	stack_end(s, len, &h);
}

void stack_tcp_segment(struct stack *s, struct stack_tcp *t, uint32_t flags, uint32_t seq,
		       uint32_t len)
{
	uint8_t *tcp = stack_begin(s, PROTOCOL_TCP, t->peer);
	uint32_t header = TCP_HEADER;

	if (!tcp) /* as if it were lost */
		return;
	put16(tcp, t->port);
	put16(tcp + 2, t->peer_port);
	put32(tcp + 4, seq);
	put32(tcp + 8, flags & TCP_ACK ? t->rcv : 0);
	put16(tcp + 14, TCP_WINDOW);
	put16(tcp + 18, 0);
	if (flags & TCP_SYN) { /* the largest segment that may come */
		put32(tcp + TCP_HEADER, 2u << 24 | 4u << 16 | (s->mtu - IPV4 - TCP_HEADER));
		header += 4;
	}
	put16(tcp + 12, header / 4 << 12 | flags);
	if (len)
		t->user->give(t, seq - t->iss - 1, tcp + header, len);
	finish(s, tcp, t->peer, header + len, len, t->mss);
	t->owed = false;
}

void stack_tcp_refuse(struct stack *s, const struct packet *p, uint32_t seq, uint32_t ack,
		      uint32_t flags)
{
	uint8_t *tcp = stack_begin(s, PROTOCOL_TCP, p->from);

	if (!tcp)
		return;
	put16(tcp, get16(p->at + 2));
	put16(tcp + 2, get16(p->at));
	put32(tcp + 4, seq);
	put32(tcp + 8, ack);
	put16(tcp + 12, TCP_HEADER / 4 << 12 | flags);
	put32(tcp + 14, 0);
	put16(tcp + 18, 0);
	finish(s, tcp, p->from, TCP_HEADER, 0, MSS_DEFAULT);
	s->counters.resets++;
}

/* ---- connections ---------------------------------------------------------------------------------------- */

/* A free place; else that of a connection that only waits for strays, or that a stranger has only begun. */
struct stack_tcp *stack_tcp_new(struct stack *s)
{
	static const enum stack_tcp_state order[] = { TCP_FREE, TCP_LINGER, TCP_SYN_RECEIVED };
	uint32_t i, j;

	for (i = 0; i < 3; i++)
		for (j = 0; j < STACK_CONNECTIONS; j++) {
			struct stack_tcp *t = &s->tcp[j];

			if (t->state != order[i])
				continue;
			*t = (struct stack_tcp){ .mss = MSS_DEFAULT };
			t->iss = t->una = t->nxt = t->max = stack_random(s);
			t->ssthresh = TCP_WINDOW;
			return t;
		}
	return NULL;
}

void stack_tcp_end(struct stack_tcp *t, enum stack_tcp_end how)
{
	const bool told = t->told || t->state == TCP_SYN_RECEIVED;

	t->told = true;
	t->state = TCP_FREE;
	if (!told)
		t->user->ended(t, how);
}

static void start_timer(struct stack *s, struct stack_tcp *t)
{
	const uint32_t wait = RESEND_MS << t->tries;

	t->resend = s->now + (wait < RESEND_MOST_MS ? wait : RESEND_MOST_MS);
}

struct stack_tcp *stack_connect(struct stack *s, uint32_t to, uint16_t port,
				const struct stack_user *user, void *ctx)
{
	struct stack_tcp *t;

	if (!stack_resolve(s, to))
		return NULL;
	t = stack_tcp_new(s);
	if (!t)
		return NULL;
	t->state = TCP_SYN_SENT;
	t->user = user;
	t->ctx = ctx;
	t->peer = to;
	t->peer_port = port;
	t->port = s->next_port;
	s->next_port = (uint16_t)(s->next_port == 65535 ? 49152 : s->next_port + 1);
	t->nxt = t->max = t->iss + 1;
	stack_tcp_segment(s, t, TCP_SYN, t->iss, 0);
	start_timer(s, t);
	return t;
}

void stack_listen(struct stack *s, uint16_t port, const struct stack_user *user, void *ctx)
{
	s->listening = port;
	s->server = user;
	s->server_ctx = ctx;
}

void stack_abort(struct stack *s, struct stack_tcp *t)
{
	if (t->state == TCP_FREE)
		return;
	stack_tcp_segment(s, t, TCP_RST | TCP_ACK, t->nxt, 0);
	stack_tcp_end(t, TCP_RESET);
}

/* ---- sending -------------------------------------------------------------------------------------------- */

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* How much of the data may go out now, in one segment. */
static uint32_t room(const struct stack *s, const struct stack_tcp *t)
{
	const uint32_t flying = t->nxt - t->una, at = t->nxt - t->iss - 1;
	const uint32_t allowed = least(t->window, t->cwnd);
	const uint32_t longest = s->link.segments ? STACK_LARGE : t->mss; /* the card cuts it */

	if (at >= t->total || flying >= allowed)
		return 0;
	return least(least(t->total - at, allowed - flying), longest);
}

static void advance(struct stack *s, struct stack_tcp *t, uint32_t by)
{
	t->nxt += by;
	if (before(t->max, t->nxt))
		t->max = t->nxt;
	if (!t->resend)
		start_timer(s, t);
}

static void send_data(struct stack *s, struct stack_tcp *t)
{
	uint32_t len;

	while ((len = room(s, t)) != 0) {
		stack_tcp_segment(s, t, TCP_ACK | TCP_PSH, t->nxt, len);
		advance(s, t, len);
	}
	if (t->ended && t->nxt == t->iss + 1 + t->total) {
		stack_tcp_segment(s, t, TCP_ACK | TCP_FIN, t->nxt, 0);
		advance(s, t, 1);
	}
	/* A closed window is asked after; a peer that never opens it is given up like one that is silent. */
	if (!t->resend && t->nxt - t->iss - 1 < t->total)
		start_timer(s, t);
}

/* ---- timers --------------------------------------------------------------------------------------------- */

/* All that is not acknowledged goes again, slowly: RFC 5681, 3.1. */
static void resend(struct stack *s, struct stack_tcp *t)
{
	const uint32_t half = (t->max - t->una) / 2;

	t->ssthresh = half > 2u * t->mss ? half : 2u * t->mss;
	t->cwnd = t->mss;
	t->nxt = t->una;
	t->resend = 0;
	s->counters.resent++;
	if (t->window) {
		send_data(s, t);
	} else if (t->nxt - t->iss - 1 < t->total) { /* is the window still closed? */
		stack_tcp_segment(s, t, TCP_ACK, t->nxt, 1);
		advance(s, t, 1);
	}
	start_timer(s, t);
}

static void timeout(struct stack *s, struct stack_tcp *t)
{
	const uint32_t most = t->state == TCP_SYN_RECEIVED ? HALF_OPEN_TRIES : TRIES;

	if (t->state == TCP_LINGER || t->tries++ == most) {
		stack_tcp_end(t, TCP_SILENT);
		return;
	}
	switch (t->state) {
	case TCP_SYN_SENT: stack_tcp_segment(s, t, TCP_SYN, t->iss, 0); break;
	case TCP_SYN_RECEIVED: stack_tcp_segment(s, t, TCP_SYN | TCP_ACK, t->iss, 0); break;
	default: resend(s, t); return;
	}
	start_timer(s, t);
}

/* Both have ended, and our end is acknowledged. */
static void settle(struct stack *s, struct stack_tcp *t)
{
	if (!t->ended || !t->peer_ended || t->una != t->iss + 2 + t->total)
		return;
	if (!t->told)
		t->user->ended(t, TCP_WELL);
	t->told = true;
	t->state = TCP_LINGER;
	t->resend = s->now + LINGER_MS;
}

static void tick(struct stack *s, struct stack_tcp *t)
{
	if (t->resend && (int64_t)(s->now - t->resend) >= 0)
		timeout(s, t);
	if (t->state == TCP_OPEN) {
		if (!t->cwnd)
			t->cwnd = WINDOW_FIRST * t->mss;
		send_data(s, t);
		settle(s, t);
	}
	if (t->owed && (t->state == TCP_OPEN || t->state == TCP_LINGER))
		stack_tcp_segment(s, t, TCP_ACK, t->nxt, 0);
}

void stack_tcp_tick(struct stack *s)
{
	uint32_t i;

	for (i = 0; i < STACK_CONNECTIONS; i++)
		if (s->tcp[i].state != TCP_FREE)
			tick(s, &s->tcp[i]);
}
