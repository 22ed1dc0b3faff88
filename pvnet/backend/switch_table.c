/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The switch's table of addresses: behind which port each was seen last.
 */
#define _GNU_SOURCE
#include <string.h>

#include "netback_slips.h"
#include "switch_internal.h"

#define LEARNED_MOST 512u /* addresses behind one port: a flood of them displaces no others */
#define FORGOTTEN 300u	  /* s after which an address may be displaced; IEEE 802.1Q, 8.8.3 */

static struct place *set_of(struct net_switch *sw, const uint8_t *mac, uint16_t vlan)
{
	uint64_t key = vlan;

	memcpy((uint8_t *)&key + 2, mac, 6);
	return sw->place[key * 0x9e3779b97f4a7c15u >> 55];
}
_Static_assert(SWITCH_SETS == 512, "the upper nine bits");

static bool is_at(const struct place *p, const uint8_t *mac, uint16_t vlan)
{
	return p->port && p->vlan == vlan && !memcmp(p->mac, mac, 6);
}

uint32_t switch_find(struct net_switch *sw, const uint8_t *mac, uint16_t vlan)
{
	const struct place *set = set_of(sw, mac, vlan);
	uint32_t i, port = 0;

	pthread_mutex_lock(&sw->table_lock);
	for (i = 0; i < SWITCH_WAYS; i++)
		if (is_at(&set[i], mac, vlan))
			port = set[i].port;
	pthread_mutex_unlock(&sw->table_lock);
	return port;
}

/* How willingly a place is given to another address of this port: 0 not at all. */
static uint32_t worth(const struct place *p, const struct switch_port *port, uint32_t now)
{
	if (NETBACK_SLIP(SWITCH_LEARNED))
		return 1;
	if (!p->port)
		return port->learned < LEARNED_MOST ? 3 : 0;
	if (now - p->seen > FORGOTTEN)
		return 2;
	return p->port == port->index + 1;
}

static struct place *place_for(struct place *set, const struct switch_port *port,
			       const uint8_t *mac, uint16_t vlan, uint32_t now)
{
	struct place *best = NULL;
	uint32_t i, most = 0;

	for (i = 0; i < SWITCH_WAYS; i++)
		if (is_at(&set[i], mac, vlan))
			return &set[i];
	for (i = 0; i < SWITCH_WAYS; i++) {
		if (worth(&set[i], port, now) > most) {
			best = &set[i];
			most = worth(best, port, now);
		}
	}
	return best;
}

void switch_learn(struct switch_port *port, const uint8_t *mac, uint16_t vlan, uint64_t time)
{
	struct net_switch *sw = port->sw;
	const uint32_t now = (uint32_t)(time / 1000000000u);
	struct place *p;

	pthread_mutex_lock(&sw->table_lock);
	p = place_for(set_of(sw, mac, vlan), port, mac, vlan, now);
	if (p && p->port != port->index + 1) {
		if (p->port)
			sw->port[p->port - 1]->learned--;
		port->learned++;
	}
	if (p) {
		memcpy(p->mac, mac, 6);
		p->vlan = vlan;
		p->port = (uint16_t)(port->index + 1);
		p->seen = now;
	}
	pthread_mutex_unlock(&sw->table_lock);
}

void switch_forget(struct switch_port *port)
{
	struct place *p = &port->sw->place[0][0];
	uint32_t i;

	pthread_mutex_lock(&port->sw->table_lock);
	for (i = 0; i < SWITCH_SETS * SWITCH_WAYS; i++)
		if (p[i].port == port->index + 1)
			p[i].port = 0;
	pthread_mutex_unlock(&port->sw->table_lock);
}
