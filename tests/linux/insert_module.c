/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Loads a module once: insert_module FILE; busybox would try again in another way. Loads and unloads modules often, and
 * each in its turn: insert_module TIMES FILE NAME [FILE NAME], and says how often that worked and the median of the
 * microseconds that loading took.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TIMES_MAX 10000
#define MODULES_MAX 2

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

struct module {
	const char *file, *name;
	int64_t took[TIMES_MAX];
	int done;
};

static bool load_and_unload(struct module *module)
{
	const int64_t start = now_us();

	if (insert(module->file))
		return false;
	module->took[module->done] = now_us() - start;
	if (syscall(SYS_delete_module, module->name, O_NONBLOCK))
		return false;
	module->done++;
	return true;
}

static void report(struct module *module)
{
	const size_t done = (size_t)module->done;

	qsort(module->took, done, sizeof(module->took[0]), by_value);
	printf("LOADED %s %zu %lld\n", module->name, done,
	       done ? (long long)module->took[done / 2] : 0);
}

/* What slows the machine down meanwhile slows all of them. Ends at the first failure. */
static void often(struct module *modules, int count, long times)
{
	bool well = true;

	for (long i = 0; i < times && i < TIMES_MAX; i++)
		for (int n = 0; n < count && well; n++)
			well = load_and_unload(&modules[n]);
	for (int n = 0; n < count; n++)
		report(&modules[n]);
}

int main(int argc, char **argv)
{
	static struct module modules[MODULES_MAX];
	const int count = (argc - 2) / 2;
	int failed;

	if (argc >= 4 && argc % 2 == 0 && count <= MODULES_MAX) {
		for (int n = 0; n < count; n++) {
			modules[n].file = argv[2 + 2 * n];
			modules[n].name = argv[3 + 2 * n];
		}
		often(modules, count, strtol(argv[1], NULL, 10));
		return 0;
	}
	if (argc != 2)
		return 2;
	failed = insert(argv[1]);
	printf("INSERT %s\n", failed ? strerror(failed) : "ok");
	return failed != 0;
}
