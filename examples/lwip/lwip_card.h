/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* lwIP on a VIRTIO network card. Memory is such that an address is what the device shall see. */
#ifndef LWIP_CARD_H
#define LWIP_CARD_H

#include <lwip/netif.h>
#include <lwip/pbuf.h>

#include <pvrom/net_guest.h>

#define LWIP_CARD_BUFFERS 128

struct lwip_card;
/* A receive buffer, which is a pbuf of lwIP's while that has it. */
struct lwip_card_buffer {
	struct pbuf_custom pbuf; /* first */
	struct pvrom_net_guest_buffer buffer;
	struct lwip_card *card;
	uint8_t bytes[2048];
};

struct lwip_card {
	struct pvrom_net_guest net;
	struct pvrom_net_guest_queue receive, send;
	struct netif netif;
	struct lwip_card_buffer buffer[LWIP_CARD_BUFFERS];
};

/* Begins with the device, and adds its interface to lwIP, up. NULL, or what went wrong. */
const char *lwip_card_begin(struct lwip_card *card, struct pvrom_virtio *virtio, uint32_t address);
/* Takes what came, lets lwIP see it, and sends what that brought. */
void lwip_card_poll(struct lwip_card *card);

#endif
