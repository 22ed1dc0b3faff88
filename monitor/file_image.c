/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Files that a guest is given, mapped whole. */
#include "load_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_regular(const char *path, struct stat *info)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, info) < 0)
		fail(EXIT_CANNOT_RUN, "cannot open %s: %s", path, strerror(errno));
	if (!S_ISREG(info->st_mode))
		fail(EXIT_CANNOT_RUN, "cannot use %s: it is not a regular file", path);
	return fd;
}

/* Maps `path`, or ends pvrun with a message; an empty file has size 0 and no data. */
void file_open(struct file_image *file, const char *path)
{
	struct stat info;
	int fd = open_regular(path, &info);
	void *data = NULL;

	if (info.st_size > 0) {
		data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (data == MAP_FAILED)
			fail(EXIT_CANNOT_RUN, "cannot read %s: %s", path, strerror(errno));
	}
	close(fd);
	*file = (struct file_image){ path, data, (size_t)info.st_size };
}

void file_close(struct file_image *file)
{
	if (file->size > 0)
		munmap((void *)(uintptr_t)file->data, file->size);
	file->size = 0;
}
