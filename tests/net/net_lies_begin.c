/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Configurations that make no sense, features that cannot be, and devices that never begin. */
#include "net_lies.h"

#include <string.h>

/* ---- configurations -------------------------------------------------------------------------------- */

static bool refused(struct net_guest_world *w)
{
	return net_guest_world_begin(w, NULL, 1) == PVROM_VIRTIO_MALFORMED &&
	       w->status & PVROM_VIRTIO_FAILED;
}

static bool no_pairs(struct net_guest_world *w)
{
	LIE(max_virtqueue_pairs, 0);
	return refused(w);
}
static bool too_many_pairs(struct net_guest_world *w)
{
	LIE(max_virtqueue_pairs, 0x8001);
	return refused(w);
}
static uint32_t any_queue(struct pvrom_virtio *virtio, uint32_t queue)
{
	(void)virtio;
	(void)queue;
	return 256;
}
/* The control queue's number would be 65,536, which is 0 in 16 bits. */
static bool most_pairs(struct net_guest_world *w)
{
	LIE(max_virtqueue_pairs, 0x8000);
	w->ops.queue_max = any_queue;
	return lie_begun(w) && w->net.pairs == 1 && w->net.control_number == 2;
}
static bool control_queue_that_is_not_there(struct net_guest_world *w)
{
	LIE(max_virtqueue_pairs, 1000);
	return lie_begun(w) && w->net.pairs == 1 && w->net.control_number == 2;
}
static bool mtu_of_nothing(struct net_guest_world *w)
{
	LIE(mtu, 67);
	return refused(w);
}
static bool multicast_address(struct net_guest_world *w)
{
	static const uint8_t group[6] = { 1, 2, 3, 4, 5, 6 };

	LIE(max_virtqueue_pairs, 2);
	memset(lie_mask.mac, 0xff, 6);
	memcpy(lie.mac, group, 6);
	return lie_begun(w) && !w->net.has_mac;
}
static bool zero_address(struct net_guest_world *w)
{
	LIE(max_virtqueue_pairs, 2);
	memset(lie_mask.mac, 0xff, 6);
	memset(lie.mac, 0, 6);
	return lie_begun(w) && !w->net.has_mac;
}
static bool key_too_short(struct net_guest_world *w)
{
	LIE(rss_max_key_size, 39);
	return lie_begun(w) && !(w->net.features & PVROM_NET_F_RSS);
}
static bool table_too_short(struct net_guest_world *w)
{
	LIE(rss_max_indirection_table_length, 127);
	return lie_begun(w) && !(w->net.features & PVROM_NET_F_RSS);
}
static bool configuration_never_holds_still(struct net_guest_world *w)
{
	w->ops.generation = lie_restless;
	return refused(w);
}

/* ---- features, the beginning --------------------------------------------------------------------------- */

#define SEGMENTS (PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 | PVROM_NET_F_HOST_USO)

static uint64_t without_csum(struct pvrom_virtio *virtio)
{
	return honest.features(virtio) & ~PVROM_NET_F_CSUM;
}
static bool features_without_what_they_need(struct net_guest_world *w)
{
	honest = w->ops;
	w->ops.features = without_csum;
	return lie_begun(w) && !(w->net.features & SEGMENTS);
}
static uint32_t asked;
static uint64_t later_without_csum(struct pvrom_virtio *virtio)
{
	return asked++ ? without_csum(virtio) : honest.features(virtio);
}
static void accept_anything(struct pvrom_virtio *virtio, uint64_t chosen)
{
	(void)virtio;
	(void)chosen;
}
/* Between the driver's first look and its choice. */
static bool features_that_change(struct net_guest_world *w)
{
	const struct pvrom_net_guest_config settings = { .avoid = PVROM_NET_F_CTRL_VQ };

	honest = w->ops;
	asked = 0;
	w->ops.features = later_without_csum;
	w->ops.accept = accept_anything;
	return lie_begun_as(w, &settings) && !(w->net.features & SEGMENTS) && asked > 2;
}
static bool frames_longer_than_buffers(struct net_guest_world *w)
{
	const struct pvrom_net_guest_config settings = { .avoid = PVROM_NET_F_MRG_RXBUF };

	return lie_begun_as(w, &settings) && w->net.offloads == PVROM_NET_F_GUEST_CSUM;
}
static bool mtu_longer_than_buffers(struct net_guest_world *w)
{
	const struct pvrom_net_guest_config settings = { .avoid = PVROM_NET_F_MRG_RXBUF };

	LIE(mtu, 9000);
	return lie_begun_as(w, &settings) && w->net.mtu == 1500 &&
	       !(w->net.features & PVROM_NET_F_MTU);
}
static bool reset_that_never_ends(struct net_guest_world *w)
{
	w->ops.status = lie_status_never_0;
	return net_guest_world_begin(w, NULL, 1) == PVROM_VIRTIO_STUCK;
}
static uint32_t no_features_ok(struct pvrom_virtio *virtio)
{
	return ((struct net_guest_world *)virtio)->status & ~PVROM_VIRTIO_FEATURES_OK;
}
static bool features_refused(struct net_guest_world *w)
{
	w->ops.status = no_features_ok;
	return net_guest_world_begin(w, NULL, 1) == PVROM_VIRTIO_FEATURES &&
	       w->status & PVROM_VIRTIO_FAILED;
}
static bool before_version_1(struct net_guest_world *w)
{
	w->ring_features = 0;
	return net_guest_world_begin(w, NULL, 1) == PVROM_VIRTIO_FEATURES;
}
static bool addresses_of_its_own(struct net_guest_world *w)
{
	w->offered_too = PVROM_VIRTIO_F_ACCESS_PLATFORM;
	return net_guest_world_begin(w, NULL, 1) == PVROM_VIRTIO_FEATURES;
}
static bool another_kind(struct net_guest_world *w)
{
	w->virtio.id = 2;
	return net_guest_world_begin(w, NULL, 1) == PVROM_VIRTIO_NO_DEVICE && !w->status;
}
static bool queues_of_no_length(struct net_guest_world *w)
{
	w->longest = 0;
	return net_guest_world_begin(w, NULL, 1) == PVROM_VIRTIO_MALFORMED;
}
/* No memory is asked for that the settings do not say. */
static bool queues_of_any_length(struct net_guest_world *w)
{
	struct pvrom_virtio_memory m;

	w->longest = 0xffffffff;
	return lie_begun(w) && pvrom_net_guest_memory(&w->net, 0, &m) && m.size == 256 &&
	       pvrom_net_guest_memory(&w->net, w->net.control_number, &m) && m.size == 16;
}
static bool start_refused(struct pvrom_virtio *virtio, uint32_t queue,
			  const struct pvrom_virtio_queue *where)
{
	(void)virtio;
	(void)queue;
	(void)where;
	return false;
}
static bool queue_refused(struct net_guest_world *w)
{
	w->ops.queue_start = start_refused;
	return net_guest_world_begin(w, NULL, 1) == PVROM_VIRTIO_MALFORMED;
}
static bool queues_beyond_the_last(struct net_guest_world *w)
{
	struct pvrom_virtio_memory m;

	w->ops.queue_max = any_queue;
	return lie_begun(w) && !pvrom_net_guest_memory(&w->net, 5, &m) &&
	       !pvrom_net_guest_memory(&w->net, 0xffff, &m);
}

/* ---- the list ------------------------------------------------------------------------------------- */

const struct net_lie net_lies_begin[] = {
	CASE(no_pairs, CHECK(CONFIG_PAIRS)),
	CASE(too_many_pairs, CHECK(CONFIG_PAIRS)),
	CASE(most_pairs, NO_CHECK),
	CASE(control_queue_that_is_not_there, CHECK(CONTROL_THERE)),
	CASE(mtu_of_nothing, CHECK(CONFIG_MTU)),
	CASE(multicast_address, CHECK(CONFIG_MAC)),
	CASE(zero_address, CHECK(CONFIG_MAC)),
	CASE(key_too_short, CHECK(CONFIG_RSS)),
	CASE(table_too_short, CHECK(CONFIG_RSS)),
	CASE(configuration_never_holds_still, NO_CHECK),
	CASE(features_without_what_they_need, CHECK(FEATURE_NEEDS)),
	CASE(features_that_change, CHECK(FEATURE_NEEDS)),
	CASE(frames_longer_than_buffers, CHECK(FEATURE_ROOM)),
	CASE(mtu_longer_than_buffers, CHECK(FEATURE_ROOM)),
	CASE(reset_that_never_ends, NO_CHECK),
	CASE(features_refused, NO_CHECK),
	CASE(before_version_1, NO_CHECK),
	CASE(addresses_of_its_own, NO_CHECK),
	CASE(another_kind, NO_CHECK),
	CASE(queues_of_no_length, NO_CHECK),
	CASE(queues_of_any_length, NO_CHECK),
	CASE(queue_refused, NO_CHECK),
	CASE(queues_beyond_the_last, NO_CHECK),
	{ 0 },
};
