/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* TCP, what comes in: RFC 9293, 3.10.7, with the answers of RFC 5961 to those who guess. */
#include "stack_internal.h"

#define MSS_LEAST 48u /* no peer makes us send headers and nothing else */
#define DUPLICATES 3u /* RFC 5681, 3.2 */

/* A segment, read once. */
struct segment {
	uint32_t seq, ack, window, flags, len;
	uint16_t port, peer_port, mss; /* mss 0: it does not say */
	const uint8_t *data;
};

/* ---- reading ------------------------------------------------------------------------------------------ */

static uint16_t read_mss(const uint8_t *at, const uint8_t *end)
{
	while (at < end && *at) {
		if (*at == 1) { /* nothing */
			at++;
			continue;
		}
		if (end - at < 2 || at[1] < 2 || at[1] > end - at)
			return 0;
		if (at[0] == 2 && at[1] == 4)
			return get16(at + 2);
		at += at[1];
	}
	return 0;
}

static bool read_segment(const struct packet *p, struct segment *seg)
{
	const uint32_t header = p->len < TCP_HEADER ? 0 : (p->at[12] >> 4) * 4u;
	const uint32_t pseudo = stack_pseudo(p->from, p->to, PROTOCOL_TCP, p->len);

	if (header < TCP_HEADER || header > p->len ||
	    (!p->summed && stack_fold(stack_sum(pseudo, p->at, p->len))))
		return false;
	*seg = (struct segment){
		.seq = get32(p->at + 4),
		.ack = get32(p->at + 8),
		.window = get16(p->at + 14),
		.flags = p->at[13] & 0x3fu,
		.len = p->len - header,
		.port = get16(p->at + 2),
		.peer_port = get16(p->at),
		.mss = read_mss(p->at + TCP_HEADER, p->at + header),
		.data = p->at + header,
	};
	return true;
}

/* ---- beginning ----------------------------------------------------------------------------------------- */

static void take_mss(struct stack *s, struct stack_tcp *t, const struct segment *seg)
{
	const uint16_t ours = (uint16_t)(s->mtu - IPV4 - TCP_HEADER);
	const uint16_t said = seg->mss ? seg->mss : t->mss;

	t->mss = said < ours ? said : ours;
	if (t->mss < MSS_LEAST)
		t->mss = MSS_LEAST;
}

static void open_up(struct stack_tcp *t, const struct segment *seg)
{
	t->state = TCP_OPEN;
	t->una = t->nxt = t->max = t->iss + 1;
	t->window = seg->window;
	t->resend = t->tries = 0;
}

static void begin_service(struct stack *s, const struct packet *p, const struct segment *seg)
{
	struct stack_tcp *t = stack_tcp_new(s);

	if (!t) /* it will try again */
		return;
	t->state = TCP_SYN_RECEIVED;
	t->user = s->server;
	t->ctx = s->server_ctx;
	t->peer = p->from;
	t->port = seg->port;
	t->peer_port = seg->peer_port;
	t->rcv = seg->seq + 1;
	t->nxt = t->max = t->iss + 1;
	take_mss(s, t, seg);
	stack_tcp_segment(s, t, TCP_SYN | TCP_ACK, t->iss, 0);
	t->resend = s->now + 1000;
}

static void to_nobody(struct stack *s, const struct packet *p, const struct segment *seg)
{
	if (seg->flags & TCP_RST)
		return;
	if (s->listening && seg->port == s->listening &&
	    (seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		begin_service(s, p, seg);
	else if (seg->flags & TCP_ACK)
		stack_tcp_refuse(s, p, seg->ack, 0, TCP_RST);
	else
		stack_tcp_refuse(s, p, 0,
				 seg->seq + seg->len + !!(seg->flags & TCP_SYN) +
					 !!(seg->flags & TCP_FIN),
				 TCP_RST | TCP_ACK);
}

static void syn_sent(struct stack *s, struct stack_tcp *t, const struct packet *p,
		     const struct segment *seg)
{
	const bool right = seg->flags & TCP_ACK && seg->ack == t->iss + 1;

	if (seg->flags & TCP_ACK && !right) {
		if (!(seg->flags & TCP_RST))
			stack_tcp_refuse(s, p, seg->ack, 0, TCP_RST);
	} else if (seg->flags & TCP_RST) {
		if (right)
			stack_tcp_end(t, TCP_RESET);
	} else if (seg->flags & TCP_SYN && right) { /* both at once is not for us */
		t->rcv = seg->seq + 1;
		take_mss(s, t, seg);
		open_up(t, seg);
		t->owed = true;
	}
}

/* ---- acknowledgements ------------------------------------------------------------------------------------ */

static void grow(struct stack_tcp *t, uint32_t acked)
{
	const uint32_t by = acked < t->mss ? acked : t->mss;

	if (t->cwnd >= TCP_WINDOW)
		return;
	t->cwnd += t->cwnd < t->ssthresh ? by : 1 + (uint32_t)t->mss * t->mss / (t->cwnd | 1);
}

static void newly_acked(struct stack *s, struct stack_tcp *t, uint32_t ack)
{
	grow(t, ack - t->una);
	t->una = ack;
	if (before(t->nxt, ack))
		t->nxt = ack;
	t->tries = t->dups = 0;
	t->resend = t->una == t->max ? 0 : s->now + 1000;
}

/* The third time that the peer misses the same: RFC 5681, 3.2, all behind it once more. */
static void missed(struct stack *s, struct stack_tcp *t)
{
	const uint32_t half = (t->max - t->una) / 2;

	if (++t->dups != DUPLICATES)
		return;
	t->ssthresh = half > 2u * t->mss ? half : 2u * t->mss;
	t->cwnd = t->ssthresh;
	t->nxt = t->una;
	s->counters.resent++;
}

/* False: it is of no time that was. */
static bool take_ack(struct stack *s, struct stack_tcp *t, const struct segment *seg)
{
	const bool same_window = t->window == seg->window;

	if (before(t->max, seg->ack) || before(seg->ack, t->una - TCP_WINDOW)) {
		t->owed = true;
		return false;
	}
	if (before(seg->ack, t->una))
		return true;
	t->window = seg->window;
	if (seg->ack != t->una)
		newly_acked(s, t, seg->ack);
	else if (!seg->len && same_window && t->una != t->max && !(seg->flags & TCP_FIN))
		missed(s, t);
	return true;
}

/* ---- an open connection ---------------------------------------------------------------------------------- */

/* Is a part of it within the window? */
static bool acceptable(const struct stack_tcp *t, const struct segment *seg)
{
	const uint32_t len = seg->len + !!(seg->flags & TCP_FIN);
	const uint32_t first = seg->seq - t->rcv, last = seg->seq + (len ? len - 1 : 0) - t->rcv;

	return first < TCP_WINDOW || last < TCP_WINDOW;
}

/*
 * Data in order; what lies ahead is dropped, and comes again: the sooner when each such segment is answered at
 * once (RFC 5681, 4.2).
 */
static void take_data(struct stack *s, struct stack_tcp *t, const struct segment *seg)
{
	const uint32_t known = t->rcv - seg->seq;

	if (!seg->len && !(seg->flags & TCP_FIN))
		return;
	t->owed = true;
	if (before(t->rcv, seg->seq))
		stack_tcp_segment(s, t, TCP_ACK, t->nxt, 0);
	if (t->peer_ended || known > seg->len)
		return; /* old, or ahead */
	if (seg->len > known) {
		t->rcv += seg->len - known;
		t->user->take(t, seg->data + known, seg->len - known);
	}
	if (seg->flags & TCP_FIN && t->state == TCP_OPEN) {
		t->rcv++;
		t->peer_ended = true;
		t->user->take(t, NULL, 0);
	}
}

/* RFC 5961, 3.2: a reset counts at the very number that is next. */
static void reset(struct stack_tcp *t, const struct segment *seg)
{
	if (seg->seq == t->rcv)
		stack_tcp_end(t, TCP_RESET);
	else if (seg->seq - t->rcv < TCP_WINDOW)
		t->owed = true;
}

static void open_input(struct stack *s, struct stack_tcp *t, const struct segment *seg)
{
	if (seg->flags & TCP_RST) {
		reset(t, seg);
		return;
	}
	if (!acceptable(t, seg) || seg->flags & TCP_SYN) {
		t->owed = true;
		return;
	}
	if (!(seg->flags & TCP_ACK))
		return;
	if (t->state == TCP_SYN_RECEIVED) {
		if (seg->ack != t->iss + 1)
			return;
		open_up(t, seg);
	}
	if (take_ack(s, t, seg))
		take_data(s, t, seg);
}

static struct stack_tcp *find(struct stack *s, const struct packet *p, const struct segment *seg)
{
	uint32_t i;

	for (i = 0; i < STACK_CONNECTIONS; i++) {
		struct stack_tcp *t = &s->tcp[i];

		if (t->state != TCP_FREE && t->peer == p->from && t->port == seg->port &&
		    t->peer_port == seg->peer_port)
			return t;
	}
	return NULL;
}

void stack_tcp_input(struct stack *s, const struct packet *p)
{
	struct segment seg;
	struct stack_tcp *t;

	if (!read_segment(p, &seg)) {
		s->counters.bad++;
		return;
	}
	if (!s->address || p->to != s->address)
		return;
	t = find(s, p, &seg);
	if (!t)
		to_nobody(s, p, &seg);
	else if (t->state == TCP_SYN_SENT)
		syn_sent(s, t, p, &seg);
	else
		open_input(s, t, &seg);
}
