/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One request from the caller to the ring and back: VIRTIO 1.2, 5.2.6.
 *
 * The status byte is set to a value that no device writes before the device sees it: one that says "done" and
 * wrote none is found out.
 */
#include "blk_guest_internal.h"

#define STATUS_NONE 0xffu

/* ---- what is asked, and may it be asked? ----------------------------------------------------------- */

static bool is_range(uint32_t type)
{
	return type == PVROM_BLK_T_DISCARD || type == PVROM_BLK_T_WRITE_ZEROES ||
	       type == PVROM_BLK_T_SECURE_ERASE;
}

static bool device_writes(uint32_t type)
{
	return type == PVROM_BLK_T_IN || type == PVROM_BLK_T_GET_ID;
}

static bool within(const struct pvrom_blk_guest *blk, uint64_t sector, uint64_t count)
{
	return sector <= blk->sectors && count <= blk->sectors - sector;
}

/* The sum of the pieces; false if one of them is not as the device wants it. */
static bool sum_pieces(const struct pvrom_blk_guest *blk,
		       const struct pvrom_blk_guest_request *request, uint64_t *bytes)
{
	uint32_t i;

	*bytes = 0;
	if (!request->pieces || request->pieces > blk->settings.segments)
		return false;
	if (!blk->bounce_bytes && request->pieces > blk->segments)
		return false;
	for (i = 0; i < request->pieces; i++) {
		if (!request->piece[i].len)
			return false;
		if (!blk->bounce_bytes && request->piece[i].len > blk->segment_bytes)
			return false;
		*bytes += request->piece[i].len;
	}
	/* The status makes it one byte more, of which 32 bits are told (2.7.8). */
	return *bytes <= (blk->bounce_bytes ? blk->bounce_bytes : UINT32_MAX - 1);
}

static enum pvrom_blk_guest_result judge_data(const struct pvrom_blk_guest *blk,
					      struct pvrom_blk_guest_request *request)
{
	uint64_t bytes;

	if (request->type == PVROM_BLK_T_OUT && blk->read_only)
		return PVROM_BLK_GUEST_UNSUPPORTED;
	if (!sum_pieces(blk, request, &bytes))
		return PVROM_BLK_GUEST_BAD_REQUEST;
	request->bytes = (uint32_t)bytes;
	if (request->type == PVROM_BLK_T_GET_ID)
		return bytes == PVROM_BLK_ID_BYTES ? PVROM_BLK_GUEST_OK
						   : PVROM_BLK_GUEST_BAD_REQUEST;
	if (bytes % PVROM_BLK_SECTOR ||
	    !within(blk, request->sector, bytes >> PVROM_BLK_SECTOR_SHIFT))
		return PVROM_BLK_GUEST_BAD_REQUEST;
	return PVROM_BLK_GUEST_OK;
}

/* Ranges of that type in one request, sectors in one range. */
static void range_limit(const struct pvrom_blk_guest *blk, uint32_t type, uint32_t *ranges,
			uint32_t *sectors)
{
	const struct pvrom_blk_config *c = &blk->config;

	if (type == PVROM_BLK_T_DISCARD) {
		*ranges = blk->ranges[0];
		*sectors = c->max_discard_sectors;
	} else if (type == PVROM_BLK_T_WRITE_ZEROES) {
		*ranges = blk->ranges[1];
		*sectors = c->max_write_zeroes_sectors;
	} else {
		*ranges = blk->ranges[2];
		*sectors = c->max_secure_erase_sectors;
	}
	if (*ranges > PVROM_BLK_GUEST_RANGES)
		*ranges = PVROM_BLK_GUEST_RANGES;
}

static enum pvrom_blk_guest_result judge_ranges(const struct pvrom_blk_guest *blk,
						struct pvrom_blk_guest_request *request)
{
	uint32_t ranges, sectors, i;

	range_limit(blk, request->type, &ranges, &sectors);
	request->bytes = 0;
	if (!ranges || blk->read_only)
		return PVROM_BLK_GUEST_UNSUPPORTED;
	if (!request->ranges || request->ranges > ranges)
		return PVROM_BLK_GUEST_BAD_REQUEST;
	for (i = 0; i < request->ranges; i++) {
		const struct pvrom_blk_range *r = &request->range[i];

		if (!r->num_sectors || r->num_sectors > sectors ||
		    !within(blk, r->sector, r->num_sectors))
			return PVROM_BLK_GUEST_BAD_REQUEST;
	}
	return PVROM_BLK_GUEST_OK;
}

static enum pvrom_blk_guest_result judge(const struct pvrom_blk_guest *blk,
					 struct pvrom_blk_guest_request *request)
{
	switch (request->type) {
	case PVROM_BLK_T_IN:
	case PVROM_BLK_T_OUT:
	case PVROM_BLK_T_GET_ID: return judge_data(blk, request);
	case PVROM_BLK_T_DISCARD:
	case PVROM_BLK_T_WRITE_ZEROES:
	case PVROM_BLK_T_SECURE_ERASE: return judge_ranges(blk, request);
	case PVROM_BLK_T_FLUSH:
		request->bytes = 0;
		return guest_has(blk, PVROM_BLK_F_FLUSH) ? PVROM_BLK_GUEST_OK
							 : PVROM_BLK_GUEST_UNSUPPORTED;
	default: return PVROM_BLK_GUEST_UNSUPPORTED;
	}
}

/* ---- into the ring -------------------------------------------------------------------------------- */

static uint64_t gpa_of(const struct pvrom_blk_guest_queue *queue, uint16_t index, size_t offset)
{
	return queue->shared_gpa + index * sizeof(struct pvrom_blk_guest_shared) + offset;
}

/* Where the data of a place goes through if it is not to be seen itself. */
static uint8_t *bounce_at(const struct pvrom_blk_guest_queue *queue, uint16_t index)
{
	return queue->bounce + (size_t)index * queue->blk->bounce_bytes;
}

static void copy_out(const struct pvrom_blk_guest_queue *queue,
		     const struct pvrom_blk_guest_request *request)
{
	uint8_t *to = bounce_at(queue, request->index);
	uint32_t i;

	for (i = 0; i < request->pieces; to += request->piece[i++].len)
		__builtin_memcpy(to, request->piece[i].at, request->piece[i].len);
}

/* A bounce buffer in segments that the device takes. */
static uint32_t put_bounce(const struct pvrom_blk_guest_queue *queue,
			   const struct pvrom_blk_guest_request *request, struct pvrom_vq_buf *buf)
{
	const struct pvrom_blk_guest *blk = queue->blk;
	uint64_t gpa = queue->bounce_gpa + (uint64_t)request->index * blk->bounce_bytes;
	uint32_t done, n = 0;

	for (done = 0; done < request->bytes; done += buf[n++].len) {
		uint32_t left = request->bytes - done;

		buf[n] = (struct pvrom_vq_buf){
			gpa + done, left < blk->segment_bytes ? left : blk->segment_bytes, 0
		};
	}
	return n;
}

/* The data's pieces for the ring; returns how many. */
static uint32_t put_data(const struct pvrom_blk_guest_queue *queue,
			 const struct pvrom_blk_guest_request *request, struct pvrom_vq_buf *buf)
{
	uint32_t i;

	if (is_range(request->type)) {
		buf->addr = gpa_of(queue, request->index,
				   offsetof(struct pvrom_blk_guest_shared, range));
		buf->len = (uint32_t)(request->ranges * sizeof(struct pvrom_blk_range));
		return 1;
	}
	if (!request->bytes)
		return 0;
	if (queue->blk->bounce_bytes) {
		if (!device_writes(request->type))
			copy_out(queue, request);
		return put_bounce(queue, request, buf);
	}
	for (i = 0; i < request->pieces; i++)
		buf[i] = (struct pvrom_vq_buf){ request->piece[i].gpa, request->piece[i].len, 0 };
	return request->pieces;
}

static void fill_shared(const struct pvrom_blk_guest_queue *queue,
			const struct pvrom_blk_guest_request *request)
{
	struct pvrom_blk_guest_shared *s = &queue->shared[request->index];
	const bool data = request->type == PVROM_BLK_T_IN || request->type == PVROM_BLK_T_OUT;

	s->header = (struct pvrom_blk_header){ request->type, 0, data ? request->sector : 0 };
	if (is_range(request->type))
		__builtin_memcpy(s->range, request->range,
				 request->ranges * sizeof(struct pvrom_blk_range));
	__atomic_store_n(&s->status, STATUS_NONE, __ATOMIC_RELAXED);
}

static enum pvrom_vq_result add(struct pvrom_blk_guest_queue *queue,
				struct pvrom_blk_guest_request *request)
{
	struct pvrom_vq_buf buf[PVROM_BLK_GUEST_SEGMENTS + 2];
	uint32_t readable = 1, writable = 1, data;

	fill_shared(queue, request);
	buf[0] = (struct pvrom_vq_buf){ gpa_of(queue, request->index, 0),
					sizeof(struct pvrom_blk_header), 0 };
	data = put_data(queue, request, buf + 1);
	*(device_writes(request->type) ? &writable : &readable) += data;
	buf[1 + data] = (struct pvrom_vq_buf){
		gpa_of(queue, request->index, offsetof(struct pvrom_blk_guest_shared, status)), 1, 0
	};
	return pvrom_vq_driver_add(&queue->ring, buf, readable, writable, request);
}

enum pvrom_blk_guest_result pvrom_blk_guest_submit(struct pvrom_blk_guest_queue *queue,
						   struct pvrom_blk_guest_request *request)
{
	enum pvrom_blk_guest_result result = judge(queue->blk, request);
	uint16_t index = queue->free;

	if (GUEST_REFUSE(BROKEN_SUBMIT, queue->ring.reason || !queue->blk->running))
		return PVROM_BLK_GUEST_BROKEN;
	if (result)
		return result;
	if (queue->in_flight >= queue->ring.config.size)
		return PVROM_BLK_GUEST_FULL;
	request->index = index;
	switch (add(queue, request)) {
	case PVROM_VQ_OK: break;
	case PVROM_VQ_FULL: return PVROM_BLK_GUEST_FULL;
	case PVROM_VQ_BROKEN: return PVROM_BLK_GUEST_BROKEN;
	default: return PVROM_BLK_GUEST_BAD_REQUEST;
	}
	queue->free = queue->next[index];
	queue->in_flight++;
	return PVROM_BLK_GUEST_OK;
}

void pvrom_blk_guest_kick(struct pvrom_blk_guest_queue *queue)
{
	struct pvrom_virtio *virtio = queue->blk->virtio;

	if (pvrom_vq_driver_publish(&queue->ring))
		virtio->ops->notify(virtio, queue->number,
				    pvrom_vq_driver_notification(&queue->ring));
}

/* ---- and back -------------------------------------------------------------------------------------- */

static void copy_in(const struct pvrom_blk_guest_queue *queue,
		    const struct pvrom_blk_guest_request *request)
{
	const uint8_t *from = bounce_at(queue, request->index);
	uint32_t i;

	for (i = 0; i < request->pieces; from += request->piece[i++].len)
		__builtin_memcpy(request->piece[i].at, from, request->piece[i].len);
}

/* The status byte, read once. */
static enum pvrom_blk_guest_result read_status(struct pvrom_blk_guest_queue *queue, uint16_t index)
{
	uint8_t status = __atomic_load_n(&queue->shared[index].status, __ATOMIC_RELAXED);

	switch (status) {
	case PVROM_BLK_S_OK: return PVROM_BLK_GUEST_OK;
	case PVROM_BLK_S_IOERR: return PVROM_BLK_GUEST_FAILED;
	case PVROM_BLK_S_UNSUPP: return PVROM_BLK_GUEST_UNSUPPORTED;
	default:
		queue->bad_status++;
		return GUEST_REFUSE(STATUS_VALUE, true) ? PVROM_BLK_GUEST_FAILED
							: PVROM_BLK_GUEST_OK;
	}
}

/*
 * A device that wrote less than the data and the status left old bytes in the buffer, of another request
 * perhaps. The length may be believed as far as it is small (2.7.8.2: at least that much was written).
 */
static enum pvrom_blk_guest_result answer(struct pvrom_blk_guest_queue *queue,
					  const struct pvrom_blk_guest_request *request,
					  uint32_t written)
{
	enum pvrom_blk_guest_result result = read_status(queue, request->index);

	if (result || !device_writes(request->type))
		return result;
	if (GUEST_REFUSE(READ_SHORT, written < request->bytes + 1)) {
		queue->shorts++;
		return PVROM_BLK_GUEST_SHORT;
	}
	if (queue->blk->bounce_bytes)
		copy_in(queue, request);
	return PVROM_BLK_GUEST_OK;
}

void pvrom_blk_guest_finish(struct pvrom_blk_guest_queue *queue,
			    struct pvrom_blk_guest_request *request,
			    enum pvrom_blk_guest_result result)
{
	queue->next[request->index] = queue->free;
	queue->free = request->index;
	queue->in_flight--;
	request->result = result;
	request->done(request);
}

uint32_t pvrom_blk_guest_poll(struct pvrom_blk_guest_queue *queue, uint32_t budget, bool *broken)
{
	struct pvrom_vq_done done;
	uint32_t n;

	for (n = 0; n < budget; n++) {
		enum pvrom_vq_result result = pvrom_vq_driver_get(&queue->ring, &done);

		if (result == PVROM_VQ_BROKEN)
			*broken = true;
		if (result)
			break;
		pvrom_blk_guest_finish(queue, done.token, answer(queue, done.token, done.len));
	}
	return n;
}

bool pvrom_blk_guest_interrupts(struct pvrom_blk_guest_queue *queue, bool on)
{
	if (on)
		return pvrom_vq_driver_interrupts_on(&queue->ring, 1);
	pvrom_vq_driver_interrupts_off(&queue->ring);
	return false;
}
