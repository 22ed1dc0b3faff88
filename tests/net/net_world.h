/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A machine for the network card alone: an array as guest memory, all queues of the card with the driver's
 * half behind each, and a backend that keeps what it is given.
 */
#ifndef TESTS_NET_WORLD_H
#define TESTS_NET_WORLD_H

#include <pvrom/net_host.h>
#include <pvrom/virtqueue_driver.h>

#define WORLD_PAIRS 4u
#define WORLD_QUEUES (2 * WORLD_PAIRS + 1)
#define WORLD_QUEUE_SIZE 64u
#define WORLD_MEMORY 0x1000000u /* bytes of guest memory, from guest-physical 0 on */
#define WORLD_DATA 0x400000u	/* a test's own; queues lie below */
#define WORLD_FRAMES 2100u

struct world_frame {
	struct pvrom_net_header header;
	uint32_t len;
	uint8_t *bytes;
};

struct world_queue {
	struct pvrom_net_queue queue;
	struct pvrom_vq_driver driver;
	struct pvrom_net_buffer pool[WORLD_QUEUE_SIZE];
	struct pvrom_vq_device_slot slots[WORLD_QUEUE_SIZE];
	struct pvrom_vq_driver_slot driver_slots[WORLD_QUEUE_SIZE];
	uint32_t next_data; /* where the next buffer of a receive queue lies */
};

struct net_world {
	struct pvrom_net_host host;
	struct pvrom_net_backend backend;
	struct pvrom_net_backend *behind; /* in the place of `backend`, if there is one */
	struct world_queue queue[WORLD_QUEUES];
	struct world_frame sent[WORLD_FRAMES]; /* what the backend got */
	uint32_t sent_count;
	uint64_t told_offloads;
	bool refuse; /* the backend takes nothing */
	uint8_t whole[PVROM_NET_FRAME_MAX], segment[PVROM_NET_FRAME_MAX];
	uint8_t *memory;
};

/* A card of `pairs` pairs; the driver takes `features` (NET_ALL: all that are offered), and ring_features. */
#define NET_ALL UINT64_MAX
struct net_world *net_world_open(uint32_t pairs, uint64_t can, uint64_t features,
				 uint64_t ring_features);
/* The driver takes all but these; NULL: what is left does not go together. */
struct net_world *net_world_open_without(uint32_t pairs, uint64_t can, uint64_t without,
					 uint64_t ring_features);
/* The same on a backend of the caller's, which outlives the world. */
struct net_world *net_world_open_on(struct pvrom_net_backend *behind, uint32_t pairs,
				    uint64_t without, uint64_t ring_features);
void net_world_close(struct net_world *w);
void net_world_forget_sent(struct net_world *w);

/* Puts a frame with its header into a transmit queue, in pieces of at most `piece` bytes, and runs the card. */
bool net_world_send(struct net_world *w, uint32_t pair, const struct pvrom_net_header *header,
		    const uint8_t *bytes, size_t len, uint32_t piece);
/* The same with bytes as they are, header and all. */
bool net_world_send_raw(struct net_world *w, uint32_t pair, const void *bytes, size_t len,
			uint32_t piece);

/* Gives a receive queue one buffer of `len` bytes. */
bool net_world_give(struct net_world *w, uint32_t pair, uint32_t len);

/* A frame that the driver finds in a receive queue, taken out of as many buffers as its header says. */
struct world_received {
	struct pvrom_net_header header;
	struct pvrom_net_hash hash;
	uint32_t len; /* of the frame */
	uint8_t bytes[PVROM_NET_FRAME_MAX];
};
bool net_world_take(struct net_world *w, uint32_t pair, struct world_received *received);

/* A command: the acknowledgement, or -1 when none was written. `data` is all behind class and number. */
int net_world_command(struct net_world *w, uint8_t class, uint8_t number, const void *data,
		      size_t len);
/* Any buffer into the control queue; the same answer. */
int net_world_command_raw(struct net_world *w, const void *readable, size_t len, uint32_t writable);
/* A command, class and number too, in descriptors of at most `piece` bytes. */
int net_world_command_cut(struct net_world *w, const void *bytes, size_t len, uint32_t piece);

#endif
