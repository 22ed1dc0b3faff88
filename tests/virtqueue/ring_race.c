/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Two threads at one queue. A driver and a device that work, sleep and wake each other: every buffer arrives
 * once and whole, and nobody sleeps for good. A driver that rewrites all that it shares while the device reads:
 * what the device hands out is always in memory, and it always gets on. And, in one thread, that the device
 * reads no word twice for one buffer.
 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../../virtqueue/vq_internal.h"
#include "../cunit_tap.h"
#include "ring_world.h"

#define SIZE 64u
#define BUFFERS 40000u
#define PATIENCE_MS 20000

static struct ring_world world;
static int bell, line; /* eventfds: to the device, to the driver */
static uint32_t failures;

static void fail_if(bool wrong)
{
	if (wrong)
		__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
}

static void ring(int fd)
{
	const uint64_t one = 1;

	fail_if(write(fd, &one, sizeof(one)) != sizeof(one));
}

/* False: nobody rang for so long that nobody will. */
static bool wait_for(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t count;

	return poll(&p, 1, PATIENCE_MS) == 1 && read(fd, &count, sizeof(count)) == sizeof(count);
}

/* ---- a driver and a device ------------------------------------------------------------------------- */

/* Buffer n: its number, a few times over, then room for as many answers. */
static uint32_t words(uint32_t n)
{
	return n % 5 + 1;
}

static uint64_t place(uint32_t n)
{
	return RING_DATA + 128ull * (n % (4 * SIZE));
}

static bool send_buffer(uint32_t n)
{
	struct pvrom_vq_buf buf[2] = { { place(n), 8 * words(n), 0 },
				       { place(n) + 64, 8 * words(n), 0 } };
	uint64_t *at = ring_at(&world, place(n));
	uint32_t i;

	for (i = 0; i < words(n); i++)
		at[i] = n * 0x100000001ull + i;
	memset(at + 8, 0, 64);
	return !pvrom_vq_driver_add(&world.driver, buf, 1, 1, ring_token(n));
}

static bool is_back[4 * SIZE];

static void receive(const struct pvrom_vq_done *done)
{
	uint32_t n = ring_number(done->token), i;
	const uint64_t *at = ring_at(&world, place(n));

	fail_if(is_back[n % (4 * SIZE)] || done->len != 8 * words(n) || done->overlong);
	is_back[n % (4 * SIZE)] = true;
	for (i = 0; i < words(n); i++)
		fail_if(at[8 + i] != ~at[i]);
}

static void *drive(void *unused)
{
	uint32_t sent = 0, back = 0;
	struct pvrom_vq_done done;

	while (back < BUFFERS && !failures) {
		/* A place is used again when the buffer before is back: out of order too. */
		while (sent < BUFFERS && (sent < 4 * SIZE || is_back[sent % (4 * SIZE)]) &&
		       sent - back < SIZE / 2 && send_buffer(sent))
			is_back[sent++ % (4 * SIZE)] = false;
		if (pvrom_vq_driver_publish(&world.driver))
			ring(bell);
		pvrom_vq_driver_interrupts_off(&world.driver);
		while (!pvrom_vq_driver_get(&world.driver, &done)) {
			receive(&done);
			back++;
		}
		if (back < sent && !pvrom_vq_driver_interrupts_on(&world.driver, back % 3 + 1))
			fail_if(!wait_for(line));
	}
	fail_if(back != BUFFERS);
	return unused;
}

/* Answers, and completes sometimes the last first. */
static void serve(struct pvrom_vq_request *request)
{
	uint64_t in[8], out[8];
	uint64_t bytes = pvrom_vq_request_read(request, 0, in, sizeof(in));
	uint32_t i;

	for (i = 0; i < bytes / 8; i++) {
		fail_if(in[i] - in[0] != i);
		out[i] = ~in[i];
	}
	fail_if(pvrom_vq_request_write(&world.device, request, 0, out, bytes) != bytes);
}

static void *device_thread(void *unused)
{
	static struct pvrom_vq_piece piece[4][8];
	struct pvrom_vq_request request[4];
	uint32_t served = 0, n, i;

	for (i = 0; i < 4; i++)
		request[i] = (struct pvrom_vq_request){ .piece = piece[i], .room = 8 };
	while (served < BUFFERS && !failures) {
		pvrom_vq_device_notifications_off(&world.device);
		for (n = 0; n < 4 && !pvrom_vq_device_pop(&world.device, &request[n]); n++)
			serve(&request[n]);
		for (i = n; i-- > 0;)
			fail_if(pvrom_vq_device_complete(&world.device, &request[i],
							 request[i].writable));
		if (pvrom_vq_device_publish(&world.device))
			ring(line);
		served += n;
		if (!n && !pvrom_vq_device_notifications_on(&world.device))
			fail_if(!wait_for(bell));
	}
	return unused;
}

static void work_together(uint64_t features)
{
	pthread_t thread[2];

	bell = eventfd(0, EFD_CLOEXEC);
	line = eventfd(0, EFD_CLOEXEC);
	memset(is_back, 0, sizeof(is_back));
	failures = 0;
	ring_world_init(&world, features, SIZE, false);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[0], NULL, drive, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[1], NULL, device_thread, NULL), 0);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	CU_ASSERT_EQUAL(failures, 0);
	ring_world_free(&world);
	close(bell);
	close(line);
}

static void each_buffer_once(void)
{
	static const uint64_t optional[] = { 0, PVROM_VQ_F_EVENT_IDX,
					     PVROM_VQ_F_EVENT_IDX | PVROM_VQ_F_INDIRECT_DESC,
					     PVROM_VQ_F_EVENT_IDX | PVROM_VQ_F_IN_ORDER };
	uint32_t i;

	for (i = 0; i < 4; i++) {
		work_together(F_SPLIT | optional[i]);
		work_together(F_PACKED | optional[i]);
	}
}

/* ---- a driver that rewrites everything ---------------------------------------------------------------- */

static bool over;

static uint64_t noise(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 20;
}

/* A descriptor of either format that may be good, with any flags, or a table. */
static void scribble_desc(struct pvrom_vq_desc *d, uint64_t *seed)
{
	static const uint64_t addr[] = { RING_DATA,    RING_TABLES,    RING_SEAM - 8,
					 RING_END - 4, UINT64_MAX - 3, 0 };
	const uint64_t r = noise(seed);

	d->addr = addr[r % 6];
	d->len = r >> 8 & 1 ? 16u * (r >> 9 & 15) : (uint32_t)(r >> 9);
	d->flags = (uint16_t)(r >> 13);
	d->next = (uint16_t)(r >> 29 & 1 ? r >> 30 & (SIZE - 1) : r >> 13);
}

static void scribble_once(uint64_t *seed)
{
	struct pvrom_vq_desc *desc = ring_at(&world, RING_DESC);
	struct pvrom_vq_desc *table = ring_at(&world, RING_TABLES);
	uint16_t *avail = ring_at(&world, RING_DRIVER);

	scribble_desc(&desc[noise(seed) % SIZE], seed);
	scribble_desc(&table[noise(seed) % SIZE], seed);
	avail[2 + noise(seed) % SIZE] = (uint16_t)(noise(seed) % (SIZE + 1));
	/* Now and then there is one more, or very many. */
	__atomic_store_n(&avail[1],
			 (uint16_t)(avail[1] + (noise(seed) % 4096 ? noise(seed) % 2 : 9999)),
			 __ATOMIC_RELAXED);
}

static void *scribble(void *unused)
{
	uint64_t seed = 7;

	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		scribble_once(&seed);
	return unused;
}

/* All that the request says is true of guest memory, whatever the driver did meanwhile. */
static void check_pieces(const struct pvrom_vq_request *r)
{
	uint64_t readable = 0, writable = 0;
	uint32_t i;

	fail_if(r->readable_pieces + r->writable_pieces > r->room);
	for (i = 0; i < r->readable_pieces + r->writable_pieces; i++) {
		const struct pvrom_vq_piece *p = &r->piece[i];

		fail_if(p->gpa.gpa < RING_BASE || p->gpa.gpa >= RING_END || !p->len ||
			p->len > RING_END - p->gpa.gpa || p->at != ring_at(&world, p->gpa.gpa) ||
			(p->gpa.gpa < RING_SEAM && p->gpa.gpa + p->len > RING_SEAM));
		*(i < r->readable_pieces ? &readable : &writable) += p->len;
	}
	fail_if(readable != r->readable || writable != r->writable);
}

/* Pops and completes `wanted` buffers; a broken queue is set up anew, as after a reset. False: they do not come. */
static bool suffer(uint32_t wanted)
{
	static struct pvrom_vq_piece piece[16];
	struct pvrom_vq_request request = { .piece = piece, .room = 16 };
	const time_t end = time(NULL) + PATIENCE_MS / 1000;
	uint64_t seed = 11;
	uint32_t popped = 0;

	while (popped < wanted && time(NULL) < end) {
		switch (pvrom_vq_device_pop(&world.device, &request)) {
		case PVROM_VQ_OK:
			popped++;
			check_pieces(&request);
			fail_if(pvrom_vq_device_complete(&world.device, &request, UINT64_MAX));
			break;
		case PVROM_VQ_BROKEN:
			fail_if(!pvrom_vq_device_reason(&world.device));
			fail_if(pvrom_vq_device_init(&world.device, &world.device_config));
			/* A split ring begins at 0, if only for a moment. */
			__atomic_store_n((uint16_t *)ring_at(&world, RING_DRIVER) + 1, 0,
					 __ATOMIC_RELAXED);
			break;
		default: scribble_once(&seed); /* the other thread may have no CPU just now */
		}
		pvrom_vq_device_publish(&world.device);
	}
	fail_if(world.violations);
	return popped == wanted;
}

static void scribbled(uint64_t features)
{
	pthread_t thread;

	failures = 0;
	over = false;
	ring_world_init(&world, features | PVROM_VQ_F_INDIRECT_DESC, SIZE, false);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, scribble, NULL), 0);
	CU_ASSERT_TRUE(suffer(20000));
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(failures, 0);
	ring_world_free(&world);
}

static void scribbled_split(void)
{
	scribbled(F_SPLIT | PVROM_VQ_F_EVENT_IDX);
}

static void scribbled_packed(void)
{
	scribbled(F_PACKED | PVROM_VQ_F_EVENT_IDX);
}

/* ---- read once ------------------------------------------------------------------------------------------ */

#define LOADS 4096u

static struct {
	const uint8_t *at;
	size_t bytes;
} load[LOADS];
static uint32_t loads, twice;

static void note_load(const void *at, size_t bytes)
{
	uint32_t i;

	for (i = 0; i < loads; i++)
		twice += load[i].at < (const uint8_t *)at + bytes &&
			 (const uint8_t *)at < load[i].at + load[i].bytes;
	if (loads < LOADS) {
		load[loads].at = at;
		load[loads++].bytes = bytes;
	}
}

/* Each buffer: all loads of pop, of its header and of complete; none overlaps another. */
static void read_once(uint64_t features)
{
	struct pvrom_vq_piece piece[16];
	struct pvrom_vq_request request = { .piece = piece, .room = 16 };
	uint32_t n, most = 0;
	uint8_t header[16];

	ring_world_init(&world, features, SIZE, false);
	for (n = 0; n < 200; n++) {
		CU_ASSERT_EQUAL_FATAL(ring_add(&world, n, n % 3 + 1, n % 4, 16), PVROM_VQ_OK);
		pvrom_vq_driver_publish(&world.driver);
		loads = 0;
		pvrom_vq_load_hook = note_load;
		CU_ASSERT_EQUAL_FATAL(pvrom_vq_device_pop(&world.device, &request), PVROM_VQ_OK);
		pvrom_vq_request_read(&request, 0, header, sizeof(header));
		pvrom_vq_device_complete(&world.device, &request, request.writable);
		pvrom_vq_load_hook = NULL;
		most = loads > most ? loads : most;
		pvrom_vq_device_publish(&world.device);
		pvrom_vq_driver_get(&world.driver, &(struct pvrom_vq_done){ 0 });
	}
	CU_ASSERT_EQUAL(twice, 0);
	CU_ASSERT_TRUE(most >= 3); /* the hook sees them */
	ring_world_free(&world);
}

static void no_word_is_read_twice(void)
{
	uint32_t i;

	twice = 0;
	for (i = 0; i < 4; i++)
		read_once((i & 1 ? F_PACKED : F_SPLIT) | (i & 2 ? PVROM_VQ_F_INDIRECT_DESC : 0));
	/* And the hook would notice. */
	loads = 0;
	note_load(&i, 4);
	note_load((uint8_t *)&i + 2, 1);
	CU_ASSERT_EQUAL(twice, 1);
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "two threads: each buffer once and whole, nobody sleeps for good",
		  each_buffer_once },
		{ "a driver that rewrites all: split", scribbled_split },
		{ "a driver that rewrites all: packed", scribbled_packed },
		{ "no word is read twice for one buffer", no_word_is_read_twice },
		{ 0 },
	};

	return tap_run("ring race", tests);
}
