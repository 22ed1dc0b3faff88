/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The dirty log: a bit for each page of 4 KiB of guest memory that was written, in memory of the front end.
 */
#include "vu_internal.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

void vu_log_clear(struct vu_log *log)
{
	if (log->bits) {
		vu_unmap_shared(log->base, log->length);
		close(log->fd);
	}
	log->bits = NULL;
}

/* The new one is there before the old one goes. Its descriptor is taken over in any case. */
int vu_log_set(struct vu_log *log, int fd, uint64_t offset, uint64_t size)
{
	struct vu_log next = { .bytes = size, .offset = offset, .fd = fd };

	next.bits = vu_map_shared(fd, offset, size, &next.base, &next.length);
	if (!next.bits) {
		int error = errno;

		close(fd);
		return -error;
	}
	vu_log_clear(log);
	*log = next;
	return 0;
}

/* The front end takes bits away meanwhile, so each is set by an atomic OR; pages behind its end have none. */
void vu_log_mark(const struct vu_log *log, uint64_t gpa, uint64_t len)
{
	uint64_t page = gpa / VU_LOG_PAGE, last;

	if (!log->bits || !len)
		return;
	last = (gpa + (len - 1)) / VU_LOG_PAGE;
	for (; page <= last && page / 8 < log->bytes; page++)
		__atomic_fetch_or(&log->bits[page / 8], (uint8_t)(1u << page % 8),
				  __ATOMIC_SEQ_CST);
}
