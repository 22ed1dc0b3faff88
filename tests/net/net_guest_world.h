/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The network driver and the network card in one process: a transport of function calls between the two halves of
 * pvnet over an array of bytes, whose answers a test may falsify, and a wire that keeps what was sent.
 */
#ifndef TESTS_NET_GUEST_WORLD_H
#define TESTS_NET_GUEST_WORLD_H

#include <pvrom/net_guest.h>
#include <pvrom/net_host.h>

#define NGW_MEMORY 0x2000000u
#define NGW_BUFFERS_AT 0x800000u /* receive buffers; below: the queues */
#define NGW_DATA 0x1800000u	 /* a test's own, from here on */
#define NGW_PAIRS 4u
#define NGW_QUEUES (2 * NGW_PAIRS + 1)
#define NGW_LONGEST 256u /* of a queue */
#define NGW_BUFFERS 128u /* of a receive queue, at most */
#define NGW_BUFFER_ROOM 0x8000u
#define NGW_SENT 2100u
#define NGW_HASH_BYTES 20u

struct ngw_sent {
	struct pvrom_net_header header;
	uint32_t len;
	uint8_t *bytes;
};

/* What the world is made with; all zeroes: one pair, everything offered, split rings. */
struct ngw_setup {
	uint16_t pairs;		/* of the card; 0: 1 */
	uint16_t mtu;		/* told to the driver; 0: not */
	uint64_t withhold, can; /* of the card, of the wire */
	uint64_t ring;		/* features of rings */
};

struct net_guest_world {
	struct pvrom_virtio virtio;  /* first */
	struct pvrom_virtio_ops ops; /* a test may put in its own */
	uint8_t *memory;	     /* guest-physical 0 on */
	uint64_t free;		     /* memory for queues from here on */
	uint64_t ring_features, offered_too;
	struct pvrom_net_host host;
	struct pvrom_net_backend wire;
	struct pvrom_net_queue device[NGW_QUEUES];
	struct pvrom_vq_device_slot slots[NGW_QUEUES][NGW_LONGEST];
	struct pvrom_net_buffer *pool[NGW_QUEUES];
	bool alive[NGW_QUEUES];
	struct ngw_sent sent[NGW_SENT];
	uint32_t sent_count;
	struct pvrom_net_guest net;
	struct pvrom_net_guest_queue queue[NGW_QUEUES];
	void *own[NGW_QUEUES];
	struct pvrom_net_guest_buffer buffer[NGW_PAIRS][NGW_BUFFERS];
	uint32_t status, why, longest, bells[NGW_QUEUES], interrupts[NGW_QUEUES];
	uint32_t patience; /* looks at the control queue; each lets the card run */
	bool deaf;	   /* the card does not obey commands */
	void (*instead)(struct net_guest_world *w); /* runs then, and not the card */
	uint8_t whole[PVROM_NET_FRAME_MAX], segment[PVROM_NET_FRAME_MAX];
};

/* A card, not yet begun; setup may be NULL. Ends the program if that cannot be. */
struct net_guest_world *net_guest_world_open(const struct ngw_setup *setup);
/*
 * begin, memory, queues, `buffers` to each receive queue, go, and all pairs if there are several: what begin
 * answers, or MALFORMED if a queue or the pairs cannot be had. settings may be NULL.
 */
enum pvrom_virtio_result net_guest_world_begin(struct net_guest_world *w,
					       const struct pvrom_net_guest_config *settings,
					       uint32_t buffers);
/* The card sends and obeys, and publishes. */
void net_guest_world_run(struct net_guest_world *w);
/* A frame comes from the wire. */
enum pvrom_net_fate net_guest_world_arrive(struct net_guest_world *w,
					   const struct pvrom_net_header *header,
					   const uint8_t *bytes, size_t len);
void net_guest_world_forget_sent(struct net_guest_world *w);
void net_guest_world_close(struct net_guest_world *w);

/* Sends bytes at NGW_DATA, of which the caller has put `len` there, in one piece; kicks and lets the card run. */
enum pvrom_net_guest_result net_guest_world_send(struct net_guest_world *w, uint32_t pair,
						 const struct pvrom_net_header *header,
						 uint32_t len);
/* The next frame of a pair, copied together; its buffers are given again. False: there is none. */
struct ngw_received {
	struct pvrom_net_guest_frame frame;
	uint32_t buffers; /* that it lay in; 0: copied by the driver */
	uint8_t bytes[PVROM_NET_GUEST_FRAME];
	uint8_t small[PVROM_NET_GUEST_FRAME];
};
bool net_guest_world_take(struct net_guest_world *w, uint32_t pair, struct ngw_received *r);

#endif
