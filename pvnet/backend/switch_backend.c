/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A port of a switch in this process.
 */
#define _GNU_SOURCE
#include "switch_backend.h"

#include <stdlib.h>
#include <string.h>

struct own_port {
	struct netback b; /* first */
	struct switch_port *port;
};

static struct switch_port *port_of(struct netback *b)
{
	return ((struct own_port *)(void *)b)->port;
}

static bool own_send(struct netback *b, const struct pvrom_net_header *header,
		     const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip)
{
	struct iovec vec[PVROM_NET_PIECES];
	const uint32_t n = netback_vectors(vec, PVROM_NET_PIECES, pieces, count, skip);

	return switch_send(port_of(b), header, vec, n);
}

static void own_flush(struct netback *b)
{
	switch_flush(port_of(b));
}

static void own_work(struct netback *b)
{
	struct switch_port *port = port_of(b);

	switch_woken(port);
	switch_counters(port, &b->counters);
}

static bool own_peek(struct netback *b, uint32_t pair, struct net_arrival *arrival)
{
	(void)pair;
	return switch_peek(port_of(b), arrival);
}

static void own_pop(struct netback *b, uint32_t pair)
{
	(void)pair;
	switch_pop(port_of(b));
}

static void own_close(struct netback *b)
{
	switch_leave(port_of(b));
	free(b);
}

static const struct netback_ops own_ops = { .send = own_send,
					    .work = own_work,
					    .peek = own_peek,
					    .pop = own_pop,
					    .flush = own_flush,
					    .close = own_close };

struct netback *netback_switch_open(struct net_switch *sw, uint16_t vlan, const uint8_t mac[6],
				    char *message)
{
	struct own_port *p = calloc(1, sizeof(*p));
	char text[PORT_TEXT] = "no memory";

	if (p)
		p->port = switch_join(sw, mac, vlan, text);
	if (!p || !p->port) {
		free(p);
		netback_complain(message, "port: %s", text);
		return NULL;
	}
	p->b.ops = &own_ops;
	p->b.pairs = 1;
	p->b.head.can = PORT_CAN;
	p->b.head.gives = PORT_GIVES;
	p->b.fd[0] = p->port->event + 1;
	return &p->b;
}
