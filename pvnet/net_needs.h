/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Which features need which, for both halves: VIRTIO 1.2, 5.1.3.1.
 */
#ifndef PVNET_NET_NEEDS_H
#define PVNET_NET_NEEDS_H

#include <pvrom/net.h>

#include <stdint.h>

/* Each, and those of which it needs one at least. */
static const struct net_need {
	uint64_t feature, needs;
} net_needs[] = {
	{ PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 | PVROM_NET_F_GUEST_USO4 |
		  PVROM_NET_F_GUEST_USO6,
	  PVROM_NET_F_GUEST_CSUM },
	{ PVROM_NET_F_GUEST_ECN, PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 },
	{ PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 | PVROM_NET_F_HOST_USO, PVROM_NET_F_CSUM },
	{ PVROM_NET_F_HOST_ECN, PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 },
	{ PVROM_NET_F_CTRL_RX | PVROM_NET_F_CTRL_RX_EXTRA | PVROM_NET_F_CTRL_VLAN |
		  PVROM_NET_F_GUEST_ANNOUNCE | PVROM_NET_F_MQ | PVROM_NET_F_CTRL_MAC_ADDR |
		  PVROM_NET_F_CTRL_GUEST_OFFLOADS | PVROM_NET_F_NOTF_COAL |
		  PVROM_NET_F_HASH_REPORT | PVROM_NET_F_RSS,
	  PVROM_NET_F_CTRL_VQ },
};

/* Those of the features that lack what they need; without them others may lack it. */
static inline uint64_t net_needy(uint64_t features)
{
	uint64_t needy = 0;
	uint32_t i;

	for (i = 0; i < sizeof(net_needs) / sizeof(net_needs[0]); i++)
		if (!(features & net_needs[i].needs))
			needy |= features & net_needs[i].feature;
	return needy;
}

#endif
