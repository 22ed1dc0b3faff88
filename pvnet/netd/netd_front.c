/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What vhost-user asks of a card: features, configuration, and the life of its queues.
 */
#define _GNU_SOURCE
#include "netd.h"

#include <stdlib.h>
#include <string.h>

#include "../backend/netback_slips.h"

/* Buffers that one frame may be spread over, in the card's hands: with those of a page, twice the longest frame. */
#define RECEIVE_POOL 64u

static struct netd_card *card_of(void *ctx)
{
	return ctx;
}

/* ---- features ------------------------------------------------------------------------------------------ */

/* All that goes by way of the control queue. */
#define BY_CONTROL                                                                                 \
	(PVROM_NET_F_CTRL_RX | PVROM_NET_F_CTRL_VLAN | PVROM_NET_F_CTRL_RX_EXTRA |                 \
	 PVROM_NET_F_GUEST_ANNOUNCE | PVROM_NET_F_MQ | PVROM_NET_F_CTRL_MAC_ADDR |                 \
	 PVROM_NET_F_CTRL_GUEST_OFFLOADS | PVROM_NET_F_NOTF_COAL | PVROM_NET_F_HASH_REPORT |       \
	 PVROM_NET_F_RSS)

/*
 * QEMU and DPDK serve the control queue themselves, and then tell a device of MQ and GUEST_ANNOUNCE without
 * CTRL_VQ: for them these are no features of ours.
 */
static bool front_accept(void *ctx, uint64_t features)
{
	if (!(features & PVROM_NET_F_CTRL_VQ))
		features &= ~BY_CONTROL;
	return pvrom_net_host_accept(&card_of(ctx)->host, features);
}

static void front_config_read(void *ctx, uint32_t offset, void *to, uint32_t len)
{
	pvrom_net_host_config_read(&card_of(ctx)->host, offset, to, len);
}

/* VIRTIO 1.2, 5.1.4: nothing of it may be written, but for legacy drivers. */
static bool front_config_write(void *ctx, uint32_t offset, const void *from, uint32_t len)
{
	(void)ctx;
	(void)offset;
	(void)from;
	(void)len;
	return false;
}

/* ---- queues -------------------------------------------------------------------------------------------- */

static bool is_receive(const struct netd_card *c, uint32_t index)
{
	return index % 2 == 0 && index != pvrom_net_control_queue(&c->host);
}

static void free_queue(struct netd_queue *q)
{
	free(q->pool);
	free(q->slots);
	q->pool = NULL;
	q->slots = NULL;
	q->live = false;
}

static struct pvrom_vq_device *front_queue_start(void *ctx, uint32_t index,
						 struct pvrom_vq_device_config *config)
{
	struct netd_card *c = ctx;
	struct netd_queue *q = &c->queue[index];
	const uint32_t pool = is_receive(c, index) ? RECEIVE_POOL : 1;

	q->slots = calloc(config->size, sizeof(*q->slots));
	q->pool = calloc(pool, sizeof(*q->pool));
	memset(&q->net, 0, sizeof(q->net));
	config->slots = q->slots;
	if (q->slots && q->pool &&
	    pvrom_net_queue_init(&q->net, &c->host, index, config, q->pool, pool) == PVROM_VQ_OK)
		return &q->net.ring;
	free_queue(q);
	return NULL;
}

/* Pairs whose receive queue runs, from the first on: what a driver uses is told by enabling their rings. */
static void count_pairs(struct netd_card *c)
{
	uint32_t n;

	for (n = 1; n < NETD_PAIRS && c->queue[2 * n].live &&
		    (pvrom_vu_runs(c->vu, 2 * n) || NETBACK_SLIP(NETD_PAIRS));
	     n++)
		;
	if (pvrom_net_control_queue(&c->host) == PVROM_NET_NO_QUEUE)
		pvrom_net_host_use_pairs(&c->host, n);
}

/*
 * An interrupt may have been due when a server before us died. The network may have looked for the card elsewhere
 * meanwhile; but an address that was not given is only a guess at the one that the front end gave its driver.
 */
static void front_queue_ready(void *ctx, uint32_t index)
{
	struct netd_card *c = ctx;

	c->queue[index].live = true;
	/* Whatever a server before us left in the ring. Until we rest we look without being told. */
	pvrom_vq_device_notifications_off(&c->queue[index].net.ring);
	c->queue[index].quiet = true;
	count_pairs(c);
	pvrom_vu_interrupt(c->vu, index);
	if (index == 0 && c->spec.has_mac)
		netd_announce(c, c->spec.mac);
}

static void publish_one(struct netd_card *c, uint32_t index, uint64_t now, uint64_t *again)
{
	uint64_t later = UINT64_MAX;

	if (pvrom_net_queue_publish(&c->queue[index].net, now, &later)) {
		c->interrupts++;
		pvrom_vu_interrupt(c->vu, index);
	}
	if (later < *again)
		*again = later;
}

void netd_publish(struct netd_card *c, uint64_t *again)
{
	uint64_t now = 0;
	uint32_t i;

	*again = UINT64_MAX;
	for (i = 0; i < NETD_QUEUES; i++) {
		const struct netd_queue *q = &c->queue[i];

		if (!q->live || (!q->net.unpublished && !q->net.due))
			continue;
		if (!now && c->host.driver.accepted & PVROM_NET_F_NOTF_COAL)
			now = pvrom_loop_now();
		publish_one(c, i, now, again);
	}
}

/* Also of one that was not ready yet: the card knows it. */
static void front_queue_stop(void *ctx, uint32_t index)
{
	struct netd_card *c = ctx;
	struct netd_queue *q = &c->queue[index];
	uint64_t again = UINT64_MAX;

	pvrom_net_queue_stop(&q->net);
	if (q->live)
		publish_one(c, index, UINT64_MAX / 2, &again);
	free_queue(q);
	count_pairs(c);
}

static void front_drain(void *ctx)
{
	struct netd_card *c = ctx;
	uint64_t again;
	uint32_t i;

	for (i = 0; i < NETD_QUEUES; i++)
		if (c->queue[i].live)
			pvrom_net_queue_drain(&c->queue[i].net);
	netd_publish(c, &again);
}

/* The next round looks at all queues. */
static void front_kicked(void *ctx, uint32_t index)
{
	if (is_receive(ctx, index))
		count_pairs(ctx);
}

static void front_reset(void *ctx)
{
	pvrom_net_host_reset(&card_of(ctx)->host);
}

static bool front_set_mtu(void *ctx, uint64_t mtu)
{
	const struct netd_card *c = ctx;

	if (mtu >= PVROM_NET_MTU_LEAST && (mtu <= c->backend->mtu || NETBACK_SLIP(NETD_MTU)))
		return true;
	netd_say("%s: the front end wants an MTU of %llu; %s carries %u at most", c->spec.socket,
		 (unsigned long long)mtu, c->spec.backend, c->backend->mtu);
	return false;
}

static void front_announce(void *ctx, const uint8_t mac[6])
{
	netd_announce(ctx, mac);
}

static void front_log(void *ctx, const char *line)
{
	netd_say("%s: %s", card_of(ctx)->spec.socket, line);
}

static const struct pvrom_vu_device_ops front_ops = { .accept = front_accept,
						      .config_read = front_config_read,
						      .config_write = front_config_write,
						      .queue_start = front_queue_start,
						      .queue_ready = front_queue_ready,
						      .queue_stop = front_queue_stop,
						      .drain = front_drain,
						      .kicked = front_kicked,
						      .reset = front_reset,
						      .set_mtu = front_set_mtu,
						      .announce = front_announce };

#define RING_FEATURES                                                                              \
	(PVROM_VQ_F_VERSION_1 | PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_INDIRECT_DESC |                \
	 PVROM_VQ_F_EVENT_IDX | PVROM_VQ_F_IN_ORDER | PVROM_VQ_F_NOTIFICATION_DATA)

bool netd_front_open(struct netd_card *c, char *message)
{
	const uint32_t pairs = c->host.setup.pairs;
	const struct pvrom_vu_setup setup = {
		.ops = &front_ops,
		.ctx = c,
		.loop = &c->loop,
		.features = pvrom_net_host_features(&c->host) | (RING_FEATURES & ~c->spec.withhold),
		.queues = 2 * pairs + 1,
		.queue_number = pairs,
		.seek = true,
		.log = front_log,
	};

	c->vu = pvrom_vu_open(&setup, c->spec.socket, message);
	return c->vu;
}
