/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A hostile device's hands, and what the driver half must make of them.
 */
#ifndef TESTS_HOSTILE_DEVICE_H
#define TESTS_HOSTILE_DEVICE_H

#include "hostile_lists.h"

void dv_begin(uint64_t features, uint32_t size);
/* Adds the next buffer, of single bytes, shown to the device at once. Its number. */
uint32_t dv_send(uint32_t readable, uint32_t writable);
/* The same, but not shown. */
uint32_t dv_add(uint32_t readable, uint32_t writable);
/* The device says that id was used. count: ring descriptors of the buffer (packed). */
void dv_used(uint32_t id, uint32_t len, uint32_t count);
/* Packed: the same with these flags in the place of WRITE. */
void dv_used_flags(uint32_t id, uint32_t len, uint32_t count, uint32_t flags);
/* Split: the used index, as the device writes it. */
uint16_t *dv_index(void);
/* The driver gets buffer n with that length. */
void dv_get(uint32_t n, uint32_t len, bool overlong);
/*
 * The driver finds the queue broken for that reason, takes nothing more, and gets each buffer back once; the
 * queue works again after a reset.
 */
void dv_broken(enum pvrom_vq_reason reason);
/* So many buffers go through, so that indices and wrap counters are somewhere else. */
void dv_turns(uint32_t count);

/* A buffer that comes back with a length that is too large: it is cut to what is writable. */
void dv_length_case(uint64_t features, uint32_t size, uint32_t readable, uint32_t writable,
		    uint32_t len);
#define LENGTH_CASE(name, features, readable, writable, len)                                       \
	static void name(void)                                                                     \
	{                                                                                          \
		dv_length_case(features, SIZE, readable, writable, len);                           \
	}

#endif
