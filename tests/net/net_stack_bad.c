/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Frames that make no sense, and strangers who guess: nothing is read or written outside, and nobody is kept out. */
#include <stdlib.h>
#include <string.h>

#include "net_stack_world.h"

/* Whatever bytes change, nothing is read or written outside (the sanitizers see to that), and it still works. */
void altered_frames_do_no_harm(void)
{
	struct page_service service;
	struct page_fetch f;
	uint8_t *exact;
	uint32_t i, j;

	open_hosts(false);
	page_serve(&b.s, &service, 80);
	stack_resolve(&a.s, b.s.address);
	run(10, NULL);
	for (i = 0; i < 40000; i++) {
		struct letter *l;

		if (i % 64 == 0)
			page_fetch(&a.s, &f, b.s.address, 80);
		if (i % 16 == 0)
			stack_ping(&a.s, b.s.address, 1, draw(200));
		if (!b.count)
			deliver(&a);
		if (!b.count)
			now += 50;
		for (j = 0; j < b.count; j++) {
			l = &b.in[(b.first + j) % WIRE];
			l->len = draw(4) ? l->len : draw(l->len + 1);
			for (uint32_t k = draw(4); k && l->len; k--)
				l->bytes[draw(l->len < 60 ? l->len : 60)] = (uint8_t)draw(256);
			exact = malloc(l->len ? l->len : 1);
			memcpy(exact, l->bytes, l->len);
			stack_input(&b.s, exact, l->len,
				    draw(2)); /* at times as if it were right */
			free(exact);
		}
		b.first = b.count = 0;
		stack_tick(&b.s, now);
	}
	CU_ASSERT_TRUE(b.s.counters.bad > 1000);
	for (i = 0; i < STACK_CONNECTIONS; i++)
		stack_abort(&a.s, &a.s.tcp[i]);
	run(100000, NULL);
	a.s.neighbour[0] = (struct stack_neighbour){ 0 };
	memset(a.s.neighbour, 0, sizeof(a.s.neighbour));
	memset(b.s.neighbour, 0, sizeof(b.s.neighbour));
	stack_resolve(&a.s, b.s.address);
	CU_ASSERT_TRUE(fetch(&f, 60000));
}

/* A stranger who begins thousands of connections does not keep others out. */
void a_flood_of_beginnings(void)
{
	struct page_service service;
	struct page_fetch f;
	uint32_t i;

	open_hosts(false);
	page_serve(&b.s, &service, 80);
	stack_resolve(&a.s, b.s.address);
	run(10, NULL);
	for (i = 0; i < 5000; i++) {
		if (!stack_connect(&a.s, b.s.address, 80, b.s.server, &service))
			break;
		memset(a.s.tcp, 0, sizeof(a.s.tcp)); /* forgets them */
		deliver(&b);
		a.first = a.count = 0;
	}
	CU_ASSERT_EQUAL(i, 5000);
	CU_ASSERT_TRUE(page_fetch(&a.s, &f, b.s.address, 80) != NULL);
	run(900, &f.done);
	CU_ASSERT_TRUE(f.good);
}

/* ---- one connection, and who guesses at it ---------------------------------------------------------------------- */

static uint8_t forged[14 + 20 + 64];

/* A segment from a to b's port 80, right in all that is not said here; the header has words * 4 bytes. */
static uint32_t forge(uint16_t port, uint32_t seq, uint32_t ack, uint32_t flags,
		      const uint8_t *more, uint32_t len)
{
	uint8_t *ip = forged + 14, *tcp = ip + 20;

	memset(forged, 0, sizeof(forged));
	memcpy(forged, b.s.mac, 6);
	memcpy(forged + 6, a.s.mac, 6);
	put16(forged + 12, 0x0800);
	put16(ip, 0x4500);
	put16(ip + 2, 40 + len);
	put16(ip + 8, 64 << 8 | 6);
	put32(ip + 12, a.s.address);
	put32(ip + 16, b.s.address);
	put16(ip + 10, stack_fold(stack_sum(0, ip, 20)));
	put16(tcp, port);
	put16(tcp + 2, 80);
	put32(tcp + 4, seq);
	put32(tcp + 8, ack);
	put16(tcp + 12, flags < 0x1000 ? 0x5000 | flags : flags);
	put16(tcp + 14, 65535);
	if (len)
		memcpy(tcp + 20, more, len);
	put16(tcp + 16, stack_fold(stack_sum(stack_pseudo(a.s.address, b.s.address, 6, 20 + len),
					     tcp, 20 + len)));
	return 14 + 40 + len;
}

/* Into memory that ends where the frame does. */
static void throw_at_b(const uint8_t *bytes, uint32_t len)
{
	uint8_t *exact = malloc(len ? len : 1);

	memcpy(exact, bytes, len);
	stack_input(&b.s, exact, len, false);
	free(exact);
	stack_tick(&b.s, now);
}

/* A connection to b, by hand: b's state, and what a has said and got. */
static struct stack_tcp *by_hand(struct page_service *service)
{
	struct stack_tcp *t = &b.s.tcp[0];

	open_hosts(false);
	page_serve(&b.s, service, 80);
	stack_resolve(&b.s, a.s.address);
	run(10, NULL);
	throw_at_b(forged, forge(5000, 99, 0, TCP_SYN, NULL, 0));
	CU_ASSERT_EQUAL_FATAL(t->state, TCP_SYN_RECEIVED);
	throw_at_b(forged,
		   forge(5000, 100, t->iss + 2, TCP_ACK, NULL, 0)); /* of what was never sent */
	CU_ASSERT_EQUAL_FATAL(t->state, TCP_SYN_RECEIVED);
	throw_at_b(forged, forge(5000, 100, t->iss + 1, TCP_ACK, NULL, 0));
	CU_ASSERT_EQUAL_FATAL(t->state, TCP_OPEN);
	return t;
}

void who_guesses_changes_nothing(void)
{
	static const uint8_t x[4] = "xxxx";
	struct page_service service;
	struct stack_tcp *t = by_hand(&service);
	const uint32_t una = t->una;

	throw_at_b(forged, forge(5000, 100, una + 1, TCP_ACK, x, 4)); /* acknowledges the unsent */
	throw_at_b(forged, forge(5000, 100, una - 70000, TCP_ACK, x, 4));
	throw_at_b(forged, forge(5000, 100 + 65535, una, TCP_ACK, x, 4)); /* behind the window */
	throw_at_b(forged, forge(5000, 95, una, TCP_ACK, x, 4));	  /* before it */
	throw_at_b(forged, forge(5000, 101, una, TCP_ACK, x, 4));	  /* ahead */
	throw_at_b(forged, forge(5000, 100, una, TCP_SYN | TCP_ACK, x, 4));
	throw_at_b(forged, forge(5000, 100, una, 0, x, 4));
	throw_at_b(forged, forge(5000, 101, una, TCP_RST, NULL, 0)); /* near, but not right */
	CU_ASSERT_TRUE(t->state == TCP_OPEN && t->rcv == 100 && t->una == una && !service.asked);
	throw_at_b(forged, forge(5000, 98, una, TCP_ACK, x, 4)); /* two of these are new */
	CU_ASSERT_TRUE(t->rcv == 102 && service.asked == 1);
	throw_at_b(forged, forge(5000, 102, una, TCP_RST, NULL, 0));
	CU_ASSERT_EQUAL(t->state, TCP_FREE);
}

/* Options without an end, a header longer than the segment, segments of no bytes. */
void tcp_headers_that_lie(void)
{
	static const uint8_t bad[][4] = { { 2 },      { 2, 0 },	      { 2, 1 },
					  { 2, 255 }, { 1, 1, 1, 2 }, { 1, 1, 2, 4 } };
	static const uint8_t tiny[4] = { 2, 4, 0, 1 };
	struct page_service service;
	uint32_t i;

	by_hand(&service);
	for (i = 0; i < 6; i++)
		throw_at_b(forged, forge((uint16_t)(6000 + i), 1, 0, 0x6000 | TCP_SYN, bad[i], 4));
	throw_at_b(forged, forge(7000, 1, 0, 0x4000 | TCP_SYN, NULL, 0));
	throw_at_b(forged, forge(7001, 1, 0, 0xf000 | TCP_SYN, tiny, 4));
	CU_ASSERT_EQUAL(b.s.counters.bad, 2);
	for (i = 0; i < STACK_CONNECTIONS; i++)
		CU_ASSERT_TRUE(b.s.tcp[i].peer_port != 7000 && b.s.tcp[i].peer_port != 7001);
	throw_at_b(forged, forge(7002, 1, 0, 0x6000 | TCP_SYN, tiny, 4));
	for (i = 0; i < STACK_CONNECTIONS; i++)
		CU_ASSERT_TRUE(b.s.tcp[i].state == TCP_FREE || b.s.tcp[i].mss >= 48);
}

/* Every kind of frame, cut at every length, the IP header right for the whole and for what is left. */
void frames_cut_short(void)
{
	struct page_service service;
	uint8_t frame[200] = { 0 };
	uint32_t kind, len, cut_to, address;

	for (kind = 0; kind < 5; kind++) {
		by_hand(&service);
		address = b.s.address;
		stack_resolve(&a.s, b.s.address);
		run(10, NULL);
		if (kind == 0)
			stack_announce(&a.s);
		if (kind == 1)
			stack_ping(&a.s, b.s.address, 1, 30);
		if (kind == 3)
			stack_dhcp(&a.s);
		len = kind == 2 ? forge(5000, 100, b.s.tcp[0].una, TCP_ACK, frame, 30)
				: b.in[b.first].len;
		len = kind == 4 ? forge(5001, 100, 0, TCP_SYN | 0x8000, frame, 30) : len;
		len = len < 200 ? len : 200;
		memcpy(frame, kind == 2 || kind == 4 ? forged : b.in[b.first].bytes, len);
		for (cut_to = 0; cut_to < len; cut_to++) {
			const uint64_t bad = b.s.counters.bad;

			throw_at_b(frame, cut_to);
			if (cut_to < 34)
				CU_ASSERT_EQUAL(b.s.counters.bad, bad + 1);
			if (kind && cut_to >= 34) {
				put16(frame + 16, cut_to - 14);
				put16(frame + 24, 0);
				put16(frame + 24, stack_fold(stack_sum(0, frame + 14, 20)));
				throw_at_b(frame, cut_to);
				b.s.tcp[0].state = TCP_OPEN;
			}
		}
		CU_ASSERT_EQUAL(b.s.address, address);
	}
}
