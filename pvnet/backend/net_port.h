/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What goes over the socket between a card's backend and a switch, or a helper: SOCK_SEQPACKET, one frame a
 * message, struct pvrom_net_header before it. The first message each way is a hello. All little-endian.
 */
#ifndef NET_PORT_H
#define NET_PORT_H

#include "netback.h"

#define PORT_MAGIC 0x706e7670u /* "pvnp" */
#define PORT_VERSION 1u
#define PORT_TEXT 256 /* bytes of a refusal */

/* From the card's side: can and gives are of the card. The answer: of the network; or text says why not. */
struct port_hello {
	uint32_t magic, version;
	uint32_t mtu;	  /* the card's: what is wanted, 0: any; the answer: what is carried */
	uint16_t own_mtu; /* the answer: the network's own, or 0 */
	uint8_t mac[6];	  /* the card's */
	uint16_t vlan;	  /* the card's: 0, all of them */
	uint16_t reserved;
	uint64_t can, gives;
	char text[PORT_TEXT]; /* empty: welcome */
};

/* Sends one frame: 1 sent, or lost for it is longer than the socket ever takes, 0 no room now, -1 the other side has gone. */
int port_send(int socket, const struct pvrom_net_header *header, const struct iovec *vec,
	      uint32_t count);
/* Receives one frame: its bytes, 0 none there, -1 the other side has gone or does not keep the rules. */
int32_t port_receive(int socket, struct pvrom_net_header *header, uint8_t *frame);
/* The hello; false: none within `ms` (errno is EAGAIN), or one that makes no sense. */
bool port_send_hello(int socket, const struct port_hello *hello);
bool port_receive_hello(int socket, struct port_hello *hello, int ms);
/* A socket at that path: -1, and message says why. */
int port_connect(const char *path, char *message);
int port_listen(const char *path, char *message);

#endif
