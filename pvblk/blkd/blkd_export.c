/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One disk on one socket: it is set up, its thread lives, and others ask something of it.
 */
#define _GNU_SOURCE
#include "../blk_host_internal.h"
#include "blkd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blkd_steps.h"

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

static void vu_log(void *ctx, const char *line)
{
	blkd_say("%s: %s", ((struct blkd_export *)ctx)->spec.socket, line);
}

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
		.ops = &blkd_vu_ops,
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
	pvrom_patience_init(&e->patience, BLK_SLIP(LOOKS_UNASKED) ? 32000 : blkd_options.poll_ns);
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
	const uint64_t looks = e->patience.paid + e->patience.vain;

	blkd_say("%s: reads %llu (%llu bytes) writes %llu (%llu bytes) flushes %llu discards %llu "
		 "zeroes %llu erases %llu failed %llu unsupported %llu malformed %llu held %llu "
		 "interrupts %llu sleeps %llu enters %llu looks %llu in vain %llu",
		 e->spec.socket, (unsigned long long)c->reads, (unsigned long long)c->read_bytes,
		 (unsigned long long)c->writes, (unsigned long long)c->written_bytes,
		 (unsigned long long)c->flushes, (unsigned long long)c->discards,
		 (unsigned long long)c->zeroes, (unsigned long long)c->erases,
		 (unsigned long long)c->failed, (unsigned long long)c->unsupported,
		 (unsigned long long)c->malformed, (unsigned long long)c->held,
		 (unsigned long long)e->interrupts, (unsigned long long)e->sleeps,
		 (unsigned long long)e->loop.enters, (unsigned long long)looks,
		 (unsigned long long)e->patience.vain);
}

static void hand_over(struct blkd_export *e)
{
	blkd_finish_work(e, NULL);
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
	while (!e->ends) {
		blkd_round(e);
		if (atomic_load_explicit(&e->asked, memory_order_acquire))
			obey(e);
	}
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
