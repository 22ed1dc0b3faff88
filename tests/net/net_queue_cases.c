/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Queues: when to interrupt, and letting go of a driver's buffers.
 */
#include <string.h>

#include "net_card.h"

static bool receive_and_publish(struct net_world *w, uint64_t now, uint64_t *again)
{
	arrive(w, OWN, PVROM_NET_NO_VLAN);
	return pvrom_net_queue_publish(&w->queue[0].queue, now, again);
}

static void coalesces(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	const uint32_t wanted[2] = { 3, 10 }, none[2] = { 0, 0 };
	struct pvrom_net_queue *q = &w->queue[0].queue;
	uint64_t again;

	CU_ASSERT(receive_and_publish(w, 5, &again));
	CU_ASSERT_EQUAL(net_world_command(w, 6, 1, wanted, 8), PVROM_NET_CTRL_OK);
	CU_ASSERT_FALSE(receive_and_publish(w, 1000, &again));
	CU_ASSERT_EQUAL(again, 11000);
	CU_ASSERT_FALSE(receive_and_publish(w, 2000, &again));
	CU_ASSERT_EQUAL(again, 11000);
	CU_ASSERT(receive_and_publish(w, 3000, &again)); /* the third */
	CU_ASSERT_EQUAL(again, UINT64_MAX);
	CU_ASSERT_FALSE(receive_and_publish(w, 20000, &again));
	CU_ASSERT_FALSE(pvrom_net_queue_publish(q, 29999, &again));
	CU_ASSERT(pvrom_net_queue_publish(q, 30000, &again)); /* the time */
	CU_ASSERT_FALSE(pvrom_net_queue_publish(q, 90000, &again));
	pvrom_vq_driver_interrupts_off(
		&w->queue[0].driver); /* who polls is not to be interrupted */
	CU_ASSERT_FALSE(receive_and_publish(w, 100000, &again));
	CU_ASSERT_EQUAL(again, UINT64_MAX);
	pvrom_vq_driver_interrupts_on(&w->queue[0].driver, 1);
	CU_ASSERT_EQUAL(net_world_command(w, 6, 1, none, 8), PVROM_NET_CTRL_OK);
	CU_ASSERT(receive_and_publish(w, 200000, &again));
	net_world_close(w);
}

/* ---- letting go --------------------------------------------------------------------------------------------- */

/* Two buffers too small for a frame are in the card's hand, and what it lets go of is taken again. */
static void lets_go(uint64_t ring)
{
	const struct pvrom_net_header plain = { 0 };
	struct net_world *w = net_world_open(1, 0, PVROM_NET_F_MRG_RXBUF, ring);
	struct pvrom_net_queue *q = &w->queue[0].queue;
	struct pvrom_vq_state state;

	memset(frame, 3, 14);
	memcpy(frame + 14, payload, 486);
	net_world_give(w, 0, 100);
	net_world_give(w, 0, 100);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 500), PVROM_NET_NO_BUFFER);
	CU_ASSERT_EQUAL(pvrom_vq_device_get_state(&q->ring, &state), PVROM_VQ_BUSY);
	pvrom_net_queue_drain(q);
	CU_ASSERT_EQUAL(pvrom_vq_device_get_state(&q->ring, &state), PVROM_VQ_OK);
	CU_ASSERT_EQUAL(state.avail, 0);
	CU_ASSERT_FALSE(net_world_take(w, 0, &got));
	net_world_give(w, 0, 400);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 500), PVROM_NET_DELIVERED);
	CU_ASSERT(net_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(got.header.num_buffers, 3);
	CU_ASSERT_EQUAL(memcmp(got.bytes, frame, 500), 0);
	net_world_close(w);
}

static void lets_go_of_buffers(void)
{
	lets_go(SPLIT);
	lets_go(PACKED);
	lets_go(SPLIT | PVROM_VQ_F_IN_ORDER);
	lets_go(PACKED | PVROM_VQ_F_IN_ORDER | PVROM_VQ_F_EVENT_IDX);
}

/* In a ring with a record they come back empty. */
static void lets_go_of_recorded_buffers(void)
{
	static uint64_t record[4096];
	struct net_world *w = net_world_open(1, 0, PVROM_NET_F_MRG_RXBUF, SPLIT);
	struct pvrom_net_queue *q = &w->queue[0].queue;
	const struct pvrom_net_header plain = { 0 };
	struct pvrom_vq_done done;
	uint64_t again;

	memset(record, 0, sizeof(record));
	q->ring.config.inflight = record;
	CU_ASSERT_EQUAL(pvrom_vq_device_resume(&q->ring), PVROM_VQ_OK);
	net_world_give(w, 0, 100);
	memset(frame, 3, 500);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 500), PVROM_NET_NO_BUFFER);
	pvrom_net_queue_drain(q);
	pvrom_net_queue_publish(q, 0, &again);
	CU_ASSERT_EQUAL(pvrom_vq_driver_get(&w->queue[0].driver, &done), PVROM_VQ_OK);
	CU_ASSERT_EQUAL(done.len, 0);
	net_world_close(w);
}

static void stopped_queues_get_nothing(void)
{
	struct net_world *w = net_world_open(2, 0, PVROM_NET_F_CTRL_VQ | PVROM_NET_F_MQ, SPLIT);

	CU_ASSERT_EQUAL(arrive(w, OWN, PVROM_NET_NO_VLAN), PVROM_NET_DELIVERED);
	pvrom_net_queue_stop(&w->queue[0].queue);
	CU_ASSERT_EQUAL(arrive(w, OWN, PVROM_NET_NO_VLAN), PVROM_NET_NO_BUFFER);
	CU_ASSERT_PTR_NOT_NULL(w->host.receive[1]);
	pvrom_net_queue_stop(&w->queue[3].queue); /* one that transmits: nothing to let go of */
	CU_ASSERT_PTR_NOT_NULL(w->host.receive[1]);
	pvrom_net_queue_stop(&w->queue[4].queue); /* nor has the control queue */
	CU_ASSERT_PTR_NOT_NULL(w->host.receive[1]);
	net_world_close(w);
}

const struct tap_test net_queue_cases[] = {
	{ "interrupts are coalesced [PVROM-NET-12]", coalesces },
	{ "buffers in hand go back into the ring [PVROM-NET-13]", lets_go_of_buffers },
	{ "buffers in hand come back empty where there is a record", lets_go_of_recorded_buffers },
	{ "a stopped queue gets nothing", stopped_queues_get_nothing },
	{ 0 }
};
