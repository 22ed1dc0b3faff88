/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the files of the stack share: numbers as they go over the wire, and functions by file. */
#ifndef KERNEL_NET_STACK_INTERNAL_H
#define KERNEL_NET_STACK_INTERNAL_H

#include "stack.h"

#define ETHERNET 14u
#define IPV4 20u
#define PROTOCOL_ICMP 1u
#define PROTOCOL_TCP 6u
#define PROTOCOL_UDP 17u

static inline uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static inline void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/* A part of a datagram: who sent it, to whom, and its bytes. */
struct packet {
	uint32_t from, to;
	const uint8_t *at;
	uint32_t len;
	bool summed;
};

/* stack.c */
uint32_t stack_random(struct stack *s);
/* RFC 1071: adds bytes to a sum; the sum folded and complemented. */
uint32_t stack_sum(uint32_t sum, const uint8_t *at, uint32_t len);
uint16_t stack_fold(uint32_t sum);
/* Of TCP's and UDP's pseudo header. */
uint32_t stack_pseudo(uint32_t from, uint32_t to, uint32_t protocol, uint32_t len);
/* Where the payload of an IPv4 packet to TO begins in s->out; NULL: the way is not known, it was asked for. */
uint8_t *stack_begin(struct stack *s, uint32_t protocol, uint32_t to);
/* Sends what was begun, with len bytes of payload. header NULL: nothing is left to the card. */
void stack_end(struct stack *s, uint32_t len, const struct pvrom_net_header *header);

/* stack_udp.c */
void stack_udp_input(struct stack *s, const struct packet *p);
void stack_dhcp_tick(struct stack *s);

/* stack_tcp_input.c */
void stack_tcp_input(struct stack *s, const struct packet *p);

/* stack_tcp.c */
struct stack_tcp *stack_tcp_new(struct stack *s);
void stack_tcp_tick(struct stack *s);
/* One segment from sequence number SEQ on, with len bytes of the user's. */
void stack_tcp_segment(struct stack *s, struct stack_tcp *t, uint32_t flags, uint32_t seq,
		       uint32_t len);
/* The answer to a segment that belongs to nothing. */
void stack_tcp_refuse(struct stack *s, const struct packet *p, uint32_t seq, uint32_t ack,
		      uint32_t flags);
void stack_tcp_end(struct stack_tcp *t, enum stack_tcp_end how);

#define TCP_HEADER 20u
#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define TCP_WINDOW 65535u

/* Is a before b, in the circle of sequence numbers? */
static inline bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

#endif
