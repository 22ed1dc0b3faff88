/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Our network driver as the front end of a vhost-user server that returns each frame with its addresses changed: DPDK's
 * vhost port, or pvrom-netd. The transport is messages on a socket; guest memory is the client's.
 *
 *	net_vhost_driver SOCKET split|packed|inorder FRAMES
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pvrom/net_guest.h>

#include "../../vhost-user/client/vu_client.h"

#define SIZE 256u
#define BATCH 32u
#define BUFFERS 192u
#define ROOM 2048u
#define LONGEST 9000u
#define SLICE 12288u /* of a packet */
#define PATIENCE_S 60

/* What the server has a hand in; the rest is a front end's own affair. */
#define SERVERS                                                                                    \
	(PVROM_NET_F_CSUM | PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4 |                      \
	 PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_MRG_RXBUF | PVROM_VQ_F_INDIRECT_DESC |                \
	 PVROM_VQ_F_EVENT_IDX | PVROM_VQ_F_VERSION_1 | PVROM_VQ_F_RING_PACKED |                    \
	 PVROM_VQ_F_IN_ORDER)

struct front {
	struct pvrom_virtio virtio; /* first */
	struct vu_client client;
	struct pvrom_net_guest net;
	struct pvrom_net_guest_queue queue[2];
	struct pvrom_net_guest_buffer buffer[BUFFERS];
	uint8_t *data[2]; /* memory for buffers, and for packets */
	uint32_t status;
	uint64_t bells;
};

static struct front f;
static uint8_t sent[BATCH][LONGEST];
static uint32_t sent_len[BATCH];
static uint64_t seed = 1;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

/* ---- the transport ---------------------------------------------------------------------------------------- */

static uint64_t features(struct pvrom_virtio *dev)
{
	(void)dev;
	return f.client.offered & f.client.features;
}

static void accept(struct pvrom_virtio *dev, uint64_t chosen)
{
	(void)dev;
	f.client.accepted = chosen | (f.client.offered & VU_F_PROTOCOL_FEATURES);
	if (vu_client_ack(&f.client, VU_SET_FEATURES, &f.client.accepted, 8, NULL, 0))
		errx(1, "the server refuses its features");
}

static uint32_t status(struct pvrom_virtio *dev)
{
	(void)dev;
	return f.status;
}

static void set_status(struct pvrom_virtio *dev, uint32_t value)
{
	(void)dev;
	f.status = value;
}

static uint32_t queue_max(struct pvrom_virtio *dev, uint32_t queue)
{
	(void)dev;
	return queue < 2 ? SIZE : 0;
}

static void *at(uint64_t gpa)
{
	return f.client.memory + (gpa - VU_CLIENT_GPA);
}

static bool queue_start(struct pvrom_virtio *dev, uint32_t queue,
			const struct pvrom_virtio_queue *where)
{
	const bool packed = dev->accepted & PVROM_VQ_F_RING_PACKED;
	struct vu_client_queue *q = &f.client.queue[queue];

	q->desc = at(where->desc_gpa);
	q->driver = at(where->driver_gpa);
	q->device = at(where->device_gpa);
	f.client.size = where->size;
	/* Packed: both positions 0, both wrap counters 1. */
	return vu_client_start(&f.client, queue, packed ? 0x80008000u : 0);
}

static void notify(struct pvrom_virtio *dev, uint32_t queue, uint32_t data)
{
	const uint64_t one = 1;

	(void)dev;
	(void)data;
	f.bells++;
	if (write(f.client.queue[queue].kick, &one, sizeof(one)) != sizeof(one))
		err(1, "kick");
}

static uint32_t generation(struct pvrom_virtio *dev)
{
	(void)dev;
	return 0;
}

static void config_read(struct pvrom_virtio *dev, uint32_t offset, void *to, uint32_t len)
{
	(void)dev;
	(void)offset;
	memset(to, 0, len);
}

static const struct pvrom_virtio_ops ops = { .features = features,
					     .accept = accept,
					     .status = status,
					     .set_status = set_status,
					     .queue_max = queue_max,
					     .queue_start = queue_start,
					     .notify = notify,
					     .generation = generation,
					     .config_read = config_read };

/* ---- set-up ------------------------------------------------------------------------------------------------ */

static uint64_t ring_features(const char *ring)
{
	if (!strcmp(ring, "split"))
		return SERVERS & ~(PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_IN_ORDER);
	return strcmp(ring, "packed") ? SERVERS : SERVERS & ~PVROM_VQ_F_IN_ORDER;
}

static void open_queue(uint16_t number)
{
	struct pvrom_virtio_memory m;

	if (!pvrom_net_guest_memory(&f.net, number, &m))
		errx(1, "no queue %u", number);
	m.shared = vu_client_alloc(&f.client, m.shared_bytes, 4096);
	m.own = calloc(1, m.own_bytes);
	if (!m.shared || !m.own)
		errx(1, "no memory");
	m.shared_gpa = vu_client_gpa(&f.client, m.shared);
	if (!pvrom_net_guest_queue(&f.net, number, &f.queue[number], &m))
		errx(1, "the server refuses queue %u", number);
	pvrom_net_guest_interrupts(&f.queue[number], 0);
}

static void connect_to(const char *path, const char *ring)
{
	f.client = (struct vu_client){ .path = path,
				       .features = ring_features(ring),
				       .protocol = VU_PROTOCOL_REPLY_ACK,
				       .queues = 2,
				       .size = SIZE,
				       .depth = 1,
				       .data_bytes = 4u << 20 };
	f.virtio = (struct pvrom_virtio){ .ops = &ops, .id = PVROM_NET_DEVICE_ID };
	if (!vu_client_open(&f.client))
		err(1, "no memory");
	f.data[0] = f.client.queue[0].request[0].data;
	f.data[1] = f.client.queue[1].request[0].data;
	f.client.queues = 0; /* the driver brings its own rings */
	if (!vu_client_connect(&f.client, PATIENCE_S * 1000))
		errx(1, "%s: %s", path, f.client.what);
}

static void begin(void)
{
	const struct pvrom_net_guest_config settings = { .receive_copy = 128, .send_copy = 128 };
	const enum pvrom_virtio_result result = pvrom_net_guest_begin(&f.net, &f.virtio, &settings);
	uint32_t i;

	if (result)
		errx(1, "%s", pvrom_virtio_result_text(result));
	open_queue(0);
	open_queue(1);
	for (i = 0; i < BUFFERS; i++) {
		struct pvrom_net_guest_buffer *b = &f.buffer[i];

		b->at = f.data[0] + (size_t)i * ROOM;
		b->gpa = vu_client_gpa(&f.client, b->at);
		b->len = ROOM;
		pvrom_net_guest_give(&f.queue[0], b);
	}
	pvrom_net_guest_kick(&f.queue[0]);
	pvrom_net_guest_go(&f.net);
}

/* ---- frames --------------------------------------------------------------------------------------------------- */

/* In up to three pieces, of which the first may have room for the header. */
static void send_one(uint32_t n)
{
	uint8_t *to = f.data[1] + (size_t)n * SLICE + 64;
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
	if (pvrom_net_guest_send(&f.queue[1], &p))
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
	n = pvrom_net_guest_receive(&f.queue[0], frame, BATCH, &broken);
	if (broken)
		errx(1, "broken: %s", pvrom_vq_reason_text(f.queue[0].ring.reason));
	for (i = 0; i < n; i++) {
		struct pvrom_net_guest_buffer *b = frame[i].buffers, *next;

		if (number_of(&frame[i]) >= count || !same(&frame[i], number_of(&frame[i])))
			errx(1, "a frame of %u bytes is not as it was sent", frame[i].len);
		for (; b; b = next) {
			next = b->next;
			pvrom_net_guest_give(&f.queue[0], b);
		}
	}
	pvrom_net_guest_kick(&f.queue[0]);
	return n;
}

static void reclaim(void)
{
	void *token[BATCH];
	bool broken = false;

	while (pvrom_net_guest_reclaim(&f.queue[1], token, BATCH, &broken))
		;
	if (broken)
		errx(1, "broken: %s", pvrom_vq_reason_text(f.queue[1].ring.reason));
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
	pvrom_net_guest_kick(&f.queue[1]);
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
	uint32_t frames, count = 0, tries = 0;
	uint64_t merged;

	if (argc != 4)
		errx(2, "usage: net_vhost_driver SOCKET split|packed|inorder FRAMES");
	frames = (uint32_t)strtoul(argv[3], NULL, 10);
	connect_to(argv[1], argv[2]);
	begin();
	while (!turn(1, 65, 500)) /* until the other end has begun */
		if (++tries == 2 * PATIENCE_S)
			errx(1, "nothing comes back");
	for (; count < frames; count += BATCH)
		if (!turn(BATCH, count % 128 ? 1514 : LONGEST, PATIENCE_S * 1000))
			errx(1, "a frame is missing after %u", count);
	merged = f.queue[0].counters.bad_merge + f.queue[0].counters.bad_length +
		 f.queue[0].counters.bad_header;
	if (merged)
		errx(1, "%lu frames were refused", (unsigned long)merged);
	printf("%u frames, %s%s, %lu bells\n", count,
	       f.net.features & PVROM_VQ_F_RING_PACKED ? "packed" : "split",
	       f.net.features & PVROM_VQ_F_IN_ORDER ? ", in order" : "", (unsigned long)f.bells);
	vu_client_close(&f.client);
	return 0;
}
