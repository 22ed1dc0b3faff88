/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Which features are taken, and what of the device's configuration can be believed: VIRTIO 1.2, 5.1.3 and 5.1.4.
 */
#include "net_guest_internal.h"
#include "net_needs.h"

#define GUEST_SEGMENTS                                                                             \
	(PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 | PVROM_NET_F_GUEST_ECN |                 \
	 PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6)
#define CARD_FEATURES                                                                              \
	(PVROM_NET_F_CSUM | PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_CTRL_GUEST_OFFLOADS |             \
	 PVROM_NET_F_MTU | PVROM_NET_F_MAC | GUEST_SEGMENTS | PVROM_NET_F_HOST_TSO4 |              \
	 PVROM_NET_F_HOST_TSO6 | PVROM_NET_F_HOST_ECN | PVROM_NET_F_HOST_USO |                     \
	 PVROM_NET_F_MRG_RXBUF | PVROM_NET_F_STATUS | PVROM_NET_F_CTRL_VQ | PVROM_NET_F_CTRL_RX |  \
	 PVROM_NET_F_CTRL_RX_EXTRA | PVROM_NET_F_CTRL_VLAN | PVROM_NET_F_GUEST_ANNOUNCE |          \
	 PVROM_NET_F_CTRL_MAC_ADDR | PVROM_NET_F_NOTF_COAL | PVROM_NET_F_SPEED_DUPLEX)
#define PAIR_FEATURES (PVROM_NET_F_MQ | PVROM_NET_F_RSS)
#define RING_FEATURES                                                                              \
	(PVROM_VQ_F_INDIRECT_DESC | PVROM_VQ_F_EVENT_IDX | PVROM_VQ_F_VERSION_1 |                  \
	 PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_IN_ORDER | PVROM_VQ_F_NOTIFICATION_DATA)

/* VIRTIO 1.2, 5.1.4: the most virtqueue pairs, and the least of what RSS has. */
#define PAIRS_MOST 0x8000u
#define RSS_ENTRIES_LEAST 128u

/* ---- features -------------------------------------------------------------------------------------- */

/* Besides, an announcement is asked for by a bit of the status. */
static uint64_t needy(uint64_t features)
{
	uint64_t without_status = features & PVROM_NET_F_STATUS ? 0 : PVROM_NET_F_GUEST_ANNOUNCE;

	return net_needy(features) | (features & without_status);
}

/* Without those that lack what they need, and those that then do. */
static uint64_t closed(uint64_t features)
{
	while (GUEST_REFUSE(FEATURE_NEEDS, needy(features)))
		features &= ~needy(features);
	return features;
}

static uint32_t header_bytes(uint64_t features)
{
	return (uint32_t)sizeof(struct pvrom_net_header) +
	       (features & PVROM_NET_F_HASH_REPORT ? (uint32_t)sizeof(struct pvrom_net_hash) : 0);
}

/* Can one buffer hold a whole frame of so many bytes of IP, or may it lie in several? */
static bool fits(const struct pvrom_net_guest *net, uint64_t features, uint32_t ip)
{
	return features & PVROM_NET_F_MRG_RXBUF ||
	       net->settings.buffer >= header_bytes(features) + ETHERNET_HEADER + ip;
}

uint64_t pvrom_net_guest_choose(const struct pvrom_net_guest *net, uint64_t offered)
{
	uint64_t wanted = CARD_FEATURES | RING_FEATURES;

	if (net->settings.pairs > 1)
		wanted |= PAIR_FEATURES;
	if (net->settings.hash_report)
		wanted |= PVROM_NET_F_HASH_REPORT;
	wanted = closed(wanted & offered & ~net->settings.avoid);
	/* 5.1.6.3.1: segments in one are as long as IP can be, 65,562 bytes with the header. */
	if (GUEST_REFUSE(FEATURE_ROOM, !fits(net, wanted, 65536)))
		wanted &= ~GUEST_SEGMENTS;
	return wanted;
}

/* 5.1.4 allows a number of pairs with which the control queue's own number has more than 16 bits. */
static bool has_queue(const struct pvrom_net_guest *net, uint32_t number)
{
	return number < PVROM_NET_GUEST_NO_QUEUE &&
	       !GUEST_REFUSE(CONTROL_THERE, !net->virtio->ops->queue_max(net->virtio, number));
}

uint64_t pvrom_net_guest_usable(const struct pvrom_net_guest *net)
{
	const struct pvrom_net_config *c = &net->config;
	uint64_t features = net->features;

	if (GUEST_REFUSE(CONFIG_RSS,
			 c->rss_max_key_size < PVROM_NET_HASH_KEY_BYTES ||
				 c->rss_max_indirection_table_length < RSS_ENTRIES_LEAST))
		features &= ~PVROM_NET_F_RSS;
	if (features & PVROM_NET_F_MTU && GUEST_REFUSE(FEATURE_ROOM, !fits(net, features, c->mtu)))
		features &= ~PVROM_NET_F_MTU;
	if (features & PAIR_FEATURES && !has_queue(net, 2u * c->max_virtqueue_pairs))
		features &= ~PAIR_FEATURES;
	if (!(features & PAIR_FEATURES) && features & PVROM_NET_F_CTRL_VQ && !has_queue(net, 2))
		features &= ~PVROM_NET_F_CTRL_VQ;
	return pvrom_net_guest_choose(net, features);
}

/* ---- configuration ---------------------------------------------------------------------------------- */

static bool is_own_address(const uint8_t mac[6])
{
	return !(mac[0] & 1) && (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

static void take_address(struct pvrom_net_guest *net)
{
	net->has_mac = guest_has(net, PVROM_NET_F_MAC) &&
		       !GUEST_REFUSE(CONFIG_MAC, !is_own_address(net->config.mac));
	if (net->has_mac)
		__builtin_memcpy(net->mac, net->config.mac, sizeof(net->mac));
}

static bool take_pairs(struct pvrom_net_guest *net)
{
	const uint32_t there = net->config.max_virtqueue_pairs;

	net->pairs = 1;
	net->control_number = guest_has(net, PVROM_NET_F_CTRL_VQ) ? 2 : PVROM_NET_GUEST_NO_QUEUE;
	if (!guest_has(net, PAIR_FEATURES))
		return true;
	if (GUEST_REFUSE(CONFIG_PAIRS, !there || there > PAIRS_MOST))
		return false;
	net->pairs = there < net->settings.pairs ? (uint16_t)there : net->settings.pairs;
	net->control_number = (uint16_t)(2 * there); /* has_queue() says whether that can be */
	return true;
}

static bool take_mtu(struct pvrom_net_guest *net)
{
	net->mtu = guest_has(net, PVROM_NET_F_MTU) ? net->config.mtu : MTU_DEFAULT;
	return !GUEST_REFUSE(CONFIG_MTU, net->mtu < MTU_LEAST);
}

/* What may change at any time. */
static void take_state(struct pvrom_net_guest *net)
{
	const struct pvrom_net_config *c = &net->config;
	const bool status = guest_has(net, PVROM_NET_F_STATUS),
		   speed = guest_has(net, PVROM_NET_F_SPEED_DUPLEX);

	net->link_up = !status || c->status & PVROM_NET_S_LINK_UP;
	net->announce =
		guest_has(net, PVROM_NET_F_GUEST_ANNOUNCE) && c->status & PVROM_NET_S_ANNOUNCE;
	net->speed = speed ? c->speed : PVROM_NET_SPEED_UNKNOWN;
	net->full_duplex = speed && c->duplex == PVROM_NET_DUPLEX_FULL;
}

bool pvrom_net_guest_read_config(struct pvrom_net_guest *net)
{
	if (!pvrom_virtio_config(net->virtio, 0, &net->config, sizeof(net->config)))
		return false;
	net->header_bytes = header_bytes(net->features);
	take_address(net);
	take_state(net);
	return take_pairs(net) && take_mtu(net);
}

enum pvrom_net_guest_result pvrom_net_guest_changed(struct pvrom_net_guest *net)
{
	const uint32_t status = net->virtio->ops->status(net->virtio);
	struct pvrom_net_config now;

	if (GUEST_REFUSE(NEEDS_RESET, status & PVROM_VIRTIO_NEEDS_RESET) ||
	    !pvrom_virtio_config(net->virtio, 0, &now, sizeof(now)))
		return PVROM_NET_GUEST_BROKEN;
	net->config.status = now.status;
	net->config.speed = now.speed;
	net->config.duplex = now.duplex;
	take_state(net);
	return PVROM_NET_GUEST_OK;
}
