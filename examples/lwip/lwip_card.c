/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The adapter between lwIP's netif and pvnet's driver. */
#include "lwip_card.h"

#include <stdlib.h>
#include <string.h>

#include <lwip/etharp.h>
#include <netif/ethernet.h>

#define BATCH 32u
#define SHORT 128u /* bytes: such frames are copied by the driver */

/* ---- receiving ------------------------------------------------------------------------------------------ */

static struct lwip_card_buffer *holder(struct pvrom_net_guest_buffer *b)
{
	return b->context;
}

/* lwIP has done with a buffer: the device may have it again. */
static void release(struct pbuf *p)
{
	struct lwip_card_buffer *b = (struct lwip_card_buffer *)p; /* its first member */

	pvrom_net_guest_give(&b->card->receive, &b->buffer);
}

/* A frame in our buffers as a chain of pbufs; nothing is copied. */
static struct pbuf *wrap(const struct pvrom_net_guest_frame *frame)
{
	struct pvrom_net_guest_buffer *b = frame->buffers, *next;
	struct pbuf *all = NULL, *p;
	uint8_t *at = frame->at;

	for (; b; b = next, at = b ? b->at : NULL) {
		next = b->next;
		p = pbuf_alloced_custom(PBUF_RAW, (u16_t)b->used, PBUF_REF, &holder(b)->pbuf, at,
					(u16_t)b->used);
		if (all)
			pbuf_cat(all, p);
		else
			all = p;
	}
	return all;
}

static struct pbuf *copy(const struct pvrom_net_guest_frame *frame)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)frame->len, PBUF_POOL);

	if (p)
		pbuf_take(p, frame->at, (u16_t)frame->len);
	return p;
}

void lwip_card_poll(struct lwip_card *card)
{
	static uint8_t small[BATCH][SHORT];
	struct pvrom_net_guest_frame frame[BATCH];
	bool broken = false;
	uint32_t n, i;

	for (i = 0; i < BATCH; i++)
		frame[i].small = small[i];
	n = pvrom_net_guest_receive(&card->receive, frame, BATCH, &broken);
	for (i = 0; i < n; i++) {
		struct pbuf *p = frame[i].buffers ? wrap(&frame[i]) : copy(&frame[i]);

		if (p && card->netif.input(p, &card->netif) != ERR_OK)
			pbuf_free(p);
	}
	pvrom_net_guest_kick(&card->receive);
	pvrom_net_guest_kick(&card->send);
}

/* ---- sending -------------------------------------------------------------------------------------------- */

static void reclaim(struct lwip_card *card)
{
	void *token[BATCH];
	bool broken = false;
	uint32_t n;

	while ((n = pvrom_net_guest_reclaim(&card->send, token, BATCH, &broken)) != 0)
		while (n)
			pbuf_free(token[--n]);
}

/* The packet as it lies; lwIP does not touch it again while it is held. */
static err_t send(struct netif *netif, struct pbuf *p)
{
	struct lwip_card *card = netif->state;
	struct pvrom_net_guest_piece piece[PVROM_NET_GUEST_PIECES];
	struct pvrom_net_guest_packet packet = { .piece = piece, .token = p };
	const struct pbuf *part;

	reclaim(card);
	for (part = p; part && packet.pieces < PVROM_NET_GUEST_PIECES; part = part->next)
		piece[packet.pieces++] =
			(struct pvrom_net_guest_piece){ (uint64_t)(uintptr_t)part->payload,
							part->payload, part->len, 0 };
	if (part || pvrom_net_guest_send(&card->send, &packet))
		return ERR_MEM;
	if (!packet.copied)
		pbuf_ref(p);
	pvrom_net_guest_kick(&card->send);
	return ERR_OK;
}

/* ---- beginning ------------------------------------------------------------------------------------------ */

static err_t set_up(struct netif *netif)
{
	const struct lwip_card *card = netif->state;

	netif->name[0] = 'p';
	netif->name[1] = 'v';
	netif->hwaddr_len = sizeof(card->net.mac);
	memcpy(netif->hwaddr, card->net.mac, sizeof(card->net.mac));
	netif->mtu = (u16_t)card->net.mtu;
	netif->output = etharp_output;
	netif->linkoutput = send;
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

static bool open_queue(struct lwip_card *card, uint16_t number, struct pvrom_net_guest_queue *queue)
{
	struct pvrom_virtio_memory m;

	if (!pvrom_net_guest_memory(&card->net, number, &m))
		return false;
	m.shared = aligned_alloc(4096, (m.shared_bytes + 4095) / 4096 * 4096);
	m.shared_gpa = (uint64_t)(uintptr_t)m.shared;
	m.own = malloc(m.own_bytes);
	return m.shared && m.own && pvrom_net_guest_queue(&card->net, number, queue, &m);
}

static void give_buffers(struct lwip_card *card)
{
	for (int i = 0; i < LWIP_CARD_BUFFERS; i++) {
		struct lwip_card_buffer *b = &card->buffer[i];

		b->card = card;
		b->pbuf.custom_free_function = release;
		b->buffer = (struct pvrom_net_guest_buffer){ .gpa = (uint64_t)(uintptr_t)b->bytes,
							     .at = b->bytes,
							     .len = sizeof(b->bytes),
							     .context = b };
		pvrom_net_guest_give(&card->receive, &b->buffer);
	}
	pvrom_net_guest_kick(&card->receive);
}

const char *lwip_card_begin(struct lwip_card *card, struct pvrom_virtio *virtio, uint32_t address)
{
	/* lwIP makes and checks all sums itself. One queue pair, no commands: nothing here needs them. */
	const struct pvrom_net_guest_config settings = { .avoid = PVROM_NET_F_CSUM |
								  PVROM_NET_F_GUEST_CSUM |
								  PVROM_NET_F_CTRL_VQ,
							 .receive_copy = SHORT,
							 .send_copy = SHORT };
	const enum pvrom_virtio_result result =
		pvrom_net_guest_begin(&card->net, virtio, &settings);
	ip4_addr_t own = { PP_HTONL(address) }, mask = { PP_HTONL(0xffffff00u) }, none = { 0 };

	if (result)
		return pvrom_virtio_result_text(result);
	if (!open_queue(card, 0, &card->receive) || !open_queue(card, 1, &card->send))
		return "no queues";
	give_buffers(card);
	pvrom_net_guest_go(&card->net);
	if (!netif_add(&card->netif, &own, &mask, &none, card, set_up, ethernet_input))
		return "lwIP does not take it";
	netif_set_default(&card->netif);
	netif_set_up(&card->netif);
	return NULL;
}
