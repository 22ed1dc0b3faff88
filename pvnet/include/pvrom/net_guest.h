/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvnet, guest half: a driver for VIRTIO network cards, for any kernel and any transport.
 *
 *	1  open the device by its transport (<pvrom/virtio_guest.h>);
 *	2  pvrom_net_guest_begin(): features, address, limits, how many queue pairs;
 *	3  for queues 0 to 2 * net->pairs - 1 (even: receive, odd: send), and for net->control_number
 *	   unless that is PVROM_NET_GUEST_NO_QUEUE: memory of pvrom_net_guest_memory()'s sizes, then
 *	   pvrom_net_guest_queue();
 *	4  pvrom_net_guest_go(); with more than one pair, pvrom_net_guest_set_pairs();
 *	5  receive: pvrom_net_guest_give() buffers, pvrom_net_guest_kick() after a batch,
 *	   pvrom_net_guest_receive() in the interrupt or in a loop, and give the buffers again;
 *	6  send: pvrom_net_guest_send() each packet, pvrom_net_guest_kick() after a batch,
 *	   pvrom_net_guest_reclaim() what was sent.
 *
 * The driver allocates nothing and calls no function of the kernel but settings.wait; it waits for
 * a reset and for the answers of the control queue, both bounded.
 *
 * The device is not trusted. Headers, used entries and acknowledgements are read once and checked; a frame
 * whose header makes no sense is dropped and its buffers go back to the device; a device that breaks the rules
 * of the ring gets no more work (BROKEN), and after pvrom_net_guest_stop() every buffer can be had back. What
 * the driver cannot hold still is the frame itself: until it is copied (settings.receive_copy does that
 * up to any length) a hostile device may change the bytes of a buffer that it has given back.
 *
 * Threads: a queue is used by one CPU at a time (its lock is the caller's), different queues by different CPUs,
 * interrupts included; commands one at a time, beside working queues; begin, go and stop while no
 * queue is in use.
 */
#ifndef PVROM_NET_GUEST_H
#define PVROM_NET_GUEST_H

#include <pvrom/net.h>
#include <pvrom/virtio_guest.h>
#include <pvrom/virtqueue_driver.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PVROM_NET_GUEST_PAIRS 16u
#define PVROM_NET_GUEST_QUEUES (2 * PVROM_NET_GUEST_PAIRS)
#define PVROM_NET_GUEST_NO_QUEUE 0xffffu
#define PVROM_NET_GUEST_PIECES 64u    /* of a packet, and buffers of a received frame */
#define PVROM_NET_GUEST_FRAME 65557u  /* bytes: 14 of Ethernet, 8 of VLAN tags, 65,535 of IP */
#define PVROM_NET_GUEST_MACS 64u      /* of each kind in a MAC table */
#define PVROM_NET_GUEST_ENTRIES 128u  /* of the indirection table of RSS */
#define PVROM_NET_GUEST_COMMAND 1024u /* bytes of the longest command; a MAC table is 776 */

#define PVROM_NET_GUEST_RESULT_TABLE(X)                                                            \
	X(OK, 0, "done")                                                                           \
	X(FULL, 1, "no room until something comes back")                                           \
	X(UNSUPPORTED, 2, "the device does not do this")                                           \
	X(BAD_REQUEST, 3, "it makes no sense, or is beyond the limits")                            \
	X(BROKEN, 4, "the device broke the rules: stop it")                                        \
	X(REFUSED, 5, "the device refused the command")                                            \
	X(NO_ANSWER, 6, "the device has not answered; it may still obey")
enum pvrom_net_guest_result {
#define PVROM_NET_GUEST_NAME_(name, number, text) PVROM_NET_GUEST_##name = number,
	PVROM_NET_GUEST_RESULT_TABLE(PVROM_NET_GUEST_NAME_)
#undef PVROM_NET_GUEST_NAME_
};
const char *pvrom_net_guest_result_text(enum pvrom_net_guest_result result);

/* ---- a card -------------------------------------------------------------------------------------- */

struct pvrom_net_guest_config {
	uint64_t avoid; /* feature bits not to be taken, of the card or of rings */
	uint16_t pairs; /* queue pairs at most; 0: 1 */
	uint16_t size;	/* descriptors of a queue at most; 0: 256 */
	/* Bytes of every receive buffer, at least; 0: 2,048. Offloads that need more than this without
	 * MRG_RXBUF (VIRTIO 1.2, 5.1.6.3.1) are not taken; below 1,534 the device must have MRG_RXBUF. */
	uint32_t buffer;
	uint32_t receive_copy; /* frames of up to so many bytes are copied out; 0: none */
	uint32_t send_copy;    /* packets of up to so many bytes are copied in; 0: none */
	uint16_t pieces;       /* of a packet at most, up to PVROM_NET_GUEST_PIECES; 0: 18 */
	bool hash_report;      /* take HASH_REPORT: 8 bytes more before each frame */
	uint8_t reserved;
	/* Called between looks at the control queue, after `looks` of them (1 or more) for one command; false: give up
	 * (NO_ANSWER). NULL: 10,000,000 looks. */
	bool (*wait)(void *ctx, uint32_t looks);
	void *wait_ctx;
};

struct pvrom_net_guest_queue;

/* A network card. The caller's memory; the fields may be read. */
struct pvrom_net_guest {
	struct pvrom_virtio *virtio;
	struct pvrom_net_guest_config settings;
	struct pvrom_net_config config; /* as last read; what else is here was checked */
	uint64_t features;
	uint64_t offloads;     /* of PVROM_NET_F_GUEST_x: what the device may do now */
	uint32_t header_bytes; /* before each frame: 12 or 20 */
	uint32_t mtu;	       /* bytes of IP */
	uint32_t speed;	       /* Mbit/s, or PVROM_NET_SPEED_UNKNOWN */
	uint16_t pairs;
	uint16_t control_number; /* of the control queue, or PVROM_NET_GUEST_NO_QUEUE */
	uint8_t mac[6];
	bool has_mac; /* the device named a usable one; else the caller chooses */
	bool link_up;
	bool announce; /* the device wants the guest to announce itself, and to say that it has */
	bool full_duplex;
	bool running, stuck;
	uint8_t reserved;
	struct pvrom_net_guest_queue *queue[PVROM_NET_GUEST_QUEUES];
	/* The driver's: the control queue. */
	struct pvrom_net_guest_queue *control;
	uint8_t *command;
	uint64_t command_gpa;
	bool waiting; /* a command is with the device that nobody waits for any more */
	uint8_t reserved2[7];
	uint64_t bad_acks; /* counter: answers that are none */
};

/*
 * Resets the device that `virtio` is open on, negotiates features (VIRTIO 1.2, 5.1.3; of those only in 1.3
 * the ones of <pvrom/net.h>), reads and checks the configuration. settings are copied. NO_DEVICE: another
 * kind of device. FEATURES, MALFORMED, STUCK: not to be used.
 */
enum pvrom_virtio_result pvrom_net_guest_begin(struct pvrom_net_guest *net,
					       struct pvrom_virtio *virtio,
					       const struct pvrom_net_guest_config *settings);

/* What queue `number` needs; false: the device has no such queue. */
bool pvrom_net_guest_memory(struct pvrom_net_guest *net, uint16_t number,
			    struct pvrom_virtio_memory *memory);

/* Sets up queue `number`, each once, in that memory, which stays the driver's until the device was stopped.
 * False: the device refuses. */
bool pvrom_net_guest_queue(struct pvrom_net_guest *net, uint16_t number,
			   struct pvrom_net_guest_queue *queue,
			   const struct pvrom_virtio_memory *memory);

/* The device may work: the queues are set up (lower net->pairs first if fewer shall do). */
void pvrom_net_guest_go(struct pvrom_net_guest *net);

/*
 * Resets the device, for no reason or because it broke the rules. OK: everything can be had back by
 * pvrom_net_guest_take_back(). STUCK: it does not end its reset, and the memory of queues, buffers and
 * packets must not be used again. Begin anew afterwards.
 */
enum pvrom_virtio_result pvrom_net_guest_stop(struct pvrom_net_guest *net);

/* After stop, of a queue of it: the next buffer that was given and not taken (struct pvrom_net_guest_buffer *),
 * or the token of the next packet that was not reclaimed. False: none is left, or the device is stuck. */
bool pvrom_net_guest_take_back(struct pvrom_net_guest_queue *queue, void **token);

/* ---- queues -------------------------------------------------------------------------------------- */

/* A receive buffer. The caller's, in memory that the device cannot reach; the driver's from give until the frame
 * in it was taken. */
struct pvrom_net_guest_buffer {
	uint64_t gpa; /* as the device sees it */
	uint8_t *at;  /* as the CPU does; with at % 4 == 2 the IP header is aligned */
	uint32_t len; /* bytes of room, settings.buffer at least */
	uint32_t
		used; /* out: bytes of the frame in it, at `at` (in the first one behind the header) */
	struct pvrom_net_guest_buffer *next; /* out: where the frame goes on */
	void *context;			     /* the caller's */
};

/* A received frame. */
struct pvrom_net_guest_frame {
	uint8_t *small; /* in: settings.receive_copy bytes; NULL: this one is not to be copied */
	uint8_t *at;	/* its first bytes: in small, or in the first buffer */
	/* The buffers, to be given again after use. NULL: it was copied, and they were given again. */
	struct pvrom_net_guest_buffer *buffers;
	uint32_t len;	 /* bytes of it all, 14 at least */
	uint32_t hash;	 /* with HASH_REPORT */
	uint16_t report; /* PVROM_NET_HASH_REPORT_x */
	uint8_t flags; /* PVROM_NET_HDR_x: the checksum is open, or was found right, or (0) not looked at */
	uint8_t gso_type; /* PVROM_NET_GSO_x, several segments in one */
	uint16_t gso_size;
	uint16_t csum_start, csum_offset; /* NEEDS_CSUM: both in the frame */
	uint16_t reserved;
};

/* A piece of a packet: as the device sees it, and as the CPU does (needed only if it is copied). */
struct pvrom_net_guest_piece {
	uint64_t gpa;
	uint8_t *at;
	uint32_t len;
	uint32_t reserved;
};

/* A packet to be sent. The caller's; not looked at after send. */
struct pvrom_net_guest_packet {
	const struct pvrom_net_guest_piece *piece;
	uint32_t pieces;
	uint8_t flags; /* 0 or PVROM_NET_HDR_NEEDS_CSUM, with the pseudo header's sum in its place */
	uint8_t gso_type; /* PVROM_NET_GSO_x */
	uint16_t gso_size;
	uint16_t hdr_len; /* with a gso_type: bytes of headers before the payload */
	uint16_t csum_start, csum_offset;
	bool headroom; /* in front of the first piece net->header_bytes are free for the driver */
	bool copied;   /* out: the memory is the caller's again, the token will not come back */
	void *token;
};

/* A packet in flight; the driver's. */
struct pvrom_net_guest_place {
	void *token;
	uint16_t next;
	bool copied;
	uint8_t reserved[5];
};

/* A frame that is not yet all there; the driver's. */
struct pvrom_net_guest_part {
	struct pvrom_net_guest_buffer *first, *last;
	struct pvrom_net_header header;
	struct pvrom_net_hash hash; /* with HASH_REPORT */
	uint32_t len;
	uint16_t left; /* buffers that are to come */
	bool bad;
	uint8_t reserved;
};

/* Counters of a queue; never reset. */
struct pvrom_net_guest_counters {
	uint64_t frames, bytes; /* received and handed over, or taken for sending */
	uint64_t copied;	/* of these */
	uint64_t bad_length;	/* dropped: too short, too long, or a piece of nothing */
	uint64_t bad_merge;	/* dropped: spread over an impossible number of buffers */
	uint64_t bad_header;	/* dropped: checksum or segments that make no sense */
};

/* A queue. The caller's memory; the fields are the driver's, the counters may be read. */
struct pvrom_net_guest_queue {
	struct pvrom_net_guest *net;
	struct pvrom_vq_driver ring;
	uint16_t number;
	uint16_t free; /* send: first free place */
	uint32_t stride;
	bool owed; /* a bell, after go */
	uint8_t reserved[7];
	uint8_t *headers; /* send: of the places */
	uint64_t headers_gpa;
	struct pvrom_net_guest_place *place;
	struct pvrom_net_guest_part part; /* receive */
	struct pvrom_net_guest_counters counters;
};

/*
 * Gives a receive queue a buffer; the device sees it at the next kick. Also before go. FULL: the ring is.
 * BAD_REQUEST: shorter than settings.buffer. BROKEN.
 */
enum pvrom_net_guest_result pvrom_net_guest_give(struct pvrom_net_guest_queue *queue,
						 struct pvrom_net_guest_buffer *buffer);

/*
 * Takes at most `count` frames, dropped ones counted; returns how many are in frames[]. Kick afterwards:
 * buffers of dropped and copied frames were given again. *broken, not changed otherwise, is set if the
 * device broke the ring's rules.
 */
uint32_t pvrom_net_guest_receive(struct pvrom_net_guest_queue *queue,
				 struct pvrom_net_guest_frame *frames, uint32_t count,
				 bool *broken);

/*
 * Takes a packet for sending; the device sees it at the next kick. FULL: reclaim first. UNSUPPORTED: what it asks
 * for was not negotiated. BAD_REQUEST: no pieces or too many, shorter than 14 or longer than
 * PVROM_NET_GUEST_FRAME bytes, beyond the MTU without being cut, or a place that is not in it.
 */
enum pvrom_net_guest_result pvrom_net_guest_send(struct pvrom_net_guest_queue *queue,
						 struct pvrom_net_guest_packet *packet);

/* Tokens of packets that were sent, at most `count` (not 0); returns how many. broken as above. */
uint32_t pvrom_net_guest_reclaim(struct pvrom_net_guest_queue *queue, void **tokens, uint32_t count,
				 bool *broken);

/* Shows the device what was given or sent, and rings if it wants that. */
void pvrom_net_guest_kick(struct pvrom_net_guest_queue *queue);

/* Interrupts at the `after`th buffer from now on that comes back, or (0) preferably none. True if something
 * is there already, for which none may come. */
bool pvrom_net_guest_interrupts(struct pvrom_net_guest_queue *queue, uint32_t after);

/* ---- changes ------------------------------------------------------------------------------------- */

/*
 * After an interrupt for PVROM_VIRTIO_CHANGED: reads link_up, announce, speed. Nothing else of a configuration may
 * change. BROKEN: the device wants a reset, or its configuration never holds still.
 */
enum pvrom_net_guest_result pvrom_net_guest_changed(struct pvrom_net_guest *net);

/* ---- commands: VIRTIO 1.2, 5.1.6.5 --------------------------------------------------------------- */

/*
 * Each waits for the answer, and answers OK, UNSUPPORTED (not negotiated), BAD_REQUEST, REFUSED, NO_ANSWER
 * or BROKEN. After NO_ANSWER a further command first waits for the answer of the one before.
 */

/* Mode PVROM_NET_CTRL_RX_x on or off. */
enum pvrom_net_guest_result pvrom_net_guest_receive_mode(struct pvrom_net_guest *net, uint8_t mode,
							 bool on);
/* Frames to these addresses are wanted, at most PVROM_NET_GUEST_MACS of each kind. */
enum pvrom_net_guest_result pvrom_net_guest_mac_table(struct pvrom_net_guest *net,
						      const uint8_t (*unicast)[6],
						      uint32_t unicasts,
						      const uint8_t (*multicast)[6],
						      uint32_t multicasts);
enum pvrom_net_guest_result pvrom_net_guest_set_mac(struct pvrom_net_guest *net,
						    const uint8_t mac[6]);
/* VLAN 0 to 4095 is wanted, or no longer. */
enum pvrom_net_guest_result pvrom_net_guest_vlan(struct pvrom_net_guest *net, uint16_t vlan,
						 bool add);
/* The guest has announced itself. */
enum pvrom_net_guest_result pvrom_net_guest_announced(struct pvrom_net_guest *net);
/* The first `pairs` queue pairs are used; 1 after go. */
enum pvrom_net_guest_result pvrom_net_guest_set_pairs(struct pvrom_net_guest *net, uint16_t pairs);

/* Receive-side scaling, VIRTIO 1.2, 5.1.6.5.7. */
struct pvrom_net_guest_rss {
	uint32_t types;	  /* PVROM_NET_HASH_x, of those that config.supported_hash_types has */
	uint16_t entries; /* of table[]: a power of two up to PVROM_NET_GUEST_ENTRIES */
	uint16_t other;	  /* pair for frames without a hash */
	uint16_t pairs;	  /* queue pairs in use */
	uint16_t reserved;
	const uint16_t *table; /* pairs */
	const uint8_t *key;    /* PVROM_NET_HASH_KEY_BYTES */
};
enum pvrom_net_guest_result pvrom_net_guest_rss(struct pvrom_net_guest *net,
						const struct pvrom_net_guest_rss *rss);
/* What HASH_REPORT says, without RSS: types and key. */
enum pvrom_net_guest_result pvrom_net_guest_hash(struct pvrom_net_guest *net, uint32_t types,
						 const uint8_t key[PVROM_NET_HASH_KEY_BYTES]);
/* Of the negotiated PVROM_NET_F_GUEST_x these, from now on. */
enum pvrom_net_guest_result pvrom_net_guest_set_offloads(struct pvrom_net_guest *net,
							 uint64_t offloads);
/* Interrupts of all receive (or send) queues: one for so many packets, or after so long. */
enum pvrom_net_guest_result pvrom_net_guest_coalesce(struct pvrom_net_guest *net, bool receive,
						     uint32_t packets, uint32_t usecs);

#ifdef __cplusplus
}
#endif

#endif
