/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The Internet checksum, RFC 1071, over pieces of any length.
 */
#include <pvrom/net_frame.h>

static uint32_t load32(const uint8_t *bytes)
{
	uint32_t word;

	__builtin_memcpy(&word, bytes, sizeof(word));
	return word;
}

static uint16_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* In the machine's byte order: the sum of swapped words is the swapped sum (RFC 1071, 2 (B)). */
static uint16_t sum_of(const uint8_t *bytes, size_t len)
{
	uint64_t sum = 0;

	for (; len >= 4; bytes += 4, len -= 4)
		sum += load32(bytes);
	if (len >= 2)
		sum += (uint32_t)(bytes[0] | bytes[1] << 8);
	if (len & 1)
		sum += bytes[len - 1];
	return fold(sum);
}

void pvrom_net_sum_add(struct pvrom_net_sum *sum, const void *bytes, size_t len)
{
	const uint16_t part = sum_of(bytes, len);

	sum->sum += sum->odd ? __builtin_bswap16(part) : part;
	sum->odd ^= len & 1;
}

uint16_t pvrom_net_sum_end(const struct pvrom_net_sum *sum)
{
	return __builtin_bswap16(fold(sum->sum));
}
