/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Frames through a vhost-user front end: the client of vu_client.h with its buffers used for packets.
 *
 * Queues are VIRTIO's: 2n receives, 2n + 1 transmits. The client is opened with the number of queues, `depth` buffers
 * each, of data_bytes: header and frame lie in one.
 */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include <pvrom/net.h>

#include "vu_client.h"

/* Gives the receive queue of a pair all its free buffers. */
void net_client_give(struct vu_client *c, uint32_t pair);
/* A frame into the transmit queue of a pair; shown and rung. false: no buffer is free. */
bool net_client_send(struct vu_client *c, uint32_t pair, const struct pvrom_net_header *header,
		     const void *frame, uint32_t len);
/*
 * The next frame of a pair, up to `ms`: its bytes, 0: none came. What came back is given to the device again. room
 * is what `frame` has; a longer one is cut.
 */
uint32_t net_client_take(struct vu_client *c, uint32_t pair, struct pvrom_net_header *header,
			 void *frame, uint32_t room, int ms);
/* A command into the control queue, number `queue`: the answer, or -1 for none within two seconds. */
int net_client_command(struct vu_client *c, uint32_t queue, uint8_t class, uint8_t command,
		       const void *data, uint32_t len);

#endif
