/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Hosted backends of the network card: a tap interface, a port of a switch, user-mode networking, a loop,
 * nothing; and capturing beside any of them.
 *
 * Which one, and how, is said in words joined by commas:
 *
 *	null			takes all, brings nothing
 *	loop[,swap]		brings back what it was given; swap: with the two MAC addresses exchanged
 *	tap=NAME[,queues=N]	a tap interface, made if there is none and the process may; 1 to 16 queues
 *	port=PATH		a port of the switch that listens on the socket PATH
 *	port-fd=N		the same over descriptor N, a connected SOCK_SEQPACKET socket
 *	user[,...]		user-mode networking by libslirp; see pvrom-netd(1)
 *
 * and beside any of these: mtu=BYTES; limits as out-bps=BYTES, out-pps=FRAMES and in-... for those to the driver, with
 * -burst and -burst-rate, and group=NAME; pcap=FILE, pcap-snap=BYTES, pcap-size=BYTES, pcap-files=N.
 *
 * An embedder's round: pvrom_net_transmit() of all queues, pvrom_net_backend_flush(),
 * pvrom_net_backend_receive() for each pair, publish. Between rounds it sleeps until a queue is rung or one of
 * the backend's descriptors is readable.
 *
 * Threads: as the card, one at a time.
 */
#ifndef PVROM_NET_BACKEND_H
#define PVROM_NET_BACKEND_H

#include <pvrom/net_host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PVROM_NET_MESSAGE 512 /* bytes that a message of an open may have */

/*
 * Opens what `words` say for a card with this MAC address. NULL, and a sentence in message[PVROM_NET_MESSAGE]:
 * no permission, no such interface, no such word ... To be freed by pvrom_net_backend_close().
 */
struct pvrom_net_backend *pvrom_net_backend_open(const char *words, const uint8_t mac[6],
						 char *message);
/* No card uses it any more. NULL is allowed. */
void pvrom_net_backend_close(struct pvrom_net_backend *backend);

/* Queue pairs that it can make use of, 1 to PVROM_NET_PAIRS_MAX. */
uint16_t pvrom_net_backend_pairs(const struct pvrom_net_backend *backend);

/* What a driver should be told as MTU; 0: nothing. */
uint16_t pvrom_net_backend_mtu(const struct pvrom_net_backend *backend);

/* Fills in the limits that the words asked for, if any: before pvrom_net_host_init(). */
void pvrom_net_backend_limits(struct pvrom_net_backend *backend,
			      struct pvrom_net_host_setup *setup);

/*
 * A descriptor that becomes readable when something may be there for this pair; the same as long as the backend
 * is open. It may be told edge by edge: receive until there is no more. -1: nothing comes by itself.
 */
int pvrom_net_backend_fd(const struct pvrom_net_backend *backend, uint32_t pair);

/*
 * Brings at most `budget` frames of a pair into the card; returns how many came, whatever became of them. Less
 * than budget: there are no more now, a limit holds them (pvrom_net_receive_held()), or *stalled: the driver has no buffer, frames wait; call again
 * when it rings its receive queue. Also does the backend's own work: to be called in each round.
 */
uint32_t pvrom_net_backend_receive(struct pvrom_net_backend *backend, struct pvrom_net_host *host,
				   uint32_t pair, uint32_t budget, bool *stalled);

/* The end of a batch of frames that were sent. */
void pvrom_net_backend_flush(struct pvrom_net_backend *backend);

/* Whether it is connected to anything now; may change in any of the calls. */
bool pvrom_net_backend_link(const struct pvrom_net_backend *backend);

struct pvrom_net_backend_counters {
	uint64_t full;	 /* frames that were lost because a queue of the backend's was full */
	uint64_t failed; /* the system did not take or give them */
	uint64_t
		refused; /* malformed, of another VLAN, over a bound on floods, with another's address */
	uint64_t captured; /* written to the capture */
	uint64_t capture_lost;
};
void pvrom_net_backend_count(const struct pvrom_net_backend *backend,
			     struct pvrom_net_backend_counters *counters);

/* The next sentence for people that came up since (interface gone ...), NULL: none. Valid until the next call. */
const char *pvrom_net_backend_news(struct pvrom_net_backend *backend);

#ifdef __cplusplus
}
#endif
#endif
