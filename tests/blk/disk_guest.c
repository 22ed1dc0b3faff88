/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a test does inside a Linux guest to the disk that it has there, for which busybox has no applet. Static.
 *
 *	disk_guest zero DEVICE OFFSET BYTES	zeroes, made by the disk (BLKZEROOUT)
 *	disk_guest discard DEVICE OFFSET BYTES
 *	disk_guest fill DEVICE OFFSET BYTES SEED	writes a pattern past the page cache, then fsync
 *	disk_guest check DEVICE OFFSET BYTES SEED	reads it again
 *	disk_guest load DEVICE PROCESSES	counters in blocks, until a line comes on standard input
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 4096u
#define BLOCKS 64u /* of one process of the load */

static _Alignas(4096) uint64_t data[BLOCK / 8];

static int complain(const char *what)
{
	perror(what);
	return 1;
}

static void pattern(uint64_t block, uint64_t seed)
{
	uint64_t word = (block + 1) * 0x9e3779b97f4a7c15u ^ seed;
	size_t i;

	for (i = 0; i < BLOCK / 8; i++)
		data[i] = word = word * 6364136223846793005u + 1442695040888963407u;
}

static int fill(int fd, uint64_t from, uint64_t bytes, uint64_t seed)
{
	uint64_t at;

	for (at = from; at < from + bytes; at += BLOCK) {
		pattern(at / BLOCK, seed);
		if (pwrite(fd, data, BLOCK, (off_t)at) != BLOCK)
			return complain("write");
	}
	return fsync(fd) ? complain("fsync") : 0;
}

static int check(int fd, uint64_t from, uint64_t bytes, uint64_t seed)
{
	static _Alignas(4096) uint64_t is[BLOCK / 8];
	uint64_t at;

	for (at = from; at < from + bytes; at += BLOCK) {
		if (pread(fd, is, BLOCK, (off_t)at) != BLOCK)
			return complain("read");
		pattern(at / BLOCK, seed);
		if (memcmp(is, data, BLOCK)) {
			printf("# block %llu is not as written\n",
			       (unsigned long long)(at / BLOCK));
			return 1;
		}
	}
	return 0;
}

/* ---- the load ------------------------------------------------------------------------------------ */

static uint64_t draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void put_counter(uint64_t block, uint64_t counter)
{
	size_t i;

	for (i = 0; i < BLOCK / 8; i += 2) {
		data[i] = block;
		data[i + 1] = counter;
	}
}

static bool holds(uint64_t block, uint64_t counter)
{
	size_t i;

	for (i = 0; i < BLOCK / 8; i += 2)
		if (data[i] != block || data[i + 1] != counter)
			return false;
	return true;
}

static int read_counter(int fd, uint64_t block, uint64_t counter)
{
	if (pread(fd, data, BLOCK, (off_t)(block * BLOCK)) != BLOCK)
		return complain("read");
	if (holds(block, counter))
		return 0;
	printf("# block %llu holds counter %llu, written was %llu\n", (unsigned long long)block,
	       (unsigned long long)data[1], (unsigned long long)counter);
	return 1;
}

static int write_counter(int fd, uint64_t block, uint64_t counter)
{
	put_counter(block, counter);
	return pwrite(fd, data, BLOCK, (off_t)(block * BLOCK)) == BLOCK ? 0 : complain("write");
}

/* A number that does not stay when it is written twice or never, in each block, and no other order. */
static int count_up(int fd, uint64_t first, const volatile bool *stop, uint64_t *done)
{
	uint64_t counter[BLOCKS] = { 0 }, seed = first * 77 + 88172645463325252u, i;
	int result = 0;

	for (i = 0; i < BLOCKS && !result; i++)
		result = write_counter(fd, first + i, 0);
	while (!result && !*stop) {
		const uint64_t what = draw(&seed), at = what % BLOCKS;

		if (what >> 60 == 0)
			result = fdatasync(fd) ? complain("fdatasync") : 0;
		else if (what >> 60 < 5)
			result = read_counter(fd, first + at, counter[at]);
		else
			result = write_counter(fd, first + at, ++counter[at]);
		(*done)++;
	}
	for (i = 0; i < BLOCKS && !result; i++)
		result = read_counter(fd, first + i, counter[i]);
	return result;
}

static int load(int fd, uint64_t processes)
{
	uint64_t *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t i, all = 0;
	int status, result = 0;
	char line[16];

	for (i = 0; i < processes; i++)
		if (!fork())
			_exit(count_up(fd, i * BLOCKS, (const volatile bool *)(shared + 511),
				       &shared[i]));
	if (read(0, line, sizeof(line)) < 0)
		result = complain("standard input");
	shared[511] = 1;
	for (i = 0; i < processes; i++) {
		wait(&status);
		result |= status;
	}
	for (i = 0; i < processes; i++)
		all += shared[i];
	printf("# %llu requests\n", (unsigned long long)all);
	return result != 0;
}

int main(int argc, char **argv)
{
	uint64_t number[3] = { 0 };
	int fd, i;

	if (argc < 4)
		return 2;
	for (i = 3; i < argc && i < 6; i++)
		number[i - 3] = strtoull(argv[i], NULL, 0);
	fd = open(argv[2], O_RDWR | O_DIRECT);
	if (fd < 0)
		return complain(argv[2]);
	if (!strcmp(argv[1], "zero"))
		return ioctl(fd, BLKZEROOUT, number) ? complain("BLKZEROOUT") : 0;
	if (!strcmp(argv[1], "discard"))
		return ioctl(fd, BLKDISCARD, number) ? complain("BLKDISCARD") : 0;
	if (!strcmp(argv[1], "fill"))
		return fill(fd, number[0], number[1], number[2]);
	if (!strcmp(argv[1], "check"))
		return check(fd, number[0], number[1], number[2]);
	return load(fd, number[0]);
}
