/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "ring_driver": a device writes anything into the memory of a queue, at any time, while the driver half works
 * on it. An input is a queue (format, features, size), then acts of one byte and their operands.
 *
 * Promised: a buffer that get returns was in flight and shown, and comes back once, with no more bytes than were
 * writable; a broken queue takes and gives nothing; after a reset detach returns just those that did not
 * come back, and then all descriptors are free.
 */
#include "../virtqueue/ring_world.h"
#include "hostile.h"

#include "../../virtqueue/vq_checks.h"

#define SIZES 8u
#define BUFFERS 512u
#define ACTS 400u

static struct ring_world world;
static uint32_t size;
static enum { NOT_ADDED, ADDED, SHOWN, BACK } state[BUFFERS];
static uint32_t writable[BUFFERS];
static uint32_t next;

static bool packed(void)
{
	return world.device_config.features & PVROM_VQ_F_RING_PACKED;
}

/* ---- the driver ------------------------------------------------------------------------------------------- */

static void add(struct input *in)
{
	uint8_t what = take8(in);
	uint32_t out = what & 3, back = what >> 2 & 3;
	enum pvrom_vq_result result;

	if (next == BUFFERS)
		return;
	result = ring_add(&world, next, out, back, 16);
	PROMISE(!world.driver.reason || result == PVROM_VQ_BROKEN);
	if (result)
		return;
	state[next] = ADDED;
	writable[next++] = 16 * back;
}

static void publish(void)
{
	uint32_t i;

	pvrom_vq_driver_publish(&world.driver);
	for (i = 0; i < next && !world.driver.reason; i++)
		if (state[i] == ADDED)
			state[i] = SHOWN;
}

static void get(void)
{
	bool broken = world.driver.reason;
	struct pvrom_vq_done done;
	enum pvrom_vq_result result = pvrom_vq_driver_get(&world.driver, &done);
	uint32_t n;

	PROMISE(!broken || result == PVROM_VQ_BROKEN);
	if (result)
		return;
	n = ring_number(done.token);
	PROMISE(n < next && state[n] != BACK && state[n] != NOT_ADDED);
	/* A packed device that lies may name one that was added and not shown: harmless, and it is in flight. */
	PROMISE(packed() || state[n] == SHOWN || world.driver.shown != world.driver.avail);
	PROMISE(done.len <= writable[n]);
	state[n] = BACK;
}

/* ---- the device ------------------------------------------------------------------------------------------- */

static void write_split(struct input *in)
{
	uint8_t *used = ring_at(&world, RING_DEVICE);
	uint8_t how = take8(in);
	struct pvrom_vq_used_elem elem;
	uint16_t idx;

	memcpy(&idx, used + 2, 2);
	if (how & 1) { /* an entry, and the index */
		elem.id = how & 2 ? take8(in) % size : take32(in);
		elem.len = how & 4 ? take8(in) : take32(in);
		memcpy(used + 4 + 8 * (idx & (size - 1)), &elem, sizeof(elem));
		idx++;
	} else if (how & 2) {
		idx = take16(in);
	}
	memcpy(used + 2, &idx, 2);
}

static void write_packed(struct input *in)
{
	struct pvrom_vq_packed_desc *d = ring_at(&world, RING_DESC);
	uint8_t how = take8(in);

	/* Where the driver looks, or anywhere. */
	d += how & 1 ? world.driver.used : take8(in) % size;
	d->id = (uint16_t)(how & 2 ? take8(in) % size : take16(in));
	d->len = how & 4 ? take8(in) : take32(in);
	d->flags = how & 8 ? (world.driver.used_wrap ? 0x8082 : 0x0002) : take16(in);
}

static void scribble(struct input *in)
{
	static const uint64_t at[] = { RING_DESC, RING_DRIVER, RING_DEVICE, RING_TABLES };
	uint8_t which = take8(in);

	*((uint8_t *)ring_at(&world, at[which & 3]) + take16(in) % (16 * size)) = take8(in);
}

/* ---- an input --------------------------------------------------------------------------------------------- */

static void act(struct input *in)
{
	switch (take8(in) % 8) {
	case 0: add(in); break;
	case 1: publish(); break;
	case 2:
	case 3: get(); break;
	case 4:
	case 5: packed() ? write_packed(in) : write_split(in); break;
	case 6: scribble(in); break;
	default:
		pvrom_vq_driver_interrupts_off(&world.driver);
		pvrom_vq_driver_interrupts_on(&world.driver, take8(in));
		pvrom_vq_driver_pending(&world.driver);
	}
}

/* The device is reset: what is not back comes back now, and each once. */
static void give_up(void)
{
	void *token;
	uint32_t i;

	while (pvrom_vq_driver_detach(&world.driver, &token) == PVROM_VQ_OK) {
		uint32_t n = ring_number(token);

		PROMISE(n < next && (state[n] == ADDED || state[n] == SHOWN));
		state[n] = BACK;
	}
	for (i = 0; i < next; i++)
		PROMISE(state[i] == BACK);
}

static void open_queue(struct input *in)
{
	static const uint32_t sizes[SIZES] = { 1, 2, 4, 8, 16, 32, 64, 4 };
	uint8_t what = take8(in), length = take8(in) % SIZES;

	size = sizes[length] + (what & 1 && what & 16 ? 1 : 0);
	ring_world_init(&world, ring_some_features(what), size, false);
	memset(state, 0, sizeof(state));
	next = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct input in = { data, bytes };
	uint32_t i;

	open_queue(&in);
	for (i = 0; i < ACTS && in.left; i++)
		act(&in);
	give_up();
	return 0;
}

HOSTILE_PLAIN_MUTATOR

/* ---- planted faults: a check of the driver half taken out ---------------------------------------------------- */

#define FAULTS(X)                                                                                  \
	X("a used id that is not in flight", PVROM_VQ_CHECK_USED_ID_FLIGHT)                        \
	X("a used id outside the queue", PVROM_VQ_CHECK_USED_ID_RANGE)                             \
	X("more bytes than writable", PVROM_VQ_CHECK_USED_LENGTH)                                  \
	X("use of a queue that is broken", PVROM_VQ_CHECK_DRIVER_BROKEN)

HOSTILE_FAULTS(FAULTS, pvrom_vq_check_off)
