/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Hostile drivers, what is set up and what is over: areas of the queue, sizes, saved positions, resets in flight.
 */
#include "hostile_ring.h"
#include "hostile_lists.h"

/* ---- setting up ---------------------------------------------------------------------------------- */

static void refuses(enum pvrom_vq_result result)
{
	uint64_t violations = world.violations;

	EXPECT(pvrom_vq_device_init(&world.device, &world.device_config) == result);
	EXPECT(world.violations == violations);
}

static void size_case(uint64_t features, uint32_t size)
{
	hd_begin(features, 8);
	world.device_config.size = size;
	refuses(PVROM_VQ_BAD_CONFIG);
}

static void size_zero(void)
{
	size_case(F_SPLIT, 0);
}
static void size_three(void)
{
	size_case(F_SPLIT, 3);
}
static void size_above(void)
{
	size_case(F_SPLIT, 65536);
}
static void size_zero_packed(void)
{
	size_case(F_PACKED, 0);
}
static void size_above_packed(void)
{
	size_case(F_PACKED, 32769);
}

static void area_case(uint64_t features, uint64_t desc, uint64_t driver, uint64_t device,
		      enum pvrom_vq_result result)
{
	hd_begin(features, 256);
	world.device_config.desc.gpa = desc;
	world.device_config.driver.gpa = driver;
	world.device_config.device.gpa = device;
	refuses(result);
}

#define AREA_CASE(name, features, desc, driver, device, result)                                    \
	static void name(void)                                                                     \
	{                                                                                          \
		area_case(features, desc, driver, device, PVROM_VQ_##result);                      \
	}

AREA_CASE(odd_desc, F_SPLIT, RING_DESC + 8, RING_DRIVER, RING_DEVICE, BAD_CONFIG)
AREA_CASE(odd_driver, F_SPLIT, RING_DESC, RING_DRIVER + 1, RING_DEVICE, BAD_CONFIG)
AREA_CASE(odd_device, F_SPLIT, RING_DESC, RING_DRIVER, RING_DEVICE + 2, BAD_CONFIG)
AREA_CASE(odd_ring, F_PACKED, RING_DESC + 4, RING_DRIVER, RING_DEVICE, BAD_CONFIG)
AREA_CASE(odd_driver_event, F_PACKED, RING_DESC, RING_DRIVER + 2, RING_DEVICE, BAD_CONFIG)
AREA_CASE(odd_device_event, F_PACKED, RING_DESC, RING_DRIVER, RING_DEVICE + 2, BAD_CONFIG)
AREA_CASE(no_desc, F_SPLIT, 0, RING_DRIVER, RING_DEVICE, NO_MEMORY)
AREA_CASE(no_driver, F_SPLIT, RING_DESC, RING_END, RING_DEVICE, NO_MEMORY)
AREA_CASE(no_device, F_SPLIT, RING_DESC, RING_DRIVER, RING_END, NO_MEMORY)
AREA_CASE(no_ring, F_PACKED, RING_END, RING_DRIVER, RING_DEVICE, NO_MEMORY)
AREA_CASE(no_driver_event, F_PACKED, RING_DESC, 0, RING_DEVICE, NO_MEMORY)
AREA_CASE(no_device_event, F_PACKED, RING_DESC, RING_DRIVER, 0, NO_MEMORY)
AREA_CASE(half_desc, F_SPLIT, RING_END - 16, RING_DRIVER, RING_DEVICE, NO_MEMORY)
AREA_CASE(half_driver, F_SPLIT, RING_DESC, RING_END - 2, RING_DEVICE, NO_MEMORY)
AREA_CASE(half_device, F_SPLIT, RING_DESC, RING_DRIVER, RING_END - 4, NO_MEMORY)
AREA_CASE(half_ring, F_PACKED, RING_END - 16, RING_DRIVER, RING_DEVICE, NO_MEMORY)
AREA_CASE(seam_desc, F_SPLIT, RING_SEAM - 16, RING_DRIVER, RING_DEVICE, NO_MEMORY)
AREA_CASE(seam_driver, F_SPLIT, RING_DESC, RING_SEAM - 2, RING_DEVICE, NO_MEMORY)
AREA_CASE(seam_device, F_SPLIT, RING_DESC, RING_DRIVER, RING_SEAM - 4, NO_MEMORY)
AREA_CASE(seam_ring, F_PACKED, RING_SEAM - 16, RING_DRIVER, RING_DEVICE, NO_MEMORY)
AREA_CASE(wrap_desc, F_SPLIT, 0 - 16ull, RING_DRIVER, RING_DEVICE, NO_MEMORY)
AREA_CASE(wrap_driver, F_SPLIT, RING_DESC, 0 - 2ull, RING_DEVICE, NO_MEMORY)
AREA_CASE(wrap_device, F_SPLIT, RING_DESC, RING_DRIVER, 0 - 4ull, NO_MEMORY)
AREA_CASE(wrap_ring, F_PACKED, 0 - 16ull, RING_DRIVER, RING_DEVICE, NO_MEMORY)

static void legacy_driver(void)
{
	hd_begin(F_SPLIT, 8);
	world.device_config.features = F_INDIRECT;
	refuses(PVROM_VQ_BAD_CONFIG);
}

/* ---- saved positions ----------------------------------------------------------------------------- */

static void state_case(uint64_t features, struct pvrom_vq_state state)
{
	hd_begin(features, 8);
	EXPECT(pvrom_vq_device_set_state(&world.device, &state) == PVROM_VQ_BROKEN);
	EXPECT(pvrom_vq_device_reason(&world.device) == PVROM_VQ_REASON_STATE);
}

#define STATE_CASE(name, features, a, a_wrap, u, u_wrap)                                           \
	static void name(void)                                                                     \
	{                                                                                          \
		state_case(features, (struct pvrom_vq_state){ .avail = (a),                        \
							      .avail_wrap = (a_wrap),              \
							      .used = (u),                         \
							      .used_wrap = (u_wrap) });            \
	}

STATE_CASE(avail_outside, F_PACKED, 8, true, 7, true)
STATE_CASE(used_outside, F_PACKED, 1, false, 9, true)
STATE_CASE(used_ahead_split, F_SPLIT, 4, true, 5, true)
STATE_CASE(lap_ahead_split, F_SPLIT, 20, true, 11, true)
STATE_CASE(used_ahead, F_PACKED, 4, true, 5, true)
STATE_CASE(lap_ahead, F_PACKED, 6, false, 5, true)

static void base_outside(void)
{
	hd_begin(F_PACKED, 8);
	EXPECT(pvrom_vq_device_set_base(&world.device, 0x80088008) == PVROM_VQ_BROKEN);
}

static void base_ahead(void)
{
	hd_begin(F_SPLIT, 8);
	EXPECT(pvrom_vq_device_set_base(&world.device, 9) == PVROM_VQ_BROKEN);
}

/* ---- resets in flight, and what else is stale ---------------------------------------------------- */

/* A request that is no longer one: nothing is written for it. */
static void is_stale(uint32_t id)
{
	uint16_t shown = world.device.shown;

	EXPECT(pvrom_vq_device_complete(&world.device, &req, 8) == PVROM_VQ_STALE);
	EXPECT(!pvrom_vq_device_publish(&world.device) && world.device.shown == shown);
	(void)id;
	hd_good();
}

static void reset_case(uint64_t features)
{
	hd_begin(features, 8);
	hd_one(3, DATA, 8, WRITE);
	hd_pop(0, 1);
	ring_world_init(&world, features, 8, false);
	/* Position and wrap counter of the hand that writes packed descriptors begin anew too. */
	EXPECT(pvrom_vq_device_complete(&world.device, &req, 8) == PVROM_VQ_STALE);
	EXPECT(!pvrom_vq_device_publish(&world.device));
	hd_begin(features, 8);
	hd_good();
}

static void reset_in_flight(void)
{
	reset_case(F_SPLIT);
}
static void reset_in_flight_packed(void)
{
	reset_case(F_PACKED);
}
static void reset_in_flight_in_order(void)
{
	reset_case(F_SPLIT | F_IN_ORDER);
}

/* The same slot has a new request, which the late answer of the old one must not end. */
static void reset_and_again_case(uint64_t features)
{
	struct pvrom_vq_request old;

	hd_begin(features, 8);
	hd_one(3, DATA, 8, WRITE);
	hd_pop(0, 1);
	old = req;
	hd_begin(features, 8);
	hd_one(3, DATA, 8, WRITE);
	hd_pop(0, 1);
	EXPECT(old.slot == req.slot);
	EXPECT(pvrom_vq_device_complete(&world.device, &old, 8) == PVROM_VQ_STALE);
	hd_back(3, 8);
}

static void reset_and_again(void)
{
	reset_and_again_case(F_SPLIT);
}
static void reset_and_again_packed(void)
{
	reset_and_again_case(F_PACKED);
}

static void twice_case(uint64_t features)
{
	hd_begin(features, 8);
	hd_one(3, DATA, 8, WRITE);
	hd_pop(0, 1);
	hd_back(3, 8);
	is_stale(3);
}

static void completed_twice(void)
{
	twice_case(F_SPLIT);
}
static void completed_twice_packed(void)
{
	twice_case(F_PACKED);
}

static void completed_twice_in_batch(void)
{
	hd_begin(F_PACKED, 8);
	hd_one(3, DATA, 8, WRITE);
	hd_pop(0, 1);
	EXPECT(pvrom_vq_device_complete(&world.device, &req, 8) == PVROM_VQ_OK);
	EXPECT(pvrom_vq_device_complete(&world.device, &req, 8) == PVROM_VQ_STALE);
}

static void slot_outside(void)
{
	hd_begin(F_SPLIT, 8);
	req.slot = 40000;
	is_stale(0);
}

static void never_popped(void)
{
	hd_begin(F_SPLIT, 8);
	is_stale(0);
}

static void ring_shrinks(void)
{
	hd_begin(F_SPLIT, 64);
	hd_one(63, DATA, 8, WRITE);
	hd_pop(0, 1);
	hd_begin(F_SPLIT, 8); /* forgets nothing of req but piece and room */
	req.slot = 63;
	is_stale(0);
}

/* ---- lengths ------------------------------------------------------------------------------------- */

/* The device's user counts more than the driver gave. */
static void written_case(uint64_t features, uint32_t flags, uint32_t len)
{
	hd_begin(features, 8);
	hd_one(3, DATA, 8, flags);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_OK);
	EXPECT(pvrom_vq_device_complete(&world.device, &req, 100) == PVROM_VQ_OK);
	pvrom_vq_device_publish(&world.device);
	if (features & PVROM_VQ_F_RING_PACKED)
		EXPECT(((struct pvrom_vq_packed_desc *)ring_at(&world, RING_DESC))->len == len);
	else
		EXPECT(((struct pvrom_vq_used *)ring_at(&world, RING_DEVICE))->ring[0].len == len);
}

static void written_too_much(void)
{
	written_case(F_SPLIT, WRITE, 8);
}
static void written_too_much_packed(void)
{
	written_case(F_PACKED, WRITE, 8);
}
static void written_readable(void)
{
	written_case(F_SPLIT, 0, 0);
}
static void written_readable_packed(void)
{
	written_case(F_PACKED, 0, 0);
}

/* ---- broken is broken ---------------------------------------------------------------------------- */

static void broken_split(void)
{
	hd_begin(F_SPLIT, 8);
	hd_avail(77);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_BROKEN);
	((struct pvrom_vq_avail *)ring_at(&world, RING_DRIVER))->ring[0] =
		0; /* as if nothing was */
	hd_desc(0, DATA, 8, 0, 0);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_BROKEN);
}

static void broken_packed(void)
{
	hd_begin(F_PACKED, 1);
	hd_put(DATA, 8, 0, NEXT);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_BROKEN);
	hd_begin(F_PACKED, 1);
	hd_put(DATA, 8, 0, NEXT);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_BROKEN);
	((struct pvrom_vq_packed_desc *)ring_at(&world, RING_DESC))->flags = PVROM_VQ_DESC_AVAIL;
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_BROKEN);
}

static void broken_by_state(void)
{
	state_case(F_SPLIT, (struct pvrom_vq_state){ .avail = 100, .avail_wrap = true });
	hd_one(0, DATA, 8, 0);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_BROKEN);
}

const struct hostile_case hostile_setup[] = {
	CASE(CONFIG_SIZE, size_zero, "split: size 0"),
	CASE(CONFIG_SIZE, size_three, "split: size not a power of 2"),
	CASE(CONFIG_SIZE, size_above, "split: size above 32768"),
	CASE(CONFIG_SIZE, size_zero_packed, "packed: size 0"),
	CASE(CONFIG_SIZE, size_above_packed, "packed: size above 32768"),
	CASE(CONFIG_ALIGN, odd_desc, "split: descriptor table not aligned"),
	CASE(CONFIG_ALIGN, odd_driver, "split: available ring not aligned"),
	CASE(CONFIG_ALIGN, odd_device, "split: used ring not aligned"),
	CASE(CONFIG_ALIGN, odd_ring, "packed: ring not aligned"),
	CASE(CONFIG_ALIGN, odd_driver_event, "packed: driver event suppression not aligned"),
	CASE(CONFIG_ALIGN, odd_device_event, "packed: device event suppression not aligned"),
	CASE(AREA_MEMORY, no_desc, "split: descriptor table outside memory"),
	CASE(AREA_MEMORY, no_driver, "split: available ring outside memory"),
	CASE(AREA_MEMORY, no_device, "split: used ring outside memory"),
	CASE(AREA_MEMORY, no_ring, "packed: ring outside memory"),
	CASE(AREA_MEMORY, no_driver_event, "packed: driver event suppression outside memory"),
	CASE(AREA_MEMORY, no_device_event, "packed: device event suppression outside memory"),
	CASE(AREA_PIECE, half_desc, "split: descriptor table over the end of memory"),
	CASE(AREA_PIECE, half_driver, "split: available ring over the end of memory"),
	CASE(AREA_PIECE, half_device, "split: used ring over the end of memory"),
	CASE(AREA_PIECE, half_ring, "packed: ring over the end of memory"),
	CASE(AREA_PIECE, seam_desc, "split: descriptor table over a seam of memory"),
	CASE(AREA_PIECE, seam_driver, "split: available ring over a seam of memory"),
	CASE(AREA_PIECE, seam_device, "split: used ring over a seam of memory"),
	CASE(AREA_PIECE, seam_ring, "packed: ring over a seam of memory"),
	CASE(AREA_WRAP, wrap_desc, "split: descriptor table that wraps around"),
	CASE(AREA_WRAP, wrap_driver, "split: available ring that wraps around"),
	CASE(AREA_WRAP, wrap_device, "split: used ring that wraps around"),
	CASE(AREA_WRAP, wrap_ring, "packed: ring that wraps around"),
	CASE(CONFIG_VERSION, legacy_driver, "split: driver that did not negotiate VERSION_1"),
	CASE(STATE_RANGE, avail_outside, "packed: saved available position outside the ring"),
	CASE(STATE_RANGE, used_outside, "packed: saved used position outside the ring"),
	CASE(STATE_DISTANCE, used_ahead_split,
	     "split: saved used index ahead of the available one"),
	CASE(STATE_DISTANCE, lap_ahead_split, "split: saved indices further apart than the ring"),
	CASE(STATE_DISTANCE, used_ahead, "packed: saved used position ahead of the available one"),
	CASE(STATE_DISTANCE, lap_ahead, "packed: saved positions further apart than the ring"),
	CASE(STATE_RANGE, base_outside, "packed: vhost-user base outside the ring"),
	CASE(STATE_DISTANCE, base_ahead, "split: vhost-user base further ahead than the ring"),
	CASE(REQUEST_STALE, reset_in_flight, "split: reset in flight"),
	CASE(REQUEST_STALE, reset_in_flight_packed, "packed: reset in flight"),
	CASE(REQUEST_STALE, reset_in_flight_in_order, "split: reset in flight, in order"),
	CASE(REQUEST_STALE, reset_and_again,
	     "split: reset in flight, and the head is in use again"),
	CASE(REQUEST_STALE, reset_and_again_packed,
	     "packed: reset in flight, and the id is in use again"),
	CASE(REQUEST_STALE, completed_twice, "split: completed twice"),
	CASE(REQUEST_STALE, completed_twice_packed, "packed: completed twice"),
	CASE(REQUEST_STALE, completed_twice_in_batch, "packed: completed twice before it is shown"),
	CASE(REQUEST_STALE, slot_outside, "split: request of another queue"),
	CASE(REQUEST_STALE, never_popped, "split: request that was never popped"),
	CASE(REQUEST_STALE, ring_shrinks, "split: reset to a smaller ring in flight"),
	CASE(WRITTEN_CUT, written_too_much, "split: more written than writable"),
	CASE(WRITTEN_CUT, written_too_much_packed, "packed: more written than writable"),
	CASE(WRITTEN_CUT, written_readable, "split: written to a readable buffer"),
	CASE(WRITTEN_CUT, written_readable_packed, "packed: written to a readable buffer"),
	CASE(BROKEN_STAYS, broken_split, "split: ring mended behind the device's back"),
	CASE(BROKEN_STAYS, broken_packed, "packed: ring mended behind the device's back"),
	CASE(BROKEN_STAYS, broken_by_state, "split: buffers in spite of wrong positions"),
	{ 0 }
};
