/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Requests of a block device, from the driver's side.
 */
#define _GNU_SOURCE
#include "vu_client.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

struct vu_client_request *blk_client_free(struct vu_client *c, uint32_t queue)
{
	uint32_t i;

	for (i = 0; i < c->depth; i++)
		if (!c->queue[queue].request[i].busy)
			return &c->queue[queue].request[i];
	return NULL;
}

bool blk_client_submit(struct vu_client *c, uint32_t queue, struct vu_client_request *r,
		       uint32_t type, uint64_t sector, uint32_t length)
{
	const bool in = type == PVROM_BLK_T_IN || type == PVROM_BLK_T_GET_ID;
	struct pvrom_vq_buf buf[3] = { { vu_client_gpa(c, r->header), sizeof(*r->header), 0 } };
	uint32_t n = 1;

	*r->header = (struct pvrom_blk_header){ type, 0, sector };
	*r->status = 0xff;
	r->length = length;
	if (length)
		buf[n++] = (struct pvrom_vq_buf){ vu_client_gpa(c, r->data), length, 0 };
	buf[n++] = (struct pvrom_vq_buf){ vu_client_gpa(c, r->status), 1, 0 };
	r->began = vu_client_now();
	r->busy = pvrom_vq_driver_add(&c->queue[queue].vq, buf, length && !in ? 2 : 1,
				      length && in ? 2 : 1, r) == PVROM_VQ_OK;
	return r->busy;
}

void blk_client_publish(struct vu_client *c, uint32_t queue)
{
	const uint64_t one = 1;

	if (!pvrom_vq_driver_publish(&c->queue[queue].vq))
		return;
	c->queue[queue].kicks++;
	if (write(c->queue[queue].kick, &one, sizeof(one)) < 0)
		return; /* full: the server has been told often enough */
}

struct vu_client_request *blk_client_done(struct vu_client *c, uint32_t queue)
{
	struct pvrom_vq_done done;
	struct vu_client_request *r;

	if (pvrom_vq_driver_get(&c->queue[queue].vq, &done) != PVROM_VQ_OK)
		return NULL;
	r = done.token;
	r->busy = false;
	return r;
}

struct vu_client_request *blk_client_wait(struct vu_client *c, uint32_t queue, int ms)
{
	const uint64_t end = vu_client_now() + (uint64_t)ms * 1000000;
	struct vu_client_request *r;

	do {
		r = blk_client_done(c, queue);
		if (!r)
			sched_yield();
	} while (!r && c->queue[queue].vq.reason == PVROM_VQ_REASON_NONE && vu_client_now() < end);
	return r;
}

int blk_client_do(struct vu_client *c, uint32_t queue, uint32_t type, uint64_t sector, void *data,
		  uint32_t length)
{
	struct vu_client_request *r = blk_client_free(c, queue);

	if (!r)
		return -1;
	if (data && length)
		memcpy(r->data, data, length);
	if (!blk_client_submit(c, queue, r, type, sector, length))
		return -1;
	blk_client_publish(c, queue);
	r = blk_client_wait(c, queue, 10000);
	if (!r)
		return -1;
	if (data && length)
		memcpy(data, r->data, length);
	return *r->status;
}
