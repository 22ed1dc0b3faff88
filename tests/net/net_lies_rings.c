/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Buffers that the device does not have, what it never ends, and what it changes later. */
#include "net_lies.h"

#include <string.h>

/* ---- rings --------------------------------------------------------------------------------------------------- */

static struct pvrom_net_guest_piece piece;

static enum pvrom_net_guest_result send(struct net_guest_world *w, void *token)
{
	struct pvrom_net_guest_packet p = { .piece = &piece, .pieces = 1, .token = token };
	enum pvrom_net_guest_result result;

	piece = (struct pvrom_net_guest_piece){ NGW_DATA, w->memory + NGW_DATA, 60, 0 };
	result = pvrom_net_guest_send(&w->queue[1], &p);
	pvrom_net_guest_kick(&w->queue[1]);
	return result;
}

static uint32_t count_back(struct net_guest_world *w, uint32_t queue)
{
	uint32_t n;
	void *token;

	for (n = 0; pvrom_net_guest_take_back(&w->queue[queue], &token);)
		n++;
	return n;
}

static bool frame_in_a_buffer_that_is_none(struct net_guest_world *w)
{
	if (!lie_begun(w))
		return false;
	lie_use_entry(w, 0, 0, 7777, 100);
	return lie_taken(w) == UINT32_MAX && !pvrom_net_guest_stop(&w->net) &&
	       count_back(w, 0) == 80;
}
static bool same_buffer_twice(struct net_guest_world *w)
{
	if (!lie_begun(w))
		return false;
	lie_bring(w, 0, &lie_one, HEADER + 60);
	lie_use_entry(w, 0, 1, 0, HEADER + 60);
	return lie_taken(w) == UINT32_MAX && !pvrom_net_guest_stop(&w->net) &&
	       count_back(w, 0) == 79;
}
/* The ring breaks in the middle of a frame. */
static bool breaks_inside_a_frame(struct net_guest_world *w)
{
	if (!lie_begun(w) || !lie_drops(w, (struct pvrom_net_header){ .num_buffers = 3 }, 2048))
		return false;
	lie_use_entry(w, 0, 1, 0, 2048);
	return lie_taken(w) == UINT32_MAX && !pvrom_net_guest_stop(&w->net) &&
	       count_back(w, 0) == 80;
}
static bool sent_what_was_not_given(struct net_guest_world *w)
{
	bool broken = false;
	void *token;

	if (!lie_begun(w) || send(w, w))
		return false;
	lie_use_entry(w, 1, 0, 99, 0);
	return !pvrom_net_guest_reclaim(&w->queue[1], &token, 1, &broken) && broken &&
	       send(w, w) == PVROM_NET_GUEST_BROKEN && !pvrom_net_guest_stop(&w->net) &&
	       count_back(w, 1) == 1;
}
static bool sent_and_written(struct net_guest_world *w)
{
	bool broken = false;
	void *token = NULL;

	if (!lie_begun(w) || send(w, w))
		return false;
	lie_use_entry(w, 1, 0, 0, 0xffffffff);
	return pvrom_net_guest_reclaim(&w->queue[1], &token, 1, &broken) == 1 && !broken &&
	       token == w;
}
/* Headers, descriptors, copies: nothing of it is read back. */
static bool everything_shared_overwritten(struct net_guest_world *w)
{
	bool broken = false;
	void *token = NULL;

	if (!lie_begun(w) || send(w, w))
		return false;
	memset(w->memory, 0xff, NGW_BUFFERS_AT);
	memset(w->queue[1].ring.config.device, 0, 64);
	lie_use_entry(w, 1, 0, 0, 0);
	return pvrom_net_guest_reclaim(&w->queue[1], &token, 1, &broken) == 1 && !broken &&
	       token == w && !send(w, w);
}
static bool never_sends(struct net_guest_world *w)
{
	bool broken = false;
	uint32_t n;
	void *token;

	if (!lie_begun(w))
		return false;
	for (n = 0; !send(w, w);)
		n++;
	return n == 128 && send(w, w) == PVROM_NET_GUEST_FULL &&
	       !pvrom_net_guest_reclaim(&w->queue[1], &token, 1, &broken) && !broken &&
	       !pvrom_net_guest_stop(&w->net) && count_back(w, 1) == 128;
}
static bool no_buffers_for_the_broken(struct net_guest_world *w)
{
	if (!lie_begun(w))
		return false;
	lie_use_entry(w, 0, 0, 7777, 100);
	lie_taken(w);
	return pvrom_net_guest_give(&w->queue[0], &w->buffer[0][0]) == PVROM_NET_GUEST_BROKEN;
}
static bool stuck_keeps_the_memory(struct net_guest_world *w)
{
	if (!lie_begun(w) || send(w, w))
		return false;
	w->ops.status = lie_status_never_0;
	return pvrom_net_guest_stop(&w->net) == PVROM_VIRTIO_STUCK && !count_back(w, 0) &&
	       !count_back(w, 1);
}
static bool running_keeps_the_memory(struct net_guest_world *w)
{
	return lie_begun(w) && !send(w, w) && !count_back(w, 0) && !count_back(w, 1);
}

/* ---- changes -------------------------------------------------------------------------------------------------- */

static bool wants_a_reset(struct net_guest_world *w)
{
	if (!lie_begun(w))
		return false;
	w->status |= PVROM_VIRTIO_NEEDS_RESET;
	return pvrom_net_guest_changed(&w->net) == PVROM_NET_GUEST_BROKEN;
}
static bool restless_later(struct net_guest_world *w)
{
	if (!lie_begun(w))
		return false;
	w->ops.generation = lie_restless;
	return pvrom_net_guest_changed(&w->net) == PVROM_NET_GUEST_BROKEN;
}
/* Numbers that memory was laid out by are those of the beginning. */
static bool grows_later(struct net_guest_world *w)
{
	if (!lie_begun(w))
		return false;
	LIE(max_virtqueue_pairs, 16);
	memset(&lie_mask, 0xff, sizeof(lie_mask));
	lie.mtu = 65535;
	return pvrom_net_guest_changed(&w->net) == PVROM_NET_GUEST_OK && w->net.pairs == 2 &&
	       w->net.mtu == 1500 && w->net.control_number == 4 &&
	       w->net.config.max_virtqueue_pairs == 2;
}
static bool state_without_the_feature(struct net_guest_world *w)
{
	const struct pvrom_net_guest_config settings = { .avoid = PVROM_NET_F_STATUS |
								  PVROM_NET_F_SPEED_DUPLEX };

	LIE(status, PVROM_NET_S_ANNOUNCE);
	return lie_begun_as(w, &settings) && w->net.link_up && !w->net.announce &&
	       w->net.speed == PVROM_NET_SPEED_UNKNOWN && !w->net.full_duplex;
}

/* ---- the list ------------------------------------------------------------------------------------- */

const struct net_lie net_lies_rings[] = {
	CASE(frame_in_a_buffer_that_is_none, NO_CHECK),
	CASE(same_buffer_twice, NO_CHECK),
	CASE(breaks_inside_a_frame, NO_CHECK),
	CASE(sent_what_was_not_given, NO_CHECK),
	CASE(sent_and_written, NO_CHECK),
	CASE(everything_shared_overwritten, NO_CHECK),
	CASE(never_sends, NO_CHECK),
	CASE(no_buffers_for_the_broken, NO_CHECK),
	CASE(stuck_keeps_the_memory, CHECK(STUCK_MEMORY)),
	CASE(running_keeps_the_memory, NO_CHECK),
	CASE(wants_a_reset, CHECK(NEEDS_RESET)),
	CASE(restless_later, NO_CHECK),
	CASE(grows_later, NO_CHECK),
	CASE(state_without_the_feature, NO_CHECK),
	{ 0 },
};
