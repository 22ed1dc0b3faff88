/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Registers of a device in memory, as virtio-mmio and virtio-pci have them alike: each read or write in the
 * source is one on the bus.
 */
#ifndef TRANSPORT_REGISTERS_H
#define TRANSPORT_REGISTERS_H

#include <stdint.h>

static inline uint32_t register_read32(volatile uint8_t *base, uint32_t offset)
{
	return *(volatile uint32_t *)(volatile void *)(base + offset);
}

static inline void register_write32(volatile uint8_t *base, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(volatile void *)(base + offset) = value;
}

/* Two halves: no transport promises wider accesses (4.1.3.1, 4.2.2.2). */
static inline void register_write64(volatile uint8_t *base, uint32_t offset, uint64_t value)
{
	register_write32(base, offset, (uint32_t)value);
	register_write32(base, offset + 4, (uint32_t)(value >> 32));
}

/* Features: 32 of them at a time, which ones says the register `select`. */
static inline uint64_t register_read_features(volatile uint8_t *base, uint32_t select,
					      uint32_t word)
{
	uint64_t low;

	register_write32(base, select, 0);
	low = register_read32(base, word);
	register_write32(base, select, 1);
	return low | (uint64_t)register_read32(base, word) << 32;
}

static inline void register_write_features(volatile uint8_t *base, uint32_t select, uint32_t word,
					   uint64_t features)
{
	register_write32(base, select, 0);
	register_write32(base, word, (uint32_t)features);
	register_write32(base, select, 1);
	register_write32(base, word, (uint32_t)(features >> 32));
}

/*
 * Configuration space of `bytes` at `base`, byte by byte: always allowed (4.1.3.1, 4.2.2.2), and what is read together
 * is held together by the generation. Behind its end are zeros.
 */
static inline void register_read_config(volatile uint8_t *base, uint32_t bytes, uint32_t offset,
					void *to, uint32_t len)
{
	uint8_t *out = to;
	uint32_t i;

	for (i = 0; i < len; i++)
		out[i] = (uint64_t)offset + i < bytes ? base[offset + i] : 0;
}

static inline void register_write_config(volatile uint8_t *base, uint32_t bytes, uint32_t offset,
					 const void *from, uint32_t len)
{
	const uint8_t *in = from;
	uint32_t i;

	for (i = 0; i < len && (uint64_t)offset + i < bytes; i++)
		base[offset + i] = in[i];
}

#endif
