/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The one way from the core to guest memory: ranges are checked whole, then copied piece by piece.
 */
#include "host_internal.h"

/* The compiler must not read guest memory again where it has a copy. */
#define COMPILER_BARRIER() __asm__ volatile("" : : : "memory")

/* Where gpa lies; lowers *len to what is contiguous there. NULL where there is no memory. */
static uint8_t *piece(const struct pvrom_host *host, uint64_t gpa, uint64_t *len)
{
	uint64_t wanted = *len;
	uint8_t *where =
		host->config.ops->translate(host->config.ops_ctx, (struct pvrom_gpa){ gpa }, len);

#ifdef PVROM_TEST
	if (!wanted || gpa + wanted < gpa || (where && *len > wanted))
		pvrom_host_trace.strays++;
#endif
	if (!where || !*len)
		return NULL;
	if (*len > wanted)
		*len = wanted;
	return where;
}

uint32_t pvrom_host_check(const struct pvrom_host *host, struct pvrom_gpa gpa, uint64_t len)
{
	uint64_t part;

	/* The byte at 2^64 - 1 cannot be memory: no processor has that many address bits. */
	if (len > UINT64_MAX - gpa.gpa)
		return PVROM_STATUS_ADDRESS;
	for (; len; len -= part, gpa.gpa += part) {
		part = len;
		if (!piece(host, gpa.gpa, &part))
			return PVROM_STATUS_ADDRESS;
	}
	return PVROM_STATUS_OK;
}

uint32_t pvrom_host_check_single(const struct pvrom_host *host, struct pvrom_gpa gpa, uint64_t len)
{
	uint64_t part = len;

	if (pvrom_host_check(host, gpa, len) || !piece(host, gpa.gpa, &part) || part < len)
		return PVROM_STATUS_ADDRESS;
	return PVROM_STATUS_OK;
}

uint32_t pvrom_host_read(const struct pvrom_host *host, struct pvrom_gpa gpa, void *buffer,
			 size_t len)
{
	uint8_t *to = buffer;
	uint64_t part;

	if (pvrom_host_check(host, gpa, len) != PVROM_STATUS_OK)
		return PVROM_STATUS_ADDRESS;
	pvrom_host_trace_read(gpa.gpa, len);
	for (; len; len -= part, gpa.gpa += part, to += part) {
		const uint8_t *from;

		part = len;
		from = piece(host, gpa.gpa, &part);
		if (!from)
			return PVROM_STATUS_ADDRESS;
		__builtin_memcpy(to, from, part);
		COMPILER_BARRIER();
	}
	return PVROM_STATUS_OK;
}

uint32_t pvrom_host_write(const struct pvrom_host *host, struct pvrom_gpa gpa, const void *buffer,
			  size_t len)
{
	const uint8_t *from = buffer;
	uint64_t part;

	if (pvrom_host_check(host, gpa, len) != PVROM_STATUS_OK)
		return PVROM_STATUS_ADDRESS;
	for (; len; len -= part, gpa.gpa += part, from += part) {
		uint8_t *to;

		part = len;
		to = piece(host, gpa.gpa, &part);
		if (!to)
			return PVROM_STATUS_ADDRESS;
		__builtin_memcpy(to, from, part);
		COMPILER_BARRIER();
	}
	return PVROM_STATUS_OK;
}

/* One store of 64 bits, for a guest that looks at the word meanwhile. gpa is aligned to 8. */
uint32_t pvrom_host_store64(const struct pvrom_host *host, struct pvrom_gpa gpa, uint64_t word)
{
	uint64_t part = sizeof(word);
	uint8_t *to = piece(host, gpa.gpa, &part);

	if (!to || part < sizeof(word))
		return PVROM_STATUS_ADDRESS;
	__atomic_store_n((uint64_t *)(void *)to, word, __ATOMIC_RELEASE);
	return PVROM_STATUS_OK;
}

uint32_t *pvrom_host_word32(const struct pvrom_host *host, struct pvrom_gpa gpa)
{
	uint64_t part = sizeof(uint32_t);
	uint8_t *at = piece(host, gpa.gpa, &part);

	return at && part == sizeof(uint32_t) ? (uint32_t *)(void *)at : NULL;
}

#ifdef PVROM_TEST
__thread struct pvrom_host_trace pvrom_host_trace;

void pvrom_host_trace_begin(void)
{
	pvrom_host_trace.count = 0;
}

/* How many bytes two ranges share. */
static uint64_t shared(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	uint64_t first = a > b ? a : b;
	uint64_t end = a + a_len < b + b_len ? a + a_len : b + b_len;

	return end > first ? end - first : 0;
}

void pvrom_host_trace_read(uint64_t gpa, uint64_t len)
{
	struct pvrom_host_trace *t = &pvrom_host_trace;
	uint32_t i;

	for (i = 0; i < t->count; i++)
		t->double_fetches += shared(gpa, len, t->read[i].gpa, t->read[i].len);
	if (t->count < sizeof(t->read) / sizeof(t->read[0])) {
		t->read[t->count].gpa = gpa;
		t->read[t->count++].len = len;
	}
}
#endif
