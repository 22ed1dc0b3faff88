/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Set-up of the card, features that are offered and taken, configuration space, link.
 */
#include <string.h>

#include "net_card.h"

static void features_need_each_other(void)
{
	static const uint64_t alone[] = {
		PVROM_NET_F_GUEST_TSO4,
		PVROM_NET_F_GUEST_TSO6,
		PVROM_NET_F_GUEST_USO4,
		PVROM_NET_F_GUEST_USO6,
		PVROM_NET_F_HOST_TSO4,
		PVROM_NET_F_HOST_TSO6,
		PVROM_NET_F_HOST_USO,
		PVROM_NET_F_CTRL_RX,
		PVROM_NET_F_CTRL_RX_EXTRA,
		PVROM_NET_F_CTRL_VLAN,
		PVROM_NET_F_GUEST_ANNOUNCE,
		PVROM_NET_F_MQ,
		PVROM_NET_F_CTRL_MAC_ADDR,
		PVROM_NET_F_RSS,
		PVROM_NET_F_HASH_REPORT,
		PVROM_NET_F_CTRL_GUEST_OFFLOADS,
		PVROM_NET_F_NOTF_COAL,
		PVROM_NET_F_GUEST_ECN | PVROM_NET_F_GUEST_CSUM,
		PVROM_NET_F_HOST_ECN | PVROM_NET_F_CSUM,
		1ull << 4 /* reserved */,
	};
	struct net_world *w = net_world_open(2, 0, 0, SPLIT);
	uint32_t i;

	for (i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
		CU_ASSERT_FALSE(pvrom_net_host_accept(&w->host, alone[i]));
	CU_ASSERT_EQUAL(w->host.driver.accepted, 0);
	CU_ASSERT(pvrom_net_host_accept(&w->host, pvrom_net_host_features(&w->host)));
	/* Bits of ring and transport are not the card's. */
	CU_ASSERT(pvrom_net_host_accept(&w->host, PVROM_VQ_F_VERSION_1 | PVROM_NET_F_CSUM));
	CU_ASSERT_EQUAL(w->host.driver.accepted, PVROM_NET_F_CSUM);
	net_world_close(w);
}

static void one_pair_offers_no_more(void)
{
	struct net_world *w = net_world_open(1, 0, 0, SPLIT);

	CU_ASSERT_EQUAL(pvrom_net_host_features(&w->host) & (PVROM_NET_F_MQ | PVROM_NET_F_RSS), 0);
	CU_ASSERT_FALSE(pvrom_net_host_accept(&w->host, PVROM_NET_F_MQ | PVROM_NET_F_CTRL_VQ));
	CU_ASSERT_EQUAL(pvrom_net_control_queue(&w->host), PVROM_NET_NO_QUEUE);
	CU_ASSERT(pvrom_net_host_accept(&w->host, PVROM_NET_F_CTRL_VQ));
	CU_ASSERT_EQUAL(pvrom_net_control_queue(&w->host), 2);
	net_world_close(w);
	w = net_world_open(4, 0, PVROM_NET_F_CTRL_VQ | PVROM_NET_F_MQ, SPLIT);
	CU_ASSERT_EQUAL(pvrom_net_control_queue(&w->host), 8);
	net_world_close(w);
}

static void set_up_is_checked(void)
{
	struct net_world *w = net_world_open(1, 0, 0, SPLIT);
	struct pvrom_net_host_setup good = w->host.setup, bad;
	struct pvrom_net_host host;

	CU_ASSERT(pvrom_net_host_init(&host, &good));
	bad = good, bad.mac[0] |= 1;
	CU_ASSERT_FALSE(pvrom_net_host_init(&host, &bad));
	bad = good, bad.pairs = 0;
	CU_ASSERT_FALSE(pvrom_net_host_init(&host, &bad));
	bad = good, bad.pairs = PVROM_NET_PAIRS_MAX + 1;
	CU_ASSERT_FALSE(pvrom_net_host_init(&host, &bad));
	bad = good, bad.mtu = 67;
	CU_ASSERT_FALSE(pvrom_net_host_init(&host, &bad));
	bad = good, bad.whole = NULL;
	CU_ASSERT_FALSE(pvrom_net_host_init(&host, &bad));
	w->backend.mtu = 1400; /* the backend cannot carry what the driver would be told */
	CU_ASSERT_FALSE(pvrom_net_host_init(&host, &good));
	net_world_close(w);
}

static void configuration_and_link(void)
{
	struct net_world *w = net_world_open(3, 0, NET_ALL, SPLIT);
	struct pvrom_net_config c;
	uint8_t tail[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	const uint32_t generation = w->host.generation;

	pvrom_net_host_config_read(&w->host, 0, &c, sizeof(c));
	CU_ASSERT_EQUAL(memcmp(c.mac, w->host.setup.mac, 6), 0);
	CU_ASSERT_EQUAL(c.status, PVROM_NET_S_LINK_UP);
	CU_ASSERT_EQUAL(c.max_virtqueue_pairs, 3);
	CU_ASSERT_EQUAL(c.mtu, 1500);
	CU_ASSERT_EQUAL(c.speed, 1000);
	CU_ASSERT_EQUAL(c.rss_max_key_size, 40);
	pvrom_net_host_config_read(&w->host, sizeof(c) - 4, tail, 8);
	CU_ASSERT_EQUAL(memcmp(tail + 4, "\0\0\0\0", 4), 0);
	pvrom_net_host_config_read(&w->host, 0xfffffffe, tail, 8); /* wraps in 32 bits */
	CU_ASSERT_EQUAL(memcmp(tail, "\0\0\0\0\0\0\0\0", 8), 0);
	CU_ASSERT(pvrom_net_host_set_link(&w->host, false));
	CU_ASSERT_FALSE(pvrom_net_host_set_link(&w->host, false));
	pvrom_net_host_config_read(&w->host, 6, &c.status, 2);
	CU_ASSERT_EQUAL(c.status, 0);
	CU_ASSERT(pvrom_net_host_set_link(&w->host, true));
	CU_ASSERT(pvrom_net_host_announce(&w->host));
	pvrom_net_host_config_read(&w->host, 6, &c.status, 2);
	CU_ASSERT_EQUAL(c.status, PVROM_NET_S_LINK_UP | PVROM_NET_S_ANNOUNCE);
	CU_ASSERT_EQUAL(net_world_command(w, 3, 0, NULL, 0), PVROM_NET_CTRL_OK);
	pvrom_net_host_config_read(&w->host, 6, &c.status, 2);
	CU_ASSERT_EQUAL(c.status, PVROM_NET_S_LINK_UP);
	CU_ASSERT_EQUAL(w->host.generation, generation + 4);
	net_world_close(w);
}

/* What a driver may ask for is always there; what it must be ready for, only if it can come. */
static void offers_follow_the_backend(void)
{
	struct net_world *w = net_world_open(1, 0, 0, SPLIT);
	const uint64_t large = GUEST_OFFLOADS & ~PVROM_NET_F_GUEST_CSUM;

	CU_ASSERT_EQUAL(pvrom_net_host_features(&w->host) & GUEST_OFFLOADS, GUEST_OFFLOADS);
	w->backend.gives = 0;
	CU_ASSERT_EQUAL(pvrom_net_host_features(&w->host) & GUEST_OFFLOADS, PVROM_NET_F_GUEST_CSUM);
	CU_ASSERT_EQUAL(pvrom_net_host_features(&w->host) & HOST_OFFLOADS, HOST_OFFLOADS);
	w->backend.gives = PVROM_NET_F_GUEST_TSO4 | PVROM_VQ_F_VERSION_1;
	CU_ASSERT_EQUAL(pvrom_net_host_features(&w->host) & large, PVROM_NET_F_GUEST_TSO4);
	CU_ASSERT_EQUAL(pvrom_net_host_features(&w->host) & PVROM_VQ_F_VERSION_1, 0);
	CU_ASSERT_FALSE(
		pvrom_net_host_accept(&w->host, PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO6));
	w->host.setup.withhold = PVROM_NET_F_CSUM;
	CU_ASSERT_EQUAL(pvrom_net_host_features(&w->host) & PVROM_NET_F_CSUM, 0);
	w->host.setup.mtu = 0;
	CU_ASSERT_EQUAL(pvrom_net_host_features(&w->host) & PVROM_NET_F_MTU, 0);
	net_world_close(w);
}

const struct tap_test net_feature_cases[] = {
	{ "features need each other", features_need_each_other },
	{ "one pair offers no more", one_pair_offers_no_more },
	{ "offers follow the backend [PVROM-NET-1] [PVROM-NET-2]", offers_follow_the_backend },
	{ "a set-up that contradicts itself is refused", set_up_is_checked },
	{ "configuration, link and announcement", configuration_and_link },
	{ 0 }
};
