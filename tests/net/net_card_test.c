/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The network card and a driver that keeps the rules: offloads both ways against the oracle, buffers,
 * filters, steering, coalescing, save and load.
 */
#include <stdlib.h>
#include <string.h>

#include "../cunit_tap.h"
#include "frame_oracle.h"
#include "net_world.h"

#define SPLIT PVROM_VQ_F_VERSION_1
#define PACKED (PVROM_VQ_F_VERSION_1 | PVROM_VQ_F_RING_PACKED)
#define HOST_OFFLOADS                                                                              \
	(PVROM_NET_F_CSUM | PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 | PVROM_NET_F_HOST_ECN | \
	 PVROM_NET_F_HOST_USO)
#define GUEST_OFFLOADS                                                                             \
	(PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 |                \
	 PVROM_NET_F_GUEST_ECN | PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6)

static uint8_t payload[66000], frame[ORACLE_FRAME_ROOM], want[ORACLE_FRAME_ROOM];
static struct world_received got;
static uint64_t seed = 7;

static uint32_t draw(uint32_t below)
{
	return oracle_random(&seed, below);
}

/* ---- features --------------------------------------------------------------------------------------------- */

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

/* ---- sending ---------------------------------------------------------------------------------------------- */

/* The frames that the driver's one becomes; the card may only be asked for what it has to do itself. */
static bool sent_as_segments(struct net_world *w, const struct frame_plan *p, uint32_t len,
			     uint16_t size)
{
	uint32_t n = 0, at = 0;

	do {
		const uint32_t part = !size || len - at < size ? len - at : size;
		const struct frame_plan plan = oracle_segment(p, n, at, at + part == len);
		const size_t bytes = oracle_build(&plan, payload + at, part, want);
		const struct world_frame *f = &w->sent[n];

		if (n >= w->sent_count || f->len != bytes || memcmp(f->bytes, want, bytes) != 0 ||
		    f->header.flags || f->header.gso_type)
			return false;
		at += part;
		n++;
	} while (at < len);
	return n == w->sent_count;
}

static void sends_what_was_asked_for(void)
{
	static const uint64_t rings[] = { SPLIT, PACKED };
	uint32_t i, wrong = 0;

	for (i = 0; i < 2; i++) {
		struct net_world *w = net_world_open(2, 0, NET_ALL, rings[i]);
		uint32_t n;

		for (n = 0; n < 400; n++) {
			const uint32_t len = draw(20) ? draw(3000) : 20000 + draw(40000);
			const uint16_t size = (uint16_t)(draw(3) ? 40 + draw(2000) : 0);
			struct pvrom_net_header h;
			struct frame_plan p;
			size_t bytes;

			oracle_draw(&p, &seed);
			h = oracle_header(&p, size);
			h.gso_type = size ? h.gso_type : PVROM_NET_GSO_NONE;
			bytes = oracle_build_partial(&p, payload, len, frame);
			wrong += !net_world_send(w, n & 1, &h, frame, bytes,
						 (uint32_t)bytes / 20 + 1 + draw(3000));
			wrong += !sent_as_segments(w, &p, len, size);
			net_world_forget_sent(w);
		}
		CU_ASSERT_EQUAL(w->host.counters.malformed, 0);
		net_world_close(w);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void backend_that_can_gets_it_as_it_is(void)
{
	const struct frame_plan p = { .ip = 4, .tcp = true };
	struct net_world *w = net_world_open(1, HOST_OFFLOADS, NET_ALL, SPLIT);
	const struct pvrom_net_header h = oracle_header(&p, 500);
	const size_t len = oracle_build_partial(&p, payload, 4000, frame);

	CU_ASSERT(net_world_send(w, 0, &h, frame, len, 1000));
	CU_ASSERT_EQUAL_FATAL(w->sent_count, 1);
	CU_ASSERT_EQUAL(w->sent[0].len, len);
	CU_ASSERT_EQUAL(memcmp(w->sent[0].bytes, frame, len), 0);
	CU_ASSERT_EQUAL(memcmp(&w->sent[0].header, &h, sizeof(h)), 0);
	w->refuse = true;
	CU_ASSERT(net_world_send(w, 0, &h, frame, len,
				 1000)); /* the buffer comes back all the same */
	CU_ASSERT_EQUAL(w->host.counters.send_failed, 1);
	CU_ASSERT_EQUAL(w->host.counters.sent, 1);
	w->refuse = false;
	pvrom_net_host_set_link(&w->host, false);
	CU_ASSERT(net_world_send(w, 0, &h, frame, len, 1000));
	CU_ASSERT_EQUAL(w->host.counters.link_down, 1);
	CU_ASSERT_EQUAL(w->sent_count, 1);
	net_world_close(w);
}

/* ---- receiving -------------------------------------------------------------------------------------------- */

/* Takes what the driver got, segment by segment if the driver cannot have it whole. */
static bool received_as(struct net_world *w, const struct frame_plan *p, uint32_t len,
			uint16_t size, bool whole)
{
	uint32_t n = 0, at = 0;

	do {
		const uint32_t part = whole || len - at < size ? len - at : size;
		const struct frame_plan plan = oracle_segment(p, n, at, at + part == len);
		const size_t bytes = whole ? oracle_build_partial(p, payload, len, want)
					   : oracle_build(&plan, payload + at, part, want);

		if (!net_world_take(w, 0, &got) || got.len != bytes ||
		    memcmp(got.bytes, want, bytes) != 0 || !!got.header.gso_type != whole ||
		    !!got.header.flags != whole)
			return false;
		at += part;
		n++;
	} while (at < len);
	return !net_world_take(w, 0, &got);
}

static uint64_t offload_for(const struct pvrom_net_header *h, const struct frame_plan *p)
{
	uint64_t o = PVROM_NET_F_GUEST_CSUM;

	if (p->tcp)
		o |= p->ip == 4 ? PVROM_NET_F_GUEST_TSO4 : PVROM_NET_F_GUEST_TSO6;
	else
		o |= p->ip == 4 ? PVROM_NET_F_GUEST_USO4 : PVROM_NET_F_GUEST_USO6;
	return o | (h->gso_type & PVROM_NET_GSO_ECN ? PVROM_NET_F_GUEST_ECN : 0);
}

/* The driver's set of offloads changes with every frame; each is needed and enough, or not. */
static void receives_as_the_driver_can(void)
{
	static const uint64_t rings[] = { SPLIT, PACKED };
	uint32_t i, n, wrong = 0, whole_count = 0;

	for (i = 0; i < 2; i++) {
		struct net_world *w =
			net_world_open(1, 0,
				       PVROM_NET_F_MRG_RXBUF | PVROM_NET_F_CTRL_VQ |
					       PVROM_NET_F_CTRL_GUEST_OFFLOADS | GUEST_OFFLOADS,
				       rings[i]);

		for (n = 0; n < 400; n++) {
			const uint32_t len = 1 + draw(3000);
			const uint16_t size = (uint16_t)(100 + draw(1500));
			struct pvrom_net_header h;
			struct frame_plan p;
			uint64_t offloads;
			size_t bytes;
			bool whole;

			oracle_draw(&p, &seed);
			p.ipv4_fragment = 0;
			h = oracle_header(&p, size);
			offloads = draw(2) ? GUEST_OFFLOADS : draw(2) ? offload_for(&h, &p) : 0;
			/* Take one away that it needs, at times. */
			whole = offloads && draw(3);
			if (offloads && !whole)
				offloads &= ~(offload_for(&h, &p) & ~PVROM_NET_F_GUEST_CSUM);
			wrong += net_world_command(w, 5, 0, &offloads, 8) != PVROM_NET_CTRL_OK;
			wrong += w->told_offloads != offloads;
			while (net_world_give(w, 0, 1600))
				;
			bytes = oracle_build_partial(&p, payload, len, frame);
			wrong += pvrom_net_receive(&w->host, &h, frame, bytes) !=
				 PVROM_NET_DELIVERED;
			wrong += !received_as(w, &p, len, size, whole);
			whole_count += whole;
		}
		net_world_close(w);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(whole_count > 100 && whole_count < 700);
}

static void fills_in_sums_that_the_driver_cannot_have_open(void)
{
	struct net_world *w = net_world_open(1, 0, 0, SPLIT);
	const struct frame_plan p = { .ip = 4, .tcp = false };
	struct pvrom_net_header h = oracle_header(&p, 0);
	const size_t len = oracle_build_partial(&p, payload, 77, frame);

	h.gso_type = PVROM_NET_GSO_NONE;
	oracle_build(&p, payload, 77, want);
	net_world_give(w, 0, 200);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_DELIVERED);
	CU_ASSERT(net_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(memcmp(got.bytes, want, len), 0);
	CU_ASSERT_EQUAL(got.header.flags, 0);
	CU_ASSERT_EQUAL(got.header.num_buffers, 1);
	net_world_close(w);
}

static void spreads_over_buffers_only_with_mergeable_ones(void)
{
	const struct pvrom_net_header plain = { 0 };
	struct net_world *w = net_world_open(1, 0, PVROM_NET_F_MRG_RXBUF, PACKED);
	uint32_t i;

	for (i = 0; i < 10; i++)
		net_world_give(w, 0, 100 + i);
	memset(frame, 3, 14);
	memcpy(frame + 14, payload, 486);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 500), PVROM_NET_DELIVERED);
	CU_ASSERT(net_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(got.header.num_buffers, 6); /* 100 + 101 + ... + 104 is 510, two short */
	CU_ASSERT_EQUAL(got.len, 500);
	CU_ASSERT_EQUAL(memcmp(got.bytes, frame, 500), 0);
	/* Four are left, 430 bytes: not enough, and not lost. */
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 500), PVROM_NET_NO_BUFFER);
	CU_ASSERT_EQUAL(w->host.counters.no_buffer, 1);
	net_world_give(w, 0, 100);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 500), PVROM_NET_DELIVERED);
	CU_ASSERT(net_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(got.header.num_buffers, 5);
	CU_ASSERT_EQUAL(memcmp(got.bytes, frame, 500), 0);
	net_world_close(w);

	w = net_world_open(1, 0, 0, SPLIT);
	net_world_give(w, 0, 511);
	net_world_give(w, 0, 512);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 500), PVROM_NET_DROPPED);
	CU_ASSERT_EQUAL(w->host.counters.too_small, 1);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 499), PVROM_NET_DELIVERED);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 500), PVROM_NET_DELIVERED);
	net_world_close(w);
}

/* ---- filters ---------------------------------------------------------------------------------------------- */

static enum pvrom_net_fate arrive(struct net_world *w, const char *to, uint32_t vlan)
{
	const struct pvrom_net_header plain = { 0 };

	memset(frame, 0, 60);
	memcpy(frame, to, 6);
	frame[12] = 8;
	if (vlan != PVROM_NET_NO_VLAN) {
		frame[12] = 0x81;
		frame[14] = (uint8_t)(0xe0 | vlan >> 8); /* with a priority */
		frame[15] = (uint8_t)vlan;
	}
	while (net_world_give(w, 0, 100))
		;
	return pvrom_net_receive(&w->host, &plain, frame, 60);
}

#define OWN "\2\0\0\0\0\1"
#define OTHER "\2\0\0\0\0\2"
#define GROUP "\1\0\136\0\0\5"
#define ALL "\377\377\377\377\377\377"

/* What passes, as bits: own, other, group, broadcast. */
static uint32_t passing(struct net_world *w)
{
	static const char *const to[] = { OWN, OTHER, GROUP, ALL };
	uint32_t i, bits = 0;

	for (i = 0; i < 4; i++)
		bits |= arrive(w, to[i], PVROM_NET_NO_VLAN) == PVROM_NET_DELIVERED ? 1u << i : 0;
	return bits;
}

static int mode(struct net_world *w, uint8_t number, uint8_t on)
{
	return net_world_command(w, PVROM_NET_CTRL_RX, number, &on, 1);
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

/* ---- steering --------------------------------------------------------------------------------------------- */

struct rss_command {
	uint32_t types;
	uint16_t mask, other;
	uint16_t table[4];
	uint16_t pairs;
	uint8_t key_length;
	uint8_t key[40];
} __attribute__((packed));

static struct rss_command rss_command(void)
{
	struct rss_command c = { .types = 7,
				 .mask = 3,
				 .other = 2,
				 .table = { 3, 1, 3, 1 },
				 .pairs = 4,
				 .key_length = 40 };
	uint32_t i;

	for (i = 0; i < sizeof(c.key); i++)
		c.key[i] = (uint8_t)(i * 37 + 1);
	return c;
}

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

/* ---- interrupts ------------------------------------------------------------------------------------------- */

static bool receive_and_publish(struct net_world *w, uint64_t now, uint64_t *again)
{
	arrive(w, OWN, PVROM_NET_NO_VLAN);
	return pvrom_net_queue_publish(&w->queue[0].queue, now, again);
}

static void coalesces(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	const uint32_t wanted[2] = { 3, 10 }, none[2] = { 0, 0 };
	struct pvrom_net_queue *q = &w->queue[0].queue;
	uint64_t again;

	CU_ASSERT(receive_and_publish(w, 5, &again));
	CU_ASSERT_EQUAL(net_world_command(w, 6, 1, wanted, 8), PVROM_NET_CTRL_OK);
	CU_ASSERT_FALSE(receive_and_publish(w, 1000, &again));
	CU_ASSERT_EQUAL(again, 11000);
	CU_ASSERT_FALSE(receive_and_publish(w, 2000, &again));
	CU_ASSERT_EQUAL(again, 11000);
	CU_ASSERT(receive_and_publish(w, 3000, &again)); /* the third */
	CU_ASSERT_EQUAL(again, UINT64_MAX);
	CU_ASSERT_FALSE(receive_and_publish(w, 20000, &again));
	CU_ASSERT_FALSE(pvrom_net_queue_publish(q, 29999, &again));
	CU_ASSERT(pvrom_net_queue_publish(q, 30000, &again)); /* the time */
	CU_ASSERT_FALSE(pvrom_net_queue_publish(q, 90000, &again));
	pvrom_vq_driver_interrupts_off(
		&w->queue[0].driver); /* who polls is not to be interrupted */
	CU_ASSERT_FALSE(receive_and_publish(w, 100000, &again));
	CU_ASSERT_EQUAL(again, UINT64_MAX);
	pvrom_vq_driver_interrupts_on(&w->queue[0].driver, 1);
	CU_ASSERT_EQUAL(net_world_command(w, 6, 1, none, 8), PVROM_NET_CTRL_OK);
	CU_ASSERT(receive_and_publish(w, 200000, &again));
	net_world_close(w);
}

/* ---- save, load, reset ------------------------------------------------------------------------------------- */

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

static const struct tap_test tests[] = {
	{ "features need each other", features_need_each_other },
	{ "one pair offers no more", one_pair_offers_no_more },
	{ "a set-up that contradicts itself is refused", set_up_is_checked },
	{ "configuration, link and announcement", configuration_and_link },
	{ "frames are summed and cut as asked", sends_what_was_asked_for },
	{ "a backend that can gets them as they are", backend_that_can_gets_it_as_it_is },
	{ "frames arrive as the driver can take them", receives_as_the_driver_can },
	{ "open sums are filled in for a driver without",
	  fills_in_sums_that_the_driver_cannot_have_open },
	{ "a frame is spread over mergeable buffers only",
	  spreads_over_buffers_only_with_mergeable_ones },
	{ "addresses are filtered", filters_by_address },
	{ "long address tables let all of their kind pass", long_tables_let_all_pass },
	{ "VLANs are filtered", filters_by_vlan },
	{ "frames are steered by hash and table", steers_by_table },
	{ "flows stay together without a table", steers_flows },
	{ "interrupts are coalesced", coalesces },
	{ "all state is saved and loaded", saves_and_loads_all },
	{ "no damaged state is loaded", loads_no_damaged_state },
	{ "a reset takes back what the driver set", reset_takes_all_back },
	{ 0 }
};

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)oracle_random(&(uint64_t){ i * 2654435761u + 99 }, 256);
	return tap_run("net.card", tests);
}
