/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device's process dies at every step and after every store to the record of buffers in flight, and the
 * next one goes on: no buffer is lost, none comes back twice, and they are taken again in order.
 *
 * The step hook and the store hook jump out of the library, which is then as dead as after kill -9: only guest
 * memory and the record are kept.
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../cunit_tap.h"
#include "ring_world.h"

extern void (*pvrom_vq_store_hook)(void);

static struct ring_world world;
static struct pvrom_vq_piece pieces[RING_PIECES];

#define OUT_MAX 8u
#define BUFFERS 24u

static struct run {
	uint32_t next, got, out, deaths, died_in_resume;
	uint32_t number[OUT_MAX];
	struct pvrom_vq_request request[OUT_MAX];
	uint8_t state[4096]; /* 0 not added, 1 in flight, 2 back */
	uint8_t held[4096];  /* popped by this process */
	int32_t countdown;   /* steps and stores until death; 0: lives */
	bool random;
} run;
static jmp_buf death;
static uint64_t seed;

static uint32_t random32(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33);
}

static void tick(void)
{
	if (run.countdown && --run.countdown == 0)
		longjmp(death, 1);
}

static void on_step(struct ring_world *unused, enum pvrom_vq_step step)
{
	(void)unused;
	(void)step;
	tick();
}

/* ---- the device ---------------------------------------------------------------------------------- */

static uint32_t number_of(const struct pvrom_vq_request *r)
{
	return (uint32_t)((r->piece[0].gpa.gpa - RING_DATA) / 64);
}

static void take(void)
{
	struct pvrom_vq_request r = { .piece = pieces, .room = RING_PIECES };
	uint32_t n;

	if (run.out == OUT_MAX || pvrom_vq_device_pop(&world.device, &r))
		return;
	CU_ASSERT_EQUAL(r.fault, PVROM_VQ_FAULT_NONE);
	CU_ASSERT_EQUAL(r.readable_pieces + r.writable_pieces, number_of(&r) % 3 + 1);
	n = number_of(&r);
	CU_ASSERT_EQUAL(run.state[n], 1); /* not one that came back: it would be done twice */
	CU_ASSERT_EQUAL(run.held[n], 0);
	run.held[n] = 1;
	run.number[run.out] = n;
	run.request[run.out++] = r;
}

static void give(void)
{
	uint32_t i = random32() % run.out;
	struct pvrom_vq_request r = run.request[i];

	run.request[i] = run.request[--run.out];
	CU_ASSERT_EQUAL(pvrom_vq_device_complete(&world.device, &r, r.writable), PVROM_VQ_OK);
}

static void work(void)
{
	uint32_t n;

	for (n = random32() % 4; n--;)
		take();
	for (n = random32() % 4; n-- && run.out;)
		give();
	pvrom_vq_device_publish(&world.device);
}

/* The next process. It may die while it resumes. */
static void restart(void)
{
	memset(&world.device, 0, sizeof(world.device));
	memset(run.held, 0, sizeof(run.held));
	run.out = 0;
	if (setjmp(death)) {
		run.died_in_resume++;
		memset(&world.device, 0, sizeof(world.device));
	}
	CU_ASSERT_EQUAL(ring_world_restart(&world), PVROM_VQ_OK);
}

/* What was in flight comes first, the oldest first. */
static void check_order(void)
{
	uint32_t left = pvrom_vq_device_in_flight(&world.device), last = 0, n;

	for (n = 0; n < left && n < OUT_MAX; n++) {
		take();
		CU_ASSERT(run.number[n] >= last);
		last = run.number[n];
	}
}

static void live(void)
{
	if (setjmp(death) == 0) {
		work();
		return;
	}
	run.deaths++;
	if (run.random)
		run.countdown = (int32_t)(random32() % 60 + 1);
	restart();
	run.countdown = 0;
	check_order();
	if (run.random)
		run.countdown = (int32_t)(random32() % 60 + 1);
}

/* ---- the driver, which lives on ------------------------------------------------------------------ */

static void drive(void)
{
	struct pvrom_vq_done done;
	enum pvrom_vq_result result;

	while (run.next < run.got + 8 && run.next < sizeof(run.state)) {
		uint32_t all = run.next % 3 + 1, in = run.next % 2;

		if (ring_add(&world, run.next, all - in, in, 50))
			break;
		run.state[run.next++] = 1;
	}
	pvrom_vq_driver_publish(&world.driver);
	while ((result = pvrom_vq_driver_get(&world.driver, &done)) == PVROM_VQ_OK) {
		uint32_t n = ring_number(done.token);

		CU_ASSERT_EQUAL(run.state[n], 1);
		run.state[n] = 2;
		run.got++;
	}
	CU_ASSERT_EQUAL_FATAL(result, PVROM_VQ_EMPTY);
}

static bool go(uint64_t features, uint32_t size, int32_t countdown, uint32_t buffers)
{
	uint32_t turns;

	memset(&run, 0, sizeof(run));
	ring_world_init(&world, features, size, true);
	world.step = on_step;
	pvrom_vq_store_hook = tick;
	run.countdown = countdown;
	run.random = buffers > BUFFERS;
	for (turns = 0; run.got < buffers && turns < 100 * buffers; turns++) {
		drive();
		live();
	}
	CU_ASSERT(run.got >= buffers);
	pvrom_vq_store_hook = NULL;
	world.step = NULL;
	return run.deaths;
}

static const uint64_t kinds[] = {
	F_SPLIT,
	F_SPLIT | PVROM_VQ_F_IN_ORDER,
	F_SPLIT | PVROM_VQ_F_INDIRECT_DESC,
	F_PACKED,
	F_PACKED | PVROM_VQ_F_IN_ORDER,
	F_PACKED | PVROM_VQ_F_INDIRECT_DESC,
	F_PACKED | PVROM_VQ_F_INDIRECT_DESC | PVROM_VQ_F_IN_ORDER,
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* One death in a run, at every moment there is. [PVROM-VQ-10] [PVROM-VQ-11] */
static void every_moment(void)
{
	uint32_t kind, size, deaths = 0;
	int32_t moment;

	for (kind = 0; kind < KINDS; kind++) {
		for (size = 4; size <= 8; size += 4) {
			for (moment = 1; moment < 100000; moment++) {
				seed = kind + size;
				if (!go(kinds[kind], size, moment, BUFFERS))
					break;
				deaths++;
			}
		}
	}
	tap_note("%u deaths", deaths);
	CU_ASSERT(deaths > 2000);
}

/* Each step of the table was one of them. */
static void every_step_reached(void)
{
#define CHECK_STEP(name, number, formats, text) CU_ASSERT(world.steps[number] > 0);
	PVROM_VQ_STEP_TABLE(CHECK_STEP)
#undef CHECK_STEP
}

/* Deaths all the time, in resume too. */
static void many_deaths(void)
{
	uint32_t kind, i, in_resume = 0;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < 6; i++) {
			seed = 1000 + kind * 10 + i;
			go(kinds[kind], kind < 3 ? 4u << (i & 1) : 5 + i, 10, 2000);
			CU_ASSERT(run.deaths > 50);
			in_resume += run.died_in_resume;
		}
	}
	CU_ASSERT(in_resume > 100);
}

/* All that was taken is given back in one batch. */
static void give_all(void)
{
	if (setjmp(death) == 0) {
		while (run.out)
			give();
		pvrom_vq_device_publish(&world.device);
		return;
	}
	run.countdown = 0;
	restart();
}

/* A batch of the whole ring, so that the position after it is the same: only the wrap counter tells. */
static void whole_ring(void)
{
	int32_t moment;
	uint32_t n;

	for (moment = 1; moment < 400; moment++) {
		memset(&run, 0, sizeof(run));
		ring_world_init(&world, F_PACKED | PVROM_VQ_F_IN_ORDER, 4, true);
		drive();
		for (n = 0; n < 4; n++)
			take();
		world.step = on_step;
		pvrom_vq_store_hook = tick;
		run.countdown = moment;
		give_all();
		world.step = NULL;
		pvrom_vq_store_hook = NULL;
		for (n = 0; n < 1000 && run.got < 40; n++) {
			drive();
			work();
		}
		CU_ASSERT(run.got >= 40);
	}
}

static const struct tap_test tests[] = { { "a death at every moment", every_moment },
					 { "every step of the table was reached",
					   every_step_reached },
					 { "deaths all the time", many_deaths },
					 { "a batch as long as the ring", whole_ring },
					 { 0 } };

int main(void)
{
	int result = tap_run("virtqueue.crash", tests);

	ring_world_free(&world);
	return result;
}
