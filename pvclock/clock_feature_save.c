/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The feature's part of a saved machine: words of 64 bits, little-endian: the page's gpa, the clock, and of each
 * vCPU how often it has made each call, as in its area. Nothing is changed before all of it was looked at.
 */
#include "clock_internal.h"

#define IMAGE_HEAD (PVROM_CLOCK_IMAGE_SIZE + 8)
#define CALLS_SIZE (PVROM_COUNTER_COUNT * 8)

static size_t image_size(const struct pvrom_host *host)
{
	return IMAGE_HEAD + (size_t)host->config.vcpus * CALLS_SIZE;
}

static void put_word(uint8_t *to, uint64_t word)
{
	uint32_t i;

	for (i = 0; i < 8; i++, word >>= 8)
		to[i] = (uint8_t)word;
}

static uint64_t get_word(const uint8_t *from)
{
	uint64_t word = 0;
	uint32_t i;

	for (i = 8; i; i--)
		word = word << 8 | from[i - 1];
	return word;
}

/* Where a counter of a vCPU stands. */
static size_t calls_at(uint32_t vcpu, uint32_t counter)
{
	return IMAGE_HEAD + (size_t)vcpu * CALLS_SIZE + counter * 8;
}

size_t pvrom_clock_feature_save(const struct pvrom_host *host, void *buffer, size_t room)
{
	const struct pvrom_clock_host *clock = pvrom_clock_of(host);
	uint8_t *image = buffer;
	uint32_t i, n;

	if (room < image_size(host))
		return image_size(host);
	put_word(image, clock->page_gpa);
	pvrom_clock_writer_save(&clock->writer, image + 8);
	for (i = 0; i < host->config.vcpus; i++)
		for (n = 0; n < PVROM_COUNTER_COUNT; n++)
			put_word(image + calls_at(i, n), host->vcpu[i].calls[n]);
	return image_size(host);
}

static void load_calls(struct pvrom_host *host, const uint8_t *image)
{
	uint32_t i, n;

	for (i = 0; i < host->config.vcpus; i++)
		for (n = 0; n < PVROM_COUNTER_COUNT; n++)
			host->vcpu[i].calls[n] = get_word(image + calls_at(i, n));
}

/* The page itself comes with the guest's memory; it is written when the clock resumes. */
bool pvrom_clock_feature_load(struct pvrom_host *host, const void *buffer, size_t size)
{
	struct pvrom_clock_host *clock = pvrom_clock_of(host);
	const uint8_t *image = buffer;
	uint64_t gpa;

	if (size != image_size(host))
		return false;
	gpa = get_word(image);
	if (gpa != PVROM_CLOCK_PAGE_NONE &&
	    (gpa % PVROM_CLOCK_PAGE_SIZE || !pvrom_clock_piece(host, gpa, PVROM_CLOCK_PAGE_SIZE)))
		return false;
	if (pvrom_clock_writer_load(&clock->writer, image + 8, PVROM_CLOCK_IMAGE_SIZE) !=
	    PVROM_CLOCK_OK)
		return false;
	clock->page_gpa = gpa;
	load_calls(host, image);
	return true;
}
