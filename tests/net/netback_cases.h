/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The cases of the hosted backends, each with the mistakes that it must notice: it runs as things are, and with
 * each of those, when it must fail.
 */
#ifndef TESTS_NETBACK_CASES_H
#define TESTS_NETBACK_CASES_H

#include <stdbool.h>
#include <stdint.h>

#include "../../pvnet/backend/netback.h"
#include "frame_oracle.h"
#include "net_world.h"

struct netback_case {
	const char *name;
	bool (*run)(void);
	const char *slip[3];
};
/* Each ends by an entry without a name. */
extern const struct netback_case netback_plain_cases[], netback_switch_cases[],
	netback_capture_cases[], netback_limit_cases[], netback_tap_cases[], netback_user_cases[];

/* Says where it did not hold, unless that is what is looked for. */
bool netback_holds(bool good, int line, const char *text);
#define HOLDS(what) netback_holds((what), __LINE__, #what)
/* From inside a case: cannot be run here. */
bool netback_cannot(const char *why);

/* A namespace of its own stands, with the right to make interfaces in it. */
extern bool netback_namespace;
extern const char *netback_directory;

#define SPLIT PVROM_VQ_F_VERSION_1
#define PACKED (PVROM_VQ_F_VERSION_1 | PVROM_VQ_F_RING_PACKED)
#define GUEST_ALL                                                                                  \
	(PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 |                \
	 PVROM_NET_F_GUEST_ECN | PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6)

extern uint8_t netback_payload[66000], netback_frame[ORACLE_FRAME_ROOM],
	netback_want[ORACLE_FRAME_ROOM];
extern struct world_received netback_got;
extern uint64_t netback_seed;
extern char netback_message[PVROM_NET_MESSAGE];

/* One with 02:00:00:00:00:01 and so on for a card; NULL: netback_message says why. */
struct pvrom_net_backend *netback_open(const char *words);
/* The words are refused with a sentence that has `part` in it. */
bool netback_refuses(const char *words, const char *part);
/* 64 buffers of 4,096 bytes in the receive queue of a pair. */
void netback_give(struct net_world *w, uint32_t pair);
/* Brings frames until one comes to the driver in netback_got, up to `ms`. */
bool netback_take(struct net_world *w, struct pvrom_net_backend *b, uint32_t pair, int ms);
bool netback_same(const uint8_t *want, size_t len);

#endif
