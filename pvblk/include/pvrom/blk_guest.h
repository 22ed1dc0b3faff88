/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvblk, guest half: a driver for VIRTIO block devices, for any kernel and any transport.
 *
 *	1  open the device by its transport (<pvrom/virtio_guest.h>);
 *	2  pvrom_blk_guest_begin(): features, limits, how many queues and how long;
 *	3  for each queue: memory of pvrom_blk_guest_memory()'s sizes, pvrom_blk_guest_queue();
 *	4  pvrom_blk_guest_go();
 *	5  pvrom_blk_guest_submit() each request, pvrom_blk_guest_kick() after a batch;
 *	6  pvrom_blk_guest_poll() in the interrupt, or in a loop: it calls request->done.
 *
 * The driver allocates nothing, waits for nothing but a reset, and calls no function of the kernel but done.
 *
 * The device is not trusted. Of what lies in memory that the device can write, only status bytes,
 * used entries and the data of reads are ever read, each once. A device that breaks the rules of the ring
 * gets no more work (BROKEN); pvrom_blk_guest_stop() then gives every request back. With bounce buffers
 * the device never sees an address of the caller's: data goes through memory of the queue.
 *
 * Threads: a queue is used by one CPU at a time (its lock is the caller's), different queues by different
 * CPUs; begin, go, stop, changed and set_writeback while no queue is in use. Any context, interrupts too.
 */
#ifndef PVROM_BLK_GUEST_H
#define PVROM_BLK_GUEST_H

#include <pvrom/blk.h>
#include <pvrom/virtio_guest.h>
#include <pvrom/virtqueue_driver.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PVROM_BLK_GUEST_QUEUES 16u
#define PVROM_BLK_GUEST_RANGES 16u /* in one request */
#define PVROM_BLK_GUEST_SEGMENTS 126u

#define PVROM_BLK_GUEST_RESULT_TABLE(X)                                                            \
	X(OK, 0, "done")                                                                           \
	X(FAILED, 1, "the device failed it")                                                       \
	X(UNSUPPORTED, 2, "the device does not do this")                                           \
	X(BAD_REQUEST, 3, "it does not fit the disk or its limits")                                \
	X(FULL, 4, "no room until another one is done")                                            \
	X(BROKEN, 5, "the device broke the rules: stop it")                                        \
	X(CANCELLED, 6, "the device was reset before it was done")                                 \
	X(STUCK, 7, "the same, but the device may still use the request's memory")                 \
	X(SHORT, 8, "the device says done and wrote less than all")
enum pvrom_blk_guest_result {
#define PVROM_BLK_GUEST_NAME_(name, number, text) PVROM_BLK_GUEST_##name = number,
	PVROM_BLK_GUEST_RESULT_TABLE(PVROM_BLK_GUEST_NAME_)
#undef PVROM_BLK_GUEST_NAME_
};
const char *pvrom_blk_guest_result_text(enum pvrom_blk_guest_result result);

/* ---- requests ------------------------------------------------------------------------------------ */

/* A part of the data: as the device sees it, and (with bounce buffers only) as the CPU does. */
struct pvrom_blk_guest_piece {
	uint64_t gpa;
	void *at;
	uint32_t len; /* bytes */
	uint32_t reserved;
};

/* The caller's, private; the driver's from submit until done was called. */
struct pvrom_blk_guest_request {
	uint32_t type; /* PVROM_BLK_T_x */
	uint32_t pieces;
	uint64_t sector; /* IN, OUT */
	/* IN, OUT: multiples of 512 bytes in all; GET_ID: PVROM_BLK_ID_BYTES; else none. Not looked at after submit
	 * but by IN and GET_ID with bounce buffers. */
	const struct pvrom_blk_guest_piece *piece;
	/* DISCARD, WRITE_ZEROES, SECURE_ERASE; copied by submit. */
	const struct pvrom_blk_range *range;
	uint32_t ranges;
	enum pvrom_blk_guest_result result; /* when done is called */
	/* Called by poll or stop, exactly once after each submit that answered OK; may submit. */
	void (*done)(struct pvrom_blk_guest_request *request);
	void *context; /* the caller's */
	/* The driver's. */
	uint32_t bytes; /* of data */
	uint16_t index; /* its place in the queue's memory */
	uint16_t reserved;
};

/* ---- a disk -------------------------------------------------------------------------------------- */

struct pvrom_blk_guest_config {
	uint64_t avoid;	   /* feature bits not to be taken, of the device or of rings */
	uint16_t queues;   /* at most; 0: 1 */
	uint16_t size;	   /* descriptors of a queue at most; 0: 128 */
	uint16_t segments; /* pieces of a request at most, 1 to PVROM_BLK_GUEST_SEGMENTS; 0: 16 */
	uint16_t reserved;
	uint32_t bounce; /* bytes of bounce buffer for each request, multiple of 512; 0: none */
};

struct pvrom_blk_guest;

/* What the device and the driver share of one request; the driver's, in the queue's shared memory. */
struct pvrom_blk_guest_shared {
	struct pvrom_blk_header header;			      /* 0, readable */
	struct pvrom_blk_range range[PVROM_BLK_GUEST_RANGES]; /* 16, readable */
	uint8_t status;					      /* 272, writable, alone */
	uint8_t unused[15];
};

/* A queue. The caller's memory; the fields are the driver's. */
struct pvrom_blk_guest_queue {
	struct pvrom_blk_guest *blk;
	struct pvrom_vq_driver ring;
	struct pvrom_blk_guest_shared *shared;
	uint64_t shared_gpa;
	uint8_t *bounce;
	uint64_t bounce_gpa;
	uint16_t *next; /* free list of places, private */
	uint16_t free, number;
	uint32_t in_flight;
	uint64_t bad_status, shorts; /* counters: answers that made no sense */
};

/* A disk. The caller's memory; the fields may be read. */
struct pvrom_blk_guest {
	struct pvrom_virtio *virtio;
	struct pvrom_blk_guest_config settings;
	struct pvrom_blk_config config; /* as last read */
	uint64_t features;
	uint64_t sectors;		  /* of 512 bytes */
	uint32_t segments, segment_bytes; /* limits of a request */
	uint32_t bounce_bytes;		  /* the same with bounce buffers; 0: there are none */
	uint32_t ranges
		[3]; /* limits by type: DISCARD, WRITE_ZEROES, SECURE_ERASE; 0: not possible */
	uint16_t queues;
	bool read_only;
	bool writeback; /* writes are stable after a FLUSH only */
	bool running;
	struct pvrom_blk_guest_queue *queue[PVROM_BLK_GUEST_QUEUES];
};

/*
 * Resets the device that `virtio` is open on, negotiates features, reads and checks the configuration. settings
 * are copied. NO_DEVICE: another kind of device. Afterwards blk->queues says how many queues there may be, at
 * most as many as were asked for.
 */
enum pvrom_virtio_result pvrom_blk_guest_begin(struct pvrom_blk_guest *blk,
					       struct pvrom_virtio *virtio,
					       const struct pvrom_blk_guest_config *settings);

/* What queue `number` needs; false: the device has no such queue. */
bool pvrom_blk_guest_memory(struct pvrom_blk_guest *blk, uint16_t number,
			    struct pvrom_virtio_memory *memory);

/* Sets up queue `number` (0 to blk->queues - 1, each once) in that memory, which stays the driver's until the
 * device was stopped. False: the device refuses. */
bool pvrom_blk_guest_queue(struct pvrom_blk_guest *blk, uint16_t number,
			   struct pvrom_blk_guest_queue *queue,
			   const struct pvrom_virtio_memory *memory);

/* The device may work: queues 0 to blk->queues - 1 are set up (lower it first if fewer shall do). */
void pvrom_blk_guest_go(struct pvrom_blk_guest *blk);

/* Why the driver gives up a device whose polls answer BROKEN, or for no reason at all: resets it and calls done
 * of every request in flight, with CANCELLED; or with STUCK, if the device does not end its reset (then the
 * memory of queues and, without bounce buffers, of requests is not to be used again). Begin anew afterwards.
 * Returns what the reset did: OK or STUCK. */
enum pvrom_virtio_result pvrom_blk_guest_stop(struct pvrom_blk_guest *blk);

/* ---- work ---------------------------------------------------------------------------------------- */

/*
 * Takes a request; the device sees it at the next kick. OK: done will be called. FULL: not now. UNSUPPORTED,
 * BAD_REQUEST, BROKEN: never. (FLUSH is UNSUPPORTED where writes are always stable: blk->writeback.)
 */
enum pvrom_blk_guest_result pvrom_blk_guest_submit(struct pvrom_blk_guest_queue *queue,
						   struct pvrom_blk_guest_request *request);

/* Shows the device what was submitted, and rings if it wants that. */
void pvrom_blk_guest_kick(struct pvrom_blk_guest_queue *queue);

/*
 * Takes back at most budget requests and calls done of each; returns how many. *broken, not changed otherwise,
 * is set if the device broke the ring's rules.
 */
uint32_t pvrom_blk_guest_poll(struct pvrom_blk_guest_queue *queue, uint32_t budget, bool *broken);

/* Interrupts at the next request that is done, or (off) preferably none. On: true if there is something to poll
 * already, for which none may come. */
bool pvrom_blk_guest_interrupts(struct pvrom_blk_guest_queue *queue, bool on);

/* ---- changes ------------------------------------------------------------------------------------- */

/*
 * After an interrupt for PVROM_VIRTIO_CHANGED: reads length and cache mode again. BROKEN: the device
 * wants a reset, or its configuration never holds still.
 */
enum pvrom_blk_guest_result pvrom_blk_guest_changed(struct pvrom_blk_guest *blk);

/* Switches the device's write cache, VIRTIO 1.2, 5.2.5.1: UNSUPPORTED without CONFIG_WCE. */
enum pvrom_blk_guest_result pvrom_blk_guest_set_writeback(struct pvrom_blk_guest *blk, bool on);

#ifdef __cplusplus
}
#endif

#endif
