/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Loads a module once: insert_module FILE; busybox would try again in another way. Loads and unloads it often:
 * insert_module FILE NAME TIMES, and says how often that worked and the median of the microseconds that loading took.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TIMES_MAX 10000

static int64_t now_us(void)
{
	struct timespec now = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static int insert(const char *file)
{
	const int fd = open(file, O_RDONLY | O_CLOEXEC);
	const int failed = fd < 0 || syscall(SYS_finit_module, fd, "", 0) ? errno : 0;

	if (fd >= 0)
		close(fd);
	return failed;
}

static int by_value(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Ends at the first failure. */
static void often(const char *file, const char *name, long times)
{
	static int64_t took[TIMES_MAX];
	int64_t start;
	int done, failed = 0;

	for (done = 0; done < times && done < TIMES_MAX; done++) {
		start = now_us();
		failed = insert(file);
		took[done] = now_us() - start;
		if (failed || syscall(SYS_delete_module, name, O_NONBLOCK))
			break;
	}
	qsort(took, (size_t)done, sizeof(took[0]), by_value);
	printf("LOADED %s %d %lld\n", name, done, done ? (long long)took[done / 2] : 0);
}

int main(int argc, char **argv)
{
	int failed;

	if (argc == 4) {
		often(argv[1], argv[2], strtol(argv[3], NULL, 10));
		return 0;
	}
	if (argc != 2)
		return 2;
	failed = insert(argv[1]);
	printf("INSERT %s\n", failed ? strerror(failed) : "ok");
	return failed != 0;
}
