/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The reference kernel's network stack in an ordinary program: two of them on a wire that loses, doubles,
 * reorders and alters frames; a DHCP server of the test's own; and frames that make no sense.
 */
#include <stdlib.h>
#include <string.h>

#include <pvrom/net_frame.h>

#include "../../kernel/net/page_pattern.h"
#include "../../kernel/net/stack_internal.h"
#include "../../kernel/net/stack_page.h"
#include "../cunit_tap.h"

#define WIRE 256u

struct letter {
	uint8_t bytes[STACK_FRAME];
	uint32_t len;
	bool summed;
};

struct host {
	struct stack s;
	struct letter in[WIRE]; /* a ring of frames on their way here */
	uint32_t first, count;
	struct host *other;
};

static struct host a, b;
static uint64_t seed, now;
/* In 1,000: of each kind of bad luck. */
static uint32_t lost, doubled, swapped, altered;
static uint32_t lose_one; /* the so manieth long frame from now on; 0: none */
static uint32_t cut, wrong_sums;
static uint8_t last_dhcp[600];
static uint32_t last_dhcp_len;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

/* ---- the wire ------------------------------------------------------------------------------------------ */

static void post(struct host *to, const uint8_t *bytes, uint32_t len, bool summed)
{
	struct letter *l = &to->in[(to->first + to->count) % WIRE], *before;

	if (to->count == WIRE || draw(1000) < lost || (len > 1000 && lose_one && !--lose_one))
		return;
	memcpy(l->bytes, bytes, len);
	l->len = len;
	l->summed = summed;
	if (draw(1000) < altered)
		l->bytes[draw(len)] ^= (uint8_t)(1u << draw(8));
	to->count++;
	if (to->count > 1 && draw(1000) < swapped) {
		static struct letter keep;

		before = &to->in[(to->first + to->count - 2) % WIRE];
		keep = *before;
		*before = *l;
		*l = keep;
	}
}

/* What the card would do: fill in sums, cut. All that comes out of it must be right. */
static bool transmit(void *ctx, const struct pvrom_net_header *h, const uint8_t *frame,
		     uint32_t len)
{
	static uint8_t whole[STACK_FRAME + 64], segment[STACK_FRAME + 64];
	struct host *from = ctx;
	struct pvrom_net_segments cutting;
	size_t part;

	memcpy(whole, frame, len);
	if (pvrom_net_header_check(h, whole, len) != PVROM_NET_TAKEN) {
		wrong_sums++;
		return false;
	}
	if (h->gso_type) {
		cut++;
		pvrom_net_segments_begin(&cutting, h, whole, len);
		while ((part = pvrom_net_segments_next(&cutting, segment)) != 0)
			post(from->other, segment, (uint32_t)part, false);
		return true;
	}
	if (h->flags)
		pvrom_net_csum_fill(h, whole, len);
	wrong_sums += pvrom_net_frame_judge(whole, len) == PVROM_NET_BAD;
	if (len > 282 && get16(whole + 36) == 67 && len < sizeof(last_dhcp)) {
		memcpy(last_dhcp, whole, len);
		last_dhcp_len = len;
	}
	post(from->other, whole, len, false);
	if (draw(1000) < doubled)
		post(from->other, whole, len, false);
	return true;
}

static void deliver(struct host *h)
{
	uint32_t n;

	for (n = h->count; n; n--) {
		const struct letter *l = &h->in[h->first];

		stack_input(&h->s, l->bytes, l->len, l->summed);
		h->first = (h->first + 1) % WIRE;
		h->count--;
	}
	stack_tick(&h->s, now);
}

static void open_hosts(bool offloads)
{
	static const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 1 }, mac_b[6] = { 2, 0, 0, 0, 0, 2 };
	const struct stack_link link_a = { &a, transmit, offloads, offloads },
				link_b = { &b, transmit, offloads, offloads };

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	now = 1;
	lost = lose_one = doubled = swapped = altered = cut = wrong_sums = last_dhcp_len = 0;
	a.other = &b;
	b.other = &a;
	stack_init(&a.s, &link_a, mac_a, 1500, 1);
	stack_init(&b.s, &link_b, mac_b, 1500, 2);
	a.s.address = 0x0a000001;
	b.s.address = 0x0a000002;
	a.s.mask = b.s.mask = 0xffffff00;
}

/* Runs for so many ms at most, until *done. */
static void run(uint32_t ms, const bool *done)
{
	const uint64_t end = now + ms;

	for (; now < end && !(done && *done); now++) {
		deliver(&a);
		deliver(&b);
	}
}

/* ---- talk ------------------------------------------------------------------------------------------------ */

static void pings_are_answered(void)
{
	uint32_t len;

	open_hosts(false);
	CU_ASSERT_FALSE(stack_ping(&a.s, b.s.address, 1, 56)); /* asks who that is first */
	run(5, NULL);
	for (len = 0; len <= 1472; len += 184) {
		CU_ASSERT_TRUE(stack_ping(&a.s, b.s.address, (uint16_t)len, len));
		run(5, &a.s.ponged);
		CU_ASSERT_TRUE(a.s.ponged && a.s.pong == len);
	}
	CU_ASSERT_FALSE(stack_ping(&a.s, b.s.address, 1, 1473));
	CU_ASSERT_EQUAL(b.s.counters.echoes, 9);
	CU_ASSERT_EQUAL(a.s.counters.bad + b.s.counters.bad + wrong_sums, 0);
}

static bool fetch(struct page_fetch *f, uint32_t ms)
{
	run(2000, NULL);
	if (!page_fetch(&a.s, f, b.s.address, 80))
		run(3000, NULL);
	if (a.s.tcp[0].state == TCP_FREE && !page_fetch(&a.s, f, b.s.address, 80))
		return false;
	run(ms, &f->done);
	return f->good;
}

static void a_page_arrives(void)
{
	struct page_service service;
	struct page_fetch f;
	uint32_t offloads;

	for (offloads = 0; offloads < 2; offloads++) {
		open_hosts(offloads);
		page_serve(&b.s, &service, 80);
		stack_resolve(&a.s, b.s.address);
		CU_ASSERT_TRUE(fetch(&f, 60000));
		run(20000, NULL);
		CU_ASSERT_TRUE(service.asked == 1 && service.served == 1);
		CU_ASSERT_EQUAL(a.s.counters.bad + b.s.counters.bad + wrong_sums, 0);
		CU_ASSERT_EQUAL(b.s.counters.resent, 0);
		CU_ASSERT_TRUE(offloads ? cut > 5 : !cut);
		CU_ASSERT_EQUAL(b.s.tcp[0].state, TCP_FREE);
		CU_ASSERT_EQUAL(a.s.tcp[0].state, TCP_FREE);
	}
}

/* One in 20 of each, 30 times: whatever happens, not a byte is wrong. */
static void a_page_arrives_over_a_bad_wire(void)
{
	struct page_service service;
	struct page_fetch f;
	uint32_t i, good = 0;

	for (i = 0; i < 30; i++) {
		open_hosts(i & 1);
		seed = i;
		stack_resolve(&a.s, b.s.address);
		run(10, NULL);
		stack_resolve(&b.s, a.s.address);
		run(10, NULL);
		lost = doubled = swapped = altered = 50;
		page_serve(&b.s, &service, 80);
		good += fetch(&f, 3000000);
		CU_ASSERT_EQUAL(f.first_wrong, UINT32_MAX);
		CU_ASSERT_TRUE(b.s.counters.resent > 5);
	}
	CU_ASSERT_TRUE(good >= 29); /* seven losses in a row end a connection, as they should */
	CU_ASSERT_EQUAL(wrong_sums, 0);
}

/* The peer says so, and it is sent again long before a second is over. */
static void one_loss_costs_no_timeout(void)
{
	struct page_service service;
	struct page_fetch f;

	open_hosts(false);
	page_serve(&b.s, &service, 80);
	stack_resolve(&a.s, b.s.address);
	run(10, NULL);
	lose_one = 40;
	CU_ASSERT_TRUE(page_fetch(&a.s, &f, b.s.address, 80) != NULL);
	run(900, &f.done);
	CU_ASSERT_TRUE(f.good && !lose_one && b.s.counters.resent == 1);
}

static void nobody_there_is_noticed(void)
{
	struct page_fetch f;

	open_hosts(false);
	stack_resolve(&a.s, b.s.address);
	run(10, NULL);
	CU_ASSERT_TRUE(page_fetch(&a.s, &f, b.s.address, 81) != NULL); /* nobody listens */
	run(5000, &f.done);
	CU_ASSERT_TRUE(f.done && f.how == TCP_RESET && b.s.counters.resets == 1);
	lost = 1000;
	CU_ASSERT_TRUE(page_fetch(&a.s, &f, b.s.address, 80) != NULL);
	run(100000, &f.done);
	CU_ASSERT_TRUE(f.done && f.how == TCP_SILENT);
}

/* ---- DHCP -------------------------------------------------------------------------------------------------- */

/* The test's answer to what a said last. */
static void answer_dhcp(uint32_t type, uint32_t address, const uint8_t *more, uint32_t more_len)
{
	static uint8_t f[700];
	uint8_t *ip = f + 14, *udp = ip + 20, *dhcp = udp + 8, *at = dhcp + 240;
	uint32_t len;

	memset(f, 0, sizeof(f));
	memset(f, 0xff, 6);
	f[6] = 2;
	f[11] = 9;
	put16(f + 12, 0x0800);
	memcpy(dhcp, last_dhcp + 42, 240);
	dhcp[0] = 2;
	put32(dhcp + 16, address);
	memcpy(at, "\x35\x01", 2);
	at[2] = (uint8_t)type;
	memcpy(at + 3, "\x36\x04\x0a\x00\x02\x02\x01\x04\xff\xff\xff\x00\x03\x04\x0a\x00\x02\x02",
	       18);
	memcpy(at + 21, more, more_len);
	len = (uint32_t)(at + 21 + more_len - udp);
	put16(udp, 67);
	put16(udp + 2, 68);
	put16(udp + 4, len);
	put16(ip, 0x4500);
	put16(ip + 2, len + 20);
	put16(ip + 8, 64 << 8 | 17);
	put32(ip + 12, 0x0a000202);
	put32(ip + 16, 0xffffffff);
	put16(ip + 10, stack_fold(stack_sum(0, ip, 20)));
	stack_input(&a.s, f, 14 + 20 + len, false);
}

static void an_address_comes_by_dhcp(void)
{
	open_hosts(false);
	stack_dhcp(&a.s);
	CU_ASSERT_TRUE(last_dhcp_len > 282 && !a.s.address);
	last_dhcp_len = 0;
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\xff", 1);
	CU_ASSERT_TRUE(a.s.dhcp.state == DHCP_REQUESTING && last_dhcp_len);
	answer_dhcp(5, 0x0a000210, (const uint8_t *)"\xff", 1); /* not the one that was offered */
	CU_ASSERT_EQUAL(a.s.dhcp.state, DHCP_REQUESTING);
	answer_dhcp(5, 0x0a00020f, (const uint8_t *)"\xff", 1);
	CU_ASSERT_TRUE(a.s.dhcp.state == DHCP_BOUND && a.s.address == 0x0a00020f &&
		       a.s.mask == 0xffffff00 && a.s.gateway == 0x0a000202);
}

static void dhcp_asks_again_and_begins_anew(void)
{
	uint32_t xid;

	open_hosts(false);
	stack_dhcp(&a.s);
	xid = a.s.dhcp.xid;
	run(1100, NULL);
	CU_ASSERT_TRUE(a.s.dhcp.xid != xid);
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\xff", 1);
	answer_dhcp(6, 0, (const uint8_t *)"\xff", 1);
	CU_ASSERT_EQUAL(a.s.dhcp.state, DHCP_SELECTING);
}

/* Options behind the end, addresses that nobody can have, another's answer: none is taken. */
static void dhcp_that_lies(void)
{
	static const uint32_t never[] = { 0,	      0x7f000001, 0xe0000001,
					  0xffffffff, 0x0a0002ff, 0x0a000200 };
	uint32_t i;

	open_hosts(false);
	stack_dhcp(&a.s);
	for (i = 0; i < 6; i++)
		answer_dhcp(2, never[i], (const uint8_t *)"\xff", 1);
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\x0c\xff", 2);
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\x0c", 1);
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\x01\x04\x00\x00\x00\x00\xff", 7); /* mask */
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\x01\x04\xff\x00\xff\x00\xff", 7);
	last_dhcp[42 + 4] ^= 1; /* xid */
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\xff", 1);
	CU_ASSERT_EQUAL(a.s.dhcp.state, DHCP_SELECTING);
	CU_ASSERT_EQUAL(a.s.counters.bad, 2);
}

/* ---- frames that make no sense -------------------------------------------------------------------------------- */

/* Whatever bytes change, nothing is read or written outside (the sanitizers see to that), and it still works. */
static void altered_frames_do_no_harm(void)
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
static void a_flood_of_beginnings(void)
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

static void who_guesses_changes_nothing(void)
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
static void tcp_headers_that_lie(void)
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
static void frames_cut_short(void)
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

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(pings_are_answered),
		TAP_TEST(a_page_arrives),
		TAP_TEST(a_page_arrives_over_a_bad_wire),
		TAP_TEST(one_loss_costs_no_timeout),
		TAP_TEST(nobody_there_is_noticed),
		TAP_TEST(an_address_comes_by_dhcp),
		TAP_TEST(dhcp_asks_again_and_begins_anew),
		TAP_TEST(dhcp_that_lies),
		TAP_TEST(altered_frames_do_no_harm),
		TAP_TEST(a_flood_of_beginnings),
		TAP_TEST(who_guesses_changes_nothing),
		TAP_TEST(tcp_headers_that_lie),
		TAP_TEST(frames_cut_short),
		{ 0 },
	};

	return tap_run("net stack", tests);
}
