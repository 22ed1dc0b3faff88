/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The network driver's offloads against our own card and the oracle of frames, and every command of its control
 * queue: what the card then does, or no longer.
 */
#include "net_guest_world.h"

#include <stdlib.h>
#include <string.h>

#include "../cunit_tap.h"
#include "frame_oracle.h"

#define PACKED PVROM_VQ_F_RING_PACKED
#define HOST_OFFLOADS                                                                              \
	(PVROM_NET_F_CSUM | PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 | PVROM_NET_F_HOST_ECN | \
	 PVROM_NET_F_HOST_USO)
#define GUEST_OFFLOADS                                                                             \
	(PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 |                \
	 PVROM_NET_F_GUEST_ECN | PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6)

static const struct pvrom_net_header plain;
static uint8_t payload[66000], frame[ORACLE_FRAME_ROOM], want[ORACLE_FRAME_ROOM];
static struct ngw_received got;
static uint64_t seed = 11;

static uint32_t draw(uint32_t below)
{
	return oracle_random(&seed, below);
}

static struct net_guest_world *begun(const struct ngw_setup *setup,
				     const struct pvrom_net_guest_config *settings,
				     uint32_t buffers)
{
	struct net_guest_world *w = net_guest_world_open(setup);

	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, settings, buffers), PVROM_VIRTIO_OK);
	return w;
}

/* ---- sending ------------------------------------------------------------------------------------------------ */

static bool sent_as_segments(struct net_guest_world *w, const struct frame_plan *p, uint32_t len,
			     uint16_t size)
{
	uint32_t n = 0, at = 0;

	do {
		const uint32_t part = !size || len - at < size ? len - at : size;
		const struct frame_plan plan = oracle_segment(p, n, at, at + part == len);
		const size_t bytes = oracle_build(&plan, payload + at, part, want);
		const struct ngw_sent *s = &w->sent[n];

		if (n >= w->sent_count || s->len != bytes || memcmp(s->bytes, want, bytes) != 0)
			return false;
		at += part;
		n++;
	} while (at < len);
	return n == w->sent_count;
}

/* One frame that asks for a checksum, or to be cut as well; the wire can do neither. */
static bool send_one(struct net_guest_world *w)
{
	const uint32_t len = draw(20) ? draw(1200) : 20000 + draw(40000);
	const uint16_t size = (uint16_t)(draw(3) || len > 1200 ? 40 + draw(1200) : 0);
	struct pvrom_net_header h;
	struct frame_plan p;
	bool good;
	size_t bytes;

	oracle_draw(&p, &seed);
	h = oracle_header(&p, size);
	h.gso_type = size ? h.gso_type : PVROM_NET_GSO_NONE;
	bytes = oracle_build_partial(&p, payload, len, w->memory + NGW_DATA);
	good = net_guest_world_send(w, 0, &h, (uint32_t)bytes) == PVROM_NET_GUEST_OK &&
	       sent_as_segments(w, &p, len, size);
	net_guest_world_forget_sent(w);
	return good;
}

static void every_offload_of_sending(void)
{
	uint32_t packed, i, wrong = 0;

	for (packed = 0; packed < 2; packed++) {
		const struct ngw_setup setup = { .ring = packed ? PACKED : 0 };
		struct net_guest_world *w = begun(&setup, NULL, 1);

		CU_ASSERT_EQUAL(w->net.features & HOST_OFFLOADS, HOST_OFFLOADS);
		for (i = 0; i < 400; i++)
			wrong += !send_one(w);
		CU_ASSERT_EQUAL(w->host.counters.malformed, 0);
		net_guest_world_close(w);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

/* Every field of the header as it was said; hdr_len too, which nothing here believes. */
static void wire_gets_the_header(void)
{
	const struct ngw_setup setup = { .can = HOST_OFFLOADS };
	const struct frame_plan p = { .ip = 6, .tcp = true, .tcp_flags = 0x80 };
	const struct pvrom_net_header h = oracle_header(&p, 700);
	struct net_guest_world *w = begun(&setup, NULL, 1);
	const size_t bytes = oracle_build_partial(&p, payload, 5000, w->memory + NGW_DATA);

	CU_ASSERT_EQUAL(net_guest_world_send(w, 0, &h, (uint32_t)bytes), PVROM_NET_GUEST_OK);
	CU_ASSERT_EQUAL_FATAL(w->sent_count, 1);
	CU_ASSERT_EQUAL(memcmp(&w->sent[0].header, &h, sizeof(h)), 0);
	CU_ASSERT_EQUAL(w->sent[0].len, bytes);
	net_guest_world_close(w);
}

/* ---- receiving ------------------------------------------------------------------------------------------------ */

static bool received_as(struct net_guest_world *w, const struct frame_plan *p, uint32_t len,
			const struct pvrom_net_header *h, bool whole)
{
	uint32_t n = 0, at = 0;

	do {
		const uint32_t part = whole || len - at < h->gso_size ? len - at : h->gso_size;
		const struct frame_plan plan = oracle_segment(p, n, at, at + part == len);
		const size_t bytes = whole ? oracle_build_partial(p, payload, len, want)
					   : oracle_build(&plan, payload + at, part, want);

		if (!net_guest_world_take(w, 0, &got) || got.frame.len != bytes ||
		    memcmp(got.bytes, want, bytes) != 0 ||
		    got.frame.gso_type != (whole ? h->gso_type : 0) ||
		    got.frame.gso_size != (whole ? h->gso_size : 0) ||
		    got.frame.flags != (whole ? PVROM_NET_HDR_NEEDS_CSUM : 0) ||
		    got.frame.csum_start != (whole ? h->csum_start : 0) ||
		    got.frame.csum_offset != (whole ? h->csum_offset : 0))
			return false;
		at += part;
		n++;
	} while (at < len);
	return !net_guest_world_take(w, 0, &got);
}

/* Frames in several segments come whole while the offloads are on, and cut when they were switched off. */
static void every_offload_of_receiving(void)
{
	uint32_t packed, i, wrong = 0;

	for (packed = 0; packed < 2; packed++) {
		const struct ngw_setup setup = { .ring = packed ? PACKED : 0 };
		struct net_guest_world *w = begun(&setup, NULL, 100);

		CU_ASSERT_EQUAL(w->net.offloads, GUEST_OFFLOADS);
		for (i = 0; i < 400; i++) {
			const bool whole = draw(2);
			const uint32_t len = 1 + draw(whole && !draw(9) ? 60000 : 3000);
			struct pvrom_net_header h;
			struct frame_plan p;
			size_t bytes;

			oracle_draw(&p, &seed);
			p.ipv4_fragment = 0;
			h = oracle_header(&p, (uint16_t)(100 + draw(1500)));
			bytes = oracle_build_partial(&p, payload, len, frame);
			wrong += pvrom_net_guest_set_offloads(&w->net,
							      whole ? GUEST_OFFLOADS : 0) != 0;
			wrong += net_guest_world_arrive(w, &h, frame, bytes) != PVROM_NET_DELIVERED;
			wrong += !received_as(w, &p, len, &h, whole);
		}
		CU_ASSERT_EQUAL(pvrom_net_guest_set_offloads(&w->net, PVROM_NET_F_CSUM),
				PVROM_NET_GUEST_BAD_REQUEST);
		net_guest_world_close(w);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void says_what_was_found_right(void)
{
	const struct pvrom_net_header valid = { .flags = PVROM_NET_HDR_DATA_VALID };
	const struct frame_plan p = { .ip = 4 };
	struct net_guest_world *w = begun(NULL, NULL, 4);
	const size_t bytes = oracle_build(&p, payload, 100, frame);

	net_guest_world_arrive(w, &valid, frame, bytes);
	CU_ASSERT_TRUE(net_guest_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(got.frame.flags, PVROM_NET_HDR_DATA_VALID);
	net_guest_world_close(w);
}

/* Without mergeable buffers long frames are taken only into long buffers (VIRTIO 1.2, 5.1.6.3.1). */
static void long_frames_need_long_buffers(void)
{
	const struct ngw_setup setup = { .withhold = PVROM_NET_F_MRG_RXBUF };
	const struct pvrom_net_guest_config too_short = { .buffer = 65561 },
					    enough = { .size = 4, .buffer = 65562 },
					    tiny = { .buffer = 1533 };
	struct net_guest_world *w = begun(&setup, &too_short, 0);

	CU_ASSERT_EQUAL(w->net.offloads, PVROM_NET_F_GUEST_CSUM);
	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, &enough, 0), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(w->net.offloads, GUEST_OFFLOADS);
	CU_ASSERT_EQUAL(net_guest_world_begin(w, &tiny, 0), PVROM_VIRTIO_FEATURES);
	net_guest_world_close(w);
	w = begun(NULL, &tiny, 0);
	CU_ASSERT_TRUE(w->net.features & PVROM_NET_F_MRG_RXBUF);
	net_guest_world_close(w);
}

/* An MTU that does not fit into buffers is not agreed to. */
static void an_mtu_needs_room(void)
{
	const struct ngw_setup setup = { .withhold = PVROM_NET_F_MRG_RXBUF, .mtu = 9000 };
	const struct pvrom_net_guest_config room = { .buffer = 9026 };
	struct net_guest_world *w = begun(&setup, NULL, 0);

	CU_ASSERT_FALSE(w->net.features & PVROM_NET_F_MTU);
	CU_ASSERT_EQUAL(w->net.mtu, 1500);
	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, &room, 0), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(w->net.mtu, 9000);
	net_guest_world_close(w);
}

/* ---- queues ----------------------------------------------------------------------------------------------------- */

static const struct ngw_setup four_pairs = { .pairs = 4 };
static uint8_t key[PVROM_NET_HASH_KEY_BYTES];

static void draw_key(void)
{
	uint32_t i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)draw(256);
}

/* Which pair has a frame, which is in `got` then; PAIRS: none, or several. */
static uint32_t pair_that_got_it(struct net_guest_world *w)
{
	static struct ngw_received other;
	uint32_t i, found = NGW_PAIRS;

	for (i = 0; i < w->net.pairs && found == NGW_PAIRS; i++)
		if (net_guest_world_take(w, i, &got))
			found = i;
	for (; i < w->net.pairs; i++)
		if (net_guest_world_take(w, i, &other))
			return NGW_PAIRS;
	return found;
}

/* [hash & mask] of the table chooses the queue, and the hash is told as the oracle of pvnet makes it. */
static void rss_steers_and_reports(void)
{
	const struct pvrom_net_guest_config settings = { .pairs = 4, .hash_report = true };
	struct net_guest_world *w = begun(&four_pairs, &settings, 8);
	uint16_t table[64];
	struct pvrom_net_guest_rss rss = {
		.types = 0x3f, .entries = 64, .other = 3, .pairs = 4, .table = table, .key = key
	};
	uint32_t i, wrong = 0, used[NGW_PAIRS] = { 0 };

	draw_key();
	for (i = 0; i < 64; i++)
		table[i] = (uint16_t)draw(4);
	CU_ASSERT_EQUAL(w->net.header_bytes, 20);
	CU_ASSERT_EQUAL_FATAL(pvrom_net_guest_rss(&w->net, &rss), PVROM_NET_GUEST_OK);
	for (i = 0; i < 400; i++) {
		struct frame_plan p;
		uint16_t report;
		uint32_t hash, pair;
		size_t bytes;

		oracle_draw(&p, &seed);
		bytes = oracle_build(&p, payload, 30, frame);
		hash = pvrom_net_frame_hash(key, 0x3f, frame, bytes, &report);
		net_guest_world_arrive(w, &plain, frame, bytes);
		pair = pair_that_got_it(w);
		wrong += pair != (report ? table[hash & 63] : 3u) || got.frame.hash != hash ||
			 got.frame.report != report;
		used[pair % NGW_PAIRS]++;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(used[0] && used[1] && used[2] && used[3]);
	net_guest_world_close(w);
}

static void rss_that_cannot_be(void)
{
	struct net_guest_world *w = begun(&four_pairs, NULL, 1);
	uint16_t table[4] = { 0, 1, 2, 3 };
	const struct pvrom_net_guest_rss good = {
		.types = 1, .entries = 4, .pairs = 4, .table = table, .key = key
	};
	struct pvrom_net_guest_rss r;

	CU_ASSERT_EQUAL(pvrom_net_guest_rss(&w->net, &good), PVROM_NET_GUEST_OK);
#define BAD_RSS(change)                                                                            \
	do {                                                                                       \
		r = good;                                                                          \
		change;                                                                            \
		CU_ASSERT_EQUAL(pvrom_net_guest_rss(&w->net, &r), PVROM_NET_GUEST_BAD_REQUEST);    \
	} while (0)
	BAD_RSS(r.entries = 3);
	BAD_RSS(r.entries = 0);
	BAD_RSS(r.entries = 256);
	BAD_RSS(r.pairs = 0);
	BAD_RSS(r.pairs = 5);
	BAD_RSS(r.other = 4);
	BAD_RSS(r.types = 64);
	BAD_RSS(table[3] = 4);
	CU_ASSERT_EQUAL(w->host.counters.commands_failed, 0);
	net_guest_world_close(w);
}

static void pairs_can_be_fewer(void)
{
	struct net_guest_world *w = begun(&four_pairs, NULL, 8);
	const struct frame_plan p = { .ip = 4, .tcp = true };
	const size_t bytes = oracle_build(&p, payload, 30, frame);

	CU_ASSERT_EQUAL(pvrom_net_host_pairs(&w->host), 4);
	CU_ASSERT_EQUAL(pvrom_net_guest_set_pairs(&w->net, 1), PVROM_NET_GUEST_OK);
	CU_ASSERT_EQUAL(pvrom_net_host_pairs(&w->host), 1);
	net_guest_world_arrive(w, &plain, frame, bytes);
	CU_ASSERT_EQUAL(pair_that_got_it(w), 0);
	CU_ASSERT_EQUAL(pvrom_net_guest_set_pairs(&w->net, 5), PVROM_NET_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(pvrom_net_guest_set_pairs(&w->net, 0), PVROM_NET_GUEST_BAD_REQUEST);
	net_guest_world_close(w);
}

static void hashes_without_rss(void)
{
	const struct pvrom_net_guest_config settings = { .hash_report = true };
	struct net_guest_world *w = begun(NULL, &settings, 8);
	const struct frame_plan p = { .ip = 6, .tcp = false };
	const size_t bytes = oracle_build(&p, payload, 30, frame);
	uint16_t report;

	draw_key();
	CU_ASSERT_EQUAL(pvrom_net_guest_hash(&w->net, PVROM_NET_HASH_IPV6, key),
			PVROM_NET_GUEST_OK);
	CU_ASSERT_EQUAL(pvrom_net_guest_hash(&w->net, 64, key), PVROM_NET_GUEST_BAD_REQUEST);
	net_guest_world_arrive(w, &plain, frame, bytes);
	CU_ASSERT_TRUE(net_guest_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(got.frame.report, PVROM_NET_HASH_REPORT_IPV6);
	CU_ASSERT_EQUAL(got.frame.hash,
			pvrom_net_frame_hash(key, PVROM_NET_HASH_IPV6, frame, bytes, &report));
	net_guest_world_close(w);
}

/* ---- which frames come -------------------------------------------------------------------------------------------- */

static bool comes(struct net_guest_world *w, const uint8_t to[6], uint16_t vlan)
{
	const uint8_t tag[4] = { 0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan };

	memset(frame, 0, 100);
	memcpy(frame, to, 6);
	if (vlan)
		memcpy(frame + 12, tag, 4);
	return net_guest_world_arrive(w, &plain, frame, 100) == PVROM_NET_DELIVERED &&
	       net_guest_world_take(w, 0, &got);
}

#define MODE(mode, on)                                                                             \
	CU_ASSERT_EQUAL(pvrom_net_guest_receive_mode(&w->net, PVROM_NET_CTRL_RX_##mode, on),       \
			PVROM_NET_GUEST_OK)

static void modes_and_addresses(void)
{
	static const uint8_t own[6] = { 2, 0, 0, 0, 0, 1 }, other[6] = { 2, 9, 9, 9, 9, 9 },
			     group[6] = { 3, 1, 1, 1, 1, 1 },
			     all[6] = { 255, 255, 255, 255, 255, 255 };
	uint8_t many[PVROM_NET_GUEST_MACS][6] = { { 2, 7 } };
	struct net_guest_world *w = begun(NULL, NULL, 8);

	CU_ASSERT_TRUE(comes(w, other, 0)); /* promiscuous until the driver says otherwise */
	MODE(PROMISC, false);
	CU_ASSERT_TRUE(comes(w, own, 0) && comes(w, all, 0));
	CU_ASSERT_FALSE(comes(w, other, 0) || comes(w, group, 0));
	MODE(ALLMULTI, true);
	CU_ASSERT_TRUE(comes(w, group, 0) && !comes(w, other, 0));
	MODE(ALLMULTI, false);
	MODE(ALLUNI, true);
	CU_ASSERT_TRUE(!comes(w, group, 0) && comes(w, other, 0));
	MODE(ALLUNI, false);
	MODE(NOBCAST, true);
	CU_ASSERT_FALSE(comes(w, all, 0));
	MODE(NOBCAST, false);
	MODE(NOUNI, true);
	CU_ASSERT_FALSE(comes(w, own, 0));
	MODE(NOUNI, false);
	memcpy(many[PVROM_NET_GUEST_MACS - 1], other, 6);
	CU_ASSERT_EQUAL(pvrom_net_guest_mac_table(&w->net, (const uint8_t(*)[6])many,
						  PVROM_NET_GUEST_MACS, &group, 1),
			PVROM_NET_GUEST_OK);
	CU_ASSERT_TRUE(comes(w, other, 0) && comes(w, group, 0));
	MODE(NOMULTI, true);
	CU_ASSERT_FALSE(comes(w, group, 0));
	CU_ASSERT_EQUAL(pvrom_net_guest_mac_table(&w->net, NULL, 0, NULL, 0), PVROM_NET_GUEST_OK);
	CU_ASSERT_FALSE(comes(w, other, 0));
	CU_ASSERT_EQUAL(pvrom_net_guest_mac_table(&w->net, (const uint8_t(*)[6])many,
						  PVROM_NET_GUEST_MACS + 1, NULL, 0),
			PVROM_NET_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(pvrom_net_guest_receive_mode(&w->net, 6, true),
			PVROM_NET_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(pvrom_net_guest_set_mac(&w->net, other), PVROM_NET_GUEST_OK);
	CU_ASSERT_EQUAL(memcmp(w->net.mac, other, 6), 0);
	CU_ASSERT_TRUE(comes(w, other, 0) && !comes(w, own, 0));
	CU_ASSERT_EQUAL(pvrom_net_guest_set_mac(&w->net, group), PVROM_NET_GUEST_BAD_REQUEST);
	net_guest_world_close(w);
}

static void vlans_are_filtered(void)
{
	static const uint8_t own[6] = { 2, 0, 0, 0, 0, 1 };
	struct net_guest_world *w = begun(NULL, NULL, 8);

	MODE(PROMISC, false);
	CU_ASSERT_FALSE(comes(w, own, 77));
	CU_ASSERT_EQUAL(pvrom_net_guest_vlan(&w->net, 77, true), PVROM_NET_GUEST_OK);
	CU_ASSERT_TRUE(comes(w, own, 77) && !comes(w, own, 78));
	CU_ASSERT_EQUAL(pvrom_net_guest_vlan(&w->net, 77, false), PVROM_NET_GUEST_OK);
	CU_ASSERT_FALSE(comes(w, own, 77));
	CU_ASSERT_EQUAL(pvrom_net_guest_vlan(&w->net, 4096, true), PVROM_NET_GUEST_BAD_REQUEST);
	net_guest_world_close(w);
}

/* ---- the rest ------------------------------------------------------------------------------------------------------- */

static void link_and_announcement(void)
{
	struct net_guest_world *w = begun(NULL, NULL, 8);

	CU_ASSERT_TRUE(w->net.link_up && !w->net.announce && w->net.full_duplex);
	CU_ASSERT_EQUAL(w->net.speed, 1000);
	pvrom_net_host_set_link(&w->host, false);
	CU_ASSERT_EQUAL(pvrom_net_guest_changed(&w->net), PVROM_NET_GUEST_OK);
	CU_ASSERT_FALSE(w->net.link_up);
	pvrom_net_host_set_link(&w->host, true);
	CU_ASSERT_TRUE(pvrom_net_host_announce(&w->host));
	CU_ASSERT_EQUAL(pvrom_net_guest_changed(&w->net), PVROM_NET_GUEST_OK);
	CU_ASSERT_TRUE(w->net.link_up && w->net.announce);
	CU_ASSERT_EQUAL(pvrom_net_guest_announced(&w->net), PVROM_NET_GUEST_OK);
	CU_ASSERT_TRUE(!w->net.announce && !w->host.announce);
	net_guest_world_close(w);
}

static void coalescing_is_set(void)
{
	struct net_guest_world *w = begun(NULL, NULL, 8);

	CU_ASSERT_EQUAL(pvrom_net_guest_coalesce(&w->net, true, 32, 50), PVROM_NET_GUEST_OK);
	CU_ASSERT_EQUAL(pvrom_net_guest_coalesce(&w->net, false, 64, 70), PVROM_NET_GUEST_OK);
	CU_ASSERT_TRUE(w->host.driver.receive.packets == 32 && w->host.driver.receive.usecs == 50);
	CU_ASSERT_TRUE(w->host.driver.transmit.packets == 64 &&
		       w->host.driver.transmit.usecs == 70);
	net_guest_world_close(w);
}

/* Each command by itself says so where its feature was not taken. */
static void commands_need_their_features(void)
{
	const struct pvrom_net_guest_config none = { .pairs = 4, .avoid = PVROM_NET_F_CTRL_VQ };
	struct net_guest_world *w = begun(&four_pairs, &none, 1);
	const uint16_t table[1] = { 0 };
	const struct pvrom_net_guest_rss rss = {
		.entries = 1, .pairs = 1, .table = table, .key = key
	};

	CU_ASSERT_EQUAL(w->net.control_number, PVROM_NET_GUEST_NO_QUEUE);
	CU_ASSERT_EQUAL(w->net.pairs, 1);
#define UNSUPPORTED(call) CU_ASSERT_EQUAL(call, PVROM_NET_GUEST_UNSUPPORTED)
	UNSUPPORTED(pvrom_net_guest_receive_mode(&w->net, PVROM_NET_CTRL_RX_PROMISC, true));
	UNSUPPORTED(pvrom_net_guest_receive_mode(&w->net, PVROM_NET_CTRL_RX_NOUNI, true));
	UNSUPPORTED(pvrom_net_guest_mac_table(&w->net, NULL, 0, NULL, 0));
	UNSUPPORTED(pvrom_net_guest_set_mac(&w->net, w->net.mac));
	UNSUPPORTED(pvrom_net_guest_vlan(&w->net, 1, true));
	UNSUPPORTED(pvrom_net_guest_announced(&w->net));
	UNSUPPORTED(pvrom_net_guest_set_pairs(&w->net, 1));
	UNSUPPORTED(pvrom_net_guest_rss(&w->net, &rss));
	UNSUPPORTED(pvrom_net_guest_hash(&w->net, 0, key));
	UNSUPPORTED(pvrom_net_guest_set_offloads(&w->net, 0));
	UNSUPPORTED(pvrom_net_guest_coalesce(&w->net, true, 1, 1));
	net_guest_world_close(w);
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(every_offload_of_sending),
		TAP_TEST(wire_gets_the_header),
		TAP_TEST(every_offload_of_receiving),
		TAP_TEST(says_what_was_found_right),
		{ "long frames need long buffers [PVROM-NET-31]", long_frames_need_long_buffers },
		TAP_TEST(an_mtu_needs_room),
		TAP_TEST(rss_steers_and_reports),
		TAP_TEST(rss_that_cannot_be),
		TAP_TEST(pairs_can_be_fewer),
		TAP_TEST(hashes_without_rss),
		TAP_TEST(modes_and_addresses),
		TAP_TEST(vlans_are_filtered),
		{ "link and announcement [PVROM-NET-37]", link_and_announcement },
		TAP_TEST(coalescing_is_set),
		{ "commands need their features [PVROM-NET-30]", commands_need_their_features },
		{ 0 },
	};
	uint32_t i;

	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)draw(256);
	return tap_run("net guest offloads", tests);
}
