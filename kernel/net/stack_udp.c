/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* UDP (RFC 768) with an echo service, and a DHCP client on it (RFC 2131). */
#include "stack_internal.h"

#define UDP_HEADER 8u
#define PORT_SERVER 67u
#define PORT_CLIENT 68u

#define DHCP_BYTES 240u /* without options, the magic number in it */
#define DHCP_MAGIC 0x63825363u
#define DHCP_REPLY 2u
#define OPTION_MASK 1u
#define OPTION_ROUTER 3u
#define OPTION_ADDRESS 50u
#define OPTION_TYPE 53u
#define OPTION_SERVER 54u
#define OPTION_WANTED 55u
#define OPTION_END 255u
#define TYPE_DISCOVER 1u
#define TYPE_OFFER 2u
#define TYPE_REQUEST 3u
#define TYPE_ACK 5u
#define TYPE_NAK 6u
#define ASK_AGAIN_MS 1000u
#define TRIES 4u /* of a request, before the search begins anew */

/* ---- UDP --------------------------------------------------------------------------------------------- */

/* payload is in its place already. */
static void udp_end(struct stack *s, uint8_t *udp, uint32_t to, uint32_t from_port,
		    uint32_t to_port, uint32_t payload)
{
	const uint32_t len = UDP_HEADER + payload;
	const uint32_t pseudo = stack_pseudo(s->address, to, PROTOCOL_UDP, len);
	const struct pvrom_net_header header = { .flags = PVROM_NET_HDR_NEEDS_CSUM,
						 .csum_start = ETHERNET + IPV4,
						 .csum_offset = 6 };
	uint16_t sum;

	put16(udp, from_port);
	put16(udp + 2, to_port);
	put16(udp + 4, len);
	put16(udp + 6, 0);
	if (s->link.sums) {
		put16(udp + 6, (uint16_t)~stack_fold(pseudo));
		stack_end(s, len, &header);
		return;
	}
	sum = stack_fold(stack_sum(pseudo, udp, len));
	put16(udp + 6, sum ? sum : 0xffff);
	stack_end(s, len, NULL);
}

/* ---- DHCP out ---------------------------------------------------------------------------------------- */

static uint8_t *put_option(uint8_t *at, uint32_t option, uint32_t value, uint32_t bytes)
{
	uint32_t i;

	*at++ = (uint8_t)option;
	*at++ = (uint8_t)bytes;
	for (i = bytes; i; i--)
		*at++ = (uint8_t)(value >> (i - 1) * 8);
	return at;
}

static void send_dhcp(struct stack *s, uint32_t type)
{
	uint8_t *udp = stack_begin(s, PROTOCOL_UDP, STACK_BROADCAST), *dhcp, *at;

	if (!udp) /* a broadcast always finds its way */
		return;
	dhcp = udp + UDP_HEADER;
	at = dhcp + DHCP_BYTES;
	__builtin_memset(dhcp, 0, DHCP_BYTES);
	put32(dhcp, 1u << 24 | 1 << 16 | 6 << 8);
	put32(dhcp + 4, s->dhcp.xid);
	put16(dhcp + 10, 0x8000); /* answer by broadcast */
	__builtin_memcpy(dhcp + 28, s->mac, 6);
	put32(dhcp + 236, DHCP_MAGIC);
	at = put_option(at, OPTION_TYPE, type, 1);
	if (type == TYPE_REQUEST) {
		at = put_option(at, OPTION_ADDRESS, s->dhcp.offered, 4);
		at = put_option(at, OPTION_SERVER, s->dhcp.server, 4);
	}
	at = put_option(at, OPTION_WANTED, OPTION_MASK << 8 | OPTION_ROUTER, 2);
	*at++ = OPTION_END;
	s->dhcp.at = s->now;
	udp_end(s, udp, STACK_BROADCAST, PORT_CLIENT, PORT_SERVER, (uint32_t)(at - dhcp));
}

void stack_dhcp(struct stack *s)
{
	s->address = s->mask = s->gateway = 0;
	s->dhcp = (struct stack_dhcp){ .state = DHCP_SELECTING, .xid = stack_random(s) };
	send_dhcp(s, TYPE_DISCOVER);
}

void stack_dhcp_tick(struct stack *s)
{
	if (s->dhcp.state == DHCP_OFF || s->dhcp.state == DHCP_BOUND ||
	    s->now - s->dhcp.at < ASK_AGAIN_MS)
		return;
	if (s->dhcp.state == DHCP_REQUESTING && s->dhcp.tries++ < TRIES)
		send_dhcp(s, TYPE_REQUEST);
	else
		stack_dhcp(s);
}

/* ---- DHCP in ----------------------------------------------------------------------------------------- */

/* What an answer says; 0: it does not. */
struct answer {
	uint32_t address, type, mask, router, server;
};

static uint32_t number(const uint8_t *at, uint32_t bytes)
{
	return bytes == 1 ? at[0] : bytes >= 4 ? get32(at) : 0;
}

/* False: an option goes on behind the end. */
static bool read_options(struct answer *a, const uint8_t *at, const uint8_t *end)
{
	while (at < end && *at != OPTION_END) {
		const uint8_t option = *at++;
		uint8_t bytes;

		if (!option) /* padding */
			continue;
		if (at == end || *at > end - at - 1)
			return false;
		bytes = *at++;
		switch (option) {
		case OPTION_TYPE: a->type = number(at, bytes); break;
		case OPTION_MASK: a->mask = number(at, bytes); break;
		case OPTION_ROUTER: a->router = number(at, bytes); break;
		case OPTION_SERVER: a->server = number(at, bytes); break;
		default: break;
		}
		at += bytes;
	}
	return true;
}

/* An address that a machine can have, in a network that it can have. */
static bool can_be_ours(const struct answer *a)
{
	const uint32_t hosts = ~a->mask;

	return a->address >> 24 != 127 && a->address >> 28 < 14 && a->mask &&
	       !(hosts & (hosts + 1)) && (a->address & hosts) && (a->address & hosts) != hosts;
}

static void bind(struct stack *s, const struct answer *a)
{
	s->address = a->address;
	s->mask = a->mask;
	s->gateway = a->router;
	s->dhcp.state = DHCP_BOUND;
	stack_announce(s);
}

static void take_answer(struct stack *s, const struct answer *a)
{
	if (s->dhcp.state == DHCP_SELECTING && a->type == TYPE_OFFER && can_be_ours(a)) {
		s->dhcp.state = DHCP_REQUESTING;
		s->dhcp.offered = a->address;
		s->dhcp.server = a->server;
		send_dhcp(s, TYPE_REQUEST);
	} else if (s->dhcp.state == DHCP_REQUESTING && a->server == s->dhcp.server) {
		if (a->type == TYPE_ACK && can_be_ours(a) && a->address == s->dhcp.offered)
			bind(s, a);
		else if (a->type == TYPE_NAK)
			stack_dhcp(s);
	}
}

static void dhcp_input(struct stack *s, const uint8_t *dhcp, uint32_t len)
{
	struct answer a = { 0 };

	if (s->dhcp.state != DHCP_SELECTING && s->dhcp.state != DHCP_REQUESTING)
		return;
	if (len < DHCP_BYTES || dhcp[0] != DHCP_REPLY || get32(dhcp + 236) != DHCP_MAGIC ||
	    !read_options(&a, dhcp + DHCP_BYTES, dhcp + len)) {
		s->counters.bad++;
		return;
	}
	if (get32(dhcp + 4) != s->dhcp.xid || __builtin_memcmp(dhcp + 28, s->mac, 6))
		return; /* another's */
	a.address = get32(dhcp + 16);
	take_answer(s, &a);
}

/* ---- UDP in ------------------------------------------------------------------------------------------- */

static void echo(struct stack *s, const struct packet *p, const uint8_t *at, uint32_t len)
{
	uint8_t *udp;

	/* Two echo services would never end. */
	if (p->to != s->address || get16(p->at) < 1024 || IPV4 + UDP_HEADER + len > s->mtu)
		return;
	udp = stack_begin(s, PROTOCOL_UDP, p->from);
	if (!udp)
		return;
	__builtin_memcpy(udp + UDP_HEADER, at, len);
	udp_end(s, udp, p->from, STACK_PORT_ECHO, get16(p->at), len);
}

void stack_udp_input(struct stack *s, const struct packet *p)
{
	const uint32_t len = p->len < UDP_HEADER ? 0 : get16(p->at + 4);
	const uint32_t pseudo = stack_pseudo(p->from, p->to, PROTOCOL_UDP, len);

	if (len < UDP_HEADER || len > p->len ||
	    (!p->summed && get16(p->at + 6) && stack_fold(stack_sum(pseudo, p->at, len)))) {
		s->counters.bad++;
		return;
	}
	if (get16(p->at + 2) == PORT_CLIENT && get16(p->at) == PORT_SERVER)
		dhcp_input(s, p->at + UDP_HEADER, len - UDP_HEADER);
	else if (get16(p->at + 2) == STACK_PORT_ECHO && s->address)
		echo(s, p, p->at + UDP_HEADER, len - UDP_HEADER);
}
