/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A switch in this process: ports with a queue each, addresses learned for each VLAN, floods bounded.
 *
 * A port belongs to one VLAN, whose frames pass it without a tag, or to all: then tagged frames pass as they are,
 * and those without a tag are a network of their own. Frames keep what is still to be done to them: who takes
 * them out does it.
 *
 * Threads: each port is used by one thread at a time, different ones by different threads.
 */
#ifndef NET_SWITCH_H
#define NET_SWITCH_H

#include <pthread.h>

#include "net_port.h"

#define SWITCH_PORTS 64u
#define SWITCH_ALL_VLANS 0xffffu

struct net_switch;
struct switch_port {
	struct net_switch *sw;
	struct net_fifo fifo; /* under `lock` */
	pthread_mutex_t lock;
	uint64_t
		empty_before; /* ports whose queue was empty when we put something in: to be woken */
	uint32_t index;
	int event; /* becomes readable when frames come while there are none */
	uint16_t vlan;
	uint8_t mac[6]; /* zero: any */
	uint32_t learned;
	uint64_t tokens_at; /* floods: when the bucket will be full again, ns */
	struct pvrom_net_backend_counters
		counters; /* refused by its own thread; full under `lock` */
};

/* flood: frames a second that one port may have sent to all others. NULL: no memory. */
struct net_switch *switch_open(uint32_t flood);
/* All ports have left. */
void switch_close(struct net_switch *sw);

/* NULL: text[PORT_TEXT] says why: the address belongs to another port, no port is free. */
struct switch_port *switch_join(struct net_switch *sw, const uint8_t mac[6], uint16_t vlan,
				char *text);
void switch_leave(struct switch_port *port);

/* A frame in from a port; false: refused, or lost. The memory may be a guest's. */
bool switch_send(struct switch_port *port, const struct pvrom_net_header *header,
		 const struct iovec *vec, uint32_t count);
/* Wakes those who got something. */
void switch_flush(struct switch_port *port);
/* The oldest frame for a port, until it is popped. */
bool switch_peek(struct switch_port *port, struct net_arrival *arrival);
void switch_pop(struct switch_port *port);
/* What became of its frames so far; those of other ports may be lost in its queue meanwhile. */
void switch_counters(struct switch_port *port, struct pvrom_net_backend_counters *counters);
/* event is read: to be called before peeking until there is no more. */
void switch_woken(struct switch_port *port);

#endif
