/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Builds frames from a plan, byte by byte, with checksums made as RFC 1071 defines them: the oracle that
 * pvnet's checksums and segments are judged by. Shares no code with pvnet/: of its headers it has
 * VIRTIO's own words alone.
 */
#ifndef TESTS_FRAME_ORACLE_H
#define TESTS_FRAME_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/net.h>

#define ORACLE_FRAME_ROOM 70000

struct frame_plan {
	uint8_t vlans;		  /* 0 to 2 tags */
	uint8_t ip;		  /* 4 or 6 */
	uint8_t option_words;	  /* IPv4 options, 4 bytes each, 0 to 10 */
	uint8_t extensions;	  /* IPv6 extension headers, 0 to 9; drawn: 0 to 8 */
	uint8_t extension[9];	  /* their numbers: 0, 43, 44, 51, 60 */
	uint8_t extension_units;  /* length field of the variable ones */
	bool tcp;		  /* or UDP */
	uint8_t tcp_option_words; /* 0 to 10 */
	uint8_t tcp_flags;
	uint32_t sequence;
	uint16_t id;
	uint16_t ports[2];
	uint8_t fill; /* whence the bytes of addresses and options come */
	/* What breaks the rule that there is a checksum to judge. */
	uint16_t ipv4_fragment; /* flags and offset field */
	bool udp_without_sum;
	uint32_t padding; /* bytes behind the IP datagram */
};

/* Draws a plan: any mix that a segmentation offload may be asked for. */
void oracle_draw(struct frame_plan *plan, uint64_t *seed);

/* Bytes of all headers. */
size_t oracle_headers(const struct frame_plan *plan);

/* The whole frame with a payload, all checksums right. Returns its length. */
size_t oracle_build(const struct frame_plan *plan, const uint8_t *payload, size_t len, uint8_t *to);

/* Where the transport header begins. */
size_t oracle_transport(const struct frame_plan *plan);

/* The same frame as a driver hands it over for NEEDS_CSUM: the pseudo header's sum in the checksum. */
size_t oracle_build_partial(const struct frame_plan *plan, const uint8_t *payload, size_t len,
			    uint8_t *to);

/* What a driver puts before it, so that it is cut into segments of `size` bytes. */
struct pvrom_net_header oracle_header(const struct frame_plan *plan, uint16_t size);

/* The plan of segment `n` of a frame, whose payload begins `at` bytes behind the first's. */
struct frame_plan oracle_segment(const struct frame_plan *plan, uint32_t n, uint32_t at, bool last);

uint32_t oracle_random(uint64_t *seed, uint32_t below);

#endif
