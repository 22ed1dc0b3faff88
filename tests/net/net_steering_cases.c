/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * In which queue a frame arrives, and its hash.
 */
#include <string.h>

#include "net_card.h"

/* The queue in which a frame arrived; its hash is in `got`. */
static int arrived_in(struct net_world *w, const uint8_t *bytes, size_t len)
{
	const struct pvrom_net_header plain = { 0 };
	uint32_t pair;
	int found = -1;

	for (pair = 0; pair < 4; pair++)
		while (net_world_give(w, pair, 2000))
			;
	if (pvrom_net_receive(&w->host, &plain, bytes, len) != PVROM_NET_DELIVERED)
		return -2;
	for (pair = 0; pair < 4; pair++)
		if (net_world_take(w, pair, &got))
			found = found == -1 ? (int)pair : -3;
	return found;
}

static void steers_by_table(void)
{
	const struct rss_command c = rss_command();
	struct net_world *w = net_world_open(4, 0, NET_ALL, SPLIT);
	uint32_t i, wrong = 0, seen[4] = { 0 };

	CU_ASSERT_EQUAL(net_world_command(w, 4, 1, &c, sizeof(c)), PVROM_NET_CTRL_OK);
	for (i = 0; i < 300; i++) {
		struct frame_plan p;
		uint32_t hash;
		uint16_t report;
		size_t len;
		int pair;

		oracle_draw(&p, &seed);
		p.ip = draw(5) ? 4 : 6; /* no type of IPv6 was asked for */
		len = oracle_build(&p, payload, 10, frame);
		hash = pvrom_net_frame_hash(c.key, 7, frame, len, &report);
		pair = arrived_in(w, frame, len);
		wrong += pair != (p.ip == 6 ? 2 : c.table[hash & 3]);
		wrong += got.hash.value != hash || got.hash.report != report;
		seen[pair & 3]++;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(!seen[0] && seen[1] > 50 && seen[2] > 20 && seen[3] > 50);
	net_world_close(w);
}

/* Without a table: over as many pairs as the driver uses, each flow and its answers in one. */
static void steers_flows(void)
{
	struct net_world *w = net_world_open(4, 0, PVROM_NET_F_MQ | PVROM_NET_F_CTRL_VQ, SPLIT);
	const uint16_t pairs = 3;
	uint32_t i, wrong = 0, seen[4] = { 0 };

	CU_ASSERT_EQUAL(net_world_command(w, 4, 0, &pairs, 2), PVROM_NET_CTRL_OK);
	CU_ASSERT_EQUAL(pvrom_net_host_pairs(&w->host), 3);
	for (i = 0; i < 300; i++) {
		struct frame_plan p;
		uint8_t swapped[8];
		uint16_t port;
		size_t len;
		int pair;

		oracle_draw(&p, &seed);
		p.ip = 4;
		p.vlans = 0;
		len = oracle_build(&p, payload, 10, frame);
		pair = arrived_in(w, frame, len);
		seen[pair & 3]++;
		memcpy(swapped, frame + 14 + 16, 4);
		memcpy(swapped + 4, frame + 14 + 12, 4);
		port = p.ports[0], p.ports[0] = p.ports[1], p.ports[1] = port;
		oracle_build(&p, payload, 10, frame);
		memcpy(frame + 14 + 12, swapped, 8);
		wrong += arrived_in(w, frame, len) != pair;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(seen[0] > 50 && seen[1] > 50 && seen[2] > 50 && !seen[3]);
	net_world_close(w);
}

/* Somebody else has the control queue. */
static void pairs_by_the_embedder(void)
{
	struct net_world *w = net_world_open(4, 0, 0, SPLIT);
	uint32_t i, seen[4] = { 0 };

	CU_ASSERT_FALSE(pvrom_net_host_use_pairs(&w->host, 0));
	CU_ASSERT_FALSE(pvrom_net_host_use_pairs(&w->host, 5));
	CU_ASSERT_EQUAL(pvrom_net_host_pairs(&w->host), 1);
	CU_ASSERT(pvrom_net_host_use_pairs(&w->host, 2));
	for (i = 0; i < 40; i++) {
		const struct frame_plan p = { .ip = 4, .ports = { (uint16_t)draw(65536), 80 } };
		const size_t len = oracle_build(&p, payload, 10, frame);

		seen[arrived_in(w, frame, len) & 3]++;
	}
	CU_ASSERT(seen[0] > 5 && seen[1] > 5 && !seen[2] && !seen[3]);
	net_world_close(w);
}

const struct tap_test net_steering_cases[] = {
	{ "frames are steered by hash and table [PVROM-NET-10]", steers_by_table },
	{ "flows stay together without a table [PVROM-NET-11]", steers_flows },
	{ "the embedder may say how many pairs there are", pairs_by_the_embedder },
	{ 0 }
};
