/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the cases of the card share, and their lists by subject.
 */
#ifndef TESTS_NET_CARD_H
#define TESTS_NET_CARD_H

#include "../cunit_tap.h"
#include "frame_oracle.h"
#include "net_world.h"

#define SPLIT PVROM_VQ_F_VERSION_1
#define PACKED (PVROM_VQ_F_VERSION_1 | PVROM_VQ_F_RING_PACKED)
#define HOST_OFFLOADS                                                                              \
	(PVROM_NET_F_CSUM | PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 | PVROM_NET_F_HOST_ECN | \
	 PVROM_NET_F_HOST_USO)
#define GUEST_OFFLOADS                                                                             \
	(PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 |                \
	 PVROM_NET_F_GUEST_ECN | PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6)

/* Each ends by an entry without a name. */
extern const struct tap_test net_feature_cases[], net_send_cases[], net_receive_cases[],
	net_filter_cases[], net_steering_cases[], net_queue_cases[], net_state_cases[];

extern uint8_t payload[66000], frame[ORACLE_FRAME_ROOM], want[ORACLE_FRAME_ROOM];
extern struct world_received got;
extern uint64_t seed;
uint32_t draw(uint32_t below);

#define OWN "\2\0\0\0\0\1"
#define OTHER "\2\0\0\0\0\2"
#define GROUP "\1\0\136\0\0\5"
#define ALL "\377\377\377\377\377\377"

/* A frame of 60 bytes from outside, with a tag unless PVROM_NET_NO_VLAN; receive queue 0 is filled up before. */
enum pvrom_net_fate arrive(struct net_world *w, const char *to, uint32_t vlan);
/* A receive mode by command: its acknowledgement. */
int mode(struct net_world *w, uint8_t number, uint8_t on);

struct rss_command {
	uint32_t types;
	uint16_t mask, other;
	uint16_t table[4];
	uint16_t pairs;
	uint8_t key_length;
	uint8_t key[40];
} __attribute__((packed));
/* Types of IPv4, a table of four entries, 2 for the rest. */
struct rss_command rss_command(void);

#endif
