/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A card's backend that is a port of a switch in the same process. */
#ifndef SWITCH_BACKEND_H
#define SWITCH_BACKEND_H

#include "net_switch.h"

/* A switch does no offload, and carries frames for which they are still to be done. */
#define PORT_CAN                                                                                   \
	(PVROM_NET_F_CSUM | PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 | PVROM_NET_F_HOST_ECN | \
	 PVROM_NET_F_HOST_USO)
#define PORT_GIVES                                                                                 \
	(PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 | PVROM_NET_F_GUEST_ECN |                 \
	 PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6)

/* vlan: 1 to 4094, or SWITCH_ALL_VLANS. NULL: message says why. */
struct netback *netback_switch_open(struct net_switch *sw, uint16_t vlan, const uint8_t mac[6],
				    char *message);

#endif
