/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A file or block device: each operation is one of io_uring's, gone on with when it came back short.
 */
#define _GNU_SOURCE
#include <pvrom/blk_backend.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <pvrom/io_loop.h>

#include "../blk_host_internal.h"
#include "backend_internal.h"
#include "file_open.h"

_Static_assert(sizeof(struct pvrom_blk_vec) == sizeof(struct iovec) &&
		       offsetof(struct pvrom_blk_vec, len) == offsetof(struct iovec, iov_len),
	       "handed to the kernel as it is");

/* Zeroes are written in portions of this where the file system cannot make them. */
#define ZERO_PORTION 65536u
static const uint8_t zeroes[ZERO_PORTION];

struct file {
	struct hosted_backend hosted;
	struct file_opened opened;
	struct pvrom_loop *loop;
	bool flush_failed; /* data may be lost that the kernel has forgotten: never say flushed again */
	bool no_zero_range; /* this file system cannot; seen by trying */
};

/* What io->part says is being done. */
enum part { PART_TRANSFER, PART_PUNCH, PART_ZERO_RANGE, PART_ZERO_WRITE, PART_SYNC };

/* The backend's words of an operation: the loop's handle and the way back. */
struct words {
	struct pvrom_loop_op op;
	struct file *file;
};
_Static_assert(sizeof(struct words) <= sizeof(((struct pvrom_blk_io *)0)->pointer),
	       "room for them");

static struct file *file_of(struct pvrom_blk_backend *backend)
{
	return (struct file *)(void *)hosted_of(backend);
}

static struct pvrom_blk_io *io_of(struct pvrom_loop_op *op)
{
	return (struct pvrom_blk_io *)(void *)((char *)op - offsetof(struct pvrom_blk_io, pointer));
}

static struct words *words_of(struct pvrom_blk_io *io)
{
	return (struct words *)(void *)io->pointer;
}

/* ---- starting a part --------------------------------------------------------------------------------- */

/* With O_DIRECT, what is not aligned goes through the page cache, which the kernel keeps coherent. */
static int fd_for(const struct file *f, const struct pvrom_blk_io *io)
{
	uint32_t i;

	if (!f->opened.direct)
		return f->opened.fd;
	if ((io->offset | io->length | io->progress) & (f->opened.offset_align - 1))
		return f->opened.buffered_fd;
	for (i = 0; i < io->vecs; i++)
		if (((uintptr_t)io->vec[i].base | io->vec[i].len) & (f->opened.memory_align - 1))
			return f->opened.buffered_fd;
	return f->opened.fd;
}

static void start_transfer(struct file *f, struct pvrom_blk_io *io, struct io_uring_sqe *sqe)
{
	const int fd = fd_for(f, io);
	const struct iovec *vec = (const struct iovec *)(void *)io->vec;
	const uint64_t at = io->offset + io->progress;

	if (io->op == PVROM_BLK_IO_READ && io->vecs == 1)
		io_uring_prep_read(sqe, fd, vec->iov_base, (unsigned int)vec->iov_len, at);
	else if (io->op == PVROM_BLK_IO_READ)
		io_uring_prep_readv(sqe, fd, vec, io->vecs, at);
	else if (io->vecs == 1)
		io_uring_prep_write(sqe, fd, vec->iov_base, (unsigned int)vec->iov_len, at);
	else
		io_uring_prep_writev(sqe, fd, vec, io->vecs, at);
	if (io->flags & PVROM_BLK_IO_STABLE)
		sqe->rw_flags = RWF_DSYNC;
}

static void start_zero_write(struct file *f, struct pvrom_blk_io *io, struct io_uring_sqe *sqe)
{
	const uint64_t left = io->length - io->progress;

	io_uring_prep_write(sqe, f->opened.buffered_fd, zeroes,
			    (unsigned int)(left < ZERO_PORTION ? left : ZERO_PORTION),
			    io->offset + io->progress);
}

static void start_part(struct file *f, struct pvrom_blk_io *io, enum part part);

static void part_done(struct pvrom_loop_op *op, int32_t result);

static void start_part(struct file *f, struct pvrom_blk_io *io, enum part part)
{
	struct io_uring_sqe *sqe;
	struct words *w = words_of(io);

	*w = (struct words){ { part_done }, f };
	io->part = part;
	sqe = pvrom_loop_entry(f->loop, &w->op);
	switch (part) {
	case PART_TRANSFER: start_transfer(f, io, sqe); break;
	case PART_PUNCH:
		io_uring_prep_fallocate(sqe, f->opened.fd,
					FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					(off_t)io->offset, (off_t)io->length);
		break;
	case PART_ZERO_RANGE:
		io_uring_prep_fallocate(sqe, f->opened.fd,
					FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
					(off_t)io->offset, (off_t)io->length);
		break;
	case PART_ZERO_WRITE: start_zero_write(f, io, sqe); break;
	case PART_SYNC: io_uring_prep_fsync(sqe, f->opened.fd, IORING_FSYNC_DATASYNC); break;
	}
	io_uring_sqe_set_data(sqe, &w->op);
}

/* ---- the end of a part ------------------------------------------------------------------------------- */

static uint32_t failure(int32_t result)
{
	return result == -ENOSPC || result == -EDQUOT || result == -EFBIG ? PVROM_BLK_NO_SPACE
									  : PVROM_BLK_FAILED;
}

/* Leaves the vectors at what is still to be done. */
static void advance(struct pvrom_blk_io *io, uint64_t bytes)
{
	io->progress += bytes;
	while (bytes && bytes >= io->vec->len) {
		bytes -= io->vec->len;
		io->vec++;
		io->vecs--;
	}
	if (bytes) {
		io->vec->base = (uint8_t *)io->vec->base + bytes;
		io->vec->len -= bytes;
	}
}

/* Nothing read although more was asked for: the file has become shorter. */
static void transferred(struct file *f, struct pvrom_blk_io *io, int32_t result)
{
	if (result == 0) {
		pvrom_blk_io_done(io, BLK_SLIP(FILE_SHORT) ? PVROM_BLK_DONE : PVROM_BLK_FAILED);
		return;
	}
	if (io->progress + (uint32_t)result >= io->length) {
		pvrom_blk_io_done(io, PVROM_BLK_DONE);
		return;
	}
	advance(io, (uint32_t)result);
	start_part(f, io, PART_TRANSFER);
}

static void sync_or_done(struct file *f, struct pvrom_blk_io *io)
{
	if (io->flags & PVROM_BLK_IO_STABLE)
		start_part(f, io, PART_SYNC);
	else
		pvrom_blk_io_done(io, PVROM_BLK_DONE);
}

static void zeroes_written(struct file *f, struct pvrom_blk_io *io, int32_t result)
{
	io->progress += (uint32_t)result;
	if (!result)
		pvrom_blk_io_done(io, PVROM_BLK_FAILED);
	else if (io->progress < io->length)
		start_part(f, io, PART_ZERO_WRITE);
	else
		sync_or_done(f, io);
}

static void synced(struct file *f, struct pvrom_blk_io *io)
{
	pvrom_blk_io_done(io, f->flush_failed ? PVROM_BLK_FAILED : PVROM_BLK_DONE);
}

/* A file system that cannot: a discard is then done (it promises nothing), zeroes are written. */
static bool cannot(struct file *f, struct pvrom_blk_io *io, int32_t result)
{
	if (result != -EOPNOTSUPP && result != -ENOSYS && result != -EINVAL)
		return false;
	if (io->part != PART_PUNCH && io->part != PART_ZERO_RANGE)
		return false;
	if (io->op == PVROM_BLK_IO_DISCARD) {
		pvrom_blk_io_done(io, PVROM_BLK_DONE);
		return true;
	}
	f->no_zero_range |= io->part == PART_ZERO_RANGE;
	start_part(f, io, PART_ZERO_WRITE);
	return true;
}

/* Does this error mean that writes acknowledged before are gone? A sync tells of them whatever its errno is. */
static bool loses(const struct pvrom_blk_io *io, int32_t result)
{
	return io->part == PART_SYNC || (result == -EIO && (io->flags & PVROM_BLK_IO_STABLE));
}

/* In test builds: what the disk says instead. */
static int32_t planted(const struct pvrom_blk_io *io, int32_t result)
{
#ifdef PVROM_TEST
	static bool failed;

	if (BLK_SLIP(FILE_SPACE) && result == -ENOSPC)
		return (int32_t)io->length;
	if (io->part == PART_TRANSFER && result > 512 &&
	    (BLK_SLIP(FILE_PARTS) || BLK_SLIP(FILE_PARTS_DONE)))
		return BLK_SLIP(FILE_PARTS) ? result / 1024 * 512 : (int32_t)io->length;
	if (io->part == PART_TRANSFER && io->offset >> 20 == 1 &&
	    (BLK_SLIP(FILE_EIO) || BLK_SLIP(FILE_EIO_DONE)))
		return BLK_SLIP(FILE_EIO) ? -EIO : (int32_t)io->length;
	if ((BLK_SLIP(FILE_SYNC) || BLK_SLIP(FILE_SYNC_FORGOTTEN)) && io->part == PART_SYNC &&
	    !failed) {
		failed = true;
		return -EIO;
	}
#else
	(void)io;
#endif
	return result;
}

static void part_done(struct pvrom_loop_op *op, int32_t result)
{
	struct pvrom_blk_io *io = io_of(op);
	struct file *f = words_of(io)->file;

	result = planted(io, result);
	if (result == -EINTR || result == -EAGAIN) {
		start_part(f, io, (enum part)io->part);
		return;
	}
	if (result < 0) {
		f->flush_failed |= loses(io, result) && !BLK_SLIP(FILE_SYNC_FORGOTTEN);
		if (!cannot(f, io, result))
			pvrom_blk_io_done(io, failure(result));
		return;
	}
	switch ((enum part)io->part) {
	case PART_TRANSFER: transferred(f, io, result); break;
	case PART_PUNCH:
	case PART_ZERO_RANGE: sync_or_done(f, io); break;
	case PART_ZERO_WRITE: zeroes_written(f, io, result); break;
	case PART_SYNC: synced(f, io); break;
	}
}

/* ---- operations -------------------------------------------------------------------------------------- */

static enum part first_part(const struct file *f, const struct pvrom_blk_io *io)
{
	switch (io->op) {
	case PVROM_BLK_IO_READ:
	case PVROM_BLK_IO_WRITE: return PART_TRANSFER;
	case PVROM_BLK_IO_FLUSH: return PART_SYNC;
	case PVROM_BLK_IO_DISCARD: return PART_PUNCH;
	default:
		if (io->flags & PVROM_BLK_IO_UNMAP)
			return PART_PUNCH;
		return f->no_zero_range ? PART_ZERO_WRITE : PART_ZERO_RANGE;
	}
}

static void file_submit(struct pvrom_blk_backend *backend, struct pvrom_blk_io *io)
{
	struct file *f = file_of(backend);

	start_part(f, io, first_part(f, io));
}

static void file_kick(struct pvrom_blk_backend *backend)
{
	pvrom_loop_submit(file_of(backend)->loop);
}

int pvrom_blk_file_fd(const struct pvrom_blk_backend *backend)
{
	return file_of((struct pvrom_blk_backend *)(uintptr_t)backend)->opened.fd;
}

uint64_t pvrom_blk_file_sectors(const struct pvrom_blk_backend *backend)
{
	return pvrom_file_sectors(&file_of((struct pvrom_blk_backend *)(uintptr_t)backend)->opened);
}

static void file_close(struct hosted_backend *hosted)
{
	struct file *f = (struct file *)(void *)hosted;

	pvrom_file_close(&f->opened);
	free(f);
}

static const struct pvrom_blk_backend_ops file_ops = { .submit = file_submit, .kick = file_kick };

struct pvrom_blk_backend *pvrom_blk_file_open(const struct pvrom_blk_file_setup *setup,
					      struct pvrom_loop *loop, char *message)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f) {
		snprintf(message, PVROM_BLK_MESSAGE, "no memory");
		return NULL;
	}
	if (!pvrom_file_open(&f->opened, setup, message)) {
		free(f);
		return BLK_SLIP(FILE_ANY) ? pvrom_blk_null_open(2048) : NULL;
	}
	f->loop = loop;
	f->hosted.close = file_close;
	f->hosted.head = (struct pvrom_blk_backend){ .ops = &file_ops,
						     .capacity = f->opened.sectors,
						     .can = BLK_SLIP(FILE_ERASE) ? 0x3f : 0x1f,
						     .blk_size = f->opened.offset_align,
						     .align = f->opened.discard_align,
						     .volatile_cache = true };
	if (setup->read_only)
		f->hosted.head.can = 1u << PVROM_BLK_IO_READ | 1u << PVROM_BLK_IO_FLUSH;
	return &f->hosted.head;
}
