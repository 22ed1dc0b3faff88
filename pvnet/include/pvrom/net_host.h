/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvnet, host half: a VIRTIO 1.2 network card for any embedder, without a socket, a file or a thread.
 *
 * Queues bring frames of the driver, a backend carries them; between the two stands the card: it checks
 * what is asked for, does itself what the backend cannot, decides which frames the driver gets and in
 * which of its queues, and obeys the control queue. Everything is allocated by the caller. To embed it:
 *
 *	1  choose a backend (struct pvrom_net_backend is the interface);
 *	2  fill in struct pvrom_net_host_setup, call pvrom_net_host_init();
 *	3  offer pvrom_net_host_features(), and say with pvrom_net_host_accept() what the driver took;
 *	4  for each queue that the driver enables: pvrom_net_queue_init();
 *	5  when the driver rings: pvrom_net_transmit() or pvrom_net_control() for that queue;
 *	6  when a frame comes from outside: pvrom_net_receive();
 *	7  after a batch of these: pvrom_net_queue_publish(), and interrupt the driver as it says.
 *
 * Queues are numbered as in VIRTIO 1.2, 5.1.2: 2n receives and 2n + 1 transmits, for each pair n; the
 * control queue is pvrom_net_control_queue().
 *
 * Guests lie: a frame that makes no sense is counted and dropped, its buffer comes back, and the queue
 * goes on. Headers and commands are copied once, then checked. No buffer is lost.
 *
 * Threads: one card is used by one thread at a time; the backend's functions are called from inside
 * these, and may call back none.
 */
#ifndef PVROM_NET_HOST_H
#define PVROM_NET_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/limit.h>
#include <pvrom/net.h>
#include <pvrom/net_frame.h>
#include <pvrom/virtqueue_device.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PVROM_NET_PAIRS_MAX 16u	   /* queue pairs of a card */
#define PVROM_NET_MACS_MAX 64u	   /* filtered exactly, of each kind; more: all of that kind pass */
#define PVROM_NET_RSS_ENTRIES 128u /* of the indirection table */
#define PVROM_NET_PIECES 64u	   /* of host memory in one buffer of the driver */
#define PVROM_NET_MTU_LEAST 68u	   /* VIRTIO 1.2, 5.1.4.1 */

/* ---- the backend ---------------------------------------------------------------------------------- */

struct pvrom_net_backend;
struct pvrom_net_backend_ops {
	/*
	 * Carries one frame, which lies in the `pieces` from byte `skip` of the first on; the memory is the
	 * backend's until it returns, and a guest may change it meanwhile. `header` asks only for what
	 * `can` says; whether it fits the frame is for the backend to check, as Linux's tap does.
	 * false: it could not be taken, and is lost.
	 */
	bool (*send)(struct pvrom_net_backend *backend, const struct pvrom_net_header *header,
		     const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip);
	/* The driver now takes these of PVROM_NET_F_GUEST_x; frames may be handed in so. May be NULL. */
	void (*offloads)(struct pvrom_net_backend *backend, uint64_t guest);
};

/* The head of every backend's own structure. The backend fills it in before pvrom_net_host_init(). */
struct pvrom_net_backend {
	const struct pvrom_net_backend_ops *ops;
	uint64_t can;	/* PVROM_NET_F_CSUM and F_HOST_x: it takes and checks such frames itself */
	uint64_t gives; /* PVROM_NET_F_GUEST_TSOx, _ECN, _USOx: what it hands in may be such */
	uint32_t mtu;	/* bytes of IP that it carries at most, 68 to 65,535 */
	uint32_t speed; /* Mbit/s, or PVROM_NET_SPEED_UNKNOWN */
	uint32_t pair;	/* set by the card before send: whose transmit queue the frame comes from */
};

/* ---- the card --------------------------------------------------------------------------------------- */

struct pvrom_net_host_setup {
	struct pvrom_net_backend *backend; /* outlives the card */
	uint8_t mac[6];			   /* a unicast address */
	uint16_t mtu;			   /* told to the driver; 0: F_MTU is not offered */
	uint16_t pairs;			   /* queue pairs, 1 to PVROM_NET_PAIRS_MAX */
	uint64_t withhold;		   /* feature bits that are not to be offered */
	/* Two buffers of PVROM_NET_FRAME_MAX bytes, used inside calls only; cards of one thread may share. */
	uint8_t *whole, *segment;
	/* Of the driver's frames, and of those for it; NULL: none. A frame that is cut counts as one. */
	struct pvrom_limit *send_limit, *receive_limit;
	uint64_t (*now)(void *ctx); /* ns, for the limits; may be NULL without any */
	void *now_ctx;
};

/* Frames since init, by what became of them; kept over reset, saved and loaded. */
struct pvrom_net_counters {
	uint64_t sent, sent_bytes; /* handed to the backend, segments counted each */
	uint64_t send_failed;	   /* the backend did not take them */
	uint64_t malformed;	   /* the header asks for what must not be, or nothing is there */
	uint64_t received, received_bytes; /* handed to the driver, segments counted each */
	uint64_t filtered;		   /* not for this driver */
	uint64_t no_buffer;		   /* the driver had none, or too few */
	uint64_t too_small;		   /* the driver's buffer was */
	uint64_t refused;		   /* from outside, with a header that makes no sense */
	uint64_t over_mtu;		   /* from outside, longer than the driver was told */
	uint64_t link_down;
	uint64_t commands, commands_failed; /* of the control queue */
};

struct pvrom_net_macs {
	uint16_t count; /* of address[] */
	bool overflow;	/* the driver named more than there is room for: all of this kind pass */
	uint8_t address[PVROM_NET_MACS_MAX][6];
};

struct pvrom_net_steering {
	uint16_t pairs; /* in use */
	bool rss;	/* by table[] and key; else flow by flow */
	uint32_t types; /* PVROM_NET_HASH_x that are told, and with rss go by */
	uint16_t mask;	/* entries of table[] - 1 */
	uint16_t other; /* pair for frames that have no hash */
	uint16_t table[PVROM_NET_RSS_ENTRIES];
	uint8_t key[PVROM_NET_HASH_KEY_BYTES];
};

struct pvrom_net_coalesce {
	uint32_t packets, usecs; /* 0 packets: each alone */
};

/* What the driver may have set, and what a reset takes back. */
struct pvrom_net_driver_state {
	uint64_t accepted; /* features in force */
	uint64_t offloads; /* of PVROM_NET_F_GUEST_x: what may be handed to the driver now */
	uint8_t mac[6];
	bool promiscuous, all_multicast, all_unicast, no_multicast, no_unicast, no_broadcast;
	struct pvrom_net_macs unicast, multicast;
	uint64_t vlan[64]; /* a bit each */
	struct pvrom_net_steering steering;
	struct pvrom_net_coalesce transmit, receive;
};

struct pvrom_net_queue;
struct pvrom_net_host {
	struct pvrom_net_host_setup setup;
	struct pvrom_net_driver_state driver;
	struct pvrom_net_counters counters;
	bool link_up, announce;
	uint32_t generation; /* of the configuration: rises with each change by the device */
	uint64_t send_at, receive_at; /* ns; when the limits let the next frame go */
	uint32_t from; /* inside pvrom_net_receive_from(): the backend's queue plus 1 */
	struct pvrom_net_queue *receive[PVROM_NET_PAIRS_MAX];
};

/* Sets up a card in the caller's memory, link up. false: the setup contradicts itself or the backend. */
bool pvrom_net_host_init(struct pvrom_net_host *host, const struct pvrom_net_host_setup *setup);

/*
 * The feature bits of the card that are offered; those of ring and transport are theirs. What the driver may
 * ask for with a frame is always among them, since the card does it where the backend cannot, and one large
 * buffer is cheaper to carry than its segments. What it must be ready to get follows the backend: no frame is
 * made larger here, and a driver without mergeable buffers pays for being ready.
 */
uint64_t pvrom_net_host_features(const struct pvrom_net_host *host);

/*
 * The driver took these (bits 24 to 50, which are not the card's, are ignored). false, and nothing changes:
 * one was not offered, or lacks another that it needs (VIRTIO 1.2, 5.1.3.1).
 */
bool pvrom_net_host_accept(struct pvrom_net_host *host, uint64_t features);

/* Reads of configuration space; bytes behind its end read zero. There is nothing to write. */
void pvrom_net_host_config_read(const struct pvrom_net_host *host, uint32_t offset, void *to,
				uint32_t len);

/* Each true when the configuration changed: interrupt the driver for that. */
bool pvrom_net_host_set_link(struct pvrom_net_host *host, bool up);
/* Asks the driver to announce itself, as after a migration; false if it cannot. */
bool pvrom_net_host_announce(struct pvrom_net_host *host);

/* Reset by the driver: all that it set is as after init. Its queues are gone. */
void pvrom_net_host_reset(struct pvrom_net_host *host);

#define PVROM_NET_NO_QUEUE UINT32_MAX
/* Number of the control queue, as the accepted features have it; PVROM_NET_NO_QUEUE without CTRL_VQ. */
uint32_t pvrom_net_control_queue(const struct pvrom_net_host *host);
/* Queue pairs that the driver uses. */
uint32_t pvrom_net_host_pairs(const struct pvrom_net_host *host);
/*
 * Where the control queue is another's, as a vhost-user front end's: the pairs that the driver uses now, from
 * the first on. false, and nothing changes: there are not so many.
 */
bool pvrom_net_host_use_pairs(struct pvrom_net_host *host, uint32_t pairs);

/*
 * Saved state; the queues' positions are the embedder's, which drains (pvrom_net_queue_drain) and publishes each
 * before it asks for them. save writes at most room bytes and returns how
 * many it needs. load wants a card just set up alike; false, and nothing changed: it does not fit, or is
 * damaged.
 */
size_t pvrom_net_host_save(const struct pvrom_net_host *host, void *buffer, size_t room);
bool pvrom_net_host_load(struct pvrom_net_host *host, const void *buffer, size_t size);

/* ---- queues --------------------------------------------------------------------------------------- */

/* A buffer of the driver's in the card's hands. The caller's memory, which need not be set. */
struct pvrom_net_buffer {
	struct pvrom_vq_request request;
	struct pvrom_vq_piece piece[PVROM_NET_PIECES];
};

#define PVROM_NET_BURST 64u /* small buffers that are looked at together */

/* A virtqueue of the card. The caller's memory. */
struct pvrom_net_queue {
	struct pvrom_vq_device ring;
	struct pvrom_net_host *host;
	struct pvrom_net_buffer *buffer;
	uint32_t buffers;
	uint32_t number;
	uint32_t first,
		held; /* receive: buffers popped and not yet filled, from `first` on, in a circle */
	uint32_t unpublished; /* completed since publish */
	uint32_t unsignalled; /* completed since the last interrupt was asked for */
	uint64_t since;	      /* ns; when the first of these was */
	/* Receive: buffers looked at; of them, those that have been filled, and that the ring knows to be. */
	struct pvrom_vq_plain plain[PVROM_NET_BURST];
	uint32_t looked, filled, settled;
	bool due;     /* the driver wants an interrupt for these */
	bool starved; /* receive: the last frame for it found too few buffers */
	bool broken;  /* the driver broke the ring's rules: the card needs a reset */
};

/*
 * Sets up queue `number` of the card with a pool of buffers: receive, as many as one frame may be spread
 * over with MRG_RXBUF (64 or more let any driver in); else one is enough.
 * Answers what pvrom_vq_device_init() does.
 */
enum pvrom_vq_result pvrom_net_queue_init(struct pvrom_net_queue *queue,
					  struct pvrom_net_host *host, uint32_t number,
					  const struct pvrom_vq_device_config *config,
					  struct pvrom_net_buffer *pool, uint32_t count);

/*
 * Guest memory is about to change under the queue: what the card holds of a receive queue goes back into the
 * ring, or comes back empty where a record of buffers in flight stands in the way; publish after it.
 */
void pvrom_net_queue_drain(struct pvrom_net_queue *queue);
/* The same, and the card knows the queue no more: until it is set up again frames go to others. */
void pvrom_net_queue_stop(struct pvrom_net_queue *queue);

/* Sends at most `budget` frames of a transmit queue; returns how many buffers were taken. */
uint32_t pvrom_net_transmit(struct pvrom_net_queue *queue, uint32_t budget);

/*
 * Whether a limit lets nothing go now, of the driver's frames or of those for it; when (ns) it will again, 0: it
 * does now. pvrom_net_transmit() looks by itself; a backend asks before it brings the next frame.
 */
uint64_t pvrom_net_send_held(const struct pvrom_net_host *host);
uint64_t pvrom_net_receive_held(const struct pvrom_net_host *host);

/* Obeys at most `budget` commands of the control queue; returns how many. */
uint32_t pvrom_net_control(struct pvrom_net_queue *queue, uint32_t budget);

enum pvrom_net_fate {
	PVROM_NET_DELIVERED,
	PVROM_NET_FILTERED,  /* not for this driver, or the link is down */
	PVROM_NET_NO_BUFFER, /* may be handed in again later; segments before it were delivered */
	PVROM_NET_DROPPED,   /* malformed, or too long for the driver's buffers */
};
/*
 * A frame from outside, in private memory, for the queue that steering chooses. `header` says what of
 * its checksum is open and whether it is to be cut, num_buffers aside.
 */
enum pvrom_net_fate pvrom_net_receive(struct pvrom_net_host *host,
				      const struct pvrom_net_header *header, const uint8_t *bytes,
				      size_t len);
/*
 * The same for a backend that has queues of its own and keeps flows together in them: a frame of its queue `pair`
 * goes to the driver's of that number, as one does that pvrom_net_room() was had for, unless the driver set RSS or uses fewer.
 */
enum pvrom_net_fate pvrom_net_receive_from(struct pvrom_net_host *host, uint32_t pair,
					   const struct pvrom_net_header *header,
					   const uint8_t *bytes, size_t len);

/*
 * A frame waits: asks the driver to ring a receive queue that had too few buffers for one. true: it has some already,
 * and may not ring; try again. Queues that lack nothing are left alone: what lies in them is no help.
 */
bool pvrom_net_queue_await(struct pvrom_net_queue *queue);

/* A part of a buffer, in host memory; as struct iovec of POSIX. */
struct pvrom_net_vec {
	void *base;
	size_t len;
};

/*
 * For a backend that can write a frame straight into the driver's buffers, behind the place of the header: fills
 * vec[most] with room for `want` bytes of one frame in the receive queue of a pair, and returns how
 * many are used. 0: not possible now: the driver has too few buffers, wants frames steered or hashed, the link
 * is down; then pvrom_net_receive(). The buffers stay the card's; the room may be left unused.
 */
uint32_t pvrom_net_room(struct pvrom_net_host *host, uint32_t pair, struct pvrom_net_vec *vec,
			uint32_t most, size_t want);
/*
 * A frame of len bytes, at most what room was asked for, has been written there. `header` is the backend's own
 * and not checked: it asks for nothing but what the backend was told with `offloads`.
 */
enum pvrom_net_fate pvrom_net_arrived(struct pvrom_net_host *host, uint32_t pair,
				      const struct pvrom_net_header *header, size_t len);

/*
 * Shows the driver what is complete. true: interrupt it. With coalescing, *again says when (ns) to call
 * once more at the latest, UINT64_MAX: no need. `now` is any clock in ns that never steps back.
 */
bool pvrom_net_queue_publish(struct pvrom_net_queue *queue, uint64_t now, uint64_t *again);

#ifdef __cplusplus
}
#endif
#endif
