/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of pvnet's guest half share; and the checks against a hostile device, by name, which
 * test builds can take out one at a time to see the test of it fail.
 */
#ifndef PVROM_NET_GUEST_INTERNAL_H
#define PVROM_NET_GUEST_INTERNAL_H

#include <pvrom/net_guest.h>

#define ETHERNET_HEADER 14u
#define VLAN_TAGS 8u
#define MTU_LEAST 68u	  /* VIRTIO 1.2, 5.1.4.1 */
#define MTU_DEFAULT 1500u /* Ethernet's, where nobody says otherwise */
#define GUEST_OFFLOADS                                                                             \
	(PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 |                \
	 PVROM_NET_F_GUEST_ECN | PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6)

/* X(NAME, number, what it keeps out) */
#define PVROM_NET_GUEST_CHECK_TABLE(X)                                                             \
	X(CONFIG_PAIRS, 1, "no queue pairs, or more than there can be")                            \
	X(CONFIG_MTU, 2, "an MTU that IP does not allow")                                          \
	X(CONFIG_MAC, 3, "a multicast or zero address as one's own")                               \
	X(CONFIG_RSS, 4, "a key or a table shorter than VIRTIO says")                              \
	X(FEATURE_NEEDS, 5, "a feature without the one that it needs")                             \
	X(FEATURE_ROOM, 6, "frames longer than buffers")                                           \
	X(CONTROL_THERE, 7, "a control queue that is not there")                                   \
	X(USED_OVERLONG, 8, "more bytes written than there is room for")                           \
	X(HEADER_SHORT, 9, "a buffer without a whole header")                                      \
	X(MERGE_NONE, 10, "a frame of no buffers")                                                 \
	X(MERGE_MANY, 11, "a frame of more buffers than can be")                                   \
	X(PIECE_EMPTY, 12, "a buffer of a frame with nothing in it")                               \
	X(FRAME_SHORT, 13, "a frame shorter than its Ethernet header")                             \
	X(FRAME_LONG, 14, "a frame longer than any")                                               \
	X(CSUM_FEATURE, 15, "a checksum left open for a driver that did not ask for it")           \
	X(CSUM_PLACE, 16, "a checksum outside the frame")                                          \
	X(GSO_FEATURE, 17, "segments of a kind that was not negotiated")                           \
	X(GSO_SIZE, 18, "segments of no bytes")                                                    \
	X(GSO_CSUM, 19, "segments without a word of their checksums")                              \
	X(GSO_ECN, 20, "ECN where there is none")                                                  \
	X(HASH_REPORT, 21, "a hash of an unknown kind")                                            \
	X(NEEDS_RESET, 22, "a device that asks for a reset")                                       \
	X(STUCK_MEMORY, 23, "memory given back that the device still has")                         \
	X(ACK_VALUE, 24, "an acknowledgement that is none")                                        \
	X(COMMAND_WAITING, 25, "a command written over one that the device still has")

#ifdef PVROM_TEST
enum pvrom_net_guest_check {
#define PVROM_NET_GUEST_CHECK_(NAME, number, text) PVROM_NET_GUEST_CHECK_##NAME = number,
	PVROM_NET_GUEST_CHECK_TABLE(PVROM_NET_GUEST_CHECK_)
#undef PVROM_NET_GUEST_CHECK_
};
/* The one that is taken out, 0 for none. */
extern uint32_t pvrom_net_guest_check_off;
/* Called before each read of what the device can write, ring aside: that none is read twice. NULL: not. */
extern void (*pvrom_net_guest_load_hook)(const void *at, size_t bytes);
#define GUEST_REFUSE(NAME, condition)                                                              \
	(pvrom_net_guest_check_off != PVROM_NET_GUEST_CHECK_##NAME && (condition))
#define GUEST_LOADS(at, bytes)                                                                     \
	(pvrom_net_guest_load_hook ? pvrom_net_guest_load_hook(at, bytes) : (void)0)
#else
#define GUEST_REFUSE(NAME, condition) __builtin_expect(!!(condition), 0)
#define GUEST_LOADS(at, bytes) ((void)0)
#endif

static inline bool guest_has(const struct pvrom_net_guest *net, uint64_t feature)
{
	return net->features & feature;
}

/* net_guest_features.c */
/* What of `offered` can be taken together (VIRTIO 1.2, 5.1.3.1) with these settings. */
uint64_t pvrom_net_guest_choose(const struct pvrom_net_guest *net, uint64_t offered);
/* Of net->features, as the configuration is. */
uint64_t pvrom_net_guest_usable(const struct pvrom_net_guest *net);
/* Reads the configuration and derives addresses and limits; false: it makes no sense. */
bool pvrom_net_guest_read_config(struct pvrom_net_guest *net);

#endif
