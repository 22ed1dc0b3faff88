/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames and commands of a network card, by the front end without a machine.
 */
#define _GNU_SOURCE
#include "net_client.h"

#include <string.h>
#include <unistd.h>

#define HEADER sizeof(struct pvrom_net_header)

static void show(struct vu_client *c, uint32_t queue)
{
	blk_client_publish(c, queue);
}

static bool offer(struct vu_client *c, struct vu_client_queue *q, struct vu_client_request *r)
{
	const struct pvrom_vq_buf buf = { .addr = vu_client_gpa(c, r->data), .len = c->data_bytes };

	r->busy = pvrom_vq_driver_add(&q->vq, &buf, 0, 1, r) == PVROM_VQ_OK;
	return r->busy;
}

void net_client_give(struct vu_client *c, uint32_t pair)
{
	struct vu_client_queue *q = &c->queue[2 * pair];
	uint32_t i;

	for (i = 0; i < c->depth; i++)
		if (!q->request[i].busy && !offer(c, q, &q->request[i]))
			break;
	show(c, 2 * pair);
}

/* Takes back what the device is done with. */
static void collect(struct vu_client_queue *q)
{
	struct pvrom_vq_done done;

	while (pvrom_vq_driver_get(&q->vq, &done) == PVROM_VQ_OK)
		((struct vu_client_request *)done.token)->busy = false;
}

bool net_client_send(struct vu_client *c, uint32_t pair, const struct pvrom_net_header *header,
		     const void *frame, uint32_t len)
{
	struct vu_client_queue *q = &c->queue[2 * pair + 1];
	struct vu_client_request *r;
	struct pvrom_vq_buf buf;

	collect(q);
	r = blk_client_free(c, 2 * pair + 1);
	if (!r || HEADER + len > c->data_bytes)
		return false;
	memcpy(r->data, header, HEADER);
	memcpy(r->data + HEADER, frame, len);
	buf = (struct pvrom_vq_buf){ .addr = vu_client_gpa(c, r->data),
				     .len = (uint32_t)HEADER + len };
	r->busy = pvrom_vq_driver_add(&q->vq, &buf, 1, 0, r) == PVROM_VQ_OK;
	show(c, 2 * pair + 1);
	return r->busy;
}

/* One buffer, waited for. */
static struct vu_client_request *next(struct vu_client_queue *q, uint64_t end, uint32_t *len)
{
	struct pvrom_vq_done done;

	while (pvrom_vq_driver_get(&q->vq, &done) != PVROM_VQ_OK) {
		if (vu_client_now() >= end)
			return NULL;
		usleep(50);
	}
	*len = done.len;
	return done.token;
}

/* Adds a part of a frame to what there is of it. */
static uint32_t append(uint8_t *frame, uint32_t at, uint32_t room, const uint8_t *part,
		       uint32_t len)
{
	if (at < room)
		memcpy(frame + at, part, len < room - at ? len : room - at);
	return at + len;
}

uint32_t net_client_take(struct vu_client *c, uint32_t pair, struct pvrom_net_header *header,
			 void *frame, uint32_t room, int ms)
{
	struct vu_client_queue *q = &c->queue[2 * pair];
	const uint64_t end = vu_client_now() + (uint64_t)ms * 1000000;
	struct vu_client_request *r;
	uint32_t len = 0, total = 0, n, parts = 1;

	for (n = 0; n < parts; n++) {
		r = next(q, n ? end + 1000000000 : end, &len);
		if (!r || (!n && len < HEADER))
			return 0;
		if (!n)
			memcpy(header, r->data, HEADER);
		if (!n && c->accepted & PVROM_NET_F_MRG_RXBUF)
			parts = header->num_buffers;
		total = append(frame, total, room, r->data + (n ? 0 : HEADER),
			       len - (n ? 0 : (uint32_t)HEADER));
		offer(c, q, r);
	}
	show(c, 2 * pair);
	return total;
}

int net_client_command(struct vu_client *c, uint32_t queue, uint8_t class, uint8_t command,
		       const void *data, uint32_t len)
{
	struct vu_client_queue *q = &c->queue[queue];
	struct vu_client_request *r = &q->request[0];
	struct pvrom_vq_buf buf[2];
	uint32_t written = 0;

	r->data[0] = class;
	r->data[1] = command;
	memcpy(r->data + 2, data, len);
	*r->status = 0xff;
	buf[0] = (struct pvrom_vq_buf){ .addr = vu_client_gpa(c, r->data), .len = 2 + len };
	buf[1] = (struct pvrom_vq_buf){ .addr = vu_client_gpa(c, r->status), .len = 1 };
	if (pvrom_vq_driver_add(&q->vq, buf, 1, 1, r) != PVROM_VQ_OK)
		return -1;
	show(c, queue);
	if (!next(q, vu_client_now() + 2000000000u, &written))
		return -1;
	return written == 1 ? *r->status : -1;
}
