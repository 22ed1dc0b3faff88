/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The reference kernel's network stack: one IPv4 address on Ethernet, with ARP, ICMP echo, UDP, a DHCP client and
 * a TCP that fetches a page and serves one. It stands on nothing but a function that sends frames, so
 * that it also runs in an ordinary program (tests/net).
 *
 * The wire is hostile: every length is checked against the bytes that are there, tables have a fixed size,
 * a frame that came is answered by one frame at most, and what makes no sense is counted and dropped.
 *
 * Not here: fragments, IPv6, routes but one, window scaling, selective acknowledgement.
 *
 * Threads: one at a time for a stack. Addresses are numbers, 10.0.2.15 is 0x0a00020f.
 */
#ifndef KERNEL_NET_STACK_H
#define KERNEL_NET_STACK_H

#include <pvrom/net.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STACK_NEIGHBOURS 16u
#define STACK_CONNECTIONS 8u
#define STACK_LARGE 16384u /* bytes of TCP's in a frame that the card cuts */
#define STACK_FRAME (STACK_LARGE + 128u)
#define STACK_BROADCAST 0xffffffffu

#define STACK_PORT_ECHO 7u /* UDP, RFC 862 */

/* What carries frames. */
struct stack_link {
	void *ctx;
	/* The header says what of checksums and segments is left to the card. False: it is lost. */
	bool (*send)(void *ctx, const struct pvrom_net_header *header, const uint8_t *frame,
		     uint32_t len);
	bool sums;     /* the card fills in checksums */
	bool segments; /* and cuts TCP over IPv4 */
};

struct stack_neighbour {
	uint32_t address; /* 0: free */
	uint8_t mac[6];
	bool known;
	uint64_t asked; /* ms */
};

enum stack_dhcp_state { DHCP_OFF, DHCP_SELECTING, DHCP_REQUESTING, DHCP_BOUND };

struct stack_dhcp {
	enum stack_dhcp_state state;
	uint32_t xid, offered, server, tries;
	uint64_t at; /* ms, of the last message */
};

struct stack_counters {
	uint64_t frames, sent;
	uint64_t bad;	    /* malformed, or a checksum that is wrong */
	uint64_t fragments; /* dropped */
	uint64_t echoes;    /* answered, of ICMP */
	uint64_t resent;    /* by TCP */
	uint64_t resets;    /* sent */
};

/* ---- TCP: RFC 9293 ---------------------------------------------------------------------------------- */

enum stack_tcp_end { TCP_WELL, TCP_RESET, TCP_SILENT };
enum stack_tcp_state { TCP_FREE, TCP_SYN_SENT, TCP_SYN_RECEIVED, TCP_OPEN, TCP_LINGER };

struct stack_tcp;
/* Who uses a connection. What is sent is a function of where it stands, so nothing has to be kept to send it again. */
struct stack_user {
	void (*give)(struct stack_tcp *tcp, uint32_t offset, uint8_t *to, uint32_t len);
	/* len 0: the peer sends no more. */
	void (*take)(struct stack_tcp *tcp, const uint8_t *bytes, uint32_t len);
	void (*ended)(struct stack_tcp *tcp, enum stack_tcp_end how);
};

struct stack_tcp {
	enum stack_tcp_state state;
	const struct stack_user *user;
	void *ctx; /* the user's */
	uint32_t peer;
	uint16_t port, peer_port, mss;
	uint32_t total; /* bytes to be sent, so far; the user's */
	bool ended;	/* and no more than these; the user's */
	bool peer_ended, owed, told;
	uint32_t iss, una, nxt, max, window; /* sending */
	uint32_t rcv;			     /* the next byte that is to come */
	uint32_t cwnd, ssthresh;
	uint32_t dups, tries;
	uint64_t resend; /* ms: when what is not acknowledged is sent again; 0: nothing is */
};

/* ---- a stack ---------------------------------------------------------------------------------------- */

struct stack {
	struct stack_link link;
	uint8_t mac[6];
	uint16_t mtu;
	uint32_t address, mask, gateway;
	uint64_t now; /* ms */
	uint64_t random;
	uint16_t ip_id, next_port;
	struct stack_neighbour neighbour[STACK_NEIGHBOURS];
	uint32_t oldest;
	struct stack_dhcp dhcp;
	uint16_t pong; /* sequence number of the last answered ping of ours */
	bool ponged;
	uint16_t listening; /* port; 0: none */
	const struct stack_user *server;
	void *server_ctx;
	struct stack_tcp tcp[STACK_CONNECTIONS];
	struct stack_counters counters;
	uint8_t out[STACK_FRAME];
};

/* seed: what nobody outside knows. The address is 0 until stack_dhcp() or the caller sets one. */
void stack_init(struct stack *s, const struct stack_link *link, const uint8_t mac[6], uint16_t mtu,
		uint64_t seed);
/* A frame came. summed: its checksum was found right, or is open, so that there is nothing to check. */
void stack_input(struct stack *s, const uint8_t *frame, uint32_t len, bool summed);
/* Time goes on, in ms: timers, and acknowledgements that are owed. After each batch of frames. */
void stack_tick(struct stack *s, uint64_t now);

/* Begins to ask for an address; it is there when dhcp.state is DHCP_BOUND. */
void stack_dhcp(struct stack *s);
/* Tells everybody who has the address (RFC 5227, 2.3). */
void stack_announce(struct stack *s);
/* Is the next hop to TO known? Asks for it otherwise. */
bool stack_resolve(struct stack *s, uint32_t to);
/* One echo request with len bytes of data; s->ponged and s->pong when the answer, unaltered, is there. */
bool stack_ping(struct stack *s, uint32_t to, uint16_t sequence, uint32_t len);

/* Connects; NULL: no room, or the way is not known yet. */
struct stack_tcp *stack_connect(struct stack *s, uint32_t to, uint16_t port,
				const struct stack_user *user, void *ctx);
/* Whoever connects to the port is served. */
void stack_listen(struct stack *s, uint16_t port, const struct stack_user *user, void *ctx);
/* Ends a connection at once. */
void stack_abort(struct stack *s, struct stack_tcp *tcp);

#endif
