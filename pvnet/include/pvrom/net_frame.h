/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvnet: what is in an Ethernet frame, its checksums, its hash, and cutting it into segments.
 *
 * The fallback behind every offload: a device that offers a driver to checksum or to cut its frames, in
 * front of a backend that can do neither, does it by these functions. Freestanding, no state, no
 * allocation; callable from every context. All of them work on private memory of the caller, never on
 * memory that a guest can change meanwhile: copy first.
 *
 * Frames are lies until shown otherwise: every length is checked against the bytes that are there, and
 * the work is bounded by the frame's length and the constants here.
 */
#ifndef PVROM_NET_FRAME_H
#define PVROM_NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/net.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PVROM_NET_FRAME_MAX 65550u  /* bytes: 14 of Ethernet, 65,535 of IP, one over to be even */
#define PVROM_NET_VLANS_MAX 2u	    /* tags that are looked behind */
#define PVROM_NET_EXTENSIONS_MAX 8u /* IPv6 extension headers that are looked behind */
#define PVROM_NET_SEGMENTS_MAX                                                                     \
	2048u /* that one frame may be cut into; 48-byte segments need 1,366 */

#define PVROM_NET_NO_VLAN 0xffffu

/* ---- parts of a frame ---------------------------------------------------------------------------- */

/* Offsets are bytes from the frame's beginning. */
struct pvrom_net_frame {
	uint16_t vlan;	    /* number of the outermost tag, or PVROM_NET_NO_VLAN */
	uint8_t ip;	    /* 4, 6, or 0: what follows is not set then */
	uint8_t protocol;   /* behind IP and its extension headers; 6 TCP, 17 UDP */
	bool fragment;	    /* one of several: there is no checksum to judge */
	bool routed;	    /* IPv6: on its way to another destination than the one in the header */
	bool cut;	    /* IP says that there is more than there is */
	uint16_t network;   /* the IP header */
	uint16_t transport; /* what is behind it; 0: not found, or in another fragment */
	uint32_t end;	    /* the first byte behind IP's data; the frame may be padded */
};

/*
 * Finds the parts of a frame of len bytes. false: it is shorter than an Ethernet header. What cannot be
 * made out is left at 0: ip, when the IP header is wrong; transport, when the chain of headers is.
 */
bool pvrom_net_frame_read(struct pvrom_net_frame *frame, const uint8_t *bytes, size_t len);

/* ---- checksums: RFC 1071 ------------------------------------------------------------------------- */

/* A sum in the making, over pieces of any length and alignment. Set to zero to begin. */
struct pvrom_net_sum {
	uint64_t sum;
	bool odd; /* an odd number of bytes so far */
};
void pvrom_net_sum_add(struct pvrom_net_sum *sum, const void *bytes, size_t len);
/* The folded sum, not complemented, as a number (its upper byte goes first on the wire). */
uint16_t pvrom_net_sum_end(const struct pvrom_net_sum *sum);

enum pvrom_net_verdict {
	PVROM_NET_GOOD,	   /* the checksum of TCP or UDP is there and right */
	PVROM_NET_BAD,	   /* it is there and wrong, or missing where it must not be */
	PVROM_NET_UNKNOWN, /* nothing to judge: neither, a fragment, cut, UDP over IPv4 without one */
};
/* Judges a whole frame. */
enum pvrom_net_verdict pvrom_net_frame_judge(const uint8_t *bytes, size_t len);

/* ---- what a driver asks for ---------------------------------------------------------------------- */

enum pvrom_net_refusal {
	PVROM_NET_TAKEN,       /* nothing is wrong */
	PVROM_NET_SHORT,       /* no Ethernet header, or longer than PVROM_NET_FRAME_MAX */
	PVROM_NET_CSUM_PLACE,  /* the sum's place, or where it begins, is not in the frame */
	PVROM_NET_GSO_TYPE,    /* no such type; ECN beside a type that is not TCP */
	PVROM_NET_GSO_NO_CSUM, /* cut, and no checksum asked for (VIRTIO 1.2, 5.1.6.2) */
	PVROM_NET_GSO_SIZE, /* segments of 0 bytes, or more than PVROM_NET_SEGMENTS_MAX of them */
	PVROM_NET_GSO_HEADERS, /* not the protocol that the type says; a fragment; headers cut off */
};
/*
 * Checks the header that came before a frame; with a type other than NONE also that
 * pvrom_net_segments_begin() may be called. `header` was copied from the guest once.
 */
enum pvrom_net_refusal pvrom_net_header_check(const struct pvrom_net_header *header,
					      const uint8_t *bytes, size_t len);

/*
 * NEEDS_CSUM: makes the sum from csum_start to the end, over the pseudo header's sum that the driver
 * left in its place, and stores it there; never as 0 where UDP has it (csum_offset 6), which UDP takes
 * for none (RFC 768). Only after pvrom_net_header_check().
 */
void pvrom_net_csum_fill(const struct pvrom_net_header *header, uint8_t *bytes, size_t len);

/* A frame that is being cut. */
struct pvrom_net_segments {
	const uint8_t *bytes;
	struct pvrom_net_frame frame;
	uint32_t headers; /* bytes before the payload */
	uint32_t at;	  /* where the next segment's payload begins */
	uint32_t index;	  /* segments so far */
	uint16_t size;	  /* payload of all but the last */
	uint16_t pseudo;  /* sum of the pseudo header without its length */
};
/* The frame is the caller's and stays as it is until the last segment is out. */
void pvrom_net_segments_begin(struct pvrom_net_segments *segments,
			      const struct pvrom_net_header *header, const uint8_t *bytes,
			      size_t len);
/*
 * Writes the next segment, a frame with all its checksums, and returns its bytes; 0 behind the last.
 * `to` has room for segments->headers + segments->size. A frame without payload is one segment.
 */
size_t pvrom_net_segments_next(struct pvrom_net_segments *segments, uint8_t *to);

/* ---- hashes: VIRTIO 1.2, 5.1.6.4.3 ---------------------------------------------------------------- */

/* The Toeplitz hash of `len` bytes, at most PVROM_NET_HASH_KEY_BYTES - 4. */
uint32_t pvrom_net_toeplitz(const uint8_t key[PVROM_NET_HASH_KEY_BYTES], const uint8_t *bytes,
			    size_t len);

/*
 * The hash of a frame by the best of `types` (PVROM_NET_HASH_x) that fits it; *report says which
 * (PVROM_NET_HASH_REPORT_x), NONE with hash 0 when none does.
 */
uint32_t pvrom_net_frame_hash(const uint8_t key[PVROM_NET_HASH_KEY_BYTES], uint32_t types,
			      const uint8_t *bytes, size_t len, uint16_t *report);

#ifdef __cplusplus
}
#endif
#endif
