/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of the switch share.
 */
#ifndef SWITCH_INTERNAL_H
#define SWITCH_INTERNAL_H

#include "net_switch.h"

#define SWITCH_SETS 512u /* of the table of addresses, SWITCH_WAYS each */
#define SWITCH_WAYS 4u

struct place {
	uint8_t mac[6];
	uint16_t vlan;
	uint16_t port; /* plus 1; 0: free */
	uint32_t seen; /* s */
};

struct net_switch {
	pthread_rwlock_t ports_lock; /* `port` */
	struct switch_port *port[SWITCH_PORTS];
	pthread_mutex_t table_lock; /* `place`, and `learned` of ports */
	struct place place[SWITCH_SETS][SWITCH_WAYS];
	uint32_t top; /* ports from here on are free; under ports_lock too */
	uint32_t flood;
};

/* switch_table.c. Behind which port an address of a VLAN is, plus 1; 0: not known. */
uint32_t switch_find(struct net_switch *sw, const uint8_t *mac, uint16_t vlan);
/* It is behind this one now, unless it has too many; `time` in ns. */
void switch_learn(struct switch_port *port, const uint8_t *mac, uint16_t vlan, uint64_t time);
/* Nothing is behind it any more. */
void switch_forget(struct switch_port *port);

#endif
