/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom-netd: what a card is, and which file does what.
 */
#ifndef NETD_H
#define NETD_H

#include <pthread.h>
#include <stdatomic.h>

#include <pvrom/net_backend.h>
#include <pvrom/vhost_user.h>

#define NETD_QUEUES PVROM_VU_QUEUES_MAX
#define NETD_PAIRS ((NETD_QUEUES - 1) / 2) /* the last queue is the control queue */
#define NETD_CARDS_MAX 64u

/* ---- netd_spec.c: what the operator wants ------------------------------------------------------- */

struct netd_spec {
	char *text;    /* as given */
	char *words;   /* a copy, into which socket points */
	char *backend; /* the words that are not the card's */
	size_t backend_len;
	const char *socket;
	uint8_t mac[6];
	bool has_mac;
	uint32_t queues;   /* pairs; 0: what the backend makes use of, at most NETD_PAIRS */
	uint64_t withhold; /* features */
};

/* false: message (PVROM_NET_MESSAGE bytes) says what is wrong. Its strings are kept as long as the program runs. */
bool netd_spec_read(struct netd_spec *spec, const char *text, char *message);

/* ---- netd_card.c: one card on one socket, with a thread of its own -------------------------------- */

struct netd_queue {
	struct pvrom_net_queue net;
	struct pvrom_net_buffer *pool;
	struct pvrom_vq_device_slot *slots;
	bool live, quiet; /* quiet: notifications are off */
};

/* What another thread asks for; done by the card's own. */
enum netd_command { NETD_NOTHING, NETD_OPEN, NETD_STOP, NETD_COUNTERS };

struct netd_card {
	struct netd_spec spec;
	struct pvrom_loop loop;
	struct pvrom_vu_server *vu;
	struct pvrom_net_backend *backend;
	struct pvrom_net_host host;
	struct netd_queue queue[NETD_QUEUES];
	/* Of each pair of the backend. */
	struct netd_arrivals {
		struct pvrom_loop_watch watch; /* first */
		bool watched, ready, stalled;
	} arrivals[PVROM_NET_PAIRS_MAX];
	uint8_t *whole, *segment;
	pthread_t thread;
	bool started, opened;
	uint64_t poll_ns, last_work;
	uint64_t patience; /* poll_ns, or 0 while looking on does not pay */
	uint64_t interrupts, sleeps;
	/* Commands: one at a time. */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	enum netd_command command;
	atomic_bool asked;
	bool ends;
};

/* Starts its thread, which opens backend and socket. false: the reason was printed. */
bool netd_card_open(struct netd_card *c);
/* Has the card's thread do that, and waits until it is done. */
void netd_card_ask(struct netd_card *c, enum netd_command command);
void netd_card_join(struct netd_card *c);

/* Tells the network where this address is now, by a RARP request: switches learn from it. */
void netd_announce(struct netd_card *c, const uint8_t mac[6]);

/* ---- netd_front.c: what vhost-user asks of a card ---------------------------------------------------- */
bool netd_front_open(struct netd_card *c, char *message);
/* Interrupts prepared for what is complete; *again: when (ns) to look once more at the latest. */
void netd_publish(struct netd_card *c, uint64_t *again);

/* ---- netd_main.c ------------------------------------------------------------------------------------- */

struct netd_options {
	uint64_t poll_ns; /* UINT64_MAX: never sleep */
	bool quiet;
};
extern struct netd_options netd_options;
void netd_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
