/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Commands that are none, are cut short, or ask for what must not be.
 */
#include <string.h>

#include "net_hostile.h"

struct command_case {
	const char *name;
	uint8_t class, number;
	uint32_t len;
	uint8_t data[64];
};

#define KEY_40                                                                                     \
	40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, \
		25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40

static const struct command_case commands[] = {
	{ "an unknown class", 7, 0, 1, { 1 } },
	{ "class 255", 255, 255, 1, { 1 } },
	{ "a receive mode that is none", 0, 6, 1, { 1 } },
	{ "a MAC command that is none", 1, 2, 6, { 2 } },
	{ "a VLAN command that is none", 2, 2, 2, { 1 } },
	{ "an announcement that is none", 3, 1, 0, { 0 } },
	{ "a queue command that is none", 4, 3, 2, { 1 } },
	{ "an offload command that is none", 5, 1, 8, { 0 } },
	{ "a coalescing command that is none", 6, 2, 8, { 0 } },
	{ "a receive mode without its byte", 0, 0, 0, { 0 } },
	{ "a receive mode of two bytes", 0, 0, 2, { 0 } },
	{ "address tables without a count", 1, 0, 0, { 0 } },
	{ "address tables, the first count cut", 1, 0, 3, { 0 } },
	{ "address tables, the first shorter than its count", 1, 0, 13, { 2, 0, 0, 0, 2 } },
	{ "address tables, a count of 2^32 - 1", 1, 0, 14, { 255, 255, 255, 255, 2 } },
	{ "address tables, a count that wraps times 6", 1, 0, 8, { 0xab, 0xaa, 0xaa, 0x2a } },
	{ "address tables, no second one", 1, 0, 4, { 0 } },
	{ "address tables, the second count cut", 1, 0, 7, { 0 } },
	{ "address tables, the second shorter than its count", 1, 0, 13, { 0, 0, 0, 0, 1 } },
	{ "address tables, a byte behind", 1, 0, 9, { 0 } },
	{ "an address of 5 bytes", 1, 1, 5, { 2, 3, 4, 5, 6 } },
	{ "an address of 7 bytes", 1, 1, 7, { 2, 3, 4, 5, 6, 7, 8 } },
	{ "a group's address as the card's own", 1, 1, 6, { 3, 3, 4, 5, 6, 7 } },
	{ "VLAN 4096", 2, 0, 2, { 0, 16 } },
	{ "VLAN 65,535 away", 2, 1, 2, { 255, 255 } },
	{ "a VLAN of one byte", 2, 0, 1, { 1 } },
	{ "a VLAN of three bytes", 2, 0, 3, { 1 } },
	{ "an announcement's acknowledgement with data", 3, 0, 1, { 0 } },
	{ "no queue pairs", 4, 0, 2, { 0, 0 } },
	{ "more queue pairs than there are", 4, 0, 2, { 5, 0 } },
	{ "65,535 queue pairs", 4, 0, 2, { 255, 255 } },
	{ "queue pairs in one byte", 4, 0, 1, { 2 } },
	{ "RSS, unknown types", 4, 1, 53, { 64, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, KEY_40 } },
	{ "RSS, a table longer than there is room for", 4, 1, 64, { 1, 0, 0, 0, 128 } },
	{ "RSS, a mask of 65,535", 4, 1, 64, { 1, 0, 0, 0, 255, 255 } },
	{ "RSS, a mask that is none",
	  4,
	  1,
	  57,
	  { 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1, 0, 1, 0, 4, 0, KEY_40 } },
	{ "RSS, a table entry of no pair",
	  4,
	  1,
	  53,
	  { 1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 4, 0, KEY_40 } },
	{ "RSS, the rest to no pair", 4, 1, 53, { 1, 0, 0, 0, 0, 0, 4, 0, 1, 0, 4, 0, KEY_40 } },
	{ "RSS, no pairs to send by", 4, 1, 53, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, KEY_40 } },
	{ "RSS, more pairs to send by than there are",
	  4,
	  1,
	  53,
	  { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 5, 0, KEY_40 } },
	{ "RSS, a key of 41 bytes", 4, 1, 54, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, 41 } },
	{ "RSS, a key of 255 bytes", 4, 1, 64, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, 255 } },
	{ "RSS, a key cut short", 4, 1, 52, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, 40 } },
	{ "RSS, a byte behind the key", 4, 1, 54, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, KEY_40 } },
	{ "RSS, no key at all", 4, 1, 12, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0 } },
	{ "RSS, a table cut short", 4, 1, 9, { 1, 0, 0, 0, 0, 0, 0, 0, 1 } },
	{ "hashes, unknown types", 4, 2, 53, { 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, KEY_40 } },
	{ "hashes, a key of 41 bytes", 4, 2, 54, { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 41 } },
	{ "hashes, cut in the reserved words", 4, 2, 11, { 1 } },
	{ "offloads of 7 bytes", 5, 0, 7, { 0 } },
	{ "offloads of 9 bytes", 5, 0, 9, { 0 } },
	{ "offloads, a feature that is none", 5, 0, 8, { 1 } },
	{ "coalescing of 4 bytes", 6, 0, 4, { 1 } },
	{ "coalescing of 12 bytes", 6, 1, 12, { 1 } },
};

static void refused_commands(void)
{
	struct net_world *w = net_world_open(4, 0, NET_ALL, SPLIT);
	struct pvrom_net_driver_state before;
	uint32_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command_case *c = &commands[i];
		bool fine;

		memcpy(&before, &w->host.driver, sizeof(before));
		fine = net_world_command(w, c->class, c->number, c->data, c->len) ==
			       PVROM_NET_CTRL_ERR &&
		       !memcmp(&before, &w->host.driver, sizeof(before)) && still_works(w);
		if (!fine)
			tap_note("%s", c->name);
		CU_ASSERT(fine);
	}
	CU_ASSERT_EQUAL(w->host.counters.commands_failed, i);
	net_world_close(w);
}

/* Each of them is fine with its feature, and refused without. */
static void commands_without_their_feature(void)
{
	static const struct command_case good[] = {
		{ "mode", 0, 1, 1, { 1 } },
		{ "extra mode", 0, 2, 1, { 1 } },
		{ "tables", 1, 0, 8, { 0 } },
		{ "address", 1, 1, 6, { 2 } },
		{ "VLAN", 2, 0, 2, { 1 } },
		{ "announce", 3, 0, 0, { 0 } },
		{ "pairs", 4, 0, 2, { 2 } },
		{ "RSS", 4, 1, 53, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, KEY_40 } },
		{ "hash", 4, 2, 53, { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, KEY_40 } },
		{ "offloads", 5, 0, 8, { 0 } },
		{ "coalescing", 6, 0, 8, { 0 } },
	};
	struct net_world *all = net_world_open(4, 0, NET_ALL, SPLIT);
	struct net_world *none = net_world_open(4, 0, PVROM_NET_F_CTRL_VQ, SPLIT);
	uint32_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct command_case *c = &good[i];

		CU_ASSERT_EQUAL(net_world_command(all, c->class, c->number, c->data, c->len),
				PVROM_NET_CTRL_OK);
		CU_ASSERT_EQUAL(net_world_command(none, c->class, c->number, c->data, c->len),
				PVROM_NET_CTRL_ERR);
	}
	net_world_close(all);
	net_world_close(none);
}

static void offloads_that_were_not_negotiated(void)
{
	struct net_world *w = net_world_open(1, 0,
					     PVROM_NET_F_CTRL_VQ | PVROM_NET_F_CTRL_GUEST_OFFLOADS |
						     PVROM_NET_F_GUEST_CSUM,
					     SPLIT);
	const uint64_t tso = PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4;

	CU_ASSERT_EQUAL(net_world_command(w, 5, 0, &tso, 8), PVROM_NET_CTRL_ERR);
	CU_ASSERT_EQUAL(w->told_offloads, PVROM_NET_F_GUEST_CSUM);
	net_world_close(w);
}

/* With all the bytes that it says: the table would be written past its end. */
static void rss_table_longer_than_there_is_room_for(void)
{
	struct net_world *w = net_world_open(4, 0, NET_ALL, SPLIT);
	uint8_t data[8 + 256 * 2 + 2 + 1] = { 1, 0, 0, 0, 255 };

	data[8 + 256 * 2] = 1; /* pairs to send by; no key */
	CU_ASSERT_EQUAL(net_world_command(w, 4, 1, data, sizeof(data)), PVROM_NET_CTRL_ERR);
	data[4] = 127;
	data[8 + 128 * 2] = 1;
	CU_ASSERT_EQUAL(net_world_command(w, 4, 1, data, 8 + 128 * 2 + 3), PVROM_NET_CTRL_OK);
	CU_ASSERT(still_works(w));
	net_world_close(w);
}

static void command_buffers(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	const uint8_t off[3] = { 0, 0, 0 };

	CU_ASSERT_EQUAL(net_world_command_raw(w, off, 3, 0), -1); /* nowhere to acknowledge */
	CU_ASSERT(w->host.driver.promiscuous);			  /* so it is not obeyed */
	CU_ASSERT_EQUAL(net_world_command_raw(w, off, 0, 1), PVROM_NET_CTRL_ERR);
	CU_ASSERT_EQUAL(net_world_command_raw(w, off, 1, 1), PVROM_NET_CTRL_ERR);
	CU_ASSERT_EQUAL(net_world_command_raw(w, off, 3, 0x100000), PVROM_NET_CTRL_OK);
	CU_ASSERT_FALSE(w->host.driver.promiscuous);
	CU_ASSERT(still_works(w));
	net_world_close(w);
}

/* Two tables of 65,535 addresses each, all there; then one address too few, and one byte too many. */
static void tables_of_65535(void)
{
	static uint8_t data[2 * (4 + 65535 * 6) + 1];
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	const uint32_t count = 65535, half = 4 + 65535 * 6;
	struct pvrom_net_driver_state before;

	memcpy(&before, &w->host.driver, sizeof(before));
	memcpy(data, &count, 4);
	memcpy(data + half, &count, 4);
	CU_ASSERT_EQUAL(net_world_command(w, 1, 0, data, sizeof(data) - 7), PVROM_NET_CTRL_ERR);
	CU_ASSERT_EQUAL(net_world_command(w, 1, 0, data, sizeof(data)), PVROM_NET_CTRL_ERR);
	CU_ASSERT_EQUAL(memcmp(&before, &w->host.driver, sizeof(before)), 0);
	CU_ASSERT_EQUAL(net_world_command(w, 1, 0, data, sizeof(data) - 1), PVROM_NET_CTRL_OK);
	CU_ASSERT(w->host.driver.unicast.overflow && w->host.driver.multicast.overflow);
	CU_ASSERT_EQUAL(w->host.driver.unicast.count, 0);
	CU_ASSERT(still_works(w));
	net_world_close(w);
}

/* A byte a descriptor: a command may be cut as the driver likes, but not into more pieces than there is room for. */
static void commands_in_crumbs(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	uint8_t data[80] = { 6, 1, 9, 0, 0, 0, 8 };

	CU_ASSERT_EQUAL(net_world_command_cut(w, data, 10, 1), PVROM_NET_CTRL_OK);
	CU_ASSERT_EQUAL(w->host.driver.receive.packets, 9);
	CU_ASSERT_EQUAL(w->host.driver.receive.usecs, 8);
	CU_ASSERT_EQUAL(net_world_command_cut(w, data, 63, 1), PVROM_NET_CTRL_ERR);
	CU_ASSERT_EQUAL(w->host.driver.receive.usecs, 8);
	CU_ASSERT(still_works(w));
	net_world_close(w);
}

const struct tap_test hostile_commands[] = {
	{ "54 commands that are refused, and change nothing [PVROM-NET-14] [PVROM-NET-15]",
	  refused_commands },
	{ "11 commands without their feature [PVROM-NET-15]", commands_without_their_feature },
	{ "offloads that were not negotiated", offloads_that_were_not_negotiated },
	{ "an RSS table longer than there is room for", rss_table_longer_than_there_is_room_for },
	{ "tables of 65,535 addresses, and an address or a byte beside", tables_of_65535 },
	{ "commands in pieces of a byte", commands_in_crumbs },
	{ "commands without place for an answer, or without a command", command_buffers },
	{ 0 }
};
