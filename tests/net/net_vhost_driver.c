/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Our network driver as the front end of a vhost-user server that returns each frame with its addresses changed: DPDK's
 * vhost port, or pvrom-netd.
 *
 *	net_vhost_driver SOCKET split|packed|inorder FRAMES
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../vhost-user/client/net_front.h"

#define BATCH 32u
#define LONGEST 9000u
#define SLICE 12288u /* of a packet */
#define PATIENCE_S 60

/* What the server has a hand in; the rest is a front end's own affair. */
#define SERVERS                                                                                    \
	(PVROM_NET_F_CSUM | PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4 |                      \
	 PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_MRG_RXBUF | PVROM_VQ_F_INDIRECT_DESC |                \
	 PVROM_VQ_F_EVENT_IDX | PVROM_VQ_F_VERSION_1 | PVROM_VQ_F_RING_PACKED |                    \
	 PVROM_VQ_F_IN_ORDER)

static struct net_front f;
static uint8_t sent[BATCH][LONGEST];
static uint32_t sent_len[BATCH];
static uint64_t seed = 1;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

/* ---- set-up ------------------------------------------------------------------------------------------------ */

static uint64_t ring_features(const char *ring)
{
	if (!strcmp(ring, "split"))
		return SERVERS & ~(PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_IN_ORDER);
	return strcmp(ring, "packed") ? SERVERS : SERVERS & ~PVROM_VQ_F_IN_ORDER;
}

/* ---- frames --------------------------------------------------------------------------------------------------- */

/* In up to three pieces, of which the first may have room for the header. */
static void send_one(uint32_t n)
{
	uint8_t *to = f.packets + (size_t)n * SLICE + 64;
	struct pvrom_net_guest_piece piece[3];
	struct pvrom_net_guest_packet p = { .piece = piece, .headroom = draw(2), .token = &f };
	uint32_t left = sent_len[n], done = 0;

	memcpy(to, sent[n], left);
	while (left) {
		const uint32_t part = p.pieces == 2 ? left : 1 + draw(left);

		piece[p.pieces++] =
			(struct pvrom_net_guest_piece){ vu_client_gpa(&f.client, to + done),
							to + done, part, 0 };
		done += part;
		left -= part;
	}
	if (pvrom_net_guest_send(&f.transmit, &p))
		errx(1, "frame of %u bytes cannot be sent", sent_len[n]);
}

static void fill(uint32_t n, uint32_t longest)
{
	uint32_t i;

	sent_len[n] = 64 + draw(longest - 64);
	for (i = 12; i < sent_len[n]; i++)
		sent[n][i] = (uint8_t)draw(256);
	memset(sent[n], 2, 12);
	memset(sent[n] + 12, 0, 2); /* nothing that a server would look into */
	sent[n][14] = (uint8_t)n;
}

static bool same(const struct pvrom_net_guest_frame *frame, uint32_t n)
{
	const struct pvrom_net_guest_buffer *b = frame->buffers;
	static uint8_t whole[PVROM_NET_GUEST_FRAME];
	uint32_t len = 0;

	if (frame->len != sent_len[n])
		return false;
	if (!b)
		return !memcmp(frame->at + 12, sent[n] + 12, frame->len - 12);
	for (; b; b = b->next) {
		memcpy(whole + len, len ? b->at : frame->at, b->used);
		len += b->used;
	}
	return !memcmp(whole + 12, sent[n] + 12, frame->len - 12);
}

static uint8_t number_of(const struct pvrom_net_guest_frame *frame)
{
	return frame->at[14]; /* the first buffer has 2,036 bytes of it */
}

/* Takes what is there; how many of those that were sent. */
static uint32_t take(uint32_t count)
{
	static uint8_t small[BATCH][128];
	struct pvrom_net_guest_frame frame[BATCH];
	bool broken = false;
	uint32_t i, n;

	for (i = 0; i < BATCH; i++)
		frame[i].small = small[i];
	n = pvrom_net_guest_receive(&f.receive, frame, BATCH, &broken);
	if (broken)
		errx(1, "broken: %s", pvrom_vq_reason_text(f.receive.ring.reason));
	for (i = 0; i < n; i++) {
		struct pvrom_net_guest_buffer *b = frame[i].buffers, *next;

		if (number_of(&frame[i]) >= count || !same(&frame[i], number_of(&frame[i])))
			errx(1, "a frame of %u bytes is not as it was sent", frame[i].len);
		for (; b; b = next) {
			next = b->next;
			pvrom_net_guest_give(&f.receive, b);
		}
	}
	pvrom_net_guest_kick(&f.receive);
	return n;
}

static void reclaim(void)
{
	void *token[BATCH];
	bool broken = false;

	while (pvrom_net_guest_reclaim(&f.transmit, token, BATCH, &broken))
		;
	if (broken)
		errx(1, "broken: %s", pvrom_vq_reason_text(f.transmit.ring.reason));
}

/* Some frames out and in again; false: not all came back within that time. */
static bool turn(uint32_t count, uint32_t longest, uint32_t ms)
{
	const uint64_t end = vu_client_now() + ms * 1000000ull;
	uint32_t i, back = 0;

	for (i = 0; i < count; i++) {
		fill(i, longest);
		send_one(i);
	}
	pvrom_net_guest_kick(&f.transmit);
	while (back < count && vu_client_now() < end) {
		const uint32_t n = take(count);

		back += n;
		if (!n)
			usleep(20);
		reclaim();
	}
	return back == count;
}

int main(int argc, char **argv)
{
	const struct pvrom_net_guest_config settings = { .receive_copy = 128, .send_copy = 128 };
	uint32_t frames, count = 0, tries = 0;
	uint64_t merged;

	if (argc != 4)
		errx(2, "usage: net_vhost_driver SOCKET split|packed|inorder FRAMES");
	frames = (uint32_t)strtoul(argv[3], NULL, 10);
	net_front_open(&f, argv[1], ring_features(argv[2]), BATCH * SLICE, &settings, PATIENCE_S);
	while (!turn(1, 65, 500)) /* until the other end has begun */
		if (++tries == 2 * PATIENCE_S)
			errx(1, "nothing comes back");
	for (; count < frames; count += BATCH)
		if (!turn(BATCH, count % 128 ? 1514 : LONGEST, PATIENCE_S * 1000))
			errx(1, "a frame is missing after %u", count);
	merged = f.receive.counters.bad_merge + f.receive.counters.bad_length +
		 f.receive.counters.bad_header;
	if (merged)
		errx(1, "%lu frames were refused", (unsigned long)merged);
	printf("%u frames, %s%s, %lu bells\n", count,
	       f.net.features & PVROM_VQ_F_RING_PACKED ? "packed" : "split",
	       f.net.features & PVROM_VQ_F_IN_ORDER ? ", in order" : "", (unsigned long)f.bells);
	vu_client_close(&f.client);
	return 0;
}
