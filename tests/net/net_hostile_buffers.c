/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Buffers for what arrives that can hold nothing, or not enough.
 */
#include <string.h>

#include "net_hostile.h"

static const struct frame_plan tcp = { .ip = 4, .tcp = true };

static bool add(struct net_world *w, uint64_t addr, uint32_t readable, uint32_t writable)
{
	const struct pvrom_vq_buf buf = { .addr = addr, .len = readable + writable };
	struct pvrom_vq_driver *driver = &w->queue[0].driver;

	if (pvrom_vq_driver_add(driver, &buf, !!readable, !!writable, w->memory) != PVROM_VQ_OK)
		return false;
	pvrom_vq_driver_publish(driver);
	return true;
}

/* Buffers that came back with nothing in them. */
static uint32_t came_back_empty(struct net_world *w)
{
	struct pvrom_vq_done done;
	uint64_t again;
	uint32_t n = 0;

	pvrom_net_queue_publish(&w->queue[0].queue, 0, &again);
	while (pvrom_vq_driver_get(&w->queue[0].driver, &done) == PVROM_VQ_OK && !done.len)
		n++;
	return n;
}

static void buffers_that_can_hold_nothing(void)
{
	const struct pvrom_net_header plain = { 0 };
	struct net_world *w = net_world_open(1, 0, PVROM_NET_F_MRG_RXBUF, SPLIT);

	add(w, 0x800000, 0, 11);	   /* not even a header */
	add(w, 0x800000, 100, 0);	   /* to be read */
	add(w, WORLD_MEMORY - 50, 0, 100); /* out of guest memory */
	memset(frame, 2, 60);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 60), PVROM_NET_NO_BUFFER);
	CU_ASSERT_EQUAL(came_back_empty(w), 3);
	CU_ASSERT_EQUAL(w->host.counters.malformed, 3);
	net_world_give(w, 0, 100);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 60), PVROM_NET_DELIVERED);
	CU_ASSERT(net_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(memcmp(got.bytes, frame, 60), 0);
	net_world_close(w);
}

/* As many tiny ones as the card can have in hand: they come back, and do not block it for ever. */
static void too_many_tiny_buffers(void)
{
	const struct pvrom_net_header plain = { 0 };
	struct net_world *w = net_world_open(1, 0, PVROM_NET_F_MRG_RXBUF, SPLIT);
	uint32_t i;

	for (i = 0; i < WORLD_QUEUE_SIZE; i++)
		CU_ASSERT(add(w, 0x800000, 0, 13));
	memset(frame, 2, 1500);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 1500), PVROM_NET_DROPPED);
	CU_ASSERT_EQUAL(w->host.counters.too_small, 1);
	CU_ASSERT_EQUAL(came_back_empty(w), WORLD_QUEUE_SIZE);
	net_world_give(w, 0, 1600);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 1500), PVROM_NET_DELIVERED);
	net_world_close(w);
}

static void frames_from_outside_that_lie(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	const size_t len = oracle_build_partial(&tcp, payload, 4000, frame);
	struct pvrom_net_header h = oracle_header(&tcp, 0);

	while (net_world_give(w, 0, 1000))
		;
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_DROPPED);
	h.gso_size = 100, h.csum_start = 60000;
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_DROPPED);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, 3), PVROM_NET_DROPPED);
	CU_ASSERT_EQUAL(w->host.counters.refused, 3);
	CU_ASSERT_FALSE(net_world_take(w, 0, &got));
	CU_ASSERT(still_works(w));
	net_world_close(w);
}

/* A frame that is cut while the driver runs out of buffers: what fitted is there, the rest is dropped. */
static void buffers_run_out_within_a_frame(void)
{
	struct net_world *w = net_world_open(1, 0, PVROM_NET_F_MRG_RXBUF, SPLIT);
	const struct pvrom_net_header h = oracle_header(&tcp, 1000);
	const size_t len = oracle_build_partial(&tcp, payload, 4000, frame);

	net_world_give(w, 0, 1600);
	net_world_give(w, 0, 1600);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_DROPPED);
	CU_ASSERT_EQUAL(w->host.counters.received, 2);
	CU_ASSERT_EQUAL(w->host.counters.no_buffer, 1);
	CU_ASSERT(net_world_take(w, 0, &got) && net_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_NO_BUFFER);
	net_world_close(w);
}

const struct tap_test hostile_buffers[] = {
	{ "receive buffers that can hold nothing [PVROM-NET-16]", buffers_that_can_hold_nothing },
	{ "more tiny receive buffers than the card can hold", too_many_tiny_buffers },
	{ "frames from outside that lie", frames_from_outside_that_lie },
	{ "receive buffers that run out within a frame", buffers_run_out_within_a_frame },
	{ 0 }
};
