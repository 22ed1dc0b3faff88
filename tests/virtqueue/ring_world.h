/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A queue's whole world in one process: guest memory is an array of bytes, with a hole and with a place where it
 * is not contiguous in the host; both halves of the queue stand over it.
 */
#ifndef TESTS_RING_WORLD_H
#define TESTS_RING_WORLD_H

#include <pvrom/virtqueue_device.h>
#include <pvrom/virtqueue_driver.h>

/*
 *	guest-physical                     host
 *	0          RING_BASE               nothing
 *	RING_BASE  RING_SEAM               memory[0 ...]
 *	RING_SEAM  RING_END                memory[RING_GAP + ...]: not contiguous with what is before
 *	RING_END ...                       nothing
 */
#define RING_BASE 0x100000ull
#define RING_SEAM 0x500000ull
#define RING_END 0x900000ull
#define RING_GAP 0x1000u

/* Where the tests put the queue, indirect tables and buffers. */
#define RING_DESC RING_BASE
#define RING_DRIVER (RING_BASE + 0x80000)
#define RING_DEVICE (RING_BASE + 0xa0000)
#define RING_TABLES (RING_BASE + 0x100000)
#define RING_DATA (RING_BASE + 0x200000)

#define RING_PIECES 64u
#define RING_EACH 16u /* entries of a table */

#define F_SPLIT PVROM_VQ_F_VERSION_1
#define F_PACKED (PVROM_VQ_F_VERSION_1 | PVROM_VQ_F_RING_PACKED)

struct ring_world {
	uint8_t *memory;
	struct pvrom_vq_driver driver;
	struct pvrom_vq_device device;
	struct pvrom_vq_driver_slot *driver_slots;
	struct pvrom_vq_device_slot *device_slots;
	struct pvrom_vq_device_config device_config;
	void *record;	     /* of buffers in flight; NULL: none */
	uint64_t translated; /* how often */
	uint64_t violations; /* of what the device half promises of the ranges that it asks for */
	void (*on_translate)(struct ring_world *world);
	uint64_t seam; /* at which guest address memory is not contiguous */
	uint32_t dirty_calls;
	uint64_t dirty_gpa, dirty_len;
	void (*step)(struct ring_world *world, enum pvrom_vq_step step);
	uint32_t steps[16];
};

/* Sets both halves up anew; record: with a record of buffers in flight, a new one. Ends the test program
 * if a half refuses. */
/* Features of a queue by the low four bits of what a fuzzer drew; bit 0: packed. */
uint64_t ring_some_features(uint8_t what);
void ring_world_init(struct ring_world *world, uint64_t features, uint32_t size, bool record);
/* Only the device, as a new process would over the same memory: resume. Returns its result. */
enum pvrom_vq_result ring_world_restart(struct ring_world *world);
void ring_world_free(struct ring_world *world);

/* Host address of guest memory, for tests that write there themselves. */
void *ring_at(struct ring_world *world, uint64_t gpa);

/* One buffer of readable and writable pieces of len bytes each, at RING_DATA + 64 * n. */
enum pvrom_vq_result ring_add(struct ring_world *world, uint32_t n, uint32_t readable,
			      uint32_t writable, uint32_t len);
/* The token of buffer n, and back. */
void *ring_token(uint32_t n);
uint32_t ring_number(const void *token);

#endif
