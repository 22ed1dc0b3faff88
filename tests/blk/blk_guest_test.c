/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The block driver against our own device: every request type, every form of ring, several queues, bounce buffers,
 * limits, changes of the configuration; against a model of the disk.
 */
#include "guest_world.h"

#include <stdlib.h>
#include <string.h>

#include "../../virtqueue/vq_internal.h"
#include "../cunit_tap.h"

#define REQUESTS 64u
#define ROUNDS 400u
#define SLICE 16384u /* bytes of data memory of one request */

static const struct pvrom_blk_host_setup full = { .queues = 3,
						  .seg_max = 6,
						  .size_max = 8192,
						  .discard_ranges = 4,
						  .discard_sectors = 64,
						  .zeroes_ranges = 4,
						  .zeroes_sectors = 64,
						  .erase_ranges = 2,
						  .erase_sectors = 32 };

/* ---- a model: the disk as it must be, and random work ------------------------------------------------- */

static uint64_t seed;

static uint32_t dice(uint32_t sides)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % sides;
}

struct job {
	struct pvrom_blk_guest_request request;
	struct pvrom_blk_guest_piece piece[6];
	struct pvrom_blk_range range[4];
	uint8_t *at; /* its slice of memory */
	uint32_t bytes;
	bool busy;
};

struct play {
	struct guest_world w;
	struct job job[REQUESTS];
	uint8_t model[GW_SECTORS * 512];
	uint32_t done, wrong;
};

static void apply_write(struct play *p, const struct job *j)
{
	memcpy(p->model + j->request.sector * 512, j->at, j->bytes);
}

static void check_read(struct play *p, const struct job *j)
{
	if (memcmp(p->model + j->request.sector * 512, j->at, j->bytes))
		p->wrong++;
}

static void apply_ranges(struct play *p, const struct job *j)
{
	uint32_t i;

	for (i = 0; i < j->request.ranges; i++)
		memset(p->model + j->range[i].sector * 512, 0, j->range[i].num_sectors * 512);
}

/* The memory disk answers in the order in which it is asked, and so do all queues of one round. */
static void job_done(struct pvrom_blk_guest_request *request)
{
	struct job *j = (struct job *)request; /* its first member */
	struct play *p = request->context;

	j->busy = false;
	p->done++;
	if (request->result)
		p->wrong++;
	else if (request->type == PVROM_BLK_T_IN)
		check_read(p, j);
	else if (request->type == PVROM_BLK_T_GET_ID)
		p->wrong += memcmp(j->at, "twenty bytes of name", 20) != 0;
}

/* Data in 1 to 6 pieces of whole sectors, no two beside each other. */
static void scatter(struct play *p, struct job *j)
{
	uint32_t n = 1 + dice(6), i;

	j->request.pieces = n;
	j->bytes = 0;
	for (i = 0; i < n; i++) {
		uint32_t len = 512 * (1 + dice(4));

		j->piece[i] =
			(struct pvrom_blk_guest_piece){ (uint64_t)(j->at - p->w.memory) + j->bytes,
							j->at + j->bytes, len, 0 };
		j->bytes += len;
	}
	j->request.sector = dice(GW_SECTORS - j->bytes / 512);
}

static void choose_ranges(struct job *j)
{
	uint32_t i;

	j->request.ranges = 1 + dice(j->request.type == PVROM_BLK_T_SECURE_ERASE ? 2 : 4);
	for (i = 0; i < j->request.ranges; i++)
		j->range[i] = (struct pvrom_blk_range){ dice(GW_SECTORS - 32), 1 + dice(32), 0 };
}

static void choose(struct play *p, struct job *j)
{
	static const uint32_t types[] = { 0, 0, 0, 1, 1, 1, 4, 8, 11, 13, 14 };
	uint32_t i;

	j->request = (struct pvrom_blk_guest_request){ .type = types[dice(11)],
						       .piece = j->piece,
						       .range = j->range,
						       .done = job_done,
						       .context = p };
	if (j->request.type == PVROM_BLK_T_IN || j->request.type == PVROM_BLK_T_OUT) {
		scatter(p, j);
	} else if (j->request.type == PVROM_BLK_T_GET_ID) {
		j->request.pieces = 1;
		j->piece[0] = (struct pvrom_blk_guest_piece){ (uint64_t)(j->at - p->w.memory),
							      j->at, PVROM_BLK_ID_BYTES, 0 };
	} else if (j->request.type != PVROM_BLK_T_FLUSH) {
		choose_ranges(j);
	}
	if (j->request.type == PVROM_BLK_T_OUT)
		for (i = 0; i < j->bytes; i++)
			j->at[i] = (uint8_t)dice(256);
}

/* One round on one queue, so that the order of the work is the order of submission. */
static void play_round(struct play *p, struct pvrom_blk_guest_queue *queue)
{
	uint32_t i, want = p->done, n = 1 + dice(REQUESTS);
	bool broken = false;

	for (i = 0; i < n; i++) {
		struct job *j = &p->job[i];
		enum pvrom_blk_guest_result result;

		choose(p, j);
		result = pvrom_blk_guest_submit(queue, &j->request);
		if (result == PVROM_BLK_GUEST_FULL)
			break;
		CU_ASSERT_EQUAL_FATAL(result, PVROM_BLK_GUEST_OK);
		want++;
	}
	pvrom_blk_guest_kick(queue);
	/* What a read finds depends on the writes before it: the model runs while polling, in order. */
	guest_world_run(&p->w);
	for (i = 0; i < n && pvrom_blk_guest_poll(queue, 1, &broken); i++) {
		struct job *j = &p->job[i];

		if (j->request.type == PVROM_BLK_T_OUT)
			apply_write(p, j);
		else if (j->request.type != PVROM_BLK_T_IN && j->request.ranges)
			apply_ranges(p, j);
	}
	CU_ASSERT_EQUAL_FATAL(p->done, want);
	CU_ASSERT_FALSE_FATAL(broken);
}

static void play(uint64_t ring, const struct pvrom_blk_guest_config *settings)
{
	struct play *p = calloc(1, sizeof(*p));
	uint32_t i;

	seed = 1;
	guest_world_open(&p->w, &full, ring);
	CU_ASSERT_EQUAL_FATAL(guest_world_begin(&p->w, settings), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(p->w.blk.queues, 3);
	CU_ASSERT_EQUAL(p->w.virtio.accepted & ring, ring & ~settings->avoid);
	for (i = 0; i < REQUESTS; i++)
		p->job[i].at = p->w.memory + GW_DATA + i * SLICE;
	for (i = 0; i < ROUNDS; i++)
		play_round(p, &p->w.queue[i % 3]);
	CU_ASSERT_EQUAL(p->wrong, 0);
	CU_ASSERT_EQUAL(memcmp(p->model, pvrom_blk_memory_bytes(p->w.disk), sizeof(p->model)), 0);
	/* Ours is the device that says when a driver breaks its limits. */
	CU_ASSERT_EQUAL(p->w.host.counters.failed + p->w.host.counters.unsupported, 0);
	CU_ASSERT_TRUE(p->w.bells > 0);
	guest_world_close(&p->w);
	free(p);
}

static void every_form_of_ring(void)
{
	static const uint64_t rings[] = {
		0,
		PVROM_VQ_F_INDIRECT_DESC,
		PVROM_VQ_F_INDIRECT_DESC | PVROM_VQ_F_EVENT_IDX,
		PVROM_VQ_F_INDIRECT_DESC | PVROM_VQ_F_IN_ORDER | PVROM_VQ_F_NOTIFICATION_DATA,
	};
	uint32_t i, packed, bounce;

	for (i = 0; i < 4; i++)
		for (packed = 0; packed < 2; packed++)
			for (bounce = 0; bounce < 2; bounce++) {
				const struct pvrom_blk_guest_config settings = {
					.queues = 3, .size = 100, .bounce = bounce ? SLICE : 0
				};

				play(rings[i] | (packed ? PVROM_VQ_F_RING_PACKED : 0), &settings);
			}
}

static void a_feature_can_be_avoided(void)
{
	const struct pvrom_blk_guest_config settings = { .queues = 3,
							 .avoid = PVROM_VQ_F_RING_PACKED };

	play(PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_INDIRECT_DESC, &settings);
}

/* ---- bounce buffers ------------------------------------------------------------------------------------ */

/* The device sees no address of the caller's; and what it does to the buffer later changes nothing. */
static void bounce_buffers_hide_data(void)
{
	const struct pvrom_blk_guest_config settings = { .bounce = 4096 };
	struct guest_world w;
	uint8_t data[4096];
	const struct pvrom_blk_guest_piece piece = { UINT64_MAX, data, sizeof(data), 0 };
	struct pvrom_blk_guest_request r = {
		.type = PVROM_BLK_T_OUT, .sector = 8, .piece = &piece, .pieces = 1
	};

	guest_world_open(&w, NULL, 0);
	CU_ASSERT_EQUAL_FATAL(guest_world_begin(&w, &settings), PVROM_VIRTIO_OK);
	memset(data, 0x5a, sizeof(data));
	CU_ASSERT_EQUAL(guest_world_do(&w, &r), PVROM_BLK_GUEST_OK);
	CU_ASSERT_EQUAL(memcmp(pvrom_blk_memory_bytes(w.disk) + 4096, data, sizeof(data)), 0);
	memset(data, 0, sizeof(data));
	r.type = PVROM_BLK_T_IN;
	CU_ASSERT_EQUAL(guest_world_do(&w, &r), PVROM_BLK_GUEST_OK);
	memset(w.queue[0].bounce, 0, 128 * 4096);
	CU_ASSERT_TRUE(data[0] == 0x5a && data[4095] == 0x5a);
	guest_world_close(&w);
}

/* ---- what the driver refuses itself ---------------------------------------------------------------------- */

static void refuses_what_does_not_fit(void)
{
	const struct pvrom_blk_host_setup setup = { .seg_max = 2, .size_max = 4096 };
	struct pvrom_blk_guest_piece piece[3] = { { GW_DATA, NULL, 512, 0 },
						  { GW_DATA, NULL, 512, 0 },
						  { GW_DATA, NULL, 512, 0 } };
	struct pvrom_blk_guest_request r = { .type = PVROM_BLK_T_IN, .piece = piece, .pieces = 3 };
	struct guest_world w;

	guest_world_open(&w, &setup, 0);
	CU_ASSERT_EQUAL_FATAL(guest_world_begin(&w, NULL), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_IN, GW_SECTORS, 0, 512),
			PVROM_BLK_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_IN, GW_SECTORS - 1, 0, 1024),
			PVROM_BLK_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_IN, UINT64_MAX, 0, 512),
			PVROM_BLK_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_IN, 0, 0, 511),
			PVROM_BLK_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_IN, 0, 0, 0), PVROM_BLK_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_IN, 0, 0, 8192),
			PVROM_BLK_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(guest_world_do(&w, &r), PVROM_BLK_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_GET_ID, 0, 0, 21),
			PVROM_BLK_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_DISCARD, 0, 0, 0),
			PVROM_BLK_GUEST_UNSUPPORTED);
	CU_ASSERT_EQUAL(guest_world_one(&w, 77, 0, 0, 0), PVROM_BLK_GUEST_UNSUPPORTED);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_IN, GW_SECTORS - 8, 0, 4096),
			PVROM_BLK_GUEST_OK);
	CU_ASSERT_EQUAL(w.host.counters.reads, 1);
	CU_ASSERT_EQUAL(w.host.counters.failed + w.host.counters.unsupported, 0);
	guest_world_close(&w);
}

static void refuses_ranges_beyond_the_limits(void)
{
	struct pvrom_blk_range range[5] = { { 0, 64, 0 }, { 0, 1, 0 }, { 0, 1, 0 }, { 0, 1, 0 } };
	struct pvrom_blk_guest_request r = { .type = PVROM_BLK_T_DISCARD,
					     .range = range,
					     .ranges = 4 };
	struct guest_world w;

	guest_world_open(&w, &full, 0);
	CU_ASSERT_EQUAL_FATAL(guest_world_begin(&w, NULL), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(guest_world_do(&w, &r), PVROM_BLK_GUEST_OK);
	r.ranges = 5;
	CU_ASSERT_EQUAL(guest_world_do(&w, &r), PVROM_BLK_GUEST_BAD_REQUEST);
	r.ranges = 1;
	range[0].num_sectors = 65;
	CU_ASSERT_EQUAL(guest_world_do(&w, &r), PVROM_BLK_GUEST_BAD_REQUEST);
	range[0] = (struct pvrom_blk_range){ GW_SECTORS - 1, 2, 0 };
	CU_ASSERT_EQUAL(guest_world_do(&w, &r), PVROM_BLK_GUEST_BAD_REQUEST);
	range[0] = (struct pvrom_blk_range){ 0, 0, 0 };
	CU_ASSERT_EQUAL(guest_world_do(&w, &r), PVROM_BLK_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(w.host.counters.failed + w.host.counters.unsupported, 0);
	guest_world_close(&w);
}

static void read_only_disks_are_only_read(void)
{
	const struct pvrom_blk_host_setup setup = { .read_only = true };
	struct guest_world w;

	guest_world_open(&w, &setup, 0);
	CU_ASSERT_EQUAL_FATAL(guest_world_begin(&w, NULL), PVROM_VIRTIO_OK);
	CU_ASSERT_TRUE(w.blk.read_only);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_OUT, 0, 0, 512),
			PVROM_BLK_GUEST_UNSUPPORTED);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_IN, 0, 0, 512), PVROM_BLK_GUEST_OK);
	guest_world_close(&w);
}

/* ---- room, interrupts, changes --------------------------------------------------------------------------- */

static void count_done(struct pvrom_blk_guest_request *request)
{
	*(uint32_t *)request->context += 1;
}

/* A full queue says so, loses nothing, and goes on afterwards; one interrupt is asked for and comes. */
static void full_queue_and_interrupts(void)
{
	static struct pvrom_blk_guest_request r[200];
	const struct pvrom_blk_guest_piece piece = { GW_DATA, NULL, 512, 0 };
	uint32_t done = 0, n, i;
	bool broken = false;
	struct guest_world w;

	guest_world_open(&w, NULL, PVROM_VQ_F_EVENT_IDX);
	CU_ASSERT_EQUAL_FATAL(guest_world_begin(&w, NULL), PVROM_VIRTIO_OK);
	pvrom_blk_guest_interrupts(&w.queue[0], false);
	for (i = 0; i < 2; i++) {
		for (n = 0; n < 200; n++) {
			r[n] = (struct pvrom_blk_guest_request){
				.piece = &piece, .pieces = 1, .done = count_done, .context = &done
			};
			if (pvrom_blk_guest_submit(&w.queue[0], &r[n]))
				break;
		}
		CU_ASSERT_EQUAL(n, 42); /* three of 128 descriptors each */
		pvrom_blk_guest_kick(&w.queue[0]);
		CU_ASSERT_FALSE(pvrom_blk_guest_interrupts(&w.queue[0], true));
		guest_world_run(&w);
		CU_ASSERT_EQUAL(w.interrupts, i + 1);
		CU_ASSERT_TRUE(pvrom_blk_guest_interrupts(&w.queue[0], true));
		CU_ASSERT_EQUAL(pvrom_blk_guest_poll(&w.queue[0], 1000, &broken), 42);
	}
	CU_ASSERT_EQUAL(done, 84);
	guest_world_close(&w);
}

static void resize_is_seen(void)
{
	struct guest_world w;

	guest_world_open(&w, NULL, 0);
	CU_ASSERT_EQUAL_FATAL(guest_world_begin(&w, NULL), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(w.blk.sectors, GW_SECTORS);
	pvrom_blk_host_resize(&w.host, 100);
	CU_ASSERT_EQUAL(w.ops.interrupt(&w.virtio), PVROM_VIRTIO_CHANGED);
	CU_ASSERT_EQUAL(pvrom_blk_guest_changed(&w.blk), PVROM_BLK_GUEST_OK);
	CU_ASSERT_EQUAL(w.blk.sectors, 100);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_IN, 100, 0, 512),
			PVROM_BLK_GUEST_BAD_REQUEST);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_IN, 99, 0, 512), PVROM_BLK_GUEST_OK);
	guest_world_close(&w);
}

static void write_cache_can_be_switched(void)
{
	struct guest_world w;

	guest_world_open(&w, NULL, 0);
	CU_ASSERT_EQUAL_FATAL(guest_world_begin(&w, NULL), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(pvrom_blk_guest_set_writeback(&w.blk, false), PVROM_BLK_GUEST_OK);
	CU_ASSERT_TRUE(!w.blk.writeback && pvrom_blk_host_writes_stable(&w.host));
	CU_ASSERT_EQUAL(pvrom_blk_guest_set_writeback(&w.blk, true), PVROM_BLK_GUEST_OK);
	CU_ASSERT_TRUE(w.blk.writeback && !pvrom_blk_host_writes_stable(&w.host));
	guest_world_close(&w);
}

/* stop gives back what is in flight, shown or not; begin anew works. */
static void stop_gives_everything_back(void)
{
	static struct pvrom_blk_guest_request r[8];
	const struct pvrom_blk_guest_piece piece = { GW_DATA, NULL, 512, 0 };
	uint32_t done = 0, i;
	struct guest_world w;

	guest_world_open(&w, NULL, PVROM_VQ_F_RING_PACKED);
	CU_ASSERT_EQUAL_FATAL(guest_world_begin(&w, NULL), PVROM_VIRTIO_OK);
	for (i = 0; i < 8; i++) {
		r[i] = (struct pvrom_blk_guest_request){
			.piece = &piece, .pieces = 1, .done = count_done, .context = &done
		};
		CU_ASSERT_EQUAL(pvrom_blk_guest_submit(&w.queue[0], &r[i]), PVROM_BLK_GUEST_OK);
		if (i == 4)
			pvrom_blk_guest_kick(&w.queue[0]);
	}
	CU_ASSERT_EQUAL(pvrom_blk_guest_stop(&w.blk), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(done, 8);
	for (i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(r[i].result, PVROM_BLK_GUEST_CANCELLED);
	CU_ASSERT_EQUAL(pvrom_blk_guest_submit(&w.queue[0], &r[0]), PVROM_BLK_GUEST_BROKEN);
	CU_ASSERT_EQUAL_FATAL(guest_world_begin(&w, NULL), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(guest_world_one(&w, PVROM_BLK_T_IN, 0, 0, 512), PVROM_BLK_GUEST_OK);
	guest_world_close(&w);
}

/* ---- read once ------------------------------------------------------------------------------------------- */

static const struct guest_world *watched;
static uint8_t read_times[sizeof(struct pvrom_blk_guest_shared)];

/* Reads of what the device can see of the first request: header and ranges. */
static void watch(const void *at, size_t bytes)
{
	const uint8_t *shared = (const uint8_t *)watched->queue[0].shared;
	const uint8_t *p;

	for (p = at; p < (const uint8_t *)at + bytes; p++)
		if (p >= shared && p < shared + sizeof(read_times))
			read_times[p - shared]++;
}

/* [PVROM-BLK-2]: what is checked is what is done, since it is read once. */
static void headers_are_read_once(void)
{
	struct pvrom_blk_range range[2] = { { 1, 2, 0 }, { 5, 6, 0 } };
	struct pvrom_blk_guest_request r = { .type = PVROM_BLK_T_DISCARD,
					     .range = range,
					     .ranges = 2 };
	struct guest_world w;
	uint32_t i;

	guest_world_open(&w, &full, 0);
	CU_ASSERT_EQUAL_FATAL(guest_world_begin(&w, NULL), PVROM_VIRTIO_OK);
	watched = &w;
	pvrom_vq_load_hook = watch;
	CU_ASSERT_EQUAL(guest_world_do(&w, &r), PVROM_BLK_GUEST_OK);
	pvrom_vq_load_hook = NULL;
	for (i = 0; i < 16 + 2 * sizeof(range[0]); i++)
		CU_ASSERT_EQUAL(read_times[i], 1);
	guest_world_close(&w);
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "random work in every form of ring is what a model says", every_form_of_ring },
		TAP_TEST(a_feature_can_be_avoided),
		TAP_TEST(bounce_buffers_hide_data),
		TAP_TEST(refuses_what_does_not_fit),
		TAP_TEST(refuses_ranges_beyond_the_limits),
		TAP_TEST(read_only_disks_are_only_read),
		TAP_TEST(full_queue_and_interrupts),
		TAP_TEST(resize_is_seen),
		TAP_TEST(write_cache_can_be_switched),
		TAP_TEST(stop_gives_everything_back),
		TAP_TEST(headers_are_read_once),
		{ 0 },
	};

	return tap_run("blk guest", tests);
}
