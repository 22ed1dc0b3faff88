/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What is in a sector of the test disk: its number, which writing of it this is, noise, and a checksum over
 * all that. Shared with tools/disk-image.c, which makes and judges such disks.
 */
#ifndef KERNEL_DISK_PATTERN_H
#define KERNEL_DISK_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#define DISK_MAGIC 0x6b7369642d6d7276ull /* "vrm-disk" */
#define DISK_WORDS 64u			 /* of a sector */
#define DISK_AS_MADE 1u			 /* by tools/disk-image */
#define DISK_AS_WRITTEN 2u		 /* by the kernel, the second half */

/* FNV-1a, word by word. */
static inline uint64_t disk_checksum(const uint64_t *word, uint32_t words)
{
	uint64_t sum = 0xcbf29ce484222325ull;
	uint32_t i;

	for (i = 0; i < words; i++)
		sum = (sum ^ word[i]) * 0x100000001b3ull;
	return sum;
}

static inline void disk_fill(uint64_t word[DISK_WORDS], uint64_t sector, uint64_t writing)
{
	uint64_t noise = sector * 1000003 + writing;
	uint32_t i;

	word[0] = DISK_MAGIC;
	word[1] = sector;
	word[2] = writing;
	for (i = 3; i < DISK_WORDS - 1; i++) {
		noise = noise * 6364136223846793005ull + 1442695040888963407ull;
		word[i] = noise;
	}
	word[DISK_WORDS - 1] = disk_checksum(word, DISK_WORDS - 1);
}

static inline bool disk_is(const uint64_t word[DISK_WORDS], uint64_t sector, uint64_t writing)
{
	return word[0] == DISK_MAGIC && word[1] == sector && word[2] == writing &&
	       word[DISK_WORDS - 1] == disk_checksum(word, DISK_WORDS - 1);
}

#endif
