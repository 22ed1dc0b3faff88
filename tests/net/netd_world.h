/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom-netd as a process, with front ends of ours: what its cases share. Each case runs against the server as it is, and
 * against one that makes a mistake, where it must fail.
 */
#ifndef TESTS_NETD_WORLD_H
#define TESTS_NETD_WORLD_H

#include <sys/types.h>

#include "../../vhost-user/client/net_client.h"
#include "../blk/server_process.h"

struct netd_case {
	const char *name;
	bool (*run)(void);
	const char *slip[3];
};
/* Each ends by an entry without a name. */
extern const struct netd_case netd_card_cases[], netd_net_cases[], netd_life_cases[];

extern bool netd_namespace;
extern const char *netd_program, *netd_directory, *netd_slipped;

bool netd_holds(bool good, int line, const char *text);
#define HOLDS(what) netd_holds((what), __LINE__, #what)
/* ms: what a healthy server may take on a busy machine. */
#define PATIENCE (netd_slipped ? 500 : 10000)

/* `name` in the directory of this test. */
const char *netd_path(const char *name);
/* A server with these two arguments, NULL: none, and its log; ready: waits until it is. */
pid_t netd_start(const char *log, bool ready, const char *first, const char *second);
void netd_end(pid_t pid);

#define RING (PVROM_VQ_F_VERSION_1)
/* Front ends of network cards keep no record of buffers in flight. */
#define ALL_PROTOCOL                                                                               \
	(0xffffffull & ~(VU_PROTOCOL_INBAND_NOTIFICATIONS | VU_PROTOCOL_INFLIGHT_SHMFD))

/* A front end of `queues` queues with 128 buffers of 2,048 bytes each; all receive queues are filled. */
bool netd_connect(struct vu_client *c, const char *socket, uint64_t features, uint32_t queues);
/* A frame of random bytes of that length with a type that nobody knows; to a card with addresses of their numbers. */
void netd_frame(uint8_t *frame, uint32_t len, uint8_t to, uint8_t from);
/* The next frame that is no RARP request is this one. */
bool netd_gets(struct vu_client *c, uint32_t pair, const uint8_t *frame, uint32_t len, int ms);
/* Frames of all lengths that fit in a buffer go there and come back the same. */
bool netd_loop_works(struct vu_client *c, uint32_t pair, uint32_t frames);
/* Some bytes of the configuration as the server says it now. */
bool netd_config(struct vu_client *c, struct pvrom_net_config *config);

#endif
