/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A network card of the guest, as its two files share it. */
#ifndef PVRUN_NET_ROUND_H
#define PVRUN_NET_ROUND_H

#include <pvrom/net_backend.h>

#include "net_device.h"
#include "virtio_device.h"

struct net_card {
	struct virtio_device virtio;
	struct pvrom_net_host host;
	struct pvrom_net_backend *backend;
	struct net_helper helper;
	const struct net_arg *arg;
	struct pvrom_net_queue queue[VIRTIO_QUEUES];
	struct pvrom_net_buffer *pool[VIRTIO_QUEUES];
	struct net_arrivals {
		struct pvrom_loop_watch watch; /* first */
		bool watched, ready;
		bool stalled;  /* frames wait for buffers of the guest */
	} arrivals[MAX_PAIRS]; /* of each pair of the backend's */
	bool announce;	       /* the guest is to say where it is, once it runs */
	uint64_t busy_until;
	uint64_t interrupts;
	uint8_t whole[PVROM_NET_FRAME_MAX], segment[PVROM_NET_FRAME_MAX];
};

/* net_round.c. Does what there is to do; returns for how many ns there will be nothing. */
uint64_t net_card_work(void *device);
/* Frames that waited for buffers need not do so any longer. */
void net_card_try_all(struct net_card *card);
/* Is it one of the queues that frames for the guest go into? */
bool net_card_receives(const struct net_card *card, unsigned int index);

#endif
