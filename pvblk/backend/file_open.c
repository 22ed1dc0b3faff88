/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Opens and locks the file or block device behind a disk, and finds out what it can.
 */
#define _GNU_SOURCE
#include "../blk_host_internal.h"
#include "file_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool complain(char *message, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool complain(char *message, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(message, PVROM_BLK_MESSAGE, format, list);
	va_end(list);
	return false;
}

static bool is_disk(struct file_opened *f, const char *path, char *message)
{
	struct stat st;

	if (fstat(f->fd, &st))
		return complain(message, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return complain(message, "%s: is a directory", path);
	f->device = S_ISBLK(st.st_mode);
	if (!f->device && !S_ISREG(st.st_mode))
		return complain(message, "%s: neither a file nor a block device", path);
	return true;
}

/* A process that was killed holds its locks until the kernel has taken its io_uring apart. */
#define GHOST_MS 1500

/* The lock belongs to the open file, so it goes along when the descriptor is handed over. */
static bool lock(const struct file_opened *f, const struct pvrom_blk_file_setup *s, char *message)
{
	struct flock l = { .l_type = s->read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };
	int ms, error = 0;

	if (s->no_lock || BLK_SLIP(FILE_LOCK))
		return true;
	for (ms = 0; ms < GHOST_MS; ms += 2) {
		error = fcntl(f->fd, F_OFD_SETLK, &l) ? errno : 0;
		if (error != EAGAIN && error != EACCES)
			break;
		usleep(2000);
	}
	if (error == EAGAIN || error == EACCES)
		return complain(message, "%s: locked by another process", s->path);
	return !error || complain(message, "%s: cannot be locked: %s", s->path, strerror(error));
}

uint64_t pvrom_file_sectors(const struct file_opened *f)
{
	struct stat st;
	uint64_t bytes = 0;

	if (f->device)
		return ioctl(f->fd, BLKGETSIZE64, &bytes) ? 0 : bytes >> PVROM_BLK_SECTOR_SHIFT;
	return fstat(f->fd, &st) ? 0 : (uint64_t)st.st_size >> PVROM_BLK_SECTOR_SHIFT;
}

/* What O_DIRECT wants. Linux 6.1 and later say; before, the logical block is right. */
static void find_alignment(struct file_opened *f)
{
	int block = 512;

	f->offset_align = f->memory_align = 512;
	f->discard_align = f->device ? 512 : 4096;
	if (f->device && !ioctl(f->fd, BLKSSZGET, &block))
		f->offset_align = f->memory_align = (uint32_t)block;
#ifdef STATX_DIOALIGN
	struct statx x;
	if (f->direct && !statx(f->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &x) &&
	    (x.stx_mask & STATX_DIOALIGN) && x.stx_dio_offset_align) {
		f->offset_align = x.stx_dio_offset_align < 512 ? 512 : x.stx_dio_offset_align;
		f->memory_align = x.stx_dio_mem_align;
	}
#endif
	if (f->discard_align < f->offset_align)
		f->discard_align = f->offset_align;
}

static bool find_size(struct file_opened *f, const char *path, char *message)
{
	f->sectors = pvrom_file_sectors(f);
	if (!f->sectors)
		return complain(message, "%s: shorter than a sector of 512 bytes", path);
	return true;
}

static bool open_buffered(struct file_opened *f, const struct pvrom_blk_file_setup *s,
			  char *message)
{
	char link[64];

	f->buffered_fd = f->fd;
	if (!f->direct)
		return true;
	/* The same file, whatever the path names by now. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", f->fd);
	f->buffered_fd = open(link, (s->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (f->buffered_fd < 0)
		return complain(message, "%s: cannot be opened again: %s", s->path,
				strerror(errno));
	return true;
}

static bool examine(struct file_opened *f, const struct pvrom_blk_file_setup *s, char *message)
{
	int flags = fcntl(f->fd, F_GETFL);

	/* io_uring would answer EAGAIN on an O_NONBLOCK file instead of waiting for the disk. */
	if (flags < 0 || fcntl(f->fd, F_SETFL, flags & ~O_NONBLOCK))
		return complain(message, "%s: %s", s->path, strerror(errno));
	f->direct = flags & O_DIRECT;
	if (!is_disk(f, s->path, message) || !lock(f, s, message) ||
	    !find_size(f, s->path, message) || !open_buffered(f, s, message))
		return false;
	find_alignment(f);
	return true;
}

bool pvrom_file_open(struct file_opened *f, const struct pvrom_blk_file_setup *s, char *message)
{
	int flags = (s->read_only ? O_RDONLY : O_RDWR) | (s->direct ? O_DIRECT : 0);

	*f = (struct file_opened){ .fd = s->fd, .buffered_fd = -1 };
	/* O_NONBLOCK: the open of a FIFO would wait for ever. */
	if (f->fd < 0)
		f->fd = open(s->path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (f->fd < 0 && errno == EINVAL && s->direct)
		return complain(message, "%s: its file system does not do direct I/O", s->path);
	if (f->fd < 0)
		return complain(message, "%s: %s", s->path, strerror(errno));
	if (examine(f, s, message))
		return true;
	if (s->fd >= 0)
		f->fd = -1;
	pvrom_file_close(f);
	return false;
}

void pvrom_file_close(struct file_opened *f)
{
	if (f->buffered_fd >= 0 && f->buffered_fd != f->fd)
		close(f->buffered_fd);
	if (f->fd >= 0)
		close(f->fd);
}
