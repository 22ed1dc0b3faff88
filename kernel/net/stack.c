/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Ethernet, ARP (RFC 826), IPv4 (RFC 791) and ICMP echo (RFC 792). */
#include "stack_internal.h"

#define TYPE_IPV4 0x0800u
#define TYPE_ARP 0x0806u
#define ARP_BYTES 28u
#define ASK_AGAIN_MS 200u
#define ECHO_REQUEST 8u
#define ECHO_REPLY 0u
#define ECHO_HEADER 8u
#define PING_ID 0x7076u
#define TTL 64u

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

void stack_init(struct stack *s, const struct stack_link *link, const uint8_t mac[6], uint16_t mtu,
		uint64_t seed)
{
	*s = (struct stack){ .link = *link, .mtu = mtu, .random = seed, .next_port = 49152 };
	__builtin_memcpy(s->mac, mac, sizeof(s->mac));
}

uint32_t stack_random(struct stack *s)
{
	s->random = s->random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(s->random >> 32);
}

/* ---- checksums --------------------------------------------------------------------------------------- */

uint32_t stack_sum(uint32_t sum, const uint8_t *at, uint32_t len)
{
	uint64_t wide = sum;
	uint32_t i;

	for (i = 0; i + 1 < len; i += 2)
		wide += get16(at + i);
	if (len & 1)
		wide += (uint32_t)at[len - 1] << 8;
	while (wide >> 32)
		wide = (wide & 0xffffffff) + (wide >> 32);
	return (uint32_t)wide;
}

uint16_t stack_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint32_t stack_pseudo(uint32_t from, uint32_t to, uint32_t protocol, uint32_t len)
{
	return (from >> 16) + (from & 0xffff) + (to >> 16) + (to & 0xffff) + protocol + len;
}

/* ---- frames out -------------------------------------------------------------------------------------- */

static void put_ethernet(struct stack *s, const uint8_t to[6], uint32_t type)
{
	__builtin_memcpy(s->out, to, 6);
	__builtin_memcpy(s->out + 6, s->mac, 6);
	put16(s->out + 12, type);
}

static void send_frame(struct stack *s, uint32_t len, const struct pvrom_net_header *header)
{
	static const struct pvrom_net_header plain;

	s->counters.sent += s->link.send(s->link.ctx, header ? header : &plain, s->out, len);
}

/* ---- ARP --------------------------------------------------------------------------------------------- */

static void send_arp(struct stack *s, uint32_t operation, const uint8_t to_mac[6], uint32_t to)
{
	uint8_t *arp = s->out + ETHERNET;

	put_ethernet(s, to_mac, TYPE_ARP);
	put16(arp, 1);
	put16(arp + 2, TYPE_IPV4);
	put16(arp + 4, 6 << 8 | 4);
	put16(arp + 6, operation);
	__builtin_memcpy(arp + 8, s->mac, 6);
	put32(arp + 14, s->address);
	__builtin_memset(arp + 18, 0, 6);
	if (operation != 1) /* a question has nothing there */
		__builtin_memcpy(arp + 18, to_mac, 6);
	put32(arp + 24, to);
	send_frame(s, ETHERNET + ARP_BYTES, NULL);
}

void stack_announce(struct stack *s)
{
	send_arp(s, 1, everybody, s->address);
}

static struct stack_neighbour *find(struct stack *s, uint32_t address)
{
	uint32_t i;

	for (i = 0; i < STACK_NEIGHBOURS; i++)
		if (s->neighbour[i].address == address)
			return &s->neighbour[i];
	return NULL;
}

/* The place of an address; the oldest one is taken if it has none. */
static struct stack_neighbour *place(struct stack *s, uint32_t address)
{
	struct stack_neighbour *n = find(s, address);

	if (n)
		return n;
	n = &s->neighbour[s->oldest++ % STACK_NEIGHBOURS];
	*n = (struct stack_neighbour){ .address = address };
	return n;
}

static void ask(struct stack *s, uint32_t address)
{
	struct stack_neighbour *n = place(s, address);

	if (n->asked && s->now - n->asked < ASK_AGAIN_MS)
		return;
	n->asked = s->now ? s->now : 1;
	send_arp(s, 1, everybody, address);
}

static void learn(struct stack_neighbour *n, const uint8_t mac[6])
{
	if (mac[0] & 1)
		return;
	__builtin_memcpy(n->mac, mac, 6);
	n->known = true;
}

/* RFC 826: who is known is learnt anew, who asks for us is learnt, and answered. */
static void arp_input(struct stack *s, const uint8_t *arp, uint32_t len)
{
	struct stack_neighbour *n;
	uint32_t from;

	if (len < ARP_BYTES || get16(arp) != 1 || get16(arp + 2) != TYPE_IPV4 ||
	    get16(arp + 4) != (6 << 8 | 4)) {
		s->counters.bad++;
		return;
	}
	from = get32(arp + 14);
	if (!s->address || !from || from == s->address)
		return;
	n = find(s, from);
	if (!n && get32(arp + 24) == s->address && get16(arp + 6) == 1)
		n = place(s, from);
	if (n)
		learn(n, arp + 8);
	if (get16(arp + 6) == 1 && get32(arp + 24) == s->address && !(arp[8] & 1))
		send_arp(s, 2, arp + 8, from);
}

/* ---- IPv4 out ---------------------------------------------------------------------------------------- */

static bool is_broadcast(const struct stack *s, uint32_t to)
{
	return to == STACK_BROADCAST || (s->mask && to == (s->address | ~s->mask));
}

static uint32_t next_hop(const struct stack *s, uint32_t to)
{
	return (to & s->mask) == (s->address & s->mask) || !s->gateway ? to : s->gateway;
}

bool stack_resolve(struct stack *s, uint32_t to)
{
	const uint32_t hop = next_hop(s, to);
	const struct stack_neighbour *n = find(s, hop);

	if (n && n->known)
		return true;
	ask(s, hop);
	return false;
}

uint8_t *stack_begin(struct stack *s, uint32_t protocol, uint32_t to)
{
	const uint8_t *mac = everybody;
	uint8_t *ip = s->out + ETHERNET;

	if (!is_broadcast(s, to)) {
		if (!stack_resolve(s, to))
			return NULL;
		mac = find(s, next_hop(s, to))->mac;
	}
	put_ethernet(s, mac, TYPE_IPV4);
	put16(ip, 0x4500);
	put16(ip + 4, s->ip_id++);
	put16(ip + 6, 0x4000); /* don't fragment */
	put16(ip + 8, TTL << 8 | protocol);
	put16(ip + 10, 0);
	put32(ip + 12, s->address);
	put32(ip + 16, to);
	return ip + IPV4;
}

void stack_end(struct stack *s, uint32_t len, const struct pvrom_net_header *header)
{
	uint8_t *ip = s->out + ETHERNET;

	put16(ip + 2, IPV4 + len);
	put16(ip + 10, stack_fold(stack_sum(0, ip, IPV4)));
	send_frame(s, ETHERNET + IPV4 + len, header);
}

/* ---- ICMP -------------------------------------------------------------------------------------------- */

static uint8_t ping_byte(uint16_t sequence, uint32_t i)
{
	return (uint8_t)(sequence * 7u + i * 13u);
}

bool stack_ping(struct stack *s, uint32_t to, uint16_t sequence, uint32_t len)
{
	uint8_t *icmp = stack_begin(s, PROTOCOL_ICMP, to);
	uint32_t i;

	if (!icmp || IPV4 + ECHO_HEADER + len > s->mtu)
		return false;
	s->ponged = false;
	put32(icmp, ECHO_REQUEST << 24);
	put16(icmp + 4, PING_ID);
	put16(icmp + 6, sequence);
	for (i = 0; i < len; i++)
		icmp[ECHO_HEADER + i] = ping_byte(sequence, i);
	put16(icmp + 2, stack_fold(stack_sum(0, icmp, ECHO_HEADER + len)));
	stack_end(s, ECHO_HEADER + len, NULL);
	return true;
}

static void take_pong(struct stack *s, const struct packet *p)
{
	const uint16_t sequence = get16(p->at + 6);
	uint32_t i;

	if (get16(p->at + 4) != PING_ID)
		return;
	for (i = ECHO_HEADER; i < p->len; i++)
		if (p->at[i] != ping_byte(sequence, i - ECHO_HEADER))
			return;
	s->pong = sequence;
	s->ponged = true;
}

static void answer_ping(struct stack *s, const struct packet *p)
{
	uint8_t *icmp;

	/* Nobody is asked who that is: whoever pings was resolved, or is by this. */
	if (p->to != s->address || IPV4 + p->len > s->mtu)
		return;
	icmp = stack_begin(s, PROTOCOL_ICMP, p->from);
	if (!icmp)
		return;
	__builtin_memcpy(icmp, p->at, p->len);
	put32(icmp, ECHO_REPLY << 24);
	put16(icmp + 2, stack_fold(stack_sum(0, icmp, p->len)));
	stack_end(s, p->len, NULL);
	s->counters.echoes++;
}

static void icmp_input(struct stack *s, const struct packet *p)
{
	if (p->len < ECHO_HEADER || stack_fold(stack_sum(0, p->at, p->len))) {
		s->counters.bad++;
		return;
	}
	if (get16(p->at) == ECHO_REQUEST << 8)
		answer_ping(s, p);
	else if (get16(p->at) == ECHO_REPLY << 8)
		take_pong(s, p);
}

/* ---- IPv4 in ----------------------------------------------------------------------------------------- */

/* The header's length; 0: it is none. */
static uint32_t ip_header(const uint8_t *ip, uint32_t len)
{
	const uint32_t header = (ip[0] & 15u) * 4;

	if (ip[0] >> 4 != 4 || header < IPV4 || header > get16(ip + 2) || get16(ip + 2) > len ||
	    stack_fold(stack_sum(0, ip, header)))
		return 0;
	return header;
}

/* Nobody sends from a group, from everybody, or from us. */
static bool is_sender(const struct stack *s, uint32_t from)
{
	return from >> 28 < 14 && !is_broadcast(s, from) && (from != s->address || !s->address);
}

static void ip_input(struct stack *s, const uint8_t *ip, uint32_t len, bool summed)
{
	const uint32_t header = len < IPV4 ? 0 : ip_header(ip, len);
	struct packet p;

	if (!header || !is_sender(s, get32(ip + 12))) {
		s->counters.bad++;
		return;
	}
	if (get16(ip + 6) & 0x3fff) { /* more of them, or not the first */
		s->counters.fragments++;
		return;
	}
	p = (struct packet){ .from = get32(ip + 12),
			     .to = get32(ip + 16),
			     .at = ip + header,
			     .len = get16(ip + 2) - header,
			     .summed = summed };
	if (s->address && p.to != s->address && !is_broadcast(s, p.to))
		return;
	switch (ip[9]) {
	case PROTOCOL_ICMP: icmp_input(s, &p); break;
	case PROTOCOL_UDP: stack_udp_input(s, &p); break;
	case PROTOCOL_TCP: stack_tcp_input(s, &p); break;
	default: break;
	}
}

void stack_input(struct stack *s, const uint8_t *frame, uint32_t len, bool summed)
{
	s->counters.frames++;
	if (len < ETHERNET) {
		s->counters.bad++;
		return;
	}
	switch (get16(frame + 12)) {
	case TYPE_ARP: arp_input(s, frame + ETHERNET, len - ETHERNET); break;
	case TYPE_IPV4: ip_input(s, frame + ETHERNET, len - ETHERNET, summed); break;
	default: break;
	}
}

void stack_tick(struct stack *s, uint64_t now)
{
	s->now = now;
	stack_dhcp_tick(s);
	stack_tcp_tick(s);
}
