/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the hosted backends of the network card share: the structure behind each, and words.
 */
#ifndef NETBACK_H
#define NETBACK_H

#include <pvrom/net_backend.h>

#include <sys/uio.h>

#include "net_fifo.h"

/* ---- a backend ------------------------------------------------------------------------------------- */

struct netback;
struct netback_ops {
	/* As in struct pvrom_net_backend_ops; the rest may be NULL. */
	bool (*send)(struct netback *b, const struct pvrom_net_header *header,
		     const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip);
	void (*offloads)(struct netback *b, uint64_t guest);
	/* Does what is due: called once in each receive, before the frames. */
	void (*work)(struct netback *b);
	/* The oldest frame of a pair, which stays until it is popped. */
	bool (*peek)(struct netback *b, uint32_t pair, struct net_arrival *arrival);
	void (*pop)(struct netback *b, uint32_t pair);
	/* In the place of these: the queue that they would look into, one for each pair. */
	struct net_fifo *(*fifo)(struct netback *b, uint32_t pair);
	/* Or: as pvrom_net_backend_receive(). */
	uint32_t (*receive)(struct netback *b, struct pvrom_net_host *host, uint32_t pair,
			    uint32_t budget, bool *stalled);
	void (*flush)(struct netback *b);
	void (*close)(struct netback *b);
};

struct capture;
struct netback {
	struct pvrom_net_backend head; /* first */
	const struct netback_ops *ops;
	struct pvrom_net_backend_counters counters;
	struct capture *capture;
	struct netback_limits *limits;
	uint16_t pairs;
	uint16_t told_mtu;    /* asked for, or the network's own; 0: neither */
	uint32_t natural_mtu; /* the network's own */
	bool down, has_news;
	int fd[PVROM_NET_PAIRS_MAX]; /* plus 1: 0 is none */
	uint8_t mac[6];
	char news[256];
};

static inline struct netback *netback_of(const struct pvrom_net_backend *backend)
{
	return (struct netback *)(uintptr_t)backend;
}

/* All bytes of a frame in pieces, at most `room`; returns how many there are. */
size_t netback_gather(uint8_t *to, size_t room, const struct pvrom_vq_piece *pieces, uint32_t count,
		      uint64_t skip);
/* How long that is. */
size_t netback_length(const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip);
/* The same as vectors; returns how many, 0: more than `most`. */
uint32_t netback_vectors(struct iovec *vec, uint32_t most, const struct pvrom_vq_piece *pieces,
			 uint32_t count, uint64_t skip);

/* Something for people; the newest one stands. */
void netback_say(struct netback *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- netback_words.c ------------------------------------------------------------------------------- */

struct netback_words {
	char *copy; /* the words point into it */
	const char *kind;
	bool swap;
	const char *tap, *port, *user;
	int port_fd;
	uint32_t queues, mtu, vlan;
	/* user: */
	const char *forward[16], *net, *hostname, *dns;
	uint32_t forwards;
	bool restricted, no_ipv6;
	/* limits: of the driver's frames, of those for it */
	struct netback_rates {
		struct pvrom_rate bytes, frames;
	} out, in;
	const char *group;
	/* pcap: */
	const char *capture;
	uint32_t capture_snap, capture_files;
	uint64_t capture_size;
};

/* false: message says what is wrong. To be freed with netback_words_free() either way. */
bool netback_words_read(struct netback_words *w, const char *text, char *message);
void netback_words_free(struct netback_words *w);

/* ---- netback_limits.c ------------------------------------------------------------------------------ */

struct netback_limits;
/* What the words say; NULL: none. Cards of a group share one, the first one's rates hold. */
bool netback_limits_open(const struct netback_words *w, struct netback_limits **limits,
			 char *message);
void netback_limits_close(struct netback_limits *limits);
void netback_limits_set(struct netback_limits *limits, struct pvrom_net_host_setup *setup);

/* A number, and nothing behind it but perhaps K, M or G (powers of 1024). false: none, or more than `most`. */
bool netback_number(const char *text, uint64_t most, uint64_t *value);

bool netback_complain(char *message, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- each opens one; NULL: message says why ---------------------------------------------------------- */
struct netback *netback_null_open(const struct netback_words *w, char *message);
struct netback *netback_loop_open(const struct netback_words *w, char *message);
struct netback *netback_tap_open(const struct netback_words *w, char *message);
struct netback *netback_port_open(const struct netback_words *w, const uint8_t mac[6],
				  char *message);
/* Set by a program that has user_backend.c (which needs libslirp); NULL: it has none. */
extern struct netback *(*netback_user)(const struct netback_words *w, char *message);
/* Set by a program that serves switches itself: a port of the one at w->port; NULL without a message: it is not here. */
extern struct netback *(*netback_own_port)(const struct netback_words *w, const uint8_t mac[6],
					   char *message);
struct netback *netback_user_open(const struct netback_words *w, char *message);

#endif
