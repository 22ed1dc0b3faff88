/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Which frames the driver gets: addresses, receive modes, VLANs.
 */
#include <string.h>

#include "net_card.h"

/* What passes, as bits: own, other, group, broadcast. */
static uint32_t passing(struct net_world *w)
{
	static const char *const to[] = { OWN, OTHER, GROUP, ALL };
	uint32_t i, bits = 0;

	for (i = 0; i < 4; i++)
		bits |= arrive(w, to[i], PVROM_NET_NO_VLAN) == PVROM_NET_DELIVERED ? 1u << i : 0;
	return bits;
}

static void filters_by_address(void)
{
	static const struct {
		uint8_t mode;
		uint32_t passes;
	} modes[] = { { PVROM_NET_CTRL_RX_PROMISC, 15 }, { PVROM_NET_CTRL_RX_ALLMULTI, 13 },
		      { PVROM_NET_CTRL_RX_ALLUNI, 11 },	 { PVROM_NET_CTRL_RX_NOUNI, 8 },
		      { PVROM_NET_CTRL_RX_NOBCAST, 1 },	 { PVROM_NET_CTRL_RX_NOMULTI, 9 } };
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	uint8_t tables[8 + 12] = { 1, 0, 0, 0, 2, 0, 0, 0, 0, 2, 1, 0, 0, 0, 1, 0, 0x5e, 0, 0, 5 };
	uint32_t i;

	CU_ASSERT_EQUAL(passing(w), 15); /* until the driver says otherwise */
	CU_ASSERT_EQUAL(mode(w, PVROM_NET_CTRL_RX_PROMISC, 0), PVROM_NET_CTRL_OK);
	CU_ASSERT_EQUAL(passing(w), 9);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		mode(w, modes[i].mode, 1);
		CU_ASSERT_EQUAL(passing(w), modes[i].passes);
		mode(w, modes[i].mode, 0);
	}
	CU_ASSERT_EQUAL(net_world_command(w, 1, 0, tables, 20), PVROM_NET_CTRL_OK);
	CU_ASSERT_EQUAL(passing(w), 15);
	mode(w, PVROM_NET_CTRL_RX_NOMULTI, 1); /* stronger than the table */
	CU_ASSERT_EQUAL(passing(w), 11);
	mode(w, PVROM_NET_CTRL_RX_NOMULTI, 0);
	memset(tables, 0, sizeof(tables));
	CU_ASSERT_EQUAL(net_world_command(w, 1, 0, tables, 8), PVROM_NET_CTRL_OK);
	CU_ASSERT_EQUAL(passing(w), 9);
	CU_ASSERT_EQUAL(net_world_command(w, 1, 1, OTHER, 6), PVROM_NET_CTRL_OK);
	CU_ASSERT_EQUAL(passing(w), 10);
	net_world_close(w);
}

/* More addresses than there is room for: all of that kind pass, and none of the other. */
static void long_tables_let_all_pass(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	static uint8_t tables[8 + 65535 * 6];
	uint32_t count = PVROM_NET_MACS_MAX + 1;

	mode(w, PVROM_NET_CTRL_RX_PROMISC, 0);
	memcpy(tables, &count, 4);
	CU_ASSERT_EQUAL(net_world_command(w, 1, 0, tables, 8 + 6 * count), PVROM_NET_CTRL_OK);
	CU_ASSERT_EQUAL(passing(w), 11);
	count = 65535;
	memset(tables, 0, 4);
	memcpy(tables + 4, &count, 4);
	CU_ASSERT_EQUAL(net_world_command(w, 1, 0, tables, sizeof(tables)), PVROM_NET_CTRL_OK);
	CU_ASSERT_EQUAL(passing(w), 13);
	net_world_close(w);
}

static void filters_by_vlan(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	const uint16_t id = 4095;

	CU_ASSERT_EQUAL(arrive(w, OWN, 7), PVROM_NET_DELIVERED); /* promiscuous */
	mode(w, PVROM_NET_CTRL_RX_PROMISC, 0);
	CU_ASSERT_EQUAL(arrive(w, OWN, 4095), PVROM_NET_FILTERED);
	CU_ASSERT_EQUAL(net_world_command(w, 2, 0, &id, 2), PVROM_NET_CTRL_OK);
	CU_ASSERT_EQUAL(arrive(w, OWN, 4095), PVROM_NET_DELIVERED);
	CU_ASSERT_EQUAL(arrive(w, OWN, 4094), PVROM_NET_FILTERED);
	CU_ASSERT_EQUAL(arrive(w, OTHER, 4095), PVROM_NET_FILTERED);
	CU_ASSERT_EQUAL(net_world_command(w, 2, 1, &id, 2), PVROM_NET_CTRL_OK);
	CU_ASSERT_EQUAL(arrive(w, OWN, 4095), PVROM_NET_FILTERED);
	CU_ASSERT_EQUAL(w->host.counters.filtered, 4);
	pvrom_net_host_set_link(&w->host, false);
	CU_ASSERT_EQUAL(arrive(w, OWN, PVROM_NET_NO_VLAN), PVROM_NET_FILTERED);
	CU_ASSERT_EQUAL(w->host.counters.link_down, 1);
	net_world_close(w);
}

const struct tap_test net_filter_cases[] = {
	{ "addresses are filtered [PVROM-NET-8]", filters_by_address },
	{ "long address tables let all of their kind pass [PVROM-NET-9]",
	  long_tables_let_all_pass },
	{ "VLANs are filtered [PVROM-NET-8]", filters_by_vlan },
	{ 0 }
};
