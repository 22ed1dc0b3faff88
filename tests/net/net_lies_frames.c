/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Frames of a wrong length, or spread over an impossible number of buffers. */
#include "net_lies.h"

#include <string.h>

/* ---- frames: the test is the device, of split rings -------------------------------------------------------- */

static bool written_behind_the_end(struct net_guest_world *w)
{
	return lie_begun(w) && lie_drops(w, lie_one, 0xffffffff) && COUNTED(bad_length) &&
	       lie_goes_on(w, 1);
}
/* What is not there is not looked at. */
static bool header_cut_off(struct net_guest_world *w)
{
	bool good = lie_begun(w);

	lie_loads = 0;
	pvrom_net_guest_load_hook = lie_count_loads;
	good = good && lie_drops(w, lie_one, HEADER - 1) && COUNTED(bad_length) && !lie_loads;
	pvrom_net_guest_load_hook = NULL;
	return good && lie_goes_on(w, 1);
}
static bool used_without_a_byte(struct net_guest_world *w)
{
	bool good = lie_begun(w);

	lie_loads = 0;
	pvrom_net_guest_load_hook = lie_count_loads;
	good = good && lie_drops(w, lie_one, 0) && COUNTED(bad_length) && !lie_loads;
	pvrom_net_guest_load_hook = NULL;
	return good && lie_goes_on(w, 1);
}
static bool header_without_a_frame(struct net_guest_world *w)
{
	return lie_begun(w) && lie_drops(w, lie_one, HEADER) && COUNTED(bad_length) &&
	       lie_goes_on(w, 1);
}
static bool half_an_ethernet_header(struct net_guest_world *w)
{
	return lie_begun(w) && lie_drops(w, lie_one, HEADER + 13) && COUNTED(bad_length) &&
	       lie_goes_on(w, 1);
}
static bool frame_of_no_buffers(struct net_guest_world *w)
{
	const struct pvrom_net_header none = { 0 };

	if (!lie_begun(w))
		return false;
	lie_bring(w, 0, &none, HEADER + 60);
	return !lie_taken(w) && COUNTED(bad_merge) && lie_goes_on(w, 1);
}
static bool frame_of_all_buffers(struct net_guest_world *w)
{
	return lie_begun(w) &&
	       lie_drops(w, (struct pvrom_net_header){ .num_buffers = 65535 }, 100) &&
	       COUNTED(bad_merge) && lie_goes_on(w, 1);
}
static bool frame_of_a_buffer_too_many(struct net_guest_world *w)
{
	return lie_begun(w) && lie_drops(w, (struct pvrom_net_header){ .num_buffers = 65 }, 100) &&
	       COUNTED(bad_merge) && lie_goes_on(w, 1);
}
static bool frame_of_more_than_the_ring(struct net_guest_world *w)
{
	const struct pvrom_net_guest_config settings = { .size = 16 };

	if (net_guest_world_begin(w, &settings, 10))
		return false;
	return lie_drops(w, (struct pvrom_net_header){ .num_buffers = 17 }, 100) &&
	       COUNTED(bad_merge);
}
/* Of three buffers two come, the device falls silent: nothing is lost. */
static bool frame_that_never_ends(struct net_guest_world *w)
{
	uint32_t i = 0, seen[80] = { 0 };
	bool good =
		lie_begun(w) && lie_drops(w, (struct pvrom_net_header){ .num_buffers = 3 }, 2048);
	void *token;

	lie_use_entry(w, 0, 1, 1, 2048);
	good = good && !lie_taken(w) && !lie_taken(w) && !pvrom_net_guest_stop(&w->net);
	for (; pvrom_net_guest_take_back(&w->queue[0], &token); i++)
		seen[(struct pvrom_net_guest_buffer *)token - w->buffer[0]]++;
	for (; good && i > 0; i--)
		good = seen[i - 1] == 1;
	return good && seen[79] == 1;
}
static bool rest_of_a_frame_comes_later(struct net_guest_world *w)
{
	if (!lie_begun(w) || !lie_drops(w, (struct pvrom_net_header){ .num_buffers = 3 }, 2048))
		return false;
	lie_use_entry(w, 0, 1, 1, 2048);
	if (lie_taken(w))
		return false;
	lie_use_entry(w, 0, 2, 2, 7);
	return lie_taken(w) == 1 && lie_frames[0].len == 2048 - HEADER + 2048 + 7 &&
	       lie_frames[0].buffers->next->next->used == 7 &&
	       !lie_frames[0].buffers->next->next->next;
}
static bool piece_of_nothing(struct net_guest_world *w)
{
	if (!lie_begun(w) || !lie_drops(w, (struct pvrom_net_header){ .num_buffers = 2 }, 2048))
		return false;
	lie_use_entry(w, 0, 1, 1, 0);
	return !lie_taken(w) && COUNTED(bad_length) && lie_goes_on(w, 2);
}
/* The second buffer of a frame whose header was bad is not taken for a header. */
static bool bad_frame_is_dropped_whole(struct net_guest_world *w)
{
	const struct pvrom_net_header h = {
		.flags = 1, .gso_type = 2, .gso_size = 500, .num_buffers = 2
	};

	if (!lie_begun(w) || !lie_drops(w, h, 2048))
		return false;
	lie_bring(w, 1, &lie_one, 1000);
	return !lie_taken(w) && COUNTED(bad_header) && lie_goes_on(w, 2);
}
static bool frame_longer_than_any(struct net_guest_world *w)
{
	uint16_t i;

	if (!lie_begun(w) || !lie_drops(w, (struct pvrom_net_header){ .num_buffers = 40 }, 2048))
		return false;
	for (i = 1; i < 40; i++)
		lie_use_entry(w, 0, i, i, 2048);
	return !lie_taken(w) && COUNTED(bad_length) && lie_goes_on(w, 40);
}

/* ---- the list ------------------------------------------------------------------------------------- */

const struct net_lie net_lies_frames[] = {
	CASE(written_behind_the_end, CHECK(USED_OVERLONG)),
	CASE(header_cut_off, CHECK(HEADER_SHORT)),
	CASE(used_without_a_byte, CHECK(HEADER_SHORT)),
	CASE(header_without_a_frame, CHECK(FRAME_SHORT)),
	CASE(half_an_ethernet_header, CHECK(FRAME_SHORT)),
	CASE(frame_of_no_buffers, CHECK(MERGE_NONE)),
	CASE(frame_of_all_buffers, CHECK(MERGE_MANY)),
	CASE(frame_of_a_buffer_too_many, CHECK(MERGE_MANY)),
	CASE(frame_of_more_than_the_ring, CHECK(MERGE_MANY)),
	CASE(frame_that_never_ends, NO_CHECK),
	CASE(rest_of_a_frame_comes_later, NO_CHECK),
	CASE(piece_of_nothing, CHECK(PIECE_EMPTY)),
	CASE(bad_frame_is_dropped_whole, CHECK(GSO_FEATURE)),
	CASE(frame_longer_than_any, CHECK(FRAME_LONG)),
	{ 0 },
};
