/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Virtqueues, the driver half: what a guest's drivers use.
 *
 *	pvrom_vq_driver_init()     the queue's areas are zeroed and ready to be told to the device
 *	pvrom_vq_driver_add()      puts a buffer into the ring, with a token of the caller's
 *	pvrom_vq_driver_publish()  shows the device all that was added; true: ring its doorbell
 *	pvrom_vq_driver_get()      a buffer that the device has used: its token
 *
 * The device is not trusted. Nothing the driver once wrote is read back from shared memory; used ids and
 * lengths are read once and checked; a device that breaks the rules gets the queue marked broken, and
 * every token can still be had back (pvrom_vq_driver_detach()), so no request of the kernel is lost.
 *
 * Threads: one at a time for a queue; the lock is the caller's. Any context, interrupt handlers too.
 */
#ifndef PVROM_VIRTQUEUE_DRIVER_H
#define PVROM_VIRTQUEUE_DRIVER_H

#include <pvrom/virtqueue.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One piece of a buffer: addr is what the device shall see (a guest-physical or bus address). */
struct pvrom_vq_buf {
	uint64_t addr;
	uint32_t len;
	uint32_t reserved;
};

/* What the driver remembers of one buffer in flight. Private memory that the device cannot reach. */
struct pvrom_vq_driver_slot {
	void *token;
	uint32_t writable; /* bytes that the device may write */
	uint16_t next;
	uint16_t count; /* descriptors; 0: not in flight */
};

struct pvrom_vq_driver_config {
	uint64_t features; /* as negotiated */
	uint32_t size;
	uint16_t queue; /* its number, for notifications */
	uint16_t reserved;
	void *desc; /* the three areas as the CPU sees them, of pvrom_vq_layout()'s sizes */
	void *driver;
	void *device;
	struct pvrom_vq_driver_slot *slots; /* slots[size] */
	/*
	 * Tables for indirect descriptors: tables[size * each], which the device sees at tables_addr. Used for
	 * buffers of 2 to each pieces if INDIRECT_DESC was negotiated. NULL, 0: none.
	 */
	struct pvrom_vq_desc *tables;
	uint64_t tables_addr;
	uint32_t each;
	uint32_t reserved2;
};

/* A queue. The caller supplies the memory and leaves the fields alone. */
struct pvrom_vq_driver {
	struct pvrom_vq_driver_config config;
	enum pvrom_vq_reason reason;
	uint32_t free;	      /* descriptors that are free */
	uint16_t free_head;   /* split: next free descriptor; packed: next free id */
	uint16_t avail;	      /* split: index; packed: position of the next buffer to add */
	uint16_t used;	      /* the same for the next used one */
	uint16_t shown;	      /* avail as the device was last told */
	uint16_t used_seen;   /* split: the device's index as last read */
	uint16_t first_flags; /* packed: flags held back until publish */
	uint16_t batch_end;   /* in order: id of the last buffer of a batch that is being taken */
	uint16_t reset_next;  /* detach goes on here */
	uint16_t oldest;      /* in order: the id that must be used next */
	uint32_t batch_len;
	uint32_t added; /* packed: descriptors added since publish */
	bool avail_wrap;
	bool used_wrap;
	bool shown_wrap;
	bool in_batch;
	bool interrupts;
	uint8_t reserved[3];
};

/*
 * Sets up a queue and zeroes its areas; also anew, after the device or the queue (RING_RESET, 2.6.1)
 * was reset, when nothing is in flight. Interrupts are on. BAD_CONFIG: a size that the format does not
 * allow, VERSION_1 missing, an area missing or not aligned. The device must not yet see the queue.
 */
enum pvrom_vq_result pvrom_vq_driver_init(struct pvrom_vq_driver *vq,
					  const struct pvrom_vq_driver_config *config);

/*
 * Adds a buffer of readable pieces, then writable ones (2.7.4.2, 2.8.17): bufs[readable + writable]. The
 * memory stays the device's until get() or detach() returns token. Not shown to the device before
 * publish. FULL: get() some first. TOO_LONG: it will never fit. BAD_BUFFER: no pieces, or more than
 * 2^32 - 1 bytes writable or 2^32 in total (2.7.5.2). BROKEN.
 */
enum pvrom_vq_result pvrom_vq_driver_add(struct pvrom_vq_driver *vq,
					 const struct pvrom_vq_buf *bufs, uint32_t readable,
					 uint32_t writable, void *token);

/* The same for a buffer of one piece, as network cards have them; never TOO_LONG or BAD_BUFFER. */
enum pvrom_vq_result pvrom_vq_driver_add_one(struct pvrom_vq_driver *vq, uint64_t addr,
					     uint32_t len, bool writable, void *token);

/*
 * Shows the device all buffers added so far. True: it wants a notification now (2.7.10, 2.8.21); then the
 * caller writes pvrom_vq_driver_notification() to the doorbell. May be called with nothing added.
 */
bool pvrom_vq_driver_publish(struct pvrom_vq_driver *vq);

/* What to write to the doorbell: the queue's number, with NOTIFICATION_DATA more (2.9). */
uint32_t pvrom_vq_driver_notification(const struct pvrom_vq_driver *vq);

/* A buffer that came back. */
struct pvrom_vq_done {
	void *token;
	uint32_t len;  /* bytes written by the device, at most what was writable */
	bool overlong; /* the device said more than was writable: len is cut to that */
	uint8_t reserved[3];
};

/* Takes the next used buffer. EMPTY: none. BROKEN: the device broke the rules (vq->reason). */
enum pvrom_vq_result pvrom_vq_driver_get(struct pvrom_vq_driver *vq, struct pvrom_vq_done *done);

/* Is there a used buffer (or something else for get() to say)? */
bool pvrom_vq_driver_pending(struct pvrom_vq_driver *vq);

/*
 * Tells the device that the driver polls: a hint (2.7.7: interrupts may still come). Switching on asks for an
 * interrupt at the next used buffer, or at the `after`th from now on if EVENT_IDX was negotiated
 * (1: the next; never more than are in flight). Returns true if used buffers are there
 * already: no interrupt may come for them, so the caller takes them.
 */
void pvrom_vq_driver_interrupts_off(struct pvrom_vq_driver *vq);
bool pvrom_vq_driver_interrupts_on(struct pvrom_vq_driver *vq, uint32_t after);

/*
 * Takes back a buffer that the device has not used. Only when the device can no longer reach the queue: after
 * a reset of the device (2.1) or of the queue (2.6.1). EMPTY: all are back; init() may follow.
 */
enum pvrom_vq_result pvrom_vq_driver_detach(struct pvrom_vq_driver *vq, void **token);

/* Buffers in flight take descriptors: how many are free. */
uint32_t pvrom_vq_driver_free(const struct pvrom_vq_driver *vq);

#ifdef __cplusplus
}
#endif

#endif
