/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A run: both halves of a queue against each other, in turn, in one thread. Buffers go out, come back in any order,
 * and each comes back once.
 */
#include <string.h>

#include "../cunit_tap.h"
#include "ring_run.h"

struct ring_world world;
struct run run;
uint64_t seed;

static struct pvrom_vq_piece pieces[RING_PIECES];

static const uint64_t optional[] = { PVROM_VQ_F_RING_PACKED, PVROM_VQ_F_INDIRECT_DESC,
				     PVROM_VQ_F_EVENT_IDX, PVROM_VQ_F_IN_ORDER,
				     PVROM_VQ_F_NOTIFICATION_DATA };
_Static_assert(COMBINATIONS == 1u << (sizeof(optional) / sizeof(optional[0])), "each of them");

uint64_t combination(uint32_t n)
{
	uint64_t features = PVROM_VQ_F_VERSION_1;
	uint32_t i;

	for (i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
		features |= n & 1u << i ? optional[i] : 0;
	return features;
}

struct pvrom_vq_request request(void)
{
	return (struct pvrom_vq_request){ .piece = pieces, .room = RING_PIECES };
}

static uint32_t random32(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33);
}

static uint32_t length(uint32_t n)
{
	return n * 7 % 60 + 1;
}

static uint32_t pieces_of(uint32_t n)
{
	return run.plain ? 1 : n % 3 + 1;
}

/* The device saw buffer n: is it the one that the driver added? */
static void look_at(const struct pvrom_vq_request *r)
{
	uint32_t n = run.popped++;
	uint32_t all = r->readable_pieces + r->writable_pieces;
	uint32_t i;

	CU_ASSERT_EQUAL(r->fault, PVROM_VQ_FAULT_NONE);
	CU_ASSERT_EQUAL(all, pieces_of(n));
	CU_ASSERT_EQUAL(r->readable_pieces, n % 5 ? (all > 1 ? 1 : 0) : all);
	for (i = 0; i < all; i++) {
		CU_ASSERT_EQUAL(r->piece[i].gpa.gpa, RING_DATA + 64ull * (n & 0xffff) + i);
		CU_ASSERT_EQUAL(r->piece[i].len, length(n));
	}
	if (r->writable)
		CU_ASSERT_PTR_EQUAL(r->last,
				    ring_at(&world, r->piece[all - 1].gpa.gpa + length(n) - 1));
}

void driver_adds(void)
{
	uint32_t burst = random32() % 8 + 1;

	/* Now and then it is quiet, so that the device runs dry and sleeps. */
	if (run.turn++ / 32 % 2 && run.got < run.next)
		return;
	while (burst--) {
		uint32_t n = run.next, all = pieces_of(n);
		uint32_t readable = n % 5 ? (all > 1 ? 1 : 0) : all;

		if (all > world.device_config.size &&
		    !(world.device_config.features & PVROM_VQ_F_INDIRECT_DESC)) {
			CU_ASSERT_EQUAL(ring_add(&world, n, readable, all - readable, length(n)),
					PVROM_VQ_TOO_LONG);
			return;
		}
		if (ring_add(&world, n, readable, all - readable, length(n)))
			break;
		run.state[n] = 1;
		run.next++;
	}
	if (pvrom_vq_driver_publish(&world.driver))
		run.kick = true;
}

static void device_completes(uint32_t i)
{
	struct pvrom_vq_request *r = &run.request[i];

	/* Some say less than they could. */
	CU_ASSERT_EQUAL(pvrom_vq_device_complete(&world.device, r,
						 random32() % 4 ? r->writable : r->writable / 2),
			PVROM_VQ_OK);
	CU_ASSERT_EQUAL(pvrom_vq_device_complete(&world.device, r, 0), PVROM_VQ_STALE);
	run.request[i] = run.request[--run.out];
}

/* Some of those just popped go back, the youngest first: they are popped again as they were. */
static void device_puts_back(uint32_t first)
{
	const enum pvrom_vq_result answer = world.record ? PVROM_VQ_BUSY : PVROM_VQ_OK;

	while (run.out > first && random32() % 3 == 0) {
		struct pvrom_vq_request *r = &run.request[run.out - 1];

		if (run.out - 1 > first)
			CU_ASSERT_EQUAL(pvrom_vq_device_unpop(&world.device, r - 1),
					PVROM_VQ_STALE);
		CU_ASSERT_EQUAL(pvrom_vq_device_unpop(&world.device, r), answer);
		if (answer)
			return;
		CU_ASSERT_EQUAL(pvrom_vq_device_complete(&world.device, r, 0), PVROM_VQ_STALE);
		CU_ASSERT(pvrom_vq_device_pending(&world.device));
		run.popped--;
		run.out--;
		run.put_back++;
	}
}

/* Some of the next buffers without slots, as many of them as are plain. */
static void device_bursts(void)
{
	struct pvrom_vq_plain plain[8];
	const uint32_t n = pvrom_vq_device_burst(&world.device, plain, random32() % 8 + 1);
	const uint32_t count = n ? random32() % (n + 1) : 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		struct pvrom_vq_plain *p = &plain[i];
		struct pvrom_vq_piece piece = { p->at, p->len, p->gpa };
		const struct pvrom_vq_request r = { .piece = &piece,
						    .readable_pieces = !p->writable,
						    .writable_pieces = p->writable,
						    .writable = p->writable ? p->len : 0,
						    .last = p->at + p->len - 1 };

		look_at(&r);
		p->written = p->writable ? p->len / (random32() % 4 ? 1 : 2) : 0;
	}
	pvrom_vq_device_burst_done(&world.device, plain, count);
	run.in_bursts += count;
}

static void device_works(void)
{
	const uint32_t first = run.out;
	uint32_t burst = random32() % 8 + 1;

	if (run.device_sleeps && !run.kick)
		return;
	run.kick = run.device_sleeps = false;
	if (random32() % 2)
		device_bursts();
	while (burst-- && run.out < OUT_MAX) {
		struct pvrom_vq_request r = request();

		if (pvrom_vq_device_pop(&world.device, &r))
			break;
		look_at(&r);
		run.request[run.out++] = r;
	}
	device_puts_back(first);
	for (burst = random32() % 6; burst-- && run.out;)
		device_completes(random32() % run.out);
	if (pvrom_vq_device_publish(&world.device))
		run.interrupt = true;
	if (random32() % 4 == 0 && !run.out) {
		run.device_sleeps = !pvrom_vq_device_notifications_on(&world.device);
		run.asleep_device += run.device_sleeps;
	} else if (random32() % 3 == 0) {
		pvrom_vq_device_notifications_off(&world.device);
	}
}

static void driver_takes(void)
{
	struct pvrom_vq_done done;
	enum pvrom_vq_result result;

	if (run.driver_sleeps && !run.interrupt)
		return;
	run.driver_sleeps = run.interrupt = false;
	while ((result = pvrom_vq_driver_get(&world.driver, &done)) == PVROM_VQ_OK) {
		uint32_t n = ring_number(done.token);

		CU_ASSERT_FATAL(n < run.next);
		CU_ASSERT_EQUAL(run.state[n], 1);
		CU_ASSERT_FALSE(done.overlong);
		run.state[n] = 2;
		run.got++;
	}
	CU_ASSERT_EQUAL(result, PVROM_VQ_EMPTY);
	if (random32() % 2 == 0 && run.got < run.next) {
		run.driver_sleeps =
			!pvrom_vq_driver_interrupts_on(&world.driver, random32() % 4 + 1);
		run.asleep_driver += run.driver_sleeps;
	} else {
		pvrom_vq_driver_interrupts_off(&world.driver);
	}
}

/* Goes on until count buffers came back. Fails when nothing moves: a notification was lost. */
void go(uint32_t count)
{
	uint32_t idle = 0, before;

	while (run.got < count && idle < 10000) {
		before = run.got;
		driver_adds();
		device_works();
		driver_takes();
		idle = run.got == before ? idle + 1 : 0;
	}
	if (run.got < count)
		tap_note("features %#llx, size %u, record %d: %u of %u came back",
			 (unsigned long long)world.device_config.features, world.device_config.size,
			 world.record != NULL, run.got, run.next);
	CU_ASSERT_FATAL(run.got >= count);
}

void begin(uint64_t features, uint32_t size, bool record)
{
	memset(&run, 0, sizeof(run));
	ring_world_init(&world, features, size, record);
}
