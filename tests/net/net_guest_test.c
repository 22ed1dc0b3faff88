/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The network driver against our own card: traffic both ways in every form of ring, copies, limits, interrupts,
 * the beginning and the end. (Offloads and commands: net_guest_offload_test.c.)
 */
#include "net_guest_world.h"

#include <stdlib.h>
#include <string.h>

#include "../../pvnet/net_guest_internal.h"
#include "../cunit_tap.h"
#include "frame_oracle.h"

#define PACKED PVROM_VQ_F_RING_PACKED
#define ROUNDS 300u
#define BATCH 40u

static const struct pvrom_net_header plain;
static uint64_t seed;
static struct ngw_received got;

static uint32_t draw(uint32_t below)
{
	return oracle_random(&seed, below);
}

/* ---- random traffic ------------------------------------------------------------------------------------ */

struct job {
	struct pvrom_net_guest_piece piece[5];
	struct pvrom_net_guest_packet packet;
	uint8_t *at; /* its slice of memory */
	uint32_t len;
};

struct play {
	struct net_guest_world *w;
	struct job job[BATCH];
	uint8_t frame[BATCH][9100];
	uint32_t len[BATCH];
};

/* In up to five pieces, which lie apart; at times with room for the header in front. */
static void scatter(struct play *p, struct job *j, uint32_t len)
{
	const uint32_t most = len < 5 ? 1 : 1 + draw(5);
	uint32_t left = len, n = 0, i;
	uint8_t *to = j->at + 64;

	for (; left; n++, to += 100) {
		const uint32_t part = n + 1 == most ? left : 1 + draw(left);

		j->piece[n] = (struct pvrom_net_guest_piece){ (uint64_t)(to - p->w->memory), to,
							      part, 0 };
		for (i = 0; i < part; i++)
			to[i] = (uint8_t)draw(256);
		to += part;
		left -= part;
	}
	j->len = len;
	j->packet = (struct pvrom_net_guest_packet){
		.piece = j->piece, .pieces = n, .headroom = draw(2), .token = j
	};
}

static bool sent_is(const struct play *p, uint32_t n, const uint8_t *bytes, uint32_t len)
{
	const struct ngw_sent *s = &p->w->sent[n];

	return s->len == len && !memcmp(s->bytes, bytes, len) && !s->header.flags &&
	       !s->header.gso_type;
}

static uint32_t flatten(const struct job *j, uint8_t *to)
{
	uint32_t i, len = 0;

	for (i = 0; i < j->packet.pieces; len += j->piece[i++].len)
		memcpy(to + len, j->piece[i].at, j->piece[i].len);
	return len;
}

/* What was copied is overwritten before the card runs: it must not matter. */
static uint32_t send_batch(struct play *p, struct pvrom_net_guest_queue *q, uint32_t *tokens)
{
	uint32_t n, want = 1 + draw(BATCH);

	for (n = 0; n < want; n++) {
		struct job *j = &p->job[n];
		enum pvrom_net_guest_result result;

		scatter(p, j, 14 + draw(n % 8 ? 300 : 8900));
		p->len[n] = flatten(j, p->frame[n]);
		result = pvrom_net_guest_send(q, &j->packet);
		if (result == PVROM_NET_GUEST_FULL)
			break;
		CU_ASSERT_EQUAL_FATAL(result, PVROM_NET_GUEST_OK);
		CU_ASSERT_EQUAL(j->packet.copied, j->len <= p->w->net.settings.send_copy);
		*tokens += !j->packet.copied;
		if (j->packet.copied)
			memset(j->at, 0x5a, 9600);
	}
	return n;
}

static void send_round(struct play *p, struct pvrom_net_guest_queue *q)
{
	uint32_t tokens = 0, n = send_batch(p, q, &tokens), back = 0, i;
	void *token[BATCH];
	bool broken = false;

	pvrom_net_guest_kick(q);
	net_guest_world_run(p->w);
	CU_ASSERT_EQUAL_FATAL(p->w->sent_count, n);
	for (i = 0; i < n; i++)
		CU_ASSERT_TRUE_FATAL(sent_is(p, i, p->frame[i], p->len[i]));
	net_guest_world_forget_sent(p->w);
	while (back < tokens && (i = pvrom_net_guest_reclaim(q, token, BATCH, &broken)))
		back += i;
	pvrom_net_guest_reclaim(q, token, BATCH, &broken); /* copied ones behind the last token */
	CU_ASSERT_EQUAL_FATAL(back, tokens);
	CU_ASSERT_EQUAL_FATAL(pvrom_vq_driver_free(&q->ring), q->ring.config.size);
	CU_ASSERT_FALSE_FATAL(broken);
}

static void receive_round(struct play *p, uint32_t pair)
{
	const bool merge = p->w->net.features & PVROM_NET_F_MRG_RXBUF;
	uint32_t n, i, want = 1 + draw(8);

	for (n = 0; n < want; n++) {
		p->len[n] = 14 + draw(merge && n % 4 == 0 ? 8900 : 1500);
		for (i = 0; i < p->len[n]; i++)
			p->frame[n][i] = (uint8_t)draw(256);
		memset(p->frame[n] + 12, 0, 2); /* neither IP nor a VLAN */
		CU_ASSERT_EQUAL_FATAL(net_guest_world_arrive(p->w, &plain, p->frame[n], p->len[n]),
				      PVROM_NET_DELIVERED);
	}
	for (n = 0; n < want; n++) {
		CU_ASSERT_TRUE_FATAL(net_guest_world_take(p->w, pair, &got));
		CU_ASSERT_EQUAL_FATAL(got.frame.len, p->len[n]);
		CU_ASSERT_EQUAL(memcmp(got.bytes, p->frame[n], p->len[n]), 0);
		CU_ASSERT_EQUAL(got.buffers != 0, p->len[n] > p->w->net.settings.receive_copy);
	}
	CU_ASSERT_FALSE(net_guest_world_take(p->w, pair, &got));
}

static void play(uint64_t ring, uint64_t withhold, const struct pvrom_net_guest_config *settings)
{
	const struct ngw_setup setup = { .pairs = 2, .ring = ring, .withhold = withhold };
	struct play *p = calloc(1, sizeof(*p));
	uint32_t i;

	seed = 1;
	p->w = net_guest_world_open(&setup);
	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(p->w, settings, 30), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(p->w->virtio.accepted & ring, ring & ~settings->avoid);
	CU_ASSERT_EQUAL(p->w->net.pairs, 2);
	for (i = 0; i < BATCH; i++)
		p->job[i].at = p->w->memory + NGW_DATA + i * 16384;
	for (i = 0; i < ROUNDS; i++) {
		send_round(p, &p->w->queue[i % 2 * 2 + 1]);
		receive_round(p, 0); /* what has no hash */
	}
	CU_ASSERT_EQUAL(p->w->host.counters.malformed, 0);
	CU_ASSERT_EQUAL(p->w->queue[0].counters.bad_length + p->w->queue[0].counters.bad_merge +
				p->w->queue[0].counters.bad_header,
			0);
	CU_ASSERT_TRUE(p->w->bells[1] && p->w->bells[3]);
	net_guest_world_close(p->w);
	free(p);
}

static void every_form_of_ring(void)
{
	static const uint64_t rings[] = {
		0,
		PVROM_VQ_F_INDIRECT_DESC,
		PVROM_VQ_F_INDIRECT_DESC | PVROM_VQ_F_EVENT_IDX,
		PVROM_VQ_F_IN_ORDER | PVROM_VQ_F_NOTIFICATION_DATA,
		PVROM_VQ_F_INDIRECT_DESC | PVROM_VQ_F_IN_ORDER | PVROM_VQ_F_EVENT_IDX,
	};
	uint32_t i, packed, alone;

	for (i = 0; i < 5; i++)
		for (packed = 0; packed < 2; packed++)
			for (alone = 0; alone < 2; alone++) {
				const struct pvrom_net_guest_config settings = {
					.pairs = 2,
					.size = 100,
					.receive_copy = alone ? 200 : 0,
					.send_copy = alone ? 0 : 200,
					.hash_report = i == 2,
				};

				play(rings[i] | (packed ? PACKED : 0),
				     alone ? PVROM_NET_F_MRG_RXBUF : 0, &settings);
			}
}

static void a_feature_can_be_avoided(void)
{
	const struct pvrom_net_guest_config settings = { .pairs = 2, .avoid = PACKED };

	play(PACKED | PVROM_VQ_F_INDIRECT_DESC, 0, &settings);
}

/* ---- copies ------------------------------------------------------------------------------------------------ */

/* All is copied: no address of the caller's is ever shown, and later changes of buffers change nothing. */
static void copies_hide_everything(void)
{
	const struct pvrom_net_guest_config settings = { .size = 16,
							 .receive_copy = PVROM_NET_GUEST_FRAME,
							 .send_copy = PVROM_NET_GUEST_FRAME };
	struct net_guest_world *w = net_guest_world_open(NULL);
	uint8_t bytes[1000], *small = malloc(PVROM_NET_GUEST_FRAME);
	const struct pvrom_net_guest_piece piece = { UINT64_MAX, bytes, sizeof(bytes), 0 };
	struct pvrom_net_guest_packet p = { .piece = &piece, .pieces = 1 };
	struct pvrom_net_guest_frame frame = { .small = small };
	bool broken = false;

	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, &settings, 4), PVROM_VIRTIO_OK);
	memset(bytes, 7, sizeof(bytes));
	CU_ASSERT_EQUAL(pvrom_net_guest_send(&w->queue[1], &p), PVROM_NET_GUEST_OK);
	CU_ASSERT_TRUE(p.copied);
	pvrom_net_guest_kick(&w->queue[1]);
	net_guest_world_run(w);
	CU_ASSERT_EQUAL_FATAL(w->sent_count, 1);
	CU_ASSERT_EQUAL(memcmp(w->sent[0].bytes, bytes, sizeof(bytes)), 0);
	net_guest_world_arrive(w, &plain, bytes, sizeof(bytes));
	CU_ASSERT_EQUAL_FATAL(pvrom_net_guest_receive(&w->queue[0], &frame, 1, &broken), 1);
	CU_ASSERT_TRUE(!frame.buffers && frame.at == small);
	memset(w->memory, 0, NGW_DATA);
	CU_ASSERT_EQUAL(memcmp(small, bytes, sizeof(bytes)), 0);
	CU_ASSERT_EQUAL(w->queue[0].counters.copied, 1);
	net_guest_world_close(w);
	free(small);
}

/* Buffers of copied frames go round by themselves: many more frames come than there are buffers. */
static void copied_frames_keep_no_buffers(void)
{
	const struct pvrom_net_guest_config settings = { .receive_copy = 256 };
	struct net_guest_world *w = net_guest_world_open(NULL);
	uint8_t bytes[256] = { 2 }, small[256];
	struct pvrom_net_guest_frame frame = { .small = small };
	bool broken = false;
	uint32_t i;

	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, &settings, 2), PVROM_VIRTIO_OK);
	for (i = 0; i < 1000; i++) {
		bytes[100] = (uint8_t)i;
		net_guest_world_arrive(w, &plain, bytes, sizeof(bytes));
		CU_ASSERT_EQUAL_FATAL(pvrom_net_guest_receive(&w->queue[0], &frame, 1, &broken), 1);
		pvrom_net_guest_kick(&w->queue[0]);
		CU_ASSERT_EQUAL(small[100], (uint8_t)i);
	}
	CU_ASSERT_EQUAL(w->host.counters.no_buffer, 0);
	net_guest_world_close(w);
}

/* ---- what the driver refuses itself -------------------------------------------------------------------------- */

static enum pvrom_net_guest_result try(struct net_guest_world *w, struct pvrom_net_header h,
				       uint32_t len)
{
	return net_guest_world_send(w, 0, &h, len);
}

#define BAD(...)                                                                                   \
	CU_ASSERT_EQUAL(try(w, (struct pvrom_net_header){ __VA_ARGS__ }, 1000),                    \
			PVROM_NET_GUEST_BAD_REQUEST)
#define NOT_DONE(...)                                                                              \
	CU_ASSERT_EQUAL(try(w, (struct pvrom_net_header){ __VA_ARGS__ }, 1000),                    \
			PVROM_NET_GUEST_UNSUPPORTED)

static void refuses_what_does_not_fit(void)
{
	const struct ngw_setup setup = { .mtu = 1400 };
	struct net_guest_world *w = net_guest_world_open(&setup);

	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, NULL, 4), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(w->net.mtu, 1400);
	CU_ASSERT_EQUAL(try(w, plain, 13), PVROM_NET_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(try(w, plain, 0), PVROM_NET_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(try(w, plain, 1423), PVROM_NET_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(try(w, plain, 1422), PVROM_NET_GUEST_OK);
	CU_ASSERT_EQUAL(try(w, plain, PVROM_NET_GUEST_FRAME + 1), PVROM_NET_GUEST_BAD_REQUEST);
	BAD(.flags = 2);
	BAD(.flags = 1, .csum_start = 990, .csum_offset = 9);
	BAD(.flags = 1, .csum_start = 65535, .csum_offset = 65535);
	CU_ASSERT_EQUAL(
		try(w, (struct pvrom_net_header){ .flags = 1, .csum_start = 990, .csum_offset = 8 },
		    1000),
		PVROM_NET_GUEST_OK);
	BAD(.gso_type = PVROM_NET_GSO_TCPV4, .gso_size = 500);
	BAD(.flags = 1, .gso_type = PVROM_NET_GSO_TCPV4);
	NOT_DONE(.flags = 1, .gso_type = 3, .gso_size = 500); /* UFO */
	NOT_DONE(.flags = 1, .gso_type = PVROM_NET_GSO_UDP_L4 | 0x80, .gso_size = 500);
	CU_ASSERT_EQUAL(w->host.counters.malformed, 0);
	net_guest_world_close(w);
}

static void refuses_what_was_not_negotiated(void)
{
	const struct pvrom_net_guest_config none = { .avoid = PVROM_NET_F_CSUM };
	const struct pvrom_net_guest_config no_ecn = { .avoid = PVROM_NET_F_HOST_ECN };
	struct net_guest_world *w = net_guest_world_open(NULL);

	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, &none, 4), PVROM_VIRTIO_OK);
	/* What needs it is not taken either. */
	CU_ASSERT_EQUAL(w->net.features & (PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 |
					   PVROM_NET_F_HOST_ECN | PVROM_NET_F_HOST_USO),
			0);
	NOT_DONE(.flags = 1);
	NOT_DONE(.flags = 1, .gso_type = PVROM_NET_GSO_TCPV4, .gso_size = 500);
	CU_ASSERT_EQUAL(pvrom_net_guest_stop(&w->net), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, &no_ecn, 4), PVROM_VIRTIO_OK);
	NOT_DONE(.flags = 1, .gso_type = PVROM_NET_GSO_TCPV4 | 0x80, .gso_size = 500);
	net_guest_world_close(w);
}

static void refuses_too_many_pieces_and_short_buffers(void)
{
	const struct pvrom_net_guest_config settings = { .pieces = 3, .buffer = 4096 };
	const struct pvrom_net_guest_piece four[4] = { { NGW_DATA, NULL, 20, 0 },
						       { NGW_DATA, NULL, 20, 0 },
						       { NGW_DATA, NULL, 20, 0 } };
	struct pvrom_net_guest_packet p = { .piece = four, .pieces = 4 };
	struct pvrom_net_guest_buffer b = { .len = 4095 };
	struct net_guest_world *w = net_guest_world_open(NULL);

	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, &settings, 4), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(pvrom_net_guest_send(&w->queue[1], &p), PVROM_NET_GUEST_BAD_REQUEST);
	p.pieces = 0;
	CU_ASSERT_EQUAL(pvrom_net_guest_send(&w->queue[1], &p), PVROM_NET_GUEST_BAD_REQUEST);
	p.pieces = 3;
	CU_ASSERT_EQUAL(pvrom_net_guest_send(&w->queue[1], &p), PVROM_NET_GUEST_OK);
	CU_ASSERT_EQUAL(pvrom_net_guest_give(&w->queue[0], &b), PVROM_NET_GUEST_BAD_REQUEST);
	net_guest_world_close(w);
}

/* ---- room, interrupts ------------------------------------------------------------------------------------------ */

static void full_queue_and_interrupts(void)
{
	const struct ngw_setup setup = { .ring = PVROM_VQ_F_EVENT_IDX };
	const struct pvrom_net_guest_piece piece = { NGW_DATA, NULL, 60, 0 };
	struct net_guest_world *w = net_guest_world_open(&setup);
	struct pvrom_net_guest_packet p = { .piece = &piece, .pieces = 1 };
	struct pvrom_net_guest_queue *q = &w->queue[1];
	void *token[200];
	bool broken = false;
	uint32_t n, i;

	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, NULL, 4), PVROM_VIRTIO_OK);
	pvrom_net_guest_interrupts(q, 0);
	for (i = 0; i < 3; i++) {
		for (n = 0; !pvrom_net_guest_send(q, &p);)
			n++;
		CU_ASSERT_EQUAL(n, 128); /* two of 256 descriptors each */
		CU_ASSERT_EQUAL(pvrom_net_guest_send(q, &p), PVROM_NET_GUEST_FULL);
		pvrom_net_guest_kick(q);
		CU_ASSERT_FALSE(pvrom_net_guest_interrupts(q, i == 2 ? 0 : 100));
		net_guest_world_run(w);
		CU_ASSERT_EQUAL(w->interrupts[1], i < 2 ? i + 1 : 2);
		CU_ASSERT_TRUE(pvrom_net_guest_interrupts(q, 1));
		CU_ASSERT_EQUAL(pvrom_net_guest_reclaim(q, token, 200, &broken), 128);
		net_guest_world_forget_sent(w);
	}
	net_guest_world_close(w);
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

/* Everything comes back, shown or not, once; begin anew works. */
static void stop_gives_everything_back(void)
{
	const struct pvrom_net_guest_config settings = { .send_copy = 60 };
	const struct pvrom_net_guest_piece piece[] = { { NGW_DATA, NULL, 61, 0 } };
	struct pvrom_net_guest_piece small = { NGW_DATA, NULL, 60, 0 };
	struct net_guest_world *w = net_guest_world_open(NULL);
	struct pvrom_net_guest_packet p = { .piece = piece, .pieces = 1 };
	uint32_t i, seen = 0;
	void *token;

	small.at = w->memory + NGW_DATA;
	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, &settings, 9), PVROM_VIRTIO_OK);
	CU_ASSERT_FALSE(pvrom_net_guest_take_back(&w->queue[0], &token)); /* it runs */
	for (i = 0; i < 8; i++) {
		p.piece = i % 2 ? piece : &small;
		p.token = &p + i;
		CU_ASSERT_EQUAL(pvrom_net_guest_send(&w->queue[1], &p), PVROM_NET_GUEST_OK);
		if (i == 4)
			pvrom_net_guest_kick(&w->queue[1]);
	}
	CU_ASSERT_EQUAL(pvrom_net_guest_stop(&w->net), PVROM_VIRTIO_OK);
	for (i = 0; pvrom_net_guest_take_back(&w->queue[1], &token); i++)
		seen |= 1u << ((struct pvrom_net_guest_packet *)token - &p);
	CU_ASSERT_TRUE(i == 4 && seen == 0xaa);
	for (i = 0, seen = 0; pvrom_net_guest_take_back(&w->queue[0], &token); i++)
		seen |= 1u << ((struct pvrom_net_guest_buffer *)token - w->buffer[0]);
	CU_ASSERT_TRUE(i == 9 && seen == 0x1ff);
	CU_ASSERT_EQUAL(pvrom_net_guest_send(&w->queue[1], &p), PVROM_NET_GUEST_BROKEN);
	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, NULL, 4), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(try(w, plain, 100), PVROM_NET_GUEST_OK);
	net_guest_world_close(w);
}

/* Buffers that are given before go are shown, and the bell is rung after DRIVER_OK (the world aborts before). */
static void the_bell_waits_for_driver_ok(void)
{
	struct net_guest_world *w = net_guest_world_open(NULL);

	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, NULL, 4), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(w->bells[0], 1);
	CU_ASSERT_EQUAL(w->bells[1], 0);
	net_guest_world_close(w);
}

/* ---- read once --------------------------------------------------------------------------------------------------- */

static const uint8_t *watched;
static uint8_t read_times[NGW_HASH_BYTES];

static void watch(const void *at, size_t bytes)
{
	const uint8_t *p;

	for (p = at; p < (const uint8_t *)at + bytes; p++)
		if (p >= watched && p < watched + sizeof(read_times))
			read_times[p - watched]++;
}

/* What is checked is what is used, since it is read once. */
static void headers_are_read_once(void)
{
	const struct pvrom_net_guest_config settings = { .hash_report = true };
	struct net_guest_world *w = net_guest_world_open(NULL);
	const uint8_t bytes[60] = { 2 };
	uint32_t i;

	CU_ASSERT_EQUAL_FATAL(net_guest_world_begin(w, &settings, 1), PVROM_VIRTIO_OK);
	watched = w->buffer[0][0].at;
	pvrom_net_guest_load_hook = watch;
	net_guest_world_arrive(w, &plain, bytes, sizeof(bytes));
	CU_ASSERT_TRUE(net_guest_world_take(w, 0, &got));
	pvrom_net_guest_load_hook = NULL;
	for (i = 0; i < NGW_HASH_BYTES; i++)
		CU_ASSERT_EQUAL(read_times[i], 1);
	net_guest_world_close(w);
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "random traffic in every form of ring arrives as it was sent",
		  every_form_of_ring },
		TAP_TEST(a_feature_can_be_avoided),
		TAP_TEST(copies_hide_everything),
		TAP_TEST(copied_frames_keep_no_buffers),
		TAP_TEST(refuses_what_does_not_fit),
		{ "what was not negotiated is refused [PVROM-NET-30]",
		  refuses_what_was_not_negotiated },
		TAP_TEST(refuses_too_many_pieces_and_short_buffers),
		TAP_TEST(full_queue_and_interrupts),
		{ "stop gives everything back [PVROM-NET-36]", stop_gives_everything_back },
		{ "the bell waits for DRIVER_OK [PVROM-NET-32]", the_bell_waits_for_driver_ok },
		{ "headers are read once [PVROM-NET-33]", headers_are_read_once },
		{ 0 },
	};

	return tap_run("net guest", tests);
}
