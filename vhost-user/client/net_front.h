/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Our network driver as the front end of a vhost-user server: a transport of messages on a socket, with one pair of
 * queues that are polled, and guest memory that is the client's.
 *
 *	net_front_open()	connects, negotiates, starts the queues and gives the receive buffers
 *
 * One of these in a process; what cannot be ends the process with a message.
 */
#ifndef NET_FRONT_H
#define NET_FRONT_H

#include <pvrom/net_guest.h>

#include "vu_client.h"

#define NET_FRONT_SIZE 256u    /* of each queue */
#define NET_FRONT_BUFFERS 192u /* that wait for frames */
#define NET_FRONT_ROOM 2048u   /* of each */

struct net_front {
	struct pvrom_virtio virtio; /* first */
	struct vu_client client;
	struct pvrom_net_guest net;
	struct pvrom_net_guest_queue receive, transmit;
	struct pvrom_net_guest_buffer buffer[NET_FRONT_BUFFERS];
	uint8_t *packets; /* guest memory for what is sent, of as many bytes as were asked for */
	uint32_t status;
	uint64_t bells;
};

/*
 * features: at most these are taken. bytes: of guest memory for packets. settings: the driver's. Waits `seconds` for the
 * server.
 */
void net_front_open(struct net_front *f, const char *path, uint64_t features, uint32_t bytes,
		    const struct pvrom_net_guest_config *settings, int seconds);

#endif
