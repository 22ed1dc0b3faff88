/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Disks of memory and of nothing: both answer at once.
 */
#define _GNU_SOURCE
#include <pvrom/blk_backend.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../blk_host_internal.h"
#include "backend_internal.h"

struct memory {
	struct hosted_backend hosted;
	uint8_t *bytes;
	size_t size;
};

static struct memory *memory_of(struct pvrom_blk_backend *backend)
{
	return (struct memory *)(void *)hosted_of(backend);
}

void pvrom_blk_backend_close(struct pvrom_blk_backend *backend)
{
	if (backend)
		hosted_of(backend)->close(hosted_of(backend));
}

/* ---- memory ---------------------------------------------------------------------------------------- */

static void copy(uint8_t *disk, const struct pvrom_blk_io *io)
{
	uint32_t i;

	for (i = 0; i < io->vecs; disk += io->vec[i++].len)
		if (io->op == PVROM_BLK_IO_READ)
			memcpy(io->vec[i].base, disk, io->vec[i].len);
		else
			memcpy(disk, io->vec[i].base, io->vec[i].len);
}

static void memory_submit(struct pvrom_blk_backend *backend, struct pvrom_blk_io *io)
{
	struct memory *m = memory_of(backend);

	if (io->offset > m->size || io->length > m->size - io->offset) {
		pvrom_blk_io_done(io, PVROM_BLK_FAILED);
		return;
	}
	if (io->op <= PVROM_BLK_IO_WRITE)
		copy(m->bytes + io->offset, io);
	else if (io->op != PVROM_BLK_IO_FLUSH &&
		 !(io->op == PVROM_BLK_IO_ERASE && BLK_SLIP(MEMORY_ERASE)))
		memset(m->bytes + io->offset, 0, io->length);
	pvrom_blk_io_done(io, PVROM_BLK_DONE);
}

static void memory_close(struct hosted_backend *hosted)
{
	struct memory *m = (struct memory *)(void *)hosted;

	munmap(m->bytes, m->size);
	free(m);
}

static const struct pvrom_blk_backend_ops memory_ops = { .submit = memory_submit };

struct pvrom_blk_backend *pvrom_blk_memory_open(uint64_t sectors)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->size = sectors << PVROM_BLK_SECTOR_SHIFT;
	m->bytes = mmap(NULL, m->size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->bytes == MAP_FAILED) {
		free(m);
		return NULL;
	}
	m->hosted.close = memory_close;
	m->hosted.head = (struct pvrom_blk_backend){
		.ops = &memory_ops, .capacity = sectors, .can = 0x3f, .blk_size = 512, .align = 512
	};
	/* cppcheck-suppress memleak; it goes with what is returned, until close */
	return &m->hosted.head;
}

uint8_t *pvrom_blk_memory_bytes(struct pvrom_blk_backend *backend)
{
	return memory_of(backend)->bytes;
}

/* ---- nothing --------------------------------------------------------------------------------------- */

static void null_submit(struct pvrom_blk_backend *backend, struct pvrom_blk_io *io)
{
	(void)backend;
	if (BLK_SLIP(NULL_READS) && io->op == PVROM_BLK_IO_READ)
		memset(io->vec->base, 0, io->vec->len);
	pvrom_blk_io_done(io, PVROM_BLK_DONE);
}

static void null_close(struct hosted_backend *hosted)
{
	free(hosted);
}

static const struct pvrom_blk_backend_ops null_ops = { .submit = null_submit };

struct pvrom_blk_backend *pvrom_blk_null_open(uint64_t sectors)
{
	struct hosted_backend *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->close = null_close;
	n->head = (struct pvrom_blk_backend){
		.ops = &null_ops, .capacity = sectors, .can = 0x3f, .blk_size = 512, .align = 512
	};
	return &n->head;
}
