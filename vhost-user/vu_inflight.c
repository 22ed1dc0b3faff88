/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The record of buffers in flight: memory that the front end keeps for the next server, a part for each
 * queue. What is in a part is the virtqueue's business.
 */
#define _GNU_SOURCE
#include "vu_internal.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t stride(uint64_t features, uint32_t queue_size)
{
	/* In a packed ring a record for any size is long enough for a smaller one; in a split ring too. */
	const uint64_t bytes = pvrom_vq_inflight_bytes(features, queue_size);

	return (bytes + VU_INFLIGHT_ALIGN - 1) & ~(uint64_t)(VU_INFLIGHT_ALIGN - 1);
}

void vu_inflight_clear(struct vu_inflight *inflight)
{
	if (inflight->at) {
		vu_unmap_shared(inflight->base, inflight->length);
		close(inflight->fd);
	}
	inflight->at = NULL;
}

int vu_inflight_set(struct vu_inflight *inflight, uint64_t features, int fd, uint64_t offset,
		    uint64_t size, uint16_t queues, uint16_t queue_size)
{
	struct vu_inflight next = {
		.offset = offset, .size = size, .queues = queues, .queue_size = queue_size, .fd = fd
	};
	const uint64_t each = stride(features, queue_size);
	int error = EINVAL;

	if (each && queues && !(offset & 7) && size / queues >= each) {
		next.at = vu_map_shared(fd, offset, size, &next.base, &next.length);
		error = errno;
	}
	if (!next.at) {
		close(fd);
		return -error;
	}
	vu_inflight_clear(inflight);
	*inflight = next;
	return 0;
}

int vu_inflight_create(struct vu_inflight *inflight, uint64_t features, uint16_t queues,
		       uint16_t queue_size)
{
	const uint64_t size = stride(features, queue_size) * queues;
	int fd;

	if (!size)
		return -EINVAL;
	fd = memfd_create("pvrom inflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size)) {
		close(fd);
		return -errno;
	}
	return vu_inflight_set(inflight, features, fd, 0, size, queues, queue_size);
}

void *vu_inflight_queue(const struct vu_inflight *inflight, uint64_t features, uint32_t index,
			uint32_t size)
{
	if (!inflight->at || index >= inflight->queues || size > inflight->queue_size)
		return NULL;
	return inflight->at + stride(features, inflight->queue_size) * index;
}
