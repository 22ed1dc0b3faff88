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

/* A frame and its answer: their queue, -4 if they have not got the same. */
static int flow_in(struct net_world *w)
{
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
	memcpy(swapped, frame + 14 + 16, 4);
	memcpy(swapped + 4, frame + 14 + 12, 4);
	port = p.ports[0], p.ports[0] = p.ports[1], p.ports[1] = port;
	oracle_build(&p, payload, 10, frame);
	memcpy(frame + 14 + 12, swapped, 8);
	return arrived_in(w, frame, len) == pair ? pair : -4;
}

static bool spreads_over_three(struct net_world *w)
{
	uint32_t i, seen[4] = { 0 };
	int pair;

	for (i = 0; i < 300; i++) {
		pair = flow_in(w);
		if (pair < 0)
			return false;
		seen[pair & 3]++;
	}
	return seen[0] > 50 && seen[1] > 50 && seen[2] > 50 && !seen[3];
}

/* Without a table: over as many pairs as the driver uses, each flow and its answers in one. */
static void steers_flows(void)
{
	struct net_world *w = net_world_open(4, 0, PVROM_NET_F_MQ | PVROM_NET_F_CTRL_VQ, SPLIT);
	const uint16_t pairs = 3;

	CU_ASSERT_EQUAL(net_world_command(w, 4, 0, &pairs, 2), PVROM_NET_CTRL_OK);
	CU_ASSERT_EQUAL(pvrom_net_host_pairs(&w->host), 3);
	CU_ASSERT(spreads_over_three(w));
	net_world_close(w);
}

struct hash_command {
	uint32_t types;
	uint16_t reserved[4];
	uint8_t key_length;
	uint8_t key[PVROM_NET_HASH_KEY_BYTES];
} __attribute__((packed));

/* As Linux does it: HASH_REPORT is taken, and no hash is asked for; then some, with a key that serves for one direction. */
static void hashes_that_are_told_steer_nothing(void)
{
	struct net_world *w = net_world_open(
		4, 0, PVROM_NET_F_MQ | PVROM_NET_F_CTRL_VQ | PVROM_NET_F_HASH_REPORT, SPLIT);
	struct hash_command c = { .types = PVROM_NET_HASH_IPV6,
				  .key_length = PVROM_NET_HASH_KEY_BYTES };
	const uint16_t pairs = 3;
	uint32_t i;

	CU_ASSERT_EQUAL(net_world_command(w, 4, 0, &pairs, 2), PVROM_NET_CTRL_OK);
	CU_ASSERT(spreads_over_three(w));
	CU_ASSERT(!got.hash.report && !got.hash.value);
	for (i = 0; i < sizeof(c.key); i++)
		c.key[i] = (uint8_t)(i * 37 + 1);
	CU_ASSERT_EQUAL(net_world_command(w, 4, 2, &c, sizeof(c)), PVROM_NET_CTRL_OK);
	CU_ASSERT(spreads_over_three(w));
	CU_ASSERT(!got.hash.report && !got.hash.value);
	c.types = PVROM_NET_HASH_IPV4;
	CU_ASSERT_EQUAL(net_world_command(w, 4, 2, &c, sizeof(c)), PVROM_NET_CTRL_OK);
	CU_ASSERT(spreads_over_three(w));
	CU_ASSERT(got.hash.report == PVROM_NET_HASH_REPORT_IPV4 && got.hash.value);
	net_world_close(w);
}

static int arrived_from(struct net_world *w, uint32_t from)
{
	const struct pvrom_net_header plain = { 0 };
	uint32_t pair;
	int found = -1;

	for (pair = 0; pair < 4; pair++)
		net_world_give(w, pair, 2000);
	if (pvrom_net_receive_from(&w->host, from, &plain, frame, 100) != PVROM_NET_DELIVERED)
		return -2;
	for (pair = 0; pair < 4; pair++)
		if (net_world_take(w, pair, &got))
			found = (int)pair;
	return found;
}

/* What a backend has in queues of its own stays in that queue, until the driver says otherwise. */
static void keeps_what_is_spread(void)
{
	struct rss_command c = rss_command();
	struct net_world *w = net_world_open(4, 0, NET_ALL, PACKED);
	const struct frame_plan p = { .ip = 4, .ports = { 5, 6 } };
	const uint16_t pairs = 3;
	int by_flow;

	oracle_build(&p, payload, 80, frame);
	CU_ASSERT_EQUAL(net_world_command(w, 4, 0, &pairs, 2), PVROM_NET_CTRL_OK);
	by_flow = arrived_in(w, frame, 100);
	CU_ASSERT_EQUAL(arrived_from(w, 0), 0);
	CU_ASSERT_EQUAL(arrived_from(w, 1), 1);
	CU_ASSERT_EQUAL(arrived_from(w, 2), 2);
	CU_ASSERT_EQUAL(arrived_from(w, 3), by_flow); /* the driver does not use that one */
	c.table[0] = c.table[1] = c.table[2] = c.table[3] = 2;
	CU_ASSERT_EQUAL(net_world_command(w, 4, 1, &c, sizeof(c)), PVROM_NET_CTRL_OK);
	CU_ASSERT_EQUAL(arrived_from(w, 1), 2);
	net_world_close(w);
}

/* Straight into the driver's buffers as long as nobody wants to see the hash; its place is zero. */
static void goes_straight_until_hashes_are_wanted(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	struct hash_command c = { .types = PVROM_NET_HASH_IPV4, .key_length = 0 };
	const struct pvrom_net_header plain = { 0 };
	struct pvrom_net_vec vec[4];

	memset(w->memory + w->queue[0].next_data, 0xee, 2000);
	net_world_give(w, 0, 2000);
	memset(frame, 5, 100);
	CU_ASSERT_EQUAL(pvrom_net_room(&w->host, 0, vec, 4, 1514), 1);
	memcpy(vec[0].base, frame, 100);
	CU_ASSERT_EQUAL(pvrom_net_arrived(&w->host, 0, &plain, 100), PVROM_NET_DELIVERED);
	CU_ASSERT(net_world_take(w, 0, &got));
	CU_ASSERT(got.len == 100 && !memcmp(got.bytes, frame, 100));
	CU_ASSERT(!got.hash.value && !got.hash.report && !got.hash.padding);
	net_world_give(w, 0, 2000);
	CU_ASSERT_EQUAL(net_world_command(w, 4, 2, &c, 13), PVROM_NET_CTRL_OK);
	CU_ASSERT_EQUAL(pvrom_net_room(&w->host, 0, vec, 4, 1514), 0);
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
	{ "hashes that are told do not steer [PVROM-NET-11] [PVROM-NET-29]",
	  hashes_that_are_told_steer_nothing },
	{ "frames that a backend has spread stay where they are [PVROM-NET-11]",
	  keeps_what_is_spread },
	{ "frames go straight in until hashes are wanted", goes_straight_until_hashes_are_wanted },
	{ "the embedder may say how many pairs there are", pairs_by_the_embedder },
	{ 0 }
};
