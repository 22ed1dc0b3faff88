/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the thread of a disk does over and over: takes buffers, shows what is done, listens again, sleeps.
 */
#define _GNU_SOURCE
#include "blkd.h"

#include <sched.h>
#include <unistd.h>

#include "../blk_host_internal.h"
#include "blkd_steps.h"

/* Buffers taken from a queue before completions and other queues are looked at. */
#define BATCH 32u
/* And before what the disk did at once is shown: a driver that waits for a part of them wakes up meanwhile. */
#define PART 16u

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

void blkd_publish(struct blkd_export *e)
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

	if (BLK_SLIP(LISTEN_LATE) || BLK_SLIP(LISTEN_LOST))
		usleep(200);
	for (i = 0; i < e->spec.queues; i++) {
		struct blkd_queue *q = &e->queue[i];

		if (!q->live || !q->quiet || !pvrom_vu_runs(e->vu, i))
			continue;
		q->quiet = false;
		/* Without a free request it is the end of one that wakes us. */
		more |= pvrom_vq_device_notifications_on(&q->blk.ring) && q->blk.free;
	}
	return more && !BLK_SLIP(LISTEN_LOST);
}

static bool must_poll(const struct blkd_export *e)
{
	uint32_t i;

	for (i = 0; i < e->spec.queues; i++)
		if (pvrom_vu_polled(e->vu, i))
			return true;
	return false;
}

/* Notifications are off meanwhile. */
static bool looks_on(struct blkd_export *e, uint64_t time)
{
	if (BLK_SLIP(LOOKS_ALWAYS))
		e->patience.rest = 0;
	return must_poll(e) || pvrom_patience_looks(&e->patience, time) || BLK_SLIP(LOOKS_FOREVER);
}

static void rest(struct blkd_export *e, uint64_t deadline)
{
	/* Between a kick and a sleep the time is a tenth of what there is to do. */
	const uint64_t time = e->patience.most || deadline != UINT64_MAX ? pvrom_loop_now() : 0;

	if (looks_on(e, time)) {
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

/*
 * Interrupts that a round prepared go out with what the next one starts, or with the system call that sleeps: one
 * call for all.
 */
void blkd_round(struct blkd_export *e)
{
	bool worked = take_buffers(e);
	uint64_t deadline = pvrom_blk_host_release(&e->host);

	if (worked)
		pvrom_loop_submit(&e->loop);
	if (pvrom_loop_reap(&e->loop) > 0) {
		worked = true;
		pvrom_loop_submit(&e->loop);
	}
	blkd_publish(e);
	pvrom_vu_look(e->vu);
	if (atomic_load_explicit(&e->asked, memory_order_acquire))
		return;
	if (worked)
		pvrom_patience_worked(&e->patience, e->patience.most ? pvrom_loop_now() : 0);
	else
		rest(e, deadline);
}
