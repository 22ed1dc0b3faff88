/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the reference kernel's network stack refuses: frames that are right but for one thing, each of which would have
 * an effect without the check that it is there for.
 */
#include <stdlib.h>
#include <string.h>

#include "../../kernel/net/stack_internal.h"
#include "../cunit_tap.h"

#define US 0x0a000002u
#define THEM 0x0a000001u

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 2 }, their_mac[6] = { 2, 0, 0, 0, 0, 1 };
static struct stack s;
static uint8_t frame[1700], answer[1700];
static uint32_t len, answers;

static bool keep_answer(void *ctx, const struct pvrom_net_header *header, const uint8_t *bytes,
			uint32_t bytes_len)
{
	(void)ctx;
	(void)header;
	answers++;
	memcpy(answer, bytes, bytes_len < sizeof(answer) ? bytes_len : sizeof(answer));
	return true;
}

static void fresh_stack(void)
{
	const struct stack_link link = { .send = keep_answer };

	stack_init(&s, &link, our_mac, 1500, 1);
	s.address = US;
	s.mask = 0xffffff00;
	answers = 0;
}

static void meet(void)
{
	s.neighbour[0] = (struct stack_neighbour){ .address = THEM, .known = true };
	memcpy(s.neighbour[0].mac, their_mac, 6);
}

/* In memory that ends where the frame does. */
static void give(bool summed)
{
	uint8_t *const exact = malloc(len ? len : 1);

	memcpy(exact, frame, len);
	stack_input(&s, exact, len, summed);
	free(exact);
}

/* ---- frames that are right --------------------------------------------------------------------------------- */

static void make_ethernet(uint32_t type)
{
	memset(frame, 0, sizeof(frame));
	memcpy(frame, our_mac, 6);
	memcpy(frame + 6, their_mac, 6);
	put16(frame + 12, type);
}

static void make_arp(void)
{
	static const uint8_t request[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };

	make_ethernet(0x0806);
	memcpy(frame + 14, request, sizeof(request));
	memcpy(frame + 22, their_mac, 6);
	put32(frame + 28, THEM);
	put32(frame + 38, US);
	len = 42;
}

static void sum_ip(void)
{
	const uint32_t words = frame[14] & 15u;

	put16(frame + 24, 0);
	put16(frame + 24, stack_fold(stack_sum(0, frame + 14, words * 4)));
}

/* Of ICMP and UDP, behind 20 bytes of IP. */
static void sum_rest(void)
{
	const uint32_t bytes = len - 34;

	if (frame[23] == PROTOCOL_ICMP) {
		put16(frame + 36, 0);
		put16(frame + 36, stack_fold(stack_sum(0, frame + 34, bytes)));
	} else {
		put16(frame + 40, 0);
		put16(frame + 40,
		      stack_fold(stack_sum(stack_pseudo(get32(frame + 26), get32(frame + 30),
							PROTOCOL_UDP, bytes),
					   frame + 34, bytes)));
	}
}

static void make_ip(uint32_t protocol, uint32_t payload)
{
	make_ethernet(0x0800);
	put16(frame + 14, 0x4500);
	put16(frame + 16, 20 + payload);
	put16(frame + 22, 64 << 8 | protocol);
	put32(frame + 26, THEM);
	put32(frame + 30, US);
	len = 34 + payload;
}

static void make_ping(uint32_t data)
{
	make_ip(PROTOCOL_ICMP, 8 + data);
	frame[34] = 8;
}

/* To one of ours, number 1, with two bytes. */
static void make_pong(void)
{
	make_ip(PROTOCOL_ICMP, 10);
	put16(frame + 38, 0x7076);
	put16(frame + 40, 1);
	frame[42] = 7;
	frame[43] = 7 + 13;
}

static void make_echo(uint32_t data)
{
	make_ip(PROTOCOL_UDP, 8 + data);
	put16(frame + 34, 5000);
	put16(frame + 36, STACK_PORT_ECHO);
	put16(frame + 38, 8 + data);
}

enum kind { ARP, PING, PONG, ECHO };
static void make(enum kind kind)
{
	fresh_stack();
	if (kind != ARP)
		meet();
	switch (kind) {
	case ARP: make_arp(); return;
	case PING: make_ping(20); break;
	case PONG: make_pong(); break;
	case ECHO: make_echo(20); break;
	}
	sum_ip();
	sum_rest();
}

static uint32_t neighbours(void)
{
	uint32_t i, known = 0;

	for (i = 0; i < STACK_NEIGHBOURS; i++)
		known += s.neighbour[i].known;
	return known;
}

/* Was it answered, or believed? */
static bool had_effect(enum kind kind)
{
	return answers || s.ponged || neighbours() != (kind == ARP ? 0 : 1);
}

static void right_ones_are_answered(void)
{
	enum kind kind;

	for (kind = ARP; kind <= ECHO; kind++) {
		make(kind);
		give(false);
		CU_ASSERT_EQUAL(s.counters.bad, 0);
		CU_ASSERT(kind == PONG ? s.ponged && !answers : answers == 1);
		CU_ASSERT(s.neighbour[0].known);
	}
	make(ECHO);
	put16(frame + 40, 0); /* UDP without a sum */
	give(false);
	CU_ASSERT(answers == 1 && !s.counters.bad);
	make(ECHO);
	frame[41] ^= 1; /* the card has judged it, or it is open */
	give(true);
	CU_ASSERT(answers == 1 && !s.counters.bad);
}

/* ---- one thing is wrong -------------------------------------------------------------------------------------- */

enum sums { RIGHT, IP_WRONG, REST_WRONG };
static const struct wrong {
	const char *what;
	enum kind kind;
	uint32_t len; /* 0: as it was */
	uint32_t at;
	uint8_t bytes[6], count;
	enum sums sums;
	bool bad; /* it is counted */
} wrongs[] = {
	{ "ARP for other hardware", ARP, 0, 15, { 6 }, 1, RIGHT, true },
	{ "ARP for another protocol", ARP, 0, 16, { 0x86, 0xdd }, 2, RIGHT, true },
	{ "ARP with longer addresses", ARP, 0, 18, { 8, 4 }, 2, RIGHT, true },
	{ "ARP cut short", ARP, 41, 0, { 0 }, 0, RIGHT, true },
	{ "ARP from nobody", ARP, 0, 28, { 0, 0, 0, 0 }, 4, RIGHT, false },
	{ "ARP from our own address", ARP, 0, 28, { 10, 0, 0, 2 }, 4, RIGHT, false },
	{ "ARP from a group's hardware", ARP, 0, 22, { 1 }, 1, RIGHT, false },
	{ "ARP that asks for another", ARP, 0, 38, { 10, 0, 0, 3 }, 4, RIGHT, false },
	{ "ARP that answers what nobody asked", ARP, 0, 21, { 2 }, 1, RIGHT, false },
	{ "a frame without a header", PING, 13, 0, { 0 }, 0, RIGHT, true },
	{ "IP of version 6", PING, 0, 14, { 0x65 }, 1, RIGHT, true },
	{ "an IP header of 16 bytes", PING, 0, 14, { 0x44 }, 1, RIGHT, true },
	{ "an IP header longer than the packet", PING, 0, 14, { 0x46, 0, 0, 20 }, 4, RIGHT, true },
	{ "a packet longer than the frame", PING, 61, 0, { 0 }, 0, RIGHT, true },
	{ "a wrong sum of IP", PING, 0, 25, { 0 }, 0, IP_WRONG, true },
	{ "from a group", PING, 0, 26, { 224, 0, 0, 1 }, 4, RIGHT, true },
	{ "from everybody here", PING, 0, 26, { 10, 0, 0, 255 }, 4, RIGHT, true },
	{ "from ourselves", PING, 0, 26, { 10, 0, 0, 2 }, 4, RIGHT, true },
	{ "a first fragment", PING, 0, 20, { 0x20, 0 }, 2, RIGHT, false },
	{ "a last fragment", PING, 0, 20, { 0, 1 }, 2, RIGHT, false },
	{ "an answer to somebody else", PONG, 0, 30, { 10, 0, 0, 3 }, 4, RIGHT, false },
	{ "ICMP of four bytes", PING, 38, 16, { 0, 24 }, 2, RIGHT, true },
	{ "a wrong sum of ICMP", PING, 0, 0, { 0 }, 0, REST_WRONG, true },
	{ "an echo request to everybody", PING, 0, 30, { 10, 0, 0, 255 }, 4, RIGHT, false },
	{ "an echo request with a code", PING, 0, 35, { 1 }, 1, RIGHT, false },
	{ "an echo reply with a code", PONG, 0, 35, { 1 }, 1, RIGHT, false },
	{ "an echo reply to another program", PONG, 0, 38, { 1 }, 1, RIGHT, false },
	{ "an echo reply with another byte", PONG, 0, 43, { 1 }, 1, RIGHT, false },
	{ "UDP of seven bytes", ECHO, 41, 16, { 0, 27 }, 2, IP_WRONG, true },
	{ "UDP that says seven bytes", ECHO, 0, 38, { 0, 7 }, 2, RIGHT, true },
	{ "UDP longer than the packet", ECHO, 0, 38, { 0, 29 }, 2, RIGHT, true },
	{ "a wrong sum of UDP", ECHO, 0, 0, { 0 }, 0, REST_WRONG, true },
	{ "UDP's echo to everybody", ECHO, 0, 30, { 10, 0, 0, 255 }, 4, RIGHT, false },
	{ "UDP's echo to another echo service", ECHO, 0, 34, { 0, 7 }, 2, RIGHT, false },
};

static void alter(const struct wrong *w)
{
	len = w->len ? w->len : len;
	memcpy(frame + w->at, w->bytes, w->count);
	if (w->kind == ARP)
		return;
	sum_ip();
	if (len > 42)
		sum_rest();
	else if (len > 34 && frame[23] == PROTOCOL_ICMP) /* the sum of so few bytes is right, too */
		put16(frame + 36, stack_fold(get16(frame + 34)));
	if (w->sums == IP_WRONG && len > 42)
		frame[25] ^= 1;
	if (w->sums == REST_WRONG)
		frame[43] ^= 1;
}

static void one_thing_wrong(void)
{
	uint32_t i;

	for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		make(wrongs[i].kind);
		alter(&wrongs[i]);
		give(false);
		CU_ASSERT_EQUAL(s.counters.bad, wrongs[i].bad);
		CU_ASSERT(!had_effect(wrongs[i].kind));
		if (had_effect(wrongs[i].kind) || s.counters.bad != wrongs[i].bad)
			tap_note("%s", wrongs[i].what);
	}
}

/* What stands behind 16 bytes would be UDP of eight bytes, for nobody, without a sum. */
static void an_ip_header_of_16_bytes(void)
{
	make(ECHO);
	frame[14] = 0x44;
	put16(frame + 34, 8);
	put16(frame + 36, 0);
	sum_ip();
	give(false);
	CU_ASSERT_EQUAL(s.counters.bad, 1);
}

/* What cannot go back in one frame is not answered. */
static void too_long_to_answer(void)
{
	uint32_t udp;

	for (udp = 0; udp < 2; udp++) {
		fresh_stack();
		meet();
		s.mtu = 600;
		if (udp)
			make_echo(573);
		else
			make_ping(573);
		sum_ip();
		sum_rest();
		give(false);
		CU_ASSERT(!answers && !s.counters.bad);
	}
}

/* Before there is an address nobody can mean us. */
static void without_an_address(void)
{
	make(ARP);
	s.address = 0;
	put32(frame + 38, 0);
	give(false);
	CU_ASSERT(!had_effect(ARP));
	make(ECHO);
	s.address = 0;
	put32(frame + 30, 0);
	sum_ip();
	sum_rest();
	give(false);
	CU_ASSERT_EQUAL(answers, 0);
}

/* ---- DHCP ------------------------------------------------------------------------------------------------------ */

#define OFFER 2
#define ACK 5
#define SERVER "\x36\x04\x0a\x00\x00\xfe"
#define MASK "\x01\x04\xff\xff\xff\x00"

static void make_dhcp(uint8_t type, const char *options, uint32_t bytes)
{
	uint8_t *const dhcp = frame + 42;

	make_ip(PROTOCOL_UDP, 8 + 240 + 3 + bytes);
	put32(frame + 26, 0x0a0000fe);
	put32(frame + 30, STACK_BROADCAST);
	put16(frame + 34, 67);
	put16(frame + 36, 68);
	put16(frame + 38, 8 + 240 + 3 + bytes);
	dhcp[0] = 2;
	put32(dhcp + 4, s.dhcp.xid);
	put32(dhcp + 16, 0x0a00000f);
	memcpy(dhcp + 28, our_mac, 6);
	put32(dhcp + 236, 0x63825363);
	memcpy(dhcp + 240, "\x35\x01", 2);
	dhcp[242] = type;
	memcpy(dhcp + 243, options, bytes);
	sum_ip();
}

static void ask(void)
{
	fresh_stack();
	stack_dhcp(&s);
	answers = 0;
}

#define OPTIONS(text) text, sizeof(text) - 1

static void offer(void)
{
	ask();
	make_dhcp(OFFER, OPTIONS(SERVER MASK "\xff"));
	give(false);
	CU_ASSERT_EQUAL_FATAL(s.dhcp.state, DHCP_REQUESTING);
}

static void right_leases_are_taken(void)
{
	offer();
	make_dhcp(ACK, OPTIONS(SERVER MASK "\xff"));
	give(false);
	CU_ASSERT(s.dhcp.state == DHCP_BOUND && s.address == 0x0a00000f && !s.counters.bad);
}

/* An offer with bytes changed behind the header of UDP. */
static bool offer_with(uint32_t at, uint8_t byte)
{
	ask();
	make_dhcp(OFFER, OPTIONS(SERVER MASK "\xff"));
	frame[42 + at] = byte;
	give(false);
	return s.dhcp.state == DHCP_REQUESTING;
}

static void offers_that_are_none(void)
{
	CU_ASSERT(!offer_with(0, 1)); /* a request */
	CU_ASSERT_EQUAL(s.counters.bad, 1);
	CU_ASSERT(!offer_with(4, (uint8_t) ~(s.dhcp.xid >> 24))); /* another's */
	CU_ASSERT(!offer_with(33, 99));
	CU_ASSERT(!offer_with(239, 0)); /* BOOTP */
	CU_ASSERT_EQUAL(s.counters.bad, 1);
	CU_ASSERT(!offer_with(242, ACK)); /* of what was not asked */
	CU_ASSERT(offer_with(242, OFFER));
	ask();
	make_dhcp(OFFER, OPTIONS(SERVER MASK "\xff"));
	put16(frame + 34, 66); /* not from a server */
	give(false);
	CU_ASSERT_EQUAL(s.dhcp.state, DHCP_SELECTING);
}

static bool offer_of(const char *options, uint32_t bytes)
{
	ask();
	make_dhcp(OFFER, options, bytes);
	give(false);
	return s.dhcp.state == DHCP_REQUESTING;
}

static void options_that_lie(void)
{
	CU_ASSERT(!offer_of(OPTIONS(SERVER MASK "\x0c"))); /* a kind, and no length */
	CU_ASSERT_EQUAL(s.counters.bad, 1);
	CU_ASSERT(!offer_of(OPTIONS(SERVER MASK "\x0c\x02z")));
	CU_ASSERT_EQUAL(s.counters.bad, 1);
	CU_ASSERT(!offer_of(OPTIONS(SERVER "\x01\x02\xff\xff\x00\x00\xff"))); /* half a mask */
	CU_ASSERT(!offer_of(OPTIONS(SERVER "\x01\x00\xff")));
	CU_ASSERT(offer_of(OPTIONS("\x00\x00" SERVER "\x00" MASK))); /* filling, and no end */
}

/* Cut anywhere, with lengths that say so. */
static void leases_cut_short(void)
{
	uint32_t bytes, whole;

	ask();
	make_dhcp(OFFER, OPTIONS(SERVER MASK "\xff"));
	whole = len - 42;
	for (bytes = 0; bytes < whole; bytes++) {
		ask();
		make_dhcp(OFFER, OPTIONS(SERVER MASK "\xff"));
		len = 42 + bytes;
		put16(frame + 16, 28 + bytes);
		put16(frame + 38, 8 + bytes);
		sum_ip();
		give(false);
		CU_ASSERT(bytes == whole - 1 || s.dhcp.state == DHCP_SELECTING);
		if (bytes < 240)
			CU_ASSERT_EQUAL(s.counters.bad, 1);
	}
}

static void leases_of_somebody_else(void)
{
	offer();
	make_dhcp(ACK, OPTIONS("\x36\x04\x0a\x00\x00\xfd" MASK "\xff")); /* another server */
	give(false);
	CU_ASSERT_EQUAL(s.dhcp.state, DHCP_REQUESTING);
	make_dhcp(ACK, OPTIONS(SERVER "\xff")); /* no network to be in */
	give(false);
	CU_ASSERT_EQUAL(s.dhcp.state, DHCP_REQUESTING);
	s.dhcp.state = DHCP_BOUND;
	s.address = US;
	make_dhcp(ACK, OPTIONS(SERVER MASK "\x0c"));
	give(false); /* not even looked at */
	CU_ASSERT(s.address == US && !s.counters.bad);
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(right_ones_are_answered),
		TAP_TEST(one_thing_wrong),
		TAP_TEST(an_ip_header_of_16_bytes),
		TAP_TEST(too_long_to_answer),
		TAP_TEST(without_an_address),
		TAP_TEST(right_leases_are_taken),
		TAP_TEST(offers_that_are_none),
		TAP_TEST(options_that_lie),
		TAP_TEST(leases_cut_short),
		TAP_TEST(leases_of_somebody_else),
		{ 0 },
	};

	return tap_run("net stack, refused", tests);
}
