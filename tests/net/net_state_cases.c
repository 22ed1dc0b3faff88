/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state and reset.
 */
#include <string.h>

#include "net_card.h"

static struct net_world *driven(void)
{
	struct net_world *w = net_world_open(4, 0, NET_ALL, SPLIT);
	const struct rss_command c = rss_command();
	const uint8_t tables[8 + 6] = { 1, 0, 0, 0, 2, 0, 0, 0, 0, 2 };
	const uint64_t offloads = PVROM_NET_F_GUEST_CSUM;
	const uint32_t coalesce[2] = { 4, 5 };
	const uint16_t id = 70;

	net_world_command(w, 4, 1, &c, sizeof(c));
	net_world_command(w, 1, 0, tables, sizeof(tables));
	net_world_command(w, 1, 1, "\2\3\4\5\6\7", 6);
	net_world_command(w, 2, 0, &id, 2);
	net_world_command(w, 5, 0, &offloads, 8);
	net_world_command(w, 6, 0, coalesce, 8);
	mode(w, PVROM_NET_CTRL_RX_PROMISC, 0);
	mode(w, PVROM_NET_CTRL_RX_NOBCAST, 1);
	pvrom_net_host_set_link(&w->host, false);
	pvrom_net_host_announce(&w->host);
	return w;
}

static void saves_and_loads_all(void)
{
	static uint8_t saved[8192], again[8192];
	struct net_world *w = driven(), *fresh = net_world_open(4, 0, 0, SPLIT);
	const size_t size = pvrom_net_host_save(&w->host, saved, sizeof(saved));

	CU_ASSERT(size > 0 && size < sizeof(saved));
	CU_ASSERT_EQUAL(pvrom_net_host_save(&w->host, again, 10), size);
	CU_ASSERT(pvrom_net_host_load(&fresh->host, saved, size));
	CU_ASSERT_EQUAL(memcmp(&fresh->host.driver, &w->host.driver, sizeof(w->host.driver)), 0);
	CU_ASSERT_EQUAL(memcmp(&fresh->host.counters, &w->host.counters, sizeof(w->host.counters)),
			0);
	CU_ASSERT_EQUAL(fresh->told_offloads, PVROM_NET_F_GUEST_CSUM);
	CU_ASSERT_FALSE(fresh->host.link_up);
	CU_ASSERT(fresh->host.announce);
	CU_ASSERT_EQUAL(fresh->host.generation, w->host.generation);
	CU_ASSERT_EQUAL(pvrom_net_host_save(&fresh->host, again, sizeof(again)), size);
	CU_ASSERT_EQUAL(memcmp(saved, again, size), 0);
	net_world_close(fresh);
	fresh = net_world_open(4, 0, 0, SPLIT); /* another card */
	fresh->host.setup.withhold = PVROM_NET_F_MTU;
	CU_ASSERT_FALSE(pvrom_net_host_load(&fresh->host, saved, size));
	pvrom_net_host_save(&fresh->host, again, sizeof(again));
	CU_ASSERT_FALSE(pvrom_net_host_load(&w->host, again, size));
	net_world_close(fresh);
	net_world_close(w);
}

/* The sum is not what protects: with a right one, no byte may bring the card into a state that it cannot be in. */
static void loads_no_damaged_state(void)
{
	static uint8_t saved[8192], hurt[8192];
	struct net_world *w = driven(), *fresh = net_world_open(4, 0, 0, SPLIT);
	const size_t size = pvrom_net_host_save(&w->host, saved, sizeof(saved));
	uint32_t loaded = 0;
	size_t i, n;

	for (i = 0; i < size; i++) {
		uint32_t sum = 1;

		memcpy(hurt, saved, size);
		hurt[i] ^= 0x55;
		CU_ASSERT_FALSE(pvrom_net_host_load(&fresh->host, hurt, size));
		CU_ASSERT_FALSE(pvrom_net_host_load(&fresh->host, saved, i));
		for (n = 0; n < size - 4; n++)
			sum = (sum << 5 | sum >> 27) + hurt[n];
		memcpy(hurt + size - 4, &sum, 4);
		loaded += pvrom_net_host_load(&fresh->host, hurt, size);
		CU_ASSERT(fresh->host.driver.steering.pairs <= 4);
		CU_ASSERT(fresh->host.driver.steering.mask < PVROM_NET_RSS_ENTRIES);
		CU_ASSERT(fresh->host.driver.unicast.count <= PVROM_NET_MACS_MAX);
		CU_ASSERT_EQUAL(fresh->host.driver.mac[0] & 1, 0);
		CU_ASSERT_EQUAL(fresh->host.driver.offloads & ~fresh->host.driver.accepted, 0);
		CU_ASSERT_EQUAL(fresh->host.driver.accepted & PVROM_VQ_F_VERSION_1, 0);
		arrive(fresh, OWN, 70);
	}
	tap_note("%u of %zu bytes may be another and the state makes sense", loaded, size);
	CU_ASSERT(loaded < size);
	net_world_close(fresh);
	net_world_close(w);
}

static void reset_takes_all_back(void)
{
	struct net_world *w = driven();
	struct net_world *fresh = net_world_open(4, 0, 0, SPLIT);

	pvrom_net_host_reset(&w->host);
	CU_ASSERT_EQUAL(memcmp(&w->host.driver, &fresh->host.driver, sizeof(w->host.driver)), 0);
	CU_ASSERT_FALSE(w->host.announce);
	CU_ASSERT_FALSE(w->host.link_up); /* that is not the driver's */
	pvrom_net_host_set_link(&w->host, true);
	CU_ASSERT_EQUAL(arrive(w, OWN, PVROM_NET_NO_VLAN),
			PVROM_NET_NO_BUFFER); /* its queues are gone */
	net_world_close(fresh);
	net_world_close(w);
}

/* Nobody could take the request to announce back. */
static void loads_no_announcement_that_was_not_negotiated(void)
{
	static uint8_t saved[8192];
	struct net_world *w = net_world_open(1, 0, 0, SPLIT);
	size_t size;

	w->host.announce = true;
	size = pvrom_net_host_save(&w->host, saved, sizeof(saved));
	CU_ASSERT_FALSE(pvrom_net_host_load(&w->host, saved, size));
	net_world_close(w);
}

const struct tap_test net_state_cases[] = {
	{ "all state is saved and loaded [PVROM-NET-20]", saves_and_loads_all },
	{ "no damaged state is loaded [PVROM-NET-21]", loads_no_damaged_state },
	{ "no announcement is loaded that was not negotiated",
	  loads_no_announcement_that_was_not_negotiated },
	{ "a reset takes back what the driver set [PVROM-NET-22]", reset_takes_all_back },
	{ 0 }
};
