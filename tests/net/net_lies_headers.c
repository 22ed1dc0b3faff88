/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Headers that ask for what cannot be. */
#include "net_lies.h"

#include <string.h>

/* ---- headers ---------------------------------------------------------------------------------------------- */

static bool drops_header(struct net_guest_world *w, struct pvrom_net_header h)
{
	return lie_drops(w, h, HEADER + 1000) && COUNTED(bad_header) && lie_goes_on(w, 1);
}

static bool checksum_nobody_asked_for(struct net_guest_world *w)
{
	const struct pvrom_net_guest_config settings = { .avoid = PVROM_NET_F_GUEST_CSUM };
	const struct pvrom_net_header h = { .flags = 1, .csum_start = 60000, .num_buffers = 1 };

	if (!lie_begun_as(w, &settings))
		return false;
	lie_bring(w, 0, &h, HEADER + 60);
	return lie_taken(w) == 1 && !lie_frames[0].flags && !lie_frames[0].csum_start;
}
static bool checksum_behind_the_end(struct net_guest_world *w)
{
	return lie_begun(w) &&
	       drops_header(w, (struct pvrom_net_header){
				       .flags = 1, .csum_start = 983, .csum_offset = 16 });
}
static bool checksum_place_that_wraps(struct net_guest_world *w)
{
	return lie_begun(w) &&
	       drops_header(w, (struct pvrom_net_header){
				       .flags = 1, .csum_start = 65535, .csum_offset = 65535 });
}
static bool checksum_at_the_very_end(struct net_guest_world *w)
{
	const struct pvrom_net_header h = {
		.flags = 1, .csum_start = 982, .csum_offset = 16, .num_buffers = 1
	};

	if (!lie_begun(w))
		return false;
	lie_bring(w, 0, &h, HEADER + 1000);
	return lie_taken(w) == 1 && lie_frames[0].csum_start == 982;
}
static bool segments_not_negotiated(struct net_guest_world *w)
{
	const struct pvrom_net_guest_config settings = { .avoid = PVROM_NET_F_GUEST_TSO4 };

	return lie_begun_as(w, &settings) &&
	       drops_header(
		       w, (struct pvrom_net_header){ .flags = 1, .gso_type = 1, .gso_size = 500 });
}
static bool segments_of_an_unknown_kind(struct net_guest_world *w)
{
	return lie_begun(w) &&
	       drops_header(
		       w, (struct pvrom_net_header){ .flags = 1, .gso_type = 2, .gso_size = 500 });
}
static bool segments_of_no_bytes(struct net_guest_world *w)
{
	return lie_begun(w) &&
	       drops_header(w, (struct pvrom_net_header){ .flags = 1, .gso_type = 4 });
}
static bool segments_without_a_checksum(struct net_guest_world *w)
{
	return lie_begun(w) &&
	       drops_header(w, (struct pvrom_net_header){ .gso_type = 1, .gso_size = 500 });
}
static bool ecn_not_negotiated(struct net_guest_world *w)
{
	const struct pvrom_net_guest_config settings = { .avoid = PVROM_NET_F_GUEST_ECN };

	return lie_begun_as(w, &settings) &&
	       drops_header(w, (struct pvrom_net_header){
				       .flags = 1, .gso_type = 0x81, .gso_size = 500 });
}
static bool ecn_of_udp(struct net_guest_world *w)
{
	return lie_begun(w) &&
	       drops_header(w, (struct pvrom_net_header){
				       .flags = 1, .gso_type = 0x85, .gso_size = 500 });
}
static bool ecn_of_nothing(struct net_guest_world *w)
{
	return lie_begun(w) &&
	       drops_header(w, (struct pvrom_net_header){
				       .flags = 1, .gso_type = 0x80, .gso_size = 500 });
}
static bool hash_of_an_unknown_kind(struct net_guest_world *w)
{
	const struct pvrom_net_guest_config settings = { .hash_report = true };
	const struct pvrom_net_hash hash = { .value = 77, .report = 7 };

	if (!lie_begun_as(w, &settings))
		return false;
	memcpy(w->buffer[0][0].at + HEADER, &hash, sizeof(hash));
	lie_bring(w, 0, &lie_one, HEADER + 8 + 60);
	return lie_taken(w) == 1 && !lie_frames[0].report && !lie_frames[0].hash;
}
/* Lengths of headers, flags that do not exist, what has no meaning: not believed, not handed on. */
static bool nonsense_without_meaning(struct net_guest_world *w)
{
	const struct pvrom_net_header h = { .flags = 0xfe,
					    .hdr_len = 65535,
					    .gso_size = 65535,
					    .csum_start = 65535,
					    .csum_offset = 65535,
					    .num_buffers = 1 };

	if (!lie_begun(w))
		return false;
	lie_bring(w, 0, &h, HEADER + 60);
	return lie_taken(w) == 1 && lie_frames[0].flags == PVROM_NET_HDR_DATA_VALID &&
	       !lie_frames[0].gso_size && !lie_frames[0].csum_start && !lie_frames[0].csum_offset;
}
static struct pvrom_net_header *moving;
static void move_it(const void *at, size_t bytes)
{
	(void)bytes;
	if (at == moving)
		lie_loads++;
	if (at == moving && lie_loads == 2)
		moving->gso_type = 99;
}
/* Between two looks at it the header would have become another. */
static bool header_that_changes(struct net_guest_world *w)
{
	bool good = lie_begun(w);

	moving = (void *)w->buffer[0][0].at;
	lie_loads = 0;
	pvrom_net_guest_load_hook = move_it;
	lie_bring(w, 0, &lie_one, HEADER + 60);
	good = good && lie_taken(w) == 1 && lie_loads == 1;
	pvrom_net_guest_load_hook = NULL;
	return good;
}

/* ---- the list ------------------------------------------------------------------------------------- */

const struct net_lie net_lies_headers[] = {
	CASE(checksum_nobody_asked_for, CHECK(CSUM_FEATURE)),
	CASE(checksum_behind_the_end, CHECK(CSUM_PLACE)),
	CASE(checksum_place_that_wraps, CHECK(CSUM_PLACE)),
	CASE(checksum_at_the_very_end, NO_CHECK),
	CASE(segments_not_negotiated, CHECK(GSO_FEATURE)),
	CASE(segments_of_an_unknown_kind, CHECK(GSO_FEATURE)),
	CASE(segments_of_no_bytes, CHECK(GSO_SIZE)),
	CASE(segments_without_a_checksum, CHECK(GSO_CSUM)),
	CASE(ecn_not_negotiated, CHECK(GSO_ECN)),
	CASE(ecn_of_udp, CHECK(GSO_ECN)),
	CASE(ecn_of_nothing, CHECK(GSO_FEATURE)),
	CASE(hash_of_an_unknown_kind, CHECK(HASH_REPORT)),
	CASE(nonsense_without_meaning, NO_CHECK),
	CASE(header_that_changes, NO_CHECK),
	{ 0 },
};
