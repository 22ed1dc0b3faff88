/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One disk on one socket: a thread that goes round its queues, its disk and its front end.
 */
#define _GNU_SOURCE
#include "blkd.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blkd_steps.h"

/* Buffers taken from a queue before completions and other queues are looked at. */
#define BATCH 32u
/* And before what the disk did at once is shown: a driver that waits for a part of them wakes up meanwhile. */
#define PART 16u
/* Requests of a queue in work at a time: what the rest of its buffers wait for. */
#define POOL_MOST 256u
#define LOOP_ENTRIES 256u

/* ---- what the block device asks ------------------------------------------------------------------------ */

static void complete(void *ctx, struct pvrom_blk_request *request, uint64_t written)
{
	(void)ctx;
	BLKD_STEP(BLK_DONE);
	pvrom_blk_queue_complete(request, written);
	BLKD_STEP(BLK_COMPLETED);
}

static void config_changed(void *ctx)
{
	pvrom_vu_config_changed(((struct blkd_export *)ctx)->vu);
}

static uint64_t now(void *ctx)
{
	(void)ctx;
	return pvrom_loop_now();
}

static const struct pvrom_blk_host_ops blk_ops = { .complete = complete,
						   .config_changed = config_changed,
						   .now = now };

/* ---- the round ----------------------------------------------------------------------------------------- */

/* true: an interrupt was prepared. */
static bool publish_queue(struct blkd_export *e, uint32_t i)
{
	struct blkd_queue *q = &e->queue[i];
	bool interrupts;

	if (!q->live || !q->blk.dirty)
		return false;
	interrupts = pvrom_blk_queue_publish(&q->blk);
	if (interrupts) {
		e->interrupts++;
		pvrom_vu_interrupt(e->vu, i);
		BLKD_STEP(BLK_INTERRUPTED);
	}
	BLKD_STEP(BLK_PUBLISHED);
	return interrupts;
}

static void publish(struct blkd_export *e)
{
	uint32_t i;

	for (i = 0; i < e->spec.queues; i++)
		publish_queue(e, i);
}

/* An interrupt goes out at once when there is more to take: else with the system call that sleeps. */
static uint32_t take_from(struct blkd_export *e, uint32_t i)
{
	struct blkd_queue *q = &e->queue[i];
	uint32_t n = 0, taken;

	do {
		taken = pvrom_blk_queue_run(&q->blk, PART);
		n += taken;
		if (taken && !q->quiet) {
			pvrom_vq_device_notifications_off(&q->blk.ring);
			q->quiet = true;
		}
		if (publish_queue(e, i) && taken == PART)
			pvrom_loop_submit(&e->loop);
	} while (taken == PART && n < BATCH);
	if (q->blk.broken)
		pvrom_vu_broken(e->vu, i);
	return n;
}

static bool take_buffers(struct blkd_export *e)
{
	uint32_t i, n = 0;

	for (i = 0; i < e->spec.queues; i++)
		if (e->queue[i].live && pvrom_vu_runs(e->vu, i))
			n += take_from(e, i);
	e->popped += n;
	if (n) {
		BLKD_STEP(BLK_STARTED);
		pvrom_blk_host_kick(&e->host);
	}
	return n > 0;
}

/* true: the driver added something meanwhile, which it will not ring for. */
static bool listen_again(struct blkd_export *e)
{
	bool more = false;
	uint32_t i;

	for (i = 0; i < e->spec.queues; i++) {
		struct blkd_queue *q = &e->queue[i];

		if (!q->live || !q->quiet || !pvrom_vu_runs(e->vu, i))
			continue;
		q->quiet = false;
		/* Without a free request it is the end of one that wakes us. */
		more |= pvrom_vq_device_notifications_on(&q->blk.ring) && q->blk.free;
	}
	return more;
}

static bool must_poll(const struct blkd_export *e)
{
	uint32_t i;

	for (i = 0; i < e->spec.queues; i++)
		if (pvrom_vu_polled(e->vu, i))
			return true;
	return false;
}

static void rest(struct blkd_export *e, uint64_t deadline)
{
	const uint64_t time = pvrom_loop_now();

	if (time - e->last_work < e->poll_ns || must_poll(e)) {
		pvrom_loop_submit(&e->loop);
		/* The kernel may do what we wait for in threads of this process, on this very CPU. */
		if (e->host.in_work)
			sched_yield();
		else
			__builtin_ia32_pause();
		return;
	}
	if (listen_again(e))
		return;
	BLKD_STEP(BLK_SLEEPS);
	e->sleeps++;
	pvrom_loop_sleep(&e->loop, deadline == UINT64_MAX ? UINT64_MAX
				   : deadline > time	  ? deadline - time
							  : 0);
}

static void obey(struct blkd_export *e);

/*
 * Interrupts that a round prepared go out with what the next one starts, or with the system call that sleeps: one
 * call for all.
 */
static void go_round(struct blkd_export *e)
{
	bool worked = take_buffers(e);
	uint64_t deadline = pvrom_blk_host_release(&e->host);

	if (worked)
		pvrom_loop_submit(&e->loop);
	if (pvrom_loop_reap(&e->loop) > 0) {
		worked = true;
		pvrom_loop_submit(&e->loop);
	}
	publish(e);
	pvrom_vu_look(e->vu);
	if (atomic_load_explicit(&e->asked, memory_order_acquire))
		obey(e);
	else if (worked)
		e->last_work = e->poll_ns ? pvrom_loop_now() : 0;
	else
		rest(e, deadline);
}

/* ---- what the vhost-user side asks --------------------------------------------------------------------- */

static bool vu_accept(void *ctx, uint64_t features)
{
	return pvrom_blk_host_accept(&((struct blkd_export *)ctx)->host, features);
}

static void vu_config_read(void *ctx, uint32_t offset, void *to, uint32_t len)
{
	pvrom_blk_host_config_read(&((struct blkd_export *)ctx)->host, offset, to, len);
}

static bool vu_config_write(void *ctx, uint32_t offset, const void *from, uint32_t len)
{
	return pvrom_blk_host_config_write(&((struct blkd_export *)ctx)->host, offset, from, len);
}

static void free_queue(struct blkd_queue *q)
{
	free(q->pool);
	free(q->slots);
	q->pool = NULL;
	q->slots = NULL;
	q->live = false;
}

static struct pvrom_vq_device *vu_queue_start(void *ctx, uint32_t index,
					      struct pvrom_vq_device_config *config)
{
	struct blkd_export *e = ctx;
	struct blkd_queue *q = &e->queue[index];
	const uint32_t pool = config->size < POOL_MOST ? config->size : POOL_MOST;

	q->slots = calloc(config->size, sizeof(*q->slots));
	q->pool = malloc(pool * sizeof(*q->pool));
	q->blk = (struct pvrom_blk_queue){ .broken = false };
	/* A server before us may have left them off in the ring. */
	q->quiet = true;
	config->slots = q->slots;
	if (q->slots && q->pool &&
	    pvrom_blk_queue_init(&q->blk, &e->host, config, q->pool, pool) == PVROM_VQ_OK)
		return &q->blk.ring;
	free_queue(q);
	return NULL;
}

/* What was in flight when a server died may have been shown without an interrupt. */
static void vu_queue_ready(void *ctx, uint32_t index)
{
	struct blkd_export *e = ctx;

	e->queue[index].live = true;
	pvrom_vu_interrupt(e->vu, index);
}

static void finish_work(struct blkd_export *e, const struct blkd_queue *only)
{
	pvrom_blk_host_drain(&e->host);
	while (only ? only->blk.in_work : e->host.in_work) {
		pvrom_loop_sleep(&e->loop, 100000000);
		pvrom_loop_reap(&e->loop);
	}
	publish(e);
	pvrom_loop_submit(&e->loop);
}

static void vu_queue_stop(void *ctx, uint32_t index)
{
	struct blkd_export *e = ctx;

	if (e->queue[index].live)
		finish_work(e, &e->queue[index]);
	free_queue(&e->queue[index]);
}

static void vu_drain(void *ctx)
{
	finish_work(ctx, NULL);
}

/* The next round looks at all queues. */
static void vu_kicked(void *ctx, uint32_t index)
{
	(void)ctx;
	(void)index;
}

static void vu_reset(void *ctx)
{
	pvrom_blk_host_reset(&((struct blkd_export *)ctx)->host);
}

static void vu_log(void *ctx, const char *line)
{
	blkd_say("%s: %s", ((struct blkd_export *)ctx)->spec.socket, line);
}

static const struct pvrom_vu_device_ops vu_ops = { .accept = vu_accept,
						   .config_read = vu_config_read,
						   .config_write = vu_config_write,
						   .queue_start = vu_queue_start,
						   .queue_ready = vu_queue_ready,
						   .queue_stop = vu_queue_stop,
						   .drain = vu_drain,
						   .kicked = vu_kicked,
						   .reset = vu_reset };

/* ---- set-up ---------------------------------------------------------------------------------------------- */

static bool open_backend(struct blkd_export *e, char *message)
{
	const struct blkd_spec *s = &e->spec;
	const struct pvrom_blk_file_setup file = { .path = s->file,
						   .fd = e->file_fd,
						   .read_only = s->read_only,
						   .direct = s->direct,
						   .no_lock = s->no_lock };

	if (s->file)
		e->backend = pvrom_blk_file_open(&file, &e->loop, message);
	else if (s->memory_sectors)
		e->backend = pvrom_blk_memory_open(s->memory_sectors);
	else
		e->backend = pvrom_blk_null_open(s->null_sectors);
	return e->backend;
}

static bool open_device(struct blkd_export *e, char *message)
{
	struct pvrom_blk_host_setup setup = { .ops = &blk_ops,
					      .ops_ctx = e,
					      .backend = e->backend,
					      .limit = e->limit,
					      .queues = (uint16_t)e->spec.queues,
					      .read_only = e->spec.read_only,
					      .seg_max = e->spec.seg_max,
					      .size_max = e->spec.size_max,
					      .discard_ranges = PVROM_BLK_RANGES,
					      .zeroes_ranges = PVROM_BLK_RANGES,
					      .erase_ranges = PVROM_BLK_RANGES };
	const char *id = e->spec.id ? e->spec.id : "pvrom";

	memcpy(setup.id, id, strnlen(id, sizeof(setup.id)));
	if (pvrom_blk_host_init(&e->host, &setup) &&
	    (!e->device_state_size ||
	     pvrom_blk_host_load(&e->host, e->device_state, e->device_state_size)))
		return true;
	snprintf(message, PVROM_BLK_MESSAGE, "%s", "the device cannot be set up like that");
	return false;
}

static bool open_server(struct blkd_export *e, bool handed, char *message)
{
	const struct pvrom_vu_setup setup = {
		.ops = &vu_ops,
		.ctx = e,
		.loop = &e->loop,
		.features = pvrom_blk_host_features(&e->host) | PVROM_VQ_F_VERSION_1 |
			    PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_INDIRECT_DESC |
			    PVROM_VQ_F_EVENT_IDX | PVROM_VQ_F_IN_ORDER |
			    PVROM_VQ_F_NOTIFICATION_DATA,
		.queues = e->spec.queues,
		.no_inflight = blkd_options.no_inflight,
		.log = vu_log,
	};
	const uint64_t accepted = e->host.accepted;
	const uint8_t writeback = e->host.config.writeback;

	if (!handed) {
		e->vu = pvrom_vu_open(&setup, e->spec.socket, message);
		return e->vu;
	}
	e->vu = pvrom_vu_take_over(&setup, &e->handover, message);
	/* Accepting sets `writeback` anew; the driver's word holds. */
	if (e->host.accepted == accepted)
		e->host.config.writeback = writeback;
	return e->vu;
}

/* In the export's own thread, for a ring belongs to the thread that made it. */
static bool open_all(struct blkd_export *e, bool handed)
{
	char message[PVROM_BLK_MESSAGE > PVROM_VU_MESSAGE ? PVROM_BLK_MESSAGE : PVROM_VU_MESSAGE];
	int result;

	snprintf(message, sizeof(message), "no memory");
	e->poll_ns = blkd_options.poll_ns;
	e->limit = blkd_limit_for(&e->spec);
	result = pvrom_loop_open(&e->loop, LOOP_ENTRIES);
	if (result) {
		e->loop.entries = 0;
		blkd_say("%s: no io_uring here: %s", e->spec.socket, strerror(-result));
		return false;
	}
	if (open_backend(e, message) && open_device(e, message) && open_server(e, handed, message))
		return true;
	blkd_say("%s", message);
	return false;
}

/* ---- the thread, and what others ask of it ----------------------------------------------------------------- */

static void resize(struct blkd_export *e)
{
	const uint64_t sectors = e->spec.file ? pvrom_blk_file_sectors(e->backend) : 0;

	if (!sectors || sectors == e->host.config.capacity)
		return;
	blkd_say("%s: %llu sectors now", e->spec.socket, (unsigned long long)sectors);
	pvrom_blk_host_resize(&e->host, sectors);
}

static void say_counters(const struct blkd_export *e)
{
	const struct pvrom_blk_counters *c = &e->host.counters;

	blkd_say("%s: reads %llu (%llu bytes) writes %llu (%llu bytes) flushes %llu discards %llu "
		 "zeroes %llu erases %llu failed %llu unsupported %llu malformed %llu held %llu "
		 "interrupts %llu sleeps %llu enters %llu",
		 e->spec.socket, (unsigned long long)c->reads, (unsigned long long)c->read_bytes,
		 (unsigned long long)c->writes, (unsigned long long)c->written_bytes,
		 (unsigned long long)c->flushes, (unsigned long long)c->discards,
		 (unsigned long long)c->zeroes, (unsigned long long)c->erases,
		 (unsigned long long)c->failed, (unsigned long long)c->unsupported,
		 (unsigned long long)c->malformed, (unsigned long long)c->held,
		 (unsigned long long)e->interrupts, (unsigned long long)e->sleeps,
		 (unsigned long long)e->loop.enters);
}

static void hand_over(struct blkd_export *e)
{
	finish_work(e, NULL);
	pvrom_vu_hand_over(e->vu, &e->handover);
	e->device_state_size =
		(uint32_t)pvrom_blk_host_save(&e->host, e->device_state, sizeof(e->device_state));
}

static void answer(struct blkd_export *e)
{
	pthread_mutex_lock(&e->mutex);
	e->command = BLKD_NOTHING;
	atomic_store_explicit(&e->asked, false, memory_order_release);
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->mutex);
}

/* After a hand-over the thread waits here for what comes of it. */
static void wait_for_outcome(struct blkd_export *e)
{
	answer(e);
	pthread_mutex_lock(&e->mutex);
	while (e->command == BLKD_NOTHING)
		pthread_cond_wait(&e->changed, &e->mutex);
	pthread_mutex_unlock(&e->mutex);
	if (e->command == BLKD_GO_ON) {
		pvrom_vu_go_on(e->vu);
	} else {
		pvrom_vu_leave(e->vu);
		e->vu = NULL;
		e->ends = true;
	}
}

static void obey(struct blkd_export *e)
{
	switch (e->command) {
	case BLKD_STOP: e->ends = true; break;
	case BLKD_RESIZE: resize(e); break;
	case BLKD_COUNTERS: say_counters(e); break;
	case BLKD_HAND_OVER:
		hand_over(e);
		wait_for_outcome(e);
		break;
	default: break;
	}
	answer(e);
}

static void *run(void *arg)
{
	struct blkd_export *e = arg;

	e->ends = !open_all(e, e->handed);
	e->opened = !e->ends;
	if (e->opened && e->handed)
		wait_for_outcome(e);
	answer(e);
	while (!e->ends)
		go_round(e);
	if (e->vu)
		pvrom_vu_close(e->vu);
	if (e->loop.entries)
		pvrom_loop_close(&e->loop);
	pvrom_blk_backend_close(e->backend);
	return NULL;
}

bool blkd_export_open(struct blkd_export *e, bool handed)
{
	pthread_mutex_init(&e->mutex, NULL);
	pthread_cond_init(&e->changed, NULL);
	e->handed = handed;
	e->command = BLKD_OPEN;
	e->started = !pthread_create(&e->thread, NULL, run, e);
	if (!e->started) {
		blkd_say("%s: no thread", e->spec.socket);
		return false;
	}
	pthread_mutex_lock(&e->mutex);
	while (e->command != BLKD_NOTHING)
		pthread_cond_wait(&e->changed, &e->mutex);
	pthread_mutex_unlock(&e->mutex);
	return e->opened;
}

void blkd_export_ask(struct blkd_export *e, enum blkd_command command)
{
	pthread_mutex_lock(&e->mutex);
	e->command = command;
	atomic_store_explicit(&e->asked, true, memory_order_release);
	pthread_cond_broadcast(&e->changed);
	pvrom_loop_wake(&e->loop);
	while (e->command != BLKD_NOTHING)
		pthread_cond_wait(&e->changed, &e->mutex);
	pthread_mutex_unlock(&e->mutex);
}

void blkd_export_join(struct blkd_export *e)
{
	if (e->started)
		pthread_join(e->thread, NULL);
}
