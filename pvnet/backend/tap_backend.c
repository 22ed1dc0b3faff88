/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A tap interface of Linux: frames with their virtio header to the kernel and back, several queues.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net_capture.h"
#include "netback_slips.h"
#include "tap_open.h"

#define VECTORS                                                                                    \
	256u /* of guest memory for one frame; a driver with smaller buffers has its frames copied */
#define HEADER sizeof(struct pvrom_net_header)
#define TAGS 8u /* two of VLAN, which the interface's MTU does not count */

struct tap {
	struct netback b; /* first */
	struct tap_opened opened;
	uint64_t guest; /* offloads that the driver takes now */
	size_t longest; /* frame that may come then */
	/* Of each pair: a frame that waits for buffers of the driver. */
	uint32_t waiting[PVROM_NET_PAIRS_MAX];		     /* bytes; 0: none */
	struct pvrom_net_header header[PVROM_NET_PAIRS_MAX]; /* of the last frame */
	uint8_t *spill[PVROM_NET_PAIRS_MAX];		     /* PVROM_NET_FRAME_MAX each */
};

static struct tap *tap_of(struct netback *b)
{
	return (struct tap *)(void *)b;
}

/* The interface was deleted under us. */
static void gone(struct tap *t)
{
	if (NETBACK_SLIP(TAP_GONE))
		return;
	if (!t->b.down)
		netback_say(&t->b, "tap %s: the interface has gone", t->opened.name);
	t->b.down = true;
}

/* ---- sending ------------------------------------------------------------------------------------------- */

static void write_failed(struct tap *t, int error)
{
	switch (error) {
	case EINVAL: t->b.counters.refused++; break; /* the header does not fit the frame */
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM: t->b.counters.full++; break;
	case EBADFD: gone(t); /* fall through */
	default: t->b.counters.failed++; break;
	}
}

static bool tap_send(struct netback *b, const struct pvrom_net_header *header,
		     const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip)
{
	struct tap *t = tap_of(b);
	struct pvrom_net_header h = *header;
	struct iovec vec[PVROM_NET_PIECES + 1] = { { &h, HEADER } };
	const uint32_t n = netback_vectors(vec + 1, PVROM_NET_PIECES, pieces, count, skip);
	ssize_t done;

	h.num_buffers = 0;
	do
		done = writev(t->opened.fd[NETBACK_SLIP(TAP_PAIR) ? 0 : b->head.pair % b->pairs],
			      vec, (int)n + 1);
	while (done < 0 && errno == EINTR);
	if (done < 0)
		write_failed(t, errno);
	return done > 0;
}

/* ---- receiving ----------------------------------------------------------------------------------------- */

/* Bytes of the frame behind the header, 0: there is none. */
static size_t read_frame(struct tap *t, uint32_t pair, const struct iovec *vec, uint32_t count)
{
	ssize_t done;

	do
		done = readv(t->opened.fd[pair], vec, (int)count);
	while (done < 0 && errno == EINTR);
	if (done > (ssize_t)HEADER)
		return (size_t)done - HEADER;
	if (done < 0 && errno == EBADFD)
		gone(t);
	else if (done < 0 && errno != EAGAIN)
		t->b.counters.failed++;
	return 0;
}

/* Frames that the kernel had queued before it was told of the driver's new offloads ask for the old ones. */
static bool driver_takes(const struct tap *t, const struct pvrom_net_header *h)
{
	static const uint64_t by_type[] = { [PVROM_NET_GSO_TCPV4] = PVROM_NET_F_GUEST_TSO4,
					    [PVROM_NET_GSO_TCPV6] = PVROM_NET_F_GUEST_TSO6 };
	const uint32_t type = h->gso_type & ~PVROM_NET_GSO_ECN;

	if (NETBACK_SLIP(TAP_PLAIN))
		return true;
	if (h->flags & PVROM_NET_HDR_NEEDS_CSUM && !(t->guest & PVROM_NET_F_GUEST_CSUM))
		return false;
	if (!h->gso_type)
		return true;
	if (h->gso_type & PVROM_NET_GSO_ECN && !(t->guest & PVROM_NET_F_GUEST_ECN))
		return false;
	return type <= PVROM_NET_GSO_TCPV6 && t->guest & by_type[type];
}

/* The card decides what becomes of a frame in private memory; false: it must wait. */
static bool hand_in(struct tap *t, struct pvrom_net_host *host, uint32_t pair)
{
	const struct pvrom_net_header *h = &t->header[pair];
	const uint32_t len = t->waiting[pair];

	if (pvrom_net_receive_from(host, pair, h, t->spill[pair], len) == PVROM_NET_NO_BUFFER)
		return false;
	if (t->b.capture)
		capture_received(t->b.capture, h, t->spill[pair], len);
	t->waiting[pair] = 0;
	return true;
}

/* What was read over several vectors, in one piece; it may begin in the driver's memory. */
static void put_together(struct tap *t, uint32_t pair, const struct iovec *vec, uint32_t count,
			 size_t len)
{
	uint8_t *to = t->spill[pair];
	size_t room = 0, part;
	uint32_t i;

	for (i = 0; i < count; i++)
		room += vec[i].iov_len;
	if (len > room) /* its end is in spill already */
		memmove(to + room, to, len - room);
	for (i = 0, room = 0; i < count && room < len; i++, room += part) {
		part = vec[i].iov_len < len - room ? vec[i].iov_len : len - room;
		memcpy(to + room, vec[i].iov_base, part);
	}
	t->waiting[pair] = (uint32_t)len;
}

enum outcome { NOTHING, CAME, MUST_WAIT };

static enum outcome receive_direct(struct tap *t, struct pvrom_net_host *host, uint32_t pair,
				   struct iovec *vec, uint32_t count)
{
	struct pvrom_net_header *h = &t->header[pair];
	size_t len, room = 0;
	uint32_t i;

	for (i = 1; i <= count; i++)
		room += vec[i].iov_len;
	vec[0] = (struct iovec){ h, HEADER };
	vec[count + 1] =
		(struct iovec){ t->spill[pair],
				room < PVROM_NET_FRAME_MAX ? PVROM_NET_FRAME_MAX - room : 0 };
	len = read_frame(t, pair, vec, count + 2);
	if (!len)
		return NOTHING;
	if (len > room || !driver_takes(t, h)) {
		put_together(t, pair, vec + 1, count, len);
		return hand_in(t, host, pair) ? CAME : MUST_WAIT;
	}
	if (t->b.capture)
		capture_vectors(t->b.capture, h, vec + 1, len);
	pvrom_net_arrived(host, pair, h, len);
	return CAME;
}

static enum outcome receive_copied(struct tap *t, struct pvrom_net_host *host, uint32_t pair)
{
	const struct iovec vec[2] = { { &t->header[pair], HEADER },
				      { t->spill[pair], PVROM_NET_FRAME_MAX } };

	t->waiting[pair] = (uint32_t)read_frame(t, pair, vec, 2);
	if (!t->waiting[pair])
		return NOTHING;
	return hand_in(t, host, pair) ? CAME : MUST_WAIT;
}

static enum outcome receive_one(struct tap *t, struct pvrom_net_host *host, uint32_t pair)
{
	struct pvrom_net_vec room[VECTORS];
	struct iovec vec[VECTORS + 2];
	uint32_t count;

	if (t->waiting[pair])
		return hand_in(t, host, pair) ? CAME : MUST_WAIT;
	count = pvrom_net_room(host, pair, room, VECTORS, t->longest);
	if (!count)
		return receive_copied(t, host, pair);
	_Static_assert(sizeof(room[0]) == sizeof(vec[0]), "vectors are alike");
	memcpy(vec + 1, room, count * sizeof(room[0]));
	return receive_direct(t, host, pair, vec, count);
}

static uint32_t tap_receive(struct netback *b, struct pvrom_net_host *host, uint32_t pair,
			    uint32_t budget, bool *stalled)
{
	struct tap *t = tap_of(b);
	enum outcome outcome;
	uint32_t n;

	if (b->down)
		return 0;
	for (n = 0; n < budget && !pvrom_net_receive_held(host); n++) {
		outcome = receive_one(t, host, pair);
		*stalled = outcome == MUST_WAIT;
		if (outcome != CAME)
			break;
	}
	return n;
}

/* ---- the rest ------------------------------------------------------------------------------------------ */

static void tap_offloads(struct netback *b, uint64_t guest)
{
	struct tap *t = tap_of(b);

	/* What the kernel cannot hand in so does not come so. */
	t->guest = tap_set_offloads(&t->opened, guest) ? guest : 0;
	t->longest = guest & (PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6)
			     ? PVROM_NET_FRAME_MAX
			     : b->head.mtu + 14u + TAGS;
}

static void tap_close(struct netback *b)
{
	struct tap *t = tap_of(b);
	uint32_t i;

	tap_shut(&t->opened);
	for (i = 0; i < PVROM_NET_PAIRS_MAX; i++)
		free(t->spill[i]);
	free(t);
}

static const struct netback_ops tap_ops = {
	.send = tap_send, .offloads = tap_offloads, .receive = tap_receive, .close = tap_close
};

static bool make_spills(struct tap *t)
{
	uint32_t i;

	for (i = 0; i < t->b.pairs; i++) {
		t->spill[i] = malloc(PVROM_NET_FRAME_MAX);
		if (!t->spill[i])
			return false;
	}
	return true;
}

struct netback *netback_tap_open(const struct netback_words *w, char *message)
{
	struct tap *t = calloc(1, sizeof(*t));
	uint32_t i;

	if (!t || !tap_open(&t->opened, w->tap, w->queues ? w->queues : 1, w->mtu, message)) {
		free(t);
		return NULL;
	}
	t->b.ops = &tap_ops;
	t->b.pairs = (uint16_t)t->opened.queues;
	t->b.natural_mtu = t->b.head.mtu = t->opened.mtu;
	t->b.head.can = t->opened.can;
	t->b.head.gives = PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 | PVROM_NET_F_GUEST_ECN;
	for (i = 0; i < t->b.pairs; i++)
		t->b.fd[i] = t->opened.fd[i] + 1;
	tap_offloads(&t->b, 0);
	if (make_spills(t))
		return &t->b;
	netback_complain(message, "no memory");
	tap_close(&t->b);
	return NULL;
}
