/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One request: its buffer is taken apart, judged, held back, done, and answered.
 *
 * VIRTIO 1.2, 5.2.6 gives the layout: 16 readable bytes of header, readable data, writable data, one
 * writable byte of status; 2.7.4.1 says that a driver may cut these into descriptors as it likes.
 */
#include "blk_host_internal.h"

/* ---- the buffer ---------------------------------------------------------------------------------- */

/* Pieces of the data part: `skip` bytes after the beginning of piece[first], `bytes` long. */
static void make_vec(struct pvrom_blk_request *r, uint32_t first, uint64_t skip, uint64_t bytes)
{
	const struct pvrom_vq_piece *piece = &r->piece[first];
	uint32_t n = 0;
	uint64_t part;

	for (; bytes; piece++, bytes -= part) {
		if (skip >= piece->len) {
			skip -= piece->len;
			part = 0;
			continue;
		}
		part = piece->len - skip < bytes ? piece->len - skip : bytes;
		r->vec[n].base = (uint8_t *)piece->at + skip;
		r->vec[n++].len = part;
		skip = 0;
	}
	r->io.vec = r->vec;
	r->io.vecs = n;
}

/* ---- the end ------------------------------------------------------------------------------------- */

static uint8_t status_of(struct pvrom_blk_host *host, uint32_t result)
{
	if (result == PVROM_BLK_DONE)
		return PVROM_BLK_S_OK;
	if (result == PVROM_BLK_UNSUPPORTED) {
		host->counters.unsupported++;
		return PVROM_BLK_S_UNSUPP;
	}
	host->counters.failed++;
	host->counters.no_space += result == PVROM_BLK_NO_SPACE;
	return PVROM_BLK_S_IOERR;
}

static bool writes_guest(const struct pvrom_blk_request *r)
{
	return r->type == PVROM_BLK_T_IN || r->type == PVROM_BLK_T_GET_ID;
}

/* Of a read that failed, some of the data may have been written: all of it is logged. */
static void answer(struct pvrom_blk_request *r)
{
	*(volatile uint8_t *)r->vq.last = r->result;
	if (!r->ring || !r->ring->log || !r->ring->config.ops->dirty)
		return;
	if (writes_guest(r) && !BLK_SLIP(DIRTY_DATA))
		pvrom_vq_request_dirty(r->ring, &r->vq, 0, r->vq.writable);
	else if (!BLK_SLIP(DIRTY_STATUS))
		r->ring->config.ops->dirty(r->ring->config.ops_ctx, r->vq.last_gpa, 1);
}

/*
 * How much of the writable part, from its beginning, is certainly written (2.7.8.2): the status lies
 * behind the data, so it counts only when the data does.
 */
static uint64_t written(const struct pvrom_blk_request *r)
{
	if (r->result == PVROM_BLK_S_OK && r->type == PVROM_BLK_T_GET_ID &&
	    r->in_bytes > PVROM_BLK_ID_BYTES)
		return PVROM_BLK_ID_BYTES;
	return r->result == PVROM_BLK_S_OK || r->vq.writable == 1 ? r->vq.writable : 0;
}

static void finish(struct pvrom_blk_request *r, uint32_t result)
{
	struct pvrom_blk_host *host = r->host;
	uint64_t length = 0;

	r->cancelled = r->epoch != host->epoch;
	if (!r->cancelled && r->vq.last) {
		r->result = status_of(host, result);
		answer(r);
		if (r->vq.fault == PVROM_VQ_FAULT_NONE)
			length = written(r);
	}
	host->in_work--;
	host->setup.ops->complete(host->setup.ops_ctx, r, length);
}

static void refuse(struct pvrom_blk_request *r, uint32_t result)
{
	r->host->counters.malformed += result == PVROM_BLK_FAILED;
	finish(r, result);
}

/* ---- what the backend does ------------------------------------------------------------------------ */

/* Backends see no empty operation but FLUSH. */
static void submit(struct pvrom_blk_request *r)
{
	struct pvrom_blk_backend *backend = r->host->setup.backend;

	if (!r->io.length && r->io.op != PVROM_BLK_IO_FLUSH) {
		finish(r, PVROM_BLK_DONE);
		return;
	}
	r->io.part = 0;
	r->io.progress = 0;
	backend->ops->submit(backend, &r->io);
}

/* Ranges are done one after the other, each of at most PVROM_BLK_RANGES calls deeper than the one before. */
static void submit_range(struct pvrom_blk_request *r)
{
	const struct pvrom_blk_range *range;

	/* Empty ones are done; of the last one submit() says so. */
	while (!r->range[r->range_at].num_sectors && r->range_at + 1 < r->ranges)
		r->range_at++;
	range = &r->range[r->range_at];
	r->io.offset = range->sector << PVROM_BLK_SECTOR_SHIFT;
	r->io.length = (uint64_t)range->num_sectors << PVROM_BLK_SECTOR_SHIFT;
	r->io.flags &= ~PVROM_BLK_IO_UNMAP;
	if (range->flags & PVROM_BLK_RANGE_UNMAP)
		r->io.flags |= PVROM_BLK_IO_UNMAP;
	submit(r);
}

void pvrom_blk_io_done(struct pvrom_blk_io *io, uint32_t result)
{
	struct pvrom_blk_request *r =
		(struct pvrom_blk_request *)(void *)((uint8_t *)io -
						     offsetof(struct pvrom_blk_request, io));

	if (BLK_SLIP(FLUSH_FAILED) && io->op == PVROM_BLK_IO_FLUSH)
		result = PVROM_BLK_DONE;
	if (result == PVROM_BLK_DONE && r->epoch == r->host->epoch && ++r->range_at < r->ranges)
		submit_range(r);
	else
		finish(r, result);
}

static void begin(struct pvrom_blk_request *r)
{
	r->range_at = 0;
	if (r->ranges)
		submit_range(r);
	else
		submit(r);
}

/* ---- limits ---------------------------------------------------------------------------------------- */

static void wait(struct pvrom_blk_request *r)
{
	r->next = NULL;
	*r->host->waiting_end = r;
	r->host->waiting_end = &r->next;
	r->host->counters.held++;
}

static void begin_when_due(struct pvrom_blk_request *r)
{
	struct pvrom_blk_host *host = r->host;
	uint64_t bytes = r->io.op <= PVROM_BLK_IO_WRITE ? r->io.length : 0, now;
	uint32_t i;

	if (!host->setup.limit) {
		begin(r);
		return;
	}
	/* Zeroes may have to be written; a discard is one act however long. */
	for (i = 0; r->io.op == PVROM_BLK_IO_ZEROES && !BLK_SLIP(LIMIT_ZEROES) && i < r->ranges;
	     i++)
		bytes += (uint64_t)r->range[i].num_sectors << PVROM_BLK_SECTOR_SHIFT;
	now = host->setup.ops->now(host->setup.ops_ctx);
	r->start_at = pvrom_limit_take(host->setup.limit, bytes, now);
	if (r->start_at <= now && !host->waiting)
		begin(r);
	else
		wait(r);
}

static void begin_until(struct pvrom_blk_host *host, uint64_t now)
{
	while (host->waiting && (host->waiting->start_at <= now || BLK_SLIP(LIMIT_EARLY))) {
		struct pvrom_blk_request *r = host->waiting;

		host->waiting = r->next;
		if (!host->waiting)
			host->waiting_end = &host->waiting;
		if (r->epoch == host->epoch)
			begin(r);
		else
			finish(r, PVROM_BLK_FAILED);
	}
}

uint64_t pvrom_blk_host_release(struct pvrom_blk_host *host)
{
	if (!host->waiting)
		return UINT64_MAX;
	begin_until(host, host->setup.ops->now(host->setup.ops_ctx));
	pvrom_blk_host_kick(host);
	return host->waiting ? host->waiting->start_at : UINT64_MAX;
}

void pvrom_blk_host_drain(struct pvrom_blk_host *host)
{
	begin_until(host, UINT64_MAX);
	pvrom_blk_host_kick(host);
}

/* ---- one function for each type of request ------------------------------------------------------------ */

static bool within(const struct pvrom_blk_host *host, uint64_t sector, uint64_t sectors)
{
	return sector <= host->config.capacity && sectors <= host->config.capacity - sector;
}

/* A segment may hold the header or the status beside data. */
static bool segments_fit(const struct pvrom_blk_request *r)
{
	uint32_t i;

	if (!(r->host->accepted & PVROM_BLK_F_SIZE_MAX))
		return true;
	for (i = 0; i < r->vq.readable_pieces + r->vq.writable_pieces; i++)
		if (r->piece[i].len >
		    (uint64_t)r->host->setup.size_max + sizeof(struct pvrom_blk_header))
			return false;
	return true;
}

static void start_transfer(struct pvrom_blk_request *r, const struct pvrom_blk_header *header,
			   bool write)
{
	struct pvrom_blk_host *host = r->host;
	uint64_t bytes = write ? r->out_bytes : r->in_bytes;

	if (BLK_REFUSE(WRONG_WAY, write ? r->in_bytes : r->out_bytes) ||
	    BLK_REFUSE(SECTORS, bytes % PVROM_BLK_SECTOR) ||
	    BLK_REFUSE(CAPACITY, !within(host, header->sector, bytes / PVROM_BLK_SECTOR)) ||
	    BLK_REFUSE(SIZE_MAX, !segments_fit(r))) {
		refuse(r, PVROM_BLK_FAILED);
		return;
	}
	r->io.op = write ? PVROM_BLK_IO_WRITE : PVROM_BLK_IO_READ;
	r->io.offset = header->sector << PVROM_BLK_SECTOR_SHIFT;
	r->io.length = bytes;
	make_vec(r, write ? 0 : r->vq.readable_pieces, write ? sizeof(*header) : 0, bytes);
	if (write && pvrom_blk_host_writes_stable(host))
		r->io.flags = PVROM_BLK_IO_STABLE;
	*(write ? &host->counters.writes : &host->counters.reads) += 1;
	*(write ? &host->counters.written_bytes : &host->counters.read_bytes) += bytes;
	begin_when_due(r);
}

static void start_flush(struct pvrom_blk_request *r)
{
	if (BLK_REFUSE(FLUSH_DATA, r->out_bytes || r->in_bytes)) {
		refuse(r, PVROM_BLK_FAILED);
		return;
	}
	r->io.op = PVROM_BLK_IO_FLUSH;
	r->host->counters.flushes++;
	if (BLK_SLIP(FLUSH_ALONE))
		finish(r, PVROM_BLK_DONE);
	else
		begin_when_due(r);
}

static void start_id(struct pvrom_blk_request *r)
{
	const struct pvrom_vq_piece *piece = &r->piece[r->vq.readable_pieces];
	const char *id = r->host->setup.id;
	uint64_t at, part, bytes = PVROM_BLK_ID_BYTES;

	if (BLK_REFUSE(ID_DATA, r->out_bytes || r->in_bytes < PVROM_BLK_ID_BYTES)) {
		refuse(r, PVROM_BLK_FAILED);
		return;
	}
	if (bytes > r->in_bytes)
		bytes = r->in_bytes;
	for (at = 0; at < bytes; piece++, at += part) {
		part = bytes - at;
		if (piece->len < part)
			part = piece->len;
		__builtin_memcpy(piece->at, id + at, part);
	}
	finish(r, PVROM_BLK_DONE);
}

struct range_rules {
	uint64_t feature;
	uint32_t op, sectors, ranges, flags;
};

/* VIRTIO 1.2, 5.2.6.2: unknown flags, and unmap anywhere but with WRITE_ZEROES, are UNSUPP. */
static uint32_t judge_ranges(const struct pvrom_blk_request *r, const struct range_rules *rules)
{
	uint32_t i;

	for (i = 0; i < r->ranges; i++)
		if (BLK_REFUSE(RANGE_FLAGS, r->range[i].flags & ~rules->flags))
			return PVROM_BLK_UNSUPPORTED;
	for (i = 0; i < r->ranges; i++)
		if (BLK_REFUSE(RANGE_LENGTH, r->range[i].num_sectors > rules->sectors) ||
		    BLK_REFUSE(RANGE_CAPACITY,
			       !within(r->host, r->range[i].sector, r->range[i].num_sectors)))
			return PVROM_BLK_FAILED;
	return PVROM_BLK_DONE;
}

static uint32_t take_ranges(struct pvrom_blk_request *r, const struct range_rules *rules)
{
	const uint64_t each = sizeof(r->range[0]), n = r->out_bytes / each;

	if (BLK_REFUSE(RANGE_FEATURE, !(r->host->accepted & rules->feature)))
		return PVROM_BLK_UNSUPPORTED;
	if (BLK_REFUSE(RANGE_COUNT, !n || n > rules->ranges || r->out_bytes % each) ||
	    BLK_REFUSE(RANGE_WAY, r->in_bytes))
		return PVROM_BLK_FAILED;
	r->ranges = n < PVROM_BLK_RANGES ? (uint32_t)n : PVROM_BLK_RANGES;
	pvrom_vq_request_read(&r->vq, sizeof(struct pvrom_blk_header), r->range, r->ranges * each);
	return judge_ranges(r, rules);
}

static void start_ranges(struct pvrom_blk_request *r, const struct range_rules *rules)
{
	const uint32_t result = take_ranges(r, rules);

	if ((rules->op == PVROM_BLK_IO_ZEROES && BLK_SLIP(ZEROES_QUIET)) ||
	    (rules->op == PVROM_BLK_IO_DISCARD && BLK_SLIP(DISCARD_QUIET))) {
		finish(r, PVROM_BLK_DONE);
		return;
	}
	if (result != PVROM_BLK_DONE) {
		refuse(r, result);
		return;
	}
	r->io.op = BLK_SLIP(ERASE_AS_DISCARD) ? PVROM_BLK_IO_DISCARD : rules->op;
	if (pvrom_blk_host_writes_stable(r->host))
		r->io.flags = PVROM_BLK_IO_STABLE;
	begin_when_due(r);
}

static void start_discard(struct pvrom_blk_request *r)
{
	const struct pvrom_blk_config *c = &r->host->config;
	const struct range_rules rules = { PVROM_BLK_F_DISCARD, PVROM_BLK_IO_DISCARD,
					   c->max_discard_sectors, c->max_discard_seg, 0 };

	r->host->counters.discards++;
	start_ranges(r, &rules);
}

static void start_zeroes(struct pvrom_blk_request *r)
{
	const struct pvrom_blk_config *c = &r->host->config;
	const struct range_rules rules = { PVROM_BLK_F_WRITE_ZEROES, PVROM_BLK_IO_ZEROES,
					   c->max_write_zeroes_sectors, c->max_write_zeroes_seg,
					   PVROM_BLK_RANGE_UNMAP };

	r->host->counters.zeroes++;
	start_ranges(r, &rules);
}

static void start_erase(struct pvrom_blk_request *r)
{
	const struct pvrom_blk_config *c = &r->host->config;
	const struct range_rules rules = { PVROM_BLK_F_SECURE_ERASE, PVROM_BLK_IO_ERASE,
					   c->max_secure_erase_sectors, c->max_secure_erase_seg,
					   0 };

	r->host->counters.erases++;
	start_ranges(r, &rules);
}

/* A read-only disk refuses what would change it with IOERR, also types it does not offer otherwise. */
static bool changes(uint32_t type)
{
	return type == PVROM_BLK_T_OUT || type == PVROM_BLK_T_DISCARD ||
	       type == PVROM_BLK_T_WRITE_ZEROES || type == PVROM_BLK_T_SECURE_ERASE;
}

static void start_type(struct pvrom_blk_request *r, const struct pvrom_blk_header *header)
{
	if (BLK_REFUSE(READ_ONLY, changes(r->type) && r->host->setup.read_only)) {
		finish(r, PVROM_BLK_FAILED);
		return;
	}
	switch (r->type) {
	case PVROM_BLK_T_IN: start_transfer(r, header, false); break;
	case PVROM_BLK_T_OUT: start_transfer(r, header, true); break;
	case PVROM_BLK_T_FLUSH: start_flush(r); break;
	case PVROM_BLK_T_GET_ID: start_id(r); break;
	case PVROM_BLK_T_DISCARD: start_discard(r); break;
	case PVROM_BLK_T_WRITE_ZEROES: start_zeroes(r); break;
	case PVROM_BLK_T_SECURE_ERASE: start_erase(r); break;
	default: finish(r, BLK_REFUSE(UNKNOWN_TYPE, true) ? PVROM_BLK_UNSUPPORTED : PVROM_BLK_DONE);
	}
}

void pvrom_blk_host_start(struct pvrom_blk_host *host, struct pvrom_blk_request *r)
{
	struct pvrom_blk_header header = { PVROM_BLK_T_FLUSH, 0, 0 };

	r->host = host;
	r->epoch = host->epoch;
	r->type = UINT32_MAX;
	r->ranges = 0;
	r->io.flags = 0;
	r->io.offset = r->io.length = 0;
	host->in_work++;
	r->out_bytes = r->in_bytes = 0;
	if (BLK_REFUSE(FAULT, r->vq.fault != PVROM_VQ_FAULT_NONE) ||
	    BLK_REFUSE(NO_STATUS, !r->vq.last) ||
	    BLK_REFUSE(HEADER_SHORT, pvrom_vq_request_read(&r->vq, 0, &header, sizeof(header)) <
					     sizeof(header))) {
		refuse(r, PVROM_BLK_FAILED);
		return;
	}
	r->type = header.type;
	if (r->vq.readable > sizeof(header))
		r->out_bytes = r->vq.readable - sizeof(header);
	if (r->vq.writable)
		r->in_bytes = r->vq.writable - 1;
	start_type(r, &header);
}
