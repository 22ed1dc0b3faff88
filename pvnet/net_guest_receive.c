/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames from the card: out of the buffers that one is spread over, judged, and copied if they are short.
 * VIRTIO 1.2, 5.1.6.3 and 5.1.6.4.
 */
#include "net_guest_internal.h"

/* ---- buffers in ------------------------------------------------------------------------------------ */

static enum pvrom_net_guest_result add(struct pvrom_net_guest_queue *queue,
				       struct pvrom_net_guest_buffer *buffer)
{
	switch (pvrom_vq_driver_add_one(&queue->ring, buffer->gpa, buffer->len, true, buffer)) {
	case PVROM_VQ_OK: return PVROM_NET_GUEST_OK;
	case PVROM_VQ_FULL: return PVROM_NET_GUEST_FULL;
	default: return PVROM_NET_GUEST_BROKEN;
	}
}

enum pvrom_net_guest_result pvrom_net_guest_give(struct pvrom_net_guest_queue *queue,
						 struct pvrom_net_guest_buffer *buffer)
{
	if (buffer->len < queue->net->settings.buffer)
		return PVROM_NET_GUEST_BAD_REQUEST;
	return add(queue, buffer);
}

/* ---- what the header says -------------------------------------------------------------------------- */

/* Of shared memory, once: what is checked is what is used. */
static void read_once(void *to, const uint8_t *from, size_t bytes)
{
	GUEST_LOADS(from, bytes);
	__builtin_memcpy(to, from, bytes);
	/* The compiler must not go back for more: as far as it knows all memory is different now. */
	__asm__ volatile("" : : "r"(to) : "memory");
}

static bool checksum_is_good(const struct pvrom_net_guest *net, struct pvrom_net_header *h,
			     uint32_t len)
{
	/* 5.1.6.4.1: no flags without GUEST_CSUM; then nothing is known of the checksum. */
	if (GUEST_REFUSE(CSUM_FEATURE, !guest_has(net, PVROM_NET_F_GUEST_CSUM)))
		h->flags = 0;
	if (!(h->flags & PVROM_NET_HDR_NEEDS_CSUM)) {
		h->csum_start = h->csum_offset = 0;
		h->flags &= PVROM_NET_HDR_DATA_VALID;
		return true;
	}
	h->flags = PVROM_NET_HDR_NEEDS_CSUM;
	return !GUEST_REFUSE(CSUM_PLACE, (uint32_t)h->csum_start + h->csum_offset + 2 > len);
}

static uint64_t segment_features(uint8_t type)
{
	switch (type) {
	case PVROM_NET_GSO_TCPV4: return PVROM_NET_F_GUEST_TSO4;
	case PVROM_NET_GSO_TCPV6: return PVROM_NET_F_GUEST_TSO6;
	case PVROM_NET_GSO_UDP_L4: return PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6;
	default: return 0;
	}
}

static bool segments_are_good(const struct pvrom_net_guest *net, const struct pvrom_net_header *h)
{
	const bool ecn = h->gso_type & PVROM_NET_GSO_ECN;
	const uint8_t type = h->gso_type & (uint8_t)~PVROM_NET_GSO_ECN;

	if (GUEST_REFUSE(GSO_FEATURE, !guest_has(net, segment_features(type))))
		return false;
	if (GUEST_REFUSE(GSO_ECN, ecn && (type == PVROM_NET_GSO_UDP_L4 ||
					  !guest_has(net, PVROM_NET_F_GUEST_ECN))))
		return false;
	/* Linux's tap says DATA_VALID of what it has put together itself. */
	return !GUEST_REFUSE(GSO_CSUM, !h->flags) && !GUEST_REFUSE(GSO_SIZE, !h->gso_size);
}

static bool header_is_good(const struct pvrom_net_guest *net, struct pvrom_net_header *h,
			   uint32_t len)
{
	if (!(h->flags | h->gso_type)) {
		h->csum_start = h->csum_offset = h->gso_size = 0;
		return true;
	}
	if (!checksum_is_good(net, h, len))
		return false;
	if (h->gso_type)
		return segments_are_good(net, h);
	h->gso_size = 0;
	return true;
}

/* ---- putting a frame together ---------------------------------------------------------------------- */

/* In how many buffers the frame lies; 0: that cannot be. */
static uint16_t buffers_of(struct pvrom_net_guest_queue *queue, const struct pvrom_net_header *h)
{
	if (!guest_has(queue->net, PVROM_NET_F_MRG_RXBUF))
		return 1;
	if (GUEST_REFUSE(MERGE_NONE, !h->num_buffers) ||
	    GUEST_REFUSE(MERGE_MANY, h->num_buffers > PVROM_NET_GUEST_PIECES ||
					     h->num_buffers > queue->ring.config.size)) {
		queue->counters.bad_merge++;
		return 0;
	}
	return h->num_buffers;
}

static void begin_part(struct pvrom_net_guest_queue *queue, struct pvrom_net_guest_buffer *buffer,
		       uint32_t len)
{
	const uint32_t before = queue->net->header_bytes;
	struct pvrom_net_guest_part *part = &queue->part;

	part->first = part->last = buffer;
	part->left = 0;
	part->len = 0;
	part->bad = GUEST_REFUSE(HEADER_SHORT, len < before);
	if (part->bad) {
		queue->counters.bad_length++;
		return;
	}
	read_once(&part->header, buffer->at, sizeof(part->header));
	if (before > sizeof(part->header))
		read_once(&part->hash, buffer->at + sizeof(part->header), sizeof(part->hash));
	buffer->used = part->len = len - before;
	part->left = buffers_of(queue, &part->header);
	part->bad = !part->left--;
	if (part->bad)
		part->left = 0;
}

static void add_part(struct pvrom_net_guest_queue *queue, struct pvrom_net_guest_buffer *buffer,
		     uint32_t len)
{
	struct pvrom_net_guest_part *part = &queue->part;

	part->last->next = buffer;
	part->last = buffer;
	part->left--;
	buffer->used = len;
	part->len += len;
	if (GUEST_REFUSE(PIECE_EMPTY, !len)) {
		queue->counters.bad_length += !part->bad;
		part->bad = true;
	}
}

/* One buffer more; overlong: the device says that it wrote behind its end. */
static void take_buffer(struct pvrom_net_guest_queue *queue, const struct pvrom_vq_done *done)
{
	struct pvrom_net_guest_buffer *buffer = done->token;

	buffer->next = NULL;
	if (queue->part.left)
		add_part(queue, buffer, done->len);
	else
		begin_part(queue, buffer, done->len);
	if (GUEST_REFUSE(USED_OVERLONG, done->overlong)) {
		queue->counters.bad_length += !queue->part.bad;
		queue->part.bad = true;
	}
}

/* Is the frame, all of which is there, one? */
static bool part_is_good(struct pvrom_net_guest_queue *queue)
{
	struct pvrom_net_guest_part *part = &queue->part;

	if (part->bad)
		return false;
	if (GUEST_REFUSE(FRAME_SHORT, part->len < ETHERNET_HEADER) ||
	    GUEST_REFUSE(FRAME_LONG, part->len > PVROM_NET_GUEST_FRAME)) {
		queue->counters.bad_length++;
		return false;
	}
	if (!header_is_good(queue->net, &part->header, part->len)) {
		queue->counters.bad_header++;
		return false;
	}
	return true;
}

/* The buffers go back to the device: their descriptors were freed when they were taken. */
static void give_again(struct pvrom_net_guest_queue *queue, struct pvrom_net_guest_buffer *buffer)
{
	while (buffer) {
		struct pvrom_net_guest_buffer *next = buffer->next;

		add(queue, buffer);
		buffer = next;
	}
}

/* ---- frames out ------------------------------------------------------------------------------------ */

static void copy_out(struct pvrom_net_guest_queue *queue, struct pvrom_net_guest_frame *frame)
{
	const struct pvrom_net_guest_buffer *b = frame->buffers;
	uint8_t *to = frame->small;

	__builtin_memcpy(to, b->at + queue->net->header_bytes, b->used);
	for (to += b->used; b->next; to += b->used) {
		b = b->next;
		__builtin_memcpy(to, b->at, b->used);
	}
	give_again(queue, frame->buffers);
	frame->at = frame->small;
	frame->buffers = NULL;
	queue->counters.copied++;
}

static void hand_over(struct pvrom_net_guest_queue *queue, struct pvrom_net_guest_frame *frame)
{
	const struct pvrom_net_guest *net = queue->net;
	struct pvrom_net_guest_part *part = &queue->part;
	const bool hashed =
		net->header_bytes > sizeof(struct pvrom_net_header) &&
		!GUEST_REFUSE(HASH_REPORT, part->hash.report > PVROM_NET_HASH_REPORT_UDPV6);

	frame->buffers = part->first;
	frame->at = part->first->at + net->header_bytes;
	frame->len = part->len;
	frame->hash = hashed ? part->hash.value : 0;
	frame->report = hashed ? part->hash.report : PVROM_NET_HASH_REPORT_NONE;
	frame->flags = part->header.flags;
	frame->gso_type = part->header.gso_type;
	frame->gso_size = part->header.gso_size;
	frame->csum_start = part->header.csum_start;
	frame->csum_offset = part->header.csum_offset;
	queue->counters.frames++;
	queue->counters.bytes += part->len;
	if (frame->small && part->len <= net->settings.receive_copy)
		copy_out(queue, frame);
}

/* Takes buffers until a frame is whole. False: they are not all there yet, or the ring is broken. */
static bool gather(struct pvrom_net_guest_queue *queue, bool *broken)
{
	struct pvrom_vq_done done;

	do {
		const enum pvrom_vq_result result = pvrom_vq_driver_get(&queue->ring, &done);

		if (result) {
			*broken |= result == PVROM_VQ_BROKEN;
			return false;
		}
		take_buffer(queue, &done);
	} while (queue->part.left);
	return true;
}

uint32_t pvrom_net_guest_receive(struct pvrom_net_guest_queue *queue,
				 struct pvrom_net_guest_frame *frames, uint32_t count, bool *broken)
{
	uint32_t taken, n = 0;

	for (taken = 0; taken < count && gather(queue, broken); taken++) {
		if (part_is_good(queue))
			hand_over(queue, &frames[n++]);
		else
			give_again(queue, queue->part.first);
		queue->part.first = NULL;
	}
	return n;
}
